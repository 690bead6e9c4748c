//! What is counted, where, and how Azure spells it.

use std::cmp::Ordering;

/// Where a limit holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// A region of the subscription; none: one that only the deployment knows.
    Region(Option<String>),
    /// A Batch account, by name; none: a name that only the deployment knows.
    Batch(Option<String>),
    /// Azure Machine Learning in a region, which has limits of its own.
    MachineLearning(Option<String>),
}

/// Whose limit it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Machines, scale sets and disks of the subscription.
    Compute,
    /// Networks and what is in them.
    Network,
    /// Accounts of Azure Batch, each with limits of its own.
    Batch,
    /// Clusters of Azure Machine Learning.
    MachineLearning,
}

impl Service {
    /// Namespace of its resource provider.
    #[must_use]
    pub fn namespace(self) -> &'static str {
        match self {
            Self::Compute => "Microsoft.Compute",
            Self::Network => "Microsoft.Network",
            Self::Batch => "Microsoft.Batch",
            Self::MachineLearning => "Microsoft.MachineLearningServices",
        }
    }
}

/// A limit by the name that the API gives it. Two names that differ in case or blanks are one limit: the lists of Compute and of
/// Batch accounts spell some families differently.
#[derive(Clone, Debug)]
pub struct Quota {
    /// The resource provider that keeps it.
    pub service: Service,
    /// `name.value` of its usage; of Azure Machine Learning, where lists disagree in it, the name that people see.
    pub name: String,
    /// Counts the cores of one family of sizes.
    pub family: bool,
}

/// Quotas other than those of families, in the order in which they are shown, with the names that people see
/// (`localizedValue`). Names of Compute and Network are those of recorded answers
/// (<https://github.com/Azure/azure-cli>, `test_vm_usage.yaml`, `test_network_usage_list.yaml`).
const KNOWN: &[(Service, &str, &str)] = &[
    (Service::Compute, "cores", "Total Regional vCPUs"),
    (Service::Compute, "lowPriorityCores", "Total Regional Low-priority vCPUs"),
    (Service::Compute, "virtualMachines", "Virtual Machines"),
    (Service::Compute, "virtualMachineScaleSets", "Virtual Machine Scale Sets"),
    (Service::Compute, "PremiumDiskCount", "Premium Storage Managed Disks"),
    (Service::Compute, "StandardSSDDiskCount", "StandardSSDStorageDisks"),
    (Service::Compute, "StandardDiskCount", "Standard Storage Managed Disks"),
    (Service::Compute, "PremiumV2DiskCount", "Premium v2 managed disks"),
    (Service::Compute, "UltraSSDDiskCount", "Ultra managed disks"),
    (Service::Network, "VirtualNetworks", "Virtual Networks"),
    (Service::Network, "NetworkSecurityGroups", "Network Security Groups"),
    (Service::Network, "NetworkInterfaces", "Network Interfaces"),
    (Service::Network, "StandardSkuPublicIpAddresses", "Public IP Addresses - Standard"),
    (Service::Network, "PublicIPAddresses", "Public IP Addresses"),
    (Service::Network, "StandardSkuLoadBalancers", "Standard Sku Load Balancers"),
    (Service::Network, "LoadBalancers", "Load Balancers"),
    (Service::Network, "NatGateways", "Nat Gateways"),
    (Service::Network, "PrivateEndpoints", "Private Endpoints"),
    (Service::Batch, "dedicatedCoreQuota", "Dedicated vCPUs"),
    (Service::Batch, "lowPriorityCoreQuota", "Low-priority vCPUs"),
    (Service::Batch, "poolQuota", "Pools"),
    (Service::MachineLearning, "Total Cluster Dedicated Regional vCPUs", "Total Cluster Dedicated Regional vCPUs"),
    (
        Service::MachineLearning,
        "Total Cluster Low Priority Regional vCPUs",
        "Total Cluster Low Priority Regional vCPUs",
    ),
    (Service::MachineLearning, "Total Clusters", "Total Clusters"),
];

/// A name without what the lists of Azure disagree in: case and blanks.
#[must_use]
pub fn folded(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

impl Quota {
    /// A limit that is no family's.
    pub(crate) fn new(service: Service, name: &str) -> Self {
        Self { service, name: name.to_owned(), family: false }
    }

    /// The limit of a family of sizes.
    pub(crate) fn of_family(service: Service, family: &str) -> Self {
        Self { service, name: family.to_owned(), family: true }
    }

    /// The name that people see; the portal adds `vCPUs` to that of a family.
    #[must_use]
    pub fn title(&self) -> String {
        let known = KNOWN.iter().find(|(service, name, _)| *service == self.service && *name == self.name);
        match known {
            Some((_, _, title)) => (*title).to_owned(),
            None => format!("{} vCPUs", self.name),
        }
    }

    /// Totals, then families, then the rest in the order of the table.
    fn rank(&self) -> (Service, usize, String) {
        let at = KNOWN.iter().position(|(service, name, _)| *service == self.service && *name == self.name);
        let first = KNOWN.iter().position(|(service, _, _)| *service == self.service).unwrap_or(0);
        match at {
            Some(at) if at < first + 2 => (self.service, at - first, String::new()),
            Some(at) => (self.service, 3 + at, String::new()),
            None => (self.service, 2, folded(&self.name)),
        }
    }
}

impl PartialEq for Quota {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Quota {}
impl PartialOrd for Quota {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Quota {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_families_are_compared_without_case_and_blanks() {
        let of = |name: &str| Quota::of_family(Service::Compute, name);
        assert_eq!(of("StandardNCADSA100v4Family"), of("standardNCADSA100v4Family"));
        assert_eq!(of("Standard NCASv3_T4 Family"), of("StandardNCASv3_T4Family"));
        assert_ne!(of("standardDSv2Family"), of("standardDSv3Family"));
    }

    #[test]
    fn totals_come_first_and_families_next() {
        let mut all = [
            Quota::new(Service::Compute, "virtualMachines"),
            Quota::of_family(Service::Compute, "standardDSv3Family"),
            Quota::new(Service::Network, "VirtualNetworks"),
            Quota::new(Service::Compute, "lowPriorityCores"),
            Quota::new(Service::Compute, "cores"),
        ];
        all.sort();
        let names: Vec<&str> = all.iter().map(|quota| quota.name.as_str()).collect();
        assert_eq!(names, ["cores", "lowPriorityCores", "standardDSv3Family", "virtualMachines", "VirtualNetworks"]);
    }
}
