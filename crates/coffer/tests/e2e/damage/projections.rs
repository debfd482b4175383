//! What is computed from entries and kept beside them: changed, it no longer follows from them.

use super::{Damaged, account_id};

/// The account with most in it.
const LARGEST: &str = "(SELECT id FROM accounts ORDER BY seq DESC LIMIT 1)";

/// What is changed, how, and a part of what must be said of it.
const OF_THE_LARGEST: &[(&str, &str, &str)] = &[
    ("what is available", "UPDATE accounts SET available = available + 1", "the account's available is"),
    ("what is held", "UPDATE accounts SET held = held + 1", "the account's held is"),
    ("the debt", "UPDATE accounts SET debt = debt + 1024", "the account's debt is"),
    ("what was granted", "UPDATE accounts SET granted = granted + 1", "the account's granted is"),
    ("what was adjusted", "UPDATE accounts SET adjusted = adjusted + 1", "the account's adjusted is"),
    ("what was refunded", "UPDATE accounts SET refunded = refunded + 1", "the account's refunded is"),
    ("what was spent", "UPDATE accounts SET spent = spent - 1", "the account's spent is"),
    ("what has expired", "UPDATE accounts SET expired = expired + 1", "the account's expired is"),
    ("what was voided", "UPDATE accounts SET voided = voided + 1", "the account's voided is"),
    ("the number of the last entry", "UPDATE accounts SET seq = seq - 1", "the account is at entry"),
    ("the hash of the last entry", "UPDATE accounts SET head = zeroblob(32)", "the account is at entry"),
    ("the time of the last entry", "UPDATE accounts SET last_at = last_at + 1", "the account is at"),
    ("how many lots were made", "UPDATE accounts SET lots_made = lots_made + 1", "lots were made in it"),
    ("the day of refunds", "UPDATE accounts SET refund_lot_day = refund_lot_day + 1", "is not of the day"),
    (
        "the lot of refunds",
        "UPDATE accounts SET refund_lot_id = zeroblob(16)",
        "which takes refunds, is missing",
    ),
    ("when it is due", "UPDATE accounts SET next_due = next_due + 1", "noted to be due at another time"),
    ("that it is due", "UPDATE accounts SET next_due = NULL", "noted to be due at another time"),
];

/// The same, of rows that belong to the account: each of them in turn.
const OF_ITS_ROWS: &[(&str, &str, &str, &str)] = &[
    ("lots", "grant_id", "remaining = remaining + 1", "of grt_"),
    ("lots", "grant_id", "held = held + 1", "what is held of grt_"),
    ("lots", "grant_id", "expired = expired + 1", "what has expired of grt_"),
    ("lots", "grant_id", "creation_order = creation_order + 64", "lots were made in it"),
    ("lots", "grant_id", "creation_order = creation_order + 1", "lots were made in it"),
    ("lots", "grant_id", "held_when_voided = 7", "is not voided as its entries say"),
    ("holds", "id", "captured = captured + 1", "what was captured of hld_"),
    ("holds", "id", "credits = credits + 1", "the credits of hld_"),
    (
        "holds",
        "id",
        "lots = CAST(lots || zeroblob(16) || x'0000000000000001' AS BLOB)",
        "does not hold what its entries leave",
    ),
    ("holds", "id", "created_at = created_at + 1", "is not the hold that entry"),
    ("holds", "id", "seq = seq + 1", "is not the hold that entry"),
    ("holds", "id", "account_id = zeroblob(16)", "is missing"),
    ("keys", "id", "day_spent = day_spent + 1", "has spent in its Day"),
    ("keys", "id", "week_spent = week_spent + 1", "has spent in its Week"),
    ("keys", "id", "month_spent = month_spent + 1", "has spent in its Month"),
    ("keys", "id", "total_spent = total_spent + 1", "has spent in its Total"),
    ("keys", "id", "day_starts_at = day_starts_at - 86400000", "has spent in its Day"),
];

