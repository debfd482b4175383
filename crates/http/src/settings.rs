//! What the wire can be configured with. Every value is valid once it is parsed.

use std::fmt;
use std::num::{NonZeroU16, NonZeroU32};
use std::str::FromStr;

use axum::http::{HeaderName, HeaderValue};
use coffer_ledger::limits::REFUND_LOT_DAYS_DEFAULT;
use coffer_service::KeyPrefix;
use ipnet::IpNet;

/// Configuration of the wire.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The product in the balance endpoint's path.
    pub product: Product,
    /// The header that carries a customer's key.
    pub api_key_header: ApiKeyHeader,
    /// What customers' secrets begin with.
    pub key_prefix: KeyPrefix,
    /// Who may call the balance endpoint from a browser page.
    pub cors_origins: CorsOrigins,
    /// Whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpNet>,
    /// How fast callers may be.
    pub rate_limits: RateLimits,
    /// Where the pages are as customers reach them; the address that is listened on, if not said.
    pub public_url: Option<PublicUrl>,
    /// Where the console is as operators reach it, if it has a port of its own.
    pub operator_url: Option<PublicUrl>,
    /// Whither customers may be sent back from their page.
    pub return_origins: Vec<Origin>,
    /// How long the lots live that take what is refunded to expired ones, in days.
    pub refund_lot_days: NonZeroU16,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            product: Product("unwatermark".into()),
            api_key_header: ApiKeyHeader {
                name: HeaderName::from_static("zf-api-key"),
                spelled: "ZF-API-KEY".into(),
            },
            key_prefix: KeyPrefix::default(),
            cors_origins: CorsOrigins::Any,
            trusted_proxies: Vec::new(),
            rate_limits: RateLimits::default(),
            public_url: None,
            operator_url: None,
            return_origins: Vec::new(),
            refund_lot_days: NonZeroU16::new(REFUND_LOT_DAYS_DEFAULT).expect("30 is not zero"),
        }
    }
}

/// How fast callers may be; `None` is as fast as they like.
#[derive(Clone, Copy, Debug)]
pub struct RateLimits {
    /// Failed authentications a second from one address.
    pub failed_authentications_per_second: Option<NonZeroU32>,
    /// How many of them may come at once.
    pub failed_authentications_burst: NonZeroU32,
    /// Balance reads a second with one customer's key.
    pub balance_reads_per_second: Option<NonZeroU32>,
    /// Requests a second with one operator's key.
    pub operator_requests_per_second: Option<NonZeroU32>,
}

impl Default for RateLimits {
    fn default() -> RateLimits {
        RateLimits {
            failed_authentications_per_second: NonZeroU32::new(10),
            failed_authentications_burst: NonZeroU32::new(100).expect("100 is not zero"),
            balance_reads_per_second: None,
            operator_requests_per_second: None,
        }
    }
}

/// The product in the balance endpoint's path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Product(Box<str>);

/// Why a text is no product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 64 characters of a-z, A-Z, 0-9, - and _")]
pub struct ProductError;

impl FromStr for Product {
    type Err = ProductError;
    fn from_str(text: &str) -> Result<Product, ProductError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Product(text.into()))
        } else {
            Err(ProductError)
        }
    }
}

impl Product {
    /// The path of the balance endpoint.
    #[must_use]
    pub fn balance_path(&self) -> String {
        format!("/api/{}/api/v1/get-credits-balance", self.0)
    }
}

/// The header that carries customers' keys. Its case means nothing to HTTP, and is shown as it was configured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiKeyHeader {
    name: HeaderName,
    spelled: Box<str>,
}

/// Why a text is no name of a header for keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the name of an HTTP header that has no other meaning, such as ZF-API-KEY")]
pub struct ApiKeyHeaderError;

impl FromStr for ApiKeyHeader {
    type Err = ApiKeyHeaderError;
    fn from_str(text: &str) -> Result<ApiKeyHeader, ApiKeyHeaderError> {
        const TAKEN: [&str; 14] = [
            "accept",
            "authorization",
            "connection",
            "content-length",
            "content-type",
            "cookie",
            "date",
            "expect",
            "host",
            "idempotency-key",
            "origin",
            "transfer-encoding",
            "upgrade",
            "user-agent",
        ];
        let name = HeaderName::from_str(text).map_err(|_| ApiKeyHeaderError)?;
        if TAKEN.contains(&name.as_str()) {
            return Err(ApiKeyHeaderError);
        }
        Ok(ApiKeyHeader { name, spelled: text.into() })
    }
}

impl ApiKeyHeader {
    pub(crate) fn name(&self) -> &HeaderName {
        &self.name
    }
}

impl fmt::Display for ApiKeyHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.spelled)
    }
}

