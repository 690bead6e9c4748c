//! Blocks and their fields.

use super::{article, listed};
use crate::table::{BlockKind, BlockSpec, FieldSpec, FieldType, Head, Part, kind_in, shown, spec, suggest_word};
use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Code, Diagnostic, Safety};
use dsvm_syntax::ast;

pub(crate) fn unknown_kind(keyword: &str, span: Span, known: &[&str]) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(Code::UnknownKind, format!("`{keyword}` is not a kind of declaration"), span, "unknown kind");
    let others = ["param", "let", "fn", "type", "env", "import", "check", "output", "project"];
    match suggest_word(keyword, known.iter().copied().chain(others)) {
        Some(meant) => diagnostic.write_instead(meant, span),
        None => {
            let mut known = known.to_vec();
            known.dedup();
            diagnostic.help(format!("declare one of {}", listed(known, 20)))
        }
    }
}

pub(crate) fn missing_name(keyword: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::BadPhrase, format!("this `{keyword}` has no name"), span, "a name is missing after this")
        .help(format!("write a name: `{keyword} main {{ … }}`"))
}

pub(crate) fn quoted_name(keyword: &str, name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::BadPhrase, format!("the name of this `{keyword}` is in quotes"), span, "must be a plain word")
        .help(format!("write `{keyword} {name} {{ … }}`"))
        .fix("Remove the quotes", vec![(span, name.to_owned())], Safety::Safe)
}

/// How a phrase is written: `link PATH to TARGET`.
fn shape(row: &BlockSpec) -> String {
    let keyword = row.kind.keyword();
    match row.head {
        Head::None => format!("{keyword} {{ … }}"),
        Head::Name => format!("{keyword} NAME {{ … }}"),
        Head::OptionalName => format!("{keyword} {{ … }}"),
        Head::Phrase(parts) => {
            let mut text = keyword.to_owned();
            for part in parts {
                match part {
                    Part::Field(name) => text.push_str(&format!(" {}", name.to_uppercase())),
                    Part::Word(word) => text.push_str(&format!(" {word}")),
                    Part::Optional(word, name) => text.push_str(&format!(" [{word} {}]", name.to_uppercase())),
                }
            }
            text
        }
    }
}

pub(crate) fn bad_phrase(row: &BlockSpec, missing: bool, span: Span) -> Diagnostic {
    let keyword = row.kind.keyword();
    let (title, label) = match missing {
        true => (format!("this `{keyword}` is incomplete"), "something is missing after this"),
        false => (format!("unexpected text after `{keyword}`"), "not allowed here"),
    };
    Diagnostic::new(Code::BadPhrase, title, span, label).help(format!("write `{}`", shape(row)))
}

pub(crate) fn unknown_field(row: &BlockSpec, name: &str, span: Span, is_child: bool) -> Diagnostic {
    let keyword = row.kind.keyword();
    let diagnostic = Diagnostic::new(
        Code::UnknownField,
        format!("{} {keyword} has no field `{name}`", article(keyword)),
        span,
        "no such field",
    );
    if is_child {
        let phrase = kind_in(name, None, Some(row.kind)).map(spec);
        return diagnostic.help(match phrase {
            Some(row) if matches!(row.head, Head::Phrase(_)) => format!("write it without `=`: `{}`", shape(row)),
            _ => format!("write it as a block, without `=`: `{name} {{ … }}`"),
        });
    }
    match suggest_word(name, row.field_names()) {
        Some(meant) if sibling(row, name).is_none() => diagnostic.write_instead(meant, span),
        _ if row.fields.is_empty() => diagnostic.help("remove it"),
        _ if let Some(other) = sibling(row, name) => {
            diagnostic.help(format!("remove it: only a `{}` has this field", shown(other)))
        }
        _ if let Some(inner) = home_inside(row, name) => {
            diagnostic.help(format!("write it in a `{}`: `{}`", inner.kind.keyword(), with_field(inner, name)))
        }
        _ => diagnostic.help(format!("its fields are {}", listed(row.field_names(), 12))),
    }
}

/// The other kind with the same keyword that has a field of this name.
fn sibling(row: &BlockSpec, name: &str) -> Option<BlockKind> {
    let same = |kind: &&BlockKind| kind.keyword() == row.kind.keyword() && **kind != row.kind;
    BlockKind::ALL.iter().filter(same).find(|kind| spec(**kind).field(name).is_some()).copied()
}

