//! Where a request comes from.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::HeaderMap;
use ipnet::IpNet;

/// The address that counts for rates.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct ClientAddress(IpAddr);

impl ClientAddress {
    /// The peer, or, behind trusted proxies, the nearest address in `X-Forwarded-For` that is none of them.
    /// Whatever lies further left could have been made up by the client.
    pub(crate) fn of(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> ClientAddress {
        let is_trusted = |address: IpAddr| trusted.iter().any(|net| net.contains(&address));
        let mut nearest = peer.to_canonical();
        if is_trusted(nearest) {
            let forwarded: Vec<&str> = headers
                .get_all("x-forwarded-for")
                .iter()
                .filter_map(|value| value.to_str().ok())
                .flat_map(|value| value.split(','))
                .collect();
            for hop in forwarded.iter().rev() {
                let Ok(address) = hop.trim().parse::<IpAddr>() else { break };
                nearest = address.to_canonical();
                if !is_trusted(nearest) {
                    break;
                }
            }
        }
        ClientAddress(site(nearest))
    }
}

/// One customer of a provider has a whole /64 of IPv6, so that counts as one address.
fn site(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwarded_addresses_count_only_from_trusted_proxies() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        for (peer, forwarded, expected) in [
            ("192.0.2.1", "", "192.0.2.1"),
            ("192.0.2.1", "198.51.100.9", "192.0.2.1"),
            ("10.0.0.1", "", "10.0.0.1"),
            ("10.0.0.1", "198.51.100.9", "198.51.100.9"),
            ("10.0.0.1", "203.0.113.5, 198.51.100.9", "198.51.100.9"),
            ("10.0.0.1", "203.0.113.5, 198.51.100.9, 10.2.3.4", "198.51.100.9"),
            ("10.0.0.1", "made up, 10.2.3.4", "10.2.3.4"),
            ("::ffff:10.0.0.1", "198.51.100.9", "198.51.100.9"),
            ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::"),
        ] {
            let mut headers = HeaderMap::new();
            if !forwarded.is_empty() {
                headers.insert("x-forwarded-for", forwarded.parse().unwrap());
            }
            let address = ClientAddress::of(peer.parse().unwrap(), &headers, &trusted);
            assert_eq!(address, ClientAddress(expected.parse().unwrap()), "{peer} {forwarded}");
        }
    }
}
