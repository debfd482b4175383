//! Requests: bytes with places in them that are written anew for each request, and what their answers must be.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use memchr::memmem;

use crate::connection::Answer;

const ONCE: u8 = b'#';
const ONCE_BYTES: usize = 32;
const VALUE: u8 = b'@';
const HEX: &[u8; 16] = b"0123456789abcdef";

/// The bytes of a request, and where something is written into them.
#[derive(Clone, Debug)]
pub struct Template {
    bytes: Vec<u8>,
    once_at: Vec<usize>,
    /// Where values go, and how long they must be.
    value_at: Vec<(usize, usize)>,
}

impl Template {
    /// Stands for 32 random digits, other ones in each request and at each place: an idempotency key.
    pub const ONCE: &'static str = "################################";

    /// A run of these stands for a value as long as the run is.
    pub const VALUE: char = '@';

    /// A request as it is sent.
    #[must_use]
    pub fn new(text: &str) -> Template {
        let bytes = text.as_bytes().to_vec();
        let once_at = runs(&bytes, ONCE).filter(|(_, length)| length.is_multiple_of(ONCE_BYTES));
        let once_at = once_at.flat_map(|(at, length)| (at..at + length).step_by(ONCE_BYTES)).collect();
        let value_at = runs(&bytes, VALUE).collect();
        Template { bytes, once_at, value_at }
    }

    /// A request over HTTP, with a body of JSON or with none.
    #[must_use]
    pub fn http(
        method: &str,
        path: &str,
        address: SocketAddr,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Template {
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\n");
        for (name, value) in headers {
            write!(text, "{name}: {value}\r\n").expect("text can be written to");
        }
        if !body.is_empty() {
            text.push_str("Content-Type: application/json\r\n");
        }
        write!(text, "Content-Length: {}\r\n\r\n{body}", body.len()).expect("text can be written to");
        Template::new(&text)
    }

    /// A command of Redis's.
    #[must_use]
    pub fn redis(words: &[&str]) -> Template {
        let mut text = format!("*{}\r\n", words.len());
        for word in words {
            write!(text, "${}\r\n{word}\r\n", word.len()).expect("text can be written to");
        }
        Template::new(&text)
    }
}

/// Where runs of a byte begin, and how long they are.
fn runs(bytes: &[u8], byte: u8) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let begin = at + bytes[at..].iter().position(|each| *each == byte)?;
        let length = bytes[begin..].iter().take_while(|each| **each == byte).count();
        at = begin + length;
        Some((begin, length))
    })
}

/// Values of one length.
#[derive(Clone, Debug, Default)]
pub struct Values {
    bytes: Vec<u8>,
    width: usize,
}

impl Values {
    /// `0` and up, with leading zeros.
    #[must_use]
    pub fn numbers(count: usize, digits: usize) -> Values {
        let mut values = Values { bytes: Vec::with_capacity(count * digits), width: digits };
        for number in 0..count {
            values.push(format!("{number:0digits$}").as_bytes());
        }
        values
    }

    /// One value alone.
    #[must_use]
    pub fn only(value: &str) -> Values {
        Values { bytes: value.as_bytes().to_vec(), width: value.len() }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len().checked_div(self.width).unwrap_or(0)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The value at a place, which must be there.
    #[must_use]
    pub fn get(&self, index: usize) -> &[u8] {
        &self.bytes[index * self.width..(index + 1) * self.width]
    }

    /// A run as long as the values are, for a template.
    #[must_use]
    pub fn placeholder(&self) -> String {
        Template::VALUE.to_string().repeat(self.width)
    }

    fn push(&mut self, value: &[u8]) {
        assert!(self.is_empty() || value.len() == self.width, "the values are of one length");
        self.width = value.len();
        self.bytes.extend_from_slice(value);
    }
}

/// Which value comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// One after the other, and from the first one again.
    InTurn,
    /// Any, each as likely as the others.
    ByChance,
}

/// What an answer must be.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Its status.
    pub status: u16,
    /// All of its body, where that is known.
    pub body: Option<String>,
    /// What must be in it, and how often.
    pub has: Option<(String, usize)>,
}

impl Expected {
    /// Any answer with a status.
    #[must_use]
    pub fn status(status: u16) -> Expected {
        Expected { status, body: None, has: None }
    }

    fn is_met_by(&self, answer: &Answer<'_>) -> bool {
        answer.status == self.status
            && self.body.as_ref().is_none_or(|body| body.as_bytes() == answer.body)
            && self
                .has
                .as_ref()
                .is_none_or(|(text, times)| memmem::find_iter(answer.body, text.as_bytes()).count() == *times)
    }
}

/// Requests, one after the other. They have no copy: it would have the same random keys.
#[derive(Debug)]
pub struct Requests {
    template: Template,
    values: Arc<Values>,
    order: Order,
    next: usize,
    left: Option<u64>,
    random: fastrand::Rng,
    expected: Expected,
    harvest: Option<Harvest>,
}

/// What is kept of each answer.
#[derive(Clone, Debug)]
struct Harvest {
    after: String,
    bytes: usize,
    values: Values,
}

