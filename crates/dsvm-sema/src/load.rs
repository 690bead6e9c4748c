//! Files of a project → program: every file that is imported is read and parsed once, its names listed.
//!
//! Reads nothing itself: the caller supplies a reader. Promises that every import leads to a module or was reported.

use super::diags;
use super::given::ProvidedValue;
use super::library::{self, Names, import_name};
use super::parser;
use super::table::suggest;
use dsvm_data::{Data, Format};
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::{SourceFile, SourceId, SourceMap, Span};
use dsvm_prices::Prices;
use dsvm_syntax::IndexItem;
use dsvm_syntax::allow::Allowance;
use dsvm_syntax::ast::{self, Import, ImportFrom, Item, ItemKind};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// Identifies a module: those of the standard library first, then those of the project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ModuleId(pub(crate) u32);

/// Position of a definition in the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct DefId {
    pub(crate) module: ModuleId,
    pub(crate) index: u32,
}

/// What a name refers to.
#[derive(Debug)]
pub(crate) enum DefKind {
    /// A declaration of a project's file.
    Item(Box<Item>),
    /// A declaration of the library, parsed on first use.
    Lazy { text: &'static str, entry: IndexItem<'static>, cell: OnceLock<Option<Box<Item>>> },
    /// An imported module, whose names are reached through it.
    Namespace(ModuleId),
    /// A name that was imported from a module.
    Alias(ModuleId, Arc<str>),
    /// The values of an imported data file.
    Data(Box<DataDef>),
    /// An import that was reported; everything that touches it stays quiet.
    Missing,
}

/// A data file as it is imported somewhere.
#[derive(Debug)]
pub(crate) struct DataDef {
    /// The type that its values have.
    pub(crate) ty: ast::Type,
    /// Where the path is written.
    pub(crate) import: Span,
    pub(crate) format: Format,
    pub(crate) data: Arc<Data>,
}

/// A name of a module.
#[derive(Debug)]
pub(crate) struct Def {
    pub(crate) name: Arc<str>,
    pub(crate) name_span: Span,
    pub(crate) span: Span,
    pub(crate) export: bool,
    pub(crate) kind: DefKind,
}

impl Def {
    pub(crate) fn new(name: Arc<str>, name_span: Span, span: Span, kind: DefKind) -> Self {
        Self { name, name_span, span, export: false, kind }
    }

    /// The declaration itself; `None` for imports.
    pub(crate) fn item(&self) -> Option<&Item> {
        match &self.kind {
            DefKind::Item(item) => Some(item),
            DefKind::Lazy { text, entry, cell } => {
                cell.get_or_init(|| parser::item(self.span.source, text, entry).map(Box::new)).as_deref()
            }
            DefKind::Namespace(_) | DefKind::Alias(..) | DefKind::Data(_) | DefKind::Missing => None,
        }
    }

    /// Whether it is a pool that only holds what other pools share: without a class, and built on nothing.
    pub(crate) fn is_base(&self) -> bool {
        let DefKind::Item(item) = &self.kind else { return false };
        let ItemKind::Block(block) = &item.kind else { return false };
        &*block.keyword.value == super::table::BlockKind::Pool.keyword()
            && block.class.is_none()
            && block.base.is_none()
    }

    /// The keyword of a block, without parsing it.
    pub(crate) fn keyword(&self) -> Option<&str> {
        match &self.kind {
            DefKind::Lazy { entry, .. } => Some(entry.keyword),
            DefKind::Item(item) => match &item.kind {
                ItemKind::Block(block) => Some(&block.keyword.value),
                _ => None,
            },
            _ => None,
        }
    }
}

/// The names of one file, or of all files of a project that has several.
#[derive(Debug, Default)]
pub(crate) struct Module {
    pub(crate) name: Arc<str>,
    pub(crate) library: bool,
    pub(crate) defs: Vec<Def>,
    pub(crate) names: Names,
    /// `check`, `output`, `project`: declarations without a name that others can use.
    pub(crate) others: Vec<Item>,
    /// `env`, apart: the run of each env reads all of `others`.
    pub(crate) envs: Vec<Item>,
    /// `test`, apart: no run but that of tests reads them.
    pub(crate) tests: Vec<Item>,
    /// `rule`, apart: they hold for every project that imports the file.
    pub(crate) rules: Vec<Item>,
    /// Something could not be parsed: a name that seems unknown may be declared there.
    pub(crate) incomplete: bool,
}

