//! What an autoscale setting does under every load, as far as it can be found out quickly.

use crate::arm;
use crate::subject::{Look, found};
use arm_autoscale::{Direction, Profile, Setting};
use dsvm_diagnostics::source::{SourceKind, Span};
use dsvm_diagnostics::{Diagnostic, count};
use dsvm_graph::json::Json;
use dsvm_model::autoscale::{Action, Autoscale, Rule};
use dsvm_model::pool::Pool;
use dsvm_proof::{Finding, Question, Step, prove};
use std::rc::Rc;

/// Runs of the evaluator for one set of limits and rules, a fraction of what `dsvmc prove` takes. Some take a second, which is
/// why the rule about flapping is off by default.
const QUICK: u64 = 150_000;
/// Sets of limits and rules that are looked at in one project: advice comes while people type.
const PROOFS: usize = 4;
/// Steps that a note shows.
const STEPS: usize = 8;

/// Limits and rules that were looked at, with what was found: pools often have the same.
type Known = Vec<(Profile, i64, Option<Rc<Finding>>)>;

fn setting(look: &Look<'_, '_>, pool: &Pool<'_>) -> Option<Setting> {
    let at = look.fleet.pools.iter().position(|one| one.id == pool.id)?;
    let mine = |number: Option<u32>| number.is_some_and(|number| number as usize == at);
    let node = look
        .graph
        .nodes
        .iter()
        .find(|node| node.kind.eq_ignore_ascii_case("Microsoft.Insights/autoscaleSettings") && mine(node.pool))?;
    let written = arm::at(&node.body, "/properties/profiles").and_then(Json::as_array)?.len();
    let properties = node.body.get("properties").cloned().map(Json::into_value)?;
    let setting = Setting::of(&properties);
    // Profiles whose limits only the deployment knows cannot be read.
    (setting.profiles.len() == written).then_some(setting)
}

fn look_at(known: &mut Known, profile: &Profile, most: i64, startup: u32) -> Option<Rc<Finding>> {
    let same = |(other, highest, _): &&(Profile, i64, _)| {
        (other.minimum, other.maximum, other.default, *highest)
            == (profile.minimum, profile.maximum, profile.default, most)
            && other.rules == profile.rules
    };
    if let Some((_, _, finding)) = known.iter().find(same) {
        return finding.clone();
    }
    if known.len() >= PROOFS {
        return None;
    }
    let finding = prove(&Question { profile, most, startup, effort: QUICK }).ok().map(Rc::new);
    known.push((profile.clone(), most, finding.clone()));
    finding
}

