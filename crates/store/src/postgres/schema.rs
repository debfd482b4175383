//! The tables, with their versions: made in an empty database, upgraded under a lock, distributed where the database is
//! sharded.

use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use tokio_postgres::error::SqlState;

use super::PostgresError;
use super::statement::Form;

/// The scripts that lead from each schema version to the next; the first makes version 1.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_ledger.sql"),
    include_str!("migrations/0002_people.sql"),
    include_str!("migrations/0003_account_names.sql"),
    include_str!("migrations/0004_usage.sql"),
];
/// The newest version.
pub(super) const NEWEST: i64 = MIGRATIONS.len() as i64;

/// The table that says which version the others have. Its one row is the lock under which they are changed, so it is not
/// distributed.
const VERSIONS: &str = "CREATE TABLE IF NOT EXISTS coffer_schema \
    (bucket smallint NOT NULL, version bigint NOT NULL, PRIMARY KEY (bucket)); \
    INSERT INTO coffer_schema (bucket, version) VALUES (0, 0) ON CONFLICT (bucket) DO NOTHING";

/// The version, in the bucket of its row.
pub(super) const VERSION: &str = "SELECT version FROM coffer_schema WHERE bucket = $1";

/// The mark that the tables are being filled from another store: a second row, which is there until they are full.
pub(super) const LOCK_MARK: &str = "SELECT version FROM coffer_schema WHERE bucket = 1 FOR UPDATE";
/// Takes the mark away.
pub(super) const REMOVE_MARK: &str = "DELETE FROM coffer_schema WHERE bucket = 1";

/// What is distributed, by bucket and together.
pub(super) const TABLES: [&str; 21] = [
    "accounts",
    "account_profiles",
    "lots",
    "grants",
    "entries",
    "remembered",
    "charge_refunds",
    "holds",
    "keys",
    "key_profiles",
    "key_uses",
    "retired_secrets",
    "directory",
    "claims",
    "prices",
    "operator_keys",
    "probe",
    "sessions",
    "actions",
    "usage_through",
    "usage_days",
];

/// How often the first table is tried to be made beside other nodes that do the same.
const MAKE_TRIES_MAX: usize = 20;
const MAKE_AGAIN_MS: u64 = 50;

/// From which version to which a schema was brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Upgraded {
    /// What was there; 0 for nothing.
    pub from: i64,
    /// What is there now.
    pub to: i64,
}

/// Why the tables are changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    /// A first start makes an empty database's tables.
    Start,
    /// So does whoever fills them from another store.
    Filling,
    /// An upgrade may also meet tables of a newer version.
    Upgrade,
}

/// Makes the tables where there are none, refuses those of another version, and tells how they are to be spoken to.
pub(super) async fn open(pool: &Pool) -> Result<Form, PostgresError> {
    let mut connection = pool.get().await?;
    match version(&connection).await? {
        None | Some(0) => drop(change(&mut connection, Change::Start).await?),
        Some(found) => check(found)?,
    }
    check_mark(&connection).await?;
    form(&connection).await
}

/// Makes the tables in an empty database, with the mark that they are being filled, or finds that mark; and tells how they
/// are to be spoken to.
pub(super) async fn begin_filling(pool: &Pool) -> Result<Form, PostgresError> {
    let mut connection = pool.get().await?;
    match version(&connection).await? {
        None | Some(0) => drop(change(&mut connection, Change::Filling).await?),
        Some(found) => check(found)?,
    }
    if !has_mark(&connection).await? {
        return Err(PostgresError::HoldsALedger);
    }
    form(&connection).await
}

/// The form that statements have on tables that are there.
pub(super) async fn open_existing(pool: &Pool) -> Result<Form, PostgresError> {
    let connection = pool.get().await?;
    match version(&connection).await? {
        None | Some(0) => Err(PostgresError::NoLedger),
        Some(found) => {
            check(found)?;
            check_mark(&connection).await?;
            form(&connection).await
        }
    }
}

/// Whether somebody has begun to fill the tables and not finished.
async fn has_mark(connection: &Object) -> Result<bool, PostgresError> {
    let sql = "SELECT EXISTS (SELECT FROM coffer_schema WHERE bucket = 1)";
    Ok(connection.query_one(sql, &[]).await?.get(0))
}

async fn check_mark(connection: &Object) -> Result<(), PostgresError> {
    if has_mark(connection).await? { Err(PostgresError::IsBeingFilled) } else { Ok(()) }
}

/// Brings the tables to the newest version, and distributes them where the database has become a sharded one.
pub(super) async fn upgrade(pool: &Pool) -> Result<Upgraded, PostgresError> {
    let mut connection = pool.get().await?;
    if version(&connection).await?.is_none() {
        return Err(PostgresError::NoLedger);
    }
    change(&mut connection, Change::Upgrade).await
}

fn check(found: i64) -> Result<(), PostgresError> {
    match found.cmp(&NEWEST) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Less => Err(PostgresError::TooOld { found, known: NEWEST }),
        std::cmp::Ordering::Greater => Err(PostgresError::TooNew { found, known: NEWEST }),
    }
}

/// The version of the tables; `None` where not even the table of versions is there.
async fn version(connection: &Object) -> Result<Option<i64>, PostgresError> {
    let exists: bool =
        connection.query_one("SELECT to_regclass('coffer_schema') IS NOT NULL", &[]).await?.get(0);
    if !exists {
        return Ok(None);
    }
    let row = connection.query_opt(VERSION, &[&0_i16]).await?;
    Ok(Some(row.map_or(0, |row| row.get(0))))
}

