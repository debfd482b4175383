//! What moves credits: grants, charges, refunds, holds, adjustments, batches, and what operations cost.

use std::io::Write as _;

use serde_json::{Value, json};

use super::desk::{Desk, done, stand_in, text};
use crate::support::{coffer, run};

#[tokio::test]
async fn credits_are_given_and_spent() {
    let desk = Desk::open();
    let account = desk.account();
    let grant = ["grant", "--account", &account, "--credits", "10.25", "--category", "promotional"];
    let granted = desk.json(&[&grant[..], &["--priority", "7", "--reference", "invoice 1"]].concat());
    let (grant_id, category) = (text(&granted, "id"), text(&granted, "category"));
    assert_eq!((granted["priority"].as_u64(), category.as_str()), (Some(7), "promotional"));

    let charge = ["charge", "--account", &account, "--credits", "0.25", "--reference", "order 1"];
    let charged = desk.json(&[&charge[..], &["--metadata", "image=42.png"]].concat());
    let path = format!("/v1/charges/{}", text(&charged, "id"));
    assert_eq!(charged, desk.server.api.get(&path).await.json());
    assert_eq!((&charged["reference"], &charged["metadata"]["image"]), (&"order 1".into(), &"42.png".into()));
    assert_eq!(charged["balance"]["available"], "10");

    let balance = desk.json(&["balance", "--account", &account]);
    assert_eq!(balance["available"], "10");
    let table = desk.done(&["balance", "--account", &account]);
    assert!(table.contains("10") && table.contains(&grant_id), "{table}");
}

#[tokio::test]
async fn grants_are_looked_at_and_taken_back() {
    let desk = Desk::open();
    let account = desk.account_with("10");
    let second = desk.json(&["grant", "--account", &account, "--credits", "5", "--reference", "gift"]);
    let second = text(&second, "id");
    let path = format!("/v1/accounts/{account}/grants");
    let listed = desk.json(&["grant", "list", "--account", &account]);
    assert_eq!(listed, desk.server.api.get(&path).await.json());
    let page = desk.done(&["grant", "list", "--account", &account, "--limit", "1"]);
    assert!(page.contains(&second) && page.contains("more: --cursor "), "newest first: {page}");
    let shown = desk.json(&["grant", "show", &second]);
    assert_eq!(shown, desk.server.api.get(&format!("/v1/grants/{second}")).await.json());

    let void = ["grant", "void", &second];
    let voided = desk.json(&[&void[..], &["--idempotency-key", "void-1"]].concat());
    assert_eq!((&voided["status"], &voided["remaining"]), (&"voided".into(), &"0".into()));
    assert_eq!(desk.server.api.available(&account).await, 10);
    let again = desk.json(&[&void[..], &["--idempotency-key", "void-1"]].concat());
    assert_eq!(again["id"], voided["id"], "the same name is the same request");
    let refused = desk.refused(&void);
    assert!(refused.contains("conflict") && refused.contains("--idempotency-key cli-"), "{refused}");
}

#[tokio::test]
async fn what_makes_something_does_not_go_with_a_subcommand() {
    let desk = Desk::open();
    let account = desk.account();
    for (arguments, said) in [
        (vec!["grant", "--account", &account, "list", "--account", &account], "--account"),
        (vec!["grant", "--reference", "r", "show", "grt_00000000000000000000000000"], "--reference"),
        (vec!["charge", "--credits", "1", "show", "chg_00000000000000000000000000"], "--credits"),
        (vec!["hold", "--metadata", "a=b", "list"], "--metadata"),
        (vec!["charge", "--account", &account, "--credits", "1", "--operation", "x"], "--operation"),
        (vec!["charge", "--account", &account, "--credits", "1", "--quantity", "2"], "--quantity"),
        (vec!["charge", "--account", &account, "--quantity", "2"], "--operation"),
        (vec!["hold", "--account", &account], "--credits"),
        (vec!["hold", "capture", "hld_1", "--credits", "1", "--quantity", "2"], "--quantity"),
    ] {
        let ended = desk.run(&arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(said), "{arguments:?}: {}", ended.stderr);
    }
    // What is allowed anywhere is allowed here too.
    desk.done(&["grant", "--json", "list", "--account", &account]);
}

