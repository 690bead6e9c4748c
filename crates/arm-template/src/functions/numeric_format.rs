//! .NET numeric format strings with invariant culture: the standard letters and custom pictures.

use crate::error::EvalError;

/// Most digits that a format may ask for.
const MAX_PRECISION: usize = 999;

/// A number to format.
#[derive(Clone, Copy)]
pub(super) struct Number {
    int: Option<i64>,
    value: f64,
}

impl From<i64> for Number {
    fn from(int: i64) -> Self {
        Self { int: Some(int), value: int as f64 }
    }
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        Self { int: None, value }
    }
}

impl Number {
    fn negative(self) -> bool {
        self.int.map_or(self.value < 0.0, |i| i < 0)
    }

    /// Whole and fractional digits of the absolute value, times ten to `power`, rounded to `places`.
    fn digits(self, power: u32, places: usize) -> (String, String) {
        if let Some(int) = self.int {
            let scaled = u128::from(int.unsigned_abs()) * 10u128.pow(power.min(12));
            return (scaled.to_string(), "0".repeat(places));
        }
        let text = format!("{:.places$}", self.value.abs() * 10f64.powi(power as i32));
        match text.split_once('.') {
            Some((whole, fraction)) => (whole.to_string(), fraction.to_string()),
            None => (text, String::new()),
        }
    }
}

fn bad(spec: &str) -> EvalError {
    EvalError::new("Unable to evaluate the template language function 'format'; the format is invalid: 'Format specifier was invalid.'. Please see https://aka.ms/arm-functions#format for usage details.")
        .says(format!("`{spec}` is not a number format"))
}

/// Formats a number by a .NET standard or custom format string.
pub(super) fn format(number: Number, spec: &str) -> Result<String, EvalError> {
    let mut chars = spec.chars();
    let letter = chars.next().unwrap_or('G');
    let rest = chars.as_str();
    let standard = letter.is_ascii_alphabetic() && rest.len() <= 10 && rest.bytes().all(|b| b.is_ascii_digit());
    if !standard {
        return Ok(custom(number, spec));
    }
    let precision: Option<usize> = if rest.is_empty() { None } else { Some(rest.parse().unwrap_or(usize::MAX)) };
    if precision.is_some_and(|p| p > MAX_PRECISION) {
        return Err(bad(spec));
    }
    let sign = if number.negative() { "-" } else { "" };
    let fixed = |power, places: usize, grouped: bool| {
        let (whole, fraction) = number.digits(power, places);
        let whole = if grouped { group(&whole) } else { whole };
        if fraction.is_empty() { whole } else { format!("{whole}.{fraction}") }
    };
    let places = precision.unwrap_or(2);
    Ok(match letter.to_ascii_uppercase() {
        'D' => {
            let int = number.int.ok_or_else(|| bad(spec))?;
            format!("{sign}{:0>width$}", int.unsigned_abs(), width = precision.unwrap_or(1))
        }
        'N' => format!("{sign}{}", fixed(0, places, true)),
        'F' => format!("{sign}{}", fixed(0, places, false)),
        'C' if number.negative() => format!("(¤{})", fixed(0, places, true)),
        'C' => format!("¤{}", fixed(0, places, true)),
        'P' => format!("{sign}{} %", fixed(2, places, true)),
        'X' | 'B' => {
            let int = number.int.ok_or_else(|| bad(spec))?;
            let width = precision.unwrap_or(1);
            match letter {
                'X' => format!("{int:0>width$X}"),
                'x' => format!("{int:0>width$x}"),
                _ => format!("{int:0>width$b}"),
            }
        }
        'E' => format!("{sign}{}", scientific(number.value.abs(), precision.unwrap_or(6), letter, 3)),
        'G' | 'R' => general(number, precision, letter, sign),
        _ => return Err(bad(spec)),
    })
}

