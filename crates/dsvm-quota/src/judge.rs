//! A demand and what Azure answers of its limit → whether it fits.

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

/// Compares a demand with its limit less what is used now. Resources of the tree that are deployed already are part of what is
/// used and are counted again: the answer is on the safe side.
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
    let ask = used.unwrap_or(0).saturating_add(line.number);
    if ask > limit && line.number > 0 {
        let by = ask - limit;
        return Verdict::Breaks { used, limit, by, ask, name: usage.name.clone() };
    }
    if !line.unknown.is_empty() {
        return Verdict::Unknown { used, limit: Some(limit), why: "a part of the demand is not known" };
    }
    Verdict::Fits { used, limit: Some(limit) }
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
        Line { scope, quota, number, unknown: BTreeSet::new(), parts: Vec::new() }
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
