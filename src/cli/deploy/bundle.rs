//! Sources → what is deployed: templates with their parameter values and the lines that they came from.

use super::provenance::Provenance;
use super::{Halt, What};
use crate::cli::Context;
use arm_plan::{JsonText, Source};
use arm_template::json::{self, Node, NodeKind};
use dsvm_diagnostics::source::{SourceFile, SourceId, SourceMap, Span};
use dsvm_diagnostics::{Code, Diagnostic};
use dsvm_graph::json::Json;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One project with one set of values.
#[derive(Clone, Debug, Default)]
pub struct Bundle {
    /// Name of the project.
    pub project: String,
    /// Folder that holds `.dsvmc`.
    pub root: PathBuf,
    /// As given on the command line.
    pub shown: String,
    /// The env; empty when there are none.
    pub env: String,
    /// Resource group that the project names.
    pub group: Option<String>,
    /// Region that the project names.
    pub location: Option<String>,
    /// Deployments in order.
    pub parts: Vec<Part>,
    /// Where the project's sources are, for a second look with the values that were given.
    pub path: Option<PathBuf>,
    /// Texts that the provenance points into.
    pub sources: SourceMap,
}

/// One deployment.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// The template.
    pub template: Arc<Template>,
    /// The template's text, for messages with positions.
    pub text: String,
    /// Parameter values, weakest source first.
    pub given: Vec<(String, Map<String, Value>)>,
    /// Source span by JSON pointer into the template.
    pub provenance: Provenance,
    /// A template that was given as it is: its own text is the source.
    pub written: Option<(SourceId, Arc<Node>)>,
}

/// A template as text: a tree of it is made for as long as somebody looks at it.
#[derive(Clone, Debug, Default)]
pub struct Template {
    all: JsonText,
    parameters: Value,
}

impl Template {
    /// Its JSON.
    #[must_use]
    pub fn read(&self) -> Value {
        self.all.read()
    }

    /// Its JSON as text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.all.text()
    }

    /// What it declares under `parameters`.
    #[must_use]
    pub fn parameters(&self) -> &Value {
        &self.parameters
    }
}

impl From<&Value> for Template {
    fn from(template: &Value) -> Self {
        Self { all: JsonText::from(template), parameters: template.get("parameters").cloned().unwrap_or_default() }
    }
}

impl From<Json> for Template {
    fn from(template: Json) -> Self {
        let parameters = template.get("parameters").cloned().map(Json::into_value).unwrap_or_default();
        Self { all: JsonText::from_text(template.compact()), parameters }
    }
}

impl Part {
    /// The span of a pointer, or of the nearest place around it.
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

/// Where the value at a pointer stands, or the innermost one around it.
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

impl arm_plan::Origins for Bundle {
    fn origin(&self, part: usize, pointer: &str) -> Option<Source> {
        self.place(self.parts.get(part)?.span(pointer)?)
    }
}

impl Bundle {
    /// File, line and column of a span.
    #[must_use]
    pub fn place(&self, span: Span) -> Option<Source> {
        let file = self.sources.get(span.source)?;
        let (line, column) = file.line_column(span.start);
        Some(Source { file: file.name.to_string(), line, column })
    }
}

/// Asks the system for small pages of memory. With large ones each thread that reads an answer holds megabytes that it
/// uses a little of: a plan of 5,000 resources takes a third more memory and no less time.
fn small_pages() {
    // What a system without them does is right already.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

/// Reads JSON as Azure reads it: comments, trailing commas and long strings are fine.
pub fn lenient(text: &str) -> Result<Value, String> {
    arm_template::json::read(text).map(|node| node.to_value()).map_err(|e| e.to_string())
}

/// Loads what the command line names.
pub fn load(path: &Path, what: &What, cx: &mut Context) -> Result<Bundle, Halt> {
    small_pages();
    match &what.template {
        Some(template) => from_template(template, what, cx),
        None => super::project::load(path, what, cx),
    }
}

fn from_template(path: &Path, what: &What, cx: &mut Context) -> Result<Bundle, Halt> {
    let bytes = cx.world.read(path)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut sources = SourceMap::default();
    // What is shown of the file goes into logs that more people read.
    let shown = json::without_secrets(&text);
    let source = sources.add(SourceFile::new(path.to_string_lossy().replace('\\', "/"), shown));
    let tree = match json::read(&text) {
        Ok(tree) => tree,
        Err(why) => return Err(unreadable(path, &why, sources, source)),
    };
    let name = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let root = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
    let mut template = tree.to_value();
    let linked = inline(path, &mut template, cx)?;
    // Errors have places in one text only; a template put together from several is not that text any more.
    let text = if linked { String::new() } else { text };
    let template = Arc::new(Template::from(&template));
    let written = Some((source, Arc::new(tree)));
    let part = Part { name: name.clone(), template, text, written, ..Part::default() };
    Ok(Bundle {
        project: name,
        root,
        shown: path.display().to_string(),
        env: what.env.clone().unwrap_or_default(),
        parts: vec![part],
        sources,
        ..Bundle::default()
    })
}

fn unreadable(path: &Path, why: &json::JsonError, sources: SourceMap, source: SourceId) -> Halt {
    let title = format!("`{}` is not JSON: {}", path.display(), why.message);
    let span = Span::new(source, why.offset, why.offset + 1);
    let diagnostic =
        Diagnostic::new(Code::TemplateUnusable, title, span, "here").help("correct the file at that place");
    Halt::found(sources, vec![diagnostic])
}

/// Puts templates that are linked by a relative path in place of the links: Azure cannot read the files beside this one.
fn inline(path: &Path, template: &mut Value, cx: &Context) -> Result<bool, Halt> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let read = &mut |relative: &str| {
        let file = folder.join(relative);
        let shown = file.display();
        let bytes = cx.world.read(&file).map_err(|_| format!("the linked template `{shown}` cannot be read"))?;
        let tree = json::read(&String::from_utf8_lossy(&bytes))
            .map_err(|why| format!("the linked template `{shown}` is not JSON: {why}"))?;
        Ok(tree.to_value())
    };
    arm_template::inline_links(template, read).map(|count| count > 0).map_err(|why| {
        Halt::input(
            Code::TemplateUnusable,
            format!("`{}` cannot be used: {why}", path.display()),
            "put the linked template at that path, relative to the template that links it",
        )
    })
}
