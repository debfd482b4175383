//! `coffer statement`: an account's entries, a page for people or the whole range for programs.

use std::io::{ErrorKind, Read, Write};

use super::api::{Api, Call};
use super::{paged, segment, table};
use crate::Failure;
use crate::cli::{Globals, StatementFormat, StatementOptions};

const COPY_BYTES: usize = 64 * 1024;

pub(crate) fn statement(globals: &Globals, options: StatementOptions) -> Result<(), Failure> {
    let path = format!("/v1/accounts/{}/entries", segment(&options.account)?);
    let (range, page) = (options.range, options.page);
    let call = Call::get(&path).param("from", range.from).param("to", range.to).param("kind", options.kind);
    let media_type = match options.format {
        StatementFormat::Table => {
            let answer = Api::of(globals)?.send(&paged(call, page))?;
            table::show_list(globals, &answer, table::ENTRY);
            return Ok(());
        }
        StatementFormat::Csv => "text/csv",
        StatementFormat::Ndjson => "application/x-ndjson",
    };
    if globals.json || page.limit.is_some() || page.cursor.is_some() {
        let message =
            "--json, --limit and --cursor are for a page; --format csv and ndjson are the whole range";
        return Err(Failure::Usage(message.to_owned()));
    }
    copy(Api::of(globals)?.open(&call.accept(media_type))?, std::io::stdout().lock())
}

/// Copies a statement to its end, a piece at a time. Who reads it may have had enough (`coffer … | head`), which
/// is no failure; a piece that is missing is one, for half a statement looks like a whole one.
fn copy(mut statement: impl Read, mut out: impl Write) -> Result<(), Failure> {
    let mut buffer = vec![0; COPY_BYTES];
    loop {
        let count = match statement.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(Failure::Failed(format!("the statement broke off: {error}"))),
        };
        let written = if count == 0 { out.flush() } else { out.write_all(&buffer[..count]) };
        match written {
            Ok(()) if count == 0 => return Ok(()),
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => return Err(Failure::Failed(format!("cannot write the statement: {error}"))),
        }
    }
}
