//! A selection, or a name → changes that give a part of a program a name, or take it away. They are proposals: only those
//! are offered with which the project deploys what it deployed before, which the compiler decides.

use crate::host::{Host, Project, Texts};
use crate::nodes::{self, Node};
use crate::occurrences::Names;
use crate::position::Lines;
use crate::server::State;
use crate::view::{FileView, Symbol, View};
use dsvm_diagnostics::source::Span;
use dsvm_syntax::ast::{Block, Entry, Expr, ExprKind, File, Item, ItemKind, StringPart, TypeKind};
use lsp_types::{CodeActionKind, CodeActionParams};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What must stay the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    Templates,
    /// A template with one more parameter deploys the same.
    Resources,
}

/// A change, and the promise that it makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proposal {
    title: &'static str,
    kind: &'static str,
    kept: Kept,
    path: PathBuf,
    /// First byte, one past the last, and what comes in their place; in order, and apart.
    edits: Vec<(usize, usize, String)>,
}

const EXTRACT: &str = "refactor.extract";
const INLINE: &str = "refactor.inline";

impl Proposal {
    fn applied(&self, text: &str) -> Option<String> {
        let mut text = text.to_owned();
        for (from, to, new) in self.edits.iter().rev() {
            text.get(*from..*to)?;
            text.replace_range(*from..*to, new);
        }
        Some(text)
    }

    /// The action as the protocol has it.
    pub(crate) fn action(&self, state: &State) -> Option<Value> {
        let document = state.documents.get(&self.path)?;
        let lines = Lines::new(&document.text, state.encoding);
        let edits = self.edits.iter();
        let edits = edits.map(|(from, to, new)| json!({ "range": lines.range(*from, *to), "newText": new }));
        let changes = BTreeMap::from([(document.uri.as_str().to_owned(), edits.collect::<Vec<_>>())]);
        Some(json!({ "title": self.title, "kind": self.kind, "edit": { "changes": changes } }))
    }
}

/// Those of the proposals with which a project deploys what it deployed before.
pub(crate) fn kept(host: &dyn Host, texts: &Texts, project: &Project, proposals: Vec<Proposal>) -> Vec<Proposal> {
    let Some(before) = host.deploys(texts, project) else { return Vec::new() };
    let keeps = |proposal: &Proposal| {
        let changed = texts.0.get(&proposal.path).and_then(|text| proposal.applied(text))?;
        let mut texts = texts.clone();
        texts.0.insert(proposal.path.clone(), Arc::from(changed));
        let after = host.deploys(&texts, project)?;
        Some(match proposal.kept {
            Kept::Templates => after == before,
            Kept::Resources => after.resources == before.resources,
        })
    };
    proposals.into_iter().filter(|proposal| keeps(proposal) == Some(true)).collect()
}

/// What could be done with the range of a request.
pub(crate) fn proposals(state: &mut State, path: &Path, request: &CodeActionParams) -> Vec<Proposal> {
    let wants = |kind: &'static str| {
        let only = request.context.only.as_ref();
        only.is_none_or(|all| {
            all.is_empty()
                || all.iter().any(|one: &CodeActionKind| one.as_str().is_empty() || kind.starts_with(one.as_str()))
        })
    };
    let Some(view) = View::of(state, path) else { return Vec::new() };
    let Some(at) = view.file(path) else { return Vec::new() };
    let Some(file) = view.files.get(at) else { return Vec::new() };
    let (from, to) = Lines::new(&file.text, state.encoding).bytes(request.range);
    let written = file.text.get(from..to).unwrap_or_default();
    let from = from + (written.len() - written.trim_start().len());
    let to = from + written.trim().len();
    let mut found = Vec::new();
    if wants(EXTRACT) && from < to {
        found.extend(extractions(&view, at, file, (from, to)));
    }
    if wants(INLINE) {
        found.extend(inlined(&view, at, file, from));
    }
    found
}

/// The names that are taken: any other one means nothing yet.
fn free_name(view: &View, wish: &str) -> String {
    let taken: Vec<Names> = (0..view.files.len()).map(|file| Names::of(view, file)).collect();
    let is_taken =
        |name: &str| crate::navigate::is_word(name) || taken.iter().any(|names| names.written.contains(name));
    let numbered = (2u32..).map(|number| format!("{wish}_{number}"));
    std::iter::once(wish.to_owned()).chain(numbered).find(|name| !is_taken(name)).unwrap_or_default()
}

