//! Rust source → the paths that its code names, with their lines. Code under `#[cfg(test)]` is left out wherever it
//! stands; code inside macro calls and macro definitions is not.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::BTreeSet;
use syn::visit::Visit;

/// A path as the code means it, with `use … as …` resolved: `std::fs::read`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// Line of the file, counted from 1.
    pub line: usize,
    /// The path, joined by `::`.
    pub path: String,
}

/// The paths that a file's code names, in order of their lines, each once a line.
pub fn named(text: &str) -> Result<Vec<Named>, String> {
    let file = syn::parse_file(text).map_err(|error| error.to_string())?;
    let mut aliases = Vec::new();
    for item in &file.items {
        collect_aliases(item, &mut aliases);
    }
    let mut finder = Finder { aliases, found: BTreeSet::new() };
    finder.visit_file(&file);
    Ok(finder.found.into_iter().collect())
}

/// Whether attributes leave the item out of an ordinary build: `#[test]`, `#[cfg(test)]`, `#[cfg(all(test, …))]`.
fn only_in_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let path = attribute.path();
        if path.is_ident("test") {
            return true;
        }
        let syn::Meta::List(list) = &attribute.meta else { return false };
        let text = list.tokens.to_string();
        path.is_ident("cfg") && (text == "test" || (text.starts_with("all") && text.contains("test")))
    })
}

/// Names that `use` gives to other paths, in the whole file: an alias of an inner module counts everywhere, which can
/// only report too much.
fn collect_aliases(item: &syn::Item, aliases: &mut Vec<(String, String)>) {
    match item {
        syn::Item::Use(item) if !only_in_tests(&item.attrs) => tree(&item.tree, "", &mut |path, name| {
            aliases.push((name.to_owned(), path.to_owned()));
        }),
        syn::Item::Mod(item) if !only_in_tests(&item.attrs) => {
            for inner in item.content.iter().flat_map(|(_, items)| items) {
                collect_aliases(inner, aliases);
            }
        }
        _ => {}
    }
}

/// Calls `each` with the full path and the local name of every leaf of a `use` tree.
fn tree(tree_: &syn::UseTree, before: &str, each: &mut impl FnMut(&str, &str)) {
    let joined = |name: &str| if before.is_empty() { name.to_owned() } else { format!("{before}::{name}") };
    match tree_ {
        syn::UseTree::Path(path) => tree(&path.tree, &joined(&path.ident.to_string()), each),
        syn::UseTree::Name(name) if name.ident == "self" => {
            each(before, before.rsplit("::").next().unwrap_or(before));
        }
        syn::UseTree::Name(name) => each(&joined(&name.ident.to_string()), &name.ident.to_string()),
        syn::UseTree::Rename(name) => {
            let path = if name.ident == "self" { before.to_owned() } else { joined(&name.ident.to_string()) };
            each(&path, &name.rename.to_string());
        }
        syn::UseTree::Glob(_) => each(&joined("*"), "*"),
        syn::UseTree::Group(group) => group.items.iter().for_each(|inner| tree(inner, before, each)),
    }
}

struct Finder {
    aliases: Vec<(String, String)>,
    found: BTreeSet<Named>,
}

impl Finder {
    fn add(&mut self, segments: &[String], line: usize) {
        let Some(first) = segments.first() else { return };
        let path = segments.join("::");
        for (name, full) in &self.aliases {
            if name == first && full != first {
                let resolved = format!("{full}{}", &path[first.len()..]);
                self.found.insert(Named { line, path: resolved });
            }
        }
        self.found.insert(Named { line, path });
    }

    /// Paths in tokens that are not parsed: what macros are called with and made of.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut segments: Vec<String> = Vec::new();
        let mut line = 0;
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if colons != 2 {
                        self.add(&std::mem::take(&mut segments), line);
                        line = name.span().start().line;
                    }
                    segments.push(name.to_string());
                    colons = 0;
                }
                TokenTree::Punct(sign) if sign.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    if colons == 2 && group.delimiter() == Delimiter::Brace {
                        let before = segments.join("::");
                        for inner in group.stream() {
                            if let TokenTree::Ident(name) = inner {
                                self.found.insert(Named {
                                    line: name.span().start().line,
                                    path: format!("{before}::{name}"),
                                });
                            }
                        }
                    }
                    self.add(&std::mem::take(&mut segments), line);
                    colons = 0;
                    self.tokens(group.stream());
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {
                    self.add(&std::mem::take(&mut segments), line);
                    colons = 0;
                }
            }
        }
        self.add(&segments, line);
    }
}

/// Visits an item unless it is there for tests only.
macro_rules! unless_test {
    ($($visit:ident($item:ty);)*) => {
        $(fn $visit(&mut self, item: &'ast $item) {
            if !only_in_tests(&item.attrs) {
                syn::visit::$visit(self, item);
            }
        })*
    };
}

impl<'ast> Visit<'ast> for Finder {
    unless_test! {
        visit_item_mod(syn::ItemMod);
        visit_item_fn(syn::ItemFn);
        visit_item_impl(syn::ItemImpl);
        visit_item_const(syn::ItemConst);
        visit_item_static(syn::ItemStatic);
        visit_item_struct(syn::ItemStruct);
        visit_item_enum(syn::ItemEnum);
        visit_item_trait(syn::ItemTrait);
        visit_item_type(syn::ItemType);
        visit_impl_item_fn(syn::ImplItemFn);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if only_in_tests(&item.attrs) {
            return;
        }
        let line = item.use_token.span.start().line;
        tree(&item.tree, "", &mut |path, _| {
            self.found.insert(Named { line, path: path.to_owned() });
        });
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let line = path.segments.first().map_or(0, |segment| segment.ident.span().start().line);
        self.add(&segments, line);
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        self.tokens(call.tokens.clone());
    }

    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        if !only_in_tests(&item.attrs) {
            syn::visit::visit_item_macro(self, item);
        }
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone());
        }
    }
}

#[test]
fn paths_are_found_wherever_they_are_written() {
    let text = "
use std::{env, fs as files};
#[cfg(test)]
mod tests { fn a() { std::net::TcpStream::connect(1); } }
fn after() { files::read(2); say!(std::process::exit(3)); }
macro_rules! late { () => { std::time::Instant::now() } }
#[derive(miette::Diagnostic)]
struct S;
";
    let found: Vec<(usize, String)> = named(text).unwrap().into_iter().map(|named| (named.line, named.path)).collect();
    let has = |line: usize, path: &str| found.contains(&(line, path.to_owned()));
    assert!(has(2, "std::env") && has(2, "std::fs"), "{found:?}");
    assert!(has(5, "std::fs::read"), "an alias is resolved, after a test module too: {found:?}");
    assert!(has(5, "std::process::exit"), "arguments of macros are read: {found:?}");
    assert!(has(6, "std::time::Instant::now"), "bodies of macros are read: {found:?}");
    assert!(has(7, "miette::Diagnostic"), "derives are read: {found:?}");
    assert!(!found.iter().any(|(_, path)| path.contains("TcpStream")), "code of tests is left out: {found:?}");
}
