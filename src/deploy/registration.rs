//! Features and resource providers that a deployment needs: which of them the subscription has not registered, and their
//! registration, which is a change of the whole subscription and therefore needs consent of its own.
//!
//! Requests as documented for `Microsoft.Features` (2021-07-01) and for resource providers (2021-04-01): a feature first,
//! then its provider again, which carries it to the regions.

use super::error::CommandError;
use super::frontend::{Frontend, Question};
use super::session::Session;
use arm_client::Method;
use arm_plan::Desired;
use dsvm_diagnostics::Code;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// API version of `Microsoft.Features`.
const FEATURES_API: &str = "2021-07-01";
/// API version of resource providers.
const PROVIDERS_API: &str = "2021-04-01";
/// Rest between two looks at a registration, and how many of them: a registration takes some minutes.
const REST: Duration = Duration::from_secs(10);
const LOOKS: usize = 120;

/// A resource provider, or a feature of one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Registration {
    /// Namespace of the provider, such as `Microsoft.Compute`.
    pub namespace: String,
    /// Name of the feature; `None` for the provider itself.
    pub feature: Option<String>,
}

impl Registration {
    /// The provider with that namespace, without a feature.
    #[must_use]
    pub fn provider(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), feature: None }
    }

    /// Encryption of temporary disks and caches: Azure rejects the property without it.
    #[must_use]
    pub fn encryption_at_host() -> Self {
        Self { namespace: "Microsoft.Compute".to_owned(), feature: Some("EncryptionAtHost".to_owned()) }
    }

    /// `Microsoft.Compute/EncryptionAtHost`, or the provider's namespace.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.feature {
            Some(feature) => format!("{}/{feature}", self.namespace),
            None => self.namespace.clone(),
        }
    }

    /// What a person with the right to do so types.
    #[must_use]
    pub fn commands(&self) -> String {
        let provider = format!("az provider register -n {}", self.namespace);
        match &self.feature {
            Some(feature) => {
                format!("az feature register --namespace {} --name {feature}, then {provider}", self.namespace)
            }
            None => provider,
        }
    }

    fn path(&self, subscription: &str) -> String {
        let start = format!("/subscriptions/{subscription}/providers");
        match &self.feature {
            Some(feature) => format!("{start}/Microsoft.Features/providers/{}/features/{feature}", self.namespace),
            None => format!("{start}/{}", self.namespace),
        }
    }

    fn api(&self) -> &'static str {
        if self.feature.is_some() { FEATURES_API } else { PROVIDERS_API }
    }

    /// `Registered`, `NotRegistered`, `Registering` …; nothing where the service does not say or the caller may not look.
    #[must_use]
    pub fn state(&self, session: &Session) -> Option<String> {
        let body = session.client.resource(&self.path(&session.subscription), self.api()).ok()??;
        let pointer = if self.feature.is_some() { "/properties/state" } else { "/registrationState" };
        body.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
    }

    fn register(&self, session: &Session) -> Result<(), CommandError> {
        let path = format!("{}/register?api-version={}", self.path(&session.subscription), self.api());
        session.client.send(Method::Post, &path, None).map_err(|error| {
            CommandError::environment(
                Code::NotRegistered,
                format!("`{}` cannot be registered: {error}", self.name()),
                format!("let somebody with the right to do so type: {}", self.commands()),
            )
        })?;
        for _ in 0..LOOKS {
            match self.state(session).as_deref() {
                Some("Registered") | None => return Ok(()),
                Some(_) => session.client.sleep(REST),
            }
        }
        Err(CommandError::environment(
            Code::NotRegistered,
            format!("Azure is still registering `{}`", self.name()),
            "apply again in some minutes; nothing was deployed",
        ))
    }
}

/// What the desired resources need: the provider of each, and the features that their properties name.
#[must_use]
pub fn needed(desired: &Desired) -> BTreeSet<Registration> {
    let mut all = BTreeSet::new();
    for resource in desired.resources.iter().filter(|resource| !resource.existing) {
        let namespace = resource.resource_type.split('/').next().unwrap_or_default();
        // Resource Manager's own are always there.
        if !namespace.is_empty()
            && !["microsoft.resources", "microsoft.authorization"].contains(&&*namespace.to_ascii_lowercase())
        {
            all.insert(Registration::provider(namespace));
        }
        if resource.body.text().contains("encryptionAtHost") && asks_for_encryption(&resource.body.read()) {
            all.insert(Registration::encryption_at_host());
        }
    }
    all
}

/// Whether a machine's or a set's security profile has `encryptionAtHost`: Azure rejects even `false` without the feature.
fn asks_for_encryption(body: &Value) -> bool {
    [
        "/properties/securityProfile/encryptionAtHost",
        "/properties/virtualMachineProfile/securityProfile/encryptionAtHost",
    ]
    .iter()
    .any(|pointer| body.pointer(pointer).is_some_and(|value| !value.is_null()))
}

/// Those that the subscription has not registered. What cannot be found out counts as registered: the deployment tells.
#[must_use]
pub fn missing(session: &Session, needed: BTreeSet<Registration>) -> Vec<Registration> {
    let open = |one: &Registration| one.state(session).is_some_and(|state| state != "Registered");
    needed.into_iter().filter(open).collect()
}

/// Asks whether to register them, unless that was said beforehand: a plan alone does not allow a change of the subscription.
///
/// # Errors
/// Nobody agreed.
pub fn consent(all: &[Registration], given: bool, frontend: &mut dyn Frontend) -> Result<(), CommandError> {
    if all.is_empty() || given {
        return Ok(());
    }
    let names: Vec<String> = all.iter().map(Registration::name).collect();
    let prompt = format!("Register {} for the whole subscription? Type yes: ", names.join(", "));
    let asked = frontend.can_ask();
    if asked
        && frontend.ask(&Question { explanation: "", prompt: &prompt, secret: false }).is_ok_and(|a| a.trim() == "yes")
    {
        return Ok(());
    }
    let commands: Vec<String> = all.iter().map(Registration::commands).collect();
    Err(CommandError::input(
        Code::NotRegistered,
        format!("the subscription has not registered {}; nothing was changed", names.join(", ")),
        format!("add `--register-features`, or let its owner type: {}", commands.join("; ")),
    ))
}

/// Registers all, waits until the service is done, and then registers the providers of features again.
///
/// # Errors
/// The service refused, or did not end within twenty minutes.
pub fn register_all(session: &Session, all: &[Registration]) -> Result<(), CommandError> {
    for one in all {
        one.register(session)?;
        if one.feature.is_some() {
            Registration::provider(&one.namespace).register(session)?;
        }
    }
    Ok(())
}

/// One line that names what is missing and what is done about it; nothing when nothing is.
#[must_use]
pub fn note(all: &[Registration]) -> Option<String> {
    if all.is_empty() {
        return None;
    }
    let names: Vec<String> = all.iter().map(|one| format!("`{}`", one.name())).collect();
    Some(format!("The subscription has not registered {}; `apply` registers it with consent.", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_name_the_feature_and_then_its_provider() {
        let feature = Registration::encryption_at_host();
        assert_eq!(feature.name(), "Microsoft.Compute/EncryptionAtHost");
        assert_eq!(
            feature.commands(),
            "az feature register --namespace Microsoft.Compute --name EncryptionAtHost, then az provider register -n Microsoft.Compute"
        );
        assert_eq!(
            feature.path("s"),
            "/subscriptions/s/providers/Microsoft.Features/providers/Microsoft.Compute/features/EncryptionAtHost"
        );
    }
}
