#!/usr/bin/env python3
"""Types into a document of 10,000 lines through the protocol, character by character, and measures `dsvmc lsp`.

usage: benches/lsp.py PATH-OF-DSVMC [--lines N] [--characters N] [--middle] [--pools N] [--peer COMMAND]

Prints p50 and p95 of the time from a keystroke to its diagnostics, and from a keystroke to the answer of a completion that is
asked for at once, the processor time of the server for one keystroke, which other processes disturb less, and the peak of
resident memory (Linux). Each keystroke waits for its diagnostics. What is typed stands at
the end of the document, or in the middle of it. With --pools the document is a project of so many pools. A peer is measured
in the same run, in turns: a language server for YAML, such as `yaml-language-server --stdio`, with a document of as many
lines and what is typed at its end.
"""
import argparse
import json
import os
import pathlib
import shlex
import subprocess
import tempfile
import time

BLOCK = """share s{n} {{
  quota = 1 TiB
  mount = "/data/{n}"
  tags  = {{ number = "{n}", owner = owner }}
}}
"""
POOL = """pool p{n}: interactive {{
  image    = images.ubuntu_2204
  size     = sizes.Standard_D4s_v5
  machines = 3
  tags     = {{ number = "{n}", owner = owner }}
  admin {{ name = "dsvmuser", key = key }}
  allow ssh from [203.0.113.0/24]
}}
"""
HEAD = """import std.images
import std.sizes
project p {{ location = westeurope }}
param owner: string = "us"
let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0e99PD7L6H1hsDWtXjCnotLXI7NDNJb9dhjsPl+UGc a@example.org"
"""
TYPED = 'output last{n}: string = {name}{n}.id\n/// What is typed.\nlet more{n} = length("abc") + {n}\n'
YAML = """s{n}:
  quota: 1 TiB
  mount: "/data/{n}"
  tags: {{ number: "{n}", owner: us }}
  more: [1, 2]
"""
YAML_TYPED = 'last{n}: {{ of: s{n}, id: "x" }}\n# What is typed.\nmore{n}: [1, "abc", {n}]\n'


class Server:
    def __init__(self, command, folder):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder)
        self.next = 0

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def read(self):
        length = 0
        while line := self.process.stdout.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return json.loads(self.process.stdout.read(length))

    def ask(self, method, params):
        self.next += 1
        self.send({"id": self.next, "method": method, "params": params})
        return self.next

    def wait(self, wanted):
        """Reads until all wanted things came; the time of each."""
        times = {}
        while len(times) < len(wanted):
            message = self.read()
            # What the server asks for is not there.
            if "id" in message and "method" in message:
                self.send({"id": message["id"], "result": None})
                continue
            for name, is_it in wanted.items():
                if name not in times and is_it(message):
                    times[name] = time.perf_counter()
        return times


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


