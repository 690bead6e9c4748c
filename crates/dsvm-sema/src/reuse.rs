//! The run of an env after the symbolic run gives what a run from nothing gives.

use crate::checked::{Block, Checked, Origin};
use crate::eval::Pass;
use crate::load::{NoText, Program, load};
use crate::run;
use crate::value::BlockId;
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::{SourceFile, SourceMap};
use proptest::prelude::*;
use regex::{Captures, Regex};
use std::path::Path;
use std::sync::{Arc, LazyLock};

/// A value as text; blocks by their names, because the numbers of blocks follow the order of evaluation.
fn named(checked: &Checked, value: &dyn std::fmt::Debug) -> String {
    static ID: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"BlockId\(\s*(\d+),?\s*\)").unwrap());
    let name = |found: &Captures<'_>| {
        let block = &checked[BlockId(found[1].parse().unwrap())];
        format!("{} {}", block.kind.keyword(), block.name)
    };
    ID.replace_all(&format!("{value:?}"), name).into_owned()
}

fn block(checked: &Checked, of: &Block, depth: usize, text: &mut String) {
    text.push_str(&format!("{:1$}{2} {3} {4:?} {5:?}\n", "", depth * 2, of.kind.keyword(), of.name, of.class, of.span));
    let mut fields: Vec<String> =
        of.fields.own().map(|(name, f)| format!("{name} = {} {:?}", named(checked, &f.value), f.value_span)).collect();
    fields.extend(of.free.iter().map(|free| named(checked, free)));
    text.extend(fields.iter().map(|field| format!("{:1$}{field}\n", "", depth * 2 + 2)));
    of.children.iter().for_each(|child| block(checked, child, depth + 1, text));
}

/// What the project says with the values of an env, and what was found in it.
fn described(checked: &Checked, sink: Sink, known: &[String]) -> String {
    let mut text = String::new();
    for of in checked.blocks.iter().filter(|block| block.origin == Origin::Project) {
        block(checked, of, 0, &mut text);
    }
    text.push_str(&named(checked, &checked.outputs));
    text.push_str(&named(
        checked,
        &checked.params.iter().map(|param| (&param.name, &param.default)).collect::<Vec<_>>(),
    ));
    let mut found: Vec<String> = sink.finish().iter().map(|found| format!("\n{found:?}")).collect();
    found.retain(|found| !known.contains(found));
    text + &found.concat()
}

/// Compares both ways to run each env of a program; how many envs were compared.
fn compare(program: &Program) -> usize {
    let mut told = Sink::default();
    let (_, first) = run::first(program, false, &mut told);
    if told.has_errors() {
        return 0;
    }
    // The symbolic run told it, so the runs of envs need not.
    let known: Vec<String> = told.finish().iter().map(|found| format!("\n{found:?}")).collect();
    let mut envs: Vec<Arc<str>> = program.envs().cloned().collect();
    if envs.is_empty() {
        envs.push("".into());
    }
    for env in &envs {
        let (mut one, mut other) = (Sink::default(), Sink::default());
        let whole = run::run(program, Pass::Env(env.clone()), false, &mut one);
        let reused = run::after(&first, program, env, &mut other);
        similar_asserts(&described(&whole, one, &known), &described(&reused, other, &known), env);
    }
    envs.len()
}

#[track_caller]
fn similar_asserts(whole: &str, reused: &str, env: &str) {
    let different = whole.lines().zip(reused.lines()).find(|(a, b)| a != b);
    assert!(whole == reused, "env {env:?}: {different:#?}\n{whole}\n{reused}");
}

fn program(text: &str) -> (Program, bool) {
    let mut sources = SourceMap::default();
    let mut sink = Sink::default();
    let root = sources.add(SourceFile::new("main.dsvm", text));
    let program = load(&[root], &mut sources, &mut |_| Err(NoText::Missing), &mut sink);
    (program, !sink.has_errors())
}

#[test]
fn examples_and_covered_programs() {
    fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => files(&path, found),
                false if path.extension().is_some_and(|ending| ending == "dsvm") => found.push(path),
                false => {}
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let mut found = Vec::new();
    ["examples", "tests"].iter().for_each(|folder| files(&root.join(folder), &mut found));
    found.sort();
    let mut compared = 0;
    for path in found {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let (program, fine) = program(&text);
        if fine {
            compared += compare(&program);
        }
    }
    assert!(compared > 100, "{compared}");
}

