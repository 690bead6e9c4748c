//! The operations of Resource Manager that a rollout needs, and operations followed to their end.

use crate::executor::{Event, Observer, check_stopped};
use crate::failure::ApplyError;
use arm_client::{AzureError, Client, OperationStatus, Pending, Reply, SCALE_SETS_API};
use serde_json::Value;
use std::time::Duration;

/// Calls about scale sets and their machines; tests implement them in memory.
pub trait MachineCalls {
    /// The scale set, if it exists.
    fn scale_set(&self, id: &str) -> Result<Option<Value>, AzureError>;
    /// Its machines with their instance views and `latestModelApplied`.
    fn machines(&self, set: &str, flexible: bool) -> Result<Vec<Value>, AzureError>;
    /// Its last rolling upgrade, `None` when there was none.
    fn rolling_upgrade(&self, set: &str) -> Result<Option<Value>, AzureError>;
    /// Starts to bring machines to the latest model.
    fn upgrade(&self, set: &str, names: &[String]) -> Result<Reply, AzureError>;
    /// Starts to make the OS disks of machines again.
    fn reimage(&self, set: &str, names: &[String]) -> Result<Reply, AzureError>;
    /// Starts an update of the scale set.
    fn update(&self, set: &str, body: &Value) -> Result<Reply, AzureError>;
    /// Polls the status of an operation once.
    fn poll(&self, pending: &Pending) -> Result<OperationStatus, AzureError>;
    /// Waits for an operation of the service.
    fn sleep(&self, wait: Duration);
    /// Lets time pass that a policy demands, or that a machine needs; on a simulated clock it need not take that long.
    fn pass(&self, wait: Duration);
}

impl MachineCalls for Client {
    fn scale_set(&self, id: &str) -> Result<Option<Value>, AzureError> {
        self.resource(id, SCALE_SETS_API)
    }

    fn machines(&self, set: &str, flexible: bool) -> Result<Vec<Value>, AzureError> {
        self.machines_of(set, flexible)
    }

    fn rolling_upgrade(&self, set: &str) -> Result<Option<Value>, AzureError> {
        Client::rolling_upgrade(self, set)
    }

    fn upgrade(&self, set: &str, names: &[String]) -> Result<Reply, AzureError> {
        self.upgrade_machines(set, names)
    }

    fn reimage(&self, set: &str, names: &[String]) -> Result<Reply, AzureError> {
        self.reimage_machines(set, names)
    }

    fn update(&self, set: &str, body: &Value) -> Result<Reply, AzureError> {
        self.update_scale_set(set, body)
    }

    fn poll(&self, pending: &Pending) -> Result<OperationStatus, AzureError> {
        Client::poll(self, pending)
    }

    fn sleep(&self, wait: Duration) {
        Client::sleep(self, wait);
    }

    fn pass(&self, wait: Duration) {
        Client::sleep(self, wait);
    }
}

/// Follows an operation to its end. The inner error is the operation's: it was carried out and failed.
pub(super) fn finish(
    reply: &Reply,
    calls: &dyn MachineCalls,
    observer: &mut dyn Observer,
) -> Result<Result<(), String>, ApplyError> {
    let Some(mut pending) = Pending::of(reply) else { return Ok(Ok(())) };
    loop {
        match calls.poll(&pending)? {
            OperationStatus::Running(next) => pending = next,
            OperationStatus::Done(_) => return Ok(Ok(())),
            OperationStatus::Failed(error) => return Ok(Err(error.to_string())),
        }
        observer.event(&Event::Tick);
        check_stopped(observer)?;
        calls.sleep(pending.wait);
    }
}

/// As [`finish`], for a request that the service may refuse at once because of the state of the machines.
pub(super) fn carry_out(
    reply: Result<Reply, AzureError>,
    calls: &dyn MachineCalls,
    observer: &mut dyn Observer,
) -> Result<Result<(), String>, ApplyError> {
    match reply {
        Ok(reply) => finish(&reply, calls, observer),
        Err(AzureError::Service(error)) if error.status == 409 => Ok(Err(error.to_string())),
        Err(error) => Err(error.into()),
    }
}
