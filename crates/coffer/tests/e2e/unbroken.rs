//! What `coffer verify` finds in a ledger in which nothing is wrong: nothing, also while a server writes to it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tempfile::tempdir;

use crate::every_kind::EveryKind;
use crate::load::Clients;
use crate::support::{Ended, Server, coffer, run};

const GRANTED: i64 = 1_000_000;
const CLIENTS: usize = 4;
/// At least so many looks, and until so many rounds of everything have been made meanwhile.
const LOOKS: usize = 20;
const ROUNDS: usize = 2;

fn verify(data: &Path) -> Ended {
    let mut command = coffer(&["verify", "--data"]);
    command.arg(data);
    run(command)
}

#[tokio::test]
async fn a_ledger_with_everything_in_it_is_sound() {
    let data = tempdir().expect("a temporary directory");
    let server = Server::start(data.path());
    let everything = EveryKind::make(&server.api).await;
    everything.has_every_kind(&server.api).await;
    everything.is_answered_again(&server.api).await;
    let beside = verify(data.path());
    assert_eq!(beside.code, Some(0), "{beside:?}");
    assert!(beside.stdout.starts_with("ok: 5 accounts, "), "{}", beside.stdout);
    server.stop();
    assert_eq!(verify(data.path()).stdout, beside.stdout);

    let server = Server::start(data.path());
    everything.is_answered_again(&server.api).await;
    server.kill();
    assert_eq!(verify(data.path()).stdout, beside.stdout, "with a log that the crash has left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_is_sound_at_every_moment_under_load() {
    let data = tempdir().expect("a temporary directory");
    let server = Server::start(data.path());
    let account = server.api.account_with(GRANTED).await;
    let mut clients = Clients::start(&server.api, &account, "beside", CLIENTS);
    clients.wait_for(100).await;
    let (is_ending, rounds) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (api, ending, made) = (server.api.clone(), Arc::clone(&is_ending), Arc::clone(&rounds));
    let others = tokio::spawn(async move {
        while !ending.load(Ordering::SeqCst) {
            tokio::join!(EveryKind::make(&api), EveryKind::make(&api));
            made.fetch_add(1, Ordering::SeqCst);
        }
    });

    let mut looks = 0;
    while looks < LOOKS || (rounds.load(Ordering::SeqCst) < ROUNDS && !others.is_finished()) {
        let verified = verify(data.path());
        assert_eq!(verified.code, Some(0), "look {looks}: {verified:?}");
        assert!(verified.stdout.starts_with("ok: "), "look {looks}: {}", verified.stdout);
        clients.wait_for(clients.acknowledged() + 10).await;
        looks += 1;
    }
    is_ending.store(true, Ordering::SeqCst);
    others.await.expect("the others go well");
    assert!(clients.end().await.acknowledged() > 0);
    server.stop();
    assert_eq!(verify(data.path()).code, Some(0));
}
