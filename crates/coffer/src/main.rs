//! The one binary: `coffer serve` and `coffer dev` run the server, `verify`, `backup` and `restore` look after its
//! file, `verify`, `migrate` and `schema` after its database, everything else talks to a running one.
//!
//! Owns the command line, the configuration and the exit codes: 0 done, 1 refused or failed, 2 usage.

mod cli;
mod config;
mod storage;

mod dev;
mod ledger;
mod sample;
mod serve;

mod database;
mod maintenance;

mod client;
mod terminal;

use std::process::ExitCode;

use clap::Parser as _;

use cli::{Cli, Command, SchemaCommand};
use terminal::{complain, is_lost};

/// Requests and batches are made of many small pieces that one thread allocates and another frees.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Why a command did not do what it was asked to. The message is for people.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The command line or the configuration is off.
    #[error("{0}")]
    Usage(String),
    /// It was tried, and was refused or failed.
    #[error("{0}")]
    Failed(String),
    /// The server refused, and the refusal has been shown already.
    #[error("refused")]
    Shown,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    for name in config::unknown_variables() {
        complain(format_args!("warning: the variable {name} means nothing to this Coffer"));
    }
    let is_server = matches!(cli.command, Command::Serve(_) | Command::Dev(_));
    let done = match cli.command {
        Command::Serve(options) => serve::run(&cli.globals, options),
        Command::Dev(options) => dev::run(&cli.globals, options),
        Command::Verify => maintenance::verify(&cli.globals),
        Command::Backup { file } => maintenance::back_up(&cli.globals, &file),
        Command::Restore { file } => maintenance::restore(&cli.globals, &file),
        Command::Migrate { from, to } => database::migrate(&cli.globals, &from, to),
        Command::Schema(SchemaCommand::Upgrade) => database::upgrade_schema(&cli.globals),
        Command::Openapi => client::print_openapi(),
        Command::Account(command) => client::account(&cli.globals, command),
        Command::Key(command) => client::key(&cli.globals, command),
        Command::OperatorKey(command) => client::operator_key(&cli.globals, command),
        Command::Grant(command) => client::grant(&cli.globals, command),
        Command::Charge(command) => client::charge(&cli.globals, command),
        Command::Hold(command) => client::hold(&cli.globals, command),
        Command::Refund(options) => client::refund(&cli.globals, options),
        Command::Adjust(options) => client::adjust(&cli.globals, options),
        Command::Balance(options) => client::balance(&cli.globals, options),
        Command::Portal(options) => client::portal(&cli.globals, options),
        Command::Statement(options) => client::statement(&cli.globals, options),
        Command::Usage(options) => client::usage(&cli.globals, options),
        Command::Price(command) => client::price(&cli.globals, command),
        Command::Batch(options) => client::batch(&cli.globals, &options),
    };
    match done {
        // What a server says at its start is nothing that it is for.
        Ok(()) if is_lost() && !is_server => ExitCode::from(1),
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Shown) => ExitCode::from(1),
        Err(Failure::Failed(message)) => {
            complain(message);
            ExitCode::from(1)
        }
        Err(Failure::Usage(message)) => {
            complain(message);
            ExitCode::from(2)
        }
    }
}
