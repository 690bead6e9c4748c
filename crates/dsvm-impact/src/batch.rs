//! A Batch pool on both sides → lines for what is in its formula, its mounts and its start task.

use super::formula::{formula_change, script_change};
use super::types::Draft;
use super::units;
use serde_json::Value;
use std::collections::BTreeMap;

/// Pointers to what is compared here, as paths of the plan.
pub(crate) const FORMULA: &str = "properties.scaleSettings.autoScale.formula";
pub(crate) const MOUNTS: &str = "properties.mountConfiguration";
pub(crate) const START: &str = "properties.startTask";

fn text(body: &Value, pointer: &str) -> String {
    body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The statements of the autoscale formula that differ.
pub(crate) fn formula(before: &Value, after: &Value) -> Vec<Draft> {
    let pointer = "/properties/scaleSettings/autoScale/formula";
    let (was, is) = (text(before, pointer), text(after, pointer));
    if was.is_empty() || is.is_empty() || was == is {
        return Vec::new();
    }
    let change = formula_change(&was, &is);
    vec![Draft { subject: "autoscale formula".to_owned(), change, place: "autoscale".to_owned(), ..Draft::default() }]
}

/// What is mounted where.
pub(crate) fn mounts(before: &Value, after: &Value) -> Vec<Draft> {
    let (was, is) = (mounted(before), mounted(after));
    let mut drafts = Vec::new();
    let mut push = |subject: String, change: String| {
        drafts.push(Draft { subject, change, place: "shares".to_owned(), ..Draft::default() });
    };
    for (name, (path, options)) in &is {
        match was.get(name) {
            None => push(format!("mount of {name}"), format!("added at /{path}")),
            Some((known, _)) if known != path => push(format!("mount of {name}"), format!("/{known} → /{path}")),
            Some((_, known)) if known != options => {
                push(format!("mount options of {name}"), format!("{} → {}", units::cut(known), units::cut(options)));
            }
            Some(_) => {}
        }
    }
    for (name, (path, _)) in was.iter().filter(|(name, _)| !is.contains_key(*name)) {
        push(format!("mount of {name}"), format!("removed from /{path}"));
    }
    drafts
}

/// Path and options of a mount by what is mounted.
fn mounted(body: &Value) -> BTreeMap<String, (String, String)> {
    let all = body.pointer("/properties/mountConfiguration").and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|mount| {
        let inner = mount.as_object()?.values().next()?;
        let name = match text(inner, "/containerName") {
            name if name.is_empty() => units::name(text(inner, "/azureFileUrl").trim_end_matches([')', ']', '\''])),
            name => name,
        };
        let options = [text(inner, "/mountOptions"), text(inner, "/blobfuseOptions")].concat();
        Some((name, (text(inner, "/relativeMountPath"), options)))
    })
    .collect()
}

/// What machines run when they start.
pub(crate) fn start(before: &Value, after: &Value) -> Vec<Draft> {
    let pointer = "/properties/startTask/commandLine";
    let (was, is) = (text(before, pointer), text(after, pointer));
    let change = match (was.is_empty(), is.is_empty()) {
        _ if was == is => return Vec::new(),
        (true, false) => "added".to_owned(),
        (false, true) => "removed".to_owned(),
        _ => script_change(&was, &is),
    };
    vec![Draft { subject: "setup".to_owned(), change, place: "setup".to_owned(), ..Draft::default() }]
}
