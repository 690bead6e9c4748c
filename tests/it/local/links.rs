//! Templates that stand elsewhere: on a server of this machine, in the project, in a template specification.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, Sender, channel};

use arm_local::Options;
use serde_json::{Value, json};

use super::{Local, body, code};

const DEPLOYMENT: &str = "{rg}/Microsoft.Resources/deployments/d";

fn template(resources: Value) -> Value {
    json!({ "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
        "parameters": { "size": { "type": "int", "defaultValue": 1 } }, "resources": resources,
        "outputs": { "size": { "type": "int", "value": "[parameters('size')]" } } })
}

fn widget(name: &str) -> Value {
    json!({ "type": "Contoso.Things/widgets", "apiVersion": "2024-01-01", "name": name, "location": "westeurope",
        "properties": { "size": "[parameters('size')]" } })
}

fn nested(name: &str, link: Value, parameters: Value) -> Value {
    json!({ "type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": name,
        "properties": { "mode": "Incremental", "templateLink": link, "parameters": parameters } })
}

/// A server of a few files on loopback; it ends with the test process.
fn serve(files: Vec<(&'static str, String)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut head = [0; 2048];
            let count = stream.read(&mut head).unwrap_or(0);
            let text = String::from_utf8_lossy(&head[..count]).into_owned();
            let path =
                text.split_whitespace().nth(1).unwrap_or_default().split('?').next().unwrap_or_default().to_owned();
            let answer = match files.iter().find(|(name, _)| *name == path) {
                Some((_, content)) => format!("HTTP/1.0 200 OK\r\n\r\n{content}"),
                None => "HTTP/1.0 404 Not Found\r\n\r\n".to_owned(),
            };
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    address
}

fn deploy(local: &Local, properties: Value) -> Value {
    let reply = local.put(DEPLOYMENT, &json!({ "properties": properties }).to_string());
    assert!([200, 201].contains(&reply.status), "{reply:?}");
    for _ in 0..40_000 {
        let record = body(&local.get(DEPLOYMENT)).clone();
        if ["Succeeded", "Failed"].contains(&record["properties"]["provisioningState"].as_str().unwrap_or_default()) {
            return record;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("the deployment does not end");
}

#[test]
fn links_lead_to_a_server_of_this_machine() {
    let local = Local::group();
    let files = vec![
        (
            "/t/main.json",
            template(json!([
                widget("top"),
                nested("inside", json!({ "relativePath": "parts/one.json" }), json!({ "size": { "value": 7 } }))
            ]))
            .to_string(),
        ),
        (
            "/t/parts/one.json",
            template(json!([widget("one"), nested("deeper", json!({ "relativePath": "../two.json" }), json!({}))]))
                .to_string(),
        ),
        ("/t/two.json", template(json!([widget("two")])).to_string()),
        (
            "/t/values.json",
            json!({ "$schema": "x", "contentVersion": "1.0.0.0", "parameters": { "size": { "value": 5 } } })
                .to_string(),
        ),
    ];
    let base = serve(files);
    let record = deploy(
        &local,
        json!({ "mode": "Incremental", "templateLink": { "uri": format!("{base}/t/main.json"), "queryString": "sig=hidden" },
        "parametersLink": { "uri": format!("{base}/t/values.json") } }),
    );
    assert_eq!(record["properties"]["provisioningState"], "Succeeded", "{record}");
    assert_eq!(record["properties"]["templateLink"], json!({ "uri": format!("{base}/t/main.json") }));
    let size =
        |name: &str| body(&local.get(&format!("{{rg}}/Contoso.Things/widgets/{name}")))["properties"]["size"].clone();
    assert_eq!((size("top"), size("one"), size("two")), (json!(5), json!(7), json!(1)));
    assert_eq!(
        body(&local.get("{rg}/Microsoft.Resources/deployments/inside"))["properties"]["templateLink"]["relativePath"],
        "parts/one.json"
    );
    let missing = json!({ "properties": { "mode": "Incremental", "templateLink": { "uri": format!("{base}/none.json?sig=hidden") } } });
    let reply = local.put(DEPLOYMENT, &missing.to_string());
    assert_eq!(code(&reply), (400, "InvalidContentLink"));
    let said = body(&reply).to_string();
    assert!(said.contains("answered 404") && !said.contains("hidden"), "{said}");
}

#[test]
fn an_address_can_be_made_by_the_deployment_itself() {
    let local = Local::group();
    let base = serve(vec![("/one.json", template(json!([widget("late")])).to_string())]);
    let mut holder = widget("holder");
    holder["properties"] = json!({ "address": format!("{base}/one.json") });
    let mut late = nested(
        "late",
        json!({ "uri": "[reference(resourceId('Contoso.Things/widgets', 'holder'), '2024-01-01').address]" }),
        json!({}),
    );
    late["dependsOn"] = json!(["holder"]);
    let record = deploy(&local, json!({ "mode": "Incremental", "template": template(json!([holder, late])) }));
    assert_eq!(record["properties"]["provisioningState"], "Succeeded", "{record}");
    assert_eq!(local.get("{rg}/Contoso.Things/widgets/late").status, 200);
}

#[test]
fn nothing_beyond_this_machine_is_asked() {
    let local = Local::group();
    for uri in [
        "https://raw.githubusercontent.com/a/b/main/azuredeploy.json",
        "http://example.com/t.json",
        "http://127.0.0.1.example.com/t.json",
        "ftp://localhost/t",
        "file:///etc/passwd",
        "not an address",
    ] {
        let ask = json!({ "properties": { "mode": "Incremental", "templateLink": { "uri": uri } } });
        let reply = local.post(&format!("{DEPLOYMENT}/validate"), &ask.to_string());
        assert_eq!(code(&reply), (400, "InvalidContentLink"), "{uri}");
        let ask = json!({ "properties": { "mode": "Incremental", "template": template(json!([nested("n", json!({ "uri": uri }), json!({}))])) } });
        assert_eq!(code(&local.put(DEPLOYMENT, &ask.to_string())), (400, "InvalidContentLink"), "{uri}");
    }
    let both = json!({ "properties": { "mode": "Incremental", "template": template(json!([])), "templateLink": { "uri": "http://localhost:1/t" } } });
    assert_eq!(code(&local.put(DEPLOYMENT, &both.to_string())), (400, "InvalidDeployment"));
}

#[test]
fn files_of_the_project_are_read_and_no_others() {
    let project = tempfile::tempdir().expect("a folder");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let text = template(json!([widget("filed")])).to_string();
    std::fs::write(project.path().join("t.json"), &text).expect("written");
    std::fs::write(elsewhere.path().join("t.json"), &text).expect("written");
    let local = Local::with(Options { state: Some(project.path().join(".dsvmc/local")), ..Options::default() });
    local.put("/subscriptions/{sub}/resourceGroups/rg", r#"{"location":"westeurope"}"#);
    let link = |folder: &std::path::Path| json!({ "mode": "Incremental", "templateLink": { "uri": format!("file://{}/t.json", folder.display()) } });
    assert_eq!(deploy(&local, link(project.path()))["properties"]["provisioningState"], "Succeeded");
    let reply = local.put(DEPLOYMENT, &json!({ "properties": link(elsewhere.path()) }).to_string());
    assert_eq!(code(&reply), (400, "InvalidContentLink"));
}

#[test]
fn template_specs_are_followed_with_their_parts() {
    let local = Local::group();
    let main = template(json!([widget("main"), nested("part", json!({ "relativePath": "parts/a.json" }), json!({}))]));
    let spec = "{rg}/Microsoft.Resources/templateSpecs/pool";
    assert_eq!(local.put(spec, r#"{"location":"westeurope"}"#).status, 201);
    let version = json!({ "location": "westeurope", "properties": { "mainTemplate": main,
        "linkedTemplates": [{ "path": "parts/a.json", "template": template(json!([widget("part")])) }] } });
    assert_eq!(local.put(&format!("{spec}/versions/1.0"), &version.to_string()).status, 201);
    let id = super::full(&format!("{spec}/versions/1.0"));
    let record = deploy(
        &local,
        json!({ "mode": "Incremental", "templateLink": { "id": id }, "parameters": { "size": { "value": 3 } } }),
    );
    assert_eq!(record["properties"]["provisioningState"], "Succeeded", "{record}");
    assert_eq!(body(&local.get("{rg}/Contoso.Things/widgets/main"))["properties"]["size"], 3);
    assert_eq!(local.get("{rg}/Contoso.Things/widgets/part").status, 200);
    let none = json!({ "properties": { "mode": "Incremental", "templateLink": { "id": id.replace("1.0", "2.0") } } });
    assert_eq!(code(&local.put(DEPLOYMENT, &none.to_string())), (400, "InvalidContentLink"));
}

/// A server that answers each request only when it is told to.
struct Slow {
    address: String,
    /// Told of each request, by the server, and of the end, by whom the requests are made for.
    tell: Sender<bool>,
    asked: Receiver<bool>,
    release: Sender<()>,
}

fn slow(content: String) -> Slow {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("address"));
    let (tell, asked) = channel();
    let (release, released) = channel();
    let server = tell.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let _ = stream.read(&mut [0; 2048]);
            if server.send(true).is_err() || released.recv().is_err() {
                return;
            }
            let _ = stream.write_all(format!("HTTP/1.0 200 OK\r\n\r\n{content}").as_bytes());
        }
    });
    Slow { address, tell, asked, release }
}

#[test]
fn a_slow_server_of_a_link_delays_nobody_else() {
    let local = Local::group();
    let server = slow(template(json!([widget("linked")])).to_string());
    let main = template(json!([nested("inside", json!({ "uri": format!("{}/t.json", server.address) }), json!({}))]));
    let deployment = json!({ "mode": "Incremental", "template": main });
    let sent = json!({ "properties": deployment }).to_string();
    let stack = json!({ "properties": { "template": main, "actionOnUnmanage": { "resources": "delete" },
        "denySettings": { "mode": "none" } } })
    .to_string();
    let stacks = "{rg}/Microsoft.Resources/deploymentStacks/s";
    let post = |path: String, sent: &str| assert!([200, 202].contains(&local.post(&path, sent).status), "{path}");
    let requests: [(&str, &(dyn Fn() + Sync)); 5] = [
        ("validate", &|| post(format!("{DEPLOYMENT}/validate"), &sent)),
        ("what-if", &|| post(format!("{DEPLOYMENT}/whatIf"), &sent)),
        ("create", &|| drop(deploy(&local, deployment.clone()))),
        ("stack-validate", &|| post(format!("{stacks}/validate"), &stack)),
        ("stack", &|| {
            assert_eq!(local.put(stacks, &stack).status, 201);
            while !["succeeded", "failed"]
                .contains(&body(&local.get(stacks))["properties"]["provisioningState"].as_str().unwrap_or_default())
            {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        }),
    ];
    for (name, request) in requests {
        let mut downloads = 0;
        std::thread::scope(|scope| {
            let tell = server.tell.clone();
            scope.spawn(move || {
                request();
                tell.send(false).expect("the test waits");
            });
            while server.asked.recv().expect("the server or the end") {
                // the server waits, and others read and write
                let group = format!("/subscriptions/{{sub}}/resourceGroups/{name}-{downloads}");
                assert_eq!(local.put(&group, r#"{"location":"westeurope"}"#).status, 201);
                assert_eq!(local.get(&group).status, 200);
                downloads += 1;
                server.release.send(()).expect("the server waits");
            }
        });
        assert!(downloads > 0, "{name}");
    }
    assert_eq!(local.get("{rg}/Contoso.Things/widgets/linked").status, 200);
    assert_eq!(body(&local.get(stacks))["properties"]["provisioningState"], "succeeded");
}
