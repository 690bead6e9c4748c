//! Bodies of resources, in the order of their dependencies.

use super::Stage;
use super::draft::{Draft, is_deployment, within};
use super::order::{self, bracketed};
use super::result::Resource;
use crate::error::{EvalError, TemplateError, codes};
use crate::eval::{Frame, Phase};
use crate::value::{Value, ValueKind};
use indexmap::IndexMap;
use std::sync::Arc;

/// Members that are not part of what is sent.
const NOT_SENT: [&str; 14] = [
    "type",
    "name",
    "apiVersion",
    "copy",
    "condition",
    "dependsOn",
    "resources",
    "existing",
    "scope",
    "comments",
    "import",
    "extension",
    "subscriptionId",
    "resourceGroup",
];

impl<'s> Stage<'s> {
    /// All resources of the template.
    pub(super) fn resources(&self) -> Result<Vec<Resource>, Vec<TemplateError>> {
        let (drafts, targets) = self.drafts()?;
        let at = |drafts: &[Draft<'s>], index: usize, fault: EvalError| {
            let draft = drafts.get(index);
            let id = draft.map(|d| shown(&d.id));
            let fault = draft.map_or(fault.clone(), |d| fault.at(d.offset));
            vec![self.error(fault, draft.map_or("/resources", |d| &d.pointer), id.as_deref())]
        };
        let mut edges = self.edges(&drafts, &targets).map_err(|(index, fault)| at(&drafts, index, fault))?;
        let order = match order::sorted(&edges) {
            Ok(order) => order,
            Err(members) => {
                return Err(at(
                    &drafts,
                    members.first().copied().unwrap_or(0),
                    order::circular(&drafts, &members).framed(str::to_string),
                ));
            }
        };
        if self.isolated() {
            self.evaluator.set_targets(targets);
        }
        let mut made: Vec<Option<Resource>> = Vec::new();
        made.resize_with(drafts.len(), || None);
        let mut errors = Vec::new();
        for index in order {
            let Some(draft) = drafts.get(index).filter(|d| d.present) else { continue };
            match self.resource(draft) {
                Ok(resource) => {
                    if self.isolated()
                        && let Some(inner) = resource.nested.as_ref().and_then(|n| n.expansion.as_ref())
                        && let Ok(outputs) = known_outputs(inner)
                    {
                        self.evaluator.set_outputs(index, outputs);
                    }
                    if let (Some(slot), Some(edge)) = (made.get_mut(index), edges.get_mut(index)) {
                        *slot = Some(resource);
                        let touched = self.evaluator.take_touched();
                        if self.isolated() {
                            edge.extend(
                                touched
                                    .into_iter()
                                    .filter(|on| *on != index && drafts.get(*on).is_some_and(|d| d.present)),
                            );
                        }
                    }
                }
                Err(Failure::Here(fault)) => {
                    let limit = fault.code == codes::QUOTA;
                    errors.extend(at(&drafts, index, fault));
                    if limit {
                        break;
                    }
                }
                Err(Failure::Inside(inner)) => errors.extend(inner),
            }
            if errors.len() >= super::MAX_ERRORS {
                break;
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        if let Err(members) = order::sorted(&edges) {
            return Err(at(
                &drafts,
                members.first().copied().unwrap_or(0),
                order::circular(&drafts, &members).framed(str::to_string),
            ));
        }
        let ids: Vec<String> = drafts.iter().map(|d| shown(&d.id)).collect();
        for (resource, edge) in made.iter_mut().zip(&edges) {
            if let Some(resource) = resource {
                let mut on: Vec<String> =
                    edge.iter().filter_map(|at| ids.get(*at)).filter(|id| !id.is_empty()).cloned().collect();
                let mut seen = std::collections::HashSet::new();
                on.retain(|id| seen.insert(id.clone()));
                resource.depends_on = on;
            }
        }
        Ok(made.into_iter().flatten().collect())
    }

    fn resource(&self, draft: &Draft<'s>) -> Result<Resource, Failure> {
        let frame = Frame::root(Phase::Body);
        let deployment = draft.extension.is_none() && is_deployment(&draft.kind) && !draft.existing;
        let skip = |key: &str| {
            NOT_SENT.iter().any(|k| k.eq_ignore_ascii_case(key))
                || (deployment && key.eq_ignore_ascii_case("properties"))
        };
        let rest = within(&draft.turns, &frame, &mut |frame| self.evaluator.object(draft.object, frame, skip))?;
        let mut members: IndexMap<Arc<str>, Value> = IndexMap::new();
        members.insert("type".into(), Value::str(draft.kind.as_str()));
        if draft.extension.is_none() {
            members.insert("name".into(), draft.name.clone());
            if !draft.api_version.is_empty() {
                members.insert("apiVersion".into(), Value::str(draft.api_version.as_str()));
            }
        }
        if let Some(rest) = without_nulls(&rest)?.as_object() {
            members.extend(rest.members.iter().map(|(k, v)| (Arc::clone(k), v.clone())));
        }
        let nested = if deployment {
            let location = members.get("location").and_then(Value::as_str).map(|l| l.to_string());
            let (properties, nested) = self.nested(draft, location)?;
            members.insert("properties".into(), properties);
            Some(Box::new(nested))
        } else {
            None
        };
        let parts = Value::object(members)?;
        self.evaluator.budget.charge_output(parts.inside().weight)?;
        let (body, secret_pointers, unknown) = (parts.to_json(), parts.secret_pointers(), parts.unknown_pointers());
        let condition = draft.condition.clone().unwrap_or(Value::NULL);
        // Only what waits for the deployment is looked at again.
        let complete = unknown.is_empty() && draft.id.is_known() && condition.is_null();
        Ok(Resource {
            id: shown(&draft.id),
            symbolic_name: draft.symbol.clone(),
            resource_type: draft.kind.clone(),
            name: shown(&draft.name),
            api_version: draft.api_version.clone(),
            scope_id: shown(&draft.scope_id),
            body,
            depends_on: Vec::new(),
            existing: draft.existing,
            condition: draft.condition.as_ref().map(bracketed),
            count: draft.count.as_ref().map(bracketed),
            extension: draft.extension.clone(),
            pointer: draft.pointer.clone(),
            secret_pointers,
            unknown,
            nested,
            identity: (draft.id.clone(), condition),
            parts: if complete { Value::NULL } else { parts },
        })
    }
}

/// A failure of a resource, or errors with their place from a template inside it.
pub(super) enum Failure {
    Here(EvalError),
    Inside(Vec<TemplateError>),
}

impl From<EvalError> for Failure {
    fn from(fault: EvalError) -> Self {
        Self::Here(fault)
    }
}

fn shown(val: &Value) -> String {
    match &val.kind {
        ValueKind::Str(text) => text.to_string(),
        ValueKind::Null => String::new(),
        _ => bracketed(val),
    }
}

/// Outputs of a nested deployment as `reference(…).outputs` gives them.
fn known_outputs(expansion: &super::Expansion) -> Result<Value, EvalError> {
    let mut members = IndexMap::new();
    for (name, output) in &expansion.outputs {
        let record = Value::record([("type", Value::str(output.kind.as_str())), ("value", output.parts.clone())])?;
        members.insert(Arc::from(name.as_str()), record);
    }
    Value::object(members)
}

/// A property of null is as good as absent.
pub(super) fn without_nulls(val: &Value) -> Result<Value, EvalError> {
    Ok(match &val.kind {
        ValueKind::Object(object) if has_null(val) => {
            let kept = object.members.iter().filter(|(_, v)| !v.is_null());
            let members =
                kept.map(|(k, v)| Ok((Arc::clone(k), without_nulls(v)?))).collect::<Result<_, EvalError>>()?;
            Value::object(members)?.secret_if(val.secret)
        }
        ValueKind::Array(array) if has_null(val) => {
            Value::array(array.items.iter().map(without_nulls).collect::<Result<_, _>>()?)?.secret_if(val.secret)
        }
        _ => val.clone(),
    })
}

fn has_null(val: &Value) -> bool {
    match &val.kind {
        ValueKind::Object(object) => object.members.values().any(|v| v.is_null() || has_null(v)),
        ValueKind::Array(array) => array.items.iter().any(has_null),
        _ => false,
    }
}
