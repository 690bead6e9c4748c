//! Plans without an endpoint, and what `prevent_destroy` keeps, through the command line.

use super::deploy::{Place, template};
use serde_json::json;

const STARTER: &str = include_str!("../../../src/cli/commands/starter.dsvm");
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJe2bQ0xjrbpMSzs7CSqvAiiIvQL1xBOOSqZ1w3Hpb6q team@example.org";

/// The project that `dsvmc init` writes, with a key.
fn starter() -> String {
    let text = STARTER.replace("ADMIN_KEY", KEY);
    assert_ne!(text, STARTER);
    text
}

fn changed(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

fn forget(place: &Place, project: &str) {
    let folder = place.cx.path().join(".dsvmc");
    let mut gone = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(project)) {
            std::fs::remove_dir_all(path).unwrap();
            gone += 1;
        }
    }
    assert!(gone > 0, "nothing of {project} in {}", folder.display());
}

pub fn git(place: &Place, arguments: &[&str]) {
    let mut command = std::process::Command::new("git");
    command.args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]);
    let output = command.args(arguments).current_dir(place.cx.path()).env("HOME", place.cx.path()).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn refuses(place: &Place, command: &str, name: &str) {
    let before = place.state();
    let ran = place.run(command);
    assert_eq!(ran.exit, 1, "{command}\n{}", ran.text());
    assert!(ran.stderr.contains("DSVM0809") && ran.stderr.contains(name), "{command}\n{}", ran.text());
    assert_eq!(place.state(), before, "{command}");
}

#[test]
fn destroy_keeps_what_is_marked_also_where_its_name_is_computed() {
    let computed = "[concat('pip-', uniqueString(resourceGroup().id))]";
    for name in ["pip-extra", computed] {
        let place = Place::new();
        let mut marked = template("a", true);
        marked["resources"][7]["name"] = json!(name);
        let plain = marked.clone();
        marked["resources"][7]["metadata"] = json!({ "dsvmc": { "preventDestroy": true } });
        place.write(&marked);
        assert_eq!(place.apply().exit, 0);
        let destroy = "destroy --yes --allow-delete --template team.json";
        refuses(&place, destroy, "`pip-");
        // The record of this machine is gone: the source alone says it.
        forget(&place, "team");
        refuses(&place, destroy, "`pip-");
        // The source alone does not: the last apply says it, until one without the mark is applied.
        assert_eq!(place.run("apply --yes --force --template team.json").exit, 0);
        place.write(&plain);
        refuses(&place, destroy, "`pip-");
        let freed = place.apply();
        assert_eq!(freed.exit, 0, "{}", freed.text());
        let done = place.run(destroy);
        assert_eq!(done.exit, 0, "{}", done.text());
        assert!(place.state().is_empty());
    }
}

#[test]
fn destroy_keeps_what_is_marked_in_a_nested_template_or_under_a_symbol() {
    let address = |mark: bool| {
        let mut resource = json!({ "type": "Microsoft.Network/publicIPAddresses", "apiVersion": "2025-05-01", "name": "[concat('pip-', 'inner')]",
            "location": "westus2", "sku": { "name": "Standard" }, "properties": { "publicIPAllocationMethod": "Static" } });
        if mark {
            resource["metadata"] = json!({ "dsvmc": { "preventDestroy": true } });
        }
        resource
    };
    let schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#";
    let nested = json!({ "$schema": schema, "contentVersion": "1.0.0.0", "resources": [{
        "type": "Microsoft.Resources/deployments", "apiVersion": "2025-04-01", "name": "inner", "properties": { "mode": "Incremental",
            "template": { "$schema": schema, "contentVersion": "1.0.0.0", "resources": [address(true)] } } }] });
    let symbols = json!({ "$schema": schema, "contentVersion": "1.0.0.0", "languageVersion": "2.0", "resources": { "address": address(true) } });
    for template in [nested, symbols] {
        let place = Place::new();
        place.write(&template);
        let applied = place.apply();
        assert_eq!(applied.exit, 0, "{}", applied.text());
        refuses(&place, "destroy --yes --allow-delete --template team.json", "pip-inner");
        forget(&place, "team");
        refuses(&place, "destroy --yes --allow-delete --template team.json", "pip-inner");
    }
}

