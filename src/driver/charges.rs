//! Resources in ARM's own words → what is paid for them. The bill of a project and the difference that a plan makes are both
//! made here, so that the same machines never have two prices.

use arm_autoscale::{Setting, in_force};
use dsvm_graph::versions as v;
use dsvm_model::pool::RegularShare;
use dsvm_prices::{Amount, Item, Price, Prices, Reservation, Term};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::BTreeMap;

/// Floor, expected, ceiling; `None` where unknown.
pub type Counts = [Option<Decimal>; 3];

pub(super) const NUMBER: &str = "the number is known only at deployment";
const NO_REGION: &str = "the region is known only at deployment; `--region` names it";
pub(super) const NO_PRICE: &str = "no price is known";

/// How a type of resource is paid.
pub enum Charge {
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

/// What is called how, and how it is paid; `None` for a type that dsvmc does not emit by itself.
pub fn charge_of(kind: &str) -> Option<(&'static str, &'static Charge)> {
    CHARGES.iter().find(|(known, ..)| known.name.eq_ignore_ascii_case(kind)).map(|(_, what, charge)| (*what, charge))
}

/// A text that is known before the deployment.
pub fn text<'v>(body: &'v Value, pointer: &str) -> Option<&'v str> {
    body.pointer(pointer)?.as_str().filter(|text| !text.starts_with('['))
}

fn whole(body: &Value, pointer: &str) -> Option<u32> {
    body.pointer(pointer)?.as_u64().and_then(|number| u32::try_from(number).ok())
}

/// The machines of a scale set, and what is paid for each.
pub struct ScaleSet {
    /// Sizes as Azure spells them, in order of preference; none when only the deployment knows.
    pub sizes: Vec<String>,
    /// Regular machines among spot machines.
    pub regular: Option<RegularShare>,
    /// Whether the licence of Windows is paid with the machine.
    pub windows: bool,
    /// Spot machines, and what a machine costs at most.
    pub spot: Option<Cap>,
    disks: Vec<Disk>,
}

/// The most that a spot machine costs: Azure evicts it rather than charge more than its maximum or the regular price.
#[derive(Clone, Copy)]
pub enum Cap {
    /// That of a machine on demand.
    Regular,
    /// A price of its own in an hour, in US dollars, if it is known.
    Price(Option<Decimal>),
}

struct Disk {
    what: &'static str,
    kind: String,
    gib: Option<u32>,
}

impl ScaleSet {
    /// Reads a scale set. `image_gib` is the size of the system disk where the set does not say it.
    #[must_use]
    pub fn of(body: &Value, image_gib: Option<u32>) -> Self {
        let profile = |rest: &str| format!("/properties/virtualMachineProfile{rest}");
        let there = |rest: &str| body.pointer(&profile(rest)).is_some_and(|value| !value.is_null());
        let windows = there("/osProfile/windowsConfiguration")
            || text(body, &profile("/storageProfile/osDisk/osType"))
                .is_some_and(|os| os.eq_ignore_ascii_case("windows"));
        let own_licence =
            text(body, &profile("/licenseType")).is_some_and(|licence| !licence.eq_ignore_ascii_case("none"));
        let spot = text(body, &profile("/priority")).is_some_and(|priority| priority.eq_ignore_ascii_case("spot"));
        let spot = spot.then(|| match body.pointer(&profile("/billingProfile/maxPrice")) {
            None | Some(Value::Null) => Cap::Regular,
            Some(Value::Number(number)) => match number.to_string().parse::<Decimal>() {
                Ok(most) if most < Decimal::ZERO => Cap::Regular,
                most => Cap::Price(most.ok()),
            },
            Some(_) => Cap::Price(None),
        });
        let mut disks = Vec::new();
        let disk = |disk: &Value, what, gib: Option<u32>| Disk {
            what,
            kind: text(disk, "/managedDisk/storageAccountType").unwrap_or("unknown").to_owned(),
            gib: whole(disk, "/diskSizeGB").or(gib),
        };
        let system = body.pointer(&profile("/storageProfile/osDisk"));
        if let Some(system) = system.filter(|disk| disk.get("diffDiskSettings").is_none_or(Value::is_null)) {
            disks.push(disk(system, "system disks", image_gib));
        }
        let data = body.pointer(&profile("/storageProfile/dataDisks")).and_then(Value::as_array);
        disks.extend(data.into_iter().flatten().map(|data| disk(data, "data disks", None)));
        let mix = body.pointer("/properties/skuProfile/vmSizes").and_then(Value::as_array);
        let mix = mix.into_iter().flatten().filter_map(|size| Some(size.get("name")?.as_str()?.to_owned()));
        let one = text(body, "/sku/name").filter(|name| *name != "Mix").map(str::to_owned);
        let part = |name: &str| body.pointer(&format!("/properties/priorityMixPolicy/{name}")).and_then(Value::as_i64);
        let regular = match (part("baseRegularPriorityCount"), part("regularPriorityPercentageAboveBase")) {
            (None, None) => None,
            (base, above) => Some(RegularShare { base: base.unwrap_or(0), above: above.unwrap_or(0) }),
        };
        // By rank, which is the order in which dsvmc writes them.
        let sizes = one.map_or_else(|| mix.collect(), |one| vec![one]);
        Self { sizes, regular, windows: windows && !own_licence, spot, disks }
    }
}

