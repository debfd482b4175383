//! Connections as clients of the wild have them: slow, large, chunked, pipelined, and from browser pages.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::support::{Api, BALANCE_PATH, DEAD_KEY, Server, serve, user_credits};
use crate::wire::{Raw, Wire};

const KIB: usize = 1024;
const TOO_LARGE: &str =
    r#"{"code":413,"message":{"en":"Request body too large.","zh":"请求体过大"},"result":null}"#;
const UNKNOWN_KEY: &str = "cof_live_nobody-has-this-key";

/// A server with an account of 1234 credits, and a key to it.
struct Shop {
    server: Server,
    live_key: String,
    _data: TempDir,
}

async fn shop() -> Shop {
    shop_with(&[]).await
}

async fn shop_with(flags: &[&str]) -> Shop {
    let data = tempdir().expect("a temporary directory");
    let operator_key = "an-operators-key-of-42-visible-characters!";
    let mut command = serve(data.path());
    command.args(flags).env("COFFER_OPERATOR_KEY", operator_key);
    let server = Server::start_with(command, operator_key);
    let account = server.api.account_with(1234).await;
    let (_, live_key) = server.api.key_of(&account).await;
    Shop { server, live_key, _data: data }
}

impl Shop {
    fn wire(&self) -> Wire {
        Wire::open(&self.server.address)
    }

    /// The answer to one request on a connection of its own.
    fn answer(&self, request: impl AsRef<[u8]>) -> Raw {
        let mut wire = self.wire();
        wire.send(request);
        wire.answer()
    }
}

/// A balance request with headers of one's own, each ended, and a body.
fn balance_request(key: &str, more_headers: &str, body: &[u8]) -> Vec<u8> {
    let head =
        format!("POST {BALANCE_PATH} HTTP/1.1\r\nHost: test\r\nZF-API-KEY: {key}\r\n{more_headers}\r\n");
    [head.as_bytes(), body].concat()
}

fn with_length(key: &str, length: usize) -> Vec<u8> {
    balance_request(key, &format!("Content-Length: {length}\r\n"), &vec![b'x'; length])
}

/// A body in chunks of at most 10,000 bytes.
fn chunked(key: &str, length: usize) -> Vec<u8> {
    let mut body = Vec::new();
    for chunk in vec![b'x'; length].chunks(10_000) {
        body.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        body.extend(chunk);
        body.extend(b"\r\n");
    }
    body.extend(b"0\r\n\r\n");
    balance_request(key, "Transfer-Encoding: chunked\r\n", &body)
}

