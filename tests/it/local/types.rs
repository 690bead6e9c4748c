//! The rules of the types that dsvmc emits.

use serde_json::{Value, json};

use super::{Local, body, code, full, header};

const VMSS: &str = "{rg}/Microsoft.Compute/virtualMachineScaleSets/pool";
const VNET: &str = "{rg}/Microsoft.Network/virtualNetworks/net";

/// A group with a network and a pool of two.
pub fn pool() -> Local {
    let local = Local::group();
    network(&local, "10.0.0.0/24");
    let reply = local.put(VMSS, &scale_set(2).to_string());
    assert_eq!(reply.status, 201, "{reply:?}");
    local
}

pub fn network(local: &Local, subnet: &str) {
    let net = json!({ "location": "westeurope", "properties": { "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] },
        "subnets": [{ "name": "pool", "properties": { "addressPrefix": subnet } }] } });
    assert_eq!(local.put(VNET, &net.to_string()).status, 201);
}

pub fn scale_set(capacity: i64) -> Value {
    json!({ "location": "westeurope", "sku": { "name": "Standard_NC4as_T4_v3", "tier": "Standard", "capacity": capacity }, "properties": {
        "orchestrationMode": "Uniform", "overprovision": false, "upgradePolicy": { "mode": "Manual" },
        "virtualMachineProfile": {
            "osProfile": { "computerNamePrefix": "pool", "adminUsername": "dsadmin", "adminPassword": "Sup3r-secret!", "customData": "aGVsbG8=" },
            "storageProfile": { "imageReference": { "publisher": "microsoft-dsvm", "offer": "ubuntu-2204", "sku": "2204-gen2", "version": "latest" },
                "osDisk": { "createOption": "FromImage" } },
            "networkProfile": { "networkInterfaceConfigurations": [{ "name": "nic", "properties": { "primary": true, "ipConfigurations": [{ "name": "ip",
                "properties": { "subnet": { "id": full(&format!("{VNET}/subnets/pool")) } } }] } }] },
            "extensionProfile": { "extensions": [{ "name": "e", "properties": { "publisher": "p", "type": "t", "typeHandlerVersion": "1.0",
                "protectedSettings": { "key": "hidden-key" } } }] } } } })
}

fn with(pointer: &str, value: Value) -> String {
    let mut set = scale_set(2);
    let slot = pointer.split('/').skip(1).fold(&mut set, |at, key| &mut at[key]);
    *slot = value;
    set.to_string()
}

