//! The one catalogue of diagnostic codes. One row per code; the enum, the tables and the docs come from it.
//!
//! Ranges: 00xx syntax, 01xx names, 02xx types and values, 03xx pool model, 04xx graph, 05xx emission,
//! 06xx lint, 07xx plan, 08xx apply and Azure, 09xx endpoint, CLI, internal. A code is never reused.

use super::Severity;

macro_rules! catalogue {
    ($($variant:ident = $number:literal, $severity:ident, $slug:literal, $title:literal;)*) => {
        /// A stable diagnostic code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $title] $variant = $number,)* }

        impl Code {
            /// Every code in ascending order.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// Kebab-case name.
            #[must_use]
            pub fn slug(self) -> &'static str { match self { $(Code::$variant => $slug,)* } }

            /// The fact in general words.
            #[must_use]
            pub fn title(self) -> &'static str { match self { $(Code::$variant => $title,)* } }

            /// Default severity.
            #[must_use]
            pub fn severity(self) -> Severity { match self { $(Code::$variant => Severity::$severity,)* } }

            /// The explain page, Markdown.
            #[must_use]
            pub fn page(self) -> &'static str {
                match self { $(Code::$variant => include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/errors/", $slug, ".md")),)* }
            }
        }
    };
}

impl Code {
    /// The four digits, as in `DSVM0101`.
    #[must_use]
    pub fn number(self) -> u16 {
        self as u16
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DSVM{:04}", self.number())
    }
}

// Each stage keeps its rows together, so that two people who add codes do not touch the same lines.
catalogue! {
    // 00xx source and syntax
    UnexpectedToken = 1, Error, "unexpected-token", "a word or sign that cannot stand here";
    UnclosedBracket = 2, Error, "unclosed-bracket", "a bracket that is never closed";
    UnterminatedString = 3, Error, "unterminated-string", "a string without its closing quote";
    NestingTooDeep = 4, Error, "nesting-too-deep", "brackets or operators nested too deep";
    StrayBracket = 5, Error, "stray-bracket", "a closing bracket that closes nothing";
    UnknownUnit = 6, Error, "unknown-unit", "a unit that the language does not know";
    UnknownEscape = 7, Error, "unknown-escape", "a backslash in a string before a letter that makes no escape";
    ForeignCharacter = 8, Error, "foreign-character", "a character that has no meaning outside strings";
    NotUtf8 = 9, Error, "not-utf8", "a file that is not UTF-8 text";
    MissingSeparator = 10, Error, "missing-separator", "two things without a comma or a newline between them";
    ForeignSign = 11, Error, "foreign-sign", "a sign that other languages use here";
    MissingValue = 12, Error, "missing-value", "a value is missing";
    BadName = 13, Error, "bad-name", "a name that cannot be a name";
    // 01xx names
    UnknownName = 101, Error, "unknown-name", "a name that is not declared";
    // 02xx types and values
    TypeMismatch = 201, Error, "type-mismatch", "a value of another type is expected here";
    // 03xx pool model
    // 0380-0399 autoscale formulas of Azure Batch
    FormulaSyntax = 380, Error, "formula-syntax", "text that is no autoscale formula";
    FormulaLimit = 381, Error, "formula-limit", "a formula beyond the limits of Azure Batch";
    FormulaUnknownName = 382, Error, "formula-unknown-name", "a name that formulas do not know";
    FormulaReadOnly = 383, Error, "formula-read-only", "assignment to what the service sets";
    FormulaType = 384, Error, "formula-type", "an operation that formulas do not have";
    FormulaNoTarget = 385, Error, "formula-no-target", "a formula that sets no target";
    FormulaUnguardedSample = 386, Warning, "formula-unguarded-sample", "samples demanded that a new pool does not have";
    FormulaLoneSample = 387, Warning, "formula-lone-sample", "the last sample alone decides";
    FormulaRunningIgnored = 388, Error, "formula-running-ignored", "running tasks are not counted";
    FormulaUnbounded = 389, Warning, "formula-unbounded", "a target that can leave the pool's range";
    FormulaNoDeallocation = 390, Warning, "formula-no-deallocation", "running tasks are left to the default";
    FormulaRoundedDown = 391, Warning, "formula-rounded-down", "machines rounded down";
    FormulaCpuScale = 392, Warning, "formula-cpu-scale", "processor use compared as a percentage";
    // 04xx graph
    // 05xx emission
    // 06xx lint
    // 07xx plan
    PlanRefused = 701, Error, "plan-refused", "a saved plan that no longer fits";
    ParameterMissing = 702, Error, "parameter-missing", "a parameter without a value";
    ParameterUnusable = 703, Error, "parameter-unusable", "a parameter value that cannot be used";
    TemplateUnusable = 704, Error, "template-unusable", "a template that cannot be expanded";
    EnvNeeded = 705, Error, "env-needed", "no env was chosen";
    ObservedUnusable = 706, Error, "observed-unusable", "a file of observed resources that cannot be used";
    // 08xx apply and Azure
    EndpointUnreachable = 801, Error, "endpoint-unreachable", "Resource Manager cannot be reached";
    ResourceRefused = 802, Error, "resource-refused", "a resource that Azure refused";
    ApplyStopped = 803, Error, "apply-stopped", "an apply that stopped part-way";
    ServiceRefused = 804, Error, "service-refused", "a call that Azure refused";
    NoToken = 805, Error, "no-token", "no access token";
    ClientSetup = 806, Error, "client-setup", "a setting that cannot work";
    ProjectLocked = 807, Error, "project-locked", "another apply is at work";
    ConsentNeeded = 808, Error, "consent-needed", "an apply that nobody agreed to";
    Protected = 809, Error, "protected", "something protected would be deleted";
    StateUnusable = 810, Error, "state-unusable", "a folder `.dsvmc` that cannot be used";
    // 09xx endpoint, command line, internal
    FileUnreadable = 901, Error, "file-unreadable", "a file or folder cannot be read";
    NoSources = 902, Error, "no-sources", "a folder without any `.dsvm` file";
    Internal = 999, Error, "internal", "a bug in dsvmc";
}
