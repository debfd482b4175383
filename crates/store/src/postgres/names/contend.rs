//! A name that was not free: it is somebody's, or somebody has reserved it and may yet use it, or may no longer.

use coffer_ledger::{Timestamp, UuidBytes};
use deadpool_postgres::Object;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{NameHash, SECRET, Wish, bucket_of_name, insertion, listed, look};
use crate::postgres::database::all;
use crate::postgres::statement::{self, Bytes, Form};

/// After how long a reservation that nobody has claimed is free again.
const RESERVED_MS_MAX: u32 = 60_000;
/// How often a name is looked at that others change at the same time.
const LOOKS_MAX: usize = 5;

/// How it stands with a name that was not free.
pub(super) enum Standing {
    /// It is reserved for us after all.
    Reserved,
    /// It is somebody's.
    Taken(UuidBytes),
    /// Somebody has reserved it and may yet use it.
    Contended(UuidBytes),
}

/// Takes a name over that somebody has reserved and never claimed; tells whose it is otherwise.
pub(super) async fn contend(
    connection: &Object,
    form: Form,
    wish: &Wish,
    now: Timestamp,
) -> Result<Standing, tokio_postgres::Error> {
    let wishes = [*wish];
    let mut owner = wish.owner;
    for _ in 0..LOOKS_MAX {
        let answers = all(connection, vec![insertion(form, &wishes, now), look(form, &wishes)]).await?;
        let Some((_, listed)) = answers[1].first().and_then(listed) else { continue };
        owner = listed.owner;
        let Some(reservation) = listed.reservation else { return Ok(Standing::Taken(owner)) };
        if reservation == wish.reservation {
            return Ok(Standing::Reserved);
        }
        if has_name(connection, owner, wish).await? {
            return Ok(Standing::Taken(owner));
        }
        if listed.reserved_at.saturating_add_ms(RESERVED_MS_MAX) > now {
            return Ok(Standing::Contended(owner));
        }
        // The claim shuts the late owner out. Where it is there already and the owner is not, an heir of before has made it
        // and died: owner and claim are written together.
        if take_claim(connection, owner, reservation).await? || !has_name(connection, owner, wish).await? {
            take_over(connection, wish, reservation, now).await?;
        }
    }
    Ok(Standing::Contended(owner))
}

/// Whether an owner was written with a name.
async fn has_name(connection: &Object, owner: UuidBytes, wish: &Wish) -> Result<bool, tokio_postgres::Error> {
    let (bucket, owner) = (i16::from(owner[15]), statement::id(owner));
    if wish.kind == SECRET {
        let sql = "SELECT id FROM keys WHERE bucket = $1 AND id = $2 AND (secret = $3 OR EXISTS \
                   (SELECT FROM retired_secrets WHERE bucket = $1 AND key_id = $2 AND secret = $3))";
        let statement = connection.prepare_cached(sql).await?;
        return Ok(connection.query_opt(&statement, &[&bucket, &owner, &Bytes(wish.name)]).await?.is_some());
    }
    let sql = "SELECT external_id FROM account_profiles WHERE bucket = $1 AND id = $2";
    let statement = connection.prepare_cached(sql).await?;
    let found = connection.query_opt(&statement, &[&bucket, &owner]).await?;
    let external_id: Option<String> = match found {
        Some(row) => row.try_get(0)?,
        None => None,
    };
    Ok(external_id.is_some_and(|external_id| NameHash::from(Sha256::digest(external_id)) == wish.name))
}

/// Claims a reservation in its owner's place: from now on the owner cannot be written. False where it has been.
async fn take_claim(
    connection: &Object,
    owner: UuidBytes,
    reservation: Uuid,
) -> Result<bool, tokio_postgres::Error> {
    let sql = "INSERT INTO claims (bucket, reservation) VALUES ($1, $2) ON CONFLICT (bucket, reservation) \
               DO NOTHING RETURNING reservation";
    let statement = connection.prepare_cached(sql).await?;
    let taken = connection.query_opt(&statement, &[&i16::from(owner[15]), &reservation]).await?;
    Ok(taken.is_some())
}

async fn take_over(
    connection: &Object,
    wish: &Wish,
    from: Uuid,
    now: Timestamp,
) -> Result<(), tokio_postgres::Error> {
    let sql = "UPDATE directory SET owner = $4, reservation = $5, reserved_at = $6 \
               WHERE bucket = $1 AND kind = $2 AND name = $3 AND reservation = $7";
    let statement = connection.prepare_cached(sql).await?;
    let bucket = statement::bucket(bucket_of_name(&wish.name));
    let (name, owner) = (Bytes(wish.name), statement::id(wish.owner));
    let arguments: [&(dyn tokio_postgres::types::ToSql + Sync); 7] =
        [&bucket, &wish.kind, &name, &owner, &wish.reservation, &now.unix_ms(), &from];
    connection.execute(&statement, &arguments).await?;
    Ok(())
}
