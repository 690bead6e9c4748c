//! The thread for what takes a while and nobody types for: templates, plans, tests, and what evaluation says. Answers that
//! an editor waits for with every keystroke never stand behind it.

use crate::answers::{self, Failure};
use crate::host::{Emitted, Figure, Host, Project, Texts, Told};
use crate::paths::path_of;
use crate::refactor::{self, Proposal};
use crate::server::State;
use crate::{hints, lenses};
use lsp_server::{ErrorCode, Request, RequestId};
use lsp_types::{CodeActionParams, Uri};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// What is to be brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Templates,
    Figures,
    Plan(Option<String>),
    Tests(Option<String>),
    Changes(Vec<Proposal>),
}

/// What came back for an errand, for the answer to be made of.
#[derive(Clone, Debug)]
pub(crate) enum Brought {
    Templates(Arc<Emitted>),
    Figures(Arc<Vec<Figure>>),
    Told(Told),
    Changes(Vec<Proposal>),
    /// The compiler stopped because of a bug in it.
    Nothing,
}

/// A request that waits for something to be brought.
#[derive(Clone, Debug)]
pub(crate) struct Errand {
    pub(crate) id: RequestId,
    wanted: Wanted,
    texts: Texts,
    project: Project,
    /// The revision of the texts.
    pub(crate) revision: u64,
}

/// The errands that wait, in order.
#[derive(Default)]
pub(crate) struct Orders {
    place: Mutex<(VecDeque<Errand>, bool)>,
    changed: Condvar,
}

