//! A plan → text for a terminal. Deletions and replacements come first; every line names its place in the source.

use super::layout::{columns, paragraph, path, wrap};
use super::palette::{Palette, Role};
use super::plan_places::Places;
pub use super::plan_text::{clean, summary};
use super::plan_text::{effect_line, label, quiet_effect, sign, touched, values_at_length};
use arm_plan::{Action, AttributeChange, AttributeKind, Change, EffectKind, Plan, WarningKind};
use dsvm_diagnostics::count;
use dsvm_impact::Impact;
use serde_json::Value;

/// What is shown besides the changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// List the differences that a rule suppressed.
    pub suppressed: bool,
    /// List the resources too, where the plan has words of the source.
    pub resources: bool,
    /// List the properties of the resources; of a template they always are.
    pub properties: bool,
    /// List every property of new resources.
    pub new_properties: bool,
    /// Columns of the terminal; 0: not a terminal.
    pub width: usize,
}

impl Detail {
    /// Columns to fill; a fixed number when there is no terminal.
    #[must_use]
    pub fn columns(self) -> usize {
        const ELSEWHERE: usize = 120;
        const NARROWEST: usize = 60;
        if self.width == 0 { ELSEWHERE } else { self.width.max(NARROWEST) }
    }
}

/// Width of the sign and the word before a name, and where what belongs to a change begins.
const HEAD: usize = 12;
const INDENT: &str = "      ";
/// Where a value begins that does not fit behind its name.
const VALUE: &str = "          ";
/// Lines of a value.
const MOST_LINES: usize = 4;

/// Draws a plan. `title` names what is compared; without `impact` the plan is the list of its resources.
#[must_use]
pub fn terminal(plan: &Plan, impact: Option<&Impact>, title: &str, detail: Detail, palette: Palette) -> String {
    let mut out = String::new();
    let room = detail.columns();
    if !title.is_empty() {
        out.push_str(&format!("{}\n\n", palette.paint(Role::Title, &wrap(&clean(title), room, "  "))));
    }
    let Some(impact) = impact else {
        resources(plan, Detail { properties: true, ..detail }, palette, &mut out);
        footer(plan, detail, palette, &mut out);
        out.push_str(&format!("{}\n", palette.paint(Role::Title, &wrap(&summary(&plan.summary), room, "  "))));
        let touched = touched(plan);
        if !touched.is_empty() {
            let text = wrap(&clean(&touched), room, "");
            out.push_str(&format!("{}\n", palette.paint(Role::Warning, &text)));
        }
        return out;
    };
    out.push_str(&super::impact::terminal(impact, room, palette));
    if let Some(cost) = &impact.cost {
        out.push_str(&super::plan_cost::terminal(cost, room, palette));
    }
    let listed = detail.resources || detail.properties || detail.new_properties;
    if listed && !plan.is_empty() {
        out.push_str(&format!("{}\n", palette.paint(Role::Title, "Resources")));
        resources(plan, detail, palette, &mut out);
    }
    footer(plan, detail, palette, &mut out);
    let more = match (listed, plan.is_empty()) {
        (false, false) => " --resources lists them.",
        _ => "",
    };
    out.push_str(&format!(
        "{}{more}\n",
        palette.paint(Role::Title, &wrap(&impact.summary, room - columns(more), "  "))
    ));
    out
}

/// A plan as JSON, with what it means under `impact`; both views name resources by their ids.
#[must_use]
pub fn data(plan: &Plan, impact: Option<&Impact>) -> Value {
    let mut document = serde_json::to_value(plan).unwrap_or_default();
    if let (Some(impact), Some(map)) = (impact, document.as_object_mut()) {
        map.insert("impact".to_owned(), serde_json::to_value(impact).unwrap_or_default());
    }
    document
}

