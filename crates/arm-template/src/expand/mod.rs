//! Expansion: a template and its values into resources with ids, dependencies and bodies, and outputs.

mod beside;
mod body;
mod draft;
mod hidden;
mod identity;
mod links;
mod nested;
mod order;
mod outputs;
mod result;
mod syntax;

pub use links::{Linker, NoLinks, TemplateLink, inline_links};
pub(crate) use nested::each_of;
pub use result::{EffectiveParameter, Expansion, NestedDeployment, Output, Resource};

use super::budget::{Budget, Limits};
use super::context::Context;
use super::document::Sections;
use super::error::{EvalError, TemplateError};
use super::eval::{Evaluator, Given};
use super::parameters::Parameters;
use super::{Document, Template, azure_path};
use indexmap::IndexMap;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// Most errors that one expansion reports.
const MAX_ERRORS: usize = 50;
/// Stack of the thread that expands: evaluation is recursive, and its depth is bounded below this.
const STACK: usize = 64 << 20;

/// Expands a template without linked ones.
pub fn expand(
    template: &Template,
    parameters: &Parameters,
    context: &Context,
    limits: &Limits,
) -> Result<Expansion, Vec<TemplateError>> {
    expand_linked(template, parameters, context, limits, &NoLinks)
}

/// Expands a template; `linker` finds the templates that it links.
pub fn expand_linked(
    template: &Template,
    parameters: &Parameters,
    context: &Context,
    limits: &Limits,
    linker: &dyn Linker,
) -> Result<Expansion, Vec<TemplateError>> {
    on_large_stack(|| {
        let budget = Budget::new(limits);
        let run = Run { budget: &budget, linker, parts: RefCell::default() };
        run.template(template, &parameters.given, context, 0)
    })
}

