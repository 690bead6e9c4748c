//! What scale sets and virtual machines share in their profiles.

use base64::Engine as _;
use serde_json::Value;

use crate::error::ArmError;

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
