//! What Coffer is measured against.

fn main() {}
