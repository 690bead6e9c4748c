//! The pools of a project as the simulator takes them.

use super::tune::Places;
use arm_autoscale::Setting;
use dsvm_graph::json::Json;
use dsvm_graph::versions;
use dsvm_lint::Subject;
use dsvm_model::batch::Service;
use dsvm_model::batch::scale::Scale;
use dsvm_model::read::as_int;
use dsvm_prices::{Price, Prices, Term};
use dsvm_simulate::{Cluster, Evaluated, Evictions, Policy, Pool, Startup};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// A pool of a project, if it can be simulated.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Name of its block, with the key of a repeated one.
    pub name: String,
    /// Size of its machines, as Azure spells it.
    pub size: String,
    /// Windows name of its policy's time zone.
    pub zone: Option<String>,
    /// What a machine costs in an hour, if its region and price are known.
    pub price: Option<Price>,
    /// The same for a spot machine of a pool that has both.
    pub spot_price: Option<Price>,
    /// Its processors run at full speed only while there are credits, which are not simulated.
    pub bursts: bool,
    /// Where its numbers are written.
    pub places: Places,
    /// As the simulator takes it, or why it cannot be simulated, in one clause.
    pub pool: Result<Pool, &'static str>,
}

/// The pools of a project with the values of one env. `seats`: most people on a machine at once; `startup`: how long its machines
/// take to start, when that is not what was measured; `region`: where resources are whose region only the deployment knows.
#[must_use]
pub fn candidates(
    subject: &Subject<'_, '_>,
    prices: &Prices,
    seats: Option<u32>,
    startup: Option<&Startup>,
    region: Option<&str>,
) -> Vec<Candidate> {
    let mut all = Vec::new();
    let region_of = |kind: versions::ResourceType, at: Option<usize>| {
        let mine = |number: Option<u32>| at.is_none_or(|at| number.is_some_and(|number| number as usize == at));
        let node = subject.graph.nodes.iter().find(|node| node.is(kind) && mine(node.pool));
        let location = node.and_then(|node| node.body.get("location")).and_then(Json::as_str);
        location.filter(|location| !location.starts_with('[')).or(region).map(str::to_owned)
    };
    let price = |size: &str, region: Option<String>, windows: bool, term: Term| {
        region.and_then(|region| prices.machine(size, &region, windows, term))
    };
    for (at, pool) in subject.fleet.pools.iter().enumerate() {
        let node = subject
            .graph
            .nodes
            .iter()
            .find(|node| node.is(versions::AUTOSCALE) && node.pool.is_some_and(|number| number as usize == at));
        let policy = match (&pool.autoscale, node) {
            (Some(_), Some(node)) => {
                let properties = node.body.get("properties").cloned().map(Json::into_value).unwrap_or_default();
                let setting = Setting::of(&properties);
                let profiles = properties.get("profiles").and_then(|profiles| profiles.as_array()).map_or(0, Vec::len);
                (setting.profiles.len() == profiles)
                    .then_some(Policy::Setting(setting))
                    .ok_or("its limits are known only at deployment; set their parameters in an env")
            }
            _ => Ok(Policy::Fixed),
        };
        let machines = as_int(pool.machines.start()).and_then(|machines| u32::try_from(machines).ok());
        let size = pool.size;
        all.push(Candidate {
            name: pool.block.name.to_string(),
            size: size.name().to_owned(),
            price: price(
                size.name(),
                region_of(versions::SCALE_SET, Some(at)),
                pool.image.windows(),
                if pool.spot.is_some() { Term::Spot } else { Term::OnDemand },
            ),
            spot_price: None,
            places: Places::of(pool),
            bursts: size.0.burst_base().is_some(),
            zone: pool.autoscale.as_ref().map(|policy| policy.timezone.to_owned()),
            pool: policy.and_then(|policy| {
                Ok(Pool {
                    machines: machines.ok_or("its number of machines is known only at deployment; set it in an env")?,
                    spot: 0,
                    slots: None,
                    cores: whole(size.vcpu()).ok_or("the number of vCPUs of its size is not known")?,
                    gpus: gpus(size.0.gpu()),
                    seats,
                    startup: startup.cloned().unwrap_or_else(Startup::of_scale_set),
                    oldest_first: pool.scale_in == dsvm_model::pool::ScaleIn::Oldest,
                    evictions: Evictions {
                        rate: None,
                        all: pool.spot.is_some(),
                        replaced: pool.spot.as_ref().is_some_and(|spot| spot.restore.is_some()),
                    },
                    checkpoint: None,
                    policy,
                })
            }),
        });
    }
    for pool in &subject.fleet.batch {
        let region = region_of(versions::BATCH_ACCOUNT, None).or_else(|| region_of(versions::WORKSPACE, None));
        let windows = pool.image.is_some_and(dsvm_model::facts::Image::windows);
        let price = |term| price(pool.size.name(), region.clone(), windows, term);
        let (price, spot_price) = match pool.service {
            Service::AzureMl if pool.spot => (price(Term::LowPriority), None),
            Service::AzureMl => (price(Term::OnDemand), None),
            Service::AzureBatch => (price(Term::OnDemand), price(Term::LowPriority)),
        };
        all.push(Candidate {
            name: pool.block.name.to_string(),
            size: pool.size.name().to_owned(),
            price,
            spot_price,
            places: Places::of_batch(pool),
            bursts: pool.size.0.burst_base().is_some(),
            zone: None,
            pool: scaling(&pool.scale).and_then(|(machines, spot, policy)| {
                Ok(Pool {
                    machines,
                    spot,
                    cores: whole(pool.size.vcpu()).ok_or("the number of vCPUs of its size is not known")?,
                    gpus: gpus(pool.size.0.gpu()),
                    seats,
                    // A job of Azure Machine Learning takes whole machines: one slot.
                    slots: Some(match pool.service {
                        Service::AzureBatch => u32::try_from(pool.task_slots).unwrap_or(1),
                        Service::AzureMl => 1,
                    }),
                    startup: startup.cloned().unwrap_or_else(Startup::of_node),
                    oldest_first: false,
                    evictions: Evictions {
                        rate: None,
                        all: pool.service == Service::AzureMl && pool.spot,
                        // A cluster of Azure Machine Learning grows to its queue, as before.
                        replaced: pool.service == Service::AzureBatch,
                    },
                    checkpoint: None,
                    policy,
                })
            }),
        });
    }
    all
}

