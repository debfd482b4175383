//! `/v1/accounts/{id}/keys` and `/v1/keys`: the keys that customers call with.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use coffer_ledger::limits::OVERLAP_MS_MAX;
use coffer_ledger::{
    AccountId, Command, CreateKey, Credits, Hint, Key, KeyId, KeyLimit, KeyRecord, KeyStatus, Metadata, Name,
    Outcome, Period, Refusal, RevokeKey, RotateKey, Timestamp, UpdateKey,
};
use coffer_service::{KeyPrefix, Secret, SecretError, mint_id};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{self, Beside};
use super::path::Id;
use crate::auth::{Manage, Operator, Read};
use crate::body::{Params, Payload};
use crate::fields::{self, Amount, Object, Pairs, Parsed, Text};
use crate::openapi::form;
use crate::paging::{List, PageParams};
use crate::problem::Problem;
use crate::{App, Shared};

/// What makes a key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateKeyBody {
    /// What it is called: 1 to 255 characters.
    #[schema(value_type = form::Text)]
    name: Text<Name>,
    /// When it stops working: in the future. Never if not given.
    #[schema(value_type = Option<form::TimeAhead>)]
    expires_at: Option<Parsed<Timestamp>>,
    /// How much it may spend. As much as the account has, if not given.
    #[schema(value_type = Option<LimitBody>)]
    limit: Option<Object<LimitBody>>,
    /// Up to 50 pairs of strings.
    #[schema(value_type = Option<form::Metadata>)]
    metadata: Option<Pairs>,
}

impl CreateKeyBody {
    /// The command, with a secret that is made for it.
    pub(crate) fn command(
        self,
        account_id: AccountId,
        prefix: &KeyPrefix,
    ) -> Result<(Command, Secret), Problem> {
        let secret = Secret::generate(prefix);
        let command = CreateKey {
            id: KeyId::from_bytes(mint_id(account_id.bucket())),
            account_id,
            name: self.name.0,
            secret: secret.hash(),
            hint: secret.hint(prefix),
            expires_at: self.expires_at.map(|at| at.0),
            limit: self.limit.map(|limit| KeyLimit::try_from(limit.0)).transpose()?,
            metadata: self.metadata.unwrap_or_default().0,
        };
        Ok((Command::CreateKey(command), secret))
    }
}

/// What makes a key of a secret that a customer has already.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportKeyBody {
    /// What it is called: 1 to 255 characters.
    #[schema(value_type = form::Text)]
    name: Text<Name>,
    /// The secret: 16 to 255 visible characters.
    #[schema(
        min_length = 16,
        max_length = 255,
        pattern = "^[!-~]*$",
        example = "8f14e45f-ceea-467f-a0e6-1d9b2c7f3a55"
    )]
    secret: String,
    /// Whether a secret of fewer than 32 characters is taken.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    allow_weak: Option<bool>,
}

/// What changes a key. What is absent stays; `null` takes away `expires_at` or `limit`, and changes nothing else.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateKeyBody {
    #[schema(value_type = Option<form::Text>)]
    name: Option<Text<Name>>,
    #[serde(default, deserialize_with = "fields::present")]
    #[schema(value_type = Option<form::TimeAhead>)]
    expires_at: Option<Option<Parsed<Timestamp>>>,
    #[serde(default, deserialize_with = "fields::present")]
    #[schema(value_type = Option<LimitBody>)]
    limit: Option<Option<Object<LimitBody>>>,
    /// Whether the key is switched off.
    disabled: Option<bool>,
    /// Replaces the pairs that the key had.
    #[schema(value_type = Option<form::Metadata>)]
    metadata: Option<Pairs>,
}

impl UpdateKeyBody {
    pub(crate) fn command(self, id: KeyId) -> Result<Command, Problem> {
        let limit = match self.limit {
            Some(Some(limit)) => Some(Some(KeyLimit::try_from(limit.0)?)),
            Some(None) => Some(None),
            None => None,
        };
        Ok(Command::UpdateKey(UpdateKey {
            id,
            name: self.name.map(|name| name.0),
            expires_at: self.expires_at.map(|expiry| expiry.map(|at| at.0)),
            limit,
            disabled: self.disabled,
            metadata: self.metadata.map(|metadata| metadata.0),
        }))
    }
}

/// What gives a key another secret.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateKeyBody {
    /// How long the old secret lives on, in seconds: 0 to 604800, 0 if not given.
    #[schema(value_type = Option<u32>, minimum = 0, maximum = 604_800)]
    overlap_seconds: Option<OverlapSeconds>,
}

