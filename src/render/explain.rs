//! Explain pages (Markdown) → text for a terminal; the list of all codes.

use super::palette::{Palette, Role};
use super::snippet::word;
use super::visible::clean;
use dsvm_diagnostics::source::SourceMap;
use dsvm_diagnostics::{Code, Severity};
use dsvm_sema::rules::TeamRule;

/// One line for each code, grouped by stage.
#[must_use]
pub fn list(palette: Palette) -> String {
    let mut text = String::new();
    let mut group = None;
    for code in Code::ALL {
        let stage = stage(*code);
        if group != Some(stage) {
            let gap = if group.is_some() { "\n" } else { "" };
            text.push_str(&format!("{gap}{}\n", palette.paint(Role::Title, stage)));
            group = Some(stage);
        }
        let code_text = palette.paint(Role::Name, &code.to_string());
        text.push_str(&format!("  {code_text}  {:<7}  {:<32}  {}\n", word(code.severity()), code.slug(), code.title()));
    }
    text
}

/// What the codes of a range are about.
#[must_use]
pub fn stage(code: Code) -> &'static str {
    match code.number() / 100 {
        0 => "Source and syntax",
        1 => "Names",
        2 => "Types and values",
        3 => "Pools and Azure's rules for them",
        4 => "Resources",
        5 => "Templates",
        6 => "Lint",
        7 => "Plan",
        8 => "Apply and Azure",
        _ => "Endpoint, command line, internal",
    }
}

macro_rules! pages {
    ($($variant:ident $slug:literal;)*) => {
        /// The explain page of a code, Markdown: `docs/errors/<slug>.md`.
        #[must_use]
        pub fn page_text(code: Code) -> &'static str {
            match code { $(Code::$variant => include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/errors/", $slug, ".md")),)* }
        }
    };
}
dsvm_diagnostics::for_each_code!(pages);

/// The explain page of a code, laid out for a terminal.
#[must_use]
pub fn page(code: Code, palette: Palette) -> String {
    markdown(page_text(code), palette)
}

macro_rules! rule_pages {
    ($($id:literal;)*) => {
        /// The page of a lint rule, Markdown: `docs/lint/<id>.md`; empty for a name that no rule has.
        #[must_use]
        pub fn rule_text(id: &str) -> &'static str {
            match id {
                $($id => include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/lint/", $id, ".md")),)*
                _ => "",
            }
        }
    };
}
dsvm_lint::for_each_rule!(rule_pages);

/// The page of a lint rule, laid out for a terminal.
#[must_use]
pub fn rule(id: &str, palette: Palette) -> String {
    markdown(rule_text(id), palette)
}

/// All lint rules by category, with their levels; behind them those that teams wrote themselves, with their files.
#[must_use]
pub fn rules<'a>(team: impl Iterator<Item = (&'a SourceMap, &'a TeamRule)>, palette: Palette) -> String {
    let mut text = String::new();
    let mut category = None;
    for rule in dsvm_lint::RULES {
        if category != Some(rule.category) {
            let gap = if category.is_some() { "\n" } else { "" };
            text.push_str(&format!("{gap}{}\n", palette.paint(Role::Title, rule.category.word())));
            category = Some(rule.category);
        }
        let id = format!("{:<28}", rule.id);
        text.push_str(&format!("  {}  {:<5}  {}\n", palette.paint(Role::Name, &id), rule.level.word(), rule.summary));
    }
    let mut own: Vec<String> = team
        .map(|(sources, rule)| {
            let file = sources.get(rule.span.source);
            let place = file.map(|file| format!("{}:{}", file.name, file.line_column(rule.span.start).0));
            let level = match rule.severity {
                Severity::Error => "error",
                Severity::Warning => "warn",
                Severity::Info => "info",
            };
            let id = palette.paint(Role::Name, &format!("{:<28}", rule.name));
            let exceptions = if rule.exceptions { "; allows exceptions" } else { "" };
            let summary = rule.summary.as_deref().map(|text| format!("{} ", clean(text))).unwrap_or_default();
            format!("  {id}  {level:<5}  {summary}({}{exceptions})\n", clean(&place.unwrap_or_default()))
        })
        .collect();
    own.sort();
    own.dedup();
    if !own.is_empty() {
        text.push_str(&format!("\n{}\n{}", palette.paint(Role::Title, "the team's own"), own.concat()));
    }
    text
}

/// Headings bold, code indented, `code` coloured; everything else as written.
fn markdown(source: &str, palette: Palette) -> String {
    let mut text = String::new();
    let mut in_code = false;
    for line in source.lines() {
        if line.starts_with("```") {
            in_code = !in_code;
        } else if in_code {
            let indent = if line.is_empty() { "" } else { "    " };
            text.push_str(&format!("{indent}{line}\n"));
        } else if line.starts_with('#') {
            text.push_str(&palette.paint(Role::Title, line.trim_start_matches('#').trim_start()));
            text.push('\n');
        } else {
            text.push_str(&inline(line, palette));
            text.push('\n');
        }
    }
    text
}

fn inline(line: &str, palette: Palette) -> String {
    if !palette.is_colored() {
        return line.to_owned();
    }
    let pieces = line.split('`').enumerate();
    pieces.map(|(i, piece)| if i % 2 == 1 { palette.paint(Role::Name, piece) } else { piece.to_owned() }).collect()
}
