//! A page of a list: its text cut into the texts of its items, so that one item at a time is read.
//!
//! A page of a thousand resources takes ten times its text as a tree of values.

use serde_json::Value;

/// A page in pieces.
#[derive(Debug, PartialEq)]
pub(super) struct Page<'t> {
    /// The items of `value`, in order.
    pub items: Vec<&'t str>,
    /// The page without its items, such as `nextLink`.
    pub rest: Value,
}

/// Cuts a page; `None` when the text is not an object with a list called `value`, or no JSON around the items.
pub(super) fn cut(text: &str) -> Option<Page<'_>> {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0_usize, 0_usize);
    let mut key = None;
    let (mut items, mut open, mut start) = (Vec::new(), None, 0);
    while let Some(byte) = bytes.get(at) {
        let inside = open.is_some() && depth == 2;
        match byte {
            b'"' => {
                let end = string_end(bytes, at)?;
                if depth == 1 {
                    key = text.get(at + 1..end);
                }
                at = end;
            }
            b'[' if depth == 1 && open.is_none() && key == Some("value") => {
                (open, start, depth) = (Some(at), at + 1, 2);
            }
            b'{' | b'[' => depth += 1,
            b',' if inside => {
                items.push(text.get(start..at)?.trim());
                start = at + 1;
            }
            b']' if inside => {
                let last = text.get(start..at)?.trim();
                if !last.is_empty() || !items.is_empty() {
                    items.push(last);
                }
                let rest = format!("{}[{}", text.get(..open?)?, text.get(at..)?);
                return Some(Page { items, rest: serde_json::from_str(&rest).ok()? });
            }
            b'}' | b']' => depth = depth.checked_sub(1)?,
            b',' if depth == 1 => key = None,
            _ => {}
        }
        at += 1;
    }
    None
}

/// Where the string that starts at a quote ends.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'\\' => at += 2,
            b'"' => return Some(at),
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_page_is_cut_at_its_items() {
        let text = r#" {"a": {"value": [9]}, "value" : [ {"x": "],}\"[", "value": [1, 2]} , {"y": [[]]}, "z" ], "nextLink": "u"}"#;
        let page = cut(text).unwrap();
        assert_eq!(page.items, [r#"{"x": "],}\"[", "value": [1, 2]}"#, r#"{"y": [[]]}"#, r#""z""#]);
        assert_eq!(page.rest, json!({ "a": { "value": [9] }, "value": [], "nextLink": "u" }));
        assert_eq!(cut(r#"{"value":[]}"#).unwrap().items, Vec::<&str>::new());
        for other in [
            "",
            "[1]",
            "{}",
            r#"{"value":{}}"#,
            r#"{"value":[1,2"#,
            r#"{"other":[1]}"#,
            r#"{"value":"[1]"}"#,
            r#"{"x":"value","y":[1]}"#,
        ] {
            assert_eq!(cut(other).map(|p| p.items), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn its_items_are_those_of_the_whole(texts in proptest::collection::vec(".{0,12}", 0..6), pretty: bool) {
            let items: Vec<Value> = texts.iter().map(|t| json!({ "id": t, t.as_str(): [t, { "value": [t] }] })).collect();
            let whole = json!({ "count": 1, "value": items, "nextLink": texts.first() });
            let text = if pretty { format!("{whole:#}") } else { whole.to_string() };
            let page = cut(&text).unwrap();
            let read: Vec<Value> = page.items.iter().map(|i| serde_json::from_str(i).unwrap()).collect();
            prop_assert_eq!(read, items);
            prop_assert_eq!(&page.rest["nextLink"], &whole["nextLink"]);
        }
    }
}
