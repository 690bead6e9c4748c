//! The findings of all files, as the client understands them: pushed to it, or pulled by it.

use crate::diagnostics::Translator;
use crate::server::State;
use lsp_types::{Diagnostic, DocumentDiagnosticParams, WorkspaceDiagnosticParams};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The findings of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Found {
    /// Of the document that they are for.
    pub(crate) version: Option<i32>,
    pub(crate) all: Vec<Diagnostic>,
    /// Says whether they are those that the client has.
    id: u64,
}

/// The findings by file, and a count of their changes.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) by_file: BTreeMap<PathBuf, Found>,
    changes: u64,
}

impl Findings {
    /// Takes the findings of a new analysis; gives the files whose findings or version are other ones than before.
    pub(crate) fn update(&mut self, new: BTreeMap<PathBuf, (Option<i32>, Vec<Diagnostic>)>) -> Vec<PathBuf> {
        let mut changed = Vec::new();
        let gone = self.by_file.iter().filter(|(path, found)| !new.contains_key(*path) && !found.all.is_empty());
        let gone: Vec<PathBuf> = gone.map(|(path, _)| path.clone()).collect();
        self.by_file.retain(|path, _| new.contains_key(path));
        for path in gone {
            changed.push(path);
        }
        for (path, (version, all)) in new {
            let before = self.by_file.get(&path);
            if before.is_some_and(|before| before.version == version && before.all == all) {
                continue;
            }
            let id = match before {
                Some(before) if before.all == all => before.id,
                _ => {
                    self.changes += 1;
                    self.changes
                }
            };
            self.by_file.insert(path.clone(), Found { version, all, id });
            changed.push(path);
        }
        changed.sort();
        changed
    }
}

/// What the analysis found, by file; files without findings are listed if they are open.
pub(crate) fn translated(state: &State) -> BTreeMap<PathBuf, (Option<i32>, Vec<Diagnostic>)> {
    let version = |path: &Path| state.documents.get(path).map(|document| document.version);
    let mut found: BTreeMap<PathBuf, (Option<i32>, Vec<Diagnostic>)> =
        state.documents.iter().map(|(path, document)| (path.clone(), (Some(document.version), Vec::new()))).collect();
    let projects = state.analysis.iter().flat_map(|analysis| &analysis.projects);
    for compiled in projects.flat_map(|snapshot| &snapshot.compiled) {
        let translator = Translator {
            sources: &compiled.sources,
            encoding: state.encoding,
            understood: state.understood,
            library: &|file| state.library.file(&file.name),
            spelled: &|path| state.spelled(path),
            lines: RefCell::default(),
        };
        // Two projects can find the same in a file that both import; one finds nothing twice.
        let before: BTreeMap<PathBuf, usize> = found.iter().map(|(path, (_, all))| (path.clone(), all.len())).collect();
        for (path, diagnostic) in compiled.diagnostics.iter().filter_map(|found| translator.translate(found)) {
            let before = before.get(&path).copied().unwrap_or_default();
            let at = version(&path);
            let (_, all) = found.entry(path).or_insert_with(|| (at, Vec::new()));
            if !all.get(..before).is_some_and(|earlier| earlier.contains(&diagnostic)) {
                all.push(diagnostic);
            }
        }
    }
    found
}

/// The report about one file, or that nothing has changed since the one with this id.
fn report(found: &Found, previous: Option<&str>) -> Value {
    let id = found.id.to_string();
    match previous == Some(&id) {
        true => json!({ "kind": "unchanged", "resultId": id }),
        false => json!({ "kind": "full", "resultId": id, "items": found.all }),
    }
}

/// The findings of a document.
pub(crate) fn document(state: &State, path: &Path, request: &DocumentDiagnosticParams) -> Value {
    let none = Found::default();
    report(state.findings.by_file.get(path).unwrap_or(&none), request.previous_result_id.as_deref())
}

/// The findings of all files. Those that have none any more are told once more.
pub(crate) fn workspace(state: &State, request: &WorkspaceDiagnosticParams) -> Value {
    let previous: BTreeMap<PathBuf, &str> = request
        .previous_result_ids
        .iter()
        .map(|known| (crate::paths::path_of(&known.uri), known.value.as_str()))
        .collect();
    let none = Found::default();
    let known = state.findings.by_file.iter();
    let mut all: BTreeMap<&PathBuf, &Found> = known.collect();
    for path in previous.keys() {
        all.entry(path).or_insert(&none);
    }
    let items = all.into_iter().filter_map(|(path, found)| {
        let mut one = report(found, previous.get(path).copied());
        let fields = one.as_object_mut()?;
        fields.insert("uri".to_owned(), json!(state.spelled(path)?));
        fields.insert("version".to_owned(), json!(found.version));
        Some(one)
    });
    json!({ "items": items.collect::<Vec<_>>() })
}
