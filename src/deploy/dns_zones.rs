//! Private DNS zones of private endpoints: those that somebody else keeps must exist, and a zone of the project's own must
//! neither take over another one nor compete with it.

use super::error::CommandError;
use super::existing::Checks;
use super::observation::group_in;
use arm_plan::{Desired, DesiredResource, Observed, same_id};
use serde_json::Value;

/// API version of private DNS zones.
const DNS_API: &str = "2024-06-01";

impl Checks<'_> {
    /// Every zone that endpoints are registered in exists, if it is not deployed here.
    pub(super) fn zones(&mut self, registration: &DesiredResource) -> Result<(), CommandError> {
        let body = registration.body.read();
        let configs = body.pointer("/properties/privateDnsZoneConfigs").and_then(Value::as_array);
        for config in configs.into_iter().flatten() {
            let Some(zone) = config.pointer("/properties/privateDnsZoneId").and_then(Value::as_str) else { continue };
            if !zone.starts_with("/subscriptions/") || self.deploys(zone) {
                continue;
            }
            // Who may register an endpoint need not be allowed to read the zone.
            if matches!(self.session.client.resource(zone, DNS_API), Ok(None)) {
                let name = last(zone);
                self.tell(
                    registration,
                    format!("the existing private DNS zone `{name}` does not exist"),
                    "registers its private endpoint there",
                    "dsvmc does not create what is declared as `existing`",
                    "correct the name, `resource_group` or `subscription` of the zone, or remove `dns_zone`".to_owned(),
                );
            }
        }
        Ok(())
    }

    /// A network is linked to one zone of a name only: "A virtual network cannot be linked to multiple zones with overlapping
    /// namespaces" (<https://github.com/MicrosoftDocs/azure-aks-docs/issues/212>; "Azure Private Link frequently asked
    /// questions" says the same of zones with one name).
    pub(super) fn other_links(&mut self, link: &DesiredResource) -> Result<(), CommandError> {
        let body = link.body.read();
        let network = body.pointer("/properties/virtualNetwork/id").and_then(Value::as_str).unwrap_or_default();
        let Some((zone, _)) = link.id.rsplit_once("/virtualNetworkLinks/") else { return Ok(()) };
        if !network.starts_with("/subscriptions/") || self.deploys(network) || !self.deploys(zone) {
            return Ok(());
        }
        let name = last(zone);
        let path = format!(
            "/subscriptions/{}/providers/Microsoft.Network/privateDnsZones?api-version={DNS_API}",
            self.session.subscription
        );
        // What may not be listed is left to the deployment.
        let others = self.session.client.pages(&path).unwrap_or_default();
        let ids = others.iter().filter_map(|other| other.get("id").and_then(Value::as_str));
        for other in ids.filter(|id| last(id).eq_ignore_ascii_case(name) && !same_id(id, zone)) {
            let links = self
                .session
                .client
                .pages(&format!("{other}/virtualNetworkLinks?api-version={DNS_API}"))
                .unwrap_or_default();
            let to_it = |link: &Value| {
                let id = link.pointer("/properties/virtualNetwork/id").and_then(Value::as_str);
                id.is_some_and(|id| same_id(id, network))
            };
            if links.iter().any(to_it) {
                let group = group_in(other, &self.session.subscription).unwrap_or_default();
                self.tell(
                    link,
                    format!("network `{}` is linked to the private DNS zone `{name}` of the group `{group}`", last(network)),
                    "would be registered in a second zone of that name",
                    "Azure would reject the link: a network resolves one zone of a name",
                    format!("write `dns_zone = \"{other}\"`, or `dns_zone = policy` if Azure Policy registers private endpoints"),
                );
            }
        }
        Ok(())
    }
}

/// Remarks on zones that exist and are about to become the project's: nothing of it linked them before.
#[must_use]
pub fn taken_over(desired: &Desired, observed: &Observed) -> Vec<String> {
    let resources = &desired.resources;
    let seen = |id: &str| observed.resources.iter().any(|resource| same_id(&resource.id, id));
    let managed = |id: &str| observed.managed.iter().any(|other| same_id(other, id));
    let of_kind = |resource: &&DesiredResource, kind: &str| {
        !resource.existing && resource.resource_type.eq_ignore_ascii_case(kind)
    };
    let zones = resources.iter().filter(|r| of_kind(r, "Microsoft.Network/privateDnsZones"));
    let linked = |zone: &DesiredResource| {
        let mut links =
            resources.iter().filter(|r| of_kind(r, "Microsoft.Network/privateDnsZones/virtualNetworkLinks"));
        links.any(|link| {
            link.id.rsplit_once("/virtualNetworkLinks/").is_some_and(|(of, _)| same_id(of, &zone.id)) && seen(&link.id)
        })
    };
    let strange = zones.filter(|zone| seen(&zone.id) && !managed(&zone.id) && !linked(zone));
    let remark = |zone: &DesiredResource| {
        format!(
            "the private DNS zone `{}` exists already: the project takes it over, and `destroy` would delete it with all of its records. If it is somebody else's, write `dns_zone = \"{}\"` in the share or vault",
            last(&zone.id),
            zone.id
        )
    };
    strange.map(remark).collect()
}

fn last(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or_default()
}
