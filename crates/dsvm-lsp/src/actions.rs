//! Findings at a place → the changes of the text that remove them.

use crate::paths::name_of;
use crate::position::Lines;
use crate::server::State;
use dsvm_diagnostics::source::{SourceId, SourceKind, SourceMap, Span};
use dsvm_diagnostics::{Code, Diagnostic, Safety};
use lsp_types::{CodeActionParams, TextEdit, Uri};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One change: what it does, and the replacements in each file.
struct Change {
    title: String,
    edits: Vec<(Span, String)>,
    safe: bool,
}

/// The actions for the findings that touch the range of the request.
pub(crate) fn fixes(state: &State, path: &Path, text: &str, request: &CodeActionParams) -> Vec<Value> {
    let only = request.context.only.as_ref();
    let wanted =
        only.is_none_or(|kinds| kinds.is_empty() || kinds.iter().any(|kind| matches!(kind.as_str(), "" | "quickfix")));
    if !wanted {
        return Vec::new();
    }
    let lines = Lines::new(text, state.encoding);
    let (start, end) = lines.bytes(request.range);
    let name = name_of(path);
    let mut actions: Vec<Value> = Vec::new();
    let projects = state.analysis.iter().flat_map(|analysis| &analysis.projects);
    for compiled in projects.flat_map(|snapshot| &snapshot.compiled) {
        let here = |span: Span| {
            let file = compiled.sources.get(span.source).filter(|_| !is_library(span.source));
            file.is_some_and(|file| *file.name == *name) && span.start as usize <= end && span.end as usize >= start
        };
        for found in compiled.diagnostics.iter().filter(|found| found.primary().is_some_and(here)) {
            for change in changes(found, &compiled.sources) {
                let Some(edit) = workspace_edit(state, &compiled.sources, &change.edits) else { continue };
                let code = found.id();
                let diagnostics: Vec<_> = request
                    .context
                    .diagnostics
                    .iter()
                    .filter(|known| known.code == Some(lsp_types::NumberOrString::String(code.clone())))
                    .filter(|known| {
                        found.primary().is_some_and(|span| {
                            let (from, to) = lines.bytes(known.range);
                            (from, to) == (span.start as usize, span.end as usize)
                        })
                    })
                    .collect();
                let action = json!({
                    "title": change.title, "kind": "quickfix", "edit": edit, "isPreferred": change.safe,
                    "diagnostics": diagnostics,
                });
                if !actions.contains(&action) {
                    actions.push(action);
                }
            }
        }
    }
    actions
}

fn is_library(source: SourceId) -> bool {
    matches!(source.kind(), SourceKind::Library(_))
}

/// The changes that a finding offers. One of the standard library's text is none.
fn changes(found: &Diagnostic, sources: &SourceMap) -> Vec<Change> {
    let own = found.fixes.iter().map(|fix| Change {
        title: fix.title.clone(),
        edits: fix.edits.clone(),
        safe: fix.safety == Safety::Safe || found.fixes.len() == 1 && fix.title.starts_with("Write "),
    });
    let mut all: Vec<Change> = own.collect();
    all.extend(missing_import(found, sources));
    all.extend(allowance(found, sources));
    all.retain(|change| change.edits.iter().all(|(span, _)| !is_library(span.source)));
    all
}

/// The comment that allows what a lint rule finds. Its reason is left to a person: without one it has no effect.
fn allowance(found: &Diagnostic, sources: &SourceMap) -> Option<Change> {
    let rule = found.rule.as_deref().filter(|_| found.code == Code::LintFinding)?;
    let span = found.primary()?;
    let before = sources.get(span.source)?.text.get(..span.start as usize)?;
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    let indent: String = before.get(line..)?.chars().take_while(|c| c.is_whitespace()).collect();
    let at = Span::new(span.source, line as u32, line as u32);
    let text = format!("{indent}// {} {rule}: \n", dsvm_syntax::allow::WORD);
    let title = format!("Allow `{rule}` here: a reason is yours to write");
    Some(Change { title, edits: vec![(at, text)], safe: false })
}

/// The import that the help of a finding asks for: `write `import std.images` at the start of the file`.
fn missing_import(found: &Diagnostic, sources: &SourceMap) -> Option<Change> {
    let help = found.help.iter().find(|help| help.starts_with("write `import std."))?;
    let mut quoted = help.split('`').skip(1).step_by(2);
    let import = quoted.next()?.to_owned();
    let here = quoted.next();
    let span = found.primary()?;
    let file = sources.get(span.source)?;
    let at = place_of_import(&file.text);
    let mut edits = vec![(Span::new(span.source, at, at), format!("{import}\n"))];
    let mut title = format!("Add `{import}`");
    if let Some(meant) = here {
        edits.push((span, meant.to_owned()));
        title = format!("Add `{import}` and write `{meant}`");
    }
    Some(Change { title, edits, safe: here.is_none() })
}

/// Where an import is added: before the first one, else before the first declaration and its comments.
fn place_of_import(text: &str) -> u32 {
    let items = dsvm_syntax::index(text);
    let first = items.iter().find(|item| item.keyword == "import");
    if let Some(first) = first {
        return first.start as u32;
    }
    let start = items.first().map_or(0, |item| item.start);
    let mut at = start;
    // Comments directly above a declaration belong to it.
    while let Some(line) = text.get(..at).and_then(|before| before.strip_suffix('\n')) {
        let begin = line.rfind('\n').map_or(0, |end| end + 1);
        if !line.get(begin..).is_some_and(|line| line.trim_start().starts_with("//")) {
            break;
        }
        at = begin;
    }
    at as u32
}

fn workspace_edit(state: &State, sources: &SourceMap, edits: &[(Span, String)]) -> Option<Value> {
    let mut by_file: BTreeMap<PathBuf, Vec<TextEdit>> = BTreeMap::new();
    for (span, new_text) in edits {
        let file = sources.get(span.source)?;
        let range = Lines::new(&file.text, state.encoding).range(span.start as usize, span.end as usize);
        by_file.entry(PathBuf::from(&*file.name)).or_default().push(TextEdit { range, new_text: new_text.clone() });
    }
    let spelled = |(path, edits)| -> Option<(String, Vec<TextEdit>)> {
        let uri: Uri = state.spelled(path)?;
        Some((uri.as_str().to_owned(), edits))
    };
    let changes: Option<BTreeMap<String, Vec<TextEdit>>> =
        by_file.iter().map(|(path, edits)| spelled((path, edits.clone()))).collect();
    Some(json!({ "changes": changes? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_goes_to_the_others_or_above_the_first_declaration() {
        assert_eq!(place_of_import("// a\nimport std.images\n"), 5);
        assert_eq!(place_of_import("// head\n\n/// doc\npool a { }\n"), 9);
        assert_eq!(place_of_import(""), 0);
    }
}
