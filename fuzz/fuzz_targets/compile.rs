//! Any project of one file: all stages end, nothing panics, every label lies in its file.
#![no_main]

use dsvmc::driver::{self, EntryKind, LoadError, Options, Stop, World};
use libfuzzer_sys::fuzz_target;
use std::path::{Path, PathBuf};

struct One<'a>(&'a str);

impl World for One<'_> {
    fn read(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
        if path == Path::new("main.dsvm") {
            return Ok(self.0.as_bytes().to_vec());
        }
        Err(LoadError::Unreadable { path: path.to_owned(), cause: std::io::ErrorKind::NotFound.into() })
    }

    fn kind(&self, _: &Path) -> Result<EntryKind, LoadError> {
        Ok(EntryKind::File)
    }

    fn list(&self, _: &Path) -> Result<Vec<(PathBuf, EntryKind)>, LoadError> {
        Ok(Vec::new())
    }

    fn today(&self) -> jiff::civil::Date {
        jiff::civil::date(2026, 11, 23)
    }
}

fuzz_target!(|text: &str| {
    let options = Options { stop: Stop::AfterEmission };
    let done = driver::compile(&One(text), Path::new("main.dsvm"), options).expect("one file");
    for diagnostic in &done.diagnostics {
        for label in &diagnostic.labels {
            let file = done.sources.get(label.span.source).expect("its file");
            assert!(file.text.get(label.span.start as usize..label.span.end as usize).is_some());
        }
    }
    assert_eq!(done.failed(), done.artifacts.is_none());
});
