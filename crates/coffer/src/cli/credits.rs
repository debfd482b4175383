//! Commands that move credits, and those that look at what was moved.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use super::{CostOptions, NoteOptions, PageOptions};

#[derive(Args, Debug)]
pub(crate) struct GrantOptions {
    /// The account's id
    #[arg(long)]
    pub(crate) account: String,
    /// How much
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) credits: String,
    /// paid or promotional
    #[arg(long)]
    pub(crate) category: Option<String>,
    /// 0 burns first, 100 last
    #[arg(long)]
    pub(crate) priority: Option<u8>,
    /// When it takes effect (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(crate) effective_at: Option<String>,
    /// When it expires (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(crate) expires_at: Option<String>,
    #[command(flatten)]
    pub(crate) note: NoteOptions,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GrantCommand {
    /// List an account's grants, newest first
    List {
        /// The account's id
        #[arg(long)]
        account: String,
        #[command(flatten)]
        page: PageOptions,
    },
    /// Show a grant
    Show {
        /// The grant's id
        id: String,
    },
    /// Take back what is left of a grant and not held
    Void {
        /// The grant's id
        id: String,
    },
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("cost").args(["credits", "operation"]).required(true))]
pub(crate) struct ChargeOptions {
    /// The account's id
    #[arg(long)]
    pub(crate) account: String,
    #[command(flatten)]
    pub(crate) cost: CostOptions,
    #[command(flatten)]
    pub(crate) note: NoteOptions,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ChargeCommand {
    /// List charges, newest first
    List {
        /// Only those of the account with this id
        #[arg(long)]
        account: Option<String>,
        /// Only those with this reference
        #[arg(long)]
        reference: Option<String>,
        #[command(flatten)]
        page: PageOptions,
    },
    /// Show a charge
    Show {
        /// The charge's id
        id: String,
    },
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("cost").args(["credits", "operation"]).required(true))]
pub(crate) struct HoldOptions {
    /// The account's id
    #[arg(long)]
    pub(crate) account: String,
    #[command(flatten)]
    pub(crate) cost: CostOptions,
    /// When it is released by itself, 1 to 604800 [default: 900]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) expires_in: Option<u32>,
    #[command(flatten)]
    pub(crate) note: NoteOptions,
}

#[derive(Debug, Subcommand)]
pub(crate) enum HoldCommand {
    /// List holds, newest first
    List {
        /// Only those of the account with this id
        #[arg(long)]
        account: Option<String>,
        /// Only those with this status: open, captured, released or expired
        #[arg(long)]
        status: Option<String>,
        #[command(flatten)]
        page: PageOptions,
    },
    /// Show a hold
    Show {
        /// The hold's id
        id: String,
    },
    /// Charge what is held, or a part of it
    Capture {
        /// The hold's id
        id: String,
        /// How much [default: all that is held]
        #[arg(long, allow_hyphen_values = true, conflicts_with = "quantity")]
        credits: Option<String>,
        /// How many units of the hold's operation, in place of --credits
        #[arg(long)]
        quantity: Option<String>,
        /// Leave the hold open with what is left of it
        #[arg(long)]
        not_final: bool,
        /// What to do if it is more than is held: refuse, charge (from what is available) or force (into debt)
        /// [default: refuse]
        #[arg(long)]
        excess: Option<String>,
    },
    /// Make what is held available again
    Release {
        /// The hold's id
        id: String,
    },
}

#[derive(Args, Debug)]
pub(crate) struct RefundOptions {
    /// The charge's id
    #[arg(value_name = "CHARGE_ID")]
    pub(crate) charge: String,
    /// How much [default: all that is left of it]
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) credits: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct AdjustOptions {
    /// The account's id
    #[arg(long)]
    pub(crate) account: String,
    /// How much; below zero to take away
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) credits: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Take away more than is available, and past the overdraft limit
    #[arg(long)]
    pub(crate) allow_negative: bool,
}

#[derive(Args, Debug)]
pub(crate) struct BatchOptions {
    /// A file with the JSON of POST /v1/batch [default: standard input]
    pub(crate) file: Option<PathBuf>,
}
