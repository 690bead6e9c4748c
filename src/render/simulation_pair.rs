//! Two simulated pools → a table of both and the difference.

use super::palette::{Palette, Role};
use super::plan_text::clean;
use super::simulation::{Simulated, cost, hours, usd, wait};
use dsvm_simulate::Report;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// What two pools are compared by.
struct Side {
    name: String,
    size: String,
    report: Report,
    cost: Option<Decimal>,
}

/// Two pools under the same workload: what was, or the first; and what is, or the second.
pub struct Pair {
    currency: String,
    title: String,
    env: String,
    sides: [Side; 2],
}

/// A number of a report: as `--format json` names it, as people do, and in which unit it is.
type Row = (&'static str, &'static str, Unit, fn(&Report) -> u64);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Minutes,
    MachineMinutes,
    Count,
}

const ROWS: &[Row] = &[
    ("wait_p50", "half wait up to", Unit::Minutes, |report| report.wait(50).into()),
    ("wait_p95", "95 % wait up to", Unit::Minutes, |report| report.wait(95).into()),
    ("wait_worst", "worst wait", Unit::Minutes, |report| report.worst_wait().into()),
    ("crowded_minutes", "crowded hours", Unit::MachineMinutes, |report| report.crowded_minutes),
    ("machines_most", "most machines", Unit::Count, |report| report.machines.1.into()),
    ("machine_minutes", "paid hours", Unit::MachineMinutes, |report| report.machine_minutes),
    ("idle_minutes", "idle hours", Unit::MachineMinutes, |report| report.idle_minutes),
    ("flaps", "flaps", Unit::Count, |report| report.flaps.into()),
    ("people_interrupted", "people interrupted", Unit::Count, |report| report.people_hit.into()),
    ("jobs_interrupted", "jobs interrupted", Unit::Count, |report| report.jobs_hit.0.into()),
    ("machines_evicted", "machines evicted", Unit::Count, |report| report.evicted.0.into()),
    ("served", "served", Unit::Count, |report| report.tasks.0.into()),
    ("waiting_at_the_end", "waiting at the end", Unit::Count, |report| report.tasks.1.into()),
];

impl Unit {
    fn text(self, number: u64) -> String {
        match self {
            Self::Minutes => wait(u32::try_from(number).unwrap_or(u32::MAX)),
            Self::MachineMinutes => hours(number),
            Self::Count => number.to_string(),
        }
    }

    /// A difference with its sign; nothing for none.
    fn change(self, from: u64, to: u64) -> String {
        match to.cmp(&from) {
            std::cmp::Ordering::Less => format!("-{}", self.text(from - to)),
            std::cmp::Ordering::Equal => String::new(),
            std::cmp::Ordering::Greater => format!("+{}", self.text(to - from)),
        }
    }
}

/// By how many per cent a number changes: `-38 %`.
pub(super) fn percent(from: Decimal, to: Decimal) -> Option<String> {
    let part = ((to - from) * Decimal::from(100)).checked_div(from)?.round();
    Some(format!("{}{} %", if part.is_sign_negative() && !part.is_zero() { "" } else { "+" }, part.normalize()))
}

impl Pair {
    /// Puts two pools side by side, each under a name.
    #[must_use]
    pub fn new((left, first): (&str, &Simulated), (right, second): (&str, &Simulated), title: String) -> Self {
        let side = |name: &str, one: &Simulated| Side {
            name: name.to_owned(),
            size: one.size.clone(),
            report: one.report.clone(),
            cost: cost(&one.report, one.price.as_ref(), one.spot_price.as_ref()),
        };
        let currency = super::simulation::currency(second).to_owned();
        Self { title, env: second.env.clone(), currency, sides: [side(left, first), side(right, second)] }
    }

    /// A table of both; rows that are zero on both sides are left out.
    #[must_use]
    pub fn text(&self, palette: Palette) -> String {
        let [left, right] = &self.sides;
        let env = if self.env.is_empty() { String::new() } else { format!(", env {}", clean(&self.env)) };
        let mut rows: Vec<[String; 4]> = Vec::new();
        if left.size != right.size {
            rows.push(["size".to_owned(), clean(&left.size), clean(&right.size), String::new()]);
        }
        for (_, label, unit, of) in ROWS {
            let (from, to) = (of(&left.report), of(&right.report));
            if from > 0 || to > 0 {
                rows.push([(*label).to_owned(), unit.text(from), unit.text(to), unit.change(from, to)]);
            }
        }
        let amount = |cost: Option<Decimal>| cost.map_or_else(|| "unknown".to_owned(), usd);
        let change = left.cost.zip(right.cost).filter(|(from, to)| from != to).map(|(from, to)| {
            let sign = if to < from { "-" } else { "+" };
            let part = percent(from, to).map(|part| format!(" ({part})")).unwrap_or_default();
            format!("{sign}{}{part}", usd((to - from).abs()))
        });
        rows.push([
            format!("cost in {}", self.currency),
            amount(left.cost),
            amount(right.cost),
            change.unwrap_or_default(),
        ]);
        let head = [String::new(), clean(&left.name), clean(&right.name), "difference".to_owned()];
        let wide: Vec<usize> = (0..4)
            .map(|at| rows.iter().chain([&head]).filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max())
            .map(|most| most.unwrap_or(0))
            .collect();
        let title = format!("{}{env}, under the same workload", clean(&self.title));
        let mut out = format!("{}\n", palette.paint(Role::Title, &title));
        for row in [&head].into_iter().chain(&rows) {
            let mut line = String::from(" ");
            for (at, (cell, wide)) in row.iter().zip(&wide).enumerate() {
                line.push_str(&if at == 0 { format!(" {cell:<wide$}") } else { format!("  {cell:>wide$}") });
            }
            out.push_str(&format!("{}\n", line.trim_end()));
        }
        out.push('\n');
        out
    }

    /// Both sides and the differences, in minutes and counts.
    #[must_use]
    pub fn data(&self) -> Value {
        let [left, right] = &self.sides;
        let figures = |side: &Side| -> serde_json::Map<String, Value> {
            ROWS.iter().map(|(name, _, _, of)| ((*name).to_owned(), json!(of(&side.report)))).collect()
        };
        let amount = |cost: Option<Decimal>| cost.map(|cost| usd(cost).replace(',', ""));
        let side = |side: &Side| json!({ "name": side.name, "size": side.size, "figures": figures(side), "machine_cost": amount(side.cost) });
        let differences: serde_json::Map<String, Value> = ROWS
            .iter()
            .map(|(name, _, _, of)| {
                let (from, to) = (i128::from(of(&left.report)), i128::from(of(&right.report)));
                ((*name).to_owned(), json!(i64::try_from(to - from).unwrap_or(i64::MAX)))
            })
            .collect();
        json!({ "pool": self.title, "env": self.env, "sides": [side(left), side(right)], "difference": differences })
    }
}