impl Module {
    /// Adds a definition; a second one with the same name is passed to `duplicate` and not added.
    pub(crate) fn define(&mut self, def: Def, duplicate: &mut dyn FnMut(&Def, &Def)) {
        let index = self.defs.len() as u32;
        match self.names.get(&def.name).and_then(|first| self.defs.get(*first as usize)) {
            Some(first) => {
                duplicate(&def, first);
                let another = first.keyword() != def.keyword();
                let first = self.names.get(&def.name).and_then(|first| self.defs.get_mut(*first as usize));
                // Which of two different things a use means cannot be known: it stays quiet.
                if let Some(first) = first.filter(|_| another) {
                    first.kind = DefKind::Missing;
                }
            }
            None => {
                self.names.insert(def.name.clone(), index);
            }
        }
        self.defs.push(def);
    }

    /// What is declared in it.
    pub(crate) fn defs(&self) -> impl Iterator<Item = &Def> {
        self.defs.iter()
    }

    /// Names that other files may use.
    pub(crate) fn exported(&self) -> impl Iterator<Item = &str> {
        self.defs.iter().filter(|def| def.export).map(|def| &*def.name)
    }
}

/// Everything that one project consists of.
#[derive(Debug, Default)]
pub struct Program {
    /// Modules of the project: first its own files, then those that they import.
    modules: Vec<Module>,
    /// Values from outside the sources, and the env that they are for.
    given: Option<(Arc<str>, Vec<ProvidedValue>)>,
    /// Index of the env of a name in the first module; of two with one name, the first.
    envs: HashMap<Arc<str>, usize>,
    /// The first `location` that an env gives.
    pub(crate) env_location: Option<Span>,
    /// Comments of its files that allow findings.
    pub(crate) allowances: Vec<Allowance>,
    /// What `cheapest` compares; nothing when the settings about prices cannot be used.
    pub(crate) prices: ProjectPrices,
}

/// Where the prices of a project come from.
#[derive(Debug)]
pub(crate) enum ProjectPrices {
    /// Those of the program, or what its settings say.
    Known(Box<Prices>),
    /// Its settings have a mistake.
    Unusable,
}

impl Default for ProjectPrices {
    fn default() -> Self {
        Self::Known(Box::default())
    }
}

impl Program {
    /// The prices of the project, `None` when its settings about them cannot be used. Without this call those of the
    /// program count.
    pub fn set_prices(&mut self, prices: Option<Prices>) {
        self.prices = prices.map_or(ProjectPrices::Unusable, |prices| ProjectPrices::Known(Box::new(prices)));
    }

    /// Values that somebody gives at deployment: they count for one env (`""` when there are none) as if it had set them.
    pub fn give(&mut self, env: &str, values: Vec<ProvidedValue>) {
        self.given = Some((Arc::from(env), values));
    }

    pub(crate) fn given(&self, env: &str) -> &[ProvidedValue] {
        self.given.as_ref().filter(|(name, _)| &**name == env).map_or(&[], |(_, values)| values)
    }

    /// Whether its own files declare a project.
    #[must_use]
    pub fn declares_project(&self) -> bool {
        let mut others = self.modules.first().into_iter().flat_map(|module| &module.others);
        others.any(|item| matches!(&item.kind, ItemKind::Block(block) if &*block.keyword.value == "project"))
    }

    /// Whether its own files export something or hold rules: then other files can import them.
    #[must_use]
    pub fn exports(&self) -> bool {
        self.modules.first().is_some_and(|module| module.exported().next().is_some() || !module.rules.is_empty())
    }

    /// The tests of its own files.
    pub(crate) fn test_items(&self) -> impl Iterator<Item = &ast::Block> {
        self.modules.first().into_iter().flat_map(|module| &module.tests).filter_map(|item| match &item.kind {
            ItemKind::Block(block) => Some(&**block),
            _ => None,
        })
    }

