//! Commands: everything that can change the ledger. There is no other way to change it.
//!
//! Whatever takes a clock or random numbers (ids, salts, hashes of secrets) is in the command already, so
//! that deciding is a pure function and a batch can be decided again.

use crate::{
    AccountId, AccountStatus, ActionId, Actor, AdjustmentId, Bucket, Category, Channel, ChargeId, Client,
    Credits, Description, ExternalId, Fingerprint, GrantId, Hint, HoldId, IdempotencyKey, KeyId, KeyLimit,
    KeyProfile, Metadata, Name, Note, Operation, OperatorKeyId, Priority, Quantity, Rate, RefundId,
    ReturnUrl, Scopes, SecretHash, Seq, SessionId, SessionOf, Timestamp, Unit, UuidBytes,
};

/// One thing that somebody wants done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Open an account.
    CreateAccount(CreateAccount),
    /// Change an account.
    UpdateAccount(UpdateAccount),
    /// Give credits to an account.
    Grant(GrantCredits),
    /// Take back what is left of a grant.
    VoidGrant(VoidGrant),
    /// Correct a balance by hand.
    Adjust(AdjustCredits),
    /// Spend credits of an account.
    Charge(ChargeCredits),
    /// Give credits of a charge back.
    Refund(RefundCharge),
    /// Reserve credits of an account.
    Hold(HoldCredits),
    /// Spend what a hold has reserved.
    Capture(CaptureHold),
    /// Give back what a hold has reserved.
    Release(ReleaseHold),
    /// Settle what has fallen due on an account.
    Settle(Settle),
    /// Erase free text of an account's entries.
    EraseTexts(EraseTexts),
    /// Make a customer's key.
    CreateKey(CreateKey),
    /// Change a customer's key.
    UpdateKey(UpdateKey),
    /// Give a customer's key another secret.
    RotateKey(RotateKey),
    /// Kill a customer's key.
    RevokeKey(RevokeKey),
    /// Set the price of an operation.
    PutPrice(PutPrice),
    /// Take an operation out of the catalogue.
    DeletePrice(DeletePrice),
    /// Make an operator's key.
    CreateOperatorKey(CreateOperatorKey),
    /// Kill an operator's key.
    RevokeOperatorKey(RevokeOperatorKey),
    /// Make a link by which a customer is let in once.
    OfferSession(OfferSession),
    /// Let a customer in by such a link.
    OpenSession(OpenSession),
    /// Let an operator in.
    SignIn(SignIn),
    /// Note that a session is in use.
    UseSession(UseSession),
    /// End a session.
    EndSession(EndSession),
    /// End all sessions of one holder.
    EndSessions(EndSessions),
    /// One of the others, as somebody's action: it leaves a row in the audit log.
    Audited(Box<Audited>),
}

impl Command {
    /// What is to be done, whether or not it is somebody's action.
    #[must_use]
    pub fn bare(&self) -> &Command {
        if let Command::Audited(audited) = self { &audited.command } else { self }
    }

    /// The bucket in which it changes something.
    #[must_use]
    pub const fn bucket(&self) -> Bucket {
        match self {
            Command::CreateAccount(create) => create.id.bucket(),
            Command::UpdateAccount(update) => update.id.bucket(),
            Command::Grant(grant) => grant.account_id.bucket(),
            Command::VoidGrant(void) => void.account_id.bucket(),
            Command::Adjust(adjust) => adjust.account_id.bucket(),
            Command::Charge(charge) => charge.account_id.bucket(),
            Command::Refund(refund) => refund.account_id.bucket(),
            Command::Hold(hold) => hold.account_id.bucket(),
            Command::Capture(capture) => capture.account_id.bucket(),
            Command::Release(release) => release.account_id.bucket(),
            Command::Settle(settle) => settle.account_id.bucket(),
            Command::EraseTexts(erase) => erase.account_id.bucket(),
            Command::CreateKey(create) => create.account_id.bucket(),
            Command::UpdateKey(update) => update.id.bucket(),
            Command::RotateKey(rotate) => rotate.id.bucket(),
            Command::RevokeKey(revoke) => revoke.id.bucket(),
            Command::PutPrice(_)
            | Command::DeletePrice(_)
            | Command::CreateOperatorKey(_)
            | Command::RevokeOperatorKey(_) => Bucket::CATALOGUE,
            Command::OfferSession(offer) => offer.account_id.bucket(),
            Command::OpenSession(open) => open.account_id.bucket(),
            Command::SignIn(sign_in) => sign_in.of.bucket(),
            Command::UseSession(used) => used.of.bucket(),
            Command::EndSession(end) => end.of.bucket(),
            Command::EndSessions(end) => end.of.bucket(),
            Command::Audited(audited) => audited.command.bucket(),
        }
    }

