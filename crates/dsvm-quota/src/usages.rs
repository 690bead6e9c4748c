//! What Azure answers of limits and of what is used.
//!
//! Shapes: a list of usages as the REST API returns it (`{"value": […]}`), the same list as `az vm list-usage -o json` and
//! `az network list-usages -o json` print it (an array; `az vm` writes numbers as texts), the list of Azure Machine Learning, which
//! `az ml compute list-usage -o json` prints with other names of keys, and a Batch account, which carries its quotas in its
//! properties.

use super::names::{Quota, Scope, folded};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// A limit and what is used of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// `name.value` as Azure spells it.
    pub name: String,
    /// What is used now; nothing where the answer does not tell.
    pub used: Option<u64>,
    /// The limit; nothing where there is none.
    pub limit: Option<u64>,
}

/// The quotas of a Batch account.
#[derive(Clone, Debug, Default)]
struct Account {
    quotas: BTreeMap<String, Usage>,
    /// Limits by family hold.
    families: bool,
}

/// What is known of limits, by place.
#[derive(Clone, Debug, Default)]
pub struct Usages {
    regions: BTreeMap<String, BTreeMap<String, Usage>>,
    learning: BTreeMap<String, BTreeMap<String, Usage>>,
    accounts: BTreeMap<String, Account>,
}

/// What is known of one limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given<'a> {
    /// Nothing was read of that region or account.
    NothingRead,
    /// The list that was read has no such limit.
    NotListed,
    /// The account has no limits by family, only a total.
    NotEnforced,
    /// The limit, and perhaps what is used of it.
    Usage(&'a Usage),
}

/// Why a body is no list of usages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UsagesError {
    /// Neither of the shapes.
    Shape,
    /// An entry has no name or no limit.
    Entry(usize),
    /// Neither the body nor the caller says of which region it is.
    Region,
}

impl fmt::Display for UsagesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape => f.write_str("it is no list of usages and no Batch account"),
            Self::Entry(at) => write!(f, "its entry {} has no name, or no number as its limit", at + 1),
            Self::Region => f.write_str("it does not say of which region it is"),
        }
    }
}

impl std::error::Error for UsagesError {}

