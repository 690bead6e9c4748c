//! The lines of a block → what people notice of them, worst first.

use super::access::{self, Reach};
use super::blocks::{Group, lost_address};
use super::machine::{ADDED, WITH_ROOT};
use super::situation::{Index, is};
use super::types::{BlockChanges, Line, Notice, Severity};
use super::{destroys, units};
use arm_plan::{Action, EffectKind, Source};
use dsvm_diagnostics::count;
use std::collections::BTreeMap;

/// What people notice of one block.
pub(crate) fn of(group: &Group<'_>, lines: &[Line], reach: &[Reach], index: &Index<'_>) -> Vec<Notice> {
    let mut told = Told { block: &group.title, notices: Vec::new() };
    data(group, index, &mut told);
    let gone = pool(group, lines, index, &mut told);
    addresses(group, lines, index, &mut told);
    ranges(lines, reach, &mut told);
    for line in lines {
        if !gone {
            machines(line, group, &mut told);
        }
        people(line, group, &mut told);
        host_key(line, group, &mut told);
        if line.kind == EffectKind::NotKnown && !gone {
            let what = if line.subject.is_empty() { "this change" } else { line.subject.as_str() };
            told.say(Severity::NotKnown, format!("{}: what a change of `{what}` does is not known", group.title), line);
        }
    }
    waiting(group, lines, &mut told);
    new(lines, &mut told);
    told.notices
}

struct Told<'a> {
    block: &'a str,
    notices: Vec<Notice>,
}

impl Told<'_> {
    fn say(&mut self, severity: Severity, text: String, line: &Line) {
        self.at(severity, text, line.source.clone(), line.resources.clone());
    }

    fn at(&mut self, severity: Severity, text: String, source: Option<Source>, resources: Vec<String>) {
        if self.notices.iter().all(|known| known.text != text) {
            self.notices.push(Notice { severity, text, source, resources, block: self.block.to_owned() });
        }
    }
}

/// Stored data that is deleted, with its parent or alone.
///
/// Deleted vaults and workspaces are kept for a time: Microsoft Learn, "Azure Key Vault soft-delete overview", "Delete and
/// recover a Log Analytics workspace", "Workspace soft deletion".
fn data(group: &Group<'_>, index: &Index<'_>, told: &mut Told<'_>) {
    let lossy = || group.changes.iter().filter(|change| change.effect.kind == EffectKind::DeletesData);
    // An account goes with its shares: one notice.
    let shares: Vec<&String> = lossy().flat_map(|change| &change.effect.shares).collect();
    for change in lossy() {
        let inside = lossy().any(|other| {
            other.id != change.id
                && change.id.to_ascii_lowercase().starts_with(&format!("{}/", other.id.to_ascii_lowercase()))
        });
        let named = lossy()
            .any(|other| other.id.to_ascii_lowercase().starts_with(&format!("{}/", change.id.to_ascii_lowercase())));
        if inside && shares.is_empty() || named {
            continue;
        }
        let text = match change.effect.shares.as_slice() {
            [] if is(&change.resource_type, "vaults") => {
                let days =
                    index.before(&change.id).pointer("/properties/softDeleteRetentionInDays").and_then(units::number);
                let days = days.map_or_else(|| "7 to 90 days".to_owned(), |n| count(n, "day"));
                format!("{} is deleted with its secrets; Azure keeps it for {days}", group.title)
            }
            [] if is(&change.resource_type, "workspaces") => {
                format!("{} is deleted with its data; Azure keeps it for 14 days", change.titled())
            }
            [] => format!("{} is deleted with its data", change.titled()),
            [_] if group.title.starts_with("share ") => format!("{} is deleted with everything on it", group.title),
            [one] => format!("share {one} is deleted with everything on it"),
            many => format!("shares {} are deleted with everything on them", many.join(", ")),
        };
        told.at(Severity::DataLost, text, change.source.clone(), vec![change.id.clone()]);
    }
}

/// A pool that goes, or is recreated; whether one of the two happens.
fn pool(group: &Group<'_>, lines: &[Line], index: &Index<'_>, told: &mut Told<'_>) -> bool {
    let pools = ["virtualMachineScaleSets", "pools", "computes"];
    let main = group.changes.iter().find(|c| pools.iter().any(|kind| is(&c.resource_type, kind)) && destroys(c.action));
    let Some(main) = main else { return false };
    let with = match index.machines(main) {
        Some(0) => "no machine runs in it".to_owned(),
        Some(n) => format!("sessions on its {} end, and what is on their disks is lost", count(n, "machine")),
        None => "sessions on its machines end, and what is on their disks is lost".to_owned(),
    };
    let word = if main.action == Action::Replace { "is deleted and recreated" } else { "is deleted" };
    let cause = lines.iter().find(|line| line.kind == EffectKind::Replaces && line.resources.contains(&main.id));
    let source = cause.and_then(|line| line.source.clone()).or_else(|| main.source.clone());
    told.at(Severity::PoolGone, format!("{} {word}: {with}", group.title), source, vec![main.id.clone()]);
    true
}

