//! `coffer operator-key`: on a running server, or in the data directory itself where none runs.

use std::path::Path;

use coffer_ledger::{Scope, Scopes};
use coffer_service::{KeyPrefix, Secret};
use coffer_store::{DataDirectory, OpenError};
use serde_json::json;

use super::api::{Api, Call};
use super::{fields, paged, segment, table};
use crate::Failure;
use crate::cli::{Globals, OperatorKeyCommand};
use crate::ledger::{Ledger, create_operator_key};
use crate::serve::failed;
use crate::storage::{Place, tool_options};

pub(crate) fn operator_key(globals: &Globals, command: OperatorKeyCommand) -> Result<(), Failure> {
    match command {
        OperatorKeyCommand::Create { name, scopes } => {
            match Place::given(globals)? {
                Some(Place::Database(url)) => {
                    return create_in(globals, Ledger::in_database(tool_options(url)), &name, &scopes);
                }
                Some(Place::Directory(data)) => {
                    if let Some(directory) = idle_data_directory(&data)? {
                        let ledger = async { Ledger::in_directory(directory) };
                        return create_in(globals, ledger, &name, &scopes);
                    }
                }
                None => {}
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

/// The data directory, if it holds a ledger and no server works in it: then whoever may write there needs no operator's
/// key to make one. Servers that share a database do not stand in the way.
fn idle_data_directory(data: &Path) -> Result<Option<DataDirectory>, Failure> {
    if !data.join("coffer.db").exists() {
        return Ok(None);
    }
    match DataDirectory::lock(data) {
        Ok(directory) => Ok(Some(directory)),
        Err(OpenError::InUse { .. }) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

fn create_in(
    globals: &Globals,
    ledger: impl Future<Output = Result<Ledger, Failure>>,
    name: &str,
    scopes: &[String],
) -> Result<(), Failure> {
    let scopes: Result<Vec<Scope>, _> = scopes.iter().map(|scope| scope.parse::<Scope>()).collect();
    let scopes = scopes.map_err(|rule| Failure::Usage(format!("scopes {rule}")))?;
    let scopes = Scopes::of(scopes).unwrap_or(Scopes::ALL);
    let secret = Secret::generate(&KeyPrefix::operator());
    let runtime = tokio::runtime::Runtime::new().map_err(failed)?;
    let key = runtime.block_on(async {
        let service = ledger.await?.start();
        let key = create_operator_key(&service, name, &secret, scopes).await;
        service.close().await;
        key
    })?;
    let scopes: Vec<&str> = scopes.iter().map(Scope::as_str).collect();
    let answer = json!({
        "id": key.id.to_string(), "name": key.name.as_str(), "secret": secret.expose(), "hint": key.hint.as_str(),
        "status": "active", "scopes": scopes, "created_at": key.created_at.to_string(),
    });
    table::show(globals, &answer, table::NEW_OPERATOR_KEY);
    Ok(())
}
