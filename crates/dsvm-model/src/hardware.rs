//! Rules between image, size, disks, boot, spot, health and upgrades.

use super::facts::{Image, Known, Size};
use super::network::{Outbound, overlap};
use super::pool::{Health, OsDisk, Pool, Spot, Upgrade};
use super::services::JUPYTERHUB;
use super::share::{Auth, Protocol};
use super::{Context, diags, read};
use crate::units::{GIB, HOUR, MINUTE, Seconds, bounds};
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_sema::checked::Block;
use dsvm_sema::table::BlockKind;
use dsvm_sema::value::Value;

/// Whether an image of the project can be found.
pub(crate) fn check_source(image: &Block, sink: &mut Sink) {
    const MARKETPLACE: [&str; 3] = ["publisher", "offer", "sku"];
    const IDS: [&str; 3] = ["/subscriptions/", "/sharedgalleries/", "/communitygalleries/"];
    let market = MARKETPLACE.iter().filter(|field| read::written(image, field)).count();
    let id = read::late(image, "id");
    let why = match (market, id) {
        (0, None) => Some("neither in the Marketplace nor in a gallery"),
        (1 | 2, None) => Some("`publisher`, `offer` and `sku` go together"),
        (1.., Some(_)) => Some("both in the Marketplace and in a gallery"),
        _ => None,
    };
    if let Some(why) = why {
        sink.push(diags::image_without_source(&image.name, why, image.name_span));
    } else if let Some(Value::String(id)) = id
        && !IDS.iter().any(|start| id.to_ascii_lowercase().starts_with(start))
    {
        sink.push(diags::image_is_no_id(&image.name, image.span_of("id")));
    }
}

/// Image against size, and both against the calendar.
pub(crate) fn check_image_and_size(
    cx: Context<'_, '_>,
    pool: &Block,
    image: Image<'_>,
    size: Size<'_>,
    sink: &mut Sink,
) {
    let (image_span, size_span) = (pool.span_of("image"), pool.span_of("size"));
    let image_end = image.retirement();
    let successor = image_end.and_then(|r| r.successor(cx.checked));
    let retired = image_end.and_then(|r| r.date("retired")).filter(|d| *d <= cx.as_of);
    if image.state() == "gone" || retired.is_some() {
        sink.push(diags::image_is_gone(&image.0.name, image_span, retired, successor));
        return;
    } else if image.state() == "deprecated" {
        sink.push(diags::image_is_ageing(&image.0.name, image_span, successor));
    }
    if let Some(end) = size.retirement() {
        let passed = |field: &str| end.date(field).filter(|d| *d <= cx.as_of);
        if let Some(date) = passed("retired") {
            sink.push(diags::size_is_retired(size.name(), size_span, date, end.successor(cx.checked)));
            return;
        } else if let Some(date) = passed("growth_restricted") {
            sink.push(diags::size_is_restricted(
                size.name(),
                size_span,
                date,
                end.date("retired"),
                end.successor(cx.checked),
            ));
        }
    }
    if image.windows() {
        sink.push(diags::windows_pool(&image.0.name, image_span));
        return;
    }
    if image.architecture() != size.architecture() {
        sink.push(diags::architecture_mismatch(image, size, image_span, size_span));
    } else if let Some(generation) = image.generation()
        && !size.generations().is_empty()
        && !size.generations().contains(&generation)
    {
        sink.push(diags::generation_mismatch(image, generation, size, image_span, size_span));
    }
    if size.nvme_only() {
        match image.nvme() {
            Known::Yes => {}
            Known::No => sink.push(diags::image_without_nvme(image, size, image_span, size_span)),
            Known::Unknown => sink.push(diags::image_perhaps_without_nvme(image, size, image_span, size_span)),
        }
    }
    if size.has_gpu() {
        check_gpu(pool, image, size, sink);
    }
}

