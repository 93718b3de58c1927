//! A private PostgreSQL.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Server, free_port};
use crate::process::{self, Error};
use crate::tools;

/// Where the tests find it.
pub(crate) const VARIABLE: &str = "SHOP_TEST_POSTGRES_URL";

const SCRIPT: &str = include_str!("../../servers/postgres.sh");

/// Connections of tests, many of which run at once and each of which opens stores of its own.
const TESTS_CONNECTIONS: u16 = 300;

/// Starts a server for tests, and installs it first where it is missing and that can be done.
pub(crate) fn start() -> Result<Server, Error> {
    start_for(TESTS_CONNECTIONS)
}

/// Starts a server that so many may be connected to.
pub(crate) fn start_for(connections: u16) -> Result<Server, Error> {
    let programs = match programs() {
        Some(folder) => folder,
        None => {
            tools::debian("PostgreSQL", &["postgresql"])?;
            programs().ok_or_else(|| {
                Error::Refused("PostgreSQL was installed, but initdb is not found".to_owned())
            })?
        }
    };
    let port = free_port().to_string();
    let mut command = keeper();
    command.args(["-c", SCRIPT, "sh"]).arg(&programs).arg(&port).arg(connections.to_string());
    let ask = programs.join("pg_isready");
    let asked = ["-q", "-h", "127.0.0.1", "-U", "shop", "-d", "postgres", "-p", &port];
    // It offers TLS, which is for the test that asks for it; what is measured is the shop.
    let url = format!("postgres://shop@127.0.0.1:{port}/postgres?sslmode=disable");
    Server::start("PostgreSQL", command, url, || process::succeeds(Command::new(&ask).args(asked)))
}

/// Makes a database on a server that was started here.
pub(crate) fn create_database(server: &Server, name: &str) -> Result<(), Error> {
    let programs = programs().ok_or_else(|| Error::Refused("psql is not found".to_owned()))?;
    let question = format!("CREATE DATABASE {name}");
    process::read(Command::new(programs.join("psql")).args([&server.url(), "-qc", &question])).map(drop)
}

/// The shell that keeps the server, as the user `postgres` when this is the superuser, whom the server refuses.
fn keeper() -> Command {
    if tools::is_root() {
        // It may lie outside the path of whoever became the superuser.
        let usual = Path::new("/usr/sbin/runuser");
        let mut command = Command::new(if usual.exists() { usual } else { Path::new("runuser") });
        command.args(["-u", "postgres", "--", "sh"]);
        command
    } else {
        Command::new("sh")
    }
}

/// The folder of `initdb` and `postgres`, which Debian keeps out of the path: the newest version.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let newest = versions
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let version: u32 = path.file_name()?.to_str()?.parse().ok()?;
            let folder = path.join("bin");
            folder.join("initdb").exists().then_some((version, folder))
        })
        .max();
    if let Some((_, folder)) = newest {
        return Some(folder);
    }
    let path = env::var_os("PATH")?;
    env::split_paths(&path).find(|folder| folder.join("initdb").exists())
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpStream};

    use super::*;

    #[test]
    fn a_server_answers_until_it_is_dropped_and_leaves_nothing() {
        let Some(programs) = programs() else {
            eprintln!("not run: PostgreSQL is not installed; `cargo xtask test` does that");
            return;
        };
        let server = start().unwrap();
        let url = server.url();
        let address = &url["postgres://shop@127.0.0.1:".len()..];
        let port: u16 = address.split('/').next().unwrap().parse().unwrap();
        let ask = |question: &str| {
            let mut command = Command::new(programs.join("psql"));
            process::read(command.args([&server.url(), "-Atc", question]))
        };
        let data = PathBuf::from(ask("show data_directory").unwrap());
        assert_eq!(ask("select 6 * 7").unwrap(), "42");
        assert!(data.exists());

        drop(server);

        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
        assert!(!data.exists() && !data.parent().unwrap().exists());
    }
}
