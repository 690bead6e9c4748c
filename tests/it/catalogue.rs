//! The catalogue of diagnostics holds: codes, pages, and the examples on the pages.

use dsvm_diagnostics::{Code, Diagnostic, Severity};
use dsvmc::driver::{self, EntryKind, LoadError, Options, Stop, World};
use std::path::{Path, PathBuf};

/// One file in memory, on a fixed day.
pub struct OneFile(pub String);

impl World for OneFile {
    fn read(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
        if path == Path::new("main.dsvm") {
            return Ok(self.0.as_bytes().to_vec());
        }
        Err(LoadError::unreadable(path, std::io::ErrorKind::NotFound.into()))
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

/// One file in memory, and the data files that it imports.
pub struct WithData<'a>(pub OneFile, pub &'a [(String, String)]);

impl World for WithData<'_> {
    fn read(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
        let data = self.1.iter().rev().find(|(name, _)| Path::new(name) == path);
        data.map_or_else(|| self.0.read(path), |(_, text)| Ok(text.as_bytes().to_vec()))
    }

    fn kind(&self, path: &Path) -> Result<EntryKind, LoadError> {
        self.0.kind(path)
    }

    fn list(&self, path: &Path) -> Result<Vec<(PathBuf, EntryKind)>, LoadError> {
        self.0.list(path)
    }

    fn today(&self) -> jiff::civil::Date {
        self.0.today()
    }
}

/// Everything that is found in a program.
pub fn diagnostics(text: &str) -> Vec<Diagnostic> {
    with_data(text, &[])
}

/// Everything that is found in a program that imports data files.
fn with_data(text: &str, data: &[(String, String)]) -> Vec<Diagnostic> {
    let options = Options { stop: Stop::AfterEmission };
    let world = WithData(OneFile(text.to_owned()), data);
    driver::compile(&world, Path::new("main.dsvm"), options).unwrap().diagnostics
}

/// The fenced blocks of a page: what stands after the fence, and the text.
fn blocks(page: &str) -> Vec<(&str, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, String)> = None;
    for line in page.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(tag)) => open = Some((tag.trim(), String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some((_, text)), None) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

/// Pages of codes that are about a file; the others show a command. Lint has pages of its own (`tests/it/lint`).
fn is_about_a_file(code: Code) -> bool {
    code.number() < 600 && code != Code::NotUtf8 && !(380..400).contains(&code.number())
}

#[test]
fn codes_ascend_and_slugs_are_unique() {
    let numbers: Vec<u16> = Code::ALL.iter().map(|code| code.number()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "codes are not in ascending order: {numbers:?}");
    let mut slugs: Vec<&str> = Code::ALL.iter().map(|code| code.slug()).collect();
    slugs.sort_unstable();
    for pair in slugs.windows(2) {
        assert_ne!(pair[0], pair[1], "two codes have the same name");
    }
    for slug in slugs {
        assert!(slug.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{slug}");
    }
}

#[test]
fn titles_are_one_clause_in_lower_case() {
    for code in Code::ALL {
        let title = code.title();
        assert!(!title.ends_with(['.', '!', '?']), "{code}: {title}");
        for word in ["invalid", "failed", "unexpected error", "simply"] {
            assert!(!title.contains(word), "{code}: say what is, not `{word}`: {title}");
        }
    }
}

#[test]
fn every_code_has_a_page_with_its_title() {
    let mut wrong = Vec::new();
    for code in Code::ALL {
        let heading = format!("# {code}: {}", code.title());
        let page = dsvmc::render::explain::page_text(*code);
        if page.lines().next() != Some(&*heading) {
            wrong.push(format!("docs/errors/{}.md must begin with `{heading}`", code.slug()));
        } else if !page.contains("\n## Example\n") || !page.contains("\n## How to fix it\n") {
            wrong.push(format!("docs/errors/{}.md lacks `## Example` or `## How to fix it`", code.slug()));
        }
    }
    assert!(wrong.is_empty(), "{} of {} pages:\n{}", wrong.len(), Code::ALL.len(), wrong.join("\n"));
}

#[test]
fn examples_on_pages_give_exactly_their_code_and_repairs_give_nothing() {
    let mut wrong = Vec::new();
    for code in Code::ALL.iter().copied().filter(|code| is_about_a_file(*code)) {
        let page = dsvmc::render::explain::page_text(code);
        if page.lines().count() < 3 {
            continue; // told by the test above
        }
        let blocks = blocks(page);
        let show = |list: &[Diagnostic]| list.iter().map(|d| format!("{} {}", d.code, d.title)).collect::<Vec<_>>();
        let mut programs = (0, 0);
        // A block with a name is a data file of the following ones.
        let mut data: Vec<(String, String)> = Vec::new();
        for (tag, text) in &blocks {
            if let Some((_, name)) = tag.split_once(" file ") {
                data.push((name.to_owned(), text.clone()));
                continue;
            }
            match *tag {
                "dsvm fail" => {
                    programs.0 += 1;
                    let mut found = with_data(text, &data);
                    // A hint beside the mistake is no second mistake.
                    found.retain(|d| d.severity != Severity::Info || d.code == code);
                    if !matches!(found.as_slice(), [one] if one.code == code) {
                        wrong.push(format!("{}: the example gives {:?}", code.slug(), show(&found)));
                    }
                }
                "dsvm" => {
                    programs.1 += 1;
                    let mut found = with_data(text, &data);
                    found.retain(|d| d.severity != Severity::Info || d.code == code);
                    if !found.is_empty() {
                        wrong.push(format!("{}: the repair gives {:?}", code.slug(), show(&found)));
                    }
                }
                _ => {}
            }
        }
        if programs.0 == 0 || programs.1 == 0 {
            wrong.push(format!("{}: needs a block `dsvm fail` and a block `dsvm`", code.slug()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_page_stands_without_a_code() {
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/errors")).unwrap() {
        let path = entry.unwrap().path();
        let slug = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(Code::ALL.iter().any(|code| code.slug() == slug), "{} belongs to no code", path.display());
    }
}

#[test]
fn the_list_of_codes_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/diagnostics.md");
    let wanted = list();
    if std::env::var_os("DSVMC_BLESS").is_some() {
        std::fs::write(path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == wanted, "docs/diagnostics.md is out of date: run the tests with DSVMC_BLESS=1");
}

/// The text of `docs/diagnostics.md`: all codes, grouped by stage.
fn list() -> String {
    let mut text = String::from(
        "# Messages\n\nEvery message has a code that never changes its meaning. `dsvmc explain CODE` shows the page of a\n\
         code in the terminal. This list is generated from the catalogue.\n",
    );
    let mut group = None;
    for code in Code::ALL {
        let stage = dsvmc::render::explain::stage(*code);
        if group != Some(stage) {
            text.push_str(&format!("\n## {stage}\n\n| code | | what it says |\n|---|---|---|\n"));
            group = Some(stage);
        }
        let severity = dsvmc::render::snippet::word(code.severity());
        let slug = code.slug();
        text.push_str(&format!("| [{code}](errors/{slug}.md) `{slug}` | {severity} | {} |\n", code.title()));
    }
    text
}
