//! What a plan costs or saves in a month → lines for a terminal, a table in markdown.

use super::layout::{columns, wrap};
use super::palette::{Palette, Role};
use super::plan_markdown::escape;
use super::plan_text::clean;
use dsvm_impact::{BlockCost, CostCase, CostCases, CostChange};
use dsvm_prices::cents;
use rust_decimal::Decimal;

const CASES: [&str; 3] = ["floor", "expected", "ceiling"];

fn each(cases: &CostCases) -> [&CostCase; 3] {
    [&cases.floor, &cases.expected, &cases.ceiling]
}

fn amount(case: &CostCase) -> Decimal {
    case.amount.parse().unwrap_or_default()
}

/// With a part unknown, a sum is the least that it can be; with nothing known, it is unknown and not nothing.
fn sum(case: &CostCase) -> String {
    match (case.unknown_items, amount(case)) {
        (0, known) => cents(known),
        (_, known) if known.is_zero() => "unknown".to_owned(),
        (_, known) => format!("≥ {}", cents(known)),
    }
}

/// `335.80 → 671.60`; a single number where nothing was there before or nothing is left.
fn step(block: &BlockCost) -> [String; 3] {
    let of = |cases: &Option<CostCases>| match cases {
        Some(cases) => each(cases).map(sum),
        None => [(); 3].map(|()| "0".to_owned()),
    };
    let [a, b, c] = of(&block.before);
    let [x, y, z] = of(&block.after);
    let pair = |before: String, after: String| if before == after { after } else { format!("{before} → {after}") };
    [pair(a, x), pair(b, y), pair(c, z)]
}

/// `+ 335.80`, `− 12.00`; what is unknown is told and not counted.
fn difference(case: &CostCase) -> String {
    let known = amount(case);
    let text = match known {
        known if known.is_sign_negative() && !known.is_zero() => format!("− {}", cents(known.abs())),
        known if known.is_zero() => "0.00".to_owned(),
        known => format!("+ {}", cents(known)),
    };
    match (case.unknown_items, known.is_zero()) {
        (0, _) => text,
        (_, true) => "unknown".to_owned(),
        (_, false) => format!("{text} and unknown"),
    }
}

fn rows(cost: &CostChange) -> Vec<(String, [String; 3])> {
    let blocks = cost.blocks.iter().map(|block| (clean(&block.block), step(block)));
    let all = (cost.blocks.len() > 1 || cost.blocks.iter().any(|block| block.before.is_some()))
        .then(|| ("difference".to_owned(), each(&cost.difference).map(difference)));
    blocks.chain(all).collect()
}

fn note(cost: &CostChange) -> String {
    let prices = cost.prices.iter().map(|price| format!("{} ({})", clean(&price.title), clean(&price.date)));
    let prices = prices.collect::<Vec<_>>().join("; ");
    let prices = if prices.is_empty() { "none known".to_owned() } else { prices };
    let terms: String = cost.terms.iter().map(|term| format!(" {}.", clean(term))).collect();
    format!(
        "What changes, in {} for a month of {} hours before tax.{terms} Prices: {prices}.",
        cost.currency, cost.hours
    )
}

/// Most blocks that are listed; the difference counts all.
const MOST: usize = 30;

fn listed(cost: &CostChange) -> (Vec<(String, [String; 3])>, usize) {
    let mut rows = rows(cost);
    let hidden = cost.blocks.len().saturating_sub(MOST);
    if hidden > 0 {
        rows.drain(MOST..cost.blocks.len());
    }
    (rows, hidden)
}

/// Lines for a terminal; end with an empty line.
#[must_use]
pub fn terminal(cost: &CostChange, room: usize, palette: Palette) -> String {
    let (rows, hidden) = listed(cost);
    let wide = |at: usize| {
        let cells = rows.iter().filter_map(|(_, cells)| cells.get(at)).map(|cell| columns(cell));
        cells.chain(CASES.get(at).map(|name| columns(name))).max().unwrap_or(0)
    };
    let name = rows.iter().map(|(name, _)| columns(name)).max().unwrap_or(0);
    let mut out = format!("{}\n", palette.paint(Role::Title, "Cost in a month"));
    let right = |text: &str, wide: usize| format!("{}{text}", " ".repeat(wide.saturating_sub(columns(text))));
    let fits = 2 + name + (0..3).map(|at| 2 + wide(at)).sum::<usize>() <= room;
    if fits {
        let heads: String = CASES.iter().enumerate().map(|(at, head)| format!("  {}", right(head, wide(at)))).collect();
        out.push_str(&format!("  {}{heads}\n", " ".repeat(name)));
    }
    for (title, cells) in &rows {
        if fits {
            let cells: String =
                cells.iter().enumerate().map(|(at, cell)| format!("  {}", right(cell, wide(at)))).collect();
            out.push_str(&format!("  {title}{}{cells}\n", " ".repeat(name.saturating_sub(columns(title)))));
        } else {
            let cells: Vec<String> = CASES.iter().zip(cells).map(|(head, cell)| format!("{head} {cell}")).collect();
            out.push_str(&format!("  {}\n", wrap(&format!("{title}: {}", cells.join(", ")), room - 2, "      ")));
        }
    }
    if hidden > 0 {
        out.push_str(&format!("  … and {}\n", dsvm_diagnostics::count(hidden, "more block")));
    }
    out.push_str(&format!("  {}\n\n", palette.paint(Role::Dim, &wrap(&note(cost), room - 2, "  "))));
    out
}

/// The same as a table, for a comment on a pull request.
#[must_use]
pub fn markdown(cost: &CostChange) -> String {
    let (rows, hidden) = listed(cost);
    let mut out = "\n**Cost in a month**\n\n| | floor | expected | ceiling |\n|---|--:|--:|--:|\n".to_owned();
    for (title, cells) in &rows {
        let [a, b, c] = cells.each_ref().map(|cell| escape(cell));
        out.push_str(&format!("| {} | {a} | {b} | {c} |\n", escape(title)));
    }
    if hidden > 0 {
        out.push_str(&format!("| … and {} | | | |\n", dsvm_diagnostics::count(hidden, "more block")));
    }
    out.push_str(&format!("\n{}\n", escape(&note(cost))));
    out
}
