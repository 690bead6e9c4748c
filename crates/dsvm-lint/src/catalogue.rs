//! The one list of rules. One row for each: the table, the pages and the documentation come from it.

use crate::rules::{access, batch, cost, data, machines, people, proof, raw, scale, unused, written};
use crate::subject::Look;
use dsvm_diagnostics::{Diagnostic, Severity};

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// Who gets in, and what is protected.
    Security,
    /// What keeps working when something fails.
    Reliability,
    /// What is paid for without need.
    Cost,
    /// What is slower than it could be.
    Performance,
    /// What ends, and what must not be lost.
    Lifecycle,
    /// What a team agrees on.
    Style,
}

impl Category {
    /// Its name in lower case.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Security => "security",
            Self::Reliability => "reliability",
            Self::Cost => "cost",
            Self::Performance => "performance",
            Self::Lifecycle => "lifecycle",
            Self::Style => "style",
        }
    }
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The rule does not run.
    Off,
    /// A hint that may be ignored.
    Info,
    /// Worth a change; `lint` fails where warnings are denied.
    Warn,
    /// Not accepted: `lint` fails.
    Error,
}

impl Level {
    /// All levels, lowest first.
    pub const ALL: [Self; 4] = [Self::Off, Self::Info, Self::Warn, Self::Error];

    /// Its word in `dsvmc.toml`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    /// The severity of findings; none when the rule is off.
    #[must_use]
    pub fn severity(self) -> Option<Severity> {
        match self {
            Self::Off => None,
            Self::Info => Some(Severity::Info),
            Self::Warn => Some(Severity::Warning),
            Self::Error => Some(Severity::Error),
        }
    }
}

/// The value of an option that is not set.
#[derive(Clone, Copy, Debug)]
pub enum OptionDefault {
    /// A number, this one unless another is set.
    Number(i64),
    /// A list of texts; without one, the rule finds nothing.
    Words,
    /// Regular expressions by resource type; without one, the rule finds nothing.
    Patterns,
}

impl OptionDefault {
    /// What is expected, with its article.
    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::Number(_) => "a number",
            Self::Words => "a list of texts",
            Self::Patterns => "a table of patterns",
        }
    }
}

/// An option of a rule.
#[derive(Clone, Copy, Debug)]
pub struct OptionSpec {
    /// Its name in `dsvmc.toml`, in kebab case.
    pub name: &'static str,
    /// What holds when it is not set.
    pub default: OptionDefault,
}

/// A rule: what it is called, and how it looks.
pub struct Rule {
    /// Name in kebab case, which never changes its meaning.
    pub id: &'static str,
    /// What it is about.
    pub category: Category,
    /// Its level unless `dsvmc.toml` sets another.
    pub level: Level,
    /// What it finds, as a noun phrase.
    pub summary: &'static str,
    /// Where the advice comes from: rules of other tools by their ids, documents by their names.
    pub source: &'static str,
    /// What can be set about it.
    pub options: &'static [OptionSpec],
    pub(crate) check: fn(&Look<'_, '_>, &mut Vec<Diagnostic>),
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

/// The rule of a name; `_` counts as `-`.
#[must_use]
pub fn rule_named(name: &str) -> Option<&'static Rule> {
    let name = name.to_ascii_lowercase().replace('_', "-");
    RULES.iter().find(|rule| rule.id == name)
}

/// Letters of the longest name of a rule, and some to spare.
const LONGEST: usize = 32;

/// A name as it is shown in a message: one that is far too long is cut.
pub(crate) fn shown(name: &str) -> String {
    let mut short: String = name.chars().take(2 * LONGEST).collect();
    if short.len() < name.len() {
        short.push('…');
    }
    short
}

/// The rule that a misspelt name probably means.
#[must_use]
pub fn similar_rule(name: &str) -> Option<&'static Rule> {
    // Nobody misspells a name into a page; comparing takes the product of both lengths.
    if name.len() > 2 * LONGEST {
        return None;
    }
    let distance = |rule: &&Rule| strsim::damerau_levenshtein(rule.id, &name.to_ascii_lowercase());
    let best = RULES.iter().min_by_key(distance)?;
    (distance(&best) <= best.id.len() / 3).then_some(best)
}

