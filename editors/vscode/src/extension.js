// Starts `dsvmc lsp` for .dsvm files, and runs its commands in a terminal.
const path = require("node:path");
const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

function program() {
  return vscode.workspace.getConfiguration("dsvm").get("path", "dsvmc");
}

async function start() {
  const run = { command: program(), args: ["lsp"] };
  const documents = [
    { scheme: "file", language: "dsvm" },
    { scheme: "untitled", language: "dsvm" },
  ];
  client = new LanguageClient("dsvm", "dsvmc", { run, debug: run }, { documentSelector: documents });
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

exports.activate = async (context) => {
  context.subscriptions.push(
    vscode.commands.registerCommand("dsvm.restart", async () => {
      await stop();
      await start();
    }),
    vscode.commands.registerCommand("dsvm.test", () => runTask("test", ["test", "."])),
    vscode.commands.registerCommand("dsvm.plan", () => runTask("plan", ["plan", "."])),
  );
  await start();
};

exports.deactivate = stop;
