//! `check --fix` and `lint --fix`: what is changed, what is left alone, and that nothing breaks.

use crate::lint::pages::Page;
use crate::support::TestContext;
use dsvm_diagnostics::{Severity, Sink};
use dsvm_sema::load::plain_path;
use dsvmc::driver::{self, Options, Purpose, Stop, World, fix};
use std::path::{Path, PathBuf};

fn check(world: &dyn World) -> Result<fix::Asked, driver::LoadError> {
    driver::compile_each(world, &["main.dsvm".into()], Options { stop: Stop::AfterChecks }, |one| {
        one.require_project(Purpose::Check);
        (std::mem::take(&mut one.sources), std::mem::take(&mut one.diagnostics))
    })
}

fn lint(world: &dyn World) -> Result<fix::Asked, driver::LoadError> {
    Ok(driver::lint_each(world, &["main.dsvm".into()], &[])?
        .into_iter()
        .map(|one| (one.sources, one.findings))
        .collect())
}

fn count(asked: &fix::Asked, errors: bool) -> usize {
    asked.iter().flat_map(|(_, found)| found).filter(|f| !errors || f.severity == Severity::Error).count()
}

fn formats(text: &str) -> bool {
    let source = dsvm_diagnostics::source::SourceId::file(0);
    dsvm_syntax::format::format(source, text, &mut Sink::default()).is_ok()
}

/// All files of programs with mistakes, and the examples of all pages that fail.
fn programs() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all: Vec<(String, String)> = Vec::new();
    let files = |folder: &str, ending: &str| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        let mut found: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|e| e == ending)).collect();
        found.sort();
        found
    };
    for path in files("tests/mistakes", "dsvm") {
        all.push((plain_path(&path.to_string_lossy()), std::fs::read_to_string(&path).unwrap()));
    }
    for path in files("docs/errors", "md").into_iter().chain(files("docs/lint", "md")) {
        let page = std::fs::read_to_string(&path).unwrap();
        for block in page.split("```dsvm fail\n").skip(1) {
            let text = block.split("```").next().unwrap().to_owned();
            all.push((plain_path(&path.to_string_lossy()), text));
        }
    }
    all
}

#[test]
fn what_is_fixed_has_fewer_findings_and_nothing_breaks() {
    let mut changed = 0;
    for (name, text) in programs() {
        for ask in [check, lint] {
            let page = Page { text: text.clone(), settings: None };
            let before = ask(&page).unwrap();
            let fixed = fix::fixed(&page, ask).unwrap();
            let Some((_, new)) = fixed.files.values().next() else {
                assert!(fixed.applied.is_empty(), "{name}");
                continue;
            };
            changed += 1;
            let after = ask(&Page { text: new.clone(), settings: None }).unwrap();
            let had_errors = count(&before, true) > 0;
            assert!(count(&after, true) <= count(&before, true), "{name}\n{new}");
            assert!(had_errors || count(&after, false) < count(&before, false), "{name}\n{new}");
            // What a mistake hid may come to light, but the mistake itself is gone.
            for one in &fixed.applied {
                let of = |asked: &fix::Asked| asked.iter().flat_map(|(_, f)| f).filter(|f| f.id() == one.id).count();
                assert!(of(&after) < of(&before) || of(&before) == 0, "{name}: {one:?}\n{new}");
            }
            assert!(!formats(&text) || formats(new), "{name}\n{new}");
            if count(&after, true) == 0 {
                assert!(formats(new), "{name}\n{new}");
            }
            let again = fix::fixed(&Page { text: new.clone(), settings: None }, ask).unwrap();
            assert!(again.applied.is_empty(), "{name}: {:?}\n{new}", again.applied);
        }
    }
    println!("{changed} texts changed");
    assert!(changed > 25, "only {changed} texts change");
}

#[test]
fn several_changes_are_made_at_once_and_said() {
    let cx = TestContext::new();
    let text = "import std.images\nimport std.sizes\n\nproject lab {\n  location: westeurope\n}\n\nshare work {\n  quota == 1 TiB\n  mount = '/data'\n}\n";
    cx.write("main.dsvm", text);
    let shown = cx.run("check --fix --diff");
    assert_eq!(std::fs::read_to_string(cx.path().join("main.dsvm")).unwrap(), text);
    assert!(shown.stdout.contains("-  location: westeurope\n+  location = westeurope\n"), "{}", shown.text());
    assert!(shown.stderr.contains("would fix main.dsvm:5: DSVM00"), "{}", shown.text());
    let fixed = cx.run("check --fix");
    assert_eq!(fixed.exit, 0, "{}", fixed.text());
    let expected =
        "project lab {\n  location = westeurope\n}\n\nshare work {\n  quota = 1 TiB\n  mount = \"/data\"\n}\n";
    assert_eq!(std::fs::read_to_string(cx.path().join("main.dsvm")).unwrap().trim_start(), expected);
    assert!(fixed.stderr.contains("fixed main.dsvm:1: DSVM"), "{}", fixed.text());
    let again = cx.run("check --fix");
    assert!(again.stderr.contains("nothing to fix without review"), "{}", again.text());
    assert_eq!(cx.run("check --diff").exit, 64);
}

#[test]
fn a_comment_that_allows_nothing_goes_and_the_code_beside_it_stays() {
    let cx = TestContext::new();
    let share = |comment: &str, end: &str| {
        format!(
            "project lab {{\n  location = westeurope\n}}\n\nshare work {{\n{comment}  quota = 1 TiB{end}\n  mount = \"/data\"\n}}\n"
        )
    };
    let before = share("  // dsvmc-allow storage-lrs: no longer\n", " // dsvmc-allow storage-lrs: neither");
    cx.write("main.dsvm", &before);
    let ran = cx.run("lint --fix --as-of 2026-11-23");
    assert_eq!(std::fs::read_to_string(cx.path().join("main.dsvm")).unwrap(), share("", ""), "{}", ran.text());
    assert!(ran.stderr.contains("DSVM0602 (remove the comment)"), "{}", ran.text());
}

#[test]
fn a_file_that_is_no_utf_8_is_left_as_it_is() {
    let cx = TestContext::new();
    let bytes = b"project lab {\n  location: westeurope\n}\n// caf\xe9\n";
    std::fs::write(cx.path().join("main.dsvm"), bytes).unwrap();
    cx.run("check --fix");
    assert_eq!(std::fs::read(cx.path().join("main.dsvm")).unwrap(), bytes);
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_a_link() {
    let cx = TestContext::new();
    cx.write("elsewhere.txt", "project lab {\n  location: westeurope\n}\n");
    std::os::unix::fs::symlink("elsewhere.txt", cx.path().join("main.dsvm")).unwrap();
    cx.run("check main.dsvm --fix");
    let text = std::fs::read_to_string(cx.path().join("elsewhere.txt")).unwrap();
    assert!(text.contains("location: westeurope"), "{text}");
}