    /// Replaces values of one env, as a test gives them. A project without envs gets one, which it returns the name of.
    pub fn override_env(&mut self, env: &str, values: &[(ast::Name, ast::Expr)]) -> Arc<str> {
        let Some(module) = self.modules.first_mut() else { return Arc::from(env) };
        let at = self.envs.get(env).copied();
        if let Some(ItemKind::Env(found)) = at.and_then(|at| module.envs.get_mut(at)).map(|item| &mut item.kind) {
            found.values.retain(|(name, _)| !values.iter().any(|(given, _)| given.value == name.value));
            found.values.extend(values.iter().cloned());
            return Arc::from(env);
        }
        let Some((first, _)) = values.first() else { return Arc::from(env) };
        let name = ast::Name { value: Arc::from(super::testing::KEYWORD), span: first.span };
        let made = ast::Env { name: name.clone(), values: values.to_vec(), incomplete: false };
        self.envs.insert(name.value.clone(), module.envs.len());
        module.envs.push(Item { doc: None, export: None, span: first.span, kind: ItemKind::Env(made) });
        name.value
    }

    /// The env of a name.
    pub(crate) fn env_item(&self, name: &str) -> Option<(&Item, &ast::Env)> {
        let item = self.modules.first()?.envs.get(*self.envs.get(name)?)?;
        match &item.kind {
            ItemKind::Env(env) => Some((item, env)),
            _ => None,
        }
    }

    /// Names of the envs, in source order.
    pub fn envs(&self) -> impl Iterator<Item = &Arc<str>> {
        self.env_items().map(|(_, env)| &env.name.value)
    }

    pub(crate) fn env_items(&self) -> impl Iterator<Item = (&Item, &ast::Env)> {
        self.modules.first().into_iter().flat_map(|module| &module.envs).filter_map(|item| match &item.kind {
            ItemKind::Env(env) => Some((item, env)),
            _ => None,
        })
    }

    /// The module of the project's own files.
    pub(crate) fn main(&self) -> ModuleId {
        ModuleId(library::COUNT)
    }

    pub(crate) fn module(&self, id: ModuleId) -> Option<&Module> {
        match id.0.checked_sub(library::COUNT) {
            Some(at) => self.modules.get(at as usize),
            None => library::module(id),
        }
    }

    /// Modules that belong to the project, with their ids.
    pub(crate) fn own_modules(&self) -> impl Iterator<Item = (ModuleId, &Module)> {
        self.modules.iter().enumerate().map(|(at, module)| (ModuleId(library::COUNT + at as u32), module))
    }

    pub(crate) fn def(&self, id: DefId) -> Option<&Def> {
        self.module(id.module)?.defs.get(id.index as usize)
    }

    /// What a name means in a module; imported names lead to where they are declared.
    pub(crate) fn lookup(&self, module: ModuleId, name: &str) -> Option<(DefId, DefId)> {
        let index = *self.module(module)?.names.get(name)?;
        let here = DefId { module, index };
        match &self.def(here)?.kind {
            DefKind::Alias(from, original) => {
                let index = *self.module(*from)?.names.get(original)?;
                Some((here, DefId { module: *from, index }))
            }
            _ => Some((here, here)),
        }
    }
}

/// Why a file that is imported has no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoText {
    /// There is no such file, or it cannot be read.
    Missing,
    /// Links resolved, it is not below the folder that the project may import from.
    Outside,
    /// A folder, a device, a pipe: reading it may never end, or have an effect.
    Special,
    /// Larger than a source file can be.
    TooLarge,
}

/// Reads imported files: the path as people see it → the text.
pub type Reader<'a> = dyn FnMut(&str) -> Result<String, NoText> + 'a;

/// Blocks with names in quotes, which no expression refers to.
const OUTSIDE: [&str; 2] = [super::testing::KEYWORD, super::rules::KEYWORD];

/// How the names of all source files end.
const EXTENSION: &str = ".dsvm";

/// Whether a file that an import leads to may be read for the path that is written: a source file for a source file, data
/// of one format for data of it. A link must not make a key file a table.
#[must_use]
pub fn same_sort(file: &str, written: &str) -> bool {
    match dsvm_data::format_of(written) {
        Some(format) => dsvm_data::format_of(file) == Some(format),
        None => file.ends_with(EXTENSION),
    }
}

/// Whether a path is that of a data file.
#[must_use]
pub fn is_data(path: &str) -> bool {
    dsvm_data::format_of(path).is_some()
}

/// How the names of files end that an import can name, without the dot.
pub fn extensions() -> impl Iterator<Item = &'static str> {
    std::iter::once("dsvm").chain(dsvm_data::extensions())
}

struct Loader<'a> {
    sources: &'a mut SourceMap,
    read: &'a mut Reader<'a>,
    sink: &'a mut Sink,
    modules: Vec<Module>,
    by_path: HashMap<Arc<str>, ModuleId>,
    /// Data files that were read; nothing when one was reported.
    data: HashMap<Arc<str>, Option<Arc<Data>>>,
    /// Files that are being loaded, with the place of the import that led to each.
    open: Vec<(Arc<str>, Span)>,
}

