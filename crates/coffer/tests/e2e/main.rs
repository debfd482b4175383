//! The whole of Coffer from outside: the real binary, its ports, its files, and the clients that people have.
//!
//! One file a topic. What a rule of the ledger or a route answers in detail is tested in their crates; here
//! is what only a process can show: starts and ends, races, crashes, full disks, slow and broken connections.

mod every_kind;
mod load;
mod nodes;
mod small_disk;
mod support;
mod tracer;
mod wire;

mod backup;
mod clients;
mod command_line;
mod connections;
mod console;
mod crash;
mod damage;
mod disk;
mod first_start;
mod full_disk;
mod history;
mod log;
mod moving;
mod portal;
mod postgres;
mod power_cut;
mod racing;
mod refused_files;
mod shared_ledger;
mod statement_verifier;
mod storage;
mod sync_failure;
mod unbroken;
mod verified_files;
