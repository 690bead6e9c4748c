//! Addresses of the instances of scale sets.

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
