//! The `deploy` module used as a library, without a command line, and the order of its files.

use crate::support::TestContext;
use arm_apply::{Event, Observer, StateDir};
use arm_plan::Action;
use dsvm_diagnostics::source::SourceMap;
use dsvm_diagnostics::{Code, Diagnostic};
use dsvmc::cli::disk::Disk;
use dsvmc::deploy::confirmation::{Approval, confirm};
use dsvmc::deploy::context::DeployContext;
use dsvmc::deploy::error::FailureKind;
use dsvmc::deploy::execute::{self, ExecuteOptions};
use dsvmc::deploy::frontend::{Frontend, Question, Silent};
use dsvmc::deploy::input::DeployInput;
use dsvmc::deploy::load::load;
use dsvmc::deploy::report::ApplyOutcome;
use dsvmc::deploy::settings::Settings;
use dsvmc::deploy::target::DeployTarget;
use dsvmc::deploy::{destroy, plan, session};
use serde_json::json;
use std::path::Path;

const TODAY: &str = "2026-11-23";

/// Records the states of resources.
#[derive(Default)]
struct Recorder(Vec<String>);

impl Observer for Recorder {
    fn event(&mut self, event: &Event) {
        if let Event::Resource { id, state } = event {
            self.0.push(format!("{} {state}", arm_plan::type_of_id(id).1));
        }
    }

    fn stopped(&self) -> bool {
        false
    }
}

/// Answers every question with the same text, and records prompts and remarks.
struct Scripted {
    answer: &'static str,
    shown: Vec<String>,
}

impl Frontend for Scripted {
    fn warn(&mut self, text: &str) {
        self.shown.push(text.to_owned());
    }

    fn note(&mut self, text: &str) {
        self.shown.push(text.to_owned());
    }

    fn diagnostics(&mut self, _: &SourceMap, found: &[Diagnostic]) {
        self.shown.extend(found.iter().map(|d| d.title.clone()));
    }

    fn can_ask(&self) -> bool {
        true
    }

    fn ask(&mut self, question: &Question<'_>) -> std::io::Result<String> {
        self.shown.push(format!("{}|{}", question.explanation, question.prompt));
        Ok(self.answer.to_owned())
    }
}

/// A template with one public address, whose label is a parameter without a default.
fn template(cx: &TestContext) -> DeployInput {
    let template = json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "parameters": { "label": { "type": "string", "metadata": { "description": "DNS label" } } },
        "resources": [{
            "type": "Microsoft.Network/publicIPAddresses", "apiVersion": "2024-05-01", "name": "pip-team",
            "location": "westeurope", "sku": { "name": "Standard" },
            "properties": {
                "publicIPAllocationMethod": "Static",
                "dnsSettings": { "domainNameLabel": "[parameters('label')]" },
            },
        }],
    });
    let state_dir = Some(cx.path().to_owned());
    DeployInput { template: Some(cx.write("team.json", &template.to_string())), state_dir, ..DeployInput::default() }
}

fn world() -> Disk {
    Disk::new(Some(TODAY.parse().unwrap()))
}

#[test]
fn a_project_is_planned_deployed_and_deleted_without_a_command_line() {
    let cx = TestContext::new();
    let input = template(&cx);
    let (world, target, settings) = (world(), DeployTarget::default(), Settings::default());
    let project = load(cx.path(), &input, &world, &mut Silent).unwrap();
    assert_eq!((project.name.as_str(), project.default_group().as_str()), ("team", "rg-team"));
    let session = session::open(&target, &project.root).unwrap();
    let state = StateDir::new(&project.root, &project.name, &project.env);
    let context = DeployContext { project: &project, input: &input, target: &target, session: &session, state: &state };

    let missing = plan::make(&context, &settings, &world, &mut Silent).unwrap_err();
    assert_eq!((missing.kind, missing.has_code(Code::ParameterMissing)), (FailureKind::Input, true));

    let mut person = Scripted { answer: "team-west", shown: Vec::new() };
    let planned = plan::make(&context, &settings, &world, &mut person).unwrap();
    assert_eq!(person.shown, ["DNS label|label: "]);
    let actions: Vec<Action> = planned.plan.changes.iter().map(|c| c.action).collect();
    assert_eq!(actions, [Action::Create]);

    let mut watch = Recorder::default();
    let outcome = execute::execute(&context, &planned, &settings, ExecuteOptions::default(), &mut watch).unwrap();
    let ApplyOutcome::Succeeded(report) = outcome else { panic!("{outcome:?}") };
    assert_eq!((report.receipt.summary.create, report.still_different), (1, Vec::new()));
    assert!(watch.0.contains(&"pip-team Succeeded".to_owned()), "{:?}", watch.0);

    let again = plan::make(&context, &settings, &world, &mut person).unwrap();
    assert!(again.plan.is_empty(), "{:#?}", again.plan);

    let deletion = destroy::plan(&context, "rg-team", false).unwrap();
    let mut watch = Recorder::default();
    destroy::execute(&deletion, "rg-team", &session, &mut watch).unwrap();
    assert_eq!(watch.0, ["pip-team Deleting", "pip-team Deleted"]);
    assert!(destroy::plan(&context, "rg-team", false).unwrap().is_empty());
}

