//! The text of a query, taken apart: a table and a pipeline of operators.

use serde_json::{Value, json};

use crate::error::ArmError;

/// A query that the endpoint runs.
#[derive(Debug)]
pub struct Query {
    /// Name of the table in lower case: `resources` or `resourcecontainers`.
    pub table: String,
    /// What happens to its rows, in order.
    pub steps: Vec<Step>,
}

/// One operator of the pipeline.
#[derive(Debug)]
pub enum Step {
    /// `where`: rows for which one of the lists of conditions holds entirely.
    Where(Vec<Vec<Condition>>),
    /// `project`: columns and what they are made of.
    Project(Vec<(String, Field)>),
    /// `extend`: columns that are added to those of the row.
    Extend(Vec<(String, Field)>),
    /// `summarize NAME = count() by …`.
    Count { name: String, by: Vec<(String, Field)> },
    /// `distinct`: the different values of columns.
    Distinct(Vec<(String, Field)>),
    /// `order by`: columns, and whether descending.
    Order(Vec<(Field, bool)>),
    /// `take`: the first rows.
    Take(usize),
}

/// A column, or a member of one: `properties.hardwareProfile.vmSize`, `tags['team']`.
#[derive(Clone, Debug)]
pub struct Field {
    /// Names from the outside in.
    pub parts: Vec<String>,
    /// `tolower` and `toupper`, as written.
    pub case: Option<bool>,
}

/// A comparison of a field.
#[derive(Debug)]
pub struct Condition {
    /// The column whose value is on the left side.
    pub field: Field,
    /// The operator in lower case (`==`, `=~`, `in~`, `contains`, `isnotempty`).
    pub operator: String,
    /// What it is compared with.
    pub values: Vec<Value>,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Number(f64),
    Sign(String),
}

fn invalid(why: &str) -> ArmError {
    ArmError::bad("InvalidQuery", format!("Query is invalid: {why}."))
}

fn beyond(what: &str) -> ArmError {
    ArmError::bad(
        "NotServedLocally",
        format!(
            "The local endpoint of dsvmc does not run this query of Azure Resource Graph: {what}. It runs the tables resources and resourcecontainers with where, project, extend, distinct, order by, take, count and summarize count() by."
        ),
    )
}

impl Query {
    /// Takes a query apart.
    ///
    /// # Errors
    /// `InvalidQuery` for text that is no query, `NotServedLocally` for what the endpoint does not run.
    pub fn parse(text: &str) -> Result<Self, ArmError> {
        let tokens = tokens(text)?;
        let mut parts = tokens.split(|token| *token == Token::Sign("|".into()));
        let table = match parts.next() {
            Some([Token::Word(table)]) => table.to_lowercase(),
            _ => return Err(invalid("it starts with the name of a table")),
        };
        if table != "resources" && table != "resourcecontainers" {
            return Err(beyond(&format!("the table '{table}'")));
        }
        let steps = parts.map(|part| Reader { tokens: part, at: 0 }.step()).collect::<Result<_, _>>()?;
        Ok(Self { table, steps })
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, ArmError> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first.is_whitespace() {
            rest = rest.trim_start();
        } else if rest.starts_with("//") {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
        } else if first == '\'' || first == '"' {
            let inner = rest.get(1..).unwrap_or_default();
            let (value, after) = inner.split_once(first).ok_or_else(|| invalid("a text has no end"))?;
            out.push(Token::Text(value.to_owned()));
            rest = after;
        } else if first.is_alphanumeric() || first == '_' || first == '$' {
            let length = rest.find(|c: char| !(c.is_alphanumeric() || "_$-".contains(c))).unwrap_or(rest.len());
            let mut word = rest.get(..length).unwrap_or_default();
            // `in~` and `=~` end in a tilde
            if rest.get(length..).is_some_and(|after| after.starts_with('~')) {
                word = rest.get(..=length).unwrap_or_default();
            }
            rest = rest.get(word.len()..).unwrap_or_default();
            out.push(word.parse().map_or_else(|_| Token::Word(word.to_owned()), Token::Number));
        } else {
            let two = rest.get(..2).filter(|two| ["==", "=~", "!=", "!~", "<=", ">="].contains(two));
            let sign = two.map_or_else(|| first.to_string(), str::to_owned);
            rest = rest.get(sign.len()..).unwrap_or_default();
            out.push(Token::Sign(sign));
        }
    }
    Ok(out)
}

