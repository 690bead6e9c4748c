//! The macros and traits behind the table: one declaration of a kind makes its row, its type and its accessors.

use super::{BlockKind, BlockSpec};
use crate::checked::{Block, Field};
use crate::compiled::compiled;
use crate::value::Value;
use dsvm_diagnostics::source::Span;
use std::marker::PhantomData;

use super::types::{FieldValue, Late};

/// A kind of block as a type: `View<'_, Share>` reads a share and nothing else.
pub trait Kind: Copy + 'static {
    /// The kind as a value.
    const KIND: BlockKind;
    /// Its row of the table.
    const SPEC: BlockSpec;
}

/// Place of a field in the row of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldId(pub(crate) u8);

impl FieldId {
    /// Index of the field in [`BlockSpec::fields`].
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A block of kind `K`, read field by field: each field of the table is a method.
#[derive(Debug)]
pub struct View<'a, K> {
    block: &'a Block,
    kind: PhantomData<K>,
}

impl<K> Clone for View<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for View<'_, K> {}

impl<'a, K: Kind> View<'a, K> {
    /// A view of the block; `None` when it is of another kind.
    #[must_use]
    pub fn new(block: &'a Block) -> Option<Self> {
        (block.kind == K::KIND).then_some(Self { block, kind: PhantomData })
    }

    /// A view of a block that is known to be of the kind.
    pub(crate) fn trusted(block: &'a Block) -> Self {
        debug_assert_eq!(block.kind, K::KIND);
        Self { block, kind: PhantomData }
    }

    /// The block itself: its name, places, nested blocks and free-form body.
    #[must_use]
    pub fn block(self) -> &'a Block {
        self.block
    }

    /// The fields as places: where one was written, and whether it was.
    #[must_use]
    pub fn fields(self) -> FieldsOf<'a, K> {
        FieldsOf { block: self.block, kind: PhantomData }
    }

    /// An early field without a default.
    pub(crate) fn optional<T: FieldValue>(self, field: FieldId) -> Option<T::Out<'a>> {
        T::read(self.block.fields.own_value(field)?)
    }

    /// An early field with a default, which also replaces a value that was rejected.
    pub(crate) fn defaulted<T: FieldValue>(self, field: FieldId) -> T::Out<'a> {
        let own = self.block.fields.own_value(field).and_then(T::read);
        #[expect(clippy::expect_used, reason = "INVARIANT: a test reads the default of each field as its type")]
        own.unwrap_or_else(|| {
            compiled(K::KIND).default_of(field).and_then(|f| T::read(&f.value)).expect("a default of its field's type")
        })
    }

    /// A field that the deployment may know only.
    pub(crate) fn late<T: FieldValue>(self, field: FieldId) -> Option<Late<'a, T>> {
        Late::new(self.block.fields.at(field).map(|f| &f.value)?)
    }
}

/// The fields of a block of kind `K` as places: each field of the table is a method that gives a [`FieldRef`].
#[derive(Debug)]
pub struct FieldsOf<'a, K> {
    pub(crate) block: &'a Block,
    kind: PhantomData<K>,
}

impl<K> Clone for FieldsOf<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for FieldsOf<'_, K> {}

/// A field that blocks of many kinds have, for readers that do not care about the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommonField {
    /// Region of the block's resources.
    Location,
    /// Name of the resource in Azure.
    Name,
    /// The resource group of the block's resources.
    ResourceGroup,
    /// Tags of the block's resources, beside those of the project.
    Tags,
}

impl CommonField {
    /// Its name in the language.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Location => "location",
            Self::Name => "name",
            Self::ResourceGroup => "resource_group",
            Self::Tags => "tags",
        }
    }
}

/// One field of one block.
#[derive(Clone, Copy, Debug)]
pub struct FieldRef<'a> {
    /// The block that has it.
    pub block: &'a Block,
    pub(crate) id: FieldId,
}

impl<'a> FieldRef<'a> {
    /// Its name in the language.
    #[must_use]
    pub fn name(self) -> &'static str {
        super::spec(self.block.kind).fields.get(self.id.index()).map_or("", |spec| spec.name)
    }

    /// Value and places, written or defaulted; `None` when it is neither.
    #[must_use]
    pub fn field(self) -> Option<&'a Field> {
        self.block.fields.at(self.id)
    }

    /// The value, written or defaulted, whatever it is: deferred and refused values included.
    #[must_use]
    pub fn value(self) -> Option<&'a Value> {
        self.field().map(|field| &field.value)
    }

    /// Where to point for it: its value, else the block's name.
    #[must_use]
    pub fn span(self) -> Span {
        let own = self.block.fields.own_field(self.id).filter(|field| !field.defaulted);
        own.map_or(self.block.name_span, |field| field.value_span)
    }

    /// Whether it was written and is not `null`.
    #[must_use]
    pub fn written(self) -> bool {
        let own = self.block.fields.own_field(self.id);
        own.is_some_and(|field| !field.defaulted && field.value != Value::Null)
    }
}

