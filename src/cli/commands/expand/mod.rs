//! `dsvmc expand`: prints the resources that a template expands to.

mod corpus;

use crate::cli::Context;
use crate::cli::exit::Exit;
use crate::driver::{LoadError, MOST_LINKED, World};
use arm_template::{
    self, Expansion, Form, Limits, Linker, Parameters, Resource, Scope, Template, TemplateError, TemplateLink, diags,
};
use dsvm_diagnostics::source::{SourceFile, SourceMap};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The command line arguments of `expand`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  dsvmc expand azuredeploy.json -p @azuredeploy.parameters.json")]
pub struct Args {
    /// Template; with `--check`, a file or folder of templates
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Values: `@file.json`, or `name=value`; a later one wins
    #[arg(short, long, value_name = "@FILE|NAME=VALUE")]
    parameters: Vec<String>,
    /// Resource group that the template is deployed into
    #[arg(short = 'g', long, value_name = "NAME", default_value = "rg")]
    resource_group: String,
    /// Subscription that the template is deployed into
    #[arg(long, value_name = "ID", default_value = "11111111-1111-4111-8111-111111111111")]
    subscription: String,
    /// Region of the resource group, or of the deployment above resource groups; unknown without it
    #[arg(short, long, value_name = "REGION")]
    location: Option<String>,
    /// Expand as if deployed under this name: the value of `deployment().name`
    #[arg(long, value_name = "NAME", value_parser = crate::cli::deploy_args::deployment_name)]
    deployment_name: Option<String>,
    /// Show values with unknown parts as JSON instead of one expression
    #[arg(long)]
    parts: bool,
    /// Expand every template below FILE with placeholder values and count the results
    #[arg(long)]
    check: bool,
}

/// Runs `dsvmc expand` and returns how the process exits.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    if args.check {
        return corpus::run(&args.file, cx);
    }
    let mut sources = SourceMap::default();
    let text = read(&args.file, cx)?;
    let source =
        sources.add(SourceFile::new(args.file.display().to_string(), arm_template::json::without_secrets(&text)));
    let fail = |cx: &mut Context, sources: &SourceMap, errors: &[TemplateError], source| {
        let found: Vec<_> = errors.iter().map(|e| diags::diagnostic(e, source)).collect();
        cx.report(sources, &found).map_err(miette::Report::from)
    };
    let template = match arm_template::parse(&text) {
        Ok(template) => template,
        Err(errors) => return fail(cx, &sources, &errors, source),
    };
    let mut parameters = Parameters::new();
    for given in &args.parameters {
        if let Some(path) = given.strip_prefix('@') {
            let text = read(Path::new(path), cx)?;
            let file = sources.add(SourceFile::new(path, arm_template::json::without_secrets(&text)));
            match arm_template::parse_parameters(&text) {
                Ok(more) => parameters.merge(more),
                Err(errors) => return fail(cx, &sources, &errors, file),
            }
        } else if let Err(problem) = assign(given, &template, &mut parameters) {
            cx.printer.say(&format!("error: {problem}\n"));
            return Ok(Exit::Input);
        }
    }
    let context = context(args, &template);
    let linker = Links::new(cx.world.as_ref(), args.file.parent().map(Path::to_path_buf).unwrap_or_default());
    match arm_template::expand_linked(&template, &parameters, &context, &Limits::default(), &linker) {
        Ok(expansion) => {
            let shown = serde_json::to_string_pretty(&shown(&expansion)).unwrap_or_default();
            cx.printer.json(&format!("{shown}\n"))?;
            Ok(Exit::Done)
        }
        Err(errors) => fail(cx, &sources, &errors, source),
    }
}

fn read(path: &Path, cx: &Context) -> Result<String, miette::Report> {
    let bytes = cx.world.read(path)?;
    Ok(arm_template::json::decode(&bytes))
}

/// Where the template goes, by its own schema.
fn context(args: &Args, template: &Template) -> arm_template::Context {
    let scope = template.scope().unwrap_or_default();
    let mut context = arm_template::Context::resource_group(&args.subscription, &args.resource_group);
    context.scope = scope;
    context.location.clone_from(&args.location);
    context.template_link = own_address(&args.file);
    if let Some(name) = &args.deployment_name {
        context.deployment_name.clone_from(name);
    }
    context.form = if args.parts { Form::Parts } else { Form::Whole };
    match scope {
        Scope::ResourceGroup => {
            if let Some(group) = &mut context.resource_group {
                group.location.clone_from(&args.location);
            }
        }
        Scope::Subscription => context.resource_group = None,
        Scope::ManagementGroup => {
            context.resource_group = None;
            context.subscription_id = None;
            context.management_group = Some(args.resource_group.clone());
        }
        Scope::Tenant => {
            context.resource_group = None;
            context.subscription_id = None;
        }
    }
    context
}

