//! A project with the values of one env → its bill: machines by the schedules of their pools, and everything else that the
//! graph has by its type.

use super::diags;
use arm_autoscale::{Setting, in_force};
use dsvm_diagnostics::Diagnostic;
use dsvm_graph::json::{Json, Map};
use dsvm_graph::versions as v;
use dsvm_graph::{Node, ResourceGraph};
use dsvm_lint::Subject;
use dsvm_model::batch::scale::Scale;
use dsvm_model::batch::{BatchPool, Service};
use dsvm_model::pool::Pool;
use dsvm_model::read::{Machines, as_int, present};
use dsvm_prices::{Amount, Bill, Book, Item, Price, Term, dollars};
use dsvm_sema::checked::Checked;
use dsvm_sema::table::project::Project;
use dsvm_sema::table::schema::View;
use dsvm_sema::value::Value;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use rust_decimal::Decimal;

/// What a project pays, and what was assumed.
#[derive(Clone, Debug)]
pub struct Costs {
    /// Regions of the resources, as far as they are known.
    pub regions: Vec<String>,
    /// What is paid for, with the reason where the amount is unknown.
    pub bill: Bill,
    /// Pools in the order of the source, with their tags.
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

type Counts = [Option<Decimal>; 3];

/// How a type of resource is paid.
enum Charge {
    /// Azure does not charge for it, or charges for what is inside.
    Free,
    /// By the hour, at the price of a meter; the SKU is in the resource or the only one.
    Meter(&'static str, Option<&'static str>),
    /// By what is done with it, which nobody knows.
    Usage(&'static str),
}

/// Types that dsvmc emits by itself, and how they are paid (docs/cost.md). Machines and shares have functions of their own.
const CHARGES: &[(v::ResourceType, &str, Charge)] = &[
    (v::PUBLIC_IP, "public address", Charge::Meter("address", None)),
    (v::NAT_GATEWAY, "NAT gateway", Charge::Meter("nat", None)),
    (v::LOAD_BALANCER, "load balancer", Charge::Meter("balancer", None)),
    (v::PRIVATE_ENDPOINT, "private endpoint", Charge::Meter("endpoint", Some("Standard"))),
    (v::DNS_ZONE, "private DNS zone", Charge::Meter("zone", Some("Private"))),
    (v::VAULT, "vault", Charge::Usage("paid by operation")),
    (v::LOGS, "logs", Charge::Usage("paid by what is written")),
    (v::BLOB_CONTAINER, "container", Charge::Usage("paid by what is stored and read")),
    (v::BATCH_ACCOUNT, "", Charge::Free),
    (v::BLOB_SERVICE, "", Charge::Free),
    (v::WORKSPACE, "", Charge::Free),
    (v::DATASTORE, "", Charge::Free),
    (v::INSIGHTS, "", Charge::Free),
    (v::NETWORK, "", Charge::Free),
    (v::SECURITY_GROUP, "", Charge::Free),
    (v::PRIVATE_ENDPOINT_ZONES, "", Charge::Free),
    (v::DNS_LINK, "", Charge::Free),
    (v::STORAGE, "", Charge::Free),
    (v::FILE_SERVICE, "", Charge::Free),
    (v::IDENTITY, "", Charge::Free),
    (v::ROLE_ASSIGNMENT, "", Charge::Free),
    (v::VAULT_SECRET, "", Charge::Free),
    (v::AUTOSCALE, "", Charge::Free),
    (v::DEPLOYMENT, "", Charge::Free),
];

const NUMBER: &str = "the number is known only at deployment";
const NO_REGION: &str = "the region is known only at deployment; `--region` names it";
const NO_PRICE: &str = "no price is known";

/// Makes the bill of a project. `region` is where resources are whose region only the deployment knows.
#[must_use]
pub fn costs(subject: &Subject<'_, '_>, book: &Book, region: Option<&str>) -> Costs {
    let given = region.map(str::to_owned);
    let mut maker = Maker { subject, book, region: given, bill: Bill::default(), pools: Vec::new() };
    for (at, pool) in subject.fleet.pools.iter().enumerate() {
        maker.pool(at, pool);
    }
    for pool in &subject.fleet.batch {
        maker.batch(pool);
    }
    for node in &subject.graph.nodes {
        maker.node(node);
    }
    if subject.graph.nodes.iter().any(|node| node.is(v::PUBLIC_IP) || node.is(v::BATCH_POOL) || node.is(v::COMPUTE)) {
        maker.add(None, "data sent", "to the internet and between zones", usage("paid by what is sent"));
    }
    let mut regions: Vec<String> = subject
        .graph
        .nodes
        .iter()
        .filter(|node| node.body.contains_key("location") && text(&node.body, &["location"]) != Some("global"))
        .filter_map(|node| maker.region_of(node))
        .collect();
    regions.sort();
    regions.dedup();
    Costs { regions, bill: maker.bill, pools: maker.pools }
}

/// Seconds of a month, as `USD/month` counts them: 730 hours.
const MONTH: i64 = 730 * 3600;

/// What is wrong with the budget of a project. Its amount is compared where parameters have values.
pub(super) fn budget(subject: &Subject<'_, '_>) -> Option<Diagnostic> {
    let checked = subject.checked;
    let view = View::<Project>::new(&checked[checked.project?])?;
    let field = view.fields().budget();
    let Some(Value::Money(budget)) = present(field) else { return None };
    let per = budget.per_seconds.filter(|_| &*budget.currency == "USD" && budget.amount > Decimal::ZERO);
    let Some(per) = per else { return Some(diags::budget_refused(field.span())) };
    checked.env.as_ref()?;
    let monthly = budget.amount.checked_mul(Decimal::from(MONTH))?.checked_div(Decimal::from(per))?;
    let [_, _, ceiling] = costs(subject, Book::shipped(), None).bill.totals(|_| true);
    (ceiling.usd > monthly)
        .then(|| diags::budget_exceeded(&dollars(ceiling.usd), &dollars(monthly), ceiling.unknown, field.span()))
}

/// Whether a project has a budget to compare.
pub(super) fn has_budget(checked: &Checked) -> bool {
    let view = checked.project.and_then(|id| View::<Project>::new(&checked[id]));
    view.is_some_and(|view| present(view.fields().budget()).is_some())
}

fn usage(why: &str) -> [Amount; 3] {
    [Amount::Nothing, Amount::Unknown(why.to_owned()), Amount::Unknown(why.to_owned())]
}

struct Maker<'s, 'a> {
    subject: &'s Subject<'s, 'a>,
    book: &'s Book,
    region: Option<String>,
    bill: Bill,
    pools: Vec<PoolMachines>,
}

fn text<'m>(body: &'m Map, path: &[&str]) -> Option<&'m str> {
    at(body, path)?.as_str().filter(|text| !text.starts_with('['))
}

