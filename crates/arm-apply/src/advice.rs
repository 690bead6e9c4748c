//! What to do about errors of Azure that people meet often.

use arm_client::ServiceError;

/// Advice by code; the first row whose code occurs anywhere in the error and whose word occurs in a message wins.
const ADVICE: &[(&str, &str, &str)] = &[
    (
        "LocalNotComputed",
        "",
        "only Azure can tell whether the template asks for it rightly: plan and apply this one with `--target azure`",
    ),
    (
        "SkuNotAvailable",
        "",
        "this size is not offered to the subscription here: choose another size, zone or region, or ask for access (`az vm list-skus --location … --size … --all` shows the restriction)",
    ),
    (
        "QuotaExceeded",
        "",
        "the quota is used up: ask for more in the portal under Quotas, or lower `machines`; spot machines draw on a quota of their own",
    ),
    (
        "OperationNotAllowed",
        "quota",
        "the quota of cores is used up: ask for more in the portal under Quotas, or lower `machines`; spot machines draw on a quota of their own",
    ),
    (
        "OperationNotAllowed",
        "",
        "the resource does not allow this change in its current state: look at it in the portal",
    ),
    (
        "AllocationFailed",
        "",
        "Azure has no capacity for this size at the moment: try later, in another zone, or with another size",
    ),
    (
        "ZonalAllocationFailed",
        "",
        "Azure has no capacity for this size in this zone at the moment: leave out `zones` or add others",
    ),
    (
        "OverconstrainedAllocationRequest",
        "",
        "no location satisfies all constraints at once: drop zones, spot or the placement group",
    ),
    ("StorageAccountAlreadyTaken", "", "storage account names are unique across all of Azure: choose another name"),
    ("StorageAccountAlreadyExists", "", "storage account names are unique across all of Azure: choose another name"),
    ("DnsRecordInUse", "", "this DNS label is already taken in the region: choose another one"),
    (
        "InvalidDomainNameLabel",
        "",
        "a DNS label has 3 to 63 lower-case letters, digits and hyphens, and starts with a letter",
    ),
    (
        "VaultAlreadyExists",
        "",
        "a vault of this name exists or was recently deleted: choose another name, or recover or purge the old one",
    ),
    (
        "BadRequest",
        "soft-deleted workspace",
        "Azure keeps a deleted workspace for 14 days: recover it or delete it permanently in the portal, or give the workspace another name",
    ),
    ("ConflictError", "soft", "a deleted vault still holds the name: recover or purge it"),
    (
        "RequestDisallowedByPolicy",
        "",
        "a policy of your organisation forbids this: change the property that the policy names, or ask its owner for an exemption",
    ),
    (
        "SubscriptionIsOverQuotaForSku",
        "",
        "the quota is used up: ask for more in the portal under Quotas, or choose another region or size",
    ),
    (
        "DenyAssignmentAuthorizationFailed",
        "",
        "a deployment stack or a managed application denies this: change it where the denial was made",
    ),
    ("ScopeLocked", "", "a lock protects the resource: have it removed (`az lock list`), then apply again"),
    (
        "MarketplacePurchaseEligibilityFailed",
        "not to be sold in market",
        "the publisher does not sell this image in the subscription's country: choose another image, or a subscription of another country",
    ),
    (
        "MarketplacePurchaseEligibilityFailed",
        "",
        "the terms of the image must be accepted once for the subscription: `az vm image terms accept --urn …`",
    ),
    (
        "ResourcePurchaseValidationFailed",
        "",
        "the terms of the image must be accepted once for the subscription: `az vm image terms accept --urn …`",
    ),
    (
        "BadRequest",
        "legal terms",
        "the terms of the image must be accepted once for the subscription: `az vm image terms accept --urn …`",
    ),
    ("VMMarketplaceInvalidInput", "", "the image needs a purchase `plan` block, or must not have one"),
    ("ImageVersionDeprecated", "", "the image version is retired: use a newer one or `latest`"),
    (
        "PlatformImageNotFound",
        "",
        "the image does not exist in this region: `az vm image list --offer … --all` shows what does",
    ),
    (
        "DeploymentActive",
        "",
        "a deployment of the same name is still running: wait for it, or run `dsvmc apply` again to follow it",
    ),
    ("DeploymentQuotaExceeded", "", "the group keeps 800 deployments: delete old ones (`az deployment group delete`)"),
    ("DeploymentStackOutOfSync", "", "the stack is out of sync with its resources: apply again with `--out-of-sync`"),
    ("AuthorizationFailed", "roleAssignments", "assigning roles needs Owner or User Access Administrator on the scope"),
    (
        "AuthorizationFailed",
        "",
        "the signed-in identity lacks this permission: ask for a role on the resource group (`dsvmc doctor` shows the identity)",
    ),
    ("LinkedAuthorizationFailed", "", "a permission on the linked resource is missing, such as joining the subnet"),
    (
        "RoleAssignmentExists",
        "",
        "the same role is already assigned under another name: delete that assignment or leave it out here",
    ),
    ("RoleAssignmentUpdateNotPermitted", "", "role assignments never change: a new one needs a new name"),
    ("PrincipalNotFound", "", "the identity is too new for the directory: run `dsvmc apply` again in a minute"),
    ("MissingSubscriptionRegistration", "", "the provider is not registered: `az provider register --namespace …`"),
    ("NoRegisteredProviderFound", "", "this region or API version does not serve the type: choose another region"),
    ("ResourceGroupBeingDeleted", "", "the group is being deleted: wait until it is gone, then apply again"),
    ("ResourceGroupNotFound", "", "create the group first, or leave it to `dsvmc apply`"),
    ("LocationNotAvailableForResourceType", "", "the type is not offered in this region: choose another one"),
    (
        "InvalidResourceLocation",
        "",
        "the resource exists in another region; a resource never moves: delete it or go back to its region",
    ),
    ("InUseSubnetCannotBeDeleted", "", "the subnet is still in use: delete what uses it first"),
    (
        "InUseNetworkSecurityGroupCannotBeDeleted",
        "",
        "the network security group is still in use: delete what uses it first",
    ),
    ("InUsePublicIPAddressCannotBeDeleted", "", "the address is still in use: delete what uses it first"),
    ("TooManyRequests", "", "Azure asks for a pause: wait a minute and apply again"),
    ("SubscriptionRequestsThrottled", "", "Azure asks for a pause: wait a minute and apply again"),
    (
        "ExpiredAuthenticationToken",
        "",
        "the login has expired: log in again (`az login`) and apply again; it continues from there",
    ),
    ("InvalidAuthenticationToken", "", "the token is of another tenant or cloud: check `dsvmc doctor`"),
    (
        "SubscriptionNotFound",
        "",
        "the subscription does not exist or you have no access to it: check `--subscription` and the tenant",
    ),
    (
        "PropertyChangeNotAllowed",
        "",
        "Azure does not change this property in place: the resource must be deleted and recreated",
    ),
    ("InvalidTemplate", "", "the template has a mistake that dsvmc did not find: please report it"),
];

/// What to do, if it is known.
#[must_use]
pub fn advice(error: &ServiceError) -> Option<&'static str> {
    let codes = error.codes();
    let text = all_text(error).to_ascii_lowercase();
    // The innermost code says most: look from the inside out.
    codes.iter().rev().find_map(|code| {
        let row = ADVICE
            .iter()
            .find(|(c, word, _)| c.eq_ignore_ascii_case(code) && text.contains(&word.to_ascii_lowercase()));
        row.map(|(_, _, advice)| *advice)
    })
}

fn all_text(error: &ServiceError) -> String {
    error.details.iter().fold(error.message.clone(), |text, d| text + " " + &all_text(d))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: &str, message: &str) -> ServiceError {
        ServiceError { code: code.into(), message: message.into(), ..ServiceError::default() }
    }

    #[test]
    fn the_innermost_code_decides() {
        let outer = ServiceError { details: vec![of("ScopeLocked", "")], ..of("DeploymentFailed", "") };
        assert!(advice(&outer).unwrap().contains("lock"));
        assert!(
            advice(&of("OperationNotAllowed", "exceeding approved Total Regional Cores Quota"))
                .unwrap()
                .contains("cores")
        );
        assert_eq!(advice(&of("Nothing", "")), None);
    }
}
