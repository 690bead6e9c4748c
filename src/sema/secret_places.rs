//! Properties of ARM resources that Azure keeps secret: where a secret may stand in a free body.
//!
//! A property is here only when Azure never gives it back. Everything else is shown again to everybody who can read the
//! resource, so a secret there is an error.

const NAMES: &[&str] = &[
    "protectedSettings",
    "adminPassword",
    "administratorLoginPassword",
    "secureValue",
    "secretValue",
    "clientSecret",
    "accountKey",
    "sharedKey",
    "secureEnvironmentVariables",
    "secrets",
];

/// Whether Azure keeps everything under a property of this name secret.
pub(crate) fn keeps_secrets(property: &str) -> bool {
    NAMES.iter().any(|name| name.eq_ignore_ascii_case(property))
}

/// The names, for the reference.
pub fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().copied()
}
