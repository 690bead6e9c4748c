//! A single change of a template's meaning is a difference of its snapshot: values of the examples are changed one by one.

use dsvmc::cli::disk::Disk;
use dsvmc::deploy::compiled::{CompiledProject, Template};
use dsvmc::deploy::frontend::Silent;
use dsvmc::deploy::input::DeployInput;
use dsvmc::deploy::load::from_compilation;
use dsvmc::deploy::snapshot::{compare, take};
use dsvmc::driver::{self, Options, Stop};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// Pointers to all values without members, but for those that say nothing of what is deployed.
fn leaves(value: &Value, pointer: &str, out: &mut Vec<String>) {
    let below = |step: &str| format!("{pointer}/{}", step.replace('~', "~0").replace('/', "~1"));
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                // Descriptions, marks for dsvmc itself, and digests of what is there in full.
                let silent =
                    ["metadata", "$schema", "contentVersion", "forceUpdateTag", "timestamp", "languageVersion"];
                if !silent.contains(&name.as_str()) {
                    leaves(member, &below(name), out);
                }
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| leaves(item, &below(&at.to_string()), out));
        }
        _ => out.push(pointer.to_owned()),
    }
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

#[test]
fn a_change_of_any_value_is_seen() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut folders: Vec<_> = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    let mut tried = 0;
    for (number, folder) in folders.iter().enumerate() {
        let project = project(folder, None);
        let before = take(&project).unwrap_or_else(|_| panic!("{}", folder.display()));
        for part in 0..project.parts.len() {
            let template = project.parts[part].template.read();
            let mut all = Vec::new();
            leaves(&template, "", &mut all);
            // Some of each, others in each example: all together, every kind of resource.
            for pointer in all.iter().skip(number % 7).step_by(if all.len() > 200 { 23 } else { 7 }) {
                let old = template.pointer(pointer).unwrap();
                let mut other = template.clone();
                *other.pointer_mut(pointer).unwrap() = changed(old);
                if other == template {
                    continue;
                }
                let mut project = project.clone();
                project.parts[part].template = Arc::new(Template::from(&other));
                tried += 1;
                // A template that cannot be expanded any more is no silent change.
                let Ok(after) = take(&project) else { continue };
                assert!(
                    !compare(&before, &after).is_empty(),
                    "{}: {pointer}: {old} is another one, and nobody sees it",
                    folder.display()
                );
            }
        }
    }
    assert!(tried > 150, "{tried}");
}
