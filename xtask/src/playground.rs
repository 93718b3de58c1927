//! Rebuilds the browser assets that the edge serves from the binary; what changed is committed.

use std::process::Command;

use crate::checkout::Checkout;
use crate::process;

/// `npm ci` and `npm run build` in the playground's folder; true when both went well.
pub(crate) fn rebuild(checkout: &Checkout) -> bool {
    let folder = checkout.root().join("gateway/playground");
    for arguments in [&["ci"][..], &["run", "build"]] {
        if let Err(error) = process::run(Command::new("npm").args(arguments).current_dir(&folder)) {
            eprintln!("the playground was not rebuilt: {error}");
            return false;
        }
    }
    true
}
