//! First jobs: no resources, but files beside the template.

use super::{BatchPool, BatchSupport, Service, diags};
use crate::ids::{ShareId, TiSlice};
use crate::share::Share;
use crate::units::{Seconds, bounds};
use dsvm_diagnostics::Sink;
use dsvm_sema::checked::Block;
use dsvm_sema::table::choices::Storage;
use dsvm_sema::table::{View, batch as rows};
use dsvm_sema::value::BlockId;

/// A first job that is written beside the template.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    /// The job as written.
    pub view: View<'a, rows::Job>,
    /// The block of the job.
    pub block: &'a Block,
    /// Position of its pool in the fleet.
    pub pool: usize,
    /// The command line that each task runs.
    pub command: &'a str,
    /// Machines of one run.
    pub nodes: i64,
    /// Task slots that it takes on a machine.
    pub slots: i64,
    /// It runs on several machines under MPI.
    pub mpi: bool,
    /// Container image that it runs in.
    pub environment: Option<&'a str>,
    /// Time after which it is ended.
    pub time_limit: Seconds,
    /// How often a failed task is tried again.
    pub retries: i64,
}

impl<'a> Job<'a> {
    pub(crate) fn read(
        view: View<'a, rows::Job>,
        pools: &[BatchPool<'a>],
        (support, shares): (&BatchSupport<'a>, &TiSlice<ShareId, Share<'a>>),
        sink: &mut Sink,
    ) -> Option<Self> {
        let (block, to) = (view.block(), view.pool()?);
        let index = pools.iter().position(|p| p.id == to.id)?;
        let pool = pools.get(index)?;
        let job = Self {
            view,
            block,
            pool: index,
            command: view.command()?,
            nodes: view.nodes(),
            slots: view.slots(),
            mpi: view.mpi(),
            environment: view.environment(),
            time_limit: bounds::TIME_LIMIT.hold(view.time_limit(), view.fields().time_limit(), sink),
            retries: view.retries(),
        };
        job.check(pool, support, shares, sink);
        Some(job)
    }

    fn check(
        &self,
        pool: &BatchPool<'_>,
        support: &BatchSupport<'_>,
        shares: &TiSlice<ShareId, Share<'_>>,
        sink: &mut Sink,
    ) {
        let (block, fields) = (self.block, self.view.fields());
        if let Some(most) = pool.most.filter(|m| self.nodes > *m) {
            sink.push(diags::job_needs_more(
                self.nodes,
                most,
                fields.nodes().span(),
                pool.view.fields().machines().span(),
            ));
        }
        if pool.service == Service::AzureBatch {
            let connected = pool.view.inter_node();
            if (self.mpi || self.nodes > 1) && !connected {
                let at = if self.mpi { fields.mpi() } else { fields.nodes() };
                sink.push(diags::job_needs_inter_node(at.span(), pool.block));
            }
            if self.environment.is_some() && pool.view.docker().is_none() {
                sink.push(diags::job_needs_docker(fields.environment().span(), pool.block));
            }
            if self.mpi && self.nodes > 1 && self.environment.is_some() {
                sink.push(diags::mpi_between_containers(fields.environment().span(), fields.mpi().span()));
            }
            if self.slots > pool.task_slots {
                sink.push(diags::job_needs_slots(self.slots, pool.task_slots, fields.slots().span(), pool.view));
            }
        } else {
            for (field, instead) in [
                (fields.slots(), "leave it out: a job takes whole machines"),
                (fields.retries(), "leave it out: submit the job again, or let the command try again"),
            ] {
                if field.written() {
                    sink.push(diags::job_of_other_service(field.name(), field.span(), instead));
                }
            }
            if self.environment.is_none() {
                sink.push(diags::job_needs_environment(block));
            }
        }
        let mounted = |id: BlockId| {
            pool.shares.iter().map(|share| &shares[*share]).any(|s| s.id == id)
                || pool.containers.iter().filter_map(|c| support.containers.get(*c)).any(|c| c.id == id)
        };
        if pool.service == Service::AzureMl {
            self.unmounted(pool, support, shares, sink);
        }
        let lists = [(self.view.inputs(), fields.inputs()), (self.view.outputs(), fields.outputs())];
        for (list, field) in lists {
            for Storage::Block(id) in list.into_iter().flatten().filter(|Storage::Block(id)| !mounted(*id)) {
                let name = shares.iter().find(|s| s.id == id).map(|s| &s.block.name);
                let name = name.or(support.containers.iter().find(|c| c.id == id).map(|c| &c.block.name));
                sink.push(diags::job_mount_missing(name.map_or("", |n| n), field.span(), pool.block));
            }
        }
    }

    /// Paths of the pool's storage in the command of a job that mounts none of it.
    fn unmounted(
        &self,
        pool: &BatchPool<'_>,
        support: &BatchSupport<'_>,
        shares: &TiSlice<ShareId, Share<'_>>,
        sink: &mut Sink,
    ) {
        let named: Vec<BlockId> = [self.view.inputs(), self.view.outputs()]
            .into_iter()
            .flatten()
            .flatten()
            .map(|Storage::Block(id)| id)
            .collect();
        let shares = pool.shares.iter().map(|share| &shares[*share]).map(|s| (s.id, s.mount, s.block));
        let containers = pool.containers.iter().filter_map(|c| support.containers.get(*c));
        for (_, path, block) in shares
            .chain(containers.map(|c| (c.id, c.mount, c.block)))
            .filter(|(id, path, _)| !named.contains(id) && names_path(self.command, path))
        {
            sink.push(diags::job_reads_unmounted(path, &block.name, self.view.fields().command().span()));
        }
    }
}

/// Whether a command contains a path as a whole: `/data/in` is not in `/data/input`.
fn names_path(command: &str, path: &str) -> bool {
    let path = path.trim_end_matches('/');
    let part = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !path.is_empty()
        && command.match_indices(path).any(|(at, _)| {
            let before = command.get(..at).and_then(|b| b.chars().next_back());
            let after = command.get(at + path.len()..).and_then(|a| a.chars().next());
            !before.is_some_and(part) && !after.is_some_and(part)
        })
}

#[cfg(test)]
mod tests {
    use super::names_path;

    #[test]
    fn a_path_is_named_as_a_whole() {
        assert!(names_path("python /data/in/train.py", "/data/in"));
        assert!(names_path("--data=/data/in --more", "/data/in/"));
        assert!(names_path("ls '/data/in'", "/data/in"));
        assert!(!names_path("ls /data/input", "/data/in"));
        assert!(!names_path("ls /mnt/data/in", "/data/in"));
        assert!(!names_path("ls", ""));
    }
}
