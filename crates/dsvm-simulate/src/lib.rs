//! A pool and a workload → what happens, minute by minute: machines, people and jobs that wait, actions of autoscale, people on
//! machines that are removed.
//!
//! The autoscale settings are evaluated by the crate that the local endpoint uses too. Everything random comes from a seed, so
//! the same input gives the same result on every machine. Reads no clock and no file.
//!
//! # What is assumed
//!
//! - Autoscale runs once a minute (30 to 60 s according to Microsoft Learn, "Understand autoscale settings", 2026-08).
//! - A task is put on the machine with the most free cores, in the order of arrival; nothing overtakes the first that does not
//!   fit. A job needs its cores to be free, a person a seat: without a number of seats a machine lets everyone in, as a load
//!   balancer does, and people get in each other's way. A job that no machine can hold is refused.
//! - Processors are busy with the load of the tasks, nothing else.
//! - A person whose machine is removed waits again for the rest of their time; a job starts over, or at its last checkpoint.
//! - A pool has 10,000 machines at most, a workload five million tasks, a window seven days.
//! - Machines are removed newest first, or oldest first when the pool says so. Zones are not balanced. Azure Batch chooses itself
//!   ("Pool - Resize"); here it takes empty nodes first, then those with the fewest tasks.
//! - A spot machine that is ready is evicted with the same chance in every minute, and another one can be had at once.
//! - A formula is evaluated from the first minute on at its interval, against samples of every 30 seconds of the last day or two.
//!   `retaineddata` is taken as `taskcompletion`: how long files are kept is not simulated.

pub mod eviction;
pub mod metric;
mod metrics;
mod pool;
mod report;
mod run;
pub mod sweep;
pub mod trace;
pub mod words;
mod workload;

pub use pool::{Cluster, Evaluated, Evictions, Policy, Pool, Startup};
pub use report::{Moment, Report};
pub use run::{Pace, simulate};
pub use workload::{Kind, Span, Task, Workload};
