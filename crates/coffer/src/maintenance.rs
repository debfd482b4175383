//! `coffer verify`, `backup` and `restore`: the ledger as a whole, with or without a server beside it.

use std::path::{Path, PathBuf};

use coffer_ledger::Finding;
use coffer_store::{LedgerFile, Verified};
use serde_json::json;

use crate::Failure;
use crate::cli::Globals;
use crate::database;
use crate::serve::failed;
use crate::storage::{DATA_DEFAULT, Place};
use crate::terminal::say;

pub(crate) fn verify(globals: &Globals) -> Result<(), Failure> {
    let mut findings = Vec::new();
    let tell = |finding: Finding| {
        if !globals.json {
            say(&finding);
        }
        findings.push(finding);
    };
    let verified = match Place::given(globals)? {
        Some(Place::Database(url)) => database::verify(url, tell)?,
        Some(Place::Directory(data)) => LedgerFile::of_directory(&data).verify(tell).map_err(failed)?,
        None => LedgerFile::of_directory(Path::new(DATA_DEFAULT)).verify(tell).map_err(failed)?,
    };
    if globals.json {
        let Verified { accounts, entries, .. } = verified;
        say(
            json!({"ok": findings.is_empty(), "accounts": accounts, "entries": entries, "findings": findings}),
        );
    } else if findings.is_empty() {
        say(format_args!("ok: {}", summary(&verified)));
    }
    if findings.is_empty() {
        return Ok(());
    }
    Err(Failure::Failed(format!("{} findings in {}", findings.len(), summary(&verified))))
}

pub(crate) fn back_up(globals: &Globals, to: &Path) -> Result<(), Failure> {
    let data = directory("backup", globals)?.unwrap_or_else(|| DATA_DEFAULT.into());
    let verified = LedgerFile::of_directory(&data).back_up(to).map_err(failed)?;
    done(globals, to, &verified, "backed up");
    Ok(())
}

pub(crate) fn restore(globals: &Globals, from: &Path) -> Result<(), Failure> {
    let Some(data) = &directory("restore", globals)? else {
        return Err(Failure::Usage("restore needs --data DIR, an empty directory or a new one".to_owned()));
    };
    let verified = LedgerFile::at(from).restore(data).map_err(failed)?;
    done(globals, data, &verified, "restored");
    if !globals.json {
        say(format_args!(
            "The operator keys of the backup open it. If none is at hand: coffer operator-key create --data {}",
            data.display()
        ));
    }
    Ok(())
}

fn done(globals: &Globals, to: &Path, verified: &Verified, what: &str) {
    if globals.json {
        let Verified { accounts, entries, .. } = verified;
        say(json!({"ok": true, "path": to.to_string_lossy(), "accounts": accounts, "entries": entries}));
    } else {
        say(format_args!("{what} and verified: {}, at {}", summary(verified), to.display()));
    }
}

fn summary(verified: &Verified) -> String {
    format!("{} accounts, {} entries", verified.accounts, verified.entries)
}

/// The data directory that is given. A database has tools of its own, which know it better.
fn directory(command: &str, globals: &Globals) -> Result<Option<PathBuf>, Failure> {
    match Place::given(globals)? {
        None => Ok(None),
        Some(Place::Directory(data)) => Ok(Some(data)),
        Some(Place::Database(_)) => Err(Failure::Usage(format!(
            "coffer {command} is for a data directory; for a database use its own tools, such as pg_dump or \
             pg_basebackup, and coffer verify --database-url after that"
        ))),
    }
}
