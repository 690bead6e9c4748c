//! A resource body → what its type does not allow.
//!
//! Template expressions (`"[…]"`) are taken anywhere: what they give is known only at deployment.

use super::names::{check_name, regex};
use super::types::{Object, Property, PropertyType, ResourceType, lookup};
use serde_json::{Map, Value};

/// The category of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindingKind {
    /// The type has no such version, as far as is known.
    UnknownVersion,
    /// The type has no property of this name.
    UnknownProperty,
    /// A property or word in another case than the specification's.
    Case,
    /// Not the type that is wanted.
    WrongType,
    /// Not one of the words that are allowed.
    NotAllowed,
    /// Not one of the words that are listed, though others are taken.
    Unlisted,
    /// A property that must be there is not.
    Missing,
    /// Only the service writes it.
    ReadOnly,
    /// Too small or too great.
    Range,
    /// Too short or too long.
    Length,
    /// Characters that are not allowed.
    Pattern,
    /// A name that Azure refuses.
    Name,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindingSeverity {
    /// Azure refuses it, or does not do what is written.
    Error,
    /// It may well work.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// JSON pointer into the body.
    pub pointer: String,
    /// What kind of thing.
    pub kind: FindingKind,
    /// Whether Azure rejects it or it may work.
    pub severity: FindingSeverity,
    /// The finding in one clause, without the property's name.
    pub message: String,
    /// What to write instead.
    pub suggestion: Option<String>,
}

/// Keys of a template resource that are not the type's own.
const ENVELOPE: &[&str] = &[
    "type",
    "apiVersion",
    "name",
    "comments",
    "condition",
    "copy",
    "dependsOn",
    "scope",
    "resources",
    "resourceGroup",
    "subscriptionId",
    "asserts",
    "existing",
    "import",
    "metadata",
    "$options",
    "id",
];

/// Checks a whole resource as written in a template or in a request. An unknown type gives no finding.
#[must_use]
pub fn validate(resource_type: &str, api_version: &str, body: &Value) -> Vec<Finding> {
    let mut walk = Validator { findings: Vec::new(), pointer: String::new(), other_version: false, existing: false };
    let Some(ty) = lookup(resource_type, Some(api_version)) else { return Vec::new() };
    walk.version(ty, api_version);
    walk.other_version =
        api_version != ty.api_version && (api_version.ends_with("-preview") || api_version > ty.api_version.as_str());
    walk.existing = body.get("existing") == Some(&Value::Bool(true));
    if is_expression(body) {
        return walk.findings;
    }
    let Some(map) = body.as_object() else {
        walk.wrong_type("an object", body);
        return walk.findings;
    };
    walk.name(ty, map);
    if let PropertyType::Object(object) = ty.root.resolved() {
        walk.object(object, map, true);
    }
    walk.findings
}

/// Whether a value is a template expression: `[…]`, but not `[[…`.
fn is_expression(value: &Value) -> bool {
    value.as_str().is_some_and(|s| s.starts_with('[') && s.ends_with(']') && !s.starts_with("[["))
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a bool",
        Value::Number(n) if n.is_f64() => "a decimal number",
        Value::Number(_) => "a whole number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The nearest of some words, if one is near enough to be meant.
fn nearest<'a>(word: &str, all: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_ascii_lowercase();
    all.map(|w| (strsim::jaro_winkler(&lower, &w.to_ascii_lowercase()), w))
        .filter(|(near, _)| *near >= 0.86)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, w)| w)
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

struct Validator {
    findings: Vec<Finding>,
    pointer: String,
    /// The requested version is a preview or newer than the description: it may have properties that are not in it.
    other_version: bool,
    /// Only a reference to a resource: nothing need be there.
    existing: bool,
}

impl Validator {
    fn push(&mut self, kind: FindingKind, severity: FindingSeverity, message: String, suggestion: Option<String>) {
        self.findings.push(Finding { pointer: self.pointer.clone(), kind, severity, message, suggestion });
    }

    fn error(&mut self, kind: FindingKind, message: String, suggestion: Option<String>) {
        self.push(kind, FindingSeverity::Error, message, suggestion);
    }

    fn warn(&mut self, kind: FindingKind, message: String, suggestion: Option<String>) {
        self.push(kind, FindingSeverity::Warning, message, suggestion);
    }

    fn within(&mut self, step: &str, work: impl FnOnce(&mut Self)) {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(&escaped(step));
        work(self);
        self.pointer.truncate(length);
    }

    fn wrong_type(&mut self, wanted: &str, value: &Value) {
        let suggestion = match (wanted, value) {
            ("a bool", Value::String(s)) if s.eq_ignore_ascii_case("true") => Some("true".to_owned()),
            ("a bool", Value::String(s)) if s.eq_ignore_ascii_case("false") => Some("false".to_owned()),
            ("a whole number" | "a number", Value::String(s)) if s.parse::<f64>().is_ok() => Some(s.clone()),
            ("a string", Value::Number(n)) => Some(format!("\"{n}\"")),
            ("a string", Value::Bool(b)) => Some(format!("\"{b}\"")),
            _ => None,
        };
        self.error(FindingKind::WrongType, format!("is {}, but must be {wanted}", kind_of(value)), suggestion);
    }

