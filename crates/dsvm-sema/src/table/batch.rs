//! Rows of pools that run jobs, and of what they need: accounts, workspaces, blob containers, jobs.

use super::{BlockKind, BlockSpec, FieldSpec, FieldType, Head, Part};

/// `pool …: batch`, what stands only inside it, and its surroundings.
pub const ROWS: &[BlockSpec] =
    &[BATCH_POOL, BATCH_AUTOSCALE, TASK_USER, DOCKER, NAT, BATCH_ACCOUNT, WORKSPACE, CONTAINER, JOB];

const ON_REMOVAL: FieldType = FieldType::OneOf(&["requeue", "terminate", "task_completion", "retained_data"]);
const COUNT: FieldType = FieldType::Either(&[FieldType::IntRange, FieldType::Int]);

const BATCH_POOL: BlockSpec = BlockSpec::top(
    BlockKind::BatchPool,
    "A pool of machines that run jobs and go away when there are none: a pool of Azure Batch, or a compute cluster of Azure Machine Learning.",
)
.fields(&[
    FieldSpec::new("service", FieldType::OneOf(&["azure_batch", "azure_ml", "batch_ai"]), "Who runs the jobs. Batch AI ended on 31 March 2019; naming it leads to its successors.").required().early(),
    FieldSpec::new("account", FieldType::Ref(BlockKind::BatchAccount), "Batch account of the pool; generated when left out (`azure_batch`).").early(),
    FieldSpec::new("workspace", FieldType::Ref(BlockKind::Workspace), "Workspace of the cluster; generated when left out (`azure_ml`).").early(),
    FieldSpec::new("name", FieldType::String, "Name in Azure; the block's name with `-` for `_` when left out.").early(),
    FieldSpec::new("display_name", FieldType::String, "Name as shown to people (`azure_batch`)."),
    FieldSpec::new("image", FieldType::Ref(BlockKind::Image), "What the machines run; one that Azure Batch supports. Azure Machine Learning brings its own: there the environment of a job is a container.").early(),
    FieldSpec::new("size", FieldType::Ref(BlockKind::Size), "Hardware: a size by name, or by need with `smallest(…)`.").required().early(),
    FieldSpec::new("machines", COUNT, "How many, of the kind that `priority` says. A range belongs to autoscale; deploying again never resets the number.").required(),
    FieldSpec::new("spot_machines", COUNT, "Spot machines next to regular ones (`azure_batch`).").default("0"),
    FieldSpec::new("priority", FieldType::OneOf(&["regular", "spot"]), "Spot machines cost less and can be taken away at any time. Neither service takes a highest price.").default("regular").early(),
    FieldSpec::new("max_price", FieldType::Money, "Neither service takes one: spot machines cost what spot machines cost."),
    FieldSpec::new("task_slots", FieldType::IntIn(1, 256), "Tasks that one machine runs at a time: at most four for each vCPU, and never more than 256 (`azure_batch`).").default("1").early(),
    FieldSpec::new("fill", FieldType::OneOf(&["spread", "pack"]), "Whether tasks are spread over machines or fill one after the other (`azure_batch`).").default("spread").early(),
    FieldSpec::new("inter_node", FieldType::Bool, "Machines talk to each other, as MPI needs. Limits the pool to 100 machines (`azure_batch`).").default("false").early(),
    FieldSpec::new("idle", FieldType::Duration, "How long a machine is idle before it goes (`azure_ml`; Azure Batch looks back with `autoscale`).").early(),
    FieldSpec::new("shares", FieldType::List(&FieldType::Ref(BlockKind::Share)), "File shares to mount, at most ten together with `containers`.").early(),
    FieldSpec::new("containers", FieldType::List(&FieldType::Ref(BlockKind::Container)), "Blob containers to mount.").early(),
    FieldSpec::new("network", FieldType::Ref(BlockKind::Network), "Network of the machines; the service's own when left out.").early(),
    FieldSpec::new("subnet", FieldType::String, "Which subnet of the network, by the name of its block; the first when left out.").early(),
    FieldSpec::new("public_ip", FieldType::Bool, "Whether machines have public addresses, as they need without a network of yours.").default("true").early(),
    FieldSpec::new("accelerated_networking", FieldType::Bool, "Network cards that bypass the host; on wherever the size has it (`azure_batch`).").early(),
    FieldSpec::new("ssh", FieldType::Bool, "Whether people can log in to the machines (`azure_ml`).").default("false").early(),
    FieldSpec::new("identity", FieldType::Ref(BlockKind::Identity), "Identity of the machines; generated when a container or a registry needs one.").early(),
    FieldSpec::new("applications", FieldType::List(&FieldType::String), "Application packages of the account, `name` or `name:version`, at most ten (`azure_batch`).").early(),
    FieldSpec::new("upgrade_mode", FieldType::OneOf(&["automatic", "manual", "rolling"]), "How machines get a new version of their system (`azure_batch`).").early(),
    FieldSpec::new("os_disk", FieldType::OneOf(&["managed", "ephemeral"]), "Kind of system disk. `ephemeral` lives on the host and does not go with spot machines (`azure_batch`).").default("managed").early(),
    FieldSpec::new("placement", FieldType::OneOf(&["regional", "zonal"]), "Whether machines spread over availability zones (`azure_batch`).").default("regional").early(),
    FieldSpec::new("resize_timeout", FieldType::Duration, "How long a resize of a fixed pool is tried: 5 minutes to 7 days (`azure_batch`).").default("15 min").early(),
    FieldSpec::new("on_removal", ON_REMOVAL, "What happens to the tasks of a machine that a resize removes (`azure_batch`); under autoscale its own `on_removal` counts.").default("task_completion").early(),
    FieldSpec::new("formula", FieldType::String, "A formula of Azure Batch in its own language, instead of `autoscale`; checked all the same.").early(),
    FieldSpec::new("every", FieldType::Duration, "How often `formula` is evaluated: 5 minutes to 168 hours.").default("15 min").early(),
    FieldSpec::new("tags", FieldType::StringMap, "Tags added to those of the project."),
])
.children(&[
    (BlockKind::BatchAutoscale, 1),
    (BlockKind::Admin, 1),
    (BlockKind::TaskUser, 0),
    (BlockKind::Setup, 1),
    (BlockKind::Docker, 1),
    (BlockKind::Nat, 5),
    (BlockKind::Override, 0),
])
.attributes(&[("id", "string", "Resource id of the pool or cluster."), ("name", "string", "Its name in Azure.")]);

