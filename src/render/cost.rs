//! Bills of projects → text, Markdown, JSON.

use super::palette::{Palette, Role};
use super::plan_markdown::escape;
use super::plan_text::clean;
use crate::driver::{Budget, Costs};
use dsvm_diagnostics::count;
use dsvm_prices::{Amount, Bill, HOURS, Item, Per, Price, Source, TagBudget, Term, Total, cents};
use dsvm_sema::Choice;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The bill of a project with the values of one env.
pub struct Priced {
    /// Name of the project.
    pub project: String,
    /// The env; empty for the defaults of a project without envs.
    pub env: String,
    /// Its bill, the machines that were counted, its regions.
    pub costs: Costs,
}

/// A choice by price, and the project that it is in.
pub type Chosen = (String, Choice);

const CASES: [&str; 3] = ["floor", "expected", "ceiling"];

fn amount(amount: &Amount) -> String {
    amount.sum().map_or_else(|| "unknown".to_owned(), cents)
}

/// With a part unknown, a sum is the least that it can be; with nothing known, it is unknown and not nothing.
fn sum(total: &Total) -> String {
    match total.unknown {
        0 => cents(total.sum),
        _ if total.sum.is_zero() => "unknown".to_owned(),
        _ => format!("≥ {}", cents(total.sum)),
    }
}

fn number(count: Option<Decimal>) -> String {
    count.map_or_else(|| "unknown".to_owned(), |count| count.round_dp(2).normalize().to_string())
}

/// `dsvm, env team`, and the region.
fn title(one: &Priced) -> String {
    let env = if one.env.is_empty() { String::new() } else { format!(", env {}", clean(&one.env)) };
    let regions = one.costs.regions.join(", ");
    let region = if regions.is_empty() { "region unknown".to_owned() } else { clean(&regions) };
    format!("{}{env} ({region})", clean(&one.project))
}

/// Pools with their items, then what they share.
fn parts(one: &Priced) -> Vec<(String, Option<&str>)> {
    let mut parts = Vec::new();
    for pool in &one.costs.pools {
        let [floor, expected, ceiling] = pool.machines.map(number);
        let head =
            format!("pool {}: {floor} to {ceiling} machines, {expected} expected ({})", clean(&pool.name), pool.basis);
        parts.push((head, Some(pool.name.as_str())));
    }
    if one.costs.bill.items.iter().any(|item| item.pool.is_none()) {
        parts.push(("shared".to_owned(), None));
    }
    parts
}

fn label(item: &Item) -> String {
    let number = if item.number > 1 { format!("{} × ", item.number) } else { String::new() };
    let discount = item.cases.iter().find_map(|amount| match amount {
        Amount::Known { price, .. } => price.discount.as_ref(),
        _ => None,
    });
    let discount = discount.map(|discount| format!(", {}", clean(&discount.title()))).unwrap_or_default();
    format!("{number}{}: {}{discount}", clean(&item.what), clean(&item.detail))
}

fn prices(all: &[Priced]) -> impl Iterator<Item = &Price> {
    all.iter().flat_map(|one| &one.costs.bill.items).flat_map(|item| &item.cases).filter_map(|amount| match amount {
        Amount::Known { price, .. } => Some(price),
        _ => None,
    })
}

fn sources(all: &[Priced]) -> Vec<&Source> {
    let mut found: Vec<&Source> = prices(all).map(|price| &*price.source).collect();
    found.sort_by(|a, b| (b.date, &a.title).cmp(&(a.date, &b.title)));
    found.dedup();
    found
}

fn currency(all: &[Priced]) -> String {
    let mut known: Vec<&str> = all.iter().map(|one| one.costs.currency.as_ref()).collect();
    known.sort_unstable();
    known.dedup();
    match known.as_slice() {
        [] | ["USD"] => "USD".to_owned(),
        codes => codes.join(", "),
    }
}

