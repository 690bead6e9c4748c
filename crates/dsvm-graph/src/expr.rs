//! Text of a template: a literal, or an expression of the ARM template language.
//!
//! Literals are kept literal as long as possible, so that the template reads well.

use super::json::Json;

/// A text that is known, or an expression that the deployment evaluates (without the brackets).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Text {
    /// A text that the template contains as it is.
    Literal(String),
    /// An expression without its brackets, such as `parameters('x')`.
    Expression(String),
}

impl Text {
    /// A literal, from anything that becomes a string.
    #[must_use]
    pub fn literal(text: impl Into<String>) -> Self {
        Self::Literal(text.into())
    }

    /// A call of a template function: `function(arguments…)`.
    #[must_use]
    pub fn call(function: &str, arguments: &[Text]) -> Self {
        let mut out = String::with_capacity(64);
        out.push_str(function);
        out.push('(');
        for (index, argument) in arguments.iter().enumerate() {
            if index > 0 {
                out.push_str(", ");
            }
            argument.write(&mut out);
        }
        out.push(')');
        Self::Expression(out)
    }

    /// A member of an expression.
    #[must_use]
    pub fn member(&self, name: &str) -> Self {
        Self::Expression(format!("{}.{name}", self.inner()))
    }

    /// Texts one after the other; neighbouring literals become one.
    #[must_use]
    pub fn concat(parts: &[Text]) -> Self {
        let mut joined: Vec<Text> = Vec::with_capacity(parts.len());
        for part in parts {
            match (joined.last_mut(), part) {
                (_, Self::Literal(text)) if text.is_empty() => {}
                (Some(Self::Literal(last)), Self::Literal(text)) => last.push_str(text),
                (_, Self::Expression(text)) => joined.push(Self::Expression(unwrapped(text).to_owned())),
                _ => joined.push(part.clone()),
            }
        }
        match joined.len() {
            0 => Self::Literal(String::new()),
            // A `concat(…)` on its own stays one.
            1 => match joined.swap_remove(0) {
                Self::Expression(_) => parts.iter().find(|p| p.known().is_none()).cloned().unwrap_or_else(|| "".into()),
                literal => literal,
            },
            _ => Self::call("concat", &joined),
        }
    }

    /// As a part of an expression: a quoted string, or the expression.
    #[must_use]
    pub fn inner(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Expression(text) => out.push_str(text),
            Self::Literal(text) => {
                out.push('\'');
                for (index, part) in text.split('\'').enumerate() {
                    if index > 0 {
                        out.push_str("''");
                    }
                    out.push_str(part);
                }
                out.push('\'');
            }
        }
    }

    /// As a JSON string of a template: an expression in brackets, a literal as it is.
    #[must_use]
    pub fn json(&self) -> String {
        match self {
            Self::Expression(text) => {
                let mut out = String::with_capacity(text.len() + 2);
                out.push('[');
                out.push_str(text);
                out.push(']');
                out
            }
            // A literal in brackets would be taken for an expression.
            Self::Literal(text) if text.starts_with('[') && text.ends_with(']') => format!("[{text}"),
            Self::Literal(text) => text.clone(),
        }
    }

    /// Bytes of the literal, or of the expression without its brackets.
    #[must_use]
    pub fn length(&self) -> usize {
        let (Self::Literal(text) | Self::Expression(text)) = self;
        text.len()
    }

    /// The literal, if it is one.
    #[must_use]
    pub fn known(&self) -> Option<&str> {
        match self {
            Self::Literal(text) => Some(text),
            Self::Expression(_) => None,
        }
    }
}

/// The arguments of an expression that is one `concat(…)`, else the expression.
fn unwrapped(text: &str) -> &str {
    let Some(inside) = text.strip_prefix("concat(").and_then(|t| t.strip_suffix(')')) else { return text };
    let (mut depth, mut quoted) = (0i32, false);
    for c in inside.chars() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return text;
        }
    }
    inside
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::Literal(text.to_owned())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::Literal(text)
    }
}

impl From<Text> for Json {
    fn from(text: Text) -> Self {
        Self::from(text.json())
    }
}

impl From<&Text> for Json {
    fn from(text: &Text) -> Self {
        Self::from(text.json())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_stay_literal_and_join() {
        let text = Text::concat(&["a".into(), "".into(), "b".into()]);
        assert_eq!(text.json(), "ab");
    }

    #[test]
    fn one_concat_inside_another_is_taken_apart() {
        let inner = Text::concat(&["a".into(), Text::call("f", &["(".into()])]);
        assert_eq!(Text::concat(&[inner.clone(), "b".into()]).json(), "[concat('a', f('('), 'b')]");
        assert_eq!(Text::concat(&[inner]).json(), "[concat('a', f('('))]");
        let two = Text::Expression("concat(a(), b()).x(c())".into());
        assert_eq!(Text::concat(&[two, "d".into()]).json(), "[concat(concat(a(), b()).x(c()), 'd')]");
    }

    #[test]
    fn quotes_are_doubled_inside_expressions_only() {
        let text = Text::concat(&["it's ".into(), Text::call("parameters", &["x".into()])]);
        assert_eq!(text.json(), "[concat('it''s ', parameters('x'))]");
        assert_eq!(Text::literal("it's").json(), "it's");
    }

    #[test]
    fn a_literal_in_brackets_is_not_an_expression() {
        assert_eq!(Text::literal("[x]").json(), "[[x]");
        assert_eq!(Text::literal("[x").json(), "[x");
    }
}
