//! A body against what is known of its type → the refusal that its provider gives: an unknown property, a value of the
//! wrong kind, a word that is not allowed, something missing.
//!
//! Providers differ. Compute, Network and Batch refuse properties that they do not know; the others read past them, and
//! so does this. All read `"5"` as a number and `5` as a string where that is wanted; words in any case.
//! The codes and sentences are those of published reports (issues of Azure's tools, 2018 to 2026); where none was found
//! the provider answers as the framework that most share does: `InvalidRequestContent`.

use serde_json::Value;

use arm_catalog::{Finding, FindingKind, FindingSeverity};

use crate::error::ArmError;
use crate::value::dotted;

/// Versions of types before this day may have properties that have gone since: unknown ones are kept as sent.
const KNOWN_SINCE: &str = "2023-01-01";

/// When a check happens: before the type's own rules, which take a body apart, or after, when they had nothing to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// What cannot be read at all.
    Reading,
    /// What is read and not allowed.
    Meaning,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Provider {
    Compute,
    Network,
    Storage,
    Batch,
    Insights,
    KeyVault,
    Other,
}

fn provider(kind: &str, pointer: &str) -> Provider {
    match kind.split('/').next().unwrap_or_default().to_lowercase().as_str() {
        // a scale set's network profile is read by the network's provider
        "microsoft.compute" if pointer.starts_with("/properties/virtualMachineProfile/networkProfile/") => {
            Provider::Network
        }
        "microsoft.compute" => Provider::Compute,
        "microsoft.network" => Provider::Network,
        "microsoft.storage" => Provider::Storage,
        "microsoft.batch" => Provider::Batch,
        "microsoft.insights" => Provider::Insights,
        "microsoft.keyvault" => Provider::KeyVault,
        _ => Provider::Other,
    }
}

/// What every resource has, read before its provider sees it.
///
/// # Errors
/// The error code `InvalidRequestContent` of Azure.
pub fn envelope(body: &Value) -> Result<(), ArmError> {
    let Some(map) = body.as_object() else { return Ok(()) };
    for (key, value) in map {
        let wrong = match key.to_lowercase().as_str() {
            "location" | "kind" | "managedby" => !(value.is_string() || value.is_null()),
            "tags" => match value {
                Value::Null => false,
                Value::Object(tags) => {
                    if tags.len() > 50 {
                        return Err(ArmError::bad(
                            "InvalidTagNameCount",
                            format!("The number of tags '{}' exceeds the maximum of '50' tags.", tags.len()),
                        ));
                    }
                    tags.values().any(|value| value.is_object() || value.is_array())
                }
                _ => true,
            },
            "zones" => !(value.is_array() || value.is_null()),
            "sku" | "plan" | "identity" | "extendedlocation" => {
                !(value.is_object() || value.is_null() || value.is_string())
            }
            _ => false,
        };
        if wrong {
            return Err(unread(&format!(
                "Error converting value {value} to type '{}'. Path '{key}', line 1, position {}.",
                type_name(&format!("/{key}")),
                position(body, &format!("/{key}"))
            )));
        }
    }
    Ok(())
}

/// Whether a version asks for less, perhaps, than the one that is described: newer versions require more. What an older one
/// requires beyond the type's own rules is not known, and what is not known is not refused.
fn is_older(kind: &str, api_version: &str) -> bool {
    let described = arm_catalog::lookup(kind, Some(api_version)).map(|ty| ty.api_version.as_str());
    api_version < KNOWN_SINCE && described.is_some_and(|described| api_version != described)
}

