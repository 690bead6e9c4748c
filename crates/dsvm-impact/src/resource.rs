//! One change of the plan → lines in the words of the source, and who gains or loses access.

use super::access::{self, Reach};
use super::effect::{Setting, phrase};
use super::situation::{Index, is};
use super::types::{Draft, Line};
use super::units::{self, Unit};
use super::{autoscale, batch, destroys, fields, machine, path};
use arm_plan::{Action, AttributeChange, AttributeKind, Change, EffectKind};
use serde_json::Value;

/// Effects of what makes a resource be recreated.
const RECREATES: [EffectKind; 2] = [EffectKind::Replaces, EffectKind::DeletesData];
const EXTENSIONS: &str = "properties.virtualMachineProfile.extensionProfile.extensions";
/// Name of the extension whose script holds the description of a pool.
const SETUP: &str = "setup";
const IMAGE: &str = "properties.virtualMachineProfile.storageProfile.imageReference";
const BATCH_IMAGE: &str = "properties.deploymentConfiguration.virtualMachineConfiguration.imageReference";

/// What one change means.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) lines: Vec<Line>,
    pub(crate) reach: Vec<Reach>,
}

/// What people call a resource of a block; nothing for the resource that the block itself is.
pub(crate) fn subject(change: &Change) -> String {
    let kind = change.resource_type.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let name = units::name(&change.name);
    match kind.as_str() {
        "networksecuritygroups" => "access rules".to_owned(),
        "publicipaddresses" => "public address".to_owned(),
        "loadbalancers" => "load balancer".to_owned(),
        "autoscalesettings" => "autoscale".to_owned(),
        "userassignedidentities" => "identity".to_owned(),
        "natgateways" => "NAT gateway".to_owned(),
        "privateendpoints" => "private endpoint".to_owned(),
        "privatednszonegroups" => "DNS record of the private endpoint".to_owned(),
        "privatednszones" => format!("DNS zone {name}"),
        "virtualnetworklinks" => "DNS link of the network".to_owned(),
        "storageaccounts" => format!("storage account {name}"),
        "fileservices" | "blobservices" => "service of the storage account".to_owned(),
        "secrets" => format!("secret {name}"),
        "virtualmachinescalesets" => "machines".to_owned(),
        _ => change.titled(),
    }
}

/// The lines of a change of an existing block.
pub(crate) fn found(change: &Change, index: &Index<'_>) -> Found {
    let title = index.title_of(change);
    let after = index.after(&change.id);
    let setting = Setting {
        resource_type: &change.resource_type,
        running: index.machines(change),
        touched: change
            .effect
            .machines
            .filter(|_| index.situation.live || change.effect.kind != EffectKind::AutoscaleRemoves),
        after: &after,
    };
    let mut found = Found::default();
    let drafts = match change.action {
        Action::NoChange => return found,
        Action::Create | Action::Delete | Action::Detach => vec![whole(change)],
        Action::Update | Action::Replace | Action::Refuse if change.attributes.is_empty() => vec![whole(change)],
        Action::Update | Action::Replace | Action::Refuse => edits(change, &after, index, &mut found.reach),
    };
    for draft in drafts {
        let effect = match (change.action, draft.kind) {
            (Action::Create, _) => String::new(),
            (Action::Detach, _) => "stays as it is, no longer managed".to_owned(),
            (Action::Delete, EffectKind::Removes) => String::new(),
            (Action::Replace, kind) if !RECREATES.contains(&kind) => "comes with the new one".to_owned(),
            (Action::Update, kind) if change.attributes.is_empty() && kind == EffectKind::InPlace => {
                "sent again".to_owned()
            }
            (_, EffectKind::InPlace) if draft.scales_by_formula(&change.resource_type) => {
                "from the next evaluation of the formula".to_owned()
            }
            (_, EffectKind::InPlace) if draft.needs_empty && !index.situation.live => {
                "only while the pool has no nodes; else refused".to_owned()
            }
            (_, kind) => phrase(kind, &setting),
        };
        let comes_along = change.action == Action::Replace && !RECREATES.contains(&draft.kind);
        let own = |source: &arm_plan::Source| Some(source) != change.source.as_ref();
        let exact = draft.source.clone().filter(own);
        let place =
            || Some(draft.place.as_str()).filter(|key| !key.is_empty()).and_then(|key| index.place(&title, key));
        found.lines.push(Line {
            source: exact.or_else(place).or_else(|| draft.source.clone()).or_else(|| change.source.clone()),
            subject: draft.subject,
            change: draft.change,
            effect,
            kind: if comes_along { EffectKind::None } else { draft.kind },
            because: if comes_along { Vec::new() } else { draft.because },
            resources: vec![change.id.clone()],
        });
    }
    found
}