/// The regular ones of a number of machines, which may be an average.
fn share_of(share: RegularShare, machines: Decimal) -> Decimal {
    let base = machines.min(Decimal::from(share.base));
    let above = (machines - base).checked_mul(Decimal::from(share.above)).unwrap_or_default();
    base + above / Decimal::ONE_HUNDRED
}

/// Prices, and what they are asked for.
pub struct Pricer<'p> {
    /// As the project has them.
    pub prices: &'p Prices,
}

fn item(what: &str, detail: &str, cases: [Amount; 3]) -> Item {
    let (what, detail) = (what.to_owned(), detail.to_owned());
    Item { pool: None, region: None, tags: BTreeMap::new(), what, detail, number: 1, cases }
}

fn thrice<T: Clone>(one: T) -> [T; 3] {
    [one.clone(), one.clone(), one]
}

impl Pricer<'_> {
    /// One thing in all three cases.
    fn priced(counts: Counts, prices: [Option<Price>; 3], region: Option<&str>) -> [Amount; 3] {
        let missing = if region.is_some() { NO_PRICE } else { NO_REGION };
        let mut cases =
            counts.into_iter().zip(prices).map(|(count, price)| Amount::of(count, price, (NUMBER, missing)));
        std::array::from_fn(|_| cases.next().unwrap_or(Amount::Nothing))
    }

    /// The price of a machine of one of several sizes: the cheapest, the one wanted most, the dearest.
    fn machine(&self, sizes: &[&str], region: Option<&str>, windows: bool, term: Term) -> [Option<Price>; 3] {
        let mut all = sizes.iter().map(|size| self.prices.machine(size, region.unwrap_or_default(), windows, term));
        let Some(first) = all.next() else { return [None, None, None] };
        let mut cases = thrice(first);
        for price in all {
            let [cheapest, _, dearest] = &mut cases;
            // Of sizes without a price, nobody knows which is the cheapest.
            *cheapest = cheapest.take().zip(price.clone()).map(|(a, b)| if b.amount < a.amount { b } else { a });
            *dearest = dearest.take().zip(price).map(|(a, b)| if b.amount > a.amount { b } else { a });
        }
        cases
    }

    /// Machines of a scale set with their disks.
    #[must_use]
    pub fn scale_set(&self, set: &ScaleSet, counts: Counts, region: Option<&str>) -> Vec<Item> {
        self.beyond(set, counts, counts, region)
    }

    /// The same where some machines are paid by a reservation: `paid` are those beyond it, `counts` all that have disks.
    #[must_use]
    pub fn beyond(&self, set: &ScaleSet, counts: Counts, paid: Counts, region: Option<&str>) -> Vec<Item> {
        let sizes: Vec<&str> = set.sizes.iter().map(String::as_str).collect();
        let named = if sizes.is_empty() { "size unknown".to_owned() } else { sizes.join(" or ") };
        let system = if set.windows { "Windows" } else { "Linux" };
        let of = |term| self.machine(&sizes, region, set.windows, term);
        let line = |counts, prices, terms: &str| {
            item("machines", &format!("{named}, {system}, {terms}"), Self::priced(counts, prices, region))
        };
        let mut items = match &set.spot {
            None => vec![line(paid, of(Term::OnDemand), "on demand")],
            Some(cap) => {
                let regular = set.regular.map(|share| paid.map(|count| count.map(|count| share_of(share, count))));
                let spot = match regular {
                    Some(regular) => std::array::from_fn(|case| {
                        Some(paid.get(case).copied().flatten()? - regular.get(case).copied().flatten()?)
                    }),
                    None => paid,
                };
                let [_, _, dearest] = of(Term::OnDemand);
                let most = match (cap, dearest) {
                    (Cap::Regular, dearest) => dearest,
                    (Cap::Price(cap), Some(dearest)) => cap
                        .and_then(|cap| self.prices.from_dollars(cap))
                        .map(|cap| Price { amount: cap.min(dearest.amount), ..dearest }),
                    (Cap::Price(_), None) => None,
                };
                let [floor, now, _] = of(Term::Spot).map(|now| {
                    now.map(|now| match &most {
                        Some(most) if most.amount < now.amount => most.clone(),
                        _ => now,
                    })
                });
                let mut items = vec![line(spot, [floor, now, most], "spot, at most as on demand")];
                items.extend(regular.map(|regular| line(regular, of(Term::OnDemand), "on demand")));
                items
            }
        };
        items.extend(set.disks.iter().map(|disk| self.disk(disk, counts, region)));
        items
    }

    /// Machines of a service that has no scale set; of one of several sizes, in order of preference.
    #[must_use]
    pub fn nodes(&self, sizes: &[&str], term: Term, counts: Counts, region: Option<&str>) -> Item {
        let prices = self.machine(sizes, region, false, term);
        let named = if sizes.is_empty() { "size unknown".to_owned() } else { sizes.join(" or ") };
        let terms = match term {
            Term::OnDemand => "on demand",
            Term::Spot => "spot",
            Term::LowPriority => "low priority",
        };
        item("machines", &format!("{named}, Linux, {terms}"), Self::priced(counts, prices, region))
    }

    /// What a service makes around its machines, when there are any.
    #[must_use]
    pub fn around(machines: Counts) -> Item {
        let around = machines.map(|count| match count {
            Some(count) if count.is_zero() => Amount::Nothing,
            _ => Amount::Unknown(NO_PRICE.to_owned()),
        });
        item("disks and addresses", "that the service makes for its machines", around)
    }

    /// A disk is there as long as its machine, and is billed by the tier that holds it.
    fn disk(&self, disk: &Disk, counts: Counts, region: Option<&str>) -> Item {
        let kind = disk.kind.as_str();
        let letter = match kind.split_once('_') {
            Some(("Premium", _)) => 'P',
            Some(("StandardSSD", _)) => 'E',
            Some(("Standard", _)) => 'S',
            _ => ' ',
        };
        let redundancy = kind.rsplit_once('_').map_or("LRS", |(_, copies)| copies);
        let tier = disk.gib.and_then(|gib| self.prices.tier(letter, gib));
        let price = tier.and_then(|tier| self.prices.meter("disk", &format!("{tier}_{redundancy}"), region?));
        let size = disk.gib.map_or_else(|| "size unknown".to_owned(), |gib| format!("{gib} GiB"));
        let tier = tier.map(|tier| format!(", billed as {tier}")).unwrap_or_default();
        item(disk.what, &format!("{kind}, {size}{tier}"), Self::priced(counts, thrice(price), region))
    }

    /// A premium share is paid by its quota, another by what is on it: nothing at first, the quota at most.
    #[must_use]
    pub fn share(&self, share: &Value, account: Option<&Value>, region: Option<&str>) -> Item {
        let quota = whole(share, "/properties/shareQuota");
        let sku = account.and_then(|account| text(account, "/sku/name")).unwrap_or("unknown");
        let (tier, copies) = sku.split_once('_').unwrap_or((sku, ""));
        let premium = tier == "Premium";
        let access = match text(share, "/properties/accessTier") {
            Some("Hot") => "Hot",
            Some("Cool") => "Cool",
            _ => tier,
        };
        // Azure Files has no readable copies: an account with them is billed as one without.
        let copies = copies.strip_prefix("RA").unwrap_or(copies);
        let price = region.and_then(|region| self.prices.meter("files", &format!("{access}_{copies}"), region));
        let most = quota.map(Decimal::from);
        let counts = if premium { [most; 3] } else { [Some(Decimal::ZERO), None, most] };
        let mut cases = Self::priced(counts, thrice(price), region);
        if !premium && let Some(expected) = cases.get_mut(1) {
            *expected = Amount::Unknown("paid by what is stored".to_owned());
        }
        let size = quota.map_or_else(|| "quota known at deployment".to_owned(), |gib| format!("{gib} GiB"));
        let paid = if premium { "provisioned" } else { "paid by what is stored" };
        item("share", &format!("{access}_{copies}, {size}, {paid}"), cases)
    }

    /// Anything else, by its type; nothing for what is free.
    #[must_use]
    pub fn other(&self, kind: &str, body: &Value, region: Option<&str>) -> Option<Item> {
        let Some((what, charge)) = charge_of(kind) else {
            // Nothing is said of what it costs.
            return Some(item("other resources", kind, thrice(Amount::Unknown(NO_PRICE.to_owned()))));
        };
        match charge {
            Charge::Free => None,
            Charge::Meter(kind, sku) => {
                let sku = sku.or_else(|| text(body, "/sku/name")).unwrap_or("Standard");
                let price = region.and_then(|region| self.prices.meter(kind, sku, region));
                Some(item(what, sku, Self::priced([Some(Decimal::ONE); 3], thrice(price), region)))
            }
            Charge::Usage(why) => Some(usage(what, why, why)),
        }
    }
}

