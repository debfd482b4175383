//! "Try it": one call of the balance endpoint. A script makes it from the page, as any client would; without one the form
//! comes here, and the very same handler answers it.

use askama::Template;
use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method};
use axum::response::Response;
use coffer_ledger::TextError;

use super::frame::{Place, refused};
use super::start;
use super::visitor::Visitor;
use super::words::PortalWords;
use crate::address::ClientAddress;
use crate::pages::field::{Field, FieldKind};
use crate::pages::form::Filled;
use crate::problem::Problem;
use crate::{App, Shared, balance};

/// What the endpoint answers is never longer.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The form.
#[derive(Template)]
#[template(path = "portal/try.html")]
pub(super) struct TryForm {
    words: &'static PortalWords,
    /// Where the script sends the call.
    path: String,
    header: String,
    /// A field for the key; or the key itself, while it shows.
    field: Option<Field>,
    secret: String,
    /// What came back, where no script ran.
    answer: Option<Answered>,
}

/// An answer as it came.
pub(super) struct Answered {
    status: String,
    body: String,
}

impl TryForm {
    /// A form that asks for the key.
    pub(super) fn asking(app: &App, visitor: &Visitor, answer: Option<Answered>) -> TryForm {
        let key = Field::new(visitor.look.language, "key", visitor.words().your_key, FieldKind::Secret);
        TryForm { field: Some(key.required()), answer, ..TryForm::of_secret(app, visitor, "") }
    }

    /// A form for a key that has just been made.
    pub(super) fn of_secret(app: &App, visitor: &Visitor, secret: &str) -> TryForm {
        TryForm {
            words: visitor.words(),
            path: app.balance_path.clone(),
            header: app.settings.api_key_header.to_string(),
            field: None,
            secret: secret.to_owned(),
            answer: None,
        }
    }
}

/// Makes the call for whoever has no script.
pub(super) async fn send(
    State(app): Shared,
    Extension(address): Extension<ClientAddress>,
    visitor: Visitor,
    filled: Filled,
) -> Response {
    match call(&app, address, filled.get("key")).await {
        Ok(answer) => start::respond(&app, &visitor, Some(answer)),
        Err(problem) => refused(&visitor, Place::Start, &problem),
    }
}

async fn call(app: &App, address: ClientAddress, key: &str) -> Result<Answered, Problem> {
    let key = HeaderValue::from_str(key).map_err(|_| Problem::invalid("key", TextError::NotVisible))?;
    let request = Request::builder()
        .method(Method::POST)
        .uri(&app.balance_path)
        .header(app.settings.api_key_header.name(), key)
        .body(Body::empty())
        .expect("a path and a header that are configured make a request");
    let response = balance::answer(app, address, request).await;
    let status = response.status().to_string();
    let bytes = to_bytes(response.into_body(), ANSWER_BYTES_MAX).await.unwrap_or_default();
    Ok(Answered { status, body: String::from_utf8_lossy(&bytes).into_owned() })
}
