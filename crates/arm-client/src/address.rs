//! Which addresses a request may go to: those of the Resource Manager that was named, and a token only where nobody
//! between can read it.

use super::error::AzureError;
use url::{Host, Url};

/// A longer address is none of Resource Manager's: signatures in polling addresses take about 1,000 characters.
const LONGEST: usize = 16 * 1024;

/// What a path or an address that the service gave leads to.
pub(super) fn resolve(endpoint: &str, path: &str) -> Result<String, AzureError> {
    let refused = |to: &str| Err(AzureError::Address { host: host_of(endpoint), text: format!("leads to `{to}`") });
    if path.len() > LONGEST {
        return refused(&format!("an address of {} characters", path.len()));
    }
    if path.starts_with('/') {
        return Ok(format!("{endpoint}{path}"));
    }
    // Used exactly as it came: the query is often a signature.
    if same_origin(path, endpoint) || is_region_of(path, endpoint) {
        Ok(path.to_owned())
    } else {
        refused(&origin_of(path))
    }
}

/// Scheme, host and port, without what may be secret: path, query and user.
pub(super) fn origin_of(address: &str) -> String {
    let Ok(url) = Url::parse(address) else { return "something that is no address".to_owned() };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    match url.host_str() {
        Some(host) => format!("{}://{host}{port}", url.scheme()),
        None => format!("{}:", url.scheme()),
    }
}

/// Host and port of an address.
pub(super) fn host_of(url: &str) -> String {
    Url::parse(url)
        .ok()
        .and_then(|u| u.host_str().map(|h| u.port().map_or_else(|| h.to_owned(), |p| format!("{h}:{p}"))))
        .unwrap_or_default()
}

fn same_origin(a: &str, b: &str) -> bool {
    match (Url::parse(a), Url::parse(b)) {
        (Ok(a), Ok(b)) => a.origin() == b.origin() && a.username().is_empty() && a.password().is_none(),
        _ => false,
    }
}

/// A region's own name of the same Resource Manager, such as `westeurope.management.azure.com`.
fn is_region_of(address: &str, endpoint: &str) -> bool {
    let (Ok(url), Ok(endpoint)) = (Url::parse(address), Url::parse(endpoint)) else { return false };
    let (Some(Host::Domain(host)), Some(Host::Domain(parent))) = (url.host(), endpoint.host()) else { return false };
    url.scheme() == "https"
        && endpoint.scheme() == "https"
        && url.port() == endpoint.port()
        && url.username().is_empty()
        && url.password().is_none()
        && host.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.'))
}

/// Whether an address is on this machine.
pub(super) fn is_loopback(address: &str) -> bool {
    match Url::parse(address).ok().as_ref().and_then(Url::host) {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

/// Whether a token or a secret may be sent there: encrypted, or on this machine.
pub(super) fn is_private(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| url.scheme() == "https" && url.host().is_some())
        || (address.starts_with("http://") && is_loopback(address))
}

/// Whether tokens for `audience` are meant for the Resource Manager at `endpoint`: the same domain, or, as Azure Stack
/// has it, an application of the organization's directory.
/// <https://learn.microsoft.com/azure-stack/user/azure-stack-rest-api-use>
pub(super) fn is_audience_of(audience: &str, endpoint: &str) -> bool {
    let domain = |address: &str| match Url::parse(address).ok()?.host()? {
        Host::Domain(name) => Some(name.to_ascii_lowercase()),
        other => Some(other.to_string()),
    };
    let (Some(audience), Some(endpoint)) = (domain(audience), domain(endpoint)) else { return false };
    let parent = endpoint.split_once('.').map(|(_, rest)| rest).filter(|rest| rest.contains('.'));
    let below = |name: &str| audience == name || audience.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'));
    audience.ends_with(".onmicrosoft.com") || below(&endpoint) || parent.is_some_and(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_others_are_refused() {
        let endpoint = "https://management.azure.com";
        for good in [
            "/subscriptions/s?api-version=1",
            "https://management.azure.com/x?t=1",
            "https://management.azure.com:443/x",
            "https://westeurope.management.azure.com/x",
        ] {
            assert!(resolve(endpoint, good).is_ok(), "{good}");
        }
        for bad in [
            "http://management.azure.com/x",
            "https://management.azure.com:8443/x",
            "https://management.azure.com.evil.example/x",
            "https://evilmanagement.azure.com/x",
            "https://me:secret@management.azure.com/x",
            "https://me:secret@westeurope.management.azure.com/x",
            "http://westeurope.management.azure.com/x",
            "file:///etc/passwd",
            "data:text/plain,x",
            "@evil.example/x",
            ".evil.example/x",
            ":1234/x",
            "",
            "x",
            &format!("https://management.azure.com/{}", "x".repeat(20_000)),
        ] {
            let error = resolve(endpoint, bad).unwrap_err().to_string();
            assert!(!error.contains("secret") && !error.contains("passwd"), "{error}");
        }
        // On this machine there are no regions.
        assert!(resolve("http://127.0.0.1:1", "http://127.0.0.1:2/x").is_err());
        assert!(resolve("http://localhost:1", "http://a.localhost:1/x").is_err());
    }

    #[test]
    fn secrets_go_where_nobody_listens() {
        for good in
            ["https://a.example", "http://127.0.0.1:8080/x", "http://127.8.0.1", "http://[::1]:9", "http://localhost:1"]
        {
            assert!(is_private(good), "{good}");
        }
        for bad in [
            "http://a.example",
            "http://127.evil.example",
            "http://10.0.0.1",
            "http://localhost.evil.example",
            "ftp://127.0.0.1",
            "x",
            "",
        ] {
            assert!(!is_private(bad), "{bad}");
        }
    }

    #[test]
    fn an_endpoint_gets_only_tokens_that_are_for_it() {
        let stack = "https://management.local.azurestack.external";
        for good in [
            "https://management.local.azurestack.external/guid",
            "https://management.adfs.local.azurestack.external/guid",
            "https://api.local.azurestack.external",
            "https://management.contoso.onmicrosoft.com/guid",
        ] {
            assert!(is_audience_of(good, stack), "{good}");
        }
        for bad in [
            "https://management.azure.com/",
            "https://graph.microsoft.com",
            "https://vault.azure.net",
            "x",
            "https://external",
        ] {
            assert!(!is_audience_of(bad, stack), "{bad}");
        }
        assert!(!is_audience_of("https://other.example", "https://arm.example"));
    }
}
