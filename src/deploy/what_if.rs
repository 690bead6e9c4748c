//! Compares a plan with the service's own what-if.

use super::error::CommandError;
use super::plan::Planned;
use super::session::Session;
use arm_plan::{Action, same_id, type_of_id};
use serde_json::Value;

/// One resource on which the plan and the service disagree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Disagreement {
    /// Name of the resource, as the service or the template spells it.
    pub name: String,
    /// What the plan does; `None` when it does not have the resource.
    pub plan: Option<&'static str>,
    /// The service's change type in lower case; `None` when it does not list the resource.
    pub service: Option<String>,
}

/// The result of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WhatIf {
    /// Resources that the service listed.
    pub listed: usize,
    /// The differences, sorted by name.
    pub disagreements: Vec<Disagreement>,
}

/// Asks the service. `None` when the resource group does not exist yet, so that it cannot answer.
///
/// # Errors
/// A call to Resource Manager failed.
pub fn compare(planned: &Planned, session: &Session) -> Result<Option<WhatIf>, CommandError> {
    if !planned.group_exists {
        return Ok(None);
    }
    let mut seen = Vec::new();
    for part in &planned.parts {
        let answer = session.client.what_if(&planned.group, &part.name, &part.template.read(), &part.parameters)?;
        let changes = answer.pointer("/properties/changes").or_else(|| answer.get("changes")).and_then(Value::as_array);
        for change in changes.into_iter().flatten() {
            let text = |key: &str| change.get(key).and_then(Value::as_str).unwrap_or_default();
            seen.push((text("resourceId").to_owned(), text("changeType").to_owned()));
        }
    }
    let mut disagreements = Vec::new();
    for (id, theirs) in &seen {
        let ours = planned.plan.changes.iter().find(|c| same_id(&c.id, id)).map(|c| c.action);
        if !agree(ours, theirs) {
            disagreements.push(Disagreement {
                name: type_of_id(id).1,
                plan: ours.map(Action::word),
                service: Some(theirs.to_lowercase()),
            });
        }
    }
    let missing = planned
        .plan
        .effective()
        .filter(|c| !seen.iter().any(|(id, _)| same_id(id, &c.id)) && c.action != Action::Delete);
    disagreements.extend(missing.map(|c| Disagreement {
        name: c.name.clone(),
        plan: Some(c.action.word()),
        service: None,
    }));
    disagreements.sort();
    Ok(Some(WhatIf { listed: seen.len(), disagreements }))
}

fn agree(ours: Option<Action>, theirs: &str) -> bool {
    matches!(
        (ours, theirs),
        (Some(Action::Create), "Create")
            | (Some(Action::NoChange), "NoChange" | "Ignore")
            | (None, "Ignore" | "NoChange")
            | (Some(Action::Update | Action::Replace), "Modify" | "Deploy")
            | (Some(Action::Delete | Action::Detach), "Delete" | "Ignore")
            | (_, "Unsupported")
    )
}