/// Pools whose policy is at work, each with its setting and the findings about its profiles.
fn each<'p, 'a>(
    look: &Look<'p, 'a>,
    asked: impl Fn(&Pool<'_>) -> bool,
    worth: impl Fn(&Setting, &Profile) -> bool,
    mut with: impl FnMut(&'p Pool<'a>, &'p Autoscale<'a>, &Setting, &[Rc<Finding>]),
) {
    let startup = u32::try_from(look.options.number("startup")).unwrap_or(5).min(240);
    let mut known = Known::new();
    for pool in look.pools().filter(|pool| asked(pool)) {
        let Some(policy) = pool.autoscale.as_ref().filter(|policy| policy.enabled && policy.complete) else { continue };
        let Some(setting) = setting(look, pool) else { continue };
        let most = setting.profiles.iter().map(|profile| profile.maximum).max().unwrap_or(0);
        let findings: Vec<Rc<Finding>> = setting
            .profiles
            .iter()
            .filter(|profile| !profile.rules.is_empty() && worth(&setting, profile))
            .filter_map(|profile| look_at(&mut known, profile, most, startup))
            .collect();
        with(pool, policy, &setting, &findings);
    }
}

/// Whether a number may go up and down: removals that are judged by a window from before the last one, a way to zero that
/// ends at the default, or several metrics. Elsewhere nothing is searched for; `dsvmc prove` does.
fn may_flap(profile: &Profile) -> bool {
    let windows = profile.rules.iter().map(|rule| rule.trigger.window);
    let longest = windows.max().unwrap_or(0);
    let hasty = |rule: &arm_autoscale::Rule| rule.direction == Some(Direction::In) && rule.cooldown < longest;
    let first = profile.rules.first().map(|rule| &rule.trigger);
    let other = |rule: &arm_autoscale::Rule| first.is_some_and(|first| first.metric != rule.trigger.metric);
    profile.rules.iter().any(|rule| hasty(rule) || other(rule)) || profile.minimum == 0 && profile.default > 0
}

fn here(pool: &Pool<'_>, span: Span) -> Span {
    let library = matches!(span.source.kind(), SourceKind::Library(_));
    if library { pool.view.fields().autoscale().span() } else { span }
}

fn rule<'p, 'a>(policy: &'p Autoscale<'a>, wanted: impl Fn(Action) -> bool) -> Option<&'p Rule<'a>> {
    let own = policy.schedules.iter().flat_map(|schedule| schedule.rules.iter());
    policy.rules.iter().chain(own).find(|rule| wanted(rule.action))
}

/// A load in words, for the first metric of a finding.
fn load(finding: &Finding, value: f64) -> String {
    finding.metrics.first().map_or_else(|| "no load".to_owned(), |metric| dsvm_proof::load(metric, value))
}

fn steps(steps: &[Step]) -> String {
    let text = |step: &Step| format!("minute {}: {} → {}", step.minute, step.before, step.after);
    let shown: Vec<String> = steps.iter().take(STEPS).map(text).collect();
    shown.join(", ")
}

pub(crate) fn flaps(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    each(
        look,
        |_| true,
        |_, profile| may_flap(profile),
        |pool, policy, _, findings| {
            let Some((finding, example)) = findings.iter().find_map(|one| Some((one, one.flaps.as_ref()?))) else {
                return;
            };
            let span = rule(policy, Action::shrinks).map_or(policy.block.span, |rule| rule.condition.span);
            let at = example.loads.first().copied().unwrap_or(0.0);
            out.push(
            found(
                format!("`{}` grows and shrinks for ever under a constant load", pool.block.name),
                here(pool, span),
                format!("with {}", load(finding, at)),
            )
            .note(format!("from {}: {}, and so on", count(example.start, "machine"), steps(&example.steps)))
            .help("give the rule that removes a cooldown of at least its window, or a lower threshold; `dsvmc prove` shows all steps"),
        );
        },
    );
}

pub(crate) fn sleeps(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let at_zero = |setting: &Setting, _: &Profile| {
        let rules = || setting.profiles.iter().flat_map(|profile| &profile.rules);
        setting.profiles.iter().all(|profile| profile.minimum == 0)
            && rules().any(|rule| rule.trigger.is_queue_length())
    };
    each(
        look,
        |pool| pool.machines.least() == Some(0),
        at_zero,
        |pool, policy, setting, findings| {
            // Schedules that bring machines wake it at some time, and a pool that keeps one is never asleep.
            if setting.profiles.iter().any(|profile| profile.minimum > 0) {
                return;
            }
            let some = findings.iter().find(|finding| finding.sleeps.is_some());
            let Some(finding) = some else { return };
            let Some(highest) = finding.sleeps_up_to.first().copied().filter(|highest| highest.is_finite()) else {
                return;
            };
            let reaches = findings.iter().any(|finding| finding.falls_to_zero);
            let Some(grows) = rule(policy, Action::grows).filter(|_| reaches) else { return };
            out.push(
                found(
                    format!("`{}` does not wake from zero with little to do", pool.block.name),
                    here(pool, grows.condition.span),
                    format!("with up to {} it stays without machines for ever", load(finding, highest)),
                )
                .help("lower the threshold, so that the first piece of work starts a machine"),
            );
        },
    );
}