    /// About how many bytes the command occupies, for queues that are bounded in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let length = |text: Option<&str>| text.map_or(0, str::len);
        let text = match self {
            Command::CreateAccount(create) => {
                let external_id = length(create.external_id.as_ref().map(ExternalId::as_str));
                create.name.as_str().len() + external_id + create.metadata.bytes()
            }
            Command::UpdateAccount(update) => {
                let name = length(update.name.as_ref().map(Name::as_str));
                name + update.metadata.as_ref().map_or(0, Metadata::bytes)
            }
            Command::Grant(grant) => grant.idempotency.as_str().len() + grant.note.bytes(),
            Command::VoidGrant(void) => void.idempotency.as_str().len(),
            Command::Adjust(adjust) => adjust.idempotency.as_str().len() + adjust.note.bytes(),
            Command::Charge(charge) => {
                charge.idempotency.as_str().len() + charge.note.bytes() + charge.cost.bytes()
            }
            Command::Refund(refund) => refund.idempotency.as_str().len(),
            Command::Hold(hold) => hold.idempotency.as_str().len() + hold.note.bytes() + hold.cost.bytes(),
            Command::Capture(capture) => capture.idempotency.as_str().len(),
            Command::Release(release) => release.idempotency.as_str().len(),
            Command::CreateKey(create) => create.name.as_str().len() + create.metadata.bytes(),
            Command::UpdateKey(update) => {
                let name = length(update.name.as_ref().map(Name::as_str));
                name + update.metadata.as_ref().map_or(0, Metadata::bytes)
            }
            Command::PutPrice(put) => {
                let unit = length(put.unit.as_ref().map(Unit::as_str));
                let description = length(put.description.as_ref().map(Description::as_str));
                put.operation.as_str().len() + unit + description
            }
            Command::DeletePrice(delete) => delete.operation.as_str().len(),
            Command::CreateOperatorKey(create) => create.name.as_str().len(),
            Command::Settle(_)
            | Command::EraseTexts(_)
            | Command::RotateKey(_)
            | Command::RevokeKey(_)
            | Command::RevokeOperatorKey(_)
            | Command::UseSession(_)
            | Command::EndSession(_)
            | Command::EndSessions(_) => 0,
            Command::OfferSession(offer) => length(offer.return_url.as_ref().map(ReturnUrl::as_str)),
            Command::OpenSession(open) => length(open.client.as_ref().map(Client::as_str)),
            Command::SignIn(sign_in) => length(sign_in.client.as_ref().map(Client::as_str)),
            Command::Audited(audited) => size_of::<Audited>() + audited.command.bytes(),
        };
        size_of::<Command>() + text
    }
}

/// The caller's name for a request, and what the request was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Idempotency {
    /// The name; its scope is the account.
    pub key: IdempotencyKey,
    /// What the request was, so that another one under the same name is noticed.
    pub fingerprint: Fingerprint,
}

/// Open an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateAccount {
    /// Its id, minted for a random bucket.
    pub id: AccountId,
    /// What it is called.
    pub name: Name,
    /// The user's own id for it.
    pub external_id: Option<ExternalId>,
    /// How far below zero charges may take it: zero or more.
    pub overdraft_limit: Credits,
    /// The user's own pairs.
    pub metadata: Metadata,
}

/// Change an account: what is `None` stays as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UpdateAccount {
    /// Which account.
    pub id: AccountId,
    /// What it is called.
    pub name: Option<Name>,
    /// How far below zero charges may take it: zero or more.
    pub overdraft_limit: Option<Credits>,
    /// Whether it may be used. Closing voids what is left, and is for good.
    pub status: Option<AccountStatus>,
    /// The user's own pairs, which replace those that it had.
    pub metadata: Option<Metadata>,
}

/// Give credits to an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GrantCredits {
    /// The grant's id, minted for the account's bucket.
    pub id: GrantId,
    /// Who gets it.
    pub account_id: AccountId,
    /// How much: more than zero.
    pub credits: Credits,
    /// Paid or promotional.
    pub category: Category,
    /// Lower burns first.
    pub priority: Priority,
    /// When it takes effect; now, if not said.
    pub effective_at: Option<Timestamp>,
    /// When it expires, if ever.
    pub expires_at: Option<Timestamp>,
    /// The user's own text.
    pub note: Note,
    /// The caller's name for the request.
    pub idempotency: IdempotencyKey,
}

/// Take back what is left of a grant and not held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VoidGrant {
    /// Which grant.
    pub id: GrantId,
    /// Whose it is.
    pub account_id: AccountId,
    /// The caller's name for the request.
    pub idempotency: IdempotencyKey,
}

