//! `coffer grant`: credits that are given.

use super::api::{Api, Call};
use super::{fields, paged, put, put_note, segment, table};
use crate::Failure;
use crate::cli::{Globals, GrantCommand, GrantOptions, Verb};

pub(crate) fn grant(globals: &Globals, verb: Verb<GrantOptions, GrantCommand>) -> Result<(), Failure> {
    let api = Api::of(globals)?;
    match verb {
        Verb::Plain(options) => {
            let mut body = fields([("credits", Some(options.credits)), ("category", options.category)]);
            put(&mut body, "priority", options.priority);
            put(&mut body, "effective_at", options.effective_at);
            put(&mut body, "expires_at", options.expires_at);
            put_note(&mut body, options.note);
            let path = format!("/v1/accounts/{}/grants", segment(&options.account)?);
            let answer = api.send(&Call::post(&path).body(body).moves_credits())?;
            table::show(globals, &answer, table::GRANT);
        }
        Verb::Other(GrantCommand::List { account, page }) => {
            let path = format!("/v1/accounts/{}/grants", segment(&account)?);
            table::show_list(globals, &api.send(&paged(Call::get(&path), page))?, table::GRANT);
        }
        Verb::Other(GrantCommand::Show { id }) => {
            let path = format!("/v1/grants/{}", segment(&id)?);
            table::show(globals, &api.send(&Call::get(&path))?, table::GRANT);
        }
        Verb::Other(GrantCommand::Void { id }) => {
            let path = format!("/v1/grants/{}/void", segment(&id)?);
            table::show(globals, &api.send(&Call::post(&path).moves_credits())?, table::GRANT);
        }
    }
    Ok(())
}
