//! Findings with changes that can be applied blindly → the texts of the files with these changes.
//!
//! Promises: a round of changes that makes anything worse is taken back, so what compiled still does, and no file gets more
//! findings than it had. Changes that overlap wait for the next round; there are at most [`ROUNDS`].

use super::load::{decode, shown};
use super::{EntryKind, LoadError, SettingsFile, World};
use dsvm_diagnostics::source::{SourceKind, SourceMap, Span};
use dsvm_diagnostics::{Diagnostic, Safety, Severity};
use dsvm_sema::load::NoText;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Most times that findings are asked for again: a change can make room for the next.
pub const ROUNDS: usize = 10;

/// A change that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The file, as people see it.
    pub file: String,
    /// The line that it began on when it was made.
    pub line: u32,
    /// What the finding is known by: a code, or the name of a rule.
    pub id: String,
    /// What the change does.
    pub title: String,
}

/// Files that changes are made to.
#[derive(Clone, Debug, Default)]
pub struct Fixed {
    /// Text before and after, by path.
    pub files: Files,
    /// In the order in which they were made.
    pub applied: Vec<Applied>,
}

/// Texts before and after, by path.
pub type Files = BTreeMap<PathBuf, (String, String)>;

/// Findings of one project with the files that they point into.
pub type Asked = Vec<(SourceMap, Vec<Diagnostic>)>;

/// Applies what can be applied blindly, until nothing is left or a round helps no more. `ask` gives the findings of a world;
/// nothing is written.
///
/// # Errors
/// `ask` fails, as it would without changes.
pub fn fixed<E>(world: &dyn World, ask: impl Fn(&dyn World) -> Result<Asked, E>) -> Result<Fixed, E> {
    let mut fixed = Fixed::default();
    let mut before = ask(world)?;
    // Changes that made something worse, by what they do and where.
    let mut refused: BTreeSet<(String, String)> = BTreeSet::new();
    for _ in 0..ROUNDS {
        let round = Round::of(&before, &refused);
        if round.applied.is_empty() {
            break;
        }
        let mut tried = fixed.clone();
        for (path, (old, new)) in &round.files {
            tried.files.entry(path.clone()).or_insert_with(|| (old.clone(), String::new())).1.clone_from(new);
        }
        let after = ask(&Changed { world, files: &tried.files })?;
        if worse(&before, &after) {
            refused.extend(round.applied.iter().map(|one| (one.id.clone(), one.title.clone())));
            continue;
        }
        tried.applied.extend(round.applied);
        fixed = tried;
        before = after;
    }
    fixed.files.retain(|_, (old, new)| old != new);
    Ok(fixed)
}

/// Whether there are more findings of some severity than before.
fn worse(before: &Asked, after: &Asked) -> bool {
    let count = |asked: &Asked, severity| asked.iter().flat_map(|(_, f)| f).filter(|f| f.severity == severity).count();
    let all = |asked: &Asked| asked.iter().map(|(_, found)| found.len()).sum::<usize>();
    let hidden = count(before, Severity::Error) > 0;
    // Warnings are told only where there are no errors: more of them may have been there.
    count(after, Severity::Error) > count(before, Severity::Error)
        || !hidden && (all(after) > all(before) || count(after, Severity::Warning) > count(before, Severity::Warning))
}

/// The changes of one round.
#[derive(Default)]
struct Round {
    files: Files,
    applied: Vec<Applied>,
}

impl Round {
    fn of(asked: &Asked, refused: &BTreeSet<(String, String)>) -> Self {
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        let mut edits: BTreeMap<String, Vec<(usize, usize, String)>> = BTreeMap::new();
        let mut applied = Vec::new();
        for (sources, found) in asked {
            for finding in found {
                let safe = |fix: &&dsvm_diagnostics::Fix| fix.safety == Safety::Safe && !fix.edits.is_empty();
                let Some(fix) = finding.fixes.iter().find(safe) else { continue };
                if refused.contains(&(finding.id(), fix.title.clone())) {
                    continue;
                }
                let placed: Option<Vec<(String, usize, usize, String)>> =
                    fix.edits.iter().map(|(span, text)| edit(sources, *span, text)).collect();
                let Some(placed) = placed else { continue };
                let free = placed.iter().all(|(file, start, end, _)| {
                    let known = edits.get(file).into_iter().flatten();
                    // Two texts at one point have no order.
                    known.into_iter().all(|(from, to, _)| end < from || start > to)
                });
                if !free {
                    continue;
                }
                let at = finding.primary().and_then(|span| {
                    let file = sources.get(span.source)?;
                    Some((file.name.to_string(), file.line_column(span.start).0))
                });
                let Some((file, line)) = at else { continue };
                for (file, start, end, text) in placed {
                    edits.entry(file).or_default().push((start, end, text));
                }
                applied.push(Applied { file, line, id: finding.id(), title: fix.title.clone() });
            }
            for (_, file) in sources.iter() {
                texts.entry(file.name.to_string()).or_insert_with(|| file.text.to_string());
            }
        }
        Self { files: made(texts, edits), applied }
    }
}

