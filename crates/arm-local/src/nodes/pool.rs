//! Azure Batch pools: a fixed number of machines, or the number that the pool's formula computes from samples of its tasks
//! and machines, every evaluation interval.

use serde_json::{Value, json};

use batch_formula::{Formula, PoolState, Sample};

use crate::clock::duration;
use crate::core::Cx;
use crate::documents::Metric;
use crate::documents::Row;
use crate::error::ArmError;
use crate::id::key;
use crate::limits;
use crate::nodes::memory::{MOST, Memory, POOL, takes};
use crate::nodes::sim::{Moment, Pair, Removal, Sim};
use crate::rule::WriteContext;
use crate::value::set;

const SETTINGS: &str = "/properties/scaleSettings";
/// The service takes a sample every 30 seconds.
const PERIOD: i64 = 30_000;
/// Samples are made for as long back as formulas look.
const LOOK_BACK: i64 = 24 * 3_600_000;
/// Ticks of the formula language in a millisecond.
const TICKS: i64 = 10_000;

/// Lets a pool live until `now`.
pub fn advance(cx: &mut Cx<'_>, row: &mut Row, memory: &mut Memory, now: i64) {
    // a jump is evaluated for its last part
    if let Some(next) = memory.next.filter(|next| now.saturating_sub(*next) > MOST) {
        let every = interval(&row.body);
        memory.next = Some(next + (now - MOST - next).div_euclid(every) * every);
    }
    loop {
        let event = memory.sim.next();
        let Some(at) = event.into_iter().chain(memory.next).min().filter(|at| *at <= now) else { break };
        memory.sim.settle(at);
        if memory.next == Some(at) {
            evaluate(cx, row, memory, at);
            memory.next = Some(at.saturating_add(interval(&row.body)));
        }
    }
    memory.wake = memory.sim.next().into_iter().chain(memory.next).min();
    show(row, &memory.sim, now);
}

/// A pool as it is when it was just written: a fixed pool is resized, a formula runs at once.
///
/// # Errors
/// The account's quota of pools.
pub fn write(put: &mut WriteContext<'_, '_>, rescaled: bool) -> Result<(), ArmError> {
    let now = put.cx.now_ms();
    let slots = put.at("/properties/taskSlotsPerNode").and_then(Value::as_i64).unwrap_or(1);
    if put.old.is_none() {
        quota_of_pools(put)?;
    }
    let mut memory =
        Memory::of(&put.hidden).unwrap_or_else(|| Memory { sim: Sim::new(now, slots), ..Memory::default() });
    memory.before = memory.sim.nodes_at(now);
    memory.seen = now;
    let mut row = Row {
        id: put.path.id(),
        kind: POOL.to_owned(),
        name: String::new(),
        body: std::mem::take(&mut put.body),
        etag: String::new(),
        created: now,
        changed: now,
        settles: 0,
        settling: String::new(),
        hidden: Value::Null,
    };
    if rescaled {
        if row.at(&format!("{SETTINGS}/autoScale")).is_some() {
            memory.next = Some(now);
        } else {
            memory.next = None;
            let number = |name: &str| {
                row.at(&format!("{SETTINGS}/fixedScale/{name}")).and_then(Value::as_i64).unwrap_or(0).max(0)
            };
            let to = [number("targetDedicatedNodes"), number("targetLowPriorityNodes")];
            let word =
                row.text(&format!("{SETTINGS}/fixedScale/nodeDeallocationOption")).unwrap_or("Requeue").to_owned();
            aim(put.cx, &mut row, &mut memory.sim, now, to, &word, "fixed scale");
        }
    }
    advance(put.cx, &mut row, &mut memory, now);
    put.body = row.body;
    put.hidden = memory.hidden();
    Ok(())
}

