//! Actions: what operators have done, and customers on their own page, for whoever asks later.
//!
//! A command that is somebody's action comes as [`Audited`](crate::Audited), and leaves one row in the same commit. What
//! machines do all day (charges, holds, captures, releases, and refunds by the API) comes bare and leaves none: the entries
//! tell of it. Free text that may be erased never gets in here.

use std::fmt;

use crate::{
    AccountId, AccountRecord, AccountStatus, ActionId, Command, Credits, Detail, Grant, KeyRecord,
    OperatorKey, OperatorKeyId, Outcome, Price, Scope, Session, SessionOf, Subject, Timestamp, UpdateAccount,
    UpdateKey,
};

/// Who acted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Actor {
    /// An operator, with a key that the ledger keeps.
    OperatorKey(OperatorKeyId),
    /// An operator, with the key that was given by configuration.
    ConfiguredKey,
    /// The customer, on the account's own page.
    Customer,
}

/// By which way.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Channel {
    /// The operator API.
    Api,
    /// The operator's console.
    Console,
    /// The customer's page.
    Portal,
}

macro_rules! kinds {
    ($($name:ident $text:literal $doc:literal,)*) => {
        /// What was done.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum ActionKind {
            $(#[doc = $doc] $name,)*
        }

        impl ActionKind {
            /// Every kind.
            pub const ALL: &'static [ActionKind] = &[$(ActionKind::$name),*];

            /// The word for it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(ActionKind::$name => $text,)*
                }
            }
        }
    };
}

kinds! {
    AccountCreated "account_created" "An account was opened.",
    AccountUpdated "account_updated" "An account was changed.",
    AccountFrozen "account_frozen" "An account was frozen.",
    AccountActivated "account_activated" "An account may be used again.",
    AccountClosed "account_closed" "An account was closed.",
    Granted "granted" "Credits were granted.",
    GrantVoided "grant_voided" "What was left of a grant was taken back.",
    Adjusted "adjusted" "A balance was corrected.",
    Charged "charged" "Credits were charged by hand.",
    Refunded "refunded" "Credits of a charge were given back by hand.",
    Held "held" "Credits were reserved by hand.",
    Captured "captured" "Reserved credits were spent by hand.",
    Released "released" "Reserved credits were given back by hand.",
    TextsErased "texts_erased" "Free text of entries was erased.",
    KeyCreated "key_created" "A customer's key was made.",
    KeyUpdated "key_updated" "A customer's key was changed.",
    KeyRotated "key_rotated" "A customer's key was given another secret.",
    KeyRevoked "key_revoked" "A customer's key was killed.",
    PricePut "price_put" "A price was set.",
    PriceDeleted "price_deleted" "A price was taken away.",
    OperatorKeyCreated "operator_key_created" "An operator's key was made.",
    OperatorKeyRevoked "operator_key_revoked" "An operator's key was killed.",
    PortalLinkMade "portal_link_made" "A link to an account's page was made.",
    PortalOpened "portal_opened" "Such a link was opened.",
    SignedIn "signed_in" "An operator signed in.",
    SessionsEnded "sessions_ended" "Sessions were ended.",
}

impl fmt::Display for ActionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something that somebody did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Action {
    /// Its id, in the bucket of what was done; sorts by time.
    pub id: ActionId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// By which way.
    pub channel: Channel,
    /// What.
    pub kind: ActionKind,
    /// On which account.
    pub account_id: Option<AccountId>,
    /// On what: an id, or the name of an operation.
    pub subject: Option<Subject>,
    /// How many credits moved, or were set.
    pub credits: Option<Credits>,
    /// More about it, in a few words.
    pub detail: Option<Detail>,
}

/// What an outcome tells of an action.
struct Told {
    kind: ActionKind,
    account_id: Option<AccountId>,
    subject: Option<String>,
    credits: Option<Credits>,
    detail: Option<String>,
}

