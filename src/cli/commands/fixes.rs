//! `--fix` of `check` and `lint`: applies the changes that need nobody to look, or shows them.

use super::build::WriteError;
use super::fmt::difference;
use crate::cli::Context;
use crate::driver::fix::{self, Asked};
use crate::driver::{LoadError, World, shown};
use dsvm_files::Readers;

/// The options of `--fix`.
#[derive(Debug, clap::Args)]
pub struct FixArgs {
    /// Apply the changes that findings offer and that need no review, again until none is left
    #[arg(long)]
    pub fix: bool,
    /// With `--fix`: write nothing, show what would change
    #[arg(long, alias = "dry-run", requires = "fix")]
    pub diff: bool,
}

/// Applies or shows the changes; what is left is told afterwards. `ask` gives the findings of a world.
pub fn apply(
    args: &FixArgs,
    cx: &mut Context,
    ask: impl Fn(&dyn World) -> Result<Asked, LoadError>,
) -> Result<(), miette::Report> {
    if !args.fix {
        return Ok(());
    }
    let fixed = fix::fixed(cx.world.as_ref(), ask)?;
    let left = put(&fixed.files, args.diff, "fixed", cx)?;
    let made: Vec<_> = fixed.applied.iter().filter(|one| !left.contains(&one.file)).collect();
    for one in &made {
        let what = if args.diff { "would fix" } else { "fixed" };
        let mut letters = one.title.chars();
        let first = letters.next().map(|first| first.to_lowercase().to_string()).unwrap_or_default();
        let title = format!("{first}{}", letters.as_str());
        cx.printer.note(&format!("{what} {}:{}: {} ({title})\n", one.file, one.line, one.id));
    }
    if made.is_empty() {
        cx.printer.note("nothing to fix without review\n");
    }
    Ok(())
}

/// Writes the files, or shows what would change; `made` says by what. Tells of those that it leaves alone, and gives their names.
pub(super) fn put(files: &fix::Files, diff: bool, made: &str, cx: &mut Context) -> Result<Vec<String>, miette::Report> {
    let mut left: Vec<String> = Vec::new();
    for (path, (old, new)) in files {
        if diff {
            cx.printer.data(&difference(path, old, new, made, cx.printer.output_palette()))?;
            continue;
        }
        if !fix::unchanged(cx.world.as_ref(), path, old) {
            cx.printer.say(&format!(
                "warning: `{}` is left as it is: it is not UTF-8 text, or was saved meanwhile\n",
                shown(path)
            ));
            left.push(shown(path));
            continue;
        }
        let written = dsvm_files::replace(path, new.as_bytes(), Readers::Usual);
        written.map_err(|cause| WriteError::new(path, cause))?;
    }
    Ok(left)
}
