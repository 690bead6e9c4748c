//! Prints why an apply stopped: each error of Azure on the source line of its resource, with advice.

use super::printer::Printer;
use crate::deploy::azure_errors::{LocatedError, locate};
use crate::deploy::compiled::CompiledProject;
use crate::render::{failure, plan::clean, snippet};
use arm_apply::ApplyError;
use arm_plan::Desired;
use dsvm_diagnostics::{Code, Diagnostic};

/// Prints the error on stderr.
pub fn print(error: &ApplyError, project: &CompiledProject, desired: &Desired, printer: &mut Printer) {
    let ApplyError::Refused(list) = error else {
        let text = failure::draw(&failure(error), printer.error_palette());
        printer.say(&text);
        return;
    };
    for refused in list {
        let text = draw(&locate(refused, project, desired), project, printer);
        printer.say(&text);
    }
    printer.say(
        "Resources created before the error are kept. Remove its cause and run `dsvmc apply` again to continue.\n",
    );
}

/// An error that belongs to no line of the source, with its help.
pub(super) fn failure(error: &ApplyError) -> failure::Failure {
    use miette::Diagnostic as _;
    failure::Failure {
        code: error.code().map(|c| c.to_string()),
        title: clean(&error.to_string()),
        causes: Vec::new(),
        help: error.help().map(|h| h.to_string()),
    }
}

fn draw(error: &LocatedError, project: &CompiledProject, printer: &Printer) -> String {
    let palette = printer.error_palette();
    let what = error.resource.as_ref().map_or_else(|| "the deployment".to_owned(), |name| format!("`{name}`"));
    let title = clean(&format!("Azure refused {what}: {}", error.code));
    let reason = if error.message.is_empty() { "no reason given".to_owned() } else { clean(&error.message) };
    let Some(span) = error.span else {
        let failure = failure::Failure {
            code: Some(Code::ResourceRefused.to_string()),
            title,
            causes: vec![reason],
            help: error.advice.map(str::to_owned),
        };
        return failure::draw(&failure, palette);
    };
    let mut diagnostic =
        Diagnostic::new(Code::ResourceRefused, title, span, "declared here").note(format!("Azure says: {reason}"));
    if let Some(advice) = error.advice {
        diagnostic = diagnostic.help(advice);
    }
    if let Some(id) = &error.correlation {
        diagnostic = diagnostic.note(format!("correlation id {}", clean(id)));
    }
    snippet::one(&project.sources, &diagnostic, palette)
}
