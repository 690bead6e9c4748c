//! A project with the values of one env → its pools with spot machines: whether they can be had, what they cost, what ends them.

use dsvm_graph::json::Json;
use dsvm_graph::versions as v;
use dsvm_lint::Subject;
use dsvm_model::batch::scale::Scale;
use dsvm_model::batch::{BatchPool, Service};
use dsvm_model::facts::{Image, Known, Size};
use dsvm_model::read::as_int;
use dsvm_model::{Machines, read};
use dsvm_prices::{Price, Prices, Term};
use dsvm_sema::value::Value;
use dsvm_simulate::Startup;
use rust_decimal::Decimal;

/// A pool with machines that can be evicted.
#[derive(Clone, Debug)]
pub struct SpotPool {
    /// Name of its block.
    pub name: String,
    /// What runs it: `scale set`, `Azure Batch`, `Azure Machine Learning`.
    pub service: &'static str,
    /// Size of its machines, as Azure spells it.
    pub size: String,
    /// Region, as far as it is known.
    pub region: Option<String>,
    /// Most spot machines, as far as the env says.
    pub most: Option<u64>,
    /// Whether the facts of the size say that there are spot machines of it.
    pub offered: Known,
    /// What a spot machine and a regular one cost in an hour.
    pub prices: [Option<Price>; 2],
    /// Most that is paid for a machine in an hour, in US dollars.
    pub max_price: Option<Decimal>,
    /// The same in the currency of the prices, as far as its rate is known.
    pub converted: Option<Decimal>,
    /// Currency of the prices.
    pub currency: String,
    /// What becomes of an evicted machine, in words of the source or of the service.
    pub on_eviction: String,
    /// Longest start of a machine, in minutes: so long nothing runs after an eviction when another machine is found at once.
    pub restart: u32,
}

impl SpotPool {
    /// Whether the maximum price is below the price that is known, so that no machine is had at that price.
    #[must_use]
    pub fn is_below_price(&self) -> bool {
        let [spot, _] = &self.prices;
        self.converted.zip(spot.as_ref()).is_some_and(|(most, price)| most < price.amount)
    }
}

/// The pools with spot machines in the order of the source. `region`: where resources are whose region only the deployment knows.
#[must_use]
pub fn spot_pools(subject: &Subject<'_, '_>, prices: &Prices, region: Option<&str>) -> Vec<SpotPool> {
    let region_of = |kind: v::ResourceType, at: Option<usize>| {
        let mine = |number: Option<u32>| at.is_none_or(|at| number.is_some_and(|number| number as usize == at));
        let node = subject.graph.nodes.iter().find(|node| node.is(kind) && mine(node.pool));
        let location = node.and_then(|node| node.body.get("location")).and_then(Json::as_str);
        location.filter(|location| !location.starts_with('[')).or(region).map(str::to_owned)
    };
    let priced = |size: Size<'_>, region: &Option<String>, windows: bool, spot: Term| {
        [spot, Term::OnDemand].map(|term| prices.machine(size.name(), region.as_deref()?, windows, term))
    };
    let mut all = Vec::new();
    for (at, pool) in subject.fleet.pools.iter().enumerate() {
        let Some(spot) = &pool.spot else { continue };
        let region = region_of(v::SCALE_SET, Some(at));
        let max_price = spot.max_price.and_then(|price| match price {
            Value::Money(money) => Some(money.amount),
            _ => None,
        });
        all.push(SpotPool {
            name: pool.block.name.to_string(),
            service: "scale set",
            size: pool.size.name().to_owned(),
            most: pool.machines.most().and_then(|most| {
                let regular = spot.regular.map_or(0, |share| share.of(most));
                u64::try_from(most - regular).ok()
            }),
            offered: pool.size.spot(),
            prices: priced(pool.size, &region, pool.image.windows(), Term::Spot),
            region,
            max_price,
            converted: max_price.and_then(|most| prices.from_dollars(most)),
            currency: prices.currency().to_owned(),
            on_eviction: spot.on_eviction.word().to_owned(),
            restart: Startup::of_scale_set().longest(),
        });
    }
    for pool in &subject.fleet.batch {
        let most = spot_machines(pool);
        if most == Some(0) {
            continue;
        }
        let (service, kind) = match pool.service {
            Service::AzureBatch => ("Azure Batch", v::BATCH_ACCOUNT),
            Service::AzureMl => ("Azure Machine Learning", v::WORKSPACE),
        };
        let region = region_of(kind, None);
        let windows = pool.image.is_some_and(Image::windows);
        all.push(SpotPool {
            name: pool.block.name.to_string(),
            service,
            size: pool.size.name().to_owned(),
            most,
            offered: pool.size.spot(),
            prices: priced(pool.size, &region, windows, Term::LowPriority),
            region,
            max_price: None,
            converted: None,
            currency: prices.currency().to_owned(),
            on_eviction: "the task is run again".to_owned(),
            restart: Startup::of_node().longest(),
        });
    }
    all
}

/// Most spot machines of a pool that runs jobs; nothing when only the deployment knows.
fn spot_machines(pool: &BatchPool<'_>) -> Option<u64> {
    let number = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
    let fields = pool.view.fields();
    let extra = Machines::of(fields.spot_machines()).filter(|_| fields.spot_machines().written());
    match &pool.scale {
        Scale::Fixed { spot, .. } => number(read::as_int(spot)),
        Scale::Range { most, .. } if pool.spot => number(as_int(most)),
        Scale::Formula { .. } if pool.spot => Machines::of(fields.machines()).and_then(|m| number(m.most())),
        Scale::Range { .. } | Scale::Formula { .. } => match extra {
            Some(extra) => number(extra.most()),
            None => Some(0),
        },
    }
}
