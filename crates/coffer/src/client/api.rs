//! One call of the API: its request, its answer, and what to say when it is refused.

use std::fmt::Display;
use std::io::Read;
use std::time::Duration;

use serde_json::{Map, Value};
use ureq::http::{Request, Response};
use ureq::{Agent, Body, RequestExt as _};

use super::operator_key_file;
use crate::Failure;
use crate::cli::Globals;
use crate::config::{operator_key_from_environment, read_secret};
use crate::terminal::{complain, say};

const URL_DEFAULT: &str = "http://127.0.0.1:8080";
const JSON: &str = "application/json";
const PATIENCE: Duration = Duration::from_secs(60);
/// Far more than anything of use. A batch of 10,000 captures, with all the metadata of their holds, comes near.
const ANSWER_BYTES_MAX: u64 = 512 * 1024 * 1024;

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
    media_type: &'static str,
    body: Option<Vec<u8>>,
    naming: Naming,
}

/// Where a request has what keeps it from moving credits twice.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Naming {
    /// It moves no credits.
    Nowhere,
    /// In the header `Idempotency-Key`.
    InHeader,
    /// In its body, where each operation has its own.
    InBody,
}

impl Call {
    pub(super) fn get(path: &str) -> Call {
        Call {
            method: "GET",
            path: path.to_owned(),
            params: Vec::new(),
            media_type: JSON,
            body: None,
            naming: Naming::Nowhere,
        }
    }

    pub(super) fn post(path: &str) -> Call {
        Call { method: "POST", ..Call::get(path) }
    }

    pub(super) fn put(path: &str) -> Call {
        Call { method: "PUT", ..Call::get(path) }
    }

    pub(super) fn patch(path: &str) -> Call {
        Call { method: "PATCH", ..Call::get(path) }
    }

    pub(super) fn delete(path: &str) -> Call {
        Call { method: "DELETE", ..Call::get(path) }
    }

    pub(super) fn param(mut self, name: &'static str, value: Option<String>) -> Call {
        self.params.extend(value.map(|value| (name, value)));
        self
    }

    pub(super) fn body(self, body: Map<String, Value>) -> Call {
        Call { body: Some(Value::Object(body).to_string().into_bytes()), ..self }
    }

    /// The answer shall be something other than JSON.
    pub(super) fn accept(self, media_type: &'static str) -> Call {
        Call { media_type, ..self }
    }

    /// The call needs an idempotency key.
    pub(super) fn moves_credits(self) -> Call {
        Call { naming: Naming::InHeader, ..self }
    }

    /// The body is sent as it is, and names each of its operations.
    pub(super) fn batch(self, body: Vec<u8>) -> Call {
        Call { body: Some(body), naming: Naming::InBody, ..self }
    }
}

impl Api {
    /// The server and the key that the command line names.
    pub(super) fn of(globals: &Globals) -> Result<Api, Failure> {
        if globals.database_url.is_some() {
            let message = "--database-url is for commands that open the ledger themselves; this one talks to a server: --url";
            return Err(Failure::Usage(message.to_owned()));
        }
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
    /// again. An answer without a body is `null`.
    pub(super) fn send(&self, call: &Call) -> Result<Value, Failure> {
        let attempt = Attempt::of(self, call);
        let request = attempt.request()?;
        let answer = if request.body().is_empty() {
            self.agent.run(request.map(|_| ()))
        } else {
            self.agent.run(request)
        };
        let mut response = answer.map_err(|error| attempt.unheard(&error))?;
        let text = attempt.text(&mut response)?;
        if text.is_empty() && response.status().is_success() {
            return Ok(Value::Null);
        }
        let answer = attempt.json(&response, &text)?;
        if response.status().is_success() { Ok(answer) } else { Err(attempt.refused(&response, &answer)) }
    }

    /// Makes a call whose answer may be longer than memory, and may take as long as it needs while it keeps coming.
    pub(super) fn open(&self, call: &Call) -> Result<impl Read + use<>, Failure> {
        let attempt = Attempt::of(self, call);
        let request = attempt.request()?.map(|_| ());
        let patient = request.with_agent(&self.agent).configure().timeout_global(None);
        let patient = patient.timeout_connect(Some(PATIENCE)).timeout_per_read(Some(PATIENCE));
        let mut response = patient.run().map_err(|error| attempt.unheard(&error))?;
        if !response.status().is_success() {
            let text = attempt.text(&mut response)?;
            return Err(attempt.refused(&response, &attempt.json(&response, &text)?));
        }
        if response.body().mime_type() != Some(call.media_type) {
            let cause = format!("it answered with no {}; is it a Coffer of this version?", call.media_type);
            return Err(attempt.unheard(&cause));
        }
        Ok(response.into_body().into_reader())
    }
}

/// A call on its way to a server, under the name that keeps it from moving credits twice.
struct Attempt<'a> {
    api: &'a Api,
    call: &'a Call,
    name: Option<String>,
}