impl RotateKeyBody {
    /// The command, with a secret that is made for it.
    pub(crate) fn command(&self, id: KeyId, prefix: &KeyPrefix) -> (Command, Secret) {
        let secret = Secret::generate(prefix);
        let command = RotateKey {
            id,
            secret: secret.hash(),
            hint: secret.hint(prefix),
            overlap_ms: self.overlap_seconds.map_or(0, |OverlapSeconds(seconds)| seconds * 1000),
        };
        (Command::RotateKey(command), secret)
    }
}

/// How long a secret lives on, as a JSON number of seconds.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "i64")]
pub(crate) struct OverlapSeconds(u32);

impl TryFrom<i64> for OverlapSeconds {
    type Error = String;
    fn try_from(number: i64) -> Result<OverlapSeconds, String> {
        const SECONDS_MAX: u32 = OVERLAP_MS_MAX / 1000;
        let seconds = u32::try_from(number).ok().filter(|seconds| *seconds <= SECONDS_MAX);
        seconds
            .map(OverlapSeconds)
            .ok_or_else(|| format!("must be a whole number of seconds from 0 to {SECONDS_MAX}"))
    }
}

/// How much a key may spend in a period of UTC's calendar; a week begins on Monday.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KeyLimit)]
pub(crate) struct LimitBody {
    #[serde(serialize_with = "amount")]
    #[schema(value_type = form::Amount)]
    credits: Amount,
    period: PeriodBody,
}

fn amount<S: serde::Serializer>(amount: &Amount, serializer: S) -> Result<S::Ok, S::Error> {
    fields::text(&amount.0, serializer)
}

/// The stretch of time a limit counts in.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase", try_from = "String")]
#[schema(as = Period)]
pub(crate) enum PeriodBody {
    Day,
    Week,
    Month,
    Total,
}

impl TryFrom<String> for PeriodBody {
    type Error = &'static str;
    fn try_from(text: String) -> Result<PeriodBody, &'static str> {
        match text.as_str() {
            "day" => Ok(PeriodBody::Day),
            "week" => Ok(PeriodBody::Week),
            "month" => Ok(PeriodBody::Month),
            "total" => Ok(PeriodBody::Total),
            _ => Err("must be day, week, month or total"),
        }
    }
}

impl From<KeyLimit> for LimitBody {
    fn from(limit: KeyLimit) -> LimitBody {
        let period = match limit.period {
            Period::Day => PeriodBody::Day,
            Period::Week => PeriodBody::Week,
            Period::Month => PeriodBody::Month,
            Period::Total => PeriodBody::Total,
        };
        LimitBody { credits: Amount(limit.credits), period }
    }
}

impl TryFrom<LimitBody> for KeyLimit {
    type Error = Problem;
    fn try_from(limit: LimitBody) -> Result<KeyLimit, Problem> {
        if limit.credits.0.is_negative() {
            return Err(Problem::invalid("limit.credits", "must be zero or more"));
        }
        let period = match limit.period {
            PeriodBody::Day => Period::Day,
            PeriodBody::Week => Period::Week,
            PeriodBody::Month => Period::Month,
            PeriodBody::Total => Period::Total,
        };
        Ok(KeyLimit { credits: limit.credits.0, period })
    }
}

/// A key.
#[derive(Serialize, ToSchema)]
#[schema(as = Key)]
pub(crate) struct KeyBody {
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::KeyId)]
    id: KeyId,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::AccountId)]
    account_id: AccountId,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Text)]
    name: Name,
    /// The secret, in the answer that makes it and never again; not for an imported one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = form::Secret, required = false)]
    secret: Option<String>,
    /// Ends in the secret's last 4 characters.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Hint)]
    hint: Hint,
    status: KeyStatusBody,
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<form::Time>)]
    expires_at: Option<Timestamp>,
    limit: Option<LimitBody>,
    /// What it has spent in the running period of its limit; without a limit, in all.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Credits)]
    spent: Credits,
    #[serde(serialize_with = "fields::pairs")]
    #[schema(value_type = form::Metadata)]
    metadata: Metadata,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Time)]
    created_at: Timestamp,
    /// When it last read a balance or paid, to about a second, or a minute and a half where another node served it; `null` if never.
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<form::Time>)]
    last_used_at: Option<Timestamp>,
}

/// Whether a key opens anything.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = KeyStatus)]
pub(crate) enum KeyStatusBody {
    Active,
    Disabled,
    Expired,
    Revoked,
}

impl From<KeyStatus> for KeyStatusBody {
    fn from(status: KeyStatus) -> KeyStatusBody {
        match status {
            KeyStatus::Active => KeyStatusBody::Active,
            KeyStatus::Disabled => KeyStatusBody::Disabled,
            KeyStatus::Expired => KeyStatusBody::Expired,
            KeyStatus::Revoked => KeyStatusBody::Revoked,
        }
    }
}

