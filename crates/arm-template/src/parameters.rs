//! Parameter files and bare maps of values.

use super::Document;
use super::error::{EvalError, TemplateError, codes};
use super::eval::Given;
use super::json::{self, Node};
use super::value::Value;
use indexmap::IndexMap;
use serde_json::Value as Json;

/// Values for the parameters of a template. A value is never an expression.
#[derive(Clone, Debug, Default)]
pub struct Parameters {
    pub(crate) given: IndexMap<String, Given>,
}

impl Parameters {
    /// An empty set: every parameter takes its default value.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a value; a later one replaces an earlier one.
    pub fn set(&mut self, name: &str, value: &Json) -> Result<(), TemplateError> {
        let val = Value::from_json(value).map_err(|fault| fault.located(None, "parameters", None))?;
        self.given.insert(name.to_string(), Given::Value(val));
        Ok(())
    }

    /// Puts the values of `other` over these.
    pub fn merge(&mut self, other: Parameters) {
        self.given.extend(other.given);
    }

    /// Names of the parameters that have a value, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.given.keys().map(String::as_str)
    }

    /// The key vault secrets that the values name: parameter, vault id, secret name, version.
    pub fn secrets(&self) -> impl Iterator<Item = (&str, &str, &str, Option<&str>)> {
        self.given.iter().filter_map(|(parameter, given)| match given {
            Given::Secret { vault, name, version } => {
                Some((parameter.as_str(), vault.as_str(), name.as_str(), version.as_deref()))
            }
            Given::Value(_) => None,
        })
    }

    /// Reads `{"name": {"value": …}}`, or a parameter file, already parsed.
    pub fn from_json(value: &Json) -> Result<Self, TemplateError> {
        Self::from_node(&Node::from_value(value, 0)).map_err(|fault| fault.located(None, "parameters", None))
    }

    pub(crate) fn from_node(node: &Node) -> Result<Self, EvalError> {
        let wrong = |node: &Node, what: &str| {
            EvalError::coded(
                codes::INVALID_CONTENT,
                format!("The request content was invalid and could not be deserialized: '{what}'."),
            )
            .says(what.to_string())
            .at(node.offset)
        };
        let members = match node.get("parameters") {
            Some(inner)
                if node.get("$schema").is_some()
                    || node.get("contentVersion").is_some()
                    || inner.as_object().is_some_and(wrapped) =>
            {
                inner
            }
            _ => node,
        };
        let object =
            members.as_object().ok_or_else(|| wrong(members, "parameters are a JSON object of names and values"))?;
        let mut given = IndexMap::new();
        for (name, entry) in object.iter() {
            let entry_object = entry.as_object();
            let taken = if let Some(value) = entry_object.and_then(|o| o.get("value")) {
                Given::Value(Value::from_node(value)?)
            } else if let Some(reference) = entry_object.and_then(|o| o.get("reference")) {
                let vault = reference.get("keyVault").and_then(|v| v.get("id")).and_then(Node::as_str);
                let secret = reference.get("secretName").and_then(Node::as_str);
                let (Some(vault), Some(secret)) = (vault, secret) else {
                    return Err(wrong(
                        reference,
                        &format!(
                            "the key vault reference of the parameter `{name}` needs `keyVault.id` and `secretName`"
                        ),
                    ));
                };
                let version = reference.get("secretVersion").and_then(Node::as_str).map(str::to_string);
                Given::Secret { vault: vault.to_string(), name: secret.to_string(), version }
            } else if name.starts_with('$') || name.eq_ignore_ascii_case("contentVersion") {
                continue;
            } else if entry_object
                .is_some_and(|o| o.members.is_empty() || o.get("metadata").is_some() || o.get("expression").is_some())
            {
                // No value: the default counts.
                continue;
            } else {
                return Err(wrong(
                    entry,
                    &format!("the parameter `{name}` is neither `{{\"value\": …}}` nor a key vault reference"),
                ));
            };
            given.insert(name.to_string(), taken);
        }
        Ok(Self { given })
    }
}

fn wrapped(object: &json::Object) -> bool {
    object.members.values().all(|v| v.get("value").is_some() || v.get("reference").is_some())
}

/// Reads a parameter file, or a bare map of `{"name": {"value": …}}`.
pub fn parse_parameters(text: &str) -> Result<Parameters, Vec<TemplateError>> {
    let document = Document::new(text);
    let node = json::read(text).map_err(|error| vec![super::json_error(&document, &error)])?;
    Parameters::from_node(&node).map_err(|fault| vec![fault.located(Some(&document), "parameters", None)])
}
