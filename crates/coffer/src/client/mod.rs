//! Commands that talk to a running server over its API, as any other client would.

mod api;
mod table;

use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;

use coffer_ledger::{Scope, Scopes};
use coffer_service::{Clock, KeyPrefix, Secret, Service};
use coffer_store::{DataDirectory, OpenError, SqliteStore};
use serde_json::{Map, Value, json};

use crate::Failure;
use crate::cli::{
    AccountCommand, BalanceCommand, ChargeCommand, Globals, GrantCommand, KeyCommand, NoteOptions,
    OperatorKeyCommand, PageOptions,
};
use crate::serve::{create_operator_key, failed};
use crate::terminal::say;
use api::{Api, Call};

pub(crate) fn account(globals: &Globals, command: AccountCommand) -> Result<(), Failure> {
    let api = Api::of(globals)?;
    match command {
        AccountCommand::Create { name, external_id, overdraft_limit, metadata } => {
            let mut body = fields([("name", Some(name)), ("external_id", external_id)]);
            put(&mut body, "overdraft_limit", overdraft_limit);
            put_metadata(&mut body, metadata);
            let answer = api.send(&Call::post("/v1/accounts").body(body))?;
            table::show(globals, &answer, table::ACCOUNT);
        }
        AccountCommand::List { page, external_id, status } => {
            let call = paged(Call::get("/v1/accounts"), page);
            let answer = api.send(&call.param("external_id", external_id).param("status", status))?;
            table::show_list(globals, &answer, table::ACCOUNT);
        }
        AccountCommand::Show { id } => {
            let answer = api.send(&Call::get(&format!("/v1/accounts/{}", segment(&id)?)))?;
            table::show(globals, &answer, table::ACCOUNT);
        }
    }
    Ok(())
}

pub(crate) fn key(globals: &Globals, command: KeyCommand) -> Result<(), Failure> {
    let api = Api::of(globals)?;
    match command {
        KeyCommand::Create { account, name, expires_at, limit, limit_period, metadata } => {
            let mut body = fields([("name", Some(name)), ("expires_at", expires_at)]);
            if let (Some(credits), Some(period)) = (limit, limit_period) {
                body.insert("limit".to_owned(), json!({"credits": credits, "period": period}));
            }
            put_metadata(&mut body, metadata);
            let path = format!("/v1/accounts/{}/keys", segment(&account)?);
            let answer = api.send(&Call::post(&path).body(body))?;
            table::show(globals, &answer, table::NEW_KEY);
        }
        KeyCommand::Import { account, name, allow_weak } => {
            let mut secret = String::new();
            std::io::stdin().read_to_string(&mut secret).map_err(failed)?;
            let secret = secret.trim_end_matches(['\r', '\n']).to_owned();
            let mut body = fields([("name", Some(name)), ("secret", Some(secret))]);
            body.insert("allow_weak".to_owned(), json!(allow_weak));
            let path = format!("/v1/accounts/{}/keys/import", segment(&account)?);
            let answer = api.send(&Call::post(&path).body(body))?;
            table::show(globals, &answer, table::KEY);
        }
        KeyCommand::List { account, page } => {
            let path = format!("/v1/accounts/{}/keys", segment(&account)?);
            table::show_list(globals, &api.send(&paged(Call::get(&path), page))?, table::KEY);
        }
        KeyCommand::Revoke { id } => {
            let path = format!("/v1/keys/{}/revoke", segment(&id)?);
            table::show(globals, &api.send(&Call::post(&path))?, table::KEY);
        }
    }
    Ok(())
}

pub(crate) fn operator_key(globals: &Globals, command: OperatorKeyCommand) -> Result<(), Failure> {
    match command {
        OperatorKeyCommand::Create { name, scopes } => {
            if let Some(directory) = idle_data_directory(globals)? {
                return create_in(globals, directory, &name, &scopes);
            }
            let mut body = fields([("name", Some(name))]);
            if !scopes.is_empty() {
                body.insert("scopes".to_owned(), json!(scopes));
            }
            let answer = Api::of(globals)?.send(&Call::post("/v1/operator-keys").body(body))?;
            table::show(globals, &answer, table::NEW_OPERATOR_KEY);
        }
        OperatorKeyCommand::List { page } => {
            let answer = Api::of(globals)?.send(&paged(Call::get("/v1/operator-keys"), page))?;
            table::show_list(globals, &answer, table::OPERATOR_KEY);
        }
        OperatorKeyCommand::Revoke { id } => {
            let path = format!("/v1/operator-keys/{}/revoke", segment(&id)?);
            table::show(globals, &Api::of(globals)?.send(&Call::post(&path))?, table::OPERATOR_KEY);
        }
    }
    Ok(())
}

