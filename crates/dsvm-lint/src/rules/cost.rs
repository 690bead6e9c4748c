//! What costs money without need.

use crate::subject::{Look, found};
use dsvm_diagnostics::{Diagnostic, count};
use dsvm_sema::table::words::Outbound;

/// Batch pools that never go away are a hint of the compiler.
pub(crate) fn always_on(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for pool in look.pools() {
        let Some(least) = pool.machines.least().filter(|least| *least > 0) else { continue };
        let machines = if least == 1 { "one machine".to_owned() } else { count(least, "machine") };
        out.push(
            found(
                format!("`{}` always has {machines}", pool.block.name),
                pool.machines.span,
                "paid for at night and on weekends too",
            )
            .help("begin the range at 0, and let a `schedule` start machines for working hours"),
        );
    }
}

pub(crate) fn unbounded(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let bound = look.options.number("most");
    let interactive = look.pools().map(|pool| (pool.block, pool.machines.span, pool.machines.most()));
    let batch = look.batch().map(|pool| (pool.block, pool.view.fields().machines().span(), pool.scale.most()));
    for (block, span, most) in interactive.chain(batch) {
        let Some(most) = most.filter(|most| *most > bound) else { continue };
        out.push(
            found(
                format!("`{}` can grow to {}", block.name, count(most, "machine")),
                span,
                format!("more than {bound}"),
            )
            .help("lower the range; or set `most` of this rule in `dsvmc.toml` to what you are ready to pay"),
        );
    }
}

pub(crate) fn address_behind_gateway(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for pool in look.batch().filter(|pool| pool.view.public_ip() && pool.view.network().is_some()) {
        let Some((network, _)) = pool.network else { continue };
        let Some(network) = look.fleet.networks.get(network) else { continue };
        if network.outbound == Outbound::NatGateway && network.existing.is_none() && pool.view.nats().next().is_none() {
            out.push(
                found(
                    format!("machines of `{}` have addresses behind a NAT gateway", pool.block.name),
                    pool.view.fields().network().span(),
                    "both are paid for, and one is reachable",
                )
                .help("set `public_ip = false`"),
            );
        }
    }
}

pub(crate) fn cluster_idles_long(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let most = look.options.number("minutes").saturating_mul(60);
    for pool in look.batch() {
        let Some(idle) = pool.view.idle().filter(|idle| *idle > most) else { continue };
        out.push(
            found(
                format!(
                    "machines of `{}` wait {} for the next job",
                    pool.block.name,
                    dsvm_model::units::duration(idle)
                ),
                pool.view.fields().idle().span(),
                "paid for without work",
            )
            .help(format!("write {} or less", dsvm_model::units::duration(most))),
        );
    }
}

pub(crate) fn job_runs_long(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let most = look.options.number("days").saturating_mul(24 * 60 * 60);
    for job in look.fleet.jobs.iter().filter(|job| job.time_limit.get() > most) {
        out.push(
            found(
                format!("`{}` may run for {}", job.block.name, job.time_limit),
                job.view.fields().time_limit().span(),
                "a job that hangs is paid for so long",
            )
            .help("write the longest time that the job can need"),
        );
    }
}
