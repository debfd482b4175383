//! What is read: records, and lists page by page.

use coffer_ledger::{
    AccountId, AccountStatus, Command, ExternalId, GrantCredits, HoldCredits, HoldStatus, Settle, Timestamp,
};
use coffer_store::{AccountFilter, HoldFilter, Span};

use crate::STORES;
use crate::commands::{account, apply, at, capture, charge, credits, grant, hold, id, open, release};

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_read_newest_first_page_by_page() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        apply(&fresh.store, 0, (1..=5).map(open).collect()).await;
        let mut seen = Vec::new();
        let mut before = None;
        loop {
            let span = Span { before, count_max: 2 };
            let page = fresh.store.account_records(AccountFilter::default(), span).await.expect("a read");
            seen.extend(page.items.iter().map(|record| record.profile.id));
            if !page.has_more {
                break;
            }
            before = seen.last().map(|id| id.bytes());
        }
        let expected: Vec<AccountId> =
            (1..=5).rev().map(|number| AccountId::from_bytes(id(number))).collect();
        assert_eq!(seen, expected, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_found_by_external_id_and_status() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        let Command::CreateAccount(mut named) = open(1) else { unreachable!("open opens") };
        named.external_id = Some(ExternalId::try_from("customer-1".to_owned()).expect("short"));
        apply(&fresh.store, 0, vec![Command::CreateAccount(named), open(2)]).await;
        let span = Span { before: None, count_max: 10 };
        for (external_id, status, count) in [
            (Some("customer-1"), None, 1),
            (Some("customer-2"), None, 0),
            (None, Some(AccountStatus::Active), 2),
            (None, Some(AccountStatus::Closed), 0),
            (Some("customer-1"), Some(AccountStatus::Active), 1),
        ] {
            let external_id = external_id.map(|text| ExternalId::try_from(text.to_owned()).expect("short"));
            let filter = AccountFilter { external_id, status };
            let page = fresh.store.account_records(filter.clone(), span).await.expect("a read");
            assert_eq!(page.items.len(), count, "{name} {filter:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_show_what_was_written() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        apply(&fresh.store, 0, vec![open(1), Command::Grant(grant(1, 1, 9)), charge(2, 1, 4)]).await;
        let account_id = AccountId::from_bytes(id(1));
        let record = fresh.store.account_record(account_id).await.expect("a read").expect("an account");
        let account = fresh.store.account(account_id).await.expect("a read").expect("an account");
        assert_eq!(record.account, *account, "{name}: the file and the memory agree");
        assert_eq!(record.account.balance.available, credits(5), "{name}");

        let span = Span { before: None, count_max: 10 };
        let found = fresh.store.grants(account_id, span).await.expect("a read");
        let (as_of, grants) = found.expect("an account");
        assert_eq!(as_of, *account, "{name}: both are of one moment");
        assert_eq!(grants.items.len(), 1, "{name}");
        assert_eq!(grants.items[0].lot.remaining, credits(5), "{name}");
        let grant_id = grants.items[0].lot.grant_id;
        let grant = fresh.store.grant(grant_id).await.expect("a read").map(|(_, grant)| grant);
        assert_eq!(grant.as_ref(), grants.items.first(), "{name}");
        assert_eq!(
            grant.and_then(|grant| grant.reference).expect("a reference").as_str(),
            "invoice 7",
            "{name}"
        );

        let charge = fresh.store.charge(coffer_ledger::ChargeId::from_bytes(id(2))).await.expect("a read");
        assert_eq!(charge.expect("a charge").credits, credits(4), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_fall_due_and_are_settled() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        let mut ending = grant(1, 1, 9);
        ending.expires_at = Some(at(60));
        apply(&fresh.store, 0, vec![open(1), open(2), Command::Grant(ending)]).await;
        let account_id = AccountId::from_bytes(id(1));
        assert_eq!(fresh.store.accounts_due(at(59), 10).await.expect("a read"), [], "{name}");
        assert_eq!(fresh.store.accounts_due(at(60), 10).await.expect("a read"), [account_id], "{name}");
        let settle = || Command::Settle(Settle { account_id });
        apply(&fresh.store, 61, vec![settle()]).await;
        assert_eq!(fresh.store.accounts_due(Timestamp::MAX, 10).await.expect("a read"), [], "{name}");
        let account = fresh.store.account(account_id).await.expect("a read").expect("an account");
        assert_eq!((account.balance.available, account.seq.0), (credits(0), 2), "{name}");

        // A hold falls due as a grant does, and is no longer due once it has ended.
        apply(&fresh.store, 70, vec![Command::Grant(grant(2, 1, 9)), Command::Hold(hold(5, 1, 4))]).await;
        apply(&fresh.store, 70, vec![Command::Hold(hold(6, 1, 4)), release(1, 6)]).await;
        assert_eq!(fresh.store.accounts_due(at(129), 10).await.expect("a read"), [], "{name}");
        assert_eq!(fresh.store.accounts_due(at(130), 10).await.expect("a read"), [account_id], "{name}");
        apply(&fresh.store, 131, vec![settle()]).await;
        assert_eq!(fresh.store.accounts_due(Timestamp::MAX, 10).await.expect("a read"), [], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_forgotten_when_the_contract_allows_it() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        apply(&fresh.store, 0, vec![open(1), charge(2, 1, 4)]).await;
        apply(&fresh.store, 10, vec![Command::Grant(grant(1, 1, 9))]).await;
        let refused = async || {
            let outcomes = apply(&fresh.store, 20, vec![charge(2, 1, 4)]).await;
            matches!(outcomes[0], coffer_ledger::Outcome::Refused(_))
        };
        fresh.store.forget_refusals(at(0)).await.expect("a write");
        assert!(refused().await, "{name}: the refusal is not older than that");
        fresh.store.forget_refusals(at(1)).await.expect("a write");
        assert!(!refused().await, "{name}: the refusal is forgotten");
    }
}

/// A hold that was made after its account was, in a batch of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_hold_is_in_the_list_of_all_at_once() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        apply(&fresh.store, 0, vec![open(1), Command::Grant(grant(1, 1, 10))]).await;
        apply(&fresh.store, 1, vec![Command::Hold(hold(2, 1, 3))]).await;
        let filter = HoldFilter { account_id: None, status: None, at: at(1) };
        let span = Span { before: None, count_max: 10 };
        let holds = fresh.store.holds(filter, span).await.expect("a read");
        let made: Vec<_> = holds.items.iter().map(|record| record.hold.credits).collect();
        assert_eq!(made, [credits(3)], "{name}");
        fresh.store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn holds_are_listed_by_how_they_stand() {
    use HoldStatus::{Captured, Expired, Open, Released};
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        apply(&fresh.store, 0, vec![open(1), Command::Grant(grant(1, 1, 100))]).await;
        apply(&fresh.store, 0, vec![open(2), Command::Grant(grant(2, 2, 100))]).await;
        let holds = [hold(3, 1, 1), hold(4, 1, 1), hold(5, 1, 1), hold(6, 2, 1)].map(Command::Hold);
        apply(&fresh.store, 1, holds.into()).await;
        let long = |number, account| HoldCredits { expires_in_ms: 600_000, ..hold(number, account, 1) };
        apply(&fresh.store, 1, vec![Command::Hold(long(7, 1)), Command::Hold(long(8, 2))]).await;
        apply(&fresh.store, 2, vec![Command::Capture(capture(9, 1, 3)), release(1, 4)]).await;
        // At the hundredth second the time of 5 and 6 is over. Only the account of 5 is settled.
        apply(&fresh.store, 100, vec![Command::Settle(Settle { account_id: account(1) })]).await;
        for (account_id, status, expected) in [
            (None, None, vec![8, 7, 6, 5, 4, 3]),
            (None, Some(Open), vec![8, 7]),
            (None, Some(Expired), vec![6, 5]),
            (None, Some(Captured), vec![3]),
            (None, Some(Released), vec![4]),
            (Some(account(1)), None, vec![7, 5, 4, 3]),
            (Some(account(1)), Some(Open), vec![7]),
            (Some(account(2)), Some(Expired), vec![6]),
            (Some(account(2)), Some(Captured), vec![]),
        ] {
            let ids = async |before| {
                let filter = HoldFilter { account_id, status, at: at(100) };
                let page = fresh.store.holds(filter, Span { before, count_max: 10 }).await.expect("a read");
                Vec::from_iter(page.items.iter().map(|record| record.hold.id.bytes()))
            };
            let expected = Vec::from_iter(expected.into_iter().map(id));
            assert_eq!(ids(None).await, expected, "{name}: {status:?} of {account_id:?}");
            let rest = expected.get(1..).unwrap_or_default();
            assert_eq!(ids(expected.first().copied()).await, rest, "{name}: {status:?} behind the first");
        }
        fresh.store.close().await;
    }
}

/// What was settled a moment ago must not stand in the way of what is still due.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_still_due_is_found_behind_what_was_settled() {
    const ACCOUNTS: u8 = 150;
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        apply(&fresh.store, 0, (1..=ACCOUNTS).map(open).collect()).await;
        let ends = |number| GrantCredits { expires_at: Some(at(10)), ..grant(number, number, 5) };
        apply(&fresh.store, 1, (1..=ACCOUNTS).map(|number| Command::Grant(ends(number))).collect()).await;
        for expected in [100, 50, 0] {
            let due = fresh.store.accounts_due(at(20), 100).await.expect("a read");
            assert_eq!(due.len(), expected, "{name}");
            let settle = |account_id| Command::Settle(Settle { account_id });
            apply(&fresh.store, 20, due.into_iter().map(settle).collect()).await;
        }
        fresh.store.close().await;
    }
}
