//! What scale sets and virtual machines share in their profiles.

use base64::Engine as _;
use serde_json::{Value, json};

use crate::error::ArmError;
use crate::value::set_default;

/// Refuses custom data that is not base64 or longer than Azure takes: 87,380 characters.
///
/// # Errors
/// The error code `InvalidParameter` of Azure.
pub fn check_custom_data(data: &str) -> Result<(), ArmError> {
    if data.len() <= 87_380 && base64::engine::general_purpose::STANDARD.decode(data).is_ok() {
        return Ok(());
    }
    Err(ArmError::bad(
        "InvalidParameter",
        "Custom data in OSProfile must be in Base64 encoding and with a maximum length of 87380 characters.",
    )
    .at("customData"))
}

/// Takes what no answer shows out of a profile: the password, custom and user data, protected settings of extensions.
pub fn strip_secrets(body: &mut Value, profile: &str) {
    if let Some(os) = body.pointer_mut(&format!("{profile}/osProfile")).and_then(Value::as_object_mut) {
        os.shift_remove("adminPassword");
        os.shift_remove("customData");
    }
    if let Some(map) = body.pointer_mut(profile).and_then(Value::as_object_mut) {
        map.shift_remove("userData");
    }
    let list = body.pointer_mut(&format!("{profile}/extensionProfile/extensions")).and_then(Value::as_array_mut);
    for extension in list.into_iter().flatten() {
        if let Some(map) = extension.get_mut("properties").and_then(Value::as_object_mut) {
            map.shift_remove("protectedSettings");
        }
    }
}

/// From this api-version on, answers speak of how a Windows machine is patched.
const PATCHES_SINCE: &str = "2020-06-01";

/// Completes an OS profile: agent, updates and extensions are on, as in every recorded answer.
///
/// Source: tests recorded with azure-mgmt-compute 4.6.2, 12.0.0 and 18.0.0, for sets and machines, with and without
/// `windowsConfiguration` and `linuxConfiguration` in the request.
pub fn fill_os(body: &mut Value, profile: &str, windows: bool, single: bool, api_version: &str) {
    let os = format!("{profile}/osProfile");
    if body.pointer(&os).is_none_or(Value::is_null) {
        return;
    }
    set_default(body, &format!("{os}/secrets"), json!([]));
    set_default(body, &format!("{os}/allowExtensionOperations"), json!(true));
    set_default(body, &format!("{os}/requireGuestProvisionSignal"), json!(true));
    if windows {
        set_default(body, &format!("{os}/windowsConfiguration/provisionVMAgent"), json!(true));
        set_default(body, &format!("{os}/windowsConfiguration/enableAutomaticUpdates"), json!(true));
        if single && (api_version.is_empty() || api_version >= PATCHES_SINCE) {
            set_default(body, &format!("{os}/windowsConfiguration/patchSettings/patchMode"), json!("AutomaticByOS"));
        }
    } else {
        set_default(body, &format!("{os}/linuxConfiguration/disablePasswordAuthentication"), json!(false));
        set_default(body, &format!("{os}/linuxConfiguration/provisionVMAgent"), json!(true));
    }
}

/// The type of disk that a machine of this size gets where nothing is said: premium where the size can have it.
///
/// A size says so with an `s` among the small letters behind its number (`D2s_v3`, `E4ds_v5`), series of the first years
/// with one before it (`DS2_v2`, `GS1`, `Ls`): Azure's virtual machine sizes naming conventions.
#[must_use]
pub fn disk_type(size: &str) -> &'static str {
    let name = size.split_once('_').map_or(size, |(_, rest)| rest);
    let first = name.split('_').next().unwrap_or_default();
    let digits = first.find(|c: char| c.is_ascii_digit()).unwrap_or(first.len());
    let (family, features) = first.split_at(digits);
    let small = features.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-').contains('s');
    if small || (family.len() > 1 && family.ends_with('S')) { "Premium_LRS" } else { "Standard_LRS" }
}

#[cfg(test)]
mod tests {
    use super::disk_type;

    #[test]
    fn sizes_say_whether_they_can_have_premium_disks() {
        for size in [
            "Standard_D2s_v3",
            "Standard_DS1_v2",
            "Standard_E4-2ds_v5",
            "Standard_B2ms",
            "Standard_NC4as_T4_v3",
            "Standard_GS5",
        ] {
            assert_eq!(disk_type(size), "Premium_LRS", "{size}");
        }
        for size in ["Standard_D2_v2", "Standard_A0", "Standard_D1_v2", "Standard_A1_v2", "Basic_A1"] {
            assert_eq!(disk_type(size), "Standard_LRS", "{size}");
        }
    }
}
