//! The spelling of namespaces and types as Azure writes them, and the API versions that `/providers` lists.

/// Type of a scale set.
pub const SCALE_SETS: &str = "Microsoft.Compute/virtualMachineScaleSets";

/// Known types: namespace, type path, newest stable api-version first.
pub const TYPES: &[(&str, &str, &[&str])] = &[
    ("Microsoft.Authorization", "locks", &["2020-05-01", "2016-09-01"]),
    ("Microsoft.Authorization", "roleAssignments", &["2022-04-01", "2015-07-01"]),
    ("Microsoft.Authorization", "roleDefinitions", &["2022-04-01"]),
    ("Microsoft.AAD", "domainServices", &["2025-06-01"]),
    ("Microsoft.Batch", "batchAccounts", &["2025-06-01", "2024-07-01", "2024-02-01"]),
    ("Microsoft.Batch", "batchAccounts/applications", &["2025-06-01", "2024-07-01"]),
    ("Microsoft.Batch", "batchAccounts/applications/versions", &["2025-06-01", "2024-07-01"]),
    ("Microsoft.Batch", "batchAccounts/pools", &["2025-06-01", "2024-07-01", "2024-02-01"]),
    ("Microsoft.Compute", "availabilitySets", &["2026-04-01", "2025-04-01", "2024-07-01"]),
    ("Microsoft.Compute", "disks", &["2025-01-02", "2024-03-02"]),
    ("Microsoft.Compute", "galleries", &["2025-03-03", "2024-03-03"]),
    ("Microsoft.Compute", "galleries/images", &["2025-03-03", "2024-03-03"]),
    ("Microsoft.Compute", "galleries/images/versions", &["2025-03-03", "2024-03-03"]),
    ("Microsoft.Compute", "proximityPlacementGroups", &["2026-04-01", "2025-04-01", "2024-07-01"]),
    ("Microsoft.Compute", "virtualMachines", &["2026-04-01", "2025-04-01", "2024-11-01", "2024-07-01"]),
    ("Microsoft.Compute", "virtualMachines/extensions", &["2026-04-01", "2025-04-01", "2024-07-01"]),
    ("Microsoft.Compute", "virtualMachineScaleSets", &["2026-04-01", "2025-04-01", "2024-11-01", "2024-07-01"]),
    ("Microsoft.Compute", "virtualMachineScaleSets/extensions", &["2026-04-01", "2025-04-01", "2024-07-01"]),
    ("Microsoft.Compute", "virtualMachineScaleSets/virtualMachines", &["2026-04-01", "2025-04-01", "2024-07-01"]),
    ("Microsoft.Consumption", "budgets", &["2024-08-01", "2023-11-01"]),
    ("Microsoft.Insights", "actionGroups", &["2023-01-01"]),
    ("Microsoft.Insights", "autoscaleSettings", &["2022-10-01", "2015-04-01"]),
    ("Microsoft.Insights", "dataCollectionRuleAssociations", &["2024-03-11"]),
    ("Microsoft.Insights", "dataCollectionRules", &["2024-03-11"]),
    ("Microsoft.Insights", "diagnosticSettings", &["2021-05-01-preview", "2016-09-01"]),
    ("Microsoft.Insights", "metricAlerts", &["2018-03-01"]),
    ("Microsoft.KeyVault", "managedHSMs", &["2026-02-01", "2024-11-01"]),
    ("Microsoft.KeyVault", "vaults", &["2026-02-01", "2025-05-01", "2024-11-01"]),
    ("Microsoft.KeyVault", "vaults/secrets", &["2026-02-01", "2025-05-01", "2024-11-01"]),
    ("Microsoft.MachineLearningServices", "workspaces", &["2025-12-01", "2025-09-01"]),
    ("Microsoft.MachineLearningServices", "workspaces/computes", &["2025-12-01", "2025-09-01"]),
    ("Microsoft.ManagedIdentity", "userAssignedIdentities", &["2024-11-30", "2023-01-31"]),
    ("Microsoft.ManagedIdentity", "userAssignedIdentities/federatedIdentityCredentials", &["2024-11-30", "2023-01-31"]),
    ("Microsoft.Network", "applicationGateways", &["2025-05-01", "2024-05-01"]),
    ("Microsoft.Network", "bastionHosts", &["2025-05-01", "2024-05-01"]),
    ("Microsoft.Network", "loadBalancers", &["2025-09-01", "2025-07-01", "2025-05-01", "2024-05-01"]),
    ("Microsoft.Network", "loadBalancers/backendAddressPools", &["2025-05-01", "2024-05-01"]),
    ("Microsoft.Network", "loadBalancers/inboundNatRules", &["2025-05-01", "2024-05-01"]),
    ("Microsoft.Network", "natGateways", &["2025-05-01", "2024-05-01"]),
    ("Microsoft.Network", "networkInterfaces", &["2025-05-01", "2024-05-01"]),
    ("Microsoft.Network", "networkSecurityGroups", &["2025-07-01", "2025-05-01", "2024-05-01"]),
    ("Microsoft.Network", "networkSecurityGroups/securityRules", &["2025-05-01", "2024-05-01"]),
    ("Microsoft.Network", "privateDnsZones", &["2024-06-01"]),
    ("Microsoft.Network", "privateDnsZones/virtualNetworkLinks", &["2024-06-01"]),
    ("Microsoft.Network", "privateEndpoints", &["2025-05-01", "2024-05-01"]),
    ("Microsoft.Network", "privateEndpoints/privateDnsZoneGroups", &["2025-05-01", "2024-05-01"]),
    ("Microsoft.Network", "publicIPAddresses", &["2025-07-01", "2025-05-01", "2024-05-01"]),
    ("Microsoft.Network", "publicIPPrefixes", &["2025-05-01", "2024-05-01"]),
    ("Microsoft.Network", "routeTables", &["2025-05-01", "2024-05-01"]),
    ("Microsoft.Network", "routeTables/routes", &["2025-05-01", "2024-05-01"]),
    ("Microsoft.Network", "virtualNetworks", &["2025-07-01", "2025-05-01", "2024-05-01"]),
    ("Microsoft.Network", "virtualNetworks/subnets", &["2025-05-01", "2024-05-01"]),
    ("Microsoft.Network", "virtualNetworks/virtualNetworkPeerings", &["2025-05-01", "2024-05-01"]),
    ("Microsoft.OperationalInsights", "workspaces", &["2025-07-01", "2025-02-01"]),
    ("Microsoft.Resources", "deployments", &["2026-06-01", "2025-04-01", "2024-11-01"]),
    ("Microsoft.Resources", "deploymentScripts", &["2023-08-01", "2020-10-01"]),
    ("Microsoft.Resources", "deploymentStacks", &["2025-07-01", "2024-03-01"]),
    ("Microsoft.Resources", "templateSpecs", &["2022-02-01"]),
    ("Microsoft.Resources", "templateSpecs/versions", &["2022-02-01"]),
    ("Microsoft.Resources", "deploymentStacksWhatIfResults", &["2025-07-01"]),
    ("Microsoft.Resources", "resourceGroups", &["2025-04-01", "2024-11-01"]),
    ("Microsoft.Resources", "tags", &["2025-04-01", "2024-11-01"]),
    ("Microsoft.Storage", "storageAccounts", &["2026-04-01", "2025-08-01", "2024-01-01"]),
    ("Microsoft.Storage", "storageAccounts/blobServices", &["2025-08-01", "2024-01-01"]),
    ("Microsoft.Storage", "storageAccounts/blobServices/containers", &["2025-08-01", "2024-01-01"]),
    ("Microsoft.Storage", "storageAccounts/fileServices", &["2025-08-01", "2024-01-01"]),
    ("Microsoft.Storage", "storageAccounts/fileServices/shares", &["2025-08-01", "2024-01-01"]),
];

