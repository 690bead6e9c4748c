//! What is deployed, as plain data: templates with their parameter values and the source lines that they came from.

use super::input::DeployInput;
use super::provenance::Provenance;
use super::target::DeployTarget;
use arm_plan::{JsonText, Source};
use arm_template::json::{Node, NodeKind};
use dsvm_diagnostics::source::{SourceId, SourceMap, Span};
use dsvm_graph::json::Json;
use dsvm_quota::Cores;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One project, compiled, with the values of one env.
#[derive(Clone, Debug, Default)]
pub struct CompiledProject {
    /// Name as declared; of a bare template, the stem of its file name.
    pub name: String,
    /// Folder of the sources.
    pub root: PathBuf,
    /// Folder that holds `.dsvmc`, when that is not `root`.
    pub state: Option<PathBuf>,
    /// The path as given on the command line.
    pub shown: String,
    /// The env; empty when there are none.
    pub env: String,
    /// Resource group that the project names.
    pub group: Option<String>,
    /// Region that the project names.
    pub location: Option<String>,
    /// Deployments in the order in which they are sent.
    pub parts: Vec<CompiledPart>,
    /// What the deployment of a template is called, when the user named it.
    pub deployment_name: Option<String>,
    /// Path of the sources, which are checked again with the values given at deployment; `None` for a bare template.
    pub path: Option<PathBuf>,
    /// Texts that the provenance points into.
    pub sources: SourceMap,
    /// The top-level blocks of the source; none of a bare template.
    pub blocks: Vec<dsvm_impact::Block>,
    /// Cores and quota families of the sizes that the sources use, by name in lower case; none of a bare template.
    pub sizes: BTreeMap<String, Cores>,
}

/// One deployment of a project.
#[derive(Clone, Debug, Default)]
pub struct CompiledPart {
    /// Name within the project.
    pub name: String,
    /// The template that is sent.
    pub template: Arc<Template>,
    /// The template's text, for messages with positions; empty when the template was generated.
    pub text: String,
    /// Parameter values and where they come from, weakest source first.
    pub given: Vec<(String, Map<String, Value>)>,
    /// Source span by JSON pointer into the template.
    pub provenance: Provenance,
    /// Why values that no field of their own sets are what they are, by JSON pointer into the template, in order.
    pub causes: Vec<(String, String)>,
    /// Of a template that was given as a file: the file is the source.
    pub written: Option<(SourceId, Arc<Node>)>,
}

/// A template kept as text; a tree of it exists only while it is read.
#[derive(Clone, Debug, Default)]
pub struct Template {
    all: JsonText,
    parameters: Value,
}

impl Template {
    /// Parses the template again.
    #[must_use]
    pub fn read(&self) -> Value {
        self.all.read()
    }

    /// The template as compact JSON text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.all.text()
    }

    /// The declarations under `parameters`; those that refer to a definition have its members, too.
    #[must_use]
    pub fn parameters(&self) -> &Value {
        &self.parameters
    }
}

impl From<&Value> for Template {
    fn from(template: &Value) -> Self {
        let mut parameters = template.get("parameters").cloned().unwrap_or_default();
        for declaration in parameters.as_object_mut().into_iter().flat_map(|all| all.values_mut()) {
            refer(declaration, template.get("definitions"));
        }
        Self { all: JsonText::from(template), parameters }
    }
}

/// Adds to a declaration what the definitions say that it refers to; what it says itself counts.
fn refer(declaration: &mut Value, definitions: Option<&Value>) {
    // A definition may refer to the next; a circle ends here.
    const DEEPEST: usize = 16;
    let target = |from: &Value| {
        let name = from.get("$ref")?.as_str()?.strip_prefix("#/definitions/")?.replace("~1", "/").replace("~0", "~");
        definitions?.get(name.as_str())
    };
    let mut next = target(declaration);
    for _ in 0..DEEPEST {
        let Some(definition) = next else { return };
        if let (Some(own), Some(members)) = (declaration.as_object_mut(), definition.as_object()) {
            for (key, value) in members {
                own.entry(key.as_str()).or_insert_with(|| value.clone());
            }
        }
        next = target(definition);
    }
}

