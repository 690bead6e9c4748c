//! The syntax tree: what a file says, with a span for everything. Owns its strings; knows no names and no types.

use dsvm_diagnostics::source::{Span, Spanned};
use std::sync::Arc;

/// A word with its place.
pub type Name = Spanned<Arc<str>>;

/// One parsed file: its declarations, and whether any is missing.
#[derive(Clone, Debug, Default)]
pub struct File {
    /// Declarations in source order. A broken one is kept with [`ExprKind::Error`] or [`TypeKind::Error`] in place of
    /// what could not be understood.
    pub items: Vec<Item>,
    /// A declaration was left out altogether (a diagnostic tells): a name that seems unknown may be declared there.
    pub incomplete: bool,
}

/// A declaration with its modifiers and comments.
#[derive(Clone, Debug)]
pub struct Item {
    /// Text of the `///` lines before it, without the marks, joined by newlines.
    pub doc: Option<Arc<str>>,
    /// Place of `export`, if written: the item can be imported by other files.
    pub export: Option<Span>,
    /// The whole declaration, doc comment not included.
    pub span: Span,
    /// The declaration without its doc comment and its `export`.
    pub kind: ItemKind,
}

/// The kinds of declaration.
#[derive(Clone, Debug)]
pub enum ItemKind {
    /// `import std.images`, `import "./common.dsvm" as common`, `import { a, b } from "./common.dsvm"`,
    /// `import "./team.csv" as team: [{ name: string }]`
    Import(Import),
    /// `param name: type = default`, `secret param name: type`
    Param(Param),
    /// `env NAME { name = value … }`
    Env(Env),
    /// `let name: type = value`
    Let(Let),
    /// `fn name(a: type, b: type = default): type = value`
    Fn(Fn),
    /// `type Name = type`
    Type(TypeDecl),
    /// `check condition else "message"`
    Check(Check),
    /// `output name: type = value`
    Output(Output),
    /// `project`, `pool`, `share`, `resource`, … : `[existing] KIND [NAME][[x in xs]][: CLASS][from BASE] { BODY }`
    Block(Box<Block>),
}

/// Where an import comes from.
#[derive(Clone, Debug)]
pub enum ImportFrom {
    /// `std.images`: the words between the dots, at least one.
    Module(Vec<Name>),
    /// `"./common.dsvm"`, relative to the importing file.
    Path(Name),
}

/// Names from another file or from the standard library, or the values of a data file.
#[derive(Clone, Debug)]
pub struct Import {
    /// File or module to import from; not looked up yet.
    pub from: ImportFrom,
    /// `as name`; without it the last word of the module or the stem of the file.
    pub alias: Option<Name>,
    /// `{ a, b }`: these names directly; empty: the module as a namespace.
    pub names: Vec<Name>,
    /// `: [{ name: string }]`: the type of the values of a data file.
    pub ty: Option<Type>,
}

/// A value that is given at deployment or by an `env`.
#[derive(Clone, Debug)]
pub struct Param {
    /// Place of `secret`, if written.
    pub secret: Option<Span>,
    /// The name under which expressions and an `env` refer to it.
    pub name: Name,
    /// The declared type: a parameter always has one.
    pub ty: Type,
    /// The value if none is given; without it a value is required.
    pub default: Option<Expr>,
}

/// One set of parameter values.
#[derive(Clone, Debug)]
pub struct Env {
    /// The name that `--env` selects: `prod`.
    pub name: Name,
    /// Values by parameter name.
    pub values: Vec<(Name, Expr)>,
    /// Something in it was left out (a diagnostic tells).
    pub incomplete: bool,
}

/// A name for the value of an expression.
#[derive(Clone, Debug)]
pub struct Let {
    /// The name that other expressions use.
    pub name: Name,
    /// The type that the value must have; without it the type of the value.
    pub ty: Option<Type>,
    /// The expression behind `=`; it can use parameters and other constants.
    pub value: Expr,
}

/// A function whose body is one expression.
#[derive(Clone, Debug)]
pub struct Fn {
    /// The name under which it is called.
    pub name: Name,
    /// Parameters: name, type, default.
    pub params: Vec<(Name, Type, Option<Expr>)>,
    /// Type of the result.
    pub result: Option<Type>,
    /// The expression behind `=`, in which the parameters are known.
    pub body: Expr,
}

/// A name for a type, as `type Port = int in 1..65535`.
#[derive(Clone, Debug)]
pub struct TypeDecl {
    /// The new name, for use wherever a type is expected.
    pub name: Name,
    /// The value that it denotes.
    pub ty: Type,
}

