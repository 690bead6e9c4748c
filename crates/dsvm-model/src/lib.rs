//! The pool model: turns checked blocks into a fleet of pools with everything that they share, and holds them against
//! the rules of Azure.
//!
//! Promises: a fleet is complete (derived defaults filled in), in source order, and each part remembers where it was
//! written. Deployment-time values stay as they are; a rule that needs a number waits until an env gives it.
//! Knows no ARM resource: that is `graph`.

mod accounts;
pub mod autoscale;
pub mod batch;
pub mod calendar;
pub mod diags;
pub mod dns;
pub mod facts;
mod hardware;
pub mod ids;
pub mod limits;
mod login;
pub mod network;
mod nfs;
pub mod pool;
pub mod read;
mod rules;
mod scaling;
pub mod services;
pub mod share;
pub mod sizes;
mod smb;
pub mod support;
mod thresholds;
mod timezones;
pub mod units;

pub use read::Machines;

use batch::job::Job;
use batch::support::{BatchAccount, Container, Workspace};
use batch::{BatchPool, BatchSupport};
use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Diagnostic, Sink};
use dsvm_sema::checked::{Checked, Origin};
use dsvm_sema::table::schema::{Kind, View};
use dsvm_sema::table::{batch as rows, facts as known, project};
use dsvm_sema::value::{BlockId, Value};
use ids::{IdentityId, NetworkId, ShareId, TiSlice, TiVec, VaultId};
use jiff::civil::Date;
use network::Network;
use pool::Pool;
use rayon::prelude::*;
use share::Share;
use std::collections::BTreeMap;
use support::{Identity, Registry, Resource, Vault};

/// Names of the time zones that autoscale knows.
pub(crate) fn timezones() -> &'static [&'static str] {
    &timezones::NAMES
}

/// The Windows name of a time zone with an IANA name.
pub(crate) fn timezone_of_iana(name: &str) -> Option<&'static str> {
    timezones::of_iana(name)
}

/// A project's pools and what they use.
#[derive(Clone, Debug)]
pub struct Fleet<'a> {
    /// Name of the project; `pools` when it has none.
    pub name: &'a str,
    /// Region; the resource group's when absent.
    pub location: Option<&'a Value>,
    /// Tags of every resource, which a pool can add to.
    pub tags: Option<&'a Value>,
    /// Networks, the generated one last.
    pub networks: TiVec<NetworkId, Network<'a>>,
    /// Shares, in source order.
    pub shares: TiVec<ShareId, Share<'a>>,
    /// Identities, in source order.
    pub identities: TiVec<IdentityId, Identity<'a>>,
    /// Container registries, in source order.
    pub registries: Vec<Registry<'a>>,
    /// Vaults, in source order.
    pub vaults: TiVec<VaultId, Vault<'a>>,
    /// Pools that people log in to, in source order.
    pub pools: Vec<Pool<'a>>,
    /// Pools of which a part was refused: nothing more is said of what refers to them.
    pub refused: Vec<BlockId>,
    /// Resources given in ARM's own words.
    pub resources: Vec<Resource<'a>>,
    /// Pools that run jobs.
    pub batch: Vec<BatchPool<'a>>,
    /// Accounts, workspaces and containers that batch pools refer to.
    pub batch_support: BatchSupport<'a>,
    /// Jobs that are submitted by hand the first time.
    pub jobs: Vec<Job<'a>>,
}

/// Where the parts of a fleet are, by block.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    pub(crate) networks: Positions<NetworkId>,
    pub(crate) shares: Positions<ShareId>,
    pub(crate) identities: Positions<IdentityId>,
    pub(crate) vaults: Positions<VaultId>,
    /// The network of pools that name none.
    pub(crate) generated: NetworkId,
}

/// Positions of the parts of one kind, by their blocks.
#[derive(Clone, Debug)]
pub(crate) struct Positions<I>(BTreeMap<BlockId, I>);

impl<I: From<usize> + Copy> Positions<I> {
    fn new(blocks: impl Iterator<Item = BlockId>) -> Self {
        Self(blocks.zip((0..).map(I::from)).collect())
    }

    /// Position of the part that a field refers to; that there is none is an internal error.
    pub(crate) fn of(&self, block: impl Into<BlockId>, at: Span, sink: &mut Sink) -> Option<I> {
        let position = self.0.get(&block.into()).copied();
        if position.is_none() {
            sink.push(Diagnostic::internal("a block that is not in the fleet", at));
        }
        position
    }
}

/// What every rule can look at.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a, 'b> {
    pub(crate) checked: &'a Checked,
    pub(crate) as_of: Date,
    pub(crate) places: &'b Places,
    pub(crate) networks: &'b TiSlice<NetworkId, Network<'a>>,
    pub(crate) shares: &'b TiSlice<ShareId, Share<'a>>,
}

