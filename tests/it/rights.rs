//! Who gets which rights: names of accounts, groups that make root, roles on secrets, NFS shares and their subnets, start
//! tasks without their packages.

use crate::pool::{Compiled, compile};
use dsvm_diagnostics::Severity;
use serde_json::Value;
use std::process::{Command, Stdio};

const HEAD: &str = "import std.images\nimport std.sizes\n\nparam admin_key: ssh_key\n";

/// A pool with more in its body.
fn pool(name: &str, more: &str) -> String {
    format!(
        "\npool {name}: interactive {{\n  image = images.ubuntu_2204\n  size = sizes.Standard_D4s_v5\n  machines = 2\n  \
         admin {{ name = \"dsvmuser\", key = admin_key }}\n  allow ssh from [203.0.113.0/24]\n{more}\n}}\n"
    )
}

/// Slugs of errors and warnings.
fn slugs(compiled: &Compiled) -> Vec<&'static str> {
    let told = compiled.diagnostics.iter().filter(|d| d.severity != Severity::Info);
    told.map(|d| d.code.slug()).collect()
}

fn resources(text: &str) -> Vec<Value> {
    let compiled = compile(text);
    assert_eq!(compiled.findings(), "");
    let deployment = compiled.artifacts.unwrap().deployments.into_iter().next().unwrap();
    let template = deployment.template.into_value();
    template["resources"].as_array().unwrap().clone()
}

/// What a name of a user gives: nothing, or the slug of the error.
const NAMES: &[(&str, &str)] = &[
    ("ada", ""),
    ("grace_hopper", ""),
    ("u2001", ""),
    ("_worker", ""),
    ("backup_team", ""),
    ("root", "account-reserved"),
    ("daemon", "account-reserved"),
    ("nobody", "account-reserved"),
    ("nogroup", "account-reserved"),
    ("sudo", "account-reserved"),
    ("admin", "account-reserved"),
    ("docker", "account-reserved"),
    ("lxd", "account-reserved"),
    ("shadow", "account-reserved"),
    ("dsvmusers", "account-reserved"),
    ("syslog", "account-reserved"),
    ("ALL", "account-reserved"),
    ("DEPLOY", "account-reserved"),
    ("Ada", "user-name-malformed"),
    ("Defaults", "account-reserved"),
    ("a23456789012345678901234567890123", "user-name-malformed"),
];

#[test]
fn names_of_the_system_and_of_sudo_are_no_names_of_users() {
    for (name, expected) in NAMES {
        let text = HEAD.to_owned() + &pool("team", &format!("  user {name} {{ uid = 2001, key = admin_key }}"));
        let found = slugs(&compile(&text));
        let wanted: Vec<&str> = Some(*expected).filter(|slug| !slug.is_empty()).into_iter().collect();
        assert_eq!(found, wanted, "{name}");
    }
}

/// Azure creates the administrator, with more names than dsvmc takes for users.
#[test]
fn the_administrator_is_no_account_of_the_system_either() {
    for (name, expected) in [
        ("dsvmuser", ""),
        ("DsvmUser", ""),
        ("www-data", "account-reserved"),
        ("docker", "account-reserved"),
        ("ALL", "account-reserved"),
        ("DSVM_1", "account-reserved"),
        ("root", "admin-name-refused"),
    ] {
        let text = HEAD.to_owned() + &pool("team", "").replace("dsvmuser", name);
        let wanted: Vec<&str> = Some(expected).filter(|slug| !slug.is_empty()).into_iter().collect();
        assert_eq!(slugs(&compile(&text)), wanted, "{name}");
    }
}

/// What sudo itself thinks of the names: rules for accepted ones are well formed. Skipped where it is not installed.
#[test]
fn sudo_takes_a_rule_for_each_accepted_name() {
    let accepted = NAMES.iter().filter(|(_, expected)| expected.is_empty());
    let rules: String = accepted.map(|(name, _)| format!("{name} ALL=(ALL) NOPASSWD:ALL\n")).collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules");
    let valid = |rules: &str| -> Option<bool> {
        std::fs::write(&file, rules).unwrap();
        let visudo = ["visudo", "/usr/sbin/visudo"].into_iter().find_map(|program| {
            // Strict: an alias that is not defined is an error.
            let mut command = Command::new(program);
            command.args(["-c", "-s", "-q", "-f"]).arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
            command.status().ok()
        })?;
        Some(visudo.success())
    };
    if let Some(accepted) = valid(&rules) {
        assert!(accepted, "{rules}");
        // Why capitals are refused: the rule is for an alias that nobody defined.
        assert_eq!(valid("DEPLOY ALL=(ALL) NOPASSWD:ALL\n"), Some(false));
    }
}