/// `stopResize`: the machines that are there stay.
pub fn stop(cx: &Cx<'_>, row: &mut Row, memory: &mut Memory) {
    let now = cx.now_ms();
    if memory.sim.resize.is_some() {
        memory.sim.stop(now);
        let text = "Desired number of nodes could not be allocated due to a stop resize operation";
        set(
            &mut row.body,
            "/properties/resizeOperationStatus/errors",
            json!([{ "code": "ResizeStopped", "message": text }]),
        );
    }
    memory.wake = memory.sim.next();
    show(row, &memory.sim, now);
    row.hidden = memory.hidden();
}

/// Evaluates any formula against a pool as it is, without changing the pool: what the service's evaluate call says.
///
/// # Errors
/// The error codes `ResourceNotFound`, `InvalidRequestContent` of Azure.
pub fn rehearse(cx: &Cx<'_>, body: &Value) -> Result<Value, ArmError> {
    let bad = |text: &str| ArmError::bad("InvalidRequestContent", text);
    let id = body.get("pool").and_then(Value::as_str).ok_or_else(|| bad("`pool` is the id of a pool."))?;
    let row = cx.store.row(id).ok_or_else(|| ArmError::missing("ResourceNotFound", format!("There is no '{id}'.")))?;
    let memory = Memory::of(&row.hidden).filter(|_| row.kind.eq_ignore_ascii_case(POOL));
    let memory = memory.ok_or_else(|| bad("The resource is not a Batch pool."))?;
    let text =
        body.get("formula").and_then(Value::as_str).or_else(|| row.text(&format!("{SETTINGS}/autoScale/formula")));
    let text = text.ok_or_else(|| bad("The pool has no formula; give one as `formula`."))?;
    Ok(run(cx, &row, &memory.sim, text, cx.now_ms()).0)
}

fn interval(body: &Value) -> i64 {
    let text = body.pointer(&format!("{SETTINGS}/autoScale/evaluationInterval")).and_then(Value::as_str);
    let span = text.and_then(duration).and_then(|span| i64::try_from(span.as_millis()).ok());
    span.unwrap_or(900_000).max(300_000)
}

/// The formula runs, and the pool is resized when it wants another size.
fn evaluate(cx: &Cx<'_>, row: &mut Row, memory: &mut Memory, at: i64) {
    let Some(text) = row.text(&format!("{SETTINGS}/autoScale/formula")).map(str::to_owned) else { return };
    let (report, result) = run(cx, row, &memory.sim, &text, at);
    set(&mut row.body, "/properties/autoScaleRun", report);
    let Some(result) = result else { return };
    let to = [i64::from(result.dedicated), i64::from(result.spot)];
    if to != memory.sim.target {
        aim(cx, row, &mut memory.sim, at, to, &result.deallocation, "formula");
    }
}

fn run(cx: &Cx<'_>, row: &Row, sim: &Sim, text: &str, at: i64) -> (Value, Option<batch_formula::Evaluation>) {
    let time = moment(at);
    // a run that fails leaves the targets, and shows them
    let [dedicated, spot] = sim.target;
    let kept =
        format!("$TargetDedicatedNodes={dedicated};$TargetLowPriorityNodes={spot};$NodeDeallocationOption=requeue");
    let failed = |code: &str, message: String| {
        json!({ "evaluationTime": time, "results": kept, "error": {
            "code": code, "message": "Autoscale formula evaluation failed",
            "details": [{ "code": "Message", "message": message }] } })
    };
    let parsed = match batch_formula::parse(text) {
        Ok(parsed) => parsed,
        Err(error) => return (failed("AutoScalingFormulaSyntaxError", error.title), None),
    };
    match batch_formula::evaluate(&parsed, &state(cx, row, sim, &parsed, at)) {
        Ok(result) => (json!({ "evaluationTime": time, "results": result.results() }), Some(result)),
        Err(error) => (failed(error.code, error.with_position(text)), None),
    }
}

