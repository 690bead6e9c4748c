//! Names of resources: length and characters, by type.

use super::facts::{NameRule, name_rule};
use regex::Regex;
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock};

/// What is wrong with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameProblem {
    /// `is 3 characters too long`
    pub what: String,
    /// The rule in words.
    pub rule: String,
    /// A name near the given one that would do, if there is one.
    pub suggestion: Option<String>,
    /// The rule is not documented by the service: say so as a warning.
    pub unsure: bool,
}

/// A compiled pattern; `None` when it does not compile. Patterns are few and used again and again.
pub(super) fn regex(pattern: &str) -> Option<Regex> {
    static ALL: OnceLock<Mutex<BTreeMap<String, Option<Regex>>>> = OnceLock::new();
    let mut all = ALL.get_or_init(Mutex::default).lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    all.entry(pattern.to_owned()).or_insert_with(|| Regex::new(pattern).ok()).clone()
}

fn fits(rule: &NameRule, name: &str) -> bool {
    let length = name.chars().count();
    let compiled = |pattern: &Option<String>| pattern.as_deref().and_then(|pattern| Regex::new(pattern).ok());
    let (must, must_not) = rule.compiled.get_or_init(|| (compiled(&rule.pattern), compiled(&rule.not)));
    (rule.min..=rule.max).contains(&length)
        && must.as_ref().is_none_or(|r| r.is_match(name))
        && !must_not.as_ref().is_some_and(|r| r.is_match(name))
}

/// Checks the first part of a DNS name.
#[must_use]
pub fn check_dns_label(label: &str) -> Option<NameProblem> {
    let letters = label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let ends = label.starts_with(|c: char| c.is_ascii_lowercase()) && !label.ends_with('-');
    let what = match label.len() {
        0..3 => format!("has {} characters; at least 3 are needed", label.len()),
        64.. => format!("has {} characters; at most 63 are allowed", label.len()),
        _ if letters && ends => return None,
        _ => "has characters that are not allowed".to_owned(),
    };
    let rule = "a lower-case letter, then lower-case letters, digits and hyphens, no hyphen at the end".to_owned();
    Some(NameProblem { what, rule, suggestion: None, unsure: false })
}

/// User names that Azure refuses for an administrator, in lower case.
pub const RESERVED_USER_NAMES: &[&str] = &[
    "administrator",
    "admin",
    "user",
    "user1",
    "test",
    "user2",
    "test1",
    "user3",
    "admin1",
    "1",
    "123",
    "a",
    "actuser",
    "adm",
    "admin2",
    "aspnet",
    "backup",
    "console",
    "david",
    "guest",
    "john",
    "owner",
    "root",
    "server",
    "sql",
    "support",
    "support_388945a0",
    "sys",
    "test2",
    "test3",
    "user4",
    "user5",
];

/// Checks the last part of a resource name (`default` of `account/default`). `None`: fine, or no rule is known.
#[must_use]
pub fn check_name(resource_type: &str, name: &str) -> Option<NameProblem> {
    let rule = name_rule(resource_type)?;
    if fits(rule, name) {
        return None;
    }
    let length = name.chars().count();
    let what = if length > rule.max {
        format!("has {length} characters; at most {} are allowed", rule.max)
    } else if length < rule.min {
        format!("has {length} characters; at least {} are needed", rule.min)
    } else {
        "has characters that are not allowed".to_owned()
    };
    Some(NameProblem { what, rule: rule.rule.clone(), suggestion: near(rule, name), unsure: rule.mark == "C" })
}

/// The name with what is not allowed left out or replaced, when that gives an allowed one.
fn near(rule: &NameRule, name: &str) -> Option<String> {
    let hyphens: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' }).collect::<String>();
    let joined = hyphens.split('-').filter(|p| !p.is_empty()).collect::<Vec<_>>().join("-");
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let candidates = [joined.clone(), joined.to_ascii_lowercase(), plain.clone(), plain.to_ascii_lowercase()];
    candidates
        .into_iter()
        .map(|c| c.chars().take(rule.max).collect::<String>().trim_end_matches('-').to_owned())
        .find(|c| c != name && fits(rule, c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_names_pass() {
        for (ty, name) in [
            ("Microsoft.Compute/virtualMachineScaleSets", "vmss-team"),
            ("Microsoft.Network/virtualNetworks", "vnet-main"),
            ("Microsoft.Storage/storageAccounts", "stresearch4711"),
            ("Microsoft.Storage/storageAccounts/fileServices", "default"),
            ("Microsoft.Storage/storageAccounts/fileServices/shares", "note-books"),
            ("microsoft.keyvault/vaults", "kv-team"),
            ("Microsoft.Authorization/roleAssignments", "b24988ac-6180-42a0-ab88-20f7382dd24c"),
            ("Microsoft.MachineLearningServices/workspaces/computes", "gpu-nodes"),
            ("Contoso.Unknown/things", "!!"),
        ] {
            assert_eq!(check_name(ty, name), None, "{ty} {name}");
        }
    }

    #[test]
    fn bad_names_are_told_with_a_way_out() {
        for (ty, name, suggestion) in [
            ("Microsoft.Storage/storageAccounts", "My_Shared-Disk", Some("myshareddisk")),
            ("Microsoft.Storage/storageAccounts/fileServices/shares", "note--books", Some("note-books")),
            ("Microsoft.KeyVault/vaults", "team-vault-with-a-long-name", Some("team-vault-with-a-long-n")),
            ("Microsoft.KeyVault/vaults", "1vault", None),
            ("Microsoft.Network/publicIPAddresses", "pip-", Some("pip")),
            ("Microsoft.MachineLearningServices/workspaces/computes", "gpu-1", Some("gpu1")),
            ("Microsoft.Batch/batchAccounts", "Team", Some("team")),
        ] {
            let problem = check_name(ty, name).unwrap_or_else(|| panic!("{ty} {name}"));
            assert_eq!(problem.suggestion.as_deref(), suggestion, "{ty} {name}");
        }
    }

    #[test]
    fn every_pattern_compiles() {
        for ty in super::super::known_types() {
            let rule = name_rule(ty);
            for pattern in rule.iter().flat_map(|r| r.pattern.iter().chain(&r.not)) {
                assert!(regex(pattern).is_some(), "{ty}: {pattern}");
            }
        }
    }
}