#[test]
fn ids_of_others_are_refused() {
    for (uid, expected) in [
        ("1000", vec!["account-reserved"]),
        ("1900", vec!["account-reserved"]),
        ("1001", vec![]),
        ("60000", vec![]),
        ("65534", vec!["out-of-range"]),
    ] {
        let text = HEAD.to_owned() + &pool("team", &format!("  user ada {{ uid = {uid}, key = admin_key }}"));
        assert_eq!(slugs(&compile(&text)), expected, "{uid}");
    }
}

#[test]
fn a_group_that_makes_root_has_to_be_written_as_such() {
    for (groups, sudo, expected) in [
        ("\"video\"", false, ""),
        ("\"video\", \"Debian-exim\"", false, ""),
        ("\"docker\"", false, "group-gives-root"),
        ("\"docker\"", true, ""),
        ("\"disk\"", false, "group-gives-root"),
        ("\"shadow\"", false, "group-gives-root"),
        ("\"staff\"", false, "group-gives-root"),
        ("\"libvirt\"", false, "group-gives-root"),
        ("\"admin\"", false, "group-gives-root"),
        ("\"x,sudo\"", false, "group-refused"),
        ("\"x sudo\"", true, "group-refused"),
        ("\"\"", false, "group-refused"),
        ("\"x\\nsudo\"", false, "group-refused"),
        ("\"-G\"", false, "group-refused"),
        // Reading logs is no root: only a note.
        ("\"adm\"", false, ""),
    ] {
        let user = format!("  user ada {{ uid = 2001, key = admin_key, groups = [{groups}], sudo = {sudo} }}");
        let found = slugs(&compile(&(HEAD.to_owned() + &pool("team", &user))));
        let wanted: Vec<&str> = Some(expected).filter(|slug| !slug.is_empty()).into_iter().collect();
        assert_eq!(found, wanted, "{groups}, sudo = {sudo}");
    }
}

/// Scopes of all assignments of the role, with what else of a nested deployment names the scope.
fn scopes(resources: &[Value], role: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for resource in resources.iter().filter(|r| r.to_string().contains(role)) {
        let scope = match resource["type"].as_str().unwrap() {
            "Microsoft.Authorization/roleAssignments" => &resource["scope"],
            "Microsoft.Resources/deployments" => &resource["properties"]["parameters"]["scope"]["value"],
            _ => continue,
        };
        found.push(scope.as_str().unwrap().to_owned());
    }
    found.sort();
    found
}

const SECRETS_USER: &str = "4633458b-17de-408a-b874-0445c86b69e6";

#[test]
fn machines_can_read_the_secrets_that_they_are_told_to_read_and_no_other() {
    let vaults = "secret param password: string\nparam ada_secret: string = \"ada-password\"\n\
         vault keys {\n  secret owner { value = password }\n  secret unrelated { value = password }\n}\n\
         existing vault people { name = \"kv-people\", resource_group = \"rg-people\" }\n\
         existing vault near { name = \"kv-near\" }\n\
         share work {\n  quota = 1 TiB\n  mount = \"/data/work\"\n  auth = key_vault\n  vault = keys\n}\n";
    let users = "  vault = people\n  user ada { uid = 2001, password_secret = ada_secret }\n\
         user bob { uid = 2002, password_secret = \"bob-password\" }\n  user eve { uid = 2003, password_secret = \"bob-password\" }";
    let owner =
        pool("plain", "  vault = keys").replace("key = admin_key", "key = admin_key, password_secret = \"owner\"");
    let text = HEAD.to_owned()
        + vaults
        + &pool("team", users)
        + &owner
        + &pool("keyed", "  shares = [work]")
        + &pool("silent", "  vault = keys")
        + &pool("beside", "  vault = near\n  user ada { uid = 2001, password_secret = \"ada\" }")
        + &pool("known", "  vault = near\n  host_key = \"known-host-key\"");
    let resources = resources(&text);
    let secret =
        |vault: &str, name: &str| format!("[resourceId('Microsoft.KeyVault/vaults/secrets', {vault}, {name})]");
    let near = |name: &str| secret("'kv-near'", name);
    let far =
        |name: &str| format!("[resourceId('rg-people', 'Microsoft.KeyVault/vaults/secrets', 'kv-people', {name})]");
    let own = "variables('keysVault')";
    let mut wanted = vec![
        near("'ada'"),
        near("'known-host-key'"),
        secret(own, "'owner'"),
        secret(own, "'work-key'"),
        far("'bob-password'"),
        far("parameters('ada_secret')"),
    ];
    wanted.sort();
    assert_eq!(scopes(&resources, SECRETS_USER), wanted);
    // A role waits for the secret that this deployment writes.
    for resource in resources.iter().filter(|r| r["scope"].as_str().is_some_and(|s| s.contains("'owner'"))) {
        assert!(
            resource["dependsOn"].to_string().contains("vaults/secrets', variables('keysVault'), 'owner'"),
            "{resource}"
        );
    }
}

