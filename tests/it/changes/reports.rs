//! Changes that plans once got wrong, from the source file to the endpoint and back.

use crate::support::{Ran, TestContext};
use arm_local::{Endpoint, Options};
use serde_json::Value;

/// A project in a folder, and the endpoint that it is applied to.
struct Project {
    cx: TestContext,
    endpoint: Endpoint,
}

impl Project {
    fn applied(source: &str) -> Self {
        let cx = TestContext::new();
        let state = cx.path().join(".dsvmc").join("local");
        std::fs::create_dir_all(&state).unwrap();
        let endpoint = Endpoint::start(Options { state: Some(state), ..Options::default() }).unwrap();
        let project = Self { cx, endpoint };
        project.write(source);
        project.fine("apply --yes");
        project
    }

    fn write(&self, source: &str) {
        self.cx.write("main.dsvm", source);
    }

    fn run(&self, arguments: &str) -> Ran {
        self.cx.run(&format!("{arguments} --as-of 2026-11-23 main.dsvm"))
    }

    fn fine(&self, arguments: &str) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.exit, 0, "{arguments}\n{}", ran.text());
        ran
    }

    /// The changes of the plan: action, effect and name of each resource that changes.
    fn plan(&self) -> Vec<(String, String, String)> {
        let ran = self.run("plan --format json");
        let plan: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}\n{}", ran.text()));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let changes = plan["changes"].as_array().unwrap().iter().filter(|c| c["action"] != "no-change");
        changes
            .map(|c| {
                let name = c.get("label").unwrap_or(&c["name"]);
                (text(&c["action"]), text(&c["effect"]["kind"]), text(name))
            })
            .collect()
    }

    fn arm(&self, method: &str, path: &str) -> Value {
        let port = self.endpoint.http_url.rsplit(':').next().unwrap().parse().unwrap();
        arm_local::ask(port, method, path, "").unwrap()
    }

    /// The id of the resource of a type.
    fn id(&self, kind: &str) -> String {
        let path = format!("/subscriptions/{}/resources?api-version=2024-11-01", arm_local::SUBSCRIPTION);
        let listed = self.arm("GET", &path);
        let found = listed["value"].as_array().unwrap().iter().find(|r| r["type"] == kind);
        found.unwrap_or_else(|| panic!("no {kind} in {listed}"))["id"].as_str().unwrap().to_owned()
    }
}

fn pool(lines: &str) -> String {
    format!(
        "project disks {{ location = westeurope }}\nimport std.images\nimport std.sizes\npool d: interactive {{\n\
         \x20 size = sizes.Standard_D4ds_v5\n  machines = 2\n{lines}\n\
         \x20 admin {{ name = \"ops\", key = \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0e99PD7L6H1hsDWtXjCnotLXI7NDNJb9dhjsPl+UGc a@b\" }}\n\
         \x20 allow ssh from [203.0.113.0/24]\n}}\n"
    )
}

#[test]
fn the_kind_of_the_os_disk_is_set_at_creation() {
    let with = |disk: &str| pool(&format!("  image = images.ubuntu_2204\n  os_disk = {disk}"));
    let project = Project::applied(&with("premium_ssd"));
    for other in ["standard_ssd", "ephemeral"] {
        project.write(&with(other));
        let plan = project.plan();
        let set = plan.iter().find(|(_, effect, _)| effect == "replaces");
        assert!(set.is_some_and(|(action, _, _)| action == "replace"), "{other}: {plan:?}");
        let shown = project.fine("plan").stdout;
        assert!(shown.contains("os_disk") && shown.contains("2 machines"), "{shown}");
    }
}

#[test]
fn another_image_is_no_other_pool() {
    let project = Project::applied(&pool("  image = images.ubuntu_2204"));
    project.write(&pool("  image = images.ubuntu_hpc"));
    let plan = project.plan();
    assert!(plan.iter().all(|(action, _, _)| action == "update" || action == "create"), "{plan:?}");
    let effects: Vec<&str> = plan.iter().map(|(_, effect, _)| effect.as_str()).collect();
    assert!(effects.iter().any(|e| *e == "os-disks-replaced" || *e == "new-machines"), "{plan:?}");
    project.fine("apply --yes");
    assert_eq!(project.plan(), []);
}

const IDENTITY: &str = "project r { location = westeurope }\nimport std.roles\nidentity jobs { location = REGION\n  grant roles.reader on resource_group }\n";

#[test]
fn roles_of_an_identity_that_is_created_again_are_given_again() {
    let project = Project::applied(&IDENTITY.replace("REGION", "westeurope"));
    let role = |plan: &[(String, String, String)]| {
        plan.iter().any(|(action, _, name)| action == "replace" && name.starts_with("role "))
    };
    // Another region is another identity.
    project.write(&IDENTITY.replace("REGION", "northeurope"));
    let plan = project.plan();
    assert_eq!(plan.iter().filter(|(action, _, _)| action == "replace").count(), 2, "{plan:?}");
    assert!(role(&plan), "{plan:?}");
    project.fine("apply --yes --allow-delete");
    assert_eq!(project.plan(), []);
    // Deleted by somebody else.
    let identity = project.id("Microsoft.ManagedIdentity/userAssignedIdentities");
    project.arm("DELETE", &format!("{identity}?api-version=2024-11-30"));
    let plan = project.plan();
    assert!(role(&plan) && plan.iter().any(|(action, _, _)| action == "create"), "{plan:?}");
    project.fine("apply --yes --allow-delete");
    assert_eq!(project.plan(), []);
}

