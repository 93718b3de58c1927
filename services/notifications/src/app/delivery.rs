//! Sends what waits: claim, send, settle. Whoever dies after the claim leaves the mail to others, once the claim is over;
//! whoever dies between the server's yes and `settle` lets it be sent twice, with the same message id.

use std::time::Duration;

use kit::outbox;
use mesh::status::chain;
use observability::{names, propagation};
use opentelemetry::KeyValue;
use opentelemetry::metrics::Counter;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::Notifications;
use crate::domain::letter::Letter;
use crate::domain::{Mail, Next, Template};
use crate::events;
use crate::mailer::Undelivered;
use crate::store::Waiting;

/// Mails on their way at once: one that hangs holds up an eighth.
const AT_ONCE_MAX: usize = 8;
/// Longer than an attempt may take.
const CLAIM: Duration = Duration::from_secs(60);
/// A look without being woken, for mails whose time has come.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// While no mail is taken at all, the queue is left alone for so long.
const CLOSED_PAUSE: Duration = Duration::from_secs(5);

/// Made after metrics are set up: an instrument made before stays silent.
pub fn counter() -> Counter<u64> {
    opentelemetry::global::meter("shop")
        .u64_counter(names::MAILS)
        .with_description("Attempts to send a mail, by template and outcome")
        .build()
}

/// What became of an attempt, as metrics name it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Sent,
    Postponed,
    GivenUp,
}

/// The way out as the last attempts found it.
#[derive(Default)]
struct WayOut {
    closed_until: Option<Instant>,
}

impl Notifications {
    /// Works until it is told to stop; what is on its way then is finished.
    pub async fn work(self, shutdown: CancellationToken) {
        let mut changes = self.store.changes();
        let mut sending: JoinSet<Result<(), Undelivered>> = JoinSet::new();
        let mut way = WayOut::default();
        while !shutdown.is_cancelled() {
            // Marked before the look, so that a commit during it makes us look again.
            changes.mark_unchanged();
            if way.is_open() {
                self.begin(&mut sending).await;
            }
            // With every place taken there is nothing to be woken for.
            let full = sending.len() >= AT_ONCE_MAX;
            let woken = async {
                if full || changes.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                Some(ended) = sending.join_next() => way.learn(ended.unwrap_or(Ok(()))),
                () = woken => {}
                () = tokio::time::sleep(POLL_INTERVAL) => {}
            }
        }
        while sending.join_next().await.is_some() {}
    }

    /// Claims as many as there are places, and sets them on their way.
    async fn begin(&self, sending: &mut JoinSet<Result<(), Undelivered>>) {
        let places = AT_ONCE_MAX.saturating_sub(sending.len());
        if places == 0 {
            return;
        }
        let now = self.clock.now();
        match self.store.claim(now, now + CLAIM, places).await {
            Ok(claimed) => {
                for waiting in claimed {
                    let sender = self.clone();
                    let span = tracing::info_span!(
                        target: names::SERVER_SPANS,
                        "send mail",
                        otel.kind = "producer",
                        { names::EVENT_KIND } = waiting.event.kind.as_str(),
                    );
                    propagation::set_parent(&span, &waiting.event.traceparent);
                    sending.spawn(async move { sender.deliver(waiting).await }.instrument(span));
                }
            }
            Err(error) => {
                let error = chain(&error);
                tracing::warn!({ names::ERROR } = error.as_str(), "waiting mails cannot be read: {error}");
            }
        }
    }

    /// One attempt, whatever comes of it written down. The answer is what it says of the way out.
    async fn deliver(&self, waiting: Waiting) -> Result<(), Undelivered> {
        let event = &waiting.event;
        let letter = match events::letter(&self.settings.opener, event) {
            Ok(Some(letter)) => letter,
            Ok(None) => {
                self.settle(event).await;
                return Ok(());
            }
            Err(error) => {
                self.give_up(&waiting, None, &chain(&error)).await;
                return Ok(());
            }
        };
        let template = letter.contents.template();
        if self.clock.now() > event.occurred + template.useful_for() {
            self.give_up(&waiting, Some(template), "it waited for so long that it is of no use any more")
                .await;
            return Ok(());
        }
        let mail = match self.mail(event, &letter) {
            Ok(mail) => mail,
            Err(error) => {
                self.give_up(&waiting, Some(template), &chain(&error)).await;
                return Ok(());
            }
        };
        match self.settings.mailer.send(&mail).await {
            Ok(goodbye) => {
                self.count(Some(template), Outcome::Sent);
                self.settle(event).await;
                goodbye.await;
                Ok(())
            }
            Err(refused @ Undelivered::Refused { .. }) => {
                self.give_up(&waiting, Some(template), &refused.to_string()).await;
                Err(refused)
            }
            Err(undelivered) => {
                self.postpone(&waiting, template, undelivered).await;
                Err(undelivered)
            }
        }
    }

