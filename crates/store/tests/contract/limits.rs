//! How many grants and holds an account may have open.

use coffer_ledger::limits::{GRANTS_OPEN_MAX, HOLDS_OPEN_MAX};
use coffer_ledger::{
    AdjustCredits, AdjustmentId, Command, Credits, GrantCredits, GrantId, HoldCredits, HoldId, Note, Outcome,
    Reason, Refusal, Salt, UuidBytes, VoidGrant,
};

use crate::STORES;
use crate::commands::{account, apply, at, charge, credits, grant, hold, open, refund, release};

fn many(number: usize) -> UuidBytes {
    ((1_000_000 + number as u128) << 32).to_be_bytes()
}

fn another_grant(number: usize) -> GrantCredits {
    let idempotency = format!("many-{number}").try_into().expect("visible");
    GrantCredits { id: GrantId::from_bytes(many(number)), idempotency, ..grant(1, 1, 1) }
}

fn adjust(number: usize, amount: i64) -> Command {
    let reason = Reason::try_from("a correction".to_owned()).expect("short");
    Command::Adjust(AdjustCredits {
        id: AdjustmentId::from_bytes(many(number)),
        account_id: account(1),
        credits: credits(amount),
        allow_negative: false,
        note: Note::of_reason(reason, Salt([1; 16])),
        idempotency: format!("adjust-{number}").try_into().expect("visible"),
    })
}

fn refusals(outcomes: Vec<Outcome>) -> Vec<Option<Refusal>> {
    let refusal = |outcome| match outcome {
        Outcome::Refused(refusal) => Some(refusal),
        _ => None,
    };
    outcomes.into_iter().map(refusal).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_grants_are_open_at_once() {
    let too_many = Some(Refusal::TooManyGrantsAreOpen);
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        // One is spent and then expires; pending ones count, depleted and voided ones do not.
        let short = GrantCredits { expires_at: Some(at(5)), ..grant(1, 1, 9) };
        let pending = GrantCredits { effective_at: Some(at(900)), ..another_grant(1) };
        let first = vec![open(1), Command::Grant(short), charge(11, 1, 9), Command::Grant(pending)];
        let rest = (2..=GRANTS_OPEN_MAX).map(|number| Command::Grant(another_grant(number)));
        let outcomes = apply(&fresh.store, 0, first.into_iter().chain(rest).collect()).await;
        assert!(refusals(outcomes).iter().all(Option::is_none), "{name}");

        // Each of these would make another lot: a grant, an adjustment, a refund to a lot that has expired.
        let huge = GrantCredits { credits: Credits::MAX, ..another_grant(3_000) };
        let more = vec![
            Command::Grant(another_grant(2_000)),
            adjust(2_001, 1),
            Command::Refund(refund(21, 1, 11)),
            Command::Grant(huge),
            adjust(2_002, -1),
        ];
        let expected =
            [too_many.clone(), too_many.clone(), too_many.clone(), too_many.clone(), too_many.clone()];
        let outcomes = refusals(apply(&fresh.store, 10, more).await);
        assert_eq!(outcomes[..4], expected[..4], "{name}");
        // The last took what was left of a lot, so that there is room for one.
        assert_eq!(outcomes[4], None, "{name}");
        let more = vec![Command::Grant(another_grant(2_003)), Command::Grant(another_grant(2_004))];
        assert_eq!(refusals(apply(&fresh.store, 11, more).await), [None, too_many.clone()], "{name}");

        let void = |number: usize| {
            Command::VoidGrant(VoidGrant {
                id: GrantId::from_bytes(many(number)),
                account_id: account(1),
                idempotency: format!("void-{number}").try_into().expect("visible"),
            })
        };
        let mut back = refund(22, 1, 11);
        back.credits = Some(credits(4));
        let more = vec![void(1), Command::Refund(back), Command::Grant(another_grant(2_005))];
        assert_eq!(refusals(apply(&fresh.store, 12, more).await), [None, None, too_many.clone()], "{name}");
        // Today's lot of refunds is there by now: another refund makes none.
        let outcomes = apply(&fresh.store, 13, vec![Command::Refund(refund(23, 1, 11))]).await;
        assert_eq!(refusals(outcomes), [None], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_holds_are_open_at_once() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        let another = |number: usize, amount: i64| {
            let idempotency = format!("many-{number}").try_into().expect("visible");
            Command::Hold(HoldCredits {
                id: HoldId::from_bytes(many(number)),
                idempotency,
                ..hold(1, 1, amount)
            })
        };
        let first = vec![open(1), Command::Grant(grant(1, 1, 20_000)), Command::Hold(hold(1, 1, 1))];
        let rest = (2..=HOLDS_OPEN_MAX).map(|number| another(number, 1));
        let outcomes = apply(&fresh.store, 0, first.into_iter().chain(rest).collect()).await;
        assert!(refusals(outcomes).iter().all(Option::is_none), "{name}");

        let more = vec![another(20_000, 10_001), another(20_001, 10_000)];
        let short = Refusal::CreditsAreInsufficient { required: credits(10_001), available: credits(10_000) };
        let expected = [Some(short), Some(Refusal::TooManyHoldsAreOpen)];
        assert_eq!(refusals(apply(&fresh.store, 1, more).await), expected, "{name}");
        let more = vec![release(1, 1), another(20_002, 1), another(20_003, 1)];
        let expected = [None, None, Some(Refusal::TooManyHoldsAreOpen)];
        assert_eq!(refusals(apply(&fresh.store, 2, more).await), expected, "{name}");
        // All that were made at the start lapse together, one entry each.
        assert_eq!(refusals(apply(&fresh.store, 60, vec![another(20_004, 1)]).await), [None], "{name}");
        let found = fresh.store.account(account(1)).await.expect("a read").expect("an account");
        assert_eq!((found.holds.len(), found.balance.held), (2, credits(2)), "{name}");
    }
}
