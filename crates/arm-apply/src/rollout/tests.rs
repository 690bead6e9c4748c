//! Rollouts against a scale set made of a few lines.

use super::*;
use arm_client::{OperationStatus, Pending, Reply};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::time::Duration;

#[derive(Default)]
struct Fake {
    set: Value,
    machines: RefCell<Vec<Value>>,
    /// Names of machines that become unhealthy when they get the model.
    bad: Vec<&'static str>,
    /// Answers of `rolling_upgrade`, the last one for ever.
    rolling: RefCell<Vec<Value>>,
    log: RefCell<Vec<String>>,
    passed: RefCell<Duration>,
}

impl Fake {
    fn new(mode: &str, machines: &[(&str, bool)]) -> Self {
        let one = |(name, latest): &(&str, bool)| {
            json!({ "id": format!("/set/virtualMachines/{name}"), "instanceId": name,
                "properties": { "latestModelApplied": latest, "provisioningState": "Succeeded",
                    "instanceView": { "vmHealth": { "status": { "code": "HealthState/healthy" } } } } })
        };
        let set = json!({ "id": "/set", "name": "set", "properties": { "orchestrationMode": "Uniform", "upgradePolicy":
            { "mode": mode, "rollingUpgradePolicy": { "maxBatchInstancePercent": 50, "pauseTimeBetweenBatches": "PT1M" } } } });
        Self { set, machines: machines.iter().map(one).collect::<Vec<_>>().into(), ..Self::default() }
    }

    fn change(&self, name: &str, health: &str) {
        for machine in self.machines.borrow_mut().iter_mut().filter(|machine| machine["instanceId"] == name) {
            machine["properties"]["latestModelApplied"] = json!(true);
            machine["properties"]["instanceView"]["vmHealth"]["status"]["code"] =
                json!(format!("HealthState/{health}"));
        }
    }

    fn run(&self, wishes: Wishes) -> Result<Vec<PoolReport>, RolloutError> {
        roll_out(&["/set".to_owned()], wishes, self, &mut Quiet(false))
    }
}

impl MachineCalls for Fake {
    fn scale_set(&self, _: &str) -> Result<Option<Value>, AzureError> {
        Ok(Some(self.set.clone()))
    }
    fn machines(&self, _: &str, _: bool) -> Result<Vec<Value>, AzureError> {
        Ok(self.machines.borrow().clone())
    }
    fn rolling_upgrade(&self, _: &str) -> Result<Option<Value>, AzureError> {
        let mut answers = self.rolling.borrow_mut();
        Ok(if answers.len() > 1 { Some(answers.remove(0)) } else { answers.first().cloned() })
    }
    fn upgrade(&self, _: &str, names: &[String]) -> Result<Reply, AzureError> {
        self.log.borrow_mut().push(format!("upgrade {}", names.join(" ")));
        names.iter().for_each(|name| {
            self.change(name, if self.bad.contains(&name.as_str()) { "unhealthy" } else { "healthy" })
        });
        Ok(Reply { status: 200, ..Reply::default() })
    }
    fn reimage(&self, _: &str, names: &[String]) -> Result<Reply, AzureError> {
        self.log.borrow_mut().push(format!("reimage {}", names.join(" ")));
        Ok(Reply { status: 200, ..Reply::default() })
    }
    fn update(&self, _: &str, body: &Value) -> Result<Reply, AzureError> {
        self.log.borrow_mut().push(format!("update {}", body["properties"]["upgradePolicy"]["mode"].as_str().unwrap()));
        let names: Vec<String> =
            self.machines.borrow().iter().map(|machine| machine["instanceId"].as_str().unwrap().to_owned()).collect();
        names.iter().for_each(|name| self.change(name, "healthy"));
        Ok(Reply { status: 200, ..Reply::default() })
    }
    fn poll(&self, _: &Pending) -> Result<OperationStatus, AzureError> {
        Ok(OperationStatus::Failed(Box::default()))
    }
    fn sleep(&self, _: Duration) {}
    fn pass(&self, wait: Duration) {
        *self.passed.borrow_mut() += wait;
    }
}

struct Quiet(bool);

impl Observer for Quiet {
    fn event(&mut self, _: &Event) {}
    fn stopped(&self) -> bool {
        self.0
    }
}

