//! `coffer hold`: credits that are set aside, and what becomes of them.

use serde_json::json;

use super::api::{Api, Call};
use super::{fields, paged, put, put_cost, put_note, segment, table};
use crate::Failure;
use crate::cli::{Globals, HoldCommand, HoldOptions, Verb};

pub(crate) fn hold(globals: &Globals, verb: Verb<HoldOptions, HoldCommand>) -> Result<(), Failure> {
    let api = Api::of(globals)?;
    match verb {
        Verb::Plain(options) => {
            let mut body = fields([("account_id", Some(options.account))]);
            put_cost(&mut body, options.cost);
            put(&mut body, "expires_in", options.expires_in);
            put_note(&mut body, options.note);
            let answer = api.send(&Call::post("/v1/holds").body(body).moves_credits())?;
            table::show(globals, &answer, table::HOLD);
        }
        Verb::Other(HoldCommand::List { account, status, page }) => {
            let call = paged(Call::get("/v1/holds"), page);
            let answer = api.send(&call.param("account_id", account).param("status", status))?;
            table::show_list(globals, &answer, table::HOLD);
        }
        Verb::Other(HoldCommand::Show { id }) => {
            let path = format!("/v1/holds/{}", segment(&id)?);
            table::show(globals, &api.send(&Call::get(&path))?, table::HOLD);
        }
        Verb::Other(HoldCommand::Capture { id, credits, quantity, not_final, excess }) => {
            let mut body = fields([("credits", credits), ("quantity", quantity), ("excess", excess)]);
            if not_final {
                body.insert("final".to_owned(), json!(false));
            }
            let path = format!("/v1/holds/{}/capture", segment(&id)?);
            let answer = api.send(&Call::post(&path).body(body).moves_credits())?;
            table::show(globals, &answer, table::CHARGE);
        }
        Verb::Other(HoldCommand::Release { id }) => {
            let path = format!("/v1/holds/{}/release", segment(&id)?);
            table::show(globals, &api.send(&Call::post(&path).moves_credits())?, table::HOLD);
        }
    }
    Ok(())
}
