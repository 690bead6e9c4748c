//! `dsvmc prices update`: what Azure's price service says today about the sizes and regions of projects, as a file of theirs.

use crate::cli::Context;
use crate::cli::exit::Exit;
use crate::cli::{own_file, report};
use crate::deploy::error::CommandError;
use crate::driver::{self, EntryKind, price_file, shown};
use crate::render::Found;
use arm_client::{PRICES, PriceService};
use dsvm_diagnostics::{Code, Diagnostic, Severity, count};
use dsvm_lint::Subject;
use dsvm_prices::retail::{BEGIN, Gathered, Wanted};
use dsvm_prices::{USD, is_currency};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Most questions that one update asks.
const QUESTIONS: usize = 600;

/// The command line arguments of `prices`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

/// What is done with prices.
#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Read Azure's public price service into the price file of a project
    Update(Update),
}

/// The command line arguments of `prices update`.
#[derive(Debug, clap::Args)]
#[command(after_help = "The file is the one that `dsvmc.toml` names:\n  [prices]\n  file = \"prices.txt\"\n\n\
                        Examples:\n  dsvmc prices update\n  dsvmc prices update --region westeurope --all-sizes")]
struct Update {
    /// Files, project folders, or folders with projects below them
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// Also this region. Can be repeated
    #[arg(long, value_name = "REGION")]
    region: Vec<String>,
    /// Also this size. Can be repeated
    #[arg(long, value_name = "SIZE")]
    size: Vec<String>,
    /// All sizes of the standard library, as `dsvmc sizes` needs them
    #[arg(long)]
    all_sizes: bool,
    /// Write this file instead of the one that `dsvmc.toml` names
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Address of the price service
    #[arg(long, value_name = "URL", default_value = PRICES)]
    service: String,
    /// PEM file with certificates to trust in addition to the system's
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

/// Runs `dsvmc prices` and returns how the process exits.
///
/// # Errors
/// A file cannot be read, or the service cannot be reached.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let Action::Update(args) = &args.action;
    let studied = driver::study(cx.world.as_ref(), &args.paths, machines)?;
    // Sizes that wait for a price are what this command is for.
    let wrong = |one: &Diagnostic| one.severity == Severity::Error && one.code != Code::NoPriceKnown;
    if studied.iter().any(|one| one.compilation.diagnostics.iter().any(wrong)) {
        let found: Vec<Found<'_>> =
            studied.iter().map(|one| (&one.compilation.sources, one.compilation.diagnostics.as_slice())).collect();
        return Ok(cx.report_all(&found)?);
    }
    let first = args.paths.first().map(PathBuf::as_path).unwrap_or(Path::new("."));
    let folder = match cx.world.kind(first) {
        Ok(EntryKind::Folder) => first,
        _ => first.parent().unwrap_or(Path::new("")),
    };
    let (settings, _) = match driver::price_settings(cx.world.as_ref(), folder) {
        Ok(settings) => settings,
        Err(unusable) => return Ok(cx.report(&unusable.0, &unusable.1)?),
    };
    let mut wanted = Wanted {
        currency: settings.currency.map_or_else(|| USD.to_owned(), |(code, _)| code),
        regions: args.region.iter().map(|name| plain(name)).collect(),
        sizes: args.size.iter().cloned().collect(),
    };
    for one in studied {
        // Whatever `cheapest` may choose is compared at prices of one day.
        for choice in one.compilation.choices {
            wanted.sizes.extend(choice.fitting);
            wanted.regions.insert(plain(&choice.region));
        }
        for (_, (sizes, regions)) in one.found {
            wanted.sizes.extend(sizes);
            wanted.regions.extend(regions);
        }
    }
    if args.all_sizes {
        wanted.sizes.extend(dsvm_sema::fitting(None).sizes.into_iter().map(|size| size.name));
    }
    let file = args.file.clone().or_else(|| settings.file.map(|(written, file, _)| price_file(&written, &file)));
    let done = update(args, wanted, file, cx);
    report::finish(done, &mut cx.printer)
}

