//! Rows of shares and their links.

use super::{BlockKind, BlockSpec, FieldSpec, FieldType, Head, Part};

/// `share` and `link`.
pub const ROWS: &[BlockSpec] = &[SHARE, LINK];

const SHARE: BlockSpec = BlockSpec::top(
    BlockKind::Share,
    "A file share that every machine of a pool mounts: an Azure Files share in a storage account of its own, or an `existing` one.",
)
.can_exist()
.fields(&[
    FieldSpec::new("protocol", FieldType::OneOf(&["smb", "nfs"]), "SMB works everywhere; NFS keeps owners and modes of files, needs premium performance and is reached only through a network.")
        .default("smb")
        .early(),
    FieldSpec::new("quota", FieldType::Size, "Capacity, whole GiB. Needed unless the share is `existing`."),
    FieldSpec::new("mount", FieldType::String, "Where machines mount it: an absolute path, not under `/mnt` (the temporary disk) and not one that hides a system folder.")
        .required()
        .early(),
    FieldSpec::new("name", FieldType::String, "Name of the share in Azure; the block's name with `-` for `_` when left out."),
    FieldSpec::new(
        "account",
        FieldType::String,
        "Name of the storage account, unique in all of Azure; derived from the resource group when left out. An `existing` share needs it.",
    ),
    FieldSpec::new("resource_group", FieldType::String, "Resource group of the share's account, when it is not the one deployed to."),
    FieldSpec::new("location", FieldType::Either(&[FieldType::Ref(BlockKind::Region), FieldType::String]), "Region, when it is not that of the project."),
    FieldSpec::new("subscription", FieldType::String, "Subscription id of an `existing` share, when it is not the one deployed to."),
    FieldSpec::new("prevent_destroy", FieldType::Bool, "Refuse any plan that would delete the share or its account.").default("false").early(),
    FieldSpec::new("performance", FieldType::OneOf(&["standard", "premium"]), "Hard disks or SSD; premium for NFS, else standard, when left out.").early(),
    FieldSpec::new("redundancy", FieldType::OneOf(&["lrs", "zrs", "grs", "gzrs"]), "Copies of the data: one place, three zones, a second region, or both. `grs` for standard and `zrs` for premium shares when left out.").early(),
    FieldSpec::new("tier", FieldType::OneOf(&["transaction_optimized", "hot", "cool"]), "Billing tier of a standard share; transaction optimized when left out.").early(),
    FieldSpec::new(
        "auth",
        FieldType::OneOf(&["managed_identity", "key_vault", "account_key"]),
        "How a machine proves itself to an SMB share: by the pool's identity (the account then refuses keys), with the account key, which the machine reads from a vault at each boot, or, in batch pools only, with the key that the template hands over. NFS trusts the network and takes none of them.",
    )
    .early(),
    FieldSpec::new("vault", FieldType::Ref(BlockKind::Vault), "Vault that holds the account key, for `auth = key_vault`.").early(),
    FieldSpec::new("key_secret", FieldType::String, "Name of the vault secret with the account key, for `auth = key_vault`; `<name>-key` when left out."),
    FieldSpec::new("access", FieldType::OneOf(&["service_endpoint", "private_endpoint"]), "How the network reaches the account; everything else is denied.")
        .default("service_endpoint")
        .early(),
    FieldSpec::new("root_squash", FieldType::OneOf(&["none", "root", "all"]), "What root on a machine may do on an NFS share.").default("none").early(),
    FieldSpec::new("keep_deleted", FieldType::Duration, "How long a deleted share can be brought back: 1 to 365 days.").default("7 days").early(),
    FieldSpec::new("file_mode", FieldType::String, "Permissions of files on an SMB mount, octal.").default("\"0660\"").early(),
    FieldSpec::new("directory_mode", FieldType::String, "Permissions of folders on an SMB mount, octal.").default("\"0770\"").early(),
    FieldSpec::new("options", FieldType::List(&FieldType::String), "More mount options, added to those that dsvmc writes.").early(),
    FieldSpec::new("tags", FieldType::StringMap, "Tags added to those of the project."),
])
.children(&[(BlockKind::Link, 0)])
.attributes(&[
    ("id", "string", "Resource id of the share."),
    ("account", "string", "Name of the storage account."),
    ("name", "string", "Name of the share in Azure."),
    ("host", "string", "Host name of the file service."),
    ("url", "string", "Address of the share."),
]);

const LINK: BlockSpec = BlockSpec::nested(
    BlockKind::Link,
    Head::Phrase(&[Part::Field("path"), Part::Word("to"), Part::Field("target")]),
    "A link in the home folder of every user to a folder of the share, made when the user's machine starts: `link \"~/notebooks/remote\" to \"notebooks/{user}\"`.",
)
.fields(&[
    FieldSpec::new("path", FieldType::String, "The link: begins with `~/`; `{user}` stands for the user's name.").required().early(),
    FieldSpec::new("target", FieldType::String, "Folder inside the share, relative; `{user}` stands for the user's name. Made if missing.").required().early(),
]);