#[test]
fn destroy_keeps_a_protected_share_of_a_project() {
    let place = Place::new();
    let text = changed(&starter(), "  quota = 1 TiB\n", "  quota = 1 TiB\n  prevent_destroy = true\n");
    place.cx.write("pool.dsvm", &text);
    let applied = place.run("apply --yes --env dev pool.dsvm");
    assert_eq!(applied.exit, 0, "{}", applied.text());
    let refuse = |why: &str| {
        let ran = place.run("destroy --yes --allow-delete --env dev pool.dsvm");
        assert_eq!(ran.exit, 1, "{why}\n{}", ran.text());
        assert!(ran.stderr.contains("DSVM0809"), "{why}\n{}", ran.text());
    };
    refuse("recorded");
    forget(&place, "research");
    refuse("in the source");
    let still = place.run("plan --detailed-exitcode --env dev pool.dsvm");
    assert_eq!(still.exit, 0, "{}", still.text());
    place.cx.write("pool.dsvm", &starter());
    let freed = place.run("apply --yes --env dev pool.dsvm");
    assert_eq!(freed.exit, 0, "{}", freed.text());
    let done = place.run("destroy --yes --allow-delete --env dev pool.dsvm");
    assert_eq!(done.exit, 0, "{}", done.text());
}

#[test]
fn a_plan_against_a_commit_is_what_the_working_tree_changes() {
    let place = Place::new();
    place.cx.write("pools/pool.dsvm", &starter());
    git(&place, &["init", "-q"]);
    git(&place, &["add", "pools"]);
    git(&place, &["commit", "-q", "-m", "first"]);
    git(&place, &["tag", "first"]);
    let plan = |more: &str| place.run(&format!("plan --env dev --detailed-exitcode pools/pool.dsvm {more}"));
    let same = plan("--against first");
    assert_eq!(same.exit, 0, "{}", same.text());
    place.cx.write("pools/pool.dsvm", &changed(&starter(), "quota = 1 TiB", "quota = 2 TiB"));
    let other = plan("--against first");
    assert_eq!(other.exit, 2, "{}", other.text());
    assert!(other.stdout.contains("1 TiB → 2 TiB"), "{}", other.text());
    assert!(other.stdout.contains("resources is updated; nothing is deleted."), "{}", other.text());
    // A file that was not there then is new as a whole.
    place.cx.write("later.dsvm", &starter());
    let new = place.run("plan --env dev --detailed-exitcode --against first later.dsvm");
    assert_eq!(new.exit, 2, "{}", new.text());
    assert!(new.stdout.contains("are created; nothing is deleted."), "{}", new.text());
    // What was committed since is compared as well.
    git(&place, &["commit", "-q", "-a", "-m", "second"]);
    assert_eq!(plan("--against HEAD").exit, 0);
    assert_eq!(plan("--against HEAD~1").exit, 2);
    let wrong = plan("--against nowhere");
    assert_eq!(wrong.exit, 1, "{}", wrong.text());
    assert!(wrong.stderr.contains("there is no commit `nowhere` here"), "{}", wrong.text());
}

/// Each property leads to the field that was edited, not only to its block; what goes away to where it was.
#[test]
fn each_change_leads_back_to_its_line() {
    let place = Place::new();
    place.cx.write("pool.dsvm", &starter());
    git(&place, &["init", "-q"]);
    git(&place, &["add", "pool.dsvm"]);
    git(&place, &["commit", "-q", "-m", "first"]);
    let edits = [
        ("quota = 1 TiB", "quota = 2 TiB", "properties.shareQuota"),
        ("size     = sizes.Standard_D4s_v5", "size     = sizes.Standard_D8s_v5", "sku.name"),
        ("> 75% {", "> 70% {", "rules[0].metricTrigger.threshold"),
        ("allow ssh from office", "allow ssh from [198.51.100.0/24]", "sourceAddressPrefixes"),
    ];
    for (from, to, path) in edits {
        let text = changed(&starter(), from, to);
        place.cx.write("pool.dsvm", &text);
        let line = text.lines().position(|l| l.contains(to)).unwrap() + 1;
        let at = format!("pool.dsvm:{line}");
        let plan =
            |format: &str| place.run(&format!("plan --env dev --against HEAD --format {format} pool.dsvm")).stdout;
        let json: serde_json::Value = serde_json::from_str(&plan("json")).unwrap();
        let all = json["changes"].as_array().unwrap().iter().flat_map(|c| c["attributes"].as_array().unwrap());
        let mine: Vec<_> = all.filter(|a| a["path"].as_str().unwrap().ends_with(path)).collect();
        assert!(!mine.is_empty(), "{path}: {json:#}");
        for attribute in mine {
            assert_eq!(attribute["source"]["line"], line, "{attribute:#}");
            assert_eq!(attribute["source"]["file"], "pool.dsvm");
        }
        for format in ["human --raw", "markdown"] {
            let text = plan(format);
            let here = |l: &str| (l.contains(" → ") || l.contains(path)) && l.contains(&at);
            assert!(text.contains(path) && text.lines().any(here), "{text}");
        }
    }
    // A pool that is gone: the line of the commit.
    let without = starter().split("\npool ").next().unwrap().to_owned();
    let line = starter().lines().position(|l| l.starts_with("pool ")).unwrap() + 1;
    place.cx.write("pool.dsvm", &without);
    let plan = place.run("plan --env dev --against HEAD pool.dsvm");
    let gone = format!("HEAD:pool.dsvm:{line}");
    assert!(
        plan.stdout.lines().any(|l| l.contains("pool ") && l.contains("removed") && l.contains(&gone)),
        "{}",
        plan.text()
    );
}

