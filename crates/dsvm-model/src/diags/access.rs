//! Accounts, services and networks.

use super::new;
use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Code, Diagnostic, Safety};
use dsvm_sema::checked::Block;
use dsvm_sema::table::BlockKind;
use ipnet::IpNet;

pub(crate) fn pool_without_admin(pool: &Block) -> Diagnostic {
    new(
        Code::PoolWithoutAdmin,
        format!("pool `{}` has no administrator", pool.name),
        pool.name_span,
        "nobody can repair its machines",
    )
    .note("Azure requires an account with a key or a password, in addition to all other accounts")
    .help("add `admin { name = \"dsvmuser\", key = admin_key }`")
}

pub(crate) fn admin_name_refused(name: &str, span: Span) -> Diagnostic {
    new(
        Code::AdminNameRefused,
        format!("Azure refuses `{name}` as the administrator's name"),
        span,
        "on Azure's list of disallowed names",
    )
    .help("choose a name that attackers do not try first, for instance `dsvmuser`")
}

pub(crate) fn user_name_malformed(name: &str, span: Span) -> Diagnostic {
    new(Code::UserNameMalformed, format!("`{name}` is not a user name"), span, "not accepted by Linux or Azure")
        .help("start with a letter or `_`, followed by letters, digits, `_` and `-`; at most 32 characters")
}

/// The name of a declared user: stricter than that of the administrator, whom Azure creates.
pub(crate) fn declared_user_malformed(name: &str, span: Span) -> Diagnostic {
    let diagnostic = new(
        Code::UserNameMalformed,
        format!("`{name}` is not a name for a user"),
        span,
        "not in the form of Linux account names",
    );
    let lower = name.to_ascii_lowercase();
    match super::super::login::account_name(&lower) {
        true => diagnostic.help(format!("write `{lower}`")),
        false => diagnostic.help(
            "start with a lower-case letter or `_`, followed by at most 31 lower-case letters, digits, `_` and `-`",
        ),
    }
}

/// A name that an account or group of the machines has already.
pub(crate) fn account_reserved(name: &str, span: Span, package: &str) -> Diagnostic {
    new(
        Code::AccountReserved,
        format!("`{name}` is an account or group of the machines' system"),
        span,
        "already exists on the machines",
    )
    .note(format!("it comes with `{package}`; a user and a group of that name cannot be created"))
    .help("choose a name that neither an account nor a group of the system has")
}

/// A name that means something else in a sudo rule.
pub(crate) fn account_is_sudo_alias(name: &str, span: Span) -> Diagnostic {
    new(
        Code::AccountReserved,
        format!("`{name}` is not the name of an account in sudo rules"),
        span,
        "means everybody, or an alias",
    )
    .note("in sudo rules, `ALL` is every account and other names of capital letters are aliases")
    .help(format!("write `{}`", name.to_ascii_lowercase()))
}

pub(crate) fn uid_reserved(uid: i64, span: Span, holder: &str, admin: Option<Span>) -> Diagnostic {
    let diagnostic = new(
        Code::AccountReserved,
        format!("user id {uid} belongs to {holder}"),
        span,
        "already in use on the machines",
    );
    let diagnostic = match admin {
        Some(admin) => diagnostic.also(admin, "created by Azure before all other accounts"),
        None => diagnostic,
    };
    diagnostic.help("choose another number, such as 2001")
}

pub(crate) fn group_malformed(group: &str, user: &str, span: Span) -> Diagnostic {
    new(Code::GroupRefused, format!("`{group}` is not a group name"), span, format!("in the groups of `{user}`").as_str())
        .help("write each group as a string of its own: a letter or `_`, followed by at most 31 letters, digits, `_`, `-` and `.`")
}

/// What members of the group can do continues "members of the group …".
pub(crate) fn group_gives_root(group: &str, what: &str, user: &str, groups: Span, name: Span) -> Diagnostic {
    new(
        Code::GroupGivesRoot,
        format!("group `{group}` gives `{user}` root rights"),
        groups,
        format!("members of `{group}` can become root").as_str(),
    )
    .also(name, "has no `sudo = true`")
    .note(format!("members of the group {what}"))
    .help(format!("add `sudo = true` to `user {user}`, so that it is visible who may become root, or remove the group"))
}

