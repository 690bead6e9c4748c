//! What the last apply left behind: values that the service filled in, and fingerprints of values that it never shows.
//!
//! Kept in the project's `.dsvmc/` folder by `apply`. Holds hashes only: no value, and no secret.

use super::{AttributeKind, Desired, DiffOptions, Observed, ObservedResource, diff, normal};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The record of one project and env.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// Random text that goes into each fingerprint.
    pub salt: String,
    /// Records by resource id in lower case.
    pub resources: BTreeMap<String, ResourceBaseline>,
}

/// The record of one resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceBaseline {
    /// Hash by path of what the service filled in.
    pub filled: BTreeMap<String, String>,
    /// Fingerprint by path of what was written and is never shown.
    pub written: BTreeMap<String, String>,
}

impl Baseline {
    /// Hash of a value that the service filled in.
    #[must_use]
    pub fn filled(&self, id: &str, path: &str) -> Option<&str> {
        self.resources.get(&normal::fold_id(id))?.filled.get(path).map(String::as_str)
    }

    /// Fingerprint of a value that was written.
    #[must_use]
    pub fn written(&self, id: &str, path: &str) -> Option<&str> {
        self.resources.get(&normal::fold_id(id))?.written.get(path).map(String::as_str)
    }

    /// Records the state right after an apply. Every difference that is left then is something that the service filled in.
    #[must_use]
    pub fn record(desired: &Desired, observed: &Observed, salt: &str) -> Self {
        let mut record = Self { salt: salt.to_owned(), resources: BTreeMap::new() };
        let plan = diff(desired, observed, &DiffOptions::default());
        let live: BTreeMap<String, &ObservedResource> =
            observed.resources.iter().map(|r| (normal::fold_id(&r.id), r)).collect();
        for change in &plan.changes {
            let removed = change.attributes.iter().filter(|a| a.kind == AttributeKind::Remove && !a.secret);
            let mut removed = removed.peekable();
            let Some(found) = live.get(&normal::fold_id(&change.id)).filter(|_| removed.peek().is_some()) else {
                continue;
            };
            let found = &found.body.read();
            for attribute in removed {
                // A whole element of a list is somebody's doing, not a default.
                if attribute.path.ends_with(']') {
                    continue;
                }
                if let Some(value) = at_path(found, &attribute.path) {
                    let entry = record.resources.entry(normal::fold_id(&change.id)).or_default();
                    entry.filled.insert(attribute.path.clone(), super::digest(value));
                }
            }
        }
        let hidden = plan.suppressed.iter().filter(|s| s.rule == super::SuppressionRule::WriteOnly);
        let mut wanted: BTreeMap<String, &super::DesiredResource> = BTreeMap::new();
        for resource in &desired.resources {
            wanted.entry(normal::fold_id(&resource.id)).or_insert(resource);
        }
        for entry in hidden {
            let Some(resource) = wanted.get(&normal::fold_id(&entry.id)) else { continue };
            if let Some(value) = at_path(&resource.written().read(), &entry.path) {
                let print = fingerprint(value, salt);
                record
                    .resources
                    .entry(normal::fold_id(&entry.id))
                    .or_default()
                    .written
                    .insert(entry.path.clone(), print);
            }
        }
        record
    }
}

/// The part of a record that may be kept where others read it: fingerprints of hidden values that are not secret, short.
///
/// A deployment stack carries it in its description, so that a plan made on another machine sees a changed start script.
impl Baseline {
    /// Fingerprints of everything that the service will not show, before it is sent.
    #[must_use]
    pub fn hidden(desired: &Desired, salt: &str) -> Self {
        let mut record = Self { salt: salt.to_owned(), resources: BTreeMap::new() };
        for resource in &desired.resources {
            let facts = super::facts_of(&resource.resource_type);
            hidden_in(&resource.written().read(), &mut super::path::Path::default(), &facts, &mut |path, value| {
                let entry = record.resources.entry(normal::fold_id(&resource.id)).or_default();
                entry.written.insert(path.to_owned(), fingerprint(value, salt));
            });
        }
        record
    }

    /// As text of at most `limit` bytes; what does not fit is left out.
    #[must_use]
    pub fn to_note(&self, limit: usize) -> String {
        let mut text = format!("{NOTE} {}", self.salt);
        for (id, resource) in &self.resources {
            for (path, print) in &resource.written {
                if super::facts::secret_by_name(&path.to_ascii_lowercase()) || facts_say_secret(id, path) {
                    continue;
                }
                let entry = format!(" {}:{}", key_of(id, path), print.get(..SHORT).unwrap_or(print));
                if text.len() + entry.len() <= limit {
                    text.push_str(&entry);
                }
            }
        }
        text
    }

