//! Who logs in: the administrator, declared users, and what JupyterHub needs of them.

use super::accounts::{self, Power, Powerful};
use super::services::{JUPYTERHUB, Passwords, Service};
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
        } else if !windows && accounts::is_sudo_alias(text) {
            sink.push(diags::account_is_sudo_alias(text, span));
        } else if !windows && let Some(package) = accounts::owner(text) {
            sink.push(diags::account_reserved(text, span, package.name));
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
        if accounts::is_sudo_alias(name) {
            sink.push(diags::account_is_sudo_alias(name, block.name_span));
        } else if !account_name(name) {
            sink.push(diags::declared_user_malformed(name, block.name_span));
        } else if let Some(package) = accounts::owner(name) {
            sink.push(diags::account_reserved(name, block.name_span, package.name));
        }
        if admin.and_then(|a| read::as_text(&a.name)) == Some(name) {
            sink.push(diags::user_declared_twice(
                name,
                block.name_span,
                admin.map_or(pool.block().name_span, |a| a.view.fields().name().span()),
            ));
        }
        let Some(uid) = view.uid() else { continue };
        match uid {
            accounts::ADMIN_ID => {
                let at = admin.map(|a| a.view.fields().name().span());
                sink.push(diags::uid_reserved(uid, fields.uid().span(), "the administrator", at));
            }
            accounts::GROUP_ID => {
                let holder = "`dsvmusers`, the group of all accounts of the pool";
                sink.push(diags::uid_reserved(uid, fields.uid().span(), holder, None));
            }
            _ => {}
        }
        for other in &users {
            if other.uid == uid {
                sink.push(diags::uid_taken(uid, fields.uid().span(), other.view.fields().uid().span(), other.name));
            }
            if other.name == name {
                sink.push(diags::user_declared_twice(name, block.name_span, other.view.block().name_span));
            }
        }
        let groups: Vec<&str> = view.groups().into_iter().flatten().collect();
        check_groups(view, name, &groups, sink);
        users.push(User {
            view,
            name,
            uid,
            keys: keys(fields.key(), sink),
            password_secret: read::present(fields.password_secret()),
            groups,
            sudo: view.sudo(),
        });
    }
    users
}

/// Groups that are not valid names, or that give a user more rights than is visible.
fn check_groups(user: View<'_, rows::User>, name: &str, groups: &[&str], sink: &mut Sink) {
    let at = user.fields().groups().span();
    for group in groups {
        if !group_name(group) {
            sink.push(diags::group_malformed(group, name, at));
            continue;
        }
        match accounts::powerful(group) {
            Some(Powerful { power: Power::Root, what, .. }) if !user.sudo() => {
                sink.push(diags::group_gives_root(group, what, name, at, user.block().name_span));
            }
            Some(Powerful { power: Power::Reads, what, .. }) if !user.sudo() => {
                sink.push(diags::group_gives_rights(group, what, name, at));
            }
            Some(_) | None => {}
        }
    }
}

/// Whether a declared user can have this name on all images: the form that useradd(8) recommends, which JupyterHub and sudo
/// take too. "Usernames may only be up to 32 characters long."
pub(crate) fn account_name(name: &str) -> bool {
    name.len() <= 32
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'))
}

/// Whether a text is one group name: groups of packages have capitals and dots too, such as `Debian-exim`.
fn group_name(name: &str) -> bool {
    name.len() <= 32
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
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

/// Which services of the pool take Unix passwords.
pub(crate) fn passwords(pool: View<'_, rows::Pool>, admin: Option<&Admin<'_>>, users: &[User<'_>]) -> Passwords {
    let ssh = admin.is_some_and(|a| a.password.is_some());
    let from_vault =
        admin.is_some_and(|a| a.password_secret.is_some()) || users.iter().any(|u| u.password_secret.is_some());
    Passwords { ssh, jupyterhub: jupyterhub_asks_pam(pool) && (ssh || from_vault) }
}

fn jupyterhub_asks_pam(pool: View<'_, rows::Pool>) -> bool {
    match pool.jupyterhub_auth() {
        JupyterhubAuth::PamPassword => true,
        JupyterhubAuth::Domain | JupyterhubAuth::Oauth => false,
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
    if pool.fields().vault().value().is_none_or(|v| *v == Value::Null) {
        if let Some(first) = secrets.clone().next() {
            sink.push(diags::password_secret_without_vault(pool.block(), first));
        } else if read::present(pool.fields().host_key()).is_some() {
            // One vault is missing, not two.
            sink.push(diags::host_key_without_vault(pool.block(), pool.fields().host_key().span()));
        }
    }
    let Some(hub) = services.iter().find(|s| s.port == JUPYTERHUB) else { return };
    let names = admin.and_then(|a| read::as_text(&a.name).map(|n| (n, a.view.fields().name().span()))).into_iter();
    // Names of declared users have no capitals.
    for (name, span) in names {
        if name.chars().any(|c| c.is_ascii_uppercase()) {
            sink.push(diags::jupyterhub_upper_case(name, span));
        }
    }
    let by_password = jupyterhub_asks_pam(pool);
    let has_password = secrets.clone().next().is_some() || admin.is_some_and(|a| a.password.is_some());
    if by_password && !has_password && admin.is_some() {
        sink.push(diags::jupyterhub_without_password(
            pool.block(),
            hub.span,
            admin.map_or(pool.block().name_span, |a| a.view.block().name_span),
        ));
    }
}
