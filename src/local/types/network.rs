//! Microsoft.Network: virtual networks and subnets, security groups, public addresses, load balancers, and their kin.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use serde_json::{Value, json};

use super::Rule;
use super::refs;
use crate::local::core::Cx;
use crate::local::error::ArmError;
use crate::local::http::Request;
use crate::local::lro::Style;
use crate::local::store::Row;
use crate::local::write::{Put, set, set_default};

/// Which network type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// virtualNetworks
    Vnet,
    /// networkSecurityGroups
    SecurityGroup,
    /// publicIPAddresses
    PublicIp,
    /// loadBalancers
    LoadBalancer,
    /// natGateways, routeTables, networkInterfaces, privateEndpoints, …
    Other,
}

impl Rule for Network {
    fn needs_location(&self) -> bool {
        true
    }

    fn shows_etag(&self) -> bool {
        true
    }

    fn style(&self, _: bool) -> Style {
        Style::AsyncOperation
    }

    fn delete_style(&self) -> Style {
        Style::AsyncOperation
    }

    fn settling(&self, _: bool) -> &'static str {
        // load balancers are recorded as done in their first answer
        if *self == Self::LoadBalancer { "Succeeded" } else { "Updating" }
    }

    fn prepare(&self, put: &mut Put<'_, '_>) -> Result<(), ArmError> {
        put.set("/properties/provisioningState", json!("Succeeded"));
        let guid = put.old.as_ref().and_then(|old| old.text("/properties/resourceGuid").map(str::to_owned));
        let guid = guid.unwrap_or_else(|| put.cx.unique());
        put.set("/properties/resourceGuid", json!(guid));
        match self {
            Self::Vnet => vnet(put)?,
            Self::SecurityGroup => security_group(put)?,
            Self::PublicIp => public_ip(put)?,
            Self::LoadBalancer => load_balancer(put)?,
            Self::Other => other(put),
        }
        let location = put.text("/location").map(crate::local::names::location).unwrap_or_default();
        let own = put.path.id();
        // what the client sent is checked; what the service added points at itself
        refs::check(put.cx, &own, &location, &put.body)
    }

    fn check_delete(&self, cx: &mut Cx<'_>, row: &Row) -> Result<(), ArmError> {
        let (code, text): (&str, fn(&str, &str) -> String) = match self {
            Self::Vnet => {
                for subnet in row.at("/properties/subnets").and_then(Value::as_array).into_iter().flatten() {
                    if let Some(id) = subnet.get("id").and_then(Value::as_str) {
                        subnet_free(cx, id)?;
                    }
                }
                return Ok(());
            }
            Self::SecurityGroup => ("InUseNetworkSecurityGroupCannotBeDeleted", |own, user| {
                format!(
                    "Network security group {own} cannot be deleted because it is in use by the following resources: {user}. In order to delete the Network security group, remove the association with the resource(s). To learn how to do this, see aka.ms/deletensg."
                )
            }),
            Self::PublicIp => ("PublicIPAddressCannotBeDeleted", |own, user| {
                format!(
                    "Public IP address {own} can not be deleted since it is still allocated to resource {user}. In order to delete the public IP, disassociate/detach the Public IP address from the resource. To learn how to do this, see aka.ms/deletepublicip."
                )
            }),
            Self::LoadBalancer => ("LoadBalancerInUseByVirtualMachineScaleSet", |own, user| {
                format!(
                    "Cannot delete load balancer {own} since its child resources are in use by virtual machine scale set {user}."
                )
            }),
            Self::Other => ("InUseResourceCannotBeDeleted", |own, user| {
                format!("Resource {own} cannot be deleted because it is in use by {user}.")
            }),
        };
        match refs::user(cx, &row.id, |kind| {
            kind.starts_with("Microsoft.Network/") || kind.starts_with("Microsoft.Compute/")
        }) {
            Some(user) => Err(ArmError::bad(code, text(&row.id, &user))),
            None => Ok(()),
        }
    }

    fn shown(&self, cx: &Cx<'_>, row: &Row, _: &Request) -> Value {
        let mut body = cx.view(row);
        if *self == Self::PublicIp
            && let Some(user) = attached(cx, &row.id)
        {
            set(&mut body, "/properties/ipConfiguration", json!({ "id": user }));
        }
        body
    }
}

/// Refuses to remove a subnet that something stands in.
///
/// # Errors
/// `InUseSubnetCannotBeDeleted`.
pub fn subnet_free(cx: &Cx<'_>, id: &str) -> Result<(), ArmError> {
    let vnet = id.rsplit_once("/subnets/").map_or(id, |(vnet, _)| vnet).to_lowercase();
    let user = refs::user(cx, id, |kind| !kind.eq_ignore_ascii_case("Microsoft.Network/virtualNetworks"));
    match user {
        Some(user) if !user.to_lowercase().starts_with(&vnet) => Err(ArmError::bad(
            "InUseSubnetCannotBeDeleted",
            format!(
                "Subnet {} is in use by {user} and cannot be deleted. In order to delete the subnet, delete all the resources within the subnet. See aka.ms/deletesubnet.",
                id.rsplit('/').next().unwrap_or_default()
            ),
        )),
        _ => Ok(()),
    }
}

