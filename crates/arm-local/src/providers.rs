//! Resource providers and preview features: what they are called, and whether the subscription has registered them.
//!
//! Providers are registered until somebody unregisters them; features are not until somebody registers them. Both take as
//! long as other operations of the endpoint (`--latency`).

use serde_json::{Value, json};

use crate::core::Cx;
use crate::documents::Registration;
use crate::error::ArmError;
use crate::http::{Reply, Request, not_served, page};
use crate::id::Path;
use crate::names;

/// Features that are listed before anybody registered them.
const FEATURES: &[&str] = &[ENCRYPTION_AT_HOST];

const ENCRYPTION_AT_HOST: &str = "Microsoft.Compute/EncryptionAtHost";

fn key(subscription: &str, name: &str) -> String {
    format!("{subscription}|{name}").to_lowercase()
}

/// The state in the words of Azure.
fn state(cx: &Cx<'_>, subscription: &str, name: &str) -> &'static str {
    let feature = name.contains('/');
    match cx.store.get::<Registration>(&key(subscription, name)) {
        None if feature => "NotRegistered",
        None => "Registered",
        Some(change) => match (change.registered, change.ready > cx.real_ms) {
            (true, true) => "Registering",
            (true, false) => "Registered",
            (false, true) => "Unregistering",
            (false, false) if feature => "Unregistered",
            (false, false) => "NotRegistered",
        },
    }
}

/// Refuses a write to a provider that the subscription has unregistered.
///
/// # Errors
/// The error code `MissingSubscriptionRegistration` of Azure.
pub fn check_registered(cx: &Cx<'_>, path: &Path) -> Result<(), ArmError> {
    let (Some(subscription), Some(namespace)) = (path.subscription(), path.namespace.as_deref()) else { return Ok(()) };
    match state(cx, subscription, namespace) {
        "NotRegistered" | "Unregistering" => Err(ArmError::conflict(
            "MissingSubscriptionRegistration",
            format!(
                "The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found for how to register subscriptions."
            ),
        )),
        _ => Ok(()),
    }
}

/// Refuses `encryptionAtHost`, also `false`, while the subscription has not registered the feature. `profile` is the body of a
/// machine's `properties` or of a set's `virtualMachineProfile`, as sent.
///
/// Code, target and message: <https://github.com/Azure/azure-cli/issues/16788>; that `false` is refused as well:
/// <https://github.com/Azure/bicep-registry-modules/issues/2374>.
///
/// # Errors
/// The error code `InvalidParameter` of Azure.
pub fn check_encryption_at_host(cx: &Cx<'_>, path: &Path, profile: Option<&Value>) -> Result<(), ArmError> {
    let sent = profile.and_then(|profile| profile.pointer("/securityProfile/encryptionAtHost"));
    let subscription = path.subscription().unwrap_or_default();
    let ready = ["Registered", "Unregistering"].contains(&state(cx, subscription, ENCRYPTION_AT_HOST));
    if sent.is_none_or(Value::is_null) || ready {
        return Ok(());
    }
    Err(ArmError::bad(
        "InvalidParameter",
        format!(
            "The property 'securityProfile.encryptionAtHost' is not valid because the '{ENCRYPTION_AT_HOST}' feature is not enabled for this subscription."
        ),
    )
    .at("securityProfile.encryptionAtHost"))
}

fn change(cx: &mut Cx<'_>, subscription: &str, name: &str, registered: bool) {
    let ready = cx.real_ms.saturating_add(cx.core.settings.latency_ms);
    cx.store.put(&key(subscription, name), Registration { name: name.to_owned(), registered, ready });
}

/// The first answer shows the change under way, however fast it is.
fn under_way(mut body: Value, pointer: &str, registered: bool) -> Reply {
    crate::value::set(&mut body, pointer, json!(if registered { "Registering" } else { "Unregistering" }));
    Reply::ok(body)
}

fn types_of(namespace: &str) -> Vec<Value> {
    let regions: Vec<&str> = names::REGIONS.iter().map(|(_, display)| *display).collect();
    names::of(Some(namespace))
        .map(|(_, kind, versions)| {
            json!({ "resourceType": kind, "locations": regions, "apiVersions": versions, "defaultApiVersion": versions.first(),
                "capabilities": "SupportsTags, SupportsLocation" })
        })
        .collect()
}

/// The spelling of a namespace that the endpoint lists.
fn known(namespace: &str) -> Option<&'static str> {
    names::of(Some(namespace)).next().map(|(known, _, _)| known)
}

fn listed(namespace: &str) -> Result<&'static str, ArmError> {
    known(namespace).ok_or_else(|| {
        ArmError::missing("InvalidResourceNamespace", format!("The resource namespace '{namespace}' is invalid."))
    })
}

fn body(cx: &Cx<'_>, path: &Path, namespace: &str) -> Value {
    let state = path.subscription().map_or("Registered", |subscription| state(cx, subscription, namespace));
    json!({
        "id": format!("{}/providers/{namespace}", path.scope), "namespace": namespace, "registrationState": state,
        "registrationPolicy": "RegistrationRequired", "resourceTypes": types_of(namespace),
    })
}

