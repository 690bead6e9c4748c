//! Byte offsets ↔ positions of the protocol, in the units that server and client agreed on.

use lsp_types::{Position, PositionEncodingKind, Range};

/// What the column of a position counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Bytes: offsets in the text as it is kept here.
    Utf8,
    /// Units of UTF-16, which every client understands.
    Utf16,
    /// Code points, one for each character however it is encoded.
    Utf32,
}

impl Encoding {
    /// Bytes if the client offers them, because nothing is converted then; else what it would like most.
    pub(crate) fn agreed(offered: Option<&[PositionEncodingKind]>) -> Self {
        let all = [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32];
        let offered = offered.unwrap_or_default();
        if offered.contains(&PositionEncodingKind::UTF8) {
            return Encoding::Utf8;
        }
        let known = offered.iter().find_map(|kind| all.into_iter().find(|encoding| encoding.kind() == *kind));
        known.unwrap_or(Encoding::Utf16)
    }

    pub(crate) fn kind(self) -> PositionEncodingKind {
        match self {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
            Encoding::Utf32 => PositionEncodingKind::UTF32,
        }
    }

    fn width(self, text: &str) -> usize {
        match self {
            Encoding::Utf8 => text.len(),
            // Most lines are ASCII, of which every character is one unit.
            Encoding::Utf16 | Encoding::Utf32 if text.is_ascii() => text.len(),
            Encoding::Utf16 => text.chars().map(char::len_utf16).sum(),
            Encoding::Utf32 => text.chars().count(),
        }
    }
}

/// A text, and where its lines start: after `\n`, `\r\n` or a single `\r`, as the protocol has it.
pub(crate) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
    encoding: Encoding,
}

impl<'t> Lines<'t> {
    pub(crate) fn new(text: &'t str, encoding: Encoding) -> Self {
        // Single `\r` are rare, and without them the ends of lines are found many bytes at a time.
        if !text.contains('\r') {
            let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
            return Self { text, starts, encoding };
        }
        let bytes = text.as_bytes();
        let breaks = bytes.iter().enumerate().filter(|(at, byte)| match byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        let starts = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect();
        Self { text, starts, encoding }
    }

    /// The position of a byte; one inside of a character is that of its start, one behind the text is its end.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let offset = floor(self.text, offset);
        let line = self.starts.partition_point(|start| *start <= offset).saturating_sub(1);
        let start = self.starts.get(line).copied().unwrap_or_default();
        let before = self.text.get(start..offset).unwrap_or_default();
        Position::new(line as u32, self.encoding.width(before) as u32)
    }

    /// The byte at a position. A column behind the end of its line is that end, and a line behind the last one the end of
    /// the text, as the protocol says; inside of a character it is the start of the character.
    pub(crate) fn offset(&self, position: Position) -> usize {
        let Some(start) = self.starts.get(position.line as usize).copied() else { return self.text.len() };
        let next = self.starts.get(position.line as usize + 1).copied().unwrap_or(self.text.len());
        let line = self.text.get(start..next).unwrap_or_default().trim_end_matches(['\n', '\r']);
        let wanted = position.character as usize;
        let mut column = 0;
        for (at, character) in line.char_indices() {
            column += self.encoding.width(character.encode_utf8(&mut [0; 4]));
            if column > wanted {
                return start + at;
            }
        }
        start + line.len()
    }

    /// The range from one byte to another.
    pub(crate) fn range(&self, start: usize, end: usize) -> Range {
        Range::new(self.position(start), self.position(end))
    }

    /// The bytes of a range, in order.
    pub(crate) fn bytes(&self, range: Range) -> (usize, usize) {
        let (start, end) = (self.offset(range.start), self.offset(range.end));
        (start.min(end), start.max(end))
    }
}

/// The start of the character that a byte is in.
pub(crate) fn floor(text: &str, offset: usize) -> usize {
    let mut at = offset.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a\u{e4}\u{1f600}b\r\nx\rend";

    #[test]
    fn columns_count_what_was_agreed_on() {
        let at = |encoding, offset| {
            let position = Lines::new(TEXT, encoding).position(offset);
            (position.line, position.character)
        };
        assert_eq!(at(Encoding::Utf8, 7), (0, 7));
        assert_eq!(at(Encoding::Utf16, 7), (0, 4));
        assert_eq!(at(Encoding::Utf16, 10), (1, 0));
        assert_eq!(at(Encoding::Utf16, 12), (2, 0));
        assert_eq!(at(Encoding::Utf32, 7), (0, 3));
        assert_eq!(at(Encoding::Utf8, 1000), (2, 3));
    }

    #[test]
    fn positions_and_offsets_are_inverse() {
        for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
            let lines = Lines::new(TEXT, encoding);
            for (offset, character) in TEXT.char_indices() {
                // Between the two bytes of a line break there is no position.
                if character != '\n' {
                    assert_eq!(lines.offset(lines.position(offset)), offset, "{encoding:?} {offset}");
                }
            }
        }
    }

    #[test]
    fn what_lies_outside_is_the_nearest_inside() {
        let lines = Lines::new(TEXT, Encoding::Utf16);
        assert_eq!(lines.offset(Position::new(0, 99)), 8);
        assert_eq!(lines.offset(Position::new(99, 0)), TEXT.len());
        // In the middle of a surrogate pair.
        assert_eq!(lines.offset(Position::new(0, 3)), 3);
    }
}
