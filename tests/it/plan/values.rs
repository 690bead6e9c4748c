//! Values of parameters: the same precedence for every command, and secrets that are nowhere.

use crate::support::{Ran, TestContext};
use arm_local::{Endpoint, Options, SUBSCRIPTION};
use serde_json::{Value, json};

const SECRET: &str = "Sentinel-9041-Geheim";

fn endpoint(cx: &TestContext) -> Endpoint {
    let state = cx.path().join(".dsvmc").join("local");
    std::fs::create_dir_all(&state).unwrap();
    Endpoint::start(Options { state: Some(state), ..Options::default() }).unwrap()
}

fn run(cx: &TestContext, arguments: &str, variables: &[(&str, &str)]) -> Ran {
    let mut command = cx.command(arguments);
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { exit: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
}

const PROJECT: &str = r#"project lab {
  location = westeurope
  tags     = { who = who }
}

/// Who pays for it.
param who: string = "default"

env dev { who = "env" }
env prod { who = "prod" }

vault keys { access = public }
"#;

/// From the weakest source to the strongest; each is seen by every command that takes values.
#[test]
fn the_strongest_source_wins_whatever_the_command() {
    let cx = TestContext::new();
    let _endpoint = endpoint(&cx);
    cx.write("main.dsvm", PROJECT);
    cx.write("one.json", r#"{ "who": "file one" }"#);
    let azure = json!({ "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#", "contentVersion": "1.0.0.0",
        "parameters": { "who": { "value": "file two" } } });
    cx.write("two.json", &azure.to_string());
    let variable = ("DSVMC_PARAM_who", "variable");
    type Source<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
    let sources: [Source<'_>; 7] = [
        ("--env dev", &[], "env"),
        ("--env prod", &[], "prod"),
        ("--env dev --parameters @one.json", &[], "file one"),
        ("--env dev -p one.json -p @two.json", &[], "file two"),
        ("--env dev -p one.json -p @two.json", &[variable], "variable"),
        ("--env dev -p one.json --set who=set", &[variable], "set"),
        ("--env dev -p who=value -p one.json", &[variable], "value"),
    ];
    for (options, variables, wanted) in sources {
        let plan = run(&cx, &format!("plan --format json {options} main.dsvm"), variables);
        let json: Value = serde_json::from_str(&plan.stdout).unwrap_or_else(|_| panic!("{}", plan.text()));
        let tag = json["changes"][0]["attributes"].as_array().unwrap().iter().find(|a| a["path"] == "tags.who");
        if let Some(tag) = tag {
            assert_eq!(tag["after"], wanted, "plan {options}");
        }
        let applied = run(&cx, &format!("apply --yes {options} main.dsvm"), variables);
        assert_eq!(applied.exit, 0, "{options} {}", applied.text());
        let shown = run(&cx, &format!("show --json {options} main.dsvm"), variables);
        let json: Value = serde_json::from_str(&shown.stdout).unwrap();
        assert_eq!(json["resources"][0]["tags"]["who"], wanted, "apply {options}");
        // With the same values nothing differs; with others it does.
        let status = run(&cx, &format!("status {options} main.dsvm"), variables);
        assert!(status.stdout.contains("matches the sources"), "{options} {}", status.text());
    }
    // Without an env, the default of the template: what is built is what is planned.
    let built = run(&cx, "build main.dsvm", &[variable]);
    assert_eq!(built.exit, 0, "{}", built.text());
    let read = |name: &str| -> Value { serde_json::from_str(&cx.read(&format!("build/lab/{name}"))).unwrap() };
    assert_eq!(read("template.json")["parameters"]["who"]["defaultValue"], "default");
    // What stock tools take: the env alone, no matter what this shell has set.
    assert_eq!(read("parameters.dev.json")["parameters"]["who"]["value"], "env");
    for option in ["--set who=set", "-p one.json", "--parameters @one.json"] {
        let refused = run(&cx, &format!("build main.dsvm {option} --out other"), &[]);
        assert_eq!(refused.exit, 1, "{}", refused.text());
        assert!(
            refused.stderr.contains("DSVM0703") && refused.stderr.contains("give the value when you deploy"),
            "{}",
            refused.text()
        );
        assert!(!cx.path().join("other").exists());
    }
}

#[test]
fn what_is_wrong_with_a_value_is_said_with_its_source() {
    let cx = TestContext::new();
    let _endpoint = endpoint(&cx);
    cx.write("main.dsvm", PROJECT);
    cx.write("bad.json", "{ not json");
    for (options, told) in [
        ("--set whom=x", "there is no parameter `whom` (from --set)"),
        ("--set who", "a value was given without the name of its parameter"),
        ("-p bad.json", "the parameter file `bad.json` cannot be used"),
        ("-p @missing.json", "the parameter file `missing.json` cannot be used"),
    ] {
        for command in ["plan", "apply --yes", "status", "show"] {
            let ran = run(&cx, &format!("{command} --env dev {options} main.dsvm"), &[]);
            assert_eq!(ran.exit, 1, "{command} {options} {}", ran.text());
            assert!(ran.stderr.contains(told), "{command} {options} {}", ran.text());
        }
    }
}

/// What stands where a value is expected may be a secret, also where it is wrong.
#[test]
fn no_message_repeats_a_value() {
    let cx = TestContext::new();
    let _endpoint = endpoint(&cx);
    cx.write("main.dsvm", "project lab { location = westeurope }\nparam count: int\nparam on: bool\nshare work { quota = count * 1 TiB, mount = \"/data\" }\noutput on: bool = on\n");
    let template = json!({ "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
        "parameters": { "pin": { "type": "int" }, "list": { "type": "array" }, "word": { "type": "securestring", "maxLength": 3 } }, "resources": [] });
    cx.write("t.json", &template.to_string());
    let inputs = ["main.dsvm", "--template t.json -g g"];
    for value in [
        SECRET.to_owned(),
        format!("count={SECRET}"),
        format!("on={SECRET}"),
        format!("pin={SECRET}"),
        format!("list={SECRET}"),
        format!("word={SECRET}"),
    ] {
        for input in inputs {
            for option in ["--set", "-p"] {
                // Without a name it is the name of a file.
                if option == "-p" && value == SECRET {
                    continue;
                }
                for command in ["plan", "apply --yes"] {
                    let ran = run(&cx, &format!("{command} {input} {option} {value}"), &[]);
                    assert!(
                        ran.exit != 0 && !ran.text().contains(SECRET),
                        "{command} {input} {option}: {}",
                        ran.text()
                    );
                }
            }
        }
        let ran = run(&cx, &format!("expand t.json -p {value}"), &[]);
        assert!(ran.exit != 0 && !ran.text().contains(SECRET), "expand: {}", ran.text());
    }
}

/// Without a terminal nobody can be asked: what is missing is named, with the ways to give it.
#[test]
fn a_missing_value_is_named_with_the_ways_to_give_it() {
    let cx = TestContext::new();
    let _endpoint = endpoint(&cx);
    let text = "project lab { location = westeurope }\nparam label: string\nshare work { quota = 1 TiB, mount = \"/data\", tags = { label = label } }\noutput id: string = work.id\n";
    cx.write("main.dsvm", text);
    for command in ["plan", "apply --yes"] {
        let ran = run(&cx, &format!("{command} main.dsvm"), &[]);
        assert_eq!(ran.exit, 1, "{command} {}", ran.text());
        for told in ["parameter `label` has no value", "--set label=", "DSVMC_PARAM_label", "`env`"] {
            assert!(ran.stderr.contains(told), "{command}: {told}: {}", ran.text());
        }
    }
    assert_eq!(run(&cx, "plan --set label=a main.dsvm", &[]).exit, 0);
}

/// A reference to a vault goes to the service as it is: nobody here ever has the value.
#[test]
fn a_key_vault_reference_is_followed_by_the_service_alone() {
    let cx = TestContext::new();
    let endpoint = endpoint(&cx);
    let head = ("$schema", "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#");
    let vault = |name: &str| {
        json!({ "type": "Microsoft.KeyVault/vaults", "apiVersion": "2026-02-01", "name": name, "location": "westus2",
            "properties": { "tenantId": "[subscription().tenantId]", "sku": { "name": "standard", "family": "A" }, "enableRbacAuthorization": true, "enabledForTemplateDeployment": true } })
    };
    let secret = |name: &str| {
        json!({ "type": "Microsoft.KeyVault/vaults/secrets", "apiVersion": "2026-02-01", "name": format!("{name}/login"),
            "dependsOn": [format!("[resourceId('Microsoft.KeyVault/vaults', '{name}')]")], "properties": { "value": "[parameters('key')]" } })
    };
    let template = |name: &str| json!({ head.0: head.1, "contentVersion": "1.0.0.0", "parameters": { "key": { "type": "securestring" } }, "resources": [vault(name), secret(name)] });
    cx.write("source.json", &template("kv-source-0123").to_string());
    cx.write("user.json", &template("kv-user-0123").to_string());
    let made = run(&cx, "apply --yes -g shared --template source.json", &[("DSVMC_PARAM_key", SECRET)]);
    assert_eq!(made.exit, 0, "{}", made.text());
    let id = format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/shared/providers/Microsoft.KeyVault/vaults/kv-source-0123"
    );
    let values = json!({ "key": { "reference": { "keyVault": { "id": id }, "secretName": "login" } } });
    cx.write("values.json", &values.to_string());
    let applied = run(&cx, "apply --yes -g user -p @values.json --template user.json", &[]);
    assert_eq!(applied.exit, 0, "{}", applied.text());
    let again = run(&cx, "plan --detailed-exitcode -g user -p @values.json --template user.json", &[]);
    assert_eq!(again.exit, 0, "{}", again.text());
    // A secret that is not there is refused by the service, in its own words.
    cx.write("values.json", &values.to_string().replace("login", "logout"));
    let refused = run(&cx, "apply --yes --force -g user -p @values.json --template user.json", &[]);
    assert_eq!(refused.exit, 4, "{}", refused.text());
    assert!(refused.stderr.contains("KeyVault"), "{}", refused.text());
    drop(endpoint);
}

