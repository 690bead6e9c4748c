//! Every example is checked by semantic analysis without a finding of weight.

use dsvmc::diagnostics::Sink;
use dsvmc::sema;
use dsvmc::source::{SourceFile, SourceMap};

#[test]
fn every_example_is_checked_without_errors() {
    let mut all = String::new();
    for folder in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples")).unwrap() {
        let path = folder.unwrap().path().join("main.dsvm");
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let mut sources = SourceMap::default();
        let mut sink = Sink::default();
        let root = sources.add(SourceFile::new(path.to_string_lossy().into_owned(), text));
        let program = sema::load(&[root], &mut sources, &mut |path| std::fs::read_to_string(path).ok(), &mut sink);
        let _ = sema::check_all(&program, &mut sink);
        for diagnostic in sink.finish() {
            let span = diagnostic.primary().unwrap();
            let (line, _) = sources.get(span.source).unwrap().line_column(span.start);
            all.push_str(&format!(
                "{}:{line}: {} {:?} {}\n",
                path.display(),
                diagnostic.code,
                sources.text(span),
                diagnostic.title
            ));
        }
    }
    assert!(all.lines().all(|line| line.contains("DSVM0217")), "{all}");
}
