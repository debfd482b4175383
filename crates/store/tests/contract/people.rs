//! Sessions, and the audit log.

use std::sync::Arc;

use coffer_ledger::limits::{LINK_MS_DEFAULT, PORTAL_IDLE_MS_MAX, SESSIONS_OF_ONE_MAX};
use coffer_ledger::{
    AccountStatus, ActionId, ActionKind, Actor, Audited, Bucket, Channel, Client, Command, CreateOperatorKey,
    EndSession, EndSessions, Hint, KeyId, Name, OfferSession, OpenSession, OperatorKeyId, Outcome, Refusal,
    ReturnUrl, RevokeKey, RevokeOperatorKey, Scopes, SecretHash, Session, SessionId, SessionOf, SessionStage,
    SignIn, UpdateAccount, UseSession,
};
use coffer_store::{ActionFilter, Span, Store};

use crate::commands::{account, apply, at, charge, grant, id, key, open, price};
use crate::{STORES, history};

const ALL: Span = Span { before: None, count_max: 100 };

pub(crate) fn session(number: u8) -> SessionId {
    SessionId::from_bytes(id(number))
}

/// The hash of the token of a link.
fn link(number: u8) -> SecretHash {
    SecretHash::from_bytes([number; 32])
}

/// The hash of the token of an open session.
fn token(number: u8) -> SecretHash {
    SecretHash::from_bytes([number + 100; 32])
}

pub(crate) fn offer(number: u8, of: u8) -> Command {
    Command::OfferSession(OfferSession {
        id: session(number),
        account_id: account(of),
        secret: link(number),
        expires_in_ms: LINK_MS_DEFAULT,
        return_url: Some(ReturnUrl::try_from("https://example.com/back".to_owned()).expect("an address")),
    })
}

fn open_by(number: u8, of: u8, offered: SecretHash) -> Command {
    Command::OpenSession(OpenSession {
        id: session(number),
        account_id: account(of),
        offered,
        secret: token(number),
        client: Client::cut("a browser"),
    })
}

fn sign_in(number: u8, of: SessionOf) -> Command {
    Command::SignIn(SignIn { id: session(number), of, secret: token(number), client: None })
}

fn operator_key(number: u8) -> Command {
    Command::CreateOperatorKey(CreateOperatorKey {
        id: OperatorKeyId::from_bytes(id(number)),
        name: Name::try_from(format!("operator {number}")).expect("short"),
        secret: SecretHash::from_bytes([255 - number; 32]),
        hint: Hint::try_from("…abcd".to_owned()).expect("short"),
        scopes: Scopes::ALL,
    })
}

fn of_key(number: u8) -> SessionOf {
    SessionOf::OperatorKey(OperatorKeyId::from_bytes(id(number)))
}

/// A command as the action of an operator's key.
pub(crate) fn by(number: u8, key: u8, command: Command) -> Command {
    let actor = Actor::OperatorKey(OperatorKeyId::from_bytes(id(key)));
    let id = ActionId::from_bytes(id(number));
    Command::Audited(Box::new(Audited { id, actor, channel: Channel::Api, command }))
}

async fn read(store: &Arc<dyn Store>, number: u8) -> Option<Session> {
    store.session(session(number)).await.expect("a read")
}

/// A bit of everything, on accounts and on none.
pub(crate) async fn make(store: &Arc<dyn Store>, second: i64) {
    let commands = [
        operator_key(90),
        by(90, 90, price(90, "sharpen", "2")),
        by(91, 90, sign_in(91, of_key(90))),
        sign_in(92, SessionOf::ConfiguredKey(SecretHash::from_bytes([7; 32]))),
    ];
    apply(store, second, commands.to_vec()).await;
    for (place, of) in history::ACCOUNTS.into_iter().enumerate() {
        let number = u8::try_from(place).expect("few") + 100;
        let bucket = history::account(of).bucket();
        let in_bucket = |number: u8| {
            let mut bytes = id(number);
            bytes[15] = bucket.0;
            bytes
        };
        let offer = OfferSession {
            id: SessionId::from_bytes(in_bucket(number)),
            account_id: history::account(of),
            secret: link(number),
            expires_in_ms: LINK_MS_DEFAULT,
            return_url: None,
        };
        let id = ActionId::from_bytes(in_bucket(number));
        let (actor, channel) = (Actor::ConfiguredKey, Channel::Console);
        let command = Command::OfferSession(offer);
        apply(store, second, vec![Command::Audited(Box::new(Audited { id, actor, channel, command }))]).await;
    }
    assert!(!store.actions(ActionFilter::default(), ALL).await.expect("a read").items.is_empty());
}

