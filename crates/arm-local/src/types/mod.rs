//! The rules of resource types: what a provider checks, fills in, refuses and does. A type without rules is stored as
//! sent. The table in `docs/local-endpoint.md` says which is which.

pub mod addresses;
pub mod batch;
pub mod compute;
pub mod computed;
pub mod containers;
pub mod deleted;
pub mod disk;
pub mod fixed;
pub mod gallery;
pub mod insights;
pub mod instances;
pub mod learning;
pub mod network;
pub mod profile;
pub mod refs;
pub mod security;
pub mod service_endpoints;
pub mod shape;
pub mod storage;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::core::Cx;
use crate::documents::Row;

use crate::error::ArmError;
use crate::http::{Reply, Request, page};
use crate::id::Path;
use crate::lookup::ChildPlace;

use crate::rule::{Rule, WriteContext};
use crate::{facts, limits};

struct Plain;

impl Rule for Plain {
    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        security::identity(put)?;
        forget_secrets(&mut put.body);
        if put.at("/properties").is_some_and(Value::is_object) {
            put.set("/properties/provisioningState", "Succeeded".into());
        }
        computed::add(put);
        Ok(())
    }
}

/// Names of properties, in lower case, that no provider returns: of types whose rules the endpoint does not know.
const SECRETS: &[&str] = &[
    "accountkey",
    "adminpassword",
    "administratorloginpassword",
    "clientsecret",
    "connectionstring",
    "customdata",
    "password",
    "privatekey",
    "protectedsettings",
    "sastoken",
    "sharedkey",
];

/// Takes secrets out of a body that is stored as sent.
fn forget_secrets(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|name, _| !SECRETS.contains(&name.to_lowercase().as_str()));
            map.values_mut().for_each(forget_secrets);
        }
        Value::Array(list) => list.iter_mut().for_each(forget_secrets),
        _ => {}
    }
}

/// A type without rules whose PUT is answered with one status, as clients expect: Azure's own accept no other.
struct Fixed(u16);

impl Rule for Fixed {
    fn write_status(&self) -> Option<u16> {
        Some(self.0)
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        Plain.prepare(put)
    }
}

/// A type without rules whose instances have a place.
struct Placed;

impl Rule for Placed {
    fn needs_location(&self) -> bool {
        true
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        Plain.prepare(put)
    }
}

/// A workspace that is kept for a time when it is deleted.
struct Workspace;

impl Rule for Workspace {
    fn needs_location(&self) -> bool {
        true
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        deleted::before_workspace(put)?;
        Plain.prepare(put)
    }
}

/// The rules of a type.
#[must_use]
pub fn rule(kind: &str) -> &'static dyn Rule {
    match kind.to_lowercase().as_str() {
        "microsoft.compute/virtualmachinescalesets" => &compute::ScaleSet,
        "microsoft.compute/virtualmachinescalesets/virtualmachines" => &instances::Instance,
        "microsoft.compute/virtualmachines" => &instances::Machine,
        "microsoft.compute/virtualmachines/extensions"
        | "microsoft.compute/virtualmachines/runcommands"
        | "microsoft.compute/virtualmachinescalesets/virtualmachines/extensions"
        | "microsoft.compute/virtualmachinescalesets/virtualmachines/runcommands" => &instances::Extension,
        "microsoft.compute/availabilitysets" => &compute::AvailabilitySet,
        "microsoft.compute/galleries" => &gallery::Gallery::Top,
        "microsoft.compute/galleries/images" => &gallery::Gallery::Image,
        "microsoft.compute/galleries/images/versions" => &gallery::Gallery::Version,
        "microsoft.compute/proximityplacementgroups" => &compute::Compute,
        "microsoft.network/virtualnetworks" => &network::Network::Vnet,
        "microsoft.network/networksecuritygroups" => &network::Network::SecurityGroup,
        "microsoft.network/publicipaddresses" => &network::Network::PublicIp,
        "microsoft.network/loadbalancers" => &network::Network::LoadBalancer,
        "microsoft.network/networkinterfaces" => &network::Network::Interface,
        "microsoft.network/privateendpoints" => &network::Network::PrivateEndpoint,
        "microsoft.network/privateendpoints/privatednszonegroups" => &network::ZoneGroup,
        "microsoft.network/natgateways"
        | "microsoft.network/routetables"
        | "microsoft.network/bastionhosts"
        | "microsoft.network/publicipprefixes"
        | "microsoft.network/applicationgateways" => &network::Network::Other,
        "microsoft.storage/storageaccounts" => &storage::Account,
        "microsoft.storage/storageaccounts/fileservices"
        | "microsoft.storage/storageaccounts/blobservices"
        | "microsoft.storage/storageaccounts/queueservices"
        | "microsoft.storage/storageaccounts/tableservices" => &storage::Service,
        "microsoft.storage/storageaccounts/fileservices/shares" => &storage::Share,
        "microsoft.storage/storageaccounts/blobservices/containers" => &containers::Container,
        "microsoft.storage/storageaccounts/managementpolicies" => &storage::Policy,
        "microsoft.storage/storageaccounts/encryptionscopes" => &containers::EncryptionScope,
        "microsoft.storage/storageaccounts/blobservices/containers/immutabilitypolicies" => &containers::Immutability,
        "microsoft.managedidentity/userassignedidentities" => &security::Identity,
        "microsoft.authorization/roleassignments" => &security::RoleAssignment,
        "microsoft.authorization/locks" => &security::Lock,
        "microsoft.keyvault/vaults" => &security::Vault,
        "microsoft.keyvault/vaults/secrets" => &security::Secret,
        "microsoft.keyvault/vaults/accesspolicies" => &security::AccessPolicies,
        "microsoft.batch/batchaccounts" => &batch::Account,
        "microsoft.batch/batchaccounts/pools" => &batch::Pool,
        "microsoft.batch/batchaccounts/applications" => &batch::Application,
        "microsoft.batch/batchaccounts/applications/versions" => &batch::Package,
        "microsoft.insights/autoscalesettings" => &insights::Autoscale,
        "microsoft.machinelearningservices/workspaces/computes" => &learning::Compute,
        "microsoft.machinelearningservices/workspaces" | "microsoft.operationalinsights/workspaces" => &Workspace,
        "microsoft.insights/datacollectionrules" => &Placed,
        "microsoft.compute/disks" => &disk::Disk,
        "microsoft.compute/snapshots" => &disk::Snapshot,
        "microsoft.compute/images" => &disk::Image,
        "microsoft.insights/diagnosticsettings" => &insights::Diagnostics,
        "microsoft.insights/actiongroups" => &insights::ActionGroup,
        "microsoft.authorization/policyassignments"
        | "microsoft.authorization/policydefinitions"
        | "microsoft.authorization/policysetdefinitions" => &Fixed(201),
        _ => &Plain,
    }
}

