//! Values of the language as JSON of a template.

use super::expr::Text;
use super::ids::role_definition;
use super::json::{Json, Map, json as json_of};
use super::names::Resolver;
use dsvm_model::facts::Image;
use dsvm_model::units::Seconds;
use dsvm_sema::table::{View, facts};
use dsvm_sema::value::{BlockId, Deploy, Value};

/// A value as text: a literal, or an expression.
pub(crate) fn text(value: &Value, resolver: &Resolver<'_, '_>) -> Text {
    match value {
        Value::Deferred(deferred) => match written(&deferred.expr, resolver) {
            Some(known) => Text::Literal(known),
            None => Text::Expression(deploy(&deferred.expr, resolver)),
        },
        Value::Ref(id) => reference(*id, resolver),
        other => Text::Literal(plain(other)),
    }
}

/// What an expression comes to, when it only joins texts that are written here: `"${team.name}/monitor"` of a pool with a
/// name of its own making.
fn written(expr: &Deploy, resolver: &Resolver<'_, '_>) -> Option<String> {
    match expr {
        Deploy::Call(function, parts) if &**function == "concat" => {
            parts.iter().map(|part| written(part, resolver)).collect()
        }
        Deploy::Constant(Value::String(text)) => Some(text.to_string()),
        Deploy::Constant(Value::Deferred(inner)) => written(&inner.expr, resolver),
        Deploy::Attribute(block, name) => resolver.find(*block, name)?.known().map(str::to_owned),
        _ => None,
    }
}

/// A value as JSON.
pub(crate) fn json(value: &Value, resolver: &Resolver<'_, '_>) -> Json {
    match value {
        Value::Null | Value::Error => Json::Null,
        Value::Bool(b) => Json::Bool(*b),
        Value::Int(i) | Value::Size(i) | Value::Duration(i) => Json::Int(*i),
        Value::Decimal(d) | Value::Percent(d) => decimal(d),
        Value::List(list) => Json::Array(list.iter().map(|v| json(v, resolver)).collect()),
        Value::Record(record) => {
            Json::Object(record.iter().map(|(k, v)| (k.to_string().into(), json(v, resolver))).collect::<Map>())
        }
        Value::Ref(id) => reference_json(*id, resolver),
        other => Json::from(text(other, resolver)),
    }
}

/// A block mentioned as a value: its id, the definition of a role, the id of a gallery's image; else its name.
fn reference(id: BlockId, resolver: &Resolver<'_, '_>) -> Text {
    let block = &resolver.checked[id];
    let role = View::<facts::Role>::new(block).and_then(|role| role.id());
    let image = View::<facts::Image>::new(block).and_then(|image| image.id());
    match (role, image) {
        (Some(role), _) => role_definition(role),
        (None, Some(image)) => text(image.value(), resolver),
        (None, None) => resolver.reference_text(id),
    }
}

/// The same where a record may stand: an image of the Marketplace is the reference that Azure takes.
fn reference_json(id: BlockId, resolver: &Resolver<'_, '_>) -> Json {
    let image = View::<facts::Image>::new(&resolver.checked[id]).map(Image);
    match image.and_then(|image| Some((image, image.marketplace()?))) {
        Some((image, (publisher, offer, sku))) if image.id().is_none() => {
            let version = image.version().map_or(Json::from("latest"), |version| Json::from(text(version, resolver)));
            json_of!({ "publisher": publisher, "offer": offer, "sku": sku, "version": version })
        }
        _ => Json::from(reference(id, resolver)),
    }
}

/// A decimal as a JSON number: whole ones without a point.
pub(crate) fn decimal(d: &rust_decimal::Decimal) -> Json {
    use rust_decimal::prelude::ToPrimitive;
    let d = d.normalize();
    match (d.is_integer(), d.to_i64(), d.to_f64().filter(|f| f.is_finite())) {
        (true, Some(whole), _) => Json::Int(whole),
        (_, _, Some(number)) => Json::Float(number),
        _ => Json::from(d.to_string()),
    }
}

