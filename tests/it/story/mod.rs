//! A project from its first deployment to its end and back: for each step, what the plan says of the machines is compared
//! with what then happens to them on the endpoint.

pub mod world;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use world::{Fate, Machines, POOLS, Planned, World, fate};

/// What the lines of the source are at one step.
#[derive(Clone)]
struct Source {
    machines: &'static str,
    size: &'static str,
    image: &'static str,
    /// More lines in both pools.
    more: Vec<&'static str>,
    identity: &'static str,
}

impl Source {
    fn text(&self) -> String {
        let Self { machines, size, image, identity, .. } = self;
        let more: String = self.more.iter().map(|line| format!("  {line}\n")).collect();
        let pool = |name: &str, mode: &str| {
            format!(
                "pool {name}: interactive {{\n  image = images.{image}\n  size = sizes.{size}\n  machines = {machines}\n\
                 \x20 orchestration = {mode}\n  identity = people\n  shares = [notebooks]\n  vault = keys\n  serve = [ssh]\n\
                 \x20 admin {{ name = \"ops\", key = \"{KEY}\" }}\n  user alice {{ uid = 2001, key = \"{KEY}\" }}\n\
                 \x20 allow ssh from [203.0.113.0/24]\n{more}\
                 \x20 autoscale {{\n    when avg(cpu, 10 min) > 75% {{ add 1, cooldown 10 min }}\n\
                 \x20   when avg(cpu, 15 min) < 25% {{ remove 1, cooldown 15 min }}\n  }}\n}}\n"
            )
        };
        format!(
            "project story {{ location = westeurope }}\nimport std.images\nimport std.sizes\nimport std.roles\n\
             secret param password: string\n\
             vault keys {{ access = public\n  retention = 14 days\n  secret login {{ value = password }} }}\n\
             share notebooks {{ quota = 100 GiB, mount = \"/data/notebooks\" }}\n\
             identity people {{ {identity}\n  grant roles.reader on resource_group }}\n{}{}",
            pool("uni", "uniform"),
            pool("flex", "flexible")
        )
    }
}

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0e99PD7L6H1hsDWtXjCnotLXI7NDNJb9dhjsPl+UGc a@b";

fn of<'p>(plan: &'p [Planned], name: &str, kind: &str) -> Option<&'p Planned> {
    plan.iter().find(|c| c.name == name && c.kind.ends_with(kind))
}

/// What people on a pool's machines must expect from a plan, read from its effects alone.
fn promised(plan: &[Planned], pool: &str, running: usize) -> Fate {
    let set = of(plan, pool, "/virtualMachineScaleSets");
    let name = |setting: &&Planned| {
        let target = setting.whole["id"].as_str().unwrap_or_default();
        setting.kind.ends_with("/autoscaleSettings") && target.ends_with(pool.trim_start_matches("vmss-"))
    };
    let (effect, action) = set.map_or(("none", "no-change"), |c| (c.effect.as_str(), c.action.as_str()));
    let all = Fate { kept: running, ..Fate::default() };
    match (effect, action) {
        ("replaces", "replace") => Fate { gone: running, new: running, ..Fate::default() },
        ("restart", "update") => Fate { restarted: running, ..Fate::default() },
        ("os-disks-replaced", "update") => Fate { fresh: running, ..Fate::default() },
        (_, "refuse") => all,
        _ => match plan.iter().find(name).filter(|c| c.effect == "autoscale-removes") {
            Some(setting) => {
                let gone = setting.machines.unwrap() as usize;
                Fate { kept: running - gone, gone, ..Fate::default() }
            }
            None => all,
        },
    }
}

/// One step: what the plan promises is what happens, and nothing is left to do afterwards.
struct Step {
    plan: Vec<Planned>,
    /// What happened to the machines of each pool.
    fates: BTreeMap<&'static str, Fate>,
    after: BTreeMap<&'static str, Machines>,
}

