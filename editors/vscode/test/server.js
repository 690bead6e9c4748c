// The lines of a template and the places of its source, with a real language server: from each block to its resource and back.
const assert = require("node:assert");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { spawn } = require("node:child_process");
const { pathToFileURL } = require("node:url");
const { sourceOf, templateOf, testAt } = require("../src/places");

const text = `project lab {
  location = westeurope
}

share notebooks {
  quota = 1 TiB
  mount = "/data"
}

share papers {
  quota = 2 TiB
  mount = "/papers"
}

test "room" {
  expect notebooks.quota >= 1 TiB
}

test "a \\"quoted\\" name" {
  expect papers.quota == 3 TiB
}
`;

assert.equal(testAt(text, 15), "room");
assert.equal(testAt(text, 19), 'a "quoted" name');
assert.equal(testAt(text, 5), undefined);
assert.equal(testAt(text, 17), undefined);

const dsvmc = process.env.DSVMC ?? "dsvmc";
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "dsvm-"));
fs.writeFileSync(path.join(folder, "main.dsvm"), text);
const uri = pathToFileURL(path.join(folder, "main.dsvm")).href;
const server = spawn(dsvmc, ["lsp"], { cwd: folder, stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, XDG_CACHE_HOME: folder } });
const done = (code, said) => {
  server.kill();
  fs.rmSync(folder, { recursive: true, force: true });
  if (said) console.log(said);
  process.exit(code);
};
server.on("error", () => done(0, "SKIPPED: nothing is asked of the language server, dsvmc is not on the PATH"));
setTimeout(() => done(1, "the language server does not answer"), 60000).unref();

const waiting = new Map();
let received = Buffer.alloc(0);
server.stdout.on("data", (bytes) => {
  received = Buffer.concat([received, bytes]);
  for (;;) {
    const head = received.indexOf("\r\n\r\n");
    if (head < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(received.subarray(0, head).toString())[1]);
    if (received.length < head + 4 + length) return;
    const message = JSON.parse(received.subarray(head + 4, head + 4 + length).toString());
    received = received.subarray(head + 4 + length);
    if (message.method === undefined) waiting.get(message.id)?.(message);
    else if (message.id !== undefined) send({ id: message.id, result: null });
  }
});
const send = (message) => {
  const body = JSON.stringify({ jsonrpc: "2.0", ...message });
  server.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
};
let last = 0;
const ask = (method, params) =>
  new Promise((resolve, reject) => {
    const id = ++last;
    waiting.set(id, ({ result, error }) => (error ? reject(new Error(error.message)) : resolve(result)));
    send({ id, method, params });
  });

(async () => {
  const commands = ["dsvmc.preview", "dsvmc.plan", "dsvmc.runTest"];
  await ask("initialize", { processId: null, rootUri: pathToFileURL(folder).href, capabilities: {}, initializationOptions: { commands } });
  send({ method: "initialized", params: {} });
  send({ method: "textDocument/didOpen", params: { textDocument: { uri, languageId: "dsvm", version: 1, text } } });
  const textDocument = { uri };
  const { parts, problem } = await ask("dsvmc/preview", { textDocument });
  assert.equal(problem, null);
  const [part] = parts;
  const lines = part.template.split("\n");
  for (const [at, name] of [[4, "notebooks"], [9, "papers"]]) {
    const entry = templateOf(part, uri, { line: at, character: 8 });
    assert.ok(entry, `nothing is made from line ${at}`);
    const made = lines.slice(entry.lines[0], entry.lines[1] + 1).join("\n");
    assert.ok(made.includes(name), `line ${at} leads to\n${made}`);
    assert.equal(sourceOf(part, entry.lines[0]).range.start.line, at);
  }
  // Below the last declaration, the one above counts; in a document that makes nothing there is none.
  assert.ok(templateOf(part, uri, { line: 19, character: 0 }));
  assert.equal(templateOf(part, "file:///elsewhere.dsvm", { line: 1, character: 0 }), undefined);

  const fine = await ask("dsvmc/runTest", { textDocument, name: "room" });
  assert.ok(fine.fine, fine.text);
  const failed = await ask("dsvmc/runTest", { textDocument, name: 'a "quoted" name' });
  assert.ok(!failed.fine && failed.text.includes("3 TiB"), failed.text);
  done(0, "templates and tests are those of the language server");
})().catch((error) => done(1, String(error.stack)));
