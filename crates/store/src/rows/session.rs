//! Sessions.

use coffer_ledger::{
    AccountId, OperatorKeyId, SecretHash, Session, SessionId, SessionOf, SessionStage, Timestamp,
};

use super::{Columns, Result};

pub(crate) const SESSION: &str = "sessions.id, sessions.holder_kind, sessions.holder, sessions.secret, \
     sessions.is_open, sessions.created_at, sessions.expires_at, sessions.used_at, sessions.return_url, \
     sessions.client";

pub(crate) fn session(columns: &mut Columns<'_>) -> Result<Session> {
    Ok(Session {
        id: SessionId::from_bytes(columns.bytes()?),
        of: session_of(columns)?,
        secret: columns.secret()?,
        stage: if columns.flag()? { SessionStage::Open } else { SessionStage::Offered },
        created_at: columns.time()?,
        expires_at: columns.time()?,
        used_at: columns.time()?,
        return_url: columns.optional_text()?,
        client: columns.optional_text()?,
    })
}

/// The word for what a holder of sessions is: an account, or one of the two kinds of operators' keys.
pub(crate) const fn holder_kind(of: &SessionOf) -> &'static str {
    match of {
        SessionOf::Account(_) => "account",
        SessionOf::OperatorKey(_) => "operator_key",
        SessionOf::ConfiguredKey(_) => "configured_key",
    }
}

/// The bytes by which the holder is known.
pub(crate) fn holder(of: &SessionOf) -> Vec<u8> {
    match of {
        SessionOf::Account(id) => id.bytes().to_vec(),
        SessionOf::OperatorKey(id) => id.bytes().to_vec(),
        SessionOf::ConfiguredKey(secret) => secret.bytes().to_vec(),
    }
}

fn session_of(columns: &mut Columns<'_>) -> Result<SessionOf> {
    let kind: String = columns.text()?;
    Ok(match kind.as_str() {
        "account" => SessionOf::Account(AccountId::from_bytes(columns.bytes()?)),
        "operator_key" => SessionOf::OperatorKey(OperatorKeyId::from_bytes(columns.bytes()?)),
        "configured_key" => SessionOf::ConfiguredKey(SecretHash::from_bytes(columns.bytes()?)),
        _ => return Err(columns.meaningless("kind of holder")),
    })
}

/// The values of a session, in the order of [`SESSION`].
pub(crate) struct SessionColumns<'a> {
    pub(crate) id: [u8; 16],
    pub(crate) holder_kind: &'static str,
    pub(crate) holder: Vec<u8>,
    pub(crate) secret: [u8; 32],
    pub(crate) is_open: bool,
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) used_at: i64,
    pub(crate) return_url: Option<&'a str>,
    pub(crate) client: Option<&'a str>,
}

impl SessionColumns<'_> {
    pub(crate) fn of(session: &Session) -> SessionColumns<'_> {
        SessionColumns {
            id: session.id.bytes(),
            holder_kind: holder_kind(&session.of),
            holder: holder(&session.of),
            secret: *session.secret.bytes(),
            is_open: session.stage == SessionStage::Open,
            created_at: Timestamp::unix_ms(session.created_at),
            expires_at: Timestamp::unix_ms(session.expires_at),
            used_at: Timestamp::unix_ms(session.used_at),
            return_url: session.return_url.as_ref().map(coffer_ledger::ReturnUrl::as_str),
            client: session.client.as_ref().map(coffer_ledger::Client::as_str),
        }
    }
}
