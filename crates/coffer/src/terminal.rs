//! What people read: lines on standard output and standard error.
//!
//! Whoever reads may have gone (`coffer … | head`). That is no failure of what was done, so it is passed over.

use std::fmt::Display;
use std::io::Write as _;

/// Says something on standard output.
pub(crate) fn say(text: impl Display) {
    drop(writeln!(std::io::stdout(), "{text}"));
}

/// Says what went wrong on standard error.
pub(crate) fn complain(text: impl Display) {
    drop(writeln!(std::io::stderr(), "coffer: {text}"));
}
