"""Microsoft's Python SDKs against the local endpoint. Started by run.sh, which sets ENDPOINT, PLAIN and SUBSCRIPTION."""

import json
import os
import pathlib
import time
import urllib.request

from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.batch import BatchManagementClient
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.monitor import MonitorManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.resource.deployments import DeploymentsMgmtClient
from azure.mgmt.storage import StorageManagementClient

BASE, PLAIN, SUBSCRIPTION = (os.environ[name] for name in ("ENDPOINT", "PLAIN", "SUBSCRIPTION"))
TEMPLATES = pathlib.Path(__file__).parent / "templates"
steps = failed = 0


class Credential:
    def get_token(self, *scopes, **options):
        return AccessToken("anything", int(time.time()) + 3600)


def client(kind):
    return kind(Credential(), SUBSCRIPTION, base_url=BASE, credential_scopes=[BASE + "/.default"])


def check(what, want, got):
    global steps, failed
    steps += 1
    if want == got:
        print("ok  ", what)
    else:
        failed += 1
        print(f"FAIL {what}: wanted {want!r}, got {got!r}")


def fails(what, code, work):
    try:
        work()
    except HttpResponseError as error:
        check(f"{what} (fails as it should)", code, error.error.code if error.error else error.status_code)
    else:
        check(f"{what} (fails as it should)", code, "no error")


def post(path, body):
    request = urllib.request.Request(f"{PLAIN}/_local/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
    urllib.request.urlopen(request).read()


def template(name):
    lines = (TEMPLATES / name).read_text().splitlines()
    return "\n".join(line for line in lines if not line.strip().startswith("//"))


resources, deployments = client(ResourceManagementClient), client(DeploymentsMgmtClient)
compute, monitor = client(ComputeManagementClient), client(MonitorManagementClient)
storage, batch = client(StorageManagementClient), client(BatchManagementClient)

check("group", "westeurope", resources.resource_groups.create_or_update("sdk", {"location": "westeurope"}).location)
check("group exists", True, resources.resource_groups.check_existence("sdk"))
shares = {"properties": {"mode": "Incremental", "template": json.loads(template("shares.json")), "parameters": {}}}
valid = deployments.deployments.begin_validate("sdk", "d", shares).result()
check("validate", "Succeeded", valid.properties.provisioning_state)
what = deployments.deployments.begin_what_if("sdk", "d", shares).result()
check("what-if", ["Create"] * 3, [change.change_type for change in what.properties.changes])
done = deployments.deployments.begin_create_or_update("sdk", "d", shares).result()
check("create", ("Succeeded", 3), (done.properties.provisioning_state, len(done.properties.output_resources)))
what = deployments.deployments.begin_what_if("sdk", "d", shares).result()
check("what-if again", {"NoChange"}, {change.change_type for change in what.properties.changes})
check("operations", 4, len(list(deployments.deployment_operations.list("sdk", "d"))))
check("list", ["d"], [one.name for one in deployments.deployments.list_by_resource_group("sdk")])
check("export", "1.0.0.0", deployments.deployments.export_template("sdk", "d").template["contentVersion"])
check("resources by type", ["stacklab1"], [r.name for r in resources.resources.list(filter="resourceType eq 'Microsoft.Storage/storageAccounts'")])
check("keys", 2, len(storage.storage_accounts.list_keys("sdk", "stacklab1")["keys"]))
check("shares", ["datasets", "notebooks"], [share.name for share in storage.file_shares.list("sdk", "stacklab1")])

net = "/subscriptions/{}/resourceGroups/sdk/providers/Microsoft.Network/virtualNetworks/net".format(SUBSCRIPTION)
resources.resources.begin_create_or_update_by_id(net, {
    "location": "westeurope",
    "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [{"name": "pool", "properties": {"addressPrefix": "10.0.0.0/24"}}]},
}, api_version="2024-05-01").result()
pool = {
    "location": "westeurope",
    "sku": {"name": "Standard_NC4as_T4_v3", "tier": "Standard", "capacity": 2},
    "properties": {
        "orchestrationMode": "Uniform", "upgradePolicy": {"mode": "Manual"},
        "virtualMachineProfile": {
            "osProfile": {"computerNamePrefix": "sdk", "adminUsername": "dsadmin", "adminPassword": "Sup3r-secret!"},
            "storageProfile": {"imageReference": {"publisher": "p", "offer": "o", "sku": "s", "version": "latest"}, "osDisk": {"createOption": "FromImage"}},
            "networkProfile": {"networkInterfaceConfigurations": [{"name": "nic", "properties": {"primary": True, "ipConfigurations": [
                {"name": "ip", "properties": {"subnet": {"id": net + "/subnets/pool"}}}]}}]},
        },
    },
}
sets, machines = compute.virtual_machine_scale_sets, compute.virtual_machine_scale_set_vms
made = sets.begin_create_or_update("sdk", "pool", pool).result()
check("scale set", ("Succeeded", 2), (made.properties.provisioning_state, made.sku.capacity))
check("instances", ["0", "1"], [vm.instance_id for vm in machines.list("sdk", "pool")])
sets.begin_deallocate("sdk", "pool", {"instanceIds": ["1"]}).result()
view = machines.get_instance_view("sdk", "pool", "1")
check("deallocated", "PowerState/deallocated", view.statuses[1].code)
sets.begin_delete_instances("sdk", "pool", {"instanceIds": ["1"]}).result()
check("capacity follows", 1, sets.get("sdk", "pool").sku.capacity)
fails("too many", "InvalidParameter", lambda: sets.begin_update("sdk", "pool", {"sku": {"name": "Standard_NC4as_T4_v3", "capacity": 1001}}).result())

target = "/subscriptions/{}/resourceGroups/sdk/providers/Microsoft.Compute/virtualMachineScaleSets/pool".format(SUBSCRIPTION)
profile = {"name": "p", "capacity": {"minimum": "2", "maximum": "4", "default": "2"}, "rules": []}
monitor.autoscale_settings.create_or_update("sdk", "auto", {"location": "westeurope", "properties": {"enabled": True, "targetResourceUri": target, "profiles": [profile]}})
post("clock", {"advance": "PT2M"})
check("autoscale", 2, sets.get("sdk", "pool").sku.capacity)
post("clock", {"reset": True})

account = batch.batch_account.begin_create("sdk", "sdkbatch", {"location": "westeurope"}).result()
check("batch account", "Succeeded", account.provisioning_state if hasattr(account, "provisioning_state") else account.properties.provisioning_state)
check("batch keys", "sdkbatch", batch.batch_account.get_keys("sdk", "sdkbatch").account_name)

post("faults", "unavailable,method=GET,path=*/virtualMachineScaleSets/pool,times=2")
check("503 is retried", "pool", sets.get("sdk", "pool").name)
fails("no such set", "ResourceNotFound", lambda: sets.get("sdk", "none"))
resources.resource_groups.begin_delete("sdk").result()
try:
    resources.resource_groups.get("sdk")
    check("group is gone", "ResourceNotFoundError", "found")
except ResourceNotFoundError as error:
    check("group is gone", "ResourceGroupNotFound", error.error.code)
print(f"sdk: {steps} steps, {failed} failed")
raise SystemExit(failed > 0)
