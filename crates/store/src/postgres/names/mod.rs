//! Names that only one may have: secrets of keys, and external ids.
//!
//! They are unique among all accounts, so no account's bucket can tell whether one is taken. Each has a row in the
//! directory, in a bucket of its own hash. A name is reserved there first; then its owner is written, together with a claim
//! on the reservation; then the reservation is made good. A node may be killed between any two of these steps: what is
//! reserved and not claimed is free again after a while, and whoever wants it takes the claim in the owner's place, so that
//! an owner who is merely late can no longer be written.

mod contend;
mod given;
mod owners;

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
use crate::rows::Columns;
use contend::{Standing, contend};

pub(super) use given::GivenNames;
pub(super) use owners::{listed_as_taken, of_portion, owner_of_secret, secret_and_owner};

/// The directory's word for external ids.
pub(super) const EXTERNAL_ID: &str = "external_id";
/// The directory's word for hashes of secrets.
pub(super) const SECRET: &str = "secret";

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
