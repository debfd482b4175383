//! The customer's pages: links, sessions, and one account only.

use axum::body::Body;
use axum::http::{Method, Request};
use coffer_http::Settings;
use serde_json::{Value, json};

use crate::support::{Answer, Api};

const OPEN: &str = "/portal/open";
const PAGES: [&str; 7] = [
    "/portal",
    "/portal/usage",
    "/portal/credits",
    "/portal/statement",
    "/portal/statement.csv",
    "/portal/start",
    "/portal/sessions",
];

/// A browser: what it sends with every request.
pub(crate) struct Browser<'a> {
    api: &'a Api,
    cookie: String,
}

impl<'a> Browser<'a> {
    fn new(api: &'a Api) -> Browser<'a> {
        Browser { api, cookie: String::new() }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path), Body::empty()).await
    }

    pub(crate) fn in_chinese(self) -> Self {
        Browser { cookie: format!("{}; coffer_language=zh", self.cookie), ..self }
    }

    /// Sends a form from one of the server's own pages.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_from(path, fields, &[("sec-fetch-site", "same-origin")]).await
    }

    async fn post_from(&self, path: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
        let form: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request, Body::from(form.join("&"))).await
    }

    async fn send(&self, request: axum::http::request::Builder, body: Body) -> Answer {
        let request = request.header("cookie", &self.cookie);
        self.api.send(request.body(body).expect("a request")).await
    }

    /// Opens a link as its page does.
    async fn open(&mut self, link: &str) -> Answer {
        let (_, token) = link.split_once('#').expect("the token is behind the #");
        let answer = self.post(OPEN, &[("token", token)]).await;
        if answer.status == 303 {
            let cookie = answer.header("set-cookie");
            self.cookie = cookie.split(';').next().expect("a cookie").to_owned();
        }
        answer
    }
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            },
        )
        .collect()
}

async fn link(api: &Api, account: &str) -> String {
    let made = api.post(&format!("/v1/accounts/{account}/portal-sessions"), json!({})).await.created();
    made["url"].as_str().expect("an address").to_owned()
}

pub(crate) async fn opened<'a>(api: &'a Api, account: &str) -> Browser<'a> {
    let mut browser = Browser::new(api);
    let answer = browser.open(&link(api, account).await).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/portal"));
    browser
}

