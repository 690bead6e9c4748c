//! Rules of the two services that need more than one part of a pool.

use super::{Around, BatchPool, Service, diags, mountable};
use crate::{Context, facts, read};
use dsvm_diagnostics::Sink;
use dsvm_sema::checked::Block;
use dsvm_sema::table::BlockKind;

/// Fields that only Azure Batch has, and what to do instead on Azure Machine Learning.
const ONLY_BATCH: &[(&str, &str)] = &[
    ("account", "name a `workspace` instead"),
    ("display_name", "leave it out"),
    ("image", "leave it out: jobs run in containers, which bring what they need"),
    ("spot_machines", "make a second cluster with `priority = spot`"),
    ("task_slots", "leave it out: a job takes whole machines"),
    ("fill", "leave it out: a job takes whole machines"),
    ("inter_node", "leave it out: machines of a job always reach each other"),
    ("applications", "put the software into the container of the job"),
    ("upgrade_mode", "leave it out: the service keeps the machines' system new"),
    ("os_disk", "leave it out"),
    ("placement", "leave it out"),
    ("accelerated_networking", "leave it out"),
    ("formula", "set `idle`: the service follows the jobs by itself"),
    ("every", "leave it out"),
    ("resize_timeout", "leave it out"),
    ("on_removal", "leave it out: a machine goes only when its job has ended"),
];

/// Fields that only Azure Machine Learning has, and what to do instead on Azure Batch.
const ONLY_ML: &[(&str, &str)] = &[
    ("workspace", "name an `account` instead"),
    ("idle", "set `look_back` in `autoscale`"),
    ("ssh", "use `az batch node user create`, which makes an account on one machine for some hours"),
];

const ONLY_BATCH_BLOCKS: &[(BlockKind, &str)] = &[
    (BlockKind::BatchAutoscale, "set `idle`: the service follows the jobs by itself"),
    (BlockKind::Setup, "put the software into the container of the job"),
    (BlockKind::Docker, "name the container in the job's `environment`"),
    (BlockKind::Nat, "leave it out"),
    (BlockKind::TaskUser, "leave it out"),
];

/// What one service has no word for.
pub(super) fn fields_of_service(block: &Block, service: Service, sink: &mut Sink) {
    let (fields, other) = match service {
        Service::AzureMl => (ONLY_BATCH, "Azure Batch"),
        Service::AzureBatch => (ONLY_ML, "Azure Machine Learning"),
    };
    if read::written(block, "max_price") {
        sink.push(diags::no_max_price(service, block.span_of("max_price")));
    }
    for (field, instead) in fields {
        if read::written(block, field) {
            sink.push(diags::only_of_other_service(field, block.span_of(field), service, other, instead));
        }
    }
    if service == Service::AzureMl {
        for (kind, instead) in ONLY_BATCH_BLOCKS {
            if let Some(child) = read::child(block, *kind) {
                sink.push(diags::only_of_other_service(kind.keyword(), child.name_span, service, other, instead));
            }
        }
        return;
    }
    if let Some(setup) = read::child(block, BlockKind::Setup).filter(|setup| read::written(setup, "takes")) {
        let instead = "leave it out: Azure Batch gives no task to a machine whose setup is not done";
        sink.push(diags::only_of_other_service(
            "takes",
            setup.span_of("takes"),
            service,
            "an interactive pool",
            instead,
        ));
    }
    if let Some(admin) = read::child(block, BlockKind::Admin) {
        let instead = "use `az batch node user create`, which makes an account on one machine for some hours";
        sink.push(diags::only_of_other_service("admin", admin.name_span, service, other, instead));
    }
}

/// All rules.
pub(super) fn check(cx: Context<'_, '_>, around: &Around<'_>, pool: &BatchPool<'_>, sink: &mut Sink) {
    name(pool, sink);
    mounts(cx, around, pool, sink);
    if pool.spot && pool.size.spot() == facts::Known::No {
        sink.push(crate::diags::spot_not_offered(
            pool.size.name(),
            pool.block.span_of("priority"),
            pool.block.span_of("size"),
        ));
    }
    always_on(pool, sink);
    if pool.service == Service::AzureMl {
        admin(pool, sink);
        return;
    }
    image(cx, pool, sink);
    size(pool, sink);
    inter_node(around, pool, sink);
    disks(pool, sink);
    network(pool, sink);
    users(pool, sink);
    lists(pool, sink);
}

fn name(pool: &BatchPool<'_>, sink: &mut Sink) {
    let name = &pool.name;
    let span = pool.block.span_of("name");
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
    let Some(machines) = read::Machines::read(pool.block, "machines") else { return };
    if let Some(least) = machines.least().filter(|n| *n > 0) {
        sink.push(diags::always_on(least, pool.size.name(), machines.span));
    }
}

