//! What forms of the console may do: on which account, and with which scopes.

use serde_json::json;

use crate::console::{Desk, page_of};
use crate::support::{Api, AsString as _};

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
