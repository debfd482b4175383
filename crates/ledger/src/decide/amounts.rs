//! Sums that the guards have made sure of.

use crate::Credits;

pub(super) fn plus(a: Credits, b: Credits) -> Credits {
    a.checked_add(b).expect("the guards keep every total in range")
}

pub(super) fn minus(a: Credits, b: Credits) -> Credits {
    a.checked_sub(b).expect("the guards keep every total in range")
}