/// A known value as people and Azure write it.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Bool(b) => b.to_string(),
        Value::Int(i) | Value::Size(i) | Value::Duration(i) => i.to_string(),
        Value::Decimal(d) | Value::Percent(d) => d.normalize().to_string(),
        Value::String(s) => s.to_string(),
        Value::Cidr(net) => net.to_string(),
        Value::Ip(ip) => ip.to_string(),
        Value::Date(date) => date.to_string(),
        Value::Time(minutes) => format!("{:02}:{:02}", minutes / 60, minutes % 60),
        _ => String::new(),
    }
}

/// An expression of the template language.
pub(crate) fn deploy(expr: &Deploy, resolver: &Resolver<'_, '_>) -> String {
    match expr {
        Deploy::Constant(value) => constant(value, resolver),
        Deploy::Parameter(name) => Text::call("parameters", &[Text::literal(name.as_ref())]).inner(),
        Deploy::Attribute(block, name) => resolver.attribute(*block, name).inner(),
        Deploy::Call(function, arguments) => {
            let arguments: Vec<String> = arguments.iter().map(|a| deploy(a, resolver)).collect();
            format!("{function}({})", arguments.join(", "))
        }
        Deploy::Member(of, name) => format!("{}.{name}", deploy(of, resolver)),
        Deploy::Index(of, index) => format!("{}[{}]", deploy(of, resolver), deploy(index, resolver)),
    }
}

fn constant(value: &Value, resolver: &Resolver<'_, '_>) -> String {
    match value {
        Value::Null | Value::Error => "null()".into(),
        Value::Bool(b) => format!("{b}()"),
        Value::Int(_) | Value::Size(_) | Value::Duration(_) => plain(value),
        Value::Decimal(d) | Value::Percent(d) => {
            if d.is_integer() {
                d.normalize().to_string()
            } else {
                format!("json('{}')", d.normalize())
            }
        }
        Value::List(list) => {
            format!("createArray({})", list.iter().map(|v| constant(v, resolver)).collect::<Vec<_>>().join(", "))
        }
        Value::Record(record) => {
            let parts: Vec<String> = record
                .iter()
                .map(|(k, v)| format!("{}, {}", Text::literal(k.as_ref()).inner(), constant(v, resolver)))
                .collect();
            format!("createObject({})", parts.join(", "))
        }
        Value::Deferred(d) => deploy(&d.expr, resolver),
        other => text(other, resolver).inner(),
    }
}

/// A time as an ISO 8601 duration.
#[must_use]
pub fn iso(time: Seconds) -> String {
    match time.get() {
        0 => "PT0S".into(),
        s if s % 86_400 == 0 => format!("P{}D", s / 86_400),
        s if s % 3600 == 0 => format!("PT{}H", s / 3600),
        s if s % 60 == 0 => format!("PT{}M", s / 60),
        s => format!("PT{s}S"),
    }
}

/// Attributes that a value reads, at any depth.
pub(crate) fn attributes<'v>(value: &'v Value, found: &mut Vec<(BlockId, &'v str)>) {
    match value {
        Value::List(list) => list.iter().for_each(|v| attributes(v, found)),
        Value::Record(record) => record.values().for_each(|v| attributes(v, found)),
        Value::Deferred(deferred) => deploy_attributes(&deferred.expr, found),
        Value::Ref(id) => found.push((*id, "id")),
        _ => {}
    }
}

fn deploy_attributes<'v>(expr: &'v Deploy, found: &mut Vec<(BlockId, &'v str)>) {
    match expr {
        Deploy::Constant(value) => attributes(value, found),
        Deploy::Parameter(_) => {}
        Deploy::Attribute(id, name) => found.push((*id, name)),
        Deploy::Call(_, arguments) => arguments.iter().for_each(|a| deploy_attributes(a, found)),
        Deploy::Member(of, _) => deploy_attributes(of, found),
        Deploy::Index(of, index) => {
            deploy_attributes(of, found);
            deploy_attributes(index, found);
        }
    }
}
