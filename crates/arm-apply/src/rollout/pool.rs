//! A pool: its scale set with the upgrade policy, and its machines.

use super::machine::Machine;
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;

/// How a changed model reaches the machines of a scale set.
/// <https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-upgrade-policy>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UpgradeMode {
    /// Nothing happens to running machines until somebody upgrades them.
    Manual,
    /// Azure upgrades all machines, perhaps at the same time.
    Automatic,
    /// Azure upgrades batch after batch.
    Rolling,
}

/// A scale set and its machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pool {
    /// Full ARM id of the scale set.
    pub id: String,
    /// Name of the scale set.
    pub name: String,
    /// How a changed model reaches its machines.
    pub mode: UpgradeMode,
    /// Whether its machines are virtual machines of their own.
    pub flexible: bool,
    /// Its machines, in the order of the service.
    pub machines: Vec<Machine>,
    /// Most machines at once, in percent of all; `None` where the policy does not say.
    #[serde(skip)]
    pub batch: Option<u64>,
    /// Time between two batches.
    #[serde(skip)]
    pub pause: Duration,
    /// The upgrade policy as the service shows it.
    #[serde(skip)]
    pub policy: Value,
}

/// Whether machines of a scale set are virtual machines of their own.
#[must_use]
pub fn is_flexible(set: &Value) -> bool {
    let mode = set.pointer("/properties/orchestrationMode").and_then(Value::as_str);
    mode.is_some_and(|mode| mode.eq_ignore_ascii_case("Flexible"))
}

impl Pool {
    /// Reads a scale set; `machines` as they were requested with their instance views.
    #[must_use]
    pub fn read(set: &Value, machines: &[Value]) -> Self {
        let text = |pointer: &str| set.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let mode = match text("/properties/upgradePolicy/mode").to_ascii_lowercase().as_str() {
            "rolling" => UpgradeMode::Rolling,
            "automatic" => UpgradeMode::Automatic,
            _ => UpgradeMode::Manual,
        };
        let rolling = "/properties/upgradePolicy/rollingUpgradePolicy";
        Self {
            id: text("/id").to_owned(),
            name: text("/name").to_owned(),
            mode,
            flexible: is_flexible(set),
            machines: machines.iter().map(Machine::read).collect(),
            batch: set.pointer(&format!("{rolling}/maxBatchInstancePercent")).and_then(Value::as_u64),
            pause: duration(text(&format!("{rolling}/pauseTimeBetweenBatches"))),
            policy: set.pointer("/properties/upgradePolicy").cloned().unwrap_or_default(),
        }
    }

    /// Machines that lack the latest model, those that are unhealthy first: they have the least to lose.
    #[must_use]
    pub fn behind(&self) -> Vec<&Machine> {
        let mut behind: Vec<&Machine> = self.machines.iter().filter(|machine| machine.is_behind()).collect();
        behind.sort_by_key(|machine| !machine.is_unhealthy());
        behind
    }

    /// Machines that have the latest model and whose setup failed with it: no upgrade runs it again.
    #[must_use]
    pub fn failed(&self) -> Vec<&Machine> {
        let failed = |machine: &&Machine| machine.setup.as_ref().is_some_and(|setup| setup.failed);
        self.machines.iter().filter(failed).filter(|machine| !machine.is_behind()).collect()
    }

    /// The machine that most likely stopped a rollout: one that has the new model and is unhealthy, else any unhealthy one.
    #[must_use]
    pub fn culprit(&self) -> Option<&Machine> {
        let mut unhealthy: Vec<&Machine> = self.machines.iter().filter(|machine| machine.is_unhealthy()).collect();
        unhealthy.sort_by_key(|machine| (machine.latest == Some(false), !machine.is_failed()));
        unhealthy.first().copied()
    }

    /// How many machines one batch has: the policy's share of all machines, at least one; one where the policy is silent.
    #[must_use]
    pub fn batch_size(&self) -> usize {
        let share = self.batch.and_then(|percent| usize::try_from(percent).ok()).unwrap_or(0);
        (self.machines.len() * share / 100).max(1)
    }

    /// A machine by its name.
    #[must_use]
    pub fn machine(&self, name: &str) -> Option<&Machine> {
        self.machines.iter().find(|machine| machine.name.eq_ignore_ascii_case(name))
    }
}

/// An ISO 8601 duration (`PT5M`); zero for anything that has no fixed length.
fn duration(text: &str) -> Duration {
    let days = jiff::SpanRelativeTo::days_are_24_hours();
    let length = text.parse::<jiff::Span>().ok().and_then(|span| span.to_duration(days).ok());
    length.and_then(|length| Duration::try_from(length).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn durations_without_a_fixed_length_are_none() {
        for (text, wanted) in [("PT5M", 300), ("PT0S", 0), ("P1DT1S", 86_401), ("", 0), ("P1M", 0), ("-PT1S", 0)] {
            assert_eq!(duration(text), Duration::from_secs(wanted), "{text}");
        }
    }

    #[test]
    fn a_batch_has_the_share_of_the_policy_and_at_least_one_machine() {
        let set = |percent: Value| {
            json!({ "id": "/s", "name": "s", "properties": { "upgradePolicy": { "mode": "Rolling",
                "rollingUpgradePolicy": { "maxBatchInstancePercent": percent, "pauseTimeBetweenBatches": "PT1M" } } } })
        };
        let machines = vec![json!({ "id": "/s/m" }); 10];
        assert_eq!(Pool::read(&set(json!(25)), &machines).batch_size(), 2);
        assert_eq!(Pool::read(&set(json!(5)), &machines).batch_size(), 1);
        assert_eq!(Pool::read(&set(Value::Null), &machines).batch_size(), 1);
    }
}
