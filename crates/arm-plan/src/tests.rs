//! What a plan promises, held against recorded answers of the service, a slow oracle and random states.

use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn wanted(body: Value) -> Desired {
    Desired::from_resources(&[body])
}

fn seen(body: Value) -> Observed {
    Observed::of(&[body], Vec::new())
}

fn plan(w: &Value, f: &Value) -> Plan {
    diff(&wanted(w.clone()), &seen(f.clone()), &DiffOptions::default())
}

fn vmss(properties: Value) -> Value {
    json!({
        "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/team",
        "location": "westus2",
        "sku": { "name": "Standard_D8s_v5", "tier": "Standard", "capacity": 3 },
        "properties": properties,
    })
}

/// Each recorded request against what the service showed afterwards.
#[test]
fn a_plan_of_what_was_just_written_is_empty() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/recorded");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 20);
    let mut report = String::new();
    for file in files {
        let case: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let mut body = case["request"].clone();
        body["id"] = case["path"].clone();
        let plan = plan(&body, &case["response"]);
        assert_eq!(plan.changes.len(), 1, "{}", file.display());
        for change in plan.effective() {
            for a in &change.attributes {
                report += &format!(
                    "{}: {:?} {} {:?} -> {:?}\n",
                    file.file_name().unwrap().to_string_lossy(),
                    a.kind,
                    a.path,
                    a.before,
                    a.after
                );
            }
        }
    }
    assert_eq!(report, "");
}

#[test]
fn deletions_come_first_and_children_before_parents() {
    let account = json!({ "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a", "properties": {} });
    let share = json!({ "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a/fileServices/default/shares/notebooks", "properties": {} });
    let id = |v: &Value| v["id"].as_str().unwrap().to_owned();
    let observed = Observed::of(&[account.clone(), share.clone()], vec![id(&account), id(&share)]);
    let plan = diff(&wanted(vmss(json!({}))), &observed, &DiffOptions::default());
    let order: Vec<_> = plan.changes.iter().map(|c| (c.action, c.name.as_str())).collect();
    assert_eq!(order, [(Action::Delete, "a/default/notebooks"), (Action::Delete, "a"), (Action::Create, "team")]);
    assert_eq!(plan.changes[1].effect.kind, EffectKind::DeletesData);
    assert_eq!(plan.changes[1].effect.shares, ["notebooks"]);
    let keep = DiffOptions { unmanaged: Unmanaged::Detach, ..DiffOptions::default() };
    let plan = diff(&Desired::default(), &observed, &keep);
    assert!(plan.changes.iter().all(|c| c.action == Action::Detach));
}

#[test]
fn immutable_property_replaces_and_is_named() {
    let p = plan(&vmss(json!({ "orchestrationMode": "Flexible" })), &vmss(json!({ "orchestrationMode": "Uniform" })));
    assert_eq!(p.changes[0].action, Action::Replace);
    assert_eq!(p.changes[0].effect.property.as_deref(), Some("properties.orchestrationMode"));
    assert_eq!(p.changes[0].effect.machines, Some(3));
    // One way only.
    let down = plan(&vmss(json!({ "singlePlacementGroup": false })), &vmss(json!({ "singlePlacementGroup": true })));
    assert_eq!(down.changes[0].action, Action::Update);
    let up = plan(&vmss(json!({ "singlePlacementGroup": true })), &vmss(json!({ "singlePlacementGroup": false })));
    assert_eq!(up.changes[0].action, Action::Refuse);
    assert_eq!(up.refused().count(), 1);
}

#[test]
fn upgrade_policy_decides_what_running_machines_feel() {
    let with = |mode: &str, version: &str| {
        vmss(
            json!({ "upgradePolicy": { "mode": mode }, "virtualMachineProfile": { "storageProfile": { "imageReference": { "version": version } } } }),
        )
    };
    let kind = |mode: &str| plan(&with(mode, "2"), &with(mode, "1")).changes[0].effect.kind;
    assert_eq!(kind("Manual"), EffectKind::NewMachines);
    assert_eq!(kind("Rolling"), EffectKind::OsDisksReplaced);
    assert_eq!(kind("Automatic"), EffectKind::OsDisksReplaced);
    let tags = |t: &str| json!({ "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/team", "tags": { "team": t } });
    assert_eq!(plan(&tags("a"), &tags("b")).changes[0].effect.kind, EffectKind::None);
}

