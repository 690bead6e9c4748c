//! Rows for everything that the language has no word for.

use super::{BlockKind, BlockSpec, FieldSpec, FieldType, Head};

/// `resource` and `override`.
pub const ROWS: &[BlockSpec] = &[RESOURCE, OVERRIDE];

const RESOURCE: BlockSpec = BlockSpec::top(
    BlockKind::Resource,
    "Any ARM resource: `resource logs: \"Microsoft.OperationalInsights/workspaces@2025-07-01\" { … }`. The body is ARM's own, checked against the known types where there are any.",
)
.can_exist()
.fields(&[
    FieldSpec::new("name", FieldType::String, "Name in Azure; the block's name when left out."),
    FieldSpec::new("resource_group", FieldType::String, "Resource group, when it is not the one deployed to. A child resource is where its parent is."),
    FieldSpec::new("location", FieldType::String, "Region, for types that have one; the project's when left out."),
    FieldSpec::new("after", FieldType::List(&FieldType::Any), "Blocks that must be deployed before it, besides those that the body refers to.").early(),
])
.attributes(&[("id", "string", "Resource id."), ("name", "string", "Name in Azure.")]);

const OVERRIDE: BlockSpec = BlockSpec::nested(
    BlockKind::Override,
    Head::Name,
    "Properties laid over one resource of the pool, in ARM's own words: `override scale_set { properties = { … } }`. The name says which: `scale_set`, `load_balancer`, `public_ip`, `security_group`, `autoscale`, `identity`; of batch pools `pool` (Azure Batch), `cluster` (Azure Machine Learning), `identity`.",
);