/// `name=value`: a string parameter takes the text as it is, any other reads it as JSON.
fn assign(given: &str, template: &Template, parameters: &mut Parameters) -> Result<(), String> {
    let (name, text) = given.split_once('=').ok_or("a value of `-p` is neither `@file.json` nor `name=value`")?;
    let kind =
        template.parameters().into_iter().find(|(n, _, _)| n.eq_ignore_ascii_case(name)).map(|(_, kind, _)| kind);
    let textual = kind.is_some_and(|k| k.eq_ignore_ascii_case("string") || k.eq_ignore_ascii_case("securestring"));
    let value = if textual {
        Value::from(text)
    } else {
        arm_template::json::read(text).map_or_else(|_| Value::from(text), |node| node.to_value())
    };
    parameters.set(name, &value).map_err(|error| error.sentence)
}

/// The folder of the template, as addresses have it: `deployment().properties.templateLink.uri` begins with it.
const HERE: &str = "file:///template/";

/// The address that the template has for itself.
fn own_address(file: &Path) -> Option<String> {
    Some(format!("{HERE}{}", file.file_name()?.to_str()?))
}

/// Linked templates by a path relative to the template; nothing is fetched.
struct Links<'w> {
    world: &'w dyn World,
    base: PathBuf,
    /// Bytes read so far.
    read: AtomicUsize,
}

impl<'w> Links<'w> {
    /// Links of the template in the folder `base`.
    fn new(world: &'w dyn World, base: PathBuf) -> Self {
        Self { world, base, read: AtomicUsize::new(0) }
    }
}

impl Linker for Links<'_> {
    fn template(&self, link: &TemplateLink) -> Result<Option<Template>, String> {
        let Some(address) = link.address() else { return Ok(None) };
        // What lies beside the template, by an address made from the template's own; nothing outside its folder.
        let near = address.strip_prefix(HERE).map(|path| path.split(['?', '#']).next().unwrap_or(path).to_owned());
        let relative = match near {
            Some(path) if link.relative_path.is_some() || path.split('/').all(|part| part != "..") => path,
            None if link.relative_path.is_some() => address,
            _ => return Ok(None),
        };
        let path = self.base.join(&relative);
        let bytes = match self.world.read_linked(&path, &self.base) {
            Ok(bytes) => bytes,
            // It may lie at its address only.
            Err(_) if link.relative_path.is_none() => return Ok(None),
            Err(LoadError::Unreadable { cause, .. }) => {
                return Err(format!("the linked template `{relative}` cannot be read: {cause}"));
            }
            Err(_) => return Err(format!("the linked template `{relative}` cannot be read")),
        };
        if self.read.fetch_add(bytes.len(), Ordering::Relaxed).saturating_add(bytes.len()) > MOST_LINKED {
            return Err(format!("the linked templates have more than {} MiB together", MOST_LINKED >> 20));
        }
        let text = arm_template::json::decode(&bytes);
        let first = |errors: Vec<TemplateError>| {
            let why = errors.first().map(ToString::to_string).unwrap_or_default();
            format!("the linked template `{relative}` cannot be used: {why}")
        };
        arm_template::parse(&text).map(Some).map_err(first)
    }
}

/// The expansion as JSON; secrets are masked.
fn shown(expansion: &Expansion) -> Value {
    let resources: Vec<Value> = expansion.flat().into_iter().map(resource).collect();
    let outputs: Map<String, Value> = expansion
        .outputs
        .iter()
        .map(|(name, output)| {
            let value = if output.secure { Value::from("(secret)") } else { output.value.clone() };
            (name.clone(), json!({ "type": output.kind, "value": value }))
        })
        .collect();
    json!({ "scope": expansion.scope_id, "resources": resources, "outputs": outputs })
}

fn resource(resource: &Resource) -> Value {
    let mut body = resource.body.clone();
    for pointer in &resource.secret_pointers {
        match body.pointer_mut(pointer) {
            Some(secret) => *secret = Value::from("(secret)"),
            None => body = Value::from("(secret)"),
        }
    }
    let mut members = Map::new();
    if !resource.id.is_empty() {
        members.insert("id".to_owned(), Value::from(resource.id.as_str()));
    }
    if resource.existing {
        members.insert("existing".to_owned(), Value::from(true));
    }
    for (key, value) in [("condition", &resource.condition), ("count", &resource.count)] {
        if let Some(value) = value {
            members.insert(key.to_owned(), Value::from(value.as_str()));
        }
    }
    match body {
        Value::Object(body) => members.extend(body),
        other => {
            members.insert("body".to_owned(), other);
        }
    }
    if !resource.depends_on.is_empty() {
        members.insert("dependsOn".to_owned(), Value::from(resource.depends_on.clone()));
    }
    Value::Object(members)
}
