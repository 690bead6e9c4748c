//! Resource → the field of its block behind each of its properties: what lets a plan point at a line for each change.
//!
//! A table of facts: what is not in it was computed from several fields and belongs to the block as a whole.

use dsvm_diagnostics::source::Span;
use dsvm_graph::Node;
use dsvm_graph::json::Map;
use dsvm_graph::versions::{self as v, ResourceType};
use dsvm_sema::checked::{Block, Checked, Origin};
use dsvm_sema::table::BlockKind as K;
use dsvm_sema::table::schema::CommonField;
use dsvm_sema::value::Value;

/// Pointer inside the resource, and fields of the block (`upgrade.batch`: of a block inside it). The first that was
/// written counts; `.` is the block itself.
type Row = (&'static str, &'static [&'static str]);

/// Finds the block of a resource.
pub(super) struct Places<'a> {
    blocks: Vec<&'a Block>,
    project: Option<&'a Block>,
}

impl<'a> Places<'a> {
    pub(super) fn new(checked: &'a Checked) -> Self {
        let mut blocks: Vec<&Block> = checked.blocks.iter().filter(|b| b.origin == Origin::Project).collect();
        blocks.sort_by_key(|b| (b.span.source, b.span.start));
        Self { blocks, project: checked.project.map(|p| &checked[p]) }
    }

    /// Calls `found` for each property of the node, whose body was taken out, whose line is known.
    pub(super) fn of(&self, node: &Node, body: &Map, found: &mut dyn FnMut(&str, Span)) {
        if let Some(project) = self.project {
            for (pointer, field) in [("/location", "location"), ("/tags", "tags")] {
                if let Some(span) = project.place_of(field).filter(|_| body.contains_key(field)) {
                    found(pointer, span);
                }
            }
        }
        let Some(top) = self.around(node.span) else { return };
        if top.kind != K::Project
            && let Some(span) = top.place_of("location").filter(|_| node.body.contains_key("location"))
        {
            found("/location", span);
        }
        if top.kind != K::Project
            && let Some(field) = top.common(CommonField::Tags).filter(|field| field.written())
            && let Some(Value::Record(tags)) = field.value()
        {
            for (key, _) in tags.iter() {
                found(&format!("/tags/{}", key.replace('~', "~0").replace('/', "~1")), field.span());
            }
        }
        let Some((block, rows)) = rows_within(top, node) else { return };
        for (pointer, fields) in rows {
            if let Some(span) = fields.iter().find_map(|field| block.place_of(field)) {
                found(pointer, span);
            }
        }
    }

    /// The block at top level that holds a span.
    fn around(&self, span: Span) -> Option<&'a Block> {
        let after = self.blocks.partition_point(|b| (b.span.source, b.span.start) <= (span.source, span.start));
        let before = self.blocks.get(..after)?.iter().rev();
        before.copied().take_while(|b| b.span.source == span.source).find(|b| holds(b.span, span))
    }
}

fn holds(outer: Span, inner: Span) -> bool {
    outer.source == inner.source && outer.start <= inner.start && inner.end <= outer.end
}

/// The innermost block around the node's place that says something about resources of its type.
fn rows_within<'a>(top: &'a Block, node: &Node) -> Option<(&'a Block, &'static [Row])> {
    let inner = top.children.iter().find(|c| holds(c.span, node.span)).and_then(|c| rows_within(c, node));
    inner.or_else(|| {
        let hit = TABLE.iter().find(|(kind, block, _)| *block == top.kind && node.is(*kind))?;
        Some((top, hit.2))
    })
}

