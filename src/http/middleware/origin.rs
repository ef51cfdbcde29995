//! From where a request really comes. Forwarding headers are anybody's to write, so they count only as far as they were
//! added by trusted proxies: the client is the rightmost hop that is none. `Forwarded` and all others are ignored.

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// From where a request comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// IPv4-mapped addresses as IPv4; `None` where there is no socket.
    pub ip: Option<IpAddr>,
    /// How a trusted proxy took it, if it says so.
    pub forwarded: Option<Scheme>,
}

/// What `X-Forwarded-Proto` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

impl Origin {
    /// Of a request that came over this connection.
    pub fn of(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let peer = peer.map(|ip| ip.to_canonical());
        let is_trusted = |ip: IpAddr| trusted.iter().any(|net| net.contains(&ip));
        match peer {
            Some(proxy) if is_trusted(proxy) => Self {
                ip: Some(client(proxy, headers, is_trusted)),
                forwarded: scheme(headers),
            },
            ip => Self {
                ip,
                forwarded: None,
            },
        }
    }

    /// By what clients are told apart in limits: the address, or the /64 of an IPv6 one, which is one subscriber's.
    pub fn limit_key(&self) -> String {
        match self.ip {
            Some(IpAddr::V4(ip)) => ip.to_string(),
            Some(IpAddr::V6(ip)) => {
                let network = Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64));
                format!("{network}/64")
            }
            None => "unknown".to_owned(),
        }
    }
}

/// The rightmost hop that is not trusted; a hop that cannot be read ends the trust.
fn client(proxy: IpAddr, headers: &HeaderMap, is_trusted: impl Fn(IpAddr) -> bool) -> IpAddr {
    let mut last = proxy;
    let values: Vec<_> = headers.get_all(X_FORWARDED_FOR).iter().collect();
    for value in values.into_iter().rev() {
        let Ok(hops) = value.to_str() else {
            return last;
        };
        for hop in hops.rsplit(',') {
            let Some(ip) = parse(hop.trim()) else {
                return last;
            };
            last = ip;
            if !is_trusted(ip) {
                return last;
            }
        }
    }
    last
}

/// An address, with or without a port.
fn parse(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']'));
    bare.unwrap_or(hop)
        .parse::<IpAddr>()
        .ok()
        .or_else(|| hop.parse::<SocketAddr>().ok().map(|address| address.ip()))
        .map(|ip| ip.to_canonical())
}

/// The last word, which is that of the proxy next to us.
fn scheme(headers: &HeaderMap) -> Option<Scheme> {
    let mut values = headers.get_all(X_FORWARDED_PROTO).iter();
    let last = values.next_back()?.to_str().ok()?.rsplit(',').next()?;
    match last.trim().to_ascii_lowercase().as_str() {
        "http" => Some(Scheme::Http),
        "https" => Some(Scheme::Https),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    fn forwarded(values: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_bytes(value).unwrap());
        }
        headers
    }

    fn found(peer: &str, values: &[&[u8]]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let origin = Origin::of(Some(peer.parse().unwrap()), &forwarded(values), &trusted);
        origin.ip.unwrap().to_string()
    }

    #[test]
    fn an_untrusted_peer_cannot_say_who_it_is() {
        assert_eq!(found("192.0.2.1", &[b"198.51.100.7"]), "192.0.2.1");
        let mut headers = forwarded(&[b"198.51.100.7"]);
        for name in [
            "x-real-ip",
            "forwarded",
            "cf-connecting-ip",
            "true-client-ip",
        ] {
            headers.insert(name, HeaderValue::from_static("198.51.100.7"));
        }
        headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static("https"));
        let origin = Origin::of(Some([192, 0, 2, 1].into()), &headers, &[]);
        assert_eq!(origin.ip, Some([192, 0, 2, 1].into()));
        assert_eq!(origin.forwarded, None);
    }

    #[test]
    fn the_client_is_the_rightmost_hop_that_is_not_trusted() {
        assert_eq!(found("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(found("10.0.0.1", &[b"198.51.100.7"]), "198.51.100.7");
        assert_eq!(
            found("10.0.0.1", &[b"1.1.1.1, 198.51.100.7"]),
            "198.51.100.7"
        );
        assert_eq!(
            found("10.0.0.1", &[b"1.1.1.1", b"198.51.100.7, 10.2.3.4"]),
            "198.51.100.7"
        );
        assert_eq!(found("10.0.0.1", &[b"10.9.9.9,10.2.3.4"]), "10.9.9.9");
        assert_eq!(
            found("::ffff:10.0.0.1", &[b"::ffff:198.51.100.7"]),
            "198.51.100.7"
        );
        assert_eq!(found("fd00::1", &[b"[2001:db8::7]:443"]), "2001:db8::7");
        assert_eq!(found("10.0.0.1", &[b"198.51.100.7:5000"]), "198.51.100.7");
    }

    #[test]
    fn a_hop_that_cannot_be_read_ends_the_trust() {
        assert_eq!(found("10.0.0.1", &[b"1.1.1.1, unknown"]), "10.0.0.1");
        assert_eq!(found("10.0.0.1", &[b"1.1.1.1, \xff, 10.0.0.2"]), "10.0.0.1");
        assert_eq!(found("10.0.0.1", &[b""]), "10.0.0.1");
    }

    #[test]
    fn the_scheme_is_believed_only_from_a_trusted_peer() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        for (said, scheme) in [
            ("https", Some(Scheme::Https)),
            ("HTTP", Some(Scheme::Http)),
            ("https, http", Some(Scheme::Http)),
            ("http,https", Some(Scheme::Https)),
            ("wss", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(said));
            let of = |peer| Origin::of(peer, &headers, &trusted).forwarded;
            assert_eq!(of(Some([10, 0, 0, 1].into())), scheme, "{said}");
            assert_eq!(of(Some([192, 0, 2, 1].into())), None, "{said}");
            assert_eq!(of(None), None, "{said}");
        }
    }

    #[test]
    fn neighbours_in_one_ipv6_network_share_a_limit() {
        let key =
            |ip: &str| Origin::of(Some(ip.parse().unwrap()), &HeaderMap::new(), &[]).limit_key();
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_a_panic(bytes in proptest::collection::vec(32_u8..=255, 0..60)) {
            prop_assume!(!bytes.contains(&127));
            let headers = forwarded(&[&bytes]);
            let trusted = ["0.0.0.0/0".parse().unwrap()];
            prop_assert!(Origin::of(Some([10, 0, 0, 1].into()), &headers, &trusted).ip.is_some());
        }
    }
}