impl Told {
    fn of(kind: ActionKind) -> Told {
        Told { kind, account_id: None, subject: None, credits: None, detail: None }
    }

    fn on(self, account_id: AccountId) -> Told {
        Told { account_id: Some(account_id), ..self }
    }

    fn subject(self, subject: impl fmt::Display) -> Told {
        Told { subject: Some(subject.to_string()), ..self }
    }

    fn credits(self, credits: Credits) -> Told {
        Told { credits: Some(credits), ..self }
    }

    fn detail(self, detail: impl Into<String>) -> Told {
        Told { detail: Some(detail.into()), ..self }
    }
}

/// The action that a command was, by what came of it. `None` where nothing was done.
pub(crate) fn told(
    id: ActionId,
    at: Timestamp,
    (actor, channel): (Actor, Channel),
    command: &Command,
    outcome: &Outcome,
) -> Option<Action> {
    let Told { kind, account_id, subject, credits, detail } = telling(command, outcome)?;
    Some(Action {
        id,
        at,
        actor,
        channel,
        kind,
        account_id,
        subject: subject.map(|text| Subject::cut(&text)),
        credits,
        detail: detail.filter(|text| !text.is_empty()).map(|text| Detail::cut(&text)),
    })
}

fn telling(command: &Command, outcome: &Outcome) -> Option<Told> {
    Some(match outcome {
        Outcome::AccountCreated(record) => of_account(ActionKind::AccountCreated, record),
        Outcome::AccountUpdated(record) => account_updated(command, record),
        Outcome::Granted(grant) => of_grant(ActionKind::Granted, grant).credits(grant.lot.granted),
        Outcome::GrantVoided(grant) => of_grant(ActionKind::GrantVoided, grant),
        Outcome::Adjusted(adjustment) => Told::of(ActionKind::Adjusted)
            .on(adjustment.account_id)
            .subject(adjustment.id)
            .credits(adjustment.credits),
        Outcome::Charged(charge) => {
            Told::of(ActionKind::Charged).on(charge.account_id).subject(charge.id).credits(charge.credits)
        }
        Outcome::Refunded(refund) => Told::of(ActionKind::Refunded)
            .on(refund.account_id)
            .subject(refund.charge_id)
            .credits(refund.credits),
        Outcome::Held(record) => {
            let hold = &record.hold;
            Told::of(ActionKind::Held).on(hold.account_id).subject(hold.id).credits(hold.credits)
        }
        Outcome::Captured(charge) => {
            Told::of(ActionKind::Captured).on(charge.account_id).subject(charge.id).credits(charge.credits)
        }
        Outcome::Released(record) => {
            Told::of(ActionKind::Released).on(record.hold.account_id).subject(record.hold.id)
        }
        Outcome::TextsErased => {
            let Command::EraseTexts(erase) = command else { return None };
            let through = format!("{}–{}", erase.from.0, erase.through.0);
            Told::of(ActionKind::TextsErased).on(erase.account_id).detail(through)
        }
        Outcome::KeyCreated(record) => of_key(ActionKind::KeyCreated, record),
        Outcome::KeyUpdated(record) => {
            let told = of_key(ActionKind::KeyUpdated, record);
            if let Command::UpdateKey(update) = command { told.detail(key_changes(update)) } else { told }
        }
        Outcome::KeyRotated(record) => of_key(ActionKind::KeyRotated, record),
        Outcome::KeyRevoked(record) => of_key(ActionKind::KeyRevoked, record),
        Outcome::PricePut(price) => of_price(price),
        Outcome::PriceDeleted => {
            let Command::DeletePrice(delete) = command else { return None };
            Told::of(ActionKind::PriceDeleted).subject(&delete.operation)
        }
        Outcome::OperatorKeyCreated(key) => of_operator_key(ActionKind::OperatorKeyCreated, key),
        Outcome::OperatorKeyRevoked(key) => of_operator_key(ActionKind::OperatorKeyRevoked, key),
        Outcome::SessionOffered(session) => of_session(ActionKind::PortalLinkMade, session),
        Outcome::SessionOpened(session) => match session.of {
            SessionOf::Account(_) => of_session(ActionKind::PortalOpened, session),
            SessionOf::OperatorKey(_) | SessionOf::ConfiguredKey(_) => {
                of_session(ActionKind::SignedIn, session)
            }
        },
        Outcome::SessionsEnded { of, count } => {
            let told = Told::of(ActionKind::SessionsEnded).detail(count.to_string());
            match of {
                SessionOf::Account(id) => told.on(*id),
                SessionOf::OperatorKey(id) => told.subject(id),
                SessionOf::ConfiguredKey(_) => told,
            }
        }
        Outcome::SessionUsed | Outcome::Settled | Outcome::Refused(_) => return None,
    })
}

