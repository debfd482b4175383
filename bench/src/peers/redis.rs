//! A charge as it is written for Redis: a script that looks at the balance, takes the credits, notes the charge, and remembers
//! its idempotency key. Redis keeps each on disk before it answers (`appendfsync always`), as Coffer does.

use std::path::Path;
use std::process::Stdio;

use coffer_load::{Expected, Order, Requests, Template, Values};
use tokio::process::Command;

use super::{free_address, installed};
use crate::server::{Server, command};
use crate::{Failure, Places};

pub(crate) const PROGRAM: &str = "redis-server";
pub(crate) const PACKAGE: &str = "redis-server";

/// Digits of an account's number: all names are of one length.
const DIGITS: usize = 8;

const CHARGE: &str = "\
local before = redis.call('GET', KEYS[2])
if before then return tonumber(before) end
local credits = tonumber(ARGV[1])
if tonumber(redis.call('GET', KEYS[1])) < credits then return redis.error_reply('insufficient_credits') end
local after = redis.call('DECRBY', KEYS[1], credits)
redis.call('SET', KEYS[2], after, 'EX', 86400)
redis.call('XADD', KEYS[3], '*', 'account', KEYS[1], 'credits', credits, 'after', after)
return after";

const FILL: &str = "\
for number = 0, ARGV[1] - 1 do redis.call('SET', string.format('balance:%08d', number), '1000000000') end
return redis.status_reply('OK')";

/// Redis with accounts to charge.
pub(crate) struct Redis {
    pub(crate) server: Server,
    charge: String,
    accounts: usize,
}

impl Redis {
    pub(crate) async fn start(places: &Places, folder: &Path, accounts: usize) -> Result<Redis, Failure> {
        let address = free_address()?;
        let mut command = command(&installed(PROGRAM, PACKAGE)?, &places.out.join("redis.log"))?;
        command
            .args(["--bind", "127.0.0.1", "--port", &address.port().to_string()])
            .args(["--appendonly", "yes", "--appendfsync", "always", "--save", "", "--daemonize", "no"])
            // Rewriting its file meanwhile would slow it down.
            .args(["--auto-aof-rewrite-percentage", "0"])
            .arg("--dir")
            .arg(std::path::absolute(folder).map_err(|error| Failure::of("find a folder", error))?);
        let server = Server::start_at(command, address).await?;
        ask(&server, &["EVAL", FILL, "0", &accounts.to_string()]).await?;
        let charge = ask(&server, &["SCRIPT", "LOAD", CHARGE]).await?;
        Ok(Redis { server, charge, accounts })
    }

    /// Charges of one credit to accounts drawn by chance.
    pub(crate) fn charges(&self) -> Requests {
        let accounts = Values::numbers(self.accounts, DIGITS);
        let balance = format!("balance:{}", accounts.placeholder());
        let once = format!("once:{}", Template::ONCE);
        let template = Template::redis(&["EVALSHA", &self.charge, "3", &balance, &once, "charges", "1"]);
        Requests::new(template, accounts.into(), Order::ByChance, Expected::status(200))
    }

    /// How many charges it has noted.
    pub(crate) async fn charged(&self) -> Result<u64, Failure> {
        let said = ask(&self.server, &["XLEN", "charges"]).await?;
        said.parse().map_err(|error| Failure::of("count the charges of Redis", error))
    }
}

/// Asks Redis by its own client, and answers the line that it says.
async fn ask(server: &Server, words: &[&str]) -> Result<String, Failure> {
    let mut command = Command::new(installed("redis-cli", "redis-tools")?);
    command.args(["-p", &server.address.port().to_string()]).args(words);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.map_err(|error| Failure::of("redis-cli", error))?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !output.status.success() || said.starts_with("ERR") || said.contains("error") {
        return Err(Failure::of("redis-cli", [said.as_bytes(), &output.stderr].concat().escape_ascii()));
    }
    Ok(said)
}
