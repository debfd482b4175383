//! Commands for the catalogue of prices.

use clap::Subcommand;

use super::PageOptions;

#[derive(Debug, Subcommand)]
pub(crate) enum PriceCommand {
    /// Set what an operation costs from now on
    Set {
        /// The operation's name
        operation: String,
        /// What one unit costs; 0 is free
        #[arg(long, value_name = "CREDITS", allow_hyphen_values = true)]
        credits_per_unit: String,
        /// What one unit is, such as image
        #[arg(long)]
        unit: Option<String>,
        /// What the operation is
        #[arg(long)]
        description: Option<String>,
    },
    /// List prices
    List {
        #[command(flatten)]
        page: PageOptions,
    },
    /// Take an operation out of the catalogue
    Delete {
        /// The operation's name
        operation: String,
    },
}
