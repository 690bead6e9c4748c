//! Bodies of resources, as a template or the service has them → what they ask of which limit.

use super::names::{Quota, Scope, Service, folded};
use super::needs::Need;
use dsvm_graph::versions as v;
use dsvm_model::pool::RegularShare;
use serde_json::Value;

/// The cores of a machine as quota counts them, and their family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cores {
    /// Of one machine; nothing when that is not known.
    pub each: Option<u64>,
    /// Family of the size; nothing when that is not known.
    pub family: Option<String>,
}

/// The facts of a size, by its name.
pub type Sizes<'s> = dyn Fn(&str) -> Option<Cores> + 's;

/// Types of resources that [`Counter::resource`] counts.
pub(crate) const COUNTED: &[&str] = &[
    "Microsoft.Compute/virtualMachines",
    "Microsoft.Compute/disks",
    "Microsoft.Network/networkInterfaces",
    v::PUBLIC_IP.name,
    v::LOAD_BALANCER.name,
    v::PRIVATE_ENDPOINT.name,
    v::NETWORK.name,
    v::SECURITY_GROUP.name,
    v::NAT_GATEWAY.name,
];

/// What is counted so far.
pub(crate) struct Counter<'s> {
    /// The region of the resource group, which is that of what names none.
    pub near: Option<&'s str>,
    /// What is known of sizes.
    pub sizes: &'s Sizes<'s>,
    /// One for each thing and limit.
    pub all: Vec<Need>,
}

pub(crate) fn times(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    // None of something unknown is none.
    if a == Some(0) || b == Some(0) {
        return Some(0);
    }
    Some(a?.saturating_mul(b?))
}

/// A whole number, also as the text that autoscale settings have.
pub(crate) fn whole(value: Option<&Value>) -> Option<u64> {
    let value = value?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// How the API counts disks of a kind.
fn disk_quota(kind: &str) -> Option<&'static str> {
    let family = kind.split('_').next().unwrap_or(kind);
    match family.to_ascii_lowercase().as_str() {
        "premium" => Some("PremiumDiskCount"),
        "standardssd" => Some("StandardSSDDiskCount"),
        "standard" => Some("StandardDiskCount"),
        "premiumv2" => Some("PremiumV2DiskCount"),
        "ultrassd" => Some("UltraSSDDiskCount"),
        _ => None,
    }
}

/// The largest maximum of the profiles of an autoscale setting; nothing when one of them is known only at deployment.
pub(crate) fn most_of(setting: &Value) -> Option<u64> {
    let profiles = setting.pointer("/properties/profiles").and_then(Value::as_array)?;
    let mut most = 0;
    for profile in profiles {
        most = most.max(whole(profile.pointer("/capacity/maximum"))?);
    }
    Some(most)
}

/// With the machines that a rolling upgrade with surge makes anew before it deletes the old ones: those of a batch.
pub(crate) fn with_surge(body: &Value, most: Option<u64>) -> Option<u64> {
    let policy = body.pointer("/properties/upgradePolicy/rollingUpgradePolicy");
    if policy.and_then(|policy| policy.get("maxSurge")) != Some(&Value::Bool(true)) {
        return most;
    }
    let share = whole(policy.and_then(|policy| policy.get("maxBatchInstancePercent"))).unwrap_or(20);
    most.map(|most| most.saturating_add(most.saturating_mul(share).div_ceil(100)))
}

/// The sizes of a scale set: one, or those of its instance mix.
pub(crate) fn sizes_of(body: &Value) -> Vec<&str> {
    let mix = body.pointer("/properties/skuProfile/vmSizes").and_then(Value::as_array);
    match mix {
        Some(mix) => mix.iter().filter_map(|size| size.get("name")?.as_str()).collect(),
        None => body.pointer("/sku/name").and_then(Value::as_str).into_iter().collect(),
    }
}

/// Machines of one profile: all, the regular ones and the spot ones.
#[derive(Clone, Copy)]
struct Parts {
    number: Option<u64>,
    regular: Option<u64>,
    spot: Option<u64>,
}

