//! How the whole shop starts, and what keeps it from starting.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::harness::{Front, Shop, Visitor, command};
use crate::private::free_address;
use crate::serve::refusal;

/// `shop up` on free ports, unless the arguments name others.
fn up(arguments: &[&str]) -> Command {
    let mut command = command();
    command.arg("up").args(arguments);
    for port in ["SHOP_EDGE", "SHOP_GRPC", "SHOP_ADMIN"] {
        command.env(port, "127.0.0.1:0");
    }
    command
}

fn in_production(folder: &Path, mail_server: &str) -> Command {
    let mut command = up(&["--production", "--mail-from", "shop@shop.example"]);
    command.args(["--storefront-url", "https://shop.example", "--smtp-url", mail_server]);
    command.arg("--data").arg(folder);
    command
}

/// A shop that runs, with what it said at its start; killed with its handle.
struct Started {
    process: Child,
    said: Vec<String>,
}

impl Started {
    fn of(mut command: Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut said = Vec::new();
        while !said.last().is_some_and(|line: &String| line.starts_with("ready after")) {
            said.push(lines.next().expect("the shop did not start").unwrap());
        }
        Self { process, said }
    }

    /// What it said of one of the things that can be reached.
    fn told(&self, what: &str) -> Option<&str> {
        self.said.iter().find_map(|line| line.trim_start().strip_prefix(what)).map(str::trim)
    }

    fn guest(&self) -> Visitor {
        let edge = self.told("GraphQL").unwrap().trim_end_matches("/graphql");
        Front::new(edge.to_owned(), None).guest()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn status(visitor: &Visitor, path: &str) -> u16 {
    visitor.http.get(format!("{}{path}", visitor.edge)).send().await.unwrap().status().as_u16()
}

#[test]
fn what_is_wrong_is_said_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let documents = folder.path().join("documents");
    std::fs::write(&documents, format!("{} the first page\n\n12ab\n", "0f".repeat(32))).unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();

    for (arguments, sentence) in [
        (
            vec!["--edge", &taken],
            format!("{taken} is taken by another program; name a free address with --edge"),
        ),
        (vec!["--admin", &taken], "name a free address with --admin".to_owned()),
        (
            vec!["--edge", "0.0.0.0:0"],
            "0.0.0.0:0 is not on loopback, and anybody may become staff".to_owned(),
        ),
        (vec!["--grpc", "0.0.0.0:0"], "0.0.0.0:0 is not on loopback".to_owned()),
        (vec!["--production"], "without a mail server nobody could verify an address".to_owned()),
        (vec!["--smtp-url", "smtp://127.0.0.1:1"], "--mail-from".to_owned()),
        (vec!["--documents", "/nowhere"], "it cannot be read".to_owned()),
        (
            vec!["--documents", documents.to_str().unwrap()],
            "line 3: '12ab' is not a SHA-256 of 64 hexadecimal digits".to_owned(),
        ),
        (
            vec!["--origins", "shop.example"],
            "'shop.example' is not an origin like https://shop.example".to_owned(),
        ),
        (vec!["--origins", "https://Shop.example"], "is not an origin".to_owned()),
        (
            vec!["--origins", "https://a.example,https://shop.example/"],
            "'https://shop.example/' is not an origin".to_owned(),
        ),
    ] {
        let said = refusal(&mut up(&[&["--ephemeral"], arguments.as_slice()].concat()));
        assert!(said.contains(&sentence), "{said}");
    }
}

#[test]
fn a_folder_is_one_shops_own_and_a_demo_never_goes_into_production() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::start_on(folder.path());

    let twice = refusal(&mut up(&["--data", folder.path().to_str().unwrap()]));
    shop.kill();
    let demo = refusal(&mut in_production(folder.path(), "smtp://127.0.0.1:1"));

    assert!(twice.contains("is in use by another running shop"), "{twice}");
    assert!(demo.contains("holds the demo shop with accounts whose passwords everybody knows"), "{demo}");
}

#[tokio::test]
async fn an_empty_shop_has_nobody_to_play() {
    let shop = Started::of(up(&["--ephemeral", "--empty"]));
    let guest = shop.guest();

    let products = guest.look("{ answer: products { nodes { id } } }", json!({})).await;

    assert_eq!(products["nodes"], json!([]));
    assert_eq!(shop.told("personas"), None);
    assert_eq!(status(&guest, "/").await, 200);
    assert_eq!(status(&guest, "/dev/playground.json").await, 404);
}

#[tokio::test]
async fn production_shows_nothing_that_is_for_development() {
    let folder = tempfile::tempdir().unwrap();
    let mail_server = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = in_production(folder.path(), &format!("smtp://{}", mail_server.local_addr().unwrap()));
    let tools = free_address();
    command.args(["--grpc", &tools]);

    let shop = Started::of(command);

    let guest = shop.guest();
    let begin =
        "mutation($key: ID!) { cartCreate(idempotencyKey: $key) { cart { id } userErrors { code } } }";
    let body = json!({ "query": begin, "variables": { "key": "the first cart of all" } });
    let request = guest.http.post(format!("{}/graphql", guest.edge)).header("x-shop-client", "tests");
    let answer = request.json(&body).send().await.unwrap();
    let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    assert!(header("set-cookie").unwrap().starts_with("__Host-cart="), "{answer:?}");
    assert!(header("strict-transport-security").unwrap().starts_with("max-age=31536000"));
    let answer: Value = answer.json().await.unwrap();
    assert_eq!((&answer["errors"], &answer["extensions"]), (&Value::Null, &Value::Null), "{answer}");
    for path in ["/", "/dev/playground.json", "/dev/mail"] {
        assert_eq!(status(&guest, path).await, 404, "{path}");
    }
    for what in ["gRPC", "personas", "playground", "mail"] {
        assert_eq!(shop.told(what), None);
    }
    assert!(tokio::net::TcpStream::connect(tools).await.is_err(), "there is no port for tools");
}
