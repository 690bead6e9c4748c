//! The row of `project`: the defaults of everything below it.

use super::{BlockKind, BlockSpec, FieldSpec, FieldType, Head, When};

/// The project.
pub const ROWS: &[BlockSpec] = &[PROJECT];

const fn field(name: &'static str, ty: FieldType, when: When, doc: &'static str) -> FieldSpec {
    FieldSpec { name, ty, required: false, default: None, when, doc, since: "0.1.0" }
}

const PROJECT: BlockSpec = BlockSpec {
    kind: BlockKind::Project,
    doc: "What is deployed together, and the defaults of everything in it. A project has exactly one such block.",
    since: "0.1.0",
    head: Head::Name,
    top_level: true,
    can_exist: false,
    fields: &[
        field(
            "location",
            FieldType::Either(&[FieldType::Ref(BlockKind::Region), FieldType::String]),
            When::Late,
            "Region in which everything is made. An env can set another one. Default: the region of the resource group.",
        ),
        field("tags", FieldType::StringMap, When::Late, "Tags of every resource; a pool can add its own."),
        field(
            "resource_group",
            FieldType::String,
            When::Early,
            "Resource group to deploy to. Default: `rg-PROJECT`, or `rg-PROJECT-ENV` when there are envs.",
        ),
        field(
            "prefix",
            FieldType::String,
            When::Early,
            "First part of the names of all resources. Default: the name of the project.",
        ),
    ],
    children: &[],
    attributes: &[
        ("name", "string", "Name of the project."),
        ("resource_group_id", "string", "Resource id of the resource group."),
        ("subscription_id", "string", "GUID of the subscription."),
        ("tenant_id", "string", "GUID of the tenant."),
    ],
};
