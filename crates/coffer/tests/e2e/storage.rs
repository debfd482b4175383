//! Which ledger is meant where flags, variables and the TOML file name a directory or a database, and what happens to the
//! password in a URL: nothing that is said shows it.

use std::path::Path;
use std::process::Command;

use tempfile::{TempDir, tempdir};

use crate::support::{Ended, Server, coffer, run, run_refused};

/// A database that nobody serves.
const URL: &str = "postgres://coffer:hunter2@127.0.0.1:1/coffer";
const SHOWN: &str = "postgres://coffer@127.0.0.1:1/coffer";

fn directory() -> TempDir {
    tempdir().expect("a temporary directory")
}

fn serve(arguments: &[&str]) -> Command {
    coffer(&[&["serve", "--listen", "127.0.0.1:0"], arguments].concat())
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// A TOML file in a directory, as an argument.
fn configured(directory: &Path, toml: &str) -> [String; 2] {
    let file = directory.join("coffer.toml");
    std::fs::write(&file, toml).expect("a file can be written");
    ["--config".to_owned(), text(&file).to_owned()]
}

/// How a command ends that must be refused for how it was called, and names what was wrong.
fn misused(command: Command, names: &[&str]) {
    let ended = run_refused(command);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    shows(&ended, names);
}

fn shows(ended: &Ended, names: &[&str]) {
    for name in names {
        assert!(ended.stderr.contains(name), "{name}: {}", ended.stderr);
    }
    assert!(!ended.stderr.contains("hunter2"), "the password is shown: {}", ended.stderr);
    assert!(!ended.stderr.contains("means nothing"), "a variable is unknown: {}", ended.stderr);
}

#[test]
fn two_ledgers_are_refused_and_both_named() {
    let data = directory();
    misused(serve(&["--data", text(data.path()), "--database-url", URL]), &["--data ", "--database-url"]);

    let mut command = serve(&[]);
    command.env("COFFER_DATA", data.path()).env("COFFER_DATABASE_URL", URL);
    misused(command, &["COFFER_DATA ", "COFFER_DATABASE_URL"]);

    let mut command = serve(&[]);
    command.args(configured(data.path(), &format!("data = 'here'\ndatabase_url = '{URL}'")));
    misused(command, &["data ", "database_url"]);

    for command in [&["verify"][..], &["schema", "upgrade"], &["operator-key", "create"]] {
        let mut command = coffer(command);
        command.args(["--data", text(data.path()), "--database-url", URL]);
        misused(command, &["--data ", "--database-url"]);
    }
    assert_eq!(
        std::fs::read_dir(data.path()).expect("the directory is there").count(),
        1,
        "nothing was made"
    );
}

#[test]
fn flags_win_over_variables_and_variables_over_the_file_for_directories() {
    let data = directory();
    let mut command = serve(&["--data", text(data.path())]);
    command.env("COFFER_DATABASE_URL", URL);
    Server::start_with(command, "").stop();

    let mut command = serve(&[]);
    command.env("COFFER_DATA", data.path());
    command.args(configured(data.path(), &format!("database_url = '{URL}'")));
    Server::start_with(command, "").stop();

    let mut command = coffer(&["verify", "--data", text(data.path())]);
    command.env("COFFER_DATABASE_URL", URL);
    let verified = run(command);
    assert_eq!(verified.code, Some(0), "{verified:?}");
}

#[test]
fn a_url_that_is_none_is_named_and_not_shown() {
    let bad = "mysql://coffer:hunter2@db/coffer";
    let home = directory();
    let file = home.path().join("secret");
    std::fs::write(&file, bad).expect("a file can be written");
    let rule = "must begin with postgres:// or postgresql://";

    misused(serve(&["--database-url", bad]), &["--database-url", rule]);
    let mut command = serve(&[]);
    command.env("COFFER_DATABASE_URL", bad);
    misused(command, &["COFFER_DATABASE_URL", rule]);
    let mut command = serve(&[]);
    command.env("COFFER_DATABASE_URL_FILE", &file);
    misused(command, &["COFFER_DATABASE_URL", rule]);
    let mut command = serve(&[]);
    command.args(configured(home.path(), &format!("database_url = '{bad}'")));
    misused(command, &["database_url", rule]);
    misused(coffer(&["migrate", "--from", text(home.path()), "--to", bad]), &["--to", rule]);
}

#[test]
fn a_variable_and_its_file_are_one_too_many() {
    let mut command = serve(&[]);
    command.env("COFFER_DATABASE_URL", URL).env("COFFER_DATABASE_URL_FILE", "/nowhere");
    misused(command, &["COFFER_DATABASE_URL must not be set beside COFFER_DATABASE_URL_FILE"]);
}

#[test]
fn a_broken_file_shows_its_line_but_not_a_password() {
    let home = directory();
    let toml = format!("listen = '127.0.0.1:0'\ndatabase_url = {URL}\n");
    let mut command = coffer(&["serve"]);
    command.args(configured(home.path(), &toml));
    misused(command, &["coffer.toml", "line 2", "database_url"]);

    let mut command = coffer(&["serve"]);
    command.args(configured(home.path(), "database_url = 5"));
    misused(command, &["coffer.toml", "line 1", "database_url"]);
}

#[test]
fn connections_are_bounded_and_go_with_a_database() {
    for count in ["0", "1", "1001"] {
        let command = serve(&["--database-url", URL, "--database-connections", count]);
        misused(command, &["database_connections must be 2 to 1000"]);
    }
    let home = directory();
    let mut command = serve(&["--database-url", URL]);
    command.args(configured(home.path(), "database_connections = 1"));
    misused(command, &["database_connections must be 2 to 1000"]);
    let mut command = serve(&["--data", text(home.path())]);
    command.env("COFFER_DATABASE_CONNECTIONS", "20");
    misused(command, &["database_connections", "database_url"]);
}

#[test]
fn what_is_for_a_directory_refuses_a_database() {
    let home = directory();
    let copy = home.path().join("copy.db");
    misused(coffer(&["dev", "--database-url", URL]), &["coffer dev", "coffer serve"]);
    for (command, named) in [("backup", "coffer backup"), ("restore", "coffer restore")] {
        let mut given = coffer(&[command, text(&copy)]);
        given.env("COFFER_DATABASE_URL", URL);
        misused(given, &[named, "pg_dump", "pg_basebackup"]);
        misused(coffer(&[command, text(&copy), "--database-url", URL]), &[named, "pg_dump"]);
    }
    assert!(!copy.exists());
    misused(coffer(&["account", "list", "--database-url", URL]), &["--database-url", "--url"]);
}

#[test]
fn what_is_for_a_database_wants_one() {
    let home = directory();
    misused(coffer(&["schema", "upgrade"]), &["--database-url"]);
    misused(coffer(&["schema", "upgrade", "--data", text(home.path())]), &["--database-url"]);
    misused(coffer(&["migrate", "--from", text(home.path())]), &["--to", "COFFER_DATABASE_URL"]);
    misused(coffer(&["migrate", "--to", URL]), &["--from"]);
    let twice = ["migrate", "--from", text(home.path()), "--to", URL, "--database-url", URL];
    misused(coffer(&twice), &["--to ", "--database-url"]);
}

#[test]
fn an_empty_directory_is_not_migrated() {
    let home = directory();
    let missing = home.path().join("missing");
    let ended = run(coffer(&["migrate", "--from", text(&missing), "--to", URL]));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    shows(&ended, &[text(&missing), "no ledger", SHOWN]);
    assert!(!missing.exists(), "the directory was made");
}

/// Every command that opens the database, wherever its URL comes from: nobody is there, and the password is not shown.
#[test]
fn a_database_that_is_away_is_told_without_its_password() {
    let home = directory();
    let file = home.path().join("secret");
    std::fs::write(&file, format!("{URL}\n")).expect("a file can be written");
    let toml = configured(home.path(), &format!("database_url = '{URL}'"));
    let mut by_variable = serve(&[]);
    by_variable.env("COFFER_DATABASE_URL", URL);
    let mut by_file = serve(&[]);
    by_file.env("COFFER_DATABASE_URL_FILE", &file).env("COFFER_LOG", "debug");
    let mut by_toml = serve(&[]);
    by_toml.args(toml);
    let mut over_variable = serve(&["--database-url", URL]);
    over_variable.env("COFFER_DATA", home.path());
    let mut verify = coffer(&["verify"]);
    verify.env("COFFER_DATABASE_URL", URL);
    let commands = [
        by_variable,
        by_file,
        by_toml,
        over_variable,
        verify,
        coffer(&["operator-key", "create", "--database-url", URL]),
        coffer(&["schema", "upgrade", "--database-url", URL]),
    ];
    for command in commands {
        let called = format!("{command:?}");
        let ended = run_refused(command);
        assert_eq!(ended.code, Some(1), "{called}: {ended:?}");
        shows(&ended, &[SHOWN]);
        assert!(ended.stdout.is_empty(), "{called}: {}", ended.stdout);
    }
    assert!(!home.path().join("coffer.db").exists());
}
