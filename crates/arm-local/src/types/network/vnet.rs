//! Virtual networks and their subnets.

use std::collections::BTreeSet;

use ipnet::IpNet;
use serde_json::{Value, json};

use crate::core::Cx;
use crate::error::ArmError;
use crate::names::SCALE_SETS;
use crate::rule::WriteContext;
use crate::types::addresses::subnet_of;
use crate::types::network::parts::{children, edit, list, named, nets, subnet_free};
use crate::value::{set, set_default};

/// Api-versions before this day let policies act on private endpoints where nothing was said.
const POLICIES_OFF_SINCE: &str = "2022-01-01";

/// Lists the machines of scale sets in the subnet that they are in, as the service does.
pub fn show_machines(cx: &Cx<'_>, subnet: &mut Value) {
    let Some(own) = subnet.get("id").and_then(Value::as_str).map(str::to_owned) else { return };
    let mut machines = Vec::new();
    for set in cx.store.of_kind(SCALE_SETS) {
        if subnet_of(&set.body).is_some_and(|id| id.eq_ignore_ascii_case(&own)) {
            let count = set.at("/sku/capacity").and_then(Value::as_i64).unwrap_or(0);
            machines.extend((0..count).map(|n| {
                json!({ "id": format!("{}/virtualMachines/{n}/networkInterfaces/nic/ipConfigurations/ip", set.id) })
            }));
        }
    }
    if !machines.is_empty() {
        set(subnet, "/properties/ipConfigurations", machines.into());
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
