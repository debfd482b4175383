//! The cookies that hold tokens.
//!
//! `__Host-` and `Secure` keep them to encrypted connections and to this host alone. A server that is reached at
//! `http://127.0.0.1` or `http://localhost` has neither, for some browsers take no such cookie there; what never leaves the
//! machine needs no encryption.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use coffer_ledger::Session;
use coffer_service::SessionToken;

use crate::App;
use crate::pages::look::cookie;
use crate::place::Place;

/// Whose sessions a cookie is for: the two are apart, so that one may be a customer and an operator in one browser.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Whose {
    Customer,
    Operator,
}

impl Whose {
    fn place(self, app: &App) -> &Place {
        match self {
            Whose::Customer => app.places.public(),
            Whose::Operator => app.places.operator(),
        }
    }

    const fn name(self, is_secure: bool) -> &'static str {
        match (self, is_secure) {
            (Whose::Customer, true) => "__Host-coffer_portal",
            (Whose::Customer, false) => "coffer_portal",
            (Whose::Operator, true) => "__Host-coffer_console",
            (Whose::Operator, false) => "coffer_console",
        }
    }

    /// The token that a browser sends.
    pub(crate) fn token(self, app: &App, headers: &HeaderMap) -> Option<SessionToken> {
        let name = self.name(self.place(app).has_secure_cookies());
        cookie(headers, name).and_then(SessionToken::presented)
    }

    /// Lets the browser keep a token for as long as it opens something.
    pub(crate) fn keep(self, app: &App, token: &SessionToken, session: &Session, response: &mut Response) {
        let ms = session.expires_at.unix_ms() - app.service.now().unix_ms();
        self.set(app, token.expose(), ms.max(0) / 1000, response);
    }

    /// Lets the browser forget its token.
    pub(crate) fn forget(self, app: &App, response: &mut Response) {
        self.set(app, "", 0, response);
    }

    fn set(self, app: &App, value: &str, seconds: i64, response: &mut Response) {
        let is_secure = self.place(app).has_secure_cookies();
        let (name, secure) = (self.name(is_secure), if is_secure { "; Secure" } else { "" });
        let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        let cookie = HeaderValue::try_from(text).expect("a token is visible ASCII");
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}
