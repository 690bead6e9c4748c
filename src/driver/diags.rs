//! Diagnostics of loading: what is wrong with a file before it is parsed.

use super::cost::Budget;
use super::load::shown;
use dsvm_diagnostics::source::{SourceId, Span};
use dsvm_diagnostics::{Code, Diagnostic, count};
use dsvm_prices::{TagBudget, Total, cents};
use std::path::Path;

/// A file beside `main.dsvm` that nothing imports; `first` is the length of its first line.
pub(super) fn file_ignored(source: SourceId, first: u32, path: &Path) -> Diagnostic {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let span = Span::new(source, 0, first);
    Diagnostic::new(Code::FileIgnored, format!("nothing imports `{name}`"), span, "not part of the project")
        .note("in a folder with `main.dsvm`, the project consists of that file and what it imports")
        .help(format!(
            "write `import \"./{name}\"` in `main.dsvm`; or rename `main.dsvm`: then all files in the folder belong to the project"
        ))
}

/// Files without a `project`; `first` is the length of the first line of the first of them.
pub(super) fn no_project(source: SourceId, first: u32, path: &Path, exports: bool) -> Diagnostic {
    let span = Span::new(source, 0, first);
    let title = format!("`{}` declares no project", shown(path));
    let diagnostic = Diagnostic::new(Code::NoProject, title, span, "no `project` in these sources");
    if exports {
        return diagnostic.help("name the project that imports this file; only `check` takes a file by itself");
    }
    diagnostic.help(
        "begin the file with `project NAME { location = … }`; in a file that others import, write `export` before what they use",
    )
}

/// A budget that the most machines exceed.
pub(super) fn budget_exceeded(budget: &Budget, currency: &str) -> Diagnostic {
    let what = budget.pool.as_ref().map_or_else(|| "this project".to_owned(), |pool| format!("the pool `{pool}`"));
    let (sum, most) = (cents(budget.ceiling.sum), cents(budget.monthly));
    let title = format!("{what} can cost {sum} {currency} a month, more than its budget of {most} {currency}");
    let diagnostic = Diagnostic::new(Code::BudgetExceeded, title, budget.span(), "less than the most machines cost").help(
        "lower the most machines of a pool, choose smaller ones, or raise the budget; `dsvmc cost` shows every item",
    );
    match budget.ceiling.unknown {
        0 => diagnostic,
        n => diagnostic.note(format!("{} without a known price come on top", count(n as usize, "item"))),
    }
}

/// A budget of a tag that one project exceeds alone; `project` is its name.
pub(super) fn tag_budget_exceeded(budget: &TagBudget, ceiling: Total, project: Span) -> Diagnostic {
    let (sum, most, currency) = (cents(ceiling.sum), cents(budget.monthly), budget.currency());
    let title = format!(
        "what has the tag `{} = {}` can cost {sum} {currency} a month, more than the budget of {most} {currency} in `{}`",
        budget.tag, budget.value, budget.file
    );
    let diagnostic = Diagnostic::new(Code::BudgetExceeded, title, project, "this project alone exceeds it").help(
        "lower the most machines of a pool with this tag, choose smaller ones, or raise the budget; `dsvmc cost` shows every item",
    );
    match ceiling.unknown {
        0 => diagnostic,
        n => diagnostic.note(format!("{} without a known price come on top", count(n as usize, "item"))),
    }
}

/// A budget in another currency, without a time, or of nothing. `currency` is that of the prices.
pub(super) fn budget_refused(currency: &str, span: Span) -> Diagnostic {
    let title = match currency {
        "USD" => "a budget is an amount of US dollars for a time".to_owned(),
        _ => format!("a budget is an amount of {currency} for a time"),
    };
    Diagnostic::new(Code::BudgetRefused, title, span, "cannot be compared with prices").help(format!(
        "write it as `9_000 {currency}/month`; `{currency}/day`, `{currency}/week` and `{currency}/h` are possible too"
    ))
}

/// A budget of a project whose prices cannot be read.
pub(super) fn budget_not_compared(span: Span) -> Diagnostic {
    let title = "this budget is not compared: `dsvmc.toml` says something about prices that cannot be used";
    Diagnostic::new(Code::BudgetExceeded, title, span, "with which prices?")
        .help("run `dsvmc cost` to see what is wrong there")
}

/// A byte that is not UTF-8; `at` is its place in the text as decoded.
pub(super) fn not_utf8(source: SourceId, at: u32) -> Diagnostic {
    // The replacement character for invalid UTF-8 is three bytes long.
    let span = Span::new(source, at, at + 3);
    Diagnostic::new(Code::NotUtf8, "this file is not UTF-8 text", span, "the first malformed character")
        .help("save the file as UTF-8 (not UTF-16 or Latin-1)")
}

/// A rule of the team that has the name of a rule of the catalogue.
pub(super) fn name_of_lint_rule(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::BadRule, format!("`{name}` is a rule of dsvmc"), span, "the name is taken")
        .help(format!("begin the name with that of the team: `our-{name}`"))
}
