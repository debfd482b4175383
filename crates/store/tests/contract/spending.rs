//! What is read of charges and holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use coffer_ledger::{
    AccountId, CaptureAmount, CaptureHold, Category, ChargeCredits, ChargeId, Command, GrantCredits,
    HoldCredits, HoldId, HoldStatus, Lot, Reference, RefundCharge, Settle, VoidGrant,
};
use coffer_store::{ChargeFilter, HoldFilter, Span, Store};

use crate::commands::{
    account, apply, at, capture, charge, credits, grant, hold, id, noted, open, refund, release, spend,
};
use crate::{Fresh, STORES};

/// The numbers of the charges that a filter lets through, two a page.
async fn charges(store: &Arc<dyn Store>, filter: &ChargeFilter) -> Vec<u8> {
    let mut seen: Vec<ChargeId> = Vec::new();
    loop {
        let span = Span { before: seen.last().map(|id| id.bytes()), count_max: 2 };
        let page = store.charges(filter.clone(), span).await.expect("a read");
        assert!(page.items.len() <= 2);
        seen.extend(page.items.iter().map(|charge| charge.id));
        if !page.has_more {
            return seen.iter().map(|id| id.bytes()[7]).collect();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn charges_are_found_by_account_and_reference() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        let order = |charge: ChargeCredits| {
            Command::Charge(ChargeCredits { note: noted("order 8", charge.id.bytes()[7]), ..charge })
        };
        let job = Command::Hold(HoldCredits { note: noted("order 8", 99), ..hold(5, 1, 4) });
        let commands = vec![
            open(1),
            open(2),
            Command::Grant(grant(1, 1, 20)),
            Command::Grant(grant(2, 2, 20)),
            charge(11, 1, 1),
            order(spend(12, 1, 2)),
            order(spend(13, 2, 3)),
            charge(14, 2, 4),
            order(spend(15, 1, 5)),
            charge(16, 1, 100),
            job,
        ];
        apply(&fresh.store, 0, commands).await;
        apply(&fresh.store, 1, vec![Command::Capture(capture(17, 1, 5)), charge(18, 1, 1)]).await;

        let reference = || Some(Reference::try_from("order 8".to_owned()).expect("short"));
        let nothing = || Some(Reference::try_from("order 9".to_owned()).expect("short"));
        for (account_id, reference, expected) in [
            (None, None, vec![18, 17, 15, 14, 13, 12, 11]),
            (Some(account(1)), None, vec![18, 17, 15, 12, 11]),
            (Some(account(2)), None, vec![14, 13]),
            (Some(account(3)), None, vec![]),
            (None, reference(), vec![17, 15, 13, 12]),
            (Some(account(1)), reference(), vec![17, 15, 12]),
            (Some(account(2)), reference(), vec![13]),
            (None, nothing(), vec![]),
        ] {
            let filter = ChargeFilter { account_id, reference };
            assert_eq!(charges(&fresh.store, &filter).await, expected, "{name} {filter:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn charges_show_where_they_came_from_and_what_was_refunded() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        let job = Command::Hold(HoldCredits { note: noted("job 3", 1), ..hold(5, 1, 4) });
        apply(&fresh.store, 0, vec![open(1), Command::Grant(grant(1, 1, 20)), job, charge(11, 1, 5)]).await;
        let part = CaptureHold { amount: CaptureAmount::Credits(credits(3)), ..capture(12, 1, 5) };
        apply(&fresh.store, 1, vec![Command::Capture(part)]).await;
        let mut back = refund(21, 1, 11);
        back.credits = Some(credits(2));
        apply(&fresh.store, 2, vec![Command::Refund(back), Command::Refund(refund(22, 1, 12))]).await;

        let read = async |number| {
            fresh.store.charge(ChargeId::from_bytes(id(number))).await.expect("a read").expect("a charge")
        };
        let plain = read(11).await;
        assert_eq!((plain.credits, plain.refunded, plain.hold_id), (credits(5), credits(2), None), "{name}");
        let captured = read(12).await;
        assert_eq!((captured.credits, captured.refunded), (credits(3), credits(3)), "{name}");
        assert_eq!(captured.hold_id, Some(HoldId::from_bytes(id(5))), "{name}");
        assert_eq!(captured.note.reference.map(|text| text.to_string()), Some("job 3".to_owned()), "{name}");
        // The rest of the hold is back by then, in an entry of its own.
        assert_eq!(captured.balance.available, credits(12), "{name}");
        let listed = fresh.store.charges(ChargeFilter::default(), Span { before: None, count_max: 1 }).await;
        assert_eq!(listed.expect("a read").items[0].refunded, credits(3), "{name}");
        let unknown = fresh.store.charge(ChargeId::from_bytes(id(99))).await.expect("a read");
        assert_eq!(unknown, None, "{name}");
    }
}

/// Five holds of account 1, one for each way to end and one that has not, and one of account 2.
async fn with_holds(fresh: &Fresh) {
    let short = |number, seconds: u32| {
        Command::Hold(HoldCredits { expires_in_ms: seconds * 1000, ..hold(number, 1, 1) })
    };
    let mut commands =
        vec![open(1), open(2), Command::Grant(grant(1, 1, 20)), Command::Grant(grant(2, 2, 9))];
    commands.extend([short(11, 500), short(12, 500), short(13, 500), short(14, 10), short(15, 30)]);
    commands.push(Command::Hold(hold(16, 2, 1)));
    apply(&fresh.store, 0, commands).await;
    apply(&fresh.store, 1, vec![Command::Capture(capture(21, 1, 12)), release(1, 13)]).await;
    // The fourth has lapsed and that is written, the fifth will have lapsed and that is not.
    apply(&fresh.store, 20, vec![Command::Settle(Settle { account_id: account(1) })]).await;
}

async fn holds(store: &Arc<dyn Store>, filter: &HoldFilter) -> Vec<u8> {
    let mut seen: Vec<HoldId> = Vec::new();
    loop {
        let span = Span { before: seen.last().map(|id| id.bytes()), count_max: 2 };
        let page = store.holds(filter.clone(), span).await.expect("a read");
        assert!(page.items.len() <= 2);
        seen.extend(page.items.iter().map(|record| record.hold.id));
        if !page.has_more {
            return seen.iter().map(|id| id.bytes()[7]).collect();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn holds_are_found_by_account_and_status() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        with_holds(&fresh).await;
        let one = Some(account(1));
        for (account_id, status, second, expected) in [
            (None, None, 20, vec![16, 15, 14, 13, 12, 11]),
            (one, None, 20, vec![15, 14, 13, 12, 11]),
            (Some(account(3)), None, 20, vec![]),
            (one, Some(HoldStatus::Open), 29, vec![15, 11]),
            (one, Some(HoldStatus::Open), 30, vec![11]),
            (one, Some(HoldStatus::Expired), 29, vec![14]),
            (one, Some(HoldStatus::Expired), 30, vec![15, 14]),
            (one, Some(HoldStatus::Expired), 500, vec![15, 14, 11]),
            (one, Some(HoldStatus::Captured), 500, vec![12]),
            (one, Some(HoldStatus::Released), 500, vec![13]),
            (None, Some(HoldStatus::Open), 30, vec![16, 11]),
            (None, Some(HoldStatus::Open), 500, vec![]),
        ] {
            let filter = HoldFilter { account_id, status, at: at(second) };
            assert_eq!(holds(&fresh.store, &filter).await, expected, "{name} {filter:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_is_read_as_of_its_last_entry() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        let mut job = hold(11, 1, 6);
        job.note = noted("job 3", 1);
        apply(&fresh.store, 0, vec![open(1), Command::Grant(grant(1, 1, 20)), Command::Hold(job)]).await;
        let mut part = capture(21, 1, 11);
        (part.amount, part.is_final) = (CaptureAmount::Credits(credits(2)), false);
        apply(&fresh.store, 1, vec![Command::Capture(part)]).await;
        let record = fresh.store.hold(HoldId::from_bytes(id(11))).await.expect("a read").expect("a hold");
        assert_eq!(record.hold.status, HoldStatus::Open, "{name}");
        assert_eq!((record.hold.credits, record.hold.captured), (credits(6), credits(2)), "{name}");
        assert_eq!(record.hold.left(), credits(4), "{name}");
        assert_eq!((record.hold.created_at, record.hold.expires_at), (at(0), at(60)), "{name}");
        assert_eq!(record.note.reference.map(|text| text.to_string()), Some("job 3".to_owned()), "{name}");
        assert_eq!(record.balance.available, credits(14), "{name}: the balance right after it was made");
        let account = fresh.store.account(account(1)).await.expect("a read").expect("an account");
        assert_eq!(account.holds.get(record.hold.id), Some(&record.hold), "{name}");
        let unknown = fresh.store.hold(HoldId::from_bytes(id(99))).await.expect("a read");
        assert_eq!(unknown, None, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_id_names_belongs_to_an_account() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        with_holds(&fresh).await;
        let hold_ids = [11, 16, 99].map(|number| HoldId::from_bytes(id(number)));
        let found = fresh.store.accounts_of_holds(hold_ids.to_vec()).await.expect("a read");
        let expected = BTreeMap::from([(hold_ids[0], account(1)), (hold_ids[1], account(2))]);
        assert_eq!(found, expected, "{name}");

        apply(&fresh.store, 21, vec![charge(31, 2, 1)]).await;
        let charge_ids = [21, 31, 99].map(|number| ChargeId::from_bytes(id(number)));
        let found = fresh.store.accounts_of_charges(charge_ids.to_vec()).await.expect("a read");
        let expected = BTreeMap::from([(charge_ids[0], account(1)), (charge_ids[1], account(2))]);
        assert_eq!(found, expected, "{name}");

        let of_grant = async |number| -> Option<AccountId> {
            let id = coffer_ledger::GrantId::from_bytes(id(number));
            fresh.store.account_of_grant(id).await.expect("a read")
        };
        assert_eq!(of_grant(2).await, Some(account(2)), "{name}");
        assert_eq!(of_grant(99).await, None, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lot_of_refunds_that_was_voided_gives_way_to_another() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        let ending = GrantCredits { expires_at: Some(at(5)), ..grant(1, 1, 9) };
        apply(&fresh.store, 0, vec![open(1), Command::Grant(ending), charge(11, 1, 9)]).await;
        let back = |number, amount| RefundCharge { credits: Some(credits(amount)), ..refund(number, 1, 11) };
        apply(&fresh.store, 10, vec![Command::Refund(back(21, 2)), Command::Refund(back(22, 1))]).await;
        let promotional = async || {
            let found = fresh.store.grants(account(1), Span { before: None, count_max: 9 }).await;
            let (_, grants) = found.expect("a read").expect("an account");
            let lots = grants.items.into_iter().filter(|grant| grant.lot.category == Category::Promotional);
            lots.map(|grant| grant.lot).collect::<Vec<Lot>>()
        };
        let first = promotional().await;
        assert_eq!(first.len(), 1, "{name}");
        assert_eq!((first[0].granted, first[0].remaining), (credits(3), credits(3)), "{name}");
        assert_eq!(first[0].expires_at, Some(at(10).saturating_add_days(30)), "{name}");
        let idempotency = "void-1".to_owned().try_into().expect("visible");
        let void = VoidGrant { id: first[0].grant_id, account_id: account(1), idempotency };
        apply(&fresh.store, 11, vec![Command::VoidGrant(void), Command::Refund(back(23, 4))]).await;
        let second = promotional().await;
        let left: Vec<_> = second.iter().map(|lot| (lot.granted, lot.remaining, lot.is_voided())).collect();
        assert_eq!(left, [(credits(4), credits(4), false), (credits(3), credits(0), true)], "{name}");
        let found = fresh.store.account(account(1)).await.expect("a read").expect("an account");
        assert_eq!(found.refund_lot.map(|lot| lot.grant_id), Some(second[0].grant_id), "{name}");
    }
}
