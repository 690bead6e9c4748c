//! `dsvmc test`: what tests can expect, what a failure shows, and what is no test.

use crate::support::{Ran, TestContext};
use serde_json::Value;

/// The project of docs/tests.md, with its tests.
fn example() -> String {
    let page = include_str!("../../docs/tests.md");
    let block = page.split("```dsvm test\n").nth(1).unwrap();
    block.split("```").next().unwrap().to_owned()
}

/// The same without its tests.
fn project() -> String {
    example().split("\ntest ").next().unwrap().to_owned()
}

fn run(tests: &str) -> (TestContext, Ran) {
    let cx = TestContext::new();
    cx.write("main.dsvm", &project());
    cx.write("all.test.dsvm", tests);
    let ran = cx.run("test --as-of 2026-12-01");
    (cx, ran)
}

fn passes(tests: &str) {
    let (_, ran) = run(tests);
    assert_eq!(ran.exit, 0, "{tests}\n{}", ran.text());
}

/// It fails, and says all of this.
fn fails(test: &str, says: &[&str]) {
    let (_, ran) = run(&format!("test \"t\" {{\n  env = prod\n  {test}\n}}\n"));
    assert_eq!(ran.exit, 1, "{test}\n{}", ran.text());
    for text in says {
        assert!(ran.text().contains(text), "{test}: {text}\n{}", ran.text());
    }
}

#[test]
fn the_example_of_the_page_is_formatted_and_passes() {
    let cx = TestContext::new();
    cx.write("lab.dsvm", &example());
    let ran = cx.run("test lab.dsvm --coverage");
    assert_eq!(ran.exit, 0, "{}", ran.text());
    assert!(ran.stderr.contains("4 tests passed"), "{}", ran.text());
    assert!(ran.stderr.contains("5 of 5 blocks, envs and rules"), "{}", ran.text());
    assert_eq!(cx.run("fmt --check lab.dsvm").exit, 0);
    // Tests are no part of what is checked, built and planned.
    assert_eq!(cx.run("check lab.dsvm").exit, 0);
    let with = cx.run("build lab.dsvm --stdout").stdout;
    cx.write("lab.dsvm", &project());
    assert_eq!(with, cx.run("build lab.dsvm --stdout").stdout);
}

#[test]
fn everything_that_can_be_expected() {
    passes(
        r#"
test "values" {
  env = dev
  expect most == 2 && notebooks.quota in [1 TiB, 2 TiB]
  expect team.ssh != null || true
}

test "resources" {
  env = prod
  expect resource "microsoft.compute/virtualmachinescalesets" "vmss-*" {
    count = 1
    "sku.name" = "Standard_D4s*"
    "sku.capacity" = 1
    "tags.team" = null
    "properties.virtualMachineProfile.networkProfile.networkInterfaceConfigurations[nic].properties.primary" = true
  }
  expect resource "Microsoft.Batch/*" { count = 0 }
  expect no resource "Microsoft.Batch/*" "*"
}

test "plans" {
  env = prod
  expect plan { create = 13, update = 0, replace = 0, delete = 0, refuse = 0, unchanged = 0 }
  expect plan { machines_removed = 0, machines_restarted = 0, data_deleted = 0 }
}

test "diagnostics" {
  env = prod
  expect hint DSVM0431
  expect no warning DSVM0302
  expect no errors
}

test "values that an env does not have" {
  env = prod
  given { most = 60 }
  expect error DSVM0203 at 36
}
"#,
    );
}

