//! A place in a document → what is said about it, where it is declared, where it is used, and a new name for it.

use crate::answers::Failure;
use crate::describe;
use crate::facts;
use crate::host::{Compiled, Texts};
use crate::occurrences::{Names, Occurrence, element, plural, words};
use crate::position::Lines;
use crate::server::State;
use crate::view::{ModuleRef, Symbol, View};
use dsvm_diagnostics::Severity;
use dsvm_sema::builtins;
use dsvm_sema::table::{BlockKind, kinds_at_top_level, spec};
use lsp_server::ErrorCode;
use lsp_types::{Location, Position, Range, TextEdit};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What stands at a position: the project, the file in it, and the name.
fn found(state: &mut State, path: &Path, position: Position) -> Option<(View, Occurrence)> {
    let view = View::of(state, path)?;
    let file = view.file(path)?;
    let text = view.files.get(file)?.text.clone();
    let offset = Lines::new(&text, state.encoding).offset(position);
    let occurrence = Names::of(&view, file).at(offset)?.clone();
    Some((view, occurrence))
}

pub(crate) fn hover(state: &mut State, path: &Path, position: Position) -> Value {
    let Some((view, occurrence)) = found(state, path, position) else { return Value::Null };
    let Some(text) = describe::symbol(&view, &occurrence.symbol) else { return Value::Null };
    let range = view.file(path).and_then(|file| range(state, &view, file, &occurrence));
    json!({ "contents": { "kind": "markdown", "value": text }, "range": range })
}

fn range(state: &State, view: &View, file: usize, occurrence: &Occurrence) -> Option<Range> {
    let file = view.files.get(file)?;
    Some(Lines::new(&file.text, state.encoding).range(occurrence.start, occurrence.end))
}

/// Every place of a symbol in a project, by file and place.
fn places(view: &View, symbol: &Symbol) -> Vec<(usize, Occurrence)> {
    let files = 0..view.files.len();
    let each = files.flat_map(|file| Names::of(view, file).found.into_iter().map(move |found| (file, found)));
    let mut all: Vec<(usize, Occurrence)> = each.filter(|(_, found)| found.symbol == *symbol).collect();
    all.dedup_by_key(|(file, found)| (*file, found.start, found.end));
    all
}

/// Places, by file, as the protocol has them.
fn locations(state: &State, view: &View, places: &[(usize, Occurrence)]) -> Vec<Location> {
    let each = places.chunk_by(|(one, _), (other, _)| one == other).filter_map(|places| {
        let file = view.files.get(places.first()?.0)?;
        let uri = state.spelled(&file.path)?;
        let lines = Lines::new(&file.text, state.encoding);
        let locations = places.iter().map(|(_, found)| Location::new(uri.clone(), lines.range(found.start, found.end)));
        Some(locations.collect::<Vec<_>>())
    });
    each.flatten().collect()
}

pub(crate) fn definition(state: &mut State, path: &Path, position: Position) -> Vec<Location> {
    let Some((view, occurrence)) = found(state, path, position) else { return Vec::new() };
    match &occurrence.symbol {
        Symbol::Library(module, name) => in_library(state, *module, Some(name)).into_iter().collect(),
        Symbol::Module(ModuleRef::Library(module)) => in_library(state, *module, None).into_iter().collect(),
        Symbol::Module(ModuleRef::Own(module)) => {
            let file = view.files.iter().find(|file| file.module == *module);
            let uri = file.and_then(|file| state.spelled(&file.path));
            uri.map(|uri| Location::new(uri, Range::default())).into_iter().collect()
        }
        symbol => {
            let mut declared = places(&view, symbol);
            declared.retain(|(_, found)| found.declares);
            locations(state, &view, &declared)
        }
    }
}

/// A name in the copy of a module of the standard library, or its beginning.
fn in_library(state: &State, module: usize, name: Option<&str>) -> Option<Location> {
    let (module_name, text) = facts::source(module)?;
    let uri = state.spelled(&state.library.file(module_name)?)?;
    let lines = Lines::new(text, state.encoding);
    let range = match name {
        Some(name) => {
            let at = facts::fact(module, name)?.name_at;
            lines.range(at, at + name.len())
        }
        None => Range::default(),
    };
    Some(Location::new(uri, range))
}

