//! Programs as people write them, and what sema makes of them.

use super::*;
use dsvm_diagnostics::Severity;

/// Checks a program in all its runs; the findings one to a line, with the text that they underline.
pub(super) fn findings(text: &str) -> String {
    findings_of(&[("main.dsvm", text)])
}

/// Same, of several files; the first is the project.
pub(super) fn findings_of(files: &[(&str, &str)]) -> String {
    let mut sources = SourceMap::default();
    let mut sink = Sink::default();
    let root = sources.add(SourceFile::new(files[0].0, files[0].1));
    let mut read = |path: &str| {
        let found = files.iter().find(|(name, _)| *name == path);
        found.map(|(_, text)| (*text).to_owned()).ok_or(crate::load::NoText::Missing)
    };
    let program = load(&[root], &mut sources, &mut read, &mut sink);
    let _ = check_all(&program, &mut sink);
    let mut lines = String::new();
    for diagnostic in sink.finish() {
        let span = diagnostic.primary().unwrap();
        let severity = match diagnostic.severity {
            Severity::Error => "",
            Severity::Warning => "warning ",
            Severity::Info => "info ",
        };
        lines.push_str(&format!(
            "{severity}{} at {:?}: {}\n",
            diagnostic.code.slug(),
            sources.text(span),
            diagnostic.title
        ));
        for note in diagnostic.notes.iter().filter(|note| note.starts_with("in env")) {
            lines.push_str(&format!("  {note}\n"));
        }
    }
    lines
}

/// The symbolic result of a program that has no findings of weight.
pub(super) fn checked(text: &str) -> Checked {
    let mut sink = Sink::default();
    let checked = check_text(text, &mut sink);
    assert!(!sink.has_errors(), "{:#?}", sink.as_slice());
    checked
}

const TEAM: &str = r#"
/// Shared machines of the research group.
project research {
  location = westus2
  tags     = { team = "research", cost_center = "4711" }
}

import std.images
import std.sizes

/// Public key of the first administrator.
param admin_key: ssh_key

/// Most machines that the interactive pool may grow to.
param max_machines: int in 1..100 = 10

