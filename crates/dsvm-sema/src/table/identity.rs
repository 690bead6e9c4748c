//! Rows of identities and role assignments.

use super::{BlockKind, BlockSpec, FieldSpec, FieldType, Head, Part};

/// `identity` and `grant`.
pub const ROWS: &[BlockSpec] = &[IDENTITY, GRANT];

const IDENTITY: BlockSpec = BlockSpec::top(
    BlockKind::Identity,
    "A user-assigned managed identity. A pool that needs one and names none gets its own.",
)
.can_exist()
.fields(&[
    FieldSpec::new(
        "name",
        FieldType::String,
        "Name in Azure; `id-` and the block's name when left out. An `existing` identity needs it.",
    ),
    FieldSpec::new(
        "resource_group",
        FieldType::String,
        "Resource group of the identity, when it is not the one deployed to.",
    ),
    FieldSpec::new(
        "location",
        FieldType::Either(&[FieldType::Ref(BlockKind::Region), FieldType::String]),
        "Region, when it is not that of the project.",
    ),
    FieldSpec::new(
        "subscription",
        FieldType::String,
        "Subscription id of an `existing` identity, when it is not the one deployed to.",
    ),
    FieldSpec::new("tags", FieldType::StringMap, "Tags added to those of the project."),
])
.children(&[(BlockKind::Grant, 0)])
.attributes(&[
    ("id", "string", "Resource id."),
    ("principal_id", "string", "Object id of the identity's service principal."),
    ("client_id", "string", "Client id, as software on the machine names it."),
]);

const GRANT: BlockSpec = BlockSpec::nested(
    BlockKind::Grant,
    Head::Phrase(&[Part::Field("role"), Part::Word("on"), Part::Field("scope")]),
    "A role for the identity: `grant roles.storage_blob_data_reader on resource_group`. What a share or a vault needs is granted without being asked for.",
)
.fields(&[
    FieldSpec::new("role", FieldType::Either(&[FieldType::Ref(BlockKind::Role), FieldType::String]), "The role, or the GUID of a role definition.").required().early(),
    FieldSpec::new(
        "scope",
        FieldType::Either(&[
            FieldType::OneOf(&["resource_group"]),
            FieldType::Ref(BlockKind::Share),
            FieldType::Ref(BlockKind::Vault),
            FieldType::Ref(BlockKind::Network),
            FieldType::Ref(BlockKind::Resource),
        ]),
        "Where it holds: a declared block, or the resource group.",
    )
    .required()
    .early(),
]);
