//! Golden renderings of one plan that holds every kind of change, and of hostile names.

use arm_plan::{Desired, DiffOptions, Observed, Plan, RoleNames, Source, diff};
use dsvmc::render::palette::Palette;
use dsvmc::render::plan::{Detail, terminal};
use dsvmc::render::plan_markdown::markdown;
use serde_json::{Value, json};

const GROUP: &str = "/subscriptions/s/resourceGroups/rg/providers";

fn id(rest: &str) -> String {
    format!("{GROUP}/{rest}")
}

/// One of each: create, update of several kinds, replace, delete, unchanged, suppressed, warned about.
pub fn every_kind() -> Plan {
    let team = id("Microsoft.Compute/virtualMachineScaleSets/team");
    let gpu = id("Microsoft.Compute/virtualMachineScaleSets/gpu");
    let scale = json!({ "id": id("Microsoft.Insights/autoscaleSettings/gpu"), "properties": { "enabled": true, "targetResourceUri": gpu,
        "profiles": [{ "name": "p", "capacity": { "minimum": "0", "maximum": "4", "default": "0" } }] } });
    let machine = |version: &str, script: &str, secret: &str| {
        json!({ "osProfile": { "adminPassword": secret }, "storageProfile": { "imageReference": { "version": version } },
            "extensionProfile": { "extensions": [{ "name": "setup", "properties": { "settings": { "script": script } } }] } })
    };
    let wanted = [
        json!({ "id": team, "location": "westus2", "sku": { "name": "Standard_D8s_v5", "capacity": 5 }, "tags": { "team": "research" },
            "properties": { "upgradePolicy": { "mode": "Rolling" }, "virtualMachineProfile": machine("24.1.1", "apt update\napt install -y tmux\necho done\n", "x") } }),
        json!({ "id": gpu, "location": "westus2", "sku": { "name": "Standard_NC24ads_A100_v4", "capacity": 1 }, "properties": { "orchestrationMode": "Flexible", "virtualMachineProfile": { "priority": "Spot" } } }),
        scale.clone(),
        json!({ "id": id("Microsoft.Network/networkSecurityGroups/team"), "location": "westus2", "properties": { "securityRules": [
            { "name": "ssh", "properties": { "priority": 100, "sourceAddressPrefix": "203.0.113.0/24" } } ] } }),
        json!({ "id": id("Microsoft.ManagedIdentity/userAssignedIdentities/team"), "location": "westus2" }),
        json!({ "id": id("Microsoft.KeyVault/vaults/keys"), "location": "West US 2", "properties": { "tenantId": "t" } }),
    ];
    let live = vec![
        json!({ "id": team, "location": "westus2", "sku": { "name": "Standard_D8s_v5", "tier": "Standard", "capacity": 8 }, "tags": { "team": "Research", "owner": "me" },
            "properties": { "provisioningState": "Succeeded", "upgradePolicy": { "mode": "Rolling" }, "virtualMachineProfile": machine("24.1.0", "apt update\necho done\n", "x") } }),
        json!({ "id": gpu, "location": "westus2", "sku": { "name": "standard_nc24ads_a100_v4", "capacity": 6 }, "properties": { "orchestrationMode": "Uniform", "virtualMachineProfile": { "priority": "Spot" } } }),
        scale,
        json!({ "id": id("Microsoft.Network/networkSecurityGroups/team"), "location": "westus2", "properties": { "securityRules": [
            { "name": "ssh", "properties": { "priority": 100, "sourceAddressPrefix": "*" } }, { "name": "rdp", "properties": { "priority": 110 } } ] } }),
        json!({ "id": id("Microsoft.Storage/storageAccounts/oldshare"), "properties": {} }),
        json!({ "id": id("Microsoft.Storage/storageAccounts/oldshare/fileServices/default/shares/notebooks"), "properties": {} }),
        json!({ "id": id("Microsoft.KeyVault/vaults/keys"), "location": "westus2", "properties": { "tenantId": "t", "vaultUri": "https://x", "enableSoftDelete": true } }),
    ];
    let managed = live.iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect();
    let mut desired = Desired::from_resources(&wanted);
    for (line, resource) in (10u32..).step_by(7).zip(&mut desired.resources) {
        resource.source = Some(Source { file: "pools/team.dsvm".into(), line, column: 1 });
    }
    diff(&desired, &Observed::of(&live, managed), &DiffOptions::default())
}

#[test]
fn terminal_shows_the_grave_things_first() {
    let text = terminal(
        &every_kind(),
        None,
        "research, env prod on local, resource group rg",
        Detail::default(),
        Palette::plain(),
    );
    insta::assert_snapshot!(text);
}

