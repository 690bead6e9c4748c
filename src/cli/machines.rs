//! What `status` shows of the machines of each pool.

use super::Context;
use crate::deploy::machines;
use crate::deploy::plan::Planned;
use crate::deploy::session::Session;
use crate::render::plan::clean;
use arm_apply::rollout::{Machine, Pool};
use dsvm_diagnostics::count;

/// Machines shown of one pool in the text; the JSON form has all.
const SHOWN: usize = 50;

/// Reads the pools of a project. When they cannot be read, a note says so and there are none.
pub fn of(session: &Session, planned: &Planned, cx: &mut Context) -> Vec<Pool> {
    match machines::look(session, &machines::pools_of(&planned.observed)) {
        Ok(pools) => pools,
        Err(error) => {
            cx.printer.note(&format!("note: the machines cannot be read: {}\n", clean(&error.to_string())));
            Vec::new()
        }
    }
}

/// A heading for each pool and a line for each of its machines; those that need attention come first when there are many.
#[must_use]
pub fn text(pools: &[Pool]) -> String {
    let mut text = String::new();
    for pool in pools {
        let behind = pool.machines.iter().filter(|machine| machine.latest == Some(false)).count();
        let behind = if behind == 0 { String::new() } else { format!(", {behind} without the latest model") };
        text.push_str(&format!("  pool `{}`: {}{behind}\n", clean(&pool.name), count(pool.machines.len(), "machine")));
        let mut machines: Vec<&Machine> = pool.machines.iter().collect();
        if machines.len() > SHOWN {
            machines.sort_by_key(|machine| (!machine.is_unhealthy(), machine.latest != Some(false)));
        }
        for machine in machines.iter().take(SHOWN) {
            text.push_str(&format!("    {}\n", line(machine)));
        }
        if machines.len() > SHOWN {
            text.push_str(&format!("    … and {} more\n", machines.len() - SHOWN));
        }
    }
    text
}

fn line(machine: &Machine) -> String {
    let mut parts =
        vec![if machine.power.is_empty() { machine.provisioning.to_lowercase() } else { machine.power.clone() }];
    if machine.is_busy() && !machine.provisioning.eq_ignore_ascii_case("Succeeded") {
        parts.push(machine.provisioning.to_lowercase());
    }
    parts.extend(machine.health.clone());
    parts.push(
        match machine.latest {
            Some(true) => "latest model",
            Some(false) => "earlier model",
            None => "model not reported",
        }
        .to_owned(),
    );
    if let Some(version) = machine.setup.as_ref().and_then(|setup| setup.version.as_ref()) {
        parts.push(format!("version {version}"));
    }
    if machine.protected {
        parts.push("protected from upgrades".to_owned());
    }
    if machine.is_failed() {
        parts.push(machine.complaint());
    }
    format!("`{}`: {}", clean(&machine.name), clean(&parts.join(", ")))
}
