//! How the elements of two lists belong together: by a key, as a set, or by position.

use super::facts::Fact;
use serde_json::Value;
use std::collections::BTreeSet;

/// One pair: its label in paths, its index in the wanted list (or the observed one when it is only there), both sides.
pub(super) type Pair<'a> = (String, usize, Option<&'a Value>, Option<&'a Value>);

/// How two lists compare.
pub(super) enum Pairing<'a> {
    /// Both lists have the same elements.
    Equal {
        /// In another order, which means nothing here.
        reordered: bool,
    },
    /// Simple values that differ: shown as a whole.
    Whole,
    /// Look at each pair.
    Elements {
        /// The pairs, wanted ones first.
        pairs: Vec<Pair<'a>>,
        /// Matched in another order.
        reordered: bool,
    },
}

/// Pairs the elements of two lists by key, value or position.
pub(super) fn pair<'a>(
    wanted: &'a [Value],
    found: &'a [Value],
    fact: &Fact,
    free: bool,
    same: &dyn Fn(&Value, &Value) -> bool,
) -> Pairing<'a> {
    let all = || wanted.iter().chain(found);
    if !all().all(Value::is_object) {
        return simple(wanted, found, fact.set, same);
    }
    let key = if free { None } else { key_of(wanted, found, fact) };
    let Some(key) = key else {
        if fact.set
            && let Some(reordered) = as_set(wanted, found, same)
        {
            return Pairing::Equal { reordered };
        }
        return by_position(wanted, found);
    };
    let label = |v: &Value| match v.get(&key) {
        Some(Value::String(s)) => s.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let mut pairs: Vec<Pair<'a>> = Vec::new();
    let mut used = BTreeSet::new();
    let mut reordered = false;
    let mut at = 0;
    for (index, w) in wanted.iter().enumerate() {
        let name = label(w);
        let hit = found.iter().position(|f| label(f).eq_ignore_ascii_case(&name));
        if let Some(hit) = hit {
            reordered |= hit < at;
            at = at.max(hit);
            used.insert(hit);
        }
        pairs.push((short(&name), index, Some(w), hit.and_then(|h| found.get(h))));
    }
    for (index, f) in found.iter().enumerate().filter(|(i, _)| !used.contains(i)) {
        pairs.push((short(&label(f)), wanted.len() + index, None, Some(f)));
    }
    Pairing::Elements { pairs, reordered }
}

/// A key is used when every element has it and no two elements share it.
fn key_of(wanted: &[Value], found: &[Value], fact: &Fact) -> Option<String> {
    let unique = |list: &[Value], key: &str| {
        let mut seen = BTreeSet::new();
        list.iter().all(|v| match v.get(key) {
            Some(Value::String(s)) => seen.insert(s.to_ascii_lowercase()),
            Some(n @ Value::Number(_)) => seen.insert(n.to_string()),
            _ => false,
        })
    };
    let guesses = fact.key.as_deref().into_iter().chain(["name", "id"]);
    guesses.into_iter().find(|key| unique(wanted, key) && unique(found, key)).map(str::to_owned)
}

fn by_position<'a>(wanted: &'a [Value], found: &'a [Value]) -> Pairing<'a> {
    let length = wanted.len().max(found.len());
    let pairs = (0..length).map(|i| (i.to_string(), i, wanted.get(i), found.get(i))).collect();
    Pairing::Elements { pairs, reordered: false }
}

fn simple<'a>(
    wanted: &'a [Value],
    found: &'a [Value],
    set: bool,
    same: &dyn Fn(&Value, &Value) -> bool,
) -> Pairing<'a> {
    if wanted.len() == found.len() && wanted.iter().zip(found).all(|(w, f)| same(w, f)) {
        return Pairing::Equal { reordered: true };
    }
    if set && let Some(reordered) = as_set(wanted, found, same) {
        return Pairing::Equal { reordered };
    }
    Pairing::Whole
}

/// Whether both hold the same elements, each as often; then whether the order differs.
fn as_set(wanted: &[Value], found: &[Value], same: &dyn Fn(&Value, &Value) -> bool) -> Option<bool> {
    if wanted.len() != found.len() {
        return None;
    }
    let mut left: Vec<&Value> = found.iter().collect();
    for w in wanted {
        let hit = left.iter().position(|f| same(w, f))?;
        left.remove(hit);
    }
    Some(true)
}

/// A key as people read it: the last part of an id, the schedule that a profile returns from, at most 60 characters.
pub(super) fn short(label: &str) -> String {
    if let Some(schedule) = returns_from(label) {
        return format!("return from {schedule}");
    }
    let last = if label.starts_with('/') { label.rsplit('/').next().unwrap_or(label) } else { label };
    if last.chars().count() > 60 { last.chars().take(57).collect::<String>() + "..." } else { last.to_owned() }
}

/// The schedule after which an autoscale profile returns to the default: Azure marks such a profile by a name in JSON.
fn returns_from(name: &str) -> Option<String> {
    let name: Value = serde_json::from_str(name.strip_prefix('{').map(|_| name)?).ok()?;
    name.get("for").and_then(Value::as_str).map(str::to_owned)
}

/// Extensions that Azure Policy puts into every scale set of a subscription, seen in recorded answers of the service.
pub(super) fn added_by_policy(pattern: &str, element: &Value) -> bool {
    const TYPES: [&str; 7] = [
        "Microsoft.Azure.Security.AntimalwareSignature/AntimalwareConfiguration",
        "Microsoft.Azure.Geneva/GenevaMonitoring",
        "Microsoft.Azure.Security/IaaSAntimalware",
        "Microsoft.Azure.AzureDefenderForServers/MDE.Linux",
        "Microsoft.Azure.AzureDefenderForServers/MDE.Windows",
        "Microsoft.GuestConfiguration/ConfigurationforLinux",
        "Microsoft.GuestConfiguration/ConfigurationforWindows",
    ];
    if !pattern.ends_with("extensionprofile.extensions[]") {
        return false;
    }
    let text = |key: &str| element.pointer(key).and_then(Value::as_str).unwrap_or_default();
    let full = format!("{}/{}", text("/properties/publisher"), text("/properties/type"));
    TYPES.iter().any(|t| t.eq_ignore_ascii_case(&full))
}
