//! The way to a pool: public address, load balancer, network security group.

use super::expr::Text;
use super::ids::unique;
use super::json::{Json, Map, json};
use super::names::{PoolNames, Resolver};
use super::versions as v;
use super::{setup, values};
use dsvm_model::network::{Network, Outbound};
use dsvm_model::pool::{Affinity, Pool};
use dsvm_model::services::Sources;
use dsvm_sema::value::Value;

/// Name of the only frontend.
const FRONTEND: &str = "frontend";
/// Name of the backend pool.
const BACKEND: &str = "machines";
/// Name of the probe.
const PROBE: &str = "ready";

/// The public IP address of a pool, with a DNS name.
pub(crate) fn public_ip(pool: &Pool<'_>, resolver: &Resolver<'_, '_>) -> Map {
    let label = match pool.view.dns_label() {
        Some(label) => values::text(label.value(), resolver),
        None => {
            // 63 characters in all, 14 of them for the hyphen and the hash.
            let stem: String = pool.dashed().to_lowercase().chars().take(49).collect();
            unique(&format!("{}-", stem.trim_end_matches('-')), &pool.block.name)
        }
    };
    let mut body = Map::new();
    body.insert("sku".into(), json!({ "name": "Standard" }));
    body.insert(
        "properties".into(),
        json!({
            "publicIPAllocationMethod": "Static",
            "publicIPAddressVersion": "IPv4",
            "idleTimeoutInMinutes": pool.idle_timeout.get(),
            "dnsSettings": { "domainNameLabel": label.json() },
        }),
    );
    body
}

/// Id of a part of the balancer.
fn part(names: &PoolNames, kind: &str, name: &str) -> String {
    Text::call(
        "resourceId",
        &[format!("{}/{kind}", v::LOAD_BALANCER.name).into(), names.balancer.name.clone(), name.into()],
    )
    .json()
}

/// Id of the backend pool.
pub(crate) fn backend(names: &PoolNames) -> String {
    part(names, "backendAddressPools", BACKEND)
}

/// Id of the probe, which a pool without services has not.
pub(crate) fn probe(names: &PoolNames, pool: &Pool<'_>) -> Option<String> {
    (!pool.services.is_empty()).then(|| part(names, "probes", PROBE))
}

/// The balancer: a rule for each service, and one probe: the machine says whether it takes people, whatever listens.
pub(crate) fn load_balancer(pool: &Pool<'_>, names: &PoolNames, network: &Network<'_>, subnet: &Text) -> Map {
    let frontend = if pool.public {
        json!({ "publicIPAddress": { "id": names.public_ip.id.json() } })
    } else {
        json!({ "privateIPAllocationMethod": "Dynamic", "subnet": { "id": subnet.json() } })
    };
    let distribution = match pool.affinity {
        Affinity::ClientIp => "SourceIP",
        Affinity::ClientIpProtocol => "SourceIPProtocol",
        Affinity::None => "Default",
    };
    let outbound = network.outbound == Outbound::LoadBalancer && pool.public;
    let frontend_id = part(names, "frontendIPConfigurations", FRONTEND);
    let mut rules = Vec::with_capacity(pool.services.len());
    for service in &pool.services {
        rules.push(json!({
            "name": &service.name,
            "properties": {
                "frontendIPConfiguration": { "id": &frontend_id },
                "backendAddressPool": { "id": backend(names) },
                "probe": { "id": part(names, "probes", PROBE) },
                "protocol": "Tcp",
                "frontendPort": service.port,
                "backendPort": service.port,
                "loadDistribution": distribution,
                "idleTimeoutInMinutes": pool.idle_timeout.get(),
                "enableTcpReset": true,
                "enableFloatingIP": false,
                "disableOutboundSnat": true,
            }
        }));
    }
    let mut properties = Map::new();
    properties.insert("frontendIPConfigurations".into(), json!([{ "name": FRONTEND, "properties": frontend }]));
    properties.insert("backendAddressPools".into(), json!([{ "name": BACKEND }]));
    properties.insert("loadBalancingRules".into(), Json::Array(rules));
    // Only 200 counts as up; connections stay when the answer changes
    // (https://learn.microsoft.com/azure/load-balancer/load-balancer-custom-probe-overview). It comes from the tag
    // `AzureLoadBalancer`, which the rule `allow-probes` lets in.
    let probe = json!({
        "name": PROBE,
        "properties": {
            "protocol": "Http",
            "port": setup::HEALTH_PORT,
            "requestPath": "/ready",
            "intervalInSeconds": 5,
            "probeThreshold": 2,
        }
    });
    let probes = if pool.services.is_empty() { Vec::new() } else { vec![probe] };
    properties.insert("probes".into(), Json::Array(probes));
    if outbound {
        let most = pool.machines.most().unwrap_or(1000).max(1);
        // Ports of one address, shared by the largest number of machines, in steps of eight.
        let ports = (64_000 / most / 8 * 8).clamp(8, 4096);
        properties.insert(
            "outboundRules".into(),
            json!([{
                "name": "outbound",
                "properties": {
                    "frontendIPConfigurations": [{ "id": frontend_id }],
                    "backendAddressPool": { "id": backend(names) },
                    "protocol": "All",
                    "allocatedOutboundPorts": ports,
                    "idleTimeoutInMinutes": 4,
                    "enableTcpReset": true,
                }
            }]),
        );
    }
    let mut body = Map::new();
    body.insert("sku".into(), json!({ "name": "Standard", "tier": "Regional" }));
    body.insert("properties".into(), Json::Object(properties));
    body
}

