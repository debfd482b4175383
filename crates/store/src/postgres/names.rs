//! Names that only one may have: secrets of keys, and external ids.
//!
//! They are unique among all accounts, so no account's bucket can tell whether one is taken. Each has a row in the
//! directory, in a bucket of its own hash. A name is reserved there first; then its owner is written, together with a claim
//! on the reservation; then the reservation is made good. A node may be killed between any two of these steps: what is
//! reserved and not claimed is free again after a while, and whoever wants it takes the claim in the owner's place, so that
//! an owner who is merely late can no longer be written.

use std::collections::BTreeMap;

use coffer_ledger::{
    AccountId, Bucket, Changes, Command, ExternalId, KeyId, SecretHash, Snapshot, Timestamp, UuidBytes,
};
use deadpool_postgres::Object;
use sha2::{Digest as _, Sha256};
use tokio_postgres::Row;
use uuid::Uuid;

use super::database::all;
use super::statement::{self, Bytes, Call, Form, Given, by_statement};
use crate::StoreError;
use crate::migrate::Portion;
use crate::rows::Columns;

/// The directory's word for external ids.
pub(super) const EXTERNAL_ID: &str = "external_id";
/// The directory's word for hashes of secrets.
pub(super) const SECRET: &str = "secret";

/// After how long a reservation that nobody has claimed is free again.
const RESERVED_MS_MAX: u32 = 60_000;
/// How often a name is looked at that others change at the same time.
const LOOKS_MAX: usize = 5;

pub(super) type NameHash = [u8; 32];

/// An external id as the directory knows it.
pub(super) fn external_id_name(external_id: &ExternalId) -> NameHash {
    Sha256::digest(external_id.as_str()).into()
}

/// Where the directory has a name.
pub(super) const fn bucket_of_name(name: &NameHash) -> Bucket {
    Bucket(name[31])
}

/// A name that somebody is to get.
#[derive(Clone, Copy, Debug)]
struct Wish {
    kind: &'static str,
    name: NameHash,
    owner: UuidBytes,
    reservation: Uuid,
}

impl Wish {
    fn owner_bucket(&self) -> Bucket {
        Bucket(self.owner[15])
    }
}

