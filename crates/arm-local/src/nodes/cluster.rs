//! Clusters of Azure Machine Learning: as many machines as jobs want, at most the maximum; machines without work go when
//! the idle time is over, down to the minimum.

use serde_json::{Value, json};

use crate::clock::duration;
use crate::core::Cx;
use crate::documents::Row;
use crate::nodes::memory::{MOST, Memory, takes};
use crate::nodes::sim::{Removal, Sim};
use crate::rule::WriteContext;
use crate::value::set;

const INNER: &str = "/properties/properties";
/// Documented default of `nodeIdleTimeBeforeScaleDown`.
const IDLE: i64 = 120_000;

struct Scale {
    least: i64,
    most: i64,
    idle: i64,
    spot: bool,
}

impl Scale {
    fn of(body: &Value) -> Self {
        let at = |key: &str| body.pointer(&format!("{INNER}/{key}"));
        let number = |key: &str| at(&format!("scaleSettings/{key}")).and_then(Value::as_i64).unwrap_or(0);
        let idle = at("scaleSettings/nodeIdleTimeBeforeScaleDown").and_then(Value::as_str).and_then(duration);
        Self {
            least: number("minNodeCount"),
            most: number("maxNodeCount"),
            idle: idle.and_then(|span| i64::try_from(span.as_millis()).ok()).unwrap_or(IDLE),
            spot: at("vmPriority").and_then(Value::as_str).is_some_and(|word| word.eq_ignore_ascii_case("LowPriority")),
        }
    }

    /// What the cluster should be at `at`, and when it should be looked at again without anything happening.
    fn want(&self, sim: &Sim, at: i64) -> (i64, Option<i64>) {
        let have = sim.nodes.iter().sum::<i64>();
        let busy = sim.running();
        let wanted = (busy + sim.active()).clamp(self.least, self.most);
        if wanted >= have {
            return (wanted, None);
        }
        let over = have > self.most;
        let until = sim.idle_since.saturating_add(self.idle);
        if over || until <= at { (wanted, None) } else { (have, Some(until)) }
    }
}

/// Lets a cluster live until `now`.
pub fn advance(cx: &Cx<'_>, row: &mut Row, memory: &mut Memory, now: i64) {
    let scale = Scale::of(&row.body);
    let sim = &mut memory.sim;
    let mut at = memory.seen.max(now.saturating_sub(MOST)).min(now);
    loop {
        sim.settle(at);
        let mut look = None;
        if sim.resize.is_none() {
            let (want, again) = scale.want(sim, at);
            look = again;
            let to = if scale.spot { [0, want] } else { [want, 0] };
            if to != sim.nodes {
                let why = if to > sim.nodes { "jobs wait" } else { "idle time is over" };
                sim.resize(at, to, takes(cx), Removal::Complete, why);
                continue;
            }
        }
        let next = sim.next().into_iter().chain(look).min();
        memory.wake = next;
        match next {
            Some(next) if next <= now => at = next.max(at),
            _ => break,
        }
    }
    show(row, sim, now);
}

/// The cluster as it is when it was just written.
pub fn write(put: &mut WriteContext<'_, '_>) {
    let now = put.cx.now_ms();
    let memory = Memory::of(&put.hidden);
    let mut memory = memory.unwrap_or_else(|| Memory { sim: Sim::new(now, 1), seen: now, ..Memory::default() });
    memory.wake = Some(now);
    let mut row = Row {
        id: String::new(),
        kind: crate::nodes::memory::COMPUTE.to_owned(),
        name: String::new(),
        body: std::mem::take(&mut put.body),
        etag: String::new(),
        created: now,
        changed: now,
        settles: 0,
        settling: String::new(),
        hidden: Value::Null,
    };
    advance(put.cx, &mut row, &mut memory, now);
    memory.seen = now;
    put.body = row.body;
    put.hidden = memory.hidden();
}

fn show(row: &mut Row, sim: &Sim, now: i64) {
    let nodes = sim.nodes_at(now).iter().sum::<i64>();
    let running = sim.running().min(nodes);
    let state = if sim.resize.is_some() { "Resizing" } else { "Steady" };
    if row.body.pointer(&format!("{INNER}/allocationState")).and_then(Value::as_str) != Some(state) {
        let at = jiff::Timestamp::from_millisecond(now).map(|at| at.to_string()).unwrap_or_default();
        set(&mut row.body, &format!("{INNER}/allocationStateTransitionTime"), json!(at));
    }
    let target = sim.target.iter().sum::<i64>();
    for (key, value) in [
        ("allocationState", json!(state)),
        ("currentNodeCount", json!(nodes)),
        ("targetNodeCount", json!(target)),
        (
            "nodeStateCounts",
            json!({
                "idleNodeCount": nodes - running, "runningNodeCount": running,
                "preparingNodeCount": (target - nodes).max(0), "unusableNodeCount": 0,
                "leavingNodeCount": (nodes - target).max(0).min(nodes - running), "preemptedNodeCount": 0,
            }),
        ),
    ] {
        set(&mut row.body, &format!("{INNER}/{key}"), value);
    }
}
