//! The files of a project → what its names mean.
//!
//! The newest texts count, so that an answer does not depend on how far the compiler is; what it found earlier tells which
//! files belong together.

use crate::facts;
use crate::host::{Project, Texts};
use crate::server::State;
use crate::worker::imported;
use dsvm_diagnostics::source::Span;
use dsvm_sema::table::BlockKind;
use dsvm_syntax::ast::{File, ImportFrom, Item, ItemKind, Name};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file, and the module that its names are in.
pub(crate) struct FileView {
    pub(crate) path: PathBuf,
    pub(crate) text: Arc<str>,
    pub(crate) tree: Arc<File>,
    pub(crate) module: usize,
}

/// A module: the own files of a project together, or an imported file, or one of the standard library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ModuleRef {
    Own(usize),
    Library(usize),
}

/// What a name of a module means.
#[derive(Clone, Debug)]
pub(crate) enum Meaning {
    /// An item of a file.
    Declared { file: usize, item: usize },
    /// A module that is imported under this name.
    Module(ModuleRef),
    /// A name of another module.
    Imported(ModuleRef, Arc<str>),
}

/// What stands at a place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Symbol {
    /// A name that the project declares.
    Declared(usize, Arc<str>),
    /// A name that the standard library declares.
    Library(usize, Arc<str>),
    Module(ModuleRef),
    Env(Arc<str>),
    Output(Arc<str>),
    /// A name inside of one item, by file and first byte of its declaration.
    Local(usize, u32),
    Kind(BlockKind),
    Field(BlockKind, &'static str),
    Attribute(BlockKind, &'static str),
    /// All blocks of a kind: `pools`.
    All(BlockKind),
    Function(&'static str),
}

/// A project, as answers need it.
pub(crate) struct View {
    pub(crate) files: Vec<FileView>,
    pub(crate) modules: Vec<BTreeMap<Arc<str>, Meaning>>,
}

/// Imports that lead to imports, at most so many.
const DEEPEST: usize = 32;

struct Builder<'s> {
    state: &'s mut State,
    texts: Texts,
    project: Project,
    known: BTreeMap<PathBuf, Arc<str>>,
    files: Vec<FileView>,
    modules: usize,
}

impl View {
    /// The projects that a document is in, in the order of their paths; a document that is in none is one by itself.
    pub(crate) fn all(state: &mut State, path: &Path) -> Vec<View> {
        View::first(state, path, usize::MAX)
    }

    fn first(state: &mut State, path: &Path, most: usize) -> Vec<View> {
        let projects = state.analysis.iter().flat_map(|analysis| &analysis.projects);
        let mut around: Vec<(Project, BTreeMap<PathBuf, Arc<str>>)> = projects
            .filter(|snapshot| snapshot.files.contains_key(path))
            .map(|snapshot| (snapshot.project.clone(), snapshot.files.clone()))
            .take(most)
            .collect();
        if around.is_empty() {
            around.push((state.host.alone(path), BTreeMap::new()));
        }
        let texts = state.documents.texts();
        around
            .into_iter()
            .map(|(project, known)| {
                let files = Vec::new();
                Builder { state, texts: texts.clone(), project, known, files, modules: 0 }.build(path)
            })
            .collect()
    }

    /// The first of them.
    pub(crate) fn of(state: &mut State, path: &Path) -> Option<View> {
        View::first(state, path, 1).pop()
    }

    pub(crate) fn file(&self, path: &Path) -> Option<usize> {
        self.files.iter().position(|file| file.path == path)
    }

    pub(crate) fn item(&self, file: usize, item: usize) -> Option<&Item> {
        self.files.get(file)?.tree.items.get(item)
    }

    /// What a name of a module means; imported names lead to where they are declared.
    pub(crate) fn symbol(&self, module: ModuleRef, name: &str) -> Option<Symbol> {
        let mut module = module;
        let mut name: Arc<str> = Arc::from(name);
        for _ in 0..DEEPEST {
            match module {
                ModuleRef::Library(at) => return facts::fact(at, &name).map(|_| Symbol::Library(at, name)),
                ModuleRef::Own(at) => match self.modules.get(at)?.get(&name)? {
                    Meaning::Declared { .. } => return Some(Symbol::Declared(at, name)),
                    Meaning::Module(target) => return Some(Symbol::Module(*target)),
                    Meaning::Imported(target, original) => (module, name) = (*target, original.clone()),
                },
            }
        }
        None
    }

    /// The item that declares a name.
    pub(crate) fn declared(&self, module: usize, name: &str) -> Option<(usize, &Item)> {
        match self.modules.get(module)?.get(name)? {
            Meaning::Declared { file, item } => Some((*file, self.item(*file, *item)?)),
            _ => None,
        }
    }

    /// The parameter of a name, which an env of the project can set wherever it is declared.
    pub(crate) fn param(&self, name: &str) -> Option<Symbol> {
        let is_param = |module: &usize| {
            self.declared(*module, name).is_some_and(|(_, item)| matches!(item.kind, ItemKind::Param(_)))
        };
        (0..self.modules.len()).find(is_param).map(|module| Symbol::Declared(module, Arc::from(name)))
    }
}

impl Builder<'_> {
    fn build(mut self, path: &Path) -> View {
        let roots: Vec<PathBuf> = self.project.files.iter().chain(&self.project.tests).cloned().collect();
        self.modules = 1;
        for root in roots {
            self.add(&root, 0);
        }
        let mut at = 0;
        while let Some(file) = self.files.get(at) {
            let from = file.path.clone();
            let text = file.text.clone();
            for written in self.state.trees.parsed(&from, &text).outline().imports {
                if dsvm_sema::load::is_data(&written) {
                    continue;
                }
                self.import(&imported(&from, &written));
            }
            at += 1;
        }
        // A file that nothing imports is by itself.
        self.import(path);
        let mut view = View { modules: vec![BTreeMap::new(); self.modules], files: self.files };
        for file in 0..view.files.len() {
            view.define(file);
        }
        view
    }

    fn import(&mut self, path: &Path) {
        if !self.files.iter().any(|file| file.path == path) && self.add(path, self.modules) {
            self.modules += 1;
        }
    }

    /// Adds a file to a module; whether it can be read.
    fn add(&mut self, path: &Path, module: usize) -> bool {
        let open = self.state.documents.get(path).map(|document| document.text.clone());
        let known = || self.known.get(path).cloned();
        let read = || self.state.host.read(&self.texts, &self.project, path).map(Arc::from);
        let Some(text) = open.or_else(known).or_else(read) else { return false };
        let tree = self.state.trees.get(path, &text);
        self.files.push(FileView { path: path.to_owned(), text, tree, module });
        true
    }
}

