//! A review, its states, and the figures that many of them add up to.

use kit::{Id, Timestamp};

/// Five reports put an approved review back into the queue.
pub const REPORTS_TO_REVIEW_AGAIN: i64 = 5;

/// An account, as this service knows it: an id of somebody else's thing.
pub enum Account {}
/// A product, likewise.
pub enum Product {}

pub type ReviewId = Id<Review>;
pub type AccountId = Id<Account>;
pub type ProductId = Id<Product>;

/// One opinion of one author on one product. Others see it only while it is approved, and only then does it
/// count in the product's summary.
#[derive(Clone, Debug, PartialEq)]
pub struct Review {
    pub id: ReviewId,
    pub product: ProductId,
    /// Nobody for a review taken over from elsewhere.
    pub author: Option<AccountId>,
    pub author_name: String,
    pub opinion: Opinion,
    pub state: State,
    /// The author has received the product in an order.
    pub verified: bool,
    pub helpful: i64,
    pub unhelpful: i64,
    pub reports: i64,
    /// What the moderator told the author; only with [`State::Rejected`].
    pub rejection: Option<String>,
    pub created: Timestamp,
    pub updated: Timestamp,
    /// Grows with every change of opinion or state; votes and reports leave it.
    pub version: i64,
}

/// What the author says. Already valid: see the contract for the limits.
#[derive(Clone, Debug, PartialEq)]
pub struct Opinion {
    pub rating: Rating,
    pub title: String,
    pub body: String,
}

/// One to five.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rating(u8);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Pending,
    Approved,
    Rejected,
}

/// What happened to a review, for those outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Submitted,
    Published,
    /// It was published and is no longer.
    Withdrawn,
}

/// Why a review does not do what is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("nobody votes on or reports a review of his own")]
    OwnReview,
    #[error("only approved reviews are voted on and reported")]
    NotApproved,
}

/// In which order reviews are read. Ties go to the newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Helpful,
    Newest,
    RatingHigh,
    RatingLow,
}

/// A review from elsewhere, under the id that it has there.
pub struct Imported {
    pub external_id: String,
    pub review: Review,
}

/// Approved ratings of one product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub histogram: [i64; 5],
}

impl Review {
    /// A new review waits for a moderator.
    pub fn write(
        product: ProductId,
        author: AccountId,
        author_name: String,
        opinion: Opinion,
        verified: bool,
        now: Timestamp,
    ) -> Review {
        Review {
            id: ReviewId::new(),
            product,
            author: Some(author),
            author_name,
            opinion,
            state: State::Pending,
            verified,
            helpful: 0,
            unhelpful: 0,
            reports: 0,
            rejection: None,
            created: now,
            updated: now,
            version: 1,
        }
    }

    /// The author thinks otherwise. What was approved was the old text, so it waits again.
    pub fn edit(&mut self, opinion: Opinion, now: Timestamp) -> Vec<Event> {
        let was = self.state;
        self.opinion = opinion;
        self.enter(State::Pending, None, now);
        match was {
            State::Approved => vec![Event::Withdrawn, Event::Submitted],
            State::Pending | State::Rejected => vec![Event::Submitted],
        }
    }

    /// Everybody may see it. Nothing happens to one that is approved already.
    pub fn approve(&mut self, now: Timestamp) -> Vec<Event> {
        if self.state == State::Approved {
            return Vec::new();
        }
        self.enter(State::Approved, None, now);
        self.reports = 0;
        vec![Event::Published]
    }

    /// Nobody but its author and moderators may see it. Nothing happens to one that is rejected already.
    pub fn reject(&mut self, rejection: String, now: Timestamp) -> Vec<Event> {
        if self.state == State::Rejected {
            return Vec::new();
        }
        let was = self.state;
        self.enter(State::Rejected, Some(rejection), now);
        withdrawn_if(was)
    }

    /// One more account has complained.
    pub fn report(&mut self, now: Timestamp) -> Vec<Event> {
        self.reports = self.reports.saturating_add(1);
        if self.state != State::Approved || self.reports < REPORTS_TO_REVIEW_AGAIN {
            return Vec::new();
        }
        self.enter(State::Pending, None, now);
        vec![Event::Withdrawn, Event::Submitted]
    }

    /// It goes for good.
    pub fn delete(self) -> Vec<Event> {
        withdrawn_if(self.state)
    }

    /// Whether this account may vote on it or report it.
    pub fn admits_reader(&self, account: AccountId) -> Result<(), Refusal> {
        if self.author == Some(account) {
            return Err(Refusal::OwnReview);
        }
        match self.state {
            State::Approved => Ok(()),
            State::Pending | State::Rejected => Err(Refusal::NotApproved),
        }
    }