/// Addresses that people log in to: gone, or another one.
fn addresses(group: &Group<'_>, lines: &[Line], index: &Index<'_>, told: &mut Told<'_>) {
    let created = |kind: &str| group.changes.iter().any(|c| is(&c.resource_type, kind) && c.action == Action::Create);
    if let Some((host, change)) = lost_address(group, index) {
        let remains = group.stays || group.changes.iter().any(|c| c.action != Action::Delete);
        let text = match (change.action, remains) {
            (Action::Replace, _) => {
                format!("{} gets another public address; the one of {host} is given back", group.title)
            }
            (_, true) if !created("publicIPAddresses") => {
                format!("{} can no longer be reached from the internet: {host} goes", group.title)
            }
            _ => format!("the login address {host} goes"),
        };
        let severity = if change.action == Action::Replace { Severity::Moved } else { Severity::LockedOut };
        let place = index.place(&group.title, "public").or_else(|| change.source.clone());
        told.at(severity, text, place, vec![change.id.clone()]);
    }
    for line in lines.iter().filter(|line| line.subject == "dns_label") {
        let Some(id) = line.resources.first() else { continue };
        let host = access::host(&index.before(id)).unwrap_or_else(|| "the present one".to_owned());
        let text = format!("{} gets another login address; {host} no longer works", group.title);
        told.say(Severity::Moved, text, line);
    }
    for line in lines.iter().filter(|line| line.subject == "serve") {
        if let Some(service) = line.change.strip_suffix(" removed") {
            told.say(Severity::LockedOut, format!("{service} of {} can no longer be reached", group.title), line);
        } else if let Some(service) = line.change.strip_suffix(" added") {
            told.say(Severity::Gained, format!("{} serves {service}", group.title), line);
        }
    }
    for line in lines.iter().filter(|line| line.subject.contains(" mount") || line.subject.starts_with("mount of ")) {
        if line.change.contains(" → ") {
            told.say(
                Severity::Moved,
                format!("{} on {}: paths move, {}", line.subject, group.title, line.change),
                line,
            );
        }
    }
}

/// Ranges of addresses that lose or gain access.
fn ranges(lines: &[Line], reach: &[Reach], told: &mut Told<'_>) {
    let mut by_range: BTreeMap<(bool, &str), Vec<&str>> = BTreeMap::new();
    for one in reach {
        let services = by_range.entry((one.gained, &one.range)).or_default();
        if !services.contains(&one.service.as_str()) {
            services.push(&one.service);
        }
    }
    for ((gained, range), services) in by_range {
        let line = lines.iter().find(|line| line.subject.starts_with("allow ") && line.change.contains(range));
        let who = match (range, gained) {
            ("any", false) => "people outside of the ranges that remain".to_owned(),
            ("any", true) => "everybody".to_owned(),
            ("network", _) => "machines of the network".to_owned(),
            _ => format!("people in {range}"),
        };
        let block = told.block.to_owned();
        let what = format!("{} of {block}", list(&services));
        let (severity, text) = if gained {
            (Severity::Gained, format!("{who} can reach {what}"))
        } else {
            (Severity::LockedOut, format!("{who} can no longer reach {what}"))
        };
        let (source, resources) = line.map(|line| (line.source.clone(), line.resources.clone())).unwrap_or_default();
        told.at(severity, text, source, resources);
    }
}

/// Machines that go, are emptied or restart.
fn machines(line: &Line, group: &Group<'_>, told: &mut Told<'_>) {
    let change = group.changes.iter().find(|change| line.resources.contains(&change.id));
    let touched = change.and_then(|change| change.effect.machines);
    let title = &group.title;
    match line.kind {
        EffectKind::Restart if line.effect.starts_with("restarts") => {
            let text = format!("{title}: {}; sessions on them end", line.effect);
            told.say(Severity::Restarted, text, line);
        }
        EffectKind::OsDisksReplaced if line.effect.starts_with("gives") => {
            let text = format!("{title}: {}; sessions end, and what is on the old disks is lost", line.effect);
            told.say(Severity::WorkLost, text, line);
        }
        EffectKind::AutoscaleRemoves | EffectKind::ScalesIn
            if touched != Some(0) && line.effect.starts_with("removes") =>
        {
            let text = format!("{title}: {}; sessions on them end", line.effect);
            told.say(Severity::WorkLost, text, line);
        }
        _ => {}
    }
}

