//! The one table of block kinds and fields: drives the checker, the docs and completion.
//!
//! Each file below holds the rows of one family. A field that exists here exists everywhere.

pub mod facts;

pub mod autoscale;
pub mod batch;
pub mod identity;
pub mod network;
pub mod pool;
pub mod resource;
pub mod share;
pub mod vault;
mod lookup;
mod synonyms;
mod project;

pub use lookup::{classes, kind_in, kind_of, kinds_at_top_level, shown, spec, suggest};
pub use synonyms::suggest_word;

macro_rules! kinds {
    ($($variant:ident = $keyword:literal;)*) => {
        /// Every kind of block, top-level and nested.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum BlockKind { $(#[doc = $keyword] $variant,)* }
        impl BlockKind {
            /// All of them.
            pub const ALL: &'static [BlockKind] = &[$(BlockKind::$variant,)*];
            /// The word that declares it.
            #[must_use]
            pub fn keyword(self) -> &'static str { match self { $(BlockKind::$variant => $keyword,)* } }
        }
    };
}

kinds! {
    // top level
    Project = "project"; Network = "network"; Share = "share"; Identity = "identity"; Vault = "vault"; Workspace = "workspace";
    Image = "image"; Size = "size"; Role = "role"; Region = "region"; Metric = "metric"; Timezone = "timezone";
    Port = "port";
    Autoscale = "autoscale"; Pool = "pool"; Resource = "resource";
    // top level, for batch; `BatchPool` is what `pool …: batch` declares (see `kind_in`)
    BatchPool = "pool"; BatchAccount = "batch_account"; Container = "container"; Job = "job";
    // nested, for batch; `BatchAutoscale` is what `autoscale` means inside `BatchPool`
    BatchAutoscale = "autoscale"; TaskUser = "task_user"; Docker = "docker"; Nat = "nat";
    // nested
    Admin = "admin"; User = "user"; Link = "link"; When = "when"; Add = "add"; Remove = "remove"; Set = "set"; Cooldown = "cooldown";
    Schedule = "schedule"; On = "on"; Allow = "allow"; Health = "health"; Repair = "repair"; Upgrade = "upgrade"; Spot = "spot";
    Subnet = "subnet"; Grant = "grant"; Override = "override"; Setup = "setup"; Step = "step"; Predict = "predict"; Notify = "notify";
    Plan = "plan"; Retirement = "retirement"; Event = "event"; SecretEntry = "secret";
}

/// What a field may hold. Plain data, so that tables are constants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FieldType {
    /// `bool`
    Bool,
    /// Any integer.
    Int,
    /// Integer between two bounds, both inclusive.
    IntIn(i64, i64),
    /// Exact decimal.
    Decimal,
    /// `string`
    String,
    /// One of these words, written bare (`smb`, `nfs`).
    OneOf(&'static [&'static str]),
    /// `70%`
    Percent,
    /// `1 TiB`
    Size,
    /// `15 min`
    Duration,
    /// `2.50 USD/h`
    Money,
    /// `08:00`
    Time,
    /// `mon..fri`
    Days,
    /// `2026-12-01`
    Date,
    /// `0..10 initially 2`
    IntRange,
    /// `10.0.0.0/16`
    Cidr,
    /// `10.0.0.4`
    Ip,
    /// 1–65535
    Port,
    /// OpenSSH public key.
    SshKey,
    /// A block of this kind (`notebooks`, `images.ubuntu_2204`).
    Ref(BlockKind),
    /// A list.
    List(&'static FieldType),
    /// A record of strings (tags).
    StringMap,
    /// Any value.
    Any,
    /// Any of these.
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
    /// While compiling.
    Early,
    /// A deployment-time value is fine.
    Late,
}

/// A row: one field of one kind.
#[derive(Clone, Copy, Debug)]
pub struct FieldSpec {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub ty: FieldType,
    /// Must be written.
    pub required: bool,
    /// Default, as one would write it; `None`: absent, or derived (the doc says how).
    pub default: Option<&'static str>,
    /// When it must be known.
    pub when: When,
    /// One or two sentences.
    pub doc: &'static str,
    /// Version that brought it.
    pub since: &'static str,
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
    /// This word.
    Word(&'static str),
    /// A word and the field after it, or neither: `from [cidr]`.
    Optional(&'static str, &'static str),
}

/// A row: one kind.
#[derive(Clone, Copy, Debug)]
pub struct BlockSpec {
    /// Which.
    pub kind: BlockKind,
    /// One or two sentences.
    pub doc: &'static str,
    /// Version that brought it.
    pub since: &'static str,
    /// What follows the keyword.
    pub head: Head,
    /// May be declared at top level.
    pub top_level: bool,
    /// May be `existing`.
    pub can_exist: bool,
    /// Fields in the order of the docs and the formatter.
    pub fields: &'static [FieldSpec],
    /// Kinds that may stand inside, each with how often at most (`0` = any number).
    pub children: &'static [(BlockKind, u32)],
    /// What can be read of it at deployment time: name, type as told to people, doc.
    pub attributes: &'static [(&'static str, &'static str, &'static str)],
}

impl FieldSpec {
    /// An optional field without a default that may be known late.
    #[must_use]
    pub const fn new(name: &'static str, ty: FieldType, doc: &'static str) -> Self {
        Self { name, ty, required: false, default: None, when: When::Late, doc, since: "0.1" }
    }

    /// It must be written.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// It must be known while compiling.
    #[must_use]
    pub const fn early(mut self) -> Self {
        self.when = When::Early;
        self
    }

    /// Its default, as one would write it.
    #[must_use]
    pub const fn default(mut self, text: &'static str) -> Self {
        self.default = Some(text);
        self
    }
}

impl BlockSpec {
    /// A nested kind without fields.
    #[must_use]
    pub const fn nested(kind: BlockKind, head: Head, doc: &'static str) -> Self {
        Self {
            kind,
            doc,
            since: "0.1",
            head,
            top_level: false,
            can_exist: false,
            fields: &[],
            children: &[],
            attributes: &[],
        }
    }

    /// A kind declared at top level, with a name.
    #[must_use]
    pub const fn top(kind: BlockKind, doc: &'static str) -> Self {
        Self {
            kind,
            doc,
            since: "0.1",
            head: Head::Name,
            top_level: true,
            can_exist: false,
            fields: &[],
            children: &[],
            attributes: &[],
        }
    }

    /// Its fields.
    #[must_use]
    pub const fn fields(mut self, fields: &'static [FieldSpec]) -> Self {
        self.fields = fields;
        self
    }

    /// The kinds inside.
    #[must_use]
    pub const fn children(mut self, children: &'static [(BlockKind, u32)]) -> Self {
        self.children = children;
        self
    }

    /// What can be read of it at deployment time.
    #[must_use]
    pub const fn attributes(mut self, attributes: &'static [(&'static str, &'static str, &'static str)]) -> Self {
        self.attributes = attributes;
        self
    }

    /// It may be `existing`.
    #[must_use]
    pub const fn can_exist(mut self) -> Self {
        self.can_exist = true;
        self
    }
}
