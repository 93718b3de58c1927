//! The index has no migrations: one of another version is thrown away, and the new one is built from the owners.

use std::io;
use std::path::{Path, PathBuf};

/// Grows with every change of what a document holds or how words are cut.
pub const SCHEMA_VERSION: u32 = 4;

/// The folder of this version's index, made when missing; those of other versions are removed.
pub fn prepare(folder: &Path) -> io::Result<PathBuf> {
    let present = folder.join(format!("v{SCHEMA_VERSION}"));
    std::fs::create_dir_all(&present)?;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path != present && is_version(&path) {
            std::fs::remove_dir_all(&path)?;
        }
    }
    Ok(present)
}

/// An index that cannot be read is no loss: it is built again.
pub fn wipe(present: &Path) -> io::Result<()> {
    std::fs::remove_dir_all(present)?;
    std::fs::create_dir_all(present)
}

fn is_version(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let number = name.strip_prefix('v').unwrap_or_default();
    path.is_dir() && number.parse::<u32>().is_ok()
}
