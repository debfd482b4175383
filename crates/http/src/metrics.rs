//! Numbers for Prometheus: what there is to count, and where it is counted.

use std::time::Duration;

use axum::http::StatusCode;
use coffer_service::Service;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// The part of the API that a request is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, EncodeLabelValue)]
pub(crate) enum Part {
    Balance,
    Operator,
    Other,
}

impl Part {
    /// Every part, each at the place of its number.
    const ALL: [Part; 3] = [Part::Balance, Part::Operator, Part::Other];
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Answer {
    part: Part,
    status: u16,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct OfPart {
    part: Part,
}

pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Answer, Counter>,
    /// By far the most frequent answer, kept at hand.
    balances: Counter,
    seconds: [Histogram; 3],
    pub(crate) connections: Gauge,
    commands_waiting: Gauge,
}

impl Metrics {
    pub(crate) fn new() -> Metrics {
        let mut registry = Registry::with_prefix("coffer");
        let requests: Family<Answer, Counter> = Family::default();
        registry.register("http_requests", "Requests answered", requests.clone());
        // From 50 µs to 1.6 s, each bucket twice the one before.
        let histogram = || Histogram::new(exponential_buckets(0.000_05, 2.0, 16));
        let seconds = Family::new_with_constructor(histogram as fn() -> Histogram);
        let help = "Time from the headers of a request to its answer";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, seconds.clone());
        let connections = Gauge::default();
        registry.register("http_connections_open", "Connections open", connections.clone());
        let commands_waiting = Gauge::default();
        let help = "Commands that wait for a commit";
        registry.register("commands_waiting", help, commands_waiting.clone());
        let balances =
            requests.get_or_create(&Answer { part: Part::Balance, status: StatusCode::OK.as_u16() }).clone();
        let seconds = Part::ALL.map(|part| seconds.get_or_create(&OfPart { part }).clone());
        Metrics { registry, requests, balances, seconds, connections, commands_waiting }
    }

    pub(crate) fn answered(&self, part: Part, status: StatusCode, took: Duration) {
        if part == Part::Balance && status == StatusCode::OK {
            self.balances.inc();
        } else {
            self.requests.get_or_create(&Answer { part, status: status.as_u16() }).inc();
        }
        self.seconds[part as usize].observe(took.as_secs_f64());
    }

    pub(crate) fn render(&self, service: &Service) -> String {
        self.commands_waiting.set(i64::try_from(service.commands_waiting()).unwrap_or(i64::MAX));
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a String takes everything");
        text
    }
}
