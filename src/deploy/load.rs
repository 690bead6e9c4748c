//! A path and an input → [`CompiledProject`]: a `.dsvm` project with the values of one env, or an ARM template.

use super::compiled::{CompiledPart, CompiledProject, Template};
use super::error::CommandError;
use super::frontend::Frontend;
use super::input::DeployInput;
use super::parameters;
use super::provenance::Provenance;
use super::state_home;
use crate::driver::{self, Compilation, LoadError, MOST_LINKED, Options, Purpose, Stop, World};
use arm_template::json;
use dsvm_diagnostics::source::{SourceFile, SourceId, SourceMap, Span};
use dsvm_diagnostics::{Code, Diagnostic, Severity};
use dsvm_graph::json::Json;
use dsvm_quota::Cores;
use dsvm_sema::checked::Checked;
use dsvm_sema::table::View;
use dsvm_sema::table::facts::Size;
use dsvm_sema::table::project::Project;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Asks the kernel for small memory pages. With huge pages each thread that reads an answer holds megabytes of which it
/// uses little: planning 5,000 resources takes a third more memory and is no faster.
fn use_small_pages() {
    // A system without huge pages needs nothing.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

/// Loads what a command names. Warnings go to the frontend, errors of the sources into the result.
///
/// # Errors
/// The sources or the template have errors, no env was chosen among several, or a file cannot be read.
pub fn load(
    path: &Path,
    input: &DeployInput,
    world: &dyn World,
    frontend: &mut dyn Frontend,
) -> Result<CompiledProject, CommandError> {
    use_small_pages();
    match &input.template {
        Some(template) => load_template(template, input, world),
        None => {
            let compiled = driver::compile(world, path, Options { stop: Stop::AfterEmission })?;
            from_compilation(compiled, path, input, frontend)
        }
    }
}

/// The folder that a compilation's project is in.
#[must_use]
pub fn root_of(compiled: &Compilation) -> PathBuf {
    let path = &compiled.project.path;
    if path.is_dir() { path.clone() } else { path.parent().map(Path::to_owned).unwrap_or_default() }
}

/// Takes the values of one env out of a compilation, and shows its warnings.
///
/// # Errors
/// The compilation failed, or no env was chosen among several.
pub fn from_compilation(
    mut compiled: Compilation,
    path: &Path,
    input: &DeployInput,
    frontend: &mut dyn Frontend,
) -> Result<CompiledProject, CommandError> {
    compiled.require_project(Purpose::Deploy);
    let root = root_of(&compiled);
    // Hints are for `check`: a deployment shows only what may be wrong.
    let shown: Vec<_> = compiled.diagnostics.iter().filter(|d| d.severity != Severity::Info).cloned().collect();
    let Some(artifacts) = compiled.artifacts else { return Err(CommandError::diagnostics(compiled.sources, shown)) };
    if !shown.is_empty() {
        frontend.diagnostics(&compiled.sources, &shown);
    }
    let names: Vec<&str> = compiled.envs.iter().map(AsRef::as_ref).collect();
    let env = choose_env(&names, input.env.as_deref(), &compiled.name)?;
    let group = compiled.checked.as_ref().and_then(|c| View::<Project>::new(&c[c.project?])?.resource_group());
    let group = group.map(str::to_owned);
    let blocks = compiled.checked.as_ref().map(|checked| super::blocks::of(checked, &compiled.sources));
    let sizes = compiled.checked.as_ref().map(sizes_of).unwrap_or_default();
    // The checked program is large, and nothing below reads it.
    drop(compiled.checked);
    let parts = artifacts.deployments.into_iter().map(|mut deployment| {
        deployment.causes.sort();
        let values = deployment.parameters.get(env.as_str()).cloned().map(Json::into_value);
        let values = values.as_ref().and_then(parameters::entries);
        let given =
            values.map(|v| vec![(if env.is_empty() { "the sources".to_owned() } else { format!("env {env}") }, v)]);
        CompiledPart {
            name: deployment.name,
            template: Arc::new(Template::from(deployment.template)),
            text: String::new(),
            given: given.unwrap_or_default(),
            provenance: Provenance::new(deployment.provenance),
            causes: deployment.causes,
            written: None,
        }
    });
    let parts = parts.collect();
    Ok(CompiledProject {
        name: compiled.name.to_string(),
        root,
        state: input.state_dir.clone(),
        shown: path.display().to_string(),
        env,
        group,
        location: None,
        path: Some(path.to_owned()),
        deployment_name: None,
        parts,
        sources: compiled.sources,
        blocks: blocks.unwrap_or_default(),
        sizes,
    })
}

/// Cores and families of the sizes of a program, as quota counts them.
fn sizes_of(checked: &Checked) -> BTreeMap<String, Cores> {
    let of = |size: View<'_, Size>| {
        let each = size.quota_vcpu().or(size.vcpu()).and_then(|cores| u64::try_from(cores).ok());
        let name = size.name().unwrap_or(&size.block().name).to_ascii_lowercase();
        (name, Cores { each, family: size.family().map(str::to_owned) })
    };
    checked.all::<Size>().map(|(_, size)| of(size)).collect()
}

