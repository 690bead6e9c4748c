//! The setup script of a pool on both sides → lines: users, mounts, links, setup steps and packages.

use super::encoded;
use super::types::Draft;
use super::units::cut;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Where the description of a pool begins in its script; it is the rest of the line.
const POOL: &str = "\n#POOL ";

/// Subject, change, and the key of its place in the block.
type Edit = (String, String, String);

/// What is different in the scripts. `before` is nothing when the last one is not known.
pub(crate) fn lines(before: Option<&str>, after: Option<&str>) -> Vec<Draft> {
    let (before, after) = (before.and_then(encoded::text), after.and_then(encoded::text));
    let Some(after) = after else { return vec![unknown()] };
    let Some(before) = before else { return vec![unknown()] };
    let (Some((program, old)), Some((other, new))) = (facts(&before), facts(&after)) else {
        return vec![line("setup", "changed", "setup")];
    };
    let mut edits = Vec::new();
    people(&old, &new, &mut edits);
    mounts(&old, &new, &mut edits);
    setup(&old, &new, &mut edits);
    limits(&old, &new, &mut edits);
    host_key(&old, &new, &mut edits);
    let handled = ["users", "shares", "packages", "steps", "ports", "client", "limits", "host_key"];
    let rest = keys(&old, &new).into_iter().filter(|key| !handled.contains(&key.as_str()));
    for key in rest.filter(|key| old.get(key) != new.get(key)) {
        let (subject, place) = match key.as_str() {
            "admin" => ("admin name", "admin"),
            "vault" => ("vault", "vault"),
            "passwords" => ("password_secret", "admin"),
            "health" => ("health port", "health"),
            other => (other, other),
        };
        edits.push((subject.to_owned(), between(old.get(&key), new.get(&key)), place.to_owned()));
    }
    if program != other {
        edits.push((
            "program on the machines".to_owned(),
            "another version of dsvmc's program".to_owned(),
            String::new(),
        ));
    }
    edits.into_iter().map(|(subject, change, place)| line(&subject, &change, &place)).collect()
}

/// How the change of a user who was added begins.
pub(crate) const ADDED: &str = "added";
/// What follows when the user can become root.
pub(crate) const WITH_ROOT: &str = ", with `sudo`";

fn unknown() -> Draft {
    line("setup", "changed; what the machines have is not known", "setup")
}

fn line(subject: &str, change: &str, place: &str) -> Draft {
    Draft { subject: subject.to_owned(), change: change.to_owned(), place: place.to_owned(), ..Draft::default() }
}

/// The program, and the description after it.
fn facts(document: &str) -> Option<(&str, Map<String, Value>)> {
    let (program, description) = document.split_once(POOL)?;
    match serde_json::from_str(description.trim()).ok()? {
        Value::Object(map) => Some((program, map)),
        _ => None,
    }
}

fn keys(old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<String> {
    let mut all: Vec<String> = new.keys().chain(old.keys().filter(|key| !new.contains_key(*key))).cloned().collect();
    all.dedup();
    all
}

/// The elements of a list by one of their members.
fn by<'v>(facts: &'v Map<String, Value>, list: &str, member: &str) -> BTreeMap<&'v str, &'v Value> {
    let all = facts.get(list).and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|one| Some((one.get(member)?.as_str()?, one))).collect()
}

fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "none".to_owned(),
        Some(Value::String(text)) if text.contains(encoded::OPEN) => "known at deployment".to_owned(),
        Some(Value::String(text)) => cut(text),
        Some(Value::Array(list)) if list.is_empty() => "none".to_owned(),
        Some(Value::Array(list)) => cut(&list.iter().map(|v| text(Some(v))).collect::<Vec<_>>().join(", ")),
        Some(Value::Object(map)) => cut(&map.values().map(|v| text(Some(v))).collect::<Vec<_>>().join(", ")),
        Some(other) => other.to_string(),
    }
}

fn between(old: Option<&Value>, new: Option<&Value>) -> String {
    format!("{} → {}", text(old), text(new))
}