/// What has no row is not taken for harmless.
#[test]
fn what_is_not_known_is_said() {
    let p = plan(&vmss(json!({ "somethingNew": 2 })), &vmss(json!({ "somethingNew": 1 })));
    assert_eq!((p.changes[0].action, p.changes[0].effect.kind), (Action::Update, EffectKind::NotKnown));
    assert_eq!(p.changes[0].effect.text, "effect not known");
    assert_eq!(p.changes[0].attributes[0].basis, None);
}

#[test]
fn children_and_roles_go_with_what_is_recreated() {
    let group = "/subscriptions/s/resourceGroups/g/providers";
    let identity = format!("{group}/Microsoft.ManagedIdentity/userAssignedIdentities/id-team");
    let role = format!("{group}/Microsoft.Authorization/roleAssignments/6f0f3b2c-0000-4000-8000-000000000001");
    let cluster = format!("{group}/Microsoft.Network/loadBalancers/lb");
    let rule = format!("{cluster}/inboundNatRules/one");
    let given = |principal: &str| json!({ "id": role, "properties": { "principalId": principal, "principalType": "ServicePrincipal", "roleDefinitionId": "r" } });
    let at = |id: &str, location: &str| json!({ "id": id, "location": location });
    let lookup = format!("[reference('{identity}', '2024-11-30').principalId]");
    let mut desired = Desired::from_resources(&[
        at(&identity, "northeurope"),
        given("p"),
        at(&cluster, "northeurope"),
        json!({ "id": rule, "properties": { "frontendPort": 1 } }),
    ]);
    desired.resources[1].unresolved = given(&lookup).into();
    let observed = Observed::of(
        &[
            at(&identity, "westeurope"),
            given("p"),
            at(&cluster, "westeurope"),
            json!({ "id": rule, "properties": { "frontendPort": 1 } }),
        ],
        Vec::new(),
    );
    let p = diff(&desired, &observed, &DiffOptions::default());
    assert_eq!((p.summary.replace, p.summary.no_change), (4, 0));
    let of = |id: &str| p.changes.iter().find(|c| c.id == id).unwrap();
    assert_eq!(of(&rule).reason, "goes with `lb`, which is deleted and recreated");
    assert!(of(&role).reason.starts_with("`id-team` gets a new principal"), "{}", of(&role).reason);
    // Deleted by somebody else, the identity has a new principal as well.
    let gone = Observed { resources: observed.resources[1..].to_vec(), managed: Vec::new() };
    let p = diff(&desired, &gone, &DiffOptions::default());
    assert_eq!(p.changes.iter().find(|c| c.id == role).unwrap().action, Action::Replace);
}

