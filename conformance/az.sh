#!/usr/bin/env bash
# The stock Azure CLI against the local endpoint: each step's exit status and one fact of its output are checked.
# Started by run.sh, which sets AZ, DSVMC, ENDPOINT, PLAIN, CA, SUBSCRIPTION and TENANT.
set -uo pipefail
t=$(cd "$(dirname "$0")" && pwd)/templates
. "$(dirname "$0")/az-lib.sh"
pool="-f $t/pool.json -p @$t/pool.parameters.json"
scope=/subscriptions/$SUBSCRIPTION/resourceGroups/conf

echo "# signing in as a user would"
sign_in
ok "West Europe" account list-locations --query "[?name=='westeurope'].displayName | [0]" -o tsv

echo "# groups, resources, tags, locks"
ok Succeeded group create -n conf -l westeurope --query properties.provisioningState -o tsv
ok dev group update -n conf --set tags.env=dev --query tags.env -o tsv
ok w1 resource create -g conf -n w1 --resource-type Contoso.Things/widgets --api-version 2024-01-01 -l westeurope --properties '{"size": 3}' --query name -o tsv
ok 3 resource show -g conf -n w1 --resource-type Contoso.Things/widgets --api-version 2024-01-01 --query properties.size -o tsv
ok b tag update --resource-id $scope/providers/Contoso.Things/widgets/w1 --operation Merge --tags a=b --query properties.tags.a -o tsv
ok 1 resource list --tag a=b --query "length(@)" -o tsv
ok CanNotDelete lock create -n keep -g conf --lock-type CanNotDelete --query level -o tsv
bad "failed to be deleted" resource delete -g conf -n w1 --resource-type Contoso.Things/widgets --api-version 2024-01-01
ok "" lock delete -n keep -g conf
ok "" resource delete -g conf -n w1 --resource-type Contoso.Things/widgets --api-version 2024-01-01

echo "# deployments"
bad InvalidTemplate deployment group validate -g conf $pool -p name=far-too-long-a-name
ok 3 deployment group what-if -g conf -n d1 $pool --no-pretty-print --query "length(changes[?changeType=='Create'])" -o tsv
ok Succeeded deployment group create -g conf -n d1 $pool --query properties.provisioningState -o tsv
ok 3 deployment group what-if -g conf -n d1 $pool --no-pretty-print --query "length(changes[?changeType=='NoChange'])" -o tsv
ok sku.capacity deployment group what-if -g conf -n d1 $pool count=5 --no-pretty-print --query "changes[?changeType=='Modify'].delta[0].path | [0]" -o tsv
ok 36 deployment group show -g conf -n d1 --query "length(properties.outputs.pool.value)" -o tsv
ok "" deployment group show -g conf -n d1 --query properties.parameters.password.value -o tsv
ok EvaluateDeploymentOutput deployment operation group list -g conf -n d1 --query "[-1].properties.provisioningOperation" -o tsv
ok 3 group export -n conf --query "length(resources)" -o tsv
bad "cannot be cancelled" deployment group cancel -g conf -n d1
ok Succeeded deployment sub create -n s1 -l westeurope -f $t/subscription.json -p group=conf2 --query properties.provisioningState -o tsv
ok NoChange deployment sub what-if -n s1 -l westeurope -f $t/subscription.json -p group=conf2 --no-pretty-print --query "changes[0].changeType" -o tsv
ok Succeeded deployment group show -g conf2 -n inside --query properties.provisioningState -o tsv
ok "" deployment group delete -g conf -n d1
ok 2 deployment group validate -g conf -n v1 -f $t/linked.json --query "length(properties.validatedResources)" -o tsv
bad InvalidDeploymentLocation deployment sub create -n s1 -l northeurope -f $t/subscription.json -p group=conf2
bad InvalidRequestFormat deployment group create -g conf -n v2 -f $t/unknown-property.json

