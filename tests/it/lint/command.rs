//! The command: settings, comments, formats, exit codes.

use crate::dsvmc_snapshot;
use crate::support::TestContext;
use serde_json::Value;

/// A project with one warning (line 12) and one hint that is asked for.
const SHARE: &str = r#"project team {
  location = westeurope
  tags     = { owner = "data platform" }
}

import std.images
import std.sizes

share work {
  quota      = 1 TiB
  mount      = "/data/work"
  redundancy = lrs
}

pool team: interactive {
  image    = images.ubuntu_2204
  size     = sizes.Standard_D4s_v5
  machines = 2
  shares   = [work]

  admin { name = "dsvmuser", key = admin_key }
  allow ssh from [203.0.113.0/24]
}

/// Public key of the administrator.
param admin_key: ssh_key
"#;

/// Levels that leave only warnings.
const QUIET: &str = "no-zones = \"off\"\nhost-encryption-off = \"off\"\nalways-on-interactive = \"off\"\n\
                     share-without-backup = \"off\"\nstateful-unprotected = \"off\"\n";

fn project(settings: &str) -> TestContext {
    let cx = TestContext::new();
    cx.write("main.dsvm", SHARE);
    cx.write("dsvmc.toml", &format!("[lint]\n{QUIET}{settings}"));
    cx
}

/// The project with a comment before or at the end of the line with the redundancy.
fn with_comment(before: &str, behind: &str) -> String {
    SHARE.replace("  redundancy = lrs", &format!("{before}  redundancy = lrs{behind}"))
}

