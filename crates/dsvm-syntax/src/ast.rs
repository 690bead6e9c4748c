//! The syntax tree: what a file says, with a span for everything. Owns its strings; knows no names and no types.

use dsvm_diagnostics::source::{Span, Spanned};
use std::sync::Arc;

/// A word with its place.
pub type Name = Spanned<Arc<str>>;

/// One parsed file.
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
    /// What is declared.
    pub kind: ItemKind,
}

/// The kinds of declaration.
#[derive(Clone, Debug)]
pub enum ItemKind {
    /// `import std.images`, `import "./common.dsvm" as common`, `import { a, b } from "./common.dsvm"`
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
    /// `std.images`
    Module(Vec<Name>),
    /// `"./common.dsvm"`, relative to the importing file.
    Path(Name),
}

/// An import.
#[derive(Clone, Debug)]
pub struct Import {
    /// File or module.
    pub from: ImportFrom,
    /// `as name`; without it the last word of the module or the stem of the file.
    pub alias: Option<Name>,
    /// `{ a, b }`: these names directly; empty: the module as a namespace.
    pub names: Vec<Name>,
}

/// A parameter.
#[derive(Clone, Debug)]
pub struct Param {
    /// Place of `secret`, if written.
    pub secret: Option<Span>,
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
    /// Its default.
    pub default: Option<Expr>,
}

/// One set of parameter values.
#[derive(Clone, Debug)]
pub struct Env {
    /// Its name.
    pub name: Name,
    /// Values by parameter name.
    pub values: Vec<(Name, Expr)>,
    /// Something in it was left out (a diagnostic tells).
    pub incomplete: bool,
}

/// A constant.
#[derive(Clone, Debug)]
pub struct Let {
    /// Its name.
    pub name: Name,
    /// Declared type.
    pub ty: Option<Type>,
    /// Its value.
    pub value: Expr,
}

/// A function.
#[derive(Clone, Debug)]
pub struct Fn {
    /// Its name.
    pub name: Name,
    /// Parameters: name, type, default.
    pub params: Vec<(Name, Type, Option<Expr>)>,
    /// Type of the result.
    pub result: Option<Type>,
    /// Its value.
    pub body: Expr,
}

/// A named type.
#[derive(Clone, Debug)]
pub struct TypeDecl {
    /// Its name.
    pub name: Name,
    /// The value that it denotes.
    pub ty: Type,
}

/// A rule of the team's own.
#[derive(Clone, Debug)]
pub struct Check {
    /// What must hold.
    pub condition: Expr,
    /// What to say when it does not.
    pub message: Option<Expr>,
}

/// A template output.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its name.
    pub name: Name,
    /// Declared type.
    pub ty: Option<Type>,
    /// Its value.
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
    /// Everything.
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

/// `[x in xs]`
#[derive(Clone, Debug)]
pub struct Repeat {
    /// The variable.
    pub variable: Name,
    /// The list.
    pub list: Expr,
    /// With brackets.
    pub span: Span,
}

/// The contents of the braces.
#[derive(Clone, Debug)]
pub struct Body {
    /// Fields and nested blocks in source order.
    pub entries: Vec<Entry>,
    /// Something in it was left out (a diagnostic tells): a field that seems missing may have been there.
    pub incomplete: bool,
    /// With braces.
    pub span: Span,
}

/// A line of a body.
#[derive(Clone, Debug)]
pub enum Entry {
    /// `name = value`
    Field(Box<Field>),
    /// `name … { … }` or a phrase without body.
    Block(Box<Block>),
}

/// `name = value`
#[derive(Clone, Debug)]
pub struct Field {
    /// Doc comment before it.
    pub doc: Option<Arc<str>>,
    /// Its name; a quoted name keeps its exact text (`"cost-center" = "4711"`).
    pub name: Name,
    /// Its value.
    pub value: Expr,
    /// Both.
    pub span: Span,
}

/// An expression with its place.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it is.
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
    /// Text, escapes resolved.
    Text(Arc<str>),
    /// `${…}`
    Value(Box<Expr>),
}

/// Binary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `in`
    In,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%` between two values (a literal `70%` is a quantity)
    Remainder,
    /// `1 of A100`
    Of,
    /// `0..10 initially 2`
    Initially,
    /// `a ?? b`: `a` unless it is null
    Coalesce,
}

/// Unary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `!`
    Not,
    /// `-`
    Negate,
}

/// The kinds of expression.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// `3`: digits, `_` allowed. Text, because it may not fit.
    Int(Arc<str>),
    /// `2.5`
    Decimal(Arc<str>),
    /// `70%`, `1 TiB`, `15 min`, `2.50 USD/h`: number, then unit as written (`%`, `TiB`, `min`, `USD/h`).
    Quantity(Arc<str>, Name),
    /// `08:00`
    Time(Arc<str>),
    /// `2026-12-01`
    Date(Arc<str>),
    /// `10.0.0.4`
    Ip(Arc<str>),
    /// `10.0.0.0/16`
    Cidr(Arc<str>),
    /// `"a ${x}"`, `"""…"""`
    String(Vec<StringPart>),
    /// `name`
    Name(Arc<str>),
    /// `a.b`
    Member(Box<Expr>, Name),
    /// `a[0]`
    Index(Box<Expr>, Box<Expr>),
    /// `f(a, name = b)`
    Call(Box<Expr>, Vec<Argument>),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `[f(x) for x in xs if c]`
    Comprehension(Box<Comprehension>),
    /// `{ a = 1, "b-c" = 2 }`
    Record(Vec<(Name, Expr)>),
    /// `!a`, `-a`
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
    /// The element.
    pub value: Expr,
    /// The variable.
    pub variable: Name,
    /// What it runs over.
    pub list: Expr,
    /// Which to keep.
    pub condition: Option<Expr>,
}

/// An argument of a call.
#[derive(Clone, Debug)]
pub struct Argument {
    /// `name =`
    pub name: Option<Name>,
    /// Its value.
    pub value: Expr,
}

/// A type with its place.
#[derive(Clone, Debug)]
pub struct Type {
    /// What it is.
    pub kind: TypeKind,
    /// Where it is.
    pub span: Span,
}

/// The kinds of type.
#[derive(Clone, Debug)]
pub enum TypeKind {
    /// `int`, `images.image`, a named type
    Name(Vec<Name>),
    /// `"dev"`, `3`: a type with one value
    Literal(Box<Expr>),
    /// `a | b`
    Union(Vec<Type>),
    /// `[T]`
    List(Box<Type>),
    /// `{ a: T, b: T = default }`
    Record(Vec<(Name, Type, Option<Expr>)>),
    /// `T?`
    Nullable(Box<Type>),
    /// `secret T`
    Secret(Box<Type>),
    /// `T in range`
    In(Box<Type>, Box<Expr>),
    /// `T matching /regex/`
    Matching(Box<Type>, Name),
    /// Already reported.
    Error,
}
