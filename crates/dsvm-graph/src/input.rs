//! What every function that builds nodes reads: the fleet, the names of everything, and the project's defaults.

use super::expr::Text;
use super::ids::Named;
use super::internal::{Broken, Built};
use super::json::{Json, Map};
use super::names::{ContainerNames, Names, Resolver, ShareNames};
use super::node::Node;
use super::values;
use super::versions::ResourceType;
use dsvm_diagnostics::source::{SourceId, Span};
use dsvm_model::batch::support::Container;
use dsvm_model::ids::{NetworkId, ShareId, VaultId};
use dsvm_model::network::Network;
use dsvm_model::share::Share;
use dsvm_model::support::Vault;
use dsvm_model::{Fleet, read};
use dsvm_sema::checked::{Block, Checked};
use dsvm_sema::table::schema::CommonField;
use dsvm_sema::value::{BlockId, Value};

/// The fleet with everything that was derived from it before the first node. Never changes.
#[derive(Clone)]
pub(crate) struct Input<'a, 'f> {
    pub(crate) fleet: &'f Fleet<'a>,
    pub(crate) checked: &'a Checked,
    pub(crate) names: &'f Names,
    /// Region of resources that name none.
    location: Json,
    /// Tags of every resource that takes tags.
    tags: Map,
    /// Source of what no block declares.
    pub(crate) project_span: Span,
}

/// Resource group and region of a resource.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Site {
    /// `None`: the group deployed to.
    pub(crate) group: Option<Text>,
    pub(crate) location: Json,
}

impl Site {
    /// Puts a node into the group of the site.
    pub(crate) fn hold(&self, mut node: Node) -> Node {
        node.group.clone_from(&self.group);
        node
    }
}

impl<'a, 'f> Input<'a, 'f> {
    pub(crate) fn new(fleet: &'f Fleet<'a>, checked: &'a Checked, names: &'f Names) -> Self {
        let resolver = Resolver { checked, names };
        let location = match fleet.location {
            Some(value) => values::json(value, &resolver),
            None => Json::String("[resourceGroup().location]".into()),
        };
        let project_span = checked
            .project
            .map(|p| checked[p].name_span)
            .or_else(|| fleet.pools.first().map(|p| p.block.name_span))
            .unwrap_or(Span::new(SourceId::file(0), 0, 0));
        Self { fleet, checked, names, location, tags: tag_map(fleet.tags, &resolver), project_span }
    }

    pub(crate) fn resolver(&self) -> Resolver<'a, 'f> {
        Resolver { checked: self.checked, names: self.names }
    }

    /// Text of a value.
    pub(crate) fn text(&self, value: &Value) -> Text {
        values::text(value, &self.resolver())
    }

    /// Where a block says that it is; the project's place without a block.
    pub(crate) fn site(&self, block: Option<&Block>) -> Site {
        let written = |field| block.and_then(|b| read::present(b.common(field)?));
        let location = written(CommonField::Location).map(|v| values::json(v, &self.resolver()));
        Site {
            group: written(CommonField::ResourceGroup).map(|v| self.text(v)),
            location: location.unwrap_or_else(|| self.location.clone()),
        }
    }

    /// The project's tags and those of a block.
    pub(crate) fn tags(&self, block: Option<&Block>) -> Map {
        let mut all = self.tags.clone();
        all.extend(tag_map(block.and_then(|b| read::present(b.common(CommonField::Tags)?)), &self.resolver()));
        all
    }

    /// A node with the location and group of a site, and with tags.
    pub(crate) fn node(
        &self,
        site: &Site,
        kind: ResourceType,
        named: &Named,
        block: Option<&Block>,
        rest: Map,
        span: Span,
    ) -> Node {
        let mut body = Map::new();
        body.insert("location".into(), site.location.clone());
        let tags = self.tags(block);
        if !tags.is_empty() {
            body.insert("tags".into(), Json::Object(tags));
        }
        body.extend(rest);
        site.hold(Node::new(kind, named, body, span))
    }

    /// A network that a pool is on, with its name.
    pub(crate) fn network(&self, id: NetworkId, span: Span) -> Built<(&'f Network<'a>, &'f Named)> {
        let network = self.fleet.networks.get(id).zip(self.names.networks.get(id));
        network.ok_or(Broken { what: "a network that is not in the fleet", span })
    }

    /// A share that a pool mounts, with its names.
    pub(crate) fn share(&self, id: ShareId, span: Span) -> Built<(&'f Share<'a>, &'f ShareNames)> {
        let share = self.fleet.shares.get(id).zip(self.names.shares.get(id));
        share.ok_or(Broken { what: "a share that is not in the fleet", span })
    }

    /// A vault by its position, with its name.
    pub(crate) fn vault(&self, id: VaultId, span: Span) -> Built<(&'f Vault<'a>, &'f Named)> {
        let vault = self.fleet.vaults.get(id).zip(self.names.vaults.get(id));
        vault.ok_or(Broken { what: "a vault that is not in the fleet", span })
    }

    /// A container that a batch pool mounts, with its names.
    pub(crate) fn container(&self, index: usize, span: Span) -> Built<(&'f Container<'a>, &'f ContainerNames)> {
        let container = self.fleet.batch_support.containers.get(index).zip(self.names.batch.containers.get(index));
        container.ok_or(Broken { what: "a container that is not in the fleet", span })
    }

    /// Position of the vault that a block declares; `None` when the block was refused.
    pub(crate) fn vault_position(&self, block: BlockId) -> Option<VaultId> {
        self.fleet.vaults.position(|vault| vault.id == block)
    }
}

fn tag_map(tags: Option<&Value>, resolver: &Resolver<'_, '_>) -> Map {
    match tags {
        Some(Value::Record(record)) => {
            record.iter().map(|(k, v)| (k.to_string().into(), Json::from(values::text(v, resolver)))).collect()
        }
        _ => Map::new(),
    }
}
