//! What a damaged text is given to: each command, by the library that it calls, with everything that it would print.

use super::running;
use crate::catalogue::OneFile;
use crate::support::TestContext;
use arm_plan::SavedPlan;
use arm_template::{Context, Limits, Parameters};
use batch_formula::{PoolLimits, PoolState};
use clap::Parser;
use dsvm_diagnostics::source::{SourceFile, SourceId, SourceMap};
use dsvm_diagnostics::{Diagnostic, Sink};
use dsvm_import::Successor;
use dsvmc::deploy::frontend::Silent;
use dsvmc::deploy::input::DeployInput;
use dsvmc::deploy::settings::Settings;
use dsvmc::deploy::target::DeployTarget;
use dsvmc::deploy::{error::FailureDetail, load, offline};
use dsvmc::driver::{self, Options, Stop, World};
use dsvmc::render::palette::Palette;
use dsvmc::render::{self, plan, plan_markdown, sarif, short, snippet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A command that is given damaged input.
pub struct Subject {
    /// The command line that it stands for.
    pub name: &'static str,
    /// How often it is drawn, out of all weights.
    pub weight: usize,
    /// Good inputs.
    pub seeds: Vec<String>,
    /// Runs it: everything that it prints. The folder is empty at first and belongs to one thread.
    pub run: fn(&str, &Path) -> String,
}

/// Templates of pools, shares and a subscription.
pub const TEMPLATES: &[&str] = &[
    include_str!("../../../conformance/templates/pool.json"),
    include_str!("../../../conformance/templates/shares.json"),
    include_str!("../../../conformance/templates/subscription.json"),
];

const FORMULAS: &[&str] = &[
    "$samples = $PendingTasks.GetSamplePercent(TimeInterval_Minute * 5);\n$tasks = $samples < 70 ? max(0, $PendingTasks.GetSample(1)) : avg($PendingTasks.GetSample(TimeInterval_Minute * 5));\n$TargetDedicatedNodes = max(0, min(8, ($tasks + 3) / 4));\n$NodeDeallocationOption = taskcompletion;\n",
    "startingNumberOfVMs = 1; maxNumberofVMs = 25;\npendingTaskSamplePercent = $PendingTasks.GetSamplePercent(180 * TimeInterval_Second);\n$TargetLowPriorityNodes = min(maxNumberofVMs, pendingTaskSamplePercent < 70 ? startingNumberOfVMs : avg($PendingTasks.GetSample(180 * TimeInterval_Second)));\n",
    "now = time(); $isWorkHours = now.hour >= 8 && now.hour < 18 && now.weekday >= 1 && now.weekday <= 5;\nv = doubleVec(1, 2, 3.5); $TargetDedicatedNodes = $isWorkHours ? std(v) + len(v) + norm(v) : time(\"2026-11-23\") < now ? 1 : val(v, 1);\n",
];

const SAMPLES: &[&str] = &[
    r#"{"now": "2026-11-23T12:00:00Z", "seed": 7, "target": {"dedicated": 2, "spot": 0}, "current": {"dedicated": 2}, "task_slots": 4, "samples": {"$PendingTasks": [9, 9, 9, 8.5, 0, 9, 9, 9, 9, 9]}}"#,
    r#"{"now": "2026-11-23T12:00:00Z", "samples": {"$PendingTasks": [{"time": "2026-11-23T11:59:00Z", "value": 3}, {"time": "2026-11-23T11:58:30Z", "value": 1}], "CPUPercent": [50]}}"#,
];

const BATCH_AI: &[&str] = &[
    r#"{ "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.BatchAI/workspaces/w/clusters/c", "name": "c", "properties": { "vmSize": "STANDARD_NC6",
      "vmPriority": "dedicated", "scaleSettings": { "autoScale": { "minimumNodeCount": 0, "maximumNodeCount": 4, "initialNodeCount": 1 } },
      "virtualMachineConfiguration": { "imageReference": { "publisher": "microsoft-ads", "offer": "linux-data-science-vm-ubuntu", "sku": "linuxdsvmubuntu", "version": "latest" } },
      "userAccountSettings": { "adminUserName": "ada", "adminUserSshPublicKey": "ssh-rsa AAAA" },
      "nodeSetup": { "setupTask": { "commandLine": "echo hi", "runElevated": true, "environmentVariables": [ { "name": "A", "value": "b" } ], "stdOutErrPathPrefix": "$AZ_BATCHAI_MOUNT_ROOT/x" },
        "mountVolumes": { "azureFileShares": [ { "accountName": "store", "azureFileUrl": "https://store.file.core.windows.net/logs", "relativeMountPath": "afs" } ],
          "azureBlobFileSystems": [ { "accountName": "store", "containerName": "data", "relativeMountPath": "bfs", "mountOptions": "--log" } ] } } } }"#,
    r#"{ "type": "Microsoft.BatchAI/workspaces/experiments/jobs", "name": "j", "properties": { "cluster": { "id": "c" }, "nodeCount": 2, "containerSettings": { "imageSourceRegistry": { "image": "tensorflow/tensorflow:1.8.0-gpu" } },
      "tensorFlowSettings": { "pythonScriptFilePath": "$AZ_BATCHAI_INPUT_S/train.py", "masterCommandLineArgs": "--x 1", "workerCount": 2, "parameterServerCount": 1 },
      "inputDirectories": [ { "id": "S", "path": "$AZ_BATCHAI_MOUNT_ROOT/afs/s" } ], "outputDirectories": [ { "id": "M", "pathPrefix": "$AZ_BATCHAI_MOUNT_ROOT/afs", "pathSuffix": "m" } ],
      "stdOutErrPathPrefix": "$AZ_BATCHAI_MOUNT_ROOT/afs", "constraints": { "maxWallClockTime": "1.00:00:00" } } }"#,
];

