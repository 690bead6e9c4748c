//! Rules of a team: what they find in the projects that import them, what allows a finding, and what is no rule.

use crate::support::{Ran, TestContext};

const PAGE: &str = include_str!("../../docs/team-rules.md");

/// A fenced block of the page.
fn block(words: &str) -> &'static str {
    let rest = PAGE.split(&format!("```{words}\n")).nth(1).unwrap_or_else(|| panic!("no block `{words}`"));
    rest.split("```").next().unwrap()
}

/// The project of the page with its rules.
fn page() -> TestContext {
    let cx = TestContext::new();
    cx.write("policy.dsvm", block("dsvm policy"));
    cx.write("lab/main.dsvm", block("dsvm project"));
    cx.write("lab/main.test.dsvm", block("dsvm tests"));
    cx
}

const HEAD: &str = "import std.images\nimport std.sizes\nimport \"../policy.dsvm\"\n\nproject lab {\n  location = westeurope\n}\n\nparam key: ssh_key\n";

fn pool(name: &str, lines: &str) -> String {
    format!(
        "\npool {name}: interactive {{\n  image = images.ubuntu_2204\n  size  = sizes.Standard_D4s_v5\n  {lines}\n  admin {{ name = \"dsvmuser\", key = key }}\n  allow ssh from [203.0.113.0/24]\n}}\n"
    )
}

/// What a command says of a project with these rules.
fn with(rules: &str, project: &str, command: &str) -> Ran {
    let cx = TestContext::new();
    cx.write("policy.dsvm", rules);
    cx.write("lab/main.dsvm", &format!("{HEAD}{project}"));
    cx.run(command)
}

fn check(rules: &str, project: &str) -> Ran {
    with(rules, project, "check lab --format short --as-of 2026-12-01")
}

#[test]
fn the_page_holds() {
    let cx = page();
    let ran = cx.run("check lab --as-of 2026-12-01");
    assert_eq!(ran.exit, 1, "{}", ran.text());
    for line in block("text output").lines() {
        assert!(ran.stderr.contains(line), "{line}\n{}", ran.text());
    }
    let tests = cx.run("test lab --as-of 2026-12-01 --coverage");
    // Rules that no test names are told.
    assert!(
        tests.stderr.contains("blocks, envs and rules; not at") && tests.stderr.contains("rule \""),
        "{}",
        tests.text()
    );
    assert_eq!(tests.exit, 0, "{}", tests.text());
    assert!(tests.stderr.contains("3 tests passed"), "{}", tests.text());
    assert_eq!(cx.run("fmt --check lab policy.dsvm").exit, 0, "{}", cx.run("fmt --check lab policy.dsvm").text());
    // The file of the rules is checked on its own, too.
    assert_eq!(cx.run("check policy.dsvm").exit, 0);
    let list = cx.run("lint --list lab").stdout;
    let own = list.split("the team's own").nth(1).unwrap();
    let names: Vec<&str> = own.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let all = ["few-machines", "gpu-pools-to-zero", "in-our-regions", "no-own-networks", "small-shares"];
    assert_eq!(names, all, "{list}");
    assert!(own.contains("GPU machines cost money while nobody uses them (policy.dsvm:6; allows exceptions)"), "{own}");
}

#[test]
fn a_finding_is_drawn_at_the_field_and_names_the_rule_the_env_and_the_way_out() {
    let cx = page();
    let ran = cx.run("check lab --as-of 2026-12-01");
    insta::assert_snapshot!(ran.stderr.replace('\\', "/"));
}

#[test]
fn an_error_stops_a_build_and_a_warning_does_not() {
    let rule = |level: &str| {
        format!(
            "rule \"small\" for pool p {{\n  check p.machines.max <= 3 else \"`${{p.name}}` is large\"\n  level = {level}\n}}\n"
        )
    };
    let large = pool("big", "machines = 9");
    for (level, exit) in [("error", 1), ("warn", 0), ("info", 0)] {
        let ran = with(&rule(level), &large, "build lab --stdout");
        assert_eq!(ran.exit, exit, "{level}\n{}", ran.text());
        assert!(ran.stderr.contains("`big` is large"), "{level}\n{}", ran.text());
    }
    let small = pool("small", "machines = 3");
    assert_eq!(check(&rule("error"), &small).exit, 0);
}

