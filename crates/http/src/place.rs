//! Where this server is, as those know it who open its pages: by configuration, else the address that it listens on, and
//! never what a request calls it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::OnceLock;

use crate::settings::{PublicUrl, Settings};

/// One of the two places that pages are at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    origin: String,
    is_plain_loopback: bool,
}

impl Place {
    fn configured(url: &PublicUrl) -> Place {
        Place { origin: url.as_str().to_owned(), is_plain_loopback: url.is_plain() }
    }

    /// Whoever listens everywhere is found on loopback at least.
    fn listening(address: SocketAddr) -> Place {
        let ip = match address.ip() {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => IpAddr::V6(Ipv6Addr::LOCALHOST),
            other => other,
        };
        let origin = format!("http://{}", SocketAddr::new(ip, address.port()));
        Place { origin, is_plain_loopback: ip.is_loopback() }
    }

    /// What comes of it where other machines can reach the address that was taken for this place.
    fn danger_at(&self, address: SocketAddr) -> Option<&'static str> {
        if address.ip().is_loopback() {
            None
        } else if self.is_plain_loopback {
            Some("sessions' cookies are made for this machine alone, and go over plain HTTP as well")
        } else {
            Some("browsers keep no session's cookie of a plain http:// address, so nobody can sign in")
        }
    }

    /// Such as `https://example.com`, without a slash at the end.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Such as `https://`.
    pub(crate) fn scheme(&self) -> &str {
        let end = self.origin.find("://").map_or(0, |at| at + "://".len());
        &self.origin[..end]
    }

    /// Whether browsers are to send cookies over encrypted connections only: always, except to this machine itself.
    pub(crate) fn has_secure_cookies(&self) -> bool {
        !self.is_plain_loopback
    }
}

/// Both places. They are known once the ports are bound.
#[derive(Default)]
pub(crate) struct Places {
    public: OnceLock<Place>,
    operator: OnceLock<Place>,
}

impl Places {
    pub(crate) fn of(settings: &Settings) -> Places {
        let places = Places::default();
        for (place, url) in
            [(&places.public, &settings.public_url), (&places.operator, &settings.operator_url)]
        {
            if let Some(url) = url {
                place.get_or_init(|| Place::configured(url));
            }
        }
        places
    }

    /// Takes the addresses that were bound where configuration says nothing.
    pub(crate) fn bound(&self, public: SocketAddr, operator: Option<SocketAddr>) {
        let take = |place: &OnceLock<Place>, setting: &str, address: SocketAddr| {
            place.get_or_init(|| {
                let place = Place::listening(address);
                if let Some(danger) = place.danger_at(address) {
                    tracing::warn!(%address, "other machines can reach the pages, and {setting} is not set: {danger}");
                }
                place
            });
        };
        take(&self.public, "public_url", public);
        if let Some(operator) = operator {
            take(&self.operator, "operator_url", operator);
        }
    }

    /// Where customers are, and everybody who reads.
    pub(crate) fn public(&self) -> &Place {
        self.public.get_or_init(|| Place::listening(SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))))
    }

    /// The address of a customer's page on pages that operators read as well: they may have a port of their own, where it is not.
    pub(crate) fn of_customers(&self, path: &str) -> String {
        match self.operator.get() {
            Some(_) => format!("{}{path}", self.public().origin()),
            None => path.to_owned(),
        }
    }

    /// Where operators are: with everybody else, unless they have a port of their own.
    pub(crate) fn operator(&self) -> &Place {
        match self.operator.get() {
            Some(place) => place,
            None => self.public(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_what_configuration_says_and_else_what_is_listened_on() {
        for (address, origin, is_secure) in [
            ("127.0.0.1:8080", "http://127.0.0.1:8080", false),
            ("0.0.0.0:80", "http://127.0.0.1:80", false),
            ("[::]:80", "http://[::1]:80", false),
            ("192.0.2.7:80", "http://192.0.2.7:80", true),
        ] {
            let place = Place::listening(address.parse().unwrap());
            assert_eq!((place.origin(), place.has_secure_cookies()), (origin, is_secure), "{address}");
        }
        let public_url = Some("https://credits.example.com/".parse().unwrap());
        let settings = Settings { public_url, ..Settings::default() };
        let own = Some("127.0.0.1:2".parse().unwrap());
        for (operator, expected) in [(None, "https://credits.example.com"), (own, "http://127.0.0.1:2")] {
            let places = Places::of(&settings);
            places.bound("127.0.0.1:1".parse().unwrap(), operator);
            assert_eq!(places.public().origin(), "https://credits.example.com");
            assert_eq!(places.operator().origin(), expected);
            let portal = if operator.is_some() { "https://credits.example.com/portal" } else { "/portal" };
            assert_eq!(places.of_customers("/portal"), portal);
        }
    }

    #[test]
    fn an_address_that_other_machines_reach_is_warned_of() {
        for (address, danger) in [
            ("127.0.0.1:8080", None),
            ("[::1]:8080", None),
            ("0.0.0.0:80", Some("over plain HTTP")),
            ("[::]:80", Some("over plain HTTP")),
            ("192.0.2.7:80", Some("nobody can sign in")),
        ] {
            let address = address.parse().unwrap();
            let told = Place::listening(address).danger_at(address);
            assert_eq!(told.is_some(), danger.is_some(), "{address}");
            assert!(told.unwrap_or_default().contains(danger.unwrap_or_default()), "{address}");
        }
    }
}
