//! Microsoft.Batch: accounts (202 and `Location`), pools (answered at once), with the defaults that the service adds.

use base64::Engine as _;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::core::Cx;
use crate::documents::Row;
use crate::error::ArmError;
use crate::http::{Reply, Request, page};
use crate::id::Path;
use crate::lro::Style;
use crate::nodes::memory::Memory;
use crate::rule::{Rule, WriteContext};
use crate::types::{fixed, security};
use crate::value::{set, set_default};
use crate::{clock, nodes};

/// Quotas until a test sets others: as good as none.
const QUOTA: i64 = 10_000;

pub struct Account;

pub struct Pool;

/// An application of an account: answered with 200 also when it is new.
pub struct Application;

/// One version of an application's package.
pub struct Package;

impl Rule for Application {
    fn write_status(&self) -> Option<u16> {
        Some(200)
    }

    fn shows_etag(&self) -> bool {
        true
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        put.default("/properties/allowUpdates", json!(true));
        Ok(())
    }
}

impl Rule for Package {
    fn write_status(&self) -> Option<u16> {
        Some(200)
    }

    fn shows_etag(&self) -> bool {
        true
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        let (version, unique) = (put.path.name().to_owned(), put.cx.unique());
        let until = put.cx.now.saturating_add(jiff::SignedDuration::from_hours(4)).unwrap_or(put.cx.now).to_string();
        // where the package would be put: it leads nowhere
        let url = format!(
            "https://127.0.0.1/not-azure/app-{}/{version}?sv=2018-03-28&sr=b&sig=none",
            unique.replace('-', "")
        );
        put.set("/properties/storageUrl", json!(url));
        put.set("/properties/storageUrlExpiry", json!(until));
        put.default("/properties/state", json!("Pending"));
        Ok(())
    }

    fn action(&self, cx: &mut Cx<'_>, row: &Row, word: &str, request: &Request) -> Result<Option<Reply>, ArmError> {
        if (request.method.as_str(), word) != ("POST", "activate") {
            return Ok(None);
        }
        let mut row = row.clone();
        let format = request.json()?.get("format").cloned().unwrap_or_else(|| json!("zip"));
        set(&mut row.body, "/properties/state", json!("Active"));
        set(&mut row.body, "/properties/format", format);
        set(&mut row.body, "/properties/lastActivationTime", json!(cx.now.to_string()));
        row.etag = cx.unique();
        set(&mut row.body, "/etag", json!(format!("W/\"{}\"", row.etag)));
        let row = cx.store.put_row(row);
        Ok(Some(Reply::ok(cx.view(&row)).header("ETag", format!("W/\"{}\"", row.etag))))
    }
}

/// The quota of each family of sizes, as the account lists them.
fn families() -> Vec<Value> {
    let mut names: Vec<&str> = crate::facts::sizes().map(|size| size.family).filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| json!({ "name": name, "coreQuota": QUOTA })).collect()
}

/// What a private endpoint can be connected to: the account itself.
fn link(row: &Row) -> Value {
    json!({
        "id": format!("{}/privateLinkResources/{}", row.id, row.name), "name": row.name,
        "type": "Microsoft.Batch/batchAccounts/privateLinkResources",
        "properties": { "groupId": "batchAccount", "requiredMembers": ["batchAccount"],
            "requiredZoneNames": [format!("privatelink.{}.batch.azure.com", row.location())] },
    })
}

