//! A comparison with what it was made from → its [`Impact`]: in the words of the source, and who notices it.

use super::compiled::{CompiledPart, CompiledProject, Template};
use super::context::DeployContext;
use super::cost::{self, Pricing};
use super::desired::{self, Scope};
use super::live::Answers;
use super::parameters;
use super::settings::Settings;
use super::values::ReadyPart;
use arm_client::DeployMode;
use arm_plan::{AttributeKind, Desired, Observed, Plan};
use dsvm_impact::{Impact, Situation};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Describes a plan; nothing for a template, which has no blocks.
#[must_use]
pub fn describe(situation: &Situation<'_>) -> Option<Impact> {
    (!situation.blocks.is_empty()).then(|| dsvm_impact::describe(situation))
}

/// The same with what the changes cost.
#[must_use]
pub fn describe_priced(situation: &Situation<'_>, pricing: &Pricing) -> Option<Impact> {
    describe(situation).map(|impact| Impact { cost: cost::change(situation, pricing), ..impact })
}

/// The resources as the last deployment sent them: its template with its parameter values. Read only when the plan
/// changes something that the service never returns, and empty when the service does not tell.
pub(super) fn sent(
    context: &DeployContext<'_>,
    plan: &Plan,
    scope: &Scope,
    observed: &Observed,
    settings: &Settings,
) -> Desired {
    let hidden = |a: &arm_plan::AttributeChange| {
        (a.kind == AttributeKind::Change && a.before.is_none() && !a.secret) || dsvm_impact::is_setup(&a.path)
    };
    if !plan.effective().any(|change| change.attributes.iter().any(hidden)) {
        return Desired::default();
    }
    let project = context.project;
    let parts: Vec<ReadyPart> = (0..project.parts.len())
        .filter_map(|part| last(context, &project.stack_name(part), &scope.group, settings))
        .collect();
    // Its texts are another version of the sources: nothing is looked up in them.
    let before = CompiledProject {
        name: project.name.clone(),
        parts: parts.iter().map(|_| CompiledPart::default()).collect(),
        ..CompiledProject::default()
    };
    let Ok(mut pending) = desired::expand_all(&before, &parts, scope) else { return Desired::default() };
    pending.resolve(observed, &Answers::default());
    pending.finish(observed, &Answers::default()).0
}

/// The template and the values of the last deployment of one part; secrets, which no service returns, are empty texts.
fn last(context: &DeployContext<'_>, name: &str, group: &str, settings: &Settings) -> Option<ReadyPart> {
    let client = &context.session.client;
    let (record, template) = match settings.mode {
        DeployMode::Stack => (client.stack(group, name).ok()??, client.stack_template(group, name).ok()??),
        DeployMode::Plain => (client.deployment(group, name).ok()??, client.deployment_template(group, name).ok()??),
    };
    let shown = record.pointer("/properties/parameters").and_then(Value::as_object).cloned().unwrap_or_default();
    let template = Template::from(&template);
    let mut values = Map::new();
    for parameter in parameters::declared(template.parameters()) {
        let found = shown.iter().find(|(key, _)| key.eq_ignore_ascii_case(&parameter.name));
        match found.and_then(|(_, entry)| entry.get("value")) {
            Some(value) => values.insert(parameter.name.clone(), json!({ "value": value })),
            None if parameter.has_default => None,
            None => values.insert(parameter.name.clone(), json!({ "value": "" })),
        };
    }
    Some(ReadyPart {
        name: name.to_owned(),
        template: Arc::new(template),
        text: String::new(),
        parameters: Value::Object(values),
    })
}
