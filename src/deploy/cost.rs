//! The two sides of a plan → what its changes cost or save in a month, by block of the source. Only resources that change are
//! read, so that a plan of thousands of them stays as fast as before.

use super::compiled::CompiledProject;
use crate::driver::charges::{Charge, Counts, Pricer, ScaleSet, by_schedules, charge_of, text};
use crate::driver::{World, prices_of};
use arm_plan::{Action, Plan, type_of_id};
use dsvm_graph::versions as v;
use dsvm_impact::{BlockCost, CostCase, CostCases, CostChange, PriceSource, Situation};
use dsvm_prices::{Amount, Bill, HOURS, Item, Prices, Source, Term, Total};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::BTreeMap;

/// Prices of a comparison, and the day from which schedules are weighed.
#[derive(Clone, Debug, Default)]
pub struct Pricing {
    /// As the project has them.
    pub prices: Prices,
    /// The day from which schedules are weighed.
    pub as_of: Date,
}

impl Pricing {
    /// Today's, of a project.
    #[must_use]
    pub fn of(project: &CompiledProject, world: &dyn World) -> Self {
        // What is wrong with the settings was told when the target was read from the same files.
        Self { prices: prices_of(world, &project.root).unwrap_or_default(), as_of: world.today() }
    }
}

/// What a plan changes in the costs of a month; nothing when it changes nothing that is paid.
#[must_use]
pub fn change(situation: &Situation<'_>, pricing: &Pricing) -> Option<CostChange> {
    let touched = touched(situation.plan);
    if touched.is_empty() {
        return None;
    }
    let sides = Sides::of(situation);
    let mut paid: BTreeMap<String, [Bill; 2]> = BTreeMap::new();
    let titles = dsvm_impact::titles(situation);
    let mut order: Vec<String> = Vec::new();
    // A schedule is weighed once, however many pools have it.
    let mut weighed = BTreeMap::new();
    for id in sides.paid_for(&touched) {
        let title = titles.get(&id).cloned().unwrap_or_else(|| "project".to_owned());
        for (side, after) in [false, true].into_iter().enumerate() {
            let items = sides.items(&id, after, pricing, &mut weighed);
            if items.is_empty() {
                continue;
            }
            if !paid.contains_key(&title) {
                order.push(title.clone());
            }
            let bills = paid.entry(title.clone()).or_default();
            if let Some(bill) = bills.get_mut(side) {
                items.into_iter().for_each(|item| bill.add(item));
            }
        }
    }
    // In the order of the source; what has no block, such as a network that a pool gets, is last.
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (at, block) in situation.blocks.iter().enumerate() {
        places.entry(block.title()).or_insert(at);
    }
    order.sort_by_key(|title| places.get(title).copied().unwrap_or(usize::MAX));
    let mut blocks = Vec::new();
    let mut more = [Bill::default(), Bill::default()];
    for title in order {
        let Some(bills) = paid.get(&title) else { continue };
        let [before, after] = bills;
        let gone: Vec<&Item> = before.items.iter().filter(|item| !after.items.contains(item)).collect();
        let new: Vec<&Item> = after.items.iter().filter(|item| !before.items.contains(item)).collect();
        if gone.is_empty() && new.is_empty() {
            continue;
        }
        let [left, right] = &mut more;
        left.items.extend(gone.into_iter().cloned());
        right.items.extend(new.into_iter().cloned());
        let cases = |bill: &Bill| (!bill.items.is_empty()).then(|| cases(bill.totals(|_| true)));
        blocks.push(BlockCost { block: title, before: cases(before), after: cases(after) });
    }
    if blocks.is_empty() {
        return None;
    }
    let [gone, new] = &more;
    let prices = sources(gone.items.iter().chain(&new.items));
    let mut difference = new.totals(|_| true);
    for (more, less) in difference.iter_mut().zip(gone.totals(|_| true)) {
        more.sum -= less.sum;
        more.unknown = more.unknown.saturating_add(less.unknown);
    }
    let terms = terms(gone.items.iter().chain(&new.items), &pricing.prices);
    let currency = pricing.prices.currency().to_owned();
    Some(CostChange { currency, hours: HOURS, blocks, difference: cases(difference), terms, prices })
}

/// Discounts and the rate that count in these items, and that reservations do not.
fn terms<'i>(items: impl Iterator<Item = &'i Item>, prices: &Prices) -> Vec<String> {
    let (mut terms, mut converted) = (Vec::new(), false);
    for amount in items.flat_map(|item| &item.cases) {
        if let Amount::Known { price, .. } = amount {
            terms.extend(price.discount.as_ref().map(|discount| discount.title()));
            converted |= prices.converts(&price.source);
        }
    }
    terms.sort();
    terms.dedup();
    terms.extend(prices.rate_note().filter(|_| converted));
    if !prices.terms.reservations.is_empty() {
        terms.push("reservations are not taken into account here: `dsvmc cost` does".to_owned());
    }
    terms
}

