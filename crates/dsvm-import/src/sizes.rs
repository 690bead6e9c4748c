//! Sizes of 2018 → sizes of today, by the standard library's own retirement facts.

/// The standard library's sizes.
const SIZES: &str = dsvm_stdlib::SIZES;

/// What became of a size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Still there, under this name.
    Current(String),
    /// A retired size and the size to use instead.
    Retired(String, String),
    /// Not in the library.
    Unknown,
}

/// Looks a size up; letter case does not matter.
pub fn find(written: &str) -> Found {
    let Some((name, body)) = block(written) else { return Found::Unknown };
    match body.split_once("successor = ") {
        Some((_, rest)) if body.contains("retirement") && body.contains("retired = ") => {
            let successor: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            Found::Retired(name, successor)
        }
        _ => Found::Current(name),
    }
}

/// The driver that a size with GPUs needs, in the words of an image; none for a size without.
pub fn driver(name: &str) -> Option<&'static str> {
    let (_, body) = block(name)?;
    let has = |fact: &str| body.contains(fact);
    match has("gpu = ") || has("gpu_share = ") {
        true if has("gpu_vendor = amd") => Some("amd"),
        true => Some("nvidia"),
        false => None,
    }
}

/// The name as the library spells it, and the text of its block.
fn block(written: &str) -> Option<(String, &'static str)> {
    let mut rest = SIZES;
    while let Some((_, after)) = rest.split_once("export size ") {
        let (name, body) = after.split_once('{')?;
        let end = body.find("\nexport size ").unwrap_or(body.len());
        if name.trim().eq_ignore_ascii_case(written) {
            return Some((name.trim().to_owned(), body.get(..end).unwrap_or(body)));
        }
        rest = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_2018_lead_to_sizes_of_today() {
        assert_eq!(find("STANDARD_NC6"), Found::Retired("Standard_NC6".into(), "Standard_NC4as_T4_v3".into()));
        assert_eq!(find("standard_d4s_v5"), Found::Current("Standard_D4s_v5".into()));
        assert_eq!(find("Standard_Unheard_Of"), Found::Unknown);
    }

    #[test]
    fn sizes_with_gpus_need_their_driver() {
        assert_eq!(driver("Standard_NC4as_T4_v3"), Some("nvidia"));
        assert_eq!(driver("Standard_NV4as_v4"), Some("amd"));
        assert_eq!(driver("Standard_D4s_v5"), None);
    }
}
