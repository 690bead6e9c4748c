//! A plan and what is known of both sides → [`Impact`]: what changes in the words of the source, and who notices.
//!
//! In: the [`Plan`], the desired and the observed resources, the resources as the last deployment sent them, and the
//! [`Block`]s of the source. Out: [`Notice`]s, worst first; changes by block, one line for each edited place, with its
//! effect and when it takes effect; refusals with the way out.
//!
//! Promises: pure and total; the same input gives the same bytes; every effective change of the plan is in exactly one
//! block; nothing that the plan masks as secret is shown. What has no words here is shown by the name of its property.

mod access;
mod autoscale;
mod batch;
mod blocks;
mod effect;
mod encoded;
mod fields;
mod formula;
mod machine;
mod notices;
mod path;
mod resource;
mod same;
mod situation;
mod types;
mod units;
#[cfg(test)]
mod tests;

pub use resource::is_setup;
pub use situation::{Block, Situation};
pub use types::{
    BlockChanges, BlockCost, CostCase, CostCases, CostChange, Impact, Line, Notice, PriceSource, Refusal, Severity,
};

use arm_plan::{Action, Plan};
use dsvm_diagnostics::count;
use situation::Index;
use std::collections::BTreeMap;

/// Puts a plan into the words of the source, with who notices it.
#[must_use]
pub fn describe(situation: &Situation<'_>) -> Impact {
    let summary = summary(situation.plan);
    // The index of thousands of resources is half of the time of a plan in which nothing changes.
    if situation.plan.summary.no_change == situation.plan.changes.len() {
        return Impact { summary, ..Impact::default() };
    }
    let index = Index::of(situation);
    let refusals = situation.plan.refused().map(|change| Refusal::of(change, &index)).collect();
    let (blocks, mut notices) = blocks::changes(&index);
    let blocks = same::merge(blocks);
    notices::complete(&blocks, &mut notices);
    Impact { refusals, notices, blocks, cost: None, summary }
}

/// The title of the block that each change of a plan belongs to, by id in lower case.
#[must_use]
pub fn titles(situation: &Situation<'_>) -> BTreeMap<String, String> {
    Index::of(situation).into_titles()
}

/// How many resources the plan touches, and whether anything is deleted: `4 of 20 resources are updated; nothing is
/// deleted.`
#[must_use]
pub fn summary(plan: &Plan) -> String {
    let sum = &plan.summary;
    let all = plan.changes.len();
    let touched = all - sum.no_change;
    if touched == 0 {
        return match all {
            0 => "Nothing to do: the source has no resources.".to_owned(),
            1 => "Nothing to do: the resource matches the source.".to_owned(),
            n => format!("Nothing to do: all {n} resources match the source."),
        };
    }
    let parts = [
        (sum.refuse, "refused"),
        (sum.delete, "deleted"),
        (sum.replace, "deleted and recreated"),
        (sum.detach, "detached"),
        (sum.update, "updated"),
        (sum.create, "created"),
    ];
    let said: Vec<(usize, &str)> = parts.into_iter().filter(|(n, _)| *n > 0).collect();
    let first = said.first().map_or(0, |(n, _)| *n);
    let verb = |n: usize| if n == 1 { "is" } else { "are" };
    let rest = said.iter().skip(1).map(|(n, what)| format!("{n} {} {what}", verb(*n)));
    let head = said.first().map(|(n, what)| format!("{n} of {} {} {what}", count(all, "resource"), verb(*n)));
    let mut text = head.into_iter().chain(rest).collect::<Vec<_>>().join(", ");
    if sum.delete + sum.replace + sum.refuse == 0 && first > 0 {
        text.push_str("; nothing is deleted");
    }
    text.push('.');
    text
}

/// Whether a change destroys the resource.
pub(crate) fn destroys(action: Action) -> bool {
    matches!(action, Action::Delete | Action::Replace)
}
