//! Azure's public price service: sizes and regions → what to ask it, its pages → a price file.
//!
//! The form of questions and answers: <https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices>.
//! Nothing is fetched here. An answer is somebody else's text: only rows that were asked for are taken, and none of its words
//! reaches the file but numbers and names of tiers.

use super::book::{is_currency, key};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// How a price file begins.
pub const BEGIN: &str = "# Prices of Azure for dsvmc";
/// Sizes in one question: each has at most eight rows, and a page a hundred.
const SIZES: usize = 12;

/// What to ask for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Sizes as Azure spells them.
    pub sizes: BTreeSet<String>,
    /// Regions as Azure spells them, such as `westeurope`.
    pub regions: BTreeSet<String>,
    /// Currency of the answers.
    pub currency: String,
}

/// A page that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RetailError {
    /// It is not what the service documents.
    #[error("the answer is no page of prices: {0}")]
    Form(String),
    /// Prices in another currency than was asked for.
    #[error("the answer is in another currency than {0}")]
    Currency(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page<'p> {
    billing_currency: String,
    #[serde(borrow)]
    items: Vec<Item<'p>>,
    next_page_link: Option<String>,
}

/// Numbers stay the digits that the service wrote.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item<'p> {
    #[serde(borrow)]
    retail_price: &'p RawValue,
    #[serde(borrow)]
    tier_minimum_units: &'p RawValue,
    currency_code: String,
    arm_region_name: Option<String>,
    arm_sku_name: Option<String>,
    #[serde(default)]
    product_name: String,
    #[serde(default)]
    sku_name: String,
    #[serde(default)]
    meter_name: String,
    #[serde(default)]
    service_name: String,
    #[serde(default)]
    unit_of_measure: String,
    #[serde(default, rename = "type")]
    kind: String,
}

/// The columns of a machine in a price file.
const COLUMNS: usize = 5;

/// A price, or that two rows do not agree on it.
type Cell = Option<Decimal>;

/// What the pages have said so far.
#[derive(Clone, Debug)]
pub struct Gathered {
    wanted: Wanted,
    /// By size and region.
    machines: BTreeMap<(String, String), [Option<Cell>; COLUMNS]>,
    /// By kind, SKU, unit, and region; an empty region is every one.
    meters: BTreeMap<(&'static str, String, &'static str, String), Cell>,
}

/// How many prices a file has, and what is missing in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Prices by size, region, system and terms.
    pub machines: usize,
    /// Prices of everything else.
    pub meters: usize,
    /// Sizes without a price for Linux on demand, `SIZE in REGION`.
    pub missing: Vec<String>,
    /// Prices left out because the service tells several.
    pub ambiguous: usize,
}

/// Meters beside machines, by product and unit; the name of the meter and the SKU say which.
const PRODUCTS: [(&str, &str); 9] = [
    ("Storage", "Premium SSD Managed Disks"),
    ("Storage", "Standard SSD Managed Disks"),
    ("Storage", "Standard HDD Managed Disks"),
    ("Storage", "Files v2"),
    ("Storage", "Premium Files"),
    ("Virtual Network", "IP Addresses"),
    ("NAT Gateway", "NAT Gateway"),
    ("Virtual Network", "Virtual Network Private Link"),
    ("Azure DNS", "Azure DNS"),
];
/// Products that have one price for all regions.
const EVERYWHERE: [&str; 3] = ["NAT Gateway", "Virtual Network Private Link", "Azure DNS"];

/// A text in a question: a quote in it is doubled.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Wanted {
    /// The filters to ask with, in order.
    #[must_use]
    pub fn filters(&self) -> Vec<String> {
        let sizes: Vec<&String> = self.sizes.iter().collect();
        let mut out = Vec::new();
        for region in &self.regions {
            let place = format!("armRegionName eq {} and priceType eq 'Consumption'", quoted(region));
            for some in sizes.chunks(SIZES) {
                let any: Vec<String> = some.iter().map(|size| format!("armSkuName eq {}", quoted(size))).collect();
                out.push(format!("serviceName eq 'Virtual Machines' and {place} and ({})", any.join(" or ")));
            }
            for (service, product) in PRODUCTS.iter().filter(|(_, product)| !EVERYWHERE.contains(product)) {
                out.push(format!(
                    "serviceName eq {} and productName eq {} and {place}",
                    quoted(service),
                    quoted(product)
                ));
            }
        }
        for (service, product) in PRODUCTS.iter().filter(|(_, product)| EVERYWHERE.contains(product)) {
            let (service, product) = (quoted(service), quoted(product));
            out.push(format!("serviceName eq {service} and productName eq {product} and priceType eq 'Consumption'"));
        }
        out
    }
}