    /// What it counts for in the summary of its product.
    pub fn counts(&self) -> Option<Rating> {
        (self.state == State::Approved).then_some(self.opinion.rating)
    }

    fn enter(&mut self, state: State, rejection: Option<String>, now: Timestamp) {
        self.state = state;
        self.rejection = rejection;
        self.updated = now;
        self.version = self.version.saturating_add(1);
    }
}

fn withdrawn_if(was: State) -> Vec<Event> {
    match was {
        State::Approved => vec![Event::Withdrawn],
        State::Pending | State::Rejected => Vec::new(),
    }
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Approved => "approved",
            State::Rejected => "rejected",
        }
    }

    pub fn named(name: &str) -> Option<State> {
        [State::Pending, State::Approved, State::Rejected].into_iter().find(|state| state.as_str() == name)
    }
}

impl Rating {
    pub fn new(stars: i64) -> Option<Rating> {
        u8::try_from(stars).ok().filter(|stars| (1..=5).contains(stars)).map(Rating)
    }

    pub fn stars(self) -> u8 {
        self.0
    }
}

impl Summary {
    pub fn count(&self) -> i64 {
        self.histogram.iter().sum()
    }

    /// Sum of all stars; the mean is this by the count.
    pub fn rating_sum(&self) -> i64 {
        (1..).zip(self.histogram).map(|(stars, count)| stars * count).sum()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const TABLE: &str = "
                 edit                 approve     reject      report5
        pending  submitted            published   -           -
        approved withdrawn,submitted  -           withdrawn   withdrawn,submitted
        rejected submitted            published   -           -
    ";

    #[test]
    fn every_state_answers_every_command_as_the_table_says() {
        let mut rows = TABLE.lines().filter(|line| !line.trim().is_empty());
        let commands: Vec<&str> = rows.next().unwrap().split_whitespace().collect();
        let mut tried = 0;

        for row in rows {
            let mut cells = row.split_whitespace();
            let state = cells.next().unwrap();
            for (command, expected) in commands.iter().zip(cells) {
                let mut review = in_state(state);
                let events = obey(&mut review, command);
                assert_eq!(named(&events), expected, "{command} on {state}");
                tried += 1;
            }
        }
        assert_eq!(tried, 12);
    }

    #[test]
    fn a_command_that_changes_nothing_leaves_the_version() {
        let mut review = in_state("approved");
        let before = review.clone();

        review.approve(now());

        assert_eq!(review, before);
    }

    #[test]
    fn an_author_neither_votes_on_nor_reports_the_review_he_wrote() {
        let review = in_state("approved");
        assert_eq!(review.admits_reader(review.author.unwrap()), Err(Refusal::OwnReview));
        assert_eq!(review.admits_reader(AccountId::new()), Ok(()));
        assert_eq!(in_state("pending").admits_reader(AccountId::new()), Err(Refusal::NotApproved));
    }

    #[test]
    fn approval_forgives_what_was_reported() {
        let mut review = in_state("approved");
        (0..5).for_each(|_| drop(review.report(now())));
        assert_eq!((review.state, review.reports), (State::Pending, 5));

        review.approve(now());

        assert_eq!(review.reports, 0);
    }

    #[test]
    fn a_rating_has_one_to_five_stars() {
        let accepted: Vec<i64> = (-1..8).filter(|stars| Rating::new(*stars).is_some()).collect();
        assert_eq!(accepted, [1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_summary_adds_up_its_histogram() {
        let summary = Summary { histogram: [1, 0, 2, 0, 3] };
        assert_eq!((summary.count(), summary.rating_sum()), (6, 22));
    }

    fn in_state(state: &str) -> Review {
        let opinion = Opinion { rating: Rating::new(4).unwrap(), title: "Good".into(), body: String::new() };
        let mut review =
            Review::write(ProductId::new(), AccountId::new(), "Ada".into(), opinion, false, now());
        match state {
            "approved" => drop(review.approve(now())),
            "rejected" => drop(review.reject("No".into(), now())),
            _ => {}
        }
        review
    }

    fn obey(review: &mut Review, command: &str) -> Vec<Event> {
        match command {
            "edit" => review.edit(review.opinion.clone(), now()),
            "approve" => review.approve(now()),
            "reject" => review.reject("No".into(), now()),
            _ => (0..5).flat_map(|_| review.report(now())).collect(),
        }
    }

    fn named(events: &[Event]) -> String {
        let names: Vec<String> = events.iter().map(|event| format!("{event:?}").to_lowercase()).collect();
        match names.is_empty() {
            true => "-".into(),
            false => names.join(","),
        }
    }

    fn now() -> Timestamp {
        kit::Clock::system().now()
    }
}
