//! Rolling upgrades: batch after batch on the endpoint's clock.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock::duration;
use crate::core::Cx;
use crate::documents::{Row, to_value};
use crate::error::ArmError;
use crate::names::SCALE_SETS;
use crate::types::instances::view::{KIND, MACHINE, flexible};
use crate::types::instances::{make, model};
use crate::value::set;

/// A rolling upgrade as the set remembers it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Roll {
    /// `RollingForward`, `Completed` or `Cancelled`.
    state: String,
    started: String,
    /// Endpoint time of the last action, in milliseconds.
    last: i64,
    /// Endpoint time of the next batch, in milliseconds.
    next: i64,
    /// Machines still to come, by name.
    left: Vec<String>,
    done: usize,
    /// What the last call did, `Start` or `Cancel`.
    action: String,
}

/// Whether a machine is protected from all that its set does.
#[must_use]
pub fn protected(vm: &Row) -> bool {
    vm.at("/properties/protectionPolicy/protectFromScaleSetActions") == Some(&json!(true))
}

fn of(set_row: &Row) -> Option<Roll> {
    Roll::deserialize(set_row.hidden.get("rolling")?).ok()
}

fn keep(cx: &mut Cx<'_>, set_row: &Row, roll: &Roll) -> Arc<Row> {
    let mut row = set_row.clone();
    if !row.hidden.is_object() {
        row.hidden = json!({});
    }
    set(&mut row.hidden, "/rolling", to_value(roll));
    cx.store.put_row(row)
}

/// Begins an upgrade of the named machines; its first batch is done at once. One that is under way ends with it.
pub fn start(cx: &mut Cx<'_>, set_row: &Row, names: Vec<String>) -> Arc<Row> {
    let now = cx.now_ms();
    let roll = Roll {
        state: "RollingForward".into(),
        started: cx.now.to_string(),
        last: now,
        next: now,
        left: names,
        done: 0,
        action: "Start".into(),
    };
    let row = keep(cx, set_row, &roll);
    advance(cx, &row)
}

/// Runs the batches that are due.
fn advance(cx: &mut Cx<'_>, set_row: &Row) -> Arc<Row> {
    let mut row = Arc::new(set_row.clone());
    let Some(mut roll) = of(&row) else { return row };
    let number =
        |key: &str| row.at(&format!("/properties/upgradePolicy/rollingUpgradePolicy/{key}")).and_then(Value::as_u64);
    let percent = number("maxBatchInstancePercent").and_then(|n| usize::try_from(n).ok()).unwrap_or(20);
    let total = roll.left.len() + roll.done;
    let batch = (total * percent / 100).max(1);
    let pause = row.text("/properties/upgradePolicy/rollingUpgradePolicy/pauseTimeBetweenBatches").and_then(duration);
    let pause = pause.and_then(|pause| i64::try_from(pause.as_millis()).ok()).unwrap_or(0);
    while roll.state == "RollingForward" && roll.next <= cx.now_ms() {
        let names: Vec<String> = roll.left.drain(..batch.min(roll.left.len())).collect();
        roll.done += names.len();
        for name in &names {
            row = one(cx, &row, name);
        }
        roll.last = roll.next;
        if roll.left.is_empty() {
            roll.state = "Completed".into();
        } else {
            roll.next += pause;
        }
    }
    keep(cx, &row, &roll)
}

fn machine(cx: &Cx<'_>, set_row: &Row, name: &str) -> Option<Arc<Row>> {
    if !flexible(set_row) {
        return cx.store.row(&format!("{}/virtualMachines/{name}", set_row.id)).filter(|vm| vm.kind == KIND);
    }
    let scope = crate::id::Path::of(&set_row.id).scope;
    cx.store.row(&format!("{scope}/providers/{MACHINE}/{name}"))
}

/// One machine's turn: upgraded in place, or replaced by a new one where the policy has `maxSurge`.
fn one(cx: &mut Cx<'_>, set_row: &Arc<Row>, name: &str) -> Arc<Row> {
    let Some(vm) = machine(cx, set_row, name) else { return set_row.clone() };
    if set_row.at("/properties/upgradePolicy/rollingUpgradePolicy/maxSurge") == Some(&json!(true)) {
        let row = make::fill_up(cx, set_row, 1);
        make::remove(cx, &vm);
        return row;
    }
    make::upgrade(cx, set_row, &vm);
    set_row.clone()
}

/// Brings all rolling upgrades up to the present.
pub fn catch_up(cx: &mut Cx<'_>) {
    for row in cx.store.of_kind(SCALE_SETS) {
        if of(&row).is_some_and(|roll| roll.state == "RollingForward" && roll.next <= cx.now_ms()) {
            advance(cx, &row);
        }
    }
}

/// Stops the upgrade that is under way; machines that had their turn keep what they got.
///
/// # Errors
/// `OperationNotAllowed` when none is under way.
pub fn cancel(cx: &mut Cx<'_>, set_row: &Row) -> Result<(), ArmError> {
    let Some(mut roll) = of(set_row).filter(|roll| roll.state == "RollingForward") else {
        return Err(ArmError::conflict(
            "OperationNotAllowed",
            format!("There is no ongoing rolling upgrade to cancel for the VM scale set '{}'.", set_row.name),
        ));
    };
    roll.state = "Cancelled".into();
    roll.action = "Cancel".into();
    roll.last = cx.now_ms();
    keep(cx, set_row, &roll);
    Ok(())
}

/// `GET …/rollingUpgrades/latest`; `None` when there was none.
#[must_use]
pub fn latest(set_row: &Row) -> Option<Value> {
    let roll = of(set_row)?;
    let policy = set_row.at("/properties/upgradePolicy/rollingUpgradePolicy").cloned().unwrap_or_else(|| {
        json!({ "maxBatchInstancePercent": 20, "maxUnhealthyInstancePercent": 20, "maxUnhealthyUpgradedInstancePercent": 20, "pauseTimeBetweenBatches": "PT0S" })
    });
    let last = jiff::Timestamp::from_millisecond(roll.last).map(|at| at.to_string()).unwrap_or_default();
    Some(json!({
        "id": format!("{}/rollingUpgrades/latest", set_row.id), "name": "latest", "type": format!("{SCALE_SETS}/rollingUpgrades"),
        "location": set_row.text("/location"),
        "properties": {
            "policy": policy,
            "runningStatus": { "code": roll.state, "startTime": roll.started, "lastAction": roll.action, "lastActionTime": last },
            "progress": { "successfulInstanceCount": roll.done, "failedInstanceCount": 0,
                "inProgressInstanceCount": 0, "pendingInstanceCount": roll.left.len() },
        },
    }))
}

/// Names of the machines whose OS disk is not of the image that the set's model names, and that are not protected.
#[must_use]
pub fn with_old_image(set_row: &Row, vms: &[Arc<Row>]) -> Vec<String> {
    let image = |id: &str| model::get(set_row, id).pointer("/profile/storageProfile/imageReference").cloned();
    let wanted = image(model::current(set_row));
    vms.iter().filter(|vm| !protected(vm) && image(model::of_disk(vm)) != wanted).map(|vm| vm.name.clone()).collect()
}
