//! The one table of block kinds and fields: drives the checker, the docs, the formatter and the readers.
//!
//! Each file holds the kinds of one family. A kind is declared once, with the macro `blocks!` of [`schema`]:
//!
//! ```text
//! blocks! {
//!     /// A file share that every machine of a pool mounts.
//!     Share {
//!         head: Head::Name, top_level, can_exist;
//!         fields {
//!             /// SMB works everywhere; NFS keeps owners and modes of files.
//!             protocol: Protocol = "smb", early;
//!             /// Where machines mount it: an absolute path.
//!             mount: Text, required, early;
//!             /// Capacity, whole GiB.
//!             quota: Bytes;
//!         }
//!         children { links: any Link; }
//!         attributes {
//!             /// Resource id of the share.
//!             id: "string";
//!         }
//!     }
//! }
//! ```
//!
//! The doc comments are the texts of the reference. `= "smb"` is the default as one would write it. From the
//! declaration come the row ([`BlockSpec`], by [`spec`]), the type `Share` and two readers:
//!
//! - [`View<'_, Share>`](View) has one method for each field and each kind of nested block. `View::new(block)` gives one
//!   when the block is of the kind, [`Checked::view`](super::checked::Checked::view) that of a reference and
//!   [`Checked::all`](super::checked::Checked::all) those of all blocks of a kind.
//!
//!   | field | method gives |
//!   |---|---|
//!   | `early` with a default | `T`: the default replaces what was not written or was rejected |
//!   | `early`, or `required, early` | `Option<T>`; nothing of a required field means that it was reported |
//!   | not `early` | `Option<Late<T>>`: `.value()` is the [`Value`], `.known()` the `T` if it is known |
//!   | nested, `one` | `Option<View>` |
//!   | nested, `any` or a number | an iterator of views |
//!
//! - [`view.fields()`](View::fields) has the same methods for places: `share.fields().quota().span()`, `.written()`,
//!   `.value()`, `.name()`. A [`FieldRef`] is what a function takes that works on any field.
//!
//! `T` is of [`types`] (`Text` reads as `&str`, `Bytes` and `Seconds` as `i64`, `Ref<Vault>` as [`types::RefTo`],
//! `List<Text>` as [`types::ListOf`]), an enum of [`words`], or one of [`choices`] where a field takes one thing or
//! another. Readers match these enums without `_`: a word that is added does not compile until it is handled.

pub mod choices;
pub mod schema;
pub mod types;
pub mod words;

pub mod autoscale;
pub mod batch;
pub mod facts;
pub mod identity;
pub mod network;
pub mod pool;
pub mod project;
pub mod registry;
pub mod resource;
pub mod share;
pub mod vault;
mod lookup;
mod synonyms;

use super::value::Value;

pub use lookup::{classes, kind_in, kind_of, kinds_at_top_level, shown, spec, suggest};
pub use schema::{FieldId, FieldRef, Kind, View};
pub use synonyms::suggest_word;

macro_rules! kinds {
    ($($family:ident: $($variant:ident = $keyword:literal),+;)*) => {
        /// Every kind of block, top-level and nested, in the order of the docs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum BlockKind { $($(#[doc = concat!("`", $keyword, "`")] $variant,)+)* }
        impl BlockKind {
            /// All of them, each at the index of its variant.
            pub const ALL: &'static [BlockKind] = &[$($(BlockKind::$variant,)+)*];
            /// The word that declares it.
            #[must_use]
            pub const fn keyword(self) -> &'static str { match self { $($(BlockKind::$variant => $keyword,)+)* } }
            /// Its row of the table.
            const fn row(self) -> &'static BlockSpec {
                match self { $($(BlockKind::$variant => &<$family::$variant as Kind>::SPEC,)+)* }
            }
        }
    };
}

kinds! {
    project: Project = "project";
    network: Network = "network";
    share: Share = "share";
    identity: Identity = "identity";
    vault: Vault = "vault";
    registry: Registry = "registry";
    batch: Workspace = "workspace";
    facts: Image = "image", Size = "size", Role = "role", Region = "region", Metric = "metric", Timezone = "timezone", Port = "port";
    autoscale: Autoscale = "autoscale";
    pool: Pool = "pool";
    resource: Resource = "resource";
    batch: BatchPool = "pool", BatchAccount = "batch_account", Container = "container", Job = "job", BatchAutoscale = "autoscale", TaskUser = "task_user", Docker = "docker", Nat = "nat";
    pool: Admin = "admin", User = "user";
    share: Link = "link";
    autoscale: When = "when", Add = "add", Remove = "remove", Set = "set", Cooldown = "cooldown", Schedule = "schedule", On = "on";
    pool: Allow = "allow", Health = "health", Repair = "repair", Upgrade = "upgrade", Spot = "spot", Limits = "limits";
    network: Subnet = "subnet";
    identity: Grant = "grant";
    resource: Override = "override";
    pool: Setup = "setup", Step = "step";
    autoscale: Predict = "predict", Notify = "notify";
    facts: Plan = "plan", Retirement = "retirement";
    vault: SecretEntry = "secret";
}