/// The names that the commands of a batch would give, each with one reservation however often the batch is tried.
#[derive(Debug, Default)]
pub(super) struct Names {
    wishes: Vec<Wish>,
    /// The owners of names that are taken.
    taken: BTreeMap<(&'static str, NameHash), UuidBytes>,
}

/// What the directory says of a name.
struct Listed {
    owner: UuidBytes,
    reservation: Option<Uuid>,
    reserved_at: Timestamp,
}

impl Names {
    /// What these commands would give. Where two want the same name, it is reserved for the first.
    pub(super) fn of(commands: &[Command]) -> Names {
        let mut wishes: BTreeMap<(&'static str, NameHash), UuidBytes> = BTreeMap::new();
        for command in commands {
            if let Some((kind, name, owner)) = wish(command) {
                wishes.entry((kind, name)).or_insert(owner);
            }
        }
        let wish =
            |((kind, name), owner)| Wish { kind, name, owner, reservation: Uuid::from_u128(rand::random()) };
        Names { wishes: wishes.into_iter().map(wish).collect(), taken: BTreeMap::new() }
    }

    /// Whether nothing is to be given.
    pub(super) fn is_empty(&self) -> bool {
        self.wishes.is_empty()
    }

    /// Reserves what is free, and finds out whose the rest is. True where another has just reserved one and not used it yet:
    /// it counts as taken, and in a moment more may be known.
    pub(super) async fn reserve(
        &mut self,
        connection: &Object,
        form: Form,
        now: Timestamp,
    ) -> Result<bool, tokio_postgres::Error> {
        self.taken.clear();
        let mut is_contended = false;
        let parts = by_statement(form, self.wishes.clone(), |wish| bucket_of_name(&wish.name));
        for part in parts {
            let calls = vec![insertion(form, &part, now), look(form, &part)];
            let answers = all(connection, calls).await?;
            let listed: BTreeMap<(String, NameHash), Listed> = answers[1].iter().filter_map(listed).collect();
            for wish in part {
                let found = listed.get(&(wish.kind.to_owned(), wish.name));
                if found.is_some_and(|listed| listed.reservation == Some(wish.reservation)) {
                    continue;
                }
                match contend(connection, form, &wish, now).await? {
                    Standing::Reserved => {}
                    Standing::Taken(owner) => drop(self.taken.insert((wish.kind, wish.name), owner)),
                    Standing::Contended(owner) => {
                        is_contended = true;
                        self.taken.insert((wish.kind, wish.name), owner);
                    }
                }
            }
        }
        Ok(is_contended)
    }

    /// Frees what was reserved for a batch that came to nothing.
    pub(super) async fn give_up(&self, connection: &Object, form: Form) -> Result<(), tokio_postgres::Error> {
        for part in by_statement(form, self.wishes.clone(), |wish| bucket_of_name(&wish.name)) {
            let call = named(form, &part).with("reservation", "uuid", &part, |wish| wish.reservation);
            all(connection, vec![call.delete("directory")]).await?;
        }
        Ok(())
    }

    /// Tells a snapshot whose the names are that are taken.
    pub(super) fn tell(&self, commands: &[Command], snapshot: &mut Snapshot) {
        for ((kind, name), owner) in &self.taken {
            if *kind == SECRET {
                snapshot.secrets.insert(SecretHash::from_bytes(*name), KeyId::from_bytes(*owner));
            }
        }
        for command in commands {
            if let Command::CreateAccount(create) = command.bare()
                && let Some(external_id) = &create.external_id
                && let Some(owner) = self.taken.get(&(EXTERNAL_ID, external_id_name(external_id)))
            {
                snapshot.external_ids.insert(external_id.clone(), AccountId::from_bytes(*owner));
            }
        }
    }

    /// What becomes of the reservations by what a batch has decided: who gets a name, and which are not needed.
    pub(super) fn given(&self, changes: &Changes) -> GivenNames {
        let mut owners: BTreeMap<(&str, NameHash), UuidBytes> = BTreeMap::new();
        for key in &changes.keys {
            // A secret may be given and retired by the same batch, and lives on.
            let retired = key.retired.iter().map(|retired| &retired.secret);
            let secrets = retired.chain([&key.secret]);
            owners.extend(secrets.map(|secret| ((SECRET, *secret.bytes()), key.id.bytes())));
        }
        for profile in changes.account_profiles.values() {
            if let Some(external_id) = &profile.external_id {
                owners.insert((EXTERNAL_ID, external_id_name(external_id)), profile.id.bytes());
            }
        }
        let mut given = GivenNames::default();
        for wish in self.wishes.iter().filter(|wish| !self.taken.contains_key(&(wish.kind, wish.name))) {
            match owners.get(&(wish.kind, wish.name)) {
                None => given.unused.push(*wish),
                Some(owner) => {
                    given.has_moved |= *owner != wish.owner;
                    given.used.push(Wish { owner: *owner, ..*wish });
                }
            }
        }
        given
    }
}

/// Reservations of which it is known who gets the name.
#[derive(Debug, Default)]
pub(super) struct GivenNames {
    used: Vec<Wish>,
    unused: Vec<Wish>,
    /// Whether a name goes to somebody else than the one for whom it was reserved.
    pub(super) has_moved: bool,
}

impl GivenNames {
    /// The claims, which are written together with the owners.
    pub(super) fn claims(&self, form: Form) -> Vec<Call> {
        let parts = by_statement(form, self.used.clone(), Wish::owner_bucket);
        let claim = |part: Vec<Wish>| {
            let given = Given::of(form, &part, Wish::owner_bucket);
            given.with("reservation", "uuid", &part, |wish| wish.reservation).insert("claims")
        };
        parts.into_iter().map(claim).collect()
    }

