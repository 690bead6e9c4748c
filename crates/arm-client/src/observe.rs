//! Reads the resources that a plan compares with: one list call for each kind, not one call for each resource.

use super::Client;
use super::error::AzureError;
use super::transport::Method;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A reference to a resource: its id, and the API version to read or delete it with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResourceRef {
    /// Full ARM id of the resource.
    pub id: String,
    /// The version that it will be written with.
    pub api_version: String,
}

/// From this many resources of one kind in one place on, a list is read instead of each of them.
const LIST_FROM: usize = 4;
/// Calls at the same time.
const TOGETHER: usize = 24;

impl Client {
    /// Reads resources; those that do not exist are left out. The order is that of `wanted`.
    ///
    /// # Errors
    /// A call failed for another reason than that nothing is there.
    pub fn observe(&self, wanted: &[ResourceRef]) -> Result<Vec<Value>, AzureError> {
        self.observe_as(wanted, &|resource| resource)
    }

    /// As [`Client::observe`]; `keep` converts each resource as soon as it is read, so that the rest is freed.
    ///
    /// # Errors
    /// A call failed for another reason than that nothing is there.
    pub fn observe_as<T>(&self, wanted: &[ResourceRef], keep: &dyn Fn(Value) -> T) -> Result<Vec<T>, AzureError> {
        let asked: BTreeSet<String> = wanted.iter().map(|w| fold(&w.id)).collect();
        let mut groups: BTreeMap<(String, String), Vec<&ResourceRef>> = BTreeMap::new();
        for one in wanted {
            let collection = collection_of(&one.id).unwrap_or_else(|| one.id.clone());
            groups.entry((collection.to_ascii_lowercase(), one.api_version.clone())).or_default().push(one);
        }
        let mut found: BTreeMap<String, T> = BTreeMap::new();
        let mut single: BTreeSet<ResourceRef> = BTreeSet::new();
        for ((_, api_version), members) in groups {
            let listed = match members.first().and_then(|m| collection_of(&m.id)) {
                Some(collection) if members.len() >= LIST_FROM && is_listed_in_full(&collection) => {
                    self.list(&collection, &api_version, &asked, keep)
                }
                _ => None,
            };
            let Some(listed) = listed else {
                single.extend(members.into_iter().cloned());
                continue;
            };
            found.extend(listed);
        }
        self.get_all(single, &mut |id, item| {
            found.insert(fold(id), keep(item));
        })?;
        Ok(wanted.iter().filter_map(|w| found.remove(&fold(&w.id))).collect())
    }

    /// A failing list call is not an error: each member is then read individually.
    fn list<T>(
        &self,
        collection: &str,
        api_version: &str,
        asked: &BTreeSet<String>,
        keep: &dyn Fn(Value) -> T,
    ) -> Option<Vec<(String, T)>> {
        let mut kept = Vec::new();
        let each = &mut |item: Value| {
            let id = item.get("id").and_then(Value::as_str).map(fold);
            if let Some(id) = id.filter(|id| asked.contains(id)) {
                kept.push((id, keep(item)));
            }
        };
        self.each_of(&format!("{collection}?api-version={api_version}"), each).ok()?;
        Some(kept)
    }

    fn get_all(&self, wanted: BTreeSet<ResourceRef>, found: &mut dyn FnMut(&str, Value)) -> Result<(), AzureError> {
        let gate = Arc::new(tokio::sync::Semaphore::new(TOGETHER));
        self.runtime.block_on(async {
            let mut calls = tokio::task::JoinSet::new();
            for one in wanted {
                let (gate, transport) = (Arc::clone(&gate), Arc::clone(&self.transport));
                calls.spawn(async move {
                    let _permit = gate.acquire().await;
                    let reply =
                        transport.send(Method::Get, &format!("{}?api-version={}", one.id, one.api_version), None).await;
                    Ok(Self::maybe(reply)?.map(|body| (one.id, body)))
                });
            }
            while let Some(done) = calls.join_next().await {
                let result = done.map_err(|e| AzureError::Setup(format!("a call was cut short: {e}")))?;
                if let Some((id, item)) = result? {
                    found(&id, item);
                }
            }
            Ok(())
        })
    }
}

fn fold(id: &str) -> String {
    id.trim_end_matches('/').to_ascii_lowercase()
}

/// Where a resource would be listed: its id without the last segment.
fn collection_of(id: &str) -> Option<String> {
    let (collection, _) = id.trim_end_matches('/').rsplit_once('/')?;
    collection.to_ascii_lowercase().contains("/providers/").then(|| collection.to_owned())
}

/// Lists of these omit properties or contain other scopes' resources, so each member is read individually.
fn is_listed_in_full(collection: &str) -> bool {
    let lower = collection.to_ascii_lowercase();
    !["/shares", "/fileservices", "/blobservices", "/containers", "/secrets", "/diagnosticsettings", "/vaults"]
        .iter()
        .any(|end| lower.ends_with(end))
}
