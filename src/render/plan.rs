//! A plan → text for a terminal. Deletions and replacements first; every line leads back to the source.

use super::palette::{Palette, Role};
pub use super::plan_text::{clean, summary};
use super::plan_text::{effect_line, label, sign, touched, values};
use crate::plan::{Action, AttributeChange, AttributeKind, Change, EffectKind, Plan, Source, WarningKind};
use serde_json::Value;

/// What is shown besides the changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Every difference that a rule held back.
    pub suppressed: bool,
    /// Every property of new resources.
    pub new_properties: bool,
    /// Columns of the terminal; 0: not a terminal.
    pub width: usize,
}

impl Detail {
    /// Columns to fill; the same wherever no terminal says otherwise.
    fn columns(self) -> usize {
        const ELSEWHERE: usize = 120;
        const NARROWEST: usize = 60;
        if self.width == 0 { ELSEWHERE } else { self.width.max(NARROWEST) }
    }
}

/// Width of the sign and the word before a name, and where what belongs to a change begins.
const HEAD: usize = 12;
const INDENT: &str = "      ";

/// Draws a plan. `title` says what is compared with what.
#[must_use]
pub fn terminal(plan: &Plan, title: &str, detail: Detail, palette: Palette) -> String {
    let mut out = String::new();
    if !title.is_empty() {
        out.push_str(&format!("{}\n\n", palette.paint(Role::Title, &clean(title))));
    }
    let room = detail.columns();
    let widest = |text: &dyn Fn(&Change) -> usize| plan.effective().map(text).max().unwrap_or(0);
    let names = widest(&|c| count(&clean(&label(c))));
    let places = widest(&|c| c.source.as_ref().map_or(0, |s| count(&place(s)) + 2));
    let names = names.min(room.saturating_sub(HEAD + places));
    for change in plan.effective() {
        draw_change(change, names, detail, palette, &mut out);
    }
    if !plan.is_empty() {
        out.push('\n');
    }
    if !plan.groups.is_empty() {
        let each = |g: &crate::plan::NewGroup| format!("{} ({})", clean(&g.name), clean(&g.location));
        let text =
            format!("Made first: resource group {}", plan.groups.iter().map(each).collect::<Vec<_>>().join(", "));
        out.push_str(&format!("{}\n\n", wrap(&text, room, "")));
    }
    draw_warnings(plan, room, palette, &mut out);
    if detail.suppressed {
        draw_suppressed(plan, palette, &mut out);
    }
    out.push_str(&format!("{}\n", palette.paint(Role::Title, &summary(&plan.summary))));
    let touched = touched(plan);
    if !touched.is_empty() {
        let text = wrap(&clean(&touched), room, "");
        out.push_str(&format!("{}\n", palette.paint(Role::Warning, &text)));
    }
    out
}

fn role(action: Action) -> Role {
    match action {
        Action::Delete => Role::Delete,
        Action::Replace => Role::Replace,
        Action::Update => Role::Update,
        Action::Create => Role::Create,
        Action::Detach | Action::NoChange => Role::Dim,
    }
}

/// `pools/team.dsvm:12`
fn place(source: &Source) -> String {
    format!("{}:{}", clean(&source.file), source.line)
}

fn draw_change(change: &Change, names: usize, detail: Detail, palette: Palette, out: &mut String) {
    let label = clean(&label(change));
    let word = format!("{} {:<7}", sign(change.action), change.action.word());
    out.push_str(&format!("  {} {label}", palette.paint(role(change.action), &word)));
    if let Some(source) = &change.source {
        let pad = " ".repeat(names.saturating_sub(count(&label)) + 2);
        out.push_str(&format!("{pad}{}", palette.paint(Role::Dim, &place(source))));
    }
    out.push('\n');
    let effect = effect_line(change);
    if !effect.is_empty() {
        let role = if change.effect.kind >= EffectKind::ScalesIn { Role::Delete } else { Role::Dim };
        let text = wrap(&clean(&effect), detail.columns(), INDENT);
        for line in text.lines() {
            out.push_str(&format!("{INDENT}{}\n", palette.paint(role, line.trim_start())));
        }
    }
    if change.action == Action::Create && !detail.new_properties {
        return;
    }
    draw_attributes(change, detail.columns(), palette, out);
}

/// The properties: values begin in one column where they fit, and so do the lines of the source.
fn draw_attributes(change: &Change, room: usize, palette: Palette, out: &mut String) {
    let rows: Vec<Row> = change.attributes.iter().map(Row::of).collect();
    let fits = |row: &&Row| row.text.is_none() && row.width() <= room;
    let place_at = rows.iter().filter(fits).map(|r| r.body()).max().unwrap_or(0);
    for row in rows {
        let paths = format!("{INDENT}{} {}", palette.paint(row.role, row.sign), row.path);
        let at = if row.place.is_empty() { String::new() } else { palette.paint(Role::Dim, &row.place) };
        let pad = |from: usize| " ".repeat(if at.is_empty() { 0 } else { place_at.saturating_sub(from) + 2 });
        let forces = palette.paint(Role::Replace, row.forces);
        if let Some((before, after)) = row.text {
            let from = INDENT.len() + 2 + count(&row.path) + count(row.forces);
            out.push_str(&format!("{}\n", format!("{paths}{forces}{}{at}", pad(from)).trim_end()));
            draw_text(before, after, palette, out);
        } else if row.width() <= room {
            out.push_str(&format!("{paths}: {}{forces}{}{at}\n", row.values, pad(row.body())));
        } else {
            // Too long for one line: the value under its name.
            let from = INDENT.len() + 4 + count(&row.values) + count(row.forces);
            out.push_str(&format!("{paths}:\n{INDENT}    {}{forces}{}{at}\n", row.values, pad(from)));
        }
    }
}

