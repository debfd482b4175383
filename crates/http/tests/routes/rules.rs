//! Rules that forms break, on Chinese pages: every field of every form tells them in Chinese.

use crate::console::Desk;
use crate::portal::opened;
use crate::support::{Answer, Api};

/// What was sent wrongly in a field, and what the page says there.
type Broken<'a> = (&'a str, &'a str, &'a str);

/// Whether the page says it beside the field, and nothing there in English.
fn check(answer: &Answer, field: &str, said: &str) {
    assert_eq!(answer.status, 400, "{field}: {}", answer.text);
    let start = format!("id=\"{field}-error\">");
    let rest = answer.text.split(&start).nth(1).unwrap_or_else(|| panic!("no {start} in {}", answer.text));
    assert_eq!(rest.split('<').next(), Some(said), "{field}");
    assert!(!answer.text.contains("must "), "{}", answer.text);
}

/// The fields of a form that breaks no rule, but for one.
fn filled<'a>(good: &[(&'a str, &'a str)], field: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let others = good.iter().filter(|(name, _)| *name != field).copied();
    others.chain([(field, value), ("name_of_request", "form")]).collect()
}

async fn console(path: &str, good: &[(&str, &str)], broken: &[Broken<'_>]) {
    let api = Api::new();
    let account = api.funded("10").await;
    let desk = Desk::at(&api).await.in_chinese();
    let path = path.replace("ACCOUNT", &account);
    for (field, value, said) in broken {
        check(&desk.post(&path, &filled(good, field, value)).await, field, said);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_opened_or_changed() {
    let long = "n".repeat(256);
    let long = long.as_str();
    let broken = [
        ("name", long, "最多 255 个字符"),
        ("name", "a\tb", "不能包含控制字符"),
        ("overdraft_limit", "much", "必须是数字，例如 12.5"),
        ("overdraft_limit", "-1", "不能小于零"),
        ("overdraft_limit", "0.0000001", "小数点后最多 6 位"),
        ("overdraft_limit", "9000000000001", "必须介于 -9000000000000 与 9000000000000 之间"),
    ];
    console("/console/accounts", &[("name", "Acme")], &broken).await;
    let broken_at_first = [("name", "", "不能为空"), ("external_id", long, "最多 255 个字符")];
    console("/console/accounts", &[("name", "Acme")], &broken_at_first).await;
    let edit = [("do", "edit"), ("name", "Acme"), ("overdraft_limit", "0")];
    console("/console/accounts/ACCOUNT", &edit, &broken).await;
    let emptied = [("name", "", "不能为空"), ("overdraft_limit", "", "必须是数字，例如 12.5")];
    console("/console/accounts/ACCOUNT", &edit, &emptied).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_and_an_adjustment() {
    let grant = [("do", "grant"), ("credits", "1"), ("category", "paid")];
    let broken = [
        ("credits", "", "不能为空"),
        ("credits", "0", "必须大于零"),
        ("category", "gift", "必须是所列选项之一"),
        ("priority", "101", "必须是 0 到 100 的整数"),
        ("priority", "high", "必须是 0 到 100 的整数"),
        ("effective_at", "soon", "必须是 1970 年至 9999 年之间的时间"),
        ("reference", "a\tb", "不能包含控制字符"),
    ];
    console("/console/accounts/ACCOUNT", &grant, &broken).await;
    let adjustment = [("do", "adjust"), ("credits", "1"), ("reason", "mistake")];
    let broken = [("credits", "0", "不能为零"), ("reason", "", "不能为空")];
    console("/console/accounts/ACCOUNT", &adjustment, &broken).await;
    let times =
        [("do", "grant"), ("credits", "1"), ("category", "paid"), ("effective_at", "2999-01-01T00:00")];
    let broken = [("expires_at", "2998-01-01T00:00", "过期时间必须晚于生效时间")];
    console("/console/accounts/ACCOUNT", &times, &broken).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_and_an_operators_key() {
    let price = [("do", "set"), ("operation", "upscale"), ("credits_per_unit", "1")];
    let broken = [
        ("operation", "", "不能为空"),
        ("credits_per_unit", "", "不能为空"),
        ("credits_per_unit", "-1", "必须是不小于零的数字，例如 0.0025"),
        ("credits_per_unit", "0.0000000000001", "小数点后最多 12 位"),
        ("credits_per_unit", "9000000000001", "必须介于 0 与 9000000000000 之间"),
        ("unit", "a\tb", "不能包含控制字符"),
        ("description", "a\tb", "不能包含控制字符"),
    ];
    console("/console/prices", &price, &broken).await;
    let key = [("do", "create"), ("scopes", "read")];
    console("/console/operator-keys", &key, &[("name", "", "不能为空")]).await;
    let scopeless = [("do", "create"), ("name", "reporting")];
    let api = Api::new();
    let answer = Desk::at(&api).await.in_chinese().post("/console/operator-keys", &scopeless).await;
    check(&answer, "scopes", "至少选择一项权限");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_key() {
    let api = Api::new();
    let account = api.funded("10").await;
    let browser = opened(&api, &account).await.in_chinese();
    let good = [("do", "create"), ("name", "mine"), ("limit", "1"), ("period", "day")];
    for (field, value, said) in [
        ("name", "", "不能为空"),
        ("limit", "-1", "不能小于零"),
        ("limit", "much", "必须是数字，例如 12.5"),
        ("period", "hour", "必须是所列选项之一"),
        ("expires_at", "soon", "必须是 1970 年至 9999 年之间的时间"),
    ] {
        check(&browser.post("/portal", &filled(&good, field, value)).await, field, said);
    }
    let past = browser.post("/portal", &filled(&good, "expires_at", "2001-01-01")).await;
    assert!(past.text.contains("id=\"expires_at-error\">过期时间必须晚于当前时间"), "{}", past.text);
}
