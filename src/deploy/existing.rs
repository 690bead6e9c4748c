//! What the project uses and does not manage, held against what it needs there: told when planning, because only the
//! service knows. Each finding points at the line that uses it.

use super::compiled::CompiledProject;
use super::error::CommandError;
use super::observation::{group_in, makes_a_group};
use super::session::Session;
use arm_plan::{Desired, DesiredResource, same_id};
use dsvm_diagnostics::{Code, Diagnostic};
use serde_json::Value;
use std::collections::BTreeMap;

/// API version of networks and subnets.
const NETWORK_API: &str = "2025-05-01";
/// API version of storage accounts.
const STORAGE_API: &str = "2025-06-01";
/// API version of images in the Marketplace.
const COMPUTE_API: &str = "2025-04-01";
/// Built-in role "Storage File Data SMB MI Admin": who has it mounts shares by identity.
const SMB_MI_ADMIN: &str = "a235d3ee-5935-4cfb-8cc5-a3303ad5995e";
/// API version of container registries: the first stable one that tells which roles a registry obeys.
const REGISTRY_API: &str = "2025-11-01";
/// Built-in role "AcrPull", for registries with permissions by registry.
const ACR_PULL: &str = "7f951dda-4ed3-4680-a7ca-43fe172d538d";
/// Built-in role "Container Registry Repository Reader", for registries with permissions by repository.
const REPOSITORY_READER: &str = "b93aa761-3e63-49ed-ac28-beffa264f7ac";
/// API version of Batch accounts and their application packages.
const BATCH_API: &str = "2025-06-01";
/// Pointer to the subnets that a storage account admits.
const RULES: &str = "/properties/networkAcls/virtualNetworkRules";

/// Checks subnets, storage accounts, container registries, private DNS zones and images that the project uses and does not deploy.
///
/// # Errors
/// One of them is missing or lacks what the project needs; or a call to Resource Manager failed.
pub fn check(project: &CompiledProject, desired: &Desired, session: &Session) -> Result<(), CommandError> {
    let mut checks = Checks { project, desired, session, subnets: BTreeMap::new(), found: Vec::new(), placeless: None };
    for resource in desired.resources.iter().filter(|resource| !resource.existing) {
        checks.resource(resource)?;
    }
    if checks.found.is_empty() {
        return match checks.placeless {
            Some((title, help)) => Err(CommandError::input(Code::ExistingUnsuitable, title, help)),
            None => Ok(()),
        };
    }
    Err(CommandError::diagnostics(project.sources.clone(), checks.found))
}

pub(super) struct Checks<'a> {
    project: &'a CompiledProject,
    desired: &'a Desired,
    pub(super) session: &'a Session,
    /// Subnets that were read, by lower-case id; nothing for those that do not exist.
    subnets: BTreeMap<String, Option<Value>>,
    found: Vec<Diagnostic>,
    /// The first finding whose line is not known, with its way out.
    placeless: Option<(String, String)>,
}

