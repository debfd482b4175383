//! The least that can be served over the same web framework: one route, one constant, no key looked at.
//!
//! Takes the number of threads that serve, and tells on its standard output where it listens.

use std::num::NonZeroUsize;
use std::process::ExitCode;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::post;

const PATH: &str = "/api/unwatermark/api/v1/get-credits-balance";
const BODY: &str = r#"{"code":100000,"message":{},"result":{"user_credits":"1234"}}"#;

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
        axum::serve(listener, Router::new().route(PATH, post(constant))).await
    })
}

async fn constant() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], BODY)
}
