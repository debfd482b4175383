//! Erased text: it is gone, and the chain is as whole as before.

use std::collections::BTreeMap;
use std::sync::Arc;

use coffer_ledger::{
    AdjustCredits, AdjustmentId, ChargeId, Command, Entry, EntryHash, EraseTexts, GrantId, HoldId, Metadata,
    Note, Outcome, Reason, Reference, Refusal, Salt, Seq, TextDigests,
};
use coffer_store::{ChargeFilter, Span, Store};

use crate::STORES;
use crate::commands::{
    account, apply, at, capture, charge, credits, grant, hold, id, noted, open, release, spend,
};
use crate::entries::{assert_chained, entries_of};

fn erase(from: u64, through: u64, until: i64) -> Command {
    let (from, through) = (Seq(from), Seq(through));
    Command::EraseTexts(EraseTexts { account_id: account(1), from, through, until: at(until) })
}

/// A grant, a charge, an adjustment, a hold and another charge, all with text, and a charge of another account.
async fn noted_entries(store: &Arc<dyn Store>) {
    let metadata = Metadata::try_from(BTreeMap::from([("email".to_owned(), "a@example.org".to_owned())]));
    let reference = Reference::try_from("Ann Example".to_owned()).expect("short");
    let mut given = grant(1, 1, 20);
    given.note = Note::new(Some(reference), metadata.expect("short"), Salt([1; 16]));
    let mut spent = spend(11, 1, 1);
    spent.note = noted("Ann's order", 2);
    let reason = Reason::try_from("Ann called".to_owned()).expect("short");
    let adjusted = AdjustCredits {
        id: AdjustmentId::from_bytes(id(31)),
        account_id: account(1),
        credits: credits(1),
        allow_negative: false,
        note: Note::of_reason(reason, Salt([3; 16])),
        idempotency: "adjust-31".to_owned().try_into().expect("visible"),
    };
    let mut held = hold(5, 1, 4);
    held.note = noted("Ann's job", 4);
    let mut later = spend(12, 1, 1);
    later.note = noted("Ann's order", 5);
    let mut other = spend(13, 2, 1);
    other.note = noted("Ann's order", 6);
    apply(store, 0, vec![open(1), open(2), Command::Grant(given), Command::Grant(grant(2, 2, 9))]).await;
    let commands = vec![
        Command::Charge(spent),
        Command::Adjust(adjusted),
        Command::Hold(held),
        Command::Charge(later),
        Command::Charge(other),
    ];
    apply(store, 1, commands).await;
}

