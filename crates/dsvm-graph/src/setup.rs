//! What makes a machine out of an image: the CustomScript extension `setup`, whose script is the program on the machines with
//! the pool's description as its last line.
//!
//! The extension runs a changed script on running machines, in place and under the upgrade policy; custom data would reach
//! them with a reimage only
//! (<https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-upgrade-scale-set>,
//! <https://learn.microsoft.com/azure/virtual-machines/custom-data>). Templates are shown to everybody who may read the
//! deployment, so nothing secret is in the script: machines prove themselves with their identity and read secrets from a
//! vault when they start.

use super::expr::Text;
use super::ids::{camel, reference};
use super::input::Input;
use super::internal::Built;
use super::json::{Json, json, quote};
use super::names::{PoolNames, Resolver};
use super::node::Variable;
use super::{diags, storage, values, versions as v};
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_model::ids::VaultId;
use dsvm_model::limits::Limits;
use dsvm_model::pool::{OnFailure, Pool};
use dsvm_model::share::{Auth, Protocol};
use dsvm_sema::value::Value;
use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;

/// Port on which a machine answers the health extension (`/health`) and the load balancer (`/ready`). Below 1024, so that
/// no ordinary user can listen there while the service is down.
pub(crate) const HEALTH_PORT: u16 = 790;
/// Name of the template variable with the program.
pub(crate) const VARIABLE: &str = "dsvmcMachine";

/// Digest of the program, which begins the digest of every script.
static PROGRAM: LazyLock<Sha256> = LazyLock::new(|| Sha256::new_with_prefix(dsvm_machine::script()));

/// JSON that is put together from literals and expressions.
#[derive(Default)]
struct Facts {
    /// Literals, each with the expression that follows it.
    done: Vec<(String, Text)>,
    /// Text after the last expression.
    literal: String,
    open: Vec<bool>,
}

impl Facts {
    fn raw(&mut self, text: &str) {
        self.literal.push_str(text);
    }

    fn separate(&mut self) {
        match self.open.last_mut() {
            Some(first @ true) => *first = false,
            Some(false) => self.raw(","),
            None => {}
        }
    }

    fn begin(&mut self, bracket: &str) {
        self.raw(bracket);
        self.open.push(true);
    }

    fn end(&mut self, bracket: &str) {
        self.open.pop();
        self.raw(bracket);
    }

    fn key(&mut self, key: &str) {
        self.separate();
        quote(key, &mut self.literal);
        self.raw(":");
    }

    fn string(&mut self, value: &Text) {
        match value {
            Text::Literal(text) => quote(text, &mut self.literal),
            Text::Expression(_) => {
                self.raw("\"");
                self.done.push((std::mem::take(&mut self.literal), value.clone()));
                self.raw("\"");
            }
        }
    }

    fn field(&mut self, key: &str, value: &Text) {
        self.key(key);
        self.string(value);
    }

    fn json(&mut self, key: &str, value: impl Into<Json>) {
        self.key(key);
        self.literal.push_str(&value.into().compact());
    }

    /// A value whose JSON only the deployment makes: what people pass can have quotes and line breaks, and a line break
    /// would end the description.
    fn made(&mut self, value: Text) {
        self.done.push((std::mem::take(&mut self.literal), Text::call("string", &[value])));
    }

    fn strings<'v>(&mut self, key: &str, values: impl Iterator<Item = &'v Value>, resolver: &Resolver<'_, '_>) {
        self.key(key);
        let texts: Vec<Text> = values.map(|value| values::text(value, resolver)).collect();
        if texts.iter().any(|text| text.known().is_none()) {
            return self.made(Text::call("createArray", &texts));
        }
        self.begin("[");
        for text in &texts {
            self.separate();
            self.string(text);
        }
        self.end("]");
    }
}

/// Longest literal that stays inside the expression of the script; longer ones become variables, because an expression has
/// a limit and a literal has none.
const INLINE: usize = 4_000;

/// The extension that makes and remakes a pool's machines.
pub(crate) struct Setup {
    /// Its element of the list `extensionProfile.extensions`.
    pub(crate) extension: Json,
    /// Long parts of the script, beside the program.
    pub(crate) variables: Vec<Variable>,
}

