//! What an operator does with an account: each of it is one command, that of the API.

use axum::extract::State;
use axum::response::Response;
use coffer_ledger::limits::LINK_MS_DEFAULT;
use coffer_ledger::{
    AccountId, Channel, ChargeId, Command, GrantId, HoldId, KeyId, ReleaseHold, RevokeKey, Scope, VoidGrant,
};
use serde_json::{Map, Value};

use super::super::act::{self, Failed, Why};
use super::super::cells::account_path;
use super::super::visitor::Visitor;
use super::{Asked, InPath, Link, respond};
use crate::operator::accounts::UpdateAccountBody;
use crate::operator::adjustments::CreateAdjustmentBody;
use crate::operator::grants::CreateGrantBody;
use crate::operator::refunds::CreateRefundBody;
use crate::pages::form::Filled;
use crate::pages::href::href;
use crate::pages::respond::see_other;
use crate::pages::rules::NO_SUCH_FORM;
use crate::problem::Problem;
use crate::{App, Shared, portal};

/// What can be done with an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Doing {
    Grant,
    Adjust,
    Edit,
    Freeze,
    Unfreeze,
    Close,
    Refund(ChargeId),
    Void(GrantId),
    Release(HoldId),
    RevokeKey(KeyId),
    /// A link to the customer's own page.
    Portal,
}

impl Doing {
    /// What an address or a form names.
    pub(super) fn of(filled: &Filled) -> Option<Doing> {
        let of = filled.get("of");
        Some(match filled.get("do") {
            "grant" => Doing::Grant,
            "adjust" => Doing::Adjust,
            "edit" => Doing::Edit,
            "freeze" => Doing::Freeze,
            "unfreeze" => Doing::Unfreeze,
            "close" => Doing::Close,
            "portal" => Doing::Portal,
            "refund" => Doing::Refund(of.parse().ok()?),
            "void" => Doing::Void(of.parse().ok()?),
            "release" => Doing::Release(of.parse().ok()?),
            "revoke" => Doing::RevokeKey(of.parse().ok()?),
            _ => return None,
        })
    }

    /// How it is named: what, and of what.
    pub(super) fn name(self) -> (&'static str, String) {
        match self {
            Doing::Grant => ("grant", String::new()),
            Doing::Adjust => ("adjust", String::new()),
            Doing::Edit => ("edit", String::new()),
            Doing::Freeze => ("freeze", String::new()),
            Doing::Unfreeze => ("unfreeze", String::new()),
            Doing::Close => ("close", String::new()),
            Doing::Portal => ("portal", String::new()),
            Doing::Refund(id) => ("refund", id.to_string()),
            Doing::Void(id) => ("void", id.to_string()),
            Doing::Release(id) => ("release", id.to_string()),
            Doing::RevokeKey(id) => ("revoke", id.to_string()),
        }
    }

    /// What the operator's key must be allowed, as with the API.
    pub(super) const fn scope(self) -> Scope {
        match self {
            Doing::Grant | Doing::Adjust | Doing::Refund(_) | Doing::Void(_) => Scope::Grant,
            Doing::Edit
            | Doing::Freeze
            | Doing::Unfreeze
            | Doing::Close
            | Doing::RevokeKey(_)
            | Doing::Portal => Scope::Manage,
            Doing::Release(_) => Scope::Charge,
        }
    }

    /// Refuses what is named and not of this account: it is not found, as what nobody has.
    pub(super) async fn is_on(self, app: &App, account_id: AccountId) -> Result<(), Problem> {
        let reader = app.service.reader();
        let (what, owner) = match self {
            Doing::Refund(id) => ("charge", reader.charge(id).await?.map(|charge| charge.account_id)),
            Doing::Void(id) => ("grant", reader.grant(id).await?.map(|(_, grant)| grant.account_id)),
            Doing::Release(id) => ("hold", reader.hold(id).await?.map(|record| record.hold.account_id)),
            Doing::RevokeKey(id) => {
                ("key", reader.key_record(id).await?.map(|(_, record)| record.key.account_id))
            }
            Doing::Grant
            | Doing::Adjust
            | Doing::Edit
            | Doing::Freeze
            | Doing::Unfreeze
            | Doing::Close
            | Doing::Portal => return Ok(()),
        };
        if owner == Some(account_id) { Ok(()) } else { Err(Problem::not_found(what)) }
    }

