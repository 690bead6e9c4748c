//! A key vault that was deleted and can be recovered.

use serde_json::{Value, json};

/// What Resource Manager tells of a deleted vault (`Microsoft.KeyVault/deletedVaults`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeletedVault {
    /// ARM id that the vault had.
    pub id: String,
    /// The region that it was in, as Resource Manager writes it (`westeurope`).
    pub location: String,
    /// When it was deleted, as RFC 3339.
    pub deleted: String,
    /// When it is gone for good, as RFC 3339.
    pub purged: String,
    /// Whether nobody can purge it before.
    pub purge_protected: bool,
}

impl DeletedVault {
    /// Reads an entry of the list of deleted vaults.
    #[must_use]
    pub fn of(entry: &Value) -> Option<Self> {
        let text = |key: &str| entry.pointer(&format!("/properties/{key}")).and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            id: text("vaultId")?,
            location: text("location")?,
            deleted: text("deletionDate")?,
            purged: text("scheduledPurgeDate")?,
            purge_protected: entry.pointer("/properties/purgeProtectionEnabled") == Some(&Value::Bool(true)),
        })
    }

    /// The vault's name, which is held until it is purged.
    #[must_use]
    pub fn name(&self) -> &str {
        self.id.rsplit('/').next().unwrap_or_default()
    }

    /// The day on which it is gone for good, as `2027-02-21`.
    #[must_use]
    pub fn purge_date(&self) -> &str {
        self.purged.split('T').next().unwrap_or_default()
    }

    /// The request that recovers it: the vault comes back as it was.
    #[must_use]
    pub fn request(&self, tenant: &str) -> Value {
        json!({ "location": self.location, "properties": {
            "tenantId": tenant, "sku": { "family": "A", "name": "standard" }, "createMode": "recover" } })
    }
}
