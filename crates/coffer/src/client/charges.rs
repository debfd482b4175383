//! `coffer charge`: credits that are spent.

use super::api::{Api, Call};
use super::{fields, put_note, table};
use crate::Failure;
use crate::cli::{ChargeOptions, Globals};

pub(crate) fn charge(globals: &Globals, options: ChargeOptions) -> Result<(), Failure> {
    let mut body = fields([("account_id", Some(options.account)), ("credits", Some(options.credits))]);
    put_note(&mut body, options.note);
    let answer = Api::of(globals)?.send(&Call::post("/v1/charges").body(body).moves_credits())?;
    table::show(globals, &answer, table::CHARGE);
    Ok(())
}