/// Machines at the start, those of them that are spot machines, and what decides about their number.
fn scaling(scale: &Scale) -> Result<(u32, u32, Policy), &'static str> {
    let number = |value| as_int(value).and_then(|number| u32::try_from(number).ok());
    match scale {
        Scale::Range { least, most, idle } => {
            // Two minutes, the default of `nodeIdleTimeBeforeScaleDown`.
            let idle = idle.and_then(|idle| u32::try_from(idle.get().div_euclid(60)).ok()).unwrap_or(2);
            let ends = number(least).zip(number(most));
            let (least, most) = ends.ok_or("its range of machines is known only at deployment; set it in an env")?;
            Ok((least, 0, Policy::Cluster(Cluster { least, most, idle })))
        }
        Scale::Fixed { dedicated, spot, .. } => {
            let both = number(dedicated).zip(number(spot));
            let (dedicated, spot) =
                both.ok_or("its number of machines is known only at deployment; set it in an env")?;
            let all = dedicated.checked_add(spot).ok_or("it has too many machines")?;
            Ok((all, spot, Policy::Fixed))
        }
        Scale::Formula { text, holes, every, .. } => {
            let mut text = text.clone();
            for (hole, value) in holes {
                let value = number(value)
                    .ok_or("its formula needs values that are known only at deployment; set them in an env")?;
                text = text.replace(hole, &value.to_string());
            }
            let formula = batch_formula::parse(&text).map_err(|_| "its formula cannot be read")?;
            let every = u32::try_from(every.get().max(60).div_euclid(60) + i64::from(every.get().rem_euclid(60) > 0));
            let every = every.unwrap_or(15);
            Ok((0, 0, Policy::Formula(Evaluated { text, formula, every })))
        }
    }
}

fn whole(number: Option<i64>) -> Option<u32> {
    u32::try_from(number?).ok()
}

fn gpus(number: Decimal) -> u32 {
    (number * Decimal::from(1000)).to_u32().unwrap_or(0)
}
