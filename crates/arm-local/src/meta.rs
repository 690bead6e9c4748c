//! What clients ask before they ask for resources: cloud metadata, tokens, subscriptions, locations, providers.

use base64::Engine as _;
use serde_json::{Value, json};

use crate::core::Cx;
use crate::error::ArmError;
use crate::http::{Reply, Request, page};
use crate::id::{Path, SUBSCRIPTION, TENANT};
use crate::names;

/// What the endpoint says of itself, in words.
pub const NOTICE: &str =
    "This is the local endpoint of dsvmc. It is not Azure: nothing here runs, costs or is reachable from elsewhere.";

/// Answers metadata, token, tenant and subscription-list paths; `None` for all others.
///
/// # Errors
/// None of its own.
pub fn route(cx: &mut Cx<'_>, request: &Request, words: &[&str]) -> Result<Option<Reply>, ArmError> {
    let base = &request.base;
    Ok(Some(match words {
        [] => Reply::ok(json!({ "dsvmc": NOTICE, "version": env!("CARGO_PKG_VERSION"), "status": "/_local/status" })),
        ["metadata", "endpoints"] => {
            let one = metadata(base);
            let listed = request.query("api-version").is_none_or(|version| version < "2022");
            Reply::ok(if listed { json!([one]) } else { one })
        }
        [tenant, rest @ ..] if rest.ends_with(&[".well-known", "openid-configuration"]) => {
            let middle = if rest.contains(&"v2.0") { "oauth2/v2.0" } else { "oauth2" };
            let tenant_id = if *tenant == "adfs" { TENANT } else { tenant };
            Reply::ok(json!({
                "issuer": format!("{base}/{tenant_id}/v2.0"),
                "authorization_endpoint": format!("{base}/{tenant}/{middle}/authorize"),
                "token_endpoint": format!("{base}/{tenant}/{middle}/token"),
                "device_authorization_endpoint": format!("{base}/{tenant}/{middle}/devicecode"),
                "jwks_uri": format!("{base}/{tenant}/discovery/keys"),
                "response_types_supported": ["code", "id_token"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }))
        }
        ["common" | "organizations", "discovery", "instance"] | ["discovery", "instance"] => {
            let metadata = json!([{ "preferred_network": base, "preferred_cache": base, "aliases": [base] }]);
            Reply::ok(
                json!({ "tenant_discovery_endpoint": format!("{base}/{TENANT}/v2.0/.well-known/openid-configuration"),
                "metadata": metadata }),
            )
        }
        [_, "discovery", "keys"] => Reply::ok(json!({ "keys": [] })),
        [tenant, "oauth2", "token"] | [tenant, "oauth2", "v2.0", "token"] => token(cx, request, tenant),
        ["msi", "token"] | ["metadata", "identity", "oauth2", "token"] => token(cx, request, TENANT),
        ["images"] => Reply::ok(crate::types::instances::images::aliases()),
        ["tenants"] => Reply::ok(json!({ "value": [{
            "id": format!("/tenants/{TENANT}"), "tenantId": TENANT, "displayName": "dsvmc local", "countryCode": "XX",
            "tenantCategory": "Home", "defaultDomain": "local.invalid", "domains": ["local.invalid"],
        }] })),
        ["subscriptions"] => {
            let all = subscriptions(cx);
            let count = json!({ "type": "Total", "value": all.len() });
            let mut reply = page(request, all);
            if let Some(body) = &mut reply.body {
                crate::value::set(body, "/count", count);
            }
            reply
        }
        ["providers", "microsoft.management", "managementgroups"] => page(request, vec![management_group(TENANT)]),
        ["providers", "microsoft.management", "managementgroups", _] => {
            Reply::ok(management_group(request.segments.last().map_or("", String::as_str)))
        }
        _ => return Ok(None),
    }))
}

fn management_group(name: &str) -> Value {
    json!({
        "id": format!("/providers/Microsoft.Management/managementGroups/{name}"), "name": name,
        "type": "Microsoft.Management/managementGroups",
        "properties": { "tenantId": TENANT, "displayName": name },
    })
}

fn metadata(base: &str) -> Value {
    json!({
        "name": "local",
        "resourceManager": base, "portal": base, "gallery": base, "graph": base, "graphAudience": base,
        "microsoftGraphResourceId": base, "batch": format!("{base}/batch"), "media": base, "sqlManagement": base,
        "activeDirectoryDataLake": base, "vmImageAliasDoc": format!("{base}/images"), "ossrDbmsResourceId": base,
        "logAnalyticsResourceId": base, "appInsightsResourceId": base, "synapseAnalyticsResourceId": base,
        "attestationResourceId": base, "appInsightsTelemetryChannelResourceId": base,
        "authentication": {
            "loginEndpoint": base, "audiences": [format!("{base}/arm"), base], "tenant": TENANT, "identityProvider": "AAD",
        },
        "suffixes": {
            "storage": "core.local.invalid", "keyVaultDns": "vault.local.invalid", "sqlServerHostname": "database.local.invalid",
            "acrLoginServer": "azurecr.local.invalid", "azureDataLakeStoreFileSystem": "azuredatalakestore.local.invalid",
            "azureDataLakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.local.invalid",
            "azureFrontDoorEndpointSuffix": "azurefd.local.invalid", "mysqlServerEndpoint": "mysql.local.invalid",
            "postgresqlServerEndpoint": "postgres.local.invalid", "mariadbServerEndpoint": "mariadb.local.invalid",
            "synapseAnalytics": "azuresynapse.local.invalid", "attestationEndpoint": "attest.local.invalid",
            "storageSyncEndpointSuffix": "afs.local.invalid", "mhsmDns": "managedhsm.local.invalid",
        },
    })
}

fn token(cx: &Cx<'_>, request: &Request, tenant: &str) -> Reply {
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&request.body).into_owned().collect();
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let client = field("client_id").or_else(|| field("username")).unwrap_or_else(|| "local".to_owned());
    let audience =
        request.query("resource").map(str::to_owned).or_else(|| field("resource")).or_else(|| field("scope"));
    let object = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, client.as_bytes()).to_string();
    let tenant = if tenant == "adfs" || tenant == "common" { TENANT } else { tenant };
    // tokens live by the machine's clock, whatever the endpoint's clock says
    let issued = cx.real_ms / 1000;
    let expires = issued + 86_400;
    let part = |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({
        "aud": audience, "iss": format!("{}/{tenant}/", request.base), "iat": issued, "nbf": issued, "exp": expires,
        "tid": tenant, "oid": object, "sub": object, "appid": client, "ver": "1.0",
    });
    let jwt = format!("{}.{}.{}", part(&json!({ "alg": "none", "typ": "JWT" })), part(&claims), "local");
    Reply::ok(json!({
        "token_type": "Bearer", "access_token": jwt, "expires_in": 86_400, "ext_expires_in": 86_400,
        "expires_on": expires.to_string(), "not_before": issued.to_string(), "resource": audience,
        "client_id": client,
    }))
}

