#!/usr/bin/env bash
# The stock Azure CLI on virtual machines, scale sets, networks, autoscale, Batch and vaults: each step's exit status and one
# fact of its output are checked. Started by run.sh, which sets AZ, ENDPOINT, PLAIN, CA, SUBSCRIPTION and TENANT.
set -uo pipefail
. "$(dirname "$0")/az-lib.sh"
scope=/subscriptions/$SUBSCRIPTION/resourceGroups/comp
compute=$scope/providers/Microsoft.Compute
secret=Conformance-1234
machines() { curl -sf "$PLAIN/_local/machines?set=$compute/virtualMachineScaleSets/$1"; }
carry() { # carry WANT SET EXPRESSION: a Python expression over m, what each machine of a set carries
  local want=$1 set=$2 got; steps=$((steps + 1))
  got=$(machines "$set" | python3 -c 'import json,sys; m=list(json.load(sys.stdin)["machines"].values())[0]; print(eval(sys.argv[1]))' "$3")
  if [ "$got" = "$want" ]; then say "ok   (machines of $set) $3"; return; fi
  failed=$((failed + 1)); echo "FAIL machines of $set: $3: wanted '$want', got '$got'"
}

sign_in
ok Succeeded group create -n comp -l westeurope --query properties.provisioningState -o tsv

echo "# images and sizes"
ok Canonical vm image list --query "[?urnAlias=='Ubuntu2204'].publisher | [0]" -o tsv
ok microsoft-dsvm vm image list-publishers -l westeurope --query "[?name=='microsoft-dsvm'].name | [0]" -o tsv
ok ubuntu-24_04-lts vm image list-offers -l westeurope -p Canonical --query "[?name=='ubuntu-24_04-lts'].name | [0]" -o tsv
ok server vm image list-skus -l westeurope -p Canonical -f ubuntu-24_04-lts --query "[?name=='server'].name | [0]" -o tsv
ok V2 vm image show -l westeurope --urn Canonical:ubuntu-24_04-lts:server:latest --query hyperVGeneration -o tsv
ok 28672 vm list-sizes -l westeurope --query "[?name=='Standard_NC4as_T4_v3'].memoryInMB | [0]" -o tsv
ok 4 vm list-skus -l westeurope --size Standard_NC4as_T4_v3 --query "[0].capabilities[?name=='vCPUs'].value | [0]" -o tsv
ok 1 vm list-usage -l westeurope --query "length([?name.value == 'cores'])" -o tsv

echo "# networks"
ok Succeeded network vnet create -g comp -n net -l westeurope --address-prefixes 10.0.0.0/16 --subnet-name pool --subnet-prefixes 10.0.0.0/24 --query newVNet.provisioningState -o tsv
ok 10.0.1.0/24 network vnet subnet create -g comp --vnet-name net -n other --address-prefixes 10.0.1.0/24 --query addressPrefix -o tsv
ok 2 network vnet subnet list -g comp --vnet-name net --query "length(@)" -o tsv
ok Succeeded network nsg create -g comp -n guard -l westeurope --query NewNSG.provisioningState -o tsv
ok true network vnet subnet update -g comp --vnet-name net -n other --network-security-group guard --query "ends_with(networkSecurityGroup.id, '/guard')" -o tsv
ok 10.0.1.4 network nic create -g comp -n spare --vnet-name net --subnet other --query "NewNIC.ipConfigurations[0].privateIPAddress" -o tsv
ok 1 network nic list -g comp --query "length(@)" -o tsv
bad InUseSubnetCannotBeDeleted network vnet subnet delete -g comp --vnet-name net -n other
ok "" network nic delete -g comp -n spare
ok Standard network public-ip create -g comp -n out -l westeurope --sku Standard --query publicIp.sku.name -o tsv
ok 10 network nat gateway create -g comp -n nat -l westeurope --public-ip-addresses out --idle-timeout 10 --query idleTimeoutInMinutes -o tsv
bad PublicIPAddressCannotBeDeleted network public-ip delete -g comp -n out
ok Succeeded network lb create -g comp -n front -l westeurope --sku Standard --vnet-name net --subnet pool --backend-pool-name back --query "loadBalancer.provisioningState" -o tsv
ok 22 network lb probe create -g comp --lb-name front -n ssh --protocol tcp --port 22 --query "port" -o tsv
ok 443 network lb rule create -g comp --lb-name front -n web --protocol Tcp --frontend-port 443 --backend-port 8443 --backend-pool-name back --probe-name ssh --query frontendPort -o tsv

