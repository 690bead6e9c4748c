//! Images that can be listed: those of the standard library, and those that the Azure CLI has a short name for. Each has one
//! version, which is the endpoint's own. An image that is not here can be used all the same.

use serde_json::{Map, Value, json};

use crate::documents::Row;
use crate::facts;
use crate::value::set;

const CLI: &str = include_str!("images.txt");
/// The version of images whose versions nobody wrote down.
const VERSION: &str = "1.0.0";

/// An image of the marketplace.
#[derive(Clone, Debug)]
pub struct Image {
    pub publisher: String,
    pub offer: String,
    pub sku: String,
    pub version: String,
    /// The operating system in Azure's spelling, `Linux` or `Windows`.
    pub system: String,
    /// 1 or 2: the generation of the virtual machine that boots it.
    pub generation: u8,
    /// The processor that it runs on, `x64` or `Arm64`.
    pub architecture: String,
    /// Whether it supports Trusted Launch.
    pub trusted: bool,
    /// The Azure CLI's short name.
    pub alias: Option<String>,
}

/// Every image that can be listed.
#[must_use]
pub fn all() -> Vec<Image> {
    let of_line = |line: &str| {
        let mut words = line.split_whitespace().map(str::to_owned);
        let mut next = || words.next();
        Some(Image {
            publisher: next()?,
            offer: next()?,
            sku: next()?,
            version: next()?,
            system: next()?,
            generation: next()?.parse().ok()?,
            architecture: next()?,
            trusted: next()? == "trusted",
            alias: next().filter(|alias| alias != "-"),
        })
    };
    let lines = CLI.lines().filter(|line| !line.starts_with('#')).filter_map(of_line);
    let of_library = facts::images().map(|image| Image {
        publisher: image.publisher.to_owned(),
        offer: image.offer.to_owned(),
        sku: image.sku.to_owned(),
        version: VERSION.to_owned(),
        system: if image.windows { "Windows" } else { "Linux" }.to_owned(),
        generation: if image.first_generation { 1 } else { 2 },
        architecture: "x64".to_owned(),
        trusted: image.trusted,
        alias: None,
    });
    let mut out: Vec<Image> = Vec::new();
    for image in lines.chain(of_library) {
        if !out.iter().any(|have| is(have, &image.publisher, &image.offer, &image.sku)) {
            out.push(image);
        }
    }
    out
}

fn is(image: &Image, publisher: &str, offer: &str, sku: &str) -> bool {
    image.publisher.eq_ignore_ascii_case(publisher)
        && image.offer.eq_ignore_ascii_case(offer)
        && image.sku.eq_ignore_ascii_case(sku)
}

fn find(reference: &Value) -> Option<Image> {
    let text = |key: &str| reference.get(key).and_then(Value::as_str).unwrap_or_default();
    all().into_iter().find(|image| is(image, text("publisher"), text("offer"), text("sku")))
}

/// An image reference with the version that `latest` stands for.
#[must_use]
pub fn with_exact_version(reference: &Value) -> Value {
    let mut out = reference.clone();
    let version = reference.get("version").and_then(Value::as_str);
    if reference.get("publisher").is_some() {
        let exact = match version {
            Some(version) if !version.eq_ignore_ascii_case("latest") => version.to_owned(),
            _ => find(reference).map_or_else(|| VERSION.to_owned(), |image| image.version),
        };
        set(&mut out, "/exactVersion", json!(exact));
    }
    out
}

/// Whether an image is Windows, as far as the list knows; its words tell otherwise.
#[must_use]
pub fn is_windows(reference: &Value) -> bool {
    let words = reference.to_string().to_lowercase();
    find(reference).map_or_else(|| words.contains("windows"), |image| image.system == "Windows")
}

/// The generation of a machine: that of its image; of an image that is not listed, what its name says. Images without a word
/// about it are of the first generation, and galleries do not say it here.
#[must_use]
pub fn generation(vm: &Row) -> &'static str {
    let Some(reference) = vm.at("/properties/storageProfile/imageReference") else { return "V1" };
    if reference.get("publisher").is_none_or(Value::is_null) {
        return "V2";
    }
    match find(reference) {
        Some(image) if image.generation == 1 => "V1",
        Some(_) => "V2",
        None => {
            let sku = reference.get("sku").and_then(Value::as_str).unwrap_or_default().to_lowercase();
            let second = ["gen2", "gensecond", "-g2"].iter().any(|word| sku.contains(word));
            if second { "V2" } else { "V1" }
        }
    }
}