fn admin(pool: &BatchPool<'_>, sink: &mut Sink) {
    let admin = read::child(pool.block, BlockKind::Admin);
    if read::flag(pool.block, "ssh", false) && admin.is_none() {
        sink.push(diags::ssh_without_admin(pool.block));
    }
    if let Some(admin) = admin {
        let by_key = read::written(admin, "key");
        if !by_key && !read::written(admin, "password") {
            sink.push(crate::diags::admin_without_credentials(admin));
        }
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
    let span = pool.block.span_of("image");
    let agent = image.0.node_agent();
    let ended = image.0.node_agent_until().filter(|date| *date < cx.as_of);
    if image.0.batch() == facts::Known::No || agent.is_none() || ended.is_some() {
        sink.push(diags::image_unsupported(image.name(), span, agent.is_none(), ended));
    } else if image.0.batch() == facts::Known::Unknown {
        sink.push(diags::image_perhaps_unsupported(image.name(), span));
    }
    if let Some(docker) = read::child(pool.block, BlockKind::Docker)
        && !image.0.containers()
    {
        sink.push(diags::image_without_containers(image.name(), span, docker.name_span));
    }
}

fn size(pool: &BatchPool<'_>, sink: &mut Sink) {
    if pool.size.burstable() {
        sink.push(diags::burstable(pool.size.name(), pool.block.span_of("size")));
    }
    if let Some(vcpu) = pool.size.vcpu() {
        let limit = (4 * vcpu).min(256);
        if pool.task_slots > limit {
            sink.push(diags::too_many_slots(pool.task_slots, limit, pool.size.name(), pool.block));
        }
    }
}

fn inter_node(around: &Around<'_>, pool: &BatchPool<'_>, sink: &mut Sink) {
    if !read::flag(pool.block, "inter_node", false) {
        return;
    }
    let user = pool.home.and_then(|h| around.accounts.get(h)).is_some_and(|a| a.user_subscription);
    let limit = if user { 80 } else { 100 };
    if let Some(most) = pool.most.filter(|m| *m > limit) {
        sink.push(diags::inter_node_limit(most, limit, pool.block));
    }
    if pool.spot || read::written(pool.block, "spot_machines") {
        sink.push(diags::inter_node_spot(pool.block));
    }
}

fn disks(pool: &BatchPool<'_>, sink: &mut Sink) {
    let spot = pool.spot || read::written(pool.block, "spot_machines");
    if read::text(pool.block, "os_disk") == Some("ephemeral") && spot {
        sink.push(diags::ephemeral_spot(pool.block));
    } else if read::text(pool.block, "os_disk") == Some("ephemeral") && pool.size.ephemeral().is_none() {
        let (disk, size) = (pool.block.span_of("os_disk"), pool.block.span_of("size"));
        sink.push(crate::diags::ephemeral_disk_impossible(pool.size.name(), disk, size));
    }
}

/// Fewest ports of a frontend range, and most rules of all ports of a pool ("Pool - Add" of the service's REST reference).
const FRONTEND: i64 = 40;
const NAT_RULES: usize = 25;

fn network(pool: &BatchPool<'_>, sink: &mut Sink) {
    let public = read::flag(pool.block, "public_ip", true);
    if !public && pool.network.is_none() {
        sink.push(diags::no_public_ip(pool.block.span_of("public_ip")));
    }
    let mut taken: Vec<(i64, i64, dsvm_diagnostics::source::Span)> = Vec::new();
    for nat in pool.block.children(BlockKind::Nat) {
        if !public {
            sink.push(diags::nat_without_ip(nat.name_span, pool.block.span_of("public_ip")));
        }
        if let Some(port @ (29_876 | 29_877)) = read::int(nat, "port") {
            sink.push(diags::port_reserved(port, nat.span_of("port")));
        }
        let Some(range) = read::Machines::read(nat, "frontend") else { continue };
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
    let rules = pool.block.children(BlockKind::Nat).map(|nat| read::items(nat, "from").len() + 1);
    if let (count @ NAT_RULES.., Some(last)) = (rules.sum(), pool.block.children(BlockKind::Nat).last())
        && count > NAT_RULES
    {
        sink.push(diags::too_many_nat_rules(count, NAT_RULES, last.span_of("from")));
    }
}

fn users(pool: &BatchPool<'_>, sink: &mut Sink) {
    for user in pool.block.children(BlockKind::TaskUser) {
        let name = read::text(user, "name").unwrap_or(&user.name);
        if name.len() > 20 {
            sink.push(diags::task_user_name(name, user.span_of("name")));
        }
        if read::written(user, "uid") != read::written(user, "gid") {
            sink.push(diags::uid_without_gid(user));
        }
    }
}

fn lists(pool: &BatchPool<'_>, sink: &mut Sink) {
    let applications = read::texts(pool.block, "applications");
    if applications.len() > 10 {
        sink.push(diags::too_many(applications.len(), "application packages", pool.block.span_of("applications")));
    }
}

fn mounts(cx: Context<'_, '_>, around: &Around<'_>, pool: &BatchPool<'_>, sink: &mut Sink) {
    let count = pool.shares.len() + pool.containers.len();
    if count > 10 {
        sink.push(diags::too_many(count, "mounts", pool.block.span_of("shares")));
    }
    let shares_span = pool.block.span_of("shares");
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
    for container in pool.containers.iter().filter_map(|c| around.containers.get(*c)) {
        paths.push((container.mount, &container.block.name));
    }
    for (index, (path, name)) in paths.iter().enumerate() {
        if let Some((_, first)) = paths.iter().take(index).find(|(p, _)| p == path) {
            sink.push(diags::mounted_twice(path, first, name, shares_span));
        }
    }
}
