//! Parts of a scale set's model: identity, upgrades, disks, network, extensions.

use super::expr::Text;
use super::json::{Json, Map, json};
use super::names::{PoolNames, Resolver};
use super::values::{self, iso};
use super::{balancer, setup, words};
use dsvm_model::pool::{HealthSource, Orchestration, OsDisk, Pool, UpgradeMode};

pub(super) fn identity(pool: &Pool<'_>, names: &PoolNames) -> Option<Json> {
    let own = names.identity.as_ref().map(|named| {
        let mut ids = Map::new();
        ids.insert(named.id.json().into(), json!({}));
        Json::Object(ids)
    });
    match (pool.entra_login, own) {
        (true, Some(ids)) => Some(json!({ "type": "SystemAssigned, UserAssigned", "userAssignedIdentities": ids })),
        (true, None) => Some(json!({ "type": "SystemAssigned" })),
        (false, Some(ids)) => Some(json!({ "type": "UserAssigned", "userAssignedIdentities": ids })),
        (false, None) => None,
    }
}

pub(super) fn upgrade(pool: &Pool<'_>) -> Json {
    let upgrade = pool.upgrade;
    let mut policy = Map::new();
    policy.insert("mode".into(), json!(words::upgrade_mode(upgrade.mode)));
    if upgrade.mode == UpgradeMode::Rolling {
        // Before each batch Azure compares the first share with all machines, after it the second one with those that were
        // upgraded (RollingUpgradePolicy of the REST reference). In a small pool one unhealthy machine is already more than
        // the usual 20 %, and no upgrade could ever repair it: so the first share lets one machine of the smallest pool
        // pass. The second one stays, and stops an upgrade that makes machines unhealthy.
        let before = upgrade.unhealthy.max(upgrade.batch).get().max(one_machine(pool));
        policy.insert(
            "rollingUpgradePolicy".into(),
            json!({
                "maxBatchInstancePercent": upgrade.batch.get(),
                "maxUnhealthyInstancePercent": before,
                "maxUnhealthyUpgradedInstancePercent": upgrade.unhealthy.get(),
                "pauseTimeBetweenBatches": iso(upgrade.pause),
                "prioritizeUnhealthyInstances": true,
                // `true` replaces machines instead of changing them: local disks would be lost.
                "maxSurge": false,
            }),
        );
    }
    if upgrade.os_images {
        policy.insert(
            "automaticOSUpgradePolicy".into(),
            json!({ "enableAutomaticOSUpgrade": true, "disableAutomaticRollback": false }),
        );
    }
    Json::Object(policy)
}

/// One machine as a share of the smallest pool, in whole percent, rounded up. A pool that may be empty counts as one
/// machine, a pool whose size only the deployment knows as none.
fn one_machine(pool: &Pool<'_>) -> i64 {
    let least = pool.machines.least().filter(|_| pool.machines.most().is_some());
    // 100 / least, rounded up, in a form that no number of machines overflows.
    least.map_or(0, |least| 1 + 99 / least.max(1))
}

/// The property of an image reference that takes an id like this one: galleries that other tenants share have their own.
pub(crate) fn image_id_property(id: &Text) -> &'static str {
    let lower = id.known().unwrap_or_default().to_ascii_lowercase();
    if lower.starts_with("/sharedgalleries/") {
        "sharedGalleryImageId"
    } else if lower.starts_with("/communitygalleries/") {
        "communityGalleryImageId"
    } else {
        "id"
    }
}

pub(super) fn storage_profile(pool: &Pool<'_>, resolver: &Resolver<'_, '_>) -> Json {
    let reference = match (pool.image.id(), pool.image.marketplace()) {
        (Some(id), _) => {
            let id = values::text(id, resolver);
            let mut reference = Map::new();
            reference.insert(image_id_property(&id).into(), id.into());
            Json::Object(reference)
        }
        (None, Some((publisher, offer, sku))) => {
            let version = pool.image.version().map(|version| values::text(version, resolver).json());
            json!({ "publisher": publisher, "offer": offer, "sku": sku, "version": version })
        }
        (None, None) => Json::Null,
    };
    let mut disk = Map::new();
    disk.insert("createOption".into(), json!("FromImage"));
    let (caching, storage, size) = match pool.os_disk {
        OsDisk::Managed(kind, size) => ("ReadWrite", words::disk(kind), size),
        OsDisk::Ephemeral(_, size) => ("ReadOnly", "Standard_LRS", size),
    };
    disk.insert("caching".into(), json!(caching));
    if let OsDisk::Ephemeral(place, _) = pool.os_disk {
        let settings = json!({ "option": "Local", "placement": words::placement(place) });
        disk.insert("diffDiskSettings".into(), settings);
    }
    if let Some(size) = size {
        disk.insert("diskSizeGB".into(), json!(size.get()));
    }
    disk.insert("managedDisk".into(), json!({ "storageAccountType": storage }));
    let mut profile = Map::new();
    profile.insert("imageReference".into(), reference);
    profile.insert("osDisk".into(), Json::Object(disk));
    if pool.size.nvme_only() {
        profile.insert("diskControllerType".into(), json!("NVMe"));
    }
    Json::Object(profile)
}

