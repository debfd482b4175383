//! What is read of an account's entries: filtered, in both orders, page by page, the last one until a time, and summed.

use std::collections::BTreeMap;
use std::sync::Arc;

use coffer_ledger::{
    ChargeCredits, Command, CreateKey, Credits, EntryKind, HoldCredits, KeyId, Metadata, Note, RefundCharge,
    Salt, Seq, Timestamp,
};
use coffer_store::{EntryOrder, EntryQuery, Store, Usage, UsageBy, UsageOf};

use crate::STORES;
use crate::commands::{
    account, apply, at, capture, charge, credits, grant, hold, id, key, one, open, operation, price, refund,
    release, spend, used,
};

const DAY: i64 = 24 * 60 * 60;

/// Ten entries of account 1: by the account itself, by key 1 and by key 2.
async fn written(store: &Arc<dyn Store>) {
    let by = |number, charge| Command::Charge(ChargeCredits { key: used(number), ..charge });
    let keys = [1, 2].map(|number| Command::CreateKey(key(number, 1)));
    apply(store, 0, [vec![open(1), open(2)], keys.to_vec()].concat()).await;
    apply(store, 10, vec![Command::Grant(grant(1, 1, 50)), charge(11, 1, 1)]).await;
    apply(store, 20, vec![by(1, spend(12, 1, 1)), by(2, spend(13, 1, 1))]).await;
    let held = HoldCredits { key: used(2), ..hold(5, 1, 4) };
    apply(store, 30, vec![Command::Hold(held), Command::Hold(hold(6, 1, 4))]).await;
    apply(store, 40, vec![Command::Capture(capture(14, 1, 5)), release(1, 6)]).await;
    apply(store, 40, vec![Command::Refund(refund(21, 1, 12)), by(1, spend(15, 1, 1))]).await;
}

async fn pages(store: &Arc<dyn Store>, query: &EntryQuery) -> Vec<Vec<u64>> {
    let mut pages = Vec::new();
    let mut query = query.clone();
    loop {
        let page = store.entries(query.clone()).await.expect("a read");
        pages.push(page.entries.iter().map(|entry| entry.seq.0).collect());
        match page.next {
            Some(next) => query.beyond = Some(next),
            None => return pages,
        }
    }
}

async fn seqs(store: &Arc<dyn Store>, query: &EntryQuery) -> Vec<u64> {
    pages(store, query).await.concat()
}

