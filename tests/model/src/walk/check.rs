//! What is compared between an account of a store and the model's.

use coffer_ledger::{
    Account as LedgerAccount, AccountStatus, Entry as LedgerEntry, GrantId, Hold as LedgerHold, HoldId,
    HoldStatus, Key as LedgerKey, KeyId, KeyStatus, Period, Timestamp, entries_due, settle, settle_grants,
    settle_keys,
};
use coffer_store::{Span, Store};

use super::{Mismatch, same};
use crate::account::{Account, Amount, Entry, Hold, Key, Lot, Take, amount};
use crate::answer::GrantView;

/// More than a history makes of anything.
const EVERYTHING: Span = Span { before: None, count_max: 100_000 };

const PERIODS: [Period; 4] = [Period::Day, Period::Week, Period::Month, Period::Total];

/// The entries that were appended last.
pub(super) fn entries(appended: &[LedgerEntry], model: &Account) -> Result<(), Mismatch> {
    let from = model.entries.len().saturating_sub(appended.len());
    let appended: Vec<Entry> = appended.iter().map(entry).collect();
    same("the entries that were appended", &appended.as_slice(), &&model.entries[from..])
}

fn entry(entry: &LedgerEntry) -> Entry {
    Entry {
        kind: entry.kind,
        credits: amount(entry.credits),
        held_credits: amount(entry.held_credits),
        available_after: amount(entry.balance_after.available),
        held_after: amount(entry.balance_after.held),
        lots: entry.lots.iter().map(|change| (change.grant_id, amount(change.credits))).collect(),
        origin: entry.origin,
        at: entry.at,
    }
}

/// The account as it is written, and as it is seen at a time.
pub(super) async fn account(
    store: &dyn Store,
    found: &LedgerAccount,
    model: &Account,
    clock: Timestamp,
) -> Result<(), Mismatch> {
    let (_, grants) = store.grants(found.id, EVERYTHING).await.expect("a read").expect("a known account");
    let (_, keys) = store.key_records(found.id, EVERYTHING).await.expect("a read").expect("a known account");
    let mut grants = grants.items;
    let records = keys.items;
    let mut keys: Vec<LedgerKey> = records.iter().map(|record| record.key.clone()).collect();
    for key in &model.keys {
        let living_on = key.retired.iter().filter(|(_, until)| *until > clock);
        let secrets = living_on.map(|(secret, _)| *secret).chain([key.secret]);
        for secret in secrets {
            let holder =
                store.holder(&secret, Timestamp::MAX).await.expect("a read").map(|holder| holder.key.id);
            same("whose a secret is", &holder, &Some(key.id))?;
        }
    }
    let written_at = found.last_at;
    let views = grants.iter().map(|grant| GrantView::of(grant, written_at)).collect();
    as_of("written", found, views, &keys, model, written_at)?;

    let at = clock.max(written_at);
    let mut settled = model.clone();
    settled.settle(at);
    let due: Vec<Entry> = entries_due(found, at).iter().map(entry).collect();
    same("the entries that are due", &due.as_slice(), &&settled.entries[model.entries.len()..])?;
    grants = settle_grants(found, grants, at);
    keys = settle_keys(found, records, at).into_iter().map(|record| record.key).collect();
    let seen = settle(found, at);
    let mut views: Vec<GrantView> = grants.iter().map(|grant| GrantView::of(grant, at)).collect();
    // A lot that something due makes has no grant yet.
    let is_unwritten = |lot: &&Lot| views.iter().all(|view| view.id != lot.grant_id);
    let unwritten: Vec<_> =
        settled.lots.iter().filter(is_unwritten).map(|lot| GrantView::of_model(&settled, lot, at)).collect();
    views.extend(unwritten);
    as_of("seen", &seen, views, &keys, &settled, at)
}

