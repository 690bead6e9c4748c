//! `dsvmc snapshot`: written beside the sources, stable, complete, and never over something else.

mod complete;

use crate::support::{Ran, TestContext};
use rexpect::session::spawn_command;
use serde_json::Value;

const PROJECT: &str = r#"
import std.images
import std.sizes

project lab { location = westeurope }

param most: int in 1..50 = 5
param key: ssh_key
secret param word: string

env dev { most = 2 }
env prod { most = 9 }

vault keys { secret entry { value = word } }

share notebooks { quota = 1 TiB
  mount = "/data" }

pool team: interactive {
  image = images.ubuntu_2204
  size = sizes.Standard_D4s_v5
  machines = 1..most initially 1
  admin { name = "dsvmuser", key = key }
  shares = [notebooks]
  allow ssh from [203.0.113.0/24]
  autoscale { when avg(cpu, 10 min) > 75% { add 1, cooldown 10 min }
    when avg(cpu, 10 min) < 25% { remove 1, cooldown 10 min } }
}
"#;

const DEV: &str = "snapshots/lab.dev.snap";
const PROD: &str = "snapshots/lab.prod.snap";

fn place() -> TestContext {
    let cx = TestContext::new();
    cx.write("main.dsvm", PROJECT);
    cx
}

fn ends(ran: &Ran, exit: i32) {
    assert_eq!(ran.exit, exit, "{}", ran.text());
}

fn change(cx: &TestContext, from: &str, to: &str) {
    let text = cx.read("main.dsvm");
    assert!(text.contains(from), "{from}");
    cx.write("main.dsvm", &text.replace(from, to));
}

#[test]
fn one_is_written_for_each_env_and_says_what_is_deployed() {
    let cx = place();
    let missing = cx.run("snapshot --check");
    ends(&missing, 1);
    assert!(missing.stdout.contains("there is no `snapshots/lab.dev.snap` yet"), "{}", missing.text());
    assert!(!cx.path().join("snapshots").exists(), "--check writes nothing");
    ends(&cx.run("snapshot"), 0);
    let (dev, prod) = (cx.read(DEV), cx.read(PROD));
    for line in [
        "most: int (minValue 1, maxValue 50, default 5) = 9",
        "word: securestring = (secret)",
        "key: string = (given when deploying)",
        "pool team, new, starts with 1 machine of Standard_D4s_v5",
        "sku.name = \"Standard_D4s_v5\"",
        "properties.shareQuota = 1024",
        "properties.value = (secret)",
    ] {
        assert!(prod.lines().any(|have| have == line), "{line}\n{prod}");
    }
    assert!(dev.contains("default 5) = 2"));
    // Places in the source are no part of it: they move with every edit.
    assert!(!prod.contains("main.dsvm") && !prod.contains("00000000"), "{prod}");
    let again = cx.run("snapshot --check");
    ends(&again, 0);
    assert!(again.stderr.contains("2 snapshots as before"), "{}", again.text());
}

#[test]
fn it_is_the_same_on_every_day_and_machine_and_wherever_lines_stand() {
    let cx = place();
    ends(&cx.run("snapshot"), 0);
    let before = (cx.read(DEV), cx.read(PROD));
    change(&cx, "project lab", "// A remark.\n\n\nproject lab");
    change(&cx, "env dev { most = 2 }\nenv prod { most = 9 }", "env prod { most = 9 }\nenv dev { most = 2 }");
    let mut command = cx.command("snapshot --accept --as-of 2026-01-05");
    command.env("DSVMC_PARAM_most", "7").env("DSVMC_PARAM_word", "tulip").env("TZ", "Asia/Tokyo");
    assert!(command.status().unwrap().success());
    assert_eq!(before, (cx.read(DEV), cx.read(PROD)));
}

#[test]
fn a_difference_names_the_property_and_the_line_that_did_it() {
    let cx = place();
    ends(&cx.run("snapshot"), 0);
    let before = cx.read(PROD);
    change(&cx, "quota = 1 TiB", "quota = 2 TiB");
    change(&cx, "env prod { most = 9 }", "env prod { most = 12 }");
    // Without an option, too, what is there is only shown.
    for command in ["snapshot --check", "snapshot"] {
        let ran = cx.run(command);
        ends(&ran, 1);
        for line in [
            "lab, env prod differs",
            "(minValue 1, maxValue 50, default 5) = 9\n",
            "(minValue 1, maxValue 50, default 5) = 12  main.dsvm:",
            "+ properties.shareQuota = 2048  main.dsvm:16",
        ] {
            assert!(ran.stdout.contains(line), "{line}\n{}", ran.text());
        }
        assert_eq!(cx.read(PROD), before);
    }
    let json: Value = serde_json::from_str(&cx.run("snapshot --check --format json").stdout).unwrap();
    assert_eq!(json["snapshots"][1]["state"], "changed");
    assert_eq!(
        json["snapshots"][1]["differences"][0]["lines"][1]["text"],
        "most: int (minValue 1, maxValue 50, default 5) = 12"
    );
    ends(&cx.run("snapshot --accept"), 0);
    ends(&cx.run("snapshot --check"), 0);
}