/// Types beyond [`TYPES`] that are stored as sent, and whose lists clients ask for before there are any.
const STORED: &[&str] = &[
    "microsoft.authorization/denyassignments",
    "microsoft.authorization/policyassignments",
    "microsoft.authorization/policydefinitions",
    "microsoft.authorization/policyexemptions",
    "microsoft.authorization/policysetdefinitions",
    "microsoft.batch/batchaccounts/privateendpointconnections",
    "microsoft.compute/capacityreservationgroups",
    "microsoft.compute/diskencryptionsets",
    "microsoft.compute/hostgroups",
    "microsoft.compute/images",
    "microsoft.compute/snapshots",
    "microsoft.compute/sshpublickeys",
    "microsoft.compute/virtualmachines/runcommands",
    "microsoft.containerregistry/registries",
    "microsoft.insights/components",
    "microsoft.insights/scheduledqueryrules",
    "microsoft.keyvault/vaults/privateendpointconnections",
    "microsoft.machinelearningservices/workspaces/datastores",
    "microsoft.machinelearningservices/workspaces/connections",
    "microsoft.network/applicationsecuritygroups",
    "microsoft.network/azurefirewalls",
    "microsoft.network/dnszones",
    "microsoft.network/networkwatchers",
    "microsoft.network/privatelinkservices",
    "microsoft.network/virtualnetworkgateways",
    "microsoft.operationalinsights/workspaces/savedsearches",
    "microsoft.storage/storageaccounts/encryptionscopes",
    "microsoft.storage/storageaccounts/localusers",
    "microsoft.storage/storageaccounts/managementpolicies",
    "microsoft.storage/storageaccounts/queueservices",
    "microsoft.storage/storageaccounts/queueservices/queues",
    "microsoft.storage/storageaccounts/tableservices",
    "microsoft.storage/storageaccounts/tableservices/tables",
];

