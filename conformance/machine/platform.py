"""Runs inside a test system: the metadata service, the wire server and a vault. What they answer is in /srv/platform.json."""

import http.server
import json
import ssl
import threading

STATE, POSTS, ASKED = "/srv/platform.json", "/srv/posts", "/srv/asked"
TOKEN = "eyJ-a-token-of-the-identity"


def state():
    with open(STATE) as file:
        return json.load(file)


class Platform(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        now = state()
        with open(ASKED, "a") as log:
            log.write(self.path + "\n")
        if self.path.startswith("/metadata/") and self.headers["Metadata"] != "true":
            return self.answer(400, {})
        if self.path.startswith("/metadata/identity/oauth2/token?"):
            return self.answer(200, {"access_token": TOKEN})
        if self.path.startswith("/metadata/instance/compute?"):
            return self.answer(200, {"name": "vmss-team_0"})
        if self.path.startswith("/metadata/scheduledevents?"):
            return self.answer(200, {"DocumentIncarnation": 1, "Events": now.get("events", [])})
        if self.path.startswith("/secrets/"):
            name = self.path[len("/secrets/") :].split("?")[0]
            if self.headers["Authorization"] != "Bearer " + TOKEN:
                return self.answer(401, {})
            if now.get("down"):
                return self.answer(503, {})
            late = now.get("late", {}).get(name, 0)
            with open(ASKED) as log:
                if late and sum(line.startswith("/secrets/" + name) for line in log) <= late:
                    return self.answer(403, {})
            if name in now["secrets"]:
                return self.answer(200, {"value": now["secrets"][name]})
        return self.answer(404, {})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        with open(POSTS, "a") as log:
            log.write(body + "\n")
        self.answer(200, {})

    def log_message(self, *_):
        pass


servers = [http.server.ThreadingHTTPServer((address, 80), Platform) for address in ("169.254.169.254", "168.63.129.16")]
vault = http.server.ThreadingHTTPServer(("127.0.0.1", 443), Platform)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/srv/certificate.pem", "/srv/certificate.key")
vault.socket = context.wrap_socket(vault.socket, server_side=True)
for server in servers:
    threading.Thread(target=server.serve_forever, daemon=True).start()
vault.serve_forever()