    /// Before the owners are written: notes those who get a name that was reserved for another.
    pub(super) async fn note_owners(
        &self,
        connection: &Object,
        form: Form,
    ) -> Result<(), tokio_postgres::Error> {
        if !self.has_moved {
            return Ok(());
        }
        for part in by_statement(form, self.used.clone(), |wish| bucket_of_name(&wish.name)) {
            let given = named(form, &part).with("reservation", "uuid", &part, |wish| wish.reservation);
            let given = given.with("owner", "uuid", &part, |wish| statement::id(wish.owner));
            all(connection, vec![given.update("directory", 3)]).await?;
        }
        Ok(())
    }

    /// After the commit: makes the reservations good, and gives up those that were not needed. Where it breaks off, the
    /// names are settled by whoever wants them next.
    pub(super) async fn settle(&self, connection: &Object, form: Form) -> Result<(), tokio_postgres::Error> {
        for part in by_statement(form, self.unused.clone(), |wish| bucket_of_name(&wish.name)) {
            let call = named(form, &part).with("reservation", "uuid", &part, |wish| wish.reservation);
            all(connection, vec![call.delete("directory")]).await?;
        }
        for part in by_statement(form, self.used.clone(), |wish| bucket_of_name(&wish.name)) {
            let call = named(form, &part).with("reservation", "uuid", &part, |_| None::<Uuid>);
            all(connection, vec![call.update("directory", 2)]).await?;
        }
        // Only now: without its claim, a reservation that was not made good would seem to be nobody's.
        for part in by_statement(form, self.used.clone(), Wish::owner_bucket) {
            let given = Given::of(form, &part, Wish::owner_bucket);
            let call = given.with("reservation", "uuid", &part, |wish| wish.reservation).delete("claims");
            all(connection, vec![call]).await?;
        }
        Ok(())
    }
}

fn wish(command: &Command) -> Option<(&'static str, NameHash, UuidBytes)> {
    match command.bare() {
        Command::CreateAccount(create) => {
            let external_id = create.external_id.as_ref()?;
            Some((EXTERNAL_ID, external_id_name(external_id), create.id.bytes()))
        }
        Command::CreateKey(create) => Some((SECRET, *create.secret.bytes(), create.id.bytes())),
        Command::RotateKey(rotate) => Some((SECRET, *rotate.secret.bytes(), rotate.id.bytes())),
        Command::UpdateAccount(_)
        | Command::Grant(_)
        | Command::VoidGrant(_)
        | Command::Adjust(_)
        | Command::Charge(_)
        | Command::Refund(_)
        | Command::Hold(_)
        | Command::Capture(_)
        | Command::Release(_)
        | Command::Settle(_)
        | Command::EraseTexts(_)
        | Command::UpdateKey(_)
        | Command::RevokeKey(_)
        | Command::PutPrice(_)
        | Command::DeletePrice(_)
        | Command::CreateOperatorKey(_)
        | Command::RevokeOperatorKey(_)
        | Command::OfferSession(_)
        | Command::OpenSession(_)
        | Command::SignIn(_)
        | Command::UseSession(_)
        | Command::EndSession(_)
        | Command::EndSessions(_)
        | Command::Audited(_) => None,
    }
}

fn named(form: Form, wishes: &[Wish]) -> Given {
    Given::of(form, wishes, |wish| bucket_of_name(&wish.name))
        .with("kind", "text", wishes, |wish| wish.kind)
        .with("name", "bytea", wishes, |wish| Bytes(wish.name))
}

fn insertion(form: Form, wishes: &[Wish], now: Timestamp) -> Call {
    named(form, wishes)
        .with("owner", "uuid", wishes, |wish| statement::id(wish.owner))
        .with("reservation", "uuid", wishes, |wish| wish.reservation)
        .with("reserved_at", "bigint", wishes, |_| now.unix_ms())
        .insert_missing("directory", 2)
}

fn look(form: Form, wishes: &[Wish]) -> Call {
    let columns =
        "directory.kind, directory.name, directory.owner, directory.reservation, directory.reserved_at";
    named(form, wishes).select(columns, "directory", "")
}

fn listed(row: &Row) -> Option<((String, NameHash), Listed)> {
    let mut columns = Columns::of(row);
    let name = (columns.text().ok()?, columns.bytes().ok()?);
    let listed = Listed {
        owner: columns.bytes().ok()?,
        reservation: columns.optional_bytes().ok()?.map(Uuid::from_bytes),
        reserved_at: Timestamp::from_unix_ms(columns.integer().ok()?)?,
    };
    Some((name, listed))
}

/// How it stands with a name that was not free.
enum Standing {
    /// It is reserved for us after all.
    Reserved,
    /// It is somebody's.
    Taken(UuidBytes),
    /// Somebody has reserved it and may yet use it.
    Contended(UuidBytes),
}

/// Takes a name over that somebody has reserved and never claimed; tells whose it is otherwise.
async fn contend(
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

/// A name that somebody has, as another store knows it: its kind, itself, its owner.
pub(super) type Taken = (&'static str, NameHash, UuidBytes);

/// The names that rows of another store have.
pub(super) fn of_portion(portion: &Portion) -> Vec<Taken> {
    let mut taken = Vec::new();
    let keys = portion.keys.iter();
    taken.extend(keys.map(|key| (SECRET, *key.secret.bytes(), key.id.bytes())));
    let retired = portion.retired_secrets.iter();
    taken.extend(retired.map(|(key, retired)| (SECRET, *retired.secret.bytes(), key.bytes())));
    for profile in &portion.account_profiles {
        let name = profile.external_id.as_ref().map(external_id_name);
        taken.extend(name.map(|name| (EXTERNAL_ID, name, profile.id.bytes())));
    }
    taken
}

/// Lists names that somebody has already.
pub(super) fn listed_as_taken(form: Form, taken: &[Taken]) -> Vec<Call> {
    let bucket = |(_, name, _): &Taken| bucket_of_name(name);
    let call = |part: Vec<Taken>| {
        Given::of(form, &part, bucket)
            .with("kind", "text", &part, |(kind, ..)| *kind)
            .with("name", "bytea", &part, |(_, name, _)| Bytes(*name))
            .with("owner", "uuid", &part, |(.., owner)| statement::id(*owner))
            .with("reservation", "uuid", &part, |_| None::<Uuid>)
            // It never was reserved.
            .with("reserved_at", "bigint", &part, |_| 0_i64)
            .insert_missing("directory", 2)
    };
    by_statement(form, taken.to_vec(), bucket).into_iter().map(call).collect()
}

/// Whose key has a secret, as far as the directory knows.
pub(super) fn owner_of_secret(form: Form, secrets: &[SecretHash]) -> Vec<Call> {
    let parts = by_statement(form, secrets.to_vec(), |secret| bucket_of_name(secret.bytes()));
    let call = |part: Vec<SecretHash>| {
        Given::of(form, &part, |secret| bucket_of_name(secret.bytes()))
            .with("kind", "text", &part, |_| SECRET)
            .with("name", "bytea", &part, |secret| Bytes(*secret.bytes()))
            .select("directory.name, directory.owner", "directory", "")
    };
    parts.into_iter().map(call).collect()
}

/// A secret and the key that has it.
pub(super) fn secret_and_owner(row: &Row) -> Result<(SecretHash, KeyId), StoreError> {
    let mut columns = Columns::of(row);
    let secret = SecretHash::from_bytes(columns.bytes()?);
    Ok((secret, KeyId::from_bytes(columns.bytes()?)))
}
