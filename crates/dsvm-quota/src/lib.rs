//! Quotas: what a fleet asks of a subscription with every pool at its maximum, and which limits that breaks.
//!
//! Promises: a number that only the deployment knows is told as unknown, never counted as 0; where Microsoft does not say
//! whether something counts, it counts. [`needs()`] reads one project, [`sum()`] adds up a tree of them, [`growth()`] says what a change of
//! resources adds, [`Usages`] reads what Azure answers, [`judge()`] compares.
//!
//! Sources: "Both tiers must hold", "allocated and deallocated" cores count:
//! <https://learn.microsoft.com/azure/virtual-machines/quotas>; spot machines count in one number for all families:
//! <https://learn.microsoft.com/azure/quotas/spot-quota>; quotas of Batch accounts:
//! <https://learn.microsoft.com/azure/batch/batch-quota-limit>; of Azure Machine Learning:
//! <https://learn.microsoft.com/azure/machine-learning/how-to-manage-quotas>.

mod count;
mod growth;
mod judge;
mod names;
mod needs;
mod sum;
mod usages;

pub use count::{Cores, Sizes};
pub use growth::{Change, Growth, Resource, added_up, counts, deployed, growth};
pub use judge::{Verdict, judge, judge_growth};
pub use names::{Quota, Scope, Service, folded};
pub use needs::{Need, needs};
pub use sum::{Line, Part, Project, sum};
pub use usages::{Given, Usage, Usages, UsagesError};
