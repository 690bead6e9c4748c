//! The pools of a project → what their autoscale settings do under every load.

use super::cost::{Costs, costs};
use super::simulate::{Candidate, candidates};
use arm_autoscale::{Profile, Setting, time_zone};
use dsvm_lint::Subject;
use dsvm_prices::{Amount, Item, Prices, Total};
use dsvm_proof::{Asleep, Finding, PATIENT, Question, Undecided, asleep, busiest, in_use, prove};
use dsvm_simulate::{Policy, Startup};
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;
use std::sync::Arc;

/// What was found out about a project with the values of one env.
#[derive(Clone, Debug)]
pub struct Proofs {
    /// Pools with a policy, in the order of the source.
    pub pools: Vec<Proof>,
    /// The budgets that the project declares.
    pub budgets: Vec<BudgetProof>,
    /// Currency of their amounts.
    pub currency: String,
}

/// A budget, and what no load costs more than.
#[derive(Clone, Debug)]
pub struct BudgetProof {
    /// The pool that it is for; the whole project without one.
    pub pool: Option<String>,
    /// For a month of 730 hours.
    pub monthly: Decimal,
    /// With all machines that the schedules allow at each time, in the dearest month.
    pub most: Total,
}

impl BudgetProof {
    /// Whether every load stays in it, as far as prices are known.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.most.sum <= self.monthly
    }
}

/// What was found out about a pool.
#[derive(Clone, Debug)]
pub struct Proof {
    /// Name of its block, with the key of a repeated one.
    pub pool: String,
    /// Windows name of its policy's time zone.
    pub zone: Option<String>,
    /// The findings, or why there are none, in one clause.
    pub found: Result<Proven, &'static str>,
}

/// What was found out about an autoscale setting.
#[derive(Clone, Debug)]
pub struct Proven {
    /// Each different set of limits and rules, in the order of the setting.
    pub spells: Vec<Spell>,
    /// How long the pool can be at zero whatever is asked of it, in the year from the first day on.
    pub asleep: Asleep,
    /// Whether anything brings the pool to zero: rules, a schedule without machines, or its number at the start.
    pub reaches_zero: bool,
    /// The most machine hours of a calendar month that its schedules allow, with the first day of the month.
    pub busiest: (Date, f64),
    /// The most machines that a calendar month has on average by its schedules.
    pub busiest_average: f64,
    /// Machines that these hours are a share of: the highest maximum.
    pub most: i64,
}

/// Limits and rules, and what they lead to.
#[derive(Clone, Debug)]
pub struct Spell {
    /// Names of the profiles that have them.
    pub profiles: Vec<String>,
    /// Fewest and most machines.
    pub limits: (i64, i64),
    /// Whether there are rules at all.
    pub ruled: bool,
    /// One finding for each time that machines take to start, in minutes; or why there is none.
    pub found: Result<Vec<(u32, Arc<Finding>)>, Undecided>,
}

impl Spell {
    /// Whether a pool without machines gets one as soon as there is something to do.
    fn wakes(&self) -> bool {
        self.limits.0 > 0
            || self.limits.1 > 0
                && self.found.as_ref().is_ok_and(|all| all.iter().all(|(_, finding)| finding.sleeps.is_none()))
                && self.ruled
    }
}

/// Finds out what the pools of a project do with the values of one env, over a year from a day on. Pools without a policy are
/// left out: nothing changes their number.
#[must_use]
pub fn proofs(
    subject: &Subject<'_, '_>,
    prices: &Prices,
    startup: Option<&Startup>,
    pool: Option<&str>,
    from: Date,
) -> Proofs {
    let named = candidates(subject, prices, None, startup, None);
    let wanted = named.into_iter().filter(|candidate| pool.is_none_or(|wanted| wanted == candidate.name));
    let pools: Vec<Proof> = wanted.filter_map(|candidate| one(candidate, from)).collect();
    let costs = costs(subject, prices, None);
    let of = |wanted: &Option<String>| pool.is_none_or(|pool| wanted.as_deref() == Some(pool));
    let budgets = costs.budgets.iter().filter(|budget| of(&budget.pool)).map(|budget| BudgetProof {
        pool: budget.pool.clone(),
        monthly: budget.monthly,
        most: dearest(&costs, &pools, budget.pool.as_deref()),
    });
    Proofs { budgets: budgets.collect(), currency: costs.currency.clone(), pools }
}

