//! The clouds: Resource Manager's endpoint, the audience and authority of tokens, and the value of `environment()`.
//!
//! The values are those that the Azure CLI carries for each cloud (`az cloud show`), read in November 2026. Any other
//! Resource Manager (Azure Stack, a private cloud) publishes its own at `/metadata/endpoints`.

use super::address::{is_audience_of, is_loopback, is_private, origin_of};
use super::error::AzureError;
use serde_json::{Value, json};

/// The endpoints of one Azure cloud.
#[derive(Clone, Debug, PartialEq)]
pub struct Cloud {
    /// `public`, `china`, `usgov` or `custom`.
    pub name: &'static str,
    /// Resource Manager's base URL, without a slash at the end.
    pub endpoint: String,
    /// The audience that tokens are requested for.
    pub audience: String,
    /// Base URL of the authority that issues tokens.
    pub authority: String,
    /// What `environment()` answers in a template.
    pub environment: Value,
    /// Whether the endpoint itself named the authority: a secret goes there only when its user named it too.
    pub authority_is_told: bool,
}

/// What differs between the clouds that Microsoft and its partners run.
struct Row {
    name: &'static str,
    /// Names that people and `az` use.
    aliases: &'static [&'static str],
    /// As `environment()` calls it.
    arm_name: &'static str,
    endpoint: &'static str,
    authority: &'static str,
    /// Domain of the older service management, whose name appears in many addresses.
    classic: &'static str,
    portal: &'static str,
    graph: &'static str,
    gallery: &'static str,
    batch: &'static str,
    media: &'static str,
    storage: &'static str,
    vault: &'static str,
    sql: &'static str,
    registry: &'static str,
    identity_provider: &'static str,
}

const PUBLIC: Row = Row {
    name: "public",
    aliases: &["public", "azurecloud", "azurepubliccloud", "azurepublic"],
    arm_name: "AzureCloud",
    endpoint: "https://management.azure.com",
    authority: "https://login.microsoftonline.com",
    classic: "core.windows.net",
    portal: "https://portal.azure.com",
    graph: "https://graph.windows.net/",
    gallery: "https://gallery.azure.com/",
    batch: "https://batch.core.windows.net/",
    media: "https://rest.media.azure.net",
    storage: "core.windows.net",
    vault: ".vault.azure.net",
    sql: ".database.windows.net",
    registry: ".azurecr.io",
    identity_provider: "AAD",
};

const CHINA: Row = Row {
    name: "china",
    aliases: &["china", "azurechinacloud", "azurechina"],
    arm_name: "AzureChinaCloud",
    endpoint: "https://management.chinacloudapi.cn",
    authority: "https://login.chinacloudapi.cn",
    classic: "core.chinacloudapi.cn",
    portal: "https://portal.azure.cn",
    graph: "https://graph.chinacloudapi.cn/",
    gallery: "https://gallery.chinacloudapi.cn/",
    batch: "https://batch.chinacloudapi.cn/",
    media: "https://rest.media.chinacloudapi.cn",
    storage: "core.chinacloudapi.cn",
    vault: ".vault.azure.cn",
    sql: ".database.chinacloudapi.cn",
    registry: ".azurecr.cn",
    identity_provider: "AAD",
};

const US_GOVERNMENT: Row = Row {
    name: "usgov",
    aliases: &["usgov", "usgovernment", "azureusgovernment", "azureusgovernmentcloud"],
    arm_name: "AzureUSGovernment",
    endpoint: "https://management.usgovcloudapi.net",
    authority: "https://login.microsoftonline.us",
    classic: "core.usgovcloudapi.net",
    portal: "https://portal.azure.us",
    graph: "https://graph.windows.net/",
    gallery: "https://gallery.usgovcloudapi.net/",
    batch: "https://batch.core.usgovcloudapi.net/",
    media: "https://rest.media.usgovcloudapi.net",
    storage: "core.usgovcloudapi.net",
    vault: ".vault.usgovcloudapi.net",
    sql: ".database.usgovcloudapi.net",
    registry: ".azurecr.us",
    identity_provider: "AAD",
};

const KNOWN: [&Row; 3] = [&PUBLIC, &CHINA, &US_GOVERNMENT];

const ALIASES: &str =
    "https://raw.githubusercontent.com/Azure/azure-rest-api-specs/master/arm-compute/quickstart-templates/aliases.json";

impl Row {
    fn cloud(&self) -> Cloud {
        Cloud {
            name: self.name,
            endpoint: self.endpoint.to_owned(),
            audience: self.endpoint.to_owned(),
            authority: self.authority.to_owned(),
            environment: self.environment(),
            authority_is_told: false,
        }
    }

