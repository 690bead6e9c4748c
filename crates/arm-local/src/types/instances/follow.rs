//! The machines of a set follow what is written: their number the capacity, their model the upgrade policy.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::core::Cx;
use crate::documents::Row;
use crate::types::instances::view::{KIND, MACHINE, flexible, number};
use crate::types::instances::{make, model, rolling};

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

/// Follows a write of a set by a client.
pub fn written(cx: &mut Cx<'_>, set_row: &Row) {
    let set_row = pass_on(cx, set_row);
    follow(cx, &set_row);
}

/// Passes the present model on to the machines, as the upgrade policy says: `Automatic` to all at once, `Rolling` in
/// batches, `Manual` to none.
fn pass_on(cx: &mut Cx<'_>, set_row: &Row) -> Arc<Row> {
    let machines = of(cx, set_row);
    let mut row = set_row.clone();
    let current = model::keep(&mut row, &machines);
    let row = cx.store.put_row(row);
    let behind: Vec<Arc<Row>> =
        machines.into_iter().filter(|vm| model::of_machine(vm) != current && !rolling::protected(vm)).collect();
    if behind.is_empty() {
        return row;
    }
    let mode = row.text("/properties/upgradePolicy/mode").unwrap_or_default().to_lowercase();
    match mode.as_str() {
        "automatic" => behind.iter().for_each(|vm| make::upgrade(cx, &row, vm)),
        "rolling" => {
            let names = behind.iter().map(|vm| vm.name.clone()).collect();
            return rolling::start(cx, &row, names);
        }
        _ => {}
    }
    row
}

/// Brings the number of machines to the set's capacity.
pub fn follow(cx: &mut Cx<'_>, set_row: &Row) {
    let wanted = set_row.at("/sku/capacity").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let mut have = of(cx, set_row);
    while have.len() > wanted {
        let Some(at) = leaves_first(set_row, &have) else { break };
        let gone = have.remove(at);
        make::remove(cx, &gone);
    }
    let missing = wanted.saturating_sub(have.len());
    if missing == 0 {
        return;
    }
    let mut row = set_row.clone();
    if model::current(&row).is_empty() {
        model::keep(&mut row, &have);
    }
    make::fill_up(cx, &row, missing);
}

fn protected_from_scale_in(vm: &Row) -> bool {
    vm.at("/properties/protectionPolicy/protectFromScaleIn") == Some(&json!(true)) || rolling::protected(vm)
}

/// The machine that leaves first at a scale-in: of the zone with the most machines (one without a zone before all others,
/// where the set has zones), the one with the highest number, or the oldest where the policy says so. Protected machines
/// stay.
fn leaves_first(set_row: &Row, have: &[Arc<Row>]) -> Option<usize> {
    let zonal = set_row.at("/zones").and_then(Value::as_array).is_some_and(|zones| !zones.is_empty());
    let zone = |vm: &Row| vm.text("/zones/0").map(str::to_owned);
    let weight = |vm: &Row| match zone(vm) {
        _ if !zonal => 0,
        None => usize::MAX,
        mine => have.iter().filter(|other| zone(other) == mine).count(),
    };
    let free: Vec<usize> =
        (0..have.len()).filter(|at| !have.get(*at).is_some_and(|vm| protected_from_scale_in(vm))).collect();
    let most = free.iter().filter_map(|at| have.get(*at)).map(|vm| weight(vm)).max()?;
    let mut heaviest = free.into_iter().filter(|at| have.get(*at).is_some_and(|vm| weight(vm) == most));
    let oldest =
        set_row.text("/properties/scaleInPolicy/rules/0").is_some_and(|rule| rule.eq_ignore_ascii_case("OldestVM"));
    if oldest { heaviest.next() } else { heaviest.next_back() }
}
