//! What rules find, and what they must not find, beyond the examples of their pages.

use super::pages::{Page, findings_of};

const HEAD: &str = "project team { location = westeurope }\n\nimport std.images\nimport std.sizes\nimport std.roles\n\nparam admin_key: ssh_key\n\n";

/// A pool with some fields, after other blocks.
fn pool(before: &str, fields: &str) -> String {
    let default = |name: &str, text: &str| if fields.contains(name) { String::new() } else { text.to_owned() };
    format!(
        "{HEAD}{before}\npool team: interactive {{\n  image = images.ubuntu_2204\n{}{}  admin {{ name = \"dsvmuser\", key = admin_key }}\n{}{fields}\n}}\n",
        default("size =", "  size = sizes.Standard_D4s_v5\n"),
        default("machines =", "  machines = 2\n"),
        default("allow ", "  allow ssh from [203.0.113.0/24]\n"),
    )
}

/// Asserts which of the rules find something in a program.
#[track_caller]
fn check(text: &str, wanted: &[&str], silent: &[&str]) {
    let found = findings_of(&Page { text: text.to_owned(), settings: None });
    let all: Vec<String> = found.iter().map(|d| format!("{}: {}", d.id(), d.title)).collect();
    assert!(!found.iter().any(|d| d.rule.is_none()), "{text}\n{all:#?}");
    for rule in wanted {
        assert!(found.iter().any(|d| d.rule.as_deref() == Some(rule)), "`{rule}` finds nothing in\n{text}\n{all:#?}");
    }
    for rule in silent {
        assert!(
            !found.iter().any(|d| d.rule.as_deref() == Some(rule)),
            "`{rule}` finds something in\n{text}\n{all:#?}"
        );
    }
}

#[test]
fn ports_are_judged_by_what_is_behind_them() {
    let open = ["open-to-internet", "sensitive-port-open"];
    check(
        &pool("", "serve = [ssh, 8888]\nallow ssh from [203.0.113.0/24]\nallow 8888 from any"),
        &open[1..],
        &open[..1],
    );
    check(&pool("", "serve = [ssh, 443]\nallow ssh from [203.0.113.0/24]\nallow 443 from any"), &open[..1], &open[1..]);
    check(&pool("", "allow ssh from network"), &[], &open);
    check(&pool("", "allow ssh from [10.0.0.0/8]"), &[], &["open-range-wide"]);
}

#[test]
fn rules_of_groups_are_held_to_the_same() {
    let group = |rule: &str| {
        pool(
            &format!(
                "resource door: \"Microsoft.Network/networkSecurityGroups/securityRules@2024-05-01\" {{\n  name = \"nsg/door\"\n  properties = {{ \
                 priority = 200, protocol = \"Tcp\", sourcePortRange = \"*\", destinationAddressPrefix = \"*\", {rule} }}\n}}\n"
            ),
            "",
        )
    };
    let open = ["open-to-internet", "sensitive-port-open"];
    let inbound = "access = \"Allow\", direction = \"Inbound\", sourceAddressPrefix = \"Internet\"";
    check(&group(&format!("{inbound}, destinationPortRange = \"22\"")), &open[1..], &open[..1]);
    check(&group(&format!("{inbound}, destinationPortRange = \"8880-8890\"")), &open[1..], &open[..1]);
    check(&group(&format!("{inbound}, destinationPortRange = \"443\"")), &open[..1], &open[1..]);
    let private = "access = \"Allow\", direction = \"Inbound\", sourceAddressPrefix = \"10.0.0.0/8\"";
    check(&group(&format!("{private}, destinationPortRange = \"22\"")), &[], &open);
    let denied = "access = \"Deny\", direction = \"Inbound\", sourceAddressPrefix = \"*\"";
    check(&group(&format!("{denied}, destinationPortRange = \"22\"")), &[], &open);
}

#[test]
fn keys_are_a_choice_only_where_identities_work() {
    let rule = ["shared-key-storage"];
    let share = |more: &str| {
        format!("vault keys {{}}\nshare work {{\n  quota = 1 TiB\n  mount = \"/data/work\"\n  {more}\n}}\n")
    };
    check(&pool(&share("auth = key_vault, vault = keys"), "shares = [work]"), &rule, &[]);
    check(&pool(&share(""), "shares = [work]"), &[], &rule);
    let existing = "vault keys {}\nexisting share old {\n  account = \"stold\"\n  name = \"old\"\n  mount = \"/data/old\"\n  auth = key_vault\n  vault = keys\n}\n";
    check(&pool(existing, "shares = [old]"), &[], &rule);
}

