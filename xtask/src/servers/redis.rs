//! A private Redis.

use std::process::Command;

use super::{Server, free_port, says, shell};
use crate::process::{self, Error};
use crate::tools;

/// Where the tests find it.
pub(crate) const VARIABLE: &str = "SHOP_TEST_REDIS_URL";

const SCRIPT: &str = include_str!("../../servers/redis.sh");

/// Starts a server, and installs it first where it is missing and that can be done.
pub(crate) fn start() -> Result<Server, Error> {
    if !is_installed() {
        tools::debian("Redis", &["redis-server"])?;
    }
    let port = free_port();
    let url = format!("redis://127.0.0.1:{port}/");
    Server::start("Redis", shell(SCRIPT, &[port]), url, || says(port, b"PING\r\n", b"+PONG"))
}

fn is_installed() -> bool {
    process::succeeds(Command::new("redis-server").arg("--version"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_of_carts_answers_until_it_is_dropped_and_writes_everything_down() {
        if !is_installed() {
            eprintln!("not run: Redis is not installed; `cargo xtask test` does that");
            return;
        }
        let server = start().unwrap();
        let url = server.url();
        let port: u16 = url["redis://127.0.0.1:".len()..].trim_end_matches('/').parse().unwrap();
        let setting = b"*3\r\n$6\r\nCONFIG\r\n$3\r\nGET\r\n$10\r\nappendonly\r\n";
        assert!(says(port, setting, b"*2\r\n$10\r\nappendonly\r\n$3\r\nyes\r\n"));

        drop(server);

        assert!(!says(port, b"PING\r\n", b"+PONG"));
    }
}
