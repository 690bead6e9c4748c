//! One run over a program: every definition evaluated and checked, once symbolically or with the values of one env.

use super::checked::{Block, Checked, Origin, Output};
use super::diags;
use super::eval::{Eval, First, Pass};
use super::fit::deferred_part;
use super::load::{DefId, DefKind, Program};
use super::params::arm_type;
use super::table::{BlockKind, kind_of};
use super::ty::Ty;
use super::value::{BlockId, Deploy, Value};
use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Code, Diagnostic, Sink};
use dsvm_syntax::ast::{self, Item, ItemKind};
use indexmap::IndexMap;
use rustc_hash::FxHashMap;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Checks a program in one of its passes. Unused declarations are reported only when nothing else is wrong, `syntax` included.
pub(crate) fn run(program: &Program, pass: Pass, syntax: bool, sink: &mut Sink) -> Checked {
    let mut eval = Eval::new(program, pass);
    let mut checked = evaluate(&mut eval, syntax, sink);
    checked.blocks = eval.blocks.into_iter().flatten().collect();
    checked
}

/// Checks a program symbolically. The blocks are not in the result but beside it, with what the runs of envs need.
pub(crate) fn first<'p>(program: &'p Program, syntax: bool, sink: &mut Sink) -> (Checked, First<'p>) {
    let mut eval = Eval::new(program, Pass::Symbolic);
    let checked = evaluate(&mut eval, syntax, sink);
    let Eval { states, types, used, reaching, slots, expanded, blocks, .. } = eval;
    let blocks = blocks.into_iter().flatten().collect();
    let project = checked.project;
    (checked, First { states, types, used, reaching, slots, expanded, blocks, project })
}

/// Checks a program with the values of an env after a symbolic run without errors: evaluates only what an env can change.
/// Findings in what it cannot change were the symbolic run's.
pub(crate) fn after<'p>(first: &'p First<'p>, program: &'p Program, env: &Arc<str>, sink: &mut Sink) -> Checked {
    let mut eval = Eval::after(first, program, Pass::Env(env.clone()));
    let mut checked = evaluate(&mut eval, false, sink);
    checked.blocks = eval.blocks.into_iter().flatten().collect();
    checked
}

/// Evaluates everything; the blocks stay where they are.
fn evaluate(eval: &mut Eval<'_>, syntax: bool, sink: &mut Sink) -> Checked {
    let program = eval.program;
    let pass = eval.pass.clone();
    let envs = match &pass {
        Pass::Symbolic => {
            if program.envs().next().is_none() {
                eval.add_given("", &mut IndexMap::new());
            }
            eval.checked_envs()
        }
        Pass::Env(name) => {
            let found = program.env_item(name);
            // Problems of the values themselves are reported by the symbolic run.
            let told = std::mem::take(&mut eval.sink);
            let mut given = IndexMap::new();
            match found {
                Some((_, env)) => given = eval.env_values(env),
                None => eval.add_given(name, &mut given),
            }
            eval.given = given;
            eval.sink = told;
            Vec::new()
        }
    };
    eval.prepare_location();
    let project = eval.project();
    eval.definitions();
    eval.finish_blocks();
    eval.check_bodiless();
    eval.checks();
    let outputs = eval.outputs();
    eval.finish_blocks();
    let exempt = eval.team_rules();
    let params = eval.checked_params();
    if pass == Pass::Symbolic {
        eval.block_cycles();
    }
    // A name that is misspelt somewhere is unused elsewhere: one mistake, one message.
    if pass == Pass::Symbolic && !syntax && !eval.sink.has_errors() {
        eval.unused();
    }
    // What is found in a function is found again by each call.
    let mut told: HashSet<(Code, Option<&str>, Option<Span>)> = HashSet::new();
    let by_rule = |found: &Diagnostic| (found.code == Code::RuleBroken).then(|| found.title.clone());
    let mut broken = HashSet::new();
    let found = eval.sink.as_slice().iter().filter(|found| match by_rule(found) {
        Some(title) => broken.insert((found.rule.clone(), title, found.primary())),
        None => told.insert((found.code, found.rule.as_deref(), found.primary())),
    });
    sink.extend(found.cloned().collect::<Vec<_>>());
    let env = match pass {
        Pass::Symbolic => None,
        Pass::Env(name) => Some(name),
    };
    let choices = std::mem::take(&mut eval.choices);
    Checked { env, blocks: Vec::new(), params, envs, outputs, project, exempt, choices }
}