fn step(world: &World, title: &str, source: &Source) -> Step {
    world.write(&source.text());
    let plan = world.plan();
    for replaced in sets(&plan).filter(|c| c.action == "replace") {
        let code = refusal(world, replaced);
        assert_eq!(code, "PropertyChangeNotAllowed", "{title}: {replaced:#?}");
    }
    let before = world.all();
    world.fine("apply --yes --allow-delete");
    // Batches of a rolling upgrade, and the next runs of autoscale.
    world.wait("PT2H");
    let after = world.all();
    let mut fates = BTreeMap::new();
    for pool in POOLS {
        let seen = fate(&before[pool], &after[pool]);
        let promise = promised(&plan, pool, before[pool].len());
        assert_eq!(seen, promise, "{title}, {pool}: happened, promised\n{plan:#?}");
        fates.insert(pool, seen);
    }
    let left = world.plan();
    assert!(left.is_empty(), "{title}: a second plan is not empty: {left:#?}");
    Step { plan, fates, after }
}

/// Writes the property that the plan calls unchangeable over the live resource: the code of the endpoint's refusal.
fn refusal(world: &World, planned: &Planned) -> String {
    let id = planned.whole["id"].as_str().unwrap();
    let property = planned.whole["effect"]["property"].as_str().unwrap_or_else(|| panic!("{planned:#?}"));
    let attributes = planned.whole["attributes"].as_array().unwrap();
    let change = attributes.iter().find(|a| a["path"] == property).unwrap();
    let mut body = world.ask("GET", &format!("{id}?api-version=2024-11-01"), &Value::Null);
    let pointer = format!("/{}", property.replace('.', "/"));
    let (around, last) = pointer.rsplit_once('/').unwrap();
    for missing in (1..around.len()).filter(|at| around.as_bytes()[*at] == b'/').chain([around.len()]) {
        let (outer, key) = around[..missing].rsplit_once('/').unwrap();
        let outer = body.pointer_mut(outer).unwrap().as_object_mut().unwrap();
        outer.entry(key).or_insert_with(|| json!({}));
    }
    let map = body.pointer_mut(around).unwrap().as_object_mut().unwrap();
    match change.get("after") {
        Some(value) => drop(map.insert(last.to_owned(), value.clone())),
        None => drop(map.shift_remove(last)),
    }
    world.put(id, &body).unwrap_or_else(|| panic!("{property} is taken\n{planned:#?}"))
}

fn assert_all(step: &Step, wanted: Fate) {
    assert!(step.fates.values().all(|fate| *fate == wanted), "{:?}", step.fates);
}

fn sets(plan: &[Planned]) -> impl Iterator<Item = &Planned> {
    plan.iter().filter(|c| c.kind.ends_with("/virtualMachineScaleSets"))
}

