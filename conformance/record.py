#!/usr/bin/env python3
"""Stands between an editor and `dsvmc lsp` and writes down what the editor says, for tests/it/lsp/sessions.

usage: conformance/record.py DSVMC FOLDER FILE lsp      (started by the editor in place of `dsvmc lsp`)

One message a line. The folder of the project is written as `FOLDER`, and the process id of the editor as null.
"""
import json
import subprocess
import sys
import threading

program, folder, file = sys.argv[1:4]
server = subprocess.Popen([program, *sys.argv[4:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def forward_answers():
    while data := server.stdout.read1(65536):
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


threading.Thread(target=forward_answers, daemon=True).start()
with open(file, "w") as log:
    while True:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = sys.stdin.buffer.read(1)
            if not byte:
                break
            head += byte
        length = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        if not length:
            break
        body = sys.stdin.buffer.read(length[0])
        message = json.loads(body)
        if message.get("method") == "initialize":
            message["params"]["processId"] = None
        log.write(json.dumps(message, ensure_ascii=False, sort_keys=True).replace(folder, "FOLDER") + "\n")
        log.flush()
        server.stdin.write(head + body)
        server.stdin.flush()
server.stdin.close()
sys.exit(server.wait())