/// Loads a project: `roots` are its own files (already in `sources`), `read` gives the text of a file by its path as
/// people see it (relative to the working directory, forward slashes), or why it gives none.
pub fn load<'a>(
    roots: &[SourceId],
    sources: &'a mut SourceMap,
    read: &'a mut Reader<'a>,
    sink: &'a mut Sink,
) -> Program {
    sources.set_library(library::files());
    let mut loader = Loader {
        sources,
        read,
        sink,
        modules: vec![Module::default()],
        by_path: HashMap::new(),
        data: HashMap::new(),
        open: Vec::new(),
    };
    let main = ModuleId(library::COUNT);
    for root in roots {
        let Some(file) = loader.sources.get(*root).cloned() else { continue };
        let nowhere = Span::new(*root, 0, 0);
        loader.by_path.insert(file.name.clone(), main);
        loader.open.push((file.name.clone(), nowhere));
        if let Some(module) = loader.modules.first_mut() {
            module.name = file.name.clone();
        }
        loader.file(main, *root, &file);
        loader.open.pop();
    }
    let modules = loader.modules;
    let allowances = sources.iter().flat_map(|(source, file)| dsvm_syntax::allow::allowances(source, &file.text));
    let mut program = Program { modules, allowances: allowances.collect(), ..Program::default() };
    for (at, item) in program.modules.first().into_iter().flat_map(|module| module.envs.iter().enumerate()) {
        if let ItemKind::Env(env) = &item.kind {
            program.envs.entry(env.name.value.clone()).or_insert(at);
            let mut names = env.values.iter().map(|(name, _)| name);
            let location = names.find(|name| &*name.value == super::params::LOCATION);
            program.env_location = program.env_location.or(location.map(|name| name.span));
        }
    }
    program
}

