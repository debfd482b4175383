//! `coffer key`: the keys that customers call with.

use serde_json::{Map, Value, json};

use super::api::{Api, Call};
use super::{fields, paged, put_metadata, secret_from_standard_input, segment, table};
use crate::Failure;
use crate::cli::{Globals, KeyCommand};

pub(crate) fn key(globals: &Globals, command: KeyCommand) -> Result<(), Failure> {
    let api = Api::of(globals)?;
    match command {
        KeyCommand::Create { account, name, expires_at, limit, limit_period, metadata } => {
            let mut body = fields([("name", Some(name)), ("expires_at", expires_at)]);
            put_limit(&mut body, limit, limit_period);
            put_metadata(&mut body, metadata);
            let path = format!("/v1/accounts/{}/keys", segment(&account)?);
            let answer = api.send(&Call::post(&path).body(body))?;
            table::show(globals, &answer, table::NEW_KEY);
        }
        KeyCommand::Import { account, name, allow_weak } => {
            let mut body = fields([("name", Some(name)), ("secret", Some(secret_from_standard_input()?))]);
            body.insert("allow_weak".to_owned(), json!(allow_weak));
            let path = format!("/v1/accounts/{}/keys/import", segment(&account)?);
            let answer = api.send(&Call::post(&path).body(body))?;
            table::show(globals, &answer, table::KEY);
        }
        KeyCommand::List { account, page } => {
            let path = format!("/v1/accounts/{}/keys", segment(&account)?);
            table::show_list(globals, &api.send(&paged(Call::get(&path), page))?, table::KEY);
        }
        KeyCommand::Revoke { id } => {
            let path = format!("/v1/keys/{}/revoke", segment(&id)?);
            table::show(globals, &api.send(&Call::post(&path))?, table::KEY);
        }
    }
    Ok(())
}

fn put_limit(body: &mut Map<String, Value>, credits: Option<String>, period: Option<String>) {
    if let (Some(credits), Some(period)) = (credits, period) {
        body.insert("limit".to_owned(), json!({"credits": credits, "period": period}));
    }
}