fn check_gpu(pool: &Block, image: Image<'_>, size: Size<'_>, sink: &mut Sink) {
    let (image_span, size_span) = (pool.span_of("image"), pool.span_of("size"));
    if size.visualization() && image.is_dsvm() {
        sink.push(diags::visualization_size(image, size, size_span, image_span));
        return;
    }
    let vendor = size.gpu_vendor().unwrap_or("nvidia");
    if !image.has_driver(vendor) {
        sink.push(diags::gpu_without_driver(image, size, vendor, image_span, size_span));
        return;
    }
    let installs = read::child(pool, BlockKind::Setup).is_some_and(|setup| {
        read::texts(setup, "packages").iter().any(|p| p.contains("fabricmanager"))
            || setup
                .children(BlockKind::Step)
                .any(|s| read::text(s, "run").is_some_and(|t| t.contains("fabricmanager")))
    });
    if size.nvswitch() && image.is_dsvm() && !installs {
        sink.push(diags::nvswitch_without_fabric_manager(image, size, size_span));
    }
}

/// Terms of spot machines.
pub(crate) fn spot<'a>(pool: &'a Block, size: Size<'_>, autoscaled: bool, sink: &mut Sink) -> Option<Spot<'a>> {
    let terms = read::child(pool, BlockKind::Spot);
    if read::text(pool, "priority") != Some("spot") {
        if let Some(terms) = terms {
            sink.push(diags::spot_terms_of_regular(terms.span, pool));
        }
        return None;
    }
    if size.spot() == Known::No {
        sink.push(diags::spot_not_offered(size.name(), pool.span_of("priority"), pool.span_of("size")));
    }
    let Some(terms) = terms else { return Some(Spot { max_price: None, delete: true, restore: None }) };
    let delete = read::text(terms, "on_eviction") != Some("deallocate");
    if autoscaled && !delete {
        sink.push(diags::deallocate_under_autoscale(terms.span_of("on_eviction")));
    }
    let restore = bounds::RESTORE.read(terms, "restore", sink);
    if autoscaled && restore.is_some() {
        sink.push(diags::restore_under_autoscale(terms.span_of("restore")));
    }
    let max_price = read::late(terms, "max_price");
    if let Some(Value::Money(money)) = max_price {
        let span = terms.span_of("max_price");
        if money.currency.as_ref() != "USD" || money.per_seconds != Some(HOUR) || money.amount <= 0.into() {
            sink.push(diags::max_price_not_per_hour(span));
        }
    }
    Some(Spot { max_price, delete, restore })
}

/// System disk and Trusted Launch: `Some(secure boot)`.
pub(crate) fn disk_and_boot(pool: &Block, image: Image<'_>, size: Size<'_>, sink: &mut Sink) -> (OsDisk, Option<bool>) {
    let span = pool.span_of("os_disk");
    let wanted = match (read::int(pool, "os_disk_size"), image.os_disk()) {
        (Some(bytes), Some(least)) if bytes < least => {
            sink.push(diags::os_disk_below_image(bytes, least, pool.span_of("os_disk_size"), &image.0.name));
            None
        }
        _ => bounds::OS_DISK.read(pool, "os_disk_size", sink),
    };
    let disk = match read::text(pool, "os_disk") {
        Some("ephemeral") => match size.ephemeral() {
            None => {
                sink.push(diags::ephemeral_disk_impossible(size.name(), span, pool.span_of("size")));
                OsDisk::Managed("Premium_LRS", wanted)
            }
            Some((placement, space)) => {
                if let (Some(space), Some(need)) = (space, wanted.map(|size| size.get() * GIB).or(image.os_disk()))
                    && need > space
                {
                    sink.push(diags::ephemeral_disk_too_small(size.name(), space, need, span));
                }
                OsDisk::Ephemeral(placement)
            }
        },
        Some("standard_ssd") => OsDisk::Managed("StandardSSD_LRS", wanted),
        Some("standard_hdd") => OsDisk::Managed("Standard_LRS", wanted),
        _ if !size.premium() => {
            if read::written(pool, "os_disk") {
                sink.push(diags::premium_disk_impossible(size.name(), span));
            }
            OsDisk::Managed("StandardSSD_LRS", wanted)
        }
        _ => OsDisk::Managed("Premium_LRS", wanted),
    };
    let possible = image.generation() == Some(2) && size.trusted_launch() && image.trusted_launch() != Known::No;
    let launch = match read::text(pool, "security") {
        Some("standard") => false,
        Some("trusted_launch") => {
            if !possible {
                sink.push(diags::trusted_launch_impossible(image, size, pool.span_of("security")));
            }
            true
        }
        _ => possible,
    };
    let secure_boot = read::flag(pool, "secure_boot", !size.has_gpu());
    if !launch && read::written(pool, "secure_boot") && secure_boot {
        sink.push(diags::secure_boot_without_launch(pool.span_of("secure_boot")));
    }
    if launch && secure_boot && size.has_gpu() {
        sink.push(diags::secure_boot_with_gpu(size.name(), pool.span_of("secure_boot")));
    }
    (disk, launch.then_some(secure_boot))
}