/// Whatever the width, no line is cut by the terminal, and nothing that is said gets lost.
#[test]
fn lines_fit_the_terminal() {
    let mut plan = every_kind();
    let path = "properties.profiles[Auto created default scale condition].rules[0].metricTrigger.threshold";
    let scale = plan.changes.iter_mut().find(|c| c.name == "team" && !c.attributes.is_empty()).unwrap();
    scale.attributes[0].path = path.to_owned();
    scale.attributes[1].source =
        Some(Source { file: "pools/of/a/team/with/many/folders/team.dsvm".into(), line: 7, column: 1 });
    let role = plan.changes.iter_mut().find(|c| c.name == "team" && c.resource_type.contains("userAssigned")).unwrap();
    role.label =
        Some("role Storage File Data SMB Share Elevated Contributor for id-research-team on stresearchteam".into());
    let words = |text: &str| text.split_whitespace().collect::<String>();
    for width in 60..140 {
        for suppressed in [true, false] {
            let detail = Detail { width, suppressed, new_properties: true, ..Detail::default() };
            let text = terminal(
                &plan,
                None,
                "research, env prod on local, resource group rg-research-and-teaching",
                detail,
                Palette::plain(),
            );
            let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > width).collect();
            assert!(wide.is_empty(), "{width}: {wide:#?}");
            for said in [
                path,
                "role Storage File Data SMB Share Elevated Contributor for id-research-team on stresearchteam",
                "team.dsvm:7",
            ] {
                assert!(words(&text).contains(&words(said)), "{width}: {text}");
            }
            let short = text.contains("Source lines are those of files in pools/");
            assert!(if width < 80 { short } else { width < 120 || !short }, "{width}: {text}");
        }
    }
}

/// A role assignment is named by what it gives, on a new group and on one that exists, and JSON keeps its name.
#[test]
fn roles_are_told_in_words() {
    let identity = id("Microsoft.ManagedIdentity/userAssignedIdentities/id-team");
    let account = id("Microsoft.Storage/storageAccounts/stteam");
    let role = |principal: &str| {
        let definition =
            "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/ba92f5b4-2d11-453d-a403-e96b0029c9fe";
        json!({ "id": format!("{account}/providers/Microsoft.Authorization/roleAssignments/9cb1c1a7-0000-4000-8000-000000000000"),
            "properties": { "roleDefinitionId": definition, "principalId": principal } })
    };
    let told = "role Storage Blob Data Contributor for id-team on stteam";
    let wanted = Desired::from_resources(&[role(&format!("[reference('{identity}', '2024-11-30').principalId]"))]);
    let options = DiffOptions { roles: RoleNames(dsvm_sema::library::role_name), ..DiffOptions::default() };
    let new = diff(&wanted, &Observed::default(), &options);
    let live = vec![json!({ "id": identity, "properties": { "principalId": "p" } }), role("p")];
    let managed = vec![role("p")["id"].as_str().unwrap().to_owned()];
    let gone = diff(&Desired::default(), &Observed::of(&live, managed), &options);
    for plan in [&new, &gone] {
        assert!(terminal(plan, None, "", Detail::default(), Palette::plain()).contains(told));
        assert!(markdown(plan, None, "").contains(told));
        assert_eq!(plan.changes[0].name, "9cb1c1a7-0000-4000-8000-000000000000");
        assert_eq!(plan.changes[0].label.as_deref(), Some(told));
    }
}

#[test]
fn held_back_differences_are_listed_with_their_rule() {
    let detail = Detail { suppressed: true, new_properties: true, ..Detail::default() };
    insta::assert_snapshot!(terminal(&every_kind(), None, "", detail, Palette::plain()));
}

#[test]
fn markdown_is_made_for_a_comment() {
    insta::assert_snapshot!(markdown(&every_kind(), None, "research, env prod"));
}

#[test]
fn json_is_the_plan_itself() {
    let plan = every_kind();
    let text = serde_json::to_string_pretty(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
    insta::assert_snapshot!(text);
}

/// Names cannot write markup, move a cursor, mention people or leave the table.
#[test]
fn hostile_names_stay_text() {
    let name = "a`|<script>@everyone\u{1b}[2J\u{202e}**x**\n| - |";
    let body = json!({ "id": id(&format!("Foo.Bar/baz/{name}")), "tags": { name: name } });
    let plan =
        diff(&Desired::from_resources(std::slice::from_ref(&body)), &Observed::default(), &DiffOptions::default());
    let mut other = body.clone();
    other["tags"][name] = json!("before");
    let changed = diff(&Desired::from_resources(&[body]), &Observed::of(&[other], vec![]), &DiffOptions::default());
    for plan in [&plan, &changed] {
        let md = markdown(plan, None, name);
        let text = terminal(
            plan,
            None,
            name,
            Detail { suppressed: true, new_properties: true, ..Detail::default() },
            Palette::plain(),
        );
        for out in [&md, &text] {
            assert!(!out.contains('\u{1b}') && !out.contains('\u{202e}'), "{out}");
        }
        // Outside of code spans nothing of the name is markup.
        assert!(
            !md.contains("<script>@") || md.lines().filter(|l| l.contains("<script>")).all(|l| l.contains('`')),
            "{md}"
        );
        assert!(md.lines().filter(|l| l.starts_with('|')).all(|l| l.ends_with('|')), "{md}");
    }
    insta::assert_snapshot!(markdown(&changed, None, name));
}

#[test]
fn markdown_stays_below_what_a_comment_holds() {
    let resources: Vec<Value> = (0..3000)
        .map(|n| json!({ "id": id(&format!("Microsoft.Compute/virtualMachineScaleSets/a-pool-with-a-long-name-{n}")), "tags": { "text": "x".repeat(200) } }))
        .collect();
    let live: Vec<Value> =
        resources.iter().map(|r| json!({ "id": r["id"], "tags": { "text": "y".repeat(200) } })).collect();
    let plan = diff(&Desired::from_resources(&resources), &Observed::of(&live, vec![]), &DiffOptions::default());
    let text = markdown(&plan, None, "many");
    assert!(text.len() < 65_536, "{}", text.len());
    assert!(text.contains("more changes"));
}