    fn environment(&self) -> Value {
        let mut suffixes = json!({
            "acrLoginServer": self.registry,
            "keyvaultDns": self.vault,
            "sqlServerHostname": self.sql,
            "storage": self.storage,
        });
        // Data Lake and Front Door are of the public cloud only.
        if let (Some(map), "public") = (suffixes.as_object_mut(), self.name) {
            map.insert("azureDatalakeAnalyticsCatalogAndJob".into(), json!("azuredatalakeanalytics.net"));
            map.insert("azureDatalakeStoreFileSystem".into(), json!("azuredatalakestore.net"));
            map.insert("azureFrontDoorEndpointSuffix".into(), json!("azurefd.net"));
        }
        let mut all = json!({
            "name": self.arm_name,
            "gallery": self.gallery,
            "graph": self.graph,
            "portal": self.portal,
            "graphAudience": self.graph,
            "batch": self.batch,
            "media": self.media,
            "sqlManagement": format!("https://management.{}:8443/", self.classic),
            "vmImageAliasDoc": ALIASES,
            "resourceManager": format!("{}/", self.endpoint),
            "authentication": {
                "loginEndpoint": format!("{}/", self.authority),
                "audiences": [format!("https://management.{}/", self.classic), format!("{}/", self.endpoint)],
                "tenant": "common",
                "identityProvider": self.identity_provider,
            },
            "suffixes": suffixes,
        });
        if let (Some(map), "public") = (all.as_object_mut(), self.name) {
            map.insert("activeDirectoryDataLake".into(), json!("https://datalake.azure.net/"));
        }
        all
    }
}

impl Cloud {
    /// The public Azure cloud.
    #[must_use]
    pub fn public() -> Self {
        PUBLIC.cloud()
    }

    /// Any other Resource Manager: Azure Stack, a proxy, the local endpoint. Everything else is that of public Azure
    /// until its metadata document says otherwise.
    #[must_use]
    pub fn custom(endpoint: &str) -> Self {
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        Self { name: "custom", audience: endpoint.clone(), endpoint, ..PUBLIC.cloud() }
    }

    /// By the names that people and `az` use; a URL is a custom cloud.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        if lower.starts_with("https://") || lower.starts_with("http://") {
            let known = KNOWN.iter().find(|row| lower.trim_end_matches('/') == row.endpoint);
            return Some(known.map_or_else(|| Self::custom(name), |row| row.cloud()));
        }
        KNOWN.iter().find(|row| row.aliases.contains(&lower.as_str())).map(|row| row.cloud())
    }

    /// The same cloud with another token authority, as `AZURE_AUTHORITY_HOST` selects it.
    #[must_use]
    pub fn with_authority(mut self, authority: &str) -> Self {
        let authority = authority.trim_end_matches('/');
        self.authority = if authority.contains("://") { authority.to_owned() } else { format!("https://{authority}") };
        self.authority_is_told = false;
        if let Some(place) = self.environment.pointer_mut("/authentication/loginEndpoint") {
            *place = Value::from(format!("{}/", self.authority));
        }
        self
    }

    /// Applies the metadata that a custom Resource Manager publishes at `/metadata/endpoints`: one cloud, or a list that
    /// includes its own. What it leaves out stays unchanged.
    ///
    /// # Errors
    /// It asks for tokens of others: an endpoint that got one for Azure could act there in the name of its user. Or it has
    /// the login in the open.
    pub(crate) fn with_metadata(mut self, metadata: &Value) -> Result<Self, AzureError> {
        let same = |cloud: &&Value| {
            let address = cloud.get("resourceManager").and_then(Value::as_str).unwrap_or_default();
            address.trim_end_matches('/').eq_ignore_ascii_case(&self.endpoint)
        };
        let own = match metadata {
            Value::Array(list) => list.iter().find(same).or_else(|| list.first().filter(|_| list.len() == 1)),
            Value::Object(_) => Some(metadata),
            _ => None,
        };
        let Some(own) = own else { return Ok(self) };
        let text = |pointer: &str| own.pointer(pointer).and_then(Value::as_str).filter(|t| !t.is_empty());
        let (near, host) = (is_loopback(&self.endpoint), origin_of(&self.endpoint));
        let refused = |text: String| Err(AzureError::Address { host, text });
        if let Some(login) = text("/authentication/loginEndpoint") {
            if !is_private(login) || (is_loopback(login) && !near) {
                let to = origin_of(login);
                return refused(format!("names `{to}` to log in at, which is not encrypted or not its own"));
            }
            let login = login.trim_end_matches('/');
            self.authority_is_told = !near && !KNOWN.iter().any(|row| row.authority == login);
            self.authority = login.to_owned();
        }
        if let Some(audience) = text("/authentication/audiences/0") {
            if !near && !is_audience_of(audience, &self.endpoint) {
                return refused(format!("asks for tokens that are meant for `{}`", origin_of(audience)));
            }
            self.audience = audience.trim_end_matches('/').to_owned();
        }
        if let Some(environment) = self.environment.as_object_mut() {
            for (key, value) in own.as_object().into_iter().flatten() {
                match (environment.get_mut(key), value) {
                    (Some(Value::Object(have)), Value::Object(more)) => {
                        for (name, value) in more {
                            let name = spelled(have, name);
                            have.insert(name, value.clone());
                        }
                    }
                    _ => {
                        environment.insert(key.clone(), value.clone());
                    }
                }
            }
            environment.insert("resourceManager".to_owned(), Value::from(format!("{}/", self.endpoint)));
        }
        Ok(self)
    }

    /// The scope of a token request.
    #[must_use]
    pub fn scope(&self) -> String {
        format!("{}/.default", self.audience)
    }

    /// A suffix of `environment()`, such as `storage`.
    #[must_use]
    pub fn suffix(&self, name: &str) -> &str {
        self.environment.pointer(&format!("/suffixes/{name}")).and_then(Value::as_str).unwrap_or_default()
    }
}

