//! Erasing free text, a piece at a time, so that no batch is held up.

use coffer_ledger::{AccountId, Actor, Channel, Command, EraseTexts, Outcome, Refusal, Seq, Timestamp};

use crate::limits::ERASED_ENTRIES_MAX;
use crate::service::{Service, Unavailable};
use crate::sessions::audited;

impl Service {
    /// Erases the free text of an account's entries until a time, the grants' included, and answers the number of the
    /// last entry that was looked at. Erasing again changes nothing, so what broke off is simply done again.
    ///
    /// # Errors
    /// Where it cannot be carried out just now; what is erased by then stays erased.
    pub async fn erase_texts(
        &self,
        account_id: AccountId,
        until: Timestamp,
        (actor, channel): (Actor, Channel),
    ) -> Result<Result<Seq, Refusal>, Unavailable> {
        let last = self.reader().last_entry(account_id, until).await?.map_or(Seq(0), |entry| entry.seq);
        let mut from = Seq(1);
        loop {
            let through = Seq(last.0.min(from.0 + ERASED_ENTRIES_MAX - 1));
            let command = Command::EraseTexts(EraseTexts { account_id, from, through, until });
            if let Outcome::Refused(refusal) = self.submit(audited(actor, channel, command)).await? {
                return Ok(Err(refusal));
            }
            if through >= last {
                return Ok(Ok(last));
            }
            from = through.next();
        }
    }
}