/// What members of the group can do continues "members of the group …".
pub(crate) fn group_gives_rights(group: &str, what: &str, user: &str, groups: Span) -> Diagnostic {
    new(
        Code::GroupGivesRights,
        format!("`{user}` is in the system's group `{group}`"),
        groups,
        format!("members of the group {what}").as_str(),
    )
}

pub(crate) fn admin_without_credentials(admin: &Block) -> Diagnostic {
    new(
        Code::AdminWithoutCredentials,
        "the administrator has neither key nor password",
        admin.name_span,
        "cannot log in",
    )
    .help("add `key`, preferably from a parameter: `param admin_key: ssh_key`")
}

pub(crate) fn key_is_no_ssh_key(span: Span) -> Diagnostic {
    new(Code::SshKeyRefused, "this is not an OpenSSH public key", span, "not a public key")
        .help("paste the line of the `.pub` file: `ssh-ed25519 AAAA…` or `ssh-rsa AAAA…`")
}

pub(crate) fn key_too_short(bits: usize, span: Span) -> Diagnostic {
    new(Code::SshKeyRefused, format!("an RSA key of {bits} bits is too short"), span, "shorter than 2048 bits")
        .help("generate a new key: `ssh-keygen -t ed25519`, or `-t rsa -b 4096`")
}

pub(crate) fn key_kind_refused(kind: &str, span: Span) -> Diagnostic {
    new(Code::SshKeyRefused, format!("Azure does not accept `{kind}` keys"), span, "neither RSA nor Ed25519")
        .help("generate a new key: `ssh-keygen -t ed25519`")
}

pub(crate) fn user_declared_twice(name: &str, span: Span, first: Span) -> Diagnostic {
    new(Code::AccountTaken, format!("account `{name}` is declared twice"), span, "declared again")
        .also(first, "declared here first")
        .help("rename one of them")
}

pub(crate) fn uid_taken(uid: i64, span: Span, first: Span, holder: &str) -> Diagnostic {
    new(Code::AccountTaken, format!("user id {uid} is already used by `{holder}`"), span, "already in use")
        .also(first, "first used here")
        .note("a share stores user ids, not names, so two users with the same id own each other's files")
        .help("choose another number")
}

pub(crate) fn password_secret_without_vault(pool: &Block, span: Span) -> Diagnostic {
    new(
        Code::PasswordSecretWithoutVault,
        format!("pool `{}` names no vault for its passwords", pool.name),
        span,
        "needs a vault",
    )
    .help("add `vault = …` to the pool")
}

pub(crate) fn host_key_without_vault(pool: &Block, span: Span) -> Diagnostic {
    new(
        Code::HostKeyWithoutVault,
        format!("pool `{}` names no vault for its host key", pool.name),
        span,
        "needs a vault",
    )
    .note("a private key in the template could be read by everybody who can read the deployment")
    .help("add `vault = …` to the pool")
}

pub(crate) fn jupyterhub_upper_case(name: &str, span: Span) -> Diagnostic {
    new(Code::JupyterhubUpperCase, format!("JupyterHub cannot start a server for `{name}`"), span, "has capitals")
        .note("JupyterHub converts names to lower case and PAM does not, so the login fails with error 500")
        .help(format!("write `{}`", name.to_ascii_lowercase()))
}

pub(crate) fn jupyterhub_without_password(pool: &Block, hub: Span, admin: Span) -> Diagnostic {
    new(Code::JupyterhubWithoutPassword, format!("nobody has a password for the JupyterHub of pool `{}`", pool.name), hub, "asks for a Unix password")
        .also(admin, "has a key only")
        .note("JupyterHub on the data science images authenticates with PAM passwords and does not support SSH keys")
        .help("add `password_secret = \"…\"` to the account and `vault = …` to the pool: each machine then sets the password from the vault, and SSH still uses keys")
        .help("or write `jupyterhub_auth = domain` or `oauth` and configure it in `setup`")
}

pub(crate) fn jupyterhub_without_affinity(affinity: Span) -> Diagnostic {
    new(
        Code::JupyterhubWithoutAffinity,
        "JupyterHub requires users to return to the same machine",
        affinity,
        "sends each connection to any machine",
    )
    .note("each machine runs its own JupyterHub, and a kernel runs on one machine")
    .help("write `affinity = client_ip`, or omit it")
}

