//! Who starts and stops the server, and ends it when this process ends, however that happens.
//!
//! A shell runs beside this process, as the server's user, in a process group of its own and deaf to signals that a
//! terminal sends. It carries out one command line after another that it reads from a pipe. When this process ends,
//! by a panic, an abort or `kill -9`, the system closes the pipe, and the shell stops the server and removes its
//! directory. All commands go through it, so that none can be under way when it does so: a `pg_ctl start` of this
//! process's own could outlive it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::programs;

/// What the shell runs. `$1` is the directory with the programs; its working directory is the cluster's.
///
/// The commands get back the signals to which the shell is deaf, for what is ignored is inherited.
const SCRIPT: &str = r#"
trap '' INT TERM HUP PIPE
PATH="$1:$PATH"
while read -r command; do
  (trap - INT TERM HUP PIPE; eval "$command") >>commands.log 2>&1 </dev/null
  echo $?
done
pg_ctl -D data -m immediate stop >/dev/null 2>&1
directory=$(pwd)
cd /
rm -rf "$directory"
"#;

/// A shell that carries out commands in a directory, and takes that away in the end.
pub(crate) struct Keeper {
    shell: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    directory: PathBuf,
}

impl Keeper {
    /// Starts one, with a new directory under the system's temporary one.
    pub(crate) fn start() -> Keeper {
        let temporary = tempfile::Builder::new().prefix("coffer-postgres-").tempdir();
        let directory = temporary.expect("a temporary directory").keep();
        let mut command = Command::new("sh");
        command.arg("-c").arg(SCRIPT).arg("keeper").arg(programs::directory());
        command.current_dir(&directory).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // A setting of this environment, such as PGDATA or a language, would make another server on another machine.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("PG") || text.starts_with("LC_") || text == "LANG" {
                command.env_remove(name);
            }
        }
        if let Some(user) = programs::server_user() {
            std::os::unix::fs::chown(&directory, Some(user.uid), Some(user.gid))
                .expect("root may give it away");
            command.uid(user.uid).gid(user.gid);
        }
        let mut shell = command.spawn().expect("there is a shell");
        let commands = shell.stdin.take();
        let answers = BufReader::new(shell.stdout.take().expect("standard output is a pipe"));
        Keeper { shell, commands, answers, directory }
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The number of the shell's process.
    pub(crate) fn id(&self) -> u32 {
        self.shell.id()
    }

    /// Carries out one line of the shell's language, in the cluster's directory.
    ///
    /// # Errors
    /// What the command has said, where it failed.
    pub(crate) fn run(&mut self, command: &str) -> Result<(), String> {
        let commands = self.commands.as_mut().expect("the shell is told to end only when it is dropped");
        writeln!(commands, "{command}").expect("the shell reads commands");
        let mut code = String::new();
        self.answers.read_line(&mut code).expect("the shell answers");
        if code == "0\n" {
            return Ok(());
        }
        Err(format!("{command} ended with {}:\n{}", code.trim(), self.said()))
    }

    /// What commands have said so far.
    fn said(&self) -> String {
        std::fs::read_to_string(self.directory.join("commands.log")).unwrap_or_default()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.commands.take());
        // Where waiting fails there is nothing left to wait for.
        drop(self.shell.wait());
    }
}
