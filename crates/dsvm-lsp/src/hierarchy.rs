//! A name in a document → who uses it and what it uses: calls of functions, and references between blocks.

use crate::answers::Failure;
use crate::occurrences::{Names, Occurrence};
use crate::position::Lines;
use crate::server::State;
use crate::symbols;
use crate::view::{Symbol, View, declared_name};
use dsvm_syntax::ast::{Item, ItemKind};
use lsp_server::ErrorCode;
use lsp_types::{Position, SymbolKind};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// What is at the position, as items of a hierarchy: at most one.
pub(crate) fn prepare(state: &mut State, path: &Path, position: Position) -> Vec<Value> {
    let Some(view) = View::of(state, path) else { return Vec::new() };
    let Some(file) = view.file(path) else { return Vec::new() };
    let Some(known) = view.files.get(file) else { return Vec::new() };
    let offset = Lines::new(&known.text, state.encoding).offset(position);
    let names = Names::of(&view, file);
    let Some(Symbol::Declared(module, name)) = names.at(offset).map(|found| &found.symbol) else { return Vec::new() };
    let Some((file, declared)) = view.declared(*module, name) else { return Vec::new() };
    item(state, &view, file, declared).into_iter().collect()
}

/// A declaration as the protocol has it; its place is what the client sends back.
fn item(state: &State, view: &View, file: usize, declared: &Item) -> Option<Value> {
    let known = view.files.get(file)?;
    let lines = Lines::new(&known.text, state.encoding);
    let (name, at, kind) = title(declared);
    Some(json!({
        "name": name, "kind": kind, "uri": state.spelled(&known.path)?,
        "range": lines.range(declared.span.start as usize, declared.span.end as usize),
        "selectionRange": lines.range(at.0, at.1),
    }))
}

/// What a declaration is called, where that stands, and what it is.
fn title(declared: &Item) -> (String, (usize, usize), SymbolKind) {
    let (name, span, kind) = match &declared.kind {
        ItemKind::Fn(function) => (function.name.value.to_string(), function.name.span, SymbolKind::FUNCTION),
        ItemKind::Env(env) => (env.name.value.to_string(), env.name.span, SymbolKind::MODULE),
        ItemKind::Output(output) => (output.name.value.to_string(), output.name.span, SymbolKind::PROPERTY),
        ItemKind::Block(block) => {
            let (name, span) = symbols::heading(block);
            (name, span, SymbolKind::CLASS)
        }
        ItemKind::Check(check) => ("check".to_owned(), check.condition.span, SymbolKind::EVENT),
        _ => match declared_name(declared) {
            Some(name) => (name.value.to_string(), name.span, SymbolKind::VARIABLE),
            None => ("import".to_owned(), declared.span, SymbolKind::MODULE),
        },
    };
    (name, (span.start as usize, span.end as usize), kind)
}

/// The declaration that an item of a hierarchy stands for.
struct Meant {
    view: View,
    file: usize,
    index: usize,
    symbol: Symbol,
}

fn meant(state: &mut State, request: &Value) -> Result<Meant, Failure> {
    let lost = || Failure::new(ErrorCode::ContentModified, "the declaration is not there any more");
    let wrong = || Failure::new(ErrorCode::InvalidParams, "`item` is missing its place");
    let uri = request.pointer("/item/uri").and_then(Value::as_str).ok_or_else(wrong)?;
    let at = request.pointer("/item/selectionRange/start").cloned().ok_or_else(wrong)?;
    let at: Position = serde_json::from_value(at).map_err(|_| wrong())?;
    let uri = uri.parse().map_err(|_| wrong())?;
    let path = crate::paths::path_of(&uri);
    let view = View::of(state, &path).ok_or_else(lost)?;
    let file = view.file(&path).ok_or_else(lost)?;
    let known = view.files.get(file).ok_or_else(lost)?;
    let offset = Lines::new(&known.text, state.encoding).offset(at);
    let index = enclosing(&view, file, offset).ok_or_else(lost)?;
    let name = known.tree.items.get(index).and_then(declared_name);
    let symbol = name.map_or(Symbol::Local(file, u32::MAX), |name| Symbol::Declared(known.module, name.value));
    Ok(Meant { file, index, symbol, view })
}

/// The declaration around a byte.
fn enclosing(view: &View, file: usize, offset: usize) -> Option<usize> {
    let items = &view.files.get(file)?.tree.items;
    items.iter().position(|item| item.span.start as usize <= offset && offset <= item.span.end as usize)
}

/// Who uses a declaration, with the places of the uses.
pub(crate) fn incoming(state: &mut State, request: &Value) -> Result<Value, Failure> {
    let Meant { view, symbol, .. } = meant(state, request)?;
    let mut calls: BTreeMap<(usize, usize), Vec<Occurrence>> = BTreeMap::new();
    for file in 0..view.files.len() {
        let uses = Names::of(&view, file).found.into_iter().filter(|found| found.symbol == symbol && !found.declares);
        for found in uses {
            if let Some(index) = enclosing(&view, file, found.start)
                && !matches!(view.item(file, index).map(|item| &item.kind), Some(ItemKind::Import(_)) | None)
            {
                calls.entry((file, index)).or_default().push(found);
            }
        }
    }
    let calls = calls.into_iter().filter_map(|((file, index), uses)| {
        let from = item(state, &view, file, view.item(file, index)?)?;
        Some(json!({ "from": from, "fromRanges": ranges(state, &view, file, &uses) }))
    });
    Ok(calls.collect())
}

/// What a declaration uses, with the places of the uses in it.
pub(crate) fn outgoing(state: &mut State, request: &Value) -> Result<Value, Failure> {
    let Meant { view, file, index, .. } = meant(state, request)?;
    let Some(span) = view.item(file, index).map(|item| item.span) else { return Ok(Value::Null) };
    let mut calls: BTreeMap<Symbol, Vec<Occurrence>> = BTreeMap::new();
    for found in Names::of(&view, file).found {
        let inside = span.start as usize <= found.start && found.end <= span.end as usize;
        if inside && !found.declares && matches!(found.symbol, Symbol::Declared(..)) {
            calls.entry(found.symbol.clone()).or_default().push(found);
        }
    }
    let calls = calls.into_iter().filter_map(|(symbol, uses)| {
        let Symbol::Declared(module, name) = symbol else { return None };
        let (target, declared) = view.declared(module, &name)?;
        let to = item(state, &view, target, declared)?;
        Some(json!({ "to": to, "fromRanges": ranges(state, &view, file, &uses) }))
    });
    Ok(calls.collect())
}

fn ranges(state: &State, view: &View, file: usize, uses: &[Occurrence]) -> Vec<lsp_types::Range> {
    let Some(known) = view.files.get(file) else { return Vec::new() };
    let lines = Lines::new(&known.text, state.encoding);
    uses.iter().map(|found| lines.range(found.start, found.end)).collect()
}
