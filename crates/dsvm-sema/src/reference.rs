//! The table of kinds and the table of functions → pages of the reference.

use super::builtins::{self, Builtin};
use super::table::{BlockKind, BlockSpec, FieldSpec, Head, Part, When, classes, kind_of, spec};
use super::ty::Ty;
use std::fmt::Write as _;

const KINDS: &str = "# Kinds of block

This page is generated from the table that the checker uses. A field with a default can be omitted; one without a
default and not marked *required* is absent, or derived as its description says. *early* fields must be known while
compiling; all others can depend on parameters and attributes.
";

const FUNCTIONS: &str = "# Functions

This page is generated from the table that the checker uses. Functions are computed at compile time when their arguments
are known; the column *deployment* says whether a template can compute them too, so that they take parameters and
attributes. Besides these there are `smallest(…)` and `cheapest(…)`, which choose a machine size
[by requirements](blocks.md#hardware-by-requirements), and what a project declares with `fn`.
";

/// The page of kinds.
#[must_use]
pub fn kinds() -> String {
    let mut page = KINDS.to_owned();
    let top: Vec<BlockKind> = BlockKind::ALL.iter().copied().filter(|kind| spec(*kind).top_level).collect();
    let nested: Vec<BlockKind> = BlockKind::ALL.iter().copied().filter(|kind| is_nested(*kind)).collect();
    page.push_str("\n## At top level\n");
    for kind in top {
        section(kind, &mut page);
    }
    page.push_str("\n## Inside other blocks\n");
    for kind in nested {
        section(kind, &mut page);
    }
    page
}

fn is_nested(kind: BlockKind) -> bool {
    !spec(kind).top_level && BlockKind::ALL.iter().any(|home| spec(*home).child(kind).is_some())
}

/// How a kind is distinguished from others with the same keyword: `pool …: batch`.
fn title(kind: BlockKind) -> String {
    let keyword = kind.keyword();
    if kind_of(keyword) == Some(kind) {
        return keyword.to_owned();
    }
    let class = classes(BlockKind::Pool).find(|class| super::table::kind_in(keyword, Some(class), None) == Some(kind));
    match class {
        Some(class) => format!("{keyword} …: {class}"),
        None => {
            let home = BlockKind::ALL.iter().find(|home| spec(**home).child(kind).is_some());
            home.map_or_else(|| keyword.to_owned(), |home| format!("{keyword} in {}", title(*home)))
        }
    }
}

fn section(kind: BlockKind, page: &mut String) {
    let row = spec(kind);
    let _ = write!(page, "\n### {}\n\n{}\n\n`{}`\n", title(kind), row.doc, shape(row));
    if !row.fields.is_empty() {
        page.push_str("\n| field | type | default | |\n|---|---|---|---|\n");
        for field in row.fields {
            let _ = writeln!(page, "| {} |", field_row(field).join(" | "));
        }
    }
    let children: Vec<String> = row
        .children
        .iter()
        .map(|(child, most)| match most {
            1 => format!("one `{}`", child.keyword()),
            0 => format!("any number of `{}`", child.keyword()),
            most => format!("up to {most} `{}`", child.keyword()),
        })
        .collect();
    if !children.is_empty() {
        let _ = write!(page, "\nInside: {}.\n", children.join(", "));
    }
    if !row.attributes.is_empty() {
        page.push_str("\n| attribute, known at deployment | type | |\n|---|---|---|\n");
        for (name, ty, doc) in row.attributes {
            let _ = writeln!(page, "| `{name}` | {ty} | {doc} |");
        }
    }
}

fn field_row(field: &FieldSpec) -> [String; 4] {
    let default = match (field.required, field.default) {
        (true, _) => "*required*".to_owned(),
        (false, Some(default)) => format!("`{default}`"),
        (false, None) => String::new(),
    };
    let early = if field.when == When::Early { " *early*" } else { "" };
    let ty = Ty::from(&field.ty).to_string().replace('|', "\\|");
    [format!("`{}`", field.name), format!("`{ty}`"), default, format!("{}{early}", field.doc.replace('|', "\\|"))]
}

/// How a block of a kind is written.
fn shape(row: &BlockSpec) -> String {
    let keyword = row.kind.keyword();
    let existing = if row.can_exist { "[existing] " } else { "" };
    match row.head {
        Head::None => format!("{keyword} {{ … }}"),
        Head::Name if row.kind == BlockKind::Resource => format!("{existing}{keyword} NAME: \"TYPE@VERSION\" {{ … }}"),
        Head::Name => format!("{existing}{keyword} NAME {{ … }}"),
        Head::OptionalName => format!("{keyword} [NAME] {{ … }}"),
        Head::Phrase(parts) => {
            let mut text = keyword.to_owned();
            for part in parts {
                let _ = match part {
                    Part::Field(name) => write!(text, " {}", name.to_uppercase()),
                    Part::Word(word) => write!(text, " {word}"),
                    Part::Optional(word, name) => write!(text, " [{word} {}]", name.to_uppercase()),
                };
            }
            text
        }
    }
}

/// The page of functions.
#[must_use]
pub fn functions() -> String {
    let mut page = FUNCTIONS.to_owned();
    for function in builtins::all() {
        let Builtin { name, signature, doc, example: (expression, result), .. } = function;
        let at_deployment = if function.at_deployment() { "yes" } else { "no" };
        let _ = write!(
            page,
            "\n## {name}\n\n`{signature}`\n\n{doc}\n\nExample: `{expression}` is `{result}`. Deployment: {at_deployment}.\n"
        );
    }
    page
}
