//! What looks and changes nothing.

use super::values::secret;
use crate::rows::Look;

pub(super) fn look(words: &[&str]) -> Option<Look> {
    let [what, of] = *words else { return None };
    let name = of.to_owned();
    Some(match what {
        "balance" => Look::Balance { account: name },
        "lots" => Look::Lots { account: name },
        "grant-status" => Look::GrantStatus { grant: name },
        "hold-status" => Look::HoldStatus { hold: name },
        "read" => Look::Read(secret(of)),
        "spent" => Look::Spent { key: name },
        "last" => Look::Last { account: name },
        "kinds" => Look::Kinds { account: name },
        _ => return None,
    })
}
