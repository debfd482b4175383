//! `/v1/accounts/{id}/grants` and `/v1/grants`: credits that accounts are given.

use std::str::FromStr;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use coffer_ledger::{
    AccountId, Category, Command, Credits, Grant, GrantCredits, GrantId, GrantStatus, IdempotencyKey,
    Metadata, Note, Priority, Reference, Timestamp, VoidGrant,
};
use coffer_service::{mint_id, mint_salt};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::path::Id;
use super::{Nothing, answer};
use crate::Shared;
use crate::auth::{self, Operator, Read};
use crate::body::{Params, Payload};
use crate::fields::{self, Amount, Pairs, Parsed, Text};
use crate::idempotency::Named;
use crate::openapi::form;
use crate::paging::{List, PageParams};
use crate::problem::Problem;

/// What gives credits to an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateGrantBody {
    /// How much: more than zero.
    #[schema(value_type = form::AmountAboveZero)]
    credits: Amount,
    /// `paid` if not given.
    #[schema(value_type = Option<CategoryBody>)]
    category: Option<Parsed<CategoryBody>>,
    /// 0 burns first, 100 last; 50 if not given.
    #[schema(value_type = Option<u8>, minimum = 0, maximum = 100)]
    priority: Option<PriorityNumber>,
    /// When it takes effect; now if not given.
    #[schema(value_type = Option<form::TimeGiven>)]
    effective_at: Option<Parsed<Timestamp>>,
    /// When it expires: in the future, after `effective_at`. Never if not given.
    #[schema(value_type = Option<form::TimeAhead>)]
    expires_at: Option<Parsed<Timestamp>>,
    /// Your own word for it: 1 to 255 characters.
    #[schema(value_type = Option<form::Text>)]
    reference: Option<Text<Reference>>,
    /// Up to 50 pairs of strings.
    #[schema(value_type = Option<form::Metadata>)]
    metadata: Option<Pairs>,
}

impl CreateGrantBody {
    pub(crate) fn command(
        self,
        account_id: AccountId,
        idempotency: IdempotencyKey,
    ) -> Result<Command, Problem> {
        if !self.credits.0.is_positive() {
            return Err(Problem::invalid("credits", "must be more than zero"));
        }
        let reference = self.reference.map(|reference| reference.0);
        Ok(Command::Grant(GrantCredits {
            id: GrantId::from_bytes(mint_id(account_id.bucket())),
            account_id,
            credits: self.credits.0,
            category: self.category.map_or(Category::Paid, |category| category.0.into()),
            priority: self.priority.map_or(Priority::DEFAULT, |priority| priority.0),
            effective_at: self.effective_at.map(|at| at.0),
            expires_at: self.expires_at.map(|at| at.0),
            note: Note::new(reference, self.metadata.unwrap_or_default().0, mint_salt()),
            idempotency,
        }))
    }
}

/// Whether credits were paid for or given.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Category)]
pub(crate) enum CategoryBody {
    Paid,
    Promotional,
}

impl FromStr for CategoryBody {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<CategoryBody, &'static str> {
        match text {
            "paid" => Ok(CategoryBody::Paid),
            "promotional" => Ok(CategoryBody::Promotional),
            _ => Err("must be paid or promotional"),
        }
    }
}

impl From<Category> for CategoryBody {
    fn from(category: Category) -> CategoryBody {
        match category {
            Category::Paid => CategoryBody::Paid,
            Category::Promotional => CategoryBody::Promotional,
        }
    }
}

impl From<CategoryBody> for Category {
    fn from(category: CategoryBody) -> Category {
        match category {
            CategoryBody::Paid => Category::Paid,
            CategoryBody::Promotional => Category::Promotional,
        }
    }
}

/// A priority as a JSON number.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "i64")]
pub(crate) struct PriorityNumber(Priority);

impl TryFrom<i64> for PriorityNumber {
    type Error = &'static str;
    fn try_from(number: i64) -> Result<PriorityNumber, &'static str> {
        let priority = u8::try_from(number).ok().and_then(Priority::new);
        priority.map(PriorityNumber).ok_or("must be a whole number from 0 to 100")
    }
}

/// A grant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Grant)]
pub(crate) struct GrantBody {
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::GrantId)]
    id: GrantId,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::AccountId)]
    account_id: AccountId,
    /// How large it was made.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Credits)]
    credits: Credits,
    /// What is left of it and not held.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Credits)]
    remaining: Credits,
    /// What open holds have reserved from it.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Credits)]
    held: Credits,
    category: CategoryBody,
    #[schema(maximum = 100)]
    priority: u8,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Time)]
    effective_at: Timestamp,
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<form::Time>)]
    expires_at: Option<Timestamp>,
    status: GrantStatusBody,
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<form::Text>)]
    reference: Option<Reference>,
    #[serde(serialize_with = "fields::pairs")]
    #[schema(value_type = form::Metadata)]
    metadata: Metadata,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Time)]
    created_at: Timestamp,
}

