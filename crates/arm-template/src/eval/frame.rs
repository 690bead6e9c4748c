//! The bindings in scope of an expression: the iteration of a loop, the parameters of a lambda or function.

use crate::value::{Value, same_name};
use std::sync::Arc;

/// Which functions may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The default value of a parameter.
    Default,
    /// The value of a variable.
    Variable,
    /// Name, type, scope, condition or count of a resource: known before the deployment starts.
    Identity,
    /// Parameters of a nested deployment: like a body, but kept in parts.
    Argument,
    /// The body of a resource.
    Body,
    /// The value of an output.
    Output,
    /// The body of a user-defined function.
    Function,
    /// At deployment time, everything.
    Resolve,
}

impl Phase {
    /// True where values of deployed resources may be read.
    pub fn allows_runtime(self) -> bool {
        matches!(self, Phase::Argument | Phase::Body | Phase::Output | Phase::Resolve)
    }

    /// True where the time and new identifiers may be had.
    pub fn allows_fresh(self) -> bool {
        matches!(self, Phase::Default | Phase::Resolve)
    }
}

/// One layer of bindings on top of others.
pub(crate) struct Frame<'f> {
    pub phase: Phase,
    parent: Option<&'f Frame<'f>>,
    binding: Binding<'f>,
}

enum Binding<'f> {
    None,
    Copy { name: Option<&'f str>, index: Value, kind: Loop },
    Lambda { names: &'f [Arc<str>], values: &'f [Value] },
    Function { parameters: &'f [(Arc<str>, Value)] },
}

/// Which kind of loop an index belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loop {
    /// Of resources or outputs: `copyIndex()` without a name means it.
    Element,
    /// Of a property or variable.
    Property,
}

impl<'f> Frame<'f> {
    /// The outermost frame, without bindings.
    pub fn root(phase: Phase) -> Frame<'static> {
        Frame { phase, parent: None, binding: Binding::None }
    }

    /// A turn of a loop.
    pub fn turn(&'f self, name: Option<&'f str>, index: Value, kind: Loop) -> Frame<'f> {
        Frame { phase: self.phase, parent: Some(self), binding: Binding::Copy { name, index, kind } }
    }

    /// Parameters of a lambda.
    pub fn lambda(&'f self, names: &'f [Arc<str>], values: &'f [Value]) -> Frame<'f> {
        Frame { phase: self.phase, parent: Some(self), binding: Binding::Lambda { names, values } }
    }

    /// Parameters of a user-defined function, which sees nothing else.
    pub fn function(parameters: &'f [(Arc<str>, Value)]) -> Frame<'f> {
        Frame { phase: Phase::Function, parent: None, binding: Binding::Function { parameters } }
    }

    fn layers(&'f self) -> impl Iterator<Item = &'f Frame<'f>> {
        std::iter::successors(Some(self), |frame| frame.parent)
    }

    /// The index of a loop by name, or of the nearest one.
    pub fn copy_index(&'f self, wanted: Option<&str>) -> Option<Value> {
        let loops = || {
            self.layers().filter_map(|f| {
                if let Binding::Copy { name, index, kind } = &f.binding { Some((name, index, kind)) } else { None }
            })
        };
        let found = match wanted {
            Some(wanted) => loops().find(|(name, _, _)| name.is_some_and(|n| same_name(n, wanted))),
            None => loops().find(|(_, _, kind)| **kind == Loop::Element).or_else(|| loops().next()),
        };
        found.map(|(_, index, _)| index.clone())
    }

    /// The value of a lambda parameter.
    pub fn lambda_variable(&'f self, wanted: &str) -> Option<Value> {
        self.layers().find_map(|frame| match &frame.binding {
            Binding::Lambda { names, values } => {
                names.iter().position(|n| same_name(n, wanted)).and_then(|at| values.get(at).cloned())
            }
            _ => None,
        })
    }

    /// The parameters of the user-defined function that is being evaluated.
    pub fn function_parameters(&'f self) -> Option<&'f [(Arc<str>, Value)]> {
        self.layers()
            .find_map(|f| if let Binding::Function { parameters } = &f.binding { Some(*parameters) } else { None })
    }
}