    fn mail(&self, event: &outbox::Event, letter: &Letter) -> Result<Mail, askama::Error> {
        let rendered = self.settings.words.write(letter)?;
        let id = event.id.as_uuid();
        Ok(Mail {
            event: id,
            message_id: Mail::message_id(id, &letter.to, &self.settings.message_host),
            to: letter.to.clone(),
            date: event.occurred,
            subject: rendered.subject,
            text: rendered.text,
            html: rendered.html,
        })
    }

    async fn postpone(&self, waiting: &Waiting, template: Template, undelivered: Undelivered) {
        let now = self.clock.now();
        match template.next(waiting.attempts, waiting.event.occurred, now) {
            Next::TooLate => self.give_up(waiting, Some(template), &undelivered.to_string()).await,
            Next::Again(at) => {
                self.count(Some(template), Outcome::Postponed);
                let (id, name) = (waiting.event.id, template.name());
                // One line for a mail that waits; a closed way out has a line of its own.
                if waiting.attempts == 1 && matches!(undelivered, Undelivered::Later { .. }) {
                    tracing::warn!(
                        { names::EVENT_ID } = %id,
                        { names::MAIL_TEMPLATE } = name,
                        "the mail {name} of event {id} will be tried again: {undelivered}"
                    );
                }
                self.written(self.store.postpone(waiting, at).await, waiting.event.id);
            }
        }
    }

    /// Whom it was for stays unsaid: the event leads there.
    async fn give_up(&self, waiting: &Waiting, template: Option<Template>, reason: &str) {
        self.count(template, Outcome::GivenUp);
        let (id, kind) = (waiting.event.id, waiting.event.kind.as_str());
        tracing::error!(
            { names::EVENT_ID } = %id,
            { names::EVENT_KIND } = kind,
            { names::ATTEMPT } = waiting.attempts,
            { names::ERROR } = reason,
            "the mail of {kind} {id} is given up: {reason}"
        );
        self.settle(&waiting.event).await;
    }

    async fn settle(&self, event: &outbox::Event) {
        self.written(self.store.settle(event.id).await, event.id);
    }

    /// A mark that cannot be written leaves the mail claimed: it will be tried again, with the same message id.
    fn written<E: std::error::Error>(&self, marked: Result<(), E>, event: kit::Id<outbox::Event>) {
        if let Err(error) = marked {
            let error = chain(&error);
            tracing::warn!(
                { names::EVENT_ID } = %event,
                { names::ERROR } = error.as_str(),
                "what became of the mail of event {event} cannot be noted: {error}"
            );
        }
    }

    fn count(&self, template: Option<Template>, outcome: Outcome) {
        let outcome = match outcome {
            Outcome::Sent => "sent",
            Outcome::Postponed => "postponed",
            Outcome::GivenUp => "given_up",
        };
        let template = template.map_or("unknown", Template::name);
        let labels =
            [KeyValue::new(names::MAIL_TEMPLATE, template), KeyValue::new(names::MAIL_OUTCOME, outcome)];
        self.mails.add(1, &labels);
    }
}

impl WayOut {
    fn is_open(&self) -> bool {
        self.closed_until.is_none_or(|until| Instant::now() >= until)
    }

    /// Says once that mails wait, and once that they go again.
    fn learn(&mut self, ended: Result<(), Undelivered>) {
        match ended {
            Err(closed @ Undelivered::Closed { .. }) => {
                if self.closed_until.is_none() {
                    tracing::error!("mails wait until they can be sent again: {closed}");
                }
                self.closed_until = Some(Instant::now() + CLOSED_PAUSE);
            }
            Ok(()) | Err(Undelivered::Refused { .. }) if self.closed_until.is_some() => {
                tracing::info!("mails are sent again");
                self.closed_until = None;
            }
            _ => {}
        }
    }
}