/// The nested block that has a field of this name.
fn home_inside(row: &BlockSpec, name: &str) -> Option<&'static BlockSpec> {
    row.children.iter().map(|(kind, _)| spec(*kind)).find(|inner| inner.field(name).is_some())
}

fn with_field(row: &BlockSpec, name: &str) -> String {
    let keyword = row.kind.keyword();
    match row.head {
        Head::Name => format!("{keyword} NAME {{ {name} = … }}"),
        Head::Phrase(_) => shape(row),
        _ => format!("{keyword} {{ {name} = … }}"),
    }
}

pub(crate) fn unknown_block_part(
    block: &str,
    kind: &str,
    name: &str,
    span: Span,
    meant: Option<&str>,
    declared: Span,
) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::UnknownField,
        format!("the {kind} `{block}` has no `{name}`"),
        span,
        "neither a field nor an attribute",
    )
    .also(declared, format!("`{block}` is declared here"));
    match meant {
        Some(meant) => diagnostic.write_instead(meant, span),
        None => {
            let row = crate::table::kind_of(kind).map(crate::table::spec);
            let attributes = row.map(|row| row.attributes).unwrap_or_default();
            let is_attribute = |field: &&str| !attributes.iter().any(|(name, ..)| name == field);
            let known = row.into_iter().flat_map(BlockSpec::field_names).filter(is_attribute);
            diagnostic.help(format!("it has {}", listed(attributes.iter().map(|(name, ..)| *name).chain(known), 12)))
        }
    }
}

pub(crate) fn inner_block_as_part(block: &str, name: &str, span: Span) -> Diagnostic {
    let title = format!("`{name}` is a block inside `{block}`, not a value");
    Diagnostic::new(Code::UnknownField, title, span, "cannot be used as a value")
        .help(format!("refer to it by its name: `\"{name}\"`"))
}

pub(crate) fn field_without_equals(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::MisplacedBlock, format!("`{name}` is a field, not a block"), span, "a field")
        .help(format!("write `{name} = …`"))
}

/// `from 20:00 to 07:00` in a schedule without its days.
pub(crate) fn hours_without_days(span: Span) -> Diagnostic {
    let at = Span { end: span.start, ..span };
    Diagnostic::new(Code::MisplacedBlock, "these hours have no days", span, "`on` and its days are missing before this")
        .help("write `on all days from … to …`, or name the days: `on mon..fri from … to …`")
        .fix("Add `on all days`", vec![(at, "on all days ".to_owned())], Safety::NeedsReview)
}

/// `user s[n in 1..3] { … }` inside a pool.
pub(crate) fn repeated_inside(keyword: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::BadPhrase,
        format!("a `{keyword}` inside another block cannot be repeated"),
        span,
        "repetition is possible only at top level",
    )
    .help(format!("write one `{keyword}` for each"))
}

pub(crate) fn misplaced_block(row: &BlockSpec, kind: BlockKind, span: Span) -> Diagnostic {
    let (outer, inner) = (shown(row.kind), kind.keyword());
    let homes = BlockKind::ALL.iter().filter(|home| crate::table::spec(**home).child(kind).is_some());
    let homes: Vec<String> = homes.map(|home| shown(*home)).collect();
    let diagnostic = Diagnostic::new(
        Code::MisplacedBlock,
        format!("`{inner}` is not allowed in {} `{outer}`", article(&outer)),
        span,
        "not allowed here",
    );
    match (homes.is_empty(), crate::table::spec(kind).top_level) {
        (_, true) => diagnostic.help(format!("declare the {inner} at top level, and refer to it by name")),
        (false, false) if row.kind == BlockKind::BatchAutoscale => {
            diagnostic.help("remove it: the pool follows its tasks; `target = …` defines how many machines they need")
        }
        (false, false) => diagnostic.help(format!("it belongs in {}", listed(homes.iter().map(String::as_str), 5))),
        (true, false) => diagnostic.help("remove it"),
    }
}