/// How health is found out.
pub(crate) fn health<'a>(pool: &'a Block, setup: Option<SetupTime>, sink: &mut Sink) -> Health<'a> {
    let Some(block) = read::child(pool, BlockKind::Health) else {
        let grace = grace(None, None, setup, sink);
        let interval = bounds::HEALTH_INTERVAL.nearest(30);
        return Health { extension: true, custom: None, interval, threshold: 3, grace };
    };
    let extension = read::text(block, "source") != Some("load_balancer");
    let protocol = read::text(block, "protocol");
    let port = read::int(block, "port");
    let path = read::text(block, "path");
    let custom = match (protocol, port) {
        (Some(protocol), Some(port)) => {
            if protocol == "tcp" && path.is_some() {
                sink.push(diags::tcp_health_with_path(block.span_of("path")));
            } else if protocol != "tcp" && path.is_none() {
                sink.push(diags::http_health_without_path(block.span_of("protocol")));
            }
            Some((protocol, port, path))
        }
        (None, None) => None,
        _ => {
            sink.push(diags::half_a_health_check(block.span));
            None
        }
    };
    let written = bounds::HEALTH_GRACE.read(block, "grace", sink);
    Health {
        extension,
        custom,
        interval: bounds::HEALTH_INTERVAL
            .read(block, "interval", sink)
            .unwrap_or_else(|| bounds::HEALTH_INTERVAL.nearest(30)),
        threshold: read::int(block, "threshold").unwrap_or(3),
        grace: grace(Some(block), written, setup, sink),
    }
}

/// How long the setup of a new machine takes, where it is written.
pub(crate) fn setup_time(pool: &Block, sink: &mut Sink) -> Option<SetupTime> {
    let setup = read::child(pool, BlockKind::Setup)?;
    let takes = bounds::SETUP.read(setup, "takes", sink)?;
    Some(SetupTime { takes, span: setup.span_of("takes") })
}

/// What a new machine needs before it can work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SetupTime {
    pub(crate) takes: Seconds,
    pub(crate) span: Span,
}

/// The time that a new machine is left alone: as written, not below the time of its setup; 30 minutes when left out,
/// or longer when the setup takes longer.
fn grace(block: Option<&Block>, written: Option<Seconds>, setup: Option<SetupTime>, sink: &mut Sink) -> Seconds {
    match (written.zip(block), setup) {
        (Some((grace, block)), Some(setup)) => {
            if grace < setup.takes {
                sink.push(diags::grace_below_setup(grace, block.span_of("grace"), setup));
            }
            grace
        }
        (Some((grace, _)), None) => grace,
        (None, setup) => {
            let usual = bounds::REPAIR_GRACE.nearest(30 * MINUTE);
            setup.map_or(usual, |setup| setup.takes.max(usual))
        }
    }
}

/// Repairs: action and grace.
pub(crate) fn repair(pool: &Block, setup: Option<SetupTime>, sink: &mut Sink) -> Option<(&'static str, Seconds)> {
    let Some(block) = read::child(pool, BlockKind::Repair) else {
        return Some(("Replace", grace(None, None, setup, sink)));
    };
    if !read::flag(block, "enabled", true) {
        return None;
    }
    let action = match read::text(block, "action") {
        Some("reimage") => "Reimage",
        Some("restart") => "Restart",
        _ => "Replace",
    };
    let written = bounds::REPAIR_GRACE.read(block, "grace", sink);
    Some((action, grace(Some(block), written, setup, sink)))
}

