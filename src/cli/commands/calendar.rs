//! `dsvmc calendar`: what of the projects of a tree ends, and when.

use crate::cli::Context;
use crate::cli::args::Format;
use crate::cli::exit::Exit;
use crate::cli::{own_file, report};
use crate::driver;
use crate::render::Found;
use crate::render::calendar::{self as draw, End};
use dsvm_diagnostics::source::{SourceMap, Span};
use dsvm_lint::Subject;
use dsvm_model::autoscale::Time;
use dsvm_model::facts::{Image, Retirement, Size};
use jiff::civil::Date;
use std::path::PathBuf;

/// The command line arguments of `calendar`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  dsvmc calendar pools/\n  dsvmc calendar pools/ --until 2027-12-31 --ics ends.ics   (for a calendar program)"
)]
pub struct Args {
    /// Files, project folders, or folders with projects below them
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// Leave out what ends after this day
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
    /// Also write the dates for calendar programs (iCalendar)
    #[arg(long, value_name = "FILE")]
    ics: Option<PathBuf>,
}

/// An end, before its place is looked up.
struct Ending {
    date: Date,
    what: String,
    why: String,
    then: Option<String>,
    at: Span,
}

/// Runs `dsvmc calendar` and returns how the process exits.
///
/// # Errors
/// A file cannot be read or written.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let today = cx.world.today();
    let studied = driver::study(cx.world.as_ref(), &args.paths, endings)?;
    if studied.iter().any(|one| one.compilation.failed()) {
        let found: Vec<Found<'_>> =
            studied.iter().map(|one| (&one.compilation.sources, one.compilation.diagnostics.as_slice())).collect();
        return Ok(cx.report_all(&found)?);
    }
    let mut ends: Vec<End> = Vec::new();
    for one in &studied {
        for (env, found) in &one.found {
            for ending in found.iter().filter(|ending| args.until.is_none_or(|until| ending.date <= until)) {
                let place = place(&one.compilation.sources, ending.at);
                let same = |end: &&mut End| {
                    (end.date, &end.place, &end.what, &end.why) == (ending.date, &place, &ending.what, &ending.why)
                };
                if let Some(end) = ends.iter_mut().find(same) {
                    end.envs.push(env.to_string());
                    continue;
                }
                ends.push(End {
                    date: ending.date,
                    project: one.compilation.name.to_string(),
                    envs: vec![env.to_string()],
                    what: ending.what.clone(),
                    why: ending.why.clone(),
                    then: ending.then.clone(),
                    place,
                });
            }
        }
        // An end that every env has is the project's.
        let all = one.found.len();
        ends.iter_mut()
            .filter(|end| end.project == *one.compilation.name && end.envs.len() == all)
            .for_each(|end| end.envs.clear());
    }
    ends.sort_by(|a, b| (a.date, &a.place, &a.what).cmp(&(b.date, &b.place, &b.what)));
    if let Some(path) = &args.ics
        && let Err(error) = own_file::write(path, &draw::ics(&ends), draw::ICS_BEGIN)
    {
        return report::finish(Err(error), &mut cx.printer);
    }
    match cx.format {
        Format::Human | Format::Markdown => {
            cx.printer.data(&draw::text(&ends, today, cx.printer.output_palette()))?;
        }
        _ => cx.printer.json(&format!("{:#}\n", draw::data(&ends, today)))?,
    }
    Ok(Exit::Done)
}

fn place(sources: &SourceMap, at: Span) -> (String, u32) {
    let file = sources.get(at.source);
    file.map(|file| (file.name.to_string(), file.line_column(at.start).0)).unwrap_or_default()
}

/// Everything with an end that pools, vaults and schedules of a project use.
fn endings(subject: &Subject<'_, '_>) -> Vec<Ending> {
    let mut all = Vec::new();
    for pool in &subject.fleet.pools {
        let fields = pool.view.fields();
        let name = &pool.block.name;
        for size in pool.sizes() {
            of_size(subject, name, size, fields.size().span(), &mut all);
        }
        of_image(subject, name, pool.image, fields.image().span(), &mut all);
        for schedule in pool.autoscale.iter().flat_map(|policy| &policy.schedules) {
            if let Time::Dates(_, last) = schedule.time {
                let what = format!("schedule `{}` of pool `{name}`", schedule.block.name);
                let at = schedule.block.name_span;
                all.push(Ending { date: last, what, why: "last day of the schedule".to_owned(), then: None, at });
            }
        }
    }
    for pool in &subject.fleet.batch {
        let fields = pool.view.fields();
        for size in pool.sizes() {
            of_size(subject, &pool.block.name, size, fields.size().span(), &mut all);
        }
        if let Some(image) = pool.image {
            of_image(subject, &pool.block.name, image, fields.image().span(), &mut all);
            if let Some(date) = image.0.node_agent_until() {
                let what = format!("node agent of pool `{}`", pool.block.name);
                let why = format!("Azure Batch no longer supports the agent for `{}`", image.name());
                let then = Some("use an image with a newer system".to_owned());
                all.push(Ending { date, what, why, then, at: fields.image().span() });
            }
        }
    }
    for vault in &subject.fleet.vaults {
        for secret in &vault.secrets {
            if let Some(date) = secret.expires() {
                let what = format!("secret `{}` of vault `{}`", secret.block().name, vault.block.name);
                let then = Some("put a new value into the vault and move `expires`".to_owned());
                all.push(Ending {
                    date,
                    what,
                    why: "the secret expires".to_owned(),
                    then,
                    at: secret.fields().expires().span(),
                });
            }
        }
    }
    all
}

fn of_size(subject: &Subject<'_, '_>, pool: &str, size: Size<'_>, at: Span, all: &mut Vec<Ending>) {
    let what = format!("size `{}` of pool `{pool}`", size.name());
    of_retirement(subject, &what, size.retirement(), at, all);
}

fn of_image(subject: &Subject<'_, '_>, pool: &str, image: Image<'_>, at: Span, all: &mut Vec<Ending>) {
    let what = format!("image `{}` of pool `{pool}`", image.name());
    of_retirement(subject, &what, image.retirement(), at, all);
    if let Some((date, version)) = image.version_kept_until().zip(image.pinned()) {
        let why = format!("the publisher keeps version {version} until then");
        let then = Some("pin a newer version, or none".to_owned());
        all.push(Ending { date, what, why, then, at });
    }
}

fn of_retirement(
    subject: &Subject<'_, '_>,
    what: &str,
    retirement: Option<Retirement<'_>>,
    at: Span,
    all: &mut Vec<Ending>,
) {
    let Some(retirement) = retirement else { return };
    let then = || retirement.successor(subject.checked).map(|successor| format!("use `{successor}`"));
    for (date, why) in [
        (retirement.0.growth_restricted(), "no new subscription can use it and no quota is raised"),
        (retirement.retired(), "it cannot be deployed any more"),
    ] {
        if let Some(date) = date {
            all.push(Ending { date, what: what.to_owned(), why: why.to_owned(), then: then(), at });
        }
    }
}
