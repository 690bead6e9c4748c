//! Findings of the compiler → diagnostics of the protocol.

use crate::position::{Encoding, Lines};
use dsvm_diagnostics::source::{SourceFile, SourceId, SourceKind, SourceMap, Span};
use dsvm_diagnostics::{Code, Diagnostic, LabelStyle, Severity};
use lsp_types::{
    ClientCapabilities, CodeDescription, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, Location,
    NumberOrString, Uri,
};
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// What the client understands of a diagnostic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Understood {
    related: bool,
    link: bool,
    unnecessary: bool,
}

impl Understood {
    pub(crate) fn by(client: &ClientCapabilities) -> Self {
        let document = client.text_document.as_ref();
        let published = document.and_then(|document| document.publish_diagnostics.as_ref());
        let tags = published.and_then(|published| published.tag_support.as_ref());
        Self {
            related: published.is_some_and(|published| published.related_information == Some(true)),
            link: published.is_some_and(|published| published.code_description_support == Some(true)),
            unnecessary: tags.is_some_and(|tags| tags.value_set.contains(&DiagnosticTag::UNNECESSARY)),
        }
    }
}

/// What the translation needs besides the finding.
pub(crate) struct Translator<'a> {
    pub(crate) sources: &'a SourceMap,
    pub(crate) encoding: Encoding,
    pub(crate) understood: Understood,
    /// Where a module of the standard library can be opened.
    pub(crate) library: &'a dyn Fn(&SourceFile) -> Option<PathBuf>,
    /// The URI of a file as the client spells it.
    pub(crate) spelled: &'a dyn Fn(&Path) -> Option<Uri>,
    /// Where the lines of each file start: found once, however many findings there are.
    pub(crate) lines: RefCell<HashMap<SourceId, Lines<'a>>>,
}

impl Translator<'_> {
    /// The file that a finding is in, and the finding.
    pub(crate) fn translate(&self, found: &Diagnostic) -> Option<(PathBuf, lsp_types::Diagnostic)> {
        let span = found.primary()?;
        let path = self.path(span)?;
        let mut message = found.title.clone();
        for (what, texts) in [("help", &found.help), ("note", &found.notes)] {
            for text in texts {
                message.push_str(&format!("\n{what}: {text}"));
            }
        }
        let mut related = Vec::new();
        for label in found.labels.iter().filter(|label| label.style == LabelStyle::Secondary) {
            let Some(location) = self.location(label.span) else { continue };
            if self.understood.related {
                related.push(DiagnosticRelatedInformation { location, message: label.text.clone() });
                continue;
            }
            let place = &location.range.start;
            let file = self.path(label.span).filter(|other| *other != path);
            let file = file.and_then(|file| file.file_name().map(|name| format!("{} ", name.to_string_lossy())));
            let file = file.unwrap_or_default();
            message.push_str(&format!("\n{file}line {}: {}", place.line + 1, label.text));
        }
        let unused = matches!(found.code, Code::Unused) && self.understood.unnecessary;
        let translated = lsp_types::Diagnostic {
            range: self.range(span)?,
            severity: Some(match found.severity {
                Severity::Error => DiagnosticSeverity::ERROR,
                Severity::Warning => DiagnosticSeverity::WARNING,
                Severity::Info => DiagnosticSeverity::INFORMATION,
            }),
            code: Some(NumberOrString::String(found.id())),
            code_description: page(found).filter(|_| self.understood.link).map(|href| CodeDescription { href }),
            source: Some("dsvmc".to_owned()),
            message,
            related_information: (!related.is_empty()).then_some(related),
            tags: unused.then(|| vec![DiagnosticTag::UNNECESSARY]),
            data: None,
        };
        Some((path, translated))
    }

    fn path(&self, span: Span) -> Option<PathBuf> {
        let file = self.sources.get(span.source)?;
        match span.source.kind() {
            SourceKind::File(_) => Some(PathBuf::from(&*file.name)),
            SourceKind::Library(_) => (self.library)(file),
        }
    }

    fn range(&self, span: Span) -> Option<lsp_types::Range> {
        let file = self.sources.get(span.source)?;
        let mut known = self.lines.borrow_mut();
        let lines = known.entry(span.source).or_insert_with(|| Lines::new(&file.text, self.encoding));
        Some(lines.range(span.start as usize, span.end as usize))
    }

    fn location(&self, span: Span) -> Option<Location> {
        Some(Location::new((self.spelled)(&self.path(span)?)?, self.range(span)?))
    }
}

/// The page that explains a code, or a rule of the catalogue.
fn page(found: &Diagnostic) -> Option<Uri> {
    let page = match found.rule.as_deref().filter(|_| found.code == Code::LintFinding) {
        Some(rule) => format!("lint/{rule}"),
        None => format!("errors/{}", found.code.slug()),
    };
    Uri::from_str(&format!("{}/blob/main/docs/{page}.md", env!("CARGO_PKG_REPOSITORY"))).ok()
}