echo "# virtual machines"
ok "VM running" vm create -g comp -n one --image Ubuntu2204 --size Standard_D2s_v5 --admin-username dsadmin --admin-password $secret --authentication-type password --vnet-name net --subnet pool --nsg guard --public-ip-address onefront --custom-data "#cloud-config" --query powerState -o tsv
ok 1 vm list -g comp --query "length(@)" -o tsv
ok Linux vm show -g comp -n one --query storageProfile.osDisk.osType -o tsv
ok 1.0.0 vm show -g comp -n one --query storageProfile.imageReference.exactVersion -o tsv
ok "VM running" vm show -d -g comp -n one --query powerState -o tsv
ok true vm show -d -g comp -n one --query "starts_with(publicIps, '203.0.113.')" -o tsv
ok "Provisioning succeeded" vm get-instance-view -g comp -n one --query "instanceView.statuses[0].displayStatus" -o tsv
ok 1 vm list-ip-addresses -g comp -n one --query "length([0].virtualMachine.network.privateIpAddresses)" -o tsv
ok "" vm stop -g comp -n one
ok "VM stopped" vm show -d -g comp -n one --query powerState -o tsv
ok "" vm start -g comp -n one
ok Succeeded vm restart -g comp -n one --query status -o tsv
ok "" vm redeploy -g comp -n one
ok Standard_D4s_v5 vm resize -g comp -n one --size Standard_D4s_v5 --query hardwareProfile.vmSize -o tsv
ok dev vm update -g comp -n one --set tags.env=dev --query tags.env -o tsv
bad PropertyChangeNotAllowed vm update -g comp -n one --set osProfile.adminUsername=other
ok "" vm disk attach -g comp --vm-name one --name data1 --new --size-gb 64
ok "64 Attached" disk show -g comp -n data1 --query "join(' ', [to_string(diskSizeGB), diskState])" -o tsv
bad "is attached to VM" disk delete -g comp -n data1 -y
ok "" vm disk detach -g comp --vm-name one --name data1
ok Unattached disk show -g comp -n data1 --query diskState -o tsv
ok "" disk delete -g comp -n data1 -y
ok Succeeded vm extension set -g comp --vm-name one -n CustomScript --publisher Microsoft.Azure.Extensions --version 2.1 --settings '{"commandToExecute": "true"}' --protected-settings '{"key": "hidden"}' --query provisioningState -o tsv
ok None vm extension show -g comp --vm-name one -n CustomScript --query "protectedSettings || 'None'" -o tsv
ok 1 vm extension list -g comp --vm-name one --query "length(@)" -o tsv
ok "" vm extension delete -g comp --vm-name one -n CustomScript
ok ProvisioningState/succeeded vm run-command invoke -g comp -n one --command-id RunShellScript --scripts "true" --query "value[0].code" -o tsv
ok 900 vm open-port -g comp -n one --port 8000 --query "securityRules[?name=='open-port-8000'].priority | [0]" -o tsv
ok "" vm deallocate -g comp -n one
ok "VM deallocated" vm show -d -g comp -n one --query powerState -o tsv
bad OperationNotAllowed vm run-command invoke -g comp -n one --command-id RunShellScript --scripts "true"
ok SystemAssigned vm identity assign -g comp -n one --query "systemAssignedIdentity && 'SystemAssigned'" -o tsv
ok "" vm delete -g comp -n one -y
ok 0 vm list -g comp --query "length(@)" -o tsv
ok Unattached disk list -g comp --query "[0].diskState" -o tsv

