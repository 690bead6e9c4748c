//! Blob containers with what guards them: legal holds, immutability policies, leases; and encryption scopes.

use serde_json::{Value, json};

use crate::core::Cx;
use crate::documents::Row;
use crate::error::ArmError;
use crate::http::{Reply, Request};
use crate::id::TENANT;
use crate::rule::{Rule, WriteContext};
use crate::types::storage::check_part_name;
use crate::value::set;

pub struct Container;

/// `containers/immutabilityPolicies`: one by the name `default`.
pub struct Immutability;

pub struct EncryptionScope;

fn policy_id(container: &str) -> String {
    format!("{container}/immutabilityPolicies/default")
}

fn tags(row: &Row) -> Vec<Value> {
    row.hidden.get("holds").and_then(Value::as_array).cloned().unwrap_or_default()
}

impl Rule for Container {
    fn merges(&self) -> bool {
        true
    }

    fn shows_etag(&self) -> bool {
        true
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        check_part_name(put.path.name())?;
        let now = put.cx.now.to_string();
        put.set("/properties/lastModifiedTime", json!(now));
        for (pointer, value) in [
            ("/properties/leaseStatus", json!("Unlocked")),
            ("/properties/leaseState", json!("Available")),
            ("/properties/publicAccess", json!("None")),
            ("/properties/deleted", json!(false)),
            ("/properties/remainingRetentionDays", json!(0)),
            ("/properties/defaultEncryptionScope", json!("$account-encryption-key")),
            ("/properties/denyEncryptionScopeOverride", json!(false)),
            ("/properties/hasImmutabilityPolicy", json!(false)),
            ("/properties/hasLegalHold", json!(false)),
        ] {
            put.default(pointer, value);
        }
        Ok(())
    }

    fn shown(&self, cx: &Cx<'_>, row: &Row, _: &Request) -> Value {
        let mut body = cx.view(row);
        let holds = tags(row);
        set(&mut body, "/properties/hasLegalHold", json!(!holds.is_empty()));
        let listed: Vec<Value> = holds
            .iter()
            .map(|tag| json!({ "tag": tag, "timestamp": stamp(row.changed), "tenantId": TENANT }))
            .collect();
        set(&mut body, "/properties/legalHold", json!({ "hasLegalHold": !holds.is_empty(), "tags": listed }));
        if let Some(policy) = cx.store.row(&policy_id(&row.id)) {
            let properties = policy.at("/properties").cloned().unwrap_or_default();
            let mut update = properties.clone();
            if let Some(map) = update.as_object_mut() {
                let locked = map.shift_remove("state").is_some_and(|state| state == json!("Locked"));
                map.insert("update".into(), json!(if locked { "lock" } else { "put" }));
                map.insert("timestamp".into(), json!(stamp(policy.changed)));
                map.insert("objectIdentifier".into(), json!(cx.caller));
                map.insert("tenantId".into(), json!(TENANT));
            }
            set(&mut body, "/properties/hasImmutabilityPolicy", json!(true));
            let shown = json!({ "etag": tag_of(&policy), "properties": properties, "updateHistory": [update] });
            set(&mut body, "/properties/immutabilityPolicy", shown);
        }
        body
    }

    // the answer to a write knows nothing of what guards the container
    fn first_answer(&self, body: &mut Value) {
        set(body, "/properties/hasImmutabilityPolicy", json!(false));
        set(body, "/properties/hasLegalHold", json!(false));
        if let Some(properties) = body.get_mut("properties").and_then(Value::as_object_mut) {
            properties.shift_remove("immutabilityPolicy");
            properties.shift_remove("legalHold");
        }
    }

    fn check_delete(&self, _: &mut Cx<'_>, row: &Row) -> Result<(), ArmError> {
        if !tags(row).is_empty() {
            return Err(ArmError::conflict(
                "ContainerProtectedFromDeletion",
                format!("The container {} is protected from deletion due to a legal hold.", row.name),
            ));
        }
        if row.text("/properties/leaseState") == Some("Leased") {
            return Err(ArmError::conflict(
                "LeaseIdMissing",
                "There is currently a lease on the container and no lease ID was specified in the request.",
            ));
        }
        Ok(())
    }

