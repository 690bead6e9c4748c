//! Who logs in: the administrator, declared users, and what JupyterHub needs of them.

use super::services::{JUPYTERHUB, Service};
use super::{diags, read};
use base64::Engine as _;
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_sema::table::pool as rows;
use dsvm_sema::table::schema::{FieldRef, View};
use dsvm_sema::table::words::JupyterhubAuth;
use dsvm_sema::value::Value;

/// The account that Azure makes on each machine.
#[derive(Clone, Debug)]
pub struct Admin<'a> {
    /// Its block, read field by field.
    pub view: View<'a, rows::Admin>,
    /// User name, which the deployment may know only.
    pub name: Value,
    /// OpenSSH public keys, known or deferred.
    pub keys: Vec<&'a Value>,
    /// Password that Azure sets.
    pub password: Option<&'a Value>,
    /// Vault secret with the Unix password.
    pub password_secret: Option<&'a Value>,
}

/// An account that the first boot makes.
#[derive(Clone, Debug)]
pub struct User<'a> {
    /// Its block, read field by field.
    pub view: View<'a, rows::User>,
    /// User name: the name of the block.
    pub name: &'a str,
    /// User and group id.
    pub uid: i64,
    /// OpenSSH public keys, known or deferred.
    pub keys: Vec<&'a Value>,
    /// Vault secret with the Unix password.
    pub password_secret: Option<&'a Value>,
    /// Groups beside its own.
    pub groups: Vec<&'a str>,
    /// Whether it may become root.
    pub sudo: bool,
}

/// Reads the administrator; a pool without one is reported.
pub(crate) fn admin<'a>(pool: View<'a, rows::Pool>, windows: bool, sink: &mut Sink) -> Option<Admin<'a>> {
    let Some(view) = pool.admin() else {
        sink.push(diags::pool_without_admin(pool.block()));
        return None;
    };
    let fields = view.fields();
    let name = view.name()?.value().clone();
    let span = fields.name().span();
    if let Some(text) = read::as_text(&name) {
        if arm_catalog::RESERVED_USER_NAMES.contains(&text.to_ascii_lowercase().as_str()) {
            sink.push(diags::admin_name_refused(text, span));
        } else if !well_formed(text) || text.len() > if windows { 20 } else { 64 } {
            sink.push(diags::user_name_malformed(text, span));
        }
    }
    let keys = keys(fields.key(), sink);
    let password = read::present(fields.password());
    if keys.is_empty()
        && password.is_none()
        && fields.key().value().is_none_or(|v| *v == Value::Null)
        && fields.password().value().is_none()
    {
        sink.push(diags::admin_without_credentials(view.block()));
    }
    Some(Admin { view, name, keys, password, password_secret: read::present(fields.password_secret()) })
}

/// Reads the other accounts; those that share a name or an id are reported.
pub(crate) fn users<'a>(pool: View<'a, rows::Pool>, admin: Option<&Admin<'_>>, sink: &mut Sink) -> Vec<User<'a>> {
    let mut users: Vec<User<'a>> = Vec::new();
    for view in pool.users() {
        let (block, fields) = (view.block(), view.fields());
        let name: &str = &block.name;
        if !well_formed(name) || name.len() > 32 {
            sink.push(diags::user_name_malformed(name, block.name_span));
        }
        if admin.and_then(|a| read::as_text(&a.name)) == Some(name) {
            sink.push(diags::user_declared_twice(
                name,
                block.name_span,
                admin.map_or(pool.block().name_span, |a| a.view.fields().name().span()),
            ));
        }
        let Some(uid) = view.uid() else { continue };
        for other in &users {
            if other.uid == uid {
                sink.push(diags::uid_taken(uid, fields.uid().span(), other.view.fields().uid().span(), other.name));
            }
            if other.name == name {
                sink.push(diags::user_declared_twice(name, block.name_span, other.view.block().name_span));
            }
        }
        users.push(User {
            view,
            name,
            uid,
            keys: keys(fields.key(), sink),
            password_secret: read::present(fields.password_secret()),
            groups: view.groups().into_iter().flatten().collect(),
            sudo: view.sudo(),
        });
    }
    users
}

fn well_formed(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

/// The public keys of a field; those that are known and no such key are reported.
fn keys<'a>(field: FieldRef<'a>, sink: &mut Sink) -> Vec<&'a Value> {
    let keys: Vec<&Value> = read::elements(field.value()).iter().collect();
    for key in &keys {
        check_key(key, field.span(), sink);
    }
    keys
}

fn check_key(key: &Value, span: Span, sink: &mut Sink) {
    let Value::String(text) = key else { return };
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
    pool: View<'_, rows::Pool>,
    admin: Option<&Admin<'_>>,
    users: &[User<'_>],
    services: &[Service<'_>],
    sink: &mut Sink,
) {
    let secrets = admin
        .and_then(|a| a.password_secret.map(|_| a.view.fields().password_secret().span()))
        .into_iter()
        .chain(users.iter().filter(|u| u.password_secret.is_some()).map(|u| u.view.fields().password_secret().span()));
    if pool.fields().vault().value().is_none_or(|v| *v == Value::Null)
        && let Some(first) = secrets.clone().next()
    {
        sink.push(diags::password_secret_without_vault(pool.block(), first));
    }
    let Some(hub) = services.iter().find(|s| s.port == JUPYTERHUB) else { return };
    let names = admin
        .and_then(|a| read::as_text(&a.name).map(|n| (n, a.view.fields().name().span())))
        .into_iter()
        .chain(users.iter().map(|u| (u.name, u.view.block().name_span)));
    for (name, span) in names {
        if name.chars().any(|c| c.is_ascii_uppercase()) {
            sink.push(diags::jupyterhub_upper_case(name, span));
        }
    }
    let by_password = match pool.jupyterhub_auth() {
        JupyterhubAuth::PamPassword => true,
        JupyterhubAuth::Domain | JupyterhubAuth::Oauth => false,
    };
    let has_password = secrets.clone().next().is_some() || admin.is_some_and(|a| a.password.is_some());
    if by_password && !has_password && admin.is_some() {
        sink.push(diags::jupyterhub_without_password(
            pool.block(),
            hub.span,
            admin.map_or(pool.block().name_span, |a| a.view.block().name_span),
        ));
    }
}
