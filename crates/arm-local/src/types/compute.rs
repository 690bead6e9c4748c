//! Virtual machine scale sets: what a PUT checks, merges, fills in and never gives back.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::core::Cx;
use crate::documents::Row;
use crate::error::ArmError;
use crate::http::{Reply, Request};
use crate::limits;
use crate::lro::Style;
use crate::names::SCALE_SETS;
use crate::providers;
use crate::rule::{Rule, WriteContext};
use crate::types::addresses::subnet_of;
use crate::types::profile::{check_custom_data, disk_type, fill_os, strip_secrets};
use crate::types::{instances, refs, security};
use crate::value::{set, set_default};

pub struct ScaleSet;

/// Other compute types with a location (placement groups).
pub struct Compute;

fn bad(target: &str, message: impl Into<String>) -> ArmError {
    ArmError::bad("InvalidParameter", message).at(target)
}

/// `Microsoft.Compute/availabilitySets`: a write is answered 200, new or not.
pub struct AvailabilitySet;

impl Rule for AvailabilitySet {
    fn needs_location(&self) -> bool {
        true
    }

    fn merges(&self) -> bool {
        true
    }

    fn write_status(&self) -> Option<u16> {
        Some(200)
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        put.default("/sku/name", json!("Classic"));
        put.default("/properties/platformUpdateDomainCount", json!(5));
        put.default("/properties/platformFaultDomainCount", json!(3));
        Ok(())
    }
}

impl Rule for Compute {
    fn needs_location(&self) -> bool {
        true
    }

    fn merges(&self) -> bool {
        true
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        security::identity(put)?;
        put.set("/properties/provisioningState", json!("Succeeded"));
        Ok(())
    }

    fn shown(&self, cx: &Cx<'_>, row: &Row, request: &Request) -> Value {
        let mut body = cx.view(row);
        if request.method == "GET" {
            // only a GET says who is in it
            for kind in ["virtualMachines", "virtualMachineScaleSets", "availabilitySets"] {
                let inside = cx.store.of_kind(&format!("Microsoft.Compute/{kind}")).into_iter().filter(|user| {
                    let group = user.text("/properties/proximityPlacementGroup/id");
                    group.is_some_and(|group| group.eq_ignore_ascii_case(&row.id))
                });
                let ids: Vec<Value> = inside.map(|user| json!({ "id": user.id })).collect();
                set(&mut body, &format!("/properties/{kind}"), json!(ids));
            }
        }
        body
    }
}

impl Rule for ScaleSet {
    fn merges(&self) -> bool {
        true
    }

    fn needs_location(&self) -> bool {
        true
    }

    fn style(&self, _: bool) -> Style {
        Style::AsyncOperation
    }

    fn delete_style(&self) -> Style {
        Style::AsyncOperation
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        check_name(put)?;
        let flexible =
            put.text("/properties/orchestrationMode").is_some_and(|mode| mode.eq_ignore_ascii_case("Flexible"));
        if let (Some(old), false) = (&put.old, flexible)
            && old.at("/properties/singlePlacementGroup") == Some(&json!(false))
            && put.at("/properties/singlePlacementGroup") == Some(&json!(true))
        {
            return Err(ArmError::conflict(
                "OperationNotAllowed",
                "SinglePlacementGroup cannot be changed from false to true.",
            ));
        }
        check_size(put, flexible)?;
        check_mix(put, flexible)?;
        providers::check_encryption_at_host(put.cx, put.path, put.sent.pointer("/properties/virtualMachineProfile"))?;
        if put.at("/properties/virtualMachineProfile").is_some() {
            check_profile(put)?;
        } else if !flexible {
            return Err(bad("virtualMachineProfile", "Required parameter 'virtualMachineProfile' is missing (null)."));
        }
        check_watched(put)?;
        security::identity(put)?;
        let location = put.text("/location").map(crate::names::location).unwrap_or_default();
        let own = put.path.id();
        refs::check(put.cx, &own, &location, &put.body)?;
        check_room(put)?;
        limits::check(put, &location)?;
        fill(put, flexible);
        Ok(())
    }

    fn written(&self, cx: &mut Cx<'_>, row: &Row, _: Option<&Row>) -> Result<(), ArmError> {
        instances::written(cx, row);
        Ok(())
    }

    fn deleted(&self, cx: &mut Cx<'_>, row: &Row) -> Result<(), ArmError> {
        instances::remove_all(cx, row);
        Ok(())
    }

    fn action(&self, cx: &mut Cx<'_>, row: &Row, word: &str, request: &Request) -> Result<Option<Reply>, ArmError> {
        instances::action(cx, row, word, request)
    }

