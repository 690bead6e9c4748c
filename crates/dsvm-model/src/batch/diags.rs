//! Diagnostics of batch pools: one constructor for each fact.

use super::Service;
use batch_formula::FormulaSpan;
use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Code, Diagnostic, Severity};
use dsvm_sema::checked::Block;
use dsvm_sema::table::{FieldRef, View, batch as rows};
use jiff::civil::Date;

fn new(code: Code, title: impl Into<String>, span: Span, label: &str) -> Diagnostic {
    Diagnostic::new(code, title, span, label)
}

pub(crate) fn batch_ai_ended(span: Span) -> Diagnostic {
    new(Code::BatchAiEnded, "Batch AI ended on 31 March 2019", span, "no longer exists")
        .help("write `azure_batch` to keep image, setup and mounts, or `azure_ml` for a managed training cluster")
        .help("run `dsvmc import` on the old definitions: it generates the pool for either service")
}

pub(crate) fn only_of_other_service(
    field: &str,
    span: Span,
    service: Service,
    other: &str,
    instead: &str,
) -> Diagnostic {
    new(
        Code::WrongService,
        format!("`{field}` does not apply to `{}`", service.word()),
        span,
        &format!("only {other} has it"),
    )
    .help(instead.to_owned())
}

pub(crate) fn no_max_price(service: Service, span: Span) -> Diagnostic {
    new(
        Code::WrongService,
        format!("`max_price` does not apply to `{}`", service.word()),
        span,
        "only an interactive pool has it",
    )
    .note("neither Azure Batch nor Azure Machine Learning supports a maximum price: machines are evicted when Azure needs the capacity")
    .help("remove it, and limit the cost with `machines` and the `time_limit` of jobs")
}

pub(crate) fn job_of_other_service(field: &str, span: Span, instead: &str) -> Diagnostic {
    new(Code::WrongService, format!("`{field}` does not apply to `azure_ml`"), span, "only Azure Batch has it")
        .help(instead)
}

pub(crate) fn windows_image(name: &str, span: Span) -> Diagnostic {
    new(Code::BatchImage, format!("batch pools run Linux, and `{name}` is Windows"), span, "a Windows image")
        .note("setup, links and commands of jobs are written for bash")
        .help("use `images.ubuntu_hpc`, or declare the pool as a `resource` of `Microsoft.Batch/batchAccounts/pools`")
}

pub(crate) fn image_perhaps_unsupported(name: &str, span: Span) -> Diagnostic {
    let mut found = new(
        Code::BatchImage,
        format!("image `{name}` is not known to be supported by Azure Batch"),
        span,
        "only an account can list the supported images",
    );
    found.severity = Severity::Warning;
    found
        .help(
            "check whether `az batch pool supported-images list` includes it; if so, declare an image with `batch = yes`",
        )
        .help("`images.ubuntu_hpc` is supported")
}

pub(crate) fn name_refused(name: &str, span: Span, rule: &str) -> Diagnostic {
    new(Code::BatchName, format!("Azure refuses the name `{name}`"), span, "becomes a name in Azure")
        .note(format!("allowed: {rule}"))
        .help("give the pool another `name`")
}

pub(crate) fn account_name_refused(name: &str, span: Span) -> Diagnostic {
    new(Code::BatchName, format!("Azure refuses the name `{name}`"), span, "name of a Batch account")
        .note("allowed: 3 to 24 lower-case letters and digits")
        .help("choose another name, or omit it")
}

pub(crate) fn existing_without_name(block: &Block, kind: &str) -> Diagnostic {
    new(Code::BatchName, format!("an `existing` {kind} needs a name"), block.name_span, "`name` is missing")
        .help("set `name` to its name in Azure")
}

pub(crate) fn image_missing(block: &Block) -> Diagnostic {
    new(Code::BatchImage, format!("the pool `{}` has no image", block.name), block.name_span, "runs on Azure Batch")
        .help("add `image = images.ubuntu_hpc`")
}

