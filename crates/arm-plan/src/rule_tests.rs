//! For each rule a difference that it holds back, and next to it one that the service would act on and that must be seen.

use super::*;
use serde_json::{Value, json};

const GROUP: &str = "/subscriptions/s/resourceGroups/g/providers";

fn body(kind: &str, rest: Value) -> Value {
    let name = vec!["one"; kind.matches('/').count()].join("/");
    let mut body = json!({ "id": resource_id(GROUP.trim_end_matches("/providers"), kind, &name) });
    body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    body
}

/// Rules that spoke and paths that are changed.
fn plan(kind: &str, wanted: Value, found: Value) -> (Vec<SuppressionRule>, Vec<String>) {
    let desired = Desired::from_resources(&[body(kind, wanted)]);
    let observed = Observed::of(&[body(kind, found)], vec![]);
    let plan = diff(&desired, &observed, &DiffOptions::default());
    let rules = plan.suppressed.iter().map(|s| s.rule).collect();
    (rules, plan.changes.iter().flat_map(|c| &c.attributes).map(|a| a.path.clone()).collect())
}

#[track_caller]
fn quiet(rule: SuppressionRule, kind: &str, wanted: Value, found: Value) {
    let (rules, changes) = plan(kind, wanted, found);
    assert_eq!(changes, Vec::<String>::new());
    assert!(rules.contains(&rule), "{rules:?}");
}

#[track_caller]
fn seen(kind: &str, wanted: Value, found: Value) {
    let (rules, changes) = plan(kind, wanted, found);
    assert!(!changes.is_empty(), "held back by {rules:?}");
}

const VMSS: &str = "Microsoft.Compute/virtualMachineScaleSets";
const STORAGE: &str = "Microsoft.Storage/storageAccounts";
const NETWORK: &str = "Microsoft.Network/virtualNetworks";
const GROUP_OF_RULES: &str = "Microsoft.Network/networkSecurityGroups";
const AUTOSCALE: &str = "Microsoft.Insights/autoscaleSettings";
const POOL: &str = "Microsoft.Batch/batchAccounts/pools";
const PEERING: &str = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings";
const UNKNOWN: &str = "Foo.Bar/baz";

#[test]
fn read_only() {
    let found = json!({ "properties": { "provisioningState": "Succeeded", "primaryEndpoints": { "file": "x" }, "minimumTlsVersion": "TLS1_2" } });
    quiet(
        SuppressionRule::ReadOnly,
        STORAGE,
        json!({ "properties": { "minimumTlsVersion": "TLS1_2" } }),
        found.clone(),
    );
    seen(STORAGE, json!({ "properties": { "minimumTlsVersion": "TLS1_3" } }), found);
}

#[test]
fn service_default() {
    quiet(
        SuppressionRule::ServiceDefault,
        VMSS,
        json!({ "properties": {} }),
        json!({ "properties": { "overprovision": true } }),
    );
    quiet(
        SuppressionRule::ServiceDefault,
        VMSS,
        json!({ "properties": { "overprovision": true } }),
        json!({ "properties": {} }),
    );
    seen(VMSS, json!({ "properties": { "overprovision": false } }), json!({ "properties": {} }));
    seen(VMSS, json!({ "properties": { "overprovision": false } }), json!({ "properties": { "overprovision": true } }));
    // Whether `true` is the default of an old account or not is not known: what the source says is shown.
    let public = json!({ "properties": { "allowBlobPublicAccess": true } });
    seen(STORAGE, public, json!({ "properties": {} }));
}

#[test]
fn service_filled() {
    let resource =
        |n: u64| body(VMSS, json!({ "properties": { "priorityMixPolicy": { "baseRegularPriorityCount": n } } }));
    let desired = Desired::from_resources(&[body(VMSS, json!({ "properties": {} }))]);
    let state = |n| Observed::of(&[resource(n)], vec![]);
    let options =
        DiffOptions { baseline: Some(Baseline::record(&desired, &state(3), "salt")), ..DiffOptions::default() };
    let quiet = diff(&desired, &state(3), &options);
    assert!(quiet.is_empty() && quiet.suppressed.iter().any(|s| s.rule == SuppressionRule::ServiceFilled));
    assert!(!diff(&desired, &state(4), &options).is_empty());
}