#[tokio::test]
async fn charges_are_looked_at_and_given_back() {
    let desk = Desk::open();
    let account = desk.account_with("10");
    let elsewhere = desk.account_with("10");
    desk.done(&["charge", "--account", &elsewhere, "--credits", "1", "--reference", "a&b"]);
    let charge = ["charge", "--account", &account, "--credits", "4", "--reference", "a&b"];
    let charge = text(&desk.json(&charge), "id");
    desk.done(&["charge", "--account", &account, "--credits", "1"]);

    let path = format!("/v1/charges?account_id={account}");
    let listed = desk.json(&["charge", "list", "--account", &account]);
    assert_eq!(listed, desk.server.api.get(&path).await.json());
    let found = desk.json(&["charge", "list", "--account", &account, "--reference", "a&b"]);
    assert_eq!((&found["data"][0]["id"], found["data"].as_array().map(Vec::len)), (&json!(charge), Some(1)));
    assert_eq!(desk.json(&["charge", "list"])["data"].as_array().map(Vec::len), Some(3));

    let refunded = desk.json(&["refund", &charge, "--credits", "1.5"]);
    assert_eq!((&refunded["charge_id"], &refunded["credits"]), (&json!(charge), &"1.5".into()));
    let table = desk.done(&["refund", &charge]);
    assert!(table.contains(&charge) && table.contains("2.5"), "all that is left: {table}");
    let shown = desk.json(&["charge", "show", &charge]);
    assert_eq!((&shown["credits"], &shown["refunded"]), (&"4".into(), &"4".into()));
    let table = desk.done(&["charge", "show", &charge]);
    assert!(table.contains("a&b") && table.contains("REFUNDED"), "{table}");
    let refused = desk.refused(&["refund", &charge, "--credits", "1"]);
    assert!(refused.contains("conflict") && refused.contains("--idempotency-key cli-"), "{refused}");
    assert_eq!(desk.server.api.available(&account).await, 9);
}

#[tokio::test]
async fn credits_are_held_captured_and_released() {
    let desk = Desk::open();
    let account = desk.account_with("10");
    let hold =
        ["hold", "--account", &account, "--credits", "4", "--expires-in", "3600", "--reference", "job 1"];
    let held = desk.json(&[&hold[..], &["--metadata", "image=42.png"]].concat());
    let id = text(&held, "id");
    assert_eq!((&held["status"], &held["metadata"]["image"]), (&"open".into(), &"42.png".into()));
    assert_eq!(held["balance"], json!({"available": "6", "held": "4"}));
    let shown = desk.json(&["hold", "show", &id]);
    assert_eq!(shown, desk.server.api.get(&format!("/v1/holds/{id}")).await.json());

    let part = desk.json(&["hold", "capture", &id, "--credits", "1", "--not-final"]);
    assert_eq!((&part["hold_id"], &part["credits"]), (&json!(id), &"1".into()));
    let refused = desk.refused(&["hold", "capture", &id, "--credits", "5"]);
    assert!(refused.contains("conflict"), "more than is held, and nothing said about excess: {refused}");
    let rest = desk.json(&["hold", "capture", &id, "--credits", "5", "--excess", "charge"]);
    assert_eq!(rest["balance"], json!({"available": "4", "held": "0"}));
    assert!(desk.refused(&["hold", "release", &id]).contains("conflict"), "it is closed");

    let other = text(&desk.json(&["hold", "--account", &account, "--credits", "2"]), "id");
    let path = format!("/v1/holds?account_id={account}&status=open");
    let listed = desk.json(&["hold", "list", "--account", &account, "--status", "open"]);
    assert_eq!(listed, desk.server.api.get(&path).await.json());
    assert_eq!(listed["data"][0]["id"], other);
    assert_eq!(desk.json(&["hold", "release", &other])["status"], "released");
    let table = desk.done(&["hold", "list", "--account", &account]);
    assert!(table.contains(&id) && table.contains("captured") && table.contains("released"), "{table}");
    assert_eq!(desk.server.api.available(&account).await, 4);
}

#[tokio::test]
async fn an_account_is_corrected() {
    let desk = Desk::open();
    let account = desk.account_with("10");
    let adjust = |credits: &str, more: &[&str]| {
        let arguments = ["adjust", "--account", &account, "--credits", credits, "--reason", "counted twice"];
        desk.run(&[&arguments[..], more].concat())
    };
    let table = done(adjust("-2.5", &[]), &["adjust"]);
    assert!(table.contains("-2.5") && table.contains("counted twice") && table.contains("7.5"), "{table}");
    done(adjust("0.5", &[]), &["adjust"]);
    let refused = adjust("-9", &[]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("insufficient_credits"), "{}", refused.stderr);
    let debt = done(adjust("-9", &["--allow-negative", "--json"]), &["adjust"]);
    let debt: Value = serde_json::from_str(&debt).expect("JSON");
    assert_eq!((&debt["reason"], &debt["balance"]["available"]), (&"counted twice".into(), &"-1".into()));
}

