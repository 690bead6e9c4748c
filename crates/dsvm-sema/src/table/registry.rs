//! Rows of container registries.

use super::Head;
use super::schema::blocks;
use super::types::Text;
use super::words::RegistryPermissions;

blocks! {
    /// A container registry that machines pull images from. It is always `existing`: dsvmc deploys none. The identity of
    /// each pool that names it gets the role that pulls.
    Registry {
        head: Head::Name, top_level, can_exist;
        fields {
            /// Name in Azure; required.
            name: Text;
            /// Resource group of the registry, when it is not the one deployed to.
            resource_group: Text;
            /// Subscription id of the registry, when it is not the one deployed to.
            subscription: Text;
            /// Role assignment permissions mode of the registry: `registry` ("RBAC Registry Permissions") grants `AcrPull`,
            /// `repositories` ("RBAC Registry + ABAC Repository Permissions") grants `Container Registry Repository Reader`,
            /// since registries in that mode ignore `AcrPull`.
            permissions: RegistryPermissions = "registry", early;
        }
        attributes RegistryAttribute {
            /// Resource id in Azure.
            id: "string";
            /// Its name in Azure.
            name: "string";
            /// Login server, such as `NAME.azurecr.io`.
            server: "string";
        }
    }
}