/// An identity that is created again keeps its id and has another principal: what uses it is not "unchanged".
#[test]
fn what_uses_an_identity_that_is_created_again_is_given_it_again() {
    let group = "/subscriptions/s/resourceGroups/g/providers";
    let identity = format!("{group}/Microsoft.ManagedIdentity/userAssignedIdentities/id-team");
    let other = format!("{group}/Microsoft.ManagedIdentity/userAssignedIdentities/id-other");
    let set = format!("{group}/Microsoft.Compute/virtualMachineScaleSets/team");
    let account = format!("{group}/Microsoft.Batch/batchAccounts/team");
    let is = |id: &str, principal: &str| json!({ "id": id, "location": "westeurope", "properties": { "principalId": principal } });
    let uses = |id: &str, entry: Value| {
        let entries: serde_json::Map<_, _> = [(identity.clone(), entry)].into_iter().collect();
        json!({ "id": id, "sku": { "name": "S", "capacity": 3 }, "identity": { "type": "UserAssigned", "userAssignedIdentities": entries },
            "properties": { "virtualMachineProfile": { "osProfile": {} } } })
    };
    let mut desired = Desired::from_resources(&[
        json!({ "id": identity, "location": "westeurope" }),
        json!({ "id": other, "location": "westeurope" }),
        uses(&set, json!({})),
        uses(&account, json!({})),
    ]);
    let held = |principal: Value| uses(&set, json!({ "principalId": principal, "clientId": "c" }));
    let of = |p: &Plan, id: &str| p.changes.iter().find(|c| c.id == id).unwrap().clone();
    let plan =
        |desired: &Desired, live: &[Value]| diff(desired, &Observed::of(live, Vec::new()), &DiffOptions::default());
    let account_live = uses(&account, json!({ "principalId": "one", "clientId": "c" }));
    let before = [is(&identity, "one"), is(&other, "two"), held(json!("one")), account_live.clone()];
    assert!(plan(&desired, &before).is_empty());

    // Deleted elsewhere: it is created, and the set is given it again.
    let p = plan(&desired, &before[1..]);
    let change = of(&p, &set);
    assert_eq!((change.action, change.effect.kind), (Action::Update, EffectKind::InPlace));
    assert_eq!(change.effect.text, "`id-team` is taken off and assigned again: no tokens until then");
    assert_eq!(
        (change.reason.as_str(), &change.reassigned),
        ("`id-team` gets a new principal", &vec![identity.clone()])
    );
    // For other types no document says whether an update follows.
    let change = of(&p, &account);
    assert_eq!((change.action, change.effect.kind, change.reassigned.len()), (Action::Update, EffectKind::NotKnown, 0));

    // Created again by somebody: both exist, and the set has the old principal, or none.
    for stale in [json!("old"), Value::Null] {
        let p = plan(&desired, &[is(&identity, "one"), is(&other, "two"), held(stale), account_live.clone()]);
        assert_eq!(of(&p, &set).reassigned, vec![identity.clone()]);
        assert_eq!((p.summary.update, p.summary.no_change), (1, 3));
    }

    // The first boot of its machines holds the client id of the old one.
    let data = json!({ "virtualMachineProfile": { "osProfile": {
        "customData": format!("[base64(concat('x', reference('{identity}', '2024-11-30').clientId))]") } } });
    let mut written = uses(&set, json!({}));
    written["properties"] = data;
    desired.resources[2].unresolved = written.into();
    let change = of(&plan(&desired, &before[1..]), &set);
    assert_eq!((change.effect.kind, change.effect.machines), (EffectKind::WhenReimaged, Some(3)));
    assert!(change.effect.text.contains("reimaged; `id-team` is taken off"), "{}", change.effect.text);
    assert!(plan(&desired, &before).is_empty(), "nothing is new");
    let stale = [is(&identity, "one"), is(&other, "two"), held(json!("old")), account_live];
    let change = of(&plan(&desired, &stale), &set);
    assert_eq!((change.effect.kind, change.reassigned.len()), (EffectKind::WhenReimaged, 1));
    assert_eq!(change.attributes[0].path, "identity.userAssignedIdentities[id-team].principalId");
}

#[test]
fn machines_beyond_a_narrower_range_go_with_the_next_run_of_autoscale() {
    let mut live = vmss(json!({}));
    live["sku"]["capacity"] = json!(7);
    let scale = |most: &str| {
        json!({
            "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Insights/autoscaleSettings/team",
            "properties": { "enabled": true, "targetResourceUri": live["id"], "profiles": [
                { "name": "usual", "capacity": { "minimum": "1", "maximum": most, "default": "1" } }] },
        })
    };
    let observed = Observed::of(&[live.clone(), scale("10")], Vec::new());
    let to = |most: &str| {
        let p = diff(&Desired::from_resources(&[scale(most)]), &observed, &DiffOptions::default());
        p.changes[0].effect.clone()
    };
    let fewer = to("2");
    assert_eq!((fewer.kind, fewer.machines), (EffectKind::AutoscaleRemoves, Some(5)));
    assert_eq!(fewer.text, "5 machines go at the next run of autoscale");
    assert_eq!(to("8").kind, EffectKind::InPlace);
    assert_eq!(to("6").text, "1 machine goes at the next run of autoscale");
    // A new setting on a pool that had none.
    let only_set = Observed::of(&[live.clone()], Vec::new());
    let p = diff(&Desired::from_resources(&[scale("4")]), &only_set, &DiffOptions::default());
    assert_eq!((p.changes[0].effect.kind, p.changes[0].effect.machines), (EffectKind::AutoscaleRemoves, Some(3)));
}