/// The texts before and after edits, by path. Edits of one file do not overlap.
fn made(mut texts: BTreeMap<String, String>, edits: BTreeMap<String, Vec<(usize, usize, String)>>) -> Files {
    let mut files = Files::new();
    for (file, mut edits) in edits {
        let Some(old) = texts.remove(&file) else { continue };
        edits.sort_unstable();
        edits.dedup();
        let mut new = old.clone();
        for (start, end, text) in edits.into_iter().rev() {
            if new.get(start..end).is_some() {
                new.replace_range(start..end, &text);
            }
        }
        files.insert(PathBuf::from(file), (old, new));
    }
    files
}

/// The files of a project with other texts at some places. `None` when one of them is not in a file of the project.
#[must_use]
pub fn edited(sources: &SourceMap, edits: &[(Span, String)]) -> Option<Files> {
    let mut placed: BTreeMap<String, Vec<(usize, usize, String)>> = BTreeMap::new();
    for (span, text) in edits {
        let (file, start, end, text) = edit(sources, *span, text)?;
        placed.entry(file).or_default().push((start, end, text));
    }
    let texts = sources.iter().map(|(_, file)| (file.name.to_string(), file.text.to_string())).collect();
    Some(made(texts, placed))
}

/// The world with other texts in some files.
#[must_use]
pub fn changed<'w>(world: &'w dyn World, files: &'w Files) -> impl World + 'w {
    Changed { world, files }
}

/// An edit of a project's file; a line of which nothing would be left goes as a whole.
fn edit(sources: &SourceMap, span: Span, text: &str) -> Option<(String, usize, usize, String)> {
    let file = sources.get(span.source).filter(|_| matches!(span.source.kind(), SourceKind::File(_)))?;
    let (mut start, mut end) = (span.start as usize, span.end as usize);
    let before = file.text.get(..start)?;
    let after = file.text.get(end..)?;
    if text.is_empty() {
        let line = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = after.find('\n');
        let blank = |text: Option<&str>| text.is_some_and(|text| text.trim().is_empty());
        if blank(before.get(line..)) && blank(after.get(..rest.unwrap_or(after.len()))) {
            start = line;
            end += rest.map_or(after.len(), |at| at + 1);
        }
    }
    Some((file.name.to_string(), start, end, text.to_owned()))
}

/// A world in which some files have other texts.
struct Changed<'w> {
    world: &'w dyn World,
    files: &'w Files,
}

impl Changed<'_> {
    fn text(&self, path: &Path) -> Option<Vec<u8>> {
        let name = dsvm_sema::load::plain_path(&shown(path));
        let found = self.files.iter().find(|(known, _)| dsvm_sema::load::plain_path(&shown(known)) == name);
        found.map(|(_, (_, new))| new.clone().into_bytes())
    }
}

impl World for Changed<'_> {
    fn read(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
        self.text(path).map_or_else(|| self.world.read(path), Ok)
    }

    fn read_own(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
        self.text(path).map_or_else(|| self.world.read_own(path), Ok)
    }

    fn read_import(&self, path: &Path, folder: &Path) -> Result<Vec<u8>, NoText> {
        self.text(path).map_or_else(|| self.world.read_import(path, folder), Ok)
    }

    fn read_linked(&self, path: &Path, folder: &Path) -> Result<Vec<u8>, LoadError> {
        self.world.read_linked(path, folder)
    }

    fn kind(&self, path: &Path) -> Result<EntryKind, LoadError> {
        self.world.kind(path)
    }

    fn list(&self, folder: &Path) -> Result<Vec<(PathBuf, EntryKind)>, LoadError> {
        self.world.list(folder)
    }

    fn settings(&self, folder: &Path) -> Vec<SettingsFile> {
        self.world.settings(folder)
    }

    fn today(&self) -> Date {
        self.world.today()
    }
}

/// Whether the file on the disk still has the text that the changes were made to: it may be no UTF-8, or somebody may have
/// saved it meanwhile.
#[must_use]
pub fn unchanged(world: &dyn World, path: &Path, old: &str) -> bool {
    world.read(path).is_ok_and(|bytes| {
        let (text, broken) = decode(bytes);
        broken.is_none() && text == old
    })
}
