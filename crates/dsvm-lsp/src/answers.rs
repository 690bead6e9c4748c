//! A request → its answer: what each method needs, and the function that computes it.

use crate::position::{Encoding, Lines};
use crate::server::State;
use crate::{actions, complete, folding, formatting, navigate, paths, symbols};
use lsp_server::ErrorCode;
use lsp_types::{
    CodeActionParams, CompletionParams, DocumentFormattingParams, DocumentSymbolParams, FoldingRangeParams,
    GotoDefinitionParams, HoverParams, Position, ReferenceParams, RenameParams, TextDocumentPositionParams, Uri,
    WorkspaceSymbolParams,
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
        "textDocument/formatting" | "textDocument/documentSymbol" | "textDocument/foldingRange" => Some(Needs::Text),
        "workspace/symbol"
        | "textDocument/hover"
        | "textDocument/completion"
        | "textDocument/definition"
        | "textDocument/references"
        | "textDocument/prepareRename"
        | "textDocument/rename" => Some(Needs::Projects),
        "textDocument/codeAction" => Some(Needs::Findings),
        _ => None,
    }
}

/// What the server can do.
pub(crate) fn capabilities(encoding: Encoding) -> Value {
    json!({
        "positionEncoding": encoding.kind(),
        "textDocumentSync": { "openClose": true, "change": 2, "save": { "includeText": false } },
        "documentFormattingProvider": true,
        "documentSymbolProvider": true,
        "workspaceSymbolProvider": true,
        "foldingRangeProvider": true,
        "hoverProvider": true,
        "completionProvider": { "triggerCharacters": [".", "="] },
        "definitionProvider": true,
        "referencesProvider": true,
        "renameProvider": { "prepareProvider": true },
        "codeActionProvider": { "codeActionKinds": ["quickfix"] },
        "workspace": { "workspaceFolders": { "supported": true, "changeNotifications": true } },
    })
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
        "textDocument/codeAction" => {
            let request: CodeActionParams = params(request)?;
            let (path, text) = document(state, &request.text_document.uri)?;
            result(actions::fixes(state, &path, &text, &request))
        }
        _ => Err(Failure::new(ErrorCode::MethodNotFound, format!("`{method}` is not supported"))),
    }
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
