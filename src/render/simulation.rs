//! Simulated pools → text with a picture, JSON, CSV, SVG.

use super::palette::{Palette, Role};
use super::plan_text::clean;
use dsvm_prices::Price;
use dsvm_simulate::Report;
use dsvm_simulate::eviction::Rate;
use dsvm_simulate::sweep::Knob;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};

/// A pool and what happened to it.
pub struct Simulated {
    /// Name of the project.
    pub project: String,
    /// The env; empty for the defaults of a project without envs.
    pub env: String,
    /// Name of the pool.
    pub pool: String,
    /// Size of its machines.
    pub size: String,
    /// Name of the time zone in which the days begin.
    pub zone: String,
    /// The workload as it was given.
    pub workload: String,
    /// What is to be known of it, in sentences.
    pub notes: Vec<String>,
    /// How likely spot machines are evicted, if they are.
    pub evictions: Option<Rate>,
    /// What a machine costs in an hour, when it is known.
    pub price: Option<Price>,
    /// The same for a spot machine of a pool that has both.
    pub spot_price: Option<Price>,
    /// The outcome with the rules as they are written.
    pub report: Report,
    /// With other numbers in the rules.
    pub tried: Vec<Tried>,
}

/// The same with other numbers in the rules.
pub struct Tried {
    /// What is other than in the sources.
    pub choice: Choice,
    /// The outcome with it.
    pub report: Report,
    /// What one of its machines costs in an hour, when it is known.
    pub price: Option<Price>,
    /// The same for a spot machine.
    pub spot_price: Option<Price>,
    /// No other choice is as good in everything and better in something.
    pub best: bool,
}

/// What can be other than in the sources.
pub enum Choice {
    /// The knobs that were turned, in the order of the command line.
    Knobs(Vec<(Knob, u32)>),
    /// Machines of another size, and so many for each of today's: the first number for the second.
    Size {
        /// As Azure spells it.
        size: String,
        /// Most machines that the pool then has.
        most: u32,
        /// Numbers of machines are multiplied by it.
        ratio: (u64, u64),
    },
}

/// How every SVG file of dsvmc begins.
pub const SVG_BEGIN: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" data-by=\"dsvmc simulate\"";
/// How every CSV file of dsvmc begins.
pub const CSV_BEGIN: &str = "project,env,pool,minute,";

/// Rows that a sweep shows.
const ROWS: usize = 12;
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Hours with one digit behind the point, exact to a tenth.
pub(super) fn hours(minutes: u64) -> String {
    let tenths = (minutes + 3) / 6;
    format!("{}.{}", group(tenths / 10), tenths % 10)
}

