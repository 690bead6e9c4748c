//! First jobs: no resources, but files beside the template.

use super::{Around, BatchPool, Service, diags};
use crate::ids::{ShareId, TiSlice};
use crate::read;
use crate::share::Share;
use crate::units::{DAY, Seconds, bounds};
use dsvm_diagnostics::Sink;
use dsvm_sema::checked::Block;
use dsvm_sema::table::BlockKind;
use dsvm_sema::value::{BlockId, Value};

/// A job.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    /// Its block.
    pub block: &'a Block,
    /// Position of its pool in the fleet.
    pub pool: usize,
    /// What runs.
    pub command: &'a str,
    /// Machines of one run.
    pub nodes: i64,
    /// Task slots.
    pub slots: i64,
    /// Runs under MPI.
    pub mpi: bool,
    /// Container image.
    pub environment: Option<&'a str>,
    /// Time after which it is ended.
    pub time_limit: Seconds,
    /// How often a failed task is tried again.
    pub retries: i64,
}

impl<'a> Job<'a> {
    pub(crate) fn read(
        block: &'a Block,
        pools: &[BatchPool<'a>],
        (around, shares): (&Around<'a>, &TiSlice<ShareId, Share<'a>>),
        sink: &mut Sink,
    ) -> Option<Self> {
        let id = read::reference(block, "pool")?;
        let index = pools.iter().position(|p| p.id == id)?;
        let pool = pools.get(index)?;
        let job = Self {
            block,
            pool: index,
            command: read::text(block, "command").unwrap_or(""),
            nodes: read::int(block, "nodes").unwrap_or(1),
            slots: read::int(block, "slots").unwrap_or(1),
            mpi: read::flag(block, "mpi", false),
            environment: read::text(block, "environment"),
            time_limit: bounds::TIME_LIMIT
                .read(block, "time_limit", sink)
                .unwrap_or_else(|| bounds::TIME_LIMIT.nearest(7 * DAY)),
            retries: read::int(block, "retries").unwrap_or(0),
        };
        job.check(pool, around, shares, sink);
        Some(job)
    }

    fn check(&self, pool: &BatchPool<'_>, around: &Around<'_>, shares: &TiSlice<ShareId, Share<'_>>, sink: &mut Sink) {
        let block = self.block;
        if let Some(most) = pool.most.filter(|m| self.nodes > *m) {
            sink.push(diags::job_needs_more(self.nodes, most, block.span_of("nodes"), pool.block.span_of("machines")));
        }
        if pool.service == Service::AzureBatch {
            let connected = read::flag(pool.block, "inter_node", false);
            if (self.mpi || self.nodes > 1) && !connected {
                let at = block.span_of(if self.mpi { "mpi" } else { "nodes" });
                sink.push(diags::job_needs_inter_node(at, pool.block));
            }
            if self.environment.is_some() && read::child(pool.block, BlockKind::Docker).is_none() {
                sink.push(diags::job_needs_docker(block.span_of("environment"), pool.block));
            }
            if self.slots > pool.task_slots {
                sink.push(diags::job_needs_slots(self.slots, pool.task_slots, block.span_of("slots"), pool.block));
            }
        } else {
            for (field, instead) in [
                ("slots", "leave it out: a job takes whole machines"),
                ("retries", "leave it out: submit the job again, or let the command try again"),
            ] {
                if read::written(block, field) {
                    sink.push(diags::job_of_other_service(field, block.span_of(field), instead));
                }
            }
            if self.environment.is_none() {
                sink.push(diags::job_needs_environment(block));
            }
        }
        let mounted = |id: BlockId| {
            pool.shares.iter().map(|share| &shares[*share]).any(|s| s.id == id)
                || pool.containers.iter().filter_map(|c| around.containers.get(*c)).any(|c| c.id == id)
        };
        for field in ["inputs", "outputs"] {
            for value in read::items(block, field) {
                if let Value::Ref(id) = value
                    && !mounted(*id)
                {
                    let name = shares.iter().find(|s| s.id == *id).map(|s| &s.block.name);
                    let name = name.or(around.containers.iter().find(|c| c.id == *id).map(|c| &c.block.name));
                    sink.push(diags::job_mount_missing(name.map_or("", |n| n), block.span_of(field), pool.block));
                }
            }
        }
    }
}
