//! Compiles the generated parser and the scanner.

fn main() {
    let sources = ["src/parser.c", "src/scanner.c"];
    cc::Build::new().include("src").std("c11").warnings(false).opt_level(1).files(sources).compile("tree-sitter-dsvm");
    for source in sources {
        println!("cargo:rerun-if-changed={source}");
    }
}
