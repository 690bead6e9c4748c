//! The machines of a set follow what is written: their number the capacity, their model the upgrade policy.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::core::Cx;
use crate::documents::Row;
use crate::types::instances::list::of;
use crate::types::instances::{make, model, rolling, runs};
use crate::value::set;

/// Follows a write of a set by a client. What its machines fail with, the set fails with: it is kept at the set until the
/// next write, and the set is `Failed`.
pub fn written(cx: &mut Cx<'_>, set_row: &Row) {
    let before: Vec<(String, i64)> = of(cx, set_row).iter().map(|vm| (vm.id.clone(), runs::count(vm))).collect();
    let (set_row, rolled) = pass_on(cx, set_row);
    follow(cx, &set_row);
    let Some(row) = cx.store.row(&set_row.id) else { return };
    let ran = |vm: &&Arc<Row>| !before.iter().any(|(id, count)| *id == vm.id && *count == runs::count(vm));
    let machines = of(cx, &row);
    let counts = |vm: &&Arc<Row>| !before.iter().any(|(id, _)| *id == vm.id) || !rolling::is_rolling(&row);
    // a rolling upgrade says by itself whether what happens to the machines that it upgrades is too much
    let failed = runs::failure(machines.iter().filter(ran).filter(counts).map(Arc::as_ref));
    let error = rolling::error_of(&row).filter(|_| rolled).or(failed);
    let mut row = row.as_ref().clone();
    if let Some(hidden) = row.hidden.as_object_mut() {
        hidden.shift_remove("failure");
    }
    if let Some(error) = error {
        set(&mut row.hidden, "/failure", crate::documents::to_value(&error));
        set(&mut row.body, "/properties/provisioningState", json!("Failed"));
    }
    cx.store.put_row(row);
}

/// Passes the present model on to the machines, as the upgrade policy says: `Automatic` to all at once, `Rolling` in
/// batches, `Manual` to none. Gives the set, and whether a rolling upgrade began.
fn pass_on(cx: &mut Cx<'_>, set_row: &Row) -> (Arc<Row>, bool) {
    let machines = of(cx, set_row);
    let mut row = set_row.clone();
    let current = model::keep(&mut row, &machines);
    let row = cx.store.put_row(row);
    let behind: Vec<Arc<Row>> =
        machines.into_iter().filter(|vm| model::of_machine(vm) != current && !rolling::protected(vm)).collect();
    if behind.is_empty() {
        return (row, false);
    }
    let mode = row.text("/properties/upgradePolicy/mode").unwrap_or_default().to_lowercase();
    match mode.as_str() {
        "automatic" => behind.iter().for_each(|vm| make::upgrade(cx, &row, vm)),
        "rolling" => {
            let names = behind.iter().map(|vm| vm.name.clone()).collect();
            return (rolling::start(cx, &row, names), true);
        }
        _ => {}
    }
    (row, false)
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
