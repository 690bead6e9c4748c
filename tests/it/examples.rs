//! The examples: each compiles without an error, gives exactly what lies in its `expected` folder (`DSVMC_BLESS=1` writes
//! it), and every resource that comes out is one that Azure knows.

use dsvmc::catalog;
use dsvmc::diagnostics::{Diagnostic, Severity, Sink};
use dsvmc::emit::Artifacts;
use dsvmc::render;
use dsvmc::sema;
use dsvmc::sema::checked::Clean;
use dsvmc::source::{SourceFile, SourceMap};
use dsvmc::template;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The names of all examples.
fn names() -> Vec<String> {
    let mut all: Vec<String> = std::fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    all.sort();
    all
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// What became of an example.
struct Compiled {
    sources: SourceMap,
    diagnostics: Vec<Diagnostic>,
    artifacts: Option<Artifacts>,
}

impl Compiled {
    fn shown(&self) -> String {
        render::short::all(&self.sources, &self.diagnostics)
    }
}

fn compile(name: &str) -> Compiled {
    let mut sources = SourceMap::default();
    let mut sink = Sink::default();
    let path = format!("examples/{name}/main.dsvm");
    let text = std::fs::read_to_string(root().join(name).join("main.dsvm")).unwrap();
    let main = sources.add(SourceFile::new(path, text));
    let mut read = |path: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).ok();
    let program = sema::load(&[main], &mut sources, &mut read, &mut sink);
    let all = sema::check_all(&program, &mut sink);
    let as_of = jiff::civil::date(2026, 11, 23);
    let mut artifacts = None;
    if !sink.has_errors() {
        for checked in all.iter().skip(1) {
            let _ = dsvmc::model::build(checked, as_of, &mut sink);
        }
        let symbolic = all.first().unwrap();
        let fleet = dsvmc::model::build(symbolic, as_of, &mut sink);
        let graph = dsvmc::graph::build(&fleet, symbolic, &mut sink);
        artifacts = Clean::new(graph, &sink).map(|clean| dsvmc::emit::emit(&clean, symbolic, &mut sink));
    }
    Compiled { sources, diagnostics: sink.finish(), artifacts }
}

fn artifacts(name: &str) -> Artifacts {
    let compiled = compile(name);
    compiled.artifacts.clone().unwrap_or_else(|| panic!("{name}:\n{}", compiled.shown()))
}

#[test]
fn examples_compile_without_a_warning() {
    for name in names() {
        let compiled = compile(&name);
        let loud: Vec<&Diagnostic> = compiled.diagnostics.iter().filter(|d| d.severity != Severity::Info).collect();
        assert!(loud.is_empty(), "{name}:\n{}", compiled.shown());
        assert!(compiled.artifacts.is_some(), "{name}");
    }
}

fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap();
    text.push('\n');
    text
}

/// Files of the `expected` folder: template, parameter files, source map.
fn files(name: &str) -> Vec<(String, String)> {
    let compiled = compile(name);
    let artifacts = compiled.artifacts.clone().unwrap_or_else(|| panic!("{name}:\n{}", compiled.shown()));
    let mut files = Vec::new();
    let several = artifacts.deployments.len() > 1;
    for deployment in &artifacts.deployments {
        let prefix = if several { format!("{}.", deployment.name) } else { String::new() };
        files.push((format!("{prefix}template.json"), pretty(&deployment.template)));
        for (env, parameters) in &deployment.parameters {
            let env = if env.is_empty() { "json".to_owned() } else { format!("{env}.json") };
            files.push((format!("{prefix}parameters.{env}"), pretty(parameters)));
        }
        let map: serde_json::Map<String, Value> = deployment
            .provenance
            .iter()
            .filter_map(|(pointer, span)| {
                let file = compiled.sources.get(span.source)?;
                let (line, column) = file.line_column(span.start);
                Some((pointer.clone(), Value::String(format!("{}:{line}:{column}", file.name))))
            })
            .collect();
        files.push((format!("{prefix}sourcemap.json"), pretty(&Value::Object(map))));
    }
    files
}

