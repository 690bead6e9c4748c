//! Where a template is deployed: what `resourceGroup()`, `subscription()`, `deployment()` and `environment()` answer.

use indexmap::IndexMap;
use jiff::Timestamp;
use serde_json::{Value as Json, json};

/// The level at which a template is deployed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Into a resource group.
    #[default]
    ResourceGroup,
    /// Into a subscription: the template creates resource groups or subscription-level resources.
    Subscription,
    /// Into a management group.
    ManagementGroup,
    /// Into the tenant: the template creates management groups and the like.
    Tenant,
}

/// The resource group of a deployment, as `resourceGroup()` returns it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceGroup {
    /// Its name, such as `rg-team`.
    pub name: String,
    /// Its region, if known; otherwise `resourceGroup().location` stays unknown.
    pub location: Option<String>,
    /// Its tags, by name.
    pub tags: IndexMap<String, String>,
    /// The resource that manages it.
    pub managed_by: Option<String>,
}

/// The identity that deploys, as `deployer()` returns it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deployer {
    /// Object id of the principal.
    pub object_id: String,
    /// Id of its tenant.
    pub tenant_id: String,
    /// Its name, for people.
    pub user_principal_name: String,
}

/// How a value with unknown parts that an expression made is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// As one expression, `[createObject('a', 1, 'b', reference(…))]`: the form of Microsoft's snapshots.
    #[default]
    Whole,
    /// As JSON whose unknown parts are expressions, `{"a": 1, "b": "[reference(…)]"}`.
    Parts,
}

/// Where and when a template is deployed.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The level at which the template is deployed.
    pub scope: Scope,
    /// The subscription; `None` above subscriptions.
    pub subscription_id: Option<String>,
    /// Display name of the subscription, if known.
    pub subscription_name: Option<String>,
    /// The tenant, if known.
    pub tenant_id: Option<String>,
    /// The resource group, at that level.
    pub resource_group: Option<ResourceGroup>,
    /// Name of the management group, at that level.
    pub management_group: Option<String>,
    /// Name of the deployment.
    pub deployment_name: String,
    /// Region of the deployment record, above resource groups.
    pub location: Option<String>,
    /// Address of the template, when it has one; base of relative links.
    pub template_link: Option<String>,
    /// The time for `utcNow()`; unknown when `None`.
    pub now: Option<Timestamp>,
    /// Seed of `newGuid()`; unknown when `None`. The same seed gives the same sequence.
    pub guid_seed: Option<u128>,
    /// Who deploys, if known.
    pub deployer: Option<Deployer>,
    /// What `environment()` answers; the public cloud when `None`.
    pub cloud: Option<Json>,
    /// Form of values with unknown parts.
    pub form: Form,
}

impl Context {
    /// A deployment into a resource group.
    #[must_use]
    pub fn resource_group(subscription_id: &str, name: &str) -> Self {
        Self {
            subscription_id: Some(subscription_id.to_string()),
            resource_group: Some(ResourceGroup { name: name.to_string(), ..ResourceGroup::default() }),
            deployment_name: "main".to_string(),
            ..Self::default()
        }
    }

    /// A deployment into a subscription.
    #[must_use]
    pub fn subscription(subscription_id: &str) -> Self {
        Self {
            scope: Scope::Subscription,
            subscription_id: Some(subscription_id.to_string()),
            deployment_name: "main".to_string(),
            ..Self::default()
        }
    }

    /// Id of the scope, the empty string for the tenant.
    #[must_use]
    pub fn scope_id(&self) -> String {
        let subscription = self.subscription_id.as_deref().unwrap_or("");
        match self.scope {
            Scope::ResourceGroup => {
                let group = self.resource_group.as_ref().map_or("", |g| g.name.as_str());
                format!("/subscriptions/{subscription}/resourceGroups/{group}")
            }
            Scope::Subscription => format!("/subscriptions/{subscription}"),
            Scope::ManagementGroup => format!(
                "/providers/Microsoft.Management/managementGroups/{}",
                self.management_group.as_deref().unwrap_or("")
            ),
            Scope::Tenant => String::new(),
        }
    }
}

/// What `environment()` answers in the public cloud.
#[must_use]
pub fn public_cloud() -> Json {
    json!({
        "name": "AzureCloud",
        "gallery": "https://gallery.azure.com/",
        "graph": "https://graph.windows.net/",
        "portal": "https://portal.azure.com",
        "graphAudience": "https://graph.windows.net/",
        "activeDirectoryDataLake": "https://datalake.azure.net/",
        "batch": "https://batch.core.windows.net/",
        "media": "https://rest.media.azure.net",
        "sqlManagement": "https://management.core.windows.net:8443/",
        "vmImageAliasDoc": "https://raw.githubusercontent.com/Azure/azure-rest-api-specs/master/arm-compute/quickstart-templates/aliases.json",
        "resourceManager": "https://management.azure.com/",
        "authentication": {
            "loginEndpoint": "https://login.microsoftonline.com/",
            "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
            "tenant": "common",
            "identityProvider": "AAD"
        },
        "suffixes": {
            "acrLoginServer": ".azurecr.io",
            "azureDatalakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.net",
            "azureDatalakeStoreFileSystem": "azuredatalakestore.net",
            "azureFrontDoorEndpointSuffix": "azurefd.net",
            "keyvaultDns": ".vault.azure.net",
            "sqlServerHostname": ".database.windows.net",
            "storage": "core.windows.net"
        }
    })
}
