//! Sessions and the audit log.

use std::collections::BTreeMap;

use coffer_ledger::{Action, ActionId, Changes, Needs, Session, SessionId, SessionOf, Snapshot};

use super::pick;
use crate::ActionFilter;

#[derive(Debug, Default)]
pub(super) struct People {
    sessions: BTreeMap<SessionId, Session>,
    actions: BTreeMap<ActionId, Action>,
}

impl People {
    pub(super) fn load(&self, needs: &Needs, snapshot: &mut Snapshot) {
        snapshot.sessions.extend(pick(&self.sessions, &needs.sessions));
        let of_holders = self.sessions.iter().filter(|(_, session)| needs.sessions_of.contains(&session.of));
        snapshot.sessions.extend(of_holders.map(|(id, session)| (*id, session.clone())));
    }

    pub(super) fn write(&mut self, changes: &mut Changes) {
        for (id, change) in std::mem::take(&mut changes.sessions) {
            match change {
                Some(session) => self.sessions.insert(id, session),
                None => self.sessions.remove(&id),
            };
        }
        let actions = std::mem::take(&mut changes.actions);
        self.actions.extend(actions.into_iter().map(|action| (action.id, action)));
    }

    pub(super) fn session(&self, id: SessionId) -> Option<Session> {
        self.sessions.get(&id).cloned()
    }

    /// Newest first.
    pub(super) fn sessions(&self, wanted: impl Fn(&SessionOf) -> bool) -> impl Iterator<Item = Session> {
        self.sessions.values().rev().filter(move |session| wanted(&session.of)).cloned()
    }

    /// Newest first.
    pub(super) fn actions(&self, filter: &ActionFilter) -> impl Iterator<Item = Action> {
        self.actions.values().rev().filter(|action| filter.matches(action)).cloned()
    }
}
