//! The table `[prices]` of a `dsvmc.toml` → the price file of a project, its currency, discounts, reservations and budgets by tag.
//!
//! ```toml
//! [prices]
//! file = "prices.txt"
//! currency = "EUR"
//! rate = 0.92
//! rate-date = 2026-11-30
//!
//! [[prices.discounts]]
//! percent = 12.5
//! family = "StandardDSv5Family"
//! name = "agreement of 2026"
//!
//! [[prices.reservations]]
//! size = "Standard_D8s_v5"
//! region = "westeurope"
//! machines = 2
//! price = 0.27
//! date = 2026-01-15
//!
//! [[prices.budgets]]
//! tag = "team"
//! value = "vision"
//! monthly = 9_000
//! ```

use crate::catalogue::shown;
use crate::settings::{span, unreadable, unusable};
use dsvm_diagnostics::source::{SourceId, Span};
use dsvm_diagnostics::{Diagnostic, Sink};
use dsvm_prices::{Discount, Rate, Reservation, Service, TagBudget, is_currency};
use jiff::civil::Date;
use rust_decimal::Decimal;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// The table that is read here.
pub(crate) const TABLE: &str = "prices";
pub(crate) const KEYS: [&str; 7] = ["file", "currency", "rate", "rate-date", "discounts", "reservations", "budgets"];
const DISCOUNT: [&str; 6] = ["percent", "size", "family", "region", "service", "name"];
const RESERVATION: [&str; 6] = ["size", "region", "machines", "price", "date", "name"];
const BUDGET: [&str; 3] = ["tag", "value", "monthly"];
/// Most discounts, most reservations, and most budgets.
const MOST: usize = 200;
/// Most machines of a reservation.
const MACHINES: u32 = 100_000;
/// Most characters of a name.
const NAME: usize = 80;

/// What files say about prices.
#[derive(Clone, Debug, Default)]
pub struct PriceSettings {
    /// Path of the price file as it is written, the `dsvmc.toml` that says so, and the place there.
    pub file: Option<(String, String, Span)>,
    /// Currency of all amounts, with its place.
    pub currency: Option<(String, Span)>,
    /// What a US dollar costs in it.
    pub rate: Option<Rate>,
    /// In the order of the file. Sizes are named one by one or by their quota family.
    pub discounts: Vec<WrittenDiscount>,
    /// Machines that are paid for whether they run or not.
    pub reservations: Vec<(Reservation, Span)>,
    /// What everything with a tag may cost: of all files, the nearest first.
    pub budgets: Vec<TagBudget>,
}

/// A discount as it is written: the sizes of a family are known to the standard library alone.
#[derive(Clone, Debug)]
pub struct WrittenDiscount {
    /// What is taken off, where and of what; its sizes are still to be found.
    pub discount: Discount,
    /// Size that it is for.
    pub size: Option<String>,
    /// Quota family that it is for.
    pub family: Option<String>,
    /// Where it is written.
    pub span: Span,
}

type Value<'t> = Spanned<DeValue<'t>>;

/// The file that is read.
#[derive(Clone, Copy)]
struct Place<'t> {
    source: SourceId,
    text: &'t str,
}

impl PriceSettings {
    /// Reads a file, which people know as `file`.
    #[must_use]
    pub fn read(text: &str, file: &str, source: SourceId, sink: &mut Sink) -> Self {
        let mut settings = Self::default();
        match DeTable::parse(text) {
            Ok(table) => {
                let found = table.get_ref().iter().find(|(key, _)| key.get_ref().as_ref() == TABLE);
                if let Some((key, value)) = found {
                    settings.table(value, span(source, text, &key.span()), file, (source, text), sink);
                }
            }
            Err(error) => sink.push(unreadable(error.message(), span(source, text, &error.span().unwrap_or(0..0)))),
        }
        settings
    }

