//! A customer in a real browser: opens the link, makes a key, copies it, calls the endpoint with it, sees what it spends,
//! rotates it, revokes it and finds it dead. axe looks at every page.

use serde_json::json;
use tempfile::tempdir;

use crate::console::{seen, text};
use crate::support::Server;

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_makes_a_key_uses_it_and_revokes_it() {
    let data = tempdir().expect("a temporary directory");
    let server = Server::start(data.path());
    let api = &server.api;
    let account = api.account_with(1234).await;
    let made = api.post(&format!("/v1/accounts/{account}/portal-sessions"), json!({})).await.wants(201);
    let link = made.text_of("url");
    let charges = format!("{}/v1/charges", api.url());
    let seen = seen("portal.mjs", &[api.url(), &link, &charges, api.operator_key()]);

    let none: [&str; 0] = [];
    assert_eq!(seen["findings"], json!(none), "axe finds nothing serious");
    assert_eq!(seen["complaints"], json!(none), "nothing is refused by the policy of the pages");
    assert_eq!(text(&seen, "opened"), format!("{}/portal", api.url()), "the token is nowhere in the address");
    assert_eq!(seen["cookies"], json!(["coffer_portal true Lax"]));
    assert_eq!(text(&seen, "nameless"), "must not be empty");
    assert_eq!((&seen["secret"], &seen["isGone"]), (&json!(true), &json!(true)), "copied, and shown once");
    let live = |credits: &str| json!({"code": 100_000, "credits": credits});
    let dead = json!({"code": 800_002, "credits": null});
    assert!(text(&seen, "tried").contains(r#""user_credits":"1234""#), "{seen}");
    assert_eq!(seen["live"], live("1234"));
    for (name, said) in
        [("spent", "of 100 a month"), ("byKey", "my program"), ("entry", "picture 1"), ("revoked", "Revoked")]
    {
        assert!(text(&seen, name).contains(said), "{said} in {}", text(&seen, name));
    }
    assert_eq!(text(&seen, "file"), "statement.csv");
    assert_eq!(seen["both"], json!([live("1227"), live("1227")]), "the old secret lives on for a day");
    assert_eq!(seen["dead"], json!([dead, dead]), "after the key was revoked neither does");
    assert!(text(&seen, "spentLink").contains("does not work any more"));
    assert_eq!(seen["afterwards"], 401, "whoever signed out is out");
}
