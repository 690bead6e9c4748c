//! The order of the modules: each uses only those before it, and no files use each other in a cycle.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The modules at the top of the crate, lowest first; as in the README.
const ORDER: &[&str] = &[
    "value",
    "names",
    "error",
    "id",
    "clock",
    "cert",
    "facts",
    "http",
    "documents",
    "filter",
    "store",
    "faults",
    "core",
    "lro",
    "lookup",
    "guards",
    "providers",
    "rule",
    "limits",
    "nodes",
    "placement",
    "types",
    "write",
    "groups",
    "resources",
    "autoscale",
    "deploy",
    "stacks",
    "meta",
    "resource_graph",
    "admin",
    "router",
    "server",
    "client",
    "endpoint",
];

type Module = Vec<String>;
type Graph = BTreeMap<Module, BTreeSet<Module>>;

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("folder").map(|entry| entry.expect("entry").path()) {
        if entry.is_dir() {
            files(&entry, out);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            out.push(entry);
        }
    }
}

/// `deploy/run.rs` is `["deploy", "run"]`, `deploy/mod.rs` is `["deploy"]`.
fn module(root: &Path, file: &Path) -> Module {
    let inner = file.strip_prefix(root).expect("inside").with_extension("");
    let mut parts: Module = inner.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

/// The source text of every module except `lib.rs`.
fn sources() -> BTreeMap<Module, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&root, &mut all);
    let read = |file: &PathBuf| (module(&root, file), std::fs::read_to_string(file).expect("text"));
    all.iter().map(read).filter(|(module, _)| *module != ["lib"]).collect()
}

/// Every path that the tokens name, as segments: of imports with their braces written out, of expressions, and of the
/// arguments of macros. `super` of an inline module is counted from the file.
fn paths(tokens: TokenStream, prefix: &[String], depth: usize, out: &mut Vec<Module>) {
    let mut path: Module = prefix.to_vec();
    let mut colons = if prefix.is_empty() { 0 } else { 2 };
    let mut before: [String; 2] = Default::default();
    let end = |path: &mut Module, out: &mut Vec<Module>| {
        let skipped = path.iter().take(depth).take_while(|part| *part == "super").count();
        let skipped = if prefix.is_empty() { skipped } else { 0 };
        out.push(path.split_off(skipped));
        *path = prefix.to_vec();
    };
    for token in tokens {
        match token {
            TokenTree::Ident(name) => {
                if colons != 2 {
                    end(&mut path, out);
                }
                path.push(name.to_string());
                colons = 0;
                before = [std::mem::take(&mut before[1]), name.to_string()];
                continue;
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' => {
                colons += 1;
                continue;
            }
            TokenTree::Group(group) if colons == 2 && group.delimiter() == Delimiter::Brace => {
                let skipped = path.iter().take(depth).take_while(|part| *part == "super").count();
                paths(group.stream(), &path[skipped..], depth, out);
                path = prefix.to_vec();
            }
            other => {
                if matches!(&other, TokenTree::Punct(punct) if punct.as_char() == '*') && colons == 2 {
                    path.push("*".to_owned());
                }
                end(&mut path, out);
                if let TokenTree::Group(group) = other {
                    paths(group.stream(), &[], depth + usize::from(before[0] == "mod"), out);
                }
            }
        }
        colons = if prefix.is_empty() { 0 } else { 2 };
        before = Default::default();
    }
    end(&mut path, out);
}

/// Where a path leads from a module: segments from the root of the crate.
fn absolute(own: &Module, path: &Module) -> Module {
    let mut base = own.clone();
    let mut rest = path.as_slice();
    match rest.first().map(String::as_str) {
        Some("crate") => {
            base.clear();
            rest = &rest[1..];
        }
        Some("self") => rest = &rest[1..],
        _ => {}
    }
    while rest.first().is_some_and(|first| first == "super") {
        base.pop();
        rest = &rest[1..];
    }
    base.extend(rest.iter().cloned());
    base
}

/// What each module uses: of every path the longest beginning that is a module.
fn graph(sources: &BTreeMap<Module, String>) -> Graph {
    let module_of = |path: Module| {
        let beginnings = (1..=path.len()).rev().map(|length| path[..length].to_vec());
        beginnings.into_iter().find(|part| sources.contains_key(part))
    };
    let uses = |own: &Module, text: &String| {
        let mut found = Vec::new();
        paths(TokenStream::from_str(text).expect("tokens"), &[], 0, &mut found);
        // `pub(super)` names nothing
        let named = found.iter().filter(|path| path.iter().any(|part| part != "super" && part != "crate"));
        named.filter_map(|path| module_of(absolute(own, path))).filter(|used| used != own).collect()
    };
    sources.iter().map(|(module, text)| (module.clone(), uses(module, text))).collect()
}

/// Uses that break the order, as `USER -> USED`.
fn upward(graph: &Graph) -> Vec<String> {
    let rank = |module: &Module| ORDER.iter().position(|name| *name == module[0]);
    let pairs = graph.iter().flat_map(|(user, all)| all.iter().map(move |used| (user, used)));
    pairs
        .filter(|(user, used)| user[0] != used[0] && rank(user) <= rank(used))
        .map(|(user, used)| format!("{} -> {}", user.join("::"), used.join("::")))
        .collect()
}

/// The modules in or between cycles: what is left when those without users or without uses are taken away repeatedly.
fn cyclic(graph: &Graph) -> Vec<String> {
    let mut left: BTreeSet<&Module> = graph.keys().collect();
    loop {
        let uses = |module: &Module| graph[module].iter().any(|used| left.contains(used));
        let used = |module: &Module| left.iter().any(|user| graph[*user].contains(module));
        let next: BTreeSet<&Module> = left.iter().copied().filter(|module| uses(module) && used(module)).collect();
        if next.len() == left.len() {
            return left.iter().map(|module| module.join("::")).collect();
        }
        left = next;
    }
}

#[test]
fn modules_use_only_those_before_them() {
    let graph = graph(&sources());
    for module in graph.keys() {
        assert!(ORDER.contains(&module[0].as_str()), "{} has no place in the order", module[0]);
    }
    let upward = upward(&graph);
    assert!(upward.is_empty(), "{upward:#?}");
}

#[test]
fn no_files_use_each_other_in_a_cycle() {
    let cyclic = cyclic(&graph(&sources()));
    assert!(cyclic.is_empty(), "{cyclic:#?}");
}

#[test]
fn the_readme_gives_the_same_order() {
    let readme = include_str!("../README.md").split_once("## Order of the modules").expect("section").1;
    let listed: Vec<&str> = readme
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_digit()))
        .flat_map(|line| line.split_once(':').expect("a colon").0.split('`').skip(1).step_by(2))
        .collect();
    assert_eq!(listed, ORDER);
}

#[test]
fn calls_up_the_order_and_cycles_are_found() {
    for (user, line, used) in [
        ("store", "use crate::{http::Reply, write};", "write"),
        ("error", "fn f() { println!(\"{}\", crate::stacks::route()); }", "stacks"),
        ("filter", "#[cfg(test)] mod inner { use super::super::{store::Store, rule}; }", "rule"),
    ] {
        let mut sources = sources();
        sources.get_mut(&vec![user.to_owned()]).expect("file").push_str(line);
        assert!(upward(&graph(&sources)).contains(&format!("{user} -> {used}")), "{line}");
    }
    let mut sources = sources();
    let schedule = sources.get_mut(&vec!["deploy".to_owned(), "schedule".to_owned()]).expect("file");
    schedule.push_str("use super::run::run;");
    assert!(cyclic(&graph(&sources)).contains(&"deploy::run".to_owned()));
}
