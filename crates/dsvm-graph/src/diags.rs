//! Diagnostics of the resource graph.

use arm_catalog::{Finding, FindingKind};
use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Code, Diagnostic, Severity};
use dsvm_sema::checked::Block;
use dsvm_sema::table::BlockKind;
use dsvm_sema::value::SecretStep;

/// Resources that wait for each other.
#[must_use]
pub fn cycle(names: &[String], spans: &[Span]) -> Diagnostic {
    let primary = spans.first().copied().unwrap_or(Span::new(dsvm_diagnostics::source::SourceId::file(0), 0, 0));
    let mut found = Diagnostic::new(
        Code::BlockCycle,
        format!("resources depend on each other in a cycle: {}", names.join(" → ")),
        primary,
        "depends on the next one",
    );
    for span in spans.iter().skip(1) {
        found = found.also(*span, "part of the cycle");
    }
    found.help("remove one of the references")
}

/// Two resources with one name.
#[must_use]
pub fn same_name(kind: &str, name: &str, span: Span, first: Span) -> Diagnostic {
    Diagnostic::new(Code::ResourceNamedTwice, format!("two resources are called `{name}`"), span, "the same name again")
        .also(first, "first named here")
        .note(format!("Azure identifies a `{kind}` by its name alone, ignoring case"))
        .help("rename one of them")
}

/// An attribute that this block does not have.
#[must_use]
pub fn attribute_unavailable(block: &Block, name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::AttributeUnavailable,
        format!("{} `{}` has no `{name}`", block.kind.keyword(), block.name),
        span,
        "not available",
    )
    .also(block.name_span, "declared here")
    .help(match name {
        _ if block.kind == BlockKind::Pool && block.class.is_none() => {
            format!("write `pool {}: interactive {{ … }}`: without it, the pool is not deployed", block.name)
        }
        "ssh" | "jupyterhub" => format!("add `{name}` to `serve` of the pool"),
        "principal_id" | "client_id" => "give the pool an identity: `identity = …`".to_string(),
        _ => "use another attribute".to_string(),
    })
}

/// A setup that is longer than the extension runs: bytes and room of the pool's own part, and its largest parts.
#[must_use]
pub fn setup_too_long(pool: &Block, bytes: usize, room: usize, largest: &[(usize, String, Span)]) -> Diagnostic {
    let title = format!("the setup of pool `{}` takes {bytes} bytes, and there is room for {room}", pool.name);
    let (mut parts, mut rest) = (Vec::new(), largest.iter());
    let first = rest.next();
    let mut found = match first {
        Some((size, part, span)) => Diagnostic::new(Code::SetupTooLong, title, *span, format!("{part}: {size} bytes")),
        None => Diagnostic::new(Code::SetupTooLong, title, pool.name_span, "too long"),
    };
    for (size, part, span) in rest {
        if first.is_some_and(|(_, _, at)| at == span) {
            parts.push(format!("{part}: {size} bytes"));
        } else {
            found = found.also(*span, format!("{part}: {size} bytes"));
        }
    }
    for part in parts {
        found = found.note(part);
    }
    found
        .note("the CustomScript extension takes 262,144 characters of base64, which the program of dsvmc shares")
        .help("move the work into an image, or fetch it from the share in a short step")
}

/// A role on a whole vault, because a secret that a pool reads is not there yet.
#[must_use]
pub fn role_on_whole_vault(pool: &Block, vault: &Block, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::RoleOnWholeVault,
        format!("machines of pool `{}` can read every secret of vault `{}`", pool.name, vault.name),
        span,
        "not a secret that the project writes",
    )
    .also(vault.name_span, "created by this project, with the secrets that it declares")
    .note(
        "a role on one secret needs the secret; for secrets that are added later, the machines get a role on the vault",
    )
    .help("declare the secret in the vault (`secret … { value = … }`), or use an `existing vault` that has it")
}

