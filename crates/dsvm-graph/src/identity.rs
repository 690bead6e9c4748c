//! Declared identities.

use super::input::Input;
use super::json::Map;
use super::node::NodeId;
use super::nodes::Nodes;
use super::versions as v;
use dsvm_model::ids::{IdentityId, TiVec};

/// Nodes of the identities that are deployed here, by position in the fleet.
pub(crate) fn build(input: &Input<'_, '_>, nodes: &mut Nodes) -> TiVec<IdentityId, Option<NodeId>> {
    let identities = input.fleet.identities.iter().zip(&input.names.identities);
    let built = identities.map(|(identity, named)| {
        let block = identity.block;
        identity.existing.is_none().then(|| {
            let site = input.site(Some(block));
            let node = input.node(&site, v::IDENTITY, named, Some(block), Map::new(), block.name_span);
            nodes.add_for(identity.id, node)
        })
    });
    built.collect()
}
