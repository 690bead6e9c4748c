//! Azure Resource Graph: `POST /providers/Microsoft.ResourceGraph/resources` over the tables `resources` and
//! `resourcecontainers`, for the simple part of its query language. A query that needs more is refused, never answered
//! in part.

mod parse;
mod run;

use serde_json::{Value, json};

use crate::core::Cx;
use crate::documents::Row;
use crate::error::ArmError;
use crate::http::{Reply, Request};
use crate::id::{Path, SUBSCRIPTION, TENANT, key};
use crate::lookup;
use crate::meta;
use crate::resource_graph::parse::Query;
use crate::resources::is_listed;

/// Rows of one answer when the client asks for no number, as in Azure.
const ROWS: usize = 1000;

/// Answers a query with the rows of the subscriptions that the request names, or of all.
///
/// # Errors
/// `InvalidQuery` for text that is no query, `NotServedLocally` for a query beyond what the endpoint runs.
pub fn route(cx: &mut Cx<'_>, request: &Request) -> Result<Reply, ArmError> {
    let sent = request.json()?;
    let text = sent.get("query").and_then(Value::as_str).unwrap_or_default();
    let query = Query::parse(text)?;
    let within: Vec<String> = sent
        .get("subscriptions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|id| Some(id.as_str()?.to_lowercase()))
        .collect();
    let mut rows = match query.table.as_str() {
        "resources" => resources(cx),
        _ => containers(cx),
    };
    rows.retain(|row| {
        let own = row.get("subscriptionId").and_then(Value::as_str).unwrap_or_default().to_lowercase();
        within.is_empty() || within.contains(&own)
    });
    let rows = run::run(rows, &query);
    let number = |name: &str| sent.pointer(&format!("/options/{name}")).and_then(Value::as_u64);
    let number = |name: &str| number(name).and_then(|number| usize::try_from(number).ok());
    let total = rows.len();
    let skip = number("$skip").unwrap_or(0);
    let part: Vec<Value> = rows.into_iter().skip(skip).take(number("$top").unwrap_or(ROWS)).collect();
    let truncated = skip + part.len() < total;
    let (count, table) = (part.len(), sent.pointer("/options/resultFormat") == Some(&json!("table")));
    Ok(Reply::ok(json!({
        "totalRecords": total, "count": count, "facets": [], "resultTruncated": truncated.to_string(),
        "data": if table { columns(&part) } else { Value::Array(part) },
    })))
}

/// The rows as a table of columns and rows.
fn columns(rows: &[Value]) -> Value {
    let mut names: Vec<&String> = Vec::new();
    for name in rows.iter().filter_map(Value::as_object).flat_map(|row| row.keys()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let kind = |name: &str| match rows.iter().filter_map(|row| row.get(name)).find(|value| !value.is_null()) {
        Some(Value::Number(_)) => "integer",
        Some(Value::Bool(_)) => "boolean",
        Some(Value::Object(_) | Value::Array(_)) => "object",
        _ => "string",
    };
    let cells =
        |row: &Value| -> Vec<Value> { names.iter().map(|name| row.get(*name).cloned().unwrap_or_default()).collect() };
    json!({
        "columns": names.iter().map(|name| json!({ "name": name, "type": kind(name) })).collect::<Vec<_>>(),
        "rows": rows.iter().map(cells).collect::<Vec<_>>(),
    })
}

/// The table `resources`. Types and groups are in lower case there.
fn resources(cx: &Cx<'_>) -> Vec<Value> {
    cx.store.rows().filter(|row| is_listed(row)).map(|row| record(&cx.view(row), row, &row.kind)).collect()
}

/// The table `resourcecontainers`: subscriptions and resource groups.
fn containers(cx: &Cx<'_>) -> Vec<Value> {
    let subscriptions = meta::subscriptions(cx).into_iter().map(|body| {
        json!({ "id": body.get("id"), "name": body.get("displayName"), "type": "microsoft.resources/subscriptions",
            "tenantId": TENANT, "kind": "", "location": "", "resourceGroup": "", "subscriptionId": body.get("subscriptionId"),
            "properties": body, "tags": {} })
    });
    let groups = cx.store.of_kind(lookup::GROUP);
    let groups =
        groups.iter().map(|row| record(&cx.view(row), row, "microsoft.resources/subscriptions/resourcegroups"));
    subscriptions.chain(groups).collect()
}

fn record(body: &Value, row: &Row, kind: &str) -> Value {
    let path = Path::of(&row.id);
    let at = |name: &str| body.get(name).cloned().unwrap_or_default();
    let group = path.group().map(str::to_lowercase).unwrap_or_default();
    json!({
        "id": row.id, "name": row.name, "type": key(kind), "tenantId": TENANT,
        "kind": body.get("kind").and_then(Value::as_str).unwrap_or_default(), "location": row.location(),
        "resourceGroup": group, "subscriptionId": path.subscription().unwrap_or(SUBSCRIPTION),
        "managedBy": body.get("managedBy").and_then(Value::as_str).unwrap_or_default(), "sku": at("sku"), "plan": at("plan"),
        "properties": at("properties"), "tags": at("tags"), "identity": at("identity"), "zones": at("zones"),
    })
}