impl From<Json> for Template {
    fn from(template: Json) -> Self {
        let parameters = template.get("parameters").cloned().map(Json::into_value).unwrap_or_default();
        Self { all: JsonText::from_text(template.compact()), parameters }
    }
}

impl CompiledPart {
    /// The span of a pointer into the template, or of the nearest enclosing value with one.
    #[must_use]
    pub fn span(&self, pointer: &str) -> Option<Span> {
        if let Some((source, tree)) = &self.written {
            let offset = deepest(tree, pointer);
            return Some(Span::new(*source, offset, offset));
        }
        let mut at = pointer;
        loop {
            if let Some(span) = self.provenance.get(at) {
                return Some(span);
            }
            at = at.rsplit_once('/')?.0;
        }
    }
}

/// Byte offset of the value at a pointer, or of the innermost value around it.
fn deepest(tree: &Node, pointer: &str) -> u32 {
    let mut at = tree;
    for key in pointer.split('/').skip(1) {
        let inner = match &at.kind {
            NodeKind::Array(list) => key.parse::<usize>().ok().and_then(|i| list.get(i)),
            _ => at.get(&key.replace("~1", "/").replace("~0", "~")),
        };
        let Some(inner) = inner else { break };
        at = inner;
    }
    at.offset
}

impl arm_plan::Origins for CompiledProject {
    fn origin(&self, part: usize, pointer: &str) -> Option<Source> {
        self.place(self.parts.get(part)?.span(pointer)?)
    }

    fn cause(&self, part: usize, pointer: &str) -> Option<String> {
        let causes = &self.parts.get(part)?.causes;
        let found = causes.binary_search_by(|(have, _)| have.as_str().cmp(pointer)).ok()?;
        causes.get(found).map(|(_, cause)| cause.clone())
    }
}

impl CompiledProject {
    /// File, line and column of a span; `None` when its file is not among the sources.
    #[must_use]
    pub fn place(&self, span: Span) -> Option<Source> {
        let file = self.sources.get(span.source)?;
        let (line, column) = file.line_column(span.start);
        Some(Source { file: file.name.to_string(), line, column })
    }

    /// Folder that holds `.dsvmc`.
    #[must_use]
    pub fn state_root(&self) -> &Path {
        self.state.as_deref().unwrap_or(&self.root)
    }

    /// Folder whose local endpoint is used. For a template without a folder of its own for state, that is an endpoint
    /// running for the folder of the template or the current one, if there is one.
    #[must_use]
    pub fn endpoint_root<'a>(&'a self, input: &DeployInput) -> &'a Path {
        let running = |root: &&Path| arm_local::running(&root.join(".dsvmc").join("local")).is_some();
        let near = [self.root.as_path(), Path::new(".")];
        let borrowed = (input.state_dir.is_none() && self.state.is_some()).then(|| near.into_iter().find(running));
        borrowed.flatten().unwrap_or_else(|| self.state_root())
    }

    /// The resource group to use when none is named: `rg-PROJECT`, with `-ENV` when there are envs.
    #[must_use]
    pub fn default_group(&self) -> String {
        format!("rg-{}{}", self.name, self.env_suffix())
    }

    /// The resource group of a command: its option, else the project's, else the default.
    #[must_use]
    pub fn group_for(&self, target: &DeployTarget) -> String {
        let named = target.resource_group.clone().or_else(|| self.group.clone());
        named
            .or_else(|| target.usual_group.as_ref().map(|(name, _)| name.clone()))
            .unwrap_or_else(|| self.default_group())
    }

    /// Name of the deployment stack of one part, at most 90 characters as Azure requires.
    #[must_use]
    pub fn stack_name(&self, part: usize) -> String {
        if let Some(name) = self.deployment_name.as_ref().filter(|_| part == 0) {
            return name.clone();
        }
        let more = if part == 0 { String::new() } else { format!("-{}", part + 1) };
        format!("dsvmc-{}{}{more}", self.name, self.env_suffix())
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' })
            .take(90)
            .collect()
    }

    fn env_suffix(&self) -> String {
        if self.env.is_empty() { String::new() } else { format!("-{}", self.env) }
    }
}