    fn action(&self, cx: &mut Cx<'_>, row: &Row, word: &str, request: &Request) -> Result<Option<Reply>, ArmError> {
        if request.method != "POST" {
            return Ok(None);
        }
        match word {
            "setlegalhold" | "clearlegalhold" => holds(cx, row, word == "setlegalhold", &request.json()?).map(Some),
            "lease" => lease(cx, row, &request.json()?).map(Some),
            _ => Ok(None),
        }
    }
}

fn stamp(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map(|at| at.to_string()).unwrap_or_default()
}

fn tag_of(row: &Row) -> String {
    format!("\"{}\"", row.etag)
}

fn invalid(what: &str) -> ArmError {
    ArmError::bad("InvalidValuesForRequestParameters", format!("Values for request parameters are invalid: {what}."))
        .at(what)
}

fn holds(cx: &mut Cx<'_>, row: &Row, add: bool, body: &Value) -> Result<Reply, ArmError> {
    let sent = body.get("tags").and_then(Value::as_array).ok_or_else(|| invalid("tags"))?;
    let legal = |tag: &Value| {
        tag.as_str().is_some_and(|tag| (3..=23).contains(&tag.len()) && tag.chars().all(|c| c.is_ascii_alphanumeric()))
    };
    if !sent.iter().all(legal) {
        return Err(invalid("tags"));
    }
    let low = |tag: &Value| tag.as_str().unwrap_or_default().to_lowercase();
    let mut now = tags(row);
    now.retain(|have| !sent.iter().any(|tag| low(tag) == low(have)));
    if add {
        now.extend(sent.iter().map(|tag| json!(low(tag))));
    }
    if now.len() > 10 {
        return Err(invalid("tags"));
    }
    let mut row = row.clone();
    set(&mut row.hidden, "/holds", json!(now));
    row.changed = cx.now_ms();
    cx.store.put_row(row);
    let shown: Vec<&Value> = if add { sent.iter().collect() } else { now.iter().collect() };
    Ok(Reply::ok(json!({ "hasLegalHold": !now.is_empty(), "tags": shown })))
}

fn lease(cx: &mut Cx<'_>, row: &Row, body: &Value) -> Result<Reply, ArmError> {
    let action = body.get("action").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let held = row.hidden.get("lease").and_then(Value::as_str).map(str::to_owned);
    let given = body.get("leaseId").and_then(Value::as_str);
    let proposed = body.get("proposedLeaseId").and_then(Value::as_str).map(str::to_owned);
    let mismatch = || {
        ArmError::conflict(
            "LeaseIdMismatchWithLeaseOperation",
            "The lease ID specified did not match the lease ID for the container.",
        )
    };
    let (state, lease, answer) = match action.as_str() {
        "acquire" => {
            let seconds = body.get("leaseDuration").and_then(Value::as_i64).unwrap_or(0);
            if seconds != -1 && !(15..=60).contains(&seconds) {
                return Err(invalid("leaseDuration"));
            }
            if held.is_some() && held.as_deref() != proposed.as_deref() {
                return Err(ArmError::conflict("LeaseAlreadyPresent", "There is already a lease present."));
            }
            let id = proposed.unwrap_or_else(|| cx.unique());
            ("Leased", Some(id.clone()), json!({ "leaseId": id }))
        }
        "break" if held.is_some() => ("Broken", None, json!({ "leaseTimeSeconds": "0" })),
        "renew" | "change" | "release" | "break" if held.is_none() || held.as_deref() != given => {
            return Err(mismatch());
        }
        "renew" => ("Leased", held.clone(), json!({ "leaseId": held })),
        "change" => {
            let id = proposed.ok_or_else(|| invalid("proposedLeaseId"))?;
            ("Leased", Some(id.clone()), json!({ "leaseId": id }))
        }
        "release" => ("Available", None, json!({})),
        _ => return Err(invalid("action")),
    };
    let mut row = row.clone();
    set(&mut row.body, "/properties/leaseState", json!(state));
    set(&mut row.body, "/properties/leaseStatus", json!(if lease.is_some() { "Locked" } else { "Unlocked" }));
    set(&mut row.hidden, "/lease", json!(lease));
    let etag = row.etag.clone();
    cx.store.put_row(row);
    Ok(Reply::ok(answer).header("ETag", format!("\"{etag}\"")))
}

