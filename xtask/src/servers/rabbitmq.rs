//! A private RabbitMQ.

use std::path::Path;

use super::{Server, free_port, says, shell};
use crate::process::Error;
use crate::tools;

/// Where the tests find it. They share it, and keep apart by the names of their exchanges and queues.
pub(crate) const VARIABLE: &str = "SHOP_TEST_AMQP_URL";

const SCRIPT: &str = include_str!("../../servers/rabbitmq.sh");
const PROGRAM: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
/// How a client of the protocol begins, and how a server does.
const GREETING: &[u8] = b"AMQP\0\0\x09\x01";
const METHOD_FRAME: &[u8] = b"\x01\0\0";

/// Starts a server, and installs it first where it is missing and that can be done.
pub(crate) fn start() -> Result<Server, Error> {
    if !Path::new(PROGRAM).exists() {
        tools::debian("RabbitMQ", &["rabbitmq-server"])?;
    }
    let ports = [free_port(), free_port(), free_port()];
    let port = ports[0];
    let url = format!("amqp://guest:guest@127.0.0.1:{port}/%2f");
    Server::start("RabbitMQ", shell(SCRIPT, &ports), url, || says(port, GREETING, METHOD_FRAME))
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpStream};

    use super::*;

    #[test]
    fn a_broker_answers_until_it_is_dropped() {
        if !Path::new(PROGRAM).exists() {
            eprintln!("not run: RabbitMQ is not installed; `cargo xtask test` does that");
            return;
        }
        let server = start().unwrap();
        let port: u16 =
            server.url()["amqp://guest:guest@127.0.0.1:".len()..].trim_end_matches("/%2f").parse().unwrap();
        assert!(says(port, GREETING, METHOD_FRAME));

        drop(server);

        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
    }
}
