//! What `sema` hands to `model`: a program without names to resolve and without unknown fields.

use super::priced::Choice;
use super::table::schema::{CommonField, FieldRef};
use super::table::types::RefTo;
use super::table::{BlockKind, Kind, View};
use super::value::{BlockId, Value};
use dsvm_diagnostics::Diagnostic;
use dsvm_diagnostics::source::Span;
use indexmap::IndexMap;
use std::sync::Arc;

/// One project, either symbolic (`env` is `None`) or with the values of one env.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// The env whose values are filled in.
    pub env: Option<Arc<str>>,
    /// All blocks that the project declares or refers to, expanded (`pool x[…]`, `from`): [`BlockId`] is the index.
    /// Library blocks (`images.ubuntu_2204`) are here only when they are referred to; `origin` tells.
    pub blocks: Vec<Block>,
    /// Parameters in source order.
    pub params: Vec<Param>,
    /// Envs in source order, their values checked and constant.
    pub envs: Vec<EnvValues>,
    /// Template outputs in source order.
    pub outputs: Vec<Output>,
    /// The project block, once it was found.
    pub project: Option<BlockId>,
    /// What breaks a rule of the team and is allowed by a comment.
    pub exempt: Vec<ExemptFinding>,
    /// Sizes that were chosen by price in this run.
    pub choices: Vec<Choice>,
}

/// A finding that a comment allows.
#[derive(Clone, Debug)]
pub struct ExemptFinding {
    /// What would be told without the comment.
    pub diagnostic: Diagnostic,
    /// Why it is allowed, as the comment says.
    pub reason: Arc<str>,
    /// Where that comment stands.
    pub comment: Span,
}

/// Where a block comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Declared in the project or in a file that it imports.
    Project,
    /// A fact of the standard library: emits nothing.
    Library,
}

/// A declared thing with all its fields, which a [`View`] of its kind reads. Other crates cannot read one by its name:
///
/// ```compile_fail,E0624
/// fn location(block: &dsvm_sema::checked::Block) -> Option<&dsvm_sema::value::Value> {
///     block.get("location")
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Block {
    /// What kind of thing it declares.
    pub kind: BlockKind,
    /// `interactive` for pools; the type with its version for `resource`.
    pub class: Option<Arc<str>>,
    /// Its name; for `pool p[x in xs]` the base name followed by `-` and the key.
    pub name: Arc<str>,
    /// The key of a repeated block.
    pub key: Option<Arc<str>>,
    /// Managed by somebody else.
    pub existing: bool,
    /// Text of the doc comment above it.
    pub doc: Option<Arc<str>>,
    /// Declared by the project or by the library.
    pub origin: Origin,
    /// The whole declaration in the source.
    pub span: Span,
    /// Its name, or its keyword when it has none.
    pub name_span: Span,
    /// Fields that were written (or inherited with `from`), plus defaults of the table (marked).
    pub fields: Fields,
    /// Nested blocks and phrases in source order (`autoscale`, `when`, `link`, `schedule`, `allow`, …).
    pub children: Vec<Block>,
    /// `override { … }` and the body of `resource`: free-form, deferred parts allowed.
    pub free: Option<Box<Free>>,
    /// Whether anything in it was made from something that an env can set.
    pub(crate) reached: bool,
}

/// A body in ARM's own words.
#[derive(Clone, Debug)]
pub struct Free {
    /// The body: always a record.
    pub value: Value,
    /// Where its properties were written, outer ones before inner ones.
    pub places: Vec<Place>,
}

/// Where a property was written.
#[derive(Clone, Debug)]
pub struct Place {
    /// JSON pointer into the body.
    pub pointer: String,
    /// Its name; the value itself for elements of lists.
    pub name: Span,
    /// Where its value was written.
    pub value: Span,
}

impl Free {
    /// The place of a property, or of the innermost one around it that was written.
    #[must_use]
    pub fn place(&self, pointer: &str) -> Option<&Place> {
        let around = |place: &&Place| {
            pointer.strip_prefix(place.pointer.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.places.iter().filter(around).max_by_key(|place| place.pointer.len())
    }
}

impl Block {
    /// The field's value; `None` when it was neither written nor defaulted. Readers outside use a [`View`].
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.fields.get(name).map(|f| &f.value)
    }

    /// A field that blocks of many kinds have; `None` when blocks of this kind do not have it.
    #[must_use]
    pub fn common(&self, field: CommonField) -> Option<FieldRef<'_>> {
        Some(FieldRef { block: self, id: self.fields.id_of(field.name())? })
    }

