//! The sections of a template, found without regard to case.

use super::context::Scope;
use super::error::EvalError;
use super::json::{Node, NodeKind, Object};
use super::value::same_name;
use std::collections::HashMap;

/// The language version: it decides which rules apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Language {
    One,
    Two,
}

/// A template as its sections.
pub(crate) struct Sections<'n> {
    pub root: &'n Node,
    pub language: Language,
    /// Level by the name of the schema, when it says one.
    pub scope: Option<Scope>,
    pub parameters: Named<'n>,
    pub variables: Named<'n>,
    pub definitions: Named<'n>,
    pub outputs: Named<'n>,
    pub functions: HashMap<String, &'n Node>,
    pub resources: Resources<'n>,
}

/// The resources: a list, or symbolic names with their resources.
#[derive(Clone, Copy)]
pub(crate) enum Resources<'n> {
    None,
    List(&'n [Node]),
    Symbolic(&'n Object),
}

/// Members of a section by name.
#[derive(Default)]
pub(crate) struct Named<'n> {
    pub list: Vec<(&'n str, &'n Node)>,
    index: HashMap<String, usize>,
}

impl<'n> Named<'n> {
    fn add(&mut self, name: &'n str, node: &'n Node) {
        let lower = name.to_lowercase();
        match self.index.get(&lower).and_then(|at| self.list.get_mut(*at)) {
            Some(slot) => *slot = (name, node),
            None => {
                self.index.insert(lower, self.list.len());
                self.list.push((name, node));
            }
        }
    }

    pub fn get(&self, name: &str) -> Option<(&'n str, &'n Node)> {
        self.list.get(*self.index.get(&name.to_lowercase())?).copied()
    }
}

impl<'n> Sections<'n> {
    /// Finds the sections of a template.
    pub fn read(root: &'n Node) -> Result<Self, EvalError> {
        let object = root.as_object().ok_or_else(|| {
            EvalError::new("The template is not valid. The root of the template must be a JSON object.")
                .says("a template is a JSON object; this text holds something else")
                .at(root.offset)
        })?;
        let resources = match object.get("resources") {
            None => Resources::None,
            Some(node) => match &node.kind {
                NodeKind::Array(items) => Resources::List(items),
                NodeKind::Object(symbols) => Resources::Symbolic(symbols),
                NodeKind::Null => Resources::None,
                _ => return Err(wrong_section("resources", node)),
            },
        };
        let version = object.get("languageVersion").and_then(Node::as_str).unwrap_or("");
        if !(version.is_empty() || version.starts_with("1.") || version.starts_with("2.")) {
            return Err(EvalError::new(format!(
                "The template is not valid. The language version '{version}' is not supported."
            ))
            .says(format!("`{version}` is no version of the template language"))
            .help("write `\"languageVersion\": \"2.0\"`, or leave it out")
            .at(object.get("languageVersion").map_or(root.offset, |node| node.offset)));
        }
        let two = version.starts_with('2') || matches!(resources, Resources::Symbolic(_));
        let language = if two { Language::Two } else { Language::One };
        if version.starts_with('2') && matches!(resources, Resources::List(items) if !items.is_empty()) {
            return Err(EvalError::new(
                "The template is not valid. The 'resources' property must be an object when languageVersion is '2.0' or later.",
            )
            .says("with `languageVersion` 2.0 `resources` is an object of symbolic names; here it is a list")
            .at(object.get("resources").map_or(root.offset, |node| node.offset)));
        }
        Ok(Self {
            root,
            language,
            scope: object.get("$schema").and_then(Node::as_str).and_then(scope_of_schema),
            parameters: named(object, "parameters")?,
            variables: named(object, "variables")?,
            definitions: named(object, "definitions")?,
            outputs: named(object, "outputs")?,
            functions: functions(object)?,
            resources,
        })
    }
}

fn wrong_section(name: &str, node: &Node) -> EvalError {
    EvalError::new(format!(
        "The template is not valid. The property '{name}' has the wrong type '{}'.",
        node.type_name()
    ))
    .says(format!("the section `{name}` is a JSON {} here", node.type_name().to_lowercase()))
    .at(node.offset)
}

fn named<'n>(object: &'n Object, section: &str) -> Result<Named<'n>, EvalError> {
    let mut named = Named::default();
    match object.get(section) {
        None => {}
        Some(node) if node.is_null() => {}
        Some(node) => {
            let members = node.as_object().ok_or_else(|| wrong_section(section, node))?;
            members.iter().for_each(|(name, node)| named.add(name, node));
        }
    }
    Ok(named)
}

fn functions(object: &Object) -> Result<HashMap<String, &Node>, EvalError> {
    let mut found = HashMap::new();
    let Some(node) = object.get("functions") else { return Ok(found) };
    if node.is_null() {
        return Ok(found);
    }
    for space in node.as_array().ok_or_else(|| wrong_section("functions", node))? {
        let namespace = space.get("namespace").and_then(Node::as_str).ok_or_else(|| {
            EvalError::new("The template function namespace is not valid: the property 'namespace' is missing.")
                .says("a group of functions has no `namespace`")
                .at(space.offset)
        })?;
        let Some(members) = space.get("members") else { continue };
        for (name, function) in members.as_object().ok_or_else(|| wrong_section("members", members))?.iter() {
            found.insert(format!("{namespace}.{name}").to_lowercase(), function);
        }
    }
    Ok(found)
}

/// The level that a schema's file name says.
fn scope_of_schema(schema: &str) -> Option<Scope> {
    let file = schema.rsplit('/').next().unwrap_or("");
    let file = file.split('#').next().unwrap_or("");
    [
        ("deploymentTemplate.json", Scope::ResourceGroup),
        ("subscriptionDeploymentTemplate.json", Scope::Subscription),
        ("managementGroupDeploymentTemplate.json", Scope::ManagementGroup),
        ("tenantDeploymentTemplate.json", Scope::Tenant),
    ]
    .into_iter()
    .find_map(|(name, scope)| same_name(name, file).then_some(scope))
}
