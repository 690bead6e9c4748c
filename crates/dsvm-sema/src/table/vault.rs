//! Rows of key vaults and their secrets.

use super::{BlockKind, BlockSpec, FieldSpec, FieldType, Head};

/// `vault` and `secret`.
pub const ROWS: &[BlockSpec] = &[VAULT, SECRET];

const VAULT: BlockSpec = BlockSpec::top(
    BlockKind::Vault,
    "A key vault: roles instead of access policies, purge protection on, reached through the network of the pools that use it.",
)
.can_exist()
.fields(&[
    FieldSpec::new("name", FieldType::String, "Name, unique in all of Azure; derived from the resource group when left out. An `existing` vault needs it."),
    FieldSpec::new("resource_group", FieldType::String, "Resource group of the vault, when it is not the one deployed to."),
    FieldSpec::new("location", FieldType::Either(&[FieldType::Ref(BlockKind::Region), FieldType::String]), "Region, when it is not that of the project."),
    FieldSpec::new("subscription", FieldType::String, "Subscription id of an `existing` vault, when it is not the one deployed to."),
    FieldSpec::new("prevent_destroy", FieldType::Bool, "Refuse any plan that would delete the vault.").default("false").early(),
    FieldSpec::new("sku", FieldType::OneOf(&["standard", "premium"]), "Premium keeps keys in hardware.").default("standard").early(),
    FieldSpec::new("retention", FieldType::Duration, "How long a deleted secret can be brought back: 7 to 90 days, fixed once the vault exists.").default("90 days").early(),
    FieldSpec::new("access", FieldType::OneOf(&["service_endpoint", "private_endpoint", "public"]), "How the network reaches it.").default("private_endpoint").early(),
    FieldSpec::new("for_templates", FieldType::Bool, "Whether parameter files may refer to its secrets.").default("true").early(),
    FieldSpec::new("tags", FieldType::StringMap, "Tags added to those of the project."),
])
.children(&[(BlockKind::SecretEntry, 0)])
.attributes(&[("id", "string", "Resource id."), ("uri", "string", "Address of the vault."), ("name", "string", "Name of the vault in Azure.")]);

const SECRET: BlockSpec = BlockSpec::nested(
    BlockKind::SecretEntry,
    Head::Name,
    "A secret that the deployment puts into the vault.",
)
.fields(&[
    FieldSpec::new(
        "name",
        FieldType::String,
        "Name in Azure: letters, digits and hyphens; the block's name with `-` for `_` when left out.",
    )
    .early(),
    FieldSpec::new("value", FieldType::Secret(&FieldType::String), "What it holds: a `secret param`.").required(),
    FieldSpec::new("content_type", FieldType::String, "What kind of text it is, for people and rotation tools.")
        .default("\"text/plain\""),
    FieldSpec::new("expires", FieldType::Date, "Day on which it stops being valid.").early(),
]);