/// By type of resource and kind of block.
const TABLE: &[(ResourceType, K, &[Row])] = &[
    (v::SCALE_SET, K::Pool, SCALE_SET),
    (
        v::PUBLIC_IP,
        K::Pool,
        &[("/properties/idleTimeoutInMinutes", &["idle_timeout"]), ("/properties/dnsSettings", &["dns_label"])],
    ),
    (
        v::LOAD_BALANCER,
        K::Pool,
        &[
            ("/properties/frontendIPConfigurations", &["public", "network"]),
            ("/properties/loadBalancingRules", &["serve"]),
            ("/properties/probes", &["serve"]),
        ],
    ),
    (v::SECURITY_GROUP, K::Pool, &[("/properties/securityRules", &["allow", "serve"])]),
    (
        v::AUTOSCALE,
        K::Autoscale,
        &[
            ("/properties/enabled", &["enabled"]),
            ("/properties/predictiveAutoscalePolicy", &["predict"]),
            ("/properties/predictiveAutoscalePolicy/scaleMode", &["predict.mode"]),
            ("/properties/predictiveAutoscalePolicy/scaleLookAheadTime", &["predict.ahead"]),
            ("/properties/notifications", &["notify"]),
        ],
    ),
    (
        v::NETWORK,
        K::Network,
        &[
            ("/properties/addressSpace", &["address"]),
            ("/properties/dhcpOptions", &["dns"]),
            ("/properties/subnets", &["subnet", "address"]),
        ],
    ),
    (v::NAT_GATEWAY, K::Network, &[("/properties", &["outbound"])]),
    (
        v::STORAGE,
        K::Share,
        &[
            ("/kind", &["performance", "protocol"]),
            ("/sku/name", &["redundancy", "performance"]),
            ("/properties/allowSharedKeyAccess", &["auth"]),
            ("/properties/azureFilesIdentityBasedAuthentication", &["auth"]),
            ("/properties/publicNetworkAccess", &["access"]),
            ("/properties/networkAcls", &["access"]),
        ],
    ),
    (
        v::FILE_SERVICE,
        K::Share,
        &[
            ("/properties/shareDeleteRetentionPolicy", &["keep_deleted"]),
            ("/properties/protocolSettings", &["protocol"]),
        ],
    ),
    (
        v::FILE_SHARE,
        K::Share,
        &[
            ("/properties/shareQuota", &["quota"]),
            ("/properties/enabledProtocols", &["protocol"]),
            ("/properties/accessTier", &["tier"]),
            ("/properties/rootSquash", &["root_squash"]),
        ],
    ),
    (v::STORAGE, K::Container, &[("/sku/name", &["redundancy"])]),
    (
        v::VAULT,
        K::Vault,
        &[
            ("/properties/sku", &["sku"]),
            ("/properties/softDeleteRetentionInDays", &["retention"]),
            ("/properties/publicNetworkAccess", &["access"]),
            ("/properties/networkAcls", &["access"]),
            ("/properties/enabledForTemplateDeployment", &["for_templates"]),
        ],
    ),
    (
        v::VAULT_SECRET,
        K::SecretEntry,
        &[
            ("/properties/value", &["value"]),
            ("/properties/contentType", &["content_type"]),
            ("/properties/attributes", &["expires"]),
        ],
    ),
    (
        v::BATCH_ACCOUNT,
        K::BatchAccount,
        &[
            ("/properties/poolAllocationMode", &["allocation"]),
            ("/properties/keyVaultReference", &["vault"]),
            ("/properties/allowedAuthenticationModes", &["shared_keys"]),
            ("/properties/publicNetworkAccess", &["public"]),
            ("/properties/autoStorage", &["storage"]),
        ],
    ),
    (v::BATCH_POOL, K::BatchPool, BATCH_POOL),
    (
        v::WORKSPACE,
        K::Workspace,
        &[
            ("/properties/friendlyName", &["display_name"]),
            ("/properties/keyVault", &["vault"]),
            ("/properties/publicNetworkAccess", &["public"]),
        ],
    ),
    (
        v::COMPUTE,
        K::BatchPool,
        &[
            ("/properties/properties/vmSize", &["size"]),
            ("/properties/properties/vmPriority", &["priority"]),
            ("/properties/properties/scaleSettings", &["machines"]),
            ("/properties/properties/scaleSettings/nodeIdleTimeBeforeScaleDown", &["idle", "machines"]),
            ("/properties/properties/subnet", &["subnet", "network"]),
            ("/properties/properties/enableNodePublicIp", &["public_ip"]),
            ("/properties/properties/remoteLoginPortPublicAccess", &["allow", "ssh"]),
            ("/properties/properties/userAccountCredentials", &["admin"]),
            ("/properties/properties/userAccountCredentials/adminUserName", &["admin.name"]),
            ("/properties/properties/userAccountCredentials/adminUserSshPublicKey", &["admin.key"]),
            ("/properties/properties/userAccountCredentials/adminUserPassword", &["admin.password"]),
            ("/identity", &["identity", "containers", "registries"]),
        ],
    ),
];

