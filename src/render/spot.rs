//! Pools with spot machines → text, JSON: prices, what evictions cost, how likely machines are placed.

use super::layout::wrap;
use super::palette::{Palette, Role};
use super::plan_text::clean;
use crate::deploy::placement::Score;
use crate::driver::SpotPool;
use dsvm_model::facts::Known;
use dsvm_simulate::eviction::{Expected, Job, MONTH, Rate};
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// What is asked about evictions.
#[derive(Clone, Debug)]
pub struct Question {
    /// How likely a machine is evicted.
    pub rate: Rate,
    /// Intervals between checkpoints that are compared, in minutes.
    pub checkpoints: Vec<u32>,
    /// Length of a job, in minutes.
    pub job: Option<u32>,
    /// Time for it, in minutes.
    pub deadline: Option<u32>,
}

/// A pool with spot machines, and what was found about it.
#[derive(Clone, Debug)]
pub struct Row {
    /// Name of the project.
    pub project: String,
    /// The env; empty for the defaults of a project without envs.
    pub env: String,
    /// The machines that can be evicted, with their prices.
    pub pool: SpotPool,
    /// Scores, where they were asked for.
    pub placement: Option<Vec<Score>>,
}

/// What is lost at one interval between checkpoints.
struct Lost {
    checkpoint: u32,
    /// Part of the work, in per cent.
    share: f64,
    /// Hours of a month of all machines.
    hours: Option<f64>,
    /// What these hours cost, in the currency of the prices.
    cost: Option<Decimal>,
}

fn lost(pool: &SpotPool, rate: Rate, checkpoint: u32) -> Lost {
    let one = rate.expected(Job { minutes: checkpoint, checkpoint: None, restart: 0 });
    let share = one.lost / (one.lost + f64::from(checkpoint));
    #[expect(clippy::cast_precision_loss, reason = "numbers of machines are far below 2^52")]
    let hours = pool.most.map(|most| share * f64::from(MONTH) / 60.0 * most as f64);
    let [spot, _] = &pool.prices;
    let cost = hours.zip(spot.as_ref()).and_then(|(hours, price)| {
        let cost = Decimal::try_from(hours).ok()?.checked_mul(price.amount)?;
        Some(cost.round_dp(2))
    });
    Lost { checkpoint, share: share * 100.0, hours, cost }
}

/// `1 h 30 min`, `2 h`, `45 min`.
#[must_use]
pub fn time(minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// The same of an average; very long ones are not told to the minute.
fn average(minutes: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the bound is checked")]
    if minutes < 100_000.0 { time(minutes.round().max(0.0) as u32) } else { "more than two months".to_owned() }
}

fn offered(pool: &SpotPool) -> &'static str {
    match pool.offered {
        Known::Yes => "yes, by the facts of the size",
        Known::No => "no, by the facts of the size",
        Known::Unknown => "not known: the size has no source that says so",
    }
}

fn price(pool: &SpotPool) -> String {
    let per_hour = |price: Decimal| format!("{} {}/h", price.round_dp(6).normalize(), pool.currency);
    match &pool.prices {
        [Some(spot), regular] => {
            let of = regular.as_ref().filter(|regular| !regular.amount.is_zero()).map(|regular| {
                let share = (spot.amount / regular.amount * Decimal::from(100)).round();
                format!(", {share} % of {}", per_hour(regular.amount))
            });
            format!("{}{} ({}, {})", per_hour(spot.amount), of.unwrap_or_default(), spot.source.title, spot.source.date)
        }
        [None, _] if pool.region.is_none() => "unknown: name the region with --region".to_owned(),
        [None, _] => "unknown".to_owned(),
    }
}

/// What the maximum price means.
fn most(pool: &SpotPool) -> Option<(String, bool)> {
    let most = pool.max_price?;
    let low = pool.is_below_price();
    let [spot, _] = &pool.prices;
    let what = match (low, spot) {
        (true, _) => ": below the price, so that Azure refuses or evicts every machine",
        (false, Some(_)) => ": a higher price evicts",
        (false, None) => ": the price is unknown",
    };
    Some((format!("{} USD/h{what}", most.normalize()), low))
}

