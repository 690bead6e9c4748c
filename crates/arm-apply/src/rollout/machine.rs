//! One machine of a pool as the service shows it → what a rollout and `status` need to know of it.

use serde::Serialize;
use serde_json::Value;

/// Name of the extension that sets machines up.
pub const SETUP: &str = "setup";
/// Begins the lines of the setup program.
const SAID: &str = "dsvmc: ";
/// Lines of output that are kept.
const LINES: usize = 12;

/// A machine of a scale set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Machine {
    /// Instance id in a Uniform set, name of the virtual machine in a Flexible one: what actions on the set take.
    pub name: String,
    /// Full ARM id of the machine.
    pub id: String,
    /// `Succeeded`, `Failed`, `Updating`, `Creating`, …
    pub provisioning: String,
    /// `running`, `deallocated`, `stopped`, …; empty when not reported.
    pub power: String,
    /// `healthy`, `unhealthy`, `unknown` or `initializing`; `None` when nothing watches the machine.
    pub health: Option<String>,
    /// Whether it has the latest model of its set; `None` when the service does not say.
    pub latest: Option<bool>,
    /// Whether it is protected from all actions of its set: upgrades pass it over.
    pub protected: bool,
    /// The last run of the setup; `None` when there was none, or it is not reported.
    pub setup: Option<Setup>,
}

/// What the instance view says of the last run of the setup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Setup {
    /// Whether it ended with an error.
    pub failed: bool,
    /// Whether it is still running.
    pub running: bool,
    /// Version of the pool that the machine carries, from the line `dsvmc: ready VERSION`.
    pub version: Option<String>,
    /// The part that failed or was the last to begin.
    pub step: Option<String>,
    /// Last lines of its output.
    pub output: Vec<String>,
}

impl Setup {
    /// Reads the state and the output of the extension. The message holds what the script wrote, in parts that begin with
    /// `[stdout]` and `[stderr]` (<https://learn.microsoft.com/azure/virtual-machines/extensions/custom-script-linux>).
    #[must_use]
    pub fn read(status: &Value) -> Self {
        let text = |key: &str| status.get(key).and_then(Value::as_str).unwrap_or_default();
        let code = text("code").to_ascii_lowercase();
        let lines: Vec<&str> = text("message").lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
        let said = || lines.iter().rev().filter_map(|line| line.strip_prefix(SAID));
        let failed_at = said().find_map(|line| line.strip_prefix("failed at ")?.split(':').next());
        let version = said().find_map(|line| line.strip_prefix("ready "));
        let one_word = |line: &&str| !line.contains(' ');
        let step = failed_at.or_else(|| if version.is_some() { None } else { said().find(one_word) });
        Self {
            failed: code.contains("/failed") || text("level").eq_ignore_ascii_case("error"),
            running: code.contains("/transitioning") || code.contains("/creating") || code.contains("/updating"),
            version: version.map(str::to_owned),
            step: step.map(str::to_owned),
            output: lines.iter().skip(lines.len().saturating_sub(LINES)).map(|line| (*line).to_owned()).collect(),
        }
    }
}

impl Machine {
    /// Reads a machine that was requested with its instance view.
    #[must_use]
    pub fn read(body: &Value) -> Self {
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let id = text("/id");
        let view = body.pointer("/properties/instanceView").unwrap_or(&Value::Null);
        let codes = view.get("statuses").and_then(Value::as_array).into_iter().flatten();
        let power = codes.filter_map(|s| s.get("code")?.as_str()?.strip_prefix("PowerState/")).next_back();
        let health = view.pointer("/vmHealth/status/code").and_then(Value::as_str);
        let extensions = view.get("extensions").and_then(Value::as_array).into_iter().flatten();
        let setup = extensions
            .filter(|e| e.get("name").and_then(Value::as_str).is_some_and(|name| name.eq_ignore_ascii_case(SETUP)))
            .filter_map(|e| e.pointer("/statuses/0"))
            .next()
            .map(Setup::read);
        Self {
            name: body
                .get("instanceId")
                .and_then(Value::as_str)
                .or_else(|| id.rsplit('/').next())
                .unwrap_or_default()
                .to_owned(),
            id: id.to_owned(),
            provisioning: text("/properties/provisioningState").to_owned(),
            power: power.unwrap_or_default().to_owned(),
            health: health.and_then(|code| code.rsplit('/').next()).map(str::to_ascii_lowercase),
            latest: body.pointer("/properties/latestModelApplied").and_then(Value::as_bool),
            protected: body.pointer("/properties/protectionPolicy/protectFromScaleSetActions")
                == Some(&Value::Bool(true)),
            setup,
        }
    }