/// What is done to the whole, and a part of what must be said.
const OF_THE_WHOLE: &[(&str, &str)] = &[
    ("DELETE FROM entry_places WHERE seq = 2", "entry 2 is not found by its number"),
    ("UPDATE entry_places SET number = number + 1 WHERE seq = 2", "entry 2 is not found by its number"),
    ("UPDATE entry_places SET seq = seq + 100 WHERE seq = 2", "entry 2 is not found by its number"),
    (
        "UPDATE entry_places SET account_id = zeroblob(16) WHERE number = (SELECT max(number) FROM entry_places)",
        "is not found by its number",
    ),
    ("INSERT INTO entry_places VALUES (zeroblob(16), 9, 999999)", "places of no entry"),
    ("UPDATE lots SET creation_order = 1", "the place in the order of creation that another has"),
    ("UPDATE charge_refunds SET refunded = refunded + 1", "what was given back of chg_"),
    ("DELETE FROM charge_refunds", "it is not known that chg_"),
    (
        "UPDATE charge_refunds SET charge_id = zeroblob(16) WHERE charge_id = (SELECT min(charge_id) FROM charge_refunds)",
        "refunds of no charge",
    ),
    (
        "UPDATE lots SET granted = granted + 1 WHERE started AND held_when_voided IS NULL",
        "what was granted of grt_",
    ),
    (
        "UPDATE lots SET remaining = remaining - 1 WHERE NOT started AND remaining > 0",
        "what is to start of grt_",
    ),
    ("UPDATE lots SET started = 0 WHERE expired > 0", "of grt_"),
    ("UPDATE lots SET effective_at = effective_at + 1 WHERE started", "has not started when its entry says"),
    (
        "UPDATE lots SET expires_at = expires_at - 60000 WHERE expired > 0",
        "was drawn from when it had expired",
    ),
    ("UPDATE lots SET expires_at = expires_at + 60000 WHERE expired > 0", "has expired before its time"),
    ("UPDATE lots SET expires_at = NULL WHERE expired > 0", "never expires, and has"),
    ("UPDATE lots SET expires_at = effective_at + 1 WHERE remaining > 0 AND started", "should have expired"),
    ("DELETE FROM lots WHERE started AND expires_at IS NULL", "is missing"),
    ("DELETE FROM grants", "there is a lot without a grant"),
    ("DELETE FROM holds", "is missing"),
    ("UPDATE holds SET status = 'open' WHERE status = 'expired'", "has not ended when its entries say"),
    ("UPDATE holds SET status = 'captured' WHERE status = 'open'", "has ended, and holds something still"),
    ("UPDATE holds SET rate = '2.4' WHERE rate = '2.5'", "does not hold what its operation cost"),
    (
        "UPDATE holds SET expires_at = created_at WHERE status != 'expired'",
        "has not ended when its entries say",
    ),
    (
        "UPDATE holds SET expires_at = expires_at + 1 WHERE status = 'expired'",
        "has not ended when its entries say",
    ),
    ("DELETE FROM keys", "is missing"),
    ("DELETE FROM key_profiles", "there is a key without a profile"),
    ("DELETE FROM accounts", "and no account"),
    ("DELETE FROM account_profiles", "it has no profile"),
    ("UPDATE account_profiles SET metadata = 'gold'", "the profile of an account cannot be read"),
    (
        "DELETE FROM remembered WHERE grant_id IS NOT NULL",
        "the idempotency key of a grant that is to start is missing",
    ),
    (
        "DELETE FROM remembered WHERE grant_id IS NOT NULL",
        "the idempotency key of a grant that has started is missing",
    ),
    ("UPDATE remembered SET idempotency_key = idempotency_key || '1'", "has changed"),
    ("UPDATE remembered SET fingerprint = zeroblob(32)", "has changed"),
    ("UPDATE remembered SET required = required + 1 WHERE required > 0", "has changed"),
    ("UPDATE remembered SET refusal = 'too_much' WHERE refusal IS NOT NULL", "cannot be read"),
    (
        "INSERT INTO remembered (account_id, idempotency_key, fingerprint, at, refusal) \
         SELECT account_id, idempotency_key, fingerprint, at, 'hold_closed' FROM entries \
         WHERE idempotency_key IS NOT NULL LIMIT 1",
        "an idempotency key has two answers",
    ),
];

#[tokio::test]
async fn what_is_kept_of_an_account_is_compared_with_its_entries() {
    let account = account_id(&Damaged::copy().await.look_up::<Vec<u8>>(&format!("SELECT {LARGEST}")));
    for (what, change, says) in OF_THE_LARGEST {
        let damaged = Damaged::copy().await;
        damaged.change(&format!("{change} WHERE id = {LARGEST}"));
        is_said(&damaged.found(what), &account, says, what);
    }
}

#[tokio::test]
async fn each_row_of_an_account_is_compared_with_its_entries() {
    let whole = Damaged::copy().await;
    let account = account_id(&whole.look_up::<Vec<u8>>(&format!("SELECT {LARGEST}")));
    for (table, id, change, says) in OF_ITS_ROWS {
        let rows: i64 = whole.look_up(&format!("SELECT count(*) FROM {table} WHERE account_id = {LARGEST}"));
        assert!(rows > 0, "there are {table}");
        for row in 0..rows {
            let damaged = Damaged::copy().await;
            let what = format!("{change} in row {row} of {table}");
            damaged.change(&format!(
                "UPDATE {table} SET {change} WHERE {id} = \
                 (SELECT {id} FROM {table} WHERE account_id = {LARGEST} ORDER BY {id} LIMIT 1 OFFSET {row})"
            ));
            is_said(&damaged.found(&what), &account, says, &what);
        }
    }
}

#[tokio::test]
async fn nothing_is_kept_that_no_entry_says() {
    for (change, says) in OF_THE_WHOLE {
        let damaged = Damaged::copy().await;
        damaged.change(change);
        is_said(&damaged.found(change), "", says, change);
    }
}

/// Some line says it, and names the account.
fn is_said(said: &str, account: &str, says: &str, what: &str) {
    let is_said = said.lines().any(|line| line.contains(account) && line.contains(says));
    assert!(is_said, "{what}: {says:?} is not said of {account}:\n{said}");
}
