//! Network rules that admit subnets: the service checks that each subnet has its service endpoint.
//!
//! Codes and messages as quoted in <https://github.com/hashicorp/terraform-provider-azurerm/issues/16547> (storage) and
//! <https://github.com/Azure/avdaccelerator/issues/818> (key vault). A subnet that the endpoint does not hold is not checked.

use serde_json::{Value, json};

use crate::error::ArmError;
use crate::id::Path;
use crate::lookup;
use crate::rule::WriteContext;

/// Refuses a storage account that admits a subnet without the endpoint `Microsoft.Storage` or `Microsoft.Storage.Global`
/// (<https://learn.microsoft.com/azure/storage/common/storage-network-security>: the two endpoints of storage).
///
/// # Errors
/// `NetworkAclsValidationFailure`.
pub fn check_storage(put: &WriteContext<'_, '_>) -> Result<(), ArmError> {
    match missing(put, "Microsoft.Storage", &["Microsoft.Storage", "Microsoft.Storage.Global"]) {
        None => Ok(()),
        Some(message) => Err(ArmError::bad(
            "NetworkAclsValidationFailure",
            format!("Validation of network acls failure: SubnetsHaveNoServiceEndpointsConfigured:{message}."),
        )),
    }
}

/// Refuses a vault that admits a subnet without the endpoint `Microsoft.KeyVault`, unless the rule says
/// `ignoreMissingVnetServiceEndpoint`.
///
/// # Errors
/// `VirtualNetworkNotValid`.
pub fn check_vault(put: &WriteContext<'_, '_>) -> Result<(), ArmError> {
    match missing(put, "Microsoft.KeyVault", &["Microsoft.KeyVault"]) {
        None => Ok(()),
        Some(message) => Err(ArmError::bad(
            "VirtualNetworkNotValid",
            format!(
                "Operation on Virtual Network could not be performed. StatusCode: 400 (BadRequest). Error Code: SubnetsHaveNoServiceEndpointsConfigured. Error Message: {message}."
            ),
        )),
    }
}

/// The message about the first network with subnets that lack all of `endpoints`; only rules that the client sent count.
fn missing(put: &WriteContext<'_, '_>, service: &str, endpoints: &[&str]) -> Option<String> {
    let rules = put.sent.pointer("/properties/networkAcls/virtualNetworkRules").and_then(Value::as_array)?;
    let lacking = |rule: &&Value| {
        let id = rule.get("id").and_then(Value::as_str).unwrap_or_default();
        rule.get("ignoreMissingVnetServiceEndpoint") != Some(&json!(true))
            && lookup::find(put.cx, id).is_some_and(|subnet| !has_endpoint(&subnet, endpoints))
    };
    let subnets: Vec<Path> = rules.iter().filter(lacking).map(path).collect();
    let network = subnets.first()?.parent()?.id();
    let names: Vec<&str> = subnets
        .iter()
        .filter(|subnet| subnet.parent().is_some_and(|parent| parent.id().eq_ignore_ascii_case(&network)))
        .map(Path::name)
        .collect();
    Some(format!(
        "Subnets {} of virtual network {network} do not have ServiceEndpoints for {service} resources configured. Add {service} to subnet's ServiceEndpoints collection before trying to ACL {service} resources to these subnets.",
        names.join(", ")
    ))
}

fn path(rule: &Value) -> Path {
    Path::of(rule.get("id").and_then(Value::as_str).unwrap_or_default())
}

fn has_endpoint(subnet: &Value, wanted: &[&str]) -> bool {
    let have = subnet.pointer("/properties/serviceEndpoints").and_then(Value::as_array);
    let services = have.into_iter().flatten().filter_map(|endpoint| endpoint.get("service")?.as_str());
    services.into_iter().any(|service| wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(service)))
}