#[test]
fn letter_case() {
    quiet(SuppressionRule::LetterCase, STORAGE, json!({ "location": "West US 2" }), json!({ "location": "westus2" }));
    quiet(
        SuppressionRule::LetterCase,
        STORAGE,
        json!({ "sku": { "name": "standard_lrs" } }),
        json!({ "sku": { "name": "Standard_LRS" } }),
    );
    seen(STORAGE, json!({ "location": "westus2" }), json!({ "location": "westus3" }));
    seen(STORAGE, json!({ "tags": { "location": "West US 2" } }), json!({ "tags": { "location": "westus2" } }));
    seen(
        UNKNOWN,
        json!({ "properties": { "dataLocation": "/Data" } }),
        json!({ "properties": { "dataLocation": "/data" } }),
    );
    seen(STORAGE, json!({ "tags": { "team": "A" } }), json!({ "tags": { "team": "a" } }));
    let user =
        |name: &str| json!({ "properties": { "virtualMachineProfile": { "osProfile": { "adminUsername": name } } } });
    seen(VMSS, user("Ann"), user("ann"));
}

#[test]
fn line_ends() {
    let formula = |text: &str| json!({ "properties": { "scaleSettings": { "autoScale": { "formula": text } } } });
    let (unix, windows) = ("a = 1;\n$TargetDedicatedNodes = a;\n", "a = 1;\r\n$TargetDedicatedNodes = a;");
    quiet(SuppressionRule::LineEnds, POOL, formula(unix), formula(windows));
    seen(POOL, formula(unix), formula("a = 1;\n\n$TargetDedicatedNodes = a;"));
    let command = |text: &str| json!({ "properties": { "startTask": { "commandLine": text } } });
    seen(POOL, command("a\n"), command("a"));
}

#[test]
fn id_case() {
    let link = |id: &str| json!({ "properties": { "targetResourceUri": id } });
    let id = format!("{GROUP}/{VMSS}/team");
    quiet(SuppressionRule::IdCase, AUTOSCALE, link(&id), link(&id.to_uppercase()));
    seen(AUTOSCALE, link(&id), link(&id.replace("/team", "/team2")));
    seen(AUTOSCALE, link(&id), link(&id.replace("subscriptions/s", "subscriptions/t")));
}

#[test]
fn set_like_list() {
    let space = |list: &[&str]| json!({ "properties": { "addressSpace": { "addressPrefixes": list } } });
    quiet(
        SuppressionRule::SetLikeList,
        NETWORK,
        space(&["10.0.0.0/16", "10.1.0.0/16"]),
        space(&["10.1.0.0/16", "10.0.0.0/16"]),
    );
    seen(NETWORK, space(&["10.0.0.0/16", "10.0.0.0/16"]), space(&["10.0.0.0/16", "10.1.0.0/16"]));
    seen(NETWORK, space(&["10.0.0.0/16"]), space(&["10.0.0.0/16", "10.1.0.0/16"]));
    // Where the order says something it counts.
    let packages = |list: &[&str]| json!({ "properties": { "list": list } });
    seen(UNKNOWN, packages(&["a", "b"]), packages(&["b", "a"]));
}

#[test]
fn write_only() {
    let machine = |data: &str| json!({ "properties": { "virtualMachineProfile": { "osProfile": { "customData": data, "computerNamePrefix": "t" } } } });
    let shown = json!({ "properties": { "virtualMachineProfile": { "osProfile": { "computerNamePrefix": "t" } } } });
    quiet(SuppressionRule::WriteOnly, VMSS, machine("one"), shown.clone());
    let desired = |data: &str| Desired::from_resources(&[body(VMSS, machine(data))]);
    let state = Observed::of(&[body(VMSS, shown)], vec![]);
    let baseline = Baseline::record(&desired("one"), &state, "salt");
    let options = DiffOptions { baseline: Some(baseline), ..DiffOptions::default() };
    assert!(diff(&desired("one"), &state, &options).is_empty());
    assert!(!diff(&desired("two"), &state, &options).is_empty());
    // Without a record nothing can be told, and that is said.
    let blind = diff(&desired("two"), &state, &DiffOptions::default());
    assert_eq!(blind.warnings.iter().map(|w| w.kind).collect::<Vec<_>>(), [WarningKind::SecretNotCompared]);
}

