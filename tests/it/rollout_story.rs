//! A pool of three machines that people work on, from its first day over changed people, shares and setup steps to a machine
//! that is made again: for each step, what the plan says of the machines, what each of them then carries, and what is left to
//! do.
//!
//! The plan is read from the program, what a machine carries from the endpoint. Neither knows of the other.

use crate::story::world::{Fate, Machines, Planned, World, fate};
use crate::support::Ran;
use serde_json::{Value, json};

const SET: &str = "vmss-team";
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0e99PD7L6H1hsDWtXjCnotLXI7NDNJb9dhjsPl+UGc a@b";
/// Path of the only element of the model that the changes of this story reach.
const SETUP: &str = "properties.virtualMachineProfile.extensionProfile.extensions[setup].";
/// How long the plan says that a change of that element takes, and what it does to the machines.
const REACHES: &str = "reaches the 3 running machines one at a time, 5 min apart (at least 10 min), no restart";
/// What a machine writes when the step of the setup fails.
const BROKEN: &str = "[stdout]\ndsvmc: accounts\ndsvmc: steps\n\
    dsvmc: failed at steps: step tools exited with code 127: install-tools: not found\n";

/// What the lines of the source are at one step.
struct Source {
    users: Vec<&'static str>,
    shares: Vec<&'static str>,
    step: &'static str,
}

impl Source {
    fn text(&self) -> String {
        let share = |name: &&str| format!("share {name} {{ quota = 100 GiB, mount = \"/data/{name}\" }}\n");
        let shares: String = self.shares.iter().map(share).collect();
        let users: String = self.users.iter().map(|user| format!("  user {user}, key = \"{KEY}\" }}\n")).collect();
        let (mounted, step) = (self.shares.join(", "), self.step);
        format!(
            "project story {{ location = westeurope }}\nimport std.images\nimport std.sizes\n{shares}\
             pool team: interactive {{\n  image = images.ubuntu_2204\n  size = sizes.Standard_D4s_v5\n  machines = 3\n\
             \x20 shares = [{mounted}]\n  serve = [ssh]\n  admin {{ name = \"ops\", key = \"{KEY}\" }}\n{users}\
             \x20 setup {{ step tools {{ run = \"{step}\" }} }}\n  allow ssh from [203.0.113.0/24]\n}}\n"
        )
    }
}

/// The setup that one machine carries, in the order in which machines are upgraded.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Carried {
    name: String,
    /// `forceUpdateTag` that the extension last ran with.
    tag: String,
    /// Digest of the script that it last ran.
    script: String,
    /// How often extensions ran on this machine.
    runs: u64,
    disks: u64,
    failed: bool,
    latest: bool,
}

struct Lab {
    world: World,
    source: Source,
}

impl Lab {
    fn set(&self) -> String {
        self.world.path(&format!("Microsoft.Compute/virtualMachineScaleSets/{SET}"))
    }

