//! The `$filter` of lists: `eq`, `ne`, `and`, `or`, `not`, parentheses, `startswith`, `substringof`.

use serde_json::Value;

use crate::documents::Row;
use crate::error::ArmError;
use crate::http::Request;

#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// No filter: everything passes.
    All,
    /// A field has a value: `field eq 'value'`.
    Is(String, String),
    /// A field starts with a value: `startswith(field, 'value')`.
    Starts(String, String),
    /// A field contains a value: `substringof('value', field)`.
    Holds(String, String),
    /// Both filters must pass.
    And(Box<Filter>, Box<Filter>),
    /// One of the filters must pass.
    Or(Box<Filter>, Box<Filter>),
    /// The filter must not pass.
    Not(Box<Filter>),
}

impl Filter {
    /// The filter of a request.
    ///
    /// # Errors
    /// The error code `InvalidFilterInQueryString` of Azure.
    pub fn of(request: &Request) -> Result<Self, ArmError> {
        let text = request.query("$filter").unwrap_or_default().trim();
        Self::parse(text).ok_or_else(|| {
            ArmError::bad(
                "InvalidFilterInQueryString",
                format!("Invalid $filter '{text}' specified in the query string."),
            )
        })
    }

    /// Parses a filter; `None` when it cannot be read.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::All);
        }
        let tokens = tokens(text)?;
        let mut parser = Parser { tokens: &tokens, depth: 0 };
        let filter = parser.any()?;
        parser.tokens.is_empty().then_some(filter)
    }

    /// Whether a body that is no resource of the store passes.
    #[must_use]
    pub fn passes(&self, body: &Value) -> bool {
        let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        self.matches(&Row {
            id: text("id"),
            kind: text("type"),
            name: text("name"),
            body: body.clone(),
            etag: String::new(),
            created: 0,
            changed: 0,
            settles: 0,
            settling: String::new(),
            hidden: Value::Null,
        })
    }

    /// Whether a resource passes. Tag clauses (`tagName eq … and tagValue eq …`) look at the same tag.
    #[must_use]
    pub fn matches(&self, row: &Row) -> bool {
        match self {
            Self::All => true,
            Self::And(a, b) => match (a.as_ref(), b.as_ref()) {
                (Self::Is(n, name), Self::Is(v, value)) | (Self::Is(v, value), Self::Is(n, name))
                    if n.eq_ignore_ascii_case("tagName") && v.eq_ignore_ascii_case("tagValue") =>
                {
                    tags(row).any(|(k, v)| k.eq_ignore_ascii_case(name) && v == value)
                }
                _ => a.matches(row) && b.matches(row),
            },
            Self::Or(a, b) => a.matches(row) || b.matches(row),
            Self::Not(a) => !a.matches(row),
            Self::Is(field, value) => test(row, field, |have| have.eq_ignore_ascii_case(value)),
            Self::Starts(field, value) => {
                test(row, field, |have| have.to_lowercase().starts_with(&value.to_lowercase()))
            }
            Self::Holds(field, value) => test(row, field, |have| have.to_lowercase().contains(&value.to_lowercase())),
        }
    }
}

fn tags(row: &Row) -> impl Iterator<Item = (&str, &str)> {
    row.at("/tags")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(k, v)| Some((k.as_str(), v.as_str()?)))
}

fn test(row: &Row, field: &str, holds: impl Fn(&str) -> bool) -> bool {
    match field.to_lowercase().as_str() {
        "resourcetype" | "type" => holds(&row.kind),
        "name" => holds(&row.name),
        "location" => holds(&row.location()) || row.text("/location").is_some_and(&holds),
        "resourcegroup" => row.id.split('/').nth(4).is_some_and(holds),
        "tagname" => tags(row).any(|(name, _)| holds(name)),
        "tagvalue" => tags(row).any(|(_, value)| holds(value)),
        path => {
            let pointer = format!("/{}", path.replace('.', "/"));
            let inner = format!("/properties{pointer}");
            find(&row.body, &pointer).or_else(|| find(&row.body, &inner)).is_some_and(|value| match value {
                Value::String(text) => holds(text),
                other => holds(&other.to_string()),
            })
        }
    }
}

fn find<'a>(value: &'a Value, pointer: &str) -> Option<&'a Value> {
    pointer.split('/').skip(1).try_fold(value, |value, part| {
        value.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(part)).map(|(_, inner)| inner)
    })
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Open,
    Close,
    Comma,
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut out = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '+' => {}
            '(' => out.push(Token::Open),
            ')' => out.push(Token::Close),
            ',' => out.push(Token::Comma),
            '\'' => {
                let mut value = String::new();
                loop {
                    match chars.next()? {
                        '\'' if chars.peek() == Some(&'\'') => {
                            chars.next();
                            value.push('\'');
                        }
                        '\'' => break,
                        other => value.push(other),
                    }
                }
                out.push(Token::Text(value));
            }
            other => {
                let mut word = String::from(other);
                while let Some(next) = chars.peek().copied().filter(|c| !" \t(),'".contains(*c)) {
                    word.push(next);
                    chars.next();
                }
                out.push(Token::Word(word));
            }
        }
    }
    Some(out)
}

