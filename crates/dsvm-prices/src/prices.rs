//! What one project pays: the rows of its own price file before those of the program, in its currency, less its discounts.

use super::book::{Book, Price, Source, Term, key};
use jiff::civil::Date;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The currency of Azure's price list, and of the program's rows.
pub const USD: &str = "USD";

/// Prices as a project has them.
#[derive(Clone, Debug, Default)]
pub struct Prices {
    /// Its own price file.
    pub own: Option<Arc<Book>>,
    /// What its settings say about prices.
    pub terms: Arc<Terms>,
}

/// What a team agreed on with Azure, or with itself.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// Currency of all amounts; US dollars without one.
    pub currency: Option<Arc<str>>,
    /// What a US dollar costs in that currency.
    pub rate: Option<Rate>,
    /// In the order of the file: the first that fits counts.
    pub discounts: Vec<Arc<Discount>>,
    /// Machines that are paid for whether they run or not.
    pub reservations: Vec<Reservation>,
    /// What may be paid for everything with a tag.
    pub budgets: Vec<TagBudget>,
}

/// What everything with a tag may cost in a month, in all projects below the file that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagBudget {
    /// Name of the tag.
    pub tag: String,
    /// Value of the tag.
    pub value: String,
    /// Most that may be paid for these things, at the ceiling.
    pub monthly: Decimal,
    /// Currency of the amount; US dollars without one.
    pub currency: Option<Arc<str>>,
    /// The settings file that says so.
    pub file: String,
}

impl TagBudget {
    /// Whether something with these tags counts.
    #[must_use]
    pub fn counts(&self, tags: &BTreeMap<String, String>) -> bool {
        tags.get(&self.tag) == Some(&self.value)
    }

    /// Currency of the amount.
    #[must_use]
    pub fn currency(&self) -> &str {
        self.currency.as_deref().unwrap_or(USD)
    }
}

/// An exchange rate with its day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// What a US dollar costs.
    pub per_dollar: Decimal,
    /// Day of the rate.
    pub date: Date,
}

/// A part of the list price that is not paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discount {
    /// Up to 100, as it is written: not a fraction.
    pub percent: Decimal,
    /// Sizes that it is for, as they are compared; all without a list.
    pub sizes: Option<BTreeSet<String>>,
    /// Region that it is for.
    pub region: Option<String>,
    /// What it is for.
    pub service: Option<Service>,
    /// What people call it.
    pub name: String,
}

/// Kinds of things that are paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Scale sets and nodes that are paid as they go.
    Machines,
    /// Spot and low-priority machines.
    Spot,
    /// System and data disks, by their tier.
    Disks,
    /// Shares of storage accounts.
    Shares,
    /// Addresses, gateways, balancers, endpoints, zones.
    Network,
}

impl Service {
    /// All of them, with the words of the settings.
    pub const ALL: [(Self, &str); 5] = [
        (Self::Machines, "machines"),
        (Self::Spot, "spot"),
        (Self::Disks, "disks"),
        (Self::Shares, "shares"),
        (Self::Network, "network"),
    ];
}

/// Machines of a size that are paid for in a region, whether they run or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// Size as Azure spells it.
    pub size: String,
    /// Region that it holds in.
    pub region: String,
    /// As many are paid for in every hour.
    pub machines: u32,
    /// For one in an hour, in the currency of the project.
    pub price: Decimal,
    /// Day on which the price was agreed.
    pub date: Date,
    /// What people call it.
    pub name: String,
}

/// Sizes and regions are compared without regard to case and spaces.
#[must_use]
pub fn same(left: &str, right: &str) -> bool {
    key(left) == key(right)
}

impl Discount {
    /// `12.5 % off: agreement of 2026`.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{} % off: {}", self.percent.normalize(), self.name)
    }

    fn fits(&self, size: Option<&str>, region: &str, service: Service) -> bool {
        let sizes = |sizes: &BTreeSet<String>| size.is_some_and(|size| sizes.contains(&key(size)));
        self.sizes.as_ref().is_none_or(sizes)
            && self.region.as_deref().is_none_or(|own| same(own, region))
            && self.service.is_none_or(|own| own == service)
    }
}

impl Prices {
    fn books(&self) -> impl Iterator<Item = &Book> {
        self.own.as_deref().into_iter().chain([Book::shipped()])
    }

    /// Currency of every price that is returned.
    #[must_use]
    pub fn currency(&self) -> &str {
        self.terms.currency.as_deref().unwrap_or(USD)
    }

    /// An amount in US dollars as the project counts; `None` without a rate.
    #[must_use]
    pub fn from_dollars(&self, dollars: Decimal) -> Option<Decimal> {
        if self.currency() == USD {
            return Some(dollars);
        }
        dollars.checked_mul(self.terms.rate?.per_dollar)
    }

    /// `1 USD is 0.92 EUR (2026-11-30)`.
    #[must_use]
    pub fn rate_note(&self) -> Option<String> {
        let Rate { per_dollar, date } = self.terms.rate?;
        Some(format!("1 {USD} is {} {} ({date})", per_dollar.normalize(), self.currency()))
    }

    /// Whether a source publishes in another currency, so that its rows are converted.
    #[must_use]
    pub fn converts(&self, source: &Source) -> bool {
        *source.currency != *self.currency()
    }

