//! The executor against a Resource Manager made of a few lines.

use super::*;
use arm_client::{AzureError, DeployMode, Pending, Reply, ResourceRef, ServiceError};
use arm_plan::{Desired, NewGroup, Unmanaged};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::time::Duration;

#[derive(Default)]
struct Fake {
    group: bool,
    /// Answers of `current`, the last one for ever.
    states: RefCell<Vec<Value>>,
    /// Errors of `start`, then success.
    refusals: RefCell<Vec<ServiceError>>,
    operations: Vec<Value>,
    live: Vec<Value>,
    sent: RefCell<Vec<String>>,
    body: RefCell<Value>,
}

impl Fake {
    fn log(&self, text: impl Into<String>) {
        self.sent.borrow_mut().push(text.into());
    }
}

impl Arm for Fake {
    fn group(&self, _: &str) -> Result<Option<Value>, AzureError> {
        Ok(self.group.then(|| json!({})))
    }
    fn put_group(&self, name: &str, location: &str, _: &Value) -> Result<(), AzureError> {
        self.log(format!("group {name} {location}"));
        Ok(())
    }
    fn recover(&self, vault: &DeletedVault) -> Result<(), AzureError> {
        self.log(format!("recover {}", vault.name()));
        Ok(())
    }
    fn take_off(&self, from: &Reassigned) -> Result<(), AzureError> {
        self.log(format!("take off {} {}", from.resource.id, from.request()));
        Ok(())
    }
    fn delete(&self, id: &str, _: &str) -> Result<(), AzureError> {
        self.log(format!("delete {id}"));
        Ok(())
    }
    fn observe(&self, _: &[ResourceRef]) -> Result<Vec<Value>, AzureError> {
        Ok(self.live.clone())
    }
    fn detach_stack(&self, _: &str, stack: &str) -> Result<(), AzureError> {
        self.log(format!("forget {stack}"));
        Ok(())
    }
    fn start(&self, _: DeployMode, _: &str, name: &str, body: &Value) -> Result<Reply, AzureError> {
        self.log(format!("start {name}"));
        *self.body.borrow_mut() = body.clone();
        match self.refusals.borrow_mut().pop() {
            Some(error) => Err(AzureError::Service(Box::new(error))),
            None => Ok(Reply {
                status: 200,
                body: json!({ "properties": { "provisioningState": "succeeded" } }),
                ..Reply::default()
            }),
        }
    }
    fn current(&self, _: DeployMode, _: &str, _: &str) -> Result<Option<Value>, AzureError> {
        let mut states = self.states.borrow_mut();
        Ok(if states.len() > 1 { Some(states.remove(0)) } else { states.first().cloned() })
    }
    fn poll(&self, _: &Pending) -> Result<arm_client::OperationStatus, AzureError> {
        Ok(arm_client::OperationStatus::Done(Value::Null))
    }
    fn operations(&self, _: &str) -> Result<Vec<Value>, AzureError> {
        Ok(self.operations.clone())
    }
    fn sleep(&self, _: Duration) {}
}

#[derive(Default)]
struct Quiet(bool);

impl Observer for Quiet {
    fn event(&mut self, _: &Event) {}
    fn stopped(&self) -> bool {
        self.0
    }
}

fn job() -> Job {
    Job {
        group: "g".into(),
        groups: vec![NewGroup { name: "g".into(), location: "westus2".into() }],
        group_tags: json!({}),
        recovered: Vec::new(),
        mode: DeployMode::Stack,
        unmanaged: Unmanaged::Delete,
        stack_tags: json!({}),
        out_of_sync: false,
        reassigned: vec![],
        replaced: vec![],
        removed: vec![],
        leftovers: vec![],
        steps: vec![Step {
            name: "one".into(),
            template: json!({ "resources": [] }),
            parameters: json!({}),
            note: String::new(),
        }],
        desired: Desired::default(),
    }
}

fn state() -> (tempfile::TempDir, StateDir) {
    let folder = tempfile::tempdir().unwrap();
    let state = StateDir::new(folder.path(), "p", "");
    (folder, state)
}

fn at(state: &str) -> Value {
    json!({ "properties": { "provisioningState": state, "deploymentId": "/d", "resources": [{ "id": "/r" }],
        "outputs": { "a": { "type": "String", "value": "x" }, "b": { "type": "SecureString", "value": "sentinel" } } } })
}