/// The secret that a page shows: hints begin as it does, and are short.
fn secret(page: &Answer) -> String {
    let is_of_secret = |one: &char| one.is_ascii_alphanumeric() || *one == '_';
    let begins = page.text.match_indices("cof_live_").map(|(at, _)| &page.text[at..]);
    let mut words = begins.map(|text| text.chars().take_while(is_of_secret).collect::<String>());
    words.find(|word| word.len() > 50).expect("a secret")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_made_as_the_contract_says() {
    let settings = Settings {
        return_origins: vec!["https://app.example".parse().expect("an origin")],
        public_url: Some("https://credits.example".parse().expect("an address")),
        ..Settings::default()
    };
    let api = Api::with(settings);
    let account = api.funded("5").await;
    let path = format!("/v1/accounts/{account}/portal-sessions");
    let made = api.post(&path, json!({"return_url": "https://app.example/billing"})).await;
    assert_eq!(made.header("cache-control"), "no-store");
    let made = made.created();
    let url = made["url"].as_str().expect("an address");
    assert!(url.starts_with("https://credits.example/portal/open#ses_"), "{url}");
    assert_eq!(made.as_object().expect("an object").len(), 2);
    for (body, rule) in [
        (json!({"expires_in": 59}), "expires_in: must be a whole number of seconds from 60 to 86400"),
        (json!({"expires_in": 86401}), "expires_in: must be a whole number of seconds from 60 to 86400"),
        (
            json!({"return_url": "https://evil.example/"}),
            "return_url: must be an address on one of the configured return_origins",
        ),
        (
            json!({"return_url": "https://app.example.evil/"}),
            "return_url: must be an address on one of the configured return_origins",
        ),
        (
            json!({"return_url": "javascript:alert(1)"}),
            "return_url: must be an address on one of the configured return_origins",
        ),
    ] {
        let refused = api.post(&path, body).await;
        assert_eq!(refused.status, 400);
        assert_eq!(refused.json()["detail"], rule);
    }
    assert_eq!(
        api.post("/v1/accounts/acc_01jd7z4r5efkyv3q8x9w2m6n0p/portal-sessions", json!({})).await.status,
        404
    );
    let reader = api.operator(&["read"]).await;
    let as_reader = api.send_as(&reader, Method::POST, &path, "x", &json!({})).await;
    assert_eq!(as_reader.status, 403);
    let closed = api.account().await;
    api.patch(&format!("/v1/accounts/{closed}"), json!({"status": "closed"})).await.ok();
    let refused = api.post(&format!("/v1/accounts/{closed}/portal-sessions"), json!({})).await;
    assert_eq!((refused.status, refused.json()["reason"].clone()), (409, json!("account_closed")));

    // Only the page behind the link spends it, and the way back is on every page.
    let mut browser = Browser::new(&api);
    assert_eq!(browser.get(OPEN).await.status, 200);
    let answer = browser.open(url).await;
    let cookie = answer.header("set-cookie");
    for part in ["__Host-coffer_portal=ses_", "; Path=/;", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    assert!(browser.get("/portal").await.text.contains(r#"href="https://app.example/billing""#));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_works_once_and_not_for_ever() {
    let api = Api::new();
    let account = api.funded("5").await;
    let url = link(&api, &account).await;
    let mut browser = Browser::new(&api);
    assert_eq!(browser.open(&url).await.status, 303);
    assert_eq!(browser.get("/portal").await.status, 200);
    assert!(browser.cookie.starts_with("coffer_portal="), "on this machine itself: {}", browser.cookie);
    let again = Browser::new(&api).open(&url).await;
    assert_eq!(again.status, 401);
    assert!(again.text.contains("does not work any more") && !again.headers.contains_key("set-cookie"));
    for token in ["", "ses_", "ses_01jd7z4r5efkyv3q8x9w2m6n0p.0000000000000000000000000000000000000000000"] {
        assert_eq!(Browser::new(&api).post(OPEN, &[("token", token)]).await.status, 401, "{token}");
    }
    // The link's own token is no cookie.
    let (_, token) = url.split_once('#').expect("a token");
    let thief = Browser { api: &api, cookie: format!("coffer_portal={token}") };
    assert_eq!(thief.get("/portal").await.status, 401);

    let late = link(&api, &account).await;
    api.pass_seconds(900);
    assert_eq!(Browser::new(&api).open(&late).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_by_itself_or_by_hand() {
    let api = Api::new();
    let account = api.funded("5").await;
    let nobody = Browser::new(&api);
    for page in PAGES {
        assert_eq!(nobody.get(page).await.status, 401, "{page}");
    }
    // It lapses when nobody uses it, and after four hours in any case.
    let idle = opened(&api, &account).await;
    api.pass_seconds(3600);
    assert_eq!(idle.get("/portal").await.status, 401);
    let busy = opened(&api, &account).await;
    for _ in 0..7 {
        api.pass_seconds(2000);
        assert_eq!(busy.get("/portal").await.status, 200);
    }
    api.pass_seconds(400);
    assert_eq!(busy.get("/portal").await.status, 401);

    let (one, other) = (opened(&api, &account).await, opened(&api, &account).await);
    let out = one.post("/portal/sign-out", &[]).await;
    assert!(out.header("set-cookie").contains("Max-Age=0"), "{}", out.header("set-cookie"));
    assert_eq!((one.get("/portal").await.status, other.get("/portal").await.status), (401, 200));
    let third = opened(&api, &account).await;
    assert_eq!(third.post("/portal/sessions", &[("do", "end-all")]).await.status, 200);
    assert_eq!((third.get("/portal").await.status, other.get("/portal").await.status), (401, 401));

    let last = opened(&api, &account).await;
    let closing = json!({"status": "closed"});
    api.patch(&format!("/v1/accounts/{account}"), closing).await.ok();
    assert_eq!(last.get("/portal").await.status, 401, "a closed account is nobody's any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_come_from_an_own_page_is_refused() {
    let api = Api::new();
    let account = api.funded("5").await;
    let browser = opened(&api, &account).await;
    let fields = [("do", "create"), ("name", "planted"), ("name_of_request", "form-1")];
    let refused: [&[(&str, &str)]; 7] = [
        &[],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "cross-site"), ("origin", "http://127.0.0.1:8080")],
        &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
        &[("origin", "https://evil.example"), ("host", "127.0.0.1:8080")],
        &[("origin", "null")],
    ];
    for headers in refused {
        let answer = browser.post_from("/portal", &fields, headers).await;
        assert_eq!(answer.status, 403, "{headers:?}");
        assert_eq!(
            browser.post_from("/console/sign-in", &[("key", "x")], headers).await.status,
            403,
            "{headers:?}"
        );
    }
    assert!(!browser.get("/portal").await.text.contains("planted"));
    for headers in [
        [("origin", "http://127.0.0.1:8080"), ("x", "")],
        [("origin", "http://host.example"), ("host", "host.example")],
    ] {
        let name = format!("form-{}", headers[1].1.len());
        let fields = [("do", "create"), ("name", "own"), ("name_of_request", name.as_str())];
        assert_eq!(browser.post_from("/portal", &fields, &headers).await.status, 200, "{headers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_makes_changes_rotates_and_revokes_a_key() {
    let api = Api::new();
    let account = api.funded("5").await;
    let browser = opened(&api, &account).await;
    let nameless =
        browser.post("/portal", &[("do", "create"), ("name", ""), ("name_of_request", "form-0")]).await;
    assert_eq!(nameless.status, 400);
    assert!(nameless.text.contains("must not be empty"));

    let fields = [
        ("do", "create"),
        ("name", "<b>mine</b>"),
        ("limit", "2"),
        ("period", "day"),
        ("name_of_request", "form-1"),
    ];
    let made = browser.post("/portal", &fields).await;
    assert_eq!((made.status, made.header("cache-control")), (200, "no-store"));
    assert!(!made.text.contains("<b>mine</b>"), "what people write is escaped");
    let first = secret(&made);
    assert_eq!(
        api.read_balance(&first).await.text,
        r#"{"code":100000,"message":{},"result":{"user_credits":"5"}}"#
    );
    assert!(!browser.get("/portal").await.text.contains(&first), "a secret shows once");
    let twice = browser.post("/portal", &fields).await;
    assert_eq!((twice.status, twice.header("location")), (303, "/portal?done=already"));

    let keys = api.get(&format!("/v1/accounts/{account}/keys")).await.ok();
    assert_eq!(keys["data"].as_array().map(Vec::len), Some(1));
    let id = keys["data"][0]["id"].as_str().expect("an id");
    let edit = [
        ("do", "edit"),
        ("of", id),
        ("name", "renamed"),
        ("limit", ""),
        ("period", "day"),
        ("disabled", "yes"),
    ];
    assert_eq!(browser.post("/portal", &edit).await.status, 303);
    let key = api.get(&format!("/v1/keys/{id}")).await.ok();
    assert_eq!(
        (&key["name"], &key["limit"], &key["status"]),
        (&json!("renamed"), &Value::Null, &json!("disabled"))
    );
    assert_eq!(browser.post("/portal", &[("do", "edit"), ("of", id), ("name", "renamed")]).await.status, 303);

    let is_live = async |secret: &str| api.read_balance(secret).await.text.contains("100000");
    for (number, overlap) in ["xyz", "", "-1", "604801", "1.5"].into_iter().enumerate() {
        let name = format!("form-rotate-{number}");
        let rotate = [("do", "rotate"), ("of", id), ("overlap_seconds", overlap), ("name_of_request", &name)];
        let refused = browser.post("/portal", &rotate).await;
        assert_eq!(refused.status, 400, "{overlap}");
        assert!(refused.text.contains("overlap_seconds-error"), "{overlap}: {}", refused.text);
        assert!(refused.text.contains("<option value=\"86400\" selected"), "{overlap}: {}", refused.text);
    }
    assert!(is_live(&first).await, "a rotation that was refused cuts nobody off");
    let rotate = [("do", "rotate"), ("of", id), ("overlap_seconds", "3600"), ("name_of_request", "form-2")];
    let second = secret(&browser.post("/portal", &rotate).await);
    assert!(is_live(&first).await && is_live(&second).await && first != second);
    assert_eq!(browser.post("/portal", &[("do", "revoke"), ("of", id)]).await.status, 303);
    assert!(!is_live(&first).await && !is_live(&second).await);
    let late = [("do", "rotate"), ("of", id), ("overlap_seconds", "0"), ("name_of_request", "form-3")];
    let stays = browser.post("/portal", &late).await;
    assert_eq!(stays.status, 409, "a revoked key stays so");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_sees_one_account_only() {
    let api = Api::new();
    let (own, other) = (api.funded("5").await, api.funded("7777.125").await);
    let (foreign_key, foreign_secret) = api.key(&other).await;
    let (browser, stranger) = (opened(&api, &own).await, opened(&api, &other).await);
    let page = stranger.get("/portal/sessions").await.text;
    let at = page.find("of=ses_").expect("a session's id") + 3;
    let foreign_session: String =
        page[at..].chars().take_while(|one| one.is_ascii_alphanumeric() || *one == '_').collect();

    for doing in ["edit", "rotate", "revoke"] {
        let fields =
            [("do", doing), ("of", foreign_key.as_str()), ("name", "taken"), ("name_of_request", doing)];
        assert_eq!(browser.post("/portal", &fields).await.status, 404, "{doing}");
        let asked = browser.get(&format!("/portal?do={doing}&of={foreign_key}")).await;
        assert_eq!(asked.status, 404, "{doing}");
        // As an id that nobody has, and as one of another kind.
        for id in ["key_01jd7z4r5efkyv3q8x9w2m6n0p", own.as_str(), other.as_str(), "", "'"] {
            assert_eq!(
                browser.post("/portal", &[("do", doing), ("of", id), ("name", "x")]).await.status,
                404,
                "{id}"
            );
        }
    }
    let ended = browser.post("/portal/sessions", &[("do", "end"), ("of", &foreign_session)]).await;
    assert_eq!(ended.status, 404);
    let seen_by_stranger = stranger.get("/portal").await;
    assert!(seen_by_stranger.status == 200 && seen_by_stranger.text.contains("7,777.125"), "it goes on");
    assert!(api.read_balance(&foreign_secret).await.text.contains("7777.125"));

    // Whatever the address says, it is of the own account.
    for name in ["account", "account_id", "id", "of", "key_id", "cursor", "beyond"] {
        for value in [other.as_str(), foreign_key.as_str(), foreign_session.as_str()] {
            for page in PAGES {
                let answer = browser.get(&format!("{page}?{name}={value}")).await;
                assert!(
                    !answer.text.contains("7,777.125") && !answer.text.contains("7777.125"),
                    "{page}?{name}={value}"
                );
                assert!(
                    answer.status == 200 || answer.status == 400,
                    "{page}?{name}={value}: {}",
                    answer.status
                );
            }
        }
    }
    // A customer's session opens neither the console nor the API, and an operator's is no customer's.
    let token = browser.cookie.split_once('=').expect("a cookie").1;
    let console = Browser { api: &api, cookie: format!("coffer_console={token}") };
    assert_eq!(console.get("/console").await.status, 303);
    assert_eq!(api.send_as(token, Method::GET, "/v1/accounts", "x", &json!({})).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_statement_is_the_accounts_without_what_is_the_operators() {
    let api = Api::new();
    let account = api.funded("50").await;
    api.move_credits(
        &format!("/v1/accounts/{account}/adjustments"),
        json!({"credits": "-1", "reason": "a secret reason"}),
    )
    .await
    .created();
    let charge =
        json!({"account_id": account, "credits": "2", "reference": "job 7", "metadata": {"margin": "none"}});
    api.move_credits("/v1/charges", charge).await.created();
    let browser = opened(&api, &account).await;
    let page = browser.get("/portal/statement").await;
    assert!(page.text.contains("job 7") && page.text.contains("Adjustment"));
    assert!(!page.text.contains("a secret reason") && !page.text.contains("margin"));
    let narrow = browser.get("/portal/statement?kind=adjust&from=nonsense&to=2999-01-01").await;
    assert!(!narrow.text.contains("job 7") && narrow.text.contains("#2"));

    let file = browser.get("/portal/statement.csv?kind=charge").await;
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"statement.csv\"");
    assert_eq!(file.header("x-content-type-options"), "nosniff");
    assert_eq!(file.text.trim().lines().count(), 2, "{}", file.text);
    assert!(file.text.contains("job 7") && !file.text.contains("margin"));

    let key = api.key(&account).await.1;
    let tried = browser.post("/portal/try", &[("key", &key)]).await;
    assert!(tried.text.contains("HTTP 200 OK") && tried.text.contains("user_credits"), "{}", tried.text);
    let dead = browser.post("/portal/try", &[("key", "nothing")]).await;
    assert!(dead.text.contains("800002"));
    for page in PAGES {
        let answer = browser.get(page).await;
        assert!(answer.text.len() < 100 * 1024, "{page}");
        assert_eq!(answer.header("cache-control"), "no-store", "{page}");
    }
}
