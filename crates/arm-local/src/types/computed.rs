//! What a service adds to a resource of a type that the endpoint otherwise stores as it is sent: identifiers that are made at
//! creation and stay, and names in the zones of the service. Templates read them with `reference()`.
//!
//! That the properties are read-only is from the types of Azure's specifications
//! (<https://github.com/Azure/bicep-types-az>); the zones are those of
//! <https://learn.microsoft.com/azure/private-link/private-endpoint-dns>, and of `environment()` where that has them.

use serde_json::json;

use crate::rule::WriteContext;

/// Type, pointer, form: `*` is an identifier of its own, `{name}` the last name of the resource in lower case.
type Row = (&'static str, &'static str, &'static str);

const COMPONENT: &str = "microsoft.insights/components";

const ROWS: &[Row] = &[
    (COMPONENT, "/properties/AppId", "*"),
    (COMPONENT, "/properties/ApplicationId", "{name}"),
    (COMPONENT, "/properties/InstrumentationKey", "*"),
    ("microsoft.operationalinsights/workspaces", "/properties/customerId", "*"),
    ("microsoft.network/expressroutecircuits", "/properties/serviceKey", "*"),
    ("microsoft.sql/servers", "/properties/fullyQualifiedDomainName", "{name}.database.windows.net"),
    ("microsoft.dbformysql/servers", "/properties/fullyQualifiedDomainName", "{name}.mysql.database.azure.com"),
    ("microsoft.dbformysql/flexibleservers", "/properties/fullyQualifiedDomainName", "{name}.mysql.database.azure.com"),
    ("microsoft.dbforpostgresql/servers", "/properties/fullyQualifiedDomainName", "{name}.postgres.database.azure.com"),
    (
        "microsoft.dbforpostgresql/flexibleservers",
        "/properties/fullyQualifiedDomainName",
        "{name}.postgres.database.azure.com",
    ),
    ("microsoft.containerregistry/registries", "/properties/loginServer", "{name}.azurecr.io"),
    (
        "microsoft.documentdb/databaseaccounts",
        "/properties/documentEndpoint",
        "https://{name}.documents.azure.com:443/",
    ),
    ("microsoft.cache/redis", "/properties/hostName", "{name}.redis.cache.windows.net"),
    ("microsoft.servicebus/namespaces", "/properties/serviceBusEndpoint", "https://{name}.servicebus.windows.net:443/"),
    ("microsoft.eventhub/namespaces", "/properties/serviceBusEndpoint", "https://{name}.servicebus.windows.net:443/"),
    ("microsoft.web/sites", "/properties/defaultHostName", "{name}.azurewebsites.net"),
    ("microsoft.cdn/profiles/endpoints", "/properties/hostName", "{name}.azureedge.net"),
];

/// Adds what the service computes. An identifier is that of before, if there is one.
pub fn add(put: &mut WriteContext<'_, '_>) {
    let kind = put.path.resource_type().to_lowercase();
    let name = put.path.name().to_lowercase();
    for (_, pointer, form) in ROWS.iter().filter(|(own, _, _)| *own == kind) {
        let value = match *form {
            "*" => {
                let before = put.old.as_ref().and_then(|old| old.text(pointer).map(str::to_owned));
                before.unwrap_or_else(|| put.cx.unique())
            }
            form => form.replace("{name}", &name),
        };
        put.set(pointer, json!(value));
    }
    // Its endpoint of ingestion depends on the region, and only the service knows which.
    let key = put.text("/properties/InstrumentationKey").map(str::to_owned);
    if let Some(key) = key.filter(|_| kind == COMPONENT) {
        put.set("/properties/ConnectionString", json!(format!("InstrumentationKey={key}")));
    }
}