    fn carried(&self) -> Vec<Carried> {
        let all = self.world.ask("GET", "/_local/machines", &Value::Null);
        let list = all["machines"].as_object().unwrap().iter().find(|(id, _)| id.ends_with(SET)).unwrap().1;
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{list:#}")).to_owned();
        let one = |machine: &Value| {
            let setup = &machine["extensions"]["setup"];
            Carried {
                name: text(&machine["name"]),
                tag: text(&setup["forceUpdateTag"]),
                script: text(&setup["protectedSettings"]),
                runs: setup["runs"].as_u64().unwrap(),
                disks: machine["osDisks"].as_u64().unwrap(),
                failed: setup["error"].is_string(),
                latest: machine["latestModelApplied"].as_bool().unwrap(),
            }
        };
        list.as_array().unwrap().iter().map(one).collect()
    }

    /// Makes the extension's next runs fail with a message on the machines that are named, or on all; `null` ends it.
    fn fails(&self, machines: &Value, message: &Value) {
        let body = json!({ "set": self.set(), "machines": machines, "extension": "setup", "fails": message });
        self.world.ask("POST", "/_local/machines", &body);
    }

    /// The tag that the plan of the present source gives the setup. Nothing else of the set changes, and the plan says
    /// that machines run on.
    fn planned(&self, title: &str, words: &[&str]) -> (String, Vec<Planned>) {
        self.world.write(&self.source.text());
        let shown = self.world.fine("plan").stdout;
        for words in words.iter().chain([&REACHES]) {
            has(&shown, words);
        }
        let plan = self.world.plan();
        let set = plan.iter().find(|change| change.name == SET).unwrap_or_else(|| panic!("{title}: {plan:#?}"));
        assert_eq!((set.action.as_str(), set.effect.as_str(), set.machines), ("update", "rolling", Some(3)), "{title}");
        let attributes = set.whole["attributes"].as_array().unwrap();
        let of_setup = |change: &Value| change["path"].as_str().unwrap().starts_with(SETUP);
        assert!(attributes.iter().all(of_setup), "{title}: {attributes:#?}");
        let path = format!("{SETUP}properties.forceUpdateTag");
        let tag = attributes.iter().find(|change| change["path"] == path.as_str()).unwrap()["after"].as_str();
        (tag.unwrap_or_else(|| panic!("{title}: {attributes:#?}")).to_owned(), plan)
    }

    /// Applies what the plan shows: each machine gets exactly that, once, with its disk, and nothing is left to do.
    fn reaches(&self, title: &str, words: &[&str]) -> Vec<Planned> {
        let (tag, plan) = self.planned(title, words);
        let (before, machines) = (self.carried(), self.world.machines(SET));
        let ran = self.world.fine("apply --yes");
        has(&ran.stdout, "`vmss-team`: 3 machines carry the latest model.");
        for upgraded in ["1 of 3 machines upgraded", "2 of 3 machines upgraded", "3 of 3 machines upgraded"] {
            has(&ran.stderr, upgraded);
        }
        self.kept(title, &machines);
        let script = self.carried()[0].script.clone();
        for (old, new) in before.iter().zip(self.carried()) {
            assert!(old.tag != tag && old.script != script, "{title}: {old:?} had it before");
            let wanted =
                Carried { tag: tag.clone(), script: script.clone(), runs: old.runs + 1, latest: true, ..old.clone() };
            assert_eq!(new, wanted, "{title}");
        }
        self.done(title);
        plan
    }

    /// Machines are the same ones as before, with their disks, and none restarted.
    fn kept(&self, title: &str, before: &Machines) {
        let seen = fate(before, &self.world.machines(SET));
        assert_eq!(seen, Fate { kept: 3, ..Fate::default() }, "{title}");
    }

    /// A second plan is empty, a second apply touches no machine, and `status` shows three machines as they should be.
    fn done(&self, title: &str) {
        let left = self.world.plan();
        assert!(left.is_empty(), "{title}: {left:#?}");
        let before = self.carried();
        assert!(before.iter().all(|one| one.latest && !one.failed), "{title}: {before:#?}");
        has(&self.world.fine("apply --yes").stdout, "Nothing to do");
        assert_eq!(self.carried(), before, "{title}: applied again");
        let status = self.world.fine("status").stdout;
        has(&status, "pool `vmss-team`: 3 machines\n");
        for one in &before {
            has(&status, &format!("`{}`: running, healthy, latest model\n", one.name));
        }
        has(&status, "matches the sources");
    }

    fn stops(&self, options: &str) -> Ran {
        let ran = self.world.run(&format!("apply --yes {options}"));
        assert_eq!(ran.exit, 4, "{options}\n{}", ran.text());
        ran
    }
}

fn has(text: &str, part: &str) {
    assert!(text.contains(part), "`{part}` is missing in\n{text}");
}

#[test]
fn each_change_of_a_pool_reaches_its_machines_as_the_plan_says() {
    let source = Source {
        users: vec!["alice { uid = 2001", "bob { uid = 2002"],
        shares: vec!["notebooks"],
        step: "install-tools --version 1",
    };
    let mut lab = Lab { world: World::new(), source };
    lab.world.write(&lab.source.text());
    lab.world.fine("apply --yes");
    let first = lab.carried();
    assert!(first.len() == 3 && first.iter().all(|one| one.runs == 1 && one.disks == 1), "{first:#?}");
    lab.done("first deployment");

    lab.source.users[0] = "alice { uid = 2001, sudo = true";
    lab.reaches("changed user", &["user alice sudo  false → true"]);

    lab.source.users.pop();
    let without = "bob can no longer log in to pool team: reaches the 3 running machines one at a time";
    lab.reaches("removed user", &["user bob  removed", without]);

    lab.source.shares.push("results");
    let plan = lab.reaches("new share", &["share results is new: 100 GiB", "share results  mounted at /data/results"]);
    let created = |kind: &str| plan.iter().any(|change| change.action == "create" && change.kind.ends_with(kind));
    assert!(created("/shares") && created("/roleAssignments"), "{plan:#?}");

    broken_and_repaired(&mut lab);
    fails_on_one_machine(&mut lab);
    reimaged_by_hand(&lab);
}

/// A step that fails on every machine stops the rollout at the first one. The repaired source continues there.
fn broken_and_repaired(lab: &mut Lab) {
    let (before, machines) = (lab.carried(), lab.world.machines(SET));
    lab.fails(&Value::Null, &json!(BROKEN));
    lab.source.step = "install-tool --version 2";
    let words = ["setup step tools  `install-tools --version 1` → `install-tool --version 2`"];
    let (tag, _) = lab.planned("broken step", &words);
    let ran = lab.stops("");
    let name = &before[0].name;
    has(&ran.stderr, "error[DSVM0802]");
    has(&ran.stderr, &format!("Machine `{name}` of `{SET}`: its setup failed at steps."));
    has(&ran.stderr, "step tools exited with code 127: install-tools: not found");
    let stopped = lab.carried();
    assert!(stopped[0].failed && stopped[0].tag == tag && stopped[0].disks == 1, "{stopped:#?}");
    assert_eq!(stopped[0].runs, before[0].runs + 1);
    let spared = |one: &Carried| (one.tag.clone(), one.script.clone(), one.runs, one.failed, one.latest);
    for (old, new) in before.iter().zip(&stopped).skip(1) {
        assert_eq!(spared(new), (old.tag.clone(), old.script.clone(), old.runs, false, false), "it keeps what it has");
    }
    lab.kept("broken step", &machines);
    let status = lab.world.fine("status").stdout;
    has(&status, &format!("`{name}`: running, healthy, latest model, its setup failed at steps"));
    has(&status, "pool `vmss-team`: 3 machines, 2 without the latest model");
    let shown = lab.world.run("plan");
    has(&shown.stdout, "2 of 3 machines do not carry the latest model");

    lab.fails(&Value::Null, &Value::Null);
    lab.source.step = "install-tools --version 2";
    let (tag, _) = lab.planned("repaired step", &[]);
    let ran = lab.world.fine("apply --yes");
    has(&ran.stdout, "`vmss-team`: 3 machines carry the latest model.");
    let repaired = lab.carried();
    assert!(repaired.iter().all(|one| one.tag == tag && one.script == repaired[0].script), "{repaired:#?}");
    let runs: Vec<u64> = repaired.iter().zip(&before).map(|(new, old)| new.runs - old.runs).collect();
    assert_eq!(runs, [2, 1, 1], "the others never ran the broken step");
    lab.kept("repaired step", &machines);
    lab.done("repaired step");
}

/// A setup that fails on the last machine for a reason of its own: only that machine is made again, and only when asked.
fn fails_on_one_machine(lab: &mut Lab) {
    let (before, machines) = (lab.carried(), lab.world.machines(SET));
    let last = before[2].name.clone();
    lab.fails(&json!([last]), &json!(BROKEN));
    lab.source.step = "install-tools --version 3";
    let (tag, _) = lab.planned("one machine", &[]);
    lab.stops("");
    lab.fails(&json!([last]), &Value::Null);
    let ran = lab.stops("");
    has(
        &ran.stderr,
        &format!("error[DSVM0813]: the rollout of `{SET}` stopped: machine `{last}` has the latest model"),
    );
    has(&ran.stderr, "its setup failed at steps");
    has(&ran.stderr, &format!("last output of machine `{last}`:"));
    has(&ran.stderr, "--reimage-failed");
    lab.kept("one machine", &machines);

    lab.world.fine("apply --yes --reimage-failed");
    let seen = fate(&machines, &lab.world.machines(SET));
    assert_eq!(seen, Fate { kept: 2, fresh: 1, ..Fate::default() });
    let after = lab.carried();
    let disks: Vec<u64> = after.iter().map(|one| one.disks).collect();
    assert_eq!(disks, [1, 1, 2]);
    assert!(after.iter().all(|one| one.tag == tag && one.script == after[0].script), "{after:#?}");
    lab.done("one machine");
}

/// Somebody reimages a machine beside dsvmc: the setup runs again on its fresh disk, and it carries what the others carry.
fn reimaged_by_hand(lab: &Lab) {
    let (before, machines) = (lab.carried(), lab.world.machines(SET));
    let one = format!("{}/virtualMachines/{}/reimage?api-version=2024-11-01", lab.set(), before[1].name);
    lab.world.ask("POST", &one, &json!({}));
    lab.world.wait("PT10M");
    assert_eq!(fate(&machines, &lab.world.machines(SET)), Fate { kept: 2, fresh: 1, ..Fate::default() });
    let after = lab.carried();
    assert_eq!((after[1].disks, after[1].runs), (before[1].disks + 1, before[1].runs + 1));
    assert!(after.iter().zip(&before).all(|(new, old)| new.tag == old.tag && new.script == old.script), "{after:#?}");
    lab.done("reimaged by hand");
}