/// One of the things that a private endpoint can be connected to, by its path.
#[must_use]
pub fn private_link(cx: &Cx<'_>, path: &Path) -> Option<Value> {
    let row = cx.store.row(&path.parent()?.id())?;
    row.name.eq_ignore_ascii_case(path.name()).then(|| link(&row))
}

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

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        let name = put.path.name().to_owned();
        if !(3..=24).contains(&name.len()) || !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()) {
            return Err(ArmError::bad(
                "InvalidResourceName",
                format!("The Batch account name '{name}' is invalid: 3 to 24 lower-case letters and digits."),
            ));
        }
        let location = put.text("/location").map(crate::names::location).unwrap_or_default();
        let own = put.path.id();
        let rows = put.cx.store.of_kind("Microsoft.Batch/batchAccounts");
        if rows.iter().any(|row| row.name == name && row.location() == location && !row.id.eq_ignore_ascii_case(&own)) {
            return Err(ArmError::conflict(
                "AccountAlreadyExists",
                format!("An account named '{name}' already exists in region {location}."),
            ));
        }
        security::identity(put)?;
        let storage = put.text("/properties/autoStorage/storageAccountId").map(str::to_owned);
        if let Some(storage) = storage
            && !crate::lookup::exists(put.cx, &storage)
        {
            return Err(ArmError::bad(
                "StorageAccountNotFound",
                format!("The specified storage account '{storage}' does not exist."),
            ));
        }
        let own_subscription = put
            .text("/properties/poolAllocationMode")
            .is_some_and(|mode| mode.eq_ignore_ascii_case("UserSubscription"));
        if own_subscription && put.at("/properties/keyVaultReference").is_none() {
            return Err(ArmError::bad(
                "InvalidRequestBody",
                "The specified Request Body is not syntactically valid.",
            )
            .at("BatchAccount")
            .because(vec![ArmError::bad(
                "Reason",
                "keyVaultReference must be set if poolAllocationMode is specified as 'UserSubscription' on a PUT request",
            )]));
        }
        put.default("/identity/type", json!("None"));
        for (pointer, value) in [
            ("/properties/poolAllocationMode", json!("BatchService")),
            ("/properties/publicNetworkAccess", json!("Enabled")),
            ("/properties/encryption/keySource", json!("Microsoft.Batch")),
            ("/properties/allowedAuthenticationModes", json!(["SharedKey", "AAD", "TaskAuthenticationToken"])),
            ("/properties/privateEndpointConnections", json!([])),
            ("/properties/dedicatedCoreQuota", json!(QUOTA)),
            ("/properties/dedicatedCoreQuotaPerVMFamilyEnforced", json!(false)),
            ("/properties/dedicatedCoreQuotaPerVMFamily", json!(families())),
            ("/properties/lowPriorityCoreQuota", json!(QUOTA)),
            ("/properties/poolQuota", json!(QUOTA)),
            ("/properties/activeJobAndJobScheduleQuota", json!(QUOTA)),
        ] {
            put.default(pointer, value);
        }
        put.set("/properties/accountEndpoint", json!(format!("{name}.{location}.batch.azure.com")));
        // the address is given once: a later write does not change it
        let before = put.old.as_ref().and_then(|old| old.text("/properties/nodeManagementEndpoint").map(str::to_owned));
        let endpoint = before.unwrap_or_else(|| format!("{}.{location}.service.batch.azure.com", put.cx.unique()));
        put.set("/properties/nodeManagementEndpoint", json!(endpoint));
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
            ("GET", "privatelinkresources") => Ok(Some(page(request, vec![link(row)]))),
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

/// `GET …/locations/{location}/quotas`: accounts that a subscription may have there.
#[must_use]
pub fn location_quota() -> Value {
    json!({ "accountQuota": QUOTA })
}

/// `GET …/locations/{location}/virtualMachineSkus`: the sizes of the standard library that no rule of Batch excludes.
#[must_use]
pub fn location_sizes() -> Vec<Value> {
    crate::limits::sizes()
        .filter(|(name, _)| !name.starts_with("Standard_B"))
        .map(|(name, cores)| json!({ "name": name, "capabilities": [{ "name": "vCPUs", "value": cores.to_string() }] }))
        .collect()
}

fn invalid(property: &str, reason: impl Into<String>) -> ArmError {
    ArmError::bad(
        "InvalidPropertyValue",
        "The value provided for one of the properties in the request body is invalid.",
    )
    .at("BatchAccount")
    .because(vec![ArmError::bad("PropertyName", property), ArmError::bad("Reason", reason)])
}

/// Task slots had another name before 2021.
fn old_names(mut body: Value, request: &Request) -> Value {
    if request.api_version() < "2021"
        && let Some(map) = body.get_mut("properties").and_then(Value::as_object_mut)
        && let Some(slots) = map.shift_remove("taskSlotsPerNode")
    {
        map.insert("maxTasksPerNode".into(), slots);
    }
    body
}

