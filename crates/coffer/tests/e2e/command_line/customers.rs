//! Accounts, and the keys of customers.

use serde_json::{Value, json};

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

#[tokio::test]
async fn an_account_is_changed() {
    let desk = Desk::open();
    let create =
        ["account", "create", "--name", "Acme", "--metadata", "tier=gold", "--metadata", "since=2024"];
    let id = text(&desk.json(&create), "id");
    let update = ["account", "update", &id, "--name", "Acme Ltd", "--overdraft-limit", "5"];
    let changed = desk.json(&[&update[..], &["--metadata", "tier=silver"]].concat());
    assert_eq!(changed, desk.server.api.get(&format!("/v1/accounts/{id}")).await.json());
    assert_eq!((&changed["name"], &changed["overdraft_limit"]), (&"Acme Ltd".into(), &"5".into()));
    assert_eq!(changed["metadata"], json!({"tier": "silver"}), "the pairs are replaced, not merged");

    let bare = desk.json(&["account", "update", &id, "--no-metadata"]);
    assert_eq!((&bare["metadata"], &bare["name"]), (&json!({}), &"Acme Ltd".into()));
    assert_eq!(desk.run(&["account", "update", &id]).code, Some(2), "a change has something to change");
}

#[tokio::test]
async fn an_account_is_frozen_and_closed() {
    let desk = Desk::open();
    let account = desk.account_with("3");
    let charge = ["charge", "--account", &account, "--credits", "1"];
    let table = desk.done(&["account", "update", &account, "--status", "frozen"]);
    assert!(table.contains("frozen"), "{table}");
    assert!(desk.refused(&charge).contains("account_frozen"));
    desk.done(&["account", "update", &account, "--status", "active"]);
    desk.done(&charge);

    let closed = desk.json(&["account", "update", &account, "--status", "closed"]);
    assert_eq!((&closed["status"], &closed["balance"]["available"]), (&"closed".into(), &"0".into()));
    let listed = desk.json(&["account", "list", "--status", "closed"]);
    assert_eq!(listed["data"][0]["id"], account);
}

#[tokio::test]
async fn the_free_text_of_an_account_is_erased() {
    let desk = Desk::open();
    let account = desk.account_with("3");
    desk.done(&["charge", "--account", &account, "--credits", "1", "--reference", "portrait of Ann"]);
    let statement = ["statement", "--account", &account, "--json"];
    assert!(desk.done(&statement).contains("portrait of Ann"));

    let long_ago = desk.json(&["account", "erase", &account, "--until", "2020-01-01T00:00:00Z"]);
    assert_eq!((&long_ago["until"], &long_ago["entries"]), (&"2020-01-01T00:00:00.000Z".into(), &0.into()));
    assert!(desk.done(&statement).contains("portrait of Ann"));

    let table = desk.done(&["account", "erase", &account]);
    assert!(table.contains(&account), "{table}");
    assert!(!desk.done(&statement).contains("portrait of Ann"));
    assert_eq!(desk.server.api.available(&account).await, 2, "the amounts stay");
}

#[tokio::test]
async fn a_key_is_changed() {
    let desk = Desk::open();
    let account = desk.account_with("12");
    let create = ["key", "create", "--account", &account, "--name", "site", "--limit", "5"];
    let made = desk.json(&[&create[..], &["--limit-period", "day", "--metadata", "page=home"]].concat());
    let (id, secret) = (text(&made, "id"), text(&made, "secret"));
    let path = format!("/v1/keys/{id}");
    assert_eq!(desk.json(&["key", "show", &id]), desk.server.api.get(&path).await.json());

    assert_eq!(desk.json(&["key", "update", &id, "--disable"])["status"], "disabled");
    assert_eq!(desk.server.api.read_balance(&secret).await.text, DEAD_KEY);
    let update = ["key", "update", &id, "--enable", "--name", "shop", "--expires-at", "2099-01-01T00:00:00Z"];
    let changed = desk.json(&[&update[..], &["--limit", "7.5", "--limit-period", "month"]].concat());
    assert_eq!(changed, desk.server.api.get(&path).await.json());
    assert_eq!(desk.server.api.read_balance(&secret).await.text, user_credits("12"));
    assert_eq!((&changed["name"], &changed["status"]), (&"shop".into(), &"active".into()));
    assert_eq!(changed["expires_at"], "2099-01-01T00:00:00.000Z");
    assert_eq!(changed["limit"], json!({"credits": "7.5", "period": "month"}));

    let forever = desk.json(&["key", "update", &id, "--expires-at", "never", "--no-limit"]);
    assert_eq!((&forever["expires_at"], &forever["limit"]), (&Value::Null, &Value::Null));
    let table = desk.done(&["key", "update", &id, "--no-metadata"]);
    assert!(table.contains(&id) && table.contains("shop"), "{table}");
}

