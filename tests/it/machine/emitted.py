"""Reads an emitted setup as a machine would.

emitted.py EXPANDED MACHINE: takes the script of the scale set in EXPANDED, an expanded template, as the CustomScript
extension does, and its last line as the program in the folder MACHINE does. Prints what the program understands.
"""
import base64, json, sys

sys.path.insert(0, sys.argv[2])
from dsvmc_machine import config

resources = json.load(open(sys.argv[1]))
resources = resources.get("resources", resources) if isinstance(resources, dict) else resources
[scale_set] = [r for r in resources if r["type"].endswith("/virtualMachineScaleSets")]
[setup] = [e for e in scale_set["properties"]["virtualMachineProfile"]["extensionProfile"]["extensions"] if e["name"] == "setup"]
script = base64.b64decode(setup["properties"]["protectedSettings"]["script"], validate=True).decode()
compile(script, "script", "exec")
program, line = script.rsplit("\n#POOL ", 1)
assert line.count("\n") == 1 and line.endswith("\n"), "the description is one line"
pool = config.parse(line)
json.dump(
    {
        "program": program + "\n#POOL ",
        "tag": setup["properties"]["forceUpdateTag"],
        "timestamp": setup["properties"]["settings"]["timestamp"],
        "client": pool.client,
        "health": pool.health,
        "notice": pool.notice,
        "users": [[user.name, user.uid, user.sudo, user.groups] for user in pool.users],
        "keys": pool.users[0].keys if pool.users else [],
        "passwords": {name: secret.secret for name, secret in pool.passwords.items()},
        "shares": [[share.kind, share.mount, len(share.links)] for share in pool.shares],
        "packages": pool.packages,
        "steps": [[step.name, step.run, step.retries] for step in pool.steps],
        "limits": [pool.limits.memory, pool.limits.tasks],
        "host_key": pool.host_key and [pool.host_key.vault, pool.host_key.secret],
        "ports": [service.port for service in pool.services],
    },
    sys.stdout,
)