const BATCH_AUTOSCALE: BlockSpec = BlockSpec::nested(
    BlockKind::BatchAutoscale,
    Head::Phrase(&[Part::Optional("every", "every")]),
    "How a pool of Azure Batch follows its tasks. Without targets it asks for as many machines as waiting and running tasks need; what it writes is guarded against missing samples, rounded up and kept inside the declared range.",
)
.fields(&[
    FieldSpec::new("every", FieldType::Duration, "How often the formula is evaluated: 5 minutes to 168 hours.").default("15 min").early(),
    FieldSpec::new("look_back", FieldType::Duration, "How far back tasks are averaged.").default("15 min").early(),
    FieldSpec::new("target", FieldType::Formula, "Regular machines wanted, of `pending_tasks`, `active_tasks`, `running_tasks`, `evicted`, `task_slots`, `current`, `current_spot`, `hour`, `weekday`: `ceil(avg(pending_tasks, 15 min) / task_slots)`.").early(),
    FieldSpec::new("target_spot", FieldType::Formula, "Spot machines wanted, in the same words.").early(),
    FieldSpec::new("replace_evicted", FieldType::Bool, "Regular machines stand in for evicted spot machines, as far as their range allows.").default("false").early(),
    FieldSpec::new("on_removal", ON_REMOVAL, "What happens to the tasks of a machine that goes.").default("task_completion").early(),
]);

