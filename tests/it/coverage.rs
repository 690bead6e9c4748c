//! `docs/coverage.md` has every row, names no diagnostic that does not exist, and each row that is done or checked is
//! shown by a case of `tests/coverage/*.txt`.
//!
//! A case is a heading `== ROW …`, what is expected (a line each), an empty line, and a program:
//!
//! - `gives SLUG` or ``gives SLUG at `TEXT` ``: this finding and no other, at that text. Without such a line, no finding.
//! - `TYPE /pointer = JSON`: some resource of the type has that value; `TYPE(name)` picks one, `$` is the whole template.
//! - `program ~ TEXT`: the template carries the program of the machines, of which a module contains the text.
//! - `TYPE /pointer ~ TEXT`: the value there contains the text. `TYPE /pointer -`: no resource of the type has it.
//! - `TYPE` or `-TYPE`: there is a resource of the type, or none.
//! - `test FILE FUNCTION`: another test shows it (for what no program can).
//!
//! In the program, `interactive:`, `batch:` and `ml:` begin a pool whose body is the indented lines below; fields that
//! every pool needs are filled in unless the body has them, or drops them with `- FIELD`.

use crate::pool::compile;
use dsvm_diagnostics::{Code, Severity};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

const PAGE: &str = include_str!("../../docs/coverage.md");

fn rows() -> Vec<(&'static str, &'static str)> {
    PAGE.lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| ")?.split(" | ");
            let id = cells.next()?;
            let letters =
                id.starts_with(|c: char| c.is_ascii_uppercase()) && id.ends_with(|c: char| c.is_ascii_digit());
            letters.then(|| (id, cells.last().unwrap_or_default().trim_end_matches(" |")))
        })
        .collect()
}

#[test]
fn every_row_is_there_once() {
    let ids: Vec<&str> = rows().iter().map(|(id, _)| *id).collect();
    let families = [
        ("S", 23),
        ("I", 25),
        ("T", 20),
        ("A", 13),
        ("F", 9),
        ("B", 21),
        ("P", 21),
        ("S-", 11),
        ("U-", 9),
        ("W-", 4),
        ("D-", 8),
        ("K-", 6),
    ];
    let wanted: Vec<String> = families.iter().flat_map(|(p, n)| (1..=*n).map(move |i| format!("{p}{i}"))).collect();
    let found: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(found.len(), ids.len(), "a row is there twice");
    for id in &wanted {
        assert!(found.contains(id.as_str()), "{id} is missing");
    }
    assert_eq!(found.len(), wanted.len());
}

#[test]
fn every_state_is_one_that_the_page_explains() {
    for (id, state) in rows() {
        let known = ["done", "checked", "out of scope", "not yet"].iter().any(|word| state.contains(word));
        assert!(known, "{id}: {state}");
        let reason = state.split("out of scope").nth(1).is_none_or(|rest| rest.len() > 5);
        assert!(reason, "{id}: no reason");
    }
}

#[test]
fn every_diagnostic_exists() {
    let slugs: BTreeSet<&str> = Code::ALL.iter().map(|c| c.slug()).collect();
    let mut cited = 0;
    for (id, state) in rows() {
        for word in state.split('`').skip(1).step_by(2) {
            let is_slug = word.contains('-') && word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
            if is_slug {
                assert!(slugs.contains(word), "{id}: `{word}`");
                cited += 1;
            }
        }
    }
    assert!(cited > 50, "{cited}");
}

/// What every pool needs, by the word that begins it: kind, and fields with their keywords.
type Pool<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);
const POOLS: [Pool<'_>; 3] = [
    (
        "interactive:",
        "pool team: interactive",
        &[
            ("image", "image = images.ubuntu_2204"),
            ("size", "size = sizes.Standard_D4s_v5"),
            ("machines", "machines = 2"),
            ("admin", "admin { name = \"dsvmuser\", key = admin_key }"),
            ("allow ssh", "allow ssh from [203.0.113.0/24]"),
        ],
    ),
    (
        "batch:",
        "pool jobs: batch",
        &[
            ("service", "service = azure_batch"),
            ("image", "image = images.ubuntu_hpc"),
            ("size", "size = sizes.Standard_D4s_v5"),
            ("machines", "machines = 2"),
        ],
    ),
    (
        "ml:",
        "pool cluster: batch",
        &[("service", "service = azure_ml"), ("size", "size = sizes.Standard_D4s_v5"), ("machines", "machines = 0..4")],
    ),
];

