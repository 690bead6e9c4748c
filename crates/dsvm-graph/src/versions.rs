//! API versions: one place for all of them.
//!
//! Each is the newest stable version that was public for at least four months, so that all regions serve it. Key Vault is
//! the exception: 2026-02-01 is live everywhere, and vaults of older versions have another default for access.

/// Type and version of each resource that dsvmc emits by itself.
pub const VERSIONS: &[(&str, &str)] = &[
    (SCALE_SET, "2025-04-01"),
    (NETWORK, NETWORK_VERSION),
    (LOAD_BALANCER, NETWORK_VERSION),
    (PUBLIC_IP, NETWORK_VERSION),
    (SECURITY_GROUP, NETWORK_VERSION),
    (NAT_GATEWAY, NETWORK_VERSION),
    (PRIVATE_ENDPOINT, NETWORK_VERSION),
    (PRIVATE_ENDPOINT_ZONES, NETWORK_VERSION),
    (DNS_ZONE, "2024-06-01"),
    (DNS_LINK, "2024-06-01"),
    (STORAGE, STORAGE_VERSION),
    (FILE_SERVICE, STORAGE_VERSION),
    (FILE_SHARE, STORAGE_VERSION),
    (IDENTITY, "2024-11-30"),
    (ROLE_ASSIGNMENT, "2022-04-01"),
    (VAULT, "2026-02-01"),
    (VAULT_SECRET, "2026-02-01"),
    (AUTOSCALE, "2022-10-01"),
    (DEPLOYMENT, "2025-04-01"),
    (BATCH_ACCOUNT, BATCH_VERSION),
    (BATCH_POOL, BATCH_VERSION),
    (BATCH_APPLICATION, BATCH_VERSION),
    (BLOB_SERVICE, STORAGE_VERSION),
    (BLOB_CONTAINER, STORAGE_VERSION),
    (WORKSPACE, ML_VERSION),
    (COMPUTE, ML_VERSION),
    (DATASTORE, ML_VERSION),
    (LOGS, "2025-07-01"),
    (INSIGHTS, "2020-02-02"),
];

const NETWORK_VERSION: &str = "2025-05-01";
const STORAGE_VERSION: &str = "2025-08-01";

const BATCH_VERSION: &str = "2025-06-01";
const ML_VERSION: &str = "2025-12-01";

/// Account of Azure Batch.
pub const BATCH_ACCOUNT: &str = "Microsoft.Batch/batchAccounts";
/// Pool of Azure Batch.
pub const BATCH_POOL: &str = "Microsoft.Batch/batchAccounts/pools";
/// Application package of Azure Batch, for ids only.
pub const BATCH_APPLICATION: &str = "Microsoft.Batch/batchAccounts/applications";
/// Blob service of an account.
pub const BLOB_SERVICE: &str = "Microsoft.Storage/storageAccounts/blobServices";
/// Blob container.
pub const BLOB_CONTAINER: &str = "Microsoft.Storage/storageAccounts/blobServices/containers";
/// Workspace of Azure Machine Learning.
pub const WORKSPACE: &str = "Microsoft.MachineLearningServices/workspaces";
/// Compute of a workspace.
pub const COMPUTE: &str = "Microsoft.MachineLearningServices/workspaces/computes";
/// Datastore of a workspace.
pub const DATASTORE: &str = "Microsoft.MachineLearningServices/workspaces/datastores";
/// Log Analytics.
pub const LOGS: &str = "Microsoft.OperationalInsights/workspaces";
/// Application Insights.
pub const INSIGHTS: &str = "Microsoft.Insights/components";
/// Scale set.
pub const SCALE_SET: &str = "Microsoft.Compute/virtualMachineScaleSets";
/// Virtual network.
pub const NETWORK: &str = "Microsoft.Network/virtualNetworks";
/// Subnet, for ids only: subnets are emitted inside their network.
pub const SUBNET: &str = "Microsoft.Network/virtualNetworks/subnets";
/// Load balancer.
pub const LOAD_BALANCER: &str = "Microsoft.Network/loadBalancers";
/// Public address.
pub const PUBLIC_IP: &str = "Microsoft.Network/publicIPAddresses";
/// Network security group.
pub const SECURITY_GROUP: &str = "Microsoft.Network/networkSecurityGroups";
/// NAT gateway.
pub const NAT_GATEWAY: &str = "Microsoft.Network/natGateways";
/// Private endpoint.
pub const PRIVATE_ENDPOINT: &str = "Microsoft.Network/privateEndpoints";
/// DNS of a private endpoint.
pub const PRIVATE_ENDPOINT_ZONES: &str = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups";
/// Private DNS zone.
pub const DNS_ZONE: &str = "Microsoft.Network/privateDnsZones";
/// A zone known in a network.
pub const DNS_LINK: &str = "Microsoft.Network/privateDnsZones/virtualNetworkLinks";
/// Storage account.
pub const STORAGE: &str = "Microsoft.Storage/storageAccounts";
/// File service of an account.
pub const FILE_SERVICE: &str = "Microsoft.Storage/storageAccounts/fileServices";
/// File share.
pub const FILE_SHARE: &str = "Microsoft.Storage/storageAccounts/fileServices/shares";
/// User-assigned identity.
pub const IDENTITY: &str = "Microsoft.ManagedIdentity/userAssignedIdentities";
/// Role assignment.
pub const ROLE_ASSIGNMENT: &str = "Microsoft.Authorization/roleAssignments";
/// Key vault.
pub const VAULT: &str = "Microsoft.KeyVault/vaults";
/// Secret of a vault.
pub const VAULT_SECRET: &str = "Microsoft.KeyVault/vaults/secrets";
/// Autoscale setting.
pub const AUTOSCALE: &str = "Microsoft.Insights/autoscaleSettings";
/// Nested deployment.
pub const DEPLOYMENT: &str = "Microsoft.Resources/deployments";

/// The version of a type that dsvmc emits by itself.
#[must_use]
pub fn version(kind: &str) -> &'static str {
    VERSIONS.iter().find(|(k, _)| *k == kind).map_or("", |(_, v)| v)
}