const TASK_USER: BlockSpec = BlockSpec::nested(
    BlockKind::TaskUser,
    Head::Name,
    "An account that tasks run under; not one to log in with (`azure_batch`).",
)
.fields(&[
    FieldSpec::new("name", FieldType::String, "User name, at most 20 characters; the block's name when left out.")
        .early(),
    FieldSpec::new("password", FieldType::Secret(&FieldType::String), "Password; Azure wants one.").required(),
    FieldSpec::new("elevated", FieldType::Bool, "Runs with administrator's rights.").default("false").early(),
    FieldSpec::new("uid", FieldType::IntIn(1000, 60000), "User id on Linux; goes with `gid`.").early(),
    FieldSpec::new("gid", FieldType::IntIn(1000, 60000), "Group id on Linux; goes with `uid`.").early(),
]);

const DOCKER: BlockSpec = BlockSpec::nested(
    BlockKind::Docker,
    Head::None,
    "Containers that tasks can run in; needs an image that Azure Batch can run containers on (`azure_batch`).",
)
.fields(&[
    FieldSpec::new("images", FieldType::List(&FieldType::String), "Images that every machine pulls at its start.")
        .early(),
    FieldSpec::new(
        "registry",
        FieldType::String,
        "Login server of a private registry, read by the pool's identity: it needs the role `AcrPull` there.",
    )
    .early(),
]);

const NAT: BlockSpec = BlockSpec::nested(
    BlockKind::Nat,
    Head::Name,
    "A port of every machine, reachable through the pool's public address (`azure_batch`).",
)
.fields(&[
    FieldSpec::new("port", FieldType::Port, "Port on the machine; not 29876 or 29877, which the service uses.")
        .required()
        .early(),
    FieldSpec::new("protocol", FieldType::OneOf(&["tcp", "udp"]), "Protocol.").default("tcp").early(),
    FieldSpec::new(
        "frontend",
        FieldType::IntRange,
        "Ports at the public address, one for each machine and at least 40; not between 50000 and 55000.",
    )
    .required()
    .early(),
    FieldSpec::new("from", FieldType::List(&FieldType::Cidr), "Who may reach it; nobody else can.").required().early(),
]);

const BATCH_ACCOUNT: BlockSpec = BlockSpec::top(
    BlockKind::BatchAccount,
    "An account of Azure Batch. Pools without one share a generated account; an `existing` one is only referred to.",
)
.can_exist()
.fields(&[
    FieldSpec::new("name", FieldType::String, "Name: 3 to 24 lower-case letters and digits, unique in the region; derived from the resource group when left out. An `existing` account needs it."),
    FieldSpec::new("allocation", FieldType::OneOf(&["batch_service", "user_subscription"]), "In whose subscription the machines are. `user_subscription` needs a `vault` and takes no shared keys.").default("batch_service").early(),
    FieldSpec::new("vault", FieldType::Ref(BlockKind::Vault), "Vault of the account, for `allocation = user_subscription`.").early(),
    FieldSpec::new("shared_keys", FieldType::Bool, "Whether programs may log in with the account's keys, not only with Entra identities.").default("false").early(),
    FieldSpec::new("storage", FieldType::Bool, "A storage account for application packages and task files, reached by the account's identity.").default("true").early(),
    FieldSpec::new("public", FieldType::Bool, "Whether the account can be reached from the internet.").default("true").early(),
    FieldSpec::new("tags", FieldType::StringMap, "Tags added to those of the project."),
])
.attributes(&[
    ("id", "string", "Resource id."),
    ("name", "string", "Name in Azure."),
    ("endpoint", "string", "Host name of the account."),
]);

