//! Rows of pools and of the blocks that stand only inside pools.

use super::autoscale::Autoscale;
use super::choices::{Count, Location, Memory, Service, Sources};
use super::facts::{Image, Size};
use super::identity::Identity;
use super::network::Network;
use super::registry::Registry;
use super::resource::Override;
use super::schema::blocks;
use super::share::Share;
use super::types::{
    Bytes, IntIn, List, Money, OneOrMany, Percent, PortNumber, Preferred, Ref, Seconds, Secret, SshKey, StringMap, Text,
};
use super::vault::Vault;
use super::words::{
    Affinity, HealthProtocol, HealthSource, JupyterhubAuth, OnEviction, OnFailure, Orchestration, OsDiskKind, Priority,
    RepairAction, ScaleIn, Security, UpgradeMode,
};
use super::{Head, Part};

blocks! {
    /// A pool of machines. `interactive`: people log in to whichever machine of a scale set is free, at one
    /// address, and find their files on a share.
    Pool {
        head: Head::Name, top_level;
        fields {
            /// What the machines run.
            image: Ref<Image>, required, early;
            /// Hardware: a size by name, or by requirements with `smallest(…)` or `cheapest(…)`. `first of [a, b]` names
            /// alternatives in order of preference, for when Azure has none of the first.
            size: Preferred<Ref<Size>>, required, early;
            /// How many. A range belongs to autoscale and begins at `initially`, else at its smaller end; deploying
            /// again never resets the number.
            machines: Count<'static>, required;
            /// Reject any plan that would delete or recreate the pool.
            prevent_destroy: bool = "false", early;
            /// Name of the scale set in Azure; `vmss-` and the pool's name if omitted.
            name: Text;
            /// Resource group of the scale set and what belongs to it, when it is not the one deployed to.
            resource_group: Text;
            /// Region, when it is not that of the project; that of its network.
            location: Location<'static>;
            /// Prefix of host names, at most 15 letters, digits and `-`; the pool's name, cut to that length, if omitted.
            computer_name: Text, early;
            /// Network of the machines; generated if omitted.
            network: Ref<Network>, early;
            /// Which subnet of the network, by the name of its block; the first if omitted.
            subnet: Text, early;
            /// Shares to mount on every machine.
            shares: List<Ref<Share>>, early;
            /// What people reach on the pool's address: `ssh` (22), `jupyterhub` (8000), `rdp` (3389), or other TCP
            /// ports. Each becomes a rule of the load balancer, a probe and a rule of the network security group.
            serve: List<Service> = "[ssh]", early;
            /// Whether the address is reachable from the internet (for those that `allow` lets in) or only from the
            /// network.
            public: bool = "true", early;
            /// First part of the pool's host name; derived from pool and resource group if omitted.
            dns_label: Text;
            /// Whether a user comes back to the same machine. JupyterHub needs it: kernels live on one machine. The
            /// load balancer computes the machine from the user's address and the machines that are healthy: when the
            /// pool grows, shrinks or repairs a machine, users can arrive at another one. Files on shares are there too.
            affinity: Affinity = "client_ip", early;
            /// How long the load balancer keeps an idle connection: 4 to 30 minutes.
            idle_timeout: Seconds = "30 min", early;
            /// A policy declared at top level, instead of an `autoscale` block.
            autoscale: Ref<Autoscale>, early;
            /// Kind of scale set. Found from what the pool needs; `flexible` when nothing decides. Cannot be
            /// changed later.
            orchestration: Orchestration, early;
            /// Spot machines cost less and can be taken away at any time.
            priority: Priority = "regular", early;
            /// Availability zones to spread over.
            zones: List<IntIn<1, 3>>, early;
            /// Kind of OS disk. `ephemeral` is stored on the host: faster, free, and reset by each reimage; only on
            /// sizes with local storage for it.
            os_disk: OsDiskKind = "premium_ssd", early;
            /// Size of the OS disk, not below that of the image; the size of the image if omitted.
            os_disk_size: Bytes, early;
            /// Trusted Launch guards the boot; it needs an image of generation 2, and is the default for images that are
            /// known to boot with it. Azure rejects it for others.
            security: Security, early;
            /// Only signed boot software, under Trusted Launch. On unless the size has GPUs, whose drivers are
            /// often unsigned.
            secure_boot: bool, early;
            /// Encrypt temporary disks and caches too. The subscription must have the feature
            /// `Microsoft.Compute/EncryptionAtHost`: `plan` and `doctor` look, `apply` registers it with consent.
            encryption_at_host: bool = "false", early;
            /// Private registries that people on the machines pull container images from: the pool's identity gets the role,
            /// and `az login --identity` with `az acr login` uses it. Whoever logs in to a machine can.
            registries: List<Ref<Registry>>, early;
            /// Identity of the machines; generated when a share, a vault or a registry needs one.
            identity: Ref<Identity>, early;
            /// Vault that the machines read passwords (`password_secret`) and the host key (`host_key`) from. They get a role
            /// on each secret that is named, which must exist in an `existing` vault.
            vault: Ref<Vault>, early;
            /// Name of a secret in the pool's vault with a private OpenSSH host key without a passphrase. All machines then
            /// present this key, so that SSH clients do not warn when the pool's address leads to another machine. If
            /// omitted, each machine has a key of its own.
            host_key: Text;
            /// SSH log-in with Entra accounts (`az ssh vm`). Gives no password, hence no JupyterHub log-in.
            entra_login: bool = "false", early;
            /// How JupyterHub authenticates users: by the Unix password of a declared account (`password_secret`), by a
            /// domain that `setup` joins, or by OAuth that `setup` configures.
            jupyterhub_auth: JupyterhubAuth = "pam_password", early;
            /// Which machine is removed first when the pool shrinks.
            scale_in: ScaleIn = "balanced", early;
            /// How long before its deletion a machine is notified: 5 to 15 minutes. 10 minutes for regular machines if
            /// omitted; spot machines get no notice.
            notice: Seconds, early;
            /// Network cards that bypass the host; on wherever the size has it.
            accelerated_networking: bool, early;
            /// Keep console log and screenshot of the boot.
            boot_diagnostics: bool = "true", early;
            /// Most that the pool may cost with its disks, for a time: `900 USD/month`. A warning tells when its most machines
            /// cost more, at the prices that are known.
            budget: Money, early;
            /// Tags added to those of the project.
            tags: StringMap;
        }
        children {
            admin: one Admin;
            users: any User;
            allows: any Allow;
            own_autoscale: one Autoscale;
            health: one Health;
            repair: one Repair;
            upgrade: one Upgrade;
            spot: one Spot;
            limits: one Limits;
            setup: one Setup;
            overrides: any Override;
        }
        attributes PoolAttribute {
            /// Resource id of the scale set.
            id: "string";
            /// Name of the scale set in Azure.
            name: "string";
            /// Host name of the pool; the private address of one that is not public.
            address: "string";
            /// The `ssh` command line of the administrator.
            ssh: "string";
            /// Address of JupyterHub in a browser.
            jupyterhub: "string";
            /// Object id of the pool's identity.
            principal_id: "string";
            /// Client id of the pool's identity.
            client_id: "string";
        }
    }

    /// The administrator's account. Azure wants one with a key or a password, whatever else logs in.
    Admin {
        head: Head::None;
        fields {
            /// User name; lower case when JupyterHub is served. Azure rejects common names such as `admin` and
            /// `root`.
            name: Text, required;
            /// OpenSSH public key, or several.
            key: OneOrMany<SshKey>;
            /// Password that Azure sets when the machine is created. SSH then accepts passwords too: prefer `key`.
            password: Secret<Text>;
            /// Name of a secret in the pool's vault; each machine reads it at boot and sets it as the Unix
            /// password, which JupyterHub asks for. SSH stays with keys.
            password_secret: Text;
        }
    }

    /// An account on every machine, with the same user id everywhere, and its links to the shares. Its name has lower-case
    /// letters, digits, `_` and `-`, and is not that of an account or group of the system.
    User {
        head: Head::Name;
        fields {
            /// User and group id, the same on all machines; needed so that files on a share keep their owner. 1000 is the
            /// administrator's, 1900 that of the pool's common group.
            uid: IntIn<1000, 60000>, required, early;
            /// OpenSSH public key, or several.
            key: OneOrMany<SshKey>;
            /// Name of a secret in the pool's vault that holds the Unix password.
            password_secret: Text;
            /// More groups, which must exist on the machines. Groups that give root rights, such as `docker`, need
            /// `sudo = true`.
            groups: List<Text>, early;
            /// The user may become root.
            sudo: bool = "false", early;
        }
    }

    /// Who may reach a service: `allow ssh from [203.0.113.0/24]`. Nothing is open that no `allow` names; `any` is
    /// the whole internet and has to be written, `network` the pool's own network. A cluster of Azure Machine Learning
    /// knows `ssh` from `any` and from `network` only: the service opens the port of each machine to everybody or to
    /// nobody.
    Allow {
        head: Head::Phrase(&[Part::Field("service"), Part::Optional("from", "sources")]);
        fields {
            /// One of the services in `serve`.
            service: Service, required, early;
            /// Address ranges, `any` or `network`.
            sources: Sources<'static>, required;
        }
    }

    /// What makes a machine healthy. If omitted, each machine says so itself, on port 790: from the end of its setup on,
    /// while its shares are mounted and everything in `serve` listens. The load balancer asks the same port whether the
    /// machine takes people, whatever is written here.
    Health {
        head: Head::None;
        fields {
            /// Who asks: the health extension on the machine, or the load balancer's probe (uniform scale sets
            /// only).
            source: HealthSource = "extension", early;
            /// How it is asked, when not by dsvmc's own check.
            protocol: HealthProtocol, early;
            /// Which port is asked.
            port: PortNumber, early;
            /// Which path is asked, for http and https.
            path: Text, early;
            /// Time between two questions: 5 to 60 seconds, and with `threshold` at most 4 minutes for a verdict.
            interval: Seconds = "30 s", early;
            /// Answers in a row that change the verdict.
            threshold: IntIn<1, 24> = "3", early;
            /// Time that a new machine has to become healthy: at most 4 hours. 30 minutes if omitted, or as long
            /// as `setup` takes.
            grace: Seconds, early;
        }
    }

    /// What happens to a machine that stays unhealthy. On with these defaults if omitted.
    Repair {
        head: Head::None;
        fields {
            /// Whether machines are repaired.
            enabled: bool = "true", early;
            /// What happens to an unhealthy machine. `restart` if omitted, which keeps its disks; `replace` if the pool says
            /// `on_failure = replace`. Restarts do not repeat a setup that failed.
            action: RepairAction, early;
            /// Time without repairs after a machine changed: 10 to 90 minutes. 30 minutes if omitted, or as long
            /// as `setup` takes.
            grace: Seconds, early;
        }
    }

    /// How running machines get a changed model. Rolling with these defaults if omitted; `manual` leaves them unchanged
    /// until `dsvmc apply --rollout`, or until they are reimaged.
    Upgrade {
        head: Head::None;
        fields {
            /// Batch by batch while the rest stays healthy, by hand, or all at once.
            mode: UpgradeMode = "rolling", early;
            /// Most machines changed at once: 5% to 100%.
            batch: Percent = "20%", early;
            /// Most machines that an upgrade may leave unhealthy before it stops: 5% to 100%. Before a batch, one unhealthy
            /// machine of the smallest pool is let pass, so that an upgrade can repair it.
            unhealthy: Percent = "20%", early;
            /// Rest between two batches.
            pause: Seconds = "5 min", early;
            /// Install new versions of the image automatically (uniform scale sets only).
            os_images: bool = "false", early;
        }
    }

    /// Terms of spot machines.
    Spot {
        head: Head::None;
        fields {
            /// Maximum price for one machine, for instance `1.20 USD/h`; up to the regular price if omitted.
            max_price: Money;
            /// What becomes of a machine that is taken away. Under autoscale only `delete`: deallocated machines
            /// count as capacity.
            on_eviction: OnEviction = "delete", early;
            /// How long Azure tries to bring evicted machines back; not under autoscale.
            restore: Seconds, early;
            /// Regular machines of the pool, which are never taken away: so many of the first. All are spot machines if
            /// neither this nor `regular_above` is written. Flexible sets only.
            base: IntIn<0, 1000>, early;
            /// Share of the machines beyond `base` that are regular too, in whole percent.
            regular_above: Percent, early;
        }
    }

    /// What each person can use of a machine, over all log-in sessions of that person. Servers that JupyterHub starts are
    /// not limited: they run in the hub's own unit.
    Limits {
        head: Head::None;
        fields {
            /// Most memory, as a size or as a percentage of the machine's memory. The kernel ends processes of a person who
            /// exceeds it. No limit if omitted.
            memory: Memory, early;
            /// Most processes and threads. The system's own limit if omitted.
            tasks: IntIn<64, 4194304>, early;
        }
    }

    /// Further setup of a machine, after shares are mounted. Steps run in order, as root, each once for each of its texts:
    /// a changed step runs on the machines that are there, under the pool's upgrade policy. A step that fails is retried;
    /// then it stops the deployment or the upgrade, and the machine takes nobody.
    Setup {
        head: Head::None;
        fields {
            /// Ubuntu packages to install first.
            packages: List<Text>, early;
            /// How long a new machine needs from its start until the setup is done: at most 90 minutes. Autoscale
            /// pauses for that time after it has added machines, and repairs ignore new machines for that time.
            takes: Seconds, early;
            /// What becomes of a machine whose setup failed. `stop` ends the deployment or the upgrade with the output of the
            /// setup; the machine stays, takes nobody and is billed until it is repaired or removed. With `replace` the
            /// deployment goes on, and the machine is repaired as one that is unhealthy: see `repair`.
            on_failure: OnFailure = "stop", early;
        }
        children {
            steps: any Step;
        }
    }

    /// One step of the setup.
    Step {
        head: Head::Name;
        fields {
            /// A bash script. Nothing secret can be in it: Azure shows it to everybody who can read the deployment.
            run: Text, required;
            /// How often it is tried again.
            retries: IntIn<0, 10> = "3", early;
        }
    }
}
