//! Managed disks, snapshots and images: what a PUT is completed with, access to the bytes, and answers that come before
//! the operation has ended.
//!
//! Protocol and defaults: tests recorded with azure-mgmt-compute 4.6.2, 12.0.0 and 18.0.0 (2018 to 2020), where a write is
//! answered 202 with what was sent and `isArmResource`, and everything else comes with the end of the operation.

use serde_json::{Value, json};

use crate::core::Cx;
use crate::documents::{Outcome, Row};
use crate::error::ArmError;
use crate::http::{Reply, Request};
use crate::id::Path;
use crate::lro::{self, Style, poll_headers};
use crate::rule::{Rule, WriteContext};
use crate::types::security;
use crate::value::{set, set_default};

/// Disks that machines have, or may have: `Microsoft.Compute/disks`.
pub struct Disk;

/// Copies of disks as they were: `Microsoft.Compute/snapshots`.
pub struct Snapshot;

/// What machines are made from, without a gallery: `Microsoft.Compute/images`.
pub struct Image;

const GIB: u64 = 1 << 30;

/// Largest size in GiB, then operations and megabytes per second of HDD, standard SSD and premium SSD. A disk has what the
/// next larger size has.
///
/// Source: the tables of "Azure managed disk types", `includes/disk-storage-{standard-hdd,standard-ssd,premium-ssd}-sizes.md`
/// of MicrosoftDocs/azure-docs (2019-03 and 2023-03).
const SPEEDS: &[(u64, [(u32, u32); 3])] = &[
    (4, [(500, 60), (120, 25), (120, 25)]),
    (8, [(500, 60), (120, 25), (120, 25)]),
    (16, [(500, 60), (120, 25), (120, 25)]),
    (32, [(500, 60), (120, 25), (120, 25)]),
    (64, [(500, 60), (240, 50), (240, 50)]),
    (128, [(500, 60), (500, 60), (500, 100)]),
    (256, [(500, 60), (500, 60), (1100, 125)]),
    (512, [(500, 60), (500, 60), (2300, 150)]),
    (1024, [(500, 60), (500, 60), (5000, 200)]),
    (2048, [(500, 60), (500, 60), (7500, 250)]),
    (4096, [(500, 60), (500, 60), (7500, 250)]),
    (8192, [(1300, 300), (2000, 400), (16_000, 500)]),
    (16_384, [(2000, 500), (4000, 600), (18_000, 750)]),
    (32_767, [(2000, 500), (6000, 750), (20_000, 900)]),
];

/// Operations and megabytes per second of a disk; `None` where the client sets them.
fn speed(sku: &str, gib: u64) -> Option<(u32, u32)> {
    let column = match sku.to_lowercase().as_str() {
        "standard_lrs" => 0,
        "standardssd_lrs" | "standardssd_zrs" => 1,
        "premium_lrs" | "premium_zrs" => 2,
        _ => return None,
    };
    let (_, speeds) = SPEEDS.iter().find(|(most, _)| gib <= *most)?;
    speeds.get(column).copied()
}

fn tier(sku: &str) -> &'static str {
    match sku.split('_').next().unwrap_or_default().to_lowercase().as_str() {
        "premium" | "premiumv2" => "Premium",
        "ultrassd" => "Ultra",
        _ => "Standard",
    }
}

/// Fills in the body of a disk or snapshot, except for what the clock and chance give.
pub fn fill(body: &mut Value) {
    set_default(body, "/sku/name", json!("Standard_LRS"));
    let sku = body.pointer("/sku/name").and_then(Value::as_str).unwrap_or_default().to_owned();
    set(body, "/sku/tier", json!(tier(&sku)));
    let number = |pointer: &str| body.pointer(pointer).and_then(Value::as_u64);
    let upload = number("/properties/creationData/uploadSizeBytes");
    let gib = number("/properties/diskSizeGB");
    // an upload has a footer of 512 bytes
    let size = gib.or_else(|| upload.map(|bytes| bytes.saturating_sub(512).div_ceil(GIB)));
    if let Some(bytes) = gib.map(|gib| gib.saturating_mul(GIB)).or(upload) {
        set(body, "/properties/diskSizeBytes", json!(bytes));
    }
    set_default(body, "/properties/diskState", json!(if upload.is_some() { "ReadyToUpload" } else { "Unattached" }));
    set_default(body, "/properties/encryption/type", json!("EncryptionAtRestWithPlatformKey"));
    set_default(body, "/properties/networkAccessPolicy", json!("AllowAll"));
    if let Some((operations, bytes)) = size.and_then(|size| speed(&sku, size)) {
        set(body, "/properties/diskIOPSReadWrite", json!(operations));
        set(body, "/properties/diskMBpsReadWrite", json!(bytes));
    }
}