#[test]
fn a_missing_group_is_made_and_outputs_come_back() {
    let (_folder, state) = state();
    let fake = Fake { states: vec![at("succeeded")].into(), ..Fake::default() };
    let done = run(&job(), &fake, &state, "now", &mut Quiet::default()).unwrap();
    assert_eq!(*fake.sent.borrow(), ["group g westus2", "start one"]);
    assert_eq!(done.outputs.keys().collect::<Vec<_>>(), ["a"]);
    assert_eq!(done.managed, ["/r"]);
    assert_eq!(state.journal().unwrap().steps[0].state, "done");
}

/// The live number is read before the pool goes.
#[test]
fn a_pool_that_is_replaced_starts_with_as_many_machines_as_it_had() {
    struct Gone(Fake, RefCell<bool>);
    impl Arm for Gone {
        fn group(&self, n: &str) -> Result<Option<Value>, AzureError> {
            self.0.group(n)
        }
        fn put_group(&self, n: &str, l: &str, t: &Value) -> Result<(), AzureError> {
            self.0.put_group(n, l, t)
        }
        fn recover(&self, v: &DeletedVault) -> Result<(), AzureError> {
            self.0.recover(v)
        }
        fn take_off(&self, f: &Reassigned) -> Result<(), AzureError> {
            self.0.take_off(f)
        }
        fn delete(&self, i: &str, a: &str) -> Result<(), AzureError> {
            *self.1.borrow_mut() = true;
            self.0.delete(i, a)
        }
        fn observe(&self, w: &[ResourceRef]) -> Result<Vec<Value>, AzureError> {
            if *self.1.borrow() { Ok(Vec::new()) } else { self.0.observe(w) }
        }
        fn detach_stack(&self, g: &str, s: &str) -> Result<(), AzureError> {
            self.0.detach_stack(g, s)
        }
        fn start(&self, m: DeployMode, g: &str, n: &str, b: &Value) -> Result<Reply, AzureError> {
            self.0.start(m, g, n, b)
        }
        fn current(&self, m: DeployMode, g: &str, n: &str) -> Result<Option<Value>, AzureError> {
            self.0.current(m, g, n)
        }
        fn poll(&self, p: &Pending) -> Result<arm_client::OperationStatus, AzureError> {
            self.0.poll(p)
        }
        fn operations(&self, d: &str) -> Result<Vec<Value>, AzureError> {
            self.0.operations(d)
        }
        fn sleep(&self, _: Duration) {}
    }
    let (_folder, state) = state();
    let pool = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/a";
    let setting = json!({ "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Insights/autoscaleSettings/a",
        "properties": { "enabled": true, "targetResourceUri": pool, "profiles": [
            { "name": "p", "capacity": { "minimum": "1", "maximum": "9", "default": "1" } }] } });
    let mut desired = Desired::from_resources(&[json!({ "id": pool, "sku": { "capacity": 2 } }), setting]);
    desired.resources[0].pointer = "/resources/0".into();
    let live = vec![json!({ "id": pool, "sku": { "capacity": 5 } })];
    let fake = Fake { group: true, states: vec![at("succeeded")].into(), live, ..Fake::default() };
    let fake = Gone(fake, RefCell::new(false));
    let mut job = Job { replaced: vec![ResourceRef { id: pool.into(), api_version: "v".into() }], desired, ..job() };
    job.steps[0].template = json!({ "resources": [{ "sku": { "capacity": 2 } }] });
    run(&job, &fake, &state, "now", &mut Quiet::default()).unwrap();
    let sent = fake.0.body.borrow();
    assert_eq!(sent.pointer("/properties/template/resources/0/sku/capacity"), Some(&json!(5)));
}

#[test]
fn identities_are_taken_off_before_they_are_deleted() {
    let (_folder, state) = state();
    let wanted = |id: &str| ResourceRef { id: id.into(), api_version: "v".into() };
    let fake = Fake { group: true, states: vec![at("succeeded")].into(), ..Fake::default() };
    let off =
        |id: &str, rest: &str| Reassigned { resource: wanted(id), identities: vec!["/i".into()], rest: rest.into() };
    let reassigned = vec![off("/p/t/a", "None"), off("/p/t/b", "SystemAssigned, UserAssigned")];
    let job = Job { reassigned, replaced: vec![wanted("/i")], ..job() };
    run(&job, &fake, &state, "now", &mut Quiet::default()).unwrap();
    assert_eq!(
        *fake.sent.borrow(),
        [
            r#"take off /p/t/a {"identity":{"type":"None"}}"#,
            r#"take off /p/t/b {"identity":{"type":"SystemAssigned, UserAssigned","userAssignedIdentities":{"/i":null}}}"#,
            "delete /i",
            "start one"
        ]
    );
    assert_eq!(state.journal().unwrap().steps[0].kind, "take-off");
}