#[test]
fn everything_that_can_read_a_parameter() {
    let text = r#"
import std.images
import std.sizes
project lab { location = westeurope }
param most: int in 1..50 = 5
param tag: string = "x"
param office: cidr = 203.0.113.0/24
param key: ssh_key
env dev { most = 3, key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMLVd3mFLZcQhJbVnWjTyKhBjQlyHsMHVeFoJQVYSDmQ", location = northeurope }
env prod { most = 9, tag = "y", key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMLVd3mFLZcQhJbVnWjTyKhBjQlyHsMHVeFoJQVYSDmQ" }
type small = int in 1..60
let fixed = 2
let double = most * fixed
let again: small = double
fn twice(x: int): int = x + most
fn plain(x: int): int = x + fixed
let called = twice(1)
let quiet = plain(1)
let list = [x + most for x in [1, 2, 3]]
let texts = ["${x}-${tag}" for x in ["a", "b"]]
share notes { quota = 1 TiB, mount = "/n", tags = { a = tag } }
share other { quota = notes.quota, mount = "${notes.mount}/o", tags = notes.tags }
pool common { image = images.ubuntu_2204, size = sizes.Standard_D4s_v5, machines = 1..most
  admin { name = "dsvmuser", key = key }
  allow ssh from [office] }
pool team[t in ["a", "b"]]: interactive from common {
  shares = [notes, other]
  autoscale { when avg(cpu, 10 min) > 75% { add 1 }
    when avg(cpu, 10 min) < 25% { remove fixed } }
}
pool rest: interactive from common { size = if quiet > 2 then sizes.Standard_D8s_v5 else sizes.Standard_D2s_v5
  machines = 1..called
  admin { name = project.name, key = key }
  autoscale { when avg(cpu, 10 min) > 75% { add 1, cooldown 5 min }
    when avg(cpu, 10 min) < 25% { remove 1 }
    schedule day { on mon..fri from 08:00 to 18:00, machines = 1..again } } }
resource logs: "Microsoft.OperationalInsights/workspaces@2025-07-01" { properties = { retentionInDays = double, other = fixed, location = project.location } }
check length(list) > 0 else "${tag}"
check fixed == quiet - 1
output all: int = double
output region: string = project.location
"#;
    let (program, fine) = program(text);
    assert!(fine);
    let mut told = Sink::default();
    run::first(&program, false, &mut told);
    let told = told.finish();
    let errors: Vec<_> =
        told.iter().filter(|f| f.severity == dsvm_diagnostics::Severity::Error).map(|f| &f.title).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(compare(&program), 2);
}

/// Definitions of numbers, each over a few of those before it, and blocks that read them and each other.
fn definitions() -> impl Strategy<Value = String> {
    let one = (0..7usize, any::<[prop::sample::Index; 2]>(), 1..9i64);
    prop::collection::vec(one, 1..24).prop_map(|parts| {
        let mut text = "project lab { location = westeurope }\nparam p: int in 1..50 = 5\nparam q: int = 7\nlet c = 3\n\
                        env dev { p = 2 }\nenv prod { p = 9, q = 1 }\n"
            .to_owned();
        let mut numbers: Vec<String> = ["p", "q", "c"].map(str::to_owned).to_vec();
        for (at, (kind, [a, b], n)) in parts.into_iter().enumerate() {
            let (a, b) = (a.get(&numbers).clone(), b.get(&numbers).clone());
            let made = match kind {
                0 => format!("let v{at} = {a} + {n}"),
                1 => format!("let v{at} = if {a} > {n} then {b} else {n}"),
                2 => format!("fn f{at}(x: int): int = x + {a}\nlet v{at} = f{at}({b})"),
                3 => format!("type t{at} = int in 0..1000000000000\nlet v{at}: t{at} = {n}"),
                4 => format!("let v{at} = length([x + {a} for x in [1, 2]]) + {n}"),
                5 => {
                    numbers.push(format!("i{at}.retention"));
                    format!("vault i{at} {{ retention = {n} days, tags = {{ a = \"${{{a}}}\", b = \"{n}\" }} }}\nlet v{at} = {b}")
                }
                _ => format!("let v{at} = {a}\nvault w{at} {{ retention = 7 days, tags = {{ a = \"${{v{at}}}\" }} }}"),
            };
            text.push_str(&made);
            text.push('\n');
            numbers.retain(|name| !name.contains('.'));
            numbers.push(format!("v{at}"));
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn any_definitions(text in definitions()) {
        let (program, fine) = program(&text);
        prop_assert!(fine, "{text}");
        compare(&program);
    }
}
