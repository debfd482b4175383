//! Accounts, and what moves their credits.

use coffer_ledger::{AccountStatus, CaptureAmount, Credits};

use super::values::{Options, category, cost, credits, credits_or_all, excess, priority, quantity, secret};
use crate::rows::{Action, CaptureRow, GrantRow, Payer, SpendingRow};

pub(super) fn account(words: &[&str], options: &mut Options<'_>) -> Option<Action> {
    let set = |account: &str, status| Action::SetStatus { account: account.to_owned(), status };
    Some(match *words {
        ["open", account] => Action::Open {
            account: account.to_owned(),
            overdraft: options.take("overdraft").map_or(Credits::ZERO, credits),
            external_id: options.text("external"),
        },
        ["freeze", account] => set(account, AccountStatus::Frozen),
        ["unfreeze", account] => set(account, AccountStatus::Active),
        ["close", account] => set(account, AccountStatus::Closed),
        ["overdraft", account, limit] => {
            Action::SetOverdraft { account: account.to_owned(), limit: credits(limit) }
        }
        ["settle", account] => Action::Settle { account: account.to_owned() },
        _ => return None,
    })
}

pub(super) fn credits_in(words: &[&str], options: &mut Options<'_>) -> Option<Action> {
    Some(match *words {
        ["grant", account, amount, "as", name] => Action::Grant(GrantRow {
            account: account.to_owned(),
            credits: credits(amount),
            name: name.to_owned(),
            priority: options.take("priority").map(priority),
            category: options.take("category").map(category),
            effective_at: options.time("start"),
            expires_at: options.time("expires"),
            reference: options.text("ref"),
        }),
        ["void", grant, "as", name] => Action::Void { grant: grant.to_owned(), name: name.to_owned() },
        ["adjust", account, amount, "as", name] => Action::Adjust {
            account: account.to_owned(),
            credits: credits(amount),
            allow_negative: options.yes_or_no("negative").unwrap_or(false),
            name: name.to_owned(),
        },
        ["refund", charge, "as", name] => refund(charge, None, name),
        ["refund", charge, amount, "as", name] => refund(charge, credits_or_all(amount), name),
        _ => return None,
    })
}

fn refund(charge: &str, credits: Option<Credits>, name: &str) -> Action {
    Action::Refund { charge: charge.to_owned(), credits, name: name.to_owned() }
}

pub(super) fn credits_out(words: &[&str], options: &mut Options<'_>) -> Option<Action> {
    Some(match *words {
        ["charge", ref rest @ ..] => Action::Charge(spending(rest, options)?),
        ["hold", ref rest @ ..] => {
            let expires_in_ms = options.length_ms("for");
            Action::Hold { spending: spending(rest, options)?, expires_in_ms }
        }
        ["capture", hold, "as", name] => capture(hold, "all", name, options),
        ["capture", hold, amount, "as", name] => capture(hold, amount, name, options),
        ["release", hold, "as", name] => Action::Release { hold: hold.to_owned(), name: name.to_owned() },
        _ => return None,
    })
}

fn spending(words: &[&str], options: &mut Options<'_>) -> Option<SpendingRow> {
    let (payer, amount, name) = match *words {
        ["by", key, amount, "as", name] => (Payer::Key(secret(key)), amount, name),
        [account, amount, "as", name] => (Payer::Account(account.to_owned()), amount, name),
        _ => return None,
    };
    let reference = options.text("ref");
    Some(SpendingRow { payer, cost: cost(amount), name: name.to_owned(), reference })
}

fn capture(hold: &str, amount: &str, name: &str, options: &mut Options<'_>) -> Action {
    let amount = match (options.take("quantity"), credits_or_all(amount)) {
        (Some(number), None) => CaptureAmount::Quantity(quantity(number)),
        (None, Some(credits)) => CaptureAmount::Credits(credits),
        (None, None) => CaptureAmount::All,
        (Some(_), Some(_)) => panic!("a capture has credits or a quantity"),
    };
    Action::Capture(CaptureRow {
        hold: hold.to_owned(),
        amount,
        is_final: options.yes_or_no("final"),
        excess: options.take("excess").map(excess),
        name: name.to_owned(),
    })
}