fn general(number: Number, precision: Option<usize>, letter: char, sign: &str) -> String {
    let plain = match number.int {
        Some(int) => int.unsigned_abs().to_string(),
        None => super::args::float(number.value.abs()),
    };
    let digits = plain.chars().filter(char::is_ascii_digit).collect::<String>();
    match precision {
        Some(p) if p > 0 && digits.trim_start_matches('0').len() > p => {
            let text = format!("{:.*e}", p - 1, number.value.abs());
            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let exponent: i32 = exponent.parse().unwrap_or(0);
            let trim = |t: &str| {
                if t.contains('.') { t.trim_end_matches('0').trim_end_matches('.').to_string() } else { t.to_string() }
            };
            if exponent >= p as i32 || exponent < -5 {
                let mark = if letter.is_ascii_lowercase() { 'e' } else { 'E' };
                let direction = if exponent < 0 { '-' } else { '+' };
                return format!("{sign}{}{mark}{direction}{:02}", trim(mantissa), exponent.abs());
            }
            let places = usize::try_from(p as i32 - 1 - exponent).unwrap_or(0);
            format!("{sign}{}", trim(&format!("{:.places$}", number.value.abs())))
        }
        _ => format!("{sign}{plain}"),
    }
}

fn scientific(value: f64, places: usize, mark: char, exponent_digits: usize) -> String {
    let text = format!("{value:.places$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}{mark}{sign}{:0exponent_digits$}", exponent.abs())
}

fn group(whole: &str) -> String {
    let mut out = String::with_capacity(whole.len() + whole.len() / 3);
    for (index, c) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A part of a custom picture.
enum Piece {
    Digit { zero: bool },
    Point,
    Comma,
    Literal(String),
    Exponent { mark: char, plus: bool, digits: usize },
}

fn pieces(section: &str) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut chars = section.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(match c {
            '0' => Piece::Digit { zero: true },
            '#' => Piece::Digit { zero: false },
            '.' => Piece::Point,
            ',' => Piece::Comma,
            '\\' => Piece::Literal(chars.next().map(String::from).unwrap_or_default()),
            '\'' | '"' => Piece::Literal(chars.by_ref().take_while(|x| *x != c).collect()),
            'e' | 'E' => {
                let mut ahead = chars.clone();
                let sign = ahead.next_if(|x| matches!(x, '+' | '-'));
                let digits = ahead.clone().take_while(|x| *x == '0').count();
                if digits == 0 {
                    Piece::Literal(c.to_string())
                } else {
                    for _ in 0..digits {
                        ahead.next();
                    }
                    chars = ahead;
                    Piece::Exponent { mark: c, plus: sign == Some('+'), digits }
                }
            }
            c => Piece::Literal(c.to_string()),
        });
    }
    out
}

/// Splits at `;` outside quotes.
fn sections(spec: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut quote = None;
    let mut chars = spec.chars();
    while let Some(c) = chars.next() {
        let last = out.len() - 1;
        let Some(current) = out.get_mut(last) else { break };
        match c {
            ';' if quote.is_none() => {
                out.push(String::new());
                continue;
            }
            '\\' if quote.is_none() => {
                current.push(c);
                current.extend(chars.next());
                continue;
            }
            '\'' | '"' if quote == Some(c) => quote = None,
            '\'' | '"' if quote.is_none() => quote = Some(c),
            _ => {}
        }
        current.push(c);
    }
    out
}

fn custom(number: Number, spec: &str) -> String {
    let parts = sections(spec);
    let section = |index: usize| parts.get(index).filter(|s| !s.is_empty());
    let zero = number.value == 0.0;
    let (chosen, keep_sign) = if zero && parts.len() > 2 {
        (section(2).or_else(|| parts.first()), true)
    } else if number.negative() && section(1).is_some() {
        (section(1), false)
    } else {
        (parts.first(), true)
    };
    let pieces = pieces(chosen.map_or("", String::as_str));
    let sign = if number.negative() && keep_sign { "-" } else { "" };
    format!("{sign}{}", picture(number, &pieces))
}

