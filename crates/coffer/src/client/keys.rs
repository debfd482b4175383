//! `coffer key`: the keys that customers call with.

use serde_json::{Map, Value, json};

use super::api::{Api, Call};
use super::{
    fields, paged, put, put_cost, put_metadata, put_new_metadata, secret_from_standard_input, segment, table,
};
use crate::Failure;
use crate::cli::{Globals, KeyChanges, KeyCommand};

/// What `--expires-at` takes for no end at all.
const NEVER: &str = "never";

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
        KeyCommand::Show { id } => {
            let path = format!("/v1/keys/{}", segment(&id)?);
            table::show(globals, &api.send(&Call::get(&path))?, table::KEY);
        }
        KeyCommand::Update { id, changes } => {
            let path = format!("/v1/keys/{}", segment(&id)?);
            let answer = api.send(&Call::patch(&path).body(changed(changes)))?;
            table::show(globals, &answer, table::KEY);
        }
        KeyCommand::Rotate { id, overlap_seconds } => {
            let mut body = Map::new();
            put(&mut body, "overlap_seconds", overlap_seconds);
            let path = format!("/v1/keys/{}/rotate", segment(&id)?);
            table::show(globals, &api.send(&Call::post(&path).body(body))?, table::NEW_KEY);
        }
        KeyCommand::Verify { cost } => {
            let mut body = fields([("api_key", Some(secret_from_standard_input()?))]);
            put_cost(&mut body, cost);
            let answer = api.send(&Call::post("/v1/keys/verify").body(body))?;
            table::show(globals, &answer, table::VERIFIED_KEY);
        }
        KeyCommand::Revoke { id } => {
            let path = format!("/v1/keys/{}/revoke", segment(&id)?);
            table::show(globals, &api.send(&Call::post(&path))?, table::KEY);
        }
    }
    Ok(())
}

/// The fields of a key that change. `null` takes an end or a limit away.
fn changed(changes: KeyChanges) -> Map<String, Value> {
    let mut body = fields([("name", changes.name)]);
    put(
        &mut body,
        "expires_at",
        changes.expires_at.map(|at| if at == NEVER { Value::Null } else { at.into() }),
    );
    put_limit(&mut body, changes.limit, changes.limit_period);
    if changes.no_limit {
        body.insert("limit".to_owned(), Value::Null);
    }
    if changes.disable || changes.enable {
        body.insert("disabled".to_owned(), json!(changes.disable));
    }
    put_new_metadata(&mut body, changes.metadata, changes.no_metadata);
    body
}

fn put_limit(body: &mut Map<String, Value>, credits: Option<String>, period: Option<String>) {
    if let (Some(credits), Some(period)) = (credits, period) {
        body.insert("limit".to_owned(), json!({"credits": credits, "period": period}));
    }
}