pub(crate) fn image_unsupported(name: &str, span: Span, no_agent: bool, ended: Option<Date>) -> Diagnostic {
    let found = new(Code::BatchImage, format!("Azure Batch does not run `{name}`"), span, "not on its list");
    let found = match ended {
        Some(date) => found.note(format!("support for its node agent ended on {date}")),
        None if no_agent => found.note("no node agent is known for it; Azure Batch needs one that matches the image"),
        None => found,
    };
    found.help("use `images.ubuntu_hpc`, which is supported and has drivers for GPUs and InfiniBand")
}

pub(crate) fn image_without_containers(name: &str, span: Span, at_docker: Span) -> Diagnostic {
    new(Code::BatchImage, format!("Azure Batch cannot run containers on `{name}`"), span, "has no container runtime")
        .also(at_docker, "containers requested here")
        .help("use `images.ubuntu_hpc`")
}

pub(crate) fn burstable(name: &str, span: Span) -> Diagnostic {
    new(Code::BatchSize, format!("Azure Batch does not offer `{name}`"), span, "a burstable size")
        .help("use a size of the D series, for instance `sizes.Standard_D4s_v5`")
}

pub(crate) fn too_many_slots(slots: i64, limit: i64, size: &str, pool: View<'_, rows::BatchPool>) -> Diagnostic {
    new(
        Code::BatchSize,
        format!("{slots} task slots on a machine that supports {limit}"),
        pool.fields().task_slots().span(),
        "more than the size allows",
    )
    .also(pool.fields().size().span(), format!("`{size}`"))
    .note("Azure Batch allows four slots for each vCPU, and never more than 256")
    .help(format!("set `task_slots` to {limit} or fewer"))
}

pub(crate) fn inter_node_limit(most: i64, limit: i64, pool: View<'_, rows::BatchPool>) -> Diagnostic {
    new(
        Code::InterNodeLimit,
        format!("{most} interconnected machines, but Azure allows {limit}"),
        pool.fields().inter_node().span(),
        "limits the pool",
    )
    .also(pool.fields().machines().span(), format!("at most {most}"))
    .help(format!("limit `machines` to {limit}, or remove `inter_node`"))
}

pub(crate) fn inter_node_spot(pool: View<'_, rows::BatchPool>) -> Diagnostic {
    new(
        Code::InterNodeSpot,
        "inter-node communication on spot machines",
        pool.fields().inter_node().span(),
        "one eviction ends the whole job",
    )
    .note("Azure advises against long MPI jobs on spot machines")
    .help("use regular machines for such jobs, or let the job write checkpoints")
}

pub(crate) fn ephemeral_spot(pool: View<'_, rows::BatchPool>) -> Diagnostic {
    new(
        Code::EphemeralSpot,
        "an ephemeral OS disk on spot machines",
        pool.fields().os_disk().span(),
        "not supported on spot machines",
    )
    .note("Azure Batch rejects the combination")
    .help("remove `os_disk = ephemeral`")
}

pub(crate) fn share_by_identity(name: &str, span: Span, at_share: Span, service: Service) -> Diagnostic {
    let who = if service == Service::AzureBatch { "Azure Batch" } else { "Azure Machine Learning" };
    new(Code::BatchMount, format!("{who} cannot mount `{name}` without the account's key"), span, "mounted by the pool")
        .also(at_share, "not reached by key")
        .note("neither service mounts Azure Files by identity")
        .help("set `auth = account_key` in the share: the template reads the key without exposing it")
        .help("or use a `container` with the pool's identity, or a share with `protocol = nfs`")
}

pub(crate) fn key_in_interactive_pool(name: &str, span: Span, at_auth: Span) -> Diagnostic {
    new(
        Code::BatchMount,
        format!("interactive pools cannot mount `{name}` with the account's key"),
        span,
        "mounted here",
    )
    .also(at_auth, "for batch pools only")
    .note("every user of the machine could read the key")
    .help("use `auth = managed_identity`, or `auth = key_vault` with a `vault`")
}