    /// Reads a note; returns the fingerprints for `desired`. `None` when the text is not a note.
    #[must_use]
    pub fn from_note(text: &str, desired: &Desired) -> Option<Self> {
        let mut words = text.strip_prefix(NOTE)?.split_whitespace();
        let mut record = Self { salt: words.next()?.to_owned(), resources: BTreeMap::new() };
        let entries: BTreeMap<&str, &str> = words.filter_map(|w| w.split_once(':')).collect();
        if entries.is_empty() {
            return Some(record);
        }
        for resource in &desired.resources {
            let facts = super::facts_of(&resource.resource_type);
            hidden_in(&resource.written().read(), &mut super::path::Path::default(), &facts, &mut |path, _| {
                if let Some(print) = entries.get(key_of(&resource.id, path).as_str()) {
                    let mine = record.resources.entry(normal::fold_id(&resource.id)).or_default();
                    mine.written.insert(path.to_owned(), (*print).to_owned());
                }
            });
        }
        Some(record)
    }

    /// This record, with what `other` knows besides.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        if self.salt != other.salt {
            // Fingerprints with another salt cannot be compared: `other` is dropped as a whole.
            for (id, resource) in other.resources {
                self.resources.entry(id).or_default().filled.extend(resource.filled);
            }
            return self;
        }
        for (id, resource) in other.resources {
            let mine = self.resources.entry(id).or_default();
            mine.filled.extend(resource.filled);
            for (path, print) in resource.written {
                mine.written.entry(path).or_insert(print);
            }
        }
        self
    }
}

/// Calls `found` for each value that is never shown and no secret.
fn hidden_in(value: &Value, at: &mut super::path::Path, facts: &super::TypeFacts, found: &mut dyn FnMut(&str, &Value)) {
    let fact = facts.at(at.pattern());
    if fact.secret || super::facts::secret_by_name(at.pattern()) {
        return;
    }
    if fact.write_only && !normal::is_empty(value) {
        return found(at.shown(), value);
    }
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let mark = at.enter_key(key);
                hidden_in(inner, at, facts, found);
                at.leave(mark);
            }
        }
        Value::Array(list) => {
            for (index, inner) in list.iter().enumerate() {
                let label = inner.get("name").and_then(Value::as_str).map_or_else(|| index.to_string(), str::to_owned);
                let mark = at.enter_element(&label, index);
                hidden_in(inner, at, facts, found);
                at.leave(mark);
            }
        }
        _ => {}
    }
}

const NOTE: &str = "Deployed by dsvmc. Record of hidden values:";
const SHORT: usize = 16;

fn key_of(id: &str, path: &str) -> String {
    let text = format!("{}\0{}", normal::fold_id(id), path.to_ascii_lowercase());
    super::saved::hex(&Sha256::digest(text.as_bytes())).chars().take(8).collect()
}

fn facts_say_secret(id: &str, path: &str) -> bool {
    let facts = super::facts_of(&normal::type_of_id(id).0);
    let mut pattern = String::new();
    let mut inside = false;
    for c in path.to_ascii_lowercase().chars() {
        match c {
            '[' => inside = true,
            ']' => {
                inside = false;
                pattern.push_str("[]");
            }
            c if !inside => pattern.push(c),
            _ => {}
        }
    }
    facts.at(&pattern).secret
}

/// The value at a path as plans show it (`a.b[name].c`).
pub(super) fn at_path<'a>(root: &'a Value, path: &str) -> Option<&'a Value> {
    let mut at = root;
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (label, after) = if inner.starts_with('"') {
                let end = inner
                    .char_indices()
                    .skip(1)
                    .find(|(i, c)| *c == '"' && !inner.get(..*i).unwrap_or("").ends_with('\\'))?
                    .0;
                (inner.get(..=end)?, inner.get(end + 2..)?)
            } else {
                inner.split_once(']')?
            };
            at = match at {
                Value::Array(list) => element(list, label)?,
                Value::Object(map) => map.get(serde_json::from_str::<String>(label).ok()?.as_str())?,
                _ => return None,
            };
            rest = after.strip_prefix('.').unwrap_or(after);
            continue;
        }
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let key = rest.get(..end)?;
        at = at.as_object()?.iter().find(|(k, _)| k.eq_ignore_ascii_case(key))?.1;
        let after = rest.get(end..)?;
        rest = after.strip_prefix('.').unwrap_or(after);
    }
    Some(at)
}

fn element<'a>(list: &'a [Value], label: &str) -> Option<&'a Value> {
    let named = list.iter().find(|v| {
        ["name", "id", "lun", "service", "value"].iter().any(|key| match v.get(key) {
            Some(Value::String(s)) => s.eq_ignore_ascii_case(label) || s.rsplit('/').next() == Some(label),
            Some(Value::Number(n)) => n.to_string() == label,
            _ => false,
        })
    });
    named.or_else(|| label.parse::<usize>().ok().and_then(|i| list.get(i)))
}

/// A slow, salted hash: says whether a hidden value changed and nothing else.
#[must_use]
pub fn fingerprint(value: &Value, salt: &str) -> String {
    const ROUNDS: usize = 4096;
    let text = value.to_string();
    let mut hash = Sha256::digest(format!("dsvmc\0{salt}\0{text}").as_bytes());
    for _ in 0..ROUNDS {
        let mut next = Sha256::new();
        next.update(hash);
        next.update(salt.as_bytes());
        hash = next.finalize();
    }
    super::saved::hex(&hash)
}