    /// The fields of its form, by the names that the API has for them.
    pub(super) const fn fields(self) -> &'static [&'static str] {
        match self {
            Doing::Grant => &["credits", "category", "priority", "effective_at", "expires_at", "reference"],
            Doing::Adjust => &["credits", "reason", "allow_negative"],
            Doing::Edit => &["name", "overdraft_limit"],
            Doing::Refund(_) => &["credits"],
            Doing::Freeze
            | Doing::Unfreeze
            | Doing::Close
            | Doing::Void(_)
            | Doing::Release(_)
            | Doing::RevokeKey(_)
            | Doing::Portal => &[],
        }
    }

    const fn done(self) -> &'static str {
        match self {
            Doing::Grant => "granted",
            Doing::Adjust => "adjusted",
            Doing::Edit => "updated",
            Doing::Freeze => "frozen",
            Doing::Unfreeze => "unfrozen",
            Doing::Close => "closed",
            Doing::Refund(_) => "refunded",
            Doing::Void(_) => "voided",
            Doing::Release(_) => "released",
            Doing::RevokeKey(_) => "key-revoked",
            Doing::Portal => "link-already", // the first time, the link is shown
        }
    }

    fn command(self, app: &App, account_id: AccountId, filled: &Filled) -> Result<Command, Problem> {
        let object = self.object(filled)?;
        Ok(match self {
            Doing::Grant => act::parse::<CreateGrantBody>(object)?.command(account_id, act::name(filled)?)?,
            Doing::Adjust => {
                act::parse::<CreateAdjustmentBody>(object)?.command(account_id, act::name(filled)?)?
            }
            Doing::Edit | Doing::Freeze | Doing::Unfreeze | Doing::Close => {
                act::parse::<UpdateAccountBody>(object)?.command(account_id)?
            }
            Doing::Refund(charge_id) => act::parse::<CreateRefundBody>(object)?.command(
                app,
                charge_id,
                account_id,
                act::name(filled)?,
            )?,
            Doing::Void(id) => {
                Command::VoidGrant(VoidGrant { id, account_id, idempotency: act::name(filled)? })
            }
            Doing::Release(id) => {
                Command::Release(ReleaseHold { id, account_id, idempotency: act::name(filled)? })
            }
            Doing::RevokeKey(id) => Command::RevokeKey(RevokeKey { id }),
            Doing::Portal => return Err(Problem::invalid("do", NO_SUCH_FORM)),
        })
    }

    /// The body of the API's request that says the same.
    fn object(self, filled: &Filled) -> Result<Map<String, Value>, Problem> {
        let mut object = Map::new();
        for name in self.fields() {
            let value = match *name {
                "effective_at" | "expires_at" => act::moment(filled, name),
                "allow_negative" => filled.is_ticked(name).then_some(Value::Bool(true)),
                "priority" => filled.given(name).map(number).transpose()?,
                // What an account must have is not left as it was by emptying it.
                name if self == Doing::Edit => Some(filled.get(name).into()),
                name => filled.given(name).map(Value::from),
            };
            if let Some(value) = value {
                object.insert((*name).to_owned(), value);
            }
        }
        let status = match self {
            Doing::Freeze => "frozen",
            Doing::Unfreeze => "active",
            Doing::Close => "closed",
            Doing::Grant
            | Doing::Adjust
            | Doing::Edit
            | Doing::Refund(_)
            | Doing::Void(_)
            | Doing::Release(_)
            | Doing::RevokeKey(_)
            | Doing::Portal => return Ok(object),
        };
        object.insert("status".to_owned(), status.into());
        Ok(object)
    }
}

fn number(text: &str) -> Result<Value, Problem> {
    let number: Result<i64, _> = text.parse();
    number.map(Value::from).map_err(|_| Problem::invalid("priority", "must be a whole number from 0 to 100"))
}

/// Carries out what a form of the account's page asks for.
pub(crate) async fn act(
    State(app): Shared,
    visitor: Visitor,
    InPath(id): InPath,
    filled: Filled,
) -> Response {
    let doing = Doing::of(&filled);
    let asked = Asked { query: Filled::default(), doing, failed: None, link: None };
    let failed = |filled, why| Some(Failed { filled, why });
    match carry_out(&app, &visitor, id, doing, &filled).await {
        Ok(Done::Said(place)) => see_other(&place),
        Ok(Done::Offered(link)) => respond(&app, &visitor, id, Asked { link: Some(link), ..asked }).await,
        Err(why) => respond(&app, &visitor, id, Asked { failed: failed(filled, why), ..asked }).await,
    }
}

/// What came of a form.
enum Done {
    /// Where that is said.
    Said(String),
    /// A link to show.
    Offered(Link),
}

/// A link to the customer's own page, as the API makes it. It is shown this once, and works once.
async fn offer(app: &App, visitor: &Visitor, account_id: AccountId) -> Result<Link, Why> {
    let by = (visitor.actor(), Channel::Console);
    match app.service.offer_session(account_id, LINK_MS_DEFAULT, None, by).await? {
        Ok((token, session)) => Ok(Link { url: portal::link(app, &token), expires_at: session.expires_at }),
        Err(refusal) => Err(Why::Refused(Box::new(refusal))),
    }
}

async fn carry_out(
    app: &App,
    visitor: &Visitor,
    id: Option<AccountId>,
    doing: Option<Doing>,
    filled: &Filled,
) -> Result<Done, Why> {
    let account_id = id.ok_or_else(|| Problem::not_found("account"))?;
    let doing = doing.ok_or_else(|| Problem::invalid("do", NO_SUCH_FORM))?;
    visitor.allowed_to_do(doing.scope())?;
    let said = |done| Done::Said(href(&account_path(account_id), [("done", done)]));
    if doing == Doing::Portal {
        let offered = app.forms.carry_out(&act::name(filled)?, offer(app, visitor, account_id)).await?;
        return Ok(offered.map_or_else(|| said(doing.done()), Done::Offered));
    }
    doing.is_on(app, account_id).await?;
    let command = doing.command(app, account_id, filled)?;
    act::carry_out(app, visitor, command).await?;
    Ok(said(doing.done()))
}
