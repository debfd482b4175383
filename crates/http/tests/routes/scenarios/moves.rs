//! What moves credits, under an idempotency key.

use coffer_ledger::{CaptureAmount, Category, Credits, Excess};
use coffer_scenarios::{CaptureRow, GrantRow, Payer, RowCost, SpendingRow};
use serde_json::{Map, Value, json};

use super::{HttpDriver, NOBODY, Way};
use crate::support::{AsString as _, refusal};

/// A request that moves credits.
struct Move<'a> {
    /// What it is called in a batch; what cannot be in one has no name for it.
    kind: Option<&'static str>,
    /// What a batch calls the id that is in the path.
    path_id: Option<(&'static str, String)>,
    path: String,
    name: &'a str,
    fields: Map<String, Value>,
}

/// What came of it, in a call or in a batch.
struct Told {
    status: u16,
    body: Value,
    replayed: bool,
}

impl Told {
    fn id(&self) -> Option<String> {
        (self.status == 201).then(|| self.body["id"].string())
    }

    fn words(&self, say: impl FnOnce(&Value) -> String) -> String {
        let again = if self.replayed { "again: " } else { "" };
        let said = if self.status < 300 { say(&self.body) } else { refusal(self.status, &self.body) };
        format!("{again}{said}")
    }
}

impl HttpDriver {
    async fn carry_out(&mut self, request: Move<'_>) -> Told {
        self.moves += 1;
        let in_batch = match self.way {
            Way::Calls => false,
            Way::Batches => true,
            Way::InTurns => self.moves.is_multiple_of(2),
        };
        match request.kind {
            Some(kind) if in_batch => self.in_batch(kind, request).await,
            Some(_) | None => self.call(request).await,
        }
    }

    async fn call(&self, request: Move<'_>) -> Told {
        let body = Value::Object(request.fields);
        let answer = self.api.move_named(&request.path, request.name, body).await;
        if answer.status >= 300 {
            // It looks at the headers of the refusal too.
            answer.refusal();
        }
        let replayed = answer.header("idempotency-replayed") == "true";
        Told { status: answer.status, body: answer.json(), replayed }
    }

    async fn in_batch(&self, kind: &str, request: Move<'_>) -> Told {
        let mut operation = request.fields;
        operation.insert("type".to_owned(), json!(kind));
        operation.insert("idempotency_key".to_owned(), json!(request.name));
        operation.extend(request.path_id.map(|(name, id)| (name.to_owned(), json!(id))));
        let answer = self.api.post("/v1/batch", json!({"operations": [operation]})).await.ok();
        let result = &answer["results"][0];
        Told {
            status: result["status"].as_u64().and_then(|status| status.try_into().ok()).expect("a status"),
            body: result["body"].clone(),
            replayed: result["replayed"].as_bool().expect("whether it was replayed"),
        }
    }

    pub(super) async fn grant(&mut self, row: &GrantRow) -> String {
        let mut fields = Map::new();
        fields.insert("credits".to_owned(), amount(row.credits));
        fields.extend(row.priority.map(|priority| ("priority".to_owned(), json!(priority.get()))));
        fields.extend(row.category.map(|category| {
            let category = match category {
                Category::Paid => "paid",
                Category::Promotional => "promotional",
            };
            ("category".to_owned(), json!(category))
        }));
        for (name, time) in [("effective_at", row.effective_at), ("expires_at", row.expires_at)] {
            fields.extend(time.map(|time| (name.to_owned(), json!(time.to_string()))));
        }
        fields.extend(row.reference.iter().map(|reference| ("reference".to_owned(), json!(reference))));
        let account = self.account(&row.account);
        let path = format!("/v1/accounts/{account}/grants");
        let path_id = Some(("account_id", account));
        let request = Move { kind: Some("grant"), path_id, path, name: &row.name, fields };
        let told = self.carry_out(request).await;
        if let Some(id) = told.id() {
            self.grants.insert(row.name.clone(), id.clone());
            self.names_of_grants.insert(id, row.name.clone());
        }
        told.words(|grant| {
            let [credits, left] = ["credits", "remaining"].map(|name| grant[name].string());
            format!("granted {credits}, {left} left, {}", grant["status"].string())
        })
    }

    pub(super) async fn void(&mut self, grant: &str, name: &str) -> String {
        let path = format!("/v1/grants/{}/void", known(&self.grants, grant, "grt"));
        let request = Move { kind: None, path_id: None, path, name, fields: Map::new() };
        self.carry_out(request).await.words(grant_words)
    }

    pub(super) async fn adjust(
        &mut self,
        account: &str,
        credits: Credits,
        allow_negative: bool,
        name: &str,
    ) -> String {
        let mut fields = Map::new();
        fields.insert("credits".to_owned(), amount(credits));
        fields.insert("reason".to_owned(), json!("a correction"));
        // What is not said is false.
        fields.extend(allow_negative.then(|| ("allow_negative".to_owned(), json!(true))));
        let path = format!("/v1/accounts/{}/adjustments", self.account(account));
        let request = Move { kind: None, path_id: None, path, name, fields };
        self.carry_out(request).await.words(|adjustment| moved("adjusted", adjustment))
    }

