//! A project with the values of one env → its bill: machines by the schedules of their pools, and everything else that the
//! graph has by its type.

use super::charges::{Cap, Charge, Counts, Pricer, ScaleSet, beyond_by_schedules, charge_of, reserved, text, usage};
use super::diags;
use super::prices::LazyPrices;
use dsvm_diagnostics::Diagnostic;
use dsvm_diagnostics::source::Span as DiagnosticSpan;
use dsvm_graph::json::Json;
use dsvm_graph::versions as v;
use dsvm_graph::{Node, ResourceGraph};
use dsvm_lint::Subject;
use dsvm_model::batch::scale::Scale;
use dsvm_model::batch::{BatchPool, Service};
use dsvm_model::facts::Size;
use dsvm_model::pool::Pool;
use dsvm_model::read::{Machines, as_int, present};
use dsvm_prices::{Amount, Bill, Item, Prices, TagBudget, Term, Total, USD, prices::same};
use dsvm_sema::checked::{Checked, Origin};
use dsvm_sema::table::batch::BatchPool as BatchRow;
use dsvm_sema::table::pool::Pool as PoolRow;
use dsvm_sema::table::project::Project;
use dsvm_sema::table::schema::{FieldRef, View};
use dsvm_sema::value::{Money, Value};
use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::collections::BTreeMap;

/// What a project pays, and what was assumed.
#[derive(Clone, Debug)]
pub struct Costs {
    /// Regions of the resources, as far as they are known.
    pub regions: Vec<String>,
    /// Currency of all amounts.
    pub currency: String,
    /// What a dollar costs in it, where prices are converted.
    pub rate: Option<String>,
    /// What is paid for, with the reason where the amount is unknown.
    pub bill: Bill,
    /// Budgets of the project and of its pools, in the order of the source.
    pub budgets: Vec<Budget>,
    /// What may be paid for everything with a tag, here and in other projects below the same settings.
    pub tag_budgets: Vec<TagBudget>,
    /// Pools in the order of the source.
    pub pools: Vec<PoolMachines>,
}

/// The machines that the bill of a pool counts.
#[derive(Clone, Debug)]
pub struct PoolMachines {
    /// Name of the pool.
    pub name: String,
    /// Floor, expected, ceiling; `None` where unknown.
    pub machines: [Option<Decimal>; 3],
    /// How the expected number was found.
    pub basis: &'static str,
}

/// Makes the bill of a project. `region` is where resources are whose region only the deployment knows.
#[must_use]
pub fn costs(subject: &Subject<'_, '_>, prices: &Prices, region: Option<&str>) -> Costs {
    let given = region.map(str::to_owned);
    let left = prices.terms.reservations.iter().map(|one| one.machines).collect();
    let mut maker = Maker { subject, prices, region: given, bill: Bill::default(), pools: Vec::new(), left };
    for (at, pool) in subject.fleet.pools.iter().enumerate() {
        maker.pool(at, pool);
    }
    for pool in &subject.fleet.batch {
        maker.batch(pool);
    }
    for node in &subject.graph.nodes {
        maker.node(node);
    }
    for reservation in &prices.terms.reservations {
        maker.add(None, None, [reserved(prices, reservation)]);
    }
    if subject.graph.nodes.iter().any(|node| node.is(v::PUBLIC_IP) || node.is(v::BATCH_POOL) || node.is(v::COMPUTE)) {
        maker.add(None, None, [usage("data sent", "to the internet and between zones", "paid by what is sent")]);
    }
    let mut regions: Vec<String> = subject
        .graph
        .nodes
        .iter()
        .filter(|node| node.body.contains_key("location") && location(node) != Some("global"))
        .filter_map(|node| maker.region_of(node))
        .collect();
    regions.sort();
    regions.dedup();
    let known = maker.bill.items.iter().flat_map(|item| &item.cases);
    let converted = known.into_iter().any(|amount| match amount {
        Amount::Known { price, .. } => prices.converts(&price.source),
        _ => false,
    });
    let budgets = budgets(subject.checked, &maker.bill, prices);
    let rate = prices.rate_note().filter(|_| converted);
    Costs {
        regions,
        currency: prices.currency().to_owned(),
        rate,
        budgets,
        tag_budgets: prices.terms.budgets.clone(),
        bill: maker.bill,
        pools: maker.pools,
    }
}

/// Seconds of a month, as `USD/month` counts them: 730 hours.
const MONTH: i64 = 730 * 3600;

/// A budget that the sources declare, and what it is held against.
#[derive(Clone, Debug)]
pub struct Budget {
    /// The pool that it is for; the whole project without one.
    pub pool: Option<String>,
    /// For a month, in the currency of the prices.
    pub monthly: Decimal,
    /// What the most machines cost, as far as that is known.
    pub ceiling: Total,
    span: DiagnosticSpan,
}

