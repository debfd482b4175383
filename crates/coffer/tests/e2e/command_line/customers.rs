//! Accounts, and the keys of customers.

use serde_json::Value;

use super::desk::{Desk, done, text};
use crate::support::{DEAD_KEY, run_with_input, user_credits};

#[tokio::test]
async fn accounts() {
    let desk = Desk::open();
    let create =
        ["account", "create", "--name", "Acme & Söhne", "--external-id", "crm-7", "--overdraft-limit"];
    let made = desk.json(&[&create[..], &["2.50", "--metadata", "tier=gold=1"]].concat());
    let id = text(&made, "id");
    assert_eq!(made, desk.server.api.get(&format!("/v1/accounts/{id}")).await.json());
    assert_eq!((&made["name"], &made["external_id"]), (&Value::from("Acme & Söhne"), &Value::from("crm-7")));
    assert_eq!(made["overdraft_limit"], "2.5");
    assert_eq!(made["metadata"]["tier"], "gold=1");
    assert_eq!(desk.json(&["account", "show", &id]), made);
    let table = desk.done(&["account", "show", &id]);
    assert!(table.contains(&id) && table.contains("Acme & Söhne") && table.contains("active"), "{table}");
}

#[tokio::test]
async fn accounts_in_pages() {
    let desk = Desk::open();
    let (first, second) = (desk.account(), desk.account());
    assert_eq!(desk.json(&["account", "list"]), desk.server.api.get("/v1/accounts").await.json());
    assert_eq!(desk.json(&["account", "list", "--external-id", "a b&c"])["data"], Value::Array(Vec::new()));
    assert_eq!(desk.json(&["account", "list", "--status", "frozen"])["data"], Value::Array(Vec::new()));

    let page = desk.done(&["account", "list", "--limit", "1"]);
    assert!(page.contains(&second) && !page.contains(&first), "newest first: {page}");
    let cursor = page.lines().find_map(|line| line.strip_prefix("more: --cursor ")).expect("there is more");
    let page = desk.done(&["account", "list", "--limit", "1", "--cursor", cursor]);
    assert!(page.contains(&first) && !page.contains(&second) && !page.contains("more:"), "{page}");
}

#[tokio::test]
async fn keys_from_their_first_day_to_their_last() {
    let desk = Desk::open();
    let account = desk.account_with("12");
    let made = desk.json(&["key", "create", "--account", &account, "--name", "site"]);
    let (id, secret) = (text(&made, "id"), text(&made, "secret"));
    assert_eq!(desk.server.api.read_balance(&secret).await.text, user_credits("12"));
    let table = desk.done(&["key", "create", "--account", &account, "--name", "shown"]);
    assert!(table.contains("cof_live_"), "the secret is shown once: {table}");

    let list = desk.done(&["key", "list", "--account", &account]);
    assert!(list.contains(&id) && list.contains("site") && list.contains("shown"), "{list}");
    assert!(!list.contains(&secret), "the secret is shown once: {list}");
    let path = format!("/v1/accounts/{account}/keys");
    let listed = desk.json(&["key", "list", "--account", &account]);
    assert_eq!(listed, desk.server.api.get(&path).await.json());

    assert_eq!(desk.json(&["key", "revoke", &id])["status"], "revoked");
    assert_eq!(desk.server.api.read_balance(&secret).await.text, DEAD_KEY);
}

#[tokio::test]
async fn a_key_with_a_limit_and_an_end() {
    let desk = Desk::open();
    let account = desk.account();
    let key =
        ["key", "create", "--account", &account, "--name", "site", "--expires-at", "2099-01-01T00:00:00Z"];
    let made = desk.json(&[&key[..], &["--limit", "5", "--limit-period", "day"]].concat());
    assert_eq!(made["expires_at"], "2099-01-01T00:00:00.000Z");
    assert_eq!((&made["limit"]["credits"], &made["limit"]["period"]), (&"5".into(), &"day".into()));
    assert_eq!(desk.run(&[&key[..], &["--limit", "5"]].concat()).code, Some(2), "a limit is for a period");
}

#[tokio::test]
async fn a_customers_own_secret_is_read_from_standard_input() {
    let desk = Desk::open();
    let account = desk.account_with("3.5");
    let secret = "a-secret-of-old-that-a-customer-has-already";
    let arguments = ["key", "import", "--account", &account, "--name", "old"];
    let table = done(run_with_input(desk.command(&arguments), &format!("{secret}\n")), &arguments);
    assert!(!table.contains(secret), "{table}");
    assert_eq!(desk.server.api.read_balance(secret).await.text, user_credits("3.5"));

    let known = run_with_input(desk.command(&arguments), secret);
    assert_eq!(known.code, Some(1), "{known:?}");
    assert!(known.stderr.contains("conflict"), "{}", known.stderr);
    let weak = run_with_input(desk.command(&arguments), "only-18-characters");
    assert_eq!(weak.code, Some(1), "{weak:?}");
    let weak = [&arguments[..], &["--allow-weak"]].concat();
    done(run_with_input(desk.command(&weak), "only-18-characters"), &weak);
    assert_eq!(desk.server.api.read_balance("only-18-characters").await.text, user_credits("3.5"));
}
