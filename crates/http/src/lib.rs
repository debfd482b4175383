//! Coffer on the wire.
//!
//! Two formats over one service: `balance` speaks the envelope of the balance endpoint with all its quirks,
//! `operator` speaks JSON and RFC 9457 problems, and `customer` the same to the holder of a key. Each translates what the ledger answers with one exhaustive
//! match. `router.rs` is the whole API on one page; the way of a request is `server` → `request` → `router` →
//! `auth` → a handler → the service, and no handler reaches past the service.
//!
//! This crate deliberately decides nothing about credits, and opens no file and no database.

mod router;

mod request;
mod server;

mod address;
mod auth;
mod place;
mod rate_limit;

mod balance;
mod customer;
mod operator;

mod console;

mod entries;

mod pages;
mod portal;
mod session;

mod health;
mod metrics;

mod docs;
mod openapi;

mod body;
mod fields;
mod idempotency;
mod paging;
mod problem;
mod seldom;

mod settings;

pub use openapi::document as openapi_document;
pub use request::Endpoint;
pub use router::{Routers, Surface, routers};
pub use server::{Server, ServerError};
pub use settings::{
    ApiKeyHeader, ApiKeyHeaderError, CorsOrigins, Origin, OriginError, Product, ProductError, PublicUrl,
    PublicUrlError, RateLimits, Settings,
};

use std::sync::Arc;

use coffer_service::Service;

/// Limits of the wire, each part of the public contract. Each is in a unit that its name ends with.
pub mod limits {
    /// The body of a JSON request.
    pub const BODY_BYTES_MAX: usize = 256 * 1024;
    /// The body of a batch.
    pub const BATCH_BYTES_MAX: usize = 16 * 1024 * 1024;
    /// Operations in a batch.
    pub const BATCH_OPERATIONS_MAX: usize = 10_000;
    /// Entries that are read at once for a stream.
    pub const STREAM_PAGE_MAX: usize = 1_000;
    /// The body of a form on a page.
    pub const FORM_BYTES_MAX: usize = 64 * 1024;
    /// The body of a balance request, which is ignored.
    pub const BALANCE_BODY_BYTES_MAX: usize = 64 * 1024;
    /// How much of a body that is too large is read, so that the client hears the refusal.
    pub const DRAIN_BYTES_MAX: usize = 1024 * 1024;
    /// How long a body may take.
    pub const BODY_MS_MAX: u64 = 30_000;
    /// The request line and the headers together.
    pub const HEADERS_BYTES_MAX: usize = 32 * 1024;
    /// Past this the connection is given up without a body in the answer.
    pub const HEADERS_BYTES_READ_MAX: usize = 64 * 1024;
    /// How long headers may take, and how long an idle connection is kept.
    pub const HEADERS_MS_MAX: u64 = 10_000;
    /// Connections open at once; further ones wait in the system's queue.
    pub const CONNECTIONS_MAX: usize = 10_000;
    /// How long requests under way may take once the server shuts down.
    pub const SHUTDOWN_MS_MAX: u64 = 30_000;
    /// Items on a page of a list, where the caller does not say.
    pub const PAGE_DEFAULT: usize = 20;
    /// Items on a page of a list at most.
    pub const PAGE_MAX: usize = 100;
    /// Seconds after which a refused caller may well try again.
    pub const RETRY_AFTER_SECONDS: u64 = 1;
    /// Addresses, or keys, whose rates are remembered; with more, all are forgotten.
    pub const RATES_REMEMBERED_MAX: usize = 1_000_000;

    const _: () = assert!(BALANCE_BODY_BYTES_MAX < DRAIN_BYTES_MAX && BODY_BYTES_MAX < DRAIN_BYTES_MAX);
    const _: () = assert!(HEADERS_BYTES_MAX < HEADERS_BYTES_READ_MAX);
    const _: () = assert!(PAGE_DEFAULT <= PAGE_MAX);
}

/// What every handler is given.
pub(crate) struct App {
    pub(crate) service: Arc<Service>,
    pub(crate) settings: Settings,
    pub(crate) balance_path: String,
    pub(crate) rates: rate_limit::Rates,
    pub(crate) metrics: metrics::Metrics,
    pub(crate) documents: docs::Documents,
    /// Refusals of whatever cannot be done just now: while a database is away, all of them are.
    pub(crate) unavailable: seldom::Seldom,
    pub(crate) forms: pages::once::Once,
    pub(crate) places: place::Places,
}

impl App {
    /// Where this server is, as `https://example.com`.
    pub(crate) fn base_url(&self) -> String {
        self.places.public().origin().to_owned()
    }
}

pub(crate) type Shared = axum::extract::State<Arc<App>>;
