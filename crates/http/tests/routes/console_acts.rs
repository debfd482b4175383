//! What forms of the console may do: on which account, and with which scopes.

use coffer_service::{ActionFilter, Span};
use serde_json::json;

use crate::console::{Desk, page_of};
use crate::support::{Api, AsString as _};

const NEWEST: Span = Span { before: None, count_max: 1 };

/// An account with something of each kind that a form can name.
struct Things {
    account: String,
    charge: String,
    grant: String,
    hold: String,
    key: String,
}

impl Things {
    async fn of(api: &Api) -> Things {
        let account = api.account().await;
        let id = async |path: &str, body| api.move_credits(path, body).await.created()["id"].string();
        let grant = id(&format!("/v1/accounts/{account}/grants"), json!({"credits": 10})).await;
        let charge = id("/v1/charges", json!({"account_id": account, "credits": 1})).await;
        let hold = id("/v1/holds", json!({"account_id": account, "credits": 1})).await;
        let (key, _) = api.key(&account).await;
        Things { account, charge, grant, hold, key }
    }

    fn named(&self) -> [(&'static str, &str); 4] {
        [
            ("refund", self.charge.as_str()),
            ("void", self.grant.as_str()),
            ("release", self.hold.as_str()),
            ("revoke", self.key.as_str()),
        ]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_names_no_account_is_not_found_on_a_page() {
    let api = Api::new();
    let desk = Desk::at(&api).await;
    for id in ["acc_nobody", "%ff", "grt_01jd7z4r5efkyv3q8x9w2m6n0p", "acc_01jd7z4r5efkyv3q8x9w2m6n0p"] {
        let path = page_of(id);
        for list in ["", "/grants", "/holds", "/keys"] {
            let page = desk.get(&format!("{path}{list}")).await;
            assert_eq!((page.status, page.header("cache-control")), (404, "no-store"), "{id}{list}");
            assert!(page.text.contains("<nav"), "{id}{list}: {}", page.text);
        }
        for doing in ["freeze", "portal"] {
            let page = desk.post(&path, &[("do", doing), ("name_of_request", id)]).await;
            assert_eq!((page.status, page.header("cache-control")), (404, "no-store"), "{id} {doing}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_another_accounts_is_not_found_on_this_ones_page() {
    let api = Api::new();
    let (own, other) = (Things::of(&api).await, Things::of(&api).await);
    let desk = Desk::at(&api).await;
    let path = page_of(&own.account);
    let before = (api.standing(&other.account).await, api.standing(&own.account).await);
    for (doing, of) in other.named() {
        let asked = desk.get(&format!("{path}?do={doing}&of={of}")).await;
        assert_eq!(asked.status, 404, "{doing}");
        assert!(!asked.text.contains("<dialog"), "{doing}: {}", asked.text);
        let sent = desk.post(&path, &[("do", doing), ("of", of), ("name_of_request", doing)]).await;
        assert_eq!(sent.status, 404, "{doing}");
        assert!(!sent.text.contains("<dialog"), "{doing}: {}", sent.text);
    }
    let key = api.get(&format!("/v1/keys/{}", other.key)).await.ok();
    assert_eq!(key["status"], "active");
    assert_eq!((api.standing(&other.account).await, api.standing(&own.account).await), before);
    for (doing, of) in own.named() {
        let sent = desk.fill(&path, doing, of, &[]).await;
        assert_eq!(sent.status, 303, "{doing}: {}", sent.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_needs_the_scope_of_what_it_does_and_that_of_seeing_it() {
    let api = Api::new();
    let Things { account, charge, grant, hold, key } = Things::of(&api).await;
    let path = page_of(&account);
    let (accounts, prices) = ("/console/accounts", "/console/prices");
    let price = ["do=set", "operation=upscale", "credits_per_unit=1"];
    // Where a form goes, what it sends, and what it needs beside `read`.
    let acts: [(&str, &[&str], &str); 14] = [
        (&path, &["do=grant", "credits=1", "category=paid"], "grant"),
        (&path, &["do=adjust", "credits=1", "reason=a gift"], "grant"),
        (&path, &["do=refund", &format!("of={charge}")], "grant"),
        (&path, &["do=release", &format!("of={hold}")], "charge"),
        (&path, &["do=void", &format!("of={grant}")], "grant"),
        (&path, &["do=revoke", &format!("of={key}")], "manage"),
        (&path, &["do=edit", "name=Acme", "overdraft_limit=0"], "manage"),
        (&path, &["do=freeze"], "manage"),
        (&path, &["do=unfreeze"], "manage"),
        (&path, &["do=portal"], "manage"),
        (accounts, &["name=Bolt", "external_id=bolt"], "manage"),
        (prices, &price, "manage"),
        (prices, &["do=delete", "operation=upscale"], "manage"),
        (&path, &["do=close"], "manage"),
    ];
    let mut desks = Vec::new();
    for scope in ["charge", "grant", "manage", "admin"] {
        let alone = Desk::with(&api, &api.operator(&[scope]).await).await;
        let seeing = Desk::with(&api, &api.operator(&["read", scope]).await).await;
        desks.push((scope, alone, seeing));
    }
    for (number, (place, fields, needed)) in acts.into_iter().enumerate() {
        for (scope, alone, seeing) in &desks {
            let what = format!("{place} {fields:?} with {scope}");
            let name = format!("form-{number}-{scope}");
            let before =
                api.service().reader().actions(ActionFilter::default(), NEWEST).await.expect("a read");
            let mut all: Vec<(&str, &str)> =
                fields.iter().map(|field| field.split_once('=').expect("a name and a value")).collect();
            all.push(("name_of_request", &name));
            assert_eq!(alone.post(place, &all).await.status, 403, "{what} alone");
            let after =
                api.service().reader().actions(ActionFilter::default(), NEWEST).await.expect("a read");
            assert_eq!(before, after, "{what} alone");
            let answer = seeing.post(place, &all).await;
            let expected = if *scope == needed { [303, 200] } else { [403, 403] };
            assert!(expected.contains(&answer.status), "{what}: {} {}", answer.status, answer.text);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operators_key_can_be_revoked_however_many_came_after_it() {
    let api = Api::new();
    let first = api.post("/v1/operator-keys", json!({"name": "the first"})).await.created();
    let id = first["id"].string();
    for _ in 0..30 {
        api.operator(&["read"]).await;
    }
    let desk = Desk::with(&api, &first["secret"].string()).await;
    let path = "/console/operator-keys";
    let newest = desk.get(path).await;
    assert!(!newest.text.contains(&id), "{}", newest.text);
    let next = newest.text.split(&format!("{path}?cursor=")).nth(1).expect("a next page");
    let next = next.split('"').next().expect("its end");
    let older = desk.get(&format!("{path}?cursor={next}")).await;
    assert!(older.text.contains(&format!("do=revoke&#38;of={id}")), "{}", older.text);
    let asked = desk.get(&format!("{path}?do=revoke&of={id}")).await;
    assert!(asked.text.contains("<dialog") && asked.text.contains("the first"), "{}", asked.text);
    for page in ["/console/audit", "/console/sessions"] {
        assert!(desk.get(page).await.text.contains("the first"), "{page} names the key");
    }
    assert_eq!(desk.post(path, &[("do", "revoke"), ("of", &id)]).await.status, 303);
    assert_eq!(desk.get(path).await.status, 303, "its session has ended with it");
}
