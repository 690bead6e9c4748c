//! Functions on URIs, and on availability zones.

use super::args::{at, int, scalar, string, wrong_type};
use super::{Function, Group, plain};
use crate::error::EvalError;
use crate::value::{Value, ValueKind};
use percent_encoding::percent_decode_str;
use url::Url;

pub(super) static FUNCTIONS: &[Function] = &[
    plain(Group::String, "uri", 2, Some(2), |a, _| {
        let (base, relative) = (string("uri", a, 0)?, string("uri", a, 1)?);
        let joined =
            Url::parse(base).and_then(|b| b.join(relative)).map_err(|e| not_a_uri("uri", base, &e.to_string()))?;
        Ok(Value::str(joined.to_string()))
    }),
    plain(Group::String, "buildUri", 1, Some(1), |a, _| build_uri(at(a, 0)).map(Value::str)),
    plain(Group::String, "parseUri", 1, Some(1), |a, _| {
        let text = string("parseUri", a, 0)?;
        let url = Url::parse(text).map_err(|e| not_a_uri("parseUri", text, &e.to_string()))?;
        let path = match url.path() {
            "/" => None,
            path => Some(percent_decode_str(path).decode_utf8_lossy().into_owned()),
        };
        let mut members = vec![
            ("scheme", Value::str(url.scheme())),
            ("host", url.host_str().map_or(Value::NULL, Value::str)),
            ("port", url.port().map_or(Value::NULL, |p| Value::int(i64::from(p)))),
        ];
        members.extend(path.map(|path| ("path", Value::str(path))));
        members.extend(url.query().map(|query| ("query", Value::str(format!("?{query}")))));
        Value::object(members.into_iter().map(|(k, v)| (k.into(), v)).collect())
    }),
    plain(Group::Resource, "pickZones", 3, Some(5), pick_zones),
    plain(Group::Resource, "toLogicalZone", 3, Some(3), |a, _| {
        let (location, zone) = (region(string("toLogicalZone", a, 1)?), string("toLogicalZone", a, 2)?);
        let logical = zone.to_ascii_lowercase().strip_prefix(&format!("{location}-az")).map(str::to_string);
        Ok(Value::str(
            logical.filter(|z| zoned(&location) && matches!(z.as_str(), "1" | "2" | "3")).unwrap_or_default(),
        ))
    }),
    plain(Group::Resource, "toPhysicalZone", 3, Some(3), |a, _| {
        let (location, zone) = (region(string("toPhysicalZone", a, 1)?), string("toPhysicalZone", a, 2)?);
        let known = zoned(&location) && matches!(&**zone, "1" | "2" | "3");
        Ok(Value::str(if known { format!("{location}-az{zone}") } else { String::new() }))
    }),
];

/// Regions with availability zones (Azure documentation, list of regions, 2026).
const ZONED: &[&str] = &[
    "australiaeast",
    "austriaeast",
    "belgiumcentral",
    "brazilsouth",
    "canadacentral",
    "centralindia",
    "centralus",
    "chilecentral",
    "chinanorth3",
    "denmarkeast",
    "eastasia",
    "eastus",
    "eastus2",
    "eastus2euap",
    "francecentral",
    "germanywestcentral",
    "indonesiacentral",
    "israelcentral",
    "italynorth",
    "japaneast",
    "japanwest",
    "koreacentral",
    "malaysiawest",
    "mexicocentral",
    "newzealandnorth",
    "northeurope",
    "norwayeast",
    "polandcentral",
    "qatarcentral",
    "southafricanorth",
    "southcentralus",
    "southeastasia",
    "spaincentral",
    "swedencentral",
    "switzerlandnorth",
    "uaenorth",
    "uksouth",
    "usgovvirginia",
    "westeurope",
    "westus2",
    "westus3",
];

fn region(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase()
}

fn zoned(location: &str) -> bool {
    ZONED.contains(&location)
}

fn pick_zones(args: &[Value], _: &crate::budget::Budget) -> Result<Value, EvalError> {
    string("pickZones", args, 0)?;
    string("pickZones", args, 1)?;
    let location = region(string("pickZones", args, 2)?);
    let count = if args.len() > 3 { int("pickZones", args, 3)? } else { 1 };
    let offset = if args.len() > 4 { int("pickZones", args, 4)? } else { 0 };
    if !(0..=3).contains(&count) || !(0..=3).contains(&offset) {
        return Err(EvalError::new(
            "The template language function 'pickZones' was invoked with a number of zones that is not valid.",
        )
        .says("`pickZones` gives up to 3 zones"));
    }
    if !zoned(&location) {
        return Value::array(Vec::new());
    }
    Value::array((offset..3).take(count as usize).map(|z| Value::str((z + 1).to_string())).collect())
}

fn not_a_uri(function: &str, text: &str, why: &str) -> EvalError {
    let shown: String = text.chars().take(80).collect();
    EvalError::new(format!("The template language function '{function}' was invoked with a URI that is not valid."))
        .says(format!("`{shown}` is not an absolute URI: {why}"))
}

fn build_uri(val: &Value) -> Result<String, EvalError> {
    let object = val.as_object().ok_or_else(|| wrong_type("buildUri", "Object", val))?;
    let part = |key: &str| object.get(key).filter(|v| !v.is_null()).and_then(scalar).filter(|s| !s.is_empty());
    let missing = |key: &str| {
        EvalError::new(format!("The template language function 'buildUri' expects the property '{key}'."))
            .says(format!("the object given to `buildUri` has no `{key}`"))
    };
    let scheme = part("scheme").ok_or_else(|| missing("scheme"))?;
    let host = part("host").ok_or_else(|| missing("host"))?;
    let port = match object.get("port").map(|v| &v.kind) {
        Some(ValueKind::Int(port)) if !default_port(&scheme, *port) => format!(":{port}"),
        Some(ValueKind::Str(port)) if !port.is_empty() => format!(":{port}"),
        _ => String::new(),
    };
    let path = match part("path") {
        Some(path) if path.starts_with('/') => path,
        Some(path) => format!("/{path}"),
        None => "/".to_string(),
    };
    let query = match part("query") {
        Some(query) if query.starts_with('?') => query,
        Some(query) => format!("?{query}"),
        None => String::new(),
    };
    Ok(format!("{scheme}://{host}{port}{path}{query}"))
}

fn default_port(scheme: &str, port: i64) -> bool {
    matches!((scheme, port), ("https", 443) | ("http", 80)) || port < 0
}
