//! Customers' keys and the catalogue.

use super::values::{Options, limit, rate};
use crate::rows::{Action, KeyRow};

pub(super) fn key(words: &[&str], options: &mut Options<'_>) -> Option<Action> {
    Some(match *words {
        ["key", name, "of", account] => Action::CreateKey(KeyRow {
            account: account.to_owned(),
            name: name.to_owned(),
            limit: options.take("limit").map(limit),
            expires_at: options.time("expires"),
        }),
        ["import", key, "of", account, secret] => {
            let [key, account, secret] = [key, account, secret].map(str::to_owned);
            Action::ImportKey { key, account, secret }
        }
        ["disable", key] => Action::SetDisabled { key: key.to_owned(), disabled: true },
        ["enable", key] => Action::SetDisabled { key: key.to_owned(), disabled: false },
        ["limit", key, to] => Action::SetLimit { key: key.to_owned(), limit: Some(limit(to)) },
        ["unlimit", key] => Action::SetLimit { key: key.to_owned(), limit: None },
        ["rotate", key] => Action::Rotate { key: key.to_owned(), overlap_ms: options.length_ms("overlap") },
        ["revoke", key] => Action::Revoke { key: key.to_owned() },
        _ => return None,
    })
}

pub(super) fn price(words: &[&str]) -> Option<Action> {
    Some(match *words {
        ["price", operation, per_unit] => {
            Action::PutPrice { operation: operation.to_owned(), rate: rate(per_unit) }
        }
        ["unprice", operation] => Action::DeletePrice { operation: operation.to_owned() },
        _ => return None,
    })
}
