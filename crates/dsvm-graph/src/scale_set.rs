//! The body of a pool's scale set.

use super::expr::Text;
use super::ids::size_parameter;
use super::json::{Json, Map, json};
use super::names::{PoolNames, Resolver};
use super::values::{self, iso};
use super::{profile, words};
use dsvm_model::pool::{Orchestration, Pool};
use dsvm_model::sizes::Fallback;
use dsvm_sema::value::Value;

/// The scale set: `setup` is the extension that makes its machines, `parameter` holds the number of machines of a pool under
/// autoscale.
pub(crate) fn body(
    pool: &Pool<'_>,
    names: &PoolNames,
    (subnet, setup, parameter): (&Text, Json, &str),
    resolver: &Resolver<'_, '_>,
) -> Map {
    let flexible = pool.orchestration == Orchestration::Flexible;
    let mut body = Map::new();
    let capacity = match &pool.autoscale {
        Some(_) => Json::from(Text::call("parameters", &[parameter.into()])),
        None => values::json(pool.machines.start(), resolver),
    };
    body.insert("sku".into(), sku(pool, capacity));
    if let Some((name, publisher, product)) = pool.image.plan() {
        body.insert("plan".into(), json!({ "name": name, "publisher": publisher, "product": product }));
    }
    if let Some(identity) = profile::identity(pool, names) {
        body.insert("identity".into(), identity);
    }
    if !pool.zones.is_empty() {
        let zones: Vec<String> = pool.zones.iter().map(i64::to_string).collect();
        body.insert("zones".into(), json!(zones));
    }
    let mut properties = Map::new();
    properties.insert("orchestrationMode".into(), json!(if flexible { "Flexible" } else { "Uniform" }));
    if !flexible {
        properties.insert("overprovision".into(), json!(false));
        properties.insert("singlePlacementGroup".into(), json!(!pool.large));
    }
    if pool.fallback == Fallback::Mix {
        let sizes = pool.sizes().enumerate();
        let sizes: Vec<Json> = sizes.map(|(rank, size)| json!({ "name": size.name(), "rank": rank })).collect();
        properties.insert("skuProfile".into(), json!({ "vmSizes": sizes, "allocationStrategy": "Prioritized" }));
    }
    if let Some(share) = pool.spot.as_ref().and_then(|spot| spot.regular).filter(|_| flexible) {
        properties.insert(
            "priorityMixPolicy".into(),
            json!({
                "baseRegularPriorityCount": share.base,
                "regularPriorityPercentageAboveBase": share.above,
            }),
        );
    }
    // The count is fixed at creation. Only 1 (as many fault domains as there are) is legal in both modes, with zones and
    // without ("Manage fault domains", 2025-11-17), so that zones can be added later.
    properties.insert("platformFaultDomainCount".into(), json!(1));
    if pool.zones.len() > 1 {
        properties.insert("zoneBalance".into(), json!(false));
    }
    properties.insert("upgradePolicy".into(), profile::upgrade(pool));
    if let Some((action, grace)) = pool.repair {
        properties.insert(
            "automaticRepairsPolicy".into(),
            json!({ "enabled": true, "gracePeriod": iso(grace), "repairAction": words::repair(action) }),
        );
    }
    properties
        .insert("scaleInPolicy".into(), json!({ "rules": [words::scale_in(pool.scale_in)], "forceDeletion": false }));
    if let Some(seconds) = pool.spot.as_ref().and_then(|s| s.restore) {
        properties.insert("spotRestorePolicy".into(), json!({ "enabled": true, "restoreTimeout": iso(seconds) }));
    }
    let profile = machine(pool, names, (subnet, setup), resolver);
    properties.insert("virtualMachineProfile".into(), Json::Object(profile));
    body.insert("properties".into(), Json::Object(properties));
    body
}

