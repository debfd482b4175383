//! What the log keeps to itself: keys and bodies at any level, and what went well at the default one.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::support::{Server, serve};

const OPERATOR_KEY: &str = "operator-canary-ZWx3Rk9q-of-enough-characters";
const WRONG_OPERATOR_KEY: &str = "wrong-operator-canary-5Yt1Lm8d-of-enough-length";
const IMPORTED: &str = "imported-canary-Hb72Kd0s-of-enough-characters";
const WEAK: &str = "weak-canary-Qe4Tz6u";
const DEAD: &str = "dead-canary-Vn83Pa5w";
const METADATA: &str = "metadata canary Xc61Jr7f";
const REFERENCE: &str = "reference-canary-Gs94Ui2h";
const NAME: &str = "name canary Mo05By3k";
const BROKEN: &str = "broken-canary-Wl16Fe8p";

#[tokio::test]
async fn no_key_and_no_body_is_ever_logged() {
    let data = tempdir().expect("a temporary directory");
    let mut command = serve(data.path());
    command.env("COFFER_LOG", "debug").env("COFFER_OPERATOR_KEY", OPERATOR_KEY);
    let server = Server::start_with(command, OPERATOR_KEY);
    let made = say_secrets(&server).await;

    let log = server.stop().stderr;
    assert!(log.contains("a request was answered"), "the log is at level debug:\n{log}");
    let known = [OPERATOR_KEY, WRONG_OPERATOR_KEY, IMPORTED, WEAK, DEAD, METADATA, REFERENCE, NAME, BROKEN];
    for secret in known.into_iter().chain(made.iter().map(String::as_str)) {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}

/// Calls of every kind, good and bad, and answers the secrets that the server has made for them.
async fn say_secrets(server: &Server) -> Vec<String> {
    let api = &server.api;
    let account = api.post("/v1/accounts", json!({"name": NAME, "metadata": {"text": METADATA}})).await;
    let account = account.wants(201).text_of("id");
    api.grant(&account, 10, "first").await;
    let (_, secret) = api.key_of(&account).await;
    api.read_balance(&secret).await.wants(200);
    api.read_balance(DEAD).await.wants(200);
    let operator = api.post("/v1/operator-keys", json!({"name": NAME})).await.wants(201).text_of("secret");
    api.with_operator_key(&operator).get("/v1/accounts").await.wants(200);
    api.with_operator_key(WRONG_OPERATOR_KEY).get("/v1/accounts").await.wants(401);
    // A key that went astray into a path, for those who may look and for those who may not.
    let astray = format!("/v1/keys/{DEAD}");
    api.get(&astray).await.wants(404);
    api.with_operator_key(WRONG_OPERATOR_KEY).get(&astray).await.wants(401);
    api.post(&astray, json!({})).await.wants(405);
    import(server, &account).await;
    charge(server, &account, &secret).await;
    vec![secret, operator]
}

async fn import(server: &Server, account: &str) {
    let path = format!("/v1/accounts/{account}/keys/import");
    let import = async |secret: &str| server.api.post(&path, json!({"name": NAME, "secret": secret})).await;
    import(IMPORTED).await.wants(201);
    import(IMPORTED).await.wants(409);
    import(WEAK).await.wants(400);
    server.api.read_balance(IMPORTED).await.wants(200);
}

/// Charges that go well, are refused, and cannot even be read.
async fn charge(server: &Server, account: &str, secret: &str) {
    let note = json!({"reference": REFERENCE, "metadata": {"text": METADATA}});
    let with = |payer: Value, credits: &str| {
        let mut body = note.clone();
        let fields = body.as_object_mut().expect("an object");
        fields.extend(payer.as_object().expect("an object").clone());
        fields.insert("credits".to_owned(), json!(credits));
        body
    };
    let requests = [
        (with(json!({"api_key": secret}), "1"), 201),
        (with(json!({"api_key": secret}), "1000000"), 402),
        (with(json!({"api_key": DEAD}), "1"), 401),
        (with(json!({"account_id": account}), BROKEN), 400),
        (with(json!({"account_id": BROKEN}), "1"), 400),
        (with(json!({"account_id": account, BROKEN: METADATA}), "1"), 400),
        (json!([BROKEN]), 400),
    ];
    for (number, (body, status)) in requests.into_iter().enumerate() {
        server.api.post_named("/v1/charges", &format!("charge-{number}"), body).await.wants(status);
    }
}

#[tokio::test]
async fn what_went_well_is_no_line_at_the_default_level() {
    let data = tempdir().expect("a temporary directory");
    let server = Server::start(data.path());
    let account = server.api.account_with(10).await;
    let (_, secret) = server.api.key_of(&account).await;
    for number in 0..5 {
        server.api.charge(&account, 1, &format!("charge-{number}")).await.expect("an answer").wants(201);
        server.api.read_balance(&secret).await.wants(200);
        server.api.read_balance(DEAD).await.wants(200);
    }
    for path in ["/livez", "/readyz", "/metrics", "/openapi.json", "/v1/accounts"] {
        server.api.get(path).await.wants(200);
    }
    let log = server.stop().stderr;
    let of_the_process = ["an operator key was made", "the server ends", "the server has ended"];
    let rest: Vec<&str> =
        log.lines().filter(|line| !of_the_process.iter().any(|known| line.contains(known))).collect();
    assert_eq!(rest, Vec::<&str>::new());
}