fn job(rate: Rate, question: &Question, restart: u32, checkpoint: Option<u32>) -> Option<(Job, Expected, Option<f64>)> {
    let job = Job { minutes: question.job?, checkpoint, restart };
    Some((job, rate.expected(job), question.deadline.map(|deadline| rate.in_time(job, deadline) * 100.0)))
}

/// The checkpoints of a job that are compared: without any, and those that were asked for.
fn of_job(question: &Question) -> Vec<Option<u32>> {
    let shorter = question.checkpoints.iter().copied().filter(|at| question.job.is_none_or(|job| *at < job));
    std::iter::once(None).chain(shorter.map(Some)).collect()
}

/// A paragraph for each pool, with tables of what evictions cost where a rate is given.
#[must_use]
pub fn text(rows: &[Row], question: Option<&Question>, palette: Palette) -> String {
    if rows.is_empty() {
        return "No pool has spot machines.\n".to_owned();
    }
    let mut out = String::new();
    for row in rows {
        let pool = &row.pool;
        let env = if row.env.is_empty() { String::new() } else { format!(", env {}", clean(&row.env)) };
        let region = pool.region.as_deref().map_or_else(|| "a region made at deployment".to_owned(), clean);
        let number = pool.most.map_or_else(|| "an unknown number".to_owned(), |most| most.to_string());
        let head = format!("{}{env}: pool {}", clean(&row.project), clean(&pool.name));
        out.push_str(&format!("{}\n", palette.paint(Role::Title, &head)));
        let mut line = |name: &str, text: &str| out.push_str(&format!("  {name:<14}{text}\n"));
        line("machines", &format!("{number} at most, {} in {region} ({})", clean(&pool.size), pool.service));
        line("spot", offered(pool));
        line("price", &price(pool));
        if let Some((text, low)) = most(pool) {
            line("maximum", &if low { palette.paint(Role::Warning, &text) } else { text });
        }
        line("when evicted", &pool.on_eviction);
        for score in row.placement.iter().flatten() {
            let zone = score.zone.as_ref().map(|zone| format!(" zone {}", clean(zone))).unwrap_or_default();
            let quota = match score.quota {
                Some(true) => ", the quota has room",
                Some(false) => ", the quota has no room",
                None => "",
            };
            line("placement", &format!("{}{zone}: {}{quota}", clean(&score.region), clean(&score.score)));
        }
        if let Some(question) = question {
            evictions(pool, question, palette, &mut out);
        }
        out.push('\n');
    }
    out.push_str(&palette.paint(Role::Dim, &wrap(NOT_KNOWN, 100, "")));
    out.push('\n');
    out
}

const NOT_KNOWN: &str = "Not known here: whether the offer of the subscription has spot machines, and rates of eviction, which Azure shows in \
                         its portal and in Resource Graph (SpotResources).";

fn evictions(pool: &SpotPool, question: &Question, palette: Palette, out: &mut String) {
    let rate = question.rate;
    out.push_str(&format!("  {:<14}{:.1} in a month of each machine at {rate}\n", "evictions", rate.in_a_month()));
    let head = format!(
        "  {:<14}{:>10}  {:>16}  {:>14}",
        "checkpoints",
        "work lost",
        "hours in a month",
        format!("{} in a month", pool.currency)
    );
    out.push_str(&format!("\n{}\n", palette.paint(Role::Dim, &head)));
    for checkpoint in &question.checkpoints {
        let lost = lost(pool, rate, *checkpoint);
        let hours = lost.hours.map_or_else(|| "unknown".to_owned(), |hours| format!("{hours:.1}"));
        let cost = lost.cost.map_or_else(|| "unknown".to_owned(), |cost| format!("{cost:.2}"));
        let share = format!("{:.1} %", lost.share);
        out.push_str(&format!("  {:<14}{share:>10}  {hours:>16}  {cost:>14}\n", time(lost.checkpoint)));
    }
    let Some(minutes) = question.job else { return };
    let within = question.deadline.map(|end| format!("within {}", time(end))).unwrap_or_default();
    let head = format!(
        "  {:<14}{:>10}  {:>16}  {:>16}  {within:>12}",
        format!("job of {}", time(minutes)),
        "evictions",
        "done again",
        "lasts"
    );
    out.push_str(&format!("\n{}\n", palette.paint(Role::Dim, head.trim_end())));
    for checkpoint in of_job(question) {
        let Some((_, expected, chance)) = job(rate, question, pool.restart, checkpoint) else { continue };
        let name = checkpoint.map_or_else(|| "no checkpoint".to_owned(), time);
        let chance = chance.map(likely).unwrap_or_default();
        let row = format!(
            "  {name:<14}{:>10.2}  {:>16}  {:>16}  {chance:>12}",
            expected.evictions,
            average(expected.lost),
            average(expected.lasts)
        );
        out.push_str(row.trim_end());
        out.push('\n');
    }
}

