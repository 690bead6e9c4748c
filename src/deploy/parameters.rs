//! Parameter values from all their sources, in one order everywhere: defaults of the template, then the env's values,
//! then parameter files in the order given, then `DSVMC_PARAM_name` variables, then `--set`. The
//! frontend is asked for what is missing after that.

use super::error::CommandError;
use super::frontend::{Frontend, Question};
use super::input::DeployInput;
use dsvm_diagnostics::Code;
use serde_json::{Map, Value, json};

/// A parameter that a template declares.
#[derive(Clone, Debug)]
pub struct ParameterDeclaration {
    /// Name as the template declares it.
    pub name: String,
    /// Type in lower case, such as `securestring`.
    pub kind: String,
    /// It has a default value or accepts `null`.
    pub has_default: bool,
    /// Text of `metadata.description`; empty when there is none.
    pub description: String,
}

impl ParameterDeclaration {
    /// Whether its type is `securestring` or `secureobject`.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.kind.starts_with("secure")
    }
}

/// Reads the object that a template has under `parameters`.
#[must_use]
pub fn declared(parameters: &Value) -> Vec<ParameterDeclaration> {
    let all = parameters.as_object().into_iter().flatten();
    all.map(|(name, p)| {
        let text = |pointer: &str| p.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let nullable = p.get("nullable").and_then(Value::as_bool).unwrap_or(false);
        ParameterDeclaration {
            name: name.clone(),
            kind: text("/type").to_ascii_lowercase(),
            has_default: p.get("defaultValue").is_some() || nullable,
            description: text("/metadata/description"),
        }
    })
    .collect()
}

/// Merges all sources. Returns `{name: {"value": …}}` or `{name: {"reference": …}}` for each parameter that has one.
///
/// `given` are the env's values and parameter files, weakest first; `env` reads an environment variable.
pub fn gather(
    declared: &[ParameterDeclaration],
    given: &[(String, Map<String, Value>)],
    sets: &[String],
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Map<String, Value>, CommandError> {
    let mut values = Map::new();
    for (origin, file) in given {
        for (name, entry) in file {
            let parameter = find(declared, name, origin)?;
            values.insert(parameter.name.clone(), entry.clone());
        }
    }
    for parameter in declared {
        let variable = format!("DSVMC_PARAM_{}", parameter.name);
        if let Some(text) = env(&variable) {
            values.insert(parameter.name.clone(), json!({ "value": typed(parameter, &text, &variable)? }));
        }
    }
    for set in sets {
        // What stands there may be a secret: it is not repeated.
        let Some((name, text)) = set.split_once('=') else {
            return Err(CommandError::input(
                Code::ParameterUnusable,
                "a value was given without the name of its parameter",
                "write it as `--set name=value`",
            ));
        };
        let parameter = find(declared, name.trim(), "--set")?;
        values.insert(parameter.name.clone(), json!({ "value": typed(parameter, text, "--set")? }));
    }
    Ok(values)
}

/// Where the value of a parameter came from, when the sources do not give it: the strongest source that names it.
pub fn origin(name: &str, input: &DeployInput) -> Result<String, CommandError> {
    let same = |other: &str| other.trim().eq_ignore_ascii_case(name);
    if input.set.iter().any(|set| set.split_once('=').is_some_and(|(key, _)| same(key))) {
        return Ok("--set".to_owned());
    }
    let variable = format!("DSVMC_PARAM_{name}");
    if std::env::var_os(&variable).is_some() {
        return Ok(variable);
    }
    for argument in input.parameters.iter().rev() {
        let (path, values) = read_file(argument)?;
        if values.keys().any(|key| same(key)) {
            return Ok(format!("values of {path}"));
        }
    }
    Ok("the answer".to_owned())
}

/// Whether a parameter of this name is declared; case does not matter.
#[must_use]
pub fn has(declared: &[ParameterDeclaration], name: &str) -> bool {
    declared.iter().any(|d| d.name.eq_ignore_ascii_case(name.trim()))
}

fn find<'a>(
    declared: &'a [ParameterDeclaration],
    name: &str,
    origin: &str,
) -> Result<&'a ParameterDeclaration, CommandError> {
    if let Some(parameter) = declared.iter().find(|d| d.name.eq_ignore_ascii_case(name)) {
        return Ok(parameter);
    }
    let near = declared
        .iter()
        .map(|d| (strsim::osa_distance(&d.name.to_lowercase(), &name.to_lowercase()), d))
        .min_by_key(|(n, _)| *n);
    let help = match near {
        Some((distance, d)) if distance <= (name.len() / 3).max(1) => format!("did you mean `{}`?", d.name),
        _ if declared.is_empty() => "the template has no parameters: leave it out".to_owned(),
        _ => format!(
            "parameters of the template: {}",
            declared.iter().map(|d| format!("`{}`", d.name)).collect::<Vec<_>>().join(", ")
        ),
    };
    Err(CommandError::input(Code::ParameterUnusable, format!("there is no parameter `{name}` (from {origin})"), help))
}