/// One property, ready to be laid out.
struct Row<'a> {
    sign: &'static str,
    role: Role,
    path: String,
    values: String,
    forces: &'static str,
    place: String,
    /// A text of several lines, before and after.
    text: Option<(&'a str, &'a str)>,
}

impl<'a> Row<'a> {
    fn of(attribute: &'a AttributeChange) -> Self {
        let (sign, role) = match attribute.kind {
            AttributeKind::Add => ("+", Role::Create),
            AttributeKind::Remove => ("-", Role::Delete),
            AttributeKind::Change | AttributeKind::Unknown => ("~", Role::Update),
        };
        let text = match (&attribute.before, &attribute.after) {
            (Some(Value::String(before)), Some(Value::String(after)))
                if before.contains('\n') || after.contains('\n') =>
            {
                Some((before.as_str(), after.as_str()))
            }
            _ => None,
        };
        Self {
            sign,
            role,
            path: clean(&attribute.path),
            values: values(attribute),
            forces: if attribute.effect == EffectKind::Replaces { "  (forces replacement)" } else { "" },
            place: attribute.source.as_ref().map(place).unwrap_or_default(),
            text,
        }
    }

    /// Columns without the place.
    fn body(&self) -> usize {
        INDENT.len() + 2 + count(&self.path) + 2 + count(&self.values) + count(self.forces)
    }

    fn width(&self) -> usize {
        self.body() + if self.place.is_empty() { 0 } else { 2 + count(&self.place) }
    }
}

fn draw_text(before: &str, after: &str, palette: Palette, out: &mut String) {
    const MOST: usize = 24;
    let diff = similar::TextDiff::from_lines(before, after);
    let mut lines = 0;
    for change in diff.iter_all_changes() {
        let (sign, role) = match change.tag() {
            similar::ChangeTag::Delete => ("-", Role::Delete),
            similar::ChangeTag::Insert => ("+", Role::Create),
            similar::ChangeTag::Equal => continue,
        };
        lines += 1;
        if lines <= MOST {
            let text = clean(change.value().trim_end_matches('\n'));
            out.push_str(&format!("          {}\n", palette.paint(role, &format!("{sign} {text}"))));
        }
    }
    if lines > MOST {
        out.push_str(&format!("          … {} more lines\n", lines - MOST));
    }
}

fn draw_warnings(plan: &Plan, room: usize, palette: Palette, out: &mut String) {
    /// So many of a kind are told one by one.
    const FEW: usize = 3;
    let head = palette.paint(Role::Warning, "warning:");
    let hidden = plan.warnings.iter().filter(|w| w.kind == WarningKind::SecretNotCompared).count();
    for warning in plan.warnings.iter().filter(|w| hidden <= FEW || w.kind != WarningKind::SecretNotCompared) {
        let name = crate::plan::type_of_id(&warning.id).1;
        let text = wrap(&format!("{}`{}`: {}", " ".repeat(9), clean(&name), clean(&warning.text)), room, "  ");
        out.push_str(&format!("{head} {}\n", text.trim_start()));
    }
    if hidden > FEW {
        let text = format!(
            "{}{hidden} secrets cannot be compared: the service never shows them and no apply is on record here",
            " ".repeat(9)
        );
        out.push_str(&format!("{head} {}\n", wrap(&text, room, "  ").trim_start()));
    }
}

fn draw_suppressed(plan: &Plan, palette: Palette, out: &mut String) {
    if plan.suppressed.is_empty() {
        out.push_str("No difference was held back.\n\n");
        return;
    }
    out.push_str(&format!("{}\n", palette.paint(Role::Title, "Differences held back:")));
    for entry in &plan.suppressed {
        let name = crate::plan::type_of_id(&entry.id).1;
        let side = |v: &Option<Value>| v.as_ref().map_or_else(|| "nothing".to_owned(), super::plan_text::shown);
        out.push_str(&format!(
            "  {:<18} {} {}: {} / {}\n",
            entry.rule.name(),
            clean(&name),
            clean(&entry.path),
            side(&entry.before),
            side(&entry.after)
        ));
    }
    let mut rules: Vec<_> = plan.suppressed.iter().map(|s| s.rule).collect();
    rules.sort();
    rules.dedup();
    for rule in rules {
        out.push_str(&palette.paint(Role::Dim, &format!("  {}: {}\n", rule.name(), rule.reason())));
    }
    out.push('\n');
}

fn count(text: &str) -> usize {
    text.chars().count()
}

/// Breaks at spaces so that no line is longer than `room`, where words allow; further lines begin with `indent`.
fn wrap(text: &str, room: usize, indent: &str) -> String {
    let lead: String = text.chars().take_while(|c| *c == ' ').collect();
    let mut out = lead.clone();
    let mut column = count(indent).max(count(&lead));
    let mut first = true;
    for word in text.split_whitespace() {
        let length = count(word);
        if !first && column + 1 + length > room {
            out.push('\n');
            out.push_str(indent);
            column = count(indent) + length;
        } else {
            if !first {
                out.push(' ');
                column += 1;
            }
            column += length;
        }
        out.push_str(word);
        first = false;
    }
    out
}
