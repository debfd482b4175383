//! What people look for: accounts by how their names begin, and how the store is.

use coffer_ledger::{Account, AccountRecord, AccountStatus, Command, Name, UpdateAccount};
use coffer_store::{NameSearch, Page, StoreKind};

use crate::commands::{account, apply, credits, grant, open};
use crate::{Fresh, STORES};

/// An account with a name.
fn named(number: u8, name: &str) -> Command {
    let Command::CreateAccount(open) = open(number) else { unreachable!("open opens") };
    let name = Name::try_from(name.to_owned()).expect("a short name");
    Command::CreateAccount(coffer_ledger::CreateAccount { name, ..open })
}

async fn found(fresh: &Fresh, search: NameSearch) -> Page<AccountRecord> {
    fresh.store.accounts_named(search).await.expect("a read")
}

async fn names(fresh: &Fresh, beginning: &str) -> Vec<String> {
    let page = found(fresh, NameSearch::new(beginning, 10)).await;
    page.items.iter().map(|record| record.profile.name.as_str().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_found_by_how_their_names_begin() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        let all = ["Acme", "acme labs", "ACME_2", "Bolt", "Ärzte", "ac", "100% legal", "小米"];
        apply(&fresh.store, 0, (1..).zip(all).map(|(number, name)| named(number, name)).collect()).await;
        // In the order of their names' bytes, where capitals of ASCII count as small letters.
        for (beginning, expected) in [
            ("acme", vec!["Acme", "acme labs", "ACME_2"]),
            ("AC", vec!["ac", "Acme", "acme labs", "ACME_2"]),
            ("acme_", vec!["ACME_2"]),
            ("%", vec![]),
            ("100%", vec!["100% legal"]),
            ("Är", vec!["Ärzte"]),
            ("är", vec![]),
            ("小", vec!["小米"]),
            ("boltx", vec![]),
        ] {
            assert_eq!(names(&fresh, beginning).await, expected, "{name} {beginning}");
        }
        assert_eq!(names(&fresh, "").await.len(), 8, "{name}: every name begins with nothing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_by_names_is_read_page_by_page() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        let all = ["One", "one", "ONE", "one more", "only"];
        apply(&fresh.store, 0, (1..).zip(all).map(|(number, name)| named(number, name)).collect()).await;
        let mut seen = Vec::new();
        let mut search = NameSearch::new("on", 2);
        loop {
            let page = found(&fresh, search.clone()).await;
            assert!(page.items.len() <= 2, "{name}");
            seen.extend(page.items.iter().map(|record| record.profile.name.as_str().to_owned()));
            let Some(last) = page.items.last().filter(|_| page.has_more) else { break };
            search = NameSearch::new("on", 2).after(last.profile.name.as_str(), last.profile.id);
        }
        // The same name in several cases is in the order of the ids.
        assert_eq!(seen, all, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_accounts_with_a_status_are_found_where_one_is_asked_for() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        let all = ["Acme", "acme labs", "ACME_2", "Acme west", "Bolt"];
        apply(&fresh.store, 0, (1..).zip(all).map(|(number, name)| named(number, name)).collect()).await;
        let freeze = |number| {
            let status = Some(AccountStatus::Frozen);
            let id = account(number);
            Command::UpdateAccount(UpdateAccount {
                id,
                name: None,
                overdraft_limit: None,
                status,
                metadata: None,
            })
        };
        apply(&fresh.store, 1, [1, 4, 5].map(freeze).to_vec()).await;
        let page = async |status, after: Option<(&str, u8)>| {
            let search = NameSearch::new("acme", 1).of_status(status);
            let search = match after {
                Some((name, number)) => search.after(name, account(number)),
                None => search,
            };
            let page = found(&fresh, search).await;
            let names: Vec<String> =
                page.items.iter().map(|record| record.profile.name.to_string()).collect();
            (names.join(", "), page.has_more)
        };
        let frozen = Some(AccountStatus::Frozen);
        assert_eq!(page(frozen, None).await, ("Acme".to_owned(), true), "{name}");
        assert_eq!(page(frozen, Some(("Acme", 1))).await, ("Acme west".to_owned(), false), "{name}");
        assert_eq!(page(Some(AccountStatus::Active), None).await, ("acme labs".to_owned(), true), "{name}");
        assert_eq!(page(Some(AccountStatus::Closed), None).await, (String::new(), false), "{name}");
        assert_eq!(page(None, None).await, ("Acme".to_owned(), true), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_is_whole() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        apply(&fresh.store, 0, vec![named(1, "Acme"), Command::Grant(grant(1, 1, 9))]).await;
        let page = found(&fresh, NameSearch::new("acme", 1)).await;
        let read = fresh.store.account(page.items[0].profile.id).await.expect("a read").expect("an account");
        assert_eq!(page.items[0].account, *read, "{name}");
        let Account { balance, lots, .. } = &page.items[0].account;
        assert_eq!((balance.available, lots.len()), (credits(9), 1), "{name}");
        assert!(!page.has_more, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_knows_how_it_is() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        apply(&fresh.store, 0, vec![open(1)]).await;
        let health = fresh.store.health().await.expect("a read");
        assert_eq!(health.last_backup, None, "{name}: nobody has backed it up");
        match health.kind {
            StoreKind::Memory => assert_eq!(health.bytes, None, "{name}"),
            StoreKind::Sqlite | StoreKind::Postgres => {
                assert!(health.bytes.is_some_and(|bytes| bytes > 4096), "{name}: {health:?}");
            }
        }
        assert_eq!(health.kind == StoreKind::Postgres, name.starts_with("postgres"), "{name}");
    }
}
