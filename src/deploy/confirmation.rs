//! Whether a plan may be executed: nothing protected is destroyed, and somebody confirmed it.

use super::error::CommandError;
use super::frontend::{Frontend, Question};
use super::plan::Planned;
use super::stacks::mark;
use arm_apply::Receipt;
use arm_plan::{Plan, same_id};
use dsvm_diagnostics::{Code, count};
use serde_json::Value;

/// Pointer, within a resource of a template, to the mark that protects it.
pub(super) const PREVENT_DESTROY: &str = "/metadata/dsvmc/preventDestroy";

/// What was confirmed beforehand, by options or by a saved plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Approval {
    /// The plan may be executed without asking.
    pub given: bool,
    /// With `given`: deletions and replacements too.
    pub deletions: bool,
}

/// Ids that the template marks as protected (`metadata.dsvmc.preventDestroy` of a resource).
#[must_use]
pub fn marked(planned: &Planned) -> Vec<String> {
    // Most templates mark nothing and need no parsing.
    let marks = |p: &super::values::ReadyPart| p.template.text().contains("preventDestroy").then(|| p.template.read());
    let templates: Vec<Option<Value>> = planned.parts.iter().map(marks).collect();
    let mark = |r: &&arm_plan::DesiredResource| {
        let full = format!("{}{PREVENT_DESTROY}", r.pointer);
        let template = templates.get(r.part).and_then(Option::as_ref);
        template.is_some_and(|t| t.pointer(&full) == Some(&Value::Bool(true)))
    };
    planned.desired.resources.iter().filter(|r| !r.pointer.is_empty()).filter(mark).map(|r| r.id.clone()).collect()
}

/// Ids that must not be deleted: marked in the source now or, for resources no longer in it, at the last apply.
#[must_use]
pub fn protected(planned: &Planned, last: Option<&Receipt>) -> Vec<String> {
    let mut all = marked(planned);
    let wanted = |id: &str| planned.desired.resources.iter().any(|r| same_id(&r.id, id));
    all.extend(last.into_iter().flat_map(|r| &r.protected).filter(|id| !wanted(id)).cloned());
    let gone = planned.plan.destructive().filter(|c| !wanted(&c.id) && planned.marks.contains(&mark(&c.id)));
    all.extend(gone.map(|c| c.id.clone()));
    all
}

/// Rejects a plan with changes that Azure refuses, with the way out of the first.
///
/// # Errors
/// Azure would refuse a change.
pub fn refused(plan: &Plan) -> Result<(), CommandError> {
    let Some(change) = plan.refused().next() else { return Ok(()) };
    let more = plan.refused().count() - 1;
    let more = if more == 0 { String::new() } else { format!(" (and {} more)", count(more, "resource")) };
    Err(CommandError::input(
        Code::ChangeRefused,
        format!("{}: {}{more}", change.titled(), change.reason),
        change.effect.way_out.clone().unwrap_or_default(),
    ))
}

/// Rejects a plan that destroys a protected resource, then asks for confirmation unless `approval` covers the plan.
///
/// # Errors
/// A protected resource would be destroyed, or nobody confirmed.
pub fn confirm(
    plan: &Plan,
    protected: &[String],
    approval: Approval,
    frontend: &mut dyn Frontend,
) -> Result<(), CommandError> {
    refused(plan)?;
    let hit = plan.destructive().find(|c| protected.iter().any(|p| same_id(p, &c.id)));
    if let Some(change) = hit {
        return Err(CommandError::input(
            Code::Protected,
            format!("`{}` is protected and the plan would {} it", change.shown(), change.action.word()),
            "remove `prevent_destroy` in one change and apply it, then delete the resource in the next",
        ));
    }
    let gone = plan.destructive().count();
    if approval.given {
        if gone == 0 || approval.deletions {
            return Ok(());
        }
        let what = count(gone, "resource");
        return Err(CommandError::input(
            Code::ConsentNeeded,
            format!("the plan deletes or replaces {what}; `--yes` alone does not allow that"),
            "read the plan; if you want it, add `--allow-delete`",
        ));
    }
    if !frontend.can_ask() {
        return Err(CommandError::input(
            Code::ConsentNeeded,
            "there are changes, and there is no terminal to ask for confirmation",
            "read the plan; if you want it, add `--yes`",
        ));
    }
    let (question, wanted) = if gone == 0 {
        ("Apply this plan? Type yes: ".to_owned(), "yes".to_owned())
    } else {
        (
            format!("This deletes or replaces {}. Type the number to continue: ", count(gone, "resource")),
            gone.to_string(),
        )
    };
    let answer = frontend.ask(&Question { explanation: "", prompt: &question, secret: false });
    if answer.is_ok_and(|text| text.trim() == wanted) {
        return Ok(());
    }
    Err(CommandError::input(Code::ConsentNeeded, "not confirmed; nothing was changed", ""))
}
