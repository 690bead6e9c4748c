//! Virtual networks and their subnets.

use std::collections::BTreeSet;

use ipnet::IpNet;
use serde_json::{Value, json};

use crate::error::ArmError;
use crate::rule::WriteContext;
use crate::types::network::parts::{children, edit, list, named, nets, subnet_free};
use crate::value::set_default;

/// Api-versions before this day let policies act on private endpoints where nothing was said.
const POLICIES_OFF_SINCE: &str = "2022-01-01";

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
            if let (true, Some(id)) = (gone, subnet.get("id").and_then(Value::as_str)) {
                subnet_free(put.cx, id)?;
            }
        }
    }
    children(put, "subnets", true);
    children(put, "virtualNetworkPeerings", true);
    let policies =
        if put.api_version.is_empty() || put.api_version >= POLICIES_OFF_SINCE { "Disabled" } else { "Enabled" };
    for subnet in edit(&mut put.body, "/properties/subnets") {
        set_default(subnet, "/properties/delegations", json!([]));
        set_default(subnet, "/properties/privateEndpointNetworkPolicies", json!(policies));
        set_default(subnet, "/properties/privateLinkServiceNetworkPolicies", json!("Enabled"));
    }
    put.default("/properties/enableDdosProtection", json!(false));
    Ok(())
}