#[test]
fn a_failure_shows_what_was_found_and_the_line_that_did_it() {
    let set = "\"Microsoft.Compute/virtualMachineScaleSets\"";
    fails("expect notebooks.quota > 2 TiB", &["found 1 TiB beside 2 TiB", "DSVM0907"]);
    let found = [
        "`sku.name` of `vmss-team` is \"Standard_D4s_v5\"",
        "expected \"Standard_E*\"",
        "comes from here",
        "size     = sizes.Standard_D4s_v5",
    ];
    fails(&format!("expect resource {set} {{ \"sku.name\" = \"Standard_E*\" }}"), &found);
    fails(&format!("expect resource {set} \"x*\""), &["there is no resource", "of this type there is `vmss-team`"]);
    fails(&format!("expect no resource {set}"), &["there is a resource", "pool team: interactive"]);
    fails(&format!("expect resource {set} {{ count = 3 }}"), &["there are 1 resources", "expected 3"]);
    fails(&format!("expect resource {set} {{ \"a.b\" = 1 }}"), &["`vmss-team` has no property `a.b`"]);
    fails("expect plan { create = 2 }", &["the plan has `create` = 13", "among them `publicIPAddresses"]);
    fails("expect no hints", &["there is DSVM0431", "remove 1"]);
    fails("expect hint DSVM0431 at 1", &["there is no hint DSVM0431 on that line", "found on line 34"]);
    fails("expect error", &["there is no error"]);
    fails("expect team.address == \"x\"", &["known after the deployment only"]);
    fails("expect output { nothing = 1 }", &["output `nothing` is not known"]);
    fails("expect missing == 1", &["DSVM0101", "`missing` is not declared"]);
    fails("given { most = 60 }\n  expect most == 60", &["DSVM0203", "60 is outside 1..50"]);
    fails("given { more = 1 }\n  expect most == 9", &["`more`"]);
    for given in ["", "  given { most = 3 }\n"] {
        let (_, ran) = run(&format!("test \"t\" {{\n{given}  expect most == 3\n}}\n"));
        let told = ran.text().contains("this test names no env") && ran.text().contains("`dev`, `prod`");
        assert!(ran.exit == 1 && told && !ran.text().contains("DSVM01"), "{}", ran.text());
    }
    let (_, ran) = run("test \"t\" {\n  env = stage\n  expect most == 1\n}\n");
    assert!(ran.exit == 1 && ran.text().contains("the project has no env `stage`"), "{}", ran.text());
}

#[test]
fn a_simulation_is_held_against_numbers_and_ranges() {
    let simulation = |body: &str| format!("expect simulation \"team\" {{ workload = \"class of 20\", {body} }}");
    fails(&simulation("machines_most = 1"), &["the simulation has another `machines_most`", "found "]);
    fails(&simulation("served = 101..200"), &["the simulation has another `served`", "found 100"]);
    fails(&simulation("days = 1, served = 100"), &["found 20"]);
    fails(&simulation("served = \"all\""), &["a number or a range is expected here"]);
    fails(&simulation("days = 4000, served = 1"), &["1 to 366 days are simulated"]);
    let other = "expect simulation \"nobody\" { workload = \"class of 20\", served = 1 }";
    fails(other, &["`nobody` cannot be simulated", "the project has no such pool"]);
    let other = "expect simulation \"team\" { workload = \"crowd of 20\", served = 1 }";
    fails(other, &["this workload cannot be simulated", "found `crowd`"]);
    for (wrong, says) in [
        ("expect simulation \"team\" { served = 1 }", "a simulation needs `workload"),
        ("expect simulation { workload = \"class of 2\" }", "needs the name of a pool in quotes"),
        ("expect simulation \"team\" { workload = \"class of 2\", speed = 1 }", "a simulation has no number `speed`"),
    ] {
        fails(wrong, &["DSVM0125", says]);
    }
}