echo "# scale sets of virtual machines"
ok Flexible vmss create -g comp -n flex --image Ubuntu2204 --instance-count 2 --vm-sku Standard_D2s_v5 --admin-username dsadmin --admin-password $secret --authentication-type password --orchestration-mode Flexible --vnet-name net --subnet pool --load-balancer "" --custom-data "#cloud-config" --query VMSS.orchestrationMode -o tsv
ok 2 vm list -g comp --query "length([?virtualMachineScaleSet])" -o tsv
ok 2 vmss list-instances -g comp -n flex --query "length([?latestModelApplied])" -o tsv
first=$("$AZ" vmss list-instances -g comp -n flex --query "[0].instanceId" -o tsv 2>/dev/null)
ok "$first" vm show -g comp -n "$first" --query name -o tsv
ok "VM running" vm get-instance-view -g comp -n "$first" --query "instanceView.statuses[1].displayStatus" -o tsv
ok 2 network nic list -g comp --query "length([?virtualMachine])" -o tsv
ok 2 disk list -g comp --query "length([?diskState=='Attached'])" -o tsv
ok 2 vmss get-instance-view -g comp -n flex --query "virtualMachine.statusesSummary[?code=='PowerState/running'].count | [0]" -o tsv
ok "" vmss deallocate -g comp -n flex --instance-ids "$first"
ok 1 vmss get-instance-view -g comp -n flex --query "virtualMachine.statusesSummary[?code=='PowerState/deallocated'].count | [0]" -o tsv
ok "" vm start -g comp -n "$first"
ok 2 vmss get-instance-view -g comp -n flex --query "virtualMachine.statusesSummary[?code=='PowerState/running'].count | [0]" -o tsv
ok 3 vmss scale -g comp -n flex --new-capacity 3 --query sku.capacity -o tsv
ok 3 vm list -g comp --query "length(@)" -o tsv
ok "" vmss delete-instances -g comp -n flex --instance-ids "$first"
ok 2 vmss show -g comp -n flex --query sku.capacity -o tsv
ok "" vm delete -g comp -n "$("$AZ" vmss list-instances -g comp -n flex --query "[0].instanceId" -o tsv 2>/dev/null)" -y
ok 1 vmss show -g comp -n flex --query sku.capacity -o tsv
ok flex vmss extension set -g comp --vmss-name flex -n CustomScript --publisher Microsoft.Azure.Extensions --version 2.1 --settings '{"commandToExecute": "true"}' --query name -o tsv
carry "['extensions']" flex "m[0]['pending']"
ok "" vmss update-instances -g comp -n flex --instance-ids "*"
carry "[]" flex "m[0]['pending']"
ok "" vmss delete -g comp -n flex
ok 0 network nic list -g comp --query "length([?virtualMachine])" -o tsv

