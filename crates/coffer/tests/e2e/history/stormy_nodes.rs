//! What befalls nodes and their database under load: `kill -9`, standing still, lost connections, lost answers to a
//! commit, and crashes of the database.

use std::time::Duration;

use coffer_test_postgres::{Cluster, Cut, Database, Proxy};
use rand::RngExt as _;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom as _;
use rustix::process::Signal;
use tokio::task::block_in_place;

use super::storm::{free_address, sleep};
use crate::nodes::{OPERATOR_KEY, serve_at};
use crate::support::{Api, Server};

const ROUND_MILLISECONDS: std::ops::Range<u64> = 700..1_800;
const STANDSTILL: Duration = Duration::from_millis(300);
const DOWN_MILLISECONDS_MAX: u64 = 150;
/// How many commits of either node are cut in a row.
const COMMITS_CUT: usize = 5;
/// How long it may take until so many have been sent.
const CUT_MILLISECONDS_MAX: u64 = 30_000;

/// Every round's, in an order that the seed decides.
const EVENTS: [Event; 16] = [
    Event::Crash,
    Event::Crash,
    Event::Crash,
    Event::Standstill,
    Event::Standstill,
    Event::DatabaseCrash,
    Event::DatabaseCrash,
    Event::DatabaseCrash,
    Event::ConnectionsEnd,
    Event::ConnectionsEnd,
    Event::AnswersAreLost,
    Event::AnswersAreLost,
    Event::AnswersAreLost,
    Event::AnswersAreLost,
    Event::CommitsAreLost,
    Event::CommitsAreLost,
];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Event {
    /// `kill -9` of a node, and a new start on the same port. The other goes on.
    Crash,
    /// SIGSTOP of a node, and SIGCONT a while later: it may hold rows that the other waits for.
    Standstill,
    /// The database ends without a word and recovers from its log.
    DatabaseCrash,
    /// An administrator ends all connections to the database.
    ConnectionsEnd,
    /// The database commits, and the connection ends before the node hears of it.
    AnswersAreLost,
    /// The connection ends before the database hears of the commit.
    CommitsAreLost,
}

/// Two nodes with ports of their own, which they keep over their crashes.
pub(crate) struct StormyNodes<'a> {
    cluster: &'a Cluster,
    url: String,
    addresses: [String; 2],
    // Fields are dropped in this order: the nodes end while there is a database.
    nodes: Vec<Server>,
    proxy: Proxy,
    database: Database,
}

impl<'a> StormyNodes<'a> {
    pub(crate) fn start(cluster: &'a Cluster, random: &mut SmallRng) -> StormyNodes<'a> {
        let (database, proxy) = (cluster.fresh_database(), Proxy::start(cluster));
        let url = proxy.url(&database);
        let mut addresses = [free_address(random), free_address(random)];
        while addresses[0] == addresses[1] {
            addresses[1] = free_address(random);
        }
        let nodes = addresses.iter().map(|address| serve(address, &url)).collect();
        StormyNodes { cluster, url, addresses, nodes, proxy, database }
    }

    pub(crate) fn apis(&self) -> Vec<Api> {
        self.nodes.iter().map(|node| node.api.clone()).collect()
    }

    /// Lets everything happen, at random moments.
    pub(crate) async fn rage(mut self, random: &mut SmallRng) -> StormyNodes<'a> {
        let mut events = EVENTS;
        events.shuffle(random);
        for event in events {
            sleep(random.random_range(ROUND_MILLISECONDS)).await;
            println!("{event:?}");
            let number = random.random_range(0..self.nodes.len());
            match event {
                Event::Crash => {
                    let down = random.random_range(0..DOWN_MILLISECONDS_MAX);
                    self.crash(number, down).await;
                }
                Event::Standstill => {
                    self.nodes[number].process.signal(Signal::STOP);
                    tokio::time::sleep(STANDSTILL).await;
                    self.nodes[number].process.signal(Signal::CONT);
                }
                Event::DatabaseCrash => block_in_place(|| self.cluster.restart_immediate()),
                Event::ConnectionsEnd => _ = block_in_place(|| self.database.terminate_backends()),
                Event::AnswersAreLost => self.cut(Cut::After).await,
                Event::CommitsAreLost => self.cut(Cut::Before).await,
            }
        }
        sleep(ROUND_MILLISECONDS.start).await;
        self.proxy.cut_no_commits();
        self
    }

    pub(crate) fn stop(self) {
        for node in self.nodes {
            node.stop();
        }
    }

    /// Cuts the next commits, and goes on once that has happened: a busy machine takes its time.
    async fn cut(&self, cut: Cut) {
        let wanted = self.proxy.commits_cut() + COMMITS_CUT;
        self.proxy.cut_next_commits(COMMITS_CUT, cut);
        let is_cut = async {
            while self.proxy.commits_cut() < wanted {
                sleep(10).await;
            }
        };
        let time_max = Duration::from_millis(CUT_MILLISECONDS_MAX);
        tokio::time::timeout(time_max, is_cut).await.expect("nodes under load commit");
    }

    async fn crash(&mut self, number: usize, down_milliseconds: u64) {
        self.nodes.remove(number).kill();
        sleep(down_milliseconds).await;
        self.nodes.insert(number, serve(&self.addresses[number], &self.url));
    }
}

fn serve(address: &str, url: &str) -> Server {
    Server::start_with(serve_at(address, url), OPERATOR_KEY)
}
