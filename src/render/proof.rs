//! Findings about autoscale settings → text with the steps of a counterexample, JSON.

use super::palette::{Palette, Role};
use super::plan_text::clean;
use crate::driver::{BudgetProof, Proof, Proofs, Proven, Spell};
use arm_autoscale::{Reason, time_zone};
use dsvm_diagnostics::count;
use dsvm_prices::cents;
use dsvm_proof::{Asleep, Example, Finding, Interval, Undecided, number};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// The findings about a project, with its env.
pub struct Shown {
    /// Name of the project.
    pub project: String,
    /// The env; empty for the defaults of a project without envs.
    pub env: String,
    /// What was found about its pools and budgets.
    pub proofs: Proofs,
}

/// Most steps of a counterexample that are shown as text.
const STEPS: usize = 24;

/// Whether everything is as it should be: numbers settle, pools wake, soon enough when a time is given, budgets suffice.
#[must_use]
pub fn holds(proofs: &Proofs, longest: Option<SignedDuration>) -> bool {
    proofs.budgets.iter().all(BudgetProof::holds) && proofs.pools.iter().all(|proof| pool_holds(proof, longest))
}

fn pool_holds(proof: &Proof, longest: Option<SignedDuration>) -> bool {
    match &proof.found {
        Err(_) => true,
        Ok(proven) => proven.spells.iter().all(|spell| flaps(spell).is_none()) && wakes(proven, longest),
    }
}

fn findings(spell: &Spell) -> &[(u32, std::sync::Arc<Finding>)] {
    spell.found.as_deref().unwrap_or_default()
}

fn flaps(spell: &Spell) -> Option<(&Finding, &Example)> {
    findings(spell).iter().find_map(|(_, finding)| Some((&**finding, finding.flaps.as_ref()?)))
}

fn sleeps(spell: &Spell) -> Option<(&Finding, &Example)> {
    findings(spell).iter().find_map(|(_, finding)| Some((&**finding, finding.sleeps.as_ref()?)))
}

fn wakes(proven: &Proven, longest: Option<SignedDuration>) -> bool {
    match proven.asleep {
        Asleep::Never => true,
        _ if !proven.reaches_zero => true,
        Asleep::ForEver => false,
        Asleep::Until(from, to) => longest.is_none_or(|longest| to.duration_since(from) <= longest),
    }
}

fn is_cpu(metric: &str) -> bool {
    metric.eq_ignore_ascii_case("Percentage CPU")
}

/// A load in words.
fn load(metric: &str, value: f64) -> String {
    dsvm_proof::load(&clean(metric), value)
}

/// Loads in words: those that the counterexample stands for.
fn loads(metric: &str, among: Interval) -> String {
    let Interval { low, high } = among;
    let scale = if is_cpu(metric) { 100.0 } else { 1.0 };
    if low >= high {
        format!("exactly {}", load(metric, low))
    } else if high.is_infinite() {
        format!("more than {}", load(metric, low))
    } else {
        let words = load(metric, high);
        let text = number(high / scale);
        words.replacen(&text, &format!("{} to {text}", number(low / scale)), 1)
    }
}

fn all_loads(finding: &Finding, among: &[Interval]) -> String {
    let parts: Vec<String> = finding.metrics.iter().zip(among).map(|(metric, among)| loads(metric, *among)).collect();
    if parts.is_empty() { "nothing to do".to_owned() } else { parts.join(" and ") }
}

fn time(minutes: u32) -> String {
    if minutes < 120 { format!("{minutes} min") } else { format!("{} h {:02} min", minutes / 60, minutes % 60) }
}

fn long(time: SignedDuration) -> String {
    let minutes = time.as_mins();
    match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, hours, minutes) => format!("{hours} h {minutes:02} min"),
        (days, hours, _) => format!("{} {hours} h", count(days, "day")),
    }
}

fn moment(at: Timestamp, zone: Option<&str>) -> String {
    let zone = zone.and_then(time_zone).unwrap_or(TimeZone::UTC);
    zone.to_datetime(at).strftime("%a %Y-%m-%d %H:%M").to_string()
}

