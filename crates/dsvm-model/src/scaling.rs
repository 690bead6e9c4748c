//! Kind of scale set and how many machines it can hold.

use super::batch::BatchPool;
use super::ids::{NetworkId, SubnetPlace, TiSlice};
use super::network::{Network, room};
use super::pool::{Orchestration, Pool};
use super::sizes::Sizes;
use super::{Context, Machines, diags, read};
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_sema::table::words::HealthSource;
use dsvm_sema::table::{View, pool as rows};
use indexmap::IndexMap;

/// Most machines of a scale set in a single placement group.
const PLACEMENT_GROUP: i64 = 100;
/// Most machines of any scale set.
const MOST: i64 = 1000;

/// A need that only Uniform scale sets meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UniformNeed {
    /// What was written: `entra_login`.
    pub field: &'static str,
    /// The need in words.
    pub reason: &'static str,
    /// Where it was written.
    pub span: Span,
}

/// What a pool needs that only one kind of scale set has.
fn uniform_needs(pool: View<'_, rows::Pool>) -> Vec<UniformNeed> {
    let mut needs = Vec::new();
    if pool.entra_login() {
        let span = pool.fields().entra_login().span();
        let reason = "log-in with Entra accounts needs a system-assigned identity";
        needs.push(UniformNeed { field: "entra_login", reason, span });
    }
    if let Some(upgrade) = pool.upgrade().filter(|upgrade| upgrade.os_images()) {
        let span = upgrade.fields().os_images().span();
        let reason = "new image versions are followed by uniform scale sets only";
        needs.push(UniformNeed { field: "upgrade.os_images", reason, span });
    }
    if let Some(health) = pool.health() {
        match health.source() {
            HealthSource::LoadBalancer => {
                let span = health.fields().source().span();
                let reason = "health by probe exists for uniform scale sets only";
                needs.push(UniformNeed { field: "health.source", reason, span });
            }
            HealthSource::Extension => {}
        }
    }
    needs
}

/// Kind of scale set, what decides it when it is not written, and whether it must hold more than one placement group.
pub(crate) fn orchestration(
    cx: Context<'_, '_>,
    pool: View<'_, rows::Pool>,
    sizes: &Sizes<'_>,
    machines: &Machines,
    sink: &mut Sink,
) -> (Orchestration, Option<UniformNeed>, bool) {
    let needs = uniform_needs(pool);
    let kind = match (pool.orchestration(), needs.first()) {
        (Some(Orchestration::Flexible), Some(need)) => {
            sink.push(diags::orchestration_clash(pool.fields().orchestration().span(), need.reason, need.span));
            Orchestration::Flexible
        }
        (Some(written), _) => written,
        (None, Some(_)) => Orchestration::Uniform,
        (None, None) => Orchestration::Flexible,
    };
    let most = machines.most().or_else(|| bound(cx, machines)).unwrap_or(MOST);
    // Images of galleries and of the Marketplace reach 1,000; unmanaged custom images are not offered.
    if most > MOST {
        sink.push(diags::too_many_machines(most, MOST, machines.span, kind));
    }
    let joined = sizes.all().find(|size| size.infiniband().is_some());
    if let Some(size) = joined.filter(|_| kind == Orchestration::Uniform && most > PLACEMENT_GROUP) {
        sink.push(diags::infiniband_beyond_placement_group(size.name(), most, machines.span));
    }
    let decides = needs.first().copied().filter(|_| pool.orchestration().is_none());
    (kind, decides, kind == Orchestration::Uniform && most > PLACEMENT_GROUP)
}

/// The largest value that a parameter can take, for a number known only later.
fn bound(cx: Context<'_, '_>, machines: &Machines) -> Option<i64> {
    let deferred = read::deferred(&machines.max)?;
    let dsvm_sema::value::Deploy::Parameter(name) = &deferred.expr else { return None };
    cx.checked.params.iter().find(|p| p.name == *name).and_then(|p| p.max)
}

/// Whether a number of machines does not contradict itself.
pub(crate) fn check_range(machines: &Machines, sink: &mut Sink) -> bool {
    let span = machines.span;
    if let Some(least) = machines.least().filter(|n| *n < 0) {
        sink.push(diags::negative_machines(least, machines.ranged, span));
        return false;
    }
    if let (Some(least), Some(most)) = (machines.least(), machines.most())
        && least > most
    {
        sink.push(diags::range_inverted(least, most, span));
        return false;
    }
    if let Some(initial) = machines.initial.as_ref().and_then(read::as_int) {
        let below = machines.least().is_some_and(|least| initial < least);
        let above = machines.most().is_some_and(|most| initial > most);
        if below || above {
            sink.push(diags::initial_outside(initial, span));
        }
    }
    true
}

/// A pool and the addresses that it takes of its subnet.
struct Tenant<'a> {
    name: &'a str,
    most: i64,
    span: Span,
}

/// Whether the subnets have room for all pools in them, each at its largest number.
pub(crate) fn check_rooms(
    networks: &TiSlice<NetworkId, Network<'_>>,
    pools: &[Pool<'_>],
    batch: &[BatchPool<'_>],
    sink: &mut Sink,
) {
    let interactive = pools.iter().filter_map(|pool| {
        let most = pool.machines.most()?;
        Some(((pool.network, pool.subnet), Tenant { name: &pool.block.name, most, span: pool.machines.span }))
    });
    let nodes = batch.iter().filter_map(|pool| {
        Some((
            pool.network?,
            Tenant { name: &pool.block.name, most: pool.most?, span: pool.view.fields().machines().span() },
        ))
    });
    let mut subnets: IndexMap<SubnetPlace, Vec<Tenant<'_>>> = IndexMap::new();
    for (place, tenant) in interactive.chain(nodes) {
        subnets.entry(place).or_default().push(tenant);
    }
    for ((network, subnet), tenants) in subnets {
        let subnet = networks[network].subnet(subnet);
        let Some(range) = subnet.address else { continue };
        let room = room(&range);
        let beyond = |most: i64| u64::try_from(most).is_ok_and(|most| most > room);
        let mut alone = false;
        for tenant in tenants.iter().filter(|tenant| beyond(tenant.most)) {
            alone = true;
            sink.push(diags::subnet_without_room(&range, room, tenant.most, tenant.span));
        }
        let all = tenants.iter().fold(0i64, |sum, tenant| sum.saturating_add(tenant.most));
        if !alone && beyond(all) {
            let mut largest: Vec<(&str, i64, Span)> = tenants.iter().map(|t| (t.name, t.most, t.span)).collect();
            largest.sort_by_key(|(_, most, _)| std::cmp::Reverse(*most));
            let Some(at) = subnet.span.or(largest.first().map(|(_, _, span)| *span)) else { continue };
            let declared = subnet.span.is_some();
            sink.push(diags::subnet_without_room_for_all(&range, (room, all), at, declared, &largest));
        }
    }
}
