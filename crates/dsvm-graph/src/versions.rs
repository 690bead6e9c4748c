//! Resource types and their API versions: one place for all of them.
//!
//! Each version is the newest stable one that was public for at least four months, so that all regions serve it. Key Vault
//! is the exception: 2026-02-01 is available everywhere, and vaults of older versions have another default for access.

/// A resource type that dsvmc emits by itself, with the API version of its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceType {
    /// As Azure writes it, such as `Microsoft.Network/virtualNetworks`.
    pub name: &'static str,
    /// API version, such as `2025-05-01`.
    pub version: &'static str,
}

impl AsRef<str> for ResourceType {
    fn as_ref(&self) -> &str {
        self.name
    }
}

const NETWORK_VERSION: &str = "2025-05-01";
const STORAGE_VERSION: &str = "2025-08-01";
const BATCH_VERSION: &str = "2025-06-01";
const ML_VERSION: &str = "2025-12-01";

const fn of(name: &'static str, version: &'static str) -> ResourceType {
    ResourceType { name, version }
}

/// Account of Azure Batch, which holds pools and jobs.
pub const BATCH_ACCOUNT: ResourceType = of("Microsoft.Batch/batchAccounts", BATCH_VERSION);
/// Azure Batch: pool, a child of the account.
pub const BATCH_POOL: ResourceType = of("Microsoft.Batch/batchAccounts/pools", BATCH_VERSION);
/// Blob service of a storage account; its only name is `default`.
pub const BLOB_SERVICE: ResourceType = of("Microsoft.Storage/storageAccounts/blobServices", STORAGE_VERSION);
/// Container of a blob service.
pub const BLOB_CONTAINER: ResourceType =
    of("Microsoft.Storage/storageAccounts/blobServices/containers", STORAGE_VERSION);
/// Azure Machine Learning: workspace.
pub const WORKSPACE: ResourceType = of("Microsoft.MachineLearningServices/workspaces", ML_VERSION);
/// Azure Machine Learning: compute cluster of a workspace.
pub const COMPUTE: ResourceType = of("Microsoft.MachineLearningServices/workspaces/computes", ML_VERSION);
/// Azure Machine Learning: datastore of a workspace.
pub const DATASTORE: ResourceType = of("Microsoft.MachineLearningServices/workspaces/datastores", ML_VERSION);
/// Log Analytics workspace, which Application Insights writes to.
pub const LOGS: ResourceType = of("Microsoft.OperationalInsights/workspaces", "2025-07-01");
/// Application Insights, which a workspace requires.
pub const INSIGHTS: ResourceType = of("Microsoft.Insights/components", "2020-02-02");
/// Virtual machine scale set: the machines of a pool.
pub const SCALE_SET: ResourceType = of("Microsoft.Compute/virtualMachineScaleSets", "2025-04-01");
/// Virtual network with its subnets.
pub const NETWORK: ResourceType = of("Microsoft.Network/virtualNetworks", NETWORK_VERSION);
/// Load balancer in front of a pool.
pub const LOAD_BALANCER: ResourceType = of("Microsoft.Network/loadBalancers", NETWORK_VERSION);
/// Public IP address of a pool or a NAT gateway.
pub const PUBLIC_IP: ResourceType = of("Microsoft.Network/publicIPAddresses", NETWORK_VERSION);
/// Network security group of a pool.
pub const SECURITY_GROUP: ResourceType = of("Microsoft.Network/networkSecurityGroups", NETWORK_VERSION);
/// NAT gateway: outbound access of a network.
pub const NAT_GATEWAY: ResourceType = of("Microsoft.Network/natGateways", NETWORK_VERSION);
/// Private endpoint of a storage account or vault.
pub const PRIVATE_ENDPOINT: ResourceType = of("Microsoft.Network/privateEndpoints", NETWORK_VERSION);
/// DNS registration of a private endpoint.
pub const PRIVATE_ENDPOINT_ZONES: ResourceType =
    of("Microsoft.Network/privateEndpoints/privateDnsZoneGroups", NETWORK_VERSION);
/// Private DNS zone, one for each kind of service.
pub const DNS_ZONE: ResourceType = of("Microsoft.Network/privateDnsZones", "2024-06-01");
/// Link that resolves a private DNS zone in a network.
pub const DNS_LINK: ResourceType = of("Microsoft.Network/privateDnsZones/virtualNetworkLinks", "2024-06-01");
/// Storage account of a share, a container or a service.
pub const STORAGE: ResourceType = of("Microsoft.Storage/storageAccounts", STORAGE_VERSION);
/// File service of a storage account; its only name is `default`.
pub const FILE_SERVICE: ResourceType = of("Microsoft.Storage/storageAccounts/fileServices", STORAGE_VERSION);
/// Share of a file service.
pub const FILE_SHARE: ResourceType = of("Microsoft.Storage/storageAccounts/fileServices/shares", STORAGE_VERSION);
/// User-assigned managed identity of machines.
pub const IDENTITY: ResourceType = of("Microsoft.ManagedIdentity/userAssignedIdentities", "2024-11-30");
/// Role of an identity at a scope.
pub const ROLE_ASSIGNMENT: ResourceType = of("Microsoft.Authorization/roleAssignments", "2022-04-01");
/// Key vault; access is by role.
pub const VAULT: ResourceType = of("Microsoft.KeyVault/vaults", "2026-02-01");
/// Secret of a key vault.
pub const VAULT_SECRET: ResourceType = of("Microsoft.KeyVault/vaults/secrets", "2026-02-01");
/// Autoscale setting of a scale set.
pub const AUTOSCALE: ResourceType = of("Microsoft.Insights/autoscaleSettings", "2022-10-01");
/// Nested deployment into another resource group.
pub const DEPLOYMENT: ResourceType = of("Microsoft.Resources/deployments", "2025-04-01");
/// Container registry: never emitted, only read.
pub(crate) const REGISTRY: ResourceType = of("Microsoft.ContainerRegistry/registries", "2025-11-01");
/// Application package of Azure Batch, for ids only.
pub(crate) const BATCH_APPLICATION: &str = "Microsoft.Batch/batchAccounts/applications";
/// Subnet, for ids only: subnets are emitted inside their network.
pub(crate) const SUBNET: &str = "Microsoft.Network/virtualNetworks/subnets";

#[cfg(test)]
mod tests {
    /// A preview version may change under a deployment that worked.
    #[test]
    fn no_version_is_a_preview() {
        let written = include_str!("versions.rs").split("mod tests").next().unwrap();
        assert!(written.matches("\"20").count() > 10, "the versions are in this file");
        assert!(!written.contains("-preview"));
    }
}
