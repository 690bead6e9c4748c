//! Finds the definitions in a file: by their ARM type where it is given, else by their properties.

use serde_json::{Map, Value as Json};

/// What is defined. In the order in which they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A single-machine NFS server.
    FileServer,
    /// A cluster, which becomes a pool.
    Cluster,
    /// A job, which becomes a `job` of a pool.
    Job,
}

/// A definition that was found in a file.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Whether it is a cluster, a file server or a job.
    pub kind: Kind,
    /// Its name, or the name of its file.
    pub name: String,
    /// Its JSON, the `properties` lifted up.
    pub body: Json,
}

/// All definitions of a file.
pub fn definitions(file: &str, json: &Json) -> Vec<Definition> {
    let mut found = Vec::new();
    visit(file, json, "", &mut found);
    found
}

fn visit(file: &str, json: &Json, outer_type: &str, found: &mut Vec<Definition>) {
    match json {
        Json::Array(list) => list.iter().for_each(|item| visit(file, item, outer_type, found)),
        Json::Object(map) => {
            let own = map.get("type").and_then(Json::as_str).unwrap_or("").to_ascii_lowercase();
            // A nested resource of a template names only the last part of its type.
            let full = match (own.contains('/'), outer_type.is_empty()) {
                (false, false) if !own.is_empty() => format!("{outer_type}/{own}"),
                _ => own,
            };
            if let Some(kind) = kind_of_type(&full).or_else(|| if full.is_empty() { kind_of_shape(map) } else { None })
            {
                found.push(Definition { kind, name: name_of(file, map), body: lifted(map) });
            }
            if let Some(resources) = map.get("resources") {
                visit(file, resources, &full, found);
            }
        }
        _ => {}
    }
}

fn kind_of_type(full: &str) -> Option<Kind> {
    let rest = full.strip_prefix("microsoft.batchai/")?;
    match rest.rsplit('/').next()? {
        "clusters" => Some(Kind::Cluster),
        "fileservers" => Some(Kind::FileServer),
        "jobs" => Some(Kind::Job),
        _ => None,
    }
}

fn kind_of_shape(map: &Map<String, Json>) -> Option<Kind> {
    let schema = map.get("$schema").and_then(Json::as_str).unwrap_or("");
    match schema.rsplit('/').next() {
        Some("cluster.json") => return Some(Kind::Cluster),
        Some("nfs.json") => return Some(Kind::FileServer),
        Some("job.json") => return Some(Kind::Job),
        _ => {}
    }
    let properties = map.get("properties").and_then(Json::as_object);
    let has = |name: &str| {
        let inside = |m: &Map<String, Json>| m.iter().any(|(key, v)| key.eq_ignore_ascii_case(name) && !v.is_null());
        inside(map) || properties.is_some_and(inside)
    };
    if has("nodeCount") || has("stdOutErrPathPrefix") || has("containerSettings") {
        Some(Kind::Job)
    } else if has("dataDisks") || has("sshConfiguration") {
        Some(Kind::FileServer)
    } else if ["scaleSettings", "nodeSetup", "userAccountSettings", "virtualMachineConfiguration", "vmSize"]
        .iter()
        .any(|n| has(n))
    {
        Some(Kind::Cluster)
    } else {
        None
    }
}

/// `workspace/cluster` of a template, or the last part of the id, or the file's own name.
fn name_of(file: &str, map: &Map<String, Json>) -> String {
    let written = map.get("name").and_then(Json::as_str).filter(|n| !n.contains('['));
    let id = map.get("id").and_then(Json::as_str);
    let stem = file.rsplit(['/', '\\']).next().unwrap_or(file).trim_end_matches(".json");
    let name = written.or(id).unwrap_or(stem);
    name.rsplit('/').next().unwrap_or(name).to_owned()
}

/// The properties at one level, whichever form they came in; what only the service could set falls away.
fn lifted(map: &Map<String, Json>) -> Json {
    const SERVICE: [&str; 21] = [
        "$schema",
        "id",
        "name",
        "type",
        "apiversion",
        "resourcegroup",
        "dependson",
        "resources",
        "allocationstate",
        "allocationstatetransitiontime",
        "creationtime",
        "currentnodecount",
        "errors",
        "executioninfo",
        "executionstate",
        "executionstatetransitiontime",
        "joboutputdirectorypathsegment",
        "nodestatecounts",
        "provisioningstate",
        "provisioningstatetransitiontime",
        "tooltype",
    ];
    let mut body = Map::new();
    for (key, value) in map {
        let lower = key.to_ascii_lowercase();
        if lower == "properties" {
            if let Json::Object(inner) = value {
                body.extend(
                    inner.iter().filter(|(k, _)| !SERVICE.contains(&k.to_ascii_lowercase().as_str())).map(clone_pair),
                );
            }
        } else if !SERVICE.contains(&lower.as_str()) {
            body.insert(key.clone(), value.clone());
        }
    }
    Json::Object(body)
}

fn clone_pair((key, value): (&String, &Json)) -> (String, Json) {
    (key.clone(), value.clone())
}
