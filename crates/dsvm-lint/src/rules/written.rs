//! What a team agrees on: descriptions, tags, names, regions, sizes; and texts that bind a project to one place.

use crate::arm;
use crate::subject::{Look, found};
use dsvm_diagnostics::Diagnostic;
use dsvm_diagnostics::source::Span;
use dsvm_graph::Text;
use dsvm_sema::checked::Origin;
use dsvm_sema::table::facts;
use dsvm_sema::table::project::Project;
use dsvm_sema::table::schema::{CommonField, View};
use dsvm_sema::value::{Deploy, Value};

/// Where the project is declared; a library of definitions has no such place.
fn project<'a>(look: &Look<'_, 'a>) -> Option<View<'a, Project>> {
    View::new(&look.checked[look.checked.project?])
}

pub(crate) fn missing_tags(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let Some(project) = project(look).filter(|_| look.fleet.tags.is_none() && !look.graph.nodes.is_empty()) else {
        return;
    };
    out.push(
        found(
            format!("resources of `{}` have no tags", look.fleet.name),
            project.block().name_span,
            "bills do not tell whose they are",
        )
        .help("add `tags = { owner = \"…\" }` to the project"),
    );
}

pub(crate) fn required_tags(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let Some(project) = project(look).filter(|_| !look.graph.nodes.is_empty()) else { return };
    let has = |wanted: &str| match look.fleet.tags {
        None => false,
        Some(Value::Record(tags)) => tags.keys().any(|tag| tag.eq_ignore_ascii_case(wanted)),
        // Only the deployment knows them.
        Some(_) => true,
    };
    let missing: Vec<String> =
        look.options.words("tags").iter().filter(|tag| !has(tag)).map(|tag| format!("`{tag}`")).collect();
    if !missing.is_empty() {
        out.push(
            found(
                format!("resources of `{}` lack the tag {}", look.fleet.name, missing.join(", ")),
                project.fields().tags().span(),
                "required by `dsvmc.toml`",
            )
            .help("add it to `tags` of the project"),
        );
    }
}

pub(crate) fn missing_description(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let params = look.checked.params.iter().filter(|param| param.doc.is_none());
    let params = params.map(|param| ("parameter", &param.name, param.name_span));
    let outputs = look.checked.outputs.iter().filter(|output| output.doc.is_none());
    let outputs = outputs.map(|output| ("output", &output.name, output.name_span));
    for (what, name, span) in params.chain(outputs) {
        out.push(
            found(format!("{what} `{name}` has no description"), span, "the portal shows its name alone")
                .help("write `/// …` on the line before it"),
        );
    }
}

/// Whether a name says that a secret is in it, and not how long it lasts, where it is or what it is called.
fn names_a_secret(name: &str) -> bool {
    const SECRETS: &[&str] = &["password", "passwd", "passphrase", "token", "secret"];
    const KEYS: &[&str] = &["api_key", "access_key", "account_key", "private_key", "connection_string", "sas_token"];
    let name = name.to_ascii_lowercase();
    let last = name.rsplit('_').next().unwrap_or(&name);
    // `ada_password_secret` is the name of a secret in a vault.
    let of_vault = name.ends_with("_secret") && name.contains("password");
    !of_vault && (SECRETS.contains(&last) || KEYS.iter().any(|key| name.ends_with(key)))
}

pub(crate) fn plain_secret(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let plain = look.checked.params.iter().filter(|param| !param.secret && param.arm_type == "string");
    for param in plain.filter(|param| names_a_secret(&param.name)) {
        out.push(
            found(
                format!("parameter `{}` is not secret", param.name),
                param.name_span,
                "its value is shown in the history of deployments",
            )
            .help(format!("write `secret param {}`", param.name)),
        );
    }
}

