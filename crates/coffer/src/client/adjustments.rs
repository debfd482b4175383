//! `coffer adjust`: corrections, up or down.

use serde_json::json;

use super::api::{Api, Call};
use super::{fields, segment, table};
use crate::Failure;
use crate::cli::{AdjustOptions, Globals};

pub(crate) fn adjust(globals: &Globals, options: AdjustOptions) -> Result<(), Failure> {
    let mut body = fields([("credits", Some(options.credits)), ("reason", Some(options.reason))]);
    if options.allow_negative {
        body.insert("allow_negative".to_owned(), json!(true));
    }
    let path = format!("/v1/accounts/{}/adjustments", segment(&options.account)?);
    let answer = Api::of(globals)?.send(&Call::post(&path).body(body).moves_credits())?;
    table::show(globals, &answer, table::ADJUSTMENT);
    Ok(())
}
