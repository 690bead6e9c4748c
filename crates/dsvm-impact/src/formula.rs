//! Two versions of a script or formula → what is different, in one clause.

use super::units::cut;
use dsvm_diagnostics::count;

/// The changed line when there is one, else how many lines come and go.
pub(crate) fn script_change(before: &str, after: &str) -> String {
    change(&lines(before, '\n'), &lines(after, '\n'), "line")
}

/// The changed statement of a Batch formula when there is one, else how many come and go.
pub(crate) fn formula_change(before: &str, after: &str) -> String {
    change(&lines(before, ';'), &lines(after, ';'), "statement")
}

/// So many changed lines are shown; more are counted.
const FEW: usize = 2;

fn lines(text: &str, end: char) -> Vec<String> {
    let each = text.split(end).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    each.filter(|line| !line.is_empty()).collect()
}

fn change(before: &[String], after: &[String], noun: &str) -> String {
    let gone: Vec<&String> = before.iter().filter(|line| !after.contains(line)).collect();
    let new: Vec<&String> = after.iter().filter(|line| !before.contains(line)).collect();
    match (gone.as_slice(), new.as_slice()) {
        ([], []) => "another order or spacing".to_owned(),
        (old, new) if old.len() == new.len() && old.len() <= FEW => {
            old.iter().zip(new).map(|(old, new)| pair(old, new)).collect::<Vec<_>>().join("; ")
        }
        ([], [new]) => format!("added `{}`", cut(new)),
        ([old], []) => format!("removed `{}`", cut(old)),
        (gone, new) => format!("{} removed, {} added", count(gone.len(), noun), new.len()),
    }
}

/// Two lines without what they share at both ends, at word boundaries.
fn pair(old: &str, new: &str) -> String {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let (a, b) = (words(old), words(new));
    let head = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let most = a.len().min(b.len()) - head;
    let tail = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count().min(most);
    let middle = |words: &[String]| {
        let inner: Vec<&str> = words.iter().skip(head).take(words.len() - head - tail).map(String::as_str).collect();
        if inner.is_empty() { "nothing".to_owned() } else { format!("`{}`", cut(&inner.join(" "))) }
    };
    let name = a.first().filter(|first| head >= 2 && first.starts_with('$'));
    let name = name.map(|name| format!("`{name}`: ")).unwrap_or_default();
    format!("{name}{} → {}", middle(&a), middle(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_changed_statement_is_shown_and_more_are_counted() {
        let old = "$a = 1;\n$TargetDedicatedNodes = max(0, min(10, $machines));\n";
        assert_eq!(formula_change(old, &old.replace("10", "20")), "`$TargetDedicatedNodes`: `min(10,` → `min(20,`");
        assert_eq!(formula_change(old, "$b = 2;"), "2 statements removed, 1 added");
        assert_eq!(formula_change(old, &old.replace('\n', " ")), "another order or spacing");
        assert_eq!(script_change("a\n", "a\npip install x\n"), "added `pip install x`");
    }
}
