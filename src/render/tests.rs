//! Outcomes of tests → text, JSON, and JUnit's XML.

use super::palette::{Palette, Role};
use super::plan_text::clean;
use super::snippet;
use crate::deploy::testing::{Outcome, Report};
use crate::driver::shown;
use arm_plan::Source;
use dsvm_diagnostics::{Diagnostic, count};
use serde_json::{Value, json};

/// One line for each test, with the failures below it.
#[must_use]
pub fn text(reports: &[Report], palette: Palette) -> String {
    let mut out = String::new();
    for report in reports.iter().filter(|report| !report.outcomes.is_empty()) {
        if let Some(place) = place(report) {
            out.push_str(&format!("{}\n", palette.paint(Role::Title, &place)));
        }
        for outcome in &report.outcomes {
            let (word, role) = if outcome.failures.is_empty() { ("ok  ", Role::Good) } else { ("FAIL", Role::Error) };
            out.push_str(&format!("  {}  {}\n", palette.paint(role, word), clean(&outcome.name)));
        }
        for outcome in report.outcomes.iter().filter(|outcome| !outcome.failures.is_empty()) {
            out.push_str(&format!("\n{}\n", palette.paint(Role::Title, &clean(&outcome.name))));
            for failure in &outcome.failures {
                out.push_str(&snippet::one(&outcome.sources, failure, palette));
                out.push('\n');
            }
        }
    }
    out
}

/// Where the project is; nothing for the one in the current folder.
fn place(report: &Report) -> Option<String> {
    Some(shown(&report.project.path)).filter(|path| path != ".")
}

/// How many ran and how many failed, in one sentence.
#[must_use]
pub fn summary(reports: &[Report]) -> String {
    let all: Vec<&Outcome> = reports.iter().flat_map(|report| &report.outcomes).collect();
    let failed = all.iter().filter(|outcome| !outcome.failures.is_empty()).count();
    match failed {
        0 => format!("{} passed\n", count(all.len(), "test")),
        _ => format!("{failed} of {} failed\n", count(all.len(), "test")),
    }
}

/// The blocks, envs and team rules that no test looked at, by project.
#[must_use]
pub fn coverage(reports: &[Report]) -> String {
    let mut out = String::new();
    for report in reports {
        let missing: Vec<&str> =
            report.coverage.iter().filter(|(_, seen)| !seen).map(|(what, _)| what.as_str()).collect();
        let all = report.coverage.len();
        let path = place(report).map(|place| format!("{}: ", clean(&place))).unwrap_or_default();
        out.push_str(&format!("{path}tests look at {} of {all} blocks, envs and rules", all - missing.len()));
        match missing.as_slice() {
            [] => out.push('\n'),
            _ => out.push_str(&format!("; not at {}\n", missing.join(", "))),
        }
    }
    out
}

fn source(place: Option<&Source>) -> Value {
    place.map_or(Value::Null, |p| json!({ "file": p.file, "line": p.line, "column": p.column }))
}

/// Everything as one JSON document.
#[must_use]
pub fn data(reports: &[Report]) -> Value {
    let failure = |outcome: &Outcome, failure: &Diagnostic| json!({ "code": failure.code.to_string(), "title": failure.title, "message": message(outcome, failure) });
    let one = |outcome: &Outcome| {
        json!({ "name": outcome.name, "passed": outcome.failures.is_empty(), "source": source(outcome.place.as_ref()),
            "failures": outcome.failures.iter().map(|f| failure(outcome, f)).collect::<Vec<_>>() })
    };
    let each = |report: &Report| {
        let coverage = report.coverage.iter().map(|(what, seen)| json!({ "name": what, "seen": seen }));
        json!({ "project": shown(&report.project.path), "tests": report.outcomes.iter().map(one).collect::<Vec<_>>(),
            "coverage": coverage.collect::<Vec<_>>() })
    };
    json!({ "projects": reports.iter().map(each).collect::<Vec<_>>() })
}

fn message(outcome: &Outcome, failure: &Diagnostic) -> String {
    snippet::one(&outcome.sources, failure, Palette::plain())
}

/// The first lines of a report that dsvmc wrote.
pub const JUNIT_BEGIN: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"dsvmc\"";

/// The report that build servers read. Without times: the same outcomes give the same file.
#[must_use]
pub fn junit(reports: &[Report]) -> String {
    let all: Vec<&Outcome> = reports.iter().flat_map(|report| &report.outcomes).collect();
    let failed = |outcomes: &[&Outcome]| outcomes.iter().filter(|outcome| !outcome.failures.is_empty()).count();
    let mut out = format!("{JUNIT_BEGIN} tests=\"{}\" failures=\"{}\">\n", all.len(), failed(&all));
    for report in reports {
        let own: Vec<&Outcome> = report.outcomes.iter().collect();
        let path = xml(&shown(&report.project.path));
        out.push_str(&format!("  <testsuite name=\"{path}\" tests=\"{}\" failures=\"{}\">\n", own.len(), failed(&own)));
        for outcome in own {
            let place = outcome.place.as_ref().map(|p| format!(" file=\"{}\" line=\"{}\"", xml(&p.file), p.line));
            let head = format!(
                "    <testcase classname=\"{path}\" name=\"{}\"{}",
                xml(&outcome.name),
                place.unwrap_or_default()
            );
            if outcome.failures.is_empty() {
                out.push_str(&format!("{head}/>\n"));
                continue;
            }
            out.push_str(&format!("{head}>\n"));
            for failure in &outcome.failures {
                let (title, text) = (xml(&failure.title), xml(&message(outcome, failure)));
                out.push_str(&format!(
                    "      <failure message=\"{title}\" type=\"{}\">{text}</failure>\n",
                    failure.code
                ));
            }
            out.push_str("    </testcase>\n");
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

/// Text as it stands in XML. What XML cannot hold becomes U+FFFD.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
