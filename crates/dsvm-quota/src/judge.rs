//! A demand and what Azure answers of its limit → whether it fits.

use super::growth::Growth;
use super::sum::Line;
use super::usages::{Given, Usages};

/// What comes of a demand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It fits beside what is used now.
    Fits {
        /// Used now; nothing where Azure does not tell, and only the demand is compared.
        used: Option<u64>,
        /// The limit; nothing where there is none.
        limit: Option<u64>,
    },
    /// It is more than the limit leaves.
    Breaks {
        /// Used now; nothing where Azure does not tell, and only the demand is compared.
        used: Option<u64>,
        /// What is allowed now.
        limit: u64,
        /// How far the used part and the demand are above it together.
        by: u64,
        /// The limit to ask for.
        ask: u64,
        /// The name of the limit as Azure spelled it here.
        name: String,
    },
    /// It cannot be told.
    Unknown {
        /// Used now, where that was read.
        used: Option<u64>,
        /// What is allowed now, where that was read.
        limit: Option<u64>,
        /// Why, in one clause.
        why: &'static str,
    },
}

/// Compares a demand with its limit less what others use now. Resources of the tree that are deployed already are part of what is
/// used; where nobody read them, they are counted again and the answer is on the safe side.
#[must_use]
pub fn judge(line: &Line, usages: &Usages) -> Verdict {
    let unknown = |why| Verdict::Unknown { used: None, limit: None, why };
    let usage = match usages.get(&line.scope, &line.quota) {
        Given::NothingRead => return unknown("its limit was not read"),
        Given::NotListed => return unknown("the list of limits does not have it"),
        Given::NotEnforced => return Verdict::Fits { used: None, limit: None },
        Given::Usage(usage) => usage,
    };
    let used = usage.used;
    let Some(limit) = usage.limit else { return Verdict::Fits { used, limit: None } };
    let others = used.unwrap_or(0).saturating_sub(line.deployed);
    let ask = others.saturating_add(line.number);
    if ask > limit && line.number > 0 {
        let by = ask - limit;
        return Verdict::Breaks { used, limit, by, ask, name: usage.name.clone() };
    }
    if !line.unknown.is_empty() {
        return Verdict::Unknown { used, limit: Some(limit), why: "a part of the demand is not known" };
    }
    Verdict::Fits { used, limit: Some(limit) }
}

/// A tenth of a limit that is left is little: what comes near it is told.
const NEAR: u64 = 10;

