//! Any JSON as a description of Batch AI: it is refused, or becomes a file without a syntax error.
#![no_main]

use dsvm_diagnostics::Sink;
use dsvm_import::{Successor, import};
use dsvm_diagnostics::source::SourceId;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(json) = serde_json::from_slice(bytes) else { return };
    for successor in [Successor::AzureBatch, Successor::AzureMl] {
        if let Ok(done) = import(&[("cluster.json".to_owned(), serde_json::Value::clone(&json))], "project", successor) {
            let mut sink = Sink::default();
            let _ = dsvm_syntax::parse(SourceId::file(0), &done.text, &mut sink);
            assert!(!sink.has_errors(), "{}", done.text);
        }
    }
});
