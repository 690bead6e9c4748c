//! Groups, generic resources, lists, locks, preconditions, paging.

use super::{Local, body, code, full, header};

const THING: &str = "{rg}/Contoso.Things/widgets/w1";

#[test]
fn groups_are_made_shown_and_deleted() {
    let local = Local::group();
    let path = "/subscriptions/{sub}/resourcegroups/RG";
    assert_eq!(local.send("HEAD", path, "", &[]).status, 204);
    assert_eq!(body(&local.get(path))["name"], "rg");
    assert_eq!(local.put(path, r#"{"location":"West Europe","tags":{"a":"b"}}"#).status, 200);
    let reply = local.put(path, r#"{"location":"eastus"}"#);
    assert_eq!(code(&reply), (409, "InvalidResourceGroupLocation"));
    let reply = local.send("PATCH", path, r#"{"tags":{"c":"d"}}"#, &[]);
    assert_eq!(body(&reply)["tags"]["c"], "d");
    let reply = local.delete(path);
    assert_eq!(reply.status, 202);
    let poll = header(&reply, "Location").expect("Location").replace(&local.endpoint.base_url, "");
    assert_eq!(local.get(&poll).status, 200);
    assert_eq!(code(&local.get(path)), (404, "ResourceGroupNotFound"));
    assert_eq!(code(&local.put(THING, "{}")), (404, "ResourceGroupNotFound"));
}

#[test]
fn a_type_without_rules_is_stored_as_sent() {
    let local = Local::group();
    let sent = r#"{"location":"westeurope","properties":{"size":3},"name":"other"}"#;
    let reply = local.put(THING, sent);
    assert_eq!(reply.status, 201);
    assert_eq!(body(&reply)["name"], "w1");
    assert_eq!(body(&reply)["id"], full(THING));
    assert_eq!(body(&reply)["properties"]["size"], 3);
    assert_eq!(local.put(THING, r#"{"properties":{"colour":"red"}}"#).status, 200);
    let reply = local.get(&THING.to_uppercase().replace("{RG}", "{rg}"));
    assert!(body(&reply)["properties"].get("size").is_none(), "a PUT replaces");
    let reply = local.send("PATCH", THING, r#"{"properties":{"size":4}}"#, &[]);
    assert_eq!(body(&reply)["properties"]["colour"], "red");
    assert_eq!(local.delete(THING).status, 200);
    assert_eq!(local.delete(THING).status, 204);
    assert_eq!(code(&local.get(THING)), (404, "ResourceNotFound"));
    let reply = local.put("{rg}/Contoso.Things/widgets/none/parts/p", "{}");
    assert_eq!(code(&reply), (404, "ParentResourceNotFound"));
}

#[test]
fn double_slashes_and_broken_bodies() {
    let local = Local::group();
    local.put(THING, "{}");
    assert_eq!(local.get("{rg}/Contoso.Things//widgets/w1").status, 200);
    assert_eq!(code(&local.put(THING, "{oops")), (400, "InvalidRequestContent"));
    assert_eq!(code(&local.put(THING, "[]")), (400, "InvalidRequestContent"));
    assert_eq!(local.get("/nowhere/at/all").status, 404);
}

#[test]
fn every_request_names_a_version() {
    let local = Local::group();
    for (query, want) in [
        ("?api-version=", "MissingApiVersionParameter"),
        ("?api-version=latest", "InvalidApiVersionParameter"),
        ("?api-version=2024-1-1", "InvalidApiVersionParameter"),
    ] {
        assert_eq!(code(&local.put(&format!("{THING}{query}"), "{}")), (400, want));
    }
    assert_eq!(local.put(&format!("{THING}?api-version=2024-01-01-preview"), "{}").status, 201);
}

#[test]
fn conditions_of_requests_are_checked() {
    let local = Local::group();
    let first = local.put(THING, "{}");
    let tag = header(&first, "ETag").expect("tag").to_owned();
    assert_eq!(local.send("PUT", THING, "{}", &[("if-none-match", "*")]).status, 412);
    assert_eq!(local.send("PUT", THING, "{}", &[("if-match", &tag)]).status, 200);
    assert_eq!(code(&local.send("PUT", THING, "{}", &[("if-match", &tag)])), (412, "PreconditionFailed"));
    assert_eq!(local.send("DELETE", THING, "", &[("if-match", &tag)]).status, 412);
}

#[test]
fn locks_forbid_what_they_say() {
    let local = Local::group();
    local.put(THING, "{}");
    let lock = "{rg}/Microsoft.Authorization/locks/keep";
    local.put(lock, r#"{"properties":{"level":"CanNotDelete"}}"#);
    assert_eq!(code(&local.delete(THING)), (409, "ScopeLocked"));
    assert_eq!(code(&local.delete("/subscriptions/{sub}/resourceGroups/rg")), (409, "ScopeLocked"));
    assert_eq!(local.put(THING, "{}").status, 200);
    local.put(lock, r#"{"properties":{"level":"ReadOnly"}}"#);
    assert_eq!(code(&local.put(THING, "{}")), (409, "ScopeLocked"));
    assert_eq!(local.delete(lock).status, 200);
    assert_eq!(local.delete(THING).status, 200);
}

#[test]
fn lists_are_filtered_and_paged() {
    let local = Local::group();
    for n in 0..5 {
        local.put(&format!("{{rg}}/Contoso.Things/widgets/w{n}"), r#"{"location":"westeurope","tags":{"n":"x"}}"#);
    }
    local.put("{rg}/Contoso.Things/boxes/b", r#"{"location":"westeurope"}"#);
    let all = local.get("/subscriptions/{sub}/resources?$filter=resourceType eq 'contoso.things/WIDGETS'");
    assert_eq!(body(&all)["value"].as_array().map(Vec::len), Some(5));
    let mut next = "/subscriptions/{sub}/resourceGroups/rg/resources?$top=4&api-version=2024-11-01".to_owned();
    let mut names = Vec::new();
    loop {
        let page = local.get(&next);
        names.extend(body(&page)["value"].as_array().expect("list").iter().map(|item| item["name"].clone()));
        let Some(link) = body(&page)["nextLink"].as_str() else { break };
        next = link.replace(&local.endpoint.base_url, "");
    }
    assert_eq!(names, ["b", "w0", "w1", "w2", "w3", "w4"]);
    assert_eq!(
        code(&local.get("/subscriptions/{sub}/resources?$filter=name gt 'x'")),
        (400, "InvalidFilterInQueryString")
    );
}

#[test]
fn tags_of_a_scope() {
    let local = Local::group();
    local.put(THING, r#"{"tags":{"a":"1","b":"2"}}"#);
    let path = format!("{THING}/providers/Microsoft.Resources/tags/default");
    let reply = local.send("PATCH", &path, r#"{"operation":"Delete","properties":{"tags":{"a":"1"}}}"#, &[]);
    assert_eq!(body(&reply)["properties"]["tags"], serde_json::json!({ "b": "2" }));
    local.send("PATCH", &path, r#"{"operation":"Merge","properties":{"tags":{"c":"3"}}}"#, &[]);
    assert_eq!(body(&local.get(THING))["tags"], serde_json::json!({ "b": "2", "c": "3" }));
}