/// Size and number. An instance mix has `Mix` for a size and must have no tier
/// (`SkuTierMustNotBeSetIfSkuProfileIsSpecified`, instance mix FAQ of 2026-05-19).
fn sku(pool: &Pool<'_>, capacity: Json) -> Json {
    match pool.fallback {
        Fallback::None => json!({ "name": pool.size.name(), "tier": "Standard", "capacity": capacity }),
        Fallback::Mix => json!({ "name": "Mix", "capacity": capacity }),
        Fallback::Apply(_) => {
            let size = Text::call("parameters", &[size_parameter(&pool.block.name).as_str().into()]);
            json!({ "name": size.json(), "tier": "Standard", "capacity": capacity })
        }
    }
}

fn machine(pool: &Pool<'_>, names: &PoolNames, (subnet, setup): (&Text, Json), resolver: &Resolver<'_, '_>) -> Map {
    let mut profile = Map::new();
    if let Some(spot) = &pool.spot {
        profile.insert("priority".into(), json!("Spot"));
        profile.insert("evictionPolicy".into(), json!(words::eviction(spot.on_eviction)));
        let price = match spot.max_price {
            Some(Value::Money(money)) => values::decimal(&money.amount),
            Some(value) => values::json(value, resolver),
            None => json!(-1),
        };
        profile.insert("billingProfile".into(), json!({ "maxPrice": price }));
    }
    profile.insert("osProfile".into(), os_profile(pool, resolver));
    profile.insert("storageProfile".into(), profile::storage_profile(pool, resolver));
    profile.insert("networkProfile".into(), profile::network_profile(pool, names, subnet));
    let mut security = Map::new();
    if let Some(secure_boot) = pool.trusted_launch {
        security.insert("securityType".into(), json!("TrustedLaunch"));
        security.insert("uefiSettings".into(), json!({ "secureBootEnabled": secure_boot, "vTpmEnabled": true }));
    }
    // Without the feature on the subscription even `false` is refused.
    if pool.encryption_at_host {
        security.insert("encryptionAtHost".into(), json!(true));
    }
    if !security.is_empty() {
        profile.insert("securityProfile".into(), Json::Object(security));
    }
    profile.insert("diagnosticsProfile".into(), json!({ "bootDiagnostics": { "enabled": pool.boot_diagnostics } }));
    if let Some(seconds) = pool.notice {
        let notification = json!({ "enable": true, "notBeforeTimeout": iso(seconds) });
        profile.insert("scheduledEventsProfile".into(), json!({ "terminateNotificationProfile": notification }));
    }
    profile.insert("extensionProfile".into(), json!({ "extensions": profile::extensions(pool, setup) }));
    profile
}

fn os_profile(pool: &Pool<'_>, resolver: &Resolver<'_, '_>) -> Json {
    let admin = values::text(&pool.admin.name, resolver);
    let mut profile = Map::new();
    profile.insert("computerNamePrefix".into(), json!(profile::computer_name(pool)));
    profile.insert("adminUsername".into(), Json::from(&admin));
    if let Some(password) = pool.admin.password {
        profile.insert("adminPassword".into(), values::text(password, resolver).into());
    }
    let mut linux = Map::new();
    linux.insert("disablePasswordAuthentication".into(), json!(pool.admin.password.is_none()));
    if !pool.admin.keys.is_empty() {
        let path = Text::concat(&["/home/".into(), admin, "/.ssh/authorized_keys".into()]);
        linux.insert("ssh".into(), json!({ "publicKeys": keys(&pool.admin.keys, &path, resolver) }));
    }
    linux.insert("provisionVMAgent".into(), json!(true));
    profile.insert("linuxConfiguration".into(), Json::Object(linux));
    Json::Object(profile)
}

/// Azure takes a list of keys, or one expression for a list that a parameter holds.
fn keys(keys: &[&Value], path: &Text, resolver: &Resolver<'_, '_>) -> Json {
    keys.iter().map(|key| json!({ "path": path.json(), "keyData": values::text(key, resolver).json() })).collect()
}
