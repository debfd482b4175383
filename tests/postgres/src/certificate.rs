//! Certificates for a server that speaks TLS. It is `localhost` and nobody else, not even `127.0.0.1`, so that a client
//! which checks the name can be told from one that does not.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};

use crate::programs;

/// The certificate of whoever has signed the server's, in PEM, in the cluster's directory.
pub(crate) const AUTHORITY: &str = "authority.crt";
pub(crate) const CERTIFICATE: &str = "server.crt";
pub(crate) const KEY: &str = "server.key";

/// Writes what a server needs to speak TLS into a directory.
pub(crate) fn write(directory: &Path) {
    let authority = authority("Authority of the tests");
    let key = KeyPair::generate().expect("a key");
    let server = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    let server = server.signed_by(&key, &authority).expect("a certificate");
    for (name, text) in
        [(AUTHORITY, authority.pem()), (CERTIFICATE, server.pem()), (KEY, key.serialize_pem())]
    {
        std::fs::write(directory.join(name), text).expect("the directory takes a file");
    }
    // The server refuses a key that is not its user's alone.
    let key = directory.join(KEY);
    std::fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("the file is ours");
    if let Some(user) = programs::server_user() {
        chown(&key, Some(user.uid), Some(user.gid)).expect("root may give it away");
    }
}

/// Writes the certificate of an authority that has signed nothing, and says where: with it, no server is to be
/// trusted.
#[must_use]
pub fn foreign_authority(directory: &Path) -> PathBuf {
    let path = directory.join("foreign.crt");
    std::fs::write(&path, authority("Somebody else").pem()).expect("the directory takes a file");
    path
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(params, key).expect("a certificate")
}
