//! Where an answer ends, and what its status is: no more of it is parsed.

use std::ops::Range;

use memchr::memchr_iter;
use memchr::memmem;

use crate::Broken;

const HTTP: &[u8] = b"HTTP/1.1 ";
const HEAD_END: &[u8] = b"\r\n\r\n";
const LENGTH: &[u8] = b"content-length:";
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// What a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1, with connections that are kept and answers that tell their length.
    Http,
    /// Redis's, with answers of one line: an integer, a word, or an error. An error counts as a status of 500, everything else
    /// as 200.
    Redis,
}

/// What is known of an answer before all of it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    body_at: usize,
    pub(crate) end: usize,
}

impl Head {
    pub(crate) fn body(self) -> Range<usize> {
        self.body_at..self.end
    }
}

impl Protocol {
    /// `None` while too little of it is there.
    pub(crate) fn head(self, bytes: &[u8]) -> Result<Option<Head>, Broken> {
        match self {
            Protocol::Http => http(bytes),
            Protocol::Redis => redis(bytes),
        }
    }
}

fn http(bytes: &[u8]) -> Result<Option<Head>, Broken> {
    let Some(head_end) = memmem::find(bytes, HEAD_END) else {
        return if bytes.len() > HEAD_BYTES_MAX { Err(strange("an answer", bytes)) } else { Ok(None) };
    };
    let (head, body_at) = (&bytes[..head_end + 2], head_end + HEAD_END.len());
    let status = head.strip_prefix(HTTP).and_then(|rest| number(rest.get(..3)?));
    let status = status.and_then(|status| u16::try_from(status).ok());
    let status = status.ok_or_else(|| strange("an answer", head))?;
    let length = match status {
        204 | 304 => 0,
        _ => length(head).ok_or_else(|| strange("an answer that does not tell its length", head))?,
    };
    Ok(Some(Head { status, body_at, end: body_at + length }))
}

fn length(head: &[u8]) -> Option<usize> {
    let mut line_at = 0;
    for line_end in memchr_iter(b'\n', head) {
        let line = &head[line_at..line_end];
        line_at = line_end + 1;
        if line.len() > LENGTH.len() && line[..LENGTH.len()].eq_ignore_ascii_case(LENGTH) {
            return number(line[LENGTH.len()..].trim_ascii());
        }
    }
    None
}

fn redis(bytes: &[u8]) -> Result<Option<Head>, Broken> {
    let status = match bytes.first() {
        None => return Ok(None),
        Some(b'+' | b':') => 200,
        Some(b'-') => 500,
        Some(_) => return Err(strange("an answer of more than a line", bytes)),
    };
    let line_end = memmem::find(bytes, b"\r\n");
    Ok(line_end.map(|line_end| Head { status, body_at: 1, end: line_end + 2 }))
}

fn number(digits: &[u8]) -> Option<usize> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_usize, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| usize::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

fn strange(what: &str, bytes: &[u8]) -> Broken {
    let shown = &bytes[..bytes.len().min(300)];
    Broken::of(&format!("{what} that is not understood"), String::from_utf8_lossy(shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_over_http_ends_where_its_length_says() {
        let head = |text: &str| Protocol::Http.head(text.as_bytes()).map_err(|broken| broken.to_string());
        let there = |status, body_at, end| Ok(Some(Head { status, body_at, end }));
        assert_eq!(head("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"), there(200, 38, 40));
        assert_eq!(head("HTTP/1.1 402 Payment\r\nContent-Length:12\r\n\r\n"), there(402, 43, 55));
        assert_eq!(head("HTTP/1.1 204 No Content\r\n\r\n"), there(204, 27, 27));
        for part in ["", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n"] {
            assert_eq!(head(part), Ok(None), "{part}");
        }
        for broken in [
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: two\r\n\r\n",
            "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n",
        ] {
            assert!(head(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn an_answer_of_redis_is_one_line() {
        let head = |text: &str| Protocol::Redis.head(text.as_bytes()).map_err(|broken| broken.to_string());
        assert_eq!(head(":999\r\n"), Ok(Some(Head { status: 200, body_at: 1, end: 6 })));
        assert_eq!(head("-ERR no\r\n"), Ok(Some(Head { status: 500, body_at: 1, end: 9 })));
        assert_eq!(head(":99"), Ok(None));
        assert!(head("*1\r\n").is_err());
    }
}
