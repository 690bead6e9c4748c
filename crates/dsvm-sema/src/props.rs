//! Properties: evaluation never panics, and arithmetic agrees with an oracle that knows nothing of it.

use super::tests::{checked, findings};
use super::value::Value;
use proptest::prelude::*;
use rust_decimal::Decimal;

/// Expressions of all sorts, most of them wrong in some way.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        prop::sample::select(vec![
            "1",
            "0",
            "9223372036854775807",
            "2.5",
            "0.1",
            "true",
            "null",
            "\"a\"",
            "\"\"",
            "70%",
            "1 TiB",
            "15 min",
            "2.50 USD/h",
            "3 EUR",
            "08:00",
            "2026-12-01",
            "mon..fri",
            "0..10",
            "10.0.0.4",
            "10.0.0.0/16",
            "a",
            "b",
            "n",
            "s",
            "t",
            "o",
            "xs",
            "r",
            "pools",
            "shares",
            "home",
            "home.id",
            "project",
            "cpu",
            "[]",
            "{ }",
            "unknown",
            "sat",
        ])
        .prop_map(str::to_owned),
        any::<i64>().prop_map(|n| format!("({n})")),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let operators = vec![
            "+",
            "-",
            "*",
            "/",
            "%",
            "==",
            "!=",
            "<",
            "<=",
            ">",
            ">=",
            "&&",
            "||",
            "??",
            "in",
            "..",
            "of",
            "initially",
        ];
        let functions: Vec<&str> = super::builtins::names().chain(["f", "avg"]).collect();
        prop_oneof![
            (inner.clone(), prop::sample::select(operators), inner.clone())
                .prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (prop::sample::select(functions), prop::collection::vec(inner.clone(), 0..4))
                .prop_map(|(f, args)| format!("{f}({})", args.join(", "))),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(c, a, b)| format!("(if {c} then {a} else {b})")),
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{ x = {a}, y = {b} }}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[({a}) for i in {b}]")),
            inner.clone().prop_map(|a| format!("({a}).x")),
            inner.clone().prop_map(|a| format!("({a}).min")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})[{b}]")),
            inner.clone().prop_map(|a| format!("\"v ${{{a}}}\"")),
            inner.clone().prop_map(|a| format!("!({a})")),
            inner.prop_map(|a| format!("-({a})")),
        ]
    })
}

const AROUND: &str = "project demo { location = westus2 }
param n: int in 1..9 = 3
param t: string = \"x\"
param o: string?
secret param s: string
let a = 3
let b = [1, 2, 3]
let xs = [\"a\", \"b\"]
let r = { x = 1, y = \"z\" }
fn f(x: int, y: string = \"q\"): string = \"${x}${y}\"
share home { mount = \"/data/home\" }
";

/// Whole numbers with `+`, `-`, `*`: the text, and the value when every step fits into 64 bits.
fn whole() -> impl Strategy<Value = (String, Option<i64>)> {
    let leaf = prop_oneof![0i64..100, any::<i32>().prop_map(i64::from), any::<i64>()]
        .prop_filter("literals have no sign", |n| *n >= 0)
        .prop_map(|n| (n.to_string(), Some(n)));
    leaf.prop_recursive(5, 24, 2, |inner| {
        (inner.clone(), prop::sample::select(vec!['+', '-', '*']), inner).prop_map(|((a, x), op, (b, y))| {
            let value = x.zip(y).and_then(|(x, y)| {
                let (x, y) = (i128::from(x), i128::from(y));
                let exact = match op {
                    '+' => x + y,
                    '-' => x - y,
                    _ => x.checked_mul(y)?,
                };
                i64::try_from(exact).ok()
            });
            (format!("({a} {op} {b})"), value)
        })
    })
}

/// Decimals with two digits, as hundredths.
fn hundredths() -> impl Strategy<Value = (String, i128, u32)> {
    let leaf = (0i128..100_000).prop_map(|n| (format!("{}.{:02}", n / 100, n % 100), n, 2u32));
    leaf.prop_recursive(3, 8, 2, |inner| {
        (inner.clone(), prop::sample::select(vec!['+', '-', '*']), inner).prop_map(|((a, x, p), op, (b, y, q))| {
            let (value, places) = match op {
                '*' => (x * y, p + q),
                op => {
                    let places = p.max(q);
                    let (x, y) = (x * 10i128.pow(places - p), y * 10i128.pow(places - q));
                    (if op == '+' { x + y } else { x - y }, places)
                }
            };
            (format!("({a} {op} {b})"), value, places)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn evaluation_never_panics_whatever_is_written(text in expression()) {
        findings(&format!("{AROUND}let value = {text}\noutput shown: any = value\n"));
    }

    #[test]
    fn whole_numbers_agree_with_an_oracle((text, value) in whole()) {
        let program = format!("output result: int = {text}\n");
        match value {
            Some(value) => prop_assert_eq!(&checked(&program).outputs[0].value, &Value::Int(value)),
            None => prop_assert!(findings(&program).starts_with("overflow at"), "{}", findings(&program)),
        }
    }

    #[test]
    fn decimals_agree_with_an_oracle((text, value, places) in hundredths()) {
        prop_assume!(places <= 20 && value.unsigned_abs() < 10u128.pow(26));
        let program = format!("check {text} == {text}\nlet result = {text}\nresource x: \"A.B/c@2020-01-01\" {{ v = \"${{result}}\" }}\n");
        let checked = checked(&program);
        let Some(Value::Record(body)) = checked.blocks[0].free.as_ref().map(|free| &free.value) else { panic!("no body") };
        let wanted = Decimal::from_i128_with_scale(value, places).normalize().to_string();
        prop_assert_eq!(&body["v"], &Value::String(wanted.into()));
    }
}
