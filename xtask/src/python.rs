//! A Python with grpcio, for the test in which an official client of another language talks to the shop, and with the
//! schemas of Kubernetes, for the manifests.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::checkout::Checkout;
use crate::process::{self, Error, file_error};
use crate::tools;

/// Where the tests find it.
pub(crate) const VARIABLE: &str = "SHOP_TEST_PYTHON";

/// Makes the environment unless it is there with exactly what is required, and names its interpreter.
pub(crate) fn environment(checkout: &Checkout) -> Result<PathBuf, Error> {
    let requirements = checkout.root().join("xtask/tools/requirements.txt");
    let wanted = fs::read(&requirements).map_err(|source| file_error(&requirements, "read", source))?;
    let folder = checkout.scratch("python");
    let python = folder.join("bin/python");
    // Written last, so that half an installation is made anew.
    let installed = folder.join("installed.txt");
    if python.exists() && fs::read(&installed).is_ok_and(|present| present == wanted) {
        return Ok(python);
    }
    if !process::succeeds(Command::new("python3").args(["-c", "import venv, ensurepip"])) {
        tools::debian("python3 with venv", &["python3", "python3-venv"])?;
    }
    process::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    process::run(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .arg("--requirement")
            .arg(&requirements),
    )?;
    fs::write(&installed, wanted).map_err(|source| file_error(&installed, "written", source))?;
    Ok(python)
}
