//! The validator, and that nothing bogus gets past it.

use super::*;
use serde_json::json;

const VMSS: &str = "Microsoft.Compute/virtualMachineScaleSets";

fn scale_set() -> Value {
    json!({
        "type": VMSS, "apiVersion": "2025-04-01", "name": "vmss-team", "location": "[resourceGroup().location]",
        "dependsOn": [], "tags": { "team": "research" },
        "sku": { "name": "Standard_D8s_v5", "tier": "Standard", "capacity": 2 },
        "identity": { "type": "UserAssigned", "userAssignedIdentities": { "[parameters('identity')]": {} } },
        "zones": ["1", "2"],
        "properties": {
            "orchestrationMode": "Flexible", "platformFaultDomainCount": 1,
            "upgradePolicy": { "mode": "Rolling", "rollingUpgradePolicy": { "maxBatchInstancePercent": 20, "pauseTimeBetweenBatches": "PT5M" } },
            "automaticRepairsPolicy": { "enabled": true, "gracePeriod": "PT30M", "repairAction": "Replace" },
            "virtualMachineProfile": {
                "osProfile": {
                    "computerNamePrefix": "team", "adminUsername": "dsvmuser", "customData": "[base64('x')]",
                    "linuxConfiguration": {
                        "disablePasswordAuthentication": true,
                        "ssh": { "publicKeys": [{ "path": "/home/dsvmuser/.ssh/authorized_keys", "keyData": "[parameters('key')]" }] }
                    }
                },
                "storageProfile": {
                    "imageReference": { "publisher": "microsoft-dsvm", "offer": "ubuntu-2204", "sku": "2204-gen2", "version": "latest" },
                    "osDisk": { "createOption": "FromImage", "caching": "ReadWrite", "managedDisk": { "storageAccountType": "Premium_LRS" } }
                },
                "networkProfile": {
                    "networkApiVersion": "2022-11-01",
                    "networkInterfaceConfigurations": [{ "name": "nic", "properties": {
                        "primary": true, "enableAcceleratedNetworking": true,
                        "ipConfigurations": [{ "name": "ip", "properties": { "subnet": { "id": "[parameters('subnet')]" },
                            "loadBalancerBackendAddressPools": [{ "id": "[parameters('pool')]" }] } }]
                    } }]
                },
                "extensionProfile": { "extensions": [{ "name": "health", "properties": {
                    "publisher": "Microsoft.ManagedServices", "type": "ApplicationHealthLinux", "typeHandlerVersion": "2.0",
                    "autoUpgradeMinorVersion": true, "settings": { "protocol": "tcp", "port": 22 } } }] },
                "diagnosticsProfile": { "bootDiagnostics": { "enabled": true } }
            }
        }
    })
}

fn autoscale() -> Value {
    json!({
        "type": "Microsoft.Insights/autoscaleSettings", "apiVersion": "2022-10-01", "name": "autoscale-team", "location": "westus2",
        "properties": {
            "enabled": true, "targetResourceUri": "[resourceId('x', 'y')]",
            "profiles": [{
                "name": "default", "capacity": { "minimum": "0", "maximum": "10", "default": "0" },
                "rules": [{
                    "metricTrigger": { "metricName": "Percentage CPU", "metricResourceUri": "[resourceId('x', 'y')]", "timeGrain": "PT1M",
                        "statistic": "Average", "timeWindow": "PT10M", "timeAggregation": "Average", "operator": "GreaterThan", "threshold": 75.5 },
                    "scaleAction": { "direction": "Increase", "type": "ChangeCount", "value": "1", "cooldown": "PT5M" }
                }],
                "recurrence": { "frequency": "Week", "schedule": { "timeZone": "UTC", "days": ["Monday"], "hours": [8], "minutes": [0] } }
            }]
        }
    })
}

fn compute() -> Value {
    json!({
        "type": "Microsoft.MachineLearningServices/workspaces/computes", "apiVersion": "2025-12-01", "name": "ws/gpu", "location": "westus2",
        "properties": { "computeType": "AmlCompute", "properties": {
            "vmSize": "Standard_NC24ads_A100_v4", "vmPriority": "LowPriority",
            "scaleSettings": { "minNodeCount": 0, "maxNodeCount": 4, "nodeIdleTimeBeforeScaleDown": "PT5M" } } }
    })
}

fn bodies() -> Vec<Value> {
    vec![scale_set(), autoscale(), compute()]
}

fn check(body: &Value) -> Vec<Finding> {
    validate(body["type"].as_str().unwrap(), body["apiVersion"].as_str().unwrap(), body)
}

fn changed(mut body: Value, pointer: &str, value: Value) -> Vec<Finding> {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(key.to_owned(), value);
    check(&body)
}

#[track_caller]
fn one(findings: &[Finding], kind: FindingKind, pointer: &str, suggestion: Option<&str>) {
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!((findings[0].kind, findings[0].pointer.as_str()), (kind, pointer), "{findings:#?}");
    assert_eq!(findings[0].suggestion.as_deref(), suggestion);
}

