//! Starts the service on every kind of store beside a mail server, and says things shortly.

use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use kit::outbox::Event;
use kit::{Clock, Database, Id};
use mail_parser::{Message, MessageParser};
use mesh::testing::{self, TestServer};
use mesh::{Channel, User};
use notifications::{Mailer, Sender, Settings, Smtp, Storefront, Words};
use proto::notifications::notifications_service_client::NotificationsServiceClient;
use proto::{common, identity, orders};
use sealing::Opener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::post::Post;

pub const STOREFRONT: &str = "https://storefront.example";
const ARRIVAL_TIME_MAX: Duration = Duration::from_secs(60);

pub struct Office {
    pub database: Database,
    pub clock: Clock,
    pub opener: Opener,
    pub post: Post,
    pub settings: Settings,
    server: TestServer,
    stop: CancellationToken,
    _stopped: DropGuard,
}

/// One office for each kind of store, with so many processes that send.
pub async fn offices(senders: usize) -> Vec<Office> {
    let mut offices = Vec::new();
    for database in kit::testing::databases::<notifications::Migrator>().await {
        let post = Post::start().await;
        let mailer = Smtp::new(&post.url(), sender()).unwrap();
        offices.push(Office::start(database, post, Arc::new(mailer), senders));
    }
    offices
}

pub fn sender() -> Sender {
    Sender::parse("The Shop <shop@shop.example>").unwrap()
}

impl Office {
    pub fn start(database: Database, post: Post, mailer: Arc<dyn Mailer>, senders: usize) -> Office {
        let clock = Clock::fixed(Clock::system().now());
        let opener = Opener::generate();
        let settings = Settings {
            opener: opener.clone(),
            mailer,
            message_host: "shop.example".to_owned(),
            words: Words { shop: "The Shop".to_owned(), storefront: Storefront::parse(STOREFRONT).unwrap() },
        };
        let stop = CancellationToken::new();
        let routes = notifications::routes(database.clone(), settings.clone(), clock.clone());
        let server = testing::serve(notifications::NAME, routes);
        let _stopped = stop.clone().drop_guard();
        let office = Office { database, clock, opener, post, settings, server, stop, _stopped };
        for _ in 0..senders {
            office.begin_to_send();
        }
        office
    }

    /// One process more that sends, as long as the office is there.
    pub fn begin_to_send(&self) {
        let (database, settings) = (self.database.clone(), self.settings.clone());
        tokio::spawn(notifications::work(database, settings, self.clock.clone(), self.stop.clone()));
    }

    pub fn as_user(&self, user: &User) -> NotificationsServiceClient<Channel> {
        NotificationsServiceClient::new(self.server.channel_as("gateway", Some(user.clone())))
    }

    /// Tells the service what happened, twice, as a queue may.
    pub async fn tell(&self, event: &Event) {
        for _ in 0..2 {
            self.tell_once(event).await;
        }
    }

    pub async fn tell_once(&self, event: &Event) {
        let readers = notifications::readers(&self.database, &self.clock);
        assert!(readers[0].reads(&event.kind));
        (readers[0].apply)(event.clone()).await.unwrap();
    }

    /// A mail about a guest's order.
    pub fn order(&self, kind: &str, email: &str) -> Event {
        self.order_of(kind, contact(email))
    }

    pub fn order_of(&self, kind: &str, contact: orders::OrderContact) -> Event {
        let contact = Some(self.opener.sealer().seal(&contact).unwrap());
        let (order, number) = (Id::<()>::new(), "1001".to_owned());
        let (order_id, at) = (order.to_string(), self.clock.now());
        match kind {
            "order.placed" => {
                let place_time = "2026-11-29T08:00:00Z".to_owned();
                let placed =
                    orders::OrderPlaced { order_id, number, contact, place_time, ..Default::default() };
                Event::new(kind, order, 1, at, &placed)
            }
            "order.cancelled" => {
                let cancelled = orders::OrderCancelled { order_id, number, contact, ..Default::default() };
                Event::new(kind, order, 2, at, &cancelled)
            }
            "order.refunded" => {
                let (amount, refunded) = (money(1_000), money(1_550));
                let refunded = orders::OrderRefunded {
                    order_id,
                    number,
                    amount,
                    refunded,
                    contact,
                    ..Default::default()
                };
                Event::new(kind, order, 3, at, &refunded)
            }
            _ => panic!("{kind} is nothing of an order"),
        }
    }

