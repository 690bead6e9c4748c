//! Tokens of a broken item → which bracket belongs to which, and what is missing or too much.
//!
//! One missing bracket gives one diagnostic. A bracket that is never closed counts as closed where a person would
//! have closed it: a `{` where the indentation goes back, a `(` or `[` at the end of its line.

use super::diags;
use super::index::opener;
use super::scan::{Kind, Token};
use dsvm_diagnostics::Diagnostic;
use dsvm_diagnostics::source::{SourceId, Span};

/// What an opening bracket belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Partner {
    /// Not an opening bracket, or one that was given up.
    None,
    /// Closed by the token of this index.
    Closer(usize),
    /// Never closed; counts as closed before the token of this index.
    Missing(usize),
}

/// Brackets of a token list.
pub(super) struct Brackets {
    /// For each token: what closes it, if it opens something.
    pub(super) partners: Vec<Partner>,
    /// For each token: it is part of a mistake that was reported.
    pub(super) reported: Vec<bool>,
}

struct Open {
    token: usize,
    bracket: u8,
    indent: usize,
}

/// Matches the brackets of `tokens` (comments left out).
pub(super) fn matched(source: SourceId, text: &str, tokens: &[Token], diagnostics: &mut Vec<Diagnostic>) -> Brackets {
    let mut matcher = Matcher {
        source,
        text,
        tokens,
        brackets: Brackets { partners: vec![Partner::None; tokens.len()], reported: vec![false; tokens.len()] },
        open: Vec::new(),
        diagnostics,
        // Only when a `}` is missing is indentation evidence; otherwise people may indent as they like.
        by_indent: count(tokens, Kind::Open(b'{')) > count(tokens, Kind::Close(b'}')),
    };
    matcher.run();
    matcher.brackets
}

fn count(tokens: &[Token], kind: Kind) -> usize {
    tokens.iter().filter(|t| t.kind == kind).count()
}

struct Matcher<'t> {
    source: SourceId,
    text: &'t str,
    tokens: &'t [Token],
    brackets: Brackets,
    open: Vec<Open>,
    diagnostics: &'t mut Vec<Diagnostic>,
    by_indent: bool,
}