fn number(text: &RawValue) -> Option<Decimal> {
    let text = text.get();
    let number = Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text)).ok()?;
    (number < Decimal::from(1_000_000_000)).then_some(number)
}

/// Which column of a machine a row is; nothing for rows of other services that share the name of the size.
fn column(item: &Item<'_>) -> Option<usize> {
    let product = item.product_name.as_str();
    if product.ends_with("Cloud Services") || product.ends_with("CloudServices") || item.unit_of_measure != "1 Hour" {
        return None;
    }
    let windows = product.ends_with(" Windows") || product.ends_with(" Win");
    let meter = item.meter_name.as_str();
    match (meter.ends_with(" Spot"), meter.ends_with(" Low Priority"), windows) {
        (false, false, false) => Some(0),
        (false, false, true) => Some(1),
        (true, _, false) => Some(2),
        (true, _, true) => Some(3),
        (false, true, false) => Some(4),
        (false, true, true) => None,
    }
}

/// Kind, SKU and unit of another meter; nothing for those that are not counted.
fn meter(item: &Item<'_>) -> Option<(&'static str, String, &'static str)> {
    let (sku, name) = (item.sku_name.as_str(), item.meter_name.as_str());
    let plain = |text: &str| text.len() <= 24 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ');
    if !plain(sku) {
        return None;
    }
    let joined = sku.replace(' ', "_");
    let stored = matches!(item.unit_of_measure.as_str(), "1 GB/Month" | "1 GiB/Month");
    match (item.product_name.as_str(), item.unit_of_measure.as_str()) {
        ("Premium SSD Managed Disks" | "Standard SSD Managed Disks" | "Standard HDD Managed Disks", "1/Month") => {
            (name == format!("{sku} Disk")).then_some(("disk", joined, "month"))
        }
        ("Files v2", _) if stored => {
            let access = sku.strip_prefix("Standard ").unwrap_or(sku);
            (name == format!("{access} Data Stored")).then_some(("files", joined, "gib-month"))
        }
        ("Premium Files", _) if stored => {
            (name == format!("{sku} Provisioned")).then_some(("files", joined, "gib-month"))
        }
        ("IP Addresses", "1 Hour") => {
            (name == "Standard IPv4 Static Public IP").then(|| ("address", "Standard".to_owned(), "hour"))
        }
        ("NAT Gateway", "1 Hour") => (name == "Standard Gateway").then(|| ("nat", "Standard".to_owned(), "hour")),
        ("Virtual Network Private Link", "1 Hour") => {
            (name == "Standard Private Endpoint").then(|| ("endpoint", "Standard".to_owned(), "hour"))
        }
        ("Azure DNS", "1/Month" | "1") => (name == "Private Zone").then(|| ("zone", "Private".to_owned(), "month")),
        _ => None,
    }
}

/// Two rows that do not agree leave nothing.
fn put(cell: &mut Option<Cell>, price: Decimal) {
    *cell = Some(match cell {
        None => Some(price),
        Some(Some(known)) if *known == price => Some(price),
        Some(_) => None,
    });
}

impl Gathered {
    /// For the pages that answer the filters of `wanted`.
    #[must_use]
    pub fn new(wanted: Wanted) -> Self {
        Self { wanted, machines: BTreeMap::new(), meters: BTreeMap::new() }
    }

    /// Takes what is wanted from a page, and returns where the next one is.
    ///
    /// # Errors
    /// The page has another form or currency.
    pub fn page(&mut self, text: &str) -> Result<Option<String>, RetailError> {
        let page: Page<'_> = serde_json::from_str(text).map_err(|error| RetailError::Form(error.to_string()))?;
        let foreign = |code: &str| code != self.wanted.currency;
        if !is_currency(&page.billing_currency) || foreign(&page.billing_currency) {
            return Err(RetailError::Currency(self.wanted.currency.clone()));
        }
        if page.items.iter().any(|item| foreign(&item.currency_code)) {
            return Err(RetailError::Currency(self.wanted.currency.clone()));
        }
        for item in page.items.iter().filter(|item| item.kind == "Consumption") {
            self.item(item);
        }
        Ok(page.next_page_link.filter(|link| !link.is_empty()))
    }