#[test]
fn a_finding_is_drawn_with_the_name_of_its_rule() {
    dsvmc_snapshot!(project(""), "lint --as-of 2026-11-23", @r"
    exit: 0
    --- stdout
    --- stderr
    warning[storage-lrs]: all copies of `work` are in one building
       ┌─ main.dsvm:12:16
       │
    12 │   redundancy = lrs
       │                ^^^ lost with that building
       │
       = help: write `zrs` for copies in three zones, or leave `redundancy` out

    1 warning; `dsvmc explain storage-lrs` explains it
    ");
}

#[test]
fn warnings_fail_when_they_are_denied_and_errors_always() {
    let cx = project("");
    assert_eq!(cx.run("lint --as-of 2026-11-23").exit, 0);
    assert_eq!(cx.run("lint --as-of 2026-11-23 --deny warnings").exit, 1);
    assert_eq!(project("storage-lrs = \"error\"").run("lint --as-of 2026-11-23").exit, 1);
    let none = project("storage-lrs = \"off\"").run("lint --as-of 2026-11-23 --deny warnings");
    assert_eq!((none.exit, none.stderr.as_str()), (0, "`team`: no findings\n"));
}

#[test]
fn one_rule_can_be_asked_also_when_it_is_off() {
    let cx = project("");
    dsvmc_snapshot!(cx, "lint --as-of 2026-11-23 --rule public-storage-endpoint --rule no_zones --format short", @r"
    exit: 0
    --- stdout
    main.dsvm:9:7: info[public-storage-endpoint]: `work` has a public address (help: set `access = private_endpoint`)
    main.dsvm:15:6: info[no-zones]: machines of `team` are in no availability zone (help: add `zones = [1, 2, 3]`; not all sizes are in all zones of a region)
    --- stderr
    ");
    dsvmc_snapshot!(cx, "lint --rule storage-lsr", @r"
    exit: 64
    --- stdout
    --- stderr
    error: invalid value 'storage-lsr' for '--rule <RULE>': no rule has this name; did you mean `storage-lrs`?

    For more information, try '--help'.
    ");
}

#[test]
fn the_nearest_settings_win_entry_by_entry() {
    let cx = TestContext::new();
    cx.write("pools/team/main.dsvm", SHARE);
    cx.write(
        "dsvmc.toml",
        &format!("[lint]\n{QUIET}autoscale-unbounded = {{ level = \"error\", most = 1 }}\nstorage-lrs = \"off\"\n"),
    );
    cx.write("pools/dsvmc.toml", "[lint]\nautoscale-unbounded = \"info\"\n");
    dsvmc_snapshot!(cx, "lint --as-of 2026-11-23 --format short", @r"
    exit: 0
    --- stdout
    pools/team/main.dsvm:18:14: info[autoscale-unbounded]: `team` can grow to 2 machines (help: lower the range; or set `most` of this rule in `dsvmc.toml` to what you are ready to pay)
    --- stderr
    ");
    cx.write("pools/team/dsvmc.toml", "[lint]\nautoscale-unbounded = { most = 2 }\nstorage-lrs = \"warn\"\n");
    dsvmc_snapshot!(cx, "lint --as-of 2026-11-23 --format short pools/team", @r"
    exit: 0
    --- stdout
    pools/team/main.dsvm:12:16: warning[storage-lrs]: all copies of `work` are in one building (help: write `zrs` for copies in three zones, or leave `redundancy` out)
    --- stderr
    ");
}

#[test]
fn settings_end_at_the_repository() {
    let cx = TestContext::new();
    cx.write("repository/main.dsvm", SHARE);
    cx.write("repository/.git/HEAD", "");
    cx.write("repository/dsvmc.toml", &format!("[lint]\n{QUIET}"));
    cx.write("dsvmc.toml", "[lint]\nstorage-lrs = \"off\"\n");
    let found = cx.run("lint --as-of 2026-11-23 --format short repository");
    assert!(found.stdout.contains("warning[storage-lrs]"), "{}", found.text());
}

#[test]
fn mistakes_in_settings_are_told_once_with_what_was_meant() {
    let cx = TestContext::new();
    cx.write("a/main.dsvm", SHARE);
    cx.write("b/main.dsvm", SHARE);
    cx.write(
        "dsvmc.toml",
        &format!(
            "storage-lrs = \"off\"\n[lint]\n{QUIET}storage-lsr = \"off\"\nwheels = \"off\"\nno-zone = 1\nrepair-off = \"loud\"\n\
             autoscale-unbounded = {{ least = 3, most = \"many\" }}\nrequired-tags = {{ tags = \"owner\" }}\n\
             naming-convention = {{ patterns = {{ \"a/b\" = \"(\" }} }}\nsingle-zone = false\n[format]\n"
        ),
    );
    dsvmc_snapshot!(cx, "lint --as-of 2026-11-23 --format short", @r#"
    exit: 1
    --- stdout
    dsvmc.toml:1:1: error[DSVM0605]: `storage-lrs` is no part of these settings (help: write `storage-lrs` below `[lint]`)
    dsvmc.toml:8:1: error[DSVM0605]: there is no rule `storage-lsr` (help: write `storage-lrs`)
    dsvmc.toml:9:1: error[DSVM0605]: there is no rule `wheels` (help: run `dsvmc lint --list` for all rules)
    dsvmc.toml:10:1: error[DSVM0605]: there is no rule `no-zone` (help: write `no-zones`)
    dsvmc.toml:11:14: error[DSVM0605]: `loud` is no level (help: write one of `"off"`, `"info"`, `"warn"`, `"error"`)
    dsvmc.toml:12:25: error[DSVM0605]: `autoscale-unbounded` has no option `least` (help: its options are `level`, `most`)
    dsvmc.toml:12:43: error[DSVM0605]: `most` of `autoscale-unbounded` takes a number (help: write a number such as `50`)
    dsvmc.toml:13:26: error[DSVM0605]: `tags` of `required-tags` takes a list of texts (help: write a list such as `["one", "two"]`)
    dsvmc.toml:14:34: error[DSVM0605]: `patterns` of `naming-convention` takes a table of patterns (help: `(` is no regular expression)
    dsvmc.toml:15:15: error[DSVM0605]: a level is a text (help: write one of `"off"`, `"info"`, `"warn"`, `"error"`)
    dsvmc.toml:16:2: error[DSVM0605]: `format` is no part of these settings (help: the tables are `[lint]`, `[deploy]` and `[prices]`)
    a/main.dsvm:12:16: warning[storage-lrs]: all copies of `work` are in one building (help: write `zrs` for copies in three zones, or leave `redundancy` out)
    b/main.dsvm:12:16: warning[storage-lrs]: all copies of `work` are in one building (help: write `zrs` for copies in three zones, or leave `redundancy` out)
    --- stderr
    "#);
    cx.write("dsvmc.toml", "[lint\n");
    dsvmc_snapshot!(cx, "lint --as-of 2026-11-23 a", @r"
    exit: 1
    --- stdout
    --- stderr
    error[DSVM0604]: this file is not TOML
      ┌─ dsvmc.toml:1:6
      │
    1 │ [lint
      │      ^ not understood
      │
      = note: unclosed table, expected `]`
      = help: see <https://toml.io> for the form; `dsvmc explain lint-finding` shows an example

    note[share-without-backup]: nothing backs up `work`
      ┌─ a/main.dsvm:9:7
      │
    9 │ share work {
      │       ^^^^ a deleted file is gone
      │
      = note: `keep_deleted` brings back a share, not a file that was changed or deleted in it
      = help: protect the share with Azure Backup, here with a `resource` or in the portal; allow this finding if that is done elsewhere

    note[stateful-unprotected]: nothing keeps `work` from being deleted
      ┌─ a/main.dsvm:9:7
      │
    9 │ share work {
      │       ^^^^ a plan that removes it is carried out
      │
      = help: add `prevent_destroy = true`, which rejects such a plan

    warning[storage-lrs]: all copies of `work` are in one building
       ┌─ a/main.dsvm:12:16
       │
    12 │   redundancy = lrs
       │                ^^^ lost with that building
       │
       = help: write `zrs` for copies in three zones, or leave `redundancy` out

    note[no-zones]: machines of `team` are in no availability zone
       ┌─ a/main.dsvm:15:6
       │
    15 │ pool team: interactive {
       │      ^^^^ one failure of a building can stop all
       │
       = help: add `zones = [1, 2, 3]`; not all sizes are in all zones of a region

    note[host-encryption-off]: temporary disks and caches of `team` are not encrypted
       ┌─ a/main.dsvm:15:6
       │
    15 │ pool team: interactive {
       │      ^^^^ only what is on managed disks is
       │
       = help: set `encryption_at_host = true`; the subscription needs the feature Microsoft.Compute/EncryptionAtHost

    note[always-on-interactive]: `team` always has 2 machines
       ┌─ a/main.dsvm:18:14
       │
    18 │   machines = 2
       │              ^ paid for at night and on weekends too
       │
       = help: begin the range at 0, and let a `schedule` start machines for working hours

    1 error, 1 warning and 5 hints; `dsvmc explain DSVM0604` explains it
    ");
}

#[test]
fn settings_that_are_no_text_file_are_refused() {
    let cx = TestContext::new();
    cx.write("main.dsvm", SHARE);
    std::fs::create_dir(cx.path().join("dsvmc.toml")).unwrap();
    let told = |cx: &TestContext| {
        let found = cx.run("lint --as-of 2026-11-23 --format json");
        let document: Value = serde_json::from_str(&found.stdout).unwrap();
        let first = document["diagnostics"][0].clone();
        (found.exit, first["code"].as_str().unwrap().to_owned(), first["notes"][0].as_str().unwrap().to_owned())
    };
    assert_eq!(told(&cx), (1, "DSVM0604".into(), "it is not a regular file".into()));
    std::fs::remove_dir(cx.path().join("dsvmc.toml")).unwrap();
    cx.write("dsvmc.toml", &"#".repeat((256 << 10) + 1));
    assert_eq!(told(&cx), (1, "DSVM0604".into(), "settings have at most 256 KiB".into()));
    std::fs::write(cx.path().join("dsvmc.toml"), b"[lint]\n# \xff\n").unwrap();
    assert_eq!(told(&cx), (1, "DSVM0604".into(), "it is not UTF-8 text".into()));
    cx.write("dsvmc.toml", &"[".repeat(100_000));
    assert_eq!(told(&cx).1, "DSVM0604");
}

#[test]
fn a_comment_with_a_reason_allows_a_finding() {
    for (before, behind) in [
        ("  // dsvmc-allow storage-lrs: made anew each night\n", ""),
        ("", " // dsvmc-allow storage-lrs: made anew each night"),
        ("  // dsvmc-allow storage-lrs: made anew each night\n  // More is said here.\n\n", ""),
        ("  // dsvmc-allow storage_lrs: made anew each night\n", ""),
    ] {
        let cx = project("");
        cx.write("main.dsvm", &with_comment(before, behind));
        let found = cx.run("lint --as-of 2026-11-23 --deny warnings");
        assert_eq!(
            (found.exit, found.stderr.as_str()),
            (0, "`team`: no findings; 1 finding allowed by comments\n"),
            "{before}{behind}"
        );
    }
}

#[test]
fn several_rules_are_allowed_by_one_comment() {
    let cx = project("no-zones = \"warn\"\nhost-encryption-off = \"warn\"\n".trim_start());
    let settings = "[lint]\nno-zones = \"warn\"\nhost-encryption-off = \"warn\"\nstorage-lrs = \"off\"\n\
                    share-without-backup = \"off\"\nstateful-unprotected = \"off\"\nalways-on-interactive = \"off\"\n";
    cx.write("dsvmc.toml", settings);
    cx.write(
        "main.dsvm",
        &SHARE.replace("pool team", "// dsvmc-allow no-zones, host-encryption-off: a test\npool team"),
    );
    let found = cx.run("lint --as-of 2026-11-23 --deny warnings");
    assert_eq!((found.exit, found.stderr.as_str()), (0, "`team`: no findings; 2 findings allowed by comments\n"));
}

#[test]
fn comments_without_effect_are_told() {
    let cx = project("");
    let text = with_comment(
        "  // dsvmc-allow storage-lrs\n  // dsvmc-allow storage-lsr: why\n  // dsvmc-allow storage-lrs:  \n",
        "",
    );
    let text = text.replace("machines = 2", "machines = 2 // dsvmc-allow single-machine: no longer true");
    let text = text.replace("shares   =", "// dsvmc-allowance is another word\n  shares   =");
    cx.write("main.dsvm", &text);
    dsvmc_snapshot!(cx, "lint --as-of 2026-11-23 --format short", @r"
    exit: 0
    --- stdout
    main.dsvm:12:3: warning[DSVM0603]: this comment gives no reason (help: write `// dsvmc-allow storage-lrs: why`)
    main.dsvm:13:18: warning[DSVM0603]: there is no rule `storage-lsr` (help: write `storage-lrs`)
    main.dsvm:14:3: warning[DSVM0603]: this comment gives no reason (help: write `// dsvmc-allow storage-lrs: why`)
    main.dsvm:15:16: warning[storage-lrs]: all copies of `work` are in one building (help: write `zrs` for copies in three zones, or leave `redundancy` out)
    main.dsvm:21:31: warning[DSVM0602]: nothing here is found by `single-machine` (help: remove the comment; it goes on the line before the finding, or at the end of its line)
    --- stderr
    ");
    // A rule that was not asked says nothing about its comments.
    let one = cx.run("lint --as-of 2026-11-23 --format short --rule storage-lrs");
    assert!(!one.stdout.contains("DSVM0602"), "{}", one.text());
}

/// What one project of a tree does not need may be needed in another one.
#[test]
fn a_comment_in_an_imported_file_need_not_be_used_by_each_project() {
    let cx = TestContext::new();
    cx.write("dsvmc.toml", &format!("[lint]\n{QUIET}"));
    cx.write("shared.dsvm", "export let copies = 1 // dsvmc-allow storage-lrs: used by one of them\n");
    for name in ["a", "b"] {
        let text = SHARE.replace("redundancy = lrs", "keep_deleted = copies * 10 days");
        cx.write(&format!("{name}/main.dsvm"), &format!("import {{ copies }} from \"../shared.dsvm\"\n\n{text}"));
    }
    let found = cx.run("lint --as-of 2026-11-23 --deny warnings");
    assert_eq!((found.exit, found.stderr.as_str()), (0, "2 projects: no findings\n"));
}

/// A policy of the standard library cannot be changed where it stands: what is found in it is told in the pool.
#[test]
fn findings_in_the_library_stand_in_the_project() {
    let cx = project("storage-lrs = \"off\"");
    let text = SHARE.replace("machines = 2", "machines = 0..6\n  autoscale = schedules.empty_at_night");
    cx.write("main.dsvm", &text.replace("import std.sizes", "import std.sizes\nimport std.schedules"));
    dsvmc_snapshot!(cx, "lint --as-of 2026-11-23 --format short", @r#"
    exit: 0
    --- stdout
    main.dsvm:20:15: warning[timezone-missing]: hours of `workday` are in UTC (help: write `autoscale mine from schedules.empty_at_night { timezone = "W. Europe Standard Time" }` with your zone)
    main.dsvm:20:15: info[nobody-notified]: nobody hears when `team` cannot grow (help: add `autoscale mine from schedules.empty_at_night { notify { emails = ["…"] } }`)
    --- stderr
    "#);
}

#[test]
fn programs_get_the_name_of_the_rule_too() {
    let cx = project("");
    let json: Value = serde_json::from_str(&cx.run("lint --as-of 2026-11-23 --format json").stdout).unwrap();
    let first = &json["diagnostics"][0];
    assert_eq!(
        (&json["warnings"], &first["code"], &first["name"]),
        (&1.into(), &"storage-lrs".into(), &"storage-lrs".into())
    );
    let sarif = cx.run("lint --as-of 2026-11-23 --format sarif").stdout;
    assert_eq!(crate::sarif::errors(&sarif), Vec::<String>::new());
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    let run = &sarif["runs"][0];
    let rule = &run["tool"]["driver"]["rules"][0];
    assert_eq!((&rule["id"], &run["results"][0]["ruleId"]), (&"storage-lrs".into(), &"storage-lrs".into()));
    assert_eq!(run["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"], 12);
    assert!(rule["help"]["markdown"].as_str().unwrap().starts_with("# storage-lrs: "));
    dsvmc_snapshot!(cx, "lint --as-of 2026-11-23 --format github", @r"
    exit: 0
    --- stdout
    ::warning file=main.dsvm,line=12,endLine=12,col=16,endColumn=19,title=storage-lrs::all copies of `work` are in one building%0Ahelp: write `zrs` for copies in three zones, or leave `redundancy` out
    --- stderr
    ");
}

/// SARIF of several rules: each result leads to its own.
#[test]
fn each_result_of_a_tree_leads_to_its_rule() {
    let cx = TestContext::new();
    cx.write("a/main.dsvm", SHARE);
    cx.write("b/main.dsvm", &SHARE.replace("redundancy = lrs", "keep_deleted = 1 day"));
    let sarif = cx.run("lint --as-of 2026-11-23 --format sarif").stdout;
    assert_eq!(crate::sarif::errors(&sarif), Vec::<String>::new());
}

#[test]
fn a_project_with_errors_shows_these_alone() {
    let cx = project("");
    cx.write("main.dsvm", &SHARE.replace("machines = 2", "machines = two"));
    dsvmc_snapshot!(cx, "lint --as-of 2026-11-23 --format short", @r"
    exit: 1
    --- stdout
    main.dsvm:18:14: error[DSVM0101]: `two` is not declared (help: declare `two`, or put quotes around it if it is a string)
    --- stderr
    ");
}

#[test]
fn sources_without_a_project_are_told() {
    let cx = TestContext::new();
    cx.write("main.dsvm", "");
    let found = cx.run("lint");
    assert!(found.exit == 1 && found.stderr.contains("error[DSVM0906]"), "{}", found.text());
}

/// Names and lists that no person writes cost no time and fill no screen.
#[test]
fn monstrous_comments_and_settings_are_cut() {
    let cx = project("");
    let names = "storage-lsr,".repeat(200_000);
    let text = format!("// dsvmc-allow {names}: why\n// dsvmc-allow {}: why\n{SHARE}", "x".repeat(2_000_000));
    cx.write("main.dsvm", &text);
    cx.write("dsvmc.toml", &format!("[lint]\n{} = \"off\"\n", "y".repeat(200_000)));
    let start = std::time::Instant::now();
    let found = cx.run("lint --as-of 2026-11-23 --format json");
    assert!(start.elapsed().as_secs() < 20 && found.exit == 1, "{:?}", start.elapsed());
    let document: Value = serde_json::from_str(&found.stdout).unwrap();
    let titles = document["diagnostics"].as_array().unwrap().iter().map(|d| d["title"].as_str().unwrap().len());
    assert!(titles.max() < Some(200) && document["diagnostics"].as_array().unwrap().len() < 60);
}

/// Numbers beyond all calendars and clouds are taken as what they say.
#[test]
fn options_can_be_as_large_as_settings_take() {
    let cx = project(
        "storage-lrs = \"off\"\nold-api-version = { years = 1_000_000 }\nretires-soon = { days = 1_000_000 }\n\
         autoscale-cooldown-short = { minutes = 1_000_000 }\nupgrade-all-at-once = { batch = 0 }\nml-idle-long = { minutes = 0x10 }\n",
    );
    let resource = "resource logs: \"Microsoft.OperationalInsights/workspaces@2021-06-01\" {\n  name = \"log-team\"\n  properties = { retentionInDays = 30 }\n}\n";
    cx.write("main.dsvm", &format!("{SHARE}\n{resource}"));
    assert_eq!(cx.run("lint --as-of 2026-11-23 --deny warnings").exit, 0);
}

#[test]
fn a_finding_of_one_env_names_it() {
    let cx = project("autoscale-unbounded = { most = 10 }");
    let text = SHARE.replace("redundancy = lrs", "redundancy = zrs").replace("machines = 2", "machines = most");
    let text = format!(
        "{text}\n/// How many.\nparam most: int\n\nenv dev {{\n  most = 2\n  admin_key = \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0e99PD7L6H1hsDWtXjCnotLXI7NDNJb9dhjsPl+UGc a@example.org\"\n}}\n\n\
         env prod {{\n  most = 20\n  admin_key = \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0e99PD7L6H1hsDWtXjCnotLXI7NDNJb9dhjsPl+UGc a@example.org\"\n}}\n"
    );
    cx.write("main.dsvm", &text);
    dsvmc_snapshot!(cx, "lint --as-of 2026-11-23", @r"
    exit: 0
    --- stdout
    --- stderr
    warning[autoscale-unbounded]: `team` can grow to 20 machines
       ┌─ main.dsvm:18:14
       │
    18 │   machines = most
       │              ^^^^ more than 10
       │
       = note: in env `prod`
       = help: lower the range; or set `most` of this rule in `dsvmc.toml` to what you are ready to pay

    1 warning; `dsvmc explain autoscale-unbounded` explains it
    ");
}

#[test]
fn the_day_decides_about_dates() {
    let cx = project("storage-lrs = \"off\"");
    let text = SHARE.replace("shares   = [work]", "shares   = [work]\n  vault    = keys");
    let text = format!(
        "{text}\n/// A token.\nsecret param token: string\n\nvault keys {{\n  secret token {{ value = token, expires = 2027-02-01 }}\n}}\n"
    );
    cx.write("main.dsvm", &text);
    assert_eq!(cx.run("lint --as-of 2027-01-31 --deny warnings").exit, 0);
    assert_eq!(cx.run("lint --as-of 2027-02-01 --deny warnings").exit, 1);
}

#[test]
fn a_rule_is_explained_and_all_are_listed() {
    let cx = TestContext::new();
    let page = cx.run("explain storage_lrs");
    assert!(page.exit == 0 && page.stdout.starts_with("storage-lrs: data with all its copies"), "{}", page.text());
    let list = cx.run("lint --list");
    assert!(list.stdout.starts_with("security\n  sensitive-port-open "), "{}", list.text());
    assert_eq!(list.stdout.lines().filter(|line| line.starts_with("  ")).count(), dsvm_lint::RULES.len());
}

/// What rules say about the examples of this repository: hints alone. A new line is a new false alarm, or an example to
/// improve.
#[test]
fn examples_give_no_warnings() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = TestContext::new()
        .command("lint --as-of 2026-11-23 --format json examples --deny warnings")
        .current_dir(root)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let lines: Vec<String> = document["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| {
            let at = &d["labels"][0]["at"];
            let file = at["file"].as_str().unwrap().replace("examples/", "");
            format!("{file}:{} {} {}", at["line"], d["severity"].as_str().unwrap(), d["code"].as_str().unwrap())
        })
        .collect();
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!("examples", lines.join("\n")) });
}
