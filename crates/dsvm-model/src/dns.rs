//! Private DNS zones of private endpoints: who keeps them.
//!
//! An endpoint needs its name in a zone that the network resolves ("Azure Private Endpoint private DNS zone values",
//! <https://learn.microsoft.com/azure/private-link/private-endpoint-dns>). Organizations often keep the zones in one place and
//! register endpoints by policy ("Private Link and DNS integration at scale",
//! <https://learn.microsoft.com/azure/cloud-adoption-framework/ready/azure-best-practices/private-link-and-dns-integration-at-scale>).

use super::diags;
use super::support::Access;
use dsvm_diagnostics::Sink;
use dsvm_sema::checked::Checked;
use dsvm_sema::table::FieldRef;
use dsvm_sema::table::choices::DnsZone;
use dsvm_sema::table::words::DnsKeeper;
use dsvm_sema::value::BlockId;

/// Type of a private DNS zone, in lower case.
const ZONE_TYPE: &str = "microsoft.network/privatednszones";

/// Who keeps the private DNS zone of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone<'a> {
    /// It is deployed with the endpoint.
    Own,
    /// Azure Policy registers the endpoint.
    Policy,
    /// An `existing resource` of the type of private DNS zones.
    Resource(BlockId),
    /// Another zone that exists.
    Id(ZoneId<'a>),
}

/// Parts of the resource id of a private DNS zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZoneId<'a> {
    /// Subscription of the zone.
    pub subscription: &'a str,
    /// Resource group of the zone.
    pub group: &'a str,
    /// The domain that it serves, such as `privatelink.file.core.windows.net`.
    pub name: &'a str,
}

impl<'a> ZoneId<'a> {
    /// The parts of an id; `None` when it is not the id of a private DNS zone.
    #[must_use]
    pub fn parse(id: &'a str) -> Option<Self> {
        let parts: Vec<&str> = id.split('/').collect();
        let ["", s, subscription, g, group, p, provider, kind, name] = parts.as_slice() else { return None };
        let fits = s.eq_ignore_ascii_case("subscriptions")
            && g.eq_ignore_ascii_case("resourceGroups")
            && p.eq_ignore_ascii_case("providers")
            && format!("{provider}/{kind}").eq_ignore_ascii_case(ZONE_TYPE)
            && [subscription, group, name].iter().all(|part| !part.is_empty());
        fits.then_some(Self { subscription, group, name })
    }
}

impl<'a> Zone<'a> {
    /// Reads `dns_zone` of a share or vault; `domain` is what the zone of that service begins with.
    pub(crate) fn read(
        checked: &Checked,
        written: Option<DnsZone<'a>>,
        field: FieldRef<'_>,
        (access, domain): (Access, &str),
        sink: &mut Sink,
    ) -> Self {
        let Some(written) = written else { return Self::Own };
        let at = field.span();
        if access != Access::PrivateEndpoint || field.block.existing {
            sink.push(diags::zone_without_endpoint(at, field.block));
            return Self::Own;
        }
        let zone = match written {
            DnsZone::Keeper(DnsKeeper::Policy) => return Self::Policy,
            DnsZone::Zone(zone) => {
                let block = &checked[zone.id];
                let kind = block.class.as_deref().and_then(|class| class.split('@').next()).unwrap_or_default();
                if !kind.eq_ignore_ascii_case(ZONE_TYPE) {
                    sink.push(diags::zone_of_another_type(kind, at, block));
                    return Self::Own;
                } else if !block.existing {
                    sink.push(diags::zone_not_existing(at, block));
                }
                let named = checked.view(zone).name().and_then(|name| name.known());
                (Self::Resource(zone.id), named.map(str::to_owned))
            }
            DnsZone::Id(id) => match ZoneId::parse(id) {
                Some(zone) => (Self::Id(zone), Some(zone.name.to_owned())),
                None => {
                    sink.push(diags::zone_id_malformed(id, at));
                    return Self::Own;
                }
            },
        };
        if let Some(name) = zone.1.filter(|name| !name.to_ascii_lowercase().starts_with(domain)) {
            sink.push(diags::zone_of_another_service(&name, domain, at));
        }
        zone.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_zone_has_three_parts_of_interest() {
        let id = "/subscriptions/s/resourceGroups/rg-dns/providers/Microsoft.Network/privateDnsZones/privatelink.file.core.windows.net";
        let parts = ZoneId { subscription: "s", group: "rg-dns", name: "privatelink.file.core.windows.net" };
        assert_eq!(ZoneId::parse(id), Some(parts));
        assert_eq!(ZoneId::parse(&id.to_uppercase()).map(|zone| zone.group), Some("RG-DNS"));
        for wrong in [
            "",
            "privatelink.file.core.windows.net",
            &id.replace("privateDnsZones", "dnsZones"),
            &format!("{id}/virtualNetworkLinks/a"),
        ] {
            assert_eq!(ZoneId::parse(wrong), None, "{wrong}");
        }
    }
}
