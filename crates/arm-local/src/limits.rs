//! Quotas and sizes that a region does not offer, as a test sets them (`POST /_local/limits`), and what is listed of them.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock::duration;
use crate::core::Cx;
use crate::documents::{Limits, Row};
use crate::error::ArmError;
use crate::names::SCALE_SETS;
use crate::rule::WriteContext;

const SIZES: &str = dsvm_stdlib::SIZES;

/// Number of vCPUs of a size, where the standard library knows the size.
#[must_use]
pub fn vcpus(size: &str) -> Option<i64> {
    let at = SIZES.to_lowercase().find(&format!("export size {} {{", size.to_lowercase()))?;
    let rest = SIZES.get(at..)?;
    let body = rest.split_once('{')?.1.split_once('}')?.0;
    let number = body.split_once("vcpu = ")?.1;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The sizes of the standard library with their vCPUs.
pub fn sizes() -> impl Iterator<Item = (&'static str, i64)> {
    let names = SIZES.lines().filter_map(|line| line.trim().strip_prefix("export size ")?.split_whitespace().next());
    names.map(|name| (name, vcpus(name).unwrap_or(0)))
}

fn cores_of(cx: &Cx<'_>, location: &str, but: &str) -> i64 {
    cx.store
        .of_kind(SCALE_SETS)
        .iter()
        .filter(|row| row.location() == location && !row.id.eq_ignore_ascii_case(but))
        .map(|row| cores(&row.body))
        .sum()
}

fn cores(body: &Value) -> i64 {
    let capacity = body.pointer("/sku/capacity").and_then(Value::as_i64).unwrap_or(0);
    let each = body.pointer("/sku/name").and_then(Value::as_str).and_then(vcpus).unwrap_or(1);
    capacity.saturating_mul(each)
}

/// Refuses a scale set beyond the limits of its region.
///
/// # Errors
/// The error codes `SkuNotAvailable`, `OperationNotAllowed` of Azure.
pub fn check(put: &WriteContext<'_, '_>, location: &str) -> Result<(), ArmError> {
    let limits = get(put.cx);
    let size = put.text("/sku/name").unwrap_or_default();
    if lacks(&limits, location, size) {
        return Err(ArmError::conflict(
            "SkuNotAvailable",
            format!(
                "The requested size for resource '{}' is currently not available in location '{location}' zones '' for subscription '{}'. Please try another size or deploy to a different location or zones. See https://aka.ms/azureskunotavailable for details.",
                put.path.id(),
                put.path.subscription().unwrap_or_default()
            ),
        ));
    }
    let Some(most) = limits.cores.get(location).copied() else { return Ok(()) };
    let others = cores_of(put.cx, location, &put.path.id());
    let mine = cores(&put.body);
    let before = put.old.as_ref().map_or(0, |old| cores(&old.body));
    if mine > before && others + mine > most {
        return Err(ArmError::conflict(
            "OperationNotAllowed",
            format!(
                "Operation could not be completed as it results in exceeding approved Total Regional Cores quota. Additional details - Deployment Model: Resource Manager, Location: {location}, Current Limit: {most}, Current Usage: {}, Additional Required: {}, (Minimum) New Limit Required: {}.",
                others + before,
                mine - before,
                others + mine
            ),
        ));
    }
    Ok(())
}

/// Whether a region does not have a size.
#[must_use]
pub fn unavailable(cx: &Cx<'_>, location: &str, size: &str) -> bool {
    lacks(&get(cx), location, size)
}

fn lacks(limits: &Limits, location: &str, size: &str) -> bool {
    limits.unavailable.get(location).into_iter().flatten().any(|name| name.eq_ignore_ascii_case(size))
}

/// Sets limits: `{"cores": {"westeurope": 100}, "unavailable": {"westeurope": ["Standard_NC6s_v3"]}, "node_start": "PT2M"}`.
///
/// # Errors
/// `InvalidRequestContent` for another shape.
pub fn set(cx: &mut Cx<'_>, body: &Value) -> Result<(), ArmError> {
    let refused = || {
        ArmError::bad(
            "InvalidRequestContent",
            "Limits are {\"cores\": {REGION: NUMBER}, \"unavailable\": {REGION: [SIZE]}, \"node_start\": DURATION}.",
        )
    };
    // a struct can also be read from a list, which is not meant here
    if !body.is_object() {
        return Err(refused());
    }
    let limits = Limits::deserialize(body).map_err(|_| refused())?;
    let start = limits.node_start.as_deref();
    if start.is_some_and(|start| duration(start).is_none_or(|span| !(0..=86_400).contains(&span.as_secs()))) {
        return Err(refused());
    }
    cx.store.put("", limits);
    Ok(())
}

/// The limits in force.
#[must_use]
pub fn get(cx: &Cx<'_>) -> Arc<Limits> {
    cx.store.get("").unwrap_or_default()
}

/// How long machines of pools take to start, in milliseconds.
#[must_use]
pub fn node_start_ms(cx: &Cx<'_>) -> i64 {
    let span = get(cx).node_start.as_deref().and_then(duration);
    span.and_then(|span| i64::try_from(span.as_millis()).ok()).unwrap_or(0)
}

/// `GET …/locations/{location}/usages` of compute.
#[must_use]
pub fn usages(cx: &Cx<'_>, location: &str) -> Vec<Value> {
    let most = get(cx).cores.get(location).copied().unwrap_or(10_000);
    let sets = cx.store.of_kind(SCALE_SETS).iter().filter(|row| row.location() == location).count();
    let usage = |name: &str, text: &str, now: i64, most: i64| json!({ "unit": "Count", "currentValue": now, "limit": most, "name": { "value": name, "localizedValue": text } });
    vec![
        usage("cores", "Total Regional vCPUs", cores_of(cx, location, ""), most),
        usage("virtualMachineScaleSets", "Virtual Machine Scale Sets", i64::try_from(sets).unwrap_or(i64::MAX), 2500),
    ]
}

/// `GET …/providers/Microsoft.Compute/skus`: the sizes of the standard library in every region, with restrictions.
#[must_use]
pub fn skus(cx: &Cx<'_>, location: Option<&str>) -> Vec<Value> {
    let limits = get(cx);
    let regions: Vec<&str> = match location {
        Some(one) => vec![one],
        None => vec!["westeurope", "eastus"],
    };
    let mut out = Vec::new();
    for size in SIZES.lines().filter_map(|line| line.trim().strip_prefix("export size ")?.split_whitespace().next()) {
        for region in &regions {
            let restrictions = if lacks(&limits, region, size) {
                json!([{ "type": "Location", "values": [region], "restrictionInfo": { "locations": [region] }, "reasonCode": "NotAvailableForSubscription" }])
            } else {
                json!([])
            };
            let count = vcpus(size).unwrap_or(0).to_string();
            out.push(json!({
                "resourceType": "virtualMachines", "name": size, "tier": "Standard", "locations": [region],
                "locationInfo": [{ "location": region, "zones": [] }],
                "capabilities": [{ "name": "vCPUs", "value": count }], "restrictions": restrictions,
            }));
        }
    }
    out
}

#[must_use]
pub fn scale_set_skus(row: &Row) -> Vec<Value> {
    let single = row.at("/properties/singlePlacementGroup") == Some(&json!(true));
    vec![json!({
        "resourceType": SCALE_SETS, "sku": { "name": row.text("/sku/name"), "tier": "Standard" },
        "capacity": { "minimum": 0, "maximum": if single { 100 } else { 1000 }, "defaultCapacity": 1, "scaleType": "Automatic" },
    })]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_their_cores() {
        assert_eq!(vcpus("standard_nc4as_t4_v3"), Some(4));
        assert_eq!(vcpus("Standard_Nonsense"), None);
    }
}
