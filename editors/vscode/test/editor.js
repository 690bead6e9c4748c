// The extension with a stand-in for the editor: what it registers, sends and shows.
const assert = require("node:assert");
const Module = require("node:module");

const shown = { output: [], errors: [], warnings: [], documents: [], decorated: [], picked: [] };
const commands = new Map();
const handlers = {};
let provider;
let sent = [];
const answers = {
  "dsvmc/preview": {
    envs: ["dev", "prod"],
    env: null,
    parts: [{ name: "main", template: "{\n}\n", parameters: null, map: [{ lines: [0, 1], uri: "file:///a/main.dsvm", range: range(2, 0, 2, 4) }] }],
    problem: null,
  },
  "dsvmc/plan": { fine: true, text: "Nothing to do" },
  "dsvmc/runTest": { fine: false, text: "room failed" },
};
function range(line, character, endLine, endCharacter) {
  return { start: { line, character }, end: { line: endLine, character: endCharacter } };
}
const uri = (text) => ({ toString: () => text });
const editor = (text, language, content = "") => ({
  document: { uri: uri(text), languageId: language, getText: () => content },
  selection: { active: { line: 2, character: 1 } },
  setDecorations: (_, ranges) => shown.decorated.push([text, ranges[0]]),
  revealRange() {},
});
const source = editor("file:///a/main.dsvm", "dsvm", 'x = 1\ntest "room" {\n  expect true\n}\n');
const disposable = { dispose() {} };
const vscode = {
  EventEmitter: class {
    event = () => disposable;
    fire() {}
    dispose() {}
  },
  ThemeColor: class {},
  Range: class {
    constructor(...all) {
      this.all = all;
    }
  },
  TextEditorRevealType: {},
  ViewColumn: { Beside: -2 },
  ProgressLocation: { Window: 10 },
  Uri: { parse: uri, from: ({ scheme, path, query }) => uri(`${scheme}:${path}?${query}`) },
  languages: { setTextDocumentLanguage: async () => {} },
  commands: { registerCommand: (name, run) => (commands.set(name, run), disposable), executeCommand: async () => {} },
  workspace: {
    getConfiguration: () => ({ get: (_, otherwise) => otherwise }),
    registerTextDocumentContentProvider: (_, given) => ((provider = given), disposable),
    onDidChangeTextDocument: (run) => ((handlers.typed = run), disposable),
    onDidCloseTextDocument: () => disposable,
    openTextDocument: async (at) => (shown.documents.push(provider.provideTextDocumentContent(at)), { uri: at }),
  },
  window: {
    activeTextEditor: source,
    visibleTextEditors: [source],
    createOutputChannel: () => ({ appendLine: (line) => shown.output.push(line), show() {}, dispose() {} }),
    createTextEditorDecorationType: () => disposable,
    onDidChangeTextEditorSelection: (run) => ((handlers.moved = run), disposable),
    showTextDocument: async (document) => vscode.window.visibleTextEditors.push(editor(document.uri.toString(), "json")),
    showErrorMessage: async (said) => void shown.errors.push(said),
    showWarningMessage: async (said) => void shown.warnings.push(said),
    showInformationMessage: async () => {},
    showQuickPick: async (names) => (shown.picked.push(names), names[1]),
    withProgress: (_, run) => run(),
  },
};
let options;
class LanguageClient {
  constructor(_id, _name, _server, given) {
    options = given;
  }
  async start() {}
  async stop() {}
  async sendRequest(method, params) {
    sent.push([method, params]);
    if (answers[method] instanceof Error) throw answers[method];
    return answers[method];
  }
}
const load = Module._load;
Module._load = (name, ...rest) =>
  name === "vscode" ? vscode : name === "vscode-languageclient/node" ? { LanguageClient } : load(name, ...rest);

(async () => {
  await require("../src/extension").activate({ subscriptions: [] });
  assert.deepEqual(options.initializationOptions, { commands: ["dsvmc.preview", "dsvmc.plan", "dsvmc.runTest"] });
  const textDocument = { uri: "file:///a/main.dsvm" };

  // A lens says what it means; the palette takes the cursor, and asks for an env.
  await commands.get("dsvmc.plan")({ textDocument, env: "prod" });
  assert.deepEqual(sent, [["dsvmc/plan", { textDocument, env: "prod" }]]);
  assert.deepEqual(shown.output, ["== plan of prod", "Nothing to do"]);
  sent = [];
  await commands.get("dsvmc.plan")();
  assert.deepEqual(shown.picked, [["dev", "prod"]]);
  assert.deepEqual(sent[1], ["dsvmc/plan", { textDocument, env: "prod" }]);

  sent = [];
  await commands.get("dsvmc.runTest")();
  assert.deepEqual(sent, [["dsvmc/runTest", { textDocument, name: "room" }]]);
  assert.equal(shown.warnings.length, 1);

  // The template beside the source; each cursor moves the other, and none moves itself.
  await commands.get("dsvmc.preview")({ textDocument, env: "prod", position: { line: 2, character: 1 } });
  assert.deepEqual(shown.documents, ["{\n}\n"]);
  const preview = vscode.window.visibleTextEditors[1];
  assert.deepEqual(shown.decorated.map(([at, { all }]) => [at, all]), [[preview.document.uri.toString(), [0, 0, 1, 0]]]);
  shown.decorated = [];
  handlers.moved({ textEditor: preview, selections: [{ active: { line: 1, character: 0 } }] });
  assert.deepEqual(shown.decorated, []);
  vscode.window.activeTextEditor = preview;
  handlers.moved({ textEditor: preview, selections: [{ active: { line: 1, character: 0 } }] });
  assert.deepEqual(shown.decorated.map(([at, { all }]) => [at, all]), [["file:///a/main.dsvm", [2, 0, 2, 4]]]);

  // What is typed is asked again; a text with mistakes keeps its last template.
  answers["dsvmc/preview"] = { envs: [], env: null, parts: [], problem: "there is an error" };
  handlers.typed({ document: source.document });
  await new Promise((resolve) => setTimeout(resolve, 600));
  assert.equal(provider.provideTextDocumentContent(preview.document.uri), "{\n}\n");
  await commands.get("dsvmc.preview")({ textDocument });
  assert.equal(shown.warnings[1], "there is an error");

  answers["dsvmc/plan"] = new Error("it is busy");
  await commands.get("dsvmc.plan")({ textDocument, env: "dev" });
  assert.deepEqual(shown.errors, ["dsvmc: it is busy"]);
  console.log("the commands do what they say");
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
