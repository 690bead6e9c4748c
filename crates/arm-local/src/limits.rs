//! Quotas and sizes that a region does not offer, as a test sets them (`POST /_local/limits`), and what is listed of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock::duration;
use crate::core::Cx;
use crate::documents::{Limits, Row};
use crate::error::ArmError;
use crate::facts;
use crate::names::SCALE_SETS;
use crate::rule::WriteContext;

/// Number of vCPUs of a size, where the standard library knows the size.
#[must_use]
pub fn vcpus(size: &str) -> Option<i64> {
    facts::sizes().find(|known| known.name.eq_ignore_ascii_case(size)).map(|known| i64::from(known.vcpus))
}

/// The sizes of the standard library with their vCPUs.
pub fn sizes() -> impl Iterator<Item = (&'static str, i64)> {
    facts::sizes().map(|size| (size.name, i64::from(size.vcpus)))
}

fn cores_of(cx: &Cx<'_>, location: &str, but: &str) -> i64 {
    cx.store
        .of_kind(SCALE_SETS)
        .iter()
        .filter(|row| row.location() == location && !row.id.eq_ignore_ascii_case(but))
        .map(|row| cores(&row.body))
        .sum()
}

/// The sizes of a scale set: one, or those of its instance mix by rank, of which each machine gets the first that there is.
fn ranked(body: &Value) -> Vec<&str> {
    let one = body.pointer("/sku/name").and_then(Value::as_str);
    if one != Some("Mix") {
        return one.into_iter().collect();
    }
    let sizes = body.pointer("/properties/skuProfile/vmSizes").and_then(Value::as_array);
    let mut sizes: Vec<(i64, &str)> = sizes
        .into_iter()
        .flatten()
        .filter_map(|size| {
            let rank = size.get("rank").and_then(Value::as_i64).unwrap_or(i64::MAX);
            Some((rank, size.get("name").and_then(Value::as_str)?))
        })
        .collect();
    sizes.sort_by_key(|(rank, _)| *rank);
    sizes.into_iter().map(|(_, name)| name).collect()
}

/// The size that a new machine of a scale set gets.
#[must_use]
pub fn size_of(cx: &Cx<'_>, set: &Row) -> String {
    let limits = get(cx);
    let sizes = ranked(&set.body);
    let there = sizes.iter().find(|size| !lacks(&limits, &set.location(), size)).or(sizes.first());
    there.map(|size| (*size).to_owned()).unwrap_or_default()
}

/// Regular machines among so many of a scale set: all, none of a spot set, or the share of its mix.
#[must_use]
pub fn regular(body: &Value, machines: i64) -> i64 {
    let priority = body.pointer("/properties/virtualMachineProfile/priority").and_then(Value::as_str);
    if !priority.is_some_and(|word| word == "Spot" || word == "Low") {
        return machines;
    }
    let part = |name: &str| {
        body.pointer(&format!("/properties/priorityMixPolicy/{name}")).and_then(Value::as_i64).unwrap_or(0)
    };
    let base = machines.min(part("baseRegularPriorityCount"));
    base + (machines - base).saturating_mul(part("regularPriorityPercentageAboveBase")) / 100
}

fn cores(body: &Value) -> i64 {
    let capacity = body.pointer("/sku/capacity").and_then(Value::as_i64).unwrap_or(0);
    capacity.saturating_mul(each(body))
}

fn each(body: &Value) -> i64 {
    ranked(body).first().copied().and_then(vcpus).unwrap_or(1)
}