const WITH_SECRET: &str = r#"project lab { location = westeurope }

/// Word that opens the database.
secret param db_password: string

vault keys {
  access = public
  secret db { value = db_password }
}
"#;

/// A secret goes through every command in every format, well and badly; no output and no file holds it.
#[test]
fn the_sentinel_of_a_project_is_found_nowhere() {
    let cx = TestContext::new();
    let endpoint = endpoint(&cx);
    cx.write("main.dsvm", WITH_SECRET);
    // What is written in the sources by mistake is told by its place, not by its text.
    cx.write("leak/main.dsvm", &format!("project leak {{ location = westeurope }}\nsecret param word: string = \"{SECRET}\"\nvault keys {{\n  access = public\n  secret db {{ value = \"{SECRET}\" }}\n}}\n"));
    cx.write("values/secret.json", &json!({ "db_password": SECRET }).to_string());
    cx.write("bad/values.json", &format!("{{ \"db_password\": \"{SECRET}\" \"x\" }}"));
    let template = json!({ "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
        "parameters": { "key": { "type": "securestring" } }, "resources": [], "outputs": { "o": { "type": "securestring", "value": "[parameters('key')]" } } });
    cx.write("t.json", &template.to_string());
    cx.write("t.parameters.json", &json!({ "parameters": { "key": { "value": SECRET } } }).to_string());
    cx.write("formula.txt", "$TargetDedicatedNodes = $PendingTasks;");
    let cluster = json!({ "properties": { "vmSize": "STANDARD_NC6", "scaleSettings": { "manual": { "targetNodeCount": 2 } },
        "userAccountSettings": { "adminUserName": "me", "adminUserPassword": SECRET },
        "nodeSetup": { "mountVolumes": { "azureFileShares": [{ "accountName": "acc", "azureFileUrl": "https://acc.file.core.windows.net/share",
            "credentials": { "accountKey": SECRET }, "relativeMountPath": "data" }] } } } });
    cx.write("cluster.json", &cluster.to_string());
    let own = [("DSVMC_PARAM_db_password", SECRET), ("AZURE_CLIENT_SECRET", SECRET), ("DSVMC_ACCESS_TOKEN", SECRET)];
    let inputs = ["values/secret.json", "bad/values.json", "leak/main.dsvm", "t.parameters.json", "cluster.json"];
    let mut ran = 0;
    let mut texts: Vec<(String, String)> = Vec::new();
    let mut go = |arguments: String| {
        ran += 1;
        let text = run(&cx, &arguments, &own).text();
        texts.push((arguments, text));
    };
    for format in ["human", "short", "json", "markdown", "sarif"] {
        for command in [
            "check main.dsvm",
            "check leak",
            "plan main.dsvm --trace --full --show-suppressed",
            "plan leak",
            "plan main.dsvm --set db_password=Sentinel-9041-Geheim2 --what-if",
            "plan main.dsvm -p bad/values.json",
            "apply main.dsvm --yes --trace",
            "apply main.dsvm --yes --force -p values/secret.json",
            "apply main.dsvm --yes --set db_passwort=Sentinel-9041-Geheim",
            "apply main.dsvm --yes --target azure --cloud http://127.0.0.1:9 --tries 1 --subscription s",
            "status main.dsvm",
            "show main.dsvm --json",
            "show main.dsvm",
            "outputs main.dsvm",
            "outputs main.dsvm --name nothing",
            "doctor",
            "doctor --target azure --cloud http://127.0.0.1:9 --tries 1 --subscription s",
            "explain DSVM0703",
            "build main.dsvm",
            "build main.dsvm --stdout",
            "fmt --check main.dsvm",
            "expand t.json --parameters t.parameters.json",
            "formula check formula.txt",
            "import cluster.json",
            "local status",
            "init somewhere",
            "destroy main.dsvm --yes",
        ] {
            go(format!("{command} --format {format}"));
        }
    }
    go("plan main.dsvm -o lab.plan".into());
    go("apply lab.plan --yes".into());
    let port = endpoint.http_url.rsplit(':').next().unwrap().parse().unwrap();
    for fault in ["fail,name=*", "error,times=9", "reset,times=9"] {
        arm_local::ask(port, "POST", "/_local/faults", &json!([fault]).to_string()).unwrap();
        go("apply main.dsvm --yes --force --trace --tries 2 --set db_password=Sentinel-9041-Geheim3".into());
        arm_local::ask(port, "DELETE", "/_local/faults", "").unwrap();
    }
    go("destroy main.dsvm --yes --allow-delete --trace".into());
    for (arguments, text) in &texts {
        // `fmt` and `import` read what they are given; a diagnostic may quote its line, but not of a secret.
        assert!(!text.contains("Sentinel"), "{arguments}\n{text}");
    }
    assert!(ran > 130, "{ran}");
    let mut folders = vec![cx.path().to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let input = inputs.iter().any(|i| path.ends_with(i));
            // The endpoint stands for Azure: it keeps what it was given.
            if path.is_dir() && !path.ends_with("local") {
                folders.push(path);
            } else if path.is_file() && !input {
                files += 1;
                let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
                assert!(!text.contains("Sentinel"), "{}", path.display());
            }
        }
    }
    assert!(files >= 8, "{files}");
}

