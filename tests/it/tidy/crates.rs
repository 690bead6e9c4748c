//! The crates of the workspace: who may depend on whom, and on which library. Read from the manifests, so that the
//! picture in `ARCHITECTURE.md` is that of the build.

use super::{hold, root};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The crates, lowest first: each may depend on those before it.
const ORDER: &[&str] = &[
    "dsvm-stdlib",
    "dsvm-machine",
    "dsvm-prices",
    "dsvm-grammar",
    "tree-sitter-dsvm",
    "dsvm-files",
    "dsvm-diagnostics",
    "arm-catalog",
    "arm-template",
    "batch-formula",
    "dsvm-syntax",
    "dsvm-data",
    "dsvm-sema",
    "dsvm-model",
    "dsvm-graph",
    "dsvm-emit",
    "dsvm-quota",
    "arm-autoscale",
    "dsvm-proof",
    "dsvm-lint",
    "dsvm-import",
    "dsvm-lsp",
    "arm-plan",
    "dsvm-impact",
    "arm-client",
    "arm-apply",
    "dsvm-simulate",
    "arm-local",
    "dsvmc",
];

/// Libraries, and the only crates that may depend on them.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("pest", &["dsvm-grammar", "dsvm-syntax"]),
    ("pest_derive", &["dsvm-grammar"]),
    ("codespan-reporting", &["dsvmc"]),
    ("clap", &["dsvmc"]),
    ("clap_complete", &["dsvmc"]),
    ("clap_mangen", &["dsvmc"]),
    ("reqwest", &["arm-client"]),
    ("azure_core", &["arm-client"]),
    ("azure_identity", &["arm-client"]),
    ("axum", &["arm-local"]),
    ("tempfile", &["dsvm-files"]),
    ("rusqlite", &["arm-local"]),
    ("rcgen", &["arm-local"]),
    ("csv", &["dsvm-simulate"]),
    ("csv-core", &["dsvm-data"]),
    ("jsonc-parser", &["dsvm-data"]),
    ("saphyr-parser", &["dsvm-data"]),
    ("rand_chacha", &["dsvm-simulate"]),
    ("toml", &["dsvm-data", "dsvm-lint"]),
    ("icu_collator", &["arm-template"]),
    ("lsp-server", &["dsvm-lsp"]),
    ("lsp-types", &["dsvm-lsp"]),
    ("miette", &["arm-client", "arm-apply", "arm-local", "dsvmc"]),
    ("tokio", &["arm-client", "arm-local", "dsvmc"]),
];

/// A package of the workspace: its name and what it depends on when it is built.
type Packages = BTreeMap<String, BTreeSet<String>>;

/// Reads what `cargo metadata` prints.
fn packages(metadata: &Value) -> Packages {
    let mut packages = Packages::new();
    for package in metadata["packages"].as_array().unwrap() {
        let dependencies = package["dependencies"].as_array().unwrap();
        let normal = dependencies.iter().filter(|dependency| dependency["kind"].is_null());
        let names = normal.map(|dependency| dependency["name"].as_str().unwrap().to_owned()).collect();
        packages.insert(package["name"].as_str().unwrap().to_owned(), names);
    }
    packages
}

fn workspace() -> Packages {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = std::process::Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--locked", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    packages(&serde_json::from_slice(&output.stdout).unwrap())
}

/// Dependencies that point upwards, crates without a place, libraries in the wrong crate.
fn violations(packages: &Packages) -> Vec<String> {
    let place = |name: &str| ORDER.iter().position(|known| *known == name);
    let mut wrong = Vec::new();
    for (name, dependencies) in packages {
        let Some(own) = place(name) else {
            wrong.push(format!("`{name}` has no place in ORDER of tests/it/tidy/crates.rs"));
            continue;
        };
        for dependency in dependencies {
            if place(dependency).is_some_and(|other| other >= own) {
                wrong.push(format!("`{name}` is below `{dependency}` and must not depend on it"));
            }
            for (library, allowed) in LIBRARIES {
                if dependency == library && !allowed.contains(&&**name) {
                    wrong.push(format!("`{library}` belongs to {}, not to `{name}`", allowed.join(", ")));
                }
            }
        }
    }
    wrong
}

#[test]
fn crates_depend_downwards_and_keep_their_libraries() {
    hold(violations(&workspace()));
}

#[test]
fn a_wrong_dependency_is_seen() {
    let package =
        |name: &str, dependency: &str| Packages::from([(name.to_owned(), BTreeSet::from([dependency.to_owned()]))]);
    assert_eq!(violations(&package("dsvm-sema", "dsvm-syntax")), Vec::<String>::new());
    assert_eq!(violations(&package("dsvm-syntax", "dsvm-sema")).len(), 1);
    assert_eq!(violations(&package("dsvm-model", "pest")).len(), 1);
    assert_eq!(violations(&package("dsvm-unheard-of", "serde")).len(), 1);
}

/// The dependency picture: a Mermaid graph without the arrows that others imply.
fn picture(packages: &Packages) -> String {
    let ours = |name: &String| packages.contains_key(name);
    let direct: BTreeMap<&String, BTreeSet<&String>> =
        packages.iter().map(|(name, all)| (name, all.iter().filter(|d| ours(d)).collect())).collect();
    let reaches = |from: &String, to: &String| {
        let mut waiting = vec![from];
        let mut seen = BTreeSet::new();
        while let Some(name) = waiting.pop() {
            if name == to {
                return true;
            }
            if seen.insert(name) {
                waiting.extend(direct.get(name).into_iter().flatten());
            }
        }
        false
    };
    let mut text = String::from("```mermaid\ngraph TD\n");
    for name in ORDER.iter().rev() {
        let Some((name, all)) = direct.get_key_value(&(*name).to_owned()) else { continue };
        for dependency in ORDER.iter().rev().filter_map(|d| all.get(&(*d).to_owned())) {
            if !all.iter().any(|other| other != dependency && reaches(other, dependency)) {
                text.push_str(&format!("  {name} --> {dependency}\n"));
            }
        }
    }
    text.push_str("```\n");
    text
}

#[test]
fn the_picture_in_the_architecture_page_is_that_of_the_build() {
    const BEGIN: &str = "<!-- crates:begin -->\n";
    const END: &str = "<!-- crates:end -->";
    let path = root().join("ARCHITECTURE.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("ARCHITECTURE.md has the mark `crates:begin`");
    let (_, after) = rest.split_once(END).expect("ARCHITECTURE.md has the mark `crates:end`");
    let packages = workspace();
    let wanted = format!("{before}{BEGIN}{}{END}{after}", picture(&packages));
    if std::env::var_os("DSVMC_BLESS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    assert!(page == wanted || std::env::var_os("DSVMC_BLESS").is_some(), "ARCHITECTURE.md: run `just bless`");
    for name in packages.keys() {
        assert!(
            page.contains(&format!("| [{name}](")),
            "the table of crates in ARCHITECTURE.md has no row for `{name}`"
        );
    }
}

#[test]
fn the_picture_leaves_out_what_others_imply() {
    let of = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let packages = Packages::from([
        ("dsvm-sema".to_owned(), of(&["dsvm-syntax", "dsvm-diagnostics", "regex"])),
        ("dsvm-syntax".to_owned(), of(&["dsvm-diagnostics"])),
        ("dsvm-diagnostics".to_owned(), of(&[])),
    ]);
    let wanted = "```mermaid\ngraph TD\n  dsvm-sema --> dsvm-syntax\n  dsvm-syntax --> dsvm-diagnostics\n```\n";
    assert_eq!(picture(&packages), wanted);
}
