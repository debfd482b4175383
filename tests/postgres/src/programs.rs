//! Where the server's programs are, and as whom they run.

use std::path::{Path, PathBuf};

/// Where Debian puts the programs of each version, for it leaves them out of `PATH`.
const DEBIAN: &str = "/usr/lib/postgresql";

/// A user's and a group's number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// The directory with `initdb`, `pg_ctl` and `postgres`: what is in `PATH`, or else Debian's newest.
pub(crate) fn directory() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path);
    let found = in_path.chain(debians()).find(|directory| has_server(directory));
    found.unwrap_or_else(|| {
        panic!(
            "The tests need the programs of a PostgreSQL server, version 15 or newer: initdb, pg_ctl and postgres are \
             neither in PATH nor in {DEBIAN}/*/bin. On Debian: apt-get install postgresql"
        )
    })
}

/// Debian's directories, newest version first.
fn debians() -> Vec<PathBuf> {
    let versions = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|version| Some((version.file_name().to_str()?.parse().ok()?, version.path().join("bin"))))
        .collect();
    versions.sort_unstable_by(|one, other| other.cmp(one));
    versions.into_iter().map(|(_, directory)| directory).collect()
}

fn has_server(directory: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres"].iter().all(|program| directory.join(program).is_file())
}

/// As whom the server must run where this process is root's, for PostgreSQL refuses root: Debian's own user for it,
/// or else nobody. `None` where this process is somebody's.
pub(crate) fn server_user() -> Option<User> {
    let users = || std::fs::read_to_string("/etc/passwd").expect("every system has a list of its users");
    is_root().then(|| {
        let users = users();
        let found = ["postgres", "nobody"].iter().find_map(|name| user(&users, name));
        found.expect("PostgreSQL refuses root, and there is neither a user postgres nor a user nobody")
    })
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").expect("this is Linux").uid() == 0
}

fn user(users: &str, name: &str) -> Option<User> {
    let mut fields = users.lines().map(|line| line.split(':')).find_map(|mut fields| {
        let is_it = fields.next() == Some(name);
        is_it.then(|| fields.skip(1))
    })?;
    Some(User { uid: fields.next()?.parse().ok()?, gid: fields.next()?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_the_whole_name() {
        let users = "root:x:0:0:root:/root:/bin/bash\npostgresql:x:7:8::/:/bin/sh\npostgres:x:101:104:,,,:/:/bin/sh\n";
        assert_eq!(user(users, "postgres"), Some(User { uid: 101, gid: 104 }));
        assert_eq!(user(users, "nobody"), None);
    }

    #[test]
    fn the_programs_are_here() {
        assert!(has_server(&directory()));
    }
}