    /// Where a field or a nested block was written, by a path such as `tags` or `predict.mode`; `.` is the block itself.
    /// `None` when it was not written. It gives no values: a [`View`] reads them.
    #[must_use]
    pub fn place_of(&self, path: &str) -> Option<Span> {
        let child = |keyword: &str| self.children.iter().find(|c| c.kind.keyword() == keyword);
        match path.split_once('.') {
            _ if path == "." => Some(self.name_span),
            Some((head, rest)) => child(head)?.place_of(rest),
            None => match self.fields.get(path).filter(|f| !f.defaulted) {
                Some(field) => Some(field.value_span),
                None => child(path).map(|c| c.name_span),
            },
        }
    }

    /// Nested blocks of one kind.
    pub fn children(&self, kind: BlockKind) -> impl Iterator<Item = &Block> {
        self.children.iter().filter(move |c| c.kind == kind)
    }

    /// Where to point for a field: its value, else the block's name.
    pub(crate) fn span_of(&self, name: &str) -> Span {
        self.fields.get(name).filter(|f| !f.defaulted).map_or(self.name_span, |f| f.value_span)
    }
}

pub use super::fields::Fields;

/// A field's value and places.
#[derive(Clone, Debug)]
pub struct Field {
    /// Type-checked against the table.
    pub value: Value,
    /// Where the name was written.
    pub name_span: Span,
    /// Where the value was written.
    pub value_span: Span,
    /// Not written: the table's default. Its places mean nothing then.
    pub defaulted: bool,
    /// Whether its value was made from something that an env can set; the run of an env takes all others as they are.
    pub(crate) reached: bool,
}

/// A parameter of the template, checked.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its name in program and template.
    pub name: Arc<str>,
    /// ARM type: `string`, `int`, `bool`, `array`, `object`, `securestring`, `secureObject`.
    pub arm_type: &'static str,
    /// Its values must never be shown.
    pub secret: bool,
    /// Default, constant or deferred over other parameters.
    pub default: Option<Value>,
    /// Inclusive bounds of a refinement.
    pub min: Option<i64>,
    /// Inclusive bounds of a refinement.
    pub max: Option<i64>,
    /// Fewest characters or elements, inclusive.
    pub min_length: Option<i64>,
    /// Most characters or elements, inclusive.
    pub max_length: Option<i64>,
    /// The only values that it takes: `"dev" | "prod"`.
    pub allowed: Option<Vec<Value>>,
    /// It may be `null`: `T?`.
    pub nullable: bool,
    /// Doc comment: becomes the description.
    pub doc: Option<Arc<str>>,
    /// Where its name was written.
    pub name_span: Span,
    /// Whether anything uses it.
    pub used: bool,
}

/// Values of one env.
#[derive(Clone, Debug)]
pub struct EnvValues {
    /// Its name, as in `--env`.
    pub name: Arc<str>,
    /// Where its name was written.
    pub name_span: Span,
    /// Constant values by parameter; a secret may be a Key Vault reference (a record with `vault` and `secret`).
    pub values: IndexMap<Arc<str>, (Value, Span)>,
}

/// An output of the template, checked.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its name in program and template.
    pub name: Arc<str>,
    /// ARM type, as of parameters.
    pub arm_type: &'static str,
    /// Its value, constant or deferred.
    pub value: Value,
    /// Text of the doc comment above it.
    pub doc: Option<Arc<str>>,
    /// Where its name was written.
    pub name_span: Span,
    /// Where its value was written.
    pub value_span: Span,
}

/// A program that was checked without an error: the only input of emission. Made by [`Clean::new`].
#[derive(Clone, Debug)]
pub struct Clean<T>(T);

impl<T> Clean<T> {
    /// Wraps `value` when the sink holds no error.
    #[must_use]
    pub fn new(value: T, sink: &dsvm_diagnostics::Sink) -> Option<Self> {
        (!sink.has_errors()).then_some(Self(value))
    }

    /// What was checked, by reference.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// What was checked, by value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl Checked {
    /// The block that a field refers to.
    #[must_use]
    pub fn view<K: Kind>(&self, reference: RefTo<K>) -> View<'_, K> {
        // INVARIANT: the checker lets only blocks of the kind into a field that refers to it.
        View::trusted(&self[reference.id])
    }

    /// All blocks of a kind, in the order of the program.
    pub fn all<K: Kind>(&self) -> impl Iterator<Item = (BlockId, View<'_, K>)> {
        let ids = (0u32..).map(BlockId);
        ids.zip(&self.blocks).filter_map(|(id, block)| Some((id, View::new(block)?)))
    }
}

/// Looks up a block.
impl std::ops::Index<BlockId> for Checked {
    type Output = Block;
    fn index(&self, id: BlockId) -> &Block {
        #[expect(clippy::indexing_slicing, reason = "INVARIANT: a BlockId is made only when its block is pushed")]
        &self.blocks[id.0 as usize]
    }
}