pub(super) fn network_profile(pool: &Pool<'_>, names: &PoolNames, subnet: &Text) -> Json {
    let mut profile = Map::new();
    if pool.orchestration == Orchestration::Flexible {
        profile.insert("networkApiVersion".into(), json!("2022-11-01"));
    }
    if pool.health.source == HealthSource::LoadBalancer
        && let Some(probe) = balancer::probe(names, pool)
    {
        profile.insert("healthProbe".into(), json!({ "id": probe }));
    }
    profile.insert(
        "networkInterfaceConfigurations".into(),
        json!([{
            "name": "nic",
            "properties": {
                "primary": true,
                "enableAcceleratedNetworking": pool.accelerated_networking,
                "networkSecurityGroup": { "id": names.security_group.id.json() },
                "ipConfigurations": [{
                    "name": "ip",
                    "properties": {
                        "primary": true,
                        "subnet": { "id": subnet.json() },
                        "loadBalancerBackendAddressPools": [{ "id": balancer::backend(names) }],
                    }
                }],
            }
        }]),
    );
    Json::Object(profile)
}

/// The extensions of a machine. None names another one in `provisionAfterExtensions`: the agent skips an extension whose
/// dependency failed (`exthandlers.py` of <https://github.com/Azure/WALinuxAgent>), and health must be reported then too.
pub(super) fn extensions(pool: &Pool<'_>, setup: Json) -> Vec<Json> {
    let mut extensions = vec![setup];
    if pool.health.source == HealthSource::Extension {
        let mut settings = Map::new();
        let version = match pool.health.custom {
            Some((protocol, port, path)) => {
                settings.insert("protocol".into(), json!(words::health_protocol(protocol)));
                settings.insert("port".into(), json!(port));
                if let Some(path) = path {
                    settings.insert("requestPath".into(), json!(path));
                }
                "1.0"
            }
            None => {
                settings.insert("protocol".into(), json!("http"));
                settings.insert("port".into(), json!(setup::HEALTH_PORT));
                settings.insert("requestPath".into(), json!("/health"));
                "2.0"
            }
        };
        settings.insert("intervalInSeconds".into(), json!(pool.health.interval.get()));
        settings.insert("numberOfProbes".into(), json!(pool.health.threshold));
        if version == "2.0" {
            settings.insert("gracePeriod".into(), json!(pool.health.grace.get()));
        }
        extensions.push(json!({
            "name": "health",
            "properties": {
                "publisher": "Microsoft.ManagedServices",
                "type": "ApplicationHealthLinux",
                "typeHandlerVersion": version,
                "autoUpgradeMinorVersion": true,
                "enableAutomaticUpgrade": true,
                "settings": settings,
            }
        }));
    }
    if pool.entra_login {
        extensions.push(json!({
            "name": "entra-login",
            "properties": {
                "publisher": "Microsoft.Azure.ActiveDirectory",
                "type": "AADSSHLoginForLinux",
                "typeHandlerVersion": "1.0",
                "autoUpgradeMinorVersion": true,
            }
        }));
    }
    extensions
}

/// What host names begin with: at most 15 characters, as the API says. What was written is taken as it is.
pub(super) fn computer_name(pool: &Pool<'_>) -> String {
    if let Some(written) = pool.view.computer_name() {
        return written.to_owned();
    }
    dsvm_model::pool::host_name_prefix(&pool.block.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_shared_galleries_have_their_own_properties() {
        let of = |id: &str| image_id_property(&Text::literal(id));
        assert_eq!(of("/sharedGalleries/a/images/b"), "sharedGalleryImageId");
        assert_eq!(of("/SharedGalleries/a/images/b"), "sharedGalleryImageId");
        assert_eq!(of("/communityGalleries/a/images/b"), "communityGalleryImageId");
        assert_eq!(of("/subscriptions/a/images/b"), "id");
    }
}