/// A field's name without the mark of a raw identifier.
pub(crate) const fn plain_name(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

/// Declares kinds of block; see the module's documentation for the form.
macro_rules! blocks {
    ($(
        $(#[doc = $doc:literal])+
        $kind:ident {
            head: $head:expr $(, $flag:ident)*;
            $(fields {
                $($(#[doc = $field_doc:literal])+ $field:ident: $ty:ty $(= $default:literal)? $(, $mode:ident)*;)*
            })?
            $(children { $($child:ident: $most:tt $of:ident;)* })?
            $(attributes $attributes:ident {
                $($(#[doc = $attribute_doc:literal])+ $attribute:ident: $attribute_ty:literal;)*
            })?
        }
    )*) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $kind;

        impl $crate::table::schema::Kind for $kind {
            const KIND: $crate::table::BlockKind = $crate::table::BlockKind::$kind;
            const SPEC: $crate::table::BlockSpec = $crate::table::BlockSpec {
                fields: &[$($(
                    $crate::table::FieldSpec::new(
                        $crate::table::schema::plain_name(stringify!($field)),
                        <$ty as $crate::table::types::FieldValue>::TYPE,
                        concat!($($field_doc),+).trim_ascii_start(),
                        |value| <$ty as $crate::table::types::FieldValue>::read(value).is_some(),
                    )$(.default($default))?$(.$mode())*,
                )*)?],
                children: &[$($(
                    ($crate::table::BlockKind::$of, $crate::table::schema::most!($most)),
                )*)?],
                attributes: &[$($(
                    (stringify!($attribute), $attribute_ty, concat!($($attribute_doc),+).trim_ascii_start()),
                )*)?],
                ..$crate::table::BlockSpec::new(
                    $crate::table::BlockKind::$kind,
                    $head,
                    concat!($($doc),+).trim_ascii_start(),
                )
            }$(.$flag())*;
        }

        $(
            #[doc = concat!("What other blocks read of [`", stringify!($kind), "`].")]
            #[allow(non_camel_case_types, reason = "named as in the language")]
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub enum $attributes {
                $($(#[doc = $attribute_doc])+ $attribute,)*
            }

            impl $attributes {
                /// The attribute of this name in the language; `None` when the kind has no such attribute.
                #[must_use]
                pub fn named(name: &str) -> Option<Self> {
                    $(if name == stringify!($attribute) {
                        return Some(Self::$attribute);
                    })*
                    None
                }
            }
        )?

        const _: () = {
            #[allow(non_camel_case_types, dead_code, reason = "named after fields; only their order counts")]
            enum Index { $($($field,)*)? }

            #[allow(clippy::should_implement_trait, reason = "named after fields of the language")]
            impl<'a> $crate::table::schema::View<'a, $kind> {
                $($(
                    $crate::table::schema::accessor! {
                        [$($field_doc),+] $field, $ty, [$($default)?], [$($mode)*]
                    }
                )*)?
                $($(
                    $crate::table::schema::nested! { $child, $most, $of }
                )*)?
            }

            #[allow(clippy::should_implement_trait, reason = "named after fields of the language")]
            impl<'a> $crate::table::schema::FieldsOf<'a, $kind> {
                $($(
                    #[doc = concat!("The field `", stringify!($field), "`.")]
                    #[must_use]
                    pub fn $field(self) -> $crate::table::schema::FieldRef<'a> {
                        let id = $crate::table::schema::FieldId(Index::$field as u8);
                        $crate::table::schema::FieldRef { block: self.block, id }
                    }
                )*)?
            }
        };
    )*};
}

/// How often a kind may occur inside another; `0` is any number.
macro_rules! most {
    (one) => {
        1
    };
    (any) => {
        0
    };
    ($most:literal) => {
        $most
    };
}

/// The accessor of a field: its type says whether it can be absent, and whether only the deployment may know it.
macro_rules! accessor {
    ([$($doc:literal),+] $field:ident, $ty:ty, [$default:literal], [early]) => {
        $(#[doc = $doc])+
        #[doc = concat!("\nDefault: `", $default, "`.")]
        #[must_use]
        pub fn $field(self) -> <$ty as $crate::table::types::FieldValue>::Out<'a> {
            self.defaulted::<$ty>($crate::table::schema::FieldId(Index::$field as u8))
        }
    };
    ([$($doc:literal),+] $field:ident, $ty:ty, [], [early]) => {
        $crate::table::schema::accessor! { @optional [$($doc),+] $field, $ty }
    };
    ([$($doc:literal),+] $field:ident, $ty:ty, [], [required early]) => {
        $crate::table::schema::accessor! { @optional [$($doc),+] $field, $ty }
    };
    (@optional [$($doc:literal),+] $field:ident, $ty:ty) => {
        $(#[doc = $doc])+
        #[must_use]
        pub fn $field(self) -> Option<<$ty as $crate::table::types::FieldValue>::Out<'a>> {
            self.optional::<$ty>($crate::table::schema::FieldId(Index::$field as u8))
        }
    };
    ([$($doc:literal),+] $field:ident, $ty:ty, [$($default:literal)?], [$(required)?]) => {
        $(#[doc = $doc])+
        #[must_use]
        pub fn $field(self) -> Option<$crate::table::types::Late<'a, $ty>> {
            self.late::<$ty>($crate::table::schema::FieldId(Index::$field as u8))
        }
    };
}

/// The accessor of nested blocks: an option where there can be one, else an iterator.
macro_rules! nested {
    ($child:ident, one, $of:ident) => {
        #[doc = concat!("The nested block `", stringify!($of), "`, if there is one.")]
        #[must_use]
        pub fn $child(self) -> Option<$crate::table::schema::View<'a, $of>> {
            self.block().children.iter().find_map($crate::table::schema::View::new)
        }
    };
    ($child:ident, $most:tt, $of:ident) => {
        #[doc = concat!("The nested blocks `", stringify!($of), "` in source order.")]
        pub fn $child(self) -> impl Iterator<Item = $crate::table::schema::View<'a, $of>> {
            self.block().children.iter().filter_map($crate::table::schema::View::new)
        }
    };
}

/// Declares closed lists of words.
macro_rules! words {
    ($($(#[$doc:meta])+ pub enum $name:ident { $($variant:ident = $word:literal),+ $(,)? })*) => {$(
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $(#[doc = concat!("`", $word, "`")] $variant,)+ }

        impl $name {
            /// All of them in the order of the docs.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The words of the list in the order of the docs.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word as it is written.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// What the word means, if it is one of the list.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }

        impl $crate::table::types::FieldValue for $name {
            const TYPE: $crate::table::FieldType = $crate::table::FieldType::OneOf(Self::WORDS);
            type Out<'a> = Self;
            fn read(value: &$crate::value::Value) -> Option<Self> {
                match value {
                    $crate::value::Value::String(word) => Self::from_word(word),
                    _ => None,
                }
            }
        }
    )*};
}

/// Declares types that take one thing or another; the first that fits is it.
macro_rules! choices {
    ($($(#[$doc:meta])+ pub enum $name:ident $(<$life:lifetime>)? {
        $($(#[$variant_doc:meta])+ $variant:ident($out:ty) = $($ty:ty)|+,)+
    })*) => {$(
        $(#[$doc])+
        #[derive(Clone, Copy, Debug)]
        pub enum $name $(<$life>)? { $($(#[$variant_doc])+ $variant($out),)+ }

        impl $(<$life>)? FieldValue for $name $(<$life>)? {
            const TYPE: FieldType = FieldType::Either(&[$($(<$ty as FieldValue>::TYPE),+),+]);
            $crate::table::schema::choice_out! { $name $($life)? }
            fn read(value: &Value) -> Option<Self::Out<'_>> {
                $($(if let Some(found) = <$ty as FieldValue>::read(value) {
                    return Some($name::$variant(found.into()));
                })+)+
                None
            }
        }
    )*};
}

/// What a reader gets of a choice: the same enum, borrowing from the value.
macro_rules! choice_out {
    ($name:ident) => {
        type Out<'x> = $name;
    };
    ($name:ident $life:lifetime) => {
        type Out<'x> = $name<'x>;
    };
}

pub(crate) use {accessor, blocks, choice_out, choices, most, nested, words};
