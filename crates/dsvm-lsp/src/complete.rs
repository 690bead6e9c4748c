//! A place in a document → what can be written there.

use crate::arm;
use crate::context::{Spot, context_from};
use crate::describe;
use crate::facts;
use crate::occurrences::{element, kind_of_symbol, kinds, plural, words};
use crate::position::Lines;
use crate::server::State;
use crate::symbols::matches;
use crate::view::{Meaning, ModuleRef, Symbol, View};
use dsvm_sema::builtins;
use dsvm_sema::table::{BlockKind, FieldType, Head, Part, classes, kinds_at_top_level, shown, spec};
use dsvm_syntax::ast::ItemKind;
use dsvm_syntax::{Lexeme, lexemes};
use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionList, CompletionTextEdit, Documentation, MarkupContent, MarkupKind,
    Position, Range, TextEdit,
};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// Declarations that are no blocks, with what they declare.
const DECLARATIONS: &[(&str, &str)] = &[
    ("import", "Names of the standard library, or of another file."),
    ("param", "A value that is given at deployment, or by an env."),
    ("secret param", "A value that is given at deployment and never shown."),
    ("env", "One set of values of the parameters."),
    ("let", "A name for a value."),
    ("fn", "A function whose body is one expression."),
    ("type", "A name for a type."),
    ("check", "A rule of the team's own."),
    ("output", "A value that the deployment returns."),
    ("rule", "What a team demands of the blocks of every project that imports the file."),
    ("test", "What the project must give, for `dsvmc test`."),
    ("export", "Other files can import what is declared."),
    ("existing", "The block exists already and is only referred to."),
];

/// How near what is offered is to what is wanted: the order of the list.
#[derive(Clone, Copy)]
enum Rank {
    /// Of the type that is wanted.
    Wanted,
    /// A name of the project.
    Name,
    /// A function, a module.
    Other,
}

struct Offers {
    range: Range,
    items: Vec<CompletionItem>,
    seen: BTreeSet<String>,
    /// What is written of the word, up to the place.
    typed: String,
    /// Something was left out, because too much can be written here.
    incomplete: bool,
}

/// Most names of a project that are offered at once. With more, only those are that what is written so far can become,
/// and the editor asks again for each letter.
const MOST: usize = 300;

impl Offers {
    /// Whether a name of so many has no room in the list; known before anything is said about it.
    fn is_left_out(&mut self, label: &str, of: usize) -> bool {
        let out = of > MOST && (self.items.len() >= MOST || !matches(label, &self.typed));
        self.incomplete |= of > MOST;
        out
    }

    fn add(&mut self, label: &str, kind: CompletionItemKind, rank: Rank, detail: &str, doc: &str) {
        self.add_as(label, label, kind, rank, detail, doc);
    }

    fn add_as(&mut self, label: &str, text: &str, kind: CompletionItemKind, rank: Rank, detail: &str, doc: &str) {
        if !self.seen.insert(label.to_owned()) {
            return;
        }
        let doc = doc.trim();
        self.items.push(CompletionItem {
            label: label.to_owned(),
            kind: Some(kind),
            detail: (!detail.is_empty()).then(|| detail.to_owned()),
            documentation: (!doc.is_empty()).then(|| {
                Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value: doc.to_owned() })
            }),
            sort_text: Some(format!("{}{:05}", rank as u8, self.items.len())),
            text_edit: Some(CompletionTextEdit::Edit(TextEdit { range: self.range, new_text: text.to_owned() })),
            ..CompletionItem::default()
        });
    }
}

