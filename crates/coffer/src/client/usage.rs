//! `coffer usage`: what an account has spent, summed up.

use super::api::{Api, Call};
use super::{segment, table};
use crate::Failure;
use crate::cli::{Globals, UsageOptions};

pub(crate) fn usage(globals: &Globals, options: UsageOptions) -> Result<(), Failure> {
    let path = format!("/v1/accounts/{}/usage", segment(&options.account)?);
    let range = options.range;
    let call = Call::get(&path).param("by", options.by).param("from", range.from).param("to", range.to);
    let answer = Api::of(globals)?.send(&call)?;
    let columns = match answer["by"].as_str() {
        Some("key") => table::USAGE_BY_KEY,
        Some("operation") => table::USAGE_BY_OPERATION,
        Some(_) | None => table::USAGE_BY_DAY,
    };
    table::show_list(globals, &answer, columns);
    Ok(())
}
