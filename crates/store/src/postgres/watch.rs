//! Whether the tables are still those that this node knows: somebody may bring them to a newer version while it runs.
//!
//! A batch looks before it writes, once a second at most; and a probe does. So a node whose schema is gone under it says so,
//! and writes nothing in a form that is no longer right.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use deadpool_postgres::Object;

use super::schema::{NEWEST, VERSION};
use crate::StoreError;

/// For how long what was seen is believed.
const BELIEVED: Duration = Duration::from_secs(1);

/// The version of the tables, as it was last seen.
#[derive(Debug)]
pub(super) struct SchemaWatch(Mutex<Seen>);

#[derive(Clone, Copy, Debug)]
struct Seen {
    version: i64,
    at: Instant,
}

impl SchemaWatch {
    /// Of tables that were just found to be of this program's version.
    pub(super) fn started() -> SchemaWatch {
        SchemaWatch(Mutex::new(Seen { version: NEWEST, at: Instant::now() }))
    }

    /// Looks, unless that was done a moment ago.
    ///
    /// # Errors
    /// Where the tables are of another version, or cannot be read.
    pub(super) async fn look_now_and_then(&self, connection: &Object) -> Result<(), StoreError> {
        let seen = *self.seen();
        if seen.at.elapsed() < BELIEVED { fits(seen.version) } else { self.look(connection).await }
    }

    /// Looks.
    ///
    /// # Errors
    /// Where the tables are of another version, or cannot be read.
    pub(super) async fn look(&self, connection: &Object) -> Result<(), StoreError> {
        let at = Instant::now();
        let statement = connection.prepare_cached(VERSION).await?;
        let row = connection.query_opt(&statement, &[&0_i16]).await?;
        let version = row.map_or(0, |row| row.get(0));
        let before = std::mem::replace(&mut *self.seen(), Seen { version, at });
        if before.version != version {
            match fits(version) {
                Ok(()) => {
                    tracing::warn!(version, "the database's schema is the one that this node knows again");
                }
                Err(error) => tracing::error!(%error, "nothing is written"),
            }
        }
        fits(version)
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.0.lock().expect("no thread panics while it holds what was seen")
    }
}

fn fits(version: i64) -> Result<(), StoreError> {
    if version == NEWEST { Ok(()) } else { Err(StoreError::SchemaChanged { found: version, known: NEWEST }) }
}