fn picture(number: Number, pieces: &[Piece]) -> String {
    let point = pieces.iter().position(|p| matches!(p, Piece::Point)).unwrap_or(pieces.len());
    let is_digit = |p: &&Piece| matches!(p, Piece::Digit { .. });
    let (whole_part, fraction_part) = pieces.split_at(point);
    let whole_slots = whole_part.iter().filter(is_digit).count();
    let places = fraction_part.iter().filter(is_digit).count();
    let first = pieces.iter().position(|p| matches!(p, Piece::Digit { .. })).unwrap_or(0);
    let last = whole_part.iter().rposition(|p| matches!(p, Piece::Digit { .. })).unwrap_or(0);
    let commas = |from: usize, to: usize| {
        whole_part.iter().enumerate().filter(|(i, p)| *i > from && *i < to && matches!(p, Piece::Comma)).count()
    };
    let grouped = commas(first, last) > 0;
    let thousands = commas(last, whole_part.len());
    let literal = |c: char| pieces.iter().filter(|p| matches!(p, Piece::Literal(t) if t.starts_with(c))).count() as u32;
    let power = 2 * literal('%') + 3 * literal('‰');
    let exponent =
        pieces.iter().find_map(|p| if let Piece::Exponent { digits, .. } = p { Some(*digits) } else { None });
    let (shown, shift) = match exponent {
        Some(_) if number.value != 0.0 => {
            let shift = number.value.abs().log10().floor() as i32 - (whole_slots.max(1) as i32 - 1);
            (Number::from(number.value / 10f64.powi(shift)), shift)
        }
        _ if thousands > 0 => (Number::from(number.value / 1000f64.powi(thousands as i32)), 0),
        _ => (number, 0),
    };
    let (whole, fraction) = shown.digits(power, places);
    let whole = whole.trim_start_matches('0').to_string();
    let mut out = String::new();
    let mut slots_left = whole_slots;
    let mut emitted = whole.len() > whole_slots;
    let digits: Vec<char> = whole.chars().collect();
    let push = |out: &mut String, digit: char, remaining: usize| {
        out.push(digit);
        if grouped && remaining > 0 && remaining.is_multiple_of(3) {
            out.push(',');
        }
    };
    let mut first_slot = true;
    for piece in whole_part {
        match piece {
            Piece::Digit { zero } => {
                if first_slot {
                    let extra = digits.len().saturating_sub(whole_slots);
                    for (index, digit) in digits.iter().take(extra).enumerate() {
                        push(&mut out, *digit, digits.len() - index - 1);
                    }
                    first_slot = false;
                }
                slots_left -= 1;
                let digit = digits.len().checked_sub(slots_left + 1).and_then(|i| digits.get(i));
                match digit {
                    Some(digit) => {
                        emitted = true;
                        push(&mut out, *digit, slots_left);
                    }
                    None if *zero || emitted => {
                        emitted = true;
                        push(&mut out, '0', slots_left);
                    }
                    None => {}
                }
            }
            Piece::Comma | Piece::Point => {}
            other => literal_piece(other, shift, &mut out),
        }
    }
    let fraction: Vec<char> = fraction.chars().collect();
    let mandatory =
        fraction_part.iter().filter(is_digit).enumerate().filter(|(_, p)| matches!(p, Piece::Digit { zero: true }));
    let needed = mandatory.map(|(i, _)| i + 1).max().unwrap_or(0);
    let significant = fraction.iter().rposition(|c| *c != '0').map_or(0, |i| i + 1).max(needed);
    let mut index = 0;
    for piece in fraction_part {
        match piece {
            Piece::Point if index == 0 && significant > 0 && !out.ends_with('.') => out.push('.'),
            Piece::Digit { .. } => {
                if index < significant {
                    out.push(fraction.get(index).copied().unwrap_or('0'));
                }
                index += 1;
            }
            Piece::Point | Piece::Comma => {}
            other => literal_piece(other, shift, &mut out),
        }
    }
    out
}

fn literal_piece(piece: &Piece, shift: i32, out: &mut String) {
    match piece {
        Piece::Literal(text) => out.push_str(text),
        Piece::Exponent { mark, plus, digits } => {
            out.push(*mark);
            if shift < 0 {
                out.push('-');
            } else if *plus {
                out.push('+');
            }
            out.push_str(&format!("{:0>digits$}", shift.abs()));
        }
        _ => {}
    }
}
