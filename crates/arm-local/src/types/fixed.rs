//! What an update may not change: properties that are set at creation, type by type, as the services answer.
//!
//! The rules here are the endpoint's own; a test holds them against the table of changes (`changes.json` of arm-catalog).

use serde_json::Value;

use crate::error::ArmError;
use crate::rule::WriteContext;
use crate::value::dotted;

/// How far a property is fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Never another value. What was absent may be given, and what is left out stays.
    Fixed,
    /// Neither another value, nor given later, nor taken away.
    Sealed,
    /// The elements of the list that have names are the same for ever.
    Names,
}

use Way::{Fixed, Names, Sealed};

/// Type, pointer (`*`: each element of a list, by its name), way, code.
type Row = (&'static str, &'static str, Way, &'static str);

const CODE: &str = "PropertyChangeNotAllowed";
const ACCOUNT_CODE: &str = "AccountPropertyCannotBeUpdated";
const VMSS: &str = "microsoft.compute/virtualmachinescalesets";
const MACHINE: &str = "microsoft.compute/virtualmachines";
const ACCOUNT: &str = "microsoft.storage/storageaccounts";
const CONTAINER: &str = "microsoft.storage/storageaccounts/blobservices/containers";
const VAULT: &str = "microsoft.keyvault/vaults";
const BALANCER: &str = "microsoft.network/loadbalancers";
const ADDRESS: &str = "microsoft.network/publicipaddresses";
const ENDPOINT: &str = "microsoft.network/privateendpoints";
const ROLE: &str = "microsoft.authorization/roleassignments";
const LEARNING: &str = "microsoft.machinelearningservices/workspaces";
const COMPUTE: &str = "microsoft.machinelearningservices/workspaces/computes";
const DISK: &str = "microsoft.compute/disks";
const IMAGE: &str = "microsoft.compute/galleries/images";
const VERSION: &str = "microsoft.compute/galleries/images/versions";
const ROLE_CODE: &str = "RoleAssignmentUpdateNotPermitted";
const NICS: &str = "/properties/virtualMachineProfile/networkProfile/networkInterfaceConfigurations";

const ROWS: &[Row] = &[
    (VMSS, "/properties/orchestrationMode", Fixed, CODE),
    (VMSS, "/properties/platformFaultDomainCount", Fixed, CODE),
    (VMSS, "/properties/virtualMachineProfile/priority", Sealed, CODE),
    (VMSS, "/properties/virtualMachineProfile/evictionPolicy", Fixed, CODE),
    (VMSS, "/properties/virtualMachineProfile/osProfile/computerNamePrefix", Fixed, CODE),
    (VMSS, "/properties/virtualMachineProfile/osProfile/allowExtensionOperations", Fixed, CODE),
    (VMSS, "/properties/virtualMachineProfile/osProfile/linuxConfiguration/provisionVMAgent", Fixed, CODE),
    (VMSS, "/properties/virtualMachineProfile/storageProfile/osDisk/managedDisk/storageAccountType", Fixed, CODE),
    (VMSS, "/properties/virtualMachineProfile/storageProfile/osDisk/managedDisk/diskEncryptionSet", Sealed, CODE),
    (VMSS, "/properties/virtualMachineProfile/storageProfile/osDisk/diffDiskSettings", Sealed, CODE),
    (VMSS, "/properties/virtualMachineProfile/extensionProfile/extensions/*/properties/publisher", Fixed, CODE),
    (VMSS, "/properties/virtualMachineProfile/extensionProfile/extensions/*/properties/type", Fixed, CODE),
    (VMSS, NICS, Names, CODE),
    (
        VMSS,
        "/properties/virtualMachineProfile/networkProfile/networkInterfaceConfigurations/*/properties/primary",
        Fixed,
        CODE,
    ),
    (
        VMSS,
        "/properties/virtualMachineProfile/networkProfile/networkInterfaceConfigurations/*/properties/ipConfigurations",
        Names,
        CODE,
    ),
    (
        VMSS,
        "/properties/virtualMachineProfile/networkProfile/networkInterfaceConfigurations/*/properties/ipConfigurations/*/properties/primary",
        Fixed,
        CODE,
    ),
    (
        VMSS,
        "/properties/virtualMachineProfile/networkProfile/networkInterfaceConfigurations/*/properties/ipConfigurations/*/properties/publicIPAddressConfiguration/properties/publicIPAddressVersion",
        Fixed,
        CODE,
    ),
    (MACHINE, "/properties/osProfile/adminUsername", Fixed, CODE),
    (MACHINE, "/properties/osProfile/computerName", Fixed, CODE),
    (MACHINE, "/properties/storageProfile/imageReference/id", Fixed, CODE),
    (MACHINE, "/properties/storageProfile/imageReference/publisher", Fixed, CODE),
    (MACHINE, "/properties/storageProfile/imageReference/offer", Fixed, CODE),
    (MACHINE, "/properties/storageProfile/imageReference/sku", Fixed, CODE),
    (MACHINE, "/properties/storageProfile/imageReference/version", Fixed, CODE),
    (MACHINE, "/properties/storageProfile/osDisk/createOption", Fixed, CODE),
    (MACHINE, "/properties/storageProfile/osDisk/osType", Fixed, CODE),
    (MACHINE, "/properties/virtualMachineScaleSet/id", Fixed, CODE),
    (MACHINE, "/zones", Fixed, CODE),
    ("microsoft.compute/virtualmachinescalesets/extensions", "/properties/publisher", Fixed, CODE),
    ("microsoft.compute/virtualmachinescalesets/extensions", "/properties/type", Fixed, CODE),
    ("microsoft.batch/batchaccounts", "/properties/poolAllocationMode", Fixed, CODE),
    ("microsoft.batch/batchaccounts", "/properties/keyVaultReference", Sealed, CODE),
    (ACCOUNT, "/properties/isNfsV3Enabled", Fixed, ACCOUNT_CODE),
    (ACCOUNT, "/properties/dnsEndpointType", Fixed, ACCOUNT_CODE),
    (ACCOUNT, "/properties/encryption/requireInfrastructureEncryption", Fixed, ACCOUNT_CODE),
    (ACCOUNT, "/properties/encryption/services/queue/keyType", Fixed, ACCOUNT_CODE),
    (ACCOUNT, "/properties/encryption/services/table/keyType", Fixed, ACCOUNT_CODE),
    (ACCOUNT, "/properties/immutableStorageWithVersioning", Fixed, ACCOUNT_CODE),
    ("microsoft.storage/storageaccounts/fileservices/shares", "/properties/enabledProtocols", Fixed, CODE),
    (CONTAINER, "/properties/immutableStorageWithVersioning", Fixed, CODE),
    (CONTAINER, "/properties/defaultEncryptionScope", Fixed, CODE),
    (CONTAINER, "/properties/denyEncryptionScopeOverride", Fixed, CODE),
    (BALANCER, "/sku/tier", Fixed, "SkuCannotBeChangedOnUpdate"),
    (BALANCER, "/properties/mode", Fixed, CODE),
    (BALANCER, "/properties/frontendIPConfigurations/*/zones", Sealed, "ResourceAvailabilityZonesCannotBeModified"),
    (ADDRESS, "/zones", Sealed, "ResourceAvailabilityZonesCannotBeModified"),
    (ADDRESS, "/sku/tier", Fixed, "SkuCannotBeChangedOnUpdate"),
    (ADDRESS, "/properties/publicIPPrefix", Sealed, CODE),
    (ADDRESS, "/properties/ipTags", Sealed, CODE),
    ("microsoft.network/natgateways", "/sku/name", Fixed, "SkuCannotBeChangedOnUpdate"),
    ("microsoft.network/natgateways", "/zones", Sealed, "ResourceAvailabilityZonesCannotBeModified"),
    (ENDPOINT, "/properties/subnet/id", Fixed, CODE),
    (ENDPOINT, "/properties/customNetworkInterfaceName", Fixed, CODE),
    (ENDPOINT, "/properties/ipConfigurations", Sealed, CODE),
    (ENDPOINT, "/properties/privateLinkServiceConnections", Names, CODE),
    (ENDPOINT, "/properties/privateLinkServiceConnections/*/properties/privateLinkServiceId", Fixed, CODE),
    (ENDPOINT, "/properties/privateLinkServiceConnections/*/properties/groupIds", Fixed, CODE),
    (
        "microsoft.network/privateendpoints/privatednszonegroups",
        "/properties/privateDnsZoneConfigs/*/properties/privateDnsZoneId",
        Fixed,
        CODE,
    ),
    ("microsoft.network/privatednszones/virtualnetworklinks", "/properties/virtualNetwork/id", Fixed, CODE),
    ("microsoft.network/bastionhosts", "/properties/virtualNetwork/id", Fixed, CODE),
    (ROLE, "/properties/principalType", Fixed, ROLE_CODE),
    (ROLE, "/properties/delegatedManagedIdentityResourceId", Sealed, ROLE_CODE),
    ("microsoft.insights/autoscalesettings", "/properties/targetResourceUri", Fixed, CODE),
    ("microsoft.insights/components", "/properties/Application_Type", Fixed, CODE),
    ("microsoft.insights/datacollectionrules", "/kind", Fixed, CODE),
    (LEARNING, "/properties/storageAccount", Fixed, CODE),
    (LEARNING, "/properties/keyVault", Fixed, CODE),
    (LEARNING, "/properties/hbiWorkspace", Fixed, CODE),
    (LEARNING, "/properties/encryption/status", Fixed, CODE),
    (COMPUTE, "/properties/computeType", Fixed, CODE),
    (COMPUTE, "/properties/disableLocalAuth", Fixed, CODE),
    (COMPUTE, "/properties/description", Fixed, CODE),
    (COMPUTE, "/properties/properties/vmSize", Fixed, CODE),
    (COMPUTE, "/properties/properties/vmPriority", Fixed, CODE),
    (COMPUTE, "/properties/properties/osType", Fixed, CODE),
    (COMPUTE, "/properties/properties/subnet/id", Fixed, CODE),
    (COMPUTE, "/properties/properties/enableNodePublicIp", Fixed, CODE),
    (COMPUTE, "/properties/properties/remoteLoginPortPublicAccess", Fixed, CODE),
    (COMPUTE, "/properties/properties/userAccountCredentials/adminUserName", Fixed, CODE),
    (COMPUTE, "/properties/properties/userAccountCredentials/adminUserSshPublicKey", Fixed, CODE),
    (DISK, "/zones", Sealed, CODE),
    (DISK, "/properties/creationData", Fixed, CODE),
    (DISK, "/properties/osType", Fixed, CODE),
    (DISK, "/properties/hyperVGeneration", Fixed, CODE),
    (IMAGE, "/properties/osType", Fixed, CODE),
    (IMAGE, "/properties/osState", Fixed, CODE),
    (IMAGE, "/properties/hyperVGeneration", Fixed, CODE),
    (IMAGE, "/properties/architecture", Fixed, CODE),
    (IMAGE, "/properties/identifier", Fixed, CODE),
    (VERSION, "/properties/storageProfile", Fixed, CODE),
    (VERSION, "/properties/publishingProfile/replicationMode", Fixed, CODE),
    (VERSION, "/properties/safetyProfile/allowDeletionOfReplicatedLocations", Fixed, CODE),
    ("microsoft.aad/domainservices", "/properties/domainName", Fixed, CODE),
    ("microsoft.aad/domainservices", "/properties/domainConfigurationType", Fixed, CODE),
    ("*", "/plan/name", Fixed, CODE),
];

/// Refuses an update of what is set at creation.
///
/// # Errors
/// What the service says.
pub fn check(put: &WriteContext<'_, '_>, patch: bool) -> Result<(), ArmError> {
    let Some(old) = put.old.clone() else { return Ok(()) };
    let kind = old.kind.to_lowercase();
    for (_, pointer, way, code) in ROWS.iter().filter(|(of, ..)| *of == kind || *of == "*") {
        let steps: Vec<&str> = pointer.split('/').skip(1).collect();
        if broken(&old.body, put.sent, &steps, *way, patch) {
            return Err(refused(pointer, code));
        }
    }
    match kind.as_str() {
        VMSS => scale_set(put, &old.body),
        MACHINE => {
            const SET: &str = "/properties/availabilitySet/id";
            let (before, after) = (text(&old.body, SET), text(put.sent, SET));
            let joins = after.is_some_and(|after| before.is_none_or(|before| !before.eq_ignore_ascii_case(after)));
            if joins { Err(refused(SET, CODE)) } else { Ok(()) }
        }
        ACCOUNT => account(put, &old.body),
        VAULT if put.sent.pointer("/properties/enableSoftDelete") == Some(&Value::Bool(false)) => Err(ArmError::bad(
            "BadRequest",
            "The property \"enableSoftDelete\" can be set to false only for creating new vault. Enabling the 'soft delete' functionality is an irreversible action.",
        )),
        DISK => {
            let size = |body: &Value| body.pointer("/properties/diskSizeGB").and_then(Value::as_i64);
            let smaller = size(&old.body).zip(size(put.sent)).is_some_and(|(old, new)| new < old);
            if smaller { Err(refused("/properties/diskSizeGB", "OperationNotAllowed")) } else { Ok(()) }
        }
        "microsoft.network/bastionhosts" => {
            let basic = |body: &Value| text(body, "/sku/name").is_some_and(|sku| sku.eq_ignore_ascii_case("Basic"));
            let down = basic(put.sent) && !basic(&old.body);
            if down { Err(refused("/sku/name", "SkuCannotBeChangedOnUpdate")) } else { Ok(()) }
        }
        "microsoft.insights/components" => {
            let link = "/properties/WorkspaceResourceId";
            let gone = old.at(link).is_some() && !patch && put.sent.pointer(link).is_none();
            if gone { Err(refused(link, CODE)) } else { Ok(()) }
        }
        "microsoft.operationalinsights/workspaces" => {
            let sku = |body: &Value| text(body, "/properties/sku/name").map(str::to_lowercase);
            let both = sku(&old.body).zip(sku(put.sent));
            let free = |sku: &str| sku == "pergb2018" || sku == "capacityreservation";
            match both {
                Some((old, new)) if old != new && !(free(&old) && free(&new)) => {
                    Err(refused("/properties/sku/name", CODE))
                }
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

fn refused(pointer: &str, code: &str) -> ArmError {
    let dotted = dotted(pointer);
    ArmError::conflict(code, format!("Changing property '{dotted}' is not allowed.")).at(dotted)
}

fn text<'v>(body: &'v Value, pointer: &str) -> Option<&'v str> {
    body.pointer(pointer).and_then(Value::as_str)
}

/// Whether what is sent breaks a rule at the place that `steps` lead to.
fn broken(old: &Value, sent: &Value, steps: &[&str], way: Way, patch: bool) -> bool {
    let Some((first, rest)) = steps.split_first() else { return leaf_broken(Some(old), Some(sent), way, patch) };
    if *first == "*" {
        let (Some(before), Some(after)) = (old.as_array(), sent.as_array()) else { return false };
        return after.iter().enumerate().any(|(index, now)| {
            let then = match now.get("name") {
                Some(name) => before.iter().find(|one| one.get("name") == Some(name)),
                None => before.get(index),
            };
            then.is_some_and(|then| broken(then, now, rest, way, patch))
        });
    }
    let (before, after) = (present(old, first), present(sent, first));
    match (before, after) {
        (Some(before), Some(after)) => broken(before, after, rest, way, patch),
        (None, None) => false,
        // the last step, or the whole object around it, is on one side only
        _ => way == Sealed && last_broken(before, after, rest, patch),
    }
}

/// Whether a sealed property is given later, or taken away by a body that speaks of what is around it.
fn last_broken(before: Option<&Value>, after: Option<&Value>, rest: &[&str], patch: bool) -> bool {
    let inner = |value: Option<&Value>| {
        let leaf = value.and_then(|value| rest.iter().try_fold(value, |at, step| present(at, step)));
        leaf.is_some_and(|leaf| !empty(leaf))
    };
    inner(after) || (rest.is_empty() && !patch && inner(before))
}

fn leaf_broken(old: Option<&Value>, sent: Option<&Value>, way: Way, patch: bool) -> bool {
    let (Some(old), Some(sent)) = (old, sent) else { return false };
    if way == Names {
        let names = |list: &Value| -> std::collections::BTreeSet<String> {
            let names = list.as_array().into_iter().flatten().filter_map(|one| one.get("name")?.as_str());
            names.map(str::to_lowercase).collect()
        };
        return names(old) != names(sent);
    }
    let (none, gone) = (empty(old), empty(sent));
    match (none, gone) {
        (true, true) => false,
        (true, false) => way == Sealed,
        (false, true) => way == Sealed && !patch,
        (false, false) => !same(old, sent),
    }
}

fn present<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    let map = value.as_object()?;
    map.get(key)
        .or_else(|| map.iter().find(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, v)| v))
        .filter(|v| !v.is_null())
}

fn empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// Whether what is sent says the same as what is there; what it leaves out of an object stays.
pub(super) fn same(old: &Value, sent: &Value) -> bool {
    match (old, sent) {
        (Value::String(a), Value::String(b)) => a.eq_ignore_ascii_case(b),
        (Value::Object(old), Value::Object(sent)) => sent.iter().all(|(key, value)| {
            let before = old.iter().find(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, v)| v);
            before.map_or_else(|| empty(value), |before| same(before, value))
        }),
        (Value::Array(old), Value::Array(sent)) => {
            old.len() == sent.len() && old.iter().zip(sent).all(|(old, sent)| same(old, sent))
        }
        (old, sent) => old == sent,
    }
}

