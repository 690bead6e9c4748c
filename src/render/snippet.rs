//! Diagnostics → text with source lines, drawn by codespan in our own colours.

use super::Found;
use super::palette::{Palette, Role};
use super::visible::{clean, clean_lines, is_hidden, marked};
use codespan_reporting::diagnostic as cs;
use codespan_reporting::files::{Error as FilesError, Files, column_index};
use codespan_reporting::term::{self, Config, GeneralWriteResult, WriteStyle};
use dsvm_diagnostics::source::{SourceId, SourceMap, Span};
use dsvm_diagnostics::{Code, Diagnostic, Severity};
use std::io::Write;
use std::ops::Range;

/// At most this many diagnostics are drawn; the others are only counted.
pub const CAP: usize = 50;

/// Draws all diagnostics of a run (at most [`CAP`]) and a last line that counts them; empty when there are none.
#[must_use]
pub fn all(found: &[Found<'_>], palette: Palette) -> String {
    let each = || found.iter().flat_map(|(sources, diagnostics)| diagnostics.iter().map(move |d| (*sources, d)));
    let over = each().count() > CAP;
    let is_error = |d: &Diagnostic| d.severity == Severity::Error;
    // When not all can be shown, errors come first.
    let first = each().filter(|(_, d)| !over || is_error(d));
    let rest = each().filter(|(_, d)| over && !is_error(d));
    let mut text = String::new();
    let secret: Vec<(&SourceMap, Span)> =
        each().flat_map(|(sources, d)| secrets(d).map(move |span| (sources, span))).collect();
    for (sources, diagnostic) in first.chain(rest).take(CAP) {
        let here = secret.iter().filter(|(other, _)| std::ptr::eq(*other, sources)).map(|(_, span)| *span);
        text.push_str(&drawn(sources, diagnostic, here.collect(), palette));
        text.push('\n');
    }
    let all: Vec<&Diagnostic> = each().map(|(_, d)| d).collect();
    text.push_str(&summary(&all, palette));
    text
}

/// Draws one diagnostic with its source lines, followed by a line end.
#[must_use]
pub fn one(sources: &SourceMap, diagnostic: &Diagnostic, palette: Palette) -> String {
    drawn(sources, diagnostic, secrets(diagnostic).collect(), palette)
}

/// Places that hold a secret in plain text: messages go into logs that more people read than the file.
fn secrets(diagnostic: &Diagnostic) -> impl Iterator<Item = Span> {
    use dsvm_diagnostics::Code::{SecretInPlainText, SecretSuspected};
    let secret = matches!(diagnostic.code, SecretInPlainText | SecretSuspected);
    diagnostic.primary().filter(|_| secret).into_iter()
}

fn drawn(sources: &SourceMap, diagnostic: &Diagnostic, hidden: Vec<Span>, palette: Palette) -> String {
    let mut writer = Styled { buffer: Vec::new(), palette };
    let config = Config { tab_width: 2, start_context_lines: 2, ..Config::default() };
    let sources = Sources::new(sources, &hidden, diagnostic);
    // INVARIANT: the writer is a buffer and `Sources` clamps every offset, so drawing cannot fail half-way.
    let drawn = term::emit_to_write_style(&mut writer, &config, &sources, &convert(diagnostic, &sources));
    if drawn.is_err() {
        return format!("{}[{}]: {}\n", word(diagnostic.severity), diagnostic.id(), clean(&diagnostic.title));
    }
    let text = String::from_utf8_lossy(&writer.buffer).into_owned();
    // codespan ends with an empty line; the caller decides on those.
    format!("{}\n", text.trim_end_matches('\n'))
}

/// The word for a severity: `error`, `warning` or `info`.
#[must_use]
pub fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

/// `2 errors and 1 warning; …`
fn summary(diagnostics: &[&Diagnostic], palette: Palette) -> String {
    let count = |severity| diagnostics.iter().filter(|d| d.severity == severity).count();
    let parts: Vec<String> =
        [(Severity::Error, Role::Error), (Severity::Warning, Role::Warning), (Severity::Info, Role::Info)]
            .into_iter()
            .filter(|(severity, _)| count(*severity) > 0)
            .map(|(severity, role)| {
                let n = count(severity);
                let plural = if n == 1 { "" } else { "s" };
                let noun = if severity == Severity::Info { "hint" } else { word(severity) };
                palette.paint(role, &format!("{n} {noun}{plural}"))
            })
            .collect();
    let Some((last, before)) = parts.split_last() else { return String::new() };
    let mut text = if before.is_empty() { last.clone() } else { format!("{} and {last}", before.join(", ")) };
    if diagnostics.len() > CAP {
        text.push_str(&format!(" ({CAP} shown)"));
    }
    let worst = diagnostics.iter().find(|d| d.severity == Severity::Error).or(diagnostics.first());
    if let Some(first) = worst {
        let command = palette.paint(Role::Name, &format!("dsvmc explain {}", page(first)));
        text.push_str(&format!("; `{command}` explains it"));
    }
    text.push('\n');
    text
}

/// The page that explains a diagnostic: the rules of a team have one page together.
fn page(diagnostic: &Diagnostic) -> String {
    if diagnostic.code == Code::RuleBroken { diagnostic.code.to_string() } else { diagnostic.id() }
}

fn convert(diagnostic: &Diagnostic, sources: &Sources) -> cs::Diagnostic<SourceId> {
    let severity = match diagnostic.severity {
        Severity::Error => cs::Severity::Error,
        Severity::Warning => cs::Severity::Warning,
        Severity::Info => cs::Severity::Note,
    };
    let labels = diagnostic.labels.iter().map(|label| {
        let range =
            sources.shown(label.span.source, label.span.start)..sources.shown(label.span.source, label.span.end);
        let style = match label.style {
            dsvm_diagnostics::LabelStyle::Primary => cs::LabelStyle::Primary,
            dsvm_diagnostics::LabelStyle::Secondary => cs::LabelStyle::Secondary,
        };
        cs::Label::new(style, label.span.source, range).with_message(clean_lines(&label.text))
    });
    let helps = diagnostic.help.iter().map(|text| format!("help: {}", clean_lines(text)));
    let notes = diagnostic.notes.iter().map(|text| format!("note: {}", clean_lines(text)));
    cs::Diagnostic::new(severity)
        .with_code(diagnostic.id())
        .with_message(clean_lines(&diagnostic.title))
        .with_labels(labels.collect())
        .with_notes(notes.chain(helps).collect())
}

/// The files of one diagnostic in codespan's terms, as they are shown. Offsets beyond the text are clamped: a wrong span
/// must not hide a message.
struct Sources(Vec<Shown>);

/// A file as it is shown: secrets as stars, hidden characters as escapes.
struct Shown {
    id: SourceId,
    name: String,
    text: String,
    line_starts: Vec<usize>,
    /// Offsets in the file of what became longer or shorter, and by how much all is longer from its end on.
    longer: Vec<(usize, isize)>,
    /// Places in the shown text where a part of a long line was left out, and how many characters that were.
    left_out: Vec<(usize, usize)>,
}

/// Lines with more bytes are shown around the labels only.
const LONG_LINE: usize = 500;
/// How much of a long line is shown before and after the ends of a label, and at its start, in bytes.
const AROUND: usize = 60;

/// Lines around the labels that may be drawn, and some to spare.
const CONTEXT: usize = 6;

/// What is left out of the lines of a text: everything in long lines that is not near a label.
fn unshown(text: &str, labels: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut gaps = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.trim_end_matches(['\n', '\r']).len();
        if end - start > LONG_LINE {
            let ends = labels.iter().flat_map(|label| [label.start, label.end]).filter(|at| (start..=end).contains(at));
            let mut kept: Vec<Range<usize>> =
                ends.map(|at| at.saturating_sub(AROUND).max(start)..(at + AROUND).min(end)).collect();
            kept.push(start..start + AROUND);
            kept.sort_by_key(|range| range.start);
            let mut from = start;
            for range in kept.into_iter().chain(std::iter::once(end..end)) {
                // A gap of a few characters is not worth a sign.
                if range.start > from + 8 {
                    gaps.push(text.ceil_char_boundary(from)..text.floor_char_boundary(range.start));
                }
                from = from.max(range.end);
            }
        }
        start += line.len();
    }
    gaps
}