/// A line for the resource as a whole.
fn whole(change: &Change) -> Draft {
    let word = match change.action {
        Action::Create => "added",
        Action::Delete => "removed",
        Action::Replace => "deleted and recreated",
        Action::Detach => "no longer in the source",
        Action::Update | Action::Refuse | Action::NoChange => "unchanged",
    };
    // What goes with something else says so.
    let because = match change.action {
        Action::Replace | Action::Update | Action::Refuse => vec![change.reason.clone()],
        _ => Vec::new(),
    };
    let place = match change.resource_type.rsplit('/').next().unwrap_or_default() {
        "publicIPAddresses" => "public",
        "autoscaleSettings" => "autoscale",
        "userAssignedIdentities" => "identity",
        "privateEndpoints" | "privateDnsZoneGroups" => "access",
        _ => "",
    };
    let place = place.to_owned();
    Draft {
        subject: subject(change),
        change: word.to_owned(),
        kind: change.effect.kind,
        because,
        place,
        ..Draft::default()
    }
}

/// Takes the differences at or below these paths out of a list.
fn take<'a>(rest: &mut Vec<&'a AttributeChange>, heads: &[&str]) -> Vec<&'a AttributeChange> {
    let (taken, left) = rest.iter().partition(|a| {
        let pattern = path::pattern(&a.path);
        heads.iter().any(|head| path::below(&pattern, head))
    });
    *rest = left;
    taken
}