echo "# management groups, the tenant, complete mode, cancel, export, read-only locks, tags"
ok Succeeded deployment mg create -m lab -n m1 -l westeurope -f $t/management-group.json --query properties.provisioningState -o tsv
ok m1 deployment mg list -m lab --query "[0].name" -o tsv
ok 1 deployment operation mg list -m lab -n m1 --query "length([?properties.provisioningOperation=='Create'])" -o tsv
ok "" deployment mg delete -m lab -n m1
ok Succeeded deployment tenant create -n t1 -l westeurope -f $t/tenant.json --query properties.provisioningState -o tsv
ok t1 deployment tenant show -n t1 --query name -o tsv
ok "" deployment tenant delete -n t1
ok conf3 group create -n conf3 -l westeurope --tags a=b --query name -o tsv
ok extra resource create -g conf3 -n extra --resource-type Contoso.Things/widgets --api-version 2024-01-01 -l westeurope --properties '{}' --query name -o tsv
ok Delete deployment group what-if -g conf3 -n c1 -f $t/linked.json --mode Complete --no-pretty-print --query "changes[?ends_with(resourceId, '/extra')].changeType | [0]" -o tsv
ok Succeeded deployment group create -g conf3 -n c1 -f $t/linked.json --mode Complete --query properties.provisioningState -o tsv
ok 1 resource list -g conf3 --query "length(@)" -o tsv
ok ReadOnly lock create -n still -g conf3 --lock-type ReadOnly --query level -o tsv
bad ScopeLocked deployment group create -g conf3 -n c2 -f $t/linked.json
bad ScopeLocked tag update --resource-id /subscriptions/$SUBSCRIPTION/resourceGroups/conf3 --operation Merge --tags a=c
ok "" lock delete -n still -g conf3
ok c tag update --resource-id /subscriptions/$SUBSCRIPTION/resourceGroups/conf3 --operation Merge --tags a=c --query properties.tags.a -o tsv
ok 1 group list --tag a=c --query "length(@)" -o tsv
ok "" tag delete --resource-id /subscriptions/$SUBSCRIPTION/resourceGroups/conf3 --yes
local_post faults '"stuck,name=linkedstore2"'
ok "" deployment group create -g conf3 -n c3 -f $t/linked.json -p name=linkedstore2 --no-wait
ok "" deployment group cancel -g conf3 -n c3
local_delete faults
ok Canceled deployment group show -g conf3 -n c3 --query properties.provisioningState -o tsv
ok true group export -n conf3 --query "length(resources) >= \`1\`" -o tsv
ok Succeeded ts create -g conf3 -n spec -v 1.0 -l westeurope -f $t/linked.json --query "type && 'Succeeded'" -o tsv
ok Succeeded deployment group create -g conf3 -n c4 --template-spec /subscriptions/$SUBSCRIPTION/resourceGroups/conf3/providers/Microsoft.Resources/templateSpecs/spec/versions/1.0 --query properties.provisioningState -o tsv

echo "# scale sets"
ok 3 vmss list-instances -g conf -n lab --query "length(@)" -o tsv
ok "" vmss deallocate -g conf -n lab --instance-ids 1
ok "VM deallocated" vmss get-instance-view -g conf -n lab --instance-id 1 --query "statuses[1].displayStatus" -o tsv
ok "" vmss start -g conf -n lab --instance-ids 1
ok "" vmss restart -g conf -n lab
ok "" vmss reimage -g conf -n lab --instance-ids 0
bad InvalidParameter vmss start -g conf -n lab --instance-ids 77
ok "" vmss delete-instances -g conf -n lab --instance-ids 0
ok 2 vmss show -g conf -n lab --query sku.capacity -o tsv
ok 4 vmss scale -g conf -n lab --new-capacity 4 --query sku.capacity -o tsv
ok dsadmin vmss show -g conf -n lab --query virtualMachineProfile.osProfile.adminUsername -o tsv
ok "" vmss show -g conf -n lab --query virtualMachineProfile.osProfile.adminPassword -o tsv
ok Automatic vmss update -g conf -n lab --set upgradePolicy.mode=Automatic --query upgradePolicy.mode -o tsv
ok "" vmss update-instances -g conf -n lab --instance-ids "*"
ok Standard_NC4as_T4_v3 vmss list-skus -g conf -n lab --query "[0].sku.name" -o tsv

