//! Bills: what is known added up, what is not known named. Three cases stand beside each other, from the fewest machines to
//! the most; where a case is unknown, the one below it is the least that it costs.

use super::book::{Per, Price};
use rust_decimal::{Decimal, RoundingStrategy};
use std::collections::BTreeMap;

/// What one case of an item costs in a month.
#[derive(Clone, Debug, PartialEq)]
pub enum Amount {
    /// So many units at this price.
    Known {
        /// Number of units at once: machines, GiB.
        count: Decimal,
        /// For one unit, with its source and date.
        price: Price,
    },
    /// Nothing, because there is nothing in this case: no machine, no data. Needs no price.
    Nothing,
    /// It costs something, and why nobody knows how much.
    Unknown(String),
}

impl Amount {
    /// So many at a price; none of something is known to cost nothing, also when its price is not known.
    #[must_use]
    pub fn of(count: Option<Decimal>, price: Option<Price>, missing: (&str, &str)) -> Self {
        match (count, price) {
            (Some(count), _) if count.is_zero() => Self::Nothing,
            (Some(count), Some(price)) => Self::Known { count, price },
            (None, _) => Self::Unknown(missing.0.to_owned()),
            (Some(_), None) => Self::Unknown(missing.1.to_owned()),
        }
    }

    /// What it costs in a month, in the currency of its price; `None` when unknown, or when the number is out of reach.
    #[must_use]
    pub fn sum(&self) -> Option<Decimal> {
        match self {
            Self::Known { count, price } => {
                let hours = match price.per {
                    Per::Hour => Decimal::from(super::HOURS),
                    Per::Month | Per::GibMonth => Decimal::ONE,
                };
                count.checked_mul(price.amount)?.checked_mul(hours)
            }
            Self::Nothing => Some(Decimal::ZERO),
            Self::Unknown(_) => None,
        }
    }
}

/// One thing that is paid for.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The pool that it belongs to; what pools share has none.
    pub pool: Option<String>,
    /// Where it is, as far as that is known.
    pub region: Option<String>,
    /// Tags of the resource, by name.
    pub tags: BTreeMap<String, String>,
    /// In a few words, such as `machines` or `system disks`.
    pub what: String,
    /// What exactly is paid: size, tier, terms.
    pub detail: String,
    /// How many alike there are.
    pub number: u32,
    /// Floor, expected, ceiling, of all of them.
    pub cases: [Amount; 3],
}

/// A sum of which a part may be unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// What is known, in a month.
    pub sum: Decimal,
    /// Number of items with an unknown amount: the true sum is higher.
    pub unknown: u32,
}

/// Everything that a project pays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bill {
    /// In the order of the source.
    pub items: Vec<Item>,
}

impl Amount {
    /// Both together, when they are of one kind and have one price.
    fn with(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Known { count, price }, Self::Known { count: more, price: same }) if price == same => {
                Some(Self::Known { count: count.checked_add(*more)?, price: price.clone() })
            }
            (Self::Nothing, Self::Nothing) => Some(Self::Nothing),
            (Self::Unknown(why), Self::Unknown(same)) if why == same => Some(Self::Unknown(why.clone())),
            _ => None,
        }
    }
}

impl Item {
    /// Whether another item is of the same kind, in the same place and under the same tags.
    fn alike(&self, other: &Self) -> bool {
        (&self.pool, &self.region, &self.tags) == (&other.pool, &other.region, &other.tags)
            && (&self.what, &self.detail) == (&other.what, &other.detail)
    }
}

impl Bill {
    /// Adds an item; one that is like an earlier one is counted there.
    pub fn add(&mut self, item: Item) {
        let same = |known: &&mut Item| known.alike(&item);
        if let Some(known) = self.items.iter_mut().find(same) {
            let [a, b, c] = &known.cases;
            let [d, e, f] = &item.cases;
            if let (Some(floor), Some(expected), Some(ceiling)) = (a.with(d), b.with(e), c.with(f)) {
                known.cases = [floor, expected, ceiling];
                known.number = known.number.saturating_add(item.number);
                return;
            }
        }
        self.items.push(item);
    }