const TYPED: &str = r#"type cost_center = string matching /cc-[0-9]{4}/

project lab {
  location = westeurope
  tags     = { center = center }
}

import std.images
import std.sizes

param center: cost_center
param key: ssh_key
param disk: size in 32 GiB..256 GiB = 64 GiB
param office: cidr = 203.0.113.0/24
param kept: duration in 1 h..30 days = 2 days
param most: int in 1..100 = 10
param tier: "lean" | "rich" = "lean"

let people = { staff = most }

check most < 50 || tier == "rich" else "only the rich have that many"

pool team: interactive {
  image    = images.ubuntu_2204
  size     = sizes.Standard_D8s_v5
  machines = 1..people.staff initially 3
  admin { name = "ann", key = key }
  allow ssh from [office]
  autoscale {
    when avg(cpu, 10 min) > 75% { add 1, cooldown 10 min }
    when avg(cpu, 20 min) < 20% { remove 1, cooldown 20 min }
  }
}

output disk: size = disk
output kept: duration = kept
"#;

/// What stands on a command line, in a file or in a variable is checked as if an env had set it: types, rules of the
/// project, rules of pools. The message shows the value and where it came from.
#[test]
fn values_from_outside_are_checked_like_those_of_an_env() {
    let cx = TestContext::new();
    let _endpoint = endpoint(&cx);
    cx.write("main.dsvm", TYPED);
    cx.write("values.json", r#"{ "most": 70 }"#);
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0e99PD7L6H1hsDWtXjCnotLXI7NDNJb9dhjsPl+UGc";
    let plan = |options: &str, variables: &[(&str, &str)]| run(&cx, &format!("plan main.dsvm {options}"), variables);
    let good = [("DSVMC_PARAM_key", key), ("DSVMC_PARAM_center", "cc-1234")];
    let fine: [&str; 5] = [
        "",
        "--set disk=137438953472 --set office=198.51.100.0/24",
        "--set kept=7200",
        "--set tier=rich -p values.json",
        "--set most=49",
    ];
    for options in fine {
        let ran = plan(options, &good);
        assert_eq!(ran.exit, 0, "{options} {}", ran.text());
    }
    let wrong: [(&str, &str, &str); 9] = [
        ("--set center=1234", "--set:1:10", "center = \"1234\""),
        ("--set key=AAAA", "--set:1:7", "not an OpenSSH public key"),
        ("--set kept=60", "--set:1:8", "is outside"),
        ("--set disk=1", "--set:1:8", "is outside"),
        ("--set office=everywhere", "--set:1:10", "office = \"everywhere\""),
        ("--set tier=middling", "--set:1:8", "tier = \"middling\""),
        ("--set most=2", "main.dsvm:", "the initial number of machines, 3,"),
        ("-p values.json", "main.dsvm:", "only the rich have that many"),
        ("-p values.json --set most=101", "--set:1:8", "101 is outside 1..100"),
    ];
    for (options, place, told) in wrong {
        let ran = plan(options, &good);
        assert_eq!(ran.exit, 1, "{options} {}", ran.text());
        assert!(ran.stderr.contains(place) && ran.stderr.contains(told), "{options} {}", ran.text());
        assert!(ran.stderr.contains("\n1 error;"), "{options} {}", ran.text());
    }
    let ran = plan("", &[("DSVMC_PARAM_key", key), ("DSVMC_PARAM_center", "x")]);
    assert!(ran.stderr.contains("DSVMC_PARAM_center:1:10"), "{}", ran.text());
}
