//! What a node says of a database that may lose what it has acknowledged.

use coffer_test_postgres::Cluster;

use crate::nodes;

/// What is logged at the start that begins with DANGER.
fn dangers(cluster: &Cluster) -> Vec<String> {
    let database = cluster.fresh_database();
    let log = nodes::start(database.url()).stop().stderr;
    let dangers = log.lines().filter_map(|line| line.split_once("DANGER"));
    dangers.map(|(_, danger)| danger.to_owned()).collect()
}

#[test]
fn settings_that_can_lose_credits_are_named_at_the_start() {
    let told = dangers(Cluster::shared());
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        assert!(told.iter().any(|danger| danger.contains(setting)), "{setting} is not in {told:?}");
    }
}

#[test]
fn a_database_as_it_should_be_is_no_danger() {
    assert_eq!(dangers(&Cluster::start()), Vec::<String>::new());
}