const ARGUMENTS: &[&str] = &[
    "check --format json examples/01-shared-pool",
    "plan --template main.json -p @values.json --set a=b -g rg --location westeurope --detailed-exitcode",
    "apply --yes --allow-delete --target azure --subscription 00000000-0000-0000-0000-000000000000 --tries 3 .",
    "expand azuredeploy.json -p x=1 --parts -l northeurope",
    "formula eval scale.txt --samples pool.json --at 2026-11-23T12:00:00Z --json",
    "import cluster.json job.json --service azure_ml --project p",
    "--as-of 2026-11-23 fmt --check -q -q",
    "local up --latency 5 --https-port 8443 --fault count=1",
    "explain DSVM0101",
];

/// All commands.
pub fn all() -> Vec<Subject> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = files(root, &["tests/mistakes", "examples", "crates/dsvm-syntax/src"], "dsvm");
    let saved = saved_plan();
    let owned = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
    let mut templates = owned(TEMPLATES);
    templates.extend(files(root, &["examples"], "json").into_iter().filter(|text| text.contains("\"resources\"")));
    if let Some(folder) = std::env::var_os("DSVMC_MUTATION_SEEDS") {
        templates.extend(
            files(Path::new("/"), &[folder.to_str().unwrap()], "json").into_iter().filter(|t| t.len() < 60_000),
        );
    }
    vec![
        Subject { name: "check", weight: 24, seeds: sources.clone(), run: check },
        Subject { name: "build", weight: 12, seeds: sources.clone(), run: build },
        Subject { name: "fmt", weight: 12, seeds: sources, run: format },
        Subject { name: "expand", weight: 16, seeds: templates.clone(), run: expand },
        Subject { name: "plan --template --live", weight: 8, seeds: templates.clone(), run: plan_template },
        Subject { name: "plan --live", weight: 4, seeds: observed(root), run: plan_live },
        Subject { name: "import", weight: 8, seeds: owned(BATCH_AI), run: import },
        Subject { name: "formula", weight: 10, seeds: owned(FORMULAS), run: formula },
        Subject { name: "formula eval --samples", weight: 3, seeds: owned(SAMPLES), run: evaluated },
        Subject { name: "apply FILE", weight: 2, seeds: vec![saved], run: read_plan },
        Subject { name: "endpoint", weight: 10, seeds: running::conversations(root), run: running::endpoint },
        Subject { name: "apply --template", weight: 1, seeds: templates, run: running::apply },
        Subject { name: "plan, destroy", weight: 1, seeds: running::state_files(), run: running::state },
        Subject { name: "arguments", weight: 4, seeds: owned(ARGUMENTS), run: arguments },
    ]
}

/// The texts of all files with an extension below some folders, by their paths.
pub fn files(root: &Path, folders: &[&str], extension: &str) -> Vec<String> {
    fn walk(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, extension, found);
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    folders.iter().for_each(|folder| walk(&root.join(folder), extension, &mut found));
    found.sort();
    found.iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect()
}