/// A program under a heading and the slugs of the codes it must give.
struct Case<'a> {
    heading: &'a str,
    expected: Vec<&'a str>,
    program: String,
}

impl Case<'_> {
    fn row(&self) -> &str {
        self.heading.split(' ').next().unwrap()
    }

    fn slugs(&self) -> impl Iterator<Item = &str> {
        self.expected.iter().filter_map(|e| e.strip_prefix("gives ")).map(|e| e.split(' ').next().unwrap())
    }
}

/// The program of a case with what it leaves out.
fn completed(text: &str) -> String {
    let mut program = String::new();
    for module in ["images", "sizes", "roles", "regions", "metrics"] {
        writeln!(program, "import std.{module}").unwrap();
    }
    if !text.contains("project ") {
        program.push_str("project sample { location = westeurope }\n");
    }
    program.push_str("param admin_key: ssh_key\n");
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((_, head, needed)) = POOLS.iter().find(|(word, ..)| *word == line) else {
            program.push_str(line);
            program.push('\n');
            continue;
        };
        let mut body = Vec::new();
        while let Some(line) = lines.next_if(|line| line.starts_with(' ')) {
            body.push(line);
        }
        writeln!(program, "{head} {{").unwrap();
        for (word, field) in *needed {
            let is_there = |line: &&str| {
                let line = line.trim_start().trim_start_matches("- ");
                line.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            };
            if !body.iter().any(is_there) {
                writeln!(program, "  {field}").unwrap();
            }
        }
        for line in body.iter().filter(|line| !line.trim_start().starts_with("- ")) {
            program.push_str(line);
            program.push('\n');
        }
        program.push_str("}\n");
    }
    program
}

fn cases(text: &str) -> Vec<Case<'_>> {
    text.split("\n== ")
        .map(|case| case.strip_prefix("== ").unwrap_or(case))
        .filter(|case| !case.trim().is_empty())
        .map(|case| {
            let (head, program) = case.split_once("\n\n").unwrap_or((case, ""));
            let mut lines = head.lines();
            let heading = lines.next().unwrap();
            Case { heading, expected: lines.collect(), program: completed(program) }
        })
        .collect()
}

/// Whether a module of the program on the machines holds a text; the script holds the modules compressed.
fn program_says(text: &str) -> bool {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("machine/dsvmc_machine");
    let mut modules = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    modules.any(|path| std::fs::read_to_string(path).is_ok_and(|module| module.contains(text)))
}

/// Whether a template has what one line expects; `None` for an expectation of another kind.
fn holds(template: &Value, expected: &str) -> bool {
    if let Some(text) = expected.strip_prefix("program ~ ") {
        return template.pointer("/variables/dsvmcMachine").is_some_and(|script| script == dsvm_machine::script())
            && program_says(text);
    }
    let (subject, rest) = expected.split_once(' ').unwrap_or((expected, ""));
    let absent = subject.starts_with('-');
    let subject = subject.trim_start_matches('-');
    let (kind, name) =
        subject.strip_suffix(')').and_then(|s| s.split_once('(')).map_or((subject, None), |(k, n)| (k, Some(n)));
    let mut of_type: Vec<&Value> = if kind == "$" {
        vec![template]
    } else {
        template["resources"].as_array().unwrap().iter().filter(|r| r["type"] == kind).collect()
    };
    if let Some(name) = name {
        of_type.retain(|r| r["name"] == name);
    }
    if rest.is_empty() {
        return of_type.is_empty() == absent;
    }
    let (pointer, test) = rest.split_once(' ').expect("a pointer and a test");
    let mut found = of_type.iter().filter_map(|r| r.pointer(pointer));
    let (sign, wanted) = test.split_at(1);
    match sign {
        "=" => found.any(|v| *v == serde_json::from_str::<Value>(wanted).expect("a value in JSON")),
        "~" => found.any(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned).contains(wanted.trim())),
        "-" => !of_type.is_empty() && found.next().is_none(),
        _ => panic!("no such test: {expected}"),
    }
}

