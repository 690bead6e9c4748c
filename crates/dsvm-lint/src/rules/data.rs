//! Shares, containers and vaults: who reaches the data, and what brings it back.

use super::raw;
use crate::arm;
use crate::subject::{Look, found};
use dsvm_diagnostics::Diagnostic;
use dsvm_model::ids::ShareId;
use dsvm_model::share::{Auth, Protocol, Redundancy, Share};
use dsvm_model::support::{Access, Vault};
use dsvm_sema::checked::Block;
use dsvm_sema::table::batch as batch_rows;
use dsvm_sema::table::schema::View;
use dsvm_sema::table::vault as vault_rows;

/// Shares that the project makes.
fn made<'s, 'a>(look: &Look<'s, 'a>) -> impl Iterator<Item = &'s Share<'a>> + use<'s, 'a> {
    look.fleet.shares.iter().filter(|share| share.existing.is_none())
}

/// Vaults that the project makes, as written.
fn vaults<'s, 'a>(
    look: &Look<'s, 'a>,
) -> impl Iterator<Item = (&'s Vault<'a>, View<'a, vault_rows::Vault>)> + use<'s, 'a> {
    let made = look.fleet.vaults.iter().filter(|vault| vault.existing.is_none());
    made.filter_map(|vault| Some((vault, View::new(vault.block)?)))
}

/// Machines of batch pools cannot mount by identity, so keys are no choice there.
pub(crate) fn shared_key_storage(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for share in made(look) {
        let keys = match share.auth {
            Auth::KeyVault | Auth::AccountKey => true,
            Auth::ManagedIdentity | Auth::Network => false,
        };
        let is_this = |id: &ShareId| look.fleet.shares.get(*id).is_some_and(|one| one.id == share.id);
        let mounts = |shares: &[ShareId]| shares.iter().any(is_this);
        let for_people = look.pools().any(|pool| mounts(&pool.shares));
        let for_jobs = look.batch().any(|pool| mounts(&pool.shares));
        if !keys || !for_people || for_jobs {
            continue;
        }
        out.push(
            found(
                format!("`{}` is mounted with the key of its account", share.block.name),
                share.view.fields().auth().span(),
                "who has the key can do everything to the account",
            )
            .help("leave `auth` out: machines mount with their identity, and the account refuses keys"),
        );
    }
}

pub(crate) fn public_storage_endpoint(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for share in made(look).filter(|share| share.access != Access::PrivateEndpoint) {
        out.push(
            found(
                format!("`{}` has a public address", share.block.name),
                share.view.fields().access().span(),
                "only the firewall of the account keeps others out",
            )
            .help("set `access = private_endpoint`"),
        );
    }
}

pub(crate) fn public_vault(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for (vault, view) in vaults(look).filter(|(vault, _)| vault.access == Access::Public) {
        out.push(
            found(
                format!("the whole internet reaches `{}`", vault.block.name),
                view.fields().access().span(),
                "only tokens keep others out",
            )
            .help("leave `access` out: a private endpoint, reached from the networks of the pools"),
        );
    }
}

pub(crate) fn vault_retention_short(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let least = look.options.number("days");
    for (vault, view) in vaults(look).filter(|(vault, _)| vault.retention.get() < least) {
        out.push(
            found(
                format!("deleted secrets of `{}` are kept for {}", vault.block.name, vault.retention),
                view.fields().retention().span(),
                "fixed once the vault exists",
            )
            .help(format!("write `{least} days`, or leave `retention` out for 90")),
        );
    }
}

pub(crate) fn secret_without_expiry(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for (_, vault) in vaults(look) {
        for secret in vault.secrets().filter(|secret| secret.expires().is_none()) {
            out.push(
                found(
                    format!("secret `{}` never expires", secret.block().name),
                    secret.block().name_span,
                    "nothing reminds anybody to change it",
                )
                .help("add `expires = YYYY-MM-DD`, and change the secret before that day"),
            );
        }
    }
}

pub(crate) fn secret_expired(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for (_, vault) in vaults(look) {
        for secret in vault.secrets() {
            let Some(date) = secret.expires().filter(|date| *date <= look.as_of) else { continue };
            out.push(
                found(
                    format!("secret `{}` has expired", secret.block().name),
                    secret.fields().expires().span(),
                    format!("its day was {date}"),
                )
                .help("change the secret, and write a later day"),
            );
        }
    }
}

