//! Lint rules: advice about a project that has no errors. Turns a fleet, its resource graph and settings into findings.
//!
//! Promises: a rule judges what is known while compiling and is silent about the rest; each finding stands at the line that
//! would be changed, says what to write instead, and can be allowed there with a reason. What the compiler reports already
//! is no rule. [`catalogue`] is the one list of rules, [`settings`] what `dsvmc.toml` changes about them, [`allowance`] what
//! comments in the sources do.

pub mod allowance;
mod arm;
pub mod catalogue;
mod deploy;
mod prices;
mod rules;
pub mod settings;
mod subject;

pub use catalogue::{Category, Level, RULES, Rule, rule_named, similar_rule};
pub use deploy::DeploySettings;
pub use prices::{PriceSettings, WrittenDiscount};
pub use settings::Settings;
pub use subject::Subject;

use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Diagnostic, Severity};
use std::collections::BTreeMap;

/// What the rules that are on find, in the order of the catalogue. `wanted`: the only rule to run, else all.
#[must_use]
pub fn run(subject: &Subject<'_, '_>, settings: &Settings, wanted: &[&Rule]) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    for rule in RULES {
        let asked = wanted.iter().any(|one| one.id == rule.id);
        if !wanted.is_empty() && !asked {
            continue;
        }
        // A rule that is asked for by name is meant to run, also where it is off.
        let level = settings.level(rule, asked);
        let Some(severity) = level.severity() else { continue };
        let mut found = Vec::new();
        (rule.check)(&subject.with(settings.options(rule)), &mut found);
        all.extend(named(found, rule, severity));
    }
    all
}

/// Gives findings the name and the level of their rule. Blocks that are repeated stand at one place: it is told once.
fn named(found: Vec<Diagnostic>, rule: &Rule, severity: Severity) -> Vec<Diagnostic> {
    let mut kept: Vec<Diagnostic> = Vec::new();
    let mut places: BTreeMap<Option<Span>, (usize, usize)> = BTreeMap::new();
    for mut diagnostic in found {
        diagnostic.rule = Some(rule.id.into());
        diagnostic.severity = severity;
        match places.get_mut(&diagnostic.primary()) {
            Some((_, more)) => *more += 1,
            None => {
                places.insert(diagnostic.primary(), (kept.len(), 0));
                kept.push(diagnostic);
            }
        }
    }
    for (at, more) in places.into_values().filter(|(_, more)| *more > 0) {
        let note = match more {
            1 => "the same is true of one other that is declared here".to_owned(),
            more => format!("the same is true of {more} others that are declared here"),
        };
        if let Some(diagnostic) = kept.get_mut(at) {
            diagnostic.notes.push(note);
        }
    }
    kept
}
