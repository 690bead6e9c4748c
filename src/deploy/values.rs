//! The parameter values of every deployment: gathered from all sources, completed, and checked by the compiler.

use super::compiled::{CompiledProject, Template};
use super::error::CommandError;
use super::frontend::Frontend;
use super::input::DeployInput;
use super::parameters::{self, ParameterDeclaration};
use crate::driver::{self, GivenValue, World};
use arm_apply::StateDir;
use dsvm_diagnostics::{Code, Severity};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One deployment as it would be sent.
#[derive(Clone, Debug, Default)]
pub struct ReadyPart {
    /// Name of its stack.
    pub name: String,
    /// The template that is sent.
    pub template: Arc<Template>,
    /// The template's text, for messages with positions; empty when the template was generated.
    pub text: String,
    /// `{name: {"value": …}}` or `{name: {"reference": …}}`
    pub parameters: Value,
}

/// Adds values for declared parameters that have none, or fails.
type Complete<'a> = &'a mut dyn FnMut(&[ParameterDeclaration], &mut Map<String, Value>) -> Result<(), CommandError>;

/// The values of every deployment. The frontend is asked for missing ones; on the local endpoint a secret that nobody
/// gave gets a value derived from its name.
///
/// # Errors
/// A value is missing or has the wrong type, or the sources are wrong with these values.
pub fn complete(
    project: &CompiledProject,
    input: &DeployInput,
    state: &StateDir,
    local: bool,
    world: &dyn World,
    frontend: &mut dyn Frontend,
) -> Result<Vec<ReadyPart>, CommandError> {
    let mut generated = Vec::new();
    let salt = state.salt();
    let parts = gather(project, input, &mut |declared, values| {
        let names = std::cell::RefCell::new(&mut generated);
        let fallback = |name: &str, secret: bool| {
            (local && secret).then(|| {
                names.borrow_mut().push(name.to_owned());
                let print = arm_plan::fingerprint(&Value::from(name), &salt);
                Value::from(format!("Local1-{}", print.chars().take(20).collect::<String>()))
            })
        };
        parameters::complete(declared, values, &fallback, frontend)
    })?;
    check(project, input, &parts, world)?;
    generated.sort();
    generated.dedup();
    for name in generated {
        frontend.note(&format!("secret `{name}` has no value; the local endpoint gets a generated one"));
    }
    Ok(parts)
}

/// The values that are known without asking, with an empty text for each secret; `None` when any other one is missing.
#[must_use]
pub fn known(project: &CompiledProject, input: &DeployInput) -> Option<Vec<ReadyPart>> {
    let fill = &mut |declared: &[ParameterDeclaration], values: &mut Map<String, Value>| {
        let open: Vec<_> = declared.iter().filter(|d| !d.has_default && !values.contains_key(&d.name)).collect();
        for parameter in open {
            if !parameter.is_secret() {
                return Err(CommandError::input(Code::ParameterMissing, "a parameter has no value", ""));
            }
            values.insert(parameter.name.clone(), json!({ "value": "" }));
        }
        Ok(())
    };
    gather(project, input, fill).ok()
}

/// The values of the env alone, with a placeholder for each parameter that has neither value nor default: the same on every
/// machine, whatever its environment variables are.
///
/// # Errors
/// The env names a parameter that the template does not declare.
pub fn placeholders(project: &CompiledProject) -> Result<Vec<ReadyPart>, CommandError> {
    let parts = project.parts.iter().enumerate().map(|(index, part)| {
        let declarations = part.template.parameters();
        let declared = parameters::declared(declarations);
        let mut values = parameters::gather(&declared, &part.given, &[], &|_| None)?;
        for parameter in declared.iter().filter(|d| d.is_secret() || !d.has_default) {
            let declaration = declarations.get(&parameter.name).cloned().unwrap_or_default();
            values
                .entry(parameter.name.clone())
                .or_insert_with(|| json!({ "value": placeholder(parameter, &declaration) }));
        }
        Ok(ReadyPart {
            name: project.stack_name(index),
            template: Arc::clone(&part.template),
            text: part.text.clone(),
            parameters: Value::Object(values),
        })
    });
    parts.collect()
}

