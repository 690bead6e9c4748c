//! What is told about choices by price.

use super::listed;
use super::values::origin;
use crate::priced::Choice;
use crate::value::Deferred;
use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Code, Diagnostic};
use dsvm_prices::{Price, Term};

/// A size with its properties, and what it costs in an hour.
pub(crate) struct PricedSize {
    pub(crate) size: String,
    pub(crate) price: Price,
}

/// `0.23 USD an hour`
fn hourly(price: &Price) -> String {
    format!("{} {} an hour", price.amount.normalize(), price.currency)
}

/// `on demand for Linux in westeurope`
fn terms(choice: &Choice) -> String {
    let term = if choice.term == Term::OnDemand { "on demand" } else { "as spot machines" };
    let system = if choice.windows { "Windows" } else { "Linux" };
    format!("{term} for {system} in {}", choice.region)
}

/// Where prices are from, each source once: `andy-diericks/azure-pricing-radar (2026-08-22)`.
fn sources<'a>(prices: impl IntoIterator<Item = &'a Price>) -> String {
    let mut found: Vec<String> = Vec::new();
    for price in prices {
        let discount = price.discount.as_ref().map(|one| format!(", {}", one.title())).unwrap_or_default();
        let text = format!("{} ({}){discount}", price.source.title, price.source.date);
        if !found.contains(&text) {
            found.push(text);
        }
    }
    found.join("; ")
}

pub(crate) fn cheapest_chosen(
    choice: &Choice,
    best: &PricedSize,
    others: &[PricedSize],
    count: usize,
    unpriced: &[String],
) -> Diagnostic {
    let title = format!("the cheapest size that fits is {}: {}", best.size, hourly(&best.price));
    let next: Vec<String> = others.iter().map(|one| format!("{}: {}", one.size, hourly(&one.price))).collect();
    let more = count.saturating_sub(next.len());
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    let next = match next.as_slice() {
        [] => "no other size that fits has a known price".to_owned(),
        some => format!("these cost as much or more: {}{more}", some.join("; ")),
    };
    let prices = others.iter().map(|one| &one.price);
    let mut diagnostic = Diagnostic::new(Code::SizeChosen, title, choice.span, "chosen by need and price")
        .note(next)
        .note(format!("prices {}, from {}", terms(choice), sources([&best.price].into_iter().chain(prices))))
        .note("other prices, such as those of `dsvmc prices update`, can change this choice: name the size to keep it");
    if !unpriced.is_empty() {
        let names = listed(unpriced.iter().map(String::as_str), 3);
        diagnostic = diagnostic.note(format!("without a known price, and so not considered: {names}"));
    }
    diagnostic
}

pub(crate) fn no_price_known(choice: &Choice, unpriced: &[String]) -> Diagnostic {
    let title = format!("no size that fits has a known price {}", terms(choice));
    let names = listed(unpriced.iter().map(String::as_str), 3);
    Diagnostic::new(Code::NoPriceKnown, title, choice.span, "which is the cheapest is unknown")
        .help(
            "read prices with `dsvmc prices update`, choose by need alone with `smallest(…)`, or name another region whose \
             prices count: `region = westeurope`",
        )
        .note(format!("these fit: {names}"))
}

pub(crate) fn prices_unusable(span: Span) -> Diagnostic {
    let title = "the cheapest size is unknown: `dsvmc.toml` says something about prices that cannot be used";
    Diagnostic::new(Code::NoPriceKnown, title, span, "at which prices?")
        .help("run `dsvmc cost` to see what is wrong there")
}

pub(crate) fn region_missing(span: Span) -> Diagnostic {
    let title = "`cheapest` needs a region, and the project names none";
    Diagnostic::new(Code::NotEarly, title, span, "at the prices of which region?")
        .help("write `location` in the project, or name a region here: `region = westeurope`")
        .note("without a `location`, resources are in the region of their resource group, which only the deployment knows")
}

pub(crate) fn region_too_late(value: &Deferred, span: Span) -> Diagnostic {
    let from = origin(&value.expr).unwrap_or_else(|| "a deployment-time value".to_owned());
    let title = format!("`cheapest` needs the region at compile time, but {from} is known only at deployment");
    Diagnostic::new(Code::NotEarly, title, span, "at the prices of which region?")
        .help("name the region whose prices count: `region = westeurope`")
        .note("one template is generated for all envs, so a pool has the same size in all of them")
}