/// The security group: what `allow` lets in, probes, and nothing else.
pub(crate) fn security_group(pool: &Pool<'_>, resolver: &Resolver<'_, '_>) -> Map {
    let mut rules = Vec::with_capacity(pool.services.len() + 2);
    for (index, service) in pool.services.iter().enumerate() {
        let mut properties = Map::new();
        properties.insert("priority".into(), json!(1000 + 10 * index));
        properties.insert("direction".into(), json!("Inbound"));
        properties.insert("access".into(), json!("Allow"));
        properties.insert("protocol".into(), json!("Tcp"));
        match &service.sources {
            Sources::Any => {
                properties.insert("sourceAddressPrefix".into(), json!("Internet"));
            }
            Sources::Network => {
                properties.insert("sourceAddressPrefix".into(), json!("VirtualNetwork"));
            }
            Sources::Ranges(ranges) => {
                properties.insert("sourceAddressPrefixes".into(), prefixes(ranges, resolver));
            }
        }
        properties.insert("sourcePortRange".into(), json!("*"));
        properties.insert("destinationAddressPrefix".into(), json!("*"));
        properties.insert("destinationPortRange".into(), json!(service.port.to_string()));
        rules.push(json!({ "name": format!("allow-{}", service.name), "properties": properties }));
    }
    let last = [("allow-probes", 4000, "Allow", "AzureLoadBalancer"), ("deny-rest", 4096, "Deny", "*")];
    for (name, priority, access, source) in last {
        rules.push(json!({
            "name": name,
            "properties": {
                "priority": priority,
                "direction": "Inbound",
                "access": access,
                "protocol": "*",
                "sourceAddressPrefix": source,
                "sourcePortRange": "*",
                "destinationAddressPrefix": "*",
                "destinationPortRange": "*",
            }
        }));
    }
    let mut body = Map::new();
    body.insert("properties".into(), json!({ "securityRules": rules }));
    body
}

/// Address ranges: a list, or an expression for one when a parameter holds the whole list.
fn prefixes(ranges: &[&Value], resolver: &Resolver<'_, '_>) -> Json {
    if let [Value::Deferred(deferred)] = ranges
        && matches!(deferred.ty, dsvm_sema::ty::Ty::List(_))
    {
        return Json::from(Text::Expression(values::deploy(&deferred.expr, resolver)));
    }
    Json::Array(ranges.iter().map(|r| Json::from(values::text(r, resolver))).collect())
}