fn sources<'i>(items: impl Iterator<Item = &'i Item>) -> Vec<PriceSource> {
    let mut found: Vec<&Source> = items
        .flat_map(|item| &item.cases)
        .filter_map(|amount| match amount {
            Amount::Known { price, .. } => Some(&*price.source),
            _ => None,
        })
        .collect();
    found.sort_by(|a, b| (b.date, &a.title).cmp(&(a.date, &b.title)));
    found.dedup();
    found.iter().map(|source| PriceSource { title: source.title.clone(), date: source.date.to_string() }).collect()
}

fn cases([floor, expected, ceiling]: [Total; 3]) -> CostCases {
    let case =
        |total: Total| CostCase { amount: total.sum.round_dp(4).normalize().to_string(), unknown_items: total.unknown };
    CostCases { floor: case(floor), expected: case(expected), ceiling: case(ceiling) }
}

fn is(id: &str, kind: v::ResourceType) -> bool {
    type_of_id(id).0.eq_ignore_ascii_case(kind.name)
}

fn fold(id: &str) -> String {
    id.trim_end_matches('/').to_ascii_lowercase()
}

/// Changes that may move money, by folded id: no text of a resource has been read yet.
fn touched(plan: &Plan) -> BTreeMap<String, Action> {
    let paid = |kind: &str| {
        let decides = [v::AUTOSCALE, v::STORAGE, v::BATCH_ACCOUNT];
        decides.iter().any(|known| known.name.eq_ignore_ascii_case(kind))
            || charge_of(kind).is_none_or(|(_, charge)| !matches!(charge, Charge::Free))
    };
    let changes = plan
        .effective()
        .filter(|change| !matches!(change.action, Action::Detach | Action::Refuse) && paid(&change.resource_type));
    changes.map(|change| (fold(&change.id), change.action)).collect()
}

/// Both sides by folded id.
struct Sides<'s> {
    before: BTreeMap<String, &'s arm_plan::JsonText>,
    after: BTreeMap<String, &'s arm_plan::JsonText>,
    /// What the plan does to a resource; nothing for what it leaves alone.
    actions: BTreeMap<String, Action>,
    /// Properties of enabled autoscale settings by the resource that they scale, before and after.
    settings: [BTreeMap<String, Value>; 2],
}

impl<'s> Sides<'s> {
    fn of(situation: &Situation<'s>) -> Self {
        let before: BTreeMap<_, _> = situation.observed.resources.iter().map(|r| (fold(&r.id), &r.body)).collect();
        let desired = situation.desired.resources.iter().filter(|resource| !resource.existing);
        let after: BTreeMap<_, _> = desired.map(|r| (fold(&r.id), &r.body)).collect();
        let actions = situation.plan.effective().map(|change| (fold(&change.id), change.action)).collect();
        let mut sides = Self { before, after, actions, settings: Default::default() };
        let mut ids: Vec<&String> = sides.before.keys().chain(sides.after.keys()).collect();
        ids.retain(|id| id.contains("/microsoft.insights/autoscalesettings/"));
        ids.sort_unstable();
        ids.dedup();
        let read = |after| {
            let bodies = ids.iter().filter_map(|id| sides.body(id, after));
            let enabled = bodies.filter_map(|body| {
                let properties = body.get("properties").filter(|all| all.get("enabled") == Some(&Value::Bool(true)))?;
                Some((fold(properties.get("targetResourceUri")?.as_str()?), properties.clone()))
            });
            enabled.collect::<BTreeMap<_, _>>()
        };
        let settings = [read(false), read(true)];
        sides.settings = settings;
        sides
    }

    /// A resource before the plan is executed, or after it. What the plan leaves alone stays as it is.
    fn body(&self, id: &str, after: bool) -> Option<Value> {
        let text = match (after, self.actions.get(id)) {
            (false, _) => self.before.get(id),
            (true, Some(Action::Delete)) => None,
            (true, Some(Action::Detach | Action::Refuse)) => self.before.get(id),
            (true, Some(_)) => self.after.get(id),
            (true, None) => self.before.get(id).or_else(|| self.after.get(id)),
        };
        text.map(|text| text.read()).filter(|body| !body.is_null())
    }