const WORKSPACE: BlockSpec = BlockSpec::top(
    BlockKind::Workspace,
    "A workspace of Azure Machine Learning, with the storage account, vault and Application Insights that it needs. Clusters without one share a generated workspace.",
)
.can_exist()
.fields(&[
    FieldSpec::new("name", FieldType::String, "Name in Azure; `mlw-` and the block's name when left out. An `existing` workspace needs it.").early(),
    FieldSpec::new("display_name", FieldType::String, "Name as shown to people."),
    FieldSpec::new("vault", FieldType::Ref(BlockKind::Vault), "Its vault; generated when left out.").early(),
    FieldSpec::new("public", FieldType::Bool, "Whether the workspace can be reached from the internet.").default("true").early(),
    FieldSpec::new("tags", FieldType::StringMap, "Tags added to those of the project."),
])
.attributes(&[("id", "string", "Resource id."), ("name", "string", "Name in Azure."), ("principal_id", "string", "Object id of its identity.")]);

const CONTAINER: BlockSpec = BlockSpec::top(
    BlockKind::Container,
    "A blob container that batch machines mount. Cheaper than a share and not POSIX: no locks, and two writers of one blob overwrite each other.",
)
.can_exist()
.fields(&[
    FieldSpec::new("mount", FieldType::String, "Where machines mount it: an absolute path, not under `/mnt`.").required().early(),
    FieldSpec::new("name", FieldType::String, "Name of the container in Azure; the block's name with `-` for `_` when left out."),
    FieldSpec::new("account", FieldType::String, "Name of the storage account, unique in all of Azure; derived from the resource group when left out. An `existing` container needs it."),
    FieldSpec::new("resource_group", FieldType::String, "Resource group of an `existing` container, when it is not the one deployed to."),
    FieldSpec::new("redundancy", FieldType::OneOf(&["lrs", "zrs", "grs", "gzrs"]), "Copies of the data.").default("zrs").early(),
    FieldSpec::new("options", FieldType::String, "Options for blobfuse, added to those that dsvmc writes.").early(),
    FieldSpec::new("tags", FieldType::StringMap, "Tags added to those of the project."),
])
.attributes(&[("id", "string", "Resource id."), ("account", "string", "Name of the storage account."), ("name", "string", "Name of the container in Azure.")]);

const JOB: BlockSpec = BlockSpec::top(
    BlockKind::Job,
    "A first job for a pool. Jobs are no resources: `build` writes the job file and the command that submits it next to the template.",
)
.fields(&[
    FieldSpec::new("pool", FieldType::Ref(BlockKind::BatchPool), "Where it runs.").required().early(),
    FieldSpec::new("command", FieldType::String, "What runs, by bash.").required().early(),
    FieldSpec::new("nodes", FieldType::IntIn(1, 1000), "Machines that one run takes, not more than the pool can have.").default("1").early(),
    FieldSpec::new("slots", FieldType::IntIn(1, 256), "Task slots that it takes on its machine (`azure_batch`).").default("1").early(),
    FieldSpec::new("mpi", FieldType::Bool, "Runs on all its machines under MPI; the pool needs `inter_node`.").default("false").early(),
    FieldSpec::new("environment", FieldType::String, "Container image that it runs in; Azure Machine Learning needs one.").early(),
    FieldSpec::new("inputs", FieldType::List(&FieldType::Either(&[FieldType::Ref(BlockKind::Share), FieldType::Ref(BlockKind::Container)])), "What it reads; mounted by the pool.").early(),
    FieldSpec::new("outputs", FieldType::List(&FieldType::Either(&[FieldType::Ref(BlockKind::Share), FieldType::Ref(BlockKind::Container)])), "What it writes; mounted by the pool.").early(),
    FieldSpec::new("time_limit", FieldType::Duration, "It is ended after so long.").default("7 days").early(),
    FieldSpec::new("retries", FieldType::IntIn(0, 10), "How often a failed task is tried again.").default("0").early(),
]);
