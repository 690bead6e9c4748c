//! Types of parameters, outputs and function parameters: checks values, and marks what a secure type covers.

use super::Evaluator;
use crate::document::Language;
use crate::error::{EvalError, place};
use crate::json::Node;
use crate::value::{Value, ValueKind, same, same_name};
use indexmap::IndexMap;
use std::sync::Arc;

/// Most references from definition to definition.
const MAX_HOPS: usize = 64;

/// The kinds of values that a type names.
fn kind_of(word: &str) -> Option<(&'static str, bool)> {
    [
        ("string", "String"),
        ("securestring", "String"),
        ("int", "Integer"),
        ("bool", "Boolean"),
        ("array", "Array"),
        ("object", "Object"),
        ("secureobject", "Object"),
    ]
    .into_iter()
    .find(|(name, _)| same_name(name, word))
    .map(|(name, kind)| (kind, name.starts_with("secure")))
}

/// The current position of a check, for messages.
struct Place<'p> {
    /// `template parameter 'x'`, in Azure's words.
    azure: &'p str,
    /// `the parameter `x``, in ours.
    ours: &'p str,
    /// Path inside the value, such as `.a[0]`.
    path: String,
}

impl Place<'_> {
    fn member(&self, name: &str) -> Self {
        Self { path: format!("{}.{name}", self.path), ..*self }
    }

    fn element(&self, index: usize) -> Self {
        Self { path: format!("{}[{index}]", self.path), ..*self }
    }

    fn wrong(&self, azure: &str, ours: &str) -> EvalError {
        let path =
            if self.path.is_empty() { String::new() } else { format!(" at '{}'", self.path.trim_start_matches('.')) };
        let at = if self.path.is_empty() {
            self.ours.to_string()
        } else {
            format!("`{}` of {}", self.path.trim_start_matches('.'), self.ours)
        };
        EvalError::new(format!(
            "The provided value for the {}{path} {} is not valid. {azure} Please see https://aka.ms/arm-create-parameter-file for usage details.",
            self.azure,
            place()
        ))
        .says(format!("{at} {ours}"))
    }
}

/// The value as messages may show it.
fn shown(val: &Value) -> String {
    if val.inside().secret {
        return "(secret)".to_string();
    }
    let text = crate::functions::scalar(val).unwrap_or_else(|| val.to_json().to_string());
    text.chars().take(80).collect()
}

impl<'a> Evaluator<'a> {
    /// The schema that a chain of `$ref` leads to, and whether something on the way may be null.
    fn followed(&self, schema: &'a Node) -> Result<(&'a Node, bool), EvalError> {
        let mut current = schema;
        let mut nullable = false;
        for _ in 0..MAX_HOPS {
            nullable |= current.get("nullable").and_then(Node::as_bool).unwrap_or(false);
            let Some(target) = current.get("$ref").and_then(Node::as_str) else { return Ok((current, nullable)) };
            let name = target.strip_prefix("#/definitions/").map(|n| n.replace("~1", "/").replace("~0", "~"));
            let found = name.as_deref().and_then(|n| self.sections.definitions.get(n));
            current = found.map(|(_, node)| node).ok_or_else(|| {
                EvalError::new(format!("The template type reference '{target}' is not valid: no definition is found."))
                    .says(format!("`{target}` is no definition of the template"))
                    .at(current.offset)
            })?;
        }
        Err(EvalError::new("The template type definitions refer to one another without end.")
            .says("type definitions refer to one another without end")
            .at(schema.offset))
    }

    /// True when the type is `securestring` or `secureObject`.
    pub fn is_secure(&self, schema: &'a Node) -> bool {
        self.followed(schema)
            .ok()
            .and_then(|(schema, _)| schema.get("type").and_then(Node::as_str).and_then(kind_of))
            .is_some_and(|(_, secure)| secure)
    }

    /// True when null is a value of the type.
    pub fn is_nullable(&self, schema: &'a Node) -> bool {
        self.followed(schema).is_ok_and(|(_, nullable)| nullable)
    }

    /// The type's own word, such as `string`; `object` for a schema without one.
    pub fn type_word(&self, schema: &'a Node) -> String {
        let found = self.followed(schema).ok();
        found.and_then(|(s, _)| s.get("type").and_then(Node::as_str)).unwrap_or("object").to_string()
    }

    /// Checks a parameter's value and marks what is secret in it.
    pub(super) fn check_parameter(&self, name: &str, schema: &'a Node, value: Value) -> Result<Value, EvalError> {
        let typed = schema.get("type").is_some() || schema.get("$ref").is_some();
        if !typed && self.sections.language == Language::One {
            return Err(EvalError::new(format!(
                "The template parameter '{name}' {} is not valid: the property 'type' is missing.",
                place()
            ))
            .says(format!("the parameter `{name}` has no `type`"))
            .at(schema.offset));
        }
        let place = Place {
            azure: &format!("template parameter '{name}'"),
            ours: &format!("the parameter `{name}`"),
            path: String::new(),
        };
        self.check(&value, schema, &place).map_err(|fault| fault.at(schema.offset))
    }