#[test]
fn what_must_be_replaced_goes_first_in_reverse_order() {
    let (_folder, state) = state();
    let wanted = |id: &str| ResourceRef { id: id.into(), api_version: "v".into() };
    let fake = Fake { group: true, states: vec![at("succeeded")].into(), ..Fake::default() };
    let job = Job { replaced: vec![wanted("/a"), wanted("/b")], ..job() };
    run(&job, &fake, &state, "now", &mut Quiet::default()).unwrap();
    assert_eq!(*fake.sent.borrow(), ["delete /b", "delete /a", "start one"]);
}

#[test]
fn what_moves_between_stacks_is_not_deleted_on_the_way() {
    let (_folder, state) = state();
    let fake = Fake { group: true, states: vec![at("succeeded")].into(), ..Fake::default() };
    let gone = ResourceRef { id: "/gone".into(), api_version: "v".into() };
    let alone = Job { removed: vec![gone.clone()], ..job() };
    run(&alone, &fake, &state, "now", &mut Quiet::default()).unwrap();
    assert_eq!(fake.body.borrow()["properties"]["actionOnUnmanage"]["resources"], "delete");
    assert_eq!(*fake.sent.borrow(), ["start one"]);
    fake.sent.borrow_mut().clear();
    let two = [job().steps[0].clone(), Step { name: "two".into(), ..job().steps[0].clone() }].to_vec();
    let several = Job { removed: vec![gone], steps: two, leftovers: vec!["old".into()], ..job() };
    run(&several, &fake, &state, "now", &mut Quiet::default()).unwrap();
    assert_eq!(fake.body.borrow()["properties"]["actionOnUnmanage"]["resources"], "detach");
    assert_eq!(*fake.sent.borrow(), ["start one", "start two", "delete /gone", "forget old"]);
    // Cut off before the deletion, the next plan still knows of it.
    assert_eq!(state.journal().unwrap().removing, ["/gone"]);
}

#[test]
fn a_running_deployment_is_waited_for_and_a_busy_one_tried_again() {
    let (_folder, state) = state();
    let busy = ServiceError { status: 409, code: "DeploymentActive".into(), ..ServiceError::default() };
    let fake = Fake {
        group: true,
        states: vec![at("deploying"), at("deploying"), at("failed"), at("succeeded")].into(),
        refusals: vec![busy].into(),
        ..Fake::default()
    };
    run(&job(), &fake, &state, "now", &mut Quiet::default()).unwrap();
    assert_eq!(*fake.sent.borrow(), ["start one", "start one"]);
}