/// A template that was written by hand leads back to its own lines.
#[test]
fn changes_of_a_template_lead_to_its_lines() {
    let place = Place::new();
    assert_eq!(place.apply().exit, 0);
    let mut wanted = template("a", false);
    wanted["resources"][4]["properties"]["shareQuota"] = json!(200);
    place.write(&wanted);
    let line = place.cx.read("team.json").lines().position(|l| l.contains("shareQuota")).unwrap() + 1;
    let plan = place.run("plan --template team.json");
    let shown = plan.stdout.lines().any(|l| l.contains("shareQuota") && l.contains(&format!("team.json:{line}")));
    assert!(shown, "{}", plan.text());
}

#[test]
fn what_show_writes_is_what_live_reads() {
    let place = Place::new();
    assert_eq!(place.apply().exit, 0);
    place.cx.write("pool.dsvm", &starter());
    let applied = place.run("apply --yes --env dev pool.dsvm");
    assert_eq!(applied.exit, 0, "{}", applied.text());
    let observed = [("team", "--template team.json"), ("research", "--env dev pool.dsvm")].map(|(project, path)| {
        let shown = place.run(&format!("show --json {path}"));
        assert_eq!(shown.exit, 0, "{}", shown.text());
        place.cx.write(&format!("{project}.observed.json"), &shown.stdout);
        (project, path)
    });
    for recorded in [true, false] {
        for (project, path) in observed {
            if !recorded {
                forget(&place, project);
            }
            let plan = place.run(&format!("plan --detailed-exitcode {path} --live {project}.observed.json"));
            assert_eq!(plan.exit, 0, "{recorded}\n{}", plan.text());
        }
    }
    place.write(&template("b", true));
    let plan = place.run("plan --detailed-exitcode --template team.json --live team.observed.json");
    assert_eq!(plan.exit, 2, "{}", plan.text());
    assert!(plan.stdout.contains("1 to create") && plan.stdout.contains("pip-extra"), "{}", plan.text());
    place.cx.write("bad.json", "[1, 2");
    let bad = place.run("plan --template team.json --live bad.json");
    assert_eq!(bad.exit, 1, "{}", bad.text());
    assert!(bad.stderr.contains("is not a list of resources"), "{}", bad.text());
}

