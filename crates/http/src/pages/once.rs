//! Forms that make something which has no name of its own to be known again by: each is carried out once.

use std::collections::VecDeque;
use std::sync::Mutex;

use coffer_ledger::IdempotencyKey;
use rand::RngExt as _;

use super::sent::Why;

/// Forms that are remembered; with more, the oldest is forgotten.
const FORMS_REMEMBERED_MAX: usize = 10_000;

/// The names of the latest forms that were sent. It is the process's own memory: it is against a second press of a button,
/// which comes at once and to the same node, and not a promise.
#[derive(Debug, Default)]
pub(crate) struct Once {
    sent: Mutex<VecDeque<String>>,
}

impl Once {
    /// Carries out a form of this name, unless it was sent before: then there is nothing to tell. Where nothing was done it may be
    /// sent again; where that is in doubt it may not, or it would make two of what it makes.
    pub(crate) async fn carry_out<Done>(
        &self,
        name: &IdempotencyKey,
        work: impl Future<Output = Result<Done, Why>>,
    ) -> Result<Option<Done>, Why> {
        if !self.is_first(name.as_str()) {
            return Ok(None);
        }
        let done = work.await;
        if done.as_ref().is_err_and(|why| !why.is_in_doubt()) {
            self.forget(name.as_str());
        }
        done.map(Some)
    }

    fn is_first(&self, name: &str) -> bool {
        let mut sent = self.sent.lock().expect("no thread panics while it holds the names");
        if sent.iter().any(|known| known == name) {
            return false;
        }
        if sent.len() == FORMS_REMEMBERED_MAX {
            sent.pop_front();
        }
        sent.push_back(name.to_owned());
        true
    }

    fn forget(&self, name: &str) {
        let mut sent = self.sent.lock().expect("no thread panics while it holds the names");
        sent.retain(|known| known != name);
    }
}

/// A name for a form, which no other has.
pub(crate) fn name() -> String {
    let number: u128 = rand::rng().random();
    format!("form-{number:032x}")
}

#[cfg(test)]
mod tests {
    use coffer_ledger::Refusal;
    use coffer_service::Unavailable;

    use super::*;
    use crate::problem::Problem;

    #[tokio::test]
    async fn a_form_is_carried_out_once_unless_nothing_was_done() {
        let refused = || Why::Refused(Box::new(Refusal::SecretIsTaken));
        let closing = || Why::from(Unavailable::ShuttingDown);
        let lost = || Why::from(Unavailable::InDoubt);
        let in_part = || Why::from(Unavailable::InPart(Box::new(Unavailable::Overloaded)));
        let broken = || Why::from(Problem::invalid("name", "must not be empty"));
        // What becomes of it at first, and whether it is carried out when it is sent again.
        let rows: [(Result<(), Why>, bool); 6] = [
            (Ok(()), false),
            (Err(refused()), true),
            (Err(broken()), true),
            (Err(closing()), true),
            (Err(lost()), false),
            (Err(in_part()), false),
        ];
        let once = Once::default();
        for (first, is_carried_out_again) in rows {
            let (what, has_failed) = (format!("{first:?}"), first.is_err());
            let name = IdempotencyKey::try_from(name()).expect("visible and short");
            assert_eq!(once.carry_out(&name, async { first }).await.is_err(), has_failed, "{what}");
            let again = once.carry_out(&name, async { Ok(()) }).await.expect("nothing fails");
            assert_eq!(again.is_some(), is_carried_out_again, "{what}");
        }
        assert_ne!(name(), name());
    }
}
