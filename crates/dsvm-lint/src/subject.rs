//! What a rule looks at, and how it says what it found.

use crate::arm;
use crate::settings::Options;
use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Code, Diagnostic};
use dsvm_graph::json::Json;
use dsvm_graph::{Node, ResourceGraph};
use dsvm_model::Fleet;
use dsvm_model::batch::BatchPool;
use dsvm_model::pool::Pool;
use dsvm_sema::checked::{Block, Checked};
use dsvm_sema::table::facts::Region;
use dsvm_sema::table::schema::{CommonField, View};
use dsvm_sema::value::Value;
use jiff::civil::Date;

/// A project without errors, symbolic or with the values of one env.
#[derive(Clone, Copy)]
pub struct Subject<'s, 'a> {
    /// Pools and what they use.
    pub fleet: &'s Fleet<'a>,
    /// The resources that they become.
    pub graph: &'s ResourceGraph,
    /// The program that the fleet was made from.
    pub checked: &'a Checked,
    /// The day that dates are compared with.
    pub as_of: Date,
}

/// What one rule looks at: the project, and the options of the rule.
pub(crate) struct Look<'s, 'a> {
    pub(crate) fleet: &'s Fleet<'a>,
    pub(crate) graph: &'s ResourceGraph,
    pub(crate) checked: &'a Checked,
    pub(crate) as_of: Date,
    pub(crate) options: Options<'s>,
}

impl<'a> Subject<'_, 'a> {
    pub(crate) fn with<'o>(&'o self, options: Options<'o>) -> Look<'o, 'a> {
        Look { fleet: self.fleet, graph: self.graph, checked: self.checked, as_of: self.as_of, options }
    }
}

impl<'s, 'a> Look<'s, 'a> {
    /// Pools that people log in to.
    pub(crate) fn pools(&self) -> impl Iterator<Item = &'s Pool<'a>> + use<'s, 'a> {
        self.fleet.pools.iter()
    }

    /// Pools that run jobs.
    pub(crate) fn batch(&self) -> impl Iterator<Item = &'s BatchPool<'a>> + use<'s, 'a> {
        self.fleet.batch.iter()
    }

    /// The scale set of an interactive pool as it is sent, with its overrides.
    pub(crate) fn scale_set(&self, pool: &Pool<'_>) -> Option<&'s Node> {
        let at = self.fleet.pools.iter().position(|one| one.id == pool.id)?;
        let mut nodes = self.graph.nodes.iter().filter(|node| node.pool.is_some_and(|pool| pool as usize == at));
        nodes.find(|node| node.kind.eq_ignore_ascii_case("Microsoft.Compute/virtualMachineScaleSets"))
    }

    /// Whether a property of a pool's scale set is there and neither `false` nor empty, whoever wrote it.
    pub(crate) fn sets(&self, pool: &Pool<'_>, pointer: &str) -> bool {
        let value = self.scale_set(pool).and_then(|node| arm::at(&node.body, pointer));
        match value {
            None | Some(Json::Null | Json::Bool(false)) => false,
            Some(Json::Array(items)) => !items.is_empty(),
            Some(_) => true,
        }
    }

    /// Resources that the team wrote in ARM's own words.
    pub(crate) fn raw(&self) -> impl Iterator<Item = &'s Node> {
        self.graph.nodes.iter().filter(|node| self.fleet.resources.iter().any(|own| own.block.span == node.span))
    }

    /// The region of a block, when a fact tells of it: its own, else that of the project.
    pub(crate) fn region(&self, block: &'a Block) -> Option<View<'a, Region>> {
        let own = block.common(CommonField::Location).and_then(|field| field.value());
        let written = own.filter(|value| !matches!(value, Value::Null | Value::Error));
        match written.or(self.fleet.location)? {
            Value::Ref(id) => View::new(&self.checked[*id]),
            _ => None,
        }
    }
}

/// A finding: what is so, where, and what to read at the mark.
pub(crate) fn found(title: impl Into<String>, span: Span, label: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::LintFinding, title, span, label)
}
