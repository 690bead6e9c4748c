//! The Python modules of this folder → one script, which the platform runs as root on each machine of a pool.
//!
//! The script is constant; the pool follows it as one line of JSON. `README.md` describes both.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use miniz_oxide::deflate::compress_to_vec_zlib;
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// The most characters of base64 that the CustomScript extension takes as `script`. It reports success for a longer one
/// without running anything
/// (<https://github.com/Azure/custom-script-extension-linux/blob/master/main/cmds.go>, `maxScriptSize`), so a longer one
/// must never be emitted.
pub const LONGEST: usize = 262_144;

const BOOTSTRAP: &str = include_str!("bootstrap.py");

macro_rules! modules {
    ($($name:literal),* $(,)?) => {
        &[$((concat!($name, ".py"), include_str!(concat!("dsvmc_machine/", $name, ".py")))),*]
    };
}

/// File names of the package and their contents.
pub const MODULES: &[(&str, &str)] = modules![
    "__init__",
    "accounts",
    "config",
    "events",
    "firewall",
    "folders",
    "health",
    "login",
    "main",
    "metadata",
    "mountinfo",
    "packages",
    "paths",
    "secrets",
    "setup",
    "shares",
    "ssh",
    "state",
    "steps",
    "system",
    "units",
];

static SCRIPT: LazyLock<String> = LazyLock::new(|| {
    let modules: Map<String, Value> =
        MODULES.iter().map(|(name, text)| ((*name).to_owned(), Value::from(*text))).collect();
    let json = Value::Object(modules).to_string();
    // Every scale set of a template carries the script: compressed, it is two fifths as long, and leaves room for people.
    let text = BASE64.encode(compress_to_vec_zlib(json.as_bytes(), 9));
    format!("{}\n#POOL ", BOOTSTRAP.replace("@MODULES@", &text).trim_end())
});

/// The script up to the pool: ends with the beginning of a comment line, `#POOL `, that pool.json completes as one line.
///
/// The version that the machine reports is the SHA-256 of the whole script with its pool, the first 16 hexadecimal digits.
pub fn script() -> &'static str {
    &SCRIPT
}

/// What is the pool's own in a script as the extension takes it (base64): the line of JSON behind the program. `None` for any
/// other text.
#[must_use]
pub fn description(encoded: &str) -> Option<String> {
    let text = String::from_utf8(BASE64.decode(encoded).ok()?).ok()?;
    Some(text.strip_prefix(script())?.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_ends_where_the_pool_begins() {
        assert!(script().starts_with("#!/usr/bin/python3 -I\n"));
        assert!(script().ends_with("\n#POOL "));
        assert_eq!(script().matches("\n#POOL ").count(), 1);
        assert!(script().is_ascii(), "the template holds it as text");
    }

    #[test]
    fn every_module_is_in_the_script() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/dsvmc_machine");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".py"))
            .collect();
        files.sort();
        let names: Vec<&str> = MODULES.iter().map(|(name, _)| *name).collect();
        assert_eq!(files, names);
    }

    #[test]
    fn a_large_pool_fits_beside_the_script() {
        let base64 = |bytes: usize| bytes.div_ceil(3) * 4;
        let user = "{\"name\":\"somebody12\",\"uid\":20000,\"sudo\":false,\"groups\":[\"docker\"],\"keys\":[\"\"]}"
            .len()
            + 120;
        let (users, steps) = (200 * user, 20_000);
        let whole = base64(script().len() + users + steps);
        assert!(whole <= LONGEST, "{whole} characters with two hundred people and 20,000 bytes of steps");
    }
}
