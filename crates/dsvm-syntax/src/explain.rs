//! A piece that the parser refused → one diagnostic in the user's words.
//!
//! What is commonly written by mistake (`:` for `=`, `;`, `'…'`, `and`, a missing comma, an unknown unit) is recognised
//! from the tokens around the place of the failure and gets its own message with a fix. Everything else becomes
//! "expected X, found Y". Where it failed and X come from pest, which parses the piece once more with the written grammar
//! and records what each rule expected.

use super::diags;
use super::expected;
use super::parser::{Glued, Refusal};
use super::scan::{Kind, Scanner, Token};
use dsvm_diagnostics::Diagnostic;
use dsvm_diagnostics::source::{SourceId, Span};
use dsvm_grammar::{Grammar, Rule};
use pest::Parser;
use pest::error::{Error, ErrorVariant, InputLocation};
use std::ops::Range;

/// Position of the piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place<'t> {
    /// In a body: an entry, which may be a field or a block.
    Body,
    /// At the top of a file: a block.
    Top,
    /// At the top of a file: a declaration that begins with this word and has a form of its own.
    Own(&'t str),
}

/// A piece of a file that was refused.
pub(super) struct Piece<'t> {
    pub(super) source: SourceId,
    pub(super) file: &'t str,
    /// Its byte offsets in the file.
    pub(super) bytes: Range<usize>,
    /// What it should be.
    pub(super) rule: Rule,
    pub(super) place: Place<'t>,
}

/// The tokens around a failure.
struct FailureSite<'t> {
    source: SourceId,
    text: &'t str,
    base: usize,
    tokens: Vec<Token>,
    /// Index of the token at which it failed; the number of tokens when it failed at the end.
    at: usize,
    /// The byte at which it failed.
    failed: usize,
    place: Place<'t>,
}

/// Explains why a piece is not what it should be.
pub(super) fn explain(piece: &Piece<'_>, refusal: Refusal) -> Diagnostic {
    let (furthest, glued) = match refusal {
        Refusal::TooDeep(at) => {
            return diags::nesting_too_deep(Span::new(piece.source, at as u32, at as u32 + 1));
        }
        Refusal::Form { furthest, glued } => (furthest, glued),
    };
    let base = piece.bytes.start;
    let text = piece.file.get(piece.bytes.clone()).unwrap_or_default();
    let tokens: Vec<Token> =
        Scanner::new(text, 0).filter(|t| !matches!(t.kind, Kind::Comment(_) | Kind::Newline)).collect();
    let failed = furthest.saturating_sub(base);
    let mut site = FailureSite { source: piece.source, text, base, tokens, at: 0, failed, place: piece.place };
    if let Some(glued) = glued {
        return site.glued(glued);
    }
    // Costs time, so only broken files ask for it. Never switched off again: another thread may be explaining too.
    pest::set_error_detail(true);
    match Grammar::parse(piece.rule, text) {
        Err(error) => site.by_grammar(&error),
        // The two disagree, which tests rule out for what they try. The parser's word counts.
        Ok(_) => {
            site.at = site.token_at(failed);
            site.known_mistake().unwrap_or_else(|| site.unexpected(&[]))
        }
    }
}

impl<'t> FailureSite<'t> {
    /// The diagnostic of what pest says about the piece.
    fn by_grammar(mut self, error: &Error<Rule>) -> Diagnostic {
        let location = match error.location {
            InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
        };
        let attempts = error.parse_attempts();
        self.failed = attempts.as_ref().map_or(location, |a| a.max_position.max(location));
        self.at = self.token_at(self.failed);
        // Looking at one sign in advance moves pest's furthest position behind it.
        let rule_failed = self.token_at(location);
        if rule_failed + 1 == self.at && self.tokens.get(rule_failed).is_some_and(|t| t.end == t.start + 1) {
            self.at = rule_failed;
        }
        self.known_mistake().unwrap_or_else(|| {
            let rules: &[Rule] = match &error.variant {
                // Rules that failed earlier in the text say nothing about this place.
                ErrorVariant::ParsingError { positives, .. } if self.is_at(location) => positives,
                _ => &[],
            };
            let tokens = attempts.map(|a| a.expected_tokens()).unwrap_or_default();
            let tokens: Vec<String> = tokens.iter().map(ToString::to_string).collect();
            self.unexpected(&expected::words(rules, &tokens))
        })
    }

