//! Rows of pools.

use super::{BlockKind, BlockSpec, FieldSpec, FieldType, Head, Part};

/// `pool` and everything that stands only inside pools.
pub const ROWS: &[BlockSpec] = &[POOL, ADMIN, USER, ALLOW, HEALTH, REPAIR, UPGRADE, SPOT, SETUP, STEP];

const SERVICES: FieldType = FieldType::Either(&[FieldType::OneOf(&["ssh", "jupyterhub", "rdp"]), FieldType::Port]);

const POOL: BlockSpec = BlockSpec::top(
    BlockKind::Pool,
    "A pool of machines. `interactive`: people log in to whichever machine of a scale set is free, at one address, and find their files on a share.",
)
.fields(&[
    FieldSpec::new("image", FieldType::Ref(BlockKind::Image), "What the machines run.").required().early(),
    FieldSpec::new("size", FieldType::Ref(BlockKind::Size), "Hardware: a size by name, or by need with `smallest(…)`.").required().early(),
    FieldSpec::new(
        "machines",
        FieldType::Either(&[FieldType::IntRange, FieldType::Int]),
        "How many. A range belongs to autoscale and begins at `initially`, else at its smaller end; deploying again never resets the number.",
    )
    .required(),
    FieldSpec::new("prevent_destroy", FieldType::Bool, "Refuse any plan that would delete the pool or make it anew.").default("false").early(),
    FieldSpec::new("name", FieldType::String, "Name of the scale set in Azure; `vmss-` and the pool's name when left out."),
    FieldSpec::new("resource_group", FieldType::String, "Resource group of the scale set and what belongs to it, when it is not the one deployed to."),
    FieldSpec::new("location", FieldType::Either(&[FieldType::Ref(BlockKind::Region), FieldType::String]), "Region, when it is not that of the project; that of its network."),
    FieldSpec::new("computer_name", FieldType::String, "What host names begin with; the pool's name when left out.").early(),
    FieldSpec::new("network", FieldType::Ref(BlockKind::Network), "Network of the machines; generated when left out.").early(),
    FieldSpec::new("subnet", FieldType::String, "Which subnet of the network, by the name of its block; the first when left out.").early(),
    FieldSpec::new("shares", FieldType::List(&FieldType::Ref(BlockKind::Share)), "Shares to mount on every machine.").early(),
    FieldSpec::new("serve", FieldType::List(&SERVICES), "What people reach on the pool's address: `ssh` (22), `jupyterhub` (8000), `rdp` (3389), or other TCP ports. Each becomes a rule of the load balancer, a probe and a rule of the network security group.")
        .default("[ssh]")
        .early(),
    FieldSpec::new("public", FieldType::Bool, "Whether the address is reachable from the internet (for those that `allow` lets in) or only from the network.").default("true").early(),
    FieldSpec::new("dns_label", FieldType::String, "First part of the pool's host name; derived from pool and resource group when left out."),
    FieldSpec::new(
        "affinity",
        FieldType::OneOf(&["client_ip", "client_ip_protocol", "none"]),
        "Whether a user comes back to the same machine. JupyterHub needs it: kernels live on one machine.",
    )
    .default("client_ip")
    .early(),
    FieldSpec::new("idle_timeout", FieldType::Duration, "How long the load balancer keeps a silent connection: 4 to 30 minutes.").default("30 min").early(),
    FieldSpec::new("autoscale", FieldType::Ref(BlockKind::Autoscale), "A policy declared at top level, instead of an `autoscale` block.").early(),
    FieldSpec::new("orchestration", FieldType::OneOf(&["uniform", "flexible"]), "Kind of scale set. Found from what the pool needs; `flexible` when nothing decides. Cannot be changed later.").early(),
    FieldSpec::new("priority", FieldType::OneOf(&["regular", "spot"]), "Spot machines cost less and can be taken away at any time.").default("regular").early(),
    FieldSpec::new("zones", FieldType::List(&FieldType::IntIn(1, 3)), "Availability zones to spread over.").early(),
    FieldSpec::new("os_disk", FieldType::OneOf(&["premium_ssd", "standard_ssd", "standard_hdd", "ephemeral"]), "Kind of system disk. `ephemeral` lives on the host: faster, free, and new after each reimage; only sizes with room for it have it.")
        .default("premium_ssd")
        .early(),
    FieldSpec::new("os_disk_size", FieldType::Size, "Size of the system disk, not below the image's own; the image's when left out.").early(),
    FieldSpec::new("security", FieldType::OneOf(&["trusted_launch", "standard"]), "Trusted Launch guards the boot; it needs an image of generation 2 and is the default for those.").early(),
    FieldSpec::new("secure_boot", FieldType::Bool, "Only signed boot software, under Trusted Launch. On unless the size has GPUs, whose drivers are often unsigned.").early(),
    FieldSpec::new("encryption_at_host", FieldType::Bool, "Encrypt temporary disks and caches too. The subscription must have the feature `EncryptionAtHost`.").default("true").early(),
    FieldSpec::new("identity", FieldType::Ref(BlockKind::Identity), "Identity of the machines; generated when a share or a vault needs one.").early(),
    FieldSpec::new("vault", FieldType::Ref(BlockKind::Vault), "Vault that the machines read passwords from (`password_secret`).").early(),
    FieldSpec::new("entra_login", FieldType::Bool, "SSH log-in with Entra accounts (`az ssh vm`). Gives no password, hence no JupyterHub log-in.").default("false").early(),
    FieldSpec::new(
        "jupyterhub_auth",
        FieldType::OneOf(&["pam_password", "domain", "oauth"]),
        "How JupyterHub knows people: by the Unix password of a declared account (`password_secret`), by a domain that `setup` joins, or by OAuth that `setup` configures.",
    )
    .default("pam_password")
    .early(),
    FieldSpec::new("scale_in", FieldType::OneOf(&["balanced", "oldest", "newest"]), "Which machine goes first when the pool shrinks.").default("balanced").early(),
    FieldSpec::new("notice", FieldType::Duration, "How long a machine is told before it is deleted: 5 to 15 minutes. Regular machines get 10 minutes when left out; spot machines have none.").early(),
    FieldSpec::new("accelerated_networking", FieldType::Bool, "Network cards that bypass the host; on wherever the size has it.").early(),
    FieldSpec::new("boot_diagnostics", FieldType::Bool, "Keep console log and screenshot of the boot.").default("true").early(),
    FieldSpec::new("tags", FieldType::StringMap, "Tags added to those of the project."),
])
.children(&[
    (BlockKind::Admin, 1),
    (BlockKind::User, 0),
    (BlockKind::Allow, 0),
    (BlockKind::Autoscale, 1),
    (BlockKind::Health, 1),
    (BlockKind::Repair, 1),
    (BlockKind::Upgrade, 1),
    (BlockKind::Spot, 1),
    (BlockKind::Setup, 1),
    (BlockKind::Override, 0),
])
.attributes(&[
    ("id", "string", "Resource id of the scale set."),
    ("name", "string", "Name of the scale set in Azure."),
    ("address", "string", "Host name of the pool; the private address of one that is not public."),
    ("ssh", "string", "The `ssh` command line of the administrator."),
    ("jupyterhub", "string", "Address of JupyterHub."),
    ("principal_id", "string", "Object id of the pool's identity."),
    ("client_id", "string", "Client id of the pool's identity."),
]);