/// A rule of the team's own.
#[derive(Clone, Debug)]
pub struct Check {
    /// The condition that must be true; false is an error.
    pub condition: Expr,
    /// What to say when it does not.
    pub message: Option<Expr>,
}

/// A value that the deployment returns, as an output of the template.
#[derive(Clone, Debug)]
pub struct Output {
    /// The name of the output in the template.
    pub name: Name,
    /// The type that the value must have; without it the type of the value.
    pub ty: Option<Type>,
    /// The expression behind `=`; it may be known only at deployment time.
    pub value: Expr,
}

/// A block declaration, at top level or inside another block.
#[derive(Clone, Debug)]
pub struct Block {
    /// Place of `existing`, if written.
    pub existing: Option<Span>,
    /// The keyword (`pool`, `share`, `autoscale`, `when`, …). Not checked here.
    pub keyword: Name,
    /// Words and expressions between the keyword and the body, in order. For `pool team: interactive` just the name;
    /// for `when avg(cpu, 10 min) > 75%` one expression; for `link "a" to "b"` expression, word, expression.
    pub head: Vec<HeadPart>,
    /// `[x in xs]` after the name.
    pub repeat: Option<Box<Repeat>>,
    /// `: interactive`, `: "Microsoft.X/y@2024-01-01"`.
    pub class: Option<Box<Expr>>,
    /// `from BASE` directly before the body of a top-level block.
    pub base: Option<Box<Expr>>,
    /// `{ … }`; absent for phrases such as `add 1`.
    pub body: Option<Body>,
    /// From `existing` or the keyword to the closing brace or the end of the head.
    pub span: Span,
}

/// A piece of a block's head.
#[derive(Clone, Debug)]
pub enum HeadPart {
    /// A connecting word: `to`, `from`, `on`, `every`, `with`, `at`, `for`, `as`, `by`, `until`.
    Word(Name),
    /// A value; a single bare name is `Expr::Name`.
    Expr(Expr),
}

/// `[x in xs]`: one block for each element of a list.
#[derive(Clone, Debug)]
pub struct Repeat {
    /// The name of the current element in the block.
    pub variable: Name,
    /// The expression behind `in`, whose value is a list.
    pub list: Expr,
    /// From `[` to `]`, both included.
    pub span: Span,
}

/// The contents of the braces.
#[derive(Clone, Debug)]
pub struct Body {
    /// Fields and nested blocks in source order.
    pub entries: Vec<Entry>,
    /// Something in it was left out (a diagnostic tells): a field that seems missing may have been there.
    pub incomplete: bool,
    /// From `{` to `}`, both included.
    pub span: Span,
}

/// A line of a body.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A field: `name = value`
    Field(Box<Field>),
    /// `name … { … }` or a phrase without body.
    Block(Box<Block>),
}

/// A field of a body: `name = value`
#[derive(Clone, Debug)]
pub struct Field {
    /// Doc comment before it.
    pub doc: Option<Arc<str>>,
    /// Its name; a quoted name keeps its exact text (`"cost-center" = "4711"`).
    pub name: Name,
    /// The expression behind `=`.
    pub value: Expr,
    /// From the name to the end of the value.
    pub span: Span,
}

/// An expression with its place.
#[derive(Clone, Debug)]
pub struct Expr {
    /// The form of the expression, with its parts.
    pub kind: ExprKind,
    /// The whole expression, with the parentheses around it if there are any.
    pub span: Span,
}

impl Expr {
    /// Stands for text that could not be parsed and for which a diagnostic exists.
    pub(crate) fn error(span: Span) -> Expr {
        Expr { kind: ExprKind::Error, span }
    }
}

/// Part of a string.
#[derive(Clone, Debug)]
pub enum StringPart {
    /// Literal text in which escapes are resolved: `\n` is a newline.
    Text(Arc<str>),
    /// The expression of an interpolation, `x` in `${x}`.
    Value(Box<Expr>),
}

/// Operators with two operands; the comments show how each is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `a || b`: true if either is
    Or,
    /// `a && b`: true if both are
    And,
    /// `a == b`: equal values
    Equal,
    /// `a != b`: different values
    NotEqual,
    /// `a < b`: less, of two values of one ordered type
    Less,
    /// `a <= b`: less or equal
    LessOrEqual,
    /// `a > b`: greater, of two values of one ordered type
    Greater,
    /// `a >= b`: greater or equal
    GreaterOrEqual,
    /// `a in b`: membership of a list or a range
    In,
    /// `a + b`: sum, or concatenation
    Add,
    /// `a - b` between two values
    Subtract,
    /// `a * b` between two values
    Multiply,
    /// `a / b` between two values
    Divide,
    /// `%` between two values (a literal `70%` is a quantity)
    Remainder,
    /// `1 of A100`: a number of accelerators of a kind
    Of,
    /// `0..10 initially 2`: a range and the value to start with
    Initially,
    /// `a ?? b`: `a` unless it is null
    Coalesce,
}

