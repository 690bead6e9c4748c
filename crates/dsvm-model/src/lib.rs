//! The pool model: turns checked blocks into a fleet of pools with everything that they share, and holds them against
//! the rules of Azure.
//!
//! Promises: a fleet is complete (derived defaults filled in), in source order, and each part remembers where it was
//! written. Deployment-time values stay as they are; a rule that needs a number waits until an env gives it.
//! Knows no ARM resource: that is `graph`.

pub mod autoscale;
pub mod batch;
pub mod calendar;
pub mod diags;
pub mod facts;
#[cfg(any(test, feature = "fixture"))]
pub mod fixture;
mod hardware;
mod login;
pub mod network;
pub mod pool;
pub mod read;
mod rules;
mod scaling;
pub mod services;
pub mod share;
pub mod support;
mod thresholds;
mod timezones;
pub mod units;

pub use read::Machines;

use batch::job::Job;
use batch::support::{BatchAccount, Container, Workspace};
use batch::{Around, BatchPool};
use dsvm_diagnostics::Sink;
use dsvm_sema::checked::{Block, Checked, Origin};
use dsvm_sema::table::BlockKind;
use dsvm_sema::value::{BlockId, Value};
use jiff::civil::Date;
use network::Network;
use pool::Pool;
use rayon::prelude::*;
use share::Share;
use std::collections::BTreeMap;
use support::{Identity, Resource, Vault};

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
    /// Tags of everything.
    pub tags: Option<&'a Value>,
    /// Networks, the generated one last.
    pub networks: Vec<Network<'a>>,
    /// Shares.
    pub shares: Vec<Share<'a>>,
    /// Identities.
    pub identities: Vec<Identity<'a>>,
    /// Vaults.
    pub vaults: Vec<Vault<'a>>,
    /// Interactive pools.
    pub pools: Vec<Pool<'a>>,
    /// Pools of which a part was refused: nothing more is said of what refers to them.
    pub refused: Vec<BlockId>,
    /// Resources given in ARM's own words.
    pub resources: Vec<Resource<'a>>,
    /// Pools that run jobs.
    pub batch: Vec<BatchPool<'a>>,
    /// What they refer to.
    pub around: Around<'a>,
    /// First jobs.
    pub jobs: Vec<Job<'a>>,
}

/// Where the parts of a fleet are, by block.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    pub(crate) networks: BTreeMap<BlockId, usize>,
    pub(crate) shares: BTreeMap<BlockId, usize>,
    pub(crate) identities: BTreeMap<BlockId, usize>,
    pub(crate) vaults: BTreeMap<BlockId, usize>,
    /// Index of the generated network.
    pub(crate) generated: usize,
}

/// What every rule can look at.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a, 'b> {
    pub(crate) checked: &'a Checked,
    pub(crate) as_of: Date,
    pub(crate) places: &'b Places,
    pub(crate) networks: &'b [Network<'a>],
    pub(crate) shares: &'b [Share<'a>],
}

/// Builds the fleet and holds it against the rules; `as_of` is the day that retirements are judged by.
#[must_use]
pub fn build<'a>(checked: &'a Checked, as_of: Date, sink: &mut Sink) -> Fleet<'a> {
    let project = checked.project.map(|id| &checked[id]);
    let mut places = Places::default();
    let mut networks = Vec::new();
    let mut shares = Vec::new();
    let mut identities = Vec::new();
    let mut vaults = Vec::new();
    let mut resources = Vec::new();
    let mut pool_blocks: Vec<(BlockId, &Block)> = Vec::new();
    let mut batch_blocks: Vec<(BlockId, &Block)> = Vec::new();
    let mut job_blocks: Vec<&Block> = Vec::new();
    let mut around = Around::default();
    for (index, block) in checked.blocks.iter().enumerate() {
        if block.origin == Origin::Library {
            continue;
        }
        let id = BlockId(u32::try_from(index).unwrap_or(u32::MAX));
        match block.kind {
            BlockKind::Image => hardware::check_source(block, sink),
            BlockKind::Network => {
                places.networks.insert(id, networks.len());
                networks.push(Network::declared(id, block, sink));
            }
            BlockKind::Share => {
                places.shares.insert(id, shares.len());
                shares.push(Share::read(checked, id, block, sink));
            }
            BlockKind::Identity => {
                places.identities.insert(id, identities.len());
                identities.push(Identity::read(checked, id, block, sink));
            }
            BlockKind::Vault => {
                places.vaults.insert(id, vaults.len());
                vaults.push(Vault::read(id, block, sink));
            }
            BlockKind::Resource => resources.extend(Resource::read(id, block)),
            BlockKind::Pool => pool_blocks.push((id, block)),
            BlockKind::BatchPool => batch_blocks.push((id, block)),
            BlockKind::BatchAccount => around.accounts.push(BatchAccount::read(id, block, sink)),
            BlockKind::Workspace => around.workspaces.push(Workspace::read(id, block, sink)),
            BlockKind::Container => around.containers.push(Container::read(id, block, sink)),
            BlockKind::Job => job_blocks.push(block),
            _ => {}
        }
    }
    places.generated = networks.len();
    networks.push(Network::generated());
    let context = Context { checked, as_of, places: &places, networks: &networks, shares: &shares };
    let built: Vec<(Option<Pool<'a>>, Sink)> = pool_blocks
        .par_iter()
        .map(|(id, block)| {
            let mut own = Sink::default();
            (Pool::read(context, *id, block, &mut own), own)
        })
        .collect();
    let mut refused = Vec::new();
    let mut pools = Vec::with_capacity(built.len());
    for ((pool, own), (id, block)) in built.into_iter().zip(&pool_blocks) {
        if pool.is_none() && block.class.is_some() {
            refused.push(*id);
        }
        pools.extend(pool);
        sink.extend(own.finish());
    }
    let built: Vec<(Option<BatchPool<'a>>, Sink)> = batch_blocks
        .par_iter()
        .map(|(id, block)| {
            let mut own = Sink::default();
            (BatchPool::read(context, &around, *id, block, &mut own), own)
        })
        .collect();
    let mut batch = Vec::with_capacity(built.len());
    for ((pool, own), (id, _)) in built.into_iter().zip(&batch_blocks) {
        if pool.is_none() {
            refused.push(*id);
        }
        batch.extend(pool);
        sink.extend(own.finish());
    }
    scaling::check_rooms(&networks, &pools, &batch, sink);
    let jobs = job_blocks.iter().filter_map(|block| Job::read(block, &batch, (&around, &shares), sink)).collect();
    Fleet {
        name: project.map_or("pools", |p| p.name.as_ref()),
        location: project.and_then(|p| read::late(p, "location")),
        tags: project.and_then(|p| read::late(p, "tags")),
        networks,
        shares,
        identities,
        vaults,
        pools,
        refused,
        resources,
        batch,
        around,
        jobs,
    }
}
