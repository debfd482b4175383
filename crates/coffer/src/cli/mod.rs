//! The command line: what is asked for, as it was written. What it means is the API's business.

mod accounts;
mod credits;
mod keys;
mod prices;
mod verb;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use accounts::{
    AccountChanges, AccountCommand, BalanceOptions, PortalOptions, StatementFormat, StatementOptions,
    UsageOptions,
};
pub(crate) use credits::{
    AdjustOptions, BatchOptions, ChargeCommand, ChargeOptions, GrantCommand, GrantOptions, HoldCommand,
    HoldOptions, RefundOptions,
};
pub(crate) use keys::{KeyChanges, KeyCommand, OperatorKeyCommand};
pub(crate) use prices::PriceCommand;
pub(crate) use verb::Verb;

use crate::config::ServerOptions;
use crate::storage::Concealed;

/// Prepaid credits behind an API: keys, accounts, grants, charges, balances.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Allowed anywhere.
#[derive(Args, Debug)]
pub(crate) struct Globals {
    /// The data directory: of the server that is started, or of the one whose operator.key is used
    #[arg(long, global = true, env = "COFFER_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The PostgreSQL database that keeps the ledger (better given by COFFER_DATABASE_URL, for it may hold a password)
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) database_url: Option<Concealed>,
    /// The running server that a command talks to [default: http://127.0.0.1:8080]
    #[arg(long, global = true, env = "COFFER_URL", value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The operator key that a command uses (better given by COFFER_OPERATOR_KEY or by --data)
    #[arg(long, global = true, value_name = "KEY")]
    pub(crate) operator_key: Option<String>,
    /// Print the API's JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The name of a request that moves credits; the same name never moves them twice
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) idempotency_key: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server
    Serve(ServerOptions),
    /// Run a server to play with: loopback, a sample account of 1234 credits, fresh data
    Dev(ServerOptions),
    /// Accounts of a running server
    #[command(subcommand)]
    Account(AccountCommand),
    /// Customers' keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// Operators' keys
    #[command(subcommand)]
    OperatorKey(OperatorKeyCommand),
    /// Give credits to an account, or look at what was given
    Grant(Verb<GrantOptions, GrantCommand>),
    /// Spend credits of an account, or look at what was spent
    Charge(Verb<ChargeOptions, ChargeCommand>),
    /// Set credits of an account aside, to be captured or released later
    Hold(Verb<HoldOptions, HoldCommand>),
    /// Give back what was charged
    Refund(RefundOptions),
    /// Correct what an account has, up or down
    Adjust(AdjustOptions),
    /// Show what an account has
    Balance(BalanceOptions),
    /// Make a link to an account's own page, API Key Settings, which works once
    Portal(PortalOptions),
    /// Show what has happened to an account: its entries, newest first
    Statement(StatementOptions),
    /// Show what an account has spent, summed up
    Usage(UsageOptions),
    /// What operations cost
    #[command(subcommand)]
    Price(PriceCommand),
    /// Send many operations at once, each with its own idempotency_key
    Batch(BatchOptions),
    /// Check every account against its entries, beside running servers too; exit 1 if anything is wrong
    Verify,
    /// Copy the ledger to a file, beside a running server too, and verify the copy
    Backup {
        /// The file to make
        file: PathBuf,
    },
    /// Put a verified backup into an empty data directory
    Restore {
        /// The backup
        file: PathBuf,
    },
    /// Move a whole ledger from a data directory, where no server runs, to an empty database, and verify it; broken off,
    /// the same command goes on
    Migrate {
        /// The data directory; nothing in it is changed
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
        /// The database [default: the one that COFFER_DATABASE_URL names]
        #[arg(long, value_name = "URL")]
        to: Option<Concealed>,
    },
    /// The tables of a database
    #[command(subcommand)]
    Schema(SchemaCommand),
    /// Print the OpenAPI document
    Openapi,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SchemaCommand {
    /// Bring the tables of --database-url to the version that this Coffer needs
    Upgrade,
}

/// How much: credits as they are, or an operation at its price.
#[derive(Args, Debug)]
pub(crate) struct CostOptions {
    /// How much
    #[arg(long, allow_hyphen_values = true, conflicts_with_all = ["operation", "quantity"])]
    pub(crate) credits: Option<String>,
    /// The operation whose price counts
    #[arg(long)]
    pub(crate) operation: Option<String>,
    /// How many units of the operation [default: 1]
    #[arg(long, requires = "operation")]
    pub(crate) quantity: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct NoteOptions {
    /// Your own word for it
    #[arg(long)]
    pub(crate) reference: Option<String>,
    /// Your own pairs
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) metadata: Vec<(String, String)>,
}

#[derive(Args, Debug)]
pub(crate) struct PageOptions {
    /// How many, 1 to 100
    #[arg(long)]
    pub(crate) limit: Option<u32>,
    /// The cursor that the page before ended with
    #[arg(long)]
    pub(crate) cursor: Option<String>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("must be KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}
