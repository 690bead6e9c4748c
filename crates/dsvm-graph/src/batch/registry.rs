//! Private container registries of batch pools: the role that pulls, for the identity of the machines.
//!
//! Azure Batch pulls with the identity that `containerRegistries` names
//! (<https://learn.microsoft.com/azure/batch/batch-docker-container-workloads>); Azure Machine Learning with the identity of
//! the cluster (<https://learn.microsoft.com/azure/machine-learning/how-to-identity-based-service-authentication>). Both need
//! the role before the first machine starts.

use super::PoolContext;
use crate::expr::Text;
use crate::ids::Named;
use crate::input::Input;
use crate::node::NodeId;
use crate::nodes::Nodes;
use crate::roles::{assignment, pull, scope_of};
use dsvm_diagnostics::source::Span;
use dsvm_model::batch::BatchPool;
use dsvm_sema::table::choices::RegistryName;
use dsvm_sema::table::registry::Registry;
use dsvm_sema::table::types::RefTo;

/// Roles on the registries that a pool names.
pub(super) fn grants(
    input: &Input<'_, '_>,
    pool: &BatchPool<'_>,
    identity: &Named,
    context: &PoolContext<'_>,
    nodes: &mut Nodes,
) -> Vec<NodeId> {
    let mut wanted: Vec<(RefTo<Registry>, Span)> = Vec::new();
    if let Some(docker) = pool.view.docker()
        && let Some(RegistryName::Registry(registry)) = docker.registry()
    {
        wanted.push((registry, docker.fields().registry().span()));
    }
    let span = pool.view.fields().registries().span();
    wanted.extend(pool.view.registries().into_iter().flatten().map(|registry| (registry, span)));
    let mut granted = Vec::new();
    for (registry, span) in wanted {
        let role = pull(input.checked.view(registry).permissions());
        let Some(scope) = scope_of(input, nodes, registry.id) else { continue };
        let node = assignment((identity, context.identity), &scope, role, span);
        granted.push(nodes.with_id(&node.id).unwrap_or_else(|| nodes.add(node)));
    }
    granted
}

/// Login server of a registry.
pub(super) fn server(input: &Input<'_, '_>, registry: &RegistryName<'_>) -> Text {
    match registry {
        RegistryName::Registry(registry) => input.resolver().attribute(registry.id, "server"),
        RegistryName::Server(server) => Text::literal(*server),
    }
}
