//! The identity of each resource: its loops, condition, type, name, scope and id, before any body is evaluated.

use super::Stage;
use super::identity::joined;
use crate::document::Resources;
use crate::error::{EvalError, TemplateError};
use crate::eval::{Frame, Loop, Phase, Target, Targets, canonical_id};
use crate::expr::Expr;
use crate::json::{Node, Object};
use crate::value::{Value, ValueKind, same_name};
use std::sync::Arc;

/// One turn of a loop of resources.
#[derive(Clone)]
pub(super) struct Turn {
    pub name: Arc<str>,
    pub index: Value,
}

/// A resource with its identity.
pub(super) struct Draft<'n> {
    pub object: &'n Object,
    pub offset: u32,
    pub pointer: String,
    pub symbol: Option<String>,
    pub turns: Vec<Turn>,
    pub group: Option<String>,
    /// Index of the draft that this one is written inside.
    pub parent: Option<usize>,
    pub present: bool,
    pub condition: Option<Value>,
    pub count: Option<Value>,
    pub existing: bool,
    pub extension: Option<String>,
    pub kind: String,
    pub name: Value,
    pub api_version: String,
    pub scope_id: Value,
    pub id: Value,
    /// Earlier turns of a serial loop that must be done first.
    pub after: std::ops::Range<usize>,
}

/// The position of a node while drafts are made of it.
struct Site<'n> {
    node: &'n Node,
    pointer: String,
    symbol: Option<&'n str>,
    parent: Option<usize>,
}

/// Runs `work` with the bindings of the turns.
pub(super) fn within<T>(turns: &[Turn], frame: &Frame<'_>, work: &mut dyn FnMut(&Frame<'_>) -> T) -> T {
    match turns.split_first() {
        None => work(frame),
        Some((turn, rest)) => {
            let inner = frame.turn(Some(&turn.name), turn.index.clone(), Loop::Element);
            within(rest, &inner, work)
        }
    }
}

pub(super) fn is_deployment(kind: &str) -> bool {
    same_name(kind, "Microsoft.Resources/deployments")
}

