//! Generates the crate from the contract beside it: messages, clients and servers, the descriptors for reflection,
//! and the rule of every method as data. A contract that breaks a rule of the house stops the build here,
//! with file and line, before any service is compiled against it.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use prost_reflect::DescriptorPool;
use protox::Compiler;

#[path = "build/method.rs"]
mod method;
#[path = "build/rules.rs"]
mod rules;
#[path = "build/table.rs"]
mod table;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=shop");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);

    let mut files = Vec::new();
    proto_files(Path::new("shop"), &mut files)?;
    // The order of a folder differs between machines; what is generated must not.
    files.sort();

    let mut compiler = Compiler::new(["."])?;
    compiler.include_imports(true).include_source_info(true);
    if let Err(error) = compiler.open_files(&files) {
        // Its debug form carries file, line and column, which its display form leaves out.
        println!("cargo::error=proto/{error:?}");
        return Ok(());
    }

    let pool = compiler.descriptor_pool();
    match rules::read(&pool) {
        Ok(methods) => fs::write(out.join("rules.rs"), table::source(&methods))?,
        Err(refusals) => {
            // `cargo::error` fails the build after the script has ended, so that all refusals are seen at once.
            for refusal in refusals {
                println!("cargo::error={refusal}");
            }
            return Ok(());
        }
    }

    fs::write(out.join("packages.rs"), table::packages(&packages(&pool)))?;
    tonic_prost_build::configure().include_file("tree.rs").compile_fds(compiler.file_descriptor_set())?;

    // Comments are for readers of the source; reflection carries names, types and options.
    compiler.include_source_info(false);
    fs::write(out.join("descriptors.bin"), compiler.encode_file_descriptor_set())?;
    Ok(())
}

/// Collects the `.proto` files below `folder`.
fn proto_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            proto_files(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    Ok(())
}

/// The names of our own packages, sorted, each once.
fn packages(pool: &DescriptorPool) -> Vec<String> {
    let mut packages: Vec<String> = pool
        .files()
        .map(|file| file.package_name().to_owned())
        .filter(|package| package.starts_with("shop."))
        .collect();
    packages.sort();
    packages.dedup();
    packages
}