echo "# autoscale on the endpoint's clock"
ok lab-auto monitor autoscale list -g conf --query "[0].name" -o tsv
ok 1 monitor autoscale rule create -g conf --autoscale-name lab-auto --condition "Percentage CPU > 75 avg 5m" --scale out 2 --query "length([scaleAction.value])" -o tsv
local_post metrics "{\"resource\": \"$scope/providers/Microsoft.Compute/virtualMachineScaleSets/lab\", \"metric\": \"Percentage CPU\", \"value\": 90, \"for\": \"PT5M\"}"
local_post clock '{"advance": "PT1M"}'
ok 6 vmss show -g conf -n lab --query sku.capacity -o tsv
local_post clock '{"reset": true}'

echo "# storage, identities, roles, network, Batch"
ok Succeeded storage account create -g conf -n conflab1 -l westeurope --sku Standard_LRS --query provisioningState -o tsv
ok 2 storage account keys list -g conf -n conflab1 --query "length(@)" -o tsv
ok key1 storage account keys renew -g conf -n conflab1 --key key1 --query "[0].keyName" -o tsv
ok false storage account check-name -n conflab1 --query nameAvailable -o tsv
ok notebooks storage share-rm create -g conf --storage-account conflab1 -n notebooks --quota 100 --query name -o tsv
ok 100 storage share-rm show -g conf --storage-account conflab1 -n notebooks --query shareQuota -o tsv
ok 1 storage share-rm list -g conf --storage-account conflab1 --query "length(@)" -o tsv
bad "not a valid storage account name\|AccountNameInvalid" storage account create -g conf -n Conf_Lab -l westeurope --sku Standard_LRS
ok lab-id identity show -g conf2 -n lab-id --query name -o tsv
principal=$("$AZ" identity show -g conf2 -n lab-id --query principalId -o tsv 2>/dev/null)
ok "$principal" role assignment create --assignee-object-id "$principal" --assignee-principal-type ServicePrincipal --role Reader --scope $scope --query principalId -o tsv
ok 1 role assignment list --scope $scope --fill-principal-name false --fill-role-definition-name false --query "length(@)" -o tsv
ok lab-net network vnet show -g conf -n lab-net --query name -o tsv
bad InUseSubnetCannotBeDeleted network vnet subnet delete -g conf --vnet-name lab-net -n pool
ok Succeeded network nsg create -g conf -n guard -l westeurope --query NewNSG.provisioningState -o tsv
ok 22 network nsg rule create -g conf --nsg-name guard -n ssh --priority 100 --access Allow --direction Inbound --protocol Tcp --destination-port-ranges 22 --query destinationPortRange -o tsv
bad SecurityRuleConflict network nsg rule create -g conf --nsg-name guard -n ssh2 --priority 100 --access Allow --direction Inbound --protocol Tcp --destination-port-ranges 23
ok true network public-ip create -g conf -n front -l westeurope --sku Standard --query "starts_with(publicIp.ipAddress, '203.0.113.')" -o tsv
ok conflab batch account create -g conf -n conflab -l westeurope --query name -o tsv
ok 1 batch account list -g conf --query "length(@)" -o tsv

echo "# Batch pools and machine learning clusters"
batch=$scope/providers/Microsoft.Batch/batchAccounts/conflab
ok conflab.westeurope.batch.azure.com batch account show -g conf -n conflab --query accountEndpoint -o tsv
ok 88 batch account keys list -g conf -n conflab --query "length(primary)" -o tsv
ok conflab batch account keys renew -g conf -n conflab --key-name Primary --query accountName -o tsv
ok b batch account set -g conf -n conflab --tags a=b --query tags.a -o tsv
ok None batch account identity show -g conf -n conflab --query type -o tsv
ok 10000 batch location quotas show -l westeurope --query accountQuota -o tsv
ok Standard_D4s_v5 batch location list-skus -l westeurope --query "[?name=='Standard_D4s_v5'].name | [0]" -o tsv
ok true batch account set -g conf -n conflab --storage-account $scope/providers/Microsoft.Storage/storageAccounts/conflab1 --query "ends_with(autoStorage.storageAccountId, 'conflab1')" -o tsv
ok tools batch application create -g conf -n conflab --application-name tools --query name -o tsv
ok 1 batch application list -g conf -n conflab --query "length(@)" -o tsv
bad AccountAlreadyExists batch account create -g conf2 -n conflab -l westeurope
cat > "$AZURE_CONFIG_DIR/pool.json" <<'J'
{"properties": {"vmSize": "Standard_D4s_v5", "taskSlotsPerNode": 4, "deploymentConfiguration": {"virtualMachineConfiguration": {
  "imageReference": {"publisher": "microsoft-dsvm", "offer": "ubuntu-hpc", "sku": "2404"}, "nodeAgentSkuId": "batch.node.ubuntu 24.04"}},
  "scaleSettings": {"autoScale": {"evaluationInterval": "PT5M", "formula": "$TargetDedicatedNodes = min(8, ($PendingTasks.GetSample(1) + 3.999) / 4); $NodeDeallocationOption = taskcompletion;"}}}}