/// All uses in the projects that the document is in, with the declaration if that is wanted.
pub(crate) fn references(state: &mut State, path: &Path, position: Position, declaration: bool) -> Vec<Location> {
    let mut all: Vec<Location> = Vec::new();
    for (view, symbol) in everywhere(state, path, position) {
        let mut uses = places(&view, &symbol);
        uses.retain(|(_, found)| declaration || !found.declares);
        all.extend(locations(state, &view, &uses));
        if declaration && let Symbol::Library(module, name) = &symbol {
            all.extend(in_library(state, *module, Some(name)));
        }
    }
    all.sort_by(|a, b| {
        let key = |location: &Location| {
            (location.uri.as_str().to_owned(), location.range.start.line, location.range.start.character)
        };
        key(a).cmp(&key(b))
    });
    all.dedup();
    all
}

/// The places of a name in its own file; where it is declared counts as written.
pub(crate) fn highlights(state: &mut State, path: &Path, position: Position) -> Vec<Value> {
    let Some((view, occurrence)) = found(state, path, position) else { return Vec::new() };
    let Some(file) = view.file(path) else { return Vec::new() };
    let Some(known) = view.files.get(file) else { return Vec::new() };
    let lines = Lines::new(&known.text, state.encoding);
    let mut same = Names::of(&view, file).found;
    same.retain(|found| found.symbol == occurrence.symbol);
    same.dedup_by_key(|found| (found.start, found.end));
    let highlight = |found: &Occurrence| json!({ "range": lines.range(found.start, found.end), "kind": if found.declares { 3 } else { 2 } });
    same.iter().map(highlight).collect()
}

/// What stands at a position, in each project that the document is in.
fn everywhere(state: &mut State, path: &Path, position: Position) -> Vec<(View, Symbol)> {
    let encoding = state.encoding;
    let views = View::all(state, path);
    let each = views.into_iter().filter_map(|view| {
        let file = view.file(path)?;
        let text = view.files.get(file)?.text.clone();
        let offset = Lines::new(&text, encoding).offset(position);
        let symbol = Names::of(&view, file).at(offset)?.symbol.clone();
        Some((view, symbol))
    });
    each.collect()
}

fn refused(message: impl Into<String>) -> Failure {
    Failure::new(ErrorCode::RequestFailed, message)
}

/// The place and the present name of what can be renamed.
fn renamed(state: &mut State, path: &Path, position: Position) -> Result<(View, Occurrence, String), Failure> {
    let nothing = || refused("there is no name here that can be changed");
    let (view, occurrence) = found(state, path, position).ok_or_else(nothing)?;
    let name = match &occurrence.symbol {
        Symbol::Declared(_, name) | Symbol::Env(name) | Symbol::Output(name) => name.to_string(),
        Symbol::Library(..) | Symbol::Module(ModuleRef::Library(_)) => {
            return Err(refused("names of the standard library cannot be changed"));
        }
        Symbol::Kind(_) | Symbol::Field(..) | Symbol::Attribute(..) | Symbol::All(_) | Symbol::Function(_) => {
            return Err(refused("words of the language cannot be changed"));
        }
        Symbol::Module(ModuleRef::Own(_)) | Symbol::Local(..) => {
            return Err(refused("only what a project declares at top level can be renamed"));
        }
    };
    let file = view.file(path).and_then(|file| view.files.get(file)).ok_or_else(nothing)?;
    // `pool "team"` and the like: what stands there is not the name.
    if file.text.get(occurrence.start..occurrence.end) != Some(name.as_str()) || state.library.is(path) {
        return Err(nothing());
    }
    Ok((view, occurrence, name))
}

pub(crate) fn prepare_rename(state: &mut State, path: &Path, position: Position) -> Result<Value, Failure> {
    let (view, occurrence, name) = renamed(state, path, position)?;
    let range = view.file(path).and_then(|file| range(state, &view, file, &occurrence));
    Ok(json!({ "range": range, "placeholder": name }))
}

