//! Sessions and the audit log in the database: the statements that load and write them, and what is read of them.
//!
//! A session is locked when it is loaded, so that one which somebody ends at this moment is not written again.

use coffer_ledger::{Action, Bucket, Changes, Session, SessionId, SessionOf};

use super::database::Database;
use super::statement::{self, Bytes, Call, Form, Given, by_statement, id};
use crate::rows::{self, SessionColumns};
use crate::{ActionFilter, Page, Span, StoreError};

/// The statements that write what has changed of them.
pub(super) fn changes(form: Form, changes: &Changes) -> Vec<Call> {
    let (kept, ended): (Vec<_>, Vec<_>) = changes.sessions.iter().partition(|(_, change)| change.is_some());
    let ended: Vec<SessionId> = ended.into_iter().map(|(id, _)| *id).collect();
    let mut calls = Vec::new();
    for part in by_statement(form, ended, |id| id.bucket()) {
        let given = Given::of(form, &part, |id| id.bucket());
        calls.push(given.with("id", "uuid", &part, |session| id(session.bytes())).delete("sessions"));
    }
    let kept: Vec<&Session> = kept.into_iter().filter_map(|(_, change)| change.as_ref()).collect();
    calls.extend(sessions(form, kept).into_iter().map(|given| given.upsert("sessions", 1)));
    let actions = changes.actions.iter().collect();
    calls.extend(self::actions(form, actions).into_iter().map(|given| given.insert("actions")));
    calls
}

/// Rows of another store. What has been copied before stays as it is.
pub(super) fn copies(form: Form, sessions: &[Session], actions: &[Action]) -> Vec<Call> {
    let sessions = self::sessions(form, sessions.iter().collect());
    let mut calls: Vec<Call> =
        sessions.into_iter().map(|given| given.insert_missing("sessions", 1)).collect();
    let actions = self::actions(form, actions.iter().collect());
    calls.extend(actions.into_iter().map(|given| given.insert_missing("actions", 1)));
    calls
}

