//! Accounts, groups and ids that a machine has before dsvmc creates any: a name from a `.dsvm` file → who has it already.
//!
//! [`PACKAGES`] lists, for each package of the images' system, the accounts and groups that it creates, with the text that
//! says so. A declared user gets a group of the same name, so it can have neither the name of an account nor that of a
//! group: `useradd` and `groupadd` would fail on every machine, or a password would be set for an account of the system.

/// A package that creates accounts or groups.
pub(crate) struct Package {
    /// Name of the package in Ubuntu or Debian; `dsvmc` for what dsvmc itself creates.
    pub name: &'static str,
    /// Where the names were read.
    #[cfg_attr(not(test), expect(dead_code, reason = "kept beside the names that it supports"))]
    pub source: &'static str,
    /// Certainty of the source: A, a primary source; B, a concrete secondary one.
    #[cfg_attr(not(test), expect(dead_code, reason = "kept beside the names that it supports"))]
    pub sure: char,
    /// Accounts. Their groups of the same name are not repeated in `groups`.
    pub accounts: &'static [&'static str],
    /// Groups without an account of that name.
    pub groups: &'static [&'static str],
}

/// Maintainer scripts and `sysusers.d` files of Debian 12, which Ubuntu builds its packages from, unless the row names
/// another source. Read on 2026-12-01.
pub(crate) const PACKAGES: &[Package] = &[
    Package {
        name: "base-passwd",
        source: "https://sources.debian.org/src/base-passwd/3.6.1/ (passwd.master, group.master)",
        sure: 'A',
        accounts: &[
            "root", "daemon", "bin", "sys", "sync", "games", "man", "lp", "mail", "news", "uucp", "proxy", "www-data",
            "backup", "list", "irc", "_apt", "nobody",
        ],
        groups: &[
            "adm", "tty", "disk", "kmem", "dialout", "fax", "voice", "cdrom", "floppy", "tape", "sudo", "audio", "dip",
            "operator", "src", "shadow", "utmp", "video", "sasl", "plugdev", "staff", "users", "nogroup",
        ],
    },
    Package {
        name: "base-passwd",
        source: "https://sources.debian.org/src/base-passwd/3.6.1/doc/users-and-groups.sgml/ (removed in later releases)",
        sure: 'A',
        accounts: &["gnats"],
        groups: &[],
    },
    Package {
        name: "systemd",
        source: "https://sources.debian.org/src/systemd/252.39-1~deb12u2/sysusers.d/",
        sure: 'A',
        accounts: &["systemd-network", "systemd-resolve", "systemd-timesync", "systemd-coredump", "systemd-oom"],
        groups: &["systemd-journal"],
    },
    Package {
        name: "udev",
        source: "https://sources.debian.org/src/systemd/252.39-1~deb12u2/debian/udev.postinst/",
        sure: 'A',
        accounts: &[],
        groups: &["input", "sgx", "kvm", "render"],
    },
    Package {
        name: "dbus",
        source: "https://sources.debian.org/src/dbus/1.14.10-1~deb12u1/debian/dbus-system-bus-common.postinst/",
        sure: 'A',
        accounts: &["messagebus"],
        groups: &[],
    },
    Package {
        name: "openssh",
        source: "https://sources.debian.org/src/openssh/1:9.2p1-2+deb12u3/debian/ (`_ssh` was `ssh` before Ubuntu 22.04)",
        sure: 'A',
        accounts: &["sshd"],
        groups: &["_ssh", "ssh"],
    },
    Package {
        name: "cron",
        source: "https://sources.debian.org/src/cron/3.0pl1-162/debian/cron-daemon-common.postinst/",
        sure: 'A',
        accounts: &[],
        groups: &["crontab"],
    },
    Package {
        name: "util-linux",
        source: "https://sources.debian.org/src/util-linux/2.38.1-5+deb12u3/debian/uuid-runtime.postinst/",
        sure: 'A',
        accounts: &["uuidd"],
        groups: &[],
    },
    Package {
        name: "tcpdump",
        source: "https://sources.debian.org/src/tcpdump/4.99.3-1/debian/tcpdump.postinst/",
        sure: 'A',
        accounts: &["tcpdump"],
        groups: &[],
    },
    Package {
        name: "tpm-udev",
        source: "https://sources.debian.org/src/tpm-udev/0.6/debian/tpm-udev.postinst/",
        sure: 'A',
        accounts: &["tss"],
        groups: &[],
    },
    Package {
        name: "fwupd",
        source: "https://sources.debian.org/src/fwupd/2.0.20-1~deb12u2/",
        sure: 'A',
        accounts: &["fwupd-refresh"],
        groups: &[],
    },
    Package {
        name: "usbmuxd",
        source: "https://sources.debian.org/src/usbmuxd/1.1.1-2/debian/usbmuxd.postinst/",
        sure: 'A',
        accounts: &["usbmux"],
        groups: &[],
    },
    Package {
        name: "dnsmasq-base",
        source: "https://sources.debian.org/src/dnsmasq/2.90-4~deb12u1/debian/dnsmasq-base.postinst/",
        sure: 'A',
        accounts: &["dnsmasq"],
        groups: &[],
    },
    Package {
        name: "chrony",
        source: "https://sources.debian.org/src/chrony/4.3-2+deb12u1/debian/postinst/",
        sure: 'A',
        accounts: &["_chrony"],
        groups: &[],
    },
    Package {
        name: "polkitd",
        source: "https://sources.debian.org/src/policykit-1/122-3/debian/polkitd.postinst/",
        sure: 'A',
        accounts: &["polkitd"],
        groups: &[],
    },
    Package {
        name: "ifupdown",
        source: "https://sources.debian.org/src/ifupdown/0.8.41/debian/ifupdown.postinst/",
        sure: 'A',
        accounts: &[],
        groups: &["netdev"],
    },
    Package {
        name: "ssl-cert",
        source: "https://sources.debian.org/src/ssl-cert/1.1.2/debian/postinst/",
        sure: 'A',
        accounts: &[],
        groups: &["ssl-cert"],
    },
    Package {
        name: "docker",
        source: "https://docs.docker.com/engine/install/linux-postinstall/",
        sure: 'A',
        accounts: &[],
        groups: &["docker"],
    },
    Package {
        name: "lxd",
        source: "https://sources.debian.org/src/lxd/5.0.2-5/debian/ (`_lxd`); /etc/passwd of Ubuntu servers (`lxd`)",
        sure: 'A',
        accounts: &["lxd", "_lxd"],
        groups: &[],
    },
    Package {
        name: "libvirt",
        source: "https://sources.debian.org/src/libvirt/9.0.0-4/debian/libvirt-daemon-system.postinst/",
        sure: 'A',
        accounts: &["libvirt-qemu"],
        groups: &["libvirt"],
    },
    Package {
        name: "sudo",
        source: "https://help.ubuntu.com/community/RootSudo (Ubuntu's `/etc/sudoers` names the group `admin`)",
        sure: 'B',
        accounts: &[],
        groups: &["admin"],
    },
    Package {
        name: "Ubuntu server",
        source: "`/etc/passwd` of Ubuntu 20.04, 22.04 and 24.04 servers, as listed in public reports",
        sure: 'B',
        accounts: &["syslog", "landscape", "pollinate"],
        groups: &[],
    },
    Package { name: "dsvmc", source: "crates/dsvm-graph/src", sure: 'A', accounts: &[], groups: &["dsvmusers"] },
];