    /// Whether it lacks the latest model and its set may bring it there.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.latest == Some(false) && !self.protected
    }

    /// Whether its provisioning or its setup failed.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        self.provisioning.eq_ignore_ascii_case("Failed") || self.setup.as_ref().is_some_and(|setup| setup.failed)
    }

    /// Whether a rolling upgrade counts it as unhealthy: it failed, or it reports Unhealthy or Unknown.
    /// <https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-health-extension>
    #[must_use]
    pub fn is_unhealthy(&self) -> bool {
        self.is_failed() || matches!(self.health.as_deref(), Some("unhealthy" | "unknown"))
    }

    /// Whether it is still at work: it is being changed, or its health is not known yet.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        let state = self.provisioning.to_ascii_lowercase();
        matches!(state.as_str(), "updating" | "creating" | "migrating")
            || self.health.as_deref() == Some("initializing")
    }

    /// Whether it is switched off: it reports no health, and setup waits for its next start.
    #[must_use]
    pub fn is_off(&self) -> bool {
        matches!(self.power.as_str(), "deallocated" | "deallocating" | "stopped" | "stopping")
    }

    /// What is wrong with it, in one clause; empty when nothing is.
    #[must_use]
    pub fn complaint(&self) -> String {
        match (&self.setup, self.health.as_deref()) {
            (Some(Setup { failed: true, step: Some(step), .. }), _) => format!("its setup failed at {step}"),
            (Some(Setup { failed: true, .. }), _) => "its setup failed".to_owned(),
            _ if self.is_failed() => "an operation on it failed".to_owned(),
            (_, Some("unhealthy")) => "it reports that it is unhealthy".to_owned(),
            (_, Some("unknown")) => "it reports no health".to_owned(),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_version_and_the_part_that_failed_are_read_from_the_output() {
        let ready = Setup::read(&json!({ "code": "ProvisioningState/succeeded", "level": "Info", "message":
            "Enable succeeded: \n[stdout]\ndsvmc: accounts\nhello\ndsvmc: ready 0123456789abcdef\n\n[stderr]\nwarning: x\n" }));
        assert_eq!(ready.version.as_deref(), Some("0123456789abcdef"));
        assert!(!ready.failed && ready.step.is_none());
        let failed = Setup::read(&json!({ "code": "ProvisioningState/failed/0", "level": "Error", "message":
            "Enable failed: failed to execute command\n[stdout]\ndsvmc: accounts\ndsvmc: mounts\ndsvmc: failed at mounts: share `a` is not there\n[stderr]\n" }));
        assert!(failed.failed && failed.version.is_none());
        assert_eq!(failed.step.as_deref(), Some("mounts"));
        assert!(failed.output.iter().any(|line| line.ends_with("share `a` is not there")));
        let killed = Setup::read(
            &json!({ "code": "ProvisioningState/failed/0", "message": "dsvmc: accounts\ndsvmc: packages\n" }),
        );
        assert_eq!(killed.step.as_deref(), Some("packages"));
        assert_eq!(Setup::read(&json!({ "code": "ProvisioningState/succeeded" })), Setup::default());
    }

    #[test]
    fn a_machine_is_read_from_its_instance_view() {
        let machine = Machine::read(&json!({
            "id": "/s/virtualMachines/3", "instanceId": "3",
            "properties": { "latestModelApplied": false, "provisioningState": "Succeeded",
                "instanceView": { "statuses": [{ "code": "ProvisioningState/succeeded" }, { "code": "PowerState/running" }],
                    "vmHealth": { "status": { "code": "HealthState/unhealthy" } } } } }));
        assert_eq!((machine.name.as_str(), machine.power.as_str()), ("3", "running"));
        assert!(machine.is_behind() && machine.is_unhealthy() && !machine.is_busy());
        assert_eq!(machine.complaint(), "it reports that it is unhealthy");
        let unsaid = Machine::read(&json!({ "id": "/x/virtualMachines/vm-1", "properties": {} }));
        assert_eq!((unsaid.name.as_str(), unsaid.latest, unsaid.is_behind()), ("vm-1", None, false));
    }
}
