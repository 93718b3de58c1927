//! Where everything is for a process that serves only a part: what the environment says, checked before anything starts.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::http::Uri;
use kit::{Database, OpenError};
use mesh::serve::{Health, Peers};
use mesh::{CertificateFiles, Certificates};
use proto::rules::METHODS;
use scratch::Scratch;
use sealing::{Opener, Sealer};

use crate::commands::Failure;
use crate::config::{self, PeersKind, Secrets};
use crate::places::{self, Place, Places, named};
use crate::{mails, settings, subscriptions};

/// A store that cannot be reached is tried again after so long.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// What the names of carts in Redis begin with.
const CART_KEYS: &str = "cart:";
/// Somebody waits for a cart: rather a quick "later" than a late answer.
const CART_ANSWER_TIME_MAX: Duration = Duration::from_millis(140);
// The first command that fails is the answer, the edge asks for it once more, and what is promised is 300 ms.
const _: () = assert!(2 * CART_ANSWER_TIME_MAX.as_millis() < 300);
/// What the names of all else in Redis begin with.
const SCRATCH_KEYS: &str = "scratch:";
/// Somebody waits for a page, which can be had without.
const SCRATCH_ANSWER_TIME_MAX: Duration = Duration::from_millis(50);
const WEBHOOK_SECRET_LENGTH_MIN: usize = 16;
const SIGNING_SECRET_LENGTH_MIN: usize = 32;

/// Who is served by this process.
pub struct Part {
    services: BTreeSet<&'static str>,
    /// Whether the edge is, too.
    pub gateway: bool,
}

impl Part {
    /// The edge alone, as it is for whoever only calls.
    pub fn gateway() -> Self {
        Self { services: BTreeSet::new(), gateway: true }
    }

    /// What was named on the command line.
    pub fn named(names: &[String]) -> Result<Self, Failure> {
        let (gateway, services): (Vec<_>, Vec<_>) = names.iter().partition(|name| *name == gateway::NAME);
        let services = services.into_iter().map(|name| named(name)).collect::<Result<_, _>>()?;
        Ok(Self { services, gateway: !gateway.is_empty() })
    }

    /// The services, without the edge.
    pub fn services(&self) -> impl Iterator<Item = &'static str> {
        self.services.iter().copied()
    }

    /// Whether anything here shares with its replicas what they can do without.
    fn shares(&self) -> bool {
        self.gateway || self.services.contains(catalogue::NAME)
    }

    /// Whether anything here may call a service, as the contract says.
    fn calls(&self, service: &str) -> bool {
        METHODS.iter().filter(|method| method.service == service).any(|method| {
            (self.gateway && method.allows(gateway::NAME))
                || self.services.iter().any(|caller| method.allows(caller))
        })
    }
}

/// How this process knows who calls, and what it shows itself.
pub fn peers(peers: &config::Peers) -> Result<Peers, Failure> {
    match (peers.kind, &peers.certificate, &peers.certificate_key, &peers.authority) {
        (PeersKind::Linkerd, ..) => Ok(Peers::Linkerd(peers.linkerd_identity.clone())),
        (PeersKind::Certificates, Some(certificate), Some(key), Some(authority)) => {
            let files = CertificateFiles {
                certificate: certificate.clone(),
                key: key.clone(),
                authority: authority.clone(),
                domain: peers.trust_domain.clone(),
            };
            let certificates = Certificates::load(files).map_err(|error| Failure::new(error.to_string()))?;
            Ok(Peers::Certified(certificates))
        }
        (PeersKind::Certificates, ..) => Err(Failure::new(
            "--peers certificates needs SHOP_CERTIFICATE, SHOP_CERTIFICATE_KEY and SHOP_AUTHORITY",
        )),
    }
}

/// The certificates of this process, where it shows any.
pub fn certificates(peers: &Peers) -> Option<Certificates> {
    match peers {
        Peers::Certified(certificates) => Some(certificates.clone()),
        Peers::Anyone(_) | Peers::Linkerd(_) => None,
    }
}

/// Everything that is said in the environment, before any of it is tried.
pub struct Plan<'a> {
    part: &'a Part,
    secrets: &'a Secrets,
    scratch: Option<&'a Scratch>,
    health: &'a Health,
}

impl<'a> Plan<'a> {
    /// What is served, what it needs to know, what its replicas share, and where to say what is waited for.
    pub fn new(
        part: &'a Part,
        secrets: &'a Secrets,
        scratch: Option<&'a Scratch>,
        health: &'a Health,
    ) -> Self {
        Self { part, secrets, scratch, health }
    }