impl<'a> Attempt<'a> {
    fn of(api: &'a Api, call: &'a Call) -> Attempt<'a> {
        let name = || api.idempotency_key.clone().unwrap_or_else(new_name);
        Attempt { api, call, name: (call.naming == Naming::InHeader).then(name) }
    }

    fn request(&self) -> Result<Request<&[u8]>, Failure> {
        let mut request = Request::builder()
            .method(self.call.method)
            .uri(with_params(format!("{}{}", self.api.url, self.call.path), &self.call.params))
            .header("Accept", self.call.media_type)
            .header("Authorization", format!("Bearer {}", self.api.operator_key));
        if let Some(name) = &self.name {
            request = request.header("Idempotency-Key", name);
        }
        if self.call.body.is_some() {
            request = request.header("Content-Type", JSON);
        }
        request.body(self.call.body.as_deref().unwrap_or_default()).map_err(|error| self.unheard(&error))
    }

    fn text(&self, response: &mut Response<Body>) -> Result<String, Failure> {
        let text =
            response.body_mut().with_config().limit(ANSWER_BYTES_MAX).lossy_utf8(true).read_to_string();
        text.map_err(|error| self.unheard(&error))
    }

    fn json(&self, response: &Response<Body>, text: &str) -> Result<Value, Failure> {
        let status = response.status();
        serde_json::from_str(text)
            .map_err(|_| self.unheard(&format!("it answered {status} with no JSON; is it a Coffer?")))
    }

    fn unheard(&self, cause: &dyn Display) -> Failure {
        Failure::Failed(format!("{}: {cause}{}", self.api.url, self.advice(0)))
    }

    fn refused(&self, response: &Response<Body>, problem: &Value) -> Failure {
        if self.api.json {
            say(problem);
        }
        let field = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
        let advice = self.advice(response.status().as_u16());
        complain(format_args!("{}: {}{advice}", field("code"), field("detail")));
        Failure::Shown
    }

    /// What to do after a request that failed; a status of 0 is no answer at all.
    fn advice(&self, status: u16) -> String {
        let in_doubt = matches!(status, 0 | 429 | 500..);
        match (&self.name, status) {
            (Some(name), 402 | 409) => {
                format!(
                    "\nThis answer is remembered under --idempotency-key {name}: to try anew, use another."
                )
            }
            (Some(name), _) if in_doubt => {
                format!("\nTo try again without moving credits twice: --idempotency-key {name}")
            }
            (Some(name), _) => format!("\nNothing was done under --idempotency-key {name}."),
            (None, _) if self.call.naming == Naming::InBody && in_doubt => {
                "\nTo try again without moving credits twice, send the same batch.".to_owned()
            }
            (None, _) => String::new(),
        }
    }
}

fn with_params(mut uri: String, params: &[(&str, String)]) -> String {
    for (place, (name, value)) in params.iter().enumerate() {
        uri.push(if place == 0 { '?' } else { '&' });
        uri.push_str(name);
        uri.push('=');
        uri.push_str(&encoded(value));
    }
    uri
}

/// Text as a part of a URL that has no other meaning.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
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
