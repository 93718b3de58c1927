//! Where a request comes from: whoever is connected or, behind proxies that are trusted, whom they name.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::{Extensions, HeaderMap};
use ipnet::IpNet;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The client of a request, as limits count it and as audits name it. Empty where nobody knows, as in tests.
pub(crate) fn of(headers: &HeaderMap, extensions: &Extensions, proxies: &[IpNet]) -> String {
    let peer = extensions.get::<SocketAddr>().map(|peer| peer.ip().to_canonical());
    peer.map_or(String::new(), |peer| key(named(headers, peer, proxies)))
}

/// Each proxy adds whom it speaks to at the right, so the right-most that is no proxy of ours is the client: what stands
/// further left is what the client says of itself. What cannot be read is as if nobody had said it.
fn named(headers: &HeaderMap, peer: IpAddr, proxies: &[IpNet]) -> IpAddr {
    let trusted = |address: IpAddr| proxies.iter().any(|network| network.contains(&address));
    if !trusted(peer) {
        return peer;
    }
    for line in headers.get_all(FORWARDED_FOR).iter().rev() {
        for word in line.to_str().unwrap_or_default().rsplit(',') {
            match address(word.trim()) {
                Some(address) if trusted(address) => {}
                Some(address) => return address,
                None => return peer,
            }
        }
    }
    peer
}

/// An address; some proxies write the port behind it.
fn address(word: &str) -> Option<IpAddr> {
    let address = word.parse().or_else(|_| word.parse().map(|address: SocketAddr| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

/// All addresses of an IPv6 household are one client: whoever has one has 2^64 of them.
fn key(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn client(peer: &str, forwarded: &[&str], proxies: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let mut extensions = Extensions::new();
        extensions.insert(SocketAddr::new(peer.parse().unwrap(), 4_000));
        let proxies: Vec<IpNet> = proxies.iter().map(|network| network.parse().unwrap()).collect();
        of(&headers, &extensions, &proxies)
    }

    #[test]
    fn nobody_is_believed_but_a_trusted_proxy() {
        let proxies = ["10.0.0.0/8", "fd00::/8"];
        let table: [(&str, &[&str], &str); 11] = [
            // Straight from a client, who says what it likes.
            ("203.0.113.7", &["198.51.100.1"], "203.0.113.7"),
            ("203.0.113.7", &[], "203.0.113.7"),
            ("10.0.0.2", &["198.51.100.1"], "198.51.100.1"),
            ("::ffff:10.0.0.2", &["198.51.100.1:50123"], "198.51.100.1"),
            // What the client wrote itself stands at the left of what the proxy added.
            ("10.0.0.2", &["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.2", &["nonsense", "198.51.100.1, 10.0.0.9"], "198.51.100.1"),
            ("fd00::1", &["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::"),
            // Malformed, missing, or all of it proxies: whoever is connected.
            ("10.0.0.2", &["198.51.100.1, nonsense"], "10.0.0.2"),
            ("10.0.0.2", &["198.51.100.1,"], "10.0.0.2"),
            ("10.0.0.2", &[], "10.0.0.2"),
            ("10.0.0.2", &["10.1.1.1, 10.2.2.2"], "10.0.0.2"),
        ];

        for (peer, forwarded, wanted) in table {
            assert_eq!(client(peer, forwarded, &proxies), wanted, "{peer} {forwarded:?}");
        }
        assert_eq!(client("10.0.0.2", &["198.51.100.1"], &[]), "10.0.0.2", "nobody is trusted unless named");
    }

    #[test]
    fn a_household_is_one_client() {
        let first = client("2001:db8:1:2::3", &[], &[]);

        assert_eq!(first, client("2001:db8:1:2:ffff::4", &[], &[]));
        assert_ne!(first, client("2001:db8:1:3::3", &[], &[]));
        assert_eq!(client("::ffff:192.0.2.1", &[], &[]), client("192.0.2.1", &[], &[]));
    }
}
