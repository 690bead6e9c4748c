//! Numbers with their units, dates, times, addresses; strings.

use super::{Glued, Parser};
use crate::ast::{Expr, ExprKind, Name, StringPart};
use crate::diags;
use crate::operators::Deep;
use crate::scan::is_word_byte;
use crate::text::{Piece, parts, unescape};
use dsvm_diagnostics::source::Spanned;
use dsvm_grammar::words::{MONEY_PERIODS, is_unit};

impl Parser<'_, '_> {
    /// Rule `number`: everything that starts with a digit.
    pub(super) fn number(&mut self) -> Option<Expr> {
        let start = self.at;
        if !self.byte().is_ascii_digit() {
            return None;
        }
        let form = self.number_form();
        let number = self.words.get(self.slice(start));
        let number_end = self.at;
        let unit = self.unit();
        if unit.is_none() {
            self.at = number_end;
        }
        if is_word_byte(self.byte()) {
            let mut end = self.at;
            while self.bytes.get(end).is_some_and(|b| is_word_byte(*b)) {
                end += 1;
            }
            let glued = Glued { start, number_end: self.at, end };
            if self.glued.is_none_or(|before| before.start <= start) {
                self.glued = Some(glued);
            }
            return None;
        }
        let kind = form(number);
        let kind = match (kind, unit) {
            (kind, None) => kind,
            (ExprKind::Int(number) | ExprKind::Decimal(number), Some(unit)) => ExprKind::Quantity(number, unit),
            (_, Some(unit)) => {
                let number = self.text.get(start..number_end).unwrap_or_default();
                self.diagnostics.push(diags::unit_of_what(unit.span, &unit.value, number));
                ExprKind::Error
            }
        };
        Some(Expr { kind, span: self.span(start) })
    }

    /// Rule `digits`: what follows the first digits tells what it is.
    fn number_form(&mut self) -> fn(std::sync::Arc<str>) -> ExprKind {
        self.digits();
        if self.number_part(b'.') {
            let second = self.at;
            if self.number_part(b'.') && self.number_part(b'.') {
                return if self.number_part(b'/') { ExprKind::Cidr } else { ExprKind::Ip };
            }
            self.at = second;
            return ExprKind::Decimal;
        }
        if self.number_part(b':') {
            return ExprKind::Time;
        }
        if self.is_date_tail() {
            self.at += "-12-01".len();
            return ExprKind::Date;
        }
        ExprKind::Int
    }

    /// `-12-01` after a year.
    fn is_date_tail(&self) -> bool {
        let digit = |by: usize| is_digit(self.ahead(by));
        self.byte() == b'-' && digit(1) && digit(2) && self.ahead(3) == b'-' && digit(4) && digit(5)
    }

    /// A sign and the digits behind it, if both are there.
    fn number_part(&mut self, sign: u8) -> bool {
        let found = self.byte() == sign && is_digit(self.ahead(1));
        if found {
            self.at += 1;
            self.digits();
        }
        found
    }

    fn digits(&mut self) {
        while is_digit(self.byte()) {
            self.at += 1;
        }
    }

    /// Rules `percent` and `unit`, with the blank before it. On `None` it may have moved.
    fn unit(&mut self) -> Option<Name> {
        let start = self.at;
        if self.byte() == b'%' {
            self.at += 1;
            return Some(Spanned { value: self.words.get("%"), span: self.span(start) });
        }
        self.blank();
        let start = self.at;
        let word = self.peek_word();
        if is_unit(word) {
            return self.word();
        }
        if word.len() != 3 || !word.bytes().all(|b| b.is_ascii_uppercase()) {
            return None;
        }
        self.at += word.len();
        if self.byte() == b'/' {
            let rest = self.bytes.get(self.at + 1..).unwrap_or_default();
            if let Some(period) = MONEY_PERIODS.iter().find(|period| rest.starts_with(period.as_bytes())) {
                self.at += 1 + period.len();
                // `USD/hour` is neither a price for an hour nor a division.
                if is_word_byte(self.byte()) {
                    return None;
                }
            }
        }
        Some(Spanned { value: self.words.get(self.slice(start)), span: self.span(start) })
    }

