//! The machines of pools: calls for them at each target, and what a plan says of machines that lack the latest model.

use super::session::Session;
use super::target::TargetKind;
use arm_apply::rollout::{self, MachineCalls, Pool, UpgradeMode};
use arm_client::{AzureError, Client, Method, OperationStatus, Pending, Reply};
use arm_plan::{Action, Observed, Plan, Warning, WarningKind, same_id, type_of_id};
use dsvm_diagnostics::count;
use serde_json::{Value, json};
use std::time::Duration;

/// A plan looks at the machines of at most so many pools: it costs a call for each, and plans make few calls.
const POOLS_OF_A_PLAN: usize = 3;
/// A plan looks at a Flexible pool of at most so many machines: it costs two calls for each machine.
const FLEXIBLE_OF_A_PLAN: u64 = 10;

/// The machines of the local endpoint: what a policy demands to wait passes on the endpoint's clock, at once.
struct LocalMachines<'a>(&'a Client);

impl MachineCalls for LocalMachines<'_> {
    fn scale_set(&self, id: &str) -> Result<Option<Value>, AzureError> {
        self.0.scale_set(id)
    }

    fn machines(&self, set: &str, flexible: bool) -> Result<Vec<Value>, AzureError> {
        self.0.machines(set, flexible)
    }

    fn rolling_upgrade(&self, set: &str) -> Result<Option<Value>, AzureError> {
        self.0.rolling_upgrade(set)
    }

    fn upgrade(&self, set: &str, names: &[String]) -> Result<Reply, AzureError> {
        self.0.upgrade(set, names)
    }

    fn reimage(&self, set: &str, names: &[String]) -> Result<Reply, AzureError> {
        self.0.reimage(set, names)
    }

    fn update(&self, set: &str, body: &Value) -> Result<Reply, AzureError> {
        self.0.update(set, body)
    }

    fn poll(&self, pending: &Pending) -> Result<OperationStatus, AzureError> {
        self.0.poll(pending)
    }

    fn sleep(&self, wait: Duration) {
        self.0.sleep(wait);
    }

    fn pass(&self, wait: Duration) {
        let body = json!({ "advance": format!("PT{}S", wait.as_secs()) });
        // An endpoint without a clock that can be moved: the next look shows what happened.
        if self.0.send(Method::SafePost, "/_local/clock", Some(&body)).is_err() {
            self.0.sleep(wait);
        }
    }
}

/// Runs `work` with the calls of the session's target.
pub(super) fn with_calls<T>(session: &Session, work: impl FnOnce(&dyn MachineCalls) -> T) -> T {
    match session.target {
        TargetKind::Local => work(&LocalMachines(&session.client)),
        TargetKind::Azure => work(&session.client),
    }
}

fn is_scale_set(id: &str) -> bool {
    type_of_id(id).0.eq_ignore_ascii_case("Microsoft.Compute/virtualMachineScaleSets")
}

/// Ids of the scale sets that exist.
#[must_use]
pub fn pools_of(observed: &Observed) -> Vec<String> {
    observed.resources.iter().map(|resource| &resource.id).filter(|id| is_scale_set(id)).cloned().collect()
}

/// Ids of the scale sets that exist and that the plan keeps.
#[must_use]
pub fn kept_pools(observed: &Observed, plan: &Plan) -> Vec<String> {
    let kept = |id: &String| {
        let change = plan.changes.iter().find(|change| same_id(&change.id, id));
        change.is_some_and(|change| matches!(change.action, Action::NoChange | Action::Update | Action::Refuse))
    };
    pools_of(observed).into_iter().filter(kept).collect()
}

/// Reads pools and their machines.
///
/// # Errors
/// A call to Resource Manager failed.
pub fn look(session: &Session, ids: &[String]) -> Result<Vec<Pool>, AzureError> {
    with_calls(session, |calls| rollout::look(ids, calls))
}

/// What a plan says of machines that earlier changes have not reached, and of those whose setup failed. Nothing when the
/// machines cannot be read: a plan needs no right on them.
#[must_use]
pub fn warnings(session: &Session, observed: &Observed, plan: &Plan) -> Vec<Warning> {
    let mut ids = kept_pools(observed, plan);
    if ids.len() > POOLS_OF_A_PLAN {
        return Vec::new();
    }
    ids.retain(|id| !is_large_and_flexible(observed, id));
    let pools = look(session, &ids).unwrap_or_default();
    let warning = |id: &String, text| Warning { kind: WarningKind::MachinesBehind, id: id.clone(), text };
    pools.iter().flat_map(|pool| remarks(pool).into_iter().map(|text| warning(&pool.id, text))).collect()
}

fn is_large_and_flexible(observed: &Observed, id: &str) -> bool {
    let Some(set) = observed.resources.iter().find(|resource| same_id(&resource.id, id)) else { return true };
    let set = set.body.read();
    let machines = set.pointer("/sku/capacity").and_then(Value::as_u64).unwrap_or(u64::MAX);
    rollout::is_flexible(&set) && machines > FLEXIBLE_OF_A_PLAN
}

fn remarks(pool: &Pool) -> Vec<String> {
    let mut remarks = Vec::new();
    let behind = pool.behind().len();
    if behind > 0 {
        let what = match pool.mode {
            UpgradeMode::Manual => "`apply --rollout` upgrades them (the mode is `manual`)",
            UpgradeMode::Automatic | UpgradeMode::Rolling => "`apply` continues the rollout",
        };
        let verb = if behind == 1 { "does" } else { "do" };
        remarks.push(format!(
            "{behind} of {} {verb} not carry the latest model: {what}",
            count(pool.machines.len(), "machine")
        ));
    }
    for machine in pool.failed() {
        remarks.push(format!("machine `{}`: {}; see `dsvmc status`", machine.name, machine.complaint()));
    }
    remarks
}
