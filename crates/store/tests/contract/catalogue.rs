//! What is read of prices and keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use coffer_ledger::{
    Command, DeletePrice, KeyId, Outcome, RESERVED_OPERATION, Rate, Refusal, RevokeKey, RotateKey, Timestamp,
};
use coffer_store::{Span, Store};

use crate::STORES;
use crate::commands::{account, apply, at, credits, id, key, open, operation, price, secret, spend, used};

async fn prices(store: &Arc<dyn Store>) -> Vec<String> {
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = store.prices(Span { before, count_max: 2 }).await.expect("a read");
        assert!(page.items.len() <= 2);
        seen.extend(page.items.iter().map(|price| format!("{} {}", price.operation, price.rate)));
        if !page.has_more {
            return seen;
        }
        before = page.items.last().map(|price| price.id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_are_listed_newest_first_and_the_reserved_one_last() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        assert_eq!(prices(&fresh.store).await, ["get-credits-balance 0"], "{name}");
        let three =
            vec![price(1, "resize", "2"), price(2, "upscale", "0.000000000001"), price(3, "look", "0")];
        apply(&fresh.store, 0, three).await;
        let expected = ["look 0", "upscale 0.000000000001", "resize 2", "get-credits-balance 0"];
        assert_eq!(prices(&fresh.store).await, expected, "{name}");

        // A new price keeps the place of the old one; what was deleted and set again is new.
        let again = Command::DeletePrice(DeletePrice { operation: operation("resize") });
        apply(&fresh.store, 1, vec![price(4, "upscale", "7"), again, price(5, "resize", "3")]).await;
        let expected = ["resize 3", "look 0", "upscale 7", "get-credits-balance 0"];
        assert_eq!(prices(&fresh.store).await, expected, "{name}");

        let read = async |name: &str| fresh.store.price(operation(name)).await.expect("a read");
        let upscale = read("upscale").await.expect("a price");
        assert_eq!(
            (upscale.rate, upscale.updated_at),
            ("7".parse().expect("a price"), Some(at(1))),
            "{name}"
        );
        let reserved = read(RESERVED_OPERATION).await.expect("a price");
        assert_eq!((reserved.rate, reserved.updated_at), (Rate::FREE, None), "{name}");
        assert_eq!(read("nothing").await, None, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_listed_with_their_account() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        let keys = [(1, 1), (2, 2), (3, 1), (4, 1)].map(|(number, of)| Command::CreateKey(key(number, of)));
        apply(&fresh.store, 0, [vec![open(1), open(2)], keys.to_vec()].concat()).await;
        apply(&fresh.store, 1, vec![Command::RevokeKey(RevokeKey { id: KeyId::from_bytes(id(3)) })]).await;
        let page = async |of, before, count_max| {
            let found = fresh.store.key_records(account(of), Span { before, count_max }).await;
            found.expect("a read").map(|(account, page)| {
                let numbers: Vec<u8> = page.items.iter().map(|record| record.key.id.bytes()[7]).collect();
                (account.id, numbers, page.has_more)
            })
        };
        assert_eq!(page(1, None, 2).await, Some((account(1), vec![4, 3], true)), "{name}");
        assert_eq!(page(1, Some(id(3)), 2).await, Some((account(1), vec![1], false)), "{name}");
        assert_eq!(page(2, None, 2).await, Some((account(2), vec![2], false)), "{name}");
        assert_eq!(page(3, None, 2).await, None, "{name}");

        let found = fresh.store.key_record(KeyId::from_bytes(id(3))).await.expect("a read");
        let (of, record) = found.expect("a key");
        assert_eq!((of.id, record.key.revoked_at), (account(1), Some(at(1))), "{name}");
        assert_eq!(record.profile.name.as_str(), "key 3", "{name}");
        let unknown = fresh.store.key_record(KeyId::from_bytes(id(99))).await.expect("a read");
        assert_eq!(unknown, None, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rotated_secrets_open_the_key_until_their_time_and_stay_taken() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        apply(&fresh.store, 0, vec![open(1), Command::CreateKey(key(1, 1))]).await;
        let rotate = |number| {
            Command::RotateKey(RotateKey {
                id: KeyId::from_bytes(id(1)),
                secret: secret(number),
                hint: key(1, 1).hint,
                overlap_ms: 60_000,
            })
        };
        apply(&fresh.store, 1, vec![rotate(101)]).await;
        apply(&fresh.store, 2, vec![rotate(102)]).await;
        for (number, opens_at_60, opens_at_61, opens_at_62) in
            [(1, true, false, false), (101, true, true, false), (102, true, true, true)]
        {
            let holder = fresh
                .store
                .holder(&secret(number), Timestamp::MAX)
                .await
                .expect("a read")
                .expect("a known secret");
            assert_eq!(holder.key.id, KeyId::from_bytes(id(1)), "{name}");
            let opens = [60, 61, 62].map(|second| holder.key.opens(&secret(number), at(second)));
            assert_eq!(opens, [opens_at_60, opens_at_61, opens_at_62], "{name} {number}");
        }
        // The first is forgotten by the key at its next rotation, but nobody else gets it.
        apply(&fresh.store, 100, vec![rotate(103)]).await;
        for number in [1, 101, 102, 103] {
            let mut other = key(2, 1);
            other.secret = secret(number);
            let outcomes = apply(&fresh.store, 100, vec![Command::CreateKey(other)]).await;
            assert_eq!(outcomes, [Outcome::Refused(Refusal::SecretIsTaken)], "{name} {number}");
        }
        let mut by_old = spend(11, 1, 0);
        by_old.key = used(1);
        let outcomes = apply(&fresh.store, 100, vec![Command::Charge(by_old)]).await;
        assert_eq!(outcomes, [Outcome::Refused(Refusal::ApiKeyIsDead)], "{name}");
        let found = fresh.store.account(account(1)).await.expect("a read").expect("an account");
        assert_eq!(found.balance.available, credits(0), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_use_of_a_key_is_noted() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        let ids = [1, 2, 9].map(|number| KeyId::from_bytes(id(number)));
        let keys = [1, 2].map(|number| Command::CreateKey(key(number, 1)));
        apply(&fresh.store, 0, [vec![open(1)], keys.to_vec()].concat()).await;
        let note = async |uses: &[(KeyId, Timestamp)]| {
            fresh.store.note_key_uses(uses.iter().copied().collect()).await.expect("a write");
            fresh.store.key_uses(ids.to_vec()).await.expect("a read")
        };
        assert_eq!(note(&[]).await, BTreeMap::new(), "{name}");
        assert_eq!(note(&[(ids[0], at(5))]).await, BTreeMap::from([(ids[0], at(5))]), "{name}");
        let expected = BTreeMap::from([(ids[0], at(5)), (ids[1], at(6))]);
        assert_eq!(
            note(&[(ids[0], at(4)), (ids[1], at(6))]).await,
            expected,
            "{name}: an earlier use is old"
        );
    }
}
