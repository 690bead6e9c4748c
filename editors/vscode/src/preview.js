// The template of a project beside its source: follows what is typed, and each of the two cursors moves the other.
const vscode = require("vscode");
const { sourceOf, templateOf } = require("./places");

const SCHEME = "dsvm-template";
const PAUSE = 400;

// `ask(params)` sends `dsvmc/preview` and gives its answer.
exports.Preview = class Preview {
  constructor(ask) {
    this.ask = ask;
    this.shown = new Map();
    this.changed = new vscode.EventEmitter();
    this.onDidChange = this.changed.event;
    this.mark = vscode.window.createTextEditorDecorationType({
      isWholeLine: true,
      backgroundColor: new vscode.ThemeColor("editor.rangeHighlightBackground"),
    });
  }

  register() {
    return [
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.typed(document)),
      vscode.workspace.onDidCloseTextDocument((document) => this.shown.delete(document.uri.toString())),
      vscode.window.onDidChangeTextEditorSelection((event) => this.moved(event)),
      this.changed,
      this.mark,
    ];
  }

  // Called by the editor for the text of a preview.
  provideTextDocumentContent(uri) {
    const shown = this.shown.get(uri.toString());
    if (shown === undefined) return "";
    return shown.part?.template ?? `// ${shown.problem ?? "this deployment is no longer there"}\n`;
  }

  // Opens the preview for the parameters of the request. `choose(names, what)` asks the user.
  async open(params, choose) {
    const answer = await this.ask(params);
    if (answer.parts.length === 0) return vscode.window.showWarningMessage(answer.problem ?? "Nothing is deployed by this project.");
    const names = answer.parts.map((part) => part.name);
    const name = names.length > 1 ? await choose(names, "deployment") : names[0];
    if (name === undefined) return undefined;
    const source = vscode.Uri.parse(params.textDocument.uri);
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${name}.json`, query: params.textDocument.uri });
    this.shown.set(uri.toString(), { source, params, name, ...this.of(answer, name) });
    this.changed.fire(uri);
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.languages.setTextDocumentLanguage(document, "json");
    await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true });
    if (params.position !== undefined) this.show(source.toString(), params.position);
    return undefined;
  }

  of(answer, name) {
    return { part: answer.parts.find((part) => part.name === name), problem: answer.problem };
  }

  typed(document) {
    if (document.languageId !== "dsvm" || this.shown.size === 0) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refresh(), PAUSE);
  }

  async refresh() {
    for (const [uri, shown] of this.shown) {
      const answer = await this.ask(shown.params).catch(() => undefined);
      // A text with mistakes keeps its last template: it would go and come with every word.
      if (answer === undefined || answer.parts.length === 0) continue;
      Object.assign(shown, this.of(answer, shown.name));
      this.changed.fire(vscode.Uri.parse(uri));
    }
  }

  moved({ textEditor, selections }) {
    // Only the editor in use leads: what we move does not move the other back.
    if (textEditor !== vscode.window.activeTextEditor || this.shown.size === 0) return;
    const { document } = textEditor;
    const position = selections[0].active;
    if (document.languageId === "dsvm") this.show(document.uri.toString(), position);
    const shown = this.shown.get(document.uri.toString());
    if (shown?.part !== undefined) this.showSource(shown.part, position.line);
  }

  show(uri, position) {
    for (const editor of vscode.window.visibleTextEditors) {
      const shown = this.shown.get(editor.document.uri.toString());
      const entry = shown?.part && templateOf(shown.part, uri, position);
      if (entry !== undefined) this.reveal(editor, new vscode.Range(entry.lines[0], 0, entry.lines[1], 0));
    }
  }

  showSource(part, line) {
    const entry = sourceOf(part, line);
    const editor = entry && vscode.window.visibleTextEditors.find(({ document }) => document.uri.toString() === vscode.Uri.parse(entry.uri).toString());
    if (editor === undefined) return;
    const { start, end } = entry.range;
    this.reveal(editor, new vscode.Range(start.line, start.character, end.line, end.character));
  }

  reveal(editor, range) {
    editor.setDecorations(this.mark, [range]);
    editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  }
};