#[tokio::test]
async fn headers_that_trickle_are_cut_off() {
    let shop = shop().await;
    let mut wire = shop.wire();
    let started = Instant::now();
    let mut bytes = balance_request(&shop.live_key, "", b"").into_iter().cycle();
    while started.elapsed() < Duration::from_secs(60) {
        let byte = bytes.next().expect("a cycle does not end");
        let sent = wire.try_send([if byte == b'\n' { b'x' } else { byte }]);
        if let Err(error) = sent {
            assert!(matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{error}");
            break;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    let took = started.elapsed();
    assert!((8..20).contains(&took.as_secs()), "cut off after {took:?}");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_refused_for_what_it_was_to_be() {
    let shop = shop().await;
    let stalled = |length: usize| {
        let mut wire = shop.wire();
        wire.send(balance_request(&shop.live_key, &format!("Content-Length: {length}\r\n"), b"x"));
        wire
    };
    let (mut large, mut small) = (stalled(2_000 * KIB), stalled(10));
    assert_eq!(large.answer().status, 413);
    assert_eq!(small.answer().status, 408);
}

#[tokio::test]
async fn large_headers_are_refused() {
    let shop = shop().await;
    let cookie = |bytes: usize| format!("Cookie: {}\r\nContent-Length: 0\r\n", "c".repeat(bytes));
    let fits = shop.answer(balance_request(&shop.live_key, &cookie(30 * KIB), b""));
    assert_eq!((fits.status, fits.body), (200, user_credits("1234")));

    let refused = shop.answer(balance_request(&shop.live_key, &cookie(40 * KIB), b""));
    assert_eq!(refused.status, 431);
    let envelope: Value = serde_json::from_str(&refused.body).expect("the envelope parses always");
    assert_eq!((&envelope["code"], &envelope["result"]), (&431.into(), &Value::Null));

    let request = format!("GET /v1/accounts HTTP/1.1\r\nHost: test\r\n{}\r\n", cookie(40 * KIB));
    let refused = shop.answer(request);
    assert_eq!(refused.status, 431);
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
}

#[tokio::test]
async fn headers_without_end_are_refused() {
    let shop = shop().await;
    let mut wire = shop.wire();
    wire.send("GET /livez HTTP/1.1\r\nHost: test\r\nCookie: ");
    // The server may hang up before all of it is sent; then its answer cannot always be read any more.
    drop(wire.try_send(vec![b'c'; 300 * KIB]));
    match wire.try_answer() {
        Ok(Some(answer)) => assert_eq!(answer.status, 431),
        Ok(None) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
    assert_eq!(shop.server.api.get("/livez").await.status, 200);
}

#[tokio::test]
async fn a_large_body_is_a_problem() {
    let shop = shop().await;
    let body = format!(r#"{{"name":"{}"}}"#, "x".repeat(300 * KIB));
    let request = format!(
        "POST /v1/accounts HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        shop.server.api.operator_key(),
        body.len()
    );
    let refused = shop.answer(request);
    assert_eq!(refused.status, 413);
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
    let problem: Value = serde_json::from_str(&refused.body).expect("JSON");
    assert_eq!((&problem["code"], &problem["status"]), (&"payload_too_large".into(), &413.into()));
}

#[tokio::test]
async fn a_balance_request_may_carry_64_kib_and_no_more() {
    let shop = shop().await;
    for request in [with_length, chunked] {
        let fits = shop.answer(request(&shop.live_key, 64 * KIB));
        assert_eq!((fits.status, fits.body), (200, user_credits("1234")));
        let fits = shop.answer(request(UNKNOWN_KEY, 64 * KIB));
        assert_eq!((fits.status, fits.body.as_str()), (200, DEAD_KEY));
        // The key is not looked at: a live one and a dead one hear the same.
        for key in [&shop.live_key, UNKNOWN_KEY] {
            for length in [64 * KIB + 1, 900 * KIB] {
                let refused = shop.answer(request(key, length));
                assert_eq!((refused.status, refused.body.as_str()), (413, TOO_LARGE), "{length}");
                assert_eq!(refused.header("content-type"), Some("application/json; charset=utf-8"));
                assert_eq!(refused.header("access-control-allow-origin"), Some("*"));
            }
        }
    }
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_refused_at_once() {
    let shop = shop().await;
    let headers = format!("Content-Length: {}\r\nExpect: 100-continue\r\n", 2 * KIB * KIB);
    let refused = shop.answer(balance_request(&shop.live_key, &headers, b""));
    assert_eq!((refused.status, refused.body.as_str()), (413, TOO_LARGE));
}

#[tokio::test]
async fn a_client_may_wait_for_100_continue() {
    let shop = shop().await;
    for (headers, body) in [
        ("Content-Length: 5\r\nExpect: 100-continue\r\n", "hello"),
        ("Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n", "5\r\nhello\r\n0\r\n\r\n"),
    ] {
        let mut wire = shop.wire();
        wire.send(balance_request(&shop.live_key, headers, b""));
        assert_eq!(wire.answer().status, 100);
        wire.send(body);
        let answer = wire.answer();
        assert_eq!((answer.status, answer.body), (200, user_credits("1234")));
    }
}

#[tokio::test]
async fn requests_in_a_pipe_are_answered_in_order() {
    let shop = shop().await;
    let (live, dead) = (with_length(&shop.live_key, 3), chunked(UNKNOWN_KEY, 3));
    let mut wire = shop.wire();
    wire.send([&live[..], &dead, &live, &dead, &live].concat());
    for expected in [&user_credits("1234"), DEAD_KEY, &user_credits("1234"), DEAD_KEY, &user_credits("1234")]
    {
        let answer = wire.answer();
        assert_eq!((answer.status, answer.body.as_str()), (200, expected));
    }
    wire.send(&live);
    assert_eq!(wire.answer().body, user_credits("1234"), "the connection is kept");
    wire.send(balance_request(&shop.live_key, "Content-Length: 0\r\nConnection: close\r\n", b""));
    assert_eq!(wire.answer().header("connection"), Some("close"));
    wire.wait_for_end();
}

#[tokio::test]
async fn a_refusal_for_size_does_not_break_a_kept_connection() {
    let shop = shop().await;
    let mut wire = shop.wire();
    for _ in 0..3 {
        wire.send(with_length(&shop.live_key, 200 * KIB));
        assert_eq!(wire.answer().status, 413);
        wire.send(with_length(&shop.live_key, 0));
        assert_eq!(wire.answer().body, user_credits("1234"));
    }
}

#[tokio::test]
async fn the_keys_header_has_no_case() {
    let shop = shop().await;
    for name in ["ZF-API-KEY", "zf-api-key", "Zf-Api-Key", "zF-aPi-kEy"] {
        for space in ["", " ", "\t  "] {
            let header = format!("{name}:{space}{}{space}", shop.live_key);
            let request = format!(
                "POST {BALANCE_PATH} HTTP/1.1\r\nHost: test\r\n{header}\r\nContent-Length: 0\r\n\r\n"
            );
            let answer = shop.answer(request);
            assert_eq!((answer.status, answer.body), (200, user_credits("1234")), "{name:?}{space:?}");
        }
    }
}

#[tokio::test]
async fn a_key_that_is_not_quite_one_is_a_dead_key() {
    let shop = shop().await;
    let key = &shop.live_key;
    let operator = shop.server.api.operator_key();
    for headers in [
        String::new(),
        "ZF-API-KEY:\r\n".to_owned(),
        format!("ZF-API-KEY: {key} \u{e9}\r\n"),
        format!("ZF-API-KEY: {}\r\n", key.to_uppercase()),
        format!("ZF-API-KEY: {key}x\r\n"),
        format!("ZF-API-KEY: {}\r\n", &key[..key.len() - 1]),
        format!("ZF-API-KEY: Bearer {key}\r\n"),
        format!("ZF-API-KEY: {key}\r\nZF-API-KEY: {key}\r\n"),
        format!("ZF-API-KEY: {operator}\r\n"),
        format!("Authorization: Bearer {key}\r\n"),
        format!("Cookie: ZF-API-KEY={key}\r\n"),
    ] {
        let request = format!(
            "POST {BALANCE_PATH}?key={key} HTTP/1.1\r\nHost: test\r\n{headers}Content-Length: 0\r\n\r\n"
        );
        let answer = shop.answer(request);
        assert_eq!((answer.status, answer.body.as_str()), (200, DEAD_KEY), "{headers:?}");
    }
}

#[tokio::test]
async fn a_preflight_from_any_page_is_answered() {
    let shop = shop().await;
    let preflight = format!(
        "OPTIONS {BALANCE_PATH} HTTP/1.1\r\nHost: test\r\nOrigin: https://shop.example\r\n\
         Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: zf-api-key\r\n\r\n"
    );
    let answer = shop.answer(preflight);
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    let expected = [
        ("access-control-allow-headers", "ZF-API-KEY, Content-Type"),
        ("access-control-allow-methods", "POST, OPTIONS"),
        ("access-control-allow-origin", "*"),
        ("access-control-max-age", "86400"),
    ];
    assert_eq!(answer.own_headers(), expected);
}

#[tokio::test]
async fn a_preflight_from_a_page_that_is_not_listed_is_let_down() {
    let shop = shop_with(&["--cors-origins", "https://shop.example,http://localhost:3000"]).await;
    for (origin, allowed) in [
        ("https://shop.example", Some("https://shop.example")),
        ("http://localhost:3000", Some("http://localhost:3000")),
        ("http://shop.example", None),
        ("https://shop.example.evil.example", None),
        ("null", None),
    ] {
        for method in ["OPTIONS", "POST"] {
            let answer = shop.answer(format!(
                "{method} {BALANCE_PATH} HTTP/1.1\r\nHost: test\r\nOrigin: {origin}\r\n\
                 ZF-API-KEY: {UNKNOWN_KEY}\r\nContent-Length: 0\r\n\r\n"
            ));
            assert_eq!(answer.header("access-control-allow-origin"), allowed, "{method} {origin}");
            assert_eq!(answer.header("vary"), Some("Origin"), "{method} {origin}");
        }
    }
}

#[tokio::test]
async fn an_answer_has_its_headers_and_no_others() {
    let shop = shop().await;
    for key in [&shop.live_key, UNKNOWN_KEY] {
        let answer = shop.answer(with_length(key, 0));
        let length = answer.body.len().to_string();
        let expected = [
            ("access-control-allow-origin", "*"),
            ("cache-control", "no-store"),
            ("content-length", length.as_str()),
            ("content-type", "application/json; charset=utf-8"),
            ("x-content-type-options", "nosniff"),
        ];
        assert_eq!(answer.own_headers(), expected);
    }
}

#[tokio::test]
async fn other_methods_and_other_paths() {
    let shop = shop().await;
    for method in ["GET", "PUT", "DELETE", "PATCH"] {
        let answer = shop.answer(format!("{method} {BALANCE_PATH} HTTP/1.1\r\nHost: test\r\n\r\n"));
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), Some("POST, OPTIONS"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
    for path in ["/v1/accounts", "/livez", "/v1/nothing"] {
        let origin = format!("OPTIONS {path} HTTP/1.1\r\nHost: test\r\nOrigin: https://shop.example\r\n\r\n");
        let answer = shop.answer(origin);
        let allowed = answer.own_headers().iter().any(|(name, _)| name.starts_with("access-control-"));
        assert!(!allowed, "no CORS outside the balance endpoint: {answer:?}");
    }
}

#[tokio::test]
async fn dead_keys_are_slowed_down_and_live_ones_are_not() {
    let shop =
        shop_with(&["--failed-authentications-burst", "5", "--failed-authentications-per-second", "1"]).await;
    let api: &Api = &shop.server.api;
    let mut last = api.read_balance(UNKNOWN_KEY).await;
    for _ in 0..200 {
        last = api.read_balance(UNKNOWN_KEY).await;
        if last.status == 429 {
            break;
        }
        assert_eq!((last.status, last.text.as_str()), (200, DEAD_KEY));
    }
    assert_eq!(last.status, 429, "{last:?}");
    assert_eq!(last.json()["code"], 429);
    let seconds = last.header("retry-after").expect("Retry-After").parse::<u64>().expect("seconds");
    assert!(seconds >= 1);
    for _ in 0..50 {
        assert_eq!(api.read_balance(&shop.live_key).await.text, user_credits("1234"));
    }
}
