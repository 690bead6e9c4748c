//! Realistic mistakes: each gives exactly one error, at the place that the file marks with `// <- here`, with a way out.
//! The drawn message stands beside the file.

use crate::catalogue::OneFile;
use dsvmc::diagnostics::Severity;
use dsvmc::driver::{self, Options, Stop};
use dsvmc::render::palette::Palette;
use dsvmc::render::snippet;

/// Comment that ends the line of the mistake.
const MARK: &str = "// <- here";

#[test]
fn every_mistake_gives_one_error_at_its_place_with_a_way_out() {
    insta::with_settings!({ snapshot_path => "../mistakes", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::glob!("../mistakes", "*.dsvm", |path| {
            let text = std::fs::read_to_string(path).unwrap();
            let name = path.file_stem().unwrap().to_string_lossy();
            let marked = text.lines().position(|line| line.contains(MARK)).expect("the file marks the place") as u32 + 1;
            let options = Options { stop: Stop::AfterEmission };
            let found = driver::compile(&OneFile(text), Path::new("main.dsvm"), options).unwrap();
            let errors: Vec<_> = found.diagnostics.iter().filter(|d| d.severity == Severity::Error).collect();
            let drawn: String =
                errors.iter().map(|d| snippet::one(&found.sources, d, Palette::plain()) + "\n").collect();
            assert_eq!(errors.len(), 1, "{name}: one mistake, one error:\n{drawn}");
            let span = errors[0].primary().unwrap();
            let (line, _) = found.sources.get(span.source).unwrap().line_column(span.start);
            assert_eq!(line, marked, "{name}: the error is on another line:\n{drawn}");
            assert!(!errors[0].help.is_empty(), "{name}: no way out:\n{drawn}");
            insta::assert_snapshot!("message", drawn);
        });
    });
}