/// Runs the scripts that are missing, all or none of them. Whoever comes second waits for the first and finds nothing left.
async fn change(connection: &mut Object, why: Change) -> Result<Upgraded, PostgresError> {
    if version(connection).await?.is_none() {
        check_empty(connection).await?;
    }
    make_versions(connection).await?;
    let is_sharded = is_sharded(connection).await?;
    let transaction = connection.transaction().await?;
    let lock = "SELECT version FROM coffer_schema WHERE bucket = 0 FOR UPDATE";
    let from: i64 = transaction.query_one(lock, &[]).await?.get(0);
    if from > NEWEST || (why != Change::Upgrade && from > 0) {
        check(from)?;
    }
    if is_sharded {
        transaction.batch_execute("SET LOCAL citus.multi_shard_modify_mode TO 'sequential'").await?;
    }
    let done = usize::try_from(from).unwrap_or(0);
    for script in MIGRATIONS.iter().skip(done) {
        transaction.batch_execute(script).await.map_err(|error| not_ours(&error).unwrap_or(error.into()))?;
    }
    if is_sharded {
        distribute(&transaction).await?;
    }
    if why == Change::Filling && from == 0 {
        transaction.execute("INSERT INTO coffer_schema (bucket, version) VALUES (1, 1)", &[]).await?;
    }
    transaction.execute("UPDATE coffer_schema SET version = $1 WHERE bucket = 0", &[&NEWEST]).await?;
    transaction.commit().await?;
    Ok(Upgraded { from, to: NEWEST })
}

/// Where no ledger is, whether another application's tables stand in the way: then nothing is made at all.
async fn check_empty(connection: &Object) -> Result<(), PostgresError> {
    let sql = "SELECT relname::text FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm') \
               AND pg_table_is_visible(oid) AND relname = ANY ($1)";
    let names: Vec<String> = TABLES.iter().map(|name| (*name).to_owned()).collect();
    let found = connection.query(sql, &[&names]).await?;
    match found.first() {
        // Another node may have made them meanwhile.
        Some(row) if version(connection).await?.is_none() => Err(PostgresError::NotALedger(row.get(0))),
        Some(_) | None => Ok(()),
    }
}

/// Two who make a table at once are not kept apart by `IF NOT EXISTS`: one of them fails, and tries again.
async fn make_versions(connection: &Object) -> Result<(), PostgresError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match connection.batch_execute(VERSIONS).await {
            Ok(()) => return Ok(()),
            Err(error) if tries < MAKE_TRIES_MAX && is_collision(&error) => {
                tokio::time::sleep(Duration::from_millis(MAKE_AGAIN_MS)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn is_collision(error: &tokio_postgres::Error) -> bool {
    let collisions = [&SqlState::UNIQUE_VIOLATION, &SqlState::DUPLICATE_TABLE, &SqlState::DUPLICATE_OBJECT];
    error.code().is_some_and(|code| collisions.contains(&code))
}

/// A table of that name which no ledger has made.
fn not_ours(error: &tokio_postgres::Error) -> Option<PostgresError> {
    let cause = error.as_db_error().filter(|cause| *cause.code() == SqlState::DUPLICATE_TABLE)?;
    let name = cause.message().split('"').nth(1).unwrap_or("of the same name");
    Some(PostgresError::NotALedger(name.to_owned()))
}

async fn is_sharded(connection: &Object) -> Result<bool, PostgresError> {
    let sql = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')";
    Ok(connection.query_one(sql, &[]).await?.get(0))
}

/// Distributes the tables that are not yet.
async fn distribute(transaction: &deadpool_postgres::Transaction<'_>) -> Result<(), PostgresError> {
    let distributed = "SELECT logicalrelid::regclass::text FROM pg_dist_partition";
    let rows = transaction.query(distributed, &[]).await?;
    let distributed: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    for (index, table) in TABLES.iter().enumerate() {
        if distributed.iter().any(|known| known.rsplit('.').next() == Some(table)) {
            continue;
        }
        let with = if index == 0 { "default" } else { TABLES[0] };
        let sql = format!("SELECT create_distributed_table('{table}', 'bucket', colocate_with => '{with}')");
        transaction.batch_execute(&sql).await?;
    }
    Ok(())
}

/// How statements must name buckets for these tables.
async fn form(connection: &Object) -> Result<Form, PostgresError> {
    if !is_sharded(connection).await? {
        return Ok(Form::AnyBucket);
    }
    let sql = "SELECT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'accounts'::regclass)";
    let is_distributed: bool = connection.query_one(sql, &[]).await?.get(0);
    Ok(if is_distributed { Form::OneBucket } else { Form::AnyBucket })
}

/// Settings with which what was acknowledged can be lost; each is named.
pub(super) async fn name_dangers(pool: &Pool) -> Result<(), PostgresError> {
    let connection = pool.get().await?;
    for (setting, danger) in [
        ("fsync", "a crash of its machine can lose or damage the whole ledger"),
        ("full_page_writes", "a crash of its machine can damage the whole ledger"),
        ("synchronous_commit", "a crash can lose charges that were acknowledged"),
    ] {
        let value: String = connection.query_one("SELECT current_setting($1)", &[&setting]).await?.get(0);
        if value == "off" {
            tracing::error!("DANGER: the database runs with {setting} = off: {danger}");
        }
    }
    Ok(())
}
