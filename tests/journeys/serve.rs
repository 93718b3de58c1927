//! A part of the shop on its own: what it must be told, what it waits for, and what it refuses.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::command;
use crate::private::free_address;
use crate::servers::{Redis, address_of, amqp, open_line, postgres, redis, run, schema};

/// A process that serves a part, killed with its handle.
struct Part {
    process: Child,
    said: Lines<BufReader<ChildStdout>>,
    admin: String,
}

impl Part {
    /// Starts `shop serve catalogue` on a store, behind a proxy that would say who calls.
    fn start(store: &str) -> Self {
        Self::calling(store, "http://127.0.0.1:1")
    }

    /// The same with identity at an address.
    fn calling(store: &str, identity: &str) -> Self {
        let mut command = serve(&["catalogue"]);
        command.args(["--listen", "127.0.0.1:0"]);
        command.env("SHOP_CATALOGUE_DATABASE_URL", store).env("SHOP_IDENTITY_ADDRESS", identity);
        Self::of(command)
    }

    fn of(mut command: Command) -> Self {
        command.args(["--admin", "127.0.0.1:0"]);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut part = Self { process, said, admin: String::new() };
        let line = part.says("  admin ");
        part.admin = line.split_whitespace().find(|word| word.ends_with("/ready")).unwrap().to_owned();
        part
    }

    /// The next line that begins like this; warnings of what nobody can reach may come before.
    fn says(&mut self, beginning: &str) -> String {
        self.said.by_ref().map(Result::unwrap).find(|line| line.starts_with(beginning)).unwrap()
    }

