//! Who reaches a pool over the network.

use super::raw;
use crate::subject::{Look, found};
use dsvm_diagnostics::Diagnostic;
use dsvm_model::pool::{Affinity, Pool};
use dsvm_model::services::{JUPYTERHUB, RDP, SSH, Service, Sources};
use dsvm_sema::table::words::Outbound;
use dsvm_sema::value::Value;
use ipnet::IpNet;

/// Ports behind which is control of a machine, or data without a log-in of its own: names of services as registered with
/// IANA, and the default ports of software that data scientists start.
const SENSITIVE: &[(u16, &str)] = &[
    (SSH, "SSH"),
    (445, "SMB"),
    (1433, "SQL Server"),
    (2049, "NFS"),
    (2375, "the Docker daemon"),
    (3306, "MySQL"),
    (RDP, "Remote Desktop"),
    (4040, "the Spark console"),
    (5432, "PostgreSQL"),
    (5900, "VNC"),
    (5985, "Windows remote management"),
    (5986, "Windows remote management"),
    (6006, "TensorBoard"),
    (6379, "Redis"),
    (JUPYTERHUB, "JupyterHub"),
    (8265, "the Ray dashboard"),
    (8787, "RStudio Server"),
    (8888, "Jupyter"),
    (9200, "Elasticsearch"),
    (27017, "MongoDB"),
];

fn sensitive(port: u16) -> Option<&'static str> {
    SENSITIVE.iter().find(|(known, _)| *known == port).map(|(_, name)| *name)
}

/// Services that the whole internet reaches. A pool without a public address has none.
fn open<'p, 'a>(look: &Look<'p, 'a>) -> impl Iterator<Item = (&'p Pool<'a>, &'p Service<'a>)> {
    look.pools().filter(|pool| pool.public).flat_map(|pool| {
        let open = pool.services.iter().filter(|service| matches!(service.sources, Sources::Any));
        open.map(move |service| (pool, service))
    })
}

pub(crate) fn open_to_internet(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for rule in raw::open_rules(look).iter().filter(|rule| sensitive_in(rule).is_none() && !rule.includes(RDP)) {
        out.push(
            found("this rule lets the whole internet in", rule.span, "everybody can connect")
                .help("name the ranges that people come from in `sourceAddressPrefixes`"),
        );
    }
    for (pool, service) in open(look).filter(|(_, service)| sensitive(service.port).is_none()) {
        out.push(
            found(
                format!("`{}` of `{}` is open to the whole internet", service.name, pool.block.name),
                service.span,
                "everybody can connect",
            )
            .help("name the ranges that people come from, or set `public = false` and let them in through the network"),
        );
    }
}

/// Remote Desktop open to all is an error of the compiler, also in ARM's own words.
fn sensitive_in(rule: &raw::OpenRule) -> Option<&'static str> {
    let mut inside = SENSITIVE.iter().filter(|(port, _)| rule.includes(*port));
    inside.next().map(|(_, name)| *name).filter(|_| !rule.includes(RDP))
}

pub(crate) fn sensitive_port_open(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for rule in raw::open_rules(look) {
        let Some(what) = sensitive_in(&rule) else { continue };
        out.push(
            found(
                format!("this rule opens {what} to the whole internet"),
                rule.span,
                "scanned for weak log-ins all day",
            )
            .help("name the ranges that people come from in `sourceAddressPrefixes`"),
        );
    }
    for (pool, service) in open(look) {
        let Some(what) = sensitive(service.port) else { continue };
        out.push(
            found(
                format!("{what} of `{}` is open to the whole internet", pool.block.name),
                service.span,
                "scanned for weak log-ins all day",
            )
            .help("name the ranges that people come from, or set `public = false` and let them in through the network"),
        );
    }
}

/// The known ranges of a service.
fn ranges<'a>(service: &Service<'a>) -> Option<Vec<&'a IpNet>> {
    let Sources::Ranges(list) = &service.sources else { return None };
    list.iter().map(|value| if let Value::Cidr(net) = value { Some(net) } else { None }).collect()
}

