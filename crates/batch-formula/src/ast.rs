//! The syntax tree of an autoscale formula: what [`super::parse()`] makes of text and [`super::print()`] turns back into it.
//!
//! Equality ignores places, so that a formula equals its own print. A tree is never deeper than [`MAX_DEPTH`].

use std::collections::BTreeSet;

/// Deepest nesting that is read; keeps every walk over the tree within the stack.
pub const MAX_DEPTH: u32 = 200;

/// A byte range of the formula's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FormulaSpan {
    /// Offset of the first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl FormulaSpan {
    /// From `start` to `end`.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        let clip = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { start: clip(start), end: clip(end) }
    }

    /// The smallest place that holds both.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// A formula: a sequence of statements.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Formula {
    /// Its statements, in order.
    pub statements: Vec<Statement>,
}

impl Formula {
    /// The service's variables that it reads, under their full names.
    #[must_use]
    pub fn reads(&self) -> BTreeSet<&'static str> {
        let mut found = BTreeSet::new();
        for statement in &self.statements {
            statement.value.walk(&mut |part| {
                if let ExprKind::Variable(name) = &part.kind
                    && let Some(variable) = super::names::variable(name)
                {
                    found.insert(variable.canonical);
                }
            });
        }
        found
    }
}

/// `name = value;`, or a value alone (only useful for `stop()`).
#[derive(Clone, Debug)]
pub struct Statement {
    /// The variable, with its `$` if it has one.
    pub target: Option<Name>,
    /// The expression on the right-hand side.
    pub value: Expr,
    /// The statement without its `;`.
    pub place: FormulaSpan,
}

impl PartialEq for Statement {
    fn eq(&self, other: &Self) -> bool {
        self.target == other.target && self.value == other.value
    }
}

/// A name and its location.
#[derive(Clone, Debug)]
pub struct Name {
    /// As written, with `$`.
    pub text: String,
    /// Where the name is written.
    pub place: FormulaSpan,
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// An expression with its location.
#[derive(Clone, Debug)]
pub struct Expr {
    /// The expression's outermost operation.
    pub kind: ExprKind,
    /// Where the expression is written.
    pub place: FormulaSpan,
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

/// The kinds of expression.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A number literal such as `0.7`; never negative.
    Number(f64),
    /// `"Mon, 06 Oct 2014 10:20:00 GMT"`
    Text(String),
    /// `$PendingTasks`, `TimeInterval_Minute`, `taskcompletion`, `myVariable`.
    Variable(String),
    /// An operator before its operand: `-x`, `!x`.
    Unary(UnaryOp, Box<Expr>),
    /// An operator between its operands: `a + b`.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `condition ? then : otherwise`
    Ternary(Box<Expr>, Box<Expr>, Box<Expr>),
    /// A function call: `min(a, b)`.
    Call(Name, Vec<Expr>),
    /// A method call on a metric: `$PendingTasks.GetSample(1)`.
    Method(Box<Expr>, Name, Vec<Expr>),
    /// A member of a timestamp: `$now.hour`.
    Member(Box<Expr>, Name),
}

/// Operators before their operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// Arithmetic negation, written `-`.
    Negate,
    /// Logical negation, written `!`.
    Not,
}

impl UnaryOp {
    /// The operator as written in a formula.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Negate => "-",
            Self::Not => "!",
        }
    }
}

/// Operators between their operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// Logical or, short-circuiting: `||`.
    Or,
    /// Logical and, short-circuiting: `&&`.
    And,
    /// Equality test, written `==`.
    Equal,
    /// Inequality test, written `!=`.
    NotEqual,
    /// Less than, written `<`.
    Less,
    /// Less than or equal, written `<=`.
    LessEqual,
    /// Greater than, written `>`.
    Greater,
    /// Greater than or equal, written `>=`.
    GreaterEqual,
    /// Addition, element by element on vectors: `+`.
    Add,
    /// Subtraction, element by element on vectors: `-`.
    Subtract,
    /// Multiplication, element by element on vectors: `*`.
    Multiply,
    /// Division, element by element on vectors: `/`.
    Divide,
}

impl BinaryOp {
    /// All binary operators, loosest first.
    pub const ALL: [Self; 12] = [
        Self::Or,
        Self::And,
        Self::Equal,
        Self::NotEqual,
        Self::Less,
        Self::LessEqual,
        Self::Greater,
        Self::GreaterEqual,
        Self::Add,
        Self::Subtract,
        Self::Multiply,
        Self::Divide,
    ];

    /// The operator as written in a formula.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Or => "||",
            Self::And => "&&",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
        }
    }

    /// How tightly it binds; higher binds tighter.
    #[must_use]
    pub fn precedence(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Equal | Self::NotEqual => 3,
            Self::Less | Self::LessEqual | Self::Greater | Self::GreaterEqual => 4,
            Self::Add | Self::Subtract => 5,
            Self::Multiply | Self::Divide => 6,
        }
    }

    /// Gives 1 or 0.
    #[must_use]
    pub(crate) fn is_comparison(self) -> bool {
        (3..=4).contains(&self.precedence())
    }
}

impl Expr {
    /// The expressions directly inside this one, in the order of the text.
    #[must_use]
    pub fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Variable(_) => Vec::new(),
            ExprKind::Unary(_, a) | ExprKind::Member(a, _) => vec![a],
            ExprKind::Binary(_, a, b) => vec![a, b],
            ExprKind::Ternary(a, b, c) => vec![a, b, c],
            ExprKind::Call(_, args) => args.iter().collect(),
            ExprKind::Method(object, _, args) => std::iter::once(&**object).chain(args).collect(),
        }
    }

    /// Calls `visit` for this expression and every one inside it, outermost first.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        visit(self);
        self.children().into_iter().for_each(|child| child.walk(visit));
    }

    /// The number, when it is one.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        match &self.kind {
            ExprKind::Number(n) => Some(*n),
            ExprKind::Unary(UnaryOp::Negate, inner) => inner.as_number().map(|n| -n),
            _ => None,
        }
    }
}
