//! Microsoft.Storage: accounts with keys, file shares, containers. Keys are made from the id; nothing else is a secret.

use base64::Engine as _;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::core::Cx;
use crate::documents::Row;
use crate::error::ArmError;
use crate::http::{Reply, Request};
use crate::id::Path;
use crate::lro::Style;
use crate::rule::{Rule, WriteContext};
use crate::types::service_endpoints;
use crate::value::set;

pub struct Account;

/// `fileServices`, `blobServices`, … and their children.
pub struct Service;

pub struct Share;

const SKUS: &[&str] = &[
    "Standard_LRS",
    "Standard_GRS",
    "Standard_RAGRS",
    "Standard_ZRS",
    "Premium_LRS",
    "Premium_ZRS",
    "Standard_GZRS",
    "Standard_RAGZRS",
    "StandardV2_LRS",
    "StandardV2_GRS",
    "StandardV2_ZRS",
    "StandardV2_GZRS",
    "PremiumV2_LRS",
    "PremiumV2_ZRS",
];

fn legal_account(name: &str) -> bool {
    (3..=24).contains(&name.len()) && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}

fn name_error(name: &str) -> ArmError {
    ArmError::bad(
        "AccountNameInvalid",
        format!(
            "{name} is not a valid storage account name. Storage account name must be between 3 and 24 characters in length and use numbers and lower-case letters only."
        ),
    )
}

fn taken(cx: &Cx<'_>, name: &str, but: &str) -> bool {
    cx.store
        .of_kind("Microsoft.Storage/storageAccounts")
        .iter()
        .any(|row| row.name.eq_ignore_ascii_case(name) && !row.id.eq_ignore_ascii_case(but))
}

impl Rule for Account {
    fn needs_location(&self) -> bool {
        true
    }

    fn merges(&self) -> bool {
        true
    }

    fn style(&self, created: bool) -> Style {
        if created { Style::Location } else { Style::Sync }
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        let name = put.path.name().to_owned();
        if !legal_account(&name) {
            return Err(name_error(&name));
        }
        let id = put.path.id();
        if taken(put.cx, &name, &id) {
            return Err(ArmError::conflict(
                "StorageAccountAlreadyTaken",
                format!("The storage account named {name} is already taken."),
            ));
        }
        if is_first_version(put.api_version)
            && let Some(kind) = put.at("/properties/accountType").cloned()
        {
            put.set("/sku/name", kind);
            put.default("/kind", json!("Storage"));
        }
        let sku = put.text("/sku/name").unwrap_or_default().to_owned();
        let Some(sku) = SKUS.iter().find(|known| known.eq_ignore_ascii_case(&sku)) else {
            return Err(ArmError::bad(
                "InvalidValuesForRequestParameters",
                "Values for request parameters are invalid: sku.name.",
            )
            .at("sku.name"));
        };
        service_endpoints::check_storage(put)?;
        put.set("/sku/name", json!(sku));
        put.set("/sku/tier", json!(if sku.starts_with("Premium") { "Premium" } else { "Standard" }));
        put.default("/kind", json!("StorageV2"));
        let now = put.cx.now.to_string();
        let premium = sku.starts_with("Premium");
        // "The default value is true since API version 2019-04-01" (Storage Accounts - Create)
        let https = put.api_version.is_empty() || put.api_version >= "2019-04-01";
        let kind = put.text("/kind").unwrap_or_default().to_owned();
        for (pointer, value) in [
            ("/properties/privateEndpointConnections", json!([])),
            ("/properties/networkAcls/bypass", json!("AzureServices")),
            ("/properties/networkAcls/virtualNetworkRules", json!([])),
            ("/properties/networkAcls/ipRules", json!([])),
            ("/properties/networkAcls/defaultAction", json!("Allow")),
            ("/tags", json!({})),
            ("/properties/supportsHttpsTrafficOnly", json!(https)),
            ("/properties/minimumTlsVersion", json!("TLS1_2")),
            ("/properties/allowBlobPublicAccess", json!(false)),
            (
                "/properties/encryption/services/file",
                json!({ "keyType": "Account", "enabled": true, "lastEnabledTime": now }),
            ),
            (
                "/properties/encryption/services/blob",
                json!({ "keyType": "Account", "enabled": true, "lastEnabledTime": now }),
            ),
            ("/properties/encryption/keySource", json!("Microsoft.Storage")),
            ("/properties/creationTime", json!(now)),
        ] {
            put.default(pointer, value);
        }
        if !premium && kind != "Storage" {
            put.default("/properties/accessTier", json!("Hot"));
        }
        for service in ["file", "blob"] {
            put.default(&format!("/properties/encryption/services/{service}/lastEnabledTime"), json!(now));
        }
        let location = put.text("/location").map(crate::names::location).unwrap_or_default();
        let services: &[&str] = match kind.as_str() {
            "FileStorage" => &["file"],
            "BlockBlobStorage" => &["dfs", "web", "blob"],
            "BlobStorage" => &["dfs", "blob", "table"],
            _ => &["dfs", "web", "blob", "queue", "table", "file"],
        };
        let mut ends = json!({});
        for service in services {
            let host = if *service == "web" { "z6.web" } else { service };
            set(&mut ends, &format!("/{service}"), json!(format!("https://{name}.{host}.core.windows.net/")));
        }
        put.set("/properties/primaryEndpoints", ends);
        put.set("/properties/primaryLocation", json!(location));
        put.set("/properties/statusOfPrimary", json!("available"));
        let copies = sku.contains("GRS") || sku.contains("GZRS");
        if let (true, Some(pair)) = (copies, crate::names::pair(&location)) {
            put.set("/properties/secondaryLocation", json!(pair));
            put.set("/properties/statusOfSecondary", json!("available"));
        }
        put.set("/properties/provisioningState", json!("Succeeded"));
        let connections = put.body.pointer_mut("/properties/privateEndpointConnections").and_then(Value::as_array_mut);
        for connection in connections.into_iter().flatten() {
            set(connection, "/properties/provisioningState", json!("Succeeded"));
        }
        if put.hidden.get("keys").is_none() {
            let created = put.cx.now_ms();
            put.hidden = json!({ "keys": [1, 1], "salt": put.cx.unique(), "keyTime": [created, created] });
        }
        Ok(())
    }

