//! The end of a deployment: what a complete one deletes, outputs, and the finished record.

use std::collections::BTreeSet;
use std::sync::Arc;

use arm_template::{Context, Expansion};
use serde_json::{Map, Value, json};

use super::live::StateRuntime;
use super::outcome::{RunResult, caller, log, real_ms};
use super::record::{self, Operation};
use super::request::{DeploymentRequest, template_error};
use crate::clock::elapsed;
use crate::core::{Core, Cx};
use crate::documents::{DeploymentDocument, DeploymentState, refs};
use crate::error::ArmError;
use crate::id::{Path, key};
use crate::{resources, types, write};

/// Position of the first operation that deletes a resource, behind those that write.
const FIRST_DELETION: usize = 900_000;
/// Position of the operation that evaluates the outputs, behind all others.
const OUTPUTS: usize = 999_999;

/// Deletes what a complete deployment does not mention.
pub fn sweep(core: &Arc<Core>, request: &DeploymentRequest, id: &str, result: &mut RunResult) {
    let kept: BTreeSet<String> = result.written.iter().map(|id| key(id)).collect();
    let caller = caller(request);
    let mut left = core.with("", |cx| Ok(unmentioned(cx, &request.path.scope, &kept))).unwrap_or_default();
    let mut at = FIRST_DELETION;
    let mut log = |target: &str, result: Result<u16, ArmError>, started: i64| {
        at += 1;
        let took_ms = real_ms() - started;
        log(core, id, at, &Operation { verb: "Delete", target: Some((target, None)), result, took_ms });
    };
    loop {
        let mut errors = Vec::new();
        let before = left.len();
        for target in std::mem::take(&mut left) {
            let started = real_ms();
            match core.with(&caller, |cx| write::delete(cx, &Path::of(&target), None).map(|_| ())) {
                Ok(()) => log(&target, Ok(200), started),
                Err(error) => errors.push((target, error)),
            }
        }
        if errors.is_empty() {
            return;
        }
        // what was in use may be free once its users are gone
        if errors.len() == before {
            for (target, error) in &errors {
                log(target, Err(error.clone()), real_ms());
            }
            result.failed.extend(errors);
            return;
        }
        left = errors.into_iter().map(|(target, _)| target).collect();
    }
}

/// Resources of a group that a template does not mention, dependents first as far as ids tell.
#[must_use]
pub fn unmentioned(cx: &Cx<'_>, scope: &str, kept: &BTreeSet<String>) -> Vec<String> {
    let mut out: Vec<String> = cx
        .store
        .below(scope)
        .into_iter()
        .filter(|row| {
            resources::is_listed(row) && !types::instances::came_with_set(row) && row.at("/managedBy").is_none()
        })
        .filter(|row| !kept.contains(&key(&row.id)))
        .map(|row| row.id.clone())
        .collect();
    out.sort();
    out
}

/// Outputs of a deployment `{NAME: {type, value}}`.
#[derive(Default)]
struct Outputs {
    /// As the record shows them: secure ones without their value.
    shown: Map<String, Value>,
    /// The same with the values of secure outputs.
    whole: Map<String, Value>,
}

fn outputs(cx: &mut Cx<'_>, expansion: &Expansion, context: &Context) -> Result<Outputs, ArmError> {
    let mut out = Outputs::default();
    for (name, output) in &expansion.outputs {
        let kind = record::type_word(&output.kind);
        let resolved = output.resolve(context, &StateRuntime::new(cx)).map_err(|problem| {
            let inner = template_error(&[problem]).at(name.clone());
            ArmError::bad("DeploymentOutputEvaluationFailed", format!("Unable to evaluate template outputs: '{name}'. Please see error details and deployment operations. Please see https://aka.ms/arm-common-errors for usage details.")).because(vec![inner])
        })?;
        let secret = output.secure || !resolved.secret_pointers.is_empty();
        let whole = json!({ "type": kind, "value": resolved.value });
        out.shown.insert(name.clone(), if secret { json!({ "type": kind }) } else { whole.clone() });
        out.whole.insert(name.clone(), whole);
    }
    Ok(out)
}

/// Writes the end of a deployment into its record. `expansion` is `None` when the template could not be expanded.
pub fn finish(core: &Arc<Core>, id: &str, expansion: Option<&Expansion>, result: &RunResult, context: &Context) {
    let failed = (!result.failed.is_empty()).then(|| record::failure(&result.failed));
    let outputs = match (failed, expansion) {
        (Some(error), _) => Err(error),
        (None, Some(expansion)) if !result.canceled => core.aside("", |cx| outputs(cx, expansion, context)),
        (None, _) => Ok(Outputs::default()),
    };
    let _ = core.with("", |cx| {
        record_end(cx, id, result, outputs);
        Ok(())
    });
}

fn record_end(cx: &mut Cx<'_>, id: &str, result: &RunResult, outputs: Result<Outputs, ArmError>) {
    let Some(document) = cx.store.get::<DeploymentDocument>(id) else { return };
    let mut document = document.as_ref().clone();
    let properties = &mut document.record.properties;
    properties.provisioning_state = match &outputs {
        _ if result.canceled => DeploymentState::Canceled,
        Err(_) => DeploymentState::Failed,
        Ok(_) => DeploymentState::Succeeded,
    };
    properties.timestamp = cx.now.to_string();
    properties.duration = elapsed(cx.real_ms - document.start);
    let complete = outputs.is_ok() && !result.canceled;
    let whole = match outputs {
        Err(error) => {
            properties.error = Some(error);
            Map::new()
        }
        Ok(Outputs { shown, whole }) => {
            properties.outputs = (!shown.is_empty()).then_some(shown);
            properties.output_resources = Some(refs(&result.written));
            whole
        }
    };
    if document.pending.take().is_none() {
        // a nested deployment: the values of secure outputs are for the deployments around it
        document.outputs = Some(whole);
    } else {
        forget_inner_outputs(cx, &document.record.properties.correlation_id);
    }
    cx.store.put(id, document);
    if complete {
        let operation = Operation { verb: "EvaluateDeploymentOutput", target: None, result: Ok(200), took_ms: 0 };
        record::operation(cx, id, OUTPUTS, &operation);
    }
}

/// Forgets the values of secure outputs that only the deployments of one request needed.
fn forget_inner_outputs(cx: &mut Cx<'_>, correlation: &str) {
    cx.store.edit_where(
        |inner: &DeploymentDocument| inner.outputs.is_some() && inner.record.properties.correlation_id == correlation,
        |inner| inner.outputs = None,
    );
}