impl Matcher<'_> {
    fn run(&mut self) {
        for (i, token) in self.tokens.iter().enumerate() {
            match token.kind {
                Kind::Open(bracket) => {
                    let indent = indent(self.text, token.start).0;
                    self.open.push(Open { token: i, bracket, indent });
                }
                Kind::Close(bracket) => self.close(i, opener(bracket)),
                Kind::Newline => self.newline(i),
                Kind::String(false) | Kind::Regex(false) => self.unterminated(i),
                _ => {}
            }
        }
        let end = self.tokens.len();
        let long = self.tokens.iter().any(|t| t.kind == Kind::String(false) && self.is_long(*t));
        while let Some(open) = self.open.pop() {
            // What a string without an end has swallowed is not missed.
            self.missing(&open, end, !long);
        }
    }

    fn span(&self, token: Token) -> Span {
        Span::new(self.source, token.start as u32, token.end as u32)
    }

    fn is_long(&self, token: Token) -> bool {
        self.text.get(token.start..token.end).is_some_and(|t| t.starts_with("\"\"\""))
    }

    fn unterminated(&mut self, i: usize) {
        let Some(token) = self.tokens.get(i).copied() else { return };
        let span = self.span(token);
        let text = self.text.get(token.start..token.end).unwrap_or_default();
        self.diagnostics.push(diags::unterminated(span, text));
        self.mark(i);
    }

    fn mark(&mut self, i: usize) {
        if let Some(reported) = self.brackets.reported.get_mut(i) {
            *reported = true;
        }
    }

    fn close(&mut self, i: usize, wanted: u8) {
        let Some(token) = self.tokens.get(i).copied() else { return };
        let (column, first) = indent(self.text, token.start);
        while let Some(top) = self.open.last() {
            let deeper = self.open.iter().rev().skip(1);
            let misplaced = if top.bracket == wanted {
                let fits = |o: &Open| o.bracket == wanted && o.indent == column;
                self.by_indent && first && top.indent > column && deeper.into_iter().any(fits)
            } else {
                deeper.into_iter().any(|o| o.bracket == wanted)
            };
            if !misplaced {
                break;
            }
            if let Some(open) = self.open.pop() {
                self.missing(&open, i, true);
            }
        }
        match self.open.last() {
            Some(top) if top.bracket == wanted => {
                let open = top.token;
                self.open.pop();
                self.set(open, Partner::Closer(i));
            }
            _ => {
                self.diagnostics.push(diags::stray_bracket(
                    self.span(token),
                    self.slice(token),
                    self.expected_closer(),
                ));
                self.mark(i);
            }
        }
    }

    /// The bracket that is open where a wrong one closes.
    fn expected_closer(&self) -> Option<(Span, &'static str)> {
        let open = self.open.last()?;
        let token = self.tokens.get(open.token).copied()?;
        Some((self.span(token), diags::closer(open.bracket)))
    }

    fn slice(&self, token: Token) -> &str {
        self.text.get(token.start..token.end).unwrap_or_default()
    }

    /// A line that is plainly a field ends a `[` or `(` that was forgotten on a line before; so does the end of a line
    /// with a string that was never closed.
    fn newline(&mut self, i: usize) {
        let line_start = self.tokens.iter().take(i).rposition(|t| t.kind == Kind::Newline).map_or(0, |n| n + 1);
        let swallowed = |t: &Token| t.kind == Kind::String(false) && !self.slice(*t).contains('\n');
        let broken = self.tokens.get(line_start..i).unwrap_or_default().iter().any(swallowed);
        if broken {
            while self.open.last().is_some_and(|o| o.token >= line_start) {
                if let Some(open) = self.open.pop() {
                    self.missing(&open, i, false);
                }
            }
        }
        let mut rest = self.tokens.iter().skip(i).filter(|t| t.kind != Kind::Newline);
        let (next, second) = (rest.next().copied(), rest.next().copied());
        let field = next.is_some_and(|t| t.kind == Kind::Word) && second.is_some_and(|t| self.slice(t) == "=");
        let phrase = next.is_some_and(|t| t.kind == Kind::Word) && second.is_some_and(|t| t.kind == Kind::Open(b'{'));
        let before = self.tokens.iter().take(i).rfind(|t| t.kind != Kind::Newline).copied();
        while let Some(top) = self.open.last() {
            let inviting = before.is_some_and(|t| self.slice(t) == "," || matches!(t.kind, Kind::Open(_)));
            let forgotten = match top.bracket {
                b'[' => field || phrase,
                b'(' => (field && !inviting) || phrase,
                _ => false,
            };
            if !forgotten {
                break;
            }
            if let Some(open) = self.open.pop() {
                self.missing(&open, i, true);
            }
        }
    }

    fn set(&mut self, open: usize, partner: Partner) {
        if let Some(place) = self.brackets.partners.get_mut(open) {
            *place = partner;
        }
    }

    /// Treats `open` as closed, at the latest before token `limit`.
    fn missing(&mut self, open: &Open, limit: usize, report: bool) {
        let at = if open.bracket == b'{' { self.dedent(open, limit) } else { self.line_end(open.token, limit) };
        self.set(open.token, Partner::Missing(at));
        if open.bracket != b'{' {
            self.mark(open.token);
        }
        if !report {
            return;
        }
        let Some(token) = self.tokens.get(open.token).copied() else { return };
        let last = self.tokens.get(open.token..at).unwrap_or_default().iter().rfind(|t| t.kind != Kind::Newline);
        let missed = last.copied().unwrap_or(token).end as u32;
        let missed = Span::new(self.source, missed, missed);
        self.diagnostics.push(diags::unclosed_bracket(self.span(token), open.bracket, missed));
    }

    /// The first token of a line that is indented no deeper than the line of the bracket.
    fn dedent(&self, open: &Open, limit: usize) -> usize {
        let mut fresh = false;
        for (i, token) in self.tokens.iter().enumerate().take(limit).skip(open.token + 1) {
            if token.kind == Kind::Newline {
                fresh = true;
            } else if std::mem::take(&mut fresh) && indent(self.text, token.start).0 <= open.indent {
                return i;
            }
        }
        limit
    }

    fn line_end(&self, open: usize, limit: usize) -> usize {
        let newline = self.tokens.iter().skip(open).position(|t| t.kind == Kind::Newline);
        newline.map_or(limit, |n| limit.min(open + n))
    }
}

/// How far the line of byte `at` is indented, and whether only blanks stand before `at`.
fn indent(text: &str, at: usize) -> (usize, bool) {
    let before = text.get(..at).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    let width = line.len() - line.trim_start_matches([' ', '\t']).len();
    (width, width == line.len())
}