fn rate_notes(all: &[Priced]) -> Vec<String> {
    let mut notes: Vec<String> = all.iter().filter_map(|one| one.costs.rate.clone()).collect();
    notes.sort();
    notes.dedup();
    notes
}

/// Sources and dates of the prices that were used, a sentence each.
fn footnotes(all: &[Priced]) -> Vec<String> {
    let mut off: Vec<String> = prices(all).filter_map(|price| Some(price.discount.as_ref()?.title())).collect();
    off.sort();
    off.dedup();
    let terms = if off.is_empty() {
        "Pay as you go, before agreements.".to_owned()
    } else {
        format!("Pay as you go; {}.", off.iter().map(|one| clean(one)).collect::<Vec<_>>().join(", "))
    };
    let mut out = vec![format!(
        "{} for a month of {HOURS} hours, before tax. {terms} `≥`: a part is unknown, the true sum is higher.",
        currency(all)
    )];
    out.extend(rate_notes(all).into_iter().map(|note| format!("Prices in US dollars are converted: {note}.")));
    for source in sources(all) {
        out.push(format!("Prices of {}: {} ({}).", source.date, source.title, source.licence));
    }
    let unknown: BTreeSet<String> = all
        .iter()
        .flat_map(|one| &one.costs.bill.items)
        .flat_map(|item| item.cases.iter().map(move |amount| (item, amount)))
        .filter_map(|(item, amount)| match amount {
            Amount::Unknown(why) => Some(format!("{} ({why})", clean(&item.what))),
            _ => None,
        })
        .collect();
    if !unknown.is_empty() {
        out.push(format!("Unknown: {}.", unknown.into_iter().collect::<Vec<_>>().join(", ")));
    }
    out
}

/// `budget of pool team: 900.00, the most machines cost 1,510.45: exceeded`.
fn budgets(one: &Priced) -> Vec<String> {
    let line = |budget: &Budget| {
        let what = budget.pool.as_ref().map(|pool| format!(" of pool {}", clean(pool))).unwrap_or_default();
        let held = if budget.is_exceeded() {
            "exceeded"
        } else if budget.ceiling.unknown > 0 {
            "kept, as far as prices are known"
        } else {
            "kept"
        };
        format!("budget{what}: {}, the most machines cost {}: {held}", cents(budget.monthly), sum(&budget.ceiling))
    };
    one.costs.budgets.iter().map(line).collect()
}

/// A budget by tag, and what counts against it in the projects that are listed.
struct ByTag<'a> {
    budget: &'a TagBudget,
    ceiling: Total,
    /// Projects that are counted in another currency.
    others: usize,
}

/// The budgets by tag of all projects, each once, in the order of the projects.
fn by_tag(all: &[Priced]) -> Vec<ByTag<'_>> {
    let mut found: Vec<ByTag<'_>> = Vec::new();
    for one in all {
        for budget in &one.costs.tag_budgets {
            let at = match found.iter().position(|known| known.budget == budget) {
                Some(at) => at,
                None => {
                    found.push(ByTag { budget, ceiling: Total::default(), others: 0 });
                    found.len() - 1
                }
            };
            let Some(known) = found.get_mut(at) else { continue };
            if one.costs.currency != budget.currency() {
                known.others += 1;
                continue;
            }
            let [_, _, ceiling] = one.costs.bill.totals(|item| budget.counts(&item.tags));
            known.ceiling.sum = known.ceiling.sum.saturating_add(ceiling.sum);
            known.ceiling.unknown = known.ceiling.unknown.saturating_add(ceiling.unknown);
        }
    }
    found
}

