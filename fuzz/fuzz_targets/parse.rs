//! Any text: the parser ends, does not panic, and every label lies in the text on character boundaries.
#![no_main]

use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::SourceId;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut sink = Sink::default();
    let _ = dsvm_syntax::parse(SourceId::file(0), text, &mut sink);
    for diagnostic in sink.finish() {
        for label in diagnostic.labels {
            assert!(text.get(label.span.start as usize..label.span.end as usize).is_some());
        }
    }
});
