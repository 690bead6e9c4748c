//! Damaged texts: bytes and words of a good text replaced, removed, repeated, exchanged with another, or nested deeply.

/// Numbers that repeat for a seed: xorshift.
pub struct Dice(u64);

impl Dice {
    /// The numbers of one case.
    pub fn of(seed: u64, case: u64) -> Self {
        let mixed =
            (seed ^ case.wrapping_add(1).wrapping_mul(0xd134_2543_de82_ef95)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self(mixed | 1)
    }

    /// A number below `sides`.
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % (sides.max(1) as u64)).unwrap()
    }

    /// One of a list that is not empty.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.roll(list.len())]
    }

    fn place(&mut self, text: &str) -> usize {
        let at = self.roll(text.len() + 1);
        boundary(text, at)
    }
}

fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Words of `.dsvm`, of templates, of formulas and of JSON that hurt in the wrong place.
const WORDS: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "\"\"\"",
    "'",
    "''",
    "${",
    "$",
    ",",
    ":",
    ";",
    "=",
    "=>",
    "..",
    "...",
    "..=",
    "?",
    "!",
    "&&",
    "||",
    "??",
    "//",
    "///",
    "/*",
    "*/",
    "\\",
    "\\u0000",
    "\\u{202e}",
    "\u{202e}",
    "\u{feff}",
    "\u{0}",
    "\u{1b}[31m",
    "\r",
    "\r\n",
    "\t",
    "\n::error::x\n",
    "null",
    "true",
    "false",
    "-1",
    "0",
    "00",
    "0x7f",
    "1e309",
    "-0.0",
    "1e-400",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551616",
    "4294967296",
    "2147483648",
    "801",
    "10001",
    "0.1",
    "1_000",
    "∞",
    "pool",
    "project",
    "let",
    "param",
    "env",
    "override",
    "resource",
    "import",
    "export",
    "output",
    "network",
    "vault",
    "share",
    "for n in 1..3",
    "if",
    "else",
    "allow ssh from any",
    "allow",
    "autoscale",
    "when avg(cpu, 5 min) > 70% { add 1 }",
    "from 25:00 to 24:61 on all days",
    "on (mon..fri)",
    "30 days",
    "10000000 years",
    "5 min",
    "256 GiB",
    "99999999999 TiB",
    "100%",
    "101%",
    "-3 machines",
    "images.ubuntu_2204",
    "images.",
    "sizes.Standard_D8s_v5",
    "sizes.",
    "westeurope",
    "10.0.0.0/0",
    "0.0.0.0/0",
    "::/0",
    "300.1.1.1/33",
    "range(0, 10000)",
    "map(1..1000, n => n)",
    "repeat(\"x\", 1000000)",
    "name = name",
    "concat(",
    "format('{0:N9}', 1)",
    "copyIndex()",
    "parameters('size')",
    "variables('a')",
    "reference('loop')",
    "resourceId('A.B/c', 'd')",
    "\"copy\": {",
    "\"dependsOn\": [",
    "\"count\": ",
    "\"condition\": ",
    "\"existing\": true,",
    "\"type\": \"securestring\",",
    "substring('abc', 2, 5)",
    "padLeft('x', 100000)",
    "div(-9223372036854775808, -1)",
    "mod(1, 0)",
    "json('{')",
    "listKeys('a', '1')",
    "cidrHost('::/0', 0)",
    "$TargetDedicatedNodes",
    "$PendingTasks",
    ".GetSample(1)",
    ".GetSample(TimeInterval_Minute * 5, 70)",
    "TimeInterval_Year * 9999",
    "avg(",
    "max(",
    "1 / 0",
    "time(\"2026-02-30\")",
    "$NodeDeallocationOption = requeue;",
    "Microsoft.BatchAI/clusters",
    "\"manualScaleSettings\"",
    "\"nodeCount\": -1,",
    "/subscriptions/x/resourceGroups/y/providers/",
    "dsvmc-plan",
    "P9999999Y",
    "PT0S",
    "2026-13-41T25:61:61Z",
    "Europe/Berlin",
    "Mars/Olympus",
];

const NUMBERS: &[&str] = &["0", "-7", "10001", "4294967296", "0.5", "1e9", "9223372036854775807", "00"];

/// Changes a text in one of ten ways; `others` lend their parts.
pub fn damage(text: &mut String, others: &[String], dice: &mut Dice) {
    let (a, b) = (dice.place(text), dice.place(text));
    let (from, to) = (a.min(b), a.max(b));
    match dice.roll(11) {
        0 | 1 => {
            let word = *dice.pick(WORDS);
            text.insert_str(a, word);
        }
        2 => {
            let end = boundary(text, to.min(from + 1 + dice.roll(40))).max(from);
            text.replace_range(from..end, "");
        }
        3 => {
            let end = boundary(text, to.min(from + 4000)).max(from);
            let part = text[from..end].to_owned();
            let at = dice.place(text);
            text.insert_str(at, &part);
        }
        4 if !others.is_empty() => {
            let other = dice.pick(others);
            let start = dice.place(other);
            let end = boundary(other, start + 600).max(start);
            text.insert_str(a, &other[start..end]);
        }
        5 => {
            let (words, with) = (words(text), *dice.pick(WORDS));
            if !words.is_empty() {
                let (start, end) = *dice.pick(&words);
                text.replace_range(start..end, with);
            }
        }
        6 => {
            // one word of the text in place of another
            let words = words(text);
            if words.len() > 1 {
                let (x, y) = (*dice.pick(&words), *dice.pick(&words));
                let part = text[y.0..y.1].to_owned();
                text.replace_range(x.0..x.1, &part);
            }
        }
        7 => {
            let depth = 1 + dice.roll(400);
            let open = *dice.pick(&["[", "{\"a\":", "(", "concat(", "{ a = ", "!", "-", "\"${", "if true { ", "1 + "]);
            text.insert_str(a, &open.repeat(depth));
        }
        8 => {
            let digits: Vec<usize> = text.match_indices(|c: char| c.is_ascii_digit()).map(|(at, _)| at).collect();
            if !digits.is_empty() {
                let at = *dice.pick(&digits);
                let number = *dice.pick(NUMBERS);
                text.replace_range(at..=at, number);
            }
        }
        9 => {
            // a line moves
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            let (x, y) = (dice.roll(lines.len().max(1)), dice.roll(lines.len().max(1)));
            let mut lines: Vec<String> = lines.into_iter().map(str::to_owned).collect();
            if x < lines.len() && y < lines.len() {
                lines.swap(x, y);
            }
            *text = lines.concat();
        }
        _ => text.insert(a, char::from_u32(dice.roll(0x3000) as u32).unwrap_or('\u{10ffff}')),
    }
}

/// Places of the words of a text.
fn words(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices() {
        let inside = c.is_alphanumeric() || matches!(c, '_' | '.' | '$');
        match (inside, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                found.push((from, at));
                start = None;
            }
            _ => {}
        }
    }
    found
}