fn names(local: &Local) -> Vec<String> {
    let list = local.get(&format!("{VMSS}/virtualMachines"));
    body(&list)["value"]
        .as_array()
        .expect("list")
        .iter()
        .map(|vm| vm["name"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn a_scale_set_is_answered_as_recorded_and_keeps_its_secrets() {
    let local = Local::group();
    network(&local, "10.0.0.0/24");
    let reply = local.put(VMSS, &scale_set(2).to_string());
    assert_eq!((reply.status, &body(&reply)["properties"]["provisioningState"]), (201, &json!("Creating")));
    let poll = header(&reply, "Azure-AsyncOperation").expect("poll").replace(&local.endpoint.base_url, "");
    assert!(poll.contains("/providers/Microsoft.Compute/locations/westeurope/operations/"), "{poll}");
    assert_eq!(body(&local.get(&poll))["status"], "Succeeded");
    let shown = local.get(VMSS);
    let shown = body(&shown);
    assert_eq!(shown["properties"]["provisioningState"], "Succeeded");
    assert_eq!(shown["properties"]["virtualMachineProfile"]["osProfile"]["allowExtensionOperations"], true);
    let text = local.get("{rg}/Microsoft.Compute/virtualMachineScaleSets").body.expect("body").to_string()
        + &shown.to_string();
    for secret in ["Sup3r-secret!", "aGVsbG8=", "hidden-key"] {
        assert!(!text.contains(secret), "{secret}");
    }
    // `az vmss scale` sends location and sku only
    let reply = local
        .put(VMSS, r#"{"location":"westeurope","sku":{"name":"Standard_NC4as_T4_v3","tier":"Standard","capacity":5}}"#);
    assert_eq!(reply.status, 200);
    assert_eq!(body(&local.get(VMSS))["properties"]["virtualMachineProfile"]["osProfile"]["adminUsername"], "dsadmin");
    assert_eq!(names(&local), ["pool_0", "pool_1", "pool_2", "pool_3", "pool_4"]);
}

#[test]
fn instances_come_and_go_and_take_orders() {
    let local = pool();
    let post = |word: &str, text: &str| local.post(&format!("{VMSS}/{word}"), text);
    assert_eq!(post("deallocate", r#"{"instanceIds":["1"]}"#).status, 202);
    let view = local.get(&format!("{VMSS}/virtualMachines/1/instanceView"));
    assert_eq!(body(&view)["statuses"][1]["code"], "PowerState/deallocated");
    let view = local.get(&format!("{VMSS}/instanceView"));
    assert_eq!(
        body(&view)["virtualMachine"]["statusesSummary"][1],
        json!({ "code": "PowerState/running", "count": 1 })
    );
    assert_eq!(code(&post("start", r#"{"instanceIds":["9"]}"#)), (400, "InvalidParameter"));
    assert_eq!(post("delete", r#"{"instanceIds":["0"]}"#).status, 202);
    assert_eq!((names(&local), &body(&local.get(VMSS))["sku"]["capacity"]), (vec!["pool_1".to_owned()], &json!(1)));
    local.put(VMSS, r#"{"sku":{"name":"Standard_NC4as_T4_v3","capacity":2}}"#);
    assert_eq!(names(&local), ["pool_1", "pool_2"], "numbers are not used again");
    assert_eq!(local.delete(&format!("{VMSS}/virtualMachines/2")).status, 202);
    assert_eq!(body(&local.get(VMSS))["sku"]["capacity"], 1);
    // a new model waits for the upgrade
    local.send("PATCH", VMSS, r#"{"sku":{"name":"Standard_NC8as_T4_v3"}}"#, &[]);
    let one = |local: &Local| body(&local.get(&format!("{VMSS}/virtualMachines/1"))).clone();
    assert_eq!(
        (one(&local)["properties"]["latestModelApplied"].clone(), one(&local)["sku"]["name"].clone()),
        (json!(false), json!("Standard_NC4as_T4_v3"))
    );
    post("manualupgrade", r#"{"instanceIds":["*"]}"#);
    assert_eq!(
        (one(&local)["properties"]["latestModelApplied"].clone(), one(&local)["sku"]["name"].clone()),
        (json!(true), json!("Standard_NC8as_T4_v3"))
    );
    assert_eq!(local.delete(VMSS).status, 202);
    assert_eq!(body(&local.get("{rg}/Microsoft.Compute/virtualMachineScaleSets"))["value"], json!([]));
}

#[test]
fn a_scale_set_is_checked() {
    let local = Local::group();
    network(&local, "10.0.0.0/29");
    let refused = |text: &str| {
        let reply = local.put(VMSS, text);
        let target = body(&reply).pointer("/error/target").and_then(Value::as_str).unwrap_or("").to_owned();
        (reply.status, code(&reply).1.to_owned(), target)
    };
    let profile = "/properties/virtualMachineProfile";
    for (pointer, value, target) in [
        ("/sku/capacity", json!(101), "sku.capacity"),
        (&format!("{profile}/osProfile/adminUsername") as &str, json!("root"), "adminUsername"),
        (&format!("{profile}/osProfile/adminPassword"), json!("short"), "adminPassword"),
        (&format!("{profile}/osProfile/customData"), json!("not base 64"), "customData"),
        (&format!("{profile}/osProfile/computerNamePrefix"), json!("12345"), "computerNamePrefix"),
        (&format!("{profile}/evictionPolicy"), json!("Delete"), "evictionPolicy"),
    ] {
        assert_eq!(refused(&with(pointer, value)), (400, "InvalidParameter".into(), target.into()), "{pointer}");
    }
    assert_eq!(refused(&with("/sku/capacity", json!(4))).1, "SubnetIsFull");
    assert_eq!(refused(&with("/location", json!("eastus"))).1, "InvalidResourceReference", "another region");
    let other = full("{rg}/Microsoft.Network/virtualNetworks/net/subnets/none");
    let nic = format!("{profile}/networkProfile/networkInterfaceConfigurations");
    let nics = json!([{ "name": "n", "properties": { "ipConfigurations": [{ "name": "i", "properties": { "subnet": { "id": other } } }] } }]);
    assert_eq!(refused(&with(&nic, nics)).1, "InvalidResourceReference");
    local.post("/_local/limits", r#"{"cores":{"westeurope":4},"unavailable":{"westeurope":["Standard_NC8as_T4_v3"]}}"#);
    assert_eq!(refused(&with("/sku/name", json!("standard_nc8as_t4_v3"))).1, "SkuNotAvailable");
    assert_eq!(refused(&with("/sku/capacity", json!(2))).1, "OperationNotAllowed");
    assert_eq!(local.put(VMSS, &with("/sku/capacity", json!(1))).status, 201);
    assert_eq!(refused(r#"{"properties":{"orchestrationMode":"Flexible"}}"#).1, "PropertyChangeNotAllowed");
}

#[test]
fn flexible_sets_have_machines_of_their_own() {
    let local = Local::group();
    network(&local, "10.0.0.0/24");
    assert_eq!(local.put(VMSS, &with("/properties/orchestrationMode", json!("Flexible"))).status, 201);
    let machines = |local: &Local| {
        body(&local.get("{rg}/Microsoft.Compute/virtualMachines"))["value"]
            .as_array()
            .expect("list")
            .iter()
            .map(|vm| vm["id"].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    let two = machines(&local);
    assert_eq!((two.len(), names(&local).len()), (2, 2));
    assert_eq!(local.delete(two.first().expect("one")).status, 202);
    assert_eq!(body(&local.get(VMSS))["sku"]["capacity"], 1);
    local.delete(VMSS);
    assert!(machines(&local).is_empty());
}

#[test]
fn networks_guard_what_is_in_use() {
    let local = pool();
    assert_eq!(code(&local.delete(VNET)), (400, "InUseSubnetCannotBeDeleted"));
    assert_eq!(code(&local.delete(&format!("{VNET}/subnets/pool"))), (400, "InUseSubnetCannotBeDeleted"));
    let empty =
        r#"{"location":"westeurope","properties":{"addressSpace":{"addressPrefixes":["10.0.0.0/16"]},"subnets":[]}}"#;
    assert_eq!(code(&local.put(VNET, empty)), (400, "InUseSubnetCannotBeDeleted"));
    let subnet = |name: &str, prefix: &str| {
        local.put(&format!("{VNET}/subnets/{name}"), &format!(r#"{{"properties":{{"addressPrefix":"{prefix}"}}}}"#))
    };
    assert_eq!(code(&subnet("b", "10.0.0.128/25")), (400, "NetcfgSubnetRangesOverlap"));
    assert_eq!(code(&subnet("b", "10.1.0.0/24")), (400, "NetcfgInvalidSubnet"));
    assert_eq!(subnet("b", "10.0.1.0/24").status, 201);
    assert_eq!(body(&local.get(VNET))["properties"]["subnets"].as_array().map(Vec::len), Some(2));
    let silent = r#"{"location":"westeurope","properties":{"addressSpace":{"addressPrefixes":["10.0.0.0/16"]}},"tags":{"a":"b"}}"#;
    local.put(VNET, silent);
    assert_eq!(
        body(&local.get(VNET))["properties"]["subnets"].as_array().map(Vec::len),
        Some(2),
        "what is not mentioned stays"
    );
    assert_eq!(local.delete(&format!("{VNET}/subnets/b")).status, 202);
    local.delete(VMSS);
    assert_eq!(local.delete(VNET).status, 202);
}

#[test]
fn addresses_names_and_balancers() {
    let local = Local::group();
    let ip = |name: &str, label: &str| {
        local.put(
            &format!("{{rg}}/Microsoft.Network/publicIPAddresses/{name}"),
            &json!({ "location": "westeurope", "sku": { "name": "Standard" },
            "properties": { "publicIPAllocationMethod": "Static", "dnsSettings": { "domainNameLabel": label } } })
            .to_string(),
        )
    };
    let first = ip("a", "lab");
    assert_eq!(body(&first)["properties"]["dnsSettings"]["fqdn"], "lab.westeurope.cloudapp.azure.com");
    assert_eq!(body(&first)["properties"]["ipAddress"], "203.0.113.4");
    assert_eq!(code(&ip("b", "lab")), (400, "DnsRecordInUse"));
    assert_eq!(code(&ip("b", "Lab!")), (400, "InvalidDomainNameLabel"));
    assert_eq!(body(&ip("b", "lab2"))["properties"]["ipAddress"], "203.0.113.5");
    let lb = full("{rg}/Microsoft.Network/loadBalancers/lb");
    let text = json!({ "location": "westeurope", "sku": { "name": "Standard" }, "properties": {
        "frontendIPConfigurations": [{ "name": "f", "properties": { "publicIPAddress": { "id": full("{rg}/Microsoft.Network/publicIPAddresses/a") } } }],
        "backendAddressPools": [{ "name": "p" }],
        "loadBalancingRules": [{ "name": "r", "properties": { "protocol": "Tcp", "frontendPort": 443, "backendPort": 8000,
            "frontendIPConfiguration": { "id": format!("{lb}/frontendIPConfigurations/f") }, "backendAddressPool": { "id": format!("{lb}/backendAddressPools/p") } } }] } });
    assert_eq!(local.put(&lb, &text.to_string()).status, 201);
    assert_eq!(
        body(&local.get(&lb))["properties"]["frontendIPConfigurations"][0]["properties"]["loadBalancingRules"][0]["id"],
        format!("{lb}/loadBalancingRules/r")
    );
    assert_eq!(
        code(&local.delete("{rg}/Microsoft.Network/publicIPAddresses/a")),
        (400, "PublicIPAddressCannotBeDeleted")
    );
    let mut wrong = text;
    wrong["properties"]["backendAddressPools"] = json!([]);
    assert_eq!(code(&local.put(&lb, &wrong.to_string())), (400, "InvalidResourceReference"));
    let rule = |name: &str, priority: i64| json!({ "name": name, "properties": { "priority": priority, "direction": "Inbound", "access": "Allow", "protocol": "Tcp" } });
    let group = |rules: Value| {
        local.put(
            "{rg}/Microsoft.Network/networkSecurityGroups/nsg",
            &json!({ "location": "westeurope", "properties": { "securityRules": rules } }).to_string(),
        )
    };
    assert_eq!(code(&group(json!([rule("a", 100), rule("b", 100)]))), (400, "SecurityRuleConflict"));
    assert_eq!(code(&group(json!([rule("a", 50)]))), (400, "SecurityRuleInvalidPriority"));
    assert_eq!(
        body(&group(json!([rule("a", 100)])))["properties"]["defaultSecurityRules"].as_array().map(Vec::len),
        Some(6)
    );
}

#[test]
fn storage_accounts_have_keys_that_are_asked_for() {
    let local = Local::group();
    let account = "{rg}/Microsoft.Storage/storageAccounts/lab1";
    let reply = local
        .put(account, r#"{"location":"westeurope","kind":"StorageV2","sku":{"name":"Standard_LRS"},"properties":{}}"#);
    assert_eq!((reply.status, reply.body.is_some()), (202, false));
    let poll = header(&reply, "Location").expect("Location").replace(&local.endpoint.base_url, "");
    let made = local.get(&poll);
    assert_eq!(body(&made)["properties"]["primaryEndpoints"]["file"], "https://lab1.file.core.windows.net/");
    let keys = |reply: super::Reply| body(&reply)["keys"].clone();
    let first = keys(local.post(&format!("{account}/listKeys"), ""));
    assert!(!local.get(account).body.expect("body").to_string().contains(first[0]["value"].as_str().expect("key")));
    let second = keys(local.post(&format!("{account}/regenerateKey"), r#"{"keyName":"key1"}"#));
    assert_ne!(first[0]["value"], second[0]["value"]);
    assert_eq!(first[1]["value"], second[1]["value"]);
    let share = format!("{account}/fileServices/default/shares/notebooks");
    assert_eq!(local.put(&share, r#"{"properties":{"shareQuota":100}}"#).status, 201);
    assert_eq!(body(&local.get(&share))["properties"]["accessTier"], "TransactionOptimized");
    assert_eq!(
        code(&local.put(&format!("{account}/fileServices/default/shares/Bad"), "{}")),
        (400, "InvalidResourceName")
    );
    assert_eq!(local.get(&format!("{account}/fileServices/default")).status, 200);
    assert_eq!(
        code(&local.put(
            "{rg}/Microsoft.Storage/storageAccounts/Bad-Name",
            r#"{"location":"westeurope","sku":{"name":"Standard_LRS"}}"#
        )),
        (400, "AccountNameInvalid")
    );
    let free = |name: &str| {
        body(&local.post(
            "/subscriptions/{sub}/providers/Microsoft.Storage/checkNameAvailability",
            &format!(r#"{{"name":"{name}"}}"#),
        ))["nameAvailable"]
            .clone()
    };
    assert_eq!((free("lab1"), free("lab2")), (json!(false), json!(true)));
    assert_eq!(local.delete(account).status, 200);
    assert_eq!(local.get(&share).status, 404);
}

#[test]
fn identities_roles_vaults() {
    let local = Local::group();
    let identity = "{rg}/Microsoft.ManagedIdentity/userAssignedIdentities/lab-id";
    let made = local.put(identity, r#"{"location":"westeurope"}"#);
    let principal = body(&made)["properties"]["principalId"].as_str().expect("principal").to_owned();
    assert_eq!(
        body(&local.put(identity, r#"{"location":"westeurope","tags":{"a":"b"}}"#))["properties"]["principalId"],
        principal.as_str()
    );
    let role = |name: &str, definition: &str, who: &str| {
        local.put(
            &format!("{{rg}}/Microsoft.Authorization/roleAssignments/{name}"),
            &json!({ "properties": { "roleDefinitionId": definition, "principalId": who } }).to_string(),
        )
    };
    let reader = "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7";
    let guid = "8e3af657-0000-4000-8000-000000000001";
    assert_eq!(role(guid, reader, &principal).status, 201);
    assert_eq!(role(guid, reader, &principal).status, 200);
    assert_eq!(code(&role(guid, reader, guid)), (409, "RoleAssignmentUpdateNotPermitted"));
    assert_eq!(code(&role("8e3af657-0000-4000-8000-000000000002", reader, &principal)), (409, "RoleAssignmentExists"));
    assert_eq!(code(&role("no-guid", reader, &principal)), (400, "InvalidRoleAssignmentId"));
    let vault = "{rg}/Microsoft.KeyVault/vaults/lab-kv";
    let text = json!({ "location": "westeurope", "properties": { "tenantId": arm_local::TENANT, "sku": { "family": "A", "name": "standard" } } }).to_string();
    assert_eq!(body(&local.put(vault, &text))["properties"]["provisioningState"], "RegisteringDns");
    let made = local.get(vault);
    assert_eq!(body(&made)["properties"]["vaultUri"], "https://lab-kv.vault.azure.net/");
    assert_eq!(body(&made)["properties"]["provisioningState"], "Succeeded");
    let secret = format!("{vault}/secrets/password");
    let reply = local.put(&secret, r#"{"properties":{"value":"S3cret-value"}}"#);
    assert_eq!(reply.status, 200);
    let all = format!("{reply:?}{:?}{:?}", local.get(&secret), local.get(&format!("{vault}/secrets")));
    assert!(!all.contains("S3cret-value"));
}

#[test]
fn batch_pools_as_recorded() {
    let local = Local::group();
    let account = "{rg}/Microsoft.Batch/batchAccounts/batch1";
    assert_eq!(local.put(account, r#"{"location":"westeurope"}"#).status, 202);
    let pool = format!("{account}/pools/p");
    let text = json!({ "properties": { "vmSize": "Standard_A1", "deploymentConfiguration": { "virtualMachineConfiguration": {
        "imageReference": { "publisher": "p", "offer": "o", "sku": "s" }, "nodeAgentSkuId": "batch.node.ubuntu 22.04" } },
        "userAccounts": [{ "name": "u", "password": "p@55wOrd" }], "scaleSettings": { "fixedScale": { "targetDedicatedNodes": 2 } } } });
    let reply = local.put(&pool, &text.to_string());
    assert_eq!(reply.status, 200);
    let made = body(&reply);
    assert_eq!(
        (&made["properties"]["vmSize"], &made["properties"]["currentDedicatedNodes"]),
        (&json!("STANDARD_A1"), &json!(0))
    );
    assert_eq!(made["properties"]["scaleSettings"]["fixedScale"]["resizeTimeout"], "PT15M");
    assert!(!made.to_string().contains("p@55wOrd"));
    let reply = local.send(
        "PATCH",
        &pool,
        r#"{"properties":{"scaleSettings":{"autoScale":{"formula":"$TargetDedicatedNodes=0"}}}}"#,
        &[],
    );
    assert_eq!(
        body(&reply)["properties"]["scaleSettings"],
        json!({ "autoScale": { "formula": "$TargetDedicatedNodes=0", "evaluationInterval": "PT15M" } })
    );
    assert_eq!(code(&local.post(&format!("{pool}/stopResize"), "")), (409, "OperationInvalidForCurrentState"));
    assert_eq!(local.delete(&pool).status, 202);
}
