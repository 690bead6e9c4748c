//! A request → its answer: what each method needs, and the function that computes it.

use crate::position::{Encoding, Lines};
use crate::server::State;
use crate::view::View;
use crate::{
    actions, complete, errands, folding, formatting, hierarchy, navigate, paths, pull, selection, signature, symbols,
    tokens,
};
use lsp_server::ErrorCode;
use lsp_types::{
    CodeActionParams, CompletionParams, DocumentDiagnosticParams, DocumentFormattingParams, DocumentHighlightParams,
    DocumentOnTypeFormattingParams, DocumentRangeFormattingParams, DocumentSymbolParams, FoldingRangeParams,
    GotoDefinitionParams, HoverParams, Position, ReferenceParams, RenameParams, SelectionRangeParams,
    SemanticTokensDeltaParams, SemanticTokensParams, SemanticTokensRangeParams, SignatureHelpParams,
    TextDocumentPositionParams, Uri, WorkspaceDiagnosticParams, WorkspaceSymbolParams,
};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

/// Why a request has no result.
pub(crate) struct Failure {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// What an answer is made of, besides the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing but its text.
    Text,
    /// Which files belong together.
    Projects,
    /// The findings in the newest texts.
    Findings,
}

/// What a method needs; nothing for one that is not known.
pub(crate) fn needs(method: &str) -> Option<Needs> {
    match method {
        "textDocument/formatting"
        | "textDocument/rangeFormatting"
        | "textDocument/onTypeFormatting"
        | "textDocument/documentSymbol"
        | "textDocument/selectionRange"
        | "textDocument/foldingRange" => Some(Needs::Text),
        "workspace/symbol"
        | "textDocument/hover"
        | "textDocument/completion"
        | "textDocument/definition"
        | "textDocument/references"
        | "textDocument/documentHighlight"
        | "textDocument/semanticTokens/full"
        | "textDocument/semanticTokens/full/delta"
        | "textDocument/semanticTokens/range"
        | "textDocument/signatureHelp"
        | "textDocument/prepareCallHierarchy"
        | "callHierarchy/incomingCalls"
        | "callHierarchy/outgoingCalls"
        | "textDocument/prepareRename"
        | "textDocument/rename" => Some(Needs::Projects),
        "textDocument/codeAction" | "textDocument/diagnostic" | "workspace/diagnostic" => Some(Needs::Findings),
        method => errands::is_errand(method).then_some(Needs::Projects),
    }
}

/// What the server can do. A client that asks for findings itself is not told them without being asked; one that has the
/// commands of lenses itself does not get them from here.
pub(crate) fn capabilities(encoding: Encoding, pulls: bool, own_commands: bool) -> Value {
    let mut all = json!({
        "positionEncoding": encoding.kind(),
        "textDocumentSync": { "openClose": true, "change": 2, "save": { "includeText": false } },
        "documentFormattingProvider": true,
        "documentRangeFormattingProvider": true,
        "documentOnTypeFormattingProvider": { "firstTriggerCharacter": "}", "moreTriggerCharacter": ["\n"] },
        "documentSymbolProvider": true,
        "workspaceSymbolProvider": true,
        "foldingRangeProvider": true,
        "selectionRangeProvider": true,
        "hoverProvider": true,
        "completionProvider": { "triggerCharacters": [".", "=", "\"", "/", "@"] },
        "signatureHelpProvider": { "triggerCharacters": ["(", ","], "retriggerCharacters": [")"] },
        "definitionProvider": true,
        "referencesProvider": true,
        "documentHighlightProvider": true,
        "callHierarchyProvider": true,
        "renameProvider": { "prepareProvider": true },
        "codeActionProvider": { "codeActionKinds": ["quickfix", "refactor.extract", "refactor.inline"] },
        "codeLensProvider": { "resolveProvider": false },
        "inlayHintProvider": true,
        "semanticTokensProvider": { "legend": tokens::legend(), "full": { "delta": true }, "range": true },
        "workspace": { "workspaceFolders": { "supported": true, "changeNotifications": true } },
        "experimental": { "dsvmc": { "requests": ["dsvmc/preview", "dsvmc/plan", "dsvmc/runTest"] } },
    });
    if let Some(all) = all.as_object_mut() {
        if pulls {
            let provider = json!({ "interFileDependencies": true, "workspaceDiagnostics": true });
            all.insert("diagnosticProvider".to_owned(), provider);
        }
        if !own_commands {
            all.insert("executeCommandProvider".to_owned(), json!({ "commands": errands::COMMANDS }));
        }
    }
    all
}