/// The pool as its formula sees it: samples that were fed, else those of its own machines and tasks.
fn state(cx: &Cx<'_>, row: &Row, sim: &Sim, formula: &Formula, at: i64) -> PoolState {
    #[expect(clippy::cast_precision_loss, reason = "numbers of machines are small")]
    let number = |n: i64| n as f64;
    let mut state = PoolState::empty(at.saturating_mul(TICKS));
    let [dedicated, spot] = sim.nodes_at(at);
    state.current = (number(dedicated), number(spot));
    state.target = (number(sim.target[0]), number(sim.target[1]));
    state.task_slots = number(sim.slots);
    state.seed = u64::from_ne_bytes(at.to_ne_bytes());
    let ticked = |at: i64, value: f64| Sample { time: at.saturating_mul(TICKS), value };
    for metric in formula.reads() {
        let fed = fed(cx, &row.id, metric).map(|all| {
            let known = all.into_iter().filter(|(time, _)| *time <= at && *time > at - LOOK_BACK);
            known.map(|(time, value)| ticked(time, value)).collect::<Vec<_>>()
        });
        let own = || {
            let value = own_metric(metric)?;
            Some(sampled(sim, at).into_iter().map(|(time, seen)| ticked(time, number(value(&seen)))).collect())
        };
        if let Some(samples) = fed.or_else(own) {
            state.samples.insert(metric.to_owned(), samples);
        }
    }
    state
}

/// What a metric of the pool itself is; the machines' own (processors, disks, networks) only come from the user.
fn own_metric(name: &str) -> Option<fn(&Moment) -> i64> {
    Some(match name {
        "$ActiveTasks" => |seen| seen.active,
        "$RunningTasks" => |seen| seen.running,
        "$PendingTasks" => |seen| seen.active + seen.running,
        "$SucceededTasks" => |seen| seen.succeeded,
        "$FailedTasks" => |seen| seen.failed,
        "$CurrentDedicatedNodes" => |seen| seen.nodes[0],
        "$CurrentLowPriorityNodes" => |seen| seen.nodes[1],
        "$UsableNodeCount" | "$SampleNodeCount" => |seen| seen.nodes[0] + seen.nodes[1],
        "$PreemptedNodeCount" => |_| 0,
        _ => return None,
    })
}

/// What was there every 30 seconds, oldest first.
fn sampled(sim: &Sim, at: i64) -> Vec<(i64, Moment)> {
    let Some(first) = sim.moments.front() else { return Vec::new() };
    let begin = first.at.max(at - LOOK_BACK).div_euclid(PERIOD) + 1;
    let mut moments = sim.moments.iter().peekable();
    let mut seen = *first;
    let mut out = Vec::new();
    for n in begin..=at.div_euclid(PERIOD) {
        while let Some(next) = moments.next_if(|next| next.at <= n * PERIOD) {
            seen = *next;
        }
        out.push((n * PERIOD, seen));
    }
    out
}

fn fed(cx: &Cx<'_>, id: &str, metric: &str) -> Option<Vec<(i64, f64)>> {
    let bare = metric.trim_start_matches('$');
    let found = [metric, bare].iter().find_map(|name| cx.store.get::<Metric>(&format!("{}|{name}", key(id))))?;
    Some(found.samples.clone())
}

/// Begins a resize, as far as the account's cores and the region go; what is missing is an error of the resize.
fn aim(cx: &Cx<'_>, row: &mut Row, sim: &mut Sim, at: i64, to: Pair, word: &str, why: &str) {
    let removal = match word.to_lowercase().as_str() {
        "terminate" => Removal::Terminate,
        "taskcompletion" | "retaineddata" => Removal::Complete,
        _ => Removal::Requeue,
    };
    let (can, errors) = possible(cx, row, sim, to);
    sim.resize(at, can, takes(cx), removal, why);
    let timeout = row.at(&format!("{SETTINGS}/fixedScale/resizeTimeout")).cloned().unwrap_or(json!("PT15M"));
    let option = match removal {
        Removal::Terminate => "Terminate",
        Removal::Complete if word.eq_ignore_ascii_case("retaineddata") => "RetainedData",
        Removal::Complete => "TaskCompletion",
        Removal::Requeue => "Requeue",
    };
    let mut status = json!({
        "targetDedicatedNodes": to[0], "targetLowPriorityNodes": to[1], "nodeDeallocationOption": option,
        "resizeTimeout": timeout, "startTime": moment(at),
    });
    if !errors.is_empty() {
        set(&mut status, "/errors", Value::Array(errors));
    }
    set(&mut row.body, "/properties/resizeOperationStatus", status);
}

