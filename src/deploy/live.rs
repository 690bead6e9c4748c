//! What a target answers about itself and its resources while a template is planned: `reference()` and `providers()`.
//!
//! The engine asks while it evaluates, and may not wait for a network then. So it notes what it was asked and cannot tell, the
//! caller reads that from the target, and the expression is evaluated again. Without a target everything stays unknown.

use super::session::Session;
use arm_plan::{JsonText, Observed};
use arm_template::Runtime;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// API version of the list of a provider's types.
const PROVIDERS_API: &str = "2021-04-01";

/// Most things that are read for the expressions of one plan.
const MOST_READ: usize = 500;

/// What a target answered of its resource providers, and of resources that a template reads without deploying them.
#[derive(Default)]
pub struct Answers {
    /// By lower-case namespace or id; nothing where the target has no such thing or refuses to tell.
    known: BTreeMap<String, Option<Value>>,
    /// Asked for and not read yet: path and API version by the same key.
    asked: Mutex<BTreeMap<String, (String, String)>>,
}

impl Answers {
    /// Reads what was asked for since the last time; whether anything was. Not what `seen` has: that was read already, by id in
    /// lower case, and is not there.
    pub fn read(&mut self, session: &Session, seen: &BTreeSet<String>) -> bool {
        let asked = std::mem::take(&mut *self.asked.get_mut().unwrap_or_else(PoisonError::into_inner));
        let before = self.known.len();
        for (key, (path, version)) in asked {
            if seen.contains(&key) || self.known.len() >= MOST_READ {
                continue;
            }
            let path = if path.starts_with('/') {
                path
            } else {
                format!("/subscriptions/{}/providers/{path}", session.subscription)
            };
            // What cannot be read is not known before the deployment; that one tells why.
            let found = session.client.resource(&path, &version).ok().flatten();
            self.known.insert(key, found);
        }
        self.known.len() > before
    }

    /// What is known under a key; what is not is noted, to be read.
    fn look(&self, key: String, path: &str, version: &str) -> Option<&Value> {
        if let Some(found) = self.known.get(&key) {
            return found.as_ref();
        }
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.insert(key, (path.to_owned(), version.to_owned()));
        None
    }

    /// The value of `providers(namespace)`, or of `providers(namespace, kind)`, in the form of the function: of each type its
    /// name, regions and versions.
    ///
    /// Form: <https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-resource#providers>.
    fn providers(&self, namespace: &str, kind: Option<&str>) -> Option<Value> {
        // It becomes a part of an address.
        if namespace.is_empty() || !namespace.chars().all(|c| c.is_ascii_alphanumeric() || c == '.') {
            return None;
        }
        let found = self.look(namespace.to_ascii_lowercase(), namespace, PROVIDERS_API)?;
        let entry = |entry: &Value| {
            let part = |name: &str| entry.get(name).cloned().unwrap_or(Value::Null);
            json!({ "resourceType": part("resourceType"), "locations": part("locations"), "apiVersions": part("apiVersions") })
        };
        let mut types = found.get("resourceTypes").and_then(Value::as_array)?.iter();
        let Some(kind) = kind else {
            let name = found.get("namespace").and_then(Value::as_str).unwrap_or(namespace);
            return Some(json!({ "namespace": name, "resourceTypes": types.map(entry).collect::<Vec<_>>() }));
        };
        let same = |entry: &&Value| {
            entry.get("resourceType").and_then(Value::as_str).is_some_and(|have| have.eq_ignore_ascii_case(kind))
        };
        types.find(same).map(entry)
    }

    /// A resource that is not among those observed. The outputs of a deployment are those of its last run, so they tell nothing
    /// about the next one.
    fn resource(&self, id: &str, version: &str) -> Option<&Value> {
        let (kind, name) = arm_plan::type_of_id(id);
        let address = |c: char| !c.is_control() && !matches!(c, '?' | '#' | '%' | '\\' | '[' | ']');
        let version_like = version.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if name.is_empty()
            || kind.eq_ignore_ascii_case("Microsoft.Resources/deployments")
            || !id.chars().all(address)
            || id.split('/').any(|part| part == "..")
            || !version_like
        {
            return None;
        }
        self.look(id.to_ascii_lowercase(), id, version)
    }
}