#[test]
fn examples_give_what_is_expected() {
    let bless = std::env::var_os("DSVMC_BLESS").is_some();
    for name in names() {
        let folder = root().join(&name).join("expected");
        let files = files(&name);
        if bless {
            let _ = std::fs::remove_dir_all(&folder);
            std::fs::create_dir_all(&folder).unwrap();
            for (file, text) in &files {
                std::fs::write(folder.join(file), text).unwrap();
            }
        }
        let mut there: Vec<String> =
            std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        there.sort();
        let mut wanted: Vec<&String> = files.iter().map(|(file, _)| file).collect();
        wanted.sort();
        assert_eq!(
            there.iter().collect::<Vec<_>>(),
            wanted,
            "{name}/expected: run with DSVMC_BLESS=1 and look at the diff"
        );
        for (file, text) in &files {
            let found = std::fs::read_to_string(folder.join(file)).unwrap();
            if &found != text {
                let diff = similar::TextDiff::from_lines(&found, text).unified_diff().context_radius(2).to_string();
                panic!("{name}/expected/{file} is another (DSVMC_BLESS=1 writes it):\n{diff}");
            }
        }
    }
}

#[test]
fn every_resource_is_one_that_azure_knows() {
    let mut resources = 0;
    for name in names() {
        for deployment in artifacts(&name).deployments {
            for (i, resource) in deployment.template["resources"].as_array().unwrap().iter().enumerate() {
                let ty = resource["type"].as_str().unwrap();
                let version = resource["apiVersion"].as_str().unwrap();
                assert!(catalog::lookup(ty, Some(version)).is_some(), "{name}: `{ty}` is not known");
                let findings = catalog::validate(ty, version, resource);
                assert!(findings.is_empty(), "{name}: resource {i}, {ty}\n{findings:#?}");
                resources += 1;
            }
        }
    }
    assert!(resources > 40, "{resources}");
}

#[test]
fn every_template_expands() {
    let ids = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222");
    let context = template::Context {
        subscription_id: Some(ids.0.into()),
        tenant_id: Some(ids.1.into()),
        resource_group: Some(template::ResourceGroup {
            name: "rg-example".into(),
            location: Some("westus2".into()),
            ..Default::default()
        }),
        deployment_name: "main".into(),
        ..Default::default()
    };
    for name in names() {
        for deployment in artifacts(&name).deployments {
            let text = pretty(&deployment.template);
            let parsed = template::parse(&text).unwrap_or_else(|e| panic!("{name}: {e:?}"));
            for (env, file) in &deployment.parameters {
                let mut parameters =
                    template::parse_parameters(&pretty(file)).unwrap_or_else(|e| panic!("{name} {env}: {e:?}"));
                // Secrets are asked for at deployment.
                for (parameter, spec) in deployment.template["parameters"].as_object().into_iter().flatten() {
                    let given = file["parameters"].get(parameter).is_some();
                    if !given && spec.get("defaultValue").is_none() {
                        let value = if spec["type"] == "securestring" { "Example-4711-secret" } else { "example" };
                        parameters.set(parameter, &Value::from(value)).unwrap();
                    }
                }
                let expansion = template::expand(&parsed, &parameters, &context, &template::Limits::default())
                    .unwrap_or_else(|e| panic!("{name} {env}: {e:?}"));
                let written = deployment.template["resources"].as_array().unwrap().len();
                assert_eq!(expansion.resources.len(), written, "{name} {env}");
                for resource in &expansion.resources {
                    let last = resource.name.rsplit('/').next().unwrap_or_default();
                    let problem = catalog::check_name(&resource.resource_type, last);
                    assert!(last.contains('[') || problem.is_none(), "{name} {env}: {last}: {problem:?}");
                }
            }
        }
    }
}
