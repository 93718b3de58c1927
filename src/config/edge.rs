//! What the edge is told: where it is, who may use it, and which documents it executes.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::http::Uri;
use clap::Args;
use gateway::DocumentHash;
use ipnet::IpNet;

use super::loopback;

/// The GraphQL edge, and the port for tools beside it.
#[derive(Args, Clone, Debug)]
pub struct Edge {
    /// Address of the GraphQL edge.
    #[arg(long = "edge", env = "SHOP_EDGE", default_value = "127.0.0.1:8080")]
    pub address: SocketAddr,
    /// Loopback address of the gRPC port for tools, with reflection. It does not exist with --production.
    #[arg(long, env = "SHOP_GRPC", default_value = "127.0.0.1:9090", value_parser = loopback)]
    pub grpc: SocketAddr,
    /// As which service the gRPC port calls.
    #[arg(long, env = "SHOP_GRPC_AS", default_value = "gateway")]
    pub grpc_as: String,
    /// Start with an empty shop: no demo catalogue, no personas.
    #[arg(long, env = "SHOP_EMPTY")]
    pub empty: bool,
    /// No introspection, reflection, playground, personas or call costs; `__Host-` cookies.
    #[arg(long, env = "SHOP_PRODUCTION")]
    pub production: bool,
    /// Origins whose pages may send cookies, besides the edge's own: `https://shop.example`, comma-separated.
    #[arg(long, env = "SHOP_ORIGINS", value_delimiter = ',', value_parser = origin)]
    pub origins: Vec<String>,
    /// Proxies whose `x-forwarded-for` is believed, so that limits and audits see the client: `10.0.0.0/8`, comma-separated.
    #[arg(long, env = "SHOP_TRUSTED_PROXIES", value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,
    /// File of the GraphQL documents that may be executed, one SHA-256 a line; without it, any.
    #[arg(long, env = "SHOP_DOCUMENTS", value_name = "FILE", value_parser = documents)]
    pub documents: Option<Arc<[DocumentHash]>>,
}

/// A network in CIDR form, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    let alone = || text.parse().map(|address: IpAddr| address.into());
    text.parse().or_else(|_| alone()).map_err(|_| format!("'{text}' is not a network like 10.0.0.0/8"))
}

/// An origin as browsers write it: in any other form it would never equal the one that comes.
fn origin(text: &str) -> Result<String, String> {
    let uri: Uri = text.parse().unwrap_or_default();
    let written = match (uri.scheme_str(), uri.authority()) {
        (Some(scheme @ ("http" | "https")), Some(host)) => format!("{scheme}://{host}").to_lowercase(),
        _ => String::new(),
    };
    match written == text {
        true => Ok(written),
        false => Err(format!("'{text}' is not an origin like https://shop.example")),
    }
}

/// One SHA-256 a line; what follows it on the line is a remark.
fn documents(path: &str) -> Result<Arc<[DocumentHash]>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("it cannot be read: {error}"))?;
    let words = text.lines().enumerate().filter_map(|(at, line)| Some((at, line.split_whitespace().next()?)));
    let hashes = words.map(|(at, word)| {
        let wrong = || format!("line {}: '{word}' is not a SHA-256 of 64 hexadecimal digits", at + 1);
        DocumentHash::from_hex(word).ok_or_else(wrong)
    });
    hashes.collect()
}