pub(crate) fn nfs_in_ml(name: &str, span: Span) -> Diagnostic {
    new(
        Code::BatchMount,
        format!("Azure Machine Learning has no datastore for the NFS share `{name}`"),
        span,
        "not reachable",
    )
    .help("use a `container`, or an SMB share with `auth = account_key`")
}

pub(crate) fn nfs_without_network(name: &str, span: Span) -> Diagnostic {
    new(Code::BatchMount, format!("the NFS share `{name}` is reachable only from its network"), span, "no network here")
        .help("set `network` to the network of the share")
}

pub(crate) fn too_many(count: usize, what: &str, span: Span) -> Diagnostic {
    new(Code::BatchMount, format!("{count} {what}, but Azure Batch allows 10"), span, "too many")
        .help("remove some, or mount a common parent folder")
}

pub(crate) fn mounted_twice(path: &str, first: &str, second: &str, span: Span) -> Diagnostic {
    new(Code::BatchMount, format!("`{first}` and `{second}` are both mounted at `{path}`"), span, "one hides the other")
        .help("give one of them another `mount`")
}

pub(crate) fn mount_not_absolute(path: &str, span: Span) -> Diagnostic {
    new(Code::BatchMount, format!("`{path}` is not an absolute path"), span, "mount point")
        .help(format!("write `\"/data/{path}\"`"))
}

pub(crate) fn formula_and_autoscale(span: Span, at_autoscale: Span) -> Diagnostic {
    new(Code::BatchScale, "both a formula and an `autoscale` block", span, "one of them")
        .also(at_autoscale, "the other")
        .help("remove one of them")
}

pub(crate) fn autoscale_of_a_fixed_number(span: Span, at_machines: Span) -> Diagnostic {
    new(Code::BatchScale, "`autoscale` for a fixed number of machines", span, "nothing to scale")
        .also(at_machines, "no range")
        .help("write a range such as `machines = 0..8`, or remove `autoscale`")
}

pub(crate) fn range_backwards(least: i64, most: i64, span: Span) -> Diagnostic {
    new(
        Code::BatchScale,
        format!("`{least}..{most}` is not a usable range of machines"),
        span,
        "not a range from fewest to most",
    )
    .help("write the smaller number first; neither is below 0")
}

pub(crate) fn spot_twice(pool: View<'_, rows::BatchPool>) -> Diagnostic {
    new(
        Code::BatchScale,
        "`spot_machines` together with `priority = spot`",
        pool.fields().spot_machines().span(),
        "all machines are spot already",
    )
    .also(pool.fields().priority().span(), "spot machines")
    .help("remove one of them: `spot_machines` is for pools with regular `machines`")
}

pub(crate) fn target_without_machines(target: FieldRef<'_>, spot: bool) -> Diagnostic {
    let (range, kind) = if spot { ("spot_machines", "spot") } else { ("machines", "regular") };
    let (field, span) = (target.name(), target.span());
    new(Code::BatchScale, format!("`{field}` for a pool that can have no {kind} machines"), span, "always 0")
        .help(format!("declare {kind} machines (`{range}`, or `priority`), or use the other target"))
}

pub(crate) fn target_word(title: String, span: Span, help: &str) -> Diagnostic {
    new(Code::TargetWord, title, span, "not possible in a target").help(help.to_owned())
}

pub(crate) fn no_public_ip(span: Span) -> Diagnostic {
    new(Code::BatchNetwork, "machines without public addresses need a network", span, "no outbound access")
        .note("without public addresses, they reach Azure Batch only through a network with outbound access")
        .help("set `network`")
}

/// A port of every node that is open to the internet. A warning: `nat` has no other way to state the intent.
pub(crate) fn nat_open_to_all(name: &str, span: Span) -> Diagnostic {
    let title = format!("`{name}` is open to the whole internet");
    let found = new(Code::OpenToEveryone, title, span, "half of all addresses or more");
    Diagnostic { severity: Severity::Warning, ..found }
        .note("each node accepts connections on this port from anyone who finds it")
        .help("list the ranges that need access")
}

