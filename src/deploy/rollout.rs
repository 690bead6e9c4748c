//! The rollout of a project: brings the machines of its pools to the latest model.

use super::machines::{kept_pools, with_calls};
use super::plan::Planned;
use super::session::Session;
use arm_apply::rollout::{self, PoolReport, RolloutError, Wishes};
use arm_apply::{ApplyError, Observer};

/// Ids of the scale sets that exist and that the plan keeps.
#[must_use]
pub fn pools(planned: &Planned) -> Vec<String> {
    kept_pools(&planned.observed, &planned.plan)
}

/// Brings the machines of pools to the latest model of their pool.
///
/// # Errors
/// See [`RolloutError`].
pub fn run(
    session: &Session,
    ids: &[String],
    wishes: Wishes,
    watch: &mut dyn Observer,
) -> Result<Vec<PoolReport>, RolloutError> {
    with_calls(session, |calls| rollout::roll_out(ids, wishes, calls, watch))
}

/// Whether a deployment failed only because machines were unhealthy before an upgrade began: the model is written, and a
/// rollout that takes the unhealthy machines first can continue. The codes are those of Azure, as quoted in
/// <https://github.com/opencb/opencga/issues/987>.
#[must_use]
pub fn can_continue(error: &ApplyError) -> bool {
    const UNHEALTHY: [&str; 2] = [
        "MaxUnhealthyInstancePercentExceededBeforeRollingUpgrade",
        "MaxUnhealthyInstancePercentExceededInRollingUpgrade",
    ];
    let ApplyError::Refused(list) = error else { return false };
    !list.is_empty() && list.iter().all(|refused| UNHEALTHY.iter().any(|code| refused.error.has_code(code)))
}
