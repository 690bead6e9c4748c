//! ARM templates around definitions: parameters, variables and functions are evaluated by the template engine, so that what
//! is imported is what the template would have created.

use super::write::Document;
use arm_template::{Context, Limits, Template, expand, parse_parameters};
use serde_json::{Map, Value as Json, json};

/// Whether it is a template; its schema tells.
fn is_template(json: &Json) -> bool {
    let schema = json.get("$schema").and_then(Json::as_str).unwrap_or("").to_ascii_lowercase();
    schema.contains("deploymenttemplate.json") && json.get("resources").is_some()
}

/// A template's resources as they would be created; anything else as it is. A template that cannot be evaluated is read as
/// it is written, and the reason is reported.
pub fn evaluated(file: &str, json: &Json, document: &mut Document) -> Json {
    if !is_template(json) {
        return json.clone();
    }
    match resources(json, document) {
        Ok(resources) => json!({ "resources": resources }),
        Err(reason) => {
            document.warn(&format!(
                "the template `{file}` could not be evaluated ({reason}): its expressions stand as they are"
            ));
            json.clone()
        }
    }
}

fn resources(json: &Json, document: &mut Document) -> Result<Vec<Json>, String> {
    let said = |errors: Vec<arm_template::TemplateError>| {
        errors.into_iter().next().map_or_else(String::new, |error| error.sentence.trim_end_matches('.').to_owned())
    };
    let template = Template::from_json(json).map_err(said)?;
    let mut given = Map::new();
    for (name, kind, required) in template.parameters() {
        if required {
            given.insert(name.clone(), json!({ "value": stand_in(&name, &kind, document) }));
        }
    }
    let parameters = parse_parameters(&Json::Object(given).to_string()).map_err(said)?;
    // Nobody knows where it is deployed: what depends on that stays an expression.
    let context = Context::resource_group("00000000-0000-0000-0000-000000000000", "group");
    let expansion = expand(&template, &parameters, &context, &Limits::default()).map_err(said)?;
    Ok(expansion
        .resources
        .into_iter()
        .filter(|resource| !resource.existing)
        .map(|resource| {
            let mut body = resource.body;
            for pointer in &resource.secret_pointers {
                if let Some(secret) = body.pointer_mut(pointer) {
                    *secret = Json::String("(a secret, left out)".to_owned());
                }
            }
            if let Json::Object(map) = &mut body {
                // Children stand beside their parents now, under their full names.
                map.insert("type".to_owned(), Json::String(resource.resource_type));
                map.insert("name".to_owned(), Json::String(resource.name));
            }
            body
        })
        .collect())
}

/// The value of a parameter that has none: text keeps saying which parameter it is.
fn stand_in(name: &str, kind: &str, document: &mut Document) -> Json {
    let (value, shown) = match kind.to_ascii_lowercase().as_str() {
        "int" => (json!(0), "0"),
        "bool" => (json!(false), "false"),
        "array" => (json!([]), "an empty list"),
        "object" | "secureobject" => (json!({}), "an empty object"),
        _ => return Json::String(format!("<{name}>")),
    };
    document.warn(&format!("the parameter `{name}` of the template has no value: {shown} is used in its place"));
    value
}