const SCALE_SET: &[Row] = &[
    ("/sku/name", &["size"]),
    ("/sku/capacity", &["machines"]),
    ("/plan", &["image"]),
    ("/identity", &["identity", "entra_login", "vault", "shares", "registries"]),
    ("/zones", &["zones"]),
    ("/properties/orchestrationMode", &["orchestration"]),
    ("/properties/platformFaultDomainCount", &["zones", "orchestration"]),
    ("/properties/singlePlacementGroup", &["machines"]),
    ("/properties/zoneBalance", &["zones"]),
    ("/properties/upgradePolicy", &["upgrade"]),
    ("/properties/upgradePolicy/mode", &["upgrade.mode"]),
    ("/properties/upgradePolicy/rollingUpgradePolicy/maxBatchInstancePercent", &["upgrade.batch"]),
    ("/properties/upgradePolicy/rollingUpgradePolicy/maxUnhealthyInstancePercent", &["upgrade.unhealthy"]),
    ("/properties/upgradePolicy/rollingUpgradePolicy/maxUnhealthyUpgradedInstancePercent", &["upgrade.unhealthy"]),
    ("/properties/upgradePolicy/rollingUpgradePolicy/pauseTimeBetweenBatches", &["upgrade.pause"]),
    ("/properties/upgradePolicy/automaticOSUpgradePolicy", &["upgrade.os_images"]),
    ("/properties/automaticRepairsPolicy", &["repair"]),
    ("/properties/automaticRepairsPolicy/enabled", &["repair.enabled"]),
    ("/properties/automaticRepairsPolicy/repairAction", &["repair.action"]),
    ("/properties/automaticRepairsPolicy/gracePeriod", &["repair.grace"]),
    ("/properties/scaleInPolicy", &["scale_in"]),
    ("/properties/spotRestorePolicy", &["spot.restore"]),
    ("/properties/skuProfile", &["size"]),
    ("/properties/priorityMixPolicy", &["spot.base", "spot.regular_above"]),
    ("/properties/priorityMixPolicy/baseRegularPriorityCount", &["spot.base", "spot.regular_above"]),
    ("/properties/priorityMixPolicy/regularPriorityPercentageAboveBase", &["spot.regular_above", "spot.base"]),
    ("/properties/virtualMachineProfile/priority", &["priority"]),
    ("/properties/virtualMachineProfile/evictionPolicy", &["spot.on_eviction", "priority"]),
    ("/properties/virtualMachineProfile/billingProfile", &["spot.max_price", "priority"]),
    ("/properties/virtualMachineProfile/osProfile", &["admin"]),
    ("/properties/virtualMachineProfile/osProfile/computerNamePrefix", &["computer_name", "."]),
    ("/properties/virtualMachineProfile/osProfile/adminUsername", &["admin.name"]),
    ("/properties/virtualMachineProfile/osProfile/adminPassword", &["admin.password"]),
    ("/properties/virtualMachineProfile/osProfile/linuxConfiguration/ssh", &["admin.key"]),
    ("/properties/virtualMachineProfile/storageProfile/imageReference", &["image"]),
    ("/properties/virtualMachineProfile/storageProfile/osDisk", &["os_disk"]),
    ("/properties/virtualMachineProfile/storageProfile/osDisk/diskSizeGB", &["os_disk_size"]),
    ("/properties/virtualMachineProfile/storageProfile/diskControllerType", &["size"]),
    ("/properties/virtualMachineProfile/networkProfile", &["network"]),
    ("/properties/virtualMachineProfile/networkProfile/healthProbe", &["health.source"]),
    (
        "/properties/virtualMachineProfile/networkProfile/networkInterfaceConfigurations/0/properties/enableAcceleratedNetworking",
        &["accelerated_networking", "size"],
    ),
    (
        "/properties/virtualMachineProfile/networkProfile/networkInterfaceConfigurations/0/properties/ipConfigurations/0/properties/subnet",
        &["subnet", "network"],
    ),
    ("/properties/virtualMachineProfile/securityProfile", &["security"]),
    ("/properties/virtualMachineProfile/securityProfile/uefiSettings/secureBootEnabled", &["secure_boot", "size"]),
    ("/properties/virtualMachineProfile/securityProfile/encryptionAtHost", &["encryption_at_host"]),
    ("/properties/virtualMachineProfile/diagnosticsProfile", &["boot_diagnostics"]),
    ("/properties/virtualMachineProfile/scheduledEventsProfile", &["notice"]),
    // The setup is made of nearly everything in the block.
    ("/properties/virtualMachineProfile/extensionProfile/extensions/0", &["setup", "."]),
    ("/properties/virtualMachineProfile/extensionProfile", &["health", "entra_login"]),
];