/// The row that a path leads to. A machine of a flexible set is found below its set too.
#[must_use]
pub fn row(cx: &Cx<'_>, path: &Path) -> Option<Arc<Row>> {
    cx.store.row(&path.id()).or_else(|| instances::machine_in_set(cx, path))
}

/// Types that are always there below their parent (`fileServices/default`).
#[must_use]
pub fn implied(kind: &str) -> bool {
    let kind = kind.to_lowercase();
    ["fileservices", "blobservices", "queueservices", "tableservices"]
        .iter()
        .any(|service| kind == format!("microsoft.storage/storageaccounts/{service}"))
}

/// Types whose resources cannot be deleted by themselves: what is always there, and secrets, for which Resource Manager has
/// no deletion (the vault's own interface has).
#[must_use]
pub fn undeletable(kind: &str) -> bool {
    implied(kind) || kind.eq_ignore_ascii_case("Microsoft.KeyVault/vaults/secrets")
}

/// The body of a resource that exists without having been written.
#[must_use]
pub fn virtual_resource(cx: &Cx<'_>, path: &Path) -> Option<Value> {
    let kind = path.resource_type();
    if implied(&kind) {
        return storage::service_body(cx, path);
    }
    if kind.eq_ignore_ascii_case("Microsoft.Batch/batchAccounts/privateLinkResources") {
        return batch::private_link(cx, path);
    }
    if kind.eq_ignore_ascii_case("Microsoft.KeyVault/locations/deletedVaults") {
        return deleted::get(cx, path);
    }
    if kind.eq_ignore_ascii_case("Microsoft.Compute/virtualMachineScaleSets/rollingUpgrades") {
        return instances::latest_upgrade(cx, cx.store.row(&path.parent()?.id())?.as_ref());
    }
    if kind.to_lowercase().starts_with("microsoft.compute/locations/publishers/") {
        return instances::images::version(&path.names, &path.scope);
    }
    if kind.eq_ignore_ascii_case("Microsoft.Authorization/roleDefinitions") {
        let sub = path.subscription().unwrap_or(crate::id::SUBSCRIPTION);
        return facts::roles(sub)
            .into_iter()
            .find(|role| role.get("name").and_then(Value::as_str) == Some(path.name()));
    }
    None
}

/// Completes a part of a resource that is read by itself.
pub fn show_child(cx: &Cx<'_>, request: &Request, path: &Path, place: &ChildPlace, child: &mut Value) {
    network::show_child(cx, place.kind, request.query("api-version").unwrap_or_default(), child);
    if place.kind == "Microsoft.Compute/virtualMachineScaleSets/extensions"
        && let Some(set_row) = path.parent().and_then(|set| cx.store.row(&set.id()))
    {
        let state = instances::extension_state(cx, &set_row, path.name());
        crate::value::set(child, "/properties/provisioningState", json!(state));
    }
}

/// Refuses to delete a child that something else refers to.
///
/// # Errors
/// What the service says (`InUseSubnetCannotBeDeleted`).
pub fn check_child_delete(cx: &Cx<'_>, id: &str, _child: &Value) -> Result<(), ArmError> {
    if id.to_lowercase().contains("/subnets/") {
        return network::subnet_free(cx, id);
    }
    Ok(())
}

