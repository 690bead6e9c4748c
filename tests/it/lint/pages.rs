//! The pages of rules hold: their examples give what they say, and the list of rules is that of the catalogue.

use dsvm_diagnostics::{Diagnostic, Severity, Sink};
use dsvm_lint::{Level, RULES, Rule};
use dsvmc::driver::{self, EntryKind, LoadError, SettingsFile, World};
use dsvmc::render::explain;
use std::path::{Path, PathBuf};

/// One file in memory with settings, on a fixed day.
pub struct Page {
    pub text: String,
    pub settings: Option<String>,
}

impl World for Page {
    fn read(&self, _: &Path) -> Result<Vec<u8>, LoadError> {
        Ok(self.text.as_bytes().to_vec())
    }

    fn kind(&self, _: &Path) -> Result<EntryKind, LoadError> {
        Ok(EntryKind::File)
    }

    fn list(&self, _: &Path) -> Result<Vec<(PathBuf, EntryKind)>, LoadError> {
        Ok(Vec::new())
    }

    fn settings(&self, _: &Path) -> Vec<SettingsFile> {
        let file = |text: &String| SettingsFile { path: "dsvmc.toml".into(), bytes: Ok(text.as_bytes().to_vec()) };
        self.settings.iter().map(file).collect()
    }

    fn today(&self) -> jiff::civil::Date {
        jiff::civil::date(2026, 11, 23)
    }
}

fn findings(text: &str, settings: Option<&String>) -> Vec<Diagnostic> {
    findings_of(&Page { text: text.to_owned(), settings: settings.cloned() })
}

/// Everything that is found in a program.
pub fn findings_of(page: &Page) -> Vec<Diagnostic> {
    let linted = driver::lint_each(page, &["main.dsvm".into()], &[]).unwrap();
    linted.into_iter().flat_map(|one| one.findings).collect()
}

/// The fenced blocks of a page: what stands after the fence, and the text.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in page.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(tag)) => open = Some((tag.trim().to_owned(), String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some((_, text)), None) => *text += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    blocks
}

fn shown(found: &[Diagnostic]) -> String {
    let one = |d: &Diagnostic| format!("    {:?} {}: {}\n", d.severity, d.id(), d.title);
    found.iter().map(one).collect()
}

/// What is wrong with the examples of a page.
fn wrong_with(rule: &Rule) -> Vec<String> {
    let blocks = blocks(explain::rule_text(rule.id));
    let of = |tag: &str| blocks.iter().filter(|(known, _)| known == tag).map(|(_, text)| text).collect::<Vec<_>>();
    let (settings, failing, fixed) = (of("toml"), of("dsvm fail"), of("dsvm"));
    let settings = settings.first().copied();
    let mut wrong = Vec::new();
    if failing.is_empty() || fixed.is_empty() {
        wrong.push(format!("{}: needs a block `dsvm fail` and a block `dsvm`", rule.id));
    }
    for text in failing {
        let found = findings(text, settings);
        let own: Vec<&Diagnostic> = found.iter().filter(|d| d.rule.as_deref() == Some(rule.id)).collect();
        let level = if rule.level == Level::Off { Some(Severity::Warning) } else { rule.level.severity() };
        let others = found.iter().any(|d| d.rule.as_deref() != Some(rule.id) && d.severity != Severity::Info);
        if own.is_empty() || own.iter().any(|d| Some(d.severity) != level) || others {
            wrong.push(format!("{}: the example gives\n{}", rule.id, shown(&found)));
        }
        if own.iter().any(|d| d.help.is_empty()) {
            wrong.push(format!("{}: a finding says no way out", rule.id));
        }
    }
    for text in fixed {
        let found = findings(text, settings);
        if found.iter().any(|d| d.rule.as_deref() == Some(rule.id) || d.severity != Severity::Info) {
            wrong.push(format!("{}: the repair gives\n{}", rule.id, shown(&found)));
        }
    }
    wrong
}

#[test]
fn examples_on_pages_give_their_rule_and_repairs_do_not() {
    let wrong: Vec<String> = RULES.iter().flat_map(wrong_with).collect();
    assert!(wrong.is_empty(), "{} problems:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn examples_are_formatted() {
    for rule in RULES {
        for (tag, text) in blocks(explain::rule_text(rule.id)) {
            if tag.starts_with("dsvm") {
                let source = dsvm_diagnostics::source::SourceId::file(0);
                let formatted = dsvm_syntax::format::format(source, &text, &mut Sink::default()).unwrap_or_default();
                assert_eq!(formatted, text, "{}", rule.id);
            }
        }
    }
}

/// The line below the title of a page.
fn facts(rule: &Rule) -> String {
    let options: Vec<String> = rule
        .options
        .iter()
        .map(|option| match option.default {
            dsvm_lint::catalogue::OptionDefault::Number(number) => format!("`{}` (default {number})", option.name),
            _ => format!("`{}`", option.name),
        })
        .collect();
    let options = if options.is_empty() { String::new() } else { format!("; options: {}", options.join(", ")) };
    format!("Category {}; level `{}`{options}.", rule.category.word(), rule.level.word())
}

#[test]
fn pages_say_what_the_catalogue_says() {
    let mut wrong = Vec::new();
    for rule in RULES {
        let page = explain::rule_text(rule.id);
        let head = format!("# {}: {}\n\n{}\n\n", rule.id, rule.summary, facts(rule));
        let tail = format!("\n## Source\n\n{}.\n", rule.source);
        if !page.starts_with(&head) || !page.ends_with(&tail) || !page.contains("\n## Example\n") {
            wrong.push(format!("docs/lint/{}.md must begin with\n{head}and end with\n{tail}", rule.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rules_have_names_of_their_own_and_pages_have_rules() {
    for (index, rule) in RULES.iter().enumerate() {
        assert!(rule.id.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", rule.id);
        assert!(!RULES[..index].iter().any(|other| other.id == rule.id), "{} is there twice", rule.id);
        assert!(!dsvm_diagnostics::Code::ALL.iter().any(|code| code.slug() == rule.id), "{} is a code too", rule.id);
    }
    assert!(RULES.is_sorted_by_key(|rule| rule.category), "rules stand by category");
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/lint")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            dsvm_lint::rule_named(&name).is_some_and(|rule| rule.id == name),
            "{} belongs to no rule",
            path.display()
        );
    }
}

#[test]
fn the_list_of_rules_is_up_to_date() {
    const MARK: &str = "<!-- rules: generated from the catalogue -->\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/lint.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (before, _) = page.split_once(MARK).expect("docs/lint.md has the mark of the list");
    let mut list = String::new();
    let mut category = None;
    for rule in RULES {
        if category != Some(rule.category) {
            list += &format!("\n### {}\n\n| rule | level | what it finds |\n|---|---|---|\n", rule.category.word());
            category = Some(rule.category);
        }
        list += &format!("| [{id}](lint/{id}.md) | {} | {} |\n", rule.level.word(), rule.summary, id = rule.id);
    }
    let wanted = format!("{before}{MARK}{list}");
    if std::env::var_os("DSVMC_BLESS").is_some() {
        std::fs::write(path, &wanted).unwrap();
    }
    assert!(page == wanted || std::env::var_os("DSVMC_BLESS").is_some(), "docs/lint.md: run `just bless`");
}
