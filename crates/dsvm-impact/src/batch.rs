//! A Batch pool on both sides → lines for what is in its formula, its mounts and its start task.

use super::formula::{formula_change, script_change};
use super::machine::set_change;
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

/// Ranges of machines that a generated formula keeps, and the statements that differ besides.
pub(crate) fn formula(before: &Value, after: &Value) -> Vec<Draft> {
    let pointer = "/properties/scaleSettings/autoScale/formula";
    let (mut was, mut is) = (text(before, pointer), text(after, pointer));
    if was.is_empty() || is.is_empty() || was == is {
        return Vec::new();
    }
    let mut drafts = Vec::new();
    for (variable, field) in [("$TargetDedicatedNodes", "machines"), ("$TargetLowPriorityNodes", "spot_machines")] {
        let (Some(old), Some(new)) = (range(&was, variable), range(&is, variable)) else { continue };
        if old == new {
            continue;
        }
        let (old_text, new_text) = (format!("{}..{}", old.0, old.1), format!("{}..{}", new.0, new.1));
        let change = format!("{old_text} → {new_text}");
        drafts.push(Draft { subject: field.to_owned(), change, place: field.to_owned(), ..Draft::default() });
        // The rest of the statement is compared without its range.
        was = was.replacen(&bounds(variable, old), variable, 1);
        is = is.replacen(&bounds(variable, new), variable, 1);
    }
    if was != is {
        let change = formula_change(&was, &is);
        let subject = "autoscale formula".to_owned();
        drafts.push(Draft { subject, change, place: "autoscale".to_owned(), ..Draft::default() });
    }
    drafts
}

/// How a generated formula keeps a number of machines in a range.
fn bounds(variable: &str, (least, most): (u64, u64)) -> String {
    format!("{variable} = max({least}, min({most}, ")
}

/// The range of a generated formula; nothing when somebody wrote another one.
fn range(formula: &str, variable: &str) -> Option<(u64, u64)> {
    let at = formula.find(&format!("{variable} = max("))?;
    let (least, rest) = formula.get(at..)?.split_once("max(")?.1.split_once(", min(")?;
    let range = (least.parse().ok()?, rest.split_once(',')?.0.parse().ok()?);
    formula.contains(&bounds(variable, range)).then_some(range)
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

/// What machines run when they start: packages and steps where dsvmc wrote the script, else the script as a whole.
pub(crate) fn start(before: &Value, after: &Value) -> Vec<Draft> {
    let pointer = "/properties/startTask/commandLine";
    let (was, is) = (text(before, pointer), text(after, pointer));
    let draft = |subject: &str, change: String, place: &str| Draft {
        subject: subject.to_owned(),
        change,
        place: place.to_owned(),
        ..Draft::default()
    };
    match (was.is_empty(), is.is_empty()) {
        _ if was == is => return Vec::new(),
        (true, false) => return vec![draft("setup", "added".to_owned(), "setup")],
        (false, true) => return vec![draft("setup", "removed".to_owned(), "setup")],
        _ => {}
    }
    let (old, new) = (sections(&was), sections(&is));
    let mut drafts = Vec::new();
    drafts.extend(
        set_change(&packages(&old), &packages(&new)).map(|change| draft("setup packages", change, "setup packages")),
    );
    for (name, script) in new.iter().filter(|(name, _)| !name.is_empty()) {
        let place = format!("setup step {name}");
        match old.get(name) {
            None => drafts.push(draft(&place, "added".to_owned(), &place)),
            Some(known) if known != script => drafts.push(draft(&place, script_change(known, script), &place)),
            Some(_) => {}
        }
    }
    for name in old.keys().filter(|name| !name.is_empty() && !new.contains_key(*name)) {
        drafts.push(draft(&format!("setup step {name}"), "removed".to_owned(), "setup"));
    }
    if drafts.is_empty() {
        drafts.push(draft("setup", script_change(&was, &is), "setup"));
    }
    drafts
}

/// The parts of a start task by the comment above each; what comes before the first is without a name.
fn sections(script: &str) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    let mut name = String::new();
    for line in script.trim_end_matches('\'').lines() {
        match line.strip_prefix("# ").filter(|title| !title.contains(' ')) {
            Some(title) => title.clone_into(&mut name),
            None => {
                let part = all.entry(name.clone()).or_default();
                part.push_str(line);
                part.push('\n');
            }
        }
    }
    all
}

/// Packages that the first part installs.
fn packages(sections: &BTreeMap<String, String>) -> Vec<String> {
    let head = sections.get("").map(String::as_str).unwrap_or_default();
    let list = head.split_once("apt-get install -y ").and_then(|(_, rest)| rest.split_once(" &&"));
    list.map(|(list, _)| list.split_whitespace().map(str::to_owned).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(drafts: Vec<Draft>) -> Vec<String> {
        drafts.into_iter().map(|draft| format!("{}: {}", draft.subject, draft.change)).collect()
    }

    #[test]
    fn formulas_say_their_range_and_what_else_differs() {
        let pool =
            |formula: &str| json!({ "properties": { "scaleSettings": { "autoScale": { "formula": formula } } } });
        let generated = "$machines = ($tasks + 3.999) / 4;\n$TargetDedicatedNodes = max(0, min(8, $machines));\n";
        let change = |after: &str| said(formula(&pool(generated), &pool(after)));
        assert_eq!(change(&generated.replace("min(8", "min(12")), ["machines: 0..8 → 0..12"]);
        assert_eq!(
            change(&generated.replace("min(8", "min(12").replace("3.999) / 4", "1.999) / 2")),
            ["machines: 0..8 → 0..12", "autoscale formula: `$machines`: `3.999) / 4` → `1.999) / 2`"]
        );
        assert_eq!(change("$TargetDedicatedNodes = 3;"), ["autoscale formula: 2 statements removed, 1 added"]);
        assert_eq!(change(generated), Vec::<String>::new());
    }

    #[test]
    fn start_tasks_are_compared_by_packages_and_steps() {
        let pool = |script: &str| json!({ "properties": { "startTask": { "commandLine": format!("/bin/bash -c '{script}'") } } });
        let old =
            "set -e\napt-get update && apt-get install -y git vim && break\n# tools\npip install pandas\n# old\ntrue";
        let new =
            "set -e\napt-get update && apt-get install -y git tmux && break\n# tools\npip install polars\n# more\ntrue";
        assert_eq!(
            said(start(&pool(old), &pool(new))),
            [
                "setup packages: tmux added, vim removed",
                "setup step more: added",
                "setup step tools: `pandas` → `polars`",
                "setup step old: removed",
            ]
        );
        assert_eq!(said(start(&pool("true"), &pool("false"))), ["setup: `'true'` → `'false'`"]);
        assert_eq!(said(start(&json!({}), &pool("true"))), ["setup: added"]);
    }

    #[test]
    fn mounts_are_named_by_what_is_mounted() {
        let pool = |path: &str| {
            json!({ "properties": { "mountConfiguration": [{ "azureFileShareConfiguration": {
            "azureFileUrl": "https://st.file.core.windows.net/sets", "relativeMountPath": path } }] } })
        };
        assert_eq!(said(mounts(&pool("data/sets"), &pool("data/nb"))), ["mount of sets: /data/sets → /data/nb"]);
        assert_eq!(said(mounts(&json!({}), &pool("data/nb"))), ["mount of sets: added at /data/nb"]);
    }
}