    /// A string on one line without escapes and interpolation, which is most of them: its text.
    pub(super) fn plain_string(&mut self) -> Option<Name> {
        let start = self.at;
        let length = self.plain_length()?;
        let value = self.words.get(self.text.get(start + 1..start + 1 + length)?);
        self.at = start + length + 2;
        Some(Spanned { value, span: self.span(start) })
    }

    /// How long the text of a plain string is that starts here.
    fn plain_length(&self) -> Option<usize> {
        let text = self.bytes.get(self.at..)?.strip_prefix(b"\"")?;
        let length = text.iter().position(|b| matches!(b, b'"' | b'\\' | b'\n' | b'$'))?;
        let mut end = length;
        // A `$` counts only before `{`.
        while text.get(end) == Some(&b'$') {
            if text.get(end + 1) == Some(&b'{') {
                return None;
            }
            end += 1 + text.get(end + 1..)?.iter().position(|b| matches!(b, b'"' | b'\\' | b'\n' | b'$'))?;
        }
        (text.get(end) == Some(&b'"')).then_some(end)
    }

    /// Rule `string`: three quotes are tried before one, as `""` begins both.
    pub(super) fn string(&mut self) -> Option<Deep> {
        let start = self.at;
        if self.starts_with("\"\"\"")
            && let Some(long) = self.attempt(|p| p.string_between("\"\"\""))
        {
            return Some(long);
        }
        if let Some(text) = self.plain_string() {
            let kind = ExprKind::String(vec![StringPart::Text(text.value)]);
            return Some((Expr { kind, span: self.span(start) }, 1));
        }
        self.string_between("\"")
    }

    /// A string with these quotes.
    fn string_between(&mut self, quotes: &str) -> Option<Deep> {
        let long = quotes.len() > 1;
        let start = self.at;
        self.at += quotes.len();
        let mut pieces = Vec::new();
        let mut depth = 0;
        let mut raw = self.at;
        loop {
            let plain = self.at;
            let ends = self.starts_with(quotes);
            let byte = self.byte();
            if !ends && !self.is_at_end() && byte != b'\\' && !self.starts_with("${") {
                if byte == b'\n' && !long {
                    return None;
                }
                self.at += 1;
                continue;
            }
            if plain > raw {
                let text = self.slice(raw);
                pieces.push(Piece::Raw(if long { text.replace("\r\n", "\n") } else { text.to_owned() }));
            }
            if ends {
                self.at += quotes.len();
                let kind = ExprKind::String(parts(pieces, long));
                return Some((Expr { kind, span: self.span(start) }, depth + 1));
            }
            match byte {
                b'\\' => pieces.extend(self.escape()?.map(Piece::Escaped)),
                b'$' => {
                    let (value, inside) = self.nested(Self::interpolation)?;
                    depth = depth.max(inside);
                    pieces.push(Piece::Value(value));
                }
                _ => return None,
            }
            raw = self.at;
        }
    }

    /// Rule `escape`; an unknown one is reported and skipped.
    fn escape(&mut self) -> Option<Option<char>> {
        let start = self.at;
        self.at += 1;
        let rest = self.text.get(self.at..self.bytes.len())?;
        let length = rest.chars().next().filter(|c| *c != '\n')?.len_utf8();
        let hex =
            rest.strip_prefix("u{").map_or(0, |hex| hex.bytes().take(6).take_while(u8::is_ascii_hexdigit).count());
        let closed = hex > 0 && rest.as_bytes().get(2 + hex) == Some(&b'}');
        self.at += if closed { hex + 3 } else { length };
        let written = self.slice(start);
        let meant = unescape(written);
        if meant.is_none() {
            self.diagnostics.push(diags::unknown_escape(self.span(start), written));
        }
        Some(meant)
    }

    /// Rule `interpolation`: `${`, an expression over any number of lines, `}`.
    fn interpolation(&mut self) -> Option<Deep> {
        self.at += "${".len();
        self.space(false);
        let value = self.expr(true)?;
        self.space(false);
        self.eat(b'}')?;
        Some(value)
    }
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'_'
}
