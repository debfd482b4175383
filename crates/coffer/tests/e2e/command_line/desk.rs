//! Somebody at a terminal, a server to talk to, and stand-ins for servers that are not as they should be.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread::JoinHandle;

use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::support::{Ended, Server, coffer, run, run_with_input};

/// A server, and the command line of somebody on the same machine.
pub(crate) struct Desk {
    pub(crate) server: Server,
    pub(crate) data: TempDir,
}

impl Desk {
    pub(crate) fn open() -> Desk {
        let data = tempdir().expect("a temporary directory");
        Desk { server: Server::start(data.path()), data }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        at(self.server.api.url(), self.data.path(), arguments)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        run(self.command(arguments))
    }

    /// Runs a command with something on its standard input.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Ended {
        run_with_input(self.command(arguments), input)
    }

    /// What a command that does its work prints for people.
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        done(self.run(arguments), arguments)
    }

    /// What a command that does its work prints for programs.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let stdout = self.done(&[arguments, &["--json"]].concat());
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {stdout}"))
    }

    /// What a command says that is refused.
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(1), "{arguments:?}: {ended:?}");
        ended.stderr
    }

    pub(crate) fn account(&self) -> String {
        text(&self.json(&["account", "create", "--name", "Acme"]), "id")
    }

    pub(crate) fn account_with(&self, credits: &str) -> String {
        let account = self.account();
        self.done(&["grant", "--account", &account, "--credits", credits]);
        account
    }
}

/// A command that talks to a server, with the operator's key of a data directory.
pub(crate) fn at(url: &str, data: &Path, arguments: &[&str]) -> Command {
    let mut command = coffer(arguments);
    command.args(["--url", url, "--data"]).arg(data);
    command
}

pub(crate) fn done(ended: Ended, arguments: &[&str]) -> String {
    assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
    assert!(ended.stderr.is_empty(), "{arguments:?}: {}", ended.stderr);
    ended.stdout
}

pub(crate) fn text(object: &Value, field: &str) -> String {
    object[field].as_str().unwrap_or_else(|| panic!("no text in {field}: {object}")).to_owned()
}

/// A server of one request, which it answers as it is told to. Its thread ends with the request's head and body.
pub(crate) fn stand_in(answer: impl FnOnce(&mut TcpStream) + Send + 'static) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("a bound port"));
    let server = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().expect("the client connects");
        let request = whole_request(&client);
        answer(&mut client);
        String::from_utf8(request).expect("a request in UTF-8")
    });
    (url, server)
}

/// A request as it came, to the end of its body.
pub(crate) fn whole_request(client: &TcpStream) -> Vec<u8> {
    let mut reader = BufReader::new(client);
    let mut request = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("the client sends its headers");
        write!(request, "{line}").expect("memory takes it");
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a number");
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("the client sends its body");
    request.extend(body);
    request
}