impl Checks<'_> {
    fn resource(&mut self, resource: &DesiredResource) -> Result<(), CommandError> {
        match resource.resource_type.to_ascii_lowercase().as_str() {
            "microsoft.storage/storageaccounts" => self.endpoints(resource),
            "microsoft.compute/virtualmachinescalesets" => {
                let body = resource.body.read();
                self.network(resource, &body)?;
                self.image(resource, &body);
                Ok(())
            }
            "microsoft.authorization/roleassignments" if self.group(resource)? => {
                self.share_by_identity(resource)?;
                self.registry(resource)
            }
            "microsoft.batch/batchaccounts/pools" => self.packages(resource),
            "microsoft.network/privateendpoints/privatednszonegroups" => self.zones(resource),
            "microsoft.network/privatednszones/virtualnetworklinks" => self.other_links(resource),
            _ => Ok(()),
        }
    }

    /// Whether the group of something that a role is granted on exists or is deployed here.
    fn group(&mut self, assignment: &DesiredResource) -> Result<bool, CommandError> {
        let Some(name) = group_in(&assignment.id, &self.session.subscription) else { return Ok(true) };
        let beside = |resource: &DesiredResource| {
            !resource.existing
                && makes_a_group(&resource.resource_type)
                && group_in(&resource.id, &self.session.subscription).is_some_and(|own| own.eq_ignore_ascii_case(name))
        };
        if self.desired.resources.iter().any(beside) || self.session.client.resource_group(name)?.is_some() {
            return Ok(true);
        }
        self.tell(
            assignment,
            format!("the resource group `{name}` of an existing resource does not exist"),
            "grants a role there",
            "dsvmc does not create what is declared as `existing`, nor its group",
            "correct `resource_group` or `subscription` in the `existing` block".to_owned(),
        );
        Ok(false)
    }

    /// Every subnet that an account admits has the endpoint of storage.
    fn endpoints(&mut self, account: &DesiredResource) -> Result<(), CommandError> {
        let body = account.body.read();
        for rule in body.pointer(RULES).and_then(Value::as_array).into_iter().flatten() {
            let Some(id) = rule.get("id").and_then(Value::as_str).filter(|id| is_subnet(id)) else { continue };
            let Some(subnet) = self.subnet(id)? else { continue };
            let Some(subnet) = subnet else {
                self.absent(account, id);
                continue;
            };
            let endpoints = subnet.pointer("/properties/serviceEndpoints").and_then(Value::as_array);
            let storage = |one: &Value| {
                let service = one.get("service").and_then(Value::as_str).unwrap_or_default();
                service.eq_ignore_ascii_case("Microsoft.Storage")
                    || service.eq_ignore_ascii_case("Microsoft.Storage.Global")
            };
            if !endpoints.into_iter().flatten().any(storage) {
                let (network, name) = subnet_names(id);
                self.tell(
                    account,
                    format!("subnet `{name}` of the existing network `{network}` has no service endpoint for storage"),
                    "admits that subnet",
                    "Azure would reject the storage account (SubnetsHaveNoServiceEndpointsConfigured); dsvmc does not change an existing network",
                    format!("ask its owner to add it: `az network vnet subnet update --ids {id} --service-endpoints Microsoft.Storage`; or write `access = private_endpoint` in the share"),
                );
            }
        }
        Ok(())
    }

    /// Every subnet that machines are placed in exists.
    fn network(&mut self, set: &DesiredResource, body: &Value) -> Result<(), CommandError> {
        let cards = body.pointer("/properties/virtualMachineProfile/networkProfile/networkInterfaceConfigurations");
        let configurations =
            |card: &Value| card.pointer("/properties/ipConfigurations").and_then(Value::as_array).cloned();
        let configurations = cards.and_then(Value::as_array).into_iter().flatten().filter_map(configurations).flatten();
        let ids = configurations
            .filter_map(|one| one.pointer("/properties/subnet/id").and_then(Value::as_str).map(str::to_owned));
        for id in ids.filter(|id| is_subnet(id)) {
            if matches!(self.subnet(&id)?, Some(None)) {
                self.absent(set, &id);
            }
        }
        Ok(())
    }

    /// An image of the Marketplace that is to boot with Trusted Launch declares that it can. What the service does not
    /// answer is left to the deployment.
    fn image(&mut self, set: &DesiredResource, body: &Value) {
        let profile = |pointer: &str| {
            body.pointer(&format!("/properties/virtualMachineProfile/{pointer}")).and_then(Value::as_str)
        };
        if profile("securityProfile/securityType") != Some("TrustedLaunch") {
            return;
        }
        let reference = |key: &str| profile(&format!("storageProfile/imageReference/{key}"));
        let (Some(publisher), Some(offer), Some(sku), Some(version)) =
            (reference("publisher"), reference("offer"), reference("sku"), reference("version"))
        else {
            return;
        };
        let Some(location) = body.get("location").and_then(Value::as_str).filter(|l| !l.starts_with('[')) else {
            return;
        };
        let versions = format!(
            "/subscriptions/{}/providers/Microsoft.Compute/locations/{location}/publishers/{publisher}/artifacttypes/vmimage/offers/{offer}/skus/{sku}/versions",
            self.session.subscription
        );
        let newest = || {
            let path = format!("{versions}?$top=1&$orderby=name%20desc&api-version={COMPUTE_API}");
            let reply = self.session.client.send(arm_client::Method::Get, &path, None).ok()?;
            reply.body.get(0)?.get("name")?.as_str().map(str::to_owned)
        };
        let version = if version == "latest" { newest() } else { Some(version.to_owned()) };
        let Some(version) = version else { return };
        let Ok(Some(image)) = self.session.client.resource(&format!("{versions}/{version}"), COMPUTE_API) else {
            return;
        };
        let Some(features) = image.pointer("/properties/features").and_then(Value::as_array) else { return };
        let declares = features.iter().any(|feature| {
            feature.get("name").and_then(Value::as_str) == Some("SecurityType")
                && feature.get("value").and_then(Value::as_str).is_some_and(|value| value.contains("TrustedLaunch"))
        });
        if !declares {
            self.tell(
                set,
                format!("image `{offer}` `{sku}` does not declare Trusted Launch"),
                "boots it with Trusted Launch",
                "Azure would reject the scale set: the definition of the image does not name that security type",
                "omit `security`, or choose another image".to_owned(),
            );
        }
    }

    /// An existing account whose shares are mounted by identity admits that.
    fn share_by_identity(&mut self, assignment: &DesiredResource) -> Result<(), CommandError> {
        let body = assignment.body.read();
        let role = body.pointer("/properties/roleDefinitionId").and_then(Value::as_str).unwrap_or_default();
        let Some((account, _)) = assignment.id.split_once("/providers/Microsoft.Authorization/") else { return Ok(()) };
        let is_account = account.to_ascii_lowercase().contains("/providers/microsoft.storage/storageaccounts/");
        if !is_account || !role.to_ascii_lowercase().ends_with(SMB_MI_ADMIN) || self.deploys(account) {
            return Ok(());
        }
        let name = account.rsplit('/').next().unwrap_or_default();
        let Some(found) = self.session.client.resource(account, STORAGE_API)? else {
            self.tell(
                assignment,
                format!("the existing storage account `{name}` does not exist"),
                "uses it",
                "dsvmc does not create what is declared as `existing`",
                "correct its name, `resource_group` or `subscription`, or declare a share of your own without `existing`".to_owned(),
            );
            return Ok(());
        };
        let admits =
            found.pointer("/properties/azureFilesIdentityBasedAuthentication/smbOAuthSettings/isSmbOAuthEnabled");
        if admits != Some(&Value::Bool(true)) {
            self.tell(
                assignment,
                format!("the existing storage account `{name}` does not let machines mount by identity"),
                "mounts by identity",
                "`smbOAuthSettings.isSmbOAuthEnabled` of the account is not set, and dsvmc does not change an existing account",
                format!("ask its owner to set it: `az storage account update --ids {account} --enable-smb-oauth true`; or write `auth = key_vault` in the share"),
            );
        }
        Ok(())
    }

    /// A registry exists, and obeys the role that is granted on it
    /// (<https://learn.microsoft.com/azure/container-registry/container-registry-rbac-abac-repository-permissions>).
    fn registry(&mut self, assignment: &DesiredResource) -> Result<(), CommandError> {
        let body = assignment.body.read();
        let role = body.pointer("/properties/roleDefinitionId").and_then(Value::as_str).unwrap_or_default();
        let role = role.rsplit('/').next().unwrap_or_default();
        let Some((registry, _)) = assignment.id.split_once("/providers/Microsoft.Authorization/") else {
            return Ok(());
        };
        let is_registry = registry.to_ascii_lowercase().contains("/providers/microsoft.containerregistry/registries/");
        if !is_registry || self.deploys(registry) {
            return Ok(());
        }
        let name = registry.rsplit('/').next().unwrap_or_default();
        let Some(found) = self.session.client.resource(registry, REGISTRY_API)? else {
            self.tell(
                assignment,
                format!("the existing container registry `{name}` does not exist"),
                "pulls from it",
                "dsvmc deploys no container registry",
                "correct its `name`, `resource_group` or `subscription`".to_owned(),
            );
            return Ok(());
        };
        let by_repository = found.pointer("/properties/roleAssignmentMode").and_then(Value::as_str)
            == Some("AbacRepositoryPermissions");
        let (ignored, word) = match by_repository {
            true => (role == ACR_PULL, "repositories"),
            false => (role == REPOSITORY_READER, "registry"),
        };
        if ignored {
            self.tell(
                assignment,
                format!("the existing container registry `{name}` ignores the role that pulls from it"),
                "pulls from it",
                "which roles a registry obeys follows from its role assignment permissions mode",
                format!("write `permissions = {word}` in the `existing registry` block"),
            );
        }
        Ok(())
    }

    /// The application packages of a pool are in its account: without one, or without a default version where the pool names
    /// none, "the request fails with the error code InvalidApplicationPackageReferences"
    /// (<https://learn.microsoft.com/rest/api/batchmanagement/pool/create>). An account that is yet to be created has none,
    /// which the compiler told.
    fn packages(&mut self, pool: &DesiredResource) -> Result<(), CommandError> {
        let body = pool.body.read();
        for package in body.pointer("/properties/applicationPackages").and_then(Value::as_array).into_iter().flatten() {
            let Some(id) = package.get("id").and_then(Value::as_str).filter(|id| id.starts_with("/subscriptions/"))
            else {
                continue;
            };
            let Some((account, name)) = id.rsplit_once("/applications/") else { continue };
            if self.session.client.resource(account, BATCH_API)?.is_none() {
                return Ok(());
            }
            let application = self.session.client.resource(id, BATCH_API)?;
            let default = application.as_ref().and_then(|a| a.pointer("/properties/defaultVersion")?.as_str());
            let wanted = package.get("version").and_then(Value::as_str);
            let missing = match (wanted, default) {
                _ if application.is_none() => format!("application package `{name}`"),
                (None, None | Some("")) => format!("default version of the application package `{name}`"),
                (None, Some(_)) => continue,
                (Some(version), _) => {
                    let path = format!("{id}/versions/{version}");
                    match self.session.client.resource(&path, BATCH_API)? {
                        Some(_) => continue,
                        None => format!("version `{version}` of the application package `{name}`"),
                    }
                }
            };
            let account = account.rsplit('/').next().unwrap_or_default();
            self.tell(
                pool,
                format!("the Batch account `{account}` has no {missing}"),
                "installs it on its machines",
                "Azure would reject the pool (InvalidApplicationPackageReferences)",
                format!("upload it with `az batch application package create --application-name {name}`, set a default version with `az batch application set`, or correct `applications`"),
            );
        }
        Ok(())
    }

    /// A subnet that is not deployed here: nothing when it is, else what the service has.
    fn subnet(&mut self, id: &str) -> Result<Option<Option<Value>>, CommandError> {
        let network = id.rsplitn(3, '/').nth(2).unwrap_or_default();
        if self.deploys(id) || self.deploys(network) {
            return Ok(None);
        }
        let key = id.to_ascii_lowercase();
        if let Some(known) = self.subnets.get(&key) {
            return Ok(Some(known.clone()));
        }
        let found = self.session.client.resource(id, NETWORK_API)?;
        self.subnets.insert(key, found.clone());
        Ok(Some(found))
    }

    pub(super) fn deploys(&self, id: &str) -> bool {
        self.desired.resources.iter().any(|resource| !resource.existing && same_id(&resource.id, id))
    }

    fn absent(&mut self, user: &DesiredResource, id: &str) {
        let (network, name) = subnet_names(id);
        self.tell(
            user,
            format!("subnet `{name}` of the existing network `{network}` does not exist"),
            "uses it",
            "dsvmc does not create what is declared as `existing`",
            "correct its name, or the name, `resource_group` or `subscription` of the network".to_owned(),
        );
    }

    pub(super) fn tell(&mut self, user: &DesiredResource, title: String, label: &str, note: &str, help: String) {
        let Some(span) = self.project.parts.get(user.part).and_then(|part| part.span(&user.pointer)) else {
            self.placeless = self.placeless.take().or(Some((title, help)));
            return;
        };
        if !self.found.iter().any(|known| known.title == title) {
            let found = Diagnostic::new(Code::ExistingUnsuitable, title, span, label);
            self.found.push(found.note(note).help(help));
        }
    }
}

fn is_subnet(id: &str) -> bool {
    let id = id.to_ascii_lowercase();
    id.starts_with("/subscriptions/") && id.contains("/virtualnetworks/") && id.contains("/subnets/")
}

/// Names of network and subnet.
fn subnet_names(id: &str) -> (&str, &str) {
    let mut parts = id.rsplit('/');
    let name = parts.next().unwrap_or_default();
    (parts.nth(1).unwrap_or_default(), name)
}
