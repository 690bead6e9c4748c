//! Rules of the two services that need more than one part of a pool.

use super::{BatchPool, BatchSupport, Service, diags, mountable};
use crate::network::Outbound;
use crate::{Context, facts, read};
use dsvm_diagnostics::Sink;
use dsvm_sema::checked::Block;
use dsvm_sema::table::schema::FieldsOf;
use dsvm_sema::table::words::BatchOsDisk;
use dsvm_sema::table::{FieldRef, View, batch as rows};

/// Fields that only Azure Batch has, and what to do instead on Azure Machine Learning.
fn only_batch<'a>(fields: FieldsOf<'a, rows::BatchPool>) -> Vec<(FieldRef<'a>, &'static str)> {
    vec![
        (fields.account(), "name a `workspace` instead"),
        (fields.display_name(), "leave it out"),
        (fields.image(), "leave it out: jobs run in containers, which bring what they need"),
        (fields.spot_machines(), "make a second cluster with `priority = spot`"),
        (fields.task_slots(), "leave it out: a job takes whole machines"),
        (fields.fill(), "leave it out: a job takes whole machines"),
        (fields.inter_node(), "leave it out: machines of a job always reach each other"),
        (fields.applications(), "put the software into the container of the job"),
        (fields.upgrade_mode(), "leave it out: the service keeps the machines' system new"),
        (fields.os_disk(), "leave it out"),
        (fields.placement(), "leave it out"),
        (fields.accelerated_networking(), "leave it out"),
        (fields.formula(), "set `idle`: the service follows the jobs by itself"),
        (fields.every(), "leave it out"),
        (fields.resize_timeout(), "leave it out"),
        (fields.on_removal(), "leave it out: a machine goes only when its job has ended"),
    ]
}

/// Fields that only Azure Machine Learning has, and what to do instead on Azure Batch.
fn only_ml<'a>(fields: FieldsOf<'a, rows::BatchPool>) -> Vec<(FieldRef<'a>, &'static str)> {
    vec![
        (fields.workspace(), "name an `account` instead"),
        (fields.idle(), "set `look_back` in `autoscale`"),
        (fields.registries(), "name the registry in the `docker` block"),
        (fields.ssh(), "use `az batch node user create`, which makes an account on one machine for some hours"),
    ]
}

/// Nested blocks that only Azure Batch has, and what to do instead on Azure Machine Learning.
fn only_batch_blocks<'a>(pool: View<'a, rows::BatchPool>) -> [(Option<&'a Block>, &'static str); 5] {
    [
        (pool.autoscale().map(View::block), "set `idle`: the service follows the jobs by itself"),
        (pool.setup().map(View::block), "put the software into the container of the job"),
        (pool.docker().map(View::block), "name the container in the job's `environment`"),
        (pool.nats().next().map(View::block), "leave it out"),
        (pool.task_users().next().map(View::block), "leave it out"),
    ]
}

/// What one service has no word for.
pub(super) fn fields_of_service(pool: View<'_, rows::BatchPool>, service: Service, sink: &mut Sink) {
    let (fields, other) = match service {
        Service::AzureMl => (only_batch(pool.fields()), "Azure Batch"),
        Service::AzureBatch => (only_ml(pool.fields()), "Azure Machine Learning"),
    };
    let max_price = pool.fields().max_price();
    if max_price.written() {
        sink.push(diags::no_max_price(service, max_price.span()));
    }
    for (field, instead) in fields.into_iter().filter(|(field, _)| field.written()) {
        sink.push(diags::only_of_other_service(field.name(), field.span(), service, other, instead));
    }
    if service == Service::AzureMl {
        for (child, instead) in only_batch_blocks(pool) {
            let Some(child) = child else { continue };
            sink.push(diags::only_of_other_service(child.kind.keyword(), child.name_span, service, other, instead));
        }
        return;
    }
    if let Some(allow) = pool.allows().next().map(View::block) {
        let instead = "open a port with `nat`, whose `from` says to whom";
        sink.push(diags::only_of_other_service(allow.kind.keyword(), allow.name_span, service, other, instead));
    }
    if let Some(takes) = pool.setup().map(|setup| setup.fields().takes()).filter(|takes| takes.written()) {
        let instead = "leave it out: Azure Batch gives no task to a machine whose setup is not done";
        let other = "an interactive pool";
        sink.push(diags::only_of_other_service(takes.name(), takes.span(), service, other, instead));
    }
    if let Some(admin) = pool.admin().map(View::block) {
        let instead = "use `az batch node user create`, which makes an account on one machine for some hours";
        sink.push(diags::only_of_other_service(admin.kind.keyword(), admin.name_span, service, other, instead));
    }
}