J
ok STANDARD_D4S_V5 rest --method put --url "$batch/pools/nightly?api-version=2025-06-01" --resource "$ENDPOINT" --body @"$AZURE_CONFIG_DIR/pool.json" --query properties.vmSize -o tsv
local_post tasks "{\"pool\": \"$batch/pools/nightly\", \"count\": 10, \"each\": \"PT30M\"}"
local_post clock '{"advance": "PT5M"}'
ok 3 resource show --ids $batch/pools/nightly --api-version 2025-06-01 --query properties.currentDedicatedNodes -o tsv
bad "AutoScale resize cannot be stopped" resource invoke-action --action stopResize --ids $batch/pools/nightly --api-version 2025-06-01
ok "" resource invoke-action --action disableAutoScale --ids $batch/pools/nightly --api-version 2025-06-01 --query properties.autoScaleRun -o tsv
ok 5 resource patch --ids $batch/pools/nightly --api-version 2025-06-01 --is-full-object -p '{"properties": {"scaleSettings": {"fixedScale": {"targetDedicatedNodes": 5}}}}' --query properties.scaleSettings.fixedScale.targetDedicatedNodes -o tsv
ok Steady resource show --ids $batch/pools/nightly --api-version 2025-06-01 --query properties.allocationState -o tsv
local_post clock '{"reset": true}'
ml=$scope/providers/Microsoft.MachineLearningServices/workspaces/confml
ok confml resource create --id $ml --api-version 2026-05-01 --is-full-object -p '{"location": "westeurope", "properties": {}}' --query name -o tsv
ok Succeeded resource create --id $ml/computes/trainers --api-version 2026-05-01 --is-full-object -p '{"location": "westeurope", "properties": {"computeType": "AmlCompute", "properties": {"vmSize": "Standard_NC4as_T4_v3", "scaleSettings": {"maxNodeCount": 4}}}}' --query properties.provisioningState -o tsv
local_post tasks "{\"pool\": \"$ml/computes/trainers\", \"count\": 9}"
ok 4 resource show --ids $ml/computes/trainers --api-version 2026-05-01 --query properties.properties.currentNodeCount -o tsv
ok 4 rest --method post --url "$ml/computes/trainers/listNodes?api-version=2026-05-01" --resource "$ENDPOINT" --query "length(nodes)" -o tsv
bad "failed to be deleted" resource delete --ids $ml/computes/trainers --api-version 2026-05-01
ok "" rest --method delete --url "$ml/computes/trainers?api-version=2026-05-01&underlyingResourceAction=Delete" --resource "$ENDPOINT"

echo "# stacks"
ok succeeded stack group create -n lab-stack -g conf2 -f $t/shares.json --action-on-unmanage deleteResources --deny-settings-mode denyDelete --yes --query provisioningState -o tsv
ok 3 stack group show -n lab-stack -g conf2 --query "length(resources)" -o tsv
bad DenyAssignmentAuthorizationFailed storage account delete -g conf2 -n stacklab1 -y
ok 1 stack group create -n lab-stack -g conf2 -f $t/shares.json -p shares='["notebooks"]' --action-on-unmanage deleteResources --deny-settings-mode none --yes --query "length(deletedResources)" -o tsv
ok 1 storage share-rm list -g conf2 --storage-account stacklab1 --query "length(@)" -o tsv
ok 1.0.0.0 stack group export -n lab-stack -g conf2 --query template.contentVersion -o tsv
ok 1 stack group list -g conf2 --query "length(@)" -o tsv
local_post faults '"DeploymentStackOutOfSync,name=lab-stack"'
bad DeploymentStackOutOfSync stack group create -n lab-stack -g conf2 -f $t/shares.json --action-on-unmanage deleteResources --deny-settings-mode none --yes
ok succeeded stack sub create -n sub-stack -l westeurope -f $t/subscription.json -p group=conf4 --action-on-unmanage deleteAll --deny-settings-mode none --yes --query provisioningState -o tsv
ok "" stack sub delete -n sub-stack --action-on-unmanage deleteAll --yes
ok false group exists -n conf4
ok succeeded stack mg create -n mg-stack -m lab -l westeurope -f $t/management-group.json --action-on-unmanage detachAll --deny-settings-mode none --yes --query provisioningState -o tsv
ok "" stack mg delete -n mg-stack -m lab --action-on-unmanage detachAll --yes
ok "" stack group delete -n lab-stack -g conf2 --action-on-unmanage deleteAll --yes
ok true storage account check-name -n stacklab1 --query nameAvailable -o tsv