fn people(old: &Map<String, Value>, new: &Map<String, Value>, edits: &mut Vec<Edit>) {
    let (before, after) = (by(old, "users", "name"), by(new, "users", "name"));
    for (name, user) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        edits.push((format!("user {name}"), added(user), format!("user {name}")));
        // The number is who somebody is on an NFS share: files of the earlier user become those of the new one.
        let uid = user.get("uid");
        let earlier = before.iter().find(|(other, known)| known.get("uid") == uid && !after.contains_key(*other));
        if let Some((earlier, _)) = earlier {
            let change = format!("{} was {earlier}'s: files of {earlier} on NFS shares become {name}'s", text(uid));
            edits.push((format!("user {name} uid"), change, format!("user {name}")));
        }
    }
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        edits.push((format!("user {name}"), "removed".to_owned(), String::new()));
    }
    for (name, user) in &after {
        let Some(known) = before.get(name).filter(|known| *known != user) else { continue };
        for (member, word) in [("uid", "uid"), ("sudo", "sudo"), ("groups", "groups"), ("keys", "key")] {
            let (was, is) = (known.get(member), user.get(member));
            if was != is {
                let change = if member == "keys" { "another key".to_owned() } else { between(was, is) };
                edits.push((format!("user {name} {word}"), change, format!("user {name}")));
            }
        }
    }
}

/// How a line says that a user was added, with the rights beyond those of everybody.
fn added(user: &Value) -> String {
    let mut change = ADDED.to_owned();
    if user.get("sudo") == Some(&Value::Bool(true)) {
        change.push_str(WITH_ROOT);
    }
    if user.get("groups").and_then(Value::as_array).is_some_and(|groups| !groups.is_empty()) {
        change.push_str(&format!(", in {}", text(user.get("groups"))));
    }
    change
}

fn mounts(old: &Map<String, Value>, new: &Map<String, Value>, edits: &mut Vec<Edit>) {
    let (before, after) = (by(old, "shares", "share"), by(new, "shares", "share"));
    let mount = |share: &Value| text(share.get("mount"));
    for (name, share) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        edits.push((format!("share {name}"), format!("mounted at {}", mount(share)), "shares".to_owned()));
    }
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        edits.push((format!("share {name}"), "no longer mounted".to_owned(), "shares".to_owned()));
    }
    for (name, share) in &after {
        let Some(known) = before.get(name).filter(|known| *known != share) else { continue };
        let words = [
            ("mount", "mount"),
            ("kind", "auth"),
            ("account", "account"),
            ("file_mode", "file_mode"),
            ("directory_mode", "directory_mode"),
            ("options", "options"),
            ("vault", "vault"),
            ("secret", "key_secret"),
        ];
        for (member, word) in words.into_iter().filter(|(member, _)| known.get(member) != share.get(member)) {
            let change = between(known.get(member), share.get(member));
            edits.push((format!("share {name} {word}"), change, "shares".to_owned()));
        }
        links(name, known, share, edits);
    }
}

fn links(share: &str, old: &Value, new: &Value, edits: &mut Vec<Edit>) {
    let all = |value: &Value| -> BTreeMap<String, String> {
        let links = value.get("links").and_then(Value::as_array).into_iter().flatten();
        links.map(|link| (text(link.get("path")), text(link.get("target")))).collect()
    };
    let (before, after) = (all(old), all(new));
    for (path, target) in &after {
        let change = match before.get(path) {
            Some(known) if known == target => continue,
            Some(known) => format!("{known} → {target}"),
            None => format!("added, to {target}"),
        };
        edits.push((format!("share {share} link ~/{path}"), change, "shares".to_owned()));
    }
    for path in before.keys().filter(|path| !after.contains_key(*path)) {
        edits.push((format!("share {share} link ~/{path}"), "removed".to_owned(), "shares".to_owned()));
    }
}