/// Checks and lists of a provider that hang on no resource (`checkNameAvailability`, `skus`, `usages`).
///
/// # Errors
/// What the service says.
pub fn service(cx: &mut Cx<'_>, request: &Request, path: &Path, word: &str) -> Result<Option<Reply>, ArmError> {
    let namespace = path.namespace.as_deref().unwrap_or_default().to_lowercase();
    let location = path.names.first().map(|name| crate::names::location(name));
    if let Some(reply) = deleted::service(cx, request, path, word)? {
        return Ok(Some(reply));
    }
    Ok(match (request.method.as_str(), namespace.as_str(), word) {
        ("POST", "microsoft.storage", "checknameavailability") => Some(storage::check_name(cx, request)?),
        ("POST", "microsoft.keyvault", "checknameavailability") => Some(security::check_vault_name(cx, request)?),
        ("POST", _, "checknameavailability") => {
            let sent = request.json()?;
            let name = sent.get("name").and_then(Value::as_str).unwrap_or_default();
            let taken = cx.store.rows().any(|row| row.name == name && row.kind.to_lowercase().starts_with(&namespace));
            Some(Reply::ok(json!({ "nameAvailable": !taken })))
        }
        // services that are built into a subnet: none are
        ("GET", "microsoft.network", "serviceassociationlinks" | "resourcenavigationlinks")
            if path.parent().is_some_and(|subnet| crate::lookup::exists(cx, &subnet.id())) =>
        {
            Some(Reply::ok(json!({ "value": [] })))
        }
        ("GET", "microsoft.batch", "quotas") => Some(Reply::ok(batch::location_quota())),
        ("GET", "microsoft.batch", "virtualmachineskus") => Some(page(request, batch::location_sizes())),
        ("GET", "microsoft.compute", "usages") => {
            Some(page(request, limits::usages(cx, &location.unwrap_or_default())))
        }
        ("GET", "microsoft.network", "usages")
            if path.types.first().is_some_and(|first| first.eq_ignore_ascii_case("locations")) =>
        {
            let sub = path.subscription().unwrap_or(crate::id::SUBSCRIPTION);
            Some(page(request, limits::network_usages(cx, sub, &location.unwrap_or_default())))
        }
        ("GET", "microsoft.machinelearningservices", "usages" | "quotas")
            if path.types.first().is_some_and(|first| first.eq_ignore_ascii_case("locations")) =>
        {
            let sub = path.subscription().unwrap_or(crate::id::SUBSCRIPTION);
            let usages = word == "usages";
            Some(page(request, learning::limits(cx, sub, &location.unwrap_or_default(), usages)))
        }
        ("POST", "microsoft.compute", "generate")
            if path.types.get(1).is_some_and(|kind| kind.eq_ignore_ascii_case("placementScores")) =>
        {
            Some(Reply::ok(crate::placement::scores(cx, &request.json()?)?))
        }
        ("GET", "microsoft.compute", "vmsizes") if location.is_some() && path.types.len() == 2 => {
            Some(Reply::ok(json!({ "value": limits::machine_sizes(cx, &location.unwrap_or_default()) })))
        }
        ("GET", "microsoft.compute", _)
            if path.types.len() > 1
                && path.types.first().is_some_and(|first| first.eq_ignore_ascii_case("locations")) =>
        {
            instances::images::list(&path.types, &path.names, &path.scope).map(|list| ordered_page(request, list))
        }
        ("GET", "microsoft.compute", "skus") if path.types.len() == 1 => {
            let wanted = request.query("$filter").and_then(|text| text.split('\'').nth(1)).map(crate::names::location);
            Some(page(request, limits::skus(cx, wanted.as_deref())))
        }
        ("GET", "microsoft.authorization", "roledefinitions") => {
            let filter = crate::filter::Filter::of(request)?;
            let sub = path.subscription().unwrap_or(crate::id::SUBSCRIPTION);
            Some(page(request, facts::roles(sub).into_iter().filter(|role| filter.passes(role)).collect()))
        }
        _ => None,
    })
}

/// Answers a list of image versions and the like: `$orderby=name desc` turns it round.
fn ordered_page(request: &Request, mut list: Vec<Value>) -> Reply {
    if request.query("$orderby").is_some_and(|order| order.to_lowercase().ends_with("desc")) {
        list.reverse();
    }
    // these lists are arrays, without pages
    let top = request.query("$top").and_then(|text| text.parse().ok()).unwrap_or(usize::MAX);
    Reply::ok(list.into_iter().take(top).collect())
}

/// A POST whose path has the shape of a resource: `…/rollingUpgrades/cancel`.
///
/// # Errors
/// What the service says.
pub fn order(cx: &mut Cx<'_>, request: &Request, path: &Path) -> Result<Option<Reply>, ArmError> {
    let upgrade =
        path.resource_type().eq_ignore_ascii_case("Microsoft.Compute/virtualMachineScaleSets/rollingUpgrades");
    if !upgrade || !path.name().eq_ignore_ascii_case("cancel") {
        return Ok(None);
    }
    let parent = path.parent().unwrap_or_default();
    let row = cx.store.row(&parent.id()).ok_or_else(|| crate::lookup::not_found(&parent))?;
    instances::cancel_upgrade(cx, &row, request).map(Some)
}
