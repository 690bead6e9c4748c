#!/usr/bin/env python3
"""Writes a reproducible corpus of .dsvm projects: corpus.py OUT PROJECTS POOLS_PER_PROJECT [batch].

Every pool uses what a real one uses. Interactive: image, size, range, share, served ports, autoscale with metric rules and a
schedule. Batch: image, size, range, slots, share, setup, autoscale that becomes a formula.
"""
import pathlib
import sys

HEAD = """import std.images
import std.sizes

/// Shared machines of group {n}.
project group{n} {{
  location = westeurope
  tags     = {{ team = "group{n}", cost_center = "{n}" }}
}}

/// Public key of the first administrator.
param admin_key: ssh_key

/// Most machines that a pool may grow to.
param max_machines: int in 2..100 = 10

env dev  {{ max_machines = 2, admin_key = "{key}" }}
env prod {{ max_machines = 30, admin_key = "{key}" }}

network campus {{
  address = 10.{a}.0.0/16
}}

share notebooks {{
  quota = 1 TiB
  mount = "/datamnt/dsvmshare"
  link "~/notebooks/remote" to "notebooks/{{user}}"
}}
"""

POOL = """
/// Machines of team {i}.
pool team{i}: interactive {{
  image    = images.ubuntu_2204
  size     = sizes.{size}
  machines = 1..max_machines initially 1
  admin    {{ name = "dsvmuser", key = admin_key }}
  network  = campus
  shares   = [notebooks]
  allow ssh from [203.0.113.0/24]

  autoscale {{
    timezone = "Pacific Standard Time"
    when avg(cpu, 10 min) > 75% {{ add 1, cooldown 5 min }}
    when avg(cpu, 15 min) < 25% {{ remove 1, cooldown 10 min }}
    schedule workday {{ on mon..fri from 08:00 to 19:00, machines = 1..max_machines }}
  }}
}}
"""

BATCH_HEAD = """import std.images
import std.sizes

/// Jobs of group {n}.
project group{n} {{
  location = westeurope
  tags     = {{ team = "group{n}", cost_center = "{n}" }}
}}

/// Most machines that a pool may grow to.
param max_machines: int in 2..100 = 10

env dev  {{ max_machines = 2 }}
env prod {{ max_machines = 20 }}

batch_account jobs {{ }}

share datasets {{
  quota = 1 TiB
  mount = "/data/sets"
  auth  = account_key
}}
"""

BATCH_POOL = """
/// Jobs of team {i}.
pool team{i}: batch {{
  service    = azure_batch
  account    = jobs
  image      = images.ubuntu_hpc
  size       = sizes.{size}
  machines   = 0..max_machines
  task_slots = 4
  shares     = [datasets]

  setup {{
    packages = ["python3-venv"]
    step tools {{ run = "python3 -m venv /opt/tools && /opt/tools/bin/pip install --quiet pandas" }}
  }}

  autoscale every 5 min {{
    look_back  = 15 min
    on_removal = task_completion
  }}
}}
"""

SIZES = ["Standard_D8s_v5", "Standard_D4ds_v5", "Standard_E8s_v5", "Standard_D16ads_v5", "Standard_E16ds_v5"]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0e99PD7L6H1hsDWtXjCnotLXI7NDNJb9dhjsPl+UGc bench@example.org"


def main():
    out, projects, pools = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    head, pool = (BATCH_HEAD, BATCH_POOL) if sys.argv[4:] == ["batch"] else (HEAD, POOL)
    for n in range(projects):
        folder = out / f"group{n:03}"
        folder.mkdir(parents=True, exist_ok=True)
        text = head.format(n=n, a=n % 100 + 20, key=KEY)
        text += "".join(pool.format(i=i, size=SIZES[i % len(SIZES)]) for i in range(pools))
        (folder / "main.dsvm").write_text(text)


main()
