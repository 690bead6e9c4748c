//! Puts the live number of machines into a template before it is sent, so that a deployment never scales a busy pool.

use arm_plan::{Desired, autoscaled};
use serde_json::Value;

/// Changes `sku.capacity` of each pool that autoscale owns to the live number; returns the changed ids with that number.
///
/// A pool that does not exist yet keeps the template's number. A resource whose place in the template declares
/// several (a `copy` loop) is left alone: one number cannot be right for all of them.
pub fn keep_live_capacity(template: &mut Value, part: usize, desired: &Desired, live: &[Value]) -> Vec<(String, u64)> {
    let owned = autoscaled(desired);
    let mut carried = Vec::new();
    for resource in &desired.resources {
        if resource.part != part
            || resource.pointer.is_empty()
            || !owned.contains_key(&resource.id.to_ascii_lowercase())
        {
            continue;
        }
        let shared = desired.resources.iter().filter(|r| r.part == part && r.pointer == resource.pointer).count() > 1;
        let found = live
            .iter()
            .find(|r| r.get("id").and_then(Value::as_str).is_some_and(|id| arm_plan::same_id(id, &resource.id)));
        let Some(capacity) = found.and_then(|r| r.pointer("/sku/capacity")).and_then(Value::as_u64) else { continue };
        let slot = template.pointer_mut(&format!("{}/sku/capacity", resource.pointer));
        if let (Some(slot), false) = (slot, shared) {
            *slot = Value::from(capacity);
            carried.push((resource.id.clone(), capacity));
        }
    }
    carried
}