/// All findings for people.
#[must_use]
pub fn text(all: &[Shown], longest: Option<SignedDuration>, palette: Palette) -> String {
    let mut out = String::new();
    for one in all {
        let env = if one.env.is_empty() { String::new() } else { format!(", env {}", clean(&one.env)) };
        for proof in &one.proofs.pools {
            if !out.is_empty() {
                out.push('\n');
            }
            let title = format!("{} of {}{env}", clean(&proof.pool), clean(&one.project));
            out.push_str(&format!("{}\n", palette.paint(Role::Title, &title)));
            match &proof.found {
                Err(why) => out.push_str(&format!("  not judged: {why}\n")),
                Ok(proven) => pool(&mut out, proven, proof.zone.as_deref(), longest, palette),
            }
        }
        if !one.proofs.budgets.is_empty() {
            if !out.is_empty() {
                out.push('\n');
            }
            let title = format!("budget of {}{env}", clean(&one.project));
            out.push_str(&format!("{}\n", palette.paint(Role::Title, &title)));
            one.proofs.budgets.iter().for_each(|budget| spent(&mut out, budget, &one.proofs.currency, palette));
        }
    }
    out
}

fn pool(out: &mut String, proven: &Proven, zone: Option<&str>, longest: Option<SignedDuration>, palette: Palette) {
    for spell in &proven.spells {
        let names: Vec<String> = spell.profiles.iter().map(|name| clean(name)).collect();
        out.push_str(&format!("  {}: {} to {} machines\n", names.join(", "), spell.limits.0, spell.limits.1));
        self::spell(out, spell, proven.most, palette);
    }
    let (role, words) = match proven.asleep {
        Asleep::Never => (
            Role::Good,
            "wakes    always: no limits leave a pool without machines while there is something to do".to_owned(),
        ),
        _ if !proven.reaches_zero => {
            (Role::Good, "wakes    always: neither rules nor schedules bring it to zero".to_owned())
        }
        Asleep::ForEver => {
            (Role::Error, "sleeps   for ever: once it is at zero, no schedule and no rule brings it back".to_owned())
        }
        Asleep::Until(from, to) => {
            let time = to.duration_since(from);
            let role = if wakes(proven, longest) { Role::Good } else { Role::Error };
            let wanted = longest.filter(|longest| time > *longest);
            let wanted = wanted.map_or(String::new(), |longest| format!("; wanted: at most {}", long(longest)));
            let (from, to) = (moment(from, zone), moment(to, zone));
            let verb = if role == Role::Good { "wakes    after" } else { "sleeps   for" };
            (role, format!("{verb} at most {} at zero, whoever waits (such as {from} to {to}){wanted}", long(time)))
        }
    };
    out.push_str(&format!("  {} {words}\n", mark(role, palette)));
    let (month, hours) = proven.busiest;
    let words =
        format!("at most  {hours:.0} machine hours in a month, whatever the load ({})", month.strftime("%B %Y"));
    out.push_str(&format!("  {} {words}\n", mark(Role::Good, palette)));
}

fn spent(out: &mut String, budget: &BudgetProof, currency: &str, palette: Palette) {
    let role = if budget.holds() { Role::Good } else { Role::Error };
    let of = budget.pool.as_deref().map_or_else(|| "the project".to_owned(), |pool| format!("`{}`", clean(pool)));
    let (most, monthly) = (cents(budget.most.sum), cents(budget.monthly));
    let unknown = match budget.most.unknown {
        0 => String::new(),
        parts => format!(", and {} without a known price", count(i64::from(parts), "part")),
    };
    let words = if budget.holds() {
        format!("at most  {of} costs {most} {currency} a month under every load{unknown}, of {monthly}")
    } else {
        format!(
            "exceeds  {of} costs {most} {currency} a month{unknown} under a load that keeps all machines, of {monthly}"
        )
    };
    out.push_str(&format!("  {} {words}\n", mark(role, palette)));
}

fn mark(role: Role, palette: Palette) -> String {
    palette.paint(role, if role == Role::Error { "✗" } else { "✓" }).to_string()
}