/// The edits that give a name of the project another spelling, in all files that use it. What would then mean something
/// else is refused: the projects are compiled with the edits, and must have the findings that they had before.
pub(crate) fn rename(state: &mut State, path: &Path, position: Position, new: &str) -> Result<Value, Failure> {
    let (_, _, old) = renamed(state, path, position)?;
    if !is_name(new) {
        return Err(refused(format!("`{new}` is not a name: letters, digits and `_`, a letter first")));
    }
    if is_word(new) {
        return Err(refused(format!("`{new}` is a word of the language")));
    }
    let mut edits: BTreeMap<PathBuf, BTreeSet<(usize, usize)>> = BTreeMap::new();
    let mut texts: BTreeMap<PathBuf, Arc<str>> = BTreeMap::new();
    for (view, symbol) in everywhere(state, path, position) {
        for (at, file) in view.files.iter().enumerate() {
            let names = Names::of(&view, at);
            let places = names.found.iter().filter(|found| found.symbol == symbol);
            let places: BTreeSet<(usize, usize)> = places.map(|found| (found.start, found.end)).collect();
            if new != old && names.written.contains(new) {
                return Err(refused(format!("`{new}` is used already")));
            }
            if places.is_empty() {
                continue;
            }
            if places.iter().any(|(from, to)| file.text.get(*from..*to) != Some(old.as_str())) {
                return Err(refused(format!("`{old}` is written in another form somewhere")));
            }
            texts.insert(file.path.clone(), file.text.clone());
            edits.entry(file.path.clone()).or_default().extend(places);
        }
    }
    verify(state, path, &edits, &texts, new)?;
    let mut changes = BTreeMap::new();
    for (path, places) in edits {
        let text = texts.get(&path).cloned().unwrap_or_default();
        let lines = Lines::new(&text, state.encoding);
        let edits = places.into_iter().map(|(from, to)| TextEdit::new(lines.range(from, to), new.to_owned()));
        let uri = state.spelled(&path).ok_or_else(|| refused("a file has no address"))?;
        changes.insert(uri.as_str().to_owned(), edits.collect::<Vec<_>>());
    }
    Ok(json!({ "changes": changes }))
}

/// Whether a name would mean something else in some place: a word that a field takes, a function, all blocks of a kind.
pub(crate) fn is_word(text: &str) -> bool {
    let in_field = |kind: &BlockKind| {
        let mut some = Vec::new();
        for field in spec(*kind).fields {
            words(element(&field.ty).unwrap_or(&field.ty), &mut some);
        }
        some.contains(&text)
    };
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    days.contains(&text)
        || matches!(text, "project" | "location")
        || builtins::chooser(text).is_some()
        || kinds_at_top_level().any(|kind| plural(kind) == text)
        || builtins::all().any(|function| function.name == text)
        || BlockKind::ALL.iter().any(in_field)
}

fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// Compiles the projects of a document as they are and with the edits; the findings must be the same.
fn verify(
    state: &State,
    path: &Path,
    edits: &BTreeMap<PathBuf, BTreeSet<(usize, usize)>>,
    texts: &BTreeMap<PathBuf, Arc<str>>,
    new: &str,
) -> Result<(), Failure> {
    let before = state.documents.texts();
    let mut after = before.clone();
    for (path, places) in edits {
        let mut text = texts.get(path).map(ToString::to_string).unwrap_or_default();
        for (from, to) in places.iter().rev() {
            text.replace_range(*from..*to, new);
        }
        after.0.insert(path.clone(), text.into());
    }
    let projects = state.analysis.iter().flat_map(|analysis| &analysis.projects);
    let mut projects: Vec<_> = projects
        .filter(|snapshot| snapshot.files.contains_key(path))
        .map(|snapshot| snapshot.project.clone())
        .collect();
    if projects.is_empty() {
        projects.push(state.host.alone(path));
    }
    let findings = |texts: &Texts| -> Vec<Vec<(u16, Severity)>> {
        let each = projects.iter().map(|project| {
            let compiled: Vec<Compiled> = state.host.compile(texts, project);
            let all = compiled.iter().flat_map(|one| &one.diagnostics);
            let mut all: Vec<_> = all.map(|found| (found.code.number(), found.severity)).collect();
            all.sort_unstable();
            all
        });
        each.collect()
    };
    match findings(&before) == findings(&after) {
        true => Ok(()),
        false => Err(refused(format!("with `{new}` the project would have other mistakes than now"))),
    }
}
