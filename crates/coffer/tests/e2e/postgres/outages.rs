//! A database that goes away and comes back. Nodes outlive it.

use coffer_test_postgres::{Cluster, Proxy, Stop};

use crate::load::{Clients, Record};
use crate::nodes::{self, Pair};
use crate::support::until;

const GRANTED: i64 = 1_000_000;
const CLIENTS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_nodes_are_unavailable_and_then_go_on() {
    let cluster = Cluster::start();
    let pair = Pair::start(cluster.fresh_database());
    let account = pair.api(0).account_with(10).await;
    for how in [Stop::Fast, Stop::Immediate] {
        cluster.stop(how);
        let name = format!("meanwhile-{how:?}");
        let refused = pair.api(0).charge(&account, 1, &name).await.expect("an answer").wants(503);
        assert_eq!(refused.text_of("code"), "unavailable");
        until("the node is not ready", async || pair.api(0).get("/readyz").await.status == 503).await;
        assert_eq!(pair.api(0).get("/livez").await.status, 200, "nothing that a restart would mend");

        cluster.start_again();
        for number in 0..2 {
            until("a node is ready", async || pair.api(number).get("/readyz").await.status == 200).await;
        }
        pair.api(1).charge(&account, 1, &name).await.expect("an answer").wants(201);
    }
    assert_eq!(pair.api(0).available(&account).await, 8);
    pair.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn crashes_of_the_database_under_load_lose_nothing_and_charge_nothing_twice() {
    let cluster = Cluster::start();
    let pair = Pair::start(cluster.fresh_database());
    let account = pair.api(0).account_with(GRANTED).await;
    let mut record = Record::default();
    for (round, acknowledged) in [25, 150, 600].into_iter().enumerate() {
        let start = |node: usize| {
            Clients::start(pair.api(node), &account, &format!("round-{round}-node-{node}"), CLIENTS)
        };
        let mut clients = [start(0), start(1)];
        for of_one in &mut clients {
            of_one.wait_for(acknowledged).await;
        }
        tokio::task::block_in_place(|| cluster.restart_immediate());
        for mut of_one in clients {
            of_one.wait_for(of_one.acknowledged() + 25).await;
            record.add(of_one.end().await);
        }
        record.retry_all(pair.api(round), &account).await;
        let spent = GRANTED - pair.api(round).available(&account).await;
        assert_eq!(spent, i64::try_from(record.count()).expect("a small number"), "round {round}");
    }
    pair.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_connections_were_all_ended_makes_new_ones() {
    let cluster = Cluster::shared();
    let database = cluster.fresh_database();
    let proxy = Proxy::start(cluster);
    let node = nodes::start(&proxy.url(&database));
    let account = node.api.account_with(100).await;
    for round in 0..5 {
        if round % 2 == 0 {
            assert!(database.terminate_backends() > 0, "the node is connected");
        } else {
            proxy.cut_all();
        }
        let name = format!("round-{round}");
        until("the charge is answered", async || {
            let answer = node.api.charge(&account, 1, &name).await.expect("an answer");
            assert!([201, 503].contains(&answer.status), "{answer:?}");
            answer.status == 201
        })
        .await;
        assert_eq!(node.api.available(&account).await, 99 - round);
    }
    node.stop();
}
