//! Who logs in: the administrator, declared users, and what JupyterHub needs of them.

use super::services::{JUPYTERHUB, Service};
use super::{diags, read};
use base64::Engine as _;
use dsvm_diagnostics::Sink;
use dsvm_sema::checked::Block;
use dsvm_sema::table::BlockKind;
use dsvm_sema::value::Value;

/// The administrator.
#[derive(Clone, Debug)]
pub struct Admin<'a> {
    /// Its block.
    pub block: &'a Block,
    /// User name.
    pub name: Value,
    /// Public keys.
    pub keys: Vec<&'a Value>,
    /// Password that Azure sets.
    pub password: Option<&'a Value>,
    /// Vault secret with the Unix password.
    pub password_secret: Option<&'a Value>,
}

/// Another account.
#[derive(Clone, Debug)]
pub struct User<'a> {
    /// Its block.
    pub block: &'a Block,
    /// User name.
    pub name: &'a str,
    /// User and group id.
    pub uid: i64,
    /// Public keys.
    pub keys: Vec<&'a Value>,
    /// Vault secret with the Unix password.
    pub password_secret: Option<&'a Value>,
    /// More groups.
    pub groups: Vec<&'a str>,
    /// May become root.
    pub sudo: bool,
}

/// Reads the administrator.
pub(crate) fn admin<'a>(pool: &'a Block, windows: bool, sink: &mut Sink) -> Option<Admin<'a>> {
    let Some(block) = read::child(pool, BlockKind::Admin) else {
        sink.push(diags::pool_without_admin(pool));
        return None;
    };
    let name = read::late(block, "name")?.clone();
    let span = block.span_of("name");
    if let Some(text) = read::as_text(&name) {
        if arm_catalog::RESERVED_USER_NAMES.contains(&text.to_ascii_lowercase().as_str()) {
            sink.push(diags::admin_name_refused(text, span));
        } else if !well_formed(text) || text.len() > if windows { 20 } else { 64 } {
            sink.push(diags::user_name_malformed(text, span));
        }
    }
    let keys: Vec<&Value> = read::items(block, "key").iter().collect();
    for key in &keys {
        check_key(key, block, sink);
    }
    let password = read::late(block, "password");
    if keys.is_empty()
        && password.is_none()
        && block.get("key").is_none_or(|v| *v == Value::Null)
        && block.get("password").is_none()
    {
        sink.push(diags::admin_without_credentials(block));
    }
    Some(Admin { block, name, keys, password, password_secret: read::late(block, "password_secret") })
}

/// Reads the other accounts.
pub(crate) fn users<'a>(pool: &'a Block, admin: Option<&Admin<'_>>, sink: &mut Sink) -> Vec<User<'a>> {
    let mut users: Vec<User<'a>> = Vec::new();
    for block in pool.children(BlockKind::User) {
        let name: &str = &block.name;
        if !well_formed(name) || name.len() > 32 {
            sink.push(diags::user_name_malformed(name, block.name_span));
        }
        if admin.and_then(|a| read::as_text(&a.name)) == Some(name) {
            sink.push(diags::user_declared_twice(
                name,
                block.name_span,
                admin.map_or(pool.name_span, |a| a.block.span_of("name")),
            ));
        }
        let Some(uid) = read::int(block, "uid") else { continue };
        for other in &users {
            if other.uid == uid {
                sink.push(diags::uid_taken(uid, block.span_of("uid"), other.block.span_of("uid"), other.name));
            }
            if other.name == name {
                sink.push(diags::user_declared_twice(name, block.name_span, other.block.name_span));
            }
        }
        let keys: Vec<&Value> = read::items(block, "key").iter().collect();
        for key in &keys {
            check_key(key, block, sink);
        }
        users.push(User {
            block,
            name,
            uid,
            keys,
            password_secret: read::late(block, "password_secret"),
            groups: read::texts(block, "groups"),
            sudo: read::flag(block, "sudo", false),
        });
    }
    users
}

fn well_formed(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

fn check_key(key: &Value, block: &Block, sink: &mut Sink) {
    let Value::String(text) = key else { return };
    let span = block.span_of("key");
    let mut words = text.split_whitespace();
    let (Some(kind), Some(blob)) = (words.next(), words.next()) else {
        sink.push(diags::key_is_no_ssh_key(span));
        return;
    };
    let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(blob) else {
        sink.push(diags::key_is_no_ssh_key(span));
        return;
    };
    let mut fields = Fields(&bytes);
    if fields.next() != Some(kind.as_bytes()) {
        sink.push(diags::key_is_no_ssh_key(span));
        return;
    }
    match kind {
        "ssh-rsa" => {
            let _exponent = fields.next();
            let bits = fields.next().map_or(0, |modulus| {
                let significant = modulus.iter().skip_while(|b| **b == 0).collect::<Vec<_>>();
                significant.len() * 8 - significant.first().map_or(0, |b| b.leading_zeros() as usize)
            });
            if bits < 2048 {
                sink.push(diags::key_too_short(bits, span));
            }
        }
        "ssh-ed25519" => {}
        other => sink.push(diags::key_kind_refused(other, span)),
    }
}

/// The length-prefixed fields of an OpenSSH public key.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = &'a [u8];
    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let (field, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        self.0 = rest;
        Some(field)
    }
}

/// What JupyterHub and passwords from a vault need.
pub(crate) fn check(
    pool: &Block,
    admin: Option<&Admin<'_>>,
    users: &[User<'_>],
    services: &[Service<'_>],
    sink: &mut Sink,
) {
    let secrets = admin
        .and_then(|a| a.password_secret.map(|_| a.block))
        .into_iter()
        .chain(users.iter().filter(|u| u.password_secret.is_some()).map(|u| u.block));
    if pool.get("vault").is_none_or(|v| *v == Value::Null)
        && let Some(first) = secrets.clone().next()
    {
        sink.push(diags::password_secret_without_vault(pool, first.span_of("password_secret")));
    }
    let Some(hub) = services.iter().find(|s| s.port == JUPYTERHUB) else { return };
    let names = admin
        .and_then(|a| read::as_text(&a.name).map(|n| (n, a.block.span_of("name"))))
        .into_iter()
        .chain(users.iter().map(|u| (u.name, u.block.name_span)));
    for (name, span) in names {
        if name.chars().any(|c| c.is_ascii_uppercase()) {
            sink.push(diags::jupyterhub_upper_case(name, span));
        }
    }
    let by_password = read::text(pool, "jupyterhub_auth").unwrap_or("pam_password") == "pam_password";
    let has_password = secrets.clone().next().is_some() || admin.is_some_and(|a| a.password.is_some());
    if by_password && !has_password && admin.is_some() {
        sink.push(diags::jupyterhub_without_password(
            pool,
            hub.span,
            admin.map_or(pool.name_span, |a| a.block.name_span),
        ));
    }
}