/// Whether a range belongs to networks that are not on the internet: RFC 1918, RFC 6598, RFC 4193.
fn private(net: &IpNet) -> bool {
    const PRIVATE: [&str; 5] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"];
    PRIVATE.iter().filter_map(|text| text.parse::<IpNet>().ok()).any(|private| private.contains(net))
}

pub(crate) fn open_range_wide(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let (v4, v6) = (look.options.number("shortest"), look.options.number("shortest-ipv6"));
    for pool in look.pools().filter(|pool| pool.public) {
        for service in &pool.services {
            let Sources::Ranges(list) = &service.sources else { continue };
            let nets = list.iter().filter_map(|value| if let Value::Cidr(net) = value { Some(net) } else { None });
            let wide = nets.filter(|net| !private(net)).find(|net| match net {
                IpNet::V4(net) => i64::from(net.prefix_len()) < v4,
                IpNet::V6(net) => i64::from(net.prefix_len()) < v6,
            });
            if let Some(net) = wide {
                out.push(
                    found(
                        format!("`{}` of `{}` is open to `{net}`", service.name, pool.block.name),
                        service.span,
                        "more addresses than one organisation has",
                    )
                    .help("name the ranges of your own offices and VPN"),
                );
            }
        }
    }
}

/// With affinity by address, all who come from one address are on one machine: machines beyond the number of addresses are
/// never used.
pub(crate) fn affinity_by_address(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for pool in look.pools() {
        let by_address = match pool.affinity {
            Affinity::ClientIp | Affinity::ClientIpProtocol => true,
            Affinity::None => false,
        };
        let Some(most) = pool.machines.most().filter(|most| by_address && *most > 1) else { continue };
        let all: Option<Vec<Vec<&IpNet>>> = pool.services.iter().map(ranges).collect();
        let Some(nets) = all.map(|all| all.into_iter().flatten().copied().collect::<Vec<IpNet>>()) else { continue };
        let addresses: u128 = IpNet::aggregate(&nets)
            .iter()
            .map(|net| 1u128.checked_shl(u32::from(net.max_prefix_len() - net.prefix_len())).unwrap_or(u128::MAX))
            .fold(0, u128::saturating_add);
        if pool.services.is_empty() || addresses == 0 || addresses >= most.unsigned_abs().into() {
            continue;
        }
        let from = if addresses == 1 { "one address".to_owned() } else { format!("{addresses} addresses") };
        let at = pool.services.first().map_or(pool.block.name_span, |service| service.span);
        out.push(
            found(format!("everybody reaches `{}` from {from}", pool.block.name), at, "who shares an address shares a machine")
                .also(pool.machines.span, format!("of {most} machines, at most {addresses} get users"))
                .help("if SSH is all that is served, set `affinity = none`; else let people in with addresses of their own, such as those of a VPN or of the network"),
        );
    }
}

pub(crate) fn lb_outbound_ports(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for network in &look.fleet.networks {
        if network.outbound != Outbound::LoadBalancer || network.existing.is_some() {
            continue;
        }
        let Some(view) = network.view else { continue };
        out.push(
            found(
                format!("machines of `{}` share the outbound ports of load balancers", view.block().name),
                view.fields().outbound().span(),
                "few ports for each machine",
            )
            .note("each machine gets a fixed part of the ports of the public address; downloads fail when it has used them")
            .help("leave `outbound` out: a NAT gateway hands out ports as they are needed"),
        );
    }
}

pub(crate) fn single_dns_server(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for network in &look.fleet.networks {
        let (Some(view), [only]) = (network.view, network.dns.as_slice()) else { continue };
        if network.existing.is_some() {
            continue;
        }
        out.push(
            found(
                format!("`{}` has one DNS server", view.block().name),
                view.fields().dns().span(),
                format!("without {only} no name is resolved"),
            )
            .help("name a second server; or leave `dns` out to use Azure's own"),
        );
    }
}
