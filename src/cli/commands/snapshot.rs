//! `dsvmc snapshot`: what projects deploy, kept beside the sources as text, and what changed since.

use super::build::WriteError;
use crate::cli::Context;
use crate::cli::args::Format;
use crate::cli::exit::Exit;
use crate::cli::report;
use crate::deploy::error::CommandError;
use crate::deploy::frontend::{Frontend, Question};
use crate::deploy::git::Repository;
use crate::deploy::snapshot::{self, Difference, EXTENSION, FOLDER, Snapshot, Taken, compare};
use crate::driver::{self, Compilation, Options, Purpose, Stop, World, shown};
use crate::render::palette::Role;
use crate::render::{Found, snapshot as draw};
use dsvm_diagnostics::source::SourceMap;
use dsvm_diagnostics::{Code, Diagnostic, count};
use dsvm_files::Readers;
use miette::IntoDiagnostic;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The command line arguments of `snapshot`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Snapshots are kept in `snapshots/` beside the sources, one for each env. Without an option, new ones are \
                  written and changed ones shown.\n\n\
                  Examples:\n  dsvmc snapshot pools/\n  dsvmc snapshot --check pools/    (in CI)\n  \
                  dsvmc snapshot --review          (look at each change, then accept it or not)\n  \
                  dsvmc snapshot --against main    (what a branch changes)"
)]
pub struct Args {
    /// Files, project folders, or folders with projects below them
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// Leave out the snapshots of all other envs
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Write nothing; exit with code 1 when a snapshot is missing or differs
    #[arg(long, conflicts_with_all = ["review", "accept", "against"])]
    check: bool,
    /// Show each changed snapshot and ask whether to accept it
    #[arg(long, conflicts_with_all = ["accept", "against"])]
    review: bool,
    /// Write every snapshot, changed ones too, and remove those of envs that are gone
    #[arg(long, conflicts_with = "against")]
    accept: bool,
    /// Compare with the sources of another commit instead of the files
    #[arg(long, value_name = "COMMIT")]
    against: Option<String>,
    /// Show every line of resources that are new or gone
    #[arg(long)]
    full: bool,
}

/// How a snapshot compares with its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// There is no file yet.
    New,
    /// The file says the same.
    Same,
    /// The file says something else.
    Changed,
    /// A file whose project has no such env any more.
    Stale,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::New => "new",
            State::Same => "same",
            State::Changed => "changed",
            State::Stale => "stale",
        }
    }
}

/// One snapshot beside its file.
struct Compared {
    name: String,
    file: PathBuf,
    state: State,
    /// What to write; nothing for a stale file.
    text: Option<String>,
    differences: Vec<Difference>,
}

/// What one project gave.
struct Project {
    sources: SourceMap,
    diagnostics: Vec<Diagnostic>,
    taken: Result<Vec<Taken>, CommandError>,
    /// Names of all its envs, also when one was asked for.
    envs: Vec<String>,
    name: String,
}

/// Runs `dsvmc snapshot` and returns how the process exits.
///
/// # Errors
/// A file cannot be read or written.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let projects = compiled(&args.paths, args.env.as_deref(), cx.world.as_ref())?;
    let loud = |p: &Project| p.diagnostics.iter().any(|d| d.severity == dsvm_diagnostics::Severity::Error);
    if projects.iter().any(loud) {
        let found: Vec<Found<'_>> = projects.iter().map(|p| (&p.sources, p.diagnostics.as_slice())).collect();
        return Ok(cx.report_all(&found)?);
    }
    let mut all = Vec::new();
    for project in projects {
        let taken = match project.taken {
            Ok(taken) => taken,
            Err(error) => return report::finish(Err(error), &mut cx.printer),
        };
        let stale = if args.env.is_none() && args.against.is_none() {
            stale(&project.name, &project.envs, &taken)?
        } else {
            Vec::new()
        };
        // The other commit is compiled once, however many envs there are.
        let old = match (&args.against, taken.first()) {
            (Some(commit), Some(first)) => match before(first, args, commit) {
                Ok(old) => old,
                Err(error) => return report::finish(Err(error), &mut cx.printer),
            },
            _ => Vec::new(),
        };
        for one in taken {
            all.push(match &args.against {
                Some(_) => Compared { text: None, state: State::Same, differences: Vec::new(), ..unread(&one) },
                None => match beside(&one) {
                    Ok(compared) => compared,
                    Err(error) => return report::finish(Err(error), &mut cx.printer),
                },
            });
            if let (Some(_), Some(last)) = (&args.against, all.last_mut()) {
                // An empty one where the project or its env did not exist then.
                let none = Snapshot::default();
                let same = old.iter().find(|old| old.env == one.env).map_or(&none, |old| &old.snapshot);
                last.differences = compare(same, &one.snapshot);
                last.state = if last.differences.is_empty() { State::Same } else { State::Changed };
            }
        }
        all.extend(stale);
    }
    if let (Some(env), true) = (&args.env, all.is_empty()) {
        let error =
            CommandError::input(Code::EnvNeeded, format!("no project here has an env `{env}`"), "leave `--env` out");
        return report::finish(Err(error), &mut cx.printer);
    }
    finish(args, &all, cx)
}