/// Which profile is in force depends on the time: each that is narrower than before is told with what goes.
#[test]
fn every_profile_that_narrows_counts() {
    let mut live = vmss(json!({}));
    live["sku"]["capacity"] = json!(7);
    let setting = |enabled: bool, profiles: &[(&str, u64)]| {
        let profiles: Vec<Value> = profiles
            .iter()
            .map(|(name, most)| json!({ "name": name, "capacity": { "minimum": "0", "maximum": most.to_string(), "default": "0" } }))
            .collect();
        json!({
            "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Insights/autoscaleSettings/team",
            "properties": { "enabled": enabled, "targetResourceUri": live["id"], "profiles": profiles },
        })
    };
    let effect = |before: Value, after: Value| {
        let observed = Observed::of(&[live.clone(), before], Vec::new());
        diff(&Desired::from_resources(&[after]), &observed, &DiffOptions::default()).changes[0].effect.clone()
    };
    let wide = || setting(true, &[("usual", 10), ("work", 10)]);
    let both = effect(wide(), setting(true, &[("usual", 2), ("work", 6)]));
    assert_eq!((both.kind, both.machines), (EffectKind::AutoscaleRemoves, Some(5)));
    assert_eq!(
        both.text,
        "5 machines go while `usual` is in force, 1 machine goes while `work` is in force, at the next run of autoscale"
    );
    // A profile that is new, and one that takes over from a wider one that goes.
    let added = effect(setting(true, &[("usual", 10)]), setting(true, &[("usual", 10), ("night", 3)]));
    assert_eq!((added.kind, added.machines), (EffectKind::AutoscaleRemoves, Some(4)));
    let gone = effect(setting(true, &[("usual", 3), ("work", 10)]), setting(true, &[("usual", 3)]));
    assert_eq!((gone.kind, gone.machines), (EffectKind::AutoscaleRemoves, Some(4)));
    // Limits that held before, and settings that are off.
    let same = effect(setting(true, &[("usual", 3), ("work", 10)]), setting(true, &[("usual", 3), ("work", 9)]));
    assert_eq!(same.kind, EffectKind::InPlace);
    let off = effect(wide(), setting(false, &[("usual", 2), ("work", 6)]));
    assert_ne!(off.kind, EffectKind::AutoscaleRemoves);
    let on = effect(setting(false, &[("usual", 2)]), setting(true, &[("usual", 2)]));
    assert_eq!((on.kind, on.machines), (EffectKind::AutoscaleRemoves, Some(5)));
}

#[test]
fn capacity_under_autoscale_is_not_a_change_but_is_watched() {
    let mut live = vmss(json!({}));
    live["sku"]["capacity"] = json!(50);
    let scale = json!({
        "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Insights/autoscaleSettings/team",
        "properties": { "enabled": true, "targetResourceUri": live["id"], "profiles": [
            { "name": "day", "capacity": { "minimum": "2", "maximum": "10", "default": "2" } },
            { "name": "night", "capacity": { "minimum": "0", "maximum": "2", "default": "0" } } ] },
    });
    let desired = Desired::from_resources(&[vmss(json!({})), scale.clone()]);
    let observed = Observed::of(&[live.clone(), scale.clone()], Vec::new());
    let with = diff(&desired, &observed, &DiffOptions::default());
    assert!(with.is_empty());
    assert!(with.suppressed.iter().any(|s| s.rule == SuppressionRule::OwnedByAutoscale));
    assert_eq!(with.warnings[0].text, "50 machines run, outside the declared range 0..10");
    // Without autoscale the same difference removes machines.
    let plain = plan(&vmss(json!({})), &live);
    assert_eq!(plain.changes[0].effect.kind, EffectKind::ScalesIn);
    assert_eq!(plain.changes[0].effect.machines, Some(47));
}

