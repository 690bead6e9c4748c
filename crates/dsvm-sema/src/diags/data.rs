//! Imports of data files, and their values.

use super::{article, listed};
use crate::table::suggest;
use crate::ty::Ty;
use dsvm_data::{Format, Mistake};
use dsvm_diagnostics::source::{Span, Spanned};
use dsvm_diagnostics::{Code, Diagnostic, Safety};
use std::sync::Arc;

/// What the place of the import says beside a mistake in the file.
pub(crate) const IMPORTED: &str = "imported here";

pub(crate) fn data_malformed(mistake: Mistake, import: Span) -> Diagnostic {
    Diagnostic::new(Code::DataMalformed, mistake.title, mistake.span, mistake.label)
        .also(import, IMPORTED)
        .help(mistake.help)
}

pub(crate) fn name_from_data(path: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::DataImport, "a data file has no names to import", span, "no name of a data file")
        .help(format!("import it as one value: `import \"{path}\" as rows: [{{ … }}]`"))
}

pub(crate) fn data_without_name(stem: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::DataImport, format!("`{stem}` cannot be used as a name"), span, "not a name")
        .help("name the values: `import \"…\" as rows: [{ … }]`")
}

/// Data without a type; the columns of a table are proposed as text.
pub(crate) fn data_without_type(name: &str, path: Span, end: Span, columns: &[Spanned<Arc<str>>]) -> Diagnostic {
    let title = format!("the type of the data file `{name}` is not declared");
    let diagnostic = Diagnostic::new(Code::DataImport, title, path, "data without a type");
    let words = columns.iter().all(|column| is_word(&column.value));
    if columns.is_empty() || columns.len() > 12 || !words {
        return diagnostic.help("write the type behind the path: `: [{ name: string }]`");
    }
    let fields: Vec<String> = columns.iter().map(|column| format!("{}: string", column.value)).collect();
    let ty = format!(": [{{ {} }}]", fields.join(", "));
    let at = Span { start: end.end, ..end };
    diagnostic.help(format!("write the type behind the path, with the types of its columns: `{ty}`")).fix(
        "Declare its columns as text",
        vec![(at, ty)],
        Safety::NeedsReview,
    )
}

pub(crate) fn type_of_no_data(span: Span, removed: Span) -> Diagnostic {
    Diagnostic::new(Code::DataImport, "only a data file has a type at its import", span, "not data")
        .help("remove the type: what another file exports has types of its own")
        .fix("Remove it", vec![(removed, String::new())], Safety::NeedsReview)
}

/// A type that no value of a data file can have.
pub(crate) fn no_type_of_data(ty: &Ty, span: Span) -> Diagnostic {
    let diagnostic = match ty {
        Ty::Secret(_) => Diagnostic::new(
            Code::DataImport,
            "a data file cannot hold secrets",
            span,
            "everybody who has the project can read it",
        )
        .help("take it out of the file, and pass it as a `secret param` or keep it in a vault"),
        ty => {
            let shown = ty.to_string();
            let title = format!("a data file cannot hold {} `{shown}`", article(&shown));
            Diagnostic::new(Code::DataImport, title, span, "not for data")
                .help("read its name as a `string`, and choose the value by the name")
        }
    };
    diagnostic.note("a data file holds texts, numbers and what is written with them, in lists and records")
}

/// The value at the top has another form than its type.
pub(crate) fn form_of_data(format: Format, span: Span) -> Diagnostic {
    let (title, help) = match format {
        Format::Csv => ("a CSV file is a list of records", "declare it as `[{ name: string }]`, with its columns"),
        Format::Toml => ("a TOML file is one record", "declare it as `{ rows: [{ name: string }] }`, with its names"),
        Format::Json | Format::Yaml => ("this file is a list or a record", "declare a list or a record"),
    };
    Diagnostic::new(Code::DataImport, title, span, "another type").help(help)
}

pub(crate) fn unknown_column(name: &str, span: Span, columns: &[&str], format: Format) -> Diagnostic {
    let what = if format == Format::Csv { "column" } else { "name" };
    let title = format!("the declared type has no `{name}`");
    let diagnostic = Diagnostic::new(Code::UnknownField, title, span, format!("unknown {what}"));
    match suggest(name, columns.iter().copied()) {
        Some(meant) => diagnostic.help(format!("write `{meant}`")),
        None if !is_word(name) => diagnostic.help(format!("rename it: a {what} has letters, digits and `_`")),
        None => diagnostic.help(format!(
            "add `{name}` to the type at the import, or remove the {what}; declared are {}",
            listed(columns.iter().copied(), 12)
        )),
    }
}

pub(crate) fn missing_column(name: &str, ty: &Ty, span: Span, format: Format) -> Diagnostic {
    let (what, holder) = if format == Format::Csv { ("column", "table") } else { ("value", "record") };
    let title = format!("this {holder} has no {what} `{name}`");
    Diagnostic::new(Code::MissingField, title, span, format!("`{name}` is missing"))
        .help(format!("add the {what}, or declare it as `{name}: {ty}?` if it may be absent"))
}

pub(crate) fn empty_value(ty: &Ty, span: Span) -> Diagnostic {
    Diagnostic::new(Code::MayBeNull, format!("expected `{ty}`, found nothing"), span, "nothing here")
        .help(format!("write a value, or declare `{ty}?` if it may be absent"))
}

/// A value of another type than declared; `found` is how it is written.
pub(crate) fn wrong_data(found: &str, wanted: &Ty, near: Option<&str>, span: Span) -> Diagnostic {
    let title = format!("expected `{wanted}`, found {found}");
    let shown = wanted.not_null().to_string();
    let diagnostic = Diagnostic::new(Code::TypeMismatch, title, span, format!("not {} `{shown}`", article(&shown)));
    diagnostic.help(match (near, wanted.not_null().base()) {
        (Some(near), _) if found.starts_with("the text") && !near.contains('.') => {
            format!("write it without quotes: `{near}`")
        }
        (Some(near), _) => format!("write `{}`", near.rsplit('.').next().unwrap_or(near)),
        (None, Ty::String) => "put quotes around it".to_owned(),
        (None, Ty::SshKey) => "write the entire line of a `.pub` file, as text".to_owned(),
        (None, Ty::Ref(kind)) => {
            let example = super::types::example(*kind).rsplit(['.', ' ']).next().unwrap_or_default();
            let example = example.trim_matches('`');
            let such = if example.is_empty() { String::new() } else { format!(", such as `{example}`") };
            format!("write the name of {} `{shown}` of the standard library{such}", article(&shown))
        }
        (None, base) => super::types::written(base, &shown),
    })
}

/// There are more mistakes than are told.
pub(crate) fn more_mistakes(more: usize, last: Diagnostic) -> Diagnostic {
    last.note(format!("{} in this file", dsvm_diagnostics::count(more, "more mistake")))
}

fn is_word(name: &str) -> bool {
    let word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') && name.chars().all(word)
}
