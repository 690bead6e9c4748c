//! Every interruption at every step of an apply, then the same apply again: it ends in the wanted state, with nothing lost,
//! doubled or left half-made.

use super::gate::{Asked, Gate, Verdict};
use crate::plan::deploy::template;
use crate::support::{Ran, TestContext};
use arm_local::{Endpoint, Options, SUBSCRIPTION};
use serde_json::{Value, json};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

const SECRET: &str = "Sentinel-4711-Password";

pub struct Place {
    pub cx: TestContext,
    pub endpoint: Endpoint,
    pub gate: Gate,
}

impl Place {
    pub fn new() -> Self {
        let cx = TestContext::new();
        let endpoint = Endpoint::start(Options::default()).unwrap();
        let gate = Gate::new(port(&endpoint), false);
        cx.write("team.json", &format!("{:#}", template("a", false)));
        Self { cx, endpoint, gate }
    }

    pub fn command(&self, arguments: &str) -> std::process::Command {
        let mut command = self.cx.command(&format!(
            "{arguments} --target azure --cloud {} --subscription {SUBSCRIPTION} -g rg-team --location westus2 --tries 2 --template team.json",
            self.gate.url
        ));
        let identity = format!("{}/identity", self.gate.url);
        command.env("DSVMC_PARAM_password", SECRET).env("IDENTITY_ENDPOINT", identity).env("IDENTITY_HEADER", "x");
        command
    }

    pub fn run(&self, arguments: &str) -> Ran {
        let output = self.command(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let ran =
            Ran { exit: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) };
        assert!(!ran.text().contains("token-") && !ran.text().contains(SECRET), "{}", ran.text());
        ran
    }