/// Refuses a scale set beyond the limits of its region.
///
/// # Errors
/// The error codes `SkuNotAvailable`, `OperationNotAllowed` of Azure.
pub fn check(put: &WriteContext<'_, '_>, location: &str) -> Result<(), ArmError> {
    let limits = get(put.cx);
    let sizes = ranked(&put.body);
    if !sizes.is_empty() && sizes.iter().all(|size| lacks(&limits, location, size)) {
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

/// Spot cores that a region has.
const MOST_SPOT: i64 = 10_000;

/// Cores of the spot machines of a scale set.
fn spot_cores(body: &Value) -> i64 {
    let capacity = body.pointer("/sku/capacity").and_then(Value::as_i64).unwrap_or(0);
    (capacity - regular(body, capacity)).saturating_mul(each(body))
}

/// Spot cores of a region that no machine has.
#[must_use]
pub fn spot_cores_left(cx: &Cx<'_>, location: &str) -> i64 {
    let sets = cx.store.of_kind(SCALE_SETS);
    let there = sets.iter().filter(|row| row.location() == location);
    MOST_SPOT - there.map(|row| spot_cores(&row.body)).sum::<i64>()
}

/// `GET …/locations/{location}/usages` of compute. Spot machines count in one number for all families.
#[must_use]
pub fn usages(cx: &Cx<'_>, location: &str) -> Vec<Value> {
    let most = get(cx).cores.get(location).copied().unwrap_or(10_000);
    let sets: Vec<_> = cx.store.of_kind(SCALE_SETS).into_iter().filter(|row| row.location() == location).collect();
    let usage = |name: &str, text: &str, now: i64, most: i64| json!({ "unit": "Count", "currentValue": now, "limit": most, "name": { "value": name, "localizedValue": text } });
    let (mut regular, mut spot, mut machines) = (0, 0, 0);
    let mut families: BTreeMap<&str, i64> = facts::sizes().map(|size| (size.family, 0)).collect();
    for row in &sets {
        machines += row.body.pointer("/sku/capacity").and_then(Value::as_i64).unwrap_or(0);
        let capacity = row.body.pointer("/sku/capacity").and_then(Value::as_i64).unwrap_or(0);
        let own = self::regular(&row.body, capacity);
        spot += spot_cores(&row.body);
        regular += own.saturating_mul(each(&row.body));
        let name = ranked(&row.body).first().copied().unwrap_or_default();
        if let Some(size) = facts::sizes().find(|size| size.name.eq_ignore_ascii_case(name))
            && let Some(family) = families.get_mut(size.family)
        {
            *family += own.saturating_mul(each(&row.body));
        }
    }
    let mut all = vec![
        usage("cores", "Total Regional vCPUs", regular, most),
        usage("virtualMachines", "Virtual Machines", machines, 25_000),
        usage("virtualMachineScaleSets", "Virtual Machine Scale Sets", count(sets.len()), 2500),
        usage("lowPriorityCores", "Total Regional Low-priority vCPUs", spot, MOST_SPOT),
    ];
    all.extend(families.iter().map(|(family, now)| usage(family, &format!("{family} vCPUs"), *now, 10_000)));
    for (name, text, most) in [
        ("PremiumDiskCount", "Premium Storage Managed Disks", 50_000),
        ("StandardSSDDiskCount", "StandardSSDStorageDisks", 50_000),
        ("StandardDiskCount", "Standard Storage Managed Disks", 50_000),
    ] {
        all.push(usage(name, text, 0, most));
    }
    all
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// `GET …/locations/{location}/usages` of networks, in the shape and with the limits of a recorded answer
/// (<https://github.com/Azure/azure-cli>, `test_network_usage_list.yaml`, 2022).
#[must_use]
pub fn network_usages(cx: &Cx<'_>, subscription: &str, location: &str) -> Vec<Value> {
    let there = |kind: &str, standard: bool| {
        let rows = cx.store.of_kind(kind);
        let rows = rows.iter().filter(|row| row.location() == location);
        count(
            rows.filter(|row| {
                !standard || row.text("/sku/name").is_some_and(|name| name.eq_ignore_ascii_case("Standard"))
            })
            .count(),
        )
    };
    [
        ("VirtualNetworks", "Virtual Networks", "virtualNetworks", false, 1000),
        ("NetworkSecurityGroups", "Network Security Groups", "networkSecurityGroups", false, 5000),
        ("PublicIPAddresses", "Public IP Addresses", "publicIPAddresses", false, 1000),
        ("NatGateways", "Nat Gateways", "natGateways", false, 1000),
        ("NetworkInterfaces", "Network Interfaces", "networkInterfaces", false, 65_536),
        ("PrivateEndpoints", "Private Endpoints", "privateEndpoints", false, 65_536),
        ("LoadBalancers", "Load Balancers", "loadBalancers", false, 1000),
        ("StandardSkuLoadBalancers", "Standard Sku Load Balancers", "loadBalancers", true, 1000),
        ("StandardSkuPublicIpAddresses", "Public IP Addresses - Standard", "publicIPAddresses", true, 1000),
    ]
    .into_iter()
    .map(|(name, text, kind, standard, most)| {
        json!({
            "currentValue": there(&format!("Microsoft.Network/{kind}"), standard),
            "id": format!("/subscriptions/{subscription}/providers/Microsoft.Network/locations/{location}/usages/{name}"),
            "limit": most, "name": { "localizedValue": text, "value": name }, "unit": "Count", "isAdjustable": true,
        })
    })
    .collect()
}

/// `GET …/providers/Microsoft.Compute/skus`: the sizes of the standard library in every region, with restrictions, and the
/// kinds of disks.
#[must_use]
pub fn skus(cx: &Cx<'_>, location: Option<&str>) -> Vec<Value> {
    let limits = get(cx);
    let regions: Vec<&str> = match location {
        Some(one) => vec![one],
        None => vec!["westeurope", "eastus"],
    };
    let mut out = Vec::new();
    for region in &regions {
        let zones = if facts::has_zones(region) { json!(["1", "2", "3"]) } else { json!([]) };
        let info = json!([{ "location": region, "zones": zones, "zoneDetails": [] }]);
        for size in facts::sizes() {
            let restrictions = if lacks(&limits, region, size.name) {
                json!([{ "type": "Location", "values": [region], "restrictionInfo": { "locations": [region] }, "reasonCode": "NotAvailableForSubscription" }])
            } else {
                json!([])
            };
            let word = |yes: bool| if yes { "True" } else { "False" }.to_owned();
            let mut capabilities = vec![
                ("vCPUs", size.vcpus.to_string()),
                ("vCPUsAvailable", size.vcpus.to_string()),
                ("MemoryGB", size.memory.to_string()),
                ("MaxDataDiskCount", size.data_disks.to_string()),
                ("MaxResourceVolumeMB", (size.temp_disk * 1024).to_string()),
                ("HyperVGenerations", size.generations.clone()),
                ("AcceleratedNetworkingEnabled", word(size.accelerated_networking)),
                ("EphemeralOSDiskSupported", word(size.ephemeral)),
                ("LowPriorityCapable", word(size.spot)),
                ("PremiumIO", word(true)),
                ("CpuArchitectureType", "x64".to_owned()),
            ];
            if size.gpus > 0 {
                capabilities.push(("GPUs", size.gpus.to_string()));
            }
            let capabilities: Vec<Value> =
                capabilities.into_iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
            out.push(json!({
                "resourceType": "virtualMachines", "name": size.name, "tier": "Standard",
                "size": size.name.trim_start_matches("Standard_"), "family": size.family, "locations": [region],
                "locationInfo": info, "capabilities": capabilities, "restrictions": restrictions,
            }));
        }
        for name in ["Standard_LRS", "StandardSSD_LRS", "Premium_LRS", "PremiumV2_LRS", "UltraSSD_LRS"] {
            out.push(json!({
                "resourceType": "disks", "name": name, "locations": [region], "locationInfo": info, "capabilities": [],
                "restrictions": [],
            }));
        }
    }
    out
}

/// The sizes that a region has, as `…/vmSizes` lists them.
#[must_use]
pub fn machine_sizes(cx: &Cx<'_>, location: &str) -> Vec<Value> {
    let limits = get(cx);
    let there = facts::sizes().filter(|size| !lacks(&limits, location, size.name));
    there
        .map(|size| {
            json!({
                "name": size.name, "numberOfCores": size.vcpus, "memoryInMB": u64::from(size.memory) * 1024,
                "osDiskSizeInMB": 1_047_552, "resourceDiskSizeInMB": size.temp_disk * 1024, "maxDataDiskCount": size.data_disks,
            })
        })
        .collect()
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