/// The region that a value names.
fn region_name<'a>(look: &Look<'_, 'a>, value: &'a Value) -> Option<&'a str> {
    match value {
        Value::Ref(id) => Some(&look.checked[*id].name),
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// As Azure compares regions: without blanks and case.
fn plain(region: &str) -> String {
    region.chars().filter(|c| !c.is_whitespace() && *c != '_').collect::<String>().to_ascii_lowercase()
}

pub(crate) fn region_not_allowed(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let allowed = look.options.words("regions");
    if allowed.is_empty() {
        return;
    }
    for block in look.checked.blocks.iter().filter(|block| block.origin == Origin::Project) {
        let Some(field) = block.common(CommonField::Location).filter(|field| field.written()) else { continue };
        let Some(region) = field.value().and_then(|value| region_name(look, value)) else { continue };
        if !allowed.iter().any(|one| plain(one) == plain(region)) {
            out.push(
                found(format!("`{}` is in {region}", block.name), field.span(), "not allowed by `dsvmc.toml`")
                    .help(format!("choose one of {}", allowed.join(", "))),
            );
        }
    }
}

/// Whether a name is on a list, whose entries can end with `*`.
fn listed(list: &[String], name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    list.iter().map(|one| one.to_ascii_lowercase()).any(|one| match one.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => one == name,
    })
}

pub(crate) fn size_not_allowed(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let allowed = look.options.words("sizes");
    if allowed.is_empty() {
        return;
    }
    let interactive = look
        .pools()
        .flat_map(|pool| pool.sizes().map(|size| (pool.block, size.name(), pool.view.fields().size().span())));
    let batch = look
        .batch()
        .flat_map(|pool| pool.sizes().map(|size| (pool.block, size.name(), pool.view.fields().size().span())));
    for (block, size, span) in interactive.chain(batch).filter(|(_, size, _)| !listed(allowed, size)) {
        out.push(
            found(format!("`{}` has machines of size {size}", block.name), span, "not allowed by `dsvmc.toml`")
                .help(format!("choose one of {}", allowed.join(", "))),
        );
    }
}

pub(crate) fn naming_convention(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let patterns = look.options.patterns("patterns");
    for node in &look.graph.nodes {
        let Text::Literal(name) = &node.name else { continue };
        let last = name.rsplit('/').next().unwrap_or(name);
        for (_, pattern) in patterns.iter().filter(|(kind, _)| arm::of_type(node, kind)) {
            if !pattern.is_match(last) {
                out.push(
                    found(
                        format!("the name `{last}` does not match `{}`", pattern.as_str()),
                        node.span,
                        format!("{} of this block", node.kind),
                    )
                    .help("set `name`, or the `prefix` of the project"),
                );
            }
        }
    }
}

/// Host names that differ from cloud to cloud, as the linter of Bicep lists them by default:
/// <https://learn.microsoft.com/azure/azure-resource-manager/bicep/linter-rule-no-hardcoded-environment-urls>.
const HOSTS: &[&str] = &[
    "api.loganalytics.io",
    "azuredatalakestore.net",
    "core.windows.net",
    "database.windows.net",
    "gallery.azure.com",
    "graph.windows.net",
    "login.microsoftonline.com",
    "management.azure.com",
    "trafficmanager.net",
    "vault.azure.net",
];

fn host(text: &str) -> Option<&'static str> {
    let text = text.to_ascii_lowercase();
    HOSTS.iter().copied().find(|host| text.contains(host))
}

fn host_in(expr: &Deploy) -> Option<&'static str> {
    match expr {
        Deploy::Constant(Value::String(text)) => host(text),
        Deploy::Call(_, arguments) => arguments.iter().find_map(host_in),
        Deploy::Member(of, _) | Deploy::Index(of, _) => host_in(of),
        Deploy::Constant(_) | Deploy::Parameter(_) | Deploy::Attribute(..) => None,
    }
}

fn host_of(value: &Value) -> Option<&'static str> {
    match value {
        Value::String(text) => host(text),
        Value::List(items) => items.iter().find_map(host_of),
        Value::Record(fields) => fields.values().find_map(host_of),
        Value::Deferred(deferred) => host_in(&deferred.expr),
        _ => None,
    }
}