/// Accounts that come and go.
fn people(line: &Line, group: &Group<'_>, told: &mut Told<'_>) {
    let Some(name) = line.subject.strip_prefix("user ") else { return };
    let when = |text: &str| if text.is_empty() { String::new() } else { format!(": {text}") };
    match line.change.as_str() {
        change if change.starts_with(ADDED) => {
            let root = if change.contains(WITH_ROOT) { " and become root there" } else { "" };
            let text = format!("{name} can log in to {}{root}{}", group.title, when(&line.effect));
            told.say(Severity::Gained, text, line);
        }
        "removed" => {
            let text = format!("{name} can no longer log in to {}{}", group.title, when(&line.effect));
            told.say(Severity::LockedOut, text, line);
        }
        "another key" => {}
        _ if name.ends_with(" key") => {
            let text = format!("{name} of {} is another one{}", group.title, when(&line.effect));
            told.say(Severity::LockedOut, text, line);
        }
        _ => {}
    }
}

/// Another key behind the same address: ssh_config(5), StrictHostKeyChecking, "ssh will refuse to connect to hosts whose
/// host key has changed" (<https://man.openbsd.org/ssh_config>).
fn host_key(line: &Line, group: &Group<'_>, told: &mut Told<'_>) {
    if line.subject == "host_key" {
        let text = format!(
            "{} has another SSH host key: clients that know an old one refuse to connect until it is removed with `ssh-keygen -R`",
            group.title
        );
        told.say(Severity::Moved, text, line);
    }
}

/// What running machines get only after somebody acts, in one sentence for each way.
fn waiting(group: &Group<'_>, lines: &[Line], told: &mut Told<'_>) {
    let ways = [
        (EffectKind::WhenReimaged, "only after a reimage"),
        (EffectKind::WhenRebooted, "only after a reboot"),
        (EffectKind::NeedsDeallocation, "only after they are deallocated and started"),
        (EffectKind::NewMachines, "not at all; new ones have it"),
    ];
    for (kind, way) in ways {
        // What becomes of accounts is in their own notices.
        let waits = |line: &&Line| {
            line.kind == kind && line.effect.contains("running machine") && !line.subject.starts_with("user ")
        };
        let all: Vec<&Line> = lines.iter().filter(waits).collect();
        let Some(first) = all.first() else { continue };
        let names: Vec<&str> = all.iter().map(|line| line.subject.as_str()).collect();
        let text = format!(
            "{}: {} {} running machines {way}",
            group.title,
            list(&names),
            if names.len() == 1 { "reaches" } else { "reach" }
        );
        let resources = all.iter().flat_map(|line| line.resources.iter().cloned()).collect();
        told.at(Severity::Waiting, text, first.source.clone(), resources);
    }
}

/// New blocks that people use.
fn new(lines: &[Line], told: &mut Told<'_>) {
    let used = ["pool ", "share ", "container "].iter().any(|kind| told.block.starts_with(kind));
    for line in lines.iter().filter(|line| used && line.subject.is_empty() && line.change == "new") {
        let more = if line.effect.is_empty() { String::new() } else { format!(": {}", line.effect) };
        told.say(Severity::Gained, format!("{} is new{more}", told.block), line);
    }
}

/// `ssh, rdp and jupyterhub`.
fn list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

/// Worst first; one notice for blocks whose changes were merged.
pub(crate) fn complete(blocks: &[BlockChanges], notices: &mut Vec<Notice>) {
    for merged in blocks.iter().filter(|block| block.blocks.len() > 1) {
        let Some(first) = merged.blocks.first() else { continue };
        let kind = first.split(' ').next().unwrap_or_default();
        let all = count(merged.blocks.len(), kind);
        let others: Vec<Notice> =
            notices.iter().filter(|n| merged.blocks.contains(&n.block) && n.block != *first).cloned().collect();
        notices.retain(|n| !merged.blocks.contains(&n.block) || n.block == *first);
        for notice in notices.iter_mut().filter(|n| n.block == *first) {
            let text = notice.text.replace(first.as_str(), &all);
            let alike = others.iter().filter(|other| other.text.replace(other.block.as_str(), &all) == text);
            notice.resources.extend(alike.flat_map(|other| other.resources.iter().cloned()));
            notice.text = text.replace(&format!("{all} is "), &format!("{all} are "));
        }
    }
    notices.sort_by_key(|notice| notice.severity);
}