    // The first versions have the kind of copies among the properties, and no kind of account.
    fn shown(&self, cx: &Cx<'_>, row: &Row, request: &Request) -> Value {
        let mut body = cx.view(row);
        if is_first_version(request.query("api-version").unwrap_or_default()) {
            let copies = body.pointer("/sku/name").cloned().unwrap_or_default();
            set(&mut body, "/properties/accountType", copies);
            if let Some(map) = body.as_object_mut() {
                map.shift_remove("sku");
                map.shift_remove("kind");
            }
        } else if let Some(map) = body.get_mut("properties").and_then(Value::as_object_mut) {
            map.shift_remove("accountType");
        }
        body
    }

    fn action(&self, cx: &mut Cx<'_>, row: &Row, word: &str, request: &Request) -> Result<Option<Reply>, ArmError> {
        let account = &row.name;
        Ok(match (request.method.as_str(), word) {
            ("POST", "listkeys") if is_first_version(request.query("api-version").unwrap_or_default()) => {
                Some(Reply::ok(json!({ "key1": key_text(row, 0), "key2": key_text(row, 1) })))
            }
            ("POST", "listkeys") => Some(Reply::ok(keys(row))),
            ("POST", "regeneratekey") => {
                let body = request.json()?;
                let at = match body.get("keyName").and_then(Value::as_str) {
                    Some("key1") => 0,
                    Some("key2") => 1,
                    _ => {
                        return Err(ArmError::bad(
                            "InvalidValuesForRequestParameters",
                            "Values for request parameters are invalid: keyName.",
                        )
                        .at("keyName"));
                    }
                };
                let mut row = row.clone();
                let number = row.hidden.pointer(&format!("/keys/{at}")).and_then(Value::as_i64).unwrap_or(1);
                if let Some(slot) = row.hidden.pointer_mut(&format!("/keys/{at}")) {
                    *slot = json!(number + 1);
                }
                if let Some(slot) = row.hidden.pointer_mut(&format!("/keyTime/{at}")) {
                    *slot = json!(cx.now_ms());
                }
                let row = cx.store.put_row(row);
                Some(Reply::ok(keys(&row)))
            }
            ("POST", "listaccountsas") => Some(Reply::ok(json!({ "accountSasToken": sas(row, "account") }))),
            ("POST", "listservicesas") => Some(Reply::ok(json!({ "serviceSasToken": sas(row, "service") }))),
            ("POST", "revokeuserdelegationkeys") => Some(Reply::empty(200)),
            ("GET", "privatelinkresources") => {
                let item = |group: &str| {
                    json!({
                        "id": format!("{}/privateLinkResources/{group}", row.id), "name": group,
                        "type": "Microsoft.Storage/storageAccounts/privateLinkResources",
                        "properties": { "groupId": group, "requiredMembers": [group],
                            "requiredZoneNames": [format!("privatelink.{group}.core.windows.net")] },
                    })
                };
                let list: Vec<Value> =
                    ["blob", "table", "queue", "file", "web", "dfs"].iter().map(|g| item(g)).collect();
                Some(Reply::ok(json!({ "value": list, "account": account }))).map(|mut reply| {
                    if let Some(map) = reply.body.as_mut().and_then(Value::as_object_mut) {
                        map.shift_remove("account");
                    }
                    reply
                })
            }
            ("GET", "fileservices" | "blobservices" | "queueservices" | "tableservices") => {
                let segment = match word {
                    "fileservices" => "fileServices",
                    "blobservices" => "blobServices",
                    "queueservices" => "queueServices",
                    _ => "tableServices",
                };
                let path = Path::of(&format!("{}/{segment}/default", row.id));
                let body = cx
                    .store
                    .row(&path.id())
                    .map(|row| Service.shown(cx, &row, request))
                    .or_else(|| service_body(cx, &path));
                Some(Reply::ok(json!({ "value": body.into_iter().collect::<Vec<_>>() })))
            }
            _ => None,
        })
    }
}