/// A property that Azure does not have.
#[must_use]
pub fn unknown_override(name: &str, span: Span, known: &[&str]) -> Diagnostic {
    Diagnostic::new(Code::UnknownOverride, format!("a pool has no resource `{name}`"), span, "nothing to override")
        .help(format!("choose one of: {}", known.join(", ")))
}

/// A password in a body of Azure's own words, as text.
#[must_use]
pub fn secret_as_text(property: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::SecretInPlainText,
        format!("the secret `{property}` is written in plain text"),
        span,
        "visible to anyone who can read the file",
    )
    .help("declare `secret param password: string` and write `password` here; its value is passed at deployment")
}

/// A rule in Azure's own words whose ranges contain the internet.
#[must_use]
pub fn open_in_arm_words(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::OpenToEveryone,
        "this rule is open to the whole internet",
        span,
        "half of all addresses or more",
    )
    .help("list the ranges that need access, or state it explicitly: `sourceAddressPrefix = \"Internet\"`")
}

/// A rule in Azure's own words that opens Remote Desktop to the internet.
#[must_use]
pub fn rdp_open_in_arm_words(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::PasswordOpenToInternet,
        "this rule opens Remote Desktop to the whole internet",
        span,
        "anyone can guess passwords",
    )
    .help("list the ranges that need access, or the ports that are meant without 3389")
}

/// A storage account in Azure's own words that is more open than one that the language makes.
#[must_use]
pub fn storage_opened(what: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::StorageOpened, format!("this storage account is opened: {what}"), span, "opens the account")
        .help("remove it, or let in the networks that need access")
}

/// What an override breaks.
pub(crate) enum Breaks {
    /// The name, by which other resources refer to the resource.
    Name,
    /// Identities are listed, and the type says that there are none.
    Identity,
    /// A property of uniform scale sets, true on a flexible one.
    Flexible(&'static str),
    /// The extension that repairs judge machines by.
    Health,
    /// An address of a network card that is in no subnet.
    Subnet,
}

/// An override that takes away what other parts of the pool rely on.
#[must_use]
pub(crate) fn override_breaks(what: &Breaks, span: Span) -> Diagnostic {
    let (title, label, help) = match what {
        Breaks::Name => (
            "an override cannot rename a resource".to_owned(),
            "other resources refer to it by its name",
            "write `name` in the pool, or declare the resource with `resource` and refer to it",
        ),
        Breaks::Identity => (
            "the identities of the pool are listed, and their type leaves them out".to_owned(),
            "Azure refuses user-assigned identities under this type",
            "write `\"SystemAssigned, UserAssigned\"`",
        ),
        Breaks::Flexible(name) => {
            (format!("a flexible scale set has no `{name}`"), "only uniform scale sets have it", "remove it")
        }
        Breaks::Health => (
            "this override removes the health extension, and repairs judge machines by it".to_owned(),
            "every machine counts as healthy or none does",
            "keep the extension, or switch `repair` off",
        ),
        Breaks::Subnet => (
            "this network card is in no subnet".to_owned(),
            "each of its addresses needs a `subnet`",
            "write `subnet = { id = … }` into each of its `ipConfigurations`",
        ),
    };
    Diagnostic::new(Code::OverrideBreaks, title, span, label).help(help)
}

/// A role assignment in Azure's own words that gives nearly every right.
#[must_use]
pub fn powerful_role(role: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::PrivilegedRole,
        format!("role `{role}` lets its holder change nearly everything"),
        span,
        "granted here",
    )
    .help("grant the narrowest role that is sufficient")
}

/// A password in a body of Azure's own words that a parameter holds which is not secret.
#[must_use]
pub fn secret_as_parameter(property: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::SecretInPlainText,
        format!("the secret `{property}` comes from a parameter that is not secret"),
        span,
        "written to every parameter file and shown by Azure",
    )
    .help("declare the parameter as a `secret param`")
}