impl Budget {
    /// Whether the most machines cost more than the budget.
    #[must_use]
    pub fn is_exceeded(&self) -> bool {
        self.ceiling.sum > self.monthly
    }
}

/// The budgets that are written: of which pool, how much, and where.
fn written(checked: &Checked) -> Vec<(Option<String>, Money, DiagnosticSpan)> {
    let project = checked.project.and_then(|id| View::<Project>::new(&checked[id]));
    let mut fields: Vec<(Option<String>, FieldRef<'_>)> = Vec::new();
    fields.extend(project.map(|view| (None, view.fields().budget())));
    for block in checked.blocks.iter().filter(|block| block.origin == Origin::Project) {
        let name = || Some(block.name.to_string());
        fields.extend(View::<PoolRow>::new(block).map(|view| (name(), view.fields().budget())));
        fields.extend(View::<BatchRow>::new(block).map(|view| (name(), view.fields().budget())));
    }
    let money = |(pool, field): (Option<String>, FieldRef<'_>)| match present(field) {
        Some(Value::Money(budget)) => Some((pool, (**budget).clone(), field.span())),
        _ => None,
    };
    fields.into_iter().filter_map(money).collect()
}

/// The budgets of a project against its bill; those that cannot be compared are told by `check`.
fn budgets(checked: &Checked, bill: &Bill, prices: &Prices) -> Vec<Budget> {
    let compared = written(checked).into_iter().filter_map(|(pool, budget, span)| {
        let monthly = monthly(&budget, prices)?;
        let [_, _, ceiling] = bill.totals(|item| pool.is_none() || item.pool == pool);
        Some(Budget { pool, monthly, ceiling, span })
    });
    compared.collect()
}

/// What is wrong with the budgets of a project. Their amounts are compared where parameters have values.
pub(super) fn budget(subject: &Subject<'_, '_>, prices: &LazyPrices<'_>) -> Vec<Diagnostic> {
    let all = written(subject.checked);
    let Some(prices) = prices.get() else {
        return all.into_iter().map(|(_, _, span)| diags::budget_not_compared(span)).collect();
    };
    let currency = prices.currency();
    let unusable = all.iter().filter(|(_, budget, _)| monthly(budget, prices).is_none());
    let mut found: Vec<Diagnostic> = unusable.map(|(_, _, span)| diags::budget_refused(currency, *span)).collect();
    if subject.checked.env.is_some() && found.is_empty() {
        let costs = costs(subject, prices, None);
        found.extend(
            costs.budgets.iter().filter(|one| one.is_exceeded()).map(|one| diags::budget_exceeded(one, currency)),
        );
        found.extend(exceeded_by_tag(subject.checked, &costs));
    }
    found
}

/// Budgets by tag that this project exceeds alone. Whether all projects together keep them is told by `cost`.
fn exceeded_by_tag(checked: &Checked, costs: &Costs) -> Vec<Diagnostic> {
    let Some(project) = checked.project.map(|id| checked[id].name_span) else { return Vec::new() };
    let compared = costs.tag_budgets.iter().filter(|one| one.currency() == costs.currency);
    let exceeded = compared.filter_map(|one| {
        let [_, _, ceiling] = costs.bill.totals(|item| one.counts(&item.tags));
        (ceiling.sum > one.monthly).then(|| diags::tag_budget_exceeded(one, ceiling, project))
    });
    exceeded.collect()
}

/// A budget for a month in the currency of the prices; nothing when the two cannot be compared.
fn monthly(budget: &Money, prices: &Prices) -> Option<Decimal> {
    let per = budget.per_seconds.filter(|_| budget.amount > Decimal::ZERO)?;
    let amount = match &*budget.currency {
        own if own == prices.currency() => budget.amount,
        USD => prices.from_dollars(budget.amount)?,
        _ => return None,
    };
    amount.checked_mul(Decimal::from(MONTH))?.checked_div(Decimal::from(per))
}

/// Whether a project has a budget to compare.
pub(super) fn has_budget(checked: &Checked) -> bool {
    !written(checked).is_empty()
}

impl Budget {
    pub(super) fn span(&self) -> DiagnosticSpan {
        self.span
    }
}

struct Maker<'s, 'a> {
    subject: &'s Subject<'s, 'a>,
    prices: &'s Prices,
    region: Option<String>,
    bill: Bill,
    pools: Vec<PoolMachines>,
    /// Machines of each reservation that no pool has taken.
    left: Vec<u32>,
}

fn location(node: &Node) -> Option<&str> {
    node.body.get("location").and_then(Json::as_str).filter(|place| !place.starts_with('['))
}

/// Tags of a resource; what has none, such as a share, has those of what it is part of.
fn tags(graph: &ResourceGraph, node: &Node) -> BTreeMap<String, String> {
    let mut here = Some(node);
    while let Some(node) = here {
        if let Some(tags) = node.body.get("tags").and_then(Json::as_object) {
            let known = tags.iter().filter_map(|(name, value)| Some((name.to_string(), value.as_str()?.to_owned())));
            return known.filter(|(_, value)| !value.starts_with('[')).collect();
        }
        here = parent(graph, node);
    }
    BTreeMap::new()
}

fn body(node: &Node) -> serde_json::Value {
    Json::Object(node.body.clone()).into_value()
}

impl Maker<'_, '_> {
    fn add(&mut self, pool: Option<&str>, node: Option<&Node>, items: impl IntoIterator<Item = Item>) {
        let region = node.and_then(|node| self.region_of(node));
        let tags = node.map(|node| tags(self.subject.graph, node)).unwrap_or_default();
        for item in items {
            let region = region.clone().or_else(|| item.region.clone());
            let (pool, tags) = (pool.map(str::to_owned), tags.clone());
            self.bill.add(Item { pool, region, tags, ..item });
        }
    }

    fn pricer(&self) -> Pricer<'_> {
        Pricer { prices: self.prices }
    }

    /// Region of a resource: its own, else that of what it is part of, else the one given.
    fn region_of(&self, node: &Node) -> Option<String> {
        let mut here = Some(node);
        while let Some(node) = here {
            if node.body.contains_key("location") {
                return location(node).map(str::to_owned).or_else(|| self.region.clone());
            }
            here = parent(self.subject.graph, node);
        }
        self.region.clone()
    }

    fn pool(&mut self, at: usize, pool: &Pool<'_>) {
        let of_pool = |node: &&Node| node.pool.is_some_and(|number| number as usize == at);
        let nodes = &self.subject.graph.nodes;
        let Some(node) = nodes.iter().filter(of_pool).find(|node| node.is(v::SCALE_SET)) else { return };
        let setting = nodes.iter().filter(of_pool).find(|node| node.is(v::AUTOSCALE));
        let (counts, basis) = scheduled(pool, setting, self.subject.as_of, 0);
        let name = &*pool.block.name;
        self.pools.push(PoolMachines { name: name.to_owned(), machines: counts, basis });
        let region = self.region_of(node);
        let image_gib = pool.image.os_disk().and_then(|bytes| u32::try_from(bytes / (1 << 30)).ok());
        let body = body(node);
        let mut set = ScaleSet::of(&body, image_gib);
        let own_licence = text(&body, "/properties/virtualMachineProfile/licenseType").is_some();
        set.windows = pool.image.windows() && !own_licence;
        if set.sizes.is_empty() {
            set.sizes = pool.sizes().map(|size| size.name().to_owned()).collect();
        }
        set.spot = pool.spot.as_ref().map(|spot| spot.max_price.map_or(Cap::Regular, |most| Cap::Price(money(most))));
        let place = region.as_deref();
        // Which of several sizes a machine gets is not known, nor whether a reservation pays for it.
        let covered = match (&set.spot, set.sizes.as_slice()) {
            (None, [size]) => self.take(Some(size.as_str()), place, counts),
            _ => 0,
        };
        let (paid, _) = scheduled(pool, setting, self.subject.as_of, covered);
        let items = self.pricer().beyond(&set, counts, paid, place);
        self.add(Some(name), Some(node), items);
    }

    /// Machines of a pool that reservations pay for: pools take them in the order of the source, as many as they ever have.
    fn take(&mut self, size: Option<&str>, region: Option<&str>, [_, _, most]: Counts) -> u32 {
        let (Some(size), Some(region)) = (size, region) else { return 0 };
        let mut wanted = most.and_then(|most| most.to_u32()).unwrap_or(0);
        let mut taken = 0;
        for (left, one) in self.left.iter_mut().zip(&self.prices.terms.reservations) {
            if same(&one.size, size) && same(&one.region, region) {
                let some = wanted.min(*left);
                *left -= some;
                wanted -= some;
                taken += some;
            }
        }
        taken
    }

    fn batch(&mut self, pool: &BatchPool<'_>) {
        let name = &*pool.block.name;
        let kind = match pool.service {
            Service::AzureBatch => v::BATCH_POOL,
            Service::AzureMl => v::COMPUTE,
        };
        let span = pool.block.name_span;
        let node = self.subject.graph.nodes.iter().find(|node| node.is(kind) && node.span == span);
        let region = node.map_or_else(|| self.region.clone(), |node| self.region_of(node));
        let number = |value: &Value| as_int(value).map(Decimal::from);
        let users = node.and_then(|node| parent(self.subject.graph, node));
        let user = users.map(body);
        let user = user.as_ref().and_then(|account| text(account, "/properties/poolAllocationMode"));
        let cheap = if user == Some("UserSubscription") { Term::Spot } else { Term::LowPriority };
        let mut rows: Vec<(Counts, Term)> = Vec::new();
        let basis = match &pool.scale {
            Scale::Fixed { dedicated, spot, .. } => {
                rows.push(([number(dedicated); 3], Term::OnDemand));
                rows.push(([number(spot); 3], cheap));
                "a fixed number"
            }
            Scale::Range { least, most, .. } => {
                let term = if pool.spot { cheap } else { Term::OnDemand };
                rows.push(([number(least), number(least), number(most)], term));
                "the fewest that stay without jobs"
            }
            Scale::Formula { most, .. } => {
                let term = if pool.spot { cheap } else { Term::OnDemand };
                let least = Machines::of(pool.view.fields().machines()).and_then(|range| number(&range.min));
                rows.push(([least, None, most.map(Decimal::from)], term));
                "a formula decides by the queue"
            }
        };
        let mut all: Counts = [Some(Decimal::ZERO); 3];
        for (counts, _) in &rows {
            all = std::array::from_fn(|case| Some(all.get(case).copied()?? + counts.get(case).copied()??));
        }
        self.pools.push(PoolMachines { name: name.to_owned(), machines: all, basis });
        let json = node.map(body).unwrap_or_default();
        let size = text(&json, "/properties/vmSize").or_else(|| text(&json, "/properties/properties/vmSize"));
        let sizes: Vec<&str> = match size {
            Some(size) => vec![size],
            None => pool.sizes().map(Size::name).collect(),
        };
        for (counts, term) in rows {
            if !counts.iter().all(|count| count.is_some_and(|count| count.is_zero())) {
                let item = self.pricer().nodes(&sizes, term, counts, region.as_deref());
                self.add(Some(name), node, [item]);
            }
        }
        self.add(Some(name), node, [Pricer::around(all)]);
    }

    fn node(&mut self, node: &Node) {
        let pools = &self.subject.fleet.pools;
        let pool = node.pool.and_then(|at| pools.get(at as usize)).map(|pool| pool.block.name.clone());
        let pool = pool.as_deref();
        if node.is(v::BATCH_POOL) || node.is(v::COMPUTE) || (node.is(v::SCALE_SET) && pool.is_some()) {
            return;
        }
        let region = self.region_of(node);
        if node.is(v::FILE_SHARE) {
            let account = storage_of(self.subject.graph, node).map(body);
            let item = self.pricer().share(&body(node), account.as_ref(), region.as_deref());
            return self.add(None, Some(node), [item]);
        }
        let item = match charge_of(&node.kind) {
            // Most resources are free: their JSON is not copied.
            Some((_, Charge::Free)) => None,
            _ => self.pricer().other(&node.kind, &body(node), region.as_deref()),
        };
        self.add(pool, Some(node), item);
    }
}

