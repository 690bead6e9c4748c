//! What teams write in ARM's own words, in `override` and `resource`: held to the same advice as the fields of the language.

use crate::arm;
use crate::subject::{Look, found};
use dsvm_diagnostics::Diagnostic;
use dsvm_diagnostics::source::Span;
use dsvm_graph::Node;
use dsvm_graph::json::Json;
use dsvm_sema::table::BlockKind;

/// Whether a place is inside of an `override` or a `resource`.
fn by_hand(look: &Look<'_, '_>) -> impl Fn(Span) -> bool {
    let of_pools =
        look.checked.blocks.iter().flat_map(|block| block.children(BlockKind::Override)).map(|block| block.span);
    let all: Vec<Span> = of_pools.chain(look.fleet.resources.iter().map(|resource| resource.block.span)).collect();
    move |at| all.iter().any(|block| block.source == at.source && block.start <= at.start && at.end <= block.end)
}

const SCALE_SET: &str = "Microsoft.Compute/virtualMachineScaleSets";
const STORAGE: &str = "Microsoft.Storage/storageAccounts";
const VAULT: &str = "Microsoft.KeyVault/vaults";

/// A rule of a network security group in ARM's own words that lets the whole internet in.
pub(crate) struct OpenRule {
    /// Where it was written.
    pub(crate) span: Span,
    /// Ports and ranges of ports, such as `22`, `8000-8010` and `*`.
    pub(crate) ports: Vec<String>,
}

impl OpenRule {
    /// Whether it opens a port.
    pub(crate) fn includes(&self, port: u16) -> bool {
        let number = |text: &str| text.trim().parse::<u16>().ok();
        self.ports.iter().any(|ports| match ports.split_once('-') {
            _ if ports.trim() == "*" => true,
            Some((from, to)) => number(from).zip(number(to)).is_some_and(|(from, to)| (from..=to).contains(&port)),
            None => number(ports) == Some(port),
        })
    }
}

/// The texts of a property and of its plural, which Azure joins.
fn texts(node: &Node, rule: &str, one: &str, many: &str) -> Vec<String> {
    let mut all: Vec<String> = arm::text(&node.body, &format!("{rule}/{one}")).map(str::to_owned).into_iter().collect();
    let many = arm::items(&node.body, &format!("{rule}/{many}")).iter();
    all.extend(many.filter_map(|item| if let Json::String(text) = item { Some(text.to_string()) } else { None }));
    all
}

pub(crate) fn open_rules(look: &Look<'_, '_>) -> Vec<OpenRule> {
    let by_hand = by_hand(look);
    let mut all = Vec::new();
    for node in &look.graph.nodes {
        let rules: Vec<String> = if arm::of_type(node, "Microsoft.Network/networkSecurityGroups/securityRules") {
            vec!["/properties".to_owned()]
        } else if arm::of_type(node, "Microsoft.Network/networkSecurityGroups") {
            let count = arm::items(&node.body, "/properties/securityRules").len();
            (0..count).map(|index| format!("/properties/securityRules/{index}/properties")).collect()
        } else {
            continue;
        };
        for rule in rules {
            let is = |name: &str, word: &str| arm::is(&node.body, &format!("{rule}/{name}"), word);
            let sources = texts(node, &rule, "sourceAddressPrefix", "sourceAddressPrefixes");
            let any = sources.iter().any(|s| ["*", "internet", "any"].contains(&s.to_ascii_lowercase().as_str()));
            let (span, _) = arm::place(node, &rule);
            if any && is("access", "Allow") && is("direction", "Inbound") && by_hand(span) {
                let ports = texts(node, &rule, "destinationPortRange", "destinationPortRanges");
                all.push(OpenRule { span, ports });
            }
        }
    }
    all
}

/// Storage accounts in ARM's own words whose copies are all in one building, and where their SKU is.
pub(crate) fn local_accounts<'s>(look: &Look<'s, '_>) -> Vec<(&'s str, Span)> {
    let accounts = look.raw().filter(|node| arm::of_type(node, STORAGE));
    let local = accounts.filter(|node| arm::text(&node.body, "/sku/name").is_some_and(|sku| sku.ends_with("_LRS")));
    local.map(|node| (block_name(look, node), arm::place(node, "/sku/name").0)).collect()
}

