//! Who logs in to machines, and what machines may do.

use crate::subject::{Look, found};
use dsvm_diagnostics::Diagnostic;
use dsvm_model::pool::PoolIdentity;
use dsvm_model::support::Grant;
use dsvm_sema::library;
use dsvm_sema::table::choices::Scope;
use dsvm_sema::table::facts::Role;
use dsvm_sema::table::words::JupyterhubAuth;
use std::collections::BTreeMap;

pub(crate) fn password_login(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for pool in look.pools().filter(|pool| pool.admin.password.is_some()) {
        out.push(
            found(
                format!("SSH of `{}` accepts a password", pool.block.name),
                pool.admin.view.fields().password().span(),
                "turns password log-ins on",
            )
            .help("set `key` alone; for JupyterHub, name a secret of the vault in `password_secret`, which SSH does not accept"),
        );
    }
}

pub(crate) fn key_shared_by_people(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for pool in look.pools() {
        for (index, user) in pool.users.iter().enumerate() {
            let before = pool.users.iter().take(index);
            let same = before.filter(|other| user.keys.iter().any(|key| other.keys.contains(key)));
            for other in same.take(1) {
                out.push(
                    found(
                        format!("`{}` and `{}` log in with the same key", other.name, user.name),
                        user.view.fields().key().span(),
                        "this key",
                    )
                    .also(other.view.fields().key().span(), "is here too")
                    .note("who did something cannot be told, and the key of one cannot be withdrawn alone")
                    .help("give each person a key of their own"),
                );
            }
        }
    }
}

pub(crate) fn user_with_root(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for pool in look.pools() {
        for user in pool.users.iter().filter(|user| user.sudo) {
            out.push(
                found(
                    format!("`{}` can become root on `{}`", user.name, pool.block.name),
                    user.view.fields().sudo().span(),
                    "reads the files of everybody",
                )
                .help("install what people need in `setup`, and leave `sudo` out"),
            );
        }
    }
}

/// A domain or OAuth log people in without a key or a password that is declared here.
pub(crate) fn user_without_login(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for pool in look.pools().filter(|pool| !pool.entra_login) {
        match pool.view.jupyterhub_auth() {
            JupyterhubAuth::PamPassword => {}
            JupyterhubAuth::Domain | JupyterhubAuth::Oauth => continue,
        }
        for user in pool.users.iter().filter(|user| user.keys.is_empty() && user.password_secret.is_none()) {
            out.push(
                found(
                    format!("`{}` cannot log in to `{}`", user.name, pool.block.name),
                    user.view.block().name_span,
                    "neither a key nor a password",
                )
                .help("add `key`, or `password_secret` for JupyterHub"),
            );
        }
    }
}

/// Data and management roles that let their holder change things, by the last words of their names. Roles that change
/// access or nearly everything are a warning of the compiler.
fn changes_things(name: &str) -> bool {
    ["Owner", "Contributor", "Administrator", "Admin", "Officer", "Operator"].iter().any(|word| name.ends_with(word))
}

pub(crate) fn role_too_wide(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let told = |grant: &Grant| {
        let mut roles = look.checked.all::<Role>().map(|(_, role)| role);
        roles.any(|role| role.privileged() && role.id().is_some_and(|id| id.eq_ignore_ascii_case(&grant.role)))
    };
    for identity in &look.fleet.identities {
        for grant in &identity.grants {
            let Scope::Word(_) = grant.scope else { continue };
            let Some(name) = library::role_name(&grant.role).filter(|name| changes_things(name)) else { continue };
            if told(grant) {
                continue;
            }
            out.push(
                found(
                    format!("`{}` is {name} on the whole resource group", identity.block.name),
                    grant.span,
                    "also of what is added later",
                )
                .help("name the share, vault or resource that it is needed for: `on NAME`"),
            );
        }
    }
}

pub(crate) fn identity_shared(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let mut holders = BTreeMap::new();
    for pool in look.pools() {
        let PoolIdentity::Declared(id) = pool.identity else { continue };
        let Some(identity) = look.fleet.identities.get(id).filter(|identity| !identity.grants.is_empty()) else {
            continue;
        };
        let Some(first) = holders.insert(identity.id, pool.block) else { continue };
        out.push(
            found(
                format!("`{}` and `{}` have one identity", first.name, pool.block.name),
                pool.view.fields().identity().span(),
                format!("what `{}` may do, both may", identity.block.name),
            )
            .help("give each pool an identity with the roles that it needs"),
        );
    }
}