#[test]
fn narrowed_plans_show_what_was_asked_for_and_nothing_else() {
    let place = Place::new();
    let names = |options: &str| -> Vec<String> {
        let ran = place.run(&format!("plan --format json --template team.json {options}"));
        assert_eq!(ran.exit, 0, "{}", ran.text());
        let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        json["changes"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("").len(), 7);
    assert_eq!(names("--only nsg-team --only id-*"), ["id-team", "nsg-team"]);
    assert_eq!(names("--only Microsoft.KeyVault/*"), ["kv-team-0123456", "kv-team-0123456/login"]);
    assert_eq!(names("--only Microsoft.KeyVault/* --exclude */login"), ["kv-team-0123456"]);
    assert_eq!(names("--exclude *kv-team* --exclude stteam*").len(), 3);
    assert_eq!(names("--only nobody"), Vec::<String>::new());
    // What is left out is not taken for removed.
    assert_eq!(place.apply().exit, 0);
    place.write(&template("b", false));
    let one = place.run("plan --detailed-exitcode --template team.json --only nsg-team");
    assert!(one.exit == 2 && one.stdout.contains("Plan: 1 to update."), "{}", one.text());
    let none = place.run("plan --detailed-exitcode --template team.json --only vnet-team");
    assert_eq!(none.exit, 0, "{}", none.text());
}

fn tree(place: &Place) {
    place.cx.write("pools/a/main.dsvm", &starter());
    place.cx.write("pools/b/main.dsvm", &starter().replacen("project research", "project other", 1));
}

#[test]
fn a_tree_of_projects_is_planned_in_one_run() {
    let place = Place::new();
    tree(&place);
    let ran = place.run("plan --env dev --detailed-exitcode pools");
    assert_eq!(ran.exit, 2, "{}", ran.text());
    let heads: Vec<&str> = ran.stdout.lines().filter(|l| l.contains(", env dev on local")).collect();
    assert_eq!(heads.len(), 2, "{}", ran.text());
    assert!(heads[0].starts_with("research,") && heads[1].starts_with("other,"), "{heads:?}");
    assert!(ran.stdout.lines().last().unwrap().starts_with("2 projects, 2 with changes. Plan: "), "{}", ran.text());
    // One of them is as its source says: the others still count.
    assert_eq!(place.run("apply --yes --env dev pools/a").exit, 0);
    let ran = place.run("plan --env dev --detailed-exitcode --format json pools");
    assert_eq!(ran.exit, 2, "{}", ran.text());
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(super::schema::errors_of_tree(&json), Vec::<String>::new());
    let paths: Vec<_> = json["projects"].as_array().unwrap().iter().map(|p| p["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["pools/a", "pools/b"]);
    let sum = |pointer: &str| json.pointer(pointer).unwrap().as_u64().unwrap();
    assert_eq!(sum("/projects/0/plan/summary/create"), 0);
    assert_eq!(sum("/summary/create"), sum("/projects/1/plan/summary/create"));
    assert_eq!(sum("/summary/no_change"), sum("/projects/0/plan/summary/no_change"));
    let markdown = place.run("plan --env dev --format markdown pools").stdout;
    assert!(
        markdown.contains("2 projects, 1 with changes") && markdown.contains("Nothing to do: `pools/a`."),
        "{markdown}"
    );
    assert_eq!(markdown.matches("### dsvmc plan: ").count(), 1);
    let sarif: serde_json::Value =
        serde_json::from_str(&place.run("plan --env dev --format sarif pools").stdout).unwrap();
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len() as u64, sum("/summary/create"));
    assert_eq!(place.run("apply --yes --env dev pools/b").exit, 0);
    let ran = place.run("plan --env dev --detailed-exitcode pools");
    assert_eq!(ran.exit, 0, "{}", ran.text());
    assert!(ran.stdout.contains("2 projects, 0 with changes. Nothing to do: all "), "{}", ran.text());
}

#[test]
fn what_is_for_one_project_is_refused_for_a_tree() {
    let place = Place::new();
    tree(&place);
    for option in ["-o x.plan", "--template team.json", "--live team.json"] {
        let ran = place.run(&format!("plan --env dev {option} pools"));
        assert_eq!(ran.exit, 1, "{}", ran.text());
        let told =
            ran.stderr.contains("DSVM0903") && ran.stderr.contains("2 in `pools`") && ran.stderr.contains("`pools/b`");
        assert!(told && ran.stdout.is_empty(), "{}", ran.text());
    }
    for command in ["apply --yes", "destroy --yes"] {
        let ran = place.run(&format!("{command} --env dev pools"));
        assert_eq!(ran.exit, 3, "{}", ran.text());
        assert!(ran.stderr.contains("2 projects") && ran.stderr.contains("`pools/a`, `pools/b`"), "{}", ran.text());
    }
    assert!(!place.cx.path().join("x.plan").exists());
    assert_eq!(place.run("plan --env dev pools/a").exit, 0);
}

/// Everything that is wrong is told in one run, and with which project.
#[test]
fn a_tree_whose_projects_differ_in_envs_says_which() {
    let place = Place::new();
    tree(&place);
    place.cx.write(
        "pools/c/main.dsvm",
        &starter().replacen("project research", "project third", 1).replace("env dev", "env test"),
    );
    place.cx.write("pools/d/main.dsvm", "project broken {\n  region = nowhere\n}\n");
    let ran = place.run("plan --env dev pools");
    assert_eq!(ran.exit, 1, "{}", ran.text());
    assert!(
        ran.stderr.contains("`third` has no env `dev`") && ran.stderr.contains("pools/d/main.dsvm"),
        "{}",
        ran.text()
    );
    assert!(ran.stdout.is_empty(), "{}", ran.text());
}

/// What the Azure CLI writes: one resource whole, or a list of envelopes.
#[test]
fn files_of_the_azure_cli_are_read() {
    let place = Place::new();
    assert_eq!(place.apply().exit, 0);
    let shown: serde_json::Value = serde_json::from_str(&place.run("show --json --template team.json").stdout).unwrap();
    let all = shown["resources"].as_array().unwrap();
    let group = all.iter().find(|r| r["name"] == "nsg-team").unwrap();
    place.cx.write("one.json", &group.to_string());
    let envelopes: Vec<_> = all
        .iter()
        .map(|r| {
            let mut envelope = r.clone();
            envelope.as_object_mut().unwrap().remove("properties");
            envelope
        })
        .collect();
    place.cx.write("list.json", &serde_json::Value::from(envelopes).to_string());
    place.cx.write("page.json", &json!({ "value": all, "nextLink": null }).to_string());
    let page = place.run("plan --detailed-exitcode --template team.json --live page.json");
    assert_eq!(page.exit, 0, "{}", page.text());
    let list = place.run("plan --detailed-exitcode --template team.json --live list.json");
    assert_eq!(list.exit, 0, "{}", list.text());
    assert!(list.stdout.contains("only its envelope was observed"), "{}", list.text());
    place.write(&template("b", false));
    let list = place.run("plan --template team.json --live list.json");
    assert!(list.stdout.contains("tags.t: \"a\" → \"b\""), "{}", list.text());
    let one = place.run("plan --format json --template team.json --live one.json --only nsg-team");
    let json: serde_json::Value = serde_json::from_str(&one.stdout).unwrap();
    assert_eq!(json["summary"]["update"], 1, "{}", one.text());
    assert_eq!(super::schema::errors(&json), Vec::<String>::new());
}

#[test]
fn what_is_held_back_is_listed_with_its_rule() {
    let place = Place::new();
    assert_eq!(place.apply().exit, 0);
    let ran = place.run("plan --show-suppressed --template team.json");
    for (rule, path) in [
        ("read-only", "properties.vaultUri"),
        ("service-default", "properties.enableSoftDelete"),
        ("write-only", "properties.value"),
        ("empty-vs-absent", "properties.accessPolicies"),
    ] {
        assert!(ran.stdout.lines().any(|l| l.trim().starts_with(rule) && l.contains(path)), "{rule}\n{}", ran.text());
    }
    let json = place.run("plan --show-suppressed --format json --template team.json");
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert!(json["suppressed"].as_array().unwrap().len() > 10);
    assert_eq!(super::schema::errors(&json), Vec::<String>::new());
}

/// The service cannot see a secret that changed; whoever asks is told that the two differ there.
#[test]
fn what_if_tells_where_the_service_differs() {
    let place = Place::new();
    let before = place.run("plan --what-if --template team.json");
    assert!(before.stderr.contains("does not exist yet"), "{}", before.text());
    assert_eq!(place.apply().exit, 0);
    let same = place.run("plan --what-if --template team.json");
    assert!(same.stderr.contains("the service agrees on all 7 resources"), "{}", same.text());
    place.write(&template("b", false));
    let both = place.run("plan --what-if --template team.json");
    assert!(both.stderr.contains("the service agrees on all 7 resources"), "{}", both.text());
    place.write(&template("a", false));
    let secret = place.run("plan --what-if --set password=other --template team.json");
    let line = "`kv-team-0123456/login`: this plan says update, the service says nochange";
    assert!(secret.stderr.contains("differs on 1 of 7") && secret.stderr.contains(line), "{}", secret.text());
}

/// Names and values that want to be markup stay text in a comment; the same plan gives the same bytes.
#[test]
fn comments_are_stable_and_hostile_tags_stay_text() {
    let place = Place::new();
    let mut hostile = template("a", false);
    hostile["resources"][0]["tags"] = json!({ "</details>@everyone": "`|<img src=x>\n\u{202e}" });
    place.write(&hostile);
    assert_eq!(place.apply().exit, 0);
    hostile["resources"][0]["tags"] = json!({ "</details>@everyone": "**next**\u{1b}[31m" });
    place.write(&hostile);
    let run = || place.run("plan --format markdown --template team.json").stdout;
    let text = run();
    assert_eq!(text, run());
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
    for line in text.lines().filter(|l| l.contains("everyone")) {
        assert!(line.starts_with("- changed `"), "{line}");
    }
    assert!(text.len() < 65_536 && text.contains("<details>"), "{text}");
}
