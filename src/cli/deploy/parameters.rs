//! Parameter values from all their sources, in one order everywhere: defaults of the template, then the env's values,
//! then parameter files in the order given, then `DSVMC_PARAM_name` variables, then `--set`. What is missing after that
//! is asked for on a terminal.

use super::{Halt, What};
use crate::cli::Context;
use crate::cli::interrupt;
use crate::render::layout::wrap;
use dsvm_diagnostics::Code;
use serde_json::{Map, Value, json};
use std::io::{BufRead, IsTerminal, Write};

/// A declared parameter.
#[derive(Clone, Debug)]
pub struct Declared {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) has_default: bool,
    description: String,
}

impl Declared {
    pub(super) fn is_secret(&self) -> bool {
        self.kind.starts_with("secure")
    }
}

/// What a template declares under `parameters`.
#[must_use]
pub fn declared(parameters: &Value) -> Vec<Declared> {
    let all = parameters.as_object().into_iter().flatten();
    all.map(|(name, p)| {
        let text = |pointer: &str| p.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let nullable = p.get("nullable").and_then(Value::as_bool).unwrap_or(false);
        Declared {
            name: name.clone(),
            kind: text("/type").to_ascii_lowercase(),
            has_default: p.get("defaultValue").is_some() || nullable,
            description: text("/metadata/description"),
        }
    })
    .collect()
}

/// Puts all sources together. Gives `{name: {"value": …}}` or `{name: {"reference": …}}` for each parameter that has one.
///
/// `given` are the env's values and parameter files, weakest first; `env` reads an environment variable.
pub fn gather(
    declared: &[Declared],
    given: &[(String, Map<String, Value>)],
    sets: &[String],
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Map<String, Value>, Halt> {
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
        let Some((name, text)) = set.split_once('=') else {
            return Err(Halt::input(
                Code::ParameterUnusable,
                format!("`--set {set}` has no `=`"),
                "write it as `--set name=value`",
            ));
        };
        let parameter = find(declared, name.trim(), "--set")?;
        values.insert(parameter.name.clone(), json!({ "value": typed(parameter, text, "--set")? }));
    }
    Ok(values)
}

/// Where the value of a parameter came from, when the sources do not give it: the strongest source that names it.
pub fn origin(name: &str, what: &What) -> Result<String, Halt> {
    let same = |other: &str| other.trim().eq_ignore_ascii_case(name);
    if what.set.iter().any(|set| set.split_once('=').is_some_and(|(key, _)| same(key))) {
        return Ok("--set".to_owned());
    }
    let variable = format!("DSVMC_PARAM_{name}");
    if std::env::var_os(&variable).is_some() {
        return Ok(variable);
    }
    for argument in what.parameters.iter().rev() {
        let (path, values) = read_file(argument)?;
        if values.keys().any(|key| same(key)) {
            return Ok(format!("values of {path}"));
        }
    }
    Ok("the answer".to_owned())
}

/// Whether a parameter of this name is declared.
#[must_use]
pub fn has(declared: &[Declared], name: &str) -> bool {
    declared.iter().any(|d| d.name.eq_ignore_ascii_case(name.trim()))
}

fn find<'a>(declared: &'a [Declared], name: &str, origin: &str) -> Result<&'a Declared, Halt> {
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
    Err(Halt::input(Code::ParameterUnusable, format!("there is no parameter `{name}` (from {origin})"), help))
}

fn typed(parameter: &Declared, text: &str, origin: &str) -> Result<Value, Halt> {
    let shown = if parameter.is_secret() { "(secret)" } else { text };
    let wrong = |what: &str| {
        Halt::input(
            Code::ParameterUnusable,
            format!("parameter `{}` is {what}, not `{shown}` (from {origin})", parameter.name),
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

/// Asks for what is missing, or says that it is missing.
pub fn complete(
    declared: &[Declared],
    values: &mut Map<String, Value>,
    fallback: &dyn Fn(&str, bool) -> Option<Value>,
    cx: &mut Context,
) -> Result<(), Halt> {
    let missing: Vec<&Declared> = declared.iter().filter(|d| !d.has_default && !values.contains_key(&d.name)).collect();
    let may_ask = std::io::stdin().is_terminal() && cx.printer.interactive();
    let mut left = Vec::new();
    for parameter in missing {
        if may_ask {
            let text = ask(parameter, cx)?;
            values.insert(parameter.name.clone(), json!({ "value": typed(parameter, &text, "the prompt")? }));
        } else if let Some(value) = fallback(&parameter.name, parameter.is_secret()) {
            values.insert(parameter.name.clone(), json!({ "value": value }));
        } else {
            left.push(parameter.name.as_str());
        }
    }
    match left.as_slice() {
        [] => Ok(()),
        [one] => Err(Halt::input(
            Code::ParameterMissing,
            format!("parameter `{one}` has no value"),
            format!(
                "give it with `--set {one}=…`, `--parameters @file.json`, the variable DSVMC_PARAM_{one}, or an `env` block"
            ),
        )),
        many => Err(Halt::input(
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

fn ask(parameter: &Declared, cx: &mut Context) -> Result<String, Halt> {
    if !parameter.description.is_empty() {
        let text = crate::render::plan::clean(parameter.description.lines().next().unwrap_or_default());
        let width = cx.printer.columns();
        cx.printer.say(&format!("{}\n", wrap(&text, if width == 0 { usize::MAX } else { width }, "")));
    }
    let prompt = format!("{}: ", parameter.name);
    let failed = |e: std::io::Error| Halt::world(Code::ParameterMissing, format!("the answer cannot be read: {e}"), "");
    if parameter.is_secret() {
        return interrupt::secret(&prompt).map_err(failed);
    }
    let _question = interrupt::question();
    let _ = write!(std::io::stderr(), "{prompt}");
    let _ = std::io::stderr().flush();
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(failed)?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

/// Reads a parameter file: Azure's form, or a bare object of values.
pub fn read_file(argument: &str) -> Result<(String, Map<String, Value>), Halt> {
    let path = argument.strip_prefix('@').unwrap_or(argument);
    let bad = |why: String| {
        Halt::input(
            Code::ParameterUnusable,
            format!("the parameter file `{path}` cannot be used: {why}"),
            "write it as Azure's parameter files are written, or as a JSON object of names and values",
        )
    };
    let text = std::fs::read_to_string(path).map_err(|e| bad(e.to_string()))?;
    let json = super::bundle::lenient(&text).map_err(bad)?;
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

    fn template() -> Vec<Declared> {
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
        let told = |text: &str| set(text).unwrap_err().report.unwrap().to_string();
        assert_eq!(told("count=many"), "parameter `count` is an int, not `many` (from --set)");
        assert_eq!(told("sise=1"), "there is no parameter `sise` (from --set)");
        assert!(!format!("{:?}", set("keys=sentinel").unwrap_err()).contains("sentinel"));
    }

    #[test]
    fn key_vault_references_pass_as_they_are() {
        let reference = json!({ "reference": { "keyVault": { "id": "/x" }, "secretName": "s" } });
        let file = entries(&json!({ "$schema": "x", "parameters": { "key": reference } })).unwrap();
        assert_eq!(gather(&template(), &[("f".into(), file)], &[], &|_| None).unwrap()["key"], reference);
    }
}