/// Reports what a batch pool must not have.
pub(super) fn check(cx: Context<'_, '_>, support: &BatchSupport<'_>, pool: &BatchPool<'_>, sink: &mut Sink) {
    name(pool, sink);
    mounts(cx, support, pool, sink);
    for size in pool.sizes().filter(|size| pool.spot && size.spot() == facts::Known::No) {
        sink.push(crate::diags::spot_not_offered(
            size.name(),
            pool.view.fields().priority().span(),
            pool.view.fields().size().span(),
        ));
    }
    always_on(pool, sink);
    way_out(cx, pool, sink);
    if pool.service == Service::AzureMl {
        return;
    }
    image(cx, pool, sink);
    size(pool, sink);
    inter_node(support, pool, sink);
    disks(pool, sink);
    network(pool, sink);
    users(pool, sink);
    lists(pool, sink);
    packages(support, pool, sink);
}

fn name(pool: &BatchPool<'_>, sink: &mut Sink) {
    let name = &pool.name;
    let span = pool.view.fields().name().span();
    let clean = |extra: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c));
    match pool.service {
        Service::AzureBatch if !(1..=64).contains(&name.len()) || !clean("-_") => {
            sink.push(diags::name_refused(name, span, "1 to 64 letters, digits, hyphens and underscores"));
        }
        Service::AzureMl
            if !(3..=24).contains(&name.len())
                || !clean("-")
                || !name.starts_with(|c: char| c.is_ascii_alphabetic()) =>
        {
            sink.push(diags::name_refused(name, span, "3 to 24 letters, digits and hyphens, a letter first"));
        }
        _ => {}
    }
}

fn always_on(pool: &BatchPool<'_>, sink: &mut Sink) {
    let Some(machines) = read::Machines::of(pool.view.fields().machines()) else { return };
    if let Some(least) = machines.least().filter(|n| *n > 0) {
        sink.push(diags::always_on(least, pool.size.name(), machines.span));
    }
}

/// The machines of both services ask the service for work: without a way out none becomes idle.
fn way_out(cx: Context<'_, '_>, pool: &BatchPool<'_>, sink: &mut Sink) {
    let Some((network, _)) = pool.network else { return };
    let network = &cx.networks[network];
    if network.outbound == Outbound::None && !pool.view.public_ip() {
        let span = network.view.map_or(pool.block.name_span, |network| network.fields().outbound().span());
        let why = match pool.service {
            Service::AzureBatch => "the agent of Azure Batch on each machine asks the service for its tasks",
            Service::AzureMl => "the agent of Azure Machine Learning on each machine asks the service for its jobs",
        };
        sink.push(crate::diags::no_way_out(span, pool.block.name_span, why));
    }
}

fn image(cx: Context<'_, '_>, pool: &BatchPool<'_>, sink: &mut Sink) {
    let Some(image) = pool.image else {
        sink.push(diags::image_missing(pool.block));
        return;
    };
    if image.windows() {
        return;
    }
    let span = pool.view.fields().image().span();
    let agent = image.0.node_agent();
    let ended = image.0.node_agent_until().filter(|date| *date < cx.as_of);
    if image.0.batch() == facts::Known::No || agent.is_none() || ended.is_some() {
        sink.push(diags::image_unsupported(image.name(), span, agent.is_none(), ended));
    } else if image.0.batch() == facts::Known::Unknown {
        sink.push(diags::image_perhaps_unsupported(image.name(), span));
    }
    if let Some(docker) = pool.view.docker().map(View::block)
        && !image.0.containers()
    {
        sink.push(diags::image_without_containers(image.name(), span, docker.name_span));
    }
}

fn size(pool: &BatchPool<'_>, sink: &mut Sink) {
    for size in pool.sizes() {
        if size.burstable() {
            sink.push(diags::burstable(size.name(), pool.view.fields().size().span()));
        }
        if let Some(vcpu) = size.vcpu() {
            let limit = (4 * vcpu).min(256);
            if pool.task_slots > limit {
                sink.push(diags::too_many_slots(pool.task_slots, limit, size.name(), pool.view));
            }
        }
    }
}

fn inter_node(support: &BatchSupport<'_>, pool: &BatchPool<'_>, sink: &mut Sink) {
    if !pool.view.inter_node() {
        return;
    }
    let user = pool.home.and_then(|h| support.accounts.get(h)).is_some_and(|a| a.user_subscription);
    let limit = if user { 80 } else { 100 };
    if let Some(most) = pool.most.filter(|m| *m > limit) {
        sink.push(diags::inter_node_limit(most, limit, pool.view));
    }
    if pool.spot || pool.view.fields().spot_machines().written() {
        sink.push(diags::inter_node_spot(pool.view));
    }
}

fn disks(pool: &BatchPool<'_>, sink: &mut Sink) {
    let spot = pool.spot || pool.view.fields().spot_machines().written();
    let ephemeral = match pool.view.os_disk() {
        BatchOsDisk::Ephemeral => true,
        BatchOsDisk::Managed => false,
    };
    if ephemeral && spot {
        sink.push(diags::ephemeral_spot(pool.view));
    } else if ephemeral && let Some(without) = pool.sizes().find(|size| size.ephemeral().is_none()) {
        let (disk, size) = (pool.view.fields().os_disk().span(), pool.view.fields().size().span());
        sink.push(crate::diags::ephemeral_disk_impossible(without.name(), disk, size));
    }
}

