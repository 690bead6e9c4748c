//! A property of a resource → the field of the source that sets it, and the unit of its values.

use super::path::below;
use super::situation::is;
use super::units::Unit;

/// What a property is called in the source.
pub(crate) struct Field {
    /// Field or nested block with its field: `size`, `spot max_price`.
    pub(crate) name: &'static str,
    /// The key of its place in the block, where that is not the name.
    pub(crate) place: &'static str,
    pub(crate) unit: Unit,
}

/// Last part of the type, path of the property and everything below it, name, place, unit.
type Row = (&'static str, &'static str, &'static str, &'static str, Unit);

const DISKS: Unit = Unit::Words(&[
    ("Premium_LRS", "premium_ssd"),
    ("StandardSSD_LRS", "standard_ssd"),
    ("Standard_LRS", "standard_hdd"),
    ("Local", "ephemeral"),
]);
const SCALE_IN: Unit = Unit::Words(&[("Default", "balanced"), ("OldestVM", "oldest"), ("NewestVM", "newest")]);
const AFFINITY: Unit =
    Unit::Words(&[("SourceIP", "client_ip"), ("SourceIPProtocol", "client_ip_protocol"), ("Default", "none")]);
const REDUNDANCY: Unit = Unit::Words(&[
    ("Standard_LRS", "lrs"),
    ("Standard_ZRS", "zrs"),
    ("Standard_GRS", "grs"),
    ("Standard_GZRS", "gzrs"),
    ("Premium_LRS", "lrs, premium"),
    ("Premium_ZRS", "zrs, premium"),
]);
const SQUASH: Unit = Unit::Words(&[("NoRootSquash", "none"), ("RootSquash", "root"), ("AllSquash", "all")]);
const PUBLIC: Unit = Unit::Words(&[("Enabled", "true"), ("Disabled", "false")]);
const MEMBER: Unit = Unit::Words(&[("Enabled", "true"), ("Disabled", "false")]);
const PRIORITY: Unit = Unit::Words(&[("Dedicated", "regular"), ("LowPriority", "spot")]);
const VMSS: &str = "virtualMachineScaleSets";
const PROFILE: &str = "properties.virtualMachineProfile";

/// Rows below `properties.virtualMachineProfile` of scale sets.
const MACHINES: &[(&str, &str, &str, Unit)] = &[
    ("priority", "priority", "", Unit::Word),
    ("evictionPolicy", "spot on_eviction", "spot", Unit::Word),
    ("billingProfile", "spot max_price", "spot", Unit::Plain),
    ("scheduledEventsProfile", "notice", "", Unit::Duration),
    ("storageProfile.osDisk.managedDisk", "os_disk", "", DISKS),
    ("storageProfile.osDisk.diffDiskSettings", "os_disk", "", DISKS),
    ("storageProfile.osDisk.caching", "os_disk", "", Unit::Word),
    ("storageProfile.osDisk.diskSizeGB", "os_disk_size", "", Unit::Gibibytes),
    ("storageProfile.imageReference", "image", "", Unit::Plain),
    ("securityProfile.securityType", "security", "", Unit::Word),
    ("securityProfile.uefiSettings", "secure_boot", "", Unit::Plain),
    ("securityProfile.encryptionAtHost", "encryption_at_host", "", Unit::Plain),
    ("diagnosticsProfile", "boot_diagnostics", "", Unit::Plain),
    ("osProfile.adminUsername", "admin name", "admin", Unit::Plain),
    ("osProfile.adminPassword", "admin password", "admin", Unit::Plain),
    ("osProfile.linuxConfiguration.ssh", "admin key", "admin", Unit::Other),
    ("osProfile.computerNamePrefix", "computer_name", "", Unit::Plain),
    (
        "networkProfile.networkInterfaceConfigurations[].properties.enableAcceleratedNetworking",
        "accelerated_networking",
        "",
        Unit::Plain,
    ),
    (
        "networkProfile.networkInterfaceConfigurations[].properties.ipConfigurations[].properties.subnet",
        "subnet",
        "",
        Unit::Name,
    ),
    (
        "networkProfile.networkInterfaceConfigurations[].properties.ipConfigurations[].properties.loadBalancerBackendAddressPools",
        "serve",
        "",
        Unit::Name,
    ),
    ("networkProfile.networkInterfaceConfigurations[].properties.networkSecurityGroup", "allow", "", Unit::Name),
];

