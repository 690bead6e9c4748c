//! Programs as people write them, and what sema makes of them.

use super::*;
use crate::diagnostics::Severity;
use crate::source::{SourceFile, SourceMap};

/// Checks a program in all its runs; the findings one to a line, with the text that they underline.
pub(super) fn findings(text: &str) -> String {
    findings_of(&[("main.dsvm", text)])
}

/// Same, of several files; the first is the project.
pub(super) fn findings_of(files: &[(&str, &str)]) -> String {
    let mut sources = SourceMap::default();
    let mut sink = Sink::default();
    let root = sources.add(SourceFile::new(files[0].0, files[0].1));
    let mut read = |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned());
    let program = load(&[root], &mut sources, &mut read, &mut sink);
    check_all(&program, &mut sink);
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
    let mut sources = SourceMap::default();
    let mut sink = Sink::default();
    let root = sources.add(SourceFile::new("main.dsvm", text));
    let program = load(&[root], &mut sources, &mut |_| None, &mut sink);
    let checked = check(&program, None, &mut sink);
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
    insta::assert_snapshot!(findings(&broken), @"");
}