#[test]
fn rules_look_at_the_blocks_that_they_name_and_no_others() {
    let rules = r#"
rule "all-pools" for pool p {
  check false else "pool ${p.name}"
}
rule "people" for pool p: interactive {
  check false else "interactive ${p.name}"
}
rule "jobs" for pool p: batch {
  check false else "batch ${p.name}"
}
rule "nets" for network n {
  check false else "network ${n.name}"
}
rule "caches" for resource r: "Microsoft.Cache/redis" {
  check false else "cache ${r.name}"
}
"#;
    let project = format!(
        "{}{}{}{}",
        pool("team", "machines = 2"),
        "\nexisting network corp {\n  name = \"corp\"\n}\n",
        "\npool base {\n  machines = 2\n}\n",
        "\nresource cache: \"Microsoft.Cache/redis@2024-03-01\" {\n  name = \"c\"\n}\nresource plan: \"Microsoft.Web/serverfarms@2022-09-01\" {\n  name = \"w\"\n}\n"
    );
    let ran = check(rules, &project);
    let mut told: Vec<&str> =
        ran.stdout.lines().filter(|line| line.contains("error[")).filter_map(|line| line.split("]: ").nth(1)).collect();
    told.sort_unstable();
    assert_eq!(told, ["cache cache", "interactive team", "pool team"], "{}", ran.text());
}

#[test]
fn nested_blocks_defaults_and_repeated_blocks_are_read() {
    let rules = r#"
rule "one-service" for pool p: interactive {
  check length(p.allow) == 1 && p.allow[0].service == "ssh" else "${p.name}: ${length(p.allow)}"
  check p.admin.name == "dsvmuser" else "admin"
  check p.autoscale == null else "autoscale of ${p.name}"
}
rule "shares" for share s {
  check s.redundancy == "zrs" else "`${s.name}` is ${s.redundancy}"
}
"#;
    let project = format!(
        "{}\nshare data[t in [\"a\", \"b\"]] {{\n  quota = 1 TiB\n  mount = \"/${{t}}\"\n  redundancy = lrs\n}}\n",
        pool("team", "machines = 2")
    );
    let ran = check(rules, &project);
    assert!(!ran.stdout.contains("one-service"), "{}", ran.text());
    assert!(ran.stdout.contains("`data-a` is lrs"), "{}", ran.text());
    assert_eq!(ran.stdout.matches("error[").count(), 1, "{}", ran.text());
}

#[test]
fn what_the_deployment_alone_knows_is_not_judged() {
    let rules = "rule \"small\" for pool p {\n  check sum([p.machines.max, 0]) <= 3 else \"large\"\n}\n";
    let project = format!("param most: int in 1..50\n{}", pool("team", "machines = most"));
    assert_eq!(check(rules, &project).exit, 0, "{}", check(rules, &project).text());
    let with_env = format!("{project}\nenv prod {{\n  most = 9\n}}\n");
    let ran = check(rules, &with_env);
    assert_eq!((ran.exit, ran.stdout.matches("small").count()), (1, 1), "{}", ran.text());
}