/// Fewest ports of a frontend range, and most rules of all ports of a pool ("Pool - Add" of the service's REST reference).
const FRONTEND: i64 = 40;
const NAT_RULES: usize = 25;

fn network(pool: &BatchPool<'_>, sink: &mut Sink) {
    let (public, public_span) = (pool.view.public_ip(), pool.view.fields().public_ip().span());
    if !public && pool.network.is_none() {
        sink.push(diags::no_public_ip(public_span));
    }
    let mut taken: Vec<(i64, i64, dsvm_diagnostics::source::Span)> = Vec::new();
    for nat in pool.view.nats() {
        if !public {
            sink.push(diags::nat_without_ip(nat.block().name_span, public_span));
        }
        let from = nat.from().unwrap_or_default();
        if crate::services::open_to_all(&from.values().iter().collect::<Vec<_>>()) {
            sink.push(diags::nat_open_to_all(&nat.block().name, nat.fields().from().span()));
        }
        if let Some(port @ (29_876 | 29_877)) = nat.port() {
            sink.push(diags::port_reserved(port, nat.fields().port().span()));
        }
        let Some(range) = read::Machines::of(nat.fields().frontend()) else { continue };
        let (Some(from), Some(to)) = (range.least(), range.most()) else { continue };
        if from < 1 || to > 65_534 || from > to || (from <= 55_000 && to >= 50_000) {
            sink.push(diags::frontend_reserved(from, to, range.span));
        } else if to - from + 1 < FRONTEND {
            sink.push(diags::frontend_below_least(to - from + 1, FRONTEND, range.span));
        } else if let Some(most) = pool.most.filter(|m| to - from + 1 < *m) {
            sink.push(diags::frontend_too_small(to - from + 1, most, range.span));
        }
        if let Some((_, _, other)) = taken.iter().find(|(f, t, _)| from <= *t && to >= *f) {
            sink.push(diags::frontend_twice(range.span, *other));
        }
        taken.push((from, to, range.span));
    }
    // One more for each port denies everybody else.
    let rules = pool.view.nats().map(|nat| nat.from().unwrap_or_default().values().len() + 1);
    if let (count @ NAT_RULES.., Some(last)) = (rules.sum(), pool.view.nats().last())
        && count > NAT_RULES
    {
        sink.push(diags::too_many_nat_rules(count, NAT_RULES, last.fields().from().span()));
    }
}

fn users(pool: &BatchPool<'_>, sink: &mut Sink) {
    for user in pool.view.task_users() {
        let name = user.name().unwrap_or(&user.block().name);
        if name.len() > 20 {
            sink.push(diags::task_user_name(name, user.fields().name().span()));
        }
        if user.fields().uid().written() != user.fields().gid().written() {
            sink.push(diags::uid_without_gid(user.block()));
        }
    }
}

fn lists(pool: &BatchPool<'_>, sink: &mut Sink) {
    let count = pool.view.applications().into_iter().flatten().count();
    if count > 10 {
        sink.push(diags::too_many(count, "application packages", pool.view.fields().applications().span()));
    }
}

/// Packages that are not where the pool looks for them.
fn packages(support: &BatchSupport<'_>, pool: &BatchPool<'_>, sink: &mut Sink) {
    let span = pool.view.fields().applications().span();
    if pool.view.applications().into_iter().flatten().next().is_none() {
        return;
    }
    match pool.home.and_then(|home| support.accounts.get(home)) {
        Some(account) if account.existing => {}
        Some(account) if !account.storage => sink.push(diags::packages_without_storage(span, account.block)),
        _ => sink.push(diags::packages_of_new_account(span)),
    }
}

fn mounts(cx: Context<'_, '_>, support: &BatchSupport<'_>, pool: &BatchPool<'_>, sink: &mut Sink) {
    let count = pool.shares.len() + pool.containers.len();
    if count > 10 {
        sink.push(diags::too_many(count, "mounts", pool.view.fields().shares().span()));
    }
    let shares_span = pool.view.fields().shares().span();
    let mut paths: Vec<(&str, &str)> = Vec::new();
    for share in pool.shares.iter().map(|share| &cx.shares[*share]) {
        let name: &str = &share.block.name;
        if !mountable(share.protocol, share.auth) {
            sink.push(diags::share_by_identity(name, shares_span, share.span(), pool.service));
        }
        if share.protocol == crate::share::Protocol::Nfs {
            if pool.service == Service::AzureMl {
                sink.push(diags::nfs_in_ml(name, shares_span));
            } else if pool.network.is_none() {
                sink.push(diags::nfs_without_network(name, shares_span));
            }
        }
        paths.push((share.mount, name));
    }
    for container in pool.containers.iter().filter_map(|c| support.containers.get(*c)) {
        paths.push((container.mount, &container.block.name));
    }
    for (index, (path, name)) in paths.iter().enumerate() {
        if let Some((_, first)) = paths.iter().take(index).find(|(p, _)| p == path) {
            sink.push(diags::mounted_twice(path, first, name, shares_span));
        }
    }
}