    /// In the currency of the project, less the first discount that fits.
    fn own_terms(&self, price: Price, size: Option<&str>, service: Service) -> Option<Price> {
        let amount = match &*price.source.currency {
            own if own == self.currency() => price.amount,
            USD => self.from_dollars(price.amount)?,
            _ => return None,
        };
        let discount = self.terms.discounts.iter().find(|one| one.fits(size, &price.region, service)).cloned();
        let hundred = Decimal::ONE_HUNDRED;
        let amount = match &discount {
            Some(one) => amount.checked_mul(hundred.checked_sub(one.percent)?)?.checked_div(hundred)?.normalize(),
            None => amount,
        };
        let currency = self.terms.currency.clone().unwrap_or_else(|| USD.into());
        Some(Price { amount, currency, discount, ..price })
    }

    /// What a machine costs in an hour.
    #[must_use]
    pub fn machine(&self, size: &str, region: &str, windows: bool, term: Term) -> Option<Price> {
        let service = if term == Term::OnDemand { Service::Machines } else { Service::Spot };
        self.books().find_map(|book| self.own_terms(book.machine(size, region, windows, term)?, Some(size), service))
    }

    /// What a meter costs in a region: `nat`, `Standard`.
    #[must_use]
    pub fn meter(&self, kind: &str, sku: &str, region: &str) -> Option<Price> {
        let service = match kind {
            "disk" => Service::Disks,
            "files" => Service::Shares,
            _ => Service::Network,
        };
        self.books().find_map(|book| self.own_terms(book.meter(kind, sku, region)?, None, service))
    }

    /// The tier that a disk is billed as, as [`Book::tier`] has it.
    #[must_use]
    pub fn tier(&self, kind: char, gib: u32) -> Option<&str> {
        Book::shipped().tier(kind, gib)
    }

    /// What a reserved machine costs in an hour.
    #[must_use]
    pub fn reserved(&self, reservation: &Reservation) -> Price {
        let source = Source {
            title: format!("dsvmc.toml, {}", reservation.name),
            date: reservation.date,
            licence: "own terms".to_owned(),
            commit: String::new(),
            currency: self.currency().into(),
        };
        Price {
            amount: reservation.price,
            per: super::Per::Hour,
            region: key(&reservation.region),
            currency: Arc::clone(&source.currency),
            source: Arc::new(source),
            discount: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(terms: Terms) -> Prices {
        Prices { own: None, terms: Arc::new(terms) }
    }

    fn discount(percent: &str, size: Option<&str>, region: Option<&str>, service: Option<Service>) -> Arc<Discount> {
        Arc::new(Discount {
            percent: percent.parse().unwrap(),
            sizes: size.map(|size| [key(size)].into()),
            region: region.map(str::to_owned),
            service,
            name: "agreement".to_owned(),
        })
    }

    fn amount(price: Option<Price>) -> Option<String> {
        price.map(|price| price.amount.to_string())
    }

    /// 0.46 dollars for an hour of Standard_D8s_v5 in westeurope, 0.92 for Standard_D16s_v5, 21.68 for a P10 in a month.
    #[test]
    fn the_first_discount_that_fits_counts_and_is_told() {
        let prices = with(Terms {
            discounts: vec![
                discount("12.5", Some("standard_d8s_v5"), Some("West Europe"), Some(Service::Machines)),
                discount("10", None, None, None),
            ],
            ..Terms::default()
        });
        let machine = |size, term| prices.machine(size, "westeurope", false, term);
        // 0.46 × 87.5 % and 0.92 × 90 %.
        assert_eq!(amount(machine("Standard_D8s_v5", Term::OnDemand)).as_deref(), Some("0.4025"));
        assert_eq!(amount(machine("Standard_D16s_v5", Term::OnDemand)).as_deref(), Some("0.828"));
        // Spot is another service: 0.085008 × 90 %.
        assert_eq!(amount(machine("Standard_D8s_v5", Term::Spot)).as_deref(), Some("0.0765072"));
        assert_eq!(amount(prices.meter("disk", "P10_LRS", "westeurope")).as_deref(), Some("19.512"));
        let told = machine("Standard_D8s_v5", Term::OnDemand).unwrap().discount.unwrap().title();
        assert_eq!(told, "12.5 % off: agreement");
    }

    #[test]
    fn another_currency_needs_a_rate_or_rows_of_its_own() {
        let euro = |rate: Option<Decimal>| {
            let rate = rate.map(|per_dollar| Rate { per_dollar, date: jiff::civil::date(2026, 11, 30) });
            with(Terms { currency: Some("EUR".into()), rate, ..Terms::default() })
        };
        let machine = |prices: &Prices| amount(prices.machine("Standard_D8s_v5", "westeurope", false, Term::OnDemand));
        assert_eq!(machine(&euro(None)), None);
        assert_eq!(machine(&euro(Some(Decimal::new(92, 2)))).as_deref(), Some("0.4232"));
        let text = "currency EUR\nsource e 2026-11-30 - - Azure\nsize Standard_D8s_v5\nwesteurope e 0.40\n";
        let own = Prices { own: Some(Arc::new(Book::read(text).unwrap())), ..euro(None) };
        assert_eq!(machine(&own).as_deref(), Some("0.40"));
        // What the project's file does not have comes from the program, in dollars: without a rate it is unknown.
        assert_eq!(own.meter("nat", "Standard", "westeurope"), None);
    }
}