impl<'s> Stage<'s> {
    /// Identities of all resources, and the table by which expressions and dependencies find them.
    pub(super) fn drafts(&self) -> Result<(Vec<Draft<'s>>, Targets), Vec<TemplateError>> {
        let mut sites = Vec::new();
        match self.sections.resources {
            Resources::None => {}
            Resources::List(items) => {
                for (index, node) in items.iter().enumerate() {
                    sites.push(Site { node, pointer: format!("/resources/{index}"), symbol: None, parent: None });
                }
            }
            Resources::Symbolic(object) => {
                for (name, node) in object.iter() {
                    let escaped = name.replace('~', "~0").replace('/', "~1");
                    let pointer = format!("/resources/{escaped}");
                    sites.push(Site { node, pointer, symbol: Some(&**name), parent: None });
                }
            }
        }
        let mut drafts = Vec::new();
        let mut groups = Vec::new();
        let mut errors = Vec::new();
        for site in sites {
            let pointer = site.pointer.clone();
            if let Err(fault) = self.site(site, &mut drafts, &mut groups) {
                let limit = fault.code == crate::error::codes::QUOTA;
                errors.push(self.error(fault, &pointer, None));
                if limit || errors.len() >= super::MAX_ERRORS {
                    break;
                }
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        self.symbolic_scopes(&mut drafts);
        let mut targets = Targets::default();
        for group in &groups {
            targets.declare(group);
        }
        for draft in &drafts {
            let target = Target {
                id: draft.id.clone(),
                name: draft.name.clone(),
                kind: draft.kind.clone(),
                api_version: (!draft.api_version.is_empty()).then(|| draft.api_version.clone()),
                symbol: draft.symbol.clone(),
                group: draft.group.clone(),
                present: draft.present,
                outputs: None,
                foreign: draft.extension.is_some(),
            };
            targets.add(target, &self.context.scope_id());
        }
        if let Err(fault) = unique(&drafts) {
            return Err(vec![self.error(fault, "/resources", None)]);
        }
        Ok((drafts, targets))
    }

    fn site(&self, site: Site<'s>, drafts: &mut Vec<Draft<'s>>, groups: &mut Vec<String>) -> Result<(), EvalError> {
        let offset = site.node.offset;
        let object = site.node.as_object().ok_or_else(|| {
            EvalError::new("The template resource is not valid: expected an object.")
                .says("a resource is a JSON object")
                .at(offset)
        })?;
        let outside: Vec<Turn> = match site.parent.and_then(|p| drafts.get(p)) {
            Some(parent) => parent.turns.clone(),
            None => self.loops.to_vec(),
        };
        let copy = object.get("copy").and_then(|c| c.as_object().map(|o| (c.offset, o)));
        let Some((copy_offset, copy)) = copy else {
            return self.one(&site, object, outside, None, None, drafts, groups).map_err(|f| f.at(offset));
        };
        let frame = Frame::root(Phase::Identity);
        let eval = |key: &str| -> Result<Value, EvalError> {
            match copy.get(key) {
                None => Ok(Value::NULL),
                Some(node) => within(&outside, &frame, &mut |frame| self.evaluator.node(node, frame)),
            }
        };
        let name: Arc<str> = match eval("name")?.as_str() {
            Some(name) => Arc::clone(name),
            None => Arc::from(site.symbol.unwrap_or("copy")),
        };
        let group = site.symbol.map_or_else(|| name.to_string(), str::to_string);
        groups.push(group.clone());
        groups.push(name.to_string());
        let count = eval("count")?;
        if let ValueKind::Expr(_) = count.kind {
            let index = Value::expr(Expr::call("copyIndex", vec![Expr::string(Arc::clone(&name))?])?);
            let turns = [outside, vec![Turn { name, index }]].concat();
            return self.one(&site, object, turns, Some(group), Some(count), drafts, groups);
        }
        let count = self.evaluator.copy_count(&count, &name).map_err(|f| f.at(copy_offset))?;
        let batch = self.batch(copy, &eval, &name).map_err(|f| f.at(copy_offset))?;
        let start = drafts.len();
        let mut firsts = Vec::new();
        for index in 0..count {
            firsts.push(drafts.len());
            let turns = [outside.clone(), vec![Turn { name: Arc::clone(&name), index: Value::int(index) }]].concat();
            self.one(&site, object, turns, Some(group.clone()), None, drafts, groups)?;
            let Some(batch) = batch else { continue };
            let turn = index as usize;
            let batch_start = turn - turn % batch;
            if batch_start > 0
                && let (Some(from), Some(to)) = (firsts.get(batch_start - batch), firsts.get(batch_start))
                && let Some(this) = firsts.get(turn).and_then(|at| drafts.get_mut(*at))
            {
                this.after = (*from).max(start)..*to;
            }
        }
        Ok(())
    }

    /// Size of a batch of a serial loop.
    fn batch(
        &self,
        copy: &Object,
        eval: &dyn Fn(&str) -> Result<Value, EvalError>,
        name: &str,
    ) -> Result<Option<usize>, EvalError> {
        let mode = eval("mode")?;
        let serial = match mode.as_str() {
            Some(mode) if same_name(mode, "serial") => true,
            Some(mode) if same_name(mode, "parallel") => false,
            None if mode.is_null() => copy.get("batchSize").is_some(),
            _ => {
                return Err(EvalError::new(format!(
                    "The copy mode of '{name}' is not valid. Expected 'Parallel' or 'Serial'."
                ))
                .says(format!("the mode of the loop `{name}` is neither `parallel` nor `serial`")));
            }
        };
        if !serial {
            return Ok(None);
        }
        let size = eval("batchSize")?;
        let size = match (&size.kind, size.as_int()) {
            (ValueKind::Null, _) => 1,
            (_, Some(size)) if size >= 1 => size,
            _ => {
                return Err(EvalError::new(format!(
                    "The copy batch size of '{name}' is not valid. The batch size must be a positive integer."
                ))
                .says(format!("the `batchSize` of the loop `{name}` is not a whole number from 1")));
            }
        };
        Ok(usize::try_from(size).ok())
    }

    #[expect(clippy::too_many_arguments, reason = "one resource needs its place, its loop and the lists that it joins")]
    fn one(
        &self,
        site: &Site<'s>,
        object: &'s Object,
        turns: Vec<Turn>,
        group: Option<String>,
        count: Option<Value>,
        drafts: &mut Vec<Draft<'s>>,
        groups: &mut Vec<String>,
    ) -> Result<(), EvalError> {
        self.evaluator.budget.charge(20)?;
        let frame = Frame::root(Phase::Identity);
        let eval = |key: &str| -> Result<Value, EvalError> {
            match object.get(key) {
                None => Ok(Value::NULL),
                Some(node) => {
                    within(&turns, &frame, &mut |frame| self.evaluator.node(node, frame)).map_err(|f| f.at(node.offset))
                }
            }
        };
        let parent = site.parent.and_then(|p| drafts.get(p));
        let condition = match parent {
            Some(parent) if !parent.present => Value::bool(false),
            _ => eval("condition")?,
        };
        let (present, condition) = match &condition.kind {
            ValueKind::Null | ValueKind::Bool(true) => (true, parent.and_then(|p| p.condition.clone())),
            ValueKind::Bool(false) => (false, None),
            ValueKind::Expr(_) => (true, Some(condition)),
            ValueKind::Str(text) if same_name(text, "true") => (true, None),
            ValueKind::Str(text) if same_name(text, "false") => (false, None),
            _ => {
                return Err(EvalError::new(format!(
                    "The template resource condition is not valid: expected a value of type 'Boolean', but received '{}'.",
                    condition.type_name()
                ))
                .says(format!("the `condition` of the resource is a value of type {}", condition.type_name().to_lowercase())));
            }
        };
        let index = turns.last().map(|t| t.index.clone());
        let symbol = site.symbol.map(|symbol| match (&group, index.as_ref().and_then(Value::as_int)) {
            (Some(_), Some(index)) => format!("{symbol}[{index}]"),
            _ => symbol.to_string(),
        });
        let extension =
            object.get("import").or_else(|| object.get("extension")).and_then(Node::as_str).map(str::to_string);
        let mut draft = Draft {
            object,
            offset: site.node.offset,
            pointer: site.pointer.clone(),
            symbol,
            turns: turns.clone(),
            group,
            parent: site.parent,
            present,
            condition,
            count,
            existing: object.get("existing").and_then(Node::as_bool).unwrap_or(false),
            extension,
            kind: String::new(),
            name: Value::NULL,
            api_version: String::new(),
            scope_id: Value::str(self.context.scope_id()),
            id: Value::NULL,
            after: 0..0,
        };
        let identified = self.identify(&mut draft, parent, &eval);
        if draft.present {
            identified?;
            self.evaluator.budget.charge_resource()?;
        } else {
            super::syntax::skipped(&draft, self.evaluator.sections)?;
        }
        let at = drafts.len();
        drafts.push(draft);
        let made = drafts.iter().filter(|d| d.present && !d.existing).count();
        let most = self.evaluator.budget.limits().resources;
        if made > most {
            return Err(EvalError::limit(format!(
                "The number of template resources limit exceeded. Limit: '{most}' and actual: more than '{most}'. Please see https://aka.ms/arm-template/#resources for usage details."
            ))
            .says(format!("the template has more than {most} resources, copies counted; Azure allows {most}")));
        }
        let Some(children) = object.get("resources").and_then(Node::as_array) else { return Ok(()) };
        for (index, node) in children.iter().enumerate() {
            let pointer = format!("{}/resources/{index}", site.pointer);
            self.evaluator
                .budget
                .deeper(|| self.site(Site { node, pointer, symbol: None, parent: Some(at) }, drafts, groups))?;
        }
        Ok(())
    }

    fn identify(
        &self,
        draft: &mut Draft<'s>,
        parent: Option<&Draft<'s>>,
        eval: &dyn Fn(&str) -> Result<Value, EvalError>,
    ) -> Result<(), EvalError> {
        let required = |what: &str| {
            EvalError::coded(
                crate::error::codes::INVALID_CONTENT,
                format!("The request content was invalid and could not be deserialized: 'Required property '{what}' not found in JSON.'."),
            )
            .says(format!("the resource has no `{what}`"))
            .help(format!("add `\"{what}\"`"))
        };
        let kind = eval("type")?;
        let kind = kind.as_str().ok_or_else(|| required("type"))?;
        if draft.extension.is_some() {
            draft.kind = kind.to_string();
            draft.name = eval("name")?;
            return Ok(());
        }
        let name = eval("name")?;
        if !matches!(name.kind, ValueKind::Str(_) | ValueKind::Expr(_)) {
            return Err(if name.is_null() {
                required("name")
            } else {
                EvalError::new(format!(
                    "The template resource name is not valid: expected a value of type 'String', but received '{}'.",
                    name.type_name()
                ))
                .says(format!("the `name` of the resource is a value of type {}", name.type_name().to_lowercase()))
            });
        }
        let api = eval("apiVersion")?;
        draft.api_version = match (&api.kind, self.sections.root.get("apiProfile")) {
            (ValueKind::Str(api), _) if !api.is_empty() => api.to_string(),
            (ValueKind::Expr(partial), _) => format!("[{}]", partial.expr),
            (ValueKind::Null, Some(_)) => String::new(),
            _ => return Err(required("apiVersion")),
        };
        draft.kind = kind.trim_end_matches('/').to_string();
        draft.name = name;
        if let Some(parent) = parent {
            return self.child(draft, parent);
        }
        draft.scope_id = self.scope_of(draft, eval)?;
        draft.id = self.id_of(&draft.scope_id, &draft.kind, &draft.name)?;
        Ok(())
    }

    /// A resource written inside another: its type and name continue those of the parent.
    fn child(&self, draft: &mut Draft<'s>, parent: &Draft<'s>) -> Result<(), EvalError> {
        let kind = draft.kind.clone();
        let prefix = format!("{}/", parent.kind).to_lowercase();
        let first = kind.split('/').next().unwrap_or("");
        if kind.to_lowercase().starts_with(&prefix) {
            // The whole type is written out; the name is whole, too, when it has as many parts.
            let parts = |val: &Value| val.as_str().map_or(0, |t| t.split('/').count());
            if parts(&draft.name) + 1 < kind.split('/').count() {
                draft.name = joined(&parent.name, &draft.name)?;
            }
        } else if first.contains('.') {
            // An extension of the parent.
            draft.scope_id = parent.id.clone();
            draft.id = self.id_of(&parent.id, &kind, &draft.name)?;
            return Ok(());
        } else {
            draft.kind = format!("{}/{kind}", parent.kind);
            draft.name = joined(&parent.name, &draft.name)?;
        }
        draft.scope_id = parent.scope_id.clone();
        draft.id = self.id_of(&draft.scope_id, &draft.kind, &draft.name)?;
        Ok(())
    }
}

/// Two resources of one id in a template are an error.
fn unique(drafts: &[Draft<'_>]) -> Result<(), EvalError> {
    let mut seen = std::collections::HashSet::new();
    // Conditions that are not known yet may exclude each other: what is left is seen when they are.
    for draft in drafts.iter().filter(|d| d.present && !d.existing && d.condition.is_none()) {
        if let Some(id) = draft.id.as_str()
            && !seen.insert(canonical_id(id))
        {
            return Err(EvalError::new(format!(
                "The resource '{}' {} is defined multiple times in a template. Please see https://aka.ms/arm-syntax-resources for usage details.",
                relative(id),
                crate::error::place()
            ))
            .says(format!("two resources of the template have the id `{id}`"))
            .at(draft.offset));
        }
    }
    Ok(())
}

fn relative(id: &str) -> &str {
    id.rsplit_once("/providers/").map_or(id, |(_, relative)| relative)
}