/// The disk or snapshot that another one is a copy of: its id becomes `sourceResourceId`, its size is the least size.
fn copy(put: &mut WriteContext<'_, '_>) {
    const DATA: &str = "/properties/creationData";
    let copies = put.text(&format!("{DATA}/createOption")).is_some_and(|option| option.eq_ignore_ascii_case("Copy"));
    if !copies {
        return;
    }
    if let Some(data) = put.body.pointer_mut(DATA).and_then(Value::as_object_mut)
        && let Some(uri) = data.shift_remove("sourceUri")
    {
        data.entry("sourceResourceId").or_insert(uri);
    }
    let Some(source) = put.text(&format!("{DATA}/sourceResourceId")).map(absolute) else { return };
    put.set(&format!("{DATA}/sourceResourceId"), json!(source));
    let Some(source) = put.cx.store.row(&source) else { return };
    if let Some(id) = source.at("/properties/uniqueId") {
        put.set(&format!("{DATA}/sourceUniqueId"), id.clone());
    }
    for same in ["diskSizeGB", "osType", "hyperVGeneration"] {
        if let Some(value) = source.at(&format!("/properties/{same}")).filter(|value| !value.is_null()) {
            put.default(&format!("/properties/{same}"), value.clone());
        }
    }
}

/// An id that a client wrote without its first slash, as the service shows it.
fn absolute(id: &str) -> String {
    if id.to_lowercase().starts_with("subscriptions/") { format!("/{id}") } else { id.to_owned() }
}

fn prepare(put: &mut WriteContext<'_, '_>) {
    copy(put);
    fill(&mut put.body);
    let unique = put.cx.unique();
    let now = put.cx.now.to_string();
    put.default("/properties/timeCreated", json!(now));
    put.default("/properties/uniqueId", json!(unique));
    put.set("/properties/provisioningState", json!("Succeeded"));
}

/// The first answer has no id, and of the properties only those that say what is wanted.
fn first_answer(body: &mut Value, created: bool) {
    const LATER: &[&str] = &[
        "diskIOPSReadWrite",
        "diskMBpsReadWrite",
        "diskSizeBytes",
        "diskState",
        "networkAccessPolicy",
        "timeCreated",
        "uniqueId",
    ];
    if let Some(map) = body.as_object_mut() {
        map.shift_remove("id");
        map.shift_remove("type");
    }
    if let Some(source) = body.pointer("/properties/creationData/sourceResourceId").cloned() {
        // a client of an old version reads the word that it wrote
        set(body, "/properties/creationData/sourceUri", source);
    }
    if let Some(properties) = body.get_mut("properties").and_then(Value::as_object_mut) {
        let plain =
            |value: &Value| value.get("type").and_then(Value::as_str) == Some("EncryptionAtRestWithPlatformKey");
        let comes_later =
            |name: &str, value: &Value| LATER.contains(&name) || (created && name == "encryption" && plain(value));
        properties.retain(|name, value| !comes_later(name, value));
        properties.insert("isArmResource".into(), json!(true));
        properties.insert("faultDomain".into(), json!(0));
    }
}

/// `beginGetAccess` and `endGetAccess`. The address that is given leads nowhere: there are no bytes.
fn access(cx: &mut Cx<'_>, row: &Row, word: &str, request: &Request) -> Result<Option<Reply>, ArmError> {
    let begins = match (request.method.as_str(), word) {
        ("POST", "begingetaccess") => true,
        ("POST", "endgetaccess") => false,
        _ => return Ok(None),
    };
    let upload = row.at("/properties/creationData/uploadSizeBytes").is_some_and(|bytes| !bytes.is_null());
    let attached = row.text("/managedBy").is_some();
    if begins {
        let asked = request.json()?;
        for needed in ["access", "durationInSeconds"] {
            if asked.get(needed).is_none_or(Value::is_null) {
                return Err(ArmError::bad(
                    "InvalidParameter",
                    format!("Required parameter 'grantAccessData.{needed}' is missing (null)."),
                )
                .at(format!("grantAccessData.{needed}")));
            }
        }
    }
    let state = match (begins, upload, attached) {
        (true, true, _) => "ActiveUpload",
        (true, false, _) => "ActiveSAS",
        (false, _, true) => "Attached",
        (false, ..) => "Unattached",
    };
    let mut new = row.clone();
    set(&mut new.body, "/properties/diskState", json!(state));
    cx.store.put_row(new);
    let outcome = if begins {
        let unique = cx.unique();
        let address = format!("https://127.0.0.1/not-azure/{}/abcd?sv=2018-03-28&sr=b&si={unique}&sig=none", row.name);
        Outcome::ok(json!({ "accessSAS": address }))
    } else {
        Outcome::empty(200)
    };
    let operation = lro::start(cx, cx.core.settings.latency_ms, outcome);
    let reply = Reply::empty(202).header("Retry-After", "1");
    Ok(Some(poll_headers(reply, request, &Path::of(&row.id), &row.location(), &operation, Style::Accepted, true)))
}