/// Correct a balance by hand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AdjustCredits {
    /// The adjustment's id, minted for the account's bucket.
    pub id: AdjustmentId,
    /// Whose balance.
    pub account_id: AccountId,
    /// By how much: not zero.
    pub credits: Credits,
    /// Whether a negative one may take more than is available, past the overdraft limit too.
    pub allow_negative: bool,
    /// Why.
    pub note: Note,
    /// The caller's name for the request.
    pub idempotency: IdempotencyKey,
}

/// What something costs, as its caller says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cost {
    /// So many credits: zero or more.
    Credits(Credits),
    /// What the catalogue says when it is decided.
    Operation {
        /// Which operation.
        operation: Operation,
        /// How much of it.
        quantity: Quantity,
    },
}

impl Cost {
    fn bytes(&self) -> usize {
        match self {
            Cost::Credits(_) => 0,
            Cost::Operation { operation, .. } => operation.as_str().len(),
        }
    }
}

/// The customer's key that a charge is made with, as it was presented.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyUse {
    /// Which key.
    pub key_id: KeyId,
    /// The hash of the secret that was presented.
    pub secret: SecretHash,
}

/// Spend credits of an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChargeCredits {
    /// The charge's id, minted for the account's bucket.
    pub id: ChargeId,
    /// Who pays.
    pub account_id: AccountId,
    /// The customer's key that it is made with, if one is.
    pub key: Option<KeyUse>,
    /// How much.
    pub cost: Cost,
    /// The user's own text.
    pub note: Note,
    /// The caller's name for the request.
    pub idempotency: IdempotencyKey,
}

/// Give credits of a charge back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefundCharge {
    /// The refund's id, minted for the account's bucket.
    pub id: RefundId,
    /// Which charge.
    pub charge_id: ChargeId,
    /// Who paid it.
    pub account_id: AccountId,
    /// How much: more than zero; all that is left of it, if not said.
    pub credits: Option<Credits>,
    /// The id of the lot for what was drawn from the overdraft and finds no debt, minted for the account's bucket.
    pub paid_lot_id: GrantId,
    /// The id of today's lot for what was drawn from lots that have expired, in case it is the first.
    pub refund_lot_id: GrantId,
    /// How long such a lot lives, in days: one or more.
    pub refund_lot_days: u16,
    /// The caller's name for the request.
    pub idempotency: IdempotencyKey,
}

/// Reserve credits of an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HoldCredits {
    /// The hold's id, minted for the account's bucket.
    pub id: HoldId,
    /// Whose credits.
    pub account_id: AccountId,
    /// The customer's key that it is made with, if one is.
    pub key: Option<KeyUse>,
    /// How much: more than zero, or what an operation costs, which may be nothing.
    pub cost: Cost,
    /// How long it lasts, in milliseconds: more than zero.
    pub expires_in_ms: u32,
    /// The user's own text.
    pub note: Note,
    /// The caller's name for the request.
    pub idempotency: IdempotencyKey,
}

/// How much of a hold is captured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CaptureAmount {
    /// All that it holds still.
    All,
    /// So many credits: zero only if it is final.
    Credits(Credits),
    /// So much of the operation that it was made for, at the price of then.
    Quantity(Quantity),
}

/// What happens where a capture is for more than is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Excess {
    /// It is refused.
    #[default]
    Refuse,
    /// The rest is charged, or nothing is captured.
    Charge,
    /// The rest is charged, and what is not available becomes debt, past the overdraft limit too.
    Force,
}

/// Spend what a hold has reserved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaptureHold {
    /// The charge's id, minted for the account's bucket.
    pub id: ChargeId,
    /// Which hold.
    pub hold_id: HoldId,
    /// Whose credits it reserves.
    pub account_id: AccountId,
    /// How much.
    pub amount: CaptureAmount,
    /// Whether the hold ends with it, and what is left is given back.
    pub is_final: bool,
    /// What happens where it is for more than is held.
    pub excess: Excess,
    /// The caller's name for the request.
    pub idempotency: IdempotencyKey,
}

/// Give back what a hold has reserved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReleaseHold {
    /// Which hold.
    pub id: HoldId,
    /// Whose credits it reserves.
    pub account_id: AccountId,
    /// The caller's name for the request.
    pub idempotency: IdempotencyKey,
}

/// Settle what has fallen due on an account, for quiet accounts that no other command reaches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settle {
    /// The account.
    pub account_id: AccountId,
}

/// Erase the free text (references, metadata, reasons) of an account's entries up to a number, and of the grants
/// that they belong to. Their digests stay, so that the chain stays whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EraseTexts {
    /// The account.
    pub account_id: AccountId,
    /// The first entry that is erased.
    pub from: Seq,
    /// The last entry that is erased.
    pub through: Seq,
    /// Grants that were made by this time are erased.
    pub until: Timestamp,
}

