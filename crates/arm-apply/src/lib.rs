//! Carries a plan out: deploys, follows each operation, keeps a journal, ends with a receipt.
//!
//! Promises: one apply of a project at a time; before the first write the journal says what is begun; an interrupted
//! apply is finished by running it again (it plans anew); a pool that autoscale owns keeps its live number of machines;
//! nothing is deleted that the plan did not show. Does not know which cloud it speaks to: [`Arm`] is a trait.

pub mod advice;
mod carry;
mod executor;
mod failure;
mod follow;
mod state;
#[cfg(test)]
mod tests;

pub use carry::carry_live_capacity;
pub use executor::{Arm, Event, Job, Step, Watch, run};
pub use failure::{ApplyError, Refused};
pub use follow::{join_output, settle};
pub use state::{Lock, LockError, Receipt, ReceiptItem, State, StateError};