/// Lines for what the differences mean together; each on its own where nothing is found.
fn edits(change: &Change, after: &Value, index: &Index<'_>, reach: &mut Vec<Reach>) -> Vec<Draft> {
    let (before, title) = (index.before(&change.id), index.title_of(change));
    let mut rest: Vec<&AttributeChange> = change.attributes.iter().collect();
    let mut drafts = Vec::new();
    let mut put = |taken: Vec<&AttributeChange>, made: Vec<Draft>, own_kinds: bool| {
        if made.is_empty() {
            return drafts.extend(taken.into_iter().map(|a| plain(change, a, index)));
        }
        let worst = taken.iter().max_by_key(|a| a.effect);
        for mut draft in made {
            if let Some(worst) = worst.filter(|_| !own_kinds) {
                draft.kind = worst.effect;
                draft.because.extend(doubt(worst));
                draft.needs_empty = needs_empty(worst);
                // The place of the field is more exact than that of the property that holds several.
                if index.place(&title, &draft.place).is_none() {
                    draft.source = draft.source.or_else(|| worst.source.clone());
                }
            }
            drafts.push(draft);
        }
    };
    let kind = &change.resource_type;
    if is(kind, "autoscaleSettings") {
        let taken = take(&mut rest, &["properties.profiles"]);
        let made = if taken.is_empty() { Vec::new() } else { autoscale::lines(&before, after, &taken) };
        put(taken, made, true);
    } else if is(kind, "networkSecurityGroups") {
        let taken = take(&mut rest, &["properties.securityRules"]);
        let (made, concerned) = access::rules(&before, after, &taken);
        // Rules that let nobody in or out are dsvmc's own.
        reach.extend(concerned);
        put(taken, made, false);
    } else if is(kind, "loadBalancers") {
        let (was, is) = (access::served(&before), access::served(after));
        let heads = ["properties.loadBalancingRules", "properties.probes"];
        let named = |a: &AttributeChange| {
            path::keys(&a.path).first().is_some_and(|key| was.contains(*key) != is.contains(*key))
        };
        let (taken, left): (Vec<_>, Vec<_>) = take(&mut rest, &heads).into_iter().partition(|a| named(a));
        rest.extend(left);
        let gone = was.difference(&is).map(|service| (service, "removed"));
        let all = gone.chain(is.difference(&was).map(|service| (service, "added")));
        let made = all.map(|(service, word)| Draft {
            subject: "serve".to_owned(),
            change: format!("{service} {word}"),
            place: "serve".to_owned(),
            ..Draft::default()
        });
        let made = made.collect();
        put(taken, made, false);
        let taken = take(&mut rest, &["properties.frontendIPConfigurations"]);
        let public = |body: &Value| {
            body.pointer("/properties/frontendIPConfigurations/0/properties/publicIPAddress")
                .is_some_and(|ip| !ip.is_null())
        };
        let made = match (public(&before), public(after)) {
            (was, is) if was != is && !taken.is_empty() => {
                vec![Draft {
                    subject: "public".to_owned(),
                    change: format!("{was} → {is}"),
                    place: "public".to_owned(),
                    ..Draft::default()
                }]
            }
            _ => Vec::new(),
        };
        put(taken, made, false);
    } else if is(kind, "virtualMachineScaleSets") {
        // Only marks of the script are shown by Azure; what is in it is known from what was sent.
        let mut extensions = take(&mut rest, &[EXTENSIONS]);
        let (taken, others): (Vec<_>, Vec<_>) = extensions.drain(..).partition(|a| is_setup(&a.path));
        rest.extend(others);
        if !taken.is_empty() {
            let known = script(&index.sent(&change.id)).or_else(|| script(&before));
            put(taken, machine::lines(known.as_deref(), script(after).as_deref()), false);
        }
        let taken = take(&mut rest, &[IMAGE, "plan"]);
        let made = image(&before, after, IMAGE, &taken);
        put(taken, made, false);
        for extension in take(&mut rest, &[EXTENSIONS]) {
            put(vec![extension], extension_lines(extension), false);
        }
        let taken = take(&mut rest, &["properties.orchestrationMode"]);
        let made = orchestration(&taken);
        put(taken, made, false);
    } else if is(kind, "pools") {
        for (head, made) in [
            (batch::FORMULA, batch::formula(&before, after)),
            (batch::MOUNTS, batch::mounts(&before, after)),
            (batch::START, batch::start(&before, after)),
        ] {
            let taken = take(&mut rest, &[head]);
            if !taken.is_empty() {
                put(taken, made, false);
            }
        }
        let taken = take(&mut rest, &[BATCH_IMAGE]);
        let made = image(&before, after, BATCH_IMAGE, &taken);
        put(taken, made, false);
    }
    drafts.extend(rest.into_iter().map(|a| plain(change, a, index)));
    drafts
}

/// Whether a property, as plans write it, belongs to the setup of a pool's machines. Azure shows only marks of it, so that
/// what is in it is known from what was sent last.
#[must_use]
pub fn is_setup(path: &str) -> bool {
    path.starts_with(EXTENSIONS) && path::keys(path).first() == Some(&SETUP)
}

/// The script of a scale set's setup: base64, or the expression that makes it.
fn script(body: &Value) -> Option<String> {
    let extensions = body.pointer(&format!("/{}", EXTENSIONS.replace('.', "/")))?.as_array()?;
    let setup = extensions.iter().find(|extension| extension.get("name").and_then(Value::as_str) == Some(SETUP))?;
    setup.pointer("/properties/protectedSettings/script").and_then(Value::as_str).map(str::to_owned)
}