const ADMIN: BlockSpec = BlockSpec::nested(BlockKind::Admin, Head::None, "The administrator's account. Azure wants one with a key or a password, whatever else logs in.").fields(&[
    FieldSpec::new("name", FieldType::String, "User name; lower case when JupyterHub is served. Azure refuses common names such as `admin` and `root`.").required(),
    FieldSpec::new("key", FieldType::Either(&[FieldType::SshKey, FieldType::List(&FieldType::SshKey)]), "OpenSSH public key, or several."),
    FieldSpec::new("password", FieldType::Secret(&FieldType::String), "Password that Azure sets when the machine is made. SSH then takes passwords too: prefer `key`."),
    FieldSpec::new("password_secret", FieldType::String, "Name of a secret in the pool's vault; each machine reads it at boot and sets it as the Unix password, which JupyterHub asks for. SSH stays with keys."),
]);

const USER: BlockSpec = BlockSpec::nested(
    BlockKind::User,
    Head::Name,
    "An account on every machine, with the same user id everywhere, and its links to the shares.",
)
.fields(&[
    FieldSpec::new(
        "uid",
        FieldType::IntIn(1000, 60000),
        "User and group id, the same on all machines; needed so that files on a share keep their owner.",
    )
    .required()
    .early(),
    FieldSpec::new(
        "key",
        FieldType::Either(&[FieldType::SshKey, FieldType::List(&FieldType::SshKey)]),
        "OpenSSH public key, or several.",
    ),
    FieldSpec::new(
        "password_secret",
        FieldType::String,
        "Name of a secret in the pool's vault that holds the Unix password.",
    ),
    FieldSpec::new("groups", FieldType::List(&FieldType::String), "More groups, for instance `docker`.").early(),
    FieldSpec::new("sudo", FieldType::Bool, "May become root.").default("false").early(),
]);

const ALLOW: BlockSpec = BlockSpec::nested(
    BlockKind::Allow,
    Head::Phrase(&[Part::Field("service"), Part::Optional("from", "sources")]),
    "Who may reach a service: `allow ssh from [203.0.113.0/24]`. Nothing is open that no `allow` names; `any` is the whole internet and has to be written, `network` the pool's own network.",
)
.fields(&[
    FieldSpec::new("service", SERVICES, "One of the services in `serve`.").required().early(),
    FieldSpec::new(
        "sources",
        FieldType::Either(&[FieldType::OneOf(&["any", "network"]), FieldType::List(&FieldType::Cidr), FieldType::Cidr]),
        "Address ranges.",
    )
    .required(),
]);

