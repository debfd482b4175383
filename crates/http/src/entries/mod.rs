//! Statements: entries as operators and customers read them, by page or as one stream.

mod csv;
mod stream;

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use coffer_ledger::{
    AccountId, AdjustmentId, Balance, ChargeId, Credits, Digest256, Entry, EntryHash, EntryKind, GrantId,
    HoldId, KeyId, LotChange, Operation, Quantity, Reason, Reference, RefundId, Seq, Timestamp,
};
use coffer_service::{EntryOrder, EntryQuery};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::fields::{self, Parsed};
use crate::limits::PAGE_DEFAULT;
use crate::openapi::form;
use crate::paging::{self, List};
use crate::problem::Problem;

/// One change of an account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Entry)]
pub(crate) struct EntryBody {
    /// Its number in the account: 1, 2, 3 without a gap.
    #[schema(minimum = 1)]
    seq: u64,
    #[schema(value_type = form::KindOfEntry)]
    kind: &'static str,
    /// The signed change of what is available.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Credits)]
    credits: Credits,
    /// The signed change of what is held.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Credits)]
    held_credits: Credits,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Credits)]
    available_after: Credits,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Credits)]
    held_after: Credits,
    /// What it did to each lot.
    lots: Vec<LotBody>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "fields::option")]
    #[schema(value_type = form::GrantId, required = false)]
    grant_id: Option<GrantId>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "fields::option")]
    #[schema(value_type = form::ChargeId, required = false)]
    charge_id: Option<ChargeId>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "fields::option")]
    #[schema(value_type = form::HoldId, required = false)]
    hold_id: Option<HoldId>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "fields::option")]
    #[schema(value_type = form::KeyId, required = false)]
    key_id: Option<KeyId>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "fields::option")]
    #[schema(value_type = form::RefundId, required = false)]
    refund_id: Option<RefundId>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "fields::option")]
    #[schema(value_type = form::AdjustmentId, required = false)]
    adjustment_id: Option<AdjustmentId>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "fields::option")]
    #[schema(value_type = form::Text, required = false)]
    operation: Option<Operation>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "fields::option")]
    #[schema(value_type = form::Credits, required = false)]
    quantity: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "fields::option")]
    #[schema(value_type = form::Text, required = false)]
    reference: Option<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = form::Metadata, required = false)]
    metadata: Option<std::collections::BTreeMap<String, String>>,
    /// Why a balance was adjusted.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "fields::option")]
    #[schema(value_type = form::Text, required = false)]
    reason: Option<Reason>,
    /// What the texts are salted with in the hash, in hexadecimal; erased with them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = form::Salt, required = false)]
    salt: Option<String>,
    /// What stands for each text in the hash.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "fields::option")]
    #[schema(value_type = form::Digest, required = false)]
    reference_digest: Option<Digest256>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "fields::option")]
    #[schema(value_type = form::Digest, required = false)]
    metadata_digest: Option<Digest256>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "fields::option")]
    #[schema(value_type = form::Digest, required = false)]
    reason_digest: Option<Digest256>,
    /// When it happened; for what fell due, when it was due.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Time)]
    at: Timestamp,
    /// The SHA-256 over the hash before and this entry's canonical bytes, in hexadecimal.
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Digest)]
    hash: EntryHash,
}

/// What an entry did to one lot.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LotChange)]
pub(crate) struct LotBody {
    /// The grant; `null` for the overdraft.
    #[serde(serialize_with = "fields::option")]
    #[schema(value_type = Option<form::GrantId>)]
    grant_id: Option<GrantId>,
    #[serde(serialize_with = "fields::text")]
    #[schema(value_type = form::Credits)]
    credits: Credits,
}

const CSV: &str = "text/csv; charset=utf-8";

/// Who reads.
#[derive(Clone, Copy, Debug)]
pub(crate) enum View {
    /// Everything.
    Operator,
    /// What the holder of the account may see: all entries, without metadata and reason.
    Holder,
    /// What the holder of a key may see: entries of this key and of the account itself, without metadata and reason.
    Customer(KeyId),
}