/// A number with a comma before each three digits: `12,345`.
fn group(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Minutes as people say them: `45 min`, `2 h 05 min`.
pub(super) fn wait(minutes: u32) -> String {
    if minutes < 120 { format!("{minutes} min") } else { format!("{} h {:02} min", minutes / 60, minutes % 60) }
}

/// What the machines of a report cost in US dollars; `None` when a price is missing that they need.
pub fn cost(report: &Report, price: Option<&Price>, spot: Option<&Price>) -> Option<Decimal> {
    let of = |minutes: u64, price: Option<&Price>| match (minutes, price) {
        (0, _) => Some(Decimal::ZERO),
        (minutes, price) => Some(price?.amount * Decimal::from(minutes) / Decimal::from(60)),
    };
    Some(of(report.machine_minutes - report.spot_minutes, price)? + of(report.spot_minutes, spot)?)
}

/// An amount to a cent.
pub(super) fn usd(sum: Decimal) -> String {
    let cents = sum.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    let whole = cents.trunc().to_u64().unwrap_or(u64::MAX);
    format!("{}.{:02}", group(whole), (cents.fract() * Decimal::from(100)).to_u64().unwrap_or(0))
}

fn percent(part: u64, whole: u64) -> u64 {
    (part * 100 + whole / 2).checked_div(whole).unwrap_or(0)
}

/// One line of bars, highest for `most`.
fn bars(values: impl Iterator<Item = u32>, most: u32) -> String {
    let level = |value: u32| (u64::from(value) * 8).div_ceil(u64::from(most.max(1))).min(8) as usize;
    values.map(|value| BARS.get(level(value)).copied().unwrap_or(' ')).collect()
}

/// Currency of the prices of a pool.
pub(super) fn currency(one: &Simulated) -> &str {
    one.price.as_ref().or(one.spot_price.as_ref()).map_or("USD", |price| &*price.currency)
}

/// The line about costs, with each price that went into it and its source.
fn paid(one: &Simulated) -> String {
    let report = &one.report;
    let Some(sum) = cost(report, one.price.as_ref(), one.spot_price.as_ref()) else {
        return "  cost        unknown: no price of this size and region is known\n".to_owned();
    };
    let (spot, all) = (report.spot_minutes, report.machine_minutes);
    let used = [(&one.price, all > spot, ""), (&one.spot_price, spot > 0, "spot ")];
    let prices: Vec<String> = used
        .into_iter()
        .filter(|(_, used, _)| *used)
        .filter_map(|(price, _, kind)| Some((price.as_ref()?, kind)))
        .map(|(price, kind)| {
            let (amount, title) = (price.amount.normalize(), clean(&price.source.title));
            let off = price.discount.as_ref().map(|one| format!(", {}", clean(&one.title()))).unwrap_or_default();
            format!(
                ", at {amount} {} {kind}an hour in {}\n              ({}, {title}{off})",
                price.currency, price.region, price.source.date
            )
        })
        .collect();
    format!("  cost        {} {} for machines{}\n", usd(sum), currency(one), prices.concat())
}

/// A paragraph for each pool.
#[must_use]
pub fn text(all: &[Simulated], columns: usize, palette: Palette) -> String {
    let mut out = String::new();
    for one in all {
        let report = &one.report;
        let env = if one.env.is_empty() { String::new() } else { format!(", env {}", clean(&one.env)) };
        let title = format!("{} of {}{env}", clean(&one.pool), clean(&one.project));
        let zone = arm_autoscale::time_zone(&one.zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let first = zone.to_datetime(report.span.start).date();
        let days = report.span.minutes / 1440;
        out.push_str(&palette.paint(Role::Title, &title));
        out.push_str(&format!("  {}, {days} days from {first} ({})\n", clean(&one.size), clean(&one.zone)));
        out.push_str(&format!("  {}\n\n", clean(&one.workload)));
        // A column for whole parts of a day, so that days begin at columns.
        let room = columns.clamp(60, 140) as u32 - 24;
        let per_day = (room / days.max(1)).max(1);
        let parts = report.parts((per_day * days).min(room).max(1));
        let most = |of: fn(&dsvm_simulate::Moment) -> u32| parts.iter().map(of).max().unwrap_or(0);
        for (label, of) in [
            ("machines", (|m| m.machines) as fn(&dsvm_simulate::Moment) -> u32),
            ("at work", |m| m.tasks),
            ("waiting", |m| m.waiting),
        ] {
            let most = most(of);
            out.push_str(&format!("  {label:<9} {}  {most}\n", bars(parts.iter().map(of), most)));
        }
        if days <= 31 && per_day >= 3 {
            let names = (0..days).map(|day| {
                let at = report.span.at(day * 1440 + 720);
                format!("{:<1$}", zone.to_datetime(at).strftime("%a").to_string(), per_day as usize)
            });
            out.push_str(&format!("            {}\n", names.collect::<String>().trim_end()));
        }
        out.push('\n');
        let (done, waiting, refused) = report.tasks;
        out.push_str(&format!(
            "  wait        half of them {}, 95 % {}, at worst {}\n",
            wait(report.wait(50)),
            wait(report.wait(95)),
            wait(report.worst_wait())
        ));
        let crowded = hours(report.crowded_minutes);
        out.push_str(&format!("  crowded     {crowded} hours at work on machines without a free processor\n"));
        out.push_str(&format!(
            "  machines    {} to {}; {} hours paid, {} idle ({} %); {} % of the cores held\n",
            report.machines.0,
            report.machines.1,
            hours(report.machine_minutes),
            hours(report.idle_minutes),
            percent(report.idle_minutes, report.machine_minutes),
            report.used / 10
        ));
        out.push_str(&paid(one));
        out.push_str(&format!(
            "  autoscale   added {} times, removed {} times, flapped {} times\n",
            report.actions.0, report.actions.1, report.flaps
        ));
        let (jobs, lost) = report.jobs_hit;
        out.push_str(&format!(
            "  interrupted {} people and {jobs} jobs ({} machine hours lost)\n",
            report.people_hit,
            hours(lost)
        ));
        if let Some(rate) = one.evictions {
            let (machines, people, jobs) = report.evicted;
            out.push_str(&format!(
                "  evicted     {machines} machines at {rate}, with {people} of these people and {jobs} of these jobs\n"
            ));
        }
        out.push_str(&format!("  served      {done}"));
        if waiting > 0 {
            out.push_str(&palette.paint(Role::Warning, &format!("; {waiting} still wait at the end")));
        }
        if refused > 0 {
            out.push_str(&palette.paint(Role::Warning, &format!("; {refused} are larger than a machine")));
        }
        if report.ended > 0 {
            let note = format!("; {} ended with their machine and do not start again", report.ended);
            out.push_str(&palette.paint(Role::Warning, &note));
        }
        out.push('\n');
        if let Some((count, first)) = &report.failed {
            let note =
                format!("  formula     gave no result {count} times and left the pool as it was: {}\n", clean(first));
            out.push_str(&palette.paint(Role::Warning, &note));
        }
        for note in &one.notes {
            out.push_str(&palette.paint(Role::Warning, &format!("  {}\n", clean(note))));
        }
        for metric in &report.unreadable {
            let note = format!("  the metric `{}` is not simulated: its rules saw nothing\n", clean(metric));
            out.push_str(&palette.paint(Role::Warning, &note));
        }
        if !one.tried.is_empty() {
            out.push('\n');
            out.push_str(&tried(one));
        }
        out.push('\n');
    }
    out
}

fn choice(of: &Choice) -> String {
    match of {
        Choice::Knobs(of) => {
            of.iter().map(|(knob, value)| format!("{}={value}", knob.word())).collect::<Vec<_>>().join(" ")
        }
        Choice::Size { size, most, .. } => format!("up to {most} x {}", clean(size)),
    }
}

/// The choices that no other beats, each outcome once: those of fewest machine hours first, or the cheapest.
#[must_use]
pub fn shown(all: &[Tried]) -> Vec<&Tried> {
    let sum = |one: &Tried| match one.choice {
        Choice::Knobs(_) => None,
        Choice::Size { .. } => cost(&one.report, one.price.as_ref(), one.spot_price.as_ref()),
    };
    let mut best: Vec<&Tried> = all.iter().filter(|one| one.best).collect();
    best.sort_by_key(|one| (sum(one), one.report.machine_minutes));
    best.dedup_by_key(|one| {
        (
            sum(one),
            one.report.machine_minutes,
            one.report.wait(95),
            one.report.crowded_minutes,
            one.report.people_hit,
            one.report.jobs_hit.0,
        )
    });
    best
}

/// A table of what [`shown`] gives, beside the pool as it is.
fn tried(one: &Simulated) -> String {
    let best = shown(&one.tried);
    let sizes = one.tried.iter().any(|one| matches!(one.choice, Choice::Size { .. }));
    let now = cost(&one.report, one.price.as_ref(), one.spot_price.as_ref());
    let row = |number: String, label: String, report: &Report, sum: Option<Decimal>| {
        let part = now.zip(sum).filter(|_| sizes && !number.is_empty());
        let part = part.and_then(|(now, sum)| super::simulation_pair::percent(now, sum)).unwrap_or_default();
        let paid = if sizes { sum.map_or_else(|| "unknown".to_owned(), usd) } else { hours(report.machine_minutes) };
        let hit = report.people_hit + report.jobs_hit.0;
        let numbers = [u64::from(report.wait(95)), report.crowded_minutes, u64::from(hit), u64::from(report.flaps)];
        let texts = [wait(report.wait(95)), hours(report.crowded_minutes), hit.to_string(), report.flaps.to_string()];
        ([vec![number, label, paid, part], texts.to_vec()].concat(), numbers)
    };
    let rows = best.iter().take(ROWS).zip(1..).map(|(one, number): (_, u32)| {
        let sum = cost(&one.report, one.price.as_ref(), one.spot_price.as_ref());
        row(number.to_string(), choice(&one.choice), &one.report, sum)
    });
    let rows: Vec<(Vec<String>, [u64; 4])> =
        std::iter::once(row(String::new(), "as it is".to_owned(), &one.report, now)).chain(rows).collect();
    let heads =
        ["", "", if sizes { currency(one) } else { "paid hours" }, "", "95 % wait", "crowded", "interrupted", "flaps"];
    let mut out = format!("  Of {} choices, those that no other one beats:\n", one.tried.len());
    let heads: Vec<String> = heads.map(str::to_owned).to_vec();
    for cells in std::iter::once(&heads).chain(rows.iter().map(|(cells, _)| cells)) {
        let mut line = String::from("  ");
        for (at, cell) in cells.iter().enumerate() {
            // What is nothing in every row says nothing, and lines stay short.
            let tells = match at {
                0..=2 => true,
                3 => sizes,
                _ => rows.iter().any(|(_, numbers)| numbers.get(at - 4).is_some_and(|number| *number > 0)),
            };
            let all = rows.iter().map(|(cells, _)| cells).chain([&heads]);
            let wide = all.filter_map(|cells| cells.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0);
            if tells {
                line.push_str(&if at == 1 { format!("  {cell:<wide$}") } else { format!("  {cell:>wide$}") });
            }
        }
        out.push_str(&format!("{}\n", line.trim_end()));
    }
    if best.len() > ROWS {
        out.push_str(&format!("    and {} more; `--format json` has all\n", best.len() - ROWS));
    }
    out
}

fn figures(report: &Report) -> Value {
    json!({
        "wait_minutes": { "p50": report.wait(50), "p95": report.wait(95), "worst": report.worst_wait() },
        "machines": { "least": report.machines.0, "most": report.machines.1 },
        "machine_minutes": report.machine_minutes,
        "spot_minutes": report.spot_minutes,
        "idle_minutes": report.idle_minutes,
        "crowded_minutes": report.crowded_minutes,
        "cores_held_per_mille": report.used,
        "added": report.actions.0,
        "removed": report.actions.1,
        "flaps": report.flaps,
        "people_interrupted": report.people_hit,
        "jobs_interrupted": report.jobs_hit.0,
        "minutes_lost": report.jobs_hit.1,
        "evicted": { "machines": report.evicted.0, "people": report.evicted.1, "jobs": report.evicted.2 },
        "served": report.tasks.0,
        "waiting_at_the_end": report.tasks.1,
        "too_large": report.tasks.2,
        "ended_with_their_machine": report.ended,
        "formula_failures": report.failed.as_ref().map(|(count, first)| json!({ "count": count, "first": first })),
        "metrics_not_simulated": report.unreadable,
    })
}

fn machine_cost(one: &Simulated) -> Value {
    let Some(sum) = cost(&one.report, one.price.as_ref(), one.spot_price.as_ref()) else { return Value::Null };
    let rate = |price: &Price| price.amount.normalize().to_string();
    let Some(price) = one.price.as_ref().or(one.spot_price.as_ref()) else { return Value::Null };
    json!({
        "amount": usd(sum).replace(',', ""),
        "currency": &*price.currency,
        "per_hour": one.price.as_ref().map(rate),
        "per_spot_hour": one.spot_price.as_ref().map(rate),
        "region": price.region,
        "date": price.source.date.to_string(),
        "source": price.source.title,
    })
}

/// One document with the figures of all pools.
#[must_use]
pub fn data(all: &[Simulated]) -> Value {
    let one = |one: &Simulated| {
        let rows = shown(&one.tried);
        let tried = |tried: &Tried| {
            let choice: serde_json::Map<String, Value> = match &tried.choice {
                Choice::Knobs(knobs) => {
                    knobs.iter().map(|(knob, value)| (knob.word().to_owned(), json!(value))).collect()
                }
                Choice::Size { size, most, .. } => {
                    [("size".to_owned(), json!(size)), ("machines_most".to_owned(), json!(most))].into_iter().collect()
                }
            };
            let sum = cost(&tried.report, tried.price.as_ref(), tried.spot_price.as_ref());
            json!({
                "row": rows.iter().position(|row| std::ptr::eq(*row, tried)).map(|at| at + 1),
                "choice": choice,
                "best": tried.best,
                "machine_cost": sum.map(|sum| usd(sum).replace(',', "")),
                "figures": figures(&tried.report),
            })
        };
        json!({
            "project": one.project,
            "env": one.env,
            "pool": one.pool,
            "size": one.size,
            "workload": one.workload,
            "notes": one.notes,
            "evictions": one.evictions.map(|rate| rate.to_string()),
            "from": one.report.span.start.to_string(),
            "minutes": one.report.span.minutes,
            "timezone": one.zone,
            "figures": figures(&one.report),
            "machine_cost": machine_cost(one),
            "tried": one.tried.iter().map(tried).collect::<Vec<_>>(),
        })
    };
    json!({ "version": 1, "pools": all.iter().map(one).collect::<Vec<_>>() })
}

/// A line for each minute at which a pool differs from the minute before.
#[must_use]
pub fn csv(all: &[Simulated]) -> String {
    let mut out = format!("{CSV_BEGIN}time,machines,ready,tasks,waiting,cores_held\n");
    for one in all {
        for (minute, moment) in &one.report.moments {
            let time = one.report.span.at(*minute);
            out.push_str(&format!(
                "{},{},{},{minute},{time},{},{},{},{},{}.{:03}\n",
                one.project,
                one.env,
                one.pool,
                moment.machines,
                moment.ready,
                moment.tasks,
                moment.waiting,
                moment.held / 1000,
                moment.held % 1000
            ));
        }
    }
    out
}

/// One chart for each pool: machines and people at work above, waiting below, over days.
#[must_use]
pub fn svg(all: &[Simulated]) -> String {
    const WIDTH: u32 = 960;
    const CHART: u32 = 220;
    let height = CHART * all.len().max(1) as u32;
    let mut out = format!(
        "{SVG_BEGIN} width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    for (at, one) in all.iter().enumerate() {
        out.push_str(&chart(one, at as u32 * CHART));
    }
    out.push_str("</svg>\n");
    out
}

fn chart(one: &Simulated, top: u32) -> String {
    const LEFT: u32 = 84;
    const INNER: u32 = 860;
    const MAIN: (u32, u32) = (30, 110);
    const WAIT: (u32, u32) = (155, 40);
    let report = &one.report;
    let parts = report.parts(INNER / 2);
    let mut out = String::new();
    let escape = |text: &str| clean(text).replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let env = if one.env.is_empty() { String::new() } else { format!(", env {}", one.env) };
    let title = format!("{} of {}{env}: {}", one.pool, one.project, one.workload);
    out.push_str(&format!("<text x=\"{LEFT}\" y=\"{}\" font-weight=\"bold\">{}</text>\n", top + 18, escape(&title)));
    let days = report.span.minutes / 1440;
    for day in 0..=days {
        let x = LEFT + INNER * day / days.max(1);
        let (y1, y2) = (top + MAIN.0, top + WAIT.0 + WAIT.1);
        out.push_str(&format!("<line x1=\"{x}\" y1=\"{y1}\" x2=\"{x}\" y2=\"{y2}\" stroke=\"#dddddd\"/>\n"));
        if day < days && days <= 31 {
            let zone = arm_autoscale::time_zone(&one.zone).unwrap_or(jiff::tz::TimeZone::UTC);
            let name = zone.to_datetime(report.span.at(day * 1440 + 720)).strftime("%a %-d").to_string();
            out.push_str(&format!("<text x=\"{}\" y=\"{}\" fill=\"#666666\">{name}</text>\n", x + 4, top + 212));
        }
    }
    let most = parts.iter().map(|m| m.machines).max().unwrap_or(0).max(1);
    let people = parts.iter().map(|m| m.tasks).max().unwrap_or(0).max(1);
    let waiting = parts.iter().map(|m| m.waiting).max().unwrap_or(0).max(1);
    let area = |values: Vec<u32>, most: u32, (y, high): (u32, u32), style: &str| {
        let base = top + y + high;
        let mut path = format!("M{LEFT} {base}");
        for (at, value) in values.iter().enumerate() {
            let level = base - high * (*value).min(most) / most.max(1);
            path.push_str(&format!(" L{} {level} L{} {level}", LEFT + at as u32 * 2, LEFT + at as u32 * 2 + 2));
        }
        path.push_str(&format!(" L{} {base}", LEFT + values.len() as u32 * 2));
        format!("<path d=\"{path}\" {style}/>\n")
    };
    let machines = "fill=\"#cfe3f7\" stroke=\"#1f6fb2\" stroke-width=\"1.5\"";
    out.push_str(&area(parts.iter().map(|m| m.machines).collect(), most, MAIN, machines));
    let work = "fill=\"none\" stroke=\"#2e7d32\" stroke-width=\"1.5\"";
    out.push_str(&area(parts.iter().map(|m| m.tasks).collect(), people, MAIN, work));
    out.push_str(&area(
        parts.iter().map(|m| m.waiting).collect(),
        waiting,
        WAIT,
        "fill=\"#f6c7c0\" stroke=\"#c0392b\"",
    ));
    let label = |y: u32, color: &str, text: String| format!("<text x=\"4\" y=\"{y}\" fill=\"{color}\">{text}</text>\n");
    out.push_str(&label(top + MAIN.0 + 10, "#1f6fb2", format!("{most} mach.")));
    out.push_str(&label(top + MAIN.0 + 26, "#2e7d32", format!("{people} at work")));
    out.push_str(&label(
        top + WAIT.0 + 10,
        "#c0392b",
        format!("{} wait", report.moments.iter().map(|(_, m)| m.waiting).max().unwrap_or(0)),
    ));
    out
}
