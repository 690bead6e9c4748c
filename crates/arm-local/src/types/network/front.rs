//! What is in front of machines: public addresses and load balancers.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use serde_json::{Value, json};

use crate::core::Cx;
use crate::error::ArmError;
use crate::rule::WriteContext;
use crate::types::network::interface::private_address;
use crate::types::network::parts::{children, edit, list, named};
use crate::value::set_default;

pub(super) fn public_ip(put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
    put.default("/sku/name", json!("Basic"));
    put.default("/sku/tier", json!("Regional"));
    // Basic becomes Standard; nothing confirms what else the service asks for then
    if put.text("/sku/name") != Some("Standard") {
        put.immutable("/sku/name", "SkuCannotBeChangedOnUpdate")?;
    }
    put.immutable("/properties/publicIPAddressVersion", "PublicIPAddressVersionCannotBeChanged")?;
    let standard = put.text("/sku/name").is_some_and(|sku| sku.eq_ignore_ascii_case("Standard"));
    put.default("/properties/publicIPAddressVersion", json!("IPv4"));
    put.default("/properties/publicIPAllocationMethod", json!(if standard { "Static" } else { "Dynamic" }));
    put.default("/properties/idleTimeoutInMinutes", json!(4));
    put.default("/properties/ipTags", json!([]));
    let fixed = put.text("/properties/publicIPAllocationMethod").is_some_and(|way| way.eq_ignore_ascii_case("Static"));
    if standard && !fixed {
        return Err(ArmError::bad(
            "StandardSkuPublicIPAddressesMustBeStatic",
            format!("Standard sku publicIp {} must have AllocationMethod set to Static.", put.path.id()),
        ));
    }
    let own = crate::id::key(&put.path.id());
    if fixed {
        let kept = put.old.as_ref().and_then(|old| old.text("/properties/ipAddress").map(str::to_owned));
        let address = kept.unwrap_or_else(|| free_address(put.cx));
        put.set("/properties/ipAddress", json!(address));
    }
    let Some(label) = put.text("/properties/dnsSettings/domainNameLabel").map(str::to_owned) else { return Ok(()) };
    let legal = label.len() >= 3
        && label.len() <= 63
        && label.starts_with(|c: char| c.is_ascii_lowercase())
        && !label.ends_with('-')
        && label.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !legal {
        return Err(ArmError::bad(
            "InvalidDomainNameLabel",
            format!(
                "The domain name label {label} is invalid. It must conform to the following regular expression: ^[a-z][a-z0-9-]{{1,61}}[a-z0-9]$."
            ),
        ));
    }
    let location = put.text("/location").map(crate::names::location).unwrap_or_default();
    let fqdn = format!("{label}.{location}.cloudapp.azure.com");
    let taken =
        put.cx.store.of_kind("Microsoft.Network/publicIPAddresses").iter().any(|row| {
            crate::id::key(&row.id) != own && row.text("/properties/dnsSettings/fqdn") == Some(fqdn.as_str())
        });
    if taken {
        return Err(ArmError::bad(
            "DnsRecordInUse",
            format!("DNS record {fqdn} is already used by another public IP."),
        ));
    }
    put.set("/properties/dnsSettings/fqdn", json!(fqdn));
    Ok(())
}

/// The lowest free address of the ranges that documentation and benchmarks use: reachable from nowhere.
fn free_address(cx: &Cx<'_>) -> String {
    let used: BTreeSet<String> = cx
        .store
        .of_kind("Microsoft.Network/publicIPAddresses")
        .iter()
        .filter_map(|row| row.text("/properties/ipAddress").map(str::to_owned))
        .collect();
    let ranges = [
        u32::from(Ipv4Addr::new(203, 0, 113, 4))..u32::from(Ipv4Addr::new(203, 0, 113, 255)),
        u32::from(Ipv4Addr::new(198, 18, 0, 4))..u32::from(Ipv4Addr::new(198, 19, 255, 255)),
    ];
    ranges
        .into_iter()
        .flatten()
        .map(|bits| IpAddr::V4(Ipv4Addr::from(bits)).to_string())
        .find(|text| !used.contains(text))
        .unwrap_or_else(|| "203.0.113.1".to_owned())
}

/// Frontends inside of a network keep the address that they have, or get a free one of their subnet.
fn inner_addresses(put: &mut WriteContext<'_, '_>) {
    const FRONTS: &str = "/properties/frontendIPConfigurations";
    let text = |value: &Value, pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let old = |name: &Option<String>| {
        let old = put.old.as_ref()?;
        let same = list(&old.body, FRONTS).find(|front| text(front, "/name") == *name)?;
        text(same, "/properties/privateIPAddress")
    };
    let found: Vec<Option<String>> = list(&put.body, FRONTS)
        .map(|front| {
            let subnet = text(front, "/properties/subnet/id")?;
            old(&text(front, "/name")).or_else(|| private_address(put.cx, &subnet))
        })
        .collect();
    for (front, address) in edit(&mut put.body, FRONTS).zip(found) {
        if let Some(address) = address {
            set_default(front, "/properties/privateIPAddress", json!(address));
        }
    }
}

