//! Sessions at work: tokens, who is let in, and for how long.

use std::fmt;
use std::sync::Arc;

use coffer_ledger::{
    AccountId, AccountStatus, ActionId, Actor, Audited, Bucket, Channel, Client, Command, EndSession,
    EndSessions, OfferSession, OpenSession, OperatorKey, Outcome, Refusal, ReturnUrl, Scopes, SecretHash,
    Session, SessionId, SessionOf, SignIn, UseSession,
};
use rand::distr::{Alphanumeric, SampleString as _};

use crate::ids::mint_id;
use crate::secret::Secret;
use crate::service::{ReadError, Service, Unavailable};

/// 43 characters of 62 carry 256 bits.
const RANDOM_CHARACTERS: usize = 43;
/// The id, the `.`, and the rest.
const TOKEN_CHARACTERS: usize = 30 + 1 + RANDOM_CHARACTERS;

/// What opens a session: its id, so that it is found, and 256 random bits. Only the hash of it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken {
    id: SessionId,
    text: Box<str>,
}

impl SessionToken {
    fn mint(id: SessionId) -> SessionToken {
        let random = Alphanumeric.sample_string(&mut rand::rng(), RANDOM_CHARACTERS);
        SessionToken { id, text: format!("{id}.{random}").into() }
    }

    /// Whatever somebody presents, if it has the form of a token.
    #[must_use]
    pub fn presented(text: &str) -> Option<SessionToken> {
        if text.len() != TOKEN_CHARACTERS {
            return None;
        }
        let (id, random) = text.split_once('.')?;
        if !random.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        Some(SessionToken { id: id.parse().ok()?, text: text.into() })
    }

    /// The session that it is of.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// The plain text, for the one who is let in.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    fn hash(&self) -> SecretHash {
        Secret::presented(&self.text).hash()
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(redacted)")
    }
}

/// A live operator's key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LiveOperator {
    /// One that the ledger knows.
    Known(Arc<OperatorKey>),
    /// The one with this hash, which was given by configuration and may do everything.
    Configured(SecretHash),
}

impl LiveOperator {
    /// What it may do.
    #[must_use]
    pub fn scopes(&self) -> Scopes {
        match self {
            LiveOperator::Known(key) => key.scopes,
            LiveOperator::Configured(_) => Scopes::ALL,
        }
    }

    /// Which key it is, as sessions name it.
    #[must_use]
    pub fn key(&self) -> SessionOf {
        match self {
            LiveOperator::Known(key) => SessionOf::OperatorKey(key.id),
            LiveOperator::Configured(secret) => SessionOf::ConfiguredKey(*secret),
        }
    }

    /// Who it is in the audit log.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match self {
            LiveOperator::Known(key) => Actor::OperatorKey(key.id),
            LiveOperator::Configured(_) => Actor::ConfiguredKey,
        }
    }
}

/// A command as somebody's action, of which the audit log tells.
#[must_use]
pub fn audited(actor: Actor, channel: Channel, command: Command) -> Command {
    let id = ActionId::from_bytes(mint_id(command.bucket()));
    Command::Audited(Box::new(Audited { id, actor, channel, command }))
}

impl Service {
    /// Makes a link by which a customer is let in once.
    ///
    /// # Errors
    /// Where it cannot be made just now.
    pub async fn offer_session(
        &self,
        account_id: AccountId,
        expires_in_ms: u32,
        return_url: Option<ReturnUrl>,
        (actor, channel): (Actor, Channel),
    ) -> Result<Result<(SessionToken, Session), Refusal>, Unavailable> {
        let id = SessionId::from_bytes(mint_id(account_id.bucket()));
        let token = SessionToken::mint(id);
        let offer = OfferSession { id, account_id, secret: token.hash(), expires_in_ms, return_url };
        let outcome = self.submit(audited(actor, channel, Command::OfferSession(offer))).await?;
        Ok(opened(outcome).map(|session| (token, session)))
    }

    /// Spends a link, and lets in whoever had it, with another token.
    ///
    /// # Errors
    /// Where it cannot be done just now.
    pub async fn open_session(
        &self,
        link: &SessionToken,
        client: Option<Client>,
    ) -> Result<Result<(SessionToken, Session), Refusal>, Unavailable> {
        let found = self.reader().session(link.id).await?;
        let Some(Session { of: SessionOf::Account(account_id), .. }) = found else {
            return Ok(Err(Refusal::SessionIsUnknown));
        };
        let token = SessionToken::mint(link.id);
        let open =
            OpenSession { id: link.id, account_id, offered: link.hash(), secret: token.hash(), client };
        let command = audited(Actor::Customer, Channel::Portal, Command::OpenSession(open));
        Ok(opened(self.submit(command).await?).map(|session| (token, session)))
    }