/// The data directory that the command line names, if it holds a ledger and no server works in it: then whoever
/// may write there needs no operator's key to make one.
fn idle_data_directory(globals: &Globals) -> Result<Option<DataDirectory>, Failure> {
    let Some(data) = globals.data.as_ref().filter(|data| data.join("coffer.db").exists()) else {
        return Ok(None);
    };
    match DataDirectory::lock(data) {
        Ok(directory) => Ok(Some(directory)),
        Err(OpenError::InUse { .. }) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

fn create_in(
    globals: &Globals,
    directory: DataDirectory,
    name: &str,
    scopes: &[String],
) -> Result<(), Failure> {
    let scopes: Result<Vec<Scope>, _> = scopes.iter().map(|scope| scope.parse::<Scope>()).collect();
    let scopes = scopes.map_err(|rule| Failure::Usage(format!("scopes {rule}")))?;
    let scopes = Scopes::of(scopes).unwrap_or(Scopes::ALL);
    let secret = Secret::generate(&KeyPrefix::operator());
    let runtime = tokio::runtime::Runtime::new().map_err(failed)?;
    let id = runtime.block_on(async {
        let store = SqliteStore::open(directory).map_err(failed)?;
        let service = Service::start(Arc::new(store), Clock::system(), None);
        let id = create_operator_key(&service, name, &secret, scopes).await;
        service.close().await;
        id
    })?;
    let scopes: Vec<&str> = scopes.iter().map(Scope::as_str).collect();
    let answer = json!({
        "id": id.to_string(), "name": name, "secret": secret.expose(),
        "hint": secret.hint(&KeyPrefix::operator()).as_str(), "status": "active", "scopes": scopes,
    });
    table::show(globals, &answer, table::NEW_OPERATOR_KEY);
    Ok(())
}

pub(crate) fn grant(globals: &Globals, command: GrantCommand) -> Result<(), Failure> {
    let mut body = fields([("credits", Some(command.credits)), ("category", command.category)]);
    put(&mut body, "priority", command.priority);
    put(&mut body, "effective_at", command.effective_at);
    put(&mut body, "expires_at", command.expires_at);
    put_note(&mut body, command.note);
    let path = format!("/v1/accounts/{}/grants", segment(&command.account)?);
    let answer = Api::of(globals)?.send(&Call::post(&path).body(body).moves_credits())?;
    table::show(globals, &answer, table::GRANT);
    Ok(())
}

pub(crate) fn charge(globals: &Globals, command: ChargeCommand) -> Result<(), Failure> {
    let mut body = fields([("account_id", Some(command.account)), ("credits", Some(command.credits))]);
    put_note(&mut body, command.note);
    let answer = Api::of(globals)?.send(&Call::post("/v1/charges").body(body).moves_credits())?;
    table::show(globals, &answer, table::CHARGE);
    Ok(())
}

pub(crate) fn balance(globals: &Globals, command: &BalanceCommand) -> Result<(), Failure> {
    let path = format!("/v1/accounts/{}/balance", segment(&command.account)?);
    let answer = Api::of(globals)?.send(&Call::get(&path))?;
    table::show(globals, &answer, table::BALANCE);
    let grants = answer["grants"].as_array().filter(|grants| !grants.is_empty() && !globals.json);
    if let Some(grants) = grants {
        table::print(grants, table::OPEN_GRANT);
    }
    Ok(())
}

pub(crate) fn print_openapi() -> Result<(), Failure> {
    let document = coffer_http::openapi_document(&coffer_http::Settings::default());
    let text = serde_json::to_string_pretty(&document).map_err(failed)?;
    say(text);
    Ok(())
}

/// An id as one segment of a path. What could not be one is refused here, so that it cannot become another path.
fn segment(id: &str) -> Result<&str, Failure> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !id.is_empty() && id.bytes().all(allowed) {
        Ok(id)
    } else {
        Err(Failure::Usage(format!("{id:?} is no id")))
    }
}

fn fields<const COUNT: usize>(given: [(&str, Option<String>); COUNT]) -> Map<String, Value> {
    let mut body = Map::new();
    for (name, value) in given {
        put(&mut body, name, value);
    }
    body
}

fn put(body: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        body.insert(name.to_owned(), value.into());
    }
}

fn put_note(body: &mut Map<String, Value>, note: NoteOptions) {
    put(body, "reference", note.reference);
    put_metadata(body, note.metadata);
}

fn put_metadata(body: &mut Map<String, Value>, pairs: Vec<(String, String)>) {
    if !pairs.is_empty() {
        let pairs = pairs.into_iter().map(|(key, value)| (key, Value::from(value)));
        body.insert("metadata".to_owned(), Value::Object(pairs.collect()));
    }
}

fn paged(call: Call, page: PageOptions) -> Call {
    call.param("limit", page.limit.map(|limit| limit.to_string())).param("cursor", page.cursor)
}

/// Where the operator's key of a data directory is.
fn operator_key_file(globals: &Globals) -> PathBuf {
    globals.data.clone().unwrap_or_else(|| PathBuf::from("coffer-data")).join("operator.key")
}
