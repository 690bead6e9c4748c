//! The life of a connection: messages in, answers and diagnostics out.

use crate::answers::{self, Failure, Needs};
use crate::diagnostics::{Translator, Understood};
use crate::documents::Documents;
use crate::frame::{self, Incoming};
use crate::host::Host;
use crate::library::Library;
use crate::paths::{path_of, uri_of};
use crate::position::Encoding;
use crate::worker::{Analysis, Desk, Job, work};
use lsp_server::{ErrorCode, Message, Notification, Request, RequestId};
use lsp_types::{
    DidChangeTextDocumentParams, DidChangeWorkspaceFoldersParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, InitializeParams,
};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Messages that may wait: a client that sends more of them waits itself.
const MOST_WAITING: usize = 1024;

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// After `shutdown`, as the protocol wants it.
    Orderly,
    /// `exit` came, or the connection broke, without `shutdown` before it.
    Abruptly,
}

/// What the main thread waits for.
enum Event {
    Came(Incoming),
    Analysed(Analysis),
}

/// Where the connection is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    New,
    Running,
    ShutDown,
}

/// Serves one connection to its end.
///
/// # Errors
/// What is written cannot be delivered.
pub fn serve(host: Arc<dyn Host>, input: impl BufRead + Send + 'static, output: impl Write) -> std::io::Result<Ended> {
    let (sender, events) = sync_channel(MOST_WAITING);
    let desk = Arc::new(Desk::default());
    let reader = sender.clone();
    std::thread::spawn(move || read_all(input, &reader));
    let (compiling, place) = (host.clone(), desk.clone());
    std::thread::spawn(move || {
        work(compiling.as_ref(), &place, |analysis| sender.send(Event::Analysed(analysis)).is_ok());
    });
    let mut server = Server::new(host, output, desk.clone());
    let ended = server.run(&events);
    desk.close();
    ended
}

fn read_all(mut input: impl BufRead, events: &SyncSender<Event>) {
    loop {
        let incoming = frame::read(&mut input);
        let last = matches!(incoming, Incoming::End);
        if events.send(Event::Came(incoming)).is_err() || last {
            return;
        }
    }
}

/// The state of a connection. What answers are made of is in [`State`].
struct Server<W: Write> {
    output: W,
    desk: Arc<Desk>,
    phase: Phase,
    state: State,
    understood: Understood,
    watches_files: bool,
    /// What the client was told last about each file.
    published: BTreeMap<PathBuf, (Option<i32>, Vec<lsp_types::Diagnostic>)>,
    /// Requests that wait for an analysis.
    waiting: Vec<(Needs, Request)>,
}

/// What answers are made of.
pub(crate) struct State {
    pub(crate) host: Arc<dyn Host>,
    pub(crate) documents: Documents,
    pub(crate) encoding: Encoding,
    pub(crate) folders: Vec<PathBuf>,
    pub(crate) library: Library,
    pub(crate) trees: crate::trees::Trees,
    pub(crate) analysis: Option<Analysis>,
    /// Counts the changes of documents.
    pub(crate) revision: u64,
    /// The revision at which projects were last to be looked for.
    pub(crate) anew: u64,
}

impl State {
    /// Whether a request can be answered: what it needs is known for the newest texts.
    fn has(&self, needs: Needs) -> bool {
        let done = self.analysis.as_ref().map(|analysis| analysis.revision);
        match needs {
            Needs::Text => true,
            Needs::Projects => done.is_some_and(|done| done >= self.anew),
            Needs::Findings => done == Some(self.revision),
        }
    }

    /// The URI of a file as the client spells it.
    pub(crate) fn spelled(&self, path: &Path) -> Option<lsp_types::Uri> {
        self.documents.get(path).map(|document| document.uri.clone()).or_else(|| uri_of(path))
    }
}

