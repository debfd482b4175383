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
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or_default())
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
    }
}