fn spell(out: &mut String, spell: &Spell, most: i64, palette: Palette) {
    if !spell.ruled {
        out.push_str("    no rules: the number stays within the limits\n");
        return;
    }
    let all = match &spell.found {
        Ok(all) => all,
        Err(Undecided::Metric(metric)) => {
            out.push_str(&format!(
                "    ? not judged: what `{}` shows does not follow from a load alone\n",
                clean(metric)
            ));
            return;
        }
        Err(Undecided::Cases) => {
            out.push_str("    ? not judged: there are too many different cases\n");
            return;
        }
    };
    match flaps(spell) {
        Some((finding, example)) => {
            let words = format!("flaps    with {} the number never settles", all_loads(finding, &example.among));
            out.push_str(&format!("    {} {words}\n", mark(Role::Error, palette)));
            steps(out, finding, example);
        }
        None => {
            let (minutes, changes) = all
                .iter()
                .fold((0, 0), |sum, (_, finding)| (sum.0.max(finding.settles_within), sum.1.max(finding.most_changes)));
            let kinds: usize = all.iter().map(|(_, finding)| finding.ranges).max().unwrap_or(0);
            let words = format!(
                "settles  under every constant load, within {} and {} ({} of load, from each of 0 to {most} machines)",
                time(minutes),
                count(i64::from(changes), "change"),
                count(i64::try_from(kinds).unwrap_or(i64::MAX), "range"),
            );
            out.push_str(&format!("    {} {words}\n", mark(Role::Good, palette)));
        }
    }
    if spell.limits.0 > 0 {
        return;
    }
    match sleeps(spell) {
        Some((finding, example)) => {
            let up_to: Vec<String> =
                finding
                    .metrics
                    .iter()
                    .zip(&finding.sleeps_up_to)
                    .map(|(metric, high)| {
                        if high.is_finite() { format!("up to {}", load(metric, *high)) } else { "any load".to_owned() }
                    })
                    .collect();
            let words = format!("asleep   at zero, the rules do not wake it with {}", up_to.join(" and "));
            out.push_str(&format!("    {} {words}\n", palette.paint(Role::Warning, "!")));
            if example.start > 0 {
                steps(out, finding, example);
            }
        }
        None => {
            let wakes = all.iter().filter_map(|(_, finding)| finding.wakes_within).max().unwrap_or(0);
            let words = format!("wakes    from zero under every load, within {}", time(wakes));
            out.push_str(&format!("    {} {words}\n", mark(Role::Good, palette)));
        }
    }
}

fn steps(out: &mut String, finding: &Finding, example: &Example) {
    let shown: Vec<String> = finding.metrics.iter().zip(&example.loads).map(|(m, value)| load(m, *value)).collect();
    out.push_str(&format!("      from {}, with {}:\n", count(example.start, "machine"), shown.join(" and ")));
    for (at, step) in example.steps.iter().enumerate().take(STEPS) {
        let values: Vec<String> = finding
            .metrics
            .iter()
            .zip(&step.values)
            .map(|(metric, value)| match value {
                Some(value) => format!("{} {}{}", clean(metric), number(*value), if is_cpu(metric) { "%" } else { "" }),
                None => format!("no {}", clean(metric)),
            })
            .collect();
        let back = if example.repeats == Some(at) { "  ←" } else { "" };
        let (before, after) = (step.before, step.after);
        let why = step.reason.words();
        let line =
            format!("minute {:>4}  {before:>3} → {after:<3}  {:<28}  {why}{back}", step.minute, values.join(", "));
        out.push_str(&format!("        {}\n", line.trim_end()));
    }
    if example.steps.len() > STEPS {
        out.push_str(&format!("        … {} more changes (`--format json` has them)\n", example.steps.len() - STEPS));
    }
    if example.repeats.is_some() {
        out.push_str("        and so on: the last line leads to the same situation as the marked one\n");
    }
}