fn attached(cx: &Cx<'_>, id: &str) -> Option<String> {
    for row in cx.store.of_kind("Microsoft.Network/loadBalancers") {
        for front in row.at("/properties/frontendIPConfigurations").and_then(Value::as_array).into_iter().flatten() {
            let target = front.pointer("/properties/publicIPAddress/id").and_then(Value::as_str);
            if target.is_some_and(|target| target.eq_ignore_ascii_case(id)) {
                return front.get("id").and_then(Value::as_str).map(str::to_owned);
            }
        }
    }
    refs::user(cx, id, |kind| kind == "Microsoft.Network/natGateways" || kind == "Microsoft.Network/networkInterfaces")
}

/// Gives the elements of an array their id, type, etag and state.
fn children(put: &mut Put<'_, '_>, segment: &str, state: bool) {
    let own = put.path.id();
    let kind = put.path.resource_type();
    let etag = put.cx.unique();
    let pointer = format!("/properties/{segment}");
    put.default(&pointer, json!([]));
    for item in put.body.pointer_mut(&pointer).and_then(Value::as_array_mut).into_iter().flatten() {
        let name = item.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        set(item, "/id", json!(format!("{own}/{segment}/{name}")));
        set(item, "/type", json!(format!("{kind}/{segment}")));
        set(item, "/etag", json!(format!("W/\"{etag}\"")));
        if state {
            set(item, "/properties/provisioningState", json!("Succeeded"));
        }
    }
}

fn list<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

fn edit<'v>(value: &'v mut Value, pointer: &str) -> impl Iterator<Item = &'v mut Value> {
    value.pointer_mut(pointer).and_then(Value::as_array_mut).into_iter().flatten()
}

fn named(item: &Value) -> &str {
    item.get("name").and_then(Value::as_str).unwrap_or_default()
}

fn nets(value: &Value, one: &str, many: &str) -> Vec<String> {
    let mut out: Vec<String> = value.pointer(one).and_then(Value::as_str).map(str::to_owned).into_iter().collect();
    out.extend(list(value, many).filter_map(Value::as_str).map(str::to_owned));
    out
}

fn vnet(put: &mut Put<'_, '_>) -> Result<(), ArmError> {
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
    for subnet in edit(&mut put.body, "/properties/subnets") {
        set_default(subnet, "/properties/delegations", json!([]));
        set_default(subnet, "/properties/privateEndpointNetworkPolicies", json!("Disabled"));
        set_default(subnet, "/properties/privateLinkServiceNetworkPolicies", json!("Enabled"));
    }
    put.default("/properties/enableDdosProtection", json!(false));
    Ok(())
}

const DEFAULT_RULES: &[(&str, u32, &str, &str, &str, &str)] = &[
    ("AllowVnetInBound", 65000, "Inbound", "Allow", "VirtualNetwork", "VirtualNetwork"),
    ("AllowAzureLoadBalancerInBound", 65001, "Inbound", "Allow", "AzureLoadBalancer", "*"),
    ("DenyAllInBound", 65500, "Inbound", "Deny", "*", "*"),
    ("AllowVnetOutBound", 65000, "Outbound", "Allow", "VirtualNetwork", "VirtualNetwork"),
    ("AllowInternetOutBound", 65001, "Outbound", "Allow", "*", "Internet"),
    ("DenyAllOutBound", 65500, "Outbound", "Deny", "*", "*"),
];

fn security_group(put: &mut Put<'_, '_>) -> Result<(), ArmError> {
    let rules: Vec<Value> = DEFAULT_RULES
        .iter()
        .map(|(name, priority, direction, access, from, to)| {
            json!({ "name": name, "properties": {
                "protocol": "*", "sourcePortRange": "*", "destinationPortRange": "*", "sourceAddressPrefix": from,
                "destinationAddressPrefix": to, "access": access, "priority": priority, "direction": direction,
            } })
        })
        .collect();
    put.set("/properties/defaultSecurityRules", Value::Array(rules));
    let mut seen: Vec<(String, i64, String)> = Vec::new();
    for rule in list(&put.body, "/properties/securityRules") {
        let name = named(rule).to_owned();
        let priority = rule.pointer("/properties/priority").and_then(Value::as_i64).unwrap_or(0);
        let direction =
            rule.pointer("/properties/direction").and_then(Value::as_str).unwrap_or_default().to_lowercase();
        if !(100..=4096).contains(&priority) {
            return Err(ArmError::bad(
                "SecurityRuleInvalidPriority",
                format!("Security rule has invalid Priority. Value provided: {priority} Allowed range 100-4096."),
            )
            .at(name));
        }
        if !matches!(direction.as_str(), "inbound" | "outbound") {
            return Err(ArmError::bad(
                "InvalidRequestFormat",
                format!("Cannot parse the request: security rule '{name}' needs a direction, Inbound or Outbound."),
            ));
        }
        if let Some((other, ..)) = seen.iter().find(|(_, p, d)| *p == priority && *d == direction) {
            return Err(ArmError::bad(
                "SecurityRuleConflict",
                format!(
                    "Security rule {name} conflicts with rule {other}. Rules cannot have the same Priority and Direction. To learn more, see aka.ms/nsgrules."
                ),
            ));
        }
        seen.push((name, priority, direction));
    }
    children(put, "securityRules", true);
    children(put, "defaultSecurityRules", true);
    for rule in edit(&mut put.body, "/properties/securityRules") {
        for empty in
            ["sourceAddressPrefixes", "destinationAddressPrefixes", "sourcePortRanges", "destinationPortRanges"]
        {
            set_default(rule, &format!("/properties/{empty}"), json!([]));
        }
    }
    Ok(())
}

