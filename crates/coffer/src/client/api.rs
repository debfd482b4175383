//! One call of the API: its request, its answer, and what to say when it is refused.

use std::time::Duration;

use serde_json::{Map, Value};
use ureq::http::{Request, Response};
use ureq::{Agent, Body};

use super::operator_key_file;
use crate::Failure;
use crate::cli::Globals;
use crate::config::{operator_key_from_environment, read_secret};
use crate::terminal::{complain, say};

const URL_DEFAULT: &str = "http://127.0.0.1:8080";
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server, and the key to it.
pub(super) struct Api {
    url: String,
    operator_key: String,
    idempotency_key: Option<String>,
    json: bool,
    agent: Agent,
}

/// A request to be made.
pub(super) struct Call {
    method: &'static str,
    path: String,
    params: Vec<(&'static str, String)>,
    body: Option<Map<String, Value>>,
    moves_credits: bool,
}

impl Call {
    pub(super) fn get(path: &str) -> Call {
        Call { method: "GET", path: path.to_owned(), params: Vec::new(), body: None, moves_credits: false }
    }

    pub(super) fn post(path: &str) -> Call {
        Call { method: "POST", ..Call::get(path) }
    }

    pub(super) fn patch(path: &str) -> Call {
        Call { method: "PATCH", ..Call::get(path) }
    }

    pub(super) fn param(mut self, name: &'static str, value: Option<String>) -> Call {
        self.params.extend(value.map(|value| (name, value)));
        self
    }

    pub(super) fn body(self, body: Map<String, Value>) -> Call {
        Call { body: Some(body), ..self }
    }

    /// The call needs an idempotency key.
    pub(super) fn moves_credits(self) -> Call {
        Call { moves_credits: true, ..self }
    }
}

impl Api {
    /// The server and the key that the command line names.
    pub(super) fn of(globals: &Globals) -> Result<Api, Failure> {
        let url = globals.url.as_deref().unwrap_or(URL_DEFAULT).trim_end_matches('/').to_owned();
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .max_redirects(0)
            .build();
        Ok(Api {
            url,
            operator_key: find_operator_key(globals)?,
            idempotency_key: globals.idempotency_key.clone(),
            json: globals.json,
            agent: config.into(),
        })
    }

    /// Makes the call. A refusal is shown, with the name under which a request that moves credits can be tried
    /// again.
    pub(super) fn send(&self, call: &Call) -> Result<Value, Failure> {
        let name = call.moves_credits.then(|| self.idempotency_key.clone().unwrap_or_else(new_name));
        let unheard =
            |cause: String| Failure::Failed(format!("{}: {cause}{}", self.url, advice(name.as_deref(), 0)));
        let mut response = self.answer(call, name.as_deref()).map_err(|error| unheard(error.to_string()))?;
        let text = response.body_mut().read_to_string().map_err(|error| unheard(error.to_string()))?;
        let status = response.status();
        let answer: Value = serde_json::from_str(&text)
            .map_err(|_| unheard(format!("it answered {status} with no JSON; is it a Coffer?")))?;
        if status.is_success() {
            return Ok(answer);
        }
        if self.json {
            say(&answer);
        }
        let field = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        let advice = advice(name.as_deref(), status.as_u16());
        complain(format_args!("{}: {}{advice}", field("code"), field("detail")));
        Err(Failure::Shown)
    }

    fn answer(&self, call: &Call, name: Option<&str>) -> Result<Response<Body>, ureq::Error> {
        let mut request = Request::builder()
            .method(call.method)
            .uri(format!("{}{}", self.url, call.path))
            .header("Authorization", format!("Bearer {}", self.operator_key));
        if let Some(name) = name {
            request = request.header("Idempotency-Key", name);
        }
        let body = match &call.body {
            Some(body) => {
                request = request.header("Content-Type", "application/json");
                Value::Object(body.clone()).to_string()
            }
            None => String::new(),
        };
        let (mut parts, body) = request.body(body)?.into_parts();
        parts.uri =
            with_params(&parts.uri.to_string(), &call.params).parse().map_err(ureq::http::Error::from)?;
        if body.is_empty() {
            return self.agent.run(Request::from_parts(parts, ()));
        }
        self.agent.run(Request::from_parts(parts, body))
    }
}

/// What to do with the name of a request that failed; a status of 0 is no answer at all.
fn advice(name: Option<&str>, status: u16) -> String {
    let Some(name) = name else { return String::new() };
    match status {
        402 | 409 => {
            format!("\nThis answer is remembered under --idempotency-key {name}: to try anew, use another.")
        }
        0 | 429 | 500.. => {
            format!("\nTo try again without moving credits twice: --idempotency-key {name}")
        }
        _ => format!("\nNothing was done under --idempotency-key {name}."),
    }
}

fn with_params(uri: &str, params: &[(&str, String)]) -> String {
    let mut uri = uri.to_owned();
    for (place, (name, value)) in params.iter().enumerate() {
        uri.push(if place == 0 { '?' } else { '&' });
        uri.push_str(name);
        uri.push('=');
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    uri.push(char::from(byte));
                }
                _ => uri.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    uri
}

fn find_operator_key(globals: &Globals) -> Result<String, Failure> {
    if let Some(key) = &globals.operator_key {
        return Ok(key.clone());
    }
    if let Some(key) = operator_key_from_environment()? {
        return Ok(key);
    }
    let file = operator_key_file(globals);
    read_secret(&file).map_err(|_| {
        Failure::Usage(format!(
            "an operator key is needed: --operator-key, COFFER_OPERATOR_KEY, or --data with a directory that has \
             operator.key ({} cannot be read)",
            file.display()
        ))
    })
}

fn new_name() -> String {
    format!("cli-{}", uuid::Uuid::new_v4())
}