    fn failure(&self, row: &Row) -> Option<ArmError> {
        ArmError::deserialize(row.hidden.get("failure")?).ok()
    }
}

/// Refuses what needs the health of machines where nothing watches it. Code and messages:
/// <https://github.com/gbowerman/azure-myriad/issues/30> (rolling upgrades),
/// <https://github.com/Azure-Samples/open-source-labs/issues/46> (automatic upgrades of the image).
fn check_watched(put: &WriteContext<'_, '_>) -> Result<(), ArmError> {
    let Some(profile) = put.at("/properties/virtualMachineProfile") else { return Ok(()) };
    if instances::watcher(profile).is_some() {
        return Ok(());
    }
    let refused = |what: &str, end: &str| {
        let message = format!(
            "{what} is not supported for this Virtual Machine Scale Set because a health probe or health extension was not {end}."
        );
        Err(ArmError::bad("BadRequest", message))
    };
    let policy = "/properties/upgradePolicy";
    if put.text(&format!("{policy}/mode")).is_some_and(|mode| mode.eq_ignore_ascii_case("Rolling")) {
        return refused("Rolling Upgrade mode", "provided");
    }
    if put.at(&format!("{policy}/automaticOSUpgradePolicy/enableAutomaticOSUpgrade")) == Some(&json!(true)) {
        return refused("Automatic OS Upgrade", "specified");
    }
    Ok(())
}

fn check_name(put: &WriteContext<'_, '_>) -> Result<(), ArmError> {
    let name = put.path.name();
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let legal = (1..=64).contains(&name.len())
        && edge(name.chars().next())
        && edge(name.chars().last())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.' || c == '_');
    if legal {
        return Ok(());
    }
    Err(bad(
        "vmScaleSetName",
        format!(
            "The entity name 'vmScaleSetName' is invalid according to its validation rule: '{name}' must be 1 to 64 letters, digits, '-', '_' or '.', a letter or digit first and last."
        ),
    ))
}

fn check_size(put: &WriteContext<'_, '_>, flexible: bool) -> Result<(), ArmError> {
    if put.text("/sku/name").is_none() {
        if flexible && put.at("/properties/virtualMachineProfile").is_none() {
            return Ok(());
        }
        return Err(bad("sku.name", "Required parameter 'sku.name' is missing (null)."));
    }
    let Some(capacity) = put.at("/sku/capacity") else { return Ok(()) };
    let Some(capacity) = capacity.as_i64() else {
        return Err(bad("sku.capacity", "The value of parameter sku.capacity is invalid."));
    };
    let single = put.at("/properties/singlePlacementGroup").and_then(Value::as_bool);
    let most = match (flexible, single) {
        (false, Some(false)) => {
            if put
                .text("/properties/virtualMachineProfile/storageProfile/imageReference/id")
                .is_some_and(|id| id.to_lowercase().contains("/images/") && !id.to_lowercase().contains("/galleries/"))
            {
                600
            } else {
                1000
            }
        }
        (false, _) => 100,
        (true, _) => 1000,
    };
    if !(0..=most).contains(&capacity) {
        return Err(bad(
            "sku.capacity",
            format!(
                "The value of parameter sku.capacity is invalid: {capacity}. This scale set can have 0 to {most} instances{}.",
                if most == 100 { "; set singlePlacementGroup to false for more" } else { "" }
            ),
        ));
    }
    Ok(())
}

