//! Templates and parameter files damaged in many ways: reading and expanding end with a value or an error, in bounded time
//! and memory. `DSVMC_MUTATIONS=200000` for the long run, `DSVMC_MUTATION_SEEDS=FOLDER` for more to start from.

use super::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

const SEEDS: &[&str] = &[
    include_str!("../../../../conformance/templates/pool.json"),
    include_str!("../../../../conformance/templates/shares.json"),
    include_str!("../../../../conformance/templates/subscription.json"),
    include_str!("../../../../conformance/templates/pool.parameters.json"),
    r##"{ "languageVersion": "2.0", "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
      "definitions": { "size": { "type": "object", "properties": { "n": { "type": "int", "minValue": 1 }, "next": { "$ref": "#/definitions/size", "nullable": true } } },
        "kind": { "type": "object", "discriminator": { "propertyName": "k", "mapping": { "a": { "type": "object", "properties": { "k": { "type": "string", "allowedValues": ["a"] } } } } } } },
      "parameters": { "size": { "$ref": "#/definitions/size", "defaultValue": { "n": 3, "next": { "n": 1 } } }, "list": { "type": "array", "items": { "type": "string" }, "defaultValue": ["a", "b"] } },
      "functions": [ { "namespace": "my", "members": { "twice": { "parameters": [ { "name": "x", "type": "int" } ], "output": { "type": "int", "value": "[mul(parameters('x'), 2)]" } } } } ],
      "resources": {
        "store": { "existing": true, "type": "Microsoft.Storage/storageAccounts", "apiVersion": "2022-09-01", "name": "store" },
        "loop": { "copy": { "name": "loop", "count": "[parameters('size').n]", "mode": "serial", "batchSize": 1 }, "type": "A.B/c", "apiVersion": "1", "name": "[format('r{0:D2}', copyIndex())]",
          "properties": { "[toLower('KEY')]": "[reference('store').primaryEndpoints.blob]", "copy": [ { "name": "inner", "count": 2, "input": { "i": "[copyIndex('inner')]" } } ] } },
        "inside": { "type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "inside", "dependsOn": ["loop"], "properties": { "mode": "Incremental", "expressionEvaluationOptions": { "scope": "inner" },
          "parameters": { "p": { "value": "[reference('loop[0]').x]" } }, "template": { "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "parameters": { "p": { "type": "string" } },
            "resources": [ { "type": "A.B/c", "apiVersion": "1", "name": "[parameters('p')]", "condition": "[not(empty(parameters('p')))]" } ], "outputs": { "o": { "type": "string", "value": "[parameters('p')]" } } } } } },
      "outputs": { "o": { "type": "array", "value": "[map(parameters('list'), lambda('x', concat(lambdaVariables('x'), string(my.twice(2)))))]" },
        "d": { "type": "string", "value": "[dateTimeAdd('2024-02-29T00:00:00Z', 'P1Y', 'yyyy-MM-dd')]" }, "c": { "type": "string", "value": "[cidrSubnet('10.0.0.0/16', 24, 3)]" } } }"##,
];

const WORDS: &[&str] = &[
    "[",
    "]",
    "{",
    "}",
    "'",
    "''",
    "\"",
    ",",
    ":",
    "[[",
    "/*",
    "*/",
    "//",
    "\\",
    "\\u0000",
    "\u{feff}",
    "null",
    "true",
    "-1",
    "0",
    "1e309",
    "9223372036854775807",
    "-9223372036854775808",
    "99999999999999999999",
    "2147483648",
    "800",
    "801",
    "copyIndex()",
    "parameters('size')",
    "variables('a')",
    "reference('loop')",
    "resourceId('A.B/c', 'd')",
    "union(",
    "range(0, 10000)",
    "padLeft('x', 100000)",
    "json('{')",
    "format('{0:N9}', 1)",
    "createObject(",
    "lambda('x', ",
    "dateTimeAdd('x', 'P9999999Y')",
    "\"copy\": {",
    "\"dependsOn\": [",
    "\"count\": ",
    "substring('abc', 2, 5)",
    "uniqueString(",
    "string(deployment())",
    "listKeys('a', '1')",
    "languageVersion",
    "\"existing\": true,",
    "cidrHost('::/0', 0)",
    "split('a,b', createArray(',', ''))",
    "replace('aaa', '', 'b')",
    "take(",
    "mod(1, 0)",
    "div(-9223372036854775808, -1)",
];