#[test]
fn a_secret_that_comes_later_opens_the_vault_and_that_is_told() {
    let text = HEAD.to_owned()
        + "vault keys {}\n"
        + &pool(
            "team",
            "  vault = keys\n  user ada { uid = 2001, password_secret = \"a\" }\n  user bob { uid = 2002, password_secret = \"b\" }",
        );
    let compiled = compile(&text);
    let notes = compiled.diagnostics.iter().filter(|d| d.code.slug() == "role-on-whole-vault").count();
    assert_eq!(notes, 1, "one for each pool and vault");
    assert_eq!(
        scopes(&resources(&text), SECRETS_USER),
        ["[resourceId('Microsoft.KeyVault/vaults', variables('keysVault'))]"]
    );
}

const SALARIES: &str = "\nshare salaries { protocol = nfs, quota = 1 TiB, mount = \"/data/salaries\" }\n";

#[test]
fn a_pool_beside_an_nfs_share_needs_a_subnet_of_its_own() {
    let listed = "  shares = [salaries]";
    let project = "project research { location = westeurope }\n".to_owned() + HEAD + SALARIES;
    let before = project.clone() + &pool("hr", listed);
    assert_eq!(slugs(&compile(&(before.clone() + &pool("students", "")))), ["nfs-subnet-shared"]);
    assert_eq!(slugs(&compile(&(before.clone() + &pool("board", listed)))), Vec::<&str>::new());

    // What the help says to write.
    let network =
        "network research { subnet machines { address = 10.0.0.0/17 }, subnet students { address = 10.0.128.0/24 } }\n";
    let on = "  network = research\n";
    let after = project
        + network
        + &pool("hr", &format!("{on}{listed}"))
        + &pool("students", &format!("{on}  subnet = \"students\""));
    let (old, new) = (resources(&before), resources(&after));
    // Nothing is torn apart: the network and its gateway keep their names, the first subnet its range and place.
    let of = |all: &[Value], kind: &str| -> Vec<Value> { all.iter().filter(|r| r["type"] == kind).cloned().collect() };
    assert_eq!(of(&old, "Microsoft.Network/natGateways"), of(&new, "Microsoft.Network/natGateways"));
    let (old_network, new_network) =
        (of(&old, "Microsoft.Network/virtualNetworks"), of(&new, "Microsoft.Network/virtualNetworks"));
    assert_eq!(old_network[0]["name"], new_network[0]["name"]);
    let subnets = |network: &Value| network["properties"]["subnets"].as_array().unwrap().clone();
    assert_eq!(subnets(&old_network[0])[..], subnets(&new_network[0])[..1]);
    let hr = |all: &[Value]| {
        all.iter().find(|r| r["name"] == "vmss-hr").unwrap()["properties"]["virtualMachineProfile"]["networkProfile"]
            .clone()
    };
    assert_eq!(hr(&old), hr(&new));
    // The account lets in the subnet of `hr` alone.
    let account = of(&new, "Microsoft.Storage/storageAccounts");
    let rules = account[0]["properties"]["networkAcls"]["virtualNetworkRules"].to_string();
    assert!(rules.contains("'machines'") && !rules.contains("'students'"), "{rules}");
}

#[test]
fn batch_machines_beside_an_nfs_share_count_too() {
    let network = "network campus { address = 10.4.0.0/16 }\n";
    let jobs = "\npool jobs: batch {\n  service = azure_batch\n  image = images.ubuntu_hpc\n  size = sizes.Standard_D4s_v5\n  machines = 1\n  network = campus\n}\n";
    let text = HEAD.to_owned() + network + SALARIES + &pool("hr", "  network = campus\n  shares = [salaries]") + jobs;
    let found = compile(&text);
    assert!(slugs(&found).contains(&"nfs-subnet-shared"), "{}", found.findings());
}

