//! A connection, byte by byte: for what no HTTP library lets one send, or see.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to a server.
pub(crate) struct Wire {
    stream: BufReader<TcpStream>,
}

/// An answer as it came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Raw {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Raw {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The headers but those of every answer: the date, and the request's id.
    pub(crate) fn own_headers(&self) -> Vec<(&str, &str)> {
        let own = self.headers.iter().filter(|(name, _)| name != "date" && name != "x-request-id");
        let mut own: Vec<(&str, &str)> = own.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        own.sort_unstable();
        own
    }
}

impl Wire {
    pub(crate) fn open(address: &str) -> Wire {
        Wire::try_open(address).expect("the server accepts connections")
    }

    pub(crate) fn try_open(address: &str) -> io::Result<Wire> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Wire { stream: BufReader::new(stream) })
    }

    /// Sends bytes as they are.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).expect("the server reads");
    }

    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes.as_ref())
    }

    /// The next answer, whole.
    pub(crate) fn answer(&mut self) -> Raw {
        self.try_answer().expect("a whole answer").expect("an answer before the end of the connection")
    }

    /// The next answer; nothing where the connection ends before its first byte. An answer that breaks off is
    /// an error.
    pub(crate) fn try_answer(&mut self) -> io::Result<Option<Raw>> {
        match self.stream.fill_buf() {
            Ok([]) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
            Ok(_) => {}
            Err(error) => return Err(error),
        }
        let status_line = self.line()?;
        let status = status_line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| broken(&format!("the status line {status_line:?}")))?;
        let headers = self.headers()?;
        let mut raw = Raw { status, headers, body: String::new() };
        if status >= 200 && status != 204 {
            raw.body = self.body(&raw)?;
        }
        Ok(Some(raw))
    }

    /// Waits for the end of the connection, and wants nothing before it.
    pub(crate) fn wait_for_end(&mut self) {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest)),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{error}"),
        }
    }

    fn headers(&mut self) -> io::Result<Vec<(String, String)>> {
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(headers);
            }
            let (name, value) =
                line.split_once(": ").ok_or_else(|| broken(&format!("the header {line:?}")))?;
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
    }

    fn body(&mut self, raw: &Raw) -> io::Result<String> {
        let mut bytes = Vec::new();
        if let Some(length) = raw.header("content-length") {
            let length = length.parse().map_err(|_| broken("content-length"))?;
            bytes.resize(length, 0);
            self.stream.read_exact(&mut bytes)?;
        } else if raw.header("transfer-encoding") == Some("chunked") {
            return Err(broken("a chunked answer, which no test expects"));
        } else {
            self.stream.read_to_end(&mut bytes)?;
        }
        String::from_utf8(bytes).map_err(|_| broken("a body that is not UTF-8"))
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let whole = line.strip_suffix("\r\n").ok_or_else(|| broken(&format!("the line {line:?}")))?;
        Ok(whole.to_owned())
    }
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the answer breaks off or is malformed: {what}"))
}