/// Whether a list of this type is answered when there are none.
#[must_use]
pub fn is_listed(kind: &str) -> bool {
    let known = || TYPES.iter().any(|(namespace, path, _)| kind.eq_ignore_ascii_case(&format!("{namespace}/{path}")));
    STORED.iter().any(|stored| stored.eq_ignore_ascii_case(kind))
        || known()
        || arm_catalog::known_types().any(|known| known.eq_ignore_ascii_case(kind))
}

/// Canonical spelling of a namespace and of as many type segments as are known; the others stay as written.
#[must_use]
pub fn canonical(namespace: &str, types: &[String]) -> (String, Vec<String>) {
    let mut out_namespace = namespace.to_owned();
    let mut best: Vec<String> = types.to_vec();
    let mut matched = 0usize;
    for (known, path, _) in TYPES.iter().filter(|(known, _, _)| known.eq_ignore_ascii_case(namespace)) {
        out_namespace = (*known).to_owned();
        let same = path.split('/').zip(types).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count();
        if same > matched {
            matched = same;
            best = path.split('/').take(same).map(str::to_owned).chain(types.iter().skip(same).cloned()).collect();
        }
    }
    (out_namespace, best)
}

/// The namespace as ids spell it: Azure Monitor writes its own ids in lower case.
#[must_use]
pub fn id_namespace<'a>(namespace: &'a str, types: &[String]) -> &'a str {
    match (namespace, types.first().map(String::as_str)) {
        ("Microsoft.Insights", Some("autoscaleSettings")) => "microsoft.insights",
        _ => namespace,
    }
}

/// A type segment as ids spell it.
#[must_use]
pub fn id_segment<'a>(namespace: &str, segment: &'a str) -> &'a str {
    match (namespace, segment) {
        ("Microsoft.Insights", "autoscaleSettings") => "autoscalesettings",
        _ => segment,
    }
}

/// Types of one namespace with their versions, or of all namespaces.
pub fn of(namespace: Option<&str>) -> impl Iterator<Item = (&'static str, &'static str, &'static [&'static str])> {
    let wanted = namespace.map(str::to_owned);
    TYPES.iter().copied().filter(move |(known, _, _)| wanted.as_deref().is_none_or(|w| known.eq_ignore_ascii_case(w)))
}

/// Regions: name, display name. A well-known subset is enough for clients that ask; any name is accepted in bodies.
pub const REGIONS: &[(&str, &str)] = &[
    ("eastus", "East US"),
    ("eastus2", "East US 2"),
    ("southcentralus", "South Central US"),
    ("westus2", "West US 2"),
    ("westus3", "West US 3"),
    ("australiaeast", "Australia East"),
    ("southeastasia", "Southeast Asia"),
    ("northeurope", "North Europe"),
    ("swedencentral", "Sweden Central"),
    ("uksouth", "UK South"),
    ("westeurope", "West Europe"),
    ("centralus", "Central US"),
    ("southafricanorth", "South Africa North"),
    ("centralindia", "Central India"),
    ("eastasia", "East Asia"),
    ("japaneast", "Japan East"),
    ("koreacentral", "Korea Central"),
    ("canadacentral", "Canada Central"),
    ("francecentral", "France Central"),
    ("germanywestcentral", "Germany West Central"),
    ("italynorth", "Italy North"),
    ("norwayeast", "Norway East"),
    ("polandcentral", "Poland Central"),
    ("spaincentral", "Spain Central"),
    ("switzerlandnorth", "Switzerland North"),
    ("mexicocentral", "Mexico Central"),
    ("uaenorth", "UAE North"),
    ("brazilsouth", "Brazil South"),
    ("israelcentral", "Israel Central"),
    ("qatarcentral", "Qatar Central"),
    ("northcentralus", "North Central US"),
    ("westus", "West US"),
    ("japanwest", "Japan West"),
    ("westcentralus", "West Central US"),
    ("australiasoutheast", "Australia Southeast"),
    ("southindia", "South India"),
    ("canadaeast", "Canada East"),
    ("ukwest", "UK West"),
    ("koreasouth", "Korea South"),
    ("germanynorth", "Germany North"),
];

const PAIRS: &[(&str, &str)] = &[
    ("eastus", "westus"),
    ("eastus2", "centralus"),
    ("northcentralus", "southcentralus"),
    ("westus2", "westcentralus"),
    ("northeurope", "westeurope"),
    ("uksouth", "ukwest"),
    ("southeastasia", "eastasia"),
    ("japaneast", "japanwest"),
    ("australiaeast", "australiasoutheast"),
    ("canadacentral", "canadaeast"),
    ("centralindia", "southindia"),
    ("koreacentral", "koreasouth"),
    ("germanywestcentral", "germanynorth"),
];

/// The region that geo-redundant storage copies to, for regions that have a fixed pair.
#[must_use]
pub fn pair(location: &str) -> Option<&'static str> {
    PAIRS.iter().find_map(|(a, b)| match location {
        here if here == *a => Some(*b),
        here if here == *b => Some(*a),
        _ => None,
    })
}

/// A location as ids and comparisons use it: lower case, no spaces.
#[must_use]
pub fn location(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}
