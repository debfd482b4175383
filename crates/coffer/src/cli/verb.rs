//! Commands such as `coffer grant`, which do something as they stand and have subcommands besides.

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches, Id, Subcommand};

/// What stands behind such a command: its own options, or a subcommand.
///
/// clap's own `args_conflicts_with_subcommands` would refuse `coffer grant --json list` as well, although the
/// options of `Globals` go anywhere. So the conflict is looked for here, among the options of `Plain` alone.
#[derive(Debug)]
pub(crate) enum Verb<Plain, Other> {
    Plain(Plain),
    Other(Other),
}

impl<Plain: Args, Other: Subcommand> FromArgMatches for Verb<Plain, Other> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let Some(subcommand) = matches.subcommand_name() else {
            return Plain::from_arg_matches(matches).map(Verb::Plain);
        };
        let plain = Plain::augment_args(Command::new("plain"));
        let is_given = |id: &Id| matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
        let given = plain.get_arguments().filter(|argument| is_given(argument.get_id()));
        match given.filter_map(Arg::get_long).next() {
            None => Other::from_arg_matches(matches).map(Verb::Other),
            Some(option) => {
                let message = format!("the argument '--{option}' cannot be used before '{subcommand}'");
                Err(Error::raw(ErrorKind::ArgumentConflict, message))
            }
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl<Plain: Args, Other: Subcommand> Args for Verb<Plain, Other> {
    fn augment_args(command: Command) -> Command {
        Other::augment_subcommands(Plain::augment_args(command)).subcommand_negates_reqs(true)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