    pub(super) async fn charge(&mut self, row: &SpendingRow) -> String {
        let fields = self.spending(row);
        let path = "/v1/charges".to_owned();
        let request = Move { kind: Some("charge"), path_id: None, path, name: &row.name, fields };
        let told = self.carry_out(request).await;
        self.charges.extend(told.id().map(|id| (row.name.clone(), id)));
        told.words(|charge| moved("charged", charge))
    }

    pub(super) async fn refund(&mut self, charge: &str, credits: Option<Credits>, name: &str) -> String {
        let mut fields = Map::new();
        fields.extend(credits.map(|credits| ("credits".to_owned(), amount(credits))));
        let id = known(&self.charges, charge, "chg");
        let path = format!("/v1/charges/{id}/refund");
        let request = Move { kind: Some("refund"), path_id: Some(("charge_id", id)), path, name, fields };
        self.carry_out(request).await.words(|refund| moved("refunded", refund))
    }

    pub(super) async fn hold(&mut self, row: &SpendingRow, expires_in_ms: Option<u32>) -> String {
        let mut fields = self.spending(row);
        fields.extend(expires_in_ms.map(|ms| ("expires_in".to_owned(), json!(ms / 1000))));
        let path = "/v1/holds".to_owned();
        let request = Move { kind: Some("hold"), path_id: None, path, name: &row.name, fields };
        let told = self.carry_out(request).await;
        self.holds.extend(told.id().map(|id| (row.name.clone(), id)));
        told.words(|hold| moved("held", hold))
    }

    pub(super) async fn capture(&mut self, row: &CaptureRow) -> String {
        let mut fields = Map::new();
        match row.amount {
            CaptureAmount::All => {}
            CaptureAmount::Credits(credits) => {
                fields.insert("credits".to_owned(), amount(credits));
            }
            CaptureAmount::Quantity(quantity) => {
                fields.insert("quantity".to_owned(), amount(quantity.amount()));
            }
        }
        fields.extend(row.is_final.map(|is_final| ("final".to_owned(), json!(is_final))));
        fields.extend(row.excess.map(|excess| {
            let excess = match excess {
                Excess::Refuse => "refuse",
                Excess::Charge => "charge",
                Excess::Force => "force",
            };
            ("excess".to_owned(), json!(excess))
        }));
        let id = known(&self.holds, &row.hold, "hld");
        let path = format!("/v1/holds/{id}/capture");
        let path_id = Some(("hold_id", id));
        let request = Move { kind: Some("capture"), path_id, path, name: &row.name, fields };
        let told = self.carry_out(request).await;
        self.charges.extend(told.id().map(|id| (row.name.clone(), id)));
        told.words(|charge| with_held("captured", charge))
    }

    pub(super) async fn release(&mut self, hold: &str, name: &str) -> String {
        let id = known(&self.holds, hold, "hld");
        let path = format!("/v1/holds/{id}/release");
        let path_id = Some(("hold_id", id));
        let request = Move { kind: Some("release"), path_id, path, name, fields: Map::new() };
        let told = self.carry_out(request).await;
        told.words(|hold| {
            let balance = &hold["balance"];
            let [available, held] = ["available", "held"].map(|name| balance[name].string());
            format!("{}, available {available}, held {held}", hold["status"].string())
        })
    }

    fn spending(&self, row: &SpendingRow) -> Map<String, Value> {
        let mut fields = Map::new();
        match &row.payer {
            Payer::Account(account) => fields.insert("account_id".to_owned(), json!(self.account(account))),
            Payer::Key(secret) => fields.insert("api_key".to_owned(), json!(self.secret(secret))),
        };
        match &row.cost {
            RowCost::Credits(credits) => {
                fields.insert("credits".to_owned(), amount(*credits));
            }
            RowCost::Operation { operation, quantity } => {
                fields.insert("operation".to_owned(), json!(operation));
                fields.extend(quantity.map(|quantity| ("quantity".to_owned(), amount(quantity.amount()))));
            }
        }
        fields.extend(row.reference.iter().map(|reference| ("reference".to_owned(), json!(reference))));
        fields
    }
}

fn known(names: &std::collections::HashMap<String, String>, name: &str, prefix: &str) -> String {
    names.get(name).cloned().unwrap_or_else(|| format!("{prefix}_{NOBODY}"))
}

pub(super) fn grant_words(grant: &Value) -> String {
    let [status, left, held] = ["status", "remaining", "held"].map(|name| grant[name].string());
    format!("{status}, {left} left, {held} held")
}

fn moved(how: &str, object: &Value) -> String {
    format!("{how} {}, available {}", object["credits"].string(), object["balance"]["available"].string())
}

fn with_held(how: &str, object: &Value) -> String {
    format!("{}, held {}", moved(how, object), object["balance"]["held"].string())
}

/// Whole credits go as a JSON integer, so that both forms are used.
fn amount(credits: Credits) -> Value {
    match credits.to_string().parse::<i64>() {
        Ok(whole) => json!(whole),
        Err(_) => json!(credits.to_string()),
    }
}