#[tokio::test]
async fn a_change_of_a_key_does_not_contradict_itself() {
    let desk = Desk::open();
    for changes in [
        &[][..],
        &["--disable", "--enable"],
        &["--limit", "5"],
        &["--limit-period", "day"],
        &["--no-limit", "--limit", "5", "--limit-period", "day"],
        &["--no-metadata", "--metadata", "a=b"],
    ] {
        let arguments = [&["key", "update", "key_00000000000000000000000000"], changes].concat();
        assert_eq!(desk.run(&arguments).code, Some(2), "{arguments:?}");
    }
}

#[tokio::test]
async fn a_key_gets_a_new_secret() {
    let desk = Desk::open();
    let account = desk.account_with("12");
    let (id, first) = desk.server.api.key_of(&account).await;
    let rotated = desk.json(&["key", "rotate", &id, "--overlap-seconds", "3600"]);
    let second = text(&rotated, "secret");
    assert_eq!(rotated["id"], id);
    for secret in [&first, &second] {
        assert_eq!(desk.server.api.read_balance(secret).await.text, user_credits("12"));
    }
    let table = desk.done(&["key", "rotate", &id]);
    let third = table.split_whitespace().find(|word| word.starts_with("cof_live_"));
    let third = third.unwrap_or_else(|| panic!("the secret is shown once: {table}"));
    assert_eq!(desk.server.api.read_balance(third).await.text, user_credits("12"));
    assert_eq!(desk.server.api.read_balance(&second).await.text, DEAD_KEY);
}

#[tokio::test]
async fn a_key_is_verified_and_nothing_is_spent() {
    let desk = Desk::open();
    let account = desk.account_with("12");
    let (id, secret) = desk.server.api.key_of(&account).await;
    let verify = |more: &[&str], secret: &str| {
        let arguments = [&["key", "verify", "--json"], more].concat();
        let stdout = done(desk.run_with_input(&arguments, &format!("{secret}\n")), &arguments);
        serde_json::from_str::<Value>(&stdout).expect("JSON")
    };
    let could = verify(&["--credits", "2.5"], &secret);
    assert_eq!((&could["valid"], &could["allowed"]), (&true.into(), &true.into()));
    assert_eq!((&could["account_id"], &could["key_id"]), (&account.clone().into(), &id.into()));
    assert_eq!((&could["would_charge"], &could["available"]), (&"2.5".into(), &"12".into()));
    let could_not = verify(&["--credits", "13"], &secret);
    assert_eq!((&could_not["valid"], &could_not["allowed"]), (&true.into(), &false.into()));
    assert_eq!(verify(&[], "a-secret-that-nobody-was-ever-given")["valid"], false);

    desk.done(&["price", "set", "image-resize", "--credits-per-unit", "0.5"]);
    let priced = verify(&["--operation", "image-resize", "--quantity", "3"], &secret);
    assert_eq!(priced["would_charge"], "1.5");
    assert_eq!(desk.server.api.available(&account).await, 12);

    let table = done(desk.run_with_input(&["key", "verify"], &secret), &["key", "verify"]);
    assert!(table.contains(&account) && !table.contains(&secret), "{table}");
}

#[tokio::test]
async fn a_link_to_an_accounts_own_page_is_made() {
    let desk = Desk::open();
    let account = desk.account();
    let made = desk.json(&["portal", "--account", &account, "--expires-in", "60"]);
    let link = text(&made, "url");
    let (page, token) = link.split_once('#').expect("the token is where browsers send nothing");
    assert_eq!(page, format!("{}/portal/open", desk.server.api.url()));
    assert!(token.starts_with("ses_"), "{token}");
    let shown = desk.done(&["portal", "--account", &account]);
    assert!(shown.contains(page), "{shown}");
}