/// Where a grant stands.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = GrantStatus)]
pub(crate) enum GrantStatusBody {
    Pending,
    Active,
    Depleted,
    Expired,
    Voided,
}

impl From<GrantStatus> for GrantStatusBody {
    fn from(status: GrantStatus) -> GrantStatusBody {
        match status {
            GrantStatus::Pending => GrantStatusBody::Pending,
            GrantStatus::Active => GrantStatusBody::Active,
            GrantStatus::Depleted => GrantStatusBody::Depleted,
            GrantStatus::Expired => GrantStatusBody::Expired,
            GrantStatus::Voided => GrantStatusBody::Voided,
        }
    }
}

impl GrantBody {
    pub(super) fn of(grant: Grant, settled_until: Timestamp) -> GrantBody {
        let status = grant.status(settled_until).into();
        let Grant { account_id, lot, reference, metadata, created_at } = grant;
        GrantBody {
            id: lot.grant_id,
            account_id,
            credits: lot.granted,
            remaining: lot.remaining,
            held: lot.held,
            category: lot.category.into(),
            priority: lot.priority.get(),
            effective_at: lot.effective_at,
            expires_at: lot.expires_at,
            status,
            reference,
            metadata,
            created_at,
        }
    }
}

/// Give credits to an account.
#[utoipa::path(
    post, path = "/v1/accounts/{id}/grants", operation_id = "create_grant", tag = "grants", security(("operator_key" = ["grant"])),
    params(
        ("id" = form::AccountId, Path, description = "The account's id"),
        ("Idempotency-Key" = form::IdempotencyKey, Header, description = "Your name for this request: 1 to 255 visible characters"),
    ),
    request_body = CreateGrantBody,
    responses((status = 201, body = GrantBody))
)]
pub(crate) async fn create(
    State(app): Shared,
    operator: Operator<auth::Grant>,
    Id(account_id): Id<AccountId>,
    name: Result<Named, Problem>,
    Payload(body): Payload<CreateGrantBody>,
) -> Result<Response, Problem> {
    let Named(idempotency) = name?;
    let reply = app.service.submit_named(operator.acts(body.command(account_id, idempotency)?)).await?;
    Ok(answer::reply(reply, app.service.now()))
}

/// Take back what is left of a grant and not held.
///
/// What is held of it stays held; what returns of that is taken back as well.
#[utoipa::path(
    post, path = "/v1/grants/{id}/void", operation_id = "void_grant", tag = "grants", security(("operator_key" = ["grant"])),
    params(
        ("id" = form::GrantId, Path, description = "The grant's id"),
        ("Idempotency-Key" = form::IdempotencyKey, Header, description = "Your name for this request: 1 to 255 visible characters"),
    ),
    request_body = Nothing,
    responses((status = 200, body = GrantBody))
)]
pub(crate) async fn void(
    State(app): Shared,
    operator: Operator<auth::Grant>,
    Id(id): Id<GrantId>,
    name: Result<Named, Problem>,
    Payload(Nothing {}): Payload<Nothing>,
) -> Result<Response, Problem> {
    let Named(idempotency) = name?;
    let account_id = app.service.reader().account_of_grant(id).await?;
    let account_id = account_id.ok_or_else(|| Problem::not_found("grant"))?;
    let command = VoidGrant { id, account_id, idempotency };
    let reply = app.service.submit_named(operator.acts(Command::VoidGrant(command))).await?;
    Ok(answer::reply(reply, app.service.now()))
}

/// List an account's grants, newest first.
#[utoipa::path(
    get, path = "/v1/accounts/{id}/grants", operation_id = "list_grants", tag = "grants", security(("operator_key" = ["read"])),
    params(
        ("id" = form::AccountId, Path, description = "The account's id"),
        ("limit" = Option<form::PageLimit>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<form::Cursor>, Query, description = "The `next_cursor` of the page before"),
    ),
    responses((status = 200, body = List<GrantBody>))
)]
pub(crate) async fn list(
    State(app): Shared,
    _operator: Operator<Read>,
    Id(account_id): Id<AccountId>,
    Params(params): Params<PageParams>,
) -> Result<Json<List<GrantBody>>, Problem> {
    let found = app.service.grants(account_id, params.span()?).await?;
    let (page, at) = found.ok_or_else(|| Problem::not_found("account"))?;
    Ok(Json(List::of(page, |grant| grant.lot.grant_id.bytes(), |grant| GrantBody::of(grant, at))))
}

/// Look at a grant.
#[utoipa::path(
    get, path = "/v1/grants/{id}", operation_id = "show_grant", tag = "grants", security(("operator_key" = ["read"])),
    params(("id" = form::GrantId, Path, description = "The grant's id")),
    responses((status = 200, body = GrantBody))
)]
pub(crate) async fn show(
    State(app): Shared,
    _operator: Operator<Read>,
    Id(id): Id<GrantId>,
) -> Result<Json<GrantBody>, Problem> {
    let (grant, at) = app.service.grant(id).await?.ok_or_else(|| Problem::not_found("grant"))?;
    Ok(Json(GrantBody::of(grant, at)))
}
