//! Accounts that somebody else has locked: their commands stand aside, in order, and nobody else waits for them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use coffer_ledger::{AccountId, Command, Name, Outcome, UpdateAccount};
use coffer_service::{Service, Unavailable};
use tokio::task::JoinHandle;

use crate::laned_store::LanedStore;
use crate::{id_of, open, service, soon, until, until_ready};

/// Gives an account another name, by which the command is known again.
fn rename(account: AccountId, name: &str) -> Command {
    Command::UpdateAccount(UpdateAccount {
        id: account,
        name: Some(Name::try_from(name.to_owned()).expect("a short name")),
        overdraft_limit: None,
        status: None,
        metadata: None,
    })
}

/// The new names of an account, in the order in which they were given.
fn names_of(store: &LanedStore, account: AccountId) -> Vec<String> {
    let name = |command: Command| match command {
        Command::UpdateAccount(update) if update.id == account => {
            Some(update.name.expect("a name").as_str().to_owned())
        }
        _ => None,
    };
    store.applied().into_iter().filter_map(name).collect()
}

/// Two accounts of one lane, of which the first is locked.
async fn one_locked() -> (Arc<LanedStore>, Arc<Service>, AccountId, AccountId) {
    let (store, service) = service(LanedStore::new(1));
    let (locked, free) = (open(1, 0), open(2, 0));
    service.submit_all(vec![locked.clone(), free.clone()]).await.expect("the lane works");
    store.lock(id_of(&locked));
    (store, service, id_of(&locked), id_of(&free))
}

fn submit(service: &Arc<Service>, command: Command) -> JoinHandle<Result<Outcome, Unavailable>> {
    let service = Arc::clone(service);
    tokio::spawn(async move { service.submit(command).await })
}

#[tokio::test(flavor = "multi_thread")]
async fn one_locked_account_keeps_nobody_else_waiting() {
    let (store, service, locked, free) = one_locked().await;
    let mut waiting = Vec::new();
    for round in 0..20 {
        waiting.push(submit(&service, rename(locked, &format!("{round}"))));
        // A task of its own sends it, which must not be overtaken by that of the next one.
        until(|| service.commands_waiting() == waiting.len()).await;
        let started = Instant::now();
        soon(service.submit(rename(free, &format!("{round}")))).await.expect("the others go on");
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    }
    until(|| service.commands_waiting() == 20).await;
    assert!(names_of(&store, locked).is_empty());
    assert!(service.is_ready().await, "a locked account is no failure of the store");

    store.unlock(locked);
    for caller in waiting {
        soon(caller).await.expect("no task panics").expect("it was only late");
    }
    let in_order: Vec<String> = (0..20).map(|round| format!("{round}")).collect();
    assert_eq!(names_of(&store, locked), in_order);
    assert_eq!(service.commands_waiting(), 0);
    soon(service.close()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_after_it_stands_behind_it_although_the_lock_is_gone() {
    let (store, service, locked, free) = one_locked().await;
    for round in 0..3 {
        let first = submit(&service, rename(locked, &format!("{round} first")));
        until(|| service.commands_waiting() == 1).await;
        // Unlocked, and not tried again yet: whoever comes now must not overtake.
        store.unlock(locked);
        let second = submit(&service, rename(locked, &format!("{round} second")));
        soon(service.submit(rename(free, "x"))).await.expect("the others go on");
        for caller in [first, second] {
            soon(caller).await.expect("no task panics").expect("nobody has it locked");
        }
        let names = names_of(&store, locked);
        assert_eq!(names[names.len() - 2..], [format!("{round} first"), format!("{round} second")]);
        store.lock(locked);
    }
    soon(service.close()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_one_caller_what_is_free_is_done_and_the_answer_waits_for_the_rest() {
    let (store, service, locked, free) = one_locked().await;
    let commands =
        vec![rename(free, "1"), rename(locked, "1"), rename(free, "2"), rename(locked, "2"), open(3, 0)];
    let all = {
        let (service, commands) = (Arc::clone(&service), commands.clone());
        tokio::spawn(async move { service.submit_all(commands).await })
    };
    until(|| names_of(&store, free).len() == 2 && service.commands_waiting() == 2).await;
    assert!(!all.is_finished(), "it is answered whole");
    store.unlock(locked);
    let replies = soon(all).await.expect("no task panics").expect("all of it was done");
    for (command, reply) in commands.iter().zip(replies) {
        let (id, name) = match (&command, reply.outcome) {
            (Command::UpdateAccount(update), Outcome::AccountUpdated(record)) => {
                assert_eq!(update.name.as_ref(), Some(&record.profile.name));
                (update.id, record.account.id)
            }
            (Command::CreateAccount(create), Outcome::AccountCreated(record)) => {
                (create.id, record.account.id)
            }
            (command, outcome) => panic!("{command:?} has become {outcome:?}"),
        };
        assert_eq!(id, name, "every reply stands in its command's place");
    }
    assert_eq!(names_of(&store, locked), ["1", "2"]);
    soon(service.close()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_stands_aside_for_ever() {
    let (store, service, locked, free) = one_locked().await;
    let started = Instant::now();
    let error = soon(service.submit_all(vec![rename(locked, "1"), rename(free, "1")])).await;
    let error = error.expect_err("it is still locked");
    assert!(matches!(&error, Unavailable::InPart(_)), "{error:?}");
    let error = soon(service.submit(rename(locked, "2"))).await.expect_err("it is still locked");
    assert!(error.to_string().contains("too many others write to the same accounts"), "{error}");
    assert!(
        started.elapsed() >= Duration::from_secs(20),
        "each is tried for a while: {:?}",
        started.elapsed()
    );
    store.unlock(locked);
    service.submit(rename(locked, "3")).await.expect("its time has passed, and nothing is left of it");
    assert_eq!(names_of(&store, locked), ["3"]);
    until_ready(&service).await;
    soon(service.close()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_end_what_stands_aside_is_answered_too() {
    let (store, service, locked, _) = one_locked().await;
    let caller = submit(&service, rename(locked, "1"));
    until(|| service.commands_waiting() == 1).await;
    let closing = {
        let service = Arc::clone(&service);
        tokio::spawn(async move { service.close().await })
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!closing.is_finished(), "somebody is still to be answered");
    store.unlock(locked);
    soon(caller).await.expect("no task panics").expect("it was queued before the end");
    soon(closing).await.expect("no task panics");
}
