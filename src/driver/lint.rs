//! Paths → what lint rules find in the projects there, with the settings of `dsvmc.toml` and the comments of the sources.

use super::compile::{Compilation, Purpose, check_with};
use super::find::{Project, projects};
use super::{LoadError, World, load};
use dsvm_diagnostics::source::{SourceFile, SourceMap};
use dsvm_diagnostics::{Code, Diagnostic, Severity, Sink};
use dsvm_lint::allowance::Allowances;
use dsvm_lint::{DeploySettings, Level, Rule, Settings, Subject, rule_named, settings};
use dsvm_sema::checked::ExemptFinding;
use dsvm_sema::rules::TeamRule;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A settings file that was found.
#[derive(Clone, Debug)]
pub struct SettingsFile {
    /// Its path as people see it.
    pub path: PathBuf,
    /// Its bytes, or why it was not read.
    pub bytes: Result<Vec<u8>, Unread>,
}

/// Why a settings file was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It is a folder, a pipe or a device.
    Special,
    /// It has more bytes than settings need.
    TooLarge,
    /// The file system refused.
    Refused,
}

impl Unread {
    fn clause(self) -> &'static str {
        match self {
            Self::Special => "it is not a regular file",
            Self::TooLarge => "settings have at most 256 KiB",
            Self::Refused => "the file system refuses to read it",
        }
    }
}

/// The rules to ask, and what the project says about them.
pub(super) struct Advice<'o> {
    settings: &'o Settings,
    /// The only rules to ask, by their names; all when it is empty.
    wanted: &'o [String],
}

impl Advice<'_> {
    pub(super) fn ask(&self, subject: &Subject<'_, '_>) -> Vec<Diagnostic> {
        let wanted: Vec<&Rule> = self.wanted.iter().filter_map(|name| rule_named(name)).collect();
        // Those that are wanted are the team's own.
        if wanted.is_empty() && !self.wanted.is_empty() {
            return Vec::new();
        }
        dsvm_lint::run(subject, self.settings, &wanted)
    }

    fn wants(&self, id: &str) -> bool {
        self.wanted.is_empty() || self.wanted.iter().any(|name| name == id)
    }

    /// Whether a rule was asked.
    fn asked(&self, id: &str) -> bool {
        let on = |rule| self.settings.level(rule, !self.wanted.is_empty()) != Level::Off;
        // The team's own rules are always on.
        self.wants(id) && rule_named(id).is_none_or(on)
    }
}

/// What lint says about one project, or about a settings file.
#[derive(Clone, Debug)]
pub struct Linted {
    /// Name of the project; none for a settings file.
    pub name: Option<String>,
    /// The files that the findings point into.
    pub sources: SourceMap,
    /// Findings of rules, and what is wrong with comments; when the project has errors, these alone.
    pub findings: Vec<Diagnostic>,
    /// Findings that comments of the sources allow.
    pub allowed: Vec<ExemptFinding>,
    /// The team's own rules that hold for the project.
    pub team: Vec<TeamRule>,
}

/// Asks the rules about every project at or below the given paths; `wanted` are the only rules to ask, if any. Settings
/// files come first, each once.
///
/// # Errors
/// A path cannot be read, or no project is below it.
pub fn lint_each(world: &dyn World, paths: &[PathBuf], wanted: &[String]) -> Result<Vec<Linted>, LoadError> {
    let found = projects(world, paths)?;
    let mut read = BTreeMap::new();
    let settings: Vec<Settings> = found.iter().map(|project| settings_of(world, project.folder(), &mut read)).collect();
    let mut all: Vec<Linted> = read
        .into_values()
        .filter(|file: &ReadSettings| !file.findings.is_empty())
        .map(|file| Linted {
            name: None,
            sources: file.sources,
            findings: file.findings,
            allowed: Vec::new(),
            team: Vec::new(),
        })
        .collect();
    let linted: Vec<Linted> = found
        .par_iter()
        .zip(&settings)
        .map(|(project, settings)| {
            let advice = Advice { settings, wanted };
            let mut done = check_with(world, project, &advice)?;
            done.require_project(Purpose::Check);
            Ok(finish(&mut done, &advice))
        })
        .collect::<Result<_, LoadError>>()?;
    all.extend(linted);
    Ok(all)
}

