//! Health of machines. Nothing is probed: a machine is healthy until `POST /_local/machines` says otherwise.
//!
//! What watches a machine, and what its states mean to a rolling upgrade:
//! <https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-health-extension>.

use serde_json::{Value, json};

use crate::documents::Row;
use crate::types::instances::model;
use crate::value::set;

/// What the watcher of a machine reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Healthy,
    Unhealthy,
    /// Counts as unhealthy. Rich health states only.
    Unknown,
    /// A rolling upgrade waits. Rich health states only.
    Initializing,
}

const STATES: &[(&str, Health)] = &[
    ("Healthy", Health::Healthy),
    ("Unhealthy", Health::Unhealthy),
    ("Unknown", Health::Unknown),
    ("Initializing", Health::Initializing),
];

impl Health {
    /// The state of a name, in any case.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        STATES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, state)| *state)
    }

    /// The name that Azure's documents use.
    #[must_use]
    pub fn name(self) -> &'static str {
        STATES.iter().find(|(_, state)| *state == self).map_or("Healthy", |(name, _)| *name)
    }

    /// Whether the state exists where health is binary: version 1.0 of the extension, and probes.
    #[must_use]
    pub fn is_binary(self) -> bool {
        matches!(self, Self::Healthy | Self::Unhealthy)
    }
}

/// What reports the health of machines with a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watcher {
    /// The application health extension of version 2 with its rich health states.
    Rich,
    /// An older application health extension, or a probe of a load balancer.
    Binary,
}

/// What watches machines with a `virtualMachineProfile`; `None`: nothing, and they show no health.
#[must_use]
pub fn watcher(profile: &Value) -> Option<Watcher> {
    let extensions = profile.pointer("/extensionProfile/extensions").and_then(Value::as_array);
    let text = |extension: &Value, name: &str| {
        extension.pointer(&format!("/properties/{name}")).and_then(Value::as_str).unwrap_or_default().to_lowercase()
    };
    let own = extensions.into_iter().flatten().find(|extension| {
        text(extension, "publisher") == "microsoft.managedservices"
            && text(extension, "type").starts_with("applicationhealth")
    });
    if let Some(extension) = own {
        let rich = !text(extension, "typeHandlerVersion").starts_with("1.");
        return Some(if rich { Watcher::Rich } else { Watcher::Binary });
    }
    profile.pointer("/networkProfile/healthProbe/id").is_some_and(Value::is_string).then_some(Watcher::Binary)
}

/// What watches a machine of a set.
#[must_use]
pub fn watcher_of(set_row: &Row, vm: &Row) -> Option<Watcher> {
    watcher(model::get(set_row, model::of_machine(vm)).get("profile")?)
}

/// The health that a machine of a set shows; `None` when nothing watches it, or it does not run.
#[must_use]
pub fn of(set_row: &Row, vm: &Row) -> Option<Health> {
    let running = vm.hidden.get("power").and_then(Value::as_str).is_none_or(|power| power == "running");
    watcher_of(set_row, vm).filter(|_| running)?;
    let said = vm.hidden.get("health").and_then(Value::as_str).and_then(Health::named);
    Some(said.unwrap_or(Health::Healthy))
}

/// Whether a rolling upgrade counts a machine as unhealthy: what it reports, or that it failed.
#[must_use]
pub fn is_unhealthy(set_row: &Row, vm: &Row) -> bool {
    let failed = vm.text("/properties/provisioningState") == Some("Failed");
    failed || matches!(of(set_row, vm), Some(Health::Unhealthy | Health::Unknown))
}

/// Sets what a machine reports from now on, or (`upgraded`) from the next model that it gets on.
pub fn say(hidden: &mut Value, health: Health, upgraded: bool) {
    if !hidden.is_object() {
        *hidden = json!({});
    }
    set(hidden, if upgraded { "/healthNext" } else { "/health" }, json!(health.name()));
}

/// A machine got another model, or (`fresh`) a new OS disk, which is healthy: what was announced for this moment holds now.
pub fn changed(set_row: &Row, vm: &mut Row, fresh: bool) {
    let next = [&vm.hidden, &set_row.hidden].into_iter().find_map(|hidden| hidden.get("healthNext").cloned());
    match next {
        Some(next) => set(&mut vm.hidden, "/health", next),
        None if fresh => set(&mut vm.hidden, "/health", Value::Null),
        None => {}
    }
}

/// `vmHealth` of an instance view. The codes are those of the service; of its words only those for *Unknown* are documented.
#[must_use]
pub fn shown(health: Health, time: &str) -> Value {
    let (code, level) = match health {
        Health::Healthy => ("healthy", "Info"),
        Health::Unhealthy => ("unhealthy", "Error"),
        Health::Unknown => ("unknown", "Warning"),
        Health::Initializing => ("initializing", "Info"),
    };
    let words = format!("The VM health is {code}");
    json!({ "status": { "code": format!("HealthState/{code}"), "level": level, "displayStatus": words, "time": time } })
}