#[test]
fn empty_vs_absent() {
    quiet(
        SuppressionRule::EmptyVsAbsent,
        STORAGE,
        json!({ "properties": { "networkAcls": { "ipRules": [] } } }),
        json!({ "properties": {} }),
    );
    let rules = |list: Value| json!({ "properties": { "securityRules": list } });
    seen(GROUP_OF_RULES, rules(json!([])), rules(json!([{ "name": "ssh", "properties": { "priority": 100 } }])));
    // An entry is there or not, whatever is in it: an identity is given by `{}`.
    let id = |name: &str| format!("{GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/{name}");
    let given = |names: &[&str]| {
        let entries: serde_json::Map<_, _> = names.iter().map(|n| (id(n), json!({}))).collect();
        json!({ "identity": { "type": "UserAssigned", "userAssignedIdentities": entries } })
    };
    let held = |names: &[&str]| {
        let entries: serde_json::Map<_, _> =
            names.iter().map(|n| (id(n), json!({ "principalId": "p", "clientId": "c" }))).collect();
        json!({ "identity": { "type": "UserAssigned", "userAssignedIdentities": entries } })
    };
    for kind in [VMSS, POOL, UNKNOWN] {
        quiet(SuppressionRule::ReadOnly, kind, given(&["a"]), held(&["a"]));
        seen(kind, given(&["a", "b"]), held(&["a"]));
        seen(kind, given(&["a"]), held(&["a", "b"]));
        seen(kind, given(&["b"]), held(&["a"]));
    }
}

#[test]
fn newer_api_only() {
    quiet(
        SuppressionRule::NewerApiOnly,
        VMSS,
        json!({ "properties": {} }),
        json!({ "properties": { "somethingNew": 1 } }),
    );
    seen(VMSS, json!({ "properties": { "somethingNew": 2 } }), json!({ "properties": { "somethingNew": 1 } }));
    seen(VMSS, json!({ "properties": { "somethingNew": 2 } }), json!({ "properties": {} }));
}

#[test]
fn owned_by_autoscale() {
    let pool = |n: u64| body(VMSS, json!({ "sku": { "name": "Standard_D4s_v5", "capacity": n } }));
    let setting = |enabled: bool| {
        let profile = json!({ "name": "p", "capacity": { "minimum": "1", "maximum": "9", "default": "1" } });
        body(
            AUTOSCALE,
            json!({ "properties": { "enabled": enabled, "targetResourceUri": format!("{GROUP}/{VMSS}/one"), "profiles": [profile] } }),
        )
    };
    let plan = |enabled: bool, size: &str| {
        let mut wanted = pool(2);
        wanted["sku"]["name"] = json!(size);
        let desired = Desired::from_resources(&[wanted, setting(enabled)]);
        diff(&desired, &Observed::of(&[pool(5), setting(enabled)], vec![]), &DiffOptions::default())
    };
    assert!(plan(true, "Standard_D4s_v5").is_empty());
    assert!(!plan(true, "Standard_D8s_v5").is_empty());
    let off = plan(false, "Standard_D4s_v5");
    assert_eq!(off.changes[0].attributes[0].path, "sku.capacity");
}

#[test]
fn policy_added() {
    let extension =
        |publisher: &str, kind: &str| json!({ "name": kind, "properties": { "publisher": publisher, "type": kind } });
    let with = |list: Vec<Value>| json!({ "properties": { "virtualMachineProfile": { "extensionProfile": { "extensions": list } } } });
    let own = extension("Microsoft.ManagedServices", "ApplicationHealthLinux");
    let policy = extension("Microsoft.GuestConfiguration", "ConfigurationforLinux");
    quiet(SuppressionRule::PolicyAdded, VMSS, with(vec![own.clone()]), with(vec![own.clone(), policy.clone()]));
    let stranger = extension("Example", "Miner");
    seen(VMSS, with(vec![own.clone()]), with(vec![own.clone(), stranger]));
    seen(VMSS, with(vec![own.clone()]), with(vec![policy]));
}

#[test]
fn duration() {
    let rest =
        |text: &str| json!({ "properties": { "automaticRepairsPolicy": { "enabled": true, "gracePeriod": text } } });
    quiet(SuppressionRule::Duration, VMSS, rest("PT60M"), rest("PT1H"));
    seen(VMSS, rest("PT61M"), rest("PT1H"));
    // A text that only looks like a length of time is a text.
    let text = |text: &str| json!({ "properties": { "virtualMachineProfile": { "osProfile": { "computerNamePrefix": text } } } });
    seen(VMSS, text("PT60M"), text("PT1H"));
}

#[test]
fn number_as_string() {
    let most = |n: Value| json!({ "properties": { "profiles": [{ "name": "p", "capacity": { "maximum": n } }] } });
    quiet(SuppressionRule::NumberAsString, AUTOSCALE, most(json!("10")), most(json!(10)));
    seen(AUTOSCALE, most(json!("10")), most(json!(11)));
    seen(AUTOSCALE, most(json!("10")), most(json!("010")));
    let large = |n: u64| json!({ "properties": { "number": n } });
    seen(UNKNOWN, large(9_007_199_254_740_993), large(9_007_199_254_740_992));
}