impl KeyBody {
    pub(super) fn of(
        record: KeyRecord,
        now: Timestamp,
        last_used_at: Option<Timestamp>,
        secret: Option<&Secret>,
    ) -> KeyBody {
        let KeyRecord { profile, key } = record;
        KeyBody {
            id: key.id,
            account_id: key.account_id,
            name: profile.name,
            secret: secret.map(|secret| secret.expose().to_owned()),
            hint: profile.hint,
            status: key.status(now).into(),
            expires_at: key.expires_at,
            limit: key.limit.map(LimitBody::from),
            spent: key.spent(now),
            metadata: profile.metadata,
            created_at: profile.created_at,
            last_used_at,
        }
    }
}

/// Make a key.
#[utoipa::path(
    post, path = "/v1/accounts/{id}/keys", operation_id = "create_key", tag = "keys", security(("operator_key" = ["manage"])),
    params(("id" = form::AccountId, Path, description = "The account's id")),
    request_body = CreateKeyBody,
    responses((status = 201, body = KeyBody))
)]
pub(crate) async fn create(
    State(app): Shared,
    operator: Operator<Manage>,
    Id(account_id): Id<AccountId>,
    Payload(body): Payload<CreateKeyBody>,
) -> Result<Response, Problem> {
    let (command, secret) = body.command(account_id, &app.settings.key_prefix)?;
    let outcome = app.service.submit(operator.acts(command)).await?;
    Ok(new_key(&app, outcome, Some(&secret)))
}

/// Take over a key that a customer has already.
#[utoipa::path(
    post, path = "/v1/accounts/{id}/keys/import", operation_id = "import_key", tag = "keys", security(("operator_key" = ["manage"])),
    params(("id" = form::AccountId, Path, description = "The account's id")),
    request_body = ImportKeyBody,
    responses((status = 201, body = KeyBody))
)]
pub(crate) async fn import(
    State(app): Shared,
    operator: Operator<Manage>,
    Id(account_id): Id<AccountId>,
    Payload(body): Payload<ImportKeyBody>,
) -> Result<Response, Problem> {
    let secret = imported(&app, &body)?;
    if app.service.operator(&secret.hash()).await?.is_some() {
        // It would open the operator API for whoever was given it.
        return Err(Refusal::SecretIsTaken.into());
    }
    let command = CreateKey {
        id: KeyId::from_bytes(mint_id(account_id.bucket())),
        account_id,
        name: body.name.0,
        secret: secret.hash(),
        hint: secret.hint(&app.settings.key_prefix),
        expires_at: None,
        limit: None,
        metadata: Metadata::default(),
    };
    let outcome = app.service.submit(operator.acts(Command::CreateKey(command))).await?;
    // Whoever imports a secret has it already: it is not shown again.
    Ok(new_key(&app, outcome, None))
}

fn imported(app: &App, body: &ImportKeyBody) -> Result<Secret, Problem> {
    Secret::import(&body.secret, body.allow_weak.unwrap_or(false), &app.settings.key_prefix).map_err(
        |error| match error {
            SecretError::OwnPrefix(_) => Problem::conflict("own_prefix", format!("secret: {error}")),
            SecretError::Form { .. } | SecretError::Weak => Problem::invalid("secret", error),
        },
    )
}

/// List an account's keys, newest first.
#[utoipa::path(
    get, path = "/v1/accounts/{id}/keys", operation_id = "list_keys", tag = "keys", security(("operator_key" = ["read"])),
    params(
        ("id" = form::AccountId, Path, description = "The account's id"),
        ("limit" = Option<form::PageLimit>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<form::Cursor>, Query, description = "The `next_cursor` of the page before"),
    ),
    responses((status = 200, body = List<KeyBody>))
)]
pub(crate) async fn list(
    State(app): Shared,
    _operator: Operator<Read>,
    Id(account_id): Id<AccountId>,
    Params(params): Params<PageParams>,
) -> Result<Json<List<KeyBody>>, Problem> {
    let page = app.service.keys(account_id, params.span()?).await?;
    let page = page.ok_or_else(|| Problem::not_found("account"))?;
    let uses = app.service.last_uses(page.items.iter().map(|record| record.key.id).collect()).await?;
    let now = app.service.now();
    let body = |record: KeyRecord| {
        let last_used_at = uses.get(&record.key.id).copied();
        KeyBody::of(record, now, last_used_at, None)
    };
    Ok(Json(List::of(page, |record| record.key.id.bytes(), body)))
}