#[test]
fn people_have_one_id_on_all_pools_that_mount_an_nfs_share() {
    let user =
        |name: &str, uid: u32| format!("  shares = [salaries]\n  user {name} {{ uid = {uid}, key = admin_key }}");
    let told = |one: String, other: String| {
        let text = HEAD.to_owned() + SALARIES + &pool("hr", &one) + &pool("finance", &other);
        slugs(&compile(&text))
    };
    assert_eq!(told(user("ada", 2001), user("bob", 2001)), ["nfs-owner-clash"]);
    assert_eq!(told(user("ada", 2001), user("ada", 2002)), ["nfs-owner-clash"]);
    assert_eq!(told(user("ada", 2001), user("ada", 2001)), Vec::<&str>::new());
    assert_eq!(told(user("ada", 2001), user("bob", 2002)), Vec::<&str>::new());
}

#[test]
fn a_mount_option_cannot_cut_the_table_of_mounts_short() {
    for (options, expected) in [
        ("\"noatime\", \"nconnect=8\"", vec![]),
        ("\"noatime,nobrl\"", vec![]),
        ("\"noatime 0 0 #\"", vec!["mount-option-refused"]),
        ("\"\"", vec!["mount-option-refused"]),
        ("\"a\\nb\"", vec!["mount-option-refused"]),
    ] {
        let share = format!("\nshare files {{ quota = 1 TiB, mount = \"/data/files\", options = [{options}] }}\n");
        let text = HEAD.to_owned() + &share + &pool("team", "  shares = [files]");
        assert_eq!(slugs(&compile(&text)), expected, "{options}");
    }
}

#[test]
fn smb_folders_of_people_are_not_private_where_there_are_several_people() {
    let share = "\nshare files { quota = 1 TiB, mount = \"/data/files\", link \"~/files\" to \"people/{user}\" }\n";
    let plain = share.replace("people/{user}", "common");
    let user = "  shares = [files]\n  user ada { uid = 2001, key = admin_key }";
    let told = |share: &str, more: &str| slugs(&compile(&(HEAD.to_owned() + share + &pool("team", more))));
    assert_eq!(told(share, user), ["smb-without-privacy"]);
    assert_eq!(told(share, "  shares = [files]\n  entra_login = true"), ["smb-without-privacy"]);
    assert_eq!(told(share, "  shares = [files]"), Vec::<&str>::new(), "one person has no neighbours");
    assert_eq!(told(&plain, user), Vec::<&str>::new(), "a common folder looks common");
}

/// The start task of a Batch pool with a package, run with an `apt-get` that fails so many times.
fn start_task(failures: u32) -> (bool, String) {
    let text = HEAD.to_owned()
        + "\npool jobs: batch {\n  service = azure_batch\n  image = images.ubuntu_hpc\n  size = sizes.Standard_D4s_v5\n  machines = 1\n  \
           setup { packages = [\"jq\"], step done { run = \"echo steps\" } }\n}\n";
    let compiled = compile(&text);
    let deployment = compiled.artifacts.unwrap().deployments.into_iter().next().unwrap();
    let template = deployment.template.into_value();
    let tasks = template["resources"].as_array().unwrap().iter().map(|r| &r["properties"]["startTask"]["commandLine"]);
    let line = tasks.filter_map(Value::as_str).next().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let program = |name: &str, body: &str| {
        use std::os::unix::fs::PermissionsExt;
        let path = folder.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    let count = folder.path().join("count");
    std::fs::write(&count, "").unwrap();
    let count = count.display();
    program(
        "apt-get",
        &format!("[ \"$1\" = update ] || {{ echo x >> {count}; [ $(wc -l < {count}) -gt {failures} ]; }}"),
    );
    program("sleep", "exit 0");
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let ran = Command::new("/bin/sh").args(["-c", &line]).env("PATH", path).output().unwrap();
    (ran.status.success(), String::from_utf8_lossy(&ran.stdout).into_owned())
}

#[test]
fn a_batch_machine_without_its_packages_takes_no_jobs() {
    assert_eq!(start_task(0), (true, "steps\n".to_owned()));
    assert_eq!(start_task(4), (true, "steps\n".to_owned()));
    assert_eq!(start_task(5), (false, String::new()), "the steps must not run, and the task must fail");
}
