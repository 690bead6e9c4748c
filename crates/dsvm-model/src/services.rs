//! What a pool serves, and to whom.

use super::pool::Affinity;
use super::{Context, diags, read};
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_sema::checked::Block;
use dsvm_sema::table::BlockKind;
use dsvm_sema::value::Value;

/// A served port: a rule of the load balancer, a probe and a rule of the security group as one.
#[derive(Clone, Debug)]
pub struct Service<'a> {
    /// `ssh`, `jupyterhub`, `rdp`, or the name of a port block, or `port-8787`.
    pub name: String,
    /// Its TCP port.
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

/// Port of SSH.
pub const SSH: u16 = 22;
/// Port of JupyterHub.
pub const JUPYTERHUB: u16 = 8000;
/// Port of Remote Desktop.
pub const RDP: u16 = 3389;

fn name_and_port(cx: Context<'_, '_>, value: &Value) -> Option<(String, u16)> {
    match value {
        Value::String(word) => match word.as_ref() {
            "ssh" => Some(("ssh".into(), SSH)),
            "jupyterhub" => Some(("jupyterhub".into(), JUPYTERHUB)),
            "rdp" => Some(("rdp".into(), RDP)),
            _ => None,
        },
        Value::Int(port) => u16::try_from(*port).ok().map(|p| (format!("port-{p}"), p)),
        Value::Ref(id) => {
            let block = &cx.checked[*id];
            let port = u16::try_from(read::int(block, "number")?).ok()?;
            let name = match port {
                SSH => "ssh".into(),
                JUPYTERHUB => "jupyterhub".into(),
                RDP => "rdp".into(),
                _ => read::dashed(&block.name),
            };
            Some((name, port))
        }
        _ => None,
    }
}

/// Reads `serve` and `allow` of a pool.
pub(crate) fn read<'a>(cx: Context<'a, '_>, pool: &'a Block, public: bool, sink: &mut Sink) -> Vec<Service<'a>> {
    let span = pool.span_of("serve");
    let mut services: Vec<Service<'a>> = Vec::new();
    for value in read::items(pool, "serve") {
        if let Some((name, port)) = name_and_port(cx, value) {
            if services.iter().any(|s| s.port == port) {
                sink.push(diags::served_twice(name.strip_prefix("port-").unwrap_or(&name), span));
            } else {
                services.push(Service { name, port, sources: Sources::Network, span });
            }
        }
    }
    let mut allowed = vec![false; services.len()];
    let mut astray = false;
    for child in pool.children(BlockKind::Allow) {
        let Some((name, port)) = child.get("service").and_then(|v| name_and_port(cx, v)) else { continue };
        let Some(index) = services.iter().position(|s| s.port == port) else {
            sink.push(diags::allowed_but_not_served(&name, child.span_of("service"), span));
            astray = true;
            continue;
        };
        let sources = match child.get("sources") {
            Some(Value::String(word)) if word.as_ref() == "any" => Sources::Any,
            Some(Value::String(word)) if word.as_ref() == "network" => Sources::Network,
            Some(Value::List(list)) if list.is_empty() => continue,
            Some(Value::List(list)) => Sources::Ranges(list.iter().collect()),
            Some(Value::Error) | None => {
                mark(&mut allowed, index);
                continue;
            }
            Some(single) => Sources::Ranges(vec![single]),
        };
        let everyone = match &sources {
            Sources::Any => true,
            Sources::Network => false,
            Sources::Ranges(list) => list.iter().any(|v| matches!(v, Value::Cidr(net) if net.prefix_len() == 0)),
        };
        if everyone && !matches!(sources, Sources::Any) {
            sink.push(diags::everyone_in_disguise(&name, child.span_of("sources")));
        }
        let already = allowed.get(index).copied().unwrap_or(false);
        if let Some(service) = services.get_mut(index) {
            match (&mut service.sources, sources) {
                (Sources::Ranges(have), Sources::Ranges(more)) if already => have.extend(more),
                (slot, new) => *slot = new,
            }
            service.span = child.span;
        }
        mark(&mut allowed, index);
    }
    // Who was let in to something else was perhaps meant for what is closed now.
    if public && !astray {
        for (service, allowed) in services.iter().zip(&allowed) {
            if !allowed {
                sink.push(diags::served_to_nobody(&service.name, pool, span));
            }
        }
    }
    services
}

fn mark(allowed: &mut [bool], index: usize) {
    if let Some(slot) = allowed.get_mut(index) {
        *slot = true;
    }
}

/// Rules on the services of a pool as a whole.
pub(crate) fn check(pool: &Block, services: &[Service<'_>], affinity: Affinity, password_ssh: bool, sink: &mut Sink) {
    for service in services {
        if matches!(service.sources, Sources::Any) {
            match service.port {
                SSH if password_ssh => sink.push(diags::password_open_to_internet("ssh", service.span, pool)),
                RDP => sink.push(diags::password_open_to_internet("rdp", service.span, pool)),
                _ => {}
            }
        }
        if service.port == JUPYTERHUB && affinity == Affinity::None {
            sink.push(diags::jupyterhub_without_affinity(pool));
        }
    }
}
