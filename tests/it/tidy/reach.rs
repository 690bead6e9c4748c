//! Every file is declared by a plain `mod name;`: what a macro declares is hidden from rustfmt, and what nothing declares
//! is dead.

use super::{hold, root, rust_files, shown, source_folders};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The files that plain `mod` lines lead to, from these roots on.
fn reached(roots: Vec<PathBuf>) -> BTreeSet<PathBuf> {
    let mut seen = BTreeSet::new();
    let mut waiting = roots;
    while let Some(path) = waiting.pop() {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let folder = match &*stem {
            "mod" | "lib" | "main" => path.parent().unwrap().to_path_buf(),
            _ => path.with_extension(""),
        };
        declared(&file.items, &folder, path.parent().unwrap(), &mut waiting);
        seen.insert(path);
    }
    seen
}

/// The files that these items declare; inline modules are walked.
fn declared(items: &[syn::Item], folder: &Path, beside: &Path, found: &mut Vec<PathBuf>) {
    for item in items {
        let syn::Item::Mod(module) = item else { continue };
        let inner = folder.join(module.ident.to_string());
        match &module.content {
            Some((_, items)) => declared(items, &inner, &inner, found),
            None => {
                let flat = inner.with_extension("rs");
                found.push(match named_path(&module.attrs) {
                    Some(name) => beside.join(name),
                    None if flat.exists() => flat,
                    None => inner.join("mod.rs"),
                });
            }
        }
    }
}

/// The file of `#[path = "…"]`, which rustfmt follows.
fn named_path(attributes: &[syn::Attribute]) -> Option<String> {
    attributes.iter().find(|attribute| attribute.path().is_ident("path")).and_then(|attribute| {
        let syn::Meta::NameValue(pair) = &attribute.meta else { return None };
        let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(name), .. }) = &pair.value else { return None };
        Some(name.value())
    })
}

/// The files below a source folder that no plain `mod` line leads to.
fn hidden(folder: &Path) -> Vec<PathBuf> {
    let roots = ["lib.rs", "main.rs"].map(|name| folder.join(name)).into_iter().filter(|path| path.exists()).collect();
    let seen = reached(roots);
    rust_files(folder).into_iter().filter(|path| !seen.contains(path)).collect()
}

#[test]
fn every_file_is_declared_where_rustfmt_sees_it() {
    let tests = root().join("tests/it");
    let mut wrong = Vec::new();
    for folder in source_folders().into_iter().chain([tests]) {
        for path in hidden(&folder) {
            wrong.push(format!("{}: no plain `mod` line leads here, so rustfmt skips it", shown(&path)));
        }
    }
    hold(wrong);
}

#[test]
fn a_module_declared_by_a_macro_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("lib.rs", "mod plain;\nmacro_rules! all { ($m:ident) => { mod $m; } }\nall!(hidden);\n");
    write("plain.rs", "");
    write("hidden.rs", "");
    assert_eq!(hidden(folder.path()), [folder.path().join("hidden.rs")]);
}
