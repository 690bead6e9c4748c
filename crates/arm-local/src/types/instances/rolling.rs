//! Rolling upgrades: batch after batch on the endpoint's clock, as long as enough machines are healthy.
//!
//! The rules: <https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-configure-rolling-upgrades>
//! and the descriptions of `RollingUpgradePolicy` in the REST reference. `maxUnhealthyInstancePercent` is of all machines and
//! checked before each batch, `maxUnhealthyUpgradedInstancePercent` of those upgraded so far and checked after each. How long
//! the service waits for a machine to recover is not documented: here, it does not wait.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock::duration;
use crate::core::Cx;
use crate::documents::{Row, to_value};
use crate::error::ArmError;
use crate::names::SCALE_SETS;
use crate::types::instances::health::{self, Health};
use crate::types::instances::view::{KIND, MACHINE, flexible};
use crate::types::instances::{list, make, model};
use crate::value::set;

/// A rolling upgrade as the set remembers it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Roll {
    /// `RollingForward`, `Completed`, `Cancelled` or `Faulted`.
    state: String,
    started: String,
    /// Endpoint time of the last action, in milliseconds.
    last: i64,
    /// Endpoint time of the next batch, in milliseconds.
    next: i64,
    /// Machines still to come, by name.
    left: Vec<String>,
    /// Machines that had their turn: those that replaced them, with `maxSurge`.
    #[serde(default)]
    upgraded: Vec<String>,
    /// How many machines that were to replace others did not become healthy, and are gone.
    #[serde(default)]
    lost: usize,
    /// What the last call did, `Start` or `Cancel`.
    action: String,
    /// The breach of the policy that stopped it.
    #[serde(default)]
    error: Option<ArmError>,
}

/// Whether a machine is protected from all that its set does.
#[must_use]
pub fn protected(vm: &Row) -> bool {
    vm.at("/properties/protectionPolicy/protectFromScaleSetActions") == Some(&json!(true))
}

fn of(set_row: &Row) -> Option<Roll> {
    Roll::deserialize(set_row.hidden.get("rolling")?).ok()
}

/// Whether machines of a set get a changed model in rolling upgrades.
#[must_use]
pub fn is_rolling(set_row: &Row) -> bool {
    set_row.text("/properties/upgradePolicy/mode").is_some_and(|mode| mode.eq_ignore_ascii_case("Rolling"))
}

fn keep(cx: &mut Cx<'_>, set_row: &Row, roll: &Roll) -> Arc<Row> {
    let mut row = set_row.clone();
    if !row.hidden.is_object() {
        row.hidden = json!({});
    }
    set(&mut row.hidden, "/rolling", to_value(roll));
    if roll.state == "Faulted" {
        set(&mut row.body, "/properties/provisioningState", json!("Failed"));
    }
    cx.store.put_row(row)
}

/// Begins an upgrade of the named machines; its first batch is done at once. One that is under way ends with it.
pub fn start(cx: &mut Cx<'_>, set_row: &Row, names: Vec<String>) -> Arc<Row> {
    let now = cx.now_ms();
    let mut roll = Roll {
        state: "RollingForward".into(),
        started: cx.now.to_string(),
        last: now,
        next: now,
        left: names,
        upgraded: Vec::new(),
        lost: 0,
        action: "Start".into(),
        error: None,
    };
    if policy(set_row, "prioritizeUnhealthyInstances") == Some(&json!(true)) {
        let unhealthy = |name: &String| machine(cx, set_row, name).is_some_and(|vm| health::is_unhealthy(set_row, &vm));
        let (first, rest): (Vec<String>, Vec<String>) = roll.left.drain(..).partition(unhealthy);
        roll.left = first.into_iter().chain(rest).collect();
    }
    let row = keep(cx, set_row, &roll);
    advance(cx, &row)
}

fn policy<'r>(set_row: &'r Row, key: &str) -> Option<&'r Value> {
    set_row.at(&format!("/properties/upgradePolicy/rollingUpgradePolicy/{key}"))
}

/// A percentage of the policy; each is 20 where the policy does not say.
fn percent(set_row: &Row, key: &str) -> usize {
    policy(set_row, key).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok()).unwrap_or(20)
}

