//! Customers' keys. They are changed at the time of the batch, and what is due on their account stays due.

use coffer_ledger::{
    AccountStatus, CreateKey, KeyId, Refusal, RevokeKey, RotateKey, SecretHash, Timestamp, UpdateKey,
};

use super::{Model, Verdict};
use crate::account::Key;
use crate::answer::{Answer, KeyView};

const SECRETS_RETIRED_MAX: usize = 10;

impl Model {
    pub(super) fn create_key(&mut self, clock: Timestamp, create: &CreateKey) -> Verdict {
        let account = self.accounts.iter_mut().find(|account| account.id == create.account_id);
        let account = account.ok_or(Refusal::AccountIsUnknown)?;
        must_lie_ahead(create.expires_at, clock)?;
        if account.status == AccountStatus::Closed {
            return Err(Refusal::AccountIsClosed);
        }
        must_be_new(&self.secrets, create.secret)?;
        let key = Key {
            id: create.id,
            secret: create.secret,
            retired: Vec::new(),
            is_disabled: false,
            is_revoked: false,
            expires_at: create.expires_at,
            limit: create.limit,
            counts: Vec::new(),
        };
        self.secrets.push(create.secret);
        let view = KeyView::of_model(&key);
        account.keys.push(key);
        Ok(Answer::KeyCreated(view))
    }

    pub(super) fn update_key(&mut self, clock: Timestamp, update: &UpdateKey) -> Verdict {
        let key = self.key(update.id)?;
        must_lie_ahead(update.expires_at.flatten(), clock)?;
        if key.is_revoked {
            return Err(Refusal::KeyIsRevoked);
        }
        key.expires_at = update.expires_at.unwrap_or(key.expires_at);
        key.limit = update.limit.unwrap_or(key.limit);
        key.is_disabled = update.disabled.unwrap_or(key.is_disabled);
        Ok(Answer::KeyUpdated(KeyView::of_model(key)))
    }

    pub(super) fn rotate_key(&mut self, clock: Timestamp, rotate: &RotateKey) -> Verdict {
        let secrets = self.secrets.clone();
        let key = self.key(rotate.id)?;
        if key.is_revoked {
            return Err(Refusal::KeyIsRevoked);
        }
        must_be_new(&secrets, rotate.secret)?;
        let until = clock.unix_ms() + i64::from(rotate.overlap_ms);
        let until = Timestamp::from_unix_ms(until).expect("histories end before the year 9999");
        let ends = key.retired.iter().map(|(_, until)| *until).chain([until]);
        if ends.filter(|until| *until > clock).count() > SECRETS_RETIRED_MAX {
            return Err(Refusal::TooManySecretsLiveOn);
        }
        key.retired.push((key.secret, until));
        key.secret = rotate.secret;
        let view = KeyView::of_model(key);
        self.secrets.push(rotate.secret);
        Ok(Answer::KeyRotated(view))
    }

    pub(super) fn revoke_key(&mut self, revoke: &RevokeKey) -> Verdict {
        let key = self.key(revoke.id)?;
        key.is_revoked = true;
        Ok(Answer::KeyRevoked(KeyView::of_model(key)))
    }

    fn key(&mut self, id: KeyId) -> Result<&mut Key, Refusal> {
        let mut keys = self.accounts.iter_mut().flat_map(|account| &mut account.keys);
        keys.find(|key| key.id == id).ok_or(Refusal::KeyIsUnknown)
    }
}

fn must_lie_ahead(expires_at: Option<Timestamp>, at: Timestamp) -> Result<(), Refusal> {
    match expires_at {
        Some(expires_at) if expires_at <= at => Err(Refusal::ExpiryIsNotInTheFuture { at }),
        Some(_) | None => Ok(()),
    }
}

fn must_be_new(secrets: &[SecretHash], secret: SecretHash) -> Result<(), Refusal> {
    if secrets.contains(&secret) { Err(Refusal::SecretIsTaken) } else { Ok(()) }
}
