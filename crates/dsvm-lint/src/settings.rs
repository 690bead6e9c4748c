//! The text of a `dsvmc.toml` → levels and options of the rules, and what is wrong in it.
//!
//! ```toml
//! [lint]
//! storage-lrs = "off"
//! autoscale-unbounded = { level = "error", most = 20 }
//! required-tags = { tags = ["owner", "cost_center"] }
//! ```

use crate::catalogue::{Level, OptionDefault, OptionSpec, RULES, Rule, rule_named, shown, similar_rule};
use crate::deploy::{self, DeploySettings};
use crate::prices::{self, PriceSettings};
use dsvm_diagnostics::source::{SourceId, Span};
use dsvm_diagnostics::{Code, Diagnostic, Sink};
use regex::Regex;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Most bytes of a settings file.
pub const MOST_BYTES: u64 = 256 << 10;
/// Most bytes that a pattern of a settings file may take once it is compiled.
const PATTERN: usize = 1 << 20;

/// What a project says about the rules.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    rules: BTreeMap<&'static str, RuleSettings>,
}

#[derive(Clone, Debug, Default)]
struct RuleSettings {
    level: Option<Level>,
    options: BTreeMap<&'static str, OptionValue>,
}

/// The value of an option.
#[derive(Clone, Debug)]
pub(crate) enum OptionValue {
    Number(i64),
    Words(Vec<String>),
    Patterns(Vec<(String, Regex)>),
}

/// The options of one rule: as set, else as the catalogue has them.
#[derive(Clone, Copy)]
pub(crate) struct Options<'s> {
    set: Option<&'s BTreeMap<&'static str, OptionValue>>,
    known: &'static [OptionSpec],
}

impl Options<'_> {
    fn set(&self, name: &str) -> Option<&OptionValue> {
        self.set.and_then(|set| set.get(name))
    }

    /// A number, as set or as the catalogue has it.
    pub(crate) fn number(&self, name: &str) -> i64 {
        if let Some(OptionValue::Number(number)) = self.set(name) {
            return *number;
        }
        let default = self.known.iter().find(|option| option.name == name).map(|option| option.default);
        if let Some(OptionDefault::Number(number)) = default { number } else { 0 }
    }

    /// A list of words; empty when it is not set.
    pub(crate) fn words(&self, name: &str) -> &[String] {
        if let Some(OptionValue::Words(words)) = self.set(name) { words } else { &[] }
    }

    /// Patterns by what they are for; none when they are not set.
    pub(crate) fn patterns(&self, name: &str) -> &[(String, Regex)] {
        if let Some(OptionValue::Patterns(patterns)) = self.set(name) { patterns } else { &[] }
    }
}

impl Settings {
    /// Reads a file; what is wrong in it is reported and has no effect.
    #[must_use]
    pub fn read(text: &str, source: SourceId, sink: &mut Sink) -> Self {
        let mut settings = Self::default();
        let table = match DeTable::parse(text) {
            Ok(table) => table,
            Err(error) => {
                let place = error.span().unwrap_or(0..0);
                sink.push(unreadable(error.message(), span(source, text, &place)));
                return settings;
            }
        };
        for (key, value) in table.get_ref() {
            let at = span(source, text, &key.span());
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("lint", DeValue::Table(rules)) => {
                    for (name, value) in rules {
                        settings.entry(Place { source, text }, name, value, sink);
                    }
                }
                ("lint", _) => {
                    sink.push(unusable("`lint` is a table", at).help("write `[lint]` and the rules below it"));
                }
                // Where to deploy is no matter of rules; that it can be understood is told all the same.
                (deploy::TABLE, _) => DeploySettings::default().table(value, at, "", (source, text), sink),
                (prices::TABLE, _) => PriceSettings::default().table(value, at, "", (source, text), sink),
                (other, _) => sink.push(deploy::unknown_table(other, at)),
            }
        }
        settings
    }

    fn entry(
        &mut self,
        place: Place<'_>,
        name: &Spanned<toml::de::DeString<'_>>,
        value: &Spanned<DeValue<'_>>,
        sink: &mut Sink,
    ) {
        let at = span(place.source, place.text, &name.span());
        let name = name.get_ref().as_ref();
        let Some(rule) = rule_named(name) else {
            let diagnostic = unusable(format!("there is no rule `{}`", shown(name)), at);
            sink.push(match similar_rule(name) {
                Some(meant) => diagnostic.write_instead(meant.id, at),
                None => diagnostic.help("run `dsvmc lint --list` for all rules"),
            });
            return;
        };
        let mut found = RuleSettings::default();
        match value.get_ref() {
            DeValue::Table(table) => {
                for (key, value) in table {
                    place.option(rule, key, value, &mut found, sink);
                }
            }
            _ => found.level = place.level(value, sink),
        }
        self.rules.insert(rule.id, found);
    }

    /// Takes over what a file of a folder above says and this one does not.
    pub fn inherit(&mut self, above: &Self) {
        for (id, theirs) in &above.rules {
            let own = self.rules.entry(id).or_default();
            own.level = own.level.or(theirs.level);
            for (name, value) in &theirs.options {
                own.options.entry(name).or_insert_with(|| value.clone());
            }
        }
    }

    /// The level of a rule: as set, else its own. A rule that is `asked` for by name is never off.
    #[must_use]
    pub fn level(&self, rule: &Rule, asked: bool) -> Level {
        let level = self.rules.get(rule.id).and_then(|set| set.level).unwrap_or(rule.level);
        if asked && level == Level::Off { Level::Info } else { level }
    }

    pub(crate) fn options(&self, rule: &Rule) -> Options<'_> {
        Options { set: self.rules.get(rule.id).map(|set| &set.options), known: rule.options }
    }
}