pub(crate) fn unknown_block(row: &BlockSpec, name: &str, span: Span) -> Diagnostic {
    let keyword = row.kind.keyword();
    let diagnostic = Diagnostic::new(
        Code::MisplacedBlock,
        format!("{} {keyword} has no field or block `{name}`", article(keyword)),
        span,
        "neither a block nor a field",
    );
    let children: Vec<&str> = row.children.iter().map(|(kind, _)| kind.keyword()).collect();
    match (suggest_word(name, children.iter().copied()), suggest_word(name, row.field_names())) {
        (Some(meant), _) => diagnostic.write_instead(meant, span),
        (None, Some(meant)) => diagnostic.help(format!("write `{meant} = …`")),
        (None, None) if children.is_empty() => {
            diagnostic.help(format!("its fields are {}", listed(row.field_names(), 12)))
        }
        (None, None) => diagnostic.help(format!("it can have {}", listed(children, 12))),
    }
}

pub(crate) fn too_many_blocks(outer: &str, inner: &str, most: u32, span: Span, first: Span) -> Diagnostic {
    if most > 1 {
        let title = format!("{} {outer} can have at most {most} `{inner}`", article(outer));
        return Diagnostic::new(Code::TooManyBlocks, title, span, "one too many")
            .also(first, "the first one")
            .help("remove one of them");
    }
    Diagnostic::new(
        Code::TooManyBlocks,
        format!("{} {outer} can have only one `{inner}`", article(outer)),
        span,
        "a second one",
    )
    .also(first, "the first one")
    .help("merge the two")
}

pub(crate) fn duplicate_field(name: &str, span: Span, first: Span) -> Diagnostic {
    Diagnostic::new(Code::DuplicateField, format!("`{name}` is set twice"), span, "set again here")
        .also(first, "first set here")
        .help("remove one of the two")
}

pub(crate) fn duplicate_key(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::DuplicateField, format!("`{name}` appears twice"), span, "the second one")
        .help("remove one of the two")
}

pub(crate) fn missing_field(row: &BlockSpec, field: &FieldSpec, ast: &ast::Block, name_span: Span) -> Diagnostic {
    let keyword = row.kind.keyword();
    let phrase = matches!(row.head, Head::Phrase(parts) if parts.iter().any(|part| match part {
        Part::Field(name) | Part::Optional(_, name) => *name == field.name,
        Part::Word(_) => false,
    }));
    // The least id that its type allows is the administrator's, and the first free ones are often taken on images.
    let value = if field.name == "uid" { "2000".to_owned() } else { skeleton(&field.ty) };
    let line = format!("{} = {value}", field.name);
    let diagnostic = Diagnostic::new(
        Code::MissingField,
        format!("this {keyword} has no `{}`", field.name),
        name_span,
        format!("`{}` is missing", field.name),
    )
    .note(format!("{}: {}", field.name, field.doc));
    if phrase {
        return diagnostic.help(format!("write `{}`", shape(row)));
    }
    let diagnostic = diagnostic.help(format!("add `{line}`"));
    match &ast.body {
        Some(body) if !body.entries.is_empty() => {
            let at = Span::new(body.span.source, body.span.start + 1, body.span.start + 1);
            diagnostic.fix(format!("Add `{}`", field.name), vec![(at, format!("\n  {line}"))], Safety::NeedsReview)
        }
        Some(body) => diagnostic.fix(
            format!("Add `{}`", field.name),
            vec![(body.span, format!("{{\n  {line}\n}}"))],
            Safety::NeedsReview,
        ),
        None => {
            let at = Span::new(ast.span.source, ast.span.end, ast.span.end);
            diagnostic.fix(format!("Add `{}`", field.name), vec![(at, format!(" {{ {line} }}"))], Safety::NeedsReview)
        }
    }
}

/// Something of the type to start from.
fn skeleton(ty: &FieldType) -> String {
    match ty {
        FieldType::Bool => "true".to_owned(),
        FieldType::Int => "1".to_owned(),
        FieldType::IntIn(min, _) => min.to_string(),
        FieldType::Decimal => "1.0".to_owned(),
        FieldType::OneOf(words) => words.first().copied().unwrap_or("…").to_owned(),
        FieldType::Percent => "50%".to_owned(),
        FieldType::Size => "1 TiB".to_owned(),
        FieldType::Duration => "10 min".to_owned(),
        FieldType::Money => "1.00 USD/h".to_owned(),
        FieldType::Time => "08:00".to_owned(),
        FieldType::Days => "mon..fri".to_owned(),
        FieldType::Date => "2026-12-01".to_owned(),
        FieldType::IntRange => "0..10".to_owned(),
        FieldType::Cidr => "10.0.0.0/16".to_owned(),
        FieldType::Ip => "10.0.0.4".to_owned(),
        FieldType::Port => "8000".to_owned(),
        FieldType::SshKey => "admin_key".to_owned(),
        FieldType::Ref(BlockKind::Image) => "images.ubuntu_2204".to_owned(),
        FieldType::Ref(BlockKind::Size) => "sizes.Standard_D8s_v5".to_owned(),
        FieldType::Ref(kind) => format!("my_{}", kind.keyword()),
        FieldType::List(element) => format!("[{}]", skeleton(element)),
        FieldType::First(element) => format!("first of [{}]", skeleton(element)),
        FieldType::StringMap => "{ team = \"research\" }".to_owned(),
        FieldType::Either(parts) => parts.first().map(skeleton).unwrap_or_default(),
        FieldType::Secret(_) => "password".to_owned(),
        FieldType::String | FieldType::Any => "\"…\"".to_owned(),
        FieldType::Condition => "avg(cpu, 10 min) > 75%".to_owned(),
        FieldType::Formula => "pending_tasks".to_owned(),
    }
}