/// The principal of a request: the `oid` (or the text itself) of its bearer token. Nothing is verified.
#[must_use]
pub fn caller(request: &Request) -> String {
    let Some(token) = request.header("authorization").and_then(|text| text.strip_prefix("Bearer ")) else {
        return String::new();
    };
    let claims = token.split('.').nth(1).and_then(|part| {
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?;
        serde_json::from_slice::<Value>(&bytes).ok()
    });
    claims.as_ref().and_then(|claims| claims.get("oid")).and_then(Value::as_str).unwrap_or("anonymous").to_owned()
}

fn subscription_body(id: &str) -> Value {
    json!({
        "id": format!("/subscriptions/{id}"), "authorizationSource": "RoleBased", "subscriptionId": id, "tenantId": TENANT,
        "displayName": "dsvmc local (not Azure)", "state": "Enabled", "managedByTenants": [], "tags": {},
        "subscriptionPolicies": { "locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off" },
    })
}

/// The endpoint's subscription and all others that hold something.
#[must_use]
pub fn subscriptions(cx: &Cx<'_>) -> Vec<Value> {
    let mut ids = vec![SUBSCRIPTION.to_owned()];
    for row in cx.store.rows() {
        if let Some(id) = row.id.split('/').nth(2).filter(|_| row.id.starts_with("/subscriptions/"))
            && !ids.iter().any(|known| known.eq_ignore_ascii_case(id))
        {
            ids.push(id.to_owned());
        }
    }
    ids.iter().map(|id| subscription_body(id)).collect()
}

/// `GET /subscriptions/{id}`: any id is answered, so that a client may keep its own.
///
/// # Errors
/// None of its own.
pub fn subscription(_: &Cx<'_>, path: &Path) -> Result<Reply, ArmError> {
    Ok(Reply::ok(subscription_body(path.subscription().unwrap_or(SUBSCRIPTION))))
}

#[must_use]
pub fn locations(path: &Path) -> Reply {
    let scope = &path.scope;
    let list: Vec<Value> = names::REGIONS
        .iter()
        .map(|(name, display)| {
            json!({
                "id": format!("{scope}/locations/{name}"), "name": name, "type": "Region", "displayName": display,
                "regionalDisplayName": display, "metadata": { "regionType": "Physical", "regionCategory": "Recommended" },
            })
        })
        .collect();
    Reply::ok(json!({ "value": list }))
}
