//! Rows of key vaults and their secrets.

use super::Head;
use super::choices::{DnsZone, Location};
use super::schema::blocks;
use super::types::{Seconds, Secret, StringMap, Text};
use super::words::{VaultAccess, VaultSku};
use jiff::civil::Date;

blocks! {
    /// A key vault: roles instead of access policies, purge protection on, reached through the network of the pools
    /// that use it.
    Vault {
        head: Head::Name, top_level, can_exist;
        fields {
            /// Name, globally unique; derived from the resource group if omitted. An `existing` vault
            /// needs it.
            name: Text;
            /// Resource group of the vault, when it is not the one deployed to.
            resource_group: Text;
            /// Region, when it is not that of the project.
            location: Location<'static>;
            /// Subscription id of an `existing` vault, when it is not the one deployed to.
            subscription: Text;
            /// Refuse any plan that would delete the vault.
            prevent_destroy: bool = "false", early;
            /// Premium keeps keys in hardware.
            sku: VaultSku = "standard", early;
            /// How long a deleted secret can be brought back: 7 to 90 days, fixed once the vault exists.
            retention: Seconds = "90 days", early;
            /// How the network reaches it.
            access: VaultAccess = "private_endpoint", early;
            /// The private DNS zone of its private endpoints, if somebody else keeps it: an `existing resource`, a resource id,
            /// or `policy` where Azure Policy registers private endpoints. Omitted, a zone is deployed for each kind of
            /// service. A zone that exists must be resolvable in the network: networks deployed here are linked to it unless
            /// they have `dns` servers of their own.
            dns_zone: DnsZone<'static>, early;
            /// Whether parameter files may refer to its secrets.
            for_templates: bool = "true", early;
            /// Tags added to those of the project.
            tags: StringMap;
        }
        children {
            secrets: any SecretEntry;
        }
        attributes VaultAttribute {
            /// Resource id in Azure.
            id: "string";
            /// Address of the vault.
            uri: "string";
            /// Name of the vault in Azure.
            name: "string";
        }
    }

    /// A secret that the deployment puts into the vault.
    SecretEntry {
        head: Head::Name;
        fields {
            /// Name in Azure: letters, digits and hyphens; the block's name with `-` for `_` if omitted.
            name: Text, early;
            /// What it holds: a `secret param`.
            value: Secret<Text>, required;
            /// What kind of text it is, for people and rotation tools.
            content_type: Text = "\"text/plain\"";
            /// Day on which it stops being valid.
            expires: Date, early;
        }
    }
}