    /// Where every service is, once the stores of those here can be reached and are up to date.
    pub async fn places(&self, certificates: Option<Certificates>) -> Result<Places, Failure> {
        Ok(Places {
            identity: self.place(identity::NAME, || self.identity()).await?,
            catalogue: self.place(catalogue::NAME, || Ok(self.scratch.cloned())).await?,
            inventory: self.place(inventory::NAME, || Ok(())).await?,
            pricing: self.place(pricing::NAME, || Ok(())).await?,
            payments: self.place(payments::NAME, || self.payments()).await?,
            cart: self.cart().await?,
            orders: self.place(orders::NAME, || self.orders()).await?,
            reviews: self.place(reviews::NAME, || Ok(())).await?,
            analytics: self.place(analytics::NAME, || Ok(())).await?,
            notifications: self.place(notifications::NAME, || self.notifications()).await?,
            recommendations: self.place(recommendations::NAME, || Ok(())).await?,
            search: self.search()?,
            certificates,
        })
    }

    async fn place<S>(
        &self,
        service: &'static str,
        settings: impl FnOnce() -> Result<S, Failure>,
    ) -> Result<Place<S>, Failure> {
        if self.part.services.contains(service) {
            let settings = settings()?;
            let store = self.store(service).await?;
            self.health.found(service);
            return Ok(Place::Here(store, settings));
        }
        self.elsewhere(service)
    }

    fn search(&self) -> Result<Place<(), search::Index>, Failure> {
        if !self.part.services.contains(search::NAME) {
            return self.elsewhere(search::NAME);
        }
        let index = match &self.secrets.search_folder {
            Some(folder) => search::Index::open(folder),
            None => search::Index::in_memory(),
        };
        let index = index.map_err(|error| Failure::caused("the index of search cannot be opened", &error))?;
        self.health.found(search::NAME);
        Ok(Place::Here(index, ()))
    }

    /// Where a service is that is not here.
    fn elsewhere<S, D>(&self, service: &'static str) -> Result<Place<S, D>, Failure> {
        if !self.part.calls(service) {
            return Ok(Place::Nowhere);
        }
        let (variable, address) = config::address(service);
        let address = address.ok_or_else(|| {
            Failure::new(format!("{variable} is not set: it says where {service} is, http://host:port"))
        })?;
        let uri = address
            .parse::<Uri>()
            .ok()
            .filter(|uri| uri.scheme_str() == Some("http") && uri.host().is_some());
        uri.map(Place::There).ok_or_else(|| {
            Failure::new(format!("{variable} is '{address}', which is no address like http://{service}:9090"))
        })
    }

    /// The store of a service here. One that cannot be reached yet is waited for; one that says no is not.
    async fn store(&self, service: &'static str) -> Result<Database, Failure> {
        let (variable, url) = config::database_url(service);
        let url =
            url.ok_or_else(|| Failure::new(format!("{variable} is not set: postgres://user@host/database")))?;
        let mut told = false;
        loop {
            let error = match Database::open(&url).await {
                Ok(store) => match places::missing(service, &store).await {
                    Ok(None) => return Ok(store),
                    Ok(Some(first)) => return Err(older(service, &first)),
                    Err(error) => OpenError::Storage(error),
                },
                Err(error) => error,
            };
            match &error {
                OpenError::Storage(cause) if !kit::is_refused(cause) => {
                    wait(&mut told, service, &error).await
                }
                _ => return Err(Failure::caused(format!("{variable} cannot be used"), &error)),
            }
        }
    }

    fn identity(&self) -> Result<identity::Settings, Failure> {
        let secret = said(self.secrets.signing_secret.as_ref(), "SHOP_SIGNING_SECRET")?;
        if secret.len() < SIGNING_SECRET_LENGTH_MIN {
            return Err(Failure::new(format!(
                "SHOP_SIGNING_SECRET must have at least {SIGNING_SECRET_LENGTH_MIN} characters"
            )));
        }
        Ok(settings::identity(self.sealer()?, secret.clone()))
    }

    fn payments(&self) -> Result<payments::Settings, Failure> {
        let secret = said(self.secrets.webhook_secret.as_ref(), "SHOP_WEBHOOK_SECRET")?;
        if secret.len() < WEBHOOK_SECRET_LENGTH_MIN {
            return Err(Failure::new(format!(
                "SHOP_WEBHOOK_SECRET must have at least {WEBHOOK_SECRET_LENGTH_MIN} characters"
            )));
        }
        let url = said(self.secrets.provider_url.as_ref(), "SHOP_PROVIDER_URL")?;
        Ok(settings::payments(url.clone(), secret.clone().into_bytes()))
    }

    async fn cart(&self) -> Result<Place<cart::Settings, cart::Store>, Failure> {
        if !self.part.services.contains(cart::NAME) {
            return self.elsewhere(cart::NAME);
        }
        let token_secret = bytes(self.secrets.cart_token_secret.as_ref(), "SHOP_CART_TOKEN_SECRET")?;
        let store = match &self.secrets.redis_url {
            Some(url) => self.redis(url).await?,
            None => cart::Store::sql(self.store(cart::NAME).await?),
        };
        self.health.found(cart::NAME);
        Ok(Place::Here(store, cart::Settings { token_secret }))
    }