    fn version(&mut self, ty: &ResourceType, version: &str) {
        let known = version == ty.api_version
            || ty.preview.as_deref() == Some(version)
            || ty.stable_versions.iter().any(|v| v.eq_ignore_ascii_case(version));
        if !known && !version.is_empty() && !version.starts_with('[') {
            // The newest known version that is not newer than what was asked for: `YYYY-MM-DD` sorts as text.
            let older = ty.stable_versions.iter().map(String::as_str).chain([ty.api_version.as_str()]);
            let near = older.filter(|v| *v < version).max().unwrap_or(ty.api_version.as_str());
            self.within("apiVersion", |w| {
                w.warn(
                    FindingKind::UnknownVersion,
                    format!("`{version}` is not a known version of `{}`", ty.name),
                    Some(near.to_owned()),
                );
            });
        }
    }

    fn name(&mut self, ty: &ResourceType, map: &Map<String, Value>) {
        let Some(name) = map.get("name") else {
            if map.contains_key("type") {
                self.error(FindingKind::Missing, "`name` is required".to_owned(), None);
            }
            return;
        };
        let Some(text) = name.as_str() else {
            self.within("name", |w| w.wrong_type("a string", name));
            return;
        };
        let last = text.rsplit('/').next().unwrap_or(text);
        if text.starts_with('[') {
            return;
        }
        if let Some(problem) = check_name(ty.name, last) {
            let severity = if problem.unsure { FindingSeverity::Warning } else { FindingSeverity::Error };
            let message = format!("the name `{last}` {}; a name here has {}", problem.what, problem.rule);
            self.within("name", |w| w.push(FindingKind::Name, severity, message, problem.suggestion));
        }
    }

    fn node(&mut self, node: &Property, value: &Value) {
        if is_expression(value) {
            return;
        }
        // `null` means "not written" in a template.
        if value.is_null() {
            return;
        }
        match node.resolved() {
            PropertyType::Any | PropertyType::Shared(_) => {}
            PropertyType::Bool => {
                if !value.is_boolean() {
                    self.wrong_type("a bool", value);
                }
            }
            PropertyType::Int(min, max) => match value.as_i64() {
                Some(n) => self.range(n, *min, *max),
                None => self.wrong_type("a whole number", value),
            },
            PropertyType::Number(min, max) => match value.as_f64() {
                Some(n) => self.range(n, *min, *max),
                None => self.wrong_type("a number", value),
            },
            PropertyType::String { min, max, pattern } => match value.as_str() {
                Some(text) => self.text(text, *min, *max, pattern.as_deref()),
                None => self.wrong_type("a string", value),
            },
            PropertyType::Enum { values, open } => match value.as_str() {
                Some(word) => self.word(word, values, *open),
                None => self.wrong_type("a string", value),
            },
            PropertyType::Array { items, min, max } => match value.as_array() {
                Some(list) => self.list(list, items.as_deref(), *min, *max),
                None => self.wrong_type("a list", value),
            },
            PropertyType::Object(object) => match value.as_object() {
                Some(map) => self.object(object, map, false),
                None => self.wrong_type("an object", value),
            },
        }
    }

    fn range<T: PartialOrd + std::fmt::Display>(&mut self, n: T, min: Option<T>, max: Option<T>) {
        if let Some(min) = min.filter(|m| n < *m) {
            self.error(FindingKind::Range, format!("{n} is below the minimum of {min}"), Some(min.to_string()));
        } else if let Some(max) = max.filter(|m| n > *m) {
            self.error(FindingKind::Range, format!("{n} is above the maximum of {max}"), Some(max.to_string()));
        }
    }

    fn text(&mut self, text: &str, min: Option<usize>, max: Option<usize>, pattern: Option<&str>) {
        let length = text.chars().count();
        // A string with an expression inside an escaped bracket keeps its length; `[[` is one character at deployment.
        if let Some(min) = min.filter(|m| length < *m) {
            self.error(FindingKind::Length, format!("has {length} characters; at least {min} are needed"), None);
        } else if let Some(max) = max.filter(|m| length > *m) {
            self.error(FindingKind::Length, format!("has {length} characters; at most {max} are allowed"), None);
        } else if pattern.and_then(regex).is_some_and(|r| !r.is_match(text)) {
            let pattern = pattern.unwrap_or_default();
            self.error(FindingKind::Pattern, format!("does not have the form `{pattern}`"), None);
        }
    }

    fn word(&mut self, word: &str, values: &[String], open: bool) {
        if values.iter().any(|v| v == word) {
            return;
        }
        if let Some(same) = values.iter().find(|v| v.eq_ignore_ascii_case(word)) {
            self.warn(FindingKind::Case, format!("`{word}` is spelt `{same}`"), Some(same.clone()));
            return;
        }
        let near = nearest(word, values.iter().map(String::as_str)).map(str::to_owned);
        if open {
            self.warn(FindingKind::Unlisted, format!("`{word}` is not among the listed values"), near);
        } else {
            let shown: Vec<_> = values.iter().take(8).map(|v| format!("`{v}`")).collect();
            let rest = if values.len() > 8 { ", …" } else { "" };
            let message = format!("`{word}` is not allowed; it must be one of {}{rest}", shown.join(", "));
            self.error(FindingKind::NotAllowed, message, near);
        }
    }

