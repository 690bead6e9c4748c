//! The machines of a set.

use std::sync::Arc;

use crate::core::Cx;
use crate::documents::Row;
use crate::types::instances::view::{KIND, MACHINE, flexible, number};

/// The machines of a set, oldest first.
#[must_use]
pub fn of(cx: &Cx<'_>, set_row: &Row) -> Vec<Arc<Row>> {
    let mut rows: Vec<Arc<Row>> = if flexible(set_row) {
        cx.store
            .of_kind(MACHINE)
            .into_iter()
            .filter(|row| {
                row.text("/properties/virtualMachineScaleSet/id").is_some_and(|id| id.eq_ignore_ascii_case(&set_row.id))
            })
            .collect()
    } else {
        cx.store.below(&set_row.id).into_iter().filter(|row| row.kind == KIND).collect()
    };
    rows.sort_by_key(|row| number(row));
    rows
}
