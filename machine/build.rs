//! Joins the modules of this folder to the script while the crate is built: compressing them takes longer than checking a
//! project, and they are the same in every run.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use miniz_oxide::deflate::compress_to_vec_zlib;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    for source in ["build.rs", "bootstrap.py", "dsvmc_machine"] {
        println!("cargo::rerun-if-changed={source}");
    }
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(here.join("dsvmc_machine"))? {
        files.push(entry?.path());
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "py"));
    files.sort();
    let mut modules = Map::new();
    for path in &files {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        modules.insert(name, Value::from(text(path)?));
    }
    // Every scale set of a template carries the script: compressed, it is two fifths as long, and leaves room for people.
    let packed = BASE64.encode(compress_to_vec_zlib(Value::Object(modules).to_string().as_bytes(), 9));
    let script = text(&here.join("bootstrap.py"))?.replace("@MODULES@", &packed);
    let out = Path::new(&env::var("OUT_DIR")?).join("script");
    fs::write(out, format!("{}\n#POOL ", script.trim_end()))?;
    Ok(())
}

/// A file with the line ends of the repository, wherever it was checked out.
fn text(path: &Path) -> std::io::Result<String> {
    Ok(fs::read_to_string(path)?.replace("\r\n", "\n"))
}
