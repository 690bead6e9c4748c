//! The interactive pool: derived defaults filled in, held against the rules that need more than one part of it.

use super::autoscale::{self, Autoscale};
use super::facts::{Image, Size};
use super::login::{self, Admin, User};
use super::services::{self, Service};
use super::share::Auth;
use super::{Context, Machines, diags, hardware, read, scaling};
use crate::units::{MINUTE, Seconds, WholeGib, WholeMinutes, WholePercent, bounds};
use dsvm_diagnostics::Sink;
use dsvm_sema::checked::Block;
use dsvm_sema::table::BlockKind;
use dsvm_sema::value::{BlockId, Value};

/// An interactive pool.
#[derive(Clone, Debug)]
pub struct Pool<'a> {
    /// Its block.
    pub id: BlockId,
    /// Its block.
    pub block: &'a Block,
    /// What the machines run.
    pub image: Image<'a>,
    /// Their hardware.
    pub size: Size<'a>,
    /// How many.
    pub machines: Machines,
    /// Kind of scale set.
    pub orchestration: Orchestration,
    /// More than 100 machines may be needed: no single placement group (uniform).
    pub large: bool,
    /// Index of its network.
    pub network: usize,
    /// Index of its subnet.
    pub subnet: usize,
    /// The administrator.
    pub admin: Admin<'a>,
    /// Other accounts.
    pub users: Vec<User<'a>>,
    /// Indexes of its shares.
    pub shares: Vec<usize>,
    /// What it serves.
    pub services: Vec<Service<'a>>,
    /// Reachable from the internet.
    pub public: bool,
    /// Whether users come back to the same machine.
    pub affinity: Affinity,
    /// How long the load balancer keeps silent connections.
    pub idle_timeout: WholeMinutes,
    /// Spot terms; `None` for regular machines.
    pub spot: Option<Spot<'a>>,
    /// Availability zones.
    pub zones: Vec<i64>,
    /// System disk.
    pub os_disk: OsDisk,
    /// Trusted Launch, with Secure Boot or without.
    pub trusted_launch: Option<bool>,
    /// Encryption at host.
    pub encryption_at_host: bool,
    /// Accelerated networking.
    pub accelerated_networking: bool,
    /// User-assigned identity.
    pub identity: PoolIdentity,
    /// Vault that machines read passwords from.
    pub vault: Option<usize>,
    /// Entra log-in.
    pub entra_login: bool,
    /// Policy.
    pub autoscale: Option<Autoscale<'a>>,
    /// Health.
    pub health: Health<'a>,
    /// Repairs: action and grace.
    pub repair: Option<(&'static str, Seconds)>,
    /// Upgrades.
    pub upgrade: Upgrade,
    /// Notice before a machine is deleted.
    pub notice: Option<Seconds>,
    /// Order of scaling in.
    pub scale_in: &'static str,
    /// Console log of the boot.
    pub boot_diagnostics: bool,
    /// Setup.
    pub setup: Option<&'a Block>,
}

/// Kind of scale set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orchestration {
    /// Identical machines managed as one.
    Uniform,
    /// Machines that are virtual machines of their own.
    Flexible,
}

/// Whether users come back to the same machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Affinity {
    /// By client address.
    ClientIp,
    /// By client address and protocol.
    ClientIpProtocol,
    /// No.
    None,
}

/// Terms of spot machines.
#[derive(Clone, Debug)]
pub struct Spot<'a> {
    /// Most to pay.
    pub max_price: Option<&'a Value>,
    /// Delete evicted machines (else deallocate).
    pub delete: bool,
    /// How long Azure tries to bring evicted machines back.
    pub restore: Option<Seconds>,
}

/// System disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OsDisk {
    /// A managed disk of this SKU, with a size if written.
    Managed(&'static str, Option<WholeGib>),
    /// On the host, at this placement.
    Ephemeral(&'static str),
}

/// Who the machines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolIdentity {
    /// Nobody.
    None,
    /// An identity of the pool's own.
    Own,
    /// A declared one, by index.
    Declared(usize),
}

/// How health is found out.
#[derive(Clone, Debug)]
pub struct Health<'a> {
    /// By the extension (else by the load balancer's probe).
    pub extension: bool,
    /// `tcp`, `http`, `https` and port and path; `None` for dsvmc's own check.
    pub custom: Option<(&'a str, i64, Option<&'a str>)>,
    /// Time between two questions.
    pub interval: Seconds,
    /// Answers in a row that change the verdict.
    pub threshold: i64,
    /// Time that a new machine has.
    pub grace: Seconds,
}

/// How running machines change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// `Rolling`, `Manual`, `Automatic`
    pub mode: &'static str,
    /// Machines changed at once.
    pub batch: WholePercent,
    /// Unhealthy machines before it stops.
    pub unhealthy: WholePercent,
    /// Rest between batches.
    pub pause: Seconds,
    /// Follow new versions of the image.
    pub os_images: bool,
}

