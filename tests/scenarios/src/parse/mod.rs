//! How a row reads. A row that makes no sense panics: the tables are part of the code.
//!
//! What changes something, with its options in brackets; `as` is the idempotency key, by which later rows name
//! what came of it:
//!
//! - `open A [overdraft=5] [external=x]`, `freeze A`, `unfreeze A`, `close A`, `overdraft A 5`, `settle A`
//! - `grant A 10 as g1 [priority=20] [category=promotional] [start=60s] [expires=2m] [ref=text]`, `void g1 as v1`
//! - `adjust A -3 as a1 [negative=yes]`, with a reason that is always the same
//! - `charge A 3 as c1 [ref=text]`, `charge by k1 3 as c1`: of an account, or with a customer's key
//! - `charge A resize*2.5 as c1`, `charge A resize as c1`: what an operation costs, and how much of it
//! - `hold A 5 as h1 [for=60s] [ref=text]`, `hold by k1 5 as h1`, `hold A resize*2 as h1`
//! - `capture h1 [2|all] as p1 [final=no] [excess=charge|force] [quantity=2]`, `release h1 as r1`
//! - `refund c1 [2|all] as r1`, of a charge or a capture
//! - `key k1 of A [limit=5/day] [expires=60s]`, `import k1 of A the-secret`, `disable k1`, `enable k1`,
//!   `limit k1 5/day`, `unlimit k1`, `rotate k1 [overlap=60s]`, `revoke k1`
//! - `price resize 0.0025`, `unprice resize`
//!
//! What looks:
//!
//! - `balance A`, and `lots A`: the open ones in burn order, those without a name by their category
//! - `grant-status g1`, `hold-status h1`
//! - `read k1`: the balance endpoint; `spent k1`: what the key's cap counts
//! - `last A`: the kind of the last entry and what it changed, available first; `kinds A`: those of all entries
//!
//! `k1` is the newest secret of a key, `k1.1` the one before. Times are `0s`, `90m`, `2h`, `3d` after the
//! beginning, lengths of time are written the same.

mod keys;
mod ledger;
mod looks;
mod values;

use coffer_ledger::Timestamp;
use values::Options;

pub(crate) use values::after;

use crate::rows::Action;

pub(crate) fn action(beginning: Timestamp, text: &str) -> Action {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (plain, options): (Vec<&str>, Vec<&str>) = words.into_iter().partition(|word| !word.contains('='));
    let mut options = Options::new(beginning, options);
    let action = ledger::account(&plain, &mut options)
        .or_else(|| ledger::credits_in(&plain, &mut options))
        .or_else(|| ledger::credits_out(&plain, &mut options))
        .or_else(|| keys::key(&plain, &mut options))
        .or_else(|| keys::price(&plain))
        .or_else(|| looks::look(&plain).map(Action::Look))
        .unwrap_or_else(|| panic!("{text} is no action"));
    options.assert_all_taken(text);
    action
}