/// What a check and the rules find in one project, for editors: without hints of rules; with errors, what the
/// check says.
///
/// # Errors
/// A file cannot be read.
pub fn check_and_lint(world: &dyn World, project: &Project) -> Result<(SourceMap, Vec<Diagnostic>), LoadError> {
    let settings = settings_of(world, project.folder(), &mut BTreeMap::new());
    let advice = Advice { settings: &settings, wanted: &[] };
    let mut done = check_with(world, project, &advice)?;
    done.require_project(Purpose::Check);
    if done.failed() {
        return Ok((done.sources, done.diagnostics));
    }
    let mut sink = Sink::default();
    sink.extend(done.diagnostics.clone());
    let linted = finish(&mut done, &advice);
    // Those of the team's own rules are told by the check already. Hints below each second line would hide what matters
    // while somebody types: `dsvmc lint` has them, and a level in `dsvmc.toml` brings them here.
    let shown = |found: &Diagnostic| found.code != Code::RuleBroken && found.severity != Severity::Info;
    sink.extend(linted.findings.into_iter().filter(shown));
    Ok((linted.sources, sink.finish()))
}

/// Leaves out what comments allow, and says what is wrong with them.
fn finish(done: &mut Compilation, advice: &Advice<'_>) -> Linted {
    let name = Some(done.name.to_string());
    let sources = std::mem::take(&mut done.sources);
    let team = std::mem::take(&mut done.team_rules);
    if done.failed() {
        let mut findings = std::mem::take(&mut done.diagnostics);
        findings.retain(|d| d.severity == Severity::Error);
        return Linted { name, sources, findings, allowed: Vec::new(), team };
    }
    let mut allowances = Allowances::read(&sources, &team);
    let (kept, mut allowed) = allowances.apply(std::mem::take(&mut done.advice));
    let mut sink = Sink::default();
    sink.extend(kept);
    // What breaks the team's own rules was found while the project was checked.
    let by_team = |d: &Diagnostic| d.code == Code::RuleBroken && d.rule.as_deref().is_some_and(|id| advice.wants(id));
    sink.extend(std::mem::take(&mut done.diagnostics).into_iter().filter(by_team));
    allowances.mark(&done.exempt);
    allowed.append(&mut done.exempt);
    allowed.retain(|one| one.diagnostic.rule.as_deref().is_some_and(|id| advice.wants(id)));
    let names: Vec<String> = done.project.files.iter().map(|path| load::shown(path)).collect();
    let own = |source| sources.get(source).is_some_and(|file| names.iter().any(|name| **name == *file.name));
    sink.extend(allowances.finish(|id| advice.asked(id), own));
    Linted { name, sources, findings: sink.finish(), allowed, team }
}

/// A settings file, read once however many projects it is for.
struct ReadSettings {
    settings: Settings,
    sources: SourceMap,
    findings: Vec<Diagnostic>,
}

/// The settings of a folder: those of its own file, and behind them those of the files above.
fn settings_of(world: &dyn World, folder: &Path, read: &mut BTreeMap<PathBuf, ReadSettings>) -> Settings {
    let mut settings = Settings::default();
    for file in world.settings(folder) {
        let one = read.entry(file.path.clone()).or_insert_with(|| read_settings(&file));
        settings.inherit(&one.settings);
    }
    settings
}

/// What `dsvmc.toml` files say about where the project in a folder is deployed. A mistake in one is an error: what would be
/// deployed somewhere else than its author meant is not deployed.
///
/// # Errors
/// The files that cannot be understood, and what is wrong with the first of them.
pub fn deploy_settings(world: &dyn World, folder: &Path) -> Result<DeploySettings, Box<(SourceMap, Vec<Diagnostic>)>> {
    let mut settings = DeploySettings::default();
    for file in world.settings(folder) {
        let (mut sources, mut sink) = (SourceMap::default(), Sink::default());
        let name = load::shown(&file.path);
        match &file.bytes {
            Ok(bytes) => {
                let (text, broken) = load::decode(bytes.clone());
                let source = sources.add(SourceFile::new(name.clone(), text.clone()));
                match broken {
                    Some(_) => sink.push(settings::refused(source, "it is not UTF-8 text")),
                    None => settings.inherit(&DeploySettings::read(&text, &name, source, &mut sink)),
                }
            }
            Err(why) => {
                let source = sources.add(SourceFile::new(name, String::new()));
                sink.push(settings::refused(source, why.clause()));
            }
        }
        if sink.has_errors() {
            return Err(Box::new((sources, sink.finish())));
        }
    }
    Ok(settings)
}

fn read_settings(file: &SettingsFile) -> ReadSettings {
    let mut sources = SourceMap::default();
    let mut sink = Sink::default();
    let name = load::shown(&file.path);
    let settings = match &file.bytes {
        Ok(bytes) => {
            let (text, broken) = load::decode(bytes.clone());
            let source = sources.add(SourceFile::new(name, text.clone()));
            if broken.is_some() {
                sink.push(settings::refused(source, "it is not UTF-8 text"));
                Settings::default()
            } else {
                Settings::read(&text, source, &mut sink)
            }
        }
        Err(why) => {
            let source = sources.add(SourceFile::new(name, String::new()));
            sink.push(settings::refused(source, why.clause()));
            Settings::default()
        }
    };
    ReadSettings { settings, sources, findings: sink.finish() }
}
