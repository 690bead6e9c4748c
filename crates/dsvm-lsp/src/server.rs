//! The life of a connection: messages in, answers and diagnostics out.

use crate::answers::{self, Failure, Needs};
use crate::diagnostics::Understood;
use crate::documents::Documents;
use crate::errands::{self, Brought, Orders};
use crate::frame::{self, Incoming};
use crate::host::Host;
use crate::library::Library;
use crate::paths::{path_of, uri_of};
use crate::position::Encoding;
use crate::pull::{self, Findings};
use crate::worker::{Analysis, Desk, Job, work};
use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use lsp_types::{
    DidChangeTextDocumentParams, DidChangeWorkspaceFoldersParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, InitializeParams,
};
use serde_json::{Value, json};
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
    Brought(RequestId, Brought),
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
    let (compiling, place, done) = (host.clone(), desk.clone(), sender.clone());
    std::thread::spawn(move || {
        work(compiling.as_ref(), &place, |analysis| done.send(Event::Analysed(analysis)).is_ok());
    });
    let orders = Arc::new(Orders::default());
    let (running, place) = (host.clone(), orders.clone());
    std::thread::spawn(move || {
        errands::run(running.as_ref(), &place, |id, brought| sender.send(Event::Brought(id, brought)).is_ok());
    });
    let mut server = Server::new(host, output, desk.clone(), orders.clone());
    let ended = server.run(&events);
    desk.close();
    orders.close();
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
    orders: Arc<Orders>,
    phase: Phase,
    state: State,
    watches_files: bool,
    /// The client asks for findings itself, and is told when to ask again.
    pulls: bool,
    progress: Progress,
    /// The document that changed last.
    edited: Option<PathBuf>,
    /// Requests that wait for an analysis.
    waiting: Vec<(Needs, Request)>,
    /// Requests for which something is being brought, and the revision of the texts that it is made from.
    sent: Vec<(Request, u64)>,
}

/// Whether the client shows that the first compilation runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// It cannot, or it is over.
    Never,
    /// It would, and nothing is compiled yet.
    Offered,
    /// It was asked to make room for it.
    Asked,
    Shown,
}

/// What the progress of the first compilation is called.
const FIRST: &str = "dsvmc/first";

/// What answers are made of.
pub(crate) struct State {
    pub(crate) host: Arc<dyn Host>,
    pub(crate) documents: Documents,
    pub(crate) encoding: Encoding,
    pub(crate) folders: Vec<PathBuf>,
    pub(crate) library: Library,
    pub(crate) trees: crate::trees::Trees,
    pub(crate) analysis: Option<Analysis>,
    pub(crate) understood: Understood,
    /// What the analysis found.
    pub(crate) findings: Findings,
    /// The last semantic tokens of each document, with their number.
    pub(crate) tokens: BTreeMap<PathBuf, (u64, Vec<u32>)>,
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
    fn new(host: Arc<dyn Host>, output: W, desk: Arc<Desk>, orders: Arc<Orders>) -> Self {
        Self {
            output,
            desk,
            orders,
            phase: Phase::New,
            state: State {
                library: Library::new(host.clone()),
                host,
                documents: Documents::default(),
                encoding: Encoding::Utf16,
                folders: Vec::new(),
                trees: crate::trees::Trees::default(),
                analysis: None,
                understood: Understood::by(&lsp_types::ClientCapabilities::default()),
                findings: Findings::default(),
                tokens: BTreeMap::new(),
                revision: 0,
                anew: 0,
            },
            watches_files: false,
            pulls: false,
            progress: Progress::Never,
            edited: None,
            waiting: Vec::new(),
            sent: Vec::new(),
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
            let event = queue.pop_front();
            // One that was waited for may be a cancellation too.
            if let Some(id) = event.as_ref().and_then(cancelled) {
                self.cancel(&id, &mut queue)?;
                continue;
            }
            match event {
                None => {}
                Some(Event::Analysed(analysis)) => self.analysed(analysis)?,
                Some(Event::Brought(id, brought)) => self.brought(&id, &brought)?,
                Some(Event::Came(Incoming::End)) => return Ok(self.ended()),
                Some(Event::Came(Incoming::Malformed(code, message))) => {
                    self.send(&json!({
                        "jsonrpc": "2.0", "id": null, "error": { "code": code as i32, "message": message },
                    }))?;
                }
                Some(Event::Came(Incoming::Message(Message::Request(request)))) => self.request(request)?,
                Some(Event::Came(Incoming::Message(Message::Response(response)))) => self.answered(&response)?,
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
        let sent = self.sent.iter().any(|(request, _)| request.id == *id);
        if !waits && !sent && !queue.iter().any(is_meant) {
            return Ok(());
        }
        queue.retain(|event| !is_meant(event));
        self.waiting.retain(|(_, request)| request.id != *id);
        // What is being made for it already is not shown.
        self.sent.retain(|(request, _)| request.id != *id);
        self.orders.cancel(id);
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
                let waiting = std::mem::take(&mut self.waiting).into_iter().map(|(_, request)| request);
                let sent = std::mem::take(&mut self.sent).into_iter().map(|(request, _)| request);
                for request in waiting.chain(sent) {
                    self.orders.cancel(&request.id);
                    self.reply(&request.id, refused(ErrorCode::ServerCancelled, "the server shuts down"))?;
                }
                Ok(Value::Null)
            }
            (Phase::Running, method) => match answers::needs(method) {
                Some(needs) if !self.state.has(needs) => {
                    self.waiting.push((needs, request));
                    return Ok(());
                }
                _ => match self.answer(&request) {
                    Some(answer) => answer,
                    None => return self.send_out(request),
                },
            },
            (Phase::ShutDown, _) => refused(ErrorCode::InvalidRequest, "the server was shut down"),
        };
        self.reply(&request.id, answer)
    }