/// What a resource is a part of: of the type without its last part.
fn parent<'g>(graph: &'g ResourceGraph, node: &Node) -> Option<&'g Node> {
    let (kind, _) = node.kind.rsplit_once('/').filter(|(kind, _)| kind.contains('/'))?;
    node.needs.iter().map(|id| &graph[*id]).find(|needed| &*needed.kind == kind)
}

fn storage_of<'g>(graph: &'g ResourceGraph, node: &'g Node) -> Option<&'g Node> {
    let mut here = node;
    while !here.is(v::STORAGE) {
        here = parent(graph, here)?;
    }
    Some(here)
}

fn money(value: &Value) -> Option<Decimal> {
    match value {
        Value::Money(money) if &*money.currency == "USD" && money.per_seconds == Some(3600) => Some(money.amount),
        _ => None,
    }
}

/// Fewest, expected and most machines of a pool, and how the expected number was found: without autoscale the number that
/// the pool begins with; with it the fewest that each schedule keeps, weighed by the time in which it is in force. Those that
/// are `covered` are left out at each moment.
fn scheduled(pool: &Pool<'_>, node: Option<&Node>, as_of: Date, covered: u32) -> (Counts, &'static str) {
    let beyond = |count: Option<i64>| count.map(|count| Decimal::from(count.saturating_sub(covered.into()).max(0)));
    let start = beyond(as_int(pool.machines.start()));
    let [min, max] = [as_int(&pool.machines.min), as_int(&pool.machines.max)].map(beyond);
    let Some(node) = node.filter(|_| pool.autoscale.as_ref().is_some_and(|policy| policy.enabled)) else {
        return ([min, start, max], "the number at the beginning");
    };
    let properties = node.body.get("properties").cloned().map(Json::into_value).unwrap_or_default();
    let counts = beyond_by_schedules(&properties, as_of, covered).unwrap_or([min, None, max]);
    (counts, "the fewest that the schedules keep, by time")
}