/// Upgrades.
pub(crate) fn upgrade(pool: &Block, sink: &mut Sink) -> Upgrade {
    let usual = bounds::UPGRADE_SHARE.nearest(20);
    let pause = bounds::PAUSE.nearest(5 * MINUTE);
    let default = Upgrade { mode: "Rolling", batch: usual, unhealthy: usual, pause, os_images: false };
    let Some(block) = read::child(pool, BlockKind::Upgrade) else { return default };
    let mut percent = |field: &str| bounds::UPGRADE_SHARE.read(block, field, sink).unwrap_or(usual);
    let (batch, unhealthy) = (percent("batch"), percent("unhealthy"));
    Upgrade {
        mode: match read::text(block, "mode") {
            Some("manual") => "Manual",
            Some("automatic") => "Automatic",
            _ => "Rolling",
        },
        batch,
        unhealthy,
        pause: bounds::PAUSE.read(block, "pause", sink).unwrap_or(pause),
        os_images: read::flag(block, "os_images", false),
    }
}

/// Notice before a machine is deleted.
pub(crate) fn notice(pool: &Block, spot: bool, sink: &mut Sink) -> Option<Seconds> {
    let written = bounds::NOTICE.read(pool, "notice", sink);
    if spot {
        if written.is_some() {
            sink.push(diags::notice_on_spot(pool.span_of("notice")));
        }
        return None;
    }
    Some(written.unwrap_or_else(|| bounds::NOTICE.nearest(10 * MINUTE)))
}

/// Rules that need the whole pool.
pub(crate) fn check_pool(cx: Context<'_, '_>, pool: &Pool<'_>, sink: &mut Sink) {
    check_zones(cx, pool, sink);
    check_region(cx, pool, sink);
    check_shares(cx, pool, sink);
    let Some(network) = cx.networks.get(pool.network) else { return };
    if let Some(docker) = pool.image.docker_bridge()
        && let Some(range) = network.address.iter().find(|n| overlap(n, &docker)).filter(|_| network.existing.is_none())
    {
        let span = network.block.map_or(pool.block.span_of("network"), |(_, b)| b.span_of("address"));
        sink.push(diags::network_meets_docker(range, &docker, span, pool.block.span_of("image"), &pool.image.0.name));
    }
    let downloads = downloads(cx, pool);
    if network.outbound == Outbound::None
        && let Some(why) = downloads
    {
        let span = network.block.map_or(pool.block.span_of("network"), |(_, b)| b.span_of("outbound"));
        sink.push(diags::no_way_out(span, pool.block.name_span, why));
    }
    if network.outbound == Outbound::LoadBalancer && !pool.public {
        sink.push(diags::no_public_balancer(
            pool.block.span_of("public"),
            network.span().unwrap_or(pool.block.name_span),
        ));
    }
    if pool.serves(JUPYTERHUB) && !pool.image.serves("jupyterhub") && pool.setup.is_none() {
        sink.push(diags::image_without_jupyterhub(
            &pool.image.0.name,
            pool.block.span_of("serve"),
            pool.block.span_of("image"),
        ));
    }
}