pub(crate) fn nat_without_ip(span: Span, at_public: Span) -> Diagnostic {
    new(Code::BatchNetwork, "a public port on machines without a public address", span, "no address")
        .also(at_public, "disabled here")
        .help("remove the port, or `public_ip = false`")
}

pub(crate) fn port_reserved(port: i64, span: Span) -> Diagnostic {
    new(Code::BatchNetwork, format!("port {port} is reserved by Azure Batch"), span, "used by the service")
        .help("choose another port on the machine")
}

pub(crate) fn frontend_reserved(from: i64, to: i64, span: Span) -> Diagnostic {
    new(Code::BatchNetwork, format!("Azure Batch rejects the ports {from} to {to}"), span, "not allowed")
        .note("allowed: 1 to 65534, except 50000 to 55000, which the service uses")
        .help("write for instance `frontend = 40000..40099`")
}

pub(crate) fn frontend_below_least(ports: i64, least: i64, span: Span) -> Diagnostic {
    new(
        Code::BatchNetwork,
        format!("a range of {ports} ports"),
        span,
        &format!("Azure Batch requires at least {least}"),
    )
    .help("write for instance `frontend = 40000..40099`")
}

pub(crate) fn too_many_nat_rules(rules: usize, most: usize, span: Span) -> Diagnostic {
    new(Code::BatchNetwork, format!("{rules} rules for ports of machines"), span, "too many address ranges")
        .note(format!("Azure Batch allows {most} for all ports of a pool: one for each range, and one for each port that denies the rest"))
        .help("merge address ranges, or remove some")
}

pub(crate) fn frontend_too_small(ports: i64, most: i64, span: Span) -> Diagnostic {
    new(Code::BatchNetwork, format!("{ports} ports for up to {most} machines"), span, "one port for each machine")
        .help(format!("make the range at least {most} ports long"))
}

pub(crate) fn frontend_twice(span: Span, other: Span) -> Diagnostic {
    new(Code::BatchNetwork, "two ports of the machines share a range", span, "overlaps")
        .also(other, "with this one")
        .help("give each its own range")
}

pub(crate) fn always_on(least: i64, size: &str, span: Span) -> Diagnostic {
    let machines = if least == 1 { "a machine".to_owned() } else { format!("{least} machines") };
    new(Code::AlwaysOn, format!("{machines} of `{size}` cost money while no job runs"), span, "never scales below this")
        .help("start the range at 0: machines are added when tasks are waiting")
}

pub(crate) fn account_needs_vault(account: View<'_, rows::BatchAccount>) -> Diagnostic {
    new(
        Code::BatchAccountMode,
        "an account with machines in your own subscription needs a vault",
        account.fields().allocation().span(),
        "needs a vault",
    )
    .help("set `vault`, and grant `Microsoft Azure Batch` the role `Key Vault Secrets Officer` on it")
}

/// What only an owner of the subscription can grant, and a template cannot: the object id of the service differs from
/// tenant to tenant. Source: "Create a Batch account in the Azure portal", user subscription mode.
pub(crate) fn account_needs_roles(account: View<'_, rows::BatchAccount>) -> Diagnostic {
    let mut found = new(
        Code::BatchAccountMode,
        "the service Microsoft Azure Batch needs two roles before this account can be created",
        account.fields().allocation().span(),
        "creates machines in your subscription",
    )
    .note("Azure Batch creates the machines and writes to the vault as the application ddbf3205-c6bd-46ae-8127-60eb93363864")
    .help("once for the subscription: `az role assignment create --assignee ddbf3205-c6bd-46ae-8127-60eb93363864 --role Contributor --scope /subscriptions/SUBSCRIPTION`")
    .help("once for the vault: the same with `--role \"Key Vault Secrets Officer\"` and the id of the vault as scope");
    found.severity = Severity::Info;
    found
}

pub(crate) fn packages_without_storage(span: Span, account: &Block) -> Diagnostic {
    new(Code::BatchAccountMode, "application packages need the storage of the account", span, "has no place to be in")
        .also(account.name_span, "an account without storage")
        .help("remove `storage = false` from the account")
}

