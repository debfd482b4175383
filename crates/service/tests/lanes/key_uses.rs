//! When keys were last used: kept until it is written, also at the end.

use std::time::Duration;

use coffer_ledger::{Command, CreateKey, Hint, KeyId, Metadata, Name, SecretHash};
use coffer_service::Standing;
use coffer_service::limits::NOTE_USES_EVERY_MS;
use coffer_store::Reader as _;

use super::laned_store::LanedStore;
use super::{id_of, open, service, soon};

#[tokio::test(start_paused = true)]
async fn a_use_that_was_being_written_at_the_end_is_written() {
    let (store, service) = service(LanedStore::new(1));
    let account = open(1, 0);
    let (id, secret) = (KeyId::from_bytes([1; 16]), SecretHash::from_bytes([1; 32]));
    let key = Command::CreateKey(CreateKey {
        id,
        account_id: id_of(&account),
        name: Name::try_from("A key".to_owned()).expect("a short name"),
        secret,
        hint: Hint::try_from("…abcd".to_owned()).expect("short"),
        expires_at: None,
        limit: None,
        metadata: Metadata::default(),
    });
    service.submit_all(vec![account, key]).await.expect("the lane works");
    store.stall_key_uses(true);
    let standing = service.standing(&secret).await.expect("a read");
    assert!(matches!(standing, Standing::Live(_)), "{standing:?}");

    // Longer than from one writing to the next.
    tokio::time::sleep(Duration::from_millis(NOTE_USES_EVERY_MS + 1_000)).await;
    assert_eq!(store.key_uses_told(), 1, "it is being written");
    assert!(store.key_uses(vec![id]).await.expect("a read").is_empty());
    store.stall_key_uses(false);
    soon(service.close()).await;
    assert!(store.key_uses(vec![id]).await.expect("a read").contains_key(&id));
}
