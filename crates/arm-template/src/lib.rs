//! Text of a template and parameter values → expanded resources and outputs, or errors with their position.
//!
#![doc = include_str!("../README.md")]

mod budget;
mod context;
pub mod diags;
mod document;
mod error;
mod eval;
mod expand;
mod expr;
mod functions;
pub mod json;
mod parameters;
mod resolve;
#[cfg(test)]
mod tests;
mod value;

pub use budget::Limits;
pub use context::{Context, Deployer, Form, ResourceGroup, Scope, public_cloud};
pub use error::{Position, TemplateError};
pub use expand::{
    EffectiveParameter, Expansion, Linker, NestedDeployment, NoLinks, Output, Resource, TemplateLink, expand,
    expand_linked, inline_links, with_large_stack,
};
pub use expr::{Call, Expr, ExprError, ExprKind};
pub use json::Document;
pub use parameters::{Parameters, parse_parameters};
pub use resolve::{Resolved, ResolvedResource, Runtime};

use document::Sections;
use error::{EvalError, codes};
use json::Node;
use std::sync::Arc;

/// A template as read; cheap to clone.
#[derive(Clone, Debug)]
pub struct Template {
    document: Document,
    root: Arc<Node>,
}

/// Reads the text of a template: JSON with comments, as Azure accepts it.
pub fn parse(text: &str) -> Result<Template, Vec<TemplateError>> {
    let limits = Limits::default();
    let document = Document::new(text);
    if text.len() > limits.template_bytes {
        let fault = EvalError::limit(format!(
            "The template size exceeds the limit: '{}' bytes of at most '{}'.",
            text.len(),
            limits.template_bytes
        ))
        .says(format!("the template has {} bytes; Azure allows {}", text.len(), limits.template_bytes));
        return Err(vec![fault.located(None, "", None)]);
    }
    let root = json::read(text).map_err(|error| vec![json_error(&document, &error)])?;
    Template::new(document, root)
}

/// Reads a template that this program wrote: nobody has its text, so that errors have no place in it.
pub fn parse_without_positions(text: &str) -> Result<Template, Vec<TemplateError>> {
    let document = Document::new("");
    let root = json::read(text).map_err(|error| vec![json_error(&document, &error)])?;
    Template::new(document, root)
}

pub(crate) fn json_error(document: &Document, error: &json::JsonError) -> TemplateError {
    let position = document.position(error.offset);
    EvalError::coded(
        codes::INVALID_CONTENT,
        format!(
            "The request content was invalid and could not be deserialized: '{}. Path '', line {}, position {}.'.",
            error.message, position.line, position.column
        ),
    )
    .says(error.message.clone())
    .at(error.offset)
    .located(Some(document), "", None)
}

impl Template {
    fn new(document: Document, root: Node) -> Result<Self, Vec<TemplateError>> {
        if let Err(fault) = Sections::read(&root) {
            return Err(vec![fault.located(Some(&document), "", None)]);
        }
        Ok(Self { document, root: Arc::new(root) })
    }

    /// A template from a part of a larger text, such as the body of a request.
    pub fn from_node(document: &Document, node: &Node) -> Result<Self, Vec<TemplateError>> {
        Self::new(document.clone(), node.clone())
    }

    /// A template from parsed JSON; errors have no place then.
    pub fn from_json(value: &serde_json::Value) -> Result<Self, Vec<TemplateError>> {
        Self::new(Document::new(""), Node::from_value(value, 0))
    }

    /// The JSON of the template, expressions as written.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        self.root.to_value()
    }

    /// The tree of the template.
    #[must_use]
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// The text that positions refer to.
    #[must_use]
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The level that the schema names; `None` when it names none.
    #[must_use]
    pub fn scope(&self) -> Option<Scope> {
        Sections::read(&self.root).ok().and_then(|s| s.scope)
    }

    /// Declared parameters: name, type word, whether a value must be given.
    #[must_use]
    pub fn parameters(&self) -> Vec<(String, String, bool)> {
        let Ok(sections) = Sections::read(&self.root) else { return Vec::new() };
        let one = |(name, node): &(&str, &Node)| {
            let kind = node.get("type").or_else(|| node.get("$ref")).and_then(Node::as_str).unwrap_or("object");
            let required =
                node.get("defaultValue").is_none() && node.get("nullable").and_then(Node::as_bool) != Some(true);
            ((*name).to_string(), kind.to_string(), required)
        };
        sections.parameters.list.iter().map(one).collect()
    }

    /// The hash that Azure puts into every deployment record.
    #[must_use]
    pub fn hash(&self) -> String {
        hash_of(&self.to_value())
    }
}

/// The template hash: over the upper-cased, minified text in its own order.
pub(crate) fn hash_of(value: &serde_json::Value) -> String {
    functions::hash64(functions::upper(&value.to_string()).as_bytes()).to_string()
}

/// The JSON pointer of a resource as Azure writes a path.
pub(crate) fn azure_path(pointer: &str) -> String {
    let mut path = String::from("properties.template");
    for part in pointer.split('/').skip(1) {
        if part.bytes().all(|b| b.is_ascii_digit()) && !part.is_empty() {
            path.push_str(&format!("[{part}]"));
        } else {
            path.push('.');
            path.push_str(part);
        }
    }
    path
}

/// Documentation of the functions: group, name, arguments.
#[must_use]
pub fn function_table() -> Vec<(&'static str, &'static str, String)> {
    use functions::Group;
    let group = |group: Group| match group {
        Group::String => "Strings and encoding",
        Group::Collection => "Arrays and objects",
        Group::Lambda => "Lambdas",
        Group::Logic => "Logic and comparison",
        Group::Number => "Numbers",
        Group::Date => "Dates",
        Group::Network => "Address ranges",
        Group::Deployment => "Deployment",
        Group::Scope => "Scopes",
        Group::Resource => "Resources",
    };
    let arguments = |f: &functions::Function| match f.max {
        Some(max) if max == f.min => max.to_string(),
        Some(max) => format!("{}-{max}", f.min),
        None => format!("{}+", f.min),
    };
    functions::all().into_iter().map(|f| (group(f.group), f.name, arguments(f))).collect()
}
