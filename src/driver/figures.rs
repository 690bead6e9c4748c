//! A project → what evaluation says about its pools: how many machines of which size each can have, and which kind of scale
//! set it is. Editors show it beside the sources.

use super::compile::load_project;
use super::{LoadError, Project, World};
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::{SourceMap, Span};
use dsvm_model::pool::Orchestration;
use dsvm_model::read::as_int;
use dsvm_model::{Fleet, Machines};
use dsvm_sema::checked::Checked;

/// What is known about one pool in one env.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolFigures {
    /// The env; empty for the defaults of a project without envs.
    pub env: String,
    /// Where its size is written.
    pub size_at: Option<Span>,
    /// Its size, as Azure spells it.
    pub size: String,
    /// Virtual processors of one machine.
    pub vcpu: Option<i64>,
    /// Bytes of memory of one machine.
    pub memory: Option<i64>,
    /// Where its number of machines is written.
    pub machines_at: Option<Span>,
    /// Fewest and most machines, as far as the env says.
    pub machines: (Option<i64>, Option<i64>),
    /// Where its class is written, and the kind of scale set that nobody wrote, with the reason.
    pub derived: Option<(Span, &'static str, &'static str)>,
}

/// The figures of all pools in the order of the sources, once for each env; none when the project has errors.
///
/// # Errors
/// A file cannot be read.
pub fn figures(world: &dyn World, project: &Project) -> Result<(SourceMap, Vec<(Span, PoolFigures)>), LoadError> {
    let mut loaded = load_project(world, project, &project.files)?;
    let as_of = world.today();
    let each = dsvm_sema::check_each(&loaded.program, &mut loaded.sink, |checked, fine| {
        let wanted = fine && checked.env.is_some();
        if !wanted {
            return Vec::new();
        }
        let fleet = dsvm_model::build(&checked, as_of, &mut Sink::default());
        pools(&fleet, &checked)
    });
    let mut found: Vec<(Span, PoolFigures)> = each.into_iter().flatten().collect();
    if loaded.sink.has_errors() {
        found.clear();
    }
    // By place, and within one in the order of the envs.
    found.sort_by_key(|(at, _)| (at.source, at.start));
    Ok((loaded.sources, found))
}

fn pools(fleet: &Fleet<'_>, checked: &Checked) -> Vec<(Span, PoolFigures)> {
    let env = checked.env.as_deref().unwrap_or_default();
    let known = |machines: &Machines| (as_int(&machines.min), as_int(&machines.max));
    let figures = |block: &dsvm_sema::checked::Block, size: dsvm_model::facts::Size<'_>| PoolFigures {
        env: env.to_owned(),
        size_at: block.place_of("size"),
        size: size.name().to_owned(),
        vcpu: size.vcpu(),
        memory: size.memory(),
        machines_at: block.place_of("machines"),
        machines: (None, None),
        derived: None,
    };
    let interactive = fleet.pools.iter().map(|pool| {
        let derived = pool.block.place_of("orchestration").is_none().then(|| {
            let kind = match pool.orchestration {
                Orchestration::Uniform => "uniform",
                Orchestration::Flexible => "flexible",
            };
            (pool.block.name_span, kind, pool.uniform_for.map(|need| need.reason).unwrap_or_default())
        });
        let own = PoolFigures { machines: known(&pool.machines), derived, ..figures(pool.block, pool.size) };
        (pool.block.name_span, own)
    });
    let batch = fleet.batch.iter().map(|pool| {
        let machines = Machines::of(pool.view.fields().machines()).map(|machines| known(&machines));
        let own = PoolFigures { machines: machines.unwrap_or_default(), ..figures(pool.block, pool.size) };
        (pool.block.name_span, own)
    });
    interactive.chain(batch).collect()
}
