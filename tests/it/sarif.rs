//! SARIF documents against the rules of the format (2.1.0) for the objects that are written, over every mistake there is.

use crate::support::TestContext;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// Object by object: every property that may be there, and those that must (section 3 of the standard).
const OBJECTS: &[(&str, &[&str], &[&str])] = &[
    ("log", &["$schema", "version", "runs"], &["version", "runs"]),
    ("run", &["tool", "columnKind", "results"], &["tool"]),
    ("tool", &["driver"], &["driver"]),
    ("driver", &["name", "version", "informationUri", "rules"], &["name"]),
    (
        "rule",
        &["id", "name", "shortDescription", "fullDescription", "help", "helpUri", "defaultConfiguration", "properties"],
        &["id"],
    ),
    ("result", &["ruleId", "ruleIndex", "level", "message", "locations", "relatedLocations", "fixes"], &["message"]),
    ("location", &["id", "physicalLocation", "logicalLocations", "message"], &[]),
    ("physicalLocation", &["artifactLocation", "region"], &["artifactLocation"]),
    ("artifactLocation", &["uri", "uriBaseId"], &["uri"]),
    ("region", &["startLine", "startColumn", "endLine", "endColumn"], &["startLine"]),
    ("message", &["text", "markdown"], &["text"]),
    ("fix", &["description", "artifactChanges"], &["artifactChanges"]),
    ("artifactChange", &["artifactLocation", "replacements"], &["artifactLocation", "replacements"]),
    ("replacement", &["deletedRegion", "insertedContent"], &["deletedRegion"]),
    ("content", &["text"], &[]),
    ("logicalLocation", &["fullyQualifiedName", "kind"], &[]),
    ("configuration", &["level"], &[]),
    ("bag", &["tags"], &[]),
];

struct Check {
    errors: Vec<String>,
}

impl Check {
    fn wrong(&mut self, at: &str, what: impl std::fmt::Display) {
        self.errors.push(format!("{at}: {what}"));
    }

    fn object(&mut self, kind: &str, value: &Value, at: &str) {
        let (_, known, needed) = OBJECTS.iter().find(|o| o.0 == kind).unwrap();
        let Some(map) = value.as_object() else { return self.wrong(at, "no object") };
        map.keys().filter(|k| !known.contains(&k.as_str())).for_each(|k| self.wrong(at, format!("has `{k}`")));
        needed.iter().filter(|k| !map.contains_key(**k)).for_each(|k| self.wrong(at, format!("has no `{k}`")));
        for (key, inner) in map {
            let here = format!("{at}/{key}");
            let each = |kind: &str, check: &mut Self| {
                let Some(list) = inner.as_array() else { return check.wrong(&here, "no list") };
                list.iter().enumerate().for_each(|(i, v)| check.object(kind, v, &format!("{here}/{i}")));
            };
            match key.as_str() {
                "runs" => each("run", self),
                "rules" => each("rule", self),
                "results" => each("result", self),
                "locations" | "relatedLocations" => each("location", self),
                "fixes" => each("fix", self),
                "artifactChanges" => each("artifactChange", self),
                "replacements" => each("replacement", self),
                "logicalLocations" => each("logicalLocation", self),
                "tool" | "driver" | "physicalLocation" | "artifactLocation" | "region" => {
                    self.object(key, inner, &here)
                }
                "deletedRegion" => self.object("region", inner, &here),
                "insertedContent" => self.object("content", inner, &here),
                "defaultConfiguration" => self.object("configuration", inner, &here),
                "properties" => self.object("bag", inner, &here),
                "message" | "description" | "help" | "shortDescription" | "fullDescription" => {
                    self.object("message", inner, &here);
                    if inner["text"].as_str().is_none_or(str::is_empty) {
                        self.wrong(&here, "an empty message");
                    }
                }
                "level" if !["none", "note", "warning", "error"].contains(&inner.as_str().unwrap_or_default()) => {
                    self.wrong(&here, inner)
                }
                "uri" | "helpUri" | "informationUri" | "$schema" => {
                    let uri = inner.as_str().unwrap_or_default();
                    let fine = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c);
                    if uri.is_empty() || !uri.chars().all(fine) {
                        self.wrong(&here, format!("`{uri}` is no URI"));
                    }
                }
                _ => {}
            }
        }
        if kind == "region" {
            let n = |key: &str, or: u64| value.get(key).map_or(Some(or), Value::as_u64).unwrap_or(0);
            let (line, column) = (n("startLine", 0), n("startColumn", 1));
            let (end, end_column) = (n("endLine", line), n("endColumn", column));
            if line < 1 || column < 1 || end < line || (end == line && end_column < column) {
                self.wrong(at, format!("{value}"));
            }
        }
    }
}