impl<W: Write> Server<W> {
    fn new(host: Arc<dyn Host>, output: W, desk: Arc<Desk>) -> Self {
        Self {
            output,
            desk,
            phase: Phase::New,
            state: State {
                library: Library::new(host.clone()),
                host,
                documents: Documents::default(),
                encoding: Encoding::Utf16,
                folders: Vec::new(),
                trees: crate::trees::Trees::default(),
                analysis: None,
                revision: 0,
                anew: 0,
            },
            understood: Understood::by(&lsp_types::ClientCapabilities::default()),
            watches_files: false,
            published: BTreeMap::new(),
            waiting: Vec::new(),
        }
    }

    fn run(&mut self, events: &Receiver<Event>) -> std::io::Result<Ended> {
        let mut queue = VecDeque::new();
        loop {
            if queue.is_empty() {
                match events.recv() {
                    Ok(event) => queue.push_back(event),
                    Err(_) => return Ok(self.ended()),
                }
            }
            // What came meanwhile may cancel what waits.
            while queue.len() < MOST_WAITING
                && let Ok(event) = events.try_recv()
            {
                if let Some(id) = cancelled(&event) {
                    self.cancel(&id, &mut queue)?;
                } else {
                    queue.push_back(event);
                }
            }
            match queue.pop_front() {
                None => {}
                Some(Event::Analysed(analysis)) => self.analysed(analysis)?,
                Some(Event::Came(Incoming::End)) => return Ok(self.ended()),
                Some(Event::Came(Incoming::Malformed(code, message))) => {
                    self.send(&json!({
                        "jsonrpc": "2.0", "id": null, "error": { "code": code as i32, "message": message },
                    }))?;
                }
                Some(Event::Came(Incoming::Message(Message::Request(request)))) => self.request(request)?,
                Some(Event::Came(Incoming::Message(Message::Response(_)))) => {}
                Some(Event::Came(Incoming::Message(Message::Notification(notification)))) => {
                    if notification.method == "exit" {
                        return Ok(self.ended());
                    }
                    self.notification(notification)?;
                }
            }
        }
    }

    fn ended(&self) -> Ended {
        if self.phase == Phase::ShutDown { Ended::Orderly } else { Ended::Abruptly }
    }

    fn send(&mut self, message: &Value) -> std::io::Result<()> {
        frame::write(&mut self.output, message)
    }