/// Operators before one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `!a`: the opposite of a boolean
    Not,
    /// `-a`: a value with the other sign
    Negate,
}

/// The kinds of expression.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// The literal `null`: no value
    Null,
    /// The literal `true` or `false`
    Bool(bool),
    /// `3`: digits, `_` allowed. Text, because it may not fit.
    Int(Arc<str>),
    /// `2.5`: text, because it is read as an exact decimal.
    Decimal(Arc<str>),
    /// `70%`, `1 TiB`, `15 min`, `2.50 USD/h`: number, then unit as written (`%`, `TiB`, `min`, `USD/h`).
    Quantity(Arc<str>, Name),
    /// `08:00`: text with hours and minutes, range not checked.
    Time(Arc<str>),
    /// `2026-12-01`: year, month and day as text, not checked against a calendar.
    Date(Arc<str>),
    /// `10.0.0.4`: four numbers as text, each not checked.
    Ip(Arc<str>),
    /// `10.0.0.0/16`: address and prefix length as text, not checked.
    Cidr(Arc<str>),
    /// `"a ${x}"`, `"""…"""`: literal text and interpolations in source order.
    String(Vec<StringPart>),
    /// A bare `name`, not resolved
    Name(Arc<str>),
    /// `a.b`: field of a record, block or module
    Member(Box<Expr>, Name),
    /// `a[0]`, `a["key"]`: the value, then the index
    Index(Box<Expr>, Box<Expr>),
    /// `f(a, name = b)`
    Call(Box<Expr>, Vec<Argument>),
    /// `[a, b]`: the elements in source order
    List(Vec<Expr>),
    /// `[f(x) for x in xs if c]`
    Comprehension(Box<Comprehension>),
    /// `{ a = 1, "b-c" = 2 }`
    Record(Vec<(Name, Expr)>),
    /// `!a` or `-a`: operator and operand
    Unary(UnaryOp, Box<Expr>),
    /// `a + b`; the inner span is of the operator.
    Binary(Spanned<BinaryOp>, Box<Expr>, Box<Expr>),
    /// `a..b`, also of days: `mon..fri`
    Range(Box<Expr>, Box<Expr>),
    /// `if c then a else b`
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// Something that could not be parsed; already reported.
    Error,
}

/// `[value for variable in list if condition]`
#[derive(Clone, Debug)]
pub struct Comprehension {
    /// The expression of each element, `f(x)` in `[f(x) for x in xs]`.
    pub value: Expr,
    /// The name of the current element of the list.
    pub variable: Name,
    /// What it runs over.
    pub list: Expr,
    /// Only elements for which this is true are kept; without it all.
    pub condition: Option<Expr>,
}

/// An argument of a call.
#[derive(Clone, Debug)]
pub struct Argument {
    /// `name` in `f(name = value)`; without it the argument is positional.
    pub name: Option<Name>,
    /// The expression that is passed.
    pub value: Expr,
}

/// A type with its place.
#[derive(Clone, Debug)]
pub struct Type {
    /// The form of the type, with its parts.
    pub kind: TypeKind,
    /// The whole type, `secret` and refinements included.
    pub span: Span,
}

/// The kinds of type.
#[derive(Clone, Debug)]
pub enum TypeKind {
    /// `int`, `images.image`, a named type
    Name(Vec<Name>),
    /// `"dev"`, `3`: a type with one value
    Literal(Box<Expr>),
    /// `a | b`: at least two members in source order
    Union(Vec<Type>),
    /// `[T]`: a list whose elements have type `T`
    List(Box<Type>),
    /// `{ a: T, b: T = default }`
    Record(Vec<(Name, Type, Option<Expr>)>),
    /// `T?`: a `T`, or `null`
    Nullable(Box<Type>),
    /// `secret T`: a `T` that is never printed or written
    Secret(Box<Type>),
    /// `T in 1..100`: the values of `T` in a range or list
    In(Box<Type>, Box<Expr>),
    /// `T matching /regex/`: the pattern is kept without its slashes.
    Matching(Box<Type>, Name),
    /// A type that could not be parsed; already reported.
    Error,
}
