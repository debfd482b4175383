//! `/v1/batch`.

use axum::body::Body;
use axum::http::Method;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Answer, Api, AsString as _, request};

async fn send(api: &Api, operations: Value) -> Answer {
    api.post("/v1/batch", json!({"operations": operations})).await
}

async fn results(api: &Api, operations: Value) -> Vec<Value> {
    send(api, operations).await.ok()["results"].as_array().expect("a list").clone()
}

/// Sends a body as it is written.
async fn send_text(api: &Api, body: String) -> Answer {
    let request = request(Method::POST, "/v1/batch").header("Content-Type", "application/json");
    api.send(request.body(Body::from(body)).expect("a request")).await
}

/// What came of one operation, in words.
fn words(result: &Value) -> String {
    let body = &result["body"];
    let mut words = result["status"].to_string();
    for name in ["code", "reason", "field"] {
        if let Some(text) = body[name].as_str() {
            words.push_str(&format!(" {text}"));
        }
    }
    if result["replayed"] == true {
        words.push_str(", again");
    }
    words
}

fn all_words(results: &[Value]) -> Vec<String> {
    results.iter().map(words).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_are_done_in_order_each_on_its_own() {
    let api = Api::new();
    let account = api.account().await;
    let answer = send(
        &api,
        json!([
            {"idempotency_key": "1", "type": "charge", "account_id": account, "credits": 1},
            {"idempotency_key": "2", "type": "grant", "account_id": account, "credits": 5},
            {"idempotency_key": "3", "type": "charge", "account_id": account, "credits": "1.5", "reference": "a"},
            {"idempotency_key": "4", "type": "hold", "account_id": account, "credits": 4},
            {"idempotency_key": "5", "type": "hold", "account_id": account, "credits": 2},
        ]),
    )
    .await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_snapshot!(answer.shown().replace(r#",{"status""#, ",\n{\"status\""), @r#"
    200 {"results":[{"status":402,"body":{"type":"about:blank","title":"Payment Required","status":402,"detail":"the account has 0 credits available, and 1 are required","code":"insufficient_credits","required":"1","available":"0"},"replayed":false},
    {"status":201,"body":{"id":"grt_…","account_id":"acc_…","credits":"5","remaining":"5","held":"0","category":"paid","priority":50,"effective_at":"2026-08-22T12:00:00.000Z","expires_at":null,"status":"active","reference":null,"metadata":{},"created_at":"2026-08-22T12:00:00.000Z"},"replayed":false},
    {"status":201,"body":{"id":"chg_…","account_id":"acc_…","key_id":null,"hold_id":null,"operation":null,"quantity":null,"credits":"1.5","refunded":"0","reference":"a","metadata":{},"created_at":"2026-08-22T12:00:00.000Z","balance":{"available":"3.5","held":"0"}},"replayed":false},
    {"status":402,"body":{"type":"about:blank","title":"Payment Required","status":402,"detail":"the account has 3.5 credits available, and 4 are required","code":"insufficient_credits","required":"4","available":"3.5"},"replayed":false},
    {"status":201,"body":{"id":"hld_…","account_id":"acc_…","key_id":null,"operation":null,"quantity":null,"credits":"2","captured":"0","status":"open","expires_at":"2026-08-22T12:15:00.000Z","reference":null,"metadata":{},"created_at":"2026-08-22T12:00:00.000Z","balance":{"available":"1.5","held":"2"}},"replayed":false}]}
    "#);
    assert_eq!(api.history(&account).await, ["grant 5", "charge -1.5", "hold -2 held 2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_takes_the_fields_of_its_call() {
    let api = Api::new();
    let account = api.funded("20").await;
    let (_, secret) = api.key(&account).await;
    api.put("/v1/prices/upscale", json!({"credits_per_unit": "0.5"})).await.ok();
    let made = results(
        &api,
        json!([
            {
                "type": "grant", "idempotency_key": "g", "account_id": account, "credits": 1, "priority": 10,
                "category": "promotional", "expires_at": "2027-01-01T00:00:00Z", "metadata": {"a": "b"},
            },
            {"type": "charge", "idempotency_key": "c", "api_key": secret, "operation": "upscale", "quantity": 3},
            {"type": "hold", "idempotency_key": "h1", "account_id": account, "credits": 4, "expires_in": 60},
            {"type": "hold", "idempotency_key": "h2", "api_key": secret, "operation": "upscale"},
        ]),
    )
    .await;
    assert_eq!(all_words(&made), ["201", "201", "201", "201"]);
    assert_eq!(made[0]["body"]["category"], "promotional");
    assert_eq!((&made[1]["body"]["credits"], &made[1]["body"]["quantity"]), (&json!("1.5"), &json!("3")));
    assert_eq!(made[2]["body"]["expires_at"], "2026-08-22T12:01:00.000Z");
    let id = |place: usize| made[place]["body"]["id"].string();
    let resolved = results(
        &api,
        json!([
            {"type": "capture", "idempotency_key": "p", "hold_id": id(2), "credits": 5, "excess": "charge", "final": true},
            {"type": "release", "idempotency_key": "r", "hold_id": id(3)},
            {"type": "refund", "idempotency_key": "f", "charge_id": id(1), "credits": "0.5"},
        ]),
    )
    .await;
    assert_eq!(all_words(&resolved), ["201", "200", "201"]);
    assert_eq!(
        (&resolved[0]["body"]["hold_id"], &resolved[0]["body"]["credits"]),
        (&json!(id(2)), &json!("5"))
    );
    assert_eq!(resolved[1]["body"]["status"], "released");
    assert_eq!(resolved[2]["body"]["charge_id"], json!(id(1)));
    // 20 + 1 − 1.5 − 5 + 0.5
    assert_eq!(api.standing(&account).await, "available 15, held 0, seq 8");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_sent_again_replays_every_operation() {
    let api = Api::new();
    let account = api.funded("5").await;
    let operations = json!([
        {"idempotency_key": "a", "type": "charge", "account_id": account, "credits": 1},
        {"idempotency_key": "b", "type": "charge", "account_id": account, "credits": 9},
        {"idempotency_key": "c", "type": "hold", "account_id": account, "credits": 2},
        {"idempotency_key": "d", "type": "grant", "account_id": account, "credits": 2},
    ]);
    let first = results(&api, operations.clone()).await;
    api.move_credits(&format!("/v1/accounts/{account}/grants"), json!({"credits": 90})).await.created();
    let release = format!("/v1/holds/{}/release", first[2]["body"]["id"].string());
    api.move_credits(&release, json!({})).await.ok();
    let before = api.standing(&account).await;
    api.pass_seconds(60);
    let again = results(&api, operations).await;
    assert_eq!(
        all_words(&again),
        ["201, again", "402 insufficient_credits, again", "201, again", "201, again"]
    );
    for (first, again) in first.iter().zip(&again) {
        assert_eq!((&first["body"], first["replayed"].clone()), (&again["body"], json!(false)));
    }
    assert_eq!(api.standing(&account).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_twin_in_the_batch_replays_and_another_request_is_422() {
    let api = Api::new();
    let account = api.funded("5").await;
    let made = results(
        &api,
        json!([
            {"idempotency_key": "a", "type": "charge", "account_id": account, "credits": 1},
            {"idempotency_key": "a", "type": "charge", "account_id": account, "credits": "1.0", "metadata": {}},
            {"idempotency_key": "a", "type": "charge", "account_id": account, "credits": 2},
            {"idempotency_key": "a", "type": "hold", "account_id": account, "credits": 1},
            {"idempotency_key": "b", "type": "charge", "account_id": account, "credits": 50},
            {"idempotency_key": "b", "type": "charge", "account_id": account, "credits": 50},
        ]),
    )
    .await;
    assert_eq!(
        all_words(&made),
        [
            "201",
            "201, again",
            "422 idempotency_key_reused",
            "422 idempotency_key_reused",
            "402 insufficient_credits",
            "402 insufficient_credits, again"
        ]
    );
    assert_eq!(made[0]["body"], made[1]["body"]);
    assert_eq!(api.standing(&account).await, "available 4, held 0, seq 2");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_and_the_single_call_are_the_same_request() {
    let api = Api::new();
    let account = api.funded("50").await;
    let (_, secret) = api.key(&account).await;
    let hold = async || {
        let body = json!({"account_id": account, "credits": 2});
        api.move_credits("/v1/holds", body).await.created()["id"].string()
    };
    let holds = [hold().await, hold().await, hold().await, hold().await];
    let body = json!({"account_id": account, "credits": 3});
    let charges = [
        api.move_credits("/v1/charges", body.clone()).await.created()["id"].string(),
        api.move_credits("/v1/charges", body).await.created()["id"].string(),
    ];
    let grants = format!("/v1/accounts/{account}/grants");
    let text = json!({"reference": "job 9", "metadata": {"b": "2", "a": "1"}});
    // Of each: the path of the single call, its body, and what the operation has beside that body.
    let cases = [
        (
            grants.clone(),
            json!({"credits": 1, "reference": text["reference"]}),
            json!({"type": "grant", "account_id": account}),
        ),
        (
            "/v1/charges".into(),
            json!({"account_id": account, "credits": 1, "metadata": text["metadata"]}),
            json!({"type": "charge"}),
        ),
        ("/v1/charges".into(), json!({"api_key": secret, "credits": 1}), json!({"type": "charge"})),
        ("/v1/charges".into(), json!({"account_id": account, "credits": 1000}), json!({"type": "charge"})),
        (
            "/v1/holds".into(),
            json!({"account_id": account, "credits": 1, "expires_in": 900}),
            json!({"type": "hold"}),
        ),
        (
            format!("/v1/holds/{}/capture", holds[0]),
            json!({"credits": 1}),
            json!({"type": "capture", "hold_id": holds[0]}),
        ),
        (
            format!("/v1/holds/{}/release", holds[1]),
            json!({}),
            json!({"type": "release", "hold_id": holds[1]}),
        ),
        (
            format!("/v1/charges/{}/refund", charges[0]),
            json!({}),
            json!({"type": "refund", "charge_id": charges[0]}),
        ),
    ];
    let operation = |name: &str, body: &Value, beside: &Value| {
        let mut fields = body.as_object().expect("an object").clone();
        fields.extend(beside.as_object().expect("an object").clone());
        fields.insert("idempotency_key".into(), json!(name));
        Value::Object(fields)
    };
    for (number, (path, body, beside)) in cases.iter().enumerate() {
        let name = format!("single-first-{number}");
        let single = api.move_named(path, &name, body.clone()).await;
        let result = &results(&api, json!([operation(&name, body, beside)])).await[0];
        assert_eq!(
            (result["status"].as_u64(), &result["body"], &result["replayed"]),
            (Some(single.status.into()), &single.json(), &json!(true)),
            "{path} {body}"
        );
    }
    let cases = cases.map(|(path, body, mut beside)| {
        let path = path.replace(&holds[0], &holds[2]).replace(&holds[1], &holds[3]);
        let path = path.replace(&charges[0], &charges[1]);
        for (field, ids) in [("hold_id", [&holds[0], &holds[1]]), ("charge_id", [&charges[0], &charges[0]])] {
            let others = if field == "hold_id" { [&holds[2], &holds[3]] } else { [&charges[1], &charges[1]] };
            if let Some(place) = ids.iter().position(|id| beside[field] == **id) {
                beside[field] = json!(others[place]);
            }
        }
        (path, body, beside)
    });
    for (number, (path, body, beside)) in cases.iter().enumerate() {
        let name = format!("batch-first-{number}");
        let answer = send(&api, json!([operation(&name, body, beside)])).await;
        let result = answer.ok()["results"][0].clone();
        assert_eq!(result["replayed"], false, "{path} {body}");
        let single = api.move_named(path, &format!("\"{name}\""), body.clone()).await;
        assert_eq!(
            (Some(u64::from(single.status)), single.header("idempotency-replayed")),
            (result["status"].as_u64(), "true"),
            "{path} {body}"
        );
        assert!(answer.text.contains(&format!("\"body\":{},\"replayed\"", single.text)), "the same bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_operation_refuses_itself_alone() {
    let api = Api::new();
    let account = api.funded("10").await;
    let (dead_id, dead) = api.key(&account).await;
    api.post(&format!("/v1/keys/{dead_id}/revoke"), json!({})).await.ok();
    let frozen = api.funded("10").await;
    api.patch(&format!("/v1/accounts/{frozen}"), json!({"status": "frozen"})).await.ok();
    let good =
        |name: &str| json!({"idempotency_key": name, "type": "charge", "account_id": account, "credits": 1});
    let with = |field: &str, value: Value| {
        let mut operation = good("broken");
        operation[field] = value;
        operation
    };
    let without = |field: &str| {
        let mut operation = good("broken");
        operation.as_object_mut().expect("an object").remove(field);
        operation
    };
    let nobody = |prefix: &str| format!("{prefix}_00000000000000000000000000");
    let cases = [
        (json!({}), "400 invalid_request type"),
        (without("type"), "400 invalid_request type"),
        (with("type", json!("adjust")), "400 invalid_request type"),
        (with("type", json!("void")), "400 invalid_request type"),
        (with("type", json!(1)), "400 invalid_request type"),
        (without("idempotency_key"), "400 invalid_request idempotency_key"),
        (with("idempotency_key", json!("")), "400 invalid_request idempotency_key"),
        (with("idempotency_key", json!("a b")), "400 invalid_request idempotency_key"),
        (with("idempotency_key", json!("x".repeat(256))), "400 invalid_request idempotency_key"),
        (with("idempotency_key", json!(5)), "400 invalid_request idempotency_key"),
        (without("credits"), "400 invalid_request credits"),
        (with("credits", json!(0.5)), "400 invalid_request credits"),
        (with("credits", json!("-1")), "400 invalid_request credits"),
        (without("account_id"), "400 invalid_request account_id"),
        (with("account_id", json!(nobody("acc"))), "404 not_found"),
        (with("account_id", json!(frozen)), "403 account_frozen"),
        (with("colour", json!("red")), "400 invalid_request colour"),
        (with("metadata", json!({"a": 1})), "400 invalid_request metadata.a"),
        (with("operation", json!("x")), "400 invalid_request operation"),
        (
            json!({"idempotency_key": "b", "type": "charge", "api_key": dead, "credits": 1}),
            "401 unauthorized api_key",
        ),
        (
            json!({"idempotency_key": "b", "type": "charge", "account_id": account, "operation": "x"}),
            "404 not_found",
        ),
        (json!({"idempotency_key": "b", "type": "grant", "credits": 1}), "400 invalid_request account_id"),
        (
            json!({"idempotency_key": "b", "type": "grant", "account_id": "x", "credits": 1}),
            "400 invalid_request account_id",
        ),
        (
            json!({"idempotency_key": "b", "type": "grant", "account_id": account, "credits": 0}),
            "400 invalid_request credits",
        ),
        (
            json!({"idempotency_key": "b", "type": "hold", "account_id": account, "credits": 0}),
            "400 invalid_request credits",
        ),
        (json!({"idempotency_key": "b", "type": "capture"}), "400 invalid_request hold_id"),
        (json!({"idempotency_key": "b", "type": "capture", "hold_id": "x"}), "400 invalid_request hold_id"),
        (json!({"idempotency_key": "b", "type": "capture", "hold_id": nobody("hld")}), "404 not_found"),
        (json!({"idempotency_key": "b", "type": "release", "hold_id": nobody("hld")}), "404 not_found"),
        (json!({"idempotency_key": "b", "type": "refund", "charge_id": nobody("chg")}), "404 not_found"),
        (
            json!({"idempotency_key": "b", "type": "refund", "charge_id": nobody("hld")}),
            "400 invalid_request charge_id",
        ),
    ];
    let mut operations = Vec::new();
    for (number, (broken, _)) in cases.iter().enumerate() {
        // A broken operation is not remembered: its name is free.
        let name = if number == cases.len() - 1 { "broken".to_owned() } else { format!("good-{number}") };
        operations.extend([broken.clone(), good(&name)]);
    }
    // One charge for each case, as long as there are credits.
    api.move_credits(&format!("/v1/accounts/{account}/grants"), json!({"credits": 100})).await.created();
    let made = results(&api, json!(operations)).await;
    for (number, (broken, expected)) in cases.iter().enumerate() {
        assert_eq!(words(&made[2 * number]), *expected, "{broken}");
        assert_eq!(words(&made[2 * number + 1]), "201", "after {broken}");
    }
    let balance = api.get(&format!("/v1/accounts/{account}/balance")).await.ok();
    assert_eq!(balance["available"], json!((110 - cases.len()).to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_that_is_given_twice_breaks_its_operation_as_it_breaks_the_single_call() {
    let api = Api::new();
    let account = api.funded("10").await;
    let body = format!(r#""account_id":"{account}","credits":1,"metadata":{{"a":"1","a":"2"}}"#);
    let single = request(Method::POST, "/v1/charges")
        .header("Content-Type", "application/json")
        .header("Idempotency-Key", "a")
        .body(Body::from(format!("{{{body}}}")));
    let single = api.send(single.expect("a request")).await;
    assert_eq!(single.refusal(), "400 invalid_request, metadata");
    let good = format!(r#"{{"idempotency_key":"b","type":"charge","account_id":"{account}","credits":1}}"#);
    let batch = format!(r#"{{"operations":[{{"idempotency_key":"a","type":"charge",{body}}},{good}]}}"#);
    let answer = send_text(&api, batch).await.ok();
    let made = answer["results"].as_array().expect("a list");
    assert_eq!(all_words(made), ["400 invalid_request metadata", "201"]);
    assert_eq!(made[0]["body"], single.json());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_envelope_refuses_the_whole() {
    let api = Api::new();
    let account = api.funded("10").await;
    let good = format!(r#"{{"idempotency_key":"g","type":"charge","account_id":"{account}","credits":1}}"#);
    for (body, refusal) in [
        (String::new(), "400 invalid_request, operations"),
        ("{}".to_owned(), "400 invalid_request, operations"),
        (r#"{"operations":[]}"#.to_owned(), "400 invalid_request, operations"),
        (r#"{"operations":{}}"#.to_owned(), "400 invalid_request, operations"),
        (r#"{"operations":null}"#.to_owned(), "400 invalid_request, operations"),
        (format!("[{good}]"), "400 invalid_request, body"),
        (format!(r#"{{"operations":[{good}]"#), "400 invalid_request, body"),
        (format!(r#"{{"operations":[{good}]}} x"#), "400 invalid_request, body"),
        (format!(r#"{{"operations":[{good}],"atomic":true}}"#), "400 invalid_request, atomic"),
        (format!(r#"{{"operations":[{good}],"operations":[]}}"#), "400 invalid_request, operations"),
        (format!(r#"{{"operations":[{good},5]}}"#), "400 invalid_request, operations[1]"),
        (format!(r#"{{"operations":[{good},null]}}"#), "400 invalid_request, operations[1]"),
        (format!(r#"{{"operations":[{good},[{good}]]}}"#), "400 invalid_request, operations[1]"),
        (
            format!(r#"{{"operations":[{good},{{"type":"charge","type":"hold"}}]}}"#),
            "400 invalid_request, operations[1].type",
        ),
    ] {
        assert_eq!(send_text(&api, body.clone()).await.refusal(), refusal, "{body}");
    }
    let many = vec![good.as_str(); 10_001].join(",");
    let refused = send_text(&api, format!(r#"{{"operations":[{many}]}}"#)).await;
    assert_eq!(refused.refusal(), "400 invalid_request, operations");
    let request = request(Method::POST, "/v1/batch").header("Content-Type", "text/plain");
    let body = Body::from(format!(r#"{{"operations":[{good}]}}"#));
    let refused = api.send(request.body(body).expect("a request")).await;
    assert_eq!(refused.refusal(), "415 unsupported_media_type");
    assert_eq!(api.standing(&account).await, "available 10, held 0, seq 1", "nothing was done");
    let many = vec![good.as_str(); 10_000].join(",");
    let made = send_text(&api, format!(r#"{{"operations":[{many}]}}"#)).await.ok();
    assert_eq!(made["results"].as_array().map(Vec::len), Some(10_000));
    assert_eq!(api.standing(&account).await, "available 9, held 0, seq 2", "all of them are one request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_has_at_most_sixteen_mebibytes() {
    const BYTES_MAX: usize = 16 * 1024 * 1024;
    let api = Api::new();
    let account = api.funded("10").await;
    let operation =
        format!(r#"{{"idempotency_key":"g","type":"charge","account_id":"{account}","credits":1}}"#);
    for (bytes, status) in [(BYTES_MAX + 1, 413), (BYTES_MAX, 200)] {
        let body = format!(r#"{{"operations":[{operation}]}}"#);
        let filler = " ".repeat(bytes - body.len());
        let answer = send_text(&api, body + &filler).await;
        assert_eq!(answer.status, status, "{bytes}: {}", answer.text);
        if status == 413 {
            assert_eq!(answer.refusal(), "413 payload_too_large");
            assert_eq!(api.standing(&account).await, "available 10, held 0, seq 1");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_operation_wants_its_scope() {
    let api = Api::new();
    let account = api.funded("50").await;
    let hold = api.move_credits("/v1/holds", json!({"account_id": account, "credits": 1})).await.created();
    let charge =
        api.move_credits("/v1/charges", json!({"account_id": account, "credits": 1})).await.created();
    for (scopes, expected) in [
        (
            &["charge"][..],
            ["403 forbidden", "201", "201", "201", "409 conflict hold_closed", "403 forbidden"],
        ),
        (&["grant"], ["201", "403 forbidden", "403 forbidden", "403 forbidden", "403 forbidden", "201"]),
        (&["read", "manage", "admin"], ["403 forbidden"; 6]),
    ] {
        let operator = api.operator(scopes).await;
        let name = |kind: &str| format!("{kind}-{}", scopes.join("-"));
        let operations = json!([
            {"idempotency_key": name("grant"), "type": "grant", "account_id": account, "credits": 1},
            {"idempotency_key": name("charge"), "type": "charge", "account_id": account, "credits": 1},
            {"idempotency_key": name("hold"), "type": "hold", "account_id": account, "credits": 1},
            {"idempotency_key": name("capture"), "type": "capture", "hold_id": hold["id"]},
            {"idempotency_key": name("release"), "type": "release", "hold_id": hold["id"]},
            {"idempotency_key": name("refund"), "type": "refund", "charge_id": charge["id"]},
        ]);
        let body = json!({"operations": operations});
        let answer = api.send_as(&operator, Method::POST, "/v1/batch", "unused", &body).await;
        let made = answer.ok()["results"].as_array().expect("a list").clone();
        assert_eq!(all_words(&made), expected, "{scopes:?}");
    }
    let stranger = api.send_as("nobody", Method::POST, "/v1/batch", "unused", &json!({})).await;
    assert_eq!(stranger.refusal(), "401 unauthorized, operator_key");
}

#[tokio::test(flavor = "multi_thread")]
async fn once_the_service_is_closed_nothing_of_a_batch_is_done() {
    let api = Api::new();
    let account = api.funded("10").await;
    api.close().await;
    let operation = json!({"idempotency_key": "a", "type": "charge", "account_id": account, "credits": 1});
    assert_eq!(send(&api, json!([operation])).await.refusal(), "503 unavailable");
}