/// The errors of a document.
pub fn errors(text: &str) -> Vec<String> {
    let document: Value = serde_json::from_str(text).unwrap();
    let mut check = Check { errors: Vec::new() };
    check.object("log", &document, "");
    if document["version"] != "2.1.0" {
        check.wrong("/version", &document["version"]);
    }
    for (index, run) in document["runs"].as_array().unwrap().iter().enumerate() {
        let at = format!("/runs/{index}");
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        let ids: BTreeSet<&str> = rules.iter().map(|r| r["id"].as_str().unwrap()).collect();
        if ids.len() != rules.len() {
            check.wrong(&at, "a rule is there twice");
        }
        for result in run["results"].as_array().unwrap() {
            let rule = result["ruleIndex"].as_u64().and_then(|i| rules.get(i as usize));
            if rule.map(|r| &r["id"]) != Some(&result["ruleId"]) {
                check.wrong(&at, format!("rule of {result}"));
            }
        }
    }
    check.errors
}

#[test]
fn every_mistake_is_a_valid_finding_on_its_line() {
    let cx = TestContext::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "dsvm") {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            cx.write(&format!("{name}/one file.dsvm"), &std::fs::read_to_string(&path).unwrap());
            count += 1;
        }
    }
    assert!(count > 40);
    let sarif = cx.run("check --as-of 2026-11-23 --format sarif .");
    assert_eq!(errors(&sarif.stdout), Vec::<String>::new());
    // The same findings as the other form for programs, each with its place and its edits.
    let json: Value = serde_json::from_str(&cx.run("check --as-of 2026-11-23 --format json .").stdout).unwrap();
    let sarif: Value = serde_json::from_str(&sarif.stdout).unwrap();
    let (results, diagnostics) =
        (sarif["runs"][0]["results"].as_array().unwrap(), json["diagnostics"].as_array().unwrap());
    assert_eq!(results.len(), diagnostics.len());
    let mut fixes = 0;
    for (result, diagnostic) in results.iter().zip(diagnostics) {
        assert_eq!(result["ruleId"], diagnostic["code"]);
        let (place, at) = (&result["locations"][0]["physicalLocation"], &diagnostic["labels"][0]["at"]);
        let file = at["file"].as_str().unwrap();
        assert_eq!(place["artifactLocation"]["uri"], file.trim_start_matches("./").replace(' ', "%20"));
        assert_eq!(place["region"]["startLine"], at["line"]);
        assert_eq!(place["region"]["endColumn"], at["end_column"]);
        for fix in diagnostic["fixes"].as_array().unwrap() {
            let edit = &fix["edits"][0];
            let mine = result["fixes"].as_array().unwrap().iter();
            let mut mine = mine.flat_map(|f| f["artifactChanges"][0]["replacements"].as_array().unwrap());
            assert!(mine.any(|r| r["insertedContent"]["text"] == edit["text"]
                && r["deletedRegion"]["startLine"] == edit["at"]["line"]));
            fixes += 1;
        }
    }
    assert!(fixes > 10, "{fixes}");
}

#[test]
fn no_mistake_is_a_run_without_results() {
    let cx = TestContext::new();
    cx.write("a.dsvm", "project a { location = westus2 }\n");
    let ran = cx.run("check --format sarif a.dsvm");
    assert_eq!(ran.exit, 0, "{}", ran.text());
    assert_eq!(errors(&ran.stdout), Vec::<String>::new());
    assert!(ran.stdout.contains("\"results\": []"), "{}", ran.stdout);
}

#[test]
fn the_check_can_fail() {
    let cx = TestContext::new();
    cx.write("a.dsvm", "projekt a {}\n");
    let mut text = cx.run("check --format sarif a.dsvm").stdout;
    assert_eq!(errors(&text), Vec::<String>::new());
    text = text.replace("\"startLine\": 1", "\"startLine\": 0").replace("\"level\"", "\"grade\"");
    assert!(errors(&text).len() >= 2, "{:?}", errors(&text));
}