/// `budget of team = vision in dsvmc.toml: 9,000.00 USD, the most machines cost ≥ 1,873.70: kept, as far as prices are known`.
fn tag_budgets(all: &[Priced]) -> Vec<String> {
    let line = |one: ByTag<'_>| {
        let budget = one.budget;
        let held = if one.ceiling.sum > budget.monthly {
            "exceeded"
        } else if one.others > 0 {
            "not known, since a part is in another currency"
        } else if one.ceiling.unknown > 0 {
            "kept, as far as prices are known"
        } else {
            "kept"
        };
        format!(
            "budget of {} = {} in {}: {} {}, the most machines in all projects and envs above cost {}: {held}",
            clean(&budget.tag),
            clean(&budget.value),
            clean(&budget.file),
            cents(budget.monthly),
            budget.currency(),
            sum(&one.ceiling)
        )
    };
    by_tag(all).into_iter().map(line).collect()
}

/// What sums are made by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// The pool, with what pools share apart.
    Pool,
    /// The env of a project.
    Env,
    /// As Azure spells it, of what has one.
    Region,
    /// The value of a tag.
    Tag(String),
}

impl By {
    /// The group of an item.
    fn group(&self, one: &Priced, item: &Item) -> String {
        match self {
            Self::Pool => item.pool.as_ref().map_or_else(|| "shared".to_owned(), |pool| format!("pool {pool}")),
            Self::Env if one.env.is_empty() => "no env".to_owned(),
            Self::Env => format!("env {}", one.env),
            Self::Region => item.region.clone().unwrap_or_else(|| "no region known".to_owned()),
            Self::Tag(name) => match item.tags.get(name) {
                Some(value) => format!("{name} = {value}"),
                None => format!("without the tag {name}"),
            },
        }
    }
}

/// The items of all bills by a group, in the order of its names.
#[must_use]
pub fn grouped(all: &[Priced], by: &By) -> Vec<(String, [Total; 3])> {
    let mut groups: BTreeMap<String, Bill> = BTreeMap::new();
    for one in all {
        for item in &one.costs.bill.items {
            groups.entry(by.group(one, item)).or_default().items.push(item.clone());
        }
    }
    groups.into_iter().map(|(name, bill)| (name, bill.totals(|_| true))).collect()
}

/// Sums over all projects, for a terminal or as Markdown.
#[must_use]
pub fn groups(all: &[Priced], by: &By, markdown: bool, palette: Palette) -> String {
    let rows: Vec<(String, [String; 3])> =
        grouped(all, by).iter().map(|(name, totals)| (clean(name), totals.map(|total| sum(&total)))).collect();
    let [a, b, c] = CASES;
    let mut out = String::new();
    if markdown {
        out.push_str(&format!("| {} a month | {a} | {b} | {c} |\n|---|--:|--:|--:|\n", currency(all)));
        for (name, [a, b, c]) in &rows {
            out.push_str(&format!("| {} | {a} | {b} | {c} |\n", escape(name)));
        }
    } else {
        let wide = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let cells = rows.iter().flat_map(|(_, cells)| cells).map(|cell| cell.chars().count());
        let cell = cells.max().unwrap_or(0).max(8);
        let head = format!("{:wide$}  {a:>cell$}  {b:>cell$}  {c:>cell$}", "");
        out.push_str(&format!("{}\n", palette.paint(Role::Title, &head)));
        for (name, [a, b, c]) in &rows {
            out.push_str(&format!("{name:wide$}  {a:>cell$}  {b:>cell$}  {c:>cell$}\n"));
        }
    }
    out.push('\n');
    for note in tag_budgets(all).into_iter().chain(footnotes(all)) {
        out.push_str(&if markdown { format!("- {}\n", escape(&note)) } else { format!("{note}\n") });
    }
    out
}

/// How every table of `--csv` begins.
pub const CSV_BEGIN: &str = "project,env,pool,region,what,detail,number,currency,floor,expected,ceiling,";