#[test]
fn secrets_never_reach_a_plan() {
    const SECRET: &str = "sentinel-7f3a";
    let body = |password: &str| {
        vmss(
            json!({ "virtualMachineProfile": { "osProfile": { "adminPassword": password }, "extensionProfile": { "extensions": [
            { "name": "mount", "properties": { "type": "CustomScript", "protectedSettings": { "k": password }, "settings": { "x": 1 } } } ] } } }),
        )
    };
    let mut desired = wanted(body(SECRET));
    desired.resources[0].secrets = vec!["/properties/extra".to_owned()];
    let mut extra = desired.resources[0].body.read();
    extra["properties"]["extra"] = json!({ "a": [SECRET] });
    desired.resources[0].body = extra.into();
    let empty = Observed::default();
    let live = seen(vmss(json!({})));
    let echoed = seen(body("sentinel-other"));
    for observed in [&empty, &live, &echoed] {
        let text = serde_json::to_string(&diff(&desired, observed, &DiffOptions::default())).unwrap();
        assert!(!text.contains("sentinel"), "{text}");
    }
    let base = Baseline::record(&desired, &live, "salt");
    assert!(!serde_json::to_string(&base).unwrap().contains("sentinel"));
}

#[test]
fn a_changed_secret_shows_as_changed_when_an_apply_is_on_record() {
    let hidden = vmss(json!({ "virtualMachineProfile": { "osProfile": { "computerNamePrefix": "t" } } }));
    let body = |password: &str| {
        vmss(
            json!({ "virtualMachineProfile": { "osProfile": { "computerNamePrefix": "t", "adminPassword": password } } }),
        )
    };
    let base = Baseline::record(&wanted(body("one")), &seen(hidden.clone()), "salt");
    let options = DiffOptions { baseline: Some(base), ..DiffOptions::default() };
    assert!(diff(&wanted(body("one")), &seen(hidden.clone()), &options).is_empty());
    let changed = diff(&wanted(body("two")), &seen(hidden.clone()), &options);
    assert_eq!(changed.changes[0].attributes[0].path, "properties.virtualMachineProfile.osProfile.adminPassword");
    assert!(changed.changes[0].attributes[0].secret);
    let blind = plan(&body("one"), &hidden);
    assert!(blind.is_empty());
    assert_eq!(blind.warnings[0].kind, WarningKind::SecretNotCompared);
}

#[test]
fn what_the_service_filled_in_stays_quiet_until_it_changes() {
    let (source, live) = (vmss(json!({})), vmss(json!({ "priorityMixPolicy": { "baseRegularPriorityCount": 3 } })));
    let base = Baseline::record(&wanted(source.clone()), &seen(live.clone()), "salt");
    let options = DiffOptions { baseline: Some(base), ..DiffOptions::default() };
    assert!(diff(&wanted(source.clone()), &seen(live), &options).is_empty());
    let drifted =
        diff(&wanted(source), &seen(vmss(json!({ "priorityMixPolicy": { "baseRegularPriorityCount": 4 } }))), &options);
    assert_eq!(drifted.changes[0].attributes[0].path, "properties.priorityMixPolicy.baseRegularPriorityCount");
}

#[test]
fn letter_case_counts_where_it_matters() {
    let body = |location: &str, tag: &str| json!({ "id": "/subscriptions/s/resourceGroups/g/providers/Foo.Bar/baz/x", "location": location, "tags": { "t": tag } });
    assert!(plan(&body("West US 2", "a"), &body("westus2", "a")).is_empty());
    assert!(!plan(&body("westus2", "A"), &body("westus2", "a")).is_empty());
    assert!(!plan(&body("westus2", "PT60M"), &body("westus2", "PT1H")).is_empty());
}