impl Rule for Pool {
    fn write_status(&self) -> Option<u16> {
        Some(200)
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

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
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
        security::identity(put)?;
        // a PATCH that says nothing of the scale leaves it alone
        let rescaled =
            put.sent.pointer("/properties/scaleSettings").is_some() || put.at("/properties/scaleSettings").is_none();
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
        if put.at("/properties/deploymentConfiguration/cloudServiceConfiguration").is_some() {
            put.default("/properties/deploymentConfiguration/cloudServiceConfiguration/osVersion", json!("*"));
        }
        let agent = put.text("/properties/deploymentConfiguration/virtualMachineConfiguration/nodeAgentSkuId");
        let login = match agent {
            None => Some("Interactive"),
            Some(agent) if agent.starts_with("batch.node.windows") => Some("Batch"),
            Some(_) => None,
        };
        for user in put.body.pointer_mut("/properties/userAccounts").and_then(Value::as_array_mut).into_iter().flatten()
        {
            if let Some(map) = user.as_object_mut() {
                map.shift_remove("password");
            }
            set_default(user, "/elevationLevel", json!("NonAdmin"));
            if let Some(mode) = login {
                set_default(user, "/windowsUserConfiguration/loginMode", json!(mode));
            }
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
        check_nodes(put)?;
        times(put);
        nodes::pool::write(put, rescaled)
    }

    fn shown(&self, cx: &Cx<'_>, row: &Row, request: &Request) -> Value {
        let mut row = row.clone();
        let Some(memory) = Memory::of(&row.hidden) else { return cx.view(&row) };
        nodes::pool::show(&mut row, &memory.sim, cx.now_ms());
        // the answer to a write shows the resize that it starts
        if request.method != "GET" && request.method != "HEAD" {
            set(&mut row.body, "/properties/allocationState", json!("Resizing"));
            set(&mut row.body, "/properties/currentDedicatedNodes", json!(memory.before[0]));
            set(&mut row.body, "/properties/currentLowPriorityNodes", json!(memory.before[1]));
        }
        old_names(cx.view(&row), request)
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
            ("POST", "stopresize") => {
                let mut row = row.clone();
                if let Some(mut memory) = Memory::of(&row.hidden) {
                    nodes::pool::stop(cx, &mut row, &mut memory);
                }
                let row = cx.store.put_row(row);
                Ok(Some(Reply::ok(cx.view(&row)).header("ETag", format!("W/\"{}\"", row.etag))))
            }
            ("POST", "disableautoscale") => {
                let mut row = row.clone();
                if let Some(mut memory) = Memory::of(&row.hidden).filter(|_| auto) {
                    memory.next = None;
                    let [dedicated, spot] = memory.sim.target;
                    set(
                        &mut row.body,
                        "/properties/scaleSettings",
                        json!({ "fixedScale": {
                        "targetDedicatedNodes": dedicated, "targetLowPriorityNodes": spot, "resizeTimeout": "PT15M" } }),
                    );
                    if let Some(map) = row.body.get_mut("properties").and_then(Value::as_object_mut) {
                        map.shift_remove("autoScaleRun");
                    }
                    memory.wake = memory.sim.next();
                    row.hidden = memory.hidden();
                    row.etag = cx.unique();
                    set(&mut row.body, "/etag", json!(format!("W/\"{}\"", row.etag)));
                    set(&mut row.body, "/properties/lastModified", json!(cx.now.to_string()));
                }
                let row = cx.store.put_row(row);
                let mut body = old_names(cx.view(&row), request);
                set(&mut body, "/properties/allocationState", json!("Resizing"));
                Ok(Some(Reply::ok(body).header("ETag", format!("W/\"{}\"", row.etag))))
            }
            _ => Ok(None),
        }
    }
}

/// Refuses what a pool takes only while it has no nodes.
fn check_nodes(put: &WriteContext<'_, '_>) -> Result<(), ArmError> {
    const EMPTY_ONLY: [&str; 11] = [
        "vmSize",
        "deploymentConfiguration",
        "taskSlotsPerNode",
        "interNodeCommunication",
        "networkConfiguration",
        "userAccounts",
        "mountConfiguration",
        "taskSchedulingPolicy",
        "displayName",
        "upgradePolicy",
        "targetNodeCommunicationMode",
    ];
    let Some(old) = &put.old else { return Ok(()) };
    let now = put.cx.now_ms();
    let nodes = Memory::of(&put.hidden).map_or([0, 0], |memory| memory.sim.nodes_at(now));
    if nodes == [0, 0] {
        return Ok(());
    }
    for key in EMPTY_ONLY {
        let pointer = format!("/properties/{key}");
        let (before, after) = (old.at(&pointer), put.at(&pointer));
        let empty = |value: Option<&Value>| value.is_none_or(|v| v == &json!([]) || v == &json!({}));
        let same = match (before, after) {
            (Some(before), Some(after)) => fixed::same(before, after) && fixed::same(after, before),
            _ => empty(before) && empty(after),
        };
        if !same {
            return Err(ArmError::bad(
                "PropertyCannotBeUpdated",
                format!("The property {key} of a pool can be updated only while the pool has no nodes."),
            )
            .at(key));
        }
    }
    Ok(())
}

fn scale(put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
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
        if let Err(error) = batch_formula::parse(&formula) {
            return Err(ArmError::bad(
                "AutoScalingFormulaSyntaxError",
                "The specified autoscaling formula has a syntax error.",
            )
            .at("BatchAccount")
            .because(vec![ArmError::bad("Reason", error.title)]));
        }
        put.default("/properties/scaleSettings/autoScale/evaluationInterval", json!("PT15M"));
        if !put
            .text("/properties/scaleSettings/autoScale/evaluationInterval")
            .is_some_and(|text| long(text, 300, 604_800))
        {
            return Err(invalid("evaluationInterval", "The interval must be between 5 minutes and 168 hours."));
        }
    } else {
        put.default("/properties/scaleSettings/fixedScale/targetDedicatedNodes", json!(0));
        put.default("/properties/scaleSettings/fixedScale/targetLowPriorityNodes", json!(0));
        put.default("/properties/scaleSettings/fixedScale/resizeTimeout", json!("PT15M"));
        if !put.text("/properties/scaleSettings/fixedScale/resizeTimeout").is_some_and(|text| long(text, 300, i64::MAX))
        {
            return Err(invalid("resizeTimeout", "The timeout must be at least 5 minutes."));
        }
    }
    Ok(())
}

fn times(put: &mut WriteContext<'_, '_>) {
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
    put.set("/properties/allocationStateTransitionTime", json!(now));
}