/// What a month costs at most: as the ceiling of the bill, but with the machines that schedules allow at each time.
fn dearest(costs: &Costs, pools: &[Proof], of: Option<&str>) -> Total {
    let mine = |item: &&Item| of.is_none_or(|of| item.pool.as_deref() == Some(of));
    let [_, _, mut total] = costs.bill.totals(|item| mine(&item));
    for item in costs.bill.items.iter().filter(mine).filter(|item| item.what == "machines") {
        let proven = pools.iter().find(|proof| Some(&proof.pool) == item.pool.as_ref());
        let Some(proven) = proven.and_then(|proof| proof.found.as_ref().ok()) else { continue };
        let [_, _, ceiling] = &item.cases;
        // Reserved machines are paid whether they are used or not, and are no part of the count.
        let Amount::Known { count, .. } = ceiling else { continue };
        let part = Decimal::from_f64(proven.busiest_average).and_then(|average| average.checked_div(*count));
        let Some((sum, part)) = ceiling.sum().zip(part).filter(|_| *count == Decimal::from(proven.most)) else {
            continue;
        };
        let saved = sum.checked_mul(Decimal::ONE - part.round_dp(6).min(Decimal::ONE)).unwrap_or_default();
        total.sum -= saved.max(Decimal::ZERO);
    }
    total
}

fn one(candidate: Candidate, from: Date) -> Option<Proof> {
    let Candidate { name: pool, zone, pool: simulated, .. } = candidate;
    let found = match simulated {
        Err(why) => Err(why),
        Ok(simulated) => match &simulated.policy {
            Policy::Fixed => return None,
            Policy::Setting(setting) => {
                let zone = zone.as_deref().and_then(time_zone).unwrap_or(TimeZone::UTC);
                Ok(proven(setting, &simulated.startup, i64::from(simulated.machines), &zone, from))
            }
            Policy::Cluster(_) => Err("Azure Machine Learning decides when its clusters grow and shrink"),
            Policy::Formula(_) => Err("proofs cover autoscale settings, not formulas; `dsvmc simulate` plays them"),
        },
    };
    Some(Proof { pool, zone, found })
}

/// Limits, default and rules of two profiles are the same.
fn alike(a: &Profile, b: &Profile) -> bool {
    (a.minimum, a.maximum, a.default) == (b.minimum, b.maximum, b.default) && a.rules == b.rules
}

fn proven(setting: &Setting, startup: &Startup, machines: i64, zone: &TimeZone, from: Date) -> Proven {
    let most = setting.profiles.iter().map(|profile| profile.maximum).max().unwrap_or(0).max(machines);
    let begin = |day: Date| zone.to_timestamp(day.at(0, 0, 0, 0)).unwrap_or_default();
    let year = (begin(from), begin(from.saturating_add(1.year())));
    let mut kinds: Vec<(&Profile, Spell)> = Vec::new();
    for profile in in_use(setting, year.0, year.1) {
        if let Some((_, spell)) = kinds.iter_mut().find(|(known, _)| alike(known, profile)) {
            spell.profiles.push(name(&profile.name));
            continue;
        }
        let find = |startup: u32| {
            prove(&Question { profile, most, startup, effort: PATIENT }).map(|finding| (startup, Arc::new(finding)))
        };
        let spell = Spell {
            profiles: vec![name(&profile.name)],
            limits: (profile.minimum, profile.maximum),
            ruled: !profile.rules.is_empty(),
            found: startup.times().into_iter().map(find).collect(),
        };
        kinds.push((profile, spell));
    }
    let wakes = |profile: &Profile| {
        let mine = kinds.iter().find(|(known, _)| alike(known, profile));
        mine.is_some_and(|(_, spell)| spell.wakes())
    };
    let asleep = asleep(setting, year.0, year.1, wakes);
    let falls = kinds.iter().any(|(_, spell)| {
        let found = spell.found.as_ref();
        spell.limits.1 == 0 || found.is_ok_and(|all| all.iter().any(|(_, finding)| finding.falls_to_zero))
    });
    let months = (0..12).map(|month| {
        let first = from.first_of_month().saturating_add(month.months());
        let (start, end) = (begin(first), begin(first.saturating_add(1.month())));
        let used = busiest(setting, start, end);
        (first, used, used * 3600.0 / end.duration_since(start).as_secs_f64().max(1.0))
    });
    let months: Vec<(Date, f64, f64)> = months.collect();
    let busiest_average = months.iter().map(|month| month.2).fold(0.0, f64::max);
    let longest = months.into_iter().reduce(|best, next| if next.1 > best.1 { next } else { best });
    let busiest = longest.map_or((from, 0.0), |(first, used, _)| (first, used));
    Proven {
        spells: kinds.into_iter().map(|(_, spell)| spell).collect(),
        asleep,
        reaches_zero: falls || machines == 0,
        busiest,
        busiest_average,
        most,
    }
}

/// The name of a profile as people wrote it: that of a return profile names the schedule that it ends.
fn name(profile: &str) -> String {
    if profile == dsvm_graph::DEFAULT_PROFILE {
        return "always".to_owned();
    }
    let back: Option<serde_json::Value> = serde_json::from_str(profile).ok();
    match back.as_ref().and_then(|back| back.get("for")).and_then(serde_json::Value::as_str) {
        Some(schedule) => format!("after {schedule}"),
        None => profile.to_owned(),
    }
}
