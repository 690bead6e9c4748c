//! Other sizes for the machines of a pool: what they cost, and how long people and jobs wait for them.
//!
//! Each is tried as a change of the sources, so that every rule of Azure and of the compiler decides about it: an image, a disk or a
//! network that the size does not take leaves it out.

use super::Args;
use super::choices::{judge, with_edits};
use super::pools::{Case, Scene};
use super::workload::refused;
use crate::deploy::error::CommandError;
use crate::driver::{World, prices_of};
use crate::render::simulation::{Choice, Tried};
use dsvm_prices::{Prices, Term};
use dsvm_sema::FittingSize;
use dsvm_simulate::Policy;
use rayon::prelude::*;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// Most sizes that are tried: those that cost least for what the pool has.
const SIZES: usize = 16;
/// So many quarters of what the pool has at most.
const QUARTERS: [u64; 4] = [4, 3, 2, 1];

/// Simulates the pool with other sizes, each with a quarter to all of the processors or GPUs that it has; and a sentence when its
/// numbers of machines cannot be changed.
pub fn sizes(
    case: &Case<'_>,
    scene: &Scene,
    args: &Args,
    world: &dyn World,
) -> Result<(Vec<Tried>, Option<String>), CommandError> {
    let (name, own) = (&case.candidate.name, &case.candidate.size);
    let catalogue = dsvm_sema::fitting(None).sizes;
    let mine = catalogue.iter().find(|size| size.name == *own).ok_or_else(|| {
        let title = format!("the size `{own}` of the pool `{name}` is not in the catalogue");
        refused(title, "`dsvmc sizes` lists those that are")
    })?;
    let price = case.candidate.price.as_ref().or(case.candidate.spot_price.as_ref()).ok_or_else(|| {
        let title = format!("no price of `{own}` is known, so that other sizes cannot be compared with it");
        refused(title, "name a region with `--region`; `dsvmc sizes` lists the sizes that have a price there")
    })?;
    let folder = case.studied.compilation.project.folder();
    let prices = prices_of(world, folder).map_err(|_| {
        refused("the prices of the project cannot be read".to_owned(), "run `dsvmc cost`, which says why")
    })?;
    let places = &case.candidate.places;
    let sources = &case.studied.compilation.sources;
    let kept = places.size(sources, own, (1, 1));
    kept.map_err(|why| refused(format!("no other size can be tried: {why}"), "change the size where it comes from"))?;
    let stays = places.size(sources, own, (2, 1)).err();
    let quarters = if stays.is_some() { &QUARTERS[..1] } else { &QUARTERS[..] };
    let mut choices: Vec<(&FittingSize, (u64, u64))> = Vec::new();
    for size in candidates(mine, &catalogue, &price.region, &prices) {
        let (of, to) = (amount(mine), amount(size));
        choices.extend(quarters.iter().map(|part| match stays {
            Some(_) => (size, (1, 1)),
            None => (size, (of * part, to * 4)),
        }));
    }
    choices.retain(|(size, (to, of))| size.name != *own || to != of);
    let refused_now = scene.play(&scene.pool).tasks.2;
    let tried = choices.par_iter().filter_map(|(size, ratio)| {
        let edits = places.size(sources, &size.name, *ratio).ok()?;
        let changed = with_edits(&edits, case, args, world).ok()?;
        let most = match &changed.pool.policy {
            Policy::Fixed => changed.pool.machines,
            Policy::Cluster(cluster) => cluster.most,
            Policy::Setting(setting) => {
                let most = setting.profiles.iter().map(|profile| profile.maximum).max().unwrap_or(0);
                u32::try_from(most).unwrap_or(u32::MAX)
            }
            Policy::Formula(_) => changed.report.machines.1,
        };
        // Who does not fit on a machine of today is no reason against a size, who only fits there is.
        (changed.report.tasks.2 <= refused_now).then(|| Tried {
            choice: Choice::Size { size: size.name.clone(), most, ratio: *ratio },
            report: changed.report,
            price: changed.price,
            spot_price: changed.spot_price,
            best: false,
        })
    });
    let mut tried: Vec<Tried> = tried.collect();
    judge(&mut tried);
    let note = stays.map(|why| format!("sizes were tried with the numbers of machines as they are: {why}"));
    Ok((tried, note))
}

/// What a size is counted by: GPUs when it has any, else processors; in thousandths.
fn amount(size: &FittingSize) -> u64 {
    if size.gpu.is_zero() {
        return u64::try_from(size.vcpu).unwrap_or(1).max(1) * 1000;
    }
    (size.gpu * Decimal::from(1000)).to_u64().unwrap_or(1000).max(1)
}

/// Sizes that could do: the same GPU, no less memory for each processor, from a quarter to four times as large, with a price, not
/// about to end, and no burstable ones, whose credits are not simulated. The cheapest for what the pool has come first.
fn candidates<'s>(mine: &FittingSize, all: &'s [FittingSize], region: &str, prices: &Prices) -> Vec<&'s FittingSize> {
    // A twentieth less is the same: 440 GiB for 64 processors, 56 GiB for eight.
    let roomy = |size: &FittingSize| {
        let (a, b) = (i128::from(size.memory) * i128::from(mine.vcpu), i128::from(mine.memory) * i128::from(size.vcpu));
        a * 20 >= b * 19
    };
    let near = |size: &FittingSize| amount(size) * 4 >= amount(mine) && amount(size) <= amount(mine) * 4;
    let same = |size: &&FittingSize| {
        !size.ends
            && size.gpu_model == mine.gpu_model
            && size.gpu.is_zero() == mine.gpu.is_zero()
            && roomy(size)
            && near(size)
    };
    let mut priced: Vec<(Decimal, &FittingSize)> = all
        .iter()
        .filter(same)
        .filter_map(|size| {
            let price = prices.machine(&size.name, region, false, Term::OnDemand)?;
            Some((price.amount.checked_div(Decimal::from(amount(size)))?, size))
        })
        .collect();
    priced.sort_by(|(a, one), (b, other)| (a, &one.name).cmp(&(b, &other.name)));
    priced.into_iter().map(|(_, size)| size).take(SIZES).collect()
}
