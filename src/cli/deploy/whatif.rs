//! Holds a plan against the service's own what-if.

use super::Halt;
use super::planning::Planned;
use super::session::Session;
use crate::render::plan::clean;
use arm_plan::{Action, same_id, type_of_id};
use serde_json::Value;

/// Asks the service and tells where its answer differs from the plan.
pub fn compare(planned: &Planned, session: &Session) -> Result<String, Halt> {
    if !planned.group_exists {
        return Ok("what-if: the resource group does not exist yet, so that the service cannot be asked\n".to_owned());
    }
    let mut told = Vec::new();
    let mut seen = Vec::new();
    for part in &planned.parts {
        let answer = session.client.what_if(&planned.group, &part.name, &part.template.read(), &part.parameters)?;
        let changes = answer.pointer("/properties/changes").or_else(|| answer.get("changes")).and_then(Value::as_array);
        for change in changes.into_iter().flatten() {
            let text = |key: &str| change.get(key).and_then(Value::as_str).unwrap_or_default();
            seen.push((text("resourceId").to_owned(), text("changeType").to_owned()));
        }
    }
    for (id, kind) in &seen {
        let ours = planned.plan.changes.iter().find(|c| same_id(&c.id, id)).map(|c| c.action);
        let theirs = kind.as_str();
        let agree = matches!(
            (ours, theirs),
            (Some(Action::Create), "Create")
                | (Some(Action::NoChange), "NoChange" | "Ignore")
                | (None, "Ignore" | "NoChange")
                | (Some(Action::Update | Action::Replace), "Modify" | "Deploy")
                | (Some(Action::Delete | Action::Detach), "Delete" | "Ignore")
                | (_, "Unsupported")
        );
        if !agree {
            let name = clean(&type_of_id(id).1);
            let ours = ours.map_or("nothing", Action::word);
            told.push(format!("  `{name}`: this plan says {ours}, the service says {}\n", theirs.to_lowercase()));
        }
    }
    let missing = planned
        .plan
        .effective()
        .filter(|c| !seen.iter().any(|(id, _)| same_id(id, &c.id)) && c.action != Action::Delete);
    told.extend(
        missing
            .map(|c| format!("  `{}`: this plan says {}, the service says nothing\n", clean(&c.name), c.action.word())),
    );
    told.sort();
    if told.is_empty() {
        return Ok(format!("what-if: the service agrees on all {} resources\n", seen.len()));
    }
    Ok(format!("what-if: the service differs on {} of {} resources\n{}", told.len(), seen.len(), told.concat()))
}
