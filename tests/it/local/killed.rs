//! `apply` and an idle `local up` are killed at random moments: the next run finishes what was begun.
//! `DSVMC_CRASHES=200` for the long run.

use crate::support::TestContext;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

fn rounds() -> u64 {
    std::env::var("DSVMC_CRASHES").ok().and_then(|text| text.parse().ok()).unwrap_or(4)
}

/// Waits that repeat in every run.
struct Waits(u64);

impl Waits {
    fn below(&mut self, most: Duration) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        most.mul_f64((self.0 >> 40) as f64 / (1u64 << 24) as f64)
    }
}

fn project(shares: u64) -> String {
    let share = |n| format!("share notebooks{n} {{ quota = {} TiB\n mount = \"/data{n}\" }}\n", n + 1);
    format!("project lab {{ location = westeurope }}\n{}", (0..=shares).map(share).collect::<String>())
}

fn begin(cx: &TestContext, command: &str) -> Child {
    cx.command(command).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn ends_with(cx: &TestContext, command: &str, exit: i32, when: &str) {
    let ran = cx.run(command);
    assert_eq!(ran.exit, exit, "{when}: `{command}`\n{}", ran.text());
}

#[test]
fn an_apply_killed_at_any_moment_is_finished_by_the_next() {
    let cx = TestContext::new();
    cx.write("lab.dsvm", &project(0));
    let begun = Instant::now();
    ends_with(&cx, "apply lab.dsvm --yes", 0, "at first");
    let (whole, mut waits) = (begun.elapsed(), Waits(7));
    for round in 0..rounds() {
        // Grows by some shares, or gives them up.
        cx.write("lab.dsvm", &project(if round % 2 == 0 { 3 } else { 0 }));
        let mut child = begin(&cx, "apply lab.dsvm --yes --allow-delete");
        let wait = waits.below(whole);
        std::thread::sleep(wait);
        child.kill().unwrap();
        child.wait().unwrap();
        let when = format!("round {round}, killed after {wait:?} of {whole:?}");
        // What was killed is finished, and then nothing is left to do.
        ends_with(&cx, "apply lab.dsvm --yes --allow-delete", 0, &when);
        ends_with(&cx, "plan lab.dsvm --detailed-exitcode", 0, &when);
    }
    let mut names: Vec<_> = std::fs::read_dir(cx.path().join(".dsvmc/lab")).unwrap().flatten().collect();
    names.retain(|entry| entry.file_name().to_string_lossy().ends_with(".new"));
    assert!(names.is_empty(), "unfinished files are left: {names:?}");
}

#[test]
fn an_idle_endpoint_that_is_killed_starts_again_with_its_state() {
    let cx = TestContext::new();
    cx.write("lab.dsvm", &project(0));
    ends_with(&cx, "local up", 0, "at first");
    ends_with(&cx, "apply lab.dsvm --yes", 0, "at first");
    let mut waits = Waits(9);
    for round in 0..rounds() {
        let when = format!("round {round}");
        let status: serde_json::Value = serde_json::from_str(&cx.run("local status --json").stdout).unwrap();
        let pid = status["pid"].as_u64().unwrap_or_else(|| panic!("{when}: {status}")).to_string();
        std::thread::sleep(waits.below(Duration::from_millis(20)));
        assert!(std::process::Command::new("kill").args(["-9", &pid]).status().unwrap().success());
        // Without it, the state is read by the command itself; a new one takes it up.
        if round % 2 == 0 {
            ends_with(&cx, "plan lab.dsvm --detailed-exitcode", 0, &when);
        }
        ends_with(&cx, "local up", 0, &when);
        ends_with(&cx, "plan lab.dsvm --detailed-exitcode", 0, &when);
    }
    ends_with(&cx, "local down", 0, "at last");
}