    pub(crate) fn table(
        &mut self,
        value: &Value<'_>,
        at: Span,
        file: &str,
        (source, text): (SourceId, &str),
        sink: &mut Sink,
    ) {
        let place = Place { source, text };
        let DeValue::Table(entries) = value.get_ref() else {
            sink.push(unusable("`prices` is a table", at).help("write `[prices]` and the entries below it"));
            return;
        };
        let mut rate: (Option<Decimal>, Option<Date>) = (None, None);
        for (key, value) in entries {
            match key.get_ref().as_ref() {
                "file" => {
                    self.file =
                        place.text_of(value, "`file`", sink).map(|text| (text, file.to_owned(), place.at(value)));
                }
                "currency" => {
                    let code = place.text_of(value, "`currency`", sink);
                    if let Some(code) = code {
                        if is_currency(&code) {
                            self.currency = Some((code, place.at(value)));
                        } else {
                            let title = format!("`{}` is no code of a currency", shown(&code));
                            sink.push(
                                unusable(title, place.at(value)).help("write three capital letters such as `EUR`"),
                            );
                        }
                    }
                }
                "rate" => rate.0 = place.number(value, "a rate", sink),
                "rate-date" => rate.1 = place.date(value, sink),
                "discounts" => {
                    for entry in place.list(value, "discounts", sink) {
                        self.discounts.extend(place.discount(entry, sink));
                    }
                }
                "reservations" => {
                    for entry in place.list(value, "reservations", sink) {
                        self.reservations.extend(place.reservation(entry, sink));
                    }
                }
                "budgets" => {
                    for entry in place.list(value, "budgets", sink) {
                        self.budgets.extend(place.budget(entry, file, sink));
                    }
                }
                other => sink.push(place.unknown(key, other, "[prices]", &KEYS)),
            }
        }
        let currency = self.currency.as_ref().map(|(code, _)| code.as_str());
        for budget in &mut self.budgets {
            budget.currency = currency.map(Into::into);
        }
        match rate {
            (Some(per_dollar), Some(date)) => self.rate = Some(Rate { per_dollar, date }),
            (None, None) => {}
            _ => sink.push(
                unusable("a rate has a day", at)
                    .help("write `rate = 0.92`, the price of a US dollar, and `rate-date = 2026-11-30`"),
            ),
        }
    }

    /// Takes over what a file of a folder above says and this one does not.
    pub fn inherit(&mut self, above: &Self) {
        self.file = self.file.take().or_else(|| above.file.clone());
        // Each file limits what is below it; an amount without a currency is in that of the next file with one.
        self.budgets.extend(above.budgets.iter().cloned());
        if let Some((code, _)) = &above.currency {
            for budget in self.budgets.iter_mut().filter(|budget| budget.currency.is_none()) {
                budget.currency = Some(code.as_str().into());
            }
        }
        // A rate belongs to its currency.
        if self.currency.is_none() {
            self.currency.clone_from(&above.currency);
            self.rate = self.rate.or(above.rate);
        }
        if self.discounts.is_empty() {
            self.discounts.clone_from(&above.discounts);
        }
        if self.reservations.is_empty() {
            self.reservations.clone_from(&above.reservations);
        }
    }
}

impl<'t> Place<'t> {
    fn at(self, value: &Value<'_>) -> Span {
        span(self.source, self.text, &value.span())
    }

    fn unknown(self, key: &Spanned<DeString<'_>>, name: &str, table: &str, known: &[&str]) -> Diagnostic {
        let at = span(self.source, self.text, &key.span());
        let words: Vec<String> = known.iter().map(|word| format!("`{word}`")).collect();
        unusable(format!("`{table}` has no entry `{}`", shown(name)), at)
            .help(format!("its entries are {}", words.join(", ")))
    }

    fn text_of(self, value: &Value<'_>, what: &str, sink: &mut Sink) -> Option<String> {
        let text = value.get_ref().as_str().filter(|text| !text.is_empty() && text.chars().count() <= 512);
        if text.is_none() {
            sink.push(unusable(format!("{what} is a text"), self.at(value)).help("write it in quotes"));
        }
        text.map(str::to_owned)
    }

