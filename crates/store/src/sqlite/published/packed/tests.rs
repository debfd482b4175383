//! Whatever is packed comes back as it was.

use coffer_ledger::{
    Account, AccountId, AccountStatus, Balance, Category, Credits, EntryHash, GrantId, Holds, Key, KeyId,
    KeyLimit, Lot, Period, Priority, RefundLot, RetiredSecret, SecretHash, Seq, Spent, Timestamp, Totals,
    Window,
};
use proptest::prelude::*;

use super::{PackedAccount, PackedKey};

fn credits() -> impl Strategy<Value = Credits> {
    let max = Credits::MAX.millionths();
    let edges = prop_oneof![Just(0), Just(1), Just(-1), Just(max), Just(-max)];
    prop_oneof![edges, -max..=max]
        .prop_map(|millionths| Credits::from_millionths(millionths).expect("in range"))
}

fn time() -> impl Strategy<Value = Timestamp> {
    let max = Timestamp::MAX.unix_ms();
    prop_oneof![Just(0), Just(max), 0..=max].prop_map(|ms| Timestamp::from_unix_ms(ms).expect("in range"))
}

fn lot() -> impl Strategy<Value = Lot> {
    let named =
        (any::<[u8; 16]>(), any::<u32>(), any::<bool>(), 0..=100_u8, time(), any::<Option<()>>(), time());
    let amounts =
        (credits(), credits(), credits(), credits(), any::<bool>(), proptest::option::of(credits()));
    (named, amounts).prop_map(|(named, (granted, remaining, held, expired, started, held_when_voided))| {
        let (id, order, is_paid, priority, effective_at, expires, expires_at) = named;
        Lot {
            grant_id: GrantId::from_bytes(id),
            order,
            category: if is_paid { Category::Paid } else { Category::Promotional },
            priority: Priority::new(priority).expect("in range"),
            effective_at,
            expires_at: expires.map(|()| expires_at),
            granted,
            remaining,
            held,
            expired,
            started,
            held_when_voided,
        }
    })
}

fn account() -> impl Strategy<Value = Account> {
    let statuses = vec![AccountStatus::Active, AccountStatus::Frozen, AccountStatus::Closed];
    let named = (
        any::<[u8; 16]>(),
        proptest::sample::select(statuses),
        any::<u32>(),
        any::<u64>(),
        any::<[u8; 32]>(),
    );
    let amounts = proptest::collection::vec(credits(), 10);
    let refund_lot = proptest::option::of((time(), any::<[u8; 16]>()));
    let lots = proptest::collection::vec(lot(), 0..4);
    (named, amounts, time(), refund_lot, lots).prop_map(|(named, amounts, last_at, refund_lot, lots)| {
        let (id, status, lots_made, seq, head) = named;
        let refund_lot = refund_lot.map(|(day, id)| RefundLot { day, grant_id: GrantId::from_bytes(id) });
        Account {
            id: AccountId::from_bytes(id),
            status,
            overdraft_limit: amounts[0],
            balance: Balance { available: amounts[1], held: amounts[2] },
            debt: amounts[3],
            lots,
            holds: Holds::default(),
            lots_made,
            refund_lot,
            seq: Seq(seq),
            head: EntryHash(head),
            last_at,
            totals: Totals {
                granted: amounts[4],
                adjusted: amounts[5],
                refunded: amounts[6],
                spent: amounts[7],
                expired: amounts[8],
                voided: amounts[9],
            },
        }
    })
}

fn key() -> impl Strategy<Value = Key> {
    let periods = vec![Period::Day, Period::Week, Period::Month, Period::Total];
    let limit = (credits(), proptest::sample::select(periods))
        .prop_map(|(credits, period)| KeyLimit { credits, period });
    let window = || (time(), credits()).prop_map(|(starts_at, credits)| Window { starts_at, credits });
    let spent = (window(), window(), window(), window()).prop_map(|(day, week, month, total)| Spent {
        day,
        week,
        month,
        total,
    });
    let retired = (any::<[u8; 32]>(), time())
        .prop_map(|(secret, until)| RetiredSecret { secret: SecretHash::from_bytes(secret), until });
    let named = (any::<[u8; 16]>(), any::<[u8; 16]>(), any::<[u8; 32]>(), any::<bool>());
    let ends = (proptest::option::of(time()), proptest::option::of(time()), proptest::option::of(limit));
    (named, ends, spent, proptest::collection::vec(retired, 0..4)).prop_map(
        |(named, ends, spent, retired)| {
            let (id, account_id, secret, disabled) = named;
            let (revoked_at, expires_at, limit) = ends;
            Key {
                id: KeyId::from_bytes(id),
                account_id: AccountId::from_bytes(account_id),
                secret: SecretHash::from_bytes(secret),
                retired,
                disabled,
                revoked_at,
                expires_at,
                limit,
                spent,
            }
        },
    )
}

proptest! {
    #[test]
    fn an_account_comes_back_as_it_was(account in account()) {
        let packed = PackedAccount::of(&account);
        prop_assert_eq!(packed.next_due(), account.next_due());
        prop_assert_eq!(packed.seq(), account.seq);
        prop_assert_eq!(packed.unpack(account.id), account);
    }

    #[test]
    fn a_key_comes_back_as_it_was(key in key()) {
        prop_assert_eq!(PackedKey::of(&key).unpack(key.id), key);
    }
}
