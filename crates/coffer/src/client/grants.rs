//! `coffer grant`: credits that are given.

use super::api::{Api, Call};
use super::{fields, put, put_note, segment, table};
use crate::Failure;
use crate::cli::{Globals, GrantOptions};

pub(crate) fn grant(globals: &Globals, options: GrantOptions) -> Result<(), Failure> {
    let mut body = fields([("credits", Some(options.credits)), ("category", options.category)]);
    put(&mut body, "priority", options.priority);
    put(&mut body, "effective_at", options.effective_at);
    put(&mut body, "expires_at", options.expires_at);
    put_note(&mut body, options.note);
    let path = format!("/v1/accounts/{}/grants", segment(&options.account)?);
    let answer = Api::of(globals)?.send(&Call::post(&path).body(body).moves_credits())?;
    table::show(globals, &answer, table::GRANT);
    Ok(())
}
