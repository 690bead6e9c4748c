//! Compresses the price book while the crate is built: a fifth of its text goes into the program.

use miniz_oxide::deflate::compress_to_vec_zlib;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=data/prices.txt");
    let text = fs::read_to_string("data/prices.txt")?.replace("\r\n", "\n");
    let out = Path::new(&env::var("OUT_DIR")?).join("prices");
    fs::write(out, compress_to_vec_zlib(text.as_bytes(), 9))?;
    Ok(())
}
