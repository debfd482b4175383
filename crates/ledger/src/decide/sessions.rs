//! Letting people in, and out again.

use super::Decision;
use crate::limits::SESSIONS_OF_ONE_MAX;
use crate::snapshot::{Effects, SessionChange};
use crate::{
    AccountStatus, EndSession, EndSessions, OfferSession, OpenSession, Outcome, Refusal, Session, SessionOf,
    SessionStage, SignIn, Snapshot, Timestamp, UseSession,
};

/// Makes a link that works once. A frozen account may be looked at; a closed one is nobody's any more.
pub(super) fn offer(snapshot: &Snapshot, clock: Timestamp, command: &OfferSession) -> Decision {
    if let Some(refusal) = closed(snapshot, SessionOf::Account(command.account_id)) {
        return Decision::refused(refusal);
    }

    // From here the command succeeds.
    let session = Session {
        id: command.id,
        of: SessionOf::Account(command.account_id),
        secret: command.secret,
        stage: SessionStage::Offered,
        created_at: clock,
        expires_at: clock.saturating_add_ms(command.expires_in_ms),
        used_at: clock,
        return_url: command.return_url.clone(),
        client: None,
    };
    let effects = with_room(snapshot, clock, &session);
    Decision::done(Outcome::SessionOffered(session), effects)
}

/// Spends a link: from now on it has another token, and the link's opens nothing.
pub(super) fn open(snapshot: &Snapshot, clock: Timestamp, command: &OpenSession) -> Decision {
    let of = SessionOf::Account(command.account_id);
    let offered = snapshot.sessions.get(&command.id).filter(|session| session.of == of);
    let Some(offered) = offered.filter(|session| session.can_be_opened(&command.offered, clock)) else {
        return Decision::refused(Refusal::SessionIsUnknown);
    };
    if let Some(refusal) = closed(snapshot, of) {
        return Decision::refused(refusal);
    }

    // From here the command succeeds.
    let session = Session {
        secret: command.secret,
        stage: SessionStage::Open,
        expires_at: clock.saturating_add_ms(of.lasts_ms()),
        used_at: clock,
        client: command.client.clone(),
        ..offered.clone()
    };
    let effects = Effects { sessions: vec![SessionChange::Kept(session.clone())], ..Effects::default() };
    Decision::done(Outcome::SessionOpened(session), effects)
}

/// Lets an operator in whose key is live; a key of configuration is known to be by whoever asks.
pub(super) fn sign_in(snapshot: &Snapshot, clock: Timestamp, command: &SignIn) -> Decision {
    let is_live = match command.of {
        SessionOf::OperatorKey(id) => {
            snapshot.operator_keys.get(&id).is_some_and(|key| key.revoked_at.is_none())
        }
        SessionOf::ConfiguredKey(_) => true,
        SessionOf::Account(_) => false,
    };
    if !is_live {
        return Decision::refused(Refusal::OperatorKeyIsUnknown);
    }

    // From here the command succeeds.
    let session = Session {
        id: command.id,
        of: command.of,
        secret: command.secret,
        stage: SessionStage::Open,
        created_at: clock,
        expires_at: clock.saturating_add_ms(command.of.lasts_ms()),
        used_at: clock,
        return_url: None,
        client: command.client.clone(),
    };
    let effects = with_room(snapshot, clock, &session);
    Decision::done(Outcome::SessionOpened(session), effects)
}

/// Notes that a session is in use, so that it does not lapse. One that has lapsed meanwhile stays so.
pub(super) fn note_use(snapshot: &Snapshot, clock: Timestamp, command: &UseSession) -> Decision {
    let session = snapshot.sessions.get(&command.id).filter(|session| session.of == command.of);
    let Some(session) = session.filter(|session| !session.has_lapsed(clock)) else {
        return Decision::refused(Refusal::SessionIsUnknown);
    };

    // From here the command succeeds.
    let used = Session { used_at: clock.max(session.used_at), ..session.clone() };
    let effects = Effects { sessions: vec![SessionChange::Kept(used)], ..Effects::default() };
    Decision::done(Outcome::SessionUsed, effects)
}

/// Ends a session. Ending it again changes nothing.
pub(super) fn end(snapshot: &Snapshot, command: &EndSession) -> Decision {
    let session = snapshot.sessions.get(&command.id).filter(|session| session.of == command.of);

    // From here the command succeeds.
    let ended: Vec<_> = session.map(|session| SessionChange::Ended(session.id)).into_iter().collect();
    ended_sessions(command.of, ended)
}

/// Ends all sessions of one holder, and the links that nobody has opened.
pub(super) fn end_all(snapshot: &Snapshot, command: &EndSessions) -> Decision {
    // From here the command succeeds.
    ended_sessions(command.of, all_ended(snapshot, command.of))
}

/// What is left of the sessions of one holder who is let in no longer.
pub(super) fn all_ended(snapshot: &Snapshot, whose: SessionOf) -> Vec<SessionChange> {
    of(snapshot, whose).map(|session| SessionChange::Ended(session.id)).collect()
}

fn ended_sessions(of: SessionOf, sessions: Vec<SessionChange>) -> Decision {
    let count = u32::try_from(sessions.len()).unwrap_or(u32::MAX);
    let effects = Effects { sessions, ..Effects::default() };
    Decision::done(Outcome::SessionsEnded { of, count }, effects)
}

fn of(snapshot: &Snapshot, whose: SessionOf) -> impl Iterator<Item = &Session> {
    snapshot.sessions.values().filter(move |session| session.of == whose)
}

/// Why nobody is let in to an account.
fn closed(snapshot: &Snapshot, of: SessionOf) -> Option<Refusal> {
    let SessionOf::Account(id) = of else { return None };
    match snapshot.accounts.get(&id).map(|account| account.status) {
        None => Some(Refusal::AccountIsUnknown),
        Some(AccountStatus::Closed) => Some(Refusal::AccountIsClosed),
        Some(AccountStatus::Active | AccountStatus::Frozen) => None,
    }
}

/// A new session in the place of those of the same holder that have lapsed, and of the oldest where there are too many: links that
/// nobody has opened first, or whoever makes links without end would throw people out who are in.
fn with_room(snapshot: &Snapshot, clock: Timestamp, session: &Session) -> Effects {
    let (lapsed, mut live): (Vec<&Session>, Vec<&Session>) =
        of(snapshot, session.of).partition(|other| other.has_lapsed(clock));
    let too_many = (live.len() + 1).saturating_sub(SESSIONS_OF_ONE_MAX);
    // Ids sort by time, so the first are the oldest; the sort keeps them so.
    live.sort_by_key(|other| other.stage != SessionStage::Offered);
    let ended = lapsed.into_iter().chain(live.into_iter().take(too_many));
    let mut sessions: Vec<_> = ended.map(|session| SessionChange::Ended(session.id)).collect();
    sessions.push(SessionChange::Kept(session.clone()));
    Effects { sessions, ..Effects::default() }
}
