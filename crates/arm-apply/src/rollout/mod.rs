//! Brings the machines of scale sets to the latest model of their set, as the upgrade policy says, and follows what Azure
//! does by itself.
//!
//! In: ids of scale sets, [`Wishes`], a [`MachineCalls`] implementation. Out: events to an [`Observer`] and a
//! [`PoolReport`] for each set, or [`RolloutError`] with the machine that stopped it.
//!
//! | mode | what happens |
//! |---|---|
//! | Rolling | Azure upgrades; this follows it to its end. One that was stopped is started again, unhealthy machines first |
//! | Automatic | Azure upgrades; machines that it left behind are upgraded in batches |
//! | Manual | upgraded in batches when [`Wishes::manual`] is set, otherwise reported |
//!
//! Promises: after each batch that is upgraded here, every machine of it must be healthy before the next one begins;
//! nothing is reimaged that was not named; what has been done is read from the service, so that a second run continues.

mod batches;
mod calls;
mod machine;
mod pool;
mod rolling;
#[cfg(test)]
mod tests;

pub use batches::Action;
pub use calls::MachineCalls;
pub use machine::{Machine, SETUP, Setup};
pub use pool::{Pool, UpgradeMode, is_flexible};

use super::executor::{Event, Observer, check_stopped};
use super::failure::ApplyError;
use arm_client::AzureError;
use serde::Serialize;

/// What a rollout may do beyond what Azure does by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Upgrade machines of sets with the mode `Manual`.
    pub manual: bool,
    /// Reimage machines whose setup failed although they have the latest model. Their OS disks are lost.
    pub reimage_failed: bool,
}

/// How a rollout ended in one pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolReport {
    /// Name of the scale set.
    pub pool: String,
    /// How many machines there are.
    pub machines: usize,
    /// How many have the latest model, as far as the service says.
    pub current: usize,
    /// How many got it during this rollout.
    pub upgraded: usize,
    /// How many were reimaged.
    pub reimaged: usize,
    /// How many lack the latest model because the mode is `Manual`.
    pub by_hand: usize,
    /// How many lack it because they are protected from actions of their set.
    pub protected: usize,
}

/// A rollout that stopped: what it stopped at, and how far it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stopped {
    /// Name of the scale set.
    pub pool: String,
    /// The machine that stopped it, where one can be named.
    pub machine: Option<Machine>,
    /// Why, in one clause.
    pub reason: String,
    /// Azure's words, where Azure stopped it.
    pub refusal: Option<String>,
    /// How many machines have the latest model.
    pub current: usize,
    /// How many machines there are.
    pub machines: usize,
    /// Whether applying again can continue without a change of the sources: machines lack the latest model.
    pub continues: bool,
}