/// Other rows, the most exact path first.
const ROWS: &[Row] = &[
    (VMSS, "sku.name", "size", "", Unit::Plain),
    (VMSS, "sku.capacity", "machines", "", Unit::Plain),
    (VMSS, "zones", "zones", "", Unit::Plain),
    (VMSS, "plan", "image", "", Unit::Plain),
    (VMSS, "identity", "identity", "", Unit::Name),
    (VMSS, "properties.orchestrationMode", "orchestration", "", Unit::Word),
    (VMSS, "properties.singlePlacementGroup", "placement groups", "machines", Unit::Plain),
    (VMSS, "properties.platformFaultDomainCount", "fault domains", "zones", Unit::Plain),
    (VMSS, "properties.automaticRepairsPolicy.enabled", "repair enabled", "repair", Unit::Plain),
    (VMSS, "properties.automaticRepairsPolicy.gracePeriod", "repair grace", "repair", Unit::Duration),
    (VMSS, "properties.automaticRepairsPolicy.repairAction", "repair action", "repair", Unit::Word),
    (VMSS, "properties.scaleInPolicy", "scale_in", "", SCALE_IN),
    (VMSS, "properties.skuProfile", "size", "size", Unit::Plain),
    (VMSS, "properties.priorityMixPolicy.baseRegularPriorityCount", "spot base", "spot", Unit::Plain),
    (
        VMSS,
        "properties.priorityMixPolicy.regularPriorityPercentageAboveBase",
        "spot regular_above",
        "spot",
        Unit::Percent,
    ),
    (VMSS, "properties.spotRestorePolicy", "spot restore", "spot", Unit::Duration),
    (VMSS, "properties.upgradePolicy.mode", "upgrade mode", "upgrade", Unit::Word),
    (
        VMSS,
        "properties.upgradePolicy.rollingUpgradePolicy.maxBatchInstancePercent",
        "upgrade batch",
        "upgrade",
        Unit::Percent,
    ),
    (
        VMSS,
        "properties.upgradePolicy.rollingUpgradePolicy.pauseTimeBetweenBatches",
        "upgrade pause",
        "upgrade",
        Unit::Duration,
    ),
    (VMSS, "properties.upgradePolicy.rollingUpgradePolicy", "upgrade unhealthy", "upgrade", Unit::Percent),
    (VMSS, "properties.upgradePolicy.automaticOSUpgradePolicy", "upgrade os_images", "upgrade", Unit::Plain),
    ("autoscaleSettings", "properties.enabled", "autoscale enabled", "autoscale", Unit::Plain),
    ("autoscaleSettings", "properties.predictiveAutoscalePolicy", "autoscale predict", "autoscale", Unit::Plain),
    ("autoscaleSettings", "properties.notifications", "autoscale notify", "autoscale", Unit::Other),
    ("publicIPAddresses", "properties.dnsSettings", "dns_label", "", Unit::Plain),
    ("publicIPAddresses", "properties.idleTimeoutInMinutes", "idle_timeout", "", Unit::Minutes),
    (
        "loadBalancers",
        "properties.loadBalancingRules[].properties.idleTimeoutInMinutes",
        "idle_timeout",
        "",
        Unit::Minutes,
    ),
    ("loadBalancers", "properties.loadBalancingRules[].properties.loadDistribution", "affinity", "", AFFINITY),
    ("loadBalancers", "properties.loadBalancingRules", "serve", "", Unit::Plain),
    ("loadBalancers", "properties.probes", "serve", "", Unit::Plain),
    ("loadBalancers", "properties.frontendIPConfigurations", "public", "", Unit::Name),
    ("networkSecurityGroups", "properties.securityRules", "allow", "", Unit::Plain),
    ("virtualNetworks", "properties.addressSpace", "address", "", Unit::Plain),
    ("virtualNetworks", "properties.dhcpOptions", "dns", "", Unit::Plain),
    ("virtualNetworks", "properties.subnets[].properties.addressPrefix", "subnet address", "subnet", Unit::Plain),
    ("virtualNetworks", "properties.subnets[].properties.natGateway", "outbound", "", Unit::Name),
    ("virtualNetworks", "properties.subnets[].properties.serviceEndpoints", "service endpoints", "subnet", Unit::Plain),
    ("virtualNetworks", "properties.subnets", "subnet", "subnet", Unit::Plain),
    ("shares", "properties.shareQuota", "quota", "", Unit::Gibibytes),
    ("shares", "properties.accessTier", "tier", "", Unit::Word),
    ("shares", "properties.enabledProtocols", "protocol", "", Unit::Word),
    ("shares", "properties.rootSquash", "root_squash", "", SQUASH),
    ("fileServices", "properties.shareDeleteRetentionPolicy", "keep_deleted", "", Unit::Days),
    ("storageAccounts", "sku.name", "redundancy", "", REDUNDANCY),
    ("storageAccounts", "kind", "performance", "", Unit::Plain),
    ("storageAccounts", "properties.networkAcls", "access", "", Unit::Name),
    ("storageAccounts", "properties.publicNetworkAccess", "access", "", Unit::Word),
    ("storageAccounts", "properties.allowSharedKeyAccess", "auth", "", Unit::Plain),
    ("storageAccounts", "properties.azureFilesIdentityBasedAuthentication", "auth", "", Unit::Plain),
    ("vaults", "properties.softDeleteRetentionInDays", "retention", "", Unit::Days),
    ("vaults", "properties.sku.name", "sku", "", Unit::Word),
    ("vaults", "properties.publicNetworkAccess", "access", "", Unit::Word),
    ("vaults", "properties.networkAcls", "access", "", Unit::Name),
    ("vaults", "properties.enabledForTemplateDeployment", "for_templates", "", Unit::Plain),
    ("secrets", "properties.value", "value", "", Unit::Plain),
    ("secrets", "properties.contentType", "content_type", "", Unit::Plain),
    ("secrets", "properties.attributes.exp", "expires", "", Unit::Plain),
    ("pools", "properties.vmSize", "size", "", Unit::Plain),
    ("pools", "properties.displayName", "display_name", "", Unit::Plain),
    ("pools", "properties.scaleSettings.fixedScale.targetDedicatedNodes", "machines", "", Unit::Plain),
    ("pools", "properties.scaleSettings.fixedScale.targetLowPriorityNodes", "spot_machines", "machines", Unit::Plain),
    ("pools", "properties.scaleSettings.fixedScale.resizeTimeout", "resize_timeout", "", Unit::Duration),
    ("pools", "properties.scaleSettings.autoScale.evaluationInterval", "autoscale every", "autoscale", Unit::Duration),
    ("pools", "properties.taskSlotsPerNode", "task_slots", "", Unit::Plain),
    ("pools", "properties.taskSchedulingPolicy", "fill", "", Unit::Word),
    ("pools", "properties.interNodeCommunication", "inter_node", "", MEMBER),
    ("pools", "properties.networkConfiguration.subnetId", "subnet", "", Unit::Name),
    ("pools", "properties.networkConfiguration.publicIPAddressConfiguration", "public_ip", "", Unit::Plain),
    (
        "pools",
        "properties.deploymentConfiguration.virtualMachineConfiguration.imageReference",
        "image",
        "",
        Unit::Plain,
    ),
    (
        "pools",
        "properties.deploymentConfiguration.virtualMachineConfiguration.nodeAgentSkuId",
        "image",
        "",
        Unit::Plain,
    ),
    (
        "pools",
        "properties.deploymentConfiguration.virtualMachineConfiguration.containerConfiguration",
        "docker images",
        "docker",
        Unit::Plain,
    ),
    ("pools", "properties.deploymentConfiguration.virtualMachineConfiguration.osDisk", "os_disk", "", Unit::Plain),
    ("pools", "properties.applicationPackages", "applications", "", Unit::Name),
    ("pools", "properties.upgradePolicy", "upgrade_mode", "", Unit::Word),
    ("pools", "properties.userAccounts", "task_user", "task_user", Unit::Other),
    ("pools", "identity", "identity", "", Unit::Name),
    ("computes", "properties.properties.vmSize", "size", "", Unit::Plain),
    ("computes", "properties.properties.vmPriority", "priority", "", PRIORITY),
    ("computes", "properties.properties.scaleSettings.minNodeCount", "machines minimum", "machines", Unit::Plain),
    ("computes", "properties.properties.scaleSettings.maxNodeCount", "machines maximum", "machines", Unit::Plain),
    ("computes", "properties.properties.scaleSettings.nodeIdleTimeBeforeScaleDown", "idle", "", Unit::Duration),
    ("computes", "properties.properties.subnet", "subnet", "", Unit::Name),
    ("computes", "properties.properties.remoteLoginPortPublicAccess", "ssh", "", PUBLIC),
    ("computes", "properties.properties.enableNodePublicIp", "public_ip", "", Unit::Plain),
    ("computes", "identity", "identity", "", Unit::Name),
    ("workspaces", "properties.friendlyName", "display_name", "", Unit::Plain),
    ("workspaces", "properties.publicNetworkAccess", "public", "", PUBLIC),
    ("batchAccounts", "properties.publicNetworkAccess", "public", "", PUBLIC),
    ("batchAccounts", "properties.poolAllocationMode", "allocation", "", Unit::Word),
    ("batchAccounts", "properties.allowedAuthenticationModes", "shared_keys", "", Unit::Plain),
];

/// The field that sets a property, by the pattern of its path; nothing when it has none.
pub(crate) fn field(resource_type: &str, pattern: &str) -> Option<Field> {
    let made = |name: &'static str, place: &'static str, unit: Unit| Field {
        name,
        place: if place.is_empty() { name } else { place },
        unit,
    };
    if below(pattern, "tags") {
        return Some(made("tags", "", Unit::Plain));
    }
    if pattern == "location" {
        return Some(made("location", "", Unit::Plain));
    }
    if is(resource_type, VMSS)
        && let Some(inner) = pattern.strip_prefix(PROFILE).and_then(|rest| rest.strip_prefix('.'))
    {
        let row = MACHINES.iter().find(|(path, ..)| below(inner, path))?;
        return Some(made(row.1, row.2, row.3));
    }
    let mut rows = ROWS.iter().filter(|row| is(resource_type, row.0));
    let row = rows.find(|row| below(pattern, row.1))?;
    Some(made(row.2, row.3, row.4))
}
