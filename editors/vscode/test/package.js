// What the package needs is there, and the snippets are programs: those that stand alone are checked where dsvmc is installed.
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { spawnSync } = require("node:child_process");

const root = path.join(__dirname, "..");
const read = (name) => JSON.parse(fs.readFileSync(path.join(root, name), "utf8"));
const fail = (why) => {
  console.error(why);
  process.exit(1);
};

const manifest = read("package.json");
const files = [manifest.contributes.languages[0].configuration, manifest.contributes.grammars[0].path, manifest.contributes.snippets[0].path];
files.forEach(read);
const bundle = fs.readFileSync(path.join(root, manifest.main), "utf8");
for (const { command } of manifest.contributes.commands) {
  if (!bundle.includes(`"${command}"`)) fail(`${command} is announced and not registered`);
}

// A snippet with its placeholders filled in.
const expanded = (snippet) => snippet.body.join("\n").replace(/\$\{\d+:([^}]*)\}/g, "$1").replace(/\\([$}{])/g, "$1");
const snippets = read(manifest.contributes.snippets[0].path);
const text = [
  "import std.images",
  expanded(snippets.Project),
  "import std.sizes",
  "param admin_key: ssh_key",
  expanded(snippets.Share),
  expanded(snippets["Interactive pool"]).replace(/\n}$/, `\n  ${expanded(snippets.Autoscale)}\n}`),
  expanded(snippets.Test),
  "param most: int in 1..50 = 5",
  "check most <= 40 else \"too many\"",
  "env prod {\n  most = 9\n  admin_key = \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0e99PD7L6H1hsDWtXjCnotLXI7NDNJb9dhjsPl+UGc a@example.org\"\n}",
  expanded(snippets["Test of an env"]).replace("expect no warnings\n", "\n"),
  expanded(snippets["Rule of a team"]),
  expanded(snippets["Test of a mistake"]).replace("name = ", "most = "),
].join("\n");
const dsvmc = process.env.DSVMC ?? "dsvmc";
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "dsvm-"));
const file = path.join(folder, "main.dsvm");
fs.writeFileSync(file, text);
const ran = spawnSync(dsvmc, ["check", file], { encoding: "utf8" });
fs.rmSync(folder, { recursive: true });
if (ran.error?.code === "ENOENT") console.log("SKIPPED: the snippets are not checked, dsvmc is not on the PATH");
else if (ran.status !== 0) fail(`the snippets are no program:\n${text}\n${ran.stderr}`);
else console.log("the snippets are a program");