#[tokio::test]
async fn operations_have_prices() {
    let desk = Desk::open();
    let account = desk.account_with("10");
    let set = ["price", "set", "image-resize", "--credits-per-unit", "0.5", "--unit", "image"];
    let price = desk.json(&[&set[..], &["--description", "Makes images smaller"]].concat());
    assert_eq!((&price["operation"], &price["credits_per_unit"]), (&"image-resize".into(), &"0.5".into()));
    let listed = desk.json(&["price", "list"]);
    assert_eq!(listed, desk.server.api.get("/v1/prices").await.json());
    let table = desk.done(&["price", "list"]);
    assert!(table.contains("Makes images smaller") && table.contains("get-credits-balance"), "{table}");

    let charge = ["charge", "--account", &account, "--operation", "image-resize", "--quantity", "3"];
    let charged = desk.json(&charge);
    assert_eq!((&charged["credits"], &charged["quantity"]), (&"1.5".into(), &"3".into()));
    let hold = ["hold", "--account", &account, "--operation", "image-resize", "--quantity", "4"];
    let held = desk.json(&hold);
    assert_eq!((&held["credits"], &held["operation"]), (&"2".into(), &"image-resize".into()));
    let captured = desk.json(&["hold", "capture", &text(&held, "id"), "--quantity", "1"]);
    assert_eq!((&captured["credits"], &captured["balance"]["available"]), (&"0.5".into(), &"8".into()));

    let deleted = desk.done(&["price", "delete", "image-resize"]);
    assert!(deleted.contains("image-resize"), "{deleted}");
    assert!(desk.refused(&["price", "delete", "image-resize"]).contains("not_found"));
    assert!(desk.refused(&charge).contains("not_found"));
    let reserved = ["price", "set", "get-credits-balance", "--credits-per-unit", "1"];
    assert!(desk.refused(&reserved).contains("conflict"));
    assert_eq!(desk.run(&["price", "delete", ".."]).code, Some(2), "it would be another path");
}

#[tokio::test]
async fn an_operation_of_any_name_stays_one_segment_of_the_path() {
    let (url, server) = stand_in(|client| {
        write!(client, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").expect("the client reads");
    });
    let name = "resize/../größe 100%?x#y";
    let ended = run(coffer(&["price", "delete", name, "--json", "--operator-key", "key", "--url", &url]));
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{ended:?}: there is no JSON in a 204");
    let request = server.join().expect("the stand-in has answered");
    let line = "DELETE /v1/prices/resize%2F..%2Fgr%C3%B6%C3%9Fe%20100%25%3Fx%23y HTTP/1.1\r\n";
    assert!(request.starts_with(line), "{request}");
}

#[tokio::test]
async fn a_batch_is_carried_out_once() {
    let desk = Desk::open();
    let account = desk.account_with("10");
    let operations = json!({"operations": [
        {"idempotency_key": "a", "type": "charge", "account_id": account, "credits": "3"},
        {"idempotency_key": "b", "type": "grant", "account_id": account, "credits": 5},
    ]});
    let file = desk.data.path().join("batch.json");
    std::fs::write(&file, operations.to_string()).expect("a file that can be written");
    let file = file.to_str().expect("a path in UTF-8");
    let table = desk.done(&["batch", file]);
    let charge = text(&desk.json(&["charge", "list", "--account", &account])["data"][0], "id");
    assert!(table.contains("201") && table.contains(&charge) && table.contains("false"), "{table}");

    let arguments = ["batch", "--json"];
    let again = done(desk.run_with_input(&arguments, &operations.to_string()), &arguments);
    let again: Value = serde_json::from_str(&again).expect("JSON");
    assert_eq!(again["results"][0]["body"]["id"], charge);
    assert_eq!(
        (&again["results"][0]["replayed"], &again["results"][1]["replayed"]),
        (&true.into(), &true.into())
    );
    assert_eq!(desk.server.api.available(&account).await, 12);
}

#[tokio::test]
async fn a_batch_in_which_something_is_refused_says_so() {
    let desk = Desk::open();
    let account = desk.account_with("10");
    let operations = json!({"operations": [
        {"idempotency_key": "a", "type": "charge", "account_id": account, "credits": "30"},
        {"idempotency_key": "b", "type": "charge", "account_id": account, "credits": "3"},
    ]});
    let ended = desk.run_with_input(&["batch"], &operations.to_string());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stdout.contains("insufficient_credits") && ended.stdout.contains("chg_"),
        "{}",
        ended.stdout
    );
    assert!(ended.stderr.contains("1 of 2 operations"), "{}", ended.stderr);
    assert_eq!(desk.server.api.available(&account).await, 7, "each on its own");

    let broken = desk.run_with_input(&["batch"], r#"{"operations": "none"}"#);
    assert_eq!(broken.code, Some(1), "{broken:?}");
    assert!(broken.stderr.contains("invalid_request"), "{}", broken.stderr);
    let missing = desk.refused(&["batch", "no-such-file.json"]);
    assert!(missing.contains("no-such-file.json"), "{missing}");
    let named = desk.run_with_input(&["batch", "--idempotency-key", "a"], &operations.to_string());
    assert_eq!(named.code, Some(2), "{named:?}");
}