#[test]
fn each_refused_resource_is_named_with_its_innermost_cause() {
    let (_folder, state) = state();
    let inner = r#"{"error":{"code":"SkuNotAvailable","message":"not here"}}"#;
    let operations = vec![
        json!({ "properties": { "provisioningState": "Succeeded", "targetResource": { "id": "/good" } } }),
        json!({ "properties": { "provisioningState": "Failed", "targetResource": { "id": "/bad" }, "statusMessage": { "error": { "code": "Conflict", "message": inner } } } }),
    ];
    let fake = Fake { group: true, states: vec![at("succeeded"), at("failed")].into(), operations, ..Fake::default() };
    struct Failing(Fake);
    impl Arm for Failing {
        fn group(&self, n: &str) -> Result<Option<Value>, AzureError> {
            self.0.group(n)
        }
        fn put_group(&self, n: &str, l: &str, t: &Value) -> Result<(), AzureError> {
            self.0.put_group(n, l, t)
        }
        fn recover(&self, v: &DeletedVault) -> Result<(), AzureError> {
            self.0.recover(v)
        }
        fn take_off(&self, f: &Reassigned) -> Result<(), AzureError> {
            self.0.take_off(f)
        }
        fn delete(&self, i: &str, a: &str) -> Result<(), AzureError> {
            self.0.delete(i, a)
        }
        fn observe(&self, w: &[ResourceRef]) -> Result<Vec<Value>, AzureError> {
            self.0.observe(w)
        }
        fn detach_stack(&self, g: &str, s: &str) -> Result<(), AzureError> {
            self.0.detach_stack(g, s)
        }
        fn start(&self, _: DeployMode, _: &str, _: &str, _: &Value) -> Result<Reply, AzureError> {
            Ok(Reply { status: 201, async_operation: Some("http://x/op".into()), ..Reply::default() })
        }
        fn current(&self, m: DeployMode, g: &str, n: &str) -> Result<Option<Value>, AzureError> {
            self.0.current(m, g, n)
        }
        fn poll(&self, _: &Pending) -> Result<arm_client::OperationStatus, AzureError> {
            Ok(arm_client::OperationStatus::Failed(Box::new(ServiceError {
                code: "DeploymentFailed".into(),
                ..ServiceError::default()
            })))
        }
        fn operations(&self, d: &str) -> Result<Vec<Value>, AzureError> {
            self.0.operations(d)
        }
        fn sleep(&self, _: Duration) {}
    }
    let error = run(&job(), &Failing(fake), &state, "now", &mut Quiet::default()).unwrap_err();
    let ApplyError::Refused(list) = error else { panic!("{error}") };
    assert_eq!(list.len(), 1);
    assert_eq!(
        (list[0].id.as_deref(), list[0].error.to_string().as_str()),
        (Some("/bad"), "SkuNotAvailable: not here")
    );
    assert_eq!(state.journal().unwrap().steps[0].state, "failed");
}

#[test]
fn a_busy_pool_keeps_its_live_number_of_machines() {
    let (_folder, state) = state();
    let pool = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/team";
    let set = json!({ "id": pool, "sku": { "name": "x", "capacity": 2 } });
    let scale = json!({ "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Insights/autoscaleSettings/a", "properties": {
        "enabled": true, "targetResourceUri": pool, "profiles": [{ "name": "p", "capacity": { "minimum": "0", "maximum": "40", "default": "2" } }] } });
    let mut desired = Desired::from_resources(&[set.clone(), scale]);
    desired.resources[0].pointer = "/resources/0".into();
    let fake = Fake {
        group: true,
        states: vec![at("succeeded")].into(),
        live: vec![json!({ "id": pool.to_lowercase(), "sku": { "capacity": 31 } })],
        ..Fake::default()
    };
    let step = Step {
        name: "one".into(),
        template: json!({ "resources": [set] }),
        parameters: json!({}),
        note: String::new(),
    };
    run(&Job { desired, steps: vec![step], ..job() }, &fake, &state, "now", &mut Quiet::default()).unwrap();
    assert_eq!(fake.body.borrow().pointer("/properties/template/resources/0/sku/capacity"), Some(&json!(31)));
}