#[test]
fn good_bodies_pass() {
    for body in bodies() {
        assert_eq!(check(&body), [], "{}", body["type"]);
    }
}

#[test]
fn each_kind_of_mistake_is_told() {
    let mode = "/properties/upgradePolicy/mode";
    one(&changed(scale_set(), mode, json!("Roling")), FindingKind::NotAllowed, mode, Some("Rolling"));
    one(&changed(scale_set(), mode, json!("rolling")), FindingKind::Case, mode, Some("Rolling"));
    one(
        &changed(scale_set(), "/properties/overProvision", json!(false)),
        FindingKind::Case,
        "/properties/overProvision",
        Some("overprovision"),
    );
    one(
        &changed(scale_set(), "/properties/orchestrationMod", json!("Uniform")),
        FindingKind::UnknownProperty,
        "/properties/orchestrationMod",
        Some("orchestrationMode"),
    );
    one(
        &changed(scale_set(), "/orchestrationMode", json!("Uniform")),
        FindingKind::UnknownProperty,
        "/orchestrationMode",
        Some("properties.orchestrationMode"),
    );
    one(
        &changed(scale_set(), "/properties/overprovision", json!("true")),
        FindingKind::WrongType,
        "/properties/overprovision",
        Some("true"),
    );
    one(&changed(scale_set(), "/properties/uniqueId", json!("x")), FindingKind::ReadOnly, "/properties/uniqueId", None);
    let batch = "/properties/upgradePolicy/rollingUpgradePolicy/maxBatchInstancePercent";
    one(&changed(scale_set(), batch, json!(3)), FindingKind::Range, batch, Some("5"));
    one(&changed(scale_set(), "/name", json!("vmss_team!")), FindingKind::Name, "/name", Some("vmss-team"));
    one(
        &changed(scale_set(), "/apiVersion", json!("2025-05-01")),
        FindingKind::UnknownVersion,
        "/apiVersion",
        Some("2025-04-01"),
    );
    let mut many = autoscale();
    let profile = many["properties"]["profiles"][0].clone();
    many["properties"]["profiles"] = vec![profile; 21].into();
    one(&check(&many), FindingKind::Length, "/properties/profiles", None);
    one(
        &changed(compute(), "/properties/computeType", json!("AmlComputer")),
        FindingKind::NotAllowed,
        "/properties/computeType",
        Some("AmlCompute"),
    );
    let mut missing = autoscale();
    missing["properties"]["profiles"][0]["capacity"].as_object_mut().unwrap().remove("default");
    one(&check(&missing), FindingKind::Missing, "/properties/profiles/0/capacity", None);
}

#[test]
fn expressions_are_taken_anywhere() {
    for pointer in [
        "/sku",
        "/zones",
        "/properties/upgradePolicy",
        "/properties/overprovision",
        "/properties/platformFaultDomainCount",
    ] {
        assert_eq!(changed(scale_set(), pointer, json!("[parameters('x')]")), [], "{pointer}");
    }
    assert!(!changed(scale_set(), "/zones", json!("[[parameters('x')]")).is_empty());
}

fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            all.push(at.to_owned());
            for (k, v) in map {
                pointers(v, &format!("{at}/{}", escaped(k)), all);
            }
        }
        Value::Array(list) => {
            for (i, v) in list.iter().enumerate() {
                pointers(v, &format!("{at}/{i}"), all);
            }
        }
        _ => {}
    }
}

/// Places where the type takes any property: tags, settings of extensions, identities by id.
fn free(pointer: &str) -> bool {
    pointer.ends_with("/tags") || pointer.contains("/settings") || pointer.contains("/userAssignedIdentities")
}

#[test]
fn no_bogus_property_gets_past() {
    let mut tried = 0;
    for body in bodies() {
        let mut places = Vec::new();
        pointers(&body, "", &mut places);
        for place in places.iter().filter(|p| !free(p)) {
            let mut mutated = body.clone();
            mutated.pointer_mut(place).unwrap().as_object_mut().unwrap().insert("bogusProperty".to_owned(), json!(1));
            let findings = check(&mutated);
            one(&findings, FindingKind::UnknownProperty, &format!("{place}/bogusProperty"), None);
            tried += 1;
        }
    }
    assert!(tried >= 35, "{tried}");
}

#[test]
fn no_wrong_type_gets_past() {
    let mut tried = 0;
    for body in bodies() {
        let mut places = Vec::new();
        leaves(&body, "", &mut places);
        let envelope = ["/type", "/apiVersion", "/location"];
        for place in places.iter().filter(|p| !free(p) && !envelope.contains(&p.as_str())) {
            let mut mutated = body.clone();
            *mutated.pointer_mut(place).unwrap() = json!({ "of": { "another": "type" } });
            let findings = check(&mutated);
            assert!(
                findings.iter().any(|f| f.kind == FindingKind::WrongType && f.pointer == *place),
                "{place}: {findings:?}"
            );
            tried += 1;
        }
    }
    assert!(tried >= 50, "{tried}");
}