/// Reads the tokens between two bars: one operator with its arguments.
struct Reader<'t> {
    tokens: &'t [Token],
    at: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn takes(&mut self, sign: &str) -> bool {
        let found = match self.peek() {
            Some(Token::Sign(have)) => have == sign,
            Some(Token::Word(have)) => have.eq_ignore_ascii_case(sign),
            _ => false,
        };
        self.at += usize::from(found);
        found
    }

    fn wants(&mut self, sign: &str) -> Result<(), ArmError> {
        if self.takes(sign) { Ok(()) } else { Err(invalid(&format!("'{sign}' is missing"))) }
    }

    fn word(&mut self) -> Result<String, ArmError> {
        match self.next() {
            Some(Token::Word(word)) => Ok(word),
            _ => Err(invalid("a name is missing")),
        }
    }

    fn step(mut self) -> Result<Step, ArmError> {
        let operator = self.word()?.to_lowercase();
        let step = match operator.as_str() {
            "where" => Step::Where(self.alternatives()?),
            "project" => Step::Project(self.columns()?),
            "extend" => Step::Extend(self.columns()?),
            "distinct" => Step::Distinct(self.columns()?),
            "count" => Step::Count { name: "Count".into(), by: Vec::new() },
            "summarize" => self.summarize()?,
            "order" | "sort" => {
                self.wants("by")?;
                Step::Order(self.order()?)
            }
            "take" | "limit" => match self.next() {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a float becomes the nearest count"
                )]
                Some(Token::Number(count)) if count >= 0.0 => Step::Take(count as usize),
                _ => return Err(invalid("take needs a number")),
            },
            other => return Err(beyond(&format!("the operator '{other}'"))),
        };
        match self.peek() {
            None => Ok(step),
            Some(token) => Err(beyond(&format!("{token:?} in '{operator}'"))),
        }
    }

    fn alternatives(&mut self) -> Result<Vec<Vec<Condition>>, ArmError> {
        let mut all = vec![vec![self.condition()?]];
        loop {
            if self.takes("and") {
                let next = self.condition()?;
                if let Some(last) = all.last_mut() {
                    last.push(next);
                }
            } else if self.takes("or") {
                all.push(vec![self.condition()?]);
            } else {
                return Ok(all);
            }
        }
    }

    fn condition(&mut self) -> Result<Condition, ArmError> {
        for test in ["isnotempty", "isempty", "isnotnull", "isnull"] {
            if self.takes(test) {
                self.wants("(")?;
                let field = self.field()?;
                self.wants(")")?;
                return Ok(Condition { field, operator: test.into(), values: Vec::new() });
            }
        }
        let field = self.field()?;
        let operator = match self.next() {
            Some(Token::Sign(sign)) if sign == "!" => format!("!{}", self.word()?.to_lowercase()),
            Some(Token::Sign(sign)) => sign,
            Some(Token::Word(word)) => word.to_lowercase(),
            _ => return Err(invalid("a comparison is missing")),
        };
        let values = match operator.as_str() {
            "in" | "in~" | "!in" | "!in~" => {
                self.wants("(")?;
                let mut values = vec![self.value()?];
                while self.takes(",") {
                    values.push(self.value()?);
                }
                self.wants(")")?;
                values
            }
            "==" | "=~" | "!=" | "!~" | "<" | "<=" | ">" | ">=" | "contains" | "!contains" | "startswith"
            | "endswith" | "has" => {
                vec![self.value()?]
            }
            other => return Err(beyond(&format!("the comparison '{other}'"))),
        };
        Ok(Condition { field, operator, values })
    }

    fn value(&mut self) -> Result<Value, ArmError> {
        match self.next() {
            Some(Token::Text(text)) => Ok(json!(text)),
            Some(Token::Number(number)) => Ok(json!(number)),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("true") => Ok(json!(true)),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("false") => Ok(json!(false)),
            _ => Err(beyond("a comparison with something that is no text, number or truth value")),
        }
    }

    fn field(&mut self) -> Result<Field, ArmError> {
        for (function, case) in [("tolower", Some(false)), ("toupper", Some(true)), ("tostring", None)] {
            if self.takes(function) {
                self.wants("(")?;
                let inner = self.field()?;
                self.wants(")")?;
                return Ok(Field { case: case.or(inner.case), ..inner });
            }
        }
        let mut parts = vec![self.word()?];
        loop {
            if self.takes(".") {
                parts.push(self.word()?);
            } else if self.takes("[") {
                match self.next() {
                    Some(Token::Text(name)) => parts.push(name),
                    _ => return Err(beyond("a place in a list")),
                }
                self.wants("]")?;
            } else if self.takes("(") {
                return Err(beyond(&format!("the function '{}'", parts.join("."))));
            } else {
                return Ok(Field { parts, case: None });
            }
        }
    }

    fn columns(&mut self) -> Result<Vec<(String, Field)>, ArmError> {
        let mut all = Vec::new();
        loop {
            let first = self.field()?;
            if self.takes("=") {
                let name = first.parts.join("_");
                all.push((name, self.field()?));
            } else {
                all.push((first.parts.join("_"), first));
            }
            if !self.takes(",") {
                return Ok(all);
            }
        }
    }

    fn summarize(&mut self) -> Result<Step, ArmError> {
        let first = self.word()?;
        let name = if self.takes("=") {
            let function = self.word()?;
            if !function.eq_ignore_ascii_case("count") {
                return Err(beyond(&format!("the aggregation '{function}'")));
            }
            first
        } else if first.eq_ignore_ascii_case("count") {
            "count_".to_owned()
        } else {
            return Err(beyond(&format!("the aggregation '{first}'")));
        };
        self.wants("(")?;
        self.wants(")")?;
        let by = if self.takes("by") { self.columns()? } else { Vec::new() };
        Ok(Step::Count { name, by })
    }

    fn order(&mut self) -> Result<Vec<(Field, bool)>, ArmError> {
        let mut all = Vec::new();
        loop {
            let field = self.field()?;
            // descending is the default of the language
            let ascending = self.takes("asc");
            if !ascending {
                self.takes("desc");
            }
            all.push((field, !ascending));
            if !self.takes(",") {
                return Ok(all);
            }
        }
    }
}