impl Orders {
    fn locked(&self) -> std::sync::MutexGuard<'_, (VecDeque<Errand>, bool)> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn put(&self, errand: Errand) {
        self.locked().0.push_back(errand);
        self.changed.notify_one();
    }

    /// Takes back an errand that nobody began yet.
    pub(crate) fn cancel(&self, id: &RequestId) {
        self.locked().0.retain(|errand| errand.id != *id);
    }

    /// No more errands will come, and those that wait are not wanted.
    pub(crate) fn close(&self) {
        *self.locked() = (VecDeque::new(), true);
        self.changed.notify_one();
    }

    fn take(&self) -> Option<Errand> {
        let mut place = self.locked();
        loop {
            if place.1 {
                return None;
            }
            if let Some(errand) = place.0.pop_front() {
                return Some(errand);
            }
            place = self.changed.wait(place).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Runs errands until the orders are closed, or nobody wants results any more.
pub(crate) fn run(host: &dyn Host, orders: &Orders, mut done: impl FnMut(RequestId, Brought) -> bool) {
    let mut templates: Option<(Project, u64, Arc<Emitted>)> = None;
    let mut figures: Option<(Project, u64, Arc<Vec<Figure>>)> = None;
    while let Some(errand) = orders.take() {
        let Errand { id, wanted, texts, project, revision } = errand;
        let brought = catch_unwind(AssertUnwindSafe(|| match wanted {
            Wanted::Templates => match &templates {
                Some((known, at, all)) if *known == project && *at == revision => Brought::Templates(all.clone()),
                _ => {
                    let all = Arc::new(host.emit(&texts, &project));
                    templates = Some((project, revision, all.clone()));
                    Brought::Templates(all)
                }
            },
            Wanted::Figures => match &figures {
                Some((known, at, all)) if *known == project && *at == revision => Brought::Figures(all.clone()),
                _ => {
                    let all = Arc::new(host.figures(&texts, &project));
                    figures = Some((project, revision, all.clone()));
                    Brought::Figures(all)
                }
            },
            Wanted::Changes(all) => Brought::Changes(refactor::kept(host, &texts, &project, all)),
            Wanted::Plan(env) => Brought::Told(host.plan(&texts, &project, env.as_deref())),
            Wanted::Tests(name) => Brought::Told(host.run_tests(&texts, &project, name.as_deref())),
        }));
        if !done(id, brought.unwrap_or(Brought::Nothing)) {
            return;
        }
    }
}

/// The document that a request is about, and what more it says.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct About {
    text_document: Document,
    env: Option<String>,
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Document {
    uri: Uri,
}

/// The commands of lenses; a client that has its own says so in `initializationOptions.commands`.
pub(crate) const COMMANDS: &[&str] = &["dsvmc.preview", "dsvmc.plan", "dsvmc.runTest"];

/// The method and the parameters that a command stands for.
fn of_command(params: &Value) -> Option<(String, Value)> {
    let command = params.get("command")?.as_str()?;
    let method = COMMANDS.contains(&command).then(|| command.replacen('.', "/", 1))?;
    Some((method, params.pointer("/arguments/0").cloned()?))
}

/// Whether something has to be brought for a request of this method.
pub(crate) fn is_errand(method: &str) -> bool {
    matches!(
        method,
        "workspace/executeCommand"
            | "textDocument/codeLens"
            | "textDocument/inlayHint"
            | "dsvmc/preview"
            | "dsvmc/plan"
            | "dsvmc/runTest"
    )
}

/// The changes that a request for actions could offer; that they keep what is deployed is not known yet.
pub(crate) fn proposals(state: &mut State, request: &Request) -> Vec<Proposal> {
    if request.method != "textDocument/codeAction" {
        return Vec::new();
    }
    let Ok(params) = answers::params::<CodeActionParams>(request.params.clone()) else { return Vec::new() };
    let path = path_of(&params.text_document.uri);
    match state.documents.get(&path) {
        Some(_) => refactor::proposals(state, &path, &params),
        None => Vec::new(),
    }
}

/// The method and the parameters that count: a command stands for a request.
fn meant(request: &Request) -> Result<(String, Value), Failure> {
    match request.method.as_str() {
        "workspace/executeCommand" => of_command(&request.params)
            .ok_or_else(|| Failure::new(ErrorCode::InvalidParams, "there is no such command")),
        method => Ok((method.to_owned(), request.params.clone())),
    }
}

/// What a request wants to have brought.
pub(crate) fn of(state: &mut State, request: &Request) -> Result<Errand, Failure> {
    let (method, params) = meant(request)?;
    let about: About = answers::params(params)?;
    let path = path_of(&about.text_document.uri);
    if state.documents.get(&path).is_none() {
        let told = format!("`{}` is not open", about.text_document.uri.as_str());
        return Err(Failure::new(ErrorCode::InvalidParams, told));
    }
    let wanted = match &*method {
        "textDocument/inlayHint" => Wanted::Figures,
        "dsvmc/plan" => Wanted::Plan(about.env),
        "dsvmc/runTest" => Wanted::Tests(about.name),
        "textDocument/codeAction" => Wanted::Changes(proposals(state, request)),
        _ => Wanted::Templates,
    };
    let mut texts = state.documents.texts();
    texts.0.retain(|path, _| !state.library.is(path));
    let project = project_of(state, &path);
    Ok(Errand { id: request.id.clone(), wanted, texts, project, revision: state.revision })
}

/// The first project that a document is in.
fn project_of(state: &State, path: &Path) -> Project {
    let mut projects = state.analysis.iter().flat_map(|analysis| &analysis.projects);
    let around = projects.find(|snapshot| snapshot.files.contains_key(path));
    around.map_or_else(|| state.host.alone(path), |snapshot| snapshot.project.clone())
}

/// Whether an answer has places in the text, so that it must be made for the newest one.
pub(crate) fn has_places(method: &str) -> bool {
    matches!(method, "textDocument/codeLens" | "textDocument/inlayHint" | "textDocument/codeAction")
}

/// The answer to a request for which something was brought.
pub(crate) fn answer(state: &mut State, request: &Request, brought: &Brought) -> Result<Value, Failure> {
    let (method, params) = meant(request)?;
    let about: About = answers::params(params.clone())?;
    let path = path_of(&about.text_document.uri);
    match (&*method, brought) {
        (_, Brought::Nothing) => {
            Err(Failure::new(ErrorCode::InternalError, "this is a bug in dsvmc; please report it"))
        }
        ("textDocument/codeLens", Brought::Templates(emitted)) => Ok(lenses::all(state, &path, emitted).into()),
        ("textDocument/inlayHint", Brought::Figures(figures)) => hints::all(state, &path, &params, figures),
        ("textDocument/codeAction", Brought::Changes(kept)) => {
            let mut all = answers::answer(state, &method, params)?;
            let actions = kept.iter().filter_map(|proposal| proposal.action(state));
            all.as_array_mut().into_iter().for_each(|all| all.extend(actions.clone()));
            Ok(all)
        }
        ("dsvmc/preview", Brought::Templates(emitted)) => Ok(lenses::preview(state, emitted, about.env.as_deref())),
        (_, Brought::Told(Told { fine, text })) => Ok(json!({ "fine": fine, "text": text })),
        _ => Err(Failure::new(ErrorCode::InternalError, "this is a bug in dsvmc; please report it")),
    }
}