impl Requests {
    /// Without end.
    #[must_use]
    pub fn new(template: Template, values: Arc<Values>, order: Order, expected: Expected) -> Requests {
        let fits = |(_, length): &(usize, usize)| !values.is_empty() && *length == values.width;
        assert!(template.value_at.iter().all(fits), "the values fit into the template");
        Requests {
            template,
            values,
            order,
            next: 0,
            left: None,
            random: fastrand::Rng::new(),
            expected,
            harvest: None,
        }
    }

    /// The same from the first one, under other random keys.
    #[must_use]
    pub fn again(&self) -> Requests {
        let Requests { template, values, order, expected, .. } = self;
        Requests::new(template.clone(), Arc::clone(values), *order, expected.clone())
    }

    /// So many of them.
    #[must_use]
    pub fn limited(self, count: u64) -> Requests {
        Requests { left: Some(count), ..self }
    }

    /// Keeps of each answer so many bytes that follow a text. An answer without them is a wrong one.
    #[must_use]
    pub fn harvesting(self, after: &str, bytes: usize) -> Requests {
        Requests {
            harvest: Some(Harvest { after: after.to_owned(), bytes, values: Values::default() }),
            ..self
        }
    }

    /// What was kept of the answers, in the order in which they came.
    #[must_use]
    pub fn harvested(self) -> Values {
        self.harvest.map(|harvest| harvest.values).unwrap_or_default()
    }

    /// The next request. `None` where there are no more.
    pub(crate) fn next_request(&mut self) -> Option<&[u8]> {
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(1)?;
        }
        for at in &self.template.once_at {
            let mut random = self.random.u128(..);
            for byte in &mut self.template.bytes[*at..at + ONCE_BYTES] {
                *byte = HEX[(random & 15) as usize];
                random >>= 4;
            }
        }
        for (at, length) in &self.template.value_at {
            let index = match self.order {
                Order::InTurn => self.next,
                Order::ByChance => self.random.usize(..self.values.len()),
            };
            self.next = if index + 1 == self.values.len() { 0 } else { index + 1 };
            self.template.bytes[*at..at + length].copy_from_slice(self.values.get(index));
        }
        Some(&self.template.bytes)
    }

    /// Whether the answer is as it must be.
    pub(crate) fn accepts(&mut self, answer: &Answer<'_>) -> bool {
        if !self.expected.is_met_by(answer) {
            return false;
        }
        let Some(harvest) = &mut self.harvest else { return true };
        let found = memmem::find(answer.body, harvest.after.as_bytes());
        let value = found.and_then(|at| {
            let at = at + harvest.after.len();
            answer.body.get(at..at + harvest.bytes)
        });
        value.map(|value| harvest.values.push(value)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_has_keys_and_values_of_its_own() {
        let values = Arc::new(Values::numbers(2, 3));
        let text = format!("{} {} {}", Template::ONCE, values.placeholder(), Template::ONCE);
        let template = Template::new(&text);
        let mut requests = Requests::new(template, values, Order::InTurn, Expected::status(200)).limited(3);
        let mut keys = Vec::new();
        for value in ["000", "001", "000"] {
            let request = requests.next_request().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            let request = request.expect("it is one of the first three");
            let words: Vec<&str> = request.split(' ').collect();
            assert_eq!(words[1], value);
            keys.extend([words[0].to_owned(), words[2].to_owned()]);
        }
        assert_eq!(requests.next_request(), None);
        assert!(keys.iter().all(|key| key.len() == 32 && key.bytes().all(|digit| HEX.contains(&digit))));
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 6);
    }

    #[test]
    fn the_length_of_a_body_is_told_before_it() {
        let address = SocketAddr::from(([127, 0, 0, 1], 80));
        let template = Template::http("POST", "/x", address, &[("A", "b")], "{}");
        let text = "POST /x HTTP/1.1\r\nHost: 127.0.0.1:80\r\nA: b\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(String::from_utf8_lossy(&template.bytes), text);
        assert_eq!(Template::redis(&["GET", "a"]).bytes, b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n");
    }

    #[test]
    fn an_answer_is_held_against_what_it_must_be() {
        let requests = |expected: &Expected, status, body: &str| {
            let template = Template::new("x");
            let requests = Requests::new(template, Arc::default(), Order::InTurn, expected.clone());
            let mut requests = requests.harvesting("id:", 2);
            let accepted = requests.accepts(&Answer { status, body: body.as_bytes() });
            (accepted, requests.harvested().bytes)
        };
        let any = Expected::status(201);
        assert_eq!(requests(&any, 201, "id:ab"), (true, b"ab".to_vec()));
        assert_eq!(requests(&any, 201, "id:a"), (false, Vec::new()));
        assert_eq!(requests(&any, 409, "id:ab"), (false, Vec::new()));
        let exact = Expected { body: Some("id:ab".to_owned()), ..any.clone() };
        assert!(!requests(&exact, 201, "id:abc").0);
        let twice = Expected { has: Some(("b".to_owned(), 2)), ..any };
        assert!(requests(&twice, 201, "id:ab b").0);
        assert!(!requests(&twice, 201, "id:ab").0);
    }
}