    /// The first token that ends behind a byte.
    fn token_at(&self, byte: usize) -> usize {
        self.tokens.iter().position(|t| t.end > byte).unwrap_or(self.tokens.len())
    }

    /// A number with something behind it that does not belong to it.
    fn glued(&mut self, glued: Glued) -> Diagnostic {
        let local = |at: usize| at.saturating_sub(self.base);
        let (start, number_end, end) = (local(glued.start), local(glued.number_end), local(glued.end));
        let whole = self.bytes(start, end);
        let text = |from: usize, to: usize| self.text.get(from..to).unwrap_or_default();
        let first = self.token_at(start);
        let named = usize::from(self.word(0) == "export") + 1;
        if self.place == Place::Top && first == named {
            return diags::number_as_name(whole, text(start, end));
        }
        diags::glued(whole, self.bytes(number_end, end), text(start, number_end), text(number_end, end))
    }

    fn word(&self, index: usize) -> &'t str {
        self.tokens.get(index).and_then(|t| self.text.get(t.start..t.end)).unwrap_or_default()
    }

    fn kind(&self, index: usize) -> Option<Kind> {
        self.tokens.get(index).map(|t| t.kind)
    }

    fn bytes(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, (self.base + start) as u32, (self.base + end) as u32)
    }

    fn span(&self, index: usize) -> Span {
        match self.tokens.get(index) {
            Some(token) => self.bytes(token.start, token.end),
            None => {
                let end = self.tokens.last().map_or(self.text.len(), |t| t.end);
                self.bytes(end, end)
            }
        }
    }

    /// Whether a byte of the piece belongs to the failure.
    fn is_at(&self, byte: usize) -> bool {
        let previous_end = self.at.checked_sub(1).and_then(|b| self.tokens.get(b)).map_or(0, |t| t.end);
        byte >= previous_end
    }

    /// Directly behind the token.
    fn behind(&self, index: usize) -> Span {
        let span = self.span(index);
        Span { start: span.end, ..span }
    }

    /// Whether two neighbouring tokens touch.
    fn touches(&self, index: usize) -> bool {
        let next = self.tokens.get(index + 1);
        self.tokens.get(index).zip(next).is_some_and(|(a, b)| a.end == b.start)
    }

    fn same_line(&self, index: usize) -> bool {
        let (Some(a), Some(b)) = (self.tokens.get(index), self.tokens.get(index + 1)) else { return false };
        self.text.get(a.end..b.start).is_some_and(|between| !between.contains('\n'))
    }

    /// The bracket around the failure.
    fn bracket(&self) -> Option<u8> {
        let mut open = Vec::new();
        for token in self.tokens.iter().take(self.at) {
            match token.kind {
                Kind::Open(b) => open.push(b),
                Kind::Close(_) => {
                    open.pop();
                }
                _ => {}
            }
        }
        open.pop()
    }

    fn ends_operand(&self, index: usize) -> bool {
        matches!(self.kind(index), Some(Kind::Word | Kind::Number | Kind::String(true) | Kind::Close(_)))
            || (self.word(index) == "%" && index > 0 && self.kind(index - 1) == Some(Kind::Number))
    }

    fn starts_operand(&self, index: usize) -> bool {
        matches!(self.kind(index), Some(Kind::Word | Kind::Number | Kind::String(true) | Kind::Open(_)))
    }

    fn known_mistake(&self) -> Option<Diagnostic> {
        self.in_string()
            .or_else(|| self.foreign_character())
            .or_else(|| self.foreign_sign())
            .or_else(|| self.declaration())
            .or_else(|| self.field())
            .or_else(|| self.value())
            .or_else(|| self.missing())
            .or_else(|| self.separator())
    }

    /// A mistake inside `${…}`: explained like any other where it can be, with the text in there.
    fn in_string(&self) -> Option<Diagnostic> {
        let token = self.tokens.get(self.at).filter(|t| t.kind == Kind::String(true))?;
        let before = self.text.get(token.start..self.failed.min(token.end))?;
        let open = token.start + before.rfind("${")?;
        let rest = self.text.get(open + 2..token.end)?;
        let text = rest.split('}').next().unwrap_or_default();
        let tokens: Vec<Token> = Scanner::new(text, 0).collect();
        let failed = self.failed.saturating_sub(open + 2);
        let at = tokens.iter().position(|t| t.end > failed).unwrap_or(tokens.len());
        let base = self.base + open + 2;
        let inner = FailureSite { source: self.source, text, base, tokens, at, failed, place: Place::Own("let") };
        inner
            .foreign_sign()
            .or_else(|| inner.value())
            .or_else(|| inner.missing())
            .or_else(|| Some(diags::bad_interpolation(self.bytes(open, open + 2))))
    }

    /// Typographic quotes, blanks that are none, letters that no name may have.
    fn foreign_character(&self) -> Option<Diagnostic> {
        if self.kind(self.at) != Some(Kind::Junk) {
            return None;
        }
        let word = self.word(self.at);
        let span = self.span(self.at);
        let quotes: Vec<(Span, String)> = (self.at..self.tokens.len())
            .take_while(|i| *i == self.at || self.same_line(i - 1))
            .filter(|i| diags::is_quote(self.word(*i)))
            .map(|i| (self.span(i), "\"".to_owned()))
            .collect();
        Some(diags::foreign_character(span, word, quotes))
    }

    /// Signs that other languages use.
    fn foreign_sign(&self) -> Option<Diagnostic> {
        let (at, span) = (self.at, self.span(self.at));
        let before = at.checked_sub(1);
        match self.word(at) {
            ";" => Some(diags::semicolon(span)),
            "#" => Some(diags::hash_comment(span)),
            "'" => Some(self.single_quotes()),
            "&" | "|"
                if before.is_some_and(|b| self.ends_operand(b))
                    && !matches!(self.place, Place::Own("type" | "param")) =>
            {
                Some(diags::written_as(span, self.word(at), &self.word(at).repeat(2)))
            }
            "?" if before.is_some_and(|b| self.ends_operand(b))
                && matches!(self.place, Place::Body | Place::Own("let")) =>
            {
                Some(diags::ternary(span))
            }
            "@" if at == 0 => Some(self.decorator()),
            "+" | "-" if at == 0 && self.place == Place::Body && self.kind(1) == Some(Kind::Number) => {
                Some(diags::signed_count(self.bytes_of(0, 1), self.word(0), self.word(1)))
            }
            "to" if before.is_some_and(|b| self.kind(b) == Some(Kind::Number))
                && self.kind(at + 1) == Some(Kind::Number)
                && self.same_line(at) =>
            {
                before.map(|b| diags::range_with_to(self.bytes_of(b, at + 1), self.word(b), self.word(at + 1)))
            }
            "/" | "*" if self.word(at + 1) == "*" && self.touches(at) => {
                Some(diags::block_comment(self.bytes_of(at, at + 1)))
            }
            "$" if self.kind(at + 1) == Some(Kind::Open(b'{')) => Some(diags::interpolation_outside(span)),
            "-" if self.word(at + 1) == ">" && self.place == Place::Own("fn") => {
                Some(diags::arrow_result(self.bytes_of(at, at + 1)))
            }
            "=" if matches!(self.word(at + 1), "<" | ">") && self.touches(at) && self.compares() => {
                let sign = format!("{}=", self.word(at + 1));
                Some(diags::written_as(self.bytes_of(at, at + 1), &format!("={}", self.word(at + 1)), &sign))
            }
            "=" if self.word(at + 1) == ">" && self.touches(at) => Some(diags::arrow(self.bytes_of(at, at + 1))),
            "." if before.is_some_and(|b| self.word(b) == ".." && self.touches(b)) => {
                before.map(|b| diags::written_as(self.bytes_of(b, at), "...", ".."))
            }
            "then" if self.word(0) == "when" => Some(diags::no_then(span)),
            "and" | "or" if before.is_some_and(|b| self.ends_operand(b)) => {
                let sign = if self.word(at) == "and" { "&&" } else { "||" };
                Some(diags::written_as(span, self.word(at), sign))
            }
            _ if before.is_some_and(|b| self.word(b) == "not") && self.starts_operand(at) => {
                before.map(|b| diags::written_as(self.span(b), "not", "!"))
            }
            "=" if self.word(at + 1) == "=" && self.touches(at) => {
                Some(diags::triple_equals(self.bytes_of(at - 1, at)))
            }
            "=" if before.is_some_and(|b| self.word(b) == "==") => {
                before.map(|b| diags::triple_equals(self.bytes_of(b, at)))
            }
            _ => None,
        }
    }

    /// `@description("…")`, as Bicep writes it, before a declaration or a field.
    fn decorator(&self) -> Diagnostic {
        let name = self.word(1);
        let text = match (self.kind(2), self.kind(3)) {
            (Some(Kind::Open(b'(')), Some(Kind::String(true))) => self.word(3).trim_matches('"'),
            _ => "",
        };
        let end = self.tokens.iter().position(|t| t.kind == Kind::Close(b')')).unwrap_or(1);
        diags::decorator(self.bytes_of(0, end.min(self.tokens.len().saturating_sub(1))), name, text)
    }

    /// Whether a comparison can stand here, and no field begins.
    fn compares(&self) -> bool {
        let operands = self.at.checked_sub(1).is_some_and(|b| self.ends_operand(b)) && self.starts_operand(self.at + 2);
        operands
            && match self.place {
                Place::Body => self.at > 1,
                Place::Own(_) => {
                    self.tokens.iter().take(self.at).any(|t| self.slice(t) == "=") || self.word(0) == "check"
                }
                Place::Top => false,
            }
    }

    fn bytes_of(&self, first: usize, last: usize) -> Span {
        self.span(first).to(self.span(last))
    }

    fn single_quotes(&self) -> Diagnostic {
        let start = self.tokens.get(self.at).map_or(0, |t| t.start);
        let rest = self.text.get(start + 1..).unwrap_or_default();
        let line = rest.split('\n').next().unwrap_or_default();
        match line.find('\'') {
            Some(length) => {
                let inner = line.get(..length).unwrap_or_default();
                diags::single_quotes(self.bytes(start, start + length + 2), Some(inner))
            }
            None => diags::single_quotes(self.bytes(start, start + 1), None),
        }
    }

    /// Mistakes in the first words of a declaration.
    fn declaration(&self) -> Option<Diagnostic> {
        let at = self.at;
        let first = usize::from(self.word(0) == "export");
        if let Some(name) = self.hyphenated() {
            return Some(name);
        }
        match self.place {
            Place::Body => return None,
            Place::Top if self.kind(0) == Some(Kind::Word) && self.word(1) == "=" && at == 1 => {
                return Some(diags::field_outside(self.span(0), self.word(0)));
            }
            Place::Top if self.word(at) == "=" && at == first + 2 && self.kind(at + 1) == Some(Kind::Word) => {
                return Some(diags::equals_for_class(
                    self.span(at),
                    self.word(first),
                    self.word(first + 1),
                    self.word(at + 1),
                ));
            }
            Place::Top
                if matches!(self.word(first), "var" | "const" | "val" | "set" | "def")
                    && self.word(first + 2) == "=" =>
            {
                return Some(diags::other_keyword(self.span(first), self.word(first), "let"));
            }
            Place::Top if matches!(self.word(first), "func" | "function" | "def") => {
                return Some(diags::other_keyword(self.span(first), self.word(first), "fn"));
            }
            Place::Top
                if matches!(self.word(first), "variable" | "parameter" | "input") && self.word(first + 2) == ":" =>
            {
                return Some(diags::other_keyword(self.span(first), self.word(first), "param"));
            }
            _ => {}
        }
        if self.word(first) == "import" && self.kind(at) == Some(Kind::Sign) && at == first + 1 {
            return Some(diags::unquoted_path(self.span(at)));
        }
        if self.word(first) == "import"
            && self.kind(at) == Some(Kind::Open(b'{'))
            && matches!(self.kind(at - 1), Some(Kind::String(true) | Kind::Word))
        {
            let end = self.tokens.iter().skip(at).position(|t| t.kind == Kind::Close(b'}')).map_or(at, |p| at + p);
            let text = |from: Span, to: Span| {
                let range = (from.start as usize - self.base)..(to.end as usize - self.base);
                self.text.get(range).unwrap_or_default()
            };
            let (names, file) = (text(self.span(at), self.span(end)), text(self.span(first + 1), self.span(at - 1)));
            return Some(diags::names_after_path(self.bytes_of(at, end), names, file));
        }
        let named = matches!(self.place, Place::Own("param" | "let" | "fn" | "type" | "output"));
        let secret = usize::from(self.word(first) == "secret");
        if named && self.kind(at) == Some(Kind::Number) && at == first + secret + 1 {
            return Some(diags::number_as_name(self.span(at), self.word(at)));
        }
        if matches!(self.place, Place::Own("param"))
            && at == first + secret + 2
            && self.kind(at - 1) == Some(Kind::Word)
        {
            return Some(diags::missing_type(self.behind(at - 1), self.word(at - 1)));
        }
        None
    }

    /// `my-pool` as a name.
    fn hyphenated(&self) -> Option<Diagnostic> {
        let start = match (self.place, self.word(0)) {
            (Place::Body, _) => 0,
            (_, "export" | "secret" | "existing") => 2,
            _ => 1,
        };
        if self.kind(start) != Some(Kind::Word) || self.word(start + 1) != "-" || !self.touches(start) {
            return None;
        }
        let mut end = start;
        while self.word(end + 1) == "-"
            && self.touches(end)
            && self.touches(end + 1)
            && matches!(self.kind(end + 2), Some(Kind::Word | Kind::Number))
        {
            end += 2;
        }
        let ends = match self.place {
            Place::Body => self.word(end + 1) == "=",
            _ => matches!(self.word(end + 1), "=" | ":" | "{" | "(" | ""),
        };
        let span = self.bytes_of(start, end);
        let text =
            self.text.get((span.start as usize - self.base)..(span.end as usize - self.base)).unwrap_or_default();
        (end > start && ends).then(|| diags::hyphen(span, text, self.place == Place::Body))
    }

    /// Mistakes between the name and the value of a field.
    fn field(&self) -> Option<Diagnostic> {
        let second = self.span(1);
        let named = matches!(self.kind(0), Some(Kind::Word | Kind::String(true)));
        if self.place != Place::Body || !named {
            return self.equals_in_condition();
        }
        match self.word(1) {
            ":" if self.word(2) == "=" && self.touches(1) => Some(diags::colon_equals(self.bytes_of(1, 2))),
            ":" => Some(diags::colon_in_field(second, self.word(0))),
            "==" => Some(diags::double_equals(second, self.word(0))),
            "+" | "-" | "*" if self.word(2) == "=" && self.touches(1) => {
                Some(diags::no_assignment(self.bytes_of(1, 2)))
            }
            name if self.kind(1) == Some(Kind::Word) && self.word(2) == "=" && self.at == 2 => {
                Some(diags::name_of_two_words(self.bytes_of(0, 1), self.word(0), name))
            }
            _ => self.equals_in_condition(),
        }
    }

    /// `a = b` where `a == b` is meant.
    fn equals_in_condition(&self) -> Option<Diagnostic> {
        let before = self.at.checked_sub(1)?;
        let condition = match self.place {
            Place::Own(keyword) => {
                keyword == "check" || self.tokens.iter().take(self.at).any(|t| self.slice(t) == "if")
            }
            Place::Body => self.word(0) == "when" || self.tokens.iter().take(self.at).any(|t| self.slice(t) == "if"),
            Place::Top => false,
        };
        let sign = self.word(self.at) == "=" && self.ends_operand(before) && self.starts_operand(self.at + 1);
        (condition && sign && self.bracket() != Some(b'{')).then(|| diags::single_equals(self.span(self.at)))
    }

    fn slice(&self, token: &Token) -> &'t str {
        self.text.get(token.start..token.end).unwrap_or_default()
    }

    /// `24.12.2026`, `2026.12.24`; other three numbers with dots: an address that lacks a part, a version.
    fn dotted(&self) -> Option<Diagnostic> {
        let first = (self.at.saturating_sub(6)..=self.at).find(|first| {
            let numbers = [0, 2, 4].iter().all(|i| self.kind(first + i) == Some(Kind::Number));
            let dots = [1, 3].iter().all(|i| self.word(first + i) == ".");
            numbers && dots && (*first..first + 4).all(|i| self.touches(i))
        })?;
        if self.word(first + 5) == "." && self.touches(first + 4) {
            return None;
        }
        let span = self.bytes_of(first, first + 4);
        let number = |i: usize| self.word(first + i).parse::<u16>().ok();
        let date = number(0).zip(number(2)).zip(number(4)).and_then(|((a, b), c)| {
            let (year, month, day) = if a > 31 { (a, b, c) } else { (c, b, a) };
            // `12.24.2026`: the month comes first.
            let (month, day) = if month > 12 { (day, month) } else { (month, day) };
            let real = (1900..2200).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
            real.then(|| format!("{year}-{month:02}-{day:02}"))
        });
        Some(date.map_or_else(|| diags::three_numbers(span), |date| diags::dotted_date(span, &date)))
    }

    /// Mistakes inside values: dates, units, calls with a blank.
    fn value(&self) -> Option<Diagnostic> {
        let at = self.at;
        let before = at.checked_sub(1);
        if let Some(dotted) = self.dotted() {
            return Some(dotted);
        }
        if self.kind(at) == Some(Kind::Number) {
            let word = self.word(at);
            let digits = word.bytes().take_while(|b| b.is_ascii_digit() || *b == b'_').count();
            let unit = word.get(digits..).filter(|u| u.bytes().next().is_some_and(|b| b.is_ascii_alphabetic()))?;
            let start = self.tokens.get(at).map_or(0, |t| t.start) + digits;
            return Some(diags::unknown_unit(self.bytes(start, start + unit.len()), unit));
        }
        let before = before?;
        if self.kind(before) == Some(Kind::Number)
            && self.kind(at) == Some(Kind::Word)
            && self.same_line(before)
            && !matches!(self.word(at + 1), "=" | ":")
            && !matches!(self.word(at), "then" | "else" | "for" | "if")
        {
            return Some(diags::unknown_unit(self.span(at), self.word(at)));
        }
        let bracket = matches!(self.kind(at), Some(Kind::Open(b'(' | b'[')));
        if bracket && self.kind(before) == Some(Kind::Word) && self.same_line(before) && !self.touches(before) {
            let gap = Span { start: self.span(before).end, end: self.span(at).start, ..self.span(at) };
            return Some(diags::blank_before_bracket(self.span(at), gap, self.word(before), self.word(at)));
        }
        None
    }

    /// A value or the other side of an operator that is not there.
    fn missing(&self) -> Option<Diagnostic> {
        let before = self.at.checked_sub(1)?;
        let ended = self.at == self.tokens.len()
            || matches!(self.kind(self.at), Some(Kind::Close(_)))
            || self.word(self.at) == ",";
        if !ended {
            return None;
        }
        match self.word(before) {
            "=" => {
                let name = before.checked_sub(1).map(|n| self.word(n)).unwrap_or_default();
                Some(diags::missing_value(self.behind(before), name))
            }
            sign @ ("==" | "!=" | "<" | "<=" | ">" | ">=" | "&&" | "||" | "??" | ".." | "+" | "-" | "*" | "/"
            | "in" | "of" | "initially") => Some(diags::missing_operand(self.span(before), sign)),
            "," if self.word(self.at) == "," => Some(diags::double_comma(self.span(self.at))),
            _ => None,
        }
    }

    /// Two things without a comma or a newline between them.
    fn separator(&self) -> Option<Diagnostic> {
        let before = self.at.checked_sub(1)?;
        if !self.ends_operand(before) || !self.starts_operand(self.at) {
            return None;
        }
        match self.bracket() {
            Some(b'{') => Some(diags::missing_comma(self.behind(before), self.span(self.at), "a comma or a new line")),
            Some(_) if !matches!(self.word(self.at), "then" | "else" | "for" | "if") => {
                Some(diags::missing_comma(self.behind(before), self.span(self.at), "a comma"))
            }
            None if self.place == Place::Body && self.word(self.at + 1) == "=" => {
                Some(diags::missing_comma(self.behind(before), self.span(self.at), "a comma or a new line"))
            }
            _ => None,
        }
    }

    fn unexpected(&self, expected: &[&'static str]) -> Diagnostic {
        let found = match self.kind(self.at) {
            None => diags::END_OF_LINE.to_owned(),
            Some(_) => diags::shown(self.word(self.at)),
        };
        let way_out = match (self.place, self.kind(self.at)) {
            (Place::Own("output"), None) if self.at == 4 => {
                Some(format!("write its value: `output {}: {} = …`", self.word(1), self.word(3)))
            }
            _ if expected.contains(&"`else`") && self.tokens.iter().any(|t| self.slice(t) == "if") => {
                Some("write the other value too: `if … then … else …`".to_owned())
            }
            _ => None,
        };
        diags::unexpected(self.span(self.at), &found, expected, way_out)
    }
}