/// Look at a key.
#[utoipa::path(
    get, path = "/v1/keys/{id}", operation_id = "show_key", tag = "keys", security(("operator_key" = ["read"])),
    params(("id" = form::KeyId, Path, description = "The key's id")),
    responses((status = 200, body = KeyBody))
)]
pub(crate) async fn show(
    State(app): Shared,
    _operator: Operator<Read>,
    Id(id): Id<KeyId>,
) -> Result<Json<KeyBody>, Problem> {
    let record = app.service.key(id).await?.ok_or_else(|| Problem::not_found("key"))?;
    Ok(Json(KeyBody::of(record, app.service.now(), last_use(&app, id).await?, None)))
}

/// Change a key.
#[utoipa::path(
    patch, path = "/v1/keys/{id}", operation_id = "update_key", tag = "keys", security(("operator_key" = ["manage"])),
    params(("id" = form::KeyId, Path, description = "The key's id")),
    request_body = UpdateKeyBody,
    responses((status = 200, body = KeyBody))
)]
pub(crate) async fn update(
    State(app): Shared,
    operator: Operator<Manage>,
    Id(id): Id<KeyId>,
    Payload(body): Payload<UpdateKeyBody>,
) -> Result<Response, Problem> {
    let command = body.command(id)?;
    let outcome = app.service.submit(operator.acts(command)).await?;
    changed_key(&app, id, outcome).await
}

/// Give a key another secret. Its id, its limit and what it has spent stay.
#[utoipa::path(
    post, path = "/v1/keys/{id}/rotate", operation_id = "rotate_key", tag = "keys", security(("operator_key" = ["manage"])),
    params(("id" = form::KeyId, Path, description = "The key's id")),
    request_body = RotateKeyBody,
    responses((status = 201, body = KeyBody))
)]
pub(crate) async fn rotate(
    State(app): Shared,
    operator: Operator<Manage>,
    Id(id): Id<KeyId>,
    Payload(body): Payload<RotateKeyBody>,
) -> Result<Response, Problem> {
    let (command, secret) = body.command(id, &app.settings.key_prefix);
    let outcome = app.service.submit(operator.acts(command)).await?;
    let last_used_at = last_use(&app, id).await?;
    let beside = Beside { now: app.service.now(), secret: Some(&secret), last_used_at };
    Ok(answer::outcome(settled(&app, id, outcome).await?, beside).into_response())
}

/// Kill a key, for good.
#[utoipa::path(
    post, path = "/v1/keys/{id}/revoke", operation_id = "revoke_key", tag = "keys", security(("operator_key" = ["manage"])),
    params(("id" = form::KeyId, Path, description = "The key's id")),
    request_body = super::Nothing,
    responses((status = 200, body = KeyBody))
)]
pub(crate) async fn revoke(
    State(app): Shared,
    operator: Operator<Manage>,
    Id(id): Id<KeyId>,
    Payload(super::Nothing {}): Payload<super::Nothing>,
) -> Result<Response, Problem> {
    let outcome = app.service.submit(operator.acts(Command::RevokeKey(RevokeKey { id }))).await?;
    changed_key(&app, id, outcome).await
}

fn new_key(app: &App, outcome: Outcome, secret: Option<&Secret>) -> Response {
    let now = app.service.now();
    answer::outcome(outcome, Beside { now, secret, last_used_at: None }).into_response()
}

async fn changed_key(app: &App, id: KeyId, outcome: Outcome) -> Result<Response, Problem> {
    let last_used_at = last_use(app, id).await?;
    let beside = Beside { now: app.service.now(), secret: None, last_used_at };
    Ok(answer::outcome(settled(app, id, outcome).await?, beside).into_response())
}

/// The outcome with what the key's caps get back from holds that have lapsed: changing a key settles no account.
async fn settled(app: &App, id: KeyId, outcome: Outcome) -> Result<Outcome, Problem> {
    let spent = app.service.key(id).await?.map(|record| record.key.spent);
    let with_spent = |record: KeyRecord| {
        let spent = spent.unwrap_or(record.key.spent);
        KeyRecord { key: Key { spent, ..record.key }, ..record }
    };
    Ok(match outcome {
        Outcome::KeyUpdated(record) => Outcome::KeyUpdated(with_spent(record)),
        Outcome::KeyRotated(record) => Outcome::KeyRotated(with_spent(record)),
        Outcome::KeyRevoked(record) => Outcome::KeyRevoked(with_spent(record)),
        other => other,
    })
}

async fn last_use(app: &App, id: KeyId) -> Result<Option<Timestamp>, Problem> {
    Ok(app.service.last_uses(vec![id]).await?.remove(&id))
}
