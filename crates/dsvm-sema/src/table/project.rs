//! The row of `project`: the defaults of everything below it.

use super::Head;
use super::choices::Location;
use super::schema::blocks;
use super::types::{Money, StringMap, Text};

blocks! {
    /// What is deployed together, and the defaults of everything in it. A project has exactly one such block.
    Project {
        head: Head::Name, top_level;
        fields {
            /// Region of all resources. An env can set another one. Default: the region of the resource
            /// group.
            location: Location<'static>;
            /// Tags of every resource; a pool can add its own.
            tags: StringMap;
            /// Resource group to deploy to. Default: `rg-PROJECT`, or `rg-PROJECT-ENV` when there are envs.
            resource_group: Text, early;
            /// First part of the names of all resources. Default: the name of the project.
            prefix: Text, early;
            /// Most that the project may cost, in US dollars for a time: `9_000 USD/month`. A warning tells when the most
            /// machines cost more, at the prices that are known.
            budget: Money, early;
        }
        attributes ProjectAttribute {
            /// Name of the project.
            name: "string";
            /// Resource id of the resource group.
            resource_group_id: "string";
            /// GUID of the subscription.
            subscription_id: "string";
            /// GUID of the tenant.
            tenant_id: "string";
        }
    }
}
