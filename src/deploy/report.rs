//! How an apply ended, as data.

use arm_apply::{ApplyError, Receipt, ReceiptItem};
use arm_plan::{Action, Change};
use std::collections::BTreeMap;

/// An apply that succeeded.
#[derive(Clone, Debug, Default)]
pub struct ApplyReport {
    /// What was done, as recorded in `.dsvmc`.
    pub receipt: Receipt,
    /// Duration in whole seconds.
    pub seconds: i64,
    /// Names of resources that still differ from the source although the service accepted the deployment.
    pub still_different: Vec<String>,
}

/// The two ways in which an apply that began can end.
#[derive(Debug)]
pub enum ApplyOutcome {
    /// Everything was deployed and recorded.
    Succeeded(Box<ApplyReport>),
    /// It stopped part-way; applying again continues from what exists.
    Failed {
        /// What was attempted. It is not recorded: the last successful apply stays on record.
        receipt: Box<Receipt>,
        /// The reason why it stopped.
        error: Box<ApplyError>,
    },
}

/// The receipt's lines: each changed resource with the state that the service reported, by lower-case id.
#[must_use]
pub fn receipt_items<'p>(
    changes: impl Iterator<Item = &'p Change>,
    states: &BTreeMap<String, &String>,
) -> Vec<ReceiptItem> {
    let item = |change: &Change| {
        let end = match change.action {
            Action::Delete => "Deleted",
            Action::Detach => "Detached",
            Action::Refuse => "Refused",
            Action::Create | Action::Update | Action::Replace | Action::NoChange => "Succeeded",
        };
        let state = states.get(&change.id.to_ascii_lowercase()).map_or(end, |state| state.as_str());
        ReceiptItem { id: change.id.clone(), action: change.action.word().to_owned(), state: state.to_owned() }
    };
    changes.map(item).collect()
}