fn stop(result: Result<Vec<PoolReport>, RolloutError>) -> Stopped {
    match result {
        Err(RolloutError::Stopped(stopped)) => *stopped,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_manual_pool_is_left_alone_until_it_is_wished() {
    let fake = Fake::new("Manual", &[("0", false), ("1", false), ("2", true), ("3", false)]);
    let report = fake.run(Wishes::default()).unwrap();
    assert_eq!((report[0].by_hand, report[0].upgraded), (3, 0));
    assert!(fake.log.borrow().is_empty());
    let report = fake.run(Wishes { manual: true, ..Wishes::default() }).unwrap();
    assert_eq!((report[0].by_hand, report[0].upgraded), (0, 3));
    assert_eq!(*fake.log.borrow(), ["upgrade 0 1", "upgrade 3"]);
    assert_eq!(*fake.passed.borrow(), Duration::from_secs(60), "the pause of the policy, once");
}

#[test]
fn the_next_batch_waits_for_a_healthy_one() {
    let fake =
        Fake { bad: vec!["1"], ..Fake::new("Automatic", &[("0", false), ("1", false), ("2", false), ("3", false)]) };
    let stopped = stop(fake.run(Wishes::default()));
    assert_eq!(stopped.reason, "machine `1`: it reports that it is unhealthy");
    assert_eq!((stopped.current, stopped.machines, stopped.continues), (2, 4, true));
    assert_eq!(*fake.log.borrow(), ["upgrade 0 1"]);
    assert!(*fake.passed.borrow() >= Duration::from_secs(240), "health may be that of before");
}

#[test]
fn machines_that_are_protected_are_passed_over() {
    let fake = Fake::new("Automatic", &[("0", false)]);
    fake.machines.borrow_mut()[0]["properties"]["protectionPolicy"] = json!({ "protectFromScaleSetActions": true });
    let report = fake.run(Wishes::default()).unwrap();
    assert_eq!((report[0].protected, report[0].upgraded), (1, 0));
    assert!(fake.log.borrow().is_empty());
}

#[test]
fn a_rolling_upgrade_is_followed_to_its_end() {
    let status = |code: &str| {
        json!({ "properties": { "runningStatus": { "code": code }, "error": { "code": "TooMany", "message": "50% are unhealthy" },
            "progress": { "successfulInstanceCount": 1, "failedInstanceCount": 0, "inProgressInstanceCount": 0, "pendingInstanceCount": 1 } } })
    };
    let fake = Fake::new("Rolling", &[("0", true), ("1", true)]);
    *fake.rolling.borrow_mut() = ["RollingForward", "RollingForward", "RollingForward", "Completed"].map(status).into();
    fake.run(Wishes::default()).unwrap();
    assert_eq!(*fake.passed.borrow(), Duration::from_secs(60));
    let fake = Fake::new("Rolling", &[("0", true), ("1", false)]);
    fake.change("0", "unhealthy");
    *fake.rolling.borrow_mut() = ["RollingForward", "Faulted"].map(status).into();
    let stopped = stop(fake.run(Wishes::default()));
    assert_eq!(stopped.reason, "machine `0`: it reports that it is unhealthy");
    assert_eq!(stopped.refusal.as_deref(), Some("TooMany: 50% are unhealthy"));
    assert_eq!(stopped.machine.unwrap().name, "0");
    assert!(fake.log.borrow().is_empty(), "nothing is started again in the same run");
}

#[test]
fn a_rolling_upgrade_that_stopped_begins_again_with_the_unhealthy_machines() {
    let fake = Fake::new("Rolling", &[("0", false), ("1", false), ("2", false)]);
    fake.machines.borrow_mut()[2]["properties"]["provisioningState"] = json!("Failed");
    let stopped = stop(fake.run(Wishes::default()));
    assert_eq!(*fake.log.borrow(), ["upgrade 2"]);
    assert_eq!(stopped.reason, "machine `2`: an operation on it failed");
    fake.machines.borrow_mut()[2]["properties"]["provisioningState"] = json!("Succeeded");
    fake.machines.borrow_mut()[2]["properties"]["latestModelApplied"] = json!(true);
    let report = fake.run(Wishes::default()).unwrap();
    assert_eq!(report[0].upgraded, 2);
    assert_eq!(*fake.log.borrow(), ["upgrade 2", "update Rolling"]);
}

#[test]
fn a_setup_that_failed_with_the_latest_model_is_told_and_reimaged_on_wish() {
    let fake = Fake::new("Rolling", &[("0", true), ("1", true)]);
    fake.machines.borrow_mut()[1]["properties"]["instanceView"]["extensions"] = json!([{ "name": "setup", "statuses": [
        { "code": "ProvisioningState/failed/0", "level": "Error", "message": "dsvmc: failed at mounts: no" }] }]);
    let stopped = stop(fake.run(Wishes::default()));
    assert_eq!(stopped.reason, "machine `1` has the latest model, and its setup failed at mounts");
    assert!(!stopped.continues);
    let _ = fake.run(Wishes { reimage_failed: true, ..Wishes::default() });
    assert_eq!(*fake.log.borrow(), ["reimage 1"]);
}

#[test]
fn a_request_to_stop_is_followed_between_batches() {
    let fake = Fake::new("Automatic", &[("0", false)]);
    let result = roll_out(&["/set".to_owned()], Wishes::default(), &fake, &mut Quiet(true));
    assert!(matches!(result, Err(RolloutError::Apply(ApplyError::Stopped))));
    assert!(fake.log.borrow().is_empty());
}