env dev  { max_machines = 2, admin_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3lMdcKhCnhkGJbzXX3UNUmDHmcXCxVwRh0sJkdZVqT me" }
env prod { max_machines = 40, location = westeurope, admin_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3lMdcKhCnhkGJbzXX3UNUmDHmcXCxVwRh0sJkdZVqT me" }

share notebooks {
  protocol = smb
  quota    = 1 TiB
  mount    = "/datamnt/dsvmshare"
  link "~/notebooks/remote" to "notebooks/{user}"
}

pool team: interactive {
  image    = images.ubuntu_2204
  size     = sizes.Standard_D8s_v5
  machines = 0..max_machines initially 2
  admin    { name = "dsvmuser", key = admin_key }
  shares   = [notebooks]
  serve    = [ssh, jupyterhub]
  allow ssh from [203.0.113.0/24]

  autoscale {
    timezone = "Pacific Standard Time"
    when avg(cpu, 10 min) > 75% { add 1, cooldown 5 min }
    when avg(cpu, 15 min) < 25% { remove 1, cooldown 10 min }
    schedule workday { on mon..fri from 08:00 to 19:00, machines = 2..max_machines }
    schedule nights  { on all days from 19:00 to 08:00, machines = 0..2 }
  }
}

check pools.team.machines.max <= 50 else "ask platform@ before growing past 50"

output address: string = team.address
"#;

#[test]
fn the_pool_of_the_sketch_is_checked_without_findings() {
    assert_eq!(findings(TEAM), "");
}

#[test]
fn a_rule_that_breaks_in_one_env_names_it() {
    let broken = TEAM.replace("<= 50 else", "<= 30 else");
    let wanted =
        "check-failed at \"pools.team.machines.max <= 30\": ask platform@ before growing past 50\n  in env `prod`\n";
    assert_eq!(findings(&broken), wanted);
}

/// The blocks of a page that are fenced with this mark.
fn fenced<'t>(page: &'t str, mark: &str) -> Vec<&'t str> {
    let open = format!("```{mark}\n");
    page.split(open.as_str()).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn every_page_shows_its_finding_and_the_way_out() {
    let mut wrong = String::new();
    for code in dsvm_diagnostics::Code::ALL.iter().filter(|code| (100..300).contains(&code.number())) {
        let page =
            std::fs::read_to_string(format!("{}/../../docs/errors/{}.md", env!("CARGO_MANIFEST_DIR"), code.slug()));
        let page = &*page.unwrap();
        assert!(page.starts_with(&format!("# {code}: {}\n", code.title())), "{page}");
        // The data file that the program before and the one after the repair import.
        let tables = fenced(page, "csv file students.csv");
        let with_data = |text, at| {
            let table: &str = tables.get(at).copied().unwrap_or_default();
            findings_of(&[("main.dsvm", text), ("students.csv", table)])
        };
        let told = with_data(fenced(page, "dsvm fail")[0], 0);
        let first = told.trim_start_matches("warning ").trim_start_matches("info ");
        let once = told.lines().filter(|line| !line.starts_with("  ")).count() == 1;
        if !first.starts_with(&format!("{} at", code.slug())) || !once {
            wrong.push_str(&format!("{} fails with: {told}\n", code.slug()));
        }
        let left = with_data(fenced(page, "dsvm")[0], 1);
        if !left.is_empty() {
            wrong.push_str(&format!("{} fixed still has: {left}\n", code.slug()));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn one_mistake_gives_one_message() {
    let cases: &[(&str, &str)] = &[
        // source, diagnostic
        ("let a = 1\noutput x: int = b", "unknown-name at \"b\": `b` is not declared\n"),
        ("output x: int = 1 + \"a\"", "type-mismatch at \"+\": `+` cannot be applied to `int` and `string`\n"),
        ("output x: size = 1 TiB + 5 min", "units-differ at \"+\": `+` cannot be applied to `size` and `duration`\n"),
        ("output x: string = \"${3 USD/h * 730 h}\"", ""),
        (
            "let a = unknown\nlet b = a + 1\noutput x: int = b",
            "unknown-name at \"unknown\": `unknown` is not declared\n",
        ),
        (
            "fn f(a: int): string = a\noutput x: string = f(1)",
            "type-mismatch at \"a\": expected `string`, found `int`\n",
        ),
        ("fn f(a: size): int = a\noutput x: int = 1", "type-mismatch at \"a\": expected `int`, found `size`\n"),
        (
            "param a: int = 1\noutput x: string = if a > 2 then \"x\" else 3",
            "type-mismatch at \"3\": expected `string`, found `int`\n",
        ),
        (
            "param a: int = 1\nlet b = if a > 2 then \"x\" else 3\noutput x: string = b",
            "type-mismatch at \"3\": the alternatives have different types: `string` and `int`\n",
        ),
        ("let a = if true then 1 else [1][5]\noutput x: int = a", ""),
        ("let a = if true then 1 else nope\noutput x: int = a", "unknown-name at \"nope\": `nope` is not declared\n"),
        (
            "type T = \"a\" | \"b\"\nlet x: T = \"c\"\noutput y: string = x",
            "not-one-of at \"\\\"c\\\"\": `c` is not one of `a` and `b`\n",
        ),
        ("let r = { a = 1 }\noutput x: int = r.b", "unknown-field at \"b\": this record has no `b`\n"),
        ("share s { mount = \"/data/s\", quota = 5 }", "type-mismatch at \"5\": expected `size`, found `int`\n"),
        (
            "share s { mount = \"/data/s\", qouta = 5 TiB }",
            "unknown-field at \"qouta\": a share has no field `qouta`\n",
        ),
        (
            "param n: int = 3\nshare s[x in sequence(1, n)] { mount = \"/data/${x}\" }",
            "not-at-deployment at \"sequence(1, n)\": `sequence` is not available at deployment time, but the parameter `n` is known only then\n",
        ),
        ("let t = 7 / 2\noutput x: int = t", "type-mismatch at \"t\": expected `int`, found `decimal`\n"),
        ("check 3 > 2 else \"never\"", ""),
        ("check 3 > 4 else \"too few\"", "check-failed at \"3 > 4\": too few\n"),
        (
            "import { twice } from \"./lib.dsvm\"\noutput x: int = twice",
            "type-mismatch at \"twice\": `twice` is a function, not a value\n",
        ),
        (
            "import { hidden } from \"./lib.dsvm\"\noutput x: int = hidden(2)",
            "not-exported at \"hidden\": `lib.dsvm` does not export `hidden`\n",
        ),
        ("import \"./lib.dsvm\"\noutput x: int = lib.twice(2) + lib.base", ""),
        (
            "import \"./lib.dsvm\" as l\noutput x: int = l.twice(\"a\")",
            "type-mismatch at \"\\\"a\\\"\": expected `int`, found `string`\n",
        ),
        (
            "import \"./gone.dsvm\"\noutput x: int = gone.a",
            "unknown-module at \"\\\"./gone.dsvm\\\"\": there is no file `gone.dsvm`\n",
        ),
    ];
    let library = "fn hidden(a: int): int = a * 2\nexport fn twice(a: int): int = hidden(a)\nexport let base = 10\n";
    for (text, told) in cases {
        let found = findings_of(&[("main.dsvm", &format!("project p {{}}\n{text}\n")), ("lib.dsvm", library)]);
        assert_eq!(found, *told, "{text}");
    }
}

#[test]
fn values_of_the_deployment_become_folded_expressions() {
    let program = checked(
        r#"project p {}
param n: int = 3
param team: string = "a"
param on: bool = true
param opt: string?
param q: size = 1 TiB
output a: int = n * (2 + 3) + 0
output b: string = "vm-" + "x${team}-${1 + 1}-${n}"
output c: string = if 1 < 2 then team else "no"
output d: int = if on then n else 7
output e: string = opt ?? "none"
output f: bool = n > 2 && true
output g: [string] = [team, "b"]
output h: int = [n, 5][1]
output i: bool = all([n > 1, true, on])
output j: bool = any([n > 1, false])
output k: int = div(q, 1 GiB)
output l: int = min(n, 5)
"#,
    );
    let shown: Vec<String> = program
        .outputs
        .iter()
        .map(|output| match &output.value {
            value::Value::Deferred(deferred) => format!("{}: {:?}", output.name, deferred.expr),
            other => format!("{}: {other:?}", output.name),
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
}