/// Whether a version is of 2015: its accounts have `accountType` in place of `sku`, and its `listKeys` answers `key1` and
/// `key2`. <https://learn.microsoft.com/azure/templates/microsoft.storage/2015-06-15/storageaccounts>
fn is_first_version(api_version: &str) -> bool {
    api_version.starts_with("2015-")
}

fn key_text(row: &Row, at: usize) -> String {
    let number = row.hidden.pointer(&format!("/keys/{at}")).and_then(Value::as_i64).unwrap_or(1);
    let salt = row.hidden.get("salt").and_then(Value::as_str).unwrap_or_default();
    let half = |part: u8| Sha256::digest(format!("{salt}|{}|{at}|{number}|{part}", row.id.to_lowercase()));
    let mut bytes = half(0).to_vec();
    bytes.extend_from_slice(&half(1));
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// The body of `listKeys`.
#[must_use]
pub fn keys(row: &Row) -> Value {
    let one = |at: usize| {
        let time = row.hidden.pointer(&format!("/keyTime/{at}")).and_then(Value::as_i64).unwrap_or(row.created);
        let time = jiff::Timestamp::from_millisecond(time).map(|at| at.to_string()).unwrap_or_default();
        json!({ "creationTime": time, "keyName": format!("key{}", at + 1), "value": key_text(row, at), "permissions": "FULL" })
    };
    json!({ "keys": [one(0), one(1)] })
}

fn sas(row: &Row, kind: &str) -> String {
    let digest = Sha256::digest(format!("{kind}|{}", key_text(row, 0)));
    let signature = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest);
    format!("sv=2022-11-02&ss=bf&srt=sco&sp=rwdl&sig={signature}")
}

/// The answer to `checkNameAvailability` of storage.
///
/// # Errors
/// A body that is not JSON.
pub fn check_name(cx: &Cx<'_>, request: &Request) -> Result<Reply, ArmError> {
    let body = request.json()?;
    let name = body.get("name").and_then(Value::as_str).unwrap_or_default();
    Ok(Reply::ok(if !legal_account(name) {
        json!({ "nameAvailable": false, "reason": "AccountNameInvalid", "message": name_error(name).message })
    } else if taken(cx, name, "") {
        json!({ "nameAvailable": false, "reason": "AlreadyExists", "message": format!("The storage account named {name} is already taken.") })
    } else {
        json!({ "nameAvailable": true })
    }))
}

/// The body of a service that nobody has configured.
#[must_use]
pub fn service_body(cx: &Cx<'_>, path: &Path) -> Option<Value> {
    let account = cx.store.row(&path.parent()?.id())?;
    if path.name() != "default" {
        return None;
    }
    let mut body = json!({
        "sku": account.at("/sku"), "id": path.id(), "name": "default", "type": path.resource_type(),
        "properties": { "cors": { "corsRules": [] } },
    });
    match path.last_type().to_lowercase().as_str() {
        "fileservices" => {
            set(&mut body, "/properties/shareDeleteRetentionPolicy", json!({ "enabled": true, "days": 7 }));
            set(&mut body, "/properties/protocolSettings", json!({ "smb": {} }));
        }
        "blobservices" => set(&mut body, "/properties/deleteRetentionPolicy", json!({ "enabled": false })),
        _ => {}
    }
    Some(body)
}

/// Policies of an account: one by the name `default`, always answered 200.
pub struct Policy;

