//! Overrides: what they keep of the pool's resources, and what they may not take away.

use crate::pool::compile;
use crate::support::TestContext;
use serde_json::{Value, json};

fn pool(inside: &str) -> String {
    format!(
        r#"
import std.images
import std.sizes

project lab {{ location = westeurope }}

param key: ssh_key

pool team: interactive {{
  image = images.ubuntu_2204
  size = sizes.Standard_D4s_v5
  machines = 2
  admin {{ name = "dsvmuser", key = key }}
  allow ssh from [203.0.113.0/24]
  {inside}
}}
"#
    )
}

fn template(inside: &str) -> Value {
    let cx = TestContext::new();
    cx.write("main.dsvm", &pool(inside));
    let ran = cx.run("build --stdout");
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
    let start = ran.stdout.find('{').unwrap_or(0);
    serde_json::from_str(&ran.stdout[start..]).unwrap_or_else(|error| panic!("{error}: {}", ran.stdout))
}

fn body(template: &Value, kind: &str) -> Value {
    let all = template["resources"]
        .as_array()
        .cloned()
        .or_else(|| template["resources"].as_object().map(|named| named.values().cloned().collect()));
    all.unwrap().into_iter().find(|one| one["type"].as_str().is_some_and(|t| t.eq_ignore_ascii_case(kind))).unwrap()
}

const SCALE_SET: &str = "Microsoft.Compute/virtualMachineScaleSets";

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect()
}

#[test]
fn an_extension_is_added_beside_ours() {
    let extension = r#"{ name = "monitor", properties = { publisher = "Microsoft.Azure.Monitor", type = "AzureMonitorLinuxAgent", typeHandlerVersion = "1.0" } }"#;
    let inside = format!(
        "override scale_set {{ properties = {{ virtualMachineProfile = {{ extensionProfile = {{ extensions = [{extension}] }} }} }} }}"
    );
    let at = "/properties/virtualMachineProfile/extensionProfile/extensions";
    let (plain, laid) = (body(&template(""), SCALE_SET), body(&template(&inside), SCALE_SET));
    let ours = names(plain.pointer(at).unwrap()).len();
    assert!(ours > 0, "{plain:#}");
    let all = laid.pointer(at).unwrap();
    assert_eq!(names(all).len(), ours + 1);
    assert_eq!(names(all).last(), Some(&"monitor"));
    assert_eq!(all.as_array().unwrap()[..ours], plain.pointer(at).unwrap().as_array().unwrap()[..]);
}

#[test]
fn a_property_of_the_only_card_keeps_its_subnet_and_group() {
    let at = "/properties/virtualMachineProfile/networkProfile/networkInterfaceConfigurations";
    let inside = "override scale_set { properties = { virtualMachineProfile = { networkProfile = { networkInterfaceConfigurations = [{ properties = { enableIPForwarding = true } }] } } } }";
    let mut plain = body(&template(""), SCALE_SET).pointer(at).unwrap().clone();
    let laid = body(&template(inside), SCALE_SET).pointer(at).unwrap().clone();
    plain[0]["properties"]["enableIPForwarding"] = json!(true);
    assert_eq!(laid, plain);
}

#[test]
fn disks_are_told_apart_by_their_numbers() {
    let disk = |lun: i64, size: i64| {
        format!(
            r#"{{ lun = {lun}, diskSizeGB = {size}, createOption = "Empty", managedDisk = {{ storageAccountType = "Premium_LRS" }} }}"#
        )
    };
    let over = |disks: &str| {
        format!(
            "override scale_set {{ properties = {{ virtualMachineProfile = {{ storageProfile = {{ dataDisks = [{disks}] }} }} }} }}"
        )
    };
    let laid = template(&over(&format!("{}, {}", disk(0, 64), disk(1, 128))));
    let disks = body(&laid, SCALE_SET)["properties"]["virtualMachineProfile"]["storageProfile"]["dataDisks"].clone();
    assert_eq!(disks.as_array().map(Vec::len), Some(2), "{disks:#}");
}

