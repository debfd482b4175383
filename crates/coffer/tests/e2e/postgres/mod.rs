//! What only nodes on a real database can show: races between them, databases that crash, and connections that break.

mod changed;
mod connecting;
mod dangers;
mod doubt;
mod locked;
mod outages;
mod racing;
mod revoked_keys;
mod setbacks;
mod silence;