/// Runs the batches that are due.
fn advance(cx: &mut Cx<'_>, set_row: &Row) -> Arc<Row> {
    let mut row = Arc::new(set_row.clone());
    let Some(before) = of(&row) else { return row };
    let mut roll = before.clone();
    let total = roll.left.len() + roll.upgraded.len() + roll.lost;
    let batch = (total * percent(&row, "maxBatchInstancePercent") / 100).max(1);
    let pause = policy(&row, "pauseTimeBetweenBatches").and_then(Value::as_str).and_then(duration);
    let pause = pause.and_then(|pause| i64::try_from(pause.as_millis()).ok()).unwrap_or(0);
    while roll.state == "RollingForward" {
        let machines = list::of(cx, &row);
        if machines.iter().any(|vm| health::of(&row, vm) == Some(Health::Initializing)) {
            // asked again at the next request; the pause begins when the batch has ended
            roll.next = if roll.upgraded.is_empty() { cx.now_ms() } else { cx.now_ms().saturating_add(pause) };
            break;
        }
        let upgraded: Vec<&Arc<Row>> = machines.iter().filter(|vm| roll.upgraded.contains(&vm.name)).collect();
        if let Some(error) = after_batch(&row, &upgraded, roll.lost) {
            fault(&mut roll, error);
            break;
        }
        if roll.left.is_empty() {
            roll.state = "Completed".into();
            break;
        }
        if roll.next > cx.now_ms() {
            break;
        }
        let begun = !roll.upgraded.is_empty() || roll.lost > 0;
        if let Some(error) = before_batch(&row, &machines, begun) {
            fault(&mut roll, error);
            break;
        }
        let names: Vec<String> = roll.left.drain(..batch.min(roll.left.len())).collect();
        for name in &names {
            row = one(cx, &row, name, &mut roll);
        }
        roll.last = roll.next;
        roll.next = roll.next.saturating_add(pause);
    }
    if roll == before { row } else { keep(cx, &row, &roll) }
}

fn fault(roll: &mut Roll, error: ArmError) {
    roll.state = "Faulted".into();
    roll.error = Some(error);
}

/// The error of an upgrade that stops before a batch: too many machines of the set are unhealthy. Codes and messages as
/// quoted in <https://github.com/opencb/opencga/issues/987> and by Azure's own migration scripts
/// (Azure/AzLoadBalancerMigration, `MaxUnhealthyInstancePercentExceededBeforeRollingUpgrade`).
fn before_batch(set_row: &Row, machines: &[Arc<Row>], begun: bool) -> Option<ArmError> {
    let most = percent(set_row, "maxUnhealthyInstancePercent");
    let bad = machines.iter().filter(|vm| health::is_unhealthy(set_row, vm)).count();
    let share = bad * 100 / machines.len().max(1);
    if bad * 100 <= most * machines.len() {
        return None;
    }
    Some(if begun {
        ArmError::conflict(
            "MaxUnhealthyInstancePercentExceededInRollingUpgrade",
            format!(
                "Rolling Upgrade failed after exceeding the MaxUnhealthyInstancePercent value defined in the RollingUpgradePolicy. {share}% of instances are in an unhealthy state - more than the threshold of {most}%. The most impactful error is: Instance found to be unhealthy or unreachable."
            ),
        )
    } else {
        ArmError::conflict(
            "MaxUnhealthyInstancePercentExceededBeforeRollingUpgrade",
            format!(
                "Rolling Upgrade failed due to exceeding the MaxUnhealthyInstancePercent value (defined in the RollingUpgradePolicy) before any batch was attempted. {share}% of instances are in an unhealthy state, more than the threshold of {most}% configured in the RollingUpgradePolicy. The most impactful error is: Instance found to be unhealthy or unreachable."
            ),
        )
    })
}

/// The error of an upgrade that stops after a batch: too many of the upgraded machines are unhealthy. Code and message:
/// <https://github.com/microsoft/AzureTRE/issues/1591>.
fn after_batch(set_row: &Row, upgraded: &[&Arc<Row>], lost: usize) -> Option<ArmError> {
    let most = percent(set_row, "maxUnhealthyUpgradedInstancePercent");
    let unhealthy: Vec<&&Arc<Row>> = upgraded.iter().filter(|vm| health::is_unhealthy(set_row, vm)).collect();
    let (bad, all) = (unhealthy.len() + lost, upgraded.len() + lost);
    if bad * 100 <= most * all {
        return None;
    }
    let first = unhealthy.first().map(|vm| format!(" First failed instance ID is: {}.", vm.name)).unwrap_or_default();
    Some(ArmError::conflict(
        "MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade",
        format!(
            "Rolling Upgrade failed after exceeding the MaxUnhealthyUpgradedInstancePercent value defined in the RollingUpgradePolicy. {}% of instances are in an unhealthy state after being upgraded - more than the threshold of {most}%. The most impactful error is: Instance found to be unhealthy or unreachable.{first}",
            bad * 100 / all.max(1)
        ),
    ))
}

