//! `coffer batch`: many operations in one request, each on its own.

use std::io::Read as _;
use std::path::Path;

use serde_json::{Value, json};

use super::api::{Api, Call};
use super::table;
use crate::Failure;
use crate::cli::{BatchOptions, Globals};
use crate::serve::failed;
use crate::terminal::{complain, say};

pub(crate) fn batch(globals: &Globals, options: &BatchOptions) -> Result<(), Failure> {
    if globals.idempotency_key.is_some() {
        let message = "--idempotency-key is for one operation; those of a batch have an idempotency_key each";
        return Err(Failure::Usage(message.to_owned()));
    }
    let api = Api::of(globals)?;
    let operations = read(options.file.as_deref())?;
    let answer = api.send(&Call::post("/v1/batch").batch(operations))?;
    let results: &[Value] = answer["results"].as_array().map_or(&[], Vec::as_slice);
    if globals.json {
        say(&answer);
    } else {
        let rows: Vec<Value> = results.iter().enumerate().map(|(index, result)| row(index, result)).collect();
        table::print(&rows, table::BATCH_RESULT);
    }
    let refused = results.iter().filter(|result| !is_done(result)).count();
    if refused == 0 {
        return Ok(());
    }
    complain(format_args!("refused: {refused} of {} operations", results.len()));
    Err(Failure::Shown)
}

fn read(file: Option<&Path>) -> Result<Vec<u8>, Failure> {
    let Some(file) = file.filter(|file| *file != Path::new("-")) else {
        let mut operations = Vec::new();
        std::io::stdin().read_to_end(&mut operations).map_err(failed)?;
        return Ok(operations);
    };
    std::fs::read(file).map_err(|error| Failure::Failed(format!("cannot read {}: {error}", file.display())))
}

fn is_done(result: &Value) -> bool {
    result["status"].as_u64().is_some_and(|status| (200..300).contains(&status))
}

fn row(index: usize, result: &Value) -> Value {
    let body = &result["body"];
    let told = if is_done(result) { &body["id"] } else { &body["code"] };
    json!({
        "place": index + 1, "status": result["status"], "told": told, "replayed": result["replayed"],
        "detail": body["detail"],
    })
}