fn at<'m>(body: &'m Map, path: &[&str]) -> Option<&'m Json> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(body.get(first)?, |json, key| json.get(key))
}

fn whole(body: &Map, path: &[&str]) -> Option<u32> {
    match at(body, path)? {
        Json::Int(number) => u32::try_from(*number).ok(),
        _ => None,
    }
}

impl Maker<'_, '_> {
    fn add(&mut self, pool: Option<&str>, what: &str, detail: &str, cases: [Amount; 3]) {
        let item =
            Item { pool: pool.map(str::to_owned), what: what.to_owned(), detail: detail.to_owned(), number: 1, cases };
        self.bill.add(item);
    }

    /// Region of a resource: its own, else that of what it is part of, else the one given.
    fn region_of(&self, node: &Node) -> Option<String> {
        let mut here = Some(node);
        while let Some(node) = here {
            if node.body.contains_key("location") {
                return text(&node.body, &["location"]).map(str::to_owned).or_else(|| self.region.clone());
            }
            here = parent(self.subject.graph, node);
        }
        self.region.clone()
    }

    /// Prices of one thing in all three cases.
    fn priced(&self, counts: Counts, prices: [Option<Price>; 3], region: Option<&str>) -> [Amount; 3] {
        let missing = if region.is_some() { NO_PRICE } else { NO_REGION };
        let mut cases =
            counts.into_iter().zip(prices).map(|(count, price)| Amount::of(count, price, (NUMBER, missing)));
        std::array::from_fn(|_| cases.next().unwrap_or(Amount::Nothing))
    }