pub(crate) fn image_without_jupyterhub(image: &str, span: Span, at_image: Span) -> Diagnostic {
    new(Code::ImageWithoutJupyterhub, format!("image `{image}` has no JupyterHub"), span, "nothing would respond")
        .also(at_image, "does not include it")
        .help("choose a data science image, install JupyterHub in `setup`, or remove it from `serve`")
}

pub(crate) fn served_twice(name: &str, span: Span) -> Diagnostic {
    new(Code::ServedTwice, format!("the port of `{name}` is served twice"), span, "listed again").help("list it once")
}

pub(crate) fn served_to_nobody(name: &str, pool: &Block, span: Span) -> Diagnostic {
    new(
        Code::ServedToNobody,
        format!("nobody can reach `{name}` of pool `{}`", pool.name),
        span,
        "served, but not allowed",
    )
    .note("a Standard load balancer lets nothing in that the network security group does not allow")
    .help(format!(
        "allow access: `allow {name} from [203.0.113.0/24]`, or `allow {name} from any` for the whole internet"
    ))
}

/// Access from the internet to a service of a pool that the internet cannot reach.
pub(crate) fn allowed_without_address(name: &str, pool: &Block, span: Span, public: Span) -> Diagnostic {
    new(
        Code::AllowedWithoutAddress,
        format!("nobody on the internet can reach `{name}` of pool `{}`", pool.name),
        span,
        "lets in the internet",
    )
    .also(public, "no public address")
    .note("a pool with `public = false` is reached from its network and from networks that are connected to it")
    .help(format!(
        "remove `public = false`, or write who is meant: `allow {name} from network`, or private address ranges"
    ))
}

pub(crate) fn allowed_but_not_served(name: &str, span: Span, serve: Span) -> Diagnostic {
    new(Code::AllowedButNotServed, format!("nothing serves `{name}`"), span, "allows access to nothing")
        .also(serve, "what is served")
        .help(format!("add `{name}` to `serve`, or remove the `allow`"))
}

/// Several `allow` of one service that leave nobody out together; `span` is the last one.
pub(crate) fn everyone_together(name: &str, span: Span) -> Diagnostic {
    let title = format!("`{name}` is open to the whole internet");
    new(Code::OpenToEveryone, title, span, "together with the others, contains half of all addresses or more")
        .help(format!("list the ranges that need access, or state it explicitly: `allow {name} from any`"))
}

pub(crate) fn everyone_in_disguise(name: &str, span: Span) -> Diagnostic {
    new(Code::OpenToEveryone, format!("`{name}` is open to the whole internet"), span, "half of all addresses or more")
        .help(format!("list the ranges that need access, or state it explicitly: `allow {name} from any`"))
        .fix("Write `any`", vec![(span, "any".into())], Safety::NeedsReview)
}

pub(crate) fn password_open_to_internet(name: &str, span: Span, pool: &Block) -> Diagnostic {
    new(
        Code::PasswordOpenToInternet,
        format!("`{name}` of pool `{}` accepts passwords from the whole internet", pool.name),
        span,
        "anyone can guess passwords",
    )
    .help(match name {
        "jupyterhub" => {
            "list the ranges that need access, or write `jupyterhub_auth = oauth` and configure it in `setup`"
        }
        _ => "list the ranges that need access, or give the administrator a key instead of a password",
    })
}

pub(crate) fn existing_without_name(block: &Block, field: &str) -> Diagnostic {
    let subnets = block.kind == BlockKind::Network && block.children(BlockKind::Subnet).next().is_none();
    let more = if subnets { ", and `subnet machines { name = \"…\" }`" } else { "" };
    new(
        Code::ExistingWithoutName,
        format!("`existing {} {}` has no `{field}`", block.kind.keyword(), block.name),
        block.name_span,
        "cannot be found",
    )
    .help(format!("add `{field} = \"…\"`{more} with the name in Azure"))
}