/// The parameters of a message.
pub(crate) fn params<T: serde::de::DeserializeOwned>(params: Value) -> Result<T, Failure> {
    serde_json::from_value(params).map_err(|error| Failure::new(ErrorCode::InvalidParams, error.to_string()))
}

fn result(value: impl serde::Serialize) -> Result<Value, Failure> {
    serde_json::to_value(value).map_err(|error| Failure::new(ErrorCode::InternalError, error.to_string()))
}

/// The answer to a request, which may change what is kept of trees.
pub(crate) fn answer(state: &mut State, method: &str, request: Value) -> Result<Value, Failure> {
    match method {
        "textDocument/formatting" => {
            let request: DocumentFormattingParams = params(request)?;
            let (_, text) = document(state, &request.text_document.uri)?;
            result(formatting::edits(&text, &Lines::new(&text, state.encoding)))
        }
        "textDocument/documentSymbol" => {
            let request: DocumentSymbolParams = params(request)?;
            let (path, text) = document(state, &request.text_document.uri)?;
            let tree = state.trees.get(&path, &text);
            result(symbols::outline(&tree, &Lines::new(&text, state.encoding)))
        }
        "textDocument/foldingRange" => {
            let request: FoldingRangeParams = params(request)?;
            let (_, text) = document(state, &request.text_document.uri)?;
            result(folding::ranges(&text, &Lines::new(&text, state.encoding)))
        }
        "workspace/symbol" => {
            let request: WorkspaceSymbolParams = params(request)?;
            result(workspace_symbols(state, &request.query))
        }
        "textDocument/hover" => {
            let request: HoverParams = params(request)?;
            let (path, position) = place(state, request.text_document_position_params)?;
            Ok(navigate::hover(state, &path, position))
        }
        "textDocument/completion" => {
            let request: CompletionParams = params(request)?;
            let (path, position) = place(state, request.text_document_position)?;
            result(complete::complete(state, &path, position))
        }
        "textDocument/definition" => {
            let request: GotoDefinitionParams = params(request)?;
            let (path, position) = place(state, request.text_document_position_params)?;
            result(navigate::definition(state, &path, position))
        }
        "textDocument/references" => {
            let request: ReferenceParams = params(request)?;
            let (path, position) = place(state, request.text_document_position)?;
            result(navigate::references(state, &path, position, request.context.include_declaration))
        }
        "textDocument/prepareRename" => {
            let request: TextDocumentPositionParams = params(request)?;
            let (path, position) = place(state, request)?;
            navigate::prepare_rename(state, &path, position)
        }
        "textDocument/rename" => {
            let request: RenameParams = params(request)?;
            let (path, position) = place(state, request.text_document_position)?;
            navigate::rename(state, &path, position, &request.new_name)
        }
        "textDocument/rangeFormatting" => {
            let request: DocumentRangeFormattingParams = params(request)?;
            let (_, text) = document(state, &request.text_document.uri)?;
            let lines = Lines::new(&text, state.encoding);
            result(formatting::part(&text, &lines, lines.bytes(request.range)))
        }
        "textDocument/onTypeFormatting" => {
            let request: DocumentOnTypeFormattingParams = params(request)?;
            let at = request.text_document_position;
            let (_, text) = document(state, &at.text_document.uri)?;
            let lines = Lines::new(&text, state.encoding);
            result(formatting::typed(&text, &lines, at.position, &request.ch))
        }
        "textDocument/selectionRange" => {
            let request: SelectionRangeParams = params(request)?;
            let (path, text) = document(state, &request.text_document.uri)?;
            let tree = state.trees.get(&path, &text);
            let lines = Lines::new(&text, state.encoding);
            let around = |at: &Position| selection::around(&text, &tree, &lines, *at);
            result(request.positions.iter().map(around).collect::<Vec<_>>())
        }
        "textDocument/documentHighlight" => {
            let request: DocumentHighlightParams = params(request)?;
            let (path, position) = place(state, request.text_document_position_params)?;
            result(navigate::highlights(state, &path, position))
        }
        "textDocument/semanticTokens/full" => {
            let request: SemanticTokensParams = params(request)?;
            let (path, _) = document(state, &request.text_document.uri)?;
            let (id, data) = semantic_tokens(state, &path);
            result(json!({ "resultId": id.to_string(), "data": data }))
        }
        "textDocument/semanticTokens/full/delta" => {
            let request: SemanticTokensDeltaParams = params(request)?;
            let (path, _) = document(state, &request.text_document.uri)?;
            let before = state.tokens.get(&path).cloned();
            let before = before.filter(|(id, _)| id.to_string() == request.previous_result_id);
            let (id, data) = semantic_tokens(state, &path);
            let id = id.to_string();
            result(match before {
                Some((_, before)) => json!({ "resultId": id, "edits": tokens::delta(&before, &data) }),
                // Of an answer that nobody knows any more there is no difference.
                None => json!({ "resultId": id, "data": data }),
            })
        }
        "textDocument/semanticTokens/range" => {
            let request: SemanticTokensRangeParams = params(request)?;
            let (path, text) = document(state, &request.text_document.uri)?;
            let lines = Lines::new(&text, state.encoding);
            let part = lines.bytes(request.range);
            let data = View::of(state, &path).and_then(|view| {
                let file = view.file(&path)?;
                Some(tokens::encoded(&view, file, &lines, Some(part)))
            });
            result(json!({ "data": data.unwrap_or_default() }))
        }
        "textDocument/signatureHelp" => {
            let request: SignatureHelpParams = params(request)?;
            let (path, position) = place(state, request.text_document_position_params)?;
            Ok(signature::help(state, &path, position))
        }
        "textDocument/prepareCallHierarchy" => {
            let request: TextDocumentPositionParams = params(request)?;
            let (path, position) = place(state, request)?;
            result(hierarchy::prepare(state, &path, position))
        }
        "callHierarchy/incomingCalls" => hierarchy::incoming(state, &request),
        "callHierarchy/outgoingCalls" => hierarchy::outgoing(state, &request),
        "textDocument/diagnostic" => {
            let request: DocumentDiagnosticParams = params(request)?;
            let (path, _) = document(state, &request.text_document.uri)?;
            Ok(pull::document(state, &path, &request))
        }
        "workspace/diagnostic" => Ok(pull::workspace(state, &params::<WorkspaceDiagnosticParams>(request)?)),
        "textDocument/codeAction" => {
            let request: CodeActionParams = params(request)?;
            let (path, text) = document(state, &request.text_document.uri)?;
            result(actions::fixes(state, &path, &text, &request))
        }
        _ => Err(Failure::new(ErrorCode::MethodNotFound, format!("`{method}` is not supported"))),
    }
}