/// What is wrong with a case.
fn wrong(case: &Case) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = String::new();
    let mut wanted = Vec::new();
    let mut in_template = Vec::new();
    for expected in &case.expected {
        if let Some(finding) = expected.strip_prefix("gives ") {
            wanted.push(finding);
        } else if let Some(other) = expected.strip_prefix("test ") {
            let (file, function) = other.split_once(' ').unwrap();
            let text = std::fs::read_to_string(root.join(file)).unwrap_or_default();
            if !text.contains(&format!("fn {function}(")) {
                writeln!(wrong, "  there is no test `{function}` in {file}").unwrap();
            }
        } else {
            in_template.push(*expected);
        }
    }
    let compiled = compile(&case.program);
    let is_finding = |slug: &str| slug != "unused" && slug != "size-chosen";
    let found: Vec<_> = compiled
        .diagnostics
        .iter()
        .filter(|d| {
            is_finding(d.code.slug())
                && (d.severity != Severity::Info || wanted.iter().any(|w| w.starts_with(d.code.slug())))
        })
        .collect();
    let fits = wanted.len() == found.len()
        && wanted.iter().all(|wanted| {
            let (slug, place) = wanted.split_once(" at ").unwrap_or((wanted, ""));
            found.iter().any(|d| {
                let at = d.primary().map_or("", |span| compiled.sources.text(span));
                d.code.slug() == slug && at.lines().next().unwrap_or("").contains(place.trim_matches('`'))
            })
        });
    if !fits {
        writeln!(wrong, "  found: {}", if found.is_empty() { "nothing" } else { "" }).unwrap();
        for d in found {
            let at = d.primary().map_or("", |span| compiled.sources.text(span));
            writeln!(wrong, "    {} at `{}`: {}", d.code.slug(), at.lines().next().unwrap_or(""), d.title).unwrap();
        }
    }
    let template = compiled.artifacts.and_then(|a| a.deployments.into_iter().next()).map(|d| d.template.into_value());
    for expected in in_template {
        if !template.as_ref().is_some_and(|template| holds(template, expected)) {
            writeln!(wrong, "  does not hold: {expected}").unwrap();
        }
    }
    (!wrong.is_empty()).then_some(wrong)
}

#[test]
fn an_unused_parameter_is_a_warning() {
    let found = compile(&completed("param spare: int = 3\ninteractive:")).diagnostics;
    let [one] = &found.iter().filter(|d| d.title.contains("spare")).collect::<Vec<_>>()[..] else {
        panic!("{found:?}")
    };
    assert_eq!((one.code.slug(), one.severity), ("unused", Severity::Warning));
}

#[test]
fn a_parameter_file_has_exactly_the_parameters_that_its_env_gives() {
    let text = "param most: int in 1..9\nparam spare: int = 3\nenv dev { most = 2, admin_key = \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0e99PD7L6H1hsDWtXjCnotLXI7NDNJb9dhjsPl+UGc a@example.org\" }\ninteractive:\n  machines = most\n  tags = { spare = \"${spare}\" }";
    let compiled = compile(&completed(text));
    assert_eq!(compiled.findings(), "");
    let [deployment] = &compiled.artifacts.unwrap().deployments[..] else { panic!("one deployment") };
    let file = deployment.parameters["dev"].clone().into_value();
    let schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#";
    assert_eq!(file["$schema"], schema);
    let given: Vec<&String> = file["parameters"].as_object().unwrap().keys().collect();
    let template = deployment.template.clone().into_value();
    let taken = template["parameters"].as_object().unwrap();
    assert!(given.iter().all(|name| taken.contains_key(*name)), "{given:?}");
    assert_eq!(file["parameters"]["most"]["value"], 2);
    let missing: Vec<_> = taken.iter().filter(|(n, p)| !given.contains(n) && p.get("defaultValue").is_none()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_row_is_shown_by_a_case() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/coverage");
    let mut shown: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut failed = String::new();
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for case in cases(&text) {
            if case.expected.is_empty() {
                writeln!(failed, "{}: nothing is expected", case.heading).unwrap();
            }
            if let Some(why) = wrong(&case) {
                writeln!(failed, "{}:\n{why}", case.heading).unwrap();
            }
            shown.entry(case.row().to_owned()).or_default().extend(case.slugs().map(str::to_owned));
        }
    }
    for (row, state) in rows() {
        let slugs = shown.get(row);
        if slugs.is_none() && !state.starts_with("out of scope") {
            writeln!(failed, "{row}: no case").unwrap();
        }
        for word in state.split('`').skip(1).step_by(2) {
            let is_slug = Code::ALL.iter().any(|code| code.slug() == word);
            if is_slug && !slugs.is_some_and(|s| s.contains(word)) {
                writeln!(failed, "{row}: no case gives `{word}`").unwrap();
            }
        }
    }
    assert!(failed.is_empty(), "{failed}");
}
