//! `strace` on a running server: it notes what the server asks of some of its files, and can let that fail.

use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use tempfile::{TempDir, tempdir};

use crate::support::{Process, Server, say_loudly, until};

pub(crate) struct Tracer {
    process: Process,
    directory: TempDir,
}

/// What a tracer has noted, in `calls`, or of each thread in a file `calls.N`, as its options say.
pub(crate) struct Noted(TempDir);

impl Tracer {
    /// Attaches one; `None`, said loudly, where processes cannot be traced.
    pub(crate) async fn attach(server: &Server, files: &[&Path], options: &[&str]) -> Option<Tracer> {
        let directory = tempdir().expect("a temporary directory");
        let mut strace = Command::new("strace");
        strace.args(["-e", "trace=fsync,fdatasync,pwrite64,ftruncate"]).args(options);
        for file in files {
            strace.arg("-P").arg(file);
        }
        strace.arg("-o").arg(directory.path().join("calls"));
        strace.args(["-p", &server.process.id().to_string()]);
        if let Err(error) = Command::new("strace").arg("--version").output() {
            return skip(&format!("strace is missing (apt install strace): {error}"));
        }
        let mut process = Process::spawn(strace);
        until("the tracer is attached or gives up", async || {
            process.log().contains("attached") || process.has_ended()
        })
        .await;
        if process.has_ended() {
            return skip(&process.log());
        }
        Some(Tracer { process, directory })
    }

    /// Everything that the server has asked of the files, once it has ended.
    pub(crate) fn noted(self) -> Noted {
        self.process.ended();
        Noted(self.directory)
    }

    /// Leaves a server that goes on, with what it has asked of the files until then.
    pub(crate) fn detach(self) -> Noted {
        self.process.signal(Signal::INT);
        self.noted()
    }
}

impl Noted {
    /// What is in each file, one after the other.
    pub(crate) fn texts(&self) -> impl Iterator<Item = String> {
        let files = std::fs::read_dir(&self.0).expect("the tracer's directory");
        let paths = files.map(|file| file.expect("the tracer's directory").path());
        paths.map(|path| std::fs::read_to_string(path).expect("the tracer writes ASCII"))
    }
}

fn skip(reason: &str) -> Option<Tracer> {
    say_loudly(&format!("SKIPPED: no process can be traced here (as root it can): {}", reason.trim()));
    None
}