class Typist:
    """Somebody who types into a document of a server."""

    def __init__(self, command, folder, name, language, text, typed, middle):
        self.server = Server(command, folder)
        pathlib.Path(folder, name).write_text(text)
        self.uri = pathlib.Path(folder, name).as_uri()
        self.typed = typed
        self.diagnostics, self.completion = [], []
        root = pathlib.Path(folder).as_uri()
        capabilities = {"general": {"positionEncodings": ["utf-8"]}, "textDocument": {"publishDiagnostics": {"versionSupport": True}}}
        initialized = self.server.ask("initialize", {"processId": None, "capabilities": capabilities, "rootUri": root})
        self.server.wait({"answer": lambda message: message.get("id") == initialized})
        self.server.send({"method": "initialized", "params": {}})
        document = {"uri": self.uri, "languageId": language, "version": 1, "text": text}
        start = time.perf_counter()
        self.server.send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        self.opened = self.server.wait({"diagnostics": self.published(1)})["diagnostics"] - start
        self.before = self.processor()
        lines = text.count("\n")
        self.line, self.column, self.version = (lines, 0, 1)
        if middle:
            # The empty line behind a block.
            self.line = next(at for at, line in enumerate(text.split("\n")) if at > lines // 2 and line == "}") + 1

    def processor(self):
        """Milliseconds of processor time so far; none where /proc is not."""
        status = pathlib.Path(f"/proc/{self.server.process.pid}/stat")
        if not status.exists():
            return None
        user, system = status.read_text().rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) * 1000 / os.sysconf("SC_CLK_TCK")

    def published(self, version):
        # A server that does not tell the version tells about the newest text.
        return lambda message: message.get("method", "").endswith("publishDiagnostics") and message["params"].get("version", version) == version

    def type(self, character):
        self.version += 1
        at = {"line": self.line, "character": self.column}
        change = {"range": {"start": at, "end": at}, "text": character}
        document = {"uri": self.uri, "version": self.version}
        start = time.perf_counter()
        self.server.send({"method": "textDocument/didChange", "params": {"textDocument": document, "contentChanges": [change]}})
        self.line, self.column = (self.line + 1, 0) if character == "\n" else (self.line, self.column + 1)
        here = {"line": self.line, "character": self.column}
        asked = self.server.ask("textDocument/completion", {"textDocument": {"uri": self.uri}, "position": here})
        times = self.server.wait({"diagnostics": self.published(self.version), "completion": lambda message: message.get("id") == asked})
        self.diagnostics.append((times["diagnostics"] - start) * 1000)
        self.completion.append((times["completion"] - start) * 1000)

    def tell(self, name):
        status = pathlib.Path(f"/proc/{self.server.process.pid}/status")
        peak = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")] if status.exists() else []
        print(f"{name}: opened in {self.opened * 1000:.0f} ms")
        for what, values in (("diagnostics", self.diagnostics), ("completion", self.completion)):
            print(f"  keystroke to {what}: p50 {percentile(values, 0.5):.1f} ms, p95 {percentile(values, 0.95):.1f} ms")
        if self.before is not None:
            print(f"  processor time for a keystroke: {(self.processor() - self.before) / len(self.diagnostics):.1f} ms")
        print(f"  peak memory: {int(peak[0].split()[1]) / 1024:.0f} MiB" if peak else "  peak memory: not known here")
        last = self.server.ask("shutdown", None)
        self.server.wait({"answer": lambda message: message.get("id") == last})
        self.server.send({"method": "exit", "params": None})
        self.server.process.wait()


def filled(head, block, lines, count=None):
    """As many blocks as make so many lines, or that number of blocks."""
    text, number, height = head, 0, block.count("\n")
    while number < count if count else text.count("\n") + height <= lines:
        text += block.format(n=number)
        number += 1
    return text


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program")
    arguments.add_argument("--lines", type=int, default=10_000)
    arguments.add_argument("--characters", type=int, default=200)
    arguments.add_argument("--middle", action="store_true")
    arguments.add_argument("--pools", type=int)
    arguments.add_argument("--peer", type=shlex.split)
    arguments = arguments.parse_args()
    head, block, name = HEAD.format(), BLOCK, "s"
    if arguments.pools:
        block, name = POOL, "p"
    else:
        head = 'project p { location = westeurope }\nparam owner: string = "us"\n'
    text = filled(head, block, arguments.lines, arguments.pools)
    typed = "".join(TYPED.format(n=n, name=name) for n in range(arguments.characters))[: arguments.characters]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
        program = [str(pathlib.Path(arguments.program).resolve()), "lsp"]
        typists = {"dsvmc": Typist(program, folder, "main.dsvm", "dsvm", text, typed, arguments.middle)}
        if arguments.peer:
            yaml = filled("", YAML, text.count("\n"))
            yaml_typed = "".join(YAML_TYPED.format(n=n) for n in range(arguments.characters))[: arguments.characters]
            typists["peer"] = Typist(arguments.peer, other, "main.yaml", "yaml", yaml, yaml_typed, False)
        print(f"{text.count(chr(10))} lines, {arguments.characters} characters")
        for at in range(arguments.characters):
            for typist in typists.values():
                typist.type(typist.typed[at])
        for title, typist in typists.items():
            typist.tell(title)


main()