/// Bodies as Azure sends them: read in recordings of its SDKs (`R`), in its documentation (`D`) and in public reports (`P`).
#[test]
fn known_errors_are_unfolded_and_come_with_advice() {
    let policy = r#"{"error":{"code":"InvalidTemplateDeployment","message":"The template deployment failed because of policy violation. Please see details for more information.","details":[{"code":"RequestDisallowedByPolicy","target":"stteam","message":"Resource 'stteam' was disallowed by policy.","additionalInfo":[{"type":"PolicyViolation","info":{"policyDefinitionDisplayName":"Allowed locations","policyAssignmentDisplayName":"Europe only","policyDefinitionEffect":"Deny"}}]}]}}"#;
    let marketplace = r#"{"error":{"code":"MarketplacePurchaseEligibilityFailed","message":"Marketplace purchase eligibilty check returned errors. See inner errors for details. ","details":[{"code":"BadRequest","message":"Offer with PublisherId: 'p', OfferId: 'o' cannot be purchased due to validation errors. You have not accepted the legal terms on this subscription: 's' for this plan."}]}}"#;
    let market = r#"{"error":{"code":"MarketplacePurchaseEligibilityFailed","message":"Marketplace purchase eligibilty check returned errors. See inner errors for details. ","details":[{"code":"BadRequest","message":"The Offer: 'o' cannot be purchased by subscription: 's' as it is not to be sold in market: 'US'."}]}}"#;
    let quota = r#"{"error":{"code":"InvalidTemplateDeployment","message":"The template deployment 'x' is not valid according to the validation procedure.","details":[{"code":"QuotaExceeded","message":"Operation results in exceeding quota limits of Core. Maximum allowed: 350, Current in use: 344, Additional requested: 8."}]}}"#;
    let cores = r#"{"error":{"code":"OperationNotAllowed","message":"Operation could not be completed as it results in exceeding approved standardDASv5Family Cores quota. Additional details - Deployment Model: Resource Manager, Location: eastus, Current Limit: 100, Current Usage: 96, Additional Required: 64, (Minimum) New Limit Required: 160."}}"#;
    let size = r#"{"status":"Failed","error":{"code":"DeploymentFailed","message":"At least one resource deployment operation failed.","details":[{"code":"Conflict","message":"{\r\n  \"error\": {\r\n    \"code\": \"SkuNotAvailable\",\r\n    \"message\": \"The requested VM size Standard_NC6s_v3 is currently not available in location 'westus2'.\",\r\n    \"target\": \"vmSize\"\r\n  }\r\n}"}]}}"#;
    let taken = r#"{"error":{"code":"DeploymentFailed","message":"At least one resource deployment operation failed.","details":[{"code":"StorageAccountAlreadyTaken","message":"The storage account named stteam is already taken."}]}}"#;
    let label = r#"{"error":{"code":"InvalidTemplateDeployment","message":"The template deployment 'p' is not valid according to the validation procedure. See inner errors for details.","details":[{"code":"InvalidDomainNameLabel","message":"The domain name label GEN-UNIQUE is invalid. It must conform to the following regular expression: ^[a-z][a-z0-9-]{1,61}[a-z0-9]$.","details":[]}]}}"#;
    let lock = r#"{"error":{"code":"ScopeLocked","message":"The scope '/subscriptions/s/resourceGroups/g' cannot perform delete operation because following scope(s) are locked: '/subscriptions/s/resourceGroups/g'. Please remove the lock and try again."}}"#;
    let active = r#"{"error":{"code":"DeploymentActive","message":"Unable to edit or replace deployment 'main': previous deployment from '1/1/2026' is still active (expiration time is '1/8/2026'). Please see https://aka.ms/arm-deploy for usage details."}}"#;
    let batch = r#"{"error":{"code":"OperationInvalidForCurrentState","message":"The specified operation is not valid for the current state of the resource.","target":"BatchAccount","details":[{"code":"Reason","message":"The specified pool has a resize in progress."}]}}"#;
    let table: [(&str, u16, &str, &str, &str); 12] = [
        ("D", 403, policy, "RequestDisallowedByPolicy", "policy of your organisation"),
        ("P", 400, marketplace, "BadRequest", "terms of the image must be accepted"),
        ("P", 400, market, "BadRequest", "another country"),
        ("P", 400, quota, "QuotaExceeded", "quota is used up"),
        ("P", 409, cores, "OperationNotAllowed", "quota of cores is used up"),
        ("D", 409, size, "SkuNotAvailable", "choose another size"),
        ("D", 409, taken, "StorageAccountAlreadyTaken", "choose another name"),
        ("R", 400, label, "InvalidDomainNameLabel", "3 to 63"),
        ("P", 409, lock, "ScopeLocked", "az lock list"),
        ("D", 409, active, "DeploymentActive", "still running"),
        ("R", 409, batch, "Reason", ""),
        ("D", 400, r#"{"error":{"code":"NeverHeardOf","message":"x"}}"#, "NeverHeardOf", ""),
    ];
    for (source, status, body, code, words) in table {
        let error = ServiceError::read(status, body, Some("c-1".into()));
        let chains = error.chains();
        let [chain] = chains.as_slice() else { panic!("{source} {code}: {chains:?}") };
        assert_eq!(chain.innermost()[0].code, code, "{source} {body}");
        assert_eq!(chain.correlation.as_deref(), Some("c-1"));
        let told = advice::advice(chain).unwrap_or_default();
        assert!(told.contains(words) && told.is_empty() == words.is_empty(), "{source} {code}: {told}");
        // No envelope, no JSON in what people read.
        let shown = chain.to_string();
        assert!(!shown.contains('{') || code == "InvalidDomainNameLabel", "{shown}");
    }
    let shown = ServiceError::read(403, policy, None).to_string();
    assert!(shown.contains("policy `Allowed locations`, assigned as `Europe only`"), "{shown}");
}

#[test]
fn each_of_several_causes_keeps_the_codes_around_it() {
    let body = r#"{"error":{"code":"DeploymentFailed","message":"m","details":[
        {"code":"MarketplacePurchaseEligibilityFailed","message":"m","details":[{"code":"BadRequest","message":"terms"}]},
        {"code":"ScopeLocked","message":"locked"}, {"code":"ScopeLocked","message":"locked"}]}}"#;
    let chains = ServiceError::read(400, body, None).chains();
    let codes: Vec<Vec<&str>> = chains.iter().map(ServiceError::codes).collect();
    assert_eq!(
        codes,
        [
            vec!["DeploymentFailed", "MarketplacePurchaseEligibilityFailed", "BadRequest"],
            vec!["DeploymentFailed", "ScopeLocked"]
        ]
    );
}

