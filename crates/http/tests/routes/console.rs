//! `/console`: what an operator sees, and what forms do. They do what the API does, under its rules.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};

use crate::support::{Answer, Api, AsString as _, OPERATOR};

/// A browser that is signed in.
pub(crate) struct Desk<'a> {
    api: &'a Api,
    cookie: String,
}

/// A form as browsers send it from a page of the same origin.
fn form(path: &str, cookie: &str, fields: &[(&str, &str)]) -> Request<Body> {
    let fields: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    Request::post(path)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("Sec-Fetch-Site", "same-origin")
        .header("Cookie", cookie)
        .body(Body::from(fields.join("&")))
        .expect("a request")
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The value of a hidden field.
pub(crate) fn hidden(page: &Answer, name: &str) -> String {
    let start = format!("type=\"hidden\" name=\"{name}\" value=\"");
    let rest = page.text.split(&start).nth(1).unwrap_or_else(|| panic!("no {name} in {}", page.text));
    rest.split('"').next().unwrap_or_default().to_owned()
}

impl Desk<'_> {
    pub(crate) async fn at(api: &Api) -> Desk<'_> {
        Desk::with(api, OPERATOR).await
    }

    pub(crate) async fn with<'a>(api: &'a Api, secret: &str) -> Desk<'a> {
        let answer = api.send(form("/console/sign-in", "", &[("key", secret)])).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        let cookie = answer.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
        Desk { api, cookie }
    }

    pub(crate) fn in_chinese(self) -> Self {
        Desk { cookie: format!("{}; coffer_language=zh", self.cookie), ..self }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header("Cookie", &self.cookie).body(Body::empty());
        self.api.send(request.expect("a request")).await
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.api.send(form(path, &self.cookie, fields)).await
    }

    /// Opens a form and sends it filled in, as a person would.
    pub(crate) async fn fill(&self, path: &str, doing: &str, of: &str, fields: &[(&str, &str)]) -> Answer {
        let opened = self.get(&format!("{path}?do={doing}&of={of}")).await;
        let name = hidden(&opened, "name_of_request");
        let mut all = vec![("do", doing), ("of", of), ("name_of_request", &name)];
        all.extend(fields);
        self.post(path, &all).await
    }
}

