//! Rows of the table, made ready for checking: types built, defaults parsed, fields found by name.

use super::fields::Defaults;
use super::hash::FastMap;
use super::parser;
use super::table::{BlockKind, BlockSpec, spec};
use super::ty::Ty;
use dsvm_syntax::ast;
use std::sync::{LazyLock, OnceLock};

/// A row, ready for use. Built once per process and kind.
pub(crate) struct Compiled {
    pub(crate) spec: &'static BlockSpec,
    pub(crate) fields: FastMap<&'static str, usize>,
    pub(crate) types: Vec<Ty>,
    pub(crate) defaults: Vec<Option<ast::Expr>>,
    /// Values of the defaults, once a run has found them. They are words and literals: the same in every run.
    pub(crate) values: OnceLock<Defaults>,
}

static ROWS: LazyLock<Vec<OnceLock<Compiled>>> =
    LazyLock::new(|| BlockKind::ALL.iter().map(|_| OnceLock::new()).collect());

/// The row of a kind.
pub(crate) fn compiled(kind: BlockKind) -> Option<&'static Compiled> {
    ROWS.get(kind as usize).map(|cell| {
        cell.get_or_init(|| {
            let spec = spec(kind);
            Compiled {
                spec,
                fields: spec.fields.iter().enumerate().map(|(index, field)| (field.name, index)).collect(),
                types: spec.fields.iter().map(|field| Ty::from(&field.ty)).collect(),
                defaults: spec.fields.iter().map(|field| field.default.and_then(parser::expression)).collect(),
                values: OnceLock::new(),
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_of_the_table_can_be_parsed() {
        for kind in BlockKind::ALL {
            let row = compiled(*kind).unwrap();
            for (field, default) in row.spec.fields.iter().zip(&row.defaults) {
                assert_eq!(field.default.is_some(), default.is_some(), "{}.{}", kind.keyword(), field.name);
            }
        }
    }
}
