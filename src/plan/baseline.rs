//! What the last apply left behind: values that the service filled in, and fingerprints of values that it never shows.
//!
//! Kept in the project's `.dsvmc/` folder by `apply`. Holds hashes only: no value, and no secret.

use super::{AttributeKind, Desired, Observed, Options, diff, normal};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The record of one project and env.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// Random text that goes into each fingerprint.
    pub salt: String,
    /// By folded id.
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
        let plan = diff(desired, observed, &Options::default());
        let live: BTreeMap<String, &Value> = observed
            .resources
            .iter()
            .filter_map(|r| r.get("id").and_then(Value::as_str).map(|id| (normal::fold_id(id), r)))
            .collect();
        for change in &plan.changes {
            let Some(found) = live.get(&normal::fold_id(&change.id)) else { continue };
            let removed = change.attributes.iter().filter(|a| a.kind == AttributeKind::Remove && !a.secret);
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
        let hidden = plan.suppressed.iter().filter(|s| s.rule == super::Rule::WriteOnly);
        for entry in hidden {
            let Some(resource) = desired.resources.iter().find(|r| normal::same_id(&r.id, &entry.id)) else { continue };
            if let Some(value) = at_path(&resource.body, &entry.path) {
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

/// The value at a path as plans show it (`a.b[name].c`).
fn at_path<'a>(root: &'a Value, path: &str) -> Option<&'a Value> {
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