impl Rule for Disk {
    fn needs_location(&self) -> bool {
        true
    }

    fn merges(&self) -> bool {
        true
    }

    fn style(&self, _: bool) -> Style {
        Style::Accepted
    }

    fn delete_style(&self) -> Style {
        Style::Accepted
    }

    fn settling(&self, _: bool) -> &'static str {
        "Updating"
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        prepare(put);
        Ok(())
    }

    fn under_way(&self, body: &mut Value, created: bool) {
        first_answer(body, created);
    }

    fn check_delete(&self, _: &mut Cx<'_>, row: &Row) -> Result<(), ArmError> {
        match row.text("/managedBy") {
            Some(user) => {
                Err(ArmError::conflict("OperationNotAllowed", format!("Disk {} is attached to VM {user}.", row.name)))
            }
            None => Ok(()),
        }
    }

    fn action(&self, cx: &mut Cx<'_>, row: &Row, word: &str, request: &Request) -> Result<Option<Reply>, ArmError> {
        access(cx, row, word, request)
    }
}

impl Rule for Snapshot {
    fn needs_location(&self) -> bool {
        true
    }

    fn merges(&self) -> bool {
        true
    }

    fn style(&self, _: bool) -> Style {
        Style::Accepted
    }

    fn delete_style(&self) -> Style {
        Style::Accepted
    }

    fn settling(&self, _: bool) -> &'static str {
        "Updating"
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        prepare(put);
        put.default("/properties/incremental", json!(false));
        // nobody reads or writes a snapshot as a disk
        if let Some(properties) = put.body.get_mut("properties").and_then(Value::as_object_mut) {
            properties.shift_remove("diskIOPSReadWrite");
            properties.shift_remove("diskMBpsReadWrite");
        }
        Ok(())
    }

    fn under_way(&self, body: &mut Value, created: bool) {
        first_answer(body, created);
    }

    fn action(&self, cx: &mut Cx<'_>, row: &Row, word: &str, request: &Request) -> Result<Option<Reply>, ArmError> {
        access(cx, row, word, request)
    }
}

impl Rule for Image {
    fn needs_location(&self) -> bool {
        true
    }

    fn merges(&self) -> bool {
        true
    }

    fn style(&self, _: bool) -> Style {
        Style::AsyncOperation
    }

    fn delete_style(&self) -> Style {
        Style::AsyncOperation
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        const OS: &str = "/properties/storageProfile/osDisk";
        security::identity(put)?;
        put.default("/properties/hyperVGeneration", json!("V1"));
        put.default("/properties/storageProfile/dataDisks", json!([]));
        if put.at(OS).is_some() {
            put.default(&format!("{OS}/caching"), json!("None"));
            for source in ["snapshot", "managedDisk"] {
                let Some(id) = put.text(&format!("{OS}/{source}/id")).map(absolute) else { continue };
                put.set(&format!("{OS}/{source}/id"), json!(id));
                let Some(row) = put.cx.store.row(&id) else { continue };
                if let Some(size) = row.at("/properties/diskSizeGB").filter(|size| !size.is_null()) {
                    put.default(&format!("{OS}/diskSizeGB"), size.clone());
                }
                put.default(&format!("{OS}/storageAccountType"), json!("Standard_LRS"));
            }
        }
        put.set("/properties/provisioningState", json!("Succeeded"));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_as_fast_as_the_next_larger_size() {
        assert_eq!(speed("Standard_LRS", 200), Some((500, 60)));
        assert_eq!(speed("Premium_LRS", 129), Some((1100, 125)));
        assert_eq!(speed("Premium_LRS", 40_000), None);
        assert_eq!(speed("UltraSSD_LRS", 64), None);
    }

    #[test]
    fn a_disk_tells_its_size_in_bytes() {
        let mut body = json!({ "properties": { "diskSizeGB": 20 } });
        fill(&mut body);
        assert_eq!(body["sku"], json!({ "name": "Standard_LRS", "tier": "Standard" }));
        assert_eq!(body["properties"]["diskSizeBytes"], json!(20 * GIB));
    }
}