pub(super) fn load_balancer(put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
    put.default("/sku/name", json!("Basic"));
    put.default("/sku/tier", json!("Regional"));
    put.immutable("/sku/name", "SkuCannotBeChangedOnUpdate")?;
    for segment in [
        "frontendIPConfigurations",
        "backendAddressPools",
        "loadBalancingRules",
        "probes",
        "inboundNatRules",
        "outboundRules",
        "inboundNatPools",
    ] {
        children(put, segment, true);
    }
    let defaults: &[(&str, &[(&str, Value)])] = &[
        (
            "frontendIPConfigurations",
            &[("privateIPAllocationMethod", json!("Dynamic")), ("privateIPAddressVersion", json!("IPv4"))],
        ),
        ("backendAddressPools", &[("loadBalancerBackendAddresses", json!([]))]),
        (
            "loadBalancingRules",
            &[
                ("enableFloatingIP", json!(false)),
                ("idleTimeoutInMinutes", json!(4)),
                ("enableTcpReset", json!(false)),
                ("loadDistribution", json!("Default")),
                ("disableOutboundSnat", json!(false)),
            ],
        ),
        ("probes", &[("intervalInSeconds", json!(15)), ("numberOfProbes", json!(2)), ("probeThreshold", json!(1))]),
        (
            "inboundNatRules",
            &[("enableFloatingIP", json!(false)), ("idleTimeoutInMinutes", json!(4)), ("enableTcpReset", json!(false))],
        ),
        (
            "outboundRules",
            &[
                ("allocatedOutboundPorts", json!(1024)),
                ("idleTimeoutInMinutes", json!(4)),
                ("enableTcpReset", json!(false)),
            ],
        ),
        (
            "inboundNatPools",
            &[("enableFloatingIP", json!(false)), ("idleTimeoutInMinutes", json!(4)), ("enableTcpReset", json!(false))],
        ),
    ];
    inner_addresses(put);
    for (segment, values) in defaults {
        for item in edit(&mut put.body, &format!("/properties/{segment}")) {
            for (name, value) in *values {
                set_default(item, &format!("/properties/{name}"), value.clone());
            }
        }
    }
    let mut ports: Vec<(String, String)> = Vec::new();
    for rule in list(&put.body, "/properties/loadBalancingRules").chain(list(&put.body, "/properties/inboundNatRules"))
    {
        let part = |pointer: &str| rule.pointer(pointer).map(Value::to_string).unwrap_or_default().to_lowercase();
        let port = part("/properties/frontendPort");
        if port.is_empty() {
            continue;
        }
        let place = format!("{}{port}{}", part("/properties/frontendIPConfiguration/id"), part("/properties/protocol"));
        if let Some((_, other)) = ports.iter().find(|(have, _)| *have == place) {
            return Err(ArmError::bad(
                "RulesUseSameFrontendPortProtocolAndIPConfig",
                format!(
                    "Load balancing rules {} and {other} use the same frontend port, protocol and frontend IP configuration.",
                    named(rule)
                ),
            ));
        }
        ports.push((place, named(rule).to_owned()));
    }
    back_references(put);
    Ok(())
}

/// Frontends, pools and probes list the rules that use them, as the service shows it.
fn back_references(put: &mut WriteContext<'_, '_>) {
    let mut found: Vec<(String, &str, String)> = Vec::new();
    for segment in ["loadBalancingRules", "outboundRules", "inboundNatRules", "inboundNatPools"] {
        for rule in list(&put.body, &format!("/properties/{segment}")) {
            let Some(id) = rule.get("id").and_then(Value::as_str) else { continue };
            for target in
                ["/properties/frontendIPConfiguration/id", "/properties/backendAddressPool/id", "/properties/probe/id"]
            {
                if let Some(to) = rule.pointer(target).and_then(Value::as_str) {
                    found.push((to.to_lowercase(), segment, id.to_owned()));
                }
            }
            for front in list(rule, "/properties/frontendIPConfigurations") {
                if let Some(to) = front.get("id").and_then(Value::as_str) {
                    found.push((to.to_lowercase(), segment, id.to_owned()));
                }
            }
        }
    }
    for holder in ["frontendIPConfigurations", "backendAddressPools", "probes"] {
        for item in edit(&mut put.body, &format!("/properties/{holder}")) {
            let own = item.get("id").and_then(Value::as_str).unwrap_or_default().to_lowercase();
            for segment in ["loadBalancingRules", "outboundRules", "inboundNatRules", "inboundNatPools"] {
                let ids: Vec<Value> = found
                    .iter()
                    .filter(|(to, s, _)| *to == own && *s == segment)
                    .map(|(_, _, id)| json!({ "id": id }))
                    .collect();
                if let Some(map) = item.get_mut("properties").and_then(Value::as_object_mut) {
                    map.shift_remove(segment);
                    if !ids.is_empty() {
                        map.insert(segment.into(), Value::Array(ids));
                    }
                }
            }
        }
    }
}