/// A region as Azure spells it: `West Europe` is `westeurope`.
fn plain(region: &str) -> String {
    region.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

/// Sizes and regions of a project.
fn machines(subject: &Subject<'_, '_>) -> (BTreeSet<String>, BTreeSet<String>) {
    let fleet = subject.fleet;
    let sizes = fleet.pools.iter().map(|pool| pool.size.name()).chain(fleet.batch.iter().map(|pool| pool.size.name()));
    let places = subject.graph.nodes.iter().filter_map(|node| node.body.get("location")?.as_str());
    let known = places.filter(|place| !place.starts_with('[') && *place != "global");
    (sizes.map(str::to_owned).collect(), known.map(plain).collect())
}

fn update(args: &Update, wanted: Wanted, file: Option<PathBuf>, cx: &mut Context) -> Result<Exit, CommandError> {
    let refused = |title: String, help: &str| CommandError::input(Code::SettingUnknown, title, help);
    let Some(file) = file else {
        let help = "write `file = \"prices.txt\"` below `[prices]` in `dsvmc.toml`, or give `--file`";
        return Err(refused("no price file is named".to_owned(), help));
    };
    if wanted.regions.is_empty() {
        let title = "no region is known before the deployment".to_owned();
        return Err(refused(title, "name one with `--region westeurope`"));
    }
    let odd = |text: &&String| !text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if let Some(name) = wanted.sizes.iter().chain(&wanted.regions).find(odd) {
        return Err(refused(format!("`{name}` is no name of a size or a region"), "write it as Azure does"));
    }
    if !is_currency(&wanted.currency) {
        return Err(refused("the currency has no code".to_owned(), "write `currency = \"EUR\"`"));
    }
    let filters = wanted.filters();
    if filters.len() > QUESTIONS {
        let title = format!("{} questions would be asked", filters.len());
        return Err(refused(title, "update fewer regions at once: at most 600 questions are asked"));
    }
    let failed = |error: arm_client::AzureError| {
        let help = "the prices of the program and the file as it is still count";
        CommandError::environment(Code::ClientSetup, error.to_string(), help)
    };
    let roots = match &args.ca_file {
        Some(path) => std::fs::read(path).map_err(|cause| {
            CommandError::environment(Code::FileUnreadable, format!("`{}` cannot be read: {cause}", shown(path)), "")
        })?,
        None => Vec::new(),
    };
    let service = PriceService::new(&args.service, &roots).map_err(failed)?;
    let currency = wanted.currency.clone();
    let mut gathered = Gathered::new(wanted);
    for filter in &filters {
        service
            .pages(filter, &currency, |text| gathered.page(text).map_err(|error| error.to_string()))
            .map_err(failed)?;
    }
    let (text, tally) = gathered.file(cx.world.today(), &args.service);
    if tally.machines + tally.meters == 0 {
        let help = "the file stays as it was; check the names of sizes and regions";
        return Err(CommandError::environment(Code::ClientSetup, "the service told no price that was asked for", help));
    }
    own_file::write(&file, &text, BEGIN)?;
    let mut said = format!(
        "{} of machines and {} of other things written to `{}`, in {currency}\n",
        count(tally.machines, "price"),
        tally.meters,
        shown(&file)
    );
    for (what, list) in [("without a price", &tally.missing)] {
        if !list.is_empty() {
            let names: Vec<&str> = list.iter().take(10).map(String::as_str).collect();
            let more = if list.len() > names.len() { ", …" } else { "" };
            said.push_str(&format!("{} {what}: {}{more}\n", count(list.len(), "size"), names.join(", ")));
        }
    }
    if tally.ambiguous > 0 {
        said.push_str(&format!("{} left out: the service tells several\n", count(tally.ambiguous, "price")));
    }
    cx.printer.say(&said);
    Ok(Exit::Done)
}
