//! Commands that move credits.

use clap::Args;

use super::NoteOptions;

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

#[derive(Args, Debug)]
pub(crate) struct ChargeOptions {
    /// The account's id
    #[arg(long)]
    pub(crate) account: String,
    /// How much
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) credits: String,
    #[command(flatten)]
    pub(crate) note: NoteOptions,
}
