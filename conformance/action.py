"""Runs the steps of action.yml as a runner would; see action.sh. Prints one line for each check."""

import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
DSVMC = os.environ["DSVMC"]
TOKEN = "Sentinel-Token-0001"
SECONDS = 300
PROJECT = """project lab {
  location = westeurope
}

share notebooks {
  quota = 1 TiB
  mount = "/data"
}
"""
TEST = """test "the share has room" {
  expect notebooks.quota >= 1 TiB
}
"""


def check(what, holds, more=""):
    print(("ok    " if holds else "FAIL  ") + what)
    if not holds:
        print(more)
        sys.exit(1)


class Host(http.server.BaseHTTPRequestHandler):
    """Comments of one pull request."""

    comments, seen = [], []

    def answer(self, body):
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def body(self):
        Host.seen.append((self.command, self.path, self.headers["Authorization"]))
        return json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or "{}")

    def do_GET(self):
        self.body()
        self.answer(Host.comments)

    def do_POST(self):
        comment = {"id": 40 + len(Host.comments), "user": {"type": "Bot"}, **self.body()}
        Host.comments.append(comment)
        self.answer(comment)

    def do_PATCH(self):
        changed = self.body()
        comment = next(c for c in Host.comments if self.path.endswith(f"/comments/{c['id']}"))
        comment.update(changed)
        self.answer(comment)

    def log_message(self, *_):
        pass