/// The `setup` extension of a pool. A script that the extension would not run is reported.
pub(crate) fn extension(input: &Input<'_, '_>, pool: &Pool<'_>, names: &PoolNames, sink: &mut Sink) -> Built<Setup> {
    let description = description(input, pool, names)?;
    check_length(pool, &description, sink);
    let (timestamp, tag) = marks(&description);
    let (script, variables) = script(pool, description);
    let mut properties = json!({
        "publisher": "Microsoft.Azure.Extensions",
        "type": "CustomScript",
        "typeHandlerVersion": "2.1",
        "autoUpgradeMinorVersion": true,
        // The type is not on the list of extensions that are upgraded automatically
        // (https://learn.microsoft.com/azure/virtual-machines/automatic-extension-upgrade).
        "enableAutomaticUpgrade": false,
        "forceUpdateTag": tag.json(),
        "settings": { "timestamp": timestamp, "skipDos2Unix": true },
        "protectedSettings": { "script": script.json() },
    });
    // Failures of the extension are then no failures of the machine (`suppressFailures` of
    // `Microsoft.Compute/virtualMachineScaleSets`): health stays away, and repairs act on that.
    if let Json::Object(properties) = &mut properties
        && pool.setup.is_some_and(|setup| setup.on_failure() == OnFailure::Replace)
    {
        properties.insert("suppressFailures".into(), true.into());
    }
    Ok(Setup { extension: json!({ "name": "setup", "properties": properties }), variables })
}

/// What tells Azure that the script is another one: `timestamp`, a whole number of 32 bits, for what the compiler knows, and
/// the tag, for that and for what only the deployment knows. Both change with the script, and only then.
/// (<https://learn.microsoft.com/azure/virtual-machines/extensions/custom-script-linux>, `timestamp`;
/// `forceUpdateTag` of `Microsoft.Compute/virtualMachineScaleSets`.)
fn marks(description: &Facts) -> (u32, Text) {
    let mut digest = PROGRAM.clone();
    let mut expressions: Vec<&Text> = Vec::new();
    for (literal, expression) in &description.done {
        let known = expressions.iter().position(|known| *known == expression);
        let position = known.unwrap_or(expressions.len());
        if known.is_none() {
            expressions.push(expression);
        }
        digest.update(literal);
        // JSON has no control characters, so that a place cannot be taken for a part of a literal.
        digest.update(format!("\0{position}\0"));
    }
    digest.update(&description.literal);
    let digest = digest.finalize();
    let (mut hexadecimal, mut timestamp) = (String::with_capacity(16), 0u32);
    for (index, byte) in digest.iter().take(8).enumerate() {
        hexadecimal.push_str(&format!("{byte:02x}"));
        if index < 4 {
            timestamp = timestamp << 8 | u32::from(*byte);
        }
    }
    let tag = match expressions.is_empty() {
        true => Text::Literal(hexadecimal),
        false => {
            let mut arguments = vec![Text::Literal(hexadecimal)];
            arguments.extend(expressions.into_iter().cloned());
            Text::call("uniqueString", &arguments)
        }
    };
    (timestamp & 0x7fff_ffff, tag)
}

/// The script in base64, and the variables that it needs beside the program.
fn script(pool: &Pool<'_>, description: Facts) -> (Text, Vec<Variable>) {
    let mut variables = Vec::new();
    let mut parts = vec![Text::call("variables", &[VARIABLE.into()])];
    let stem = camel(&pool.block.name);
    let mut close = |literal: String, parts: &mut Vec<Text>| {
        if literal.len() > INLINE {
            let name = format!("{stem}Setup{}", variables.len() + 1);
            parts.push(Text::call("variables", &[Text::Literal(name.clone())]));
            variables.push(Variable { name, text: Text::Literal(literal) });
        } else {
            parts.push(Text::Literal(literal));
        }
    };
    for (literal, expression) in description.done {
        close(literal, &mut parts);
        parts.push(expression);
    }
    close(description.literal, &mut parts);
    (Text::call("base64", &[Text::concat(&parts)]), variables)
}

/// Reports a script that is too long: the extension would report success without running it. Values that only the
/// deployment knows are counted as long as their expressions.
fn check_length(pool: &Pool<'_>, description: &Facts, sink: &mut Sink) {
    let of_parts: usize = description.done.iter().map(|(literal, value)| literal.len() + value.length()).sum();
    let bytes = of_parts + description.literal.len();
    let program = dsvm_machine::script().len();
    if base64_length(program + bytes) <= dsvm_machine::LONGEST {
        return;
    }
    let room = dsvm_machine::LONGEST / 4 * 3 - program;
    let steps = pool.setup.into_iter().flat_map(|setup| setup.steps()).filter_map(|step| {
        let bytes = match step.run()?.value() {
            Value::String(text) => text.len(),
            _ => return None,
        };
        Some((bytes, format!("step `{}`", step.block().name), step.block().span))
    });
    let keys = |value: &&Value| if let Value::String(text) = value { text.len() } else { 0 };
    let users = pool.users.iter().map(|user| user.name.len() + user.keys.iter().map(keys).sum::<usize>() + 64);
    let people = (users.sum(), "`user` blocks".to_owned(), pool.block.name_span);
    let mut largest: Vec<(usize, String, Span)> = steps.chain([people]).filter(|(bytes, ..)| *bytes > 0).collect();
    largest.sort_by_key(|(bytes, ..)| std::cmp::Reverse(*bytes));
    largest.truncate(3);
    sink.push(diags::setup_too_long(pool.block, bytes, room, &largest));
}

