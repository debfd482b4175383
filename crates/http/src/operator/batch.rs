//! `/v1/batch`: many requests that move credits, each on its own, in order, all durable before the answer.
//!
//! An operation is read as the single call's body is, and becomes the same command: under the same idempotency key it
//! is the same request.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use coffer_ledger::{AccountId, ChargeId, Command, HoldId, IdempotencyKey, Reply, Scope};
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::Nothing;
use super::answer::{self, Answer, Beside};
use super::charges::CreateChargeBody;
use super::grants::CreateGrantBody;
use super::holds::{self, CaptureHoldBody, CreateHoldBody};
use super::refunds::CreateRefundBody;
use crate::auth::{AnyOperator, KeyHeader};
use crate::body::{Payload, RawFields, parse_field, parse_fields};
use crate::idempotency::unquoted;
use crate::limits::{BATCH_BYTES_MAX, BATCH_OPERATIONS_MAX};
use crate::openapi::form;
use crate::problem::{Code, Problem};
use crate::{App, Shared};

/// Operations, 1 to 10,000.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchBody {
    /// Each has `idempotency_key`, `type` (`grant`, `charge`, `hold`, `capture`, `release` or `refund`), the fields of
    /// that call, and what that call has in its path as `account_id`, `hold_id` or `charge_id`.
    #[schema(value_type = Vec<form::BatchOperation>, min_items = 1, max_items = 10_000)]
    operations: Vec<Fields>,
}

/// The fields of an operation, none of them twice, each as it was written: what is wrong with one is found when its
/// operation is read, as a single call finds it.
#[derive(Debug)]
pub(crate) struct Fields(RawFields);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fields, D::Error> {
        struct Unique;

        impl<'de> Visitor<'de> for Unique {
            type Value = Fields;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields, M::Error> {
                let mut fields = RawFields::new();
                while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    if fields.contains_key(&name) {
                        return Err(M::Error::custom(format_args!("duplicate field `{name}`")));
                    }
                    fields.insert(name, value);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Unique)
    }
}

/// What came of a batch.
#[derive(Serialize, ToSchema)]
#[schema(as = BatchResults)]
pub(crate) struct BatchResultsBody {
    /// One for each operation, in order.
    results: Vec<BatchResultBody>,
}

/// What came of one operation.
#[derive(Serialize, ToSchema)]
#[schema(as = BatchResult)]
pub(crate) struct BatchResultBody {
    /// The HTTP status that the single call would have had.
    #[schema(minimum = 200, maximum = 599)]
    status: u16,
    /// The JSON that the single call would have answered.
    #[schema(value_type = form::BatchAnswer)]
    body: Box<RawValue>,
    /// Whether it is the answer to an earlier request under the same idempotency key.
    replayed: bool,
}

/// Do many things, each on its own.
///
/// A broken envelope refuses the whole; a broken operation refuses itself alone. Everything that was done is durable
/// before the answer; after a lost answer send the batch again, and nothing moves twice.
#[utoipa::path(
    post, path = "/v1/batch", operation_id = "batch", tag = "batch", security(("operator_key" = [])),
    request_body = BatchBody,
    responses((status = 200, body = BatchResultsBody))
)]
pub(crate) async fn run(
    State(app): Shared,
    operator: AnyOperator,
    Payload(body): Payload<BatchBody, BATCH_BYTES_MAX>,
) -> Result<Json<BatchResultsBody>, Problem> {
    if !(1..=BATCH_OPERATIONS_MAX).contains(&body.operations.len()) {
        let rule = format!("must have 1 to {BATCH_OPERATIONS_MAX} operations");
        return Err(Problem::invalid("operations", rule));
    }
    let commands = commands(&app, &operator, body.operations).await?;
    let accepted: Vec<Command> =
        commands.iter().filter_map(|command| command.as_ref().ok().cloned()).collect();
    let replies = if accepted.is_empty() { Vec::new() } else { app.service.submit_all(accepted).await? };
    let mut replies = replies.into_iter();
    let now = app.service.now();
    let results = commands.into_iter().map(|command| match command {
        Err(problem) => result(Answer::Refused(problem), false),
        Ok(_) => {
            let Reply { outcome, replayed } = replies.next().expect("every command has a reply");
            result(answer::outcome(outcome, Beside::at(now)), replayed)
        }
    });
    Ok(Json(BatchResultsBody { results: results.collect() }))
}

fn result(answer: Answer, replayed: bool) -> BatchResultBody {
    let (status, json) = match answer {
        Answer::Told(status, json) => (status.as_u16(), json),
        Answer::Empty => (204, b"null".to_vec()),
        Answer::Refused(problem) => {
            let json = serde_json::to_vec(&problem).expect("a problem can be written as JSON");
            (problem.status().as_u16(), json)
        }
    };
    let json = String::from_utf8(json).expect("JSON is UTF-8");
    let body = RawValue::from_string(json).expect("what was written as JSON is JSON");
    BatchResultBody { status, body, replayed }
}

