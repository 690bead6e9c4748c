//! A single change of a template's meaning is a difference of its snapshot: values of the examples are changed one by one.

use dsvmc::cli::disk::Disk;
use dsvmc::deploy::compiled::{CompiledProject, Template};
use dsvmc::deploy::frontend::Silent;
use dsvmc::deploy::input::DeployInput;
use dsvmc::deploy::load::from_compilation;
use dsvmc::deploy::snapshot::{compare, take};
use dsvmc::driver::{self, Options, Stop};
use rayon::prelude::*;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// Members that say nothing of what is deployed: descriptions, marks for dsvmc itself, digests of what is there in full.
const SILENT: [&str; 6] = ["metadata", "$schema", "contentVersion", "forceUpdateTag", "timestamp", "languageVersion"];

/// Pointers to all values, outer ones before inner ones.
fn values(value: &Value, pointer: &str, out: &mut Vec<String>) {
    let below = |step: &str| format!("{pointer}/{}", step.replace('~', "~0").replace('/', "~1"));
    if !pointer.is_empty() {
        out.push(pointer.to_owned());
    }
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter().filter(|(name, _)| !SILENT.contains(&name.as_str())) {
                values(member, &below(name), out);
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| values(item, &below(&at.to_string()), out))
        }
        _ => {}
    }
}

/// The template without a member or an element.
fn without(template: &Value, pointer: &str) -> Value {
    let mut other = template.clone();
    let (outer, step) = pointer.rsplit_once('/').unwrap();
    match other.pointer_mut(outer).unwrap() {
        Value::Object(members) => {
            members.shift_remove(&step.replace("~1", "/").replace("~0", "~"));
        }
        Value::Array(items) => {
            items.remove(step.parse().unwrap());
        }
        _ => {}
    }
    other
}

/// The template with one more member or element where there are some.
fn with_more(template: &Value, pointer: &str) -> Value {
    let mut other = template.clone();
    match other.pointer_mut(pointer).unwrap() {
        Value::Object(members) => {
            members.insert("added".to_owned(), Value::from("here"));
        }
        Value::Array(items) => items.extend(items.first().cloned()),
        _ => {}
    }
    other
}

/// The value with one change in it.
fn changed(value: &Value) -> Value {
    match value {
        Value::Bool(yes) => Value::from(!yes),
        Value::Number(number) => Value::from(number.as_i64().unwrap_or_default() + 1),
        // Within an expression the change must stay one.
        Value::String(text) if text.starts_with('[') => match text.rfind('\'') {
            Some(at) => Value::from(format!("{}x{}", &text[..at], &text[at..])),
            None => Value::from("plain"),
        },
        Value::String(text) => Value::from(format!("{text}x")),
        other => other.clone(),
    }
}

fn project(example: &Path, env: Option<String>) -> CompiledProject {
    let world = Disk::new(Some(jiff::civil::date(2026, 11, 23)));
    let compiled = driver::compile(&world, example, Options { stop: Stop::AfterEmission }).unwrap();
    let first = compiled.envs.first().map(ToString::to_string);
    let input = DeployInput { env: env.or(first), ..DeployInput::default() };
    from_compilation(compiled, example, &input, &mut Silent).unwrap_or_else(|_| panic!("{}", example.display()))
}

/// Whether what is added there changes nothing that is deployed: a variable that nothing uses, a member that the language of
/// templates does not know beside a parameter or an option, a dependency twice.
fn means_nothing(pointer: &str) -> bool {
    let steps: Vec<&str> = pointer.split('/').collect();
    let ends = |name: &str| steps.last() == Some(&name);
    steps.contains(&"variables")
        || steps.contains(&"parameters")
        || steps.contains(&"outputs")
        || ends("expressionEvaluationOptions")
        || ends("dependsOn")
}

/// Whether it is a member of a nested deployment itself, such as its API version: what that deploys is in the snapshot, in
/// the place of the deployment.
fn of_nested(template: &Value, pointer: &str) -> bool {
    let steps: Vec<&str> = pointer.split('/').skip(1).collect();
    let [resources, number, inside @ ..] = steps.as_slice() else { return false };
    let kind = template.pointer(&format!("/{resources}/{number}/type"));
    let nested = kind.is_some_and(|kind| kind == "Microsoft.Resources/deployments");
    nested && !matches!(inside, ["properties", "template", _, ..] | ["properties", "parameters", _, ..])
}

/// What a change does to a template.
type Change = fn(&Value, &str) -> Value;

fn another(template: &Value, pointer: &str) -> Value {
    let mut other = template.clone();
    let old = other.pointer(pointer).unwrap().clone();
    if !old.is_object() && !old.is_array() {
        *other.pointer_mut(pointer).unwrap() = changed(&old);
    }
    other
}

/// Changes each value, removes each member and element, and adds one to each object and list, one by one; a part of them
/// unless `DSVMC_CHANGE_STEP` is 1.
#[test]
fn a_change_of_any_value_is_seen() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut folders: Vec<_> = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    let asked: Option<usize> = std::env::var("DSVMC_CHANGE_STEP").ok().and_then(|step| step.parse().ok());
    let changes: [(&str, Change); 3] = [("changed", another), ("removed", without), ("added", with_more)];
    let mut cases = Vec::new();
    let mut projects = Vec::new();
    for (number, folder) in folders.iter().enumerate() {
        let project = project(folder, None);
        let before = take(&project).unwrap_or_else(|_| panic!("{}", folder.display()));
        for part in 0..project.parts.len() {
            let template = project.parts[part].template.read().clone();
            let mut all = Vec::new();
            values(&template, "", &mut all);
            let step = asked.unwrap_or(if all.len() > 200 { 37 } else { 11 });
            // Some of each, others in each example: all together, every kind of resource.
            for pointer in all.iter().skip(number % 7 % step).step_by(step) {
                cases.extend(
                    changes.iter().map(|(what, change)| (projects.len(), part, pointer.clone(), *what, *change)),
                );
            }
        }
        projects.push((folder.clone(), project, before));
    }
    let outcomes: Vec<(bool, Option<String>)> = cases
        .par_iter()
        .map(|(at, part, pointer, what, change)| {
            let (folder, project, before) = &projects[*at];
            let template = project.parts[*part].template.read().clone();
            let other = change(&template, pointer);
            if other == template || *what == "added" && means_nothing(pointer) || of_nested(&template, pointer) {
                return (false, None);
            }
            let mut project = project.clone();
            project.parts[*part].template = Arc::new(Template::from(&other));
            // A template that cannot be expanded any more is no silent change.
            let seen = take(&project).map_or(true, |after| !compare(before, &after).is_empty());
            (true, (!seen).then(|| format!("{}: {pointer} {what}", folder.file_name().unwrap().to_string_lossy())))
        })
        .collect();
    let tried = outcomes.iter().filter(|(tried, _)| *tried).count();
    let unseen: Vec<&String> = outcomes.iter().filter_map(|(_, unseen)| unseen.as_ref()).collect();
    println!("{tried} changes, {} unseen", unseen.len());
    assert!(unseen.is_empty(), "{} of {tried} changes are not seen:\n{unseen:#?}", unseen.len());
    assert!(tried > 250, "{tried}");
}