/// A number, or the text that `az vm list-usage` makes of it.
fn number(value: Option<&Value>) -> Option<i64> {
    let value = value?;
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// Limits of Azure Machine Learning that are no family's, by the names under which lists have them, folded: the name of the API
/// (`TotalDedicatedCores`), the one that people see, and that of the example in Microsoft's REST specification
/// (<https://github.com/Azure/azure-rest-api-specs>, `Microsoft.MachineLearningServices/stable/2022-10-01/examples/Usage/list.json`).
const LEARNING: &[(&str, &[&str])] = &[
    ("Total Clusters", &["totalclusters", "clusters"]),
    ("Total Cluster Dedicated Regional vCPUs", &["totaldedicatedcores", "totalclusterdedicatedregionalvcpus"]),
    ("Total Cluster Low Priority Regional vCPUs", &["totallowprioritycores", "totalclusterlowpriorityregionalvcpus"]),
];

/// Whether a usage is one of Azure Machine Learning.
fn is_learning(entry: &Value) -> bool {
    let kind = entry.get("type").and_then(Value::as_str).unwrap_or_default();
    kind.get(..LEARNING_TYPE.len()).is_some_and(|head| head.eq_ignore_ascii_case(LEARNING_TYPE))
}

const LEARNING_TYPE: &str = "Microsoft.MachineLearningServices/";

/// The name under which needs have the limit of a usage of Azure Machine Learning, folded; nothing where none has it: parts of
/// workspaces and clusters, and families of low-priority machines, whose limit is one number over all of them.
fn learning_key(entry: &Value, name: &str) -> Option<String> {
    let text = |path: &str| entry.pointer(path).and_then(Value::as_str).unwrap_or_default();
    if text("/id").to_ascii_lowercase().contains("/workspaces/") {
        return None;
    }
    let key = folded(name);
    if let Some((known, _)) = LEARNING.iter().find(|(_, names)| names.contains(&key.as_str())) {
        return Some(folded(known));
    }
    let shown = folded(if text("/name/localizedValue").is_empty() {
        text("/name/localized_value")
    } else {
        text("/name/localizedValue")
    });
    let low = [&folded(text("/type")), &key, &shown].iter().any(|text| text.contains("lowpriority"));
    let family = key.strip_suffix("clusterdedicatedvcpus").unwrap_or(&key);
    (!low).then(|| family.to_owned())
}

impl Usages {
    /// Adds an answer. `region`: the region that it is of, where the caller knows; entries with an id say it themselves.
    ///
    /// # Errors
    /// The body has another shape, or its region is not known.
    pub fn add(&mut self, body: &Value, region: Option<&str>) -> Result<(), UsagesError> {
        if body.pointer("/properties/dedicatedCoreQuota").is_some() {
            return self.account(body);
        }
        let list = body.as_array().or_else(|| body.get("value")?.as_array()).ok_or(UsagesError::Shape)?;
        for (at, entry) in list.iter().enumerate() {
            let name = entry.pointer("/name/value").and_then(Value::as_str).ok_or(UsagesError::Entry(at))?;
            let limit = number(entry.get("limit")).ok_or(UsagesError::Entry(at))?;
            let used = entry.get("currentValue").or_else(|| entry.get("current_value"));
            let used = number(used).and_then(|used| u64::try_from(used).ok());
            let usage = Usage { name: name.to_owned(), used, limit: u64::try_from(limit).ok() };
            let own = entry.get("id").and_then(Value::as_str).and_then(region_of_id);
            let there = ["amlWorkspaceLocation", "aml_workspace_location"];
            let there = there.iter().find_map(|key| entry.get(key).and_then(Value::as_str)).filter(|at| !at.is_empty());
            let region = own.or(there).or(region).ok_or(UsagesError::Region)?;
            if is_learning(entry) {
                if let Some(key) = learning_key(entry, name) {
                    self.learning.entry(folded(region)).or_default().insert(key, usage);
                }
                continue;
            }
            self.regions.entry(folded(region)).or_default().insert(folded(name), usage);
        }
        Ok(())
    }

    fn account(&mut self, body: &Value) -> Result<(), UsagesError> {
        let name = body.get("name").and_then(Value::as_str).ok_or(UsagesError::Shape)?;
        let properties = body.get("properties").ok_or(UsagesError::Shape)?;
        let mut account = Account {
            families: properties.get("dedicatedCoreQuotaPerVMFamilyEnforced") == Some(&Value::Bool(true)),
            ..Account::default()
        };
        let families = properties.get("dedicatedCoreQuotaPerVMFamily").and_then(Value::as_array);
        let families = families
            .into_iter()
            .flatten()
            .filter_map(|family| Some((family.get("name").and_then(Value::as_str)?, number(family.get("coreQuota")))));
        let totals = ["dedicatedCoreQuota", "lowPriorityCoreQuota", "poolQuota"];
        let totals = totals.into_iter().filter_map(|key| Some((key, number(Some(properties.get(key)?)))));
        for (name, limit) in totals.chain(families) {
            let limit = limit.and_then(|limit| u64::try_from(limit).ok());
            account.quotas.insert(folded(name), Usage { name: name.to_owned(), used: None, limit });
        }
        self.accounts.insert(folded(name), account);
        Ok(())
    }

    /// What is known of a limit.
    #[must_use]
    pub fn get(&self, scope: &Scope, quota: &Quota) -> Given<'_> {
        let key = folded(&quota.name);
        let list = match scope {
            Scope::Region(Some(region)) => self.regions.get(region),
            Scope::MachineLearning(Some(region)) => self.learning.get(region),
            Scope::Batch(Some(account)) => match self.accounts.get(&folded(account)) {
                Some(account) if quota.family && !account.families => return Given::NotEnforced,
                Some(account) => Some(&account.quotas),
                None => None,
            },
            _ => None,
        };
        match list.map(|list| list.get(&key)) {
            None => Given::NothingRead,
            Some(None) => Given::NotListed,
            Some(Some(usage)) => Given::Usage(usage),
        }
    }
}

/// The region in the id of a usage (`…/locations/westus/usages/…`).
fn region_of_id(id: &str) -> Option<&str> {
    let mut segments = id.split('/');
    segments.find(|segment| segment.eq_ignore_ascii_case("locations"))?;
    segments.next().filter(|region| !region.is_empty())
}
