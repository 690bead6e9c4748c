//! The examples: each compiles without an error, gives exactly what lies in its `expected` folder (`DSVMC_BLESS=1` writes
//! it), and every resource that comes out is one that Azure knows.

use dsvm_diagnostics::{Diagnostic, Severity};
use dsvm_emit::Artifacts;
use dsvmc::driver::{self, Compilation};
use dsvmc::render;
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

/// The disk, on the day that the goldens were made.
struct World;

impl driver::World for World {
    fn read(&self, path: &Path) -> Result<Vec<u8>, driver::LoadError> {
        std::fs::read(path).map_err(|cause| driver::LoadError::unreadable(path, cause))
    }

    fn kind(&self, path: &Path) -> Result<driver::EntryKind, driver::LoadError> {
        Ok(if path.is_dir() { driver::EntryKind::Folder } else { driver::EntryKind::File })
    }

    fn list(&self, folder: &Path) -> Result<Vec<(PathBuf, driver::EntryKind)>, driver::LoadError> {
        let entries = std::fs::read_dir(folder).map_err(|cause| driver::LoadError::unreadable(folder, cause))?;
        let mut all: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        all.sort();
        all.into_iter().map(|path| self.kind(&path).map(|kind| (path, kind))).collect()
    }

    fn today(&self) -> jiff::civil::Date {
        jiff::civil::date(2026, 11, 23)
    }
}

/// Compiles an example; paths in messages are relative to the repository, where tests run.
fn compile(name: &str) -> Compilation {
    let options = driver::Options { stop: driver::Stop::AfterEmission };
    driver::compile(&World, &Path::new("examples").join(name), options).unwrap()
}

fn shown(compiled: &Compilation) -> String {
    render::short::all(&[(&compiled.sources, compiled.diagnostics.as_slice())])
}

fn artifacts(name: &str) -> Artifacts {
    let compiled = compile(name);
    compiled.artifacts.clone().unwrap_or_else(|| panic!("{name}:\n{}", shown(&compiled)))
}

#[test]
fn tests_of_the_examples_pass() {
    let ran = crate::support::TestContext::new().run(&format!("test {}", root().display()));
    assert_eq!(ran.exit, 0, "{}", ran.text());
    assert!(ran.stderr.contains("7 tests passed"), "{}", ran.text());
}

#[test]
fn examples_compile_without_a_warning() {
    for name in names() {
        let compiled = compile(&name);
        let loud: Vec<&Diagnostic> = compiled.diagnostics.iter().filter(|d| d.severity != Severity::Info).collect();
        assert!(loud.is_empty(), "{name}:\n{}", shown(&compiled));
        assert!(compiled.artifacts.is_some(), "{name}");
    }
}

fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap();
    text.push('\n');
    text
}

/// The template with words in the places of the program on the machines, which `machine/` has, and of what is computed from
/// it: each would be another one in every example with each change of the program.
fn without_program(template: &str) -> String {
    let program = serde_json::to_string(dsvm_machine::script()).unwrap();
    let template = template.replace(&program, "\"(the program of machine/)\"");
    let mut out = String::with_capacity(template.len());
    for line in template.split_inclusive('\n') {
        let Some((head, rest)) = line.split_once("\"forceUpdateTag\": \"") else {
            match line.split_once("\"timestamp\": ") {
                Some((head, _)) => out.push_str(&format!("{head}\"timestamp\": 0,\n")),
                None => out.push_str(line),
            }
            continue;
        };
        let (call, digest) = if rest.starts_with('[') { rest.split_once('\'').unwrap() } else { ("", rest) };
        let quote = if call.is_empty() { "" } else { "'" };
        out.push_str(&format!("{head}\"forceUpdateTag\": \"{call}{quote}(digest){}", &digest[16..]));
    }
    out
}

/// Files of the `expected` folder: template, parameter files, source map.
fn files(name: &str) -> Vec<(String, String)> {
    let compiled = compile(name);
    let artifacts = compiled.artifacts.clone().unwrap_or_else(|| panic!("{name}:\n{}", shown(&compiled)));
    let mut files = Vec::new();
    let several = artifacts.deployments.len() > 1;
    for deployment in &artifacts.deployments {
        let prefix = if several { format!("{}.", deployment.name) } else { String::new() };
        files.push((format!("{prefix}template.json"), without_program(&deployment.template.pretty())));
        for (env, parameters) in &deployment.parameters {
            let env = if env.is_empty() { "json".to_owned() } else { format!("{env}.json") };
            files.push((format!("{prefix}parameters.{env}"), parameters.pretty()));
        }
        let map = render::source_map::write(&compiled.sources, &deployment.provenance);
        files.push((format!("{prefix}sourcemap.json"), map));
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
            let template = deployment.template.into_value();
            for (i, resource) in template["resources"].as_array().unwrap().iter().enumerate() {
                let ty = resource["type"].as_str().unwrap();
                let version = resource["apiVersion"].as_str().unwrap();
                assert!(arm_catalog::lookup(ty, Some(version)).is_some(), "{name}: `{ty}` is not known");
                let findings = arm_catalog::validate(ty, version, resource);
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
    let context = arm_template::Context {
        subscription_id: Some(ids.0.into()),
        tenant_id: Some(ids.1.into()),
        resource_group: Some(arm_template::ResourceGroup {
            name: "rg-example".into(),
            location: Some("westus2".into()),
            ..Default::default()
        }),
        deployment_name: "main".into(),
        ..Default::default()
    };
    for name in names() {
        for deployment in artifacts(&name).deployments {
            let text = deployment.template.pretty();
            let parsed = arm_template::parse(&text).unwrap_or_else(|e| panic!("{name}: {e:?}"));
            let written = deployment.template.into_value();
            for (env, file) in deployment.parameters {
                let file = file.into_value();
                let mut parameters =
                    arm_template::parse_parameters(&pretty(&file)).unwrap_or_else(|e| panic!("{name} {env}: {e:?}"));
                // Secrets are asked for at deployment.
                for (parameter, spec) in written["parameters"].as_object().into_iter().flatten() {
                    let given = file["parameters"].get(parameter).is_some();
                    if !given && spec.get("defaultValue").is_none() {
                        let value = if spec["type"] == "securestring" { "Example-4711-secret" } else { "example" };
                        parameters.set(parameter, &Value::from(value)).unwrap();
                    }
                }
                let expansion = arm_template::expand(&parsed, &parameters, &context, &arm_template::Limits::default())
                    .unwrap_or_else(|e| panic!("{name} {env}: {e:?}"));
                let written = written["resources"].as_array().unwrap().len();
                assert_eq!(expansion.resources.len(), written, "{name} {env}");
                for resource in &expansion.resources {
                    let last = resource.name.rsplit('/').next().unwrap_or_default();
                    let problem = arm_catalog::check_name(&resource.resource_type, last);
                    assert!(last.contains('[') || problem.is_none(), "{name} {env}: {last}: {problem:?}");
                }
            }
        }
    }
}
