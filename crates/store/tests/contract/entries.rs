//! What is written: the chain of entries, and batches.

use std::collections::BTreeMap;
use std::sync::Arc;

use coffer_ledger::{
    AccountId, CaptureAmount, CaptureHold, Command, Credits, Entry, EntryHash, EntryKind, Excess,
    GrantCredits, HoldCredits, LotChange, Metadata, Outcome, Refusal, Settle,
};
use coffer_store::{Batch, EntryQuery, Store};

use crate::STORES;
use crate::commands::{apply, at, capture, charge, credits, grant, hold, id, noted, open, refund, release};

#[tokio::test(flavor = "multi_thread")]
async fn commands_of_one_batch_see_each_other_in_order() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        let commands = vec![
            charge(1, 1, 5),
            open(1),
            charge(2, 1, 5),
            Command::Grant(grant(1, 1, 9)),
            charge(3, 1, 5),
            charge(3, 1, 5),
            charge(4, 1, 5),
            charge(2, 1, 5),
        ];
        let replies = fresh.store.apply(Batch { clock: at(0), commands }).await.expect("a batch is written");
        let refused = |outcome: &Outcome| match outcome {
            Outcome::Refused(refusal) => Some(refusal.clone()),
            _ => None,
        };
        let short = |available| Refusal::CreditsAreInsufficient { required: credits(5), available };
        let outcomes: Vec<_> = replies.iter().map(|reply| refused(&reply.outcome)).collect();
        let expected = [
            Some(Refusal::AccountIsUnknown),
            None,
            Some(short(Credits::ZERO)),
            None,
            None,
            None,
            Some(short(credits(4))),
            Some(short(Credits::ZERO)),
        ];
        assert_eq!(outcomes, expected, "{name}");
        let replayed: Vec<bool> = replies.iter().map(|reply| reply.replayed).collect();
        assert_eq!(replayed, [false, false, false, false, false, true, false, true], "{name}");
        assert_eq!(replies[4].outcome, replies[5].outcome, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_is_captured_in_the_batch_that_made_it() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        let held = HoldCredits { note: noted("job 3", 1), ..hold(5, 1, 4) };
        let commands = vec![
            open(1),
            Command::Grant(grant(1, 1, 9)),
            Command::Hold(held),
            Command::Capture(capture(2, 1, 5)),
        ];
        let outcomes = apply(&fresh.store, 0, commands).await;
        let Outcome::Captured(charge) = &outcomes[3] else { panic!("{name}: {:?}", outcomes[3]) };
        assert_eq!(charge.note, noted("job 3", 1), "{name}");
        assert_chained(&entries_of(&fresh.store, AccountId::from_bytes(id(1))).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_gapless_and_chained() {
    for (name, fresh) in STORES {
        eprintln!("on {name}");
        let fresh = fresh().await;
        check_chain(&fresh.store).await;
    }
}

pub(crate) async fn entries_of(store: &Arc<dyn Store>, account_id: AccountId) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut beyond = None;
    // In pages of 2, as whoever streams them would.
    loop {
        let page = store.entries(EntryQuery::all_of(account_id, beyond, 2)).await.expect("a read");
        entries.extend(page.entries);
        match page.next {
            Some(next) => beyond = Some(next),
            None => return entries,
        }
    }
}

async fn check_chain(store: &Arc<dyn Store>) {
    let ending = GrantCredits { expires_at: Some(at(60)), ..grant(1, 1, 9) };
    let starting = GrantCredits { effective_at: Some(at(60)), ..grant(2, 1, 5) };
    apply(store, 0, vec![open(1), Command::Grant(ending), Command::Grant(starting), charge(1, 1, 4)]).await;
    let account_id = AccountId::from_bytes(id(1));
    apply(store, 90, vec![Command::Settle(Settle { account_id })]).await;

    let entries = entries_of(store, account_id).await;
    let story: Vec<_> = entries.iter().map(|entry| (entry.seq.0, entry.kind, entry.at)).collect();
    assert_eq!(
        story,
        [
            (1, EntryKind::Grant, at(0)),
            (2, EntryKind::Charge, at(0)),
            // Both fall due at one instant: the start goes first.
            (3, EntryKind::Grant, at(60)),
            (4, EntryKind::Expire, at(60)),
        ]
    );
    assert_chained(&entries);
    let last = entries.last().expect("an entry");
    assert_eq!(last.balance_after.available, credits(5));
}

pub(crate) fn assert_chained(entries: &[Entry]) {
    let mut head = EntryHash::GENESIS;
    for (place, entry) in entries.iter().enumerate() {
        assert_eq!(entry.seq.0, place as u64 + 1, "gapless from 1");
        assert_eq!(entry.hash, entry.hash_after(head), "entry {}", entry.seq.0);
        head = entry.hash;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_moves_is_listed_lot_by_lot() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        let Command::CreateAccount(mut opened) = open(1) else { unreachable!("open opens") };
        opened.overdraft_limit = credits(9);
        let sooner = GrantCredits { expires_at: Some(at(900)), ..grant(1, 1, 3) };
        let part =
            CaptureHold { amount: CaptureAmount::Credits(credits(4)), is_final: false, ..capture(11, 1, 5) };
        let beyond = CaptureHold {
            amount: CaptureAmount::Credits(credits(6)),
            excess: Excess::Charge,
            ..capture(12, 1, 6)
        };
        let commands = vec![
            Command::CreateAccount(opened),
            Command::Grant(grant(2, 1, 4)),
            Command::Grant(sooner),
            Command::Hold(hold(5, 1, 9)),
            Command::Capture(part),
            release(1, 5),
            Command::Hold(hold(6, 1, 1)),
            Command::Capture(beyond),
        ];
        apply(&fresh.store, 0, commands).await;
        apply(&fresh.store, 1, vec![Command::Refund(refund(21, 1, 12))]).await;
        let lots = |entry: &Entry| {
            let number = |change: &LotChange| change.grant_id.map_or(0, |id| id.bytes()[7]);
            let whole = |change: &LotChange| change.credits.millionths() / 1_000_000;
            entry.lots.iter().map(|change| (number(change), whole(change))).collect::<Vec<_>>()
        };
        let entries = entries_of(&fresh.store, AccountId::from_bytes(id(1))).await;
        let expected = [
            (EntryKind::Grant, vec![(2, 4)]),
            (EntryKind::Grant, vec![(1, 3)]),
            // Burn order, the overdraft (0) last; a release goes the other way.
            (EntryKind::Hold, vec![(1, -3), (2, -4), (0, -2)]),
            (EntryKind::Capture, vec![(1, -3), (2, -1)]),
            (EntryKind::Release, vec![(0, 2), (2, 3)]),
            (EntryKind::Hold, vec![(2, -1)]),
            // What was held, then what was taken beyond; a refund gives back what was taken last first.
            (EntryKind::Capture, vec![(2, -1), (2, -2), (0, -3)]),
            (EntryKind::Refund, vec![(0, 3), (2, 2), (2, 1)]),
        ];
        let found: Vec<_> = entries.iter().map(|entry| (entry.kind, lots(entry))).collect();
        assert_eq!(found, expected, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_canonical_bytes_are_as_documented() {
    for (name, fresh) in STORES {
        eprintln!("on {name}");
        let fresh = fresh().await;
        check_canonical_bytes(&fresh.store).await;
    }
}

async fn check_canonical_bytes(store: &Arc<dyn Store>) {
    let metadata = Metadata::try_from(BTreeMap::from([
        ("b".to_owned(), "ü".to_owned()),
        ("a".to_owned(), "bc".to_owned()),
    ]));
    let mut noted = grant(1, 1, 9);
    noted.note.metadata = metadata.expect("short");
    apply(store, 0, vec![open(1), Command::Grant(noted), charge(2, 1, 4)]).await;
    let entries = entries_of(store, AccountId::from_bytes(id(1))).await;
    let texts: Vec<String> =
        entries.iter().map(|entry| String::from_utf8(entry.canonical_bytes()).expect("UTF-8")).collect();
    // Both texts and the hash were made by another program, from the documentation alone.
    let expected = [
        "account_id=acc_0000000000000g000000000000\n\
         seq=1\n\
         kind=grant\n\
         at=2027-01-15T08:00:00.000Z\n\
         credits=9\n\
         held_credits=0\n\
         available_after=9\n\
         held_after=0\n\
         lots=grt_0000000000000g000000000000:9\n\
         grant_id=grt_0000000000000g000000000000\n\
         charge_id=\n\
         hold_id=\n\
         key_id=\n\
         reference_digest=7e76f6bf4e0386e59e7f7a2c28493a0ee0d85c6c37b63b74079bf05c77fd3589\n\
         metadata_digest=4b27e3192950c8e12c9073363c624ec18b41462e029a8ca3a4938ac1a0fb8b12\n\
         ",
        "account_id=acc_0000000000000g000000000000\n\
         seq=2\n\
         kind=charge\n\
         at=2027-01-15T08:00:00.000Z\n\
         credits=-4\n\
         held_credits=0\n\
         available_after=5\n\
         held_after=0\n\
         lots=grt_0000000000000g000000000000:-4\n\
         grant_id=\n\
         charge_id=chg_00000000000010000000000000\n\
         hold_id=\n\
         key_id=\n\
         reference_digest=\n\
         metadata_digest=\n\
         ",
    ];
    assert_eq!(texts, expected);
    assert_eq!(
        entries[1].hash.to_string(),
        "8caace6dbc38c7e93bed954c728d83c89384c32ae7629d020b81df1335cbcdc9"
    );
}
