//! A project with people on its machines, and what an observer of the endpoint sees of them.
//!
//! What happened to a machine is read from the endpoint alone: its id, when it was created, how often it restarted, how many
//! OS disks it had, whether it runs. The plan is read from the program. Neither knows of the other.

use crate::support::{Ran, TestContext};
use arm_local::{Endpoint, Options, SUBSCRIPTION};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The two pools of the project: a Uniform and a Flexible scale set.
pub const POOLS: [&str; 2] = ["vmss-uni", "vmss-flex"];

/// One machine, as the endpoint shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    restarts: u64,
    disks: u64,
    power: String,
    /// Parts of the set's model that the machine does not carry.
    pub pending: Vec<String>,
}

/// Machines of one pool by id and time of creation: a machine that is created again under its old number is another one.
pub type Machines = BTreeMap<(String, String), Machine>;

/// What happened to the machines of a pool between two observations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// Machines that ran on, with their disks.
    pub kept: usize,
    /// Machines that restarted and kept their OS disk.
    pub restarted: usize,
    /// Machines with a new OS disk.
    pub fresh: usize,
    /// Machines that are no longer there.
    pub gone: usize,
    /// Machines that were not there before.
    pub new: usize,
}

/// The change of one resource in a plan.
#[derive(Clone, Debug)]
pub struct Planned {
    pub name: String,
    pub kind: String,
    pub action: String,
    pub effect: String,
    pub machines: Option<u64>,
    pub whole: Value,
}

/// A project in a folder, the endpoint that it is applied to, and its clock.
pub struct World {
    cx: TestContext,
    endpoint: Endpoint,
}

impl World {
    pub fn new() -> Self {
        let cx = TestContext::new();
        let state = cx.path().join(".dsvmc").join("local");
        std::fs::create_dir_all(&state).unwrap();
        let endpoint = Endpoint::start(Options { state: Some(state), ..Options::default() }).unwrap();
        let world = Self { cx, endpoint };
        world.ask("POST", "/_local/clock", &json!({ "now": "2026-11-23T08:00:00Z", "freeze": true }));
        world
    }

    pub fn write(&self, source: &str) {
        self.cx.write("main.dsvm", source);
    }

    pub fn run(&self, arguments: &str) -> Ran {
        let mut command = self.cx.command(&format!("{arguments} --as-of 2026-11-23 main.dsvm"));
        let output = command.env("DSVMC_PARAM_password", "Sentinel-4711-Password").output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { exit: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    pub fn fine(&self, arguments: &str) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.exit, 0, "{arguments}\n{}", ran.text());
        ran
    }

    /// The changes of the plan.
    pub fn plan(&self) -> Vec<Planned> {
        let ran = self.run("plan --format json");
        let plan: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}\n{}", ran.text()));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let changes = plan["changes"].as_array().unwrap().iter().filter(|c| c["action"] != "no-change");
        changes
            .map(|c| Planned {
                name: text(c.get("label").unwrap_or(&c["name"])),
                kind: text(&c["type"]),
                action: text(&c["action"]),
                effect: text(&c["effect"]["kind"]),
                machines: c["effect"]["machines"].as_u64(),
                whole: c.clone(),
            })
            .collect()
    }

    pub fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        arm_local::ask(self.port(), method, path, &body).unwrap()
    }

    fn port(&self) -> u16 {
        self.endpoint.http_url.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// Lets time pass on the endpoint.
    pub fn wait(&self, span: &str) {
        self.ask("POST", "/_local/clock", &json!({ "advance": span }));
    }

    /// A path below the project's resource group.
    pub fn path(&self, rest: &str) -> String {
        format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-story/providers/{rest}")
    }

    pub fn get(&self, rest: &str) -> Value {
        self.ask("GET", &format!("{}?api-version=2024-11-01", self.path(rest)), &Value::Null)
    }

    /// Writes a resource; the error code when the endpoint refuses it.
    pub fn put(&self, id: &str, body: &Value) -> Option<String> {
        let path = format!("{id}?api-version=2024-11-01");
        let refused = arm_local::ask(self.port(), "PUT", &path, &body.to_string()).err()?.to_string();
        let answer = refused.split_once(": ").and_then(|(_, json)| serde_json::from_str::<Value>(json).ok());
        let code = answer.as_ref().and_then(|answer| answer.pointer("/error/code")?.as_str());
        Some(code.unwrap_or_else(|| panic!("{refused}")).to_owned())
    }

    pub fn set(&self, pool: &str) -> Value {
        self.get(&format!("Microsoft.Compute/virtualMachineScaleSets/{pool}"))
    }

    /// Machines of a pool.
    pub fn machines(&self, pool: &str) -> Machines {
        let all = self.ask("GET", "/_local/machines", &Value::Null);
        let sets = all["machines"].as_object().unwrap();
        let Some((_, list)) = sets.iter().find(|(id, _)| id.ends_with(&format!("/{pool}"))) else {
            return Machines::new();
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let each = list.as_array().unwrap().iter().map(|one| {
            let pending = one["pending"].as_array().unwrap().iter().map(text).collect();
            let (restarts, disks) = (one["restarts"].as_u64().unwrap(), one["osDisks"].as_u64().unwrap());
            (
                (text(&one["id"]), text(&one["created"])),
                Machine { restarts, disks, power: text(&one["power"]), pending },
            )
        });
        each.collect()
    }

    /// Machines of both pools.
    pub fn all(&self) -> BTreeMap<&'static str, Machines> {
        POOLS.into_iter().map(|pool| (pool, self.machines(pool))).collect()
    }

    /// Ids of role assignments with the principals that they serve.
    pub fn roles(&self) -> BTreeMap<String, String> {
        let ids = self.managed("Microsoft.Authorization/roleAssignments");
        let principal = |id: &String| {
            let found = self.ask("GET", &format!("{id}?api-version=2022-04-01"), &Value::Null);
            found.pointer("/properties/principalId").and_then(Value::as_str).map(str::to_owned)
        };
        ids.into_iter().filter_map(|id| Some((id.clone(), principal(&id)?))).collect()
    }

    /// Ids of the resources of one type that the project manages.
    pub fn managed(&self, kind: &str) -> BTreeSet<String> {
        let shown: Value = serde_json::from_str(&self.fine("show --json").stdout).unwrap();
        let managed = shown["managed"].as_array().unwrap().iter().filter_map(Value::as_str);
        let wanted = managed.filter(|id| arm_plan::type_of_id(id).0.eq_ignore_ascii_case(kind));
        wanted.map(str::to_owned).collect()
    }

    pub fn principal(&self) -> String {
        let found = self.get("Microsoft.ManagedIdentity/userAssignedIdentities/id-people");
        found["properties"]["principalId"].as_str().unwrap_or_default().to_owned()
    }
}

/// What happened between two observations.
pub fn fate(before: &Machines, after: &Machines) -> Fate {
    let mut fate = Fate::default();
    for (key, old) in before {
        match after.get(key) {
            None => fate.gone += 1,
            Some(new) if new.disks != old.disks => fate.fresh += 1,
            Some(new) if new.restarts != old.restarts || new.power != old.power => fate.restarted += 1,
            Some(_) => fate.kept += 1,
        }
    }
    fate.new = after.keys().filter(|key| !before.contains_key(*key)).count();
    fate
}