    fn item(&mut self, item: &Item<'_>) {
        let Some(price) = number(item.retail_price).filter(|price| *price > Decimal::ZERO) else { return };
        // The first units of a tier price; what more costs less is not counted.
        if number(item.tier_minimum_units) != Some(Decimal::ZERO) {
            return;
        }
        let region = item.arm_region_name.as_deref().unwrap_or_default();
        let known = self.wanted.regions.iter().find(|wanted| key(wanted) == key(region)).cloned();
        if item.service_name == "Virtual Machines" {
            let size = item.arm_sku_name.as_deref().unwrap_or_default();
            let size = self.wanted.sizes.iter().find(|wanted| wanted.eq_ignore_ascii_case(size));
            let (Some(size), Some(region), Some(column)) = (size.cloned(), known, column(item)) else { return };
            if let Some(cell) = self.machines.entry((size, region)).or_default().get_mut(column) {
                put(cell, price);
            }
            return;
        }
        let Some((kind, sku, unit)) = meter(item) else { return };
        let everywhere = region.is_empty() || region.eq_ignore_ascii_case("global");
        let Some(region) = known.or_else(|| everywhere.then(String::new)) else { return };
        let mut cell = self.meters.get(&(kind, sku.clone(), unit, region.clone())).copied();
        put(&mut cell, price);
        self.meters.insert((kind, sku, unit, region), cell.flatten());
    }

    /// The price file, and what is in it. `address` is where the pages came from.
    #[must_use]
    pub fn file(&self, date: Date, address: &str) -> (String, Tally) {
        let mut tally = Tally::default();
        let currency = &self.wanted.currency;
        let mut out = format!(
            "{BEGIN}, written by `dsvmc prices update`. Retail prices before tax and agreements.\n\
             # REGION SOURCE LINUX WINDOWS SPOT WINDOWS-SPOT LOW-PRIORITY by the hour; `-` is unknown\n\n\
             currency {currency}\nsource a {date} - - Azure Retail Prices, {address}\n"
        );
        for size in &self.wanted.sizes {
            let mut rows = String::new();
            for region in &self.wanted.regions {
                let cells = self.machines.get(&(size.clone(), region.clone())).copied().unwrap_or_default();
                tally.ambiguous += cells.iter().filter(|cell| **cell == Some(None)).count();
                let cells = cells.map(Option::flatten);
                if cells.first().copied().flatten().is_none() {
                    tally.missing.push(format!("{size} in {region}"));
                }
                let known = cells.iter().flatten().count();
                if known > 0 {
                    tally.machines += known;
                    let words =
                        cells.map(|cell| cell.map_or_else(|| "-".to_owned(), |price| price.normalize().to_string()));
                    rows.push_str(&format!("{region} a {}\n", words.join(" ")));
                }
            }
            if !rows.is_empty() {
                out.push_str(&format!("\nsize {size}\n{rows}"));
            }
        }
        let mut section = None;
        for ((kind, sku, unit, place), cell) in &self.meters {
            let Some(price) = cell else {
                tally.ambiguous += 1;
                continue;
            };
            let own = |region: &&String| {
                let named = (*kind, sku.clone(), *unit, (*region).clone());
                place == *region || place.is_empty() && !self.meters.contains_key(&named)
            };
            for region in self.wanted.regions.iter().filter(own) {
                if section != Some((kind, sku)) {
                    section = Some((kind, sku));
                    out.push_str(&format!("\nmeter {kind} {sku} {unit}\n"));
                }
                tally.meters += 1;
                out.push_str(&format!("{region} a {}\n", price.normalize()));
            }
        }
        (out, tally)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Book, Term};

    fn wanted() -> Wanted {
        Wanted {
            sizes: ["Standard_D8s_v5".to_owned()].into(),
            regions: ["westeurope".to_owned(), "eastus".to_owned()].into(),
            currency: "USD".to_owned(),
        }
    }