/// Builds the fleet and holds it against the rules; `as_of` is the day that retirements are judged by.
#[must_use]
pub fn build<'a>(checked: &'a Checked, as_of: Date, sink: &mut Sink) -> Fleet<'a> {
    let project = checked.project.and_then(|id| View::<project::Project>::new(&checked[id]));
    for (_, image) in own::<known::Image>(checked) {
        hardware::check_source(image, sink);
    }
    let mut networks: TiVec<NetworkId, _> = own(checked).map(|(id, view)| Network::declared(id, view, sink)).collect();
    let shares: TiVec<ShareId, _> = own(checked).map(|(id, view)| Share::read(checked, id, view, sink)).collect();
    let identities: TiVec<IdentityId, _> =
        own(checked).map(|(id, view)| Identity::read(checked, id, view, sink)).collect();
    let vaults: TiVec<VaultId, _> = own(checked).map(|(id, view)| Vault::read(checked, id, view, sink)).collect();
    let registries = own(checked).map(|(id, view)| Registry::read(id, view, sink)).collect();
    let resources = own(checked).filter_map(|(id, view)| Resource::read(id, view)).collect();
    let batch_support = BatchSupport {
        accounts: own::<rows::BatchAccount>(checked).map(|(id, view)| BatchAccount::read(id, view, sink)).collect(),
        workspaces: own::<rows::Workspace>(checked).map(|(id, view)| Workspace::read(id, view, sink)).collect(),
        containers: own::<rows::Container>(checked).map(|(id, view)| Container::read(id, view, sink)).collect(),
    };
    let places = Places {
        networks: Positions::new(networks.iter().filter_map(|network| Some(network.block?.0))),
        shares: Positions::new(shares.iter().map(|share| share.id)),
        identities: Positions::new(identities.iter().map(|identity| identity.id)),
        vaults: Positions::new(vaults.iter().map(|vault| vault.id)),
        generated: networks.push_and_get_key(Network::generated()),
    };
    let context = Context { checked, as_of, places: &places, networks: &networks, shares: &shares };
    let (pools, refused_pools) = read_each(checked, sink, |id, view, own| Pool::read(context, id, view, own));
    let (batch, refused_batch) = read_each(checked, sink, |id, view: View<'a, rows::BatchPool>, own| {
        BatchPool::read(context, &batch_support, id, view, own)
    });
    // A pool without a class was refused by the checker.
    let interactive = refused_pools.into_iter().filter(|id| checked[*id].class.is_some());
    let refused = interactive.chain(refused_batch).collect();
    scaling::check_rooms(&networks, &pools, &batch, sink);
    let name: &str = project.map_or("pools", |project| &project.block().name);
    nfs::check(name, &networks, &shares, &pools, &batch, sink);
    smb::check(&shares, &pools, sink);
    let jobs = own::<rows::Job>(checked)
        .filter_map(|(_, view)| Job::read(view, &batch, (&batch_support, &shares), sink))
        .collect();
    let fields = project.map(|project| project.fields());
    Fleet {
        name,
        location: fields.and_then(|fields| read::present(fields.location())),
        tags: fields.and_then(|fields| read::present(fields.tags())),
        networks,
        shares,
        identities,
        registries,
        vaults,
        pools,
        refused,
        resources,
        batch,
        batch_support,
        jobs,
    }
}

/// The blocks of a kind that the project declares itself, in source order.
fn own<K: Kind>(checked: &Checked) -> impl Iterator<Item = (BlockId, View<'_, K>)> {
    checked.all().filter(|(_, view)| view.block().origin != Origin::Library)
}

/// Reads blocks side by side, each with diagnostics of its own, which are kept in source order; gives what was read, and
/// the blocks that were refused.
fn read_each<'a, K: Kind + Sync, T: Send>(
    checked: &'a Checked,
    sink: &mut Sink,
    read: impl Fn(BlockId, View<'a, K>, &mut Sink) -> Option<T> + Sync,
) -> (Vec<T>, Vec<BlockId>) {
    let blocks: Vec<(BlockId, View<'a, K>)> = own(checked).collect();
    let built: Vec<(Option<T>, Sink)> = blocks
        .par_iter()
        .map(|(id, view)| {
            let mut own = Sink::default();
            (read(*id, *view, &mut own), own)
        })
        .collect();
    let mut parts = Vec::with_capacity(built.len());
    let mut refused = Vec::new();
    for ((part, own), (id, _)) in built.into_iter().zip(blocks) {
        sink.extend(own.finish());
        match part {
            Some(part) => parts.push(part),
            None => refused.push(id),
        }
    }
    (parts, refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dsvm_diagnostics::Code;
    use dsvm_diagnostics::source::SourceId;

    #[test]
    fn a_reference_to_a_block_outside_of_the_fleet_is_an_internal_error() {
        let positions: Positions<ShareId> = Positions::new([BlockId(3), BlockId(7)].into_iter());
        let at = Span::new(SourceId::file(0), 5, 9);
        let mut sink = Sink::default();
        assert_eq!(positions.of(BlockId(7), at, &mut sink), Some(ShareId::from(1)));
        assert_eq!(positions.of(BlockId(4), at, &mut sink), None);
        let found = sink.finish();
        assert_eq!(found.iter().map(|d| d.code).collect::<Vec<_>>(), [Code::Internal]);
        assert!(found.iter().all(|d| d.help.iter().any(|help| help.contains("report it"))));
    }
}