#[test]
fn copies_in_one_building_are_found_in_any_words() {
    let account = |sku: &str| {
        pool(
            &format!(
                "resource data: \"Microsoft.Storage/storageAccounts@2025-01-01\" {{\n  name = \"stdata4711\"\n  sku = {{ name = \"{sku}\" }}\n  kind = \"StorageV2\"\n  properties = {{ allowBlobPublicAccess = false }}\n}}\n"
            ),
            "",
        )
    };
    check(&account("Standard_LRS"), &["storage-lrs"], &[]);
    check(&account("Standard_ZRS"), &[], &["storage-lrs"]);
}

const RULES: &str = "autoscale {\n  timezone = \"UTC\"\n  schedule day { on mon..fri from 08:00 to 19:00, machines = 1..3 }\n  when avg(cpu, 10 min) > 75% { add STEP }\n  when avg(cpu, 30 min) < 10% { remove 1 }\n}";

#[test]
fn steps_are_judged_by_the_range() {
    let step = |range: &str, step: &str| pool("", &format!("machines = {range}\n{}", RULES.replace("STEP", step)));
    let rule = ["autoscale-step-too-big"];
    check(&step("0..3", "2"), &[], &rule);
    check(&step("0..10", "4"), &[], &rule);
    check(&step("0..10", "6"), &rule, &[]);
    check(&step("1..3", "2"), &rule, &[]);
    check(&step("0..10", "50%"), &[], &rule);
}

#[test]
fn a_pool_grows_by_rules_schedules_or_forecasts() {
    let rule = ["autoscale-never-grows"];
    let with = |machines: &str, policy: &str| {
        pool("", &format!("machines = {machines}\nautoscale {{\n  timezone = \"UTC\"\n  {policy}\n}}"))
    };
    let day = "schedule day { on mon..fri from 08:00 to 19:00, machines = 4..4 }";
    check(&with("0..4", day), &[], &rule);
    check(&with("0..6", day), &rule, &[]);
    check(&with("0..6 initially 6", day), &[], &rule);
    check(
        &with("3..3", "when avg(cpu, 10 min) > 75% { add 1 }\n  when avg(cpu, 30 min) < 10% { remove 1 }"),
        &rule,
        &[],
    );
    check(
        &with("1..3", "when avg(cpu, 10 min) > 100% { add 1 }\n  when avg(cpu, 30 min) < 10% { remove 1 }"),
        &rule,
        &[],
    );
}

#[test]
fn addresses_are_counted_once() {
    let rule = ["affinity-by-address"];
    let from = |ranges: &str| pool("", &format!("machines = 4\nallow ssh from [{ranges}]"));
    check(&from("203.0.113.7/32, 203.0.113.8/32"), &rule, &[]);
    check(&from("203.0.113.8/30"), &[], &rule);
    check(&from("203.0.113.7/32, 203.0.113.7/32, 203.0.113.8/32"), &rule, &[]);
    check(&pool("", "machines = 1\nallow ssh from [203.0.113.7/32]"), &[], &rule);
}

#[test]
fn what_anything_refers_to_is_used() {
    let rule = ["unused-resource"];
    let share = "share work {\n  quota = 1 TiB\n  mount = \"/data/work\"\n}\n";
    check(&pool(share, ""), &rule, &[]);
    check(&format!("{}\n/// Where it is.\noutput url: string = work.url\n", pool(share, "")), &[], &rule);
    let granted =
        format!("{share}identity machines {{\n  grant roles.storage_file_data_smb_share_reader on work\n}}\n");
    check(&pool(&granted, "identity = machines"), &[], &rule);
    check(&pool("existing vault people {\n  name = \"kv-people\"\n}\n", ""), &[], &rule);
}

#[test]
fn roles_are_told_once() {
    let grant = |role: &str| {
        pool(&format!("identity machines {{\n  grant roles.{role} on resource_group\n}}\n"), "identity = machines")
    };
    let rule = ["role-too-wide"];
    check(&grant("storage_blob_data_owner"), &rule, &[]);
    check(&grant("virtual_machine_contributor"), &rule, &[]);
    check(&grant("storage_blob_data_reader"), &[], &rule);
    // A warning of the compiler.
    check(&grant("contributor"), &[], &rule);
}

#[test]
fn what_people_log_in_with_is_known() {
    let rule = ["user-without-login"];
    check(&pool("", "user ada { uid = 2001 }"), &rule, &[]);
    check(&pool("", "entra_login = true\nuser ada { uid = 2001 }"), &[], &rule);
    check(&pool("vault keys {}\n", "vault = keys\nuser ada { uid = 2001, password_secret = \"ada\" }"), &[], &rule);
}

/// What an override sets is set.
#[test]
fn overrides_count_where_fields_are_missing() {
    let rules = ["host-encryption-off", "no-zones"];
    check(&pool("", ""), &rules, &[]);
    let body = "override scale_set {\n  zones = [\"1\", \"2\"]\n  properties = { virtualMachineProfile = { securityProfile = { encryptionAtHost = true } } }\n}";
    check(&pool("", body), &[], &rules);
}
