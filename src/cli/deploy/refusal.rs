//! Errors of Azure on the source line that caused them, with advice.

use super::bundle::Bundle;
use crate::cli::Context;
use crate::render::{plan::clean, snippet, world};
use arm_apply::{ApplyError, RefusedResource, advice};
use arm_client::ServiceError;
use arm_plan::{Desired, DesiredResource, same_id, type_of_id};
use dsvm_diagnostics::{Code, Diagnostic};

/// Tells why an apply did not end well.
pub fn tell(error: &ApplyError, bundle: &Bundle, desired: &Desired, cx: &mut Context) {
    let ApplyError::Refused(list) = error else {
        let report = describe(error);
        let text = world::draw(&report, cx.printer.error_palette());
        cx.printer.say(&text);
        return;
    };
    for refused in list {
        let text = one(refused, bundle, desired, cx);
        cx.printer.say(&text);
    }
    cx.printer
        .say("What was made before stays. Run `dsvmc apply` again when the cause is gone: it goes on from there.\n");
}

fn describe(error: &ApplyError) -> world::Failure {
    use miette::Diagnostic as _;
    world::Failure {
        code: error.code().map(|c| c.to_string()),
        title: clean(&error.to_string()),
        causes: Vec::new(),
        help: error.help().map(|h| h.to_string()),
    }
}

fn one(refused: &RefusedResource, bundle: &Bundle, desired: &Desired, cx: &Context) -> String {
    let palette = cx.printer.error_palette();
    let resource = refused.id.as_deref().and_then(|id| find(desired, id));
    let name = refused.id.as_deref().map(|id| type_of_id(id).1).filter(|n| !n.is_empty());
    let what =
        resource.map(|r| r.name.clone()).or(name).map_or_else(|| "the deployment".to_owned(), |n| format!("`{n}`"));
    let innermost = refused.error.innermost();
    let cause = innermost.first().copied().unwrap_or(&refused.error);
    let title = clean(&format!("Azure refused {what}: {}", cause.code));
    let reason = clean(reason(cause));
    let advice = advice::advice(&refused.error);
    let span = resource.and_then(|r| bundle.parts.get(r.part)?.span(&r.pointer));
    let Some(span) = span else {
        let failure = world::Failure {
            code: Some(Code::ResourceRefused.to_string()),
            title,
            causes: vec![reason],
            help: advice.map(str::to_owned),
        };
        return world::draw(&failure, palette);
    };
    let mut diagnostic =
        Diagnostic::new(Code::ResourceRefused, title, span, "declared here").note(format!("Azure says: {reason}"));
    if let Some(advice) = advice {
        diagnostic = diagnostic.help(advice);
    }
    if let Some(id) = &refused.error.correlation {
        diagnostic = diagnostic.note(format!("correlation id {}", clean(id)));
    }
    snippet::one(&bundle.sources, &diagnostic, palette)
}

fn reason(error: &ServiceError) -> &str {
    let message = error.message.trim();
    if message.is_empty() { "no reason given" } else { message }
}

/// The resource itself, or the one whose part it is.
fn find<'a>(desired: &'a Desired, id: &str) -> Option<&'a DesiredResource> {
    let mut at = id;
    loop {
        if let Some(resource) = desired.resources.iter().find(|r| same_id(&r.id, at)) {
            return Some(resource);
        }
        at = at.rsplit_once('/')?.0;
    }
}
