//! The standard library: files embedded in the program, indexed on first use, each item parsed when it is first needed.
//!
//! Shared by all projects of a process: ids of its files and modules are the same everywhere.

use super::load::{Def, DefKind, Module, ModuleId};
use super::parser;
use dsvm_diagnostics::source::{SourceFile, SourceId, Span};
use dsvm_stdlib::MODULES as TEXTS;
use dsvm_syntax::ast::{Block, Entry, ExprKind, Import, ImportFrom, ItemKind, StringPart};
use dsvm_syntax::index;
use rustc_hash::FxHashMap;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, OnceLock};

static FILES: LazyLock<Vec<SourceFile>> =
    LazyLock::new(|| TEXTS.iter().map(|(name, text)| SourceFile::new(format!("std.{name}"), *text)).collect());

static MODULES: LazyLock<Vec<OnceLock<Module>>> = LazyLock::new(|| TEXTS.iter().map(|_| OnceLock::new()).collect());

/// How many modules there are; their ids come before those of a project's files.
pub(crate) const COUNT: u32 = TEXTS.len() as u32;

/// The files, for a source map.
pub(crate) fn files() -> &'static [SourceFile] {
    &FILES
}

/// The module of this name.
pub(crate) fn find(name: &str) -> Option<ModuleId> {
    TEXTS.iter().position(|(module, _)| *module == name).map(|at| ModuleId(at as u32))
}

/// Names of all modules.
pub fn names() -> impl Iterator<Item = &'static str> {
    TEXTS.iter().map(|(name, _)| *name)
}

/// A module of the library.
pub(crate) fn module(id: ModuleId) -> Option<&'static Module> {
    let at = id.0 as usize;
    let cell = MODULES.get(at)?;
    let (name, text) = TEXTS.get(at)?;
    Some(cell.get_or_init(|| build(at as u32, name, text)))
}

fn build(at: u32, name: &str, text: &'static str) -> Module {
    let source = SourceId::library(at);
    let mut module = Module { name: Arc::from(format!("std.{name}")), library: true, ..Module::default() };
    for entry in index(text) {
        let span = Span::new(source, entry.start as u32, entry.end as u32);
        if entry.keyword == "import" {
            if let Some(ItemKind::Import(import)) = parser::item(source, text, &entry).map(|item| item.kind)
                && let Some((word, word_span)) = import_name(&import)
                && let ImportFrom::Module(path) = &import.from
            {
                let id = path.last().and_then(|last| find(&last.value));
                let kind = id.map_or(DefKind::Missing, DefKind::Namespace);
                module.define(Def::new(word, word_span, span, kind), &mut |_, _| {});
            }
            continue;
        }
        let kind = DefKind::Lazy { text, entry, cell: OnceLock::new() };
        let mut def = Def::new(entry.name.into(), span, span, kind);
        def.export = entry.exported;
        module.define(def, &mut |_, _| {});
    }
    module
}

/// The name under which an import is known in the importing file.
pub(crate) fn import_name(import: &Import) -> Option<(Arc<str>, Span)> {
    if let Some(alias) = &import.alias {
        return Some((alias.value.clone(), alias.span));
    }
    match &import.from {
        ImportFrom::Module(path) => path.last().map(|word| (word.value.clone(), word.span)),
        ImportFrom::Path(path) => {
            let file = path.value.rsplit('/').next().unwrap_or_default();
            let data = || file.rsplit_once('.').filter(|_| dsvm_data::format_of(file).is_some()).map(|(stem, _)| stem);
            let stem = file.strip_suffix(".dsvm").or_else(data).unwrap_or(file);
            (!stem.is_empty()).then(|| (Arc::from(stem), path.span))
        }
    }
}

/// The name of a built-in role by the id of its definition, in whatever letter case.
#[must_use]
pub fn role_name(id: &str) -> Option<&'static str> {
    static NAMES: LazyLock<HashMap<String, String>> = LazyLock::new(role_names);
    NAMES.get(&id.to_ascii_lowercase()).map(String::as_str)
}

fn role_names() -> HashMap<String, String> {
    let Some((at, (_, text))) = TEXTS.iter().enumerate().find(|(_, (name, _))| *name == "roles") else {
        return HashMap::new();
    };
    let source = SourceId::library(at as u32);
    let declared = index(text).into_iter().filter_map(|entry| match parser::item(source, text, &entry)?.kind {
        ItemKind::Block(block) => Some((plain_field(&block, "id")?.to_ascii_lowercase(), plain_field(&block, "name")?)),
        _ => None,
    });
    declared.collect()
}

/// Size of the system disk of a Marketplace image in GiB, where the library knows the image.
#[must_use]
pub fn image_disk(publisher: &str, offer: &str, sku: &str) -> Option<u32> {
    static DISKS: LazyLock<HashMap<String, u32>> = LazyLock::new(image_disks);
    DISKS.get(&[publisher, offer, sku].join("/").to_ascii_lowercase()).copied()
}

fn image_disks() -> HashMap<String, u32> {
    let Some((at, (_, text))) = TEXTS.iter().enumerate().find(|(_, (name, _))| *name == "images") else {
        return HashMap::new();
    };
    let source = SourceId::library(at as u32);
    let declared = index(text).into_iter().filter_map(|entry| match parser::item(source, text, &entry)?.kind {
        ItemKind::Block(block) => {
            let name = [plain_field(&block, "publisher")?, plain_field(&block, "offer")?, plain_field(&block, "sku")?];
            Some((name.join("/").to_ascii_lowercase(), gib_field(&block, "os_disk")?))
        }
        _ => None,
    });
    declared.collect()
}

/// A field that is a number of GiB.
fn gib_field(block: &Block, name: &str) -> Option<u32> {
    block.body.as_ref()?.entries.iter().find_map(|entry| match entry {
        Entry::Field(field) if &*field.name.value == name => match &field.value.kind {
            ExprKind::Quantity(number, unit) if &*unit.value == "GiB" => number.parse().ok(),
            _ => None,
        },
        _ => None,
    })
}

/// A field that is a plain text.
fn plain_field(block: &Block, name: &str) -> Option<String> {
    let body = block.body.as_ref()?;
    body.entries.iter().find_map(|entry| match entry {
        Entry::Field(field) if &*field.name.value == name => match &field.value.kind {
            ExprKind::String(parts) => match parts.as_slice() {
                [StringPart::Text(text)] => Some(text.to_string()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    })
}

/// Names of a module, each with the index of its definition.
pub(crate) type Names = FxHashMap<Arc<str>, u32>;