/// Whose the holds and charges are that a batch names.
#[derive(Default)]
struct Owners {
    holds: BTreeMap<HoldId, AccountId>,
    charges: BTreeMap<ChargeId, AccountId>,
}

/// The commands, or why there is none.
async fn commands(
    app: &App,
    operator: &AnyOperator,
    operations: Vec<Fields>,
) -> Result<Vec<Result<Command, Box<Problem>>>, Problem> {
    let owners = owners(app, &operations).await?;
    let mut commands = Vec::with_capacity(operations.len());
    for Fields(fields) in operations {
        commands.push(match command(app, operator, &owners, fields).await {
            // What is unavailable is so for the whole batch: nothing has been done, and all of it can be sent again.
            Err(problem) if problem.code() == Code::Unavailable => return Err(problem),
            command => command.map_err(Box::new),
        });
    }
    Ok(commands)
}

async fn owners(app: &App, operations: &[Fields]) -> Result<Owners, Problem> {
    fn named<Id: std::str::FromStr>(operations: &[Fields], field: &str) -> Vec<Id> {
        let values = operations.iter().filter_map(|Fields(fields)| fields.get(field));
        let texts = values.filter_map(|value| serde_json::from_str::<String>(value.get()).ok());
        texts.filter_map(|text| text.parse().ok()).collect()
    }

    let mut owners = Owners::default();
    let holds: Vec<HoldId> = named(operations, "hold_id");
    if !holds.is_empty() {
        owners.holds = app.service.reader().accounts_of_holds(holds).await?;
    }
    let charges: Vec<ChargeId> = named(operations, "charge_id");
    if !charges.is_empty() {
        owners.charges = app.service.reader().accounts_of_charges(charges).await?;
    }
    Ok(owners)
}

async fn command(
    app: &App,
    operator: &AnyOperator,
    owners: &Owners,
    mut fields: RawFields,
) -> Result<Command, Problem> {
    let kind = text(&mut fields, "type")?;
    let idempotency = idempotency(&mut fields)?;
    match kind.as_str() {
        "grant" => {
            operator.may(Scope::Grant)?;
            let account_id = id::<AccountId>(&mut fields, "account_id")?;
            let grant = parse_fields::<CreateGrantBody>(&fields)?.command(account_id, idempotency)?;
            Ok(operator.acts(grant))
        }
        "charge" => {
            operator.may(Scope::Charge)?;
            parse_fields::<CreateChargeBody>(&fields)?.command(app, KeyHeader::Absent, idempotency).await
        }
        "hold" => {
            operator.may(Scope::Charge)?;
            parse_fields::<CreateHoldBody>(&fields)?.command(app, KeyHeader::Absent, idempotency).await
        }
        "capture" => {
            operator.may(Scope::Charge)?;
            let (hold_id, account_id) = owned(&mut fields, "hold_id", &owners.holds, "hold")?;
            parse_fields::<CaptureHoldBody>(&fields)?.command(hold_id, account_id, idempotency)
        }
        "release" => {
            operator.may(Scope::Charge)?;
            let (hold_id, account_id) = owned(&mut fields, "hold_id", &owners.holds, "hold")?;
            let Nothing {} = parse_fields(&fields)?;
            Ok(holds::release_command(hold_id, account_id, idempotency))
        }
        "refund" => {
            operator.may(Scope::Grant)?;
            let (charge_id, account_id) = owned(&mut fields, "charge_id", &owners.charges, "charge")?;
            parse_fields::<CreateRefundBody>(&fields)?.command(app, charge_id, account_id, idempotency)
        }
        _ => Err(Problem::invalid("type", "must be grant, charge, hold, capture, release or refund")),
    }
}

fn text(fields: &mut RawFields, name: &str) -> Result<String, Problem> {
    let value =
        fields.remove(name).ok_or_else(|| Problem::invalid(name, format!("missing field `{name}`")))?;
    parse_field(name, &value)
}

fn id<Id: std::str::FromStr<Err: std::fmt::Display>>(
    fields: &mut RawFields,
    name: &str,
) -> Result<Id, Problem> {
    text(fields, name)?.parse().map_err(|rule| Problem::invalid(name, rule))
}

fn idempotency(fields: &mut RawFields) -> Result<IdempotencyKey, Problem> {
    const NAME: &str = "idempotency_key";
    // As in the header: bare or quoted.
    let key = IdempotencyKey::try_from(unquoted(&text(fields, NAME)?));
    key.map_err(|_| Problem::invalid(NAME, "must be 1 to 255 visible ASCII characters"))
}

fn owned<Id: Copy + Ord + std::str::FromStr<Err: std::fmt::Display>>(
    fields: &mut RawFields,
    name: &str,
    owners: &BTreeMap<Id, AccountId>,
    what: &str,
) -> Result<(Id, AccountId), Problem> {
    let id: Id = id(fields, name)?;
    owners.get(&id).map(|account_id| (id, *account_id)).ok_or_else(|| Problem::not_found(what))
}
