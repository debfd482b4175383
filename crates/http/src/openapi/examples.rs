//! Examples of what the main calls are told and answer. They are one story: Acme buys 1234 credits, and spends some.

use serde_json::{Value, json};

const ACCOUNT: &str = "acc_01jd7z4r5efkyv3q8x9w2m6n0p";
const KEY: &str = "key_01jd7z52v8e1r9c4t6q0b3hm7n";
const GRANT: &str = "grt_01jd7z5t4nfgx8k2m9s3v7wc0d";
const CHARGE: &str = "chg_01jd7z6h2bev5r7n0q4x8ya1kp";
const HOLD: &str = "hld_01jd7z77a9emt3w6c2h5j8v0rs";
const SECRET: &str = "cof_live_ExampleExampleExampleExampleExampleExampleEx7Qa1";
const CREATED_AT: &str = "2026-11-22T13:00:00.000Z";
const SPENT_AT: &str = "2026-11-22T13:05:12.480Z";
const EXPIRES_AT: &str = "2027-11-22T13:00:00.000Z";

/// What an operation may be told: a title and the body.
pub(super) fn requests(operation: &str) -> Vec<(&'static str, Value)> {
    match operation {
        "create_account" => vec![(
            "an account",
            json!({ "name": "Acme", "external_id": "customer-42", "metadata": { "plan": "pro" } }),
        )],
        "update_account" => vec![
            ("freeze it", json!({ "status": "frozen" })),
            ("let it go into debt", json!({ "overdraft_limit": "100" })),
        ],
        "erase_texts" => vec![("everything until a day", json!({ "until": "2026-11-22T00:00:00Z" }))],
        "create_grant" => vec![
            ("paid for", json!({ "credits": "1234", "reference": "invoice 2026-0042" })),
            (
                "a gift that burns first",
                json!({ "credits": "50", "category": "promotional", "priority": 10, "expires_at": "2099-01-01T00:00:00Z" }),
            ),
        ],
        "create_adjustment" => {
            vec![("take some back", json!({ "credits": "-2.5", "reason": "double billing of May" }))]
        }
        "create_charge" => vec![
            (
                "an operation, with the customer's key",
                json!({ "api_key": SECRET, "operation": "remove-watermark" }),
            ),
            (
                "credits of an account",
                json!({ "account_id": ACCOUNT, "credits": "2.5", "reference": "job 7" }),
            ),
            (
                "a quantity of an operation",
                json!({ "account_id": ACCOUNT, "operation": "remove-watermark", "quantity": 3 }),
            ),
        ],
        "refund_charge" => vec![("a part", json!({ "credits": "0.5" })), ("all that is left", json!({}))],
        "create_hold" => vec![(
            "credits for ten minutes",
            json!({ "account_id": ACCOUNT, "credits": "5", "expires_in": 600 }),
        )],
        "capture_hold" => vec![
            ("all of it", json!({})),
            ("a part, and the hold stays open", json!({ "credits": "2", "final": false })),
        ],
        "batch" => vec![(
            "a grant and a charge",
            json!({ "operations": [
                { "idempotency_key": "invoice-42", "type": "grant", "account_id": ACCOUNT, "credits": "100" },
                { "idempotency_key": "job-8", "type": "charge", "account_id": ACCOUNT, "credits": "1" },
            ] }),
        )],
        "create_key" => vec![
            ("as much as the account has", json!({ "name": "production" })),
            (
                "at most 100 credits a day",
                json!({ "name": "trial", "limit": { "credits": "100", "period": "day" } }),
            ),
        ],
        "import_key" => vec![(
            "a key from another system",
            json!({ "name": "from the old system", "secret": "8f14e45f-ceea-467f-a0e6-1d9b2c7f3a55" }),
        )],
        "update_key" => vec![
            ("switch it off", json!({ "disabled": true })),
            ("take its limit away", json!({ "limit": null })),
        ],
        "rotate_key" => vec![("the old secret lives on for a day", json!({ "overlap_seconds": 86_400 }))],
        "verify_key" => {
            vec![("may it pay for this?", json!({ "api_key": SECRET, "operation": "remove-watermark" }))]
        }
        "put_price" => vec![("a price", json!({ "credits_per_unit": "0.25", "unit": "image" }))],
        "create_operator_key" => {
            vec![("a key that charges alone", json!({ "name": "image service", "scopes": ["charge"] }))]
        }
        _ => Vec::new(),
    }
}

/// What an operation may answer.
pub(super) fn answer(operation: &str, media_type: &str) -> Option<Value> {
    match media_type {
        "application/json" => answer_in_json(operation),
        "application/x-ndjson" => Some(format!("{}\n", entry()).into()),
        "text/plain" => Some(if operation == "readyz" { "ready\n" } else { "ok\n" }.into()),
        _ => None,
    }
}

