//! What `shop serve` is told: who is served, where everybody else is, and by what services know each other.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use payments::ProviderUrl;

use super::{Edge, Mail};

/// `shop serve`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
For each service NAME that is served, but for search, and cart on Redis: SHOP_<NAME>_DATABASE_URL=postgres://user@host/database
For each service that one of them calls: SHOP_<NAME>_ADDRESS=http://host:port")]
pub struct Serve {
    /// The services to serve by name; `gateway` is the edge.
    #[arg(required = true)]
    pub names: Vec<String>,
    /// Address of the gRPC port.
    #[arg(long, env = "SHOP_LISTEN", default_value = "0.0.0.0:9090")]
    pub listen: SocketAddr,
    /// Address of /live, /ready and /metrics.
    #[arg(long, env = "SHOP_ADMIN", default_value = "0.0.0.0:9091")]
    pub admin: SocketAddr,
    /// The edge, where `gateway` is served.
    #[command(flatten)]
    pub edge: Edge,
    /// How services know each other.
    #[command(flatten)]
    pub peers: Peers,
    /// The broker that carries events between processes: amqp://user:password@host:port/vhost.
    #[arg(long, env = "AMQP_URL", hide_env_values = true)]
    pub amqp_url: Option<String>,
    /// What single services must be told.
    #[command(flatten)]
    pub secrets: Secrets,
}

/// By what a service is known to another.
#[derive(Args, Clone, Debug)]
pub struct Peers {
    /// By what a calling service is known.
    #[arg(long = "peers", env = "SHOP_PEERS", value_enum)]
    pub kind: PeersKind,
    /// What follows the service account in the identities of Linkerd.
    #[arg(
        long,
        env = "SHOP_LINKERD_IDENTITY",
        default_value = "shop.serviceaccount.identity.linkerd.cluster.local"
    )]
    pub linkerd_identity: String,
    /// The certificates of this process, PEM, its own first.
    #[arg(long, env = "SHOP_CERTIFICATE", required_if_eq("kind", "certificates"))]
    pub certificate: Option<PathBuf>,
    /// Its private key, PEM.
    #[arg(long, env = "SHOP_CERTIFICATE_KEY", required_if_eq("kind", "certificates"))]
    pub certificate_key: Option<PathBuf>,
    /// The authorities that certify services, PEM.
    #[arg(long, env = "SHOP_AUTHORITY", required_if_eq("kind", "certificates"))]
    pub authority: Option<PathBuf>,
    /// The domain of the names in certificates: spiffe://DOMAIN/SERVICE.
    #[arg(long, env = "SHOP_TRUST_DOMAIN", default_value = "shop")]
    pub trust_domain: String,
}

/// How a service is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PeersKind {
    /// Linkerd's proxies stand between, and say so.
    Linkerd,
    /// Both ends show certificates.
    Certificates,
}

/// What single services must be told. Only who serves one needs its part.
#[derive(Args, Clone)]
pub struct Secrets {
    /// identity: the secret that its signing keys follow from, 32 characters or more.
    #[arg(long, env = "SHOP_SIGNING_SECRET", hide_env_values = true)]
    pub signing_secret: Option<String>,
    /// identity, orders: the public key of notifications, base64.
    #[arg(long, env = "SHOP_SEALING_PUBLIC_KEY")]
    pub sealing_public_key: Option<String>,
    /// notifications: the private key to it, base64.
    #[arg(long, env = "SHOP_SEALING_KEY", hide_env_values = true, conflicts_with = "sealing_key_file")]
    pub sealing_key: Option<String>,
    /// notifications: a file that holds the private key.
    #[arg(long, env = "SHOP_SEALING_KEY_FILE")]
    pub sealing_key_file: Option<PathBuf>,
    /// cart: the secret that tokens of guests' carts follow from, 64 hexadecimal digits.
    #[arg(long, env = "SHOP_CART_TOKEN_SECRET", hide_env_values = true)]
    pub cart_token_secret: Option<String>,
    /// cart: the Redis that carts are kept in; without it they are in SHOP_CART_DATABASE_URL. gateway, catalogue: where
    /// replicas share limits of clients and hot products; without it each limits for itself, and all is read from tables.
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    pub redis_url: Option<String>,
    /// gateway, catalogue: another Redis for these, which need not write anything down: one that does so before each
    /// answer, as carts want it, makes pages wait for its disk.
    #[arg(long, env = "SHOP_SCRATCH_REDIS_URL", hide_env_values = true)]
    pub scratch_redis_url: Option<String>,
    /// orders: the secret that tokens of checkouts follow from, 64 hexadecimal digits.
    #[arg(long, env = "SHOP_CHECKOUT_TOKEN_SECRET", hide_env_values = true)]
    pub checkout_token_secret: Option<String>,
    /// payments: what webhooks are signed with, 16 characters or more.
    #[arg(long, env = "SHOP_WEBHOOK_SECRET", hide_env_values = true)]
    pub webhook_secret: Option<String>,
    /// search: where its index lies; in memory if absent.
    #[arg(long, env = "SHOP_SEARCH_FOLDER")]
    pub search_folder: Option<PathBuf>,
    /// payments: where the provider is.
    #[arg(long, env = "SHOP_PROVIDER_URL")]
    pub provider_url: Option<ProviderUrl>,
    /// notifications: how mails leave the shop.
    #[command(flatten)]
    pub mail: Mail,
}

impl Secrets {
    /// For whoever serves nothing.
    pub fn none() -> Self {
        Self {
            signing_secret: None,
            sealing_public_key: None,
            sealing_key: None,
            sealing_key_file: None,
            cart_token_secret: None,
            redis_url: None,
            scratch_redis_url: None,
            checkout_token_secret: None,
            webhook_secret: None,
            provider_url: None,
            mail: Mail::none(),
            search_folder: None,
        }
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secrets")
    }
}

/// The variable that says where a service is: its name, and its value if it has one.
pub fn address(service: &str) -> (String, Option<String>) {
    variable(service, "ADDRESS")
}

/// The variable that says where the store of a service is.
pub fn database_url(service: &str) -> (String, Option<String>) {
    variable(service, "DATABASE_URL")
}

fn variable(service: &str, what: &str) -> (String, Option<String>) {
    let name = format!("SHOP_{}_{what}", service.to_uppercase());
    let value = std::env::var(&name).ok().filter(|value| !value.is_empty());
    (name, value)
}
