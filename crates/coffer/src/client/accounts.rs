//! `coffer account`, `coffer balance` and `coffer portal`.

use super::api::{Api, Call};
use super::{fields, paged, put, put_metadata, put_new_metadata, segment, table};
use crate::Failure;
use crate::cli::{AccountChanges, AccountCommand, BalanceOptions, Globals, PortalOptions};

pub(crate) fn account(globals: &Globals, command: AccountCommand) -> Result<(), Failure> {
    let api = Api::of(globals)?;
    match command {
        AccountCommand::Create { name, external_id, overdraft_limit, metadata } => {
            let mut body = fields([("name", Some(name)), ("external_id", external_id)]);
            put(&mut body, "overdraft_limit", overdraft_limit);
            put_metadata(&mut body, metadata);
            let answer = api.send(&Call::post("/v1/accounts").body(body))?;
            table::show(globals, &answer, table::ACCOUNT);
        }
        AccountCommand::List { page, external_id, status } => {
            let call = paged(Call::get("/v1/accounts"), page);
            let answer = api.send(&call.param("external_id", external_id).param("status", status))?;
            table::show_list(globals, &answer, table::ACCOUNT);
        }
        AccountCommand::Show { id } => {
            let answer = api.send(&Call::get(&format!("/v1/accounts/{}", segment(&id)?)))?;
            table::show(globals, &answer, table::ACCOUNT);
        }
        AccountCommand::Update { id, changes } => {
            let AccountChanges { name, overdraft_limit, status, metadata, no_metadata } = changes;
            let mut body = fields([("name", name), ("overdraft_limit", overdraft_limit), ("status", status)]);
            put_new_metadata(&mut body, metadata, no_metadata);
            let path = format!("/v1/accounts/{}", segment(&id)?);
            table::show(globals, &api.send(&Call::patch(&path).body(body))?, table::ACCOUNT);
        }
        AccountCommand::Erase { id, until } => {
            let path = format!("/v1/accounts/{}/erase", segment(&id)?);
            let answer = api.send(&Call::post(&path).body(fields([("until", until)])))?;
            table::show(globals, &answer, table::ERASED);
        }
    }
    Ok(())
}

pub(crate) fn balance(globals: &Globals, options: BalanceOptions) -> Result<(), Failure> {
    let path = format!("/v1/accounts/{}/balance", segment(&options.account)?);
    let answer = Api::of(globals)?.send(&Call::get(&path).param("at", options.at))?;
    table::show(globals, &answer, table::BALANCE);
    let grants = answer["grants"].as_array().filter(|grants| !grants.is_empty() && !globals.json);
    if let Some(grants) = grants {
        table::print(grants, table::OPEN_GRANT);
    }
    Ok(())
}

pub(crate) fn portal(globals: &Globals, options: PortalOptions) -> Result<(), Failure> {
    let path = format!("/v1/accounts/{}/portal-sessions", segment(&options.account)?);
    let mut body = fields([("return_url", options.return_url)]);
    put(&mut body, "expires_in", options.expires_in);
    table::show(globals, &Api::of(globals)?.send(&Call::post(&path).body(body))?, table::PORTAL);
    Ok(())
}
