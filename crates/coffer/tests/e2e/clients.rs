//! The four clients that people paste into their projects, run for real: a live key and a dead one each.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::support::{DEAD_KEY, Ended, Process, Server, user_credits};

const CREDITS: i64 = 1234;
const UNKNOWN_KEY: &str = "cof_live_nobody-has-this-key";

/// The root of the repository, from which the examples are run.
fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("this crate lies in the repository")
}

struct Shop {
    server: Server,
    live_key: String,
    _data: TempDir,
}

/// A server with an account of 1234 credits, and a key to it.
async fn shop() -> Shop {
    let data = tempdir().expect("a temporary directory");
    let server = Server::start(data.path());
    let account = server.api.account_with(CREDITS).await;
    let (_, live_key) = server.api.key_of(&account).await;
    Shop { server, live_key, _data: data }
}

/// Runs a client with the server's address and a key, and answers what it prints. Whatever it lacks fails the
/// test: a client that nobody has run is not known to work.
fn printed(program: &str, arguments: &[&str], key: &str, shop: &Shop, needs: &str) -> String {
    let mut command = Command::new(program);
    command.args(arguments).args([shop.server.api.url(), key]).current_dir(root());
    command.env_remove("COFFER_URL").env_remove("COFFER_API_KEY");
    let probe = Command::new("sh").args(["-c", "command -v \"$0\"", program]).current_dir(root()).output();
    let found = probe.expect("there is a shell").status.success();
    assert!(found, "{program} is not there; this test needs: {needs}");
    let Ended { code, stdout, stderr } = Process::spawn(command).ended();
    assert_eq!(code, Some(0), "{program} {arguments:?} failed; it needs: {needs}\n{stderr}");
    stdout
}

#[tokio::test]
async fn php() {
    let shop = shop().await;
    let needs = "apt install php-cli php-curl";
    let live = printed("php", &["examples/php/balance.php"], &shop.live_key, &shop, needs);
    assert!(live.contains("[code] => 100000\n"), "{live}");
    assert!(live.contains("[user_credits] => 1234\n"), "{live}");

    let dead = printed("php", &["examples/php/balance.php"], UNKNOWN_KEY, &shop, needs);
    assert!(dead.contains("[code] => 800002\n"), "{dead}");
    assert!(dead.contains("[en] => User api key not exist.\n"), "{dead}");
    assert!(dead.contains("[zh] => 用户api key不存在\n"), "{dead}");
    assert!(dead.contains("[result] => \n"), "{dead}");
}

#[tokio::test]
async fn python() {
    let shop = shop().await;
    let needs = "apt install python3, pip install -r examples/python/requirements.txt";
    let live = printed("python3", &["examples/python/balance.py"], &shop.live_key, &shop, needs);
    assert_eq!(live.trim_end(), "{'code': 100000, 'message': {}, 'result': {'user_credits': '1234'}}");

    let dead = printed("python3", &["examples/python/balance.py"], UNKNOWN_KEY, &shop, needs);
    let expected = "{'code': 800002, 'message': {'en': 'User api key not exist.', 'zh': '用户api key不存在'}, \
                    'result': None}";
    assert_eq!(dead.trim_end(), expected);
}

#[tokio::test]
async fn java() {
    let shop = shop().await;
    let needs = "apt install default-jdk-headless libokhttp-java";
    let live = printed("examples/java/run", &[], &shop.live_key, &shop, needs);
    assert_eq!(live.trim_end(), user_credits("1234"));

    let dead = printed("examples/java/run", &[], UNKNOWN_KEY, &shop, needs);
    assert_eq!(dead.trim_end(), DEAD_KEY);
}

#[tokio::test]
async fn browser_page() {
    let shop = shop().await;
    let needs = "apt install nodejs npm chromium (or CHROMIUM with its path), and npm ci in tests/browser";
    let script = &["tests/browser/balance_page.mjs"];
    let live = printed("node", script, &shop.live_key, &shop, needs);
    let live: Value = serde_json::from_str(&live).unwrap_or_else(|error| panic!("{error}: {live}"));
    assert_eq!(live, json!({"code": 100_000, "message": {}, "result": {"user_credits": "1234"}}));

    let dead = printed("node", script, UNKNOWN_KEY, &shop, needs);
    let dead: Value = serde_json::from_str(&dead).unwrap_or_else(|error| panic!("{error}: {dead}"));
    let expected: Value = serde_json::from_str(DEAD_KEY).expect("JSON");
    assert_eq!(dead, expected);
}
