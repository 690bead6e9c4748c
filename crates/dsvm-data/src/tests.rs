//! What is read of each format, where it is, and what is refused.

#![expect(clippy::string_slice, reason = "a test stops where a place is wrong")]

use super::*;
use proptest::prelude::*;

fn tree(node: &Node, text: &str) -> String {
    let place = &text[node.span.start as usize..node.span.end as usize];
    match &node.kind {
        NodeKind::Null => "null".to_owned(),
        NodeKind::Bool(value) => value.to_string(),
        NodeKind::Number(number) => format!("#{number}"),
        NodeKind::Text(value) => format!("{value:?} at {place}"),
        NodeKind::Plain(value) => format!("{value} at {place}"),
        NodeKind::List(items) => {
            format!("[{}]", items.iter().map(|item| tree(item, text)).collect::<Vec<_>>().join(" | "))
        }
        NodeKind::Record(fields) => {
            let field = |(name, value): &(Spanned<Arc<str>>, Node)| {
                assert!(text[name.span.start as usize..name.span.end as usize].contains(&*name.value));
                format!("{}={}", name.value, tree(value, text))
            };
            format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(", "))
        }
    }
}

fn shown(format: Format, text: &str) -> String {
    match read(format, SourceId::file(0), text) {
        Ok(data) => tree(&data.root, text),
        Err(mistakes) => {
            let one = |m: &Mistake| format!("{}..{} {}", m.span.start, m.span.end, m.title);
            mistakes.iter().map(one).collect::<Vec<_>>().join("; ")
        }
    }
}

#[test]
fn cells_have_their_places() {
    let text = "\u{feff}name,uid, note\r\nana, 12 ,\"a, \"\"b\"\"\"\r\n\r\nbé,,\r\n,,\r\n";
    assert_eq!(
        shown(Format::Csv, text),
        "[{name=ana at ana, uid=12 at 12, note=\"a, \\\"b\\\"\" at \"a, \"\"b\"\"\"} | {name=bé at bé, uid= at , note= at }]"
    );
}

#[test]
fn a_newline_in_quotes_belongs_to_the_cell() {
    let text = "a,b\n\"x\ny\",z\nlast,row";
    assert_eq!(shown(Format::Csv, text), "[{a=\"x\\ny\" at \"x, b=z at z} | {a=last at last, b=row at row}]");
}

#[test]
fn broken_tables_are_told_where_they_break() {
    assert_eq!(shown(Format::Csv, ""), "0..0 this data file is empty");
    assert_eq!(shown(Format::Csv, "a,b\n\"x,y\nz,w\n"), "4..8 these quotes are not closed");
    assert_eq!(
        shown(Format::Csv, "a,b\n1\n1,2,3\n"),
        [
            "4..5 this row has 1 cell, and the first row names 2 columns",
            "6..11 this row has 3 cells, and the first row names 2 columns",
        ]
        .join("; ")
    );
    assert_eq!(shown(Format::Csv, "a,a\n"), "2..3 two columns are named `a`");
    assert_eq!(shown(Format::Csv, "a,,b\n"), "1..3 column 2 has no name");
    assert_eq!(shown(Format::Csv, "a,b\nx\u{fffd}y,1\n"), "5..8 this data file is not UTF-8");
    assert_eq!(shown(Format::Csv, "a;b\n1;2\n"), "0..3 the columns of this table are separated by `;`");
}

#[test]
fn a_wrong_separator_is_not_told_of_every_row() {
    let text = format!("a,b\n{}", "1;2\n".repeat(5000));
    assert_eq!(read(Format::Csv, SourceId::file(0), &text).unwrap_err().len(), MISTAKES);
}

#[test]
fn rows_and_values_are_bounded() {
    let rows = format!("a\n{}", "1\n".repeat(ROWS));
    assert!(read(Format::Csv, SourceId::file(0), &rows).is_ok());
    assert!(shown(Format::Csv, &format!("{rows}1\n")).ends_with("a data file has at most 10,000 rows"));
    for (format, text) in
        [(Format::Json, format!("[{}1]", "1,".repeat(ROWS))), (Format::Yaml, "- 1\n".repeat(ROWS + 1))]
    {
        assert!(shown(format, &text).ends_with("a data file has at most 10,000 rows"), "{format:?}");
    }
    let names: Vec<String> = (0..NAMES + 9).map(|at| format!("\"a{at}\": 1")).collect();
    assert!(shown(Format::Json, &format!("[{{{}}}]", names.join(","))).ends_with("a record has at most 1,000 names"));
    assert!(
        shown(Format::Csv, &(0..NAMES + 9).map(|at| format!("a{at},")).collect::<String>()).ends_with("1,000 names")
    );
    let wide = format!("a = [{}]", "1,".repeat(VALUES + 1));
    assert!(shown(Format::Toml, &wide).ends_with("a data file has at most 100,000 values"));
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    for format in [Format::Json, Format::Yaml] {
        assert!(shown(format, &deep).ends_with("nested more than 32 deep"), "{}", shown(format, &deep));
    }
    assert!(shown(Format::Csv, &" ".repeat(BYTES + 1)).ends_with("at most 4 MiB"));
}