/// Resources as `show --json` writes them: those of the recorded answers.
fn observed(root: &Path) -> Vec<String> {
    let answers = files(root, &["tests/fixtures/recorded"], "json");
    let mut lists: Vec<String> = answers.chunks(6).map(|part| format!("[{}]", part.join(","))).collect();
    lists.extend(answers);
    lists
}

/// A plan as `plan -o` writes it.
fn saved_plan() -> String {
    let cx = TestContext::new();
    cx.write("main.json", TEMPLATES[1]);
    let ran = cx.run("plan --template main.json -g rg --location westeurope -o saved.plan");
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    cx.read("saved.plan")
}

/// Diagnostics in all their forms; every label lies in its file.
fn drawn(sources: &SourceMap, found: &[Diagnostic]) -> String {
    for diagnostic in found {
        for label in &diagnostic.labels {
            let file = sources.get(label.span.source).expect("its file");
            assert!(
                file.text.get(label.span.start as usize..label.span.end as usize).is_some(),
                "`{}` points outside of its file: {:?}",
                diagnostic.title,
                label.span
            );
        }
    }
    let all: &[render::Found<'_>] = &[(sources, found)];
    let mut out = snippet::all(all, Palette::plain());
    out.push_str(&short::all(all));
    out.push_str(&render::json::all(all));
    out.push_str(&sarif::all(all, &[]));
    out
}

fn compiled(text: &str, stop: Stop) -> String {
    let world = OneFile(text.to_owned());
    let done = driver::compile(&world, Path::new("main.dsvm"), Options { stop }).expect("one file");
    let mut out = drawn(&done.sources, &done.diagnostics);
    if stop == Stop::AfterEmission {
        assert_eq!(done.failed(), done.artifacts.is_none(), "artifacts exist exactly when there is no error");
    }
    for deployment in done.artifacts.iter().flat_map(|a| &a.deployments) {
        let _ = write!(out, "{:?}{:?}{:?}", deployment.template, deployment.parameters, deployment.provenance);
    }
    out
}

fn check(text: &str, _: &Path) -> String {
    compiled(text, Stop::AfterChecks)
}

fn build(text: &str, _: &Path) -> String {
    compiled(text, Stop::AfterEmission)
}

fn format(text: &str, _: &Path) -> String {
    let once = |text: &str| {
        let mut sources = SourceMap::default();
        let source = sources.add(SourceFile::new("main.dsvm", text));
        let mut sink = Sink::default();
        let done = dsvm_syntax::format::format(source, text, &mut sink);
        assert!(!matches!(done, Err(dsvm_syntax::format::Refused::Different)), "formatting would change the meaning");
        (done.ok(), drawn(&sources, &sink.finish()))
    };
    let (formatted, found) = once(text);
    if let Some(formatted) = &formatted {
        assert_eq!(once(formatted).0.as_ref(), Some(formatted), "what is formatted is formatted already");
    }
    formatted.unwrap_or(found)
}

fn limits() -> Limits {
    Limits { steps: 300_000, made_bytes: 24 << 20, expanded_bytes: 4 << 20, total_resources: 2000, ..Limits::default() }
}

fn expand(text: &str, _: &Path) -> String {
    let mut sources = SourceMap::default();
    let source = sources.add(SourceFile::new("main.json", arm_template::json::without_secrets(text)));
    let told = |errors: Vec<arm_template::TemplateError>| {
        let found: Vec<_> = errors.iter().map(|e| arm_template::diags::diagnostic(e, source)).collect();
        drawn(&sources, &found)
    };
    let given = arm_template::parse_parameters(text).unwrap_or_default();
    let template = match arm_template::parse(text) {
        Ok(template) => template,
        Err(errors) => return told(errors),
    };
    let context = Context::resource_group("11111111-1111-4111-8111-111111111111", "rg");
    let mut out = String::new();
    for parameters in [&given, &Parameters::new()] {
        match arm_template::expand(&template, parameters, &context, &limits()) {
            Ok(expansion) => drop(write!(out, "{expansion:?}")),
            Err(errors) => out.push_str(&told(errors)),
        }
    }
    out
}

fn planned(template: &str, live: &str, folder: &Path) -> String {
    let (file, observed) = (folder.join("main.json"), folder.join("live.json"));
    std::fs::write(&file, template).unwrap();
    std::fs::write(&observed, live).unwrap();
    let input = DeployInput { template: Some(file), ..DeployInput::default() };
    let world: &dyn World = &dsvmc::cli::disk::Disk::new(None);
    let made = load::load(folder, &input, world, &mut Silent).and_then(|project| {
        let target = DeployTarget { resource_group: Some("rg".to_owned()), ..DeployTarget::default() };
        offline::against_file(&project, &target, &input, &observed, &Settings::default(), world, &mut Silent)
    });
    match made {
        Ok(offline::Compared { plan: found, impact, .. }) => {
            let detail =
                plan::Detail { resources: true, properties: true, new_properties: true, ..plan::Detail::default() };
            let mut out = plan::terminal(&found, impact.as_ref(), "t", detail, Palette::plain());
            out.push_str(&plan::data(&found, impact.as_ref()).to_string());
            out.push_str(&plan_markdown::markdown(&found, impact.as_ref(), "t"));
            out.push_str(&sarif::plan(&found));
            out
        }
        Err(error) => match error.detail {
            FailureDetail::Message(report) => format!("{report}"),
            FailureDetail::Diagnostics(found) => drawn(&found.0, &found.1),
        },
    }
}

fn plan_template(text: &str, folder: &Path) -> String {
    planned(text, "[]", folder)
}

fn plan_live(text: &str, folder: &Path) -> String {
    planned(TEMPLATES[0], text, folder)
}

fn import(text: &str, _: &Path) -> String {
    let json: serde_json::Value = match serde_json::from_str(text) {
        Ok(json) => json,
        Err(error) => return error.to_string(),
    };
    let mut out = String::new();
    for successor in [Successor::AzureBatch, Successor::AzureMl] {
        match dsvm_import::import(&[("cluster.json".to_owned(), json.clone())], "project", successor) {
            Ok(done) => {
                let mut sink = Sink::default();
                let _ = dsvm_syntax::parse(SourceId::file(0), &done.text, &mut sink);
                assert!(!sink.has_errors(), "what import writes can be read:\n{}", done.text);
                let _ = write!(out, "{}{:?}", done.text, done.warnings);
            }
            Err(problem) => out.push_str(&problem),
        }
    }
    out
}

fn formula(text: &str, _: &Path) -> String {
    let mut sources = SourceMap::default();
    let source = sources.add(SourceFile::new("scale.txt", text));
    let (tree, findings) = batch_formula::check(text, &PoolLimits::default());
    let place = |at: batch_formula::FormulaSpan| dsvm_diagnostics::source::Span::new(source, at.start, at.end);
    let found: Vec<_> = findings.iter().map(|f| batch_formula::diags::diagnostic(f, &place)).collect();
    let mut out = drawn(&sources, &found);
    if let Some(tree) = tree {
        let printed = batch_formula::print(&tree);
        let again = batch_formula::parse(&printed).expect("what is printed can be read");
        assert_eq!(batch_formula::print(&again), printed, "what is printed reads the same");
        // 23 November 2026, in ticks of 100 ns
        let busy = PoolState::empty(17_954_352_000_000_000).with("$PendingTasks", &[3.0; 40]);
        for state in [PoolState::default(), busy] {
            let _ = write!(out, "{printed}{:?}", batch_formula::evaluate(&tree, &state));
        }
    }
    out
}

/// Damaged samples for good formulas.
fn evaluated(text: &str, _: &Path) -> String {
    let json: serde_json::Value = match serde_json::from_str(text) {
        Ok(json) => json,
        Err(error) => return error.to_string(),
    };
    let state = match PoolState::from_json(&json, None) {
        Ok(state) => state,
        Err(problem) => return problem,
    };
    let of = |formula: &&str| format!("{:?}", batch_formula::evaluate(&batch_formula::parse(formula).unwrap(), &state));
    FORMULAS.iter().map(of).collect()
}

fn read_plan(text: &str, _: &Path) -> String {
    SavedPlan::read(text).map_or_else(|e| e.to_string(), |plan| format!("{plan:?}"))
}

fn arguments(text: &str, _: &Path) -> String {
    let line = ["dsvmc"].into_iter().chain(text.split(' '));
    dsvmc::cli::args::Cli::try_parse_from(line).map_or_else(|e| e.to_string(), |cli| format!("{cli:?}"))
}
