//! Microsoft.Batch: accounts (202 and `Location`), pools (answered at once), with the defaults that the service adds.

use base64::Engine as _;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Rule, security};
use crate::local::clock;
use crate::local::core::Cx;
use crate::local::error::ArmError;
use crate::local::http::{Reply, Request};
use crate::local::lro::Style;
use crate::local::store::Row;
use crate::local::write::{Put, set, set_default};

/// A Batch account.
pub struct Account;

/// A pool.
pub struct Pool;

impl Rule for Account {
    fn needs_location(&self) -> bool {
        true
    }

    fn style(&self, created: bool) -> Style {
        if created { Style::Location } else { Style::Sync }
    }

    fn delete_style(&self) -> Style {
        Style::Location
    }

    fn prepare(&self, put: &mut Put<'_, '_>) -> Result<(), ArmError> {
        let name = put.path.name().to_owned();
        if !(3..=24).contains(&name.len()) || !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()) {
            return Err(ArmError::bad(
                "InvalidResourceName",
                format!("The Batch account name '{name}' is invalid: 3 to 24 lower-case letters and digits."),
            ));
        }
        let location = put.text("/location").map(crate::local::names::location).unwrap_or_default();
        let own = put.path.id();
        let rows = put.cx.store.of_kind("Microsoft.Batch/batchAccounts");
        if rows.iter().any(|row| row.name == name && row.location() == location && !row.id.eq_ignore_ascii_case(&own)) {
            return Err(ArmError::conflict(
                "AccountAlreadyExists",
                format!("An account named '{name}' already exists in region {location}."),
            ));
        }
        put.immutable("/properties/poolAllocationMode", "PropertyChangeNotAllowed")?;
        security::identity(put)?;
        let storage = put.text("/properties/autoStorage/storageAccountId").map(str::to_owned);
        if let Some(storage) = storage
            && !crate::local::write::exists(put.cx, &storage)
        {
            return Err(ArmError::bad(
                "StorageAccountNotFound",
                format!("The specified storage account '{storage}' does not exist."),
            ));
        }
        put.default("/identity/type", json!("None"));
        for (pointer, value) in [
            ("/properties/poolAllocationMode", json!("BatchService")),
            ("/properties/publicNetworkAccess", json!("Enabled")),
            ("/properties/encryption/keySource", json!("Microsoft.Batch")),
            ("/properties/allowedAuthenticationModes", json!(["SharedKey", "AAD", "TaskAuthenticationToken"])),
            ("/properties/privateEndpointConnections", json!([])),
            ("/properties/dedicatedCoreQuota", json!(100)),
            ("/properties/dedicatedCoreQuotaPerVMFamilyEnforced", json!(false)),
            ("/properties/lowPriorityCoreQuota", json!(100)),
            ("/properties/poolQuota", json!(100)),
            ("/properties/activeJobAndJobScheduleQuota", json!(300)),
        ] {
            put.default(pointer, value);
        }
        put.set("/properties/accountEndpoint", json!(format!("{name}.{location}.batch.azure.com")));
        put.set(
            "/properties/nodeManagementEndpoint",
            json!(format!("{}.{location}.service.batch.azure.com", put.cx.unique())),
        );
        put.set("/properties/provisioningState", json!("Succeeded"));
        if put.hidden.get("salt").is_none() {
            put.hidden = json!({ "salt": put.cx.unique(), "primary": 1, "secondary": 1 });
        }
        Ok(())
    }

    fn action(&self, cx: &mut Cx<'_>, row: &Row, word: &str, request: &Request) -> Result<Option<Reply>, ArmError> {
        match (request.method.as_str(), word) {
            ("POST", "listkeys") => Ok(Some(Reply::ok(keys(row)))),
            ("POST", "regeneratekeys") => {
                let body = request.json()?;
                let which = match body.get("keyName").and_then(Value::as_str).unwrap_or_default() {
                    "Primary" => "primary",
                    "Secondary" => "secondary",
                    other => {
                        return Err(ArmError::bad(
                            "InvalidRequestBody",
                            format!("keyName is Primary or Secondary, not '{other}'."),
                        ));
                    }
                };
                let mut row = row.clone();
                let number = row.hidden.get(which).and_then(Value::as_i64).unwrap_or(1);
                set(&mut row.hidden, &format!("/{which}"), json!(number + 1));
                let row = cx.store.put_row(row);
                Ok(Some(Reply::ok(keys(&row))))
            }
            ("POST", "syncautostoragekeys") => Ok(Some(Reply::empty(204))),
            _ => Ok(None),
        }
    }
}