impl Rule for Policy {
    // the id ends in `default`, the name does not
    fn shown(&self, cx: &Cx<'_>, row: &Row, _: &Request) -> Value {
        let mut body = cx.view(row);
        set(&mut body, "/name", json!("DefaultManagementPolicy"));
        body
    }

    fn write_status(&self) -> Option<u16> {
        Some(200)
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        let now = put.cx.now.to_string();
        put.set("/properties/lastModifiedTime", json!(now));
        Ok(())
    }
}

impl Rule for Service {
    fn shown(&self, cx: &Cx<'_>, row: &Row, request: &Request) -> Value {
        let mut body = cx.view(row);
        // today only premium accounts speak of it
        let version = request.query("api-version").unwrap_or_default();
        if !version.is_empty() && version < "2020-01-01" && row.kind.ends_with("/fileServices") {
            crate::value::set_default(
                &mut body,
                "/properties/protocolSettings/smb/multichannel",
                json!({ "enabled": false }),
            );
        }
        body
    }

    fn write_status(&self) -> Option<u16> {
        Some(200)
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        if put.path.name() != "default" {
            return Err(ArmError::bad(
                "InvalidResourceName",
                format!("The service name '{}' is not 'default'.", put.path.name()),
            ));
        }
        let account = put.path.parent().map(|account| account.id()).unwrap_or_default();
        if let Some(sku) = put.cx.store.row(&account).and_then(|row| row.at("/sku").cloned()) {
            put.set("/sku", sku);
        }
        if put.path.last_type() == "fileServices" {
            put.default("/properties/protocolSettings/smb", json!({}));
            put.default("/properties/cors/corsRules", json!([]));
            put.default("/properties/shareDeleteRetentionPolicy", json!({ "enabled": true, "days": 7 }));
        }
        Ok(())
    }
}

/// Names of shares and containers.
///
/// # Errors
/// The error code `InvalidResourceName` of Azure.
pub fn check_part_name(name: &str) -> Result<(), ArmError> {
    let legal = (3..=63).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !name.contains("--")
        && !name.starts_with('-')
        && !name.ends_with('-');
    if legal {
        return Ok(());
    }
    Err(ArmError::bad("InvalidResourceName", "The specified resource name contains invalid characters."))
}

impl Rule for Share {
    fn shown(&self, cx: &Cx<'_>, row: &Row, request: &Request) -> Value {
        let mut body = cx.view(row);
        if request.query("$expand").is_some_and(|what| what.to_lowercase().contains("stats")) {
            set(&mut body, "/properties/shareUsageBytes", json!(0));
        }
        body
    }

    fn merges(&self) -> bool {
        true
    }

    fn shows_etag(&self) -> bool {
        true
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        check_part_name(put.path.name())?;
        let quota = put.at("/properties/shareQuota").and_then(Value::as_i64);
        if quota.is_some_and(|quota| !(1..=262_144).contains(&quota)) {
            return Err(ArmError::bad(
                "OutOfRangeInput",
                "The value for shareQuota is out of range: 1 to 262144 GiB (102400 on pay-as-you-go accounts).",
            )
            .at("shareQuota"));
        }
        if let (Some(old), Some(now)) =
            (put.old.as_ref().and_then(|old| old.at("/properties/shareQuota")?.as_i64()), quota)
            && now < old
            && put.text("/properties/accessTier") == Some("Premium")
            && now < old / 2
        {
            return Err(ArmError::bad(
                "OutOfRangeInput",
                "The share quota of a premium share cannot be lowered that far at once.",
            )
            .at("shareQuota"));
        }
        let now = put.cx.now.to_string();
        put.set("/properties/lastModifiedTime", json!(now));
        put.default("/properties/leaseStatus", json!("Unlocked"));
        put.default("/properties/leaseState", json!("Available"));
        let account =
            put.path.parent().and_then(|service| service.parent()).map(|account| account.id()).unwrap_or_default();
        let premium = put.cx.store.row(&account).is_some_and(|row| row.text("/sku/tier") == Some("Premium"));
        put.default("/properties/accessTier", json!(if premium { "Premium" } else { "TransactionOptimized" }));
        put.default("/properties/shareQuota", json!(if premium { 100 } else { 5120 }));
        put.default("/properties/enabledProtocols", json!("SMB"));
        if put.text("/properties/enabledProtocols") == Some("NFS") {
            put.default("/properties/rootSquash", json!("NoRootSquash"));
            if !premium {
                return Err(ArmError::bad(
                    "NfsFileShareNotSupported",
                    "NFS file shares need a premium file storage account.",
                ));
            }
        }
        Ok(())
    }
}