const HEALTH: BlockSpec = BlockSpec::nested(
    BlockKind::Health,
    Head::None,
    "What makes a machine healthy. When left out, each machine answers on a local port once its shares are mounted and everything in `serve` listens.",
)
.fields(&[
    FieldSpec::new("source", FieldType::OneOf(&["extension", "load_balancer"]), "Who asks: the health extension on the machine, or the load balancer's probe (uniform scale sets only).").default("extension").early(),
    FieldSpec::new("protocol", FieldType::OneOf(&["tcp", "http", "https"]), "How it is asked, when not by dsvmc's own check.").early(),
    FieldSpec::new("port", FieldType::Port, "Which port is asked.").early(),
    FieldSpec::new("path", FieldType::String, "Which path is asked, for http and https.").early(),
    FieldSpec::new("interval", FieldType::Duration, "Time between two questions: 5 to 60 seconds.").default("30 s").early(),
    FieldSpec::new("threshold", FieldType::IntIn(1, 24), "Answers in a row that change the verdict.").default("3").early(),
    FieldSpec::new("grace", FieldType::Duration, "Time that a new machine has to become healthy: at most 4 hours. 30 minutes when left out, or as long as `setup` takes.").early(),
]);

const REPAIR: BlockSpec = BlockSpec::nested(
    BlockKind::Repair,
    Head::None,
    "What happens to a machine that stays unhealthy. On with these defaults when left out.",
)
.fields(&[
    FieldSpec::new("enabled", FieldType::Bool, "Whether machines are repaired.").default("true").early(),
    FieldSpec::new("action", FieldType::OneOf(&["replace", "reimage", "restart"]), "How.").default("replace").early(),
    FieldSpec::new("grace", FieldType::Duration, "Time without repairs after a machine changed: 10 to 90 minutes. 30 minutes when left out, or as long as `setup` takes.").early(),
]);

const UPGRADE: BlockSpec = BlockSpec::nested(
    BlockKind::Upgrade,
    Head::None,
    "How running machines get a changed model. Rolling with these defaults when left out; `manual` leaves them as they are until somebody reimages them.",
)
.fields(&[
    FieldSpec::new("mode", FieldType::OneOf(&["rolling", "manual", "automatic"]), "Batch by batch while the rest stays healthy, by hand, or all at once.").default("rolling").early(),
    FieldSpec::new("batch", FieldType::Percent, "Most machines changed at once: 5% to 100%.").default("20%").early(),
    FieldSpec::new("unhealthy", FieldType::Percent, "Most unhealthy machines before it stops: 5% to 100%.").default("20%").early(),
    FieldSpec::new("pause", FieldType::Duration, "Rest between two batches.").default("5 min").early(),
    FieldSpec::new("os_images", FieldType::Bool, "Follow new versions of the image by itself (uniform scale sets only).").default("false").early(),
]);

const SPOT: BlockSpec = BlockSpec::nested(BlockKind::Spot, Head::None, "Terms of spot machines.").fields(&[
    FieldSpec::new("max_price", FieldType::Money, "Most to pay for one machine, for instance `1.20 USD/h`; up to the regular price when left out."),
    FieldSpec::new("on_eviction", FieldType::OneOf(&["delete", "deallocate"]), "What becomes of a machine that is taken away. Under autoscale only `delete`: deallocated machines count as capacity.").default("delete").early(),
    FieldSpec::new("restore", FieldType::Duration, "How long Azure tries to bring evicted machines back; not under autoscale.").early(),
]);

const SETUP: BlockSpec = BlockSpec::nested(
    BlockKind::Setup,
    Head::None,
    "What else to do on a new machine, after shares are mounted. Runs once, in order, as root; a step that fails is tried again and keeps the machine unhealthy.",
)
.fields(&[
    FieldSpec::new("packages", FieldType::List(&FieldType::String), "Ubuntu packages to install first.").early(),
    FieldSpec::new("takes", FieldType::Duration, "How long a new machine needs from its start until the setup is done: at most 90 minutes. Autoscale rests that long after it has added machines, and repairs leave new machines alone so long.").early(),
])
.children(&[(BlockKind::Step, 0)]);

const STEP: BlockSpec = BlockSpec::nested(BlockKind::Step, Head::Name, "One step of the setup.").fields(&[
    FieldSpec::new(
        "run",
        FieldType::String,
        "A bash script. Nothing secret can be in it: Azure shows it to everybody who can read the machine.",
    )
    .required(),
    FieldSpec::new("retries", FieldType::IntIn(0, 10), "How often it is tried again.").default("3").early(),
]);