    fn pool(&mut self, at: usize, pool: &Pool<'_>) {
        let of_pool = |node: &&Node| node.pool.is_some_and(|number| number as usize == at);
        let nodes = &self.subject.graph.nodes;
        let Some(set) = nodes.iter().filter(of_pool).find(|node| node.is(v::SCALE_SET)) else { return };
        let setting = nodes.iter().filter(of_pool).find(|node| node.is(v::AUTOSCALE));
        let (counts, basis) = scheduled(pool, setting, self.subject.as_of);
        let name = &*pool.block.name;
        self.pools.push(PoolMachines { name: name.to_owned(), machines: counts, basis });
        let region = self.region_of(set);
        let place = region.as_deref().unwrap_or_default();
        let body = &set.body;
        let profile = ["properties", "virtualMachineProfile"];
        let own_licence = at_profile(body, &profile, &["licenseType"]).is_some();
        let windows = pool.image.windows() && !own_licence;
        let size = text(body, &["sku", "name"]).unwrap_or_else(|| pool.size.name());
        let of = |term| self.book.machine(size, place, windows, term);
        let system = if windows { "Windows" } else { "Linux" };
        let (prices, terms) = match &pool.spot {
            None => ([of(Term::OnDemand), of(Term::OnDemand), of(Term::OnDemand)], "on demand"),
            Some(spot) => {
                // Azure evicts a spot machine rather than charge more than its maximum or the regular price.
                let cap = spot.max_price.map(money);
                let most = match (cap, of(Term::OnDemand)) {
                    (None, regular) => regular,
                    (Some(Some(cap)), Some(regular)) => Some(Price { usd: cap.min(regular.usd), ..regular }),
                    (Some(_), _) => None,
                };
                let now = of(Term::Spot).map(|now| match &most {
                    Some(most) if most.usd < now.usd => most.clone(),
                    _ => now,
                });
                ([now.clone(), now, most], "spot, at most as on demand")
            }
        };
        let cases = self.priced(counts, prices, region.as_deref());
        self.add(Some(name), "machines", &format!("{size}, {system}, {terms}"), cases);
        self.disks(name, set, pool, counts, region.as_deref());
    }

    /// System and data disks of a scale set: each is there as long as its machine.
    fn disks(&mut self, name: &str, set: &Node, pool: &Pool<'_>, counts: Counts, region: Option<&str>) {
        let storage = |part| at_profile(&set.body, &["properties", "virtualMachineProfile"], &["storageProfile", part]);
        let disk = storage("osDisk").and_then(Json::as_object);
        if let Some(disk) = disk.filter(|disk| !disk.contains_key("diffDiskSettings")) {
            let image = pool.image.os_disk().and_then(|bytes| u32::try_from(bytes / (1 << 30)).ok());
            self.disk(name, "system disks", disk, whole(disk, &["diskSizeGB"]).or(image), counts, region);
        }
        let data = storage("dataDisks").and_then(Json::as_array);
        for disk in data.into_iter().flatten().filter_map(Json::as_object) {
            self.disk(name, "data disks", disk, whole(disk, &["diskSizeGB"]), counts, region);
        }
    }

