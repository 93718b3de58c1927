//! The data folder: a database file per service, secrets, and development mails. One running shop owns it.

use std::fs::{DirBuilder, File, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use kit::Database;
use tempfile::TempDir;

use crate::commands::Failure;
use crate::places;

const SECRET_BYTES: usize = 32;

/// An open data folder. It is locked until the last handle goes.
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
    /// Removed when the shop stops.
    _temporary: Option<TempDir>,
}

impl DataFolder {
    /// Opens a folder, made when missing. A second shop on the same folder is refused.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        Self::lock(path.to_owned(), None)
    }

    /// A folder that goes with the shop.
    pub fn temporary() -> Result<Self, Failure> {
        let folder = tempfile::tempdir().map_err(|error| failed(Path::new("a temporary folder"), &error))?;
        Self::lock(folder.path().to_owned(), Some(folder))
    }

    fn lock(path: PathBuf, temporary: Option<TempDir>) -> Result<Self, Failure> {
        // Password hashes, addresses and mails: for nobody but whoever runs the shop.
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(|error| failed(&path, &error))?;
        let lock = path.join("lock");
        let file = File::create(&lock).map_err(|error| failed(&lock, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { path, _lock: file, _temporary: temporary }),
            Err(TryLockError::WouldBlock) => Err(Failure::new(format!(
                "{} is in use by another running shop; stop it or name another folder with --data",
                path.display()
            ))),
            Err(TryLockError::Error(error)) => Err(failed(&lock, &error)),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The database of a service, made when missing.
    pub async fn database(&self, service: &str) -> Result<Database, Failure> {
        let path = self.path.join(format!("{service}.db"));
        Database::open(&format!("sqlite:{}", path.display()))
            .await
            .map_err(|error| Failure::caused(format!("{} cannot be opened", path.display()), &error))
    }

    /// The store of a service, made when missing, with its tables up to date.
    pub async fn store(&self, service: &str) -> Result<Database, Failure> {
        let store = self.database(service).await?;
        places::migrate(service, &store).await?;
        Ok(store)
    }

    /// The index of search, made when missing.
    pub fn index(&self) -> Result<search::Index, Failure> {
        let path = self.path.join(search::NAME);
        search::Index::open(&path)
            .map_err(|error| Failure::caused(format!("{} cannot be opened", path.display()), &error))
    }

    /// A secret that is made up once and then stays, readable by its owner only.
    pub fn secret(&self, name: &str) -> Result<[u8; SECRET_BYTES], Failure> {
        let folder = self.path.join("secrets");
        std::fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
        let path = folder.join(name);
        if !path.exists() {
            write_secret(&folder, &path).map_err(|error| failed(&path, &error))?;
        }
        let bytes = std::fs::read(&path).map_err(|error| failed(&path, &error))?;
        bytes
            .try_into()
            .map_err(|_| Failure::new(format!("{} must hold exactly {SECRET_BYTES} bytes", path.display())))
    }

    /// Whether something was done to this folder once and for all.
    pub fn is_marked(&self, name: &str) -> bool {
        self.path.join(name).exists()
    }

    /// Notes that it is done.
    pub fn mark(&self, name: &str) -> Result<(), Failure> {
        let path = self.path.join(name);
        File::create(&path).map(drop).map_err(|error| failed(&path, &error))
    }
}

/// Written whole under another name first, so that a crash leaves no half secret.
fn write_secret(folder: &Path, path: &Path) -> std::io::Result<()> {
    let unfinished = folder.join(".unfinished");
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(&rand::random::<[u8; SECRET_BYTES]>())?;
    file.sync_all()?;
    std::fs::rename(unfinished, path)
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{} cannot be used: {error}", path.display()))
}