/// Why a machine needs the internet when it starts.
fn downloads(cx: Context<'_, '_>, pool: &Pool<'_>) -> Option<&'static str> {
    let mut shares = pool.shares.iter().filter_map(|s| cx.shares.get(*s));
    if shares.any(|s| matches!((s.protocol, s.auth), (Protocol::Nfs, _) | (_, Auth::ManagedIdentity))) {
        Some("the mount helper of its shares is downloaded when a machine starts")
    } else if pool.entra_login {
        Some("log-in with Entra accounts asks login.microsoftonline.com")
    } else if pool.setup.is_some_and(|s| !read::items(s, "packages").is_empty()) {
        Some("its setup installs packages")
    } else {
        None
    }
}

fn project_location<'a>(cx: Context<'a, '_>) -> Option<&'a Value> {
    read::late(&cx.checked[cx.checked.project?], "location")
}

/// Machines are where their network is.
fn check_region(cx: Context<'_, '_>, pool: &Pool<'_>, sink: &mut Sink) {
    let Some(network) = cx.networks.get(pool.network) else { return };
    let name = |value: Option<&Value>| match value? {
        Value::Ref(id) => Some(cx.checked[*id].name.to_string()),
        Value::String(text) => Some(text.replace(' ', "").to_lowercase()),
        _ => None,
    };
    let here = name(read::late(pool.block, "location").or_else(|| project_location(cx)));
    let of_network = network.block.and_then(|(_, block)| read::late(block, "location"));
    // Where somebody else's network is, only its block can tell.
    let silent = network.existing.is_some() && of_network.is_none();
    let there = name(of_network.or_else(|| project_location(cx)));
    let (Some(here), Some(there)) = (here, there) else { return };
    if here != there && !silent {
        let written = if read::late(pool.block, "location").is_some() { "location" } else { "network" };
        sink.push(diags::pool_in_other_region(&here, &there, pool.block.span_of(written), network.span()));
    }
}

fn check_zones(cx: Context<'_, '_>, pool: &Pool<'_>, sink: &mut Sink) {
    let own = read::late(pool.block, "location");
    let Some(Value::Ref(region)) = own.or_else(|| project_location(cx)) else { return };
    let region = &cx.checked[*region];
    if !pool.zones.is_empty() && read::text(region, "zones") == Some("no") {
        sink.push(diags::region_without_zones(&region.name, pool.block.span_of("zones")));
    }
}

fn check_shares(cx: Context<'_, '_>, pool: &Pool<'_>, sink: &mut Sink) {
    let span = pool.block.span_of("shares");
    let shares: Vec<_> = pool.shares.iter().filter_map(|s| cx.shares.get(*s)).collect();
    for (index, share) in shares.iter().enumerate() {
        if share.auth == Auth::AccountKey {
            sink.push(super::batch::diags::key_in_interactive_pool(
                &share.block.name,
                span,
                share.block.span_of("auth"),
            ));
        }
        for other in shares.iter().take(index) {
            let inside = |a: &str, b: &str| a == b || a.strip_prefix(b).is_some_and(|rest| rest.starts_with('/'));
            if share.id == other.id {
                sink.push(diags::share_twice(&share.block.name, span));
            } else if inside(share.mount, other.mount) || inside(other.mount, share.mount) {
                sink.push(diags::mounts_overlap(
                    span,
                    share.mount,
                    share.block.span_of("mount"),
                    other.mount,
                    other.block.span_of("mount"),
                ));
            }
        }
        for (name, at) in accounts(pool) {
            let below = share.mount.strip_prefix("/home/").and_then(|rest| rest.strip_prefix(name));
            if below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
                sink.push(diags::mount_hides_home(share.mount, share.block.span_of("mount"), name, at));
            }
        }
        if share.auth == Auth::ManagedIdentity {
            // An image that is gone was told already.
            if pool.image.ubuntu().is_none() && pool.image.state() != "gone" {
                sink.push(diags::mount_by_identity_impossible(
                    &pool.image.0.name,
                    &share.block.name,
                    span,
                    pool.block.span_of("image"),
                ));
            }
            if read::text(pool.block, "jupyterhub_auth") == Some("domain") {
                sink.push(diags::mount_by_identity_in_domain(
                    &share.block.name,
                    span,
                    pool.block.span_of("jupyterhub_auth"),
                ));
            }
        }
    }
}

/// The accounts of a pool that have a home folder, and where they were written.
fn accounts<'a>(pool: &'a Pool<'_>) -> impl Iterator<Item = (&'a str, Span)> {
    let admin = read::as_text(&pool.admin.name).map(|name| (name, pool.admin.block.span_of("name")));
    admin.into_iter().chain(pool.users.iter().map(|user| (&*user.block.name, user.block.name_span)))
}