/// The semantic tokens of a document, which are remembered for the next difference.
fn semantic_tokens(state: &mut State, path: &std::path::Path) -> (u64, Vec<u32>) {
    let data = View::of(state, path).and_then(|view| {
        let file = view.file(path)?;
        let text = view.files.get(file)?.text.clone();
        Some(tokens::encoded(&view, file, &Lines::new(&text, state.encoding), None))
    });
    let data = data.unwrap_or_default();
    let id = state.tokens.values().map(|(id, _)| id + 1).max().unwrap_or_default();
    state.tokens.insert(path.to_owned(), (id, data.clone()));
    (id, data)
}

/// Path and position, of a document that is open.
fn place(state: &State, at: TextDocumentPositionParams) -> Result<(PathBuf, Position), Failure> {
    document(state, &at.text_document.uri).map(|(path, _)| (path, at.position))
}

/// Path and text of a document, which must be open.
fn document(state: &State, uri: &Uri) -> Result<(PathBuf, Arc<str>), Failure> {
    let path = paths::path_of(uri);
    match state.documents.get(&path) {
        Some(document) => Ok((path, document.text.clone())),
        None => Err(Failure::new(ErrorCode::InvalidParams, format!("`{}` is not open", uri.as_str()))),
    }
}

/// Most names that an answer about the whole workspace lists.
const MOST_SYMBOLS: usize = 1000;

fn workspace_symbols(state: &mut State, query: &str) -> Vec<Value> {
    let mut found = Vec::new();
    for (path, text) in files(state) {
        let tree = state.trees.get(&path, &text);
        let Some(uri) = state.spelled(&path) else { continue };
        for symbol in symbols::outline(&tree, &Lines::new(&text, state.encoding)) {
            if symbols::matches(&symbol.name, query) && found.len() < MOST_SYMBOLS {
                let location = json!({ "uri": uri, "range": symbol.selection_range });
                let (name, kind, container) = (symbol.name, symbol.kind, symbol.detail);
                found.push(json!({ "name": name, "kind": kind, "containerName": container, "location": location }));
            }
        }
    }
    found
}

/// The files of all projects with an open document, with their newest texts, by path.
pub(crate) fn files(state: &State) -> Vec<(PathBuf, Arc<str>)> {
    let projects = state.analysis.iter().flat_map(|analysis| &analysis.projects);
    let mut files: std::collections::BTreeMap<PathBuf, Arc<str>> =
        projects.flat_map(|snapshot| snapshot.files.clone()).collect();
    for (path, document) in state.documents.iter().filter(|(path, _)| !state.library.is(path)) {
        files.insert(path.clone(), document.text.clone());
    }
    files.into_iter().collect()
}