/// Evaluates everything with the values of one env, and lets `then` look at more expressions. What is wrong with the program
/// itself has been told by other runs.
pub(crate) fn with_env<'p>(program: &'p Program, env: &str, then: &mut dyn FnMut(&mut Eval<'p>)) {
    let mut eval = Eval::new(program, Pass::Env(Arc::from(env)));
    let mut given = IndexMap::new();
    match program.env_item(env) {
        Some((_, env)) => given = eval.env_values(env),
        None => eval.add_given(env, &mut given),
    }
    eval.given = given;
    eval.prepare_location();
    eval.project();
    eval.definitions();
    eval.finish_blocks();
    then(&mut eval);
}

impl<'p> Eval<'p> {
    fn main_items(&self) -> Vec<&'p Item> {
        let program = self.program;
        program.module(program.main()).into_iter().flat_map(|module| &module.others).collect()
    }

    /// The project block, which comes first.
    fn project(&mut self) -> Option<BlockId> {
        if let Some(first) = self.first {
            return first.project;
        }
        let main = self.program.main();
        let mut first: Option<(BlockId, Span)> = None;
        for item in self.main_items() {
            let ItemKind::Block(ast) = &item.kind else { continue };
            if &*ast.keyword.value != BlockKind::Project.keyword() {
                self.stray_block(ast);
                continue;
            }
            if let Some((_, span)) = first {
                self.report(diags::second_project(ast.keyword.span, span));
                continue;
            }
            let name = super::head::block_name(ast)
                .unwrap_or_else(|| ast::Name { value: Arc::from(""), span: ast.keyword.span });
            if let Value::Ref(id) = self.slot(item, ast, main, BlockKind::Project, &name, None) {
                first = Some((id, ast.keyword.span));
            }
        }
        first.map(|(id, _)| id)
    }

    /// A block without a name at top level.
    fn stray_block(&mut self, ast: &'p ast::Block) {
        let keyword = &ast.keyword;
        match kind_of(&keyword.value) {
            Some(kind) if super::table::spec(kind).top_level => {
                self.report(diags::missing_name(&keyword.value, keyword.span));
            }
            Some(kind) => {
                self.report(diags::not_at_top_level(kind, keyword.span));
            }
            None => {
                let known: Vec<&str> = super::table::kinds_at_top_level().map(BlockKind::keyword).collect();
                self.report(diags::unknown_kind(&keyword.value, keyword.span, &known));
            }
        }
    }

    pub(crate) fn project_ref(&self) -> Option<Value> {
        let at = self.slots.iter().position(|slot| slot.kind == BlockKind::Project)?;
        Some(Value::Ref(BlockId(at as u32)))
    }

    /// Everything that has a name, in source order; of imported files everything but blocks, which are made when used.
    fn definitions(&mut self) {
        let program = self.program;
        let main = program.main();
        let mut blocks = Vec::new();
        for (index, def) in program.module(main).into_iter().flat_map(|module| &module.defs).enumerate() {
            let id = DefId { module: main, index: index as u32 };
            if let Some(item) = def.item()
                && let ItemKind::Block(ast) = &item.kind
            {
                let kind = kind_of(&ast.keyword.value);
                if let Some(kind) = kind.filter(|kind| !super::table::spec(*kind).top_level) {
                    self.report(diags::not_at_top_level(kind, ast.keyword.span));
                    self.expanded.insert(id, Value::Error);
                }
                self.def_value(id, &def.name, def.name_span);
                blocks.push(id);
            }
        }
        for (module, names) in program.own_modules() {
            for (index, def) in names.defs.iter().enumerate() {
                let id = DefId { module, index: index as u32 };
                if matches!(def.kind, DefKind::Data(_)) && !self.states.contains_key(&id) {
                    self.def_value(id, &def.name, def.name_span);
                }
                let Some(item) = def.item() else { continue };
                match &item.kind {
                    ItemKind::Let(_) | ItemKind::Param(_) if !self.states.contains_key(&id) => {
                        self.def_value(id, &def.name, def.name_span);
                    }
                    ItemKind::Fn(function) if self.pass_is_symbolic() => self.check_function(id, function),
                    ItemKind::Type(declared) => self.check_type(id, declared),
                    _ => {}
                }
            }
            if module != main {
                for span in names.others.iter().chain(&names.envs).filter_map(other_span) {
                    self.report(diags::only_in_project(span));
                }
            }
        }
    }

    /// Evaluates blocks until none waits: evaluating one can bring others of the library in.
    fn finish_blocks(&mut self) {
        let mut at = 0;
        while at < self.slots.len() {
            let span = self.slots.get(at).map(|slot| slot.name_span);
            if let Some(span) = span {
                self.finish(BlockId(at as u32), span);
            }
            at += 1;
        }
    }

    /// Rules of the team's own.
    fn checks(&mut self) {
        let main = self.program.main();
        for item in self.main_items() {
            let ItemKind::Check(check) = &item.kind else { continue };
            let condition = self.inside(main, |eval| eval.eval_as(&check.condition, &Ty::Bool));
            let message = check.message.as_ref().map(|message| {
                let value = self.inside(main, |eval| eval.eval_as(message, &Ty::String));
                self.refuse_secret(&value, message.span, "the message of a check");
                value
            });
            if let Value::Bool(false) = condition {
                let text = match &message {
                    Some(Value::String(text)) => Some(text.to_string()),
                    _ => None,
                };
                self.report(diags::check_failed(text.as_deref(), check.condition.span));
            }
        }
    }

    fn outputs(&mut self) -> Vec<Output> {
        let main = self.program.main();
        let mut outputs: Vec<Output> = Vec::new();
        let mut names: FxHashMap<&Arc<str>, Span> = FxHashMap::default();
        for item in self.main_items() {
            let ItemKind::Output(output) = &item.kind else { continue };
            let (value, ty) = self.inside(main, |eval| match &output.ty {
                Some(ty) => {
                    let ty = eval.resolve_type(ty);
                    if matches!(ty, Ty::Secret(_)) {
                        eval.report(diags::secret_output(&output.name.value, output.name.span));
                        return (Value::Error, Ty::Error);
                    }
                    let value = eval.eval_as(&output.value, &ty);
                    let value = eval.written(value, output.value.span);
                    // What `any` is in the template, its value says.
                    let ty = if matches!(ty.base(), Ty::Any) { eval.type_of(&value) } else { ty };
                    (value, ty)
                }
                None => {
                    let value = eval.eval(&output.value);
                    let value = eval.written(value, output.value.span);
                    let ty = eval.type_of(&value);
                    (value, ty)
                }
            });
            let place = format!("the output `{}`, which everybody who sees the deployment can read", output.name.value);
            if self.refuse_secret(&value, output.value.span, &place) {
                continue;
            }
            if let Some(&first) = names.get(&output.name.value) {
                self.report(diags::duplicate_name(&output.name.value, output.name.span, first));
                continue;
            }
            let arm_type = match arm_type(&ty) {
                Ok(arm_type) => arm_type,
                Err(why) => {
                    self.report(diags::bad_output_type(&output.name.value, &ty, why, output.value.span));
                    continue;
                }
            };
            names.insert(&output.name.value, output.name.span);
            outputs.push(Output {
                name: output.name.value.clone(),
                arm_type,
                value,
                doc: item.doc.clone(),
                name_span: output.name.span,
                value_span: output.value.span,
            });
        }
        outputs
    }

    /// Blocks that refer to each other in a cycle cannot be deployed in any order.
    fn block_cycles(&mut self) {
        let mut edges: Vec<Vec<u32>> = Vec::with_capacity(self.blocks.len());
        for block in &self.blocks {
            let mut targets = Vec::new();
            if let Some(block) = block
                && block.origin == Origin::Project
            {
                block_targets(block, &mut targets);
            }
            targets.sort_unstable();
            targets.dedup();
            edges.push(targets);
        }
        let Some(cycle) = find_cycle(&edges) else { return };
        let steps: Vec<(Arc<str>, Span)> = cycle
            .iter()
            .filter_map(|at| self.slots.get(*at as usize))
            .map(|slot| (slot.name.clone(), slot.name_span))
            .collect();
        if let Some((_, span)) = steps.first() {
            let span = *span;
            self.report(diags::block_cycle(&steps, span));
        }
    }

    /// What was declared and never used.
    fn unused(&mut self) {
        let program = self.program;
        for (module, names) in program.own_modules() {
            for (index, def) in names.defs.iter().enumerate() {
                let id = DefId { module, index: index as u32 };
                if def.is_base() && !self.used.contains(&id) && !def.export {
                    self.report(diags::base_unused(&def.name, def.name_span));
                }
                let known = names.names.get(&def.name) == Some(&(index as u32));
                let brings = |from| program.brings_rules(from);
                if self.used.contains(&id) || def.export || !known {
                    continue;
                }
                if matches!(def.kind, DefKind::Namespace(from) if brings(from)) {
                    continue;
                }
                let what = match &def.kind {
                    DefKind::Namespace(_) | DefKind::Alias(..) | DefKind::Data(_) => "import",
                    DefKind::Item(item) => match &item.kind {
                        ItemKind::Let(_) => "let",
                        ItemKind::Param(_) => "param",
                        ItemKind::Fn(_) => "fn",
                        ItemKind::Type(_) => "type",
                        _ => continue,
                    },
                    _ => continue,
                };
                // Another file that nothing imports any more may be told of; a module of the library is not.
                let alone =
                    matches!(def.kind, DefKind::Namespace(from) if program.module(from).is_some_and(|m| m.library));
                self.report(diags::unused(what, &def.name, def.name_span, def.span, alone));
            }
        }
    }
}

