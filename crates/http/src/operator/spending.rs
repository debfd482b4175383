//! What charges and holds have in common: who pays, and how much.

use coffer_ledger::{AccountId, Cost, Credits, KeyUse, Operation, Quantity};
use coffer_service::{Secret, Standing};

use crate::App;
use crate::auth::KeyHeader;
use crate::fields::{Amount, Parsed, Text};
use crate::problem::{Problem, dead_api_key};

/// Whose credits, as a request says it.
pub(super) struct Payer<'a> {
    pub(super) account_id: Option<&'a Parsed<AccountId>>,
    pub(super) api_key: Option<&'a str>,
    /// The customers' header of a single call; operations of a batch have none of their own.
    pub(super) header: KeyHeader,
}

impl Payer<'_> {
    /// An account, or the account of a customer's key. A key that is dead by now still names its account, for the
    /// request may be the retry of one that it was live for.
    pub(super) async fn find(self, app: &App) -> Result<(AccountId, Option<KeyUse>), Problem> {
        let secret = match (self.account_id, self.api_key, self.header) {
            (Some(account_id), None, KeyHeader::Absent) => return Ok((account_id.0, None)),
            (None, Some(secret), KeyHeader::Absent) => Secret::presented(secret),
            (None, None, KeyHeader::Secret(secret)) => secret,
            (None, None, KeyHeader::Unclear) => return Err(dead_api_key()),
            (None, None, KeyHeader::Absent) => {
                return Err(Problem::invalid("account_id", "give account_id, or the customer's api_key"));
            }
            (Some(_), _, _) => {
                return Err(Problem::invalid("account_id", "must not be given beside the customer's key"));
            }
            (None, Some(_), KeyHeader::Secret(_) | KeyHeader::Unclear) => {
                let rule = format!("must not be given beside the header {}", app.settings.api_key_header);
                return Err(Problem::invalid("api_key", rule));
            }
        };
        let hash = secret.hash();
        match app.service.standing(&hash).await? {
            Standing::Live(key) | Standing::Dead(key) => {
                Ok((key.account_id, Some(KeyUse { key_id: key.id, secret: hash })))
            }
            Standing::Unknown if secret.is_mistyped(&app.settings.key_prefix) => Err(Problem::unauthorized(
                "api_key",
                "the customer's key is mistyped or cut off: its checksum is wrong",
            )),
            Standing::Unknown => Err(dead_api_key()),
        }
    }
}

/// How much, as a request says it: credits, or an operation and a quantity of it.
pub(super) fn cost(
    credits: Option<Amount>,
    operation: Option<Text<Operation>>,
    quantity: Option<Amount>,
) -> Result<Option<Cost>, Problem> {
    match (credits, operation, quantity) {
        (None, None, None) => Ok(None),
        (Some(Amount(credits)), None, None) => Ok(Some(Cost::Credits(not_negative(credits)?))),
        (None, Some(Text(operation)), quantity) => {
            let quantity = quantity.map(self::quantity).transpose()?.unwrap_or(Quantity::ONE);
            Ok(Some(Cost::Operation { operation, quantity }))
        }
        (Some(_), Some(_), _) => Err(Problem::invalid("operation", "must not be given beside credits")),
        (_, None, Some(_)) => {
            Err(Problem::invalid("quantity", "needs an operation that it is a quantity of"))
        }
    }
}

/// The cost that a request must have.
pub(super) fn cost_given(cost: Option<Cost>) -> Result<Cost, Problem> {
    cost.ok_or_else(|| Problem::invalid("credits", "give credits, or an operation of the catalogue"))
}

pub(super) fn quantity(Amount(amount): Amount) -> Result<Quantity, Problem> {
    Quantity::new(amount).ok_or_else(|| Problem::invalid("quantity", "must be more than zero"))
}

fn not_negative(credits: Credits) -> Result<Credits, Problem> {
    if credits.is_negative() { Err(Problem::invalid("credits", "must be zero or more")) } else { Ok(credits) }
}
