//! The envelope `{"code":…,"message":{…},"result":…}`: this key order, no spaces.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use coffer_ledger::{Credits, Refusal};

use crate::body::Unread;

const SUCCEEDED: u32 = 100_000;

/// What every dead key gets, whatever it died of.
pub(crate) const DEAD_KEY: &str =
    r#"{"code":800002,"message":{"en":"User api key not exist.","zh":"用户api key不存在"},"result":null}"#;

/// What the endpoint's documentation does not name: the code is the HTTP status.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Failure {
    MethodNotAllowed,
    BodyTooSlow,
    BodyCutOff,
    BodyTooLarge,
    HeadersTooLarge,
    RateLimited { retry_after_seconds: u64 },
    Internal,
    Unavailable,
}

impl Failure {
    pub(crate) fn of_body(unread: Unread) -> Failure {
        match unread {
            Unread::TooLarge => Failure::BodyTooLarge,
            Unread::TooSlow => Failure::BodyTooSlow,
            Unread::CutOff => Failure::BodyCutOff,
        }
    }

    /// In English and Chinese.
    const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Failure::MethodNotAllowed => ("Method not allowed, use POST.", "请求方法不支持，请使用POST"),
            Failure::BodyTooSlow => ("Request timed out.", "请求超时"),
            Failure::BodyCutOff => ("Request was cut off.", "请求不完整"),
            Failure::BodyTooLarge => ("Request body too large.", "请求体过大"),
            Failure::HeadersTooLarge => ("Request headers too large.", "请求头过大"),
            Failure::RateLimited { .. } => {
                ("Too many requests, try again later.", "请求过于频繁，请稍后再试")
            }
            Failure::Internal => ("Internal server error.", "服务器内部错误"),
            Failure::Unavailable => {
                ("Service temporarily unavailable, try again later.", "服务暂不可用，请稍后再试")
            }
        }
    }
}

/// What an account has available.
pub(super) fn succeeded(available: Credits) -> Response {
    let body = format!(r#"{{"code":{SUCCEEDED},"message":{{}},"result":{{"user_credits":"{available}"}}}}"#);
    respond(StatusCode::OK, body)
}

/// How this format tells each refusal of the ledger. A read of a balance can only be refused for its key; a
/// refusal that this endpoint cannot meet is a defect, and is told as one.
pub(super) fn refused(refusal: &Refusal) -> Response {
    match refusal {
        Refusal::ApiKeyIsDead | Refusal::KeyIsUnknown | Refusal::KeyIsRevoked => {
            respond(StatusCode::OK, DEAD_KEY)
        }
        Refusal::AccountIsUnknown
        | Refusal::AccountIsFrozen
        | Refusal::AccountIsClosed
        | Refusal::AccountHasOpenHolds
        | Refusal::AccountIsInDebt
        | Refusal::ExternalIdIsTaken(_)
        | Refusal::GrantIsUnknown
        | Refusal::GrantIsClosed
        | Refusal::ChargeIsUnknown
        | Refusal::RefundExceedsCharge { .. }
        | Refusal::HoldIsUnknown
        | Refusal::HoldIsClosed
        | Refusal::HoldHasNoOperation
        | Refusal::NothingWouldBeCaptured
        | Refusal::CaptureExceedsHold { .. }
        | Refusal::OperationIsUnknown(_)
        | Refusal::OperationIsReserved(_)
        | Refusal::TooManySecretsLiveOn
        | Refusal::SecretIsTaken
        | Refusal::OperatorKeyIsUnknown
        | Refusal::LastOperatorKeyMustLive
        | Refusal::SessionIsUnknown
        | Refusal::ExpiryIsNotInTheFuture { .. }
        | Refusal::ExpiryIsNotAfterStart
        | Refusal::IdempotencyKeyWasReused
        | Refusal::KeyLimitIsExceeded { .. }
        | Refusal::CreditsAreInsufficient { .. }
        | Refusal::BalanceIsOutOfRange
        | Refusal::TooManyGrantsAreOpen
        | Refusal::TooManyHoldsAreOpen => {
            tracing::error!(?refusal, "a balance read met a refusal that it cannot meet");
            failed(Failure::Internal)
        }
    }
}

/// What went wrong beside the balance.
pub(super) fn failed(failure: Failure) -> Response {
    let mut response = respond(failure.status(), envelope_of(failure));
    failure.headers(response.headers_mut());
    response
}

/// The bytes that tell a failure.
pub(crate) fn envelope_of(failure: Failure) -> String {
    let (en, zh) = failure.texts();
    let code = failure.status().as_u16();
    format!(r#"{{"code":{code},"message":{{"en":"{en}","zh":"{zh}"}},"result":null}}"#)
}

fn respond(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    async fn text(response: Response) -> String {
        let bytes = response.into_body().collect().await.expect("a whole body").to_bytes();
        String::from_utf8(bytes.to_vec()).expect("UTF-8")
    }

    #[tokio::test]
    async fn every_answer_is_the_documented_bytes() {
        let credits = |text: &str| text.parse::<Credits>().expect("an amount");
        for (response, status, body) in [
            (
                succeeded(credits("1234")),
                200,
                r#"{"code":100000,"message":{},"result":{"user_credits":"1234"}}"#,
            ),
            (
                succeeded(credits("-3.25")),
                200,
                r#"{"code":100000,"message":{},"result":{"user_credits":"-3.25"}}"#,
            ),
            (refused(&Refusal::ApiKeyIsDead), 200, DEAD_KEY),
            (
                failed(Failure::MethodNotAllowed),
                405,
                r#"{"code":405,"message":{"en":"Method not allowed, use POST.","zh":"请求方法不支持，请使用POST"},"result":null}"#,
            ),
            (
                failed(Failure::BodyTooLarge),
                413,
                r#"{"code":413,"message":{"en":"Request body too large.","zh":"请求体过大"},"result":null}"#,
            ),
            (
                failed(Failure::RateLimited { retry_after_seconds: 7 }),
                429,
                r#"{"code":429,"message":{"en":"Too many requests, try again later.","zh":"请求过于频繁，请稍后再试"},"result":null}"#,
            ),
            (
                failed(Failure::Internal),
                500,
                r#"{"code":500,"message":{"en":"Internal server error.","zh":"服务器内部错误"},"result":null}"#,
            ),
            (
                failed(Failure::Unavailable),
                503,
                r#"{"code":503,"message":{"en":"Service temporarily unavailable, try again later.","zh":"服务暂不可用，请稍后再试"},"result":null}"#,
            ),
        ] {
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json; charset=utf-8");
            assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
            assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
            assert_eq!(text(response).await, body);
        }
    }

    #[test]
    fn who_must_wait_is_told_how_long() {
        let limited = failed(Failure::RateLimited { retry_after_seconds: 7 });
        assert_eq!(limited.headers()[header::RETRY_AFTER], "7");
        assert_eq!(failed(Failure::Unavailable).headers()[header::RETRY_AFTER], "1");
        assert_eq!(failed(Failure::MethodNotAllowed).headers()[header::ALLOW], "POST, OPTIONS");
    }
}