fn has_text(entry: &Entry) -> bool {
    let Note { reference, metadata, reason, salt, .. } = &entry.note;
    reference.is_some() || !metadata.is_empty() || reason.is_some() || salt.is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn erased_text_is_gone_and_the_chain_is_whole() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        noted_entries(&fresh.store).await;
        let before = entries_of(&fresh.store, account(1)).await;
        assert!(before.iter().all(has_text), "{name}");
        assert_eq!(apply(&fresh.store, 2, vec![erase(1, 4, 1)]).await, [Outcome::TextsErased], "{name}");

        let after = entries_of(&fresh.store, account(1)).await;
        assert_chained(&after);
        let hashes = |entries: &[Entry]| entries.iter().map(|entry| entry.hash).collect::<Vec<EntryHash>>();
        assert_eq!(hashes(&before), hashes(&after), "{name}");
        let texts: Vec<bool> = after.iter().map(has_text).collect();
        assert_eq!(texts, [false, false, false, false, true], "{name}");
        let digests =
            |entries: &[Entry]| entries.iter().map(|entry| entry.note.digests()).collect::<Vec<_>>();
        assert_eq!(digests(&before), digests(&after), "{name}");
        assert!(!digests(&after).contains(&TextDigests::default()), "{name}");

        let grant = fresh.store.grant(GrantId::from_bytes(id(1))).await.expect("a read").expect("a grant").1;
        assert!(grant.reference.is_none() && grant.metadata.is_empty(), "{name}");
        let charge =
            fresh.store.charge(ChargeId::from_bytes(id(11))).await.expect("a read").expect("a charge");
        assert_eq!(charge.note.reference, None, "{name}");
        let held = fresh.store.hold(HoldId::from_bytes(id(5))).await.expect("a read").expect("a hold");
        assert_eq!(held.note.reference, None, "{name}");
        let reference = Some(Reference::try_from("Ann's order".to_owned()).expect("short"));
        let filter = ChargeFilter { account_id: None, reference };
        let found = fresh.store.charges(filter, Span { before: None, count_max: 9 }).await.expect("a read");
        let found: Vec<u8> = found.items.iter().map(|charge| charge.id.bytes()[7]).collect();
        assert_eq!(found, [13, 12], "{name}: what was not asked for stays");
        let (_, others) =
            fresh.store.grant(GrantId::from_bytes(id(2))).await.expect("a read").expect("a grant");
        assert!(others.reference.is_some(), "{name}: other accounts keep theirs");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_of_an_erased_hold_has_no_text_and_is_chained() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        noted_entries(&fresh.store).await;
        apply(&fresh.store, 2, vec![erase(1, 5, 2)]).await;
        let mut part = capture(14, 1, 5);
        (part.amount, part.is_final) = (coffer_ledger::CaptureAmount::Credits(credits(1)), false);
        apply(&fresh.store, 3, vec![Command::Capture(part), release(1, 5), charge(15, 1, 1)]).await;
        let entries = entries_of(&fresh.store, account(1)).await;
        assert_eq!(entries.len(), 8, "{name}");
        assert!(!entries.iter().any(has_text), "{name}");
        assert_chained(&entries);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_of_a_hold_that_the_same_batch_erased_has_no_text() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        noted_entries(&fresh.store).await;
        apply(&fresh.store, 2, vec![erase(1, 5, 2), Command::Capture(capture(14, 1, 5))]).await;
        let entries = entries_of(&fresh.store, account(1)).await;
        assert_eq!(entries.len(), 6, "{name}");
        assert!(!entries.iter().any(has_text), "{name}");
        assert_chained(&entries);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_request_is_recognized_and_answered_without_its_text() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        noted_entries(&fresh.store).await;
        apply(&fresh.store, 2, vec![erase(1, 5, 2)]).await;
        let mut again = spend(11, 1, 1);
        again.note = noted("Ann's order", 7);
        let mut other = spend(11, 1, 1);
        other.note = noted("Bob's order", 7);
        let outcomes = apply(&fresh.store, 3, vec![Command::Charge(again), Command::Charge(other)]).await;
        let Outcome::Charged(charge) = &outcomes[0] else { panic!("{name}: {:?}", outcomes[0]) };
        assert_eq!((charge.note.reference.as_ref(), charge.credits), (None, credits(1)), "{name}");
        assert_eq!(outcomes[1], Outcome::Refused(Refusal::IdempotencyKeyWasReused), "{name}");
        assert_eq!(entries_of(&fresh.store, account(1)).await.len(), 5, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_made_until_then_is_erased_and_only_once() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        noted_entries(&fresh.store).await;
        let mut later = grant(3, 1, 5);
        later.effective_at = Some(at(500));
        apply(&fresh.store, 5, vec![Command::Grant(later)]).await;
        let erased = vec![erase(2, 2, 4), erase(2, 3, 4), erase(90, 99, 4)];
        apply(&fresh.store, 6, erased).await;
        let entries = entries_of(&fresh.store, account(1)).await;
        assert_chained(&entries);
        let texts: Vec<bool> = entries.iter().map(has_text).collect();
        assert_eq!(texts, [true, false, false, true, true], "{name}");
        let reference = async |number| {
            let found = fresh.store.grant(GrantId::from_bytes(id(number))).await.expect("a read");
            found.expect("a grant").1.reference
        };
        assert_eq!(reference(1).await, None, "{name}");
        assert!(reference(3).await.is_some(), "{name}");
        let unknown = EraseTexts { account_id: account(9), from: Seq(1), through: Seq(9), until: at(9) };
        let outcomes = apply(&fresh.store, 7, vec![Command::EraseTexts(unknown)]).await;
        assert_eq!(outcomes, [Outcome::Refused(Refusal::AccountIsUnknown)], "{name}");
    }
}