fn scale_set(put: &WriteContext<'_, '_>, old: &Value) -> Result<(), ArmError> {
    let flexible = text(old, "/properties/orchestrationMode").is_some_and(|mode| mode.eq_ignore_ascii_case("Flexible"));
    let list = |body: &Value| body.pointer("/zones").and_then(Value::as_array).cloned();
    if let (Some(before), Some(after)) = (list(old), list(put.sent))
        && before.iter().any(|zone| !after.contains(zone))
    {
        return Err(refused("/zones", CODE));
    }
    if flexible {
        for pointer in ["/properties/proximityPlacementGroup/id", "/properties/overprovision"] {
            let (before, after) = (old.pointer(pointer), put.sent.pointer(pointer));
            if after.is_some_and(|after| before.is_none_or(|before| !same(before, after))) {
                return Err(refused(pointer, CODE));
            }
        }
        let system = |body: &Value| {
            text(body, "/identity/type").is_some_and(|kind| kind.to_lowercase().contains("systemassigned"))
        };
        if system(put.sent) && !system(old) {
            return Err(ArmError::bad(
                "OperationNotAllowed",
                "A system-assigned identity is not supported by scale sets with flexible orchestration.",
            )
            .at("identity.type"));
        }
    }
    image(put, old)?;
    security_type(put, old, flexible)?;
    networks(put, old)
}