fn unknown() -> Outcome {
    Outcome::Refused(Refusal::SessionIsUnknown)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_works_once() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        let store = &fresh.store;
        apply(store, 0, vec![open(1), open(2), offer(1, 1)]).await;
        let offered = read(store, 1).await.expect("a link");
        assert_eq!(
            (offered.stage, offered.of),
            (SessionStage::Offered, SessionOf::Account(account(1))),
            "{name}"
        );
        assert!(!offered.admits(&link(1), at(0)), "{name}: a link is no session");

        let wrong = apply(store, 1, vec![open_by(1, 1, link(2)), open_by(1, 2, link(1))]).await;
        assert_eq!(wrong, [unknown(), unknown()], "{name}: another token, another account");
        let twice = apply(store, 2, vec![open_by(1, 1, link(1)), open_by(1, 1, link(1))]).await;
        assert!(matches!(twice[0], Outcome::SessionOpened(_)), "{name}: {twice:?}");
        assert_eq!(twice[1], unknown(), "{name}");
        let opened = read(store, 1).await.expect("a session");
        assert!(opened.admits(&token(1), at(2)) && !opened.admits(&link(1), at(2)), "{name}");
        assert_eq!(
            opened.return_url.as_ref().map(ReturnUrl::as_str),
            Some("https://example.com/back"),
            "{name}"
        );
        assert_eq!(opened.client, Client::cut("a browser"), "{name}");
        assert_eq!(apply(store, 3, vec![open_by(1, 1, link(1))]).await, [unknown()], "{name}");

        // What nobody has opened lapses, and leaves with the next.
        apply(store, 4, vec![offer(2, 1)]).await;
        let late = 4 + i64::from(LINK_MS_DEFAULT / 1000);
        assert_eq!(apply(store, late, vec![open_by(2, 1, link(2))]).await, [unknown()], "{name}");
        apply(store, late, vec![offer(3, 1)]).await;
        assert_eq!(read(store, 2).await, None, "{name}");
        assert!(read(store, 3).await.is_some(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_lapses_unless_it_is_used() {
    let idle = i64::from(PORTAL_IDLE_MS_MAX / 1000);
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        let store = &fresh.store;
        apply(store, 0, vec![open(1), offer(1, 1), open_by(1, 1, link(1))]).await;
        let used = |number, of| Command::UseSession(UseSession { id: session(number), of });
        let of = SessionOf::Account(account(1));
        let others = vec![used(2, of), used(1, SessionOf::Account(account(2)))];
        assert_eq!(apply(store, idle - 1, others).await, [unknown(), unknown()], "{name}");
        assert_eq!(apply(store, idle - 1, vec![used(1, of)]).await, [Outcome::SessionUsed], "{name}");
        assert!(read(store, 1).await.expect("a session").admits(&token(1), at(idle)), "{name}");
        let lapsed = 2 * idle - 1;
        assert!(!read(store, 1).await.expect("a session").admits(&token(1), at(lapsed)), "{name}");
        assert_eq!(apply(store, lapsed, vec![used(1, of)]).await, [unknown()], "{name}: it stays so");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_ended_one_by_one_and_all_at_once() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        let store = &fresh.store;
        let of = SessionOf::Account(account(1));
        let links = (1..=4).map(|number| offer(number, 1));
        apply(store, 0, [vec![open(1), open(2), offer(9, 2)], links.collect()].concat()).await;
        let end = |number, of| Command::EndSession(EndSession { id: session(number), of });
        let ended = apply(store, 1, vec![end(1, of), end(1, of), end(9, of)]).await;
        let count = |count| Outcome::SessionsEnded { of, count };
        assert_eq!(ended, [count(1), count(0), count(0)], "{name}: what is another's stays");
        let all = Command::EndSessions(EndSessions { of });
        assert_eq!(apply(store, 2, vec![all.clone(), all]).await, [count(3), count(0)], "{name}");
        assert_eq!(store.sessions_of(of).await.expect("a read"), [], "{name}");
        assert!(read(store, 9).await.is_some(), "{name}");

        let close = UpdateAccount {
            id: account(1),
            name: None,
            overdraft_limit: None,
            status: Some(AccountStatus::Closed),
            metadata: None,
        };
        apply(store, 3, vec![offer(7, 1)]).await;
        assert!(read(store, 7).await.is_some(), "{name}");
        apply(store, 3, vec![Command::UpdateAccount(close)]).await;
        assert_eq!(read(store, 7).await, None, "{name}: a closed account lets nobody in");
        let refused = apply(store, 4, vec![offer(5, 1), offer(6, 3)]).await;
        let reasons = [Refusal::AccountIsClosed, Refusal::AccountIsUnknown].map(Outcome::Refused);
        assert_eq!(refused, reasons, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_session_makes_room_for_one_too_many() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        let store = &fresh.store;
        let count = u8::try_from(SESSIONS_OF_ONE_MAX).expect("few");
        let links = (1..=count + 1).map(|number| offer(number, 1));
        apply(store, 0, [vec![open(1)], links.collect()].concat()).await;
        let left = store.sessions_of(SessionOf::Account(account(1))).await.expect("a read");
        assert_eq!(left.len(), SESSIONS_OF_ONE_MAX, "{name}");
        assert_eq!(left[0].id, session(count + 1), "{name}: newest first");
        assert_eq!(read(store, 1).await, None, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_nobody_opened_makes_room_before_a_session_does() {
    let most = u8::try_from(SESSIONS_OF_ONE_MAX).expect("few");
    // So many are open, all older than so many links: how many of each are left.
    let rows = [(1, most + 30, 1, most - 1), (most - 1, 2, most - 1, 1), (most, 5, most - 1, 1)];
    for (name, fresh) in STORES {
        for (open_count, link_count, open_left, links_left) in rows {
            let fresh = fresh().await;
            let store = &fresh.store;
            let sessions =
                (1..=open_count).flat_map(|number| [offer(number, 1), open_by(number, 1, link(number))]);
            let links = (open_count + 1..=open_count + link_count).map(|number| offer(number, 1));
            apply(store, 0, [vec![open(1)], sessions.collect(), links.collect()].concat()).await;
            let left = store.sessions_of(SessionOf::Account(account(1))).await.expect("a read");
            let of_stage = |stage| left.iter().filter(|session| session.stage == stage).count();
            let found = (of_stage(SessionStage::Open), of_stage(SessionStage::Offered));
            let expected = (usize::from(open_left), usize::from(links_left));
            assert_eq!(found, expected, "{name}: {open_count} open, {link_count} links");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_are_let_in_with_their_keys() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        let store = &fresh.store;
        let configured = SessionOf::ConfiguredKey(SecretHash::from_bytes([7; 32]));
        let commands = vec![
            open(1),
            offer(9, 1),
            operator_key(1),
            operator_key(2),
            sign_in(1, of_key(1)),
            sign_in(2, of_key(2)),
            sign_in(3, configured),
            sign_in(4, of_key(3)),
        ];
        let outcomes = apply(store, 0, commands).await;
        assert_eq!(outcomes[7], Outcome::Refused(Refusal::OperatorKeyIsUnknown), "{name}");
        let page = async |before, count_max| {
            let page = store.operator_sessions(Span { before, count_max }).await.expect("a read");
            (page.items.iter().map(|session| session.id.bytes()[7]).collect::<Vec<_>>(), page.has_more)
        };
        assert_eq!(page(None, 2).await, (vec![3, 2], true), "{name}: a customer's is not among them");
        assert_eq!(page(Some(id(2)), 2).await, (vec![1], false), "{name}");
        assert_eq!(read(store, 3).await.map(|session| session.of), Some(configured), "{name}");

        let revoke = RevokeOperatorKey { id: OperatorKeyId::from_bytes(id(2)), other_is_live: false };
        apply(store, 1, vec![Command::RevokeOperatorKey(revoke)]).await;
        assert_eq!(page(None, 9).await, (vec![3, 1], false), "{name}: a revoked key lets nobody in");
        let again = apply(store, 2, vec![sign_in(5, of_key(2))]).await;
        assert_eq!(again, [Outcome::Refused(Refusal::OperatorKeyIsUnknown)], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_keys_are_read_one_by_one_and_page_by_page() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        let store = &fresh.store;
        apply(store, 0, (1..=4).map(operator_key).collect()).await;
        let page = async |before, count_max| {
            let page = store.operator_keys(Span { before, count_max }).await.expect("a read");
            (page.items.iter().map(|key| key.id.bytes()[7]).collect::<Vec<_>>(), page.has_more)
        };
        assert_eq!(page(None, 2).await, (vec![4, 3], true), "{name}");
        assert_eq!(page(Some(id(3)), 2).await, (vec![2, 1], false), "{name}");
        assert_eq!(page(Some(id(1)), 2).await, (vec![], false), "{name}");
        let one = async |number| {
            let id = OperatorKeyId::from_bytes(id(number));
            let key = store.operator_key_record(id).await.expect("a read");
            key.map(|key| (key.name.to_string(), key.revoked_at))
        };
        assert_eq!(one(2).await, Some(("operator 2".to_owned(), None)), "{name}");
        assert_eq!(one(9).await, None, "{name}");
        let revoke = RevokeOperatorKey { id: OperatorKeyId::from_bytes(id(2)), other_is_live: false };
        apply(store, 1, vec![Command::RevokeOperatorKey(revoke)]).await;
        assert_eq!(one(2).await, Some(("operator 2".to_owned(), Some(at(1)))), "{name}: dead ones as well");
        assert_eq!(page(None, 9).await, (vec![4, 3, 2, 1], false), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_does_leaves_a_row() {
    for (name, fresh) in STORES {
        let fresh = fresh().await;
        let store = &fresh.store;
        let fund = Command::Grant(grant(1, 1, 500));
        let first = vec![
            by(1, 1, open(1)),
            by(2, 1, open(2)),
            by(3, 2, fund.clone()),
            by(4, 2, fund),
            by(5, 1, Command::CreateKey(key(1, 2))),
            by(6, 1, charge(2, 2, 5)),
            charge(3, 1, 5),
            by(7, 1, price(1, "upscale", "2")),
            by(8, 1, offer(1, 1)),
        ];
        apply(store, 0, first).await;
        let revoke = Command::RevokeKey(RevokeKey { id: KeyId::from_bytes(id(1)) });
        apply(store, 1, vec![by(9, 2, revoke.clone()), by(10, 2, revoke)]).await;

        let told = async |filter: ActionFilter, before, count_max| {
            let page = store.actions(filter, Span { before, count_max }).await.expect("a read");
            (page.items.iter().map(|action| action.id.bytes()[7]).collect::<Vec<_>>(), page.has_more)
        };
        let any = ActionFilter::default();
        // Nothing tells of a replay, of what was refused, of what changed nothing, or of what a machine did.
        assert_eq!(told(any, None, 3).await, (vec![9, 8, 7], true), "{name}");
        assert_eq!(told(any, Some(id(7)), 9).await, (vec![5, 3, 2, 1], false), "{name}");
        let on = |number| ActionFilter { account_id: Some(account(number)), ..any };
        let with = |filter, key| ActionFilter {
            operator_key_id: Some(OperatorKeyId::from_bytes(id(key))),
            ..filter
        };
        assert_eq!(told(on(1), None, 9).await, (vec![8, 3, 1], false), "{name}");
        assert_eq!(told(with(any, 2), None, 9).await, (vec![9, 3], false), "{name}");
        assert_eq!(told(with(on(1), 2), None, 9).await, (vec![3], false), "{name}");

        let all = store.actions(any, ALL).await.expect("a read").items;
        let action = |number| all.iter().find(|action| action.id.bytes()[7] == number).expect("an action");
        let granted = action(3);
        assert_eq!(
            (granted.kind, granted.at, granted.channel),
            (ActionKind::Granted, at(0), Channel::Api),
            "{name}"
        );
        assert_eq!(granted.credits.map(|credits| credits.to_string()).as_deref(), Some("500"), "{name}");
        let texts = |number| {
            let action = action(number);
            let detail = action.detail.as_ref().map(ToString::to_string);
            (action.kind, action.subject.as_ref().map(ToString::to_string), detail)
        };
        let key_id = KeyId::from_bytes(id(1)).to_string();
        let named = Some("key 1 (…abcd)".to_owned());
        assert_eq!(texts(5), (ActionKind::KeyCreated, Some(key_id.clone()), named.clone()), "{name}");
        assert_eq!(texts(9), (ActionKind::KeyRevoked, Some(key_id), named), "{name}");
        assert_eq!(
            texts(7),
            (ActionKind::PricePut, Some("upscale".to_owned()), Some("2".to_owned())),
            "{name}"
        );
        assert_eq!(action(7).account_id, None, "{name}");
        assert_eq!(session(1).bucket(), Bucket(0), "{name}: the ids of this suite are of one bucket");
    }
}
