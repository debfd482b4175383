//! `/v1/operator-keys`: the keys that open this API.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use coffer_ledger::{
    Command, CreateOperatorKey, Hint, Name, OperatorKey, OperatorKeyId, RevokeOperatorKey, Scope, Scopes,
    Timestamp,
};
use coffer_service::{KeyPrefix, Secret, mint_id_anywhere};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Nothing;
use super::answer::{self, Beside};
use super::path::Id;
use crate::Shared;
use crate::auth::{Admin, Operator};
use crate::body::{Params, Payload};
use crate::fields::{self, Parsed, Text};
use crate::openapi::form;
use crate::paging::{List, PageParams};
use crate::problem::Problem;

/// What makes an operator's key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateOperatorKeyBody {
    /// What it is called: 1 to 255 characters.
    #[schema(value_type = form::Text)]
    name: Text<Name>,
    /// What it may do. Everything, if not given.
    #[schema(value_type = Option<Vec<form::ScopeName>>, min_items = 1)]
    scopes: Option<Vec<Parsed<Scope>>>,
}

impl CreateOperatorKeyBody {
    /// The command, and the secret that it makes the key of.
    pub(crate) fn command(self) -> Result<(Command, Secret), Problem> {
        let scopes = match self.scopes {
            None => Scopes::ALL,
            Some(scopes) => Scopes::of(scopes.into_iter().map(|scope| scope.0))
                .ok_or_else(|| Problem::invalid("scopes", "must name at least one scope"))?,
        };
        let secret = Secret::generate(&KeyPrefix::operator());
        let command = CreateOperatorKey {
            id: OperatorKeyId::from_bytes(mint_id_anywhere()),
            name: self.name.0,
            secret: secret.hash(),
            hint: secret.hint(&KeyPrefix::operator()),
            scopes,
        };
        Ok((Command::CreateOperatorKey(command), secret))
    }
}

/// An operator's key.
#[derive(Serialize, ToSchema)]
#[schema(as = OperatorKey)]
pub(crate) struct OperatorKeyBody {
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::OperatorKeyId)]
    id: OperatorKeyId,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Text)]
    name: Name,
    /// The secret, in the answer that makes it and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = form::Secret, required = false)]
    secret: Option<String>,
    /// Ends in the secret's last 4 characters.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Hint)]
    hint: Hint,
    status: OperatorKeyStatusBody,
    /// What it may do.
    #[schema(value_type = Vec<form::ScopeName>)]
    scopes: Vec<&'static str>,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Time)]
    created_at: Timestamp,
}

/// Whether an operator's key opens anything.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = OperatorKeyStatus)]
pub(crate) enum OperatorKeyStatusBody {
    Active,
    Revoked,
}

impl OperatorKeyBody {
    pub(super) fn of(key: OperatorKey, secret: Option<&Secret>) -> OperatorKeyBody {
        OperatorKeyBody {
            id: key.id,
            name: key.name,
            secret: secret.map(|secret| secret.expose().to_owned()),
            hint: key.hint,
            status: match key.revoked_at {
                Some(_) => OperatorKeyStatusBody::Revoked,
                None => OperatorKeyStatusBody::Active,
            },
            scopes: key.scopes.iter().map(Scope::as_str).collect(),
            created_at: key.created_at,
        }
    }
}

/// Make an operator's key.
#[utoipa::path(
    post, path = "/v1/operator-keys", operation_id = "create_operator_key", tag = "operator keys", security(("operator_key" = ["admin"])),
    request_body = CreateOperatorKeyBody,
    responses((status = 201, body = OperatorKeyBody))
)]
pub(crate) async fn create(
    State(app): Shared,
    operator: Operator<Admin>,
    Payload(body): Payload<CreateOperatorKeyBody>,
) -> Result<Response, Problem> {
    let (command, secret) = body.command()?;
    let outcome = app.service.submit(operator.acts(command)).await?;
    let beside = Beside { now: app.service.now(), secret: Some(&secret), last_used_at: None };
    Ok(answer::outcome(outcome, beside).into_response())
}

/// List operators' keys, newest first.
#[utoipa::path(
    get, path = "/v1/operator-keys", operation_id = "list_operator_keys", tag = "operator keys", security(("operator_key" = ["admin"])),
    params(
        ("limit" = Option<form::PageLimit>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<form::Cursor>, Query, description = "The `next_cursor` of the page before"),
    ),
    responses((status = 200, body = List<OperatorKeyBody>))
)]
pub(crate) async fn list(
    State(app): Shared,
    _operator: Operator<Admin>,
    Params(params): Params<PageParams>,
) -> Result<Json<List<OperatorKeyBody>>, Problem> {
    let span = params.span()?;
    let page = app.service.reader().operator_keys(span).await?;
    Ok(Json(List::of(page, |key| key.id.bytes(), |key| OperatorKeyBody::of(key, None))))
}

/// Kill an operator's key, for good.
#[utoipa::path(
    post, path = "/v1/operator-keys/{id}/revoke", operation_id = "revoke_operator_key", tag = "operator keys", security(("operator_key" = ["admin"])),
    params(("id" = form::OperatorKeyId, Path, description = "The operator key's id")),
    request_body = Nothing,
    responses((status = 200, body = OperatorKeyBody))
)]
pub(crate) async fn revoke(
    State(app): Shared,
    operator: Operator<Admin>,
    Id(id): Id<OperatorKeyId>,
    Payload(Nothing {}): Payload<Nothing>,
) -> Result<Response, Problem> {
    let other_is_live = app.service.has_configured_operator();
    let command = RevokeOperatorKey { id, other_is_live };
    let outcome = app.service.submit(operator.acts(Command::RevokeOperatorKey(command))).await?;
    Ok(answer::outcome(outcome, Beside::at(app.service.now())).into_response())
}