fn choose_env(known: &[&str], wanted: Option<&str>, project: &str) -> Result<String, CommandError> {
    let list = known.iter().map(|e| format!("`{e}`")).collect::<Vec<_>>().join(", ");
    match (known, wanted) {
        ([], None) => Ok(String::new()),
        ([], Some(env)) => Err(CommandError::input(
            Code::EnvNeeded,
            format!("`{project}` has no envs, and so no `{env}`"),
            "leave `--env` out",
        )),
        ([only], None) => Ok((*only).to_owned()),
        (many, Some(env)) if many.contains(&env) => Ok(env.to_owned()),
        (_, Some(env)) => Err(CommandError::input(
            Code::EnvNeeded,
            format!("`{project}` has no env `{env}`"),
            format!("its envs: {list}"),
        )),
        (_, None) => Err(several_envs(project, &list)),
    }
}

/// No env was chosen although the project has several; `list` names them.
pub(super) fn several_envs(project: &str, list: &str) -> CommandError {
    let title = format!("`{project}` has the envs {list}; none was chosen");
    CommandError::input(Code::EnvNeeded, title, "name one with `--env`")
}

fn load_template(path: &Path, input: &DeployInput, world: &dyn World) -> Result<CompiledProject, CommandError> {
    let bytes = world.read(path)?;
    let text = json::decode(&bytes);
    let mut sources = SourceMap::default();
    // Messages that show the file go into logs that more people read than the file.
    let shown = json::without_secrets(&text);
    let source = sources.add(SourceFile::new(path.to_string_lossy().replace('\\', "/"), shown));
    let tree = match json::read(&text) {
        Ok(tree) => tree,
        Err(why) => return Err(not_json(path, &why, sources, source)),
    };
    let name = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let root = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
    let mut template = tree.to_value();
    let linked = inline_links(path, &mut template, world)?;
    // Positions refer to one text; a template assembled from several files is no longer that text.
    let text = if linked { String::new() } else { text };
    let template = Arc::new(Template::from(&template));
    let written = Some((source, Arc::new(tree)));
    let part = CompiledPart { name: name.clone(), template, text, written, ..CompiledPart::default() };
    let state = match &input.state_dir {
        Some(folder) => folder.clone(),
        None => state_home::of_template(path)?,
    };
    Ok(CompiledProject {
        name,
        root,
        state: Some(state),
        shown: path.display().to_string(),
        env: input.env.clone().unwrap_or_default(),
        parts: vec![part],
        deployment_name: input.deployment_name.clone(),
        sources,
        ..CompiledProject::default()
    })
}

fn not_json(path: &Path, why: &json::JsonError, sources: SourceMap, source: SourceId) -> CommandError {
    let title = format!("`{}` is not JSON: {}", path.display(), why.message);
    let span = Span::new(source, why.offset, why.offset);
    let diagnostic =
        Diagnostic::new(Code::TemplateUnusable, title, span, "here").help("correct the file at that place");
    CommandError::diagnostics(sources, vec![diagnostic])
}

/// Replaces links with a relative path by the linked templates: Azure cannot read files of this machine. Returns whether
/// there was a link.
fn inline_links(path: &Path, template: &mut Value, world: &dyn World) -> Result<bool, CommandError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut total = 0;
    let read = &mut |relative: &str| {
        let file = folder.join(relative);
        let shown = file.display();
        let bytes = world.read_linked(&file, folder).map_err(|error| {
            let why = match &error {
                LoadError::Unreadable { cause, .. } => format!(": {cause}"),
                _ => String::new(),
            };
            format!("the linked template `{shown}` cannot be read{why}")
        })?;
        total += bytes.len();
        if total > MOST_LINKED {
            return Err(format!("the linked templates have more than {} MiB together", MOST_LINKED >> 20));
        }
        let tree = json::read(&json::decode(&bytes))
            .map_err(|why| format!("the linked template `{shown}` is not JSON: {why}"))?;
        Ok(tree.to_value())
    };
    arm_template::inline_links(template, read).map(|count| count > 0).map_err(|why| {
        CommandError::input(
            Code::TemplateUnusable,
            format!("`{}` cannot be used: {why}", path.display()),
            "put the linked template at that path, relative to the template that links it",
        )
    })
}
