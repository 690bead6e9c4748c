//! Network security groups and their rules.

use serde_json::{Value, json};

use crate::error::ArmError;
use crate::rule::WriteContext;
use crate::types::network::parts::{children, edit, list, named};
use crate::value::set_default;

/// Name, priority, direction, access, from, to, description: as recorded of Azure (azure-mgmt-network 2.7.0 and 17.1.0).
type DefaultRule = (&'static str, u32, &'static str, &'static str, &'static str, &'static str, &'static str);

const DEFAULT_RULES: &[DefaultRule] = &[
    (
        "AllowVnetInBound",
        65000,
        "Inbound",
        "Allow",
        "VirtualNetwork",
        "VirtualNetwork",
        "Allow inbound traffic from all VMs in VNET",
    ),
    (
        "AllowAzureLoadBalancerInBound",
        65001,
        "Inbound",
        "Allow",
        "AzureLoadBalancer",
        "*",
        "Allow inbound traffic from azure load balancer",
    ),
    ("DenyAllInBound", 65500, "Inbound", "Deny", "*", "*", "Deny all inbound traffic"),
    (
        "AllowVnetOutBound",
        65000,
        "Outbound",
        "Allow",
        "VirtualNetwork",
        "VirtualNetwork",
        "Allow outbound traffic from all VMs to all VMs in VNET",
    ),
    (
        "AllowInternetOutBound",
        65001,
        "Outbound",
        "Allow",
        "*",
        "Internet",
        "Allow outbound traffic from all VMs to Internet",
    ),
    ("DenyAllOutBound", 65500, "Outbound", "Deny", "*", "*", "Deny all outbound traffic"),
];

pub(super) fn security_group(put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
    let rules: Vec<Value> = DEFAULT_RULES
        .iter()
        .map(|(name, priority, direction, access, from, to, description)| {
            json!({ "name": name, "properties": {
                "description": description, "protocol": "*", "sourcePortRange": "*", "destinationPortRange": "*", "sourceAddressPrefix": from,
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
    for segment in ["securityRules", "defaultSecurityRules"] {
        for rule in edit(&mut put.body, &format!("/properties/{segment}")) {
            for empty in
                ["sourceAddressPrefixes", "destinationAddressPrefixes", "sourcePortRanges", "destinationPortRanges"]
            {
                set_default(rule, &format!("/properties/{empty}"), json!([]));
            }
        }
    }
    Ok(())
}