/// The lists of `locations/{location}/publishers/{…}/artifacttypes/vmimage/offers/{…}/skus/{…}/versions`, by the names on
/// the way; `None` for anything else.
#[must_use]
pub fn list(types: &[String], names: &[String], scope: &str) -> Option<Vec<Value>> {
    let types: Vec<String> = types.iter().map(|part| part.to_lowercase()).collect();
    let path: Vec<&str> = types.iter().map(String::as_str).collect();
    let name = |at: usize| names.get(at).map(String::as_str).unwrap_or_default();
    let images = all();
    let (key, passed): (fn(&Image) -> &str, Vec<&Image>) = match path.as_slice() {
        ["locations", "publishers"] => (|image| &image.publisher, images.iter().collect()),
        ["locations", "publishers", "artifacttypes", "offers"] => {
            let of = images.iter().filter(|image| image.publisher.eq_ignore_ascii_case(name(1)));
            (|image| &image.offer, of.collect())
        }
        ["locations", "publishers", "artifacttypes", "offers", "skus"] => {
            let of = images.iter().filter(|image| {
                image.publisher.eq_ignore_ascii_case(name(1)) && image.offer.eq_ignore_ascii_case(name(3))
            });
            (|image| &image.sku, of.collect())
        }
        ["locations", "publishers", "artifacttypes", "offers", "skus", "versions"] => {
            (|image| &image.version, images.iter().filter(|image| is(image, name(1), name(3), name(4))).collect())
        }
        _ => return None,
    };
    let mut out: Vec<Value> = Vec::new();
    for image in passed {
        let place = name(0);
        let mut id = format!("{scope}/providers/Microsoft.Compute/locations/{place}/publishers/{}", image.publisher);
        for (part, value) in
            [("ArtifactTypes/VMImage/Offers", &image.offer), ("Skus", &image.sku), ("Versions", &image.version)]
                .into_iter()
                .take(path.len().saturating_sub(2).min(3))
        {
            id = format!("{id}/{part}/{value}");
        }
        let entry = json!({ "location": place, "name": key(image), "id": id });
        if !out.contains(&entry) {
            out.push(entry);
        }
    }
    Some(out)
}

/// `GET …/skus/{…}/versions/{version}`: what a client has to know of an image.
#[must_use]
pub fn version(names: &[String], scope: &str) -> Option<Value> {
    let [location, publisher, _, offer, sku, version] = names else { return None };
    let image = all().into_iter().find(|image| is(image, publisher, offer, sku) && image.version == *version)?;
    let security =
        if image.trusted { vec![json!({ "name": "SecurityType", "value": "TrustedLaunchSupported" })] } else { vec![] };
    Some(json!({
        "location": location, "name": image.version,
        "id": format!("{scope}/providers/Microsoft.Compute/locations/{location}/publishers/{publisher}/ArtifactTypes/VMImage/Offers/{offer}/Skus/{sku}/Versions/{version}"),
        "properties": {
            "hyperVGeneration": format!("V{}", image.generation), "architecture": image.architecture, "replicaType": "Unmanaged",
            "osDiskImage": { "operatingSystem": image.system, "sizeInGb": if image.system == "Windows" { 127 } else { 30 } },
            "dataDiskImages": [], "features": security,
            "automaticOSUpgradeProperties": { "automaticOSUpgradeSupported": true }, "disallowed": { "vmDiskType": "Unmanaged" },
        },
    }))
}

/// The document of short names that `az cloud` looks for at `vmImageAliasDoc`.
#[must_use]
pub fn aliases() -> Value {
    let mut out: Map<String, Value> = Map::new();
    for image in all() {
        let Some(alias) = &image.alias else { continue };
        let entry = json!({ "publisher": image.publisher, "offer": image.offer, "sku": image.sku, "version": "latest",
            "architecture": image.architecture });
        let system = out.entry(image.system.clone()).or_insert_with(|| json!({}));
        set(system, &format!("/{alias}"), entry);
    }
    json!({
        "$schema": "http://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json", "contentVersion": "1.0.0.0",
        "parameters": {}, "variables": {}, "resources": [],
        "outputs": { "aliases": { "type": "object", "value": out } },
    })
}