    async fn readiness(&self) -> (u16, String) {
        let answer = reqwest::get(&self.admin).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Waits until its admin port says so.
    async fn says_that_it_is(&self, wanted: (u16, &str)) {
        let began = Instant::now();
        loop {
            let said = self.readiness().await;
            if (said.0, said.1.as_str()) == wanted {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{said:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn serve(names: &[&str]) -> Command {
    let mut command = command();
    command.arg("serve").args(names).args(["--peers", "linkerd"]);
    // Nobody is there, and nothing needs to be: events wait in their outbox.
    command.env("AMQP_URL", "amqp://127.0.0.1:1/%2f");
    command
}

/// What a command says before it ends without success.
pub fn refusal(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

fn migrate(store: &str) {
    let mut migrate = command();
    migrate.args(["migrate", "catalogue"]).env("SHOP_CATALOGUE_DATABASE_URL", store);
    assert!(migrate.output().unwrap().status.success());
}

/// What `shop serve catalogue` says of a store before it ends without success.
fn refusal_of_store(url: &str) -> String {
    let mut command = serve(&["catalogue"]);
    command.args(["--admin", "127.0.0.1:0", "--listen", "127.0.0.1:0"]);
    command.env("SHOP_CATALOGUE_DATABASE_URL", url).env("SHOP_IDENTITY_ADDRESS", "http://127.0.0.1:1");
    refusal(&mut command)
}

fn sqlite(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("catalogue.db").display())
}

#[test]
fn what_is_missing_or_wrong_is_said_in_a_sentence() {
    let on_free_ports = |names: &[&str]| {
        let mut command = serve(names);
        command.args(["--admin", "127.0.0.1:0", "--listen", "127.0.0.1:0"]);
        command.args(["--edge", "127.0.0.1:0", "--grpc", "127.0.0.1:0"]);
        command
    };
    let mut wrong_url = on_free_ports(&["inventory"]);
    wrong_url.env("SHOP_INVENTORY_DATABASE_URL", "mysql://here").env("SHOP_IDENTITY_ADDRESS", "http://i:1");
    let mut wrong_address = on_free_ports(&["inventory"]);
    wrong_address.env("SHOP_IDENTITY_ADDRESS", "identity:9090");
    let mut no_certificate = command();
    no_certificate.args(["serve", "inventory", "--peers", "certificates"]);
    let mut wrong_redis = on_free_ports(&["gateway"]);
    wrong_redis.env("REDIS_URL", "http://here:secret@there/");
    let mut no_broker = on_free_ports(&["inventory"]);
    no_broker.env_remove("AMQP_URL");
    let mut anybody = command();
    anybody.args(["serve", "inventory"]);

    for (mut command, sentence) in [
        (on_free_ports(&["wishes"]), "there is no service wishes; the services are identity, catalogue"),
        (on_free_ports(&["inventory"]), "SHOP_IDENTITY_ADDRESS is not set: it says where identity is"),
        (
            wrong_address,
            "SHOP_IDENTITY_ADDRESS is 'identity:9090', which is no address like http://identity:9090",
        ),
        (wrong_url, "SHOP_INVENTORY_DATABASE_URL cannot be used: a database URL must be"),
        (on_free_ports(&["identity"]), "SHOP_SIGNING_SECRET is not set"),
        (wrong_redis, "REDIS_URL cannot be used: a Redis URL must be redis://host:port/"),
        (no_broker, "AMQP_URL is not set: it says where the broker is"),
        (no_certificate, "--certificate"),
        (anybody, "--peers"),
    ] {
        let said = refusal(&mut command);
        assert!(said.contains(sentence), "{said}");
    }
}

#[test]
fn what_one_service_needs_is_asked_for_in_a_sentence() {
    const WEBHOOKS: (&str, &str) = ("SHOP_WEBHOOK_SECRET", "0123456789abcdef");
    let hexadecimal = "0123456789abcdef".repeat(4);
    let tokens = ("SHOP_CHECKOUT_TOKEN_SECRET", hexadecimal.as_str());
    let nothing: &[(&str, &str)] = &[];

    for (service, told, sentence) in [
        ("identity", nothing, "SHOP_SIGNING_SECRET is not set"),
        (
            "identity",
            &[("SHOP_SIGNING_SECRET", "short")],
            "SHOP_SIGNING_SECRET must have at least 32 characters",
        ),
        ("payments", &[], "SHOP_WEBHOOK_SECRET is not set"),
        ("payments", &[("SHOP_WEBHOOK_SECRET", "short")], "SHOP_WEBHOOK_SECRET must have at least 16"),
        ("payments", &[WEBHOOKS], "SHOP_PROVIDER_URL is not set"),
        ("payments", &[WEBHOOKS, ("SHOP_PROVIDER_URL", "http//p")], "URL must be http://host:port"),
        ("payments", &[WEBHOOKS, ("SHOP_PROVIDER_URL", "provider:9092")], "URL must be http://host:port"),
        ("cart", &[], "SHOP_CART_TOKEN_SECRET is not set"),
        (
            "cart",
            &[("SHOP_CART_TOKEN_SECRET", "abc")],
            "SHOP_CART_TOKEN_SECRET must be 64 hexadecimal digits",
        ),
        ("cart", &[("SHOP_CART_TOKEN_SECRET", &hexadecimal)], "SHOP_CART_DATABASE_URL is not set"),
        ("orders", &[], "SHOP_CHECKOUT_TOKEN_SECRET is not set"),
        ("orders", &[tokens], "SHOP_SEALING_PUBLIC_KEY is not set"),
        ("orders", &[tokens, ("SHOP_SEALING_PUBLIC_KEY", "key")], "SHOP_SEALING_PUBLIC_KEY cannot be used"),
        ("notifications", &[], "SHOP_SEALING_KEY is not set"),
        ("notifications", &[("SHOP_SEALING_KEY", "key")], "the sealing key cannot be used"),
        ("notifications", &[("SHOP_SEALING_KEY_FILE", "/nowhere")], "SHOP_SEALING_KEY_FILE cannot be read"),
        (
            "inventory",
            &[("AMQP_URL", "http://broker/")],
            "AMQP_URL cannot be used: the URL of the broker must be",
        ),
        (
            "catalogue",
            &[("SHOP_SCRATCH_REDIS_URL", "here")],
            "SHOP_SCRATCH_REDIS_URL cannot be used: a Redis URL",
        ),
    ] {
        let mut command = serve(&[service]);
        command.args(["--admin", "127.0.0.1:0", "--listen", "127.0.0.1:0"]);
        for called in ["identity", "catalogue", "inventory", "pricing", "payments", "cart", "orders"] {
            command.env(format!("SHOP_{}_ADDRESS", called.to_uppercase()), "http://127.0.0.1:1");
        }
        let said = refusal(command.envs(told.iter().copied()));
        assert!(said.contains(sentence), "{service}: {said}");
    }
}

#[tokio::test]
async fn tables_older_than_the_program_are_refused_and_then_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    for store in [Some(sqlite(folder.path())), schema().await].into_iter().flatten() {
        let last = "catalogue_0002_collections";
        let rename = |from: &str, to: &str| {
            format!("UPDATE seaql_migrations SET version = '{to}' WHERE version = '{from}'")
        };

        let empty = refusal_of_store(&store);
        migrate(&store);
        run(&store, &rename(last, "another")).await;
        let older = refusal_of_store(&store);
        run(&store, &rename("another", last)).await;
        let mut part = Part::start(&store);
        part.says("catalogue ready after ");

        assert!(empty.contains("run `shop migrate catalogue` first"), "{empty}");
        assert!(
            older.contains(&format!("({last} has not run); run `shop migrate catalogue` first")),
            "{older}"
        );
        part.says_that_it_is((200, "ready\nwaited for: broker, identity\n")).await;
    }
}

#[tokio::test]
async fn a_store_that_is_not_there_yet_is_waited_for_and_named() {
    let part = Part::start("postgres://shop@127.0.0.1:1/catalogue");

    assert_eq!(part.readiness().await, (503, "missing: catalogue\n".to_owned()));
}

#[tokio::test]
async fn a_store_that_comes_after_the_process_is_found() {
    let Some(store) = schema().await else { return };
    migrate(&store);
    let (address, server) = (free_address(), address_of(&store));
    let part = Part::start(&store.replace(&server, &address));
    assert_eq!(part.readiness().await, (503, "missing: catalogue\n".to_owned()));

    open_line(&address, server).await;

    let mut seen = part.readiness().await;
    while seen.0 == 503 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        seen = part.readiness().await;
    }
    assert!(seen.0 == 200 && seen.1.starts_with("ready\n"), "{seen:?}");
}

#[tokio::test]
async fn a_postgres_that_says_no_is_not_waited_for() {
    let Some(url) = postgres() else { return };
    let name = format!("poor_{}", uuid::Uuid::now_v7().simple());
    for sql in [
        format!("CREATE ROLE {name} LOGIN"),
        format!("CREATE DATABASE {name}"),
        format!("REVOKE CONNECT ON DATABASE {name} FROM PUBLIC"),
    ] {
        run(&url, &sql).await;
    }
    let (server, database) = (address_of(&url), url.rsplit('/').next().unwrap());

    for (user, database, sentence) in [
        ("nobody", database, "role \"nobody\" does not exist".to_owned()),
        ("shop", "nowhere", "database \"nowhere\" does not exist".to_owned()),
        (&name, &name, format!("permission denied for database \"{name}\"")),
    ] {
        let said = refusal_of_store(&format!("postgres://{user}@{server}/{database}"));
        assert!(said.contains("SHOP_CATALOGUE_DATABASE_URL cannot be used"), "{said}");
        assert!(said.contains(&sentence), "{said}");
    }
    run(&url, &format!("DROP DATABASE {name}")).await;
    run(&url, &format!("DROP ROLE {name}")).await;
}

#[tokio::test]
async fn a_broker_that_says_no_is_not_waited_for() {
    let Some(url) = amqp() else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = sqlite(folder.path());
    let migrated =
        command().args(["migrate", "catalogue"]).env("SHOP_CATALOGUE_DATABASE_URL", &store).status();
    assert!(migrated.unwrap().success());
    let address = address_of(&url);

    for url in [format!("amqp://guest:wrong@{address}/%2f"), format!("amqp://guest:guest@{address}/nowhere")]
    {
        let mut command = serve(&["catalogue"]);
        command.args(["--admin", "127.0.0.1:0", "--listen", "127.0.0.1:0"]).env("AMQP_URL", url);
        command.env("SHOP_CATALOGUE_DATABASE_URL", &store).env("SHOP_IDENTITY_ADDRESS", "http://127.0.0.1:1");
        let said = refusal(&mut command);
        assert!(said.contains("AMQP_URL cannot be used: the broker refuses this program"), "{said}");
        assert!(!said.contains("wrong"), "{said}");
    }
}

#[tokio::test]
async fn a_redis_that_says_no_or_would_lose_carts_is_refused() {
    if redis().is_none() {
        return;
    }
    let redis = Redis::start(free_address()).await;
    let refused = |url: &str| {
        let mut command = serve(&["cart"]);
        command.args(["--admin", "127.0.0.1:0", "--listen", "127.0.0.1:0"]);
        for service in ["IDENTITY", "CATALOGUE", "INVENTORY"] {
            command.env(format!("SHOP_{service}_ADDRESS"), "http://127.0.0.1:1");
        }
        refusal(command.env("SHOP_CART_TOKEN_SECRET", "07".repeat(32)).env("REDIS_URL", url))
    };
    let url = format!("redis://{}/", redis.address);

    for (name, value, sentence) in [
        ("appendonly", "no", "Redis does not write down what it is told"),
        ("appendonly", "yes", ""),
        ("maxmemory-policy", "allkeys-lru", "Redis may forget carts when it is full"),
        ("maxmemory-policy", "noeviction", ""),
        ("requirepass", "right", "Redis does not let this program in"),
    ] {
        redis.set(name, value);
        if !sentence.is_empty() {
            let said = refused(&url);
            assert!(said.contains(&format!("REDIS_URL cannot be used: {sentence}")), "{said}");
        }
    }
    let said = refused(&format!("redis://:wrong@{}/", redis.address));
    assert!(said.contains("REDIS_URL cannot be used: Redis does not let this program in"), "{said}");
    assert!(!said.contains(":wrong"), "{said}");
    let mut without_carts = serve(&["catalogue"]);
    without_carts.args(["--admin", "127.0.0.1:0", "--listen", "127.0.0.1:0"]);
    without_carts.env("SHOP_IDENTITY_ADDRESS", "http://127.0.0.1:1");
    let said = refusal(without_carts.env("REDIS_URL", format!("redis://:wrong@{}/", redis.address)));
    assert!(said.contains("REDIS_URL cannot be used: Redis does not let this program in"), "{said}");
    assert!(!said.contains(":wrong"), "{said}");
}

#[tokio::test]
async fn a_service_that_cannot_be_reached_yet_is_named_until_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let (catalogue, identity) = (sqlite(folder.path()), folder.path().join("identity.db"));
    migrate(&catalogue);
    let (address, identity) = (free_address(), format!("sqlite:{}", identity.display()));
    let mut migrated = command();
    migrated.args(["migrate", "identity"]).env("SHOP_IDENTITY_DATABASE_URL", &identity);
    assert!(migrated.output().unwrap().status.success());
    let part = Part::calling(&catalogue, &format!("http://{address}"));
    part.says_that_it_is((200, "ready\nwaited for: broker, identity\n")).await;

    let key = folder.path().join("sealing.key");
    let public = command().arg("sealing-key").arg(&key).output().unwrap();
    let mut other = serve(&["identity"]);
    other.args(["--listen", &address]);
    other.env("SHOP_IDENTITY_DATABASE_URL", &identity).env("SHOP_SIGNING_SECRET", "5e".repeat(32));
    other.env("SHOP_SEALING_PUBLIC_KEY", String::from_utf8(public.stdout).unwrap().trim());
    let _other = Part::of(other);

    part.says_that_it_is((200, "ready\nwaited for: broker\n")).await;
}
