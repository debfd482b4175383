//! What moves credits: grants and charges.

use super::desk::{Desk, text};

#[tokio::test]
async fn credits_are_given_and_spent() {
    let desk = Desk::open();
    let account = desk.account();
    let grant = ["grant", "--account", &account, "--credits", "10.25", "--category", "promotional"];
    let granted = desk.json(&[&grant[..], &["--priority", "7", "--reference", "invoice 1"]].concat());
    let (grant_id, category) = (text(&granted, "id"), text(&granted, "category"));
    assert_eq!((granted["priority"].as_u64(), category.as_str()), (Some(7), "promotional"));

    let charge = ["charge", "--account", &account, "--credits", "0.25", "--reference", "order 1"];
    let charged = desk.json(&[&charge[..], &["--metadata", "image=42.png"]].concat());
    let path = format!("/v1/charges/{}", text(&charged, "id"));
    assert_eq!(charged, desk.server.api.get(&path).await.json());
    assert_eq!((&charged["reference"], &charged["metadata"]["image"]), (&"order 1".into(), &"42.png".into()));
    assert_eq!(charged["balance"]["available"], "10");

    let balance = desk.json(&["balance", "--account", &account]);
    assert_eq!(balance["available"], "10");
    let table = desk.done(&["balance", "--account", &account]);
    assert!(table.contains("10") && table.contains(&grant_id), "{table}");
}
