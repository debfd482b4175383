//! Steps of random histories.
//!
//! Steps are small and say nothing of ids: they refer to what there is by its place, newest first and around the
//! corner, so that a history from which steps are taken away is still a history. That is what lets a failing one
//! shrink. How often what happens is in `step/random.rs`; [`crate::Walk`] makes commands of it.

mod random;

use coffer_ledger::{AccountStatus, Category, Excess, Period};

pub use self::random::history;

/// One step of a history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Time passes.
    Jump(Jump),
    /// Commands are applied together, mostly a single one.
    Batch(Vec<Act>),
}

/// How time passes. Nudges are milliseconds, mostly none.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum Jump {
    Milliseconds(u32),
    Hours(u8),
    Days(u8),
    ToMidnight {
        nudge: i8,
    },
    ToMonday {
        nudge: i8,
    },
    ToMonth {
        nudge: i8,
    },
    /// To what next falls due on an account, exactly.
    ToDue {
        account: Pick,
        nudge: i8,
    },
    /// As a clock that is put right.
    Back {
        milliseconds: u32,
    },
}

/// One of those that there are: 0 for the newest, then the older ones, around the corner. Accounts are counted from
/// the oldest that is open, so that most happens on one.
pub type Pick = u16;

/// Some credits. A nudge is millionths.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum Size {
    Whole(u16),
    Millionths(u32),
    /// All that is available.
    Available {
        nudge: i8,
    },
    /// All that is available, and the overdraft.
    Spendable {
        nudge: i8,
    },
    /// So many hundredths of the largest amount there is.
    Hundredths {
        of_max: u8,
        nudge: i8,
    },
}

/// A time, seen from now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum When {
    Now,
    Ago {
        milliseconds: u32,
    },
    In {
        milliseconds: u32,
    },
    /// At a full hour, so that different things fall due at one instant.
    FullHour {
        hours: u8,
    },
    Midnight {
        days: u8,
    },
    /// When something else of the account falls due.
    WhenDue {
        pick: Pick,
    },
}

/// How long something lasts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum Span {
    Milliseconds(u32),
    Until(When),
}

/// What something costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum CostOf {
    Nothing,
    Credits(Size),
    Operation { operation: u8, quantity_millionths: u32 },
}

/// Who pays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum Payer {
    Account(Pick),
    Key {
        key: Pick,
        secret: Pick,
    },
    /// The key of somebody else.
    StrangeKey {
        account: Pick,
        key: Pick,
    },
}

/// How much of a hold, or of a charge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum Portion {
    All,
    Nothing,
    Left { nudge: i8 },
    Share { hundredths: u8 },
    Credits(Size),
    Quantity { millionths: u32 },
}

/// What is different in a request that is sent again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum Change {
    Nothing,
    Reference,
    Credits,
    /// The name of the request, as if it were a new one.
    Name,
    /// Everything but the name: it is a charge of a millionth.
    Kind,
}

/// One command to come. Objects are picked; `stranger` names another account than theirs.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum Act {
    CreateAccount {
        external_id: Option<u8>,
        overdraft_limit: Size,
    },
    UpdateAccount {
        account: Pick,
        status: Option<AccountStatus>,
        overdraft_limit: Option<Size>,
    },
    Grant {
        account: Pick,
        credits: Size,
        category: Category,
        priority: u8,
        effective_at: Option<When>,
        expires_at: Option<When>,
        reference: Option<u8>,
    },
    VoidGrant {
        grant: Pick,
        stranger: bool,
    },
    Adjust {
        account: Pick,
        credits: Size,
        is_negative: bool,
        allow_negative: bool,
    },
    Charge {
        payer: Payer,
        cost: CostOf,
        reference: Option<u8>,
    },
    Refund {
        charge: Pick,
        stranger: bool,
        portion: Portion,
        days: u8,
    },
    Hold {
        payer: Payer,
        cost: CostOf,
        lasts: Span,
        reference: Option<u8>,
    },
    Capture {
        hold: Pick,
        stranger: bool,
        portion: Portion,
        is_final: bool,
        excess: Excess,
    },
    Release {
        hold: Pick,
        stranger: bool,
    },
    Settle {
        account: Pick,
    },
    CreateKey {
        account: Pick,
        limit: Option<(Size, Period)>,
        expires_at: Option<When>,
        secret: Option<Pick>,
    },
    UpdateKey {
        key: Pick,
        limit: Option<Option<(Size, Period)>>,
        expires_at: Option<Option<When>>,
        disabled: Option<bool>,
    },
    RotateKey {
        key: Pick,
        overlap_ms: u32,
        secret: Option<Pick>,
    },
    RevokeKey {
        key: Pick,
    },
    PutPrice {
        operation: u8,
        parts: u64,
    },
    DeletePrice {
        operation: u8,
    },
    Retry {
        sent: Pick,
        change: Change,
    },
}

/// Which amounts a history has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mix {
    /// Such as people have: the model follows.
    Small,
    /// At the edges of the range.
    Huge,
}
