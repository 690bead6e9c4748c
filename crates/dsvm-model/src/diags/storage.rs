//! Shares, mounts, links, roles and secrets.

use super::new;
use crate::units::GIB;
use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Code, Diagnostic};
use dsvm_sema::checked::Block;
use dsvm_sema::table::schema::View;
use dsvm_sema::table::share::Share;

pub(crate) fn share_without_quota(block: &Block) -> Diagnostic {
    new(Code::QuotaRefused, format!("share `{}` has no capacity", block.name), block.name_span, "`quota` is missing")
        .help("add, for instance, `quota = 1 TiB`")
}

pub(crate) fn quota_outside(
    share: View<'_, Share>,
    bytes: i64,
    (least, most): (i64, i64),
    premium: bool,
) -> Diagnostic {
    let kind = if premium { "premium" } else { "standard" };
    let gib = bytes / GIB;
    let (label, wanted) = match (least..=most).contains(&gib) {
        true => ("not a whole number of GiB", gib + i64::from(bytes % GIB >= GIB / 2)),
        false => ("out of bounds", gib.clamp(least, most)),
    };
    new(
        Code::QuotaRefused,
        format!("the capacity of share `{}` is not one that Azure offers", share.block().name),
        share.fields().quota().span(),
        label,
    )
    .note(format!("a {kind} share has {least} GiB to {most} GiB, in whole GiB"))
    .help(format!("write for instance `{wanted} GiB`"))
}

pub(crate) fn nfs_needs_premium(share: View<'_, Share>) -> Diagnostic {
    new(
        Code::NfsNeedsPremium,
        "an NFS share needs premium storage",
        share.fields().performance().span(),
        "standard storage supports SMB only",
    )
    .also(share.fields().protocol().span(), "NFS")
    .help("write `performance = premium` or omit it, or use `protocol = smb`")
}

pub(crate) fn nfs_takes_no_auth(auth: Span) -> Diagnostic {
    new(
        Code::NfsTakesNoAuth,
        "an NFS share supports neither identities nor keys",
        auth,
        "only the network controls access",
    )
    .help("remove `auth`; only the networks of its pools can reach the share")
}

pub(crate) fn root_squash_on_smb(root_squash: Span) -> Diagnostic {
    new(Code::RootSquashOnSmb, "root squash is a setting of NFS shares", root_squash, "this share is SMB")
        .help("remove `root_squash`, or write `protocol = nfs`")
}

/// `out`: what to write, one sentence each.
pub(crate) fn nfs_subnet_shared(pool: &Block, share: &Block, other: &Block, out: &[String]) -> Diagnostic {
    let diagnostic = new(
        Code::NfsSubnetShared,
        format!("machines of pool `{}` can mount NFS share `{}`, which the pool does not list", pool.name, share.name),
        pool.name_span,
        "in a subnet that the share lets in",
    )
    .also(other.name_span, format!("mounts `{}` and is in the same subnet", share.name))
    .also(share.name_span, "trusts all machines of the subnet")
    .note("NFS believes what a machine says about its users: root on any of them can read and change all files");
    out.iter().fold(diagnostic, |diagnostic, sentence| diagnostic.help(sentence.as_str()))
}

pub(crate) fn nfs_reachable(pool: &Block, share: &Block, access: Span, other: &Block) -> Diagnostic {
    new(
        Code::NfsReachable,
        format!("machines of pool `{}` can reach NFS share `{}`, which the pool does not list", pool.name, share.name),
        access,
        "reachable from the whole network",
    )
    .also(pool.name_span, "in the same network")
    .also(other.name_span, format!("mounts `{}`", share.name))
    .note("NFS believes what a machine says about its users: root on any of them can read and change all files")
    .help("write `access = service_endpoint`, which lets only the subnets of the share's pools in, or put the pools on separate networks")
}

/// `names`: the users who may become root, at least one.
pub(crate) fn root_beside_nfs(names: &[&str], sudo: Span, share: &Block) -> Diagnostic {
    let all: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    new(
        Code::RootOnNfsPool,
        format!("{} can read and change the files of everybody on NFS share `{}`", all.join(", "), share.name),
        sudo,
        "may become root",
    )
    .also(share.name_span, "believes what a machine says about its users")
    .note("root can act as any user id, with root squash too")
    .help("give root rights only to people who may read everything on the share, or put the others on a pool with a share of their own")
}