fn setup(old: &Map<String, Value>, new: &Map<String, Value>, edits: &mut Vec<Edit>) {
    let packages = |facts: &Map<String, Value>| -> Vec<String> {
        let all = facts.get("packages").and_then(Value::as_array).into_iter().flatten();
        all.filter_map(|one| one.as_str().map(str::to_owned)).collect()
    };
    let (before, after) = (packages(old), packages(new));
    let place = "setup packages".to_owned();
    if let Some(change) = set_change(&before, &after) {
        edits.push(("setup packages".to_owned(), change, place));
    }
    let (before, after) = (by(old, "steps", "name"), by(new, "steps", "name"));
    for name in after.keys().filter(|name| !before.contains_key(*name)) {
        edits.push((format!("setup step {name}"), "added".to_owned(), format!("setup step {name}")));
    }
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        edits.push((format!("setup step {name}"), "removed".to_owned(), "setup".to_owned()));
    }
    for (name, step) in &after {
        let Some(known) = before.get(name) else { continue };
        if known.get("run") != step.get("run") {
            let script = |value: &Value| text_of(value.get("run"));
            let change = super::formula::script_change(&script(known), &script(step));
            edits.push((format!("setup step {name}"), change, format!("setup step {name}")));
        }
        if known.get("retries") != step.get("retries") {
            let change = between(known.get("retries"), step.get("retries"));
            edits.push((format!("setup step {name} retries"), change, format!("setup step {name}")));
        }
    }
    let order = |facts: &Map<String, Value>| -> Vec<String> {
        let all = facts.get("steps").and_then(Value::as_array).into_iter().flatten();
        all.map(|one| text(one.get("name"))).collect()
    };
    let (was, is) = (order(old), order(new));
    if was != is && was.len() == is.len() && is.iter().all(|name| was.contains(name)) {
        edits.push(("setup".to_owned(), format!("order of steps: {}", is.join(", ")), "setup".to_owned()));
    }
}

fn limits(old: &Map<String, Value>, new: &Map<String, Value>, edits: &mut Vec<Edit>) {
    let of =
        |facts: &Map<String, Value>, member: &str| facts.get("limits").and_then(|limits| limits.get(member)).cloned();
    for member in ["memory", "tasks"] {
        let (was, is) = (of(old, member), of(new, member));
        if was != is {
            let change = format!("{} → {}", amount(was.as_ref()), amount(is.as_ref()));
            edits.push((format!("limits {member}"), change, format!("limits {member}")));
        }
    }
}

/// An amount in the notation of systemd, as one would write it in the source: `16 GiB` for `16G`.
fn amount(value: Option<&Value>) -> String {
    let written = text(value);
    let units = [('K', "KiB"), ('M', "MiB"), ('G', "GiB"), ('T', "TiB")];
    let with = units.into_iter().find_map(|(unit, word)| Some(format!("{} {word}", written.strip_suffix(unit)?)));
    with.unwrap_or(written)
}

/// A host key by the name of its secret; what the key is, only the machines know.
fn host_key(old: &Map<String, Value>, new: &Map<String, Value>, edits: &mut Vec<Edit>) {
    let (was, is) = (old.get("host_key"), new.get("host_key"));
    if was == is {
        return;
    }
    let secret = |key: Option<&Value>| key.and_then(|key| key.get("secret")).cloned();
    let change = match (secret(was), secret(is)) {
        (old, new) if old == new => format!("{} of another vault", text(new.as_ref())),
        (None, new) => format!("one for each machine → {}", text(new.as_ref())),
        (old, None) => format!("{} → one for each machine", text(old.as_ref())),
        (old, new) => between(old.as_ref(), new.as_ref()),
    };
    edits.push(("host_key".to_owned(), change, "host_key".to_owned()));
}

fn text_of(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// What comes and goes in a list whose order means nothing: `git, tmux added; vim removed`.
pub(crate) fn set_change(before: &[String], after: &[String]) -> Option<String> {
    let only = |these: &[String], others: &[String]| {
        let all: Vec<&str> = these.iter().filter(|one| !others.contains(one)).map(String::as_str).collect();
        all.join(", ")
    };
    let (added, removed) = (only(after, before), only(before, after));
    match (added.is_empty(), removed.is_empty()) {
        (true, true) => None,
        (false, true) => Some(format!("{added} added")),
        (true, false) => Some(format!("{removed} removed")),
        (false, false) => Some(format!("{added} added, {removed} removed")),
    }
}
