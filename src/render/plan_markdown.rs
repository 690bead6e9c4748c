//! A plan → markdown for a comment on a pull request: under 64 KB, stable bytes, hostile names escaped.

use super::plan_text::{effect_line, label, sign, summary, touched, values};
use arm_plan::{Action, AttributeKind, Change, EffectKind, Plan};
use dsvm_impact::Impact;

/// Code hosts cut off comments at 65,536 characters.
pub const LIMIT: usize = 64_000;
/// Properties shown for one change.
const MOST_PROPERTIES: usize = 20;

/// Writes a plan. `title` names what is compared; without `impact` the plan is the table of its resources.
#[must_use]
pub fn markdown(plan: &Plan, impact: Option<&Impact>, title: &str) -> String {
    within(plan, impact, title, LIMIT)
}

/// The same in at most about `limit` bytes.
#[must_use]
pub fn within(plan: &Plan, impact: Option<&Impact>, title: &str, limit: usize) -> String {
    let said = impact.map_or_else(|| summary(&plan.summary), |impact| impact.summary.clone());
    let mut out = format!("### dsvmc plan: {}\n\n{}\n", escape(title), escape(&said));
    let touched = touched(plan);
    match impact {
        Some(impact) => {
            out.push_str(&super::impact_markdown::markdown(impact, limit / 2));
            out.push_str(&impact.cost.as_ref().map(super::plan_cost::markdown).unwrap_or_default());
        }
        None if touched.is_empty() => {}
        None => out.push_str(&format!("\n**{}**\n", escape(&touched))),
    }
    for group in &plan.groups {
        out.push_str(&format!(
            "\nCreated first: resource group {} in {}.\n",
            code(&group.name),
            escape(&group.location)
        ));
    }
    let changes: Vec<&Change> = plan.effective().collect();
    let folded = impact.is_some() && !changes.is_empty();
    if folded {
        let number = dsvm_diagnostics::count(changes.len(), "resource");
        out.push_str(&format!("\n<details><summary>{number}</summary>\n"));
    }
    // What the words of the source leave is for the resources.
    let most = if folded { (limit * 3 / 4).max(out.len()) } else { limit / 2 };
    if !changes.is_empty() {
        out.push_str("\n| | resource | what it does | source |\n|---|---|---|---|\n");
    }
    let mut shown = 0;
    for change in &changes {
        let row = row(change);
        if out.len() + row.len() > most {
            break;
        }
        out.push_str(&row);
        shown += 1;
    }
    if shown < changes.len() {
        out.push_str(&format!(
            "\n… and {} more changes; run `dsvmc plan` to see all of them.\n",
            changes.len() - shown
        ));
    }
    if folded {
        out.push_str("\n</details>\n");
    }
    let mut cut = 0;
    for change in changes.iter().filter(|c| c.action != Action::Create && !c.attributes.is_empty()) {
        let details = details(change);
        if out.len() + details.len() > limit - limit / 16 {
            cut += 1;
        } else {
            out.push_str(&details);
        }
    }
    if cut > 0 {
        out.push_str(&format!("\nThe properties of {cut} more changes are left out.\n"));
    }
    if !plan.warnings.is_empty() {
        out.push('\n');
    }
    for (index, warning) in plan.warnings.iter().enumerate() {
        let name = super::plan::name_of(plan, &warning.id);
        let word = warning.kind.word();
        let line = format!("> **{word}** {}: {}\n", code(&name), escape(&warning.text));
        if out.len() + line.len() > limit {
            out.push_str(&format!("> … and {} more warnings\n", plan.warnings.len() - index));
            break;
        }
        out.push_str(&line);
    }
    out
}

fn row(change: &Change) -> String {
    let place = change.source.as_ref().map(|s| code(&format!("{}:{}", s.file, s.line))).unwrap_or_default();
    let effect = escape(&effect_line(change));
    let word = change.action.word();
    let strong = matches!(change.action, Action::Delete | Action::Replace);
    let word = if strong { format!("**{word}**") } else { word.to_owned() };
    format!("| {} {word} | {} | {effect} | {place} |\n", code(sign(change.action)), code(&label(change)))
}

fn details(change: &Change) -> String {
    let mut out = format!("\n<details><summary>{} {}</summary>\n\n", change.action.word(), html(&label(change)));
    for attribute in change.attributes.iter().take(MOST_PROPERTIES) {
        let place = attribute.source.as_ref().map(|s| format!(" · {}", code(&format!("{}:{}", s.file, s.line))));
        let place = place.unwrap_or_default();
        let forces = if attribute.effect == EffectKind::Replaces { " (forces replacement)" } else { "" };
        let (path, values) = (code(&attribute.path), code(&values(attribute)));
        out.push_str(&format!("- {} {path}: {values}{forces}{place}\n", word(attribute.kind)));
    }
    let more = change.attributes.len().saturating_sub(MOST_PROPERTIES);
    if more > 0 {
        out.push_str(&format!("- … and {more} more\n"));
    }
    out.push_str("\n</details>\n");
    out
}

fn word(kind: AttributeKind) -> &'static str {
    match kind {
        AttributeKind::Add => "set",
        AttributeKind::Remove => "removed",
        AttributeKind::Change | AttributeKind::Unknown => "changed",
    }
}

/// A code span that no content can leave: fence longer than any run of backticks in it; table bars and line ends escaped.
pub(super) fn code(text: &str) -> String {
    let text = super::plan_text::clean(text).replace('|', "\\|");
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// Text in which nothing is markup, a mention or a link.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::new();
    // With an odd number of backticks none of them opens a code span.
    let paired = text.matches('`').count().is_multiple_of(2);
    let mut in_code = false;
    for c in super::plan_text::clean(text).chars() {
        match c {
            '`' if !paired => out.push_str("\\`"),
            '`' => {
                in_code = !in_code;
                out.push('`');
            }
            '|' => out.push_str("\\|"),
            '<' if !in_code => out.push_str("&lt;"),
            '>' if !in_code => out.push_str("&gt;"),
            '&' if !in_code => out.push_str("&amp;"),
            '@' if !in_code => out.push_str("@&#8203;"),
            '*' | '_' | '[' | ']' | '#' | '!' | '\\' | '~' if !in_code => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

fn html(text: &str) -> String {
    super::plan_text::clean(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('@', "@&#8203;")
}