/// The rules of an instance mix and of a priority mix. Codes and messages of the first: "Virtual machine scale sets with
/// instance mix frequently asked questions and troubleshooting" (2026-05-19); of the second only the rules are documented
/// ("Spot Priority Mix", 2026-05-19).
fn check_mix(put: &WriteContext<'_, '_>, flexible: bool) -> Result<(), ArmError> {
    if let Some(mix) = put.at("/properties/priorityMixPolicy").filter(|mix| !mix.is_null()) {
        let spot = put.text("/properties/virtualMachineProfile/priority") == Some("Spot");
        let share = mix.get("regularPriorityPercentageAboveBase").and_then(Value::as_i64).unwrap_or(0);
        if !flexible || !spot || !(0..=100).contains(&share) {
            return Err(bad(
                "priorityMixPolicy",
                "A priority mix needs Flexible orchestration, Spot priority in the virtual machine profile, and a percentage from 0 to 100.",
            ));
        }
    }
    let name = put.text("/sku/name").unwrap_or_default();
    let Some(profile) = put.at("/properties/skuProfile").filter(|profile| !profile.is_null()) else {
        return Ok(());
    };
    let refused = |code: &str, message: String| Err(ArmError::bad(code, message));
    if !flexible {
        return refused(
            "SkuProfileScenarioNotSupported",
            "orchestrationMode is not supported on Virtual Machine Scale Sets with Sku Profile.".to_owned(),
        );
    }
    if name != "Mix" {
        return refused(
            "SkuNameMustBeMixIfSkuProfileIsSpecified",
            format!(
                "Sku name is {name}. Virtual Machine Scale Sets with Sku Profile must have the Sku name property set to \"Mix\"."
            ),
        );
    }
    if let Some(tier) = put.text("/sku/tier") {
        return refused(
            "SkuTierMustNotBeSetIfSkuProfileIsSpecified",
            format!(
                "Sku tier is {tier}. Virtual Machine Scale Sets with Sku Profile must not have the Sku tier property set."
            ),
        );
    }
    let strategy = profile.get("allocationStrategy").and_then(Value::as_str).unwrap_or("LowestPrice");
    if !["LowestPrice", "CapacityOptimized", "Prioritized"].iter().any(|known| known.eq_ignore_ascii_case(strategy)) {
        return refused(
            "SkuProfileAllocationStrategyInvalid",
            "Sku Profile's Allocation Strategy is invalid.".to_owned(),
        );
    }
    let sizes: Vec<&str> = profile
        .get("vmSizes")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|size| size.get("name").and_then(Value::as_str))
        .collect();
    match sizes.len() {
        0 => {
            return refused(
                "SkuProfileVMSizesCannotBeNullOrEmpty",
                "Sku Profile VM Sizes cannot be null or empty. Please provide a valid list of VM Sizes and retry."
                    .to_owned(),
            );
        }
        1..=5 => {}
        _ => {
            return refused(
                "SkuProfileHasTooManyVMSizesInRequest",
                "Too many VM Sizes were specified in the request. Please provide no more than 5 VM Sizes.".to_owned(),
            );
        }
    }
    let again =
        sizes.iter().enumerate().find(|(at, size)| sizes.iter().take(*at).any(|one| one.eq_ignore_ascii_case(size)));
    if let Some((_, size)) = again {
        return refused(
            "SkuProfileVMSizesCannotHaveDuplicates",
            format!("Sku Profile contains duplicate VM Size: {size}. Please remove any duplicates and retry."),
        );
    }
    if put.at("/properties/virtualMachineProfile/storageProfile/osDisk/diffDiskSettings").is_some() {
        return refused(
            "SkuProfileScenarioNotSupported",
            "diffDiskSettings is not supported on Virtual Machine Scale Sets with Sku Profile.".to_owned(),
        );
    }
    Ok(())
}