/// The same as data.
#[must_use]
pub fn data(all: &[Shown], longest: Option<SignedDuration>) -> Value {
    let mut pools = Vec::new();
    let mut budgets = Vec::new();
    for one in all {
        for proof in &one.proofs.pools {
            let mut out = json!({ "project": one.project, "env": one.env, "pool": proof.pool });
            let found = match &proof.found {
                Ok(proven) => proven_data(proven, longest),
                Err(why) => json!({ "not_judged": why }),
            };
            if let (Some(out), Some(found)) = (out.as_object_mut(), found.as_object()) {
                out.extend(found.clone());
                out.insert("holds".to_owned(), json!(pool_holds(proof, longest)));
            }
            pools.push(out);
        }
        budgets.extend(one.proofs.budgets.iter().map(|budget| {
            json!({
                "project": one.project, "env": one.env, "pool": budget.pool, "currency": one.proofs.currency,
                "monthly": cents(budget.monthly), "most": cents(budget.most.sum),
                "parts_without_price": budget.most.unknown, "holds": budget.holds(),
            })
        }));
    }
    json!({ "pools": pools, "budgets": budgets })
}

fn proven_data(proven: &Proven, longest: Option<SignedDuration>) -> Value {
    let asleep = match proven.asleep {
        Asleep::Never => json!(null),
        Asleep::ForEver => json!({ "for_ever": true }),
        Asleep::Until(from, to) => json!({
            "from": from.to_string(), "to": to.to_string(), "minutes": to.duration_since(from).as_mins(),
        }),
    };
    let profiles: Vec<Value> = proven.spells.iter().map(spell_data).collect();
    let (month, hours) = proven.busiest;
    json!({
        "profiles": profiles,
        "longest_at_zero": asleep,
        "reaches_zero": proven.reaches_zero,
        "wakes": wakes(proven, longest),
        "busiest_month": { "month": month.strftime("%Y-%m").to_string(), "machine_hours": hours },
    })
}

fn spell_data(spell: &Spell) -> Value {
    let mut out = json!({
        "names": spell.profiles,
        "machines": { "fewest": spell.limits.0, "most": spell.limits.1 },
        "rules": spell.ruled,
    });
    let found = match &spell.found {
        Err(Undecided::Metric(metric)) => json!({ "not_judged": { "metric": metric } }),
        Err(Undecided::Cases) => json!({ "not_judged": "too many cases" }),
        Ok(all) => {
            let findings: Vec<Value> = all
                .iter()
                .map(|(startup, finding)| {
                    json!({
                        "startup_minutes": startup,
                        "metrics": finding.metrics,
                        "ranges_of_load": finding.ranges,
                        "settles_within_minutes": finding.settles_within,
                        "most_changes": finding.most_changes,
                        "wakes_within_minutes": finding.wakes_within,
                        "flaps": finding.flaps.as_ref().map(example_data),
                        "sleeps": finding.sleeps.as_ref().map(example_data),
                        "settled": finding.cases.iter().map(|case| json!({
                            "loads": case.loads.iter().map(interval_data).collect::<Vec<_>>(),
                            "machines_by_start": case.ends,
                        })).collect::<Vec<_>>(),
                    })
                })
                .collect();
            json!({ "findings": findings })
        }
    };
    if let (Some(out), Some(found)) = (out.as_object_mut(), found.as_object()) {
        out.extend(found.clone());
    }
    out
}

fn interval_data(interval: &Interval) -> Value {
    let high = interval.high.is_finite().then_some(interval.high);
    json!({ "above": interval.low, "below": high, "single": interval.low >= interval.high })
}

fn example_data(example: &Example) -> Value {
    let steps: Vec<Value> = example
        .steps
        .iter()
        .map(|step| {
            json!({ "minute": step.minute, "before": step.before, "after": step.after, "reason": reason(step.reason), "values": step.values })
        })
        .collect();
    json!({
        "loads": example.loads,
        "among": example.among.iter().map(interval_data).collect::<Vec<_>>(),
        "start": example.start,
        "steps": steps,
        "repeats_from_step": example.repeats,
    })
}

fn reason(reason: Reason) -> Value {
    json!(reason)
}