/// Judges what a change adds; what is deployed already is a part of what is used, and is taken off. Nothing when the change asks
/// for no more than before, or far less than the limit. What fits is near its limit.
#[must_use]
pub fn judge_growth(growth: &Growth, usages: &Usages) -> Option<Verdict> {
    if !growth.grows() {
        return None;
    }
    let Given::Usage(usage) = usages.get(&growth.scope, &growth.quota) else { return None };
    let limit = usage.limit?;
    let others = usage.used.unwrap_or(0).saturating_sub(growth.now);
    let ask = others.saturating_add(growth.after);
    if ask > limit {
        return Some(Verdict::Breaks { used: usage.used, limit, by: ask - limit, ask, name: usage.name.clone() });
    }
    (limit - ask < limit.div_ceil(NEAR)).then_some(Verdict::Fits { used: usage.used, limit: Some(limit) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{Quota, Scope, Service};
    use serde_json::{Value, json};
    use std::collections::BTreeSet;

    /// Parts of a recorded answer (<https://github.com/Azure/azure-cli>, `test_vm_usage.yaml` at 00177d99, 2023-05-25, MIT).
    fn recorded() -> Value {
        json!({ "value": [
            { "limit": 100, "unit": "Count", "currentValue": 9, "name": { "value": "cores", "localizedValue": "Total Regional vCPUs" } },
            { "limit": 100, "unit": "Count", "currentValue": 0, "name": { "value": "lowPriorityCores", "localizedValue": "Total Regional Low-priority vCPUs" } },
            { "limit": 100, "unit": "Count", "currentValue": 4, "name": { "value": "standardDSv3Family", "localizedValue": "Standard DSv3 Family vCPUs" } },
            { "limit": 0, "unit": "Count", "currentValue": 0, "name": { "value": "standard NDAMSv4_A100Family", "localizedValue": "Standard NDAMSv4_A100Family vCPUs" } },
        ] })
    }

    fn line(quota: Quota, number: u64) -> Line {
        let scope = Scope::Region(Some("westus".to_owned()));
        Line { scope, quota, number, deployed: 0, unknown: BTreeSet::new(), parts: Vec::new() }
    }

    fn usages() -> Usages {
        let mut usages = Usages::default();
        assert_eq!(usages.add(&recorded(), Some("West US")), Ok(()));
        usages
    }

    #[test]
    fn what_is_used_counts_beside_the_demand() {
        let family = |number| line(Quota::of_family(Service::Compute, "STANDARD DSv3 Family"), number);
        assert_eq!(judge(&family(96), &usages()), Verdict::Fits { used: Some(4), limit: Some(100) });
        let broken =
            Verdict::Breaks { used: Some(4), limit: 100, by: 1, ask: 101, name: "standardDSv3Family".to_owned() };
        assert_eq!(judge(&family(97), &usages()), broken);
        // 3 of the 4 are its own
        let own = Line { deployed: 3, ..family(99) };
        assert_eq!(judge(&own, &usages()), Verdict::Fits { used: Some(4), limit: Some(100) });
        assert!(matches!(judge(&Line { number: 100, ..own }, &usages()), Verdict::Breaks { by: 1, ask: 101, .. }));
    }

    #[test]
    fn a_limit_of_0_breaks_for_one_machine() {
        let line = line(Quota::of_family(Service::Compute, "standardNDAMSv4_A100Family"), 96);
        assert!(matches!(judge(&line, &usages()), Verdict::Breaks { by: 96, ask: 96, .. }));
    }

    #[test]
    fn an_unknown_part_never_fits_but_can_break() {
        let mut line = line(Quota::new(Service::Compute, "cores"), 10);
        line.unknown.insert("pool `x`".to_owned());
        assert!(matches!(judge(&line, &usages()), Verdict::Unknown { used: Some(9), limit: Some(100), .. }));
        line.number = 92;
        assert!(matches!(judge(&line, &usages()), Verdict::Breaks { by: 1, .. }));
    }

    #[test]
    fn what_is_deployed_is_taken_off_what_is_used() {
        let growth = |now, before, after| Growth {
            scope: Scope::Region(Some("westus".to_owned())),
            quota: Quota::of_family(Service::Compute, "standardDSv3Family"),
            now,
            before,
            after,
            unknown: BTreeSet::new(),
            parts: Vec::new(),
        };
        let judged = |growth: &Growth| judge_growth(growth, &usages());
        // 4 used, all of it by this project: 100 fit
        let near = Some(Verdict::Fits { used: Some(4), limit: Some(100) });
        assert_eq!(judged(&growth(4, 8, 100)), near);
        assert!(matches!(judged(&growth(4, 8, 101)), Some(Verdict::Breaks { by: 1, ask: 101, .. })));
        // 4 used by others
        assert!(matches!(judged(&growth(0, 0, 97)), Some(Verdict::Breaks { by: 1, ask: 101, .. })));
        assert_eq!(judged(&growth(0, 0, 86)), None);
        assert_eq!(judged(&growth(0, 0, 87)), near);
        // no more than before, however much that is
        assert_eq!(judged(&growth(4, 200, 200)), None);
    }

    #[test]
    fn a_limit_that_is_not_listed_is_unknown() {
        let line = line(Quota::of_family(Service::Compute, "standardXFamily"), 1);
        assert!(matches!(judge(&line, &usages()), Verdict::Unknown { .. }));
    }

    #[test]
    fn the_command_line_of_azure_writes_numbers_as_texts() {
        let printed = json!([{ "currentValue": "9", "limit": "100", "localName": "Total Regional vCPUs", "name": { "value": "cores" } }]);
        let mut usages = Usages::default();
        assert_eq!(usages.add(&printed, Some("westus")), Ok(()));
        let line = line(Quota::new(Service::Compute, "cores"), 92);
        assert!(matches!(judge(&line, &usages), Verdict::Breaks { by: 1, .. }));
    }

    /// Parts of a recorded account (<https://github.com/Azure/azure-cli>, `test_batch_general_arm_cmd.yaml` at 00c49e05, MIT).
    #[test]
    fn a_batch_account_has_its_own_limits() {
        let body = json!({ "name": "acct1", "type": "Microsoft.Batch/batchAccounts", "properties": {
            "dedicatedCoreQuota": 500, "lowPriorityCoreQuota": 500, "poolQuota": 100,
            "dedicatedCoreQuotaPerVMFamily": [{ "name": "standardNCADSA100v4Family", "coreQuota": 0 }],
            "dedicatedCoreQuotaPerVMFamilyEnforced": true } });
        let mut usages = Usages::default();
        assert_eq!(usages.add(&body, None), Ok(()));
        let line = |quota, number| Line { scope: Scope::Batch(Some("acct1".to_owned())), ..line(quota, number) };
        let family = line(Quota::of_family(Service::Batch, "StandardNCADSA100v4Family"), 24);
        assert!(matches!(judge(&family, &usages), Verdict::Breaks { used: None, by: 24, .. }));
        let total = line(Quota::new(Service::Batch, "dedicatedCoreQuota"), 500);
        assert_eq!(judge(&total, &usages), Verdict::Fits { used: None, limit: Some(500) });
    }

    /// Entries of the example of Microsoft's REST specification (`Usage/list.json`, 2022-10-01, MIT), of an answer with the names of
    /// the API, and of what `az ml compute list-usage` prints (azure-ai-ml, `UsageSchema`).
    #[test]
    fn machine_learning_is_read_in_the_names_of_all_its_lists() {
        let kind = |part: &str| format!("Microsoft.MachineLearningServices/{part}/usages");
        let entry = |part: &str, id: &str, name: &str, used: i64, limit: i64| {
            json!({ "id": format!("/subscriptions/0{id}/usages/x"), "type": kind(part), "currentValue": used, "limit": limit,
                "name": { "value": name, "localizedValue": name }, "unit": "Count" })
        };
        let specified = json!({ "value": [
            entry("totalCores", "", "Clusters", 7, 100),
            entry("dedicatedCores", "", "Total Cluster Dedicated Regional vCPUs", 14, 24),
            entry("vmFamily", "", "Standard DSv2 Family Cluster Dedicated vCPUs", 2, 24),
            entry("workspaces", "/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/w",
                "Standard DSv2 Family Cluster Dedicated vCPUs", 2, 1),
            entry("lowPriorityCores", "", "Total Cluster LowPriority Regional vCPUs", 18, 50),
            entry("vmFamily", "", "Standard DSv2 Family Cluster LowPriority vCPUs", 0, -1),
        ] });
        let named = json!([
            entry("totalCores", "", "TotalClusters", 7, 100),
            entry("dedicatedCores", "", "TotalDedicatedCores", 14, 24),
            entry("vmFamily/dedicatedCores", "", "standardDSv2Family", 2, 24),
            entry("lowPriorityCores", "", "TotalLowPriorityCores", 18, 50),
            entry("vmFamily/lowPriorityCores", "", "standardDSv2Family", 18, -1),
        ]);
        let printed = json!([
            { "aml_workspace_location": "westus", "type": kind("totalCores"), "current_value": 7, "limit": 100, "name": { "value": "TotalClusters", "localized_value": "Total Clusters" } },
            { "aml_workspace_location": "westus", "type": kind("dedicatedCores"), "current_value": 14, "limit": 24, "name": { "value": "TotalDedicatedCores", "localized_value": "Total Cluster Dedicated Regional vCPUs" } },
            { "aml_workspace_location": "westus", "type": kind("vmFamily"), "current_value": 2, "limit": 24, "name": { "value": "standardDSv2Family", "localized_value": "Standard DSv2 Family Cluster Dedicated vCPUs" } },
            { "aml_workspace_location": "westus", "type": kind("vmFamily"), "current_value": 0, "limit": -1, "name": { "value": "standardDSv2Family", "localized_value": "Standard DSv2 Family Cluster LowPriority vCPUs" } },
            { "aml_workspace_location": "westus", "type": kind("lowPriorityCores"), "current_value": 18, "limit": 50, "name": { "value": "TotalLowPriorityCores", "localized_value": "Total Cluster Low Priority Regional vCPUs" } },
        ]);
        for (body, region) in [(specified, Some("westus")), (named, Some("West US")), (printed, None)] {
            let mut usages = Usages::default();
            assert_eq!(usages.add(&body, region), Ok(()));
            let learning = |quota, number| Line {
                scope: Scope::MachineLearning(Some("westus".to_owned())),
                ..line(quota, number)
            };
            let of = |name: &str, number| judge(&learning(Quota::new(Service::MachineLearning, name), number), &usages);
            assert!(matches!(of("Total Cluster Dedicated Regional vCPUs", 11), Verdict::Breaks { by: 1, ask: 25, .. }));
            assert!(matches!(of("Total Cluster Low Priority Regional vCPUs", 33), Verdict::Breaks { by: 1, .. }));
            assert_eq!(of("Total Clusters", 93), Verdict::Fits { used: Some(7), limit: Some(100) });
            let family = learning(Quota::of_family(Service::MachineLearning, "standardDSv2Family"), 23);
            assert!(
                matches!(judge(&family, &usages), Verdict::Breaks { used: Some(2), limit: 24, by: 1, .. }),
                "{body}"
            );
            let compute = line(Quota::of_family(Service::Compute, "standardDSv2Family"), 1);
            assert!(matches!(judge(&compute, &usages), Verdict::Unknown { .. }));
        }
    }

    #[test]
    fn ids_say_the_region_and_other_bodies_are_refused() {
        let id = "/subscriptions/0/providers/Microsoft.Network/locations/westus/usages/VirtualNetworks";
        let body = json!([{ "currentValue": 10, "id": id, "limit": 1000, "name": { "value": "VirtualNetworks" } }]);
        let mut usages = Usages::default();
        assert_eq!(usages.add(&body, None), Ok(()));
        assert!(usages.add(&recorded(), None).is_err());
        assert!(usages.add(&json!({ "error": {} }), Some("westus")).is_err());
        assert!(usages.add(&json!([{ "name": {} }]), Some("westus")).is_err());
    }
}