impl View {
    /// Adds the names of a file to its module; of two with one name, the first counts.
    fn define(&mut self, at: usize) {
        let Some(file) = self.files.get(at) else { return };
        let (module, tree) = (file.module, file.tree.clone());
        let mut names = Vec::new();
        for (index, item) in tree.items.iter().enumerate() {
            match &item.kind {
                ItemKind::Import(import) if is_data(&import.from) => {
                    let name = import.alias.as_ref().map(|alias| alias.value.clone());
                    let name = name.or_else(|| usual_name(&import.from));
                    names.extend(name.map(|name| (name, Meaning::Declared { file: at, item: index })));
                }
                ItemKind::Import(import) => {
                    let Some(target) = self.target(at, &import.from) else { continue };
                    if import.names.is_empty() {
                        let name = import.alias.as_ref().map(|alias| alias.value.clone());
                        let name = name.or_else(|| usual_name(&import.from));
                        names.extend(name.map(|name| (name, Meaning::Module(target))));
                    }
                    for name in &import.names {
                        names.push((name.value.clone(), Meaning::Imported(target, name.value.clone())));
                    }
                }
                _ => {
                    let meaning = Meaning::Declared { file: at, item: index };
                    names.extend(declared_name(item).map(|name| (name.value, meaning)));
                }
            }
        }
        if let Some(known) = self.modules.get_mut(module) {
            for (name, meaning) in names {
                known.entry(name).or_insert(meaning);
            }
        }
    }

    /// The module that an import leads to.
    pub(crate) fn target(&self, file: usize, from: &ImportFrom) -> Option<ModuleRef> {
        match from {
            ImportFrom::Module(words) => match words.as_slice() {
                [std, name] if &*std.value == "std" => facts::module(&name.value).map(ModuleRef::Library),
                _ => None,
            },
            ImportFrom::Path(written) => self.imported_module(file, &written.value),
        }
    }

    /// The module of a file that another one imports by this path.
    pub(crate) fn imported_module(&self, file: usize, written: &str) -> Option<ModuleRef> {
        let path = imported(&self.files.get(file)?.path, written);
        Some(ModuleRef::Own(self.files.get(self.file(&path)?)?.module))
    }
}

/// Whether an import gives the values of a data file.
pub(crate) fn is_data(from: &ImportFrom) -> bool {
    matches!(from, ImportFrom::Path(path) if dsvm_sema::load::is_data(&path.value))
}

/// The name under which an import is known when it names none.
fn usual_name(from: &ImportFrom) -> Option<Arc<str>> {
    match from {
        ImportFrom::Module(words) => words.last().map(|word| word.value.clone()),
        ImportFrom::Path(path) => {
            let file = path.value.rsplit('/').next().unwrap_or_default();
            let end = file.rsplit_once('.').filter(|_| is_data(from) || file.ends_with(".dsvm"));
            let stem = end.map_or(file, |(stem, _)| stem);
            (!stem.is_empty()).then(|| Arc::from(stem))
        }
    }
}

/// The name that an item declares for expressions.
pub(crate) fn declared_name(item: &Item) -> Option<Name> {
    match &item.kind {
        ItemKind::Import(import) => import.alias.clone().filter(|_| is_data(&import.from)),
        ItemKind::Param(param) => Some(param.name.clone()),
        ItemKind::Let(constant) => Some(constant.name.clone()),
        ItemKind::Fn(function) => Some(function.name.clone()),
        ItemKind::Type(ty) => Some(ty.name.clone()),
        ItemKind::Block(block) if !matches!(&*block.keyword.value, "project" | "test" | "rule") => {
            let (name, span): (String, Span) = crate::symbols::heading(block);
            (span != block.keyword.span).then(|| Name { value: Arc::from(name), span })
        }
        _ => None,
    }
}
