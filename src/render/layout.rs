//! Text → lines that fit the columns of a terminal, broken where words, paths and lists allow.

/// How many columns a text takes.
#[must_use]
pub fn columns(text: &str) -> usize {
    text.chars().count()
}

/// Breaks at spaces so that no line is longer than `room`, where words allow; further lines begin with `indent`.
#[must_use]
pub fn wrap(text: &str, room: usize, indent: &str) -> String {
    let lead: String = text.chars().take_while(|c| *c == ' ').collect();
    let mut out = lead.clone();
    let mut column = columns(indent).max(columns(&lead));
    let mut first = true;
    for word in text.split_whitespace() {
        let length = columns(word);
        if !first && column + 1 + length > room {
            out.push('\n');
            out.push_str(indent);
            column = columns(indent) + length;
        } else {
            if !first {
                out.push(' ');
                column += 1;
            }
            column += length;
        }
        out.push_str(word);
        first = false;
    }
    out
}

/// Pieces → lines of at most `room` columns; the pieces stay whole unless one alone is too long.
#[must_use]
pub fn fill<'a>(pieces: impl Iterator<Item = &'a str>, room: usize) -> Vec<String> {
    let room = room.max(20);
    let mut lines = vec![String::new()];
    for piece in pieces {
        let mut rest = piece;
        let taken = lines.last().map_or(0, |line| columns(line));
        if taken > 0 && taken + columns(piece.trim_end()) > room {
            lines.push(String::new());
            rest = rest.trim_start();
        }
        while columns(rest.trim_end()) > room {
            let cut = rest.char_indices().nth(room).map_or(rest.len(), |(at, _)| at);
            let (head, tail) = rest.split_at(cut);
            if let Some(line) = lines.last_mut() {
                line.push_str(head);
            }
            lines.push(String::new());
            rest = tail;
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(rest);
        }
    }
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}

/// A path of a property, broken before a dot or a bracket.
#[must_use]
pub fn path(text: &str, room: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        let breaks = depth == 0 && matches!(c, '.' | '[') && at > start;
        if breaks {
            pieces.extend(text.get(start..at));
            start = at;
        }
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    pieces.extend(text.get(start..));
    fill(pieces.into_iter(), room)
}

/// Text broken after spaces; `most` lines, the last one with `…` where something is left out.
#[must_use]
pub fn paragraph(text: &str, room: usize, most: usize) -> Vec<String> {
    let mut lines = fill(text.split_inclusive(' '), room);
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            let keep = room.max(20).saturating_sub(2);
            *last = last.chars().take(keep).collect::<String>().trim_end().to_owned() + " …";
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_break_before_a_part_and_never_in_a_name() {
        let long = "properties.profiles[Auto created default scale condition].rules[0].metricTrigger.threshold";
        assert_eq!(
            path(long, 60),
            ["properties.profiles[Auto created default scale condition]", ".rules[0].metricTrigger.threshold"]
        );
        assert_eq!(path("tags.a", 60), ["tags.a"]);
        let endless = "x".repeat(50);
        assert_eq!(path(&endless, 20).concat(), endless);
    }

    #[test]
    fn lines_are_never_wider_than_the_room() {
        let text = "one two three four-and-a-word-that-is-longer-than-the-room five six";
        for room in 20..60 {
            let lines = paragraph(text, room, 9);
            assert!(lines.iter().all(|line| columns(line) <= room), "{room}: {lines:?}");
            let words = |t: &str| t.split_whitespace().collect::<String>();
            assert_eq!(words(&lines.concat()), words(text));
        }
        assert_eq!(paragraph(text, 20, 1), ["one two three …"]);
    }
}
