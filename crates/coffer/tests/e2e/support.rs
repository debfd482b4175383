//! Runs the binary and talks to it. Every process that is started here ends with its value.

use std::io::{Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use reqwest::Method;
use reqwest::header::HeaderMap;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// How long anything may take before a test gives up. Generous: a busy machine is no failure.
const PATIENCE: Duration = Duration::from_secs(90);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

pub(crate) const BALANCE_PATH: &str = "/api/unwatermark/api/v1/get-credits-balance";
pub(crate) const DEAD_KEY: &str =
    r#"{"code":800002,"message":{"en":"User api key not exist.","zh":"用户api key不存在"},"result":null}"#;

/// What the balance endpoint answers to a live key.
pub(crate) fn user_credits(credits: &str) -> String {
    format!(r#"{{"code":100000,"message":{{}},"result":{{"user_credits":"{credits}"}}}}"#)
}

/// A command line of the binary, with none of this environment's own settings.
pub(crate) fn coffer(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coffer"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("COFFER_") {
            command.env_remove(name);
        }
    }
    command.args(arguments);
    command
}

/// `coffer serve` on a port that is free, on a data directory.
pub(crate) fn serve(data: &Path) -> Command {
    let mut command = coffer(&["serve", "--listen", "127.0.0.1:0", "--data"]);
    command.arg(data);
    command
}

/// Runs a command to its end.
pub(crate) fn run(command: Command) -> Ended {
    Process::spawn(command).ended()
}

/// Runs a server that must not come to serve, to its end.
pub(crate) fn run_refused(command: Command) -> Ended {
    let mut process = Process::spawn(command);
    while !process.has_ended() {
        let said = process.stdout.so_far();
        assert!(!said.contains("coffer is listening"), "it serves: {said}\n{}", process.stderr.so_far());
        std::thread::sleep(LOOK_AGAIN);
    }
    process.ended()
}

/// Runs a command to its end, with something on its standard input.
pub(crate) fn run_with_input(command: Command, input: &str) -> Ended {
    let mut process = Process::spawn(command);
    let mut stdin = process.child.stdin.take().expect("standard input is a pipe");
    match stdin.write_all(input.as_bytes()) {
        // A process that refuses its arguments ends without reading, and how it has ended is what the test looks at.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
        written => written.expect("standard input takes what is written"),
    }
    drop(stdin);
    process.ended()
}

/// A process under test, killed when this value is dropped.
pub(crate) struct Process {
    child: Child,
    stdout: Output,
    stderr: Output,
}

