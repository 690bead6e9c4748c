//! Machines: instances of uniform sets (`…/virtualMachines/0`), virtual machines of flexible sets and single ones. Those of
//! sets follow the capacity and the upgrade policy; all take start, deallocate, reimage and the rest.

mod action;
mod follow;
mod health;
pub mod images;
mod list;
mod machine;
mod make;
mod model;
mod parts;
mod rolling;
mod runs;
mod said;
mod view;

use serde_json::Value;

use crate::core::Cx;
use crate::documents::Row;
use crate::error::ArmError;
use crate::http::{Reply, Request};
use crate::id::Path;
use crate::lro::Style;
use crate::names::SCALE_SETS;
use crate::rule::{Rule, WriteContext};

pub use action::{cancel_upgrade, of_set as action};
pub use follow::{follow, written};
pub use health::watcher;
pub use list::of;
pub use machine::{Extension, Machine};
pub use model::remember_secrets;
pub use parts::{came_with_set, is_windows};
pub use rolling::{catch_up, latest as latest_upgrade};
pub use said::say;

/// An instance of a uniform set.
pub struct Instance;

/// A set was deleted: its machines go with all that came with them.
pub fn remove_all(cx: &mut Cx<'_>, set_row: &Row) {
    for vm in of(cx, set_row) {
        make::remove(cx, &vm);
    }
}

/// The state of an extension of a set, by the machines that have it.
#[must_use]
pub fn extension_state(cx: &Cx<'_>, set_row: &Row, name: &str) -> &'static str {
    view::extension_state(set_row, &of(cx, set_row), name)
}

/// A machine of a flexible set by a path below its set, `…/virtualMachineScaleSets/S/virtualMachines/VM`.
#[must_use]
pub fn machine_in_set(cx: &Cx<'_>, path: &Path) -> Option<std::sync::Arc<Row>> {
    if !path.is_resource() || !path.resource_type().eq_ignore_ascii_case(view::KIND) {
        return None;
    }
    let set_row = cx.store.row(&path.parent()?.id()).filter(|set_row| view::flexible(set_row))?;
    of(cx, &set_row).into_iter().find(|vm| vm.name.eq_ignore_ascii_case(path.name()))
}

/// Whether a path leads to a machine that a set does not have: views of it are answered in words of their own.
#[must_use]
pub fn lacks_machine(cx: &Cx<'_>, path: &Path) -> bool {
    path.resource_type().eq_ignore_ascii_case(view::KIND)
        && path.parent().is_some_and(|set| cx.store.row(&set.id()).is_some())
}

/// What the machines of the sets carry, `{machines: {SET: […]}}`, of one set or of all.
#[must_use]
pub fn carried(cx: &Cx<'_>, only: Option<&str>) -> Value {
    let sets = cx.store.of_kind(SCALE_SETS);
    let sets = sets.iter().filter(|row| only.is_none_or(|id| row.id.eq_ignore_ascii_case(id)));
    let list: serde_json::Map<String, Value> =
        sets.map(|row| (row.id.clone(), Value::Array(view::carried(row, &of(cx, row))))).collect();
    serde_json::json!({ "machines": list })
}

impl Rule for Instance {
    fn merges(&self) -> bool {
        true
    }

    fn style(&self, _: bool) -> Style {
        Style::AsyncOperation
    }

    fn delete_style(&self) -> Style {
        Style::AsyncOperation
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        if put.old.is_none() {
            return Err(ArmError::bad(
                "InvalidParameter",
                format!(
                    "The provided instanceId {} is not an active Virtual Machine Scale Set VM instanceId.",
                    put.path.name()
                ),
            )
            .at("instanceId"));
        }
        Ok(())
    }

    fn deleted(&self, cx: &mut Cx<'_>, row: &Row) -> Result<(), ArmError> {
        if let Some(set) = Path::of(&row.id).parent().and_then(|set| cx.store.row(&set.id())) {
            action::lower_capacity(cx, &set);
        }
        Ok(())
    }

    fn shown(&self, cx: &Cx<'_>, row: &Row, request: &Request) -> Value {
        view::shown(cx, row, request)
    }

    fn action(&self, cx: &mut Cx<'_>, row: &Row, word: &str, request: &Request) -> Result<Option<Reply>, ArmError> {
        action::of_machine(cx, row, word, request)
    }
}
