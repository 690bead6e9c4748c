//! User-assigned identities of resources: listed by a PUT, changed one by one by a PATCH, and assigned once.

use serde_json::{Value, json};

use super::types::{network, scale_set};
use super::{Local, body, full};

const SET: &str = "{rg}/Microsoft.Compute/virtualMachineScaleSets/pool";

fn identity(name: &str) -> String {
    full(&format!("{{rg}}/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"))
}

fn made(local: &Local, name: &str) -> Value {
    let reply = local.put(&identity(name), r#"{"location":"westeurope"}"#);
    assert!(reply.status < 300, "{reply:?}");
    body(&reply)["properties"]["principalId"].clone()
}

/// A set with these identities, sent as a PUT.
fn given(names: &[&str]) -> String {
    let mut set = scale_set(1);
    let ids: serde_json::Map<_, _> = names.iter().map(|name| (identity(name), json!({}))).collect();
    set["identity"] = json!({ "type": "UserAssigned", "userAssignedIdentities": ids });
    set.to_string()
}

/// The identities that the set shows, by name, with the principal.
fn held(local: &Local) -> Vec<(String, Value)> {
    let shown = local.get(SET);
    let ids = body(&shown)["identity"]["userAssignedIdentities"].as_object().cloned().unwrap_or_default();
    let name = |id: &str| id.rsplit('/').next().expect("a name").to_owned();
    ids.iter().map(|(id, entry)| (name(id), entry["principalId"].clone())).collect()
}

fn patch(local: &Local, identity: Value) -> u16 {
    local.send("PATCH", SET, &json!({ "identity": identity }).to_string(), &[]).status
}

#[test]
fn a_put_lists_all_identities_and_a_patch_those_that_change() {
    let local = Local::group();
    network(&local, "10.0.0.0/24");
    let (one, two) = (made(&local, "one"), made(&local, "two"));
    assert_eq!(local.put(SET, &given(&["one", "two"])).status, 201);
    assert_eq!(held(&local), [("one".to_owned(), one.clone()), ("two".to_owned(), two.clone())]);
    assert_eq!(local.put(SET, &given(&["two"])).status, 200);
    assert_eq!(held(&local), [("two".to_owned(), two.clone())]);
    let more = json!({ "type": "UserAssigned", "userAssignedIdentities": { (identity("one")): {} } });
    assert_eq!(patch(&local, more), 200);
    assert_eq!(held(&local).len(), 2, "a PATCH keeps what it does not mention");
    let less = json!({ "type": "UserAssigned", "userAssignedIdentities": { (identity("two")): null } });
    assert_eq!(patch(&local, less), 200);
    assert_eq!(held(&local), [("one".to_owned(), one)]);
    assert_eq!(patch(&local, json!({ "type": "None" })), 200);
    assert_eq!(held(&local), []);
}

#[test]
fn an_identity_that_is_created_again_must_be_assigned_again() {
    let local = Local::group();
    network(&local, "10.0.0.0/24");
    let old = made(&local, "one");
    assert_eq!(local.put(SET, &given(&["one"])).status, 201);
    assert_eq!(local.delete(&identity("one")).status, 200);
    assert_eq!(held(&local), [("one".to_owned(), old.clone())], "the reference stays");
    assert_eq!(super::code(&local.put(SET, &given(&["one"]))).1, "FailedIdentityOperation", "it leads nowhere");
    let new = made(&local, "one");
    assert_ne!(new, old);
    for _ in 0..2 {
        assert_eq!(local.put(SET, &given(&["one"])).status, 200);
        assert_eq!(held(&local), [("one".to_owned(), Value::Null)], "a write of the same assigns nothing");
    }
    assert_eq!(patch(&local, json!({ "type": "None" })), 200);
    assert_eq!(local.put(SET, &given(&["one"])).status, 200);
    assert_eq!(held(&local), [("one".to_owned(), new)]);
}
