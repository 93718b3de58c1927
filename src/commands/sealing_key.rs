//! `shop sealing-key`: the key pair of sealed mails, for services that run apart.

use sealing::Opener;

use super::Failure;
use crate::config::SealingKey;

/// Makes the key where it is missing, and prints its public half, which is no secret.
pub fn run(arguments: &SealingKey) -> Result<(), Failure> {
    let opener = Opener::from_file(&arguments.file)
        .map_err(|error| Failure::caused(format!("{} cannot be used", arguments.file.display()), &error))?;
    println!("{}", opener.public_key());
    Ok(())
}
