//! Pools that run tasks, brought up to the endpoint's clock: Azure Batch pools by their formula ([`pool`]), clusters of
//! Azure Machine Learning by their queue and idle time ([`cluster`]). Tasks come from the user (`POST /_local/tasks`).
//!
//! Nothing runs in the background: before a request is answered, every pool is brought up to the present. What a pool
//! remembers is in the hidden part of its row.

pub mod cluster;
pub mod memory;
pub mod pool;
pub mod sim;

use serde_json::{Value, json};

use crate::clock::duration;
use crate::core::Cx;
use crate::documents::Row;
use crate::error::ArmError;

use crate::nodes::memory::{COMPUTE, Memory, POOL};

/// Brings every pool up to the present.
pub fn catch_up(cx: &mut Cx<'_>) {
    let now = cx.now_ms();
    for kind in [POOL, COMPUTE] {
        for row in cx.store.of_kind(kind) {
            let number = |key: &str| row.hidden.pointer(&format!("/pool/{key}")).and_then(Value::as_i64);
            let Some(seen) = number("seen") else { continue };
            if seen <= now && number("wake").is_none_or(|wake| wake > now) {
                continue;
            }
            let Some(mut memory) = Memory::of(&row.hidden) else { continue };
            if seen > now {
                turn_back(&mut memory, now);
            }
            let mut row = row.as_ref().clone();
            advance(cx, &mut row, &mut memory);
            cx.store.put_row(row);
        }
    }
}

/// A clock that was set back: what lies ahead now has not happened, tasks and resizes keep their length.
fn turn_back(memory: &mut Memory, now: i64) {
    let back = memory.seen.saturating_sub(now);
    memory.sim.shift(back);
    memory.next = memory.next.map(|next| next.saturating_sub(back));
}

/// Lets a pool live until now.
fn advance(cx: &mut Cx<'_>, row: &mut Row, memory: &mut Memory) {
    let now = cx.now_ms();
    if row.kind.eq_ignore_ascii_case(POOL) {
        pool::advance(cx, row, memory, now);
    } else {
        cluster::advance(cx, row, memory, now);
    }
    memory.seen = now;
    row.hidden = memory.hidden();
}

/// Takes tasks: `{"pool": ID, "count": 40, "each": "PT10M"}`, or a list of those.
///
/// # Errors
/// The error codes `InvalidRequestContent`, `ResourceNotFound` of Azure.
pub fn feed(cx: &mut Cx<'_>, body: &Value) -> Result<(), ArmError> {
    let bad = |text: &str| ArmError::bad("InvalidRequestContent", text);
    let list = match body {
        Value::Array(list) => list.clone(),
        other => vec![other.clone()],
    };
    for item in &list {
        let id = item.get("pool").and_then(Value::as_str).ok_or_else(|| bad("Tasks have a `pool`, the id of one."))?;
        let count = item.get("count").map_or(Some(1), Value::as_i64).filter(|count| (1..=100_000).contains(count));
        let count = count.ok_or_else(|| bad("`count` is a whole number from 1 to 100000."))?;
        let each = item.get("each").map_or(Some("PT10M"), Value::as_str).and_then(duration);
        let each = each
            .filter(|span| (1..=604_800).contains(&span.as_secs()))
            .and_then(|span| i64::try_from(span.as_millis()).ok())
            .ok_or_else(|| bad("`each` is a duration from a second to a week (`PT10M`)."))?;
        let row =
            cx.store.row(id).ok_or_else(|| ArmError::missing("ResourceNotFound", format!("There is no '{id}'.")))?;
        let mut memory = Memory::of(&row.hidden).ok_or_else(|| bad("The resource is not a pool that runs tasks."))?;
        memory.sim.submit(cx.now_ms(), count, each);
        let mut row = row.as_ref().clone();
        advance(cx, &mut row, &mut memory);
        cx.store.put_row(row);
    }
    Ok(())
}

/// Every pool with its machines, tasks and what happened to it.
#[must_use]
pub fn body(cx: &Cx<'_>) -> Value {
    let time = |at: i64| jiff::Timestamp::from_millisecond(at).map(|at| at.to_string()).unwrap_or_default();
    let mut pools = Vec::new();
    for row in [POOL, COMPUTE].iter().flat_map(|kind| cx.store.of_kind(kind)) {
        let Some(memory) = Memory::of(&row.hidden) else { continue };
        let sim = &memory.sim;
        let [dedicated, spot] = sim.nodes_at(cx.now_ms());
        let [succeeded, failed] = sim.ended();
        let events: Vec<Value> = sim
            .events
            .iter()
            .map(|(at, from, to, why)| json!({ "time": time(*at), "from": from, "to": to, "reason": why }))
            .collect();
        pools.push(json!({
            "pool": row.id, "nodes": { "dedicated": dedicated, "spot": spot },
            "tasks": { "active": sim.active(), "running": sim.running(), "succeeded": succeeded, "failed": failed },
            "nextEvaluation": memory.next.map(time), "events": events,
        }));
    }
    json!({ "pools": pools })
}
