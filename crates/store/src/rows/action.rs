//! What the audit log tells.

use coffer_ledger::{AccountId, Action, ActionId, ActionKind, Actor, Channel, OperatorKeyId};

use super::{Columns, Result};

pub(crate) const ACTION: &str = "actions.id, actions.at, actions.actor, actions.operator_key_id, \
     actions.channel, actions.kind, actions.account_id, actions.subject, actions.credits, actions.detail";

pub(crate) fn action(columns: &mut Columns<'_>) -> Result<Action> {
    Ok(Action {
        id: ActionId::from_bytes(columns.bytes()?),
        at: columns.time()?,
        actor: actor(columns)?,
        channel: columns.parsed("channel", parse_channel)?,
        kind: columns.parsed("kind of action", parse_kind)?,
        account_id: columns.optional_bytes()?.map(AccountId::from_bytes),
        subject: columns.optional_text()?,
        credits: columns.optional_credits()?,
        detail: columns.optional_text()?,
    })
}

fn actor(columns: &mut Columns<'_>) -> Result<Actor> {
    let word: String = columns.text()?;
    let key = columns.optional_bytes()?.map(OperatorKeyId::from_bytes);
    match (word.as_str(), key) {
        ("operator_key", Some(id)) => Ok(Actor::OperatorKey(id)),
        ("configured_key", None) => Ok(Actor::ConfiguredKey),
        ("customer", None) => Ok(Actor::Customer),
        _ => Err(columns.meaningless("actor")),
    }
}

/// The word for who acted, and the operator's key.
pub(crate) const fn actor_columns(actor: Actor) -> (&'static str, Option<OperatorKeyId>) {
    match actor {
        Actor::OperatorKey(id) => ("operator_key", Some(id)),
        Actor::ConfiguredKey => ("configured_key", None),
        Actor::Customer => ("customer", None),
    }
}

pub(crate) const fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Api => "api",
        Channel::Console => "console",
        Channel::Portal => "portal",
    }
}

fn parse_channel(text: &str) -> Option<Channel> {
    [Channel::Api, Channel::Console, Channel::Portal].into_iter().find(|known| channel(*known) == text)
}

fn parse_kind(text: &str) -> Option<ActionKind> {
    ActionKind::ALL.iter().copied().find(|known| known.as_str() == text)
}
