//! A word of another tool or of everyday → the word of the language: what the message about an unknown name suggests.
//!
//! Promises: only a word that is allowed at the place is suggested, and a typing error takes precedence over another tool's word.
//! Spelling of the left side: lower case, without `_`, so that `vmSize` and `vm_size` are one.

use super::lookup::suggest;

/// Words of Azure's types and command line, of Terraform's `azurerm` provider and of other clouds, by what they mean
/// here; the first of the right side that is allowed at the place is suggested.
#[rustfmt::skip]
const SYNONYMS: &[(&[&str], &[&str])] = &[
    (&["addressprefix", "addressprefixes", "addressspace", "cidr", "iprange", "prefix", "range"], &["address"]),
    (&["bootstrap", "cloudinit", "customdata", "customscript", "init", "provision", "script", "starttask", "userdata"], &["setup", "command"]),
    (&["capacity"], &["machines", "quota"]),
    (&["cmd", "commandline", "exec", "execute", "run"], &["command", "run"]),
    (&["core", "cores", "cpu", "cpus", "vcpus"], &["vcpu"]),
    (&["count", "instancecount", "instances", "nodecount", "nodes", "replicas", "vmcount", "vms", "min", "max", "minsize", "maxsize"], &["machines", "nodes"]),
    (&["disksize", "osdiskgb", "osdisksizegb", "diskgb", "disk"], &["os_disk_size", "temp_disk"]),
    (&["domain", "domainlabel", "domainnamelabel", "fqdn", "hostname"], &["dns_label", "computer_name"]),
    (&["environment", "stage"], &["env"]),
    (&["evictionpolicy"], &["on_eviction", "spot"]),
    (&["expose", "ports", "services", "listen"], &["serve"]),
    (&["fileshare", "fileshares", "mounts", "volume", "volumes", "filesystem", "storage", "storageshare"], &["shares", "share", "mount"]),
    (&["gpucount", "gpus"], &["gpu"]),
    (&["vram"], &["gpu_memory"]),
    (&["identities", "managedidentity", "userassignedidentity", "msi"], &["identity"]),
    (&["ingress", "inbound", "firewall", "nsgrule", "securityrule"], &["allow"]),
    (&["instancetype", "machinetype", "vmsize", "sku", "flavor", "hardware", "vmtype"], &["size"]),
    (&["keyvault"], &["vault"]),
    (&["acr", "containerregistry", "dockerregistry"], &["registry", "registries"]),
    (&["labels", "tag"], &["tags"]),
    (&["lowpriority", "preemptible", "spot"], &["priority"]),
    (&["maxtime", "timeout", "walltime", "maxwallclocktime"], &["time_limit"]),
    (&["mem", "ram"], &["memory"]),
    (&["mountpath", "mountpoint", "path", "target"], &["mount"]),
    (&["os", "osimage", "imagereference", "vmimage"], &["image"]),
    (&["authorizedkeys", "keys", "publickey", "pubkey", "sshkey", "sshkeys", "sshpublickey"], &["key"]),
    (&["quotagb", "quotagib", "sharequota"], &["quota"]),
    (&["region", "place"], &["location"]),
    (&["rg", "group", "resourcegroup"], &["resource_group"]),
    (&["scalerule", "scaling", "autoscaling"], &["autoscale"]),
    (&["scheduled", "recurrence", "cron"], &["schedule"]),
    (&["subnetid", "snet"], &["subnet"]),
    (&["tz", "zone"], &["timezone", "zones"]),
    (&["username", "adminusername", "login"], &["name"]),
    (&["parameter", "variable", "input"], &["param"]),
    (&["var", "const", "local", "locals"], &["let"]),
    (&["function", "def", "func"], &["fn"]),
    (&["assert", "assertion", "policy", "require"], &["check"]),
    (&["adminuser", "administrator", "owner"], &["admin"]),
    (&["vnet", "virtualnetwork", "vpc"], &["network"]),
    (&["vmss", "scaleset", "cluster", "nodepool", "machinepool"], &["pool"]),
    (&["roleassignment", "permission", "rbac"], &["grant"]),
    (&["module", "use", "include", "using"], &["import"]),
];

/// The candidate that was probably meant: one that is spelled nearly so, or the one that means what the word means elsewhere.
pub fn suggest_word<'a>(written: &str, candidates: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    suggest(written, candidates.clone()).or_else(|| {
        let plain: String = written.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect();
        let meanings = SYNONYMS.iter().filter(|(words, _)| words.contains(&plain.as_str())).flat_map(|(_, is)| *is);
        meanings.into_iter().find_map(|meant| candidates.clone().find(|candidate| candidate == meant))
    })
}

#[cfg(test)]
mod tests {
    use super::super::{BlockKind, spec};
    use super::*;

    #[test]
    fn words_of_other_tools_lead_to_ours() {
        let pool = || spec(BlockKind::Pool).field_names();
        assert_eq!(suggest_word("vmSize", pool()), Some("size"));
        assert_eq!(suggest_word("instance_count", pool()), Some("machines"));
        assert_eq!(suggest_word("wheels", pool()), None);
        assert_eq!(suggest_word("cidr", spec(BlockKind::Subnet).field_names()), Some("address"));
    }

    #[test]
    fn every_word_on_the_right_is_one_of_the_language() {
        let words = ["let", "fn", "check", "param", "import", "env"];
        for meant in SYNONYMS.iter().flat_map(|(_, meant)| *meant) {
            let known =
                BlockKind::ALL.iter().any(|kind| kind.keyword() == *meant || spec(*kind).field(meant).is_some());
            assert!(known || words.contains(meant), "{meant}");
        }
    }

    #[test]
    fn the_left_side_is_written_plainly() {
        for word in SYNONYMS.iter().flat_map(|(words, _)| *words) {
            assert!(word.chars().all(|c| c.is_ascii_lowercase()), "{word}");
        }
    }
}
