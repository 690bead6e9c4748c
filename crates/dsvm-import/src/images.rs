//! Images of Batch AI → images that its successors can run.

use super::read::Node;
use super::write::Document;

/// The image of a cluster, as an expression; comments explain the replacement.
///
/// `size` is the size of the machines and `containers` whether jobs run in containers: the project's own image has to
/// bring what they need.
pub fn image(configuration: &Node, (size, containers): (&str, bool), document: &mut Document) -> String {
    let reference = configuration.get("imageReference");
    if let Some(id) = reference.get("virtualMachineImageId").text() {
        let base = ["publisher", "offer", "sku", "version"].map(|p| reference.get(p).text().unwrap_or_default());
        let base: Vec<_> = base.into_iter().filter(|p| !p.is_empty()).collect();
        document.comment(&format!(
            "The image was made from {}.",
            if base.is_empty() { "one that is not named".into() } else { base.join(":") }
        ));
        document.warn("the pool's own image must be in a gallery and made from a system that Azure Batch supports");
        let driver = super::sizes::driver(size);
        let mut facts: Vec<String> = driver.map(|driver| format!("drivers    = [{driver}]")).into_iter().collect();
        if let Some(driver) = driver {
            document.warn(&format!(
                "the pool's own image must bring the {driver} driver, which Batch AI may have installed"
            ));
        }
        if containers {
            facts.push("containers = true".to_owned());
            document.warn("the pool's own image must bring a container runtime");
        }
        return document.own_image(&id, &facts);
    }
    let part = |name: &str| reference.get(name).text().unwrap_or_default();
    let alias = configuration.get("image").text();
    let (publisher, offer, sku, version) = (part("publisher"), part("offer"), part("sku"), part("version"));
    let written = match &alias {
        Some(alias) => alias.clone(),
        None if offer.is_empty() => "UbuntuLTS".to_owned(),
        None => format!("{publisher}:{offer}:{sku}:{version}"),
    };
    let lower = written.to_ascii_lowercase();
    let (was, why) = if lower == "ubuntudsvm" || lower.contains("linux-data-science-vm-ubuntu") {
        ("UbuntuDSVM (microsoft-ads:linux-data-science-vm-ubuntu:linuxdsvmubuntu)", "it ended in 2018")
    } else if lower == "ubuntults" || lower.contains("ubuntuserver") {
        ("UbuntuLTS (Canonical:UbuntuServer:16.04-LTS)", "Ubuntu 16.04 ended in 2021")
    } else {
        document.comment(&format!("The image was {written}."));
        document.warn(&format!("the image `{written}` has no known successor: check that `images.ubuntu_hpc` fits"));
        return "images.ubuntu_hpc".to_owned();
    };
    document.comment(&format!("The image was {was}; {why}."));
    document.warn(&format!(
        "the image {was} is replaced by images.ubuntu_hpc: GPU drivers and containers, and no frameworks; run jobs in containers that bring them"
    ));
    "images.ubuntu_hpc".to_owned()
}

/// Says what the image of a cluster was, where the successor takes none.
pub fn report(configuration: &Node, document: &mut Document) {
    let reference = configuration.get("imageReference");
    let parts =
        ["publisher", "offer", "sku", "version", "virtualMachineImageId"].map(|part| reference.get(part).text());
    let named = configuration.get("image").text().into_iter().chain(parts.into_iter().flatten());
    let named: Vec<String> = named.collect();
    if !named.is_empty() {
        document.comment(&format!("The image was {}.", named.join(":")));
    }
}