#[test]
fn deletions_need_an_approval_of_their_own() {
    let observed = json!([{
        "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/publicIPAddresses/pip-team",
        "type": "Microsoft.Network/publicIPAddresses", "name": "pip-team", "location": "westeurope",
    }]);
    let mut observed = arm_plan::observed_from_json(&observed).unwrap();
    observed.managed = observed.resources.iter().map(|r| r.id.clone()).collect();
    let plan = arm_plan::diff(&arm_plan::Desired::default(), &observed, &arm_plan::DiffOptions::default());
    assert_eq!(plan.destructive().count(), 1);

    let approved = |given, deletions| confirm(&plan, &[], Approval { given, deletions }, &mut Silent);
    assert!(approved(true, true).is_ok());
    assert_eq!(
        approved(true, false).unwrap_err().title(),
        "the plan deletes or replaces 1 resource; `--yes` alone does not allow that"
    );
    assert!(approved(false, true).unwrap_err().has_code(Code::ConsentNeeded));

    let asked = |answer| {
        let mut person = Scripted { answer, shown: Vec::new() };
        (confirm(&plan, &[], Approval::default(), &mut person).is_ok(), person.shown)
    };
    let question = "|This deletes or replaces 1 resource. Type the number to continue: ".to_owned();
    assert_eq!(asked("1"), (true, vec![question.clone()]));
    assert_eq!(asked("yes"), (false, vec![question]));

    let protected = [plan.changes[0].id.to_uppercase()];
    let refused = confirm(&plan, &protected, Approval { given: true, deletions: true }, &mut Silent).unwrap_err();
    assert!(refused.has_code(Code::Protected));
}

/// The modules that `mod.rs` declares, and what each imports of the others.
fn imports(folder: &Path) -> Vec<(String, Vec<String>)> {
    let index = std::fs::read_to_string(folder.join("mod.rs")).unwrap();
    let names: Vec<String> =
        index.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).map(str::to_owned).collect();
    let used = |name: &String| {
        let text = std::fs::read_to_string(folder.join(format!("{name}.rs"))).unwrap();
        let group = |rest: &str| match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap().split(',').map(|one| one.trim().to_owned()).collect(),
            None => vec![rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap().to_owned()],
        };
        let all = text.split("super::").skip(1).chain(text.split("crate::deploy::").skip(1));
        all.flat_map(group).filter(|word| !word.is_empty() && word != "super").collect()
    };
    names.iter().map(|name| (name.clone(), used(name))).collect()
}

#[test]
fn each_file_of_deploy_imports_only_those_declared_before_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/deploy");
    let all = imports(&folder);
    let files = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(all.len() + 1, files, "a file is not declared in mod.rs");
    for (at, (name, used)) in all.iter().enumerate() {
        let late: Vec<&String> = used.iter().filter(|one| all[at..].iter().any(|(other, _)| other == *one)).collect();
        assert!(late.is_empty(), "{name} imports {late:?}, declared after it");
        let text = std::fs::read_to_string(folder.join(format!("{name}.rs"))).unwrap();
        for outside in ["clap", "crate::cli", "crate::render", "std::io::stderr", "std::io::stdin", "std::io::stdout"] {
            assert!(!text.contains(outside), "{name} mentions {outside}");
        }
    }
    assert!(all.iter().any(|(name, used)| name == "plan" && used.contains(&"observation".to_owned())), "{all:?}");
}
