use super::*;
use proptest::prelude::*;

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => match number.as_i64() {
                Some(whole) => Self::Int(whole),
                None => Self::Float(number.as_f64().unwrap_or_default()),
            },
            Value::String(text) => Self::String(Cow::Owned(text)),
            Value::Array(items) => items.into_iter().collect(),
            Value::Object(map) => {
                Self::Object(map.into_iter().map(|(key, value)| (Cow::Owned(key), value.into())).collect())
            }
        }
    }
}

/// Any JSON that resources can hold.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9f64).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn it_is_written_as_serde_json_writes_it(value in any_json()) {
        let json = Json::from(value.clone());
        prop_assert_eq!(json.pretty(), format!("{value:#}\n"));
        prop_assert_eq!(json.compact(), value.to_string());
        prop_assert_eq!(json.into_value(), value);
    }
}

#[test]
fn every_control_character_is_escaped_as_serde_json_does() {
    let text: String = (0u8..=0x7f).map(char::from).collect();
    let mut out = String::new();
    quote(&text, &mut out);
    assert_eq!(out, Value::from(text).to_string());
}

#[test]
fn json_reads_like_json() {
    let name = String::from("a");
    let made = json!({ "name": name, "list": [1, { "x": -1 }, [true]], "none": null, "empty": {}, "sum": 1i64 + 2 });
    let other =
        serde_json::json!({ "name": "a", "list": [1, { "x": -1 }, [true]], "none": null, "empty": {}, "sum": 3 });
    assert_eq!(made.into_value(), other);
}

#[test]
fn numbers_have_all_their_digits() {
    for value in [0, 7, 10, 65_535, u64::MAX] {
        let mut out = String::new();
        number(value, &mut out);
        assert_eq!(out, value.to_string());
    }
    assert_eq!(json!(-10).pretty(), "-10\n");
}

#[test]
fn a_property_is_there_once() {
    let mut map = Map::new();
    map.insert("a".into(), json!(1));
    map.insert("b".into(), json!(2));
    map.insert("a".into(), json!(3));
    assert_eq!(Json::Object(map), json!({ "a": 3, "b": 2 }));
}