/// What a reservation costs, whether its machines run or not.
#[must_use]
pub fn reserved(prices: &Prices, reservation: &Reservation) -> Item {
    let price = prices.reserved(reservation);
    let detail = format!("{} × {} in {}: {}", reservation.machines, reservation.size, price.region, reservation.name);
    let region = Some(price.region.clone());
    let cases = thrice(Amount::Known { count: reservation.machines.into(), price });
    Item { region, ..item("reserved machines", &detail, cases) }
}

/// Something that is paid by what is done with it.
pub fn usage(what: &str, detail: &str, why: &str) -> Item {
    let unknown = Amount::Unknown(why.to_owned());
    item(what, detail, [Amount::Nothing, unknown.clone(), unknown])
}

/// Weeks over which schedules are weighed: nearly a year, so that holidays count as often as they come.
const WEEKS: i64 = 52;

/// Fewest, expected and most machines by an autoscale setting; expected is the fewest that each schedule keeps, weighed by the
/// time in which it is in force. Nothing when a schedule has numbers that only the deployment knows.
#[must_use]
pub fn by_schedules(properties: &Value, as_of: Date) -> Option<Counts> {
    beyond_by_schedules(properties, as_of, 0)
}

/// The same without so many machines, at each moment.
#[must_use]
pub fn beyond_by_schedules(properties: &Value, as_of: Date, covered: u32) -> Option<Counts> {
    let mut setting = Setting::of(properties);
    let written = properties.get("profiles").and_then(Value::as_array).map_or(0, Vec::len);
    if setting.profiles.len() != written {
        return None;
    }
    for profile in &mut setting.profiles {
        profile.minimum = profile.minimum.saturating_sub(i64::from(covered)).max(0);
        profile.maximum = profile.maximum.saturating_sub(i64::from(covered)).max(0);
    }
    let floor = setting.profiles.iter().map(|profile| profile.minimum).min();
    let ceiling = setting.profiles.iter().map(|profile| profile.maximum).max();
    Some([floor.map(Decimal::from), weighed(&setting, as_of), ceiling.map(Decimal::from)])
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
