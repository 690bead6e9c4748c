//! The formatter: what is in the repository is in its style, and whatever the layout was, the program, its comments and
//! the style itself survive.

use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::SourceId;
use dsvm_syntax::format::{Refused, format};
use proptest::prelude::*;
use std::path::{Path, PathBuf};

const TEXTS: &[&str] = &[
    include_str!("../../crates/dsvm-syntax/src/tour.dsvm"),
    include_str!("../../src/cli/commands/starter.dsvm"),
    include_str!("../../examples/01-shared-pool/main.dsvm"),
    include_str!("../../examples/03-teams/main.dsvm"),
    include_str!("../../stdlib/images.dsvm"),
];

fn formatted(text: &str) -> Result<String, Refused> {
    format(SourceId::file(0), text, &mut Sink::default())
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        match path.is_dir() {
            true => files_below(&path, found),
            false if path.extension().is_some_and(|end| end == "dsvm") => found.push(path),
            false => {}
        }
    }
}

#[test]
fn every_file_of_the_repository_is_in_the_house_style() {
    let mut files = vec![PathBuf::from("src/cli/commands/starter.dsvm")];
    files_below(Path::new("stdlib"), &mut files);
    files_below(Path::new("examples"), &mut files);
    assert!(files.len() > 15, "{files:?}");
    let another = |path: &&PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        formatted(&text).as_deref() != Ok(&*text)
    };
    let wrong: Vec<&PathBuf> = files.iter().filter(another).collect();
    assert!(wrong.is_empty(), "run `dsvmc fmt` on {wrong:?}");
}

/// What may happen to a line without changing the program.
#[derive(Clone, Debug)]
enum Wear {
    Indent(usize),
    Trailing(usize),
    Comment(u8),
    OwnComment(u8),
    BlankLines(usize),
    WideEquals(usize),
    TightEquals,
    Tab,
}

fn wear() -> impl Strategy<Value = Wear> {
    prop_oneof![
        (0usize..9).prop_map(Wear::Indent),
        (1usize..4).prop_map(Wear::Trailing),
        any::<u8>().prop_map(Wear::Comment),
        any::<u8>().prop_map(Wear::OwnComment),
        (1usize..4).prop_map(Wear::BlankLines),
        (1usize..6).prop_map(Wear::WideEquals),
        Just(Wear::TightEquals),
        Just(Wear::Tab),
    ]
}

/// A program with another layout. Lines of strings over several lines stay as they are.
fn worn(text: &str, wears: &[(usize, Wear)]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut inside = Vec::with_capacity(lines.len());
    let mut open = false;
    for line in &lines {
        let quotes = line.matches("\"\"\"").count();
        inside.push(open || quotes > 0);
        open ^= quotes % 2 == 1;
    }
    for (at, wear) in wears {
        let at = at % lines.len();
        if inside[at] {
            continue;
        }
        let line = &mut lines[at];
        match wear {
            Wear::Indent(width) => *line = format!("{}{}", " ".repeat(*width), line.trim_start()),
            Wear::Trailing(width) => line.push_str(&" ".repeat(*width)),
            Wear::Comment(number) if !line.contains("//") => line.push_str(&format!(" // note {number}")),
            Wear::OwnComment(number) => *line = format!("// note {number}\n{line}"),
            Wear::BlankLines(count) => *line = format!("{}{line}", "\n".repeat(*count)),
            Wear::WideEquals(width) => *line = line.replacen(" = ", &format!(" ={}", " ".repeat(*width)), 1),
            Wear::TightEquals if !line.contains("//") => *line = line.replacen(" = ", "=", 1),
            Wear::Tab => *line = format!("\t{line}"),
            Wear::Comment(_) | Wear::TightEquals => {}
        }
    }
    lines.join("\n") + "\n"
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn program_comments_and_style_survive_any_layout(
        text in prop::sample::select(TEXTS),
        wears in prop::collection::vec((0usize..400, wear()), 0..40),
    ) {
        let text = worn(text, &wears);
        let once = formatted(&text);
        // The formatter compares tree and comments itself, and refuses where they differ.
        prop_assert_ne!(&once, &Err(Refused::Different), "{}", text);
        let Ok(once) = once else { return Ok(()) };
        prop_assert_eq!(formatted(&once), Ok(once.clone()), "not idempotent:\n{}", text);
        let comments = |text: &str| text.matches("// note ").count();
        prop_assert_eq!(comments(&text), comments(&once));
    }

    #[test]
    fn only_layout_is_lost(text in prop::sample::select(TEXTS), indents in prop::collection::vec(0usize..9, 1..40)) {
        // Whatever the indentation was, the result is that of the tidy text.
        let wears: Vec<(usize, Wear)> = indents.iter().enumerate().map(|(at, width)| (at * 7, Wear::Indent(*width))).collect();
        prop_assert_eq!(formatted(&worn(text, &wears)), formatted(text));
    }
}
