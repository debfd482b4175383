//! A disk that is full, and one that is read-only: on a small file system of the test's own.

use std::path::Path;

use crate::load::{Clients, Record};
use crate::small_disk::SmallDisk;
use crate::support::{Api, Server, run_refused, say_loudly, serve, until, user_credits};

const GRANTED: i64 = 1_000_000;
const CLIENTS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_charges_and_loses_none() {
    let Some(disk) = SmallDisk::mount("64m") else { return };
    let mut server = Server::start(&disk.data());
    let account = server.api.account_with(GRANTED).await;
    let mut clients = Clients::start(&server.api, &account, "full", CLIENTS);
    clients.wait_for(100).await;
    disk.fill();
    until("charges are refused", async || clients.refused() > 20 || clients.have_ended()).await;

    let mut record = Record::default();
    if server.process.has_ended() {
        // It may stop instead of refusing: then it starts again once there is space.
        say_loudly("the server has stopped on a full disk instead of answering 503");
        record.add(clients.end().await);
        disk.free();
    } else {
        reads_go_on(&server.api, &account).await;
        is_unavailable(&server.api, &account, &mut record).await;
        disk.free();
        recovers(&server.api, &mut clients).await;
        record.add(clients.end().await);
        server.kill();
    }
    let server = Server::start(&disk.data());
    record.retry_all(&server.api, &account).await;
    let spent = GRANTED - server.api.available(&account).await;
    assert_eq!(spent, i64::try_from(record.count()).expect("a small number"));
    server.stop();
}

async fn reads_go_on(api: &Api, account: &str) {
    let available = api.available(account).await;
    assert!(available < GRANTED, "some charges came before");
    api.get("/v1/accounts").await.wants(200);
    api.get("/livez").await.wants(200);
}

async fn is_unavailable(api: &Api, account: &str, record: &mut Record) {
    record.note("one-more", None);
    let refused = api.charge(account, 1, "one-more").await.expect("an answer").wants(503);
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
    assert_eq!(refused.text_of("code"), "unavailable");
    let seconds = refused.header("retry-after").expect("Retry-After").parse::<u32>().expect("seconds");
    assert!(seconds >= 1);
    // A write of one page may still find room for a while.
    until("the server is not ready", async || api.get("/readyz").await.status == 503).await;
}

async fn recovers(api: &Api, clients: &mut Clients) {
    let before = clients.acknowledged();
    until("charges work again", async || clients.acknowledged() > before + 20).await;
    until("the server is ready", async || api.get("/readyz").await.status == 200).await;
}

/// Charges until that is refused and the server is not ready: the last page of a file, or a log that begins anew, may have room
/// for a charge or two, and for a probe.
async fn fills_up(api: &Api, account: &str, charged: &mut i64) {
    for _ in 0..50 {
        let answer = api.charge(account, 1, &format!("charge-{charged}")).await.expect("an answer");
        if answer.status != 503 {
            answer.wants(201);
            *charged += 1;
        } else if api.get("/readyz").await.status == 503 {
            return;
        }
    }
    panic!("the disk is full, and charges go on, or the server is ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn balances_are_read_on_a_full_disk() {
    let Some(disk) = SmallDisk::mount("16m") else { return };
    let server = Server::start(&disk.data());
    let account = server.api.account_with(100).await;
    let (_, secret) = server.api.key_of(&account).await;
    disk.fill();
    let mut charged = 0;
    fills_up(&server.api, &account, &mut charged).await;
    for _ in 0..20 {
        let answer = server.api.read_balance(&secret).await.wants(200);
        assert_eq!(answer.text, user_credits(&(100 - charged).to_string()));
    }
    fills_up(&server.api, &account, &mut charged).await;
    // Without anybody charging, readiness finds out by itself that there is space again.
    disk.free();
    until("the server is ready", async || server.api.get("/readyz").await.status == 200).await;
    server.api.charge(&account, 1, "afterwards").await.expect("an answer").wants(201);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_directory_is_refused_by_name() {
    let Some(disk) = SmallDisk::mount("16m") else { return };
    let server = Server::start(&disk.data());
    server.api.account_with(5).await;
    server.stop();
    disk.remount_read_only();

    let missing = disk.path().join("another");
    for data in [disk.data(), missing] {
        is_refused(&data);
    }
}

fn is_refused(data: &Path) {
    let ended = run_refused(serve(data));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains(&data.display().to_string()), "{}", ended.stderr);
    assert!(ended.stdout.is_empty(), "{}", ended.stdout);
}