fn other_span(item: &Item) -> Option<Span> {
    match &item.kind {
        ItemKind::Check(_) | ItemKind::Output(_) | ItemKind::Env(_) => Some(item.span),
        ItemKind::Block(block) => Some(block.keyword.span),
        _ => None,
    }
}

fn block_targets(block: &Block, targets: &mut Vec<u32>) {
    for (_, field) in block.fields.own() {
        value_targets(&field.value, targets);
    }
    if let Some(free) = &block.free {
        value_targets(&free.value, targets);
    }
    for child in &block.children {
        block_targets(child, targets);
    }
}

fn value_targets(value: &Value, targets: &mut Vec<u32>) {
    match value {
        Value::Ref(id) => targets.push(id.0),
        Value::List(items) => items.iter().for_each(|item| value_targets(item, targets)),
        Value::Record(fields) => fields.values().for_each(|field| value_targets(field, targets)),
        Value::Deferred(inner) => deploy_targets(&inner.expr, targets),
        Value::Condition(condition) => value_targets(&condition.metric, targets),
        _ => {}
    }
}

fn deploy_targets(expr: &Deploy, targets: &mut Vec<u32>) {
    match expr {
        Deploy::Attribute(id, _) => targets.push(id.0),
        Deploy::Call(_, parts) => parts.iter().for_each(|part| deploy_targets(part, targets)),
        Deploy::Member(of, _) => deploy_targets(of, targets),
        Deploy::Index(of, at) => {
            deploy_targets(of, targets);
            deploy_targets(at, targets);
        }
        Deploy::Constant(_) | Deploy::Parameter(_) => {}
    }
}