    fn disk(&mut self, pool: &str, what: &str, disk: &Map, gib: Option<u32>, counts: Counts, region: Option<&str>) {
        let kind = text(disk, &["managedDisk", "storageAccountType"]).unwrap_or("unknown");
        let letter = match kind.split_once('_') {
            Some(("Premium", _)) => 'P',
            Some(("StandardSSD", _)) => 'E',
            Some(("Standard", _)) => 'S',
            _ => ' ',
        };
        let redundancy = kind.rsplit_once('_').map_or("LRS", |(_, copies)| copies);
        let tier = gib.and_then(|gib| self.book.tier(letter, gib));
        let price = tier.and_then(|tier| self.book.meter("disk", &format!("{tier}_{redundancy}"), region?));
        let size = gib.map_or_else(|| "size unknown".to_owned(), |gib| format!("{gib} GiB"));
        let tier = tier.map(|tier| format!(", billed as {tier}")).unwrap_or_default();
        let cases = self.priced(counts, [price.clone(), price.clone(), price], region);
        self.add(Some(pool), what, &format!("{kind}, {size}{tier}"), cases);
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
        let place = region.as_deref().unwrap_or_default();
        let number = |value: &Value| as_int(value).map(Decimal::from);
        let users = node.and_then(|node| parent(self.subject.graph, node));
        let user = users.and_then(|account| text(&account.body, &["properties", "poolAllocationMode"]));
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
        let size = node.and_then(|node| {
            text(&node.body, &["properties", "vmSize"])
                .or_else(|| text(&node.body, &["properties", "properties", "vmSize"]))
        });
        let size = size.unwrap_or_else(|| pool.size.name()).to_owned();
        for (counts, term) in rows {
            if counts.iter().all(|count| count.is_some_and(|count| count.is_zero())) {
                continue;
            }
            let price = self.book.machine(&size, place, false, term);
            let terms = match term {
                Term::OnDemand => "on demand",
                Term::Spot => "spot",
                Term::LowPriority => "low priority",
            };
            let cases = self.priced(counts, [price.clone(), price.clone(), price], region.as_deref());
            self.add(Some(name), "machines", &format!("{size}, Linux, {terms}"), cases);
        }
        let around = all.map(|count| match count {
            Some(count) if count.is_zero() => Amount::Nothing,
            _ => Amount::Unknown(NO_PRICE.to_owned()),
        });
        self.add(Some(name), "disks and addresses", "that the service makes for its machines", around);
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
            return self.share(node, region.as_deref());
        }
        let Some((_, what, charge)) = CHARGES.iter().find(|(kind, ..)| node.is(*kind)) else {
            // A type that dsvmc does not emit by itself: nothing is said of what it costs.
            let cases = [(); 3].map(|()| Amount::Unknown(NO_PRICE.to_owned()));
            return self.add(pool, "other resources", &node.kind, cases);
        };
        match charge {
            Charge::Free => {}
            Charge::Meter(kind, sku) => {
                let sku = sku.or_else(|| text(&node.body, &["sku", "name"])).unwrap_or("Standard");
                let price = region.as_deref().and_then(|region| self.book.meter(kind, sku, region));
                let one = [Some(Decimal::ONE); 3];
                let cases = self.priced(one, [price.clone(), price.clone(), price], region.as_deref());
                self.add(pool, what, sku, cases);
            }
            Charge::Usage(why) => self.add(pool, what, why, usage(why)),
        }
    }

    /// A premium share is paid by its quota, another by what is on it: nothing at first, the quota at most.
    fn share(&mut self, node: &Node, region: Option<&str>) {
        let quota = whole(&node.body, &["properties", "shareQuota"]);
        let account = storage_of(self.subject.graph, node);
        let sku = account.and_then(|account| text(&account.body, &["sku", "name"])).unwrap_or("unknown");
        let (tier, copies) = sku.split_once('_').unwrap_or((sku, ""));
        let premium = tier == "Premium";
        let access = match text(&node.body, &["properties", "accessTier"]) {
            Some("Hot") => "Hot",
            Some("Cool") => "Cool",
            _ => tier,
        };
        // Azure Files has no readable copies: an account with them is billed as one without.
        let copies = copies.strip_prefix("RA").unwrap_or(copies);
        let price = region.and_then(|region| self.book.meter("files", &format!("{access}_{copies}"), region));
        let quota_counts = quota.map(Decimal::from);
        let counts = match premium {
            true => [quota_counts; 3],
            false => [Some(Decimal::ZERO), None, quota_counts],
        };
        let mut cases = self.priced(counts, [price.clone(), price.clone(), price], region);
        if !premium && let Some(expected) = cases.get_mut(1) {
            *expected = Amount::Unknown("paid by what is stored".to_owned());
        }
        let size = quota.map_or_else(|| "quota known at deployment".to_owned(), |gib| format!("{gib} GiB"));
        let paid = if premium { "provisioned" } else { "paid by what is stored" };
        self.add(None, "share", &format!("{access}_{copies}, {size}, {paid}"), cases);
    }
}