    /// Lets an operator in whose secret is live.
    ///
    /// # Errors
    /// Where it cannot be done just now.
    pub async fn sign_in(
        &self,
        secret: &Secret,
        client: Option<Client>,
    ) -> Result<Result<(SessionToken, Session), Refusal>, Unavailable> {
        let Some(operator) = self.operator(&secret.hash()).await? else {
            return Ok(Err(Refusal::OperatorKeyIsUnknown));
        };
        let id = SessionId::from_bytes(mint_id(Bucket::CATALOGUE));
        let token = SessionToken::mint(id);
        let sign_in = SignIn { id, of: operator.key(), secret: token.hash(), client };
        let command = audited(operator.actor(), Channel::Console, Command::SignIn(sign_in));
        Ok(opened(self.submit(command).await?).map(|session| (token, session)))
    }

    /// The session of a customer that a token opens, if it does: the account is not closed, and the session has not ended.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn customer_session(
        &self,
        token: &SessionToken,
    ) -> Result<Option<(AccountId, Session)>, ReadError> {
        let Some(session) = self.admitted(token).await? else { return Ok(None) };
        let SessionOf::Account(id) = session.of else { return Ok(None) };
        let account = self.reader().account(id).await?;
        if account.is_none_or(|account| account.status == AccountStatus::Closed) {
            return Ok(None);
        }
        self.note_session_use(&session).await;
        Ok(Some((id, session)))
    }

    /// The session of an operator that a token opens, if it does: the key that it was opened with is live still.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn operator_session(
        &self,
        token: &SessionToken,
    ) -> Result<Option<(LiveOperator, Session)>, ReadError> {
        let Some(session) = self.admitted(token).await? else { return Ok(None) };
        let Some(operator) = self.live_operator(session.of).await? else { return Ok(None) };
        self.note_session_use(&session).await;
        Ok(Some((operator, session)))
    }

    /// Ends a session from within: whoever holds it leaves.
    ///
    /// # Errors
    /// Where it cannot be ended just now.
    pub async fn sign_out(&self, id: SessionId, of: SessionOf) -> Result<(), Unavailable> {
        self.submit(Command::EndSession(EndSession { id, of })).await.map(drop)
    }

    /// Ends a session that somebody has picked from a list.
    ///
    /// # Errors
    /// Where it cannot be ended just now.
    pub async fn end_session(
        &self,
        id: SessionId,
        of: SessionOf,
        (actor, channel): (Actor, Channel),
    ) -> Result<(), Unavailable> {
        let command = Command::EndSession(EndSession { id, of });
        self.submit(audited(actor, channel, command)).await.map(drop)
    }

    /// Ends all sessions of one holder, and the links that nobody has opened.
    ///
    /// # Errors
    /// Where they cannot be ended just now.
    pub async fn end_sessions(
        &self,
        of: SessionOf,
        (actor, channel): (Actor, Channel),
    ) -> Result<(), Unavailable> {
        let command = Command::EndSessions(EndSessions { of });
        self.submit(audited(actor, channel, command)).await.map(drop)
    }

    async fn admitted(&self, token: &SessionToken) -> Result<Option<Session>, ReadError> {
        let session = self.reader().session(token.id).await?;
        Ok(session.filter(|session| session.admits(&token.hash(), self.now())))
    }

    /// What a key may do that is live now, asked anew each time.
    async fn live_operator(&self, key: SessionOf) -> Result<Option<LiveOperator>, ReadError> {
        match key {
            SessionOf::Account(_) => Ok(None),
            SessionOf::ConfiguredKey(secret) => {
                Ok(self.is_configured(&secret).then_some(LiveOperator::Configured(secret)))
            }
            SessionOf::OperatorKey(id) => {
                let key = self.reader().operator_key_record(id).await?;
                let live = key.filter(|key| key.revoked_at.is_none());
                Ok(live.map(|key| LiveOperator::Known(Arc::new(key))))
            }
        }
    }

    /// Notes now and then that a session is in use. Where it cannot be noted, the session may lapse earlier.
    async fn note_session_use(&self, session: &Session) {
        if !session.is_to_be_noted(self.now()) {
            return;
        }
        let command = Command::UseSession(UseSession { id: session.id, of: session.of });
        if let Err(error) = self.submit(command).await {
            tracing::debug!(%error, "the use of a session could not be noted");
        }
    }
}

fn opened(outcome: Outcome) -> Result<Session, Refusal> {
    match outcome {
        Outcome::SessionOffered(session) | Outcome::SessionOpened(session) => Ok(session),
        Outcome::Refused(refusal) => Err(refusal),
        other => unreachable!("a session is offered or opened, and not {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_made() {
        let id = SessionId::from_bytes(mint_id(Bucket(7)));
        let token = SessionToken::mint(id);
        assert_eq!(token.expose().len(), TOKEN_CHARACTERS);
        assert_eq!(SessionToken::presented(token.expose()), Some(token.clone()));
        assert_ne!(SessionToken::mint(id).hash(), token.hash());
        assert_eq!(format!("{token:?}"), "SessionToken(redacted)");
        for text in [
            "",
            "ses_",
            &token.expose()[1..],
            &token.expose().replace('.', "-"),
            &format!("{}é", &token.expose()[..72]),
        ] {
            assert_eq!(SessionToken::presented(text), None, "{text}");
        }
    }
}
