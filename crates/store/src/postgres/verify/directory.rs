//! The directory: everything that has a name has it there, and what is there without a reservation is somebody's.
//!
//! A name is there before its owner, and stays. So owners are read before the names that they must have, and names before
//! the owners that must have them; what is only reserved is nobody's yet, and no finding.

use std::collections::BTreeMap;

use coffer_ledger::{AccountId, ExternalId, Finding, KeyId, UuidBytes};
use tokio_postgres::Row;

use super::names::{Name, Owned, owned_names, owners};
use super::{Look, found_each_time};
use crate::postgres::PostgresError;
use crate::postgres::names::{EXTERNAL_ID, SECRET, external_id_name};
use crate::rows::{self, Columns};

type Read = fn(&mut Columns<'_>) -> rows::Result<Owned>;

/// Where names come from, and what they are to people.
const NAMED: [(&str, Read); 3] = [
    ("SELECT id, secret FROM keys", |columns| {
        Ok(Owned { owner: columns.bytes()?, name: Name { kind: SECRET, hash: columns.bytes()? } })
    }),
    ("SELECT key_id, secret FROM retired_secrets", |columns| {
        Ok(Owned { owner: columns.bytes()?, name: Name { kind: SECRET, hash: columns.bytes()? } })
    }),
    ("SELECT id, external_id FROM account_profiles WHERE external_id IS NOT NULL", |columns| {
        let owner = columns.bytes()?;
        let external_id: ExternalId = columns.text()?;
        Ok(Owned { owner, name: Name { kind: EXTERNAL_ID, hash: external_id_name(&external_id) } })
    }),
];

pub(super) async fn directory(look: &Look<'_>, tell: &mut impl FnMut(Finding)) -> Result<(), PostgresError> {
    for (sql, read) in NAMED {
        let mut pages = look.all_pages(sql).await?;
        while let Some(page) = pages.next().await? {
            // What cannot be read is told elsewhere.
            let owned: Vec<Owned> = page.iter().filter_map(|row| read(&mut Columns::of(row)).ok()).collect();
            let found = found_each_time(async || missing(look, &owned).await);
            found.await?.into_iter().for_each(&mut *tell);
        }
    }
    let settled = "SELECT kind, name, owner FROM directory WHERE reservation IS NULL";
    let mut pages = look.all_pages(settled).await?;
    while let Some(page) = pages.next().await? {
        let listed: Vec<Owned> = page.iter().filter_map(|row| listed(row, tell)).collect();
        let found = found_each_time(async || superfluous(look, &listed).await);
        found.await?.into_iter().for_each(&mut *tell);
    }
    Ok(())
}

fn listed(row: &Row, tell: &mut impl FnMut(Finding)) -> Option<Owned> {
    let mut columns = Columns::of(row);
    let mut read = || -> rows::Result<(String, Owned)> {
        let kind: String = columns.text()?;
        let name = |kind, hash| Name { kind, hash };
        let hash = columns.bytes()?;
        let name = if kind == SECRET { name(SECRET, hash) } else { name(EXTERNAL_ID, hash) };
        Ok((kind, Owned { name, owner: columns.bytes()? }))
    };
    match read() {
        Ok((kind, owned)) if kind == owned.name.kind => Some(owned),
        Ok((kind, _)) => {
            tell(format!("the directory has a name of an unknown kind {kind:?}"));
            None
        }
        Err(error) => {
            tell(format!("a name in the directory cannot be read: {error}"));
            None
        }
    }
}

/// Names of owners that the directory does not have, or has as another's.
async fn missing(look: &Look<'_>, owned: &[Owned]) -> Result<Vec<Finding>, PostgresError> {
    let listed: BTreeMap<Name, UuidBytes> = owners(look, owned).await?;
    let finding = |owned: &Owned| match listed.get(&owned.name) {
        Some(owner) if *owner == owned.owner => None,
        Some(owner) => Some(format!(
            "{}: by the directory its {} is that of {}",
            whose(owned.name.kind, owned.owner),
            what(owned.name.kind),
            whose(owned.name.kind, *owner)
        )),
        None => Some(format!(
            "{}: its {} is missing from the directory",
            whose(owned.name.kind, owned.owner),
            what(owned.name.kind)
        )),
    };
    Ok(owned.iter().filter_map(finding).collect())
}

/// Names that the directory has, and their owners have not.
async fn superfluous(look: &Look<'_>, listed: &[Owned]) -> Result<Vec<Finding>, PostgresError> {
    let had = owned_names(look, listed).await?;
    let finding = |listed: &&Owned| {
        let kind = listed.name.kind;
        format!("{}: it has not the {} that the directory gives it", whose(kind, listed.owner), what(kind))
    };
    Ok(listed.iter().filter(|listed| !had.contains(listed)).map(|listed| finding(&listed)).collect())
}

fn whose(kind: &str, owner: UuidBytes) -> String {
    if kind == SECRET {
        KeyId::from_bytes(owner).to_string()
    } else {
        AccountId::from_bytes(owner).to_string()
    }
}

fn what(kind: &str) -> &'static str {
    if kind == SECRET { "secret" } else { "external id" }
}