/// A line for each item; an amount that is unknown is empty, and `unknown` says why.
#[must_use]
pub fn csv(all: &[Priced]) -> String {
    let mut tags: Vec<&String> =
        all.iter().flat_map(|one| &one.costs.bill.items).flat_map(|item| item.tags.keys()).collect();
    tags.sort_unstable();
    tags.dedup();
    let quoted = |text: &str| {
        // A spreadsheet takes what begins so for a formula.
        let safe = if text.starts_with(['=', '+', '-', '@', '\t']) { format!("'{text}") } else { text.to_owned() };
        if safe.contains([',', '"', '\n', '\r']) { format!("\"{}\"", safe.replace('"', "\"\"")) } else { safe }
    };
    let mut out = format!("{CSV_BEGIN}price_source,price_date,discount,unknown");
    for tag in &tags {
        out.push_str(&format!(",{}", quoted(&format!("tag:{tag}"))));
    }
    out.push('\n');
    for one in all {
        for item in &one.costs.bill.items {
            let amounts = item
                .cases
                .each_ref()
                .map(|amount| amount.sum().map(|sum| sum.round_dp(4).normalize().to_string()).unwrap_or_default());
            let price = item.cases.iter().rev().find_map(|amount| match amount {
                Amount::Known { price, .. } => Some(price),
                _ => None,
            });
            let unknown = item.cases.iter().find_map(|amount| match amount {
                Amount::Unknown(why) => Some(why.as_str()),
                _ => None,
            });
            let discount = price.and_then(|price| Some(price.discount.as_ref()?.title()));
            let mut cells: Vec<String> = vec![
                one.project.clone(),
                one.env.clone(),
                item.pool.clone().unwrap_or_default(),
                item.region.clone().unwrap_or_default(),
                item.what.clone(),
                item.detail.clone(),
                item.number.to_string(),
                one.costs.currency.clone(),
            ];
            cells.extend(amounts);
            cells.push(price.map(|price| price.source.title.clone()).unwrap_or_default());
            cells.push(price.map(|price| price.source.date.to_string()).unwrap_or_default());
            cells.push(discount.unwrap_or_default());
            cells.push(unknown.unwrap_or_default().to_owned());
            cells.extend(tags.iter().map(|tag| item.tags.get(*tag).cloned().unwrap_or_default()));
            let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
            out.push_str(&format!("{}\n", cells.join(",")));
        }
    }
    out
}

/// `dsvm: cheapest(…) takes Standard_D8as_v6, 0.439 USD an hour in westeurope (…); next Standard_D8s_v5, 0.46 USD`.
fn choice(project: &str, choice: &Choice) -> Option<String> {
    let (size, price) = choice.chosen.as_ref()?;
    let next = match &choice.next {
        Some((size, price)) => format!("; next {}, {}", clean(size), price.amount.normalize()),
        None => String::new(),
    };
    let without = match choice.unpriced {
        0 => String::new(),
        n => format!("; {} without a known price", count(n, "size")),
    };
    Some(format!(
        "{}: `cheapest` takes {}, {} {} an hour in {} ({}, {}){next}{without}.",
        clean(project),
        clean(size),
        price.amount.normalize(),
        price.currency,
        clean(&choice.region),
        price.source.title,
        price.source.date,
    ))
}

/// What was chosen by price, a sentence for each choice.
fn chosen(choices: &[Chosen]) -> impl Iterator<Item = String> {
    choices.iter().filter_map(|(project, one)| choice(project, one))
}