fn extractions(view: &View, at: usize, file: &FileView, (from, to): (usize, usize)) -> Vec<Proposal> {
    let holds = |item: &&Item| item.span.start as usize <= from && to <= item.span.end as usize;
    let Some(item) = file.tree.items.iter().find(holds) else { return Vec::new() };
    let mut node = None;
    nodes::of(item, &mut |one| {
        let span = one.span();
        if (span.start as usize, span.end as usize) == (from, to) && !matches!(one, Node::Other(_)) {
            node.get_or_insert(one);
        }
    });
    let Some(text) = file.text.get(from..to) else { return Vec::new() };
    let place = above(&file.text, item.span.start.min(item.export.map_or(u32::MAX, |span| span.start)) as usize);
    let propose = |title, kept, declaration: String, name: &str| Proposal {
        title,
        kind: EXTRACT,
        kept,
        path: file.path.clone(),
        edits: vec![(place, place, format!("{declaration}\n\n")), (from, to, name.to_owned())],
    };
    match node {
        Some(Node::Expr(expr)) => {
            // What is known only in the declaration, or by what a field wants, means nothing outside of it.
            let names = Names::of(view, at);
            let inside = |start: usize, end: usize| from <= start && end <= to;
            let local = names.found.iter().any(|found| {
                let bare = !file.text.get(..found.start).is_some_and(|before| before.trim_end().ends_with('.'));
                let only_here =
                    matches!(found.symbol, Symbol::Local(..)) || matches!(found.symbol, Symbol::Library(..)) && bare;
                inside(found.start, found.end) && only_here
            });
            if local || names.choices.iter().any(|(start, end)| inside(*start, *end)) {
                return Vec::new();
            }
            let name = free_name(view, &name_for(item, expr.span));
            let mut all = vec![propose("Extract to `let`", Kept::Templates, format!("let {name} = {text}"), &name)];
            if let Some(ty) = type_of(expr) {
                let declaration = format!("param {name}: {ty} = {text}");
                all.push(propose("Extract to `param`", Kept::Resources, declaration, &name));
            }
            all
        }
        Some(Node::Type(ty)) if !matches!(ty.kind, TypeKind::Name(_) | TypeKind::Error) => {
            let name = free_name(view, "Extracted");
            vec![propose("Extract to `type`", Kept::Templates, format!("type {name} = {text}"), &name)]
        }
        _ => Vec::new(),
    }
}

/// A name that says what a value is for: `notes_quota` for the field `quota` of `notes`.
fn name_for(item: &Item, span: Span) -> String {
    fn field_around(block: &Block, span: Span) -> Option<&str> {
        block.body.iter().flat_map(|body| &body.entries).find_map(|entry| match entry {
            Entry::Field(field) if field.value.span == span => Some(&*field.name.value),
            Entry::Field(_) => None,
            Entry::Block(inner) => field_around(inner, span),
        })
    }
    let ItemKind::Block(block) = &item.kind else { return "extracted".to_owned() };
    let (name, _) = crate::symbols::heading(block);
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match field_around(block, span) {
        Some(field) if plain(&name) && plain(field) => format!("{name}_{field}"),
        _ => "extracted".to_owned(),
    }
}

/// The type of a value that says it itself.
fn type_of(expr: &Expr) -> Option<String> {
    let name = match &expr.kind {
        ExprKind::Bool(_) => "bool",
        ExprKind::Int(_) => "int",
        ExprKind::Decimal(_) => "decimal",
        ExprKind::Time(_) => "time",
        ExprKind::Date(_) => "date",
        ExprKind::Ip(_) => "ip",
        ExprKind::Cidr(_) => "cidr",
        ExprKind::String(parts) if parts.iter().all(|part| matches!(part, StringPart::Text(_))) => "string",
        ExprKind::Quantity(_, unit) => match &*unit.value {
            "%" => "percent",
            "B" | "KiB" | "MiB" | "GiB" | "TiB" | "PiB" => "size",
            "s" | "min" | "h" | "d" => "duration",
            _ => return None,
        },
        ExprKind::List(items) => {
            let types: Vec<String> = items.iter().map(type_of).collect::<Option<_>>()?;
            let first = types.first()?;
            return types.iter().all(|ty| ty == first).then(|| format!("[{first}]"));
        }
        _ => return None,
    };
    Some(name.to_owned())
}