pub(crate) fn complete(state: &mut State, path: &Path, position: Position) -> CompletionList {
    let Some(view) = View::of(state, path) else { return CompletionList::default() };
    let Some(at) = view.file(path) else { return CompletionList::default() };
    let Some(file) = view.files.get(at) else { return CompletionList::default() };
    let lines = Lines::new(&file.text, state.encoding);
    let offset = lines.offset(position);
    let from = state.trees.parsed(path, &file.text).start_of(offset);
    let here = context_from(&file.text, from, offset);
    let range = Range::new(lines.position(here.start), lines.position(here.end.max(offset)));
    let typed = file.text.get(here.start..offset).unwrap_or_default().to_owned();
    let mut offers = Offers { range, items: Vec::new(), seen: BTreeSet::new(), typed, incomplete: false };
    let scope = Scope { view: &view, module: file.module };
    arms_own(&file.text, from, offset, &lines, &mut offers);
    match here.spot {
        Spot::Declaration => declarations(&mut offers),
        Spot::Entry(kind) => entries(kind, &file.text, here.body, here.start, &mut offers),
        Spot::Value(field) => {
            let ty = field.and_then(|(kind, name)| spec(kind).field(&name)).map(|field| &field.ty);
            let ty = ty.map(|ty| element(ty).unwrap_or(ty));
            scope.values(ty, &mut offers);
        }
        Spot::Phrase(kind) => scope.phrase(kind, &mut offers),
        Spot::Member(name) => scope.members(&name, &mut offers),
        Spot::Module => {
            let dotted = file.text.get(..here.start).is_some_and(|before| before.trim_end().ends_with('.'));
            for (module, (name, _)) in dsvm_stdlib::MODULES.iter().enumerate() {
                let text = if dotted { (*name).to_owned() } else { format!("std.{name}") };
                offers.add(&text, CompletionItemKind::MODULE, Rank::Wanted, "", &facts::module_doc(module));
            }
        }
        Spot::Exported => scope.exported_around(at, offset, &mut offers),
        Spot::Class(kind) => {
            for class in classes(kind) {
                let of = dsvm_sema::table::kind_in(kind.keyword(), Some(class), None).unwrap_or(kind);
                offers.add(class, CompletionItemKind::ENUM_MEMBER, Rank::Wanted, "", spec(of).doc);
            }
        }
        Spot::Type => scope.types(&mut offers),
        Spot::Param => scope.params(&mut offers),
        Spot::Env => {
            for item in view.files.iter().flat_map(|file| &file.tree.items) {
                if let ItemKind::Env(env) = &item.kind {
                    let doc = item.doc.as_deref().unwrap_or_default();
                    offers.add(&env.name.value, CompletionItemKind::ENUM_MEMBER, Rank::Wanted, "env", doc);
                }
            }
        }
        Spot::TestEntry => {
            for (word, text, doc) in [
                ("env", "env = ", "The env whose values count."),
                ("as_of", "as_of = ", "The day that retirement dates are compared with."),
                ("live", "live = ", "A file with the resources that exist."),
                ("given", "given { ", "Values of parameters, in place of those of the env."),
                ("expect", "expect ", "What must hold."),
            ] {
                offers.add_as(word, text, CompletionItemKind::KEYWORD, Rank::Wanted, "", doc);
            }
        }
        Spot::Nothing => {}
    }
    CompletionList { is_incomplete: offers.incomplete, items: offers.items }
}

/// What Resource Manager itself has words for, in `resource` and `override`: they come before all others.
fn arms_own(text: &str, from: usize, offset: usize, lines: &Lines<'_>, offers: &mut Offers) {
    let Some(arm::Offered { start, end, offers: all }) = arm::offered(text, from, offset) else { return };
    let others = std::mem::replace(&mut offers.range, lines.range(start, end.max(offset)));
    for offer in all {
        let rank = if offer.required || !offer.is_property { Rank::Wanted } else { Rank::Name };
        let kind = if offer.is_property { CompletionItemKind::PROPERTY } else { CompletionItemKind::ENUM_MEMBER };
        // Editors filter by what stands there, the quotes included.
        offers.add_as(&offer.label, &offer.text, kind, rank, &offer.detail, "");
        if offer.text.starts_with('"')
            && let Some(item) = offers.items.last_mut()
        {
            item.filter_text = Some(offer.text);
        }
    }
    offers.range = others;
}

fn declarations(offers: &mut Offers) {
    for kind in kinds_at_top_level() {
        offers.add(kind.keyword(), CompletionItemKind::KEYWORD, Rank::Wanted, &describe::shape(kind), spec(kind).doc);
    }
    for (word, doc) in DECLARATIONS {
        offers.add(word, CompletionItemKind::KEYWORD, Rank::Name, "", doc);
    }
}