/// Source: the reference of `ApplicationPackageReference`; an unknown package is `InvalidApplicationPackageReferences`.
pub(crate) fn packages_of_new_account(span: Span) -> Diagnostic {
    let mut found = new(
        Code::BatchAccountMode,
        "a new account has no application packages: Azure refuses the pool until they are there",
        span,
        "uploaded after the account is created",
    )
    .help("apply once, which creates the account; upload with `az batch application package create`; apply again")
    .help("or name an account that has them: `existing batch_account`");
    found.severity = Severity::Warning;
    found
}

pub(crate) fn keys_in_user_subscription(account: View<'_, rows::BatchAccount>) -> Diagnostic {
    new(
        Code::BatchAccountMode,
        "an account with machines in your own subscription does not support keys",
        account.fields().shared_keys().span(),
        "refused",
    )
    .also(account.fields().allocation().span(), "in your own subscription")
    .help("remove `shared_keys`: programs authenticate with Entra identities")
}

pub(crate) fn ssh_without_admin(pool: View<'_, rows::BatchPool>) -> Diagnostic {
    new(Code::TaskUser, "SSH access to machines without an account", pool.fields().ssh().span(), "nobody can log in")
        .help("add `admin { name = \"azureuser\", key = admin_key }`")
}

pub(crate) fn ssh_for_nobody(cluster: View<'_, rows::BatchPool>, network: bool) -> Diagnostic {
    let name = &cluster.block().name;
    let found = new(
        Code::ServedToNobody,
        format!("nobody can reach `ssh` of pool `{name}`"),
        cluster.fields().ssh().span(),
        "on, but not allowed",
    );
    let found = match network {
        true => found.help("add `allow ssh from network`: from inside the network of the cluster"),
        false => found.help("name a `network` and add `allow ssh from network`: from inside that network"),
    };
    found.help("or add `allow ssh from any`: from the whole internet")
}

pub(crate) fn allowed_without_ssh(span: Span, cluster: View<'_, rows::BatchPool>) -> Diagnostic {
    new(Code::AllowedButNotServed, "nothing serves `ssh`", span, "allows access to nothing")
        .also(cluster.block().name_span, "without `ssh = true`")
        .help("set `ssh = true`, or remove the `allow`")
}

pub(crate) fn cluster_serves_ssh_only(span: Span) -> Diagnostic {
    new(Code::AllowedButNotServed, "a cluster serves nothing but `ssh`", span, "allows access to nothing")
        .help("remove the `allow`")
}

pub(crate) fn ssh_from_ranges(span: Span) -> Diagnostic {
    new(Code::WrongService, "a cluster cannot limit SSH to address ranges", span, "expected `network` or `any`")
        .note("Azure Machine Learning opens the SSH port of each machine to the whole internet or closes it")
        .help("write `allow ssh from network`, and reach the network by VPN, Bastion or another machine in it")
        .help("or write `allow ssh from any`: in a network of yours, the security group of the subnet still applies")
}

pub(crate) fn no_network_to_log_in_from(span: Span) -> Diagnostic {
    new(Code::BatchNetwork, "this cluster is in no network of yours", span, "nobody is in the network of the service")
        .help("name the `network` of the cluster, or write `allow ssh from any`")
}

pub(crate) fn open_without_address(span: Span, cluster: View<'_, rows::BatchPool>) -> Diagnostic {
    new(
        Code::BatchNetwork,
        "machines without public addresses cannot be reached from the internet",
        span,
        "not reachable",
    )
    .also(cluster.fields().public_ip().span(), "no public addresses")
    .help("write `allow ssh from network`, or remove `public_ip = false`")
}

pub(crate) fn task_user_name(name: &str, span: Span) -> Diagnostic {
    new(Code::TaskUser, format!("the user name `{name}` has {} characters", name.len()), span, "at most 20")
        .help("choose a shorter name")
}

pub(crate) fn uid_without_gid(block: &Block) -> Diagnostic {
    new(Code::TaskUser, "`uid` and `gid` must be set together", block.name_span, "has only one of them")
        .help("set both, or neither")
}