/// A user of a pool, and the other one of an earlier pool: name, id, name of the pool, place of the id.
pub(crate) fn nfs_owner_clash(
    share: &Block,
    (name, uid, pool, at): (&str, i64, &str, Span),
    (other, other_uid, other_pool, first): (&str, i64, &str, Span),
) -> Diagnostic {
    let (title, label, help) = match uid == other_uid {
        true => (
            format!("user id {uid} is `{other}` on pool `{other_pool}` and `{name}` on pool `{pool}`"),
            "owns the files of both",
            "give each person one id that nobody else has, the same on all pools",
        ),
        false => (
            format!("`{name}` has user id {other_uid} on pool `{other_pool}` and {uid} on pool `{pool}`"),
            "owns other files",
            "give each person one id, the same on all pools",
        ),
    };
    new(Code::NfsOwnerClash, title, at, label)
        .also(first, "the other id")
        .also(share.name_span, "mounted by both pools")
        .note("an NFS share stores user ids, not names")
        .help(help)
}

pub(crate) fn mount_option_refused(option: &str, span: Span) -> Diagnostic {
    new(Code::MountOptionRefused, format!("`{option}` is not a mount option"), span, "empty, or with a blank in it")
        .note("the table of mounts separates its fields with blanks: the options after the blank would be lost")
        .help("write each option as a string of its own: `options = [\"noatime\", \"nconnect=8\"]`")
}

pub(crate) fn smb_without_privacy(share: &Block, target: Span, pool: &Block) -> Diagnostic {
    new(
        Code::SmbWithoutPrivacy,
        format!("folders of SMB share `{}` are not private", share.name),
        target,
        "everybody on the pool reads and changes it",
    )
    .also(pool.name_span, "has more than one user")
    .note("an SMB mount has one owner, one group and one mode for all files, and all accounts of the pool are in the group")
    .help("write `protocol = nfs` for files that keep their owner and mode, or give people who must not read each other's files separate shares and pools")
}

pub(crate) fn premium_is_not_geo_redundant(redundancy: Span) -> Diagnostic {
    new(
        Code::PremiumIsNotGeoRedundant,
        "premium storage does not support geo-redundancy",
        redundancy,
        "not available for SSD",
    )
    .help("write `redundancy = zrs` or `lrs`, or `performance = standard`")
}

pub(crate) fn share_needs_vault(share: View<'_, Share>) -> Diagnostic {
    new(
        Code::ShareVaultMismatch,
        format!("share `{}` names no vault for its key", share.block().name),
        share.fields().auth().span(),
        "needs a vault for the key",
    )
    .help("add `vault = …`, or write `auth = managed_identity`")
}

pub(crate) fn vault_without_key(share: View<'_, Share>, vault: &Block) -> Diagnostic {
    new(
        Code::ShareVaultMismatch,
        format!("share `{}` uses no key, so it does not need vault `{}`", share.block().name, vault.name),
        share.fields().vault().span(),
        "has no effect",
    )
    .help("remove `vault`, or write `auth = key_vault`")
}

pub(crate) fn mount_is_no_path(path: &str, span: Span) -> Diagnostic {
    new(Code::MountIsNoPath, format!("`{path}` is not a mount point"), span, "not a plain absolute path")
        .help("write a path such as `/datamnt/dsvmshare`: letters, digits, `_`, `-` and `.`, without `..` and without a trailing `/`")
}

pub(crate) fn mount_on_temporary_disk(path: &str, span: Span) -> Diagnostic {
    new(
        Code::MountOnTemporaryDisk,
        format!("`{path}` is on the temporary disk"),
        span,
        "lost whenever the machine stops",
    )
    .note("Azure mounts the temporary disk at `/mnt`; sizes without one have nothing there")
    .help("choose another path, such as `/datamnt/dsvmshare`")
}

pub(crate) fn mount_hides_folder(path: &str, span: Span) -> Diagnostic {
    new(Code::MountHidesFolder, format!("a share at `{path}` hides a system folder"), span, "a system folder")
        .note("the contents of the folder on the machine, such as home folders, would be hidden by the share")
        .help("choose a dedicated folder, such as `/datamnt/dsvmshare`, and link to it from the home folders")
}

pub(crate) fn mount_hides_home(path: &str, span: Span, user: &str, account: Span) -> Diagnostic {
    let title = format!("a share at `{path}` hides the home folder of `{user}`");
    new(Code::MountHidesFolder, title, span, "below a home folder")
        .also(account, "its account")
        .note(
            "Jupyter and shells lock files and change their owners, so these files must stay on the machine's own disk",
        )
        .help("choose a dedicated folder, such as `/datamnt/dsvmshare`, and link to it from the home folders")
}

