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
        if ran.returncode != 0:
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


EVIL = "touch /home/runner/owned; touch /work/owned; touch /temp/owned"


def bare_repository(runner):
    """Among the files: git run in that folder would take its settings for those of the repository."""
    settings = f'[core]\n  repositoryformatversion = 0\n  bare = false\n  worktree = /work/pools/bare\n  fsmonitor = "{EVIL}"\n  pager = "{EVIL}"\n'
    settings += f'  sshCommand = "{EVIL}"\n  hooksPath = /work/pools/bare/hooks\n[diff]\n  external = "{EVIL}"\n[diff "evil"]\n  textconv = "{EVIL}"\n'
    runner.write("pools/bare/config", settings)
    runner.write("pools/bare/HEAD", "ref: refs/heads/main\n")
    for folder in ("objects", "refs/heads"):
        runner.write(f"pools/bare/{folder}/keep", "")
    for hook in ("post-checkout", "post-index-change", "pre-commit", "reference-transaction"):
        runner.write(f"pools/bare/hooks/{hook}", f"#!/bin/sh\n{EVIL}\n")
        (runner.folder / f"work/pools/bare/hooks/{hook}").chmod(0o755)
    runner.write("pools/bare/main.dsvm", PROJECT.replace("lab", "bare"))
    runner.write(".gitattributes", "*.dsvm diff=evil filter=evil\n")


def settings_and_names(runner):
    runner.write("pools/dsvmc.toml", f'[lint]\nextends = "$({EVIL})"\ncommand = "{EVIL}"\n')
    runner.write("pools/$(touch owned)/main.dsvm", PROJECT.replace("lab", "names"))
    runner.write("pools/-rf `touch owned`/main.dsvm", PROJECT.replace("lab", "more"))
    runner.write("pools/main.test.dsvm", TEST.replace("the share", "``````` $(touch owned) \\u{202e} ::set-output name=report::/etc"))


def endless_test(runner):
    runner.write("pools/main.test.dsvm", 'fn f(n: int): int = f(n + 1)\ntest "loops" {\n  expect f(1) == 1\n}\n')
    many = "let l0 = [1, 2, 3, 4, 5, 6, 7, 8]\n" + "".join(f"let l{n} = [[x, x] for x in [[y, l{n - 1}] for y in l{n - 1}]]\n" for n in range(1, 12))
    runner.write("pools/main.dsvm", PROJECT + many + "check l11 == l10 else \"no\"\n")


def links(runner):
    work = runner.folder / "work/pools"
    (work / "links").mkdir()
    (work / "links/main.dsvm").symlink_to("/etc/passwd")
    (work / "links/dsvmc.toml").symlink_to("/home/runner/canary")
    (work / "snapshots/more.snap").symlink_to("/home/runner/canary")
    (work / "again").symlink_to("..")


def linked_snapshot(runner):
    snapshot = next((runner.folder / "work/pools/snapshots").glob("*.snap"))
    snapshot.unlink()
    snapshot.symlink_to("/home/runner/canary")


def linked_report(runner):
    """The report's folder is outside of the checkout; one with its name inside changes nothing."""
    (runner.folder / "work/dsvmc").symlink_to("/home/runner")
    runner.write("pools/main.dsvm", PROJECT.replace("quota = 1", "quota   = 1"))


def hostile(api):
    for branch in (bare_repository, settings_and_names, endless_test, links, linked_snapshot, linked_report):
        runner = repository(Runner())
        canary = runner.folder / "home/canary"
        canary.write_text("untouched\n")
        branch(runner)
        runner.git("add", "-A")
        runner.git("commit", "-q", "-m", "hostile")
        started = time.monotonic()
        # Twice: once for what a branch leaves, once for what it does with what the first run left.
        for _ in range(2):
            ran, _ = runner.steps(api, inputs={"path": "pools"})
        print(f"{branch.__name__.replace('_', ' ')}: reviewed twice in {time.monotonic() - started:.0f} s, exit code {ran[0][1]}")
        if os.environ.get("VERBOSE"):
            print(ran[0][2])
        check("  the review ends with a verdict", ran[0][1] in (0, 1) and [name for name, *_ in ran] == ["Review", "Comment"], ran)
        # Two folders bear the word, and nothing else does.
        owned = [path for path in runner.owned() if "/pools/$(touch owned)" not in path and "/pools/-rf `touch owned`" not in path]
        check("  nothing of it is run", owned == [], owned)
        left = sorted(path.name for path in (runner.folder / "home").iterdir() if not path.name.startswith("."))
        check("  what is outside is as it was", canary.read_text() == "untouched\n" and left == ["canary"], left)
        said = str(ran) + "".join(path.read_text(errors="replace") for path in (runner.folder / "temp/dsvmc").iterdir())
        check("  no file outside and no token is shown", not any(text in said for text in ("/home/runner:/bin/bash", "untouched", TOKEN)), said[:4000])
        fences = [line for line in runner.report("comment.md").splitlines() if line.startswith("````")]
        check("  the comment is whole", len(fences) % 2 == 0 and all(line in ("````", "````text") for line in fences), fences)
        shutil.rmtree(runner.folder)


def merged():
    runner = repository(Runner())
    runner.git("switch", "-q", "-c", "more")
    runner.write("pools/main.dsvm", PROJECT.replace("1 TiB", "2 TiB"))
    runner.git("commit", "-qam", "more")
    done = runner.inside("""cd pools
git() { command git -c safe.directory=* "$@"; }
git switch -q main && dsvmc apply --yes --target local > /dev/null
git switch -q more
dsvmc plan -o /temp/lab.plan --target local
git switch -q main && git merge -q --ff-only more
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