#[test]
fn saved_plans_are_sealed() {
    let saved = SavedPlan {
        kind: "dsvmc-plan".into(),
        schema: SCHEMA,
        tool: "t".into(),
        project: "p".into(),
        env: "e".into(),
        target: "local".into(),
        plain: false,
        detach: false,
        targets: vec![],
        excludes: vec![],
        first_choice: false,
        templates: vec!["h".into()],
        parameters: "p".into(),
        salt: "s".into(),
        observed: [("a".to_owned(), "1".to_owned())].into(),
        plan: plan(&vmss(json!({})), &vmss(json!({ "zoneBalance": true }))),
        seal: String::new(),
    }
    .seal();
    let text = serde_json::to_string_pretty(&saved).unwrap();
    assert_eq!(SavedPlan::read(&text), Ok(saved.clone()));
    // Any changed byte of content is refused.
    for i in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[i] = if bytes[i] == b'1' { b'2' } else { b'1' };
        if let Ok(changed) = String::from_utf8(bytes)
            && changed != text
            && serde_json::from_str::<Value>(&changed).ok() != serde_json::from_str::<Value>(&text).ok()
        {
            assert!(SavedPlan::read(&changed).is_err(), "byte {i}");
        }
    }
    assert_eq!(SavedPlan::read(&text.replace("\"schema\": 1", "\"schema\": 9")), Err(SavedPlanError::Schema(9)));
    let mut other = saved.clone();
    other.env = "prod".into();
    assert!(matches!(verify(&saved, &other), Err(SavedPlanError::Foreign(_))));
    let mut moved = saved.clone();
    moved.observed.insert("b".into(), "2".into());
    assert_eq!(verify(&saved, &moved), Err(SavedPlanError::Resources(vec!["b".into()])));
}

#[test]
fn narrowed_plans_hold_only_what_was_asked_for() {
    let options =
        DiffOptions { targets: vec!["*/te*".into()], excludes: vec!["other".into()], ..DiffOptions::default() };
    assert_eq!(diff(&wanted(vmss(json!({}))), &Observed::default(), &options).summary.create, 1);
    let none = DiffOptions { excludes: vec!["team".into()], ..DiffOptions::default() };
    assert_eq!(diff(&wanted(vmss(json!({}))), &Observed::default(), &none).changes.len(), 0);
}

/// Leaves of a JSON value, slowly.
fn leaves(value: &Value, at: &str, out: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(map) if !map.is_empty() => map.iter().for_each(|(k, v)| leaves(v, &format!("{at}/{k}"), out)),
        Value::Array(list) if !list.is_empty() => {
            list.iter().enumerate().for_each(|(i, v)| leaves(v, &format!("{at}/{i}"), out))
        }
        Value::Null => {}
        Value::Object(_) | Value::Array(_) => {}
        other => out.push((at.to_owned(), other.clone())),
    }
}

fn any_body() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        (0..50i64).prop_map(Value::from),
        "[A-Za-z]{1,6}".prop_map(Value::from)
    ];
    let value = leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-e]{2}", inner, 0..5).prop_map(|m| m.into_iter().collect::<Value>()),
        ]
    });
    prop::collection::btree_map("[a-e]{1,2}x", value, 1..6).prop_map(|m| {
        json!({ "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/v", "properties": m })
    })
}

fn set_leaf(value: &mut Value, pointer: &str, to: Value) {
    *value.pointer_mut(pointer).unwrap() = to;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn nothing_differs_from_itself(body in any_body()) {
        prop_assert!(plan(&body, &body).is_empty());
    }

    #[test]
    fn any_single_change_is_seen(body in any_body(), pick in any::<prop::sample::Index>()) {
        let mut all = Vec::new();
        leaves(&body["properties"], "/properties", &mut all);
        prop_assume!(!all.is_empty());
        let (pointer, value) = &all[pick.index(all.len())];
        let mut other = body.clone();
        set_leaf(&mut other, pointer, json!(format!("{value}-changed")));
        prop_assert!(!plan(&other, &body).is_empty());
        prop_assert!(!plan(&body, &other).is_empty());
    }

    #[test]
    fn the_slow_oracle_agrees(a in any_body(), b in any_body()) {
        // These names are in no table: an empty plan means that each wanted leaf is there, and that what is there
        // besides was held back by name, never silently.
        let (mut x, mut y) = (Vec::new(), Vec::new());
        leaves(&a, "", &mut x);
        leaves(&b, "", &mut y);
        let plan = plan(&a, &b);
        if plan.is_empty() {
            for leaf in &x {
                prop_assert!(y.contains(leaf), "{leaf:?}");
            }
            if y.len() > x.len() {
                prop_assert!(plan.suppressed.iter().any(|s| s.rule == SuppressionRule::NewerApiOnly));
            }
        }
    }

    #[test]
    fn order_of_resources_and_keys_does_not_matter(body in any_body()) {
        let sorted: Value = serde_json::from_str(&serde_json::to_string(&body).unwrap()).unwrap();
        prop_assert_eq!(digest(&body), digest(&sorted));
    }
}