#[test]
fn an_env_that_is_gone_leaves_a_snapshot_that_is_told() {
    let cx = place();
    ends(&cx.run("snapshot"), 0);
    cx.write("snapshots/notes.txt", "mine");
    change(&cx, "env dev { most = 2 }\n", "");
    let ran = cx.run("snapshot --check");
    ends(&ran, 1);
    assert!(ran.stdout.contains("lab.dev is gone from the sources"), "{}", ran.text());
    ends(&cx.run("snapshot --accept"), 0);
    assert!(!cx.path().join(DEV).exists() && cx.path().join(PROD).exists());
    assert_eq!(cx.read("snapshots/notes.txt"), "mine");
}

#[test]
fn what_something_else_wrote_is_not_replaced() {
    let cx = place();
    cx.write(DEV, "my notes");
    let ran = cx.run("snapshot --accept");
    ends(&ran, 1);
    assert!(ran.stderr.contains("DSVM0904") && ran.stderr.contains("is not a snapshot"), "{}", ran.text());
    assert_eq!(cx.read(DEV), "my notes");
}

#[cfg(unix)]
#[test]
fn a_link_in_place_of_the_folder_is_not_followed() {
    let (cx, other) = (place(), tempfile::tempdir().unwrap());
    std::os::unix::fs::symlink(other.path(), cx.path().join("snapshots")).unwrap();
    let ran = cx.run("snapshot");
    assert_ne!(ran.exit, 0, "{}", ran.text());
    assert_eq!(std::fs::read_dir(other.path()).unwrap().count(), 0);
}

#[test]
fn mistakes_and_unknown_envs_are_told() {
    let cx = place();
    let ran = cx.run("snapshot --env stage");
    ends(&ran, 1);
    assert!(ran.stderr.contains("no project here has an env `stage`"), "{}", ran.text());
    change(&cx, "shares = [notebooks]", "shares = [notebook]");
    let ran = cx.run("snapshot");
    ends(&ran, 1);
    assert!(ran.stderr.contains("DSVM0101"), "{}", ran.text());
    assert!(!cx.path().join("snapshots").exists());
}

#[test]
fn a_branch_is_compared_with_another_commit() {
    let cx = place();
    let git = |arguments: &str| {
        let mut command = std::process::Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@example.org"]).args(arguments.split(' '));
        assert!(command.current_dir(cx.path()).output().unwrap().status.success(), "{arguments}");
    };
    git("init -q -b main");
    git("add .");
    git("commit -q -m first");
    assert!(cx.run("snapshot --against main").stderr.contains("Nothing that is deployed differs"));
    change(&cx, "quota = 1 TiB", "quota = 3 TiB");
    let ran = cx.run("snapshot --against main --env prod");
    ends(&ran, 0);
    assert!(ran.stdout.contains("lab, env prod, compared with main"), "{}", ran.text());
    assert!(ran.stdout.contains("+ properties.shareQuota = 3072"), "{}", ran.text());
    assert!(!cx.path().join("snapshots").exists());
}

#[test]
fn a_review_asks_for_each() {
    let cx = place();
    ends(&cx.run("snapshot"), 0);
    let (dev, prod) = (cx.read(DEV), cx.read(PROD));
    change(&cx, "quota = 1 TiB", "quota = 2 TiB");
    let mut command = cx.command("snapshot --review");
    command.env("TERM", "xterm");
    let mut session = spawn_command(command, Some(60_000)).unwrap();
    session.exp_string("kip? ").unwrap();
    session.send_line("what").unwrap();
    session.exp_string("kip? ").unwrap();
    session.send_line("a").unwrap();
    session.exp_string("kip? ").unwrap();
    session.send_line("r").unwrap();
    let rest = session.exp_eof().unwrap();
    assert!(rest.contains("stays as it is") && rest.contains("1 snapshot differs"), "{rest}");
    assert!(cx.read(DEV) != dev && cx.read(PROD) == prod);
    // Without a terminal nobody can answer: nothing is accepted.
    ends(&cx.run("snapshot --review"), 1);
    assert_eq!(cx.read(PROD), prod);
}

/// What belongs to the program of the machines is left out, and what belongs to a script of one's own is not.
#[test]
fn a_script_of_ones_own_is_shown_with_its_tag() {
    let cx = TestContext::new();
    let text = r#"project lab { location = westeurope }
resource tool: "Microsoft.Compute/virtualMachines/extensions@2025-04-01" {
  name = "vm/tool"
  location = "westeurope"
  properties = {
    publisher = "Microsoft.Azure.Extensions"
    type = "CustomScript"
    typeHandlerVersion = "2.1"
    forceUpdateTag = "one"
    protectedSettings = { commandToExecute = "bash script.sh" }
  }
}
"#;
    cx.write("main.dsvm", text);
    ends(&cx.run("snapshot"), 0);
    change(&cx, "\"one\"", "\"two\"");
    let ran = cx.run("snapshot --check");
    assert!(ran.exit == 1 && ran.stdout.contains("+ properties.forceUpdateTag = \"two\""), "{}", ran.text());
}