/// The texts that run on machines: steps of the setup, and commands of jobs.
fn scripts<'a>(look: &Look<'_, 'a>) -> Vec<(&'a Value, Span)> {
    let interactive = look.pools().filter_map(|pool| pool.setup);
    let setups = interactive.chain(look.batch().filter_map(|pool| pool.view.setup()));
    let steps = setups.flat_map(|setup| setup.steps()).filter_map(|step| {
        let run = step.fields().run();
        Some((run.value()?, run.span()))
    });
    let jobs = look.fleet.jobs.iter().filter_map(|job| {
        let command = job.view.fields().command();
        Some((command.value()?, command.span()))
    });
    steps.chain(jobs).collect()
}

pub(crate) fn hardcoded_url(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let outputs = look.checked.outputs.iter().map(|output| (&output.value, output.value_span));
    for (value, span) in outputs.chain(scripts(look)) {
        let Some(host) = host_of(value) else { continue };
        out.push(
            found(format!("`{host}` is right in one cloud only"), span, "another name in sovereign clouds")
                .help("take the address from the block itself, such as `share.host`, `share.url` or `vault.uri`"),
        );
    }
}

/// Whether a script runs what it gets over plain HTTP.
fn runs_plain_http(text: &str) -> bool {
    text.lines().any(|line| {
        let (Some(fetched), true) = (line.find("http://"), line.contains("curl") || line.contains("wget")) else {
            return false;
        };
        let after = line.get(fetched..).unwrap_or_default();
        after.split('|').skip(1).any(|command| {
            let command = command.trim_start().trim_start_matches("sudo ").trim_start();
            ["sh", "bash", "python", "python3", "perl"]
                .iter()
                .any(|shell| command.split_whitespace().next() == Some(shell))
        })
    })
}

pub(crate) fn script_from_http(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for (value, span) in scripts(look) {
        if let Value::String(text) = value
            && runs_plain_http(text)
        {
            out.push(
                found("a script that anybody on the way can change runs as root", span, "fetched over plain HTTP")
                    .help("fetch it with `https://` and compare its checksum before it runs"),
            );
        }
    }
}

pub(crate) fn region_restricted(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for block in look.checked.blocks.iter().filter(|block| block.origin == Origin::Project) {
        let Some(field) = block.common(CommonField::Location).filter(|field| field.written()) else { continue };
        let Some(Value::Ref(id)) = field.value() else { continue };
        let region = View::<facts::Region>::new(&look.checked[*id]);
        if region.is_some_and(|region| region.restricted()) {
            out.push(
                found(
                    format!("{} is open to few subscriptions", look.checked[*id].name),
                    field.span(),
                    "deployments of others are refused",
                )
                .help("ask Microsoft for access first, or choose the region that it is paired with"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_run_from_plain_http_is_seen() {
        for text in ["curl http://x.example/a.sh | sh", "wget -qO- http://x.example | sudo bash -s"] {
            assert!(runs_plain_http(text), "{text}");
        }
        for text in ["curl https://x.example/a.sh | sh", "curl http://x.example/a.csv | sort", "echo http://x | sh"] {
            assert!(!runs_plain_http(text), "{text}");
        }
    }

    #[test]
    fn names_tell_secrets_from_what_is_about_them() {
        for name in ["db_password", "api_token", "token", "storage_account_key", "ClientSecret_secret"] {
            assert!(names_a_secret(name), "{name}");
        }
        for name in ["admin_key", "password_secret", "token_lifetime", "secret_name", "password_length", "keys"] {
            assert!(!names_a_secret(name), "{name}");
        }
    }

    #[test]
    fn lists_take_a_star_at_the_end() {
        let list = ["Standard_D*".to_owned(), "Standard_E8s_v5".to_owned()];
        assert!(listed(&list, "Standard_D4s_v5") && listed(&list, "standard_e8s_v5"));
        assert!(!listed(&list, "Standard_E4s_v5"));
    }
}
