//! Upgrades or reimages named machines in batches. The next batch begins when every machine of the last one is healthy.

use super::calls::{MachineCalls, carry_out};
use super::pool::Pool;
use super::{RolloutError, again, stopped_at, tell};
use crate::executor::{Event, Observer, check_stopped};
use dsvm_diagnostics::count;
use std::time::Duration;

/// What is done to each machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It gets the latest model.
    Upgrade,
    /// Its OS disk is made again from the image and the model that it has.
    Reimage,
}

/// Between two looks at machines that are at work.
const LOOK: Duration = Duration::from_secs(15);
/// How long an unhealthy state is taken for the one before: the health extension changes it after at most 240 seconds of
/// equal answers ("Probe settle time (intervalInSeconds * numberOfProbes) cannot exceed 240 seconds",
/// <https://github.com/Azure/applicationhealth-extension-linux> main/handlersettings.go).
const SETTLE: Duration = Duration::from_secs(300);
/// How long a machine may be at work: the longest grace period of the health extension is 4 hours
/// (<https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-health-extension>).
const AT_WORK: Duration = Duration::from_secs(4 * 3600 + 300);

/// Runs the batches of a pool.
pub(super) fn run(
    pool: &Pool,
    mut names: Vec<String>,
    action: Action,
    calls: &dyn MachineCalls,
    observer: &mut dyn Observer,
) -> Result<(), RolloutError> {
    let (total, size) = (names.len(), pool.batch_size());
    let verb = if action == Action::Upgrade { "upgrading" } else { "reimaging" };
    let pace = if size == 1 { "one at a time".to_owned() } else { format!("{size} at a time") };
    observer.event(&Event::Phase(format!("{verb} {} of `{}`, {pace}", count(total, "machine"), pool.name)));
    let mut done = 0;
    while !names.is_empty() {
        check_stopped(observer)?;
        if done > 0 && !pool.pause.is_zero() {
            calls.pass(pool.pause);
        }
        let batch: Vec<String> = names.drain(..size.min(names.len())).collect();
        let reply = match action {
            Action::Upgrade => calls.upgrade(&pool.id, &batch),
            Action::Reimage => calls.reimage(&pool.id, &batch),
        };
        let result = carry_out(reply, calls, observer)?;
        settle(pool, &batch, result.err(), calls, observer)?;
        done += batch.len();
        tell(observer, format!("machine {} is ready ({done} of {total})", listed(&batch)));
    }
    Ok(())
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Waits until the machines of a batch are healthy. `refusal` is what the operation on them ended with.
fn settle(
    pool: &Pool,
    batch: &[String],
    refusal: Option<String>,
    calls: &dyn MachineCalls,
    observer: &mut dyn Observer,
) -> Result<(), RolloutError> {
    let (mut at_work, mut unhealthy) = (Duration::ZERO, Duration::ZERO);
    loop {
        let now = again(pool, calls)?;
        // A machine that is gone was removed by autoscale, or by somebody.
        let machines: Vec<_> = batch.iter().filter_map(|name| now.machine(name)).collect();
        let failed = machines.iter().find(|machine| machine.is_failed());
        if let Some(machine) = failed.or_else(|| machines.first().filter(|_| refusal.is_some())) {
            let complaint = machine.complaint();
            let reason = match (&refusal, complaint.is_empty()) {
                (Some(refusal), true) => format!("machine `{}`: {refusal}", machine.name),
                _ => format!("machine `{}`: {complaint}", machine.name),
            };
            return Err(stopped_at(&now, Some((**machine).clone()), reason));
        }
        let waiting = machines.iter().find(|machine| !machine.is_off() && machine.is_busy());
        let sick = machines.iter().find(|machine| !machine.is_off() && machine.is_unhealthy());
        let (spent, limit, machine) = match (waiting, sick) {
            (None, None) => return Ok(()),
            (Some(machine), _) => (&mut at_work, AT_WORK, machine),
            (None, Some(machine)) => (&mut unhealthy, SETTLE, machine),
        };
        if *spent >= limit {
            let complaint = machine.complaint();
            let complaint = if complaint.is_empty() { "it does not become ready".to_owned() } else { complaint };
            return Err(stopped_at(
                &now,
                Some((**machine).clone()),
                format!("machine `{}`: {complaint}", machine.name),
            ));
        }
        observer.event(&Event::Tick);
        check_stopped(observer)?;
        calls.pass(LOOK);
        *spent += LOOK;
    }
}
