//! Sessions and the audit log in the file: loaded, written and read here.

use coffer_ledger::{Action, Changes, Needs, Session, SessionId, SessionOf, Snapshot};
use rusqlite::{Connection, params};

use super::query::{Result, all, one, select};
use crate::rows::{self, SessionColumns};
use crate::{ActionFilter, Page, Span};

/// The sessions that commands name, and those of the holders that they name.
pub(super) fn load(connection: &Connection, needs: &Needs, snapshot: &mut Snapshot) -> Result<()> {
    for id in &needs.sessions {
        snapshot.sessions.extend(session(connection, *id)?.map(|session| (*id, session)));
    }
    for of in &needs.sessions_of {
        let found = sessions_of(connection, of)?;
        snapshot.sessions.extend(found.into_iter().map(|session| (session.id, session)));
    }
    Ok(())
}

/// Writes what has changed of them, in the writer's transaction.
pub(super) fn write(connection: &Connection, changes: &Changes) -> Result<()> {
    for (id, change) in &changes.sessions {
        match change {
            Some(session) => put_session(connection, session)?,
            None => execute(connection, "DELETE FROM sessions WHERE id = ?1", [id.bytes()])?,
        }
    }
    changes.actions.iter().try_for_each(|action| put_action(connection, action))
}

fn put_session(connection: &Connection, session: &Session) -> Result<()> {
    let columns = SessionColumns::of(session);
    let sql = "INSERT INTO sessions (id, holder_kind, holder, secret, is_open, created_at, expires_at, used_at, \
               return_url, client) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
               ON CONFLICT (id) DO UPDATE SET secret = ?4, is_open = ?5, expires_at = ?7, used_at = ?8, client = ?10";
    let values = params![
        columns.id,
        columns.holder_kind,
        columns.holder,
        columns.secret,
        columns.is_open,
        columns.created_at,
        columns.expires_at,
        columns.used_at,
        columns.return_url,
        columns.client,
    ];
    execute(connection, sql, values)
}

fn put_action(connection: &Connection, action: &Action) -> Result<()> {
    let (actor, operator_key) = rows::actor_columns(action.actor);
    let sql = "INSERT INTO actions (id, at, actor, operator_key_id, channel, kind, account_id, subject, credits, detail) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let values = params![
        action.id.bytes(),
        action.at.unix_ms(),
        actor,
        operator_key.map(coffer_ledger::OperatorKeyId::bytes),
        rows::channel(action.channel),
        action.kind.as_str(),
        action.account_id.map(coffer_ledger::AccountId::bytes),
        action.subject.as_ref().map(coffer_ledger::Subject::as_str),
        action.credits.map(coffer_ledger::Credits::millionths),
        action.detail.as_ref().map(coffer_ledger::Detail::as_str),
    ];
    execute(connection, sql, values)
}

pub(super) fn session(connection: &Connection, id: SessionId) -> Result<Option<Session>> {
    one(connection, &select(rows::SESSION, "sessions WHERE id = ?1"), [id.bytes()], rows::session)
}

/// The sessions of one holder, newest first.
pub(super) fn sessions_of(connection: &Connection, of: &SessionOf) -> Result<Vec<Session>> {
    let sql = select(rows::SESSION, "sessions WHERE holder = ?1 AND holder_kind = ?2 ORDER BY id DESC");
    all(connection, &sql, params![rows::holder(of), rows::holder_kind(of)], rows::session)
}

/// The sessions of operators, newest first.
pub(super) fn operator_sessions(connection: &Connection, span: Span) -> Result<Page<Session>> {
    let from = "sessions WHERE holder_kind != 'account' AND id < ?1 ORDER BY id DESC LIMIT ?2";
    let params = params![span.before_or_end(), span.count_max + 1];
    Ok(Page::of(all(connection, &select(rows::SESSION, from), params, rows::session)?, span))
}

/// What was done, newest first.
pub(super) fn actions(connection: &Connection, filter: &ActionFilter, span: Span) -> Result<Page<Action>> {
    let (account, key) = (
        filter.account_id.map(coffer_ledger::AccountId::bytes),
        filter.operator_key_id.map(coffer_ledger::OperatorKeyId::bytes),
    );
    // Each has an index of its own: what is not asked for must not stand in its way.
    let conditions = match (account.is_some(), key.is_some()) {
        (true, true) => "account_id = ?2 AND operator_key_id = ?3 AND ",
        (true, false) => "account_id = ?2 AND ?3 IS NULL AND ",
        (false, true) => "?2 IS NULL AND operator_key_id = ?3 AND ",
        (false, false) => "?2 IS NULL AND ?3 IS NULL AND ",
    };
    let from = format!("actions WHERE {conditions}id < ?1 ORDER BY id DESC LIMIT ?4");
    let params = params![span.before_or_end(), account, key, span.count_max + 1];
    Ok(Page::of(all(connection, &select(rows::ACTION, &from), params, rows::action)?, span))
}

fn execute(connection: &Connection, sql: &str, params: impl rusqlite::Params) -> Result<()> {
    connection.prepare_cached(sql)?.execute(params).map(|_| ())
}
