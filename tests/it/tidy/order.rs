//! The order of modules inside of a crate, where its documentation gives one: a module uses only those above it in the
//! list, so that none are in a cycle.

use super::rust::named;
use super::{hold, root, rust_files};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What begins the list in the documentation of a crate; its modules are in back quotes.
const TITLE: &str = "//! # Modules, lowest first";

/// Modules in the order of the list.
fn documented(lib: &str) -> Vec<String> {
    let list = lib.lines().skip_while(|line| *line != TITLE).take_while(|line| line.starts_with("//!"));
    let items: String = list.skip_while(|line| !line.starts_with("//! - ")).collect();
    items.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Top-level modules that a file names. `depth` is the number of modules that the file is inside of.
fn used(text: &str, depth: usize, modules: &BTreeSet<String>) -> Result<BTreeSet<String>, String> {
    let up = "super::".repeat(depth);
    let top = |path: &str| {
        let rest = path.strip_prefix("crate::").or_else(|| path.strip_prefix(&up))?;
        modules.get(rest.split("::").next()?).cloned()
    };
    Ok(named(text)?.iter().filter_map(|named| top(&named.path)).collect())
}

/// Uses that go down the list or stay where they are, and modules that the list does not have once.
fn violations(order: &[String], uses: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let place = |module: &String| order.iter().position(|other| other == module);
    let count = |module: &String| order.iter().filter(|other| *other == module).count();
    let unlisted = uses.keys().filter(|module| count(module) != 1).map(|m| format!("`{m}` is not listed once"));
    let pairs = uses.iter().flat_map(|(from, all)| all.iter().map(move |to| (from, to)));
    let down = pairs.filter(|(from, to)| from != to && place(to) >= place(from));
    unlisted.chain(down.map(|(from, to)| format!("`{from}` uses `{to}`, which is below it"))).collect()
}

/// The uses of each top-level module of a crate.
fn uses(source: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let files: Vec<_> = rust_files(source).into_iter().filter(|path| !path.ends_with("src/lib.rs")).collect();
    let inside = |path: &Path| path.strip_prefix(source).unwrap().with_extension("");
    let module = |path: &Path| inside(path).iter().next().unwrap().to_string_lossy().into_owned();
    let modules: BTreeSet<String> = files.iter().map(|path| module(path)).collect();
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let depth = inside(&path).iter().filter(|part| *part != "mod").count();
        uses.entry(module(&path)).or_default().extend(used(&text, depth, &modules).unwrap());
    }
    uses
}

#[test]
fn modules_of_the_graph_use_only_those_above_them() {
    let source = root().join("crates/dsvm-graph/src");
    let uses = uses(&source);
    assert!(uses["pool"].contains("network") && uses["batch"].contains("pool"), "uses are found");
    hold(violations(&documented(&std::fs::read_to_string(source.join("lib.rs")).unwrap()), &uses));
}

#[test]
fn a_use_that_goes_down_the_list_is_seen() {
    let order = documented(&format!("{TITLE}\n//!\n//! - Data: `a`,\n//!   `b` (words)\n//! - `c`\n\nmod a;"));
    assert_eq!(order, ["a", "b", "c"]);
    let modules: BTreeSet<String> = order.iter().cloned().collect();
    let found = used("use super::{c as d, x};\nfn f() { crate::a::g() }\n// crate::b::g", 1, &modules).unwrap();
    assert_eq!(found, BTreeSet::from(["a".to_owned(), "c".to_owned()]));
    let uses = BTreeMap::from([("b".to_owned(), found), ("z".to_owned(), BTreeSet::new())]);
    assert_eq!(violations(&order, &uses), ["`z` is not listed once", "`b` uses `c`, which is below it"]);
}
