//! Rows of shares and their links.

use super::choices::{DnsZone, Location};
use super::schema::blocks;
use super::types::{Bytes, List, Ref, Seconds, StringMap, Text};
use super::vault::Vault;
use super::words::{Performance, Protocol, Redundancy, RootSquash, ShareAccess, ShareAuth, Tier};
use super::{Head, Part};

blocks! {
    /// A file share that every machine of a pool mounts: an Azure Files share in a storage account of its own, or
    /// an `existing` one.
    Share {
        head: Head::Name, top_level, can_exist;
        fields {
            /// SMB works everywhere; NFS keeps owners and modes of files, needs premium performance and is reached
            /// only through a network.
            protocol: Protocol = "smb", early;
            /// Capacity, whole GiB. Needed unless the share is `existing`.
            quota: Bytes;
            /// Where machines mount it: an absolute path, not under `/mnt` (the temporary disk) and not one that
            /// hides a system folder.
            mount: Text, required, early;
            /// Name of the share in Azure; the block's name with `-` for `_` if omitted.
            name: Text;
            /// Name of the storage account, globally unique; derived from the resource group if omitted.
            /// An `existing` share needs it.
            account: Text;
            /// Resource group of the share's account, when it is not the one deployed to.
            resource_group: Text;
            /// Region, when it is not that of the project.
            location: Location<'static>;
            /// Subscription id of an `existing` share, when it is not the one deployed to.
            subscription: Text;
            /// Refuse any plan that would delete the share or its account.
            prevent_destroy: bool = "false", early;
            /// Hard disks or SSD; premium for NFS, else standard, if omitted.
            performance: Performance, early;
            /// Copies of the data: one place, three zones, a second region, or both. `grs` for standard and `zrs`
            /// for premium shares if omitted.
            redundancy: Redundancy, early;
            /// Billing tier of a standard share; transaction optimized if omitted.
            tier: Tier, early;
            /// How a machine authenticates to an SMB share: with the pool's identity (the account then rejects keys),
            /// with the account key, which the machine reads from a vault at each boot, or, in batch pools only,
            /// with the key that the template hands over. NFS trusts the network and takes none of them.
            auth: ShareAuth, early;
            /// Vault that holds the account key, for `auth = key_vault`.
            vault: Ref<Vault>, early;
            /// Name of the vault secret with the account key, for `auth = key_vault`; `<name>-key` if omitted.
            key_secret: Text;
            /// How the network reaches the account; everything else is denied.
            access: ShareAccess = "service_endpoint", early;
            /// The private DNS zone of its private endpoints, if somebody else keeps it: an `existing resource`, a resource id,
            /// or `policy` where Azure Policy registers private endpoints. Omitted, a zone is deployed for each kind of
            /// service. A zone that exists must be resolvable in the network: networks deployed here are linked to it unless
            /// they have `dns` servers of their own.
            dns_zone: DnsZone<'static>, early;
            /// What root on a machine may do on an NFS share. Azure advises `root` where several people or machines that are
            /// not fully trusted use it. The default is `none`, as in Azure, because machines create the folders of `link` as
            /// root, and no source says that others may write to a new share. With `root`, prepare these folders before.
            /// Neither stops someone who is root on a machine from acting as another user.
            root_squash: RootSquash = "none", early;
            /// How long a deleted share can be brought back: 1 to 365 days.
            keep_deleted: Seconds = "7 days", early;
            /// Permissions of files on an SMB mount, octal. Default: `0660` on the machines of interactive pools; `0777` on
            /// those of Azure Batch, whose tasks run under accounts that the service makes.
            file_mode: Text, early;
            /// Permissions of folders on an SMB mount, octal. Default: `0770` on the machines of interactive pools; `0777`
            /// on those of Azure Batch.
            directory_mode: Text, early;
            /// More mount options, added to those that dsvmc writes. `nosuid` and `nodev` always hold.
            options: List<Text>, early;
            /// Tags added to those of the project.
            tags: StringMap;
        }
        children {
            links: any Link;
        }
        attributes ShareAttribute {
            /// Resource id of the share.
            id: "string";
            /// Name of the storage account.
            account: "string";
            /// Name of the share in Azure.
            name: "string";
            /// Host name of the file service.
            host: "string";
            /// Address of the share.
            url: "string";
        }
    }

    /// A link in the home folder of every user to a folder of the share, created when the machine starts: `link
    /// "~/notebooks/remote" to "notebooks/{user}"`. On an NFS share the folder is its user's. On an SMB share every account of
    /// the pool can read and change it: an SMB mount knows no people.
    Link {
        head: Head::Phrase(&[Part::Field("path"), Part::Word("to"), Part::Field("target")]);
        fields {
            /// The link: starts with `~/`; `{user}` is replaced with the user's name.
            path: Text, required, early;
            /// Folder inside the share, relative; `{user}` is replaced with the user's name. Created if missing.
            target: Text, required, early;
        }
    }
}
