//! Where the project lies on this machine, and the commands that run in it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::process::{Error, file_error};

/// A checkout of the project, and where its build writes.
pub(crate) struct Checkout {
    root: PathBuf,
    target: PathBuf,
}

impl Checkout {
    /// The checkout that this program was built from.
    pub(crate) fn of_this_build() -> Checkout {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.parent().unwrap_or(manifest).to_owned();
        // A relative target folder is meant from where cargo was called; joining leaves an absolute one as it is.
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(
            || root.join("target"),
            |folder| env::current_dir().unwrap_or_default().join(folder),
        );
        Checkout { root, target }
    }

    /// A checkout elsewhere, for tests of the tasks themselves.
    #[cfg(test)]
    pub(crate) fn at(root: &Path) -> Checkout {
        Checkout { root: root.to_owned(), target: root.join("target") }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A folder below the build's own for what tasks install or unpack.
    pub(crate) fn scratch(&self, name: &str) -> PathBuf {
        self.target.join("xtask").join(name)
    }

    /// The same, with nothing in it of runs before.
    pub(crate) fn empty_folder(&self, name: &str) -> Result<PathBuf, Error> {
        let folder = self.scratch(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|source| file_error(&folder, "removed", source))?;
        }
        fs::create_dir_all(&folder).map_err(|source| file_error(&folder, "made", source))?;
        Ok(folder)
    }

    /// Where cargo puts what it builds in a profile's folder: "debug" or "release".
    pub(crate) fn built(&self, profile: &str) -> PathBuf {
        self.target.join(profile)
    }

    /// cargo, in the root of the workspace.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root);
        command.env("CARGO_TARGET_DIR", &self.target);
        if env::var_os("CI").is_some_and(|value| value == "true") {
            // Nothing is built twice there, so what incremental builds keep would only fill the disk.
            command.env("CARGO_INCREMENTAL", "0");
        }
        command
    }

    /// git, in this checkout whatever a hook has set.
    pub(crate) fn git(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.current_dir(&self.root).args(arguments);
        for leaked in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            command.env_remove(leaked);
        }
        command
    }
}
