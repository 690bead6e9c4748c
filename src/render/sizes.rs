//! Machine sizes with their prices → a table, Markdown, JSON.

use super::palette::{Palette, Role};
use super::plan_markdown::escape;
use super::plan_text::clean;
use dsvm_prices::{Price, Source};
use dsvm_sema::FittingSize;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// A size, and what it costs in an hour where that is known.
pub type Row = (Option<Price>, FittingSize);

/// What the prices are for.
pub struct Terms {
    /// As it was given.
    pub region: String,
    /// With the licence of Windows.
    pub windows: bool,
    /// Currency of the prices.
    pub currency: String,
    /// At the spot price.
    pub spot: bool,
}

impl Terms {
    fn words(&self) -> String {
        let system = if self.windows { "Windows" } else { "Linux" };
        let terms = if self.spot { "spot" } else { "on demand" };
        format!("{}, {system}, {terms}", clean(&self.region))
    }
}

const HEADS: [&str; 8] = ["size", "vCPU", "memory", "GPU", "price/h", "as of", "quota family", "end"];
/// The column of prices.
const PRICE: usize = 4;

fn heads(terms: &Terms) -> [String; 8] {
    let mut heads = HEADS.map(str::to_owned);
    if let Some(head) = heads.get_mut(PRICE) {
        *head = format!("{}/h", terms.currency);
    }
    heads
}

fn gib(bytes: i64) -> String {
    let gib = Decimal::from(bytes) / Decimal::from(1_i64 << 30);
    format!("{} GiB", gib.round_dp(2).normalize())
}

fn cells((price, size): &Row) -> [String; 8] {
    let gpu = match &size.gpu_model {
        Some(model) if !size.gpu.is_zero() => format!("{} × {}", size.gpu.normalize(), clean(model)),
        _ => String::new(),
    };
    let end = match size.retired {
        Some(day) => day.to_string(),
        None if size.ends => "announced".to_owned(),
        None => String::new(),
    };
    [
        clean(&size.name),
        size.vcpu.to_string(),
        gib(size.memory),
        gpu,
        price.as_ref().map_or_else(|| "unknown".to_owned(), |price| price.amount.to_string()),
        price.as_ref().map(|price| price.source.date.to_string()).unwrap_or_default(),
        size.family.as_deref().map(clean).unwrap_or_default(),
        end,
    ]
}

fn sources(rows: &[Row]) -> Vec<&Source> {
    let mut found: Vec<&Source> = rows.iter().filter_map(|(price, _)| Some(&*price.as_ref()?.source)).collect();
    found.sort_by(|a, b| (b.date, &a.title).cmp(&(a.date, &b.title)));
    found.dedup();
    found
}

fn notes(rows: &[Row], terms: &Terms) -> Vec<String> {
    let unknown = rows.iter().filter(|(price, _)| price.is_none()).count();
    let known = match unknown {
        0 => String::new(),
        n => format!("; {n} of {} sizes have no known price there", rows.len()),
    };
    let mut off: Vec<String> = rows
        .iter()
        .filter_map(|(price, _)| Some(price.as_ref()?.discount.as_ref()?.title()))
        .map(|title| format!(" {}.", clean(&title)))
        .collect();
    off.sort();
    off.dedup();
    let off = off.concat();
    let mut out = vec![format!("{}: {} an hour, before tax{known}.{off}", terms.words(), terms.currency)];
    out.extend(sources(rows).iter().map(|s| format!("Prices of {}: {} ({}).", s.date, s.title, s.licence)));
    out
}

/// A table, the cheapest size first.
#[must_use]
pub fn text(rows: &[Row], terms: &Terms, palette: Palette) -> String {
    if rows.is_empty() {
        return "no size fits\n".to_owned();
    }
    let all: Vec<[String; 8]> = rows.iter().map(cells).collect();
    let heads = heads(terms);
    let line = |row: &[String; 8]| {
        let mut out = String::new();
        for (at, cell) in row.iter().enumerate() {
            let others = all.iter().filter_map(|row| row.get(at)).map(String::as_str);
            let wide =
                others.chain(heads.get(at).map(String::as_str)).map(|cell| cell.chars().count()).max().unwrap_or(0);
            // Numbers stand below each other.
            out.push_str(&if [1, 2, 4].contains(&at) {
                format!("{cell:>wide$}  ")
            } else {
                format!("{cell:<wide$}  ")
            });
        }
        out.trim_end().to_owned()
    };
    let mut out = palette.paint(Role::Title, &line(&heads));
    out.push('\n');
    for row in &all {
        out.push_str(&line(row));
        out.push('\n');
    }
    out.push('\n');
    for note in notes(rows, terms) {
        out.push_str(&note);
        out.push('\n');
    }
    out
}

/// The same table for a page or a comment.
#[must_use]
pub fn markdown(rows: &[Row], terms: &Terms) -> String {
    let mut out = format!("| {} |\n|---|--:|--:|---|--:|---|---|---|\n", heads(terms).join(" | "));
    for row in rows {
        out.push_str(&format!("| {} |\n", cells(row).map(|cell| escape(&cell)).join(" | ")));
    }
    out.push('\n');
    for note in notes(rows, terms) {
        out.push_str(&format!("- {}\n", escape(&note)));
    }
    out
}

/// One document; a price is text, and `null` when unknown.
#[must_use]
pub fn data(rows: &[Row], terms: &Terms) -> Value {
    let row = |(price, size): &Row| {
        json!({
            "size": size.name,
            "vcpu": size.vcpu,
            "memory_bytes": size.memory,
            "gpu": size.gpu.normalize().to_string(),
            "gpu_model": size.gpu_model,
            "quota_family": size.family,
            "retirement": size.ends,
            "retired": size.retired.map(|day| day.to_string()),
            "price": price.as_ref().map(|price| json!({
                "amount": price.amount.to_string(),
                "discount": price.discount.as_ref().map(|discount| discount.title()),
                "per": "hour",
                "date": price.source.date.to_string(),
                "source": price.source.title,
                "commit": price.source.commit,
            })),
        })
    };
    json!({
        "version": 1,
        "currency": terms.currency,
        "region": terms.region,
        "windows": terms.windows,
        "spot": terms.spot,
        "sizes": rows.iter().map(row).collect::<Vec<_>>(),
    })
}
