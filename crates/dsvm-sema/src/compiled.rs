//! Rows of the table, made ready for checking: types built, defaults parsed and evaluated, fields found by name.

use super::checked::Field;
use super::eval::{Eval, Pass};
use super::load::Program;
use super::parser;
use super::table::{BlockKind, BlockSpec, FieldId, spec};
use super::ty::Ty;
use dsvm_diagnostics::source::{SourceId, Span};
use dsvm_syntax::ast::Expr;
use rustc_hash::FxHashMap;
use std::sync::{LazyLock, OnceLock};

/// A row, ready for use. Built once per process and kind.
pub(crate) struct Compiled {
    pub(crate) spec: &'static BlockSpec,
    pub(crate) fields: FxHashMap<&'static str, FieldId>,
    pub(crate) types: Vec<Ty>,
    /// The fields that have a default, with its value, in the order of the row; and where each field's is in there.
    /// Defaults are words and literals: the same in every run.
    defaults: OnceLock<Defaults>,
}

struct Defaults {
    fields: Vec<(FieldId, Field)>,
    places: Vec<Option<usize>>,
}

static ROWS: LazyLock<Vec<Compiled>> = LazyLock::new(|| BlockKind::ALL.iter().map(|kind| compile(*kind)).collect());

fn compile(kind: BlockKind) -> Compiled {
    let spec = spec(kind);
    Compiled {
        spec,
        fields: spec.fields.iter().zip(0u8..).map(|(field, index)| (field.name, FieldId(index))).collect(),
        types: spec.fields.iter().map(|field| Ty::from(&field.ty)).collect(),
        defaults: OnceLock::new(),
    }
}

/// The row of a kind.
pub(crate) fn compiled(kind: BlockKind) -> &'static Compiled {
    #[expect(clippy::indexing_slicing, reason = "INVARIANT: `ALL` holds each kind at the index of its variant")]
    &ROWS[kind as usize]
}

impl Compiled {
    /// The name of a field.
    pub(crate) fn name(&self, id: FieldId) -> &'static str {
        self.spec.fields.get(id.index()).map_or("", |field| field.name)
    }

    /// All defaults of the row.
    pub(crate) fn defaults(&'static self) -> &'static [(FieldId, Field)] {
        &self.evaluated().fields
    }

    /// The default of a field.
    pub(crate) fn default_of(&'static self, id: FieldId) -> Option<&'static Field> {
        let defaults = self.evaluated();
        defaults.fields.get((*defaults.places.get(id.index())?)?).map(|(_, field)| field)
    }

    fn evaluated(&'static self) -> &'static Defaults {
        static EMPTY: LazyLock<Program> = LazyLock::new(Program::default);
        self.defaults.get_or_init(|| {
            let nowhere = Span::new(SourceId::file(0), 0, 0);
            let expressions: Vec<Option<Expr>> =
                self.spec.fields.iter().map(|field| field.default.and_then(parser::expression)).collect();
            let mut eval = Eval::new(&EMPTY, Pass::Symbolic);
            let mut defaults = Defaults { fields: Vec::new(), places: vec![None; self.types.len()] };
            for (index, (default, ty)) in expressions.iter().zip(&self.types).enumerate() {
                let Some(default) = default else { continue };
                let value = eval.eval_as(default, ty);
                let field = Field { value, name_span: nowhere, value_span: nowhere, defaulted: true, reached: false };
                if let Some(place) = defaults.places.get_mut(index) {
                    *place = Some(defaults.fields.len());
                }
                defaults.fields.push((FieldId(index as u8), field));
            }
            defaults
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_of_each_field_reads_as_its_type() {
        for kind in BlockKind::ALL {
            for (field, index) in spec(*kind).fields.iter().zip(0u8..) {
                let default = compiled(*kind).default_of(FieldId(index));
                assert_eq!(field.default.is_some(), default.is_some(), "{kind:?}.{}", field.name);
                assert!(default.is_none_or(|default| (field.reads)(&default.value)), "{kind:?}.{}", field.name);
            }
        }
    }

    #[test]
    fn each_kind_is_at_the_index_of_its_variant() {
        for (index, kind) in BlockKind::ALL.iter().enumerate() {
            assert_eq!((*kind as usize, spec(*kind).kind), (index, *kind));
            assert!(spec(*kind).fields.len() < 256, "{kind:?}");
        }
    }
}