/// How many of the wanted machines there can be, and what the service says of the others.
fn possible(cx: &Cx<'_>, row: &Row, sim: &Sim, to: Pair) -> (Pair, Vec<Value>) {
    let Some((id, _)) = row.id.rsplit_once("/pools/") else { return (to, Vec::new()) };
    let Some(account) = cx.store.row(id) else { return (to, Vec::new()) };
    let size = row.text("/properties/vmSize").unwrap_or_default();
    let mut can = to;
    let mut errors = Vec::new();
    if to.iter().sum::<i64>() > sim.nodes.iter().sum() && limits::unavailable(cx, &account.location(), size) {
        let text = "Desired number of nodes could not be allocated";
        errors.push(json!({ "code": "AllocationFailed", "message": text }));
        return ([to[0].min(sim.nodes[0]), to[1].min(sim.nodes[1])], errors);
    }
    let each = limits::vcpus(size).unwrap_or(1).max(1);
    for (kind, quota, code, text) in [
        (0, "dedicatedCoreQuota", "AccountCoreQuotaReached", "The specified account has reached core quota"),
        (
            1,
            "lowPriorityCoreQuota",
            "AccountLowPriorityCoreQuotaReached",
            "The specified account has reached low-priority core quota",
        ),
    ] {
        let Some(most) = account.at(&format!("/properties/{quota}")).and_then(Value::as_i64) else { continue };
        let others: i64 = cx
            .store
            .below(&account.id)
            .iter()
            .filter(|other| other.kind.eq_ignore_ascii_case(POOL) && !other.id.eq_ignore_ascii_case(&row.id))
            .filter_map(|other| {
                let each = limits::vcpus(other.text("/properties/vmSize")?).unwrap_or(1);
                let target = Memory::of(&other.hidden)?.sim.target;
                Some(target.get(kind)?.saturating_mul(each))
            })
            .sum();
        let room = (most - others).max(0) / each;
        if let Some(wanted) = can.get_mut(kind).filter(|wanted| **wanted > room) {
            *wanted = room;
            errors.push(json!({ "code": code, "message": text }));
        }
    }
    (can, errors)
}

fn quota_of_pools(put: &WriteContext<'_, '_>) -> Result<(), ArmError> {
    let Some(account) = put.path.parent().and_then(|parent| put.cx.store.row(&parent.id())) else { return Ok(()) };
    let Some(most) = account.at("/properties/poolQuota").and_then(Value::as_u64) else { return Ok(()) };
    let have = put.cx.store.below(&account.id).iter().filter(|row| row.kind.eq_ignore_ascii_case(POOL)).count();
    if u64::try_from(have).unwrap_or(u64::MAX) >= most {
        return Err(ArmError::conflict("PoolQuotaReached", "The specified account has reached the pool quota.")
            .at("BatchAccount"));
    }
    Ok(())
}

fn moment(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at).map(|at| at.to_string()).unwrap_or_default()
}

/// Writes machines and state into the body.
pub fn show(row: &mut Row, sim: &Sim, now: i64) {
    let [dedicated, spot] = sim.nodes_at(now);
    set(&mut row.body, "/properties/currentDedicatedNodes", json!(dedicated));
    set(&mut row.body, "/properties/currentLowPriorityNodes", json!(spot));
    let state = if sim.resize.is_some() { "Resizing" } else { "Steady" };
    if row.text("/properties/allocationState") != Some(state) {
        set(&mut row.body, "/properties/allocationState", json!(state));
        let since = sim.resize.map_or(sim.moments.back().map_or(now, |last| last.at), |resize| resize.began);
        set(&mut row.body, "/properties/allocationStateTransitionTime", json!(moment(since)));
    }
}
