#!/usr/bin/env python3
"""Types into a document of 10,000 lines through the protocol, character by character, and measures `dsvmc lsp`.

usage: benches/lsp.py PATH-OF-DSVMC [--lines N] [--characters N]

Prints p50 and p95 of the time from a keystroke to its diagnostics, and from a keystroke to the answer of a completion that is
asked for at once, and the peak of resident memory (Linux). Each keystroke waits for its diagnostics.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile
import time

BLOCK = """share s{n} {{
  quota = 1 TiB
  mount = "/data/{n}"
  tags  = {{ number = "{n}", owner = owner }}
}}
"""
TYPED = 'output last{n}: string = s{n}.id\n/// What is typed.\nlet more{n} = length("abc") + {n}\n'


class Server:
    def __init__(self, program, folder):
        self.process = subprocess.Popen([program, "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder)
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
            for name, is_it in wanted.items():
                if name not in times and is_it(message):
                    times[name] = time.perf_counter()
        return times


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program")
    arguments.add_argument("--lines", type=int, default=10_000)
    arguments.add_argument("--characters", type=int, default=200)
    arguments = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        text = 'project p { location = westeurope }\nparam owner: string = "us"\n'
        number = 0
        while text.count("\n") < arguments.lines:
            text += BLOCK.format(n=number)
            number += 1
        pathlib.Path(folder, "main.dsvm").write_text(text)
        uri = pathlib.Path(folder, "main.dsvm").as_uri()
        server = Server(str(pathlib.Path(arguments.program).resolve()), folder)
        initialized = server.ask("initialize", {"capabilities": {"general": {"positionEncodings": ["utf-8"]}}, "rootUri": pathlib.Path(folder).as_uri()})
        server.wait({"answer": lambda message: message.get("id") == initialized})
        server.send({"method": "initialized", "params": {}})
        document = {"uri": uri, "languageId": "dsvm", "version": 1, "text": text}
        start = time.perf_counter()
        server.send({"method": "textDocument/didOpen", "params": {"textDocument": document}})

        def published(version):
            return lambda message: message.get("method", "").endswith("publishDiagnostics") and message["params"].get("version") == version

        opened = server.wait({"diagnostics": published(1)})["diagnostics"] - start
        line, column = text.count("\n"), 0
        diagnostics, completion = [], []
        typed = "".join(TYPED.format(n=n) for n in range(arguments.characters))[: arguments.characters]
        for version, character in enumerate(typed, 2):
            at = {"line": line, "character": column}
            change = {"range": {"start": at, "end": at}, "text": character}
            start = time.perf_counter()
            server.send({"method": "textDocument/didChange", "params": {"textDocument": {"uri": uri, "version": version}, "contentChanges": [change]}})
            line, column = (line + 1, 0) if character == "\n" else (line, column + 1)
            asked = server.ask("textDocument/completion", {"textDocument": {"uri": uri}, "position": {"line": line, "character": column}})
            times = server.wait({"diagnostics": published(version), "completion": lambda message: message.get("id") == asked})
            diagnostics.append((times["diagnostics"] - start) * 1000)
            completion.append((times["completion"] - start) * 1000)
        status = pathlib.Path(f"/proc/{server.process.pid}/status")
        peak = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")] if status.exists() else []
        print(f"{arguments.lines} lines, {arguments.characters} characters; opened in {opened * 1000:.0f} ms")
        for name, values in (("diagnostics", diagnostics), ("completion", completion)):
            print(f"keystroke to {name}: p50 {percentile(values, 0.5):.1f} ms, p95 {percentile(values, 0.95):.1f} ms")
        print(f"peak memory: {int(peak[0].split()[1]) / 1024:.0f} MiB" if peak else "peak memory: not known here")
        last = server.ask("shutdown", None)
        server.wait({"answer": lambda message: message.get("id") == last})
        server.send({"method": "exit"})
        server.process.wait()


main()
