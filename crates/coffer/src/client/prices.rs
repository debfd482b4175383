//! `coffer price`: what operations cost.

use super::api::{Api, Call, encoded};
use super::{fields, paged, table};
use crate::Failure;
use crate::cli::{Globals, PriceCommand};
use crate::terminal::say;

pub(crate) fn price(globals: &Globals, command: PriceCommand) -> Result<(), Failure> {
    let api = Api::of(globals)?;
    match command {
        PriceCommand::Set { operation, credits_per_unit, unit, description } => {
            let mut body = fields([("credits_per_unit", Some(credits_per_unit)), ("unit", unit)]);
            body.extend(fields([("description", description)]));
            let answer = api.send(&Call::put(&path_of(&operation)?).body(body))?;
            table::show(globals, &answer, table::PRICE);
        }
        PriceCommand::List { page } => {
            let answer = api.send(&paged(Call::get("/v1/prices"), page))?;
            table::show_list(globals, &answer, table::PRICE);
        }
        PriceCommand::Delete { operation } => {
            api.send(&Call::delete(&path_of(&operation)?))?;
            // The API answers nothing here, so there is no JSON of it either.
            if !globals.json {
                say(format_args!("{operation} has no price any more"));
            }
        }
    }
    Ok(())
}

/// An operation may have any name. The ones refused here would make it another path.
fn path_of(operation: &str) -> Result<String, Failure> {
    match operation {
        "" | "." | ".." => Err(Failure::Usage(format!("{operation:?} is no operation"))),
        _ => Ok(format!("/v1/prices/{}", encoded(operation))),
    }
}
