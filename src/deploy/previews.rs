//! Preview features that a deployment uses. Microsoft supports them less than others and may change them: the person who
//! deploys is informed. What needs a registration besides is in [`registration`](super::registration).

use arm_plan::Desired;
use serde_json::Value;
use std::collections::BTreeSet;

/// A property that uses a feature in preview.
struct Preview {
    /// Resource type, in lower case.
    resource: &'static str,
    /// JSON pointer into the body.
    pointer: &'static str,
    /// The value that uses the feature.
    value: Value,
    /// What people call it.
    name: &'static str,
    /// The page that marks it as a preview, and the month in which it did.
    source: &'static str,
}

/// What dsvmc emits by itself and Microsoft's documents marked as preview when they were last read. API versions are not
/// here: all that dsvmc emits are stable, and a test holds that.
fn table() -> [Preview; 2] {
    [
        Preview {
            resource: "microsoft.storage/storageaccounts",
            pointer: "/properties/azureFilesIdentityBasedAuthentication/smbOAuthSettings/isSmbOAuthEnabled",
            value: Value::Bool(true),
            name: "mounting SMB shares with managed identities (`auth = managed_identity`; `key_vault` is generally available)",
            source: "https://learn.microsoft.com/azure/storage/files/files-managed-identities, November 2025",
        },
        Preview {
            resource: "microsoft.compute/virtualmachinescalesets",
            pointer: "/properties/skuProfile/allocationStrategy",
            value: Value::from("Prioritized"),
            name: "sizes by rank in a scale set (`size = first of […]`)",
            source: "https://learn.microsoft.com/azure/virtual-machine-scale-sets/instance-mix-overview, May 2026",
        },
    ]
}

/// A line for each preview feature and each preview version of the desired resources.
#[must_use]
pub fn in_use(desired: &Desired) -> Vec<String> {
    let table = table();
    let mut lines = BTreeSet::new();
    for resource in desired.resources.iter().filter(|resource| !resource.existing) {
        if resource.api_version.to_ascii_lowercase().ends_with("preview") {
            lines.insert(format!(
                "`{}` is used in the preview version {}",
                resource.resource_type, resource.api_version
            ));
        }
        let rows = table.iter().filter(|row| row.resource.eq_ignore_ascii_case(&resource.resource_type));
        for row in rows.filter(|row| resource.body.read().pointer(row.pointer) == Some(&row.value)) {
            lines.insert(format!("in preview: {} ({})", row.name, row.source));
        }
    }
    lines.into_iter().collect()
}
