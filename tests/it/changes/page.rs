//! `docs/changes.md` is the table of changes, for people (`DSVMC_BLESS=1` writes it).

use arm_catalog::{ChangeRow, Mark, changes};
use std::fmt::Write as _;

const HEAD: &str = "\
# Changes

What changing a property of a deployed resource does, with the source of each statement. The plan takes its effects from
this table, and a test tries every row on the local endpoint. This page is generated from
[`changes.json`](../crates/arm-catalog/src/changes.json).

A row is about a property and everything below it; the first row that fits decides, and rows of a property come before
rows of what is around it. A property without a row is shown as *effect not known*.

The mark says how sure a row is. **A**: a document of Microsoft, a description of the REST API or the text of an SDK was
read. **B**: a maintained client does it so, or a public report quotes the service's error. **C**: not confirmed. A row
marked C never refuses or replaces anything: the plan shows *not confirmed by Azure's documents* with what is supposed.

| effect | meaning |
|---|---|
| none | nothing that runs is affected |
| in-place | counts at once while everything keeps running |
| one-way | as in-place, and cannot be changed back |
| rolls | reaches running machines as the upgrade policy says, without a restart (`Manual`: only when they are upgraded) |
| restarts | as rolls, and each machine restarts |
| os-disks | as rolls, and each machine gets a fresh OS disk |
| reimage | running machines have it only after they are reimaged |
| deallocate | running machines have it only after they are deallocated and started |
| reboot | running nodes have it after a reboot |
| new-machines | counts for machines that are made later |
| scales-in, scales-out | machines are removed or added |
| autoscale-in, autoscale-out | machines are removed or added by the next run of autoscale |
| empty-pool | refused while the pool has nodes |
| conversion | refused as an update; the service has a migration of its own |
| in-use, detach | refused while something uses it |
| refused | refused |
| name-held | refused, and a new resource of the name is refused too, for the days that a deleted one is kept |
| recreate | refused; only a new resource can have it: the plan replaces the resource |
";

const OPEN: &str = "
## What is not confirmed

Every row marked C, and what the plan does about it.

| type | property | supposed | plan |
|---|---|---|---|
";

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('*', "\\*").replace('_', "\\_")
}

fn line(row: &ChangeRow) -> String {
    let when: Vec<&str> = row.when.iter().map(|condition| condition.name()).collect();
    let change = if when.is_empty() { row.change.clone() } else { format!("{}; {}", row.change, when.join(", ")) };
    let code = row.code.as_ref().map(|code| format!(" `{code}`")).unwrap_or_default();
    let out = row.out.as_ref().map(|out| format!(" Instead: {}.", cell(out))).unwrap_or_default();
    let mark = match row.mark {
        Mark::A => "A",
        Mark::B => "B",
        Mark::C => "C",
    };
    format!(
        "| `{}` | {} | {}{code} | {}.{out} | {mark} | {} |\n",
        row.path,
        cell(&change),
        row.result.name(),
        cell(&row.note),
        cell(&row.source)
    )
}

#[test]
fn the_page_is_the_table() {
    let mut page = HEAD.to_owned();
    for (kind, rows) in changes() {
        let title = if kind == "*" { "Every type" } else { kind };
        write!(page, "\n## {title}\n\n| property | change | effect | what it means | sure | source |\n|---|---|---|---|---|---|\n").unwrap();
        rows.iter().for_each(|row| page.push_str(&line(row)));
    }
    page.push_str(OPEN);
    for (kind, rows) in changes() {
        for row in rows.iter().filter(|row| row.mark == Mark::C) {
            let done = if row.result.is_refusal() {
                "effect not known; written as an update"
            } else {
                "effect shown with the doubt"
            };
            writeln!(page, "| {} | `{}` | {} | {done} |", cell(kind), row.path, row.result.name()).unwrap();
        }
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/changes.md");
    if std::env::var_os("DSVMC_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == page, "docs/changes.md is not what the table says; DSVMC_BLESS=1 writes it");
}
