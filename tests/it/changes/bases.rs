//! Resources that changes are tried on: one of each type of the table, with what it refers to.

use serde_json::{Value, json};

/// Where the resources of one row are: a group of their own.
#[derive(Clone, Debug)]
pub struct Place {
    /// Number of the row; part of names that are unique everywhere.
    pub number: usize,
    /// `Uniform` or `Flexible`, for scale sets.
    pub mode: &'static str,
}

impl Place {
    /// The id of a resource in the row's group.
    pub fn id(&self, kind: &str, name: &str) -> String {
        let group = format!("/subscriptions/{}/resourceGroups/rg-{}", arm_local::SUBSCRIPTION, self.number);
        arm_plan::resource_id(&group, kind, name)
    }

    /// What a word of an example stands for: `/SUBNET/one` is the id of a subnet.
    pub fn word(&self, word: &str) -> Option<String> {
        let (kind, name) = word.trim_start_matches('/').split_once('/')?;
        let id = |kind: &str, name: &str| Some(self.id(kind, name));
        match kind {
            "PPG" => id("Microsoft.Compute/proximityPlacementGroups", name),
            "SUBNET" => id("Microsoft.Network/virtualNetworks/subnets", &format!("net/{name}")),
            "OTHER" => id("Microsoft.Network/virtualNetworks/subnets", &format!("other/{name}")),
            "VNET" => id("Microsoft.Network/virtualNetworks", if name == "one" { "net" } else { "other" }),
            "PIP" => id("Microsoft.Network/publicIPAddresses", name),
            "NSG" => id("Microsoft.Network/networkSecurityGroups", name),
            "LBPOOL" => id("Microsoft.Network/loadBalancers/backendAddressPools", &format!("lb/{name}")),
            "LBPROBE" => id("Microsoft.Network/loadBalancers/probes", &format!("lb/{name}")),
            "LBFRONT" => id("Microsoft.Network/loadBalancers/frontendIPConfigurations", &format!("subject/{name}")),
            "LBBACK" => id("Microsoft.Network/loadBalancers/backendAddressPools", &format!("subject/{name}")),
            "ID" => id("Microsoft.ManagedIdentity/userAssignedIdentities", &format!("id-{name}")),
            "KV" => id("Microsoft.KeyVault/vaults", &format!("kv{}{name}", self.number)),
            "STORAGE" => id("Microsoft.Storage/storageAccounts", &format!("st{}{name}", self.number)),
            "ZONE" => id("Microsoft.Network/privateDnsZones", &format!("{name}.example")),
            "LAW" => id("Microsoft.OperationalInsights/workspaces", &format!("law-{name}")),
            "VMSS" => id("Microsoft.Compute/virtualMachineScaleSets", &format!("vmss-{name}")),
            "GALLERY" => id("Microsoft.Compute/galleries/images/versions", &format!("own/{name}/1.0.0")),
            "DES" => id("Microsoft.Compute/diskEncryptionSets", name),
            "AVSET" => id("Microsoft.Compute/availabilitySets", name),
            "DISK" => id("Microsoft.Compute/disks", name),
            "APP" => id("Microsoft.Compute/galleries/applications/versions", &format!("own/{name}/1.0.0")),
            "BATCHAPP" => id("Microsoft.Batch/batchAccounts/applications", &format!("{}/{name}", self.batch())),
            "PREFIX" => id("Microsoft.Network/publicIPPrefixes", name),
            "AI" => id("Microsoft.Insights/components", name),
            "ACR" => id("Microsoft.ContainerRegistry/registries", name),
            "KEY" => Some(format!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG{name}")),
            "GUID" => Some(format!("00000000-0000-4000-8000-00000000000{name}")),
            "TENANT" => Some(format!("00000000-0000-4000-9000-00000000000{name}")),
            "ROLE" => Some(format!(
                "/subscriptions/{}/providers/Microsoft.Authorization/roleDefinitions/{}",
                arm_local::SUBSCRIPTION,
                if name == "1" {
                    "acdd72a7-3385-48ef-bd42-f606fba81ae7"
                } else {
                    "b24988ac-6180-42a0-ab88-20f7382dd24c"
                }
            )),
            _ => None,
        }
    }

    fn batch(&self) -> String {
        format!("batch{}", self.number)
    }

    /// The name of the resource that is changed; children `parent/child`.
    pub fn subject(&self, kind: &str) -> String {
        let own = match kind {
            "Microsoft.Storage/storageAccounts" => format!("st{}", self.number),
            "Microsoft.KeyVault/vaults" => format!("kv{}", self.number),
            "Microsoft.Batch/batchAccounts" => self.batch(),
            "Microsoft.Authorization/roleAssignments" => "00000000-0000-4000-8000-000000000001".to_owned(),
            _ => "subject".to_owned(),
        };
        match kind {
            "Microsoft.Compute/virtualMachineScaleSets/extensions" => "vmss-one/subject".to_owned(),
            "Microsoft.Batch/batchAccounts/pools" => format!("{}/subject", self.batch()),
            "Microsoft.Storage/storageAccounts/fileServices" | "Microsoft.Storage/storageAccounts/blobServices" => {
                format!("st{}one/default", self.number)
            }
            "Microsoft.Storage/storageAccounts/fileServices/shares"
            | "Microsoft.Storage/storageAccounts/blobServices/containers" => {
                format!("st{}one/default/subject", self.number)
            }
            "Microsoft.KeyVault/vaults/secrets" => format!("kv{}one/subject", self.number),
            "Microsoft.Network/virtualNetworks/subnets" => "net/one".to_owned(),
            "Microsoft.Network/privateEndpoints/privateDnsZoneGroups" => "pe/subject".to_owned(),
            "Microsoft.Network/privateDnsZones/virtualNetworkLinks" => "one.example/subject".to_owned(),
            "Microsoft.MachineLearningServices/workspaces/computes"
            | "Microsoft.MachineLearningServices/workspaces/datastores" => "ml/subject".to_owned(),
            "Microsoft.Compute/galleries/images" => "own/subject".to_owned(),
            "Microsoft.Compute/galleries/images/versions" => "own/image/1.0.0".to_owned(),
            _ => own,
        }
    }

    /// Resources that others need, in the order in which they are made: those whose ids are in `text`.
    pub fn needed(&self, kind: &str, text: &str) -> Vec<(String, Value)> {
        let own = self.id(kind, &self.subject(kind));
        let parents = own.to_lowercase();
        let text = text.to_lowercase();
        let mentioned = |id: &str| {
            let id = id.to_lowercase();
            (text.contains(&id) || parents.starts_with(&format!("{id}/"))) && !parents.eq(&id)
        };
        let subnet = |net: &str| format!("{}/subnets/one", self.id("Microsoft.Network/virtualNetworks", net));
        let storage = |name: &str| self.word(&format!("STORAGE/{name}")).unwrap();
        let all = vec![
            (self.word("ID/one").unwrap(), json!({})),
            (self.word("ID/two").unwrap(), json!({})),
            (self.word("PPG/one").unwrap(), json!({ "properties": {} })),
            (self.word("PPG/two").unwrap(), json!({ "properties": {} })),
            (
                self.word("AVSET/one").unwrap(),
                json!({ "location": "westeurope", "sku": { "name": "Aligned" }, "properties": {} }),
            ),
            (self.word("NSG/one").unwrap(), json!({ "properties": {} })),
            (self.id("Microsoft.Network/virtualNetworks", "net"), network("10.0")),
            (self.id("Microsoft.Network/virtualNetworks", "other"), network("10.1")),
            (self.word("PIP/one").unwrap(), address()),
            (self.word("PIP/two").unwrap(), address()),
            (
                self.id("Microsoft.Network/loadBalancers", "lb"),
                json!({ "sku": { "name": "Standard" }, "properties": {
                    "frontendIPConfigurations": [{ "name": "front", "properties": { "subnet": { "id": subnet("net") } } }],
                    "backendAddressPools": [{ "name": "one" }],
                    "probes": [{ "name": "one", "properties": { "protocol": "Tcp", "port": 22, "intervalInSeconds": 15 } }] } }),
            ),
            (storage("one"), json!({ "sku": { "name": "Standard_LRS" }, "kind": "StorageV2", "properties": {} })),
            (storage("two"), json!({ "sku": { "name": "Standard_LRS" }, "kind": "StorageV2", "properties": {} })),
            (self.word("KV/one").unwrap(), self.vault()),
            (self.word("KV/two").unwrap(), self.vault()),
            (self.word("ZONE/one").unwrap(), json!({ "location": "global" })),
            (self.word("ZONE/two").unwrap(), json!({ "location": "global" })),
            (self.word("LAW/one").unwrap(), json!({ "properties": {} })),
            (self.word("LAW/two").unwrap(), json!({ "properties": {} })),
            (self.word("VMSS/one").unwrap(), self.scale_set()),
            (self.word("VMSS/two").unwrap(), self.scale_set()),
            (self.id("Microsoft.Batch/batchAccounts", &self.batch()), json!({ "properties": {} })),
            (
                self.id("Microsoft.MachineLearningServices/workspaces", "ml"),
                json!({ "identity": { "type": "SystemAssigned" }, "properties": {} }),
            ),
            (self.id("Microsoft.Compute/galleries", "own"), json!({ "properties": {} })),
            (
                self.id("Microsoft.Compute/galleries/images", "own/image"),
                json!({ "properties": { "osType": "Linux", "osState": "Generalized",
                    "identifier": { "publisher": "p", "offer": "o", "sku": "s" } } }),
            ),
            (self.id("Microsoft.Network/privateEndpoints", "pe"), self.private_endpoint()),
        ];
        let net = self.id("Microsoft.Network/virtualNetworks", "net");
        let scale_set_needed = mentioned(&self.word("VMSS/one").unwrap()) || mentioned(&self.word("VMSS/two").unwrap());
        let endpoint_needed = mentioned(&self.id("Microsoft.Network/privateEndpoints", "pe"));
        let needs_net =
            scale_set_needed || endpoint_needed || mentioned(&self.id("Microsoft.Network/loadBalancers", "lb"));
        all.into_iter()
            .filter(|(id, _)| mentioned(id) || (needs_net && *id == net) || (endpoint_needed && *id == storage("one")))
            .filter(|(id, _)| id.to_lowercase() != parents)
            .collect()
    }

    fn vault(&self) -> Value {
        json!({ "properties": { "tenantId": self.word("TENANT/1"), "sku": { "family": "A", "name": "standard" },
            "softDeleteRetentionInDays": 7, "enableRbacAuthorization": true } })
    }

    fn private_endpoint(&self) -> Value {
        json!({ "properties": { "subnet": { "id": self.word("SUBNET/one") }, "privateLinkServiceConnections": [
            { "name": "one", "properties": { "privateLinkServiceId": self.word("STORAGE/one"), "groupIds": ["file"] } }] } })
    }

    /// A scale set in the place's mode.
    pub fn scale_set(&self) -> Value {
        json!({ "sku": { "name": "Standard_D2s_v5", "tier": "Standard", "capacity": 2 }, "properties": {
            "orchestrationMode": self.mode, "platformFaultDomainCount": 1, "singlePlacementGroup": false,
            "upgradePolicy": { "mode": "Manual" },
            "virtualMachineProfile": {
                "osProfile": { "computerNamePrefix": "one", "adminUsername": "azureuser",
                    "linuxConfiguration": { "disablePasswordAuthentication": true,
                        "ssh": { "publicKeys": [{ "path": "/home/azureuser/.ssh/authorized_keys", "keyData": self.word("KEY/one") }] } } },
                "storageProfile": {
                    "imageReference": { "publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest" },
                    "osDisk": { "createOption": "FromImage", "caching": "ReadOnly",
                        "managedDisk": { "storageAccountType": "Premium_LRS" } } },
                "networkProfile": { "networkApiVersion": "2020-11-01", "networkInterfaceConfigurations": [{ "name": "nic", "properties": {
                    "primary": true, "ipConfigurations": [{ "name": "ip", "properties": {
                        "primary": true, "subnet": { "id": self.word("SUBNET/one") } } }] } }] } } } })
    }

    /// The resource that is changed, without its id.
    pub fn body(&self, kind: &str) -> Value {
        let vm = json!({ "virtualMachineConfiguration": { "nodeAgentSkuId": "batch.node.ubuntu 24.04",
            "imageReference": { "publisher": "microsoft-dsvm", "offer": "ubuntu-hpc", "sku": "2404", "version": "1.0.0" } } });
        match kind {
            "Microsoft.Compute/virtualMachineScaleSets" => self.scale_set(),
            "Microsoft.Compute/virtualMachineScaleSets/extensions" => {
                json!({ "properties": { "publisher": "Microsoft.Azure.Extensions", "type": "CustomScript",
                    "typeHandlerVersion": "2.1", "settings": { "x": 1 } } })
            }
            "Microsoft.Compute/virtualMachines" => json!({ "properties": {
                "hardwareProfile": { "vmSize": "Standard_D2s_v5" },
                "osProfile": { "computerName": "one", "adminUsername": "azureuser" } } }),
            "Microsoft.Batch/batchAccounts/pools" => json!({ "properties": { "vmSize": "STANDARD_D2S_V5",
                "deploymentConfiguration": vm,
                "scaleSettings": { "fixedScale": { "targetDedicatedNodes": 2, "targetLowPriorityNodes": 0 } } } }),
            "Microsoft.Storage/storageAccounts" => {
                json!({ "sku": { "name": "Standard_LRS" }, "kind": "StorageV2", "properties": {} })
            }
            "Microsoft.KeyVault/vaults" => self.vault(),
            "Microsoft.KeyVault/vaults/secrets" => json!({ "properties": { "value": "one" } }),
            "Microsoft.Network/virtualNetworks" => network("10.0"),
            "Microsoft.Network/virtualNetworks/subnets" => json!({ "properties": { "addressPrefix": "10.0.1.0/24" } }),
            "Microsoft.Network/networkSecurityGroups" => {
                json!({ "properties": { "securityRules": [{ "name": "one", "properties": {
                "protocol": "Tcp", "access": "Allow", "direction": "Inbound", "priority": 100, "sourceAddressPrefix": "*",
                "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "22" } }] } })
            }
            "Microsoft.Network/loadBalancers" => json!({ "sku": { "name": "Standard" }, "properties": {
                "frontendIPConfigurations": [{ "name": "one", "properties": { "publicIPAddress": { "id": self.word("PIP/one") } } }],
                "backendAddressPools": [{ "name": "one" }],
                "probes": [{ "name": "one", "properties": { "protocol": "Tcp", "port": 22, "intervalInSeconds": 15 } }],
                "loadBalancingRules": [{ "name": "one", "properties": { "protocol": "Tcp", "frontendPort": 443, "backendPort": 443,
                    "frontendIPConfiguration": { "id": self.word("LBFRONT/one") },
                    "backendAddressPool": { "id": self.word("LBBACK/one") } } }] } }),
            "Microsoft.Network/publicIPAddresses" => address(),
            "Microsoft.Network/natGateways" => {
                json!({ "sku": { "name": "Standard" }, "properties": { "publicIpAddresses": [{ "id": self.word("PIP/one") }] } })
            }
            "Microsoft.Network/privateEndpoints" => self.private_endpoint(),
            "Microsoft.Network/privateEndpoints/privateDnsZoneGroups" => {
                json!({ "properties": { "privateDnsZoneConfigs": [
                { "name": "one", "properties": { "privateDnsZoneId": self.word("ZONE/one") } }] } })
            }
            "Microsoft.Network/privateDnsZones/virtualNetworkLinks" => json!({ "location": "global", "properties": {
                "virtualNetwork": { "id": self.word("VNET/one") }, "registrationEnabled": false } }),
            "Microsoft.Network/bastionHosts" => json!({ "sku": { "name": "Standard" }, "properties": {
                "virtualNetwork": { "id": self.word("VNET/one") } } }),
            "Microsoft.Authorization/roleAssignments" => json!({ "properties": {
                "roleDefinitionId": self.word("ROLE/1"), "principalId": self.word("GUID/1"), "principalType": "ServicePrincipal" } }),
            "Microsoft.Insights/autoscaleSettings" => json!({ "properties": { "enabled": true,
                "targetResourceUri": self.word("VMSS/one"), "profiles": [{ "name": "usual", "rules": [],
                    "capacity": { "minimum": "1", "maximum": "4", "default": "1" } }] } }),
            "Microsoft.Insights/components" => json!({ "kind": "web", "properties": { "Application_Type": "web",
                "WorkspaceResourceId": self.word("LAW/one") } }),
            "Microsoft.Insights/dataCollectionRules" => json!({ "kind": "Linux", "properties": {} }),
            "Microsoft.MachineLearningServices/workspaces" => {
                json!({ "identity": { "type": "SystemAssigned" }, "properties": {
                "storageAccount": self.word("STORAGE/one"), "keyVault": self.word("KV/one") } })
            }
            "Microsoft.MachineLearningServices/workspaces/computes" => {
                json!({ "properties": { "computeType": "AmlCompute",
                "properties": { "vmSize": "STANDARD_D2S_V5", "vmPriority": "Dedicated", "osType": "Linux",
                    "scaleSettings": { "minNodeCount": 0, "maxNodeCount": 2 },
                    "userAccountCredentials": { "adminUserName": "azureuser", "adminUserSshPublicKey": self.word("KEY/one") } } } })
            }
            "Microsoft.MachineLearningServices/workspaces/datastores" => {
                json!({ "properties": { "datastoreType": "AzureBlob",
                "accountName": "storage", "containerName": "one", "credentials": { "credentialsType": "None" } } })
            }
            "Microsoft.Compute/disks" => json!({ "sku": { "name": "Standard_LRS" }, "properties": {
                "creationData": { "createOption": "Empty" }, "diskSizeGB": 64 } }),
            "Microsoft.Compute/galleries/images" => {
                json!({ "properties": { "osType": "Linux", "osState": "Generalized",
                "identifier": { "publisher": "p", "offer": "o", "sku": "one" } } })
            }
            "Microsoft.Compute/galleries/images/versions" => json!({ "properties": {
                "publishingProfile": {}, "storageProfile": { "source": { "id": self.word("DISK/one") } } } }),
            "Microsoft.AAD/domainServices" => json!({ "properties": { "domainName": "a.example" } }),
            _ => json!({ "properties": {} }),
        }
    }
}

fn network(start: &str) -> Value {
    let subnet = |name: &str, third: u8| json!({ "name": name, "properties": { "addressPrefix": format!("{start}.{third}.0/24") } });
    json!({ "properties": { "addressSpace": { "addressPrefixes": [format!("{start}.0.0/16")] },
        "subnets": [subnet("one", 1), subnet("two", 3)] } })
}

fn address() -> Value {
    json!({ "sku": { "name": "Standard" }, "properties": { "publicIPAllocationMethod": "Static" } })
}