/// A chance in per cent; one that is nearly certain is not called certain.
fn likely(chance: f64) -> String {
    match chance {
        chance if chance > 99.9 && chance < 100.0 => "> 99.9 %".to_owned(),
        chance if chance > 0.0 && chance < 0.1 => "< 0.1 %".to_owned(),
        chance => format!("{chance:.1} %"),
    }
}

fn rounded(number: f64) -> Value {
    json!((number * 1000.0).round() / 1000.0)
}

/// The same as JSON.
#[must_use]
pub fn data(rows: &[Row], question: Option<&Question>) -> Value {
    let pools: Vec<Value> = rows
        .iter()
        .map(|row| {
            let pool = &row.pool;
            let [spot, regular] = &pool.prices;
            let amount = |price: &Option<dsvm_prices::Price>| price.as_ref().map(|price| price.amount.normalize().to_string());
            let mut entry = json!({
                "project": row.project, "env": row.env, "pool": pool.name, "service": pool.service, "size": pool.size,
                "region": pool.region, "machines": pool.most, "offered": pool.offered.word(),
                "currency": pool.currency, "spotPerHour": amount(spot), "regularPerHour": amount(regular),
                "priceDate": spot.as_ref().map(|price| price.source.date.to_string()),
                "maximumUsdPerHour": pool.max_price.map(|most| most.normalize().to_string()),
                "maximumBelowPrice": pool.is_below_price(), "onEviction": pool.on_eviction,
            });
            let Some(map) = entry.as_object_mut() else { return entry };
            if let Some(scores) = &row.placement {
                let scores: Vec<Value> = scores
                    .iter()
                    .map(|one| json!({ "region": one.region, "zone": one.zone, "score": one.score, "quota": one.quota }))
                    .collect();
                map.insert("placement".to_owned(), json!(scores));
            }
            if let Some(question) = question {
                let losses: Vec<Value> = question
                    .checkpoints
                    .iter()
                    .map(|at| {
                        let lost = lost(pool, question.rate, *at);
                        json!({ "checkpointMinutes": at, "lostPercent": rounded(lost.share), "hoursPerMonth": lost.hours.map(rounded),
                            "costPerMonth": lost.cost.map(|cost| cost.to_string()) })
                    })
                    .collect();
                let jobs: Vec<Value> = of_job(question)
                    .into_iter()
                    .filter_map(|at| {
                        let (job, expected, chance) = job(question.rate, question, pool.restart, at)?;
                        Some(json!({ "minutes": job.minutes, "checkpointMinutes": at, "restartMinutes": job.restart,
                            "evictions": rounded(expected.evictions), "lostMinutes": rounded(expected.lost),
                            "lastsMinutes": rounded(expected.lasts), "deadlineMinutes": question.deadline,
                            "inTimePercent": chance.map(rounded) }))
                    })
                    .collect();
                map.insert("evictions".to_owned(), json!({ "rate": question.rate.to_string(),
                    "perMonth": rounded(question.rate.in_a_month()), "losses": losses, "jobs": jobs }));
            }
            entry
        })
        .collect();
    json!({ "schema": 1, "pools": pools })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nearly_certain_is_not_called_certain() {
        assert_eq!([99.99, 100.0, 0.01, 0.0, 50.04].map(likely), ["> 99.9 %", "100.0 %", "< 0.1 %", "0.0 %", "50.0 %"]);
    }

    #[test]
    fn times_are_written_as_people_do() {
        assert_eq!([1, 60, 90, 600].map(time), ["1 min", "1 h", "1 h 30 min", "10 h"]);
        assert_eq!(average(1e9), "more than two months");
    }
}