pub(crate) fn storage_lrs(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let shares = made(look).filter(|share| share.redundancy == Redundancy::Lrs);
    let shares = shares.map(|share| (share.block, share.view.fields().redundancy().span()));
    let containers = look.fleet.batch_support.containers.iter();
    let containers = containers.filter(|c| c.existing.is_none() && c.redundancy == Redundancy::Lrs).filter_map(|c| {
        let view = View::<batch_rows::Container>::new(c.block)?;
        Some((c.block, view.fields().redundancy().span()))
    });
    let written = shares.chain(containers).map(|(block, span)| (&*block.name, span));
    for (name, span) in written.chain(raw::local_accounts(look)) {
        out.push(
            found(format!("all copies of `{name}` are in one building"), span, "lost with that building")
                .help("write `zrs` for copies in three zones, or leave `redundancy` out"),
        );
    }
}

/// Whether the project protects something with Azure Backup in ARM's own words.
fn backs_up(look: &Look<'_, '_>) -> bool {
    look.graph.nodes.iter().any(|node| {
        let kind = node.kind.to_ascii_lowercase();
        kind.starts_with("microsoft.recoveryservices/vaults") && kind.contains("protecteditems")
            || kind.starts_with("microsoft.dataprotection/backupvaults") && kind.contains("backupinstances")
    })
}

pub(crate) fn share_without_backup(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    if backs_up(look) {
        return;
    }
    for share in made(look) {
        let help = match share.protocol {
            Protocol::Smb => "protect the share with Azure Backup, here with a `resource` or in the portal",
            Protocol::Nfs => "take snapshots of the share, or copy it to another account",
        };
        out.push(
            found(format!("nothing backs up `{}`", share.block.name), share.block.name_span, "a deleted file is gone")
                .note("`keep_deleted` brings back a share, not a file that was changed or deleted in it")
                .help(format!("{help}; allow this finding if that is done elsewhere")),
        );
    }
}

pub(crate) fn share_retention_short(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let least = look.options.number("days");
    for share in made(look).filter(|share| share.keep_deleted.get() < least) {
        out.push(
            found(
                format!("deleted shares of `{}` are kept for {}", share.block.name, share.keep_deleted),
                share.view.fields().keep_deleted().span(),
                "over before a weekend is",
            )
            .help(format!("write `{least} days` or more")),
        );
    }
}

/// Dialects of SMB before 3, and mounts without a log-in, which Azure Files refuses or which weaken the mount:
/// <https://learn.microsoft.com/azure/storage/files/files-smb-protocol>, `mount.cifs(8)`.
pub(crate) fn smb_old_option(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for share in look.fleet.shares.iter().filter(|share| share.protocol == Protocol::Smb) {
        let weak = share.options.iter().find(|option| {
            let option = option.to_ascii_lowercase();
            let version = option.strip_prefix("vers=").is_some_and(|v| !v.starts_with('3') && v != "default");
            version || ["sec=none", "guest", "seal=no"].contains(&option.as_str())
        });
        if let Some(option) = weak {
            out.push(
                found(
                    format!("`{option}` weakens the mount of `{}`", share.block.name),
                    share.view.fields().options().span(),
                    "no encryption, or no log-in",
                )
                .help("remove the option: dsvmc mounts with SMB 3.1.1"),
            );
        }
    }
}

pub(crate) fn stateful_unprotected(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let shares = made(look).filter(|share| !share.view.prevent_destroy()).map(|share| share.block);
    let vaults = vaults(look).filter(|(_, view)| !view.prevent_destroy()).map(|(vault, _)| vault.block);
    let blocks: Vec<&Block> = shares.chain(vaults).collect();
    if look.graph.nodes.iter().any(|node| arm::of_type(node, "Microsoft.Authorization/locks")) {
        return;
    }
    for block in blocks {
        out.push(
            found(
                format!("nothing keeps `{}` from being deleted", block.name),
                block.name_span,
                "a plan that removes it is carried out",
            )
            .help("add `prevent_destroy = true`, which rejects such a plan"),
        );
    }
}