thread_local! {
    /// This thread was made by [`with_large_stack`].
    static ON_LARGE_STACK: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` on one thread with room for all the finishing in it, which otherwise takes a thread each time.
pub fn with_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    on_large_stack(|| {
        ON_LARGE_STACK.set(true);
        work()
    })
}

/// Runs `work` where recursion has room. Without a thread to be had it runs here.
pub(crate) fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    if ON_LARGE_STACK.get() {
        return work();
    }
    let slot = std::sync::Mutex::new(Some(work));
    let take = || slot.lock().ok().and_then(|mut slot| slot.take()).map(|work| work());
    let done = std::thread::scope(|scope| {
        let spawned = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, take);
        spawned.ok().map(|thread| thread.join())
    });
    match done {
        Some(Ok(Some(result))) => result,
        Some(Err(panic)) => std::panic::resume_unwind(panic),
        _ => match take() {
            Some(result) => result,
            None => std::panic::resume_unwind(Box::new("the work of an expansion was lost")),
        },
    }
}

/// One expansion with all its nested ones.
struct Run<'r> {
    budget: &'r Budget,
    linker: &'r dyn Linker,
    /// Nested templates by text and place, so that a loop of deployments copies its template once.
    parts: RefCell<HashMap<(usize, u32), Template>>,
}

impl Run<'_> {
    fn template(
        &self,
        template: &Template,
        given: &IndexMap<String, Given>,
        context: &Context,
        depth: usize,
    ) -> Result<Expansion, Vec<TemplateError>> {
        self.shown(template, given, context, depth).map_err(|mut errors| {
            let secrets = hidden::secrets(template, given, context, self.budget);
            errors.iter_mut().for_each(|error| hidden::hide(error, &secrets));
            errors
        })
    }

    /// As [`Run::template`]; its errors may hold secure values.
    fn shown(
        &self,
        template: &Template,
        given: &IndexMap<String, Given>,
        context: &Context,
        depth: usize,
    ) -> Result<Expansion, Vec<TemplateError>> {
        let document = &template.document;
        let one = |fault: EvalError| vec![fault.located(Some(document), "properties.template", None)];
        let sections = Sections::read(&template.root).map_err(one)?;
        self.count(&sections).map_err(one)?;
        if depth == 0 {
            self.syntax(template)?;
        }
        check_names(&sections, given).map_err(one)?;
        let evaluator = Evaluator::new(&sections, given, context, self.budget);
        let mut errors = Vec::new();
        let mut parameters = IndexMap::new();
        for (name, node) in &sections.parameters.list {
            match evaluator.parameter(name) {
                Ok(value) => {
                    let secure = evaluator.is_secure(node) || value.secret;
                    let effective = EffectiveParameter {
                        kind: evaluator.type_word(node),
                        secure,
                        given: evaluator.given(name).is_some(),
                        value: value.to_json(),
                        secret_pointers: value.secret_pointers(),
                    };
                    parameters.insert((*name).to_string(), effective);
                }
                Err(fault) => {
                    errors.push(fault.located(Some(document), &format!("properties.template.parameters.{name}"), None))
                }
            }
        }
        if !errors.is_empty() {
            errors.truncate(MAX_ERRORS);
            return Err(errors);
        }
        let stage =
            Stage { run: self, evaluator: &evaluator, sections: &sections, template, context, loops: &[], depth };
        let resources = stage.resources()?;
        let outputs = stage.outputs()?;
        stage.asserts()?;
        Ok(Expansion { scope_id: context.scope_id(), resources, outputs, parameters })
    }

    /// Every expression of the template and of those written inside it parses, used or not.
    fn syntax(&self, template: &Template) -> Result<(), Vec<TemplateError>> {
        let wrong = syntax::unreadable(&template.root).into_iter().take(MAX_ERRORS);
        let errors: Vec<TemplateError> =
            wrong.map(|(at, fault)| fault.located(Some(&template.document), &azure_path(&at), None)).collect();
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn count(&self, sections: &Sections<'_>) -> Result<(), EvalError> {
        let limits = self.budget.limits();
        for (what, count, most) in [
            ("parameters", sections.parameters.list.len(), limits.parameters),
            ("variables", sections.variables.list.len(), limits.variables),
            ("outputs", sections.outputs.list.len(), limits.outputs),
        ] {
            if count > most {
                return Err(EvalError::limit(format!(
                    "The number of template {what} limit exceeded. Limit: '{most}' and actual: '{count}'. Please see https://aka.ms/arm-template/#{what} for usage details."
                ))
                .says(format!("the template has {count} {what}; Azure allows {most}")));
            }
        }
        Ok(())
    }
}

/// Values for parameters that the template does not have are an error.
fn check_names(sections: &Sections<'_>, given: &IndexMap<String, Given>) -> Result<(), EvalError> {
    let extra: Vec<&str> = given.keys().map(String::as_str).filter(|n| sections.parameters.get(n).is_none()).collect();
    let Some(first) = extra.first() else { return Ok(()) };
    let known: Vec<&str> = sections.parameters.list.iter().map(|(n, _)| *n).collect();
    let fault = EvalError::new(format!(
        "The template parameters '{}' in the parameters file are not valid; they are not present in the original template and can therefore not be provided at deployment time. The only supported parameters for this template are '{}'. Please see https://aka.ms/arm-pass-parameter-values for usage details.",
        extra.join(", "),
        known.join(", ")
    ))
    .says(format!(
        "{} given, and the template has no such parameter",
        match extra.as_slice() {
            [only] => format!("a value for `{only}` is"),
            many => format!("values for {} are", super::eval::listed(many)),
        }
    ));
    Err(match super::eval::nearest(first, &known) {
        Some(near) => fault.help(format!("write `{near}`")),
        None => fault,
    })
}

/// The resources of one template, evaluated in that template or, at outer scope, in the one around it.
struct Stage<'s> {
    run: &'s Run<'s>,
    evaluator: &'s Evaluator<'s>,
    sections: &'s Sections<'s>,
    template: &'s Template,
    /// Where the resources go; not always where the evaluator's functions look.
    context: &'s Context,
    /// Loops around the whole template: an outer-scoped template inside a loop.
    loops: &'s [draft::Turn],
    depth: usize,
}

impl Stage<'_> {
    fn document(&self) -> &Document {
        &self.template.document
    }

    fn error(&self, fault: EvalError, pointer: &str, resource: Option<&str>) -> TemplateError {
        fault.located(Some(self.document()), &azure_path(pointer), resource)
    }

    fn isolated(&self) -> bool {
        std::ptr::eq(self.sections, self.evaluator.sections)
    }
}