/// A table for each project.
#[must_use]
pub fn text(all: &[Priced], choices: &[Chosen], palette: Palette) -> String {
    let mut out = String::new();
    for one in all {
        let bill = &one.costs.bill;
        let mut rows: Vec<(String, [String; 3], bool)> = Vec::new();
        for (head, pool) in parts(one) {
            let totals = bill.totals(|item| item.pool.as_deref() == pool);
            rows.push((format!("  {head}"), [0, 1, 2].map(|at| totals.get(at).map(sum).unwrap_or_default()), true));
            for item in bill.items.iter().filter(|item| item.pool.as_deref() == pool) {
                let cells = [0, 1, 2].map(|at| item.cases.get(at).map(amount).unwrap_or_default());
                rows.push((format!("    {}", label(item)), cells, false));
            }
        }
        let totals = bill.totals(|_| true);
        rows.push(("  total".to_owned(), [0, 1, 2].map(|at| totals.get(at).map(sum).unwrap_or_default()), true));
        let wide = rows.iter().map(|(label, ..)| label.chars().count()).max().unwrap_or(0);
        let cell =
            rows.iter().flat_map(|(_, cells, _)| cells).map(|cell| cell.chars().count()).max().unwrap_or(0).max(8);
        out.push_str(&palette.paint(Role::Title, &title(one)));
        out.push('\n');
        let [a, b, c] = CASES;
        out.push_str(&format!("{:wide$}  {a:>cell$}  {b:>cell$}  {c:>cell$}\n", ""));
        for (label, [a, b, c], sum) in rows {
            let line = format!("{label:wide$}  {a:>cell$}  {b:>cell$}  {c:>cell$}");
            out.push_str(&if sum { palette.paint(Role::Name, &line) } else { line });
            out.push('\n');
        }
        for line in budgets(one) {
            out.push_str(&format!("  {line}\n"));
        }
        out.push('\n');
    }
    for note in tag_budgets(all).into_iter().chain(footnotes(all)).chain(chosen(choices)) {
        out.push_str(&note);
        out.push('\n');
    }
    out
}

/// A table for each project, for a comment on a pull request.
#[must_use]
pub fn markdown(all: &[Priced], choices: &[Chosen]) -> String {
    let mut out = String::new();
    for one in all {
        out.push_str(&format!(
            "### dsvmc cost: {}\n\n| {} a month | floor | expected | ceiling |\n|---|--:|--:|--:|\n",
            escape(&title(one)),
            currency(std::slice::from_ref(one))
        ));
        let bill = &one.costs.bill;
        for (head, pool) in parts(one) {
            let [a, b, c] = bill.totals(|item| item.pool.as_deref() == pool).map(|total| sum(&total));
            out.push_str(&format!("| **{}** | {a} | {b} | {c} |\n", escape(&head)));
            for item in bill.items.iter().filter(|item| item.pool.as_deref() == pool) {
                let [a, b, c] = item.cases.each_ref().map(amount);
                out.push_str(&format!("| {} | {a} | {b} | {c} |\n", escape(&label(item))));
            }
        }
        let [a, b, c] = bill.totals(|_| true).map(|total| sum(&total));
        out.push_str(&format!("| **total** | **{a}** | **{b}** | **{c}** |\n\n"));
        for line in budgets(one) {
            out.push_str(&format!("- {}\n", escape(&line)));
        }
        out.push_str(if one.costs.budgets.is_empty() { "" } else { "\n" });
    }
    for note in tag_budgets(all).into_iter().chain(footnotes(all)).chain(chosen(choices)) {
        out.push_str(&format!("- {}\n", escape(&note)));
    }
    out
}

fn case(amount: &Amount) -> Value {
    match amount {
        Amount::Known { count, price } => json!({
            "amount": amount.sum().map(|sum| sum.round_dp(4).normalize().to_string()),
            "count": count.normalize().to_string(),
            "price": {
                "amount": price.amount.to_string(),
                "discount": price.discount.as_ref().map(|discount| discount.title()),
                "per": match price.per {
                    Per::Hour => "hour",
                    Per::Month => "month",
                    Per::GibMonth => "GiB and month",
                },
                "region": price.region,
                "date": price.source.date.to_string(),
                "source": price.source.title,
                "commit": price.source.commit,
            },
        }),
        Amount::Nothing => json!({ "amount": "0" }),
        Amount::Unknown(why) => json!({ "amount": null, "unknown": why }),
    }
}

fn total(total: &Total) -> Value {
    json!({ "amount": total.sum.round_dp(4).normalize().to_string(), "unknown_items": total.unknown, "complete": total.unknown == 0 })
}