fn of_account(kind: ActionKind, record: &AccountRecord) -> Told {
    Told::of(kind).on(record.account.id)
}

/// What is new of an account: a changed status goes before everything else.
fn account_updated(command: &Command, record: &AccountRecord) -> Told {
    let Command::UpdateAccount(update) = command else {
        return of_account(ActionKind::AccountUpdated, record);
    };
    let kind = match update.status {
        Some(AccountStatus::Active) => ActionKind::AccountActivated,
        Some(AccountStatus::Frozen) => ActionKind::AccountFrozen,
        Some(AccountStatus::Closed) => ActionKind::AccountClosed,
        None => ActionKind::AccountUpdated,
    };
    of_account(kind, record).detail(account_changes(update))
}

fn account_changes(update: &UpdateAccount) -> String {
    let limit = update.overdraft_limit.map(|limit| format!("overdraft_limit = {limit}"));
    listed([
        update.name.as_ref().map(|_| "name".to_owned()),
        limit,
        update.metadata.as_ref().map(|_| "metadata".to_owned()),
    ])
}

fn key_changes(update: &UpdateKey) -> String {
    let expiry = update.expires_at.map(|expiry| match expiry {
        Some(at) => format!("expires_at = {at}"),
        None => "expires_at = never".to_owned(),
    });
    let limit = update.limit.map(|limit| match limit {
        Some(limit) => format!("limit = {}", limit.credits),
        None => "limit = none".to_owned(),
    });
    listed([
        update.name.as_ref().map(|name| format!("name = {name}")),
        expiry,
        limit,
        update.disabled.map(|disabled| format!("disabled = {disabled}")),
        update.metadata.as_ref().map(|_| "metadata".to_owned()),
    ])
}

fn listed<const COUNT: usize>(changes: [Option<String>; COUNT]) -> String {
    changes.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn of_grant(kind: ActionKind, grant: &Grant) -> Told {
    Told::of(kind).on(grant.account_id).subject(grant.lot.grant_id)
}

fn of_key(kind: ActionKind, record: &KeyRecord) -> Told {
    let told = Told::of(kind).on(record.key.account_id).subject(record.key.id);
    told.detail(format!("{} ({})", record.profile.name, record.profile.hint))
}

fn of_price(price: &Price) -> Told {
    Told::of(ActionKind::PricePut).subject(&price.operation).detail(price.rate.to_string())
}

fn of_operator_key(kind: ActionKind, key: &OperatorKey) -> Told {
    let scopes: Vec<&str> = key.scopes.iter().map(Scope::as_str).collect();
    Told::of(kind).subject(key.id).detail(format!("{} ({}): {}", key.name, key.hint, scopes.join(" ")))
}

fn of_session(kind: ActionKind, session: &Session) -> Told {
    let told = Told::of(kind).subject(session.id);
    match session.of {
        SessionOf::Account(id) => told.on(id),
        SessionOf::OperatorKey(_) | SessionOf::ConfiguredKey(_) => told,
    }
}