    /// Checks any other value by a type.
    pub fn check_type(&self, value: &Value, schema: &'a Node, what: &str) -> Result<Value, EvalError> {
        if schema.get("type").is_none() && schema.get("$ref").is_none() {
            return Ok(value.clone());
        }
        let place =
            Place { azure: &what.trim_start_matches("the ").replace('`', "'"), ours: what, path: String::new() };
        self.check(value, schema, &place)
    }

    fn check(&self, value: &Value, schema: &'a Node, place: &Place<'_>) -> Result<Value, EvalError> {
        self.budget.charge(1)?;
        self.budget.deeper(|| self.check_inner(value, schema, place))
    }

    fn check_inner(&self, value: &Value, written: &'a Node, place: &Place<'_>) -> Result<Value, EvalError> {
        let (schema, nullable) = self.followed(written)?;
        let word = schema.get("type").and_then(Node::as_str);
        let kind = match word {
            Some("any") | None => None,
            Some(word) => Some(kind_of(word).ok_or_else(|| {
                EvalError::new(format!("The template type '{word}' is not valid."))
                    .says(format!("`{word}` is not a type of template values"))
                    .help("write one of string, securestring, int, bool, array, object, secureObject")
                    .at(schema.offset)
            })?),
        };
        let secure = kind.is_some_and(|(_, secure)| secure);
        let value = value.clone().secret_if(secure);
        if value.is_null() && nullable || matches!(value.kind, ValueKind::Expr(_)) {
            return Ok(value);
        }
        if let Some((wanted, _)) = kind
            && wanted != value.type_name()
        {
            let azure =
                format!("Expected a value of type '{wanted}', but received a value of type '{}'.", value.type_name());
            if value.is_null() {
                let help = format!("give a value of type {}", wanted.to_lowercase());
                return Err(place.wrong(&azure, "has no value").help(help));
            }
            return Err(place.wrong(
                &azure,
                &format!(
                    "must be a value of type {}; a value of type {} is given",
                    wanted.to_lowercase(),
                    value.type_name().to_lowercase()
                ),
            ));
        }
        for schema in std::iter::once(schema).chain((!std::ptr::eq(schema, written)).then_some(written)) {
            self.check_bounds(&value, schema, place)?;
        }
        match &value.kind {
            ValueKind::Array(array) => self.check_array(&array.items, &value, schema, place),
            ValueKind::Object(_) => self.check_object(&value, schema, place),
            _ => Ok(value),
        }
    }

    fn check_bounds(&self, value: &Value, schema: &Node, place: &Place<'_>) -> Result<(), EvalError> {
        if let Some(allowed) = schema.get("allowedValues").and_then(Node::as_array) {
            let allowed = allowed.iter().map(Value::from_node).collect::<Result<Vec<_>, _>>()?;
            let fits = |val: &Value| {
                allowed.iter().any(|a| match (a.as_str(), val.as_str()) {
                    (Some(a), Some(v)) => same_name(a, v),
                    _ => same(a, val),
                })
            };
            let subset = value.as_array().is_some_and(|items| items.iter().all(fits));
            if value.is_known() && !fits(value) && !subset {
                let list: Vec<String> = allowed.iter().map(shown).collect();
                return Err(place.wrong(
                    &format!("The parameter value is not part of the allowed value(s): '{}'.", list.join(",")),
                    &format!(
                        "is `{}`; allowed are {}",
                        shown(value),
                        list.iter().map(|a| format!("`{a}`")).collect::<Vec<_>>().join(", ")
                    ),
                ));
            }
        }
        let number = |key: &str| schema.get(key).and_then(Node::as_int);
        if let Some(value) = value.as_int() {
            if let Some(least) = number("minValue").filter(|least| value < *least) {
                return Err(place.wrong(
                    &format!("The value '{value}' must be greater than or equal to the minimum value '{least}'."),
                    &format!("is {value}; the least is {least}"),
                ));
            }
            if let Some(most) = number("maxValue").filter(|most| value > *most) {
                return Err(place.wrong(
                    &format!("The value '{value}' must be less than or equal to the maximum value '{most}'."),
                    &format!("is {value}; the most is {most}"),
                ));
            }
        }
        let length = match &value.kind {
            ValueKind::Str(text) => text.encode_utf16().count() as i64,
            ValueKind::Array(array) => array.items.len() as i64,
            ValueKind::Object(object) => object.members.len() as i64,
            _ => return Ok(()),
        };
        if let Some(least) = number("minLength").filter(|least| length < *least) {
            return Err(place.wrong(
                &format!("Length of the value should be greater than or equal to '{least}'."),
                &format!("has length {length}; the least is {least}"),
            ));
        }
        if let Some(most) = number("maxLength").filter(|most| length > *most) {
            return Err(place.wrong(
                &format!("Length of the value should be less than or equal to '{most}'."),
                &format!("has length {length}; the most is {most}"),
            ));
        }
        Ok(())
    }