fn answer_in_json(operation: &str) -> Option<Value> {
    Some(match operation {
        "create_account" | "show_account" | "update_account" => account(),
        "list_accounts" => page(&account()),
        "erase_texts" => json!({ "account_id": ACCOUNT, "until": CREATED_AT, "entries": 17 }),
        "show_balance" | "my_balance" => json!({
            "account_id": ACCOUNT,
            "available": "1231.5",
            "held": "0",
            "posted": "1231.5",
            "overdraft_limit": "0",
            "next_expiry": { "at": EXPIRES_AT, "credits": "1231.5" },
            "grants": [{
                "id": GRANT, "remaining": "1231.5", "held": "0", "category": "paid", "priority": 50,
                "expires_at": EXPIRES_AT,
            }],
            "seq": 2,
            "at": SPENT_AT,
        }),
        "list_entries" | "my_entries" => page(&entry()),
        "show_usage" => json!({
            "account_id": ACCOUNT, "by": "day", "from": null, "to": null,
            "data": [{ "day": "2026-11-22", "credits": "2", "charged": "2.5", "refunded": "0.5", "charges": 1 }],
        }),
        "create_grant" | "show_grant" => grant(),
        "list_grants" => page(&grant()),
        "create_adjustment" => json!({
            "id": "adj_01jd7z8m6ye9sb4v1k7t3c5qxw", "account_id": ACCOUNT, "credits": "-2.5",
            "reason": "double billing of May", "created_at": SPENT_AT, "balance": balance("1231.5", "0"),
        }),
        "create_charge" | "show_charge" => charge(),
        "list_charges" => page(&charge()),
        "refund_charge" => json!({
            "id": "rfd_01jd7z9c1df6xm8r5h2w0n4b7y", "charge_id": CHARGE, "account_id": ACCOUNT, "credits": "0.5",
            "created_at": SPENT_AT, "balance": balance("1232", "0"),
        }),
        "create_hold" | "show_hold" => hold(),
        "list_holds" => page(&hold()),
        "batch" => json!({ "results": [{ "status": 201, "body": charge(), "replayed": false }] }),
        "create_key" => key(Some(SECRET)),
        "show_key" | "update_key" => key(None),
        "list_keys" => page(&key(None)),
        "verify_key" => json!({
            "valid": true, "account_id": ACCOUNT, "key_id": KEY, "would_charge": "0.25", "allowed": true,
            "available": "1231.5",
        }),
        "put_price" => price(),
        "list_prices" => page(&price()),
        "create_operator_key" => json!({
            "id": "opk_01jd7za5r0e3gk9v7m1x4s8hct", "name": "image service",
            "secret": "cof_operator_ExampleExampleExampleExampleExampleExampleExk3Zs", "hint": "cof_operator_…k3Zs",
            "status": "active", "scopes": ["charge"], "created_at": CREATED_AT,
        }),
        _ => return None,
    })
}

fn page(item: &Value) -> Value {
    json!({ "data": [item], "has_more": false, "next_cursor": null })
}

fn balance(available: &str, held: &str) -> Value {
    json!({ "available": available, "held": held })
}

fn account() -> Value {
    json!({
        "id": ACCOUNT, "name": "Acme", "external_id": "customer-42", "status": "active", "overdraft_limit": "0",
        "metadata": { "plan": "pro" }, "created_at": CREATED_AT, "balance": balance("0", "0"),
    })
}

fn grant() -> Value {
    json!({
        "id": GRANT, "account_id": ACCOUNT, "credits": "1234", "remaining": "1234", "held": "0", "category": "paid",
        "priority": 50, "effective_at": CREATED_AT, "expires_at": null, "status": "active",
        "reference": "invoice 2026-0042", "metadata": {}, "created_at": CREATED_AT,
    })
}

fn charge() -> Value {
    json!({
        "id": CHARGE, "account_id": ACCOUNT, "key_id": null, "hold_id": null, "operation": null, "quantity": null,
        "credits": "2.5", "refunded": "0", "reference": "job 7", "metadata": {}, "created_at": SPENT_AT,
        "balance": balance("1231.5", "0"),
    })
}

fn hold() -> Value {
    json!({
        "id": HOLD, "account_id": ACCOUNT, "key_id": null, "operation": null, "quantity": null, "credits": "5",
        "captured": "0", "status": "open", "expires_at": "2026-11-22T13:15:12.480Z", "reference": null,
        "metadata": {}, "created_at": SPENT_AT, "balance": balance("1226.5", "5"),
    })
}

fn key(secret: Option<&str>) -> Value {
    let mut key = json!({
        "id": KEY, "account_id": ACCOUNT, "name": "production", "hint": "cof_live_…7Qa1", "status": "active",
        "expires_at": null, "limit": null, "spent": "0", "metadata": {}, "created_at": CREATED_AT,
        "last_used_at": null,
    });
    if let Some(secret) = secret {
        key["secret"] = secret.into();
    }
    key
}

fn price() -> Value {
    json!({
        "operation": "remove-watermark", "credits_per_unit": "0.25", "unit": "image", "description": null,
        "updated_at": CREATED_AT,
    })
}

fn entry() -> Value {
    json!({
        "seq": 2, "kind": "charge", "credits": "-2.5", "held_credits": "0", "available_after": "1231.5",
        "held_after": "0", "lots": [{ "grant_id": GRANT, "credits": "-2.5" }], "charge_id": CHARGE,
        "reference": "job 7", "salt": "6d1f0a3c5be24d7799a1c0de42f6b815",
        "reference_digest": "2c624232cdd221771294dfbb310aca000a0df6ac8b66b696d90ef06fdefb64a3",
        "at": SPENT_AT, "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    })
}
