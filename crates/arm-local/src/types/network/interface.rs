//! Network interfaces, and private endpoints, which make one of their own and a connection on their target.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::core::Cx;
use crate::documents::{Outcome, Row};
use crate::error::ArmError;
use crate::http::{Reply, Request};
use crate::id::{Path, key};
use crate::lookup;
use crate::lro::{self, Style};
use crate::rule::WriteContext;
use crate::types::addresses;
use crate::types::network::parts::{children, edit, list};
use crate::value::{set, set_default};

const INTERFACES: &str = "Microsoft.Network/networkInterfaces";

/// The first address of a subnet that no network interface and no load balancer has.
pub(super) fn private_address(cx: &Cx<'_>, subnet: &str) -> Option<String> {
    addresses::free(cx, subnet, 1).pop()
}

/// Where names inside a network end: a word that stays with the network.
fn suffix(network: &str) -> String {
    let digest = Sha256::digest(key(network));
    let letters: String = digest.iter().take(26).map(|byte| char::from(b'a' + byte % 26)).collect();
    format!("{letters}.bx.internal.cloudapp.net")
}

/// Fills in a network interface.
pub(super) fn interface(put: &mut WriteContext<'_, '_>) {
    children(put, "ipConfigurations", true);
    put.default("/properties/enableAcceleratedNetworking", json!(false));
    put.default("/properties/enableIPForwarding", json!(false));
    put.default("/properties/dnsSettings/dnsServers", json!([]));
    put.default("/properties/dnsSettings/appliedDnsServers", json!([]));
    put.default("/properties/hostedWorkloads", json!([]));
    put.default("/properties/tapConfigurations", json!([]));
    put.default("/properties/nicType", json!("Standard"));
    let placed: Vec<bool> = list(&put.body, "/properties/ipConfigurations")
        .map(|ip| ip.pointer("/properties/privateIPAddress").is_some_and(|address| !address.is_null()))
        .collect();
    let subnets: Vec<Option<String>> = list(&put.body, "/properties/ipConfigurations")
        .map(|ip| ip.pointer("/properties/subnet/id").and_then(Value::as_str).map(str::to_owned))
        .collect();
    if let Some(network) = subnets.iter().flatten().find_map(|id| id.split_once("/subnets/")) {
        put.default("/properties/dnsSettings/internalDomainNameSuffix", json!(suffix(network.0)));
    }
    let addresses: Vec<Option<String>> = subnets
        .iter()
        .zip(placed)
        .map(|(id, placed)| id.as_deref().filter(|_| !placed).and_then(|id| private_address(put.cx, id)))
        .collect();
    for (at, ip) in edit(&mut put.body, "/properties/ipConfigurations").enumerate() {
        set_default(ip, "/properties/privateIPAllocationMethod", json!("Dynamic"));
        set_default(ip, "/properties/privateIPAddressVersion", json!("IPv4"));
        set_default(ip, "/properties/primary", json!(at == 0));
        if let Some(Some(address)) = addresses.get(at) {
            set_default(ip, "/properties/privateIPAddress", json!(address));
        }
    }
}

/// Fills in a private endpoint.
pub(super) fn endpoint(put: &mut WriteContext<'_, '_>) {
    // only the service writes it
    if let Some(properties) = put.body.get_mut("properties").and_then(Value::as_object_mut) {
        properties.shift_remove("networkInterfaces");
    }
    children(put, "privateLinkServiceConnections", true);
    children(put, "manualPrivateLinkServiceConnections", true);
    for (segment, status, text) in [
        ("privateLinkServiceConnections", "Approved", "Auto-Approved"),
        ("manualPrivateLinkServiceConnections", "Pending", "Awaiting Approval"),
    ] {
        for link in edit(&mut put.body, &format!("/properties/{segment}")) {
            set_default(
                link,
                "/properties/privateLinkServiceConnectionState",
                json!({ "status": status, "description": text, "actionsRequired": "None" }),
            );
        }
    }
    put.default("/properties/customDnsConfigs", json!([]));
}

/// Names the interface that a private endpoint will have; it is made once the endpoint is written.
pub(super) fn name_interface(put: &mut WriteContext<'_, '_>) {
    let old = put.old.as_ref().and_then(|old| old.at("/properties/networkInterfaces").cloned());
    let named = put.text("/properties/customNetworkInterfaceName").map(str::to_owned);
    let made = old.unwrap_or_else(|| {
        let name = named.unwrap_or_else(|| format!("{}.nic.{}", put.path.name(), put.cx.unique()));
        json!([{ "id": format!("{}/providers/{INTERFACES}/{name}", put.path.scope) }])
    });
    put.set("/properties/networkInterfaces", made);
}

