//! Azure's public price service: a filter → the texts of all pages that answer it. Nobody logs in and nothing is sent but
//! the filter; pages come from the address that was asked alone, and end within bounds.

use super::address::{host_of, is_loopback, origin_of};
use super::error::AzureError;
use super::{Client, ClientOptions, Limits, RetryBudget};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::time::Duration;
use url::Url;

/// Address of the service:
/// <https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices>.
pub const PRICES: &str = "https://prices.azure.com/api/retail/prices";

/// Pages of one answer: a hundred rows each. What is asked for takes a few.
const PAGES: usize = 100;
/// Bytes of one page: a hundred rows take a tenth of it.
const BYTES: usize = 1 << 20;

/// The price service at one address.
#[derive(Debug)]
pub struct PriceService {
    client: Client,
    address: Url,
}

impl PriceService {
    /// A service at an address: encrypted, or on this machine.
    ///
    /// # Errors
    /// The address is none of these, or the certificates to trust cannot be read.
    pub fn new(address: &str, extra_roots: &[u8]) -> Result<Self, AzureError> {
        let plain = |url: &Url| {
            let there = url.username().is_empty() && url.password().is_none() && url.query().is_none();
            there && url.fragment().is_none()
        };
        let url = Url::parse(address).ok().filter(plain);
        let url = url.filter(|url| url.scheme() == "https" || url.scheme() == "http" && is_loopback(address));
        let Some(url) = url else {
            let text = format!("`{}` is no address of a price service: it begins with `https://`", origin_of(address));
            return Err(AzureError::Setup(text));
        };
        let retry = RetryBudget {
            attempts: 4,
            longest_wait: Duration::from_secs(60),
            total: Duration::from_secs(180),
            timeout: Duration::from_secs(60),
            ..RetryBudget::default()
        };
        let limits = Limits { body: BYTES, values: 20_000, ..Limits::default() };
        let origin = url.origin().ascii_serialization();
        let options =
            ClientOptions { retry, limits, extra_roots: extra_roots.to_vec(), ..ClientOptions::local(&origin, "") };
        Ok(Self { client: Client::new(options)?, address: url })
    }

    /// Asks, and gives the text of each page to `take`, which returns the address of the next one.
    ///
    /// # Errors
    /// The service cannot be reached, leads elsewhere or does not come to an end, or `take` refuses a page.
    pub fn pages(
        &self,
        filter: &str,
        currency: &str,
        mut take: impl FnMut(&str) -> Result<Option<String>, String>,
    ) -> Result<(), AzureError> {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let currency = encoded(&format!("'{currency}'"));
        let mut path = format!("{}?currencyCode={currency}&$filter={}", self.address.path(), encoded(filter));
        let host = host_of(self.address.as_str());
        for _ in 0..PAGES {
            let reply = self.client.raw(&path)?;
            let next = take(&reply.text).map_err(|why| AzureError::Protocol(format!("`{host}`: {why}")))?;
            let Some(next) = next else { return Ok(()) };
            path = self.own(&next)?;
        }
        Err(AzureError::endless(&host, format!("an answer has more than {PAGES} pages")))
    }

    /// The path of the next page, which is at the same address and asks something.
    fn own(&self, next: &str) -> Result<String, AzureError> {
        let url = Url::parse(next).ok().filter(|url| {
            let same = url.origin() == self.address.origin() && url.path() == self.address.path();
            same && url.username().is_empty() && url.password().is_none() && next.len() <= 8192
        });
        let refused = || AzureError::Address {
            host: host_of(self.address.as_str()),
            text: format!("leads to `{}`: all pages are at the address that was asked", origin_of(next)),
        };
        let url = url.ok_or_else(refused)?;
        Ok(format!("{}?{}", url.path(), url.query().unwrap_or_default()))
    }
}