pub(crate) fn page_of(account: &str) -> String {
    format!("/console/accounts/{account}")
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_the_console_without_a_session() {
    let api = Api::new();
    let account = api.account().await;
    for path in [
        "/console",
        "/console/accounts",
        &page_of(&account),
        "/console/prices",
        "/console/operator-keys",
        "/console/sessions",
        "/console/audit",
        "/console/store",
    ] {
        let answer = api.send(Request::get(path).body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.status, 303, "{path}");
        assert!(answer.header("location").starts_with("/console/sign-in"), "{path}");
        // The operator's key itself opens the API, and no page.
        let answer = api.get(path).await;
        assert_eq!(answer.status, 303, "{path}");
    }
    let refused = api.send(form("/console/sign-in", "", &[("key", "cof_operator_wrong")])).await;
    assert_eq!(refused.status, 401);
    assert!(!refused.headers.contains_key("set-cookie"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_small_and_strict() {
    let api = Api::new();
    let account = api.funded("100").await;
    api.key(&account).await;
    api.charge_often(&account, 60).await;
    let desk = Desk::at(&api).await;
    for path in [
        "/console",
        "/console/accounts",
        &page_of(&account),
        &format!("{}/grants", page_of(&account)),
        &format!("{}/holds", page_of(&account)),
        &format!("{}/keys", page_of(&account)),
        &format!("{}?do=grant", page_of(&account)),
        "/console/prices?do=set",
        "/console/operator-keys?do=create",
        "/console/sessions?do=end-all",
        "/console/audit",
        "/console/store",
    ] {
        let page = desk.get(path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.text);
        assert!(page.text.len() < 100 * 1024, "{path}: {}", page.text.len());
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        for absent in ["<style", " style=\"", " onclick", "<script>"] {
            assert!(!page.text.contains(absent), "{path}: {absent}");
        }
        assert!(!page.text.contains(OPERATOR), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_grants_once_however_often_it_is_sent() {
    let api = Api::new();
    let account = api.account().await;
    let desk = Desk::at(&api).await;
    let path = page_of(&account);
    let opened = desk.get(&format!("{path}?do=grant")).await;
    let name = hidden(&opened, "name_of_request");
    let fields = [
        ("do", "grant"),
        ("name_of_request", name.as_str()),
        ("credits", "250.5"),
        ("category", "promotional"),
        ("priority", ""),
        ("expires_at", "2099-01-02T03:04"),
        ("reference", " invoice 7 "),
    ];
    for _ in 0..3 {
        let answer = desk.post(&path, &fields).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, format!("{path}?done=granted").as_str())
        );
    }
    assert_eq!(api.standing(&account).await, "available 250.5, held 0, seq 1");
    let grant = &api.get(&format!("/v1/accounts/{account}/grants")).await.ok()["data"][0];
    assert_eq!(grant["category"], "promotional");
    assert_eq!(grant["expires_at"], "2099-01-02T03:04:00.000Z");
    assert_eq!(grant["reference"], "invoice 7");
    let page = desk.get(&format!("{path}?done=granted")).await;
    assert!(page.text.contains("The credits are granted."));
    assert!(page.text.contains("250.5") && page.text.contains("invoice 7"));

    // The same form with something else in it is another request under the same name.
    let mut other = fields;
    other[2].1 = "9";
    assert_eq!(desk.post(&path, &other).await.status, 422);
    assert_eq!(api.standing(&account).await, "available 250.5, held 0, seq 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_rule_is_shown_in_its_field_and_nothing_is_done() {
    let api = Api::new();
    let account = api.funded("10").await;
    let desk = Desk::at(&api).await;
    let path = page_of(&account);
    for (doing, fields, status, said) in [
        ("grant", vec![("credits", "0"), ("category", "paid")], 400, "must be more than zero"),
        ("grant", vec![("credits", "1.0000001"), ("category", "paid")], 400, "id=\"credits-error\""),
        ("grant", vec![("credits", "1"), ("category", "gift")], 400, "must be one of those offered"),
        ("grant", vec![("credits", "1"), ("category", "paid"), ("priority", "101")], 400, "from 0 to 100"),
        (
            "grant",
            vec![("credits", "1"), ("category", "paid"), ("expires_at", "2001-01-01T00:00")],
            400,
            "must lie in the future",
        ),
        ("adjust", vec![("credits", "5")], 400, "must not be empty"),
        ("adjust", vec![("credits", "-11"), ("reason", "fraud")], 402, "10 credits available"),
        ("edit", vec![("name", "x"), ("overdraft_limit", "-1")], 400, "must be zero or more"),
    ] {
        let answer = desk.fill(&path, doing, "", &fields).await;
        assert_eq!(answer.status, status, "{doing} {fields:?}: {}", answer.text);
        assert!(answer.text.contains(said), "{doing} {fields:?}: {}", answer.text);
        // What was filled in is there still.
        for (_, value) in fields.iter().filter(|(name, _)| *name != "category") {
            assert!(answer.text.contains(&format!("value=\"{value}\"")), "{doing} {value}");
        }
        assert_eq!(api.standing(&account).await, "available 10, held 0, seq 1", "{doing} {fields:?}");
    }
    let unnamed = desk.post(&path, &[("do", "grant"), ("credits", "1"), ("category", "paid")]).await;
    assert_eq!(unnamed.status, 400);
    assert_eq!(desk.post(&path, &[("do", "burn")]).await.status, 400);
    assert_eq!(desk.post("/console/accounts/acc_nobody", &[("do", "freeze")]).await.status, 404);
    assert_eq!(api.standing(&account).await, "available 10, held 0, seq 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_refunds_voids_adjusts_and_freezes() {
    let api = Api::new();
    let account = api.funded("10").await;
    let charge =
        api.move_credits("/v1/charges", json!({"account_id": account, "credits": 4})).await.created();
    let charge = charge["id"].string();
    let desk = Desk::at(&api).await;
    let path = page_of(&account);
    assert!(desk.get(&path).await.text.contains(&format!("do=refund&#38;of={charge}")));

    let refused = desk.fill(&path, "refund", &charge, &[("credits", "5")]).await;
    assert_eq!(refused.status, 409);
    assert!(refused.text.contains("4 credits to give back"), "{}", refused.text);
    let again = hidden(&refused, "name_of_request");
    let fields = [("do", "refund"), ("of", charge.as_str()), ("name_of_request", &again), ("credits", "1.5")];
    assert_eq!(desk.post(&path, &fields).await.status, 303, "a form that was refused can be sent again");
    assert_eq!(desk.fill(&path, "refund", &charge, &[("credits", "")]).await.status, 303);
    assert_eq!(api.standing(&account).await, "available 10, held 0, seq 4");

    let adjusted =
        desk.fill(&path, "adjust", "", &[("credits", "-3"), ("reason", "a gift that was none")]).await;
    assert_eq!(adjusted.status, 303);
    let grant = api.get(&format!("/v1/accounts/{account}/grants")).await.ok()["data"][0]["id"].string();
    assert_eq!(desk.fill(&path, "void", &grant, &[]).await.status, 303);
    assert_eq!(api.standing(&account).await, "available 0, held 0, seq 6");

    assert_eq!(desk.fill(&path, "freeze", "", &[]).await.header("location"), format!("{path}?done=frozen"));
    let refused = api.move_credits("/v1/charges", json!({"account_id": account, "credits": 0})).await;
    assert_eq!(refused.refusal(), "403 account_frozen");
    assert_eq!(desk.fill(&path, "unfreeze", "", &[]).await.status, 303);
    assert_eq!(desk.fill(&path, "close", "", &[]).await.status, 303);
    let page = desk.get(&path).await;
    assert!(page.text.contains("Closed") && !page.text.contains("?do=grant"), "{}", page.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_is_offered_of_what_was_spent() {
    let api = Api::new();
    let account = api.funded("100").await;
    let desk = Desk::at(&api).await;
    let path = page_of(&account);
    let free = api.move_credits("/v1/charges", json!({"account_id": account, "credits": 0})).await.created();
    let hold = api.move_credits("/v1/holds", json!({"account_id": account, "credits": 10})).await.created();
    let capture = format!("/v1/holds/{}/capture", hold["id"].string());
    let held = api.move_credits(&capture, json!({"credits": 10, "final": false})).await.created();
    let beyond = api.move_credits(&capture, json!({"credits": 5, "excess": "charge"})).await.created();

    let page = desk.get(&path).await.text;
    let offers = |charge: &Value| page.contains(&format!("do=refund&#38;of={}", charge["id"].string()));
    assert!(!offers(&free), "nothing was spent");
    assert!(offers(&held) && offers(&beyond), "of what was held, and of what was not: {page}");

    assert_eq!(desk.fill(&path, "close", "", &[]).await.status, 303);
    let page = desk.get(&path).await.text;
    assert!(!page.contains("do=refund") && !page.contains("do=edit"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_filtered_and_paged() {
    let api = Api::new();
    let account = api.funded("100").await;
    api.charge_often(&account, 45).await;
    let desk = Desk::at(&api).await;
    let path = page_of(&account);
    let numbers = |page: &Answer| -> Vec<u64> {
        let parts = page.text.split("<div>#").skip(1);
        parts.map(|part| part.split('<').next().unwrap_or_default().parse().expect("a number")).collect()
    };
    let first = desk.get(&path).await;
    assert_eq!(numbers(&first), (27..=46).rev().collect::<Vec<u64>>());
    let second = desk.get(&format!("{path}?beyond=27")).await;
    assert_eq!(numbers(&second), (7..=26).rev().collect::<Vec<u64>>());
    let grants = desk.get(&format!("{path}?kind=grant")).await;
    assert_eq!(numbers(&grants), [1]);
    assert_eq!(numbers(&desk.get(&format!("{path}?to=2001-01-01")).await), Vec::<u64>::new());
    assert_eq!(numbers(&desk.get(&format!("{path}?from=2001-01-01&kind=grant")).await), [1]);
    // What is no kind, day or number narrows nothing, and is not shown as if it did.
    for query in ["kind=%3Cb%3E", "from=x", "to=2026-02-30", "beyond=x", "beyond=18446744073709551615"] {
        let page = desk.get(&format!("{path}?{query}")).await;
        assert_eq!((page.status, numbers(&page)), (200, (27..=46).rev().collect()), "{query}");
        assert!(!page.text.contains("value=\"x\"") && !page.text.contains("value=\"2026-02-30\""), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_found_by_name_external_id_and_id() {
    let api = Api::new();
    for (name, external_id) in [("Acme Studio", "cus_1"), ("ACME labs", "cus_2"), ("Bolt <b>", "acme")] {
        api.post("/v1/accounts", json!({"name": name, "external_id": external_id})).await.created();
    }
    let id = api.account().await;
    let desk = Desk::at(&api).await;
    let found = async |query: &str| -> Vec<&'static str> {
        let page = desk.get(&format!("/console/accounts?{query}")).await;
        assert_eq!(page.status, 200, "{query}");
        let all = ["Acme Studio", "ACME labs", "Bolt &#60;b&#62;", ">Acme<"];
        all.into_iter().filter(|name| page.text.contains(name)).collect()
    };
    assert_eq!(found("").await.len(), 4);
    assert_eq!(found("q=acme+s").await, ["Acme Studio"]);
    assert_eq!(found("q=acme").await, ["Acme Studio", "ACME labs", "Bolt &#60;b&#62;", ">Acme<"]);
    assert_eq!(found("q=cus_2").await, ["ACME labs"]);
    assert_eq!(found(&format!("q={id}")).await, [">Acme<"]);
    assert_eq!(found("q=nobody").await, [""; 0]);
    assert_eq!(found("status=frozen").await, [""; 0]);
    api.patch(&format!("/v1/accounts/{id}"), json!({"status": "frozen"})).await.ok();
    assert_eq!(found("status=frozen").await, [">Acme<"]);
    assert_eq!(found("q=acme&status=frozen").await, [">Acme<"]);
    assert_eq!(found(&format!("q={id}&status=frozen")).await, [">Acme<"]);
    assert_eq!(found(&format!("q={id}&status=active")).await, [""; 0]);
    assert_eq!(found("q=cus_2&status=active").await, ["ACME labs"]);
    assert_eq!(found("q=cus_2&status=closed").await, [""; 0]);
    let narrowed = desk.get("/console/accounts?q=acme&status=frozen").await;
    assert!(narrowed.text.contains("<option value=\"frozen\" selected>"), "{}", narrowed.text);
    for query in ["cursor=x", "q=acme&cursor=x", "q=acme&cursor=eA"] {
        assert_eq!(desk.get(&format!("/console/accounts?{query}")).await.status, 400, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_opened_once() {
    let api = Api::new();
    let desk = Desk::at(&api).await;
    let opened = desk.get("/console/accounts?do=create").await;
    let name = hidden(&opened, "name_of_request");
    let fields =
        [("name_of_request", name.as_str()), ("name", "Acme"), ("external_id", ""), ("overdraft_limit", "5")];
    let answer = desk.post("/console/accounts", &fields).await;
    assert!(answer.header("location").starts_with("/console/accounts/acc_"), "{:?}", answer.headers);
    let again = desk.post("/console/accounts", &fields).await;
    assert_eq!((again.status, again.header("location")), (303, "/console/accounts?done=already"));
    let listed = api.get("/v1/accounts").await.ok();
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(listed["data"][0]["overdraft_limit"], "5");
    assert_eq!(desk.fill("/console/accounts", "create", "", &[("name", "")]).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_are_set_and_deleted() {
    let api = Api::new();
    let desk = Desk::at(&api).await;
    let path = "/console/prices";
    let set = [("do", "set"), ("operation", "upscale 2x"), ("credits_per_unit", "0.25"), ("unit", "image")];
    assert_eq!(desk.post(path, &set).await.header("location"), "/console/prices?done=price-set");
    let page = desk.get(path).await;
    assert!(page.text.contains("upscale 2x") && page.text.contains("0.25"), "{}", page.text);
    let free = [("do", "set"), ("operation", "get-credits-balance"), ("credits_per_unit", "1")];
    assert_eq!(desk.post(path, &free).await.status, 409);
    let broken = [("do", "set"), ("operation", "x"), ("credits_per_unit", "-1")];
    let answer = desk.post(path, &broken).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text.contains("credits_per_unit-error"), "{}", answer.text);
    let delete = [("do", "delete"), ("operation", "upscale 2x")];
    assert_eq!(desk.post(path, &delete).await.header("location"), "/console/prices?done=price-deleted");
    assert_eq!(api.get("/v1/prices").await.ok()["data"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operators_key_is_shown_once() {
    let api = Api::new();
    let desk = Desk::at(&api).await;
    let path = "/console/operator-keys";
    let opened = desk.get(&format!("{path}?do=create")).await;
    let name = hidden(&opened, "name_of_request");
    let fields = [
        ("do", "create"),
        ("name_of_request", name.as_str()),
        ("name", "ci"),
        ("scopes", "read"),
        ("scopes", "charge"),
    ];
    let made = desk.post(path, &fields).await;
    assert_eq!(made.status, 200);
    // Behind the table, whose hints begin alike.
    let dialog = made.text.split("<dialog").nth(1).expect("a dialog");
    let secret =
        dialog.split("<code>cof_operator_").nth(1).expect("a secret").split('<').next().expect("its end");
    let secret = format!("cof_operator_{secret}");
    assert!(!desk.get(path).await.text.contains(&secret));
    let again = desk.post(path, &fields).await;
    assert_eq!((again.status, again.header("location")), (303, "/console/operator-keys?done=already"));
    let accounts = api.send_as(&secret, Method::GET, "/v1/accounts", "x", &json!({})).await;
    assert_eq!(accounts.status, 200);
    let created = api.send_as(&secret, Method::POST, "/v1/accounts", "x", &json!({"name": "a"})).await;
    assert_eq!(created.status, 403);
    assert_eq!(desk.fill(path, "create", "", &[("name", "none")]).await.status, 400, "a key needs a scope");

    let id = api.get("/v1/operator-keys").await.ok()["data"][0]["id"].string();
    let revoked = desk.post(path, &[("do", "revoke"), ("of", &id)]).await;
    assert_eq!(revoked.status, 303);
    let accounts = api.send_as(&secret, Method::GET, "/v1/accounts", "x", &json!({})).await;
    assert_eq!(accounts.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_may_do_here_what_it_may_do_with_the_api() {
    let api = Api::new();
    let account = api.funded("10").await;
    let path = page_of(&account);
    let secret = api.operator(&["read"]).await;
    let desk = Desk::with(&api, &secret).await;
    let page = desk.get(&path).await;
    assert_eq!(page.status, 200);
    assert!(!page.text.contains("?do="), "nothing is offered that would be refused: {}", page.text);
    let grant = [("do", "grant"), ("name_of_request", "a"), ("credits", "1"), ("category", "paid")];
    assert_eq!(desk.post(&path, &grant).await.status, 403);
    assert_eq!(desk.post(&path, &[("do", "freeze")]).await.status, 403);
    assert_eq!(desk.post("/console/accounts", &[("name", "x"), ("name_of_request", "b")]).await.status, 403);
    let set = [("do", "set"), ("operation", "x"), ("credits_per_unit", "1")];
    assert_eq!(desk.post("/console/prices", &set).await.status, 403);
    for path in ["/console/operator-keys", "/console/audit"] {
        assert_eq!(desk.get(path).await.status, 403, "{path}");
    }
    assert_eq!(api.standing(&account).await, "available 10, held 0, seq 1");

    let secret = api.operator(&["charge"]).await;
    let desk = Desk::with(&api, &secret).await;
    assert_eq!(desk.get(&path).await.status, 403, "a key that may not read sees nothing");
    for (scope, first) in [("charge", "/console/sessions"), ("admin", "/console/operator-keys")] {
        let desk = Desk::with(&api, &api.operator(&[scope]).await).await;
        let answer = desk.get("/console").await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, first),
            "the first page that it may see"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_from_elsewhere_are_refused() {
    let api = Api::new();
    let account = api.funded("10").await;
    let desk = Desk::at(&api).await;
    let fields = "do=grant&name_of_request=a&credits=1&category=paid";
    for headers in [
        vec![("Sec-Fetch-Site", "cross-site")],
        vec![("Sec-Fetch-Site", "same-site")],
        vec![("Origin", "https://evil.example")],
        vec![("Origin", "null")],
    ] {
        let mut request = Request::post(page_of(&account))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Cookie", &desk.cookie);
        for (name, value) in &headers {
            request = request.header(*name, *value);
        }
        let answer = api.send(request.body(Body::from(fields)).expect("a request")).await;
        assert_eq!(answer.status, 403, "{headers:?}");
    }
    assert_eq!(api.standing(&account).await, "available 10, held 0, seq 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_sums_all_accounts() {
    let api = Api::new();
    for credits in ["100", "0.5", "2000000"] {
        api.funded(credits).await;
    }
    let rich = api.funded("7").await;
    api.charge_often(&rich, 3).await;
    let refused = api.move_credits("/v1/charges", json!({"account_id": rich, "credits": 99})).await;
    assert_eq!(refused.status, 402);
    let indebted = format!("/v1/accounts/{}/adjustments", api.account().await);
    let debt = json!({"credits": -5, "reason": "a correction", "allow_negative": true});
    api.move_credits(&indebted, debt).await.created();
    let desk = Desk::at(&api).await;
    let page = desk.get("/console").await;
    for said in ["2,000,104.5", "2,000,107.5", "1 account in debt", "Insufficient credits", ">Acme<"] {
        assert!(page.text.contains(said), "{said} in {}", page.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_are_in_the_audit_log_and_sessions_can_be_ended() {
    let api = Api::new();
    let account = api.account().await;
    let desk = Desk::at(&api).await;
    let grant = [("credits", "12"), ("category", "paid")];
    assert_eq!(desk.fill(&page_of(&account), "grant", "", &grant).await.status, 303);
    let page = desk.get("/console/audit").await;
    for said in ["Credits granted", "Account created", "Signed in", ">12<", account.as_str()] {
        assert!(page.text.contains(said), "{said} in {}", page.text);
    }
    assert!(!page.text.contains("Sessions ended"), "nobody has ended one yet");
    let nobody = desk.get("/console/audit?account=acc_nobody").await;
    assert!(nobody.status == 200 && nobody.text.contains("Nothing has been done"), "{}", nobody.text);

    let other = Desk::at(&api).await;
    let sessions = desk.get("/console/sessions").await;
    let id = sessions
        .text
        .split("do=end&#38;of=")
        .nth(1)
        .expect("another session")
        .split('"')
        .next()
        .expect("its end");
    let ended = desk.post("/console/sessions", &[("do", "end"), ("of", id)]).await;
    assert_eq!(ended.header("location"), "/console/sessions?done=session-ended");
    assert_eq!(other.get("/console").await.status, 303, "the other browser must sign in again");
    assert_eq!(desk.get("/console").await.status, 200);
    let told = desk.get("/console/audit").await.text;
    assert!(told.contains("Sessions ended"), "who ended another's session is told: {told}");
    assert_eq!(desk.post("/console/sessions", &[("do", "end-all")]).await.status, 303);
    assert_eq!(desk.get("/console").await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_the_customers_page_is_shown_once() {
    let api = Api::new();
    let account = api.account().await;
    let desk = Desk::at(&api).await;
    let page = page_of(&account);
    let name = hidden(&desk.get(&format!("{page}?do=portal")).await, "name_of_request");
    let form = [("do", "portal"), ("name_of_request", name.as_str())];
    assert_eq!(desk.post(&page, &form[..1]).await.status, 400, "a form without a name makes nothing");
    let made = desk.post(&page, &form).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let link = made.text.split("/portal/open#").nth(1).expect("a link").split('<').next().expect("its end");
    assert!(link.starts_with("ses_"), "{link}");
    let again = desk.get(&page).await;
    assert!(!again.text.contains("/portal/open#"), "it is in no other page");
    let twice = desk.post(&page, &form).await;
    assert_eq!((twice.status, twice.header("location")), (303, format!("{page}?done=link-already").as_str()));
    assert!(desk.get(twice.header("location")).await.text.contains("If you have no link from it"));
    let audit = desk.get("/console/audit").await;
    assert_eq!(audit.text.matches(">Link to the page made<").count(), 1, "{}", audit.text);
    assert!(!audit.text.contains(link));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_tells_how_it_is() {
    let api = Api::new();
    api.account().await;
    let page = Desk::at(&api).await.get("/console/store").await;
    assert_eq!(page.status, 200);
    for said in ["Commits work", "Waiting commands", "Commit, median", "Last backup", "none noted"] {
        assert!(page.text.contains(said), "{said} in {}", page.text);
    }
}
