//! A symbol → what an editor shows about it, in Markdown.

use crate::facts::{self, Fact};
use crate::view::{ModuleRef, Symbol, View};
use dsvm_sema::builtins::{self, Builtin};
use dsvm_sema::table::{BlockKind, FieldSpec, Head, Part, When, shown, spec};
use dsvm_sema::ty::Ty;
use dsvm_syntax::ast::{Item, ItemKind};

/// Letters of a declaration that are shown.
const LONGEST: usize = 400;

/// What is known about a symbol; nothing about what only its declaration says.
pub(crate) fn symbol(view: &View, symbol: &Symbol) -> Option<String> {
    match symbol {
        Symbol::Declared(module, name) => {
            let (file, item) = view.declared(*module, name)?;
            let file = view.files.get(file)?;
            Some(with_doc(&code(&heading(&file.text, item)), item.doc.as_deref().unwrap_or_default()))
        }
        Symbol::Library(module, name) => facts::fact(*module, name).map(|fact| of_fact(*module, fact)),
        Symbol::Module(ModuleRef::Library(module)) => {
            let (name, _) = facts::source(*module)?;
            Some(with_doc(&code(&format!("import std.{name}")), &facts::module_doc(*module)))
        }
        Symbol::Module(ModuleRef::Own(module)) => {
            let file = view.files.iter().find(|file| file.module == *module)?;
            let name = file.path.file_name()?.to_string_lossy().into_owned();
            Some(format!("`{name}`"))
        }
        Symbol::Env(name) => {
            let mut items = view.files.iter().flat_map(|file| &file.tree.items);
            let doc = items.find_map(|item| match &item.kind {
                ItemKind::Env(env) if env.name.value == *name => Some(item.doc.as_deref().unwrap_or_default()),
                _ => None,
            })?;
            Some(with_doc(&code(&format!("env {name}")), doc))
        }
        Symbol::Output(name) => {
            let files = view.files.iter().flat_map(|file| file.tree.items.iter().map(move |item| (file, item)));
            let (file, item) = files
                .into_iter()
                .find(|(_, item)| matches!(&item.kind, ItemKind::Output(output) if output.name.value == *name))?;
            Some(with_doc(&code(&heading(&file.text, item)), item.doc.as_deref().unwrap_or_default()))
        }
        Symbol::Local(..) => None,
        Symbol::Kind(of) => Some(kind(*of)),
        Symbol::Field(kind, name) => spec(*kind).field(name).map(|row| field(*kind, row)),
        Symbol::Attribute(kind, name) => {
            let (name, ty, doc) = spec(*kind).attribute(name)?;
            let line = code(&format!("{name}: {ty}"));
            Some(with_doc(&line, &format!("{doc}\n\nAn attribute of `{}`, known at deployment.", shown(*kind))))
        }
        Symbol::All(kind) => Some(format!("All `{}` blocks of the project, by name.", kind.keyword())),
        Symbol::Function(name) => match builtins::chooser(name) {
            Some(chooser) => Some(with_doc(&code(chooser.signature), chooser.doc)),
            None => builtins::all().find(|function| function.name == *name).map(function),
        },
    }
}

fn code(text: &str) -> String {
    format!("```dsvm\n{text}\n```")
}

fn with_doc(line: &str, doc: &str) -> String {
    if doc.trim().is_empty() { line.to_owned() } else { format!("{line}\n\n{}", doc.trim()) }
}

/// A declaration without its doc comment: a block up to its brace, all else as it is written, if it is not long.
pub(crate) fn heading(text: &str, item: &Item) -> String {
    let end = match &item.kind {
        ItemKind::Block(block) => block.body.as_ref().map_or(item.span.end, |body| body.span.start),
        _ => item.span.end,
    };
    let start = declaration_start(item);
    let whole = text.get(start as usize..end as usize).unwrap_or_default().trim();
    let mut letters = whole.chars();
    let short: String = letters.by_ref().take(LONGEST).collect();
    if letters.next().is_some() { format!("{short}…") } else { short }
}