/// The fields that a body does not have yet, and the blocks that can be in it once more.
fn entries(kind: BlockKind, text: &str, body: usize, word: usize, offers: &mut Offers) {
    let written = written(text, body, word);
    let row = spec(kind);
    for field in row.fields.iter().filter(|field| !written.iter().any(|name| name == field.name)) {
        let rank = if field.required { Rank::Wanted } else { Rank::Name };
        let doc = describe::field_doc(kind, field);
        let text = format!("{} = ", field.name);
        offers.add_as(field.name, &text, CompletionItemKind::FIELD, rank, &describe::field_line(field), &doc);
    }
    for (child, most) in row.children {
        let there = written.iter().filter(|name| *name == child.keyword()).count();
        if *most == 0 || (there as u32) < *most {
            let doc = spec(*child).doc;
            offers.add(child.keyword(), CompletionItemKind::CLASS, Rank::Other, &describe::shape(*child), doc);
        }
    }
}

/// The first words of the entries of a body, but not the one that is being written.
fn written(text: &str, body: usize, word: usize) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0usize;
    let mut first = true;
    for (kind, start, end) in lexemes(text.get(body..).unwrap_or_default()) {
        let (start, end) = (start + body, end + body);
        match kind {
            Lexeme::Open => depth += 1,
            Lexeme::Close if depth == 0 => break,
            Lexeme::Close => depth -= 1,
            Lexeme::Newline => first = first || depth == 0,
            Lexeme::Comment => {}
            Lexeme::Sign if depth == 0 && text.get(start..end) == Some(",") => first = true,
            Lexeme::Word if depth == 0 && first => {
                first = false;
                if start != word {
                    names.extend(text.get(start..end).map(str::to_owned));
                }
            }
            _ => first = first && depth > 0,
        }
    }
    names
}

/// The names that are known in a file.
struct Scope<'v> {
    view: &'v View,
    module: usize,
}