    fn notify(&mut self, method: &str, params: Value) -> std::io::Result<()> {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }))
    }

    fn reply(&mut self, id: &RequestId, answer: Result<Value, Failure>) -> std::io::Result<()> {
        self.send(&match answer {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
            Err(Failure { code, message }) => {
                json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code as i32, "message": message } })
            }
        })
    }

    /// Withdraws a request that waits. One that was answered already is not known any more.
    fn cancel(&mut self, id: &RequestId, queue: &mut VecDeque<Event>) -> std::io::Result<()> {
        let is_meant = |event: &Event| matches!(event, Event::Came(Incoming::Message(Message::Request(request))) if request.id == *id);
        let waits = self.waiting.iter().any(|(_, request)| request.id == *id);
        if !waits && !queue.iter().any(is_meant) {
            return Ok(());
        }
        queue.retain(|event| !is_meant(event));
        self.waiting.retain(|(_, request)| request.id != *id);
        self.reply(id, Err(Failure::new(ErrorCode::RequestCanceled, "the request was cancelled")))
    }

    fn request(&mut self, request: Request) -> std::io::Result<()> {
        let refused = |code, message: &str| Err(Failure::new(code, message));
        let answer = match (self.phase, request.method.as_str()) {
            (Phase::New, "initialize") => self.initialize(&request),
            (Phase::New, _) => refused(ErrorCode::ServerNotInitialized, "`initialize` comes first"),
            (Phase::Running, "initialize") => refused(ErrorCode::InvalidRequest, "the server is initialized already"),
            (Phase::Running, "shutdown") => {
                self.phase = Phase::ShutDown;
                for (_, request) in std::mem::take(&mut self.waiting) {
                    self.reply(&request.id, refused(ErrorCode::ServerCancelled, "the server shuts down"))?;
                }
                Ok(Value::Null)
            }
            (Phase::Running, method) => match answers::needs(method) {
                Some(needs) if !self.state.has(needs) => {
                    self.waiting.push((needs, request));
                    return Ok(());
                }
                _ => self.answer(&request),
            },
            (Phase::ShutDown, _) => refused(ErrorCode::InvalidRequest, "the server was shut down"),
        };
        self.reply(&request.id, answer)
    }

    /// Answers a request. A bug costs its answer and not the server.
    fn answer(&mut self, request: &Request) -> Result<Value, Failure> {
        let state = &mut self.state;
        catch_unwind(AssertUnwindSafe(|| answers::answer(state, &request.method, request.params.clone())))
            .unwrap_or_else(|_| Err(Failure::new(ErrorCode::InternalError, "this is a bug in dsvmc; please report it")))
    }

    fn initialize(&mut self, request: &Request) -> Result<Value, Failure> {
        let params: InitializeParams = answers::params(request.params.clone())?;
        let client = &params.capabilities;
        let general = client.general.as_ref();
        self.state.encoding = Encoding::agreed(general.and_then(|general| general.position_encodings.as_deref()));
        self.understood = Understood::by(client);
        let watched = client.workspace.as_ref().and_then(|workspace| workspace.did_change_watched_files.as_ref());
        self.watches_files = watched.is_some_and(|watched| watched.dynamic_registration == Some(true));
        #[expect(deprecated, reason = "older clients send only this one")]
        let root = params.root_uri.clone();
        let folders = params.workspace_folders.unwrap_or_default().into_iter().map(|folder| folder.uri);
        let folders: Vec<_> = folders.collect();
        let folders = if folders.is_empty() { root.into_iter().collect() } else { folders };
        self.state.folders = folders.iter().map(path_of).filter(|path| path.is_absolute()).collect();
        self.phase = Phase::Running;
        Ok(json!({
            "capabilities": answers::capabilities(self.state.encoding),
            "serverInfo": { "name": "dsvmc", "version": env!("CARGO_PKG_VERSION") },
        }))
    }

    fn notification(&mut self, notification: Notification) -> std::io::Result<()> {
        // The protocol has no answer to a notification, not even to one that cannot be read.
        if self.phase != Phase::Running {
            return Ok(());
        }
        let Notification { method, params } = notification;
        match method.as_str() {
            "initialized" if self.watches_files => self.send(&json!({
                "jsonrpc": "2.0", "id": "watch", "method": "client/registerCapability",
                "params": { "registrations": [{
                    "id": "watch", "method": "workspace/didChangeWatchedFiles",
                    "registerOptions": { "watchers": [{ "globPattern": "**/*.dsvm" }] },
                }] },
            }))?,
            "textDocument/didOpen" => {
                if let Ok(params) = answers::params::<DidOpenTextDocumentParams>(params) {
                    let path = path_of(&params.text_document.uri);
                    self.state.documents.open(path.clone(), params.text_document);
                    self.changed(Some(path), true);
                }
            }
            "textDocument/didChange" => {
                if let Ok(params) = answers::params::<DidChangeTextDocumentParams>(params) {
                    let path = path_of(&params.text_document.uri);
                    let encoding = self.state.encoding;
                    let version = params.text_document.version;
                    if self.state.documents.change(&path, version, params.content_changes, encoding) {
                        self.changed(Some(path), false);
                    }
                }
            }
            "textDocument/didClose" => {
                if let Ok(params) = answers::params::<DidCloseTextDocumentParams>(params) {
                    let path = path_of(&params.text_document.uri);
                    self.state.documents.close(&path);
                    self.changed(Some(path), true);
                }
            }
            "textDocument/didSave" | "workspace/didChangeWatchedFiles" => self.changed(None, true),
            "workspace/didChangeWorkspaceFolders" => {
                if let Ok(params) = answers::params::<DidChangeWorkspaceFoldersParams>(params) {
                    let gone: Vec<_> = params.event.removed.iter().map(|folder| path_of(&folder.uri)).collect();
                    self.state.folders.retain(|folder| !gone.contains(folder));
                    let come = params.event.added.iter().map(|folder| path_of(&folder.uri));
                    self.state.folders.extend(come.filter(|path| path.is_absolute()));
                    self.changed(None, true);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Has the projects compiled again, with the newest texts.
    fn changed(&mut self, path: Option<PathBuf>, anew: bool) {
        self.state.revision += 1;
        if anew {
            self.state.anew = self.state.revision;
        }
        let mut texts = self.state.documents.texts();
        texts.0.retain(|path, _| !self.state.library.is(path));
        self.desk.put(Job {
            revision: self.state.revision,
            texts,
            folders: self.state.folders.clone(),
            anew,
            changed: BTreeSet::from_iter(path),
        });
    }

    fn analysed(&mut self, analysis: Analysis) -> std::io::Result<()> {
        let newest = analysis.revision == self.state.revision;
        if analysis.panicked {
            let message = "dsvmc stopped while compiling: this is a bug in it; please report it";
            self.notify("window/logMessage", json!({ "type": 1, "message": message }))?;
        }
        self.state.trees.forget_closed(&self.state.documents);
        self.state.analysis = Some(analysis);
        // What is older than the text would mark the wrong places; a newer analysis is on its way.
        if newest && self.phase == Phase::Running {
            self.publish()?;
        }
        for (needs, request) in std::mem::take(&mut self.waiting) {
            if self.state.has(needs) {
                let answer = self.answer(&request);
                self.reply(&request.id, answer)?;
            } else {
                self.waiting.push((needs, request));
            }
        }
        Ok(())
    }

    /// Tells the client what changed about each file: the findings, and the version that they are for.
    fn publish(&mut self) -> std::io::Result<()> {
        let state = &self.state;
        let mut found: BTreeMap<PathBuf, Vec<lsp_types::Diagnostic>> =
            state.documents.iter().map(|(path, _)| (path.clone(), Vec::new())).collect();
        let projects = state.analysis.iter().flat_map(|analysis| &analysis.projects);
        for compiled in projects.flat_map(|snapshot| &snapshot.compiled) {
            let translator = Translator {
                sources: &compiled.sources,
                encoding: state.encoding,
                understood: self.understood,
                library: &|file| state.library.file(&file.name),
                spelled: &|path| state.spelled(path),
                lines: RefCell::default(),
            };
            // Two projects can find the same in a file that both import; one finds nothing twice.
            let before: BTreeMap<PathBuf, usize> = found.iter().map(|(path, all)| (path.clone(), all.len())).collect();
            for (path, diagnostic) in compiled.diagnostics.iter().filter_map(|found| translator.translate(found)) {
                let before = before.get(&path).copied().unwrap_or_default();
                let all = found.entry(path).or_default();
                if !all.get(..before).is_some_and(|earlier| earlier.contains(&diagnostic)) {
                    all.push(diagnostic);
                }
            }
        }
        for path in self.published.keys() {
            found.entry(path.clone()).or_default();
        }
        for (path, diagnostics) in found {
            let version = self.state.documents.get(&path).map(|document| document.version);
            let told = self.published.get(&path);
            if told.is_some_and(|(before, all)| *before == version && *all == diagnostics) {
                continue;
            }
            let Some(uri) = self.state.spelled(&path) else { continue };
            let mut params = json!({ "uri": uri, "diagnostics": diagnostics });
            if let (Some(version), Some(params)) = (version, params.as_object_mut()) {
                params.insert("version".to_owned(), version.into());
            }
            self.notify("textDocument/publishDiagnostics", params)?;
            match version.is_none() && diagnostics.is_empty() {
                true => drop(self.published.remove(&path)),
                false => drop(self.published.insert(path, (version, diagnostics))),
            }
        }
        Ok(())
    }
}

/// The request that a message cancels.
fn cancelled(event: &Event) -> Option<RequestId> {
    let Event::Came(Incoming::Message(Message::Notification(notification))) = event else { return None };
    if notification.method != "$/cancelRequest" {
        return None;
    }
    serde_json::from_value(notification.params.get("id")?.clone()).ok()
}