/// The lines of the labels and [`CONTEXT`] lines before and after them.
fn neighbourhood(text: &str, labels: &[Range<usize>]) -> Range<usize> {
    let first = labels.iter().map(|label| label.start).min().unwrap_or(0);
    let last = labels.iter().map(|label| label.end).max().unwrap_or(0);
    let (first, last) = (text.floor_char_boundary(first), text.ceil_char_boundary(last));
    let before = text.get(..first).unwrap_or_default();
    let after = text.get(last..).unwrap_or_default();
    let start = before.rmatch_indices('\n').nth(CONTEXT).map_or(0, |(at, _)| at + 1);
    let end = after.match_indices('\n').nth(CONTEXT).map_or(text.len(), |(at, _)| last + at + 1);
    start..end
}

impl Shown {
    fn new(sources: &SourceMap, id: SourceId, secrets: &[Span], diagnostic: &Diagnostic) -> Option<Self> {
        let file = sources.get(id)?;
        let mut shown = Self {
            id,
            name: clean(&file.name),
            text: String::new(),
            line_starts: vec![0],
            longer: Vec::new(),
            left_out: Vec::new(),
        };
        let labels = diagnostic.labels.iter().map(|label| label.span).filter(|span| span.source == id);
        let labels: Vec<Range<usize>> = labels.map(|span| span.start as usize..span.end as usize).collect();
        // Lines that are not drawn are copied or left out: a large file with many diagnostics is not read letter by letter.
        let drawn = neighbourhood(&file.text, &labels);
        let above = file.text.get(..drawn.start).unwrap_or_default();
        shown.text.push_str(above);
        shown.line_starts.extend(above.match_indices('\n').map(|(at, _)| at + 1));
        let mut gaps = unshown(&file.text, &labels).into_iter().filter(|gap| gap.start >= drawn.start).peekable();
        let secrets: Vec<Range<usize>> = secrets
            .iter()
            .filter(|span| span.source == id)
            .map(|span| span.start as usize..span.end as usize)
            .collect();
        for (at, c) in file.text.get(drawn.clone()).unwrap_or_default().char_indices() {
            let at = drawn.start + at;
            if let Some(gap) = gaps.peek().filter(|gap| gap.contains(&at)) {
                if at == gap.start {
                    let skipped = file.text.get(gap.clone()).unwrap_or_default().chars().count();
                    shown.text.push('…');
                    shown.left_out.push((shown.text.len(), skipped));
                    shown.grow(gap.end, '…'.len_utf8() as isize - gap.len() as isize);
                }
                if at + c.len_utf8() >= gap.end {
                    gaps.next();
                }
                continue;
            }
            let secret = secrets.iter().any(|span| span.contains(&at));
            match c {
                '\n' => {
                    shown.text.push(c);
                    shown.line_starts.push(shown.text.len());
                }
                // Blanks and line ends have no columns that an escape would make visible.
                '\t' | '\r' => shown.text.push(c),
                '"' => shown.text.push(c),
                // As many stars as bytes: spans after the secret stay right.
                _ if secret => shown.text.extend(std::iter::repeat_n('*', c.len_utf8())),
                _ if is_hidden(c) => {
                    let before = shown.text.len();
                    shown.text.extend(c.escape_unicode());
                    let written = shown.text.len() - before;
                    shown.grow(at + c.len_utf8(), written as isize - c.len_utf8() as isize);
                }
                _ => shown.text.push(c),
            }
        }
        Some(shown)
    }

