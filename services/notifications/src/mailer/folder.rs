//! Mails into a folder, as files that any mail program opens.

use std::io::Write;
use std::path::PathBuf;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::message::written;
use super::{Goodbye, Mailer, Sender, Undelivered};
use crate::domain::Mail;

/// Writes each mail into a file named by its event, so the same mail twice is one file.
pub struct Folder {
    path: PathBuf,
    sender: Sender,
}

impl Folder {
    /// Into a folder that is made when missing.
    pub fn new(path: PathBuf, sender: Sender) -> Self {
        Self { path, sender }
    }
}

impl Mailer for Folder {
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Result<Goodbye, Undelivered>> {
        async {
            let bytes = written(mail, &self.sender)?;
            let (folder, name) = (self.path.clone(), format!("{}.eml", mail.event));
            let saved = tokio::task::spawn_blocking(move || save(&folder, &name, &bytes)).await;
            match saved {
                Ok(Ok(())) => Ok(std::future::ready(()).boxed()),
                _ => Err(Undelivered::Closed { reason: "the folder of mails cannot be written", code: None }),
            }
        }
        .boxed()
    }
}

/// Written whole beside its place first: nobody ever reads half a mail.
fn save(folder: &PathBuf, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(folder.join(name)).map_err(|error| error.error)?;
    Ok(())
}
