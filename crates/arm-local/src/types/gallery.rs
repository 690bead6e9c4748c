//! Galleries of images, their images and versions: long operations and the defaults of a version.
//!
//! Source: tests recorded with azure-mgmt-compute 12.0.0 and 18.0.0 (2020).

use serde_json::{Value, json};

use crate::error::ArmError;
use crate::id::SUBSCRIPTION;
use crate::lro::Style;
use crate::rule::{Rule, WriteContext};
use crate::types::security;
use crate::value::{set, set_default};

/// A gallery, and what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gallery {
    /// What holds the others.
    Top,
    /// What a version is a version of: its system, its generation.
    Image,
    /// A version of an image.
    Version,
}

impl Rule for Gallery {
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

    fn settling(&self, created: bool) -> &'static str {
        match (created, self) {
            (true, _) => "Creating",
            (false, Self::Top) => "Succeeded",
            (false, _) => "Updating",
        }
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        security::identity(put)?;
        match self {
            Self::Top => {
                let sub = put.path.subscription().unwrap_or(SUBSCRIPTION);
                let unique = format!("{sub}-{}", put.path.name().to_uppercase());
                put.set("/properties/identifier/uniqueName", json!(unique));
            }
            Self::Image => put.default("/properties/hyperVGeneration", json!("V1")),
            Self::Version => version(put),
        }
        put.set("/properties/provisioningState", json!("Succeeded"));
        Ok(())
    }

    fn under_way(&self, body: &mut Value, created: bool) {
        match self {
            // only answers to writes say with whom it is shared
            Self::Top => set_default(body, "/properties/sharingProfile/permissions", json!("Private")),
            Self::Version if created => {
                // the size is known once the image is copied
                if let Some(disk) =
                    body.pointer_mut("/properties/storageProfile/osDiskImage").and_then(Value::as_object_mut)
                {
                    disk.shift_remove("sizeInGB");
                }
            }
            _ => {}
        }
    }
}

/// Completes a version: how often it is copied, and the size of its disks.
fn version(put: &mut WriteContext<'_, '_>) {
    const PROFILE: &str = "/properties/publishingProfile";
    const STORAGE: &str = "/properties/storageProfile";
    let now = put.cx.now.to_string();
    put.default(&format!("{PROFILE}/replicaCount"), json!(1));
    put.default(&format!("{PROFILE}/excludeFromLatest"), json!(false));
    put.default(&format!("{PROFILE}/publishedDate"), json!(now));
    put.default(&format!("{PROFILE}/storageAccountType"), json!("Standard_LRS"));
    if let Some(location) = put.at("/location").cloned() {
        let here = json!([{ "name": location, "regionalReplicaCount": 1, "storageAccountType": "Standard_LRS" }]);
        put.default(&format!("{PROFILE}/targetRegions"), here);
    }
    let source = |pointer: &str| put.text(&format!("{STORAGE}/{pointer}/id")).map(str::to_owned);
    let (disk, image) = (source("osDiskImage/source"), source("source"));
    // a snapshot or disk, or an image or machine with an OS disk
    let size = disk.or(image).and_then(|id| put.cx.store.row(&id)).and_then(|row| {
        let at = ["/properties/diskSizeGB", "/properties/storageProfile/osDisk/diskSizeGB"];
        at.iter().find_map(|pointer| row.at(pointer).filter(|size| !size.is_null()).cloned())
    });
    if let Some(size) = size {
        set(&mut put.body, &format!("{STORAGE}/osDiskImage/sizeInGB"), size);
    }
}
