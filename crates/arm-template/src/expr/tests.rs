use super::*;

fn shown(source: &str) -> String {
    Expr::parse(source).unwrap().to_string()
}

#[test]
fn the_normal_form() {
    assert_eq!(shown("concat( 'it''s' ,-1,a.b( ) )"), "concat('it''s', -1, a.b())");
    assert_eq!(shown("parameters('a')['b'] [ 0 ].c['d-e']"), "parameters('a').b[0].c['d-e']");
    assert_eq!(shown("0['a'].b"), "0['a'].b");
    assert_eq!(shown("\n if(\n true() , 1, 2\n)\n"), "if(true(), 1, 2)");
}

#[test]
fn mistakes_are_told_in_both_ways() {
    let error = Expr::parse("concat('a'").unwrap_err();
    assert_eq!(
        error.reason,
        "Unable to parse language expression 'concat('a'': expected token 'RightParenthesis' and actual 'EndOfData'."
    );
    assert_eq!(
        error.sentence,
        "expected `,` or `)`, found the end of the expression, at character 11, in the expression `[concat('a']`"
    );
    for source in
        ["", "a", "true", "1.5", "'a", "a(", "a(1,)", "a()b", "a().", "a()[", "a()[]", "99999999999999999999", "é"]
    {
        assert!(Expr::parse(source).is_err(), "{source}");
    }
}

#[test]
fn depth_is_bounded() {
    assert!(Expr::parse(&"a(".repeat(5000)).is_err());
    assert!(Expr::parse(&format!("a(){}", ".b".repeat(5000))).is_err());
    assert!(Expr::parse(&format!("a('{}')", "x".repeat(30_000))).unwrap_err().sentence.contains("24576"));
}

#[test]
fn long_calls_are_fine() {
    let source = format!("concat({})", vec!["'x'"; 3000].join(", "));
    assert_eq!(shown(&source), source);
}
