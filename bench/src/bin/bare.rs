//! The least that can be served over the same web framework: constants, nothing looked at, nothing kept.
//!
//! Takes the number of threads that serve, and tells on its standard output where it listens.

use std::num::NonZeroUsize;
use std::process::ExitCode;

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::post;

const BALANCE_PATH: &str = "/api/unwatermark/api/v1/get-credits-balance";
const BALANCE: &str = r#"{"code":100000,"message":{},"result":{"user_credits":"1234"}}"#;

const CHARGES_PATH: &str = "/v1/charges";
const CHARGE: &str = r#"{"id":"chg_01kav1x0f6e4w9sqm3v7y2n8b5","account_id":"acc_01kav1wzs2f1ea8w0b6h4k7r3c","key_id":null,"hold_id":null,"operation":null,"quantity":null,"credits":"1","refunded":"0","reference":null,"metadata":{},"created_at":"2026-11-22T13:00:00.000Z","balance":{"available":"999999998","held":"0"}}"#;

fn main() -> ExitCode {
    let workers = std::env::args().nth(1).and_then(|text| text.parse::<NonZeroUsize>().ok());
    let Some(workers) = workers else {
        eprintln!("usage: bare WORKERS");
        return ExitCode::from(2);
    };
    match serve(workers) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bare: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(workers: NonZeroUsize) -> std::io::Result<()> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(workers.get()).enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("bare is listening on http://{}", listener.local_addr()?);
        let routes = Router::new().route(BALANCE_PATH, post(balance)).route(CHARGES_PATH, post(charge));
        axum::serve(listener, routes).await
    })
}

async fn balance() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], BALANCE)
}

/// The body is received: whoever charges has to read it.
async fn charge(_body: Bytes) -> impl IntoResponse {
    (StatusCode::CREATED, [(CONTENT_TYPE, "application/json")], CHARGE)
}
