//! Who carries which subject: leases in the store itself, so that several relays keep the order within each subject.

use std::time::Duration;

use kit::outbox::Event;
use kit::{Clock, Database, Id, execute, query};
use sea_orm::{DbErr, QueryResult, Value};
use uuid::Uuid;

use crate::unsent::{mark_sent, places, unsent_of};

/// How long a claim holds after it was made or renewed: so long others wait for a relay that died.
pub(crate) const LEASE: Duration = Duration::from_secs(30);
/// A relay stops carrying under a claim that it could not renew for so long. What remains of the lease is how far the
/// clocks of two relays may be apart.
pub(crate) const LEASE_USED_MAX: Duration = Duration::from_secs(20);
/// Rows read at once, of all subjects that are claimed together.
const ROWS_MAX: u64 = 512;

/// The claims of one relay on the subjects of one outbox.
pub(crate) struct Claims {
    pub(crate) database: Database,
    /// Which relay this is; another one at each start.
    owner: Uuid,
    clock: Clock,
}

/// A subject that this relay alone carries for a while.
pub(crate) struct Claim {
    pub(crate) subject: String,
    /// Its oldest unsent events, without a gap.
    pub(crate) events: Vec<Event>,
    /// How often the first of them failed so far.
    pub(crate) failures: i32,
    /// How often that looked like the event's own fault.
    pub(crate) strikes: i32,
}

impl Claims {
    pub(crate) fn new(database: Database) -> Self {
        Self { database, owner: Uuid::now_v7(), clock: Clock::system() }
    }

    /// Claims those subjects that have waited longest, and apart from them some whose reader failed and may be tried
    /// again: however many those are, they take no place from the others.
    pub(crate) async fn claim(&self, fresh: usize, failing: usize) -> Result<Vec<Claim>, DbErr> {
        let mut subjects = self.waiting(fresh).await?;
        subjects.extend(self.failing(failing).await?);
        // In one order everywhere, so that two relays that claim at once cannot wait for each other.
        subjects.sort_unstable();
        subjects.dedup();
        let mut claims = self.take(&subjects).await?;

        // Read after the claim: what another relay carried before it is sent by now. Those that fail are read apart, one
        // event of each, so that nobody's backlog hides them: a claim that looks empty is given up with its strikes.
        let of = |failing: bool| {
            let claims = claims.iter().filter(|claim| (claim.failures > 0) == failing);
            claims.map(|claim| claim.subject.clone()).collect::<Vec<String>>()
        };
        let mut events = unsent_of(&self.database, ROWS_MAX, &of(false), false).await?;
        events.extend(unsent_of(&self.database, ROWS_MAX, &of(true), true).await?);
        for event in events {
            let claim = claims.iter_mut().find(|claim| claim.subject == event.subject);
            claim.into_iter().for_each(|claim| claim.events.push(event.clone()));
        }
        let (claims, empty): (Vec<Claim>, Vec<Claim>) =
            claims.into_iter().partition(|claim| !claim.events.is_empty());
        let empty: Vec<String> = empty.into_iter().map(|claim| claim.subject).collect();
        self.release(&empty).await?;
        Ok(claims)
    }

