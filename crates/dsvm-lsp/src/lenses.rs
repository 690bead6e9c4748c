//! A compiled project → what stands above its declarations, and its template beside its source.

use crate::host::Emitted;
use crate::position::Lines;
use crate::server::State;
use crate::symbols;
use dsvm_syntax::ast::{Item, ItemKind};
use lsp_types::{Range, Uri};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// What can be done with the declarations of a document, and what becomes of them.
pub(crate) fn all(state: &mut State, path: &Path, emitted: &Emitted) -> Vec<Value> {
    let Some(document) = state.documents.get(path) else { return Vec::new() };
    let (text, uri) = (document.text.clone(), document.uri.clone());
    let tree = state.trees.get(path, &text);
    let lines = Lines::new(&text, state.encoding);
    let mut made: BTreeMap<u32, BTreeMap<&str, usize>> = BTreeMap::new();
    for (kind, _, place) in emitted.parts.iter().flat_map(|part| &part.resources) {
        if place.path == *path {
            *made.entry(place.start).or_default().entry(kind).or_default() += 1;
        }
    }
    let mut lenses = Vec::new();
    for item in &tree.items {
        let range = first_line(&lines, item);
        let mut add = |title: String, command: &str, more: Value| {
            let mut argument = json!({ "textDocument": { "uri": uri } });
            if let (Some(all), Value::Object(more)) = (argument.as_object_mut(), more) {
                all.extend(more);
            }
            let command = json!({ "title": title, "command": command, "arguments": [argument] });
            lenses.push(json!({ "range": range, "command": command }));
        };
        match &item.kind {
            ItemKind::Env(env) => {
                let env = json!({ "env": &*env.name.value });
                add("template".to_owned(), "dsvmc.preview", env.clone());
                add("plan".to_owned(), "dsvmc.plan", env);
            }
            ItemKind::Block(block) if &*block.keyword.value == "test" => {
                let (name, at) = symbols::heading(block);
                if at != block.keyword.span {
                    add("run test".to_owned(), "dsvmc.runTest", json!({ "name": name }));
                }
            }
            ItemKind::Block(block) => {
                let inside = made.range(item.span.start..item.span.end.max(item.span.start + 1));
                let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
                for (kind, count) in inside.flat_map(|(_, kinds)| kinds) {
                    *kinds.entry(kind).or_default() += count;
                }
                let count: usize = kinds.values().sum();
                if count > 0 {
                    let plural = if count == 1 { "" } else { "s" };
                    let at = lines.position(block.keyword.span.start as usize);
                    add(format!("{count} resource{plural}"), "dsvmc.preview", json!({ "position": at }));
                }
            }
            _ => {}
        }
    }
    lenses
}

/// The line that a declaration begins on.
fn first_line(lines: &Lines<'_>, item: &Item) -> Range {
    let start = item.export.map_or(item.span.start, |export| export.start.min(item.span.start)) as usize;
    let begin = lines.position(start);
    Range::new(begin, begin)
}

/// The templates of a project, with the parameter file of an env, and which line of them is made from what.
pub(crate) fn preview(state: &State, emitted: &Emitted, env: Option<&str>) -> Value {
    let env = env.or(match emitted.envs.as_slice() {
        [only] => Some(only),
        [] => Some(""),
        _ => None,
    });
    let files = emitted.sources.iter().filter_map(|(_, file)| {
        let path = Path::new(&*file.name);
        Some((path, (state.spelled(path)?, Lines::new(&file.text, state.encoding))))
    });
    let files: HashMap<&Path, (Uri, Lines<'_>)> = files.collect();
    let parts: Vec<Value> = emitted
        .parts
        .iter()
        .map(|part| {
            let map: Vec<Value> = part
                .map
                .iter()
                .filter_map(|(first, last, place)| {
                    let (uri, lines) = files.get(place.path.as_path())?;
                    let range = lines.range(place.start as usize, place.end as usize);
                    Some(json!({ "lines": [first, last], "uri": uri, "range": range }))
                })
                .collect();
            let parameters = part.parameters.iter().find(|(name, _)| Some(name.as_str()) == env).map(|(_, text)| text);
            json!({ "name": part.name, "template": part.template, "parameters": parameters, "map": map })
        })
        .collect();
    json!({ "envs": emitted.envs, "env": env.filter(|env| !env.is_empty()), "parts": parts, "problem": emitted.problem })
}
