//! What a pool serves, and to whom.

use super::diags;
use super::pool::Affinity;
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_sema::table::choices;
use dsvm_sema::table::pool as rows;
use dsvm_sema::table::schema::View;
use dsvm_sema::table::words::{OpenTo, ServiceName};
use dsvm_sema::value::Value;
use ipnet::{IpNet, Ipv6Net};
use std::net::Ipv6Addr;

/// A served port: a rule of the load balancer, a probe and a rule of the security group as one.
#[derive(Clone, Debug)]
pub struct Service<'a> {
    /// `ssh`, `jupyterhub`, `rdp`, or the name of a port block, or `port-8787`.
    pub name: String,
    /// TCP port, the same on balancer and machine.
    pub port: u16,
    /// Who may reach it.
    pub sources: Sources<'a>,
    /// Where it was written.
    pub span: Span,
}

/// Who may reach a service.
#[derive(Clone, Debug)]
pub enum Sources<'a> {
    /// The whole internet, and it was written so.
    Any,
    /// The pool's network only.
    Network,
    /// These ranges: known texts or deployment-time values.
    Ranges(Vec<&'a Value>),
}

/// Port on which machines take SSH.
pub const SSH: u16 = 22;
/// Port on which the images serve JupyterHub.
pub const JUPYTERHUB: u16 = 8000;
/// Port of Remote Desktop.
pub const RDP: u16 = 3389;

/// Name and port of a service; the checker lets no port outside of 1 to 65535 pass.
fn name_and_port(service: choices::Service) -> Option<(String, u16)> {
    match service {
        choices::Service::Named(name) => {
            let port = match name {
                ServiceName::Ssh => SSH,
                ServiceName::Jupyterhub => JUPYTERHUB,
                ServiceName::Rdp => RDP,
            };
            Some((name.word().to_owned(), port))
        }
        choices::Service::Port(port) => u16::try_from(port).ok().map(|port| (format!("port-{port}"), port)),
    }
}

/// Reads `serve` and `allow` of a pool.
pub(crate) fn read<'a>(pool: View<'a, rows::Pool>, sink: &mut Sink) -> Vec<Service<'a>> {
    let span = pool.fields().serve().span();
    let mut services: Vec<Service<'a>> = Vec::new();
    for service in pool.serve() {
        if let Some((name, port)) = name_and_port(service) {
            if services.iter().any(|s| s.port == port) {
                sink.push(diags::served_twice(name.strip_prefix("port-").unwrap_or(&name), span));
            } else {
                services.push(Service { name, port, sources: Sources::Network, span });
            }
        }
    }
    let mut allowed = vec![false; services.len()];
    let mut astray = false;
    let mut told = Vec::new();
    for allow in pool.allows() {
        let fields = allow.fields();
        let Some((name, port)) = allow.service().and_then(name_and_port) else { continue };
        let Some(index) = services.iter().position(|s| s.port == port) else {
            sink.push(diags::allowed_but_not_served(&name, fields.service().span(), span));
            astray = true;
            continue;
        };
        let Some(written) = allow.sources() else {
            mark(&mut allowed, index);
            continue;
        };
        let sources = match written.known() {
            Some(choices::Sources::Word(OpenTo::Any)) => Sources::Any,
            Some(choices::Sources::Word(OpenTo::Network)) => Sources::Network,
            Some(choices::Sources::Ranges(list)) if list.values().is_empty() => continue,
            Some(choices::Sources::Ranges(list)) => Sources::Ranges(list.values().iter().collect()),
            Some(choices::Sources::Range(_)) | None => Sources::Ranges(vec![written.value()]),
        };
        let everyone = match &sources {
            Sources::Any => true,
            Sources::Network => false,
            Sources::Ranges(list) => open_to_all(list),
        };
        if everyone && !matches!(sources, Sources::Any) {
            sink.push(diags::everyone_in_disguise(&name, fields.sources().span()));
            told.push(port);
        }
        let already = allowed.get(index).copied().unwrap_or(false);
        if let Some(service) = services.get_mut(index) {
            match (&mut service.sources, sources) {
                (Sources::Ranges(have), Sources::Ranges(more)) if already => have.extend(more),
                (slot, new) => *slot = new,
            }
            service.span = allow.block().span;
        }
        mark(&mut allowed, index);
    }
    // Each `allow` may leave a part out, and all together none.
    for service in &services {
        if let Sources::Ranges(list) = &service.sources
            && open_to_all(list)
            && !told.contains(&service.port)
        {
            sink.push(diags::everyone_together(&service.name, service.span));
        }
    }
    // Without a public address the internet does not get as far as the rules.
    if !pool.public() {
        for service in services.iter().filter(|service| from_internet(&service.sources)) {
            sink.push(diags::allowed_without_address(
                &service.name,
                pool.block(),
                service.span,
                pool.fields().public().span(),
            ));
        }
    }
    // Who was let in to something else was perhaps meant for what is closed now.
    if pool.public() && !astray {
        for (service, allowed) in services.iter().zip(&allowed) {
            if !allowed {
                sink.push(diags::served_to_nobody(&service.name, pool.block(), span));
            }
        }
    }
    services
}