/// Characters of base64 for so many bytes.
fn base64_length(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

/// The description of the pool, which the program calls pool.json: one line, with expressions where only the deployment
/// knows.
fn description(input: &Input<'_, '_>, pool: &Pool<'_>, names: &PoolNames) -> Built<Facts> {
    let resolver = &input.resolver();
    let span = pool.block.name_span;
    let mut facts = Facts { literal: String::with_capacity(512), ..Facts::default() };
    facts.begin("{");
    facts.field("pool", &Text::literal(pool.block.name.as_ref()));
    facts.field("admin", &values::text(&pool.admin.name, resolver));
    facts.json("health", HEALTH_PORT);
    facts.json("ports", pool.services.iter().map(|s| s.port).collect::<Vec<_>>());
    // Spot machines get no notice of a deletion, but they are told before they are taken back.
    facts.json("notice", pool.notice.is_some() || pool.spot.is_some());
    if let Some(identity) = &names.identity {
        facts.field("client", &reference(&identity.id, v::IDENTITY).member("clientId"));
    }
    users(&mut facts, pool, resolver);
    if let Some(vault) = pool.vault {
        facts.field("vault", &vault_host(input, vault, span)?);
        facts.key("passwords");
        facts.begin("{");
        let admin = values::text(&pool.admin.name, resolver);
        let secrets = pool.users.iter().filter_map(|u| u.password_secret.map(|s| (Text::literal(u.name), s)));
        for (name, secret) in pool.admin.password_secret.map(|s| (admin, s)).into_iter().chain(secrets) {
            facts.separate();
            facts.string(&name);
            facts.raw(":");
            facts.string(&values::text(secret, resolver));
        }
        facts.end("}");
        if let Some(secret) = pool.host_key {
            facts.key("host_key");
            facts.begin("{");
            facts.field("vault", &vault_host(input, vault, span)?);
            facts.field("secret", &values::text(secret, resolver));
            facts.end("}");
        }
    }
    limits(&mut facts, &pool.limits);
    shares(&mut facts, input, pool)?;
    if let Some(setup) = pool.setup {
        facts.strings("packages", setup.packages().map_or(&[][..], |packages| packages.values()).iter(), resolver);
        facts.key("steps");
        facts.begin("[");
        for step in setup.steps() {
            facts.separate();
            let name = Text::literal(step.block().name.as_ref());
            let script = step.run().map(|script| values::text(script.value(), resolver));
            if let Some(script @ Text::Expression(_)) = script {
                let retries = Text::Expression(step.retries().to_string());
                let members = ["name".into(), name, "retries".into(), retries, "run".into(), script];
                facts.made(Text::call("createObject", &members));
                continue;
            }
            facts.begin("{");
            facts.field("name", &name);
            facts.json("retries", step.retries());
            if let Some(script) = script {
                facts.field("run", &script);
            }
            facts.end("}");
        }
        facts.end("]");
    }
    facts.end("}");
    facts.raw("\n");
    Ok(facts)
}

fn limits(facts: &mut Facts, limits: &Limits) {
    if *limits == Limits::default() {
        return;
    }
    facts.key("limits");
    facts.begin("{");
    if let Some(memory) = &limits.memory {
        facts.json("memory", memory.as_str());
    }
    if let Some(tasks) = limits.tasks {
        facts.json("tasks", tasks);
    }
    facts.end("}");
}

fn users(facts: &mut Facts, pool: &Pool<'_>, resolver: &Resolver<'_, '_>) {
    if pool.users.is_empty() {
        return;
    }
    facts.key("users");
    facts.begin("[");
    for user in &pool.users {
        facts.separate();
        facts.begin("{");
        facts.field("name", &Text::literal(user.name));
        facts.json("uid", user.uid);
        facts.json("sudo", user.sudo);
        facts.json("groups", user.groups.clone());
        facts.strings("keys", user.keys.iter().copied(), resolver);
        facts.end("}");
    }
    facts.end("]");
}

fn shares(facts: &mut Facts, input: &Input<'_, '_>, pool: &Pool<'_>) -> Built<()> {
    if pool.shares.is_empty() {
        return Ok(());
    }
    let span = pool.block.name_span;
    facts.key("shares");
    facts.begin("[");
    for position in &pool.shares {
        let (share, named) = input.share(*position, span)?;
        facts.separate();
        facts.begin("{");
        let kind = match (share.protocol, share.auth) {
            (Protocol::Nfs, _) => "nfs",
            (Protocol::Smb, Auth::KeyVault) => "key",
            (Protocol::Smb, Auth::ManagedIdentity | Auth::AccountKey | Auth::Network) => "identity",
        };
        facts.field("kind", &kind.into());
        facts.field("account", &named.account.name);
        facts.field("host", &named.host);
        facts.field("share", &named.share.name);
        facts.field("mount", &share.mount.into());
        if share.protocol == Protocol::Smb {
            let (files, folders) = share.modes.of_people();
            facts.field("file_mode", &files.into());
            facts.field("directory_mode", &folders.into());
        }
        let vault = share.vault.filter(|_| kind == "key").and_then(|vault| input.vault_position(vault));
        if let Some(vault) = vault {
            facts.field("vault", &vault_host(input, vault, span)?);
            facts.field("secret", &storage::secret_name(share, &input.resolver()));
        }
        facts.json("options", share.options.clone());
        facts.key("links");
        facts.begin("[");
        for link in &share.links {
            facts.separate();
            facts.begin("{");
            facts.field("path", &link.path.into());
            facts.field("target", &link.target.into());
            facts.end("}");
        }
        facts.end("]");
        facts.end("}");
    }
    facts.end("]");
    Ok(())
}

fn vault_host(input: &Input<'_, '_>, vault: VaultId, span: Span) -> Built<Text> {
    let (_, named) = input.vault(vault, span)?;
    Ok(Text::concat(&[named.name.clone(), Text::Expression("environment().suffixes.keyvaultDns".into())]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(parts: &[(&str, &str)], rest: &str) -> Facts {
        let done = parts.iter().map(|(literal, value)| ((*literal).to_owned(), Text::Expression((*value).to_owned())));
        Facts { done: done.collect(), literal: rest.to_owned(), open: Vec::new() }
    }

    #[test]
    fn the_marks_change_with_the_content_and_only_then() {
        let known = marks(&facts(&[], "{\"pool\":\"team\"}\n"));
        assert_eq!(known, marks(&facts(&[], "{\"pool\":\"team\"}\n")));
        assert_ne!(known, marks(&facts(&[], "{\"pool\":\"time\"}\n")));
        let Text::Literal(tag) = &known.1 else { panic!("an expression: {known:?}") };
        assert_eq!(tag.len(), 16);
        assert_eq!(u64::from_str_radix(tag, 16).unwrap() >> 32 & 0x7fff_ffff, u64::from(known.0));
    }

    #[test]
    fn what_the_deployment_knows_is_in_the_tag_once_and_in_its_place() {
        let of = |parts: &[(&str, &str)]| marks(&facts(parts, "\"}")).1.json();
        let both = of(&[("{\"a\":\"", "parameters('a')"), ("\",\"b\":\"", "parameters('b')")]);
        assert!(
            both.starts_with("[uniqueString('") && both.ends_with("', parameters('a'), parameters('b'))]"),
            "{both}"
        );
        let first =
            of(&[("{\"a\":\"", "parameters('a')"), ("\",\"b\":\"", "parameters('b')"), ("", "parameters('a')")]);
        let second =
            of(&[("{\"a\":\"", "parameters('a')"), ("\",\"b\":\"", "parameters('b')"), ("", "parameters('b')")]);
        assert!(first.ends_with("', parameters('a'), parameters('b'))]"), "{first}");
        assert_ne!(first, second);
        // The version of an API in an expression is not a part of what the machine gets.
        assert_eq!(
            of(&[("x", "reference('i', '2023-01-31')")]).get(..32),
            of(&[("x", "reference('i', '2024-11-30')")]).get(..32)
        );
    }

    #[test]
    fn the_script_is_the_program_and_one_line() {
        let long = "s".repeat(INLINE + 1);
        let pool = facts(&[("{\"client\":\"", "reference('i').clientId")], &long);
        assert_eq!(pool.done.len(), 1);
        assert!(dsvm_machine::script().ends_with("\n#POOL "));
        assert_eq!(base64_length(1), 4);
        assert_eq!(base64_length(dsvm_machine::LONGEST / 4 * 3), dsvm_machine::LONGEST);
    }
}