/// The image as one value: `offer sku version`, without what both sides share.
fn image(before: &Value, after: &Value, at: &str, taken: &[&AttributeChange]) -> Vec<Draft> {
    if taken.is_empty() {
        return Vec::new();
    }
    let parts = |body: &Value| -> Vec<String> {
        let pointer = format!("/{}", at.replace('.', "/"));
        let text = |key: &str| body.pointer(&format!("{pointer}/{key}")).map(units::plain);
        match text("id") {
            Some(id) => vec![id],
            None => ["publisher", "offer", "sku", "version"].iter().filter_map(|key| text(key)).collect(),
        }
    };
    let (was, is) = (parts(before), parts(after));
    if was == is {
        return Vec::new();
    }
    let same_publisher = was.len() == is.len() && was.first() == is.first();
    let shown = |all: &[String]| all.iter().skip(usize::from(same_publisher)).cloned().collect::<Vec<_>>().join(" ");
    let change = format!("{} → {}", shown(&was), shown(&is));
    vec![Draft { subject: "image".to_owned(), change, place: "image".to_owned(), ..Draft::default() }]
}

/// One extension of the machines, or all of them where there were none.
fn extension_lines(attribute: &AttributeChange) -> Vec<Draft> {
    let list = attribute.after.as_ref().or(attribute.before.as_ref()).and_then(Value::as_array);
    match (path::keys(&attribute.path).first(), list) {
        (None, Some(list)) => {
            let names = list.iter().filter_map(|extension| extension.get("name")?.as_str());
            names.map(|name| extension_line(name, attribute)).collect()
        }
        (key, _) => vec![extension_line(key.copied().unwrap_or_default(), attribute)],
    }
}

fn extension_line(name: &str, attribute: &AttributeChange) -> Draft {
    let inside = path::pattern(&attribute.path).len() > EXTENSIONS.len() + 2;
    let (subject, place) = if name == "entra-login" || name.starts_with("AADSSH") {
        ("entra_login".to_owned(), "entra_login")
    } else if name == "health" {
        ("health".to_owned(), "health")
    } else {
        (format!("extension {name}"), "")
    };
    let (subject, change) = match attribute.kind {
        _ if inside => (format!("{subject} {}", path::last(&attribute.path)), change_text(attribute, Unit::Plain)),
        AttributeKind::Add => (subject, "on".to_owned()),
        AttributeKind::Remove => (subject, "off".to_owned()),
        AttributeKind::Change | AttributeKind::Unknown => (subject, "changed".to_owned()),
    };
    Draft { subject, change, place: place.to_owned(), ..Draft::default() }
}

/// The kind of scale set: log-in with Entra, when that made it another one, else the kind itself.
fn orchestration(taken: &[&AttributeChange]) -> Vec<Draft> {
    let entra = |a: &&&AttributeChange| a.cause.as_ref().is_some_and(|cause| cause.starts_with("`entra_login`"));
    let caused = taken.iter().find(entra);
    let draft = caused.map(|attribute| Draft {
        subject: "entra_login".to_owned(),
        change: "on".to_owned(),
        because: cause(attribute).into_iter().collect(),
        place: "entra_login".to_owned(),
        ..Draft::default()
    });
    draft.into_iter().collect()
}

/// What made a property change that has no field of its own.
fn cause(attribute: &AttributeChange) -> Option<String> {
    attribute.cause.as_ref().map(|cause| format!("because {cause}"))
}