/// What a field may hold. Plain data, so that tables are constants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FieldType {
    /// `true` or `false`, of type `bool`.
    Bool,
    /// An integer of any size.
    Int,
    /// Integer between two bounds, both inclusive.
    IntIn(i64, i64),
    /// An exact decimal number: `0.5`.
    Decimal,
    /// Text of type `string`.
    String,
    /// One of these words, written bare (`smb`, `nfs`).
    OneOf(&'static [&'static str]),
    /// A percentage such as `70%`.
    Percent,
    /// A size in bytes: `1 TiB`.
    Size,
    /// A duration such as `15 min`.
    Duration,
    /// A price such as `2.50 USD/h`.
    Money,
    /// A time of day: `08:00`.
    Time,
    /// Days of the week: `mon..fri`.
    Days,
    /// A calendar date: `2026-12-01`.
    Date,
    /// A range of numbers: `0..10 initially 2`.
    IntRange,
    /// An address range such as `10.0.0.0/16`.
    Cidr,
    /// An address such as `10.0.0.4`.
    Ip,
    /// A port number from 1 to 65535.
    Port,
    /// A public key of OpenSSH.
    SshKey,
    /// A block of this kind (`notebooks`, `images.ubuntu_2204`).
    Ref(BlockKind),
    /// A list of one type.
    List(&'static FieldType),
    /// Alternatives in order of preference: `first of [a, b]`.
    First(&'static FieldType),
    /// A record of strings (tags).
    StringMap,
    /// A value of any type.
    Any,
    /// A value of any of these types.
    Either(&'static [FieldType]),
    /// A secret is welcome here, because Azure keeps it secret.
    Secret(&'static FieldType),
    /// `avg(cpu, 10 min) > 75%`
    Condition,
    /// An expression of the autoscale formula language.
    Formula,
}

/// When a value must be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Known while the program is compiled.
    Early,
    /// A deployment-time value is fine.
    Late,
}

/// A row: one field of one kind.
#[derive(Clone, Copy, Debug)]
pub struct FieldSpec {
    /// Its name in the language.
    pub name: &'static str,
    /// The type of its values.
    pub ty: FieldType,
    /// It must be written in each block.
    pub required: bool,
    /// Default, as one would write it; `None`: absent, or derived (the doc says how).
    pub default: Option<&'static str>,
    /// When it must be known.
    pub when: When,
    /// One or two sentences.
    pub doc: &'static str,
    /// Whether a value can be read as the Rust type of the field.
    pub reads: fn(&Value) -> bool,
}

/// What follows the keyword.
#[derive(Clone, Copy, Debug)]
pub enum Head {
    /// Nothing: `admin { … }`
    None,
    /// A name: `share notebooks { … }`
    Name,
    /// A name or nothing.
    OptionalName,
    /// Values and words: `link PATH to TARGET`. Values become fields.
    Phrase(&'static [Part]),
}

/// A piece of a phrase.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// The value of this field.
    Field(&'static str),
    /// This word, with nothing to choose.
    Word(&'static str),
    /// A word and the field after it, or neither: `from [cidr]`.
    Optional(&'static str, &'static str),
}

/// A row: one kind.
#[derive(Clone, Copy, Debug)]
pub struct BlockSpec {
    /// The kind that the row describes.
    pub kind: BlockKind,
    /// One or two sentences.
    pub doc: &'static str,
    /// What follows the keyword.
    pub head: Head,
    /// May be declared at top level.
    pub top_level: bool,
    /// Its blocks may be `existing`.
    pub can_exist: bool,
    /// Fields in the order of the docs and the formatter.
    pub fields: &'static [FieldSpec],
    /// Kinds that may occur inside, each with its maximum number (`0` = any number).
    pub children: &'static [(BlockKind, u32)],
    /// What can be read of it at deployment time: name, type as shown to users, doc.
    pub attributes: &'static [(&'static str, &'static str, &'static str)],
}

impl FieldSpec {
    /// An optional field without a default that may be known late.
    const fn new(name: &'static str, ty: FieldType, doc: &'static str, reads: fn(&Value) -> bool) -> Self {
        Self { name, ty, required: false, default: None, when: When::Late, doc, reads }
    }

    /// It must be written.
    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// It must be known while compiling.
    const fn early(mut self) -> Self {
        self.when = When::Early;
        self
    }

    /// Its default, as one would write it.
    const fn default(mut self, text: &'static str) -> Self {
        self.default = Some(text);
        self
    }
}

impl BlockSpec {
    /// A nested kind without fields.
    const fn new(kind: BlockKind, head: Head, doc: &'static str) -> Self {
        Self { kind, doc, head, top_level: false, can_exist: false, fields: &[], children: &[], attributes: &[] }
    }

    /// It can be declared at top level.
    const fn top_level(mut self) -> Self {
        self.top_level = true;
        self
    }

    /// It may be `existing`.
    const fn can_exist(mut self) -> Self {
        self.can_exist = true;
        self
    }
}