impl Scope<'_> {
    fn names(&self) -> impl Iterator<Item = (&Arc<str>, &Meaning)> {
        self.view.modules.get(self.module).into_iter().flatten()
    }

    /// What a type takes first, then all that can be part of an expression.
    fn values(&self, ty: Option<&FieldType>, offers: &mut Offers) {
        if let Some(ty) = ty {
            self.wanted(ty, offers);
        }
        for (name, _) in self.names() {
            self.name(name, Rank::Name, offers);
        }
        for function in builtins::all() {
            let text = format!("{}(", function.name);
            let doc = describe::function_doc(function);
            let kind = CompletionItemKind::FUNCTION;
            offers.add_as(function.name, &text, kind, Rank::Other, function.signature, &doc);
        }
        let mut sizes = Vec::new();
        if let Some(ty) = ty {
            kinds(ty, &mut sizes);
        }
        let rank = if sizes.contains(&BlockKind::Size) { Rank::Name } else { Rank::Other };
        for chooser in &builtins::CHOOSERS {
            let text = format!("{}(", chooser.name);
            offers.add_as(chooser.name, &text, CompletionItemKind::FUNCTION, rank, chooser.signature, chooser.doc);
        }
    }

    fn wanted(&self, ty: &FieldType, offers: &mut Offers) {
        let mut some = Vec::new();
        words(ty, &mut some);
        if matches!(ty, FieldType::Bool) {
            some.extend(["true", "false"]);
        }
        for word in some {
            offers.add(word, CompletionItemKind::ENUM_MEMBER, Rank::Wanted, "", "");
        }
        let mut of = Vec::new();
        kinds(ty, &mut of);
        if matches!(ty, FieldType::Condition) {
            of.push(BlockKind::Metric);
        }
        for kind in of {
            self.of_kind(kind, offers);
        }
    }

    /// The blocks of a kind: those of the project, then those of the standard library.
    fn of_kind(&self, kind: BlockKind, offers: &mut Offers) {
        for (name, meaning) in self.names() {
            let symbol = self.view.symbol(ModuleRef::Own(self.module), name);
            if symbol.is_some_and(|symbol| self.is_a(&symbol, kind)) {
                self.name(name, Rank::Wanted, offers);
            }
            if let Meaning::Module(ModuleRef::Own(other)) = meaning {
                for inner in self.exports(*other) {
                    let symbol = Symbol::Declared(*other, inner.clone());
                    if self.is_a(&symbol, kind) {
                        self.symbol(&format!("{name}.{inner}"), &symbol, Rank::Wanted, offers);
                    }
                }
            }
        }
        let Some(module) = facts::module(&plural(kind)) else { return };
        let imported = self.names().find_map(|(name, meaning)| {
            matches!(meaning, Meaning::Module(ModuleRef::Library(at)) if *at == module).then(|| name.to_string())
        });
        for fact in facts::exported(module).filter(|fact| fact.keyword == kind.keyword() && !fact.is_gone()) {
            // Without the import a fact is known by its bare name where its kind is wanted.
            let label = imported.as_ref().map_or_else(|| fact.name.to_owned(), |name| format!("{name}.{}", fact.name));
            self.symbol(&label, &Symbol::Library(module, Arc::from(fact.name)), Rank::Wanted, offers);
        }
    }

    fn is_a(&self, symbol: &Symbol, kind: BlockKind) -> bool {
        kind_of_symbol(self.view, symbol) == Some(kind) && !matches!(symbol, Symbol::Kind(_))
    }

    /// The names that a module of the project exports.
    fn exports(&self, module: usize) -> Vec<Arc<str>> {
        let names = self.view.modules.get(module).into_iter().flatten();
        let exported =
            names.filter(|(name, _)| self.view.declared(module, name).is_some_and(|(_, item)| item.export.is_some()));
        exported.map(|(name, _)| name.clone()).collect()
    }

    fn name(&self, name: &Arc<str>, rank: Rank, offers: &mut Offers) {
        let all = self.view.modules.get(self.module).map_or(0, std::collections::BTreeMap::len);
        if offers.is_left_out(name, all) {
            return;
        }
        if let Some(symbol) = self.view.symbol(ModuleRef::Own(self.module), name) {
            self.symbol(name, &symbol, rank, offers);
        }
    }

    fn symbol(&self, label: &str, symbol: &Symbol, rank: Rank, offers: &mut Offers) {
        let (kind, detail, doc) = match symbol {
            Symbol::Declared(module, name) => {
                let Some((file, item)) = self.view.declared(*module, name) else { return };
                let kind = match &item.kind {
                    ItemKind::Fn(_) => CompletionItemKind::FUNCTION,
                    ItemKind::Block(_) => CompletionItemKind::REFERENCE,
                    // A type is no value.
                    ItemKind::Type(_) => return,
                    _ => CompletionItemKind::VARIABLE,
                };
                let text = self.view.files.get(file).map_or("", |file| &file.text);
                let line = describe::heading(text, item);
                let line = line.lines().next().unwrap_or_default().to_owned();
                (kind, line, item.doc.as_deref().unwrap_or_default().to_owned())
            }
            Symbol::Library(module, name) => {
                let Some(fact) = facts::fact(*module, name) else { return };
                let doc = describe::fact_doc(*module, fact);
                (CompletionItemKind::CONSTANT, format!("{} {}", fact.keyword, fact.name), doc)
            }
            Symbol::Module(target) => {
                let doc = match target {
                    ModuleRef::Library(module) => facts::module_doc(*module),
                    ModuleRef::Own(_) => String::new(),
                };
                (CompletionItemKind::MODULE, String::new(), doc)
            }
            _ => return,
        };
        let rank = if matches!(symbol, Symbol::Module(_)) { Rank::Other } else { rank };
        offers.add(label, kind, rank, &detail, &doc);
    }

    /// What can follow in the head of a block that is a phrase.
    fn phrase(&self, kind: BlockKind, offers: &mut Offers) {
        let Head::Phrase(parts) = spec(kind).head else { return };
        for part in parts {
            let (word, field) = match part {
                Part::Field(field) => (None, Some(field)),
                Part::Word(word) => (Some(word), None),
                Part::Optional(word, field) => (Some(word), Some(field)),
            };
            if let Some(word) = word {
                offers.add(word, CompletionItemKind::KEYWORD, Rank::Name, "", "");
            }
            if let Some(ty) = field.and_then(|field| spec(kind).field(field)).map(|field| &field.ty) {
                self.wanted(element(ty).unwrap_or(ty), offers);
            }
        }
        for (name, _) in self.names() {
            self.name(name, Rank::Name, offers);
        }
    }

    fn members(&self, name: &str, offers: &mut Offers) {
        let symbol = self.view.symbol(ModuleRef::Own(self.module), name);
        match symbol {
            Some(Symbol::Module(ModuleRef::Library(module))) => {
                for fact in facts::exported(module).filter(|fact| !fact.is_gone()) {
                    self.symbol(fact.name, &Symbol::Library(module, Arc::from(fact.name)), Rank::Wanted, offers);
                }
            }
            Some(Symbol::Module(ModuleRef::Own(module))) => {
                for name in self.exports(module) {
                    self.symbol(&name, &Symbol::Declared(module, name.clone()), Rank::Wanted, offers);
                }
            }
            Some(symbol) => {
                if let Some(kind) = kind_of_symbol(self.view, &symbol) {
                    parts(kind, offers);
                }
            }
            None if name == "project" => parts(BlockKind::Project, offers),
            None => {}
        }
    }

    /// The names that the file of the import around a byte exports.
    fn exported_around(&self, file: usize, offset: usize, offers: &mut Offers) {
        let Some(known) = self.view.files.get(file) else { return };
        let after = known.text.get(offset..).unwrap_or_default();
        let from = after.split_once('}').map(|(_, rest)| rest.trim_start());
        let Some(from) = from.and_then(|rest| rest.strip_prefix("from")).map(str::trim_start) else { return };
        let target = match from.strip_prefix('"').and_then(|path| path.split_once('"')) {
            Some((path, _)) => self.view.imported_module(file, path),
            None => from
                .strip_prefix("std.")
                .and_then(|rest| rest.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').next())
                .and_then(facts::module)
                .map(ModuleRef::Library),
        };
        match target {
            Some(ModuleRef::Library(module)) => {
                for fact in facts::exported(module) {
                    self.symbol(fact.name, &Symbol::Library(module, Arc::from(fact.name)), Rank::Wanted, offers);
                }
            }
            Some(ModuleRef::Own(module)) => {
                for name in self.exports(module) {
                    self.symbol(&name, &Symbol::Declared(module, name.clone()), Rank::Wanted, offers);
                }
            }
            None => {}
        }
    }

    fn types(&self, offers: &mut Offers) {
        for (name, meaning) in self.names() {
            let Meaning::Declared { file, item } = meaning else { continue };
            if let Some(item) = self.view.item(*file, *item)
                && matches!(item.kind, ItemKind::Type(_))
            {
                let doc = item.doc.as_deref().unwrap_or_default();
                offers.add(name, CompletionItemKind::STRUCT, Rank::Wanted, "type", doc);
            }
        }
        for name in dsvm_sema::type_names() {
            offers.add(name, CompletionItemKind::STRUCT, Rank::Name, "", "");
        }
        for kind in kinds_at_top_level() {
            offers.add(kind.keyword(), CompletionItemKind::CLASS, Rank::Other, &shown(kind), spec(kind).doc);
        }
    }

    fn params(&self, offers: &mut Offers) {
        for module in 0..self.view.modules.len() {
            for name in self.view.modules.get(module).into_iter().flat_map(|names| names.keys()) {
                let Some((file, item)) = self.view.declared(module, name) else { continue };
                if !matches!(item.kind, ItemKind::Param(_)) {
                    continue;
                }
                let line = describe::heading(self.view.files.get(file).map_or("", |file| &file.text), item);
                let doc = item.doc.as_deref().unwrap_or_default();
                offers.add_as(name, &format!("{name} = "), CompletionItemKind::VARIABLE, Rank::Wanted, &line, doc);
            }
        }
    }
}

/// The fields and attributes of a kind.
fn parts(kind: BlockKind, offers: &mut Offers) {
    let row = spec(kind);
    for field in row.fields {
        let doc = describe::field_doc(kind, field);
        offers.add(field.name, CompletionItemKind::FIELD, Rank::Wanted, &describe::field_line(field), &doc);
    }
    for (name, ty, doc) in row.attributes {
        offers.add(name, CompletionItemKind::PROPERTY, Rank::Name, &format!("{name}: {ty}"), doc);
    }
}