fn block_name<'s>(look: &Look<'s, '_>, node: &Node) -> &'s str {
    let mut own = look.fleet.resources.iter().filter(|resource| resource.block.span == node.span);
    own.next().map_or("", |resource| &resource.block.name)
}

/// A value that takes protection away.
enum Weak {
    Flag(bool),
    Word(&'static str),
}

/// Type, property, value, and what it does, as a clause after `this`.
const WEAK: &[(&str, &str, Weak, &str)] = &[
    (
        SCALE_SET,
        "/properties/virtualMachineProfile/osProfile/linuxConfiguration/disablePasswordAuthentication",
        Weak::Flag(false),
        "turns password log-ins on",
    ),
    (
        SCALE_SET,
        "/properties/virtualMachineProfile/securityProfile/encryptionAtHost",
        Weak::Flag(false),
        "leaves temporary disks and caches unencrypted",
    ),
    (
        SCALE_SET,
        "/properties/virtualMachineProfile/securityProfile/securityType",
        Weak::Word("Standard"),
        "turns Trusted Launch off",
    ),
    (
        SCALE_SET,
        "/properties/virtualMachineProfile/securityProfile/uefiSettings/secureBootEnabled",
        Weak::Flag(false),
        "lets unsigned software start",
    ),
    (
        SCALE_SET,
        "/properties/virtualMachineProfile/securityProfile/uefiSettings/vTpmEnabled",
        Weak::Flag(false),
        "takes the machines' TPM away",
    ),
    (SCALE_SET, "/properties/automaticRepairsPolicy/enabled", Weak::Flag(false), "turns repairs off"),
    (SCALE_SET, "/properties/upgradePolicy/mode", Weak::Word("Automatic"), "changes all machines at once"),
    (STORAGE, "/properties/minimumTlsVersion", Weak::Word("TLS1_0"), "accepts a version of TLS that is broken"),
    (STORAGE, "/properties/minimumTlsVersion", Weak::Word("TLS1_1"), "accepts a version of TLS that is broken"),
    (STORAGE, "/properties/allowSharedKeyAccess", Weak::Flag(true), "accepts account keys"),
    (STORAGE, "/properties/allowCrossTenantReplication", Weak::Flag(true), "lets other tenants copy the data"),
    (VAULT, "/properties/enableSoftDelete", Weak::Flag(false), "deletes secrets for good"),
    (VAULT, "/properties/enableRbacAuthorization", Weak::Flag(false), "uses access policies instead of roles"),
    (VAULT, "/properties/networkAcls/defaultAction", Weak::Word("Allow"), "lets the whole internet reach the vault"),
];

fn holds(node: &Node, pointer: &str, weak: &Weak) -> bool {
    match weak {
        Weak::Flag(flag) => arm::at(&node.body, pointer) == Some(&Json::Bool(*flag)),
        Weak::Word(word) => arm::is(&node.body, pointer, word),
    }
}

/// Network interfaces of a scale set with an address of their own, or that pass on what is for others.
fn interfaces(node: &Node) -> Vec<(String, &'static str)> {
    let list = "/properties/virtualMachineProfile/networkProfile/networkInterfaceConfigurations";
    let mut weak = Vec::new();
    for index in 0..arm::items(&node.body, list).len() {
        let forwarding = format!("{list}/{index}/properties/enableIPForwarding");
        if arm::at(&node.body, &forwarding) == Some(&Json::Bool(true)) {
            weak.push((forwarding, "lets machines pass on what is for others"));
        }
        let inner = format!("{list}/{index}/properties/ipConfigurations");
        for inner_index in 0..arm::items(&node.body, &inner).len() {
            let address = format!("{inner}/{inner_index}/properties/publicIPAddressConfiguration");
            if matches!(arm::at(&node.body, &address), Some(Json::Object(_))) {
                weak.push((address, "gives each machine a public address"));
            }
        }
    }
    weak
}

pub(crate) fn override_weakens(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let by_hand = by_hand(look);
    for node in &look.graph.nodes {
        let fixed =
            WEAK.iter().filter(|(kind, pointer, weak, _)| arm::of_type(node, kind) && holds(node, pointer, weak));
        let mut weak: Vec<(String, &str)> = fixed.map(|(_, pointer, _, what)| ((*pointer).to_owned(), *what)).collect();
        if arm::of_type(node, SCALE_SET) {
            weak.extend(interfaces(node));
        }
        for (pointer, what) in weak {
            let (at, _) = arm::place(node, &pointer);
            if by_hand(at) {
                let property = pointer.rsplit('/').next().unwrap_or_default();
                out.push(
                    found(format!("`{property}` {what}"), at, "weaker than what the language writes")
                        .help("remove it, or allow this finding with the reason why it has to be"),
                );
            }
        }
    }
}

pub(crate) fn purge_protection(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for node in look.raw().filter(|node| arm::of_type(node, VAULT)) {
        if arm::at(&node.body, "/properties/enablePurgeProtection") != Some(&Json::Bool(true)) {
            let (at, _) = arm::place(node, "/properties/enablePurgeProtection");
            let at = if at == node.span { first_line(look, node) } else { at };
            out.push(
                found("deleted secrets of this vault can be purged at once", at, "nobody can bring them back then")
                    .help("set `enablePurgeProtection = true` in its `properties`; or declare a `vault`, which has it"),
            );
        }
    }
}

/// The name of the block that a resource comes from: a whole block is no good mark.
fn first_line(look: &Look<'_, '_>, node: &Node) -> Span {
    let mut own = look.fleet.resources.iter().filter(|resource| resource.block.span == node.span);
    own.next().map_or(node.span, |resource| resource.block.name_span)
}

pub(crate) fn subnet_without_group(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for node in look.raw() {
        if arm::of_type(node, "Microsoft.Network/virtualNetworks/subnets") {
            if arm::at(&node.body, "/properties/networkSecurityGroup").is_none() {
                out.push(without_group(first_line(look, node)));
            }
        } else if arm::of_type(node, "Microsoft.Network/virtualNetworks") {
            for index in 0..arm::items(&node.body, "/properties/subnets").len() {
                let subnet = format!("/properties/subnets/{index}");
                let name = arm::text(&node.body, &format!("{subnet}/name")).unwrap_or_default();
                // These take no group, or one with rules of the service: gateways of the hub, not machines.
                let kept = ["GatewaySubnet", "AzureFirewallSubnet", "AzureBastionSubnet", "RouteServerSubnet"];
                let group = arm::at(&node.body, &format!("{subnet}/properties/networkSecurityGroup"));
                if group.is_none() && !kept.contains(&name) {
                    out.push(without_group(arm::place(node, &subnet).0));
                }
            }
        }
    }
}

fn without_group(at: Span) -> Diagnostic {
    found("this subnet has no network security group", at, "everything in it is reachable from the whole network")
        .help("set `networkSecurityGroup` in its `properties`")
}

/// The end of Basic addresses and load balancers: <https://azure.microsoft.com/updates/v2/upgrade-to-standard-sku-public-ip-addresses-in-azure-by-30-september-2025-basic-sku-will-be-retired>.
pub(crate) fn retired_sku(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let by_hand = by_hand(look);
    for node in &look.graph.nodes {
        let what = match node.kind.to_ascii_lowercase().as_str() {
            "microsoft.network/publicipaddresses" => "public addresses",
            "microsoft.network/loadbalancers" => "load balancers",
            _ => continue,
        };
        if !arm::is(&node.body, "/sku/name", "Basic") {
            continue;
        }
        let (at, _) = arm::place(node, "/sku/name");
        if by_hand(at) {
            out.push(
                found(format!("{what} of the SKU Basic ended on 30 September 2025"), at, "retired")
                    .help("set `sku = { name = \"Standard\" }`"),
            );
        }
    }
}

/// The day of an API version such as `2023-05-01` or `2023-05-01-preview`.
fn day(version: &str) -> Option<jiff::civil::Date> {
    version.get(..10)?.parse().ok()
}

pub(crate) fn old_api_version(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let years = look.options.number("years");
    let age = jiff::Span::new().try_years(years).ok();
    // An age beyond the calendar finds nothing.
    let Some(limit) = age.and_then(|age| look.as_of.checked_sub(age).ok()) else { return };
    for resource in &look.fleet.resources {
        let Some(old) = day(resource.api_version) else { continue };
        let Some(newest) =
            arm_catalog::latest_version(resource.kind).filter(|new| day(new).is_some_and(|new| new > old))
        else {
            continue;
        };
        if old < limit {
            out.push(
                found(
                    format!("`{}` is written for version {}", resource.block.name, resource.api_version),
                    resource.block.name_span,
                    format!("older than {years} years"),
                )
                .help(format!("change to `{}@{newest}` and read what is new", resource.kind)),
            );
        }
    }
}