    /// From an offset of the file on, everything is longer by so much.
    fn grow(&mut self, from: usize, by: isize) {
        let grown = self.longer.last().map_or(0, |(_, grown)| *grown);
        self.longer.push((from, grown + by));
    }
}

impl Sources {
    fn new(sources: &SourceMap, secrets: &[Span], diagnostic: &Diagnostic) -> Self {
        let mut ids: Vec<SourceId> = diagnostic.labels.iter().map(|label| label.span.source).collect();
        ids.sort_unstable();
        ids.dedup();
        Self(ids.into_iter().filter_map(|id| Shown::new(sources, id, secrets, diagnostic)).collect())
    }

    fn file(&self, id: SourceId) -> Result<&Shown, FilesError> {
        self.0.iter().find(|shown| shown.id == id).ok_or(FilesError::FileMissing)
    }

    /// Where an offset of a file is in what is shown.
    fn shown(&self, id: SourceId, offset: u32) -> usize {
        let offset = offset as usize;
        let Ok(file) = self.file(id) else { return offset };
        let before = file.longer.partition_point(|(end, _)| *end <= offset);
        let grown = before.checked_sub(1).and_then(|at| file.longer.get(at)).map_or(0, |(_, grown)| *grown);
        offset.saturating_add_signed(grown)
    }
}