/// One entry for each resource that changes.
fn resources(plan: &Plan, detail: Detail, palette: Palette, out: &mut String) {
    let room = detail.columns();
    // What is deleted names its group where a plan touches several.
    let mut groups: Vec<String> = plan.effective().filter_map(|change| group(&change.id)).collect();
    groups.sort_unstable();
    groups.dedup();
    let heads: Vec<(&Change, String)> =
        plan.effective().map(|change| (change, head(change, groups.len() > 1))).collect();
    // A label may take two lines anyway.
    let names = heads.iter().filter(|(change, _)| change.label.is_none());
    let widest = names.map(|(_, text)| HEAD + columns(text)).max().unwrap_or(0);
    let places = Places::of(plan, if detail.width == 0 { usize::MAX } else { room.saturating_sub(widest + 2) });
    if let Some(folder) = places.folder() {
        out.push_str(&format!(
            "{}\n\n",
            palette.paint(Role::Dim, &format!("Source lines are those of files in {folder}"))
        ));
    }
    let place_of = |change: &Change| change.source.as_ref().map(|s| places.shown(s)).unwrap_or_default();
    let fitting = heads.iter().map(|(change, text)| (HEAD + columns(text), columns(&place_of(change)) + 2));
    let at = fitting.filter(|(name, place)| name + place <= room).map(|(name, _)| name).max().unwrap_or(0);
    let sheet = Sheet { detail, room, at, palette, places };
    for (change, head) in &heads {
        sheet.change(change, head, out);
    }
    if !plan.is_empty() {
        out.push('\n');
    }
}

/// What else to know: new groups, warnings, suppressed differences.
fn footer(plan: &Plan, detail: Detail, palette: Palette, out: &mut String) {
    let room = detail.columns();
    if !plan.groups.is_empty() {
        let each = |g: &arm_plan::NewGroup| format!("{} ({})", clean(&g.name), clean(&g.location));
        let noun = if plan.groups.len() == 1 { "resource group" } else { "resource groups" };
        let text = format!("Created first: {noun} {}", plan.groups.iter().map(each).collect::<Vec<_>>().join(", "));
        out.push_str(&format!("{}\n\n", wrap(&text, room, "  ")));
    }
    draw_warnings(plan, room, palette, out);
    if detail.suppressed {
        draw_suppressed(plan, room, palette, out);
    }
}

fn role(action: Action) -> Role {
    match action {
        Action::Refuse | Action::Delete => Role::Delete,
        Action::Replace => Role::Replace,
        Action::Update => Role::Update,
        Action::Create => Role::Create,
        Action::Detach | Action::NoChange => Role::Dim,
    }
}

/// The text after the sign: the resource, and the effect of its change when that takes two words.
fn head(change: &Change, several_groups: bool) -> String {
    let quiet = quiet_effect(change).map(|text| format!(" ({text})")).unwrap_or_default();
    let lost = matches!(change.action, Action::Delete | Action::Replace | Action::Detach);
    let place = group(&change.id).filter(|_| several_groups && lost);
    let place = place.map(|name| format!(" in {}", clean(&name))).unwrap_or_default();
    format!("{}{place}{quiet}", clean(&label(change)))
}

/// The resource group of an id, in lower case as Azure compares it.
fn group(id: &str) -> Option<String> {
    let mut parts = id.split('/').skip_while(|part| !part.eq_ignore_ascii_case("resourceGroups"));
    parts.nth(1).map(str::to_lowercase)
}

/// What all changes of one drawing share.
struct Sheet {
    detail: Detail,
    room: usize,
    /// Column of the places.
    at: usize,
    palette: Palette,
    places: Places,
}

