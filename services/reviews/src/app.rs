//! One method per RPC: who asks, what he may see, what is decided.

use std::collections::HashMap;

use kit::{Clock, Listed, Page, RequestKey};
use mesh::Caller;

use crate::domain::{
    AccountId, Event, Imported, Opinion, Order, ProductId, Rating, Review, ReviewId, State, Summary,
};
use crate::error::Error;
use crate::store::{Filter, Reader, Store, Viewer};

/// What moderators hold.
pub const MODERATE: &str = "reviews.moderate";

#[derive(Clone)]
pub struct Reviews {
    store: Store,
    clock: Clock,
}

/// Which list of reviews is asked for.
pub struct Listing {
    pub product: Option<ProductId>,
    pub mine: bool,
    pub state: Option<State>,
    pub rating: Option<Rating>,
    pub order: Order,
}

impl Reviews {
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    pub async fn create(
        &self,
        caller: &Caller,
        key: &RequestKey,
        product: ProductId,
        author_name: String,
        opinion: Opinion,
    ) -> Result<Review, Error> {
        let author = account(caller)?;
        let review = Review::write(product, author, author_name, opinion, false, self.clock.now());
        self.store.insert(key, review).await
    }

    pub async fn update(
        &self,
        caller: &Caller,
        key: &RequestKey,
        id: ReviewId,
        opinion: Opinion,
        etag: Option<i64>,
    ) -> Result<Review, Error> {
        let author = account(caller)?;
        let now = self.clock.now();
        let edit = |review: &mut Review| match review.author == Some(author) {
            true => Ok(review.edit(opinion.clone(), now)),
            false => Err(Error::NotFound(id)),
        };
        self.store.update(key, id, Viewer::Account(author), etag, edit).await
    }

    pub async fn delete(&self, caller: &Caller, key: &RequestKey, id: ReviewId) -> Result<(), Error> {
        self.store.delete(key, id, account(caller)?).await
    }

    pub async fn batch_get(
        &self,
        caller: &Caller,
        ids: &[ReviewId],
    ) -> Result<HashMap<ReviewId, Review>, Error> {
        Ok(self.store.find_many(ids, viewer(caller)).await?)
    }

    /// Others' reviews are listed when approved; in other states to moderators only.
    pub async fn list(
        &self,
        caller: &Caller,
        listing: Listing,
        page: &Page,
    ) -> Result<Listed<Review>, Error> {
        let moderator = caller.may(MODERATE);
        let author = listing.mine.then(|| account(caller)).transpose()?;
        if !listing.mine && !moderator && (listing.product.is_none() || listing.state.is_some()) {
            account(caller)?;
            return Err(Error::NotModerator);
        }
        let state = match listing.mine || moderator {
            true => listing.state,
            false => Some(State::Approved),
        };
        let filter = Filter {
            viewer: viewer(caller),
            product: listing.product,
            author,
            state,
            rating: listing.rating,
        };
        self.store.page(&filter, listing.order, page).await
    }

    pub async fn first_of_each(
        &self,
        products: &[ProductId],
        each: u64,
        order: Order,
    ) -> Result<HashMap<ProductId, Vec<Review>>, Error> {
        Ok(self.store.first_of_each(products, each, order).await?)
    }

    pub async fn summaries(&self, products: &[ProductId]) -> Result<Vec<Summary>, Error> {
        Ok(self.store.summaries(products).await?)
    }

    pub async fn approve(&self, key: &RequestKey, id: ReviewId, etag: Option<i64>) -> Result<Review, Error> {
        let now = self.clock.now();
        self.moderate(key, id, etag, |review| review.approve(now)).await
    }

    pub async fn reject(
        &self,
        key: &RequestKey,
        id: ReviewId,
        rejection: String,
        etag: Option<i64>,
    ) -> Result<Review, Error> {
        let now = self.clock.now();
        self.moderate(key, id, etag, |review| review.reject(rejection.clone(), now)).await
    }

    pub async fn vote(
        &self,
        caller: &Caller,
        key: &RequestKey,
        id: ReviewId,
        helpful: bool,
    ) -> Result<Review, Error> {
        self.store.vote(key, id, reader(caller)?, helpful).await
    }

    pub async fn report(
        &self,
        caller: &Caller,
        key: &RequestKey,
        id: ReviewId,
        complaint: &str,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let report = |review: &mut Review| Ok(review.report(now));
        self.store.report(key, id, reader(caller)?, complaint, now, report).await
    }

    pub async fn import(&self, key: &RequestKey, reviews: Vec<Imported>) -> Result<u64, Error> {
        self.store.import(key, reviews).await
    }

    async fn moderate(
        &self,
        key: &RequestKey,
        id: ReviewId,
        etag: Option<i64>,
        decide: impl Fn(&mut Review) -> Vec<Event>,
    ) -> Result<Review, Error> {
        self.store.update(key, id, Viewer::Moderator, etag, |review| Ok(decide(review))).await
    }
}

fn viewer(caller: &Caller) -> Viewer {
    match account(caller) {
        _ if caller.may(MODERATE) => Viewer::Moderator,
        Ok(account) => Viewer::Account(account),
        Err(_) => Viewer::Anybody,
    }
}

fn reader(caller: &Caller) -> Result<Reader, Error> {
    Ok(Reader { account: account(caller)?, viewer: viewer(caller) })
}

fn account(caller: &Caller) -> Result<AccountId, Error> {
    caller.customer_id().map_err(|_| Error::SignInRequired)
}