    /// Floor, expected and ceiling of the items that are wanted. Each is at least the one before it.
    #[must_use]
    pub fn totals(&self, wanted: impl Fn(&Item) -> bool) -> [Total; 3] {
        let mut totals = [Total::default(); 3];
        for item in self.items.iter().filter(|item| wanted(item)) {
            let mut least = Decimal::ZERO;
            for (total, amount) in totals.iter_mut().zip(&item.cases) {
                match amount.sum() {
                    Some(sum) => least = least.max(sum),
                    None => total.unknown = total.unknown.saturating_add(item.number),
                }
                total.sum = total.sum.saturating_add(least);
            }
        }
        totals
    }
}

/// Cents, with a comma before each three digits: `12,345.60`.
#[must_use]
pub fn cents(amount: Decimal) -> String {
    let text = format!("{:.2}", amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero));
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "00"));
    let mut out = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    format!("{out}.{cents}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::Source;
    use proptest::prelude::*;
    use std::sync::Arc;

    fn price(cents: i64, per: Per) -> Price {
        let date = jiff::civil::date(2026, 8, 22);
        let none = String::new;
        let source = Source { title: none(), date, licence: none(), commit: none(), currency: "USD".into() };
        let (amount, region) = (Decimal::new(cents, 2), "westeurope".to_owned());
        Price { amount, per, region, source: Arc::new(source), currency: "USD".into(), discount: None }
    }

    fn item(cases: [Amount; 3]) -> Item {
        let (what, detail) = (String::new(), String::new());
        Item { pool: None, region: None, tags: BTreeMap::new(), what, detail, number: 1, cases }
    }

    #[test]
    fn amounts_have_cents_and_groups() {
        let text = |text: &str| cents(text.parse().unwrap());
        assert_eq!(
            [text("0"), text("0.005"), text("999.994"), text("1234567.8")],
            ["0.00", "0.01", "999.99", "1,234,567.80"]
        );
    }

    #[test]
    fn an_hour_counts_730_times_and_a_month_once() {
        let hourly = Amount::of(Some(2.into()), Some(price(46, Per::Hour)), ("", ""));
        assert_eq!(hourly.sum(), Some(Decimal::new(67160, 2)));
        let monthly = Amount::of(Some(3.into()), Some(price(2168, Per::Month)), ("", ""));
        assert_eq!(monthly.sum(), Some(Decimal::new(6504, 2)));
    }

    #[test]
    fn unknown_is_counted_and_never_nothing() {
        let unknown = Amount::of(Some(1.into()), None, ("number", "price"));
        assert_eq!((unknown.clone(), unknown.sum()), (Amount::Unknown("price".to_owned()), None));
        let nothing = Amount::of(Some(0.into()), None, ("number", "price"));
        assert_eq!(nothing, Amount::Nothing);
        let known = Amount::of(Some(1.into()), Some(price(100, Per::Month)), ("", ""));
        let bill = Bill {
            items: vec![item([known.clone(), unknown.clone(), known]), item([nothing, unknown.clone(), unknown])],
        };
        let one = Decimal::ONE;
        let total = |sum, unknown| Total { sum, unknown };
        assert_eq!(bill.totals(|_| true), [total(one, 0), total(one, 2), total(one, 1)]);
    }

    proptest! {
        /// Whatever is unknown, floor ≤ expected ≤ ceiling, and another item never makes a bill cheaper.
        #[test]
        fn totals_grow(items in prop::collection::vec(prop::array::uniform3((0_u32..50, prop::option::of(0_i64..10_000))), 0..8)) {
            let mut bill = Bill::default();
            let mut before = bill.totals(|_| true);
            for cases in items {
                let cases = cases.map(|(count, cents)| {
                    Amount::of(Some(count.into()), cents.map(|cents| price(cents, Per::Hour)), ("", ""))
                });
                bill.add(item(cases));
                let now = bill.totals(|_| true);
                prop_assert!(now[0].sum <= now[1].sum && now[1].sum <= now[2].sum);
                prop_assert!(before.iter().zip(&now).all(|(a, b)| a.sum <= b.sum && a.unknown <= b.unknown));
                before = now;
            }
        }
    }
}