impl Loader<'_> {
    fn file(&mut self, module: ModuleId, source: SourceId, file: &SourceFile) {
        let parsed = parser::parse(source, &file.text, self.sink);
        if let Some(at) = module.0.checked_sub(library::COUNT)
            && let Some(module) = self.modules.get_mut(at as usize)
        {
            module.incomplete |= parsed.incomplete;
        }
        for item in parsed.items {
            self.item(module, &file.name, item);
        }
    }

    fn define(&mut self, module: ModuleId, def: Def) {
        let sink = &mut *self.sink;
        let Some(at) = module.0.checked_sub(library::COUNT) else { return };
        if let Some(module) = self.modules.get_mut(at as usize) {
            module.define(def, &mut |second, first| {
                sink.push(diags::duplicate_name(&second.name, second.name_span, first.name_span));
            });
        }
    }

    fn item(&mut self, module: ModuleId, path: &str, item: Item) {
        let (name, name_span) = match &item.kind {
            ItemKind::Import(import) => {
                let import = import.clone();
                return self.import(module, path, &import, item.span);
            }
            ItemKind::Param(param) => (param.name.value.clone(), param.name.span),
            ItemKind::Let(constant) => (constant.name.value.clone(), constant.name.span),
            ItemKind::Fn(function) => (function.name.value.clone(), function.name.span),
            ItemKind::Type(ty) => (ty.name.value.clone(), ty.name.span),
            ItemKind::Block(block) if OUTSIDE.contains(&&*block.keyword.value) => {
                return self.other(module, item);
            }
            ItemKind::Block(block) if &*block.keyword.value != "project" => match super::head::block_name(block) {
                Some(name) => (name.value, name.span),
                None => return self.other(module, item),
            },
            _ => return self.other(module, item),
        };
        let mut def = Def::new(name, name_span, item.span, DefKind::Missing);
        def.export = item.export.is_some();
        def.kind = DefKind::Item(Box::new(item));
        self.define(module, def);
    }

    fn other(&mut self, module: ModuleId, item: Item) {
        let Some(at) = module.0.checked_sub(library::COUNT) else { return };
        if let Some(module) = self.modules.get_mut(at as usize) {
            match &item.kind {
                ItemKind::Env(_) => module.envs.push(item),
                ItemKind::Block(block) if &*block.keyword.value == super::testing::KEYWORD => module.tests.push(item),
                ItemKind::Block(block) if &*block.keyword.value == super::rules::KEYWORD => module.rules.push(item),
                _ => module.others.push(item),
            }
        }
    }

    fn import(&mut self, module: ModuleId, path: &str, import: &Import, span: Span) {
        if let ImportFrom::Path(file) = &import.from
            && let Some(format) = dsvm_data::format_of(&file.value)
        {
            return self.data_import(module, path, import, file, format, span);
        }
        if let Some(ty) = &import.ty {
            let from = import_name(import).map_or(ty.span, |(_, name)| name);
            self.sink.push(diags::type_of_no_data(ty.span, Span { start: from.end, ..ty.span }));
        }
        let target = match &import.from {
            ImportFrom::Module(words) => self.library_module(words),
            ImportFrom::Path(file) => self.imported_file(path, &file.value, file.span),
        };
        if import.names.is_empty() {
            if let Some((name, name_span)) = import_name(import) {
                let kind = target.map_or(DefKind::Missing, DefKind::Namespace);
                self.define(module, Def::new(name, name_span, span, kind));
                self.define_meant(module, import, name_span, span);
            }
            return;
        }
        for name in &import.names {
            let kind = match target {
                Some(target) if self.exports(target, name) => DefKind::Alias(target, name.value.clone()),
                _ => DefKind::Missing,
            };
            self.define(module, Def::new(name.value.clone(), name.span, name.span, kind));
        }
    }

    /// After `import std.size` the program says `sizes.…`: the import was reported, its uses need not be.
    fn define_meant(&mut self, module: ModuleId, import: &Import, name_span: Span, span: Span) {
        let meant = match &import.from {
            _ if import.alias.is_some() => None,
            ImportFrom::Module(words) => words.last().and_then(|last| {
                let known = library::names().any(|name| name == &*last.value);
                suggest(&last.value, library::names()).filter(|_| !known)
            }),
            ImportFrom::Path(path) => quoted_module(&path.value),
        };
        if let Some(meant) = meant {
            self.define(module, Def::new(Arc::from(meant), name_span, span, DefKind::Missing));
        }
    }

    fn library_module(&mut self, words: &[ast::Name]) -> Option<ModuleId> {
        let shown: Vec<&str> = words.iter().map(|word| &*word.value).collect();
        let found = match shown.as_slice() {
            ["std", name] => library::find(name),
            _ => None,
        };
        if found.is_none() {
            let span = words.first().zip(words.last()).map(|(first, last)| first.span.to(last.span))?;
            let last = shown.last().copied().unwrap_or_default();
            let meant = suggest(last, library::names()).or_else(|| library::names().find(|name| *name == last));
            self.sink.push(diags::unknown_module(&shown.join("."), span, meant));
        }
        found
    }

    fn imported_file(&mut self, importer: &str, written: &str, span: Span) -> Option<ModuleId> {
        if let Some(module) = quoted_module(written) {
            self.sink.push(diags::module_in_quotes(module, span));
            return None;
        }
        let path: Arc<str> = Arc::from(join(importer, written));
        if let Some(at) = self.open.iter().position(|(open, _)| *open == path) {
            let steps: Vec<(Arc<str>, Span)> = self.open.get(at..).unwrap_or_default().to_vec();
            self.sink.push(diags::import_cycle(&steps, &path, span));
            return None;
        }
        if let Some(module) = self.by_path.get(&path) {
            return Some(*module);
        }
        // Before anything is read: the messages about a file show lines of it.
        if !path.ends_with(EXTENSION) {
            self.sink.push(diags::import_of_other_file(&path, span));
            return None;
        }
        let text = self.text(&path, span)?;
        let file = SourceFile::new(path.clone(), text);
        let source = self.sources.add(file.clone());
        let module = ModuleId(library::COUNT + self.modules.len() as u32);
        self.modules.push(Module { name: path.clone(), ..Module::default() });
        self.by_path.insert(path.clone(), module);
        self.open.push((path, span));
        self.file(module, source, &file);
        self.open.pop();
        Some(module)
    }

    /// The text of an imported file; why there is none is reported.
    fn text(&mut self, path: &str, span: Span) -> Option<String> {
        let why = match (self.read)(path) {
            Ok(text) => return Some(text),
            Err(why) => why,
        };
        self.sink.push(match why {
            NoText::Missing => diags::unknown_file(path, span),
            NoText::Outside => diags::import_outside(path, span),
            NoText::Special => diags::import_of_special_file(path, span),
            NoText::TooLarge => diags::import_too_large(path, span),
        });
        None
    }

    /// The name of a data file's values. They get their type when the name is evaluated.
    fn data_import(
        &mut self,
        module: ModuleId,
        path: &str,
        import: &Import,
        file: &ast::Name,
        format: Format,
        span: Span,
    ) {
        for name in &import.names {
            self.sink.push(diags::name_from_data(&file.value, name.span));
            self.define(module, Def::new(name.value.clone(), name.span, name.span, DefKind::Missing));
        }
        let Some((name, name_span)) = import_name(import).filter(|_| import.names.is_empty()) else { return };
        let word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        if !name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') || !name.chars().all(word) {
            self.sink.push(diags::data_without_name(&name, name_span));
            return;
        }
        let data = self.data_file(path, file, format);
        let kind = match (data, &import.ty) {
            (None, _) => DefKind::Missing,
            (Some(data), None) => {
                let end = import.alias.as_ref().map_or(file.span, |alias| alias.span);
                self.sink.push(diags::data_without_type(&name, file.span, end, &data.columns));
                DefKind::Missing
            }
            (Some(data), Some(ty)) => {
                DefKind::Data(Box::new(DataDef { ty: ty.clone(), import: file.span, format, data }))
            }
        };
        self.define(module, Def::new(name, name_span, span, kind));
    }

    fn data_file(&mut self, importer: &str, file: &ast::Name, format: Format) -> Option<Arc<Data>> {
        let path: Arc<str> = Arc::from(join(importer, &file.value));
        if let Some(known) = self.data.get(&path) {
            return known.clone();
        }
        let data = self.text(&path, file.span).and_then(|text| {
            let source_file = SourceFile::new(path.clone(), text);
            let text = source_file.text.clone();
            let source = self.sources.add(source_file);
            match dsvm_data::read(format, source, &text) {
                Ok(data) => Some(Arc::new(data)),
                Err(mistakes) => {
                    self.sink.extend(mistakes.into_iter().map(|mistake| diags::data_malformed(mistake, file.span)));
                    None
                }
            }
        });
        self.data.insert(path, data.clone());
        data
    }

    fn exports(&mut self, target: ModuleId, name: &ast::Name) -> bool {
        let module = match target.0.checked_sub(library::COUNT) {
            Some(at) => self.modules.get(at as usize),
            None => library::module(target),
        };
        let Some(module) = module else { return false };
        let def = module.names.get(&name.value).and_then(|index| module.defs.get(*index as usize));
        match def {
            Some(def) if def.export => true,
            Some(def) => {
                let diagnostic = diags::not_exported(&name.value, name.span, &module.name, def.span, module.library);
                self.sink.push(diagnostic);
                false
            }
            None => {
                let meant = suggest(&name.value, module.exported());
                self.sink.push(diags::unknown_export(&name.value, name.span, &module.name, meant));
                false
            }
        }
    }
}

