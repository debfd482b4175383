//! Group commit on a store of several lanes: what is apart stays apart, what is one account's stays in order, and every
//! caller is told what became of its commands.

mod laned_store;

mod aside;
mod key_uses;

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use coffer_ledger::{AccountId, Command, CreateAccount, Credits, Metadata, Name, Outcome, Reply};
use coffer_service::{Clock, Service, Unavailable};
use coffer_store::StoreError;

use laned_store::LanedStore;

fn service(store: LanedStore) -> (Arc<LanedStore>, Arc<Service>) {
    let store = Arc::new(store);
    let clock = Clock::Set(Arc::new(AtomicI64::new(1_800_000_000_000)));
    (Arc::clone(&store), Service::start(store, clock, None))
}

/// Opens an account that is the `number`th of its bucket.
fn open(number: u8, bucket: u8) -> Command {
    let mut id = [number; 16];
    id[15] = bucket;
    Command::CreateAccount(CreateAccount {
        id: AccountId::from_bytes(id),
        name: Name::try_from("An account".to_owned()).expect("a short name"),
        external_id: None,
        overdraft_limit: Credits::ZERO,
        metadata: Metadata::default(),
    })
}

fn id_of(command: &Command) -> AccountId {
    let Command::CreateAccount(create) = command else { panic!("no account is opened by {command:?}") };
    create.id
}

fn id_in(reply: &Reply) -> AccountId {
    let Outcome::AccountCreated(record) = &reply.outcome else { panic!("no account was opened: {reply:?}") };
    record.account.id
}

/// What happens at once, or else never.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future).await.expect("it happens at once")
}

async fn until(condition: impl Fn() -> bool) {
    soon(async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn replies_stand_in_the_places_of_their_commands_and_lanes_keep_their_order() {
    for lanes in [1, 3, 256] {
        let (store, service) = service(LanedStore::new(lanes));
        let commands: Vec<Command> = (0..1000_u16).map(|n| open((n / 256) as u8, (n * 7) as u8)).collect();
        let replies = service.submit_all(commands.clone()).await.expect("every lane works");
        assert!(commands.iter().map(id_of).eq(replies.iter().map(id_in)), "with {lanes} lanes");
        for lane in 0..lanes {
            let sent =
                commands.iter().filter(|command| usize::from(id_of(command).bucket().0) % lanes == lane);
            let carried_out = store.batches(lane).concat();
            assert!(sent.eq(&carried_out), "lane {lane} of {lanes}");
            assert_eq!(store.batches(lane).len(), 1, "a caller's commands in a lane are of one batch");
        }
        assert_eq!(service.commands_waiting(), 0);
        soon(service.close()).await;
    }
}

#[tokio::test]
async fn batches_of_two_lanes_are_under_way_at_the_same_time() {
    let (_, service) = service(LanedStore::where_batches_meet(2, 2));
    let replies = soon(service.submit_all(vec![open(1, 0), open(1, 1)])).await;
    assert_eq!(replies.expect("both lanes work").len(), 2);
    soon(service.close()).await;
}

#[tokio::test]
async fn while_one_batch_of_a_lane_commits_the_next_one_fills() {
    let (store, service) = service(LanedStore::where_batches_meet(2, 2));
    let submit = |command| {
        let service = Arc::clone(&service);
        tokio::spawn(async move { service.submit(command).await })
    };
    let first = submit(open(1, 0));
    until(|| store.batches(0).len() == 1).await;
    let others: Vec<_> = (2..5).map(|number| submit(open(number, 0))).collect();
    until(|| service.commands_waiting() == 3).await;
    for _ in 0..2 {
        soon(store.meet()).await;
    }
    for caller in std::iter::once(first).chain(others) {
        soon(caller).await.expect("no task panics").expect("the lane works");
    }
    let sizes: Vec<usize> = store.batches(0).iter().map(Vec::len).collect();
    assert_eq!(sizes, [1, 3]);
    soon(service.close()).await;
}

#[tokio::test]
async fn a_lane_that_fails_leaves_the_others_alone_and_is_not_hidden_by_them() {
    let (store, service) = service(LanedStore::new(2));
    store.fail(1, || StoreError::Contended);
    let error = service.submit(open(1, 1)).await.expect_err("lane 1 fails");
    assert!(matches!(&error, Unavailable::Store(_)), "{error:?}");
    service.submit(open(1, 0)).await.expect("lane 0 works");
    assert!(!service.is_ready().await, "lane 0 says nothing of lane 1");

    let error = service.submit_all(vec![open(2, 0), open(2, 1)]).await.expect_err("lane 1 fails");
    assert!(matches!(&error, Unavailable::InPart(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        "too many others write to the same accounts; try again; a part of it was done, send all of it again with the \
         same idempotency keys"
    );
    let opened = service.account(id_of(&open(2, 0))).await.expect("the store can be read");
    assert!(opened.is_some(), "the part of lane 0 was done");

    store.heal();
    until_ready(&service).await;
    soon(service.close()).await;
}

async fn until_ready(service: &Service) {
    soon(async {
        while !service.is_ready().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn where_every_lane_fails_nothing_was_done() {
    let (store, service) = service(LanedStore::new(2));
    store.fail(0, || StoreError::Contended);
    store.fail(1, || StoreError::Unreachable("it is away".to_owned()));
    let error = service.submit_all(vec![open(1, 1), open(1, 0)]).await.expect_err("both lanes fail");
    assert!(matches!(&error, Unavailable::Store(_)), "{error:?}");
    soon(service.close()).await;
}

#[tokio::test]
async fn a_commit_whose_fate_is_unknown_is_told_as_that() {
    let (store, service) = service(LanedStore::new(3));
    store.fail(0, || StoreError::Contended);
    store.fail(1, || StoreError::InDoubt);
    for commands in [vec![open(1, 1)], vec![open(1, 0), open(1, 1)], vec![open(1, 1), open(1, 2)]] {
        let error = service.submit_all(commands).await.expect_err("lane 1 fails");
        assert!(matches!(&error, Unavailable::InDoubt), "{error:?}");
    }
    assert!(!service.is_ready().await);
    soon(service.close()).await;
}

#[tokio::test]
async fn whoever_is_queued_at_the_end_gets_an_answer_in_every_lane() {
    // Both lanes, and this test.
    let (store, service) = service(LanedStore::where_batches_meet(2, 3));
    let submit = |command| {
        let service = Arc::clone(&service);
        tokio::spawn(async move { service.submit(command).await })
    };
    let under_way = [submit(open(1, 0)), submit(open(1, 1))];
    until(|| store.batches(0).len() == 1 && store.batches(1).len() == 1).await;
    let queued = [submit(open(2, 0)), submit(open(2, 1))];
    until(|| service.commands_waiting() == 2).await;
    let closing = {
        let service = Arc::clone(&service);
        tokio::spawn(async move { service.close().await })
    };
    for _ in 0..2 {
        soon(store.meet()).await;
    }
    for caller in under_way.into_iter().chain(queued) {
        soon(caller).await.expect("no task panics").expect("it was queued before the end");
    }
    soon(closing).await.expect("no task panics");
    let error = service.submit_all(vec![open(3, 0), open(3, 1)]).await.expect_err("it has ended");
    assert!(matches!(&error, Unavailable::ShuttingDown), "{error:?}");
}