    /// Answers a request, unless something has to be brought for it. A bug costs its answer and not the server.
    fn answer(&mut self, request: &Request) -> Option<Result<Value, Failure>> {
        let state = &mut self.state;
        if errands::is_errand(&request.method) || !errands::proposals(state, request).is_empty() {
            return None;
        }
        Some(safely(|| answers::answer(state, &request.method, request.params.clone())))
    }

    /// Has brought what a request wants.
    fn send_out(&mut self, request: Request) -> std::io::Result<()> {
        match errands::of(&mut self.state, &request) {
            Ok(errand) => {
                self.sent.push((request, errand.revision));
                self.orders.put(errand);
                Ok(())
            }
            Err(failure) => self.reply(&request.id, Err(failure)),
        }
    }

    fn brought(&mut self, id: &RequestId, brought: &Brought) -> std::io::Result<()> {
        // A request that was cancelled is not there any more.
        let Some(at) = self.sent.iter().position(|(request, _)| request.id == *id) else { return Ok(()) };
        let (request, revision) = self.sent.swap_remove(at);
        // Places in a text that is not there any more mislead: they are looked for again.
        if revision != self.state.revision && errands::has_places(&request.method) {
            return match answers::needs(&request.method) {
                Some(needs) if !self.state.has(needs) => {
                    self.waiting.push((needs, request));
                    Ok(())
                }
                _ => self.send_out(request),
            };
        }
        let state = &mut self.state;
        let answer = safely(|| errands::answer(state, &request, brought));
        self.reply(id, answer)
    }