    /// A parcel, and how it goes.
    pub fn shipped(&self, contact: orders::OrderContact, number: &str, carrier: &str) -> Event {
        let order = Id::<()>::new();
        let shipped = orders::OrderShipped {
            order_id: order.to_string(),
            number: number.to_owned(),
            carrier: carrier.to_owned(),
            contact: Some(self.opener.sealer().seal(&contact).unwrap()),
            ..Default::default()
        };
        Event::new("order.shipped", order, 2, self.clock.now(), &shipped)
    }

    /// A mail to the owner of an account.
    pub fn account(&self, kind: identity::MailKind, email: &str, given_name: &str) -> Event {
        let content = identity::MailContent {
            kind: kind.into(),
            email: email.to_owned(),
            given_name: given_name.to_owned(),
            token: "tok-en_1".to_owned(),
            language: "en".to_owned(),
        };
        let account = Id::<()>::new();
        let payload = identity::AccountMailRequested {
            account_id: account.to_string(),
            kind: kind.into(),
            mail: Some(self.opener.sealer().seal(&content).unwrap()),
        };
        Event::new("account.mail_requested", account, 1, self.clock.now(), &payload)
    }

    /// The mails to an address once there are so many, and no more a moment later.
    pub async fn arrived(&self, email: &str, count: usize) -> Vec<String> {
        let deadline = Instant::now() + ARRIVAL_TIME_MAX;
        while self.post.received(email).len() < count {
            assert!(Instant::now() < deadline, "{} of {count} mails came", self.post.received(email).len());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        let received = self.post.received(email);
        assert_eq!(received.len(), count);
        received.into_iter().map(|mail| String::from_utf8(mail.bytes).unwrap()).collect()
    }

    /// Until nothing waits any more.
    pub async fn settled(&self) {
        let deadline = Instant::now() + ARRIVAL_TIME_MAX;
        while self.waiting().await > 0 {
            assert!(Instant::now() < deadline, "{} mails still wait", self.waiting().await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn waiting(&self) -> i64 {
        let sql = "SELECT COUNT(*) AS found FROM waiting_mails";
        kit::query(self.database.read(), sql, []).await.unwrap()[0].try_get("", "found").unwrap()
    }
}

pub fn parsed(mail: &str) -> Message<'_> {
    MessageParser::default().parse(mail.as_bytes()).unwrap()
}

pub fn money(minor_units: i64) -> Option<common::Money> {
    Some(common::Money { currency_code: "GBP".to_owned(), minor_units })
}

pub fn contact(email: &str) -> orders::OrderContact {
    let line = |title: &str, variant: &str, quantity, units| orders::ContactLine {
        product_title: title.to_owned(),
        variant_title: variant.to_owned(),
        quantity,
        total: money(units),
    };
    orders::OrderContact {
        email: email.to_owned(),
        given_name: "Ada".to_owned(),
        family_name: "Lovelace".to_owned(),
        address_lines: vec!["12 St James's Square".to_owned(), "London".to_owned()],
        lines: vec![line("Harbour mug", "Blue", 2, 2_400), line("Linen towel", "", 1, 1_550)],
        totals: Some(orders::ContactTotals {
            subtotal: money(3_950),
            discount: money(395),
            shipping: money(399),
            tax: money(659),
            total: money(3_954),
            prices_include_tax: true,
        }),
        order_token: "guest-token".to_owned(),
        tracking_number: String::new(),
    }
}

/// What somebody writes who means harm: markup, ends of lines, and far too much of it.
pub fn hostile(name: &str) -> String {
    let attack = format!(
        "{name}\r\nBcc: eve@example.com\r\n\r\n<script>alert(1)</script><img src=x onerror=y>\u{202e}"
    );
    attack + &"\"'&{{ 1234567 * 9 }}".repeat(800)
}

/// Everything that was logged by this process so far.
pub fn logged() -> String {
    String::from_utf8(LOG.0.lock().unwrap().clone()).unwrap()
}

/// Begins to keep what is logged, all of it.
pub fn keep_log() {
    LazyLock::force(&LOG);
}

static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    log
});

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
