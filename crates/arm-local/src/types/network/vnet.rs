//! Virtual networks and their subnets.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};
use serde_json::{Value, json};

use crate::core::Cx;
use crate::documents::Row;
use crate::error::ArmError;
use crate::names::SCALE_SETS;
use crate::rule::WriteContext;
use crate::types::addresses::{self, subnet_of};
use crate::types::network::parts::{children, edit, list, named, nets, subnet_free};
use crate::value::{set, set_default};

/// Api-versions before this day let policies act on private endpoints where nothing was said.
const POLICIES_OFF_SINCE: &str = "2022-01-01";

/// Lists in a subnet what has an address of it, as the service does: machines of scale sets, interfaces, load balancers.
pub(super) fn show_users(cx: &Cx<'_>, subnet: &mut Value) {
    let Some(own) = subnet.get("id").and_then(Value::as_str).map(str::to_owned) else { return };
    let users: Vec<Value> = users(cx, &own).into_iter().map(|id| json!({ "id": id })).collect();
    if !users.is_empty() {
        set(subnet, "/properties/ipConfigurations", users.into());
    }
}

/// The ids of the address configurations in a subnet.
fn users(cx: &Cx<'_>, subnet: &str) -> Vec<String> {
    let mut out = Vec::new();
    for set in cx.store.of_kind(SCALE_SETS) {
        if subnet_of(&set.body).is_some_and(|id| id.eq_ignore_ascii_case(subnet)) {
            let count = set.at("/sku/capacity").and_then(Value::as_i64).unwrap_or(0);
            out.extend(
                (0..count).map(|n| format!("{}/virtualMachines/{n}/networkInterfaces/nic/ipConfigurations/ip", set.id)),
            );
        }
    }
    for (kind, pointer) in [
        ("Microsoft.Network/networkInterfaces", "/properties/ipConfigurations"),
        ("Microsoft.Network/loadBalancers", "/properties/frontendIPConfigurations"),
    ] {
        for row in cx.store.of_kind(kind) {
            for part in list(&row.body, pointer) {
                let inside = part.pointer("/properties/subnet/id").and_then(Value::as_str);
                if inside.is_some_and(|id| id.eq_ignore_ascii_case(subnet))
                    && let Some(id) = part.get("id").and_then(Value::as_str)
                {
                    out.push(id.to_owned());
                }
            }
        }
    }
    out
}

fn prefix(subnet: &Value) -> Option<Ipv4Net> {
    nets(subnet, "/properties/addressPrefix", "/properties/addressPrefixes").iter().find_map(|net| net.parse().ok())
}

/// `CheckIPAddressAvailability`: whether an address of a virtual network is free, and others that are.
pub(super) fn availability(cx: &Cx<'_>, row: &Row, address: &str) -> Value {
    let wanted = address.parse::<Ipv4Addr>().ok();
    let around = list(&row.body, "/properties/subnets").find_map(|subnet| {
        let net = prefix(subnet)?;
        wanted.filter(|wanted| net.contains(wanted))?;
        Some((net, subnet.get("id").and_then(Value::as_str)?.to_owned()))
    });
    let Some((net, id)) = around else {
        return json!({ "available": false, "availableIPAddresses": [], "isPlatformReserved": false });
    };
    // the service keeps the first four addresses and the last one
    let bits = wanted.map_or(0, u32::from);
    let reserved = bits.wrapping_sub(u32::from(net.network())) < 4 || bits == u32::from(net.broadcast());
    if !reserved && !addresses::used(cx, &id).contains(address) {
        return json!({ "available": true, "isPlatformReserved": false });
    }
    json!({ "available": false, "availableIPAddresses": addresses::free(cx, &id, 5), "isPlatformReserved": reserved })
}

/// `usages`: how many addresses of each subnet are used, of how many.
pub(super) fn usages(cx: &Cx<'_>, row: &Row) -> Vec<Value> {
    list(&row.body, "/properties/subnets")
        .filter_map(|subnet| {
            let id = subnet.get("id").and_then(Value::as_str)?;
            let room = (1i64 << (32 - prefix(subnet)?.prefix_len())) - 5;
            Some(json!({ "currentValue": users(cx, id).len(), "id": id, "limit": room, "unit": "Count",
                "name": { "localizedValue": "Subnet size and usage", "value": "SubnetSpace" } }))
        })
        .collect()
}

const PEERINGS: &str = "/properties/virtualNetworkPeerings";

/// Fills in the connections to other networks; what they are connected to is there or not.
fn peerings(put: &mut WriteContext<'_, '_>) {
    let guid = put.cx.unique();
    let remote = |cx: &Cx<'_>, peering: &Value| {
        let id = peering.pointer("/properties/remoteVirtualNetwork/id").and_then(Value::as_str)?;
        cx.store.row(id)?.at("/properties/addressSpace").cloned()
    };
    let spaces: Vec<Option<Value>> = list(&put.body, PEERINGS).map(|peering| remote(put.cx, peering)).collect();
    let old_words = !put.api_version.is_empty() && put.api_version < "2021-01-01";
    for (peering, space) in edit(&mut put.body, PEERINGS).zip(spaces) {
        set_default(peering, "/properties/resourceGuid", json!(guid));
        set_default(peering, "/properties/peeringState", json!("Initiated"));
        set_default(peering, "/properties/doNotVerifyRemoteGateways", json!(false));
        if let Some(space) = space {
            set(peering, "/properties/remoteAddressSpace", space);
        }
        if old_words {
            set_default(peering, "/properties/routeServiceVips", json!({}));
        }
    }
}