/// Makes what a private endpoint brings: an interface in its subnet, DNS entries, a connection on its target.
///
/// # Errors
/// What a write of the interface says.
pub(super) fn connect(cx: &mut Cx<'_>, row: &Row) -> Result<(), ArmError> {
    let Some(id) = row.text("/properties/networkInterfaces/0/id").map(str::to_owned) else { return Ok(()) };
    let address = match cx.store.row(&id) {
        Some(nic) => nic.text("/properties/ipConfigurations/0/properties/privateIPAddress").map(str::to_owned),
        None => {
            let body = json!({ "location": row.location(), "properties": {
                "privateEndpoint": { "id": row.id },
                "ipConfigurations": [{ "name": "privateEndpointIpConfig",
                    "properties": { "subnet": { "id": row.text("/properties/subnet/id") } } }],
            } });
            let nic = cx.core.upper.write(cx, &Path::of(&id), body)?;
            nic.text("/properties/ipConfigurations/0/properties/privateIPAddress").map(str::to_owned)
        }
    };
    let mut names = Vec::new();
    for link in links(row) {
        let Some(target) = link.pointer("/properties/privateLinkServiceId").and_then(Value::as_str) else { continue };
        for group in list(link, "/properties/groupIds").filter_map(Value::as_str) {
            let host = Path::of(target).name().to_lowercase();
            names.extend(
                domain(target, group)
                    .map(|domain| json!({ "fqdn": format!("{host}.{domain}"), "ipAddresses": [address] })),
            );
        }
        attach(cx, row, target, link);
    }
    let mut row = row.clone();
    set(&mut row.body, "/properties/customDnsConfigs", Value::Array(names));
    cx.store.put_row(row);
    Ok(())
}

/// Takes away what [`connect`] made.
pub(super) fn disconnect(cx: &mut Cx<'_>, row: &Row) {
    for nic in list(&row.body, "/properties/networkInterfaces").filter_map(|nic| nic.get("id")?.as_str()) {
        cx.store.remove_row(nic);
    }
    for link in links(row) {
        let Some(target) = link.pointer("/properties/privateLinkServiceId").and_then(Value::as_str) else { continue };
        let Some(target) = cx.store.row(target) else { continue };
        let mut target = target.as_ref().clone();
        if let Some(Value::Array(list)) = target.body.pointer_mut("/properties/privateEndpointConnections") {
            list.retain(|one| !of_endpoint(one, &row.id));
        }
        cx.store.put_row(target);
    }
}

fn links(row: &Row) -> impl Iterator<Item = &Value> {
    list(&row.body, "/properties/privateLinkServiceConnections")
        .chain(list(&row.body, "/properties/manualPrivateLinkServiceConnections"))
}

fn of_endpoint(connection: &Value, id: &str) -> bool {
    let have = connection.pointer("/properties/privateEndpoint/id").and_then(Value::as_str);
    have.is_some_and(|have| have.eq_ignore_ascii_case(id))
}

/// The target shows who is connected to it, once.
fn attach(cx: &mut Cx<'_>, row: &Row, target: &str, link: &Value) {
    let Some(target) = cx.store.row(target) else { return };
    if list(&target.body, "/properties/privateEndpointConnections").any(|one| of_endpoint(one, &row.id)) {
        return;
    }
    let mut target = target.as_ref().clone();
    // Batch names it by the endpoint, others by themselves
    let batch = target.kind.starts_with("Microsoft.Batch/");
    let owner = if batch { Path::of(&row.id).name().to_owned() } else { target.name.clone() };
    let name = format!("{owner}.{}", cx.unique());
    let state = |key: &str| link.pointer(&format!("/properties/privateLinkServiceConnectionState/{key}")).cloned();
    let mut connection = json!({
        "id": format!("{}/privateEndpointConnections/{name}", target.id), "name": name,
        "type": format!("{}/privateEndpointConnections", target.kind),
        "properties": {
            "provisioningState": "Succeeded", "privateEndpoint": { "id": row.id },
            "privateLinkServiceConnectionState": {
                "status": state("status"), "description": state("description"), "actionRequired": "None",
            },
        },
    });
    if batch {
        let etag = cx.unique();
        set(&mut connection, "/etag", json!(format!("W/\"{etag}\"")));
        let state = "/properties/privateLinkServiceConnectionState";
        let waits = connection.pointer(&format!("{state}/status")).and_then(Value::as_str) == Some("Pending");
        if waits {
            set(&mut connection, &format!("{state}/description"), json!("Manual approval still required"));
        }
        let needed = if waits { "Manual approval request" } else { "None" };
        set(&mut connection, &format!("{state}/actionsRequired"), json!(needed));
    }
    set_default(&mut target.body, "/properties/privateEndpointConnections", json!([]));
    if let Some(Value::Array(list)) = target.body.pointer_mut("/properties/privateEndpointConnections") {
        list.push(connection);
    }
    cx.store.put_row(target);
}

