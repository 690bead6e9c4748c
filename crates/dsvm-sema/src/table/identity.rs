//! Rows of identities and role assignments.

use super::choices::{Location, RoleName, Scope};
use super::schema::blocks;
use super::types::{StringMap, Text};
use super::{Head, Part};

blocks! {
    /// A user-assigned managed identity. A pool that needs one and names none gets its own.
    Identity {
        head: Head::Name, top_level, can_exist;
        fields {
            /// Name in Azure; `id-` and the block's name if omitted. An `existing` identity needs it.
            name: Text;
            /// Resource group of the identity, when it is not the one deployed to.
            resource_group: Text;
            /// Region, when it is not that of the project.
            location: Location<'static>;
            /// Subscription id of an `existing` identity, when it is not the one deployed to.
            subscription: Text;
            /// Tags added to those of the project.
            tags: StringMap;
        }
        children {
            grants: any Grant;
        }
        attributes IdentityAttribute {
            /// Resource id in Azure.
            id: "string";
            /// Object id of the identity's service principal.
            principal_id: "string";
            /// Client id, as software on the machine names it.
            client_id: "string";
        }
    }

    /// A role for the identity: `grant roles.storage_blob_data_reader on resource_group`. What a share or a vault
    /// needs is granted without being asked for.
    Grant {
        head: Head::Phrase(&[Part::Field("role"), Part::Word("on"), Part::Field("scope")]);
        fields {
            /// The role, or the GUID of a role definition.
            role: RoleName<'static>, required, early;
            /// Where it holds: a declared block, or the resource group.
            scope: Scope, required, early;
        }
    }
}