/// The start of the comments directly above a declaration.
fn above(text: &str, start: usize) -> usize {
    let mut at = start;
    while let Some(line) = text.get(..at).and_then(|before| before.strip_suffix('\n')) {
        let begin = line.rfind('\n').map_or(0, |end| end + 1);
        if !line.get(begin..).is_some_and(|line| line.trim_start().starts_with("//")) {
            break;
        }
        at = begin;
    }
    at
}

/// The `let` whose name is at a place, written out wherever it is used.
fn inlined(view: &View, at: usize, file: &FileView, offset: usize) -> Option<Proposal> {
    let names = Names::of(view, at);
    let symbol = names.at(offset)?.symbol.clone();
    let Symbol::Declared(module, name) = &symbol else { return None };
    let (declared_in, item) = view.declared(*module, name)?;
    let ItemKind::Let(constant) = &item.kind else { return None };
    // Other files would have to see what the value is made of.
    let elsewhere = (0..view.files.len()).filter(|other| *other != at);
    let used_elsewhere = elsewhere.flat_map(|other| Names::of(view, other).found).any(|found| found.symbol == symbol);
    if declared_in != at || used_elsewhere {
        return None;
    }
    let value = file.text.get(constant.value.span.start as usize..constant.value.span.end as usize)?;
    let simple = is_simple(&constant.value);
    let uses = names.found.iter().filter(|found| found.symbol == symbol && !found.declares);
    let mut edits: Vec<(usize, usize, String)> = Vec::new();
    for found in uses {
        if file.text.get(found.start..found.end) != Some(&**name) || is_part_of_another(&file.tree, found.start) {
            return None;
        }
        edits.push((found.start, found.end, if simple { value.to_owned() } else { format!("({value})") }));
    }
    if edits.is_empty() {
        return None;
    }
    let start = item.export.map_or(item.span.start, |export| export.start.min(item.span.start)) as usize;
    let doc = if item.doc.is_some() { above(&file.text, start) } else { start };
    let rest = file.text.get(item.span.end as usize..)?;
    let mut behind = rest.find('\n').map_or(rest.len(), |end| end + 1);
    // Neither the line nor the empty one behind it stays.
    let follows = rest.get(behind..).unwrap_or_default();
    if doc == 0 || file.text.get(..doc).is_some_and(|before| before.ends_with("\n\n")) {
        behind += follows.len() - follows.trim_start_matches('\n').len();
    }
    let blank = rest.get(..rest.find('\n').unwrap_or(rest.len())).unwrap_or_default();
    if !blank.trim().is_empty() {
        return None;
    }
    edits.push((doc, item.span.end as usize + behind, String::new()));
    edits.sort();
    edits.dedup();
    let path = file.path.clone();
    Some(Proposal { title: "Inline this `let`", kind: INLINE, kept: Kept::Templates, path, edits })
}

/// Whether a value can stand in the place of a name without parentheses.
fn is_simple(value: &Expr) -> bool {
    !matches!(
        value.kind,
        ExprKind::Binary(..) | ExprKind::Unary(..) | ExprKind::If(..) | ExprKind::Range(..) | ExprKind::Error
    )
}

/// Whether the name at a place is the second half of `module.name`.
fn is_part_of_another(tree: &File, start: usize) -> bool {
    let mut found = false;
    for item in &tree.items {
        nodes::of(item, &mut |node| {
            if let Node::Expr(Expr { kind: ExprKind::Member(_, name), .. }) = node {
                found |= name.span.start as usize == start;
            }
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_say_their_type_can_be_parameters() {
        let of = |text: &str| {
            let tree = dsvm_syntax::parse(
                dsvm_diagnostics::source::SourceId::file(0),
                &format!("let a = {text}"),
                &mut dsvm_diagnostics::Sink::default(),
            );
            let [Item { kind: ItemKind::Let(constant), .. }] = tree.items.as_slice() else { panic!("{text}") };
            type_of(&constant.value)
        };
        assert_eq!(of("[1, 2]").as_deref(), Some("[int]"));
        assert_eq!(of("1 TiB").as_deref(), Some("size"));
        assert_eq!(of("\"a\"").as_deref(), Some("string"));
        assert_eq!(of("10.0.0.0/8").as_deref(), Some("cidr"));
        assert!(of("\"a${b}\"").is_none() && of("[1, \"a\"]").is_none() && of("b").is_none() && of("[]").is_none());
    }
}