    fn list(&mut self, list: &[Value], items: Option<&Property>, min: Option<usize>, max: Option<usize>) {
        if let Some(min) = min.filter(|m| list.len() < *m) {
            self.error(FindingKind::Length, format!("has {} elements; at least {min} are needed", list.len()), None);
        } else if let Some(max) = max.filter(|m| list.len() > *m) {
            self.error(FindingKind::Length, format!("has {} elements; at most {max} are allowed", list.len()), None);
        }
        let Some(items) = items else { return };
        for (i, element) in list.iter().enumerate() {
            self.within(&i.to_string(), |w| w.node(items, element));
        }
    }

    /// The variant that the discriminator chooses. `None`: there are none, or its value is not known yet.
    fn variant<'a>(&mut self, object: &'a Object, map: &Map<String, Value>) -> Option<&'a Object> {
        let (name, variants) = object.variants.as_ref()?;
        let Some((key, value)) = map.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)) else {
            self.error(FindingKind::Missing, format!("`{name}` is required: it selects the kind of object"), None);
            return None;
        };
        if is_expression(value) {
            return None;
        }
        let Some(word) = value.as_str() else {
            self.within(key, |w| w.wrong_type("a string", value));
            return None;
        };
        let Some((proper, node)) = variants.iter().find(|(k, _)| k.eq_ignore_ascii_case(word)) else {
            let words: Vec<String> = variants.keys().cloned().collect();
            self.within(key, |w| w.word(word, &words, false));
            return None;
        };
        if proper != word {
            self.within(key, |w| {
                w.warn(FindingKind::Case, format!("`{word}` is spelt `{proper}`"), Some(proper.clone()))
            });
        }
        match node.resolved() {
            PropertyType::Object(variant) => Some(variant),
            _ => None,
        }
    }

    fn object(&mut self, object: &Object, map: &Map<String, Value>, top: bool) {
        if object.pruned {
            return;
        }
        let variant = self.variant(object, map);
        // While the variant is unknown, properties that only variants have are not reported.
        let undecided = object.variants.is_some() && variant.is_none();
        let find = |key: &str| object.own(key).or_else(|| variant.and_then(|v| v.own(key)));
        for (key, value) in map {
            if key.starts_with('[') || key == "copy" && value.is_array() || top && ENVELOPE.contains(&key.as_str()) {
                continue;
            }
            if object.variants.as_ref().is_some_and(|(name, _)| name.eq_ignore_ascii_case(key)) {
                continue;
            }
            match find(key) {
                Some((proper, node)) => self.within(key, |w| {
                    if proper != key {
                        w.warn(FindingKind::Case, format!("`{key}` is spelt `{proper}`"), Some(proper.to_owned()));
                    }
                    if node.read_only && !value.is_null() {
                        w.warn(
                            FindingKind::ReadOnly,
                            format!("`{proper}` is read-only: only the service sets it"),
                            None,
                        );
                    } else {
                        w.node(node, value);
                    }
                }),
                None => match object.additional.as_ref().or_else(|| variant.and_then(|v| v.additional.as_ref())) {
                    Some(node) => self.within(key, |w| w.node(node, value)),
                    None if undecided => {}
                    None => self.unknown(key, object, variant, top),
                },
            }
        }
        for (name, node) in object.properties.iter().chain(variant.iter().flat_map(|v| &v.properties)) {
            // The name of the resource itself is looked at elsewhere.
            if !node.required || node.read_only || top && name == "name" {
                continue;
            }
            let there = map.keys().any(|k| k.eq_ignore_ascii_case(name) || k.starts_with('['));
            let copied = map.get("copy").and_then(Value::as_array).is_some_and(|all| {
                all.iter().any(|c| c.get("name").and_then(Value::as_str).is_some_and(|n| n.eq_ignore_ascii_case(name)))
            });
            if !there && !copied && !self.existing {
                self.error(FindingKind::Missing, format!("`{name}` is required"), None);
            }
        }
    }

    fn unknown(&mut self, key: &str, object: &Object, variant: Option<&Object>, top: bool) {
        let named = object.properties.iter().chain(variant.iter().flat_map(|v| &v.properties));
        let near = nearest(key, named.filter(|(_, n)| !n.read_only).map(|(name, _)| name.as_str()));
        // A property of the resource that was written outside of `properties`.
        let inner = object.child("properties").and_then(|p| p.child(key)).map(|_| format!("properties.{key}"));
        let suggestion = inner.or_else(|| near.map(str::to_owned));
        let place = if top { "this type" } else { "what is here" };
        let severity = if self.other_version { FindingSeverity::Warning } else { FindingSeverity::Error };
        let message = format!("`{key}` is not a property of {place}");
        self.within(key, |w| w.push(FindingKind::UnknownProperty, severity, message, suggestion));
    }
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