macro_rules! catalogue {
    ($($id:literal, $category:ident, $level:ident, $check:path, [$($option:literal = $default:expr),*],
        $summary:literal, $source:literal;)*) => {
        /// Every rule, by category.
        pub const RULES: &[Rule] = &[$(Rule {
            id: $id,
            category: Category::$category,
            level: Level::$level,
            summary: $summary,
            source: $source,
            options: &[$(OptionSpec { name: $option, default: $default }),*],
            check: $check,
        },)*];

        /// Calls `$callback!` with the names of all rules: how the program embeds their pages.
        #[macro_export]
        macro_rules! for_each_rule {
            ($callback:ident) => { $callback! { $($id;)* } };
        }
    };
}

use OptionDefault::{Number, Patterns, Words};

catalogue! {
    // security
    "sensitive-port-open", Security, Warn, access::sensitive_port_open, [],
        "a port that gives control or data, open to the whole internet",
        "CKV_AZURE_10, AZU-0050, AZU-0074, Azure Policy 22730e10";
    "open-to-internet", Security, Warn, access::open_to_internet, [],
        "a service open to the whole internet",
        "Azure.NSG.AnyInboundSource, AZU-0047, CKV_AZURE_160, Azure Policy 9daedab3";
    "open-range-wide", Security, Info, access::open_range_wide, ["shortest" = Number(16), "shortest-ipv6" = Number(32)],
        "a service open to more addresses than one organisation has",
        "CKV_AZURE_77, AZU-0047";
    "password-login", Security, Warn, people::password_login, [],
        "SSH that accepts passwords",
        "CKV_AZURE_49, CKV_AZURE_149, CKV_AZURE_178, AZU-0039, Azure.VMSS.PublicKey";
    "key-shared-by-people", Security, Warn, people::key_shared_by_people, [],
        "two people with one key",
        "Microsoft cloud security benchmark IM-1";
    "user-with-root", Security, Info, people::user_with_root, [],
        "a user who can become root on a shared machine",
        "Microsoft cloud security benchmark PA-7";
    "role-too-wide", Security, Warn, people::role_too_wide, [],
        "a role that changes things, granted on the whole resource group",
        "AZU-0030, Microsoft cloud security benchmark PA-7";
    "identity-shared", Security, Info, people::identity_shared, [],
        "pools that share an identity with roles",
        "Microsoft cloud security benchmark PA-7";
    "shared-key-storage", Security, Warn, data::shared_key_storage, [],
        "a share mounted with the key of its account",
        "CKV2_AZURE_40, Azure.Storage.LocalAuth, Azure Policy 8c6a50c6";
    "shared-key-batch", Security, Warn, batch::shared_keys, [],
        "a Batch account that accepts its keys",
        "Azure Policy 6f68b69f";
    "public-vault", Security, Warn, data::public_vault, [],
        "a vault that the whole internet reaches",
        "CKV_AZURE_109, CKV_AZURE_189, AZU-0013, Azure.KeyVault.Firewall";
    "public-storage-endpoint", Security, Off, data::public_storage_endpoint, [],
        "a share without a private endpoint",
        "CKV_AZURE_59, CKV2_AZURE_33, Azure Policy 6edd7eda";
    "ml-ssh-open", Security, Warn, batch::ssh_open, [],
        "SSH of cluster machines, open to the whole internet",
        "Azure Well-Architected Framework, Azure Machine Learning";
    "task-user-elevated", Security, Info, batch::task_user_elevated, [],
        "tasks that run as administrator",
        "Azure Batch, best practices";
    "host-encryption-off", Security, Info, machines::host_encryption_off, [],
        "machines whose temporary disks and caches are not encrypted",
        "CKV_AZURE_97, CKV_AZURE_151, Azure Policy fc4d8e41";
    "trusted-launch-off", Security, Warn, machines::trusted_launch_off, [],
        "machines without Trusted Launch although image and size have it",
        "Azure Policy c95b54ad, APRL 1c5e1e58";
    "secure-boot-off", Security, Warn, machines::secure_boot_off, [],
        "Secure Boot switched off on a size without GPUs",
        "Azure Policy b1bb3592, 95406fc3";
    "secret-without-expiry", Security, Info, data::secret_without_expiry, [],
        "a secret of a vault without a day on which it ends",
        "CKV_AZURE_41, AZU-0017, Azure Policy 98728c90";
    "secret-expired", Security, Warn, data::secret_expired, [],
        "a secret of a vault that has expired",
        "Azure Policy 342e8053";
    "vault-retention-short", Security, Info, data::vault_retention_short, ["days" = Number(90)],
        "deleted secrets that are kept for a short time",
        "Azure.KeyVault.SoftDelete, CKV_AZURE_111";
    "vault-purge", Security, Warn, raw::purge_protection, [],
        "a vault in ARM's own words without purge protection",
        "CKV_AZURE_42, CKV_AZURE_110, AZU-0016, Azure.KeyVault.PurgeProtect, APRL 70fcfe6d";
    "smb-old-option", Security, Warn, data::smb_old_option, [],
        "a mount option that weakens an SMB mount",
        "CIS Azure benchmark, SMB protocol version";
    "subnet-without-group", Security, Warn, raw::subnet_without_group, [],
        "a subnet in ARM's own words without a network security group",
        "CKV2_AZURE_31, Azure.VNET.UseNSGs, APRL f0bf9ae6, Azure Policy e71308d3";
    "override-weakens", Security, Warn, raw::override_weakens, [],
        "an `override` or a `resource` that takes protection away",
        "CKV_AZURE_44, CKV_AZURE_118, AZU-0075, AZU-0076, Azure.VMSS.PublicIPAttached, Azure.Storage.MinTLS";
    "plain-secret", Security, Warn, written::plain_secret, [],
        "a parameter whose name says that it is secret, and that is not",
        "arm-ttk Password params must be secure, Bicep secure-secrets-in-params";
    "script-from-http", Security, Warn, written::script_from_http, [],
        "a script that is fetched over plain HTTP and run",
        "Azure.ImageBuilder.CustomizeHash";
    "container-image-unpinned", Security, Info, batch::container_image_unpinned, [],
        "a container image whose name can mean another image tomorrow",
        "CIS Docker benchmark 4.2";
    // reliability
    "no-zones", Reliability, Info, machines::no_zones, [],
        "machines in no availability zone of a region that has them",
        "Azure.VMSS.AvailabilityZone, APRL 1422c567, Azure Policy 42f4f3a2";
    "single-zone", Reliability, Warn, machines::single_zone, [],
        "all machines in one availability zone",
        "Azure Policy d3903bdf, APRL 1422c567";
    "single-machine", Reliability, Info, scale::single_machine, [],
        "a pool that never has more than one machine",
        "APRL 6d82d042, APRL 273f6b30, Azure.VM.Standalone";
    "repair-off", Reliability, Warn, machines::repair_off, [],
        "machines that nobody repairs",
        "Azure.VMSS.AutoInstanceRepairs, APRL 820f4743";
    "upgrade-all-at-once", Reliability, Warn, machines::upgrade_all_at_once, ["batch" = Number(50)],
        "an upgrade that takes most machines away at once",
        "Azure Well-Architected Framework, virtual machines";
    "os-updates-off", Reliability, Info, machines::os_updates_off, [],
        "machines that keep an old version of an image that Azure can upgrade",
        "CKV_AZURE_95, Azure Policy 465f0161";
    "boot-diagnostics-off", Reliability, Info, machines::boot_diagnostics_off, [],
        "machines without a log of their boot",
        "Azure Well-Architected Framework, virtual machines";
    "storage-lrs", Reliability, Warn, data::storage_lrs, [],
        "data with all its copies in one building",
        "CKV_AZURE_206, Azure.Storage.UseReplication, APRL e6c7e1cc";
    "share-without-backup", Reliability, Info, data::share_without_backup, [],
        "a share that nothing backs up",
        "Azure Policy cfc5190a, Azure Advisor ebe76d14";
    "share-retention-short", Reliability, Warn, data::share_retention_short, ["days" = Number(7)],
        "deleted shares that are kept for a short time",
        "CKV2_AZURE_38, Azure.Storage.FileShareSoftDelete";
    "single-dns-server", Reliability, Warn, access::single_dns_server, [],
        "a network with one DNS server",
        "Azure.VNET.SingleDNS, CKV_AZURE_182";
    "unreachable-private", Reliability, Warn, batch::unreachable_private, [],
        "an account or workspace that nobody reaches",
        "Azure Policy 009a0c92, CKV_AZURE_243";
    "affinity-by-address", Reliability, Warn, access::affinity_by_address, [],
        "more machines than addresses that people come from",
        "Azure Load Balancer, distribution modes";
    "affinity-without-state-share", Reliability, Info, machines::affinity_without_state_share, [],
        "a pool whose people keep their files on single machines",
        "Azure Well-Architected Framework, virtual machines";
    "spot-without-fallback", Reliability, Info, machines::spot_without_fallback, [],
        "people on machines that Azure can take away",
        "Azure Well-Architected Framework, virtual machines";
    "autoscale-never-grows", Reliability, Warn, scale::never_grows, [],
        "a range of machines whose upper end is never reached",
        "Azure Monitor autoscale, best practices";
    "autoscale-step-too-big", Reliability, Warn, scale::step_too_big, [],
        "a rule that takes a pool from one end of its range to the other",
        "Azure Monitor autoscale, best practices";
    "autoscale-cooldown-short", Reliability, Info, scale::cooldown_short, ["minutes" = Number(5)],
        "a rule that acts again before its effect is seen",
        "Azure Monitor autoscale, best practices";
    "autoscale-flaps", Reliability, Off, proof::flaps, ["startup" = Number(5)],
        "rules that add and remove machines for ever under a constant load",
        "Azure Monitor autoscale, flapping; evaluated for every load";
    "autoscale-sleeps", Reliability, Warn, proof::sleeps, ["startup" = Number(5)],
        "a pool at zero that a little work does not wake",
        "Azure Monitor autoscale, best practices; evaluated for every load";
    "autoscale-disabled", Reliability, Info, scale::disabled, [],
        "an autoscale policy that is switched off",
        "APRL ee66ff65";
    "nobody-notified", Reliability, Info, scale::nobody_notified, [],
        "autoscale that tells nobody when it fails",
        "Azure Monitor autoscale, best practices";
    "timezone-missing", Reliability, Warn, scale::timezone_missing, [],
        "a schedule with hours and no time zone",
        "Azure Monitor autoscale, best practices";
    "cpu-rule-on-burstable", Reliability, Warn, scale::cpu_rule_on_burstable, [],
        "burstable machines that are scaled by the load of processors",
        "Azure virtual machine sizes, Bsv2 series";
    // cost
    "always-on-interactive", Cost, Info, cost::always_on, [],
        "a pool that never goes down to zero machines",
        "APRL ee66ff65, Azure Well-Architected Framework, cost";
    "autoscale-unbounded", Cost, Warn, cost::unbounded, ["most" = Number(50)],
        "a pool that can grow to many machines",
        "Azure Well-Architected Framework, cost";
    "unused-resource", Cost, Warn, unused::unused_resource, [],
        "something that is deployed and that nothing uses",
        "Bicep no-unused-existing-resources";
    "address-behind-gateway", Cost, Info, cost::address_behind_gateway, [],
        "batch machines with public addresses behind a NAT gateway",
        "Azure Policy 83a86a26, Azure Well-Architected Framework, Batch";
    "odd-disk-size", Cost, Info, machines::odd_disk_size, [],
        "an OS disk that is billed as a larger one",
        "Azure.VM.DiskSizeAlignment";
    "ephemeral-would-fit", Cost, Info, machines::ephemeral_would_fit, [],
        "an OS disk that would fit on the host, where it costs nothing",
        "APRL a7bfcc18, Azure.AKS.EphemeralOSDisk";
    "ml-idle-long", Cost, Info, cost::cluster_idles_long, ["minutes" = Number(60)],
        "cluster machines that wait long for the next job",
        "Azure.ML.ComputeIdleShutdown, Azure Policy 679ddf89";
    "job-runs-long", Cost, Info, cost::job_runs_long, ["days" = Number(7)],
        "a job that may hang for a long time",
        "Azure Batch, best practices";
    // performance
    "slow-os-disk", Performance, Info, machines::slow_os_disk, [],
        "machines that start from a hard disk",
        "APRL df0ff862, Azure Advisor 3c03549b";
    "accelerated-networking-off", Performance, Info, machines::accelerated_networking_off, [],
        "network cards that go through the host without need",
        "Azure.VM.AcceleratedNetworking, APRL dfedbeb1";
    "cpu-rule-on-gpu", Performance, Info, scale::cpu_rule_on_gpu, [],
        "machines with GPUs that are scaled by the load of processors",
        "Azure Monitor autoscale, common metrics";
    "burstable-size", Performance, Info, machines::burstable_size, [],
        "a size that slows down when it works for long",
        "APRL 3201dba8, Azure Advisor 7f71b153";
    "lb-outbound-ports", Performance, Info, access::lb_outbound_ports, [],
        "machines that share the outbound ports of a load balancer",
        "APRL 8d319a05, APRL 1adba190";
    // lifecycle
    "retires-soon", Lifecycle, Warn, machines::retires_soon, ["days" = Number(180)],
        "a size or an image that ends soon",
        "Azure Advisor a37462ed, APRL cf2569bb, tflint retired sizes";
    "stateful-unprotected", Lifecycle, Info, data::stateful_unprotected, [],
        "data that a plan may delete",
        "tflint azurerm_resource_missing_prevent_destroy, Azure Well-Architected Framework, Azure Files";
    "retired-sku", Lifecycle, Warn, raw::retired_sku, [],
        "a public address or a load balancer of the SKU Basic",
        "APRL 5cea1501, Azure.PublicIP.MigrateStandard, Azure.LB.StandardSKU";
    "old-api-version", Lifecycle, Info, raw::old_api_version, ["years" = Number(2)],
        "a `resource` that is written for an old API version",
        "Bicep use-recent-api-versions, arm-ttk apiVersions Should Be Recent";
    "image-pinned", Lifecycle, Off, machines::image_pinned, [],
        "an image that stays at one version",
        "Bicep use-stable-vm-image, arm-ttk VM Images Should Use Latest Version";
    "image-latest", Lifecycle, Off, machines::image_latest, [],
        "machines that can have different versions of an image",
        "reproducible deployments";
    // style
    "missing-tags", Style, Info, written::missing_tags, [],
        "resources without tags",
        "Azure.Resource.UseTags";
    "required-tags", Style, Error, written::required_tags, ["tags" = Words],
        "a tag that your organisation requires and that is missing",
        "Azure.Resource.RequiredTags, tflint azurerm_resource_missing_tags, Azure Policy 871b6d14";
    "missing-description", Style, Info, written::missing_description, [],
        "a parameter or output without a description",
        "Bicep use-description-params, Azure.Template.ParameterMetadata";
    "region-not-allowed", Style, Error, written::region_not_allowed, ["regions" = Words],
        "a region outside of those that your organisation allows",
        "Azure.Resource.AllowedRegions, Azure Policy e56962a6";
    "region-restricted", Style, Warn, written::region_restricted, [],
        "a region that is open to few subscriptions",
        "Azure regions, access to restricted regions";
    "size-not-allowed", Style, Error, written::size_not_allowed, ["sizes" = Words],
        "a size outside of those that your organisation allows",
        "Azure Policy cccc23c7";
    "naming-convention", Style, Warn, written::naming_convention, ["patterns" = Patterns],
        "a name that your organisation would not give",
        "Azure.Group.Naming, Azure.VNET.Naming, Cloud Adoption Framework, naming";
    "hardcoded-url", Style, Info, written::hardcoded_url, [],
        "a host name that is right in one cloud only",
        "Bicep no-hardcoded-env-urls, arm-ttk DeploymentTemplate Must Not Contain Hardcoded Uri";
    "user-without-login", Style, Warn, people::user_without_login, [],
        "a user who cannot log in",
        "Microsoft cloud security benchmark IM-1";
}
