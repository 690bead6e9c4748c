//! Follows a rolling upgrade of Azure to its end, and starts one again that was stopped.
//!
//! <https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-configure-rolling-upgrades>

use super::calls::{MachineCalls, carry_out};
use super::pool::Pool;
use super::{Action, RolloutError, again, batches, stopped, tell};
use crate::executor::{Event, Observer, check_stopped};
use arm_client::{AzureError, ServiceError};
use dsvm_diagnostics::count;
use serde_json::{Value, json};
use std::time::Duration;

/// Between two looks at the progress.
const LOOK: Duration = Duration::from_secs(30);

fn code(status: &Value) -> String {
    let code = status.pointer("/properties/runningStatus/code").and_then(Value::as_str);
    code.unwrap_or_default().to_ascii_lowercase()
}

/// Whether a rolling upgrade is under way.
pub(super) fn is_running(pool: &Pool, calls: &dyn MachineCalls) -> Result<bool, AzureError> {
    Ok(calls.rolling_upgrade(&pool.id)?.is_some_and(|status| code(&status) == "rollingforward"))
}

/// Follows the rolling upgrade that is under way; tells how many machines are done whenever that changes.
pub(super) fn follow(pool: &Pool, calls: &dyn MachineCalls, observer: &mut dyn Observer) -> Result<(), RolloutError> {
    observer.event(&Event::Phase(format!("following the rolling upgrade of `{}`", pool.name)));
    let mut told = None;
    loop {
        let Some(status) = calls.rolling_upgrade(&pool.id)? else { return Ok(()) };
        let number = |key: &str| status.pointer(&format!("/properties/progress/{key}")).and_then(Value::as_u64);
        let of = |key: &str| number(key).unwrap_or(0);
        let (done, failed) = (of("successfulInstanceCount"), of("failedInstanceCount"));
        let all = done + failed + of("inProgressInstanceCount") + of("pendingInstanceCount");
        if told != Some((done, failed)) && done + failed > 0 {
            let sick = if failed == 0 { String::new() } else { format!(", {failed} unhealthy") };
            tell(observer, format!("{done} of {} upgraded{sick}", count(all, "machine")));
            told = Some((done, failed));
        }
        match code(&status).as_str() {
            "rollingforward" => {}
            "completed" => return Ok(()),
            "cancelled" => {
                return Err(stopped(&again(pool, calls)?, "somebody cancelled the rolling upgrade".to_owned()));
            }
            _ => {
                let error = status.pointer("/properties/error").map(ServiceError::of).unwrap_or_default();
                let unsaid = error.code.is_empty() && error.message.is_empty();
                let reason = if unsaid { "the upgrade policy was violated".to_owned() } else { error.to_string() };
                return Err(stopped(&again(pool, calls)?, reason));
            }
        }
        observer.event(&Event::Tick);
        check_stopped(observer)?;
        calls.pass(LOOK);
    }
}

/// Starts the rolling upgrade again and follows it. Unhealthy machines that lack the model are upgraded first, one by one:
/// with more of them than `maxUnhealthyInstancePercent`, a rolling upgrade does not begin.
pub(super) fn restart(pool: &Pool, calls: &dyn MachineCalls, observer: &mut dyn Observer) -> Result<(), RolloutError> {
    let unhealthy: Vec<String> =
        pool.behind().iter().filter(|machine| machine.is_unhealthy()).map(|machine| machine.name.clone()).collect();
    if !unhealthy.is_empty() {
        let one_by_one = Pool { batch: None, pause: Duration::ZERO, ..pool.clone() };
        batches::run(&one_by_one, unhealthy, Action::Upgrade, calls, observer)?;
    }
    let pool = again(pool, calls)?;
    if pool.behind().is_empty() {
        return Ok(());
    }
    observer.event(&Event::Phase(format!("continuing the rolling upgrade of `{}`", pool.name)));
    let body = json!({ "properties": { "upgradePolicy": pool.policy } });
    let result = carry_out(calls.update(&pool.id, &body), calls, observer)?;
    if is_running(&pool, calls)? {
        return follow(&pool, calls, observer);
    }
    match result {
        Ok(()) => Ok(()),
        Err(refusal) => Err(stopped(&again(&pool, calls)?, refusal)),
    }
}
