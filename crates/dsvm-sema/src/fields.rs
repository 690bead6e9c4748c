//! The fields of a block: what was written, and behind it the defaults of its kind, which all blocks share.

use super::checked::Field;
use super::hash::FastMap;

/// Fields by name. Few are written in a block, so they are a list; defaults are there once for the whole process.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    written: Vec<(&'static str, Field)>,
    defaults: Option<&'static Defaults>,
}

/// The defaults of a kind of block, at the places of their rows.
#[derive(Debug)]
pub(crate) struct Defaults {
    pub(crate) rows: &'static FastMap<&'static str, usize>,
    pub(crate) values: Vec<Option<(&'static str, Field)>>,
}

impl Fields {
    /// A field, written or defaulted.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Field> {
        let written = self.written.iter().find(|(known, _)| *known == name).map(|(_, field)| field);
        written.or_else(|| {
            let defaults = self.defaults?;
            let (_, field) = defaults.values.get(*defaults.rows.get(name)?)?.as_ref()?;
            Some(field)
        })
    }

    /// Whether there is a field of that name, written or defaulted.
    #[must_use]
    pub fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Makes room for so many more, and no more.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.written.reserve_exact(more);
    }

    /// Sets a field.
    pub fn insert(&mut self, name: &'static str, field: Field) {
        match self.written.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = field,
            None => self.written.push((name, field)),
        }
    }

    /// Lets defaults stand for what was not written.
    pub(crate) fn fall_back(&mut self, defaults: &'static Defaults) {
        self.written.shrink_to_fit();
        self.defaults = Some(defaults);
    }

    /// What is in the block itself, in source order.
    pub fn own(&self) -> impl Iterator<Item = (&'static str, &Field)> {
        self.written.iter().map(|(name, field)| (*name, field))
    }

    /// What is in the block itself, then the defaults.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Field)> {
        let defaults = self.defaults.into_iter().flat_map(|defaults| defaults.values.iter().flatten());
        let missing = defaults.filter(|(name, _)| !self.written.iter().any(|(known, _)| known == name));
        self.own().chain(missing.map(|(name, field)| (*name, field)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;
    use dsvm_diagnostics::source::{SourceId, Span};
    use std::sync::LazyLock;

    fn field(number: i64, defaulted: bool) -> Field {
        let span = Span::new(SourceId(0), 0, 0);
        Field { value: Value::Int(number), name_span: span, value_span: span, defaulted }
    }

    static ROWS: LazyLock<FastMap<&'static str, usize>> =
        LazyLock::new(|| [("a", 0), ("b", 1), ("c", 2)].into_iter().collect());
    static DEFAULTS: LazyLock<Defaults> = LazyLock::new(|| Defaults {
        rows: &ROWS,
        values: vec![Some(("a", field(1, true))), None, Some(("c", field(3, true)))],
    });

    #[test]
    fn what_is_written_hides_the_default() {
        let mut fields = Fields::default();
        fields.insert("c", field(30, false));
        fields.fall_back(&DEFAULTS);
        let number = |name: &str| fields.get(name).map(|field| field.value.clone());
        assert_eq!((number("a"), number("b"), number("c")), (Some(Value::Int(1)), None, Some(Value::Int(30))));
        let all: Vec<_> = fields.iter().map(|(name, field)| (name, field.defaulted)).collect();
        assert_eq!(all, [("c", false), ("a", true)]);
    }
}