fn immutable() -> ArmError {
    ArmError::conflict(
        "ContainerImmutabilityPolicyFailure",
        "Operation not allowed on immutability policy with current state: Locked.",
    )
}

impl Rule for Immutability {
    fn write_status(&self) -> Option<u16> {
        Some(200)
    }

    fn shows_etag(&self) -> bool {
        true
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        if put.path.name() != "default" {
            return Err(ArmError::bad("InvalidResourceName", "The name of an immutability policy is 'default'."));
        }
        if put.old.as_ref().is_some_and(|old| old.text("/properties/state") == Some("Locked")) {
            return Err(immutable());
        }
        put.default("/properties/immutabilityPeriodSinceCreationInDays", json!(0));
        put.default("/properties/allowProtectedAppendWrites", json!(false));
        let days = put.at("/properties/immutabilityPeriodSinceCreationInDays").and_then(Value::as_i64);
        if !days.is_some_and(|days| (0..=146_000).contains(&days)) {
            return Err(invalid("immutabilityPeriodSinceCreationInDays"));
        }
        put.set("/properties/state", json!("Unlocked"));
        Ok(())
    }

    fn check_delete(&self, _: &mut Cx<'_>, row: &Row) -> Result<(), ArmError> {
        if row.text("/properties/state") == Some("Locked") { Err(immutable()) } else { Ok(()) }
    }

    fn deletion_answer(&self, row: &Row) -> Option<Value> {
        let mut body = row.body.clone();
        set(&mut body, "/properties", json!({ "immutabilityPeriodSinceCreationInDays": 0, "state": "Deleted" }));
        Some(body)
    }

    fn action(&self, cx: &mut Cx<'_>, row: &Row, word: &str, request: &Request) -> Result<Option<Reply>, ArmError> {
        if request.method != "POST" || !matches!(word, "lock" | "extend") {
            return Ok(None);
        }
        let locked = row.text("/properties/state") == Some("Locked");
        let days = "/properties/immutabilityPeriodSinceCreationInDays";
        let mut row = row.clone();
        if word == "lock" {
            set(&mut row.body, "/properties/state", json!("Locked"));
        } else {
            let sent = request.json()?;
            let (have, wanted) = (row.at(days).and_then(Value::as_i64), sent.pointer(days).and_then(Value::as_i64));
            if !locked || wanted.is_none() || wanted < have {
                return Err(ArmError::conflict(
                    "ContainerImmutabilityPolicyFailure",
                    "Only a locked policy can be extended, and only to a longer period.",
                ));
            }
            set(&mut row.body, days, json!(wanted));
        }
        row.etag = cx.unique();
        row.changed = cx.now_ms();
        let etag = format!("W/\"{}\"", row.etag);
        set(&mut row.body, "/etag", json!(etag));
        let row = cx.store.put_row(row);
        Ok(Some(Reply::ok(cx.view(&row)).header("ETag", etag)))
    }
}

impl Rule for EncryptionScope {
    fn merges(&self) -> bool {
        true
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        let now = put.cx.now.to_string();
        put.default("/properties/source", json!("Microsoft.Storage"));
        put.default("/properties/state", json!("Enabled"));
        put.default("/properties/creationTime", json!(now));
        put.set("/properties/lastModifiedTime", json!(now));
        Ok(())
    }

    fn first_answer(&self, body: &mut Value) {
        crate::value::set_default(body, "/properties/keyVaultProperties", json!({}));
    }
}