/// `/providers` and `/providers/{namespace}`, at any scope.
///
/// # Errors
/// `InvalidResourceNamespace` for a namespace that the endpoint does not list.
pub fn get(cx: &mut Cx<'_>, request: &Request, path: &Path) -> Result<Reply, ArmError> {
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return Err(not_served(request));
    }
    match path.namespace.as_deref() {
        None => {
            let mut seen: Vec<&str> = names::of(None).map(|(namespace, _, _)| namespace).collect();
            seen.dedup();
            Ok(page(request, seen.iter().map(|namespace| body(cx, path, namespace)).collect()))
        }
        Some(namespace) => listed(namespace).map(|namespace| Reply::ok(body(cx, path, namespace))),
    }
}

/// `POST …/providers/{namespace}/register` and `unregister`; `None` for other paths.
///
/// # Errors
/// `InvalidResourceNamespace` for a namespace that the endpoint does not list.
pub fn register(cx: &mut Cx<'_>, request: &Request, path: &Path) -> Result<Option<Reply>, ArmError> {
    let (Some(subscription), Some(namespace)) = (path.subscription(), path.namespace.as_deref()) else {
        return Ok(None);
    };
    let word = path.last_type().to_lowercase();
    let alone = path.types.len() == 1 && path.names.is_empty() && path.group().is_none();
    if request.method != "POST" || !alone || !matches!(word.as_str(), "register" | "unregister") {
        return Ok(None);
    }
    let namespace = listed(namespace)?;
    let registered = word == "register";
    change(cx, subscription, namespace, registered);
    Ok(Some(under_way(body(cx, path, namespace), "/registrationState", registered)))
}

/// The value of the template function `providers`: of a namespace, or of one of its types when `kind` is not empty.
///
/// # Errors
/// In words, for a namespace or a type that the endpoint does not list.
pub fn function(namespace: &str, kind: &str) -> Result<Value, String> {
    let known = listed(namespace).map_err(|error| error.message)?;
    let mut types = types_of(known);
    for entry in types.iter_mut().filter_map(Value::as_object_mut) {
        entry.retain(|key, _| ["resourceType", "locations", "apiVersions"].contains(&key.as_str()));
    }
    if kind.is_empty() {
        return Ok(json!({ "namespace": known, "resourceTypes": types }));
    }
    let same = |entry: &Value| {
        entry.get("resourceType").and_then(Value::as_str).is_some_and(|have| have.eq_ignore_ascii_case(kind))
    };
    let missing = || format!("The resource type '{kind}' could not be found in the namespace '{known}'.");
    types.into_iter().find(same).ok_or_else(missing)
}

fn feature(cx: &Cx<'_>, subscription: &str, name: &str) -> Value {
    let (namespace, short) = name.split_once('/').unwrap_or((name, ""));
    json!({
        "id": format!("/subscriptions/{subscription}/providers/Microsoft.Features/providers/{namespace}/features/{short}"),
        "name": name, "type": "Microsoft.Features/providers/features",
        "properties": { "state": state(cx, subscription, name) },
    })
}

/// Preview features: `…/providers/Microsoft.Features/…`; `None` for other paths.
///
/// # Errors
/// 404 for what is not served there.
pub fn features(cx: &mut Cx<'_>, request: &Request) -> Result<Option<Reply>, ArmError> {
    let words: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let [first, subscription, second, third, rest @ ..] = words.as_slice() else { return Ok(None) };
    let is = |text: &str, word: &str| text.eq_ignore_ascii_case(word);
    if !(is(first, "subscriptions") && is(second, "providers") && is(third, "Microsoft.Features")) || rest.is_empty() {
        return Ok(None);
    }
    let of_provider = |providers: &str, all: &str| is(providers, "providers") && is(all, "features");
    Ok(Some(match (request.method.as_str(), rest) {
        ("GET", [all]) if is(all, "features") => list(cx, request, subscription, ""),
        ("GET", [providers, namespace, all]) if of_provider(providers, all) => {
            list(cx, request, subscription, namespace)
        }
        ("GET", [providers, namespace, all, name]) if of_provider(providers, all) => {
            Reply::ok(feature(cx, subscription, &spelled(cx, subscription, namespace, name)))
        }
        ("POST", [providers, namespace, all, name, verb])
            if of_provider(providers, all) && (is(verb, "register") || is(verb, "unregister")) =>
        {
            let (name, registered) = (spelled(cx, subscription, namespace, name), is(verb, "register"));
            change(cx, subscription, &name, registered);
            under_way(feature(cx, subscription, &name), "/properties/state", registered)
        }
        _ => return Err(not_served(request)),
    }))
}

/// `NAMESPACE/FEATURE` as it was written first.
fn spelled(cx: &Cx<'_>, subscription: &str, namespace: &str, name: &str) -> String {
    let wanted = format!("{}/{name}", known(namespace).unwrap_or(namespace));
    if let Some(listed) = FEATURES.iter().find(|listed| listed.eq_ignore_ascii_case(&wanted)) {
        return (*listed).to_owned();
    }
    cx.store.get::<Registration>(&key(subscription, &wanted)).map_or(wanted, |change| change.name.clone())
}

fn list(cx: &Cx<'_>, request: &Request, subscription: &str, namespace: &str) -> Reply {
    let stored = cx.store.all::<Registration>(&format!("{subscription}|"));
    let stored = stored.iter().map(|change| change.name.as_str()).filter(|name| name.contains('/'));
    let mut names: Vec<&str> = FEATURES.iter().copied().chain(stored).collect();
    names.sort_unstable();
    names.dedup();
    let inside = |name: &str| name.split('/').next().is_some_and(|own| own.eq_ignore_ascii_case(namespace));
    names.retain(|name| namespace.is_empty() || inside(name));
    page(request, names.iter().map(|name| feature(cx, subscription, name)).collect())
}