pub(crate) fn cannot_exist(keyword: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::BadClass,
        format!("{} {keyword} cannot be `existing`", article(keyword)),
        span,
        "not supported for this kind",
    )
    .help("remove `existing`")
}

pub(crate) fn always_existing(keyword: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::BadClass,
        format!("{} {keyword} must be `existing`", article(keyword)),
        span,
        "not deployed by dsvmc",
    )
    .help(format!("write `existing {keyword}`; to deploy one, use a `resource` block"))
}

pub(crate) fn no_class(keyword: &str, known: &[&str], span: Span) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(Code::BadClass, format!("this is not a class of `{keyword}`"), span, "unknown class");
    match known.is_empty() {
        true => diagnostic.help("remove the colon and what follows it"),
        false => diagnostic.help(format!("write one of {}", listed(known.iter().copied(), 5))),
    }
}

pub(crate) fn resource_without_type(span: Span) -> Diagnostic {
    Diagnostic::new(Code::BadClass, "this resource has no type", span, "its type is missing")
        .help("write it after a colon: `resource logs: \"Microsoft.OperationalInsights/workspaces@2025-07-01\" { … }`")
}

pub(crate) fn bad_resource_type(ty: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::BadClass,
        format!("`{ty}` is not a resource type with an API version"),
        span,
        "expected `TYPE@VERSION`",
    )
    .help("write the type and the API version, separated by `@`: `\"Microsoft.Storage/storageAccounts@2026-04-01\"`")
}

pub(crate) fn block_in_free(keyword: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::MisplacedBlock,
        "this block contains Azure properties, not nested blocks",
        span,
        "looks like a block",
    )
    .help(format!("write `{keyword} = {{ … }}`"))
}

pub(crate) fn not_at_top_level(kind: BlockKind, span: Span) -> Diagnostic {
    let keyword = kind.keyword();
    let homes = BlockKind::ALL.iter().filter(|home| crate::table::spec(**home).child(kind).is_some());
    let mut homes: Vec<&str> = homes.map(|home| home.keyword()).collect();
    homes.dedup();
    Diagnostic::new(Code::MisplacedBlock, format!("`{keyword}` is not allowed at top level"), span, "not allowed here")
        .help(format!("write it in {}", listed(homes, 5)))
}

pub(crate) fn second_project(span: Span, first: Span) -> Diagnostic {
    Diagnostic::new(Code::MisplacedDeclaration, "`project` is declared twice", span, "the second one")
        .also(first, "the first one")
        .help("put each project into its own folder")
}

pub(crate) fn only_in_project(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::MisplacedDeclaration,
        "this declaration has no effect in an imported file",
        span,
        "allowed only in the file with the `project` block",
    )
    .help("move it into the file with the `project` block")
}

pub(crate) fn bad_key(key: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::BadKey, format!("`{key}` cannot be part of a name"), span, "one block per element of this")
        .help("use keys of 1 to 40 letters, digits, `-` and `_`")
        .note("the key becomes the suffix of the block's name and of names in Azure")
}

pub(crate) fn key_twice(key: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::BadKey, format!("two elements have the key `{key}`"), span, "one block per element of this")
        .help("make the keys different, or write `unique(…)` around the list")
}

pub(crate) fn no_key(ty: &crate::ty::Ty, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::BadKey,
        format!("an element of type `{ty}` has no key for the block's name"),
        span,
        "one block per element of this",
    )
    .help("use a list of strings or numbers, a list of records with a field `name`, or a record")
}
