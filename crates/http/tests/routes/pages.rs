//! What all pages share, and the balance endpoint's own page.

use axum::body::Body;
use axum::http::{Method, Request};
use coffer_http::Settings;

use crate::support::{Answer, Api};

const PAGE: &str = "/docs/get-credits-balance";

async fn get(api: &Api, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    api.send(request.body(Body::empty()).expect("a request")).await
}

async fn choose(api: &Api, form: &str) -> Answer {
    let request = Request::post("/preferences")
        .header("Sec-Fetch-Site", "same-origin")
        .header("Content-Type", "application/x-www-form-urlencoded");
    api.send(request.body(Body::from(form.to_owned())).expect("a request")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_endpoints_page_has_all_that_its_users_know() {
    let page = get(&Api::new(), PAGE, &[]).await;
    assert_eq!(page.status, 200);
    for said in [
        "Returns the current credit balance associated with your API key.",
        "Obtain your API key from API Key Settings before making requests.",
        "POST /api/unwatermark/api/v1/get-credits-balance",
        "<code>ZF-API-KEY</code> header",
        "Free",
        "Your API key",
        "import requests",
        "OkHttpClient client = new OkHttpClient();",
        "CURLOPT_RETURNTRANSFER",
        "&#60;!DOCTYPE html&#62;",
        "YOUR_API_KEY",
        "Success (100000)",
        "Error (800002)",
        "User api key not exist.",
        "用户api key不存在",
        "API key not found",
    ] {
        assert!(page.text.contains(said), "{said}");
    }
    assert!(page.text.len() < 100 * 1024);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_runs_on_a_page_but_files_of_this_server() {
    let api = Api::new();
    let page = get(&api, PAGE, &[]).await;
    let policy = page.header("content-security-policy");
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        assert!(policy.contains(part), "{part} in {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    for absent in ["<style", " style=\"", "<script>", "src=\"http"] {
        assert!(!page.text.replace("&#60;", "").contains(absent), "{absent}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_named_by_their_content_and_kept() {
    let api = Api::new();
    let page = get(&api, PAGE, &[]).await;
    let paths: Vec<&str> = page.text.split('"').filter(|part| part.starts_with("/assets/")).collect();
    for kind in ["text/css", "text/javascript", "image/svg+xml"] {
        let mut found = false;
        for path in &paths {
            let file = get(&api, path, &[]).await;
            assert_eq!(file.status, 200, "{path}");
            assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable", "{path}");
            found |= file.header("content-type").starts_with(kind);
        }
        assert!(found, "{kind} among {paths:?}");
    }
    assert_eq!(get(&api, "/assets/pages.0000000000000000.css", &[]).await.status, 404);
    assert_eq!(get(&api, "/assets/..%2FREADME.md", &[]).await.status, 404);
    assert_eq!(get(&api, "/assets/%ff", &[]).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_speaks_the_language_that_is_preferred_or_chosen() {
    let api = Api::new();
    for (headers, language, heading) in [
        (vec![], "en", "<h1>Credits Balance</h1>"),
        (vec![("Accept-Language", "zh-CN,zh;q=0.9,en;q=0.5")], "zh", "<h1>积分余额</h1>"),
        (vec![("Accept-Language", "fr,de;q=0.8")], "en", "<h1>Credits Balance</h1>"),
        (vec![("Accept-Language", "en"), ("Cookie", "coffer_language=zh")], "zh", "<h1>积分余额</h1>"),
        (vec![("Cookie", "coffer_language=xx")], "en", "<h1>Credits Balance</h1>"),
    ] {
        let page = get(&api, PAGE, &headers).await;
        assert!(page.text.contains(&format!("<html lang=\"{language}\"")), "{headers:?}");
        assert!(page.text.contains(heading), "{headers:?}");
    }
    for (cookie, theme) in [("coffer_theme=dark", "dark"), ("coffer_theme=light", "light"), ("a=b", "system")]
    {
        let page = get(&api, PAGE, &[("Cookie", cookie)]).await;
        assert!(page.text.contains(&format!("data-theme=\"{theme}\"")), "{cookie}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_is_remembered_and_leads_back() {
    let api = Api::new();
    let chosen = choose(&api, "language=zh&back=%2Fconsole%2Faccounts%3Fq%3Da").await;
    assert_eq!((chosen.status, chosen.header("location")), (303, "/console/accounts?q=a"));
    assert!(chosen.header("set-cookie").starts_with("coffer_language=zh; Path=/; "), "{:?}", chosen.headers);
    let chosen = choose(&api, "theme=dark&back=%2Fdocs").await;
    assert!(chosen.header("set-cookie").starts_with("coffer_theme=dark; "), "{:?}", chosen.headers);
    for elsewhere in
        ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example", "%2F%5Cevil.example", "%2Fa%0D%0Ab", ""]
    {
        let chosen = choose(&api, &format!("theme=pink&back={elsewhere}")).await;
        assert_eq!((chosen.status, chosen.header("location")), (303, "/docs"), "{elsewhere}");
        assert!(!chosen.headers.contains_key("set-cookie"));
    }
}

/// What a browser sends that opens a page or sends a form, from this server's pages or from another site.
async fn opens(api: &Api, method: Method, path: &str, from: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("Sec-Fetch-Site", from)
        .header("Content-Type", "application/x-www-form-urlencoded");
    api.send(request.body(Body::empty()).expect("a request")).await
}

/// Where the switch of the language leads back to.
fn back(page: &Answer) -> &str {
    let rest = page.text.split("name=\"back\" value=\"").nth(1);
    rest.unwrap_or_else(|| panic!("no switch in {}", page.text)).split('"').next().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_switches_lead_to_a_page_whatever_was_sent() {
    let api = Api::new();
    for (path, from, status, place) in [
        ("/portal/try", "same-origin", 401, "/portal/start"),
        ("/portal/sign-out", "same-origin", 401, "/portal"),
        ("/portal/sessions", "same-origin", 401, "/portal/sessions"),
        ("/portal/try", "cross-site", 403, "/portal/start"),
        ("/console/sign-out", "cross-site", 403, "/console"),
        ("/console/sign-in", "same-origin", 401, "/console/sign-in"),
        ("/console/prices?do=set", "cross-site", 403, "/console/prices"),
        ("/preferences", "cross-site", 403, "/docs"),
    ] {
        let page = opens(&api, Method::POST, path, from).await;
        assert_eq!((page.status, back(&page)), (status, place), "{path} from {from}");
        let there = opens(&api, Method::GET, place, "same-origin").await;
        assert!([200, 303, 401].contains(&there.status), "{place}: {}", there.status);
    }
    let expired = opens(&api, Method::POST, "/console/prices?do=set", "same-origin").await;
    assert_eq!(expired.header("location"), "/console/sign-in?next=%2Fconsole%2Fprices");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_get_a_page_where_there_is_none_and_programs_json() {
    let api = Api::new();
    for (method, path, status) in [
        (Method::GET, "/console/nothing", 404),
        (Method::GET, "/portal/nothing/here", 404),
        (Method::POST, "/portal/nothing", 404),
        (Method::GET, "/portal/sign-out", 405),
        (Method::POST, "/console/audit", 405),
    ] {
        let page = opens(&api, method, path, "same-origin").await;
        assert_eq!(
            (page.status, page.header("content-type")),
            (status, "text/html; charset=utf-8"),
            "{path}"
        );
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
        assert!(page.text.contains("Nothing is here"), "{path}: {}", page.text);
        assert_eq!(page.headers.contains_key("allow"), status == 405, "{path}");
    }
    for path in ["/v1/nothing", "/nothing", "/consoles"] {
        assert_eq!(opens(&api, Method::GET, path, "same-origin").await.refusal(), "404 not_found", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_endpoints_page_leads_to_the_customers_wherever_it_is_read() {
    for (public_url, operator_url, settings) in [
        (None, None, "/portal"),
        (Some("https://credits.example"), None, "/portal"),
        (Some("https://credits.example"), Some("https://desk.example"), "https://credits.example/portal"),
    ] {
        let url = |url: Option<&str>| url.map(|url| url.parse().expect("an address"));
        let (public_url, operator_url) = (url(public_url), url(operator_url));
        let page =
            get(&Api::with(Settings { public_url, operator_url, ..Settings::default() }), PAGE, &[]).await;
        assert!(page.text.contains(&format!("href=\"{settings}\"")), "{settings} in {}", page.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_form_is_refused_on_a_page() {
    let api = Api::new();
    let long = "a".repeat(100 * 1024);
    for path in ["/console/sign-in", "/portal/open", "/preferences"] {
        for (kind, body, status) in
            [("application/json", "{}", 415), ("application/x-www-form-urlencoded", long.as_str(), 413)]
        {
            let request = Request::post(path)
                .header("Sec-Fetch-Site", "same-origin")
                .header("Content-Type", kind)
                .header("Content-Length", body.len());
            let page = api.send(request.body(Body::from(body.to_owned())).expect("a request")).await;
            assert_eq!((page.status, page.header("cache-control")), (status, "no-store"), "{path} {kind}");
            assert!(page.header("content-security-policy").contains("default-src 'none'"), "{path} {kind}");
            assert!(page.text.contains("Nothing was done."), "{path} {kind}: {}", page.text);
        }
    }
}
