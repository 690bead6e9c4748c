//! `cheapest(vcpu >= 8, memory >= 32 GiB)`: hardware by need and price. Of all sizes that fit and have a known price in the
//! region, the one that costs least in an hour, then the first by name.
//!
//! A size without a known price is never chosen, however small it is: what is unknown is not cheap.

use super::checked::Block;
use super::compiled::Compiled;
use super::diags::{self, PricedSize};
use super::eval::Eval;
use super::fit::deferred_part;
use super::hardware::{Candidate, Need};
use super::load::ProjectPrices;
use super::params::location_type;
use super::table::{BlockKind, suggest_word};
use super::ty::Ty;
use super::value::Value;
use dsvm_diagnostics::source::Span;
use dsvm_prices::{Price, Term};
use dsvm_syntax::ast::{Argument, Body, Entry, Expr};

/// Most choices that one run keeps for those who ask about them afterwards.
const KEPT: usize = 1_000;

/// What `cheapest` takes besides needs: whose price counts.
const TERMS: [&str; 3] = ["region", "spot", "windows"];

/// A size that was chosen by its price, with the others that could have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The call of `cheapest`.
    pub span: Span,
    /// Region whose prices were compared.
    pub region: String,
    /// The terms on which its machines are paid.
    pub term: Term,
    /// Prices include the Windows licence.
    pub windows: bool,
    /// The size as Azure spells it, and what it costs in an hour; nothing when no price is known.
    pub chosen: Option<(String, Price)>,
    /// The next in price.
    pub next: Option<(String, Price)>,
    /// All sizes that meet the needs, as Azure spells them.
    pub fitting: Vec<String>,
    /// How many of these have no known price.
    pub unpriced: usize,
}

/// The region of the block whose fields are being set, when it is not that of the project.
pub(crate) enum RegionHere<'p> {
    /// The `location` that stands in the block.
    Written(&'p Expr),
    /// The location of the block that it is built on.
    Inherited(Value),
}

/// What a call says about the price.
#[derive(Default)]
struct Terms {
    region: Option<Value>,
    /// Where it says that the machines are spot machines.
    spot: Option<Span>,
    windows: bool,
}

impl<'p> Eval<'p> {
    pub(crate) fn cheapest(&mut self, arguments: &'p [Argument], span: Span) -> Value {
        let Some(terms) = self.price_terms(arguments) else { return Value::Error };
        let plain = arguments.iter().filter(|argument| argument.name.is_none());
        let Some(mut needs) = self.needs(plain, "cheapest", span) else { return Value::Error };
        needs.extend(terms.spot.map(Need::spot));
        let Some(region) = self.price_region(terms.region, span) else { return Value::Error };
        let fitting = match self.that_fit(&needs, span) {
            Ok(fitting) => fitting,
            Err(value) => return value,
        };
        let ProjectPrices::Known(prices) = &self.program.prices else {
            return self.report(diags::prices_unusable(span));
        };
        let term = if terms.spot.is_some() { Term::Spot } else { Term::OnDemand };
        let (mut priced, mut unpriced): (Vec<(Price, String, Candidate)>, Vec<String>) = (Vec::new(), Vec::new());
        let mut names = Vec::with_capacity(fitting.len());
        for candidate in fitting {
            let name = self.azure_name(candidate);
            match prices.machine(&name, &region, terms.windows, term) {
                Some(price) => priced.push((price, name.clone(), candidate)),
                None => unpriced.push(name.clone()),
            }
            names.push(name);
        }
        priced.sort_by(|(a, left, _), (b, right, _)| a.amount.cmp(&b.amount).then_with(|| left.cmp(right)));
        let told = |(price, name, _): &(Price, String, Candidate)| (name.clone(), price.clone());
        let choice = Choice {
            span,
            region,
            term,
            windows: terms.windows,
            chosen: priced.first().map(told),
            next: priced.get(1).map(told),
            fitting: names,
            unpriced: unpriced.len(),
        };
        let value = match priced.split_first() {
            Some(((price, _, best), rest)) => {
                let shown = |(price, _, size): &(Price, String, Candidate)| PricedSize {
                    size: self.size_text(*size),
                    price: price.clone(),
                };
                let best_shown = PricedSize { size: self.size_text(*best), price: price.clone() };
                let others: Vec<PricedSize> = rest.iter().take(3).map(shown).collect();
                let found = diags::cheapest_chosen(&choice, &best_shown, &others, rest.len(), &unpriced);
                self.report_value(found);
                self.chosen(*best, span)
            }
            None => self.report_value(diags::no_price_known(&choice, &unpriced)),
        };
        if self.dead == 0 && self.choices.len() < KEPT && !self.choices.contains(&choice) {
            self.choices.push(choice);
        }
        value
    }