/// Checks a body as sent. `partial`: what is left out stays as it is, so nothing can be missing.
///
/// # Errors
/// What the type's provider says.
pub fn check(stage: Stage, kind: &str, api_version: &str, body: &Value, partial: bool) -> Result<(), ArmError> {
    if api_version.is_empty() {
        return Ok(()); // the endpoint's own writes
    }
    let findings = arm_catalog::validate(kind, api_version, body);
    for finding in findings.iter().filter(|finding| finding.severity == FindingSeverity::Error) {
        let provider = provider(kind, &finding.pointer);
        let wanted = match finding.kind {
            FindingKind::UnknownProperty => {
                stage == Stage::Reading
                    && api_version >= KNOWN_SINCE
                    && matches!(provider, Provider::Compute | Provider::Network | Provider::Batch)
            }
            // a suggestion says how the value is read all the same
            FindingKind::WrongType => stage == Stage::Reading && finding.suggestion.is_none(),
            FindingKind::Missing => {
                stage == Stage::Meaning && !partial && finding.pointer.contains('/') && !is_older(kind, api_version)
            }
            FindingKind::NotAllowed | FindingKind::Range | FindingKind::Length | FindingKind::Pattern => {
                stage == Stage::Meaning
            }
            _ => false,
        };
        if wanted {
            return Err(refusal(provider, kind, finding, body));
        }
    }
    Ok(())
}

/// Turns values into the kind that is wanted, where they can be read as it: `"5"`, `5`, `"true"`.
pub fn convert(kind: &str, api_version: &str, body: &mut Value) {
    if api_version.is_empty() {
        return;
    }
    for finding in arm_catalog::validate(kind, api_version, body) {
        let Some(text) = finding.suggestion.filter(|_| finding.kind == FindingKind::WrongType) else { continue };
        if let (Some(slot), Ok(value)) = (body.pointer_mut(&finding.pointer), serde_json::from_str(&text)) {
            *slot = value;
        }
    }
}

fn unread(what: &str) -> ArmError {
    ArmError::bad(
        "InvalidRequestContent",
        format!("The request content was invalid and could not be deserialized: '{what}'."),
    )
}

fn refusal(provider: Provider, kind: &str, finding: &Finding, body: &Value) -> ArmError {
    let missing = finding.kind == FindingKind::Missing;
    let pointer = match (missing, finding.message.split('`').nth(1)) {
        (true, Some(name)) => format!("{}/{name}", finding.pointer),
        _ => finding.pointer.clone(),
    };
    let value = body.pointer(&pointer).cloned().unwrap_or_default();
    let (path, at) = (json_path(kind, &pointer), position(body, &pointer));
    let parsed = match finding.kind {
        FindingKind::UnknownProperty => {
            let (parent, name) = pointer.rsplit_once('/').unwrap_or(("", &pointer));
            format!(
                "Could not find member '{name}' on object of type '{}'. Path '{path}', line 1, position {at}.",
                type_name(parent)
            )
        }
        FindingKind::Missing => {
            let name = pointer.rsplit('/').next().unwrap_or_default();
            format!(
                "Required property '{name}' not found in JSON. Path '{}', line 1, position {at}.",
                json_path(kind, &finding.pointer)
            )
        }
        FindingKind::WrongType | FindingKind::NotAllowed => format!(
            "Error converting value {value} to type '{}'. Path '{path}', line 1, position {at}.",
            type_name(&pointer)
        ),
        _ => format!("The value of '{path}' {}.", finding.message),
    };
    let short = dotted(&pointer).replace("virtualMachineProfile.", "");
    match (provider, finding.kind) {
        (Provider::Compute, FindingKind::UnknownProperty | FindingKind::WrongType) => {
            ArmError::bad("BadRequest", parsed).at(path)
        }
        (Provider::Compute, FindingKind::Missing) => {
            ArmError::bad("InvalidParameter", format!("Required parameter '{short}' is missing (null).")).at(short)
        }
        (Provider::Compute, _) => {
            ArmError::bad("InvalidParameter", format!("The value of parameter {short} is invalid.")).at(short)
        }
        (Provider::Network, _) => ArmError::bad("InvalidRequestFormat", "Cannot parse the request.")
            .because(vec![ArmError::bad("InvalidJson", parsed)]),
        (Provider::Storage, FindingKind::WrongType) => unread(&parsed),
        (Provider::Storage, _) => ArmError::bad(
            "InvalidValuesForRequestParameters",
            format!(
                "Values for request parameters are invalid: {}.",
                pointer.trim_start_matches("/properties").trim_start_matches('/').replace('/', ".")
            ),
        ),
        (Provider::Batch, FindingKind::UnknownProperty | FindingKind::WrongType) => {
            batch("InvalidRequestBody", "The specified Request Body is not syntactically valid.", &path, &parsed)
        }
        (Provider::Batch, FindingKind::Missing) => batch(
            "MissingRequiredProperty",
            "A required property was not specified in the request body.",
            &path,
            &parsed,
        ),
        (Provider::Batch, _) => batch(
            "InvalidPropertyValue",
            "The value provided for one of the properties in the request body is invalid.",
            &path,
            &parsed,
        ),
        (Provider::Insights, _) => {
            let mut error =
                ArmError::bad("UnsupportedRequestContent", "Request content is not well formed or supported.");
            // the service says no more; this one does
            error.details = vec![ArmError::bad("LocalExplanation", parsed)];
            error
        }
        (Provider::KeyVault, FindingKind::Missing) => {
            ArmError::bad("BadRequest", format!("The parameter {} is not specified.", dotted(&pointer)))
        }
        (Provider::KeyVault, FindingKind::WrongType) => {
            ArmError::bad("BadRequest", "Bad JSON content found in the request.")
        }
        (Provider::KeyVault, _) => {
            ArmError::bad("BadRequest", format!("An invalid value was provided for '{}'.", dotted(&pointer)))
        }
        (Provider::Other, _) => unread(&parsed),
    }
}

