//! A private PostgreSQL for one run of the tests: own port, own data, gone afterwards.

use std::env;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::process::{self, Error};
use crate::tools;

/// Where the tests find it.
pub(crate) const VARIABLE: &str = "SHOP_TEST_POSTGRES_URL";

/// How long the server may take to answer after it was started.
const START_MAX: Duration = Duration::from_secs(60);

/// Serves until its standard input ends, which happens however this program ends, then removes all traces.
/// `$1` is the folder of the server's programs, `$2` its port.
///
/// The settings give up what only matters after a loss of power. It trusts whoever reaches it, which is this machine
/// only, for some minutes, and holds nothing but test data.
const SERVE: &str = r#"
data=$(mktemp -d) || exit 1
trap 'rm -rf "$data"' EXIT
# A Ctrl-C reaches the server as well, which then stops by itself.
trap '' INT
if ! "$1/initdb" -D "$data/db" -U shop -A trust -E UTF8 --no-locale --no-sync >"$data/log" 2>&1; then
    cat "$data/log" >&2
    exit 1
fi
"$1/postgres" -D "$data/db" -p "$2" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    -c fsync=off -c full_page_writes=off -c max_connections=300 </dev/null >"$data/log" 2>&1 &
server=$!
read -r _
kill -INT "$server" 2>/dev/null
wait "$server" || tail -n 20 "$data/log" >&2
"#;

/// A running server; dropping it stops it.
pub(crate) struct Postgres {
    keeper: Child,
    port: u16,
}

impl Postgres {
    /// Starts a server, and installs it first where it is missing and that can be done.
    pub(crate) fn start() -> Result<Postgres, Error> {
        let programs = match programs() {
            Some(folder) => folder,
            None => {
                tools::debian("PostgreSQL", &["postgresql"])?;
                programs().ok_or_else(|| {
                    Error::Refused("PostgreSQL was installed, but initdb is not found".to_owned())
                })?
            }
        };
        let port = free_port()?;
        let mut command = keeper();
        command.args(["-c", SERVE, "sh"]).arg(&programs);
        command.arg(port.to_string()).stdin(Stdio::piped());
        // The server's user may not be able to enter this folder.
        command.current_dir(env::temp_dir());
        let keeper = command.spawn().map_err(|source| process::cannot_start(&command, source))?;
        let mut server = Postgres { keeper, port };
        server.wait_until_ready(&programs.join("pg_isready"))?;
        Ok(server)
    }

    /// How a test connects.
    pub(crate) fn url(&self) -> String {
        format!("postgres://shop@127.0.0.1:{}/postgres", self.port)
    }

    fn wait_until_ready(&mut self, ask: &PathBuf) -> Result<(), Error> {
        let began = Instant::now();
        let port = self.port.to_string();
        while began.elapsed() < START_MAX {
            let asked = ["-q", "-h", "127.0.0.1", "-U", "shop", "-d", "postgres", "-p", &port];
            if process::succeeds(Command::new(ask).args(asked)) {
                return Ok(());
            }
            if let Ok(Some(status)) = self.keeper.try_wait() {
                let why = format!("PostgreSQL did not start: its keeper ended with {status}");
                return Err(Error::Refused(why));
            }
            pause();
        }
        Err(Error::Refused(format!("PostgreSQL did not answer within {} s", START_MAX.as_secs())))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // The end of its input is the keeper's sign to stop; then its last words, if any, have been said.
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
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

/// A port that was free a moment ago.
fn free_port() -> Result<u16, Error> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|source| Error::Start { command: "a listener on a free port".to_owned(), source })
}

#[allow(clippy::disallowed_methods, reason = "this program has one thread and nothing else to do")]
fn pause() {
    thread::sleep(Duration::from_millis(100));
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn a_server_answers_until_it_is_dropped_and_leaves_nothing() {
        let Some(programs) = programs() else {
            eprintln!("not run: PostgreSQL is not installed; `cargo xtask test` does that");
            return;
        };
        let server = Postgres::start().unwrap();
        let port = server.port;
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