fn typed(parameter: &ParameterDeclaration, text: &str, origin: &str) -> Result<Value, CommandError> {
    let wrong = |what: &str| {
        CommandError::input(
            Code::ParameterUnusable,
            format!("the value of parameter `{}` is not {what} (from {origin})", parameter.name),
            "write lists and objects as JSON",
        )
    };
    match parameter.kind.as_str() {
        "int" => text.trim().parse::<i64>().map(Value::from).map_err(|_| wrong("an int")),
        "bool" => match text.trim().to_ascii_lowercase().as_str() {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(wrong("`true` or `false`")),
        },
        "array" => serde_json::from_str::<Value>(text).ok().filter(Value::is_array).ok_or_else(|| wrong("a list")),
        "object" | "secureobject" => {
            serde_json::from_str::<Value>(text).ok().filter(Value::is_object).ok_or_else(|| wrong("an object"))
        }
        _ => Ok(Value::from(text)),
    }
}

/// Adds a value for each parameter without one: asks the frontend, else uses `fallback(name, is_secret)`.
///
/// # Errors
/// A parameter stays without a value, or an answer has the wrong type.
pub fn complete(
    declared: &[ParameterDeclaration],
    values: &mut Map<String, Value>,
    fallback: &dyn Fn(&str, bool) -> Option<Value>,
    frontend: &mut dyn Frontend,
) -> Result<(), CommandError> {
    let missing: Vec<&ParameterDeclaration> =
        declared.iter().filter(|d| !d.has_default && !values.contains_key(&d.name)).collect();
    let may_ask = frontend.can_ask();
    let mut left = Vec::new();
    for parameter in missing {
        if may_ask {
            let text = ask(parameter, frontend)?;
            values.insert(parameter.name.clone(), json!({ "value": typed(parameter, &text, "the prompt")? }));
        } else if let Some(value) = fallback(&parameter.name, parameter.is_secret()) {
            values.insert(parameter.name.clone(), json!({ "value": value }));
        } else {
            left.push(parameter.name.as_str());
        }
    }
    match left.as_slice() {
        [] => Ok(()),
        [one] => Err(CommandError::input(
            Code::ParameterMissing,
            format!("parameter `{one}` has no value"),
            format!(
                "give it with `--set {one}=…`, `--parameters @file.json`, the variable DSVMC_PARAM_{one}, or an `env` block"
            ),
        )),
        many => Err(CommandError::input(
            Code::ParameterMissing,
            format!(
                "{} parameters have no value: {}",
                many.len(),
                many.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
            ),
            "give them with `--set name=…`, `--parameters @file.json`, variables DSVMC_PARAM_name, or an `env` block",
        )),
    }
}

fn ask(parameter: &ParameterDeclaration, frontend: &mut dyn Frontend) -> Result<String, CommandError> {
    let question = Question {
        explanation: parameter.description.lines().next().unwrap_or_default(),
        prompt: &format!("{}: ", parameter.name),
        secret: parameter.is_secret(),
    };
    frontend
        .ask(&question)
        .map_err(|e| CommandError::environment(Code::ParameterMissing, format!("the answer cannot be read: {e}"), ""))
}

/// Reads JSON the way Azure does: comments, trailing commas and multi-line strings are accepted.
///
/// # Errors
/// Describes what is not JSON, and where.
pub fn lenient(text: &str) -> Result<Value, String> {
    arm_template::json::read(text).map(|node| node.to_value()).map_err(|e| e.to_string())
}

