//! Requests that nobody means: odd verbs, paths, queries, headers and bodies get an answer in ARM's form, and the endpoint
//! goes on.

use proptest::prelude::*;
use serde_json::Value;

use super::{Local, body, code};

/// Words of paths as they are, damaged, or made up.
fn segment() -> impl Strategy<Value = String> {
    let words = vec![
        "subscriptions",
        "11111111-1111-4111-8111-111111111111",
        "resourceGroups",
        "rg",
        "providers",
        "Microsoft.Compute",
        "virtualMachineScaleSets",
        "Microsoft.Resources",
        "deployments",
        "d",
        "validate",
        "whatIf",
        "cancel",
        "exportTemplate",
        "operations",
        "operationStatuses",
        "deploymentStacks",
        "deploymentStacksWhatIfResults",
        "Microsoft.Network",
        "virtualNetworks",
        "subnets",
        "Microsoft.Storage",
        "storageAccounts",
        "blobServices",
        "default",
        "containers",
        "immutabilityPolicies",
        "Microsoft.Authorization",
        "locks",
        "roleAssignments",
        "Microsoft.Management",
        "managementGroups",
        "tags",
        "Microsoft.Insights",
        "autoscaleSettings",
        "Microsoft.Batch",
        "batchAccounts",
        "pools",
        "listKeys",
        "instanceView",
        "checkNameAvailability",
        "locations",
        "westeurope",
        "_local",
        "faults",
        "clock",
        "metrics",
        "limits",
        "tenants",
        "metadata",
        "endpoints",
        "oauth2",
        "token",
        "resources",
        "operationresults",
        "Microsoft.KeyVault",
        "vaults",
        "secrets",
    ];
    prop_oneof![
        8 => proptest::sample::select(words).prop_map(str::to_owned),
        1 => "\\PC{0,12}",
        1 => Just("..".to_owned()),
        1 => Just("%2e%00%ff".to_owned()),
    ]
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        proptest::sample::select(vec![
            "westeurope",
            "[reference('x')]",
            "10.0.0.0/8",
            "PT5M",
            "2026-01-01T00:00:00Z",
            "/subscriptions/x",
            "Incremental",
            "delete"
        ])
        .prop_map(Value::from),
    ];
    let keys = vec![
        "properties",
        "location",
        "sku",
        "name",
        "capacity",
        "tags",
        "template",
        "templateLink",
        "parameters",
        "mode",
        "resources",
        "identity",
        "type",
        "virtualMachineProfile",
        "addressSpace",
        "addressPrefixes",
        "subnets",
        "profiles",
        "rules",
        "actionOnUnmanage",
        "denySettings",
        "kind",
        "value",
        "scaleSettings",
        "level",
        "instanceIds",
        "storageProfile",
        "dataDisks",
        "lun",
        "outputs",
        "$schema",
        "uri",
        "advance",
        "now",
        "values",
        "zones",
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((proptest::sample::select(keys.clone()), inner), 0..6).prop_map(|members| {
                Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }),
        ]
    })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => json().prop_map(|value| value.to_string()),
        1 => "\\PC{0,60}",
        1 => (0usize..5000).prop_map(|depth| "[".repeat(depth)),
        1 => (0usize..2000).prop_map(|depth| format!("{{\"properties\":{}1{}}}", "{\"a\":".repeat(depth), "}".repeat(depth))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_request_gets_an_answer(requests in proptest::collection::vec(
        (proptest::sample::select(vec!["GET", "PUT", "PATCH", "POST", "DELETE", "HEAD", "OPTIONS", "QUERY"]), proptest::collection::vec(segment(), 0..12), text(), any::<bool>(), "\\PC{0,20}"),
        1..40,
    )) {
        let local = Local::group();
        for (method, path, sent, rooted, word) in requests {
            let root = if rooted { "{rg}/" } else { "/" };
            let path = format!("{root}{}?api-version=2024-07-01&$filter={word}&$top={word}&$skiptoken={word}", path.join("/"));
            let reply = local.send(method, &path, &sent, &[("if-match", word.as_str()), ("authorization", &format!("Bearer {word}.{word}"))]);
            prop_assert!((100..600).contains(&reply.status), "{reply:?}");
            if reply.status >= 400
                && let Some(answer) = &reply.body
            {
                let said = answer.pointer("/error/code").or_else(|| answer.get("error")).and_then(Value::as_str);
                prop_assert!(said.is_some_and(|code| !code.is_empty()), "{method} {path}: {answer}");
                prop_assert!(reply.status != 500, "{method} {path} {sent}: {answer}");
            }
        }
        prop_assert_eq!(local.get("/_local/status").status, 200);
    }
}

#[test]
fn deep_and_huge_bodies_are_refused() {
    let local = Local::group();
    let thing = "{rg}/Contoso.Things/widgets/w";
    for depth in [200, 100_000] {
        let deep = format!("{{\"properties\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(code(&local.put(thing, &deep)), (400, "InvalidRequestContent"), "{depth}");
        let deployment = format!(
            "{{\"properties\":{{\"mode\":\"Incremental\",\"template\":{}{}}}}}",
            "[".repeat(depth),
            "]".repeat(depth)
        );
        assert_eq!(
            code(&local.put("{rg}/Microsoft.Resources/deployments/d", &deployment)),
            (400, "InvalidRequestContent")
        );
    }
    let big = format!("{{\"properties\":{{\"text\":\"{}\"}}}}", "x".repeat(5 << 20));
    let reply = local.put(
        "{rg}/Microsoft.Resources/deployments/d",
        &format!("{{\"properties\":{{\"mode\":\"Incremental\",\"template\":{big}}}}}"),
    );
    assert_eq!(reply.status, 413, "{:?}", code(&reply));
    assert_eq!(body(&reply)["error"]["code"], "RequestContentTooLarge");
    assert_eq!(code(&local.put(thing, &big)), (413, "RequestContentTooLarge"));
}
