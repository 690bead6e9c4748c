//! The clouds: where Resource Manager answers, for whom tokens are made, who makes them.

/// A cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cloud {
    /// `public`, `china`, `usgov` or `custom`.
    pub name: &'static str,
    /// Resource Manager's base URL, without a slash at the end.
    pub endpoint: String,
    /// The audience that tokens are asked for.
    pub audience: String,
    /// Who makes tokens.
    pub authority: String,
}

impl Cloud {
    fn of(name: &'static str, endpoint: &str, authority: &str) -> Self {
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        Self { name, audience: endpoint.clone(), endpoint, authority: authority.to_owned() }
    }

    /// Public Azure.
    #[must_use]
    pub fn public() -> Self {
        Self::of("public", "https://management.azure.com", "https://login.microsoftonline.com")
    }

    /// Azure in China.
    #[must_use]
    pub fn china() -> Self {
        Self::of("china", "https://management.chinacloudapi.cn", "https://login.chinacloudapi.cn")
    }

    /// Azure for the US government.
    #[must_use]
    pub fn us_government() -> Self {
        Self::of("usgov", "https://management.usgovcloudapi.net", "https://login.microsoftonline.us")
    }

    /// Any other Resource Manager: Azure Stack, a proxy, the local endpoint.
    #[must_use]
    pub fn custom(endpoint: &str) -> Self {
        Self::of("custom", endpoint, "https://login.microsoftonline.com")
    }

    /// By the names that people and `az` use; a URL is a custom cloud.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "public" | "azurecloud" | "azurepubliccloud" => Some(Self::public()),
            "china" | "azurechinacloud" => Some(Self::china()),
            "usgov" | "usgovernment" | "azureusgovernment" => Some(Self::us_government()),
            url if url.starts_with("https://") || url.starts_with("http://") => Some(Self::custom(name)),
            _ => None,
        }
    }

    /// The scope of a token request.
    #[must_use]
    pub fn scope(&self) -> String {
        format!("{}/.default", self.audience)
    }
}