/// Who may call the balance endpoint from a browser page.
#[derive(Clone, Debug)]
pub enum CorsOrigins {
    /// Every page.
    Any,
    /// Pages of these origins.
    Only(Vec<Origin>),
}

/// The origin of a browser page, such as `https://example.com`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin(HeaderValue);

/// Why a text is no origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an origin such as https://example.com, without a path")]
pub struct OriginError;

impl FromStr for Origin {
    type Err = OriginError;
    fn from_str(text: &str) -> Result<Origin, OriginError> {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let valid = host.is_some_and(|host| {
            !host.is_empty()
                && !host.contains(['/', '?', '#', '@', ' ', '*'])
                && *host == host.to_ascii_lowercase()
        });
        let value = HeaderValue::from_str(text).map_err(|_| OriginError)?;
        if valid { Ok(Origin(value)) } else { Err(OriginError) }
    }
}

impl Origin {
    pub(crate) fn matches(&self, header: &HeaderValue) -> bool {
        self.0 == *header
    }

    /// Whether an address is on this origin.
    pub(crate) fn is_of(&self, url: &str) -> bool {
        let behind = self.0.to_str().ok().and_then(|origin| url.strip_prefix(origin));
        behind.is_some_and(|behind| behind.is_empty() || behind.starts_with(['/', '?', '#']))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or_default())
    }
}

/// Where a server is reached: the origin of its pages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublicUrl {
    origin: Box<str>,
    is_plain: bool,
}

/// Why a text is no such place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be an address such as https://credits.example.com, without a path; http:// only on localhost, for cookies \
     would go unencrypted"
)]
pub struct PublicUrlError;

impl FromStr for PublicUrl {
    type Err = PublicUrlError;
    fn from_str(text: &str) -> Result<PublicUrl, PublicUrlError> {
        let origin = text.strip_suffix('/').unwrap_or(text);
        Origin::from_str(origin).map_err(|_| PublicUrlError)?;
        let is_plain = origin.starts_with("http://");
        if is_plain && !is_on_loopback(origin) {
            return Err(PublicUrlError);
        }
        Ok(PublicUrl { origin: origin.into(), is_plain })
    }
}

/// Whether an origin without encryption is on this machine.
fn is_on_loopback(origin: &str) -> bool {
    let authority = origin.trim_start_matches("http://");
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl PublicUrl {
    pub(crate) fn as_str(&self) -> &str {
        &self.origin
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.is_plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_checked_when_they_are_read() {
        assert_eq!(
            Product::from_str("unwatermark").map(|product| product.balance_path()),
            Ok("/api/unwatermark/api/v1/get-credits-balance".to_owned())
        );
        for product in ["", "a/b", "a b", "ü", "{x}"] {
            assert_eq!(Product::from_str(product), Err(ProductError), "{product}");
        }
        assert_eq!(
            ApiKeyHeader::from_str("X-Api-Key").map(|header| header.to_string()),
            Ok("X-Api-Key".to_owned())
        );
        for header in ["", "a b", "Authorization", "content-type", "key:"] {
            assert_eq!(ApiKeyHeader::from_str(header), Err(ApiKeyHeaderError), "{header}");
        }
        for origin in ["https://example.com", "http://localhost:3000"] {
            assert!(Origin::from_str(origin).is_ok(), "{origin}");
        }
        for origin in ["*", "example.com", "https://", "https://a/b", "https://A", "ftp://a"] {
            assert_eq!(Origin::from_str(origin), Err(OriginError), "{origin}");
        }
        for url in [
            "https://a.example",
            "https://a.example/",
            "http://localhost:8080",
            "http://[::1]:80",
            "http://127.0.0.1",
        ] {
            assert!(PublicUrl::from_str(url).is_ok(), "{url}");
        }
        for url in [
            "http://a.example",
            "https://a.example/x",
            "a.example",
            "http://localhost.example",
            "http://10.0.0.1",
        ] {
            assert_eq!(PublicUrl::from_str(url), Err(PublicUrlError), "{url}");
        }
    }

    #[test]
    fn an_address_is_on_an_origin_or_not() {
        let origin = Origin::from_str("https://example.com").unwrap();
        for url in
            ["https://example.com", "https://example.com/a", "https://example.com?a", "https://example.com#a"]
        {
            assert!(origin.is_of(url), "{url}");
        }
        for url in [
            "https://example.com.evil.example",
            "https://example.com@evil.example",
            "https://example.com:8443/",
            "http://example.com/",
            "https://example.com\\@evil.example",
            "//example.com/",
            "javascript:alert(1)",
        ] {
            assert!(!origin.is_of(url), "{url}");
        }
    }
}
