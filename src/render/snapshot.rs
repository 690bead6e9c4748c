//! The differences of a snapshot → text: one heading for each resource, its lines before and after, and the source.

use super::layout::columns;
use super::palette::{Palette, Role};
use super::plan_text::clean;
use crate::deploy::snapshot::{API_VERSIONS, Difference, DifferenceKind, Line, Side};
use arm_plan::Source;
use dsvm_diagnostics::count;
use serde_json::{Value, json};

/// Most lines that are shown of a resource that is new or gone.
const MOST_LINES: usize = 6;
/// Most columns of a line; what is longer is cut where it does not differ.
const WIDEST: usize = 160;

/// Draws the differences of one snapshot. `whole` shows every line of resources that are new or gone.
#[must_use]
pub fn differences(found: &[Difference], whole: bool, palette: Palette) -> String {
    let mut out = String::new();
    for difference in found {
        let (sign, role) = match difference.kind {
            DifferenceKind::Added => ("+", Role::Create),
            DifferenceKind::Removed => ("-", Role::Delete),
            DifferenceKind::Changed => ("~", Role::Update),
        };
        let title = palette.paint(Role::Title, &clean(&difference.title));
        out.push_str(&format!(
            "  {} {title}{}\n",
            palette.paint(role, sign),
            place(difference.place.as_ref(), palette)
        ));
        if difference.title == API_VERSIONS && difference.kind == DifferenceKind::Changed {
            out.push_str(&versions(&difference.lines));
            continue;
        }
        let most = if whole || difference.kind == DifferenceKind::Changed { usize::MAX } else { MOST_LINES };
        for (at, (side, line)) in difference.lines.iter().take(most).enumerate() {
            let other = twin(&difference.lines, at);
            let (sign, role) = match side {
                Side::Before => ("-", Role::Delete),
                Side::After => ("+", Role::Create),
            };
            let text = palette.paint(role, &format!("{sign} {}", clean(&cut(&line.text, other))));
            out.push_str(&format!("      {text}{}\n", place(line.place.as_ref(), palette)));
        }
        if difference.lines.len() > most {
            let more = count((difference.lines.len() - most) as u64, "more line");
            out.push_str(&format!("      {}\n", palette.paint(Role::Dim, &format!("… and {more}"))));
        }
    }
    out
}

/// Versions that only moved, in one line for each pair of versions.
fn versions(lines: &[(Side, Line)]) -> String {
    let of = |side: Side| {
        let mine = lines.iter().filter(move |(have, _)| *have == side);
        mine.filter_map(|(_, line)| line.text.split_once(" = ")).collect::<Vec<_>>()
    };
    let (before, after) = (of(Side::Before), of(Side::After));
    let mut out = String::new();
    let mut moved: Vec<(&str, &str, u64)> = Vec::new();
    for (kind, version) in &after {
        match before.iter().find(|(old, _)| old == kind) {
            Some((_, old)) => match moved.iter_mut().find(|(from, to, _)| from == old && to == version) {
                Some((_, _, times)) => *times += 1,
                None => moved.push((old, version, 1)),
            },
            None => out.push_str(&format!("      + {kind} = {version}\n")),
        }
    }
    for (kind, version) in before.iter().filter(|(kind, _)| !after.iter().any(|(new, _)| new == kind)) {
        out.push_str(&format!("      - {kind} = {version}\n"));
    }
    for (from, to, times) in moved {
        out.push_str(&format!("      ~ {from} → {to} ({})\n", count(times, "type")));
    }
    out
}

/// The line on the other side of the same property.
fn twin(lines: &[(Side, Line)], at: usize) -> Option<&str> {
    let (side, line) = lines.get(at)?;
    let (name, _) = line.text.split_once(" = ")?;
    let same = |text: &str| text.split_once(" = ").is_some_and(|(other, _)| other == name);
    lines.iter().find(|(other, line)| other != side && same(&line.text)).map(|(_, line)| line.text.as_str())
}

/// A long line without the middle that it shares with its twin.
fn cut(text: &str, other: Option<&str>) -> String {
    if columns(text) <= WIDEST {
        return text.to_owned();
    }
    let all: Vec<char> = text.chars().collect();
    let name = text.split_once(" = ").map_or(0, |(name, _)| name.chars().count() + 3);
    let shared = other.map_or(0, |other| text.chars().zip(other.chars()).take_while(|(a, b)| a == b).count());
    let piece = |from: usize, to: usize| {
        all.get(from.min(all.len())..to.min(all.len())).unwrap_or_default().iter().collect::<String>()
    };
    let room = WIDEST.saturating_sub(name).max(60);
    let from = shared.saturating_sub(room / 3).max(name);
    let head = if from > name { "… " } else { "" };
    let tail = if from + room < all.len() { " …" } else { "" };
    format!("{}{head}{}{tail}", piece(0, name), piece(from, from + room))
}

fn place(place: Option<&Source>, palette: Palette) -> String {
    let Some(place) = place else { return String::new() };
    format!("  {}", palette.paint(Role::Dim, &clean(&format!("{}:{}", place.file, place.line))))
}

/// The differences as data.
#[must_use]
pub fn data(found: &[Difference]) -> Value {
    let source =
        |place: &Option<Source>| place.as_ref().map(|p| json!({ "file": p.file, "line": p.line, "column": p.column }));
    let line = |(side, line): &(Side, Line)| {
        let side = if *side == Side::Before { "before" } else { "after" };
        json!({ "side": side, "text": line.text, "source": source(&line.place) })
    };
    let one = |difference: &Difference| {
        let kind = match difference.kind {
            DifferenceKind::Added => "added",
            DifferenceKind::Removed => "removed",
            DifferenceKind::Changed => "changed",
        };
        json!({ "title": difference.title, "kind": kind, "source": source(&difference.place),
            "lines": difference.lines.iter().map(line).collect::<Vec<_>>() })
    };
    found.iter().map(one).collect()
}