impl EntryBody {
    fn of(entry: Entry, view: View) -> EntryBody {
        let digests = entry.note.digests();
        let Balance { available, held } = entry.balance_after;
        let shows_all = matches!(view, View::Operator);
        let metadata = Some(entry.note.metadata).filter(|metadata| shows_all && !metadata.is_empty());
        let lot = |LotChange { grant_id, credits }| LotBody { grant_id, credits };
        EntryBody {
            seq: entry.seq.0,
            kind: entry.kind.as_str(),
            credits: entry.credits,
            held_credits: entry.held_credits,
            available_after: available,
            held_after: held,
            lots: entry.lots.into_iter().map(lot).collect(),
            grant_id: entry.origin.grant_id,
            charge_id: entry.origin.charge_id,
            hold_id: entry.origin.hold_id,
            key_id: entry.origin.key_id,
            refund_id: entry.origin.refund_id,
            adjustment_id: entry.origin.adjustment_id,
            operation: entry.purpose.operation,
            quantity: entry.purpose.quantity,
            reference: entry.note.reference,
            metadata: metadata.map(|metadata| metadata.pairs().clone()),
            reason: entry.note.reason.filter(|_| shows_all),
            salt: entry.note.salt.filter(|_| shows_all).map(|salt| hexadecimal(&salt.0)),
            reference_digest: digests.reference,
            metadata_digest: digests.metadata,
            reason_digest: digests.reason,
            at: entry.at,
            hash: entry.hash,
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Which entries.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntryParams {
    from: Option<Parsed<Timestamp>>,
    to: Option<Parsed<Timestamp>>,
    kind: Option<Parsed<KindName>>,
    limit: Option<String>,
    cursor: Option<String>,
}

/// A kind of entry by its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KindName(EntryKind);

impl std::str::FromStr for KindName {
    type Err = String;
    fn from_str(text: &str) -> Result<KindName, String> {
        EntryKind::of_name(text).map(KindName).ok_or_else(|| {
            let names: Vec<&str> = EntryKind::ALL.into_iter().map(EntryKind::as_str).collect();
            format!("must be one of {}", names.join(", "))
        })
    }
}

/// How a statement is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    Page,
    Csv,
    Lines,
}

impl Format {
    /// What the caller likes best of what there is; a page, where nothing is said.
    fn of(headers: &HeaderMap) -> Format {
        let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let mut best = (0, Format::Page);
        for part in accepted.flat_map(|value| value.split(',')) {
            let mut pieces = part.split(';').map(str::trim);
            let format = match pieces.next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "text/csv" => Format::Csv,
                "application/x-ndjson" => Format::Lines,
                "application/json" | "application/*" | "*/*" => Format::Page,
                _ => continue,
            };
            let weight = pieces.find_map(|piece| piece.strip_prefix("q=")).map_or(1_000, thousandths);
            if weight > best.0 {
                best = (weight, format);
            }
        }
        best.1
    }
}

/// A weight such as `0.5`, in thousandths; what is none weighs nothing.
fn thousandths(weight: &str) -> u16 {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    let fraction: Option<u16> = format!("{fraction:0<3}").get(..3).and_then(|digits| digits.parse().ok());
    match (whole, fraction) {
        ("1", _) => 1_000,
        ("0", Some(fraction)) => fraction,
        _ => 0,
    }
}

/// Answers with a page, newest first, or with the whole range as a stream, oldest first.
pub(crate) async fn answer(
    app: &std::sync::Arc<App>,
    account_id: AccountId,
    view: View,
    headers: &HeaderMap,
    params: EntryParams,
) -> Result<Response, Problem> {
    let format = Format::of(headers);
    let range = EntryQuery {
        from: params.from.map(|from| from.0),
        to: params.to.map(|to| to.0),
        kind: params.kind.map(|kind| kind.0.0),
        visible_to: match view {
            View::Operator | View::Holder => None,
            View::Customer(key_id) => Some(key_id),
        },
        ..EntryQuery::all_of(account_id, None, PAGE_DEFAULT)
    };
    if format != Format::Page {
        for (name, given) in [("limit", &params.limit), ("cursor", &params.cursor)] {
            if given.is_some() {
                return Err(Problem::invalid(name, "is for pages; a stream has the whole range"));
            }
        }
    }
    app.service.write_what_is_due(account_id).await?;
    match format {
        Format::Page => page(app, range, view, &params).await,
        Format::Csv => stream::answer(app, range, view, CSV, csv::Rows).await,
        Format::Lines => stream::answer(app, range, view, "application/x-ndjson", stream::Lines).await,
    }
}

/// A range as a file, for the holder of the account: oldest first, written as it is read.
pub(crate) async fn file(app: &std::sync::Arc<App>, range: EntryQuery) -> Result<Response, Problem> {
    app.service.write_what_is_due(range.account_id).await?;
    stream::answer(app, range, View::Holder, CSV, csv::Rows).await
}

async fn page(app: &App, range: EntryQuery, view: View, params: &EntryParams) -> Result<Response, Problem> {
    let count_max = paging::count_max(params.limit.as_deref())?;
    let beyond = params.cursor.as_deref().map(cursor_seq).transpose()?;
    let query = EntryQuery { order: EntryOrder::NewestFirst, beyond, count_max, ..range };
    let page = app.service.reader().entries(query).await?;
    let list = List {
        data: page.entries.into_iter().map(|entry| EntryBody::of(entry, view)).collect::<Vec<_>>(),
        has_more: page.next.is_some(),
        next_cursor: page.next.map(|Seq(seq)| paging::cursor(&seq.to_be_bytes())),
    };
    Ok(([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(list)).into_response())
}

fn cursor_seq(cursor: &str) -> Result<Seq, Problem> {
    let bytes = paging::cursor_bytes(cursor).and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
    let seq = bytes.map(u64::from_be_bytes).filter(|seq| i64::try_from(*seq).is_ok());
    seq.map(Seq).ok_or_else(|| Problem::invalid("cursor", "must be a next_cursor of this list"))
}