impl Sheet {
    fn change(&self, change: &Change, head: &str, out: &mut String) {
        let word = format!("{} {:<7}", sign(change.action), change.action.word());
        let word = self.palette.paint(role(change.action), &word);
        let lines = paragraph(head, self.room - HEAD, usize::MAX);
        let text = lines.join(&format!("\n{}", " ".repeat(HEAD)));
        out.push_str(&format!("  {word} {text}"));
        if let Some(source) = &change.source {
            let from = HEAD + lines.last().map_or(0, |line| columns(line));
            self.place(&self.places.shown(source), from, self.at, out);
        }
        out.push('\n');
        let effect = effect_line(change);
        if !effect.is_empty() && quiet_effect(change).is_none() {
            let role = if change.effect.kind >= EffectKind::ScalesIn { Role::Delete } else { Role::Dim };
            for line in paragraph(&clean(&effect), self.room - INDENT.len(), usize::MAX) {
                out.push_str(&format!("{INDENT}{}\n", self.palette.paint(role, &line)));
            }
        }
        let shown = if change.action == Action::Create { self.detail.new_properties } else { self.detail.properties };
        if !shown {
            return;
        }
        self.attributes(change, out);
    }

    /// A place behind `from` columns of text: at column `at`, behind the text, or below it.
    fn place(&self, place: &str, from: usize, at: usize, out: &mut String) {
        if place.is_empty() {
            return;
        }
        let start = at.max(from) + 2;
        if start + columns(place) <= self.room {
            out.push_str(&" ".repeat(start - from));
        } else if from + 2 + columns(place) <= self.room {
            out.push_str("  ");
        } else {
            out.push_str(&format!("\n{}", " ".repeat(HEAD)));
        }
        out.push_str(&self.palette.paint(Role::Dim, place));
    }

    /// The properties: their places begin in one column where they fit.
    fn attributes(&self, change: &Change, out: &mut String) {
        let rows: Vec<Row> = change.attributes.iter().map(|a| Row::of(a, change, &self.places)).collect();
        let fits = |row: &&Row| row.text.is_none() && row.width() <= self.room;
        let at = rows.iter().filter(fits).map(|r| r.body()).max().unwrap_or(0);
        for row in rows {
            self.row(&row, at, out);
        }
    }

    fn row(&self, row: &Row<'_>, at: usize, out: &mut String) {
        let sign = format!("{INDENT}{}", self.palette.paint(row.role, row.sign));
        let forces = self.palette.paint(Role::Replace, row.forces);
        if row.text.is_none() && row.width() <= self.room {
            let separator = if row.values.is_empty() { "" } else { ": " };
            out.push_str(&format!("{sign} {}{separator}{}{forces}", row.path, row.values));
            self.place(&row.place, row.body(), at, out);
            out.push('\n');
            return;
        }
        // Too long for one line: the value under its name.
        let lines = path(&row.path, self.room - INDENT.len() - 3 - columns(row.forces));
        let colon = if row.text.is_some() || row.values.is_empty() { "" } else { ":" };
        let last = lines.last().map_or(0, |line| columns(line));
        out.push_str(&format!("{sign} {}{colon}{forces}", lines.join(&format!("\n{INDENT}  "))));
        self.place(&row.place, INDENT.len() + 2 + last + colon.len() + columns(row.forces), 0, out);
        out.push('\n');
        if let Some((before, after)) = row.text {
            return draw_text(before, after, self.room, self.palette, out);
        }
        if row.values.is_empty() {
            return;
        }
        for line in paragraph(&row.values, self.room - VALUE.len(), MOST_LINES) {
            out.push_str(&format!("{VALUE}{line}\n"));
        }
    }
}

/// One property, ready for layout.
struct Row<'a> {
    sign: &'static str,
    role: Role,
    path: String,
    values: String,
    forces: &'static str,
    /// Empty where it is that of the resource.
    place: String,
    /// A text of several lines, before and after.
    text: Option<(&'a str, &'a str)>,
}

impl<'a> Row<'a> {
    fn of(attribute: &'a AttributeChange, change: &Change, places: &Places) -> Self {
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
        let place = attribute.source.as_ref().map(|s| places.shown(s)).unwrap_or_default();
        let known = change.source.as_ref().is_some_and(|s| places.shown(s) == place);
        Self {
            sign,
            role,
            path: clean(&attribute.path),
            values: values_at_length(attribute),
            forces: if attribute.effect == EffectKind::Replaces { "  (forces replacement)" } else { "" },
            place: if known { String::new() } else { place },
            text,
        }
    }