fn image(put: &WriteContext<'_, '_>, old: &Value) -> Result<(), ArmError> {
    const IMAGE: &str = "/properties/virtualMachineProfile/storageProfile/imageReference";
    let own = |body: &Value| body.pointer(IMAGE).map(|image| image.get("id").is_some_and(|id| !id.is_null()));
    match (own(old), own(put.sent)) {
        (Some(before), Some(after)) if before != after => Err(ArmError::conflict(
            "OperationNotAllowed",
            "The Image type for a Virtual Machine Scale Set may not be changed.",
        )
        .at("imageReference")),
        _ => Ok(()),
    }
}

fn security_type(put: &WriteContext<'_, '_>, old: &Value, flexible: bool) -> Result<(), ArmError> {
    const KIND: &str = "/properties/virtualMachineProfile/securityProfile/securityType";
    let kind = |body: &Value| text(body, KIND).map(str::to_lowercase);
    let Some(after) = kind(put.sent) else { return Ok(()) };
    let before = kind(old).unwrap_or_else(|| "standard".to_owned());
    let confidential = (before == "confidentialvm") != (after == "confidentialvm");
    let upgrade = flexible && before == "standard" && after == "trustedlaunch";
    if confidential || upgrade { Err(refused(KIND, CODE)) } else { Ok(()) }
}

