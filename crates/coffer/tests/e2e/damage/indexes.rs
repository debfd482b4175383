//! Indexes that no longer have what their tables have.

use rusqlite::{Connection, params};

use super::Damaged;

/// An index, and a change of its table that it does not hear of.
const UNHEARD: &[(&str, &str)] = &[
    ("entries_by_charge", "UPDATE entries SET charge_id = zeroblob(16) WHERE kind = 'charge'"),
    (
        "entries_by_reference",
        "UPDATE entries SET reference = 'another' WHERE kind = 'charge' AND reference IS NOT NULL",
    ),
    ("accounts_by_next_due", "UPDATE accounts SET next_due = next_due + 1 WHERE next_due IS NOT NULL"),
    ("account_profiles_by_external_id", "UPDATE account_profiles SET external_id = 'another'"),
    ("lots_open", "UPDATE lots SET remaining = 1 WHERE remaining = 0 AND held = 0"),
    ("holds_open", "UPDATE holds SET status = 'open'"),
    ("holds_open_by_id", "UPDATE holds SET status = 'open'"),
    ("holds_by_account", "UPDATE holds SET account_id = zeroblob(16)"),
    ("grants_by_account", "UPDATE grants SET account_id = zeroblob(16)"),
    ("keys_by_account", "UPDATE keys SET account_id = zeroblob(16)"),
    ("retired_secrets_by_key", "UPDATE retired_secrets SET until = until + 1"),
    ("remembered_refusals_by_time", "UPDATE remembered SET at = at + 1"),
    ("account_profiles_by_name", "UPDATE account_profiles SET name = 'another'"),
    ("sessions_by_holder", "UPDATE sessions SET holder = zeroblob(16)"),
    ("sessions_of_operators", "UPDATE sessions SET holder_kind = 'operator' WHERE holder_kind = 'account'"),
    ("actions_by_account", "UPDATE actions SET account_id = zeroblob(16) WHERE account_id IS NOT NULL"),
    (
        "actions_by_operator_key",
        "UPDATE actions SET operator_key_id = zeroblob(16) WHERE operator_key_id IS NOT NULL",
    ),
];

/// Changes a table behind the back of one of its indexes.
fn change_unheard(damaged: &Damaged, index: &str, change: &str) {
    let connection = writable_schema(damaged);
    let sql = "SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema WHERE name = ?1";
    let row: (String, String, String, i64, String) = connection
        .query_row(sql, [index], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
        .unwrap_or_else(|error| panic!("{index}: {error}"));
    let hidden = connection.execute("DELETE FROM sqlite_schema WHERE name = ?1", [index]);
    assert_eq!(hidden, Ok(1));
    drop(connection);
    damaged.change(change);
    let connection = writable_schema(damaged);
    let sql = "INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql) VALUES (?1, ?2, ?3, ?4, ?5)";
    assert_eq!(connection.execute(sql, params![row.0, row.1, row.2, row.3, row.4]), Ok(1));
}

fn writable_schema(damaged: &Damaged) -> Connection {
    let connection = damaged.connection();
    connection.pragma_update(None, "writable_schema", true).expect("SQLite allows it");
    connection
}

#[tokio::test]
async fn an_index_that_does_not_fit_its_table_is_named() {
    for (index, change) in UNHEARD {
        let damaged = Damaged::copy().await;
        change_unheard(&damaged, index, change);
        let said = damaged.found(index);
        assert!(said.contains(index), "{index}: {said}");
    }
}

#[tokio::test]
async fn every_index_is_tried() {
    let damaged = Damaged::copy().await;
    let connection = damaged.connection();
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL";
    let mut statement = connection.prepare(sql).expect("SQL");
    let names = statement.query_map([], |row| row.get::<_, String>(0)).expect("SQL");
    for name in names {
        let name = name.expect("a name");
        assert!(UNHEARD.iter().any(|(index, _)| **index == name), "{name} is tried");
    }
}
