use super::reader::{ReadLimits, read_with};
use super::*;
use serde_json::{Value as Json, json};

fn value(text: &str) -> Json {
    read(text).unwrap().to_value()
}

#[test]
fn strict_json_is_read() {
    assert_eq!(value(r#"{"a":[1,-2,3.5,"x",true,null]}"#), json!({"a": [1, -2, 3.5, "x", true, null]}));
    assert_eq!(value(r#""\u00e4\n\"\ud83d\ude00""#), json!("ä\n\"😀"));
}

#[test]
fn comments_commas_quotes_and_bare_keys_are_read() {
    let text = "\u{feff}// head\n{ /* a */ a: 'it''s', 'b': \"x\ny\", c: [1, 2,], // tail\n }  /* end */";
    assert!(read(text).is_err(), "two strings in a row are not one");
    let text = "\u{feff}// head\n{ /* a */ a: 'it\\'s', 'b': \"x\ny\", c: [1, 2,], // tail\n }  /* end */";
    assert_eq!(value(text), json!({"a": "it's", "b": "x\ny", "c": [1, 2]}));
}

#[test]
fn the_body_of_the_stock_client_is_read() {
    let body = "{\"properties\": {\"mode\": \"Incremental\", template:{ // why\n \"resources\": [] }}}";
    assert_eq!(value(body), json!({"properties": {"mode": "Incremental", "template": {"resources": []}}}));
}

#[test]
fn the_last_of_two_equal_keys_counts() {
    assert_eq!(value(r#"{"a":1,"b":2,"a":3}"#), json!({"a": 3, "b": 2}));
}

#[test]
fn a_mistake_has_a_place() {
    let error = read("{\n  \"a\": 1\n  \"b\": 2\n}").unwrap_err();
    let document = Document::new("{\n  \"a\": 1\n  \"b\": 2\n}");
    let at = document.position(error.offset);
    assert_eq!((at.line, at.column), (3, 3));
    assert_eq!(error.message, "expected `,` or `}`, found `\"`; the object is not closed");
}

#[test]
fn depth_and_size_are_bounded() {
    let deep = "[".repeat(100_000);
    assert!(read(&deep).unwrap_err().message.contains("nested more than 128 deep"));
    assert!(read_with("[1,2,3]", ReadLimits { bytes: 3, depth: 9 }).is_err());
}

#[test]
fn unfinished_texts_are_errors() {
    for text in
        ["", "{", "[", "\"a", "'a", "{\"a\"", "{\"a\":", "[1", "/*", "\"\\", "\"\\u12", "nul", "-", "1e", "{a}", "/"]
    {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn files_in_utf_16_are_read_by_their_mark() {
    let text = "{ \"a\": \"ä 🚀\" }";
    let wide = |mark: [u8; 2], unit: fn(u16) -> [u8; 2]| {
        mark.into_iter().chain(text.encode_utf16().flat_map(unit)).collect::<Vec<u8>>()
    };
    assert_eq!(decode(&wide([0xff, 0xfe], u16::to_le_bytes)), text);
    assert_eq!(decode(&wide([0xfe, 0xff], u16::to_be_bytes)), text);
    assert_eq!(decode(text.as_bytes()), text);
    // an odd byte at the end, half of a pair, a mark alone
    assert_eq!(decode(&[0xff, 0xfe, b'{', 0, b'}']), "{");
    assert!(read(&decode(&[0xff, 0xfe, 0x00, 0xd8])).is_err());
    assert_eq!(decode(&[0xff, 0xfe]), "");
}
