//! A place in a call → the function that is called, and which of its parameters is being written. Works on tokens, because
//! a call is broken while it is typed.

use crate::describe;
use crate::position::Lines;
use crate::server::State;
use crate::view::{ModuleRef, Symbol, View};
use dsvm_sema::builtins;
use dsvm_syntax::ast::ItemKind;
use dsvm_syntax::{Lexeme, lexemes};
use lsp_types::Position;
use serde_json::{Value, json};
use std::path::Path;

/// The call around a place.
struct Call<'t> {
    /// What stands before the dot: `common` in `common.name(`.
    module: Option<&'t str>,
    function: &'t str,
    /// Arguments before the place.
    before: usize,
    /// The name of the argument at the place.
    named: Option<&'t str>,
}

#[derive(Default)]
struct Bracket<'t> {
    call: Option<(Option<&'t str>, &'t str)>,
    before: usize,
    named: Option<&'t str>,
}

fn call(text: &str, offset: usize) -> Option<Call<'_>> {
    let mut open: Vec<Bracket<'_>> = Vec::new();
    let mut last: [Option<(Lexeme, &str)>; 3] = [None; 3];
    for (kind, start, end) in lexemes(text) {
        if start >= offset {
            break;
        }
        let written = text.get(start..end)?;
        match (kind, written) {
            (Lexeme::Comment | Lexeme::Newline, _) => continue,
            (Lexeme::Open, "(") => {
                let call = match last {
                    [Some((Lexeme::Word, module)), Some((_, ".")), Some((Lexeme::Word, name))] => {
                        Some((Some(module), name))
                    }
                    [_, _, Some((Lexeme::Word, name))] => Some((None, name)),
                    _ => None,
                };
                open.push(Bracket { call, ..Bracket::default() });
            }
            (Lexeme::Open, _) => open.push(Bracket::default()),
            // Behind a closing bracket the call is over; before it, it is not.
            (Lexeme::Close, _) => drop(open.pop()),
            (Lexeme::Sign, ",") => {
                if let Some(bracket) = open.last_mut() {
                    bracket.before += 1;
                    bracket.named = None;
                }
            }
            (Lexeme::Sign, "=") => {
                if let (Some(bracket), Some((Lexeme::Word, name))) = (open.last_mut(), last[2]) {
                    bracket.named = Some(name);
                }
            }
            _ => {}
        }
        last = [last[1], last[2], Some((kind, written))];
    }
    let bracket = open.pop()?;
    let (module, function) = bracket.call?;
    Some(Call { module, function, before: bracket.before, named: bracket.named })
}

/// The parameters of a signature as it is written, by the commas in its parentheses.
fn parameters(signature: &str) -> Vec<&str> {
    let Some(start) = signature.find('(') else { return Vec::new() };
    let mut depth = 0usize;
    let mut from = start + 1;
    let mut found = Vec::new();
    for (kind, at, end) in lexemes(signature) {
        match (kind, signature.get(at..end)) {
            (Lexeme::Open, _) => depth += 1,
            (Lexeme::Close, _) if depth == 1 => {
                found.extend(signature.get(from..at).map(str::trim).filter(|text| !text.is_empty()));
                break;
            }
            (Lexeme::Close, _) => depth = depth.saturating_sub(1),
            (Lexeme::Sign, Some(",")) if depth == 1 => {
                found.extend(signature.get(from..at).map(str::trim));
                from = end;
            }
            _ => {}
        }
    }
    found
}

