//! Long-running operations: what to look at, and when it is over.

use super::Client;
use super::error::{AzureError, ServiceError};
use super::limits::{Patience, shortest_pause};
use super::transport::{Method, Reply};
use serde_json::Value;
use std::time::{Duration, Instant};

/// An operation that the service is working on.
#[derive(Clone, Debug)]
pub struct Pending {
    /// The polling URL, exactly as the service returned it.
    url: String,
    kind: PollMethod,
    /// Time to wait before the next poll.
    pub wait: Duration,
    /// Number of polls so far.
    pub asked: u32,
    /// When the operation began to be followed.
    since: Instant,
    /// Answers without a state, one after another.
    mute: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PollMethod {
    /// Always 200 with a `status`.
    AsyncOperation,
    /// 202 while running, then the result.
    Location,
}

/// The status of a long-running operation.
#[derive(Clone, Debug)]
pub enum OperationStatus {
    /// Still running; poll again after `wait`.
    Running(Pending),
    /// Over; the last body.
    Done(Value),
    /// Over, and it failed or was cancelled.
    Failed(Box<ServiceError>),
}

/// Answers without a state after which an operation counts as lost.
const MOST_MUTE: u32 = 10;
const DEFAULT_WAIT: Duration = Duration::from_secs(10);

impl Pending {
    /// What an answer asks to follow; `None` when the operation is over already.
    #[must_use]
    pub fn of(reply: &Reply) -> Option<Self> {
        let wait = reply.retry_after.unwrap_or(DEFAULT_WAIT).max(shortest_pause(0));
        let since = Instant::now();
        if let Some(url) = &reply.async_operation {
            return Some(Self { url: url.clone(), kind: PollMethod::AsyncOperation, wait, asked: 0, since, mute: 0 });
        }
        let url = reply.location.as_ref().filter(|_| reply.status == 202)?;
        Some(Self { url: url.clone(), kind: PollMethod::Location, wait, asked: 0, since, mute: 0 })
    }
}

impl Client {
    /// Polls the status of an operation once. Does not wait.
    ///
    /// # Errors
    /// The polling request itself failed.
    pub fn poll(&self, pending: &Pending) -> Result<OperationStatus, AzureError> {
        let limits = self.transport.limits();
        if pending.asked >= limits.polls || pending.since.elapsed() > limits.follow {
            let hours = pending.since.elapsed().as_secs() / 3600;
            let text = format!("an operation is not over after {} questions in {hours} h", pending.asked);
            return Err(AzureError::endless(&self.transport.host(), text));
        }
        let reply = self.send(Method::Get, &pending.url, None)?;
        let state = reply.body.get("status").or_else(|| reply.body.pointer("/properties/provisioningState"));
        let state = state.and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
        let again = |reply: &Reply| {
            // Each answer may bring a fresh address.
            let fresh = match pending.kind {
                PollMethod::AsyncOperation => reply.async_operation.clone(),
                PollMethod::Location => reply.location.clone(),
            };
            OperationStatus::Running(Pending {
                url: fresh.unwrap_or_else(|| pending.url.clone()),
                kind: pending.kind,
                wait: reply.retry_after.unwrap_or(pending.wait).max(shortest_pause(pending.asked + 1)),
                asked: pending.asked + 1,
                since: pending.since,
                mute: if state.is_empty() { pending.mute + 1 } else { 0 },
            })
        };
        if pending.kind == PollMethod::Location && reply.status == 202 {
            return Ok(again(&reply));
        }
        Ok(match state.as_str() {
            "failed" | "canceled" | "cancelled" => {
                let mut error = ServiceError::of(
                    reply.body.get("error").or_else(|| reply.body.pointer("/properties/error")).unwrap_or(&Value::Null),
                );
                if error.code.is_empty() {
                    error.code = if state == "failed" { "Failed".into() } else { "Canceled".into() };
                    error.message = format!("the operation ended as {state}");
                }
                error.correlation = reply.correlation;
                OperationStatus::Failed(Box::new(error))
            }
            "succeeded" => OperationStatus::Done(reply.body),
            _ if pending.kind == PollMethod::Location => OperationStatus::Done(reply.body),
            "" if pending.mute >= MOST_MUTE => {
                let host = self.transport.host();
                return Err(AzureError::Protocol(format!("`{host}` does not say in which state an operation is")));
            }
            _ => again(&reply),
        })
    }

    /// Waits for the end of the operation that `reply` started; returns the last body.
    ///
    /// # Errors
    /// The operation failed, or could not be followed.
    pub fn finish(&self, reply: Reply) -> Result<Value, AzureError> {
        let Some(mut pending) = Pending::of(&reply) else {
            // Its end would never be known, and what comes next would be too early.
            if reply.status == 202 {
                let text = format!("`{}` accepted an operation without an address to follow it", self.transport.host());
                return Err(AzureError::Protocol(text));
            }
            return Ok(reply.body);
        };
        let mut patience = Patience::new();
        loop {
            self.sleep(pending.wait);
            if let Some(waited) = patience.due() {
                let (host, seconds) = (self.transport.host(), waited.as_secs());
                self.transport.notice(&format!("`{host}` is still at work after {seconds} s"));
            }
            match self.poll(&pending)? {
                OperationStatus::Running(next) => pending = next,
                OperationStatus::Done(body) => return Ok(body),
                OperationStatus::Failed(error) => return Err(AzureError::Service(error)),
            }
        }
    }
}