/// Numbers that repeat: xorshift.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (sides.max(1) as u64)).unwrap()
    }

    fn place(&mut self, text: &str) -> usize {
        let mut at = self.roll(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

fn damage(text: &mut String, seeds: &[String], dice: &mut Dice) {
    let (a, b) = (dice.place(text), dice.place(text));
    let (from, to) = (a.min(b), a.max(b));
    match dice.roll(9) {
        0 => text.insert_str(a, WORDS[dice.roll(WORDS.len())]),
        1 => {
            let mut end = to.min(from + 1 + dice.roll(12));
            while !text.is_char_boundary(end) {
                end += 1;
            }
            text.replace_range(from..end, "");
        }
        2 if to - from < 4000 => {
            let part = text.get(from..to).unwrap_or_default().to_owned();
            let at = dice.place(text);
            text.insert_str(at, &part);
        }
        3 => {
            let other = &seeds[dice.roll(seeds.len())];
            let (c, d) = (dice.place(other), dice.place(other));
            let mut part = other.get(c.min(d)..c.max(d)).unwrap_or_default().to_owned();
            while part.len() > 600 {
                part.pop();
            }
            text.insert_str(a, &part);
        }
        4 => {
            // one string of the text in place of another
            let strings: Vec<(usize, usize)> = quoted(text);
            if strings.len() > 1 {
                let (x, y) = (strings[dice.roll(strings.len())], strings[dice.roll(strings.len())]);
                let part = text.get(y.0..y.1).unwrap_or_default().to_owned();
                text.replace_range(x.0..x.1, &part);
            }
        }
        5 => {
            let strings = quoted(text);
            if !strings.is_empty() {
                let (start, end) = strings[dice.roll(strings.len())];
                let word = WORDS[dice.roll(WORDS.len())].replace('"', "'");
                text.replace_range(start..end, &format!("[{word}]"));
            }
        }
        6 => {
            let depth = 1 + dice.roll(300);
            text.insert_str(a, &["[", "{\"a\":", "('", "concat("][dice.roll(4)].repeat(depth));
        }
        7 => {
            let digits: Vec<usize> = text.match_indices(|c: char| c.is_ascii_digit()).map(|(at, _)| at).collect();
            if !digits.is_empty() {
                let at = digits[dice.roll(digits.len())];
                let word = ["0", "-7", "10001", "4294967296", "0.5", "1e9"][dice.roll(6)];
                text.replace_range(at..=at, word);
            }
        }
        _ => text.insert(a, char::from_u32(dice.roll(0x3000) as u32).unwrap_or('\u{10ffff}')),
    }
}

/// Places of the insides of double-quoted strings, roughly.
fn quoted(text: &str) -> Vec<(usize, usize)> {
    let marks: Vec<usize> = text.match_indices('"').map(|(at, _)| at).collect();
    marks.chunks_exact(2).map(|pair| (pair[0] + 1, pair[1])).collect()
}

fn limits() -> Limits {
    Limits { steps: 300_000, made_bytes: 24 << 20, expanded_bytes: 4 << 20, total_resources: 2000, ..Limits::default() }
}

fn one(text: &str) {
    let parameters = parse_parameters(text).unwrap_or_default();
    let Ok(template) = parse(text) else { return };
    for given in [&parameters, &Parameters::new()] {
        match expand(&template, given, &place(), &limits()) {
            Ok(expansion) => drop(format!("{expansion:?}")),
            Err(errors) => {
                assert!(!errors.is_empty() && errors.iter().all(|e| !e.message.is_empty() && !e.sentence.is_empty()))
            }
        }
    }
    let _ = template.hash();
}

#[test]
fn damaged_templates_end_with_a_value_or_an_error() {
    let cases: u64 = std::env::var("DSVMC_MUTATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(1500);
    let mut seeds: Vec<String> = SEEDS.iter().map(|text| (*text).to_owned()).collect();
    if let Ok(folder) = std::env::var("DSVMC_MUTATION_SEEDS") {
        let files =
            std::fs::read_dir(folder).unwrap().filter_map(|entry| std::fs::read_to_string(entry.ok()?.path()).ok());
        seeds.extend(files.filter(|text| text.len() < 60_000));
    }
    for case in 0..cases {
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ (case + 1).wrapping_mul(0xd134_2543_de82_ef95));
        let mut text = seeds[dice.roll(seeds.len())].clone();
        for _ in 0..=dice.roll(4) {
            damage(&mut text, &seeds, &mut dice);
        }
        let result = catch_unwind(AssertUnwindSafe(|| one(&text)));
        assert!(result.is_ok(), "case {case} panics:\n{text}");
    }
}
