//! Addresses of the instances of scale sets.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use serde_json::Value;

use crate::core::Cx;
use crate::lookup;

/// The subnet of a set's first network interface.
#[must_use]
pub fn subnet_of(body: &Value) -> Option<&str> {
    body.pointer("/properties/virtualMachineProfile/networkProfile/networkInterfaceConfigurations/0/properties/ipConfigurations/0/properties/subnet/id")?.as_str()
}

/// The address of the n-th instance: the subnet's fifth address and on.
#[must_use]
pub fn address(cx: &Cx<'_>, body: &Value, at: u32) -> Option<String> {
    let subnet = lookup::find(cx, subnet_of(body)?)?;
    let prefix =
        subnet.pointer("/properties/addressPrefix").or_else(|| subnet.pointer("/properties/addressPrefixes/0"))?;
    let net: ipnet::Ipv4Net = prefix.as_str()?.parse().ok()?;
    let size = 1u64 << (32 - net.prefix_len());
    let offset = 4 + u64::from(at) % size.saturating_sub(5).max(1);
    Some(Ipv4Addr::from(u32::from(net.network()).saturating_add(u32::try_from(offset).ok()?)).to_string())
}

/// Up to `count` addresses of a subnet, lowest first, that no network interface and no load balancer has.
#[must_use]
pub fn free(cx: &Cx<'_>, subnet: &str, count: usize) -> Vec<String> {
    let Some(body) = lookup::find(cx, subnet) else { return Vec::new() };
    let prefix = body.pointer("/properties/addressPrefix").or_else(|| body.pointer("/properties/addressPrefixes/0"));
    let Some(net) = prefix.and_then(|prefix| prefix.as_str()?.parse::<ipnet::Ipv4Net>().ok()) else {
        return Vec::new();
    };
    let used = used(cx, subnet);
    // Azure keeps the first four and the last address for itself
    let hosts = net.hosts().skip(3).map(|address| address.to_string());
    hosts.filter(|address| !used.contains(address)).take(count).collect()
}

/// The addresses of a subnet that network interfaces and load balancers have.
#[must_use]
pub fn used(cx: &Cx<'_>, subnet: &str) -> BTreeSet<String> {
    let users = [
        ("Microsoft.Network/networkInterfaces", "/properties/ipConfigurations"),
        ("Microsoft.Network/loadBalancers", "/properties/frontendIPConfigurations"),
    ];
    let mut used = BTreeSet::new();
    for (kind, pointer) in users {
        for row in cx.store.of_kind(kind) {
            for ip in row.at(pointer).and_then(Value::as_array).into_iter().flatten() {
                let stands_in = ip.pointer("/properties/subnet/id").and_then(Value::as_str);
                if stands_in.is_some_and(|have| have.eq_ignore_ascii_case(subnet))
                    && let Some(address) = ip.pointer("/properties/privateIPAddress").and_then(Value::as_str)
                {
                    used.insert(address.to_owned());
                }
            }
        }
    }
    used
}
