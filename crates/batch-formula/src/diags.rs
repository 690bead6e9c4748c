//! Findings in a formula → diagnostics in the source that contains its text.

use super::ast::FormulaSpan;
use super::error::{FormulaError, FormulaRule};
use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Code, Diagnostic, Label, LabelStyle};

/// The code of a rule.
#[must_use]
pub fn code(rule: FormulaRule) -> Code {
    match rule {
        FormulaRule::Syntax => Code::FormulaSyntax,
        FormulaRule::Limit => Code::FormulaLimit,
        FormulaRule::UnknownName => Code::FormulaUnknownName,
        FormulaRule::ReadOnly => Code::FormulaReadOnly,
        FormulaRule::Type => Code::FormulaType,
        FormulaRule::NoTarget => Code::FormulaNoTarget,
        FormulaRule::UnguardedSample => Code::FormulaUnguardedSample,
        FormulaRule::LoneSample => Code::FormulaLoneSample,
        FormulaRule::RunningIgnored => Code::FormulaRunningIgnored,
        FormulaRule::Unbounded => Code::FormulaUnbounded,
        FormulaRule::NoDeallocation => Code::FormulaNoDeallocation,
        FormulaRule::RoundedDown => Code::FormulaRoundedDown,
        FormulaRule::CpuScale => Code::FormulaCpuScale,
    }
}

/// The finding as a diagnostic; `locate` maps a place of the formula to its source.
#[must_use]
pub fn diagnostic(finding: &FormulaError, locate: &dyn Fn(FormulaSpan) -> Span) -> Diagnostic {
    Diagnostic {
        code: code(finding.rule),
        rule: None,
        severity: finding.severity,
        title: finding.title.clone(),
        labels: vec![Label { span: locate(finding.place), style: LabelStyle::Primary, text: finding.label.clone() }],
        help: finding.help.clone(),
        notes: finding.notes.clone(),
        fixes: Vec::new(),
    }
}