echo "# what of a changed model reaches machines"
ok Uniform vmss create -g comp -n uni --image Ubuntu2204 --instance-count 4 --vm-sku Standard_D2s_v5 --admin-username dsadmin --admin-password $secret --authentication-type password --orchestration-mode Uniform --upgrade-policy-mode Manual --vnet-name net --subnet pool --load-balancer "" --custom-data "#cloud-config" --query VMSS.orchestrationMode -o tsv
ok 4 vmss list-instances -g comp -n uni --query "length([?latestModelApplied])" -o tsv
ok uni vmss update -g comp -n uni --set virtualMachineProfile.osProfile.customData=bmV3 --query name -o tsv
ok 0 vmss list-instances -g comp -n uni --query "length([?latestModelApplied])" -o tsv
ok "" vmss update-instances -g comp -n uni --instance-ids 0 1
ok 2 vmss list-instances -g comp -n uni --query "length([?latestModelApplied])" -o tsv
carry "1 disk, waits for customData" uni "'%d disk, waits for %s' % (m[0]['osDisks'], ''.join(m[0]['pending']))"
ok "" vmss reimage -g comp -n uni --instance-ids 0
carry "2 disks, waits for nothing" uni "'%d disks, waits for %s' % (m[0]['osDisks'], ''.join(m[0]['pending']) or 'nothing')"
ok Standard_D4s_v5 vmss update -g comp -n uni --vm-sku Standard_D4s_v5 --query sku.name -o tsv
ok "" vmss update-instances -g comp -n uni --instance-ids "*"
carry "[1, 1, 1, 1]" uni "[one['restarts'] for one in m]"
ok true vmss update -g comp -n uni --instance-id 3 --protect-from-scale-in true --query protectionPolicy.protectFromScaleIn -o tsv
ok 1 vmss scale -g comp -n uni --new-capacity 1 --query sku.capacity -o tsv
ok 3 vmss list-instances -g comp -n uni --query "[0].instanceId" -o tsv
ok 5 vmss scale -g comp -n uni --new-capacity 5 --query sku.capacity -o tsv
bad BadRequest vmss update -g comp -n uni --set upgradePolicy.mode=Rolling
ok ApplicationHealthLinux vmss extension set -g comp --vmss-name uni -n ApplicationHealthLinux --publisher Microsoft.ManagedServices --version 2.0 --settings '{"protocol": "tcp", "port": 22}' --query "virtualMachineProfile.extensionProfile.extensions[?name=='ApplicationHealthLinux'].name | [0]" -o tsv
ok "" vmss update-instances -g comp -n uni --instance-ids "*"
ok Rolling vmss update -g comp -n uni --set upgradePolicy.mode=Rolling upgradePolicy.rollingUpgradePolicy='{"maxBatchInstancePercent": 40, "pauseTimeBetweenBatches": "PT5M"}' --query upgradePolicy.mode -o tsv
local_post clock '{"now": "2026-12-01T08:00:00Z", "freeze": true}'
ok server vmss update -g comp -n uni --set virtualMachineProfile.storageProfile.imageReference='{"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}' --query virtualMachineProfile.storageProfile.imageReference.sku -o tsv
ok RollingForward vmss rolling-upgrade get-latest -g comp -n uni --query runningStatus.code -o tsv
ok 3 vmss rolling-upgrade get-latest -g comp -n uni --query progress.pendingInstanceCount -o tsv
carry 2 uni "sum(one['image']['sku'] == 'server' for one in m)"
ok "" vmss rolling-upgrade cancel -g comp -n uni
ok Cancelled vmss rolling-upgrade get-latest -g comp -n uni --query runningStatus.code -o tsv
bad OperationNotAllowed vmss rolling-upgrade cancel -g comp -n uni
ok "" vmss rolling-upgrade start -g comp -n uni
local_post clock '{"advance": "PT10M"}'
ok Completed vmss rolling-upgrade get-latest -g comp -n uni --query runningStatus.code -o tsv
carry 5 uni "sum(one['image']['sku'] == 'server' for one in m)"
ok 5 vmss nic list -g comp --vmss-name uni --query "length(@)" -o tsv
bad "not eligible" vmss perform-maintenance -g comp -n uni --instance-ids "*"
ok "" vmss stop -g comp -n uni --instance-ids 3
ok "VM stopped" vmss get-instance-view -g comp -n uni --instance-id 3 --query "statuses[1].displayStatus" -o tsv
ok "" vmss simulate-eviction -g comp -n uni --instance-id 3
ok ProvisioningState/succeeded vmss run-command invoke -g comp -n uni --instance-id 4 --command-id RunShellScript --scripts "true" --query "value[0].code" -o tsv