/// The module that `"std.sizes"` means.
fn quoted_module(written: &str) -> Option<&'static str> {
    let module = written.strip_prefix("std.")?;
    library::names().find(|name| *name == module)
}

/// A path without `.` and without `..` after a folder, as imported files are named.
#[must_use]
pub fn plain_path(path: &str) -> String {
    join("", path)
}

/// The path of `written` as seen from the file `importer`.
fn join(importer: &str, written: &str) -> String {
    let folder = importer.rsplit_once('/').map_or("", |(folder, _)| folder);
    let absolute = written.starts_with('/') || (folder.starts_with('/') && !written.starts_with('/'));
    let mut parts: Vec<&str> = Vec::new();
    let from = if written.starts_with('/') { "" } else { folder };
    for part in from.split('/').chain(written.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let path = parts.join("/");
    if absolute { format!("/{path}") } else { path }
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn paths_are_relative_to_the_importing_file() {
        assert_eq!(join("pools/main.dsvm", "./common.dsvm"), "pools/common.dsvm");
        assert_eq!(join("pools/main.dsvm", "../common.dsvm"), "common.dsvm");
        assert_eq!(join("main.dsvm", "../common.dsvm"), "../common.dsvm");
        assert_eq!(join("/a/main.dsvm", "b.dsvm"), "/a/b.dsvm");
        assert_eq!(join("a/main.dsvm", "/etc/b.dsvm"), "/etc/b.dsvm");
    }
}
