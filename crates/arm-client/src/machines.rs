//! Calls about the machines of scale sets: what they carry, and how a changed model reaches them.

use super::Client;
use super::error::AzureError;
use super::transport::{Method, Reply};
use serde_json::{Value, json};

/// API version of scale sets, their machines and virtual machines.
pub const SCALE_SETS_API: &str = "2024-11-01";

impl Client {
    /// The machines of a scale set, with their instance views and `latestModelApplied`.
    ///
    /// For Flexible sets the list has only ids: the set's view of each machine says which model it has, the virtual
    /// machine what state it is in.
    /// <https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-orchestration-modes>
    ///
    /// # Errors
    /// A call failed or was refused. A machine that is deleted meanwhile is left out.
    pub fn machines_of(&self, set: &str, flexible: bool) -> Result<Vec<Value>, AzureError> {
        let list = format!("{set}/virtualMachines?api-version={SCALE_SETS_API}");
        if !flexible {
            return self.pages(&format!("{list}&$expand=instanceView"));
        }
        let mut machines = Vec::new();
        for listed in self.pages(&list)? {
            let Some(id) = listed.get("id").and_then(Value::as_str) else { continue };
            let name = id.rsplit('/').next().unwrap_or_default();
            let in_set = format!("{set}/virtualMachines/{name}?api-version={SCALE_SETS_API}");
            let machine = format!("{id}?api-version={SCALE_SETS_API}&$expand=instanceView");
            let Some(mut machine) = Self::maybe(self.send(Method::Get, &machine, None))? else { continue };
            let in_set = Self::maybe(self.send(Method::Get, &in_set, None))?.unwrap_or_default();
            let latest = [&in_set, &listed].into_iter().find_map(|view| view.pointer("/properties/latestModelApplied"));
            let properties = machine.get_mut("properties").and_then(Value::as_object_mut);
            if let (Some(properties), Some(latest)) = (properties, latest) {
                properties.insert("latestModelApplied".to_owned(), latest.clone());
            }
            machines.push(machine);
        }
        Ok(machines)
    }

    /// The last rolling upgrade of a scale set, `None` when there was none.
    /// <https://learn.microsoft.com/rest/api/compute/virtual-machine-scale-set-rolling-upgrades/get-latest>
    ///
    /// # Errors
    /// The call failed; that there was none is no error.
    pub fn rolling_upgrade(&self, set: &str) -> Result<Option<Value>, AzureError> {
        Self::maybe(self.send(Method::Get, &format!("{set}/rollingUpgrades/latest?api-version={SCALE_SETS_API}"), None))
    }

    /// Starts to bring machines to the latest model. `names` are instance ids in Uniform sets, names of machines in
    /// Flexible ones. A machine that has the model is not touched, so that the request may be repeated.
    /// <https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-perform-manual-upgrades>
    ///
    /// # Errors
    /// The call failed or was refused.
    pub fn upgrade_machines(&self, set: &str, names: &[String]) -> Result<Reply, AzureError> {
        let path = format!("{set}/manualupgrade?api-version={SCALE_SETS_API}");
        self.send(Method::SafePost, &path, Some(&json!({ "instanceIds": names })))
    }

    /// Starts to make the OS disks of machines again from the image: what is on them is lost. Without names nothing is
    /// sent, because the service would reimage all machines.
    /// <https://learn.microsoft.com/rest/api/compute/virtual-machine-scale-sets/reimage>
    ///
    /// # Errors
    /// The call failed or was refused.
    pub fn reimage_machines(&self, set: &str, names: &[String]) -> Result<Reply, AzureError> {
        if names.is_empty() {
            return Ok(Reply::default());
        }
        let path = format!("{set}/reimage?api-version={SCALE_SETS_API}");
        self.send(Method::Post, &path, Some(&json!({ "instanceIds": names })))
    }

    /// Starts an update of a scale set that changes nothing: a rolling upgrade that was stopped begins again.
    /// <https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-configure-rolling-upgrades#restart-a-rolling-upgrade>
    ///
    /// # Errors
    /// The call failed or was refused.
    pub fn update_scale_set(&self, set: &str, body: &Value) -> Result<Reply, AzureError> {
        self.send(Method::Patch, &format!("{set}?api-version={SCALE_SETS_API}"), Some(body))
    }
}