/// The package that creates an account or group of this name on the machines.
pub(crate) fn owner(name: &str) -> Option<&'static Package> {
    PACKAGES.iter().find(|package| package.accounts.contains(&name) || package.groups.contains(&name))
}

/// Whether a name means something else than an account in a sudo rule: `ALL` is everybody, and a name of capitals is the
/// name of an alias. "Aliases … NAME ::= [A-Z]([A-Z][0-9]_)*", "The reserved word ALL is a built-in alias that always causes
/// a match to succeed": <https://www.sudo.ws/docs/man/sudoers.man/>. cloud-init writes such a rule for the administrator.
pub(crate) fn is_sudo_alias(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        || ["Defaults", "User_Alias", "Runas_Alias", "Host_Alias", "Cmnd_Alias"].contains(&name)
}

/// Id of the first account that is created on a Debian system, which on a new machine of Azure is the administrator.
/// `UID_MIN`: <https://sources.debian.org/src/shadow/1:4.13+dfsg1-1/debian/login.defs/>.
pub(crate) const ADMIN_ID: i64 = 1000;
/// Id of the group `dsvmusers`, which owns the files on SMB mounts.
pub(crate) const GROUP_ID: i64 = 1900;

/// What the members of a group can do that other accounts cannot.
pub(crate) enum Power {
    /// They can become root.
    Root,
    /// They can read what belongs to others, or devices.
    Reads,
}