/// Two networks that name each other are connected.
pub(super) fn connect_peers(cx: &mut Cx<'_>, row: &Row) {
    let leads = |peering: &Value, to: &str| {
        let id = peering.pointer("/properties/remoteVirtualNetwork/id").and_then(Value::as_str);
        id.is_some_and(|id| id.eq_ignore_ascii_case(to))
    };
    let remotes: Vec<String> = list(&row.body, PEERINGS)
        .filter_map(|peering| peering.pointer("/properties/remoteVirtualNetwork/id")?.as_str().map(str::to_owned))
        .collect();
    for remote in remotes {
        let Some(other) = cx.store.row(&remote) else { continue };
        if !list(&other.body, PEERINGS).any(|peering| leads(peering, &row.id)) {
            continue;
        }
        for (id, to) in [(&row.id, &other.id), (&other.id, &row.id)] {
            let Some(now) = cx.store.row(id) else { continue };
            let mut now = now.as_ref().clone();
            for peering in edit(&mut now.body, PEERINGS).filter(|peering| leads(peering, to)) {
                set(peering, "/properties/peeringState", json!("Connected"));
            }
            cx.store.put_row(now);
        }
    }
}

pub(super) fn vnet(put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
    let name = put.path.name().to_owned();
    // a PUT that does not mention subnets or peerings leaves them alone
    if let Some(old) = put.old.clone() {
        for kept in ["/properties/subnets", "/properties/virtualNetworkPeerings", "/properties/addressSpace"] {
            if let Some(before) = old.at(kept) {
                put.default(kept, before.clone());
            }
        }
    }
    let spaces = nets(&put.body, "", "/properties/addressSpace/addressPrefixes");
    let bad = |text: &str| {
        ArmError::bad(
            "InvalidAddressPrefixFormat",
            format!(
                "Address prefix {text} of resource {name} is not formatted correctly. It should follow CIDR notation, for example 10.0.0.0/24."
            ),
        )
    };
    if spaces.is_empty() && put.at("/properties/addressSpace/ipamPoolPrefixAllocations").is_none() {
        return Err(ArmError::bad(
            "InvalidRequestFormat",
            "Cannot parse the request: addressSpace.addressPrefixes must hold at least one prefix.",
        ));
    }
    let parse = |texts: &[String]| -> Result<Vec<IpNet>, ArmError> {
        texts.iter().map(|text| text.parse::<IpNet>().map_err(|_| bad(text))).collect()
    };
    let space = parse(&spaces)?;
    let mut taken: Vec<(String, IpNet)> = Vec::new();
    let mut seen = BTreeSet::new();
    for subnet in list(&put.body, "/properties/subnets") {
        let label = named(subnet).to_owned();
        if !seen.insert(label.to_lowercase()) || label.is_empty() {
            return Err(ArmError::bad(
                "InvalidRequestFormat",
                format!("Cannot parse the request: the subnet name '{label}' is empty or used twice."),
            ));
        }
        for net in parse(&nets(subnet, "/properties/addressPrefix", "/properties/addressPrefixes"))? {
            if net.trunc() != net || !space.iter().any(|outer| outer.contains(&net)) {
                return Err(ArmError::bad(
                    "NetcfgInvalidSubnet",
                    format!("Subnet '{label}' is not valid in virtual network '{name}'."),
                ));
            }
            if net.prefix_len() > 29 && net.addr().is_ipv4() {
                return Err(ArmError::bad(
                    "NetcfgInvalidSubnet",
                    format!(
                        "Subnet '{label}' is not valid in virtual network '{name}': the smallest IPv4 subnet is /29."
                    ),
                ));
            }
            if let Some((other, _)) = taken.iter().find(|(_, have)| have.contains(&net) || net.contains(have)) {
                return Err(ArmError::bad(
                    "NetcfgSubnetRangesOverlap",
                    format!(
                        "Subnet '{label}' is not valid because its IP address range overlaps with that of an existing subnet in virtual network '{name}' ('{other}')."
                    ),
                ));
            }
            taken.push((label.clone(), net));
        }
    }
    if let Some(old) = put.old.clone() {
        for subnet in list(&old.body, "/properties/subnets") {
            let gone =
                !list(&put.body, "/properties/subnets").any(|now| named(now).eq_ignore_ascii_case(named(subnet)));
            let Some(id) = subnet.get("id").and_then(Value::as_str) else { continue };
            if gone {
                subnet_free(put.cx, id)?;
            }
            let now = list(&put.body, "/properties/subnets")
                .find(|now| named(now).eq_ignore_ascii_case(named(subnet)))
                .map(|now| nets(now, "/properties/addressPrefix", "/properties/addressPrefixes"));
            let moved =
                now.is_some_and(|now| now != nets(subnet, "/properties/addressPrefix", "/properties/addressPrefixes"));
            if moved && subnet_free(put.cx, id).is_err() {
                return Err(ArmError::bad(
                    "InUseSubnetCannotBeUpdated",
                    format!("Subnet {} is in use and cannot be updated.", named(subnet)),
                ));
            }
        }
    }
    children(put, "subnets", true);
    children(put, "virtualNetworkPeerings", true);
    peerings(put);
    let policies =
        if put.api_version.is_empty() || put.api_version >= POLICIES_OFF_SINCE { "Disabled" } else { "Enabled" };
    for subnet in edit(&mut put.body, "/properties/subnets") {
        // the service lists machines; what a client sends back of the list means nothing
        if let Some(properties) = subnet.get_mut("properties").and_then(Value::as_object_mut) {
            properties.shift_remove("ipConfigurations");
        }
        set_default(subnet, "/properties/delegations", json!([]));
        set_default(subnet, "/properties/privateEndpointNetworkPolicies", json!(policies));
        set_default(subnet, "/properties/privateLinkServiceNetworkPolicies", json!("Enabled"));
    }
    put.default("/properties/enableDdosProtection", json!(false));
    Ok(())
}