echo "# autoscale"
ok uni-auto monitor autoscale create -g comp -n uni-auto --resource $compute/virtualMachineScaleSets/uni --min-count 1 --max-count 8 --count 2 --query name -o tsv
ok Increase monitor autoscale rule create -g comp --autoscale-name uni-auto --condition "Percentage CPU > 75 avg 5m" --scale out 2 --query scaleAction.direction -o tsv
ok Decrease monitor autoscale rule create -g comp --autoscale-name uni-auto --condition "Percentage CPU < 20 avg 5m" --scale in 1 --query scaleAction.direction -o tsv
ok 2 monitor autoscale rule list -g comp --autoscale-name uni-auto --query "length(@)" -o tsv
ok Week monitor autoscale profile create -g comp --autoscale-name uni-auto -n nights --min-count 1 --max-count 2 --count 1 --recurrence week mon tue --start 20:00 --end 23:00 --timezone "W. Europe Standard Time" --query recurrence.frequency -o tsv
ok "" monitor autoscale profile delete -g comp --autoscale-name uni-auto -n nights
ok 2 monitor autoscale update -g comp -n uni-auto --min-count 1 --max-count 2 --count 2 --query "profiles[0].capacity.maximum" -o tsv
local_post clock '{"advance": "PT1M"}'
ok 2 vmss show -g comp -n uni --query sku.capacity -o tsv
ok "" monitor autoscale delete -g comp -n uni-auto
local_post clock '{"reset": true}'

echo "# Batch and vaults"
ok Succeeded batch account create -g comp -n compbatch -l westeurope --query provisioningState -o tsv
ok 1 batch account list -g comp --query "length(@)" -o tsv
ok None batch account show -g comp -n compbatch --query identity.type -o tsv
ok Succeeded storage account create -g comp -n compstore1 -l westeurope --sku Standard_LRS --query provisioningState -o tsv
ok true batch account set -g comp -n compbatch --storage-account $scope/providers/Microsoft.Storage/storageAccounts/compstore1 --query "ends_with(autoStorage.storageAccountId, 'compstore1')" -o tsv
ok tool batch application create -g comp -n compbatch --application-name tool --query name -o tsv
ok true batch application set -g comp -n compbatch --application-name tool --allow-updates true --query allowUpdates -o tsv
ok "" batch application delete -g comp -n compbatch --application-name tool -y
ok "" batch account delete -g comp -n compbatch -y
ok Succeeded keyvault create -g comp -n compvault-1 -l westeurope --retention-days 7 --query properties.provisioningState -o tsv
ok 7 keyvault show -g comp -n compvault-1 --query properties.softDeleteRetentionInDays -o tsv
ok true keyvault update -g comp -n compvault-1 --enabled-for-template-deployment true --query properties.enabledForTemplateDeployment -o tsv
ok 1 keyvault list -g comp --query "length(@)" -o tsv
bad "already exists" keyvault create -g comp -n compvault-1 -l westeurope
ok "" keyvault delete -g comp -n compvault-1
ok 0 keyvault list -g comp --query "length(@)" -o tsv
ok 1 keyvault list-deleted --resource-type vault --query "length([?name=='compvault-1'])" -o tsv
ok true keyvault show-deleted -n compvault-1 --query "ends_with(properties.vaultId, '/compvault-1')" -o tsv
bad "deleted" keyvault create -g comp -n compvault-1 -l westeurope
ok Succeeded keyvault recover -n compvault-1 --query properties.provisioningState -o tsv
ok 1 keyvault list -g comp --query "length(@)" -o tsv
ok "" keyvault delete -g comp -n compvault-1
ok "" keyvault purge -n compvault-1
ok 0 keyvault list-deleted --resource-type vault --query "length([?name=='compvault-1'])" -o tsv

echo "# the end"
ok "" vmss delete -g comp -n uni
ok "" group delete -n comp -y
echo "az on compute: $steps steps, $failed failed"
[ $failed -eq 0 ]
