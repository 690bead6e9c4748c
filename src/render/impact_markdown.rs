//! What a plan means → markdown: refusals and notices as lists, the changes of each block as a table.

use super::impact::blocks_title;
use super::plan_markdown::{code, escape};
use arm_plan::Source;
use dsvm_impact::{Impact, Line, Severity};

/// Writes everything but the summary, in at most about `limit` bytes.
#[must_use]
pub(super) fn markdown(impact: &Impact, limit: usize) -> String {
    let mut out = String::new();
    let place =
        |source: &Option<Source>| source.as_ref().map(|s| code(&format!("{}:{}", s.file, s.line))).unwrap_or_default();
    if !impact.refusals.is_empty() {
        out.push_str("\n**Refused by Azure**\n\n");
        for refusal in &impact.refusals {
            let answer = refusal.code.as_ref().map(|text| format!(" ({})", code(text))).unwrap_or_default();
            let way_out = refusal.way_out.as_ref().map(|way| format!(" Instead: {}", escape(way)));
            let line = format!(
                "- {}{answer}.{} {}\n",
                escape(&refusal.text),
                way_out.unwrap_or_default(),
                place(&refusal.source)
            );
            out.push_str(&line);
        }
    }
    if !impact.notices.is_empty() {
        out.push_str("\n**Who notices**\n\n");
    }
    for (at, notice) in impact.notices.iter().enumerate() {
        let gain = notice.severity == Severity::Gained;
        let text = if gain || notice.severity >= Severity::Waiting {
            escape(&notice.text)
        } else {
            format!("**{}**", escape(&notice.text))
        };
        let sign = if gain { "+" } else { "!" };
        let line = format!("- {} {text} {}\n", code(sign), place(&notice.source));
        if out.len() + line.len() > limit / 3 {
            out.push_str(&format!("- … and {} more\n", impact.notices.len() - at));
            break;
        }
        out.push_str(&line);
    }
    if !impact.blocks.is_empty() {
        out.push_str("\n**Changes**\n\n| block | what | change | effect | source |\n|---|---|---|---|---|\n");
    }
    let total: usize = impact.blocks.iter().map(|block| block.lines.len()).sum();
    let mut written = 0;
    'all: for block in &impact.blocks {
        for line in &block.lines {
            let row = row(&blocks_title(&block.blocks), line, &place(&line.source));
            if out.len() + row.len() > limit {
                out.push_str(&format!(
                    "\n… and {} more changes; run `dsvmc plan` to see all of them.\n",
                    total - written
                ));
                break 'all;
            }
            out.push_str(&row);
            written += 1;
        }
    }
    out
}

fn row(title: &str, line: &Line, place: &str) -> String {
    let because: String = line.because.iter().map(|text| format!("<br>{}", escape(text))).collect();
    let (subject, effect) = (escape(&line.subject), escape(&line.effect));
    format!("| {} | {subject} | {} | {effect}{because} | {place} |\n", code(title), escape(&line.change))
}