const BATCH_POOL: &[Row] = &[
    ("/properties/displayName", &["display_name"]),
    ("/properties/vmSize", &["size"]),
    ("/properties/deploymentConfiguration", &["image"]),
    ("/properties/deploymentConfiguration/virtualMachineConfiguration/containerConfiguration", &["docker"]),
    (
        "/properties/deploymentConfiguration/virtualMachineConfiguration/containerConfiguration/containerImageNames",
        &["docker.images"],
    ),
    (
        "/properties/deploymentConfiguration/virtualMachineConfiguration/containerConfiguration/containerRegistries",
        &["docker.registry"],
    ),
    ("/properties/deploymentConfiguration/virtualMachineConfiguration/osDisk", &["os_disk"]),
    ("/properties/deploymentConfiguration/virtualMachineConfiguration/nodePlacementConfiguration", &["placement"]),
    ("/properties/scaleSettings", &["formula", "autoscale", "machines"]),
    ("/properties/scaleSettings/autoScale/evaluationInterval", &["autoscale.every", "every"]),
    ("/properties/scaleSettings/fixedScale/targetDedicatedNodes", &["machines"]),
    ("/properties/scaleSettings/fixedScale/targetLowPriorityNodes", &["spot_machines", "machines"]),
    ("/properties/scaleSettings/fixedScale/resizeTimeout", &["resize_timeout"]),
    ("/properties/scaleSettings/fixedScale/nodeDeallocationOption", &["on_removal"]),
    ("/properties/taskSlotsPerNode", &["task_slots"]),
    ("/properties/taskSchedulingPolicy", &["fill"]),
    ("/properties/interNodeCommunication", &["inter_node"]),
    ("/properties/networkConfiguration", &["network", "public_ip"]),
    ("/properties/networkConfiguration/subnetId", &["subnet", "network"]),
    ("/properties/networkConfiguration/publicIPAddressConfiguration", &["public_ip"]),
    ("/properties/networkConfiguration/enableAcceleratedNetworking", &["accelerated_networking", "size"]),
    ("/properties/networkConfiguration/endpointConfiguration", &["nat"]),
    ("/properties/startTask", &["setup", "."]),
    ("/properties/mountConfiguration", &["shares", "containers"]),
    ("/properties/applicationPackages", &["applications"]),
    ("/properties/userAccounts", &["task_user"]),
    ("/properties/upgradePolicy", &["upgrade_mode"]),
    ("/identity", &["identity", "containers", "docker.registry"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use dsvm_sema::table;

    /// A row that names a field that no block has would never be found.
    #[test]
    fn every_row_names_fields_that_exist() {
        for (kind, block, rows) in TABLE {
            for (pointer, fields) in *rows {
                for path in *fields {
                    assert!(
                        path == &"." || exists(*block, path),
                        "{} {pointer}: `{path}` of {}",
                        kind.name,
                        block.keyword()
                    );
                }
            }
        }
    }

    fn exists(block: K, path: &str) -> bool {
        let spec = table::spec(block);
        let child = |word: &str| spec.children.iter().map(|(kind, _)| *kind).find(|c| c.keyword() == word);
        match path.split_once('.') {
            Some((head, rest)) => child(head).is_some_and(|c| exists(c, rest)),
            None => spec.fields.iter().any(|f| f.name == path) || child(path).is_some(),
        }
    }
}