#[test]
fn another_day_has_other_retirements() {
    let cx = TestContext::new();
    cx.write("main.dsvm", &project().replace("sizes.Standard_D4s_v5", "sizes.Standard_HC44rs"));
    let test = |name: &str, day: &str, expect: &str| {
        format!("test \"{name}\" {{\n  env = prod\n  as_of = {day}\n  expect {expect}\n}}\n")
    };
    cx.write(
        "main.test.dsvm",
        &(test("now", "2026-12-01", "no error DSVM0303") + &test("then", "2027-06-02", "error DSVM0303")),
    );
    let ran = cx.run("test");
    assert_eq!(ran.exit, 0, "{}", ran.text());
    // What nobody looked at is named.
    cx.write("main.test.dsvm", "test \"one\" { env = dev\n as_of = 2026-12-01\n expect most == 2 }\n");
    let ran = cx.run("test --coverage");
    assert!(
        ran.stderr.contains("1 of 5 blocks, envs and rules; not at") && ran.stderr.contains("pool team"),
        "{}",
        ran.text()
    );
}

#[test]
fn a_secret_is_not_compared() {
    let cx = TestContext::new();
    let text = "project lab { location = westeurope }\nsecret param word: string\nvault keys { secret entry { value = word } }\n\
                test \"t\" { expect resource \"Microsoft.KeyVault/vaults/secrets\" { \"properties.value\" = \"a\" } }\n";
    cx.write("main.dsvm", text);
    let ran = cx.run("test");
    assert!(ran.exit == 1 && ran.stdout.contains("is secret"), "{}", ran.text());
}

#[test]
fn a_project_without_envs_can_be_given_values() {
    let cx = TestContext::new();
    let text = "project lab { location = westeurope }\nparam size: int = 1\nshare notebooks { quota = size * 1 TiB\n mount = \"/data\" }\n\
                test \"larger\" { given { size = 3 }\n expect notebooks.quota == 3 TiB\n\
                expect resource \"*/shares\" { \"properties.shareQuota\" = 3072 } }\n";
    cx.write("main.dsvm", text);
    let ran = cx.run("test");
    assert_eq!(ran.exit, 0, "{}", ran.text());
}

#[test]
fn a_plan_is_held_against_live_resources() {
    let cx = TestContext::new();
    let project = |quota: u32| {
        format!(
            "project lab {{ location = westeurope }}\nshare notebooks {{ quota = {quota} TiB\n mount = \"/data\" }}\n"
        )
    };
    cx.write("main.dsvm", &project(1));
    assert_eq!(cx.run("apply --yes").exit, 0);
    let live = cx.run("show --json");
    cx.write("live.json", &live.stdout);
    cx.write(
        "main.test.dsvm",
        "test \"quiet\" { live = \"live.json\"\n expect plan { create = 0, update = 0, delete = 0 } }\n",
    );
    let ran = cx.run("test");
    assert_eq!(ran.exit, 0, "{}", ran.text());
    cx.write("main.dsvm", &project(2));
    let ran = cx.run("test");
    assert!(ran.exit == 1 && ran.stdout.contains("the plan has `update` = 1"), "{}", ran.text());
    cx.write("main.test.dsvm", "test \"quiet\" { live = \"gone.json\"\n expect plan { create = 0 } }\n");
    let ran = cx.run("test");
    assert!(ran.exit == 1 && ran.stdout.contains("gone.json"), "{}", ran.text());
    // Nothing outside of the project is read, and nothing that may never end.
    for path in ["/dev/zero", "/proc/self/environ", "../outside.json"] {
        cx.write("main.test.dsvm", &format!("test \"quiet\" {{ live = \"{path}\"\n expect plan {{ create = 0 }} }}\n"));
        let ran = cx.run("test");
        assert!(ran.exit == 1 && ran.stdout.contains("there is no plan"), "{path}: {}", ran.text());
        assert!(!ran.text().contains("PATH="), "{path}");
    }
}