/// The first cycle of a graph, as its nodes.
fn find_cycle(edges: &[Vec<u32>]) -> Option<Vec<u32>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        Open,
        Closed,
    }
    let mut marks: HashMap<u32, Mark> = HashMap::new();
    for start in 0..edges.len() as u32 {
        let mut path: Vec<(u32, usize)> = vec![(start, 0)];
        if marks.contains_key(&start) {
            continue;
        }
        marks.insert(start, Mark::Open);
        while let Some((node, next)) = path.last_mut() {
            let target = edges.get(*node as usize).and_then(|targets| targets.get(*next)).copied();
            *next += 1;
            match target {
                None => {
                    marks.insert(*node, Mark::Closed);
                    path.pop();
                }
                Some(target) => match marks.get(&target) {
                    Some(Mark::Closed) => {}
                    Some(Mark::Open) => {
                        let from = path.iter().position(|(node, _)| *node == target)?;
                        return Some(path.get(from..)?.iter().map(|(node, _)| *node).collect());
                    }
                    None => {
                        marks.insert(target, Mark::Open);
                        path.push((target, 0));
                    }
                },
            }
        }
    }
    None
}

/// Whether a value is known in full.
#[must_use]
pub fn is_known(value: &Value) -> bool {
    deferred_part(value).is_none() && !matches!(value, Value::Error)
}

#[cfg(test)]
mod tests {
    use super::find_cycle;

    #[test]
    fn a_circle_is_found_exactly_when_there_is_one() {
        assert_eq!(find_cycle(&[vec![1], vec![2], vec![]]), None);
        assert_eq!(find_cycle(&[vec![1, 2], vec![2], vec![]]), None);
        assert_eq!(find_cycle(&[vec![1], vec![2], vec![1]]), Some(vec![1, 2]));
        assert_eq!(find_cycle(&[vec![0]]), Some(vec![0]));
    }
}
