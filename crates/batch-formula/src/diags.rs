//! Findings in a formula → diagnostics, wherever the formula's text stands.

use super::ast::Place;
use super::error::{FormulaError, Rule};
use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Code, Diagnostic, Label, LabelStyle};

/// The code of a rule.
#[must_use]
pub fn code(rule: Rule) -> Code {
    match rule {
        Rule::Syntax => Code::FormulaSyntax,
        Rule::Limit => Code::FormulaLimit,
        Rule::UnknownName => Code::FormulaUnknownName,
        Rule::ReadOnly => Code::FormulaReadOnly,
        Rule::Type => Code::FormulaType,
        Rule::NoTarget => Code::FormulaNoTarget,
        Rule::UnguardedSample => Code::FormulaUnguardedSample,
        Rule::LoneSample => Code::FormulaLoneSample,
        Rule::RunningIgnored => Code::FormulaRunningIgnored,
        Rule::Unbounded => Code::FormulaUnbounded,
        Rule::NoDeallocation => Code::FormulaNoDeallocation,
        Rule::RoundedDown => Code::FormulaRoundedDown,
        Rule::CpuScale => Code::FormulaCpuScale,
    }
}

/// The finding as a diagnostic; `locate` says where a place of the formula stands in a source.
#[must_use]
pub fn diagnostic(finding: &FormulaError, locate: &dyn Fn(Place) -> Span) -> Diagnostic {
    Diagnostic {
        code: code(finding.rule),
        severity: finding.severity,
        title: finding.title.clone(),
        labels: vec![Label { span: locate(finding.place), style: LabelStyle::Primary, text: finding.label.clone() }],
        help: finding.help.clone(),
        notes: finding.notes.clone(),
        fixes: Vec::new(),
    }
}
