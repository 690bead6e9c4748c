//! The fields of a block: what was written, and behind it the defaults of its kind, which all blocks share.

use super::checked::Field;
use super::compiled::{Compiled, compiled};
use super::table::{BlockKind, FieldId};
use super::value::Value;

/// Fields of one block. Few are written in a block, so they are a list; defaults are there once for the whole process.
#[derive(Clone, Debug)]
pub struct Fields {
    kind: BlockKind,
    own: Vec<(FieldId, Field)>,
}

impl Fields {
    /// No fields yet, of a block of that kind.
    pub(crate) fn new(kind: BlockKind) -> Self {
        Self { kind, own: Vec::new() }
    }

    fn row(&self) -> &'static Compiled {
        compiled(self.kind)
    }

    /// A field by its name, written or defaulted.
    pub(crate) fn get(&self, name: &str) -> Option<&Field> {
        self.at(self.id_of(name)?)
    }

    /// The place of a field in the table by its name.
    pub(crate) fn id_of(&self, name: &str) -> Option<FieldId> {
        self.row().fields.get(name).copied()
    }

    /// A field by its place in the table, written or defaulted.
    pub(crate) fn at(&self, id: FieldId) -> Option<&Field> {
        self.own_field(id).or_else(|| self.row().default_of(id))
    }

    /// A field that is in the block itself.
    pub(crate) fn own_field(&self, id: FieldId) -> Option<&Field> {
        self.own.iter().find(|(known, _)| *known == id).map(|(_, field)| field)
    }

    /// The value of a field that is in the block itself.
    pub(crate) fn own_value(&self, id: FieldId) -> Option<&Value> {
        self.own_field(id).map(|field| &field.value)
    }

    /// Makes room for so many more, and no more.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.own.reserve_exact(more);
    }

    /// Sets a field, also one that is there.
    pub(crate) fn set(&mut self, id: FieldId, field: Field) {
        match self.own.iter_mut().find(|(known, _)| *known == id) {
            Some((_, old)) => *old = field,
            None => self.own.push((id, field)),
        }
    }

    /// Sets a field by its name; a name that the kind does not have is refused.
    pub(crate) fn insert(&mut self, name: &str, field: Field) -> bool {
        let id = self.row().fields.get(name);
        id.map(|id| self.set(*id, field)).is_some()
    }

    /// Gives back the room that no field needed.
    pub(crate) fn shrink(&mut self) {
        self.own.shrink_to_fit();
    }

    /// What is in the block itself, in source order, by place in the table.
    pub(crate) fn own_ids(&self) -> impl Iterator<Item = (FieldId, &Field)> {
        self.own.iter().map(|(id, field)| (*id, field))
    }

    /// What is in the block itself, in source order.
    pub fn own(&self) -> impl Iterator<Item = (&'static str, &Field)> {
        let row = self.row();
        self.own.iter().map(|(id, field)| (row.name(*id), field))
    }

    /// What is in the block itself, then the defaults.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Field)> {
        let row = self.row();
        let missing = row.defaults().iter().filter(|(id, _)| self.own_field(*id).is_none());
        self.own().chain(missing.map(|(id, field)| (row.name(*id), field)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dsvm_diagnostics::source::{SourceId, Span};

    #[test]
    fn what_is_written_hides_the_default() {
        let span = Span::new(SourceId::file(0), 0, 0);
        let mut fields = Fields::new(BlockKind::Vault);
        let field =
            Field { value: Value::Duration(7), name_span: span, value_span: span, defaulted: false, reached: false };
        assert!(fields.insert("retention", field.clone()));
        assert!(!fields.insert("wheels", field));
        let value = |name: &str| fields.get(name).map(|field| field.value.clone());
        assert_eq!(value("retention"), Some(Value::Duration(7)));
        assert_eq!(value("sku"), Some(Value::String("standard".into())));
        assert_eq!(value("name"), None);
        let all: Vec<_> = fields.iter().map(|(name, field)| (name, field.defaulted)).collect();
        assert_eq!(
            all,
            [("retention", false), ("prevent_destroy", true), ("sku", true), ("access", true), ("for_templates", true)]
        );
    }
}
