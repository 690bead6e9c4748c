//! Files are written by `dsvm-files` alone: beside and renamed, not through links, and nothing that is not ours.

use super::rust::named;
use super::{hold, rust_files, shown, source_folders};

/// What writes, moves or opens for writing under any name.
const WRITES: &[&str] =
    &["fs::write", "fs::copy", "fs::rename", "fs::File::create", "File::create", "File::create_new"];

/// The lines of a text that write on their own.
fn own_writes(text: &str) -> Result<Vec<(usize, &'static str)>, String> {
    let mut found = Vec::new();
    for named in named(text)? {
        let bad = WRITES.iter().find(|bad| named.path == **bad || named.path.ends_with(&format!("::{bad}")));
        found.extend(bad.map(|bad| (named.line, *bad)));
    }
    found.dedup();
    Ok(found)
}

#[test]
fn files_are_written_in_one_place() {
    let mut wrong = Vec::new();
    for path in source_folders().iter().flat_map(|folder| rust_files(folder)) {
        let file = shown(&path);
        // Tests in files of their own write what they like.
        let test = file.ends_with("/tests.rs") || file.contains("/tests/") || file.contains("/hostile/");
        if test || file.starts_with("crates/dsvm-files/") {
            continue;
        }
        for (line, bad) in own_writes(&std::fs::read_to_string(&path).unwrap()).unwrap() {
            wrong.push(format!("{file}:{line}: `{bad}`: files are written by `dsvm_files::replace`"));
        }
    }
    hold(wrong);
}

#[test]
fn a_write_elsewhere_is_seen() {
    for text in [
        "fn f() { std::fs::write(\"a\", \"b\"); }",
        "use std::fs; fn f() { fs::write(\"a\", \"b\"); }",
        "use std::fs::File; fn f() { File::create(\"a\"); }",
        "fn f() { std::fs::rename(\"a\", \"b\"); }",
    ] {
        assert!(!own_writes(text).unwrap().is_empty(), "not seen: {text}");
    }
    for text in
        ["fn f() { std::fs::read(\"a\"); }", "#[cfg(test)] mod tests { fn f() { std::fs::write(\"a\", \"b\"); } }"]
    {
        assert_eq!(own_writes(text).unwrap(), [], "{text}");
    }
}