/// A value that the declaration allows, and that shows whose it is where it is a text.
fn placeholder(parameter: &ParameterDeclaration, declaration: &Value) -> Value {
    if let Some(first) = declaration.pointer("/allowedValues/0") {
        return first.clone();
    }
    let limit = |name: &str| declaration.get(name).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    match parameter.kind.as_str() {
        "int" => declaration.get("minValue").or(declaration.get("maxValue")).cloned().unwrap_or(json!(0)),
        "bool" => json!(false),
        "array" => json!([]),
        "object" | "secureobject" => json!({}),
        _ => {
            let mut text: String = format!("<{}>", parameter.name);
            // A limit of megabytes is nobody's.
            let least = limit("minLength").unwrap_or(0).min(1000);
            text.extend(std::iter::repeat_n('.', least.saturating_sub(text.chars().count())));
            Value::from(text.chars().take(limit("maxLength").unwrap_or(usize::MAX)).collect::<String>())
        }
    }
}

fn gather(
    project: &CompiledProject,
    input: &DeployInput,
    complete: Complete<'_>,
) -> Result<Vec<ReadyPart>, CommandError> {
    let files = input.parameters.iter().map(|a| parameters::read_file(a)).collect::<Result<Vec<_>, _>>()?;
    let mut parts = Vec::new();
    let several = project.parts.len() > 1;
    for (index, part) in project.parts.iter().enumerate() {
        let declared = parameters::declared(part.template.parameters());
        let mut given = part.given.clone();
        // When there are several deployments, each takes only the parameters that it declares.
        let mine = |(origin, map): &(String, Map<String, Value>)| {
            let kept = map
                .iter()
                .filter(|(k, _)| !several || parameters::has(&declared, k))
                .map(|(k, v)| (k.clone(), v.clone()));
            (origin.clone(), kept.collect::<Map<_, _>>())
        };
        given.extend(files.iter().map(mine));
        let sets: Vec<String> = input
            .set
            .iter()
            .filter(|s| !several || parameters::has(&declared, s.split('=').next().unwrap_or_default()))
            .cloned()
            .collect();
        let mut values = parameters::gather(&declared, &given, &sets, &|name| std::env::var(name).ok())?;
        complete(&declared, &mut values)?;
        parts.push(ReadyPart {
            name: project.stack_name(index),
            template: Arc::clone(&part.template),
            text: part.text.clone(),
            parameters: Value::Object(values),
        });
    }
    Ok(parts)
}

/// Checks the values that do not come from the sources as if the env had set them: what `check` rejects
/// cannot be deployed from a command line.
fn check(
    project: &CompiledProject,
    input: &DeployInput,
    parts: &[ReadyPart],
    world: &dyn World,
) -> Result<(), CommandError> {
    let Some(path) = &project.path else { return Ok(()) };
    let mut given: BTreeMap<(String, String), GivenValue> = BTreeMap::new();
    for (part, ready) in project.parts.iter().zip(parts) {
        let set = |name: &str| part.given.iter().rev().find_map(|(_, values)| values.get(name));
        for parameter in parameters::declared(part.template.parameters()).iter().filter(|p| !p.is_secret()) {
            let name = parameter.name.as_str();
            let entry = ready.parameters.get(name).filter(|entry| set(name) != Some(*entry));
            if let Some(value) = entry.and_then(|entry| entry.get("value")) {
                let origin = parameters::origin(name, input)?;
                let key = (origin.clone(), name.to_owned());
                given.insert(key, GivenValue { name: name.to_owned(), value: value.clone(), origin });
            }
        }
    }
    if given.is_empty() {
        return Ok(());
    }
    let given: Vec<GivenValue> = given.into_values().collect();
    let checked = driver::check_given(world, path, &project.env, &given)?;
    let errors: Vec<_> = checked.diagnostics.iter().filter(|d| d.severity == Severity::Error).cloned().collect();
    if errors.is_empty() { Ok(()) } else { Err(CommandError::diagnostics(checked.sources, errors)) }
}