fn machine(cx: &Cx<'_>, set_row: &Row, name: &str) -> Option<Arc<Row>> {
    if !flexible(set_row) {
        return cx.store.row(&format!("{}/virtualMachines/{name}", set_row.id)).filter(|vm| vm.kind == KIND);
    }
    let scope = crate::id::Path::of(&set_row.id).scope;
    cx.store.row(&format!("{scope}/providers/{MACHINE}/{name}"))
}

/// One machine's turn: upgraded in place, or replaced by a new one where the policy has `maxSurge`. The old machine goes
/// once the new one is healthy; a new one that is not goes itself, which no document tells.
fn one(cx: &mut Cx<'_>, set_row: &Arc<Row>, name: &str, roll: &mut Roll) -> Arc<Row> {
    let Some(vm) = machine(cx, set_row, name) else { return set_row.clone() };
    if policy(set_row, "maxSurge") != Some(&json!(true)) {
        make::upgrade(cx, set_row, &vm);
        roll.upgraded.push(name.to_owned());
        return set_row.clone();
    }
    let row = make::fill_up(cx, set_row, 1);
    let Some(new) = list::of(cx, &row).pop() else { return row };
    if health::is_unhealthy(&row, &new) {
        make::remove(cx, &new);
        roll.lost += 1;
    } else {
        make::remove(cx, &vm);
        roll.upgraded.push(new.name.clone());
    }
    row
}

/// Brings all rolling upgrades up to the present.
pub fn catch_up(cx: &mut Cx<'_>) {
    for row in cx.store.of_kind(SCALE_SETS) {
        if of(&row).is_some_and(|roll| roll.state == "RollingForward") {
            advance(cx, &row);
        }
    }
}

/// The error that a set's upgrade stopped with.
#[must_use]
pub fn error_of(set_row: &Row) -> Option<ArmError> {
    of(set_row)?.error
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
pub fn latest(cx: &Cx<'_>, set_row: &Row) -> Option<Value> {
    let roll = of(set_row)?;
    let policy = set_row.at("/properties/upgradePolicy/rollingUpgradePolicy").cloned().unwrap_or_else(|| {
        json!({ "maxBatchInstancePercent": 20, "maxUnhealthyInstancePercent": 20, "maxUnhealthyUpgradedInstancePercent": 20, "pauseTimeBetweenBatches": "PT0S" })
    });
    let last = jiff::Timestamp::from_millisecond(roll.last).map(|at| at.to_string()).unwrap_or_default();
    let upgraded: Vec<Arc<Row>> =
        list::of(cx, set_row).into_iter().filter(|vm| roll.upgraded.contains(&vm.name)).collect();
    let failed = upgraded.iter().filter(|vm| health::is_unhealthy(set_row, vm)).count();
    let waiting = upgraded.iter().filter(|vm| health::of(set_row, vm) == Some(Health::Initializing)).count();
    // a machine that was upgraded and deleted since was a success
    let successful = roll.upgraded.len().saturating_sub(failed + waiting);
    let mut latest = json!({
        "id": format!("{}/rollingUpgrades/latest", set_row.id), "name": "latest", "type": format!("{SCALE_SETS}/rollingUpgrades"),
        "location": set_row.text("/location"),
        "properties": {
            "policy": policy,
            "runningStatus": { "code": roll.state, "startTime": roll.started, "lastAction": roll.action, "lastActionTime": last },
            "progress": { "successfulInstanceCount": successful, "failedInstanceCount": failed + roll.lost,
                "inProgressInstanceCount": waiting, "pendingInstanceCount": roll.left.len() },
        },
    });
    if let Some(error) = roll.error {
        set(&mut latest, "/properties/error", to_value(&error));
    }
    Some(latest)
}

/// Names of the machines whose OS disk is not of the image that the set's model names, and that are not protected.
#[must_use]
pub fn with_old_image(set_row: &Row, vms: &[Arc<Row>]) -> Vec<String> {
    let image = |id: &str| model::get(set_row, id).pointer("/profile/storageProfile/imageReference").cloned();
    let wanted = image(model::current(set_row));
    vms.iter().filter(|vm| !protected(vm) && image(model::of_disk(vm)) != wanted).map(|vm| vm.name.clone()).collect()
}