/// The public domain of a service's part.
fn domain(target: &str, group: &str) -> Option<String> {
    let group = group.to_lowercase();
    match Path::of(target).resource_type().to_lowercase().as_str() {
        "microsoft.storage/storageaccounts" => Some(format!("{group}.core.windows.net")),
        "microsoft.keyvault/vaults" => Some("vault.azure.net".to_owned()),
        _ => None,
    }
}

/// The answer to an order whose result is read from the operation.
pub(super) fn told(cx: &mut Cx<'_>, row: &Row, request: &Request, value: Vec<Value>) -> Reply {
    let latency = cx.core.settings.latency_ms;
    let operation = lro::start(cx, latency, Outcome::ok(json!({ "value": value })));
    let reply = Reply::empty(202).header("Retry-After", "1");
    lro::poll_headers(reply, request, &Path::of(&row.id), &row.location(), &operation, Style::AsyncOperation, true)
}

/// The subnets of an interface, as they are.
fn subnets(cx: &Cx<'_>, row: &Row) -> Vec<(String, Value)> {
    list(&row.body, "/properties/ipConfigurations")
        .filter_map(|ip| {
            let id = ip.pointer("/properties/subnet/id")?.as_str()?;
            Some((id.to_owned(), lookup::find(cx, id)?))
        })
        .collect()
}

/// `effectiveRouteTable`: the network's own addresses, the Internet, and the private ranges that lead nowhere. Route tables
/// are not taken into account.
pub(super) fn effective_routes(cx: &Cx<'_>, row: &Row) -> Vec<Value> {
    let route = |prefixes: Value, hop: &str| json!({ "source": "Default", "state": "Active", "addressPrefix": prefixes, "nextHopType": hop, "nextHopIpAddress": [] });
    let network = subnets(cx, row).into_iter().find_map(|(id, _)| cx.store.row(&Path::of(&id).parent()?.id()));
    let spaces = network.and_then(|network| network.at("/properties/addressSpace/addressPrefixes").cloned());
    let mut out =
        vec![route(spaces.unwrap_or_else(|| json!([])), "VnetLocal"), route(json!(["0.0.0.0/0"]), "Internet")];
    for nowhere in ["10.0.0.0/8", "100.64.0.0/10", "192.168.0.0/16"] {
        out.push(route(json!([nowhere]), "None"));
    }
    out
}

/// `effectiveNetworkSecurityGroups`: the groups of the interface and of its subnets, with their rules.
pub(super) fn effective_groups(cx: &Cx<'_>, row: &Row) -> Vec<Value> {
    let mut holders = vec![("networkInterface", row.id.clone(), row.body.clone())];
    holders.extend(subnets(cx, row).into_iter().map(|(id, body)| ("subnet", id, body)));
    let mut out = Vec::new();
    for (kind, id, body) in holders {
        let group = body.pointer("/properties/networkSecurityGroup/id").and_then(Value::as_str);
        let Some(group) = group.and_then(|group| cx.store.row(group)) else { continue };
        let rules: Vec<Value> = list(&group.body, "/properties/securityRules")
            .chain(list(&group.body, "/properties/defaultSecurityRules"))
            .map(|rule| {
                let mut out = rule.get("properties").cloned().unwrap_or_default();
                set(&mut out, "/name", rule.get("name").cloned().unwrap_or_default());
                out
            })
            .collect();
        out.push(json!({ "networkSecurityGroup": { "id": group.id }, "association": { kind: { "id": id } },
            "effectiveSecurityRules": rules }));
    }
    out
}