pub(crate) fn help(state: &mut State, path: &Path, position: Position) -> Value {
    let Some(view) = View::of(state, path) else { return Value::Null };
    let Some(file) = view.file(path).and_then(|at| view.files.get(at)) else { return Value::Null };
    let offset = Lines::new(&file.text, state.encoding).offset(position);
    let Some(call) = call(&file.text, offset) else { return Value::Null };
    let Some((signatures, doc)) = of(&view, file.module, &call) else { return Value::Null };
    let signatures: Vec<Value> = signatures
        .iter()
        .map(|signature| {
            let parameters = parameters(signature);
            let named = call.named.and_then(|name| {
                parameters.iter().position(|parameter| parameter.split([':', ' ']).next() == Some(name))
            });
            // `…` takes all that follow.
            let active = named.unwrap_or(call.before).min(parameters.len().saturating_sub(1));
            let labels: Vec<Value> = parameters.iter().map(|label| json!({ "label": label })).collect();
            json!({
                "label": signature, "documentation": { "kind": "markdown", "value": doc },
                "parameters": labels, "activeParameter": active,
            })
        })
        .collect();
    let active = signatures.iter().position(|signature| {
        signature.get("parameters").and_then(Value::as_array).is_some_and(|all| all.len() > call.before)
    });
    let active = active.unwrap_or_default();
    let parameter = signatures.get(active).and_then(|signature| signature.get("activeParameter")).cloned();
    json!({ "signatures": signatures, "activeSignature": active, "activeParameter": parameter })
}

/// The signatures of what is called, and what it does.
fn of(view: &View, module: usize, call: &Call<'_>) -> Option<(Vec<String>, String)> {
    let symbol = match call.module {
        None => view.symbol(ModuleRef::Own(module), call.function),
        Some(name) => match view.symbol(ModuleRef::Own(module), name)? {
            Symbol::Module(target) => view.symbol(target, call.function),
            _ => None,
        },
    };
    if let Some(Symbol::Declared(module, name)) = symbol {
        let (file, item) = view.declared(module, &name)?;
        let ItemKind::Fn(function) = &item.kind else { return None };
        let text = &view.files.get(file)?.text;
        // The head as it is written, on one line.
        let end = function.result.as_ref().map(|ty| ty.span.end);
        let end = end.or_else(|| {
            let body = text.get(..function.body.span.start as usize)?;
            Some(body.rfind('=')? as u32)
        })?;
        let head = text.get(function.name.span.start as usize..end as usize)?;
        let head = head.split_whitespace().collect::<Vec<_>>().join(" ");
        return Some((vec![head], item.doc.as_deref().unwrap_or_default().to_owned()));
    }
    if let Some(chooser) = builtins::chooser(call.function).filter(|_| call.module.is_none()) {
        return Some((vec![chooser.signature.to_owned()], chooser.doc.to_owned()));
    }
    let builtin = builtins::all().find(|builtin| builtin.name == call.function && call.module.is_none())?;
    let signatures = builtin.signature.split(" · ").map(str::to_owned).collect();
    Some((signatures, describe::function_doc(builtin)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_open_call_counts() {
        let at = |text: &str| {
            let offset = text.find('|').unwrap();
            let text = text.replacen('|', "", 1);
            call(&text, offset).map(|call| format!("{} {} {:?}", call.function, call.before, call.named))
        };
        assert_eq!(at("let a = join(x, |"), Some("join 1 None".to_owned()));
        assert_eq!(at("let a = join(split(x, y), |)"), Some("join 1 None".to_owned()));
        assert_eq!(at("let a = join(split(x, |y), z)"), Some("split 1 None".to_owned()));
        assert_eq!(at("let a = f([1, 2|], 3)"), None);
        assert_eq!(at("let a = f(b = 1, c = |"), Some("f 1 Some(\"c\")".to_owned()));
        assert_eq!(at("let a = f(1) + |"), None);
        assert_eq!(at("let a = m.f(|"), Some("f 0 None".to_owned()));
    }

    #[test]
    fn parameters_are_separated_by_commas_outside_of_brackets() {
        assert_eq!(parameters("f(a: [int], b: { c: int, d: int } = { c = 1, d = 2 }): int").len(), 2);
        assert_eq!(parameters("min(a: T, b: T, …): T"), ["a: T", "b: T", "…"]);
        assert!(parameters("f(): int").is_empty());
    }
}
