//! One method per RPC, and the work that sends what waits.

mod delivery;
pub mod render;

use std::sync::Arc;

use kit::{Clock, Database, Listed, Page, PageError};
use opentelemetry::metrics::Counter;
use sealing::Opener;

use crate::domain::{TEMPLATES, Template};
use crate::error::Error;
use crate::mailer::Mailer;
use crate::store::Store;

use render::{Rendered, Words};

/// What this service must be told.
#[derive(Clone)]
pub struct Settings {
    /// Opens what is sealed for mails. Nobody else has it.
    pub opener: Opener,
    /// Who takes the mails.
    pub mailer: Arc<dyn Mailer>,
    /// What the ids of messages end with: the host of the sender's address.
    pub message_host: String,
    /// How the shop speaks of itself.
    pub words: Words,
}

#[derive(Clone)]
pub struct Notifications {
    store: Store,
    settings: Settings,
    clock: Clock,
    mails: Counter<u64>,
}

impl Notifications {
    pub fn new(database: Database, settings: Settings, clock: Clock) -> Self {
        Self { store: Store::new(database), settings, clock, mails: delivery::counter() }
    }

    /// By name.
    pub fn list_templates(&self, page: &Page) -> Result<Listed<Template>, Error> {
        let after = match page.after.as_deref() {
            None => "",
            Some([name]) => name.as_str(),
            Some(_) => return Err(PageError::Token.into()),
        };
        let rest = TEMPLATES.into_iter().filter(|template| template.name() > after);
        let fetched = rest.take(usize::try_from(page.fetch_limit()).unwrap_or(usize::MAX)).collect();
        Ok(page.listed(fetched, |template: &Template| vec![template.name().to_owned()]))
    }

    pub fn preview_mail(&self, name: &str) -> Result<Rendered, Error> {
        let template = Template::named(name).ok_or(Error::TemplateNotFound)?;
        Ok(self.settings.words.write(&render::sample(template, self.clock.now())?)?)
    }
}
