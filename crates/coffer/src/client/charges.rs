//! `coffer charge` and `coffer refund`: credits that are spent, and given back.

use super::api::{Api, Call};
use super::{fields, paged, put_cost, put_note, segment, table};
use crate::Failure;
use crate::cli::{ChargeCommand, ChargeOptions, Globals, RefundOptions, Verb};

pub(crate) fn charge(globals: &Globals, verb: Verb<ChargeOptions, ChargeCommand>) -> Result<(), Failure> {
    let api = Api::of(globals)?;
    match verb {
        Verb::Plain(options) => {
            let mut body = fields([("account_id", Some(options.account))]);
            put_cost(&mut body, options.cost);
            put_note(&mut body, options.note);
            let answer = api.send(&Call::post("/v1/charges").body(body).moves_credits())?;
            table::show(globals, &answer, table::CHARGE);
        }
        Verb::Other(ChargeCommand::List { account, reference, page }) => {
            let call = paged(Call::get("/v1/charges"), page);
            let answer = api.send(&call.param("account_id", account).param("reference", reference))?;
            table::show_list(globals, &answer, table::PAST_CHARGE);
        }
        Verb::Other(ChargeCommand::Show { id }) => {
            let path = format!("/v1/charges/{}", segment(&id)?);
            table::show(globals, &api.send(&Call::get(&path))?, table::PAST_CHARGE);
        }
    }
    Ok(())
}

pub(crate) fn refund(globals: &Globals, options: RefundOptions) -> Result<(), Failure> {
    let path = format!("/v1/charges/{}/refund", segment(&options.charge)?);
    let call = Call::post(&path).body(fields([("credits", options.credits)])).moves_credits();
    table::show(globals, &Api::of(globals)?.send(&call)?, table::REFUND);
    Ok(())
}