    /// An exact decimal above zero: the digits as they are written, never a floating point number.
    fn number(self, value: &Value<'_>, what: &str, sink: &mut Sink) -> Option<Decimal> {
        let digits = match value.get_ref() {
            DeValue::Float(number) => Some(number.as_str().replace('_', "")),
            DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().replace('_', "")),
            DeValue::String(text) => Some(text.to_string()),
            _ => None,
        };
        let number = digits.and_then(|digits| Decimal::from_str_exact(&digits).ok());
        let number = number.filter(|number| *number > Decimal::ZERO && *number < Decimal::from(1_000_000_000));
        if number.is_none() {
            let made = unusable(format!("{what} is a number above zero"), self.at(value));
            sink.push(made.help("write it with digits and a point, such as `0.92`"));
        }
        number
    }

    fn date(self, value: &Value<'_>, sink: &mut Sink) -> Option<Date> {
        let text = match value.get_ref() {
            DeValue::Datetime(date) => Some(date.to_string()),
            DeValue::String(text) => Some(text.to_string()),
            _ => None,
        };
        let date = text.and_then(|text| text.parse::<Date>().ok());
        if date.is_none() {
            sink.push(unusable("this is no date", self.at(value)).help("write it such as `2026-11-30`"));
        }
        date
    }

    fn list<'v>(self, value: &'v Value<'t>, what: &str, sink: &mut Sink) -> Vec<&'v Value<'t>> {
        let entries = match value.get_ref() {
            DeValue::Array(entries) => entries.iter().collect(),
            _ => {
                let made = unusable(format!("`{what}` is a list of tables"), self.at(value));
                sink.push(made.help(format!("begin each one with `[[prices.{what}]]`")));
                Vec::new()
            }
        };
        if entries.len() > MOST {
            sink.push(
                unusable(format!("there are {} `{what}`", entries.len()), self.at(value))
                    .help(format!("at most {MOST} are read")),
            );
            return Vec::new();
        }
        entries
    }

    fn entries<'v>(self, entry: &'v Value<'t>, what: &str, sink: &mut Sink) -> Option<&'v DeTable<'t>> {
        let DeValue::Table(table) = entry.get_ref() else {
            let made = unusable(format!("each of `{what}` is a table"), self.at(entry));
            sink.push(made.help(format!("begin each one with `[[prices.{what}]]`")));
            return None;
        };
        Some(table)
    }

    fn name(self, value: &Value<'_>, sink: &mut Sink) -> Option<String> {
        let name = self.text_of(value, "`name`", sink)?;
        if name.chars().count() > NAME || name.chars().any(char::is_control) {
            let title = format!("a name has at most {NAME} characters, in one line");
            sink.push(unusable(title, self.at(value)).help("write what bills call it, such as `agreement of 2026`"));
            return None;
        }
        Some(name)
    }

    fn discount(self, entry: &Value<'t>, sink: &mut Sink) -> Option<WrittenDiscount> {
        let table = self.entries(entry, "discounts", sink)?;
        let (mut percent, mut size, mut family) = (None, None, None);
        let (mut region, mut service, mut name) = (None, None, None);
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "percent" => percent = self.number(value, "a discount", sink),
                "size" => size = self.text_of(value, "`size`", sink),
                "family" => family = self.text_of(value, "`family`", sink),
                "region" => region = self.text_of(value, "`region`", sink),
                "name" => name = self.name(value, sink),
                "service" => {
                    let word = self.text_of(value, "`service`", sink)?;
                    service = Service::ALL.into_iter().find(|(_, known)| *known == word).map(|(service, _)| service);
                    if service.is_none() {
                        let words: Vec<String> = Service::ALL.iter().map(|(_, word)| format!("`{word}`")).collect();
                        let made = unusable(format!("`{}` is no service", shown(&word)), self.at(value));
                        sink.push(made.help(format!("write one of {}", words.join(", "))));
                        return None;
                    }
                }
                other => sink.push(self.unknown(key, other, "[[prices.discounts]]", &DISCOUNT)),
            }
        }
        let at = self.at(entry);
        let Some(percent) = percent.filter(|percent| *percent <= Decimal::ONE_HUNDRED) else {
            sink.push(unusable("a discount takes at most 100 percent off", at).help("write such as `percent = 12.5`"));
            return None;
        };
        if size.is_some() && family.is_some() {
            let made = unusable("a discount is for a size or for a family", at);
            sink.push(made.help("leave one of the two out, or write two discounts"));
            return None;
        }
        let name = name.unwrap_or_else(|| "own discount".to_owned());
        let discount = Discount { percent, sizes: None, region, service, name };
        Some(WrittenDiscount { discount, size, family, span: at })
    }

    fn budget(self, entry: &Value<'t>, file: &str, sink: &mut Sink) -> Option<TagBudget> {
        let table = self.entries(entry, "budgets", sink)?;
        let (mut tag, mut tag_value, mut monthly) = (None, None, None);
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "tag" => tag = self.text_of(value, "`tag`", sink),
                "value" => tag_value = self.text_of(value, "`value`", sink),
                "monthly" => monthly = self.number(value, "a budget", sink),
                other => sink.push(self.unknown(key, other, "[[prices.budgets]]", &BUDGET)),
            }
        }
        let (Some(tag), Some(value), Some(monthly)) = (tag, tag_value, monthly) else {
            sink.push(unusable("a budget is not complete", self.at(entry)).help(
                "write the name of a `tag`, the `value` that it has, and what may be paid `monthly`, in the currency of the file",
            ));
            return None;
        };
        Some(TagBudget { tag, value, monthly, currency: None, file: file.to_owned() })
    }

    fn reservation(self, entry: &Value<'t>, sink: &mut Sink) -> Option<(Reservation, Span)> {
        let table = self.entries(entry, "reservations", sink)?;
        let (mut size, mut region, mut machines) = (None, None, None);
        let (mut price, mut date, mut name) = (None, None, None);
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "size" => size = self.text_of(value, "`size`", sink),
                "region" => region = self.text_of(value, "`region`", sink),
                "machines" => machines = self.number(value, "a number of machines", sink),
                "price" => price = self.number(value, "a price", sink),
                "date" => date = self.date(value, sink),
                "name" => name = self.name(value, sink),
                other => sink.push(self.unknown(key, other, "[[prices.reservations]]", &RESERVATION)),
            }
        }
        let at = self.at(entry);
        let machines = machines.and_then(|number| number.to_string().parse::<u32>().ok());
        let machines = machines.filter(|number| (1..=MACHINES).contains(number));
        let (Some(size), Some(region), Some(machines), Some(price), Some(date)) = (size, region, machines, price, date)
        else {
            sink.push(unusable("a reservation is not complete", at).help(
                "write `size`, `region`, a whole number of `machines`, the `price` of one in an hour, and the `date` of that price",
            ));
            return None;
        };
        let name = name.unwrap_or_else(|| "own reservation".to_owned());
        Some((Reservation { size, region, machines, price, date, name }, at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (PriceSettings, Vec<String>) {
        let mut sink = Sink::default();
        let settings = PriceSettings::read(text, "dsvmc.toml", SourceId::file(0), &mut sink);
        (settings, sink.finish().into_iter().map(|found| found.title).collect())
    }

    #[test]
    fn numbers_are_the_digits_that_are_written() {
        let text = "[prices]\nfile = \"p.txt\"\ncurrency = \"EUR\"\nrate = 0.1\nrate-date = 2026-11-30\n\
                    [[prices.discounts]]\npercent = 33.33\nsize = \"Standard_D8s_v5\"\n\
                    [[prices.reservations]]\nsize = \"Standard_D8s_v5\"\nregion = \"westeurope\"\nmachines = 2\nprice = 0.3\ndate = 2026-01-15\n";
        let (settings, told) = read(text);
        assert_eq!(told, Vec::<String>::new());
        assert_eq!(settings.rate.unwrap().per_dollar.to_string(), "0.1");
        assert_eq!(settings.discounts.first().unwrap().discount.percent.to_string(), "33.33");
        let (reservation, _) = settings.reservations.first().unwrap();
        assert_eq!((reservation.machines, reservation.price.to_string().as_str()), (2, "0.3"));
    }

    /// Budgets of all files hold, each in the currency of the nearest file above it that names one.
    #[test]
    fn budgets_of_folders_above_hold_too() {
        let budget =
            |value: &str| format!("[[prices.budgets]]\ntag = \"team\"\nvalue = \"{value}\"\nmonthly = 9_000\n");
        let mut all = PriceSettings::default();
        for text in [
            budget("a"),
            format!("[prices]\ncurrency = \"GBP\"\n{}", budget("b")),
            format!("[prices]\ncurrency = \"EUR\"\n{}", budget("c")),
        ] {
            let (settings, told) = read(&text);
            assert_eq!(told, Vec::<String>::new());
            all.inherit(&settings);
        }
        let found: Vec<(&str, &str)> = all.budgets.iter().map(|one| (one.value.as_str(), one.currency())).collect();
        assert_eq!(found, [("a", "GBP"), ("b", "GBP"), ("c", "EUR")]);
        assert!(all.budgets.iter().all(|one| one.monthly.to_string() == "9000"));
    }

    #[test]
    fn what_is_unknown_or_unusable_is_told_and_has_no_effect() {
        for text in [
            "prices = 1",
            "[prices]\nfiles = \"a\"",
            "[prices]\nfile = 1",
            "[prices]\ncurrency = \"euro\"",
            "[prices]\nrate = 0.92",
            "[prices]\nrate = -1\nrate-date = 2026-11-30",
            "[prices]\ndiscounts = 3",
            "[[prices.discounts]]\npercent = 0",
            "[[prices.discounts]]\npercent = 101",
            "[[prices.discounts]]\npercent = 5\nservice = \"compute\"",
            "[[prices.discounts]]\npercent = 5\nsize = \"a\"\nfamily = \"b\"",
            "[[prices.reservations]]\nsize = \"Standard_D8s_v5\"",
            "[[prices.budgets]]\ntag = \"team\"\nmonthly = 5",
            "[[prices.budgets]]\ntag = \"team\"\nvalue = \"a\"\nmonthly = -5",
            "[[prices.budgets]]\ntag = \"team\"\nvalue = \"a\"\nyearly = 5",
            "[prices]\nbudgets = \"a\"",
            "[[prices.reservations]]\nsize = \"a\"\nregion = \"b\"\nmachines = 1.5\nprice = 1\ndate = 2026-01-15",
        ] {
            let (settings, told) = read(text);
            assert!(!told.is_empty(), "{text}");
            assert!(
                settings.discounts.is_empty() && settings.reservations.is_empty() && settings.budgets.is_empty(),
                "{text}"
            );
        }
    }
}
