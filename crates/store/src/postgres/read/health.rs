//! How the database is.

use crate::postgres::database::Database;
use crate::postgres::statement::Call;
use crate::rows::{self, Columns};
use crate::{StoreHealth, StoreKind};

/// What the database occupies, all of it. One that only speaks PostgreSQL's protocol may not know.
pub(in crate::postgres) async fn health(database: &Database) -> StoreHealth {
    let sql = "SELECT pg_database_size(current_database())";
    let sizes = database.records(|| Call::over_all_buckets(sql, Vec::new()), size).await;
    let bytes = sizes.ok().and_then(|sizes| sizes.into_iter().next());
    StoreHealth { kind: StoreKind::Postgres, bytes, last_backup: None }
}

fn size(columns: &mut Columns<'_>) -> rows::Result<u64> {
    columns.count()
}
