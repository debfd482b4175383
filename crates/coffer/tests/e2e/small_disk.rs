//! A file system of a test's own, small enough to be filled.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::{TempDir, tempdir};

use crate::support::{run, say_loudly};

/// A file system in memory, unmounted when this value is dropped.
pub(crate) struct SmallDisk {
    directory: TempDir,
}

impl SmallDisk {
    /// Mounts one; `None`, said loudly, where this user may not mount.
    pub(crate) fn mount(size: &str) -> Option<SmallDisk> {
        let directory = tempdir().expect("a temporary directory");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "coffer-test"]).arg(directory.path());
        match mount.output() {
            Ok(output) if output.status.success() => Some(SmallDisk { directory }),
            Ok(output) => skip(&String::from_utf8_lossy(&output.stderr)),
            Err(error) => skip(&error.to_string()),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Takes all the space that is left.
    pub(crate) fn fill(&self) {
        let mut file = File::create(self.filler()).expect("a file can be made");
        let mut piece = vec![0; 64 * 1024];
        while !piece.is_empty() {
            match file.write(&piece) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => piece.truncate(piece.len() / 2),
                Err(error) => panic!("{error}"),
            }
        }
    }

    pub(crate) fn free(&self) {
        std::fs::remove_file(self.filler()).expect("the filler is there");
    }

    fn filler(&self) -> PathBuf {
        self.directory.path().join("filler")
    }

    pub(crate) fn remount_read_only(&self) {
        let mut mount = Command::new("mount");
        mount.args(["-o", "remount,ro"]).arg(self.directory.path());
        let done = run(mount);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, for a test that fails may still have a server on it.
        let mut unmount = Command::new("umount");
        unmount.arg("--lazy").arg(self.directory.path());
        drop(unmount.output());
    }
}

fn skip(reason: &str) -> Option<SmallDisk> {
    say_loudly(&format!("SKIPPED: no file system can be mounted here (as root it can): {}", reason.trim()));
    None
}