/// Reads a parameter file: Azure's form, or a bare object of values.
pub fn read_file(argument: &str) -> Result<(String, Map<String, Value>), CommandError> {
    let path = argument.strip_prefix('@').unwrap_or(argument);
    let bad = |why: String| {
        CommandError::input(
            Code::ParameterUnusable,
            format!("the parameter file `{path}` cannot be used: {why}"),
            "write it as Azure's parameter files are written, or as a JSON object of names and values",
        )
    };
    let bytes = std::fs::read(path).map_err(|e| bad(e.to_string()))?;
    let json = lenient(&arm_template::json::decode(&bytes)).map_err(bad)?;
    Ok((path.to_owned(), entries(&json).ok_or_else(|| bad("it is not an object".to_owned()))?))
}

/// The entries of a parameter file as `{name: {"value": …}}`.
#[must_use]
pub fn entries(json: &Value) -> Option<Map<String, Value>> {
    let root = json.as_object()?;
    if let Some(parameters) = root.get("parameters").and_then(Value::as_object) {
        return Some(parameters.clone());
    }
    let is_entry = |v: &Value| v.as_object().is_some_and(|o| o.contains_key("value") || o.contains_key("reference"));
    let plain = root.iter().filter(|(k, _)| !k.starts_with('$') && *k != "contentVersion");
    Some(plain.map(|(k, v)| (k.clone(), if is_entry(v) { v.clone() } else { json!({ "value": v }) })).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template() -> Vec<ParameterDeclaration> {
        declared(&json!({
            "size": { "type": "string" }, "count": { "type": "int", "defaultValue": 1 }, "key": { "type": "securestring" }, "zones": { "type": "array" } }))
    }

    #[test]
    fn the_strongest_source_wins() {
        let file = |v: &str| (v.to_owned(), entries(&json!({ "size": v, "count": 1 })).unwrap());
        let env = |name: &str| (name == "DSVMC_PARAM_count").then(|| "7".to_owned());
        let values = gather(&template(), &[file("a"), file("b")], &["size=c".into()], &env).unwrap();
        assert_eq!(values["size"]["value"], "c");
        assert_eq!(values["count"]["value"], 7);
        let values = gather(&template(), &[file("a"), file("b")], &[], &|_| None).unwrap();
        assert_eq!(values["size"]["value"], "b");
    }

    #[test]
    fn values_get_the_type_that_is_declared() {
        let set = |text: &str| gather(&template(), &[], &[text.to_owned()], &|_| None);
        assert_eq!(set("zones=[\"1\"]").unwrap()["zones"]["value"], json!(["1"]));
        assert_eq!(set("SIZE=5").unwrap()["size"]["value"], "5");
        let message = |text: &str| set(text).unwrap_err().title();
        assert_eq!(message("count=many"), "the value of parameter `count` is not an int (from --set)");
        assert_eq!(message("sise=1"), "there is no parameter `sise` (from --set)");
        assert!(!format!("{:?}", set("keys=sentinel").unwrap_err()).contains("sentinel"));
    }

    #[test]
    fn a_definition_says_the_type_and_whether_null_will_do() {
        let template = json!({
            "parameters": { "locks": { "$ref": "#/definitions/locks" }, "size": { "$ref": "#/definitions/size" }, "own": { "$ref": "#/definitions/size", "nullable": true },
                "round": { "$ref": "#/definitions/round" } },
            "definitions": { "locks": { "$ref": "#/definitions/list", "nullable": true }, "list": { "type": "array" }, "size": { "type": "int" },
                "round": { "$ref": "#/definitions/round" } } });
        let found = declared(crate::deploy::compiled::Template::from(&template).parameters());
        let of = |name: &str| found.iter().find(|p| p.name == name).map(|p| (p.kind.as_str(), p.has_default)).unwrap();
        assert_eq!(of("locks"), ("array", true));
        assert_eq!(of("size"), ("int", false));
        assert_eq!(of("own"), ("int", true));
        assert_eq!(of("round"), ("", false));
    }

    #[test]
    fn key_vault_references_pass_as_they_are() {
        let reference = json!({ "reference": { "keyVault": { "id": "/x" }, "secretName": "s" } });
        let file = entries(&json!({ "$schema": "x", "parameters": { "key": reference } })).unwrap();
        assert_eq!(gather(&template(), &[("f".into(), file)], &[], &|_| None).unwrap()["key"], reference);
    }
}