fn public_ip(put: &mut Put<'_, '_>) -> Result<(), ArmError> {
    put.default("/sku/name", json!("Basic"));
    put.default("/sku/tier", json!("Regional"));
    put.immutable("/sku/name", "SkuCannotBeChangedOnUpdate")?;
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
    let own = crate::local::id::key(&put.path.id());
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
    let location = put.text("/location").map(crate::local::names::location).unwrap_or_default();
    let fqdn = format!("{label}.{location}.cloudapp.azure.com");
    let taken = put.cx.store.of_kind("Microsoft.Network/publicIPAddresses").iter().any(|row| {
        crate::local::id::key(&row.id) != own && row.text("/properties/dnsSettings/fqdn") == Some(fqdn.as_str())
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

fn load_balancer(put: &mut Put<'_, '_>) -> Result<(), ArmError> {
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
fn back_references(put: &mut Put<'_, '_>) {
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

/// The first address of a subnet that no network interface has.
fn private_address(cx: &Cx<'_>, subnet: &str) -> Option<String> {
    let body = crate::local::write::find(cx, subnet)?;
    let prefix = body.pointer("/properties/addressPrefix").or_else(|| body.pointer("/properties/addressPrefixes/0"))?;
    let net: ipnet::Ipv4Net = prefix.as_str()?.parse().ok()?;
    let used: BTreeSet<String> = cx
        .store
        .of_kind("Microsoft.Network/networkInterfaces")
        .iter()
        .flat_map(|row| {
            list(&row.body, "/properties/ipConfigurations")
                .filter_map(|ip| ip.pointer("/properties/privateIPAddress")?.as_str().map(str::to_owned))
                .collect::<Vec<_>>()
        })
        .collect();
    // Azure keeps the first four and the last address for itself
    net.hosts().skip(3).map(|address| address.to_string()).find(|address| !used.contains(address))
}

fn other(put: &mut Put<'_, '_>) {
    match put.path.last_type() {
        "routeTables" => {
            children(put, "routes", true);
            put.default("/properties/disableBgpRoutePropagation", json!(false));
        }
        "networkInterfaces" => {
            children(put, "ipConfigurations", true);
            put.default("/properties/enableAcceleratedNetworking", json!(false));
            put.default("/properties/enableIPForwarding", json!(false));
            put.default("/properties/dnsSettings/dnsServers", json!([]));
            put.default("/properties/dnsSettings/appliedDnsServers", json!([]));
            put.default("/properties/dnsSettings/internalDomainNameSuffix", json!("local.internal.cloudapp.net"));
            put.default("/properties/hostedWorkloads", json!([]));
            put.default("/properties/tapConfigurations", json!([]));
            put.default("/properties/nicType", json!("Standard"));
            let subnets: Vec<Option<String>> = list(&put.body, "/properties/ipConfigurations")
                .map(|ip| ip.pointer("/properties/subnet/id").and_then(Value::as_str).map(str::to_owned))
                .collect();
            let addresses: Vec<Option<String>> =
                subnets.iter().map(|id| id.as_deref().and_then(|id| private_address(put.cx, id))).collect();
            for (at, ip) in edit(&mut put.body, "/properties/ipConfigurations").enumerate() {
                set_default(ip, "/properties/privateIPAllocationMethod", json!("Dynamic"));
                set_default(ip, "/properties/privateIPAddressVersion", json!("IPv4"));
                set_default(ip, "/properties/primary", json!(at == 0));
                if let Some(Some(address)) = addresses.get(at) {
                    set_default(ip, "/properties/privateIPAddress", json!(address));
                }
            }
        }
        "natGateways" => {
            put.default("/sku/name", json!("Standard"));
            put.default("/properties/idleTimeoutInMinutes", json!(4));
        }
        "privateEndpoints" => {
            children(put, "privateLinkServiceConnections", true);
            children(put, "manualPrivateLinkServiceConnections", true);
            for link in edit(&mut put.body, "/properties/privateLinkServiceConnections") {
                set_default(
                    link,
                    "/properties/privateLinkServiceConnectionState",
                    json!({ "status": "Approved", "description": "Auto-Approved", "actionsRequired": "None" }),
                );
            }
            put.default("/properties/customDnsConfigs", json!([]));
        }
        _ => {}
    }
}
