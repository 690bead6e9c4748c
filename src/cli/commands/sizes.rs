//! `dsvmc sizes`: machine sizes that fit a need, with what they cost in a region.

use crate::cli::Context;
use crate::cli::args::Format;
use crate::cli::exit::Exit;
use crate::driver;
use crate::render::sizes::{self as draw, Terms};
use dsvm_diagnostics::Severity;
use dsvm_prices::Term;
use std::path::Path;

/// The command line arguments of `sizes`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Needs are written as in `smallest(…)`: any field of a size, compared.\n\n\
                        Examples:\n  dsvmc sizes --need \"gpu >= 1 of A100\" --region westeurope\n  \
                        dsvmc sizes --need \"vcpu >= 8, memory >= 64 GiB\" --region eastus --format json")]
pub struct Args {
    /// What a machine needs, such as `gpu >= 1 of A100, memory >= 200 GiB`; without it all sizes
    #[arg(long, value_name = "NEEDS")]
    need: Option<String>,
    /// Region of the prices
    #[arg(long, value_name = "REGION")]
    region: String,
    /// Prices of Windows machines, licence included
    #[arg(long)]
    windows: bool,
    /// Prices of spot machines
    #[arg(long)]
    spot: bool,
}

/// Runs `dsvmc sizes` and returns how the process exits.
///
/// # Errors
/// The output cannot be written.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let mut found = dsvm_sema::fitting(args.need.as_deref());
    found.diagnostics.retain(|diagnostic| diagnostic.severity == Severity::Error);
    if !found.diagnostics.is_empty() {
        return Ok(cx.report(&found.sources, &found.diagnostics)?);
    }
    let book = match driver::prices_of(cx.world.as_ref(), Path::new("")) {
        Ok(prices) => prices,
        Err(unusable) => return Ok(cx.report(&unusable.0, &unusable.1)?),
    };
    let term = if args.spot { Term::Spot } else { Term::OnDemand };
    let price = |name: &str| book.machine(name, &args.region, args.windows, term);
    let mut rows: Vec<draw::Row> = found.sizes.into_iter().map(|size| (price(&size.name), size)).collect();
    // The cheapest first; what has no price last, and the smallest first among equals.
    rows.sort_by(|(a, left), (b, right)| {
        let usd = |price: &Option<dsvm_prices::Price>| price.as_ref().map(|price| price.amount);
        let sizes = || (left.vcpu, left.memory, &left.name).cmp(&(right.vcpu, right.memory, &right.name));
        a.is_none().cmp(&b.is_none()).then_with(|| usd(a).cmp(&usd(b))).then_with(sizes)
    });
    let terms = Terms {
        region: args.region.clone(),
        windows: args.windows,
        currency: book.currency().to_owned(),
        spot: args.spot,
    };
    match cx.format {
        Format::Human => {
            let palette = cx.printer.output_palette();
            cx.printer.data(&draw::text(&rows, &terms, palette))?;
        }
        Format::Markdown => cx.printer.data(&draw::markdown(&rows, &terms))?,
        _ => cx.printer.json(&format!("{:#}\n", draw::data(&rows, &terms)))?,
    }
    Ok(Exit::Done)
}