#[test]
fn documents_of_json_are_strict() {
    let text = "[{\"name\": \"a\\u00e9\", \"n\": -1.50, \"t\": [true, null]}]";
    assert_eq!(shown(Format::Json, text), "[{name=\"aé\" at \"a\\u00e9\", n=#-1.50, t=[true | null]}]");
    assert_eq!(shown(Format::Json, "{\"a\": 1, \"a\": 2}"), "9..12 `a` is given twice");
    for wrong in ["[1,]", "// no\n[]", "{a: 1}", "['a']", "[1 2]", "[1] 2", "[01]", "[\"\\x41\"]"] {
        assert!(shown(Format::Json, wrong).contains("this is not JSON: "), "{wrong}: {}", shown(Format::Json, wrong));
    }
}

#[test]
fn plain_scalars_of_yaml_wait_for_their_type() {
    let text = "# team\n- name: zoë\n  country: no\n  note: \"1\"\n- {name: b, country: 10.0.0.0/16, note: }\n";
    assert_eq!(
        shown(Format::Yaml, text),
        "[{name=zoë at zoë, country=no at no, note=\"1\" at \"1\"} | {name=b at b, country=10.0.0.0/16 at 10.0.0.0/16, note= at }]"
    );
}

#[test]
fn aliases_tags_and_second_documents_of_yaml_are_refused() {
    assert!(shown(Format::Yaml, "- &a x\n- *a\n").ends_with("aliases of YAML are not read"));
    assert!(shown(Format::Yaml, "- !!int 1\n").ends_with("tags of YAML are not read"));
    assert!(shown(Format::Yaml, "a: 1\n---\nb: 2\n").ends_with("one document of YAML"));
    assert!(shown(Format::Yaml, "a: 1\na: 2\n").ends_with("`a` is given twice"));
    assert!(shown(Format::Yaml, "? [x]\n: 1\n").ends_with("the name of a value is a text"));
    assert!(shown(Format::Yaml, "a: [1\n").contains("this is not YAML: "));
    assert!(shown(Format::Yaml, "# nothing\n").ends_with("this data file is empty"));
}

#[test]
fn tables_of_toml_are_records_in_the_order_of_the_file() {
    let text = "when = 2026-12-01\nat = 0x10\n\n[[team]]\nname = \"a\"\n\n[[team]]\nname = 'b'\n";
    assert_eq!(
        shown(Format::Toml, text),
        "{when=2026-12-01 at 2026-12-01, at=#16, team=[{name=\"a\" at \"a\"} | {name=\"b\" at 'b'}]}"
    );
    assert!(shown(Format::Toml, "a = ").contains("this is not TOML: "));
}

#[test]
fn the_format_is_known_by_the_name() {
    assert_eq!(format_of("a/b.CSV"), Some(Format::Csv));
    assert_eq!(format_of("b.yml"), Some(Format::Yaml));
    assert_eq!(format_of("csv"), None);
    assert_eq!(format_of(".csv"), None);
    assert_eq!(format_of("x.csv/b.dsvm"), None);
}

proptest! {
    #[test]
    fn whatever_is_written_is_read_or_refused_at_a_place_of_the_text(
        text in "[\\[\\]{}\",:;a-c0-9é\\-#&*!|>'= \n\r\t\u{feff}]{0,60}",
    ) {
        for format in [Format::Csv, Format::Json, Format::Yaml, Format::Toml] {
            if let Err(mistakes) = read(format, SourceId::file(0), &text) {
                prop_assert!(!mistakes.is_empty());
                for mistake in mistakes {
                    prop_assert!(text.get(mistake.span.start as usize..mistake.span.end as usize).is_some());
                }
            }
        }
    }
}
