//! Operators' keys.

use coffer_ledger::{OperatorKey, OperatorKeyId, Scope, Scopes};

use super::{Columns, Result};

pub(crate) const OPERATOR_KEY: &str = "id, name, secret, hint, scopes, created_at, revoked_at";

pub(crate) fn operator_key(columns: &mut Columns<'_>) -> Result<OperatorKey> {
    Ok(OperatorKey {
        id: OperatorKeyId::from_bytes(columns.bytes()?),
        name: columns.text()?,
        secret: columns.secret()?,
        hint: columns.text()?,
        scopes: columns.parsed("scopes", parse_scopes)?,
        created_at: columns.time()?,
        revoked_at: columns.optional_time()?,
    })
}

pub(crate) fn scopes(scopes: Scopes) -> String {
    scopes.iter().map(Scope::as_str).collect::<Vec<_>>().join(" ")
}

fn parse_scopes(text: &str) -> Option<Scopes> {
    let scopes: Option<Vec<Scope>> = text.split(' ').map(|scope| scope.parse().ok()).collect();
    Scopes::of(scopes?)
}