/// One difference on its own.
pub(crate) fn plain(change: &Change, attribute: &AttributeChange, index: &Index<'_>) -> Draft {
    let pattern = path::pattern(&attribute.path);
    let field = fields::field(&change.resource_type, &pattern);
    let unit = field.as_ref().map_or(Unit::Plain, |f| f.unit);
    let key = path::keys(&attribute.path).first().map(|key| units::name(key));
    let subject = match (&field, key) {
        (Some(field), Some(key)) if field.name.starts_with("subnet") => {
            field.name.replacen("subnet", &format!("subnet {key}"), 1)
        }
        (Some(field), _) if field.name == "tags" => {
            let tag = attribute.path.trim_start_matches("tags").trim_matches(['.', '[', ']']);
            format!("tags {tag}").trim().to_owned()
        }
        (Some(field), _) => field.name.to_owned(),
        (None, Some(key)) => format!("{} of {key}", path::last(&attribute.path)),
        (None, None) => path::last(&attribute.path),
    };
    // The name of a secret says more than that its value is another one.
    let subject = match change.resource_type.rsplit('/').next() {
        Some("secrets") => format!("secret {} {subject}", units::name(&change.name)),
        _ => subject,
    };
    // What was written needs no cause.
    let title = index.title_of(change);
    let written = field.as_ref().is_some_and(|field| index.place(&title, field.place).is_some());
    let cause = cause(attribute).filter(|_| !written);
    let mut because: Vec<String> = cause.into_iter().chain(doubt(attribute)).collect();
    let shrinks = matches!((&attribute.before, &attribute.after), (Some(a), Some(b)) if a.as_u64() > b.as_u64());
    if attribute.path == "properties.shareQuota" && shrinks {
        because.push("if more is stored, the share takes no more writes".to_owned());
    }
    // What else happens when machines are disturbed.
    let heavy =
        [EffectKind::Restart, EffectKind::OsDisksReplaced, EffectKind::NeedsDeallocation, EffectKind::InPlaceOneWay];
    if because.is_empty() && heavy.contains(&attribute.effect) {
        because.extend(attribute.basis.as_ref().map(|basis| basis.note.clone()).filter(|note| !note.is_empty()));
    }
    if destroys(change.action) && attribute.effect >= EffectKind::Replaces {
        let note = attribute.basis.as_ref().map(|basis| basis.note.clone());
        because.extend(note.filter(|note| !note.is_empty() && because.is_empty()));
    }
    Draft {
        subject,
        change: change_text(attribute, unit),
        kind: attribute.effect,
        because,
        place: field.map(|f| f.place.to_owned()).unwrap_or_default(),
        source: attribute.source.clone(),
        needs_empty: needs_empty(attribute),
    }
}

/// Whether a change is taken only by a pool without nodes, as the table of changes says.
fn needs_empty(attribute: &AttributeChange) -> bool {
    attribute.basis.as_ref().is_some_and(|basis| basis.note.contains("no nodes"))
}

fn change_text(attribute: &AttributeChange, unit: Unit) -> String {
    if attribute.secret || matches!(unit, Unit::Other) {
        let what = if attribute.secret { " (secret)" } else { "" };
        return match attribute.kind {
            AttributeKind::Add => format!("added{what}"),
            AttributeKind::Remove => format!("removed{what}"),
            AttributeKind::Change | AttributeKind::Unknown => format!("another value{what}"),
        };
    }
    let shown = |value: &Option<Value>| value.as_ref().map(|value| units::shown(value, unit));
    match (attribute.kind, shown(&attribute.before), shown(&attribute.after)) {
        (AttributeKind::Unknown, Some(before), _) => format!("{before} → known at deployment"),
        (AttributeKind::Unknown, None, _) => "known at deployment".to_owned(),
        (_, Some(before), Some(after)) if before == after => "another value".to_owned(),
        (_, Some(before), Some(after)) => format!("{before} → {after}"),
        (AttributeKind::Change, None, Some(_)) => "another value; the one now is not known".to_owned(),
        (_, None, Some(after)) => entry(attribute, after, "added"),
        (_, Some(before), None) => entry(attribute, before, "removed"),
        (_, None, None) => "changed".to_owned(),
    }
}

/// An element of a list or a member that comes or goes.
fn entry(attribute: &AttributeChange, value: String, word: &str) -> String {
    let element = attribute.path.ends_with(']').then(|| path::keys(&attribute.path).last().map(|key| units::name(key)));
    match element.flatten() {
        Some(key) if key.parse::<u32>().is_err() => format!("{key} {word}"),
        _ => format!("{value} {word}"),
    }
}

/// What is not confirmed of a difference.
fn doubt(attribute: &AttributeChange) -> Option<String> {
    let basis = attribute.basis.as_ref().filter(|basis| !basis.confirmed)?;
    Some(format!("not confirmed by Azure's documents: {}", basis.note))
}