#[test]
fn boolean_as_string() {
    let https = |on: Value| json!({ "properties": { "supportsHttpsTrafficOnly": on } });
    quiet(SuppressionRule::BooleanAsString, STORAGE, https(json!("true")), https(json!(true)));
    quiet(SuppressionRule::BooleanAsString, STORAGE, https(json!("False")), https(json!(false)));
    seen(STORAGE, https(json!("false")), https(json!(true)));
    seen(STORAGE, https(json!("yes")), https(json!(true)));
    // What people wrote themselves is compared as it stands.
    seen(VMSS, json!({ "tags": { "a": "true" } }), json!({ "tags": { "a": true } }));
    // A default is one in either spelling.
    let batch = |over: Value| json!({ "properties": { "overprovision": over, "x": { "y": 1 } } });
    quiet(SuppressionRule::ServiceDefault, VMSS, batch(json!("true")), json!({ "properties": { "x": { "y": 1 } } }));
}

#[test]
fn not_on_children() {
    let placed = |more: Value| {
        let mut body = json!({ "properties": { "x": 1 } });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let region = json!({ "location": "westeurope" });
    quiet(SuppressionRule::NotOnChildren, PEERING, placed(region.clone()), placed(json!({})));
    quiet(SuppressionRule::NotOnChildren, PEERING, placed(json!({ "tags": { "a": "b" } })), placed(json!({})));
    // A child that shows a region has one.
    seen(PEERING, placed(region), placed(json!({ "location": "eastus" })));
    // A resource of its own has one in any case.
    seen(UNKNOWN, placed(json!({ "location": "westeurope" })), placed(json!({})));
}

#[test]
fn declared_apart() {
    let subnet = |name: &str| json!({ "name": name, "properties": { "addressPrefix": "10.0.0.0/24" } });
    quiet(
        SuppressionRule::DeclaredApart,
        NETWORK,
        json!({ "properties": {} }),
        json!({ "properties": { "subnets": [subnet("a")] } }),
    );
    let listed = json!({ "properties": { "subnets": [subnet("a")] } });
    seen(NETWORK, listed, json!({ "properties": { "subnets": [subnet("a"), subnet("b")] } }));
}

#[test]
fn unknown_type() {
    quiet(SuppressionRule::UnknownType, UNKNOWN, json!({ "properties": {} }), json!({ "properties": { "x": 1 } }));
    seen(UNKNOWN, json!({ "properties": { "x": 2 } }), json!({ "properties": { "x": 1 } }));
    seen(UNKNOWN, json!({ "tags": {} }), json!({ "tags": { "x": "1" } }));
}

/// Each rule has its test here, by name.
#[test]
fn every_rule_is_tried() {
    let text = include_str!("rule_tests.rs");
    for rule in SuppressionRule::ALL {
        let name = rule.name().replace('-', "_");
        assert!(text.contains(&format!("fn {name}()")), "{name}");
    }
}

/// What a change means, for pools of every service.
#[test]
fn effects_of_pools_and_shares() {
    let change = |kind: &str, wanted: Value, found: Value| {
        let desired = Desired::from_resources(&[body(kind, wanted)]);
        let observed = Observed::of(&[body(kind, found)], vec![]);
        diff(&desired, &observed, &DiffOptions::default()).changes.remove(0)
    };
    let fixed = |n: u64| json!({ "properties": { "vmSize": "a", "scaleSettings": { "fixedScale": { "targetDedicatedNodes": n } } } });
    let down = change(POOL, fixed(2), fixed(5));
    assert_eq!((down.effect.kind, down.effect.machines), (EffectKind::ScalesIn, Some(3)));
    assert_eq!(change(POOL, fixed(7), fixed(5)).effect.kind, EffectKind::ScalesOut);
    let sized = |size: &str| json!({ "properties": { "vmSize": size, "currentDedicatedNodes": 2, "currentLowPriorityNodes": 4 } });
    let busy = change(POOL, sized("Standard_D4s_v5"), sized("Standard_D8s_v5"));
    assert_eq!((busy.action, busy.effect.kind), (Action::Refuse, EffectKind::NeedsEmptyPool));
    assert_eq!(busy.effect.property.as_deref(), Some("properties.vmSize"));
    assert!(busy.effect.text.contains("6 nodes") && busy.effect.way_out.is_some(), "{:?}", busy.effect);
    let empty = |size: &str| json!({ "properties": { "vmSize": size } });
    assert_eq!(change(POOL, empty("Standard_D4s_v5"), empty("Standard_D8s_v5")).effect.kind, EffectKind::InPlace);
    let start = |line: &str| json!({ "properties": { "startTask": { "commandLine": line } } });
    assert_eq!(change(POOL, start("b"), start("a")).effect.kind, EffectKind::WhenRebooted);
    const COMPUTE: &str = "Microsoft.MachineLearningServices/workspaces/computes";
    let cluster = |priority: &str, most: u64| {
        let scale = json!({ "minNodeCount": 0, "maxNodeCount": most });
        json!({ "properties": { "computeType": "AmlCompute", "properties": { "vmPriority": priority, "scaleSettings": scale } } })
    };
    assert_eq!(change(COMPUTE, cluster("Dedicated", 4), cluster("LowPriority", 4)).action, Action::Replace);
    let more = change(COMPUTE, cluster("Dedicated", 8), cluster("Dedicated", 4));
    assert_eq!((more.action, more.effect.kind), (Action::Update, EffectKind::InPlace));
    const SHARE: &str = "Microsoft.Storage/storageAccounts/fileServices/shares";
    let share = |n: u64| json!({ "properties": { "shareQuota": n } });
    assert!(change(SHARE, share(200), share(100)).effect.text.contains("grows to 200 GiB"));
    assert!(change(SHARE, share(50), share(100)).effect.text.contains("shrinks to 50 GiB"));
    let balancer = |sku: &str| json!({ "sku": { "name": sku } });
    let kinds = ["Microsoft.Network/loadBalancers", "Microsoft.Network/publicIPAddresses"];
    let [balancer, address] = kinds.map(|kind| change(kind, balancer("Standard"), balancer("Basic")));
    assert_eq!(balancer.action, Action::Replace);
    // What nothing confirms is said, and replaces nothing.
    assert_eq!((address.action, address.effect.kind), (Action::Update, EffectKind::NotKnown));
    assert!(address.effect.text.starts_with("not confirmed by Azure's documents: "), "{}", address.effect.text);
    let account = change(STORAGE, json!({ "kind": "FileStorage" }), json!({ "kind": "StorageV2" }));
    assert_eq!((account.action, account.effect.kind), (Action::Replace, EffectKind::DeletesData));
}

/// An address says nothing of its allocation: Azure holds `Static` for Standard ones, `Dynamic` for those that were Basic.
#[test]
fn the_allocation_of_an_address_follows_its_sku() {
    const ADDRESS: &str = "Microsoft.Network/publicIPAddresses";
    for held in ["Static", "Dynamic"] {
        let found = json!({ "sku": { "name": "Standard" }, "properties": { "publicIPAllocationMethod": held } });
        quiet(SuppressionRule::ServiceDefault, ADDRESS, json!({ "sku": { "name": "Standard" } }), found.clone());
        let other = if held == "Static" { "Dynamic" } else { "Static" };
        let wanted = json!({ "sku": { "name": "Standard" }, "properties": { "publicIPAllocationMethod": other } });
        seen(ADDRESS, wanted, found);
    }
}

/// A scale set gets zones while it runs and loses none; what is in the network has its zones for good.
#[test]
fn zones_that_go_need_a_new_resource() {
    let action = |kind: &str, wanted: Value, found: Value| {
        let zones = |zones: Value| body(kind, if zones.is_null() { json!({}) } else { json!({ "zones": zones }) });
        let desired = Desired::from_resources(&[zones(wanted)]);
        diff(&desired, &Observed::of(&[zones(found)], vec![]), &DiffOptions::default()).changes[0].action
    };
    let (one, two, none) = (json!(["1"]), json!(["1", "2"]), Value::Null);
    assert_eq!(action(VMSS, two.clone(), one.clone()), Action::Update);
    assert_eq!(action(VMSS, one.clone(), none.clone()), Action::Update);
    assert_eq!(action(VMSS, json!(["2", "1"]), two.clone()), Action::NoChange);
    for wanted in [one.clone(), json!(["2", "3"]), none.clone()] {
        assert_eq!(action(VMSS, wanted, two.clone()), Action::Replace);
    }
    for kind in ["Microsoft.Network/publicIPAddresses", "Microsoft.Network/natGateways"] {
        for (wanted, found) in [(&one, &two), (&two, &one), (&none, &two), (&one, &none)] {
            assert_eq!(action(kind, wanted.clone(), found.clone()), Action::Replace, "{kind} {wanted} {found}");
        }
        assert_eq!(action(kind, json!(["2", "1"]), two.clone()), Action::NoChange);
    }
}