fn check_profile(put: &WriteContext<'_, '_>) -> Result<(), ArmError> {
    let profile = "/properties/virtualMachineProfile";
    let text = |path: &str| put.text(&format!("{profile}{path}"));
    let at = |path: &str| put.at(&format!("{profile}{path}"));
    let fresh = put.old.is_none();
    if fresh
        && at("/storageProfile/imageReference").is_none()
        && at("/storageProfile/osDisk/image").is_none()
        && at("/storageProfile/osDisk").is_some()
    {
        return Err(bad("imageReference", "Required parameter 'imageReference' is missing (null)."));
    }
    let windows = at("/osProfile/windowsConfiguration").is_some();
    if at("/osProfile").is_some() {
        if let Some(user) = text("/osProfile/adminUsername") {
            if arm_catalog::RESERVED_USER_NAMES.contains(&user.to_lowercase().as_str()) {
                return Err(bad("adminUsername", "The Admin Username specified is not allowed."));
            }
            let most = if windows { 20 } else { 64 };
            if user.is_empty() || user.len() > most || (windows && user.ends_with('.')) {
                return Err(bad(
                    "adminUsername",
                    format!(
                        "The Admin Username must be 1 to {most} characters long{}.",
                        if windows { " and must not end with '.'" } else { "" }
                    ),
                ));
            }
        } else if fresh {
            return Err(bad("adminUsername", "Required parameter 'adminUsername' is missing (null)."));
        }
        let most = if windows { 9 } else { 58 };
        if let Some(prefix) = text("/osProfile/computerNamePrefix")
            && (prefix.is_empty()
                || prefix.len() > most
                || prefix.chars().all(|c| c.is_ascii_digit())
                || prefix.chars().any(|c| !(c.is_ascii_alphanumeric() || c == '-' || c == '.')))
        {
            return Err(bad(
                "computerNamePrefix",
                format!(
                    "{} computer name prefix cannot be more than {most} characters long, be entirely numeric, or contain the following characters: ` ~ ! @ # $ % ^ & * ( ) = + _ [ ] {{ }} \\ | ; : ' \" , < > / ?",
                    if windows { "Windows" } else { "Linux" }
                ),
            ));
        }
        match text("/osProfile/adminPassword") {
            Some(password) => check_password(password, windows)?,
            None => {
                let keys = at("/osProfile/linuxConfiguration/disablePasswordAuthentication") == Some(&json!(true));
                if fresh && !keys {
                    return Err(bad(
                        "adminPassword",
                        "Authentication using either SSH or by user name and password must be enabled in Linux profile.",
                    ));
                }
                if fresh
                    && keys
                    && put
                        .at(&format!("{profile}/osProfile/linuxConfiguration/ssh/publicKeys"))
                        .and_then(Value::as_array)
                        .is_none_or(Vec::is_empty)
                {
                    return Err(bad(
                        "linuxConfiguration.ssh.publicKeys",
                        "Authentication using either SSH or by user name and password must be enabled in Linux profile.",
                    ));
                }
            }
        }
        if let Some(data) = text("/osProfile/customData") {
            check_custom_data(data)?;
        }
    }
    let spot = text("/priority").is_some_and(|p| p.eq_ignore_ascii_case("Spot") || p.eq_ignore_ascii_case("Low"));
    if !spot && text("/evictionPolicy").is_some() {
        return Err(bad("evictionPolicy", "Eviction policy can be set only on Azure Spot Virtual Machines."));
    }
    let nics = at("/networkProfile/networkInterfaceConfigurations").and_then(Value::as_array);
    if let Some(nics) = nics
        && nics.len() > 1
        && nics.iter().filter(|nic| nic.pointer("/properties/primary") == Some(&json!(true))).count() != 1
    {
        return Err(bad(
            "networkProfile",
            "Virtual machine scale set must have exactly one primary network interface configuration.",
        ));
    }
    let mut luns = std::collections::BTreeSet::new();
    for disk in at("/storageProfile/dataDisks").and_then(Value::as_array).into_iter().flatten() {
        let lun = disk.get("lun").and_then(Value::as_i64).unwrap_or(-1);
        if !luns.insert(lun) {
            return Err(bad("dataDisk.lun", format!("A disk at LUN {lun} already exists.")));
        }
    }
    Ok(())
}

fn check_password(password: &str, windows: bool) -> Result<(), ArmError> {
    let (least, most) = if windows { (8, 123) } else { (6, 72) };
    let classes = [
        password.chars().any(char::is_lowercase),
        password.chars().any(char::is_uppercase),
        password.chars().any(|c| c.is_ascii_digit()),
        password.chars().any(|c| !c.is_alphanumeric()),
    ];
    let count = password.chars().count();
    if (least..=most).contains(&count) && classes.iter().filter(|has| **has).count() >= 3 {
        return Ok(());
    }
    Err(bad(
        "adminPassword",
        format!(
            "The supplied password must be between {least}-{most} characters long and must satisfy at least 3 of password complexity requirements from the following: 1) Contains an uppercase character 2) Contains a lowercase character 3) Contains a numeric digit 4) Contains a special character 5) Control characters are not allowed"
        ),
    ))
}

/// Refuses a capacity for which the subnet has no addresses.
fn check_room(put: &WriteContext<'_, '_>) -> Result<(), ArmError> {
    let capacity = put.at("/sku/capacity").and_then(Value::as_i64).unwrap_or(0);
    let Some(subnet) = subnet_of(&put.body) else { return Ok(()) };
    let Some(body) = crate::lookup::find(put.cx, subnet) else { return Ok(()) };
    let prefix = body
        .pointer("/properties/addressPrefix")
        .or_else(|| body.pointer("/properties/addressPrefixes/0"))
        .and_then(Value::as_str);
    let Some(net) = prefix.and_then(|text| text.parse::<ipnet::Ipv4Net>().ok()) else { return Ok(()) };
    let room = (1i64 << (32 - net.prefix_len())) - 5;
    let own = put.path.id();
    let others: i64 = put
        .cx
        .store
        .of_kind(SCALE_SETS)
        .iter()
        .filter(|row| !row.id.eq_ignore_ascii_case(&own))
        .filter(|row| subnet_of(&row.body).is_some_and(|id| id.eq_ignore_ascii_case(subnet)))
        .filter_map(|row| row.at("/sku/capacity")?.as_i64())
        .sum();
    if capacity + others > room {
        return Err(ArmError::bad(
            "SubnetIsFull",
            format!(
                "Subnet {} with address prefix {net} does not have enough capacity for {capacity} IP addresses.",
                subnet.rsplit('/').next().unwrap_or_default()
            ),
        ));
    }
    Ok(())
}

