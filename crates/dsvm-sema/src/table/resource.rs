//! Rows for everything that the language has no word for.

use super::Head;
use super::schema::blocks;
use super::types::{Any, List, Text};

blocks! {
    /// Any ARM resource: `resource logs: "Microsoft.OperationalInsights/workspaces@2025-07-01" { … }`. The body is
    /// ARM's own, checked against the known types where there are any.
    Resource {
        head: Head::Name, top_level, can_exist;
        fields {
            /// Name in Azure; the block's name if omitted.
            name: Text;
            /// Resource group, when it is not the one deployed to. A child resource is where its parent is.
            resource_group: Text;
            /// Subscription id of an `existing` resource, when it is not the one deployed to.
            subscription: Text;
            /// Region, for types that have one; the project's if omitted.
            location: Text;
            /// Blocks that must be deployed before it, besides those that the body refers to.
            after: List<Any>, early;
        }
        attributes ResourceAttribute {
            /// Resource id in Azure.
            id: "string";
            /// Its name in Azure.
            name: "string";
        }
    }

    /// Overrides properties of one resource of the pool, with ARM property names: `override scale_set { properties = { … }
    /// }`. The name says which: `scale_set`, `load_balancer`, `public_ip`, `security_group`, `autoscale`,
    /// `identity`; of batch pools `pool` (Azure Batch), `cluster` (Azure Machine Learning), `identity`. Records merge with ours, and so do
    /// lists whose elements have a `name` (data disks: a `lun`): an element with the name of one of ours changes it, another one is added.
    /// Everything else is replaced.
    Override {
        head: Head::Name;
    }
}
