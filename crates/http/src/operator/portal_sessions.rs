//! `/v1/accounts/{id}/portal-sessions`: letting a customer see the account's own page.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, HeaderName};
use coffer_ledger::limits::{LINK_MS_DEFAULT, LINK_MS_MAX, LINK_MS_MIN};
use coffer_ledger::{AccountId, ReturnUrl, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::path::Id;
use crate::auth::{Manage, Operator};
use crate::body::Payload;
use crate::fields::{self, Text};
use crate::openapi::form;
use crate::problem::Problem;
use crate::settings::Settings;
use crate::{Shared, portal};

/// What makes a link to an account's page.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreatePortalSessionBody {
    /// How long the link is good for, in seconds: 60 to 86400, 900 if not given.
    #[schema(value_type = Option<u32>, minimum = 60, maximum = 86_400)]
    expires_in: Option<LinkSeconds>,
    /// Where the way back leads: an address whose origin is configured as one.
    #[schema(value_type = Option<form::ReturnUrl>)]
    return_url: Option<Text<ReturnUrl>>,
}

impl CreatePortalSessionBody {
    fn expires_in_ms(&self) -> u32 {
        self.expires_in.map_or(LINK_MS_DEFAULT, |LinkSeconds(seconds)| seconds * 1000)
    }

    /// Where the way back leads, if it is a place that customers may be sent to.
    fn return_url(self, settings: &Settings) -> Result<Option<ReturnUrl>, Problem> {
        let Some(Text(url)) = self.return_url else { return Ok(None) };
        if settings.return_origins.iter().any(|origin| origin.is_of(url.as_str())) {
            return Ok(Some(url));
        }
        Err(Problem::invalid("return_url", NOT_CONFIGURED))
    }
}

/// What is said of a way back to anywhere else.
pub(crate) const NOT_CONFIGURED: &str = "must be an address on one of the configured return_origins";

/// How long a link is good for, as a JSON number of seconds.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "i64")]
pub(crate) struct LinkSeconds(u32);

impl TryFrom<i64> for LinkSeconds {
    type Error = String;
    fn try_from(number: i64) -> Result<LinkSeconds, String> {
        const RANGE: std::ops::RangeInclusive<u32> = LINK_MS_MIN / 1000..=LINK_MS_MAX / 1000;
        let seconds = u32::try_from(number).ok().filter(|seconds| RANGE.contains(seconds));
        seconds.map(LinkSeconds).ok_or_else(|| {
            format!("must be a whole number of seconds from {} to {}", RANGE.start(), RANGE.end())
        })
    }
}

/// A link to an account's page. It works once.
#[derive(Serialize, ToSchema)]
#[schema(as = PortalSession)]
pub(crate) struct PortalSessionBody {
    /// Send the customer there. The secret is behind the `#`, which browsers keep to themselves.
    #[schema(value_type = form::PortalUrl)]
    url: String,
    /// Until when the link can be opened.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Time)]
    expires_at: Timestamp,
}

/// Make a link to an account's own page, which works once.
///
/// The page shows the balance, the keys, the usage and the statement of this account and nothing else. Opening the link does
/// not spend it: the page that it leads to does, so that programs that look at links in mails break nothing.
#[utoipa::path(
    post, path = "/v1/accounts/{id}/portal-sessions", operation_id = "create_portal_session", tag = "accounts", security(("operator_key" = ["manage"])),
    params(("id" = form::AccountId, Path, description = "The account's id")),
    request_body = CreatePortalSessionBody,
    responses((status = 201, body = PortalSessionBody))
)]
pub(crate) async fn create(
    State(app): Shared,
    operator: Operator<Manage>,
    Id(account_id): Id<AccountId>,
    Payload(body): Payload<CreatePortalSessionBody>,
) -> Result<(StatusCode, [(HeaderName, &'static str); 1], Json<PortalSessionBody>), Problem> {
    let expires_in_ms = body.expires_in_ms();
    let return_url = body.return_url(&app.settings)?;
    let by = operator.by();
    let (token, session) = app.service.offer_session(account_id, expires_in_ms, return_url, by).await??;
    let url = portal::link(&app, &token);
    let body = Json(PortalSessionBody { url, expires_at: session.expires_at });
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], body))
}