pub(crate) fn job_needs_more(nodes: i64, most: i64, span: Span, at_pool: Span) -> Diagnostic {
    new(Code::JobDoesNotFit, format!("a job on {nodes} machines in a pool of at most {most}"), span, "waits forever")
        .also(at_pool, format!("at most {most}"))
        .help(format!("let the pool grow to {nodes} machines, or use fewer"))
}

pub(crate) fn job_needs_inter_node(span: Span, pool: &Block) -> Diagnostic {
    new(
        Code::JobDoesNotFit,
        "a job on several machines that cannot communicate",
        span,
        "needs inter-node communication",
    )
    .also(pool.name_span, "without `inter_node`")
    .help("set `inter_node = true` in the pool")
}

pub(crate) fn job_needs_slots(slots: i64, limit: i64, span: Span, pool: View<'_, rows::BatchPool>) -> Diagnostic {
    new(Code::JobDoesNotFit, format!("a task that needs {slots} slots on machines with {limit}"), span, "waits forever")
        .also(pool.fields().task_slots().span(), format!("{limit} on each machine"))
        .note("the pool would grow for it, and no machine could run it")
        .help(format!("raise `task_slots` of the pool to {slots}, or use fewer slots"))
}

pub(crate) fn job_needs_docker(span: Span, pool: &Block) -> Diagnostic {
    new(Code::JobDoesNotFit, "a job in a container, on machines without containers", span, "runs in a container")
        .also(pool.name_span, "without `docker`")
        .help("add a `docker` block to the pool, with this image in `images`")
}

/// Sources: "Multi-Instance Tasks and Batch Shipyard" of Azure ("if you attempt to connect to the SSH server running on the
/// host, the launcher will attempt to initialize on the host with an MPI runtime that doesn't exist"), and reports of that:
/// <https://github.com/Azure/Batch/issues/34>, <https://github.com/Azure/azure-sdk-for-net/issues/15777>.
pub(crate) fn mpi_between_containers(span: Span, mpi: Span) -> Diagnostic {
    let mut found = new(
        Code::JobDoesNotFit,
        "MPI does not reach the containers of the other machines by itself",
        span,
        "runs in a container on each machine",
    )
    .also(mpi, "connects the machines by SSH")
    .note("port 22 of each machine leads to the machine, where the MPI of the image is not installed")
    .help(
        "leave `environment` out and use the MPI of an image such as `images.ubuntu_hpc`, or use `service = azure_ml`",
    )
    .help("or let the image start an SSH server with keys on another port, and tell MPI that port");
    found.severity = Severity::Info;
    found
}

pub(crate) fn job_needs_environment(block: &Block) -> Diagnostic {
    new(
        Code::JobDoesNotFit,
        "a job of Azure Machine Learning without a container",
        block.name_span,
        "`environment` is missing",
    )
    .help("set `environment` to a container image")
}

pub(crate) fn job_mount_missing(name: &str, span: Span, pool: &Block) -> Diagnostic {
    new(Code::JobDoesNotFit, format!("the pool does not mount `{name}`"), span, "not mounted")
        .also(pool.name_span, "the pool of the job")
        .help(format!("add `{name}` to `shares` or `containers` of the pool"))
}

pub(crate) fn job_reads_unmounted(path: &str, name: &str, span: Span) -> Diagnostic {
    let mut found = new(
        Code::JobDoesNotFit,
        format!("the command names `{path}`, where the job mounts nothing"),
        span,
        "neither read nor written by the job",
    )
    .note("Azure Machine Learning mounts for a job what its `inputs` and `outputs` name, and nothing else")
    .help(format!("add `{name}` to `inputs` of the job, or to `outputs` if it writes there"));
    found.severity = Severity::Warning;
    found
}

/// Where in a formula a finding is, for people.
pub(crate) fn position(text: &str, place: FormulaSpan) -> String {
    let before = text.get(..place.start as usize).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
    let shown = text.get(place.start as usize..place.end as usize).unwrap_or("").split('\n').next().unwrap_or("");
    format!("at `{shown}`, line {line}, column {column} of the formula")
}