/// Every project at the paths with its snapshots.
fn compiled(paths: &[PathBuf], env: Option<&str>, world: &dyn World) -> Result<Vec<Project>, driver::LoadError> {
    driver::compile_each(world, paths, Options { stop: Stop::AfterEmission }, |one: &mut Compilation| {
        one.require_project(Purpose::Deploy);
        let taken = if one.failed() { Ok(Vec::new()) } else { snapshot::of_compilation(one, env) };
        Project {
            taken,
            envs: one.envs.iter().map(ToString::to_string).collect(),
            name: one.name.to_string(),
            sources: std::mem::take(&mut one.sources),
            diagnostics: std::mem::take(&mut one.diagnostics),
        }
    })
}

fn unread(taken: &Taken) -> Compared {
    let name =
        if taken.env.is_empty() { taken.project.clone() } else { format!("{}, env {}", taken.project, taken.env) };
    Compared {
        name,
        file: taken.file.clone(),
        state: State::New,
        text: Some(taken.snapshot.text()),
        differences: Vec::new(),
    }
}

/// Compares a snapshot with its file.
fn beside(taken: &Taken) -> Result<Compared, CommandError> {
    let mut compared = unread(taken);
    let text = match std::fs::read_to_string(&taken.file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(compared),
        Err(error) => {
            let title = format!("`{}` cannot be read: {error}", shown(&taken.file));
            return Err(CommandError::environment(Code::FileUnreadable, title, ""));
        }
    };
    let Some(old) = Snapshot::read(&text) else {
        let title = format!("`{}` is not a snapshot of dsvmc", shown(&taken.file));
        return Err(CommandError::input(
            Code::OutputUnwritable,
            title,
            "move the file away, or restore it from the repository",
        ));
    };
    compared.differences = compare(&old, &taken.snapshot);
    compared.state = if compared.differences.is_empty() { State::Same } else { State::Changed };
    Ok(compared)
}

/// Files of this project that belong to envs which it no longer has.
fn stale(project: &str, envs: &[String], taken: &[Taken]) -> Result<Vec<Compared>, miette::Report> {
    let Some(folder) = taken.first().and_then(|one| one.file.parent()) else { return Ok(Vec::new()) };
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in entries {
        files.push(entry.into_diagnostic()?.path());
    }
    files.sort();
    let current: BTreeSet<String> = envs.iter().map(|env| format!("{project}.{env}")).collect();
    let ours = |path: &Path| {
        let stem = path.file_stem()?.to_str()?;
        let mine = stem == project || stem.strip_prefix(project).is_some_and(|rest| rest.starts_with('.'));
        let kept = if envs.is_empty() { stem == project } else { current.contains(stem) };
        let is = mine && !kept && path.extension()? == EXTENSION;
        let old = Snapshot::read(&std::fs::read_to_string(path).ok()?)?;
        is.then(|| Compared {
            name: stem.to_owned(),
            file: path.to_owned(),
            state: State::Stale,
            text: None,
            differences: compare(&old, &Snapshot::default()),
        })
    };
    Ok(files.iter().filter_map(|path| ours(path)).collect())
}

/// The snapshots of the same project at another commit; none when it did not exist then.
fn before(now: &Taken, args: &Args, commit: &str) -> Result<Vec<Taken>, CommandError> {
    let path = now.file.parent().and_then(Path::parent).filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let paths = if args.paths.iter().any(|p| p.is_file()) { args.paths.as_slice() } else { &[path.to_owned()] };
    let repository = Repository::open(path, commit)?;
    let Ok(old) = compiled(paths, args.env.as_deref(), &repository) else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for project in old.into_iter().filter(|project| project.name == now.project) {
        all.extend(project.taken?);
    }
    Ok(all)
}