/// Why a rollout did not end.
#[derive(Debug, thiserror::Error)]
pub enum RolloutError {
    /// A machine or the upgrade policy stopped it.
    #[error("the rollout of `{}` stopped: {}", .0.pool, .0.reason)]
    Stopped(Box<Stopped>),
    /// A call failed, or somebody asked to stop.
    #[error(transparent)]
    Apply(#[from] ApplyError),
}

impl From<AzureError> for RolloutError {
    fn from(error: AzureError) -> Self {
        Self::Apply(error.into())
    }
}

/// Reads scale sets and their machines; sets that do not exist are left out.
///
/// # Errors
/// A call failed or was refused.
pub fn look(ids: &[String], calls: &dyn MachineCalls) -> Result<Vec<Pool>, AzureError> {
    let mut pools = Vec::new();
    for id in ids {
        pools.extend(look_at(id, calls)?);
    }
    Ok(pools)
}

fn look_at(id: &str, calls: &dyn MachineCalls) -> Result<Option<Pool>, AzureError> {
    let Some(set) = calls.scale_set(id)? else { return Ok(None) };
    let machines = calls.machines(id, is_flexible(&set))?;
    Ok(Some(Pool::read(&set, &machines)))
}

/// Brings the machines of scale sets to the latest model, one set after the other.
///
/// # Errors
/// See [`RolloutError`]. Sets after the one that stopped are not begun.
pub fn roll_out(
    ids: &[String],
    wishes: Wishes,
    calls: &dyn MachineCalls,
    observer: &mut dyn Observer,
) -> Result<Vec<PoolReport>, RolloutError> {
    let mut reports = Vec::new();
    for id in ids {
        check_stopped(observer)?;
        let Some(pool) = look_at(id, calls)? else { continue };
        reports.push(one(pool, wishes, calls, observer)?);
    }
    Ok(reports)
}

fn one(
    mut pool: Pool,
    wishes: Wishes,
    calls: &dyn MachineCalls,
    observer: &mut dyn Observer,
) -> Result<PoolReport, RolloutError> {
    let before = pool.behind().len();
    let by_hand = pool.mode == UpgradeMode::Manual && !wishes.manual;
    if pool.mode == UpgradeMode::Rolling && rolling::is_running(&pool, calls)? {
        rolling::follow(&pool, calls, observer)?;
        pool = again(&pool, calls)?;
    }
    if !by_hand && !pool.behind().is_empty() {
        match pool.mode {
            UpgradeMode::Rolling => rolling::restart(&pool, calls, observer)?,
            UpgradeMode::Automatic | UpgradeMode::Manual => {
                let names = pool.behind().iter().map(|machine| machine.name.clone()).collect();
                batches::run(&pool, names, Action::Upgrade, calls, observer)?;
            }
        }
        pool = again(&pool, calls)?;
    }
    let mut reimaged = 0;
    if wishes.reimage_failed && !pool.failed().is_empty() {
        let names: Vec<String> = pool.failed().iter().map(|machine| machine.name.clone()).collect();
        reimaged = names.len();
        batches::run(&pool, names, Action::Reimage, calls, observer)?;
        pool = again(&pool, calls)?;
    }
    let behind = pool.behind().len();
    if !by_hand && behind > 0 {
        return Err(stopped(&pool, "machines did not get the latest model although the upgrade ended".to_owned()));
    }
    if let Some(machine) = pool.failed().first() {
        let reason = format!("machine `{}` has the latest model, and {}", machine.name, machine.complaint());
        return Err(stopped_at(&pool, Some((*machine).clone()), reason));
    }
    let protected = pool.machines.iter().filter(|machine| machine.protected && machine.latest == Some(false)).count();
    Ok(PoolReport {
        pool: pool.name.clone(),
        machines: pool.machines.len(),
        current: pool.machines.iter().filter(|machine| machine.latest == Some(true)).count(),
        upgraded: before.saturating_sub(behind),
        reimaged,
        by_hand: behind,
        protected,
    })
}

/// The same pool as it is now.
fn again(pool: &Pool, calls: &dyn MachineCalls) -> Result<Pool, RolloutError> {
    Ok(look_at(&pool.id, calls)?.unwrap_or_else(|| Pool { machines: Vec::new(), ..pool.clone() }))
}

/// A rollout that stopped for a reason that names no machine: the one that is most likely the cause is named, and the
/// reason becomes what is said beside it.
fn stopped(pool: &Pool, reason: String) -> RolloutError {
    let Some(machine) = pool.culprit().filter(|machine| !machine.complaint().is_empty()) else {
        return stopped_at(pool, None, reason);
    };
    let named = format!("machine `{}`: {}", machine.name, machine.complaint());
    let error = stopped_at(pool, Some(machine.clone()), named);
    match error {
        RolloutError::Stopped(stopped) => {
            RolloutError::Stopped(Box::new(Stopped { refusal: Some(reason), ..*stopped }))
        }
        other => other,
    }
}

fn stopped_at(pool: &Pool, machine: Option<Machine>, reason: String) -> RolloutError {
    let current = pool.machines.iter().filter(|machine| machine.latest != Some(false)).count();
    RolloutError::Stopped(Box::new(Stopped {
        pool: pool.name.clone(),
        machine,
        reason,
        refusal: None,
        current,
        machines: pool.machines.len(),
        continues: !pool.behind().is_empty(),
    }))
}

/// Tells the observer about a step of a rollout.
fn tell(observer: &mut dyn Observer, text: String) {
    observer.event(&Event::Detail(text));
}