/// Where a declaration begins, its doc comment not included.
fn declaration_start(item: &Item) -> u32 {
    item.export.map_or(item.span.start, |export| export.start.min(item.span.start))
}

/// The page of a kind: how it is written, what it is, which fields it must have.
pub(crate) fn kind(kind: BlockKind) -> String {
    let row = spec(kind);
    let required: Vec<String> =
        row.fields.iter().filter(|field| field.required).map(|field| format!("`{}`", field.name)).collect();
    let mut doc = row.doc.to_owned();
    if !required.is_empty() {
        doc.push_str(&format!("\n\nRequired: {}.", required.join(", ")));
    }
    with_doc(&code(&shape(kind)), &doc)
}

/// How a block of a kind is written.
pub(crate) fn shape(kind: BlockKind) -> String {
    let row = spec(kind);
    let keyword = kind.keyword();
    match row.head {
        Head::None => format!("{keyword} {{ … }}"),
        Head::Name => format!("{keyword} NAME {{ … }}"),
        Head::OptionalName => format!("{keyword} [NAME] {{ … }}"),
        Head::Phrase(parts) => parts.iter().fold(keyword.to_owned(), |text, part| match part {
            Part::Field(name) => format!("{text} {}", name.to_uppercase()),
            Part::Word(word) => format!("{text} {word}"),
            Part::Optional(word, name) => format!("{text} [{word} {}]", name.to_uppercase()),
        }),
    }
}

/// The line of a field: `quota: size`, with its default.
pub(crate) fn field_line(row: &FieldSpec) -> String {
    let ty = Ty::from(&row.ty);
    match row.default {
        Some(default) => format!("{}: {ty} = {default}", row.name),
        None => format!("{}: {ty}", row.name),
    }
}

/// The text about a field, without its line.
pub(crate) fn field_doc(kind: BlockKind, row: &FieldSpec) -> String {
    let mut facts = vec![format!("A field of `{}`", shown(kind))];
    if row.required {
        facts.push("required".to_owned());
    }
    if row.when == When::Early {
        facts.push("known while compiling".to_owned());
    }
    format!("{}\n\n{}.", row.doc, facts.join(", "))
}

fn field(kind: BlockKind, row: &FieldSpec) -> String {
    with_doc(&code(&field_line(row)), &field_doc(kind, row))
}

/// The text about a fact: what it is, and where that was read.
pub(crate) fn fact_doc(module: usize, fact: &Fact) -> String {
    let mut doc = fact.doc();
    let mut add = |text: String| doc.push_str(&format!("\n\n{text}"));
    if let Some(note) = fact.field("note") {
        add(format!("Note: {}", note.trim_matches('"')));
    }
    if let Some(source) = fact.field("source") {
        let date = fact.field("as_of").map(|date| format!(", {date}")).unwrap_or_default();
        let sure = fact.field("sure").map(|sure| format!(", certainty {sure}")).unwrap_or_default();
        add(format!("Source: {}{date}{sure}", source.trim_matches('"')));
    }
    if let Some((name, _)) = facts::source(module) {
        add(format!("From `std.{name}`."));
    }
    doc.trim().to_owned()
}

fn of_fact(module: usize, fact: &Fact) -> String {
    let line = match fact.text.split_once('{') {
        Some((head, _)) if !head.contains('=') => head.trim(),
        _ => fact.text.lines().next().unwrap_or_default(),
    };
    with_doc(&code(line), &fact_doc(module, fact))
}

/// The text about a function, without its signature.
pub(crate) fn function_doc(function: &Builtin) -> String {
    let (expression, result) = function.example;
    let late = if function.at_deployment() { "" } else { " Its arguments must be known while compiling." };
    format!("{}{late}\n\nExample: `{expression}` is `{result}`.", function.doc)
}

fn function(function: &Builtin) -> String {
    with_doc(&code(function.signature), &function_doc(function))
}
