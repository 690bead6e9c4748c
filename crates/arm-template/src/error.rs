//! What the engine says when a template cannot be used: Azure's code and wording, a plainer sentence, and the place.

use std::fmt;

/// A place in the text of a template or parameter file; line and column count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// Byte offset in the text.
    pub offset: u32,
    /// Line number, starting at 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// One mistake in a template, its parameters, or the values that it computes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// The code that Azure Resource Manager gives, such as `InvalidTemplate`.
    pub code: &'static str,
    /// The message in the form that Azure Resource Manager uses.
    pub message: String,
    /// The same in a plain sentence: what is, in the words of the template.
    pub sentence: String,
    /// What to write instead, when that is known.
    pub help: Option<String>,
    /// Where in the text; `None` for values that no text holds.
    pub position: Option<Position>,
    /// Path of the template element as Azure writes it, such as `properties.template.resources[0]`; may be empty.
    pub path: String,
    /// The id or name of the resource in question, when there is one.
    pub resource: Option<String>,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)?;
        if let Some(p) = self.position {
            write!(f, " (line {}, column {})", p.line, p.column)?;
        }
        Ok(())
    }
}

impl std::error::Error for TemplateError {}

/// Codes of Azure Resource Manager that the engine gives.
pub(crate) mod codes {
    /// The template or a value computed from it is not valid.
    pub const INVALID_TEMPLATE: &str = "InvalidTemplate";
    /// The text is not JSON that Azure reads.
    pub const INVALID_CONTENT: &str = "InvalidRequestContent";
    /// A bound of the service or of this engine is passed.
    pub const QUOTA: &str = "TemplateLimitExceeded";
    /// A linked template cannot be had.
    pub const LINK: &str = "InvalidContentLink";
    /// The runtime does not compute a property that the service does.
    pub const NOT_COMPUTED: &str = "LocalNotComputed";
    /// A value could not be read at deployment time.
    pub const RUNTIME: &str = "DeploymentFailed";
}

/// A failed evaluation before its place is known; the caller adds position and resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EvalError {
    /// Azure's wording of the reason, without the frame around it.
    pub reason: String,
    /// Our sentence, when it differs from the reason.
    pub sentence: Option<String>,
    /// What to write instead, when that is known.
    pub help: Option<String>,
    /// What kind of failure.
    pub code: &'static str,
    /// Byte offset in the text of the innermost place that is known.
    pub offset: Option<u32>,
    /// True when the frame (`The template variable 'x' is not valid: …`) is already in `reason`.
    pub framed: bool,
}

impl EvalError {
    /// A fault of the template with Azure's wording.
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            sentence: None,
            help: None,
            code: codes::INVALID_TEMPLATE,
            offset: None,
            framed: false,
        }
    }

    /// The error for an exceeded bound, with the code `TemplateLimitExceeded`.
    pub fn limit(reason: impl Into<String>) -> Self {
        Self { code: codes::QUOTA, ..Self::new(reason) }
    }

    /// A fault with another code.
    pub fn coded(code: &'static str, reason: impl Into<String>) -> Self {
        Self { code, ..Self::new(reason) }
    }

    /// Adds our own sentence.
    #[must_use]
    pub fn says(mut self, sentence: impl Into<String>) -> Self {
        self.sentence = Some(sentence.into());
        self
    }

    /// Sets the advice on what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The failure of a function without the words that may hold its arguments: they are secret, or made from a secret.
    #[must_use]
    pub fn without_values(self, function: &str) -> Self {
        if self.code == codes::QUOTA {
            return self;
        }
        let reason = format!(
            "Unable to evaluate template language function '{function}': the reason holds a secure value and is not shown."
        );
        let sentence = Some(format!("`{function}` fails on a secure value, and the reason would show it"));
        Self { reason, sentence, help: None, ..self }
    }

    /// Sets the place unless a more exact one is known.
    #[must_use]
    pub fn at(mut self, offset: u32) -> Self {
        self.offset.get_or_insert(offset);
        self
    }

    /// Puts Azure's frame around the reason, once.
    #[must_use]
    pub fn framed(mut self, frame: impl FnOnce(&str) -> String) -> Self {
        if !self.framed {
            if self.sentence.is_none() {
                self.sentence = Some(self.reason.clone());
            }
            self.reason = frame(&self.reason);
            self.framed = true;
        }
        self
    }
}

/// Stands in a reason for `at line 'L' and column 'C'` until the place is known.
const PLACE: &str = "\u{e000}";

/// The words of a place, filled in by [`EvalError::located`].
pub(crate) fn place() -> &'static str {
    PLACE
}

impl EvalError {
    /// The error with everything that is known around it.
    pub fn located(
        self,
        document: Option<&super::json::Document>,
        path: &str,
        resource: Option<&str>,
    ) -> TemplateError {
        let position = match (self.offset, document) {
            (Some(offset), Some(document)) => Some(document.position(offset)),
            _ => None,
        };
        let (line, column) = position.map_or((1, 1), |p| (p.line, p.column));
        let words = format!("at line '{line}' and column '{column}'");
        let placed = self.reason.contains(PLACE);
        let reason = self.reason.replace(PLACE, &words);
        let message = match resource {
            _ if self.code != codes::INVALID_TEMPLATE => reason.clone(),
            Some(id) if !self.framed && !placed => {
                format!("Unable to process template language expressions for resource '{id}' {words}. '{reason}'")
            }
            _ => format!("Deployment template validation failed: '{reason}'."),
        };
        TemplateError {
            code: self.code,
            message,
            sentence: self.sentence.unwrap_or(reason),
            help: self.help,
            position,
            path: path.to_string(),
            resource: resource.map(str::to_string),
        }
    }
}