#[test]
fn what_the_plan_says_of_each_step_is_what_happens() {
    let world = World::new();
    let mut source = Source {
        machines: "2..10 initially 4",
        size: "Standard_D4s_v5",
        image: "ubuntu_2204",
        more: vec!["os_disk = premium_ssd"],
        identity: "",
    };
    world.write(&source.text());
    let first = world.plan();
    assert!(first.iter().all(|c| c.action == "create"), "{first:#?}");
    for pool in POOLS {
        assert_eq!(of(&first, pool, "/virtualMachineScaleSets").unwrap().machines, Some(4));
    }
    world.fine("apply --yes");
    assert!(world.all().values().all(|machines| machines.len() == 4));
    assert!(world.plan().is_empty());

    // Seven people work on each pool: autoscale has added machines. A deployment keeps them.
    world.wait("PT1H");
    for pool in POOLS {
        let id = world.path(&format!("Microsoft.Compute/virtualMachineScaleSets/{pool}"));
        let body = json!({ "sku": { "capacity": 7 } });
        world.ask("PATCH", &format!("{id}?api-version=2024-11-01"), &body);
    }
    assert!(world.plan().is_empty());
    let busy = world.all();

    // A narrower range: the write alone removes nobody, the next run of autoscale does.
    source.machines = "2..5 initially 4";
    let narrowed = step(&world, "narrower range", &source);
    for pool in POOLS {
        assert_eq!(narrowed.fates[pool], Fate { kept: 5, gone: 2, ..Fate::default() });
        assert!(narrowed.after[pool].keys().all(|key| busy[pool].contains_key(key)));
    }

    // Another size: each machine restarts once, with its disks.
    source.size = "Standard_D8s_v5";
    let resized = step(&world, "size", &source);
    assert_all(&resized, Fate { restarted: 5, ..Fate::default() });

    // A larger OS disk is not confirmed for machines that run: the model has it, they keep theirs.
    source.more = vec!["os_disk = premium_ssd, os_disk_size = 256 GiB"];
    let larger = step(&world, "larger OS disk", &source);
    assert_all(&larger, Fate { kept: 5, ..Fate::default() });
    for pool in POOLS {
        let change = of(&larger.plan, pool, "/virtualMachineScaleSets").unwrap();
        assert_eq!(change.effect, "when-reimaged");
        assert!(change.whole["effect"]["text"].as_str().unwrap().contains("not confirmed"), "{change:#?}");
    }

    // A data disk is attached while people work.
    const DISK: &str = "override scale_set { properties = { virtualMachineProfile = { storageProfile = { dataDisks = [
      { lun = 0, createOption = \"Empty\", diskSizeGB = 64, managedDisk = { storageAccountType = \"Premium_LRS\" } }] } } } }";
    source.more.push(DISK);
    let attached = step(&world, "data disk", &source);
    assert_all(&attached, Fate { kept: 5, ..Fate::default() });
    assert!(POOLS.iter().all(|pool| of(&attached.plan, pool, "/virtualMachineScaleSets").unwrap().effect == "rolling"));

    // Another offer of the same publisher: the sets stay, every OS disk goes.
    source.image = "ubuntu_hpc";
    let imaged = step(&world, "image of another offer", &source);
    assert_all(&imaged, Fate { fresh: 5, ..Fate::default() });

    // An image that supports Trusted Launch makes the sets launch with it, though no line says so. A Flexible set refuses
    // that: nothing is applied, and the plan names what the line of the image entails.
    source.image = "ubuntu_2404_plain";
    world.write(&source.text());
    let refused = world.plan();
    let (uni, flex) =
        (of(&refused, POOLS[0], "/virtualMachineScaleSets"), of(&refused, POOLS[1], "/virtualMachineScaleSets"));
    assert_eq!(uni.unwrap().effect, "os-disks-replaced");
    let flex = flex.unwrap();
    assert_eq!((flex.action.as_str(), flex.effect.as_str()), ("refuse", "refused"));
    assert_eq!(refusal(&world, flex), "PropertyChangeNotAllowed");
    let cause = flex.whole["effect"]["cause"].as_str().unwrap_or_default();
    assert_eq!(cause, "`ubuntu_2404_plain` and `Standard_D8s_v5` support Trusted Launch");
    let before = world.all();
    let ran = world.run("apply --yes --allow-delete");
    assert_eq!(ran.exit, 1, "{}", ran.text());
    assert!(ran.stderr.contains("DSVM0812"), "{}", ran.text());
    world.wait("PT2H");
    assert_eq!(world.all(), before, "what is refused touches nobody");
    source.more.push("security = standard");
    let imaged = step(&world, "image of another publisher", &source);
    assert_all(&imaged, Fate { fresh: 5, ..Fate::default() });

    // The kind of the OS disk and the priority are set at creation: the pool goes, with all machines.
    source.more[0] = "os_disk = standard_ssd, os_disk_size = 256 GiB";
    let disk = step(&world, "kind of the OS disk", &source);
    assert!(sets(&disk.plan).all(|c| c.machines == Some(5) && c.action == "replace"), "{:#?}", disk.plan);
    source.more.push("priority = spot");
    let spot = step(&world, "spot", &source);
    assert!(sets(&spot.plan).all(|c| c.action == "replace"), "{:#?}", spot.plan);
    source.more.pop();
    let regular = step(&world, "regular again", &source);
    assert!(sets(&regular.plan).all(|c| c.action == "replace"), "{:#?}", regular.plan);

    identities(&world, &mut source);
    ends_and_comes_back(&world);
}

/// An identity that is created again, by somebody else or because it moves: roles and assignments follow it.
fn identities(world: &World, source: &mut Source) {
    let assigned = |pool: &str| {
        let set = world.set(pool);
        let held = set["identity"]["userAssignedIdentities"].as_object().unwrap().clone();
        held.values().next().unwrap()["principalId"].clone()
    };
    let mut last = world.principal();
    assert!(POOLS.iter().all(|pool| assigned(pool) == last.as_str()));
    for how in ["deleted by somebody", "created again by somebody", "moved"] {
        let before = world.roles();
        assert!(!before.is_empty() && before.values().all(|principal| *principal == last), "{how}: {before:?}");
        match how {
            "moved" => source.identity = "location = northeurope",
            _ => {
                let id = world.path("Microsoft.ManagedIdentity/userAssignedIdentities/id-people");
                world.ask("DELETE", &format!("{id}?api-version=2024-11-30"), &Value::Null);
                if how == "created again by somebody" {
                    assert_eq!(world.put(&id, &json!({ "location": "westeurope" })), None);
                }
            }
        }
        let moved = step(world, how, source);
        assert_all(&moved, Fate { kept: moved.after[POOLS[0]].len(), ..Fate::default() });
        let roles = moved.plan.iter().filter(|c| c.kind.ends_with("/roleAssignments"));
        assert_eq!(roles.clone().filter(|c| c.action == "replace").count(), before.len(), "{how}: {:#?}", moved.plan);
        for set in sets(&moved.plan) {
            // The setup holds the client id of the identity, and the set its assignment.
            assert_eq!((set.action.as_str(), set.effect.as_str()), ("update", "rolling"), "{how}: {set:#?}");
            assert_eq!(set.whole["reassigned"].as_array().unwrap().len(), 1, "{how}: {set:#?}");
        }
        let now = world.principal();
        assert!(now != last && !now.is_empty());
        let after = world.roles();
        assert!(after.len() == before.len() && after.values().all(|principal| *principal == now), "{how}: {after:?}");
        assert!(POOLS.iter().all(|pool| assigned(pool) == now.as_str()), "{how}: the sets have the old principal");
        last = now;
    }
}

/// Everything goes, and what Azure keeps is told; the next apply recovers it.
fn ends_and_comes_back(world: &World) {
    let (machines, principal) = (world.all(), world.principal());
    let destroyed = world.fine("destroy --yes --allow-delete");
    let told = destroyed.text();
    assert!(told.contains("is kept for 14 days and its name stays taken"), "{told}");
    assert!(told.contains("the name of the storage account"), "{told}");
    assert!(world.all().values().all(Machines::is_empty));
    let deleted = world.ask(
        "GET",
        &format!(
            "/subscriptions/{}/providers/Microsoft.KeyVault/deletedVaults?api-version=2023-07-01",
            arm_local::SUBSCRIPTION
        ),
        &Value::Null,
    );
    assert_eq!(deleted["value"].as_array().unwrap().len(), 1);

    let plan = world.plan();
    assert!(plan.iter().all(|c| c.action == "create"), "{plan:#?}");
    let vault = plan.iter().find(|c| c.kind == "Microsoft.KeyVault/vaults").unwrap();
    assert!(vault.whole["reason"].as_str().unwrap().contains("is recovered"), "{vault:#?}");
    let again = world.fine("apply --yes").text();
    assert!(again.contains("is recovered"), "{again}");
    let (now, started) = (world.all(), 4);
    for pool in POOLS {
        let wanted = Fate { gone: machines[pool].len(), new: started, ..Fate::default() };
        assert_eq!(fate(&machines[pool], &now[pool]), wanted, "{pool}");
    }
    assert_ne!(world.principal(), principal);
    let secrets = world.managed("Microsoft.KeyVault/vaults/secrets");
    assert_eq!(secrets.len(), 1);
    assert!(world.plan().is_empty());
}
