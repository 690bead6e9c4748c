//! Pools that run jobs, and their accounts, workspaces and containers.

use crate::arm;
use crate::subject::{Look, found};
use dsvm_diagnostics::Diagnostic;
use dsvm_diagnostics::source::Span;
use dsvm_sema::table::batch as rows;
use dsvm_sema::table::schema::View;

pub(crate) fn ssh_open(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for pool in look.batch().filter(|pool| pool.open_ssh) {
        out.push(
            found(
                format!("SSH of every machine of `{}` is open to the whole internet", pool.block.name),
                pool.view.fields().ssh().span(),
                "the service knows everybody or nobody",
            )
            .help("leave `ssh` out; or name a `network` of yours and write `allow ssh from network`"),
        );
    }
}

pub(crate) fn shared_keys(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for account in look.fleet.batch_support.accounts.iter().filter(|account| account.shared_keys && !account.existing) {
        let Some(view) = View::<rows::BatchAccount>::new(account.block) else { continue };
        out.push(
            found(
                format!("`{}` accepts its keys", account.block.name),
                view.fields().shared_keys().span(),
                "who has a key can run anything",
            )
            .help("leave `shared_keys` out: programs log in with Entra identities"),
        );
    }
}

/// A service without a public address is reached through a private endpoint, which only a `resource` makes.
pub(crate) fn unreachable_private(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    if look.raw().any(|node| arm::of_type(node, "Microsoft.Network/privateEndpoints")) {
        return;
    }
    let support = &look.fleet.batch_support;
    let accounts =
        support.accounts.iter().filter(|account| !account.public && !account.existing).filter_map(|account| {
            let view = View::<rows::BatchAccount>::new(account.block)?;
            Some((account.block, view.fields().public().span()))
        });
    let workspaces = support.workspaces.iter().filter(|workspace| !workspace.public && !workspace.existing);
    let workspaces = workspaces.filter_map(|workspace| {
        let view = View::<rows::Workspace>::new(workspace.block)?;
        Some((workspace.block, view.fields().public().span()))
    });
    for (block, span) in accounts.chain(workspaces) {
        out.push(
            found(format!("nobody reaches `{}`", block.name), span, "and this project makes no private endpoint for it")
                .help("add a `resource` of type Microsoft.Network/privateEndpoints; allow this finding if somebody else makes one"),
        );
    }
}

/// A name of a container image that can mean another image tomorrow: without a digest, and with the tag `latest` or none.
fn moves(image: &str) -> bool {
    if image.contains('@') {
        return false;
    }
    let last = image.rsplit('/').next().unwrap_or(image);
    match last.split_once(':') {
        Some((_, tag)) => tag.is_empty() || tag == "latest",
        None => true,
    }
}

pub(crate) fn container_image_unpinned(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let mut all: Vec<(&str, Span)> = Vec::new();
    for pool in look.batch() {
        if let Some(docker) = pool.view.docker() {
            let at = docker.fields().images().span();
            all.extend(docker.images().into_iter().flatten().map(|image| (image, at)));
        }
    }
    for job in &look.fleet.jobs {
        all.extend(job.environment.map(|image| (image, job.view.fields().environment().span())));
    }
    for (image, span) in all.into_iter().filter(|(image, _)| moves(image)) {
        out.push(
            found(format!("`{image}` can be another image tomorrow"), span, "no version")
                .help("write a tag that is never moved, or a digest: `NAME@sha256:…`"),
        );
    }
}

pub(crate) fn task_user_elevated(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for pool in look.batch() {
        for user in pool.view.task_users().filter(|user| user.elevated()) {
            out.push(
                found(
                    format!("tasks of `{}` run as administrator", user.block().name),
                    user.fields().elevated().span(),
                    "reads the keys of mounted shares",
                )
                .help("install what tasks need in `setup`, and leave `elevated` out"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::moves;

    #[test]
    fn only_latest_and_nothing_move() {
        for image in ["ubuntu", "ubuntu:latest", "registry:5000/team/tool", "mcr.microsoft.com/x/y:latest"] {
            assert!(moves(image), "{image}");
        }
        for image in ["ubuntu:24.04", "registry:5000/team/tool:1.2", "ubuntu@sha256:abc"] {
            assert!(!moves(image), "{image}");
        }
    }
}
