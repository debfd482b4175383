//! What people read: lines on standard output and standard error.
//!
//! Whoever reads may have gone (`coffer … | head`). That is no failure of what was done, so it is passed over. That there is no
//! space for what was said is one: it may have been a secret that nobody is told again.

use std::fmt::Display;
use std::io::{ErrorKind, Write as _};
use std::sync::OnceLock;

static UNSAID: OnceLock<String> = OnceLock::new();

/// Says something on standard output.
pub(crate) fn say(text: impl Display) {
    if let Err(error) = writeln!(std::io::stdout(), "{text}")
        && error.kind() != ErrorKind::BrokenPipe
    {
        UNSAID.get_or_init(|| error.to_string());
    }
}

/// Why something could not be said, if anything could not.
pub(crate) fn unsaid() -> Option<&'static str> {
    UNSAID.get().map(String::as_str)
}

/// Says what went wrong on standard error.
pub(crate) fn complain(text: impl Display) {
    drop(writeln!(std::io::stderr(), "coffer: {text}"));
}