fn cases(of: impl Fn(usize) -> Value) -> Value {
    CASES.iter().enumerate().map(|(at, name)| ((*name).to_owned(), of(at))).collect::<serde_json::Map<_, _>>().into()
}

/// One document with every item and the source of every price. Money is text, so that no reader rounds it.
#[must_use]
pub fn data(all: &[Priced], choices: &[Chosen], by: Option<&By>) -> Value {
    let totals = |of: [Total; 3]| cases(|at| of.get(at).map(total).unwrap_or_default());
    let project = |one: &Priced| {
        let bill = &one.costs.bill;
        let pools = one.costs.pools.iter().map(|pool| {
            json!({
                "pool": pool.name,
                "machines": cases(|at| pool.machines.get(at).copied().flatten().map(|n| n.normalize().to_string()).into()),
                "expected_is": pool.basis,
                "total": totals(bill.totals(|item| item.pool.as_deref() == Some(&pool.name))),
            })
        });
        let budgets = one.costs.budgets.iter().map(|budget| {
            json!({
                "pool": budget.pool,
                "amount": budget.monthly.round_dp(4).normalize().to_string(),
                "ceiling": total(&budget.ceiling),
                "exceeded": budget.is_exceeded(),
            })
        });
        let items = bill.items.iter().map(|item| {
            json!({
                "pool": item.pool,
                "region": item.region,
                "tags": item.tags,
                "what": item.what,
                "detail": item.detail,
                "number": item.number,
                "cases": cases(|at| item.cases.get(at).map(case).unwrap_or_default()),
            })
        });
        json!({
            "project": one.project,
            "env": one.env,
            "regions": one.costs.regions,
            "total": totals(bill.totals(|_| true)),
            "budgets": budgets.collect::<Vec<_>>(),
            "pools": pools.collect::<Vec<_>>(),
            "items": items.collect::<Vec<_>>(),
        })
    };
    let sources = sources(all);
    let sources = sources.iter().map(|source| {
        json!({ "title": source.title, "date": source.date.to_string(), "licence": source.licence, "commit": source.commit })
    });
    let budgets = by_tag(all);
    let budgets = budgets.iter().map(|one| {
        json!({
            "tag": one.budget.tag,
            "value": one.budget.value,
            "file": one.budget.file,
            "amount": one.budget.monthly.round_dp(4).normalize().to_string(),
            "currency": one.budget.currency(),
            "ceiling": total(&one.ceiling),
            "exceeded": one.ceiling.sum > one.budget.monthly,
            "bills_in_other_currencies": one.others,
        })
    });
    let priced = |of: &Option<(String, Price)>| {
        of.as_ref().map(|(size, price)| {
            json!({
                "size": size,
                "per_hour": price.amount.normalize().to_string(),
                "currency": &*price.currency,
                "source": price.source.title,
                "date": price.source.date.to_string(),
                "discount": price.discount.as_ref().map(|discount| discount.title()),
            })
        })
    };
    let choices = choices.iter().map(|(project, one)| {
        json!({
            "project": project,
            "region": one.region,
            "spot": one.term != Term::OnDemand,
            "windows": one.windows,
            "chosen": priced(&one.chosen),
            "next": priced(&one.next),
            "sizes_that_fit": one.fitting.len(),
            "sizes_without_price": one.unpriced,
        })
    });
    let groups = by.map(|by| {
        let group = |(name, sums): &(String, [Total; 3])| json!({ "group": name, "total": totals(*sums) });
        grouped(all, by).iter().map(group).collect::<Vec<_>>()
    });
    json!({
        "groups": groups,
        "version": 1,
        "currency": currency(all),
        "hours": HOURS,
        "terms": "before tax",
        "rates": rate_notes(all),
        "choices": choices.collect::<Vec<_>>(),
        "budgets": budgets.collect::<Vec<_>>(),
        "sources": sources.collect::<Vec<_>>(),
        "projects": all.iter().map(project).collect::<Vec<_>>(),
    })
}
