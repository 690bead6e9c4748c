//! Encoded documents of machines → their text: base64, or an expression that makes it at deployment.

use arm_template::{Expr, ExprKind};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Placeholder for a part that only the deployment knows.
pub(crate) const OPEN: &str = "‹known at deployment›";

/// The text of a script; nothing when it is neither base64 nor an expression of literals.
pub(crate) fn text(value: &str) -> Option<String> {
    if let Some(inner) = value.strip_prefix('[').and_then(|v| v.strip_suffix(']')) {
        let expression = Expr::parse(inner).ok()?;
        let ExprKind::Call(call) = expression.kind() else { return None };
        let argument = call.args.first().filter(|_| call.name.eq_ignore_ascii_case("base64"))?;
        let mut text = String::new();
        join(argument, &mut text);
        return Some(text);
    }
    String::from_utf8(STANDARD.decode(value).ok()?).ok()
}

/// Literals of a concatenation, and a mark for everything else.
fn join(expression: &Expr, text: &mut String) {
    match expression.kind() {
        ExprKind::Str(literal) => text.push_str(literal),
        ExprKind::Int(number) => text.push_str(&number.to_string()),
        ExprKind::Call(call) if call.name.eq_ignore_ascii_case("concat") => {
            call.args.iter().for_each(|argument| join(argument, text));
        }
        _ => text.push_str(OPEN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_read_from_base64_and_from_expressions() {
        assert_eq!(text("YWJj").as_deref(), Some("abc"));
        let expression = "[base64(concat('{\"a\":\"', reference('x').clientId, '\"}'))]";
        assert_eq!(text(expression).unwrap(), format!("{{\"a\":\"{OPEN}\"}}"));
        assert_eq!(text("[parameters('x')]"), None);
        assert_eq!(text("not base64!"), None);
    }
}
