//! Sessions, and the client that a sign-in comes from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::time::Duration;

use kit::{Id, Timestamp};

use super::AccountId;

/// A session that is not refreshed for so long is over.
pub const IDLE_MAX: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Somebody logs in again after so long, however often the session was refreshed.
pub const LIFE_MAX: Duration = Duration::from_secs(180 * 24 * 60 * 60);
/// Sessions of one account at a time; a login beyond them ends the one that rested longest.
pub const SESSIONS_MAX: i64 = 100;
const USER_AGENT_LENGTH_MAX: usize = 200;

pub type SessionId = Id<Session>;

/// A sign-in that lasts. All refresh tokens that follow one login are of one family, and the session is the family.
#[derive(Clone, Debug)]
pub struct Session {
    pub id: SessionId,
    pub account: AccountId,
    pub created: Timestamp,
    pub refreshed: Timestamp,
    pub expires: Timestamp,
    pub client: Client,
}

/// Where a call of a person comes from, as far as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    pub network: Network,
    pub user_agent: String,
}

/// The network of a client: IPv4 /24, IPv6 /48. Whole addresses are not kept. Empty when it is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not an IP address")]
pub struct MalformedAddress;

impl Session {
    pub fn open(account: AccountId, client: Client, now: Timestamp) -> Self {
        let id = SessionId::new();
        Self { id, account, created: now, refreshed: now, expires: expiry(now, now), client }
    }
}

/// When a session ends that began then and is refreshed now.
pub fn expiry(created: Timestamp, now: Timestamp) -> Timestamp {
    (now + IDLE_MAX).min(created + LIFE_MAX)
}

impl Client {
    pub fn new(network: Network, user_agent: &str) -> Self {
        let visible = user_agent.chars().filter(|character| !character.is_control());
        Self { network, user_agent: visible.take(USER_AGENT_LENGTH_MAX).collect() }
    }
}

impl Network {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it was kept.
    pub fn kept(text: String) -> Self {
        Self(text)
    }
}

impl FromStr for Network {
    type Err = MalformedAddress;

    fn from_str(ip_address: &str) -> Result<Self, MalformedAddress> {
        let address: IpAddr = ip_address.parse().map_err(|_| MalformedAddress)?;
        Ok(Self(match address.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                format!("{}/24", Ipv4Addr::new(a, b, c, 0))
            }
            IpAddr::V6(address) => {
                let [a, b, c, ..] = address.segments();
                format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_address_is_never_kept() {
        let table = [
            ("203.0.113.77", "203.0.113.0/24"),
            ("::ffff:203.0.113.77", "203.0.113.0/24"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
            ("::1", "::/48"),
        ];

        for (address, network) in table {
            assert_eq!(address.parse::<Network>().unwrap().as_str(), network);
        }
        for malformed in ["", "203.0.113", "203.0.113.77:80", "example.com"] {
            assert_eq!(malformed.parse::<Network>(), Err(MalformedAddress));
        }
    }

    #[test]
    fn a_session_ends_by_rest_or_by_age() {
        let begin = Timestamp::UNIX_EPOCH;
        let days = |days: u64| Duration::from_secs(days * 24 * 60 * 60);

        assert_eq!(expiry(begin, begin), begin + days(30));
        assert_eq!(expiry(begin, begin + days(100)), begin + days(130));
        assert_eq!(expiry(begin, begin + days(170)), begin + days(180));
    }

    #[test]
    fn what_a_client_says_of_itself_is_short_and_plain() {
        let client = Client::new(Network::default(), &format!("Browser\r\n\u{1b}[31m{}", "x".repeat(500)));

        assert_eq!(client.user_agent.chars().count(), 200);
        assert!(client.user_agent.starts_with("Browser[31mxxx"));
    }
}
