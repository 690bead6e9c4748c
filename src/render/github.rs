//! Diagnostics → workflow commands of GitHub Actions, which show them beside the lines of a change:
//! <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>.

use super::Found;
use super::visible::clean;
use dsvm_diagnostics::source::SourceMap;
use dsvm_diagnostics::{Diagnostic, Severity};

/// All of them, one line each, in order.
#[must_use]
pub fn all(found: &[Found<'_>]) -> String {
    found.iter().flat_map(|(sources, diagnostics)| diagnostics.iter().map(|d| one(sources, d))).collect()
}

fn one(sources: &SourceMap, diagnostic: &Diagnostic) -> String {
    let command = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let place = diagnostic.primary().and_then(|span| {
        let file = sources.get(span.source)?;
        let (line, column) = file.line_column(span.start);
        let (end_line, end_column) = file.line_column(span.end);
        // A column of the end counts only on the line of the start.
        let end = if end_line == line { format!(",endColumn={end_column}") } else { String::new() };
        Some(format!("file={},line={line},endLine={end_line},col={column}{end},", property(&file.name)))
    });
    let mut text = clean(&diagnostic.title);
    for help in &diagnostic.help {
        let lines: Vec<String> = help.lines().map(clean).collect();
        text.push_str(&format!("\nhelp: {}", lines.join("\n")));
    }
    format!("::{command} {}title={}::{}\n", place.unwrap_or_default(), property(&diagnostic.id()), data(&text))
}

/// Text of a message: a command is one line.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Value of a property: no separators either.
fn property(text: &str) -> String {
    data(&clean(text)).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use dsvm_diagnostics::Code;
    use dsvm_diagnostics::source::{SourceFile, Span};

    #[test]
    fn separators_and_line_ends_are_escaped() {
        let mut sources = SourceMap::default();
        let source = sources.add(SourceFile::new("a,b:c.dsvm", "one\ntwo\n"));
        let found = [Diagnostic::new(Code::Unused, "100% `x`", Span::new(source, 4, 7), "").help("a\nb")];
        assert_eq!(
            all(&[(&sources, &found)]),
            "::warning file=a%2Cb%3Ac.dsvm,line=2,endLine=2,col=1,endColumn=4,title=DSVM0110::100%25 `x`%0Ahelp: a%0Ab\n"
        );
    }
}