fn sessions(form: Form, sessions: Vec<&Session>) -> Vec<Given> {
    let given = |part: Vec<&Session>| {
        let rows: Vec<(Bucket, SessionColumns<'_>)> =
            part.iter().map(|session| (session.id.bucket(), SessionColumns::of(session))).collect();
        Given::of(form, &rows, |(bucket, _)| *bucket)
            .with("id", "uuid", &rows, |(_, columns)| id(columns.id))
            .with("holder_kind", "text", &rows, |(_, columns)| columns.holder_kind.to_owned())
            .with("holder", "bytea", &rows, |(_, columns)| columns.holder.clone())
            .with("secret", "bytea", &rows, |(_, columns)| Bytes(columns.secret))
            .with("is_open", "boolean", &rows, |(_, columns)| columns.is_open)
            .with("created_at", "bigint", &rows, |(_, columns)| columns.created_at)
            .with("expires_at", "bigint", &rows, |(_, columns)| columns.expires_at)
            .with("used_at", "bigint", &rows, |(_, columns)| columns.used_at)
            .with("return_url", "text", &rows, |(_, columns)| columns.return_url.map(str::to_owned))
            .with("client", "text", &rows, |(_, columns)| columns.client.map(str::to_owned))
    };
    by_statement(form, sessions, |session| session.id.bucket()).into_iter().map(given).collect()
}

fn actions(form: Form, actions: Vec<&Action>) -> Vec<Given> {
    let given = |rows: Vec<&Action>| {
        let actor = |action: &&Action| rows::actor_columns(action.actor);
        Given::of(form, &rows, |action| action.id.bucket())
            .with("id", "uuid", &rows, |action| id(action.id.bytes()))
            .with("at", "bigint", &rows, |action| action.at.unix_ms())
            .with("actor", "text", &rows, |action| actor(action).0)
            .with("operator_key_id", "uuid", &rows, |action| actor(action).1.map(|key| id(key.bytes())))
            .with("channel", "text", &rows, |action| rows::channel(action.channel))
            .with("kind", "text", &rows, |action| action.kind.as_str())
            .with("account_id", "uuid", &rows, |action| action.account_id.map(|account| id(account.bytes())))
            .with("subject", "text", &rows, |action| {
                action.subject.as_ref().map(|subject| subject.as_str().to_owned())
            })
            .with("credits", "bigint", &rows, |action| action.credits.map(coffer_ledger::Credits::millionths))
            .with("detail", "text", &rows, |action| {
                action.detail.as_ref().map(|detail| detail.as_str().to_owned())
            })
    };
    by_statement(form, actions, |action| action.id.bucket()).into_iter().map(given).collect()
}

/// The statements that load sessions by their ids for a batch.
pub(super) fn by_id(form: Form, ids: Vec<SessionId>) -> Vec<Call> {
    let locked = " ORDER BY sessions.bucket, sessions.id FOR UPDATE OF sessions";
    let call = |part: Vec<SessionId>| {
        let given = Given::of(form, &part, |id| id.bucket());
        given.with("id", "uuid", &part, |session| id(session.bytes())).select(
            rows::SESSION,
            "sessions",
            locked,
        )
    };
    by_statement(form, ids, |id| id.bucket()).into_iter().map(call).collect()
}

/// The statements that load all sessions of holders for a batch.
pub(super) fn by_holder(form: Form, holders: Vec<SessionOf>) -> Vec<Call> {
    let locked = " ORDER BY sessions.bucket, sessions.id FOR UPDATE OF sessions";
    let call = |part: Vec<SessionOf>| {
        Given::of(form, &part, SessionOf::bucket)
            .with("holder", "bytea", &part, rows::holder)
            .with("holder_kind", "text", &part, rows::holder_kind)
            .select(rows::SESSION, "sessions", locked)
    };
    by_statement(form, holders, SessionOf::bucket).into_iter().map(call).collect()
}

pub(super) async fn session(database: &Database, session: SessionId) -> Result<Option<Session>, StoreError> {
    let sql = format!("SELECT {} FROM sessions WHERE bucket = $1 AND id = $2", rows::SESSION);
    let call = || Call::in_bucket(session.bucket(), sql.as_str()).with(id(session.bytes()));
    Ok(database.records(call, rows::session).await?.pop())
}

/// The sessions of one holder, newest first.
pub(super) async fn sessions_of(database: &Database, of: &SessionOf) -> Result<Vec<Session>, StoreError> {
    let sql = format!(
        "SELECT {} FROM sessions WHERE bucket = $1 AND holder = $2 AND holder_kind = $3 ORDER BY id DESC",
        rows::SESSION
    );
    let call =
        || Call::in_bucket(of.bucket(), sql.as_str()).with(rows::holder(of)).with(rows::holder_kind(of));
    database.records(call, rows::session).await
}

/// The sessions of operators, newest first.
pub(super) async fn operator_sessions(database: &Database, span: Span) -> Result<Page<Session>, StoreError> {
    let sql = format!(
        "SELECT {} FROM sessions WHERE bucket = $1 AND holder_kind <> 'account' AND id < $2 \
         ORDER BY id DESC LIMIT $3",
        rows::SESSION
    );
    let call =
        || Call::in_bucket(Bucket::CATALOGUE, sql.as_str()).with(id(span.before_or_end())).with(limit(span));
    Ok(Page::of(database.records(call, rows::session).await?, span))
}

/// What was done, newest first: in the bucket of one account, or in all.
pub(super) async fn read_actions(
    database: &Database,
    filter: &ActionFilter,
    span: Span,
) -> Result<Page<Action>, StoreError> {
    let (account, key) = (
        filter.account_id.map(|account| id(account.bytes())),
        filter.operator_key_id.map(|key| id(key.bytes())),
    );
    let call = || {
        let (mut conditions, mut next) = (String::from("id < $1"), 3);
        let mut arguments: Vec<statement::Argument> =
            vec![Box::new(id(span.before_or_end())), Box::new(limit(span))];
        if let (Some(account), Some(bucket)) =
            (account, filter.account_id.map(coffer_ledger::AccountId::bucket))
        {
            conditions += &format!(" AND bucket = ${next} AND account_id = ${}", next + 1);
            arguments.push(Box::new(statement::bucket(bucket)));
            arguments.push(Box::new(account));
            next += 2;
        }
        if let Some(key) = key {
            conditions += &format!(" AND operator_key_id = ${next}");
            arguments.push(Box::new(key));
        }
        let columns = rows::ACTION;
        let sql = format!("SELECT {columns} FROM actions WHERE {conditions} ORDER BY id DESC LIMIT $2");
        Call::over_all_buckets(sql, arguments)
    };
    Ok(Page::of(database.records(call, rows::action).await?, span))
}

fn limit(span: Span) -> i64 {
    i64::try_from(span.count_max + 1).unwrap_or(i64::MAX)
}