#[test]
fn a_vault_is_never_created_again() {
    let vault =
        |more: &str| format!("project v {{ location = westeurope }}\nvault keys {{ access = public\n{more} }}\n");
    let project = Project::applied(&vault(""));
    project.write(&vault("  retention = 30 days"));
    let plan = project.plan();
    assert!(plan.iter().any(|(action, effect, _)| action == "refuse" && effect == "refused-name-held"), "{plan:?}");
    assert!(plan.iter().all(|(action, _, _)| action != "replace" && action != "delete"), "{plan:?}");
    for command in ["plan", "apply --yes --allow-delete"] {
        let ran = project.run(command);
        assert_eq!(ran.exit, 1, "{command}: {}", ran.text());
        assert!(ran.stderr.contains("DSVM0812") && ran.stderr.contains("under another name"), "{}", ran.text());
    }
}

/// A vault from its first deployment to its recovery: what Azure refuses is refused before anything is sent.
#[test]
fn a_vault_that_was_deleted_comes_back_as_it_was() {
    let vault =
        |more: &str| format!("project v {{ location = westeurope }}\nvault keys {{ access = public\n{more} }}\n");
    let project = Project::applied(&vault(""));
    let id = project.id("Microsoft.KeyVault/vaults");
    let destroyed = project.fine("destroy --yes --allow-delete").text();
    for told in
        ["is kept for 90 days", "its name stays taken in all of Azure", "it cannot be purged before", "recovers it"]
    {
        assert!(destroyed.contains(told), "{told}: {destroyed}");
    }
    // Another retention than the deleted vault has.
    project.write(&vault("  retention = 30 days\n"));
    for command in ["plan", "apply --yes"] {
        let ran = project.run(command);
        assert_eq!(ran.exit, 1, "{command}: {}", ran.text());
        assert!(ran.stderr.contains("its retention is 90 days and never changes"), "{}", ran.text());
        assert!(ran.stderr.contains("write `retention = 90 days`"), "{}", ran.text());
    }
    project.write(&vault(""));
    let plan = project.fine("plan").text();
    assert!(plan.contains("is recovered"), "{plan}");
    project.fine("apply --yes");
    assert_eq!(project.plan(), []);
    let back = project.arm("GET", &format!("{id}?api-version=2023-07-01"));
    assert_eq!(back["properties"]["softDeleteRetentionInDays"], 90, "{back}");
}

/// What no line of the change says: one field decides what another, fixed one is.
#[test]
fn a_cause_that_no_line_shows_is_named() {
    let plain = pool("  image = images.ubuntu_2204");
    let project = Project::applied(&plain);
    let cases = [
        (
            pool("  image = images.ubuntu_2204\n  entra_login = true"),
            "properties.orchestrationMode",
            "`entra_login` makes the set Uniform, which is fixed at creation",
            "entra_login = true",
        ),
        (
            pool("  image = images.ubuntu_2204\n  health { source = load_balancer }"),
            "properties.orchestrationMode",
            "`health.source` makes the set Uniform, which is fixed at creation",
            "source = load_balancer",
        ),
    ];
    for (source, property, cause, line) in cases {
        project.write(&source);
        let ran = project.run("plan --format json");
        let Ok(plan) = serde_json::from_str::<Value>(&ran.stdout) else { panic!("{}", ran.text()) };
        let changes = plan["changes"].as_array().unwrap();
        let set = changes.iter().find(|c| c["type"] == "Microsoft.Compute/virtualMachineScaleSets").unwrap();
        assert_eq!((&set["action"], &set["effect"]["property"]), (&"replace".into(), &property.into()), "{set:#}");
        assert_eq!(set["effect"]["cause"], cause);
        let attribute = set["attributes"].as_array().unwrap().iter().find(|a| a["path"] == property).unwrap();
        assert_eq!(attribute["cause"], cause);
        let at = source.lines().position(|text| text.contains(line)).unwrap() + 1;
        assert_eq!(attribute["source"]["line"], at, "{attribute:#}");
        let shown = project.fine("plan --resources").stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(shown.contains(&format!("because {cause}")), "{shown}");
    }
    // And back: nothing in the source says Flexible.
    project.write(&pool("  image = images.ubuntu_2204\n  entra_login = true"));
    project.fine("apply --yes --allow-delete");
    project.write(&plain);
    let shown = project.fine("plan --resources").stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains("because nothing in the pool needs a Uniform set"), "{shown}");
}

/// A share that is reached over NFS needs another kind of account, and the account goes with what is on it.
#[test]
fn a_protocol_decides_the_kind_of_the_account() {
    let with = |protocol: &str| {
        pool("  image = images.ubuntu_2204\n  shares = [work]")
            .replace("pool d:", &format!("share work {{ quota = 100 GiB, mount = \"/data/work\"{protocol} }}\npool d:"))
    };
    let project = Project::applied(&with(""));
    project.write(&with(", protocol = nfs"));
    let shown = project.run("plan --resources").stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains("because `protocol = nfs` needs a premium account"), "{shown}");
}
