//! Commands that talk to a running server over its API, as any other client would. One file a resource.

mod accounts;
mod adjustments;
mod batch;
mod charges;
mod grants;
mod holds;
mod keys;
mod operator_keys;
mod prices;
mod statement;
mod usage;

mod api;
mod table;

use std::io::Read as _;
use std::path::PathBuf;

use serde_json::{Map, Value};

pub(crate) use accounts::{account, balance, portal};
pub(crate) use adjustments::adjust;
pub(crate) use batch::batch;
pub(crate) use charges::{charge, refund};
pub(crate) use grants::grant;
pub(crate) use holds::hold;
pub(crate) use keys::key;
pub(crate) use operator_keys::operator_key;
pub(crate) use prices::price;
pub(crate) use statement::statement;
pub(crate) use usage::usage;

use crate::Failure;
use crate::cli::{CostOptions, Globals, NoteOptions, PageOptions};
use crate::serve::failed;
use crate::terminal::say;
use api::Call;

pub(crate) fn print_openapi() -> Result<(), Failure> {
    let document = coffer_http::openapi_document(&coffer_http::Settings::default());
    let text = serde_json::to_string_pretty(&document).map_err(failed)?;
    say(text);
    Ok(())
}

/// An id as one segment of a path. What could not be one is refused here, so that it cannot become another path.
fn segment(id: &str) -> Result<&str, Failure> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !id.is_empty() && id.bytes().all(allowed) {
        Ok(id)
    } else {
        Err(Failure::Usage(format!("{id:?} is no id")))
    }
}

fn fields<const COUNT: usize>(given: [(&str, Option<String>); COUNT]) -> Map<String, Value> {
    let mut body = Map::new();
    for (name, value) in given {
        put(&mut body, name, value);
    }
    body
}

fn put(body: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        body.insert(name.to_owned(), value.into());
    }
}

fn put_cost(body: &mut Map<String, Value>, cost: CostOptions) {
    put(body, "credits", cost.credits);
    put(body, "operation", cost.operation);
    put(body, "quantity", cost.quantity);
}

fn put_note(body: &mut Map<String, Value>, note: NoteOptions) {
    put(body, "reference", note.reference);
    put_metadata(body, note.metadata);
}

fn put_metadata(body: &mut Map<String, Value>, pairs: Vec<(String, String)>) {
    if !pairs.is_empty() {
        let pairs = pairs.into_iter().map(|(key, value)| (key, Value::from(value)));
        body.insert("metadata".to_owned(), Value::Object(pairs.collect()));
    }
}

/// Puts the pairs that take the place of those there are: `none` of them is an empty object.
fn put_new_metadata(body: &mut Map<String, Value>, pairs: Vec<(String, String)>, none: bool) {
    if none {
        body.insert("metadata".to_owned(), Value::Object(Map::new()));
    }
    put_metadata(body, pairs);
}

fn paged(call: Call, page: PageOptions) -> Call {
    call.param("limit", page.limit.map(|limit| limit.to_string())).param("cursor", page.cursor)
}

/// A customer's secret. It never stands on a command line, where everybody on the machine could read it.
fn secret_from_standard_input() -> Result<String, Failure> {
    let mut secret = String::new();
    std::io::stdin().read_to_string(&mut secret).map_err(failed)?;
    Ok(secret.trim_end_matches(['\r', '\n']).to_owned())
}

/// Where the operator's key of a data directory is.
fn operator_key_file(globals: &Globals) -> PathBuf {
    globals.data.clone().unwrap_or_else(|| PathBuf::from("coffer-data")).join("operator.key")
}
