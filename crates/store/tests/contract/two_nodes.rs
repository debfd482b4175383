//! Two nodes that decide the same at once: each has looked before the other can write, and still only one of them does it.
//!
//! What moves credits could not be written twice anyway, for the number of its entry is unique. Here is what writes none.

use std::sync::Arc;
use std::time::Duration;

use coffer_ledger::{
    Command, CreateOperatorKey, GrantCredits, GrantId, Hint, IdempotencyKey, Name, OperatorKeyId, Outcome,
    Refusal, RevokeOperatorKey, Scopes, VoidGrant,
};
use coffer_store::{Batch, LaneChoice, Span, Store, StoreError};
use coffer_test_postgres::{Cluster, Database};

use crate::commands::{account, apply, at, grant, id, open, price, secret};
use crate::others::node;

const ROUNDS: u8 = 5;

struct Two {
    nodes: [Arc<dyn Store>; 2],
    database: Database,
}

async fn two() -> Two {
    let database = Cluster::shared().fresh_database();
    let form = LaneChoice::AsTheTablesAre;
    let nodes = [node(&database, form).await, node(&database, form).await];
    Two { nodes, database }
}

impl Two {
    /// Has each node carry out a command, and keeps both from writing to a table until both have had time to look.
    async fn at_once(&self, table: &str, commands: [Command; 2]) -> Vec<Outcome> {
        let left_open = self.database.leave_open(&format!("LOCK TABLE {table} IN SHARE MODE"));
        let let_go = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            tokio::task::block_in_place(|| drop(left_open));
        };
        let [one, other] = commands;
        let (one, other, ()) =
            tokio::join!(patiently(&self.nodes[0], one), patiently(&self.nodes[1], other), let_go);
        vec![one, other]
    }
}

/// Applies a command, and again where the other node has locked what it names: each try waits a quarter of a second for it.
async fn patiently(node: &Arc<dyn Store>, command: Command) -> Outcome {
    for _ in 0..40 {
        match node.apply(Batch { clock: at(1), commands: vec![command.clone()] }).await {
            Err(StoreError::RowsLocked(_)) => {}
            applied => return applied.expect("a batch is written").remove(0).outcome,
        }
    }
    panic!("the other node does not let go of the row");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_is_made_once_and_the_second_changes_it() {
    let two = two().await;
    for round in 0..ROUNDS {
        let name = format!("operation-{round}");
        let outcomes = two.at_once("prices", [price(1, &name, "1"), price(2, &name, "2")]).await;
        let id_of = |outcome: &Outcome| match outcome {
            Outcome::PricePut(price) => price.id,
            other => panic!("no price was put: {other:?}"),
        };
        assert_eq!(id_of(&outcomes[0]), id_of(&outcomes[1]), "{name}");
    }
    assert_eq!(two.database.execute("SELECT FROM prices").len(), usize::from(ROUNDS));
}

/// An operator's key with its number.
fn operator_key(number: u8) -> Command {
    Command::CreateOperatorKey(CreateOperatorKey {
        id: OperatorKeyId::from_bytes(id(number)),
        name: Name::try_from(format!("operator {number}")).expect("short"),
        secret: secret(number),
        hint: Hint::try_from("…abcd".to_owned()).expect("short"),
        scopes: Scopes::ALL,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_last_two_operator_keys_one_stays() {
    let two = two().await;
    apply(&two.nodes[0], 0, vec![operator_key(1), operator_key(2)]).await;
    for round in 0..ROUNDS {
        let all = Span { before: None, count_max: usize::from(ROUNDS) + 2 };
        let live = two.nodes[0].operator_keys(all).await.expect("a read").items;
        let live: Vec<OperatorKeyId> =
            live.iter().filter(|key| key.revoked_at.is_none()).map(|key| key.id).collect();
        let revoke =
            |id: OperatorKeyId| Command::RevokeOperatorKey(RevokeOperatorKey { id, other_is_live: false });
        let outcomes = two.at_once("operator_keys", [revoke(live[0]), revoke(live[1])]).await;
        let refused = outcomes
            .iter()
            .filter(|outcome| matches!(outcome, Outcome::Refused(Refusal::LastOperatorKeyMustLive)));
        assert_eq!(refused.count(), 1, "round {round}: {outcomes:?}");
        apply(&two.nodes[0], 0, vec![operator_key(10 + round)]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_has_not_started_is_voided_once() {
    let two = two().await;
    apply(&two.nodes[0], 0, vec![open(1)]).await;
    for round in 0..ROUNDS {
        let pending = GrantCredits { effective_at: Some(at(3_600)), ..grant(10 + round, 1, 5) };
        apply(&two.nodes[0], 0, vec![Command::Grant(pending)]).await;
        let void = |node: u8| {
            Command::VoidGrant(VoidGrant {
                id: GrantId::from_bytes(id(10 + round)),
                account_id: account(1),
                idempotency: IdempotencyKey::try_from(format!("void-{round}-{node}")).expect("visible"),
            })
        };
        let outcomes = two.at_once("lots", [void(1), void(2)]).await;
        let voided = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::GrantVoided(_)));
        assert_eq!(voided.count(), 1, "round {round}: {outcomes:?}");
    }
}