/// Make a customer's key from a new or an imported secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateKey {
    /// The key's id, minted for the account's bucket.
    pub id: KeyId,
    /// Whose key it is.
    pub account_id: AccountId,
    /// What it is called.
    pub name: Name,
    /// The hash of its secret.
    pub secret: SecretHash,
    /// The end of its secret.
    pub hint: Hint,
    /// When it stops working, if ever.
    pub expires_at: Option<Timestamp>,
    /// How much it may spend.
    pub limit: Option<KeyLimit>,
    /// The user's own pairs.
    pub metadata: Metadata,
}

impl CreateKey {
    pub(crate) fn profile(&self, created_at: Timestamp) -> KeyProfile {
        KeyProfile {
            id: self.id,
            name: self.name.clone(),
            hint: self.hint.clone(),
            metadata: self.metadata.clone(),
            created_at,
        }
    }
}

/// Change a customer's key: what is `None` stays as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UpdateKey {
    /// Which key.
    pub id: KeyId,
    /// What it is called.
    pub name: Option<Name>,
    /// When it stops working; `Some(None)` for never.
    pub expires_at: Option<Option<Timestamp>>,
    /// How much it may spend; `Some(None)` for no cap.
    pub limit: Option<Option<KeyLimit>>,
    /// Whether it is switched off.
    pub disabled: Option<bool>,
    /// The user's own pairs, which replace those that it had.
    pub metadata: Option<Metadata>,
}

/// Give a customer's key another secret. Its id, its cap and what it has spent stay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RotateKey {
    /// Which key.
    pub id: KeyId,
    /// The hash of the new secret.
    pub secret: SecretHash,
    /// The end of the new secret.
    pub hint: Hint,
    /// How long the old secret lives on, in milliseconds.
    pub overlap_ms: u32,
}

/// Kill a customer's key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RevokeKey {
    /// Which key.
    pub id: KeyId,
}

/// Set the price of an operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PutPrice {
    /// What the list of prices is sorted by, in case the operation had no price before.
    pub id: UuidBytes,
    /// Which operation.
    pub operation: Operation,
    /// What one unit costs.
    pub rate: Rate,
    /// What the operation is counted in.
    pub unit: Option<Unit>,
    /// What the operation is, for people.
    pub description: Option<Description>,
}

/// Take an operation out of the catalogue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeletePrice {
    /// Which operation.
    pub operation: Operation,
}

/// Make an operator's key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateOperatorKey {
    /// Its id.
    pub id: OperatorKeyId,
    /// What it is called.
    pub name: Name,
    /// The hash of its secret.
    pub secret: SecretHash,
    /// The end of its secret.
    pub hint: Hint,
    /// What it may do.
    pub scopes: Scopes,
}

/// Kill an operator's key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RevokeOperatorKey {
    /// Which key.
    pub id: OperatorKeyId,
    /// Whether an administrator's key outside of the ledger (one given by configuration) is live as well.
    pub other_is_live: bool,
}

/// Make a link by which a customer is let in once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OfferSession {
    /// The session's id, minted for the account's bucket.
    pub id: SessionId,
    /// What the customer will see.
    pub account_id: AccountId,
    /// The hash of the link's token.
    pub secret: SecretHash,
    /// How long the link is good for, in milliseconds: more than zero.
    pub expires_in_ms: u32,
    /// Where the way back leads.
    pub return_url: Option<ReturnUrl>,
}

/// Let a customer in by a link, which is spent by it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenSession {
    /// Which session.
    pub id: SessionId,
    /// The account that it is of.
    pub account_id: AccountId,
    /// The hash of the link's token.
    pub offered: SecretHash,
    /// The hash of the session's own token.
    pub secret: SecretHash,
    /// What it is opened with.
    pub client: Option<Client>,
}

/// Let an operator in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignIn {
    /// The session's id, minted for the bucket of what belongs to no account.
    pub id: SessionId,
    /// With which operator's key.
    pub of: SessionOf,
    /// The hash of the session's token.
    pub secret: SecretHash,
    /// What it is opened with.
    pub client: Option<Client>,
}

/// Note that a session is in use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UseSession {
    /// Which session.
    pub id: SessionId,
    /// Whose it is.
    pub of: SessionOf,
}

/// End a session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EndSession {
    /// Which session.
    pub id: SessionId,
    /// Whose it is.
    pub of: SessionOf,
}

/// End all sessions of one holder, and the links that nobody has opened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EndSessions {
    /// Whose.
    pub of: SessionOf,
}

/// A command that is somebody's action. What machines do all day is not wrapped, and pays nothing for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Audited {
    /// The id of the row in the audit log, minted for the bucket of the command.
    pub id: ActionId,
    /// Who acts.
    pub actor: Actor,
    /// By which way.
    pub channel: Channel,
    /// What is to be done; not itself one that is wrapped.
    pub command: Command,
}