    fn check_array(
        &self,
        items: &[Value],
        whole: &Value,
        schema: &'a Node,
        place: &Place<'_>,
    ) -> Result<Value, EvalError> {
        let prefix = schema.get("prefixItems").and_then(Node::as_array).unwrap_or(&[]);
        let rest = schema.get("items");
        if prefix.is_empty() && rest.is_none() || self.sections.language == Language::One {
            return Ok(whole.clone());
        }
        if items.len() < prefix.len() {
            return Err(place.wrong(
                &format!("Expected an array with at least '{}' elements.", prefix.len()),
                &format!("has {} elements; {} are needed", items.len(), prefix.len()),
            ));
        }
        let mut out = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let inner = place.element(index);
            let schema = prefix.get(index).or(rest);
            out.push(match schema {
                None => item.clone(),
                Some(schema) if schema.as_bool() == Some(false) => {
                    return Err(place.wrong(
                        &format!("The array may not have more than '{}' elements.", prefix.len()),
                        &format!("has {} elements; {} are allowed", items.len(), prefix.len()),
                    ));
                }
                Some(schema) if schema.as_object().is_none() => item.clone(),
                Some(schema) => self.check(item, schema, &inner)?,
            });
        }
        Ok(Value::array(out)?.secret_if(whole.secret))
    }

    fn check_object(&self, whole: &Value, schema: &'a Node, place: &Place<'_>) -> Result<Value, EvalError> {
        let Some(object) = whole.as_object() else { return Ok(whole.clone()) };
        let variant = match schema.get("discriminator") {
            Some(discriminator) => Some(self.variant(whole, discriminator, place)?),
            None => None,
        };
        let schemas: Vec<&'a Node> = std::iter::once(schema).chain(variant).collect();
        let declared: Vec<(&Arc<str>, &'a Node)> = schemas
            .iter()
            .filter_map(|s| s.get("properties").and_then(Node::as_object))
            .flat_map(|p| p.iter())
            .collect();
        let open = schemas.iter().find_map(|s| s.get("additionalProperties"));
        if declared.is_empty() && open.is_none() {
            return Ok(whole.clone());
        }
        for (name, schema) in &declared {
            if object.get(name).is_none() && !self.is_nullable(schema) {
                return Err(place.wrong(
                    &format!("The required property '{name}' is missing."),
                    &format!("has no `{name}`, which its type requires"),
                ));
            }
        }
        let discriminator = schema.get("discriminator").and_then(|d| d.get("propertyName")).and_then(Node::as_str);
        let mut members = IndexMap::with_capacity(object.members.len());
        for (key, value) in &object.members {
            let schema = declared.iter().find(|(name, _)| same_name(name, key)).map(|(_, schema)| *schema);
            let inner = place.member(key);
            let checked = match (schema, open) {
                (Some(schema), _) => self.check(value, schema, &inner)?,
                (None, _) if discriminator.is_some_and(|d| same_name(d, key)) => value.clone(),
                (None, Some(open)) if open.as_bool() == Some(false) => {
                    let known: Vec<&str> = declared.iter().map(|(n, _)| &***n).collect();
                    return Err(place.wrong(
                        &format!("The property '{key}' is not permitted."),
                        &format!("has `{key}`, which its type does not know; it knows {}", super::listed(&known)),
                    ));
                }
                (None, Some(open)) if open.as_object().is_some() => self.check(value, open, &inner)?,
                _ => value.clone(),
            };
            members.insert(Arc::clone(key), checked);
        }
        Ok(Value::object(members)?.secret_if(whole.secret))
    }

    /// The schema that the discriminating property chooses.
    fn variant(&self, whole: &Value, discriminator: &'a Node, place: &Place<'_>) -> Result<&'a Node, EvalError> {
        let property = discriminator.get("propertyName").and_then(Node::as_str).unwrap_or("");
        let mapping = discriminator.get("mapping").and_then(Node::as_object);
        let chosen = whole.member(property);
        let names: Vec<&str> = mapping.iter().flat_map(|m| m.members.keys()).map(|k| &**k).collect();
        let found =
            chosen.as_ref().and_then(Value::as_str).and_then(|name| mapping.and_then(|m| m.members.get(&**name)));
        let found = found.ok_or_else(|| {
            let given = chosen.as_ref().map_or_else(|| "absent".to_string(), |v| format!("`{}`", shown(v)));
            place.wrong(
                &format!("The discriminator property '{property}' must be one of '{}'.", names.join(",")),
                &format!("has a `{property}` that is {given}; its type knows {}", super::listed(&names)),
            )
        })?;
        Ok(self.followed(found)?.0)
    }
}