#[test]
fn a_deployment_that_is_accepted_without_an_address_is_followed_by_its_name() {
    let (_folder, state) = state();
    struct Silent(Fake);
    impl Arm for Silent {
        fn group(&self, n: &str) -> Result<Option<Value>, AzureError> {
            self.0.group(n)
        }
        fn put_group(&self, n: &str, l: &str, t: &Value) -> Result<(), AzureError> {
            self.0.put_group(n, l, t)
        }
        fn recover(&self, v: &DeletedVault) -> Result<(), AzureError> {
            self.0.recover(v)
        }
        fn take_off(&self, f: &Reassigned) -> Result<(), AzureError> {
            self.0.take_off(f)
        }
        fn delete(&self, i: &str, a: &str) -> Result<(), AzureError> {
            self.0.delete(i, a)
        }
        fn observe(&self, w: &[ResourceRef]) -> Result<Vec<Value>, AzureError> {
            self.0.observe(w)
        }
        fn detach_stack(&self, g: &str, s: &str) -> Result<(), AzureError> {
            self.0.detach_stack(g, s)
        }
        fn start(&self, _: DeployMode, _: &str, _: &str, _: &Value) -> Result<Reply, AzureError> {
            Ok(Reply { status: 201, body: at("Accepted"), ..Reply::default() })
        }
        fn current(&self, m: DeployMode, g: &str, n: &str) -> Result<Option<Value>, AzureError> {
            self.0.current(m, g, n)
        }
        fn poll(&self, p: &Pending) -> Result<arm_client::OperationStatus, AzureError> {
            self.0.poll(p)
        }
        fn operations(&self, d: &str) -> Result<Vec<Value>, AzureError> {
            self.0.operations(d)
        }
        fn sleep(&self, _: Duration) {}
    }
    let states = vec![at("succeeded"), at("deploying"), at("deploying"), at("failed")];
    let fake = Fake { group: true, states: states.into(), ..Fake::default() };
    let error = run(&job(), &Silent(fake), &state, "now", &mut Quiet::default()).unwrap_err();
    assert!(matches!(error, ApplyError::Refused(_)), "{error}");
}

#[test]
fn a_stop_ends_before_the_next_write() {
    let (_folder, state) = state();
    let fake = Fake { group: true, states: vec![at("succeeded")].into(), ..Fake::default() };
    let error = run(&job(), &fake, &state, "now", &mut Quiet(true)).unwrap_err();
    assert!(matches!(error, ApplyError::Stopped));
    assert_eq!(*fake.sent.borrow(), Vec::<String>::new());
}

#[test]
fn two_applies_at_once_are_one_and_a_message() {
    let (_folder, state) = state();
    let held = state.lock(false).unwrap();
    let told = state.lock(false).unwrap_err().to_string();
    assert_eq!(told, format!("another apply of this project is running (process {})", std::process::id()));
    drop(held);
    assert!(state.lock(false).is_ok());
}

#[test]
fn a_damaged_record_is_as_if_there_were_none() {
    let (_folder, state) = state();
    state.write_receipt(&Receipt { project: "p".into(), ..Receipt::default() }).unwrap();
    assert_eq!(state.receipt().unwrap().project, "p");
    std::fs::write(state.folder().join("receipt.json"), "{ half").unwrap();
    assert_eq!(state.receipt(), None);
    assert_eq!(state.salt(), state.salt());
}