echo "# what goes wrong on demand"
local_post faults '"throttle,path=*/resourcegroups/conf2,retry-after=1"'
ok conf2 group show -n conf2 --query name -o tsv
local_post faults '"AllocationFailed,type=Microsoft.Compute/virtualMachineScaleSets"'
bad AllocationFailed deployment group create -g conf -n broken $pool count=9
local_post limits '{"unavailable": {"westeurope": ["Standard_NC4as_T4_v3"]}}'
bad SkuNotAvailable deployment group create -g conf -n refused $pool count=9
local_post limits '{}'
bad ResourceGroupNotFound deployment group create -g nowhere $pool

echo "# what is built of the examples, each deployed as stock tools take it"
built=$AZURE_CONFIG_DIR/built
"$DSVMC" -q build "$(cd "$t/../../examples" && pwd)" --out "$built" 2>/dev/null || { failed=$((failed + 1)); echo "FAIL build of the examples"; }
group() { ok Succeeded group create -n "$1" -l "$2" --query properties.provisioningState -o tsv; }
deploy() { # deploy PROJECT PARAMETERS [VALUE…]: into the group rg-PROJECT
  local project=$1 file=$2; shift 2
  ok Succeeded deployment group create -g "rg-$project" -n "$project" -f "$built/$project/template.json" -p "@$built/$project/$file" "$@" --query properties.provisioningState -o tsv
}
# Groups that blocks name must be there, and so must what the sources call existing.
for name in dsvm research platform batch inside network network-prod security data; do group rg-$name westeurope; done
group rg-gpu southcentralus; group rg-training southcentralus; group rg-recipe eastus
for name in labs learning north; do group rg-$name northeurope; done
ok Succeeded network vnet create -g rg-network -n vnet-corp-westeurope -l westeurope --address-prefixes 10.20.0.0/16 --subnet-name snet-data-science --subnet-prefixes 10.20.8.0/24 --query newVNet.provisioningState -o tsv
ok kv-people-prod resource create -g rg-security -n kv-people-prod --resource-type Microsoft.KeyVault/vaults --api-version 2024-11-01 -l westeurope --properties "{\"tenantId\": \"$TENANT\", \"sku\": {\"name\": \"standard\", \"family\": \"A\"}, \"enableRbacAuthorization\": true}" --query name -o tsv
ok Succeeded storage account create -g rg-recipe -n recipestorage -l eastus --sku Standard_LRS --query provisioningState -o tsv
deploy dsvm parameters.team.json jupyterhub_password=Conformance-1234
deploy gpu parameters.team.json
deploy labs parameters.prod.json
deploy inside parameters.prod.json
deploy research parameters.dev.json
deploy platform parameters.prod.json
deploy batch parameters.json
deploy training parameters.json
deploy learning parameters.lab.json
deploy recipe parameters.json
for name in $("$AZ" group list --query "[?starts_with(name, 'rg-')].name" -o tsv); do ok "" group delete -n "$name" -y; done

echo "# the end"
ok "" vmss delete -g conf -n lab
ok "" group delete -n conf -y
ok "" group delete -n conf2 -y
ok "" group delete -n conf3 -y
ok "[]" group list --query "[].name" -o json
echo "az: $steps steps, $failed failed"
[ $failed -eq 0 ]