    /// Everything whose costs the changes may move: what changes itself, what a setting scales, what is in an account.
    fn paid_for(&self, touched: &BTreeMap<String, Action>) -> Vec<String> {
        let mut ids: Vec<String> = Vec::new();
        for id in touched.keys() {
            if is(id, v::AUTOSCALE) {
                for after in [false, true] {
                    let body = self.body(id, after);
                    let target = body.as_ref().and_then(|body| text(body, "/properties/targetResourceUri")).map(fold);
                    ids.extend(target);
                }
            } else if is(id, v::STORAGE) || is(id, v::BATCH_ACCOUNT) {
                let below = format!("{id}/");
                let below = &below;
                let inside = [&self.before, &self.after].into_iter().flat_map(move |side| {
                    side.range(below.clone()..)
                        .map(|(other, _)| other)
                        .take_while(move |other| other.starts_with(below))
                });
                ids.extend(inside.filter(|id| is(id, v::FILE_SHARE) || is(id, v::BATCH_POOL)).cloned());
            } else {
                ids.push(id.clone());
            }
        }
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The resource around another one that has this type.
    fn around(&self, id: &str, kind: v::ResourceType, after: bool) -> Option<Value> {
        let mut at = id;
        while let Some((outer, _)) = at.rsplit_once('/') {
            if is(outer, kind)
                && let Some(body) = self.body(outer, after)
            {
                return Some(body);
            }
            at = outer;
        }
        None
    }

    fn items(
        &self,
        id: &str,
        after: bool,
        pricing: &Pricing,
        weighed: &mut BTreeMap<String, Option<Counts>>,
    ) -> Vec<Item> {
        let Some(body) = self.body(id, after) else { return Vec::new() };
        let pricer = Pricer { prices: &pricing.prices };
        let own = |body: &Value| text(body, "/location").map(str::to_owned);
        if is(id, v::SCALE_SET) {
            let [before, later] = &self.settings;
            let setting = if after { later } else { before }.get(id);
            let counts = match setting {
                Some(setting) => {
                    let key = setting.get("profiles").map(Value::to_string).unwrap_or_default();
                    let counts = weighed.entry(key).or_insert_with(|| by_schedules(setting, pricing.as_of));
                    counts.unwrap_or([None; 3])
                }
                None => [number(&body, "/sku/capacity"); 3],
            };
            let set = ScaleSet::of(&body, image_gib(&body));
            return pricer.scale_set(&set, counts, own(&body).as_deref());
        }
        if is(id, v::FILE_SHARE) {
            let account = self.around(id, v::STORAGE, after);
            let region = account.as_ref().and_then(own);
            return vec![pricer.share(&body, account.as_ref(), region.as_deref())];
        }
        if is(id, v::BATCH_POOL) {
            let account = self.around(id, v::BATCH_ACCOUNT, after);
            let region = account.as_ref().and_then(own);
            let mode = account.as_ref().and_then(|account| text(account, "/properties/poolAllocationMode"));
            let cheap = if mode == Some("UserSubscription") { Term::Spot } else { Term::LowPriority };
            let fixed = |what: &str| number_or_none(&body, &format!("/properties/scaleSettings/fixedScale/{what}"));
            let rows = match body.pointer("/properties/scaleSettings/autoScale") {
                Some(_) => vec![([None; 3], Term::OnDemand)],
                None => vec![
                    ([fixed("targetDedicatedNodes"); 3], Term::OnDemand),
                    ([fixed("targetLowPriorityNodes"); 3], cheap),
                ],
            };
            return nodes(&pricer, text(&body, "/properties/vmSize"), &rows, region.as_deref());
        }
        if is(id, v::COMPUTE) {
            let region = own(&body).or_else(|| self.around(id, v::WORKSPACE, after).as_ref().and_then(own));
            let low = text(&body, "/properties/properties/vmPriority") == Some("LowPriority");
            let of = |what: &str| number(&body, &format!("/properties/properties/scaleSettings/{what}"));
            let (least, most) = (of("minNodeCount"), of("maxNodeCount"));
            let rows = [([least, least, most], if low { Term::LowPriority } else { Term::OnDemand })];
            return nodes(&pricer, text(&body, "/properties/properties/vmSize"), &rows, region.as_deref());
        }
        pricer.other(&type_of_id(id).0, &body, own(&body).as_deref()).into_iter().collect()
    }
}

fn nodes(pricer: &Pricer<'_>, size: Option<&str>, rows: &[(Counts, Term)], region: Option<&str>) -> Vec<Item> {
    let mut all: Counts = [Some(Decimal::ZERO); 3];
    let mut items = Vec::new();
    for (counts, term) in rows {
        all = std::array::from_fn(|case| Some(all.get(case).copied()?? + counts.get(case).copied()??));
        if !counts.iter().all(|count| count.is_some_and(|count| count.is_zero())) {
            items.push(pricer.nodes(&Vec::from_iter(size), *term, *counts, region));
        }
    }
    items.push(Pricer::around(all));
    items
}

fn number(body: &Value, pointer: &str) -> Option<Decimal> {
    let value = body.pointer(pointer)?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).map(Decimal::from)
}

/// None of something when it is not written, as in a fixed scale.
fn number_or_none(body: &Value, pointer: &str) -> Option<Decimal> {
    match body.pointer(pointer) {
        None | Some(Value::Null) => Some(Decimal::ZERO),
        Some(_) => number(body, pointer),
    }
}

/// Size of the system disk that the image has, where the standard library knows it.
fn image_gib(body: &Value) -> Option<u32> {
    let part =
        |name: &str| text(body, &format!("/properties/virtualMachineProfile/storageProfile/imageReference/{name}"));
    dsvm_sema::library::image_disk(part("publisher")?, part("offer")?, part("sku")?)
}