#[test]
fn what_is_no_test_is_told_and_nothing_runs() {
    for (text, says) in [
        ("test \"a\" { }", "expects nothing"),
        ("test a { expect true }", "needs a name in quotes"),
        ("test \"a\" { expect true }\ntest \"a\" { expect true }", "two tests have this name"),
        ("test \"a\" { env = 3\n expect true }", "`env` names an env"),
        ("test \"a\" { as_of = 2026-13-45\n expect true }", "DSVM"),
        ("test \"a\" { colour = 1\n expect true }", "a test has no field `colour`"),
        ("test \"a\" { expects true }", "`expects` is not a part of a test"),
        ("test \"a\" { expect resource }", "needs a type"),
        ("test \"a\" { expect error DSVM7777 }", "there is no diagnostic `DSVM7777`"),
        ("test \"a\" { expect plan { machines = 1 } }", "a plan has no number `machines`"),
        ("test \"a\" { expect no }", "DSVM"),
    ] {
        let (_, ran) = run(text);
        assert!(ran.exit == 1 && ran.text().contains(says), "{text}: {says}\n{}", ran.text());
    }
    // Tests in the sources themselves are looked at by `check`, too.
    let cx = TestContext::new();
    cx.write("main.dsvm", &format!("{}\ntest \"a\" {{ }}\n", project()));
    let ran = cx.run("check");
    assert!(ran.exit == 1 && ran.stderr.contains("DSVM0125"), "{}", ran.text());
}

#[test]
fn reports_for_programs() {
    let tests = "test \"good <1>\" {\n  env = dev\n  expect most == 2\n}\n\ntest \"bad & wrong\" {\n  env = dev\n  expect most == 3\n}\n";
    let (cx, ran) = run(tests);
    assert_eq!(ran.exit, 1);
    let json: Value = serde_json::from_str(&cx.run("test --format json").stdout).unwrap();
    let found = &json["projects"][0]["tests"];
    assert_eq!((&found[0]["passed"], &found[1]["failures"][0]["code"]), (&true.into(), &"DSVM0907".into()));
    assert_eq!(cx.run("test --junit report.xml").exit, 1);
    let first = cx.read("report.xml");
    insta::assert_snapshot!(first);
    assert_eq!(cx.run("test --junit report.xml").exit, 1);
    assert_eq!(cx.read("report.xml"), first, "an earlier report is replaced by the same");
    let refused = cx.run("test --junit main.dsvm");
    assert!(refused.exit == 1 && refused.stderr.contains("DSVM0904"), "{}", refused.text());
    assert_eq!(cx.read("main.dsvm"), project());
    let one = cx.run("test --filter good");
    assert!(one.exit == 0 && one.stderr.contains("1 test passed"), "{}", one.text());
    assert_eq!(cx.run("test --filter nothing").exit, 1);
}

#[test]
fn one_s_own_folder_has_no_heading_and_a_filter_without_tests_is_a_mistake() {
    let (cx, ran) = run("test \"t\" {\n  env = prod\n  expect true\n}\n");
    assert!(ran.stdout.starts_with("  ok    t\n"), "{}", ran.text());
    let ran = cx.run("test --filter nothing");
    assert_eq!(ran.exit, 1);
    assert_eq!(ran.stderr, "no test has such a name; without `--filter` all tests run\n");
    // A build is for all envs, and says so to those who name one.
    let ran = cx.run("build --env prod");
    assert!(ran.exit == 1 && ran.stderr.contains("it writes a parameter file for each env"), "{}", ran.text());
    assert!(ran.stderr.contains("parameters.prod.json") && !cx.path().join("build").exists(), "{}", ran.text());
}

#[test]
fn a_property_that_is_misspelled_is_told_apart_from_one_that_is_not_there() {
    let scale_set = |path: &str| {
        format!("expect resource \"Microsoft.Compute/virtualMachineScaleSets\" {{\n    \"{path}\" = \"x\"\n  }}")
    };
    fails(&scale_set("sku.nme"), &["has no property `sku.nme`", "write `sku.name`"]);
    fails(&scale_set("skuu.name"), &["has no property `skuu.name`", "write `sku.name`"]);
    let (_, ran) = run(&format!("test \"t\" {{\n  env = prod\n  {}\n}}\n", scale_set("sku.nothing.like.it")));
    assert!(ran.exit == 1 && !ran.text().contains("help: write"), "{}", ran.text());
}
