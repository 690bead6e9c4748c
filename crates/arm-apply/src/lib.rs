//! Carries a plan out: deploys, follows each operation, keeps a journal, ends with a receipt.
//!
//! Promises: one apply of a project at a time; before the first write the journal says what is begun; an interrupted
//! apply is finished by running it again (it plans anew); a pool that autoscale owns keeps its live number of machines;
//! nothing is deleted that the plan did not show. Does not know which cloud it speaks to: [`Arm`] is a trait.

pub mod advice;
mod live_capacity;
mod executor;
mod failure;
mod follow;
mod state;
#[cfg(test)]
mod tests;

pub use executor::{Arm, Event, Job, Observer, Step, run};
pub use failure::{ApplyError, RefusedResource};
pub use follow::{join_output, wait_until_idle};
pub use live_capacity::keep_live_capacity;
pub use state::{Lock, LockError, Receipt, ReceiptItem, StateDir, StateError};