    /// Whose oldest row waits longest. Rows are picked because they are unsent, never because of where their id stands:
    /// a transaction that began earlier may commit later.
    async fn waiting(&self, count: usize) -> Result<Vec<String>, DbErr> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let sql = "SELECT o.subject FROM outbox o WHERE o.sent IS NULL AND NOT EXISTS (\
                   SELECT 1 FROM outbox_claims c WHERE c.subject = o.subject AND (c.until > $1 OR c.failures > 0)) \
                   ORDER BY o.id LIMIT $2";
        let rows = i64::try_from(ROWS_MAX).unwrap_or(i64::MAX);
        let rows = query(self.database.read(), sql, [self.clock.now().into(), rows.into()]).await?;
        let mut subjects: Vec<String> = Vec::new();
        for row in &rows {
            let subject: String = row.try_get("", "subject")?;
            if subjects.len() < count && !subjects.contains(&subject) {
                subjects.push(subject);
            }
        }
        Ok(subjects)
    }

    async fn failing(&self, count: usize) -> Result<Vec<String>, DbErr> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let sql =
            "SELECT subject FROM outbox_claims WHERE failures > 0 AND until <= $1 ORDER BY until LIMIT $2";
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let rows = query(self.database.read(), sql, [self.clock.now().into(), count.into()]).await?;
        rows.iter().map(|row| row.try_get("", "subject")).collect()
    }

    /// Takes what nobody else took meanwhile.
    async fn take(&self, subjects: &[String]) -> Result<Vec<Claim>, DbErr> {
        if subjects.is_empty() {
            return Ok(Vec::new());
        }
        let now = self.clock.now();
        let mut values: Vec<Value> = vec![self.owner.into(), (now + LEASE).into(), now.into()];
        values.extend(subjects.iter().map(|subject| Value::from(subject.clone())));
        let rows: Vec<String> =
            (4..4 + subjects.len()).map(|place| format!("(${place}, $1, $2, 0, 0)")).collect();
        let sql = format!(
            "INSERT INTO outbox_claims (subject, owner, until, failures, strikes) VALUES {} \
             ON CONFLICT (subject) DO UPDATE SET owner = excluded.owner, until = excluded.until \
             WHERE outbox_claims.until <= $3 RETURNING subject, failures, strikes",
            rows.join(", ")
        );
        let rows = query(self.database.write(), &sql, values).await?;
        rows.iter().map(claim).collect()
    }

    /// Keeps all claims for another lease.
    pub(crate) async fn renew(&self) -> Result<(), DbErr> {
        let sql = "UPDATE outbox_claims SET until = $1 WHERE owner = $2";
        let until = self.clock.now() + LEASE;
        execute(self.database.write(), sql, [until.into(), self.owner.into()]).await.map(drop)
    }

    /// Notes what was carried. If this fails it comes again, and every reader knows it already.
    pub(crate) async fn mark_sent(&self, ids: &[Id<Event>]) -> Result<(), DbErr> {
        mark_sent(&self.database, ids, self.clock.now()).await
    }

    /// Leaves subjects to whoever comes next.
    pub(crate) async fn release(&self, subjects: &[String]) -> Result<(), DbErr> {
        if subjects.is_empty() {
            return Ok(());
        }
        let places = places(2, subjects.len());
        let sql = format!("DELETE FROM outbox_claims WHERE owner = $1 AND subject IN ({places})");
        let subjects = subjects.iter().map(|subject| Value::from(subject.clone()));
        let values = std::iter::once(Value::from(self.owner)).chain(subjects);
        execute(self.database.write(), &sql, values).await.map(drop)
    }

    /// Leaves a subject alone for a while, since its next event failed.
    pub(crate) async fn hold(
        &self,
        subject: &str,
        wait: Duration,
        failures: i32,
        strikes: i32,
    ) -> Result<(), DbErr> {
        let sql = "UPDATE outbox_claims SET owner = NULL, until = $1, failures = $2, strikes = $3 \
                   WHERE subject = $4 AND owner = $5";
        let until = self.clock.now() + wait;
        let values = [until.into(), failures.into(), strikes.into(), subject.into(), self.owner.into()];
        execute(self.database.write(), sql, values).await.map(drop)
    }

    /// Leaves everything to others.
    pub(crate) async fn release_all(&self) -> Result<(), DbErr> {
        let sql = "UPDATE outbox_claims SET owner = NULL, until = $1 WHERE owner = $2";
        execute(self.database.write(), sql, [self.clock.now().into(), self.owner.into()]).await.map(drop)
    }
}

fn claim(row: &QueryResult) -> Result<Claim, DbErr> {
    Ok(Claim {
        subject: row.try_get("", "subject")?,
        events: Vec::new(),
        failures: row.try_get("", "failures")?,
        strikes: row.try_get("", "strikes")?,
    })
}