pub(crate) fn zone_without_endpoint(span: Span, block: &Block) -> Diagnostic {
    let title = match block.existing {
        true => format!("an `existing {}` gets no private endpoint", block.kind.keyword()),
        false => format!("`dns_zone` on a {} without private endpoints", block.kind.keyword()),
    };
    let found = new(Code::DnsZoneRefused, title, span, "has no effect");
    match block.existing {
        true => found.help("remove `dns_zone`: the owner of the resource keeps its endpoints and their names"),
        false => found.help("write `access = private_endpoint`, or remove `dns_zone`"),
    }
}

pub(crate) fn zone_of_another_type(kind: &str, span: Span, block: &Block) -> Diagnostic {
    new(Code::DnsZoneRefused, format!("`{kind}` is not a private DNS zone"), span, "expected a private DNS zone")
        .also(block.name_span, "declared here")
        .help(format!(
            "write `existing resource {}: \"Microsoft.Network/privateDnsZones@2024-06-01\" {{ name = \"…\" }}`",
            block.name
        ))
}

pub(crate) fn zone_not_existing(span: Span, block: &Block) -> Diagnostic {
    new(Code::DnsZoneRefused, "`dns_zone` names a zone that this project deploys", span, "expected a zone that exists")
        .also(block.name_span, "deployed with the project")
        .help("remove `dns_zone` and the `resource`: the zone of a private endpoint is deployed with it")
        .help("or write `existing resource` if somebody else keeps the zone")
}

pub(crate) fn zone_id_malformed(id: &str, span: Span) -> Diagnostic {
    new(Code::DnsZoneRefused, format!("`{id}` is not the resource id of a private DNS zone"), span, "expected a resource id")
        .help("write `/subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/Microsoft.Network/privateDnsZones/ZONE`, or `policy`")
}

pub(crate) fn zone_of_another_service(name: &str, domain: &str, span: Span) -> Diagnostic {
    new(Code::DnsZoneRefused, format!("the zone `{name}` does not serve this endpoint"), span, "another service's zone")
        .note(format!("names of its private endpoints are in a zone that begins with `{domain}`"))
        .help("name the zone of that service")
}

pub(crate) fn existing_without_subnet(block: &Block) -> Diagnostic {
    new(
        Code::ExistingWithoutName,
        format!("`existing network {}` names no subnet", block.name),
        block.name_span,
        "`subnet` is missing",
    )
    .help("add `subnet machines { name = \"…\" }` with its name in Azure")
}

pub(crate) fn subnet_outside_network(range: &IpNet, span: Span, network: Span, space: &[IpNet]) -> Diagnostic {
    let space: Vec<String> = space.iter().map(IpNet::to_string).collect();
    new(Code::SubnetRefused, format!("subnet {range} is not inside the network"), span, "outside")
        .also(network, format!("the network has {}", space.join(" and ")))
        .help("choose a range inside the network, or give the network a larger one")
}

pub(crate) fn subnet_too_small_for_azure(range: &IpNet, span: Span) -> Diagnostic {
    new(Code::SubnetRefused, format!("subnet {range} is too small"), span, "smaller than /29")
        .note("Azure reserves five addresses in each subnet and accepts none smaller than /29")
        .help("choose a larger range")
}

pub(crate) fn subnet_without_address(name: &str, span: Span) -> Diagnostic {
    new(Code::SubnetRefused, format!("subnet `{name}` has no address range"), span, "`address` is missing")
        .help("add, for instance, `address = 10.0.0.0/24`")
}

pub(crate) fn subnet_name_refused(name: &str, span: Span) -> Diagnostic {
    new(
        Code::SubnetRefused,
        format!("Azure rejects the subnet name `{}`", name.escape_debug()),
        span,
        "not a subnet name",
    )
    .note("1 to 80 letters, digits, `_`, `.` and `-`; begins with a letter or digit and ends with one or with `_`")
    .help("write, for instance, `name = \"machines\"`")
}

/// A pool in a subnet whose name makes Azure keep it for a service of its own.
pub(crate) fn subnet_reserved(name: &str, service: &str, span: Span, subnet: Option<Span>) -> Diagnostic {
    let title = format!("Azure keeps the subnet `{name}` for {service}");
    let mut found = new(Code::SubnetRefused, title, span, "puts machines into it");
    if let Some(subnet) = subnet.filter(|subnet| *subnet != span) {
        found = found.also(subnet, "named here");
    }
    found.help("put the machines into a subnet of their own: `subnet machines { address = … }` in the network")
}

