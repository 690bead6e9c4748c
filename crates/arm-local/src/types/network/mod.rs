//! Microsoft.Network: virtual networks and subnets, security groups, public addresses, load balancers and related types.

mod front;
mod interface;
mod parts;
mod security;
mod vnet;

use serde_json::{Value, json};

use crate::core::Cx;
use crate::documents::Row;
use crate::error::ArmError;
use crate::http::{Reply, Request};
use crate::id::Path;
use crate::lro::Style;
use crate::rule::{Rule, WriteContext};
use crate::types::network::front::{load_balancer, public_ip};
pub use crate::types::network::parts::subnet_free;
use crate::types::network::parts::{children, edit, list};
use crate::types::network::security::security_group;
use crate::types::network::vnet::vnet;
use crate::types::refs;
use crate::value::{set, set_default};

const FRONTS: &str = "/properties/frontendIPConfigurations";

/// The type of the parts of virtual networks that machines are in.
const SUBNETS: &str = "Microsoft.Network/virtualNetworks/subnets";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    Vnet,
    SecurityGroup,
    PublicIp,
    LoadBalancer,
    Interface,
    PrivateEndpoint,
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

    fn patch_style(&self) -> Style {
        // a PATCH changes tags only, at once
        Style::Sync
    }

    fn settling(&self, _: bool) -> &'static str {
        // these are recorded as done in their first answer
        if matches!(self, Self::LoadBalancer | Self::Interface) { "Succeeded" } else { "Updating" }
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        put.set("/properties/provisioningState", json!("Succeeded"));
        let guid = put.old.as_ref().and_then(|old| old.text("/properties/resourceGuid").map(str::to_owned));
        let guid = guid.unwrap_or_else(|| put.cx.unique());
        put.set("/properties/resourceGuid", json!(guid));
        match self {
            Self::Vnet => vnet(put)?,
            Self::SecurityGroup => security_group(put)?,
            Self::PublicIp => public_ip(put)?,
            Self::LoadBalancer => load_balancer(put)?,
            Self::Interface => interface::interface(put),
            Self::PrivateEndpoint => interface::endpoint(put),
            Self::Other => other(put),
        }
        let location = put.text("/location").map(crate::names::location).unwrap_or_default();
        let own = put.path.id();
        // what the client sent is checked; what the service added points at itself
        refs::check(put.cx, &own, &location, &put.body)?;
        if *self == Self::PrivateEndpoint {
            interface::name_interface(put);
        }
        if put.path.last_type() == "bastionHosts" {
            name_bastion_parts(put);
        }
        Ok(())
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
            // an interface made by a client blocks the deletion, one made by the endpoint does not
            Self::Interface if row.at("/properties/privateEndpoint").is_some() => {
                return Err(ArmError::bad(
                    "NicInUseWithPrivateEndpoint",
                    format!("Network interface {} is in use by a private endpoint and cannot be deleted.", row.id),
                ));
            }
            Self::PrivateEndpoint => return Ok(()),
            Self::Interface | Self::Other => ("InUseResourceCannotBeDeleted", |own, user| {
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

    fn written(&self, cx: &mut Cx<'_>, row: &Row, _: Option<&Row>) -> Result<(), ArmError> {
        match self {
            Self::PrivateEndpoint => interface::connect(cx, row),
            Self::Vnet => {
                vnet::connect_peers(cx, row);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn action(&self, cx: &mut Cx<'_>, row: &Row, word: &str, request: &Request) -> Result<Option<Reply>, ArmError> {
        Ok(match (self, request.method.as_str(), word) {
            (Self::Vnet, "GET", "checkipaddressavailability") => {
                let address = request.query("ipAddress").unwrap_or_default();
                Some(Reply::ok(vnet::availability(cx, row, address)))
            }
            (Self::Interface, "POST", "effectiveroutetable") => {
                let routes = interface::effective_routes(cx, row);
                Some(interface::told(cx, row, request, routes))
            }
            (Self::Interface, "POST", "effectivenetworksecuritygroups") => {
                let groups = interface::effective_groups(cx, row);
                Some(interface::told(cx, row, request, groups))
            }
            (Self::Vnet, "GET", "usages") => Some(Reply::ok(json!({ "value": vnet::usages(cx, row) }))),
            _ => None,
        })
    }

    fn deleted(&self, cx: &mut Cx<'_>, row: &Row) -> Result<(), ArmError> {
        if *self == Self::PrivateEndpoint {
            interface::disconnect(cx, row);
        }
        Ok(())
    }

    fn under_way(&self, body: &mut Value, created: bool) {
        if *self == Self::LoadBalancer && list(body, FRONTS).any(|front| front.pointer("/properties/subnet").is_some())
        {
            // one inside of a network is recorded as under way
            set(body, "/properties/provisioningState", json!("Updating"));
        }
        // the connections of a private endpoint are done before it is
        if created
            && *self != Self::PrivateEndpoint
            && let Some(state) = body.pointer("/properties/provisioningState").cloned()
        {
            settle_parts(body, &state);
        }
        if *self != Self::PrivateEndpoint {
            return;
        }
        // names and approval come with the end of the operation
        set(body, "/properties/customDnsConfigs", json!([]));
        for link in edit(body, "/properties/privateLinkServiceConnections") {
            set(link, "/properties/privateLinkServiceConnectionState/description", json!(""));
        }
    }

    fn shown(&self, cx: &Cx<'_>, row: &Row, request: &Request) -> Value {
        let mut body = cx.view(row);
        old_properties(*self, request.query("api-version").unwrap_or_default(), &mut body);
        if *self == Self::Vnet {
            for subnet in edit(&mut body, "/properties/subnets") {
                vnet::show_users(cx, subnet);
            }
        }
        if *self == Self::PublicIp
            && let Some(user) = attached(cx, &row.id)
        {
            set(&mut body, "/properties/ipConfiguration", json!({ "id": user }));
        }
        body
    }
}

/// A network interface that the endpoint makes for a machine, filled in as one that a client writes.
pub fn made_interface(cx: &mut Cx<'_>, path: &Path, body: Value) -> Value {
    let guid = cx.unique();
    let etag = cx.unique();
    let mut put = WriteContext { cx, path, old: None, sent: &Value::Null, api_version: "", body, hidden: Value::Null };
    put.set("/etag", json!(format!("W/\"{etag}\"")));
    put.set("/properties/provisioningState", json!("Succeeded"));
    put.set("/properties/resourceGuid", json!(guid));
    interface::interface(&mut put);
    put.body
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

/// Whether a version is one of those whose answers had more properties.
fn is_old(api_version: &str) -> bool {
    !api_version.is_empty() && api_version < "2021-01-01"
}

/// Properties that answers had in the words of earlier versions.
fn old_properties(network: Network, api_version: &str, body: &mut Value) {
    if !is_old(api_version) {
        return;
    }
    match network {
        Network::Vnet => set_default(body, "/properties/enableVmProtection", json!(false)),
        Network::LoadBalancer => {
            for segment in ["loadBalancingRules", "inboundNatRules", "inboundNatPools"] {
                edit(body, &format!("/properties/{segment}")).for_each(old_rule);
            }
        }
        _ => {}
    }
}

/// The parts of a bastion are recorded with a segment of their own, which leads to nothing.
fn name_bastion_parts(put: &mut WriteContext<'_, '_>) {
    let own = put.path.id();
    for part in edit(&mut put.body, "/properties/ipConfigurations") {
        let id = format!("{own}/bastionHostIpConfigurations/{}", parts::named(part));
        set(part, "/id", json!(id));
        set(part, "/type", json!("Microsoft.Network/bastionHosts/bastionHostIpConfigurations"));
        set_default(part, "/properties/privateIPAllocationMethod", json!("Dynamic"));
    }
}

/// What rules of load balancers had in the words of earlier versions.
fn old_rule(rule: &mut Value) {
    set_default(rule, "/properties/enableDestinationServiceEndpoint", json!(false));
    set_default(rule, "/properties/allowBackendPortConflict", json!(false));
}

/// Completes a part of a network resource that is read by itself.
pub fn show_child(cx: &Cx<'_>, kind: &str, api_version: &str, child: &mut Value) {
    match kind {
        SUBNETS => vnet::show_users(cx, child),
        "Microsoft.Network/loadBalancers/inboundNatRules" | "Microsoft.Network/loadBalancers/loadBalancingRules"
            if is_old(api_version) =>
        {
            old_rule(child);
        }
        _ => {}
    }
}

/// The zones that a private endpoint writes its names into: a part of the endpoint.
pub struct ZoneGroup;

impl Rule for ZoneGroup {
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
        "Updating"
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        children(put, "privateDnsZoneConfigs", true);
        let names = put.path.parent().and_then(|endpoint| put.cx.store.row(&endpoint.id()));
        let names = names.and_then(|endpoint| endpoint.at("/properties/customDnsConfigs").cloned()).unwrap_or_default();
        for config in edit(&mut put.body, "/properties/privateDnsZoneConfigs") {
            let zone = config.pointer("/properties/privateDnsZoneId").and_then(Value::as_str).unwrap_or_default();
            let zone = zone.rsplit('/').next().unwrap_or_default().to_owned();
            let records: Vec<Value> = names
                .as_array()
                .into_iter()
                .flatten()
                .map(|name| {
                    let host = name.get("fqdn").and_then(Value::as_str).unwrap_or_default();
                    let host = host.split('.').next().unwrap_or_default();
                    json!({ "recordType": "A", "recordSetName": host, "fqdn": format!("{host}.{zone}"), "ttl": 10,
                        "provisioningState": "Succeeded", "ipAddresses": name.get("ipAddresses") })
                })
                .collect();
            set(config, "/properties/recordSets", Value::Array(records));
        }
        put.set("/properties/provisioningState", json!("Succeeded"));
        Ok(())
    }

    fn under_way(&self, body: &mut Value, created: bool) {
        if created && let Some(state) = body.pointer("/properties/provisioningState").cloned() {
            settle_parts(body, &state);
        }
    }
}

/// Gives the parts of a new resource its state.
fn settle_parts(body: &mut Value, state: &Value) {
    let lists = body.get_mut("properties").and_then(Value::as_object_mut).into_iter().flat_map(|map| map.values_mut());
    for part in lists.filter_map(Value::as_array_mut).flatten() {
        if part.pointer("/properties/provisioningState").is_some() {
            set(part, "/properties/provisioningState", state.clone());
        }
    }
}

fn other(put: &mut WriteContext<'_, '_>) {
    match put.path.last_type() {
        "routeTables" => {
            children(put, "routes", true);
            put.default("/properties/disableBgpRoutePropagation", json!(false));
        }
        "bastionHosts" => {
            children(put, "ipConfigurations", true);
            put.default("/properties/scaleUnits", json!(2));
            if is_old(put.api_version) {
                put.default("/properties/bastionShareableLinks", json!({}));
            }
            let before = put.old.as_ref().and_then(|old| old.text("/properties/dnsName").map(str::to_owned));
            let name = before.unwrap_or_else(|| format!("bst-{}.bastion.azure.com", put.cx.unique()));
            put.set("/properties/dnsName", json!(name));
        }
        "natGateways" => {
            put.default("/sku/name", json!("Standard"));
            put.default("/sku/tier", json!("Regional"));
            put.default("/properties/idleTimeoutInMinutes", json!(4));
        }
        _ => {}
    }
}