/// Whether ranges that are known leave nobody out who matters: together they contain half of all IPv4 addresses, or half
/// of the IPv6 addresses that are given out (2000::/3, <https://www.iana.org/assignments/ipv6-address-space>).
pub(crate) fn open_to_all(ranges: &[&Value]) -> bool {
    let nets = || ranges.iter().filter_map(|value| if let Value::Cidr(net) = value { Some(*net) } else { None });
    // Nearly all lists are too small, overlaps counted twice or not.
    if nets().all(|net| matches!(net, IpNet::V4(_)) && net.prefix_len() > 6) && ranges.len() < 32 {
        return false;
    }
    let nets: Vec<IpNet> = nets().collect();
    let global = IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3));
    let (mut v4, mut v6) = (0u64, 0u128);
    for net in IpNet::aggregate(&nets) {
        match net {
            IpNet::V4(net) => v4 += 1u64 << (32 - u32::from(net.prefix_len())),
            IpNet::V6(_) if net.contains(&global) => return true,
            IpNet::V6(net) if global.contains(&IpNet::V6(net)) => v6 += 1u128 << (128 - u32::from(net.prefix_len())),
            IpNet::V6(_) => {}
        }
    }
    v4 >= 1 << 31 || v6 >= 1 << 124
}

/// The same for address ranges and service tags in ARM's own words; what is neither is left out.
#[must_use]
pub fn texts_open_to_all(prefixes: &[&str]) -> bool {
    let ranges: Vec<Value> = prefixes.iter().filter_map(|text| text.parse().ok().map(Value::Cidr)).collect();
    open_to_all(&ranges.iter().collect::<Vec<_>>())
}

/// Whether only the internet can be meant: everybody, or ranges that are known and all public.
fn from_internet(sources: &Sources<'_>) -> bool {
    match sources {
        Sources::Any => true,
        Sources::Network => false,
        Sources::Ranges(list) => list.iter().all(|value| matches!(value, Value::Cidr(net) if !may_be_private(net))),
    }
}

/// Whether a range has addresses that private networks use: RFC 1918, RFC 6598 and RFC 4193.
fn may_be_private(net: &IpNet) -> bool {
    const PRIVATE: [&str; 5] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"];
    let private = PRIVATE.iter().filter_map(|text| text.parse::<IpNet>().ok());
    private.into_iter().any(|private| private.contains(net) || net.contains(&private))
}

fn mark(allowed: &mut [bool], index: usize) {
    if let Some(slot) = allowed.get_mut(index) {
        *slot = true;
    }
}

/// Which services let people in with a Unix password.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passwords {
    /// The administrator has a password that Azure sets.
    pub(crate) ssh: bool,
    /// JupyterHub asks PAM, and some account has a password.
    pub(crate) jupyterhub: bool,
}

/// Rules on the services of a pool as a whole.
pub(crate) fn check(
    pool: View<'_, rows::Pool>,
    services: &[Service<'_>],
    affinity: Affinity,
    passwords: Passwords,
    sink: &mut Sink,
) {
    for service in services {
        if matches!(service.sources, Sources::Any) {
            match service.port {
                SSH if passwords.ssh => sink.push(diags::password_open_to_internet("ssh", service.span, pool.block())),
                JUPYTERHUB if passwords.jupyterhub => {
                    sink.push(diags::password_open_to_internet("jupyterhub", service.span, pool.block()));
                }
                RDP => sink.push(diags::password_open_to_internet("rdp", service.span, pool.block())),
                _ => {}
            }
        }
        if service.port == JUPYTERHUB && affinity == Affinity::None {
            sink.push(diags::jupyterhub_without_affinity(pool.fields().affinity().span()));
        }
    }
}