/// The disks of a model: what an image needs, of the type that the size can have.
fn fill_disks(put: &mut WriteContext<'_, '_>, profile: &str, windows: bool) {
    let storage = format!("{profile}/storageProfile");
    if put.at(&format!("{storage}/imageReference")).is_none() {
        return;
    }
    let kind = disk_type(put.text("/sku/name").unwrap_or_default());
    let disk = format!("{storage}/osDisk");
    put.default(&format!("{disk}/createOption"), json!("FromImage"));
    put.default(&format!("{disk}/caching"), json!("None"));
    if put.at(&format!("{disk}/vhdContainers")).is_none() {
        put.default(&format!("{disk}/managedDisk/storageAccountType"), json!(kind));
        put.default(&format!("{disk}/diskSizeGB"), json!(if windows { 127 } else { 30 }));
    }
    for entry in
        put.body.pointer_mut(&format!("{storage}/dataDisks")).and_then(Value::as_array_mut).into_iter().flatten()
    {
        set_default(entry, "/caching", json!("None"));
        set_default(entry, "/managedDisk/storageAccountType", json!(kind));
    }
}

fn fill(put: &mut WriteContext<'_, '_>, flexible: bool) {
    let old_unique = put.old.as_ref().and_then(|old| old.text("/properties/uniqueId").map(str::to_owned));
    let unique = old_unique.unwrap_or_else(|| put.cx.unique());
    let now = put.cx.now.to_string();
    if put.text("/sku/name") != Some("Mix") {
        put.default("/sku/tier", json!("Standard"));
    }
    put.default("/sku/capacity", json!(0));
    put.default("/properties/orchestrationMode", json!("Uniform"));
    if !flexible {
        put.default("/properties/singlePlacementGroup", json!(true));
        put.default("/properties/overprovision", json!(true));
        put.default("/properties/doNotRunExtensionsOnOverprovisionedVMs", json!(false));
        put.default("/properties/upgradePolicy/mode", json!("Manual"));
    }
    if put.at("/properties/upgradePolicy/rollingUpgradePolicy").is_some() {
        for percent in ["maxBatchInstancePercent", "maxUnhealthyInstancePercent", "maxUnhealthyUpgradedInstancePercent"]
        {
            put.default(&format!("/properties/upgradePolicy/rollingUpgradePolicy/{percent}"), json!(20));
        }
        put.default("/properties/upgradePolicy/rollingUpgradePolicy/pauseTimeBetweenBatches", json!("PT0S"));
    }
    if put.at("/properties/automaticRepairsPolicy").is_some() {
        put.default("/properties/automaticRepairsPolicy/gracePeriod", json!("PT10M"));
        put.default("/properties/automaticRepairsPolicy/repairAction", json!("Replace"));
    }
    let profile = "/properties/virtualMachineProfile";
    let windows = put.body.pointer(profile).is_some_and(instances::is_windows);
    fill_os(&mut put.body, profile, windows, false, put.api_version);
    fill_disks(put, profile, windows);
    if put.at(profile).is_some() {
        if put
            .at(&format!("{profile}/extensionProfile"))
            .is_some_and(|value| value.as_object().is_some_and(serde_json::Map::is_empty))
        {
            put.default(&format!("{profile}/extensionProfile/extensions"), json!([]));
        }
        if put.text(&format!("{profile}/priority")).is_some_and(|p| p.eq_ignore_ascii_case("Spot")) {
            put.default(&format!("{profile}/evictionPolicy"), json!("Deallocate"));
        }
        put.default(&format!("{profile}/timeCreated"), json!(now));
    }
    let nics = put.body.pointer_mut(&format!("{profile}/networkProfile/networkInterfaceConfigurations"));
    for nic in nics.and_then(Value::as_array_mut).into_iter().flatten() {
        set_default(nic, "/properties/enableAcceleratedNetworking", json!(false));
        set_default(nic, "/properties/dnsSettings/dnsServers", json!([]));
        set_default(nic, "/properties/enableIPForwarding", json!(false));
        for ip in nic.pointer_mut("/properties/ipConfigurations").and_then(Value::as_array_mut).into_iter().flatten() {
            set_default(ip, "/properties/privateIPAddressVersion", json!("IPv4"));
        }
    }
    if let Some(profile) = put.body.pointer(profile).cloned() {
        instances::remember_secrets(&mut put.hidden, &profile, &unique);
    }
    strip_secrets(&mut put.body, profile);
    put.set("/properties/provisioningState", json!("Succeeded"));
    put.set("/properties/uniqueId", json!(unique));
    put.default("/properties/timeCreated", json!(now));
}
