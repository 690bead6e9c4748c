//! The pages of docs/how-to are sessions: their files are written, their commands run, and what they show is found.
//!
//! ```` ```dsvm NAME ```` is a file; with `after "TEXT"` lines that are put behind the line with this text; with
//! `replace "TEXT"` what stands in its place. ```` ```console ```` holds commands behind `$`, each with texts that its output
//! contains in this order. `# exits with 1` behind a command tells its exit code; without it, it is 0.

use crate::support::TestContext;
use std::path::Path;

fn write(cx: &TestContext, words: &str, text: &str) {
    let (name, how) = words.split_once(' ').unwrap_or((words, ""));
    let wanted = how.split('"').nth(1).unwrap_or_default();
    if how.is_empty() {
        cx.write(name, text);
        return;
    }
    let old = cx.read(name);
    let at = old.find(wanted).unwrap_or_else(|| panic!("`{wanted}` is not in {name}"));
    let new = if how.starts_with("after") {
        let end = at + old[at..].find('\n').unwrap() + 1;
        format!("{}{text}{}", &old[..end], &old[end..])
    } else {
        old.replace(wanted, text.trim_end())
    };
    cx.write(name, &new);
}

/// Runs one line, with variables before the command, and holds its output against the texts.
fn command(cx: &TestContext, page: &str, line: &str, shows: &[&str]) {
    let (line, exit) = match line.split_once("  # exits with ") {
        Some((line, code)) => (line.trim_end(), code.parse().unwrap()),
        None => (line, 0),
    };
    let mut words = line.split(' ').peekable();
    let mut variables = Vec::new();
    while let Some((name, value)) = words.peek().and_then(|word| word.split_once('=')) {
        variables.push((name, value));
        words.next();
    }
    let rest: Vec<&str> = words.collect();
    let (program, arguments) = rest.split_first().unwrap();
    let mut command = if *program == "dsvmc" {
        cx.command(&arguments.join(" "))
    } else {
        assert_eq!(*program, "git", "{page}: {line}");
        let mut git = std::process::Command::new("git");
        // Quoted words hold blanks.
        let parts: Vec<String> = rest[1..]
            .join(" ")
            .split('"')
            .enumerate()
            .flat_map(|(at, part)| {
                if at % 2 == 1 { vec![part.to_owned()] } else { part.split_whitespace().map(str::to_owned).collect() }
            })
            .collect();
        git.args(["-c", "user.name=a", "-c", "user.email=a@example.org"]).args(parts).current_dir(cx.path());
        git
    };
    let output = command.envs(variables).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(exit), "{page}: {line}\n{text}");
    let mut from = 0;
    for wanted in shows {
        let found = text[from..].find(wanted);
        from += found.unwrap_or_else(|| panic!("{page}: {line}\nnot shown, or not in this order: {wanted}\n{text}"));
    }
}

#[test]
fn every_page_works_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/how-to");
    let mut pages: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.sort();
    let mut ran = 0;
    for path in pages {
        let page = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let cx = TestContext::new();
        for block in text.split("```").skip(1).step_by(2) {
            let (head, body) = block.split_once('\n').unwrap();
            if let Some(words) = head.strip_prefix("dsvm ") {
                write(&cx, words, body);
                continue;
            }
            if head == "yaml" {
                continue;
            }
            assert_eq!(head, "console", "{page}");
            let mut lines = body.lines().peekable();
            while let Some(line) = lines.next() {
                let line = line.strip_prefix("$ ").unwrap_or_else(|| panic!("{page}: {line}"));
                let mut shows = Vec::new();
                while let Some(next) = lines.next_if(|next| !next.starts_with("$ ")) {
                    shows.push(next.trim());
                }
                command(&cx, &page, line, &shows);
                ran += 1;
            }
        }
    }
    assert!(ran > 25, "{ran}");
}