fn at_profile<'m>(body: &'m Map, profile: &[&str], rest: &[&str]) -> Option<&'m Json> {
    let path: Vec<&str> = profile.iter().chain(rest).copied().collect();
    at(body, &path)
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

/// Weeks over which schedules are weighed: nearly a year, so that holidays count as often as they come.
const WEEKS: i64 = 52;

/// Fewest, expected and most machines of a pool, and how the expected number was found: without autoscale the number that
/// the pool begins with; with it the fewest that each schedule keeps, weighed by the time in which it is in force.
fn scheduled(pool: &Pool<'_>, node: Option<&Node>, as_of: Date) -> (Counts, &'static str) {
    let start = as_int(pool.machines.start()).map(Decimal::from);
    let range = [as_int(&pool.machines.min), as_int(&pool.machines.max)].map(|end| end.map(Decimal::from));
    let Some(node) = node.filter(|_| pool.autoscale.as_ref().is_some_and(|policy| policy.enabled)) else {
        let [min, max] = range;
        return ([min, start, max], "the number at the beginning");
    };
    const BASIS: &str = "the fewest that the schedules keep, by time";
    let properties = node.body.get("properties").cloned().map(Json::into_value).unwrap_or_default();
    let setting = Setting::of(&properties);
    let written = properties.get("profiles").and_then(|profiles| profiles.as_array()).map_or(0, Vec::len);
    if setting.profiles.len() != written {
        let [min, max] = range;
        return ([min, None, max], BASIS);
    }
    let floor = setting.profiles.iter().map(|profile| profile.minimum).min();
    let ceiling = setting.profiles.iter().map(|profile| profile.maximum).max();
    ([floor.map(Decimal::from), weighed(&setting, as_of), ceiling.map(Decimal::from)], BASIS)
}

/// The minimum of the profile in force, averaged over the weeks from the Monday before `as_of`.
fn weighed(setting: &Setting, as_of: Date) -> Option<Decimal> {
    let back = Span::new().days(i32::from(as_of.weekday().to_monday_zero_offset()));
    let monday = as_of.checked_sub(back).ok()?.to_datetime(Time::midnight());
    let from = TimeZone::UTC.to_timestamp(monday).ok()?;
    let to = from.checked_add(Span::new().hours(WEEKS * 7 * 24)).ok()?;
    let mut turns: Vec<Timestamp> = setting.profiles.iter().flat_map(|profile| profile.when.turns(from, to)).collect();
    turns.extend([from, to]);
    turns.retain(|turn| (from..=to).contains(turn));
    turns.sort_unstable();
    turns.dedup();
    let (mut sum, mut time) = (Decimal::ZERO, Decimal::ZERO);
    for (begin, end) in turns.iter().zip(turns.iter().skip(1)) {
        let length = end.as_millisecond() - begin.as_millisecond();
        let middle = Timestamp::from_millisecond(begin.as_millisecond() + length / 2).ok()?;
        let minimum = in_force(&setting.profiles, middle).map_or(0, |profile| profile.minimum);
        sum += Decimal::from(length).checked_mul(Decimal::from(minimum))?;
        time += Decimal::from(length);
    }
    sum.checked_div(time).map(|average| average.round_dp(6).normalize())
}
