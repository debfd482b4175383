//! PostgreSQL's wire protocol, as far as it takes to know a COMMIT that a client sends.
//!
//! A client's first messages are a length and a body. From then on each message is a byte for its type, a length of four
//! bytes that counts itself, and a body. A COMMIT comes as the text of a simple query, or is executed by the name of a
//! portal that was bound to a statement that was parsed from it.

use std::collections::HashSet;
use std::io::{self, Read};

/// Longer messages are nothing that a test sends.
const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// What a client's first message asks for, in place of a version of the protocol.
pub(super) const CANCEL: u32 = 80_877_102;
pub(super) const TLS: u32 = 80_877_103;
pub(super) const GSS: u32 = 80_877_104;

/// Ends an exchange of the extended protocol, so that the server answers.
pub(super) const SYNC: [u8; 5] = [b'S', 0, 0, 0, 4];

/// A message from its first to its last byte.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) bytes: Vec<u8>,
    /// Where the body begins.
    body: usize,
}

impl Message {
    /// Reads one of the first messages, which have no type.
    pub(super) fn read_first(from: &mut impl Read) -> io::Result<Message> {
        Message::read_rest(from, Vec::new())
    }

    /// Reads a message; `None` where the sender has ended the connection between two of them.
    pub(super) fn read(from: &mut impl Read) -> io::Result<Option<Message>> {
        let mut kind = [0];
        if from.read(&mut kind)? == 0 {
            return Ok(None);
        }
        Message::read_rest(from, kind.to_vec()).map(Some)
    }

    fn read_rest(from: &mut impl Read, mut bytes: Vec<u8>) -> io::Result<Message> {
        let mut length = [0; 4];
        from.read_exact(&mut length)?;
        let body = bytes.len() + length.len();
        let size = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        let is_sane = (length.len()..=MESSAGE_BYTES_MAX).contains(&size);
        let size = if is_sane { size } else { return Err(io::ErrorKind::InvalidData.into()) };
        bytes.extend(length);
        bytes.resize(body + size - length.len(), 0);
        from.read_exact(&mut bytes[body..])?;
        Ok(Message { bytes, body })
    }

    /// Whether a client's message has an answer that comes to an end: a simple query, a function call, and a sync.
    pub(super) fn is_answered(&self) -> bool {
        matches!(self.kind(), b'Q' | b'F' | b'S')
    }

    /// Whether a server's message says that it waits for the next request.
    pub(super) fn ends_answer(&self) -> bool {
        self.kind() == b'Z'
    }

    /// The type of a message that has one.
    fn kind(&self) -> u8 {
        self.bytes[0]
    }

    /// What a first message asks for.
    pub(super) fn code(&self) -> u32 {
        self.body().first_chunk().map_or(0, |code| u32::from_be_bytes(*code))
    }

    fn body(&self) -> &[u8] {
        &self.bytes[self.body..]
    }
}

/// What has been prepared on a connection that commits.
#[derive(Default, Debug)]
pub(super) struct Prepared {
    statements: HashSet<Vec<u8>>,
    portals: HashSet<Vec<u8>>,
}

impl Prepared {
    /// Takes note of a client's message, and says whether it commits as soon as the server reads it.
    pub(super) fn commits(&mut self, message: &Message) -> bool {
        let mut texts = message.body().split(|byte| *byte == 0);
        let mut next = || texts.next().unwrap_or_default().to_vec();
        match message.kind() {
            b'Q' => return is_commit(&next()),
            b'P' => {
                let (statement, text) = (next(), next());
                set(&mut self.statements, statement, is_commit(&text));
            }
            b'B' => {
                let (portal, statement) = (next(), next());
                set(&mut self.portals, portal, self.statements.contains(&statement));
            }
            b'E' => return self.portals.contains(&next()),
            b'C' => match next().split_first() {
                Some((b'S', name)) => _ = self.statements.remove(name),
                Some((_, name)) => _ = self.portals.remove(name),
                None => {}
            },
            _ => {}
        }
        false
    }
}

fn set(names: &mut HashSet<Vec<u8>>, name: Vec<u8>, is_in: bool) {
    if is_in {
        names.insert(name);
    } else {
        names.remove(&name);
    }
}

/// Whether the last statement of a text is a COMMIT, by any of its names.
fn is_commit(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text).to_ascii_uppercase();
    let last = text.split(';').map(str::trim).rfind(|statement| !statement.is_empty());
    let words: Vec<&str> = last.unwrap_or_default().split_whitespace().collect();
    matches!(words[..], ["COMMIT" | "END"] | ["COMMIT" | "END", "WORK" | "TRANSACTION"])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Message {
        let length = u32::try_from(body.len() + 4).expect("a short body").to_be_bytes();
        let bytes = [&[kind], &length[..], body].concat();
        Message::read(&mut &bytes[..]).expect("a whole message").expect("a message")
    }

    #[test]
    fn a_commit_is_known_by_all_its_names() {
        for text in ["COMMIT", "commit;", " Commit Work ", "END", "INSERT INTO t VALUES (1); COMMIT"] {
            assert!(is_commit(text.as_bytes()), "{text}");
        }
        for text in ["", "COMMIT PREPARED 'a'", "SELECT 'COMMIT'", "COMMIT; SELECT 1", "ROLLBACK"] {
            assert!(!is_commit(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_commit_is_known_by_its_statement_and_portal() {
        let mut prepared = Prepared::default();
        assert!(!prepared.commits(&message(b'P', b"s1\0COMMIT\0\0\0")));
        assert!(!prepared.commits(&message(b'P', b"s2\0SELECT 1\0\0\0")));
        assert!(!prepared.commits(&message(b'B', b"p\0s1\0\0\0\0\0\0\0")));
        assert!(prepared.commits(&message(b'E', b"p\0\0\0\0\0")));
        assert!(!prepared.commits(&message(b'B', b"p\0s2\0\0\0\0\0\0\0")));
        assert!(!prepared.commits(&message(b'E', b"p\0\0\0\0\0")));
    }

    #[test]
    fn what_is_closed_is_forgotten() {
        let mut prepared = Prepared::default();
        prepared.commits(&message(b'P', b"s\0COMMIT\0\0\0"));
        prepared.commits(&message(b'C', b"Ss\0"));
        prepared.commits(&message(b'B', b"\0s\0\0\0\0\0\0\0"));
        assert!(!prepared.commits(&message(b'E', b"\0\0\0\0\0")));
    }

    #[test]
    fn half_a_message_is_an_error_and_none_is_the_end() {
        assert!(Message::read(&mut &b"Q\0\0\0\x09COM"[..]).is_err());
        assert!(Message::read(&mut &b"Q\0\0\0\x03"[..]).is_err(), "a length counts itself");
        assert!(Message::read(&mut &b""[..]).expect("no error").is_none());
    }
}