    /// The named arguments; `None` after a report.
    fn price_terms(&mut self, arguments: &'p [Argument]) -> Option<Terms> {
        let mut terms = Terms::default();
        for argument in arguments {
            let Some(name) = &argument.name else { continue };
            let ty = match &*name.value {
                "region" => location_type(),
                "spot" | "windows" => Ty::Bool,
                other => {
                    let meant = suggest_word(other, TERMS.iter().copied());
                    self.report(diags::unknown_term(other, &TERMS, meant, name.span));
                    return None;
                }
            };
            let place = argument.value.span;
            let value = self.eval_as(&argument.value, &ty);
            match (&*name.value, value) {
                (_, Value::Error) => return None,
                ("region", value) => terms.region = Some(value),
                ("spot", Value::Bool(on)) => terms.spot = on.then_some(argument.value.span),
                ("windows", Value::Bool(on)) => terms.windows = on,
                (_, value) => {
                    if let Some(part) = deferred_part(&value).filter(|_| self.unbound == 0) {
                        let part = part.clone();
                        self.report(diags::not_early(&part, "the choice of a size", place));
                    }
                    return None;
                }
            }
        }
        Some(terms)
    }

    /// The region whose prices count: the one that the call names, that of the block, that of the project. `None` when there
    /// is none, which is reported, or when it was reported elsewhere.
    fn price_region(&mut self, named: Option<Value>, span: Span) -> Option<String> {
        let value = match (named, self.region_here.take()) {
            (Some(value), around) => {
                self.region_here = around;
                value
            }
            (None, Some(here)) => {
                // The location may itself be computed from a choice: that one takes the region of the project.
                let value = match &here {
                    RegionHere::Written(expr) => self.eval_as(expr, &location_type()),
                    RegionHere::Inherited(value) => value.clone(),
                };
                self.region_here = Some(here);
                value
            }
            (None, None) => self.project_region(span)?,
        };
        match self.plain_value(&value) {
            Value::String(region) => Some(region.to_string()),
            Value::Deferred(part) => {
                if self.unbound == 0 {
                    self.report(diags::region_too_late(&part, span));
                }
                None
            }
            Value::Error => None,
            _ => {
                self.report(diags::region_missing(span));
                None
            }
        }
    }

    /// The location of the project; `Null` without one. `None` where there is no project: whoever imports the file has one.
    fn project_region(&mut self, span: Span) -> Option<Value> {
        let Some(Value::Ref(project)) = self.project_ref() else {
            if self.program.declares_project() {
                self.report(diags::region_missing(span));
            }
            return None;
        };
        if !self.finish(project, span) {
            return None;
        }
        Some(self.read_block(project)?.get("location").cloned().unwrap_or(Value::Null))
    }

    /// Remembers the region of a block while its fields are set; returns what was remembered before.
    pub(crate) fn enter_region(
        &mut self,
        body: &'p Body,
        row: &'static Compiled,
        base: Option<&Block>,
    ) -> Option<RegionHere<'p>> {
        let around = self.region_here.take();
        let of_block = row.fields.contains_key("location") && row.spec.kind != BlockKind::Project;
        let written = body.entries.iter().filter(|_| of_block).find_map(|entry| match entry {
            Entry::Field(field) if &*field.name.value == "location" => Some(RegionHere::Written(&field.value)),
            _ => None,
        });
        let inherited = || base.filter(|_| of_block)?.get("location").cloned().map(RegionHere::Inherited);
        self.region_here = written.or_else(inherited);
        // A block inside another is where that one is.
        if self.region_here.is_none() && !of_block {
            self.region_here = match &around {
                Some(RegionHere::Written(expr)) => Some(RegionHere::Written(expr)),
                Some(RegionHere::Inherited(value)) => Some(RegionHere::Inherited(value.clone())),
                None => None,
            };
        }
        around
    }

    fn azure_name(&self, candidate: Candidate) -> String {
        let block = self.size(candidate);
        match block.and_then(|block| block.get("name")) {
            Some(Value::String(name)) => name.to_string(),
            _ => block.map(|block| block.name.to_string()).unwrap_or_default(),
        }
    }
}