/// Every page is full but the last, and none is empty that another one led to.
fn in_pages(seqs: &[u64], count_max: usize) -> Vec<Vec<u64>> {
    if seqs.is_empty() {
        return vec![Vec::new()];
    }
    seqs.chunks(count_max).map(<[u64]>::to_vec).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_filtered_in_both_orders_page_by_page() {
    let all = EntryQuery::all_of(account(1), None, 100);
    let key_1 = Some(KeyId::from_bytes(id(1)));
    let key_2 = Some(KeyId::from_bytes(id(2)));
    let table = [
        (all.clone(), vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        (EntryQuery { account_id: account(2), ..all.clone() }, vec![]),
        (EntryQuery { account_id: account(3), ..all.clone() }, vec![]),
        // From is inclusive, to is exclusive.
        (EntryQuery { from: Some(at(20)), ..all.clone() }, vec![3, 4, 5, 6, 7, 8, 9, 10]),
        (EntryQuery { from: Some(at(21)), ..all.clone() }, vec![5, 6, 7, 8, 9, 10]),
        (EntryQuery { to: Some(at(20)), ..all.clone() }, vec![1, 2]),
        (EntryQuery { to: Some(at(21)), ..all.clone() }, vec![1, 2, 3, 4]),
        (EntryQuery { from: Some(at(20)), to: Some(at(40)), ..all.clone() }, vec![3, 4, 5, 6]),
        (EntryQuery { from: Some(at(20)), to: Some(at(20)), ..all.clone() }, vec![]),
        (EntryQuery { from: Some(at(40)), to: Some(at(20)), ..all.clone() }, vec![]),
        (EntryQuery { from: Some(at(41)), ..all.clone() }, vec![]),
        (EntryQuery { to: Some(at(10)), ..all.clone() }, vec![]),
        (
            EntryQuery { from: Some(Timestamp::MIN), to: Some(Timestamp::MAX), ..all.clone() },
            (1..=10).collect(),
        ),
        (EntryQuery { kind: Some(EntryKind::Charge), ..all.clone() }, vec![2, 3, 4, 10]),
        (EntryQuery { kind: Some(EntryKind::Capture), ..all.clone() }, vec![7]),
        (EntryQuery { kind: Some(EntryKind::Void), ..all.clone() }, vec![]),
        // What a key may see: its own, what comes of it, and what is the account's.
        (EntryQuery { visible_to: key_1, ..all.clone() }, vec![1, 2, 3, 6, 8, 9, 10]),
        (EntryQuery { visible_to: key_2, ..all.clone() }, vec![1, 2, 4, 5, 6, 7, 8]),
        (EntryQuery { visible_to: key_1, kind: Some(EntryKind::Charge), ..all.clone() }, vec![2, 3, 10]),
        (
            EntryQuery { from: Some(at(20)), to: Some(at(40)), visible_to: key_2, ..all.clone() },
            vec![4, 5, 6],
        ),
        (EntryQuery { beyond: Some(Seq(7)), ..all.clone() }, vec![8, 9, 10]),
        (EntryQuery { beyond: Some(Seq(10)), ..all.clone() }, vec![]),
        (EntryQuery { beyond: Some(Seq(2)), from: Some(at(30)), ..all }, vec![5, 6, 7, 8, 9, 10]),
    ];
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        written(&fresh.store).await;
        for (query, expected) in &table {
            for count_max in [1, 2, 3, 100] {
                let query = EntryQuery { count_max, ..query.clone() };
                let expected = in_pages(expected, count_max);
                assert_eq!(pages(&fresh.store, &query).await, expected, "{name} {query:?}");
                if query.beyond.is_none() {
                    let query = EntryQuery { order: EntryOrder::NewestFirst, ..query };
                    let reversed: Vec<u64> = expected.concat().into_iter().rev().collect();
                    let reversed = in_pages(&reversed, count_max);
                    assert_eq!(pages(&fresh.store, &query).await, reversed, "{name} {query:?}");
                }
            }
        }
        let newest = EntryQuery { order: EntryOrder::NewestFirst, ..EntryQuery::all_of(account(1), None, 2) };
        let query = EntryQuery { beyond: Some(Seq(4)), ..newest };
        assert_eq!(seqs(&fresh.store, &query).await, [3, 2, 1], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_ends_for_its_text_leads_to_another_only_where_there_is_one() {
    // As much text as an entry may have: a megabyte is reached with the 39th or so.
    let pair = |number: usize| (format!("{number:040}"), "t".repeat(500));
    let metadata = Metadata::try_from(BTreeMap::from_iter((0..50).map(pair))).expect("as much as may be");
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        apply(&fresh.store, 0, vec![open(1), Command::Grant(grant(1, 1, 100))]).await;
        let mut charges = Vec::new();
        for number in 0..42 {
            let mut charge = spend(100 + number, 1, 1);
            charge.note = Note::new(None, metadata.clone(), Salt([number; 16]));
            apply(&fresh.store, 1, vec![Command::Charge(charge)]).await;
            charges.insert(0, u64::from(number) + 2);
            let all =
                EntryQuery { kind: Some(EntryKind::Charge), ..EntryQuery::all_of(account(1), None, 100) };
            let newest = EntryQuery { order: EntryOrder::NewestFirst, ..all };
            let pages = pages(&fresh.store, &newest).await;
            assert!(pages.iter().all(|page| !page.is_empty()), "{name}: {pages:?}");
            assert_eq!(pages.concat(), charges, "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_rare_is_found_among_many_entries() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        let nothing = |number: u32| {
            let mut charge = spend(0, 1, 0);
            let bytes = (u128::from(number) << 64).to_be_bytes();
            charge.id = coffer_ledger::ChargeId::from_bytes(bytes);
            charge.idempotency = format!("nothing-{number}").try_into().expect("visible");
            Command::Charge(charge)
        };
        let first = vec![open(1), Command::Grant(grant(1, 1, 50))];
        let many = (1..=12_000).map(nothing);
        apply(&fresh.store, 0, first.into_iter().chain(many).collect()).await;
        apply(&fresh.store, 1, vec![Command::Grant(grant(2, 1, 50))]).await;
        let grants = EntryQuery { kind: Some(EntryKind::Grant), ..EntryQuery::all_of(account(1), None, 20) };
        assert_eq!(seqs(&fresh.store, &grants).await, [1, 12_002], "{name}");
        let newest = EntryQuery { order: EntryOrder::NewestFirst, ..grants };
        assert_eq!(seqs(&fresh.store, &newest).await, [12_002, 1], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_entry_until_a_time_is_found() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        written(&fresh.store).await;
        for (until, expected) in [
            (Timestamp::MIN, None),
            (at(9), None),
            (at(10), Some(2)),
            (at(19), Some(2)),
            (at(20), Some(4)),
            (at(39), Some(6)),
            (at(40), Some(10)),
            (Timestamp::MAX, Some(10)),
        ] {
            let entry = fresh.store.last_entry(account(1), until).await.expect("a read");
            assert_eq!(entry.map(|entry| entry.seq.0), expected, "{name} {until}");
        }
        for other in [account(2), account(3)] {
            let entry = fresh.store.last_entry(other, Timestamp::MAX).await.expect("a read");
            assert_eq!(entry, None, "{name}");
        }
    }
}

/// Two days of charges: by two keys and by none, for two operations and for none, some of them refunded.
async fn used_for_two_days(store: &Arc<dyn Store>) {
    let keys = [1, 2].map(|number| CreateKey { ..key(number, 1) }).map(Command::CreateKey);
    let prices = vec![price(1, "resize", "2"), price(2, "upscale", "5")];
    let first = [vec![open(1), open(2)], keys.to_vec(), prices].concat();
    apply(store, 0, first).await;
    apply(store, 0, vec![Command::Grant(grant(1, 1, 100)), Command::Grant(grant(2, 2, 100))]).await;
    let of = |number, name: &str| ChargeCredits { cost: one(name), ..spend(number, 1, 0) };
    let by = |number, charge| Command::Charge(ChargeCredits { key: used(number), ..charge });
    let first_day = vec![
        by(1, of(11, "resize")),
        by(1, of(12, "upscale")),
        Command::Charge(of(13, "resize")),
        charge(14, 1, 3),
        charge(15, 2, 50),
        Command::Hold(HoldCredits {
            key: used(2),
            cost: one("upscale"),
            expires_in_ms: 172_800_000,
            ..hold(5, 1, 0)
        }),
        Command::Hold(hold(6, 1, 40)),
    ];
    apply(store, 10, first_day).await;
    let half = RefundCharge { credits: Some(credits(1)), ..refund(21, 1, 13) };
    apply(store, 20, vec![Command::Refund(half)]).await;
    let second_day = vec![
        Command::Capture(capture(16, 1, 5)),
        by(2, spend(17, 1, 4)),
        Command::Refund(refund(22, 1, 12)),
        release(1, 6),
    ];
    apply(store, DAY, second_day).await;
}

fn sum(of: UsageOf, charges: u64, charged: i64, refunded: i64) -> Usage {
    Usage { of, charges, charged: credits(charged), refunded: credits(refunded) }
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_is_summed_by_day_key_and_operation() {
    let midnight = at(0).start_of_day();
    let next = at(DAY).start_of_day();
    let of_key = |number| UsageOf::Key(Some(KeyId::from_bytes(id(number))));
    let of_operation = |name| UsageOf::Operation(Some(operation(name)));
    let table = [
        (
            UsageBy::Day,
            (Timestamp::MIN, Timestamp::MAX),
            vec![sum(UsageOf::Day(midnight), 4, 12, 1), sum(UsageOf::Day(next), 2, 9, 5)],
        ),
        (
            UsageBy::Key,
            (Timestamp::MIN, Timestamp::MAX),
            vec![sum(UsageOf::Key(None), 2, 5, 1), sum(of_key(1), 2, 7, 5), sum(of_key(2), 2, 9, 0)],
        ),
        (
            UsageBy::Operation,
            (Timestamp::MIN, Timestamp::MAX),
            vec![
                sum(UsageOf::Operation(None), 2, 7, 0),
                sum(of_operation("resize"), 2, 4, 1),
                sum(of_operation("upscale"), 2, 10, 5),
            ],
        ),
        // From is inclusive, to is exclusive; a refund counts when it was made.
        (UsageBy::Day, (at(10), at(DAY)), vec![sum(UsageOf::Day(midnight), 4, 12, 1)]),
        (UsageBy::Day, (at(11), at(DAY)), vec![sum(UsageOf::Day(midnight), 0, 0, 1)]),
        (UsageBy::Day, (at(DAY), Timestamp::MAX), vec![sum(UsageOf::Day(next), 2, 9, 5)]),
        (UsageBy::Key, (at(DAY), Timestamp::MAX), vec![sum(of_key(1), 0, 0, 5), sum(of_key(2), 2, 9, 0)]),
        (UsageBy::Day, (at(10), at(10)), vec![]),
        (UsageBy::Day, (at(DAY), at(0)), vec![]),
    ];
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        used_for_two_days(&fresh.store).await;
        for (by, (from, to), expected) in &table {
            let found = fresh.store.usage(account(1), *by, *from, *to).await.expect("a read");
            assert_eq!(found, *expected, "{name} {by:?} {from} {to}");
        }
        let found = fresh.store.usage(account(3), UsageBy::Day, Timestamp::MIN, Timestamp::MAX).await;
        assert_eq!(found.expect("a read"), [], "{name}");
        let account = fresh.store.account(account(1)).await.expect("a read").expect("an account");
        assert_eq!(account.totals.spent, credits(21), "{name}: what the days add up to");
        assert_eq!(account.balance.held, Credits::ZERO, "{name}");
    }
}
