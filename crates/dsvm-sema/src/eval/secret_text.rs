//! Texts of a source → whether a secret is written in them: tokens, keys and signatures have forms of their own.
//!
//! A form that nothing else has is certain; one that a checksum could have too is only suspected.

use regex::Regex;
use std::sync::LazyLock;

/// What a text holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// What it is, with its article.
    pub(super) what: &'static str,
    /// Nothing else looks like this.
    pub(super) certain: bool,
}

/// Shorter texts hold none of the forms.
const SHORTEST: usize = 24;

struct Form {
    what: &'static str,
    certain: bool,
    /// A word that every text of this form contains: most texts are over with one look.
    sign: &'static str,
    pattern: LazyLock<Option<Regex>>,
}

macro_rules! forms {
    ($($what:literal, $certain:literal, $sign:literal, $pattern:literal;)*) => {
        [$(Form { what: $what, certain: $certain, sign: $sign, pattern: LazyLock::new(|| Regex::new($pattern).ok()) }),*]
    };
}

/// Sources of the forms: JSON Web Tokens, RFC 7519 (a header begins with `{"`, which is `eyJ` in Base64); shared access
/// signatures, <https://learn.microsoft.com/rest/api/storageservices/create-service-sas>; keys of storage accounts have 64
/// bytes; secrets of applications have `Q~` after three characters and a digit, as Entra ID has issued them since 2021;
/// tokens of GitHub, <https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats>.
static FORMS: [Form; 10] = forms![
    "an access token (JWT)", true, "eyJ", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}";
    "a private key", true, "PRIVATE KEY", r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s*[A-Za-z0-9+/]";
    "a key of a storage account", true, "AccountKey=", r"AccountKey=[A-Za-z0-9+/]{86}==";
    "a key of a shared access policy", true, "SharedAccessKey=", r"SharedAccessKey=[A-Za-z0-9+/]{43}=";
    "a shared access signature", true, "sig=", r"(?:^|[?&;\s'\x22])sig=(?:[A-Za-z0-9+/]|%2[BbFf]){40,}(?:=|%3[Dd])";
    "a secret of an application", true, "Q~", r"(?:^|[^A-Za-z0-9_~.-])[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}(?:$|[^A-Za-z0-9_~.-])";
    "a token of GitHub", true, "gh", r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59})\b";
    "a token of Hugging Face", true, "hf_", r"\bhf_[A-Za-z0-9]{34}\b";
    "a bearer token", false, "earer ", r"(?i)\bbearer [A-Za-z0-9._~+/-]{20,}=*";
    "a key of 64 bytes", false, "==", r"(?:^|[^A-Za-z0-9+/=-])[A-Za-z0-9+/]{86}==(?:$|[^=])";
];

/// The secret that is written in a text, the most certain first.
pub(super) fn find(text: &str) -> Option<Found> {
    if text.len() < SHORTEST {
        return None;
    }
    let hit = |form: &&Form| {
        text.contains(form.sign)
            && form.pattern.as_ref().is_some_and(|pattern| pattern.find(text).is_some_and(|m| is_varied(m.as_str())))
    };
    FORMS.iter().find(hit).map(|form| Found { what: form.what, certain: form.certain })
}

/// Placeholders repeat a few characters: `xxxx…`, `0000…`.
fn is_varied(text: &str) -> bool {
    let tail: Vec<char> = text.chars().rev().take(24).collect();
    let mut distinct = tail.clone();
    distinct.sort_unstable();
    distinct.dedup();
    distinct.len() >= 8
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "mJ4x9Qb7Lr2TzVw8NpKd3GhYc6FsEa1UiOo5XtBqWvZyRkMnPjHgDfSaCe0u7I9l2K4b6N8mQ1w3E5r7T9yUiA==";

    fn made(parts: &[&str]) -> String {
        parts.concat()
    }

    #[test]
    fn what_nothing_else_looks_like_is_certain() {
        for (text, what) in [
            (
                made(&[
                    "curl -H 'Authorization: Bearer ",
                    "eyJhbGciOiJSUzI1NiJ9",
                    ".eyJzdWIiOiIxMjM0NTY3ODkwIn0",
                    ".TJVA95OrM7E2cBab30RMHrHDcEfxjoYZgeFONFh7HgQ'",
                ]),
                "an access token (JWT)",
            ),
            (made(&["-----BEGIN RSA PRIVATE ", "KEY-----\nMIIEowIBAAKCAQEA1f"]), "a private key"),
            (made(&["DefaultEndpointsProtocol=https;AccountName=a;AccountKey=", KEY]), "a key of a storage account"),
            (
                made(&[
                    "https://a.blob.core.windows.net/c/x?sv=2022-11-02&se=2030-01-01&",
                    "sig=Zk3%2BQ9vR7tLm1Xo2Yp4Ws6Ub8Nc0Ae5Gd7Hf9Jh1Kl3%3D",
                ]),
                "a shared access signature",
            ),
            (
                made(&["export AZURE_CLIENT_SECRET=", "aB3", "8Q~", "zY9xW8vU7tS6rQ5pO4nM3lK2jI1hG0fEdC"]),
                "a secret of an application",
            ),
            (
                made(&["git clone https://", "ghp_", "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5", "@github.com/x/y"]),
                "a token of GitHub",
            ),
            (made(&["hf_", "aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH"]), "a token of Hugging Face"),
        ] {
            assert_eq!(find(&text), Some(Found { what, certain: true }), "{text}");
        }
    }

    #[test]
    fn what_could_be_something_else_is_suspected() {
        for text in [format!("key {KEY}"), "Authorization: Bearer 0a1B2c3D4e5F6g7H8i9J".to_owned()] {
            assert!(find(&text).is_some_and(|found| !found.certain), "{text}");
        }
    }

    #[test]
    fn other_texts_hold_none() {
        for text in [
            "Authorization: Bearer $TOKEN",
            "Authorization: Bearer ${TOKEN_OF_THE_JOB_THAT_RUNS}",
            "AccountKey=$KEY;EndpointSuffix=core.windows.net",
            "sha512-mJ4x9Qb7Lr2TzVw8NpKd3GhYc6FsEa1UiOo5XtBqWvZyRkMnPjHgDfSaCe0u7I9l2K4b6N8mQ1w3E5r7T9yUiA==",
            "https://a.blob.core.windows.net/c/x?sv=2022-11-02&sig=$SIG",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIlu8N3+3Q0hXwV3b6w2p7m5c0f9q8r7s6t5u4v3w2x1 me@host",
            "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "pip install torch==2.1.0 --hash=sha256:0f4a7a1c9b1d8e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f",
            "-----BEGIN PUBLIC KEY-----\nMIIBIjANBg",
            "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/g",
            "the bearer of this letter",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
    }
}
