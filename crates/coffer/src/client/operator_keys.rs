//! `coffer operator-key`: on a running server, or in the data directory itself where none runs.

use std::sync::Arc;

use coffer_ledger::{Scope, Scopes};
use coffer_service::{Clock, KeyPrefix, Secret, Service};
use coffer_store::{DataDirectory, OpenError, SqliteStore};
use serde_json::json;

use super::api::{Api, Call};
use super::{fields, paged, segment, table};
use crate::Failure;
use crate::cli::{Globals, OperatorKeyCommand};
use crate::serve::{create_operator_key, failed};

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