/// A group that gives its members more than a common project does.
pub(crate) struct Powerful {
    pub name: &'static str,
    pub power: Power,
    /// Continues "members of the group …".
    pub what: &'static str,
    /// Where it was read; the quotation is from there.
    #[cfg_attr(not(test), expect(dead_code, reason = "kept beside the claim that it supports"))]
    pub source: &'static str,
}

/// Debian's description of its groups, in the package `base-passwd`.
const DEBIAN: &str = "https://sources.debian.org/src/base-passwd/3.6.1/doc/users-and-groups.sgml/";

/// Groups whose members have power over the machine. Only what a source says is here.
pub(crate) const POWERFUL: &[Powerful] = &[
    // "Members of this group may run any command as any user when using sudo or pkexec".
    Powerful { name: "sudo", power: Power::Root, what: "can run any command as root", source: DEBIAN },
    // Ubuntu's `/etc/sudoers`: `%admin ALL=(ALL) ALL`.
    Powerful {
        name: "admin",
        power: Power::Root,
        what: "can run any command as root",
        source: "https://help.ubuntu.com/community/RootSudo",
    },
    // "The docker group grants root-level privileges to the user."
    Powerful {
        name: "docker",
        power: Power::Root,
        what: "can start a container that is root on the machine",
        source: "https://docs.docker.com/engine/install/linux-postinstall/",
    },
    // "Anyone with access to the socket can fully control LXD, which includes the ability to attach host devices and file systems".
    Powerful {
        name: "lxd",
        power: Power::Root,
        what: "can attach the machine's disks to a container in which they are root",
        source: "https://canonical.com/lxd/docs/latest/explanation/security/",
    },
    // "a libvirt connection to the system bus gives you privileges equivalent to root".
    Powerful {
        name: "libvirt",
        power: Power::Root,
        what: "can attach the machine's disks to a virtual machine in which they are root",
        source: "https://gitlab.com/libvirt/libvirt-dbus/-/commit/43f9cd72efc6c931509e8ae893c845c8c03f1a1d",
    },
    // "Raw access to disks. Mostly equivalent to root access."
    Powerful { name: "disk", power: Power::Root, what: "can write to the machine's disks directly", source: DEBIAN },
    // "the ability to modify /usr/local is effectively equivalent to root access".
    Powerful { name: "staff", power: Power::Root, what: "can replace programs that root runs", source: DEBIAN },
    // "/etc/shadow is readable by this group."
    Powerful {
        name: "shadow",
        power: Power::Root,
        what: "can read the password hashes of all accounts, the administrator's among them",
        source: DEBIAN,
    },
    // "/dev/kmem and similar files are readable by this group."
    Powerful { name: "kmem", power: Power::Reads, what: "can read the memory of the system", source: DEBIAN },
    // "Members of this group can read many log files in /var/log".
    Powerful { name: "adm", power: Power::Reads, what: "can read the logs of the machine", source: DEBIAN },
];

/// What a group gives its members, if it is more than access to a project's files.
pub(crate) fn powerful(group: &str) -> Option<&'static Powerful> {
    POWERFUL.iter().find(|row| row.name == group)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_name_is_in_the_table_once_with_a_source() {
        let mut seen = BTreeSet::new();
        for package in PACKAGES {
            assert!(matches!(package.sure, 'A' | 'B'), "{}: nothing is refused on a guess", package.name);
            assert!(package.source.len() > 10, "{}: no source", package.name);
            for name in package.accounts.iter().chain(package.groups) {
                assert!(seen.insert(*name), "{name} twice");
            }
        }
        for row in POWERFUL {
            assert!(seen.contains(row.name), "{} is not known as a group", row.name);
            assert!(row.source.starts_with("https://"), "{}: no source", row.name);
        }
    }

    #[test]
    fn capitals_are_aliases_of_sudo() {
        for name in ["ALL", "ADA", "DEPLOY_1", "Defaults", "User_Alias"] {
            assert!(is_sudo_alias(name), "{name}");
        }
        for name in ["Ada", "all", "aDA", "_ALL", "dsvmuser", "ada-LOVELACE"] {
            assert!(!is_sudo_alias(name), "{name}");
        }
    }
}