    fn initialize(&mut self, request: &Request) -> Result<Value, Failure> {
        let params: InitializeParams = answers::params(request.params.clone())?;
        let client = &params.capabilities;
        let general = client.general.as_ref();
        self.state.encoding = Encoding::agreed(general.and_then(|general| general.position_encodings.as_deref()));
        self.state.understood = Understood::by(client);
        let client_says =
            |pointer: &str| request.params.pointer(pointer).is_some_and(|said| *said == Value::Bool(true));
        self.pulls = request.params.pointer("/capabilities/textDocument/diagnostic").is_some_and(Value::is_object)
            && client_says("/capabilities/workspace/diagnostics/refreshSupport");
        if client_says("/capabilities/window/workDoneProgress") {
            self.progress = Progress::Offered;
        }
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
            "capabilities": answers::capabilities(self.state.encoding, self.pulls, own_commands(&request.params)),
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
                    "registerOptions": { "watchers": [{ "globPattern": watched() }] },
                }] },
            }))?,
            "textDocument/didOpen" => {
                if let Ok(params) = answers::params::<DidOpenTextDocumentParams>(params) {
                    let path = path_of(&params.text_document.uri);
                    self.state.documents.open(path.clone(), params.text_document);
                    self.changed(Some(path), true)?;
                }
            }
            "textDocument/didChange" => {
                if let Ok(params) = answers::params::<DidChangeTextDocumentParams>(params) {
                    let path = path_of(&params.text_document.uri);
                    let encoding = self.state.encoding;
                    let version = params.text_document.version;
                    if self.state.documents.change(&path, version, params.content_changes, encoding) {
                        self.changed(Some(path), false)?;
                    }
                }
            }
            "textDocument/didClose" => {
                if let Ok(params) = answers::params::<DidCloseTextDocumentParams>(params) {
                    let path = path_of(&params.text_document.uri);
                    self.state.documents.close(&path);
                    self.state.tokens.remove(&path);
                    self.changed(Some(path), true)?;
                }
            }
            "textDocument/didSave" | "workspace/didChangeWatchedFiles" => self.changed(None, true)?,
            "workspace/didChangeWorkspaceFolders" => {
                if let Ok(params) = answers::params::<DidChangeWorkspaceFoldersParams>(params) {
                    let gone: Vec<_> = params.event.removed.iter().map(|folder| path_of(&folder.uri)).collect();
                    self.state.folders.retain(|folder| !gone.contains(folder));
                    let come = params.event.added.iter().map(|folder| path_of(&folder.uri));
                    self.state.folders.extend(come.filter(|path| path.is_absolute()));
                    self.changed(None, true)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Has the projects compiled again, with the newest texts.
    fn changed(&mut self, path: Option<PathBuf>, anew: bool) -> std::io::Result<()> {
        self.state.revision += 1;
        if anew {
            self.state.anew = self.state.revision;
        }
        self.edited = path.clone();
        let mut texts = self.state.documents.texts();
        texts.0.retain(|path, _| !self.state.library.is(path));
        let mut outlines = BTreeMap::new();
        for (path, text) in &texts.0 {
            outlines.insert(path.clone(), self.state.trees.parsed(path, text).outline());
        }
        self.desk.put(Job {
            revision: self.state.revision,
            texts,
            outlines,
            folders: self.state.folders.clone(),
            anew,
            changed: BTreeSet::from_iter(path),
        });
        if self.progress == Progress::Offered {
            self.progress = Progress::Asked;
            let params = json!({ "token": FIRST });
            let method = "window/workDoneProgress/create";
            self.send(&json!({ "jsonrpc": "2.0", "id": FIRST, "method": method, "params": params }))?;
        }
        Ok(())
    }

    /// The client answers: only its room for the progress matters.
    fn answered(&mut self, response: &Response) -> std::io::Result<()> {
        match response.id == RequestId::from(FIRST.to_owned()) && self.progress == Progress::Asked {
            true => self.show_progress(response.response_result.is_ok()),
            false => Ok(()),
        }
    }

    /// Tells the client that the first compilation runs, unless it is over or the client has no room for it.
    fn show_progress(&mut self, room: bool) -> std::io::Result<()> {
        self.progress = Progress::Never;
        if !room {
            return Ok(());
        }
        let begin = json!({ "kind": "begin", "title": "dsvmc", "message": "compiling", "cancellable": false });
        self.notify("$/progress", json!({ "token": FIRST, "value": begin }))?;
        self.progress = Progress::Shown;
        if self.state.analysis.is_some() { self.end_progress() } else { Ok(()) }
    }

    fn end_progress(&mut self) -> std::io::Result<()> {
        self.progress = Progress::Never;
        self.notify("$/progress", json!({ "token": FIRST, "value": { "kind": "end" } }))
    }

    fn analysed(&mut self, analysis: Analysis) -> std::io::Result<()> {
        let newest = analysis.revision == self.state.revision;
        if analysis.panicked {
            let message = "dsvmc stopped while compiling: this is a bug in it; please report it";
            self.notify("window/logMessage", json!({ "type": 1, "message": message }))?;
        }
        self.state.trees.forget_closed(&self.state.documents);
        self.state.analysis = Some(analysis);
        if self.progress == Progress::Shown {
            self.end_progress()?;
        }
        // What is older than the text would mark the wrong places; a newer analysis is on its way.
        if newest && self.phase == Phase::Running {
            self.publish()?;
        }
        for (needs, request) in std::mem::take(&mut self.waiting) {
            if !self.state.has(needs) {
                self.waiting.push((needs, request));
                continue;
            }
            match self.answer(&request) {
                Some(answer) => self.reply(&request.id, answer)?,
                None => self.send_out(request)?,
            }
        }
        Ok(())
    }

    /// Tells the client what changed about each file, the findings and the version that they are for; or that it is to ask.
    fn publish(&mut self) -> std::io::Result<()> {
        let changed = self.state.findings.update(pull::translated(&self.state));
        if self.pulls {
            // For the document that is edited it asks anyway.
            if changed.iter().any(|path| Some(path) != self.edited.as_ref()) {
                let method = "workspace/diagnostic/refresh";
                self.send(&json!({ "jsonrpc": "2.0", "id": "refresh", "method": method, "params": null }))?;
            }
            return Ok(());
        }
        for path in changed {
            let Some(uri) = self.state.spelled(&path) else { continue };
            let found = self.state.findings.by_file.get(&path);
            let mut params = json!({ "uri": uri, "diagnostics": found.map_or(&[][..], |found| &found.all) });
            if let (Some(version), Some(params)) = (found.and_then(|found| found.version), params.as_object_mut()) {
                params.insert("version".to_owned(), version.into());
            }
            self.notify("textDocument/publishDiagnostics", params)?;
        }
        Ok(())
    }
}

/// Runs something that may have a bug.
fn safely(answer: impl FnOnce() -> Result<Value, Failure>) -> Result<Value, Failure> {
    catch_unwind(AssertUnwindSafe(answer))
        .unwrap_or_else(|_| Err(Failure::new(ErrorCode::InternalError, "this is a bug in dsvmc; please report it")))
}

/// Whether the client has the commands of lenses itself.
fn own_commands(params: &Value) -> bool {
    let told = params.pointer("/initializationOptions/commands").and_then(Value::as_array);
    told.is_some_and(|told| errands::COMMANDS.iter().all(|command| told.iter().any(|one| one == command)))
}

/// The request that a message cancels.
fn cancelled(event: &Event) -> Option<RequestId> {
    let Event::Came(Incoming::Message(Message::Notification(notification))) = event else { return None };
    if notification.method != "$/cancelRequest" {
        return None;
    }
    serde_json::from_value(notification.params.get("id")?.clone()).ok()
}

/// The files whose changes matter: sources, and the data that they import.
fn watched() -> String {
    let ends: Vec<&str> = dsvm_sema::load::extensions().collect();
    format!("**/*.{{{}}}", ends.join(","))
}