/// The metadata spells `keyVaultDns` what `environment()` spells `keyvaultDns`.
fn spelled(have: &serde_json::Map<String, Value>, name: &str) -> String {
    have.keys().find(|k| k.eq_ignore_ascii_case(name)).cloned().unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_environment_is_that_of_the_engine() {
        assert_eq!(Cloud::public().environment, arm_template::public_cloud());
    }

    #[test]
    fn clouds_are_known_by_the_names_that_people_use() {
        for (names, endpoint, authority, storage, vault) in [
            (
                &["public", "AzureCloud", "https://management.azure.com/"][..],
                "https://management.azure.com",
                "https://login.microsoftonline.com",
                "core.windows.net",
                ".vault.azure.net",
            ),
            (
                &["china", "AzureChinaCloud"],
                "https://management.chinacloudapi.cn",
                "https://login.chinacloudapi.cn",
                "core.chinacloudapi.cn",
                ".vault.azure.cn",
            ),
            (
                &["usgov", "AzureUSGovernment"],
                "https://management.usgovcloudapi.net",
                "https://login.microsoftonline.us",
                "core.usgovcloudapi.net",
                ".vault.usgovcloudapi.net",
            ),
        ] {
            for name in names {
                let cloud = Cloud::named(name).unwrap();
                assert_eq!((cloud.endpoint.as_str(), cloud.authority.as_str()), (endpoint, authority), "{name}");
                assert_eq!((cloud.suffix("storage"), cloud.suffix("keyvaultDns")), (storage, vault), "{name}");
                assert_eq!(cloud.scope(), format!("{endpoint}/.default"));
            }
        }
        assert_eq!(Cloud::named("https://arm.example:8443/").unwrap().endpoint, "https://arm.example:8443");
        assert_eq!(Cloud::named("mars"), None);
    }

    #[test]
    fn a_custom_cloud_takes_its_own_metadata() {
        let told = json!({
            "resourceManager": "https://management.stack.example/",
            "portal": "https://portal.stack.example/",
            "authentication": { "loginEndpoint": "https://login.stack.example/", "audiences": ["https://management.stack.example/guid"] },
            "suffixes": { "storage": "stack.example", "keyVaultDns": ".vault.stack.example" },
        });
        let check = |metadata: Value| {
            let cloud = Cloud::custom("https://management.stack.example").with_metadata(&metadata).unwrap();
            assert_eq!(cloud.authority, "https://login.stack.example");
            assert_eq!(cloud.scope(), "https://management.stack.example/guid/.default");
            assert_eq!(
                (cloud.suffix("storage"), cloud.suffix("keyvaultDns")),
                ("stack.example", ".vault.stack.example")
            );
            // What the metadata leaves out stays unchanged.
            assert_eq!(cloud.suffix("sqlServerHostname"), ".database.windows.net");
        };
        check(told.clone());
        check(json!([{ "resourceManager": "https://other.example" }, told]));
        let silent = Cloud::custom("https://x.example").with_metadata(&json!("nothing")).unwrap();
        assert_eq!(silent, Cloud::custom("https://x.example"));
    }

    #[test]
    fn another_authority_is_used_as_it_is_written() {
        assert_eq!(Cloud::public().with_authority("login.example/").authority, "https://login.example");
        let cloud = Cloud::named("china").unwrap().with_authority("https://login.example");
        assert_eq!(cloud.environment.pointer("/authentication/loginEndpoint"), Some(&json!("https://login.example/")));
    }
}
