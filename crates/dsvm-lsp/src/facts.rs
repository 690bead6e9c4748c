//! The standard library, by name: where each fact is declared, and what its comment says.

use dsvm_stdlib::MODULES;
use dsvm_syntax::{Lexeme, index, lexemes};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A declaration of the standard library.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fact {
    pub(crate) name: &'static str,
    pub(crate) keyword: &'static str,
    /// From its first word to its brace.
    pub(crate) text: &'static str,
    /// The lines of its doc comment, with their marks.
    comment: &'static str,
    /// First byte of the name in the text of the module.
    pub(crate) name_at: usize,
    exported: bool,
}

static FACTS: LazyLock<Vec<BTreeMap<&'static str, Fact>>> =
    LazyLock::new(|| MODULES.iter().map(|(_, text)| facts(text)).collect());

fn facts(text: &'static str) -> BTreeMap<&'static str, Fact> {
    let items = index(text).into_iter().filter(|item| item.keyword != "import" && !item.name.is_empty());
    let facts = items.filter_map(|item| {
        let declaration = text.get(item.start..item.end)?;
        let keyword = lexemes(declaration).find(|(_, from, to)| declaration.get(*from..*to) == Some(item.keyword))?;
        let rest = declaration.get(keyword.2..)?;
        let (_, at, _) =
            lexemes(rest).find(|(kind, from, to)| *kind == Lexeme::Word && rest.get(*from..*to) == Some(item.name))?;
        let fact = Fact {
            name: item.name,
            keyword: item.keyword,
            text: declaration,
            comment: comment_above(text, item.start),
            name_at: item.start + keyword.2 + at,
            exported: item.exported,
        };
        Some((item.name, fact))
    });
    facts.collect()
}

/// The lines with `///` directly above a byte.
fn comment_above(text: &str, at: usize) -> &str {
    let mut from = at;
    while let Some(line) = text.get(..from).and_then(|before| before.strip_suffix('\n')) {
        let begin = line.rfind('\n').map_or(0, |end| end + 1);
        if !line.get(begin..).is_some_and(|line| line.starts_with("///")) {
            break;
        }
        from = begin;
    }
    text.get(from..at).unwrap_or_default()
}

impl Fact {
    /// Its doc comment, without marks.
    pub(crate) fn doc(&self) -> String {
        let lines = self.comment.lines().filter_map(|line| line.strip_prefix("///")).map(str::trim);
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The value of a field, as it is written: of one that stands at the start of an entry.
    pub(crate) fn field(&self, name: &str) -> Option<&'static str> {
        let mut tokens = lexemes(self.text).peekable();
        while let Some((kind, from, to)) = tokens.next() {
            let is_it = kind == Lexeme::Word && self.text.get(from..to) == Some(name);
            let Some((_, _, equals)) = tokens.next_if(|(_, from, to)| is_it && self.text.get(*from..*to) == Some("="))
            else {
                continue;
            };
            let (_, from, to) = *tokens.find(|(_, from, _)| *from >= equals).as_ref()?;
            let value = self.text.get(from..to)?;
            // A date is several tokens.
            let whole = self.text.get(from..)?.split([',', '\n', ' ', '}']).next()?;
            return Some(if value.starts_with('"') { value } else { whole });
        }
        None
    }

    /// Whether it can no longer be deployed.
    pub(crate) fn is_gone(&self) -> bool {
        self.field("state") == Some("gone")
    }
}

/// The index of a module.
pub(crate) fn module(name: &str) -> Option<usize> {
    MODULES.iter().position(|(module, _)| *module == name)
}

/// Name and text of a module.
pub(crate) fn source(module: usize) -> Option<(&'static str, &'static str)> {
    MODULES.get(module).copied()
}

/// What a module exports under a name.
pub(crate) fn fact(module: usize, name: &str) -> Option<&'static Fact> {
    FACTS.get(module)?.get(name).filter(|fact| fact.exported)
}

/// All that a module exports, by name.
pub(crate) fn exported(module: usize) -> impl Iterator<Item = &'static Fact> {
    FACTS.get(module).into_iter().flat_map(|facts| facts.values()).filter(|fact| fact.exported)
}

/// The comment at the start of a module.
pub(crate) fn module_doc(module: usize) -> String {
    let text = source(module).map_or("", |(_, text)| text);
    let lines = text.lines().map_while(|line| line.strip_prefix("//"));
    lines.map(str::trim).take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fact_is_found_with_its_name_and_source() {
        for (at, (module_name, text)) in MODULES.iter().enumerate() {
            assert!(exported(at).count() > 0, "{module_name}");
            for fact in exported(at) {
                assert!(
                    text.get(fact.name_at..).is_some_and(|rest| rest.starts_with(fact.name)),
                    "{module_name}.{}",
                    fact.name
                );
                if fact.text.contains("source") {
                    assert!(fact.field("source").is_some_and(|source| source.starts_with('"')), "{}", fact.name);
                }
            }
            assert!(!module_doc(at).is_empty(), "{module_name}");
        }
        let image = fact(module("images").unwrap(), "ubuntu_2204").unwrap();
        assert!(image.doc().starts_with("Data Science Virtual Machine"));
        assert_eq!(image.field("as_of"), Some("2026-11-23"));
        assert!(!image.is_gone());
    }
}
