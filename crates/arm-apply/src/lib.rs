//! Executes a plan: deploys, follows each operation, keeps a journal, ends with a receipt.
//!
//! In: a [`Job`] (templates, parameters, deletions), an [`Arm`] implementation and the project's [`StateDir`]. Out: events
//! to an [`Observer`], the journal on disk, and an [`Outcome`] or an [`ApplyError`].
//!
//! Promises: one apply of a project at a time; the journal is written before the first write to Azure; an interrupted
//! apply is finished by running it again (with a new plan); a pool that autoscale owns keeps its live number of machines;
//! nothing is deleted that the plan did not show. Does not know which cloud it talks to: [`Arm`] is a trait.

pub mod advice;
mod deleted_vault;
mod live_capacity;
mod executor;
mod failure;
mod follow;
mod home;
pub mod rollout;
mod state;
#[cfg(test)]
mod tests;

pub use deleted_vault::DeletedVault;
pub use executor::{Arm, Event, Job, Observer, Outcome, Reassigned, Step, run};
pub use failure::{ApplyError, RefusedResource};
pub use follow::{join_output, wait_until_idle};
pub use home::{random_id, user_folder};
pub use state::{Journal, JournalStep, Lock, LockError, Origin, Receipt, ReceiptItem, StateDir, StateError};