/// The virtual network of each IP configuration of a scale set.
fn networks(put: &WriteContext<'_, '_>, old: &Value) -> Result<(), ArmError> {
    let all = |body: &Value| -> Vec<String> {
        let nics = body.pointer(NICS).and_then(Value::as_array).into_iter().flatten();
        let parts = nics.filter_map(|nic| nic.pointer("/properties/ipConfigurations")?.as_array()).flatten();
        let ids = parts.filter_map(|ip| ip.pointer("/properties/subnet/id")?.as_str());
        let mut all: Vec<String> =
            ids.filter_map(|id| id.to_lowercase().split_once("/subnets/").map(|(net, _)| net.to_owned())).collect();
        all.sort();
        all.dedup();
        all
    };
    let (before, after) = (all(old), all(put.sent));
    if before.is_empty() || after.is_empty() || before == after {
        return Ok(());
    }
    Err(ArmError::bad(
        "VMScaleSetCannotBeUpdatedToReferenceSubnetsFromDifferentVirtualNetworks",
        "A Virtual Machine Scale Set cannot be updated to reference subnets from different virtual networks.",
    ))
}

fn account(put: &WriteContext<'_, '_>, old: &Value) -> Result<(), ArmError> {
    let pair =
        |pointer: &str| text(old, pointer).zip(text(put.sent, pointer)).filter(|(a, b)| !a.eq_ignore_ascii_case(b));
    if let Some((before, after)) = pair("/kind") {
        let upgrade = after.eq_ignore_ascii_case("StorageV2") && (before == "Storage" || before == "BlobStorage");
        if !upgrade {
            return Err(refused("/kind", ACCOUNT_CODE));
        }
    }
    if let Some(("Enabled", _)) = pair("/properties/largeFileSharesState") {
        return Err(refused("/properties/largeFileSharesState", ACCOUNT_CODE));
    }
    if let Some((before, after)) = pair("/sku/name") {
        // with copies in another region or without, a zone-redundant account stays one, and a tier stays what it is
        let zonal = |sku: &str| sku.to_lowercase().contains("zrs");
        let tier = |sku: &str| sku.to_lowercase().split('_').next().unwrap_or_default().to_owned();
        let geo_from_zones = before.to_lowercase().ends_with("_zrs") && zonal(after);
        if tier(before) != tier(after) || zonal(before) != zonal(after) || geo_from_zones {
            return Err(ArmError::conflict(
                "StorageAccountTypeConversionNotAllowed",
                format!("Storage account type {before} cannot be changed to {after}."),
            )
            .at("sku.name"));
        }
    }
    Ok(())
}