/// Answers from the observed resources and from what was read besides; everything else is unknown.
pub(super) struct Live<'a> {
    by_id: BTreeMap<String, &'a JsonText>,
    answers: &'a Answers,
}

impl<'a> Live<'a> {
    pub fn new(observed: &'a Observed, answers: &'a Answers) -> Self {
        let by_id = observed.resources.iter().map(|r| (r.id.to_ascii_lowercase(), &r.body));
        Self { by_id: by_id.collect(), answers }
    }
}

impl Runtime for Live<'_> {
    fn reference(&self, id: &str, version: Option<&str>, full: bool) -> Result<Option<Value>, String> {
        let observed = self.by_id.get(&id.to_ascii_lowercase()).map(|found| found.read());
        let read = || version.and_then(|version| self.answers.resource(id, version)).cloned();
        let Some(mut found) = observed.or_else(read) else { return Ok(None) };
        Ok(if full { Some(found) } else { found.get_mut("properties").map(Value::take) })
    }

    fn list(&self, _: &str, _: &str, _: Option<&str>, _: Option<&Value>) -> Result<Option<Value>, String> {
        // Only the deployment reads keys, never a plan.
        Ok(None)
    }

    fn function(&self, name: &str, args: &[Value]) -> Result<Option<Value>, String> {
        if !name.eq_ignore_ascii_case("providers") {
            return Ok(None);
        }
        let Some(namespace) = args.first().and_then(Value::as_str) else { return Ok(None) };
        match args.get(1) {
            None => Ok(self.answers.providers(namespace, None)),
            Some(kind) => Ok(kind.as_str().and_then(|kind| self.answers.providers(namespace, Some(kind)))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed() -> Answers {
        let compute = json!({ "namespace": "Microsoft.Compute", "id": "/x", "resourceTypes": [
            { "resourceType": "disks", "locations": ["West Europe"], "apiVersions": ["2025-01-02", "2024-03-02"], "capabilities": "None" }
        ] });
        Answers { known: BTreeMap::from([("microsoft.compute".to_owned(), Some(compute))]), ..Answers::default() }
    }

    #[test]
    fn the_function_answers_what_the_target_lists() {
        let all = listed();
        let disks = json!({ "resourceType": "disks", "locations": ["West Europe"], "apiVersions": ["2025-01-02", "2024-03-02"] });
        assert_eq!(all.providers("microsoft.COMPUTE", Some("Disks")), Some(disks.clone()));
        let whole = json!({ "namespace": "Microsoft.Compute", "resourceTypes": [disks] });
        assert_eq!(all.providers("Microsoft.Compute", None), Some(whole));
        assert_eq!(all.providers("Microsoft.Compute", Some("nothing")), None);
        assert!(all.asked.lock().unwrap().is_empty());
    }

    #[test]
    fn what_is_not_read_yet_is_noted_unless_it_is_no_namespace() {
        let all = listed();
        assert_eq!(all.providers("Microsoft.Batch", Some("batchAccounts")), None);
        assert_eq!(all.providers("a/../b?c", None), None);
        assert!(all.asked.lock().unwrap().keys().eq(["microsoft.batch"]));
    }

    #[test]
    fn resources_are_noted_with_their_version_and_deployments_are_not() {
        let all = Answers::default();
        let id = |kind: &str| format!("/subscriptions/s/resourceGroups/g/providers/{kind}/n");
        assert_eq!(all.resource(&id("Microsoft.Storage/storageAccounts"), "2023-05-01"), None);
        assert_eq!(all.resource(&id("Microsoft.Resources/deployments"), "2021-04-01"), None);
        assert_eq!(all.resource(&format!("{}?x=1", id("Microsoft.Storage/storageAccounts")), "2023-05-01"), None);
        assert_eq!(all.resource(&id("Microsoft.Network/virtualNetworks"), "2023-05-01&x=1"), None);
        assert!(all.asked.lock().unwrap().values().map(|(_, version)| version.as_str()).eq(["2023-05-01"]));
    }
}