fn as_of(
    how: &str,
    found: &LedgerAccount,
    mut grants: Vec<GrantView>,
    keys: &[LedgerKey],
    model: &Account,
    at: Timestamp,
) -> Result<(), Mismatch> {
    let what = |what: &str| format!("{what}, as {how} at {at}");
    same(&what("the account"), &Whole::of(found), &Whole::of_model(model))?;
    same(&what("the open lots in burn order"), &lots(found), &lots_of_model(model))?;
    same(&what("the open holds"), &holds(found), &holds_of_model(model))?;
    let mut expected: Vec<GrantView> =
        model.lots.iter().map(|lot| GrantView::of_model(model, lot, at)).collect();
    grants.sort_by_key(|grant| grant.id);
    expected.sort_by_key(|grant| grant.id);
    if let Some((found, expected)) = grants.iter().zip(&expected).find(|(found, expected)| found != expected)
    {
        same(&what("a grant"), found, expected)?;
    }
    same(&what("the number of grants"), &grants.len(), &expected.len())?;
    let mut found: Vec<KeySeen> = keys.iter().map(|key| key_seen(key, at)).collect();
    let mut expected: Vec<KeySeen> = model.keys.iter().map(|key| key_of_model(key, at)).collect();
    found.sort_by_key(|(id, ..)| *id);
    expected.sort_by_key(|(id, ..)| *id);
    same(&what("the keys"), &found, &expected)
}

#[derive(PartialEq, Eq, Debug)]
struct Whole {
    status: AccountStatus,
    overdraft_limit: Amount,
    available: Amount,
    held: Amount,
    debt: Amount,
    seq: usize,
    last_at: Timestamp,
}

impl Whole {
    fn of(account: &LedgerAccount) -> Whole {
        Whole {
            status: account.status,
            overdraft_limit: amount(account.overdraft_limit),
            available: amount(account.balance.available),
            held: amount(account.balance.held),
            debt: amount(account.debt),
            seq: usize::try_from(account.seq.0).expect("histories fit into memory"),
            last_at: account.last_at,
        }
    }

    fn of_model(account: &Account) -> Whole {
        Whole {
            status: account.status,
            overdraft_limit: account.overdraft_limit,
            available: account.available(),
            held: account.held(),
            debt: account.debt,
            seq: account.entries.len(),
            last_at: account.last_at(),
        }
    }
}

type LotSeen = (GrantId, Amount, Amount);

fn lots(account: &LedgerAccount) -> Vec<LotSeen> {
    account.lots.iter().map(|lot| (lot.grant_id, amount(lot.remaining), amount(lot.held))).collect()
}

fn lots_of_model(account: &Account) -> Vec<LotSeen> {
    let lots = account.open_lots().into_iter().map(|place| &account.lots[place]);
    lots.map(|lot| (lot.grant_id, lot.remaining, account.held_from(lot.grant_id))).collect()
}

type HoldSeen = (HoldId, Amount, Amount, HoldStatus, Vec<Take>, Timestamp);

fn hold_seen(hold: &LedgerHold) -> HoldSeen {
    let takes = hold.lots.iter().map(|lot| (lot.grant_id, amount(lot.credits))).collect();
    (hold.id, amount(hold.credits), amount(hold.captured), hold.status, takes, hold.expires_at)
}

fn hold_of_model(hold: &Hold) -> HoldSeen {
    (hold.id, hold.credits, hold.captured, hold.status, hold.takes.clone(), hold.expires_at)
}

fn holds(account: &LedgerAccount) -> Vec<HoldSeen> {
    account.holds.iter().map(hold_seen).collect()
}

fn holds_of_model(account: &Account) -> Vec<HoldSeen> {
    let open = account.holds.iter().filter(|hold| hold.is_open());
    let mut holds: Vec<HoldSeen> = open.map(hold_of_model).collect();
    holds.sort_by_key(|(id, ..)| *id);
    holds
}

type KeySeen = (KeyId, KeyStatus, [Amount; 4], Option<Amount>);

fn key_seen(key: &LedgerKey, at: Timestamp) -> KeySeen {
    let spent = PERIODS.map(|period| amount(key.spent.in_period(period, at)));
    (key.id, key.status(at), spent, key.remaining(at).map(amount))
}

fn key_of_model(key: &Key, at: Timestamp) -> KeySeen {
    let spent = PERIODS.map(|period| key.spent(period, at));
    let left = key.limit.map(|limit| (amount(limit.credits) - key.spent(limit.period, at)).max(0));
    (key.id, key.status(at), spent, left)
}

/// Everything that ever was in an account.
pub(super) async fn past(store: &dyn Store, model: &Account) -> Result<(), Mismatch> {
    for hold in &model.holds {
        let found = store.hold(hold.id).await.expect("a read").expect("a known hold");
        same("a hold of the past", &hold_seen(&found.hold), &hold_of_model(hold))?;
    }
    for charge in &model.charges {
        let found = store.charge(charge.id).await.expect("a read").expect("a known charge");
        let found = (amount(found.credits), amount(found.refunded));
        same("a charge of the past", &found, &(charge.credits, charge.refunded))?;
    }
    Ok(())
}