impl Parts {
    /// `mix`: the `priorityMixPolicy` of a set with both.
    fn of(profile: &Value, number: Option<u64>, mix: Option<&Value>) -> Self {
        let priority = profile.get("priority").and_then(Value::as_str).unwrap_or("Regular");
        if !["spot", "low"].iter().any(|word| priority.eq_ignore_ascii_case(word)) {
            return Self { number, regular: number, spot: Some(0) };
        }
        let Some(mix) = mix else { return Self { number, regular: Some(0), spot: number } };
        let part = |name: &str| mix.get(name).and_then(Value::as_i64).unwrap_or(0);
        let share =
            RegularShare { base: part("baseRegularPriorityCount"), above: part("regularPriorityPercentageAboveBase") };
        let regular = number.and_then(|number| u64::try_from(share.of(i64::try_from(number).ok()?)).ok());
        let spot = number.zip(regular).map(|(number, regular)| number.saturating_sub(regular));
        Self { number, regular, spot }
    }
}

impl Counter<'_> {
    /// The region of a resource as Azure names it; nothing for one that only the deployment knows.
    pub fn region(&self, body: &Value) -> Option<String> {
        let text = body.get("location")?.as_str()?;
        let text = if text == "[resourceGroup().location]" { self.near? } else { text };
        let literal = !text.starts_with('[') && !text.is_empty();
        literal.then(|| folded(text))
    }

    pub fn push(&mut self, scope: &Scope, quota: Quota, number: Option<u64>, what: &str) {
        if number != Some(0) {
            self.all.push(Need { scope: scope.clone(), quota, number, what: what.to_owned() });
        }
    }

    /// A resource that is not made of machines whose number is decided elsewhere.
    pub fn resource(&mut self, kind: &str, name: &str, body: &Value) {
        let is = |other: &str| kind.eq_ignore_ascii_case(other);
        let named = || format!("{kind} `{name}`");
        let network = |name: &str| Quota::new(Service::Network, name);
        let scope = Scope::Region(self.region(body));
        let standard = |body: &Value| {
            body.pointer("/sku/name").and_then(Value::as_str).is_some_and(|name| name.eq_ignore_ascii_case("Standard"))
        };
        if is("Microsoft.Compute/virtualMachines") {
            let what = named();
            let profile = body.get("properties").unwrap_or(&Value::Null);
            let size = profile.pointer("/hardwareProfile/vmSize").and_then(Value::as_str);
            self.machines(&scope, &Vec::from_iter(size), profile, Parts::of(profile, Some(1), None), &what);
        } else if is("Microsoft.Compute/disks") {
            let quota = body.pointer("/sku/name").and_then(Value::as_str).and_then(disk_quota);
            let number = quota.map(|_| 1);
            let quota = Quota::new(Service::Compute, quota.unwrap_or("StandardDiskCount"));
            self.push(&scope, quota, number, &named());
        } else if is(v::PUBLIC_IP.name) {
            let quota = if standard(body) { "StandardSkuPublicIpAddresses" } else { "PublicIPAddresses" };
            self.push(&scope, network(quota), Some(1), &named());
        } else if is(v::LOAD_BALANCER.name) {
            let quota = if standard(body) { "StandardSkuLoadBalancers" } else { "LoadBalancers" };
            self.push(&scope, network(quota), Some(1), &named());
        } else if is(v::PRIVATE_ENDPOINT.name) {
            // An endpoint has a network card of its own.
            self.push(&scope, network("PrivateEndpoints"), Some(1), &named());
            self.push(&scope, network("NetworkInterfaces"), Some(1), &named());
        } else {
            let counted = [
                ("Microsoft.Network/networkInterfaces", "NetworkInterfaces"),
                (v::NETWORK.name, "VirtualNetworks"),
                (v::SECURITY_GROUP.name, "NetworkSecurityGroups"),
                (v::NAT_GATEWAY.name, "NatGateways"),
            ];
            if let Some((_, quota)) = counted.iter().find(|(kind, _)| is(kind)) {
                self.push(&scope, network(quota), Some(1), &named());
            }
        }
    }

    /// A scale set with that many machines, of one of several sizes.
    pub fn scale_set(&mut self, body: &Value, sizes: &[&str], machines: Option<u64>, what: &str) {
        let scope = Scope::Region(self.region(body));
        self.push(&scope, Quota::new(Service::Compute, "virtualMachineScaleSets"), Some(1), what);
        let profile = body.pointer("/properties/virtualMachineProfile").unwrap_or(&Value::Null);
        let mix = body.pointer("/properties/priorityMixPolicy");
        self.machines(&scope, sizes, profile, Parts::of(profile, machines, mix), what);
        let cards = profile.pointer("/networkProfile/networkInterfaceConfigurations").and_then(Value::as_array);
        let cards = cards.map_or(&[][..], Vec::as_slice);
        let (mut addresses, mut number) = (0, 0);
        for card in cards {
            number += 1;
            let configurations = card.pointer("/properties/ipConfigurations").and_then(Value::as_array);
            let public = |one: &&Value| one.pointer("/properties/publicIPAddressConfiguration").is_some();
            addresses += configurations.into_iter().flatten().filter(public).count() as u64;
        }
        let network = |name: &str| Quota::new(Service::Network, name);
        self.push(&scope, network("NetworkInterfaces"), times(machines, Some(number)), what);
        self.push(&scope, network("StandardSkuPublicIpAddresses"), times(machines, Some(addresses)), what);
    }

    /// Cores, machines and disks of machines with one profile.
    fn machines(&mut self, scope: &Scope, sizes: &[&str], profile: &Value, parts: Parts, what: &str) {
        let compute = |name: &str| Quota::new(Service::Compute, name);
        let number = parts.number;
        let sizes = if sizes.is_empty() { &["a size made at deployment"] } else { sizes };
        self.cores(scope, Service::Compute, sizes, parts.regular, false, what);
        self.cores(scope, Service::Compute, sizes, parts.spot, true, what);
        self.push(scope, compute("virtualMachines"), number, what);
        let system = profile.pointer("/storageProfile/osDisk");
        let ephemeral = system.is_some_and(|disk| disk.get("diffDiskSettings").is_some());
        let data = profile.pointer("/storageProfile/dataDisks").and_then(Value::as_array);
        for disk in system.filter(|_| !ephemeral).into_iter().chain(data.into_iter().flatten()) {
            let kind = disk.pointer("/managedDisk/storageAccountType").and_then(Value::as_str);
            if let Some(quota) = kind.and_then(disk_quota) {
                self.push(scope, compute(quota), number, what);
            } else {
                let what = format!("a disk of unknown kind of {what}");
                self.push(scope, compute("StandardDiskCount"), times(number, None), &what);
            }
        }
    }

    /// The cores of machines of a size: spot machines count in one number for all families, others in the total and their
    /// family's. Of several sizes each may be the one that is used, so that each family needs the whole number and the total
    /// the largest.
    pub fn cores(
        &mut self,
        scope: &Scope,
        service: Service,
        sizes: &[&str],
        number: Option<u64>,
        spot: bool,
        what: &str,
    ) {
        let (total, low) = match service {
            Service::Compute | Service::Network => ("cores", "lowPriorityCores"),
            Service::Batch => ("dedicatedCoreQuota", "lowPriorityCoreQuota"),
            Service::MachineLearning => {
                ("Total Cluster Dedicated Regional vCPUs", "Total Cluster Low Priority Regional vCPUs")
            }
        };
        let largest = |a: Option<u64>, b: Option<u64>| a.zip(b).map(|(a, b)| a.max(b));
        let mut most = Some(0);
        let mut families: Vec<(String, Option<u64>)> = Vec::new();
        for size in sizes {
            let facts = (self.sizes)(size);
            let all = times(number, facts.as_ref().and_then(|facts| facts.each));
            most = largest(most, all);
            let (family, all) = match facts.and_then(|facts| facts.family) {
                Some(family) => (family, all),
                None => (format!("family of {size},"), times(all, None)),
            };
            match families.iter_mut().find(|(known, _)| *known == family) {
                Some((_, known)) => *known = largest(*known, all),
                None => families.push((family, all)),
            }
        }
        if spot {
            return self.push(scope, Quota::new(service, low), most, what);
        }
        self.push(scope, Quota::new(service, total), most, what);
        for (family, all) in families {
            self.push(scope, Quota::of_family(service, &family), all, what);
        }
    }
}