impl<'a> Pool<'a> {
    /// Reads and checks a pool; `None` when a part that everything hangs on was refused.
    pub(crate) fn read(cx: Context<'a, '_>, id: BlockId, block: &'a Block, sink: &mut Sink) -> Option<Self> {
        if block.class.as_deref() != Some("interactive") {
            return None;
        }
        let image = Image(read::referred(cx.checked, block, "image")?.1);
        let size = Size(read::referred(cx.checked, block, "size")?.1);
        hardware::check_image_and_size(cx, block, image, size, sink);
        let machines = Machines::read(block, "machines")?;
        let (network, subnet) = find_subnet(cx, block, sink);
        let admin = login::admin(block, image.windows(), sink);
        let users = login::users(block, admin.as_ref(), sink);
        let public = read::flag(block, "public", true);
        let services = services::read(cx, block, public, sink);
        let affinity = match read::text(block, "affinity") {
            Some("none") => Affinity::None,
            Some("client_ip_protocol") => Affinity::ClientIpProtocol,
            _ => Affinity::ClientIp,
        };
        let password_ssh = admin.as_ref().is_some_and(|a| a.password.is_some());
        services::check(block, &services, affinity, password_ssh, sink);
        login::check(block, admin.as_ref(), &users, &services, sink);
        let shares: Vec<usize> = read::items(block, "shares")
            .iter()
            .filter_map(|v| match v {
                Value::Ref(share) => cx.places.shares.get(share).copied(),
                _ => None,
            })
            .collect();
        let setup = hardware::setup_time(block, sink);
        // A number of machines that contradicts itself says nothing about what moves it.
        let autoscale = match scaling::check_range(&machines, sink) {
            true => autoscale::read(cx, block, &machines, setup, sink),
            false => None,
        };
        let spot = hardware::spot(block, size, autoscale.is_some(), sink);
        let health = hardware::health(block, setup, sink);
        let entra_login = read::flag(block, "entra_login", false);
        let (orchestration, large) = scaling::orchestration(cx, block, image, size, &machines, sink);
        let (os_disk, trusted_launch) = hardware::disk_and_boot(block, image, size, sink);
        let vault = read::reference(block, "vault").and_then(|v| cx.places.vaults.get(&v).copied());
        let needs_identity = vault.is_some()
            || shares
                .iter()
                .filter_map(|s| cx.shares.get(*s))
                .any(|s| matches!(s.auth, Auth::ManagedIdentity | Auth::KeyVault));
        let identity = match read::reference(block, "identity").and_then(|i| cx.places.identities.get(&i).copied()) {
            Some(index) => PoolIdentity::Declared(index),
            None if needs_identity => PoolIdentity::Own,
            None => PoolIdentity::None,
        };
        let pool = Self {
            id,
            block,
            image,
            size,
            orchestration,
            large,
            network,
            subnet,
            admin: admin?,
            users,
            shares,
            services,
            public,
            affinity,
            idle_timeout: bounds::IDLE_TIMEOUT
                .read(block, "idle_timeout", sink)
                .unwrap_or_else(|| bounds::IDLE_TIMEOUT.nearest(30 * MINUTE)),
            zones: zones(block, sink),
            os_disk,
            trusted_launch,
            encryption_at_host: read::flag(block, "encryption_at_host", true),
            accelerated_networking: read::flag(block, "accelerated_networking", size.accelerated_networking() != "no"),
            identity,
            vault,
            entra_login,
            repair: hardware::repair(block, setup, sink),
            upgrade: hardware::upgrade(block, sink),
            notice: hardware::notice(block, spot.is_some(), sink),
            scale_in: match read::text(block, "scale_in") {
                Some("oldest") => "OldestVM",
                Some("newest") => "NewestVM",
                _ => "Default",
            },
            boot_diagnostics: read::flag(block, "boot_diagnostics", true),
            setup: read::child(block, BlockKind::Setup),
            machines,
            spot,
            autoscale,
            health,
        };
        hardware::check_pool(cx, &pool, sink);
        Some(pool)
    }

    /// Its name with `-` for `_`.
    #[must_use]
    pub fn dashed(&self) -> String {
        read::dashed(&self.block.name)
    }

    /// Whether it serves a port.
    #[must_use]
    pub fn serves(&self, port: u16) -> bool {
        self.services.iter().any(|s| s.port == port)
    }
}

pub(crate) fn find_subnet(cx: Context<'_, '_>, block: &Block, sink: &mut Sink) -> (usize, usize) {
    let network = read::reference(block, "network")
        .and_then(|id| cx.places.networks.get(&id).copied())
        .unwrap_or(cx.places.generated);
    let Some(key) = read::text(block, "subnet") else { return (network, 0) };
    let subnets = cx.networks.get(network).map_or(&[][..], |n| n.subnets.as_slice());
    match subnets.iter().position(|s| s.key == key) {
        Some(subnet) => (network, subnet),
        None => {
            let known: Vec<&str> = subnets.iter().map(|s| s.key).collect();
            sink.push(diags::unknown_subnet(key, block.span_of("subnet"), &known));
            (network, 0)
        }
    }
}

fn zones(block: &Block, sink: &mut Sink) -> Vec<i64> {
    let mut zones: Vec<i64> = Vec::new();
    for zone in read::items(block, "zones").iter().filter_map(read::as_int) {
        match zones.contains(&zone) {
            true => sink.push(diags::zone_twice(zone, block.span_of("zones"))),
            false => zones.push(zone),
        }
    }
    zones
}