/// Shows, asks and writes.
fn finish(args: &Args, all: &[Compared], cx: &mut Context) -> Result<Exit, miette::Report> {
    let mut open = 0;
    let mut written = 0;
    for one in all {
        let decided = match one.state {
            State::Same => continue,
            State::New if args.check => false,
            State::New => true,
            State::Changed | State::Stale if args.accept => true,
            State::Changed | State::Stale => {
                if cx.format == Format::Human {
                    show(one, args, cx)?;
                }
                args.review && accepted(one, cx)?
            }
        };
        if decided && args.against.is_none() {
            write(one)?;
            written += 1;
            let verb = if one.state == State::Stale { "removed" } else { "wrote" };
            cx.printer.note(&format!("{verb} `{}`\n", shown(&one.file)));
        } else {
            open += 1;
            if one.state == State::New && cx.format == Format::Human {
                cx.printer.data(&format!("{}: there is no `{}` yet\n", one.name, shown(&one.file)))?;
            }
        }
    }
    if cx.format != Format::Human {
        let list: Vec<Value> = all.iter().map(data).collect();
        cx.printer.json(&format!("{:#}\n", json!({ "snapshots": list })))?;
    }
    if args.against.is_some() {
        if open == 0 {
            cx.printer.note("Nothing that is deployed differs.\n");
        }
        return Ok(Exit::Done);
    }
    if open > 0 {
        let which = if open == 1 { "1 snapshot differs".to_owned() } else { format!("{open} snapshots differ") };
        cx.printer.say(&format!(
            "{which}; look through them with `dsvmc snapshot --review`, or accept all with `--accept`\n"
        ));
        return Ok(Exit::Input);
    }
    if written == 0 {
        cx.printer.note(&format!("{} as before\n", count(all.len(), "snapshot")));
    }
    Ok(Exit::Done)
}

fn show(one: &Compared, args: &Args, cx: &mut Context) -> Result<(), miette::Report> {
    let palette = cx.printer.output_palette();
    let what = match (&args.against, one.state) {
        (Some(commit), _) => format!("{}, compared with {commit}", one.name),
        (None, State::Stale) => {
            format!("{} is gone from the sources; its snapshot `{}` is left", one.name, shown(&one.file))
        }
        (None, _) => format!("{} differs from `{}`", one.name, shown(&one.file)),
    };
    let title = palette.paint(Role::Title, &crate::render::plan::clean(&what));
    let body =
        if one.state == State::Stale { String::new() } else { draw::differences(&one.differences, args.full, palette) };
    cx.printer.data(&format!("{title}\n{body}\n"))?;
    Ok(())
}

/// Asks about one snapshot: accepted, or left for now.
fn accepted(one: &Compared, cx: &mut Context) -> Result<bool, miette::Report> {
    if !cx.printer.can_ask() {
        return Ok(false);
    }
    loop {
        let prompt =
            if one.state == State::Stale { "[r]emove it, or [k]eep it? " } else { "[a]ccept, [r]eject or [s]kip? " };
        let answer = cx.printer.ask(&Question { explanation: "", prompt, secret: false }).into_diagnostic()?;
        match (answer.trim().to_lowercase().as_str(), one.state) {
            ("a" | "accept", State::Changed) | ("r" | "remove", State::Stale) => return Ok(true),
            ("r" | "reject", _) => {
                cx.printer.note(&format!("`{}` stays as it is: change the sources back\n", shown(&one.file)));
                return Ok(false);
            }
            // The end of the input answers nothing, and would do so for ever.
            ("s" | "skip" | "k" | "keep" | "", _) => return Ok(false),
            _ => {}
        }
    }
}

fn write(one: &Compared) -> Result<(), miette::Report> {
    let Some(text) = &one.text else {
        return std::fs::remove_file(&one.file).map_err(|cause| WriteError::new(&one.file, cause).into());
    };
    let failed = |cause| WriteError::new(&one.file, cause);
    let root = one.file.parent().and_then(Path::parent).unwrap_or(Path::new(""));
    dsvm_files::folder(root, Path::new(FOLDER)).map_err(failed)?;
    dsvm_files::replace(&one.file, text.as_bytes(), Readers::Usual).map_err(failed)?;
    Ok(())
}

fn data(one: &Compared) -> Value {
    json!({ "name": one.name, "file": shown(&one.file), "state": one.state.word(), "differences": draw::data(&one.differences) })
}