fn leaves(value: &Value, at: &str, all: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(k, v)| leaves(v, &format!("{at}/{}", escaped(k)), all)),
        Value::Array(list) => list.iter().enumerate().for_each(|(i, v)| leaves(v, &format!("{at}/{i}"), all)),
        _ if at.contains("/dependsOn") => {}
        _ => all.push(at.to_owned()),
    }
}

#[test]
fn an_unknown_type_gives_nothing() {
    assert_eq!(validate("Contoso.Things/gadgets", "2020-01-01", &json!({ "anything": 1 })), []);
}

#[test]
fn a_reference_needs_nothing_and_a_preview_may_know_more() {
    assert_eq!(validate(VMSS, "2025-04-01", &json!({ "type": VMSS, "name": "vmss", "existing": true })), []);
    let groups = "Microsoft.Insights/actionGroups";
    let body = json!({ "type": groups, "name": "ops", "location": "Global",
        "properties": { "groupShortName": "ops", "enabled": true, "incidentReceivers": [] } });
    let severities = |version| validate(groups, version, &body).iter().map(|f| f.severity).collect::<Vec<_>>();
    assert_eq!(severities("2024-10-01-preview"), [FindingSeverity::Warning]);
    assert_eq!(severities("2023-01-01"), [FindingSeverity::Error]);
}

/// A body with everything in it that the type describes and that may be written, nine levels deep.
fn everything(node: &Property, depth: u32) -> Value {
    match node.resolved() {
        PropertyType::Any | PropertyType::Shared(_) => json!({}),
        PropertyType::Bool => json!(true),
        PropertyType::Int(min, max) => json!(min.or(*max).unwrap_or(1)),
        PropertyType::Number(min, max) => json!(min.or(*max).unwrap_or(0.5)),
        // What fits a pattern is not invented: an expression stands in for it.
        PropertyType::String { pattern: Some(_), .. } => json!("[parameters('x')]"),
        PropertyType::String { min, .. } => json!("x".repeat(min.unwrap_or(1))),
        PropertyType::Enum { values, .. } => json!(values.first().cloned().unwrap_or_default()),
        PropertyType::Array { items, min, .. } => {
            let count = min.unwrap_or(0).max(usize::from(depth > 0));
            let element = items.as_ref().map_or(json!({}), |i| everything(i, depth.saturating_sub(1)));
            vec![element; count].into()
        }
        PropertyType::Object(object) => everything_of(object, depth),
    }
}

fn everything_of(object: &Object, depth: u32) -> Value {
    let mut map = Map::new();
    for (name, node) in &object.properties {
        if !node.read_only && (depth > 0 || node.required) {
            map.insert(name.clone(), everything(node, depth.saturating_sub(1)));
        }
    }
    if let Some((name, variants)) = &object.variants {
        let (word, node) = variants.first().unwrap();
        if let Value::Object(own) = everything(node, depth) {
            map.extend(own);
        }
        map.insert(name.clone(), json!(word));
    }
    Value::Object(map)
}

#[test]
fn every_type_takes_what_it_describes_and_nothing_else() {
    let (mut types, mut tried) = (0, 0);
    for name in super::super::known_types() {
        let ty = lookup(name, None).unwrap();
        let PropertyType::Object(root) = ty.root.resolved() else { panic!("{name}") };
        let mut body = everything_of(root, 9);
        body["name"] = json!("[parameters('name')]");
        let findings = validate(name, &ty.api_version, &body);
        assert_eq!(findings, [], "{name}");
        types += 1;
        let mut places = Vec::new();
        pointers(&body, "", &mut places);
        for place in &places {
            let mut mutated = body.clone();
            let map = mutated.pointer_mut(place).unwrap().as_object_mut().unwrap();
            // `{}` stands for what is not described, and for records of any keys.
            if map.is_empty() {
                continue;
            }
            map.insert("bogusProperty".to_owned(), json!({ "x": [1] }));
            let found = validate(name, &ty.api_version, &mutated);
            let here = format!("{place}/bogusProperty");
            let open = super::super::property(name, place)
                .is_some_and(|n| matches!(n.resolved(), PropertyType::Object(o) if o.additional.is_some()));
            assert!(
                open || found.iter().any(|f| f.pointer == here && f.kind == FindingKind::UnknownProperty),
                "{name} {place}"
            );
            tried += 1;
        }
    }
    assert!(types >= 60 && tried > 1_200, "{types} types, {tried} places");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(256))]
    #[test]
    fn nothing_makes_it_panic(
        at in 0usize..60,
        text in "[\\[\\]{}\",:a-z0-9. -]{0,200}",
        key in "[a-zA-Z/~*]{0,12}",
        number in proptest::num::f64::ANY,
    ) {
        let ty = super::super::known_types().nth(at).unwrap();
        let inner = serde_json::from_str::<Value>(&text).unwrap_or(Value::String(text));
        let body = json!({ "name": inner, "properties": { &*key: inner, "x": number }, &*key: [inner, number], "sku": inner });
        let _ = validate(ty, &key, &body);
        let _ = super::super::is_read_only(ty, &format!("/properties/{key}/0"));
        let _ = super::super::list_key(ty, &key);
        let _ = super::super::check_name(ty, &key);
    }
}