    fn spawn(&self, arguments: &str) -> Child {
        self.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Ids and states of what exists, from the endpoint itself.
    fn resources(&self) -> Vec<String> {
        let path = format!("/subscriptions/{SUBSCRIPTION}/resources?api-version=2024-11-01&$expand=provisioningState");
        let listed = arm_local::ask(port(&self.endpoint), "GET", &path, "").unwrap();
        let one = |r: &Value| format!("{} {}", r["id"].as_str().unwrap().to_lowercase(), r["provisioningState"]);
        listed["value"].as_array().unwrap().iter().map(one).collect()
    }

    /// The same apply again, undisturbed; what is wrong then.
    fn finish(&self, thorough: bool) -> Option<String> {
        self.gate.rule(|_| Verdict::Pass);
        let second = self.run("apply --yes");
        if second.exit != 0 {
            return Some(format!("second apply {}", second.text()));
        }
        if !thorough {
            return None;
        }
        let plan = self.run("plan --detailed-exitcode");
        (plan.exit != 0).then(|| format!("plan {}", plan.text()))
    }
}

fn port(endpoint: &Endpoint) -> u16 {
    endpoint.http_url.rsplit(':').next().unwrap().parse().unwrap()
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// The token is refused from this call on; a new one is good.
    Expired,
    /// Nothing is answered from this call on.
    Gone,
    /// This call is carried out, its answer is lost.
    Lost,
    /// The process is killed while this call is under way.
    Killed,
    /// Ctrl-C while this call is under way.
    Interrupted,
}

/// Holds a call back until somebody has acted.
fn held(step: usize) -> (impl Fn(&Asked) -> Verdict + Send + Sync, Arc<AtomicBool>, Arc<AtomicBool>) {
    let (hit, go) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (hit_there, go_there) = (Arc::clone(&hit), Arc::clone(&go));
    let rule = move |asked: &Asked| {
        if asked.number == step && !hit_there.swap(true, Ordering::SeqCst) {
            for _ in 0..20_000 {
                if go_there.load(Ordering::SeqCst) {
                    break;
                }
                std::thread::sleep(Duration::from_millis(2));
            }
            // Whether it was carried out is anybody's guess for the one who is gone.
            return if step.is_multiple_of(2) { Verdict::Pass } else { Verdict::Drop };
        }
        Verdict::Pass
    };
    (rule, hit, go)
}

fn wait_for(flag: &AtomicBool, child: &mut Child) {
    for _ in 0..30_000 {
        if flag.load(Ordering::SeqCst) || child.try_wait().unwrap().is_some() {
            return;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// One case; what went wrong, if something did.
fn case(kind: Kind, step: usize, wanted: &[String]) -> Option<String> {
    let place = Place::new();
    match kind {
        Kind::Expired => {
            // What was handed out until then is refused.
            let spoiled = Arc::new(std::sync::Mutex::new(None::<String>));
            place.gate.rule(move |asked| {
                let mut spoiled = spoiled.lock().unwrap();
                if asked.number == step {
                    *spoiled = Some(asked.header("authorization").to_owned());
                }
                match &*spoiled {
                    Some(token) if asked.header("authorization") == token => {
                        Verdict::Answer(401, r#"{"error":{"code":"ExpiredAuthenticationToken","message":"expired"}}"#)
                    }
                    _ => Verdict::Pass,
                }
            });
            let first = place.run("apply --yes");
            // How often it asks whether an operation ended varies: a late step may not come.
            let wanted = if place.gate.calls() > step { 2 } else { 1 };
            if first.exit != 0 || place.gate.tokens() != wanted {
                return Some(format!("{} tokens, {}", place.gate.tokens(), first.text()));
            }
        }
        Kind::Gone => {
            place.gate.rule(move |asked| if asked.number >= step { Verdict::Drop } else { Verdict::Pass });
            let first = place.run("apply --yes");
            let came = place.gate.calls() > step;
            if if came { ![3, 4].contains(&first.exit) } else { first.exit != 0 } {
                return Some(first.text());
            }
        }
        Kind::Lost => {
            place.gate.rule(move |asked| if asked.number == step { Verdict::Lose } else { Verdict::Pass });
            let first = place.run("apply --yes");
            if first.exit != 0 {
                return Some(first.text());
            }
        }
        Kind::Killed => {
            let (rule, hit, go) = held(step);
            place.gate.rule(rule);
            let mut child = place.spawn("apply --yes");
            wait_for(&hit, &mut child);
            child.kill().unwrap();
            child.wait().unwrap();
            go.store(true, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(20));
        }
        Kind::Interrupted => {
            let (rule, hit, go) = held(step);
            place.gate.rule(rule);
            let mut child = place.spawn("apply --yes");
            wait_for(&hit, &mut child);
            let signal = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
            assert!(signal.success());
            std::thread::sleep(Duration::from_millis(30));
            go.store(true, Ordering::SeqCst);
            let exit = child.wait().unwrap().code();
            // Before the first write an interrupt may end it at once; the last steps may be done already.
            if ![Some(4), Some(0), None].contains(&exit) {
                return Some(format!("exit {exit:?}"));
            }
        }
    }
    let wrong = place.finish(step.is_multiple_of(4));
    if wrong.is_some() {
        return wrong;
    }
    let there = place.resources();
    (there != wanted).then(|| format!("{there:#?}"))
}

#[cfg(unix)]
#[test]
fn whatever_happens_at_whatever_step_the_next_apply_finishes_the_work() {
    let (steps, wanted) = {
        let place = Place::new();
        let applied = place.run("apply --yes");
        assert_eq!(applied.exit, 0, "{}", applied.text());
        (place.gate.calls(), place.resources())
    };
    assert!(wanted.len() >= 5 && wanted.iter().all(|r| r.ends_with("\"Succeeded\"")), "{wanted:#?}");
    assert!(steps > 10, "{steps}");
    let kinds = [Kind::Expired, Kind::Gone, Kind::Lost, Kind::Killed, Kind::Interrupted];
    let cases: Vec<(Kind, usize)> = (0..steps).flat_map(|step| kinds.map(|kind| (kind, step))).collect();
    println!("{steps} steps, {} cases", cases.len());
    let (next, failures) = (AtomicUsize::new(0), std::sync::Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some((kind, step)) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                    if let Some(wrong) = case(*kind, *step, &wanted) {
                        failures.lock().unwrap().push(format!("{kind:?} at {step}: {wrong}"));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} of {} cases:\n{}", failures.len(), cases.len(), failures.join("\n\n"));
}

/// Two machines know nothing of each other's lock: the service makes one of them wait.
#[test]
fn two_machines_at_once_end_in_the_wanted_state() {
    let place = Place::new();
    let other = TestContext::new();
    other.write("team.json", &place.cx.read("team.json"));
    let faults = r#"["slow,seconds=1,name=vnet-team"]"#;
    arm_local::ask(port(&place.endpoint), "POST", "/_local/faults", faults).unwrap();
    let mut first = place.spawn("apply --yes");
    let mut second = place.command("apply --yes");
    let mut second = second.current_dir(other.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let exits = (first.wait().unwrap().code(), second.wait().unwrap().code());
    assert_eq!(exits, (Some(0), Some(0)));
    assert_eq!(place.finish(true), None);
}

/// The autoscaler acts after the plan, right before the deployment: its number holds.
#[test]
fn a_busy_pool_is_never_scaled_down_by_a_deployment() {
    let place = Place::new();
    let set = "/subscriptions/{sub}/resourceGroups/rg-team/providers/Microsoft.Compute/virtualMachineScaleSets/lab";
    let set = set.replace("{sub}", SUBSCRIPTION);
    let source = |tag: &str| {
        json!({ "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
            "parameters": { "password": { "type": "securestring" } },
            "resources": [
            { "type": "Microsoft.Compute/virtualMachineScaleSets", "apiVersion": "2025-04-01", "name": "lab", "location": "westus2", "tags": { "t": tag },
              "sku": { "name": "Standard_D2s_v5", "tier": "Standard", "capacity": 2 },
              "properties": { "orchestrationMode": "Flexible", "platformFaultDomainCount": 1 } },
            { "type": "Microsoft.Insights/autoscaleSettings", "apiVersion": "2022-10-01", "name": "scale", "location": "westus2",
              "dependsOn": ["[resourceId('Microsoft.Compute/virtualMachineScaleSets', 'lab')]"],
              "properties": { "enabled": true, "targetResourceUri": "[resourceId('Microsoft.Compute/virtualMachineScaleSets', 'lab')]",
                "profiles": [{ "name": "all", "capacity": { "minimum": "1", "maximum": "40", "default": "2" }, "rules": [] }] } }
        ] })
    };
    place.cx.write("team.json", &source("a").to_string());
    let applied = place.run("apply --yes");
    assert_eq!(applied.exit, 0, "{}", applied.text());
    let upstream = port(&place.endpoint);
    let scale = move |set: &str, capacity: u64| {
        let body = json!({ "sku": { "name": "Standard_D2s_v5", "tier": "Standard", "capacity": capacity } });
        arm_local::ask(upstream, "PATCH", &format!("{set}?api-version=2025-04-01"), &body.to_string()).unwrap();
    };
    let capacity = |set: &str| {
        arm_local::ask(upstream, "GET", &format!("{set}?api-version=2025-04-01"), "").unwrap()["sku"]["capacity"]
            .clone()
    };
    // Busier each time that the apply looks: the last look counts.
    let (looks, there) = (Arc::new(AtomicUsize::new(0)), set.clone());
    let counted = Arc::clone(&looks);
    place.gate.rule(move |asked| {
        if asked.method == "GET" && asked.path() == there {
            let look = counted.fetch_add(1, Ordering::SeqCst) as u64;
            if look < 2 {
                scale(&there, 20 + look);
            }
        }
        Verdict::Pass
    });
    for (tag, mode) in [("b", ""), ("c", "--plain")] {
        looks.store(0, Ordering::SeqCst);
        place.cx.write("team.json", &source(tag).to_string());
        let applied = place.run(&format!("apply --yes {mode}"));
        assert_eq!(applied.exit, 0, "{}", applied.text());
        assert!(looks.load(Ordering::SeqCst) >= 2, "it was looked at {looks:?} times");
        assert_eq!(capacity(&set), 21, "{mode}");
    }
}