impl<'a> Files<'a> for Sources {
    type FileId = SourceId;
    type Name = &'a str;
    type Source = &'a str;

    fn name(&'a self, id: SourceId) -> Result<&'a str, FilesError> {
        Ok(&self.file(id)?.name)
    }

    fn source(&'a self, id: SourceId) -> Result<&'a str, FilesError> {
        Ok(&self.file(id)?.text)
    }

    fn line_index(&'a self, id: SourceId, offset: usize) -> Result<usize, FilesError> {
        Ok(self.file(id)?.line_starts.partition_point(|start| *start <= offset).saturating_sub(1))
    }

    /// The column in the file, also where a part of the line is not shown.
    fn column_number(&'a self, id: SourceId, line: usize, offset: usize) -> Result<usize, FilesError> {
        let file = self.file(id)?;
        let range = self.line_range(id, line)?;
        let skipped: usize = file
            .left_out
            .iter()
            .filter(|(at, _)| range.contains(at) && *at <= offset)
            // The sign that stands for them is one character.
            .map(|(_, skipped)| skipped.saturating_sub(1))
            .sum();
        Ok(column_index(&file.text, range, offset) + 1 + skipped)
    }

    fn line_range(&'a self, id: SourceId, line: usize) -> Result<Range<usize>, FilesError> {
        let file = self.file(id)?;
        let given = FilesError::LineTooLarge { given: line, max: file.line_starts.len().saturating_sub(1) };
        let start = *file.line_starts.get(line).ok_or(given)?;
        let end = file.line_starts.get(line + 1).copied().unwrap_or(file.text.len());
        Ok(start..end)
    }
}

/// A buffer that takes codespan's style changes as our palette's.
struct Styled {
    buffer: Vec<u8>,
    palette: Palette,
}

impl Styled {
    fn set(&mut self, role: Role) -> GeneralWriteResult {
        write!(self.buffer, "{}", marked(&self.palette.style(role).render().to_string()))
    }
}

impl Write for Styled {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.buffer.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn role(severity: cs::Severity) -> Role {
    match severity {
        cs::Severity::Bug | cs::Severity::Error => Role::Error,
        cs::Severity::Warning => Role::Warning,
        cs::Severity::Note => Role::Info,
        cs::Severity::Help => Role::Help,
    }
}

impl WriteStyle for Styled {
    fn set_header(&mut self, severity: cs::Severity) -> GeneralWriteResult {
        self.set(role(severity))
    }

    fn set_header_message(&mut self) -> GeneralWriteResult {
        self.set(Role::Title)
    }

    fn set_line_number(&mut self) -> GeneralWriteResult {
        self.set(Role::Dim)
    }

    fn set_note_bullet(&mut self) -> GeneralWriteResult {
        self.set(Role::Dim)
    }

    fn set_source_border(&mut self) -> GeneralWriteResult {
        self.set(Role::Dim)
    }

    fn set_label(&mut self, severity: cs::Severity, style: cs::LabelStyle) -> GeneralWriteResult {
        self.set(if style == cs::LabelStyle::Primary { role(severity) } else { Role::Info })
    }

    fn reset(&mut self) -> GeneralWriteResult {
        if !self.palette.is_colored() {
            return Ok(());
        }
        write!(self.buffer, "{}", marked(&anstyle::Reset.render().to_string()))
    }
}