#[test]
fn a_rule_is_added_to_those_of_allow() {
    let rule = r#"{ name = "office", properties = { priority = 3000, direction = "Inbound", access = "Deny", protocol = "Tcp", sourceAddressPrefix = "198.51.100.0/24", sourcePortRange = "*", destinationAddressPrefix = "*", destinationPortRange = "22" } }"#;
    let kind = "Microsoft.Network/networkSecurityGroups";
    let plain = body(&template(""), kind)["properties"]["securityRules"].clone();
    let laid =
        body(&template(&format!("override security_group {{ properties = {{ securityRules = [{rule}] }} }}")), kind);
    let rules = laid["properties"]["securityRules"].clone();
    assert_eq!(names(&rules).len(), names(&plain).len() + 1);
    assert_eq!(names(&rules).last(), Some(&"office"));
}

#[test]
fn a_mistake_is_told_where_the_element_was_written() {
    let extension = "{ name = \"monitor\",\n      properties = { publishr = \"x\" } }";
    let inside = format!(
        "override scale_set {{ properties = {{ virtualMachineProfile = {{ extensionProfile = {{ extensions = [\n    {extension}] }} }} }} }}"
    );
    let source = pool(&inside);
    let line = source.lines().position(|line| line.contains("publishr")).unwrap() + 1;
    let cx = TestContext::new();
    cx.write("main.dsvm", &source);
    let ran = cx.run("check");
    let found = format!("{}{}", ran.stdout, ran.stderr);
    assert!(found.contains(&format!("main.dsvm:{line}:")), "{line}: {found}");
}

#[test]
fn what_the_pool_relies_on_stays() {
    let refused = |inside: &str| {
        let found = compile(&pool(inside)).findings();
        assert!(found.contains("override-breaks"), "{inside}: {found}");
    };
    refused("override load_balancer { name = \"mine\" }");
    refused("override scale_set { properties = { overprovision = true } }");
    refused("override scale_set { properties = { singlePlacementGroup = true } }");
    let two = "override scale_set { properties = { virtualMachineProfile = { networkProfile = { networkInterfaceConfigurations = [{ name = \"second\", properties = { ipConfigurations = [{ name = \"one\", properties = { } }] } }] } } } }";
    refused(two);
    assert_eq!(compile(&pool("override scale_set { properties = { overprovision = false } }")).findings(), "");
}

#[test]
fn names_are_made_of_those_of_other_blocks() {
    let cx = TestContext::new();
    let monitor = |name: &str, of: &str| {
        format!(
            "resource {name}: \"Microsoft.Compute/virtualMachineScaleSets/extensions@2024-11-01\" {{\n  name = \"{of}\"\n  \
             properties = {{ publisher = \"Microsoft.Azure.Monitor\", type = \"AzureMonitorLinuxAgent\", typeHandlerVersion = \"1.0\" }}\n}}\n"
        )
    };
    let child = "resource second: \"Microsoft.OperationalInsights/workspaces/savedSearches@2025-07-01\" {\n  name = \"${logs.name}/all\"\n  properties = { category = \"a\", displayName = \"b\", query = \"c\" }\n}\n";
    let parent = "resource logs: \"Microsoft.OperationalInsights/workspaces@2025-07-01\" {\n  name = \"logs-${team.name}\"\n  properties = { retentionInDays = 30 }\n}\n";
    cx.write("main.dsvm", &format!("{}{}{child}{parent}", pool(""), monitor("ama", "${team.name}/monitor")));
    let ran = cx.run("build --stdout");
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
    let template: Value = serde_json::from_str(&ran.stdout).unwrap();
    let extension = body(&template, "Microsoft.Compute/virtualMachineScaleSets/extensions");
    assert_eq!(extension["name"], "vmss-team/monitor");
    let waits = extension["dependsOn"].to_string();
    assert!(waits.contains("virtualMachineScaleSets"), "{waits}");
    // in any order of the source
    let search = body(&template, "Microsoft.OperationalInsights/workspaces/savedSearches");
    assert_eq!(search["name"], "logs-vmss-team/all");
    assert!(search["dependsOn"].to_string().contains("logs-vmss-team"), "{search:#}");
}