/// The body of `listKeys`.
#[must_use]
pub fn keys(row: &Row) -> Value {
    let one = |which: &str| {
        let salt = row.hidden.get("salt").and_then(Value::as_str).unwrap_or_default();
        let number = row.hidden.get(which).and_then(Value::as_i64).unwrap_or(1);
        let mut bytes = Sha256::digest(format!("{salt}|{which}|{number}")).to_vec();
        bytes.extend_from_slice(&Sha256::digest(format!("{which}|{salt}|{number}")));
        base64::engine::general_purpose::STANDARD.encode(bytes)
    };
    json!({ "accountName": row.name, "primary": one("primary"), "secondary": one("secondary") })
}

fn invalid(property: &str, reason: impl Into<String>) -> ArmError {
    ArmError::bad(
        "InvalidPropertyValue",
        "The value provided for one of the properties in the request body is invalid.",
    )
    .at("BatchAccount")
    .because(vec![ArmError::bad("PropertyName", property), ArmError::bad("Reason", reason)])
}

impl Rule for Pool {
    fn always_200(&self) -> bool {
        true
    }

    fn merges(&self) -> bool {
        false
    }

    fn shows_etag(&self) -> bool {
        true
    }

    fn delete_style(&self) -> Style {
        Style::Location
    }

    fn prepare(&self, put: &mut Put<'_, '_>) -> Result<(), ArmError> {
        let name = put.path.name().to_owned();
        if !(1..=64).contains(&name.len()) || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
            return Err(ArmError::bad(
                "InvalidResourceName",
                format!("The pool name '{name}' is invalid: 1 to 64 letters, digits, '-' and '_'."),
            ));
        }
        if put.text("/properties/vmSize").is_none() {
            return Err(invalid("vmSize", "A pool needs a vmSize."));
        }
        if put.at("/properties/deploymentConfiguration").is_none() {
            return Err(invalid("deploymentConfiguration", "A pool needs a deploymentConfiguration."));
        }
        for fixed in [
            "/properties/vmSize",
            "/properties/deploymentConfiguration/virtualMachineConfiguration/nodeAgentSkuId",
            "/properties/taskSlotsPerNode",
        ] {
            put.immutable(fixed, "PropertyCannotBeUpdated")?;
        }
        security::identity(put)?;
        scale(put)?;
        // the service writes sizes in capitals
        let size = put.text("/properties/vmSize").map(str::to_uppercase).unwrap_or_default();
        if size.starts_with("STANDARD_") || size.starts_with("BASIC_") {
            put.set("/properties/vmSize", json!(size));
        }
        put.default("/properties/interNodeCommunication", json!("Disabled"));
        put.default("/properties/taskSlotsPerNode", json!(1));
        put.default("/properties/taskSchedulingPolicy/nodeFillType", json!("Spread"));
        if put.at("/properties/deploymentConfiguration/virtualMachineConfiguration/imageReference/publisher").is_some()
        {
            put.default(
                "/properties/deploymentConfiguration/virtualMachineConfiguration/imageReference/version",
                json!("latest"),
            );
        }
        if put.at("/properties/startTask").is_some() {
            put.default("/properties/startTask/userIdentity/autoUser/scope", json!("Pool"));
            put.default("/properties/startTask/maxTaskRetryCount", json!(0));
            put.default("/properties/startTask/waitForSuccess", json!(true));
        }
        for user in put.body.pointer_mut("/properties/userAccounts").and_then(Value::as_array_mut).into_iter().flatten()
        {
            if let Some(map) = user.as_object_mut() {
                map.shift_remove("password");
            }
            set_default(user, "/elevationLevel", json!("NonAdmin"));
        }
        for mount in
            put.body.pointer_mut("/properties/mountConfiguration").and_then(Value::as_array_mut).into_iter().flatten()
        {
            for kind in ["azureFileShareConfiguration", "azureBlobFileSystemConfiguration", "cifsMountConfiguration"] {
                if let Some(map) = mount.get_mut(kind).and_then(Value::as_object_mut) {
                    for secret in ["accountKey", "sasKey", "password"] {
                        map.shift_remove(secret);
                    }
                }
            }
        }
        times(put);
        Ok(())
    }

    fn shown(&self, cx: &Cx<'_>, row: &Row, request: &Request) -> Value {
        let mut body = cx.view(row);
        // the answer to a write shows the resize that it starts
        if request.method != "GET" && request.method != "HEAD" {
            set(&mut body, "/properties/allocationState", json!("Resizing"));
        }
        body
    }

    fn action(&self, cx: &mut Cx<'_>, row: &Row, word: &str, request: &Request) -> Result<Option<Reply>, ArmError> {
        let auto = row.at("/properties/scaleSettings/autoScale").is_some();
        match (request.method.as_str(), word) {
            ("POST", "stopresize") if auto => Err(ArmError::conflict(
                "OperationInvalidForCurrentState",
                "The specified operation is not valid for the current state of the resource.",
            )
            .at("BatchAccount")
            .because(vec![ArmError::conflict(
                "Reason",
                "The specified pool has AutoScale enabled. AutoScale resize cannot be stopped",
            )])),
            ("POST", "stopresize") => Ok(Some(Reply::ok(cx.view(row)))),
            ("POST", "disableautoscale") => {
                let mut row = row.clone();
                let dedicated = row.at("/properties/currentDedicatedNodes").cloned().unwrap_or(json!(0));
                let spot = row.at("/properties/currentLowPriorityNodes").cloned().unwrap_or(json!(0));
                if auto {
                    set(
                        &mut row.body,
                        "/properties/scaleSettings",
                        json!({ "fixedScale": {
                        "targetDedicatedNodes": dedicated, "targetLowPriorityNodes": spot, "resizeTimeout": "PT15M" } }),
                    );
                    if let Some(map) = row.body.get_mut("properties").and_then(Value::as_object_mut) {
                        map.shift_remove("autoScaleRun");
                    }
                }
                let row = cx.store.put_row(row);
                Ok(Some(Reply::ok(cx.view(&row)).header("ETag", format!("W/\"{}\"", row.etag))))
            }
            _ => Ok(None),
        }
    }
}