/// A prefix of host names that Azure does not take as it is.
pub(crate) fn computer_name_refused(name: &str, span: Span) -> Diagnostic {
    new(
        Code::NameRefused,
        format!("`{}` cannot begin the names of machines", name.escape_debug()),
        span,
        "refused as a prefix",
    )
    .note("1 to 15 letters, digits and `-`, and no `-` at the beginning")
    .help("write a shorter one; Azure adds six characters for each machine")
}

/// The name of a pool is longer than the prefix of host names may be.
pub(crate) fn host_names_cut(prefix: &str, span: Span) -> Diagnostic {
    new(
        Code::HostNamesCut,
        format!("the host names of these machines begin with `{prefix}`"),
        span,
        "is longer than the 15 characters that Azure allows for the prefix",
    )
    .help("set `computer_name` to choose the prefix")
}

pub(crate) fn subnets_overlap(range: &IpNet, span: Span, other: &IpNet, other_span: Span) -> Diagnostic {
    new(Code::SubnetsOverlap, format!("subnets {range} and {other} overlap"), span, "overlaps")
        .also(other_span, "with this one")
        .help("choose ranges without common addresses")
}

pub(crate) fn unknown_subnet(name: &str, span: Span, known: &[&str]) -> Diagnostic {
    new(Code::UnknownSubnet, format!("the network has no subnet `{name}`"), span, "not a subnet of this network")
        .help(format!("choose one of: {}", known.join(", ")))
}

pub(crate) fn subnet_without_room(range: &IpNet, room: u64, most: i64, span: Span) -> Diagnostic {
    new(
        Code::SubnetWithoutRoom,
        format!("{most} machines do not fit into subnet {range}"),
        span,
        "more machines than addresses",
    )
    .note(format!("{range} has room for {room} machines; Azure reserves five addresses"))
    .help("choose a larger subnet, or fewer machines")
}

/// The pools, the largest first: name, most machines, place.
pub(crate) fn subnet_without_room_for_all(
    range: &IpNet,
    (room, all): (u64, i64),
    at: Span,
    declared: bool,
    pools: &[(&str, i64, Span)],
) -> Diagnostic {
    let title = format!("{all} machines of {} pools do not fit into subnet {range}", pools.len());
    let mut diagnostic = new(Code::SubnetWithoutRoom, title, at, "more machines than addresses");
    for (name, most, span) in pools.iter().filter(|(_, _, span)| *span != at).take(3) {
        diagnostic = diagnostic.also(*span, format!("`{name}` takes up to {most}"));
    }
    let help = match declared {
        true => "choose a larger subnet, put some pools into another one, or give them fewer machines",
        false => "declare a `network` with a subnet for some of the pools, or give them fewer machines",
    };
    diagnostic
        .note(format!("{range} has room for {room} machines at the same time; Azure reserves five addresses"))
        .help(help)
}

pub(crate) fn network_meets_docker(
    range: &IpNet,
    docker: &IpNet,
    span: Span,
    at_image: Span,
    image: &str,
) -> Diagnostic {
    new(
        Code::NetworkMeetsDocker,
        format!("network {range} overlaps Docker's addresses on the machines"),
        span,
        "overlaps Docker's range",
    )
    .also(at_image, format!("Docker uses {docker}"))
    .note(format!("containers on image `{image}` could not reach the network"))
    .help("choose another range for the network, such as `10.0.0.0/16`")
}

pub(crate) fn no_way_out(span: Span, pool: Span, why: &str) -> Diagnostic {
    new(Code::NoWayOut, "machines need the internet and cannot reach it", span, "no outbound access")
        .also(pool, "needs the internet")
        .note(format!("{why}; Azure no longer provides default outbound access"))
        .help("write `outbound = nat_gateway`, or `own_route` if a firewall of yours provides outbound access")
}

pub(crate) fn no_public_balancer(span: Span, network: Span) -> Diagnostic {
    new(
        Code::NoPublicBalancer,
        "an internal load balancer provides no outbound access",
        span,
        "the pool has no public address",
    )
    .also(network, "uses it for outbound access")
    .help("write `outbound = nat_gateway` in the network")
}