    /// Carts in Redis. One that cannot be reached yet is waited for.
    async fn redis(&self, url: &str) -> Result<cart::Store, Failure> {
        let mut told = false;
        loop {
            match carts(url, CART_ANSWER_TIME_MAX).await {
                Ok(store) => return Ok(store),
                Err(error @ cart::OpenError::Unreachable(_)) => {
                    wait(&mut told, cart::NAME, &error).await;
                }
                Err(error) => return Err(Failure::caused("REDIS_URL cannot be used", &error)),
            }
        }
    }

    fn orders(&self) -> Result<orders::Settings, Failure> {
        let secret = bytes(self.secrets.checkout_token_secret.as_ref(), "SHOP_CHECKOUT_TOKEN_SECRET")?;
        settings::orders(self.sealer()?, &secret)
    }

    fn notifications(&self) -> Result<notifications::Settings, Failure> {
        let text = match &self.secrets.sealing_key_file {
            Some(path) => std::fs::read_to_string(path)
                .map_err(|error| Failure::new(format!("SHOP_SEALING_KEY_FILE cannot be read: {error}")))?,
            None => said(self.secrets.sealing_key.as_ref(), "SHOP_SEALING_KEY")?.clone(),
        };
        let opener = Opener::from_text(&text)
            .map_err(|error| Failure::caused("the sealing key cannot be used", &error))?;
        mails::settings(&self.secrets.mail, opener, None)
    }

    fn sealer(&self) -> Result<Sealer, Failure> {
        let key = said(self.secrets.sealing_public_key.as_ref(), "SHOP_SEALING_PUBLIC_KEY")?;
        Sealer::from_text(key)
            .map_err(|error| Failure::caused("SHOP_SEALING_PUBLIC_KEY cannot be used", &error))
    }
}

fn older(service: &str, first: &str) -> Failure {
    Failure::new(format!(
        "the tables of {service} are older than this program ({first} has not run); run `shop migrate {service}` first"
    ))
}

/// Carts in a Redis that answers within a time.
pub async fn carts(url: &str, answer_time_max: Duration) -> Result<cart::Store, cart::OpenError> {
    cart::Store::redis(url, CART_KEYS, answer_time_max).await
}

/// Tells once what is waited for, and lets some time pass.
async fn wait(told: &mut bool, service: &str, error: &(dyn std::error::Error + 'static)) {
    if !std::mem::replace(told, true) {
        let error = mesh::status::chain(error);
        tracing::warn!("the store of {service} is waited for: {error}");
    }
    tokio::time::sleep(RETRY_INTERVAL).await;
}

fn said<'a, T>(value: Option<&'a T>, variable: &str) -> Result<&'a T, Failure> {
    value.ok_or_else(|| Failure::new(format!("{variable} is not set; `shop help serve` says what it is")))
}

/// A secret of 32 bytes in hexadecimal digits.
fn bytes(value: Option<&String>, variable: &str) -> Result<[u8; 32], Failure> {
    let text = said(value, variable)?;
    let wrong = || Failure::new(format!("{variable} must be 64 hexadecimal digits: openssl rand -hex 32"));
    let digit = |at: usize| u8::from_str_radix(text.get(at..at + 2).unwrap_or_default(), 16).ok();
    let bytes: Option<Vec<u8>> = (0..text.len()).step_by(2).map(digit).collect();
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(wrong)
}

/// Ends when the broker says no, so that nobody waits for it; one that is away is waited for.
pub async fn refused(broker: Option<news::Settings>) -> Failure {
    if let Some(broker) = broker
        && let Err(error) = broker.admitted().await
    {
        return Failure::caused("AMQP_URL cannot be used", &error);
    }
    std::future::pending().await
}

/// The broker that carries events between the processes of the shop.
pub fn broker(url: Option<&String>) -> Result<news::Settings, Failure> {
    let url = url.ok_or_else(|| {
        Failure::new("AMQP_URL is not set: it says where the broker is, amqp://user:password@host:port/vhost")
    })?;
    subscriptions::broker(url)
}

/// What replicas of the parts here share in Redis, if there is one and they share anything. One that is away is done
/// without; one that says no is not.
pub async fn scratch(part: &Part, secrets: &Secrets) -> Result<Option<Scratch>, Failure> {
    let (own, carts) = (&secrets.scratch_redis_url, &secrets.redis_url);
    let variable = if own.is_some() { "SHOP_SCRATCH_REDIS_URL" } else { "REDIS_URL" };
    let url = own.as_ref().or(carts.as_ref()).filter(|_| part.shares());
    let scratch = url.map(|url| Scratch::new(url, SCRATCH_KEYS, SCRATCH_ANSWER_TIME_MAX)).transpose();
    let scratch = scratch.map_err(|error| Failure::caused(format!("{variable} cannot be used"), &error))?;
    if let Some(asked) = &scratch
        && let Err(error) = asked.ping().await
        && scratch::is_refused(&error)
    {
        let words = format!("{variable} cannot be used: Redis does not let this program in");
        return Err(Failure::caused(words, &error));
    }
    Ok(scratch)
}