class Runner:
    """A fresh machine with one checkout."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dsvmc-action-"))
        for name in ("work", "temp", "home", "etc", "bin"):
            (self.folder / name).mkdir()
        (self.folder / "etc/passwd").write_text("runner:x:1001:1001::/home/runner:/bin/bash\n")
        (self.folder / "etc/hosts").write_text("127.0.0.1 localhost\n")
        shutil.copy(DSVMC, self.folder / "bin/dsvmc")

    def inside(self, script, env=None, network=False):
        """Runs a script with bash in the clean root: nothing of this machine but /usr, and no network unless one is asked for."""
        command = ["bwrap", "--unshare-all", "--die-with-parent", "--clearenv", "--uid", "1001", "--gid", "1001"]
        command += ["--share-net"] if network else []
        command += ["--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
        for name in ("bin", "lib", "lib64", "sbin"):
            command += ["--symlink", f"usr/{name}", f"/{name}"]
        command += ["--ro-bind", self.folder / "etc", "/etc", "--ro-bind", self.folder / "bin", "/opt/dsvmc", "--ro-bind", ROOT, "/action"]
        command += ["--bind", self.folder / "home", "/home/runner", "--bind", self.folder / "temp", "/temp", "--bind", self.folder / "work", "/work"]
        settings = {"PATH": "/opt/dsvmc:/usr/bin:/bin", "HOME": "/home/runner", "CI": "true", **(env or {})}
        for name, value in settings.items():
            command += ["--setenv", name, value]
        command += ["--chdir", "/work", "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, errors="replace", stdin=subprocess.DEVNULL)

    def write(self, name, text):
        path = self.folder / "work" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def git(self, *arguments):
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments]
        ran = subprocess.run(command, cwd=self.folder / "work", capture_output=True, text=True)
        check_ran = ran.returncode == 0
        if not check_ran:
            sys.exit(f"git {arguments}: {ran.stderr}")
        return ran.stdout.strip()

    def steps(self, api, head="lab/pools", inputs=None):
        """The steps of action.yml, as GitHub runs composite actions: what each printed, and the outputs."""
        action = yaml.safe_load((ROOT / "action.yml").read_text())
        values = {f"inputs.{name}": given["default"] for name, given in action["inputs"].items()} | {
            f"inputs.{name}": value for name, value in (inputs or {}).items()
        }
        values |= {
            "github.event.pull_request.base.sha": self.base,
            "github.event.pull_request.number": "7",
            "github.event.pull_request.head.repo.full_name": head,
            "github.repository": "lab/pools",
            "github.token": TOKEN,
            "github.action_path": "/action",
            "runner.temp": "/temp",
        }
        fill = lambda text: re.sub(r"\$\{\{\s*([\w.]+)\s*\}\}", lambda found: values[found[1]], text)
        (self.folder / "temp/output").write_text("")
        ran, failed = [], False
        for step in action["runs"]["steps"]:
            condition = step.get("if", "success()")
            always = "always()" in condition
            condition = condition.replace("always()", "True").replace("success()", "True").replace("&&", " and ")
            condition = re.sub(r"\b(inputs|github|runner)(\.\w+)+", lambda found: repr(values[found[0]]), condition)
            if (failed and not always) or not eval(condition):  # noqa: S307 - our own action.yml
                continue
            env = {name: fill(value) for name, value in step.get("env", {}).items()}
            network = "GITHUB_TOKEN" in env
            env |= {"GITHUB_OUTPUT": "/temp/output", "GITHUB_REPOSITORY": "lab/pools", "GITHUB_API_URL": api}
            done = self.inside(fill(step["run"]), env, network)
            failed |= done.returncode != 0
            ran.append((step["name"], done.returncode, done.stdout + done.stderr))
        return ran, (self.folder / "temp/output").read_text()

    def report(self, name):
        return (self.folder / "temp/dsvmc" / name).read_text(errors="replace")

    def owned(self):
        return [str(path) for path in self.folder.rglob("*owned*")]


def repository(runner):
    runner.write("pools/main.dsvm", PROJECT)
    runner.write("pools/main.test.dsvm", TEST)
    done = runner.inside("cd pools && dsvmc snapshot")
    check("a snapshot is written in a clean root", done.returncode == 0, done.stdout + done.stderr)
    runner.git("init", "-q", "-b", "main")
    runner.git("add", ".")
    runner.git("commit", "-q", "-m", "first")
    runner.base = runner.git("rev-parse", "HEAD")
    return runner


def change(api):
    runner = repository(Runner())
    ran, output = runner.steps(api, inputs={"path": "pools"})
    check("a branch without changes passes every step", [code for _, code, _ in ran] == [0, 0], ran)
    check("the step tells where its report is", output == "report=/temp/dsvmc\n", output)
    check("the comment is written", len(Host.comments) == 1 and "all checks pass" in Host.comments[0]["body"], Host.comments)
    runner.write("pools/main.dsvm", PROJECT.replace("1 TiB", "512 GiB"))
    ran, _ = runner.steps(api, inputs={"path": "pools"})
    check("a change that breaks a test fails the review, and is commented on all the same", [code for _, code, _ in ran] == [1, 0], ran)
    body = Host.comments[0]["body"]
    check("the same comment says so", len(Host.comments) == 1 and "something is wrong" in body and "shareQuota = 512" in body, Host.comments)
    sarif = json.loads(runner.report("dsvmc.sarif"))
    check("SARIF is written", sarif["version"] == "2.1.0" and sarif["runs"][0]["tool"]["driver"]["name"] == "dsvmc")
    check("a report of the tests is written", 'failures="1"' in runner.report("junit.xml"))
    check("the token went to the host alone", all(header == f"Bearer {TOKEN}" for *_, header in Host.seen) and TOKEN not in str(ran) + body)

    seen = len(Host.seen)
    ran, _ = runner.steps(api, head="stranger/pools", inputs={"path": "pools"})
    check("a fork is reviewed without a token and without a comment", [name for name, *_ in ran] == ["Review"] and len(Host.seen) == seen, ran)
    shutil.rmtree(runner.folder)


def hostile(api):
    runner = repository(Runner())
    outside = runner.folder / "home/canary"
    outside.write_text("untouched\n")
    evil = "touch /home/runner/owned; touch /work/owned; touch /temp/owned"
    # A bare repository among the files: git run in that folder would read its settings.
    runner.write("pools/bare/HEAD", "ref: refs/heads/main\n")
    settings = f'[core]\n  repositoryformatversion = 0\n  bare = false\n  worktree = /work/pools/bare\n  fsmonitor = "{evil}"\n  pager = "{evil}"\n'
    settings += f'  sshCommand = "{evil}"\n  hooksPath = /work/pools/bare/hooks\n[alias]\n  rev-parse = "!{evil}"\n[diff]\n  external = "{evil}"\n'
    runner.write("pools/bare/config", settings)
    for folder in ("objects", "refs/heads"):
        runner.write(f"pools/bare/{folder}/keep", "")
    for hook in ("post-checkout", "post-index-change", "pre-commit", "reference-transaction"):
        runner.write(f"pools/bare/hooks/{hook}", f"#!/bin/sh\n{evil}\n")
        (runner.folder / f"work/pools/bare/hooks/{hook}").chmod(0o755)
    runner.write("pools/bare/main.dsvm", PROJECT.replace("lab", "bare"))
    runner.write(".gitattributes", f"*.dsvm diff=evil filter=evil\n")
    runner.write("pools/dsvmc.toml", f'[lint]\nextends = "$({evil})"\ncommand = "{evil}"\n')
    runner.write("pools/$(touch owned)/main.dsvm", PROJECT.replace("lab", "names"))
    runner.write("pools/loop/main.dsvm", PROJECT.replace("lab", "loop"))
    loop = "[[[a + b + c for a in 1..100000] for b in 1..100000] for c in 1..100000]"
    runner.write("pools/loop/main.test.dsvm", f'fn f(n: int): int = f(n + 1)\nlet many = {loop}\ntest "loops" {{\n  expect f(1) == len(many)\n}}\n')
    work = runner.folder / "work/pools"
    (work / "links").mkdir()
    (work / "links/main.dsvm").symlink_to("/etc/passwd")
    (work / "links/dsvmc.toml").symlink_to("/home/runner/canary")
    (work / "snapshots/more.snap").symlink_to("/home/runner/canary")
    (work / "again").symlink_to("..")
    runner.git("add", "-A")
    runner.git("commit", "-q", "-m", "hostile")
    started = time.monotonic()
    ran, _ = runner.steps(api, inputs={"path": "pools"})
    took = time.monotonic() - started
    check(f"a hostile branch fails the review, within {SECONDS} s", ran[0][1] == 1, ran)
    print(f"      it took {took:.0f} s")
    check("nothing of it was run", runner.owned() == [str(work / "$(touch owned)")] or runner.owned() == [str(work / "$(touch owned)")], runner.owned())
    check("what is outside is as it was", outside.read_text() == "untouched\n")
    said = str(ran) + "".join(path.read_text(errors="replace") for path in (runner.folder / "temp/dsvmc").iterdir())
    check("files outside are not shown", "/home/runner:/bin/bash" not in said and "untouched" not in said, said[:4000])
    check("no token is shown", TOKEN not in said)
    shutil.rmtree(runner.folder)


def merged():
    runner = repository(Runner())
    runner.git("switch", "-q", "-c", "more")
    runner.write("pools/main.dsvm", PROJECT.replace("1 TiB", "2 TiB"))
    runner.git("commit", "-qam", "more")
    done = runner.inside("""cd pools
dsvmc apply --yes --target local > /dev/null
dsvmc plan -o /temp/lab.plan --target local
git -c safe.directory=* switch -q main && git -c safe.directory=* merge -q --ff-only more
dsvmc apply --yes --target local /temp/lab.plan
echo "== again"; dsvmc apply --yes --target local /temp/lab.plan && exit 9
echo "== stale"
sed -i 's/2 TiB/3 TiB/' main.dsvm && dsvmc plan -o /temp/late.plan --target local > /dev/null
sed -i 's/3 TiB/4 TiB/' main.dsvm && dsvmc apply --yes --target local > /dev/null
dsvmc apply --yes --target local /temp/late.plan && exit 9
dsvmc local down > /dev/null
""")
    said = done.stdout + done.stderr
    check("the plan that was looked at is applied after the merge, once, and not when something came between", done.returncode == 0, said)
    check("and says why not", "== again" in said and "== stale" in said and said.count("error") >= 2, said)
    shutil.rmtree(runner.folder)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Host)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"
change(address)
hostile(address)
merged()
print("action.yml: every step was run in a clean root")