fn scale(put: &mut Put<'_, '_>) -> Result<(), ArmError> {
    let both = put.sent.pointer("/properties/scaleSettings/autoScale").is_some()
        && put.sent.pointer("/properties/scaleSettings/fixedScale").is_some();
    if both {
        return Err(invalid("scaleSettings", "fixedScale and autoScale exclude each other."));
    }
    // a PATCH from one kind to the other replaces it
    for (given, other) in [("autoScale", "fixedScale"), ("fixedScale", "autoScale")] {
        if put.sent.pointer(&format!("/properties/scaleSettings/{given}")).is_some()
            && let Some(map) = put.body.pointer_mut("/properties/scaleSettings").and_then(Value::as_object_mut)
        {
            map.shift_remove(other);
        }
    }
    let long = |text: &str, least: i64, most: i64| {
        clock::duration(text).is_some_and(|span| (least..=most).contains(&span.as_secs()))
    };
    if put.at("/properties/scaleSettings/autoScale").is_some() {
        let Some(formula) = put.text("/properties/scaleSettings/autoScale/formula").map(str::to_owned) else {
            return Err(invalid("formula", "autoScale needs a formula."));
        };
        put.default("/properties/scaleSettings/autoScale/evaluationInterval", json!("PT15M"));
        if !put
            .text("/properties/scaleSettings/autoScale/evaluationInterval")
            .is_some_and(|text| long(text, 300, 604_800))
        {
            return Err(invalid("evaluationInterval", "The interval must be between 5 minutes and 168 hours."));
        }
        let now = put.cx.now.to_string();
        let results = results(&formula, &now);
        put.set("/properties/autoScaleRun", json!({ "evaluationTime": now, "results": results }));
    } else {
        put.default("/properties/scaleSettings/fixedScale/targetDedicatedNodes", json!(0));
        put.default("/properties/scaleSettings/fixedScale/targetLowPriorityNodes", json!(0));
        put.default("/properties/scaleSettings/fixedScale/resizeTimeout", json!("PT15M"));
        if !put.text("/properties/scaleSettings/fixedScale/resizeTimeout").is_some_and(|text| long(text, 300, i64::MAX))
        {
            return Err(invalid("resizeTimeout", "The timeout must be at least 5 minutes."));
        }
        let count = |name: &str, put: &Put<'_, '_>| {
            put.at(&format!("/properties/scaleSettings/fixedScale/{name}")).cloned().unwrap_or(json!(0))
        };
        let (dedicated, spot) = (count("targetDedicatedNodes", put), count("targetLowPriorityNodes", put));
        put.set("/properties/currentDedicatedNodes", dedicated);
        put.set("/properties/currentLowPriorityNodes", spot.clone());
        let now = put.cx.now.to_string();
        let timeout = put.at("/properties/scaleSettings/fixedScale/resizeTimeout").cloned();
        let target = put.at("/properties/scaleSettings/fixedScale/targetDedicatedNodes").cloned();
        put.set(
            "/properties/resizeOperationStatus",
            json!({
                "targetDedicatedNodes": target, "targetLowPriorityNodes": spot, "nodeDeallocationOption": "Requeue",
                "resizeTimeout": timeout, "startTime": now,
            }),
        );
    }
    put.default("/properties/currentDedicatedNodes", json!(0));
    put.default("/properties/currentLowPriorityNodes", json!(0));
    Ok(())
}

