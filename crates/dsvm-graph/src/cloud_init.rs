//! The first boot of a machine: a cloud-config document that is the same for all pools, and the pool's own facts.
//!
//! Azure shows both to everybody who may read the scale set, so nothing secret is in them: machines prove themselves with
//! their identity and read secrets from a vault when they start.

use super::expr::Text;
use super::ids::{camel, reference};
use super::input::Input;
use super::internal::Built;
use super::json::{Json, quote};
use super::names::{PoolNames, Resolver};
use super::node::Variable;
use super::{storage, values, versions as v};
use dsvm_diagnostics::source::Span;
use dsvm_model::ids::VaultId;
use dsvm_model::pool::Pool;
use dsvm_model::share::{Auth, Protocol};
use dsvm_sema::value::Value;
use std::sync::LazyLock;

/// Port on which a machine reports its health to the extension; reachable from the machine itself only.
pub(crate) const HEALTH_PORT: u16 = 7080;
/// Name of the template variable with the document.
pub(crate) const VARIABLE: &str = "dsvmcMachine";
#[cfg(test)]
const MOST: usize = 65_535;

const PROGRAM: &str = include_str!("machine.py");

/// The document up to the pool's facts, which follow as one line.
pub(crate) static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let mut text = String::with_capacity(16 << 10);
    text.push_str(
        "#cloud-config\n# Made by dsvmc. Nothing in here is secret: Azure shows it to everybody who may read the scale set.\n\
         runcmd:\n  - [systemctl, daemon-reload]\n  - [systemctl, enable, --now, dsvmc-health.service]\n  \
         - [systemctl, enable, dsvmc-credentials.service]\n  - [/usr/local/lib/dsvmc/machine.py, setup]\nwrite_files:\n",
    );
    let health = "[Unit]\nDescription=dsvmc: tells whether this machine is ready for users\nAfter=network.target\n\n[Service]\n\
                  ExecStart=/usr/local/lib/dsvmc/machine.py health\nRestart=always\nRestartSec=5\n\n[Install]\nWantedBy=multi-user.target\n";
    let credentials = "[Unit]\nDescription=dsvmc: proof of identity for shares, Unix passwords\n\
                       ConditionPathExists=/var/lib/dsvmc/ready\nWants=network-online.target\nAfter=network-online.target\n\
                       Before=remote-fs.target\n\n[Service]\nType=oneshot\nRemainAfterExit=yes\n\
                       ExecStart=/usr/local/lib/dsvmc/machine.py credentials\n\n[Install]\nWantedBy=multi-user.target\n";
    // Databases of Jupyter stay off the shares: SMB has no byte-range locks that SQLite could use. Home folders are local,
    // so histories already are; the notary is set to use memory.
    let notary = "{\"NotebookNotary\": {\"db_file\": \":memory:\"}}\n";
    let log_in =
        "[ \"$(id -u)\" -ge 1000 ] && /usr/local/lib/dsvmc/machine.py links \"$(id -un)\" >/dev/null 2>&1 || true\n";
    for (path, mode, content) in [
        ("/usr/local/lib/dsvmc/machine.py", "0755", PROGRAM),
        ("/etc/systemd/system/dsvmc-health.service", "0644", health),
        ("/etc/systemd/system/dsvmc-credentials.service", "0644", credentials),
        ("/etc/jupyter/jupyter_server_config.d/dsvmc.json", "0644", notary),
        ("/etc/jupyter/jupyter_notebook_config.d/dsvmc.json", "0644", notary),
        ("/etc/profile.d/dsvmc.sh", "0644", log_in),
    ] {
        file(&mut text, path, mode);
        for line in content.lines() {
            if !line.is_empty() {
                text.push_str("      ");
                text.push_str(line);
            }
            text.push('\n');
        }
    }
    file(&mut text, "/etc/dsvmc/pool.json", "0644");
    text.push_str("      ");
    text
});

fn file(text: &mut String, path: &str, mode: &str) {
    text.push_str("  - path: ");
    text.push_str(path);
    text.push_str("\n    permissions: \"");
    text.push_str(mode);
    // The indentation is written out, so that a first line may begin with a blank.
    text.push_str("\"\n    content: |2\n");
}

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

    fn strings<'v>(&mut self, key: &str, values: impl Iterator<Item = &'v Value>, resolver: &Resolver<'_, '_>) {
        self.key(key);
        self.begin("[");
        for value in values {
            self.separate();
            self.string(&values::text(value, resolver));
        }
        self.end("]");
    }
}

/// Longest literal that stays inside the expression of the custom data; longer ones become variables, because an
/// expression has a limit and a literal has none.
const INLINE: usize = 4_000;

/// The custom data of a pool's machines, and the variables that it needs beside the document.
pub(crate) fn custom_data(input: &Input<'_, '_>, pool: &Pool<'_>, names: &PoolNames) -> Built<(Text, Vec<Variable>)> {
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
    let facts = facts(input, pool, names)?;
    for (literal, expression) in facts.done {
        close(literal, &mut parts);
        parts.push(expression);
    }
    close(facts.literal, &mut parts);
    Ok((Text::call("base64", &[Text::concat(&parts)]), variables))
}

/// The pool's facts as one line of JSON, with expressions where only the deployment knows.
fn facts(input: &Input<'_, '_>, pool: &Pool<'_>, names: &PoolNames) -> Built<Facts> {
    let resolver = &input.resolver();
    let span = pool.block.name_span;
    let mut facts = Facts { literal: String::with_capacity(512), ..Facts::default() };
    facts.begin("{");
    facts.field("pool", &Text::literal(pool.block.name.as_ref()));
    facts.field("admin", &values::text(&pool.admin.name, resolver));
    facts.json("health", HEALTH_PORT);
    facts.json("ports", pool.services.iter().map(|s| s.port).collect::<Vec<_>>());
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
    }
    shares(&mut facts, input, pool)?;
    if let Some(setup) = pool.setup {
        facts.strings("packages", setup.packages().map_or(&[][..], |packages| packages.values()).iter(), resolver);
        facts.key("steps");
        facts.begin("[");
        for step in setup.steps() {
            facts.separate();
            facts.begin("{");
            facts.field("name", &Text::literal(step.block().name.as_ref()));
            facts.json("retries", step.retries());
            if let Some(script) = step.run() {
                facts.field("run", &values::text(script.value(), resolver));
            }
            facts.end("}");
        }
        facts.end("]");
    }
    facts.end("}");
    facts.raw("\n");
    Ok(facts)
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

    #[test]
    fn the_document_leaves_room_for_facts() {
        assert!(DOCUMENT.len() < MOST / 3, "{}", DOCUMENT.len());
        assert!(DOCUMENT.ends_with("content: |2\n      "));
    }

    #[test]
    fn the_document_names_no_secret_and_no_key() {
        for word in ["AccountKey", "sharedkey", "BEGIN "] {
            assert!(!DOCUMENT.contains(word), "{word}");
        }
    }
}
