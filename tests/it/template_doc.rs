//! The table of functions in `docs/template-engine.md` is the engine's own (`DSVMC_BLESS=1` writes it).

use std::fmt::Write as _;

const BEGIN: &str = "<!-- functions: written by the tests -->\n";
const END: &str = "<!-- end of functions -->\n";

fn table() -> String {
    let mut out = String::from("\n| | function (arguments) |\n|---|---|\n");
    let functions = arm_template::function_table();
    let mut groups: Vec<&str> = functions.iter().map(|(group, _, _)| *group).collect();
    groups.dedup();
    for group in groups {
        let listed: Vec<String> = functions
            .iter()
            .filter(|(g, _, _)| *g == group)
            .map(|(_, name, arguments)| format!("`{name}` ({arguments})"))
            .collect();
        writeln!(out, "| {group} | {} |", listed.join(", ")).unwrap();
    }
    out.push('\n');
    out
}

#[test]
fn the_documented_functions_are_those_of_the_engine() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/template-engine.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (head, rest) = text.split_once(BEGIN).expect("the page has a place for the functions");
    let (_, tail) = rest.split_once(END).expect("the functions have an end");
    let wanted = format!("{head}{BEGIN}{}{END}{tail}", table());
    if text != wanted && std::env::var_os("DSVMC_BLESS").is_some() {
        std::fs::write(path, &wanted).unwrap();
        return;
    }
    assert!(text == wanted, "docs/template-engine.md is not up to date; run the tests with DSVMC_BLESS=1");
}
