//! Facts that the endpoint reads in the standard library: built-in roles, images, sizes, regions.

use dsvm_stdlib::{IMAGES, REGIONS, SIZES};
use serde_json::{Value, json};

const ROLES: &str = dsvm_stdlib::ROLES;

/// The text between quotes behind `key = ` in a block.
fn field<'t>(block: &'t str, key: &str) -> Option<&'t str> {
    block.split_once(&format!("{key} = \""))?.1.split_once('"').map(|(text, _)| text)
}

fn blocks<'t>(text: &'t str, keyword: &str) -> impl Iterator<Item = &'t str> {
    text.split(&format!("export {keyword} ") as &str)
        .skip(1)
        .map(|part| part.split_once("\n}").map_or(part, |(block, _)| block))
        .collect::<Vec<_>>()
        .into_iter()
}

/// The built-in roles as role definitions of a subscription.
#[must_use]
pub fn roles(subscription: &str) -> Vec<Value> {
    blocks(ROLES, "role")
        .filter_map(|block| {
            let (name, id) = (field(block, "name")?, field(block, "id")?);
            Some(json!({
                "id": format!("/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{id}"),
                "name": id, "type": "Microsoft.Authorization/roleDefinitions",
                "properties": { "roleName": name, "type": "BuiltInRole", "description": field(block, "allows"),
                    "assignableScopes": ["/"], "permissions": [] },
            }))
        })
        .collect()
}

/// The word or number behind `key = ` in a block.
fn word<'t>(block: &'t str, key: &str) -> Option<&'t str> {
    let behind = [" ", "\n"].iter().find_map(|before| block.split_once(&format!("{before}{key} = ") as &str))?.1;
    behind.split([',', '\n', ' ', '}']).next()
}

/// An image of the standard library.
pub struct Image {
    pub publisher: &'static str,
    pub offer: &'static str,
    pub sku: &'static str,
    pub windows: bool,
    /// Whether it boots generation 1 only.
    pub first_generation: bool,
    /// Whether it supports Trusted Launch.
    pub trusted: bool,
}

/// The images of the standard library that are not gone.
pub fn images() -> impl Iterator<Item = Image> {
    blocks(IMAGES, "image").filter(|block| word(block, "state") != Some("gone")).filter_map(|block| {
        Some(Image {
            publisher: field(block, "publisher")?,
            offer: field(block, "offer")?,
            sku: field(block, "sku")?,
            windows: word(block, "os") == Some("windows"),
            first_generation: word(block, "generation") == Some("1"),
            trusted: word(block, "trusted_launch") == Some("yes"),
        })
    })
}

/// A virtual machine size of the standard library.
pub struct Size {
    pub name: &'static str,
    /// Name of the quota family.
    pub family: &'static str,
    pub vcpus: u32,
    /// Main memory in whole GiB.
    pub memory: u32,
    /// How many data disks can be attached at most.
    pub data_disks: u32,
    /// Temporary disk in GiB; 0 without one.
    pub temp_disk: u32,
    /// Number of GPUs; 0 for a part of one.
    pub gpus: u32,
    pub accelerated_networking: bool,
    /// `V1`, `V2` or both, with a comma.
    pub generations: String,
    /// Whether its OS disk can be ephemeral.
    pub ephemeral: bool,
    pub spot: bool,
}

/// The sizes of the standard library.
pub fn sizes() -> impl Iterator<Item = Size> {
    blocks(SIZES, "size").filter_map(|block| {
        let number = |key: &str| word(block, key).and_then(|text| text.parse().ok()).unwrap_or(0);
        let list = |key: &str| {
            block.split_once(&format!("{key} = [") as &str).and_then(|(_, rest)| Some(rest.split_once(']')?.0))
        };
        let generations: Vec<String> =
            list("generations").unwrap_or("2").split(',').map(|text| format!("V{}", text.trim())).collect();
        Some(Size {
            name: block.split_whitespace().next()?,
            family: field(block, "family").unwrap_or_default(),
            vcpus: number("vcpu"),
            memory: number("memory"),
            data_disks: number("data_disks"),
            temp_disk: number("temp_disk"),
            gpus: number("gpu"),
            accelerated_networking: matches!(word(block, "accelerated_networking"), Some("yes" | "required")),
            generations: generations.join(","),
            ephemeral: list("ephemeral").is_some_and(|list| !list.trim().is_empty()),
            spot: word(block, "spot") == Some("yes"),
        })
    })
}

/// Whether a region has availability zones.
#[must_use]
pub fn has_zones(region: &str) -> bool {
    blocks(REGIONS, "region")
        .any(|block| block.split_whitespace().next() == Some(region) && word(block, "zones") == Some("yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_found() {
        let reader = roles("s").into_iter().find(|role| role["properties"]["roleName"] == "Reader").expect("reader");
        assert_eq!(reader["name"], "acdd72a7-3385-48ef-bd42-f606fba81ae7");
    }
}