struct Parser<'a> {
    tokens: &'a [Token],
    depth: usize,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first.clone())
    }

    fn word(&self, wanted: &str) -> bool {
        matches!(self.tokens.first(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(wanted))
    }

    fn eat(&mut self, token: &Token) -> Option<()> {
        (self.next()? == *token).then_some(())
    }

    fn any(&mut self) -> Option<Filter> {
        self.depth += 1;
        if self.depth > 64 {
            return None;
        }
        let mut left = self.all()?;
        while self.word("or") {
            self.next();
            left = Filter::Or(Box::new(left), Box::new(self.all()?));
        }
        self.depth -= 1;
        Some(left)
    }

    fn all(&mut self) -> Option<Filter> {
        let mut left = self.one()?;
        while self.word("and") {
            self.next();
            left = Filter::And(Box::new(left), Box::new(self.one()?));
        }
        Some(left)
    }

    fn one(&mut self) -> Option<Filter> {
        match self.next()? {
            Token::Open => {
                let inner = self.any()?;
                self.eat(&Token::Close)?;
                Some(inner)
            }
            Token::Word(word) if word.eq_ignore_ascii_case("not") => {
                self.depth += 1;
                if self.depth > 64 {
                    return None;
                }
                let inner = self.one()?;
                self.depth -= 1;
                Some(Filter::Not(Box::new(inner)))
            }
            Token::Word(word) if self.tokens.first() == Some(&Token::Open) => {
                self.next();
                if self.tokens.first() == Some(&Token::Close) && word.eq_ignore_ascii_case("atScope") {
                    self.next();
                    return Some(Filter::All);
                }
                if word.eq_ignore_ascii_case("assignedTo") {
                    let Token::Text(principal) = self.next()? else { return None };
                    self.eat(&Token::Close)?;
                    return Some(Filter::Is("principalId".into(), principal));
                }
                let (first, _, second) = (self.next()?, self.eat(&Token::Comma)?, self.next()?);
                self.eat(&Token::Close)?;
                match (word.to_lowercase().as_str(), first, second) {
                    ("startswith", Token::Word(field), Token::Text(value)) => Some(Filter::Starts(field, value)),
                    ("substringof", Token::Text(value), Token::Word(field)) => Some(Filter::Holds(field, value)),
                    _ => None,
                }
            }
            Token::Word(field) => {
                let Token::Word(operator) = self.next()? else { return None };
                let value = match self.next()? {
                    Token::Text(text) | Token::Word(text) => text,
                    _ => return None,
                };
                let is = Filter::Is(field, value);
                match operator.to_lowercase().as_str() {
                    "eq" => Some(is),
                    "ne" => Some(Filter::Not(Box::new(is))),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn passes(text: &str) -> bool {
        let row = Row {
            id: "/subscriptions/s/resourceGroups/rgs/providers/Microsoft.Compute/virtualMachineScaleSets/pool".into(),
            kind: "Microsoft.Compute/virtualMachineScaleSets".into(),
            name: "pool".into(),
            body: json!({ "location": "westeurope", "tags": { "env": "dev", "o": "it's" } }),
            etag: String::new(),
            created: 0,
            changed: 0,
            settles: 0,
            settling: String::new(),
            hidden: Value::Null,
        };
        Filter::parse(text).expect("filter").matches(&row)
    }

    #[test]
    fn filters_select() {
        assert!(passes("resourceGroup eq 'RGS'"));
        assert!(passes("resourceType eq 'microsoft.compute/virtualmachinescalesets' and location eq 'westeurope'"));
        assert!(passes("tagName eq 'env' and tagValue eq 'dev'"));
        assert!(!passes("tagName eq 'o' and tagValue eq 'dev'"));
        assert!(passes("tagValue eq 'it''s'"));
        assert!(passes("substringof('oo', name) or name eq 'x'"));
        assert!(passes("not (startswith(name, 'x'))"));
        assert!(!passes("name ne 'pool'"));
        assert!(passes(""));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for text in ["name eq", "name eq 'x", "(name eq 'x'", "x(", "name gt 'x'", &"(".repeat(5000)] {
            assert_eq!(Filter::parse(text), None, "{text}");
        }
    }
}
