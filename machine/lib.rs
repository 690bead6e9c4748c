//! The Python modules of this folder → one script, which the platform runs as root on each machine of a pool.
//!
//! The script is constant; the pool follows it as one line of JSON. `README.md` describes both.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// The most characters of base64 that the CustomScript extension takes as `script`. It reports success for a longer one
/// without running anything
/// (<https://github.com/Azure/custom-script-extension-linux/blob/master/main/cmds.go>, `maxScriptSize`), so a longer one
/// must never be emitted.
pub const LONGEST: usize = 262_144;

/// What `build.rs` makes of the modules.
const SCRIPT: &str = include_str!(concat!(env!("OUT_DIR"), "/script"));

/// The script up to the pool: ends with the beginning of a comment line, `#POOL `, that pool.json completes as one line.
///
/// The version that the machine reports is the SHA-256 of the whole script with its pool, the first 16 hexadecimal digits.
#[must_use]
pub const fn script() -> &'static str {
    SCRIPT
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
