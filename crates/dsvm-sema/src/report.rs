//! Findings of several runs → one list: a finding of every run is reported once; one of only some envs names them.

use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Code, Diagnostic};
use indexmap::IndexMap;
use std::borrow::Cow;
use std::sync::Arc;

/// What makes two findings the same.
type Key = (Code, Option<Cow<'static, str>>, Option<Span>, Option<String>);

/// Merges what the symbolic run found with what the runs of the envs found. An env named `""` means the defaults.
#[must_use]
pub fn merge(symbolic: Vec<Diagnostic>, envs: Vec<(Arc<str>, Vec<Diagnostic>)>) -> Vec<Diagnostic> {
    // What a team rule says depends on the values, and so do costs.
    let said = |d: &Diagnostic| matches!(d.code, Code::RuleBroken | Code::BudgetExceeded).then(|| d.title.clone());
    let key = |d: &Diagnostic| -> Key { (d.code, d.rule.clone(), d.primary(), said(d)) };
    let mut known: IndexMap<Key, ()> = IndexMap::new();
    for diagnostic in &symbolic {
        known.insert(key(diagnostic), ());
    }
    let mut only = IndexMap::<_, (Diagnostic, Vec<Arc<str>>)>::new();
    for (env, found) in envs {
        for diagnostic in found {
            let key = key(&diagnostic);
            if known.contains_key(&key) {
                continue;
            }
            let (_, names) = only.entry(key).or_insert_with(|| (diagnostic, Vec::new()));
            if !names.contains(&env) {
                names.push(env.clone());
            }
        }
    }
    let mut all = symbolic;
    for (_, (diagnostic, names)) in only {
        let named: Vec<String> = names.iter().filter(|name| !name.is_empty()).map(|name| format!("`{name}`")).collect();
        all.push(match named.as_slice() {
            [] => diagnostic.note("with the defaults of the parameters"),
            [one] => diagnostic.note(format!("in env {one}")),
            [first @ .., last] => diagnostic.note(format!("in envs {} and {last}", first.join(", "))),
        });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use dsvm_diagnostics::source::SourceId;

    fn finding(at: u32) -> Diagnostic {
        Diagnostic::new(Code::TypeMismatch, "x", Span::new(SourceId::file(0), at, at + 1), "here")
    }

    #[test]
    fn what_all_runs_find_is_told_once_and_without_env() {
        let merged = merge(vec![finding(1)], vec![("dev".into(), vec![finding(1)])]);
        assert_eq!(merged, [finding(1)]);
    }

    #[test]
    fn what_only_envs_find_names_them() {
        let envs = vec![("dev".into(), vec![finding(2)]), ("prod".into(), vec![finding(2)])];
        let merged = merge(vec![finding(1)], envs);
        assert_eq!(merged.len(), 2);
        assert_eq!(merged[1].notes, ["in envs `dev` and `prod`"]);
    }
}