/// How a process has ended, and what it has said.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; `None` where a signal has ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Process {
    pub(crate) fn spawn(mut command: Command) -> Process {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdout = Output::of(child.stdout.take().expect("standard output is a pipe"));
        let stderr = Output::of(child.stderr.take().expect("standard error is a pipe"));
        Process { child, stdout, stderr }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the process has not been waited for");
    }

    /// What comes after `start` on the first line of standard output that begins with it.
    pub(crate) fn line(&mut self, start: &str) -> String {
        self.lines(start, 1).remove(0)
    }

    /// What comes after `start` on the first lines of standard output that begin with it.
    pub(crate) fn lines(&mut self, start: &str, count: usize) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // Asked before the text is looked at: whatever an ended process has said is there by then.
            let over = self.has_ended() || Instant::now() > deadline;
            let text = self.stdout.so_far();
            let whole = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
            let found = whole.filter_map(|line| line.strip_prefix(start)).map(str::to_owned);
            let found: Vec<String> = found.take(count).collect();
            if found.len() == count {
                return found;
            }
            assert!(!over, "no {count} lines {start:?}\n{text}\n{}", self.stderr.so_far());
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Waits until standard error has a text.
    pub(crate) fn wait_for_log(&mut self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.stderr.so_far().contains(text) {
            assert!(Instant::now() < deadline, "{text:?} is not in the log:\n{}", self.stderr.so_far());
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// What it has written to standard output so far.
    pub(crate) fn stdout(&self) -> String {
        self.stdout.so_far()
    }

    /// What it has written to standard error so far.
    pub(crate) fn log(&self) -> String {
        self.stderr.so_far()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.status().is_some() && self.stdout.is_whole() && self.stderr.is_whole()
    }

    /// Waits until the process has ended by itself.
    pub(crate) fn ended(self) -> Ended {
        self.ended_within(PATIENCE)
    }

    /// The same for what takes its time.
    pub(crate) fn ended_within(mut self, patience: Duration) -> Ended {
        let deadline = Instant::now() + patience;
        while !self.has_ended() {
            assert!(Instant::now() < deadline, "the process does not end:\n{}", self.stderr.so_far());
            std::thread::sleep(LOOK_AGAIN);
        }
        let code = self.status().expect("it has ended").code();
        Ended { code, stdout: self.stdout.so_far(), stderr: self.stderr.so_far() }
    }

    fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the process can be waited for")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended already is none the worse for it.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What a process writes, read as it comes, so that no pipe is ever full.
struct Output {
    text: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Output {
    fn of(mut pipe: impl Read + Send + 'static) -> Output {
        let text = Arc::new(Mutex::new(Vec::new()));
        let out = Arc::clone(&text);
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count) = pipe.read(&mut buffer)
                && count > 0
            {
                out.lock().expect("no thread panics with the text").extend_from_slice(&buffer[..count]);
            }
        });
        Output { text, reader }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().expect("no thread panics with the text")).into_owned()
    }

    fn is_whole(&self) -> bool {
        self.reader.is_finished()
    }
}

/// A server that serves.
pub(crate) struct Server {
    pub(crate) process: Process,
    /// Where it listens, such as `127.0.0.1:8080`: everything, or what is the customers'.
    pub(crate) address: String,
    pub(crate) api: Api,
}

impl Server {
    /// Starts a server on a data directory, which outlives it.
    pub(crate) fn start(data: &Path) -> Server {
        let process = Process::spawn(serve(data));
        let operator_key = || {
            let text = std::fs::read_to_string(data.join("operator.key"));
            text.expect("the first start leaves operator.key").trim().to_owned()
        };
        Server::of(process, operator_key)
    }

    /// Starts a server with a command line of its own, to which an operator's key is known.
    pub(crate) fn start_with(command: Command, operator_key: &str) -> Server {
        Server::of(Process::spawn(command), || operator_key.to_owned())
    }

    fn of(mut process: Process, operator_key: impl FnOnce() -> String) -> Server {
        let address = process.line("coffer is listening on http://");
        let api = Api::new(&address, &operator_key());
        Server { process, address, api }
    }

    /// Ends it as a service manager does, and wants a clean end.
    pub(crate) fn stop(self) -> Ended {
        self.process.signal(Signal::TERM);
        let ended = self.process.ended();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended
    }

    /// Ends it as a crash does.
    pub(crate) fn kill(self) {
        self.process.signal(Signal::KILL);
        assert_eq!(self.process.ended().code, None, "a signal has ended it");
    }
}

/// The API of a server, as an operator calls it.
#[derive(Clone)]
pub(crate) struct Api {
    base: String,
    operator_key: String,
    client: reqwest::Client,
}

/// What a server has answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A field that is text.
    pub(crate) fn text_of(&self, field: &str) -> String {
        self.json()[field].as_str().unwrap_or_else(|| panic!("no text in {field}: {self:?}")).to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("the server's headers are visible"))
    }

    pub(crate) fn is_replayed(&self) -> bool {
        self.header("idempotency-replayed") == Some("true")
    }

    /// Goes on with an answer that has the status.
    pub(crate) fn wants(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}

impl Api {
    pub(crate) fn new(address: &str, operator_key: &str) -> Api {
        let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy();
        // The server closes a connection after 10 s without a request: whoever works that long beside it takes a new one.
        let client = client.pool_idle_timeout(Duration::from_secs(5));
        let client = client.redirect(reqwest::redirect::Policy::none()).build();
        let client = client.expect("a client needs nothing of its environment");
        Api { base: format!("http://{address}"), operator_key: operator_key.to_owned(), client }
    }