/// The file that is read.
#[derive(Clone, Copy)]
struct Place<'t> {
    source: SourceId,
    text: &'t str,
}

impl Place<'_> {
    fn span(self, range: &Range<usize>) -> Span {
        span(self.source, self.text, range)
    }

    fn level(self, value: &Spanned<DeValue<'_>>, sink: &mut Sink) -> Option<Level> {
        let at = self.span(&value.span());
        let words = Level::ALL.map(|level| format!("`\"{}\"`", level.word())).join(", ");
        let DeValue::String(text) = value.get_ref() else {
            sink.push(unusable("a level is a text", at).help(format!("write one of {words}")));
            return None;
        };
        let level = Level::ALL.into_iter().find(|level| level.word() == text.as_ref());
        if level.is_none() {
            sink.push(unusable(format!("`{}` is no level", shown(text)), at).help(format!("write one of {words}")));
        }
        level
    }

    fn option(
        self,
        rule: &'static Rule,
        key: &Spanned<toml::de::DeString<'_>>,
        value: &Spanned<DeValue<'_>>,
        into: &mut RuleSettings,
        sink: &mut Sink,
    ) {
        let name = key.get_ref().as_ref();
        if name == "level" {
            into.level = self.level(value, sink);
            return;
        }
        let Some(known) = rule.options.iter().find(|option| option.name == name) else {
            let names: Vec<String> =
                std::iter::once("level").chain(rule.options.iter().map(|o| o.name)).map(|n| format!("`{n}`")).collect();
            let diagnostic = unusable(format!("`{}` has no option `{}`", rule.id, shown(name)), self.span(&key.span()));
            sink.push(diagnostic.help(format!("its options are {}", names.join(", "))));
            return;
        };
        let at = self.span(&value.span());
        match self.value(known, value) {
            Ok(value) => {
                into.options.insert(known.name, value);
            }
            Err(why) => {
                sink.push(unusable(format!("`{name}` of `{}` takes {}", rule.id, known.default.what()), at).help(why))
            }
        }
    }

    fn value(self, known: &OptionSpec, value: &Spanned<DeValue<'_>>) -> Result<OptionValue, String> {
        match (known.default, value.get_ref()) {
            (OptionDefault::Number(default), DeValue::Integer(number)) => {
                let digits = number.as_str().replace('_', "");
                let read = i64::from_str_radix(&digits, number.radix()).ok().filter(|n| (0..=1_000_000).contains(n));
                read.map(OptionValue::Number).ok_or_else(|| format!("write a number such as `{default}`"))
            }
            (OptionDefault::Words, DeValue::Array(items)) => {
                let words = items.iter().map(|item| item.get_ref().as_str().map(str::to_owned));
                words.collect::<Option<_>>().map(OptionValue::Words).ok_or_else(|| "write texts in quotes".to_owned())
            }
            (OptionDefault::Patterns, DeValue::Table(table)) => {
                let patterns = table.iter().map(|(name, pattern)| {
                    let text = pattern.get_ref().as_str().ok_or_else(|| "write a pattern in quotes".to_owned())?;
                    let pattern = regex::RegexBuilder::new(text).size_limit(PATTERN).build();
                    let pattern = pattern.map_err(|_| format!("`{}` is no regular expression", shown(text)))?;
                    Ok((name.get_ref().to_string(), pattern))
                });
                patterns.collect::<Result<_, String>>().map(OptionValue::Patterns)
            }
            (OptionDefault::Number(default), _) => Err(format!("write a number such as `{default}`")),
            (OptionDefault::Words, _) => Err("write a list such as `[\"one\", \"two\"]`".to_owned()),
            (OptionDefault::Patterns, _) => {
                Err("write a table such as `{ \"Microsoft.Network/virtualNetworks\" = \"^vnet-\" }`".to_owned())
            }
        }
    }
}

/// A range of the file, on character boundaries.
pub(crate) fn span(source: SourceId, text: &str, range: &Range<usize>) -> Span {
    let start = text.floor_char_boundary(range.start.min(text.len()));
    let end = text.ceil_char_boundary(range.end.min(text.len())).max(start);
    Span::new(source, start as u32, end as u32)
}

pub(crate) fn unreadable(why: &str, at: Span) -> Diagnostic {
    let first = why.lines().next().unwrap_or_default().trim_end_matches('.');
    Diagnostic::new(Code::SettingsUnreadable, "this file is not TOML", at, "not understood")
        .note(first)
        .help("see <https://toml.io> for the form; `dsvmc explain lint-finding` shows an example")
}

/// An entry of a settings file that cannot be used as it is.
#[must_use]
pub fn unusable(title: impl Into<String>, at: Span) -> Diagnostic {
    Diagnostic::new(Code::SettingUnknown, title, at, "no effect")
}

/// Reports a settings file that cannot be decoded or is too large; `why` is a clause.
#[must_use]
pub fn refused(source: SourceId, why: &str) -> Diagnostic {
    let at = Span::new(source, 0, 0);
    Diagnostic::new(Code::SettingsUnreadable, "these settings cannot be read", at, "no effect")
        .note(why)
        .help("put a text file in its place, or remove it")
}

/// Names of all rules, for shells and editors.
pub fn names() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|rule| rule.id)
}
