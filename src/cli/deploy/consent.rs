//! Whether a plan may be carried out: what is protected, and who agreed.

use super::Halt;
use super::observing::mark;
use super::planning::Planned;
use crate::cli::{Context, interrupt};
use arm_apply::Receipt;
use arm_plan::{Plan, same_id};
use dsvm_diagnostics::{Code, count};
use serde_json::Value;
use std::io::{BufRead, IsTerminal, Write};

/// Ids that the template marks as protected (`metadata.dsvmc.preventDestroy` of a resource).
#[must_use]
pub fn marked(planned: &Planned) -> Vec<String> {
    // Most templates mark nothing: those are not read.
    let marks =
        |p: &super::planning::ReadyPart| p.template.text().contains("preventDestroy").then(|| p.template.read());
    let templates: Vec<Option<Value>> = planned.parts.iter().map(marks).collect();
    let mark = |r: &&arm_plan::DesiredResource| {
        let full = format!("{}/metadata/dsvmc/preventDestroy", r.pointer);
        let template = templates.get(r.part).and_then(Option::as_ref);
        template.is_some_and(|t| t.pointer(&full) == Some(&Value::Bool(true)))
    };
    planned.desired.resources.iter().filter(|r| !r.pointer.is_empty()).filter(mark).map(|r| r.id.clone()).collect()
}

/// Ids that must not be deleted: by the source now, or by the source of the last apply for what is gone from it.
#[must_use]
pub fn protected(planned: &Planned, last: Option<&Receipt>) -> Vec<String> {
    let mut all = marked(planned);
    let wanted = |id: &str| planned.desired.resources.iter().any(|r| same_id(&r.id, id));
    all.extend(last.into_iter().flat_map(|r| &r.protected).filter(|id| !wanted(id)).cloned());
    let gone = planned.plan.destructive().filter(|c| !wanted(&c.id) && planned.marks.contains(&mark(&c.id)));
    all.extend(gone.map(|c| c.id.clone()));
    all
}

/// Refuses what is protected; asks, or holds the options against the plan.
pub fn check(plan: &Plan, protected: &[String], yes: bool, allow_delete: bool, cx: &mut Context) -> Result<(), Halt> {
    let hit = plan.destructive().find(|c| protected.iter().any(|p| same_id(p, &c.id)));
    if let Some(change) = hit {
        return Err(Halt::input(
            Code::Protected,
            format!("`{}` is protected and the plan would {} it", change.shown(), change.action.word()),
            "take `prevent_destroy` away in one change and apply it, then delete in the next",
        ));
    }
    let gone = plan.destructive().count();
    let may_ask = std::io::stdin().is_terminal() && cx.printer.interactive();
    if yes {
        if gone == 0 || allow_delete {
            return Ok(());
        }
        let what = count(gone, "resource");
        return Err(Halt::input(
            Code::ConsentNeeded,
            format!("the plan deletes or replaces {what}; `--yes` alone does not allow that"),
            "read the plan; if you want it, add `--allow-delete`",
        ));
    }
    if !may_ask {
        return Err(Halt::input(
            Code::ConsentNeeded,
            "there are changes and nobody to ask",
            "read the plan; if you want it, add `--yes`",
        ));
    }
    let (question, wanted) = if gone == 0 {
        ("Apply this plan? Type yes: ".to_owned(), "yes".to_owned())
    } else {
        (format!("This deletes or replaces {}. Type the number to go on: ", count(gone, "resource")), gone.to_string())
    };
    let _question = interrupt::question();
    let _ = write!(std::io::stderr(), "{question}");
    let _ = std::io::stderr().flush();
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    if read.is_ok() && line.trim() == wanted {
        return Ok(());
    }
    Err(Halt::input(Code::ConsentNeeded, "nobody agreed; nothing was changed", ""))
}
