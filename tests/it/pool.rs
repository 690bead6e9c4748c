//! Interactive pools from source to template.

use dsvmc::diagnostics::{Code, Diagnostic, Severity};
use dsvmc::driver::{self, EntryKind, LoadError, Options, Stop, World};
use dsvmc::emit::Artifacts;
use dsvmc::source::SourceMap;
use std::path::{Path, PathBuf};

/// What a program gives.
pub struct Compiled {
    pub sources: SourceMap,
    pub diagnostics: Vec<Diagnostic>,
    pub artifacts: Option<Artifacts>,
}

impl Compiled {
    /// Errors and warnings, one to a line: slug, underlined text, title.
    pub fn findings(&self) -> String {
        let line = |d: &Diagnostic| {
            let at = d.primary().map_or("", |span| self.sources.text(span));
            format!("{} `{}`: {}\n", d.code.slug(), at.lines().next().unwrap_or(""), d.title)
        };
        self.diagnostics
            .iter()
            .filter(|d| d.severity != Severity::Info && d.code.slug() != "unused")
            .map(line)
            .collect()
    }
}

/// One file in memory, imports from a folder.
struct Folder<'a> {
    text: &'a str,
    folder: &'a Path,
}

impl World for Folder<'_> {
    fn read(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
        if path == Path::new("main.dsvm") {
            return Ok(self.text.as_bytes().to_vec());
        }
        let unreadable = |cause| LoadError::unreadable(path, cause);
        std::fs::read(self.folder.join(path)).map_err(unreadable)
    }
    fn kind(&self, _: &Path) -> Result<EntryKind, LoadError> {
        Ok(EntryKind::File)
    }
    fn list(&self, _: &Path) -> Result<Vec<(PathBuf, EntryKind)>, LoadError> {
        Ok(Vec::new())
    }
    fn today(&self) -> jiff::civil::Date {
        jiff::civil::date(2026, 11, 23)
    }
}

/// Compiles a program; imports are read from a folder.
pub fn compile_in(text: &str, folder: &Path) -> Compiled {
    let options = Options { stop: Stop::AfterEmission };
    let done = driver::compile(&Folder { text, folder }, Path::new("main.dsvm"), options).unwrap();
    Compiled { sources: done.sources, diagnostics: done.diagnostics, artifacts: done.artifacts }
}

pub fn compile(text: &str) -> Compiled {
    compile_in(text, Path::new("."))
}

fn examples() -> Vec<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut found: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    found.sort();
    found
}

#[test]
fn every_example_compiles_without_a_finding() {
    for example in examples() {
        let text = std::fs::read_to_string(example.join("main.dsvm")).unwrap();
        let compiled = compile_in(&text, &example);
        assert_eq!(compiled.findings(), "", "{}", example.display());
        let artifacts = compiled.artifacts.unwrap();
        if let Ok(out) = std::env::var("DSVMC_TEST_OUT") {
            for deployment in &artifacts.deployments {
                let name = format!("{}-{}.json", example.file_name().unwrap().to_string_lossy(), deployment.name);
                let path = Path::new(&out).join(name);
                std::fs::write(path, serde_json::to_string_pretty(&deployment.template).unwrap()).unwrap();
            }
        }
    }
}

/// The program in the first fenced block with this tag.
fn fenced(page: &str, tag: &str) -> String {
    let (_, rest) = page.split_once(&format!("```{tag}\n")).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

#[test]
fn every_page_fails_as_it_says_and_its_fix_holds() {
    let mut wrong = String::new();
    let mine = |code: &&Code| matches!(code.number(), 300..=379 | 400..=599);
    for code in Code::ALL.iter().filter(mine) {
        let page = code.page();
        if !page.contains("```dsvm fail\n") {
            wrong.push_str(&format!("{}: no example\n", code.slug()));
            continue;
        }
        let fails = compile(&fenced(page, "dsvm fail"));
        let found: Vec<_> = fails.diagnostics.iter().filter(|d| matters(d, *code)).collect();
        if found.len() != 1 || found.iter().any(|d| d.code != *code) {
            wrong.push_str(&format!("{} fails with:\n{}", code.slug(), fails.findings()));
        }
        let fixed = compile(&fenced(page, "dsvm"));
        if fixed.diagnostics.iter().any(|d| matters(d, *code)) || fixed.artifacts.is_none() {
            wrong.push_str(&format!("{} is not fixed:\n{}", code.slug(), fixed.findings()));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Hints count only on the page of a hint.
fn matters(diagnostic: &Diagnostic, code: Code) -> bool {
    diagnostic.severity != Severity::Info || diagnostic.code == code
}