pub(crate) fn share_twice(name: &str, span: Span) -> Diagnostic {
    new(Code::MountsOverlap, format!("share `{name}` is mounted twice"), span, "listed again").help("list it once")
}

pub(crate) fn mounts_overlap(span: Span, one: &str, at_one: Span, other: &str, at_other: Span) -> Diagnostic {
    new(Code::MountsOverlap, format!("mount points `{one}` and `{other}` overlap"), span, "both on one machine")
        .also(at_one, "mounted here")
        .also(at_other, "and here")
        .help("mount each share outside the others")
}

pub(crate) fn mode_is_not_octal(mode: &str, span: Span) -> Diagnostic {
    new(Code::ModeRefused, format!("`{mode}` is not a file mode"), span, "not octal")
        .help("write, for instance, `\"0660\"`")
}

pub(crate) fn mode_opens_to_all(mode: &str, span: Span) -> Diagnostic {
    new(
        Code::ModeRefused,
        format!("`{mode}` gives every account on the machine access"),
        span,
        "grants access to everyone",
    )
    .note("the pool's accounts belong to the group that owns the mount; no other account needs access")
    .help("end it with `0`, as in `\"0660\"` and `\"0770\"`")
}

pub(crate) fn link_outside_home(path: &str, span: Span) -> Diagnostic {
    new(Code::LinkOutside, format!("link `{path}` is not in the home folder"), span, "does not start with `~/`")
        .help("write, for instance, `link \"~/notebooks/remote\" to \"notebooks/{user}\"`")
}

pub(crate) fn link_target_outside(target: &str, span: Span) -> Diagnostic {
    new(Code::LinkOutside, format!("`{target}` is not a folder inside the share"), span, "leaves the share")
        .help("write a relative path without `..`, such as `\"notebooks/{user}\"`")
}

pub(crate) fn unknown_placeholder(word: &str, span: Span) -> Diagnostic {
    new(Code::NotOneOf, format!("unknown placeholder `{word}`"), span, "not a placeholder")
        .note("the only placeholder in link paths is `{user}`, which is replaced with the name of each user")
        .help("write `{user}`")
}

pub(crate) fn mount_by_identity_impossible(image: &str, share: &str, span: Span, at_image: Span) -> Diagnostic {
    new(
        Code::MountByIdentityImpossible,
        format!("image `{image}` cannot mount share `{share}` by identity"),
        span,
        "mounted by the pool's identity",
    )
    .also(at_image, "not known to be Ubuntu 22.04 or 24.04")
    .note("the mount helper exists for Ubuntu 22.04 and 24.04")
    .help("choose such an image, or write `auth = key_vault` in the share")
}

pub(crate) fn mount_by_identity_in_domain(share: &str, span: Span, at_domain: Span) -> Diagnostic {
    new(
        Code::MountByIdentityImpossible,
        format!("machines in a domain cannot mount share `{share}` by identity"),
        span,
        "mounted by the pool's identity",
    )
    .also(at_domain, "joins a domain")
    .help("write `auth = key_vault` in the share, or use NFS")
}

pub(crate) fn privileged_role(role: &str, span: Span) -> Diagnostic {
    new(
        Code::PrivilegedRole,
        format!("role `{role}` lets every machine change nearly everything"),
        span,
        "granted to machines",
    )
    .note("anyone who logs in to a machine can use its identity")
    .help("grant the narrowest role that is sufficient")
}

pub(crate) fn role_is_no_guid(text: &str, span: Span) -> Diagnostic {
    new(Code::RoleIsNoGuid, format!("`{text}` is not the GUID of a role"), span, "not a GUID")
        .help("import `std.roles` and write, for instance, `roles.storage_blob_data_reader`")
}

pub(crate) fn subnet_endpoint_needed(share: &str, span: Span, network: Option<Span>, at_network: Span) -> Diagnostic {
    new(
        Code::SubnetEndpointNeeded,
        format!("share `{share}` needs the service endpoint of storage in an existing subnet"),
        span,
        "lets the machines' subnet in",
    )
    .also(network.unwrap_or(at_network), "managed by somebody else: dsvmc does not change it")
    .note("without the endpoint, Azure rejects the storage account (SubnetsHaveNoServiceEndpointsConfigured); `plan` looks at the subnet")
    .help("ask the owner of the network for `Microsoft.Storage` in the subnet's service endpoints, or write `access = private_endpoint` in the share")
}