#[test]
fn comments_allow_what_the_rule_lets_them_and_nothing_else() {
    let rule = |exceptions: &str| {
        format!("rule \"small\" for pool p {{\n  check p.machines.max <= 3 else \"large\"\n{exceptions}}}\n")
    };
    let project = pool("big", "// dsvmc-allow small: a course until March\n  machines = 9");
    assert_eq!(check(&rule("  exceptions = true\n"), &project).exit, 0);
    let refused = with(&rule(""), &project, "check lab");
    assert_eq!(refused.exit, 1);
    assert!(refused.stderr.contains("has no effect: the rule allows no exceptions"), "{}", refused.text());
    // An exception without a reason is none.
    let silent = project.replace(": a course until March", "");
    assert_eq!(check(&rule("  exceptions = true\n"), &silent).exit, 1);
    // It is told of where exceptions are read.
    let sarif =
        with(&rule("  exceptions = true\n"), &project, "lint lab --rule small --format sarif --as-of 2026-12-01");
    let read: serde_json::Value = serde_json::from_str(&sarif.stdout).unwrap();
    let result = &read["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "small", "{read:#}");
    assert_eq!(result["suppressions"][0]["kind"], "inSource");
    assert_eq!(result["suppressions"][0]["justification"], "a course until March");
    // One that nothing needs is told.
    let fine = project.replace("= 9", "= 2");
    let unused = with(&rule("  exceptions = true\n"), &fine, "lint lab --rule small --as-of 2026-12-01");
    assert!(unused.stderr.contains("nothing here is found by `small`"), "{}", unused.text());
}

#[test]
fn a_rule_that_is_wrong_is_told_once_at_the_rule() {
    let project: String = (0..20).map(|n| pool(&format!("p{n}"), "machines = 2")).collect();
    for (rules, says) in [
        ("rule \"a\" for pool p {\n  check p.machine.max <= 3 else \"x\"\n}\n", "machine"),
        ("rule \"a\" for pool p {\n  check p.machines.max + \"a\" <= 3 else \"x\"\n}\n", "policy.dsvm:2"),
        ("rule \"a\" for pol p {\n  check true else \"x\"\n}\n", "no kind of block"),
        ("rule \"A b\" for pool p {\n  check true else \"x\"\n}\n", "lower-case words"),
        ("rule \"a\" for pool p {\n  level = warn\n}\n", "checks nothing"),
        ("rule \"a\" for pool p {\n  check true\n}\n", "says nothing when it is false"),
        ("rule \"a\" for pool p {\n  level = warning\n  check true else \"x\"\n}\n", "no level"),
        ("rule \"a\" for pool p: web {\n  check true else \"x\"\n}\n", "no such class"),
        ("rule \"storage-lrs\" for pool p {\n  check true else \"x\"\n}\n", "is a rule of dsvmc"),
        ("rule \"a\" {\n  check true else \"x\"\n}\nrule \"a\" {\n  check true else \"x\"\n}\n", "two rules"),
    ] {
        let ran = check(rules, &project);
        assert_eq!((ran.exit, ran.stdout.matches("error[").count()), (1, 1), "{rules}\n{}", ran.text());
        assert!(ran.stdout.contains(says) && ran.stdout.contains("policy.dsvm"), "{rules}\n{}", ran.text());
    }
    // A name is misspelt also where there is no block to hold against the rule.
    let rules = "rule \"a\" for vault v {\n  check v.retentoin > 1 day else \"x\"\n}\n";
    assert_eq!(check(rules, &project).exit, 1);
}

#[test]
fn secrets_are_not_told() {
    let rules = "rule \"a\" {\n  check false else \"it is ${secret}\"\n}\nsecret param secret: string\n";
    let cx = TestContext::new();
    cx.write("main.dsvm", &format!("project lab {{\n  location = westeurope\n}}\n{rules}"));
    let ran = cx.run("check");
    assert!(ran.stderr.contains("DSVM0207"), "{}", ran.text());
}

#[test]
fn rules_come_through_other_imports_and_an_import_for_rules_is_used() {
    let cx = TestContext::new();
    cx.write("rules.dsvm", "rule \"none\" {\n  check false else \"never\"\n  level = warn\n}\n");
    cx.write("common.dsvm", "import \"./rules.dsvm\"\nexport let tier = \"small\"\n");
    cx.write("lab/main.dsvm", "import \"../common.dsvm\"\nproject lab {\n  location = westeurope\n}\n");
    let ran = cx.run("check lab --format short");
    assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.text());
    assert!(ran.stdout.contains("warning[none]: never"), "{}", ran.text());
}

#[test]
fn a_test_that_names_no_rule_is_told() {
    let cx = page();
    cx.write("lab/main.test.dsvm", "test \"t\" {\n  env = dev\n  expect error \"few-machine\"\n}\n");
    let ran = cx.run("test lab");
    assert_eq!(ran.exit, 1);
    assert!(ran.text().contains("write `\"few-machines\"`"), "{}", ran.text());
}
