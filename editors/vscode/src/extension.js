// Starts `dsvmc lsp` for .dsvm files, and does what its lenses offer: the template beside the source, plans, tests.
const path = require("node:path");
const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");
const { testAt } = require("./places");
const { Preview } = require("./preview");

let client;
let output;

// What the server leaves to this extension (docs/editors.md).
const COMMANDS = ["dsvmc.preview", "dsvmc.plan", "dsvmc.runTest"];

function program() {
  return vscode.workspace.getConfiguration("dsvm").get("path", "dsvmc");
}

async function start() {
  const run = { command: program(), args: ["lsp"] };
  const documents = [
    { scheme: "file", language: "dsvm" },
    { scheme: "untitled", language: "dsvm" },
  ];
  const options = { documentSelector: documents, initializationOptions: { commands: COMMANDS } };
  client = new LanguageClient("dsvm", "dsvmc", { run, debug: run }, options);
  try {
    await client.start();
  } catch {
    client = undefined;
    const said = `\`${run.command} lsp\` does not start. Install it with \`cargo install --locked dsvmc\`, or set its path.`;
    if ((await vscode.window.showErrorMessage(said, "Open settings")) !== undefined) {
      await vscode.commands.executeCommand("workbench.action.openSettings", "dsvm.path");
    }
  }
}

async function stop() {
  const running = client;
  client = undefined;
  await running?.stop();
}

// The program gets its arguments as a list: a path is never read by a shell.
function runTask(name, args) {
  const document = vscode.window.activeTextEditor?.document;
  if (document?.languageId !== "dsvm") {
    return vscode.window.showInformationMessage("Open a .dsvm file first.");
  }
  const folder = path.dirname(document.uri.fsPath);
  const execution = new vscode.ProcessExecution(program(), args, { cwd: folder });
  const task = new vscode.Task({ type: "process" }, vscode.TaskScope.Workspace, name, "dsvmc", execution, []);
  return vscode.tasks.executeTask(task);
}

async function ask(method, params) {
  if (client === undefined) throw new Error("the language server is not running");
  return client.sendRequest(method, params);
}

const choose = (names, what) => vscode.window.showQuickPick(names, { placeHolder: `Which ${what}?` });

// The parameters of a lens; those of the active editor when a command is chosen from the palette.
function parameters(given) {
  if (given?.textDocument !== undefined) return given;
  const editor = vscode.window.activeTextEditor;
  if (editor?.document.languageId !== "dsvm") {
    vscode.window.showInformationMessage("Open a .dsvm file first.");
    return undefined;
  }
  const { line, character } = editor.selection.active;
  return { textDocument: { uri: editor.document.uri.toString() }, position: { line, character } };
}

async function withEnv(params) {
  if (params.env !== undefined) return params;
  const { envs } = await ask("dsvmc/preview", { textDocument: params.textDocument });
  if (envs.length < 2) return params;
  const env = await choose(envs, "env");
  return env === undefined ? undefined : { ...params, env };
}

// Each command of the language server tells what went wrong, and never stops the editor.
const told = (run) => async (given) => {
  try {
    const params = parameters(given);
    if (params !== undefined) await run(params);
  } catch (error) {
    vscode.window.showErrorMessage(`dsvmc: ${error.message}`);
  }
};

function report(title, { fine, text }) {
  output.appendLine(`== ${title}`);
  output.appendLine(text.trimEnd());
  output.show(true);
  return fine;
}

async function plan(given) {
  const params = await withEnv(given);
  if (params === undefined) return;
  const { textDocument, env } = params;
  const answer = await vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title: "dsvmc: planning" }, () =>
    ask("dsvmc/plan", { textDocument, env }),
  );
  report(env === undefined ? "plan" : `plan of ${env}`, answer);
}

async function runTest(given) {
  const { textDocument } = given;
  let { name } = given;
  if (name === undefined && given.position !== undefined) {
    name = testAt(vscode.window.activeTextEditor.document.getText(), given.position.line);
  }
  const answer = await ask("dsvmc/runTest", { textDocument, name });
  if (!report(name === undefined ? "all tests" : `test "${name}"`, answer)) vscode.window.showWarningMessage("A test failed.");
}

exports.activate = async (context) => {
  output = vscode.window.createOutputChannel("dsvmc");
  const preview = new Preview((params) => ask("dsvmc/preview", params));
  const openPreview = async (given) => {
    const params = await withEnv(given);
    if (params !== undefined) await preview.open(params, choose);
  };
  context.subscriptions.push(
    output,
    ...preview.register(),
    vscode.commands.registerCommand("dsvmc.preview", told(openPreview)),
    vscode.commands.registerCommand("dsvmc.plan", told(plan)),
    vscode.commands.registerCommand("dsvmc.runTest", told(runTest)),
    vscode.commands.registerCommand("dsvm.restart", async () => {
      await stop();
      await start();
    }),
    vscode.commands.registerCommand("dsvm.test", () => runTask("test", ["test", "."])),
  );
  await start();
};

exports.deactivate = stop;