    fn row(service: &str, product: &str, sku: &str, meter: &str, unit: &str, region: &str, price: &str) -> String {
        format!(
            r#"{{"currencyCode":"USD","tierMinimumUnits":0.0,"retailPrice":{price},"unitPrice":{price},"armRegionName":"{region}",
            "meterName":"{meter}","productName":"{product}","skuName":"{sku}","serviceName":"{service}","unitOfMeasure":"{unit}",
            "type":"Consumption","isPrimaryMeterRegion":true,"armSkuName":"Standard_D8s_v5"}}"#
        )
    }

    fn page(rows: &[String], next: &str) -> String {
        format!(
            r#"{{"BillingCurrency":"USD","CustomerEntityId":"Default","CustomerEntityType":"Retail","Items":[{}],"NextPageLink":{next},"Count":{}}}"#,
            rows.join(","),
            rows.len()
        )
    }

    fn machine(product: &str, meter: &str, region: &str, price: &str) -> String {
        row("Virtual Machines", product, "D8s v5", meter, "1 Hour", region, price)
    }

    #[test]
    fn rows_become_the_columns_of_a_book() {
        let series = "Virtual Machines Dsv5 Series";
        let mut all = Gathered::new(wanted());
        let rows = [
            machine(series, "D8s v5", "westeurope", "0.46"),
            machine(&format!("{series} Windows"), "D8s v5", "westeurope", "0.828"),
            machine(series, "D8s v5 Spot", "westeurope", "0.085008"),
            machine(series, "D8s v5 Low Priority", "westeurope", "9.2e-2"),
            // Shares the name of the size and is another service.
            machine("Dsv5 Series Cloud Services", "D8s v5", "westeurope", "0.9"),
            machine(series, "D8s v5", "westus", "0.1"),
            machine(series, "D8s v5", "eastus", "0"),
            row("Storage", "Premium SSD Managed Disks", "P10 LRS", "P10 LRS Disk", "1/Month", "westeurope", "21.68"),
            row(
                "Storage",
                "Premium SSD Managed Disks",
                "P10 LRS",
                "P10 LRS Disk Mount",
                "1/Month",
                "westeurope",
                "1.183",
            ),
            row("Storage", "Files v2", "Standard LRS", "LRS Data Stored", "1 GB/Month", "westeurope", "0.06"),
            row("NAT Gateway", "NAT Gateway", "Standard", "Standard Gateway", "1 Hour", "Global", "0.045"),
            row(
                "Virtual Network",
                "IP Addresses",
                "Standard",
                "Standard IPv4 Static Public IP",
                "1 Hour",
                "eastus",
                "0.005",
            ),
        ];
        assert_eq!(
            all.page(&page(&rows, r#""https://prices.azure.com:443/next""#)).unwrap().as_deref(),
            Some("https://prices.azure.com:443/next")
        );
        let (text, tally) = all.file(jiff::civil::date(2026, 12, 1), "https://prices.azure.com");
        assert_eq!(
            tally,
            Tally { machines: 4, meters: 5, missing: vec!["Standard_D8s_v5 in eastus".to_owned()], ambiguous: 0 }
        );
        let book = Book::read(&text).unwrap();
        let price =
            |windows, term| book.machine("Standard_D8s_v5", "westeurope", windows, term).map(|p| p.amount.to_string());
        assert_eq!(price(false, Term::OnDemand).as_deref(), Some("0.46"));
        assert_eq!(price(true, Term::OnDemand).as_deref(), Some("0.828"));
        assert_eq!(price(false, Term::Spot).as_deref(), Some("0.085008"));
        assert_eq!(price(false, Term::LowPriority).as_deref(), Some("0.092"));
        let meter = |kind, sku, region| book.meter(kind, sku, region).map(|price| price.amount.to_string());
        assert_eq!(meter("disk", "P10_LRS", "westeurope").as_deref(), Some("21.68"));
        assert_eq!(meter("files", "Standard_LRS", "westeurope").as_deref(), Some("0.06"));
        assert_eq!(
            (meter("nat", "Standard", "eastus"), meter("nat", "Standard", "westeurope")),
            (Some("0.045".into()), Some("0.045".into()))
        );
        assert_eq!(meter("address", "Standard", "westeurope"), None);
        assert_eq!(book.sources()[0].date, jiff::civil::date(2026, 12, 1));
    }

    #[test]
    fn rows_that_do_not_agree_are_left_out_whatever_their_order() {
        let series = "Virtual Machines Dsv5 Series";
        let rows = [("0.46", "0.5"), ("0.5", "0.46")].map(|(a, b)| {
            let mut all = Gathered::new(wanted());
            let rows = [a, b, a].map(|price| machine(series, "D8s v5", "westeurope", price));
            all.page(&page(&rows, "null")).unwrap();
            all.file(jiff::civil::date(2026, 12, 1), "x")
        });
        assert_eq!(rows[0], rows[1]);
        assert_eq!((rows[0].1.machines, rows[0].1.ambiguous), (0, 1));
    }

    #[test]
    fn another_form_or_currency_is_refused() {
        let mut all = Gathered::new(wanted());
        for text in ["", "[]", "{}", "<html>", r#"{"BillingCurrency":"USD","Items":{},"NextPageLink":null}"#] {
            assert!(matches!(all.page(text), Err(RetailError::Form(_))), "{text}");
        }
        let euro = page(&[], "null").replace("USD", "EUR");
        assert_eq!(all.page(&euro), Err(RetailError::Currency("USD".to_owned())));
        let mixed =
            page(&[machine("Virtual Machines Dsv5 Series", "D8s v5", "eastus", "1").replace("USD", "EUR")], "null");
        assert_eq!(all.page(&mixed), Err(RetailError::Currency("USD".to_owned())));
    }

    #[test]
    fn questions_quote_what_they_ask_for_and_stay_short() {
        let mut wanted = wanted();
        wanted.sizes = (0..30).map(|n| format!("Standard_D{n}'s_v5")).collect();
        let filters = wanted.filters();
        // 3 questions for sizes and 6 for products in each region, 3 for products that are the same everywhere.
        assert_eq!(filters.len(), 2 * (3 + 6) + 3);
        assert!(
            filters.iter().all(|filter| filter.len() < 1_000 && filter.matches('\'').count() % 2 == 0),
            "{filters:?}"
        );
    }
}
