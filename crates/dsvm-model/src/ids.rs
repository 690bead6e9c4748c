//! Positions of a fleet's parts, each with a type of its own: a share is not looked up among the vaults.

pub use typed_index_collections::{TiSlice, TiVec};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(usize);

        impl From<usize> for $name {
            fn from(position: usize) -> Self {
                Self(position)
            }
        }

        impl From<$name> for usize {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )*};
}

ids! {
    /// Position of a network in its fleet.
    NetworkId;
    /// Position of a subnet in its network.
    SubnetId;
    /// Position of a share in its fleet.
    ShareId;
    /// Position of an identity in its fleet.
    IdentityId;
    /// Position of a vault in its fleet.
    VaultId;
}

/// A subnet of a fleet.
pub type SubnetPlace = (NetworkId, SubnetId);