/// An override of a resource that other pools have; `help` says what to add so that this pool has it too.
#[must_use]
pub fn override_of_nothing(name: &str, span: Span, help: &str) -> Diagnostic {
    Diagnostic::new(Code::UnknownOverride, format!("this pool has no resource `{name}`"), span, "nothing to override")
        .help(help)
}

/// Something in ARM's own words that the type does not allow.
#[must_use]
pub fn type_disagrees(kind: &str, finding: &Finding, span: Span) -> Diagnostic {
    let path = finding.pointer.trim_start_matches('/').replace('/', ".").replace("~1", "/").replace("~0", "~");
    let title = match (path.as_str(), finding.kind) {
        ("", _) => finding.message.clone(),
        (_, FindingKind::UnknownProperty) => format!("`{path}` is not a property of `{kind}`"),
        (_, FindingKind::WrongType) => format!("`{path}` {}", finding.message),
        _ => format!("`{path}`: {}", finding.message),
    };
    let label = match (path.as_str(), finding.kind) {
        ("", _) => "written in this block",
        (_, FindingKind::UnknownProperty) => "no such property",
        (_, FindingKind::Missing) => "missing here",
        (_, FindingKind::ReadOnly) => "read-only",
        _ => "not accepted by the type",
    };
    let mut found = Diagnostic::new(Code::TypeDisagrees, title, span, label);
    if finding.severity == arm_catalog::FindingSeverity::Warning {
        found.severity = Severity::Warning;
    }
    match &finding.suggestion {
        Some(instead) => found.help(format!("write `{instead}`")),
        None => found.help(match finding.kind {
            FindingKind::ReadOnly => "remove it: Azure sets it".to_owned(),
            FindingKind::Missing => "add it".to_owned(),
            FindingKind::UnknownProperty => format!("remove it, or check the reference of `{kind}`"),
            _ => "write a value that the type accepts".to_owned(),
        }),
    }
}

/// A secret in a property that Azure shows again; the properties of the type that keep secrets.
#[must_use]
pub fn secret_in_property(
    property: &str,
    (kind, known): (&str, bool),
    kept: &[&str],
    path: &[SecretStep],
    span: Span,
) -> Diagnostic {
    let title = format!("a secret reaches `{property}` of `{kind}`, which Azure does not keep secret");
    let mut found = Diagnostic::new(Code::SecretExposed, title, span, "the secret arrives here");
    for step in path.iter().filter(|step| step.span != span) {
        found = found.also(step.span, step.text.to_string());
    }
    let places: Vec<String> = kept
        .iter()
        .map(|pointer| format!("`{}`", pointer.trim_start_matches('/').replace("/*", "[]").replace('/', ".")))
        .collect();
    match (known, places.as_slice()) {
        (false, _) => found
            .help("store the secret in a vault, and let the resource read it from there")
            .note("the type is not known to dsvmc, nor whether Azure keeps this property secret"),
        (true, []) => found.help("store the secret in a vault, and let the resource read it from there"),
        (true, places) => found.help(format!("use it only in {}", places.join(", "))),
    }
}

/// A type that is nearly that of a known one.
#[must_use]
pub fn unknown_resource_type(kind: &str, near: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::UnknownResourceType, format!("the resource type `{kind}` is not known"), span, "unknown type")
        .help(format!("write `{near}`"))
        .note("unknown types are not checked, but this name is close to a known one")
}

/// A resource of Batch AI.
#[must_use]
pub fn batch_ai_resource(kind: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::RetiredResourceType,
        format!("`{kind}` belongs to Batch AI, which has been retired"),
        span,
        "cannot be deployed",
    )
    .help("declare a batch pool: `pool NAME: batch { service = azure_batch }` or `azure_ml`")
    .help("run `dsvmc import` on the old definition to convert it")
    .note("Azure Batch AI ended on 31 March 2019")
}