/// What the service reports of a run: the formula evaluated against a pool without machines, tasks and samples.
fn results(formula: &str, now: &str) -> String {
    let none = || "$TargetDedicatedNodes=0;$TargetLowPriorityNodes=0;$NodeDeallocationOption=requeue".to_owned();
    let ticks = now.parse::<jiff::Timestamp>().ok().and_then(|t| i64::try_from(t.as_nanosecond() / 100).ok());
    let pool = crate::formula::PoolState::empty(ticks.unwrap_or(0));
    let Ok(formula) = crate::formula::parse(formula) else { return none() };
    crate::formula::evaluate(&formula, &pool).map_or_else(|_| none(), |run| run.results())
}

fn times(put: &mut Put<'_, '_>) {
    let now = put.cx.now.to_string();
    put.set("/properties/lastModified", json!(now));
    if let Some(old) = put.old.clone() {
        for kept in ["/properties/creationTime", "/properties/provisioningStateTransitionTime"] {
            if let Some(before) = old.at(kept) {
                put.default(kept, before.clone());
            }
        }
    }
    put.default("/properties/creationTime", json!(now));
    put.set("/properties/provisioningState", json!("Succeeded"));
    put.default("/properties/provisioningStateTransitionTime", json!(now));
    put.set("/properties/allocationState", json!("Steady"));
    put.set("/properties/allocationStateTransitionTime", json!(now));
}