/// Batch says where and why in details of its own.
fn batch(code: &str, message: &str, path: &str, reason: &str) -> ArmError {
    ArmError::bad(code, message)
        .at("BatchAccount")
        .because(vec![ArmError::bad("Reason", reason), ArmError::bad("PropertyPath", path)])
}

/// A pointer as a JSON path; a scale set's network profile as the network's provider gets it.
fn json_path(kind: &str, pointer: &str) -> String {
    let pointer = match pointer.strip_prefix("/properties/virtualMachineProfile/networkProfile/") {
        Some(rest) if kind.eq_ignore_ascii_case("Microsoft.Compute/virtualMachineScaleSets") => {
            format!("/Properties/UpdateGroups/0/NetworkProfile/{rest}")
        }
        _ => pointer.to_owned(),
    };
    let mut out = String::new();
    for part in pointer.split('/').skip(1) {
        if part.bytes().all(|b| b.is_ascii_digit()) && !part.is_empty() {
            out.push_str(&format!("[{part}]"));
        } else {
            if !out.is_empty() {
                out.push('.');
            }
            out.push_str(part);
        }
    }
    out
}

/// The name of a part's type: that of its key, as the providers' classes are mostly called.
fn type_name(pointer: &str) -> String {
    let part = pointer.split('/').rfind(|part| !part.is_empty() && !part.bytes().all(|b| b.is_ascii_digit()));
    let mut letters = part.unwrap_or("resource").chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Column of a place in the body as it goes to the provider: on one line, without blanks.
fn position(body: &Value, pointer: &str) -> usize {
    fn walk(value: &Value, parts: &mut std::str::Split<'_, char>, column: usize) -> usize {
        let Some(part) = parts.next() else { return column };
        match value {
            Value::Object(map) => {
                let mut at = column + 1;
                for (key, inner) in map {
                    let head = Value::from(key.as_str()).to_string().len() + 1;
                    if key == part {
                        return walk(inner, parts, at + head);
                    }
                    at += head + inner.to_string().len() + 1;
                }
                at
            }
            Value::Array(list) => {
                let before: usize =
                    list.iter().take(part.parse().unwrap_or(0)).map(|inner| inner.to_string().len() + 1).sum();
                match part.parse().ok().and_then(|at: usize| list.get(at)) {
                    Some(inner) => walk(inner, parts, column + 1 + before),
                    None => column + 1,
                }
            }
            _ => column,
        }
    }
    walk(body, &mut pointer.strip_prefix('/').unwrap_or(pointer).split('/'), 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SET: &str = "Microsoft.Compute/virtualMachineScaleSets";

    fn reading(kind: &str, version: &str, body: &Value) -> Result<(), ArmError> {
        check(Stage::Reading, kind, version, body, false)
    }

    #[test]
    fn compute_network_and_batch_refuse_what_they_do_not_know() {
        let body = json!({ "location": "westeurope", "properties": { "upgradePolicy": { "colour": 1 } } });
        let error = reading(SET, "2024-07-01", &body).unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            (
                "BadRequest",
                "Could not find member 'colour' on object of type 'UpgradePolicy'. Path 'properties.upgradePolicy.colour', line 1, position 65."
            )
        );
        assert_eq!(body.to_string().get(56..65), Some("\"colour\":"));
        assert_eq!(reading(SET, "2020-06-01", &body), Ok(()), "old versions had other properties");
        let body = json!({ "properties": { "virtualMachineProfile": { "networkProfile": { "colour": 1 } } } });
        let error = reading(SET, "2024-07-01", &body).unwrap_err();
        assert_eq!(error.code, "InvalidRequestFormat");
        assert!(
            error.details[0].message.contains("Path 'Properties.UpdateGroups[0].NetworkProfile.colour'"),
            "{error:?}"
        );
        let body = json!({ "properties": { "vmSize": "A", "colour": 1 } });
        assert_eq!(
            reading("Microsoft.Batch/batchAccounts/pools", "2024-07-01", &body).unwrap_err().code,
            "InvalidRequestBody"
        );
        let body = json!({ "properties": { "colour": 1 } });
        assert_eq!(reading("Microsoft.Storage/storageAccounts", "2024-01-01", &body), Ok(()));
        assert_eq!(reading("Contoso.Things/widgets", "2024-01-01", &body), Ok(()));
    }

    #[test]
    fn what_can_be_converted_is_read() {
        let body = json!({ "sku": { "capacity": "5" }, "properties": { "overprovision": "true" } });
        assert_eq!(reading(SET, "2024-07-01", &body), Ok(()));
        let mut read = body.clone();
        convert(SET, "2024-07-01", &mut read);
        assert_eq!(read, json!({ "sku": { "capacity": 5 }, "properties": { "overprovision": true } }));
        let body = json!({ "properties": { "overprovision": "perhaps" } });
        assert_eq!(reading(SET, "2024-07-01", &body).unwrap_err().code, "BadRequest");
    }

    #[test]
    fn words_and_gaps_are_refused_in_the_providers_own_code() {
        let meaning = |kind: &str, body: &Value, partial| check(Stage::Meaning, kind, "2024-07-01", body, partial);
        let body = json!({ "location": "westeurope", "properties": { "virtualMachineProfile": { "storageProfile": { "osDisk": { } } } } });
        let error = meaning(SET, &body, false).unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            ("InvalidParameter", "Required parameter 'storageProfile.osDisk.createOption' is missing (null).")
        );
        assert_eq!(meaning(SET, &body, true), Ok(()));
        let body = json!({ "properties": { "accessTier": "Lukewarm" } });
        assert_eq!(
            meaning("Microsoft.Storage/storageAccounts", &body, true).unwrap_err().message,
            "Values for request parameters are invalid: accessTier."
        );
    }

    #[test]
    fn the_envelope_is_read_for_every_type() {
        assert_eq!(envelope(&json!({ "location": "x", "tags": { "a": "b", "n": 1 }, "properties": 3 })), Ok(()));
        assert_eq!(envelope(&json!({ "location": 5 })).unwrap_err().code, "InvalidRequestContent");
        assert_eq!(envelope(&json!({ "tags": ["a"] })).unwrap_err().code, "InvalidRequestContent");
        let many: serde_json::Map<String, Value> = (0..51).map(|n| (n.to_string(), json!("x"))).collect();
        assert_eq!(envelope(&json!({ "tags": many })).unwrap_err().code, "InvalidTagNameCount");
    }
}
