//! What people read: lines on standard output and standard error.
//!
//! Whoever reads may have gone (`coffer … | head`). That is no failure of what was done, so it is passed over. That there is no
//! space for what was said is one: it may have been a secret that nobody is told again.

use std::fmt::Display;
use std::io::{ErrorKind, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

static IS_LOST: AtomicBool = AtomicBool::new(false);

/// Says something on standard output.
pub(crate) fn say(text: impl Display) {
    if let Err(error) = writeln!(std::io::stdout(), "{text}")
        && error.kind() != ErrorKind::BrokenPipe
        && !IS_LOST.swap(true, Ordering::Relaxed)
    {
        complain(format_args!("standard output cannot be written: {error}"));
    }
}

/// Whether something could not be said.
pub(crate) fn is_lost() -> bool {
    IS_LOST.load(Ordering::Relaxed)
}

/// Says what went wrong on standard error.
pub(crate) fn complain(text: impl Display) {
    drop(writeln!(std::io::stderr(), "coffer: {text}"));
}