    /// Columns without the place.
    fn body(&self) -> usize {
        let values = if self.values.is_empty() { 0 } else { 2 + columns(&self.values) };
        INDENT.len() + 2 + columns(&self.path) + values + columns(self.forces)
    }

    fn width(&self) -> usize {
        self.body() + if self.place.is_empty() { 0 } else { 2 + columns(&self.place) }
    }
}

fn draw_text(before: &str, after: &str, room: usize, palette: Palette, out: &mut String) {
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
            let text = paragraph(&text, room - VALUE.len() - 2, 2).join(&format!("\n{VALUE}    "));
            out.push_str(&format!("{VALUE}{}\n", palette.paint(role, &format!("{sign} {text}"))));
        }
    }
    if lines > MOST {
        out.push_str(&format!("{VALUE}… {}\n", count(lines - MOST, "more line")));
    }
}

/// The name for people of the resource with an id.
pub(super) fn name_of(plan: &Plan, id: &str) -> String {
    let known = plan.changes.iter().find(|change| change.label.is_some() && change.id == id);
    clean(&known.map_or_else(|| arm_plan::type_of_id(id).1, |change| change.shown().to_owned()))
}

fn draw_warnings(plan: &Plan, room: usize, palette: Palette, out: &mut String) {
    /// Up to this many secrets get a line each.
    const FEW: usize = 3;
    let hidden = plan.warnings.iter().filter(|w| w.kind == WarningKind::SecretNotCompared).count();
    // What the source cannot change is a note.
    let mut tell = |kind: WarningKind, text: &str| {
        let role = if kind.word() == "note" { Role::Info } else { Role::Warning };
        let word = format!("{}:", kind.word());
        let text = wrap(&format!("{}{text}", " ".repeat(word.len() + 1)), room, "  ");
        out.push_str(&format!("{} {}\n", palette.paint(role, &word), text.trim_start()));
    };
    for warning in plan.warnings.iter().filter(|w| hidden <= FEW || w.kind != WarningKind::SecretNotCompared) {
        tell(warning.kind, &format!("`{}`: {}", name_of(plan, &warning.id), clean(&warning.text)));
    }
    if hidden > FEW {
        let text = format!(
            "{hidden} secrets cannot be compared: the service never returns them and no apply is recorded here"
        );
        tell(WarningKind::SecretNotCompared, &text);
    }
    if !plan.warnings.is_empty() {
        out.push('\n');
    }
}

fn draw_suppressed(plan: &Plan, room: usize, palette: Palette, out: &mut String) {
    if plan.suppressed.is_empty() {
        out.push_str("No difference was suppressed.\n\n");
        return;
    }
    out.push_str(&format!("{}\n", palette.paint(Role::Title, "Suppressed differences:")));
    for entry in &plan.suppressed {
        let side = |v: &Option<Value>| v.as_ref().map_or_else(|| "nothing".to_owned(), super::plan_text::shown);
        let (before, after) = (side(&entry.before), side(&entry.after));
        let what = format!("{} {}: {before} / {after}", name_of(plan, &entry.id), clean(&entry.path));
        let text = paragraph(&what, room - 21, usize::MAX).join(&format!("\n{}", " ".repeat(21)));
        out.push_str(&format!("  {:<18} {text}\n", entry.rule.name()));
    }
    let mut rules: Vec<_> = plan.suppressed.iter().map(|s| s.rule).collect();
    rules.sort();
    rules.dedup();
    for rule in rules {
        let text = wrap(&format!("  {}: {}", rule.name(), rule.reason()), room, "    ");
        out.push_str(&format!("{}\n", palette.paint(Role::Dim, &text)));
    }
    out.push('\n');
}