    pub(crate) fn with_operator_key(&self, operator_key: &str) -> Api {
        Api { operator_key: operator_key.to_owned(), ..self.clone() }
    }

    pub(crate) fn operator_key(&self) -> &str {
        &self.operator_key
    }

    pub(crate) fn url(&self) -> &str {
        &self.base
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, &[], None).await.expect("an answer")
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, &[], Some(body)).await.expect("an answer")
    }

    /// Sends what moves credits, under a name.
    pub(crate) async fn post_named(&self, path: &str, name: &str, body: Value) -> Answer {
        let headers = [("Idempotency-Key", name)];
        self.call(Method::POST, path, &headers, Some(body)).await.expect("an answer")
    }

    /// Asks the balance endpoint as customers do.
    pub(crate) async fn read_balance(&self, secret: &str) -> Answer {
        self.call(Method::POST, BALANCE_PATH, &[("ZF-API-KEY", secret)], None).await.expect("an answer")
    }

    pub(crate) async fn charge(
        &self,
        account: &str,
        credits: i64,
        name: &str,
    ) -> Result<Answer, reqwest::Error> {
        let body = json!({"account_id": account, "credits": credits});
        self.call(Method::POST, "/v1/charges", &[("Idempotency-Key", name)], Some(body)).await
    }

    /// Opens an account with credits, and answers its id.
    pub(crate) async fn account_with(&self, credits: i64) -> String {
        let account = self.post("/v1/accounts", json!({"name": "Acme"})).await.wants(201).text_of("id");
        self.grant(&account, credits, "first-grant").await;
        account
    }

    pub(crate) async fn grant(&self, account: &str, credits: i64, name: &str) {
        let path = format!("/v1/accounts/{account}/grants");
        self.post_named(&path, name, json!({"credits": credits})).await.wants(201);
    }

    /// Makes a customer's key, and answers its id and its secret.
    pub(crate) async fn key_of(&self, account: &str) -> (String, String) {
        let made = self.post(&format!("/v1/accounts/{account}/keys"), json!({"name": "site"})).await;
        let made = made.wants(201);
        (made.text_of("id"), made.text_of("secret"))
    }

    /// Opens a session at the console, as its page does, and answers the cookie.
    pub(crate) async fn sign_in(&self) -> String {
        let form = format!("key={}", self.operator_key);
        let request = self.client.post(format!("{}/console/sign-in", self.base));
        let request = request.header("Sec-Fetch-Site", "same-origin");
        let request = request.header("Content-Type", "application/x-www-form-urlencoded").body(form);
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 303, "{response:?}");
        let cookie = response.headers()["set-cookie"].to_str().expect("text");
        cookie.split(';').next().expect("a cookie").to_owned()
    }

    /// What an account has available, in whole credits.
    pub(crate) async fn available(&self, account: &str) -> i64 {
        let balance = self.get(&format!("/v1/accounts/{account}/balance")).await.wants(200);
        balance.text_of("available").parse().expect("whole credits")
    }

    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Result<Answer, reqwest::Error> {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if path != BALANCE_PATH {
            request = request.bearer_auth(&self.operator_key);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer { status, headers, text: response.text().await? })
    }
}

/// Looks until something is so.
pub(crate) async fn until(what: &str, is_so: impl AsyncFnMut() -> bool) {
    until_within(PATIENCE, what, is_so).await;
}

/// The same for what takes its time.
pub(crate) async fn until_within(patience: Duration, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + patience;
    while !is_so().await {
        assert!(Instant::now() < deadline, "it never came to this: {what}");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Says something past the test harness, which keeps what passing tests print to itself.
pub(crate) fn say_loudly(message: &str) {
    let mut stderr = std::io::stderr();
    writeln!(stderr, "\n{message}").expect("standard error takes a line");
}
